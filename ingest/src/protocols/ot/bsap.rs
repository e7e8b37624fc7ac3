//! BSAP, Bristol's standard asynchronous protocol (now Emerson), over IP and as serial frames in UDP. What is read follows
//! the public part of Bristol's manuals and the description of the ICSNPP parser; both fit the traffic there is.
//!
//! ```text
//! IP       0e 00  functions:2  type:2  sequence:4  answers:4   { length:4 (itself included)  :1  sequence:4  body }
//! serial   DLE STX  address:1  serial:1  [ to:2 from:2 control:1 ]  DFUN:1  sequence:2  SFUN:1  NSB:1  body  DLE ETX  CRC:2
//! request  DFUN a0: function:1  [fields:1+]  security:1  count:1  names, each with NUL          low octets first
//! answer   error:1  count:1  values
//! ```

use std::borrow::Cow;
use std::collections::VecDeque;

use pcapper_schema::Common;
use pcapper_schema::tables::{Bsap, OtCommands, ProcessValues};

use super::points::{self, Owner};
use crate::protocols::{Cx, DatagramDissector, DatagramKind, Group, Offer, Outcome, Protocol, Verdict};
use crate::wire::{Malformed, Reader, Wire};

/// BSAP on any port; 1234 is that of BSAP-IP, 1235 that of serial frames.
pub static PROTOCOL: Protocol = Protocol {
    name: "bsap",
    group: Group::Ot,
    ports: &[1234, 1235],
    datagram: Some(DatagramKind { ip_protos: &[17], probe, start: || Box::<Peers>::default() }),
    ..Protocol::NONE
};

const DLE: u8 = 0x10;
const STX: u8 = 0x02;
const ETX: u8 = 0x03;
const MAGIC: [u8; 2] = [0x0e, 0];
/// Octets of the IP form's header.
const HEADER: usize = 14;
/// Functions of one message, variables of one function, requests that wait, and octets of a body that are kept.
const MAX_FUNCTIONS: u16 = 64;
const MAX_VARIABLES: usize = 256;
const MAX_WAITING: usize = 64;
const MAX_DATA: usize = 256;
/// Application functions: remote database access, and its extension.
const RDB: u8 = 0xa0;
const EXTENSION: u8 = 0xa1;

/// Name and category of a function of remote database access.
fn rdb(code: u8) -> Option<(&'static str, &'static str)> {
    Some(match code {
        0x00 => ("read_signal_by_address", "read"),
        0x02 => ("read_logical_by_address", "read"),
        0x04 => ("read_signal_by_name", "read"),
        0x06 => ("read_logical_by_name", "read"),
        0x0c => ("read_signal_by_list_start", "read"),
        0x0d => ("read_signal_by_list_continue", "read"),
        0x0e => ("read_logical_by_list_start", "read"),
        0x0f => ("read_logical_by_list_continue", "read"),
        0x80 => ("write_signal_by_address", "write"),
        0x84 => ("write_signal_by_name", "write"),
        0x8c => ("write_signal_by_list_start", "write"),
        0x8d => ("write_signal_by_list_continue", "write"),
        _ => return None,
    })
}

/// Name of an extended function, and its class as a command.
fn extension(code: u16) -> Option<(&'static str, Option<&'static str>)> {
    Some(match code {
        0x0101 => ("system_reset", Some("restart")),
        0x0102 => ("diagnostics_reset", Some("restart")),
        0x0201 => ("read_date_time", None),
        0x0281 => ("write_date_time", Some("time_set")),
        0x0400 => ("change_node_address", Some("config")),
        _ => return None,
    })
}

/// CRC-16 of serial frames: the polynomial of CCITT, reflected, from all ones, over the data and ETX.
fn crc(bytes: impl Iterator<Item = u8>) -> u16 {
    bytes.fold(0xffff, |crc: u16, octet| (0..8).fold(crc ^ u16::from(octet), |crc, _| if crc & 1 != 0 { crc >> 1 ^ 0x8408 } else { crc >> 1 }))
}

/// The data of a serial frame that the bytes are, with its check passed.
fn serial(bytes: &[u8]) -> Option<Vec<u8>> {
    let [DLE, STX, rest @ ..] = bytes else { return None };
    let (rest, sent) = rest.split_last_chunk::<2>()?;
    let [escaped @ .., DLE, ETX] = rest else { return None };
    let mut data = Vec::with_capacity(escaped.len());
    let mut octets = escaped.iter();
    while let Some(octet) = octets.next() {
        // A DLE in the data is sent twice.
        if *octet == DLE && octets.next() != Some(&DLE) {
            return None;
        }
        data.push(*octet);
    }
    let is_right = crc(data.iter().copied().chain([ETX])) == u16::from_le_bytes(*sent);
    (is_right && data.len() >= 2).then_some(data)
}

/// Header of the IP form, and the functions behind it: sequence and body of each.
struct Message<'a> {
    functions: u16,
    kind: u16,
    sequence: u32,
    answers: u32,
    bodies: Vec<(u32, &'a [u8])>,
}

impl<'a> Message<'a> {
    fn read(bytes: &'a [u8]) -> Wire<Self> {
        let mut reader = Reader::new(bytes);
        if reader.array::<2>()? != MAGIC {
            return Err(Malformed);
        }
        let (functions, kind) = (reader.le_u16()?, reader.le_u16()?);
        if functions > MAX_FUNCTIONS || !matches!(kind, 0 | 1 | 5 | 6 | 0x84 | 0x86) {
            return Err(Malformed);
        }
        let (sequence, answers) = (reader.le_u32()?, reader.le_u32()?);
        let mut bodies = Vec::new();
        for _ in 0..functions {
            let length = usize::try_from(reader.le_u32()?).ok().and_then(|length| length.checked_sub(4)).ok_or(Malformed)?;
            let mut function = reader.sub(length)?;
            function.skip(1)?;
            bodies.push((function.le_u32()?, function.rest()));
        }
        if reader.is_empty() { Ok(Self { functions, kind, sequence, answers, bodies }) } else { Err(Malformed) }
    }

    fn is_request(&self) -> Option<bool> {
        match self.kind {
            6 | 0x84 | 0x86 => Some(true),
            1 | 5 => Some(false),
            _ => None,
        }
    }
}

fn probe(offer: &Offer<'_>) -> Verdict {
    let bytes = offer.current();
    let is_message = match bytes {
        // A lone poll is little evidence.
        [0x0e, ..] if bytes.len() == HEADER => offer.usual_port && Message::read(bytes).is_ok(),
        [0x0e, ..] => Message::read(bytes).is_ok(),
        [DLE, ..] => serial(bytes).is_some(),
        _ => false,
    };
    if is_message { Verdict::Yes } else { Verdict::No }
}

/// A request that waits for its answer.
struct Waiting {
    common: Common,
    sequence: u32,
    ts: i64,
    /// Address of the station, in serial frames.
    node: Option<String>,
    request: Request,
}

/// What a request asks for.
#[derive(Clone, Default, Debug)]
struct Request {
    app: u8,
    code: Option<u16>,
    /// Fields that are asked for of each signal: the first octet of their bit map.
    fields: Option<u8>,
    count: Option<u8>,
    names: Vec<String>,
    /// Value written to each, where its form is known.
    written: Vec<f64>,
}

impl Request {
    /// Reads what stands behind application function and node status.
    fn read(app: u8, body: &[u8]) -> Self {
        let mut request = Self { app, ..Self::default() };
        // What does not fit is left out.
        let _ = request.fill(&mut Reader::new(body));
        request
    }

    fn fill(&mut self, reader: &mut Reader<'_>) -> Wire<()> {
        match self.app {
            EXTENSION => self.code = Some(reader.le_u16()?),
            RDB => {
                let code = reader.u8()?;
                self.code = Some(u16::from(code));
                let Some((name, category)) = rdb(code) else { return Ok(()) };
                if category == "read" {
                    // One bit for each octet of fields that follows.
                    let selected = reader.u8()?;
                    for index in 0..selected.count_ones() {
                        let fields = reader.u8()?;
                        if index == 0 && selected & 1 != 0 {
                            self.fields = Some(fields);
                        }
                    }
                }
                if name.contains("by_list") {
                    return Ok(());
                }
                // Addresses hold for one version of the station's memory.
                reader.skip(if name.ends_with("by_address") { 3 } else { 1 })?;
                let count = reader.u8()?;
                self.count = Some(count);
                for _ in 0..count {
                    self.names.push(if name.ends_with("by_name") { text(reader)? } else { format!("0x{:04x}", reader.le_u16()?) });
                    if category == "write" {
                        // The forms of value whose effect was seen: on, off, and an analog one.
                        self.written.push(match reader.u8()? {
                            0x09 => 1.0,
                            0x0a => 0.0,
                            0x0b => f64::from(f32::from_bits(reader.le_u32()?)),
                            _ => return Ok(()),
                        });
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn name(&self) -> Option<(&'static str, &'static str)> {
        match self.app {
            RDB => rdb(u8::try_from(self.code?).ok()?),
            EXTENSION => Some((extension(self.code?)?.0, "extension")),
            _ => None,
        }
    }

    fn class(&self) -> Option<&'static str> {
        match self.name()? {
            (_, "write") => Some("write"),
            (_, "extension") => extension(self.code?)?.1,
            _ => None,
        }
    }
}

fn text(reader: &mut Reader<'_>) -> Wire<String> {
    let rest = reader.peek();
    let end = rest.iter().position(|octet| *octet == 0).ok_or(Malformed)?;
    let name = reader.take(end)?;
    reader.skip(1)?;
    Ok(String::from_utf8_lossy(name).into_owned())
}

/// Values in an answer: each signal's type where it was asked for, its value, and the rest of its fields.
fn values(request: &Request, count: u8, body: &[u8]) -> Vec<f64> {
    let (mut reader, mut found) = (Reader::new(body), Vec::new());
    let fields = request.fields.unwrap_or_default();
    let (with_type, with_value) = (fields & 0x80 != 0, fields & 0x40 != 0);
    // Of the other fields only the address (and the version of the memory) has a known size.
    let behind = if fields & 0x10 != 0 { 4 } else { 0 };
    if !with_value || fields & 0x2f != 0 {
        return found;
    }
    let one = |reader: &mut Reader<'_>| -> Wire<f64> {
        let is_analog = if with_type { reader.u8()? & 3 == 2 } else { count == 1 && reader.len() == 4 };
        let value = if is_analog { f64::from(f32::from_bits(reader.le_u32()?)) } else { f64::from(reader.u8()?) };
        reader.skip(behind)?;
        Ok(value)
    };
    for _ in 0..count {
        match one(&mut reader) {
            Ok(value) => found.push(value),
            Err(_) => return Vec::new(),
        }
    }
    if reader.is_empty() { found } else { Vec::new() }
}

/// A function of a message.
struct Function<'a> {
    is_request: bool,
    /// Application function.
    app: u8,
    sequence: u32,
    body: &'a [u8],
    /// Address of the station asked, in serial frames.
    node: Option<String>,
}

/// The two ends of a flow.
#[derive(Default)]
struct Peers {
    waiting: VecDeque<Waiting>,
}

impl Peers {
    fn asked(&mut self, sequence: u32) -> Option<Waiting> {
        let at = self.waiting.iter().position(|waiting| waiting.sequence == sequence)?;
        self.waiting.remove(at)
    }

    fn ask(&mut self, cx: &mut Cx<'_>, sequence: u32, node: Option<String>, request: Request) {
        if self.waiting.len() >= MAX_WAITING
            && let Some(unanswered) = self.waiting.pop_front()
        {
            act(cx, &unanswered, None);
        }
        self.waiting.push_back(Waiting { common: cx.common(cx.dir), sequence, ts: cx.ts, node, request });
    }

    /// One function, in either form. `base` holds the header's columns.
    fn function(&mut self, cx: &mut Cx<'_>, base: Bsap<'_>, function: Function<'_>) {
        let Function { is_request, app, sequence, body, node } = function;
        let asked = if is_request { None } else { self.asked(sequence) };
        let (mut error, mut numbers, mut count) = (None, Vec::new(), None);
        let request = if is_request {
            Request::read(app, body)
        } else {
            error = body.first().copied();
            count = body.get(1).copied();
            asked.as_ref().map(|asked| asked.request.clone()).unwrap_or(Request { app, ..Request::default() })
        };
        if let (Some(_), Some(0), Some(count), Some((_, "read"))) = (&asked, error, count, request.name()) {
            numbers = values(&request, count, body.get(2..).unwrap_or_default());
        }
        let shown: &[f64] = if is_request { &request.written } else { &numbers };
        let texts: Vec<Cow<'_, str>> = shown.iter().take(MAX_VARIABLES).map(|number| number.to_string().into()).collect();
        let names: Vec<Cow<'_, str>> = request.names.iter().take(MAX_VARIABLES).map(|name| name.as_str().into()).collect();
        let known = request.name();
        cx.emit(Bsap {
            is_request: Some(is_request),
            request_frame: asked.as_ref().map(|asked| asked.common.frame),
            data_len: u16::try_from(body.len()).ok(),
            app_function_code: Some(request.app).filter(|_| is_request || asked.is_some()),
            app_function: match request.app {
                RDB => Some("rdb"),
                EXTENSION => Some("rdb_extension"),
                0x03 if is_request => Some("pei_pc"),
                _ => None,
            },
            function_code: request.code,
            function: known.map(|(name, _)| name),
            category: Some(known.map_or("other", |(_, category)| category)),
            variable_count: request.count.map(u16::from),
            variables: Some(names.as_slice()).filter(|names| !names.is_empty()),
            values: Some(texts.as_slice()).filter(|texts| !texts.is_empty()),
            error_code: error,
            data: body.get(..MAX_DATA.min(body.len())).filter(|body| !body.is_empty() && texts.is_empty()),
            confidence: Some(if known.is_some() { "high" } else { "medium" }),
            ..base
        });
        if is_request {
            self.ask(cx, sequence, node, request);
        } else if let Some(asked) = asked {
            tell(cx, &asked, &numbers, None);
            act(cx, &asked, error.map(|error| (error, cx.frame, cx.ts)));
        }
    }

    fn message(&mut self, cx: &mut Cx<'_>, message: &Message<'_>) {
        let base = || Bsap {
            kind: Some("ip"),
            message_functions: Some(message.functions),
            type_code: Some(message.kind),
            type_name: Some(match message.kind {
                0 => "poll",
                1 => "response_count",
                5 => "response",
                _ => "request",
            }),
            message_sequence: Some(message.sequence),
            response_sequence: Some(message.answers).filter(|answers| *answers != 0),
            ..Bsap::default()
        };
        let Some(is_request) = message.is_request().filter(|_| !message.bodies.is_empty()) else {
            return cx.emit(Bsap { category: Some("poll"), data_len: Some(0), confidence: Some("medium"), ..base() });
        };
        for (sequence, body) in &message.bodies {
            match body.split_first_chunk::<2>() {
                // Application function and node status.
                Some(([app, status], rest)) if is_request => {
                    let function = Function { is_request: true, app: *app, sequence: *sequence, body: rest, node: None };
                    self.function(cx, Bsap { node_status: Some(*status), ..base() }, function);
                }
                _ => self.function(cx, base(), Function { is_request, app: 0, sequence: *sequence, body, node: None }),
            }
        }
    }

    fn frame(&mut self, cx: &mut Cx<'_>, data: &[u8]) -> Wire<()> {
        let mut reader = Reader::new(data);
        let (address, serial_number) = (reader.u8()?, reader.u8()?);
        let is_global = address & 0x80 != 0;
        let mut base = Bsap {
            kind: Some("serial"),
            type_name: Some(if is_global { "global" } else { "local" }),
            local_address: Some(address),
            serial_number: Some(serial_number),
            confidence: Some("medium"),
            ..Bsap::default()
        };
        if is_global {
            base.global_destination = Some(reader.le_u16()?);
            base.global_source = Some(reader.le_u16()?);
            base.control = Some(reader.u8()?);
        }
        base.destination_function = reader.u8().ok();
        let head = reader.le_u16().and_then(|sequence| Ok((sequence, reader.u8()?, reader.u8()?)));
        let Ok((sequence, source_function, status)) = head else {
            // Polls and acknowledgements end behind their function.
            cx.emit(Bsap { category: Some("poll"), ..base });
            return Ok(());
        };
        let destination_function = base.destination_function.unwrap_or_default();
        base = Bsap { message_sequence: Some(u32::from(sequence)), source_function: Some(source_function), node_status: Some(status), ..base };
        let node = base.global_destination.unwrap_or(u16::from(address)).to_string();
        let is_request = matches!(destination_function, RDB | EXTENSION);
        let app = if is_request { destination_function } else { source_function };
        let function = Function { is_request, app, sequence: u32::from(sequence), body: reader.rest(), node: Some(node) };
        self.function(cx, base, function);
        Ok(())
    }
}

/// Writes the values of an answer, or those of a write.
fn tell(cx: &mut Cx<'_>, asked: &Waiting, numbers: &[f64], outcome: Option<&'static str>) {
    let common = cx.common(cx.dir);
    let is_write = outcome.is_some();
    for (name, number) in asked.request.names.iter().zip(numbers).take(MAX_VARIABLES).filter(|(_, number)| number.is_finite()) {
        points::value(
            cx,
            &if is_write { asked.common } else { common },
            if is_write { Owner::Destination } else { Owner::Source },
            ProcessValues {
                source_protocol: Some("bsap"),
                request_frame: Some(asked.common.frame),
                unit_id: asked.node.as_deref(),
                point: Some(name),
                object_type: Some("signal"),
                direction: Some(if is_write { "write" } else { "read" }),
                value: Some(*number),
                outcome,
                ..ProcessValues::default()
            },
        );
    }
}

/// Writes the command behind a request: with error, frame and time of its answer, where one came.
fn act(cx: &mut Cx<'_>, asked: &Waiting, answer: Option<(u8, u64, i64)>) {
    let Some((class, (name, _))) = asked.request.class().zip(asked.request.name()) else { return };
    let mut common = asked.common;
    if let Some((_, frame, ts)) = answer {
        (common.frame, common.ts) = (frame, Some(ts));
    }
    let outcome = match answer {
        None => "no_response",
        Some((0, ..)) => "ok",
        Some(_) => "refused",
    };
    tell(cx, asked, &asked.request.written, Some(outcome));
    let value: Vec<String> = asked.request.written.iter().take(16).map(ToString::to_string).collect();
    let (value, code) = (value.join(", "), format!("0x{:02x}", asked.request.code.unwrap_or_default()));
    let point = asked.request.names.join(", ");
    points::command(
        cx,
        &common,
        false,
        OtCommands {
            protocol: Some("bsap"),
            record_frame: Some(asked.common.frame),
            request_frame: Some(asked.common.frame),
            response_frame: answer.map(|(_, frame, _)| frame),
            target_unit: asked.node.as_deref(),
            class: Some(class),
            command: Some(name),
            command_code: Some(&code),
            point: Some(point.as_str()).filter(|point| !point.is_empty()),
            value: Some(value.as_str()).filter(|value| !value.is_empty()),
            is_broadcast: Some(false),
            outcome: Some(outcome),
            latency_ms: answer.and_then(|(_, _, ts)| points::milliseconds(Some(asked.ts), Some(ts))),
            ..OtCommands::default()
        },
    );
}

impl DatagramDissector for Peers {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        if let Ok(message) = Message::read(payload) {
            self.message(cx, &message);
            return Outcome::Decoded;
        }
        let Some(data) = serial(payload) else {
            cx.anomaly("bsap", "unexpected_state", "a datagram that is no message, or has a wrong check");
            return Outcome::NotMine;
        };
        if self.frame(cx, &data).is_err() {
            cx.anomaly("bsap", "bad_length", "a frame ends before its header does");
        }
        Outcome::Decoded
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

    #[test]
    fn serial_frames_are_checked() {
        let frame = b"\x10\x02\x01\xeb\xa0\xe3\x08\x03\x00\x04\x01\x40\x0f\x01@GV.AS3.\x00\x10\x03";
        let mut frame = frame.to_vec();
        let data: Vec<u8> = frame[2..frame.len() - 2].to_vec();
        frame.extend(crc(data.iter().copied().chain([ETX])).to_le_bytes());
        assert_eq!(serial(&frame).as_deref(), Some(data.as_slice()));
        frame[5] ^= 1;
        assert_eq!(serial(&frame), None);
        // Recorded: the serial number 0x10 is doubled.
        let recorded = [0x10, 2, 0, 2, 3, 0xf9, 8, 0xa0, 0, 0, 1, 0, 0x10, 3, 0x93, 0xa7];
        assert!(serial(&recorded).is_some());
    }

    #[test]
    fn reads_and_writes_by_name() {
        let read = Request::read(RDB, b"\x04\x03\xd0\x01\x0f\x02@GV.DS1\0@GV.AS3\0");
        assert_eq!((read.names.as_slice(), read.fields), (&["@GV.DS1".to_owned(), "@GV.AS3".to_owned()][..], Some(0xd0)));
        let answer = [0, 1, 4, 0, 0x24, 0x77, 2, 0, 0, 0xa0, 0x42, 0, 0, 0x24, 0x77];
        assert_eq!(values(&read, 2, &answer), [1.0, 80.0]);
        assert_eq!(values(&read, 2, &answer[..9]), [0.0_f64; 0]);
        let write = Request::read(RDB, b"\x84\x0f\x01@GV.AS2\0\x0b\x00\x00\x70\x42");
        assert_eq!((write.written.as_slice(), write.class()), (&[60.0][..], Some("write")));
        let off = Request::read(RDB, &[0x80, 0x24, 0x77, 0x0f, 1, 0x11, 0, 0x0a]);
        assert_eq!((off.names.as_slice(), off.written.as_slice()), (&["0x0011".to_owned()][..], &[0.0][..]));
        assert_eq!(Request::read(EXTENSION, &[1, 1]).class(), Some("restart"));
    }

    #[test]
    fn lengths_must_agree() {
        let mut message = vec![0x0e, 0, 1, 0, 6, 0, 1, 0, 0, 0, 0, 0, 0, 0, 11, 0, 0, 0, 12, 7, 0, 0, 0, 0xa0, 0];
        assert_eq!(Message::read(&message).map(|message| message.bodies), Ok(vec![(7, &[0xa0_u8, 0][..])]));
        message.push(0);
        assert!(Message::read(&message).is_err());
    }
}
