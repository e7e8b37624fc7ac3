//! Rows of reports that no query gives.

use std::sync::Arc;

use arrow::array::{
    Array as _, ArrayRef, AsArray as _, BooleanArray, RecordBatch, StringArray, TimestampNanosecondArray, UInt64Array, new_null_array,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, UInt64Type};
use pcapper_queries::report::{Section, Shape};

/// Columns of equal length.
#[derive(Default)]
pub struct Rows {
    fields: Vec<Field>,
    columns: Vec<ArrayRef>,
}

impl Rows {
    /// A column of any type.
    pub fn array(mut self, name: &str, array: ArrayRef) -> Self {
        self.fields.push(Field::new(name, array.data_type().clone(), true));
        self.columns.push(array);
        self
    }

    pub fn text<T: Into<Option<String>>>(self, name: &str, values: impl IntoIterator<Item = T>) -> Self {
        let values: StringArray = values.into_iter().map(Into::into).collect::<Vec<Option<String>>>().into();
        self.array(name, Arc::new(values))
    }

    /// Says something of the last column to whoever shows it.
    pub fn mark(mut self, key: &str, value: &str) -> Self {
        if let Some(field) = self.fields.pop() {
            let mut metadata = field.metadata().clone();
            metadata.insert(key.to_owned(), value.to_owned());
            self.fields.push(field.with_metadata(metadata));
        }
        self
    }

    pub fn number<T: Into<Option<u64>>>(self, name: &str, values: impl IntoIterator<Item = T>) -> Self {
        let values: UInt64Array = values.into_iter().map(Into::into).collect::<Vec<Option<u64>>>().into();
        self.array(name, Arc::new(values))
    }

    /// Nanoseconds since 1970.
    pub fn time<T: Into<Option<i64>>>(self, name: &str, values: impl IntoIterator<Item = T>) -> Self {
        let values = TimestampNanosecondArray::from(values.into_iter().map(Into::into).collect::<Vec<Option<i64>>>());
        self.array(name, Arc::new(values.with_timezone("UTC")))
    }

    pub fn flag(self, name: &str, values: impl IntoIterator<Item = bool>) -> Self {
        let values: BooleanArray = values.into_iter().map(Some).collect();
        self.array(name, Arc::new(values))
    }

    /// The rows; none if the columns are not equally long.
    pub fn batch(self) -> RecordBatch {
        let schema = Arc::new(Schema::new(self.fields));
        RecordBatch::try_new(Arc::clone(&schema), self.columns).unwrap_or_else(|_| RecordBatch::new_empty(schema))
    }

    pub fn section(self, name: &str, shape: Shape, limit: Option<usize>) -> Section {
        Section { name: name.to_owned(), shape, limit, rows: self.batch() }
    }
}

/// Facts, a label and a value each.
pub fn facts(facts: Vec<(&str, String)>) -> Section {
    let rows = facts.into_iter().fold(Rows::default(), |rows, (label, value)| rows.text(label, [value]));
    rows.section("summary", Shape::Facts, None)
}

/// A cell as text; `None` where it is null or there is none.
pub fn text(batch: &RecordBatch, column: &str, row: usize) -> Option<String> {
    let column = cast(batch.column_by_name(column)?, &DataType::Utf8).ok()?;
    (row < column.len() && column.is_valid(row)).then(|| column.as_string::<i32>().value(row).to_owned())
}

/// A cell as a number (a time as nanoseconds since 1970).
pub fn number(batch: &RecordBatch, column: &str, row: usize) -> Option<u64> {
    let column = batch.column_by_name(column)?;
    let column = match column.data_type() {
        DataType::Timestamp(..) => cast(column, &DataType::Int64).ok()?,
        _ => Arc::clone(column),
    };
    let column = cast(&column, &DataType::UInt64).ok()?;
    (row < column.len() && column.is_valid(row)).then(|| column.as_primitive::<UInt64Type>().value(row))
}

/// A time cell, nanoseconds since 1970.
pub fn time(batch: &RecordBatch, column: &str, row: usize) -> Option<i64> {
    number(batch, column, row).and_then(|ns| i64::try_from(ns).ok())
}

/// A batch in the shape of `schema`: columns by name, those missing null.
pub fn shaped(batch: &RecordBatch, schema: &arrow::datatypes::SchemaRef) -> RecordBatch {
    let columns = schema.fields().iter().map(|field| {
        let column = batch.column_by_name(field.name()).and_then(|column| cast(column, field.data_type()).ok());
        column.unwrap_or_else(|| new_null_array(field.data_type(), batch.num_rows()))
    });
    RecordBatch::try_new(Arc::clone(schema), columns.collect()).unwrap_or_else(|_| RecordBatch::new_empty(Arc::clone(schema)))
}
