//! Tables to Parquet, a capture's directory built aside and renamed whole.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::add_encoded_arrow_schema_to_metadata;
use parquet::arrow::arrow_writer::{ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;
use pcapper_schema::TableDef;
use pcapper_schema::lake::{MANIFEST, Manifest, capture_dir};

use super::IngestError;

/// Prefix of directories that are being built; readers pass over names with a dot.
const BUILDING: &str = ".building-";

/// A capture's directory while it is being built. Dropped before [`CaptureWriter::commit`], it takes its files with it.
pub struct CaptureWriter {
    lake: PathBuf,
    dir: PathBuf,
    tables: Mutex<BTreeMap<&'static str, TableFile>>,
    committed: bool,
}

/// One table's open file.
struct TableFile {
    writer: SerializedFileWriter<File>,
    factory: Arc<ArrowRowGroupWriterFactory>,
    rows: u64,
}

impl CaptureWriter {
    /// Starts a directory aside; what earlier processes left half-built is cleared away.
    pub fn create(lake: &Path) -> Result<Self, IngestError> {
        let fail = |source| IngestError::Lake { path: lake.to_owned(), source };
        make_private_dir(lake).map_err(fail)?;
        clear_abandoned(lake);
        let unique = format!("{BUILDING}{}-{}", std::process::id(), unique_number());
        let dir = lake.join(unique);
        fs::create_dir(&dir).map_err(fail)?;
        Ok(Self { lake: lake.to_owned(), dir, tables: Mutex::default(), committed: false })
    }

    /// Adds a batch of rows to a table's file. Encoding runs in the caller's thread; only the appending is serial.
    pub fn write(&self, def: &'static TableDef, batch: &RecordBatch) -> Result<(), IngestError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let factory = self.factory(def, batch.num_rows())?;
        let writers = factory.create_column_writers(0)?;
        let mut chunks = Vec::with_capacity(writers.len());
        let mut writers = writers.into_iter();
        for (field, array) in def.schema.fields().iter().zip(batch.columns()) {
            for leaf in compute_leaves(field, array)? {
                let Some(mut writer) = writers.next() else { continue };
                writer.write(&leaf)?;
                chunks.push(writer.close()?);
            }
        }
        let mut tables = self.lock();
        let Some(table) = tables.get_mut(def.name) else { return Ok(()) };
        let mut group = table.writer.next_row_group()?;
        for chunk in chunks {
            chunk.append_to_row_group(&mut group)?;
        }
        group.close()?;
        table.rows += batch.num_rows() as u64;
        Ok(())
    }

    /// Ends all files, writes the manifest and gives the directory its name. If another process was first with the same
    /// capture, its directory stays and this one goes.
    pub fn commit(mut self, mut manifest: Manifest) -> Result<Manifest, IngestError> {
        let tables = std::mem::take(&mut *self.lock());
        for (name, table) in tables {
            manifest.tables.insert(name.to_owned(), table.rows);
            table.writer.close()?;
        }
        let fail = |source| IngestError::Lake { path: self.dir.clone(), source };
        let text = serde_json::to_vec_pretty(&manifest).map_err(|error| fail(error.into()))?;
        fs::write(self.dir.join(MANIFEST), text).map_err(fail)?;
        let target = capture_dir(&self.lake, &manifest.capture_id);
        match fs::rename(&self.dir, &target) {
            Ok(()) => self.committed = true,
            // Somebody else's complete directory of the same bytes stands there already.
            Err(_) if target.join(MANIFEST).is_file() => {}
            Err(_) => {
                // A directory without manifest cannot be a capture: it is replaced.
                let _ = fs::remove_dir_all(&target);
                fs::rename(&self.dir, &target).map_err(fail)?;
                self.committed = true;
            }
        }
        Ok(manifest)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, TableFile>> {
        // The map is only ever changed by whole entries: a panic elsewhere leaves it sound.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn factory(&self, def: &'static TableDef, rows: usize) -> Result<Arc<ArrowRowGroupWriterFactory>, IngestError> {
        let mut tables = self.lock();
        if let Some(table) = tables.get(def.name) {
            return Ok(Arc::clone(&table.factory));
        }
        let path = self.dir.join(format!("{}.parquet", def.name));
        let file = File::create(&path).map_err(|source| IngestError::Lake { path, source })?;
        let parquet_schema = ArrowSchemaConverter::new().convert(&def.schema)?;
        let mut properties = properties(def, rows);
        add_encoded_arrow_schema_to_metadata(&def.schema, &mut properties);
        let properties = WriterPropertiesPtr::new(properties);
        let writer = SerializedFileWriter::new(file, parquet_schema.root_schema_ptr(), properties)?;
        let factory = Arc::new(ArrowRowGroupWriterFactory::new(&writer, Arc::clone(&def.schema)));
        tables.insert(def.name, TableFile { writer, factory: Arc::clone(&factory), rows: 0 });
        Ok(factory)
    }
}

impl Drop for CaptureWriter {
    fn drop(&mut self) {
        if !self.committed {
            let _ = fs::remove_dir_all(&self.dir);
        }
    }
}

/// How a table is encoded: zstd; numbers that rise with the rows as differences; Bloom filters where analysts hunt.
fn properties(def: &TableDef, rows: usize) -> WriterProperties {
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_max_row_group_row_count(None)
        .set_data_page_row_count_limit(20_000);
    for column in &def.columns {
        let path = ColumnPath::from(column.name);
        let rises = matches!(column.data_type, DataType::UInt64 | DataType::UInt32 | DataType::Timestamp(..));
        if rises {
            builder = builder.set_column_dictionary_enabled(path.clone(), false).set_column_encoding(path.clone(), Encoding::DELTA_BINARY_PACKED);
        }
        // Words are looked for by equality, which their Bloom filters and short dictionaries answer; least and greatest value
        // would cost a comparison a row. Files of one capture are told apart by them.
        let is_word = matches!(column.data_type, DataType::Dictionary(..));
        if is_word && !matches!(column.name, "capture" | "capture_id") {
            builder = builder.set_column_statistics_enabled(path.clone(), EnabledStatistics::None);
        }
        if column.bloom {
            builder =
                builder.set_column_bloom_filter_enabled(path.clone(), true).set_column_bloom_filter_max_ndv(path, (rows as u64).clamp(16, 100_000));
        }
    }
    builder.build()
}

/// Captures hold other people's secrets: the lake is its owner's alone.
fn make_private_dir(path: &Path) -> std::io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Removes half-built directories whose process is gone.
fn clear_abandoned(lake: &Path) {
    for entry in fs::read_dir(lake).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(owner) = name.to_str().and_then(|name| name.strip_prefix(BUILDING)).and_then(|rest| rest.split('-').next()) else { continue };
        let alive = owner == std::process::id().to_string() || Path::new("/proc").join(owner).exists() || !Path::new("/proc/self").exists();
        if !alive {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn unique_number() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
