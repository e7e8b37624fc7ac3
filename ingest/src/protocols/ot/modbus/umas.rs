//! UMAS: Schneider Electric's engineering protocol inside Modbus function 90. It is not published: framing, functions and the
//! places of names are those that research has described (and `request 5a key code`, `answer 5a key fe|fd` shows on the wire).
//! Program blocks are told from the engineering station's view: `download` goes to the controller.

use std::borrow::Cow;

use pcapper_schema::Common;
use pcapper_schema::tables::{OtCommands, Umas};

use crate::protocols::files::{About, Follower};
use crate::protocols::ot::points;
use crate::protocols::{Cx, Dir};
use crate::wire::{Reader, Wire};

/// Status octets of an answer.
const OK: u8 = 0xfe;
const ERROR: u8 = 0xfd;
/// Where the answer to `read_id` holds the length of the device's name, counted behind the status.
const NAME_AT: usize = 22;
/// Where the request `take_reservation` holds the length of the station's name.
const CLIENT_AT: usize = 4;

/// Name and category of a function.
fn function(code: u8) -> Option<(&'static str, &'static str)> {
    Some(match code {
        0x01 => ("init_comm", "identity"),
        0x02 => ("read_id", "identity"),
        0x03 => ("read_project_info", "identity"),
        0x04 => ("read_plc_info", "identity"),
        0x06 => ("read_card_info", "identity"),
        0x0a => ("repeat", "diagnostic"),
        0x10 => ("take_reservation", "reservation"),
        0x11 => ("release_reservation", "reservation"),
        0x12 => ("keep_alive", "reservation"),
        0x20 => ("read_memory_block", "read"),
        0x22 => ("read_variables", "read"),
        0x23 => ("write_variables", "write"),
        0x24 => ("read_coils_registers", "read"),
        0x25 => ("write_coils_registers", "write"),
        0x30 => ("program_to_plc_begin", "download"),
        0x31 => ("program_to_plc_block", "download"),
        0x32 => ("program_to_plc_end", "download"),
        0x33 => ("program_from_plc_begin", "upload"),
        0x34 => ("program_from_plc_block", "upload"),
        0x35 => ("program_from_plc_end", "upload"),
        0x39 => ("read_eth_master_data", "read"),
        0x40 => ("start_plc", "start"),
        0x41 => ("stop_plc", "stop"),
        0x50 => ("monitor_plc", "read"),
        0x58 => ("check_plc", "diagnostic"),
        0x70 => ("read_io_object", "read"),
        0x71 => ("write_io_object", "write"),
        0x73 => ("get_status_module", "diagnostic"),
        _ => return None,
    })
}

/// One message: its own header and the octets behind function 90.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    pub tid: Option<u16>,
    pub unit: u8,
    /// Key, function or status, body.
    pub octets: &'a [u8],
}

/// A program on its way.
struct Transfer {
    is_download: bool,
    follower: Follower,
    next: u16,
}

/// State of a connection.
#[derive(Default)]
pub struct Umas90 {
    transfer: Option<Transfer>,
}

/// A text behind an octet that counts it.
fn counted(body: &[u8], at: usize) -> Option<Cow<'_, str>> {
    let length = usize::from(*body.get(at)?);
    let text = body.get(at + 1..at + 1 + length)?;
    let end = text.iter().position(|octet| *octet == 0).unwrap_or(text.len());
    text.get(..end)
        .filter(|text| !text.is_empty() && text.iter().all(|octet| octet.is_ascii_graphic() || *octet == b' '))
        .map(String::from_utf8_lossy)
}

/// The project's name closes its answer, counted and ended by a zero.
fn project(body: &[u8]) -> Option<Cow<'_, str>> {
    let at = (0..body.len()).find(|at| body.get(*at).is_some_and(|length| *length >= 2 && usize::from(*length) == body.len() - at - 1))?;
    counted(body, at)
}

/// Number, whether it is the last, and content of a block that the controller gave: last:1, zero:1, length:2 (little-endian).
fn given(body: &[u8]) -> Wire<(bool, &[u8])> {
    let mut wire = Reader::new(body);
    let (last, _, length) = (wire.u8()?, wire.u8()?, wire.le_u16()?);
    Ok((last == 1, wire.take(usize::from(length))?))
}

/// Number of the block in a request: two octets, then the number (little-endian).
fn block_number(body: &[u8]) -> Option<u16> {
    let mut wire = Reader::new(body);
    wire.skip(2).ok()?;
    wire.le_u16().ok()
}

impl Umas90 {
    /// Writes a transaction; `common` is that of its Modbus row, whose source is the client. An answer that is a Modbus exception
    /// refuses without saying anything in UMAS.
    pub fn transaction(
        &mut self,
        cx: &mut Cx<'_>,
        common: &Common,
        asked_at: Option<&Common>,
        request: Option<Message<'_>>,
        answer: Option<Message<'_>>,
        is_exception: bool,
    ) {
        let asked = request.and_then(|message| message.octets.split_first_chunk::<2>());
        let said = answer.filter(|_| !is_exception).and_then(|message| message.octets.split_first_chunk::<2>());
        let Some(lead) = request.or(answer) else { return };
        let code = asked.map(|([_, code], _)| *code);
        let known = code.and_then(function);
        let (body, answered) = (asked.map_or(&[][..], |(_, body)| body), said.map_or(&[][..], |(_, body)| body));
        let name = code.map(|code| known.map_or_else(|| Cow::Owned(format!("umas_0x{code:02x}")), |(name, _)| Cow::Borrowed(name)));
        let status: Option<Cow<'_, str>> = match (request, said) {
            (None, _) => Some("response_only".into()),
            (Some(_), None) if answer.is_none() => Some("no_response".into()),
            (Some(_), None) if is_exception => Some("error".into()),
            (Some(_), None) => None,
            (Some(_), Some(([_, OK], _))) => Some("ok".into()),
            (Some(_), Some(([_, ERROR], _))) => Some("error".into()),
            (Some(_), Some(([_, other], _))) => Some(format!("0x{other:02x}").into()),
        };
        let is_ok = matches!(said, Some(([_, OK], _)));
        let is_error = matches!(said, Some(([_, ERROR], _)));
        let plc_name = if code == Some(0x02) && is_ok { counted(answered, NAME_AT) } else { None };
        let project_name = if code == Some(0x03) && is_ok { project(answered) } else { None };
        let client_name = if code == Some(0x10) { counted(body, CLIENT_AT) } else { None };
        let mut memory = Reader::new(body);
        let memory = if code == Some(0x20) { memory.skip(1).and_then(|()| Ok((memory.le_u16()?, memory.le_u32()?))).ok() } else { None };
        let block = if matches!(code, Some(0x31 | 0x34)) { block_number(body) } else { None };
        cx.emit_as(
            common,
            Umas {
                request_frame: asked_at.map(|asked| asked.frame),
                response_frame: answer.map(|_| common.frame),
                tid: lead.tid,
                unit_id: Some(lead.unit),
                session_key: asked.map(|([key, _], _)| *key),
                umas_code: code,
                umas_function: name.as_deref(),
                category: code.map(|_| known.map_or("unknown", |(_, category)| category)),
                status: status.as_deref(),
                error_code: is_error.then(|| answered.iter().take(2).fold(0, |code, octet| code << 8 | u16::from(*octet))),
                plc_name: plc_name.as_deref(),
                project_name: project_name.as_deref(),
                client_name: client_name.as_deref(),
                memory_block: memory.map(|(block, _)| block),
                memory_offset: memory.map(|(_, offset)| offset),
                block_number: block,
                request_len: request.and_then(|message| u32::try_from(message.octets.len()).ok()),
                response_len: answer.and_then(|message| u32::try_from(message.octets.len()).ok()),
                data: Some(body).filter(|body| !body.is_empty()),
                response_data: Some(answered).filter(|body| !body.is_empty()),
            },
        );
        self.follow(cx, common, code, body, answered, is_ok);
        let class = match known {
            Some((_, "write")) => "write",
            Some((_, "start")) => "start",
            Some((_, "stop")) => "stop",
            _ => match code {
                Some(0x30) => "download",
                Some(0x33) => "upload",
                Some(0x10) => "reserve",
                _ => return,
            },
        };
        let (unit, hexadecimal) = (lead.unit.to_string(), code.map(|code| format!("0x{code:02x}")));
        points::command(
            cx,
            common,
            false,
            OtCommands {
                protocol: Some("umas"),
                request_frame: asked_at.map(|asked| asked.frame),
                response_frame: answer.map(|_| common.frame),
                actor_name: client_name.as_deref(),
                target_unit: Some(&unit),
                class: Some(class),
                command: name.as_deref(),
                command_code: hexadecimal.as_deref(),
                outcome: Some(match () {
                    () if is_ok => "ok",
                    () if answer.is_some() => "refused",
                    () => "no_response",
                }),
                latency_ms: asked_at.and_then(|asked| points::milliseconds(asked.ts, common.ts)).filter(|_| answer.is_some()),
                confidence: Some("medium"),
                ..OtCommands::default()
            },
        );
    }

    /// A program's blocks, in the order of their numbers.
    fn follow(&mut self, cx: &mut Cx<'_>, common: &Common, code: Option<u8>, body: &[u8], answered: &[u8], is_ok: bool) {
        match code {
            Some(code @ (0x30 | 0x33)) if is_ok => {
                self.finish(cx, common, false);
                self.transfer = Some(Transfer { is_download: code == 0x30, follower: Follower::default(), next: 1 });
            }
            Some(code @ (0x31 | 0x34)) if is_ok => {
                let Some(transfer) = self.transfer.as_mut().filter(|transfer| transfer.is_download == (code == 0x31)) else { return };
                // To the controller the content stands behind number and length.
                let content = if code == 0x34 {
                    given(answered).map(|(_, content)| content)
                } else {
                    let mut wire = Reader::new(body);
                    wire.skip(4).and_then(|()| wire.le_u16()).and_then(|length| wire.take(usize::from(length)))
                };
                match content {
                    Ok(content) if block_number(body) == Some(transfer.next) => {
                        transfer.follower.push(content);
                        transfer.next = transfer.next.wrapping_add(1);
                    }
                    _ => transfer.follower.lose(),
                }
            }
            Some(0x32 | 0x35) if is_ok => self.finish(cx, common, true),
            _ => {}
        }
    }

    fn finish(&mut self, cx: &mut Cx<'_>, common: &Common, ended: bool) {
        let Some(transfer) = self.transfer.take() else { return };
        let (direction, common) = if transfer.is_download { ("upload", *common) } else { ("download", points::turned(common)) };
        transfer.follower.finish_as(cx, &common, direction, About { source: "umas", ..About::default() }, ended);
    }

    /// The connection ends: what was on its way stays incomplete.
    pub fn close(&mut self, cx: &mut Cx<'_>) {
        let common = cx.common(Dir::Orig);
        self.finish(cx, &common, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_in_their_places() {
        let mut body = vec![0; NAME_AT];
        body.extend_from_slice(b"\x0e140 CPU 311 10\x01\x01");
        assert_eq!(counted(&body, NAME_AT).as_deref(), Some("140 CPU 311 10"));
        assert_eq!(project(b"\x02\x05\0\0\x07\x08\0\0\0\x08Project\0").as_deref(), Some("Project"));
        assert_eq!(counted(b"CL\0\0\x05ENG-1", CLIENT_AT).as_deref(), Some("ENG-1"));
        assert_eq!(counted(b"CL\0\0\x09ENG-1", CLIENT_AT), None);
    }

    #[test]
    fn blocks() {
        assert_eq!(given(&[1, 0, 2, 0, 0xaa, 0xbb]), Ok((true, &[0xaa, 0xbb][..])));
        assert!(given(&[0, 0, 9, 0, 1]).is_err());
        assert_eq!(block_number(&[0, 1, 0x35, 0]), Some(0x35));
    }
}
