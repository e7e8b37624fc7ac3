//! DNS (RFC 1034, 1035) over UDP and TCP, multicast DNS (RFC 6762) and LLMNR (RFC 4795).
//!
//! Messages that other dissectors find inside TLS, HTTPS or QUIC are decoded by [`decode`] as well.

mod edns;
mod message;
mod name;
mod pairing;
mod rdata;
mod types;

use crate::protocols::{Cx, DatagramDissector, DatagramKind, Group, Offer, Outcome, Progress, Protocol, StreamDissector, StreamKind, Verdict};
use crate::wire::Reader;
use message::Outline;

pub use message::decode;
pub use name::registered_domain;
pub use pairing::Conversation;

/// DNS on any port; multicast DNS and LLMNR on theirs.
pub static PROTOCOL: Protocol = Protocol {
    name: "dns",
    group: Group::It,
    ports: &[DNS_PORT, MDNS_PORT, LLMNR_PORT],
    datagram: Some(DatagramKind { ip_protos: &[17], probe: probe_datagram, start: || Box::<Datagrams>::default() }),
    stream: Some(StreamKind { probe: probe_stream, start: || Box::<Streams>::default() }),
    ..Protocol::NONE
};

const DNS_PORT: u16 = 53;
const MDNS_PORT: u16 = 5353;
const LLMNR_PORT: u16 = 5355;
/// NetBIOS name service: the same header, names of another kind.
const NBNS_PORT: u16 = 137;

/// What carries a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Carrier {
    Udp,
    Tcp,
    /// DNS over TLS, RFC 7858.
    Tls,
    /// DNS over HTTPS, RFC 8484.
    Https,
    /// DNS over QUIC, RFC 9250.
    Quic,
}

impl Carrier {
    /// As in `dns.transport`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Https => "https",
            Self::Quic => "quic",
        }
    }
}

/// Which of the three protocols a message belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Dns,
    Mdns,
    Llmnr,
}

impl Kind {
    /// By port; 53 wins, as a client may ask it from any port. Multicast DNS has no TCP.
    fn of(cx: &Cx<'_>, carrier: Carrier) -> Self {
        let has = |port| cx.ends.iter().any(|end| end.port == Some(port));
        if has(DNS_PORT) || !matches!(carrier, Carrier::Udp | Carrier::Tcp) {
            Self::Dns
        } else if has(MDNS_PORT) && carrier == Carrier::Udp {
            Self::Mdns
        } else if has(LLMNR_PORT) {
            Self::Llmnr
        } else {
            Self::Dns
        }
    }

    /// As in `dns.protocol`.
    fn name(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Mdns => "mdns",
            Self::Llmnr => "llmnr",
        }
    }
}

fn usual(cx: &Cx<'_>) -> bool {
    cx.ends.iter().any(|end| matches!(end.port, Some(DNS_PORT | MDNS_PORT | LLMNR_PORT)))
}

fn probe_datagram(offer: &Offer<'_>) -> Verdict {
    if offer.has_port(NBNS_PORT) {
        return Verdict::No;
    }
    let outline = Outline::of(offer.current());
    let mine = outline.is_some_and(|o| if offer.usual_port { o.plausible() } else { o.certain() });
    if mine { Verdict::Yes } else { Verdict::No }
}

fn probe_stream(offer: &Offer<'_>) -> Verdict {
    let mut rest = Reader::new(offer.current());
    let Ok(length) = rest.be_u16() else { return Verdict::More };
    if usize::from(length) < message::HEADER {
        return Verdict::No;
    }
    let mine = match (rest.take(usize::from(length)), offer.usual_port) {
        (Ok(message), true) => Outline::of(message).is_some_and(|o| o.plausible()),
        (Ok(message), false) => Outline::of(message).is_some_and(|o| o.certain()),
        (Err(_), usual) => {
            return match rest.array::<{ message::HEADER }>() {
                Ok(header) if message::header_makes_sense(&header, usize::from(length), usual) => Verdict::More,
                Ok(_) => Verdict::No,
                Err(_) => Verdict::More,
            };
        }
    };
    if mine { Verdict::Yes } else { Verdict::No }
}

/// The datagrams of one flow.
#[derive(Default)]
struct Datagrams {
    conversation: Conversation,
}

impl DatagramDissector for Datagrams {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        let usual = usual(cx);
        match Outline::of(payload) {
            Some(outline) if outline.certain() || usual && outline.plausible() => {
                decode(cx, Carrier::Udp, payload, &mut self.conversation);
                Outcome::Decoded
            }
            _ => Outcome::NotMine,
        }
    }
}

/// The two streams of one connection: each message has its length before it (RFC 1035 section 4.2.2).
#[derive(Default)]
struct Streams {
    conversation: Conversation,
    /// Bytes were lost in this direction and no message was recognized since.
    lost: [bool; 2],
}

impl Streams {
    /// Decodes the message at the start of `bytes`; `None` while it is incomplete, else the bytes it took.
    fn message(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Option<usize> {
        let mut rest = Reader::new(bytes);
        let length = rest.be_u16().ok()?;
        let message = rest.take(usize::from(length)).ok()?;
        let lost = self.lost.get_mut(cx.dir.index())?;
        match Outline::of(message) {
            Some(outline) if outline.certain() || !*lost && outline.plausible() => {
                *lost = false;
                let carrier = if cx.is_decrypted() { Carrier::Tls } else { Carrier::Tcp };
                decode(cx, carrier, message, &mut self.conversation);
            }
            _ if !*lost => cx.anomaly("dns", "bad_length", "TCP length prefix is not followed by a DNS message"),
            // Not a message boundary: the rest of what arrived cannot be told apart either.
            _ => return Some(bytes.len()),
        }
        Some(usize::from(length).saturating_add(2))
    }
}

impl StreamDissector for Streams {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let mut done = 0usize;
        while let Some(used) = self.message(cx, bytes.get(done..).unwrap_or_default()) {
            done = done.saturating_add(used);
        }
        Progress::Consumed(done)
    }

    fn gap(&mut self, cx: &mut Cx<'_>, _missing: u64) -> bool {
        if let Some(lost) = self.lost.get_mut(cx.dir.index()) {
            *lost = true;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use arrow::array::{Array as _, RecordBatch};
    use arrow::util::display::array_value_to_string;
    use pcapper_schema::tables::{Anomalies, Dns, DnsRecords};
    use pcapper_schema::{Row, TableSet};

    use super::*;
    use crate::protocols::{Dir, Endpoint, Shared};

    #[derive(Default)]
    struct World {
        tables: TableSet,
        shared: Shared,
        frame: u64,
    }

    impl World {
        /// The next frame, a millisecond after the one before, between 10.0.0.1 and 10.0.0.2.
        fn cx(&mut self, ports: [u16; 2], dir: Dir) -> Cx<'_> {
            self.frame += 1;
            let end = |last, port| Endpoint { ip: Some(IpAddr::from([10, 0, 0, last])), port: Some(port), mac: None };
            let [orig, resp] = ports;
            Cx {
                tables: &mut self.tables,
                shared: &mut self.shared,
                frame: self.frame,
                ts: self.frame as i64 * 1_000_000,
                packet: None,
                flow_id: Some(1),
                ends: [end(1, orig), end(2, resp)],
                dir,
                frames_spanned: 1,
            }
        }

        fn rows<R: Row>(&mut self) -> RecordBatch {
            R::slot(&mut self.tables).finish("c", "i")
        }
    }

    /// Cells of one row as text, nulls as `-`.
    fn cells(batch: &RecordBatch, row: usize, columns: &[&str]) -> Vec<String> {
        let cell = |name: &&str| {
            let column = batch.column_by_name(name).unwrap();
            if column.is_null(row) { "-".into() } else { array_value_to_string(column, row).unwrap() }
        };
        columns.iter().map(cell).collect()
    }

    fn message(id: u16, flags: u16, counts: [u16; 4], rest: &[u8]) -> Vec<u8> {
        let mut bytes = [id.to_be_bytes(), flags.to_be_bytes()].concat();
        counts.iter().for_each(|count| bytes.extend(count.to_be_bytes()));
        bytes.extend(rest);
        bytes
    }

    const QUESTION: &[u8] = b"\x03wWw\x07example\x03com\0\0\x01\0\x01";

    fn query() -> Vec<u8> {
        message(0x1234, 0x0100, [1, 0, 0, 1], &[QUESTION, b"\0\0\x29\x04\xd0\0\0\x80\0\0\0"].concat())
    }

    fn response() -> Vec<u8> {
        let cname = b"\xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x04\x01a\xc0\x10";
        let address = b"\xc0\x2d\0\x01\0\x01\0\0\0\x1e\0\x04\xc0\0\x02\x01";
        message(0x1234, 0x8583, [1, 2, 0, 0], &[QUESTION, cname, address].concat())
    }

    #[test]
    fn query_and_response() {
        let mut world = World::default();
        let mut flow = Datagrams::default();
        assert_eq!(flow.datagram(&mut world.cx([40000, 53], Dir::Orig), &query()), Outcome::Decoded);
        assert_eq!(flow.datagram(&mut world.cx([40000, 53], Dir::Resp), &response()), Outcome::Decoded);
        let dns = world.rows::<Dns>();
        let names = ["query", "qtype_name", "query_length", "label_count", "registered_domain", "rcode", "aa", "ra", "rd"];
        assert_eq!(cells(&dns, 0, &names), ["wWw.example.com", "A", "15", "3", "example.com", "-", "-", "-", "true"]);
        assert_eq!(cells(&dns, 1, &names), ["wWw.example.com", "A", "15", "3", "example.com", "3", "true", "true", "true"]);
        let edns = ["edns_version", "edns_udp_size", "edns_do", "edns_options", "message_bytes", "retransmission", "unsolicited"];
        assert_eq!(cells(&dns, 0, &edns), ["0", "1232", "true", "-", "44", "false", "-"]);
        let pair = ["rcode_name", "answers", "ttls", "request_frame", "rtt_ms", "unsolicited", "trailing_bytes"];
        assert_eq!(cells(&dns, 1, &pair), ["NXDOMAIN", "[a.example.com, 192.0.2.1]", "[60, 30]", "1", "1.0", "false", "0"]);
        let records = world.rows::<DnsRecords>();
        let names = ["section", "name", "type_name", "class", "ttl", "data", "address", "target"];
        assert_eq!(cells(&records, 0, &names), ["additional", ".", "OPT", "-", "-", "-", "-", "-"]);
        assert_eq!(cells(&records, 1, &names), ["answer", "wWw.example.com", "CNAME", "1", "60", "a.example.com", "-", "a.example.com"]);
        assert_eq!(cells(&records, 2, &names), ["answer", "a.example.com", "A", "1", "30", "192.0.2.1", "192.0.2.1", "-"]);
    }

    #[test]
    fn several_messages_a_segment_and_a_split_length() {
        let framed = |bytes: Vec<u8>| [(bytes.len() as u16).to_be_bytes().to_vec(), bytes].concat();
        let stream = [framed(query()), framed(query()), framed(query())].concat();
        let cut = 2 * (query().len() + 2) + 1;
        let mut world = World::default();
        let mut flow = Streams::default();
        assert_eq!(flow.data(&mut world.cx([40000, 53], Dir::Orig), &stream[..cut]), Progress::Consumed(cut - 1));
        assert_eq!(flow.data(&mut world.cx([40000, 53], Dir::Orig), &stream[cut - 1..]), Progress::Consumed(query().len() + 2));
        // After a gap only a whole message is taken up again.
        assert!(flow.gap(&mut world.cx([40000, 53], Dir::Orig), 100));
        assert_eq!(flow.data(&mut world.cx([40000, 53], Dir::Orig), b"\0\x0dnot a message"), Progress::Consumed(15));
        assert_eq!(flow.data(&mut world.cx([40000, 53], Dir::Orig), &framed(query())), Progress::Consumed(query().len() + 2));
        let dns = world.rows::<Dns>();
        let frames: Vec<_> = (0..dns.num_rows()).map(|row| cells(&dns, row, &["frame", "transport", "retransmission"]).concat()).collect();
        assert_eq!(frames, ["1tcpfalse", "1tcptrue", "2tcptrue", "5tcptrue"]);
    }

    #[test]
    fn multicast_bits_and_update_sections() {
        let mut world = World::default();
        let question = b"\x01h\x05local\0\0\xff\x80\x01";
        let record = b"\xc0\x0c\0\x10\x80\x01\0\0\0\x78\0\x03\0\x01x";
        let bytes = message(0, 0, [1, 0, 1, 0], &[&question[..], record].concat());
        Datagrams::default().datagram(&mut world.cx([5353, 5353], Dir::Orig), &bytes);
        let dns = world.rows::<Dns>();
        let names = ["protocol", "qclass", "unicast_response", "rd", "registered_domain", "retransmission"];
        assert_eq!(cells(&dns, 0, &names), ["mdns", "1", "true", "-", "-", "false"]);
        let records = world.rows::<DnsRecords>();
        assert_eq!(cells(&records, 0, &["section", "class", "cache_flush", "data", "text"]), ["authority", "1", "true", "\"\" \"x\"", "[x]"]);

        // A deletion has no data.
        let update = b"\xc0\x10\0\x01\0\xff\0\0\0\0\0\0";
        let bytes = message(7, 0x2800, [1, 0, 1, 0], &[QUESTION, update].concat());
        Datagrams::default().datagram(&mut world.cx([40000, 53], Dir::Orig), &bytes);
        let records = world.rows::<DnsRecords>();
        assert_eq!(cells(&records, 0, &["section", "name", "class", "data", "address"]), ["update", "example.com", "255", "-", "-"]);
    }

    #[test]
    fn damaged_messages_keep_what_was_read() {
        let mut world = World::default();
        let whole = response();
        let cut = &whole[..whole.len() - 2];
        assert_eq!(Datagrams::default().datagram(&mut world.cx([40000, 53], Dir::Resp), cut), Outcome::Decoded);
        let dns = world.rows::<Dns>();
        let names = ["answers_count", "answers", "trailing_bytes", "unsolicited"];
        assert_eq!(cells(&dns, 0, &names), ["2", "[a.example.com]", "-", "true"]);
        let records = world.rows::<DnsRecords>();
        assert_eq!(cells(&records, 1, &["type_name", "rdata_bytes", "data"]), ["A", "4", "-"]);
        assert_eq!(cells(&world.rows::<Anomalies>(), 0, &["protocol", "kind"]), ["dns", "bad_length"]);

        let trailer = [query(), b"secret!!".to_vec()].concat();
        Datagrams::default().datagram(&mut world.cx([40000, 53], Dir::Orig), &trailer);
        assert_eq!(cells(&world.rows::<Dns>(), 0, &["trailing_bytes", "message_bytes"]), ["8", "52"]);
    }

    #[test]
    fn probes() {
        let asked = |bytes: &[u8], port: u16| {
            let offer = Offer { bytes: [bytes, &[]], dir: Dir::Orig, ports: [Some(40000), Some(port)], usual_port: port == 53, src: None, dst: None };
            (probe_datagram(&offer), probe_stream(&offer))
        };
        assert_eq!(asked(&query(), 53).0, Verdict::Yes);
        assert_eq!(asked(&response(), 8053).0, Verdict::Yes);
        assert_eq!(asked(&response(), 137).0, Verdict::No);
        assert_eq!(asked(&query()[..30], 8053).0, Verdict::No);
        assert_eq!(asked(&query()[..30], 53).0, Verdict::Yes);
        let netbios = message(1, 0x0110, [1, 0, 0, 0], b"\x20CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\0\0\x21\0\x01");
        assert_eq!(asked(&netbios, 1137).0, Verdict::No);
        assert_eq!(asked(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 80), (Verdict::No, Verdict::No));
        let framed = [&[0, 44][..], &query()].concat();
        assert_eq!(asked(&framed[..1], 8053).1, Verdict::More);
        assert_eq!(asked(&framed[..20], 8053).1, Verdict::More);
        assert_eq!(asked(&framed, 8053).1, Verdict::Yes);
        assert_eq!(asked(b"\x00\x01", 53).1, Verdict::No);
    }
}
