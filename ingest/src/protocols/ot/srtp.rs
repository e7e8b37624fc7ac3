//! GE SRTP, by which PACSystems and Series 90 controllers are read and programmed. The fields follow GE's GFK-0529 (SNP, whose
//! services it carries) and the published study of Series 90-30 memory acquisition.
//!
//! ```text
//!  0 type  2 sequence  4 text length:2  26 seconds  27 minutes  28 hours  31 message type  32 source:4  36 destination:4
//! 40 packet  41 of packets  42 service  43 selector  44 offset:2  46 length:2  48 data         56 text     low octets first
//! answer: 42 status  43 minor status  44 data:6  50 program  51 privilege  52 sweep:2  54 state:2
//! ```

use std::collections::VecDeque;

use pcapper_schema::Common;
use pcapper_schema::tables::{OtCommands, ProcessValues, Srtp};

use super::points::{self, Owner};
use crate::protocols::{Cx, Dir, Group, Offer, Progress, Protocol, StreamDissector, StreamKind, Verdict};
use crate::wire::{Malformed, Reader, Wire};

/// SRTP on any port; 18245 is its own.
pub static PROTOCOL: Protocol = Protocol {
    name: "srtp",
    group: Group::Ot,
    ports: &[18245],
    stream: Some(StreamKind { probe, start: || Box::<Session>::default() }),
    ..Protocol::NONE
};

const HEADER: usize = 56;
/// Kinds of message.
const INIT: u8 = 0;
const INIT_ACK: u8 = 1;
const REQUEST: u8 = 2;
const REPLY: u8 = 3;
/// Requests with all that they ask in the header, and those with text behind it.
const SHORT: u8 = 0xc0;
const LONG: u8 = 0x80;
const ACK: u8 = 0xd4;
const ACK_WITH_TEXT: u8 = 0x94;
const NACK: u8 = 0xd1;
const MAX_WAITING: usize = 64;
/// Elements of one message that get values of their own.
const MAX_VALUES: usize = 256;

fn message_type(code: u8) -> Option<&'static str> {
    Some(match code {
        SHORT => "request",
        LONG => "request_with_text",
        ACK => "ack",
        ACK_WITH_TEXT => "ack_with_text",
        NACK => "nack",
        _ => return None,
    })
}

/// Name of a service, and its class as a command.
fn service(code: u8) -> Option<(&'static str, Option<&'static str>)> {
    Some(match code {
        0x00 => ("plc_short_status", None),
        0x03 => ("return_control_program_names", None),
        0x04 => ("read_system_memory", None),
        0x05 => ("read_task_memory", None),
        0x06 => ("read_program_memory", None),
        0x07 => ("write_system_memory", Some("write")),
        0x08 => ("write_task_memory", Some("write")),
        0x09 => ("write_program_block_memory", Some("write")),
        0x20 => ("programmer_logon", Some("auth")),
        0x21 => ("change_privilege_level", Some("auth")),
        0x22 => ("set_control_id", Some("config")),
        0x23 => ("set_plc_run_stop", Some("mode_change")),
        0x24 => ("set_time_date", Some("time_set")),
        0x25 => ("return_time_date", None),
        0x38 => ("return_fault_table", None),
        0x39 => ("clear_fault_table", Some("diagnostic")),
        0x3f => ("program_store_from_plc", Some("upload")),
        0x40 => ("program_load_to_plc", Some("download")),
        0x43 => ("return_controller_type", None),
        0x44 => ("toggle_force", Some("force")),
        _ => return None,
    })
}

/// Memory that a selector names, and the bits of an element.
fn segment(selector: u8) -> Option<(&'static str, u8)> {
    Some(match selector {
        0x08 => ("%R", 16),
        0x0a => ("%AI", 16),
        0x0c => ("%AQ", 16),
        0x10 => ("%I", 8),
        0x12 => ("%Q", 8),
        0x14 => ("%T", 8),
        0x16 => ("%M", 8),
        0x18 => ("%SA", 8),
        0x1a => ("%SB", 8),
        0x1c => ("%SC", 8),
        0x1e => ("%S", 8),
        0x38 => ("%G", 8),
        0x46 => ("%I", 1),
        0x48 => ("%Q", 1),
        0x4a => ("%T", 1),
        0x4c => ("%M", 1),
        0x4e => ("%SA", 1),
        0x50 => ("%SB", 1),
        0x52 => ("%SC", 1),
        0x54 => ("%S", 1),
        0x56 => ("%G", 1),
        _ => return None,
    })
}

/// A point in the controller's notation: numbers start with 1.
fn point(selector: u8, offset: u32) -> Option<String> {
    let (name, bits) = segment(selector)?;
    // Octets are named by their first bit.
    let number = if bits == 8 { offset * 8 + 1 } else { offset + 1 };
    Some(format!("{name}{number:05}"))
}

/// Major status (GFK-0529, status codes).
fn error(status: u8) -> Option<&'static str> {
    Some(match status {
        0x01 => "illegal_service_request",
        0x02 => "insufficient_privilege",
        0x04 => "protocol_sequence_error",
        0x05 => "service_request_error",
        0x06 => "illegal_mailbox_type",
        0x07 => "service_request_queue_full",
        _ => return None,
    })
}

fn state(word: u16) -> Option<&'static str> {
    Some(match word >> 12 {
        0 => "run_io_enabled",
        1 => "run_io_disabled",
        2 => "stop_io_disabled",
        3 => "stop_faulted",
        4 => "halted",
        5 => "suspended",
        6 => "stop_io_enabled",
        _ => return None,
    })
}

/// The header of a message.
#[derive(Clone, Copy)]
struct Header<'a> {
    octets: &'a [u8; HEADER],
    kind: u8,
    sequence: u8,
    text: u16,
    message: u8,
}

impl<'a> Header<'a> {
    fn read(bytes: &'a [u8]) -> Wire<Self> {
        let octets = bytes.first_chunk::<HEADER>().ok_or(Malformed)?;
        let [kind, _, sequence, _, low, high, ..] = *octets;
        let (text, message) = (u16::from_le_bytes([low, high]), octets[31]);
        let is_sound = match kind {
            INIT => octets.iter().all(|octet| *octet == 0),
            INIT_ACK => true,
            REQUEST => matches!(message, SHORT | LONG),
            REPLY => matches!(message, ACK | ACK_WITH_TEXT | NACK),
            _ => false,
        };
        if is_sound { Ok(Self { octets, kind, sequence, text, message }) } else { Err(Malformed) }
    }

    fn word(&self, at: usize) -> u16 {
        self.octets.get(at..at + 2).map_or(0, |octets| octets.iter().rev().fold(0, |word, octet| word << 8 | u16::from(*octet)))
    }

    fn long(&self, at: usize) -> u32 {
        u32::from(self.word(at + 2)) << 16 | u32::from(self.word(at))
    }
}

fn probe(offer: &Offer<'_>) -> Verdict {
    let read = |bytes: &[u8]| Header::read(bytes).ok().map(|header| (header.kind, header.octets[41]));
    let may_be =
        |bytes: &[u8]| bytes.len() < HEADER && bytes.first().is_none_or(|kind| *kind <= REPLY) && bytes.get(1).is_none_or(|octet| *octet == 0);
    match offer.bytes.map(|bytes| (read(bytes), may_be(bytes))) {
        // The opening: zeros, and the answer to them.
        [(Some((INIT, _)), _), (Some((INIT_ACK, _)), _)] | [(Some((INIT_ACK, _)), _), (Some((INIT, _)), _)] => Verdict::Yes,
        // In its middle: message types that only stand there, and a count of packets.
        [(Some((REQUEST | REPLY, 1..)), _), _] | [_, (Some((REQUEST | REPLY, 1..)), _)] => Verdict::Yes,
        [(Some((INIT, _)), _) | (None, true), (None, true)] | [(None, true), (Some((INIT, _)), _)] => Verdict::More,
        _ => Verdict::No,
    }
}

/// A request that waits for its answer.
struct Waiting {
    common: Common,
    sequence: u8,
    code: Option<u8>,
    selector: u8,
    offset: u16,
    count: u16,
    written: Vec<u8>,
}

#[derive(Default)]
struct Session {
    waiting: VecDeque<Waiting>,
}

impl Session {
    fn message(&mut self, cx: &mut Cx<'_>, header: &Header<'_>, text: &[u8]) {
        let base = Srtp {
            is_orig: Some(cx.dir == Dir::Orig),
            srtp_type: Some(match header.kind {
                INIT => "init",
                INIT_ACK => "init_ack",
                REQUEST => "request",
                _ => "reply",
            }),
            text_length: Some(header.text),
            ..Srtp::default()
        };
        if matches!(header.kind, INIT | INIT_ACK) {
            return cx.emit(base);
        }
        let base = Srtp {
            sequence_number: Some(header.sequence),
            time_seconds: Some(header.octets[26]),
            time_minutes: Some(header.octets[27]),
            time_hours: Some(header.octets[28]),
            message_type: message_type(header.message),
            mailbox_source: Some(header.long(32)),
            mailbox_destination: Some(header.long(36)),
            packet_number: Some(header.octets[40]),
            total_packet_number: Some(header.octets[41]),
            ..base
        };
        if header.kind == REQUEST { self.request(cx, header, base) } else { self.reply(cx, header, text, base) }
    }

    fn request(&mut self, cx: &mut Cx<'_>, header: &Header<'_>, base: Srtp<'_>) {
        // Where a long request has its service is told in two ways, and no capture decides.
        let code = (header.message == SHORT).then_some(header.octets[42]);
        let has_memory = matches!(code, Some(0x04..=0x09 | 0x44));
        let (selector, offset, count) = (header.octets[43], header.word(44), header.word(46));
        let bits = segment(selector).map_or(0, |(_, bits)| usize::from(bits));
        let size = (usize::from(count) * bits).div_ceil(8).min(8);
        let written = if matches!(code, Some(0x07..=0x09)) { header.octets.get(48..48 + size).unwrap_or_default() } else { &[] };
        let shown = point(selector, u32::from(offset)).filter(|_| has_memory);
        cx.emit(Srtp {
            service_code: code,
            service: code.and_then(service).map(|(name, _)| name),
            segment_selector: has_memory.then_some(selector),
            segment: segment(selector).map(|(name, _)| name).filter(|_| has_memory),
            memory_offset: has_memory.then_some(offset),
            data_length: has_memory.then_some(count),
            point: shown.as_deref(),
            value: Some(written).filter(|written| !written.is_empty()),
            ..base
        });
        if self.waiting.len() >= MAX_WAITING
            && let Some(unanswered) = self.waiting.pop_front()
        {
            act(cx, &unanswered, None);
        }
        let (common, written) = (cx.common(cx.dir), written.to_vec());
        self.waiting.push_back(Waiting { common, sequence: header.sequence, code, selector, offset, count, written });
    }

    fn reply(&mut self, cx: &mut Cx<'_>, header: &Header<'_>, text: &[u8], base: Srtp<'_>) {
        let at = self.waiting.iter().position(|waiting| waiting.sequence == header.sequence);
        let asked = at.and_then(|at| self.waiting.remove(at));
        let is_refused = header.message == NACK;
        let (status, minor) = if is_refused { (Some(header.octets[42]), Some(header.octets[43])) } else { (None, None) };
        let read = asked.as_ref().filter(|asked| matches!(asked.code, Some(0x04..=0x06)) && !is_refused);
        let inline = header.octets.get(44..50).unwrap_or_default();
        let octets = if header.message == ACK_WITH_TEXT { text } else { inline };
        let size = read.map(|asked| (usize::from(asked.count) * segment(asked.selector).map_or(0, |(_, bits)| usize::from(bits))).div_ceil(8));
        let value = size.and_then(|size| octets.get(..size)).filter(|value| !value.is_empty());
        let shown = read.and_then(|asked| point(asked.selector, u32::from(asked.offset)));
        let word = header.word(54);
        cx.emit(Srtp {
            request_frame: asked.as_ref().map(|asked| asked.common.frame),
            service: asked.as_ref().and_then(|asked| service(asked.code?)).map(|(name, _)| name),
            point: shown.as_deref(),
            value,
            status_code: status,
            minor_status_code: minor,
            error: status.and_then(error),
            control_program_number: Some(header.octets[50]),
            privilege_level: Some(header.octets[51]),
            sweep_time: Some(header.word(52)),
            plc_state: state(word),
            programmer_attached: Some(word & 1 << 6 != 0),
            run_switch: Some(word & 1 << 8 != 0),
            oem_protected: Some(word & 1 << 9 != 0),
            plc_fault_present: Some(word & 1 << 4 != 0),
            io_fault_present: Some(word & 1 << 5 != 0),
            ..base
        });
        if let Some(asked) = asked {
            if let Some(value) = value {
                tell(cx, &asked, value, None);
            }
            act(cx, &asked, Some(status));
        }
    }
}

/// Writes the values of words that were read or written.
fn tell(cx: &mut Cx<'_>, asked: &Waiting, octets: &[u8], outcome: Option<&'static str>) {
    let Some((name, 16)) = segment(asked.selector) else { return };
    let common = cx.common(cx.dir);
    let is_write = outcome.is_some();
    for (index, word) in (0_u32..).zip(octets.chunks_exact(2)).take(MAX_VALUES) {
        let number = word.iter().rev().fold(0_u16, |word, octet| word << 8 | u16::from(*octet));
        points::value(
            cx,
            if is_write { &asked.common } else { &common },
            if is_write { Owner::Destination } else { Owner::Source },
            ProcessValues {
                source_protocol: Some("srtp"),
                request_frame: Some(asked.common.frame),
                point: point(asked.selector, u32::from(asked.offset) + index).as_deref(),
                object_type: Some(name),
                direction: Some(if is_write { "write" } else { "read" }),
                value: Some(f64::from(number)),
                raw_type: Some("u16"),
                outcome,
                ..ProcessValues::default()
            },
        );
    }
}

/// Writes the command behind a request: with the status of its answer, which is none for success.
fn act(cx: &mut Cx<'_>, asked: &Waiting, answer: Option<Option<u8>>) {
    let Some((name, Some(class))) = asked.code.and_then(service) else { return };
    let common = if answer.is_some() { Common { frame: cx.frame, ts: Some(cx.ts), ..asked.common } } else { asked.common };
    let outcome = match answer {
        None => "no_response",
        Some(None) => "ok",
        Some(Some(_)) => "refused",
    };
    if !asked.written.is_empty() {
        tell(cx, asked, &asked.written, Some(outcome));
    }
    let shown = point(asked.selector, u32::from(asked.offset)).filter(|_| matches!(class, "write" | "force"));
    let value: Vec<String> =
        asked.written.chunks_exact(2).map(|word| word.iter().rev().fold(0_u16, |word, octet| word << 8 | u16::from(*octet)).to_string()).collect();
    let (value, code) = (value.join(", "), format!("0x{:02x}", asked.code.unwrap_or_default()));
    points::command(
        cx,
        &common,
        false,
        OtCommands {
            protocol: Some("srtp"),
            record_frame: Some(asked.common.frame),
            request_frame: Some(asked.common.frame),
            response_frame: answer.map(|_| common.frame),
            class: Some(class),
            command: Some(name),
            command_code: Some(&code),
            point: shown.as_deref(),
            value: Some(value.as_str()).filter(|value| !value.is_empty() && matches!(segment(asked.selector), Some((_, 16)))),
            quantity: shown.as_ref().map(|_| u32::from(asked.count)),
            is_broadcast: Some(false),
            outcome: Some(outcome),
            error: answer.flatten().and_then(error),
            latency_ms: answer.and_then(|_| points::milliseconds(asked.common.ts, common.ts)),
            ..OtCommands::default()
        },
    );
}

impl StreamDissector for Session {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let mut used = 0;
        loop {
            let rest = bytes.get(used..).unwrap_or_default();
            if rest.len() < HEADER {
                return Progress::Consumed(used);
            }
            let Ok(header) = Header::read(rest) else {
                cx.anomaly("srtp", "unexpected_state", "no header where one should stand");
                return Progress::Stop;
            };
            let mut reader = Reader::new(rest.get(HEADER..).unwrap_or_default());
            let Ok(text) = reader.take(usize::from(header.text)) else { return Progress::Consumed(used) };
            self.message(cx, &header, text);
            used += HEADER + text.len();
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        for waiting in std::mem::take(&mut self.waiting) {
            act(cx, &waiting, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(bytes: [&[u8]; 2]) -> Verdict {
        probe(&Offer { bytes, dir: Dir::Orig, ports: [None, None], usual_port: false, src: None, dst: None })
    }

    #[test]
    fn zeros_alone_prove_nothing() {
        let (init, mut ack) = ([0; HEADER], [0; HEADER]);
        ack[0] = INIT_ACK;
        assert_eq!(verdict([&init, &[]]), Verdict::More);
        assert_eq!(verdict([&init[..9], &[]]), Verdict::More);
        assert_eq!(verdict([&init, &ack]), Verdict::Yes);
        assert_eq!(verdict([b"GET / HTTP/1.1\r\n", &[]]), Verdict::No);
        let mut request = init;
        (request[0], request[31], request[41]) = (REQUEST, SHORT, 1);
        assert_eq!(verdict([&request, &[]]), Verdict::Yes);
        request[31] = 7;
        assert_eq!(verdict([&request, &[]]), Verdict::No);
    }

    #[test]
    fn points_count_from_one() {
        assert_eq!(point(0x08, 9).as_deref(), Some("%R00010"));
        assert_eq!(point(0x46, 0).as_deref(), Some("%I00001"));
        assert_eq!(point(0x12, 2).as_deref(), Some("%Q00017"));
        assert_eq!(point(0xff, 0), None);
        assert_eq!((state(0x2000), state(0xf000)), (Some("stop_io_disabled"), None));
    }
}
