//! Genisys: code lines between railway offices and field locations (Union Switch & Signal). No specification is public; the
//! framing is that of the ICSNPP parser's description, and fits the traffic there is.
//!
//! ```text
//! header:1 (f1 to fe)  station:1  { address:1 value:1 }  [CRC:2, low octet first]  f6
//! an octet of f0 and above in the pairs is sent as f0 and its low half; the CRC is sent as it is
//! ```

use std::borrow::Cow;

use pcapper_schema::tables::{Genisys, OtCommands, ProcessValues};
use rustc_hash::FxHashMap;

use super::points::{self, Owner};
use super::serial::{Found, Serial, SerialLine};
use crate::protocols::{Cx, Group, Offer, Protocol, StreamKind, Verdict};

/// Genisys on any port: it has none of its own.
pub static PROTOCOL: Protocol = Protocol {
    name: "genisys",
    group: Group::Ot,
    stream: Some(StreamKind { probe, start: || Box::new(Serial::new(Line::default())) }),
    ..Protocol::NONE
};

const END: u8 = 0xf6;
const ESCAPE: u8 = 0xf0;
/// Longest message: 256 pairs, each octet escaped, and what surrounds them.
const MAX_MESSAGE: usize = 1100;
/// Messages with right CRCs that identify a flow.
const ENOUGH: usize = 3;
/// Values that are remembered.
const MAX_VALUES: usize = 4096;

/// Name, category, and whether the office sends it.
fn kind(header: u8) -> Option<(&'static str, &'static str, bool)> {
    Some(match header {
        0xf1 => ("acknowledge_client", "ack", false),
        0xf2 => ("indication_data", "indication", false),
        0xf3 => ("control_data_checkback", "checkback", false),
        0xf9 => ("common_control_data", "control", true),
        0xfa => ("acknowledge_indication_and_poll", "poll", true),
        0xfb => ("poll", "poll", true),
        0xfc => ("control_data", "control", true),
        0xfd => ("recall_header", "recall", true),
        0xfe => ("execute_controls", "execute", true),
        _ => return None,
    })
}

/// CRC-16 with the polynomial 0xA001, from all ones.
fn crc(bytes: impl Iterator<Item = u8>) -> u16 {
    bytes.fold(0xffff, |crc: u16, octet| (0..8).fold(crc ^ u16::from(octet), |crc, _| if crc & 1 != 0 { crc >> 1 ^ 0xa001 } else { crc >> 1 }))
}

/// A message.
struct Message {
    header: u8,
    server: Option<u8>,
    pairs: Vec<(u8, u8)>,
    /// As sent, and as computed.
    crc: Option<(u16, u16)>,
}

fn find(bytes: &[u8]) -> Found<Message> {
    let Some((header, rest)) = bytes.split_first() else { return Found::Part };
    if kind(*header).is_none() {
        return Found::Nothing;
    }
    let window = rest.get(..MAX_MESSAGE).unwrap_or(rest);
    let Some(first) = window.iter().position(|octet| *octet == END) else {
        return if window.len() < MAX_MESSAGE { Found::Part } else { Found::Nothing };
    };
    // The CRC is not escaped: what looks like the end may be one of its octets.
    let mut doubtful = None;
    for end in first..first + 3 {
        match window.get(end) {
            Some(&END) => {}
            Some(_) => continue,
            // A message that may go on: all of it is wanted before its CRC is called wrong.
            None if doubtful.is_some() => return Found::Part,
            None => break,
        }
        let Some(message) = window.get(..end).and_then(|body| message(*header, body)) else { continue };
        match message.crc {
            Some((sent, computed)) if sent != computed => doubtful = doubtful.or(Some((message, end))),
            _ => return Found::Frame(message, end + 2),
        }
    }
    match doubtful {
        Some((message, end)) => Found::Frame(message, end + 2),
        None => Found::Nothing,
    }
}

/// The message between header and end; `None` if it cannot be one.
fn message(header: u8, body: &[u8]) -> Option<Message> {
    let (escaped, sent) = match body.split_last_chunk::<2>() {
        Some((pairs, sent)) if !pairs.is_empty() => (pairs, Some(*sent)),
        // An acknowledgement and a short poll go without.
        _ => (body, None),
    };
    let mut plain = Vec::with_capacity(escaped.len());
    let mut octets = escaped.iter();
    while let Some(octet) = octets.next() {
        match (*octet, octets.as_slice().first()) {
            (ESCAPE, Some(low)) if low & 0xf0 == 0 => {
                plain.push(ESCAPE | low);
                octets.next();
            }
            (ESCAPE.., _) => return None,
            (octet, _) => plain.push(octet),
        }
    }
    let Some((server, data)) = plain.split_first() else {
        return Some(Message { header, server: None, pairs: Vec::new(), crc: None });
    };
    if data.len() % 2 != 0 {
        return None;
    }
    let crc = sent.map(|sent| (u16::from_le_bytes(sent), crc(std::iter::once(header).chain(plain.iter().copied()))));
    let pairs = data.chunks_exact(2).filter_map(|pair| Some((*pair.first()?, *pair.last()?))).collect();
    Some(Message { header, server: Some(*server), pairs, crc })
}

/// Messages with right CRCs that the bytes start with; `None` if they are no messages.
fn evidence(bytes: &[u8]) -> Option<usize> {
    let (mut at, mut right) = (0, 0);
    loop {
        match find(bytes.get(at..)?) {
            Found::Frame(message, length) => {
                right += usize::from(message.crc.is_some_and(|(sent, computed)| sent == computed));
                at += length;
            }
            Found::Part => return Some(right),
            Found::Nothing => return None,
        }
    }
}

fn probe(offer: &Offer<'_>) -> Verdict {
    match offer.bytes.map(evidence) {
        [Some(a), Some(b)] if a + b >= ENOUGH => Verdict::Yes,
        [Some(_), Some(_)] => Verdict::More,
        _ => Verdict::No,
    }
}

/// A request that waits for its answer.
struct Asked {
    frame: u64,
    ts: i64,
    server: Option<u8>,
}

/// A code line.
#[derive(Default)]
struct Line {
    asked: Option<Asked>,
    /// Last indication by station and address.
    last: FxHashMap<(u8, u8), u8>,
}

impl Line {
    fn message(&mut self, cx: &mut Cx<'_>, message: &Message) {
        let Some((name, category, from_office)) = kind(message.header) else { return };
        let crc_ok = message.crc.map(|(sent, computed)| sent == computed);
        if crc_ok == Some(false) {
            cx.anomaly("genisys", "bad_checksum", "the CRC of a message is wrong");
        }
        let (addresses, data): (Vec<u8>, Vec<u8>) = message.pairs.iter().copied().unzip();
        let asked = if from_office {
            self.asked = Some(Asked { frame: cx.frame, ts: cx.ts, server: message.server });
            None
        } else {
            self.asked.take().filter(|asked| asked.server == message.server)
        };
        let mut changed: Vec<Cow<'_, str>> = Vec::new();
        if message.header == 0xf2
            && crc_ok == Some(true)
            && let Some(server) = message.server
        {
            for (address, value) in &message.pairs {
                if self.last.len() >= MAX_VALUES {
                    self.last.clear();
                }
                if let Some(before) = self.last.insert((server, *address), *value) {
                    for bit in (0..8).filter(|bit| (before ^ value) >> bit & 1 != 0) {
                        let now = value >> bit & 1;
                        changed.push(format!("{address}.{bit} {}->{now}", 1 - now).into());
                    }
                }
            }
        }
        cx.emit(Genisys {
            header_code: Some(message.header),
            header: Some(name),
            direction: Some(if from_office { "request" } else { "response" }),
            server: message.server,
            crc_present: Some(message.crc.is_some()),
            crc_transmitted: message.crc.map(|(sent, _)| sent),
            crc_calculated: message.crc.map(|(_, computed)| computed),
            crc_ok,
            addresses: Some(addresses.as_slice()).filter(|list| !list.is_empty()),
            data: Some(data.as_slice()).filter(|list| !list.is_empty()),
            changed_bits: Some(changed.as_slice()).filter(|list| !list.is_empty()),
            request_frame: asked.as_ref().map(|asked| asked.frame),
            response_time_ms: asked.as_ref().and_then(|asked| points::milliseconds(Some(asked.ts), Some(cx.ts))),
            category: Some(category),
            confidence: Some("high"),
        });
        if crc_ok == Some(true)
            && let Some(server) = message.server
        {
            tell(cx, message, server, category, asked.as_ref());
        }
    }
}

/// Values that were indicated or sent, and commands.
fn tell(cx: &mut Cx<'_>, message: &Message, server: u8, category: &'static str, asked: Option<&Asked>) {
    let common = cx.common(cx.dir);
    let unit = server.to_string();
    let is_control = category == "control";
    if is_control || category == "indication" {
        for (address, value) in &message.pairs {
            points::value(
                cx,
                &common,
                if is_control { Owner::Destination } else { Owner::Source },
                ProcessValues {
                    source_protocol: Some("genisys"),
                    request_frame: asked.map(|asked| asked.frame),
                    unit_id: Some(&unit),
                    point: Some(&format!("byte {address}")),
                    object_type: Some(if is_control { "control" } else { "indication" }),
                    direction: Some(if is_control { "write" } else { "report" }),
                    value: Some(f64::from(*value)),
                    raw_type: Some("u8"),
                    ..ProcessValues::default()
                },
            );
        }
    }
    if is_control || category == "execute" {
        let value: Vec<String> = message.pairs.iter().map(|(address, value)| format!("{address}={value}")).collect();
        let (value, code) = (value.join(", "), format!("0x{:02x}", message.header));
        points::command(
            cx,
            &common,
            false,
            OtCommands {
                protocol: Some("genisys"),
                request_frame: Some(common.frame),
                target_unit: Some(&unit),
                class: Some(if is_control { "select" } else { "operate" }),
                command: kind(message.header).map(|(name, ..)| name),
                command_code: Some(&code),
                value: Some(value.as_str()).filter(|value| !value.is_empty()),
                outcome: Some("unconfirmed"),
                ..OtCommands::default()
            },
        );
    }
}

impl SerialLine for Line {
    type Frame<'a> = Message;
    const LOST: (&'static str, &'static str, &'static str) = ("genisys", "unexpected_state", "no message where one should start");

    fn find(bytes: &[u8]) -> Found<Message> {
        find(bytes)
    }

    /// A message starts behind the end of another.
    fn next(bytes: &[u8]) -> Option<usize> {
        Some(bytes.iter().position(|octet| *octet == END)? + 1)
    }

    fn frame(&mut self, cx: &mut Cx<'_>, message: &Message) {
        self.message(cx, message);
    }

    fn gap(&mut self) {
        self.asked = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::Dir;

    #[test]
    fn a_poll_and_its_answer() {
        let Found::Frame(poll, 5) = find(&[0xfb, 1, 0x83, 0x40, 0xf6, 0xf1]) else { panic!("no poll") };
        assert_eq!((poll.server, poll.crc), (Some(1), Some((0x4083, 0x4083))));
        let Found::Frame(answer, 3) = find(&[0xf1, 1, 0xf6]) else { panic!("no answer") };
        assert_eq!((answer.server, answer.crc), (Some(1), None));
    }

    #[test]
    fn escapes_and_parts() {
        let Found::Frame(message, 8) = find(&[0xfc, 1, 2, 0xf0, 0x0f, 0, 0, 0xf6, 0xf1, 1]) else { panic!("no message") };
        assert_eq!(message.pairs, [(2, 0xff)]);
        let raw = [0xf2, 1, 1, 5, 0x1d, 6, 0x1e, 5, 0x2c, 4, 0xcd, 0xf5, 0xf6];
        let Found::Frame(message, 13) = find(&raw) else { panic!("no message") };
        assert!(message.crc.is_some_and(|(sent, computed)| sent == computed), "a CRC that looks like a header");
        assert!(matches!(find(&[0xfb, 1, 0x83]), Found::Part));
        assert!(matches!(find(&[0xfb, 0xf9, 1, 0, 0, 0xf6, 0, 0]), Found::Nothing));
        assert!(matches!(find(&[0x16, 3]), Found::Nothing));
    }

    #[test]
    fn three_right_messages_are_wanted() {
        let poll = [0xfb, 1, 0x83, 0x40, 0xf6];
        let polls: &'static [u8] = poll.repeat(3).leak();
        let ask = |bytes: &'static [u8]| {
            probe(&Offer { bytes: [bytes, &[0xf1, 1, 0xf6]], dir: Dir::Orig, ports: [None, None], usual_port: false, src: None, dst: None })
        };
        assert_eq!(ask(&polls[..10]), Verdict::More);
        assert_eq!(ask(polls), Verdict::Yes);
        assert_eq!(ask(b"HTTP/1.1"), Verdict::No);
    }
}
