//! DF1, Allen-Bradley's serial link (Rockwell 1770-6.5.16, chapters 2 to 5), as device servers carry it in TCP or UDP.
//!
//! ```text
//! full duplex   DLE STX  data, each DLE doubled  DLE ETX  BCC:1 or CRC:2          DLE ACK, DLE NAK, DLE ENQ
//! half duplex   DLE SOH station  before it                                        DLE ENQ station BCC:1 polls
//! data          DST:1 SRC:1 and a PCCC message
//! ```
//!
//! Two octets prove nothing: only frames whose check is right tell that a line is DF1.

use std::collections::VecDeque;

use pcapper_schema::Common;
use pcapper_schema::tables::Df1;

use super::pccc::{self, Message};
use super::serial::{Found, Serial, SerialLine};
use crate::protocols::{Cx, DatagramKind, Group, Offer, Protocol, StreamKind, Verdict};

/// DF1 on any port: it has none.
pub static PROTOCOL: Protocol = Protocol {
    name: "df1",
    group: Group::Ot,
    datagram: Some(DatagramKind {
        ip_protos: &[17],
        probe: probe_datagram,
        start: || Box::new(Serial::new(Line { carrier: "udp", ..Line::default() })),
    }),
    stream: Some(StreamKind { probe, start: || Box::new(Serial::new(Line { carrier: "tcp", ..Line::default() })) }),
    ..Protocol::NONE
};

const DLE: u8 = 0x10;
const SOH: u8 = 0x01;
const STX: u8 = 0x02;
const ETX: u8 = 0x03;
const EOT: u8 = 0x04;
const ENQ: u8 = 0x05;
const ACK: u8 = 0x06;
const NAK: u8 = 0x15;
/// Longest frame: 250 octets of data, each of which may be doubled, and what surrounds them.
const MAX_FRAME: usize = 600;
/// Frames with right checks that make a stream DF1.
const ENOUGH: usize = 3;
/// Requests that wait for their answers.
const MAX_WAITING: usize = 64;

/// A frame, or a symbol without data.
struct Frame {
    symbol: &'static str,
    station: Option<u8>,
    data: Vec<u8>,
    /// Which check, and whether it is right; none where the symbol has none.
    check: Option<(&'static str, bool)>,
}

/// CRC-16 with the polynomial 0xA001, from zero.
fn crc(bytes: impl Iterator<Item = u8>) -> u16 {
    bytes.fold(0, |crc: u16, octet| (0..8).fold(crc ^ u16::from(octet), |crc, _| if crc & 1 != 0 { crc >> 1 ^ 0xa001 } else { crc >> 1 }))
}

/// Two's complement of the sum.
fn bcc(bytes: impl Iterator<Item = u8>) -> u8 {
    bytes.fold(0, u8::wrapping_add).wrapping_neg()
}

fn find(bytes: &[u8]) -> Found<Frame> {
    let symbol = |symbol, length| Found::Frame(Frame { symbol, station: None, data: Vec::new(), check: None }, length);
    match bytes {
        [] | [DLE] | [DLE, SOH] | [DLE, SOH, _] | [DLE, SOH, _, DLE] => Found::Part,
        [DLE, ACK, ..] => symbol("ack", 2),
        [DLE, NAK, ..] => symbol("nak", 2),
        [DLE, EOT, ..] => symbol("eot", 2),
        // A poll names its station and has a check; an enquiry stands alone.
        [DLE, ENQ, station, check, ..] if *check == bcc([*station].into_iter()) && *station != DLE => {
            Found::Frame(Frame { symbol: "poll", station: Some(*station), data: Vec::new(), check: Some(("bcc", true)) }, 4)
        }
        [DLE, ENQ, ..] => symbol("enq", 2),
        [DLE, SOH, station, DLE, STX, rest @ ..] => data(rest, 5, Some(*station)),
        [DLE, STX, rest @ ..] => data(rest, 2, None),
        _ => Found::Nothing,
    }
}

/// The frame whose data starts at `rest`, `head` octets behind its start.
fn data(rest: &[u8], head: usize, station: Option<u8>) -> Found<Frame> {
    let mut data = Vec::new();
    let mut at = 0;
    loop {
        match rest.get(at..).unwrap_or_default() {
            _ if at > MAX_FRAME => return Found::Nothing,
            [DLE, DLE, ..] => {
                data.push(DLE);
                at += 2;
            }
            [DLE, ETX, ..] => break,
            [] | [DLE] => return Found::Part,
            [DLE, ..] => return Found::Nothing,
            [octet, ..] => {
                data.push(*octet);
                at += 1;
            }
        }
    }
    let behind = rest.get(at + 2..).unwrap_or_default();
    let all = || station.into_iter().chain(data.iter().copied());
    // In half duplex the CRC holds station and STX too.
    let sum = crc(station.into_iter().flat_map(|station| [station, STX]).chain(data.iter().copied()).chain([ETX]));
    let (check, length) = match behind {
        [low, high, ..] if u16::from_le_bytes([*low, *high]) == sum => (("crc16", true), 2),
        [check, ..] if *check == bcc(all()) => (("bcc", true), 1),
        [] | [_] => return Found::Part,
        // Which one was meant is seen from what follows: another frame starts with DLE.
        [_, DLE, ..] => (("bcc", false), 1),
        [_, _, ..] => (("crc16", false), 2),
    };
    Found::Frame(Frame { symbol: "data", station, data, check: Some(check) }, head + at + 2 + length)
}

/// Data frames with right checks in some bytes; `None` if these are no frames.
fn evidence(bytes: &[u8]) -> Option<usize> {
    let (mut at, mut right) = (0, 0);
    loop {
        match find(bytes.get(at..)?) {
            Found::Frame(frame, length) => {
                right += usize::from(frame.symbol == "data" && frame.check.is_some_and(|(_, right)| right) && frame.data.len() >= 6);
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

/// A datagram must be one frame with a right CRC, and its command known.
fn probe_datagram(offer: &Offer<'_>) -> Verdict {
    let bytes = offer.current();
    let is_frame = match find(bytes) {
        Found::Frame(frame, length) if length == bytes.len() && frame.check == Some(("crc16", true)) => {
            let message = frame.data.get(2..).and_then(|octets| Message::read(octets).ok());
            message.is_some_and(|message| !message.is_request || pccc::function(message.command, message.function).is_some())
        }
        _ => false,
    };
    if is_frame { Verdict::Yes } else { Verdict::No }
}

/// A request that waits for its answer.
struct Waiting {
    common: Common,
    destination: u8,
    source: u8,
    message: Vec<u8>,
}

/// A line.
#[derive(Default)]
struct Line {
    carrier: &'static str,
    waiting: VecDeque<Waiting>,
    right: usize,
    is_half: bool,
}

impl Line {
    fn told(&mut self, cx: &mut Cx<'_>, frame: &Frame) {
        let check_ok = frame.check.map(|(_, right)| right);
        if check_ok == Some(false) {
            cx.anomaly("df1", "bad_checksum", "the check of a frame is wrong");
        }
        self.right += usize::from(frame.symbol == "data" && check_ok == Some(true));
        self.is_half |= frame.station.is_some();
        // What a wrong check covers is not read.
        let sound = frame.data.split_first_chunk::<2>().filter(|_| check_ok == Some(true));
        let message = sound.and_then(|(_, octets)| Message::read(octets).ok());
        let (destination, source) = sound.map(|([destination, source], _)| (*destination, *source)).unzip();
        let asked = message.as_ref().filter(|message| !message.is_request).and_then(|message| {
            let at = self.waiting.iter().position(|waiting| {
                let is_turned = Some(waiting.destination) == source && Some(waiting.source) == destination;
                is_turned && Message::read(&waiting.message).is_ok_and(|of| of.transaction == message.transaction && of.command == message.command)
            });
            self.waiting.remove(at?)
        });
        let of = asked.as_ref().and_then(|asked| Message::read(&asked.message).ok());
        let known = message.as_ref().and_then(|message| message.named(of.as_ref()));
        let named = of.as_ref().or(message.as_ref().filter(|message| message.is_request));
        let (name, point) = (named.map(Message::name), named.and_then(Message::point));
        cx.emit(Df1 {
            carrier: Some(self.carrier),
            duplex: Some(if self.is_half { "half" } else { "full" }),
            symbol: Some(frame.symbol),
            destination: destination.or(frame.station),
            source,
            command: message.as_ref().map(|message| message.command),
            is_request: message.as_ref().map(|message| message.is_request),
            status: message.as_ref().map(|message| message.status),
            transaction: message.as_ref().map(|message| message.transaction),
            function_code: message.as_ref().and_then(|message| message.function),
            function: name.as_deref(),
            category: known.map(|(_, category)| category),
            point: point.as_deref(),
            check_kind: frame.check.map(|(kind, _)| kind),
            check_ok,
            confidence: Some(if self.right >= ENOUGH || self.carrier == "tcp" { "high" } else { "medium" }),
            data: message.as_ref().map(|message| message.data).filter(|data| !data.is_empty()),
        });
        let Some(message) = message else { return };
        if let Some((asked, of)) = asked.as_ref().zip(of.as_ref()) {
            pccc::tell(cx, "df1", Some(&asked.destination.to_string()), &asked.common, of, Some(&message));
        }
        if let Some(([destination, source], octets)) = sound.filter(|_| message.is_request) {
            if self.waiting.len() >= MAX_WAITING {
                self.give_up_oldest(cx);
            }
            self.waiting.push_back(Waiting { common: cx.common(cx.dir), destination: *destination, source: *source, message: octets.to_vec() });
        }
    }

    fn give_up_oldest(&mut self, cx: &mut Cx<'_>) {
        if let Some(waiting) = self.waiting.pop_front()
            && let Ok(message) = Message::read(&waiting.message)
        {
            pccc::tell(cx, "df1", Some(&waiting.destination.to_string()), &waiting.common, &message, None);
        }
    }
}

impl SerialLine for Line {
    type Frame<'a> = Frame;
    const LOST: (&'static str, &'static str, &'static str) = ("df1", "unexpected_state", "no frame where one should start");
    const KEPT: usize = 1;

    fn find(bytes: &[u8]) -> Found<Frame> {
        find(bytes)
    }

    fn next(bytes: &[u8]) -> Option<usize> {
        Some(bytes.windows(2).skip(1).position(|pair| matches!(pair, [DLE, SOH | STX | ENQ | ACK | NAK]))? + 1)
    }

    fn frame(&mut self, cx: &mut Cx<'_>, frame: &Frame) {
        self.told(cx, frame);
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        while !self.waiting.is_empty() {
            self.give_up_oldest(cx);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::Dir;

    fn framed(data: &[u8], with_crc: bool) -> Vec<u8> {
        let mut frame = vec![DLE, STX];
        frame.extend(data.iter().flat_map(|octet| if *octet == DLE { vec![DLE, DLE] } else { vec![*octet] }));
        frame.extend([DLE, ETX]);
        if with_crc {
            frame.extend(crc(data.iter().copied().chain([ETX])).to_le_bytes());
        } else {
            frame.push(bcc(data.iter().copied()));
        }
        frame
    }

    #[test]
    fn frames_with_either_check() {
        // 1770-6.5.16 prints this check: data 08 09 06 00 02 04 03, BCC e0.
        assert_eq!(bcc([8, 9, 6, 0, 2, 4, 3].into_iter()), 0xe0);
        for with_crc in [false, true] {
            let bytes = framed(&[1, 0, 0x0f, 0, 0x10, 0, 0xa1, 2, 7, 0x89, 0], with_crc);
            let Found::Frame(frame, length) = find(&bytes) else { panic!("no frame") };
            assert_eq!((frame.data.get(4), length), (Some(&DLE), bytes.len()));
            assert_eq!(frame.check, Some((if with_crc { "crc16" } else { "bcc" }, true)));
            assert!(matches!(find(&bytes[..bytes.len() - 2]), Found::Part));
        }
        assert!(matches!(find(&[DLE, ENQ, 5, 0xfb]), Found::Frame(Frame { symbol: "poll", station: Some(5), .. }, 4)));
        assert!(matches!(find(b"HTTP"), Found::Nothing));
    }

    #[test]
    fn three_right_frames_are_wanted() {
        let frame = framed(&[1, 0, 6, 0, 1, 0, 3], false);
        let three: &'static [u8] = frame.repeat(3).leak();
        let ask = |bytes: &'static [u8]| {
            probe(&Offer { bytes: [bytes, &[DLE, ACK]], dir: Dir::Orig, ports: [None, None], usual_port: false, src: None, dst: None })
        };
        assert_eq!(ask(&three[..2 * frame.len()]), Verdict::More);
        assert_eq!(ask(three), Verdict::Yes);
        assert_eq!(ask(b"\x10\x02GET"), Verdict::More);
        assert_eq!(ask(b"\x02GET"), Verdict::No);
    }
}
