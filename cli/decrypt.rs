//! Decryption: keys in, a report of what they opened and the plaintext itself out.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array as _, ArrayRef, AsArray as _, RecordBatch, StringArray, UInt64Array};
use arrow::datatypes::UInt64Type;
use pcapper_ingest::decrypt::plaintext::{self, Plaintext};
use pcapper_ingest::decrypt::{BadLines, Keyring, Source};
use pcapper_ingest::protocols::Dir;
use pcapper_queries::catalog::{Catalog, Selected};
use pcapper_queries::report::{Report, Section, Shape};
use pcapper_queries::run;

use crate::arguments::Given;
use crate::case::Case;
use crate::evidence;
use crate::export::file::reason;
use crate::interrupt;
use crate::render::{Written, escape, sql};
use crate::select::{Selection, complain};

/// Longest key log read.
const MAX_LOG: u64 = 512 << 20;
/// Octets of a stream that are held before they are written.
const HELD: usize = 256 << 10;
/// Sessions a terminal shows.
const SESSIONS: usize = 10;

/// What was asked of decryption.
#[derive(Clone, Default)]
pub struct Options {
    /// Keys of all key logs given.
    pub keys: Keyring,
    /// Key logs, as named.
    logs: Vec<String>,
    /// Report, and write plaintext.
    pub report: bool,
    out: PathBuf,
    limit: usize,
}

/// Reads the options, and the key logs that they name.
pub fn options(given: &Given, case: Option<&Case>) -> Result<Options, String> {
    let report = given.switch("decrypt");
    for companion in ["decrypt-out", "decrypt-limit"] {
        if given.has(companion) && !report {
            return Err(format!("--{companion} needs --decrypt"));
        }
    }
    let limit = given.count("decrypt-limit")?;
    let out = evidence::place(given.text("decrypt-out").unwrap_or("decrypted"), case);
    let mut options = Options { report, out, limit, ..Options::default() };
    for (flag, kind) in [("tls-keylog", "TLS"), ("ssh-keylog", "SSH")] {
        for path in given.texts(flag) {
            let text = read(&path)?;
            let mut bad = BadLines::default();
            let usable = match kind {
                "TLS" => options.keys.add_tls_log(&text, Source::KeyLog, &mut bad),
                _ => options.keys.add_ssh_log(&text, Source::KeyLog, &mut bad),
            };
            if bad.count > 0 {
                let first: Vec<String> = bad.first.iter().map(|(line, why)| format!("line {line}: {why}")).collect();
                let rest = if bad.count > first.len() { "; ..." } else { "" };
                complain(&format!("{path}: {} lines hold no key ({}{rest})", bad.count, first.join("; ")));
            }
            if usable == 0 {
                return Err(format!("{path}: no usable line in this {kind} key log"));
            }
            options.logs.push(path);
        }
    }
    Ok(options)
}

fn read(path: &str) -> Result<Vec<u8>, String> {
    let fail = |error: io::Error| format!("{path}: cannot read the key log: {error}");
    let mut text = Vec::new();
    File::open(path).map_err(fail)?.take(MAX_LOG + 1).read_to_end(&mut text).map_err(fail)?;
    if text.len() as u64 > MAX_LOG {
        return Err(format!("{path}: a key log of more than 512 MiB is not read"));
    }
    Ok(text)
}

/// What decryption found.
pub struct Answer {
    pub reports: Vec<Report>,
    /// Nothing was decrypted, or not all of it could be written.
    pub is_partly: bool,
    /// The plaintext.
    pub written: Vec<Written>,
}

/// Whether there is any key for these captures; without, `--decrypt` makes no sense.
pub async fn has_keys(options: &Options, catalog: &Catalog) -> Result<bool, String> {
    Ok(!options.keys.is_empty() || embedded(catalog).await? > 0)
}

/// The keys to read a capture's content with, those that it brings included; `None` if there are none.
pub async fn keys_of(options: &Options, catalog: &Catalog, capture: &Path) -> Result<Option<Arc<Keyring>>, String> {
    let keys = if embedded(catalog).await? > 0 { with_capture_keys(&options.keys, capture)? } else { options.keys.clone() };
    Ok((!keys.is_empty()).then(|| Arc::new(keys)))
}

fn with_capture_keys(keys: &Keyring, capture: &Path) -> Result<Keyring, String> {
    plaintext::with_capture_keys(capture, keys).map_err(|error| format!("{}: {error}", escape::path(capture)))
}

/// Decryption-secrets blocks of the captures.
async fn embedded(catalog: &Catalog) -> Result<u64, String> {
    number(catalog, "SELECT count(*) AS n FROM anomalies WHERE protocol = 'captures' AND kind = 'embedded_secrets'").await
}

async fn number(catalog: &Catalog, query: &str) -> Result<u64, String> {
    let rows = rows(catalog, query).await?;
    let first = rows.columns().first().and_then(|column| arrow::compute::cast(column, &arrow::datatypes::DataType::UInt64).ok());
    Ok(first.filter(|column| !column.is_empty() && column.is_valid(0)).map_or(0, |column| column.as_primitive::<UInt64Type>().value(0)))
}

async fn rows(catalog: &Catalog, query: &str) -> Result<RecordBatch, String> {
    run::rows(catalog, query).await.map_err(|error| sql::one_line(&error))
}

/// Writes the plaintext of the sessions that could be opened, of one capture or of all, and says how it went.
pub async fn answer(options: &Options, catalog: &Catalog, selection: &Selection, one: Option<&Selected>) -> Result<Answer, String> {
    let mut answer = Answer { reports: Vec::new(), is_partly: true, written: Vec::new() };
    let ssh = number(catalog, "SELECT count(*) AS n FROM decryption WHERE protocol = 'ssh'").await?;
    let tls = number(catalog, "SELECT count(*) AS n FROM decryption WHERE protocol <> 'ssh'").await?;
    let mut is_unwritten = false;
    let mut keys = options.keys.clone();
    if embedded(catalog).await? > 0 {
        for capture in selection.captures.iter().filter(|capture| one.is_none_or(|one| one.manifest.capture_id == capture.manifest.capture_id)) {
            if evidence::unchanged(capture).is_ok() {
                keys = with_capture_keys(&keys, &capture.path)?;
            }
        }
    }
    for (title, protocols) in [("TLS DECRYPTION", "'tls', 'quic'"), ("SSH DECRYPTION", "'ssh'")] {
        let is_ssh = protocols == "'ssh'";
        let is_absent = if is_ssh { ssh == 0 } else { ssh > 0 && tls == 0 && options.keys.tls_sessions() == 0 };
        if is_absent {
            continue;
        }
        let picked = rows(
            catalog,
            &format!(
                "SELECT capture_id, flow_id, max(client_plain_bytes + server_plain_bytes) AS bytes FROM decryption \
                 WHERE protocol IN ({protocols}) AND client_plain_bytes + server_plain_bytes > 0 \
                 GROUP BY capture_id, flow_id ORDER BY bytes DESC, capture_id, flow_id LIMIT {}",
                options.limit
            ),
        )
        .await?;
        answer.is_partly &= picked.num_rows() == 0;
        let mut picked = pairs(&picked);
        let mut without_file = HashSet::new();
        let mut written = 0;
        for capture in &selection.captures {
            let id = &capture.manifest.capture_id;
            let flows: HashSet<u64> = picked.iter().filter(|(of, _)| of == id).map(|(_, flow)| *flow).collect();
            if flows.is_empty() || one.is_some_and(|one| one.manifest.capture_id != *id) {
                continue;
            }
            if let Err(message) = evidence::unchanged(capture) {
                complain(&format!("{}: its plaintext is not written: {message}", capture.name));
                without_file.insert(id.clone());
                continue;
            }
            // Captures may share a name.
            let own = || format!("{}-{}", safe(&capture.name), safe(id.get(..8).unwrap_or(id)));
            let folder = if selection.captures.len() > 1 { options.out.join(own()) } else { options.out.clone() };
            let files = write(options, &capture.path, &folder, &flows, is_ssh)?;
            written += files.len() / SUFFIXES.len();
            answer.written.extend(files);
        }
        is_unwritten |= !without_file.is_empty();
        picked.retain(|(id, _)| !without_file.contains(id));
        answer.reports.push(Report {
            analyzer: if is_ssh { "decrypt_ssh".to_owned() } else { "decrypt".to_owned() },
            title: title.to_owned(),
            subject: one.map_or_else(|| format!("ALL PCAPS ({})", selection.captures.len()), |one| one.name.clone()),
            sections: sections(options, &keys, catalog, protocols, written, &picked).await?,
            findings: RecordBatch::new_empty(run::findings_schema()),
        });
    }
    answer.is_partly |= is_unwritten;
    Ok(answer)
}

/// Capture id and flow of each row.
fn pairs(rows: &RecordBatch) -> Vec<(String, u64)> {
    let (Some(ids), Some(flows)) = (rows.column_by_name("capture_id"), rows.column_by_name("flow_id")) else { return Vec::new() };
    let Ok(ids) = arrow::compute::cast(ids, &arrow::datatypes::DataType::Utf8) else { return Vec::new() };
    let (ids, flows) = (ids.as_string::<i32>(), flows.as_primitive::<UInt64Type>());
    ids.iter().zip(flows).filter_map(|(id, flow)| Some((id?.to_owned(), flow?))).collect()
}

async fn sections(
    options: &Options,
    keys: &Keyring,
    catalog: &Catalog,
    protocols: &str,
    written: usize,
    picked: &[(String, u64)],
) -> Result<Vec<Section>, String> {
    let counted = rows(
        catalog,
        &format!(
            "SELECT count(*) AS \"Sessions\", count(*) FILTER (WHERE status = 'decrypted') AS \"Decrypted\", \
             count(*) FILTER (WHERE status = 'partly') AS \"Partly Decrypted\", count(*) FILTER (WHERE status IN ('no_key', 'no_handshake')) AS \"No Key\", \
             count(*) FILTER (WHERE status = 'unsupported') AS \"Unsupported Suite\", count(*) FILTER (WHERE status = 'clear') AS \"Suite Without Encryption\", count(*) FILTER (WHERE status = 'failed') AS \"Failed\", \
             CAST(coalesce(sum(client_plain_bytes + server_plain_bytes), 0) AS BIGINT) AS \"Plaintext Bytes\" FROM decryption WHERE protocol IN ({protocols})"
        ),
    )
    .await?;
    let mut sources = options.logs.clone();
    if embedded(catalog).await? > 0 {
        sources.push("in the capture".to_owned());
    }
    let loaded = if protocols == "'ssh'" { keys.ssh_exchanges() } else { keys.tls_sessions() };
    let text = |text: String| Arc::new(StringArray::from(vec![text])) as ArrayRef;
    let count = |count: usize| Arc::new(UInt64Array::from(vec![count as u64])) as ArrayRef;
    let mut facts: Vec<(String, ArrayRef)> = vec![("Key Log".to_owned(), text(sources.join(", ")))];
    facts.push(("Keys Loaded".to_owned(), count(loaded)));
    for (field, column) in counted.schema().fields().iter().zip(counted.columns()) {
        facts.push((field.name().clone(), Arc::clone(column)));
    }
    let decrypted = number(
        catalog,
        &format!("SELECT count(*) AS n FROM decryption WHERE protocol IN ({protocols}) AND client_plain_bytes + server_plain_bytes > 0"),
    )
    .await?;
    if decrypted > 0 {
        facts.push(("Output Dir".to_owned(), text(options.out.display().to_string())));
        facts.push(("Written".to_owned(), count(written)));
    } else {
        let matching = format!("SELECT count(*) AS n FROM decryption WHERE protocol IN ({protocols}) AND key_source IS NOT NULL");
        let is_matching = number(catalog, &matching).await? > 0;
        facts.push((
            "Note".to_owned(),
            text(if is_matching { "nothing was decrypted" } else { "the keys match no session of this capture" }.to_owned()),
        ));
    }
    let facts = RecordBatch::try_from_iter_with_nullable(facts.into_iter().map(|(name, column)| (name, column, true)))
        .map_err(|error| format!("decryption report: {error}"))?;
    let table = rows(
        catalog,
        &format!(
            "SELECT capture_id, flow_id AS \"Stream\", capture AS \"Capture\", src_ip || ':' || src_port AS \"Client\", dst_ip || ':' || dst_port AS \"Server\", server_name AS \"SNI\", \
             CASE WHEN protocol = 'quic' THEN 'QUIC ' || coalesce(version, '') ELSE version END AS \"Version\", cipher AS \"Cipher\", \
             key_source AS \"Key Source\", status AS \"Status\", coalesce(service, alpn) AS \"Inner Protocol\", \
             client_plain_bytes AS sent_bytes, server_plain_bytes AS received_bytes \
             FROM decryption WHERE protocol IN ({protocols}) \
             ORDER BY client_plain_bytes + server_plain_bytes DESC NULLS LAST, capture, capture_id, flow_id, frame, client_random"
        ),
    )
    .await?;
    let table = marked(&table, picked, catalog.captures().len() > 1)?;
    Ok(vec![
        Section { name: "summary".to_owned(), shape: Shape::Facts, limit: None, rows: facts },
        Section { name: "Sessions".to_owned(), shape: Shape::Table, limit: Some(SESSIONS), rows: table },
    ])
}

/// The sessions with a column that says which were written, and without the capture's id; its name stands only among several.
fn marked(table: &RecordBatch, picked: &[(String, u64)], is_many: bool) -> Result<RecordBatch, String> {
    let fail = |error| format!("decryption report: {error}");
    let named = RecordBatch::try_from_iter(
        [("capture_id", "capture_id"), ("flow_id", "Stream")]
            .into_iter()
            .filter_map(|(name, column)| Some((name, Arc::clone(table.column_by_name(column)?)))),
    )
    .map_err(fail)?;
    let picked: HashSet<&(String, u64)> = picked.iter().collect();
    let keys = pairs(&named);
    let bytes = |column: &str, row: usize| {
        let column = table.column_by_name(column)?.as_primitive_opt::<UInt64Type>()?;
        column.is_valid(row).then(|| column.value(row))
    };
    let outputs = keys.iter().enumerate().map(|(row, key)| match picked.contains(key) {
        true => Some("written"),
        false if bytes("sent_bytes", row).unwrap_or(0) + bytes("received_bytes", row).unwrap_or(0) > 0 => Some("skipped"),
        false => None,
    });
    let outputs: ArrayRef = Arc::new(outputs.collect::<StringArray>());
    let schema = table.schema();
    let kept =
        schema.fields().iter().zip(table.columns()).filter(|(field, _)| field.name() != "capture_id" && (is_many || field.name() != "Capture"));
    let mut columns: Vec<(String, ArrayRef, bool)> = kept.map(|(field, column)| (field.name().clone(), Arc::clone(column), true)).collect();
    columns.push(("Output".to_owned(), outputs, true));
    RecordBatch::try_from_iter_with_nullable(columns).map_err(fail)
}

/// Part of a file name: nothing that a file system reads as more than a name.
fn safe(name: &str) -> String {
    let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '-' }).collect();
    name.trim_start_matches('.').chars().take(100).collect()
}

/// The files of one stream.
#[derive(Default)]
struct Files {
    /// `.orig`, `.resp` and `.txt`, as far as they are not written yet.
    held: [Vec<u8>; 3],
    begun: [bool; 3],
    /// Who spoke last in the text.
    last: Option<Dir>,
}

const SUFFIXES: [&str; 3] = ["orig", "resp", "txt"];

impl Files {
    fn take(&mut self, piece: &Plaintext<'_>) {
        let [orig, resp, text] = &mut self.held;
        let bytes = if piece.dir == Dir::Orig { orig } else { resp };
        bytes.extend_from_slice(piece.bytes);
        if self.last.replace(piece.dir) != Some(piece.dir) {
            let who = if piece.is_client { "client" } else { "server" };
            if text.last().is_some_and(|last| *last != b'\n') {
                text.push(b'\n');
            }
            text.extend_from_slice(format!("-- {who}, frame {}\n", piece.frame).as_bytes());
        }
        for byte in piece.bytes {
            match byte {
                b'\r' => {}
                b'\n' | b'\t' | b' '..=b'[' | b']'..=b'~' => text.push(*byte),
                other => text.extend_from_slice(format!("\\x{other:02x}").as_bytes()),
            }
        }
    }

    /// Takes away what was written: half a stream is none.
    fn remove(&self, folder: &Path, stem: &str) {
        for (begun, suffix) in self.begun.iter().zip(SUFFIXES) {
            if *begun {
                let _ = fs::remove_file(folder.join(format!("{stem}.{suffix}")));
            }
        }
    }

    fn flush(&mut self, folder: &Path, stem: &str, least: usize) -> io::Result<()> {
        for ((held, begun), suffix) in self.held.iter_mut().zip(&mut self.begun).zip(SUFFIXES) {
            if held.len() < least || (held.is_empty() && *begun) {
                continue;
            }
            let mut options = OpenOptions::new();
            options.write(true).create(true).append(*begun).truncate(!*begun);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(folder.join(format!("{stem}.{suffix}")))?;
            *begun = true;
            file.write_all(held)?;
            held.clear();
        }
        Ok(())
    }
}

/// What is written of one capture.
struct Writer {
    folder: PathBuf,
    flows: HashSet<u64>,
    is_ssh: bool,
    files: HashMap<String, Files>,
    failed: Option<io::Error>,
}

impl Writer {
    fn take(&mut self, piece: &Plaintext<'_>) {
        if self.failed.is_some() || (piece.protocol == "ssh") != self.is_ssh || !self.flows.contains(&piece.flow_id) {
            return;
        }
        let [orig, resp] = piece.ends.map(|end| end.ip.map_or_else(|| "unknown".to_owned(), |ip| safe(&ip.to_string())));
        let stream = piece.stream.map(|stream| format!("-{stream}")).unwrap_or_default();
        let (client, server) = if piece.is_client == (piece.dir == Dir::Orig) { (orig, resp) } else { (resp, orig) };
        let stem = format!("{}_{}{stream}_{client}_{server}", piece.protocol, piece.flow_id);
        let files = self.files.entry(stem.clone()).or_default();
        files.take(piece);
        if let Err(error) = files.flush(&self.folder, &stem, HELD) {
            self.failed = Some(error);
        }
    }
}

/// Writes the plaintext of some flows of a capture, for each stream a file of every suffix.
fn write(options: &Options, capture: &Path, folder: &Path, flows: &HashSet<u64>, is_ssh: bool) -> Result<Vec<Written>, String> {
    let fail = |error: io::Error| format!("{}: cannot write plaintext: {}", escape::path(folder), reason(&error));
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(fail)?;
    let writer = Writer { folder: folder.to_owned(), flows: flows.clone(), is_ssh, files: HashMap::new(), failed: None };
    let writer = Arc::new(Mutex::new(writer));
    let tapped = Arc::clone(&writer);
    let tap = Box::new(move |piece: &Plaintext<'_>| tapped.lock().unwrap_or_else(PoisonError::into_inner).take(piece));
    let done = plaintext::each(capture, &options.keys, tap).map_err(|error| format!("{}: {error}", escape::path(capture)));
    let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
    let done = match (done, writer.failed.take()) {
        (Err(message), _) => Err(message),
        (Ok(()), Some(error)) => Err(fail(error)),
        (Ok(()), None) if interrupt::is_asked() => Err("interrupted".to_owned()),
        (Ok(()), None) => writer.files.iter_mut().try_for_each(|(stem, files)| files.flush(folder, stem, 0)).map_err(fail),
    };
    if done.is_err() {
        writer.files.iter().for_each(|(stem, files)| files.remove(folder, stem));
    }
    done?;
    let mut written = Vec::new();
    for stem in writer.files.keys() {
        for suffix in SUFFIXES {
            let path = folder.join(format!("{stem}.{suffix}"));
            let bytes = fs::metadata(&path).map_err(fail)?.len();
            written.push(Written { path, bytes });
        }
    }
    written.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_names() {
        assert_eq!(safe("../../etc/passwd"), "-..-etc-passwd");
        assert_eq!(safe("fe80::1"), "fe80--1");
        assert_eq!(safe("a b.pcap"), "a-b.pcap");
    }
}
