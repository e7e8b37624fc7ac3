//! A database in MaxMind's format (MMDB 2.0), as small as a test needs it: a tree of 24-bit records over IPv6, in which IPv4 lies
//! below ::/96, then the data, then the metadata.

use std::net::IpAddr;
use std::path::Path;

/// A value of the data section.
pub enum Value<'v> {
    Text(&'v str),
    U16(u16),
    U32(u32),
    U64(u64),
    Map(Vec<(&'v str, Value<'v>)>),
}

#[derive(Clone, Copy)]
enum Record {
    Nothing,
    Node(usize),
    Data(usize),
}

fn control(kind: u8, size: usize, out: &mut Vec<u8>) {
    assert!(size < 285);
    let (short, more) = if size < 29 { (size as u8, None) } else { (29, Some((size - 29) as u8)) };
    // Kinds above 7 follow in an octet of their own.
    if kind > 7 {
        out.extend([short, kind - 7]);
    } else {
        out.push(kind << 5 | short);
    }
    out.extend(more);
}

/// As many octets as the number needs.
fn number_of(kind: u8, number: u64, out: &mut Vec<u8>) {
    let bytes: Vec<u8> = number.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
    control(kind, bytes.len(), out);
    out.extend(bytes);
}

fn encode(value: &Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Text(text) => {
            control(2, text.len(), out);
            out.extend(text.as_bytes());
        }
        Value::U16(number) => number_of(5, u64::from(*number), out),
        Value::U32(number) => number_of(6, u64::from(*number), out),
        Value::U64(number) => number_of(9, *number, out),
        Value::Map(entries) => {
            control(7, entries.len(), out);
            for (key, value) in entries {
                encode(&Value::Text(key), out);
                encode(value, out);
            }
        }
    }
}

/// Writes a database of networks and their records, made at `built` (seconds since 1970).
pub fn write(path: &Path, kind: &str, built: u64, networks: &[(&str, Value<'_>)]) -> String {
    let (mut nodes, mut data) = (vec![[Record::Nothing; 2]], Vec::new());
    for (network, value) in networks {
        let (base, length) = network.split_once('/').unwrap();
        let length: u32 = length.parse().unwrap();
        let (bits, length) = match base.parse().unwrap() {
            IpAddr::V4(ip) => (u128::from(ip.to_bits()), length + 96),
            IpAddr::V6(ip) => (ip.to_bits(), length),
        };
        let at = data.len();
        encode(value, &mut data);
        let mut node = 0;
        for depth in 0..length {
            let side = (bits >> (127 - depth) & 1) as usize;
            if depth + 1 == length {
                nodes[node][side] = Record::Data(at);
            } else if let Record::Node(next) = nodes[node][side] {
                node = next;
            } else {
                nodes.push([Record::Nothing; 2]);
                let next = nodes.len() - 1;
                nodes[node][side] = Record::Node(next);
                node = next;
            }
        }
    }
    let count = nodes.len();
    let mut file = Vec::new();
    for record in nodes.iter().flatten() {
        let number = match record {
            Record::Nothing => count,
            Record::Node(node) => *node,
            Record::Data(at) => count + 16 + at,
        };
        file.extend(&(number as u32).to_be_bytes()[1..]);
    }
    file.extend([0; 16]);
    file.extend(data);
    file.extend(b"\xab\xcd\xefMaxMind.com");
    let metadata = [
        ("binary_format_major_version", Value::U16(2)),
        ("binary_format_minor_version", Value::U16(0)),
        ("build_epoch", Value::U64(built)),
        ("database_type", Value::Text(kind)),
        ("description", Value::Map(Vec::new())),
        ("ip_version", Value::U16(6)),
        ("node_count", Value::U32(count as u32)),
        ("record_size", Value::U16(24)),
    ];
    control(7, metadata.len() + 1, &mut file);
    for (key, value) in &metadata {
        encode(&Value::Text(key), &mut file);
        encode(value, &mut file);
    }
    encode(&Value::Text("languages"), &mut file);
    // A list without items.
    control(11, 0, &mut file);
    std::fs::write(path, file).unwrap();
    path.to_string_lossy().into_owned()
}

/// A database of countries and cities: 9.9.9.0/24 in Zürich, 2620:fe::/48 in the United States, 198.41.0.0/16 in a country
/// without a city.
pub fn cities(path: &Path, built: u64) -> String {
    let country = |code| ("country", Value::Map(vec![("iso_code", Value::Text(code))]));
    let city = |name| ("city", Value::Map(vec![("names", Value::Map(vec![("en", Value::Text(name))]))]));
    let networks = [
        ("9.9.9.0/24", Value::Map(vec![country("CH"), city("Zürich")])),
        ("2620:fe::/48", Value::Map(vec![country("US")])),
        ("198.41.0.0/16", Value::Map(vec![country("NL")])),
    ];
    write(path, "Test-City", built, &networks)
}

/// A database of operators: 9.9.9.0/24 is of AS 19281.
pub fn operators(path: &Path, built: u64) -> String {
    let operator =
        Value::Map(vec![("autonomous_system_number", Value::U32(19281)), ("autonomous_system_organization", Value::Text("Quad Nine\u{1b}[31m"))]);
    write(path, "Test-ASN", built, &[("9.9.9.0/24", operator)])
}
