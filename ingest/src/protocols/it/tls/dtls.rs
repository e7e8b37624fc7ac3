//! DTLS 1.0, 1.2 (RFC 4347, 6347) and the start of 1.3 (RFC 9147), connection ids (RFC 9146) included.

use std::hash::Hasher;

use rustc_hash::FxHasher;

use super::fingerprints::Carrier;
use super::session::{self, Session, Source, kind};
use super::{MAX_MESSAGE, MAX_RECORD, content};
use crate::protocols::{Cx, DatagramDissector, DatagramKind, Offer, Outcome, Protocol, Verdict};
use crate::wire::{Malformed, Reader, Wire};

/// Declaration.
pub static PROTOCOL: Protocol = Protocol {
    name: "dtls",
    ports: &[443, 853, 3391, 4433, 5061, 5349, 5684, 6514, 10161],
    datagram: Some(DatagramKind { ip_protos: &[17], probe, start: || Box::new(Dtls::new()) }),
    ..Protocol::NONE
};

/// Content type of a record with a connection id (RFC 9146, 4).
const WITH_CID: u8 = 25;
/// Content type of an acknowledgement (RFC 9147, 7).
const ACK: u8 = 26;

/// Fragmented messages held at a time in one direction.
const MAX_PARTS: usize = 8;
/// Fragments held of one message.
const MAX_FRAGMENTS: usize = 512;
/// Messages remembered in one direction, to know them again when they are sent again.
const MAX_SEEN: usize = 32;

/// A record.
struct Record<'a> {
    content: u8,
    version: u16,
    epoch: u16,
    body: &'a [u8],
}

/// Reads the next record. `Ok(None)` for one whose end its header does not tell: what is left of the datagram is ciphertext.
fn record<'a>(reader: &mut Reader<'a>) -> Wire<Option<Record<'a>>> {
    let first = reader.u8()?;
    // The unified header of DTLS 1.3: 001 and five flags (RFC 9147, 4).
    if first & 0xe0 == 0x20 {
        return if reader.len() >= 16 { Ok(None) } else { Err(Malformed) };
    }
    let version = reader.be_u16()?;
    if !(content::CHANGE_CIPHER_SPEC..=ACK).contains(&first) || !is_version(version) {
        return Err(Malformed);
    }
    let epoch = reader.be_u16()?;
    reader.skip(6)?;
    if first == WITH_CID {
        return Ok(None);
    }
    let length = usize::from(reader.be_u16()?);
    if length > MAX_RECORD {
        return Err(Malformed);
    }
    Ok(Some(Record { content: first, version, epoch, body: reader.take(length)? }))
}

fn is_version(version: u16) -> bool {
    matches!(version, 0x0100 | 0xfefc | 0xfefd | 0xfeff)
}

/// A handshake message or a fragment of one (RFC 6347, 4.2.2).
struct Fragment<'a> {
    message_type: u8,
    length: usize,
    sequence: u16,
    offset: usize,
    bytes: &'a [u8],
}

fn fragment<'a>(reader: &mut Reader<'a>) -> Wire<Fragment<'a>> {
    let size = |value: u32| usize::try_from(value).map_err(|_| Malformed);
    let message_type = reader.u8()?;
    let length = size(reader.be_u24()?)?;
    let sequence = reader.be_u16()?;
    let offset = size(reader.be_u24()?)?;
    let count = size(reader.be_u24()?)?;
    let bytes = reader.take(count)?;
    if !session::is_known(message_type) || length > MAX_MESSAGE || offset.checked_add(count).is_none_or(|end| end > length) {
        return Err(Malformed);
    }
    Ok(Fragment { message_type, length, sequence, offset, bytes })
}

/// Records must account for the whole datagram.
fn probe(offer: &Offer<'_>) -> Verdict {
    let mut reader = Reader::new(offer.current());
    let mut records = 0;
    while !reader.is_empty() {
        // An unified header alone proves nothing.
        match record(&mut reader) {
            Ok(Some(record)) if sound(&record) => records += 1,
            Ok(None) if records > 0 => return Verdict::Yes,
            _ => return Verdict::No,
        }
    }
    if records > 0 { Verdict::Yes } else { Verdict::No }
}

/// The body fits the content type.
fn sound(record: &Record<'_>) -> bool {
    if record.body.is_empty() {
        return false;
    }
    match record.content {
        content::HANDSHAKE if record.epoch == 0 => fragment(&mut Reader::new(record.body)).is_ok(),
        // One octet; Cisco and OpenSSL before 0.9.8f add a sequence number.
        content::CHANGE_CIPHER_SPEC => matches!(record.body.len(), 1 | 3),
        content::ALERT if record.epoch == 0 => record.body.len() == 2,
        // What is encrypted is longer than its nonce or its tag.
        _ => record.epoch == 0 || record.body.len() >= 8,
    }
}

/// A message of which some fragments are still to come.
struct Parts {
    message_type: u8,
    sequence: u16,
    /// Offset and bytes of the fragments received, in order of offset.
    pieces: Vec<(usize, Vec<u8>)>,
    length: usize,
    source: Source,
    last_frame: u64,
}

impl Parts {
    fn add(&mut self, fragment: &Fragment<'_>, frame: u64) {
        if frame != self.last_frame {
            self.last_frame = frame;
            self.source.frames = self.source.frames.saturating_add(1);
        }
        let end = fragment.offset.saturating_add(fragment.bytes.len());
        let held = |(offset, bytes): &(usize, Vec<u8>)| *offset <= fragment.offset && offset.saturating_add(bytes.len()) >= end;
        if self.pieces.len() < MAX_FRAGMENTS && !self.pieces.iter().any(held) {
            let at = self.pieces.partition_point(|(offset, _)| *offset <= fragment.offset);
            self.pieces.insert(at, (fragment.offset, fragment.bytes.to_vec()));
        }
    }

    /// The whole message, once no byte is missing.
    fn joined(&self) -> Option<Vec<u8>> {
        let reach =
            self.pieces.iter().try_fold(0usize, |reach, (offset, bytes)| (*offset <= reach).then(|| reach.max(offset.saturating_add(bytes.len()))));
        if reach != Some(self.length) {
            return None;
        }
        let mut whole = Vec::new();
        for (offset, bytes) in &self.pieces {
            let known = whole.len().checked_sub(*offset)?;
            whole.extend_from_slice(bytes.get(known..).unwrap_or_default());
        }
        (whole.len() == self.length).then_some(whole)
    }
}

/// One direction of an association.
#[derive(Default)]
struct Half {
    parts: Vec<Parts>,
    /// Hashes of messages already taken, oldest first.
    seen: Vec<u64>,
}

impl Half {
    /// Remembers a message; false if it was sent before.
    fn is_new(&mut self, sequence: u16, message_type: u8, body: &[u8]) -> bool {
        let mut hasher = FxHasher::default();
        hasher.write_u16(sequence);
        hasher.write_u8(message_type);
        hasher.write(body);
        let hash = hasher.finish();
        if self.seen.contains(&hash) {
            return false;
        }
        if self.seen.len() >= MAX_SEEN {
            self.seen.remove(0);
        }
        self.seen.push(hash);
        true
    }
}

/// Decodes the datagrams of one flow.
pub struct Dtls {
    session: Session,
    halves: [Half; 2],
    /// A record was read: headers that prove little are believed.
    sure: bool,
}

impl Dtls {
    fn new() -> Self {
        Self { session: Session::new(Carrier::Dtls), halves: Default::default(), sure: false }
    }

    fn handshake(&mut self, cx: &mut Cx<'_>, version: u16, body: &[u8]) {
        let mut reader = Reader::new(body);
        while !reader.is_empty() {
            let Ok(fragment) = fragment(&mut reader) else {
                cx.anomaly("dtls", "bad_length", "handshake fragment reaches beyond its message or record");
                return;
            };
            if fragment.bytes.len() == fragment.length {
                let source = Source { record_version: version, frames: 1 };
                self.message(cx, fragment.message_type, fragment.sequence, fragment.bytes, source);
            } else {
                self.part(cx, version, &fragment);
            }
        }
    }

    fn part(&mut self, cx: &mut Cx<'_>, version: u16, fragment: &Fragment<'_>) {
        let held = &mut self.halves[cx.dir.index()].parts;
        let same = |parts: &Parts| (parts.sequence, parts.message_type, parts.length) == (fragment.sequence, fragment.message_type, fragment.length);
        let at = match held.iter().position(same) {
            Some(at) => at,
            None => {
                if held.len() >= MAX_PARTS {
                    held.remove(0);
                }
                held.push(Parts {
                    message_type: fragment.message_type,
                    sequence: fragment.sequence,
                    pieces: Vec::new(),
                    length: fragment.length,
                    source: Source { record_version: version, frames: 1 },
                    last_frame: cx.frame,
                });
                held.len() - 1
            }
        };
        let Some(parts) = held.get_mut(at) else { return };
        parts.add(fragment, cx.frame);
        if let Some(body) = parts.joined() {
            let parts = held.remove(at);
            self.message(cx, parts.message_type, parts.sequence, &body, parts.source);
        }
    }

    fn message(&mut self, cx: &mut Cx<'_>, message_type: u8, sequence: u16, body: &[u8], source: Source) {
        if message_type == kind::CLIENT_HELLO && sequence == 0 {
            // A new association on the same ports counts from zero.
            let half = &mut self.halves[cx.dir.reverse().index()];
            half.parts.clear();
        }
        // A message sent again is written again, as it was seen; it begins nothing anew (RFC 6347, 4.2.4).
        if !self.halves[cx.dir.index()].is_new(sequence, message_type, body) && message_type == kind::CLIENT_HELLO {
            self.session.repeats();
        }
        self.session.message(cx, message_type, body, source);
    }
}

impl DatagramDissector for Dtls {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        let mut reader = Reader::new(payload);
        let mut outcome = Outcome::NotMine;
        while !reader.is_empty() {
            match record(&mut reader) {
                Ok(Some(record)) => {
                    self.sure = true;
                    outcome = Outcome::Decoded;
                    let clear = record.epoch == 0;
                    match record.content {
                        content::HANDSHAKE if clear => self.handshake(cx, record.version, record.body),
                        content::CHANGE_CIPHER_SPEC => self.session.change_cipher_spec(cx),
                        content::ALERT => self.session.alerts(cx, record.version, record.body, clear),
                        content::HEARTBEAT => self.session.heartbeat(cx, record.version, record.body, clear),
                        content::APPLICATION_DATA => self.session.flush(cx),
                        _ => {}
                    }
                }
                Ok(None) => return if self.sure { Outcome::Decoded } else { outcome },
                Err(_) => return outcome,
            }
        }
        outcome
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.session.flush(cx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handshake(sequence: u8, offset: u8, total: u8, bytes: &[u8]) -> Vec<u8> {
        let mut body = vec![11, 0, 0, total, 0, sequence, 0, 0, offset, 0, 0, bytes.len() as u8];
        body.extend_from_slice(bytes);
        body
    }

    fn in_record(content: u8, epoch: u8, body: &[u8]) -> Vec<u8> {
        let mut record = vec![content, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 1];
        record.extend((body.len() as u16).to_be_bytes());
        record.extend_from_slice(body);
        record
    }

    fn probed(payload: &[u8]) -> Verdict {
        probe(&Offer { bytes: [payload, &[]], dir: crate::protocols::Dir::Orig, ports: [None, None], usual_port: false, src: None, dst: None })
    }

    #[test]
    fn records_must_fill_the_datagram() {
        let mut datagram = in_record(22, 0, &handshake(1, 0, 4, &[1, 2, 3, 4]));
        datagram.extend(in_record(20, 0, &[1]));
        assert_eq!(probed(&datagram), Verdict::Yes);
        datagram.push(0);
        assert_eq!(probed(&datagram), Verdict::No);
        assert_eq!(probed(&[0x2f; 40]), Verdict::No);
    }

    #[test]
    fn fragments_in_any_order() {
        let (first, second) = (handshake(2, 0, 4, &[1, 2, 3]), handshake(2, 2, 4, &[3, 4]));
        let first = fragment(&mut Reader::new(&first)).unwrap();
        let second = fragment(&mut Reader::new(&second)).unwrap();
        let mut parts = Parts {
            message_type: 11,
            sequence: 2,
            pieces: Vec::new(),
            length: 4,
            source: Source { record_version: 0xfefd, frames: 1 },
            last_frame: 7,
        };
        parts.add(&second, 7);
        assert_eq!(parts.joined(), None);
        parts.add(&first, 8);
        assert_eq!((parts.joined().unwrap().as_slice(), parts.source.frames), (&[1, 2, 3, 4][..], 2));
    }

    #[test]
    fn a_message_sent_again_is_known() {
        let mut half = Half::default();
        assert!(half.is_new(0, 1, b"hello"));
        assert!(!half.is_new(0, 1, b"hello"));
        assert!(half.is_new(1, 1, b"hello"));
    }
}
