//! What an analyzer found, ready for any renderer: named sections of raw typed values.

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};

/// How a section wants to be shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// One row: label and value a line.
    Facts,
    /// Rows and columns.
    Table,
    /// The shape of the `findings` table.
    Findings,
    /// Events in order of time.
    Timeline,
    /// A measure over time or classes.
    Series,
    /// Rows with a `depth` column.
    Tree,
}

impl Shape {
    /// Name as written after `shape=` and in exports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Facts => "facts",
            Self::Table => "table",
            Self::Findings => "findings",
            Self::Timeline => "timeline",
            Self::Series => "series",
            Self::Tree => "tree",
        }
    }
}

/// One section of a report.
#[derive(Clone, Debug)]
pub struct Section {
    pub name: String,
    pub shape: Shape,
    /// Rows a terminal shows unless asked for all.
    pub limit: Option<usize>,
    pub rows: RecordBatch,
}

/// All that one analyzer says of one capture, or of several together.
#[derive(Clone, Debug)]
pub struct Report {
    /// The analyzer's name: its flag without dashes, `-` as `_`.
    pub analyzer: String,
    pub title: String,
    /// What the title names after `::`.
    pub subject: String,
    pub sections: Vec<Section>,
    /// Rows in the shape of the `findings` table, most severe first.
    pub findings: RecordBatch,
}

/// What a column's values measure; decides how they are shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    Count,
    Bytes,
    Seconds,
    Milliseconds,
    Time,
    /// 0 to 1.
    Share,
    /// A number that is no quantity: port, id, code.
    Id,
    Text,
}

impl Unit {
    /// Name in exports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Bytes => "bytes",
            Self::Seconds => "seconds",
            Self::Milliseconds => "milliseconds",
            Self::Time => "time",
            Self::Share => "share",
            Self::Id => "id",
            Self::Text => "text",
        }
    }

    /// The unit of a column, from its name's suffix and its type.
    pub fn of(name: &str, data_type: &DataType) -> Self {
        if matches!(data_type, DataType::Timestamp(..)) {
            return Self::Time;
        }
        if !data_type.is_numeric() {
            return Self::Text;
        }
        let ends = |suffix: &str| name.ends_with(suffix);
        if ends("_len") || name.split(['_', ' ']).any(|word| word.eq_ignore_ascii_case("bytes")) {
            Self::Bytes
        } else if ends("_ms") {
            Self::Milliseconds
        } else if ends("_s") || name == "duration" || ends(" Duration") || name == "Span" {
            Self::Seconds
        } else if ends("_share") || name == "share" {
            Self::Share
        } else if ["port", "frame", "id", "vlan", "code", "type", "tid", "version", "asn"]
            .iter()
            .any(|word| name == *word || name.ends_with(&format!("_{word}")))
        {
            Self::Id
        } else {
            Self::Count
        }
    }
}

/// Words that stay in capitals in labels.
const CAPITALS: &[&str] = &[
    "ip", "mac", "tcp", "udp", "dns", "tls", "http", "id", "url", "uri", "vlan", "ttl", "rtt", "sni", "ja3", "ja3s", "ja4", "ja4s", "alpn", "os",
    "ecn", "dscp", "url", "ca", "cn", "san", "sql", "icmp", "arp", "dhcp", "ntp", "nx", "txt", "mtu", "qos", "pcp", "dei", "oui", "ot", "sha256",
    "appid", "asn", "ioa", "spi", "sha1", "md5", "bssid", "ssid", "llmnr", "dnssec", "kdc", "crc", "uuid", "mms", "pdu", "apdu", "rpi",
];

/// Words that are written in a way of their own.
const SPELLED: &[(&str, &str)] = &[
    ("ts", "Time"),
    ("mdns", "mDNS"),
    ("kdcs", "KDCs"),
    ("uuids", "UUIDs"),
    ("pdus", "PDUs"),
    ("apdus", "APDUs"),
    ("ips", "IPs"),
    ("vlans", "VLANs"),
    ("macs", "MACs"),
];

/// What a column is called in a report: its name in words, without the unit.
pub fn label(name: &str) -> String {
    let bare = ["_bytes", "_ms", "_s", "_share"].iter().find_map(|suffix| name.strip_suffix(suffix).filter(|rest| !rest.is_empty())).unwrap_or(name);
    let mut label = String::new();
    for word in bare.split('_').filter(|word| !word.is_empty()) {
        if !label.is_empty() {
            label.push(' ');
        }
        if let Some((_, spelled)) = SPELLED.iter().find(|(plain, _)| *plain == word) {
            label.push_str(spelled);
        } else if CAPITALS.contains(&word) {
            label.push_str(&word.to_uppercase());
        } else {
            let mut letters = word.chars();
            if let Some(first) = letters.next() {
                label.extend(first.to_uppercase());
                label.push_str(letters.as_str());
            }
        }
    }
    // A count and its share of all stand side by side, as a rule.
    if name.ends_with("_share") {
        label.push_str(" %");
    }
    // A name that carries capitals or blanks was chosen as a label; words open with a capital, terms of a protocol (`stNum`) as they do.
    if bare.contains(' ') {
        let mut letters = bare.chars();
        let first = letters.next().into_iter().flat_map(char::to_uppercase);
        // A first word with capitals inside is such a term.
        if bare.split(' ').next().is_some_and(|word| word.contains(char::is_uppercase)) { bare.to_owned() } else { first.chain(letters).collect() }
    } else if name.contains(char::is_uppercase) {
        name.to_owned()
    } else {
        label
    }
}

/// The rows of a section without any, for a schema.
pub fn no_rows(schema: &SchemaRef) -> RecordBatch {
    RecordBatch::new_empty(SchemaRef::clone(schema))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_units() {
        assert_eq!(label("src_ip"), "Src IP");
        assert_eq!(label("orig_bytes"), "Orig");
        assert_eq!(label("bytes"), "Bytes");
        assert_eq!(label("packets_share"), "Packets %");
        assert_eq!(label("Total Packets"), "Total Packets");
        assert_eq!(label("ts"), "Time");
        assert_eq!(label("last value"), "Last value");
        assert_eq!(label("stNum of all"), "stNum of all");
        assert_eq!(label("95 % within_ms"), "95 % within");
        assert_eq!(Unit::of("Sent bytes", &DataType::UInt64), Unit::Bytes);
        assert_eq!(Unit::of("wire_bytes", &DataType::UInt64), Unit::Bytes);
        assert_eq!(Unit::of("bytes_sent", &DataType::UInt64), Unit::Bytes);
        assert_eq!(Unit::of("Total Bytes", &DataType::UInt64), Unit::Bytes);
        assert_eq!(Unit::of("dst_port", &DataType::UInt16), Unit::Id);
        assert_eq!(Unit::of("queries", &DataType::Int64), Unit::Count);
        assert_eq!(Unit::of("rtt_p95_ms", &DataType::Float64), Unit::Milliseconds);
    }
}
