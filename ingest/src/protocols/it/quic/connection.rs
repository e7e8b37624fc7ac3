//! What the packets of one connection amount to: a row of `quic`.

use std::borrow::Cow;

use pcapper_schema::Common;
use pcapper_schema::tables::Quic;

use super::filled;
use super::frames::{Close, Crypto, Frames};
use super::google;
use super::keys::{Keys, Recipe, recipes};
use super::packet::{self, Kind, Long};
use crate::protocols::hex::hex;
use crate::protocols::it::tls::fingerprints::{Carrier, ja3, ja4};
use crate::protocols::it::tls::{hello::Hello, names, session};
use crate::protocols::{Cx, Dir};

/// Connection ids that keys are derived from: the first, and after a Retry or another version the next.
const MAX_SEEDS: usize = 4;
/// Keys kept: a few versions and seeds.
const MAX_KEYS: usize = 8;
/// Ids of the server that are remembered.
const MAX_SERVER_IDS: usize = 4;
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
        if dir == self.client { self.server_ids.iter().any(starts) } else { self.client_scid.as_ref().is_some_and(starts) }
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
        if packet.kind == Kind::Initial { self.initial(cx, packet, side) } else { None }
    }

    /// Counts a packet with a short header.
    pub fn short(&mut self, dir: Dir) {
        self.short_packets = self.short_packets.saturating_add(1);
        self.note(dir, 'O');
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
                    self.note(cx.dir, 'S');
                }
                Err(_) => cx.anomaly("quic", "bad_length", "server hello ends early or contradicts itself"),
            },
            _ => {}
        }
    }

    fn greeted(&mut self, cx: &Cx<'_>, hello: ClientHello) {
        self.note(cx.dir, 'S');
        if self.hello.is_none() {
            self.common = cx.common(self.client);
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

    /// Writes the row.
    pub fn write(self, cx: &mut Cx<'_>) {
        let version = self.versions[1].or(self.versions[0]);
        let name = version.map(packet::version_name);
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
