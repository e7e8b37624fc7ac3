//! Indicators of compromise: read from the files that analysts exchange, matched on typed columns.
//!
//! [`load`] recognises each file by its content: text, CSV, JSON, a MISP event, a STIX 2.1 bundle, a Zeek intel file. What it
//! understood becomes the `indicators` table, which `analyzers/it/ioc.sql` joins with the view `observables`.

mod bring;
mod json;
mod kind;
mod pattern;
mod stix;
mod table;
mod text;

use std::borrow::Cow;
use std::path::Path;

use datafusion::arrow::array::RecordBatch;
use pcapper_schema::table::{Common, TableBuilder};
use pcapper_schema::tables::Indicators;

pub use bring::bring;
pub use kind::Kind;
pub use pattern::Pattern;

/// Files above this size are refused: indicator lists are not that long.
const LONGEST_FILE: u64 = 256 << 20;

/// One thing to look for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Indicator {
    /// Normalised.
    pub value: String,
    pub original: String,
    pub kind: Kind,
    /// 0 to 100.
    pub confidence: Option<f64>,
    pub severity: Option<String>,
    pub feed: Option<String>,
    pub tags: Vec<String>,
    pub techniques: Vec<String>,
    pub description: Option<String>,
    /// Nanoseconds since 1970.
    pub valid_from: Option<i64>,
    pub valid_until: Option<i64>,
    /// Line or item of the file, from 1.
    pub line: u32,
    /// STIX pattern it is a part of.
    pub pattern: Option<String>,
}

/// What the files held.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    pub indicators: Vec<Indicator>,
    pub patterns: Vec<Pattern>,
    /// Entries that could not be read: `FILE:LINE: reason`.
    pub rejected: Vec<String>,
    /// Entries of kinds that no capture shows (mutexes, registry keys, ...).
    pub ignored: usize,
    /// Entries that name what everybody talks to: `FILE:LINE: reason`. They are kept.
    pub notes: Vec<String>,
}

impl Loaded {
    /// Takes one entry: its kind as the file has it (or none), its text, and what else is said of it.
    fn add(&mut self, file: &str, kind: Option<&str>, original: &str, rest: Indicator) {
        let line = rest.line;
        match kind::read(kind, original) {
            kind::Reading::Known(kind, value) => {
                if let Some(note) = kind::too_common(kind, &value) {
                    self.notes.push(format!("{file}:{line}: {value} {note}"));
                }
                self.indicators.push(Indicator { value, original: original.to_owned(), kind, ..rest });
            }
            kind::Reading::Ignored => self.ignored += 1,
            kind::Reading::Unreadable(reason) => self.rejected.push(format!("{file}:{line}: {reason}")),
        }
    }

    /// The `indicators` table.
    pub fn batch(&self) -> RecordBatch {
        let mut table: TableBuilder<_> = TableBuilder::<<Indicators<'_> as pcapper_schema::table::Row>::Columns>::default();
        for one in &self.indicators {
            let list = |texts: &[String]| -> Vec<Cow<'static, str>> { texts.iter().map(|text| Cow::Owned(text.clone())).collect() };
            let (tags, techniques) = (list(&one.tags), list(&one.techniques));
            table.push(
                &Common::default(),
                Indicators {
                    value: Some(&one.value),
                    original: Some(&one.original),
                    r#type: Some(one.kind.name()),
                    confidence: one.confidence,
                    severity: one.severity.as_deref(),
                    feed: one.feed.as_deref(),
                    tags: (!tags.is_empty()).then_some(tags.as_slice()),
                    techniques: (!techniques.is_empty()).then_some(techniques.as_slice()),
                    description: one.description.as_deref(),
                    valid_from: one.valid_from,
                    valid_until: one.valid_until,
                    file_line: Some(one.line),
                    pattern: one.pattern.as_deref(),
                },
            );
        }
        table.finish("", "")
    }
}

/// Reads indicator files. An error is one line for the user.
pub fn load(paths: &[impl AsRef<Path>]) -> Result<Loaded, String> {
    let mut loaded = Loaded::default();
    for path in paths {
        let path = path.as_ref();
        let shown = path.display();
        let size = std::fs::metadata(path).map_err(|error| format!("--ioc-file {shown}: {error}"))?.len();
        if size > LONGEST_FILE {
            return Err(format!("--ioc-file {shown}: {size} bytes; lists of up to {LONGEST_FILE} bytes are read"));
        }
        let bytes = std::fs::read(path).map_err(|error| format!("--ioc-file {shown}: {error}"))?;
        let text = std::str::from_utf8(&bytes).map_err(|error| format!("--ioc-file {shown}: not UTF-8 text (byte {})", error.valid_up_to()))?;
        let name = path.file_name().map_or_else(|| shown.to_string(), |name| name.to_string_lossy().into_owned());
        read(&name, text.trim_start_matches('\u{feff}'), &mut loaded).map_err(|error| format!("--ioc-file {shown}: {error}"))?;
    }
    if loaded.indicators.is_empty() {
        let first: Vec<&str> = loaded.rejected.iter().take(3).map(String::as_str).collect();
        let why = if first.is_empty() { String::new() } else { format!(" ({})", first.join("; ")) };
        return Err(format!("--ioc-file: no usable indicator{why}"));
    }
    Ok(loaded)
}

/// Reads one file's text, by the form that its beginning shows.
fn read(name: &str, text: &str, loaded: &mut Loaded) -> Result<(), String> {
    if text.trim_start().starts_with(['{', '[']) {
        let document = serde_json::from_str(text).map_err(|error| format!("not JSON ({error})"))?;
        return if stix::is_bundle(&document) { stix::read(name, &document, loaded) } else { json::read(name, &document, loaded) };
    }
    if text.lines().any(|line| line.starts_with("#fields")) {
        return table::zeek(name, text, loaded);
    }
    if table::is_csv(text) {
        return table::csv(name, text, loaded);
    }
    text::read(name, text, loaded);
    Ok(())
}

/// Confidence as a percentage: up to 1 it is a share.
fn percent(confidence: f64) -> Option<f64> {
    let percent = if confidence <= 1.0 { confidence * 100.0 } else { confidence };
    (0.0..=100.0).contains(&percent).then_some(percent)
}

/// A list that is written as one text.
fn words(text: &str) -> Vec<String> {
    text.split([',', ';', '|']).map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// A time in ISO 8601 or epoch seconds, as nanoseconds.
fn time(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.trim().parse::<f64>() {
        // Beyond the range of the type there is no time; within it, the cast cuts below the nanosecond.
        #[allow(clippy::cast_possible_truncation)]
        return (seconds.is_finite() && seconds.abs() < 9e9).then_some((seconds * 1e9) as i64);
    }
    datafusion::arrow::compute::kernels::cast_utils::string_to_timestamp_nanos(text.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(text: &str) -> Loaded {
        let mut loaded = Loaded::default();
        read("list", text, &mut loaded).unwrap();
        loaded
    }

    fn found(text: &str) -> Vec<(&'static str, String)> {
        loaded(text).indicators.into_iter().map(|one| (one.kind.name(), one.value)).collect()
    }

    #[test]
    fn text_is_refanged_and_typed() {
        let list = "# a list\n1[.]2[.]3[.]4\nhxxps://Evil[.]test/Path?q=1 # seen\nuser[at]evil(dot)test\n2001:DB8::1\n10.0.0.0/8\n\nEVIL.test.\n44d88612fea8a8f36de82e1278abb02f\nnot an indicator\n1.2.3.4:443\n";
        let loaded = loaded(list);
        let found: Vec<_> = loaded.indicators.iter().map(|one| (one.kind.name(), one.value.as_str())).collect();
        assert_eq!(
            found,
            [
                ("ipv4", "1.2.3.4"),
                ("url", "evil.test/Path?q=1"),
                ("email", "user@evil.test"),
                ("ipv6", "2001:db8::1"),
                ("cidr", "10.0.0.0/8"),
                ("domain", "evil.test"),
                ("md5", "44d88612fea8a8f36de82e1278abb02f"),
                ("ip_port", "1.2.3.4:443"),
            ]
        );
        assert_eq!(loaded.rejected, ["list:10: \"not an indicator\" is no address, name, hash, URL or mail address"]);
        assert_eq!(loaded.notes, ["list:6: 10.0.0.0/8 is private"]);
    }

    #[test]
    fn json_and_csv_say_the_same() {
        let json = r#"{"indicators": [{"value": "evil.test", "type": "domain", "confidence": 0.8, "tags": "a, b", "mitre": ["T1071"]}, "5.6.7.8"]}"#;
        let csv = "indicator,type,confidence,tags,mitre_attack\nevil.test,domain,80,\"a,b\",T1071\n5.6.7.8,,,,\n";
        for form in [json, csv] {
            let loaded = loaded(form);
            assert_eq!(loaded.indicators.len(), 2, "{form}");
            let first = &loaded.indicators[0];
            assert_eq!((first.value.as_str(), first.confidence, first.tags.len()), ("evil.test", Some(80.0), 2));
            assert_eq!(first.techniques, ["T1071"]);
            assert_eq!(loaded.indicators[1].kind, Kind::Ipv4);
        }
    }

    #[test]
    fn zeek_intel() {
        let intel = "#fields\tindicator\tindicator_type\tmeta.source\tmeta.desc\nevil.test\tIntel::DOMAIN\tfeed-a\tbad\n9.9.9.0/24\tIntel::SUBNET\tfeed-a\t-\nfoo.exe\tIntel::FILE_NAME\tfeed-b\t-\n";
        assert_eq!(found(intel), [("domain", "evil.test".into()), ("cidr", "9.9.9.0/24".into()), ("filename", "foo.exe".into())]);
        assert_eq!(loaded(intel).indicators[0].feed.as_deref(), Some("feed-a"));
    }

    #[test]
    fn misp_event() {
        let event = r#"{"Event": {"info": "x", "Attribute": [{"type": "domain|ip", "value": "evil.test|1.2.3.4", "to_ids": true}, {"type": "mutex", "value": "abc"}],
          "Object": [{"Attribute": [{"type": "sha256", "value": "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"}]}]}}"#;
        let loaded = loaded(event);
        let kinds: Vec<_> = loaded.indicators.iter().map(|one| one.kind.name()).collect();
        assert_eq!(kinds, ["domain", "ipv4", "sha256"]);
        assert_eq!(loaded.ignored, 1);
    }

    #[test]
    fn stix_patterns() {
        let bundle = r#"{"type": "bundle", "objects": [
          {"type": "indicator", "id": "indicator--1", "pattern_type": "stix", "confidence": 90, "valid_from": "2020-01-01T00:00:00Z", "pattern": "[ipv4-addr:value = '1.2.3.4' OR domain-name:value IN ('a.test', 'b.test')]"},
          {"type": "indicator", "id": "indicator--2", "pattern_type": "stix", "pattern": "[domain-name:value = 'c.test'] FOLLOWEDBY [file:hashes.'SHA-256' = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855']"},
          {"type": "indicator", "id": "indicator--3", "pattern_type": "stix", "pattern": "[process:name = 'x.exe']"},
          {"type": "indicator", "id": "indicator--4", "pattern_type": "stix", "pattern": "[ipv4-addr:value = "}]}"#;
        let loaded = loaded(bundle);
        let alone: Vec<_> = loaded.indicators.iter().filter(|one| one.pattern.is_none()).map(|one| one.value.as_str()).collect();
        assert_eq!(alone, ["1.2.3.4", "a.test", "b.test"]);
        assert_eq!(loaded.indicators[0].confidence, Some(90.0));
        assert_eq!(loaded.patterns.len(), 1);
        assert_eq!(loaded.patterns[0].alternatives[0].len(), 2, "two steps");
        assert_eq!(loaded.ignored, 1);
        assert_eq!(loaded.rejected.len(), 1, "{:?}", loaded.rejected);
    }

    #[test]
    fn a_batch_holds_them_all() {
        assert_eq!(loaded("1.2.3.4\nevil.test\n").batch().num_rows(), 2);
    }
}
