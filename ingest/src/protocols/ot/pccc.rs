//! PCCC, the commands of Allen-Bradley's PLC-5, SLC 500 and MicroLogix (Rockwell 1770-6.5.16, DF1 Protocol and Command Set),
//! whatever carries them.
//!
//! ```text
//! request   CMD:1  STS:1  TNS:2 (low octet first)  [FNC:1]  arguments
//! answer    CMD|0x40  STS:1  TNS:2  [EXT STS:1 where STS is 0xf0]  data
//! ```

use std::fmt::Write as _;

use pcapper_schema::Common;
use pcapper_schema::tables::{OtCommands, Pccc, ProcessValues};

use super::points::{self, Owner};
use crate::protocols::Cx;
use crate::wire::{Reader, Wire};

/// Bit of CMD that makes a message an answer.
pub const ANSWER: u8 = 0x40;
/// Octets of data that are kept.
const MAX_DATA: usize = 512;
/// An address field that stands for a longer one behind it.
const ESCAPE: u8 = 0xff;

/// Name and category of a command and its function (1770-6.5.16, chapter 7).
pub fn function(command: u8, function: Option<u8>) -> Option<(&'static str, &'static str)> {
    Some(match (command, function) {
        (0x00, None) => ("protected_write", "write"),
        (0x01, None) => ("unprotected_read", "read"),
        (0x02, None) => ("protected_bit_write", "write"),
        (0x05, None) => ("unprotected_bit_write", "write"),
        (0x08, None) => ("unprotected_write", "write"),
        (0x06, Some(0x00)) => ("echo", "diagnostic"),
        (0x06, Some(0x03)) => ("diagnostic_status", "diagnostic"),
        (0x0f, Some(code)) => match code {
            0x00 => ("word_range_write", "write"),
            0x01 => ("word_range_read", "read"),
            0x03 => ("file_write", "write"),
            0x04 => ("file_read", "read"),
            0x05 => ("download_request", "download"),
            0x06 => ("upload", "upload"),
            0x07 => ("shutdown", "mode"),
            0x08 => ("physical_write", "write"),
            0x09 => ("physical_read", "read"),
            0x0a => ("restart_request", "mode"),
            0x11 => ("get_edit_resource", "config"),
            0x12 => ("return_edit_resource", "config"),
            0x26 => ("read_modify_write", "write"),
            0x3a => ("set_cpu_mode", "mode"),
            0x41 => ("disable_forces", "config"),
            0x50 => ("download_all_request", "download"),
            0x52 => ("download_completed", "download"),
            0x53 => ("upload_all_request", "upload"),
            0x55 => ("upload_completed", "upload"),
            0x57 => ("initialize_memory", "config"),
            0x67 => ("typed_write", "write"),
            0x68 => ("typed_read", "read"),
            0x80 => ("change_mode", "mode"),
            0x81 => ("open_file", "other"),
            0x82 => ("close_file", "other"),
            0x88 => ("execute_multi", "other"),
            0x8f => ("apply_port_configuration", "config"),
            0xa1 => ("protected_typed_logical_read_2", "read"),
            0xa2 => ("protected_typed_logical_read_3", "read"),
            0xa7 => ("protected_typed_file_read", "read"),
            0xa9 => ("protected_typed_logical_write_2", "write"),
            0xaa => ("protected_typed_logical_write_3", "write"),
            0xab => ("masked_write_3", "write"),
            0xaf => ("protected_typed_file_write", "write"),
            _ => return None,
        },
        _ => return None,
    })
}

/// Class of a function in the common vocabulary, where it changes something.
fn class(name: &str, category: &str) -> Option<&'static str> {
    Some(match (name, category) {
        ("shutdown", _) => "stop",
        ("restart_request", _) => "restart",
        ("initialize_memory", _) => "delete",
        ("disable_forces", _) => "force",
        (_, "write") => "write",
        (_, "mode") => "mode_change",
        (_, "upload") => "upload",
        (_, "download") => "download",
        ("apply_port_configuration", _) => "config",
        _ => return None,
    })
}

/// What STS says (1770-6.5.16, chapter 8); its low half is the local node's.
pub fn status_text(status: u8, extended: Option<u8>) -> Option<&'static str> {
    Some(match (status & 0xf0, extended) {
        (0xf0, Some(extended)) => match extended {
            0x01 => "illegal value in a field",
            0x02 => "fewer address levels than the least",
            0x03 => "more address levels than supported",
            0x04 => "symbol not found",
            0x05 => "symbol of improper format",
            0x06 => "address points to nothing usable",
            0x07 => "file of wrong size",
            0x08 => "situation changed since the start",
            0x09 => "data or file too large",
            0x0a => "transaction size and address too large",
            0x0b => "access denied",
            0x0c => "condition cannot be generated",
            0x0d => "condition already exists",
            0x0e => "command cannot be executed",
            0x0f => "histogram overflow",
            0x10 => "no access",
            0x11 => "illegal data type",
            0x12 => "invalid parameter or data",
            0x13 => "address refers to a deleted area",
            0x14 => "execution failed for an unknown reason",
            0x1a => "file owner active",
            0x1b => "program owner active",
            _ => return None,
        },
        (0x10, _) => "illegal command or format",
        (0x20, _) => "host has a problem and will not communicate",
        (0x30, _) => "remote host is missing or shut down",
        (0x40, _) => "hardware fault",
        (0x50, _) => "addressing problem or memory protected",
        (0x60, _) => "function not allowed by protection",
        (0x70, _) => "processor is in program mode",
        (0x80, _) => "file missing or communication zone problem",
        (0x90, _) => "remote node cannot buffer the command",
        (0xa0, _) => "no acknowledgement",
        (0xb0, _) => "remote node has a problem due to download",
        (0x00, _) => match status {
            0 => return None,
            1 => "local node is out of buffers",
            2 => "remote node does not acknowledge",
            3 => "duplicate token holder",
            4 => "local port is disconnected",
            5 => "no answer in time",
            6 => "duplicate node",
            7 => "station is offline",
            8 => "hardware fault of the local node",
            _ => return None,
        },
        _ => return None,
    })
}

/// Data file types (1770-6.5.16, chapter 13): letters, and octets of an element of which values are read.
fn file_type(code: u8) -> Option<(&'static str, Option<usize>)> {
    Some(match code {
        0x82 => ("O", Some(2)),
        0x83 => ("I", Some(2)),
        0x84 => ("S", Some(2)),
        0x85 => ("B", Some(2)),
        0x86 => ("T", None),
        0x87 => ("C", None),
        0x88 => ("R", None),
        0x89 => ("N", Some(2)),
        0x8a => ("F", Some(4)),
        0x8d => ("ST", None),
        0x8e => ("A", None),
        0x91 => ("L", Some(4)),
        0x92 => ("MG", None),
        0x93 => ("PD", None),
        _ => return None,
    })
}

/// Address of typed logical functions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Address {
    file: u16,
    kind: u8,
    element: u16,
    sub: Option<u16>,
}

impl Address {
    /// In the processor's notation, for the element `offset` further on; `bit` names one bit of it.
    fn text(&self, offset: u16, bit: Option<u32>) -> Option<String> {
        let (letters, _) = file_type(self.kind)?;
        let mut text = format!("{letters}{}:{}", self.file, self.element.saturating_add(offset));
        let _ = match (self.kind, self.sub, bit) {
            (_, None | Some(0), Some(bit)) => write!(text, "/{bit}"),
            (_, Some(sub), Some(bit)) => write!(text, ".{sub}/{bit}"),
            (0x86 | 0x87, Some(1), _) => write!(text, ".PRE"),
            (0x86 | 0x87, Some(2), _) => write!(text, ".ACC"),
            (0x88, Some(1), _) => write!(text, ".LEN"),
            (0x88, Some(2), _) => write!(text, ".POS"),
            (_, Some(sub @ 1..), _) => write!(text, ".{sub}"),
            _ => Ok(()),
        };
        Some(text)
    }
}

/// A message taken apart.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// CMD without the bit of answers.
    pub command: u8,
    pub is_request: bool,
    pub status: u8,
    pub transaction: u16,
    /// FNC of a request.
    pub function: Option<u8>,
    extended: Option<u8>,
    size: Option<u8>,
    address: Option<Address>,
    mask: Option<u16>,
    mode: Option<u8>,
    /// What is written, or was read.
    pub data: &'a [u8],
}

fn escaped(reader: &mut Reader<'_>) -> Wire<u16> {
    match reader.u8()? {
        ESCAPE => reader.le_u16(),
        octet => Ok(u16::from(octet)),
    }
}

impl<'a> Message<'a> {
    /// Reads a message from its CMD on.
    pub fn read(octets: &'a [u8]) -> Wire<Self> {
        let mut reader = Reader::new(octets);
        let [command, status] = reader.array::<2>()?;
        let transaction = reader.le_u16()?;
        let is_request = command & ANSWER == 0;
        let command = command & !ANSWER;
        let function = if is_request && matches!(command, 0x06 | 0x07 | 0x0f) { Some(reader.u8()?) } else { None };
        let extended = if !is_request && status == 0xf0 { reader.u8().ok() } else { None };
        let mut message = Self {
            command,
            is_request,
            status,
            transaction,
            function,
            extended,
            size: None,
            address: None,
            mask: None,
            mode: None,
            data: reader.peek(),
        };
        // Arguments that do not fit are left as data.
        if message.arguments(&mut reader).is_ok() {
            message.data = reader.rest();
        }
        Ok(message)
    }

    fn arguments(&mut self, reader: &mut Reader<'_>) -> Wire<()> {
        match (self.command, self.function) {
            (0x0f, Some(0x80)) => self.mode = Some(reader.u8()?),
            (0x0f, Some(code @ (0xa1 | 0xa2 | 0xa9 | 0xaa | 0xab))) => {
                let size = reader.u8()?;
                let file = escaped(reader)?;
                let kind = reader.u8()?;
                let element = escaped(reader)?;
                let sub = if matches!(code, 0xa1 | 0xa9) { None } else { Some(escaped(reader)?) };
                if code == 0xab {
                    let mut mask = *reader;
                    self.mask = mask.le_u16().ok();
                }
                self.size = Some(size);
                self.address = Some(Address { file, kind, element, sub });
            }
            _ => {}
        }
        Ok(())
    }

    /// Name and category; of an answer, those of its request.
    pub fn named(&self, asked: Option<&Self>) -> Option<(&'static str, &'static str)> {
        let of = asked.unwrap_or(self);
        if of.is_request { function(of.command, of.function) } else { None }
    }

    /// Name of the function, or its numbers.
    pub fn name(&self) -> String {
        match (function(self.command, self.function), self.function) {
            (Some((name, _)), _) => name.to_owned(),
            (None, Some(code)) => format!("cmd_0x{:02X}_fnc_0x{code:02X}", self.command),
            (None, None) => format!("cmd_0x{:02X}", self.command),
        }
    }

    /// The point that is addressed; a masked write of one bit names the bit.
    pub fn point(&self) -> Option<String> {
        let bit = self.mask.filter(|mask| mask.is_power_of_two()).map(u16::trailing_zeros);
        self.address?.text(0, bit)
    }

    /// Model in the answer to a request for diagnostic status: SLC 500 and MicroLogix answer 0xee and their bulletin number.
    fn processor(&self, asked: Option<&Self>) -> Option<String> {
        let is_status = asked.is_some_and(|asked| (asked.command, asked.function) == (0x06, Some(0x03)));
        let text = self.data.get(5..16).filter(|_| is_status && self.data.get(1) == Some(&0xee))?;
        let text = std::str::from_utf8(text).ok()?.trim_matches(['\0', ' ']);
        (!text.is_empty() && text.chars().all(|character| character.is_ascii_graphic() || character == ' ')).then(|| text.to_owned())
    }

    fn mode_name(&self) -> Option<&'static str> {
        Some(match self.mode? {
            0x01 => "remote_program",
            0x06 => "remote_run",
            0x07..=0x09 => "remote_test",
            _ => return None,
        })
    }

    /// Elements that are written or were read, where their type has plain numbers.
    fn values(&self, address: Address) -> Vec<f64> {
        let Some((_, Some(width))) = file_type(address.kind) else { return Vec::new() };
        let number = |element: &[u8]| match (address.kind, element) {
            (0x8a, [a, b, c, d]) => f64::from(f32::from_le_bytes([*a, *b, *c, *d])),
            (_, [a, b, c, d]) => f64::from(i32::from_le_bytes([*a, *b, *c, *d])),
            (0x89 | 0x84, [a, b]) => f64::from(i16::from_le_bytes([*a, *b])),
            (_, [a, b]) => f64::from(u16::from_le_bytes([*a, *b])),
            _ => f64::NAN,
        };
        // Words of timers and structures are addressed by sub-element: no values of whole elements.
        if matches!(address.sub, Some(1..)) {
            return Vec::new();
        }
        self.data.chunks_exact(width).take(MAX_DATA / width).map(number).collect()
    }
}

/// Who asked, in CIP: vendor and serial number.
pub type Requestor = (u16, u32);

/// Parts the requestor id of CIP's Execute PCCC from the message (1756-RM005, chapter on PCCC).
pub fn in_cip(octets: &[u8]) -> Option<(Requestor, &[u8])> {
    let mut reader = Reader::new(octets);
    let length = usize::from(reader.u8().ok()?);
    let mut id = reader.sub(length.checked_sub(1)?).ok()?;
    Some(((id.le_u16().ok()?, id.le_u32().ok()?), reader.rest()))
}

/// Writes the row of a message that `carrier` brought, and what an answer settles. `asked` is the request of an answer, and
/// the frame it came in.
pub fn message(cx: &mut Cx<'_>, carrier: &'static str, requestor: Option<Requestor>, octets: &[u8], asked: Option<(&Common, &[u8])>) {
    let Ok(message) = Message::read(octets) else {
        return cx.anomaly("pccc", "bad_length", "a command ends before its transaction number");
    };
    let asked = asked.and_then(|(common, octets)| Some((common, Message::read(octets).ok()?)));
    let asked = asked.filter(|(_, of)| !message.is_request && of.transaction == message.transaction && of.command == message.command);
    let of = asked.as_ref().map(|(_, of)| of);
    let known = message.named(of);
    let name = of.unwrap_or(&message).name();
    let (processor, point) = (message.processor(of), message.point());
    cx.emit(Pccc {
        carrier: Some(carrier),
        is_request: Some(message.is_request),
        request_frame: asked.as_ref().map(|(common, _)| common.frame),
        requestor_vendor: requestor.map(|(vendor, _)| vendor),
        requestor_serial: requestor.map(|(_, serial)| serial),
        command: Some(message.command).filter(|_| message.is_request),
        status: Some(message.status),
        extended_status: message.extended,
        error: status_text(message.status, message.extended).filter(|_| !message.is_request),
        transaction: Some(message.transaction),
        function_code: message.function,
        function: Some(name.as_str()).filter(|_| message.is_request || of.is_some()),
        category: known.map(|(_, category)| category).or((message.is_request || of.is_some()).then_some("other")),
        byte_size: message.size,
        file_number: message.address.map(|address| address.file),
        file_type: message.address.map(|address| address.kind),
        file_type_name: message.address.and_then(|address| file_type(address.kind)).map(|(letters, _)| letters),
        element: message.address.map(|address| address.element),
        subelement: message.address.and_then(|address| address.sub),
        point: point.as_deref(),
        cpu_mode: message.mode,
        cpu_mode_name: message.mode_name(),
        processor: processor.as_deref(),
        data: message.data.get(..MAX_DATA.min(message.data.len())).filter(|data| !data.is_empty()),
    });
    if let Some((common, of)) = asked {
        tell(cx, "pccc", None, common, &of, Some(&message));
    }
}

/// A request that nobody answered.
pub fn unanswered(cx: &mut Cx<'_>, asked_at: &Common, octets: &[u8]) {
    if let Ok(message) = Message::read(octets) {
        tell(cx, "pccc", None, asked_at, &message, None);
    }
}

/// Writes the values and the command of a request, once its answer is known or known to be missing.
pub fn tell(cx: &mut Cx<'_>, protocol: &'static str, unit: Option<&str>, asked_at: &Common, asked: &Message<'_>, answer: Option<&Message<'_>>) {
    let Some((name, category)) = asked.named(None) else { return };
    let common = if answer.is_some() { Common { frame: cx.frame, ts: Some(cx.ts), ..*asked_at } } else { *asked_at };
    let outcome = match answer {
        None => "no_response",
        Some(answer) if answer.status == 0 => "ok",
        Some(_) => "refused",
    };
    if let Some(address) = asked.address.filter(|_| asked.mask.is_none()) {
        let is_write = category == "write";
        let from = if is_write { Some(asked) } else { answer.filter(|answer| answer.status == 0) };
        let values = from.map(|message| message.values(address)).unwrap_or_default();
        for (offset, number) in (0_u16..).zip(values).filter(|(_, number)| number.is_finite()) {
            points::value(
                cx,
                &common,
                Owner::Destination,
                ProcessValues {
                    source_protocol: Some(protocol),
                    request_frame: Some(asked_at.frame),
                    unit_id: unit,
                    point: address.text(offset, None).as_deref(),
                    object_type: file_type(address.kind).map(|(letters, _)| letters),
                    direction: Some(if is_write { "write" } else { "read" }),
                    value: Some(number),
                    raw_type: Some(match address.kind {
                        0x8a => "f32",
                        0x91 => "i32",
                        0x84 | 0x89 => "i16",
                        _ => "u16",
                    }),
                    outcome: is_write.then_some(outcome),
                    ..ProcessValues::default()
                },
            );
        }
    }
    let Some(class) = class(name, category) else { return };
    let code = match asked.function {
        Some(function) => format!("0x{:02X}/0x{function:02X}", asked.command),
        None => format!("0x{:02X}", asked.command),
    };
    let value = match (asked.mode_name(), asked.mask, asked.address) {
        (Some(mode), ..) => Some(mode.to_owned()),
        (None, Some(mask), _) => asked.data.get(2..4).map(|word| {
            let word = word.iter().rev().fold(0_u16, |word, octet| word << 8 | u16::from(*octet));
            if mask.is_power_of_two() { u16::from(word & mask != 0).to_string() } else { format!("0x{:04x} under mask 0x{mask:04x}", word & mask) }
        }),
        (None, None, Some(address)) => {
            let list: Vec<String> = asked.values(address).iter().take(16).map(ToString::to_string).collect();
            (!list.is_empty()).then(|| list.join(", "))
        }
        _ => None,
    };
    points::command(
        cx,
        &common,
        false,
        OtCommands {
            protocol: Some(protocol),
            record_frame: Some(asked_at.frame),
            request_frame: Some(asked_at.frame),
            response_frame: answer.map(|_| common.frame),
            target_unit: unit,
            class: Some(class),
            command: Some(name),
            command_code: Some(&code),
            point: asked.point().as_deref(),
            value: value.as_deref(),
            quantity: asked.size.map(u32::from),
            is_broadcast: Some(false),
            outcome: Some(outcome),
            error: answer.and_then(|answer| status_text(answer.status, answer.extended)),
            latency_ms: answer.and_then(|_| points::milliseconds(asked_at.ts, common.ts)),
            ..OtCommands::default()
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_writes() {
        // N7:10 = 1234, three levels.
        let write = Message::read(&[0x0f, 0, 0x34, 0x12, 0xaa, 2, 7, 0x89, 10, 0, 0xd2, 0x04]).unwrap();
        assert_eq!((write.transaction, write.point().as_deref()), (0x1234, Some("N7:10")));
        assert_eq!(write.values(write.address.unwrap()), [1234.0]);
        assert_eq!(write.named(None), Some(("protected_typed_logical_write_3", "write")));
        // One bit of B3:1, under a mask.
        let bit = Message::read(&[0x0f, 0, 1, 0, 0xab, 2, 3, 0x85, 1, 0, 0x10, 0, 0x10, 0]).unwrap();
        assert_eq!(bit.point().as_deref(), Some("B3:1/4"));
        // Longer addresses stand behind 0xff.
        let far = Message::read(&[0x0f, 0, 1, 0, 0xa2, 4, 0xff, 0x2c, 0x01, 0x8a, 0xff, 0xe8, 0x03, 0]).unwrap();
        assert_eq!(far.point().as_deref(), Some("F300:1000"));
        let timer = Message::read(&[0x0f, 0, 1, 0, 0xa2, 2, 4, 0x86, 0, 2]).unwrap();
        assert_eq!(timer.point().as_deref(), Some("T4:0.ACC"));
    }

    #[test]
    fn answers_and_modes() {
        let refused = Message::read(&[0x4f, 0xf0, 1, 0, 0x0b]).unwrap();
        assert_eq!(status_text(refused.status, refused.extended), Some("access denied"));
        let mode = Message::read(&[0x0f, 0, 1, 0, 0x80, 1]).unwrap();
        assert_eq!((mode.mode_name(), mode.name().as_str()), (Some("remote_program"), "change_mode"));
        assert_eq!(Message::read(&[0x0f, 0, 1, 0, 0xa3, 0xff]).unwrap().name(), "cmd_0x0F_fnc_0xA3");
        assert!(Message::read(&[0x0f, 0, 1]).is_err());
        let id = [7, 0x4d, 0, 0xe0, 0x31, 0x2b, 0x3d, 6, 0];
        assert_eq!(in_cip(&id), Some(((0x4d, 0x3d2b_31e0), &[6_u8, 0][..])));
        assert_eq!(in_cip(&[0]), None);
    }
}
