//! Which captures of a lake can hold a value: the Bloom filters of one table's hunted columns, of all captures, in one file.
//!
//! A question for one address or hash in thousands of captures would open thousands of footers to find out that almost all of
//! them have no such row. So the filters, which the Parquet files hold anyway, are kept together as well:
//! `lake/.index/TABLE`. Captures never change, so an entry never goes stale; one that is missing is added by the question that
//! misses it, and removed captures are left out when the file is next written. The file is a convenience: where it cannot be
//! read or written, questions take longer and say the same.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use parquet::bloom_filter::Sbbf;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaDataReader};
use pcapper_schema::TableDef;
use pcapper_schema::lake::{capture_ids, table_file};

/// Directory of the indexes in a lake; readers pass over names with a dot.
const INDEX: &str = ".index";
/// First bytes of a file: what it is, and the version of its form.
const MAGIC: &[u8] = b"pcapper needles 1\n";
/// Filters of a column in one capture that are larger than this together stay in the Parquet file: such a capture is large,
/// and worth opening.
const LARGEST: usize = 4 << 10;

/// What is known of one column in one capture.
#[derive(Clone, Debug, PartialEq)]
enum Known {
    /// It may hold anything.
    Nothing,
    /// Its values passed these filters; without one, it is null throughout.
    Filters(Vec<Vec<u8>>),
}

/// The index of one table.
#[derive(Debug)]
pub struct Needles {
    columns: Vec<&'static str>,
    /// By capture id.
    captures: HashMap<String, Vec<Known>>,
}

impl Needles {
    /// Reads the index of a table and adds the captures that it lacks.
    pub fn of(lake: &Path, def: &'static TableDef, ids: &[&str]) -> Self {
        let columns: Vec<&'static str> = def.columns.iter().filter(|column| column.bloom).map(|column| column.name).collect();
        let path = lake.join(INDEX).join(def.name);
        let mut needles = fs::read(&path).ok().and_then(|bytes| Self::read(&bytes, &columns)).unwrap_or(Self { columns, captures: HashMap::new() });
        let missing: Vec<&str> = ids.iter().copied().filter(|id| !needles.captures.contains_key(*id)).collect();
        if !missing.is_empty() {
            needles.add(lake, def, &missing);
            needles.write(lake, &path);
        }
        needles
    }

    /// Whether some row of the capture can hold this text in this column.
    pub fn can_hold(&self, capture_id: &str, column: &str, text: &str) -> bool {
        let known = self.columns.iter().position(|name| *name == column).and_then(|at| self.captures.get(capture_id)?.get(at));
        match known {
            None | Some(Known::Nothing) => true,
            Some(Known::Filters(filters)) => filters.iter().any(|filter| Sbbf::new(filter).check(text)),
        }
    }

    /// Whether questions for a value in this column can be answered at all.
    pub fn knows(&self, column: &str) -> bool {
        self.columns.contains(&column)
    }

    /// Looks into the files of captures, on all cores.
    fn add(&mut self, lake: &Path, def: &TableDef, ids: &[&str]) {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let columns = &self.columns;
        let looked: Vec<(String, Vec<Known>)> = std::thread::scope(|scope| {
            let share = ids.len().div_ceil(threads).max(1);
            let look = |ids: &[&str]| -> Vec<(String, Vec<Known>)> {
                ids.iter().filter_map(|id| Some(((*id).to_owned(), look_into(&table_file(lake, id, def.name), columns)?))).collect()
            };
            let workers: Vec<_> = ids.chunks(share).map(|ids| scope.spawn(move || look(ids))).collect();
            // A reader that fails leaves its captures out: they are opened as before.
            workers.into_iter().filter_map(|worker| worker.join().ok()).flatten().collect()
        });
        self.captures.extend(looked);
    }

    fn write(&self, lake: &Path, path: &Path) {
        let there: std::collections::HashSet<String> = capture_ids(lake).into_iter().collect();
        let mut bytes = MAGIC.to_vec();
        put(&mut bytes, self.columns.join(" ").as_bytes());
        let mut ids: Vec<&String> = self.captures.keys().filter(|id| there.contains(*id)).collect();
        ids.sort();
        for id in ids {
            put(&mut bytes, id.as_bytes());
            for known in self.captures.get(id).into_iter().flatten() {
                match known {
                    Known::Nothing => bytes.extend(u32::MAX.to_le_bytes()),
                    Known::Filters(filters) => {
                        bytes.extend((filters.len() as u32).to_le_bytes());
                        filters.iter().for_each(|filter| put(&mut bytes, filter));
                    }
                }
            }
        }
        let aside = path.with_extension(std::process::id().to_string());
        let written = make_dir(path).and_then(|()| fs::write(&aside, bytes)).and_then(|()| fs::rename(&aside, path));
        if written.is_err() {
            let _ = fs::remove_file(&aside);
        }
    }

    /// `None` for a file of another form or of other columns.
    fn read(bytes: &[u8], columns: &[&'static str]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(MAGIC)?;
        if take(&mut rest)? != columns.join(" ").as_bytes() {
            return None;
        }
        let mut captures = HashMap::new();
        while !rest.is_empty() {
            let id = std::str::from_utf8(take(&mut rest)?).ok()?.to_owned();
            let mut all = Vec::with_capacity(columns.len());
            for _ in columns {
                let count = number(&mut rest)?;
                all.push(if count == u32::MAX {
                    Known::Nothing
                } else {
                    Known::Filters((0..count).map(|_| take(&mut rest).map(<[u8]>::to_vec)).collect::<Option<_>>()?)
                });
            }
            captures.insert(id, all);
        }
        Some(Self { columns: columns.to_vec(), captures })
    }
}

/// Brings the indexes of all tables of a lake up to date, so that the first question need not.
pub fn prepare(lake: &Path) {
    let manifests = pcapper_schema::lake::captures(lake);
    for def in pcapper_schema::all() {
        let ids: Vec<&str> =
            manifests.iter().filter(|manifest| manifest.tables.contains_key(def.name)).map(|manifest| manifest.capture_id.as_str()).collect();
        if !ids.is_empty() && def.columns.iter().any(|column| column.bloom) {
            Needles::of(lake, def, &ids);
        }
    }
}

/// The lake is its owner's alone, and so is this.
fn make_dir(path: &Path) -> std::io::Result<()> {
    let dir: PathBuf = path.parent().map(Path::to_owned).unwrap_or_default();
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// The filters of a file's columns, in order of `columns`; `None` if the file cannot be read.
fn look_into(path: &Path, columns: &[&str]) -> Option<Vec<Known>> {
    let file = File::open(path).ok()?;
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&file).ok()?;
    let mut all = vec![Known::Filters(Vec::new()); columns.len()];
    for group in metadata.row_groups() {
        for chunk in group.columns() {
            let Some(at) = columns.iter().position(|column| *column == chunk.column_path().string()) else { continue };
            let Some(known) = all.get_mut(at) else { continue };
            match filter_of(chunk, &file) {
                Some(filter) => {
                    if let Known::Filters(filters) = known
                        && let Some(filter) = filter
                    {
                        filters.push(filter);
                    }
                }
                None => *known = Known::Nothing,
            }
        }
    }
    for known in &mut all {
        let is_large = matches!(known, Known::Filters(filters) if filters.iter().map(Vec::len).sum::<usize>() > LARGEST);
        if is_large {
            *known = Known::Nothing;
        }
    }
    Some(all)
}

/// The filter of a chunk; `Some(None)` where it has no values, `None` where nothing is known.
fn filter_of(chunk: &ColumnChunkMetaData, file: &File) -> Option<Option<Vec<u8>>> {
    if let Some(filter) = Sbbf::read_from_column_chunk(chunk, file).ok()? {
        let mut bytes = Vec::new();
        filter.write_bitset(&mut bytes).ok()?;
        return Some(Some(bytes));
    }
    let nulls = chunk.statistics()?.null_count_opt()?;
    (i64::try_from(nulls).ok()? == chunk.num_values()).then_some(None)
}

/// Appends a length and the bytes.
fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend((bytes.len() as u32).to_le_bytes());
    out.extend_from_slice(bytes);
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    let (number, after) = rest.split_first_chunk::<4>()?;
    *rest = after;
    Some(u32::from_le_bytes(*number))
}

fn take<'b>(rest: &mut &'b [u8]) -> Option<&'b [u8]> {
    let length = number(rest)? as usize;
    let (bytes, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut filter = Sbbf::new_with_ndv_fpp(16, 0.01).unwrap();
        filter.insert("10.0.0.1");
        let mut bits = Vec::new();
        filter.write_bitset(&mut bits).unwrap();
        let entry = vec![Known::Filters(vec![bits]), Known::Filters(Vec::new()), Known::Nothing];
        let needles = Needles { columns: vec!["src_ip", "host", "sha256"], captures: HashMap::from([("abc".to_owned(), entry)]) };
        let lake = std::env::temp_dir().join(format!("pcapper-needles-{}", std::process::id()));
        fs::create_dir_all(lake.join("abc")).unwrap();
        let path = lake.join(INDEX).join("flows");
        needles.write(&lake, &path);
        let bytes = fs::read(&path).unwrap();
        let read = Needles::read(&bytes, &["src_ip", "host", "sha256"]).unwrap();
        let _ = fs::remove_dir_all(&lake);
        assert_eq!(read.captures, needles.captures);
        assert!(read.can_hold("abc", "src_ip", "10.0.0.1"));
        assert!(!read.can_hold("abc", "src_ip", "10.0.0.2"));
        assert!(!read.can_hold("abc", "host", "anything"), "a column that is null throughout");
        assert!(read.can_hold("abc", "sha256", "anything") && read.can_hold("unknown", "src_ip", "10.0.0.2"));
        assert!(Needles::read(&bytes, &["src_ip"]).is_none(), "other columns");
        for cut in 0..bytes.len() {
            // A damaged file is refused or read in part, and never a panic.
            let _ = Needles::read(&bytes[..cut], &["src_ip", "host", "sha256"]);
        }
    }
}
