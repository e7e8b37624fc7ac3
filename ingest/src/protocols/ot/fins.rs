//! FINS, Omron's factory interface network service (W227, W342), over UDP, and over TCP with a header of its own (W421).
//!
//! ```text
//! ICF:1  RSV:1  GCT:1  DNA DA1 DA2  SNA SA1 SA2  SID:1   MRC SRC (command)   [end code:2 in an answer]   data
//! TCP: "FINS"  length:4 (of what follows it)  command:4  error:4   then node addresses, or the above
//! ```

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt::Write as _;

use pcapper_schema::Common;
use pcapper_schema::tables::{Credentials, Fins, OtCommands, ProcessValues};

use super::calendar::Civil;
use super::points::{self, Owner};
use crate::protocols::{
    Cx, DatagramDissector, DatagramKind, Group, Offer, Outcome, Progress, Protocol, StreamDissector, StreamKind, Verdict, secrets,
};
use crate::wire::{Malformed, Reader, Wire};

/// FINS on any port; 9600 is its own.
pub static PROTOCOL: Protocol = Protocol {
    name: "fins",
    group: Group::Ot,
    ports: &[9600],
    datagram: Some(DatagramKind { ip_protos: &[17], probe: probe_datagram, start: || Box::<Peers>::default() }),
    stream: Some(StreamKind { probe: probe_stream, start: || Box::<Peers>::default() }),
    ..Protocol::NONE
};

const MAGIC: &[u8] = b"FINS";
/// Octets of the TCP header, and of a frame before its data.
const TCP_HEADER: usize = 16;
const HEADER: usize = 12;
/// Longest TCP frame that is believed: FINS carries at most 2012 octets.
const MAX_FRAME: usize = 8192;
/// Requests that wait for their answers, and values of one message that are kept.
const MAX_WAITING: usize = 64;
const MAX_VALUES: usize = 1024;

/// Name and category of a command.
fn command(code: u16) -> Option<(&'static str, &'static str)> {
    Some(match code {
        0x0101 => ("memory_area_read", "read"),
        0x0102 => ("memory_area_write", "write"),
        0x0103 => ("memory_area_fill", "write"),
        0x0104 => ("multiple_memory_area_read", "read"),
        0x0105 => ("memory_area_transfer", "write"),
        0x0201 => ("parameter_area_read", "read"),
        0x0202 => ("parameter_area_write", "write"),
        0x0203 => ("parameter_area_clear", "write"),
        0x0220 => ("data_link_table_read", "read"),
        0x0221 => ("data_link_table_write", "write"),
        0x0304 => ("program_area_protect", "program"),
        0x0305 => ("program_area_protect_clear", "program"),
        0x0306 => ("program_area_read", "program"),
        0x0307 => ("program_area_write", "program"),
        0x0308 => ("program_area_clear", "program"),
        0x0401 => ("run", "mode"),
        0x0402 => ("stop", "mode"),
        0x0403 => ("reset", "mode"),
        0x0501 => ("controller_data_read", "identity"),
        0x0502 => ("connection_data_read", "identity"),
        0x0601 => ("controller_status_read", "read"),
        0x0602 => ("network_status_read", "read"),
        0x0603 => ("data_link_status_read", "read"),
        0x0620 => ("cycle_time_read", "read"),
        0x0701 => ("clock_read", "time"),
        0x0702 => ("clock_write", "time"),
        0x0801 => ("loopback_test", "test"),
        0x0802 => ("broadcast_test_results_read", "test"),
        0x0803 => ("broadcast_test_data_send", "test"),
        0x0920 => ("message_read_clear", "other"),
        0x0c01 => ("access_right_acquire", "access"),
        0x0c02 => ("access_right_forced_acquire", "access"),
        0x0c03 => ("access_right_release", "access"),
        0x2101 => ("error_clear", "error_log"),
        0x2102 => ("error_log_read", "error_log"),
        0x2103 => ("error_log_clear", "error_log"),
        0x2201 => ("file_name_read", "file"),
        0x2202 => ("single_file_read", "file"),
        0x2203 => ("single_file_write", "file"),
        0x2204 => ("memory_card_format", "file"),
        0x2205 => ("file_delete", "file"),
        0x2206 => ("volume_label", "file"),
        0x2207 => ("file_copy", "file"),
        0x2208 => ("file_name_change", "file"),
        0x2209 => ("file_data_check", "file"),
        0x220a => ("memory_area_file_transfer", "file"),
        0x220b => ("parameter_area_file_transfer", "file"),
        0x220c => ("program_area_file_transfer", "file"),
        0x2301 => ("forced_set_reset", "force"),
        0x2302 => ("forced_set_reset_cancel", "force"),
        0x230a => ("multiple_forced_status_read", "read"),
        0x2601 => ("name_set", "other"),
        0x2602 => ("name_delete", "other"),
        0x2603 => ("name_read", "identity"),
        _ => return None,
    })
}

/// Class of a command in the common vocabulary, where it changes something.
fn class(code: u16) -> Option<&'static str> {
    Some(match code {
        0x0102 | 0x0103 | 0x0105 => "write",
        0x0202 | 0x0203 | 0x0221 | 0x0304 | 0x0305 | 0x2601 | 0x2602 => "config",
        0x0306 => "upload",
        0x0307 | 0x220c => "download",
        0x0308 | 0x2204 | 0x2205 => "delete",
        0x0401 => "start",
        0x0402 => "stop",
        0x0403 => "restart",
        0x0702 => "time_set",
        0x0c01 | 0x0c02 => "reserve",
        0x2101 | 0x2103 => "diagnostic",
        0x2203 | 0x2207 | 0x2208 | 0x220a | 0x220b => "config",
        0x2301 | 0x2302 => "force",
        _ => return None,
    })
}

/// Meaning of an end code's main part (W342 section 5-1-3).
fn response_text(code: u16) -> Option<&'static str> {
    // Bits that tell of the unit's own errors, and of a relay, stand in the code.
    let code = code & 0x7f3f;
    Some(match (code >> 8, code & 0xff) {
        (0, 0) => "normal completion",
        (0, 1) => "service cancelled",
        (0x01, _) => "local node error",
        (0x02, _) => "destination node error",
        (0x03, _) => "controller error",
        (0x04, _) => "service unsupported",
        (0x05, _) => "routing table error",
        (0x10, _) => "command format error",
        (0x11, _) => "parameter error",
        (0x20, _) => "read not possible",
        (0x21, _) => "write not possible",
        (0x22, _) => "not executable in current mode",
        (0x23, _) => "no such device",
        (0x24, _) => "cannot start or stop",
        (0x25, _) => "unit error",
        (0x26, _) => "command error",
        (0x30, _) => "access right error",
        (0x40, _) => "abort",
        _ => return None,
    })
}

/// A memory area: name, and whether single bits are addressed (W342 section 5-2-2).
fn area(code: u8) -> Option<(Cow<'static, str>, bool)> {
    let em = |bank: u8, bits: bool| (Cow::Owned(if bits { format!("EM{bank:x}_bit") } else { format!("EM{bank:x}") }), bits);
    Some(match code {
        0x30 => ("CIO_bit".into(), true),
        0x31 => ("WR_bit".into(), true),
        0x32 => ("HR_bit".into(), true),
        0x33 => ("AR_bit".into(), true),
        0xb0 => ("CIO".into(), false),
        0xb1 => ("WR".into(), false),
        0xb2 => ("HR".into(), false),
        0xb3 => ("AR".into(), false),
        0x02 => ("DM_bit".into(), true),
        0x82 => ("DM".into(), false),
        0x09 => ("TIM_CNT_bit".into(), true),
        0x89 => ("TIM_CNT".into(), false),
        0x06 => ("task_bit".into(), true),
        0x46 => ("task".into(), false),
        0x0a => ("EM_current_bit".into(), true),
        0x98 => ("EM_current".into(), false),
        0x20..=0x2f => em(code - 0x20, true),
        0xa0..=0xaf => em(code - 0xa0, false),
        0x00 => ("CV_CIO_bit".into(), true),
        0x80 => ("CV_CIO".into(), false),
        _ => return None,
    })
}

/// A point's notation: `D100`, `CIO 3.05`, `W12`.
fn point(code: u8, address: u16, bit: u8) -> Option<String> {
    let (name, is_bit) = area(code)?;
    let base = name.trim_end_matches("_bit");
    let mut text = match base {
        "DM" => format!("D{address}"),
        "WR" => format!("W{address}"),
        "HR" => format!("H{address}"),
        "AR" => format!("A{address}"),
        // The upper half of the addresses is the counters'.
        "TIM_CNT" if address & 0x8000 != 0 => format!("C{}", address & 0x7fff),
        "TIM_CNT" => format!("T{address}"),
        base => format!("{base} {address}"),
    };
    if is_bit && base != "TIM_CNT" {
        // Writing to a String cannot fail.
        let _ = write!(text, ".{bit:02}");
    }
    Some(text)
}

/// The ten octets before the command.
#[derive(Clone, Copy)]
struct Header {
    icf: u8,
    gct: u8,
    /// Network, node and unit.
    destination: [u8; 3],
    source: [u8; 3],
    sid: u8,
    code: u16,
}

impl Header {
    fn read(wire: &mut Reader<'_>) -> Wire<Self> {
        let (icf, reserved, gct) = (wire.u8()?, wire.u8()?, wire.u8()?);
        let header = Self { icf, gct, destination: wire.array()?, source: wire.array()?, sid: wire.u8()?, code: wire.be_u16()? };
        // Bits 1 to 5 of ICF, and the second octet, are always zero; networks are numbered up to 127.
        let sound = icf & 0x3e == 0 && reserved == 0 && gct <= 7 && header.destination[0] <= 127 && header.source[0] <= 127;
        if sound { Ok(header) } else { Err(Malformed) }
    }

    fn is_request(&self) -> bool {
        self.icf & 0x40 == 0
    }

    /// The other goes back from this one's destination to its source; networks may be numbered otherwise on the way.
    fn is_between(&self, other: &Self) -> bool {
        let ([_, from_node, from_unit], [_, to_node, to_unit]) = (self.source, self.destination);
        let ([_, back_node, back_unit], [_, other_node, other_unit]) = (other.destination, other.source);
        (from_node, from_unit, to_node, to_unit) == (back_node, back_unit, other_node, other_unit)
    }
}

fn probe_datagram(offer: &Offer<'_>) -> Verdict {
    let sound = Header::read(&mut Reader::new(offer.current())).is_ok_and(|header| {
        let known = command(header.code).is_some();
        // An answer carries an end code.
        let whole = header.is_request() || offer.current().len() >= HEADER + 2;
        whole && if offer.usual_port { known || header.icf & 0x80 != 0 } else { known && header.icf & 0x80 != 0 && matches!(header.gct, 2 | 7) }
    });
    if sound { Verdict::Yes } else { Verdict::No }
}

fn probe_stream(offer: &Offer<'_>) -> Verdict {
    match offer.current() {
        bytes if bytes.len() < 12 => {
            let shown = bytes.get(..bytes.len().min(4)).unwrap_or_default();
            if MAGIC.starts_with(shown) { Verdict::More } else { Verdict::No }
        }
        [b'F', b'I', b'N', b'S', 0, 0, _, _, 0, 0, 0, 0..=3 | 6, ..] => Verdict::Yes,
        _ => Verdict::No,
    }
}

/// The memory that a message is about.
#[derive(Clone, Copy)]
struct Memory {
    area: u8,
    address: u16,
    bit: u8,
    /// How many words or bits, where the command says so.
    items: Option<u16>,
}

/// A request that waits for its answer.
struct Waiting {
    common: Common,
    header: Header,
    memory: Option<Memory>,
    ts: i64,
    value: Option<String>,
}

#[derive(Default)]
struct Peers {
    waiting: VecDeque<Waiting>,
}

/// What the data of a message says.
#[derive(Default)]
struct Body<'a> {
    memory: Option<Memory>,
    values: Vec<u16>,
    /// How many words or records a file service moves, and the first word of a parameter area it moves.
    items: Option<u16>,
    first: Option<u16>,
    parameter_area: Option<u16>,
    program: Option<u16>,
    run_mode: Option<&'static str>,
    controller_mode: Option<&'static str>,
    model: Option<Cow<'a, str>>,
    version: Option<Cow<'a, str>>,
    file: Option<String>,
    password: Option<Cow<'a, str>>,
    clock: Option<i64>,
}

fn trimmed(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let end = bytes.iter().rposition(|octet| !matches!(octet, 0 | b' ')).map_or(0, |last| last + 1);
    bytes.get(..end).filter(|text| !text.is_empty()).map(String::from_utf8_lossy)
}

/// Text up to its first zero; none where it is no text.
fn printable(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let end = bytes.iter().position(|octet| *octet == 0).unwrap_or(bytes.len());
    trimmed(bytes.get(..end)?).filter(|text| !text.chars().any(char::is_control))
}

/// Words, or for bits one octet each.
fn values(data: &[u8], is_bit: bool) -> Vec<u16> {
    if is_bit {
        data.iter().take(MAX_VALUES).map(|octet| u16::from(*octet)).collect()
    } else {
        data.chunks_exact(2).take(MAX_VALUES).map(|word| word.iter().fold(0, |word, octet| word << 8 | u16::from(*octet))).collect()
    }
}

/// Year, month, day, hour, minute, second in binary-coded decimal; the years from 98 on are the last century's.
fn clock(wire: &mut Reader<'_>) -> Wire<Option<i64>> {
    let fields = wire.take(6)?;
    let mut parts = [0_u8; 6];
    for (part, octet) in parts.iter_mut().zip(fields) {
        if octet >> 4 > 9 || octet & 15 > 9 {
            return Ok(None);
        }
        *part = (octet >> 4) * 10 + (octet & 15);
    }
    let [year, month, day, hour, minute, second] = parts;
    let year = i64::from(year) + if year >= 98 { 1900 } else { 2000 };
    Ok(Civil { year, month, day, hour, minute, second, nanosecond: 0 }.nanoseconds())
}

impl<'a> Body<'a> {
    fn memory(wire: &mut Reader<'_>) -> Wire<Memory> {
        Ok(Memory { area: wire.u8()?, address: wire.be_u16()?, bit: wire.u8()?, items: Some(wire.be_u16()?) })
    }

    fn request(code: u16, data: &'a [u8]) -> Wire<Self> {
        let mut body = Self::default();
        let mut wire = Reader::new(data);
        match code {
            0x0101 => body.memory = Some(Self::memory(&mut wire)?),
            0x0102 | 0x0103 => {
                let memory = Self::memory(&mut wire)?;
                body.memory = Some(memory);
                body.values = values(wire.rest(), area(memory.area).is_some_and(|(_, bit)| bit));
            }
            0x0104 | 0x0105 | 0x230a => {
                let (area, address, bit) = (wire.u8()?, wire.be_u16()?, wire.u8()?);
                // A transfer names its destination before the number of words.
                let items = match code {
                    0x0105 => {
                        wire.skip(4)?;
                        Some(wire.be_u16()?)
                    }
                    0x230a => Some(wire.be_u16()?),
                    _ => None,
                };
                body.memory = Some(Memory { area, address, bit, items });
            }
            0x0201..=0x0203 => body.parameter_area = Some(wire.be_u16()?),
            0x0304..=0x0308 => {
                body.program = Some(wire.be_u16()?);
                if code <= 0x0305 {
                    wire.skip(9)?;
                    body.password = trimmed(wire.take(4)?);
                }
            }
            0x0401 => {
                if let Ok(program) = wire.be_u16() {
                    body.program = Some(program);
                    body.run_mode = match wire.u8() {
                        Ok(2) => Some("monitor"),
                        Ok(4) => Some("run"),
                        _ => None,
                    };
                }
            }
            0x0c01..=0x0c03 => body.program = wire.be_u16().ok(),
            // Which way, then what, how much, the disk, and the file's name.
            0x220a => {
                wire.skip(6)?;
                body.items = Some(wire.be_u16()?);
                wire.skip(2)?;
                body.file = trimmed(wire.take(12)?).map(Cow::into_owned);
            }
            0x220b => {
                wire.skip(2)?;
                body.parameter_area = Some(wire.be_u16()?);
                body.first = Some(wire.be_u16()?);
                wire.skip(4)?;
                body.file = trimmed(wire.take(12)?).map(Cow::into_owned);
            }
            0x220c => {
                wire.skip(2)?;
                body.program = Some(wire.be_u16()?);
                wire.skip(10)?;
                body.file = trimmed(wire.take(12)?).map(Cow::into_owned);
            }
            0x0702 => body.clock = clock(&mut wire)?,
            0x2202 | 0x2208 => {
                wire.skip(2)?;
                body.file = trimmed(wire.take(12)?).map(Cow::into_owned);
            }
            0x2203 | 0x2205 => {
                wire.skip(4)?;
                body.file = trimmed(wire.take(12)?).map(Cow::into_owned);
            }
            0x2301 => {
                wire.skip(2)?;
                body.values = vec![wire.be_u16()?];
                let (area, address, bit) = (wire.u8()?, wire.be_u16()?, wire.u8()?);
                body.memory = Some(Memory { area, address, bit, items: None });
            }
            _ => {}
        }
        Ok(body)
    }

    fn answer(code: u16, data: &'a [u8], asked: Option<&Waiting>) -> Wire<Self> {
        let mut body = Self::default();
        let mut wire = Reader::new(data);
        match code {
            0x0101 => {
                if let Some(memory) = asked.and_then(|asked| asked.memory) {
                    body.memory = Some(memory);
                    body.values = values(data, area(memory.area).is_some_and(|(_, bit)| bit));
                }
            }
            // Areas and programs that are read or written are named again.
            0x0201 => body.parameter_area = Some(wire.be_u16()?),
            0x0306 | 0x0307 => body.program = Some(wire.be_u16()?),
            0x220a => body.items = wire.be_u16().ok(),
            0x0501 => {
                body.model = printable(wire.take(20)?);
                body.version = printable(wire.take(20)?);
            }
            0x0601 => {
                wire.skip(1)?;
                body.controller_mode = match wire.u8()? {
                    0 => Some("program"),
                    1 => Some("debug"),
                    2 => Some("monitor"),
                    4 => Some("run"),
                    _ => None,
                };
            }
            _ => {}
        }
        Ok(body)
    }
}

impl Peers {
    fn frame(&mut self, cx: &mut Cx<'_>, bytes: &[u8], base: Fins<'_>) -> bool {
        let mut wire = Reader::new(bytes);
        let Ok(header) = Header::read(&mut wire) else {
            cx.anomaly("fins", "unexpected_state", "a frame whose header cannot be FINS");
            cx.emit(Fins { malformed: Some(if bytes.len() < HEADER { "truncated" } else { "bad_header" }), ..base });
            return false;
        };
        let known = command(header.code);
        let is_request = header.is_request();
        let response_code = if is_request { None } else { wire.be_u16().ok() };
        let data = wire.rest();
        // An answer has the ends turned round.
        let asked = if is_request {
            None
        } else {
            let at = self.waiting.iter().position(|waiting| {
                let other = &waiting.header;
                other.sid == header.sid && other.code == header.code && other.is_between(&header)
            });
            at.and_then(|at| self.waiting.remove(at))
        };
        let read = if is_request { Body::request(header.code, data) } else { Body::answer(header.code, data, asked.as_ref()) };
        let fault = match (&read, is_request, response_code) {
            (_, false, None) => Some("truncated"),
            (Err(_), true, _) => Some("length_mismatch"),
            // A refusal carries no data.
            (Err(_), false, Some(code)) if code & 0x7f3f == 0 => Some("length_mismatch"),
            _ => None,
        };
        if fault.is_some() {
            cx.anomaly("fins", "bad_length", "a command is shorter than its fields");
        }
        let body = read.unwrap_or_default();
        let memory = body.memory;
        let shown = memory.and_then(|memory| point(memory.area, memory.address, memory.bit));
        let name = memory.and_then(|memory| area(memory.area)).map(|(name, _)| name);
        let [source_network, source_node, source_unit] = header.source;
        let [destination_network, destination_node, destination_unit] = header.destination;
        cx.emit(Fins {
            icf: Some(header.icf),
            is_request: Some(is_request),
            response_required: Some(header.icf & 1 == 0),
            gateway_count: Some(header.gct),
            destination_network: Some(destination_network),
            destination_node: Some(destination_node),
            destination_unit: Some(destination_unit),
            source_network: Some(source_network),
            source_node: Some(source_node),
            source_unit: Some(source_unit),
            service_id: Some(header.sid),
            command_code: Some(header.code),
            command: known.map(|(name, _)| name),
            category: known.map(|(_, category)| category),
            response_code,
            response: response_code.and_then(response_text),
            request_frame: asked.as_ref().map(|asked| asked.common.frame),
            response_time_ms: asked.as_ref().and_then(|asked| points::milliseconds(Some(asked.ts), Some(cx.ts))),
            memory_area_code: memory.map(|memory| memory.area),
            memory_area: name.as_deref(),
            address: memory.map(|memory| memory.address).or(body.first).map(u32::from),
            bit: memory.map(|memory| memory.bit),
            number_of_items: memory.and_then(|memory| memory.items).or(body.items),
            point: shown.as_deref(),
            values: Some(body.values.as_slice()).filter(|values| !values.is_empty()),
            parameter_area_code: body.parameter_area,
            program_number: body.program,
            run_mode: body.run_mode,
            controller_mode: body.controller_mode,
            controller_model: body.model.as_deref(),
            controller_version: body.version.as_deref(),
            file_name: body.file.as_deref(),
            password: body.password.as_deref(),
            clock_set: body.clock,
            data_len: u32::try_from(data.len()).ok(),
            malformed: fault,
            ..base
        });
        self.credential(cx, &body);
        if let Some(memory) = memory.filter(|_| matches!(header.code, 0x0101 | 0x0102)) {
            tell(cx, &header, asked.as_ref(), memory, &body.values, response_code);
        }
        let value = value_text(&body);
        if is_request {
            if self.waiting.len() >= MAX_WAITING
                && let Some(unanswered) = self.waiting.pop_front()
            {
                act(cx, &unanswered, None);
            }
            self.waiting.push_back(Waiting { common: cx.common(cx.dir), header, memory, ts: cx.ts, value });
        } else if let Some(asked) = asked {
            act(cx, &asked, response_code.map(|code| (code, cx.frame, cx.ts)));
        }
        true
    }

    fn credential(&self, cx: &mut Cx<'_>, body: &Body<'_>) {
        let Some(password) = &body.password else { return };
        cx.emit(Credentials {
            protocol: Some("fins"),
            kind: Some("password"),
            secret: Some(password),
            secret_id: secrets::id(password.as_bytes()).as_deref(),
            secret_length: u32::try_from(password.chars().count()).ok(),
            encrypted: Some(cx.is_decrypted()),
            outcome: Some("unknown"),
            field: Some("program area protection"),
            ..Credentials::default()
        });
    }

    fn flush(&mut self, cx: &mut Cx<'_>) {
        for waiting in std::mem::take(&mut self.waiting) {
            act(cx, &waiting, None);
        }
    }
}

/// What a command asks for, as text.
fn value_text(body: &Body<'_>) -> Option<String> {
    if let Some(mode) = body.run_mode {
        return Some(mode.to_owned());
    }
    if let Some(file) = &body.file {
        return Some(file.clone());
    }
    let list: Vec<String> = body.values.iter().take(16).map(ToString::to_string).collect();
    (!list.is_empty()).then(|| list.join(", "))
}

/// Writes the values that were read or written.
fn tell(cx: &mut Cx<'_>, header: &Header, asked: Option<&Waiting>, memory: Memory, values: &[u16], response: Option<u16>) {
    let is_read = header.code == 0x0101;
    if is_read == header.is_request() {
        return;
    }
    let common = cx.common(cx.dir);
    let is_bit = area(memory.area).is_some_and(|(_, bit)| bit);
    let unit = format!("{}.{}.{}", header.destination[0], header.destination[1], header.destination[2]);
    let name = area(memory.area).map(|(name, _)| name);
    for (index, value) in (0_u16..).zip(values) {
        let (address, bit) = if is_bit {
            let bits = u32::from(memory.address) * 16 + u32::from(memory.bit) + u32::from(index);
            (u16::try_from(bits / 16).unwrap_or(u16::MAX), (bits % 16) as u8)
        } else {
            (memory.address.wrapping_add(index), memory.bit)
        };
        let Some(point) = point(memory.area, address, bit) else { break };
        points::value(
            cx,
            &common,
            if is_read { Owner::Source } else { Owner::Destination },
            ProcessValues {
                source_protocol: Some("fins"),
                request_frame: asked.map(|asked| asked.common.frame).or((!is_read).then_some(common.frame)),
                unit_id: Some(&unit),
                point: Some(&point),
                object_type: name.as_deref(),
                direction: Some(if is_read { "read" } else { "write" }),
                value: Some(f64::from(*value)),
                raw_type: Some(if is_bit { "bool" } else { "u16" }),
                outcome: response.filter(|_| !is_read).map(|code| if code & 0x7f3f == 0 { "ok" } else { "refused" }),
                confidence: Some(if is_bit { "high" } else { "medium" }),
                ..ProcessValues::default()
            },
        );
    }
}

/// Writes the command behind a request, with its answer where one came: end code, frame, time.
fn act(cx: &mut Cx<'_>, asked: &Waiting, answer: Option<(u16, u64, i64)>) {
    let Some(class) = class(asked.header.code) else { return };
    let [network, node, unit] = asked.header.destination;
    let (address, code) = (format!("{network}.{node}.{unit}"), format!("0x{:04x}", asked.header.code));
    let point = asked.memory.and_then(|memory| point(memory.area, memory.address, memory.bit));
    let ok = answer.map(|(code, ..)| code & 0x7f3f == 0);
    let mut common = asked.common;
    if let Some((_, frame, ts)) = answer {
        (common.frame, common.ts) = (frame, Some(ts));
    }
    points::command(
        cx,
        &common,
        false,
        OtCommands {
            protocol: Some("fins"),
            record_frame: Some(asked.common.frame),
            request_frame: Some(asked.common.frame),
            response_frame: answer.map(|(_, frame, _)| frame),
            target_unit: Some(&address),
            class: Some(class),
            command: command(asked.header.code).map(|(name, _)| name),
            command_code: Some(&code),
            point: point.as_deref(),
            value: asked.value.as_deref(),
            quantity: asked.memory.and_then(|memory| memory.items).map(u32::from),
            is_broadcast: Some(node == 255),
            outcome: Some(match ok {
                Some(true) => "ok",
                Some(false) => "refused",
                None if node == 255 || asked.header.icf & 1 != 0 => "unconfirmed",
                None => "no_response",
            }),
            error: answer.filter(|_| ok == Some(false)).and_then(|(code, ..)| response_text(code)),
            latency_ms: answer.and_then(|(_, _, ts)| points::milliseconds(Some(asked.ts), Some(ts))),
            ..OtCommands::default()
        },
    );
}

impl DatagramDissector for Peers {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        self.frame(cx, payload, Fins { carrier: Some("udp"), ..Fins::default() });
        Outcome::Decoded
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.flush(cx);
    }
}

/// Magic, length, command and error of the header that TCP frames have.
fn tcp_header<'a>(wire: &mut Reader<'a>) -> Wire<(&'a [u8], usize, u32, u32)> {
    Ok((wire.take(4)?, wire.be_u32()? as usize, wire.be_u32()?, wire.be_u32()?))
}

impl StreamDissector for Peers {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let mut used = 0;
        loop {
            let rest = bytes.get(used..).unwrap_or_default();
            let mut wire = Reader::new(rest);
            let Ok((magic, length, kind, error)) = tcp_header(&mut wire) else { return Progress::Consumed(used) };
            // Length counts command, error and what follows.
            if magic != MAGIC || !(8..=MAX_FRAME).contains(&length) {
                cx.anomaly("fins", "unexpected_state", "no FINS/TCP header where one should stand");
                return Progress::Stop;
            }
            let Some(body) = rest.get(TCP_HEADER..8 + length) else { return Progress::Consumed(used) };
            let row = Fins {
                carrier: Some("tcp"),
                tcp_command: match kind {
                    0 => Some("client_node_address"),
                    1 => Some("server_node_address"),
                    2 => Some("frame_send"),
                    3 => Some("error_notification"),
                    6 => Some("connection_confirm"),
                    _ => None,
                },
                tcp_error_code: Some(error),
                ..Fins::default()
            };
            if kind == 2 {
                self.frame(cx, body, row);
            } else {
                let mut nodes = Reader::new(body);
                cx.emit(Fins { client_node_address: nodes.be_u32().ok(), server_node_address: nodes.be_u32().ok(), ..row });
            }
            used += 8 + length;
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.flush(cx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_in_omrons_notation() {
        for (code, address, bit, text) in
            [(0x82, 100, 0, "D100"), (0x30, 3, 5, "CIO 3.05"), (0xb1, 12, 0, "W12"), (0x89, 0x8003, 0, "C3"), (0xa2, 7, 0, "EM2 7")]
        {
            assert_eq!(point(code, address, bit).as_deref(), Some(text));
        }
        assert_eq!(point(0x55, 0, 0), None);
    }

    #[test]
    fn headers_that_cannot_be() {
        let sound = |bytes: &[u8]| Header::read(&mut Reader::new(bytes)).is_ok();
        assert!(sound(&[0x80, 0, 2, 0, 0x0a, 0, 0, 1, 0, 0x19, 1, 1]));
        assert!(!sound(&[0x80, 1, 2, 0, 0x0a, 0, 0, 1, 0, 0x19, 1, 1]));
        assert!(!sound(&[0x82, 0, 2, 0, 0x0a, 0, 0, 1, 0, 0x19, 1, 1]));
        assert!(!sound(&[0x80, 0, 2, 0, 0x0a, 0, 0, 1, 0, 0x19, 1]));
    }

    #[test]
    fn what_is_written() {
        let body = Body::request(0x0102, &[0x82, 0, 100, 0, 0, 2, 0x12, 0x34, 0, 1]).unwrap();
        assert_eq!(body.values, [0x1234, 1]);
        assert_eq!(body.memory.and_then(|memory| point(memory.area, memory.address, memory.bit)).as_deref(), Some("D100"));
        assert!(Body::request(0x0102, &[0x82, 0]).is_err());
        assert_eq!(response_text(0x8040), Some("normal completion"), "a relay's and a unit's flags");
    }
}
