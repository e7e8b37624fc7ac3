//! Answers kept beside the tables of a capture: what its detections found, the rows of views that are computed once, and sections
//! of reports that took long.
//!
//! A capture never changes, so neither do they, for one build under one name of the capture: they are asked for again by every
//! report. They lie in the capture's directory under names with a dot, which readers of the lake pass over, and go when it goes.
//! They are a convenience: where they cannot be read or written, the answer is computed and the same.

use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, UNIX_EPOCH};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use pcapper_schema::lake::capture_dir;
use sha2::{Digest as _, Sha256};

use super::{Selected, View};

/// How the names of the files begin.
const PREFIX: &str = ".answer-";
/// An answer with more bytes in memory is computed again rather than kept.
const LARGEST: usize = 32 << 20;

/// An answer that is found in less time is not worth a file.
const LONG: Duration = Duration::from_millis(50);

/// The answers of one capture.
#[derive(Clone, Debug)]
pub struct Answers {
    dir: PathBuf,
    /// How the names of files begin that this build wrote for this name of the capture and this view of it.
    prefix: String,
}

impl Answers {
    /// Answers about one whole capture; `None` where it cannot be told which build asks.
    pub fn of(lake: &std::path::Path, capture: &Selected, view: View) -> Option<Self> {
        let View { show_secrets } = view;
        let build = BUILD.as_ref()?;
        let key = Sha256::digest(format!("{build}\n{}\n{show_secrets}\n{}", capture.manifest.capture_id, capture.name));
        Some(Self { dir: capture_dir(lake, &capture.manifest.capture_id), prefix: format!("{PREFIX}{}-", short(&key)) })
    }

    /// The place of the answer to a query.
    pub fn of_query(&self, query: &str) -> Kept {
        Kept { answers: self.clone(), name: format!("query-{}", short(&Sha256::digest(query))) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{}{name}", self.prefix))
    }

    /// An answer, if it is there: its columns and its rows.
    pub fn read(&self, name: &str) -> Option<(SchemaRef, Vec<RecordBatch>)> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(self.path(name)).ok()?).ok()?;
        let schema = Arc::clone(builder.schema());
        let rows = builder.build().ok()?.collect::<Result<_, _>>().ok()?;
        Some((schema, rows))
    }

    /// Keeps an answer; those of other builds are taken away.
    pub fn write(&self, name: &str, schema: &SchemaRef, rows: &[RecordBatch]) {
        if rows.iter().map(RecordBatch::get_array_memory_size).sum::<usize>() > LARGEST {
            return;
        }
        let path = self.path(name);
        let aside = path.with_file_name(format!("{}{name}.{}", self.prefix, std::process::id()));
        let written = self.write_to(&aside, schema, rows).and_then(|()| fs::rename(&aside, &path).ok());
        if written.is_none() {
            let _ = fs::remove_file(&aside);
        }
        for entry in fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            let is_other = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX) && !name.starts_with(&self.prefix));
            if is_other {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    fn write_to(&self, path: &std::path::Path, schema: &SchemaRef, rows: &[RecordBatch]) -> Option<()> {
        let mut writer = ArrowWriter::try_new(File::create(path).ok()?, Arc::clone(schema), None).ok()?;
        for batch in rows {
            writer.write(batch).ok()?;
        }
        writer.close().ok()?;
        Some(())
    }
}

/// The start of a digest, for the name of a file.
fn short(digest: &[u8]) -> String {
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// The place of the answer to one query.
pub struct Kept {
    answers: Answers,
    name: String,
}

impl Kept {
    /// The answer, if it is there.
    pub fn read(&self) -> Option<RecordBatch> {
        let (schema, rows) = self.answers.read(&self.name)?;
        concat_batches(&schema, &rows).ok()
    }

    /// Keeps an answer that took long to find.
    pub fn write(&self, rows: &RecordBatch, took: Duration) {
        if took >= LONG {
            self.answers.write(&self.name, &rows.schema(), std::slice::from_ref(rows));
        }
    }
}

/// Whether rows of one form can stand for rows of another: the same columns of the same types.
pub fn fits(schema: &Schema, wanted: &Schema) -> bool {
    let columns = |schema: &Schema| -> Vec<_> { schema.fields().iter().map(|field| (field.name().clone(), field.data_type().clone())).collect() };
    columns(schema) == columns(wanted)
}

/// What tells this build from others: its queries and functions are all in its file.
static BUILD: LazyLock<Option<String>> = LazyLock::new(|| {
    let about = fs::metadata(std::env::current_exe().ok()?).ok()?;
    let written = about.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(format!("{} {}", about.len(), written.as_nanos()))
});

#[cfg(test)]
mod tests {
    use std::path::Path;

    use datafusion::arrow::array::{ArrayRef, DictionaryArray, ListArray};
    use datafusion::arrow::datatypes::{Int32Type, UInt64Type};
    use pcapper_schema::lake::Manifest;

    use super::*;

    fn selected(name: &str) -> Selected {
        let manifest = Manifest { capture_id: "abc".to_owned(), ..Manifest::default() };
        Selected { manifest, name: name.to_owned(), shown: None, path: PathBuf::new(), narrowed: None }
    }

    fn answers(lake: &Path, name: &str, show_secrets: bool) -> Answers {
        Answers::of(lake, &selected(name), View { show_secrets }).unwrap()
    }

    #[test]
    fn an_answer_is_for_one_name_and_one_view() {
        let lake = std::env::temp_dir().join(format!("pcapper-answers-{}", std::process::id()));
        fs::create_dir_all(lake.join("abc")).unwrap();
        let words: ArrayRef = Arc::new(["a", "b", "a"].into_iter().collect::<DictionaryArray<Int32Type>>());
        let frames: ArrayRef = Arc::new(ListArray::from_iter_primitive::<UInt64Type, _, _>([Some([Some(1)]), None, Some([Some(3)])]));
        let rows = RecordBatch::try_from_iter([("word", words), ("frames", frames)]).unwrap();
        let one = answers(&lake, "a.pcap", false);
        assert!(one.read("hosts").is_none());
        one.write("hosts", &rows.schema(), std::slice::from_ref(&rows));
        one.write("empty", &rows.schema(), &[]);
        let (schema, read) = one.read("hosts").unwrap();
        assert!(fits(&schema, &rows.schema()));
        assert_eq!(read, std::slice::from_ref(&rows));
        let (schema, read) = one.read("empty").unwrap();
        assert!(fits(&schema, &rows.schema()) && read.is_empty());
        for other in [answers(&lake, "b.pcap", false), answers(&lake, "a.pcap", true)] {
            assert!(other.read("hosts").is_none());
        }
        let half = fs::read(one.path("hosts")).unwrap();
        fs::write(one.path("hosts"), &half[..half.len() / 2]).unwrap();
        assert!(one.read("hosts").is_none(), "a damaged file");
        answers(&lake, "b.pcap", false).write("hosts", &rows.schema(), &[]);
        assert!(one.read("empty").is_none(), "what nobody asks for is taken away");
        let _ = fs::remove_dir_all(&lake);
        one.write("hosts", &rows.schema(), std::slice::from_ref(&rows));
        assert!(one.read("hosts").is_none(), "nothing is kept of a capture that is gone");
    }
}
