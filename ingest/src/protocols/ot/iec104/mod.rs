//! IEC 60870-5-104: telecontrol over TCP (IEC 60870-5-104 ed. 2, ASDUs of IEC 60870-5-101).
//!
//! ```text
//! 0x68  length:1 (4 to 253, of what follows)  control:4  ASDU
//! ```
//! Control octets make an APDU one of three: I carries an ASDU and both sequence numbers, S acknowledges, U steers the
//! connection. Segments hold any number of them.

mod asdu;
mod commands;
mod types;

use std::borrow::Cow;

use pcapper_schema::tables::{Iec104, Iec104Objects, ProcessValues};

pub use self::asdu::{Header, Object, object as type_object};
pub use self::commands::Commands;
use self::types::Type;
pub use self::types::{category as type_category, cause, find as find_type};
use crate::protocols::ot::points::{Owner, value};
use crate::protocols::{Cx, Dir, Group, Offer, Progress, Protocol, StreamDissector, StreamKind, Verdict};
use crate::wire::Reader;

/// Port 2404 or any other on which complete APDUs stand.
pub static PROTOCOL: Protocol = Protocol {
    name: "iec104",
    group: Group::Ot,
    ports: &[2404],
    stream: Some(StreamKind { probe, start: || Box::<Stream>::default() }),
    ..Protocol::NONE
};

/// First octet of every APDU.
const START: u8 = 0x68;
/// Offers without an APDU after which a connection is given up.
const MAX_MISSES: u32 = 16;
/// Bytes of one direction in which a probe must have found something.
const MAX_PROBED: usize = 2048;

/// An APDU's control field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Control {
    Information { sent: u16, received: u16 },
    Supervisory { received: u16 },
    Unnumbered(u8),
}

/// One APDU.
#[derive(Clone, Copy)]
struct Apdu<'a> {
    length: u8,
    control: Control,
    asdu: &'a [u8],
}

/// What stands at the start of some bytes.
enum Found<'a> {
    Apdu(Apdu<'a>, usize),
    /// Perhaps part of one.
    Part,
    Nothing,
}

fn find(bytes: &[u8]) -> Found<'_> {
    let mut reader = Reader::new(bytes);
    match reader.u8() {
        Ok(START) => {}
        Ok(_) => return Found::Nothing,
        Err(_) => return Found::Part,
    }
    let Ok(length) = reader.u8() else { return Found::Part };
    if !(4..=253).contains(&length) {
        return Found::Nothing;
    }
    let control = match reader.array::<4>() {
        Ok([a, b, c, d]) if a & 1 == 0 && c & 1 == 0 && length >= 10 => {
            Control::Information { sent: u16::from_le_bytes([a, b]) >> 1, received: u16::from_le_bytes([c, d]) >> 1 }
        }
        Ok([1, 0, c, d]) if c & 1 == 0 && length == 4 => Control::Supervisory { received: u16::from_le_bytes([c, d]) >> 1 },
        Ok([a, 0, 0, 0]) if length == 4 && types::u_function(a).is_some() => Control::Unnumbered(a),
        Ok(_) => return Found::Nothing,
        Err(_) => return Found::Part,
    };
    match reader.take(usize::from(length) - 4) {
        Ok(asdu) => Found::Apdu(Apdu { length, control, asdu }, usize::from(length) + 2),
        Err(_) => Found::Part,
    }
}

/// An ASDU that contradicts nothing.
fn is_sound(asdu: &[u8]) -> bool {
    let mut reader = Reader::new(asdu);
    let Ok(header) = Header::read(&mut reader) else { return false };
    let Some(of) = types::find(header.type_id) else { return false };
    types::cause(header.cause).is_some() && header.count > 0 && (!of.is_fixed || header.objects_length(&of) == reader.len())
}

/// How much speaks for this protocol: 2 for octets that hardly anything else has, 1 for a likely APDU.
fn evidence(bytes: &[u8]) -> (u32, bool) {
    let (mut rest, mut score) = (bytes, 0);
    while score < 4 {
        match find(rest) {
            Found::Apdu(apdu, length) => {
                score += match apdu.control {
                    Control::Information { .. } if !is_sound(apdu.asdu) => return (score, false),
                    Control::Information { .. } | Control::Unnumbered(_) => 2,
                    Control::Supervisory { .. } => 1,
                };
                rest = rest.get(length..).unwrap_or_default();
            }
            Found::Part => return (score, true),
            Found::Nothing => return (score, false),
        }
    }
    (score, true)
}

/// Where a run of sound APDUs starts in bytes that do not start with one.
fn resync(bytes: &[u8]) -> Option<usize> {
    (1..bytes.len()).find(|at| bytes.get(*at) == Some(&START) && matches!(evidence(bytes.get(*at..).unwrap_or_default()), (1.., true)))
}

fn probe(offer: &Offer<'_>) -> Verdict {
    let [orig, resp] = offer.bytes.map(evidence);
    let enough = if offer.usual_port { 1 } else { 2 };
    // Elsewhere both directions must fit, where both speak.
    let fits = if offer.usual_port { orig.1 || resp.1 || orig.0 + resp.0 > 0 } else { orig.1 && resp.1 };
    if fits && orig.0 + resp.0 >= enough {
        return Verdict::Yes;
    }
    if offer.usual_port && resync(offer.current()).is_some() {
        return Verdict::Yes;
    }
    let may_come = if offer.usual_port { true } else { fits };
    if may_come && offer.current().len() < MAX_PROBED { Verdict::More } else { Verdict::No }
}

/// A connection.
#[derive(Default)]
struct Stream {
    /// Frame of the APDU before, and its number there.
    frame: u64,
    index: u16,
    commands: Commands,
    misses: u32,
    /// The bytes do not start where an APDU does, by no fault of the sender.
    after_gap: bool,
    /// An APDU was read from this direction.
    started: [bool; 2],
}

impl StreamDissector for Stream {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let mut used = 0;
        loop {
            let rest = bytes.get(used..).unwrap_or_default();
            match find(rest) {
                Found::Apdu(apdu, length) => {
                    self.apdu(cx, &apdu);
                    self.misses = 0;
                    self.after_gap = false;
                    if let Some(started) = self.started.get_mut(cx.dir.index()) {
                        *started = true;
                    }
                    used += length;
                }
                Found::Part => return Progress::Consumed(used),
                Found::Nothing => {
                    let is_started = self.started.get(cx.dir.index()).copied().unwrap_or_default();
                    if self.misses == 0 && is_started && !self.after_gap {
                        cx.anomaly("iec104", "unexpected_state", "no APDU where one should start");
                    }
                    self.misses += 1;
                    if self.misses > MAX_MISSES {
                        return Progress::Stop;
                    }
                    match resync(rest) {
                        Some(skipped) => used += skipped,
                        None => return Progress::Consumed(bytes.len()),
                    }
                }
            }
        }
    }

    fn gap(&mut self, _cx: &mut Cx<'_>, _missing: u64) -> bool {
        self.after_gap = true;
        true
    }

    fn end(&mut self, cx: &mut Cx<'_>, rest: &[u8]) {
        let is_started = self.started.get(cx.dir.index()).copied().unwrap_or_default();
        if let [START, length @ 4..=253, _, ..] = *rest
            && is_started
        {
            let index = self.count(cx.frame);
            cx.emit(Iec104 {
                apdu_index: Some(index),
                apdu_length: Some(length),
                is_orig: Some(cx.dir == Dir::Orig),
                malformed: Some("truncated"),
                ..Iec104::default()
            });
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.commands.close(cx);
    }
}

impl Stream {
    /// Number of the next APDU of this frame.
    fn count(&mut self, frame: u64) -> u16 {
        self.index = if self.frame == frame { self.index.saturating_add(1) } else { 0 };
        self.frame = frame;
        self.index
    }

    fn apdu(&mut self, cx: &mut Cx<'_>, apdu: &Apdu<'_>) {
        let index = self.count(cx.frame);
        let base = Iec104 { apdu_index: Some(index), apdu_length: Some(apdu.length), is_orig: Some(cx.dir == Dir::Orig), ..Iec104::default() };
        match apdu.control {
            Control::Information { sent, received } => {
                let base = Iec104 { frame_type: Some("I"), send_seq: Some(sent), recv_seq: Some(received), ..base };
                self.asdu(cx, base, apdu.asdu);
            }
            Control::Supervisory { received } => cx.emit(Iec104 { frame_type: Some("S"), recv_seq: Some(received), ..base }),
            Control::Unnumbered(code) => cx.emit(Iec104 { frame_type: Some("U"), u_function: types::u_function(code), ..base }),
        }
    }

    fn asdu(&mut self, cx: &mut Cx<'_>, base: Iec104<'_>, octets: &[u8]) {
        let mut reader = Reader::new(octets);
        // The length was checked: six octets are there.
        let Ok(header) = Header::read(&mut reader) else { return };
        let of = types::find(header.type_id);
        let first_ioa = asdu::object_address(&mut reader.clone()).ok().filter(|_| header.count > 0);
        let mut malformed = match &of {
            None => Some("unknown_type"),
            Some(of) if of.is_fixed && header.objects_length(of) > reader.len() => Some("object_overrun"),
            Some(of) if of.is_fixed && header.objects_length(of) < reader.len() => Some("bad_length"),
            Some(_) => None,
        };
        let mut objects = Vec::new();
        if let Some(of) = of.as_ref().filter(|of| of.is_fixed)
            && read_objects(&mut reader, &header, of, cx.ts, &mut objects).is_err()
        {
            malformed = Some("object_overrun");
        }
        let common = cx.common(cx.dir);
        let answered = self.commands.message(cx, &common, &header, of.as_ref(), &objects, first_ioa);
        cx.emit(Iec104 {
            type_id_code: Some(header.type_id),
            type_id: of.as_ref().map(|of| of.name),
            category: Some(types::category(header.type_id)),
            is_sequence: Some(header.is_sequence),
            num_objects: Some(header.count),
            cot_code: Some(header.cause),
            cot: types::cause(header.cause),
            negative: Some(header.negative),
            test: Some(header.test),
            originator: Some(header.originator),
            common_address: Some(header.address),
            first_ioa,
            request_frame: answered.map(|(frame, _)| frame),
            response_time_ms: answered.and_then(|(_, milliseconds)| milliseconds),
            malformed,
            ..base
        });
        if let Some(of) = &of {
            for object in &objects {
                emit(cx, base.apdu_index, &header, of, object);
            }
        }
        if malformed.is_none() && types::category(header.type_id) == "monitor" {
            report(cx, "iec104", &header, of.as_ref(), &objects);
        }
    }
}

fn read_objects(reader: &mut Reader<'_>, header: &Header, of: &Type, now: i64, objects: &mut Vec<Object>) -> crate::wire::Wire<()> {
    let mut ioa = 0;
    for number in 0..header.count {
        ioa = if header.is_sequence && number > 0 { ioa + 1 } else { asdu::object_address(reader)? };
        objects.push(asdu::object(reader, of, ioa, now)?);
    }
    Ok(())
}

fn emit(cx: &mut Cx<'_>, apdu_index: Option<u16>, header: &Header, of: &Type, object: &Object) {
    #[allow(clippy::cast_precision_loss)]
    let delta = object.time_tag.filter(|_| header.cause == 3).map(|tag| cx.ts.saturating_sub(tag) as f64 / 1e6);
    cx.emit(Iec104Objects {
        apdu_index,
        is_orig: Some(cx.dir == Dir::Orig),
        common_address: Some(header.address),
        type_id_code: Some(header.type_id),
        type_id: Some(of.name),
        cot_code: Some(header.cause),
        cot: types::cause(header.cause),
        negative: Some(header.negative),
        test: Some(header.test),
        category: Some(types::category(header.type_id)),
        ioa: Some(object.ioa),
        value: object.value,
        value_text: object.text.as_deref(),
        command: object.command,
        select: object.select,
        qualifier: object.qualifier,
        qualifier_name: object.qualifier.and_then(|code| types::qualifier(header.type_id, code)),
        quality: object.quality,
        quality_names: (!object.quality_names.is_empty()).then_some(&object.quality_names),
        time_tag: object.time_tag,
        time_tag_invalid: object.time_tag_invalid,
        time_delta_ms: delta,
        bcr_sequence: object.bcr_sequence,
    });
}

/// What the station tells of its process, over `protocol`.
pub fn report(cx: &mut Cx<'_>, protocol: &str, header: &Header, of: Option<&Type>, objects: &[Object]) {
    let Some(of) = of else { return };
    let common = cx.common(cx.dir);
    let unit = header.address.to_string();
    let (object_type, raw_type) = types::point(of.info);
    for object in objects {
        let Some(number) = object.value else { continue };
        let quality = match &object.quality_names[..] {
            [] if object.quality.is_none() => None,
            [] => Some(Cow::Borrowed("good")),
            names if names.iter().any(|name| name == "invalid") => Some(Cow::Owned(format!("bad: {}", names.join(", ")))),
            names => Some(Cow::Owned(format!("uncertain: {}", names.join(", ")))),
        };
        value(
            cx,
            &common,
            Owner::Source,
            ProcessValues {
                source_protocol: Some(protocol),
                unit_id: Some(&unit),
                point: Some(&format!("ioa {}", object.ioa)),
                object_type: Some(object_type),
                direction: Some(if header.cause == 5 { "read" } else { "report" }),
                value: Some(number),
                raw_type: Some(raw_type),
                quality: quality.as_deref(),
                source_time: object.time_tag,
                ..ProcessValues::default()
            },
        );
    }
}

#[cfg(test)]
mod tests;
