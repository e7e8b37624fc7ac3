//! TriStation, by which Triconex safety controllers are programmed. No specification is public: framing, names and codes are
//! those of the published analyses of the TRITON malware, and no more is read than what these agree on.
//!
//! ```text
//! type:1  channel:1  length:2  data  CRC:2                                  low octets first
//! data of a command   direction:1  connection:1  function:1  sequence:1  ?:2  sum:2  length:2 (10 and the rest)  rest
//! ```

use std::collections::VecDeque;

use pcapper_schema::Common;
use pcapper_schema::tables::{OtCommands, Tristation};

use super::points;
use crate::protocols::{Cx, DatagramDissector, DatagramKind, Dir, Group, Offer, Outcome, Protocol, Verdict};
use crate::wire::{Malformed, Reader, Wire};

/// TriStation on any port; 1502 is its own.
pub static PROTOCOL: Protocol = Protocol {
    name: "tristation",
    group: Group::Ot,
    ports: &[1502],
    datagram: Some(DatagramKind { ip_protos: &[17], probe, start: || Box::<Peers>::default() }),
    ..Protocol::NONE
};

/// Type of a message that holds a command.
const COMMAND: u8 = 5;
/// Octets of a command's header, and of its data that are kept.
const HEADER: u16 = 10;
const MAX_DATA: usize = 256;
const MAX_WAITING: usize = 64;

fn kind_name(kind: u8) -> Option<&'static str> {
    Some(match kind {
        1 => "connection_request",
        2 => "connection_response",
        3 => "disconnect_response",
        4 => "disconnect_request",
        COMMAND => "command",
        6 => "ping",
        7 => "connection_limit",
        8 => "not_connected",
        9 => "mp_dead",
        10 => "access_denied",
        11 => "connection_failed",
        _ => return None,
    })
}

/// Name and category of a function.
fn function(code: u8) -> Option<(&'static str, &'static str)> {
    Some(match code {
        0 => ("start_download_all", "program"),
        1 => ("start_download_change", "program"),
        10 => ("end_download_all", "program"),
        11 => ("end_download_change", "program"),
        12 => ("cancel_download", "program"),
        16 => ("set_points", "write"),
        17 => ("force_point", "force"),
        19 => ("get_cp_status", "status"),
        20 => ("run_program", "mode"),
        21 => ("halt_program", "mode"),
        22 => ("pause_program", "mode"),
        23 => ("single_scan", "mode"),
        27 => ("set_io", "force"),
        29 => ("get_mp_status", "status"),
        55 => ("allocate_program", "program"),
        56 => ("allocate_function", "program"),
        62 => ("disable_points", "force"),
        65 => ("upload_program", "read"),
        66 => ("upload_function", "read"),
        100 => ("rejected", "reply"),
        101 => ("download_all_permitted", "reply"),
        102 => ("download_change_permitted", "reply"),
        103 => ("modification_accepted", "reply"),
        104 => ("download_cancelled", "reply"),
        105 => ("program_accepted", "reply"),
        108 => ("cp_status", "reply"),
        109 => ("program_running", "reply"),
        110 => ("program_halted", "reply"),
        111 => ("program_paused", "reply"),
        127 => ("mp_status", "reply"),
        153 => ("program_allocated", "reply"),
        154 => ("function_allocated", "reply"),
        162 => ("uploaded_program", "reply"),
        163 => ("uploaded_function", "reply"),
        212 => ("refused_by_key", "reply"),
        200..=255 => ("error", "reply"),
        _ => return None,
    })
}

/// Class of a function in the common vocabulary, where it changes something.
fn class(code: u8) -> Option<&'static str> {
    Some(match code {
        0 | 1 | 10 | 11 | 55 | 56 => "download",
        65 | 66 => "upload",
        16 => "write",
        17 | 27 | 62 => "force",
        20 | 23 => "start",
        21 | 22 => "stop",
        _ => return None,
    })
}

/// CRC-16 with the polynomial 0xA001, from zero.
fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc: u16, octet| (0..8).fold(crc ^ u16::from(*octet), |crc, _| if crc & 1 != 0 { crc >> 1 ^ 0xa001 } else { crc >> 1 }))
}

/// A message.
struct Message<'a> {
    kind: u8,
    channel: u8,
    length: u16,
    sent: u16,
    is_right: bool,
    command: Option<Command<'a>>,
}

struct Command<'a> {
    direction: u8,
    connection: u8,
    function: u8,
    sequence: u8,
    data: &'a [u8],
}

impl<'a> Message<'a> {
    fn read(bytes: &'a [u8]) -> Wire<Self> {
        let mut reader = Reader::new(bytes);
        let (kind, channel, length) = (reader.u8()?, reader.u8()?, reader.le_u16()?);
        let mut body = reader.sub(usize::from(length))?;
        let sent = reader.le_u16()?;
        if kind_name(kind).is_none() || !reader.is_empty() {
            return Err(Malformed);
        }
        let covered = bytes.get(..bytes.len() - 2).unwrap_or_default();
        let command = if kind == COMMAND { Some(Command::read(&mut body)?) } else { None };
        Ok(Self { kind, channel, length, sent, is_right: crc(covered) == sent, command })
    }
}

impl<'a> Command<'a> {
    fn read(reader: &mut Reader<'a>) -> Wire<Self> {
        let [direction, connection, function, sequence] = reader.array::<4>()?;
        reader.skip(4)?;
        let length = reader.le_u16()?.checked_sub(HEADER).ok_or(Malformed)?;
        Ok(Self { direction, connection, function, sequence, data: reader.take(usize::from(length))? })
    }
}

/// The check decides: nobody else's datagram passes it.
fn probe(offer: &Offer<'_>) -> Verdict {
    match Message::read(offer.current()) {
        Ok(message) if message.is_right || offer.usual_port => Verdict::Yes,
        _ => Verdict::No,
    }
}

/// A command that waits for its answer.
struct Waiting {
    common: Common,
    dir: Dir,
    function: u8,
    sequence: u8,
    program: Option<String>,
}

#[derive(Default)]
struct Peers {
    waiting: VecDeque<Waiting>,
}

/// The name of a program or function: printable text that ends the data, behind octets of other kind.
fn program_name(code: u8, data: &[u8]) -> Option<String> {
    // Downloads name the project behind their version numbers.
    let text = if matches!(code, 0 | 1) { data.split(|octet| *octet == 0).find(|part| part.len() >= 3)? } else { return None };
    let is_text = text.iter().all(|octet| octet.is_ascii_graphic());
    is_text.then(|| String::from_utf8_lossy(text).into_owned())
}

impl Peers {
    fn act(cx: &mut Cx<'_>, asked: &Waiting, answer: Option<u8>) {
        let Some(class) = class(asked.function) else { return };
        let common = if answer.is_some() { Common { frame: cx.frame, ts: Some(cx.ts), ..asked.common } } else { asked.common };
        let (code, error) = (asked.function.to_string(), answer.and_then(function).map(|(name, _)| name));
        let outcome = match answer {
            None => "no_response",
            Some(100 | 200..) => "refused",
            Some(_) => "ok",
        };
        points::command(
            cx,
            &common,
            false,
            OtCommands {
                protocol: Some("tristation"),
                record_frame: Some(asked.common.frame),
                request_frame: Some(asked.common.frame),
                response_frame: answer.map(|_| common.frame),
                class: Some(class),
                command: function(asked.function).map(|(name, _)| name),
                command_code: Some(&code),
                point: asked.program.as_deref(),
                is_broadcast: Some(false),
                outcome: Some(outcome),
                error: error.filter(|_| outcome == "refused"),
                latency_ms: answer.and_then(|_| points::milliseconds(asked.common.ts, common.ts)),
                ..OtCommands::default()
            },
        );
    }
}

impl DatagramDissector for Peers {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        let Ok(message) = Message::read(payload) else {
            cx.anomaly("tristation", "unexpected_state", "a datagram whose lengths do not agree");
            return Outcome::NotMine;
        };
        if !message.is_right {
            cx.anomaly("tristation", "bad_checksum", "the CRC of a message is wrong");
        }
        let command = message.command.as_ref();
        let asked = command.filter(|command| command.direction == 1).and_then(|command| {
            let at = self.waiting.iter().position(|waiting| waiting.sequence == command.sequence && waiting.dir != cx.dir)?;
            self.waiting.remove(at)
        });
        let named = command.map(|command| (command.function, function(command.function)));
        let other = named.filter(|(_, known)| known.is_none()).map(|(code, _)| format!("function_{code}"));
        let program = command.filter(|command| command.direction == 0).and_then(|command| program_name(command.function, command.data));
        cx.emit(Tristation {
            is_orig: Some(cx.dir == Dir::Orig),
            confidence: Some(if message.is_right { "verified" } else { "framing" }),
            tcm_type: Some(message.kind),
            tcm_type_name: kind_name(message.kind),
            channel: Some(message.channel),
            length: Some(message.length),
            crc: Some(message.sent),
            crc_ok: Some(message.is_right),
            direction: command.map(|command| command.direction),
            connection_id: command.map(|command| command.connection),
            function_code: command.map(|command| command.function),
            message_id: command.map(|command| command.sequence),
            request_frame: asked.as_ref().map(|asked| asked.common.frame),
            function: named.and_then(|(_, known)| known).map(|(name, _)| name).or(other.as_deref()),
            category: named.map(|(_, known)| known.map_or("unknown", |(_, category)| category)),
            data_len: command.and_then(|command| u16::try_from(command.data.len()).ok()),
            data: command.and_then(|command| command.data.get(..MAX_DATA.min(command.data.len()))).filter(|data| !data.is_empty()),
            // Where the positions of key and program stand in an answer is not public beyond doubt.
            key_state: None,
            run_state: None,
            program_name: program.as_deref(),
        });
        match (asked, command) {
            (Some(asked), Some(command)) => Self::act(cx, &asked, Some(command.function)),
            (None, Some(command)) if command.direction == 0 => {
                if self.waiting.len() >= MAX_WAITING
                    && let Some(unanswered) = self.waiting.pop_front()
                {
                    Self::act(cx, &unanswered, None);
                }
                let (common, dir) = (cx.common(cx.dir), cx.dir);
                self.waiting.push_back(Waiting { common, dir, function: command.function, sequence: command.sequence, program });
            }
            _ => {}
        }
        Outcome::Decoded
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        for waiting in std::mem::take(&mut self.waiting) {
            Self::act(cx, &waiting, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_messages() {
        let connect = [1, 0, 0, 0, 1, 0xfc];
        let message = Message::read(&connect).unwrap();
        assert_eq!((message.kind, message.is_right), (1, true));
        let status = [5, 0, 10, 0, 0, 0, 0x13, 0, 0, 0, 0x27, 0, 10, 0, 0x50, 0x10];
        let message = Message::read(&status).unwrap();
        assert_eq!(message.command.map(|command| (command.function, command.data.len())), Some((19, 0)));
        assert!(message.is_right);
        assert!(Message::read(&status[..15]).is_err());
        assert!(Message::read(&[12, 0, 0, 0, 0, 0]).is_err());
    }

    #[test]
    fn downloads_name_their_project() {
        assert_eq!(program_name(1, b"NOZOMI\0\x05\x02\0").as_deref(), Some("NOZOMI"));
        assert_eq!(program_name(19, b"NOZOMI"), None);
    }
}
