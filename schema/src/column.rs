//! Column kinds: how a Rust value becomes a cell of an Arrow array.
//!
//! A table declaration names a kind for each field; [`crate::cell`] gives the field's Rust type and [`crate::builder`] the
//! builder that collects it. Text comes in two kinds: `text` for values that mostly differ, `word` for values that repeat
//! (dictionary-encoded).

use std::borrow::Cow;
use std::fmt::Write as _;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Arc;

use arrow::array::builder::NullBufferBuilder;
use arrow::array::{
    Array, ArrayBuilder, ArrayRef, BinaryBuilder, BooleanBuilder, DictionaryArray, Int32Array, ListBuilder, PrimitiveArray, PrimitiveBuilder,
    StringBuilder, new_null_array,
};
use arrow::datatypes::{
    ArrowNativeType, ArrowPrimitiveType, DataType, Field, Float64Type, Int32Type, Int64Type, TimeUnit, TimestampNanosecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use rustc_hash::FxHashMap;

/// A 48-bit hardware address, written `aa:bb:cc:dd:ee:ff`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Debug)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// Group (multicast or broadcast) bit, IEEE 802.
    pub fn is_group(self) -> bool {
        self.0[0] & 1 != 0
    }
}

impl std::fmt::Display for Mac {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// Collects the cells of one column.
pub trait Column: Default {
    /// What one cell is given as; `None` is null.
    type Cell<'a>;
    /// Arrow type of the finished array.
    fn data_type() -> DataType;
    /// Gives row number `row` its cell; rows come in order, and those that get none are null. Nulls cost nothing here.
    fn push(&mut self, row: usize, cell: Self::Cell<'_>);
    /// The cells of the first `rows` rows, leaving the column empty.
    fn finish(&mut self, rows: usize) -> ArrayRef;
    /// Roughly the memory the collected cells take, in bytes.
    fn bytes(&self) -> usize;
}

/// What [`Cells`] needs of a builder.
trait Builder: ArrayBuilder {
    fn add_nulls(&mut self, count: usize);
}

/// Most cells of a wide table are null: they are given to the builder all at once when a value follows.
struct Cells<B> {
    builder: B,
}

impl<B: Builder> Cells<B> {
    fn new(builder: B) -> Self {
        Self { builder }
    }
    /// The builder, whose next value is that of `row`.
    #[inline]
    fn at(&mut self, row: usize) -> &mut B {
        let missing = row.saturating_sub(self.builder.len());
        if missing > 0 {
            self.builder.add_nulls(missing);
        }
        &mut self.builder
    }
    /// The array of all cells; one without any value touches no memory for values.
    fn finish<A: Array + 'static>(&mut self, rows: usize, data_type: &DataType, finish: impl FnOnce(&mut B) -> A) -> ArrayRef {
        if self.builder.is_empty() {
            return new_null_array(data_type, rows);
        }
        Arc::new(finish(self.at(rows)))
    }
}

impl Builder for BooleanBuilder {
    fn add_nulls(&mut self, count: usize) {
        self.append_nulls(count);
    }
}
impl Builder for StringBuilder {
    fn add_nulls(&mut self, count: usize) {
        self.append_nulls(count);
    }
}
impl Builder for BinaryBuilder {
    fn add_nulls(&mut self, count: usize) {
        self.append_nulls(count);
    }
}
impl<I: ArrayBuilder> Builder for ListBuilder<I> {
    fn add_nulls(&mut self, count: usize) {
        self.append_nulls(count);
    }
}

/// Values of one width and which rows have one: the hot columns, so nothing here is asked twice a row.
struct Values<N> {
    values: Vec<N>,
    present: NullBufferBuilder,
}

impl<N> Default for Values<N> {
    fn default() -> Self {
        Self { values: Vec::new(), present: NullBufferBuilder::new(0) }
    }
}

impl<N: ArrowNativeType> Values<N> {
    #[inline(always)]
    fn push(&mut self, row: usize, value: N) {
        if self.values.len() != row {
            self.skip_to(row);
        }
        self.values.push(value);
        self.present.append_non_null();
    }
    /// Rows up to `row` have no value.
    #[inline(never)]
    fn skip_to(&mut self, row: usize) {
        self.present.append_n_nulls(row.saturating_sub(self.values.len()));
        self.values.resize(row, N::default());
    }
    /// The array of `rows` cells; `None` where no row has a value.
    fn finish<T: ArrowPrimitiveType<Native = N>>(&mut self, rows: usize) -> Option<PrimitiveArray<T>> {
        if self.values.is_empty() {
            return None;
        }
        self.skip_to(rows);
        // The next batch will be as long: growing step by step would copy each value several times.
        let next = Vec::with_capacity(if rows < FEW_ROWS { 0 } else { rows });
        let values = std::mem::replace(&mut self.values, next);
        Some(PrimitiveArray::new(values.into(), self.present.finish()))
    }
    fn bytes(&self) -> usize {
        self.values.len() * size_of::<N>()
    }
}

/// Batches shorter than this are the last of their table, as a rule.
const FEW_ROWS: usize = 4096;

/// Numbers.
pub struct Numbers<T: ArrowPrimitiveType>(Values<T::Native>);

impl<T: ArrowPrimitiveType> Default for Numbers<T> {
    fn default() -> Self {
        Self(Values::default())
    }
}

macro_rules! numbers {
    ($($arrow:ty => $native:ty, $data_type:expr;)*) => {$(
        impl Column for Numbers<$arrow> {
            type Cell<'a> = Option<$native>;
            fn data_type() -> DataType {
                $data_type
            }
            #[inline]
            fn push(&mut self, row: usize, cell: Option<$native>) {
                if let Some(value) = cell {
                    self.0.push(row, value);
                }
            }
            fn finish(&mut self, rows: usize) -> ArrayRef {
                self.0.finish::<$arrow>(rows).map_or_else(|| new_null_array(&Self::data_type(), rows), |array| Arc::new(array))
            }
            fn bytes(&self) -> usize {
                self.0.bytes()
            }
        }
    )*};
}
numbers! {
    UInt8Type => u8, DataType::UInt8;
    UInt16Type => u16, DataType::UInt16;
    UInt32Type => u32, DataType::UInt32;
    UInt64Type => u64, DataType::UInt64;
    Int32Type => i32, DataType::Int32;
    Int64Type => i64, DataType::Int64;
    Float64Type => f64, DataType::Float64;
}

/// Times: nanoseconds since 1970, UTC.
#[derive(Default)]
pub struct Times(Values<i64>);

/// The Arrow type of every time column.
pub fn time_type() -> DataType {
    DataType::Timestamp(TimeUnit::Nanosecond, Some(Arc::from("UTC")))
}

impl Column for Times {
    type Cell<'a> = Option<i64>;
    fn data_type() -> DataType {
        time_type()
    }
    #[inline]
    fn push(&mut self, row: usize, cell: Option<i64>) {
        if let Some(value) = cell {
            self.0.push(row, value);
        }
    }
    fn finish(&mut self, rows: usize) -> ArrayRef {
        match self.0.finish::<TimestampNanosecondType>(rows) {
            Some(array) => Arc::new(array.with_timezone("UTC")),
            None => new_null_array(&Self::data_type(), rows),
        }
    }
    fn bytes(&self) -> usize {
        self.0.bytes()
    }
}

/// Yes or no.
pub struct Bools(Cells<BooleanBuilder>);

impl Default for Bools {
    fn default() -> Self {
        Self(Cells::new(BooleanBuilder::new()))
    }
}

impl Column for Bools {
    type Cell<'a> = Option<bool>;
    fn data_type() -> DataType {
        DataType::Boolean
    }
    #[inline]
    fn push(&mut self, row: usize, cell: Option<bool>) {
        if let Some(value) = cell {
            self.0.at(row).append_value(value);
        }
    }
    fn finish(&mut self, rows: usize) -> ArrayRef {
        self.0.finish(rows, &Self::data_type(), |cells| cells.finish())
    }
    fn bytes(&self) -> usize {
        self.0.builder.len() / 4
    }
}

/// Text whose values mostly differ.
pub struct Texts(Cells<StringBuilder>);

impl Default for Texts {
    fn default() -> Self {
        Self(Cells::new(StringBuilder::new()))
    }
}

impl Column for Texts {
    type Cell<'a> = Option<&'a str>;
    fn data_type() -> DataType {
        DataType::Utf8
    }
    #[inline]
    fn push(&mut self, row: usize, cell: Option<&str>) {
        if let Some(value) = cell {
            self.0.at(row).append_value(value);
        }
    }
    fn finish(&mut self, rows: usize) -> ArrayRef {
        self.0.finish(rows, &Self::data_type(), |cells| cells.finish())
    }
    fn bytes(&self) -> usize {
        self.0.builder.values_slice().len() + self.0.builder.offsets_slice().len() * 4
    }
}

/// Octets.
pub struct Octets(Cells<BinaryBuilder>);

impl Default for Octets {
    fn default() -> Self {
        Self(Cells::new(BinaryBuilder::new()))
    }
}

impl Column for Octets {
    type Cell<'a> = Option<&'a [u8]>;
    fn data_type() -> DataType {
        DataType::Binary
    }
    #[inline]
    fn push(&mut self, row: usize, cell: Option<&[u8]>) {
        if let Some(value) = cell {
            self.0.at(row).append_value(value);
        }
    }
    fn finish(&mut self, rows: usize) -> ArrayRef {
        self.0.finish(rows, &Self::data_type(), |cells| cells.finish())
    }
    fn bytes(&self) -> usize {
        self.0.builder.values_slice().len() + self.0.builder.offsets_slice().len() * 4
    }
}

/// The Arrow type of repeated text.
pub fn word_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// Keys into a list of different texts; the shared part of the dictionary-encoded columns.
struct Dictionary<K> {
    keys: Values<i32>,
    known: FxHashMap<K, i32>,
    /// The values by key, to compare with the last two without hashing: neighbours are often equal, or take turns as requests
    /// and answers do.
    names: Vec<K>,
    recent: [i32; 2],
    values: StringBuilder,
}

impl<K> Default for Dictionary<K> {
    fn default() -> Self {
        Self { keys: Values::default(), known: FxHashMap::default(), names: Vec::new(), recent: [0; 2], values: StringBuilder::new() }
    }
}

impl<K: Hash + Eq + Clone> Dictionary<K> {
    /// Adds a value not seen before; its text has just been appended to `values`.
    fn learn(&mut self, value: K) -> i32 {
        let key = self.names.len() as i32;
        self.names.push(value.clone());
        self.known.insert(value, key);
        key
    }
    /// The key of a value that is one of the last two.
    #[inline]
    fn again(&self, is_it: impl Fn(&K) -> bool) -> Option<i32> {
        self.recent.into_iter().find(|key| self.names.get(*key as usize).is_some_and(&is_it))
    }
    #[inline]
    fn append(&mut self, row: usize, key: i32) {
        if self.recent[0] != key {
            self.recent = [key, self.recent[0]];
        }
        self.keys.push(row, key);
    }
    fn finish(&mut self, rows: usize) -> ArrayRef {
        self.known.clear();
        self.names.clear();
        self.recent = [0; 2];
        let Some(keys) = self.keys.finish::<Int32Type>(rows) else { return new_null_array(&word_type(), rows) };
        // Every key was handed out as an index of `values`, so the array is valid by construction.
        #[allow(clippy::unwrap_used)]
        let array = DictionaryArray::<Int32Type>::try_new(keys, Arc::new(self.values.finish())).unwrap();
        Arc::new(array)
    }
    fn bytes(&self) -> usize {
        self.keys.bytes() + self.values.values_slice().len() * 3
    }
}

/// Text that repeats: names of functions, methods, states.
#[derive(Default)]
pub struct Words(Dictionary<Box<str>>);

impl Column for Words {
    type Cell<'a> = Option<&'a str>;
    fn data_type() -> DataType {
        word_type()
    }
    #[inline]
    fn push(&mut self, row: usize, cell: Option<&str>) {
        let Some(word) = cell else { return };
        if let Some(key) = self.0.again(|recent| **recent == *word) {
            return self.0.append(row, key);
        }
        let key = match self.0.known.get(word) {
            Some(key) => *key,
            None => {
                self.0.values.append_value(word);
                self.0.learn(word.into())
            }
        };
        self.0.append(row, key);
    }
    fn finish(&mut self, rows: usize) -> ArrayRef {
        self.0.finish(rows)
    }
    fn bytes(&self) -> usize {
        self.0.bytes()
    }
}

macro_rules! formatted_dictionary {
    ($(#[$doc:meta])* $name:ident, $value:ty) => {
        $(#[$doc])*
        #[derive(Default)]
        pub struct $name(Dictionary<$value>);

        impl Column for $name {
            type Cell<'a> = Option<$value>;
            fn data_type() -> DataType {
                word_type()
            }
            #[inline]
            fn push(&mut self, row: usize, cell: Option<$value>) {
                let Some(value) = cell else { return };
                if let Some(key) = self.0.again(|recent| *recent == value) {
                    return self.0.append(row, key);
                }
                let key = match self.0.known.get(&value) {
                    Some(key) => *key,
                    None => {
                        // Writing into a StringBuilder cannot fail.
                        let _ = write!(self.0.values, "{value}");
                        self.0.values.append_value("");
                        self.0.learn(value)
                    }
                };
                self.0.append(row, key);
            }
            fn finish(&mut self, rows: usize) -> ArrayRef {
                self.0.finish(rows)
            }
            fn bytes(&self) -> usize {
                self.0.bytes()
            }
        }
    };
}
formatted_dictionary! {
    /// IP addresses, as text (RFC 5952 for IPv6).
    Ips, IpAddr
}
formatted_dictionary! {
    /// Hardware addresses, as text.
    Macs, Mac
}

/// Lists of numbers.
pub struct NumberLists<T: ArrowPrimitiveType>(Cells<ListBuilder<PrimitiveBuilder<T>>>);

impl<T: ArrowPrimitiveType> Default for NumberLists<T> {
    fn default() -> Self {
        Self(Cells::new(ListBuilder::new(PrimitiveBuilder::new())))
    }
}

fn list_type(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new("item", item, true)))
}

macro_rules! number_lists {
    ($($arrow:ty => $native:ty, $item:expr;)*) => {$(
        impl Column for NumberLists<$arrow> {
            type Cell<'a> = Option<&'a [$native]>;
            fn data_type() -> DataType {
                list_type($item)
            }
            fn push(&mut self, row: usize, cell: Option<&[$native]>) {
                let Some(values) = cell else { return };
                let list = self.0.at(row);
                    list.values().append_slice(values);
                    list.append(true);
            }
            fn finish(&mut self, rows: usize) -> ArrayRef {
                self.0.finish(rows, &Self::data_type(), |cells| cells.finish())
            }
            fn bytes(&self) -> usize {
                self.0.builder.values_ref().values_slice().len() * size_of::<$native>() + self.0.builder.offsets_slice().len() * 4
            }
        }
    )*};
}
number_lists! {
    UInt8Type => u8, DataType::UInt8;
    UInt16Type => u16, DataType::UInt16;
    UInt32Type => u32, DataType::UInt32;
    UInt64Type => u64, DataType::UInt64;
    Int32Type => i32, DataType::Int32;
    Float64Type => f64, DataType::Float64;
}

/// Lists of truth values.
pub struct BoolLists(Cells<ListBuilder<BooleanBuilder>>);

impl Default for BoolLists {
    fn default() -> Self {
        Self(Cells::new(ListBuilder::new(BooleanBuilder::new())))
    }
}

impl Column for BoolLists {
    type Cell<'a> = Option<&'a [bool]>;
    fn data_type() -> DataType {
        list_type(DataType::Boolean)
    }
    fn push(&mut self, row: usize, cell: Option<&[bool]>) {
        let Some(values) = cell else { return };
        let list = self.0.at(row);
        list.values().append_slice(values);
        list.append(true);
    }
    fn finish(&mut self, rows: usize) -> ArrayRef {
        self.0.finish(rows, &Self::data_type(), |cells| cells.finish())
    }
    fn bytes(&self) -> usize {
        self.0.builder.offsets_slice().len() * 5
    }
}

/// Lists of text.
pub struct TextLists(Cells<ListBuilder<StringBuilder>>);

impl Default for TextLists {
    fn default() -> Self {
        Self(Cells::new(ListBuilder::new(StringBuilder::new())))
    }
}

impl Column for TextLists {
    type Cell<'a> = Option<&'a [Cow<'a, str>]>;
    fn data_type() -> DataType {
        list_type(DataType::Utf8)
    }
    fn push(&mut self, row: usize, cell: Option<&[Cow<'_, str>]>) {
        let Some(values) = cell else { return };
        let list = self.0.at(row);
        for value in values {
            list.values().append_value(value);
        }
        list.append(true);
    }
    fn finish(&mut self, rows: usize) -> ArrayRef {
        self.0.finish(rows, &Self::data_type(), |cells| cells.finish())
    }
    fn bytes(&self) -> usize {
        self.0.builder.values_ref().values_slice().len() + self.0.builder.offsets_slice().len() * 8
    }
}

/// Lists of text with holes: parallel to another list, where not every entry has a text.
pub struct SparseTextLists(Cells<ListBuilder<StringBuilder>>);

impl Default for SparseTextLists {
    fn default() -> Self {
        Self(Cells::new(ListBuilder::new(StringBuilder::new())))
    }
}

impl Column for SparseTextLists {
    type Cell<'a> = Option<&'a [Option<Cow<'a, str>>]>;
    fn data_type() -> DataType {
        list_type(DataType::Utf8)
    }
    fn push(&mut self, row: usize, cell: Option<&[Option<Cow<'_, str>>]>) {
        let Some(values) = cell else { return };
        let list = self.0.at(row);
        for value in values {
            list.values().append_option(value.as_deref());
        }
        list.append(true);
    }
    fn finish(&mut self, rows: usize) -> ArrayRef {
        self.0.finish(rows, &Self::data_type(), |cells| cells.finish())
    }
    fn bytes(&self) -> usize {
        self.0.builder.values_ref().values_slice().len() + self.0.builder.offsets_slice().len() * 8
    }
}

/// A dictionary column that holds the same word in every row.
pub(crate) fn constant(word: &str, rows: usize) -> ArrayRef {
    let values = Arc::new(arrow::array::StringArray::from(vec![word]));
    // Key 0 exists, so the array is valid by construction.
    #[allow(clippy::unwrap_used)]
    let array = DictionaryArray::<Int32Type>::try_new(Int32Array::from(vec![0; rows]), values).unwrap();
    Arc::new(array)
}
