//! Parquet, without the ranges of columns in its statistics.
//!
//! Row counts order joins, and a bad order makes seconds of minutes. Ranges help little beyond that and stop the engine: a number
//! cast to text takes its range along, of which the lower end may then be the greater text ("90" and "114"), and where one of
//! several files has no value in a column of words, the ends have different types. Row counts and nulls stay; row groups and
//! pages are pruned by the files' own statistics as before.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::Statistics;
use datafusion::common::stats::Precision;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::file_format::{FileFormat, FileMeta};
use datafusion::datasource::physical_plan::{FileScanConfig, FileSource};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::object_store::{ObjectMeta, ObjectStore};
use datafusion::physical_plan::ExecutionPlan;

use crate::Result;

/// The format.
#[derive(Debug, Default)]
pub struct StoredFormat(ParquetFormat);

/// Takes the ranges away.
fn without_ranges(mut statistics: Statistics) -> Statistics {
    for column in &mut statistics.column_statistics {
        column.min_value = Precision::Absent;
        column.max_value = Precision::Absent;
    }
    statistics
}

#[async_trait]
impl FileFormat for StoredFormat {
    fn get_ext(&self) -> String {
        self.0.get_ext()
    }

    fn get_ext_with_compression(&self, compression: &FileCompressionType) -> Result<String> {
        self.0.get_ext_with_compression(compression)
    }

    fn compression_type(&self) -> Option<FileCompressionType> {
        self.0.compression_type()
    }

    async fn infer_schema(&self, state: &dyn Session, store: &Arc<dyn ObjectStore>, objects: &[ObjectMeta]) -> Result<SchemaRef> {
        self.0.infer_schema(state, store, objects).await
    }

    async fn infer_stats(&self, state: &dyn Session, store: &Arc<dyn ObjectStore>, schema: SchemaRef, object: &ObjectMeta) -> Result<Statistics> {
        Ok(without_ranges(self.0.infer_stats(state, store, schema, object).await?))
    }

    async fn infer_stats_and_ordering(
        &self,
        state: &dyn Session,
        store: &Arc<dyn ObjectStore>,
        schema: SchemaRef,
        object: &ObjectMeta,
    ) -> Result<FileMeta> {
        let mut about = self.0.infer_stats_and_ordering(state, store, schema, object).await?;
        about.statistics = without_ranges(about.statistics);
        Ok(about)
    }

    async fn create_physical_plan(&self, state: &dyn Session, scan: FileScanConfig) -> Result<Arc<dyn ExecutionPlan>> {
        self.0.create_physical_plan(state, scan).await
    }

    fn file_source(&self, schema: TableSchema) -> Arc<dyn FileSource> {
        self.0.file_source(schema)
    }
}
