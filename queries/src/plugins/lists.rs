//! Reference lists of plugins as tables.

use std::io::{BufReader, Seek as _};
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, StringArray};
use datafusion::arrow::csv;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::json;
use datafusion::datasource::MemTable;

/// A list as a table: `.csv` with a header (all columns are text), `.jsonl` and `.ndjson` (types as found), `.txt` (one value a
/// line in the column `value`; blank lines and lines that begin with `#` are left out).
pub fn table(path: &Path) -> Result<(MemTable, usize), String> {
    let suffix = path.extension().map(|suffix| suffix.to_string_lossy().to_lowercase()).unwrap_or_default();
    let (schema, batches) = match suffix.as_str() {
        "csv" => csv_rows(path)?,
        "jsonl" | "ndjson" => json_rows(path)?,
        "txt" => text_rows(path)?,
        _ => return Err("a list is a .csv, .jsonl, .ndjson or .txt file".to_owned()),
    };
    let rows = batches.iter().map(RecordBatch::num_rows).sum();
    let table = MemTable::try_new(schema, vec![batches]).map_err(|error| error.strip_backtrace())?;
    Ok((table, rows))
}

fn open(path: &Path) -> Result<std::fs::File, String> {
    std::fs::File::open(path).map_err(|error| format!("cannot read: {error}"))
}

fn csv_rows(path: &Path) -> Result<(SchemaRef, Vec<RecordBatch>), String> {
    let file = open(path)?;
    let format = csv::reader::Format::default().with_header(true);
    let (found, _) = format.infer_schema(&file, Some(1)).map_err(|error| error.to_string())?;
    let schema = Arc::new(Schema::new(found.fields().iter().map(|field| Field::new(field.name(), DataType::Utf8, true)).collect::<Vec<_>>()));
    let mut file = file;
    file.rewind().map_err(|error| error.to_string())?;
    let reader = csv::ReaderBuilder::new(Arc::clone(&schema)).with_header(true).build(BufReader::new(file)).map_err(|error| error.to_string())?;
    let batches = reader.collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
    Ok((schema, batches))
}

fn json_rows(path: &Path) -> Result<(SchemaRef, Vec<RecordBatch>), String> {
    let (schema, _) = json::reader::infer_json_schema(BufReader::new(open(path)?), None).map_err(|error| error.to_string())?;
    let schema = Arc::new(schema);
    let reader = json::ReaderBuilder::new(Arc::clone(&schema)).build(BufReader::new(open(path)?)).map_err(|error| error.to_string())?;
    let batches = reader.collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
    Ok((schema, batches))
}

fn text_rows(path: &Path) -> Result<(SchemaRef, Vec<RecordBatch>), String> {
    let bytes = std::fs::read(path).map_err(|error| format!("cannot read: {error}"))?;
    let text = String::from_utf8(bytes).map_err(|_| "no UTF-8 text".to_owned())?;
    let values = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let schema = Arc::new(Schema::new(vec![Field::new("value", DataType::Utf8, true)]));
    let batch =
        RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(StringArray::from_iter_values(values))]).map_err(|error| error.to_string())?;
    Ok((schema, vec![batch]))
}
