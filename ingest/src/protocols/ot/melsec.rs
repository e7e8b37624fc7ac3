//! Mitsubishi's MC protocol and SLMP (SH-080008, SH-080956), frames 3E and 4E, binary and ASCII; and the frames of MELSOFT, by
//! which its engineering programs talk. MELSOFT is not public: its framing is read, its contents are not.
//!
//! ```text
//! 3E       50 00 (d0 00 an answer)  network:1 PC:1 I/O:2 station:1  length:2  [timer:2 command:2 subcommand:2 | end code:2]  data
//! 4E       54 00 (d4 00)  serial:2  00 00   then as 3E                         low octets first; ASCII: two digits an octet
//! MELSOFT  57 (d7)  00 TCP, 01 UDP  ..:3  11 11  ..:12  length:2  ..           discovery 5a (da) 00 00 ..
//! ```
//! Frame 1E has neither mark nor length, and is not looked for.

use std::borrow::Cow;
use std::collections::VecDeque;

use pcapper_schema::Common;
use pcapper_schema::tables::{Credentials, Melsec, OtCommands, ProcessValues};

use super::points::{self, Owner};
use crate::protocols::{
    Cx, DatagramDissector, DatagramKind, Group, Offer, Outcome, Progress, Protocol, StreamDissector, StreamKind, Verdict, secrets,
};
use crate::wire::{Malformed, Reader, Wire};

/// MELSEC on any port: those of the MC protocol are set by the user; 5560 and 5562 are MELSOFT's, 5006 and 5007 usual.
pub static PROTOCOL: Protocol = Protocol {
    name: "melsec",
    group: Group::Ot,
    ports: &[5000, 5001, 5002, 5006, 5007, 5008, 5010, 5560, 5562],
    datagram: Some(DatagramKind { ip_protos: &[17], probe: probe_datagram, start: || Box::<Peers>::default() }),
    stream: Some(StreamKind { probe: probe_stream, start: || Box::<Peers>::default() }),
    ..Protocol::NONE
};

/// Longest frame that is believed, octets or digits.
const MAX_FRAME: usize = 16 << 10;
/// Octets of a MELSOFT frame before what its length counts.
const MELSOFT: usize = 21;
const MAX_WAITING: usize = 64;
const MAX_VALUES: usize = 1024;
const MAX_DATA: usize = 256;

/// Name and category of a command.
fn command(code: u16) -> Option<(&'static str, &'static str)> {
    Some(match code {
        0x0101 => ("read_type_name", "identity"),
        0x0401 => ("batch_read", "read"),
        0x0403 => ("random_read", "read"),
        0x0406 => ("block_read", "read"),
        0x0613 => ("memory_read", "read"),
        0x0619 => ("self_test", "test"),
        0x0801 => ("entry_monitor", "monitor"),
        0x0802 => ("execute_monitor", "monitor"),
        0x0e30 => ("node_search", "discovery"),
        0x0e31 => ("ip_address_set", "discovery"),
        0x1001 => ("remote_run", "mode"),
        0x1002 => ("remote_stop", "mode"),
        0x1003 => ("remote_pause", "mode"),
        0x1005 => ("remote_latch_clear", "mode"),
        0x1006 => ("remote_reset", "mode"),
        0x1401 => ("batch_write", "write"),
        0x1402 => ("random_write", "write"),
        0x1406 => ("block_write", "write"),
        0x1613 => ("memory_write", "write"),
        0x1617 => ("error_led_clear", "other"),
        0x1630 => ("unlock", "access"),
        0x1631 => ("lock", "access"),
        0x1810 => ("directory_read", "file"),
        0x1820 => ("file_new", "file"),
        0x1822 => ("file_delete", "file"),
        0x1827 => ("file_open", "file"),
        0x1828 => ("file_read", "file"),
        0x1829 => ("file_write", "file"),
        0x182a => ("file_close", "file"),
        _ => return None,
    })
}

/// Class of a command in the common vocabulary, where it changes something.
fn class(code: u16) -> Option<&'static str> {
    Some(match code {
        0x1001 => "start",
        0x1002 | 0x1003 => "stop",
        0x1005 => "delete",
        0x1006 => "restart",
        0x1401 | 0x1402 | 0x1406 | 0x1613 => "write",
        0x1630 | 0x1631 => "auth",
        0x1820 | 0x1829 => "download",
        0x1828 => "upload",
        0x1822 => "delete",
        0x0e31 => "config",
        _ => return None,
    })
}

/// Meaning of an end code (SH-080956, error codes).
fn end_text(code: u16) -> Option<&'static str> {
    Some(match code {
        0x0000 => "normal",
        0xc050 => "ASCII code that cannot be converted",
        0xc051..=0xc054 => "number of points outside the range",
        0xc056 => "address outside the range",
        0xc058 => "length does not fit the data",
        0xc059 => "wrong command or subcommand",
        0xc05b => "device cannot be read or written",
        0xc05c => "content of the request is wrong",
        0xc05d => "monitor is not registered",
        0xc05f => "request cannot be executed",
        0xc060 => "content for bit devices is wrong",
        0xc061 => "length does not fit the number of points",
        0xc06f => "binary and ASCII are mixed",
        0xc0b5 => "data that the CPU cannot handle",
        0xc200 | 0xc201 | 0xc204 | 0xc810..=0xc816 => "remote password is wrong or missing",
        0x4031 => "device outside the range",
        0x4080 => "data of the request is wrong",
        0x408b => "remote request cannot be executed in this state",
        _ => return None,
    })
}

/// Devices: binary code, letters, and whether numbers are hexadecimal (SH-080008, section 8.1).
const DEVICES: [(u8, &str, bool); 30] = [
    (0x91, "SM", false),
    (0xa9, "SD", false),
    (0x9c, "X", true),
    (0x9d, "Y", true),
    (0x90, "M", false),
    (0x92, "L", false),
    (0x93, "F", false),
    (0x94, "V", false),
    (0xa0, "B", true),
    (0xa8, "D", false),
    (0xb4, "W", true),
    (0xc1, "TS", false),
    (0xc0, "TC", false),
    (0xc2, "TN", false),
    (0xc7, "SS", false),
    (0xc6, "SC", false),
    (0xc8, "SN", false),
    (0xc4, "CS", false),
    (0xc3, "CC", false),
    (0xc5, "CN", false),
    (0xa1, "SB", true),
    (0xb5, "SW", true),
    (0x98, "S", false),
    (0xa2, "DX", true),
    (0xa3, "DY", true),
    (0xcc, "Z", false),
    (0xaf, "R", false),
    (0xb0, "ZR", true),
    (0x2c, "RD", false),
    (0xab, "G", false),
];

/// A device and its number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Device {
    letters: &'static str,
    is_hex: bool,
    number: u32,
}

impl Device {
    fn text(self, offset: u32) -> String {
        let number = self.number.saturating_add(offset);
        if self.is_hex { format!("{}{number:X}", self.letters) } else { format!("{}{number}", self.letters) }
    }
}

/// Fields of a frame, whether octets or digits carry them.
#[derive(Clone, Copy)]
struct Fields<'a> {
    reader: Reader<'a>,
    is_ascii: bool,
}

impl<'a> Fields<'a> {
    fn digits(&mut self, count: usize, radix: u32) -> Wire<u32> {
        let text = std::str::from_utf8(self.reader.take(count)?).map_err(|_| Malformed)?;
        if !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(Malformed);
        }
        u32::from_str_radix(text, radix).map_err(|_| Malformed)
    }

    fn u8(&mut self) -> Wire<u8> {
        if self.is_ascii { Ok(self.digits(2, 16)? as u8) } else { self.reader.u8() }
    }

    fn u16(&mut self) -> Wire<u16> {
        if self.is_ascii { Ok(self.digits(4, 16)? as u16) } else { self.reader.le_u16() }
    }

    fn u32(&mut self) -> Wire<u32> {
        if self.is_ascii { self.digits(8, 16) } else { self.reader.le_u32() }
    }

    /// A device: in the longer form of iQ-R's subcommands, or the usual one.
    fn device(&mut self, is_long: bool) -> Wire<Device> {
        if self.is_ascii {
            let code = self.reader.take(if is_long { 4 } else { 2 })?;
            let letters = std::str::from_utf8(code).map_err(|_| Malformed)?.trim_end_matches('*');
            let (_, letters, is_hex) = *DEVICES.iter().find(|(_, known, _)| *known == letters).ok_or(Malformed)?;
            let number = self.digits(if is_long { 8 } else { 6 }, if is_hex { 16 } else { 10 })?;
            return Ok(Device { letters, is_hex, number });
        }
        let (number, code) = if is_long {
            (self.reader.le_u32()?, self.reader.le_u16()?)
        } else {
            let [a, b, c, code] = self.reader.array::<4>()?;
            (u32::from_le_bytes([a, b, c, 0]), u16::from(code))
        };
        let (_, letters, is_hex) = *DEVICES.iter().find(|(known, ..)| u16::from(*known) == code).ok_or(Malformed)?;
        Ok(Device { letters, is_hex, number })
    }

    /// Values of that many points: words, or bits, two to an octet with the first in its upper half.
    fn values(&mut self, count: usize, is_bits: bool) -> Wire<Vec<u32>> {
        if count > MAX_VALUES {
            return Err(Malformed);
        }
        if !is_bits {
            return (0..count).map(|_| self.u16().map(u32::from)).collect();
        }
        if self.is_ascii {
            return (0..count).map(|_| self.digits(1, 16)).collect();
        }
        let octets = self.reader.take(count.div_ceil(2))?;
        let halves = octets.iter().flat_map(|octet| [octet >> 4, octet & 15]);
        Ok(halves.take(count).map(u32::from).collect())
    }
}

/// A frame of the MC protocol.
struct Frame<'a> {
    is_ascii: bool,
    is_request: bool,
    subheader: u16,
    serial: Option<u16>,
    network: u8,
    pc: u8,
    io: u16,
    station: u8,
    length: u16,
    body: Fields<'a>,
    size: usize,
}

impl<'a> Frame<'a> {
    /// Reads header and body; `Err(true)` if more bytes could make it one.
    fn read(bytes: &'a [u8]) -> Result<Self, bool> {
        let Some(start) = bytes.first_chunk::<4>() else {
            let marks: [&[u8]; 8] = [&[0x50, 0], &[0x54, 0], &[0xd0, 0], &[0xd4, 0], b"5000", b"5400", b"D000", b"D400"];
            return Err(marks.iter().any(|mark| mark.starts_with(bytes.get(..mark.len().min(bytes.len())).unwrap_or_default())));
        };
        let (is_ascii, mark) = match start {
            [mark @ (0x50 | 0x54 | 0xd0 | 0xd4), 0, ..] => (false, *mark),
            b"5000" => (true, 0x50),
            b"5400" => (true, 0x54),
            b"D000" => (true, 0xd0),
            b"D400" => (true, 0xd4),
            _ => return Err(false),
        };
        let mut fields = Fields { reader: Reader::new(bytes), is_ascii };
        let is_request = mark & 0x80 == 0;
        let head = |fields: &mut Fields<'a>| -> Wire<_> {
            fields.reader.skip(if is_ascii { 4 } else { 2 })?;
            let serial = if mark & 4 != 0 {
                let serial = fields.u16()?;
                if fields.u16()? != 0 {
                    return Ok(None);
                }
                Some(serial)
            } else {
                None
            };
            Ok(Some((serial, fields.u8()?, fields.u8()?, fields.u16()?, fields.u8()?, fields.u16()?)))
        };
        let (serial, network, pc, io, station, length) = match head(&mut fields) {
            Ok(Some(head)) => head,
            Ok(None) => return Err(false),
            Err(Malformed) => return Err(bytes.len() < 26),
        };
        // A request has timer, command and subcommand, an answer its end code.
        let least = if is_request { 6 } else { 2 } * if is_ascii { 2 } else { 1 };
        let length_of = usize::from(length);
        if !(least..=MAX_FRAME).contains(&length_of) {
            return Err(false);
        }
        let Ok(body) = fields.reader.take(length_of) else { return Err(true) };
        let size = bytes.len() - fields.reader.len();
        let subheader = u16::from(mark) << 8;
        let body = Fields { reader: Reader::new(body), is_ascii };
        Ok(Self { is_ascii, is_request, subheader, serial, network, pc, io, station, length, body, size })
    }

    /// The command of a request is one that is known.
    fn is_plain(&self) -> bool {
        let mut body = self.body;
        let code = || -> Wire<u16> {
            body.u16()?;
            body.u16()
        };
        let mut code = code;
        self.is_request && code().is_ok_and(|code| command(code).is_some())
    }
}

/// What a request asks for.
#[derive(Clone, Default)]
struct Request {
    timer: u16,
    code: u16,
    subcommand: u16,
    device: Option<Device>,
    points: Option<u16>,
    /// Devices that single values are written to, where they do not follow each other.
    single: Vec<Device>,
    values: Vec<u32>,
    clear_mode: Option<u8>,
    force: Option<bool>,
    password: Option<String>,
    file: Option<String>,
}

impl Request {
    fn read(mut fields: Fields<'_>) -> Wire<(Self, bool)> {
        let mut request = Self { timer: fields.u16()?, code: fields.u16()?, subcommand: fields.u16()?, ..Self::default() };
        let fits = request.arguments(&mut fields).is_ok();
        Ok((request, fits))
    }

    fn is_bits(&self) -> bool {
        self.subcommand & 1 != 0
    }

    fn arguments(&mut self, fields: &mut Fields<'_>) -> Wire<()> {
        let is_long = self.subcommand & 2 != 0;
        match self.code {
            0x0401 | 0x1401 if self.subcommand <= 3 => {
                let device = fields.device(is_long)?;
                let points = fields.u16()?;
                (self.device, self.points) = (Some(device), Some(points));
                if self.code == 0x1401 {
                    self.values = fields.values(usize::from(points), self.is_bits())?;
                }
            }
            0x1402 if self.subcommand <= 3 => {
                let (words, doubles) = if self.is_bits() { (fields.u8()?, 0) } else { (fields.u8()?, fields.u8()?) };
                for index in 0..u16::from(words) + u16::from(doubles) {
                    let device = fields.device(is_long)?;
                    self.values.push(match (self.is_bits(), index < u16::from(words)) {
                        (true, _) if is_long => u32::from(fields.u16()?),
                        (true, _) => u32::from(fields.u8()?),
                        (false, true) => u32::from(fields.u16()?),
                        (false, false) => fields.u32()?,
                    });
                    self.single.push(device);
                }
                self.device = self.single.first().copied();
                self.points = u16::try_from(self.single.len()).ok();
            }
            0x1001 => {
                self.force = Some(fields.u16()? == 3);
                self.clear_mode = Some(fields.u8()?);
            }
            0x1003 => self.force = Some(fields.u16()? == 3),
            0x1630 | 0x1631 => {
                let length = usize::from(fields.u16()?);
                let text = fields.reader.take(length)?;
                self.password = Some(String::from_utf8_lossy(text).into_owned());
            }
            0x1820 | 0x1822 | 0x1827 if self.subcommand == 0 && !fields.is_ascii => {
                fields.reader.skip(match self.code {
                    0x1820 => 4 + 2 + 4,
                    0x1827 => 4 + 2 + 2,
                    _ => 4 + 2,
                })?;
                let length = usize::from(fields.u16()?);
                let name = fields.reader.take(length)?;
                let is_name = fields.reader.is_empty() && name.iter().all(|octet| octet.is_ascii_graphic() || *octet == b' ');
                self.file = is_name.then(|| String::from_utf8_lossy(name).into_owned());
            }
            _ => {}
        }
        Ok(())
    }

    /// The device of each value.
    fn points(&self) -> impl Iterator<Item = String> + '_ {
        let following = self.device.filter(|_| self.single.is_empty()).into_iter().flat_map(|device| (0..).map(move |offset| device.text(offset)));
        self.single.iter().map(|device| device.text(0)).chain(following)
    }
}

/// The longest printable text of a MELSOFT answer that reads like a model: letters, digits, `-` and `/`.
fn model(octets: &[u8]) -> Option<&str> {
    let is_model = |octet: &u8| octet.is_ascii_uppercase() || octet.is_ascii_digit() || matches!(octet, b'-' | b'/');
    let runs = octets.split(|octet| !is_model(octet)).filter(|run| run.len() >= 5 && run.first().is_some_and(u8::is_ascii_uppercase));
    let longest = runs.max_by_key(|run| run.len())?;
    std::str::from_utf8(longest).ok().filter(|text| text.contains(['-', '/']))
}

/// A MELSOFT frame: its length; `Err(true)` if more bytes could make it one.
fn melsoft(bytes: &[u8]) -> Result<usize, bool> {
    match bytes {
        [0x57 | 0xd7, 0 | 1, _, _, _, 0x11, 0x11, ..] => {
            let Some([low, high]) = bytes.get(19..MELSOFT) else { return Err(true) };
            let size = MELSOFT + usize::from(u16::from_le_bytes([*low, *high]));
            if size > MAX_FRAME {
                return Err(false);
            }
            if bytes.len() < size { Err(true) } else { Ok(size) }
        }
        [0x57 | 0xd7] | [0x57 | 0xd7, 0 | 1] | [0x57 | 0xd7, 0 | 1, ..] => {
            Err(bytes.len() < 7 && bytes.get(5..).is_none_or(|rest| rest.iter().all(|octet| *octet == 0x11)))
        }
        _ => Err(false),
    }
}

fn probe_stream(offer: &Offer<'_>) -> Verdict {
    let mut open = true;
    for bytes in offer.bytes.into_iter().filter(|bytes| !bytes.is_empty()) {
        match (Frame::read(bytes), melsoft(bytes)) {
            (Ok(frame), _) if frame.is_plain() => return Verdict::Yes,
            (_, Ok(_)) => return Verdict::Yes,
            // An answer alone says little; its request may come.
            (Ok(frame), _) if !frame.is_request => {}
            (Err(true), _) | (_, Err(true)) => {}
            _ => open = false,
        }
    }
    if open { Verdict::More } else { Verdict::No }
}

fn probe_datagram(offer: &Offer<'_>) -> Verdict {
    let bytes = offer.current();
    let is_one = match (Frame::read(bytes), melsoft(bytes)) {
        (Ok(frame), _) => frame.size == bytes.len() && (frame.is_plain() || offer.usual_port),
        (_, Ok(size)) => size == bytes.len(),
        _ => offer.usual_port && is_discovery(bytes),
    };
    if is_one { Verdict::Yes } else { Verdict::No }
}

fn is_discovery(bytes: &[u8]) -> bool {
    matches!(bytes, [0x5a | 0xda, 0, 0, _, ..])
}

/// A request that waits for its answer.
struct Waiting {
    common: Common,
    serial: Option<u16>,
    request: Request,
}

/// The two ends of a flow.
#[derive(Default)]
struct Peers {
    waiting: VecDeque<Waiting>,
    /// Last frame of a MELSOFT request of each direction.
    asked: [Option<u64>; 2],
    both: [bool; 2],
}

impl Peers {
    fn frame(&mut self, cx: &mut Cx<'_>, frame: &Frame<'_>) {
        let base = Melsec {
            framing: Some(if frame.serial.is_some() { "4E" } else { "3E" }),
            encoding: Some(if frame.is_ascii { "ascii" } else { "binary" }),
            is_request: Some(frame.is_request),
            subheader: Some(frame.subheader),
            serial_number: frame.serial,
            network: Some(frame.network),
            pc_number: Some(frame.pc),
            io_number: Some(frame.io),
            station: Some(frame.station),
            length: Some(frame.length),
            confidence: Some("high"),
            ..Melsec::default()
        };
        if frame.is_request { self.request(cx, frame, base) } else { self.answer(cx, frame, base) }
    }

    fn request(&mut self, cx: &mut Cx<'_>, frame: &Frame<'_>, base: Melsec<'_>) {
        let Ok((request, fits)) = Request::read(frame.body) else {
            cx.anomaly("melsec", "bad_length", "a request is shorter than its command");
            return cx.emit(Melsec { malformed: Some(if frame.is_ascii { "bad_ascii" } else { "truncated" }), ..base });
        };
        let octets = frame.body.reader.peek();
        let known = command(request.code);
        let other = known.is_none().then(|| format!("command_0x{:04x}", request.code));
        let point = request.points().next();
        cx.emit(Melsec {
            monitoring_timer: Some(request.timer),
            command_code: Some(request.code),
            subcommand: Some(request.subcommand),
            command: known.map(|(name, _)| name).or(other.as_deref()),
            category: Some(known.map_or("other", |(_, category)| category)),
            device_code: request.device.map(|device| device.letters),
            head_device: request.device.map(|device| device.number),
            points_count: request.points,
            point: point.as_deref(),
            values: Some(request.values.as_slice()).filter(|values| !values.is_empty()),
            clear_mode: request.clear_mode,
            force: request.force,
            password: request.password.as_deref(),
            file_name: request.file.as_deref(),
            data: octets.get(..MAX_DATA.min(octets.len())).filter(|_| request.device.is_none()),
            malformed: (!fits).then_some("length_mismatch"),
            ..base
        });
        if !fits {
            cx.anomaly("melsec", "bad_length", "a request is shorter than its arguments");
        }
        if let Some(password) = &request.password {
            cx.emit(Credentials {
                protocol: Some("melsec"),
                kind: Some("password"),
                secret: Some(password),
                secret_id: secrets::id(password.as_bytes()).as_deref(),
                secret_length: u32::try_from(password.chars().count()).ok(),
                encrypted: Some(cx.is_decrypted()),
                outcome: Some("unknown"),
                field: Some("remote password"),
                ..Credentials::default()
            });
        }
        if self.waiting.len() >= MAX_WAITING
            && let Some(unanswered) = self.waiting.pop_front()
        {
            act(cx, &unanswered, None);
        }
        self.waiting.push_back(Waiting { common: cx.common(cx.dir), serial: frame.serial, request });
    }

    fn answer(&mut self, cx: &mut Cx<'_>, frame: &Frame<'_>, base: Melsec<'_>) {
        let mut fields = frame.body;
        let Ok(end) = fields.u16() else {
            return cx.emit(Melsec { malformed: Some("truncated"), ..base });
        };
        // 3E has no serial: answers come in the order of their requests.
        let at = self.waiting.iter().position(|waiting| waiting.serial == frame.serial);
        let asked = at.and_then(|at| self.waiting.remove(at));
        let request = asked.as_ref().map(|asked| &asked.request);
        let known = request.and_then(|request| command(request.code));
        let rest = fields.reader.peek();
        let read = request.filter(|request| end == 0 && request.code == 0x0401);
        let values = read.and_then(|request| fields.values(usize::from(request.points?), request.is_bits()).ok()).unwrap_or_default();
        let name = request.filter(|request| end == 0 && request.code == 0x0101).and_then(|_| rest.get(..16));
        let model = name.and_then(|name| std::str::from_utf8(name).ok()).map(str::trim_end).filter(|name| !name.is_empty());
        let point = read.and_then(|request| request.points().next());
        cx.emit(Melsec {
            command: known.map(|(name, _)| name),
            category: known.map(|(_, category)| category),
            end_code: Some(end),
            end_text: end_text(end),
            request_frame: asked.as_ref().map(|asked| asked.common.frame),
            device_code: read.and_then(|request| request.device).map(|device| device.letters),
            head_device: read.and_then(|request| request.device).map(|device| device.number),
            points_count: read.and_then(|request| request.points),
            point: point.as_deref(),
            values: Some(values.as_slice()).filter(|values| !values.is_empty()),
            cpu_model: model,
            data: rest.get(..MAX_DATA.min(rest.len())).filter(|rest| !rest.is_empty() && values.is_empty() && model.is_none()),
            ..base
        });
        let Some(asked) = asked else { return };
        tell(cx, &asked, &values, None);
        act(cx, &asked, Some(end));
    }

    fn melsoft(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) {
        let is_request = bytes.first().is_some_and(|kind| kind & 0x80 == 0);
        let index = cx.dir.index();
        if let Some(seen) = self.both.get_mut(index) {
            *seen = true;
        }
        let request_frame = if is_request {
            if let Some(slot) = self.asked.get_mut(index) {
                *slot = Some(cx.frame);
            }
            None
        } else {
            self.asked.get_mut(cx.dir.reverse().index()).and_then(Option::take)
        };
        let code =
            bytes.get(if is_request { 45..47 } else { 47..49 }).map(|code| code.iter().fold(0, |code: u16, octet| code << 8 | u16::from(*octet)));
        let rest = bytes.get(MELSOFT..).unwrap_or_default();
        cx.emit(Melsec {
            framing: Some("melsoft"),
            encoding: Some("binary"),
            is_request: Some(is_request),
            subheader: bytes.first().map(|kind| u16::from(*kind)),
            length: u16::try_from(rest.len()).ok(),
            category: Some("engineering"),
            request_frame,
            cpu_model: if is_request { None } else { model(rest) },
            melsoft_command: code,
            confidence: Some("medium"),
            data: rest.get(..MAX_DATA.min(rest.len())).filter(|rest| !rest.is_empty()),
            ..Melsec::default()
        });
    }

    fn flush(&mut self, cx: &mut Cx<'_>) {
        for waiting in std::mem::take(&mut self.waiting) {
            act(cx, &waiting, None);
        }
    }
}

/// Writes the values that were read, or written with this outcome.
fn tell(cx: &mut Cx<'_>, asked: &Waiting, values: &[u32], outcome: Option<&'static str>) {
    let common = cx.common(cx.dir);
    let is_write = outcome.is_some();
    let request = &asked.request;
    for (point, value) in request.points().zip(values) {
        points::value(
            cx,
            if is_write { &asked.common } else { &common },
            if is_write { Owner::Destination } else { Owner::Source },
            ProcessValues {
                source_protocol: Some("melsec"),
                request_frame: Some(asked.common.frame),
                point: Some(&point),
                object_type: request.device.map(|device| device.letters),
                direction: Some(if is_write { "write" } else { "read" }),
                value: Some(f64::from(*value)),
                raw_type: Some(if request.is_bits() { "bool" } else { "u16" }),
                outcome,
                confidence: Some(if request.is_bits() { "high" } else { "medium" }),
                ..ProcessValues::default()
            },
        );
    }
}

/// Writes the command behind a request, with the end code of its answer where one came.
fn act(cx: &mut Cx<'_>, asked: &Waiting, end: Option<u16>) {
    let request = &asked.request;
    let Some((class, (name, _))) = class(request.code).zip(command(request.code)) else { return };
    let common = if end.is_some() { Common { frame: cx.frame, ts: Some(cx.ts), ..asked.common } } else { asked.common };
    let outcome = match end {
        None => "no_response",
        Some(0) => "ok",
        Some(_) => "refused",
    };
    if class == "write" {
        tell(cx, asked, &request.values, Some(outcome));
    }
    let point = if class == "write" { request.points().next() } else { None };
    let list: Vec<Cow<'_, str>> = request.values.iter().take(16).map(|value| value.to_string().into()).collect();
    let value = match (&request.file, request.force) {
        (Some(file), _) => Some(file.clone()),
        (None, Some(true)) => Some("force".to_owned()),
        _ => (!list.is_empty()).then(|| list.join(", ")),
    };
    let code = format!("0x{:04x}", request.code);
    points::command(
        cx,
        &common,
        false,
        OtCommands {
            protocol: Some("melsec"),
            record_frame: Some(asked.common.frame),
            request_frame: Some(asked.common.frame),
            response_frame: end.map(|_| common.frame),
            class: Some(class),
            command: Some(name),
            command_code: Some(&code),
            point: point.as_deref(),
            value: value.as_deref(),
            quantity: request.points.map(u32::from).filter(|_| class == "write"),
            is_broadcast: Some(false),
            outcome: Some(outcome),
            error: end.filter(|end| *end != 0).and_then(end_text),
            latency_ms: end.and_then(|_| points::milliseconds(asked.common.ts, common.ts)),
            ..OtCommands::default()
        },
    );
}

impl DatagramDissector for Peers {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        if let Ok(frame) = Frame::read(payload) {
            self.frame(cx, &frame);
        } else if melsoft(payload).is_ok() {
            self.melsoft(cx, payload);
        } else if is_discovery(payload) {
            cx.emit(Melsec {
                framing: Some("melsoft_discovery"),
                encoding: Some("binary"),
                is_request: Some(payload.first() == Some(&0x5a)),
                subheader: payload.first().map(|kind| u16::from(*kind)),
                category: Some("discovery"),
                confidence: Some("medium"),
                data: payload.get(4..).filter(|rest| !rest.is_empty()),
                ..Melsec::default()
            });
        } else {
            cx.anomaly("melsec", "unexpected_state", "a datagram that is no frame");
            return Outcome::NotMine;
        }
        Outcome::Decoded
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.flush(cx);
    }
}

impl StreamDissector for Peers {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let mut used = 0;
        loop {
            let rest = bytes.get(used..).unwrap_or_default();
            if rest.is_empty() {
                return Progress::Consumed(used);
            }
            match (Frame::read(rest), melsoft(rest)) {
                (Ok(frame), _) => {
                    self.frame(cx, &frame);
                    used += frame.size;
                }
                (_, Ok(size)) => {
                    self.melsoft(cx, rest.get(..size).unwrap_or_default());
                    used += size;
                }
                (Err(true), _) | (_, Err(true)) => return Progress::Consumed(used),
                _ => {
                    cx.anomaly("melsec", "unexpected_state", "no frame where one should start");
                    return Progress::Stop;
                }
            }
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.flush(cx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::Dir;

    fn verdict(bytes: &[u8]) -> Verdict {
        probe_stream(&Offer { bytes: [bytes, &[]], dir: Dir::Orig, ports: [None, None], usual_port: false, src: None, dst: None })
    }

    /// Batch read of D100 and D101 (SH-080008, section 8.2).
    const READ: [u8; 21] = [0x50, 0, 0, 0xff, 0xff, 3, 0, 12, 0, 16, 0, 1, 4, 0, 0, 100, 0, 0, 0xa8, 2, 0];

    #[test]
    fn binary_and_ascii() {
        let frame = Frame::read(&READ).ok().unwrap();
        assert_eq!((frame.pc, frame.io, frame.size, frame.is_plain()), (0xff, 0x03ff, 21, true));
        let (request, fits) = Request::read(frame.body).unwrap();
        assert_eq!((request.code, request.points, fits), (0x0401, Some(2), true));
        assert_eq!(request.points().take(2).collect::<Vec<_>>(), ["D100", "D101"]);
        let text = b"500000FF03FF00001800100401000 0"; // A blank is no digit.
        assert!(Frame::read(text).is_err() || !Frame::read(text).ok().unwrap().is_plain());
        let text = b"500000FF03FF000018001004010000D*0001000002";
        let (request, fits) = Request::read(Frame::read(text).ok().unwrap().body).unwrap();
        assert_eq!((request.code, request.points().next().as_deref(), fits), (0x0401, Some("D100"), true));
    }

    #[test]
    fn prefixes_wait_and_others_are_refused() {
        for end in 1..READ.len() {
            assert_eq!(verdict(&READ[..end]), Verdict::More, "{end} octets");
        }
        assert_eq!(verdict(&READ), Verdict::Yes);
        assert_eq!(verdict(b"GET / HTTP/1.1\r\n\r\n"), Verdict::No);
        assert_eq!(verdict(&[0x50, 0, 0, 0xff, 0xff, 3, 0, 12, 0, 16, 0, 1, 9, 0, 0, 0, 0, 0, 0, 0, 0]), Verdict::No);
        let mut frame = vec![0x57, 0, 0, 0, 0, 0x11, 0x11];
        frame.resize(19, 0);
        frame.extend([2, 0, 1, 2]);
        assert_eq!((verdict(&frame[..6]), verdict(&frame)), (Verdict::More, Verdict::Yes));
    }

    #[test]
    fn writes_modes_and_bits() {
        // Bits M10 to M12: on, off, on.
        let write = [0x50, 0, 0, 0xff, 0xff, 3, 0, 14, 0, 16, 0, 1, 0x14, 1, 0, 10, 0, 0, 0x90, 3, 0, 0x10, 0x10];
        let (request, _) = Request::read(Frame::read(&write).ok().unwrap().body).unwrap();
        assert_eq!((request.values.as_slice(), request.points().nth(2).as_deref()), (&[1, 0, 1][..], Some("M12")));
        let run = [0x50, 0, 0, 0xff, 0xff, 3, 0, 10, 0, 16, 0, 1, 0x10, 0, 0, 3, 0, 2, 0];
        let (request, _) = Request::read(Frame::read(&run).ok().unwrap().body).unwrap();
        assert_eq!((request.force, request.clear_mode, class(request.code)), (Some(true), Some(2), Some("start")));
        assert_eq!(Device { letters: "X", is_hex: true, number: 31 }.text(0), "X1F");
        assert_eq!(model(b"\x01FX5U-32MT/ES\0\0\x29J"), Some("FX5U-32MT/ES"));
    }
}
