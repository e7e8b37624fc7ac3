//! Tables to Parquet, a capture's directory built aside and renamed whole.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::add_encoded_arrow_schema_to_metadata;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnPath, SchemaDescPtr};
use pcapper_schema::TableDef;
use pcapper_schema::lake::{MANIFEST, Manifest, StoredFile, capture_dir};
use sha2::{Digest as _, Sha256};

use super::{IngestError, chunks};
use crate::profile;

/// Prefix of directories that are being built; readers pass over names with a dot.
const BUILDING: &str = ".building-";

/// A capture's directory while it is being built. Dropped before [`CaptureWriter::commit`], it takes its files with it.
pub struct CaptureWriter {
    lake: PathBuf,
    dir: PathBuf,
    tables: Mutex<BTreeMap<&'static str, TableFile>>,
    committed: bool,
}

/// A column on its way to the file.
enum Encoded {
    Here(chunks::Chunk),
    ByParquet(ArrowColumnChunk),
}

/// A file that is hashed while it is written, so that `pcapper lake verify` can tell later damage.
struct HashedFile {
    file: File,
    hash: Sha256,
    bytes: u64,
}

impl HashedFile {
    fn create(path: &Path) -> std::io::Result<Self> {
        Ok(Self { file: File::create(path)?, hash: Sha256::new(), bytes: 0 })
    }

    fn stored(self) -> StoredFile {
        StoredFile { bytes: self.bytes, sha256: self.hash.finalize().iter().map(|octet| format!("{octet:02x}")).collect() }
    }
}

impl std::io::Write for HashedFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or_default());
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

/// One table's open file.
struct TableFile {
    writer: SerializedFileWriter<HashedFile>,
    factory: Arc<ArrowRowGroupWriterFactory>,
    columns: SchemaDescPtr,
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
        let timer = profile::start();
        let (factory, parquet) = self.open(def, batch.num_rows())?;
        let mut writers = factory.create_column_writers(0)?.into_iter();
        let mut chunks = Vec::with_capacity(def.columns.len());
        // Every column of ours, a list of plain values among them, is one column in Parquet.
        let columns = def.columns.iter().zip(def.schema.fields()).zip(batch.columns().iter().zip(parquet.columns()));
        for ((declared, field), (array, column)) in columns {
            let writer = if chunks::takes(&declared.data_type) { None } else { writers.next() };
            if let Some(chunk) = chunks::encode(array, column, declared.bloom)? {
                chunks.push(Encoded::Here(chunk));
                continue;
            }
            if let Some(mut writer) = writer {
                for leaf in compute_leaves(field, array)? {
                    writer.write(&leaf)?;
                }
                chunks.push(Encoded::ByParquet(writer.close()?));
            }
        }
        timer.stop("stage", "encode", batch.num_rows() as u64, batch.get_array_memory_size() as u64);
        let timer = profile::start();
        let mut tables = self.lock();
        let Some(table) = tables.get_mut(def.name) else { return Ok(()) };
        let mut group = table.writer.next_row_group()?;
        for chunk in chunks {
            match chunk {
                Encoded::Here(chunk) => chunk.append_to_row_group(&mut group)?,
                Encoded::ByParquet(chunk) => chunk.append_to_row_group(&mut group)?,
            }
        }
        group.close()?;
        table.rows += batch.num_rows() as u64;
        drop(tables);
        timer.stop("stage", "write", batch.num_rows() as u64, 0);
        Ok(())
    }

    /// Ends all files, writes the manifest and gives the directory its name. If another process was first with the same
    /// capture, its directory stays and this one goes.
    pub fn commit(mut self, mut manifest: Manifest) -> Result<Manifest, IngestError> {
        let tables = std::mem::take(&mut *self.lock());
        for (name, table) in tables {
            manifest.tables.insert(name.to_owned(), table.rows);
            manifest.files.insert(name.to_owned(), table.writer.into_inner()?.stored());
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

    /// Writers of the columns that `chunks` leaves to Parquet, and all columns of a table; its file is made on first use.
    fn open(&self, def: &'static TableDef, rows: usize) -> Result<(Arc<ArrowRowGroupWriterFactory>, SchemaDescPtr), IngestError> {
        let mut tables = self.lock();
        if let Some(table) = tables.get(def.name) {
            return Ok((Arc::clone(&table.factory), Arc::clone(&table.columns)));
        }
        let path = self.dir.join(format!("{}.parquet", def.name));
        let file = HashedFile::create(&path).map_err(|source| IngestError::Lake { path, source })?;
        let parquet_schema = ArrowSchemaConverter::new().convert(&def.schema)?;
        let mut properties = properties(def, rows);
        add_encoded_arrow_schema_to_metadata(&def.schema, &mut properties);
        let properties = WriterPropertiesPtr::new(properties);
        let writer = SerializedFileWriter::new(file, parquet_schema.root_schema_ptr(), Arc::clone(&properties))?;
        // Column writers are costly to make: of a table's columns only those that need one are given to the factory.
        let others: Vec<_> = def.schema.fields().iter().filter(|field| !chunks::takes(field.data_type())).cloned().collect();
        let others = Arc::new(Schema::new(others));
        let of_others = ArrowSchemaConverter::new().convert(&others)?;
        let factory = ArrowRowGroupWriterFactory::new(&SerializedFileWriter::new(Vec::new(), of_others.root_schema_ptr(), properties)?, others);
        let factory = Arc::new(factory);
        let columns = Arc::new(parquet_schema);
        tables.insert(def.name, TableFile { writer, factory: Arc::clone(&factory), columns: Arc::clone(&columns), rows: 0 });
        Ok((factory, columns))
    }
}

impl Drop for CaptureWriter {
    fn drop(&mut self) {
        if !self.committed {
            let _ = fs::remove_dir_all(&self.dir);
        }
    }
}

/// How Parquet encodes the columns that are left to it: zstd; Bloom filters where analysts hunt.
fn properties(def: &TableDef, rows: usize) -> WriterProperties {
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_max_row_group_row_count(None)
        .set_data_page_row_count_limit(chunks::PAGE_ROWS);
    for column in &def.columns {
        let path = ColumnPath::from(column.name);
        if column.bloom {
            builder =
                builder.set_column_bloom_filter_enabled(path.clone(), true).set_column_bloom_filter_max_ndv(path, (rows as u64).clamp(16, 100_000));
        }
    }
    builder.build()
}

/// Captures hold other people's secrets: the lake is its owner's alone.
pub fn make_private_dir(path: &Path) -> std::io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Removes half-built directories whose process is gone, and says how many there were.
pub fn clear_abandoned(lake: &Path) -> usize {
    let mut cleared = 0;
    for entry in fs::read_dir(lake).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(owner) = name.to_str().and_then(|name| name.strip_prefix(BUILDING)).and_then(|rest| rest.split('-').next()) else { continue };
        let alive = owner == std::process::id().to_string() || Path::new("/proc").join(owner).exists() || !Path::new("/proc/self").exists();
        if !alive && fs::remove_dir_all(entry.path()).is_ok() {
            cleared += 1;
        }
    }
    cleared
}

fn unique_number() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
