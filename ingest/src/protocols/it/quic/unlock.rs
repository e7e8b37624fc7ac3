//! Keys of a connection whose secrets are known: 0-RTT, Handshake and 1-RTT packets (RFC 9001, 5 and 6).

use super::keys::{Keys, Labels, Opened, Payload};
use super::packet::Long;
use crate::decrypt::TlsSecrets;
use crate::decrypt::cipher::AeadKind;
use crate::decrypt::kdf::Hash;
use crate::protocols::it::tls::opener::aead_13;

/// Keys of one direction's 1-RTT packets, in the phase they are in.
struct Traffic {
    keys: Keys,
    secret: Vec<u8>,
    phase: bool,
}

/// What opens the packets of one connection.
pub struct Unlock {
    pub secrets: TlsSecrets,
    /// Cipher suites offered, for early data.
    offered: Vec<u16>,
    suite: Option<(AeadKind, Hash)>,
    labels: Option<Labels>,
    early: Option<Keys>,
    /// Of client and server.
    handshake: [Option<Keys>; 2],
    traffic: [Option<Traffic>; 2],
    /// Highest packet numbers opened, of Handshake packets and of the others.
    largest_handshake: [Option<u64>; 2],
    largest: [Option<u64>; 2],
}

impl Unlock {
    pub fn new(secrets: TlsSecrets, offered: Vec<u16>) -> Self {
        Self {
            secrets,
            offered,
            suite: None,
            labels: None,
            early: None,
            handshake: Default::default(),
            traffic: Default::default(),
            largest_handshake: [None; 2],
            largest: [None; 2],
        }
    }

    /// The server chose a cipher suite, in a packet of this version. False if it cannot be opened.
    pub fn agreed(&mut self, cipher: u16, version: u32) -> bool {
        let labels = Labels::of(version);
        self.suite = aead_13(cipher);
        self.labels = Some(labels);
        let Some((kind, hash)) = self.suite else { return false };
        let keys = |secret: &Option<Box<[u8]>>| Keys::of_secret(kind, hash, secret.as_deref()?, labels);
        let [client, server] = &self.secrets.handshake;
        self.handshake = [keys(client), keys(server)];
        let [client, server] = &self.secrets.traffic;
        let traffic = |secret: &Option<Box<[u8]>>| Some(Traffic { keys: keys(secret)?, secret: secret.as_deref()?.to_vec(), phase: false });
        self.traffic = [traffic(client), traffic(server)];
        true
    }

    /// Opens a 0-RTT packet. Which suite its keys are for is found by trying.
    pub fn early(&mut self, packet: &Long<'_>) -> Option<Opened> {
        if self.early.is_none() {
            let secret = self.secrets.client_early.as_deref()?;
            let labels = Labels::of(packet.version);
            self.early = self.offered.iter().filter_map(|code| aead_13(*code)).find_map(|(kind, hash)| {
                let keys = Keys::of_secret(kind, hash, secret, labels)?;
                keys.open(packet.bytes, packet.number_at, None).is_some().then_some(keys)
            });
        }
        let [largest, _] = &mut self.largest;
        let opened = self.early.as_ref()?.open(packet.bytes, packet.number_at, *largest)?;
        *largest = (*largest).max(Some(opened.number));
        Some(opened)
    }

    /// Opens a Handshake packet of client (`side` 0) or server.
    pub fn handshake(&mut self, packet: &Long<'_>, side: usize) -> Option<Opened> {
        let largest = self.largest_handshake.get_mut(side)?;
        let opened = self.handshake.get(side)?.as_ref()?.open(packet.bytes, packet.number_at, *largest)?;
        *largest = (*largest).max(Some(opened.number));
        Some(opened)
    }

    /// Opens a packet with a short header, whose connection id has `id` octets.
    pub fn short(&mut self, packet: &[u8], id: usize, side: usize) -> Option<Opened> {
        let (largest, traffic) = (self.largest.get_mut(side)?, self.traffic.get_mut(side)?.as_mut()?);
        let number_at = id.checked_add(1)?;
        let opened = if traffic.keys.phase(packet, number_at)? == traffic.phase {
            traffic.keys.open(packet, number_at, *largest)
        } else {
            let (labels, (kind, hash)) = (self.labels?, self.suite?);
            let secret = Keys::updated(hash, &traffic.secret, labels)?;
            let next = Payload::of_secret(kind, hash, &secret, labels)?;
            let opened = traffic.keys.open_under(&next, packet, number_at, *largest);
            if opened.is_some() {
                traffic.keys.payload = next;
                (traffic.secret, traffic.phase) = (secret, !traffic.phase);
            }
            opened
        }?;
        *largest = (*largest).max(Some(opened.number));
        Some(opened)
    }
}
