//! Suricata's eve.json: alerts, and what the engine says of its own run, as tables to compare with.
//!
//! The file is read a line at a time and is not trusted: lines, texts, and the number of rows are limited, and what cannot be read
//! is told with its line. `analyzers/it/suricata.sql` joins the alerts with flows.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read as _};
use std::net::IpAddr;
use std::path::Path;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::kernels::cast_utils::string_to_timestamp_nanos;
use pcapper_schema::table::{Common, Row, TableBuilder};
use pcapper_schema::tables::{SuricataAlerts, SuricataEvents};
use serde::Deserialize;
use serde_json::Value;

use crate::Result;
use crate::catalog::Catalog;
use crate::functions::community_id::{community_id, number_of};

/// Longest line that is read; the engine writes packets and payloads into alerts, none of them longer.
const LONGEST_LINE: usize = 1 << 20;
/// Most alerts that are kept.
const ALERTS: usize = 500_000;
/// Most kinds of events and notices that are told apart.
const KINDS: usize = 1000;
/// Longest text of a rule that is kept, in bytes.
const LONGEST_TEXT: usize = 512;
/// Faults that are told one by one.
const FAULTS: usize = 3;

/// Which records are taken; by default all of them.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Types of events.
    pub events: Option<BTreeSet<String>>,
    /// Signatures.
    pub sids: Option<BTreeSet<u64>>,
    /// Signatures that are left out.
    pub without: BTreeSet<u64>,
}

/// What was read.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    alerts: Vec<Alert>,
    /// Numbers of records and notices, by capture, event type and name.
    counts: BTreeMap<Kind, u64>,
    /// What the engine says of itself: capture, name, value.
    properties: Vec<(Option<String>, String, String)>,
    /// Lines that could not be read: `FILE:LINE: reason`; the first few.
    pub faults: Vec<String>,
    /// How many there are.
    pub faulty: u64,
    /// Alerts beyond the number that is kept.
    pub left_out: u64,
}

/// A number's capture, event type and name.
type Kind = (Option<String>, String, Option<String>);

#[derive(Clone, Debug)]
struct Alert {
    line: u64,
    capture: Option<String>,
    ts: i64,
    ends: [Option<IpAddr>; 2],
    ports: [Option<u16>; 2],
    transport: Option<String>,
    community_id: Option<String>,
    packet: Option<u64>,
    app_proto: Option<String>,
    rule: Rule,
}

/// A line of the file; other keys are nobody's concern.
#[derive(Deserialize)]
struct Record {
    event_type: String,
    timestamp: Option<String>,
    src_ip: Option<IpAddr>,
    dest_ip: Option<IpAddr>,
    src_port: Option<u16>,
    dest_port: Option<u16>,
    proto: Option<String>,
    icmp_type: Option<u16>,
    icmp_code: Option<u16>,
    community_id: Option<String>,
    pcap_cnt: Option<u64>,
    app_proto: Option<String>,
    alert: Option<Rule>,
    anomaly: Option<Anomaly>,
    stats: Option<Value>,
}

/// The rule that an alert is of.
#[derive(Clone, Debug, Deserialize)]
struct Rule {
    action: Option<String>,
    gid: Option<u64>,
    signature_id: u64,
    rev: Option<u64>,
    signature: Option<String>,
    category: Option<String>,
    severity: Option<u32>,
    metadata: Option<BTreeMap<String, Value>>,
}

impl Rule {
    /// ATT&CK ids of the metadata.
    fn techniques(&self) -> Vec<Cow<'_, str>> {
        let listed = self.metadata.as_ref().and_then(|metadata| metadata.get("mitre_technique_id")).and_then(Value::as_array);
        listed.into_iter().flatten().filter_map(Value::as_str).filter(|id| is_technique(id)).map(Cow::Borrowed).collect()
    }

    fn severity(&self) -> &'static str {
        match self.severity {
            Some(1) => "high",
            Some(2) => "medium",
            Some(3) => "low",
            _ => "info",
        }
    }
}

#[derive(Deserialize)]
struct Anomaly {
    r#type: Option<String>,
    event: Option<String>,
}

/// `T1071`, `T1071.001`.
fn is_technique(id: &str) -> bool {
    let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    let (main, sub) = id.split_once('.').map_or((id, None), |(main, sub)| (main, Some(sub)));
    main.strip_prefix('T').is_some_and(|number| digits(number, 4)) && sub.is_none_or(|sub| digits(sub, 3))
}

/// The beginning of a text, no more than is kept.
fn shortened(mut text: String) -> String {
    if text.len() > LONGEST_TEXT {
        let mut end = LONGEST_TEXT;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
    }
    text
}

impl Loaded {
    /// Reads a file, and adds what it holds; `capture` is the one it is about, if that is known. An error is one line for the user.
    pub fn read(&mut self, path: &Path, capture: Option<&str>, wanted: &Wanted) -> std::result::Result<(), String> {
        let shown = path.display();
        let fail = |error: std::io::Error| format!("--suricata {shown}: {error}");
        let mut file = BufReader::with_capacity(1 << 16, std::fs::File::open(path).map_err(fail)?);
        let (mut line, mut number, mut records, mut first_fault) = (Vec::new(), 0_u64, 0_u64, None);
        // The last of the engine's statistics hold the sums of the others.
        let mut stats = None;
        loop {
            line.clear();
            let limit = LONGEST_LINE as u64 + 1;
            if (&mut file).take(limit).read_until(b'\n', &mut line).map_err(fail)? == 0 {
                break;
            }
            number += 1;
            let outcome = if line.len() > LONGEST_LINE && line.last() != Some(&b'\n') {
                skip_line(&mut file).map_err(fail)?;
                Err(format!("longer than {LONGEST_LINE} bytes"))
            } else if line.trim_ascii().is_empty() {
                continue;
            } else {
                serde_json::from_slice::<Record>(line.trim_ascii_end())
                    .map_err(|error| error.to_string())
                    .and_then(|record| self.take(record, number, capture, wanted, &mut stats))
            };
            match outcome {
                Ok(()) => records += 1,
                Err(reason) => {
                    // The place in the line is that of the parser; the line is ours.
                    let fault = format!("{shown}:{number}: {}", reason.split(" at line ").next().unwrap_or_default());
                    first_fault.get_or_insert_with(|| fault.clone());
                    self.faulty += 1;
                    if self.faults.len() < FAULTS {
                        self.faults.push(fault);
                    }
                }
            }
        }
        match first_fault {
            Some(fault) if records == 0 => return Err(format!("--suricata: no eve.json: {fault}")),
            None if records == 0 && capture.is_none() => return Err(format!("--suricata {shown}: no event in it")),
            _ => {}
        }
        if let Some(stats) = stats {
            self.notices(&stats, capture);
        }
        Ok(())
    }

    /// Notes what is known of the engine.
    pub fn engine(&mut self, name: &str, value: &str, capture: Option<&str>) {
        self.properties.push((capture.map(str::to_owned), name.to_owned(), shortened(value.to_owned())));
    }

    fn count(&mut self, capture: Option<&str>, event_type: &str, name: Option<&str>, more: u64) {
        let kind: Kind = (capture.map(str::to_owned), shortened(event_type.to_owned()), name.map(|name| shortened(name.to_owned())));
        if self.counts.len() < KINDS || self.counts.contains_key(&kind) {
            let count = self.counts.entry(kind).or_default();
            *count = count.saturating_add(more);
        }
    }

    fn take(
        &mut self,
        record: Record,
        line: u64,
        capture: Option<&str>,
        wanted: &Wanted,
        stats: &mut Option<Value>,
    ) -> std::result::Result<(), String> {
        if wanted.events.as_ref().is_some_and(|events| !events.contains(&record.event_type)) {
            return Ok(());
        }
        if let Some(rule) = &record.alert
            && record.event_type == "alert"
            && (wanted.without.contains(&rule.signature_id) || wanted.sids.as_ref().is_some_and(|sids| !sids.contains(&rule.signature_id)))
        {
            return Ok(());
        }
        if record.event_type == "alert" {
            let alert = Alert::of(&record, line, capture)?;
            if self.alerts.len() < ALERTS {
                self.alerts.push(alert);
            } else {
                self.left_out += 1;
            }
        }
        self.count(capture, &record.event_type, None, 1);
        if let Some(anomaly) = &record.anomaly {
            let event = anomaly.event.as_deref().or(anomaly.r#type.as_deref());
            self.count(capture, &record.event_type, event, 1);
        }
        if record.event_type == "stats" && record.stats.is_some() {
            *stats = record.stats;
        }
        Ok(())
    }

    /// Counters that tell what the engine could not see: drops, gaps, what it could not decode.
    fn notices(&mut self, stats: &Value, capture: Option<&str>) {
        let number = |place: &str| stats.pointer(place).and_then(Value::as_u64);
        for (place, name) in [
            ("/capture/kernel_drops", "capture.kernel_drops"),
            ("/decoder/pkts", "decoder.pkts"),
            ("/decoder/invalid", "decoder.invalid"),
            ("/tcp/reassembly_gap", "tcp.reassembly_gap"),
            ("/tcp/segment_memcap_drop", "tcp.segment_memcap_drop"),
            ("/tcp/ssn_memcap_drop", "tcp.ssn_memcap_drop"),
            ("/flow/memcap", "flow.memcap"),
        ] {
            if let Some(count) = number(place) {
                self.count(capture, "stats", Some(name), count);
            }
        }
        // Counters of events of the decoder stand under the protocol.
        for (protocol, events) in stats.pointer("/decoder/event").and_then(Value::as_object).into_iter().flatten() {
            for (event, count) in events.as_object().into_iter().flatten() {
                if let Some(count) = count.as_u64().filter(|count| *count > 0) {
                    self.count(capture, "stats", Some(&format!("decoder.event.{protocol}.{event}")), count);
                }
            }
        }
        if let Some(rules) = number("/detect/engines/0/rules_loaded") {
            self.engine("rules", &rules.to_string(), capture);
        }
    }

    /// Gives a catalog the tables.
    pub fn bring(&self, catalog: &Catalog) -> Result<()> {
        catalog.bring("suricata_alerts", self.alerts())?;
        catalog.bring("suricata_events", self.events())
    }

    /// Adds what another reading gave.
    pub fn add(&mut self, other: &Self) {
        self.alerts.extend(other.alerts.iter().cloned());
        other.counts.iter().for_each(|((capture, event_type, name), count)| self.count(capture.as_deref(), event_type, name.as_deref(), *count));
        self.properties.extend(other.properties.iter().cloned());
    }

    fn alerts(&self) -> RecordBatch {
        let mut table = TableBuilder::<<SuricataAlerts<'_> as Row>::Columns>::default();
        for one in &self.alerts {
            let rule = &one.rule;
            let techniques = rule.techniques();
            let [src, dst] = one.ends.map(|end| end.map(|ip| ip.to_string()));
            table.push(
                &Common::default(),
                SuricataAlerts {
                    file_line: Some(one.line),
                    capture: one.capture.as_deref(),
                    ts: Some(one.ts),
                    src_ip: src.as_deref(),
                    dst_ip: dst.as_deref(),
                    src_port: one.ports[0],
                    dst_port: one.ports[1],
                    transport: one.transport.as_deref(),
                    community_id: one.community_id.as_deref(),
                    packet: one.packet,
                    gid: rule.gid,
                    sid: Some(rule.signature_id),
                    rev: rule.rev,
                    signature: rule.signature.as_deref(),
                    category: rule.category.as_deref().filter(|category| !category.is_empty()),
                    priority: rule.severity,
                    severity: Some(rule.severity()),
                    action: rule.action.as_deref(),
                    app_proto: one.app_proto.as_deref(),
                    techniques: (!techniques.is_empty()).then_some(techniques.as_slice()),
                },
            );
        }
        table.finish("", "")
    }

    fn events(&self) -> RecordBatch {
        let mut table = TableBuilder::<<SuricataEvents<'_> as Row>::Columns>::default();
        for ((capture, event_type, name), count) in &self.counts {
            let (capture, name) = (capture.as_deref(), name.as_deref());
            table.push(&Common::default(), SuricataEvents { capture, event_type: Some(event_type), name, count: Some(*count), value: None });
        }
        for (capture, name, value) in &self.properties {
            let capture = capture.as_deref();
            table.push(&Common::default(), SuricataEvents { capture, event_type: Some("engine"), name: Some(name), count: None, value: Some(value) });
        }
        table.finish("", "")
    }
}

impl Alert {
    fn of(record: &Record, line: u64, capture: Option<&str>) -> std::result::Result<Self, String> {
        let mut rule = record.alert.clone().ok_or("an alert without its rule")?;
        let written = record.timestamp.as_deref().ok_or("an alert without a time")?;
        let ts = time(written).ok_or_else(|| format!("{:?} is no time", shortened(written.to_owned())))?;
        for text in [&mut rule.signature, &mut rule.category, &mut rule.action] {
            *text = text.take().map(shortened);
        }
        // Of the metadata only the techniques are kept.
        if let Some(metadata) = &mut rule.metadata {
            metadata.retain(|name, _| name == "mitre_technique_id");
        }
        let transport = record.proto.as_deref().map(|proto| match proto.to_ascii_lowercase().as_str() {
            "ipv6-icmp" | "icmpv6" => "icmp6".to_owned(),
            other => shortened(other.to_owned()),
        });
        // ICMP has type and code in the place of ports.
        let id_ports = [record.src_port.or(record.icmp_type), record.dest_port.or(record.icmp_code)];
        let computed = match (transport.as_deref().and_then(number_of), record.src_ip, record.dest_ip, id_ports) {
            (Some(protocol), Some(src), Some(dst), [Some(src_port), Some(dst_port)]) => community_id(protocol, src, src_port, dst, dst_port),
            _ => None,
        };
        Ok(Self {
            line,
            capture: capture.map(str::to_owned),
            ts,
            ends: [record.src_ip, record.dest_ip],
            ports: [record.src_port, record.dest_port],
            // An id of another seed would meet no flow of ours: computed ones go first.
            community_id: computed.or_else(|| record.community_id.clone().map(shortened)),
            transport,
            packet: record.pcap_cnt,
            app_proto: record.app_proto.clone().map(shortened),
            rule,
        })
    }
}

/// A time with its offset from UTC (`+0000`), as nanoseconds since 1970.
fn time(text: &str) -> Option<i64> {
    let text = text.trim();
    // The offset is written without its colon.
    let (rest, minutes) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let has_offset = rest.len() > 3 && rest.as_bytes()[rest.len() - 3..].first().is_some_and(|sign| matches!(sign, b'+' | b'-'));
    let is_plain = has_offset && rest.bytes().rev().take(2).chain(minutes.bytes()).all(|byte| byte.is_ascii_digit());
    let in_form = if is_plain && text.contains('T') { Cow::Owned(format!("{rest}:{minutes}")) } else { Cow::Borrowed(text) };
    string_to_timestamp_nanos(&in_form).ok()
}

/// Goes on to the next line.
fn skip_line(file: &mut impl BufRead) -> std::io::Result<()> {
    loop {
        let buffered = file.fill_buf()?;
        if buffered.is_empty() {
            return Ok(());
        }
        match buffered.iter().position(|byte| *byte == b'\n') {
            Some(end) => {
                file.consume(end + 1);
                return Ok(());
            }
            None => {
                let length = buffered.len();
                file.consume(length);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: &[u8]) -> std::result::Result<Loaded, String> {
        let path = std::env::temp_dir().join(format!("pcapper-eve-{name}-{}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        let mut loaded = Loaded::default();
        let outcome = loaded.read(&path, None, &Wanted::default());
        let _ = std::fs::remove_file(&path);
        outcome.map(|()| loaded).map_err(|error| error.replace(&path.display().to_string(), "eve.json"))
    }

    const ALERT: &str = r#"{"timestamp":"2026-11-23T08:42:40.425332+0200","event_type":"alert","src_ip":"128.232.110.120","src_port":34855,"dest_ip":"66.35.250.204","dest_port":80,"proto":"TCP","community_id":"1:of another seed","pcap_cnt":7,"alert":{"action":"allowed","gid":1,"signature_id":2100498,"rev":7,"signature":"a rule","category":"","severity":2,"metadata":{"mitre_technique_id":["T1071.001","no id",7],"other":["x"]}}}"#;

    #[test]
    fn alerts_are_read() {
        let loaded = read("alerts", format!("{ALERT}\n\n{{\"event_type\":\"flow\",\"flow\":{{}}}}\n").as_bytes()).unwrap();
        let [alert] = loaded.alerts.as_slice() else { panic!("{loaded:?}") };
        assert_eq!(Some(alert.ts), string_to_timestamp_nanos("2026-11-23T06:42:40.425332Z").ok());
        assert_eq!(alert.community_id.as_deref(), Some("1:LQU9qZlK+B5F3KDmev6m5PMibrg="));
        assert_eq!((alert.packet, alert.rule.severity(), alert.rule.techniques()), (Some(7), "medium", vec![Cow::from("T1071.001")]));
        assert_eq!(loaded.counts.len(), 2);
        assert_eq!((loaded.alerts().num_rows(), loaded.events().num_rows()), (1, 2));
    }

    #[test]
    fn what_cannot_be_read_is_told_by_its_line() {
        let mut text = format!("{ALERT}\nnot JSON\n").into_bytes();
        text.extend(std::iter::repeat_n(b'x', LONGEST_LINE + 10));
        text.extend_from_slice(b"\n{\"event_type\":\"alert\",\"alert\":{\"signature_id\":1}}\n[[[\n");
        text.extend_from_slice(ALERT.replace("T08", "X08").as_bytes());
        let loaded = read("faults", &text).unwrap();
        assert_eq!((loaded.alerts.len(), loaded.faulty), (1, 5));
        let faults: Vec<&str> = loaded.faults.iter().filter_map(|fault| Some(fault.split_once(':')?.1)).collect();
        assert_eq!(faults, ["2: expected ident", "3: longer than 1048576 bytes", "4: an alert without a time"]);
        let error = read("other", b"<html>\n").unwrap_err();
        assert!(error.ends_with(":1: expected value"), "{error}");
        let error = read("empty", b"").unwrap_err();
        assert!(error.ends_with(": no event in it"), "{error}");
    }

    #[test]
    fn deep_nesting_is_refused() {
        let deep = format!("{ALERT}\n{{\"event_type\":\"stats\",\"stats\":{}", "[".repeat(100_000));
        assert_eq!(read("deep", deep.as_bytes()).unwrap().faulty, 1);
    }

    #[test]
    fn wanted_signatures_and_events() {
        let path = std::env::temp_dir().join(format!("pcapper-eve-wanted-{}", std::process::id()));
        std::fs::write(&path, ALERT).unwrap();
        let alerts = |wanted: Wanted| {
            let mut loaded = Loaded::default();
            loaded.read(&path, Some("a.pcap"), &wanted).unwrap();
            loaded.alerts.len()
        };
        assert_eq!(alerts(Wanted { sids: Some([2_100_498].into()), ..Wanted::default() }), 1);
        assert_eq!(alerts(Wanted { sids: Some([1].into()), ..Wanted::default() }), 0);
        assert_eq!(alerts(Wanted { without: [2_100_498].into(), ..Wanted::default() }), 0);
        assert_eq!(alerts(Wanted { events: Some(["flow".to_owned()].into()), ..Wanted::default() }), 0);
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn statistics_are_notices() {
        let stats = r#"{"timestamp":"2026-11-23T08:42:40+0000","event_type":"stats","stats":{"decoder":{"pkts":9,"invalid":2,"event":{"ipv4":{"trunc_pkt":1,"pkt_too_small":0}}},"tcp":{"reassembly_gap":3},"detect":{"engines":[{"id":0,"rules_loaded":12}]}}}"#;
        let loaded = read("stats", stats.as_bytes()).unwrap();
        let count = |name: &str| loaded.counts.get(&(None, "stats".to_owned(), Some(name.to_owned()))).copied();
        assert_eq!((count("decoder.invalid"), count("tcp.reassembly_gap"), count("decoder.event.ipv4.trunc_pkt")), (Some(2), Some(3), Some(1)));
        assert_eq!(count("decoder.event.ipv4.pkt_too_small"), None);
        assert_eq!(loaded.properties, [(None, "rules".to_owned(), "12".to_owned())]);
    }

    #[test]
    fn times_have_their_offset() {
        for (text, same) in [
            ("2026-01-01T01:00:00.5+0100", "2026-01-01T00:00:00.5Z"),
            ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
            ("2026-01-01T00:00:00", "2026-01-01T00:00:00Z"),
        ] {
            assert_eq!(time(text), string_to_timestamp_nanos(same).ok(), "{text}");
        }
        assert_eq!((time(""), time("é"), time("+0000")), (None, None, None));
    }
}
