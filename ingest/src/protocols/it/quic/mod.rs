//! QUIC: versions 1 and 2 (RFC 9000, 9001, 9369), the IETF's drafts from 22 on, and Google's versions before them.
//!
//! Long headers are walked packet by packet; Initial packets are opened with the keys that everyone can derive, for their
//! hellos; with a key log, all packets, whose streams are HTTP/3, DNS or what a probe knows. [`Connection`] collects what becomes a row of `quic`; a flow may carry several connections.

mod connection;
mod frames;
mod google;
mod keys;
mod packet;
mod streams;
mod unlock;

use pcapper_schema::tables::QuicPackets;

use self::connection::{Connection, GoogleConnection};
pub use self::packet::varint;
use self::packet::{Kind, Long};
use crate::protocols::hex::hex;
use crate::protocols::{Cx, DatagramDissector, DatagramKind, Dir, Endpoint, Offer, Outcome, Protocol, Verdict};

/// Declaration.
pub static PROTOCOL: Protocol = Protocol {
    name: "quic",
    ports: PORTS,
    datagram: Some(DatagramKind { ip_protos: &[17], probe, start: || Box::<Quic>::default() }),
    ..Protocol::NONE
};

/// HTTP/3, DNS (784 and 8853 in its drafts), test servers.
const PORTS: &[u16] = &[443, 80, 853, 784, 8853, 8443, 4433, 4443];

/// Connections of a flow that are followed at once.
const MAX_CONNECTIONS: usize = 32;
/// Packets looked at in one datagram.
const MAX_COALESCED: u8 = 32;
/// What STUN has in octets 4 to 7; it may share the ports (RFC 9443).
const STUN_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

/// A packet that names its version. Short headers prove nothing.
fn probe(offer: &Offer<'_>) -> Verdict {
    let datagram = offer.current();
    if google::Header::parse(datagram).is_ok() {
        return Verdict::Yes;
    }
    match Long::parse(datagram) {
        Ok((packet, _)) if packet.is_sound(datagram.len(), offer.usual_port) => Verdict::Yes,
        _ => Verdict::No,
    }
}

/// Decodes the datagrams of one flow.
#[derive(Default)]
struct Quic {
    connections: Vec<Connection>,
    google: Option<Box<GoogleConnection>>,
}

impl Quic {
    /// Takes one packet with a long header.
    fn long(&mut self, cx: &mut Cx<'_>, packet: &Long<'_>, index: u8) {
        let at = match self.find(cx.dir, packet) {
            Some(at) => at,
            None => self.begin(cx, packet),
        };
        let Some(connection) = self.connections.get_mut(at) else { return };
        let opened = connection.packet(cx, packet);
        let (dcid, scid) = (hex(packet.dcid), hex(packet.scid));
        let row = QuicPackets {
            version: Some(packet.version),
            packet_type: Some(packet.kind.name()),
            dcid: filled(&dcid),
            scid: filled(&scid),
            token_len: packet.token_len,
            packet_len: packet.length,
            packet_number: opened.as_ref().map(|opened| opened.number),
            frame_types: opened.as_ref().map(|opened| opened.types.as_slice()),
            datagram_index: Some(index),
            decrypted: matches!(packet.kind, Kind::Initial | Kind::ZeroRtt | Kind::Handshake).then_some(opened.is_some()),
        };
        cx.emit(row);
    }

    /// The connection that a packet belongs to, the latest first.
    fn find(&mut self, dir: Dir, packet: &Long<'_>) -> Option<usize> {
        if let Some(at) = self.connections.iter().rposition(|connection| connection.owns(dir, packet)) {
            return Some(at);
        }
        let last = self.connections.len().checked_sub(1)?;
        let connection = self.connections.get_mut(last)?;
        // A client's Initial with ids not seen yet: the same connection when its keys fit (the server's answer was lost to the
        // capture) or when the server refused the version before.
        let begins = packet.kind == Kind::Initial && dir == connection.client;
        (!begins || connection.awaits_another_try() || connection.opens(packet)).then_some(last)
    }

    /// A new connection; gives its place.
    fn begin(&mut self, cx: &mut Cx<'_>, packet: &Long<'_>) -> usize {
        if self.connections.len() >= MAX_CONNECTIONS {
            self.connections.remove(0).write(cx);
        }
        self.connections.push(Connection::new(cx, client(cx, packet.kind), packet));
        self.connections.len() - 1
    }

    /// Takes the rest of a datagram that starts with a short header. False if it is another protocol's.
    fn short(&mut self, cx: &mut Cx<'_>, payload: &[u8], is_sure: bool) -> bool {
        let [first, ..] = payload else { return false };
        // The fixed bit may be greased (RFC 9287).
        if first & 0x40 == 0 && payload.get(4..8) == Some(&STUN_COOKIE) {
            return false;
        }
        let after = payload.get(1..).unwrap_or_default();
        let to = self.connections.iter().rposition(|connection| connection.is_addressed(cx.dir, after));
        let last = self.connections.len().checked_sub(1);
        let Some(connection) = to.or(last).and_then(|at| self.connections.get_mut(at)) else { return false };
        connection.short(cx, payload, is_sure);
        true
    }
}

/// Who the client is: who sends what only clients send, else the end with the less official port.
fn client(cx: &Cx<'_>, kind: Kind) -> Dir {
    let official = |end: &Endpoint| end.port.is_some_and(|port| PORTS.contains(&port));
    let (from, to) = (&cx.ends[cx.dir.index()], &cx.ends[cx.dir.reverse().index()]);
    match kind {
        Kind::Retry | Kind::VersionNegotiation => cx.dir.reverse(),
        Kind::ZeroRtt => cx.dir,
        Kind::Initial | Kind::Handshake if official(from) && !official(to) => cx.dir.reverse(),
        Kind::Initial | Kind::Handshake => cx.dir,
    }
}

/// A text the wire carried: null rather than empty.
fn filled(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

impl DatagramDissector for Quic {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        if (self.connections.is_empty() || self.google.is_some())
            && let Ok(header) = google::Header::parse(payload)
        {
            let known = self.google.get_or_insert_with(|| Box::new(GoogleConnection::new(cx, &header)));
            known.packet(cx, &header);
            return Outcome::Decoded;
        }
        let mut rest = payload;
        let mut index = 0;
        while let Ok((packet, behind)) = Long::parse(rest) {
            // Other protocols may follow on the same ports: what begins a datagram must be a version that exists.
            if index == 0 && !packet.is_sound(payload.len(), true) {
                break;
            }
            self.long(cx, &packet, index);
            index += 1;
            rest = behind;
            if index == MAX_COALESCED {
                return Outcome::Decoded;
            }
        }
        match rest {
            [first, ..] if first & 0x80 == 0 => {
                // Behind a long header, zeros are padding; but the fixed bit may be greased (RFC 9287).
                let is_sure = index == 0 || first & 0x40 != 0;
                let known = self.short(cx, rest, is_sure) || index > 0 || self.google.is_some();
                if known { Outcome::Decoded } else { Outcome::NotMine }
            }
            _ if index > 0 => Outcome::Decoded,
            _ => Outcome::NotMine,
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        if let Some(google) = self.google.take() {
            google.write(cx);
        }
        for connection in std::mem::take(&mut self.connections) {
            connection.write(cx);
        }
    }
}

#[cfg(test)]
mod tests;
