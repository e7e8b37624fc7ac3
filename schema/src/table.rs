//! Declaring a table: the [`table!`](crate::table!) macro and what it makes.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::compute::{SortOptions, sort_to_indices, take_record_batch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt64Type};

use crate::Mac;
use crate::column::{Column, Ips, Macs, Numbers, Times, constant, time_type, word_type};
use crate::tables::TableSet;

/// Which of the shared leading columns a table has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// `capture`, `capture_id`, `ts`: captures, interfaces.
    Capture,
    /// `capture`, `capture_id`, `frame`, `ts`, `flow_id`, addresses, ports.
    Network,
    /// As `Network`, with `src_mac` and `dst_mac`.
    Link,
    /// None of them: rows that the user brings, not a capture.
    Brought,
}

impl Shape {
    /// Whether rows belong to a frame of a capture.
    fn has_frame(self) -> bool {
        matches!(self, Self::Network | Self::Link)
    }
}

/// One column of a table, for schema and data dictionary.
#[derive(Debug)]
pub struct ColumnDef {
    pub name: &'static str,
    pub data_type: DataType,
    /// What a value means, with its unit where the name does not say it.
    pub doc: String,
    /// The Wireshark field that holds the same value.
    pub wireshark: Option<&'static str>,
    /// Holds passwords, hashes, tokens: redacted unless asked for.
    pub secret: bool,
    /// Analysts hunt for its values: gets a Bloom filter.
    pub bloom: bool,
}

/// A table's declaration, as data.
#[derive(Debug)]
pub struct TableDef {
    pub name: &'static str,
    /// What one row is: message, transaction, flow ...
    pub grain: &'static str,
    pub doc: String,
    pub shape: Shape,
    /// All columns in order, the shared leading ones included.
    pub columns: Vec<ColumnDef>,
    pub schema: SchemaRef,
}

impl TableDef {
    /// Builds the definition from the declared columns; called by [`table!`](crate::table!).
    pub fn new(name: &'static str, grain: &'static str, doc: &[&str], shape: Shape, own: Vec<ColumnDef>) -> Self {
        let mut columns = shared_columns(shape);
        columns.extend(own);
        let schema = Schema::new(columns.iter().map(|c| Field::new(c.name, c.data_type.clone(), true)).collect::<Vec<_>>());
        Self { name, grain, doc: join_doc(doc), shape, columns, schema: Arc::new(schema) }
    }
}

/// Joins the lines of a doc comment.
pub fn join_doc(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ").trim().to_owned()
}

fn shared_columns(shape: Shape) -> Vec<ColumnDef> {
    if shape == Shape::Brought {
        return Vec::new();
    }
    let column = |name, data_type, doc: &str, bloom| ColumnDef { name, data_type, doc: doc.to_owned(), wireshark: None, secret: false, bloom };
    let mut columns = vec![
        column("capture", word_type(), "The capture's file name as given.", false),
        column("capture_id", word_type(), "Content hash that names the capture.", false),
    ];
    if shape.has_frame() {
        columns.push(column("frame", DataType::UInt64, "1-based number of the frame in which the record completes.", false));
    }
    columns.push(column("ts", time_type(), "Time of that frame, UTC.", false));
    if shape.has_frame() {
        columns.push(column("flow_id", DataType::UInt64, "Row in `flows`; null for frames without a flow.", false));
        columns.push(column("src_ip", word_type(), "Sender's address; null on pure layer-2 protocols.", true));
        columns.push(column("dst_ip", word_type(), "Receiver's address; null on pure layer-2 protocols.", true));
        columns.push(column("src_port", DataType::UInt16, "Sender's port; null without ports.", false));
        columns.push(column("dst_port", DataType::UInt16, "Receiver's port; null without ports.", false));
    }
    if shape == Shape::Link {
        columns.push(column("src_mac", word_type(), "Sender's hardware address in the frame.", true));
        columns.push(column("dst_mac", word_type(), "Receiver's hardware address in the frame.", true));
    }
    columns
}

/// The shared leading cells of a row.
#[derive(Clone, Copy, Default, Debug)]
pub struct Common {
    pub frame: u64,
    /// Nanoseconds since 1970, UTC.
    pub ts: Option<i64>,
    pub flow_id: Option<u64>,
    pub src_ip: Option<IpAddr>,
    pub dst_ip: Option<IpAddr>,
    pub src_port: Option<u16>,
    pub dst_port: Option<u16>,
    pub src_mac: Option<Mac>,
    pub dst_mac: Option<Mac>,
}

/// The declared columns of one table; made by [`table!`](crate::table!).
pub trait Columns: Default {
    /// The table's declaration.
    fn def() -> &'static TableDef;
    /// Appends the finished arrays of `rows` rows in order of declaration and leaves the columns empty.
    fn finish(&mut self, rows: usize, arrays: &mut Vec<ArrayRef>);
    /// Roughly the memory the collected cells take, in bytes.
    fn bytes(&self) -> usize;
}

/// One row of a table, borrowing from the packet.
pub trait Row {
    type Columns: Columns;
    /// Adds the own cells of row number `at`.
    fn append(self, at: usize, columns: &mut Self::Columns);
    /// Where rows of this table are collected.
    fn slot(set: &mut TableSet) -> &mut TableBuilder<Self::Columns>;
}

/// Collects the rows of one table.
#[derive(Default)]
pub struct TableBuilder<C> {
    rows: usize,
    frame: Numbers<UInt64Type>,
    ts: Times,
    flow_id: Numbers<UInt64Type>,
    src_ip: Ips,
    dst_ip: Ips,
    src_port: Numbers<arrow::datatypes::UInt16Type>,
    dst_port: Numbers<arrow::datatypes::UInt16Type>,
    src_mac: Macs,
    dst_mac: Macs,
    columns: C,
}

impl<C: Columns> TableBuilder<C> {
    /// Adds one row.
    #[inline]
    pub fn push<R: Row<Columns = C>>(&mut self, common: &Common, row: R) {
        let shape = C::def().shape;
        let at = self.rows;
        self.rows += 1;
        if shape != Shape::Brought {
            self.ts.push(at, common.ts);
        }
        if shape.has_frame() {
            self.frame.push(at, Some(common.frame));
            self.flow_id.push(at, common.flow_id);
            self.src_ip.push(at, common.src_ip);
            self.dst_ip.push(at, common.dst_ip);
            self.src_port.push(at, common.src_port);
            self.dst_port.push(at, common.dst_port);
        }
        if shape == Shape::Link {
            self.src_mac.push(at, common.src_mac);
            self.dst_mac.push(at, common.dst_mac);
        }
        row.append(at, &mut self.columns);
    }

    /// Rows collected and not yet taken.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Roughly the memory they take, in bytes.
    pub fn bytes(&self) -> usize {
        self.rows * 56 + self.columns.bytes()
    }

    /// Takes the collected rows, sorted by frame, as one batch of the capture named.
    pub fn finish(&mut self, capture: &str, capture_id: &str) -> RecordBatch {
        let def = C::def();
        let rows = std::mem::take(&mut self.rows);
        let mut arrays = Vec::with_capacity(def.columns.len());
        if def.shape != Shape::Brought {
            arrays.extend([constant(capture, rows), constant(capture_id, rows)]);
            if def.shape.has_frame() {
                arrays.push(self.frame.finish(rows));
            }
            arrays.push(self.ts.finish(rows));
        }
        if def.shape.has_frame() {
            arrays.push(self.flow_id.finish(rows));
            arrays.push(self.src_ip.finish(rows));
            arrays.push(self.dst_ip.finish(rows));
            arrays.push(self.src_port.finish(rows));
            arrays.push(self.dst_port.finish(rows));
        }
        if def.shape == Shape::Link {
            arrays.push(self.src_mac.finish(rows));
            arrays.push(self.dst_mac.finish(rows));
        }
        self.columns.finish(rows, &mut arrays);
        // The arrays were built from the same declaration as the schema, one cell each a row.
        #[allow(clippy::unwrap_used)]
        let batch = RecordBatch::try_new(Arc::clone(&def.schema), arrays).unwrap();
        sorted_by_frame(batch, def.shape)
    }
}

/// Rows may be emitted after later frames' rows (a flow when it ends); files are kept in order of frames.
fn sorted_by_frame(batch: RecordBatch, shape: Shape) -> RecordBatch {
    if !shape.has_frame() {
        return batch;
    }
    let frames = batch.column(2).as_primitive::<UInt64Type>().values();
    if frames.is_sorted() {
        return batch;
    }
    let options = Some(SortOptions { descending: false, nulls_first: false });
    let sorted = sort_to_indices(batch.column(2), options, None).and_then(|indices| take_record_batch(&batch, &indices));
    sorted.unwrap_or(batch)
}

/// A column's name as SQL knows it: `r#type` is `type`.
pub fn plain_name(field: &'static str) -> &'static str {
    field.strip_prefix("r#").unwrap_or(field)
}

/// A lazily built definition; used by [`table!`](crate::table!).
pub type DefCell = OnceLock<TableDef>;

/// The Rust type of a field, from its column kind.
#[doc(hidden)]
#[macro_export]
macro_rules! cell {
    ($kind:ident, $life:lifetime) => { <$crate::builder!($kind) as $crate::column::Column>::Cell<$life> };
}

/// The builder of a column kind.
#[doc(hidden)]
#[macro_export]
macro_rules! builder {
    (u8) => { $crate::column::Numbers<::arrow::datatypes::UInt8Type> };
    (u16) => { $crate::column::Numbers<::arrow::datatypes::UInt16Type> };
    (u32) => { $crate::column::Numbers<::arrow::datatypes::UInt32Type> };
    (u64) => { $crate::column::Numbers<::arrow::datatypes::UInt64Type> };
    (i32) => { $crate::column::Numbers<::arrow::datatypes::Int32Type> };
    (i64) => { $crate::column::Numbers<::arrow::datatypes::Int64Type> };
    (f64) => { $crate::column::Numbers<::arrow::datatypes::Float64Type> };
    (time) => { $crate::column::Times };
    (bool) => { $crate::column::Bools };
    (text) => { $crate::column::Texts };
    (word) => { $crate::column::Words };
    (ip) => { $crate::column::Ips };
    (mac) => { $crate::column::Macs };
    (bytes) => { $crate::column::Octets };
    (list_u8) => { $crate::column::NumberLists<::arrow::datatypes::UInt8Type> };
    (list_u16) => { $crate::column::NumberLists<::arrow::datatypes::UInt16Type> };
    (list_u32) => { $crate::column::NumberLists<::arrow::datatypes::UInt32Type> };
    (list_u64) => { $crate::column::NumberLists<::arrow::datatypes::UInt64Type> };
    (list_i32) => { $crate::column::NumberLists<::arrow::datatypes::Int32Type> };
    (list_f64) => { $crate::column::NumberLists<::arrow::datatypes::Float64Type> };
    (list_bool) => { $crate::column::BoolLists };
    (list_text) => { $crate::column::TextLists };
    (list_sparse_text) => { $crate::column::SparseTextLists };
}

/// Declares a table.
///
/// ```text
/// table! {
///     /// One row per NTP message of any mode.
///     pub struct Ntp("ntp", "message", Network) {
///         /// Version number.
///         version: u8 = "ntp.flags.vn",
///         /// Password in clear.
///         @secret password: text,
///     }
/// }
/// ```
/// Kinds: `u8 u16 u32 u64 i32 i64 f64 bool time text word ip mac bytes list_u8 list_u16 list_u32 list_u64 list_i32 list_f64 list_bool list_text list_sparse_text`
/// (`word` is dictionary-encoded text). Flags: `@secret`, `@bloom`. After `=` stands the Wireshark field.
/// A row is a struct of `Option`s; leave out what the wire did not carry with `..Default::default()`.
#[macro_export]
macro_rules! table {
    (
        $(#[doc = $doc:literal])+
        pub struct $table:ident($name:literal, $grain:literal, $shape:ident) {
            $(
                $(#[doc = $column_doc:literal])+
                $(@$flag:ident)* $column:ident : $kind:ident $(= $wireshark:literal)?
            ),+ $(,)?
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Default)]
        pub struct $table<'a> {
            $(
                $(#[doc = $column_doc])+
                pub $column: $crate::cell!($kind, 'a),
            )+
        }

        const _: () = {
            #[derive(Default)]
            pub struct Columns {
                $($column: $crate::builder!($kind),)+
            }

            impl $crate::table::Columns for Columns {
                fn def() -> &'static $crate::TableDef {
                    static DEF: $crate::table::DefCell = $crate::table::DefCell::new();
                    DEF.get_or_init(|| {
                        let own = vec![$({
                            #[allow(unused_mut, unused_assignments)]
                            let mut column = $crate::ColumnDef {
                                name: $crate::table::plain_name(stringify!($column)),
                                data_type: <$crate::builder!($kind) as $crate::column::Column>::data_type(),
                                doc: $crate::table::join_doc(&[$($column_doc),+]),
                                wireshark: None,
                                secret: false,
                                bloom: false,
                            };
                            $(column.wireshark = Some($wireshark);)?
                            $(column.$flag = true;)*
                            column
                        }),+];
                        $crate::TableDef::new($name, $grain, &[$($doc),+], $crate::Shape::$shape, own)
                    })
                }
                fn finish(&mut self, rows: usize, arrays: &mut Vec<::arrow::array::ArrayRef>) {
                    $(arrays.push($crate::column::Column::finish(&mut self.$column, rows));)+
                }
                fn bytes(&self) -> usize {
                    0 $(+ $crate::column::Column::bytes(&self.$column))+
                }
            }

            impl $crate::Row for $table<'_> {
                type Columns = Columns;
                #[inline]
                fn append(self, at: usize, columns: &mut Columns) {
                    $($crate::column::Column::push(&mut columns.$column, at, self.$column);)+
                }
                #[inline]
                fn slot(set: &mut $crate::TableSet) -> &mut $crate::TableBuilder<Columns> {
                    &mut set.$table
                }
            }
        };
    };
}
