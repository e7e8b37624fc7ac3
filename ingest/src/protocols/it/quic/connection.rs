//! What the packets of one connection amount to: a row of `quic`.

use std::borrow::Cow;

use pcapper_schema::Common;
use pcapper_schema::tables::{Decryption, Quic};

use super::filled;
use super::frames::{Close, Crypto, Frames};
use super::google;
use super::keys::{Keys, Recipe, recipes};
use super::packet::{self, Kind, Long};
use super::streams::Streams;
use super::unlock::Unlock;
use crate::decrypt::Source;
use crate::protocols::hex::hex;
use crate::protocols::it::tls::fingerprints::{Carrier, ja3, ja4};
use crate::protocols::it::tls::{hello::Hello, names, session};
use crate::protocols::it::x509::{self, Presented};
use crate::protocols::{Cx, Dir};

/// Connection ids that keys are derived from: the first, and after a Retry or another version the next.
const MAX_SEEDS: usize = 4;
/// Keys kept: a few versions and seeds.
const MAX_KEYS: usize = 8;
/// Ids of the server that are remembered.
const MAX_SERVER_IDS: usize = 4;
/// Ids that an end issues beyond its first.
const MAX_ISSUED_IDS: usize = 16;
/// Letters of the history.
const MAX_HISTORY: usize = 100;
/// Versions kept of a Version Negotiation.
const MAX_OFFERED: usize = 64;

/// A packet that could be opened.
pub struct Opened {
    pub number: u64,
    pub types: Vec<u64>,
}

/// What the client hello told.
#[derive(Default)]
struct ClientHello {
    server_name: Option<String>,
    user_agent: Option<String>,
    alpn: Vec<String>,
    ech: Option<bool>,
    ja3: Option<String>,
    ja4: Option<String>,
    fragments: u32,
    random: Vec<u8>,
    offered: Vec<u16>,
}

/// Keys, and the recipe and seed they come from.
struct Derived {
    recipe: Recipe,
    seed: Vec<u8>,
    sides: [Keys; 2],
}

/// One connection.
pub struct Connection {
    pub client: Dir,
    common: Common,
    /// Of the client's and the server's last long header.
    versions: [Option<u32>; 2],
    initial_dcid: Option<Vec<u8>>,
    client_scid: Option<Vec<u8>>,
    server_scid: Option<Vec<u8>>,
    server_ids: Vec<Vec<u8>>,
    seeds: Vec<Vec<u8>>,
    keys: Vec<Derived>,
    /// Highest packet number opened, of client and server.
    largest: [Option<u64>; 2],
    crypto: [Crypto; 2],
    hello: Option<Box<ClientHello>>,
    cipher: Option<u16>,
    close: Option<Close>,
    retry: bool,
    offered: Option<Vec<u32>>,
    zero_rtt: bool,
    /// Handshake packets seen of client, of server.
    handshake: [bool; 2],
    initial_packets: u32,
    handshake_packets: u32,
    short_packets: u32,
    history: String,
    decrypted: bool,
    /// Keys beyond Initial packets, where a key log has them.
    unlock: Option<Box<Unlock>>,
    /// Handshake bytes of Handshake packets, of client and server.
    handshake_crypto: [Crypto; 2],
    /// Protocol that the server's encrypted extensions name.
    agreed: Option<String>,
    streams: Option<Box<Streams>>,
    /// Ids that the client issued.
    client_ids: Vec<Vec<u8>>,
    /// Packets beyond Initial ones that were, or were not, opened.
    unlocked: u64,
    locked: u64,
    is_unsupported: bool,
}

impl Connection {
    /// A connection whose first packet seen is `packet`.
    pub fn new(cx: &Cx<'_>, client: Dir, packet: &Long<'_>) -> Self {
        let first = cx.dir == client && matches!(packet.kind, Kind::Initial | Kind::ZeroRtt);
        let mut connection = Self {
            client,
            common: cx.common(client),
            versions: [None; 2],
            initial_dcid: None,
            client_scid: None,
            server_scid: None,
            server_ids: Vec::new(),
            seeds: Vec::new(),
            keys: Vec::new(),
            largest: [None; 2],
            crypto: Default::default(),
            hello: None,
            cipher: None,
            close: None,
            retry: false,
            offered: None,
            zero_rtt: false,
            handshake: [false; 2],
            initial_packets: 0,
            handshake_packets: 0,
            short_packets: 0,
            history: String::new(),
            decrypted: false,
            unlock: None,
            handshake_crypto: Default::default(),
            agreed: None,
            streams: None,
            client_ids: Vec::new(),
            unlocked: 0,
            locked: 0,
            is_unsupported: false,
        };
        if first {
            connection.seed(packet.dcid);
        }
        connection
    }

    /// The packet's ids are this connection's.
    pub fn owns(&self, dir: Dir, packet: &Long<'_>) -> bool {
        let is = |own: &Option<Vec<u8>>, id: &[u8]| !id.is_empty() && own.as_deref() == Some(id);
        if dir == self.client {
            let known = |ids: &[Vec<u8>]| ids.iter().any(|id| !id.is_empty() && id == packet.dcid);
            return known(&self.seeds) || known(&self.server_ids) || is(&self.client_scid, packet.scid);
        }
        // A client without an id of its own is answered to none.
        is(&self.client_scid, packet.dcid) || is(&self.server_scid, packet.scid) || is(&self.initial_dcid, packet.scid)
    }

    /// The bytes after a short header's first octet begin with an id of the receiver.
    pub fn is_addressed(&self, dir: Dir, bytes: &[u8]) -> bool {
        let starts = |id: &Vec<u8>| !id.is_empty() && bytes.starts_with(id);
        if dir == self.client { self.server_ids.iter().any(starts) } else { self.client_scid.iter().chain(&self.client_ids).any(starts) }
    }

    /// The server refused the version: the client may begin anew with other ids.
    pub fn awaits_another_try(&self) -> bool {
        self.offered.is_some() && self.hello.is_none()
    }

    /// A client's Initial can be opened with the keys at hand.
    pub fn opens(&self, packet: &Long<'_>) -> bool {
        self.keys.iter().any(|keys| keys.sides[0].open(packet.bytes, packet.number_at, self.largest[0]).is_some())
    }

    /// Takes a packet with a long header.
    pub fn packet(&mut self, cx: &mut Cx<'_>, packet: &Long<'_>) -> Option<Opened> {
        let from_client = cx.dir == self.client;
        let side = usize::from(!from_client);
        if packet.kind != Kind::VersionNegotiation {
            self.versions[side] = Some(packet.version);
        }
        let scid = (!packet.scid.is_empty()).then(|| packet.scid.to_vec());
        match packet.kind {
            Kind::VersionNegotiation => {
                self.offered = Some(packet.offered().take(MAX_OFFERED).collect());
                self.note(cx.dir, 'O');
                return None;
            }
            Kind::Retry => {
                self.retry = true;
                self.note(cx.dir, 'R');
                // The client goes on with this id, and with the keys that derive from it.
                self.server_id(packet.scid);
                self.seed(packet.scid);
                return None;
            }
            Kind::Initial => self.initial_packets = self.initial_packets.saturating_add(1),
            Kind::ZeroRtt => self.zero_rtt = true,
            Kind::Handshake => {
                self.handshake_packets = self.handshake_packets.saturating_add(1);
                self.handshake[side] = true;
            }
        }
        if from_client {
            self.client_scid = self.client_scid.take().or(scid);
        } else {
            self.server_id(packet.scid);
            self.server_scid = self.server_scid.take().or(scid);
        }
        let letter = match packet.kind {
            Kind::Initial => 'I',
            Kind::ZeroRtt => 'Z',
            _ => 'H',
        };
        self.note(cx.dir, letter);
        match packet.kind {
            Kind::Initial => self.initial(cx, packet, side),
            Kind::Handshake | Kind::ZeroRtt => self.later(cx, packet, side),
            _ => None,
        }
    }

    /// Takes what may be a packet with a short header: `is_sure`, or else only if it opens.
    pub fn short(&mut self, cx: &mut Cx<'_>, packet: &[u8], is_sure: bool) {
        let opened = self.open_short(cx.dir, packet);
        if !is_sure && opened.is_none() {
            return;
        }
        self.short_packets = self.short_packets.saturating_add(1);
        self.note(cx.dir, 'O');
        if self.unlock.is_some() {
            self.count(opened.is_some());
        }
        if let Some(opened) = opened {
            let side = usize::from(cx.dir != self.client);
            self.frames(cx, &Frames::parse(&opened.frames, false), side, false);
        }
    }

    fn open_short(&mut self, dir: Dir, packet: &[u8]) -> Option<super::keys::Opened> {
        let unlock = self.unlock.as_mut()?;
        let side = usize::from(dir != self.client);
        // All ids that an end issues are as long as its first, as a rule.
        let to = if side == 0 { &self.server_scid } else { &self.client_scid };
        let id = to.as_ref().map_or(0, Vec::len);
        unlock.short(packet, id, side)
    }

    fn count(&mut self, is_opened: bool) {
        let counter = if is_opened { &mut self.unlocked } else { &mut self.locked };
        *counter = counter.saturating_add(1);
    }

    /// Takes a 0-RTT or Handshake packet, which opens with a key log only.
    fn later(&mut self, cx: &mut Cx<'_>, packet: &Long<'_>, side: usize) -> Option<Opened> {
        let unlock = self.unlock.as_mut().filter(|_| packet.whole)?;
        let is_handshake = packet.kind == Kind::Handshake;
        let opened = if is_handshake { unlock.handshake(packet, side) } else { unlock.early(packet) };
        self.count(opened.is_some());
        let opened = opened?;
        let frames = Frames::parse(&opened.frames, false);
        self.frames(cx, &frames, side, is_handshake);
        Some(Opened { number: opened.number, types: frames.types })
    }

    /// Takes the frames of a packet that a key log opened.
    fn frames(&mut self, cx: &mut Cx<'_>, frames: &Frames<'_>, side: usize, is_handshake: bool) {
        if is_handshake && !frames.crypto.is_empty() {
            let Some(crypto) = self.handshake_crypto.get_mut(side) else { return };
            for (offset, data) in &frames.crypto {
                crypto.add(*offset, data);
            }
            while let Some((kind, body)) = self.handshake_crypto.get_mut(side).and_then(Crypto::next_message) {
                self.message(cx, kind, &body, side);
            }
        }
        for id in &frames.ids {
            let ids = if side == 0 { &mut self.client_ids } else { &mut self.server_ids };
            remember(ids, id, MAX_ISSUED_IDS);
        }
        if let Some(close) = &frames.close {
            self.close.get_or_insert_with(|| close.clone());
        }
        for piece in &frames.streams {
            let streams = self.streams.get_or_insert_with(|| {
                let offered = self.hello.as_ref().and_then(|hello| hello.alpn.first());
                Box::new(Streams::new(self.client, self.agreed.as_ref().or(offered).map(String::as_str)))
            });
            streams.piece(cx, piece);
        }
    }

    /// Takes a handshake message of a Handshake packet.
    fn message(&mut self, cx: &mut Cx<'_>, kind: u8, body: &[u8], side: usize) {
        match kind {
            session::kind::ENCRYPTED_EXTENSIONS if side == 1 => {
                let hello = Hello::encrypted_extensions(body).ok();
                self.agreed = hello.and_then(|hello| hello.alpn.first().map(|name| String::from_utf8_lossy(name).into_owned()));
            }
            session::kind::CERTIFICATE | session::kind::COMPRESSED_CERTIFICATE => {
                let unpacked = if kind == session::kind::CERTIFICATE { Ok(Some(body.to_vec())) } else { session::unpacked_certificates(body) };
                let Ok(body) = unpacked else {
                    return cx.anomaly("quic", "bad_length", "a compressed certificate is not what it says");
                };
                let Some(body) = body else { return };
                match session::chain_13(&body) {
                    Ok(chain) => {
                        let server_name = self.hello.as_ref().and_then(|hello| hello.server_name.as_deref());
                        let role = Some(if side == 0 { "client" } else { "server" });
                        x509::emit_chain(cx, &Presented { carrier: "quic", role, server_name }, &chain);
                    }
                    Err(_) => cx.anomaly("quic", "bad_length", "handshake message ends early or contradicts itself"),
                }
            }
            _ => {}
        }
    }

    fn initial(&mut self, cx: &mut Cx<'_>, packet: &Long<'_>, side: usize) -> Option<Opened> {
        if !packet.whole {
            return None;
        }
        let opened = self.open(packet, side)?;
        self.decrypted = true;
        self.largest[side] = self.largest[side].max(Some(opened.number));
        let google = packet::google(packet.version);
        let frames = Frames::parse(&opened.frames, google.is_some());
        for (offset, data) in &frames.crypto {
            self.crypto[side].add(*offset, data);
        }
        if !frames.crypto.is_empty() {
            self.hello(cx, side, google.is_some_and(|name| name[0] == b'Q'));
        }
        if let Some(close) = frames.close {
            self.close.get_or_insert(close);
        }
        Some(Opened { number: opened.number, types: frames.types })
    }

    /// Opens an Initial with the keys at hand, then with those of the ids not tried yet.
    fn open(&mut self, packet: &Long<'_>, side: usize) -> Option<super::keys::Opened> {
        let recipes = recipes(packet.version);
        let known = |keys: &Derived| recipes.contains(&keys.recipe);
        let attempt = |keys: &Derived| keys.sides[side].open(packet.bytes, packet.number_at, self.largest[side]);
        if let Some(opened) = self.keys.iter().rev().filter(|keys| known(keys)).find_map(attempt) {
            return Some(opened);
        }
        if side == 0 {
            // After a refused version the client may have drawn a new id.
            self.seed(packet.dcid);
        }
        for seed in self.seeds.iter().rev() {
            for recipe in recipes {
                if self.keys.iter().any(|keys| keys.recipe == *recipe && keys.seed == *seed) {
                    continue;
                }
                let Some(sides) = Keys::initial(*recipe, seed) else { continue };
                if let Some(opened) = sides[side].open(packet.bytes, packet.number_at, self.largest[side]) {
                    if !self.retry {
                        self.initial_dcid = Some(seed.clone());
                    }
                    if self.keys.len() >= MAX_KEYS {
                        self.keys.remove(0);
                    }
                    self.keys.push(Derived { recipe: *recipe, seed: seed.clone(), sides });
                    return Some(opened);
                }
            }
        }
        None
    }

    /// Reads the hello of client (`side` 0) or server, once it is whole; `google` for Google's own handshake.
    fn hello(&mut self, cx: &mut Cx<'_>, side: usize, google: bool) {
        let crypto = &mut self.crypto[side];
        let fragments = crypto.fragments;
        if google {
            if let Some(hello) = crypto.google() {
                self.greeted(cx, ClientHello { server_name: hello.server_name, user_agent: hello.user_agent, fragments, ..Default::default() });
            }
            return;
        }
        let Some((kind, body)) = crypto.message() else { return };
        match kind {
            session::kind::CLIENT_HELLO if side == 0 => match Hello::client(&body, false) {
                Ok(hello) => self.greeted(cx, read(&hello, fragments)),
                Err(_) => cx.anomaly("quic", "bad_length", "client hello ends early or contradicts itself"),
            },
            session::kind::SERVER_HELLO if side == 1 => match Hello::server(&body) {
                Ok(hello) => {
                    self.cipher = hello.ciphers.first().copied();
                    if let (Some(unlock), Some(cipher), Some(version)) = (&mut self.unlock, self.cipher, self.versions[1]) {
                        self.is_unsupported = !unlock.agreed(cipher, version);
                    }
                    self.note(cx.dir, 'S');
                }
                Err(_) => cx.anomaly("quic", "bad_length", "server hello ends early or contradicts itself"),
            },
            _ => {}
        }
    }

    fn greeted(&mut self, cx: &Cx<'_>, mut hello: ClientHello) {
        self.note(cx.dir, 'S');
        if self.hello.is_none() {
            self.common = cx.common(self.client);
            if let Some(secrets) = cx.shared.keys.as_ref().and_then(|keys| keys.tls(&hello.random)) {
                self.unlock = Some(Box::new(Unlock::new(secrets.clone(), std::mem::take(&mut hello.offered))));
            }
            self.hello = Some(Box::new(hello));
        }
    }

    fn seed(&mut self, id: &[u8]) {
        if self.initial_dcid.is_none() && !self.retry {
            self.initial_dcid = Some(id.to_vec());
        }
        remember(&mut self.seeds, id, MAX_SEEDS);
    }

    fn server_id(&mut self, id: &[u8]) {
        remember(&mut self.server_ids, id, MAX_SERVER_IDS);
    }

    fn note(&mut self, dir: Dir, letter: char) {
        if self.history.len() < MAX_HISTORY {
            self.history.push(if dir == self.client { letter } else { letter.to_ascii_lowercase() });
        }
    }

    /// Writes the row of `decryption`, where keys were given.
    fn write_decryption(&self, cx: &mut Cx<'_>, version: Option<&str>) {
        if cx.shared.keys.is_none() {
            return;
        }
        let status = match &self.unlock {
            _ if self.is_unsupported => "unsupported",
            Some(_) if self.unlocked > 0 && self.locked == 0 => "decrypted",
            Some(_) if self.unlocked > 0 => "partly",
            Some(_) if self.locked > 0 => "failed",
            Some(_) => "no_data",
            None if self.hello.is_some() => "no_key",
            None => "no_handshake",
        };
        let hello = self.hello.as_deref();
        let random = hello.map(|hello| hex(&hello.random));
        let bytes = self.streams.as_ref().map_or([0; 2], |streams| streams.bytes);
        let row = Decryption {
            protocol: Some("quic"),
            client_random: random.as_deref().and_then(filled),
            server_name: hello.and_then(|hello| hello.server_name.as_deref()),
            version,
            cipher: self.cipher.and_then(names::cipher),
            alpn: self.agreed.as_deref(),
            key_source: self.unlock.as_ref().map(|unlock| Source::name(unlock.secrets.source())),
            status: Some(status),
            service: self.streams.as_ref().and_then(|streams| streams.service()),
            client_plain_bytes: bytes.first().copied(),
            server_plain_bytes: bytes.last().copied(),
        };
        cx.emit_as(&self.common, row);
    }

    /// Writes the rows.
    pub fn write(mut self, cx: &mut Cx<'_>) {
        if let Some(streams) = &mut self.streams {
            streams.close(cx);
        }
        let version = self.versions[1].or(self.versions[0]);
        let name = version.map(packet::version_name);
        self.write_decryption(cx, name.as_deref());
        let id = |id: &Option<Vec<u8>>| id.as_deref().map(hex).filter(|id| !id.is_empty());
        let (initial_dcid, client_scid, server_scid) = (id(&self.initial_dcid), id(&self.client_scid), id(&self.server_scid));
        let hello = self.hello.as_deref();
        let alpn: Vec<Cow<'_, str>> = hello.map(|hello| hello.alpn.iter().map(|name| name.as_str().into()).collect()).unwrap_or_default();
        let row = Quic {
            version,
            version_name: name.as_deref(),
            client_initial_dcid: initial_dcid.as_deref(),
            client_scid: client_scid.as_deref(),
            server_scid: server_scid.as_deref(),
            server_name: hello.and_then(|hello| hello.server_name.as_deref()),
            client_protocol: alpn.first().map(AsRef::as_ref),
            alpn: (!alpn.is_empty()).then_some(&alpn),
            ech: hello.and_then(|hello| hello.ech),
            cipher: self.cipher.and_then(names::cipher),
            ja3: hello.and_then(|hello| hello.ja3.as_deref()),
            ja4: hello.and_then(|hello| hello.ja4.as_deref()),
            user_agent: hello.and_then(|hello| hello.user_agent.as_deref()),
            retry: Some(self.retry),
            version_negotiation: Some(self.offered.is_some()),
            offered_versions: self.offered.as_deref(),
            zero_rtt: Some(self.zero_rtt),
            handshake_seen: Some(self.handshake == [true; 2]),
            initial_packets: Some(self.initial_packets),
            handshake_packets: Some(self.handshake_packets),
            short_packets: Some(self.short_packets),
            crypto_fragments: hello.map(|hello| hello.fragments),
            close_error: self.close.as_ref().map(|close| close.code),
            close_reason: self.close.as_ref().and_then(|close| filled(&close.reason)),
            history: filled(&self.history),
            decrypted: Some(self.decrypted),
            ..Default::default()
        };
        cx.emit_as(&self.common, row);
    }
}

/// Keeps an id with the others, the oldest given up.
fn remember(ids: &mut Vec<Vec<u8>>, id: &[u8], most: usize) {
    if !ids.iter().any(|known| known == id) {
        if ids.len() >= most {
            ids.remove(0);
        }
        ids.push(id.to_vec());
    }
}

fn read(hello: &Hello<'_>, fragments: u32) -> ClientHello {
    ClientHello {
        server_name: hello.server_name.as_deref().map(str::to_owned),
        user_agent: google::user_agent(hello.quic_parameters),
        alpn: hello.alpn.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect(),
        ech: Some(hello.ech != 0),
        ja3: Some(ja3(hello).hash),
        ja4: Some(ja4(hello, Carrier::Quic).hash),
        fragments,
        random: hello.random.to_vec(),
        offered: hello.ciphers.clone(),
    }
}

/// A connection of Google's versions before 50, whose packets tell little more than that they are.
pub struct GoogleConnection {
    common: Common,
    client: Dir,
    version: u32,
    id: Vec<u8>,
    hello: Option<google::Hello>,
}

impl GoogleConnection {
    /// A connection whose first packet that names its version is the one at hand.
    pub fn new(cx: &Cx<'_>, header: &google::Header<'_>) -> Self {
        let client = super::client(cx, Kind::Initial);
        Self { common: cx.common(client), client, version: header.version, id: header.id.to_vec(), hello: None }
    }

    /// Takes a packet that names its version.
    pub fn packet(&mut self, cx: &Cx<'_>, header: &google::Header<'_>) {
        if cx.dir != self.client {
            self.version = header.version;
        } else if self.hello.is_none()
            && let Some(hello) = header.hello()
        {
            self.common = cx.common(self.client);
            self.version = header.version;
            self.hello = Some(hello);
        }
    }

    /// Writes the row.
    pub fn write(self, cx: &mut Cx<'_>) {
        let name = packet::version_name(self.version);
        let id = hex(&self.id);
        let row = Quic {
            version: Some(self.version),
            version_name: Some(name.as_ref()),
            client_initial_dcid: filled(&id),
            server_name: self.hello.as_ref().and_then(|hello| hello.server_name.as_deref()),
            user_agent: self.hello.as_ref().and_then(|hello| hello.user_agent.as_deref()),
            ..Default::default()
        };
        cx.emit_as(&self.common, row);
    }
}
