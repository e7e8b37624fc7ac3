//! OpenVPN over UDP and TCP (OpenVPN protocol, "Network protocol" in its source documentation): control channel and data
//! packets, as far as they are in clear. The TLS that agrees on the keys runs in control packets.

use pcapper_schema::tables::Vpn;

use super::{Tally, note};
use crate::protocols::hex::hex;
use crate::protocols::it::tls::Carried;
use crate::protocols::{Cx, DatagramDissector, DatagramKind, Dir, Group, Offer, Outcome, Progress, Protocol, StreamDissector, StreamKind, Verdict};
use crate::wire::{Malformed, Reader, Wire};

/// OpenVPN on any port; 1194 is its own.
pub static PROTOCOL: Protocol = Protocol {
    name: "openvpn",
    group: Group::It,
    ports: &[1194],
    datagram: Some(DatagramKind { ip_protos: &[17], probe, start: || Box::<Session>::default() }),
    stream: Some(StreamKind { probe: probe_stream, start: || Box::<Session>::default() }),
    ..Protocol::NONE
};

const SOFT_RESET: u8 = 3;
const CONTROL: u8 = 4;
const HARD_RESET_CLIENT_V2: u8 = 7;
const HARD_RESET_SERVER_V2: u8 = 8;
const HARD_RESET_CLIENT_V3: u8 = 10;
/// Lengths of the HMACs that sign control packets: MD5, SHA-1, SHA-256, SHA-512.
const HMACS: [usize; 4] = [16, 20, 32, 64];

/// Control packets held of a direction because one before them has not come.
const MAX_EARLY: usize = 32;

/// How control packets are protected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Seal {
    None,
    /// tls-auth: an HMAC of this length, a packet id and a time stand behind the session id.
    Signed(usize),
    /// tls-crypt.
    Encrypted,
}

/// Opcode and session id of a packet; data packets have no id.
fn header(bytes: &[u8]) -> Wire<(u8, Option<[u8; 8]>)> {
    let mut reader = Reader::new(bytes);
    let opcode = reader.u8()? >> 3;
    match opcode {
        6 | 9 => Ok((opcode, None)),
        1..=5 | 7 | 8 | 10 | 11 => {
            let id = reader.array::<8>()?;
            if id == [0; 8] { Err(Malformed) } else { Ok((opcode, Some(id))) }
        }
        _ => Err(Malformed),
    }
}

/// Whether a packet is the first of a session: a reset whose packet ids stand where they must; and if so, how it is protected.
fn reset(bytes: &[u8]) -> Option<Seal> {
    let (opcode, _) = header(bytes).ok()?;
    if !matches!(opcode, HARD_RESET_CLIENT_V2 | HARD_RESET_SERVER_V2 | HARD_RESET_CLIENT_V3) || bytes.first()? & 7 != 0 {
        return None;
    }
    let acks_at = |at: usize| {
        let count = usize::from(*bytes.get(at)?);
        // Acknowledged ids, the peer's session id where there are any, then this packet's own id: zero.
        let id_at = at + 1 + count * 4 + if count > 0 { 8 } else { 0 };
        (count <= 8 && bytes.get(id_at..id_at + 4)? == [0; 4] && bytes.len() == id_at + 4).then_some(())
    };
    if acks_at(9).is_some() {
        return Some(Seal::None);
    }
    // tls-auth: HMAC, packet id, time; then as above.
    if let Some(hmac) = HMACS.iter().find(|&hmac| bytes.get(9 + hmac..9 + hmac + 4) == Some(&[0, 0, 0, 1]) && acks_at(9 + hmac + 8).is_some()) {
        return Some(Seal::Signed(*hmac));
    }
    // tls-crypt: packet id, time, HMAC, the rest encrypted.
    (bytes.len() >= 54 && bytes.get(9..13) == Some(&[0, 0, 0, 1])).then_some(Seal::Encrypted)
}

/// Number of a control packet in its direction, and the piece of TLS in it.
fn control(bytes: &[u8], seal: Seal) -> Wire<(u32, &[u8])> {
    let mut reader = Reader::new(bytes);
    reader.skip(9)?;
    match seal {
        Seal::None => {}
        Seal::Signed(hmac) => reader.skip(hmac + 8)?,
        Seal::Encrypted => return Err(Malformed),
    }
    let acks = usize::from(reader.u8()?);
    reader.skip(acks * 4 + if acks > 0 { 8 } else { 0 })?;
    Ok((reader.be_u32()?, reader.rest()))
}

fn probe(offer: &Offer<'_>) -> Verdict {
    let bytes = offer.current();
    let known = reset(bytes).is_some() || offer.usual_port && matches!(header(bytes), Ok((_, Some(_))));
    if known { Verdict::Yes } else { Verdict::No }
}

/// The first whole packet of a stream, behind its length.
fn framed(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.get(..usize::from(u16::from_be_bytes(*length)))
}

fn probe_stream(offer: &Offer<'_>) -> Verdict {
    match framed(offer.current()) {
        Some(packet) if reset(packet).is_some() => Verdict::Yes,
        Some(_) => Verdict::No,
        None if offer.current().len() < 128 => Verdict::More,
        None => Verdict::No,
    }
}

#[derive(Default)]
struct Session {
    tally: Tally,
    over_tcp: bool,
    /// Session ids of client and server.
    ids: [Option<[u8; 8]>; 2],
    opcodes: Vec<u8>,
    seal: Option<Seal>,
    tls: Option<Box<Inner>>,
}

/// The TLS connection that agrees on one set of keys.
struct Inner {
    stream: Carried,
    /// Number of the set of keys, three bits.
    key: u8,
    /// Number of the control packet that comes next, of client and server; their resets had number 0.
    next: [u32; 2],
    /// Control packets that came before their turn.
    early: [Vec<(u32, Vec<u8>)>; 2],
}

impl Inner {
    fn new(key: u8) -> Self {
        Self { stream: Carried::default(), key, next: [1; 2], early: Default::default() }
    }

    fn piece(&mut self, cx: &mut Cx<'_>, number: u32, piece: &[u8]) {
        let index = cx.dir.index();
        let (next, early) = (&mut self.next[index], &mut self.early[index]);
        if number != *next {
            // Those before were sent again.
            if number > *next && early.len() < MAX_EARLY && !early.iter().any(|(held, _)| *held == number) {
                early.push((number, piece.to_vec()));
            }
            return;
        }
        *next = next.saturating_add(1);
        self.stream.bytes(cx, piece);
        while let Some(at) = early.iter().position(|(held, _)| held == next) {
            *next = next.saturating_add(1);
            let (_, piece) = early.swap_remove(at);
            self.stream.bytes(cx, &piece);
        }
    }
}

impl Session {
    fn packet(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> bool {
        let Ok((opcode, id)) = header(bytes) else { return false };
        let first = reset(bytes);
        let [client, server] = self.ids;
        let own = if cx.dir == Dir::Orig { client } else { server };
        // A reset under another id is another session on the same ports.
        if first.is_some() && opcode != HARD_RESET_SERVER_V2 && own.is_some() && own != id {
            self.emit(cx);
        }
        if let Some(slot) = self.ids.get_mut(cx.dir.index()) {
            *slot = slot.or(id);
        }
        self.seal = self.seal.or(first);
        let key = bytes.first().map_or(0, |first| first & 7);
        self.control(cx, opcode, key, bytes);
        note(&mut self.opcodes, opcode, 11);
        self.tally.packet(cx, bytes.len(), first.is_some());
        true
    }

    /// Follows the TLS connection in the control packets, from the start of the session on.
    fn control(&mut self, cx: &mut Cx<'_>, opcode: u8, key: u8, bytes: &[u8]) {
        let Some(seal) = self.seal.filter(|seal| *seal != Seal::Encrypted) else { return };
        let inner = self.tls.get_or_insert_with(|| Box::new(Inner::new(key)));
        if opcode == SOFT_RESET && key != inner.key {
            inner.stream.close(cx);
            **inner = Inner::new(key);
        }
        if opcode == CONTROL
            && key == inner.key
            && let Ok((number, piece)) = control(bytes, seal)
        {
            inner.piece(cx, number, piece);
        }
    }

    fn emit(&mut self, cx: &mut Cx<'_>) {
        let mut session = std::mem::replace(self, Self { over_tcp: self.over_tcp, ..Self::default() });
        if let Some(inner) = &mut session.tls {
            inner.stream.close(cx);
        }
        let [client, server] = session.ids;
        let id = client.or(server).map(|id| hex(&id));
        session.tally.emit(
            cx,
            Vpn {
                kind: Some("openvpn"),
                encapsulation: Some(if session.over_tcp { "tcp" } else { "udp_other" }),
                openvpn_session_id: id.as_deref(),
                openvpn_opcodes: Some(&session.opcodes),
                openvpn_tls_auth: session.seal.map(|seal| seal != Seal::None),
                ..Vpn::default()
            },
        );
    }
}

impl DatagramDissector for Session {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        if self.packet(cx, payload) { Outcome::Decoded } else { Outcome::NotMine }
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.emit(cx);
    }
}

impl StreamDissector for Session {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        self.over_tcp = true;
        match framed(bytes) {
            Some([]) => Progress::Stop,
            Some(packet) if self.packet(cx, packet) => Progress::Consumed(packet.len() + 2),
            Some(_) => Progress::Stop,
            None => Progress::Consumed(0),
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.emit(cx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resets_of_three_kinds() {
        let plain = [0x38, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0];
        assert_eq!(reset(&plain), Some(Seal::None));
        assert_eq!(header(&plain), Ok((7, Some([1, 2, 3, 4, 5, 6, 7, 8]))));
        let mut signed = vec![0xaa; 42];
        signed[0] = 0x38;
        signed[29..33].copy_from_slice(&[0, 0, 0, 1]);
        signed[37..].fill(0);
        assert_eq!(reset(&signed), Some(Seal::Signed(20)));
        assert_eq!(reset(&[0x38; 42]), None);
        assert!(header(&[0x70, 1, 2, 3, 4, 5, 6, 7, 8]).is_err());
    }

    #[test]
    fn pieces_of_tls_behind_acknowledgements() {
        let mut packet = vec![0x20, 1, 2, 3, 4, 5, 6, 7, 8, 1, 0, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0, 3];
        packet.extend(b"tls");
        assert_eq!(control(&packet, Seal::None), Ok((3, &b"tls"[..])));
        assert!(control(&packet, Seal::Encrypted).is_err());
        packet.splice(9..9, [0; 28]);
        assert_eq!(control(&packet, Seal::Signed(20)), Ok((3, &b"tls"[..])));
    }
}
