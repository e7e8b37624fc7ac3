//! WireGuard (Donenfeld, "WireGuard: Next Generation Kernel Network Tunnel", section 5.4).

use pcapper_schema::tables::Vpn;

use super::{Tally, note};
use crate::protocols::{Cx, DatagramDissector, DatagramKind, Group, Offer, Outcome, Protocol, Verdict};
use crate::wire::{Malformed, Reader, Wire};

/// WireGuard on any port; 51820 is what its documentation uses.
pub static PROTOCOL: Protocol = Protocol {
    name: "wireguard",
    group: Group::It,
    ports: &[51820],
    datagram: Some(DatagramKind { ip_protos: &[17], probe, start: || Box::<Session>::default() }),
    ..Protocol::NONE
};

/// One message, as far as it is in clear.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Message {
    kind: u8,
    sender: Option<u32>,
    receiver: Option<u32>,
}

impl Message {
    fn read(bytes: &[u8]) -> Wire<Self> {
        let mut reader = Reader::new(bytes);
        let [kind, a, b, c] = reader.array::<4>()?;
        let fits = match kind {
            1 => bytes.len() == 148,
            2 => bytes.len() == 92,
            3 => bytes.len() == 64,
            // Padded to 16 octets, but not beyond the path's packet size (5.4.6).
            4 => bytes.len() >= 32,
            _ => false,
        };
        if !fits || (a, b, c) != (0, 0, 0) {
            return Err(Malformed);
        }
        let first = reader.le_u32()?;
        let second = reader.le_u32()?;
        Ok(match kind {
            1 => Self { kind, sender: Some(first), receiver: None },
            2 => Self { kind, sender: Some(first), receiver: Some(second) },
            _ => Self { kind, sender: None, receiver: Some(first) },
        })
    }
}

/// Lengths and reserved octets are proof enough for a handshake; a data message needs the port beside them.
fn probe(offer: &Offer<'_>) -> Verdict {
    match Message::read(offer.current()) {
        Ok(Message { kind: 1 | 2, .. }) => Verdict::Yes,
        Ok(_) if offer.usual_port && offer.current().len().is_multiple_of(16) => Verdict::Yes,
        _ => Verdict::No,
    }
}

/// What one handshake set up.
#[derive(Default)]
struct Session {
    tally: Tally,
    sender: Option<u32>,
    answered: Option<u32>,
    types: Vec<u8>,
}

impl Session {
    fn emit(&mut self, cx: &mut Cx<'_>) {
        let session = std::mem::take(self);
        let handshake = session.sender.is_some() && session.answered.is_some();
        session.tally.emit(
            cx,
            Vpn {
                kind: Some("wireguard"),
                encapsulation: Some("udp_other"),
                wg_sender_index: session.sender,
                wg_receiver_index: session.answered,
                wg_handshake: Some(handshake),
                wg_types: Some(&session.types),
                ..Vpn::default()
            },
        );
    }
}

impl DatagramDissector for Session {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        let Ok(message) = Message::read(payload) else { return Outcome::NotMine };
        // A new initiation begins a new session; an unanswered one is sent again with the same or another index.
        if message.kind == 1 && self.answered.is_some() && self.sender != message.sender {
            self.emit(cx);
        }
        match message.kind {
            1 => self.sender = message.sender,
            2 => self.answered = message.sender,
            _ => {}
        }
        note(&mut self.types, message.kind, 4);
        self.tally.packet(cx, payload.len(), message.kind <= 2);
        Outcome::Decoded
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.emit(cx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_decide() {
        let mut initiation = vec![0; 148];
        initiation[0] = 1;
        initiation[4] = 7;
        assert_eq!(Message::read(&initiation), Ok(Message { kind: 1, sender: Some(7), receiver: None }));
        assert!(Message::read(&initiation[..147]).is_err());
        initiation[1] = 1;
        assert!(Message::read(&initiation).is_err());
        let mut data = [0; 32];
        data[0] = 4;
        data[4] = 9;
        assert_eq!(Message::read(&data), Ok(Message { kind: 4, sender: None, receiver: Some(9) }));
    }
}
