//! The connectionless protocol (C706, 12.5), over UDP.

use std::collections::VecDeque;

use pcapper_schema::tables::Dcerpc;

use super::interface::{self, Uuid};
use super::pdu::{Syntax, little_endian, u16_of, u32_of};
use crate::protocols::ot::profinet::cm;
use crate::protocols::{Cx, DatagramDissector, Offer, Outcome, Verdict};
use crate::wire::{Malformed, Reader, Wire};

/// Bytes of the header.
#[cfg(test)]
const HEADER: usize = 80;
/// Calls of a flow that wait for their answer.
const MAX_CALLS: usize = 64;

mod flag {
    pub const LAST_FRAGMENT: u8 = 0x02;
    pub const FRAGMENT: u8 = 0x04;
    /// Bits that no version uses.
    pub const RESERVED: u8 = 0x81;
}

/// PDU types (C706, 12.1).
fn kind_name(kind: u8) -> Option<&'static str> {
    ["request", "ping", "response", "fault", "working", "nocall", "reject", "ack", "cl_cancel", "fack", "cancel_ack"].get(usize::from(kind)).copied()
}

/// A header (C706, 12.5.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Header {
    kind: u8,
    flags: u8,
    little: bool,
    object: Uuid,
    interface: Syntax,
    activity: Uuid,
    sequence: u32,
    opnum: u16,
    fragment: u16,
    /// Bytes of the body.
    length: u16,
    authentication: u8,
}

impl Header {
    fn read(reader: &mut Reader<'_>) -> Wire<Self> {
        let (version, kind, flags, flags2) = (reader.u8()?, reader.u8()?, reader.u8()?, reader.u8()?);
        let [integers, floats, reserved] = reader.array::<3>()?;
        let little = little_endian([integers, floats, reserved, 0]).ok_or(Malformed)?;
        if version != 4 || kind_name(kind).is_none() || flags & flag::RESERVED != 0 || flags2 & !2 != 0 {
            return Err(Malformed);
        }
        reader.skip(1)?;
        let object = Uuid::read(reader, little)?;
        let uuid = Uuid::read(reader, little)?;
        let activity = Uuid::read(reader, little)?;
        // When the server started.
        reader.skip(4)?;
        let version = u32_of(reader, little)?;
        let sequence = u32_of(reader, little)?;
        let opnum = u16_of(reader, little)?;
        reader.skip(4)?;
        let (length, fragment) = (u16_of(reader, little)?, u16_of(reader, little)?);
        let authentication = reader.u8()?;
        reader.skip(1)?;
        let interface = Syntax { uuid, major: version as u16, minor: (version >> 16) as u16 };
        Ok(Self { kind, flags, little, object, interface, activity, sequence, opnum, fragment, length, authentication })
    }
}

/// Header and body; the body's length must be what the datagram holds.
fn parse(payload: &[u8]) -> Wire<(Header, &[u8])> {
    let mut reader = Reader::new(payload);
    let header = Header::read(&mut reader)?;
    let body = reader.take(header.length.into())?;
    // Behind the body stands the verifier, if there is one.
    if header.authentication == 0 && !reader.is_empty() { Err(Malformed) } else { Ok((header, body)) }
}

/// Whether a datagram is of this protocol.
pub fn probe(offer: &Offer<'_>) -> Verdict {
    if parse(offer.current()).is_ok() { Verdict::Yes } else { Verdict::No }
}

/// A call under way, or the fragments of one of its two messages.
#[derive(Clone, Copy)]
struct Call {
    activity: Uuid,
    sequence: u32,
    kind: u8,
    frame: u64,
    ts: i64,
    length: usize,
    fragments: u16,
}

/// The datagrams of two endpoints.
#[derive(Default)]
pub struct Flow {
    calls: VecDeque<Call>,
    partial: VecDeque<Call>,
    /// PROFINET's calls, whose arguments it reads itself.
    profinet: cm::Calls,
}

impl DatagramDissector for Flow {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        let Ok((header, body)) = parse(payload) else { return Outcome::NotMine };
        self.pdu(cx, &header, body);
        self.profinet(cx, &header, body);
        Outcome::Decoded
    }
}

impl Flow {
    fn profinet(&mut self, cx: &mut Cx<'_>, header: &Header, body: &[u8]) {
        let (interface, activity) = (header.interface.uuid.text(), header.activity.text());
        let object = (header.object != Uuid::default()).then(|| header.object.text());
        let pdu = cm::Pdu {
            kind: header.kind,
            kind_name: kind_name(header.kind),
            little: header.little,
            interface: header.interface.uuid.0,
            interface_text: &interface,
            object: object.as_deref(),
            activity: header.activity.0,
            activity_text: &activity,
            sequence: header.sequence,
            opnum: header.opnum,
            fragment: (header.fragment, header.flags & flag::FRAGMENT != 0, header.flags & flag::LAST_FRAGMENT != 0),
        };
        cm::pdu(cx, &mut self.profinet, &pdu, body);
    }

    fn pdu(&mut self, cx: &mut Cx<'_>, header: &Header, body: &[u8]) {
        let carries_stub = matches!(header.kind, 0 | 2);
        let mut message = Call {
            activity: header.activity,
            sequence: header.sequence,
            kind: header.kind,
            frame: cx.frame,
            ts: cx.ts,
            length: body.len(),
            fragments: 1,
        };
        let same = |call: &Call| call.activity == header.activity && call.sequence == header.sequence;
        if carries_stub && header.flags & flag::FRAGMENT != 0 {
            let before = self.partial.iter().position(|call| same(call) && call.kind == header.kind).and_then(|at| self.partial.remove(at));
            // One that comes again starts anew.
            if let Some(before) = before.filter(|_| header.fragment > 0) {
                message.length = message.length.saturating_add(before.length);
                message.fragments = message.fragments.saturating_add(before.fragments);
            }
            if header.flags & flag::LAST_FRAGMENT == 0 {
                push(&mut self.partial, message);
                return;
            }
        }
        let mut asked = None;
        match header.kind {
            0 => {
                self.calls.retain(|call| !same(call));
                push(&mut self.calls, message);
            }
            2 | 3 | 6 => asked = self.calls.iter().position(same).and_then(|at| self.calls.remove(at)),
            _ => {}
        }
        let known = interface::find(header.interface.uuid);
        let operation = known.and_then(|known| known.operation(header.opnum));
        let status = if matches!(header.kind, 3 | 6) { u32_of(&mut Reader::new(body), header.little).ok() } else { None };
        let (uuid, version) = (header.interface.uuid.text(), header.interface.version());
        let object = (header.object != Uuid::default()).then(|| header.object.text());
        cx.emit(Dcerpc {
            carrier: Some("udp"),
            ptype: Some(header.kind),
            ptype_name: kind_name(header.kind),
            version: Some("4"),
            little_endian: Some(header.little),
            call_id: Some(header.sequence),
            interface_uuid: Some(&uuid),
            interface_version: Some(&version),
            endpoint: known.map(|known| known.name),
            opnum: Some(header.opnum),
            operation,
            object_uuid: object.as_deref(),
            status,
            stub_len: u32::try_from(message.length).ok().filter(|_| carries_stub),
            fragments: carries_stub.then_some(message.fragments),
            request_frame: asked.map(|call| call.frame),
            response_time_ms: asked.map(|call| cx.ts.saturating_sub(call.ts) as f64 / 1e6),
            ..Dcerpc::default()
        });
    }
}

fn push(list: &mut VecDeque<Call>, call: Call) {
    if list.len() >= MAX_CALLS {
        list.pop_front();
    }
    list.push_back(call);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        let mut bytes = vec![4, 0, 0x20, 0, 0x10, 0, 0, 0];
        bytes.resize(HEADER, 0);
        bytes[68] = 5;
        bytes[74] = 2;
        assert!(parse(&bytes).is_err());
        bytes.extend([1, 2]);
        let (header, body) = parse(&bytes).unwrap();
        assert_eq!((header.kind, header.flags, header.little, header.opnum, header.length, body), (0, 0x20, true, 5, 2, &[1, 2][..]));
        bytes.push(3);
        assert!(parse(&bytes).is_err());
        bytes[78] = 1;
        assert!(parse(&bytes).is_ok());
    }
}
