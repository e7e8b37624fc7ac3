//! The run's account of itself: one line an event, to a file or to stderr, apart from the report.
//!
//! Events are `tracing` events of the target [`TARGET`], named as the log shows them; [`Lines`] writes them. A list is
//! recorded as the JSON text of [`list`]. Without `--log-file` and `--log-json` nobody listens, and an event costs nothing.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pcapper_queries::report::Report;
use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber, info};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};

use crate::case::Case;
use crate::export::file::reason;
use crate::render::{escape, value};
use crate::status::Status;

/// Target of the events that are logged.
pub const TARGET: &str = "pcapper::run";

/// Where the log goes, and how.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Options {
    pub file: Option<PathBuf>,
    pub json: bool,
}

/// Reads the options; a relative path lies in the case, if there is one.
pub fn options(file: Option<&str>, json: bool, case: Option<&Case>) -> Options {
    let file = file.map(|path| case.map_or_else(|| PathBuf::from(path), |case| case.place(path)));
    Options { file, json }
}

/// The options on a command line that was not understood.
pub fn scan(arguments: &[std::ffi::OsString]) -> Options {
    let mut options = Options::default();
    let mut arguments = arguments.iter().skip(1).take_while(|argument| *argument != "--");
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--log-json") => options.json = true,
            Some("--log-file") => options.file = arguments.next().map(PathBuf::from),
            Some(text) => {
                if let Some(path) = text.strip_prefix("--log-file=") {
                    options.file = Some(path.into());
                }
            }
            None => {}
        }
    }
    options
}

/// A log line could not be written: it is told once, and the run's status shows it.
static FAILED: AtomicBool = AtomicBool::new(false);

/// Whether some line could not be written.
pub fn has_failed() -> bool {
    FAILED.load(Ordering::Relaxed)
}

/// Opens the log, if one was asked for, and listens from now on.
pub fn open(options: &Options) -> Result<(), String> {
    let sink = match (&options.file, options.json) {
        (None, false) => return Ok(()),
        (None, true) => Sink::Stderr,
        (Some(path), _) => {
            let shown = escape::path(path);
            let file = appended(path).map_err(|error| format!("--log-file {shown}: cannot write: {}", reason(&error)))?;
            Sink::File(file, shown)
        }
    };
    let lines = tracing_subscriber::registry().with(Lines { sink, json: options.json });
    tracing::subscriber::set_global_default(lines).map_err(|error| format!("--log-file: {error}"))
}

/// Opens a log to append to. What is there already must look like a log: a capture named by mistake stays as it is.
fn appended(path: &Path) -> io::Result<File> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent)?;
    }
    let mut first = [0];
    let metadata = std::fs::metadata(path);
    if metadata.is_ok_and(|metadata| metadata.is_file() && metadata.len() > 0)
        && !(File::open(path)?.read(&mut first)? == 1 && (first[0] == b'{' || first[0].is_ascii_digit()))
    {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the file is there and is no log; name another"));
    }
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

enum Sink {
    File(File, String),
    Stderr,
}

/// Writes events as lines.
struct Lines {
    sink: Sink,
    json: bool,
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() != TARGET {
            return;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_nanos()).unwrap_or(i64::MAX));
        let mut fields = Fields(Vec::new());
        event.record(&mut fields);
        let line = line(now, event.metadata().name(), &fields.0, self.json);
        let written = match &self.sink {
            // One write a line: with O_APPEND the lines of several runs stay whole.
            Sink::File(file, _) => (&*file).write_all(line.as_bytes()),
            Sink::Stderr => io::stderr().write_all(line.as_bytes()),
        };
        if let Err(error) = written
            && !FAILED.swap(true, Ordering::Relaxed)
            && let Sink::File(_, shown) = &self.sink
        {
            let _ = writeln!(io::stderr(), "pcapper: --log-file {}: cannot write: {}", escape::text(shown), reason(&error));
        }
    }
}

/// One event as a line.
fn line(now_ns: i64, event: &str, fields: &[(&'static str, Value)], json: bool) -> String {
    let ts = value::time(now_ns, 6);
    let mut line = String::new();
    // Writing into a String cannot fail.
    if json {
        let _ = write!(line, "{{\"ts\":\"{ts}\",\"event\":\"{event}\"");
        for (name, value) in fields {
            let _ = write!(line, ",\"{name}\":{value}");
        }
        line.push('}');
        line = escape::json(&line).into_owned();
    } else {
        let _ = write!(line, "{ts} {event}");
        for (name, value) in fields {
            let _ = write!(line, " {name}={}", worded(value));
        }
    }
    line.push('\n');
    line
}

/// A value in a line of text: the items of a list parted by commas, quoted where it could be misread.
fn worded(value: &Value) -> String {
    let text = match value {
        Value::Null => return "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let item = |item: &Value| item.as_str().map_or_else(|| item.to_string(), |text| text.replace('\\', "\\\\").replace(',', "\\,"));
            items.iter().map(item).collect::<Vec<_>>().join(",")
        }
        other => other.to_string(),
    };
    let spelled = escape::text(&text.replace('\\', "\\\\").replace('"', "\\\""));
    let plain =
        spelled == text && !text.is_empty() && text != "-" && !text.contains(|letter: char| letter.is_whitespace() || matches!(letter, '=' | '\''));
    if plain { text } else { format!("\"{spelled}\"") }
}

/// Collects an event's fields in order.
struct Fields(Vec<(&'static str, Value)>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.push((field.name(), value.into()));
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.push((field.name(), value.into()));
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.push((field.name(), value.into()));
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.push((field.name(), value.into()));
    }
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let text = format!("{value:?}");
        self.0.push((field.name(), serde_json::from_str(&text).unwrap_or(Value::String(text))));
    }
}

/// A value whose form in the log is given as JSON: lists, and what may be missing.
pub struct Json(Value);

impl std::fmt::Debug for Json {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A list for an event.
pub fn list<T: Into<Value>>(items: impl IntoIterator<Item = T>) -> Json {
    Json(items.into_iter().collect())
}

/// A value for an event; null where it is missing.
pub fn or_null(value: Option<impl Into<Value>>) -> Json {
    Json(value.map_or(Value::Null, Into::into))
}

/// `start`: always the first line.
pub fn start(argv: &[std::ffi::OsString], config: Option<&str>) {
    let words = argv.iter().map(|word| escape::path(Path::new(word)));
    info!(name: "start", target: TARGET, version = env!("CARGO_PKG_VERSION"), config = ?or_null(config), argv = ?list(words), pid = std::process::id());
}

/// `end`: always the last line.
pub fn end(status: Status, taken: Duration) {
    let word = match status {
        Status::Done => "ok",
        Status::Partly | Status::ReaderGone => "partial",
        Status::NothingDone | Status::Interrupted => "fail",
    };
    let duration_ms = millis(taken);
    info!(name: "end", target: TARGET, status = word, exit_status = u64::from(status.number()), duration_ms, peak_rss_bytes = ?or_null(peak_rss_bytes()));
}

/// Whole milliseconds.
pub fn millis(taken: Duration) -> u64 {
    u64::try_from(taken.as_millis()).unwrap_or(u64::MAX)
}

/// `warning`: something that a person should know; `path` says of which file, where it is of one.
pub fn warning(message: &str, path: Option<&str>) {
    info!(name: "warning", target: TARGET, message = message, path = ?or_null(path));
}

/// `export`: a file was written.
pub fn export(kind: &str, path: &Path, rows: u64, bytes: u64) {
    info!(name: "export", target: TARGET, kind, path = escape::path(path), rows, bytes);
}

/// `extract`: files of a capture were saved, others not, or not again.
pub fn extract(count: usize, skipped: usize, dir: &Path) {
    info!(name: "extract", target: TARGET, count, skipped, dir = escape::path(dir));
}

/// `carve`: the same of files found in streams.
pub fn carve(count: usize, skipped: usize, dir: &Path) {
    info!(name: "carve", target: TARGET, count, skipped, dir = escape::path(dir));
}

/// `self_check`: how it went.
pub fn self_check(status: Status) {
    info!(name: "self_check", target: TARGET, status = if status == Status::Done { "ok" } else { "fail" });
}

/// `list_plugins`: how many there are, faulty ones among them.
pub fn list_plugins(count: usize) {
    info!(name: "list_plugins", target: TARGET, count);
}

/// `lookup`: indicators of a kind were sent to a service; which ones, and what it said, is no matter of the log.
pub fn lookup(service: &str, kind: &str, count: u64) {
    info!(name: "lookup", target: TARGET, service, kind, count);
}

/// `finding`: one line for each detection that fired.
pub fn findings(report: &Report, capture: Option<&str>) {
    let mut secrets = value::Secrets::default();
    for row in 0..report.findings.num_rows() {
        let mut cell = |name: &str| report.findings.column_by_name(name).map_or(Value::Null, |column| value::json(column, row, &mut secrets, false));
        let of = match cell("capture") {
            Value::Null => capture.map_or(Value::Null, Value::from),
            told => told,
        };
        let (detection, severity, src, dst, count) = (cell("detection"), cell("severity"), cell("src_ip"), cell("dst_ip"), cell("count"));
        info!(name: "finding", target: TARGET, detection = ?Json(detection), severity = ?Json(severity), capture = ?Json(of), src_ip = ?Json(src), dst_ip = ?Json(dst), count = ?Json(count));
    }
}

/// Most memory the process has held so far, where the system tells.
fn peak_rss_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_one_line() {
        let fields =
            [("path", json!("a b\n2026 end \"x\"\u{1b}")), ("summaries", json!(["dns", "tls"])), ("index", json!(1)), ("offset", json!(null))];
        assert_eq!(
            line(0, "pcap_start", &fields, false),
            "1970-01-01T00:00:00.000000Z pcap_start path=\"a b\\n2026 end \\\"x\\\"\\x1b\" summaries=dns,tls index=1 offset=-\n"
        );
        let text = line(0, "pcap_start", &fields, true);
        assert_eq!(text.lines().count(), 1);
        let parsed: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(parsed["path"], "a b\n2026 end \"x\"\u{1b}");
        assert_eq!(worded(&json!(["a,b", "c"])), "\"a\\\\,b,c\"");
    }

    #[test]
    fn options_are_found_on_a_line_that_is_wrong() {
        let words: Vec<std::ffi::OsString> = ["pcapper", "--dnss", "--log-file=x.log", "--log-json"].iter().map(Into::into).collect();
        assert_eq!(scan(&words), Options { file: Some("x.log".into()), json: true });
    }
}
