//! Column chunks that are written without Parquet's general encoders, because whole captures pass through here: repeated
//! words, which Arrow holds as a dictionary and keys already (the general encoder would hash every row's text once more),
//! whole numbers, truth values, and columns without any value.
//!
//! A chunk here is a dictionary page (of words) and data pages of version 1: definition levels, then values. Levels and keys
//! are in the hybrid of runs and packed bits of the Parquet format ("Encodings", RLE = 3 and RLE_DICTIONARY = 8), numbers are
//! [`delta`]-encoded; pages are compressed with zstd.

use std::cell::RefCell;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, DictionaryArray, PrimitiveArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{ArrowPrimitiveType, DataType, Int32Type, Int64Type, TimestampNanosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use bytes::Bytes;
use parquet::basic::{BoundaryOrder, Compression, Encoding, PageType, Type, ZstdLevel};
use parquet::bloom_filter::Sbbf;
use parquet::column::page::{CompressedPage, Page, PageWriter as _};
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::ByteArray;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ColumnChunkMetaData, ColumnIndexBuilder, OffsetIndexBuilder, PageEncodingStats};
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedPageWriter, SerializedRowGroupWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;

use super::delta;

/// Rows of a data page.
pub const PAGE_ROWS: usize = 20_000;
/// Values that a Bloom filter has room for.
const MAX_BLOOM_VALUES: usize = 100_000;
/// Share of false answers of the Bloom filters.
const BLOOM_ERRORS: f64 = 0.05;

/// An encoded column chunk.
pub struct Chunk {
    bytes: Bytes,
    close: ColumnCloseResult,
}

impl Chunk {
    /// Puts the chunk into its row group, at its column's turn.
    pub fn append_to_row_group<W: std::io::Write + Send>(self, group: &mut SerializedRowGroupWriter<'_, W>) -> Result<()> {
        group.append_column(&self.bytes, self.close)
    }
}

/// Whether [`encode`] takes columns of this type whatever they hold.
pub fn takes(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(key, value) => **key == DataType::Int32 && **value == DataType::Utf8,
        DataType::Boolean | DataType::Timestamp(..) => true,
        other => other.is_integer(),
    }
}

/// Encodes a column if it is of a type that this module [takes](takes), or has no values; `bloom` adds a Bloom filter of its words.
pub fn encode(array: &ArrayRef, column: &ColumnDescPtr, bloom: bool) -> Result<Option<Chunk>> {
    if array.null_count() == array.len() {
        return nulls(array.len(), column).map(Some);
    }
    let chunk = match array.data_type() {
        data_type @ DataType::Dictionary(..) if takes(data_type) => words(array.as_dictionary(), column, bloom),
        DataType::Boolean => truths(array.as_boolean(), column),
        DataType::UInt8 => numbers::<UInt8Type>(array.as_primitive(), column, bloom, i64::from),
        DataType::UInt16 => numbers::<UInt16Type>(array.as_primitive(), column, bloom, i64::from),
        DataType::UInt32 => numbers::<UInt32Type>(array.as_primitive(), column, bloom, |value| i64::from(value.cast_signed())),
        DataType::Int32 => numbers::<Int32Type>(array.as_primitive(), column, bloom, i64::from),
        DataType::UInt64 => numbers::<UInt64Type>(array.as_primitive(), column, bloom, u64::cast_signed),
        DataType::Int64 => numbers::<Int64Type>(array.as_primitive(), column, bloom, |value| value),
        DataType::Timestamp(..) => numbers::<TimestampNanosecondType>(array.as_primitive(), column, bloom, |value| value),
        _ => return Ok(None),
    };
    chunk.map(Some)
}

/// What is known of a chunk's values.
#[derive(Default)]
struct About {
    statistics: Option<Statistics>,
    /// Statistics of each page.
    pages: Option<ColumnIndexBuilder>,
    bloom: Option<Sbbf>,
}

/// Pages of a chunk, in memory.
struct Pages {
    out: TrackedWrite<Vec<u8>>,
    offsets: OffsetIndexBuilder,
    dictionary_at: Option<i64>,
    data_at: Option<i64>,
    data_pages: i32,
    compressed: i64,
    uncompressed: i64,
}

impl Pages {
    fn new() -> Self {
        Self {
            out: TrackedWrite::new(Vec::new()),
            offsets: OffsetIndexBuilder::new(),
            dictionary_at: None,
            data_at: None,
            data_pages: 0,
            compressed: 0,
            uncompressed: 0,
        }
    }

    fn write(&mut self, page: Page, uncompressed: usize) -> Result<(i64, i32)> {
        let spec = SerializedPageWriter::new(&mut self.out).write_page(CompressedPage::new(page, uncompressed))?;
        let too_long = |_| ParquetError::General("a page is too long".to_owned());
        let (offset, size) = (i64::try_from(spec.offset).map_err(too_long)?, i32::try_from(spec.compressed_size).map_err(too_long)?);
        self.compressed += i64::from(size);
        self.uncompressed += i64::try_from(spec.uncompressed_size).map_err(too_long)?;
        Ok((offset, size))
    }

    fn dictionary(&mut self, plain: &[u8], values: usize) -> Result<()> {
        let page = Page::DictionaryPage { buf: compressed(plain)?, num_values: count(values)?, encoding: Encoding::PLAIN, is_sorted: false };
        self.dictionary_at = Some(self.write(page, plain.len())?.0);
        Ok(())
    }

    fn data(&mut self, body: &[u8], rows: usize, encoding: Encoding) -> Result<()> {
        let page = Page::DataPage {
            buf: compressed(body)?,
            num_values: count(rows)?,
            encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let (offset, size) = self.write(page, body.len())?;
        self.data_at.get_or_insert(offset);
        self.data_pages += 1;
        self.offsets.append_offset_and_size(offset, size);
        self.offsets.append_row_count(rows as i64);
        Ok(())
    }

    /// Ends a chunk of `rows` rows whose values are encoded as `encoding`.
    fn close(self, column: &ColumnDescPtr, rows: usize, encoding: Encoding, about: About) -> Result<Chunk> {
        let mut encodings = vec![Encoding::RLE, encoding];
        let mut pages = vec![PageEncodingStats { page_type: PageType::DATA_PAGE, encoding, count: self.data_pages }];
        if self.dictionary_at.is_some() {
            encodings.push(Encoding::PLAIN);
            pages.insert(0, PageEncodingStats { page_type: PageType::DICTIONARY_PAGE, encoding: Encoding::PLAIN, count: 1 });
        }
        let mut builder = ColumnChunkMetaData::builder(ColumnDescPtr::clone(column))
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_encodings(encodings)
            .set_page_encoding_stats(pages)
            .set_total_compressed_size(self.compressed)
            .set_total_uncompressed_size(self.uncompressed)
            .set_num_values(rows as i64)
            .set_data_page_offset(self.data_at.unwrap_or_default())
            .set_dictionary_page_offset(self.dictionary_at);
        if let Some(statistics) = about.statistics {
            builder = builder.set_statistics(statistics);
        }
        let close = ColumnCloseResult {
            bytes_written: u64::try_from(self.compressed).unwrap_or_default(),
            rows_written: rows as u64,
            metadata: builder.build()?,
            bloom_filter: about.bloom,
            column_index: about.pages.filter(ColumnIndexBuilder::valid).map(ColumnIndexBuilder::build).transpose()?,
            offset_index: Some(self.offsets.build()),
        };
        Ok(Chunk { bytes: Bytes::from(self.out.into_inner()?), close })
    }
}

fn count(number: usize) -> Result<u32> {
    u32::try_from(number).map_err(|_| ParquetError::General("a page has too many values".to_owned()))
}

/// A column without values: levels only, of value and of list.
fn nulls(rows: usize, column: &ColumnDescPtr) -> Result<Chunk> {
    let mut pages = Pages::new();
    let mut body = Vec::new();
    let mut done = 0;
    while done < rows {
        let of_page = PAGE_ROWS.min(rows - done);
        body.clear();
        for depth in [column.max_rep_level(), column.max_def_level()] {
            if depth > 0 {
                levels(&mut body, |out| run(out, of_page, 0, 1));
            }
        }
        pages.data(&body, of_page, Encoding::PLAIN)?;
        done += of_page;
    }
    let about = About { statistics: no_values(column, rows as u64), ..About::default() };
    pages.close(column, rows, Encoding::PLAIN, about)
}

/// Statistics that say: all null.
fn no_values(column: &ColumnDescPtr, nulls: u64) -> Option<Statistics> {
    let nulls = Some(nulls);
    Some(match column.physical_type() {
        Type::BOOLEAN => Statistics::boolean(None, None, None, nulls, false),
        Type::INT32 => Statistics::int32(None, None, None, nulls, false),
        Type::INT64 => Statistics::int64(None, None, None, nulls, false),
        Type::DOUBLE => Statistics::double(None, None, None, nulls, false),
        Type::BYTE_ARRAY => Statistics::byte_array(None, None, None, nulls, false),
        _ => return None,
    })
}

/// A dictionary column.
fn words(array: &DictionaryArray<Int32Type>, column: &ColumnDescPtr, bloom: bool) -> Result<Chunk> {
    let rows = array.len();
    let texts = array.values().as_string::<i32>();
    let mut pages = Pages::new();
    let mut plain = Vec::with_capacity(texts.values().len() + 4 * texts.len());
    let mut filter = if bloom { Some(bloom_filter(texts.len())?) } else { None };
    for text in texts.iter().flatten() {
        plain.extend_from_slice(&count(text.len())?.to_le_bytes());
        plain.extend_from_slice(text.as_bytes());
        if let Some(filter) = &mut filter {
            filter.insert(text);
        }
    }
    pages.dictionary(&plain, texts.len())?;
    // Some readers do not expect keys without any bits.
    let width = (usize::BITS - texts.len().saturating_sub(1).leading_zeros()).max(1) as u8;
    let keys = array.keys();
    let (mut body, mut bits, mut done) = (Vec::new(), Vec::new(), 0);
    while done < rows {
        let of_page = PAGE_ROWS.min(rows - done);
        let page = keys.slice(done, of_page);
        body.clear();
        present(&mut body, page.nulls(), of_page, column, &mut bits);
        body.push(width);
        if texts.len() == 1 {
            run(&mut body, of_page - page.null_count(), 0, width);
            pages.data(&body, of_page, Encoding::RLE_DICTIONARY)?;
            done += of_page;
            continue;
        }
        bits.clear();
        // Keys are indices of the dictionary, so never negative.
        if page.null_count() == 0 {
            bits.extend(page.values().iter().map(|key| key.cast_unsigned()));
        } else {
            bits.extend(page.iter().flatten().map(i32::cast_unsigned));
        }
        hybrid(&mut body, &bits, width);
        pages.data(&body, of_page, Encoding::RLE_DICTIONARY)?;
        done += of_page;
    }
    let nulls = array.null_count() as u64;
    // Every word of the dictionary occurs, so its least and greatest are the column's.
    let (least, greatest) = (texts.iter().flatten().min().map(ByteArray::from), texts.iter().flatten().max().map(ByteArray::from));
    let statistics = Statistics::byte_array(least, greatest, None, Some(nulls), false);
    pages.close(column, rows, Encoding::RLE_DICTIONARY, About { statistics: Some(statistics), pages: None, bloom: filter })
}

/// An empty Bloom filter for so many different values.
fn bloom_filter(values: usize) -> Result<Sbbf> {
    Sbbf::new_with_ndv_fpp(values.clamp(16, MAX_BLOOM_VALUES) as u64, BLOOM_ERRORS)
}

/// A column of whole numbers; `raw` gives a number as the signed one with the same bits, in the column's width.
fn numbers<T>(array: &PrimitiveArray<T>, column: &ColumnDescPtr, bloom: bool, raw: impl Fn(T::Native) -> i64) -> Result<Chunk>
where
    T: ArrowPrimitiveType<Native: Ord>,
{
    let rows = array.len();
    let is_wide = column.physical_type() == Type::INT64;
    let octets = |value: i64| value.to_le_bytes().get(..if is_wide { 8 } else { 4 }).unwrap_or_default().to_vec();
    let mut pages = Pages::new();
    let mut index = ColumnIndexBuilder::new(column.physical_type());
    let (mut body, mut values, mut bits, mut done) = (Vec::new(), Vec::with_capacity(PAGE_ROWS), Vec::new(), 0);
    let mut whole: Option<(T::Native, T::Native)> = None;
    let mut before: Option<(T::Native, T::Native)> = None;
    let mut rises = true;
    while done < rows {
        let page = array.slice(done, PAGE_ROWS.min(rows - done));
        body.clear();
        present(&mut body, page.nulls(), page.len(), column, &mut bits);
        let is_dense = page.null_count() == 0;
        let bounds = if is_dense {
            page.values().iter().fold(None, widened)
        } else {
            page.iter().flatten().fold(None, |bounds, value| widened(bounds, &value))
        };
        match bounds {
            Some((least, greatest)) if least == greatest => delta::constant(&mut body, raw(least), page.len() - page.null_count()),
            _ => {
                values.clear();
                if is_dense {
                    values.extend(page.values().iter().map(|value| raw(*value)));
                } else {
                    values.extend(page.iter().flatten().map(&raw));
                }
                delta::encode(&mut body, &values, is_wide);
            }
        }
        pages.data(&body, page.len(), Encoding::DELTA_BINARY_PACKED)?;
        let (least, greatest) = bounds.map_or((Vec::new(), Vec::new()), |(least, greatest)| (octets(raw(least)), octets(raw(greatest))));
        index.append(bounds.is_none(), least, greatest, page.null_count() as i64);
        if let Some((least, greatest)) = bounds {
            rises &= before.is_none_or(|(low, high)| low <= least && high <= greatest);
            before = bounds;
            whole = widened(widened(whole, &least), &greatest);
        }
        done += page.len();
    }
    index.set_boundary_order(if rises { BoundaryOrder::ASCENDING } else { BoundaryOrder::UNORDERED });
    let nulls = Some(array.null_count() as u64);
    let (least, greatest) = (whole.map(|(least, _)| raw(least)), whole.map(|(_, greatest)| raw(greatest)));
    let statistics = if is_wide {
        Statistics::int64(least, greatest, None, nulls, false)
    } else {
        Statistics::int32(least.map(|value| value as i32), greatest.map(|value| value as i32), None, nulls, false)
    };
    let mut filter = if bloom { Some(bloom_filter(rows)?) } else { None };
    if let Some(filter) = &mut filter {
        for value in array.iter().flatten().map(&raw) {
            if is_wide { filter.insert(&value) } else { filter.insert(&(value as i32)) }
        }
    }
    pages.close(column, rows, Encoding::DELTA_BINARY_PACKED, About { statistics: Some(statistics), pages: Some(index), bloom: filter })
}

/// Least and greatest value with one more.
fn widened<N: Copy + Ord>(bounds: Option<(N, N)>, value: &N) -> Option<(N, N)> {
    Some(bounds.map_or((*value, *value), |(least, greatest)| (least.min(*value), greatest.max(*value))))
}

/// A column of truth values: a bit each.
fn truths(array: &BooleanArray, column: &ColumnDescPtr) -> Result<Chunk> {
    let rows = array.len();
    let mut pages = Pages::new();
    let (mut body, mut bits, mut done) = (Vec::new(), Vec::new(), 0);
    while done < rows {
        let page = array.slice(done, PAGE_ROWS.min(rows - done));
        body.clear();
        present(&mut body, page.nulls(), page.len(), column, &mut bits);
        bits.clear();
        if page.null_count() == 0 {
            bits.extend(page.values().iter().map(u32::from));
        } else {
            bits.extend(page.iter().flatten().map(u32::from));
        }
        pack(&mut body, &bits, 1);
        pages.data(&body, page.len(), Encoding::PLAIN)?;
        done += page.len();
    }
    let (trues, values) = (array.true_count(), rows - array.null_count());
    let statistics = Statistics::boolean(Some(trues == values), Some(trues > 0), None, Some(array.null_count() as u64), false);
    pages.close(column, rows, Encoding::PLAIN, About { statistics: Some(statistics), ..About::default() })
}

/// Definition levels of a page: which rows have a value.
fn present(out: &mut Vec<u8>, nulls: Option<&NullBuffer>, rows: usize, column: &ColumnDescPtr, bits: &mut Vec<u32>) {
    if column.max_def_level() == 0 {
        return;
    }
    levels(out, |out| match nulls.filter(|nulls| nulls.null_count() > 0) {
        None => run(out, rows, 1, 1),
        Some(nulls) if nulls.null_count() == rows => run(out, rows, 0, 1),
        // A bitmap of Arrow is a group of packed bits as it stands, where it starts at an octet.
        Some(nulls) if nulls.offset() % 8 == 0 => {
            let groups = rows.div_ceil(8);
            let from = nulls.offset() / 8;
            varint(out, (groups as u64) << 1 | 1);
            out.extend_from_slice(nulls.validity().get(from..from + groups).unwrap_or_default());
        }
        Some(nulls) => {
            bits.clear();
            bits.extend(nulls.iter().map(u32::from));
            hybrid(out, bits, 1);
        }
    });
}

/// Levels of a page: their length, then themselves.
fn levels(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    write(out);
    let length = u32::try_from(out.len() - at - 4).unwrap_or(u32::MAX).to_le_bytes();
    if let Some(place) = out.get_mut(at..at + 4) {
        place.copy_from_slice(&length);
    }
}

/// A run of one value.
fn run(out: &mut Vec<u8>, length: usize, value: u32, width: u8) {
    varint(out, (length as u64) << 1);
    let octets = usize::from(width.div_ceil(8));
    out.extend_from_slice(value.to_le_bytes().get(..octets).unwrap_or_default());
}

/// Values as runs where one repeats eight times or more, else as groups of eight packed values.
fn hybrid(out: &mut Vec<u8>, values: &[u32], width: u8) {
    let mut packed_from = 0;
    let mut at = 0;
    for same in values.chunk_by(|one, next| one == next) {
        let end = at + same.len();
        // A group that has begun is filled first.
        let fill = (at - packed_from).next_multiple_of(8) - (at - packed_from);
        if let (true, [value, ..]) = (same.len() >= 8 + fill, same) {
            packed(out, values.get(packed_from..at + fill).unwrap_or_default(), width);
            run(out, same.len() - fill, *value, width);
            packed_from = end;
        }
        at = end;
    }
    packed(out, values.get(packed_from..).unwrap_or_default(), width);
}

/// Groups of eight packed values, the last one filled with zeros.
fn packed(out: &mut Vec<u8>, values: &[u32], width: u8) {
    if values.is_empty() {
        return;
    }
    let groups = values.len().div_ceil(8);
    varint(out, (groups as u64) << 1 | 1);
    let end = out.len() + groups * usize::from(width);
    pack(out, values, width);
    out.resize(end, 0);
}

/// Values of so many bits, the lowest first, filled to the octet.
fn pack(out: &mut Vec<u8>, values: &[u32], width: u8) {
    let (mut bits, mut held) = (0_u64, 0);
    for value in values {
        bits |= u64::from(*value) << held;
        held += width;
        while held >= 8 {
            out.push(bits as u8);
            bits >>= 8;
            held -= 8;
        }
    }
    if held > 0 {
        out.push(bits as u8);
    }
}

/// An unsigned number, seven bits an octet, the lowest first (ULEB 128).
pub fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Compresses a page; every thread keeps its compressor.
fn compressed(plain: &[u8]) -> Result<Bytes> {
    thread_local! {
        static COMPRESSOR: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) };
    }
    COMPRESSOR.with_borrow_mut(|kept| {
        let compressor = match kept {
            Some(compressor) => compressor,
            None => kept.insert(zstd::bulk::Compressor::new(ZstdLevel::default().compression_level())?),
        };
        Ok(Bytes::from(compressor.compress(plain)?))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        Int32Array, ListArray, RecordBatch, TimestampNanosecondArray, UInt8Array, UInt16Array, UInt32Array, UInt64Array, new_null_array,
    };
    use arrow::datatypes::Field;
    use parquet::arrow::ArrowSchemaConverter;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;

    use super::*;

    /// Writes columns by `encode` and gives them back as Parquet's own reader reads them.
    fn through(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
        let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap();
        let schema = ArrowSchemaConverter::new().convert(&batch.schema()).unwrap();
        let mut file = Vec::new();
        let properties = Arc::new(WriterProperties::builder().build());
        let mut writer = SerializedFileWriter::new(&mut file, schema.root_schema_ptr(), properties).unwrap();
        let mut group = writer.next_row_group().unwrap();
        for (array, column) in batch.columns().iter().zip(schema.columns()) {
            encode(array, column, true).unwrap().unwrap().append_to_row_group(&mut group).unwrap();
        }
        group.close().unwrap();
        writer.close().unwrap();
        let mut batches: Vec<RecordBatch> = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(file))
            .unwrap()
            .with_batch_size(1 << 20)
            .build()
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let read = batches.pop().unwrap();
        // The reader gives plain text where the file's schema does not say "dictionary".
        assert_eq!(read.num_rows(), batch.num_rows());
        read
    }

    #[test]
    fn words_come_back() {
        let rows = PAGE_ROWS * 2 + 77;
        let mixed: Vec<Option<String>> =
            (0..rows).map(|row| (row % 7 != 3 || row > 30_000).then(|| format!("word {}", if row % 100 < 60 { 1 } else { row % 300 }))).collect();
        let same: Vec<Option<&str>> = vec![Some("capture.pcap"); rows];
        let dictionary = |texts: Vec<Option<&str>>| Arc::new(texts.into_iter().collect::<DictionaryArray<Int32Type>>()) as ArrayRef;
        let read = through(vec![("mixed", dictionary(mixed.iter().map(Option::as_deref).collect())), ("same", dictionary(same.clone()))]);
        let column = |at: usize| arrow::compute::cast(read.column(at), &DataType::Utf8).unwrap();
        assert!(column(0).as_string::<i32>().iter().eq(mixed.iter().map(Option::as_deref)));
        assert!(column(1).as_string::<i32>().iter().eq(same));
    }

    #[test]
    fn columns_without_values_come_back() {
        let rows = PAGE_ROWS + 5;
        let list = ListArray::new_null(Arc::new(Field::new("item", DataType::UInt16, true)), rows);
        let read = through(vec![
            ("number", Arc::new(UInt16Array::new_null(rows))),
            ("list", Arc::new(list)),
            ("text", new_null_array(&DataType::Utf8, rows)),
            ("truth", new_null_array(&DataType::Boolean, rows)),
        ]);
        assert!(read.columns().iter().all(|column| column.null_count() == rows));
    }

    #[test]
    fn numbers_come_back() {
        let rows = PAGE_ROWS * 2 + 300;
        let odd = |row: usize| row % 3 == 1 && row < 25_000;
        let wide: Vec<Option<u64>> =
            (0..rows as u64).map(|row| (!odd(row as usize)).then_some(if row % 1000 == 0 { u64::MAX - row } else { row * 7 })).collect();
        let narrow: Vec<Option<u32>> = (0..rows as u32).map(|row| Some(row.wrapping_mul(0x9e37_79b9))).collect();
        let small: Vec<Option<u8>> = (0..rows).map(|row| (row > 45_000 / 2).then_some(row as u8)).collect();
        let signed: Vec<Option<i32>> = (0..rows as i32).map(|row| Some(if row % 2 == 0 { i32::MIN + row } else { i32::MAX - row })).collect();
        let truth: Vec<Option<bool>> = (0..rows).map(|row| (!odd(row)).then_some(row % 5 < 2)).collect();
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("wide", Arc::new(wide.into_iter().collect::<UInt64Array>())),
            ("narrow", Arc::new(narrow.into_iter().collect::<UInt32Array>())),
            ("small", Arc::new(small.into_iter().collect::<UInt8Array>())),
            ("signed", Arc::new(signed.into_iter().collect::<Int32Array>())),
            ("time", Arc::new((0..rows as i64).map(|row| Some(row * 1_000_003)).collect::<TimestampNanosecondArray>())),
            ("truth", Arc::new(truth.into_iter().collect::<BooleanArray>())),
        ];
        let read = through(columns.clone());
        for ((name, written), read) in columns.iter().zip(read.columns()) {
            assert_eq!(written, &arrow::compute::cast(read, written.data_type()).unwrap(), "{name}");
        }
    }

    #[test]
    fn runs_and_groups() {
        let mut out = Vec::new();
        hybrid(&mut out, &[3; 10], 2);
        assert_eq!(out, [20, 3]);
        out.clear();
        // 0 to 7 in three bits each: the example of the format's document.
        hybrid(&mut out, &[0, 1, 2, 3, 4, 5, 6, 7], 3);
        assert_eq!(out, [3, 0b1000_1000, 0b1100_0110, 0b1111_1010]);
        out.clear();
        // A run that fills the group before it.
        hybrid(&mut out, &[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 1);
        assert_eq!(out, [3, 1, 16, 0]);
    }
}
