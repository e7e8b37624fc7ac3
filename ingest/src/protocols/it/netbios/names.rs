//! The name service (RFC 1002, section 4.2).

use std::borrow::Cow;
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};

use pcapper_schema::Mac;
use pcapper_schema::tables::Nbns;

use super::nbname::{self, NbName};
use crate::protocols::{Cx, DatagramDissector, Offer, Outcome, Verdict};
use crate::wire::{Malformed, Reader, Wire};

const HEADER_LEN: usize = 12;
const NB: u16 = 32;
const NBSTAT: u16 = 33;
/// Most questions, records and addresses of a message that are read.
const MAX_PARTS: u16 = 64;
/// Questions that wait for their answer, over all flows: answers come from elsewhere than the questions went to.
const MAX_ASKED: usize = 1024;

/// Name of an operation.
fn opcode_name(opcode: u8) -> Option<&'static str> {
    Some(match opcode {
        0 => "query",
        5 => "registration",
        6 => "release",
        7 => "wack",
        8 | 9 => "refresh",
        15 => "multihomed_registration",
        _ => return None,
    })
}

fn rcode_name(rcode: u8) -> Option<&'static str> {
    Some(match rcode {
        0 => "no_error",
        1 => "format_error",
        2 => "server_failure",
        3 => "name_error",
        4 => "not_implemented",
        5 => "refused",
        6 => "active",
        7 => "conflict",
        _ => return None,
    })
}

fn type_name(kind: u16) -> Option<&'static str> {
    Some(match kind {
        1 => "A",
        2 => "NS",
        10 => "NULL",
        NB => "NB",
        NBSTAT => "NBSTAT",
        _ => return None,
    })
}

/// On the own port a header with a known operation; elsewhere a question with an encoded name that ends with the message.
pub fn probe(offer: &Offer<'_>) -> Verdict {
    let payload = offer.current();
    let Some(header) = payload.first_chunk::<HEADER_LEN>() else { return Verdict::No };
    let known = opcode_name(header[2] >> 3 & 0xf).is_some();
    let is_question = || header[4..12] == [0, 1, 0, 0, 0, 0, 0, 0] && asks(payload).is_ok();
    if known && (offer.usual_port || is_question()) { Verdict::Yes } else { Verdict::No }
}

fn asks(payload: &[u8]) -> Wire<()> {
    let mut reader = Reader::new(payload);
    reader.skip(HEADER_LEN)?;
    nbname::read(&mut reader, None)?;
    let (kind, class) = (reader.be_u16()?, reader.be_u16()?);
    if matches!(kind, NB | NBSTAT) && class == 1 && reader.is_empty() { Ok(()) } else { Err(Malformed) }
}

/// Questions under way.
#[derive(Default)]
struct Asked(VecDeque<(u16, Option<IpAddr>, u64)>);

/// A flow of the name service.
pub struct Names;

impl DatagramDissector for Names {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        let mut reader = Reader::new(payload);
        let Ok([id, flags, questions, answers, authority, additional]) = header(&mut reader) else { return Outcome::NotMine };
        let mut found = Found::default();
        let records = answers.saturating_add(authority).saturating_add(additional).min(MAX_PARTS);
        if found.read(&mut reader, payload, questions.min(MAX_PARTS), records).is_err() {
            cx.anomaly("nbns", "bad_length", "the message ends before the names and records it announces");
        }
        let is_response = flags & 0x8000 != 0;
        let opcode = (flags >> 11 & 0xf) as u8;
        let rcode = is_response.then_some((flags & 0xf) as u8);
        let request_frame = track(cx, id, is_response);
        let name = found.name.as_ref();
        let statuses: Vec<Cow<'_, str>> = found.statuses.iter().map(|name| Cow::Borrowed(name.as_str())).collect();
        let addresses: Vec<Cow<'_, str>> = found.addresses.iter().map(|ip| Cow::Owned(ip.to_string())).collect();
        cx.emit(Nbns {
            id: Some(id),
            is_response: Some(is_response),
            opcode: Some(opcode),
            opcode_name: opcode_name(opcode),
            rcode,
            rcode_name: rcode.and_then(rcode_name),
            broadcast: Some(flags & 0x10 != 0),
            authoritative: is_response.then_some(flags & 0x0400 != 0),
            name: name.map(|name| name.name.as_str()).filter(|name| !name.is_empty()),
            name_suffix: name.map(|name| name.suffix),
            name_role: name.and_then(|name| nbname::role(name, found.flags.map(|flags| flags & 0x8000 != 0))),
            scope: name.and_then(|name| name.scope.as_deref()),
            question_type: found.kind,
            question_type_name: found.kind.and_then(type_name),
            answers: (!addresses.is_empty()).then_some(addresses.as_slice()),
            group: found.flags.map(|flags| flags & 0x8000 != 0),
            node_type: found.flags.map(|flags| match flags >> 13 & 3 {
                0 => "B",
                1 => "P",
                2 => "M",
                _ => "H",
            }),
            ttl_s: found.ttl,
            status_names: (!statuses.is_empty()).then_some(statuses.as_slice()),
            status_mac: found.unit,
            request_frame,
        });
        Outcome::Decoded
    }
}

fn header(reader: &mut Reader<'_>) -> Wire<[u16; 6]> {
    let mut fields = [0; 6];
    for field in &mut fields {
        *field = reader.be_u16()?;
    }
    Ok(fields)
}

/// Remembers who asked; for an answer, the frame of its question.
fn track(cx: &mut Cx<'_>, id: u16, is_response: bool) -> Option<u64> {
    let (from, to) = (cx.ends[cx.dir.index()].ip, cx.ends[cx.dir.reverse().index()].ip);
    let frame = cx.frame;
    let asked = &mut cx.shared.get::<Asked>().0;
    if is_response {
        return asked.iter().rev().find(|(known, asker, _)| *known == id && *asker == to).map(|(_, _, frame)| *frame);
    }
    if asked.len() >= MAX_ASKED {
        asked.pop_front();
    }
    asked.push_back((id, from, frame));
    None
}

/// What a message says.
#[derive(Default)]
struct Found {
    name: Option<NbName>,
    kind: Option<u16>,
    ttl: Option<u32>,
    /// NB flags of the first record.
    flags: Option<u16>,
    addresses: Vec<Ipv4Addr>,
    statuses: Vec<String>,
    unit: Option<Mac>,
}

impl Found {
    fn read<'a>(&mut self, reader: &mut Reader<'a>, message: &'a [u8], questions: u16, records: u16) -> Wire<()> {
        for _ in 0..questions {
            let name = nbname::read(reader, Some(message))?;
            let kind = reader.be_u16()?;
            reader.skip(2)?;
            self.name.get_or_insert(name);
            self.kind.get_or_insert(kind);
        }
        for _ in 0..records {
            let name = nbname::read(reader, Some(message))?;
            let kind = reader.be_u16()?;
            reader.skip(2)?;
            let ttl = reader.be_u32()?;
            let length = reader.be_u16()?;
            self.name.get_or_insert(name);
            self.kind.get_or_insert(kind);
            self.ttl.get_or_insert(ttl);
            let mut data = reader.sub(usize::from(length))?;
            match kind {
                NB => {
                    while data.len() >= 6 && self.addresses.len() < usize::from(MAX_PARTS) {
                        let flags = data.be_u16()?;
                        self.flags.get_or_insert(flags);
                        self.addresses.push(Ipv4Addr::from(data.array::<4>()?));
                    }
                }
                1 if data.len() >= 4 => self.addresses.push(Ipv4Addr::from(data.array::<4>()?)),
                NBSTAT => self.status(&mut data)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// The names of a node and its unit id (RFC 1002, 4.2.18).
    fn status(&mut self, data: &mut Reader<'_>) -> Wire<()> {
        for _ in 0..data.u8()? {
            let name = nbname::plain(&data.array::<16>()?);
            let flags = data.be_u16()?;
            self.statuses.push(format!("{} {}", name.full(), if flags & 0x8000 != 0 { 'G' } else { 'U' }));
        }
        self.unit = Some(Mac(data.array::<6>()?));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_and_a_status() {
        let mut message = vec![0x84, 0x86, 0x85, 0, 0, 0, 0, 1, 0, 0, 0, 0];
        message.extend(b"\x20EHFFEOEOEBFCCACACACACACACACACAAA\0\x00\x20\x00\x01\x00\x04\x93\xe0\x00\x06\x80\x00\x0a\x00\x04\x18");
        let mut reader = Reader::new(&message);
        assert_eq!(header(&mut reader), Ok([0x8486, 0x8500, 0, 1, 0, 0]));
        let mut found = Found::default();
        found.read(&mut reader, &message, 0, 1).unwrap();
        assert_eq!(found.name.unwrap().full(), "GUNNAR<00>");
        assert_eq!((found.addresses, found.flags, found.ttl), (vec![Ipv4Addr::new(10, 0, 4, 24)], Some(0x8000), Some(300_000)));

        let table = b"\x01GUNNAR         \x20\x04\x00\x00\x1c\xc4\x10\x79\x0f";
        let mut found = Found::default();
        found.status(&mut Reader::new(table)).unwrap();
        assert_eq!(found.statuses, ["GUNNAR<20> U"]);
        assert_eq!(found.unit, Some(Mac([0, 0x1c, 0xc4, 0x10, 0x79, 0x0f])));
    }
}
