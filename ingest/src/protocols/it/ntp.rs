//! NTP: time messages (RFC 5905, 4330, 1305), control messages (mode 6, RFC 9327) and the private mode 7 of ntpd.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pcapper_schema::tables::Ntp;

use crate::protocols::{Cx, DatagramDissector, DatagramKind, Dir, Group, Offer, Outcome, Protocol, Verdict};
use crate::wire::{Malformed, Reader, Wire};

/// NTP on any port; 123 is its own.
pub static PROTOCOL: Protocol = Protocol {
    name: "ntp",
    group: Group::It,
    ports: &[PORT],
    datagram: Some(DatagramKind { ip_protos: &[17], probe, start: || Box::<Messages>::default() }),
    ..Protocol::NONE
};

const PORT: u16 = 123;
/// Octets of a time message without extensions.
const HEADER: usize = 48;
/// Octets of a time message that a capture must have kept: up to the reference identifier.
const CUT_HEADER: usize = 16;
/// Octets of a control message's header.
const CONTROL_HEADER: usize = 12;
/// Octets of a private message's header that hold more than its kind.
const PRIVATE_HEADER: usize = 4;
/// Requests of a flow that are kept for their answers.
const MAX_WAITING: usize = 64;
/// Seconds from 1900, where era 0 starts, to 1970 (RFC 5905 section 6).
const TO_UNIX: i64 = 2_208_988_800;
/// Highest stratum (RFC 5905 section 7.3): unsynchronised.
const MAX_STRATUM: u8 = 16;

/// Association modes (RFC 5905 section 3).
mod mode {
    pub const RESERVED: u8 = 0;
    pub const SYMMETRIC_ACTIVE: u8 = 1;
    pub const SYMMETRIC_PASSIVE: u8 = 2;
    pub const CLIENT: u8 = 3;
    pub const SERVER: u8 = 4;
    pub const BROADCAST: u8 = 5;
    pub const CONTROL: u8 = 6;
    pub const PRIVATE: u8 = 7;
}

fn mode_name(mode: u8) -> Option<&'static str> {
    Some(match mode {
        mode::SYMMETRIC_ACTIVE => "symmetric_active",
        mode::SYMMETRIC_PASSIVE => "symmetric_passive",
        mode::CLIENT => "client",
        mode::SERVER => "server",
        mode::BROADCAST => "broadcast",
        mode::CONTROL => "control",
        mode::PRIVATE => "private",
        _ => return None,
    })
}

/// RFC 9327 section 2.
fn control_opcode_name(opcode: u8) -> Option<&'static str> {
    Some(match opcode {
        1 => "read_status",
        2 => "read_variables",
        3 => "write_variables",
        4 => "read_clock",
        5 => "write_clock",
        6 => "set_trap",
        7 => "trap_response",
        8 => "configure",
        9 => "save_config",
        10 => "read_mru",
        11 => "read_ordered_list",
        12 => "request_nonce",
        31 => "unset_trap",
        _ => return None,
    })
}

/// Request codes of ntpd's mode 7.
mod private {
    pub const MON_GETLIST: u8 = 20;
    pub const MON_GETLIST_1: u8 = 42;
}

fn request_name(code: u8) -> Option<&'static str> {
    const NAMES: [&str; 46] = [
        "peer_list",
        "peer_list_sum",
        "peer_info",
        "peer_stats",
        "sys_info",
        "sys_stats",
        "io_stats",
        "mem_stats",
        "loop_info",
        "timer_stats",
        "config",
        "unconfig",
        "set_sys_flag",
        "clr_sys_flag",
        "monitor",
        "nomonitor",
        "get_restrict",
        "resaddflags",
        "ressubflags",
        "unrestrict",
        "mon_getlist",
        "reset_stats",
        "reset_peer",
        "reread_keys",
        "do_dirty_hack",
        "dont_dirty_hack",
        "trustkey",
        "untrustkey",
        "authinfo",
        "traps",
        "add_trap",
        "clr_trap",
        "request_key",
        "control_key",
        "get_ctlstats",
        "get_leapinfo",
        "get_clockinfo",
        "set_clkfudge",
        "get_kernel",
        "get_clkbuginfo",
        "",
        "set_precision",
        "mon_getlist_1",
        "hostname_associd",
        "if_stats",
        "if_reload",
    ];
    NAMES.get(usize::from(code)).copied().filter(|name| !name.is_empty())
}

/// Version and mode in the first octet.
#[derive(Clone, Copy)]
struct Kind {
    version: u8,
    mode: u8,
}

impl Kind {
    fn of(first: u8) -> Self {
        Self { version: first >> 3 & 7, mode: first & 7 }
    }

    /// In use, and the message is long enough; `kept` of its `length` octets are in the capture.
    fn fits(self, kept: usize, length: usize) -> bool {
        let least = match (self.mode, self.version) {
            // Version 1 had no modes (RFC 1059): a zero stood there.
            (mode::RESERVED, 1) | (mode::SYMMETRIC_ACTIVE..=mode::BROADCAST, 1..=4) => (CUT_HEADER, HEADER),
            (mode::CONTROL, 1..=4) => (CONTROL_HEADER, CONTROL_HEADER),
            (mode::PRIVATE, 1..=4) => (PRIVATE_HEADER, PRIVATE_HEADER),
            _ => return false,
        };
        kept >= least.0 && length >= least.1
    }
}

/// The fixed part of a time message, as far as it was captured.
#[derive(Default)]
struct Time {
    stratum: u8,
    poll: i8,
    precision: i8,
    root_delay: [u8; 4],
    root_dispersion: u32,
    ref_id: [u8; 4],
    /// Reference, origin, receive, transmit timestamp.
    timestamps: [Option<u64>; 4],
}

impl Time {
    fn read(r: &mut Reader<'_>) -> Wire<Self> {
        r.skip(1)?;
        let mut time = Self {
            stratum: r.u8()?,
            poll: r.i8()?,
            precision: r.i8()?,
            root_delay: r.array()?,
            root_dispersion: r.be_u32()?,
            ref_id: r.array()?,
            timestamps: [None; 4],
        };
        for timestamp in &mut time.timestamps {
            *timestamp = r.be_u64().ok();
        }
        Ok(time)
    }

    /// A time message beyond doubt: a request that says nothing but its own time, or the answer of a synchronised server
    /// whose clock was set before it received and sent within two seconds.
    fn certain(&self, kind: Kind) -> bool {
        let [Some(reference), Some(origin), Some(receive), Some(transmit)] = self.timestamps else { return false };
        let seconds = |timestamp: u64| (timestamp >> 32) as u32;
        match kind.mode {
            mode::CLIENT => {
                let nothing_else = [self.root_delay, self.root_dispersion.to_be_bytes(), self.ref_id] == [[0; 4]; 3];
                self.stratum == 0 && nothing_else && [reference, origin, receive] == [0; 3] && seconds(transmit) != 0
            }
            mode::SERVER => {
                let set = seconds(reference) != 0 && seconds(receive).wrapping_sub(seconds(reference)) < 1 << 22;
                (1..MAX_STRATUM).contains(&self.stratum) && set && origin != 0 && seconds(transmit).wrapping_sub(seconds(receive)) < 2
            }
            _ => false,
        }
    }
}

fn probe(offer: &Offer<'_>) -> Verdict {
    let bytes = offer.current();
    let Some(&first) = bytes.first() else { return Verdict::No };
    let kind = Kind::of(first);
    // Whether the capture cut the message is not known here; the dissector looks again.
    let mine = if offer.usual_port { kind.fits(bytes.len(), bytes.len().max(HEADER)) } else { certain(kind, bytes) };
    if mine { Verdict::Yes } else { Verdict::No }
}

fn certain(kind: Kind, bytes: &[u8]) -> bool {
    let mut r = Reader::new(bytes);
    matches!(kind.version, 3 | 4) && Time::read(&mut r).is_ok_and(|time| time.certain(kind)) && Tail::read(r.rest(), &mut Vec::new()).is_ok()
}

/// Nanoseconds since 1970 of a timestamp (RFC 5905 section 6); `None` for zero, which means unknown. Seconds with the top
/// bit clear are in era 1, which starts in 2036: no capture is of before 1968.
fn unix_nanoseconds(timestamp: u64) -> Option<i64> {
    if timestamp == 0 {
        return None;
    }
    let era = if timestamp >> 63 == 0 { 1i64 << 32 } else { 0 };
    let seconds = ((timestamp >> 32) as i64).saturating_add(era).saturating_sub(TO_UNIX);
    let fraction = (timestamp & 0xffff_ffff).saturating_mul(1_000_000_000) >> 32;
    Some(seconds.saturating_mul(1_000_000_000).saturating_add(fraction as i64))
}

/// Letters, digits and the like, padded with zeros: a kiss code or the name of a clock.
fn code_text(code: [u8; 4]) -> Option<String> {
    let text = String::from_utf8(code.to_vec()).ok()?;
    let text = text.trim_end_matches(['\0', ' ']);
    (!text.is_empty() && text.bytes().all(|octet| octet.is_ascii_graphic())).then(|| text.to_owned())
}

/// The reference identifier (RFC 5905 section 7.3) as its stratum has it.
///
/// Above stratum 1 it is the IPv4 address of the upstream server or the start of a digest of its IPv6 address. The wire does
/// not tell which: what cannot be a server's IPv4 address is shown as a digest.
fn ref_id(stratum: u8, code: [u8; 4]) -> Option<String> {
    let hexadecimal = || format!("{:08x}", u32::from_be_bytes(code));
    match (code, stratum) {
        ([0, 0, 0, 0], _) => None,
        (_, 0 | 1) => Some(code_text(code).unwrap_or_else(hexadecimal)),
        (_, MAX_STRATUM..) if code_text(code).is_some() => code_text(code),
        ([0 | 224.., ..], _) => Some(hexadecimal()),
        _ => Some(Ipv4Addr::from(code).to_string()),
    }
}

/// What follows the fixed part of a time message.
#[derive(Default)]
struct Tail<'a> {
    key_id: Option<u32>,
    mac: Option<&'a [u8]>,
}

impl<'a> Tail<'a> {
    /// Reads extension fields (RFC 7822), whose types go to `types`, and the authenticator behind them.
    fn read(bytes: &'a [u8], types: &mut Vec<u16>) -> Wire<Self> {
        let mut r = Reader::new(bytes);
        while !r.is_empty() {
            // 20 and 24 octets are left to authenticators with MD5 or AES-CMAC, and SHA-1; 4 say that authentication failed.
            let field = if matches!(r.len(), 4 | 20 | 24) { None } else { extension(r).ok() };
            match field {
                Some((kind, rest)) => {
                    types.push(kind);
                    r = rest;
                }
                None => return authenticator(r),
            }
        }
        Ok(Self::default())
    }
}

/// The extension field at `r` and what is behind it.
fn extension(mut r: Reader<'_>) -> Wire<(u16, Reader<'_>)> {
    let (kind, length) = (r.be_u16()?, usize::from(r.be_u16()?));
    if length < 16 || length % 4 != 0 {
        return Err(Malformed);
    }
    r.skip(length.saturating_sub(4))?;
    Ok((kind, r))
}

/// Key identifier and digest, if what is left has the size of one.
fn authenticator(mut r: Reader<'_>) -> Wire<Tail<'_>> {
    let length = r.len();
    let key_id = Some(r.be_u32()?);
    match length {
        4 => {}
        // DES in version 3 (RFC 1305), MD5, SHA-1, SHA-224 to SHA-512.
        12 | 20 | 24 | 32 | 36 | 52 | 68 => {}
        // MS-SNTP section 2.2.3: four octets of flags and hints before the checksum.
        72 => r.skip(4)?,
        _ => return Err(Malformed),
    }
    Ok(Tail { key_id, mac: Some(r.rest()).filter(|digest| !digest.is_empty()) })
}

/// What a request and its answer share.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    /// Transmit timestamp, which comes back as the origin timestamp.
    Time(u64),
    /// Mode 6: sequence and opcode.
    Control(u16, u8),
    /// Mode 7: implementation and request code.
    Private(u8, u8),
}

/// The datagrams of one flow.
#[derive(Default)]
struct Messages {
    /// Requests, the latest at the back: sender, key, frame.
    waiting: VecDeque<(Dir, Key, u64)>,
    /// A message beyond doubt was seen: what follows on this flow is taken for NTP on any port.
    known: bool,
    types: Vec<u16>,
    clients: Vec<Cow<'static, str>>,
}

impl Messages {
    fn request(&mut self, cx: &Cx<'_>, key: Key) {
        if self.waiting.len() >= MAX_WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back((cx.dir, key, cx.frame));
    }

    /// Frame of the latest request that a message with `key` answers.
    fn answered(&self, cx: &Cx<'_>, key: Key) -> Option<u64> {
        self.waiting.iter().rev().find(|(dir, known, _)| *dir != cx.dir && *known == key).map(|(_, _, frame)| *frame)
    }

    fn time(&mut self, cx: &mut Cx<'_>, payload: &[u8], row: Ntp<'_>, kind: Kind) -> Wire<Wire<()>> {
        let mut r = Reader::new(payload);
        let time = Time::read(&mut r)?;
        self.types.clear();
        let (tail, whole) = match Tail::read(r.rest(), &mut self.types) {
            Ok(tail) => (tail, Ok(())),
            Err(Malformed) => (Tail::default(), Err(Malformed)),
        };
        let [_, origin, _, transmit] = time.timestamps.map(|timestamp| timestamp.filter(|value| *value != 0));
        let mut request_frame = None;
        match kind.mode {
            mode::CLIENT | mode::SYMMETRIC_ACTIVE => {
                if let Some(transmit) = transmit {
                    self.request(cx, Key::Time(transmit));
                }
            }
            mode::SERVER | mode::SYMMETRIC_PASSIVE => request_frame = origin.and_then(|origin| self.answered(cx, Key::Time(origin))),
            _ => {}
        }
        let [ref_ts, org_ts, rec_ts, xmt_ts] = time.timestamps.map(|timestamp| timestamp.and_then(unix_nanoseconds));
        let own_clock = matches!(kind.mode, mode::SERVER | mode::BROADCAST);
        // 16 bits before and after the point; the delay had a sign before version 4.
        let root_delay = match kind.version {
            4.. => f64::from(u32::from_be_bytes(time.root_delay)),
            _ => f64::from(i32::from_be_bytes(time.root_delay)),
        };
        let leap = payload.first().map(|first| first >> 6);
        let ref_id = ref_id(time.stratum, time.ref_id);
        cx.emit(Ntp {
            leap,
            stratum: Some(time.stratum),
            poll: Some(time.poll.into()),
            precision: Some(time.precision.into()),
            root_delay_s: Some(root_delay / 65_536.0),
            root_dispersion_s: Some(f64::from(time.root_dispersion) / 65_536.0),
            ref_id: ref_id.as_deref(),
            ref_ts,
            org_ts,
            rec_ts,
            xmt_ts,
            offset_ms: xmt_ts.filter(|_| own_clock).map(|sent| sent.saturating_sub(cx.ts) as f64 / 1e6),
            request_frame,
            key_id: tail.key_id,
            mac: tail.mac,
            extension_types: Some(self.types.as_slice()).filter(|types| !types.is_empty()),
            ..row
        });
        Ok(whole)
    }

    fn control(&mut self, cx: &mut Cx<'_>, payload: &[u8], row: Ntp<'_>) -> Wire<Wire<()>> {
        let mut r = Reader::new(payload);
        r.skip(1)?;
        let flags = r.u8()?;
        let sequence = r.be_u16()?;
        r.skip(2)?;
        let association = r.be_u16()?;
        r.skip(2)?;
        let count = usize::from(r.be_u16()?);
        let (opcode, response) = (flags & 0x1f, flags & 0x80 != 0);
        let whole = if count <= r.len() { Ok(()) } else { Err(Malformed) };
        let data = r.take(count.min(r.len()))?;
        let tail = control_authenticator(r.rest(), count);
        let key = Key::Control(sequence, opcode);
        let request_frame = if response { self.answered(cx, key) } else { None };
        if !response {
            self.request(cx, key);
        }
        cx.emit(Ntp {
            request_frame,
            key_id: tail.key_id,
            mac: tail.mac,
            control_opcode: Some(opcode),
            control_opcode_name: control_opcode_name(opcode),
            control_response: Some(response),
            control_error: Some(flags & 0x40 != 0),
            control_more: Some(flags & 0x20 != 0),
            control_sequence: Some(sequence),
            association_id: Some(association),
            control_data: control_text(data).as_deref(),
            ..row
        });
        Ok(whole)
    }

    fn private(&mut self, cx: &mut Cx<'_>, payload: &[u8], row: Ntp<'_>) -> Wire<Wire<()>> {
        let mut r = Reader::new(payload);
        let flags = r.u8()?;
        r.skip(1)?;
        let (implementation, code) = (r.u8()?, r.u8()?);
        // Scanners send no more than these four octets.
        let items = r.be_u16().ok();
        let sizes = r.be_u16().ok();
        let response = flags & 0x80 != 0;
        let (error, count) = (items.map(|items| (items >> 12) as u8), items.map(|items| items & 0x0fff));
        let size = sizes.map(|sizes| sizes & 0x0fff);
        let (each, number) = (usize::from(size.unwrap_or(0)), usize::from(count.unwrap_or(0)));
        let data = r.rest();
        let key = Key::Private(implementation, code);
        let request_frame = if response { self.answered(cx, key) } else { None };
        if !response {
            self.request(cx, key);
        }
        self.clients.clear();
        if response && each > 0 && matches!(code, private::MON_GETLIST | private::MON_GETLIST_1) {
            self.clients.extend(data.chunks_exact(each).take(number).filter_map(|item| monitored(code, item)).map(|ip| ip.to_string().into()));
        }
        cx.emit(Ntp {
            request_frame,
            control_response: Some(response),
            control_more: Some(flags & 0x40 != 0),
            implementation: Some(implementation),
            request_code: Some(code),
            request_name: request_name(code),
            private_error: error,
            item_count: count,
            item_size: size,
            monlist_clients: Some(self.clients.as_slice()).filter(|clients| !clients.is_empty()),
            ..row
        });
        let lies = response && each.saturating_mul(number) > data.len();
        Ok(if lies { Err(Malformed) } else { Ok(()) })
    }
}

impl DatagramDissector for Messages {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        let Some(&first) = payload.first() else { return Outcome::NotMine };
        let kind = Kind::of(first);
        let length = cx.packet.map_or(0, |packet| packet.payload_len as usize).max(payload.len());
        let usual = cx.ends.iter().any(|end| end.port == Some(PORT));
        if !kind.fits(payload.len(), length) {
            return Outcome::NotMine;
        }
        self.known = self.known || usual || certain(kind, payload);
        if !self.known {
            return Outcome::NotMine;
        }
        let row = Ntp {
            version: Some(kind.version),
            mode: Some(kind.mode),
            mode_name: mode_name(kind.mode),
            message_len: u16::try_from(length).ok(),
            ..Ntp::default()
        };
        let read = match kind.mode {
            mode::CONTROL => self.control(cx, payload, row),
            mode::PRIVATE => self.private(cx, payload, row),
            _ => self.time(cx, payload, row, kind),
        };
        match read {
            Ok(whole) => {
                if whole.is_err() && length == payload.len() {
                    cx.anomaly("ntp", "bad_length", "what follows the header is not of the announced or a known size");
                }
                Outcome::Decoded
            }
            Err(Malformed) => Outcome::NotMine,
        }
    }
}

/// The authenticator behind the data of a control message, which is padded to four or eight octets.
fn control_authenticator(rest: &[u8], count: usize) -> Tail<'_> {
    let mut r = Reader::new(rest);
    let padding = count.next_multiple_of(4).saturating_sub(count);
    let read = r.skip(padding).and_then(|()| {
        // Key 0 does not exist: four zeros more are padding.
        if r.peek().starts_with(&[0; 4]) && r.len() != 4 {
            r.skip(4)?;
        }
        if matches!(r.len(), 20 | 24) { authenticator(r) } else { Err(Malformed) }
    });
    read.unwrap_or_default()
}

/// Data of a control message that is text: lists of association states are not.
fn control_text(data: &[u8]) -> Option<Cow<'_, str>> {
    let text = String::from_utf8_lossy(data);
    let printable = text.chars().all(|c| !c.is_control() && c != char::REPLACEMENT_CHARACTER || matches!(c, '\r' | '\n' | '\t' | '\0'));
    let kept = match text {
        Cow::Borrowed(text) if printable => text.trim_matches(['\r', '\n', ' ', '\0']),
        _ => return None,
    };
    (!kept.is_empty()).then_some(Cow::Borrowed(kept))
}

/// Client address in an item of a monitor list: an IPv4 address at octet 16; where the item says so, an IPv6 address.
fn monitored(code: u8, item: &[u8]) -> Option<IpAddr> {
    let (v6_flag, v6_address) = if code == private::MON_GETLIST_1 { (32, 40) } else { (24, 32) };
    let at = |offset: usize| {
        let mut r = Reader::new(item);
        r.skip(offset).map(|()| r)
    };
    let is_v6 = at(v6_flag).and_then(|mut r| r.be_u32()).is_ok_and(|flag| flag != 0);
    let v6 = at(v6_address).and_then(|mut r| r.array::<16>()).ok().filter(|_| is_v6).map(|octets| Ipv6Addr::from(octets).into());
    v6.or_else(|| at(16).and_then(|mut r| r.array::<4>()).ok().map(IpAddr::from))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array as _, AsArray as _, RecordBatch};
    use arrow::datatypes::TimestampNanosecondType;
    use arrow::util::display::array_value_to_string;
    use pcapper_schema::tables::Anomalies;
    use pcapper_schema::{Row, TableSet};

    use super::*;
    use crate::protocols::{Endpoint, Shared};

    /// One flow from 10.0.0.1 to 10.0.0.2.
    struct Flow {
        ports: [u16; 2],
        tables: TableSet,
        shared: Shared,
        frame: u64,
        dissector: Messages,
    }

    impl Flow {
        fn new(ports: [u16; 2]) -> Self {
            Self { ports, tables: TableSet::default(), shared: Shared::default(), frame: 0, dissector: Messages::default() }
        }

        fn send(&mut self, dir: Dir, bytes: &[u8]) -> Outcome {
            self.frame += 1;
            let end = |last, port| Endpoint { ip: Some(IpAddr::from([10, 0, 0, last])), port: Some(port), mac: None };
            let mut cx = Cx {
                tables: &mut self.tables,
                shared: &mut self.shared,
                frame: self.frame,
                ts: 1_500_000_000_000_000_000,
                packet: None,
                flow_id: Some(1),
                ends: [end(1, self.ports[0]), end(2, self.ports[1])],
                dir,
                frames_spanned: 1,
            };
            self.dissector.datagram(&mut cx, bytes)
        }

        fn rows<R: Row>(&mut self) -> RecordBatch {
            R::slot(&mut self.tables).finish("c", "i")
        }
    }

    /// Cells of one row as text, nulls as `-`, times in nanoseconds.
    fn cells(batch: &RecordBatch, row: usize, columns: &[&str]) -> String {
        let cell = |name: &&str| {
            let column = batch.column_by_name(name).unwrap();
            match column.as_primitive_opt::<TimestampNanosecondType>() {
                _ if column.is_null(row) => "-".into(),
                Some(times) => times.value(row).to_string(),
                None => array_value_to_string(column, row).unwrap(),
            }
        };
        columns.iter().map(cell).collect::<Vec<_>>().join(" ")
    }

    /// Seconds of 2017-07-14T02:40:00Z, 1.5e9 after 1970.
    const NOW: u32 = 3_708_988_800;

    fn message(first: u8, head: &[u8; 15], timestamps: [(u32, u32); 4]) -> Vec<u8> {
        let mut bytes = vec![first];
        bytes.extend(head);
        timestamps.iter().for_each(|(seconds, fraction)| bytes.extend([seconds.to_be_bytes(), fraction.to_be_bytes()].concat()));
        bytes
    }

    const EMPTY: &[u8; 15] = &[0; 15];
    const SERVER: &[u8; 15] = &[2, 6, 0xe8, 0, 0, 0x80, 0, 0, 1, 0, 0, 192, 0, 2, 1];

    fn request() -> Vec<u8> {
        message(0x23, EMPTY, [(0, 0), (0, 0), (0, 0), (NOW, 0x8000_0000)])
    }

    fn answer() -> Vec<u8> {
        message(0x24, SERVER, [(NOW - 60, 0), (NOW, 0x8000_0000), (NOW + 1, 0), (NOW + 1, 0x4000_0000)])
    }

    fn offer(bytes: &[u8], usual_port: bool) -> Verdict {
        probe(&Offer { bytes: [bytes, &[]], dir: Dir::Orig, ports: [Some(4000), Some(4001)], usual_port, src: None, dst: None })
    }

    #[test]
    fn request_and_answer() {
        let mut flow = Flow::new([40000, 123]);
        assert_eq!(flow.send(Dir::Orig, &request()), Outcome::Decoded);
        assert_eq!(flow.send(Dir::Resp, &answer()), Outcome::Decoded);
        let rows = flow.rows::<Ntp>();
        let head = ["version", "mode_name", "leap", "stratum", "poll", "precision", "root_delay_s", "root_dispersion_s", "ref_id"];
        assert_eq!(cells(&rows, 0, &head), "4 client 0 0 0 0 0.0 0.0 -");
        assert_eq!(cells(&rows, 1, &head), "4 server 0 2 6 -24 0.5 1.0 192.0.2.1");
        let times = ["ref_ts", "org_ts", "rec_ts", "xmt_ts", "offset_ms", "request_frame", "message_len"];
        assert_eq!(cells(&rows, 0, &times), "- - - 1500000000500000000 - - 48");
        assert_eq!(cells(&rows, 1, &times), "1499999940000000000 1500000000500000000 1500000001000000000 1500000001250000000 1250.0 1 48");
    }

    #[test]
    fn eras_and_fractions() {
        assert_eq!(unix_nanoseconds(0), None);
        assert_eq!(unix_nanoseconds(u64::MAX), Some(2_085_978_495_999_999_999));
        assert_eq!(unix_nanoseconds(1), Some(2_085_978_496_000_000_000));
        assert_eq!(unix_nanoseconds(1 << 63), Some(-61_505_152_000_000_000));
    }

    #[test]
    fn reference_identifiers() {
        assert_eq!(ref_id(0, *b"RATE").as_deref(), Some("RATE"));
        assert_eq!(ref_id(1, *b"GPS\0").as_deref(), Some("GPS"));
        assert_eq!(ref_id(1, [0xff; 4]).as_deref(), Some("ffffffff"));
        assert_eq!(ref_id(3, *b"LOCL").as_deref(), Some("76.79.67.76"));
        assert_eq!(ref_id(2, [0xe3, 1, 2, 3]).as_deref(), Some("e3010203"));
        assert_eq!(ref_id(16, *b"INIT").as_deref(), Some("INIT"));
        assert_eq!(ref_id(2, [0; 4]), None);
    }

    #[test]
    fn extensions_and_authenticators() {
        let mut types = Vec::new();
        let field = |kind: u8, length: u8| [&[kind, 4, 0, length][..], &vec![7; usize::from(length) - 4]].concat();
        let fields = [field(1, 36), field(4, 40)].concat();
        let tail = Tail::read(&fields, &mut types).unwrap();
        assert_eq!((tail.key_id, tail.mac, types.as_slice()), (None, None, &[0x0104, 0x0404][..]));
        let signed = [field(2, 16), [&[0, 0, 0, 9][..], &[5; 16]].concat()].concat();
        types.clear();
        let tail = Tail::read(&signed, &mut types).unwrap();
        assert_eq!((tail.key_id, tail.mac, types.as_slice()), (Some(9), Some(&[5; 16][..]), &[0x0204][..]));
        // The key identifier is no field type with a length that fits.
        let sha256 = [&[0, 0, 0, 1][..], &[6; 32]].concat();
        let tail = Tail::read(&sha256, &mut types).unwrap();
        assert_eq!((tail.key_id, tail.mac.map(<[u8]>::len)), (Some(1), Some(32)));
        assert!(Tail::read(&[0x41; 30], &mut types).is_err());
    }

    #[test]
    fn control_messages() {
        let header = |flags: u8, count: u8| vec![0x16, flags, 0, 7, 6, 0x18, 0, 0, 0, 0, 0, count];
        let mut flow = Flow::new([40000, 123]);
        flow.send(Dir::Orig, &header(0x02, 0));
        flow.send(Dir::Resp, &[header(0xa2, 14), b"stratum=2,\r\nx\0\0".to_vec()].concat());
        flow.send(Dir::Resp, &[header(0x81, 4), vec![0xbe, 0xbc, 0x96, 0x1a]].concat());
        flow.send(Dir::Resp, &[header(0xc2, 200), vec![b'x'; 8]].concat());
        let rows = flow.rows::<Ntp>();
        let names = ["control_opcode_name", "control_response", "control_error", "control_more", "control_data", "request_frame", "stratum", "leap"];
        assert_eq!(cells(&rows, 0, &names), "read_variables false false false - - - -");
        assert_eq!(cells(&rows, 1, &names), "read_variables true false true stratum=2,\r\nx 1 - -");
        assert_eq!(cells(&rows, 2, &names), "read_status true false false - - - -");
        assert_eq!(cells(&rows, 3, &names), "read_variables true true false xxxxxxxx 1 - -");
        assert_eq!(cells(&flow.rows::<Anomalies>(), 0, &["frame", "protocol", "kind"]), "4 ntp bad_length");
    }

    #[test]
    fn monitor_list() {
        let mut flow = Flow::new([40000, 123]);
        flow.send(Dir::Orig, &[0x17, 0, 3, 42]);
        let mut v4 = [0; 72];
        v4[16..20].copy_from_slice(&[203, 0, 113, 9]);
        let mut v6 = [0; 72];
        v6[35] = 1;
        v6[40..56].copy_from_slice(&Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 5).octets());
        flow.send(Dir::Resp, &[&[0xd7, 0, 3, 42, 0, 2, 0, 72][..], &v4, &v6].concat());
        let rows = flow.rows::<Ntp>();
        let names =
            ["request_name", "control_response", "control_more", "private_error", "item_count", "item_size", "monlist_clients", "request_frame"];
        assert_eq!(cells(&rows, 0, &names), "mon_getlist_1 false false - - - - -");
        assert_eq!(cells(&rows, 1, &names), "mon_getlist_1 true true 0 2 72 [203.0.113.9, 2001:db8::5] 1");
        assert_eq!(cells(&rows, 1, &["stratum", "leap", "mode_name", "version"]), "- - private 2");
    }

    #[test]
    fn found_by_content() {
        assert_eq!(offer(&request(), false), Verdict::Yes);
        assert_eq!(offer(&answer(), false), Verdict::Yes);
        let late = message(0x24, SERVER, [(NOW - 60, 0), (NOW, 0), (NOW, 0), (NOW + 5, 0)]);
        assert_eq!(offer(&late, false), Verdict::No);
        assert_eq!(offer(&late, true), Verdict::Yes);
        assert_eq!(offer(&[0; 48], true), Verdict::No);
        assert_eq!(offer(&[0x23; 12], true), Verdict::No);
        // Too short on the wire, not by the capture.
        assert_eq!(Flow::new([40000, 123]).send(Dir::Orig, &request()[..40]), Outcome::NotMine);
    }
}
