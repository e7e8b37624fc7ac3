//! Opens the records of a connection whose keys are known (RFC 5246, 6; RFC 8446, 5 and 7).
//!
//! The opener follows the handshake beside [`Session`](super::session::Session): randoms and suite tell the keys, the change
//! of cipher specs, Finished and KeyUpdate when each direction turns to them. A record that does not verify ends its
//! direction; after a gap the sequence number is sought among those that the lost records can have had.

use std::sync::Arc;

use pcapper_schema::Common;
use pcapper_schema::tables::Decryption;
use tls_parser::{TlsCipherEnc, TlsCipherEncMode, TlsCipherMac, TlsCipherSuite, TlsPRF};

use super::hello::{Hello, Kind};
use super::session::kind;
use super::{Header, content, names};
use crate::decrypt::cipher::{Aead, AeadKind, BLOCK, MacKind, aes_cbc};
use crate::decrypt::kdf::{Hash, Prf, expand_label};
use crate::decrypt::{Keyring, TlsSecrets};
use crate::protocols::hex::hex;
use crate::protocols::{Cx, Dir};
use crate::wire::{Reader, Wire};

/// Sequence numbers tried for a record behind a gap.
const MAX_WINDOW: u64 = 64;
/// Least octets of a protected record: its header and a tag.
const MIN_RECORD: u64 = 5 + 8;
/// Extension encrypt_then_mac (RFC 7366).
const ENCRYPT_THEN_MAC: u16 = 22;

/// Handshake messages of TLS 1.3 that change keys.
mod message {
    pub const END_OF_EARLY_DATA: u8 = 5;
    pub const FINISHED: u8 = 20;
    pub const KEY_UPDATE: u8 = 24;
}

/// What opening a record gave.
pub enum Opened {
    /// Its content type, and the content.
    Plain(u8, Vec<u8>),
    /// No key for it: it is passed over.
    Sealed,
    /// The first record of this direction that does not verify under its key; no further one is tried.
    Broken,
}

/// How a cipher suite protects records.
#[derive(Clone, Copy, Debug)]
enum Protection {
    Aead(AeadKind),
    /// AES in CBC mode with keys of so many octets (0: no encryption), and an HMAC.
    Block(usize, MacKind),
}

#[derive(Clone, Copy, Debug)]
struct Suite {
    protection: Protection,
    hash: Hash,
}

impl Suite {
    /// A suite that can be opened.
    fn of(code: u16) -> Option<Self> {
        let suite = TlsCipherSuite::from_id(code)?;
        let hash = match suite.prf {
            TlsPRF::Sha384 => Hash::Sha384,
            TlsPRF::Default | TlsPRF::Null | TlsPRF::Sha256 | TlsPRF::Md5AndSha1 | TlsPRF::Sha1 => Hash::Sha256,
            _ => return None,
        };
        let is_short = suite.name.ends_with("CCM_8") || suite.name.contains("CCM_8_");
        let aead = match (suite.enc, suite.enc_mode, suite.enc_size) {
            (TlsCipherEnc::Aes, TlsCipherEncMode::Gcm, 128) => Some(AeadKind::Aes128Gcm),
            (TlsCipherEnc::Aes, TlsCipherEncMode::Gcm, 256) => Some(AeadKind::Aes256Gcm),
            (TlsCipherEnc::Aes, TlsCipherEncMode::Ccm, 128) if is_short => Some(AeadKind::Aes128Ccm8),
            (TlsCipherEnc::Aes, TlsCipherEncMode::Ccm, 256) if is_short => Some(AeadKind::Aes256Ccm8),
            (TlsCipherEnc::Aes, TlsCipherEncMode::Ccm, 128) => Some(AeadKind::Aes128Ccm),
            (TlsCipherEnc::Aes, TlsCipherEncMode::Ccm, 256) => Some(AeadKind::Aes256Ccm),
            (TlsCipherEnc::Chacha20_Poly1305, ..) => Some(AeadKind::ChaCha20Poly1305),
            _ => None,
        };
        if let Some(aead) = aead {
            return Some(Self { protection: Protection::Aead(aead), hash });
        }
        let mac = match suite.mac {
            TlsCipherMac::HmacMd5 => MacKind::Md5,
            TlsCipherMac::HmacSha1 => MacKind::Sha1,
            TlsCipherMac::HmacSha256 => MacKind::Sha256,
            TlsCipherMac::HmacSha384 => MacKind::Sha384,
            _ => return None,
        };
        let key = match (suite.enc, suite.enc_mode, suite.enc_size) {
            (TlsCipherEnc::Aes, TlsCipherEncMode::Cbc, 128) => 16,
            (TlsCipherEnc::Aes, TlsCipherEncMode::Cbc, 256) => 32,
            (TlsCipherEnc::Null, ..) => 0,
            _ => return None,
        };
        Some(Self { protection: Protection::Block(key, mac), hash })
    }
}

/// The suite does not encrypt: what it carries can be read without keys.
pub fn is_null(code: u16) -> bool {
    matches!(Suite::of(code), Some(Suite { protection: Protection::Block(0, _), .. }))
}

/// AEAD and hash of a suite of TLS 1.3, as QUIC uses them.
pub fn aead_13(code: u16) -> Option<(AeadKind, Hash)> {
    match Suite::of(code).filter(|_| code >> 8 == 0x13)? {
        Suite { protection: Protection::Aead(kind), hash } => Some((kind, hash)),
        Suite { .. } => None,
    }
}

/// Keys of one direction.
enum Keys {
    Aead {
        aead: Aead,
        /// Twelve octets, or the four that TLS 1.2 puts before the nonce that a record brings.
        iv: Vec<u8>,
    },
    Block {
        mac: MacKind,
        /// `None` where a suite without encryption is read without its key: then nothing is verified.
        mac_key: Option<Vec<u8>>,
        key: Vec<u8>,
        /// TLS 1.0: last block of ciphertext, which the next record starts from; `None` once it is lost.
        chained: Option<[u8; BLOCK]>,
        is_chained: bool,
        encrypt_then_mac: bool,
    },
}

impl Keys {
    /// Keys of TLS 1.3.
    fn of_secret(kind: AeadKind, hash: Hash, secret: &[u8]) -> Option<Self> {
        let key = expand_label(hash, secret, "key", kind.key_size())?;
        Some(Self::Aead { aead: Aead::new(kind, &key)?, iv: expand_label(hash, secret, "iv", 12)? })
    }

    /// Content type and content of the record with this sequence number; `None` unless it verifies.
    fn open(&self, header: Header, body: &[u8], sequence: u64, is_13: bool) -> Option<(u8, Vec<u8>)> {
        match self {
            Self::Aead { aead, iv } if is_13 => {
                let [high, low] = u16::try_from(header.length).ok()?.to_be_bytes();
                let [major, minor] = header.version.to_be_bytes();
                let plain = aead.open(&xored(iv, sequence)?, &[header.content, major, minor, high, low], body)?;
                // Zeros pad; the last octet that is none is the content type (RFC 8446, 5.4).
                let end = plain.iter().rposition(|octet| *octet != 0)?;
                let kind = *plain.get(end)?;
                Some((kind, plain.get(..end)?.to_vec()))
            }
            Self::Aead { aead, iv } => {
                let (nonce, sealed) = match iv.len() {
                    4 => {
                        let (explicit, sealed) = body.split_first_chunk::<8>()?;
                        ([iv.as_slice(), explicit].concat().try_into().ok()?, sealed)
                    }
                    _ => (xored(iv, sequence)?, body),
                };
                let tag = match aead {
                    Aead::Aes128Ccm8(_) | Aead::Aes256Ccm8(_) => 8,
                    _ => 16,
                };
                let length = u16::try_from(sealed.len().checked_sub(tag)?).ok()?;
                let plain = aead.open(&nonce, &pseudo_header(sequence, header, length), sealed)?;
                Some((header.content, plain))
            }
            Self::Block { mac, mac_key, key, chained, is_chained, encrypt_then_mac } => {
                let mut body = body;
                let verify = |length: usize, parts: &[&[u8]], tag: &[u8]| {
                    let Some(mac_key) = mac_key else { return true };
                    let Ok(length) = u16::try_from(length) else { return false };
                    let start = pseudo_header(sequence, header, length);
                    let mut whole: Vec<&[u8]> = vec![&start];
                    whole.extend_from_slice(parts);
                    mac.verifies(mac_key, &whole, tag)
                };
                if *encrypt_then_mac && !key.is_empty() {
                    let (ciphertext, tag) = body.split_at_checked(body.len().checked_sub(mac.size())?)?;
                    if !verify(ciphertext.len(), &[ciphertext], tag) {
                        return None;
                    }
                    body = ciphertext;
                }
                let plain = if key.is_empty() {
                    body.to_vec()
                } else {
                    let (iv, ciphertext) = match is_chained {
                        true => ((*chained)?, body),
                        false => body.split_first_chunk::<BLOCK>().map(|(iv, rest)| (*iv, rest))?,
                    };
                    let mut plain = aes_cbc(key, &iv, ciphertext)?;
                    let padding = usize::from(*plain.last()?);
                    let end = plain.len().checked_sub(padding + 1)?;
                    if plain.get(end..)?.iter().any(|octet| usize::from(*octet) != padding) {
                        return None;
                    }
                    plain.truncate(end);
                    plain
                };
                if *encrypt_then_mac && !key.is_empty() {
                    return Some((header.content, plain));
                }
                let (content, tag) = plain.split_at_checked(plain.len().checked_sub(mac.size())?)?;
                verify(content.len(), &[content], tag).then(|| (header.content, content.to_vec()))
            }
        }
    }

    /// A record went by, be it opened or not.
    fn passed(&mut self, body: &[u8]) {
        if let Self::Block { chained, is_chained: true, encrypt_then_mac, mac, .. } = self {
            let ciphertext = if *encrypt_then_mac { body.get(..body.len().saturating_sub(mac.size())) } else { Some(body) };
            *chained = ciphertext.and_then(|ciphertext| ciphertext.last_chunk::<BLOCK>().copied());
        }
    }
}

/// The nonce of a record: its number folded into the IV (RFC 8446, 5.3).
fn xored(iv: &[u8], sequence: u64) -> Option<[u8; 12]> {
    let mut nonce: [u8; 12] = iv.try_into().ok()?;
    for (octet, part) in nonce.iter_mut().skip(4).zip(sequence.to_be_bytes()) {
        *octet ^= part;
    }
    Some(nonce)
}

/// What TLS before 1.3 authenticates beside the content (RFC 5246, 6.2.3).
fn pseudo_header(sequence: u64, header: Header, length: u16) -> [u8; 13] {
    let [s0, s1, s2, s3, s4, s5, s6, s7] = sequence.to_be_bytes();
    let ([major, minor], [high, low]) = (header.version.to_be_bytes(), length.to_be_bytes());
    [s0, s1, s2, s3, s4, s5, s6, s7, header.content, major, minor, high, low]
}

/// Which keys of TLS 1.3 a direction is at.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
enum Epoch {
    #[default]
    Clear,
    Early,
    Handshake,
    Traffic,
}

/// One direction.
#[derive(Default)]
struct Side {
    keys: Option<Keys>,
    /// Keys that the next ChangeCipherSpec turns to.
    next: Option<Keys>,
    epoch: Epoch,
    /// Epoch that the next record is in.
    turn: Option<Epoch>,
    /// The traffic secret in use, from which KeyUpdate derives the next.
    secret: Vec<u8>,
    update: bool,
    sequence: u64,
    /// Records that may have been lost before the next one.
    window: u64,
    /// Records that do not verify are nobody's fault until one does: early data whose keys are not known, or lost records.
    lenient: bool,
    stopped: bool,
    /// Encrypted records that were, or were not, opened.
    opened: u64,
    sealed: u64,
    /// Octets of application data.
    bytes: u64,
}

impl Side {
    fn turn_to(&mut self, epoch: Epoch, keys: Option<Keys>, secret: &[u8]) {
        *self = Self {
            keys,
            epoch,
            secret: secret.to_vec(),
            lenient: self.lenient,
            stopped: self.stopped,
            opened: self.opened,
            sealed: self.sealed,
            bytes: self.bytes,
            ..Self::default()
        };
    }

    /// Tries the keys at hand.
    fn attempt(&mut self, header: Header, body: &[u8], is_13: bool) -> Option<(u8, Vec<u8>)> {
        let keys = self.keys.as_ref()?;
        let last = self.sequence.saturating_add(self.window);
        let (sequence, plain) = (self.sequence..=last).find_map(|sequence| Some((sequence, keys.open(header, body, sequence, is_13)?)))?;
        self.sequence = sequence.saturating_add(1);
        self.window = 0;
        self.lenient = false;
        self.opened = self.opened.saturating_add(1);
        Some(plain)
    }
}

/// The last client hello.
struct Greeting {
    common: Common,
    random: Vec<u8>,
    server_name: Option<String>,
    offered: Vec<u16>,
}

/// Opens one connection's records.
#[derive(Default)]
pub struct Opener {
    keyring: Option<Arc<Keyring>>,
    client: Option<Dir>,
    greeting: Option<Greeting>,
    /// Client random of the first handshake, which names the session.
    random: Option<Vec<u8>>,
    secrets: Option<TlsSecrets>,
    version: Option<u16>,
    cipher: Option<u16>,
    suite: Option<Suite>,
    alpn: Option<String>,
    /// The suite, or compression, is one that cannot be opened.
    is_unsupported: bool,
    sides: [Side; 2],
}

impl Opener {
    /// An opener with these keys; without any it reads suites that do not encrypt.
    pub fn new(keyring: Option<Arc<Keyring>>) -> Self {
        Self { keyring, ..Self::default() }
    }

    fn side(&mut self, dir: Dir) -> &mut Side {
        let [orig, resp] = &mut self.sides;
        if dir == Dir::Orig { orig } else { resp }
    }

    fn is_13(&self) -> bool {
        self.version.is_some_and(names::is_13)
    }

    /// Protocol agreed by ALPN.
    pub fn alpn(&self) -> Option<&str> {
        self.alpn.as_deref()
    }

    /// The handshake of TLS 1.3 goes on in records that can be opened.
    pub fn opens_handshake(&self) -> bool {
        self.secrets.as_ref().is_some_and(|secrets| secrets.handshake.iter().all(Option::is_some))
    }

    /// Takes a handshake message, sent in the clear or opened.
    pub fn message(&mut self, cx: &Cx<'_>, message_type: u8, body: &[u8]) {
        // What cannot be read is told by the session.
        let _ = match message_type {
            kind::CLIENT_HELLO => self.client_hello(cx, body),
            kind::SERVER_HELLO => self.server_hello(cx, body),
            kind::ENCRYPTED_EXTENSIONS if self.is_13() => self.extensions(body),
            message::FINISHED if self.is_13() => {
                let side = self.side(cx.dir);
                if side.epoch == Epoch::Handshake {
                    side.turn = Some(Epoch::Traffic);
                }
                Ok(())
            }
            message::END_OF_EARLY_DATA if self.is_13() => {
                self.side(cx.dir).turn = Some(Epoch::Handshake);
                Ok(())
            }
            message::KEY_UPDATE if self.is_13() => {
                let side = self.side(cx.dir);
                side.update = side.epoch == Epoch::Traffic;
                Ok(())
            }
            _ => Ok(()),
        };
    }

    fn client_hello(&mut self, cx: &Cx<'_>, body: &[u8]) -> Wire<()> {
        let hello = Hello::client(body, false)?;
        self.client = Some(cx.dir);
        self.secrets = self.keyring.as_ref().and_then(|keyring| keyring.tls(hello.random)).cloned();
        self.random.get_or_insert_with(|| hello.random.to_vec());
        self.greeting = Some(Greeting {
            common: self.greeting.take().map_or_else(|| cx.common(cx.dir), |greeting| greeting.common),
            random: hello.random.to_vec(),
            server_name: hello.server_name.as_deref().map(str::to_owned),
            offered: hello.ciphers.clone(),
        });
        let early = hello.early_data;
        let secret = self.secrets.as_ref().and_then(|secrets| secrets.client_early.clone());
        let side = self.side(cx.dir);
        if early && side.keys.is_none() {
            side.epoch = Epoch::Early;
            side.lenient = true;
            side.secret = secret.map(Vec::from).unwrap_or_default();
        }
        Ok(())
    }

    fn server_hello(&mut self, cx: &Cx<'_>, body: &[u8]) -> Wire<()> {
        let hello = Hello::server(body)?;
        if hello.kind == Kind::Retry {
            return Ok(());
        }
        self.client = Some(cx.dir.reverse());
        let version = hello.agreed_version();
        let cipher = hello.ciphers.first().copied();
        self.version = Some(version);
        self.cipher = cipher;
        self.suite = cipher.and_then(Suite::of);
        if let Some(alpn) = hello.alpn.first() {
            self.alpn = Some(String::from_utf8_lossy(alpn).into_owned());
        }
        let compresses = hello.compression.is_some_and(|method| method != 0);
        self.is_unsupported = self.suite.is_none() || compresses || !(0x0301..=0x0304).contains(&version) && !names::is_13(version);
        if self.is_unsupported {
            return Ok(());
        }
        if self.is_13() {
            self.begin_13(cx.dir);
        } else {
            self.begin_12(cx.dir, &hello);
        }
        Ok(())
    }

    /// Keys of both directions are known and wait for the ChangeCipherSpec of each.
    fn begin_12(&mut self, server: Dir, hello: &Hello<'_>) {
        let Some(suite) = self.suite else { return };
        let is_12 = self.version == Some(0x0303);
        let prf = if is_12 { Prf::Of(suite.hash) } else { Prf::Md5Sha1 };
        let encrypt_then_mac = hello.extensions.contains(&ENCRYPT_THEN_MAC);
        let is_chained = self.version == Some(0x0301);
        let master = self.secrets.as_ref().and_then(|secrets| secrets.master.as_deref());
        let Some((master, greeting)) = master.zip(self.greeting.as_ref()) else {
            if let Protection::Block(0, mac) = suite.protection {
                for side in &mut self.sides {
                    side.next = Some(Keys::Block { mac, mac_key: None, key: Vec::new(), chained: None, is_chained: false, encrypt_then_mac: false });
                }
            }
            return;
        };
        let (mac_size, key_size, iv_size) = match suite.protection {
            Protection::Aead(AeadKind::ChaCha20Poly1305) => (0, 32, 12),
            Protection::Aead(kind) => (0, kind.key_size(), 4),
            Protection::Block(key, mac) => (mac.size(), key, if is_chained && key > 0 { BLOCK } else { 0 }),
        };
        let Some(block) = prf.derive(master, b"key expansion", &[hello.random, &greeting.random], 2 * (mac_size + key_size + iv_size)) else {
            return;
        };
        let mut reader = Reader::new(&block);
        let mut pair = |size: usize| -> Wire<[Vec<u8>; 2]> { Ok([reader.take(size)?.to_vec(), reader.take(size)?.to_vec()]) };
        let (Ok(macs), Ok(keys), Ok(ivs)) = (pair(mac_size), pair(key_size), pair(iv_size)) else { return };
        for (dir, ((mac_key, key), iv)) in [server.reverse(), server].into_iter().zip(macs.into_iter().zip(keys).zip(ivs)) {
            self.side(dir).next = match suite.protection {
                Protection::Aead(kind) => Aead::new(kind, &key).map(|aead| Keys::Aead { aead, iv }),
                Protection::Block(_, mac) => {
                    Some(Keys::Block { mac, mac_key: Some(mac_key), key, chained: iv.try_into().ok(), is_chained, encrypt_then_mac })
                }
            };
        }
    }

    fn begin_13(&mut self, server: Dir) {
        self.turn_to(server, Epoch::Handshake);
        if self.side(server.reverse()).epoch != Epoch::Early || self.side(server.reverse()).secret.is_empty() {
            self.turn_to(server.reverse(), Epoch::Handshake);
        }
    }

    /// Keys of TLS 1.3 for a direction and epoch, and the secret they come from.
    fn keys_13(&self, dir: Dir, epoch: Epoch) -> Option<(Keys, Vec<u8>)> {
        let suite = self.suite?;
        let Protection::Aead(kind) = suite.protection else { return None };
        let which = usize::from(self.client? != dir);
        let secrets = self.secrets.as_ref()?;
        let secret = match epoch {
            Epoch::Clear | Epoch::Early => None,
            Epoch::Handshake => secrets.handshake.get(which)?.as_deref(),
            Epoch::Traffic => secrets.traffic.get(which)?.as_deref(),
        }?;
        Some((Keys::of_secret(kind, suite.hash, secret)?, secret.to_vec()))
    }

    fn turn_to(&mut self, dir: Dir, epoch: Epoch) {
        let (keys, secret) = self.keys_13(dir, epoch).unzip();
        self.side(dir).turn_to(epoch, keys, secret.as_deref().unwrap_or_default());
    }

    /// `dir` changes its keys (before TLS 1.3).
    pub fn change_cipher_spec(&mut self, dir: Dir) {
        if self.is_13() {
            return;
        }
        let side = self.side(dir);
        if side.next.is_some() || side.keys.is_some() {
            let next = side.next.take();
            side.turn_to(Epoch::Traffic, next, &[]);
        }
    }

    /// Records of this type from `dir` come encrypted, and there is hope to open them.
    pub fn is_sealed(&self, dir: Dir, content_type: u8) -> bool {
        let [orig, resp] = &self.sides;
        let side = if dir == Dir::Orig { orig } else { resp };
        if side.stopped || self.is_unsupported {
            return false;
        }
        if self.is_13() || side.epoch == Epoch::Early {
            return content_type == content::APPLICATION_DATA && self.secrets.is_some();
        }
        side.keys.is_some()
    }

    /// Opens a record.
    pub(super) fn open(&mut self, dir: Dir, header: Header, body: &[u8]) -> Opened {
        let is_13 = self.is_13();
        let plain = if is_13 || self.side(dir).epoch == Epoch::Early {
            self.open_13(dir, header, body)
        } else {
            let side = self.side(dir);
            let plain = side.attempt(header, body, false);
            if let Some(keys) = &mut side.keys {
                keys.passed(body);
            }
            plain
        };
        let side = self.side(dir);
        match plain {
            Some((content_type, plain)) => {
                if content_type == content::APPLICATION_DATA {
                    side.bytes = side.bytes.saturating_add(plain.len() as u64);
                }
                Opened::Plain(content_type, plain)
            }
            None => {
                side.sealed = side.sealed.saturating_add(1);
                // A chain of blocks that was cut starts again with the record behind.
                let is_cut = matches!(&side.keys, Some(Keys::Block { is_chained: true, .. })) && side.window > 0;
                if side.lenient || side.keys.is_none() || is_cut && side.window < MAX_WINDOW {
                    side.window = if is_cut { side.window + 1 } else { side.window };
                    return Opened::Sealed;
                }
                side.stopped = true;
                Opened::Broken
            }
        }
    }

    fn open_13(&mut self, dir: Dir, header: Header, body: &[u8]) -> Option<(u8, Vec<u8>)> {
        if self.side(dir).epoch == Epoch::Early && self.side(dir).keys.is_none() {
            self.begin_early(dir, header, body);
        }
        if let Some(plain) = self.side(dir).attempt(header, body, true) {
            return Some(plain);
        }
        // Early data that the server refused has no end; and the message that turned the keys may have been lost or not be
        // readable without a key of its own.
        let side = self.side(dir);
        let later: &[Epoch] = match side.epoch {
            Epoch::Early => &[Epoch::Handshake, Epoch::Traffic],
            Epoch::Handshake if side.keys.is_none() || side.window > 0 => &[Epoch::Traffic],
            _ => &[],
        };
        for epoch in later {
            let Some((keys, secret)) = self.keys_13(dir, *epoch) else { continue };
            let window = self.side(dir).window;
            let mut next = Side { keys: Some(keys), window, ..Side::default() };
            if let Some(plain) = next.attempt(header, body, true) {
                let (sequence, keys) = (next.sequence, next.keys.take());
                let side = self.side(dir);
                side.turn_to(*epoch, keys, &secret);
                (side.sequence, side.lenient, side.opened) = (sequence, false, side.opened.saturating_add(1));
                return Some(plain);
            }
        }
        None
    }

    /// Early data come before the server has said which suite: of those offered, the one that opens them is it.
    fn begin_early(&mut self, dir: Dir, header: Header, body: &[u8]) {
        let Some(greeting) = &self.greeting else { return };
        let [orig, resp] = &self.sides;
        let secret = if dir == Dir::Orig { &orig.secret } else { &resp.secret };
        let found = greeting.offered.iter().filter_map(|code| aead_13(*code)).find_map(|(kind, hash)| {
            let keys = Keys::of_secret(kind, hash, secret)?;
            keys.open(header, body, 0, true).is_some().then_some(keys)
        });
        self.side(dir).keys = found;
    }

    /// The record at hand is done with: keys turn between records.
    pub fn record_done(&mut self, dir: Dir) {
        if let Some(epoch) = self.side(dir).turn.take() {
            self.turn_to(dir, epoch);
        }
        if std::mem::take(&mut self.side(dir).update)
            && let Some(Suite { protection: Protection::Aead(kind), hash }) = self.suite
            && let Some(secret) = expand_label(hash, &self.side(dir).secret, "traffic upd", hash.size())
        {
            let keys = Keys::of_secret(kind, hash, &secret);
            self.side(dir).turn_to(Epoch::Traffic, keys, &secret);
        }
    }

    /// One record of `dir` was lost.
    pub fn lost_one(&mut self, dir: Dir) {
        let side = self.side(dir);
        side.sequence = side.sequence.saturating_add(1);
        side.sealed = side.sealed.saturating_add(1);
        // The next record of TLS 1.0 starts from a block that is not known.
        if let Some(Keys::Block { chained, .. }) = &mut side.keys {
            *chained = None;
            side.window = side.window.max(1);
        }
    }

    /// So many octets of `dir` were lost, and with them nobody knows how many records.
    pub fn lost(&mut self, dir: Dir, octets: u64) {
        let side = self.side(dir);
        side.window = side.window.saturating_add(octets / MIN_RECORD).saturating_add(1).min(MAX_WINDOW);
        if let Some(Keys::Block { chained, .. }) = &mut side.keys {
            *chained = None;
        }
    }

    fn extensions(&mut self, body: &[u8]) -> Wire<()> {
        let hello = Hello::encrypted_extensions(body)?;
        self.alpn = hello.alpn.first().map(|name| String::from_utf8_lossy(name).into_owned());
        Ok(())
    }

    /// Writes the connection's row of `decryption`; `service` is what the plaintext turned out to be.
    pub fn write(&self, cx: &mut Cx<'_>, service: Option<&str>) {
        let opened: u64 = self.sides.iter().map(|side| side.opened).fold(0, u64::saturating_add);
        let is_whole = self.sides.iter().all(|side| side.sealed == 0 && !side.stopped);
        let has_sealed = self.sides.iter().any(|side| side.sealed > 0 || side.stopped);
        let is_clear = self.cipher.is_some_and(is_null);
        if self.keyring.is_none() && !is_clear {
            return;
        }
        let status = match (&self.greeting, &self.secrets) {
            _ if self.is_unsupported => "unsupported",
            _ if opened > 0 && is_clear => "clear",
            _ if opened > 0 && is_whole => "decrypted",
            _ if opened > 0 => "partly",
            (None, _) => "no_handshake",
            (_, None) => "no_key",
            _ if has_sealed => "failed",
            _ => "no_data",
        };
        let client = self.client.unwrap_or(Dir::Orig);
        let common = self.greeting.as_ref().map_or_else(|| cx.common(client), |greeting| greeting.common);
        let random = self.random.as_deref().map(hex);
        let version = self.version.and_then(names::version);
        let bytes = |dir: Dir| self.sides.get(dir.index()).map(|side| side.bytes);
        let row = Decryption {
            protocol: Some("tls"),
            client_random: random.as_deref(),
            server_name: self.greeting.as_ref().and_then(|greeting| greeting.server_name.as_deref()),
            version: version.as_deref(),
            cipher: self.cipher.and_then(names::cipher),
            alpn: self.alpn.as_deref(),
            key_source: self.secrets.as_ref().map(|secrets| secrets.source().name()),
            status: Some(status),
            service,
            client_plain_bytes: bytes(client),
            server_plain_bytes: bytes(client.reverse()),
        };
        cx.emit_as(&common, row);
    }
}
