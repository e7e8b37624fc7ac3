use std::path::Path;

use super::*;

/// What tcpdump counts.
const COUNTS: &str = include_str!("counts.tsv");

/// A sample's Ethernet frame as another link type, or tag or tunnel, would carry it.
fn wrapped(how: &str, frame: &[u8]) -> (u16, Vec<u8>) {
    let (macs, kind, payload) = (&frame[..12], &frame[12..14], &frame[14..]);
    let ether_type = u16::from_be_bytes([kind[0], kind[1]]);
    let ppp = match ether_type {
        0x0800 => [0, 0x21],
        0x86dd => [0, 0x57],
        _ => [kind[0], kind[1]],
    };
    let mpls = |label: u32, low: u32| (label << 12 | low).to_be_bytes();
    let (to, from) = (&frame[..6], &frame[6..12]);
    match how {
        "-" => (1, frame.to_vec()),
        "cut" => (1, frame[..frame.len().min(30)].to_vec()),
        "raw" => (101, payload.to_vec()),
        "null" => {
            let family: u32 = match ether_type {
                0x0800 => 2,
                0x86dd => 30,
                _ => 0,
            };
            (0, [&family.to_le_bytes()[..], payload].concat())
        }
        "sll" => (113, [&[0, frame[0] & 1, 0, 1, 0, 6], from, &[0, 0], kind, payload].concat()),
        "sll2" => {
            let sent = if frame[11] & 1 == 1 { 4 } else { 0 };
            (276, [kind, &[0, 0, 0, 0, 0, 3, 0, 1, sent, 6], from, &[0, 0], payload].concat())
        }
        "ppp" => (9, [&[0xff, 0x03], &ppp[..], payload].concat()),
        "chdlc" => (104, [&[0x0f, 0], kind, payload].concat()),
        "vlan" => (1, [macs, &[0x81, 0, 0, 100], kind, payload].concat()),
        "qinq" => (1, [macs, &[0x88, 0xa8, 0, 200, 0x81, 0, 0, 100], kind, payload].concat()),
        "mpls" => (1, [macs, &[0x88, 0x47], &mpls(16001, 0x140)[..], payload].concat()),
        "mpls2" => (1, [macs, &[0x88, 0x47], &mpls(16001, 0x40)[..], &mpls(33, 0x140)[..], payload].concat()),
        "pppoe" => {
            let length = (payload.len() as u16 + 2).to_be_bytes();
            (1, [macs, &[0x88, 0x64, 0x11, 0, 0, 17], &length[..], &ppp[..], payload].concat())
        }
        "wlan" => {
            let radio = [0, 0, 9, 0, 2, 0, 0, 0, 0];
            (127, [&radio[..], &[8, 1, 0, 0], from, from, to, &[0, 0, 0xaa, 0xaa, 3, 0, 0, 0], kind, payload].concat())
        }
        "qos" => {
            let radio = [0, 0, 12, 0, 2, 0, 0, 0, 0x20, 0, 0, 0];
            (127, [&radio[..], &[0x88, 2, 0, 0], to, from, from, &[0, 0, 0, 0, 0, 0, 0xaa, 0xaa, 3, 0, 0, 0], kind, payload].concat())
        }
        other => panic!("{other}"),
    }
}

#[test]
fn counts_are_those_of_tcpdump() {
    let mut expressions = 0;
    let mut wrong = Vec::new();
    for line in COUNTS.lines().filter(|line| !line.starts_with('#')) {
        let [sample, how, expression, count] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let filter = Filter::parse(expression).unwrap_or_else(|error| panic!("{expression}: {error}"));
        let mut matcher = Matcher::new(&filter);
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sample-data").join(sample);
        let mut reader = CaptureReader::open(&path).unwrap();
        let mut chunk = Chunk::default();
        let mut found = 0;
        while reader.next_chunk(&mut chunk) {
            for meta in &chunk.frames {
                let (link_type, bytes) = wrapped(how, chunk.bytes(meta));
                let frame_len = if how == "cut" { meta.frame_len } else { bytes.len() as u32 };
                let meta = FrameMeta { link_type, frame_len, captured_len: bytes.len() as u32, ..*meta };
                found += u64::from(matcher.matches(&meta, &bytes).unwrap_or_else(|error| panic!("{how} {expression}: {error}")));
            }
        }
        expressions += 1;
        if found.to_string() != count {
            wrong.push(format!("{sample} {how} {expression}: {found}, tcpdump {count}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
    assert!(expressions > 300, "{expressions}");
}

/// The error of an expression on Ethernet frames.
fn error(expression: &str) -> (String, usize) {
    let error = match Filter::parse(expression) {
        Err(error) => error,
        Ok(filter) => filter.program(1).unwrap_err(),
    };
    (error.message, error.position)
}

#[test]
fn errors_say_where() {
    for (expression, position, part) in [
        ("tcp prot 80", 5, "does not fit here"),
        ("tcp and", 8, "ends too early"),
        ("host 10.0.0.300", 6, "no IPv4 address"),
        ("port 70000", 6, "no port 70000"),
        ("port 80 or nosuchport", 12, "is no port"),
        ("gateway 10.0.0.1", 1, "names of hosts"),
        ("10.0.0.1", 1, "say what it is"),
        ("tcp or 80", 8, "nothing says what this is"),
        ("(tcp and udp", 13, "\")\" is missing"),
        ("tcp[0:3] = 1", 8, "1, 2 or 4"),
        ("len / 0 = 1", 5, "division by zero"),
        ("net 10.0.0.1/8", 5, "not the network's"),
        ("host example.com", 6, "not looked up"),
        ("inbound", 1, "in which direction"),
        ("vlan 5000", 6, "greater than 4095"),
        ("tcp host 10.0.0.1", 10, "no IPv4 addresses"),
        ("host 00:11:22:33:44:55", 6, "needs \"ether\""),
        ("type mgt", 1, "not 802.11"),
        ("tcp ? udp", 5, "unexpected character"),
        ("ip proto 0x1g", 10, "number of 32 bits"),
    ] {
        let (message, at) = error(expression);
        assert!(message.contains(part), "{expression}: {message}");
        assert_eq!(at, position, "{expression}: {message}");
    }
    let deep = format!("{}tcp{}", "(".repeat(5000), ")".repeat(5000));
    assert!(error(&deep).0.contains("nested too deeply"));
    let deep = format!("{}tcp", "not ".repeat(5000));
    assert!(error(&deep).0.contains("nested too deeply"));
}

#[test]
fn only_length_and_bytes_can_be_asked_of_other_link_types() {
    let meta =
        FrameMeta { number: 1, ts: 0, has_ts: true, start: 0, captured_len: 4, frame_len: 64, interface: 0, link_type: 227, fcs_len: 0, shard: 0 };
    let asked = |expression: &str| {
        let filter = Filter::parse(expression).unwrap();
        Matcher::new(&filter).matches(&meta, &[1, 2, 3, 4]).map_err(|error| error.to_string())
    };
    assert_eq!(asked("greater 60 and link[1:2] = 0x0203"), Ok(true));
    assert_eq!(asked("link[3:2] = 1 or greater 60"), Ok(false), "a byte that is not there");
    assert!(asked("greater 60 and tcp").unwrap_err().contains("CAN_SOCKETCAN; less, greater, len and link[...] can (position 16)"));
}
