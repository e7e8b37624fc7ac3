//! GOOSE: state changes of protection and control, multicast on the station bus (IEC 61850-8-1), and its routable form over
//! UDP (IEC 61850-90-5).
//!
//! ```text
//! Layer 2      APPID:2  Length:2  Reserved 1:2 (S bit, length of the security extension)  Reserved 2:2  goosePdu  [extension]
//! R-GOOSE      [CLTP 01 40]  A1 len  80 len  header  payload length:4  { 81 simulation:1 APPID:2 length:2 goosePdu }  signature
//! goosePdu     61 len  80 gocbRef  81 timeAllowedtoLive  82 datSet  83 goID  84 t  85 stNum  86 sqNum  87 simulation
//!              88 confRev  89 ndsCom  8a numDatSetEntries  ab allData  8c security
//! ```
//! A stream is what one control block publishes: its messages are compared by control block and APPID, not by sender, so that a
//! second publisher stands out against the first.

use std::borrow::Cow;
use std::fmt::Write as _;

use pcapper_schema::tables::Goose;
use rustc_hash::FxHashMap;
use sha2::{Digest, Sha256};

use super::sv;
use crate::packet::Packet;
use crate::protocols::{Cx, DatagramDissector, DatagramKind, FrameDissector, FrameKind, Group, Offer, Outcome, Protocol, Verdict};
use crate::wire::{Malformed, Reader, Wire};

/// Declaration.
pub static PROTOCOL: Protocol = Protocol {
    name: "goose",
    group: Group::Ot,
    ports: &[102],
    frame: Some(FrameKind { claims: |packet| packet.ether_type == Some(ETHER_TYPE), start: || Box::<Dissector>::default() }),
    datagram: Some(DatagramKind { ip_protos: &[17], probe, start: || Box::<Dissector>::default() }),
    ..Protocol::NONE
};

/// EtherType of GOOSE (IEC 61850-8-1 annex C).
const ETHER_TYPE: u16 = 0x88b8;
/// APPID, Length and the two reserved fields, octets.
const HEADER_LEN: usize = 8;
/// Streams remembered at once; a flood of invented control blocks starts the memory anew.
const MAX_STREAMS: usize = 16_384;
/// Levels of structures and arrays that are followed.
const MAX_DEPTH: usize = 8;

/// What a stream's last message said.
#[derive(Clone, Copy)]
struct State {
    ts: i64,
    st_num: Option<u32>,
    data: Option<[u8; 8]>,
}

/// Last message of each stream, by APPID (two octets) and control block reference.
#[derive(Default)]
struct Streams(FxHashMap<Box<[u8]>, State>);

/// Both forms; holds only buffers that the next message uses again.
#[derive(Default)]
struct Dissector {
    text: String,
    ends: Vec<usize>,
    cells: Vec<Cow<'static, str>>,
    key: Vec<u8>,
}

/// What surrounds the PDU.
#[derive(Default)]
struct Envelope {
    appid: u16,
    length: Option<u16>,
    is_routable: bool,
    simulation_bit: Option<bool>,
    has_extension: bool,
    fault: Option<&'static str>,
}

/// A goosePdu's fields; `None` where the message has none.
#[derive(Default)]
struct Pdu<'a> {
    gocb_ref: Option<Cow<'a, str>>,
    time_allowed_to_live: Option<u32>,
    dat_set: Option<Cow<'a, str>>,
    go_id: Option<Cow<'a, str>>,
    time: Option<(i64, u8)>,
    st_num: Option<u32>,
    sq_num: Option<u32>,
    simulation: Option<bool>,
    conf_rev: Option<u32>,
    nds_com: Option<bool>,
    entries: Option<u32>,
    all_data: Option<&'a [u8]>,
    has_security: bool,
}

impl Pdu<'_> {
    /// All that IEC 61850-8-1 does not declare optional or defaulted.
    fn is_complete(&self) -> bool {
        self.gocb_ref.is_some()
            && self.time_allowed_to_live.is_some()
            && self.dat_set.is_some()
            && self.time.is_some()
            && self.st_num.is_some()
            && self.sq_num.is_some()
            && self.conf_rev.is_some()
            && self.entries.is_some()
            && self.all_data.is_some()
    }
}

impl FrameDissector for Dissector {
    fn frame(&mut self, cx: &mut Cx<'_>, packet: &Packet<'_>) -> Outcome {
        let mut reader = Reader::new(packet.payload);
        let Ok((appid, length, reserved)) = header(&mut reader) else {
            return Outcome::NotMine;
        };
        let is_cut = usize::try_from(packet.payload_len).is_ok_and(|on_wire| on_wire > packet.payload.len());
        let mut envelope = Envelope { appid, length: Some(length), simulation_bit: Some(reserved & 0x8000 != 0), ..Envelope::default() };
        let claimed = usize::from(length);
        // Behind what Length counts there is padding; what Length counts too little of is still the PDU's.
        let body = reader.rest();
        let inside = claimed.checked_sub(HEADER_LEN);
        let Ok((tag, pdu, consumed)) = outer(body) else {
            envelope.fault = Some(if is_cut { "truncated" } else { "bad_ber" });
            self.emit(cx, packet_tags(packet), &envelope, Pdu::default());
            return Outcome::Decoded;
        };
        let extension = usize::from(reserved & 0x0fff);
        envelope.has_extension = extension > 0 && inside.and_then(|inside| inside.checked_sub(consumed)).is_some_and(|rest| rest >= extension);
        envelope.fault = match inside {
            _ if consumed > body.len() => Some(if is_cut { "truncated" } else { "length_mismatch" }),
            Some(inside) if inside == consumed || envelope.has_extension && inside == consumed.saturating_add(extension) => None,
            _ => Some("length_mismatch"),
        };
        self.pdu(cx, packet_tags(packet), &mut envelope, tag, pdu);
        Outcome::Decoded
    }
}

impl DatagramDissector for Dissector {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        let Some(session) = Session::read(payload) else {
            return Outcome::NotMine;
        };
        let tags = cx.packet.map_or((None, None), packet_tags);
        let mut payload = Reader::new(session.payload);
        while let Ok((tag, simulation, appid, apdu)) = session_pdu(&mut payload) {
            if tag == 0x82 {
                let is_simulated = simulation != 0;
                sv::asdus(cx, &sv::Envelope { tags, appid, length: None, is_simulated, is_cut: false }, apdu);
            }
            if tag != 0x81 {
                continue;
            }
            let mut envelope =
                Envelope { appid, is_routable: true, simulation_bit: Some(simulation != 0), has_extension: session.is_signed, ..Envelope::default() };
            match outer(apdu) {
                Ok((tag, pdu, consumed)) => {
                    envelope.fault = (consumed != apdu.len()).then_some("length_mismatch");
                    self.pdu(cx, tags, &mut envelope, tag, pdu);
                }
                Err(Malformed) => {
                    envelope.fault = Some("bad_ber");
                    self.emit(cx, tags, &envelope, Pdu::default());
                }
            }
        }
        Outcome::Decoded
    }
}

/// Innermost VLAN id and priority.
type Tags = (Option<u16>, Option<u8>);

fn packet_tags(packet: &Packet<'_>) -> Tags {
    (packet.vlan_id, packet.vlan_priority)
}

impl Dissector {
    /// Reads the fields of one goosePdu and writes its row.
    fn pdu(&mut self, cx: &mut Cx<'_>, tags: Tags, envelope: &mut Envelope, tag: u32, body: &[u8]) {
        self.text.clear();
        self.ends.clear();
        let mut pdu = Pdu::default();
        match tag {
            TAG_GOOSE_PDU => {
                let read = fields(body, &mut pdu);
                let data = pdu.all_data.map_or(Ok(()), |data| self.members(data));
                if envelope.fault.is_none() {
                    envelope.fault = if read.is_err() || data.is_err() {
                        Some("bad_ber")
                    } else if !pdu.is_complete() {
                        Some("missing_field")
                    } else if pdu.entries != u32::try_from(self.ends.len()).ok() {
                        Some("entry_count_mismatch")
                    } else {
                        None
                    };
                }
            }
            // Management (GetGoReference ...) has fields of its own, none of which the table holds.
            TAG_MANAGEMENT_PDU => {}
            _ => envelope.fault = envelope.fault.or(Some("bad_ber")),
        }
        self.emit(cx, tags, envelope, pdu);
    }

    /// Spells allData's members, one text each; those before a fault stay.
    fn members(&mut self, data: &[u8]) -> Wire<()> {
        let mut reader = Reader::new(data);
        while !reader.is_empty() {
            let start = self.text.len();
            if let Err(fault) = value(&mut reader, &mut self.text, MAX_DEPTH) {
                self.text.truncate(start);
                return Err(fault);
            }
            self.ends.push(self.text.len());
        }
        Ok(())
    }

    fn emit(&mut self, cx: &mut Cx<'_>, (vlan_id, vlan_priority): Tags, envelope: &Envelope, pdu: Pdu<'_>) {
        let digest = pdu.all_data.map(digest);
        let hash = digest.map(hex);
        let before = match &pdu.gocb_ref {
            Some(reference) => {
                self.key.clear();
                self.key.extend_from_slice(&envelope.appid.to_be_bytes());
                self.key.extend_from_slice(reference.as_bytes());
                let now = State { ts: cx.ts, st_num: pdu.st_num, data: digest };
                let streams = &mut cx.shared.get::<Streams>().0;
                match streams.get_mut(self.key.as_slice()) {
                    Some(state) => Some(std::mem::replace(state, now)),
                    None => {
                        if streams.len() >= MAX_STREAMS {
                            streams.clear();
                        }
                        streams.insert(self.key.as_slice().into(), now);
                        None
                    }
                }
            }
            None => None,
        };
        let mut cells = recycle(std::mem::take(&mut self.cells));
        let mut start = 0;
        for end in &self.ends {
            cells.push(Cow::Borrowed(self.text.get(start..*end).unwrap_or_default()));
            start = *end;
        }
        cx.emit(Goose {
            vlan_id,
            vlan_priority,
            appid: Some(envelope.appid),
            length: envelope.length,
            is_routable: Some(envelope.is_routable),
            simulation_bit: envelope.simulation_bit,
            gocb_ref: pdu.gocb_ref.as_deref(),
            time_allowed_to_live_ms: pdu.time_allowed_to_live,
            dat_set: pdu.dat_set.as_deref(),
            go_id: pdu.go_id.as_deref(),
            event_time: pdu.time.map(|(time, _)| time),
            time_quality: pdu.time.map(|(_, quality)| quality),
            st_num: pdu.st_num,
            sq_num: pdu.sq_num,
            simulation: pdu.simulation,
            conf_rev: pdu.conf_rev,
            nds_com: pdu.nds_com,
            num_dat_set_entries: pdu.entries,
            values: pdu.all_data.is_some().then_some(cells.as_slice()),
            data_hash: hash.as_ref().and_then(|hash| std::str::from_utf8(hash).ok()),
            data_changed: before.and_then(|before| Some(before.data? != digest?)),
            state_changed: before.and_then(|before| Some(before.st_num? != pdu.st_num?)),
            #[allow(clippy::cast_precision_loss)]
            interval_ms: before.map(|before| cx.ts.saturating_sub(before.ts) as f64 / 1e6),
            is_authenticated: Some(pdu.has_security || envelope.has_extension),
            malformed: envelope.fault,
        });
        self.cells = recycle(cells);
    }
}

/// The same allocation, empty, for texts that live elsewhere.
fn recycle<'b>(mut cells: Vec<Cow<'_, str>>) -> Vec<Cow<'b, str>> {
    cells.clear();
    cells.into_iter().map(|_| Cow::Borrowed("")).collect()
}

/// APPID, Length and Reserved 1; Reserved 2 is passed over.
pub(super) fn header(reader: &mut Reader<'_>) -> Wire<(u16, u16, u16)> {
    let fields = (reader.be_u16()?, reader.be_u16()?, reader.be_u16()?);
    reader.skip(2)?;
    Ok(fields)
}

/// First 64 bits of SHA-256: enough to tell states apart.
fn digest(data: &[u8]) -> [u8; 8] {
    let mut short = [0; 8];
    for (to, from) in short.iter_mut().zip(Sha256::digest(data)) {
        *to = from;
    }
    short
}

fn hex(digest: [u8; 8]) -> [u8; 16] {
    let mut text = [0; 16];
    for (pair, octet) in text.chunks_exact_mut(2).zip(digest) {
        for (digit, nibble) in pair.iter_mut().zip([octet >> 4, octet & 15]) {
            *digit = if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
        }
    }
    text
}

// --- BER (ITU-T X.690), as far as GOOSE goes: definite lengths, context tags ---

/// [APPLICATION 1], constructed.
const TAG_GOOSE_PDU: u32 = 0x61;
/// [APPLICATION 0], constructed.
const TAG_MANAGEMENT_PDU: u32 = 0x60;

/// Identifier octets: the first octet, with a high tag number (clause 8.1.2.4) shifted in behind it.
fn identifier(reader: &mut Reader<'_>) -> Wire<u32> {
    let first = u32::from(reader.u8()?);
    if first & 0x1f != 0x1f {
        return Ok(first);
    }
    let mut number = 0_u32;
    for _ in 0..3 {
        let octet = reader.u8()?;
        number = number << 7 | u32::from(octet & 0x7f);
        if octet & 0x80 == 0 {
            return Ok(first << 21 | number);
        }
    }
    Err(Malformed)
}

/// Length octets (clause 8.1.3): short form, or up to four octets of long form.
fn length(reader: &mut Reader<'_>) -> Wire<usize> {
    let first = reader.u8()?;
    if first & 0x80 == 0 {
        return Ok(usize::from(first));
    }
    let count = usize::from(first & 0x7f);
    if count == 0 || count > 4 {
        return Err(Malformed);
    }
    Ok(reader.take(count)?.iter().fold(0, |length, octet| length << 8 | usize::from(*octet)))
}

fn element<'a>(reader: &mut Reader<'a>) -> Wire<(u32, &'a [u8])> {
    let tag = identifier(reader)?;
    let length = length(reader)?;
    Ok((tag, reader.take(length)?))
}

/// The outermost element: its tag, as much of its content as there is, and the octets that it claims in all.
fn outer(bytes: &[u8]) -> Wire<(u32, &[u8], usize)> {
    let mut reader = Reader::new(bytes);
    let tag = identifier(&mut reader)?;
    let length = length(&mut reader)?;
    let consumed = (bytes.len() - reader.len()).saturating_add(length);
    let body = reader.peek();
    Ok((tag, body.get(..length).unwrap_or(body), consumed))
}

/// The fields of a goosePdu, up to the first that cannot be read.
fn fields<'a>(body: &'a [u8], pdu: &mut Pdu<'a>) -> Wire<()> {
    let mut reader = Reader::new(body);
    while !reader.is_empty() {
        let (tag, content) = element(&mut reader)?;
        match tag {
            0x80 => pdu.gocb_ref = Some(visible(content)),
            0x81 => pdu.time_allowed_to_live = Some(unsigned(content)?),
            0x82 => pdu.dat_set = Some(visible(content)),
            0x83 => pdu.go_id = Some(visible(content)),
            0x84 => pdu.time = Some(utc_time(content)?),
            0x85 => pdu.st_num = Some(unsigned(content)?),
            0x86 => pdu.sq_num = Some(unsigned(content)?),
            0x87 => pdu.simulation = Some(boolean(content)?),
            0x88 => pdu.conf_rev = Some(unsigned(content)?),
            0x89 => pdu.nds_com = Some(boolean(content)?),
            0x8a => pdu.entries = Some(unsigned(content)?),
            0xab => pdu.all_data = Some(content),
            0x8c | 0xac => pdu.has_security = true,
            _ => {}
        }
    }
    Ok(())
}

/// VisibleString; trailing NULs of fixed-size buffers are no text.
pub(super) fn visible(content: &[u8]) -> Cow<'_, str> {
    let end = content.iter().rposition(|octet| *octet != 0).map_or(0, |last| last + 1);
    String::from_utf8_lossy(content.get(..end).unwrap_or_default())
}

fn boolean(content: &[u8]) -> Wire<bool> {
    match content {
        [octet] => Ok(*octet != 0),
        _ => Err(Malformed),
    }
}

/// INTEGER of at most eight octets.
fn signed(content: &[u8]) -> Wire<i64> {
    let first = *content.first().ok_or(Malformed)?;
    if content.len() > 8 {
        return Err(Malformed);
    }
    let sign = if first & 0x80 != 0 { -1 } else { 0 };
    Ok(content.iter().fold(sign, |value: i64, octet| value << 8 | i64::from(*octet)))
}

/// INT32U. Four octets with the top bit set, which BER reads as negative, come from encoders that forget the leading zero.
pub(super) fn unsigned(content: &[u8]) -> Wire<u32> {
    if let Ok(octets) = <[u8; 4]>::try_from(content) {
        return Ok(u32::from_be_bytes(octets));
    }
    u32::try_from(signed(content)?).map_err(|_| Malformed)
}

/// UtcTime (IEC 61850-8-1): seconds since 1970, a binary fraction of 24 bits, quality. Nanoseconds and the quality octet.
pub(super) fn utc_time(content: &[u8]) -> Wire<(i64, u8)> {
    let mut reader = Reader::new(content);
    let (seconds, fraction, quality) = (reader.be_u32()?, reader.be_u24()?, reader.u8()?);
    if !reader.is_empty() {
        return Err(Malformed);
    }
    let nanos = (i64::from(fraction) * 1_000_000_000) >> 24;
    Ok((i64::from(seconds) * 1_000_000_000 + nanos, quality))
}

/// Spells one member of allData (the MMS type Data, ISO 9506-2) behind `text`.
fn value(reader: &mut Reader<'_>, text: &mut String, depth: usize) -> Wire<()> {
    let (tag, content) = element(reader)?;
    // Writing to a String cannot fail.
    let _ = match tag {
        0xa1 => return nested(content, text, depth, '[', ']'),
        0xa2 => return nested(content, text, depth, '{', '}'),
        0x83 => write!(text, "{}", boolean(content)?),
        0x84 => {
            bits(content, text)?;
            Ok(())
        }
        0x85 => write!(text, "{}", signed(content)?),
        0x86 => match <[u8; 4]>::try_from(content) {
            Ok(octets) => write!(text, "{}", u32::from_be_bytes(octets)),
            Err(_) => write!(text, "{}", magnitude(content)?),
        },
        0x87 => match content {
            // The first octet is the width of the exponent: 8 for single, 11 for double precision.
            [8, rest @ ..] => write!(text, "{}", f32::from_be_bytes(rest.try_into().map_err(|_| Malformed)?)),
            [11, rest @ ..] => write!(text, "{}", f64::from_be_bytes(rest.try_into().map_err(|_| Malformed)?)),
            _ => return Err(Malformed),
        },
        0x8a | 0x90 => {
            text.push_str(&String::from_utf8_lossy(content));
            Ok(())
        }
        0x91 => {
            let (nanos, _) = utc_time(content)?;
            instant(nanos, text)
        }
        // Octet strings, times of day, BCD and what else may come: their octets.
        _ => content.iter().try_for_each(|octet| write!(text, "{octet:02x}")),
    };
    Ok(())
}

fn nested(content: &[u8], text: &mut String, depth: usize, open: char, close: char) -> Wire<()> {
    let depth = depth.checked_sub(1).ok_or(Malformed)?;
    let mut reader = Reader::new(content);
    text.push(open);
    while !reader.is_empty() {
        if reader.len() < content.len() {
            text.push_str(", ");
        }
        value(&mut reader, text, depth)?;
    }
    text.push(close);
    Ok(())
}

/// BIT STRING: the number of unused bits at the end, then the bits.
fn bits(content: &[u8], text: &mut String) -> Wire<()> {
    let (unused, octets) = content.split_first().ok_or(Malformed)?;
    let start = text.len();
    for octet in octets {
        let _ = write!(text, "{octet:08b}");
    }
    let end = text.len().checked_sub(usize::from(*unused)).filter(|end| *unused < 8 && *end >= start).ok_or(Malformed)?;
    text.truncate(end);
    Ok(())
}

/// Unsigned of at most eight octets, besides a leading zero.
fn magnitude(content: &[u8]) -> Wire<u64> {
    let octets = match content {
        [0, rest @ ..] => rest,
        [] => return Err(Malformed),
        all => all,
    };
    if octets.len() > 8 {
        return Err(Malformed);
    }
    Ok(octets.iter().fold(0, |value, octet| value << 8 | u64::from(*octet)))
}

/// RFC 3339, UTC. `nanos` counts from 1970 and is not negative (32 bits of seconds on the wire).
fn instant(nanos: i64, text: &mut String) -> std::fmt::Result {
    let (seconds, nanos) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Gregorian calendar in years that begin in March: the leap day is their last.
    let day = days + 719_468;
    let (era, of_era) = (day / 146_097, day % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march = (5 * of_year + 2) / 153;
    let month = if march < 10 { march + 3 } else { march - 9 };
    let year = era * 400 + year + i64::from(month <= 2);
    let day = of_year - (153 * march + 2) / 5 + 1;
    write!(text, "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{nanos:09}Z", second / 3600, second / 60 % 60, second % 60)
}

// --- IEC 61850-90-5 session ---

/// Session identifier of GOOSE.
const SPDU_GOOSE: u8 = 0xa1;
/// Parameter identifier of the common session header.
const COMMON_HEADER: u8 = 0x80;

/// The session user data of a datagram.
struct Session<'a> {
    /// PDUs with their six-octet headers.
    payload: &'a [u8],
    /// An authentication value (tag 0x85) follows the payload.
    is_signed: bool,
}

impl<'a> Session<'a> {
    /// Finds the payload: editions and vendors differ in the security fields before it, so it is where a length that fits is
    /// followed by a GOOSE PDU.
    fn read(datagram: &'a [u8]) -> Option<Self> {
        let spdu = match datagram {
            // CLTP unit data without parameters (ISO/IEC 8602).
            [1, 0x40, rest @ ..] => rest,
            all => all,
        };
        let [SPDU_GOOSE, session_len, COMMON_HEADER, common_len, ..] = *spdu else {
            return None;
        };
        let vector_len = usize::from(*spdu.get(24)?);
        [2 + usize::from(session_len), 4 + usize::from(common_len), 25 + vector_len, 26].into_iter().find_map(|at| {
            let mut reader = Reader::new(spdu.get(at..)?);
            let claimed = usize::try_from(reader.be_u32().ok()?).ok()?;
            let available = reader.peek();
            let payload = available.get(..claimed)?;
            let (tag, _, _, apdu) = session_pdu(&mut Reader::new(payload)).ok()?;
            let found = tag == 0x81 && matches!(outer(apdu), Ok((TAG_GOOSE_PDU, _, _)));
            found.then(|| Self { payload, is_signed: is_signed(available.get(claimed..).unwrap_or_default()) })
        })
    }
}

/// One PDU of the session payload: tag, simulation flag, APPID, content.
fn session_pdu<'a>(reader: &mut Reader<'a>) -> Wire<(u8, u8, u16, &'a [u8])> {
    let (tag, simulation, appid, length) = (reader.u8()?, reader.u8()?, reader.be_u16()?, reader.be_u16()?);
    Ok((tag, simulation, appid, reader.take(usize::from(length))?))
}

/// Behind the payload: padding (0xAF), then the authentication value (0x85), each with its length.
fn is_signed(trailer: &[u8]) -> bool {
    match trailer {
        [0xaf, padding, rest @ ..] => matches!(rest.get(usize::from(*padding)..), Some([0x85, length, _, ..]) if *length > 0),
        [0x85, length, _, ..] => *length > 0,
        _ => false,
    }
}

fn probe(offer: &Offer<'_>) -> Verdict {
    if Session::read(offer.current()).is_some() { Verdict::Yes } else { Verdict::No }
}

#[cfg(test)]
mod tests {
    use pcapper_schema::{Row, TableSet};
    use serde_json::{Value, json};

    use super::*;
    use crate::protocols::{Dir, Endpoint, Shared};

    fn cx<'a>(tables: &'a mut TableSet, shared: &'a mut Shared, ts: i64) -> Cx<'a> {
        let ends = [Endpoint::default(); 2];
        Cx { tables, shared, frame: 1, ts, packet: None, flow_id: None, ends, dir: Dir::Orig, frames_spanned: 1 }
    }

    fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
        [&[tag, u8::try_from(content.len()).unwrap()], content].concat()
    }

    /// A goosePdu with the state, sequence and data given; long-form length outside.
    fn goose_pdu(state: u8, sequence: u8, data: &[u8], entries: u8) -> Vec<u8> {
        let body = [
            tlv(0x80, b"IED/LLN0$GO$a"),
            tlv(0x81, &[0x27, 0x10]),
            tlv(0x82, b"IED/LLN0$ds"),
            tlv(0x84, &[0x40, 0, 0, 0, 0x80, 0, 0, 0x2a]),
            tlv(0x85, &[state]),
            tlv(0x86, &[sequence]),
            tlv(0x87, &[1]),
            tlv(0x88, &[0, 0xff, 0xff, 0xff, 0xff]),
            tlv(0x8a, &[entries]),
            tlv(0xab, data),
        ]
        .concat();
        [&[0x61, 0x81, u8::try_from(body.len()).unwrap()], body.as_slice()].concat()
    }

    fn rows(mut tables: TableSet) -> Vec<Value> {
        let mut writer = arrow::json::ArrayWriter::new(Vec::new());
        let batch = Goose::slot(&mut tables).finish("", "");
        // The JSON writer knows no time zones.
        let plain: Vec<_> = batch.columns().iter().enumerate().filter(|(_, c)| !c.data_type().is_temporal()).map(|(at, _)| at).collect();
        writer.write(&batch.project(&plain).unwrap()).unwrap();
        writer.finish().unwrap();
        serde_json::from_slice(&writer.into_inner()).unwrap()
    }

    fn check(row: &Value, expected: &Value) {
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(row.get(name).unwrap_or(&Value::Null), value, "{name} of {row}");
        }
    }

    fn session(payload: &[u8], signature: &[u8]) -> Vec<u8> {
        let length = |octets: &[u8]| u32::try_from(octets.len()).unwrap().to_be_bytes();
        let mut datagram = vec![1, 0x40, 0xa1, 24, 0x80, 22];
        datagram.extend([0; 22]);
        datagram.extend(length(payload));
        datagram.extend(payload);
        datagram.extend(signature);
        datagram
    }

    fn routed(pdu: &[u8]) -> Vec<u8> {
        [&[0x81, 1, 0x30, 0x01, 0, u8::try_from(pdu.len()).unwrap()], pdu].concat()
    }

    #[test]
    fn members_are_spelled() {
        let mut dissector = Dissector::default();
        let data = [
            tlv(0x83, &[1]),
            tlv(0x84, &[3, 0xa0, 0x08]),
            tlv(0x85, &[0xff]),
            tlv(0x86, &[0, 0xff]),
            tlv(0x87, &[8, 0x3f, 0xc0, 0, 0]),
            tlv(0xa2, &[tlv(0x83, &[0]), tlv(0x84, &[6, 0x40])].concat()),
            tlv(0x91, &[0x38, 0x6e, 0xb5, 0x73, 0x40, 0, 0, 0]),
            tlv(0x89, &[1, 0xab]),
        ]
        .concat();
        assert_eq!(dissector.members(&data), Ok(()));
        let mut start = 0;
        let texts: Vec<_> = dissector.ends.iter().map(|end| &dissector.text[std::mem::replace(&mut start, *end)..*end]).collect();
        assert_eq!(texts, ["true", "1010000000001", "-1", "255", "1.5", "{false, 01}", "2000-01-02T02:18:27.250000000Z", "01ab"]);
        let deep = (0..20).fold(tlv(0x83, &[1]), |inner, _| tlv(0xa2, &inner));
        assert_eq!(dissector.members(&deep), Err(Malformed));
    }

    #[test]
    fn streams_are_compared_message_by_message() {
        let (mut tables, mut shared) = (TableSet::default(), Shared::default());
        let mut dissector = Dissector::default();
        let data = |value| tlv(0x83, &[value]);
        for (ts, pdu) in [(0, goose_pdu(1, 0, &data(0), 1)), (2_500_000, goose_pdu(1, 1, &data(0), 1)), (3_000_000, goose_pdu(2, 0, &data(1), 2))] {
            let datagram = session(&routed(&pdu), &[0x85, 2, 1, 2]);
            assert_eq!(dissector.datagram(&mut cx(&mut tables, &mut shared, ts), &datagram), Outcome::Decoded);
        }
        let rows = rows(tables);
        check(
            &rows[0],
            &json!({"is_routable": true, "appid": 0x3001, "length": null, "simulation_bit": true, "gocb_ref": "IED/LLN0$GO$a",
                "time_allowed_to_live_ms": 10000, "dat_set": "IED/LLN0$ds", "go_id": null, "time_quality": 0x2a, "st_num": 1, "sq_num": 0,
                "simulation": true, "conf_rev": 0xffff_ffff_u32, "nds_com": null, "num_dat_set_entries": 1, "values": ["false"],
                "data_changed": null, "state_changed": null, "interval_ms": null, "is_authenticated": true, "malformed": null}),
        );
        check(&rows[1], &json!({"data_changed": false, "state_changed": false, "interval_ms": 2.5, "data_hash": rows[0]["data_hash"]}));
        check(&rows[2], &json!({"data_changed": true, "state_changed": true, "interval_ms": 0.5, "malformed": "entry_count_mismatch"}));
    }

    #[test]
    fn lengths_are_checked() {
        assert_eq!(length(&mut Reader::new(&[0x7f])), Ok(127));
        assert_eq!(length(&mut Reader::new(&[0x82, 1, 2])), Ok(258));
        assert_eq!(length(&mut Reader::new(&[0x80])), Err(Malformed));
        assert_eq!(length(&mut Reader::new(&[0x85, 0, 0, 0, 0, 1])), Err(Malformed));
        assert_eq!(unsigned(&[0xff, 0xff, 0xff, 0xff]), Ok(u32::MAX));
        assert_eq!(unsigned(&[0xff]), Err(Malformed));
        assert_eq!(utc_time(&[0, 0, 0, 1, 0x80, 0, 0, 9]), Ok((1_500_000_000, 9)));
    }

    #[test]
    fn only_sessions_of_goose_are_claimed() {
        let good = session(&routed(&goose_pdu(1, 0, &tlv(0x83, &[0]), 1)), &[]);
        assert!(Session::read(&good).is_some_and(|session| !session.is_signed));
        for cut in 0..good.len() {
            assert!(Session::read(&good[..cut]).is_none());
        }
    }
}
