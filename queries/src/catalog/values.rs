//! What values the columns of stored tables have, told without reading rows: from the statistics in the files' footers, and from
//! the dictionaries of their words.
//!
//! A detection that asks for a protocol, a command or an outcome that nobody used cannot fire. To know that from a page of the
//! file takes a hundredth of the time of planning its query.

use std::collections::HashMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use parquet::basic::Encoding;
use parquet::column::page::Page;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use parquet::file::statistics::Statistics;
use pcapper_schema::TableDef;
use pcapper_schema::lake::{Manifest, table_file};

/// In a selection of more captures than this, to open their files costs more than it spares.
const MANY: usize = 16;
/// A column with more different words than this is not worth keeping in mind.
const WORDS: usize = 1024;
/// Bytes of a dictionary, for the same reason.
const DICTIONARY: usize = 64 << 10;

/// The values that a column can have, besides null.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// None.
    Nothing,
    /// These words, each of them in some row.
    Words(StringArray),
    /// Whole numbers from the first to the second; of truth values, false is 0 and true is 1.
    Numbers(i128, i128),
    Anything,
}

impl Values {
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, one) | (one, Self::Nothing) => one,
            (Self::Numbers(least, most), Self::Numbers(other_least, other_most)) => Self::Numbers(least.min(other_least), most.max(other_most)),
            (Self::Words(words), Self::Words(others)) => Self::words(words.iter().chain(others.iter()).flatten()),
            _ => Self::Anything,
        }
    }

    fn words<'w>(words: impl Iterator<Item = &'w str>) -> Self {
        let mut all: Vec<&str> = words.collect();
        all.sort_unstable();
        all.dedup();
        if all.is_empty() {
            Self::Nothing
        } else if all.len() > WORDS {
            Self::Anything
        } else {
            Self::Words(StringArray::from(all))
        }
    }

    /// The values of a column of rows in memory.
    pub fn of_rows(rows: &[RecordBatch], column: &str) -> Self {
        let mut all = Self::Nothing;
        for batch in rows {
            let Some(cells) = batch.column_by_name(column) else { return Self::Anything };
            let is_text = matches!(cells.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..));
            let of_batch = if cells.null_count() == cells.len() {
                Self::Nothing
            } else if !is_text {
                Self::Anything
            } else {
                match cast(cells, &DataType::Utf8) {
                    Ok(texts) => Self::words(texts.as_string::<i32>().iter().flatten()),
                    Err(_) => Self::Anything,
                }
            };
            all = all.or(of_batch);
        }
        all
    }
}

type Files = Arc<Vec<SerializedFileReader<File>>>;

/// The stored tables of some captures.
pub struct StoredValues {
    lake: PathBuf,
    captures: Vec<Manifest>,
    /// Files of the tables asked for so far.
    files: Mutex<HashMap<&'static str, Option<Files>>>,
    known: Mutex<HashMap<(&'static str, String), Values>>,
}

impl StoredValues {
    pub fn new(lake: PathBuf, captures: Vec<Manifest>) -> Self {
        Self { lake, captures, files: Mutex::default(), known: Mutex::default() }
    }

    /// The values of a column; anything where nothing is known.
    pub fn of(&self, def: &'static TableDef, column: &str) -> Values {
        let shown_as_stored = |column: &&pcapper_schema::ColumnDef| !column.secret && !["capture", "path"].contains(&column.name);
        let Some(declared) = def.columns.iter().find(|known| known.name == column).filter(shown_as_stored) else { return Values::Anything };
        if self.captures.len() > MANY {
            return Values::Anything;
        }
        let key = (def.name, column.to_owned());
        // Whole entries only are put in: a panic elsewhere leaves them sound.
        if let Some(known) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return known.clone();
        }
        let values = self
            .files(def)
            .and_then(|files| files.iter().try_fold(Values::Nothing, |values, file| Some(values.or(of_file(file, column, &declared.data_type)?))));
        let values = values.unwrap_or(Values::Anything);
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(key, values.clone());
        values
    }

    /// The files of a table; `None` if one cannot be opened, of which will be told when rows are asked of it.
    fn files(&self, def: &'static TableDef) -> Option<Files> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let opened = files.entry(def.name).or_insert_with(|| {
            let having = self.captures.iter().filter(|capture| capture.tables.contains_key(def.name));
            let open = |capture: &Manifest| SerializedFileReader::new(File::open(table_file(&self.lake, &capture.capture_id, def.name)).ok()?).ok();
            having.map(open).collect::<Option<_>>().map(Arc::new)
        });
        opened.clone()
    }
}

/// The values of a column in a file; `None` where they are not known.
fn of_file(file: &SerializedFileReader<File>, column: &str, data_type: &DataType) -> Option<Values> {
    let mut all = Values::Nothing;
    for at in 0..file.num_row_groups() {
        let group = file.get_row_group(at).ok()?;
        let place = group.metadata().columns().iter().position(|chunk| chunk.column_path().string() == column)?;
        all = all.or(of_chunk(group.as_ref(), place, data_type)?);
    }
    Some(all)
}

fn of_chunk(group: &dyn RowGroupReader, place: usize, data_type: &DataType) -> Option<Values> {
    let chunk = group.metadata().columns().get(place)?;
    let statistics = chunk.statistics()?;
    if i64::try_from(statistics.null_count_opt()?).ok()? == chunk.num_values() {
        return Some(Values::Nothing);
    }
    match data_type {
        DataType::Dictionary(..) | DataType::Utf8 => dictionary(group, place, chunk),
        _ => numbers(statistics, data_type),
    }
}

/// The words of a chunk all of whose values are in its dictionary.
fn dictionary(group: &dyn RowGroupReader, place: usize, chunk: &ColumnChunkMetaData) -> Option<Values> {
    chunk.dictionary_page_offset()?;
    if !chunk.page_encoding_stats_mask()?.is_only(Encoding::RLE_DICTIONARY) {
        return None;
    }
    let Ok(Some(Page::DictionaryPage { buf, num_values, encoding: Encoding::PLAIN, .. })) = group.get_column_page_reader(place).ok()?.get_next_page()
    else {
        return None;
    };
    if buf.len() > DICTIONARY {
        return None;
    }
    let (mut words, mut rest) = (Vec::new(), buf.as_ref());
    for _ in 0..num_values {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (word, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        words.push(std::str::from_utf8(word).ok()?);
        rest = after;
    }
    Some(Values::words(words.into_iter()))
}

fn numbers(statistics: &Statistics, data_type: &DataType) -> Option<Values> {
    // Numbers without sign are stored as the signed ones of the same bits.
    let (least, most) = match (statistics, data_type) {
        (Statistics::Boolean(range), DataType::Boolean) => (i128::from(*range.min_opt()?), i128::from(*range.max_opt()?)),
        (Statistics::Int32(range), DataType::UInt8 | DataType::UInt16 | DataType::UInt32) => {
            (i128::from(range.min_opt()?.cast_unsigned()), i128::from(range.max_opt()?.cast_unsigned()))
        }
        (Statistics::Int32(range), DataType::Int8 | DataType::Int16 | DataType::Int32) => {
            (i128::from(*range.min_opt()?), i128::from(*range.max_opt()?))
        }
        (Statistics::Int64(range), DataType::UInt64) => (i128::from(range.min_opt()?.cast_unsigned()), i128::from(range.max_opt()?.cast_unsigned())),
        (Statistics::Int64(range), DataType::Int64) => (i128::from(*range.min_opt()?), i128::from(*range.max_opt()?)),
        _ => return None,
    };
    Some(Values::Numbers(least, most))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use arrow::array::{ArrayRef, BooleanArray, DictionaryArray, UInt16Array};
    use arrow::datatypes::Int32Type;
    use parquet::arrow::ArrowWriter;
    use pcapper_schema::lake::capture_dir;

    use super::*;

    /// A capture whose table of HTTP messages has these methods, lengths and directions.
    fn capture(lake: &std::path::Path, id: &str, methods: &[Option<&str>], ports: &[u16], requests: bool) -> Manifest {
        let methods: DictionaryArray<Int32Type> = methods.iter().copied().collect();
        let columns: [(&str, ArrayRef); 4] = [
            ("method", Arc::new(methods)),
            ("dst_port", Arc::new(UInt16Array::from(ports.to_vec()))),
            ("is_request", Arc::new(BooleanArray::from(vec![requests; ports.len()]))),
            ("server", arrow::array::new_null_array(&DataType::Utf8, ports.len())),
        ];
        let rows = RecordBatch::try_from_iter(columns).unwrap();
        fs::create_dir_all(capture_dir(lake, id)).unwrap();
        let mut writer = ArrowWriter::try_new(File::create(table_file(lake, id, "http")).unwrap(), rows.schema(), None).unwrap();
        writer.write(&rows).unwrap();
        writer.close().unwrap();
        Manifest { capture_id: id.to_owned(), tables: [("http".to_owned(), ports.len() as u64)].into(), ..Manifest::default() }
    }

    #[test]
    fn values_are_told_from_footers_and_dictionaries() {
        let lake = std::env::temp_dir().join(format!("pcapper-values-{}", std::process::id()));
        let one = capture(&lake, "one", &[Some("GET"), None, Some("PUT")], &[80, 8080, 40000], true);
        let two = capture(&lake, "two", &[Some("GET")], &[443], false);
        let http = pcapper_schema::all().into_iter().find(|def| def.name == "http").unwrap();
        let of = |captures: &[Manifest], column: &str| StoredValues::new(lake.clone(), captures.to_vec()).of(http, column);
        let both = [one.clone(), two.clone()];
        assert_eq!(of(&both, "method"), Values::Words(StringArray::from(vec!["GET", "PUT"])));
        assert_eq!(of(std::slice::from_ref(&two), "method"), Values::Words(StringArray::from(vec!["GET"])));
        assert_eq!(of(&both, "dst_port"), Values::Numbers(80, 40000));
        assert_eq!((of(&[one], "is_request"), of(&both, "is_request")), (Values::Numbers(1, 1), Values::Numbers(0, 1)));
        assert_eq!(of(&both, "server"), Values::Nothing);
        assert_eq!(of(&[], "method"), Values::Nothing);
        // A column that a file lacks, one shown otherwise than it is stored, and a file that is not there.
        for column in ["uri", "capture", "no_such_column"] {
            assert_eq!(of(&both, column), Values::Anything, "{column}");
        }
        fs::remove_file(table_file(&lake, "two", "http")).unwrap();
        assert_eq!(of(&[two], "method"), Values::Anything);
        let _ = fs::remove_dir_all(&lake);
    }

    #[test]
    fn rows_in_memory_are_looked_through() {
        let words: ArrayRef = Arc::new(StringArray::from(vec![Some("b"), None, Some("a")]));
        let void: ArrayRef = Arc::new(StringArray::from(vec![None::<&str>; 3]));
        let numbers: ArrayRef = Arc::new(UInt16Array::from(vec![1, 2, 3]));
        let rows = [RecordBatch::try_from_iter([("words", words), ("void", void), ("numbers", numbers)]).unwrap()];
        assert_eq!(Values::of_rows(&rows, "words"), Values::Words(StringArray::from(vec!["a", "b"])));
        assert_eq!(Values::of_rows(&rows, "void"), Values::Nothing);
        assert_eq!((Values::of_rows(&rows, "numbers"), Values::of_rows(&rows, "none")), (Values::Anything, Values::Anything));
        assert_eq!(Values::of_rows(&[], "words"), Values::Nothing);
    }
}
