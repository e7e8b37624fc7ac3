//! S7 communication of Siemens controllers over ISO transport: classic PDUs decoded, their successor's (S7comm-plus) told by
//! their headers.

mod items;
mod names;
mod pdu;
mod plus;
mod transfer;

use std::borrow::Cow;
use std::collections::VecDeque;

use pcapper_schema::Common;
use pcapper_schema::tables::{Credentials, OtCommands, S7comm};

use self::pdu::{Control, Identity, Pdu, Userdata};
use self::transfer::Transfers;
use super::cotp::{self, Assembler, Carried, Step, Tpdu, Walker};
use crate::protocols::hex::hex;
use crate::protocols::ot::calendar;
use crate::protocols::ot::points::{command, milliseconds};
use crate::protocols::{Cx, Dir, Group, Offer, Progress, Protocol, StreamDissector, StreamKind, Verdict, secrets};

/// ISO transport on any port whose first message is S7's; TLS inside it on port 102.
pub static PROTOCOL: Protocol = Protocol {
    name: "s7comm",
    group: Group::Ot,
    ports: &[102],
    stream: Some(StreamKind { probe, start: || Box::<Stream>::default() }),
    ..Protocol::NONE
};

/// Requests of one connection that may wait for their answers.
const MAX_WAITING: usize = 64;
/// Answers of one connection whose pieces are joined, and the longest of them.
const MAX_PIECES: usize = 8;
const MAX_JOINED: usize = 64 << 10;
/// Bytes of one direction in which a probe must have found something.
const MAX_PROBED: usize = 4096;

fn probe(offer: &Offer<'_>) -> Verdict {
    let mut may_come = true;
    for bytes in offer.bytes {
        match cotp::carried(bytes) {
            Carried::Message([pdu::CLASSIC, kind, ..]) if names::rosctr(*kind).is_some() => return Verdict::Yes,
            Carried::Message([pdu::PLUS, 1..=3 | 0xfe | 0xff, ..]) => return Verdict::Yes,
            Carried::Message([0x16, 3, ..]) if offer.usual_port => return Verdict::Yes,
            Carried::Message([pdu::CLASSIC | pdu::PLUS | 0x16] | []) | Carried::Nothing => {}
            Carried::Message(_) => may_come = false,
            Carried::Other => may_come &= offer.usual_port && offer.bytes.iter().any(|bytes| bytes.is_empty()),
        }
    }
    if may_come && offer.current().len() < MAX_PROBED { Verdict::More } else { Verdict::No }
}

/// A request that waits.
struct Waiting {
    common: Common,
    dir: Dir,
    reference: u16,
    octets: Vec<u8>,
}

/// A connection.
#[derive(Default)]
struct Stream {
    tsaps: Option<(String, String)>,
    rack_slot: Option<(u8, u8)>,
    unit: Option<String>,
    assemblers: [Assembler; 2],
    /// An S7comm-plus PDU goes on.
    is_open: [bool; 2],
    waiting: VecDeque<Waiting>,
    transfers: Transfers,
    /// Answers of which more pieces come, by their unit number.
    pieces: Vec<(u8, Vec<u8>)>,
    walker: Walker,
}

impl StreamDissector for Stream {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let mut used = 0;
        loop {
            let rest = bytes.get(used..).unwrap_or_default();
            match self.walker.step(cx, "s7comm", rest) {
                Step::Unit(unit, total) => {
                    if !self.unit(cx, &unit) {
                        return Progress::Stop;
                    }
                    used += total;
                }
                Step::Skip(count) => used += count,
                Step::Wait => return Progress::Consumed(used),
                Step::Stop => return Progress::Stop,
            }
        }
    }

    fn gap(&mut self, cx: &mut Cx<'_>, _missing: u64) -> bool {
        self.walker.lost();
        let at = cx.dir.index();
        if let (Some(assembler), Some(is_open)) = (self.assemblers.get_mut(at), self.is_open.get_mut(at)) {
            assembler.lose();
            *is_open = false;
        }
        self.transfers.lose();
        true
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        while let Some(waiting) = self.waiting.pop_front() {
            self.unanswered(cx, &waiting);
        }
        self.transfers.close(cx);
    }
}

impl Stream {
    /// Takes a TPDU; false if nothing more can be read on this connection.
    fn unit(&mut self, cx: &mut Cx<'_>, unit: &Tpdu<'_>) -> bool {
        match *unit {
            Tpdu::Connect { confirm: false, calling, called } => {
                self.tsaps = Some((hex(calling.unwrap_or_default()), hex(called.unwrap_or_default())));
                if let Some([1..=3 | 0x10, place]) = called {
                    self.rack_slot = Some((place >> 5, place & 0x1f));
                    self.unit = Some(format!("{}/{}", place >> 5, place & 0x1f));
                }
                true
            }
            Tpdu::Data { last, payload } => {
                let Some(assembler) = self.assemblers.get_mut(cx.dir.index()) else { return true };
                match assembler.take(last, payload) {
                    Some(message) => self.message(cx, &message),
                    None => true,
                }
            }
            _ => true,
        }
    }

    fn base(&self, cx: &Cx<'_>) -> S7comm<'_> {
        S7comm {
            is_orig: Some(cx.dir == Dir::Orig),
            tsap_src: self.tsaps.as_ref().map(|(calling, _)| calling.as_str()).filter(|tsap| !tsap.is_empty()),
            tsap_dst: self.tsaps.as_ref().map(|(_, called)| called.as_str()).filter(|tsap| !tsap.is_empty()),
            rack: self.rack_slot.map(|(rack, _)| rack),
            slot: self.rack_slot.map(|(_, slot)| slot),
            ..S7comm::default()
        }
    }

    fn message(&mut self, cx: &mut Cx<'_>, message: &[u8]) -> bool {
        match message {
            [pdu::CLASSIC, ..] => match Pdu::read(message) {
                Ok(pdu) => self.classic(cx, &pdu, message),
                Err(_) => cx.anomaly("s7comm", "bad_length", "the header announces more than there is"),
            },
            [pdu::PLUS, ..] => {
                let continues = self.is_open.get(cx.dir.index()).copied().unwrap_or_default();
                if let Some(piece) = plus::read(message, continues) {
                    if let Some(is_open) = self.is_open.get_mut(cx.dir.index()) {
                        *is_open = piece.is_open;
                    }
                    let S7comm { is_orig, tsap_src, tsap_dst, rack, slot, .. } = self.base(cx);
                    cx.emit(S7comm { is_orig, tsap_src, tsap_dst, rack, slot, ..piece.row() });
                }
            }
            [0x14..=0x17, 3, ..] => {
                let base = self.base(cx);
                cx.emit(S7comm { protocol: Some("s7comm_plus"), encrypted: Some(true), ..base });
                return false;
            }
            _ => {}
        }
        true
    }

    /// Takes the request that this answers.
    fn answered(&mut self, cx: &Cx<'_>, reference: u16) -> Option<Waiting> {
        let at = self.waiting.iter().position(|waiting| waiting.reference == reference && waiting.dir != cx.dir)?;
        self.waiting.remove(at)
    }

    fn remember(&mut self, cx: &mut Cx<'_>, reference: u16, octets: &[u8]) {
        let reused = self.waiting.iter().position(|waiting| waiting.reference == reference && waiting.dir == cx.dir);
        if let Some(waiting) = reused.or((self.waiting.len() >= MAX_WAITING).then_some(0)).and_then(|at| self.waiting.remove(at)) {
            self.unanswered(cx, &waiting);
        }
        self.waiting.push_back(Waiting { common: cx.common(cx.dir), dir: cx.dir, reference, octets: octets.to_vec() });
    }

    fn unanswered(&mut self, cx: &mut Cx<'_>, waiting: &Waiting) {
        if let Ok(request) = Pdu::read(&waiting.octets) {
            self.tell(cx, waiting, &request, None);
        }
    }

    fn classic(&mut self, cx: &mut Cx<'_>, pdu: &Pdu<'_>, octets: &[u8]) {
        let userdata = if pdu.rosctr == 7 { Userdata::read(pdu.parameters).ok() } else { None };
        let is_request = pdu.rosctr == 1 || userdata.is_some_and(|userdata| userdata.kind == 4);
        let is_answer = matches!(pdu.rosctr, 2 | 3) || userdata.is_some_and(|userdata| userdata.kind == 8);
        let waiting = if is_answer { self.answered(cx, pdu.reference) } else { None };
        let request = waiting.as_ref().and_then(|waiting| Pdu::read(&waiting.octets).ok());
        let control = pdu.function().and_then(|function| pdu::control(function, pdu.rosctr == 1, pdu.parameters).ok()).unwrap_or_default();
        let content = userdata.map_or(Cow::Borrowed(&[][..]), |userdata| self.content(&userdata, pdu));
        self.row(cx, pdu, userdata.as_ref(), &content, waiting.as_ref(), &control);
        if is_request {
            self.remember(cx, pdu.reference, octets);
        }
        if let (Some(waiting), Some(request)) = (&waiting, &request) {
            self.tell(cx, waiting, request, Some(pdu));
            self.transfers.answer(cx, request, pdu, &control);
        }
        if pdu.rosctr == 1 {
            self.transfers.job(cx, pdu, &control);
        }
    }

    /// Content of userdata, its pieces joined; nothing before the last of them.
    fn content<'a>(&mut self, userdata: &Userdata, pdu: &Pdu<'a>) -> Cow<'a, [u8]> {
        let (_, payload) = pdu::payload(pdu.data);
        if userdata.kind != 8 || userdata.unit == 0 {
            return Cow::Borrowed(payload);
        }
        let known = self.pieces.iter().position(|(unit, _)| *unit == userdata.unit);
        if userdata.last == Some(true) {
            let Some(at) = known else { return Cow::Borrowed(payload) };
            let (_, mut whole) = self.pieces.swap_remove(at);
            whole.extend_from_slice(payload);
            return Cow::Owned(whole);
        }
        match known.and_then(|at| self.pieces.get_mut(at)) {
            Some((_, whole)) if whole.len() < MAX_JOINED => whole.extend_from_slice(payload),
            Some(_) => {}
            None => {
                if self.pieces.len() >= MAX_PIECES {
                    self.pieces.swap_remove(0);
                }
                self.pieces.push((userdata.unit, payload.to_vec()));
            }
        }
        Cow::Borrowed(&[])
    }

    #[allow(clippy::too_many_arguments)]
    fn row(&self, cx: &mut Cx<'_>, pdu: &Pdu<'_>, userdata: Option<&Userdata>, payload: &[u8], waiting: Option<&Waiting>, control: &Control<'_>) {
        let base = self.base(cx);
        let code = userdata.and_then(|_| pdu::payload(pdu.data).0);
        let is_szl = userdata.is_some_and(|userdata| userdata.group == 4 && userdata.subfunction == 1) && payload.len() >= 4;
        let be = |at: usize| payload.get(at..).and_then(|octets| octets.first_chunk()).map(|octets| u16::from_be_bytes(*octets));
        let is_answer = userdata.is_some_and(|userdata| userdata.kind == 8);
        let mut identity = if is_szl && is_answer && code == Some(0xff) { pdu::identity(payload).unwrap_or_default() } else { Identity::default() };
        if let Some(userdata) = userdata.filter(|userdata| userdata.group == 0 && userdata.kind == 0) {
            identity.operating_mode = match userdata.subfunction {
                0 => Some("stop"),
                1 | 3 | 6 => Some("startup"),
                2 => Some("run"),
                4 => Some("hold"),
                _ => None,
            };
        }
        let clock = userdata.filter(|userdata| userdata.group == 7 && userdata.kind != 0).and_then(|_| pdu::clock(payload));
        let setup = (pdu.function() == Some(names::SETUP)).then(|| pdu.parameters.get(2..8)).flatten();
        let short = |at: usize| {
            setup.and_then(|setup| setup.get(at..at + 2)).and_then(|octets| octets.first_chunk()).map(|octets| u16::from_be_bytes(*octets))
        };
        let error = match (pdu.error, userdata.and_then(|userdata| userdata.error)) {
            (Some((class, code)), _) => names::header_error(class, code),
            (None, Some(code)) => names::parameter_error(code),
            _ => None,
        };
        // A file's name has a sign before its block, a program service's argument none.
        let named = control.argument.and_then(pdu::named_blocks).and_then(|mut blocks| blocks.next());
        let block = control.filename.and_then(|name| name.get(1..)).or(named).and_then(pdu::block);
        let is_cyclic = userdata.is_some_and(|userdata| userdata.group == 2 && userdata.subfunction == 1);
        let text = |octets: Option<&[u8]>| octets.filter(|octets| !octets.is_empty()).map(|octets| String::from_utf8_lossy(octets).into_owned());
        let function = pdu.function();
        cx.emit(S7comm {
            protocol: Some("s7comm"),
            rosctr_code: Some(pdu.rosctr),
            rosctr_name: names::rosctr(pdu.rosctr),
            pdu_reference: Some(pdu.reference),
            request_frame: waiting.map(|waiting| waiting.common.frame),
            function_code: function,
            function_name: function.and_then(names::function),
            userdata_type: userdata.map(|userdata| userdata.kind),
            function_group: userdata.map(|userdata| userdata.group),
            function_group_name: userdata.and_then(|userdata| names::group(userdata.group)),
            subfunction_code: userdata.map(|userdata| userdata.subfunction),
            subfunction_name: userdata.and_then(|userdata| names::subfunction(userdata.group, userdata.subfunction)),
            sequence: userdata.map(|userdata| userdata.sequence),
            last_data_unit: userdata.and_then(|userdata| userdata.last),
            error_class: pdu.error.map(|(class, _)| class),
            error_code: pdu.error.map(|(_, code)| code),
            param_error_code: userdata
                .and_then(|userdata| userdata.error)
                .or(pdu.error.map(|(class, code)| u16::from_be_bytes([class, code])).filter(|code| *code != 0)),
            error: error.as_deref(),
            max_amq_calling: short(0),
            max_amq_called: short(2),
            pdu_length: short(4),
            item_count: function
                .filter(|function| matches!(*function, names::READ | names::WRITE))
                .and_then(|_| pdu.parameters.get(1).copied())
                .or_else(|| payload.get(1).copied().filter(|_| is_cyclic)),
            szl_id: be(0).filter(|_| is_szl),
            szl_id_name: be(0).filter(|_| is_szl).and_then(names::szl),
            szl_index: be(2).filter(|_| is_szl),
            order_number: identity.order_number.as_deref(),
            module_name: identity.module_name.as_deref(),
            plant_id: identity.plant_id.as_deref(),
            plc_name: identity.plc_name.as_deref(),
            serial_number: identity.serial_number.as_deref(),
            firmware: identity.firmware.as_deref(),
            operating_mode: identity.operating_mode,
            block_type: block.and_then(|block| names::block_type(block.kind)),
            block_number: block.map(|block| block.number),
            block_filename: text(control.filename.or(named)).as_deref(),
            destination_filesystem: text(block.map(|block| block.filesystem)).as_deref(),
            upload_id: control.upload_id,
            block_length: control.load_length,
            mc7_length: control.code_length,
            pi_service: text(control.service).as_deref(),
            pi_argument: control.argument.and_then(argument).as_deref(),
            clock,
            encrypted: Some(false),
            param_length: Some(pdu.parameter_length),
            data_length: Some(pdu.data_length),
            ..base
        });
    }

    /// What a request was, when its outcome is known.
    fn tell(&self, cx: &mut Cx<'_>, waiting: &Waiting, request: &Pdu<'_>, answer: Option<&Pdu<'_>>) {
        // The row belongs to the frame of the answer, as with other transactions.
        let common = if answer.is_some() { Common { frame: cx.frame, ts: Some(cx.ts), ..waiting.common } } else { waiting.common };
        let unit = self.unit.as_deref();
        let function = request.function();
        if matches!(function, Some(names::READ | names::WRITE)) {
            return items::emit(cx, &common, &waiting.common, request, answer, unit);
        }
        let userdata = if request.rosctr == 7 { Userdata::read(request.parameters).ok() } else { None };
        let control = function.and_then(|function| pdu::control(function, true, request.parameters).ok()).unwrap_or_default();
        let service = control.service.unwrap_or_default();
        let of_block = || control.filename.and_then(|name| pdu::block(name.get(1..)?)).map(|block| block.name());
        let (class, point, value) = match (function, userdata.map(|userdata| (userdata.group, userdata.subfunction))) {
            (Some(names::REQUEST_DOWNLOAD), _) => ("download", of_block(), None),
            (Some(names::START_UPLOAD), _) => ("upload", of_block(), None),
            (Some(names::PLC_STOP), _) => ("stop", Some(lossy(service)), None),
            (Some(names::PLC_CONTROL), _) => {
                let class = match service {
                    b"P_PROGRAM" => "start",
                    b"_INSE" => "download",
                    b"_DELE" => "delete",
                    _ => "config",
                };
                (class, argument(control.argument.unwrap_or_default()), None)
            }
            (_, Some((7, 2 | 4))) => ("time_set", None, pdu::clock(pdu::payload(request.data).1).map(calendar::clock)),
            (_, Some((5, 1))) => ("auth", None, None),
            (_, Some((1, 0x10))) => ("force", None, None),
            _ => return,
        };
        let parameter_error =
            answer.filter(|answer| answer.rosctr == 7).and_then(|answer| Userdata::read(answer.parameters).ok()).and_then(|answer| answer.error);
        let error = match (answer.and_then(|answer| answer.error), parameter_error) {
            (Some((class, code)), _) => names::header_error(class, code),
            (None, Some(code)) => names::parameter_error(code),
            _ => None,
        };
        let outcome = match (answer, &error) {
            (None, _) => "no_response",
            (Some(_), Some(_)) => "refused",
            (Some(_), None) => "ok",
        };
        let name = match (function, userdata) {
            (Some(names::PLC_CONTROL), _) if !service.is_empty() => Some(Cow::Owned(lossy(service))),
            (Some(function), _) => names::function(function).map(Cow::Borrowed),
            (None, Some(userdata)) => names::subfunction(userdata.group, userdata.subfunction).map(Cow::Borrowed),
            _ => None,
        };
        let code = match (function, userdata) {
            (Some(function), _) => format!("0x{function:02X}"),
            (None, Some(userdata)) => format!("0x{:02X}{:02X}", userdata.group, userdata.subfunction),
            _ => String::new(),
        };
        command(
            cx,
            &common,
            true,
            OtCommands {
                protocol: Some("s7comm"),
                request_frame: Some(waiting.common.frame),
                response_frame: answer.map(|_| common.frame),
                target_unit: unit,
                class: Some(class),
                command: name.as_deref(),
                command_code: Some(&code),
                point: point.as_deref(),
                value: value.as_deref(),
                is_broadcast: Some(false),
                outcome: Some(outcome),
                error: error.as_deref(),
                latency_ms: answer.and_then(|_| milliseconds(waiting.common.ts, common.ts)),
                ..OtCommands::default()
            },
        );
        if class == "auth"
            && let Some(password) = pdu::password(pdu::payload(request.data).1)
        {
            credential(cx, &common, &password, outcome);
        }
    }
}

/// A password that was tried; the scrambling hides nothing.
fn credential(cx: &mut Cx<'_>, common: &Common, password: &str, outcome: &str) {
    let id = secrets::id(password.as_bytes());
    let row = Credentials {
        protocol: Some("s7comm"),
        kind: Some("password"),
        secret: Some(password),
        secret_id: id.as_deref(),
        secret_length: u32::try_from(password.chars().count()).ok(),
        encrypted: Some(cx.is_decrypted()),
        outcome: Some(match outcome {
            "ok" => "success",
            "refused" => "failure",
            _ => "unknown",
        }),
        outcome_frame: (outcome != "no_response").then_some(common.frame),
        field: Some("plc_password"),
        ..Credentials::default()
    };
    cx.emit_as(common, row);
}

/// Argument of a program service: blocks by name, else as sent.
fn argument(octets: &[u8]) -> Option<String> {
    if let Some(blocks) = pdu::named_blocks(octets) {
        let names: Vec<String> = blocks.filter_map(pdu::block).map(|block| block.name()).collect();
        return (!names.is_empty()).then(|| names.join(", "));
    }
    pdu::text(octets).map(Cow::into_owned)
}

fn lossy(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_look_behind_the_transport() {
        let offer = |orig: &'static [u8], usual_port| Offer {
            bytes: [orig, &[]],
            dir: Dir::Orig,
            ports: [Some(40000), Some(if usual_port { 102 } else { 4001 })],
            usual_port,
            src: None,
            dst: None,
        };
        const CONNECT: &[u8] = &[3, 0, 0, 11, 6, 0xe0, 0, 0, 0, 1, 0];
        assert_eq!(probe(&offer(CONNECT, true)), Verdict::More);
        assert_eq!(probe(&offer(&[3, 0, 0, 25, 2, 0xf0, 0x80, 0x32, 1], false)), Verdict::Yes);
        assert_eq!(probe(&offer(&[3, 0, 0, 25, 2, 0xf0, 0x80, 0x72, 2], false)), Verdict::Yes);
        // A session PDU: MMS.
        assert_eq!(probe(&offer(&[3, 0, 0, 25, 2, 0xf0, 0x80, 0x0d, 0xb2], true)), Verdict::No);
        assert_eq!(probe(&offer(b"SSH-2.0", false)), Verdict::No);
    }

    #[test]
    fn arguments_name_blocks() {
        assert_eq!(argument(b"\x01\x000A00001P").as_deref(), Some("DB1"));
        assert_eq!(argument(b"C ").as_deref(), Some("C"));
        assert_eq!(argument(b""), None);
    }
}
