//! EtherNet/IP encapsulation (ODVA CIP volume 2 chapter 2): sessions, identities, and the CIP services and I/O in it.
//!
//! ```text
//! command:2  length:2 (behind the header)  session:4  status:4  sender context:8  options:4, all little-endian
//! ```
//! Implicit I/O on UDP has no such header: its datagrams start with their items.

use std::collections::VecDeque;
use std::net::Ipv4Addr;

use pcapper_schema::Common;
use pcapper_schema::tables::Enip;

use super::cip::{self, Carrier};
use crate::protocols::{Cx, DatagramDissector, DatagramKind, Dir, Group, Offer, Outcome, Progress, Protocol, StreamDissector, StreamKind, Verdict};
use crate::wire::{Reader, Wire};

/// Port 44818, I/O on UDP 2222, or any with messages that agree with their length.
pub static PROTOCOL: Protocol = Protocol {
    name: "enip",
    group: Group::Ot,
    ports: &[PORT, 2222],
    datagram: Some(DatagramKind { ip_protos: &[17], probe: probe_datagram, start: || Box::<Datagrams>::default() }),
    stream: Some(StreamKind { probe: probe_stream, start: || Box::<Stream>::default() }),
    ..Protocol::NONE
};

const PORT: u16 = 44818;
const HEADER: usize = 24;
const SEND_RR_DATA: u16 = 0x6f;
const SEND_UNIT_DATA: u16 = 0x70;
/// Requests of one flow that may wait for their answers.
const MAX_WAITING: usize = 256;
/// Offers without a message after which a connection is given up.
const MAX_MISSES: u32 = 16;
/// Items of one message.
const MAX_ITEMS: u16 = 64;

/// An encapsulation header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Header {
    command: u16,
    length: u16,
    session: u32,
    status: u32,
    context: [u8; 8],
    options: u32,
}

impl Header {
    fn read(bytes: &[u8]) -> Wire<Self> {
        let mut reader = Reader::new(bytes);
        Ok(Self {
            command: reader.le_u16()?,
            length: reader.le_u16()?,
            session: reader.le_u32()?,
            status: reader.le_u32()?,
            context: reader.array()?,
            options: reader.le_u32()?,
        })
    }

    fn total(&self) -> usize {
        HEADER + usize::from(self.length)
    }

    /// A known command, with status, options and length that it can have.
    fn is_sound(&self) -> bool {
        let fits = match self.command {
            0x65 => self.length == 4 || self.status != 0,
            0x66 => self.length == 0,
            SEND_RR_DATA | SEND_UNIT_DATA => self.length >= 8 || self.status != 0,
            _ => true,
        };
        // Devices have statuses of their own; their messages are empty.
        let has_status = status(self.status).is_some() || self.length == 0 && self.status <= 0xffff;
        command(self.command).is_some() && fits && self.options == 0 && has_status
    }
}

fn command(code: u16) -> Option<&'static str> {
    Some(match code {
        0x00 => "nop",
        // Of the protocol before it; devices still answer that they do not know it.
        0x01 => "list_targets",
        0x04 => "list_services",
        0x63 => "list_identity",
        0x64 => "list_interfaces",
        0x65 => "register_session",
        0x66 => "unregister_session",
        SEND_RR_DATA => "send_rr_data",
        SEND_UNIT_DATA => "send_unit_data",
        0x72 => "indicate_status",
        0x73 => "cancel",
        0xc8 => "start_dtls",
        _ => return None,
    })
}

fn status(code: u32) -> Option<&'static str> {
    Some(match code {
        0 => "success",
        1 => "invalid_command",
        2 => "insufficient_memory",
        3 => "incorrect_data",
        0x64 => "invalid_session",
        0x65 => "invalid_length",
        0x69 => "unsupported_revision",
        0x6a => "encapsulated_cip_service_not_allowed",
        _ => return None,
    })
}

fn device_type(code: u16) -> Option<&'static str> {
    Some(match code {
        0 => "generic_device",
        2 => "ac_drive",
        7 => "general_purpose_discrete_io",
        12 => "communications_adapter",
        14 => "programmable_logic_controller",
        16 => "position_controller",
        19 => "dc_drive",
        24 => "human_machine_interface",
        37 => "cip_motion_drive",
        43 => "generic_device_keyable",
        44 => "managed_ethernet_switch",
        _ => return None,
    })
}

fn vendor(code: u16) -> Option<&'static str> {
    Some(match code {
        1 => "Rockwell Automation/Allen-Bradley",
        47 => "OMRON",
        90 => "HMS Industrial Networks",
        243 => "Schneider Electric",
        283 => "Hilscher",
        _ => return None,
    })
}

fn probe_stream(offer: &Offer<'_>) -> Verdict {
    let mut sound = 0;
    let mut may_come = true;
    for bytes in offer.bytes {
        match Header::read(bytes) {
            // Zeros look like commands without data; whoever starts elsewhere registers a session.
            Ok(header)
                if header.is_sound()
                    && (offer.usual_port || matches!(header.command, 0x65 | SEND_RR_DATA | SEND_UNIT_DATA) && header.status == 0) =>
            {
                sound += 1
            }
            Ok(_) => may_come = false,
            Err(_) => may_come &= bytes.get(1).is_none_or(|high| *high == 0),
        }
    }
    let is_usual = offer.has_port(PORT);
    match (sound, may_come) {
        (1.., true) if is_usual => Verdict::Yes,
        (1.., true) if !is_usual && offer.bytes.iter().any(|bytes| is_registration(bytes)) => Verdict::Yes,
        (_, true) if offer.current().len() < 4096 => Verdict::More,
        _ => Verdict::No,
    }
}

/// A session is registered: version 1, no options.
fn is_registration(bytes: &[u8]) -> bool {
    matches!(Header::read(bytes), Ok(header) if header.command == 0x65 && header.is_sound())
        && bytes.get(HEADER..HEADER + 4).is_some_and(|data| data == [1, 0, 0, 0])
}

fn probe_datagram(offer: &Offer<'_>) -> Verdict {
    let payload = offer.current();
    let is_message = offer.has_port(PORT) && Header::read(payload).is_ok_and(|header| header.is_sound() && header.total() == payload.len());
    if is_message || io(payload).is_some() { Verdict::Yes } else { Verdict::No }
}

/// Connection, sequence and length of the data of an I/O datagram: a sequenced address, then connected data to its end.
fn io(payload: &[u8]) -> Option<(u32, u32, usize)> {
    let mut reader = Reader::new(payload);
    if reader.le_u16().ok()? != 2 || reader.le_u16().ok()? != 0x8002 || reader.le_u16().ok()? != 8 {
        return None;
    }
    let (connection, sequence) = (reader.le_u32().ok()?, reader.le_u32().ok()?);
    let (kind, length) = (reader.le_u16().ok()?, reader.le_u16().ok()?);
    (kind == 0xb1 && reader.len() == usize::from(length)).then_some((connection, sequence, usize::from(length)))
}

/// A TCP connection.
#[derive(Default)]
struct Stream {
    session: Session,
    misses: u32,
    after_gap: bool,
}

impl StreamDissector for Stream {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let mut used = 0;
        loop {
            let rest = bytes.get(used..).unwrap_or_default();
            let Ok(header) = Header::read(rest) else { return Progress::Consumed(used) };
            if !header.is_sound() {
                if self.misses == 0 && !self.after_gap {
                    cx.anomaly("enip", "unexpected_state", "no encapsulation header where one should start");
                }
                self.misses += 1;
                if self.misses > MAX_MISSES {
                    return Progress::Stop;
                }
                return Progress::Consumed(bytes.len());
            }
            let Some(data) = rest.get(HEADER..header.total()) else { return Progress::Consumed(used) };
            let is_request = cx.dir == Dir::Orig;
            self.session.message(cx, &header, data, is_request, None);
            self.misses = 0;
            self.after_gap = false;
            used += header.total();
        }
    }

    fn gap(&mut self, _cx: &mut Cx<'_>, _missing: u64) -> bool {
        self.after_gap = true;
        true
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.session.close(cx);
    }
}

/// A UDP flow.
#[derive(Default)]
struct Datagrams(Session);

impl DatagramDissector for Datagrams {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        if let Some((connection, sequence, length)) = io(payload) {
            cip::io(cx, connection, sequence, length);
            return Outcome::Decoded;
        }
        let Ok(header) = Header::read(payload) else { return Outcome::NotMine };
        if !header.is_sound() {
            return Outcome::NotMine;
        }
        let fault = (header.total() != payload.len()).then_some("length_mismatch");
        let data = payload.get(HEADER..).unwrap_or_default();
        let data = data.get(..usize::from(header.length)).unwrap_or(data);
        let is_request = cx.ends.get(cx.dir.reverse().index()).is_some_and(|end| end.port == Some(PORT));
        self.0.message(cx, &header, data, is_request, fault);
        Outcome::Decoded
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.0.close(cx);
    }
}

/// What names a request until its answer comes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Context(u16, [u8; 8]),
    Sequence(u32, u16),
}

struct Waiting {
    common: Common,
    dir: Dir,
    key: Key,
    /// The CIP message, where there is one.
    octets: Vec<u8>,
}

/// State of one flow.
#[derive(Default)]
struct Session {
    waiting: VecDeque<Waiting>,
    /// Frame of the row before, and its number there.
    frame: u64,
    index: u16,
}

impl Session {
    fn close(&mut self, cx: &mut Cx<'_>) {
        for waiting in std::mem::take(&mut self.waiting) {
            cip::unanswered(cx, &waiting.common, &waiting.octets);
        }
    }

    fn remember(&mut self, cx: &mut Cx<'_>, key: Key, octets: &[u8]) {
        let reused = self.waiting.iter().position(|waiting| waiting.key == key && waiting.dir == cx.dir);
        if let Some(at) = reused
            && self.waiting.get(at).is_some_and(|waiting| waiting.octets == octets && matches!(key, Key::Sequence(..)))
        {
            // Sent again.
            return;
        }
        if let Some(waiting) = reused.or((self.waiting.len() >= MAX_WAITING).then_some(0)).and_then(|at| self.waiting.remove(at)) {
            cip::unanswered(cx, &waiting.common, &waiting.octets);
        }
        self.waiting.push_back(Waiting { common: cx.common(cx.dir), dir: cx.dir, key, octets: octets.to_vec() });
    }

    fn answered(&mut self, cx: &Cx<'_>, key: Key) -> Option<Waiting> {
        let at = self.waiting.iter().position(|waiting| waiting.key == key && waiting.dir != cx.dir)?;
        self.waiting.remove(at)
    }

    fn message(&mut self, cx: &mut Cx<'_>, header: &Header, data: &[u8], is_request: bool, fault: Option<&'static str>) {
        let carries = matches!(header.command, SEND_RR_DATA | SEND_UNIT_DATA);
        let pairs = matches!(header.command, 0x04 | 0x63..=0x65);
        let carried = if carries { carried(data).ok() } else { None };
        let message = carried.as_ref().and_then(|carried| carried.message);
        // Connected messages are told apart by their sequence count.
        let key = match carried.as_ref().and_then(|carried| carried.sequence) {
            Some(sequence) => Key::Sequence(header.session, sequence),
            None => Key::Context(header.command, header.context),
        };
        // Where a service is carried, it tells who asks; else the direction does.
        let asks = message.and_then(|message| message.first()).map_or(is_request, |code| code & cip::ANSWER == 0);
        let waiting = if !asks && (carries || pairs) { self.answered(cx, key) } else { None };
        if asks && pairs {
            self.remember(cx, key, &[]);
        }
        if let Some(waiting) = waiting.as_ref().filter(|waiting| message.is_none() && header.status != 0 && !waiting.octets.is_empty()) {
            cip::refused(cx, &waiting.common, &waiting.octets);
        }
        let cut = carries && carried.is_none() && header.status == 0;
        let base = Enip {
            command_code: Some(header.command),
            command: command(header.command),
            is_request: Some(is_request),
            request_frame: waiting.as_ref().map(|waiting| waiting.common.frame),
            length: Some(header.length),
            session_handle: Some(header.session),
            status_code: Some(header.status),
            status: status(header.status),
            sender_context: Some(&header.context),
            options: Some(header.options),
            malformed: fault.or(cut.then_some("cpf_truncated")),
            ..Enip::default()
        };
        match header.command {
            0x65 => cx.emit(Enip { protocol_version: data.first_chunk().map(|version| u16::from_le_bytes(*version)), ..base }),
            0x63 if !data.is_empty() => identities(cx, data, &base),
            0x04 if !data.is_empty() => services(cx, data, &base),
            _ => {
                let (timeout, types, connection) =
                    carried.as_ref().map_or((None, &[][..], None), |carried| (Some(carried.timeout), &carried.types[..], carried.connection));
                cx.emit(Enip { timeout_s: timeout, item_types: (!types.is_empty()).then_some(types), connection_id: connection, ..base });
            }
        }
        if let (Some(carried), Some(message)) = (&carried, message) {
            self.service(cx, header, carried, message, key, waiting.as_ref());
        }
    }

    fn service(&mut self, cx: &mut Cx<'_>, header: &Header, carried: &Carried<'_>, message: &[u8], key: Key, waiting: Option<&Waiting>) {
        if self.frame != cx.frame {
            (self.frame, self.index) = (cx.frame, 0);
        }
        let carrier = Carrier {
            enip_command: if header.command == SEND_RR_DATA { "send_rr_data" } else { "send_unit_data" },
            session: Some(header.session),
            connection: carried.connection,
            sequence: carried.sequence,
            request: waiting.map(|waiting| (&waiting.common, waiting.octets.as_slice())),
        };
        cip::message(cx, &carrier, message, &mut self.index);
        if message.first().is_some_and(|code| code & cip::ANSWER == 0) {
            self.remember(cx, key, message);
        }
    }
}

/// Interface, timeout and items of the messages that carry data.
struct Carried<'a> {
    timeout: u16,
    types: Vec<u16>,
    connection: Option<u32>,
    sequence: Option<u16>,
    message: Option<&'a [u8]>,
}

fn carried(data: &[u8]) -> Wire<Carried<'_>> {
    let mut reader = Reader::new(data);
    reader.skip(4)?;
    let mut carried = Carried { timeout: reader.le_u16()?, types: Vec::new(), connection: None, sequence: None, message: None };
    for _ in 0..reader.le_u16()?.min(MAX_ITEMS) {
        let kind = reader.le_u16()?;
        let length = usize::from(reader.le_u16()?);
        let mut item = reader.sub(length)?;
        carried.types.push(kind);
        match kind {
            0xa1 => carried.connection = item.le_u32().ok(),
            0xb1 => {
                carried.sequence = item.le_u16().ok();
                carried.message = Some(item.rest());
            }
            0xb2 => carried.message = Some(item.rest()),
            _ => {}
        }
    }
    Ok(carried)
}

/// Identity items of a ListIdentity answer: a row each.
fn identities(cx: &mut Cx<'_>, data: &[u8], base: &Enip<'_>) {
    let mut reader = Reader::new(data);
    let mut written = false;
    let count = reader.le_u16().unwrap_or(0).min(MAX_ITEMS);
    let mut types = Vec::new();
    let mut security = None;
    let mut devices = Vec::new();
    for _ in 0..count {
        let Ok((kind, mut item)) = item(&mut reader) else { break };
        types.push(kind);
        match kind {
            0x0c => devices.push(item),
            0x86 => security = item.u8().ok(),
            _ => {}
        }
    }
    for mut device in devices {
        written |= identity(cx, &mut device, &types, security, base).is_ok();
    }
    if !written {
        cx.emit(Enip { item_types: (!types.is_empty()).then_some(&types), malformed: Some("cpf_truncated"), ..copy(base) });
    }
}

fn item<'a>(reader: &mut Reader<'a>) -> Wire<(u16, Reader<'a>)> {
    let kind = reader.le_u16()?;
    let length = usize::from(reader.le_u16()?);
    Ok((kind, reader.sub(length)?))
}

fn identity(cx: &mut Cx<'_>, item: &mut Reader<'_>, types: &[u16], security: Option<u8>, base: &Enip<'_>) -> Wire<()> {
    let version = item.le_u16()?;
    // The socket address alone is big-endian.
    item.skip(2)?;
    let port = item.be_u16()?;
    let ip = Ipv4Addr::from(item.array::<4>()?).to_string();
    item.skip(8)?;
    let (vendor_id, device, product) = (item.le_u16()?, item.le_u16()?, item.le_u16()?);
    let revision = format!("{}.{:02}", item.u8()?, item.u8()?);
    let (state_word, serial) = (item.le_u16()?, item.le_u32()?);
    let length = usize::from(item.u8()?);
    let name = String::from_utf8_lossy(item.take(length)?);
    let state = item.u8().ok();
    cx.emit(Enip {
        item_types: Some(types),
        encapsulation_version: Some(version),
        socket_ip: Some(&ip),
        socket_port: Some(port),
        vendor_id: Some(vendor_id),
        vendor: vendor(vendor_id),
        device_type_id: Some(device),
        device_type: device_type(device),
        product_code: Some(product),
        revision: Some(&revision),
        device_status: Some(state_word),
        serial_number: Some(serial),
        product_name: Some(&name),
        device_state_code: state,
        device_state: state.and_then(|state| match state {
            0 => Some("nonexistent"),
            1 => Some("self_testing"),
            2 => Some("standby"),
            3 => Some("operational"),
            4 => Some("major_recoverable_fault"),
            5 => Some("major_unrecoverable_fault"),
            255 => Some("default"),
            _ => None,
        }),
        security_state: security,
        ..copy(base)
    });
    Ok(())
}

/// Items of a ListServices answer; the first names what the device speaks.
fn services(cx: &mut Cx<'_>, data: &[u8], base: &Enip<'_>) {
    let mut reader = Reader::new(data);
    let count = reader.le_u16().unwrap_or(0);
    let found = item(&mut reader)
        .ok()
        .filter(|_| count > 0)
        .and_then(|(kind, mut item)| Some((kind, item.le_u16().ok()?, item.le_u16().ok()?, item.take(16).ok()?)));
    let Some((kind, version, flags, name)) = found else {
        return cx.emit(Enip { malformed: Some("cpf_truncated"), ..copy(base) });
    };
    let name = String::from_utf8_lossy(name.split(|octet| *octet == 0).next().unwrap_or_default());
    cx.emit(Enip {
        item_types: Some(&[kind]),
        encapsulation_version: Some(version),
        capability_flags: Some(flags),
        service_name: Some(&name),
        ..copy(base)
    });
}

/// The columns of the header once more.
fn copy<'a>(base: &Enip<'a>) -> Enip<'a> {
    Enip {
        command_code: base.command_code,
        command: base.command,
        is_request: base.is_request,
        request_frame: base.request_frame,
        length: base.length,
        session_handle: base.session_handle,
        status_code: base.status_code,
        status: base.status,
        sender_context: base.sender_context,
        options: base.options,
        malformed: base.malformed,
        ..Enip::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGISTER: [u8; 28] = [0x65, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 1, 0, 0, 0];

    #[test]
    fn headers_and_probes() {
        let header = Header::read(&REGISTER).unwrap();
        assert!(header.is_sound());
        assert_eq!((header.command, header.total()), (0x65, 28));
        let offer = |bytes: &'static [u8], port| Offer {
            bytes: [bytes, &[]],
            dir: Dir::Orig,
            ports: [Some(40000), Some(port)],
            usual_port: port == PORT,
            src: None,
            dst: None,
        };
        assert_eq!(probe_stream(&offer(&REGISTER, PORT)), Verdict::Yes);
        assert_eq!(probe_stream(&offer(&REGISTER, 4001)), Verdict::Yes);
        assert_eq!(probe_stream(&offer(&[0; 24], 4001)), Verdict::No);
        assert_eq!(probe_stream(&offer(b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n", 4001)), Verdict::No);
    }

    #[test]
    fn io_datagrams_fit_to_the_octet() {
        let mut datagram = vec![2, 0, 2, 0x80, 8, 0, 7, 0, 0, 0, 9, 0, 0, 0, 0xb1, 0, 2, 0, 1, 2];
        assert_eq!(io(&datagram), Some((7, 9, 2)));
        datagram.push(0);
        assert_eq!(io(&datagram), None);
    }
}
