//! Opens the packets of a connection whose shared secret is known (RFC 4253, 6 to 8; RFC 4419; RFC 5647; OpenSSH PROTOCOL).
//!
//! The exchange hash and the session id are computed anew from the handshake, so that the shared secret is all that must be
//! known. A packet that does not verify ends its direction.

use std::sync::Arc;

use aes::{Aes128, Aes192, Aes256};
use chacha20::ChaCha20;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher, StreamCipherSeek};
use flate2::{Decompress, FlushDecompress};
use poly1305::Poly1305;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::decrypt::cipher::{Aead, AeadKind, BLOCK, MacKind, aes_cbc};
use crate::decrypt::{Keyring, Source};
use crate::protocols::Dir;
use crate::wire::{Malformed, Reader, Wire};

/// Longest packet.
const MAX_PACKET: usize = 256 << 10;
/// Longest payload that a packet unpacks to.
const MAX_UNPACKED: usize = 1 << 20;

/// Names of the algorithms agreed on.
#[derive(Clone, Default)]
pub struct Agreed {
    pub kex: String,
    /// Of client and server.
    pub ciphers: [String; 2],
    pub macs: [String; 2],
    pub compressions: [String; 2],
    /// Sequence numbers start anew with new keys.
    pub is_strict: bool,
}

/// What the encrypted bytes on offer begin with.
pub enum Taken {
    /// A packet of so many octets, and its payload.
    Packet(usize, Vec<u8>),
    /// It is not here in whole.
    More,
    /// It does not verify; no further one is tried.
    Broken,
}

/// AES in counter mode.
enum Counter {
    Aes128(Box<Ctr128BE<Aes128>>),
    Aes192(Box<Ctr128BE<Aes192>>),
    Aes256(Box<Ctr128BE<Aes256>>),
}

impl Counter {
    fn new(key: &[u8], iv: &[u8]) -> Option<Self> {
        Some(match key.len() {
            16 => Self::Aes128(Box::new(Ctr128BE::new_from_slices(key, iv).ok()?)),
            24 => Self::Aes192(Box::new(Ctr128BE::new_from_slices(key, iv).ok()?)),
            _ => Self::Aes256(Box::new(Ctr128BE::new_from_slices(key, iv).ok()?)),
        })
    }

    /// Decrypts what lies at an offset of the stream.
    fn apply(&mut self, offset: u64, bytes: &mut [u8]) -> Option<()> {
        fn apply(cipher: &mut (impl StreamCipher + StreamCipherSeek), offset: u64, bytes: &mut [u8]) -> Option<()> {
            cipher.try_seek(offset).ok()?;
            cipher.try_apply_keystream(bytes).ok()
        }
        match self {
            Self::Aes128(cipher) => apply(&mut **cipher, offset, bytes),
            Self::Aes192(cipher) => apply(&mut **cipher, offset, bytes),
            Self::Aes256(cipher) => apply(&mut **cipher, offset, bytes),
        }
    }
}

/// How a direction's packets are protected.
enum Cipher {
    /// Nonces count on from the first (RFC 5647, 7.1).
    Gcm {
        aead: Aead,
        nonce: [u8; 12],
    },
    /// One key for lengths, one for the rest (OpenSSH PROTOCOL.chacha20poly1305).
    ChaCha20 {
        main: [u8; 32],
        length: [u8; 32],
    },
    /// An offset in the key stream, and a MAC.
    Counter {
        cipher: Counter,
        offset: u64,
        mac: Mac,
    },
    Cbc {
        key: Vec<u8>,
        iv: [u8; BLOCK],
        mac: Mac,
    },
}

struct Mac {
    kind: MacKind,
    key: Vec<u8>,
    /// Over the ciphertext rather than the plaintext.
    is_outside: bool,
}

impl Mac {
    fn of(name: &str) -> Option<(MacKind, bool)> {
        let (bare, is_outside) = name.strip_suffix("-etm@openssh.com").map_or((name, false), |bare| (bare, true));
        let kind = match bare {
            "hmac-md5" => MacKind::Md5,
            "hmac-sha1" => MacKind::Sha1,
            "hmac-sha2-256" => MacKind::Sha256,
            "hmac-sha2-512" => MacKind::Sha512,
            _ => return None,
        };
        Some((kind, is_outside))
    }

    fn verifies(&self, sequence: u32, parts: &[&[u8]], tag: &[u8]) -> bool {
        let sequence = sequence.to_be_bytes();
        let mut whole: Vec<&[u8]> = vec![&sequence];
        whole.extend_from_slice(parts);
        self.kind.verifies(&self.key, &whole, tag)
    }
}

/// One direction.
#[derive(Default)]
struct Side {
    /// Version line, without its end.
    version: Vec<u8>,
    /// Last KEXINIT, with its code.
    init: Vec<u8>,
    sequence: u32,
    cipher: Option<Cipher>,
    unpack: Option<Decompress>,
    stopped: bool,
    opened: u64,
}

/// Raw fields of a key exchange, each behind its length as on the wire.
#[derive(Default)]
struct Exchange {
    /// Sizes asked for, and the group given (RFC 4419).
    sizes: Vec<u8>,
    group: Vec<u8>,
    host_key: Vec<u8>,
    client: Vec<u8>,
    server: Vec<u8>,
}

/// The keys that an exchange gave.
struct Keys {
    secret: Vec<u8>,
    hash: Vec<u8>,
    agreed: Agreed,
}

/// Opens one connection's packets.
pub struct Opener {
    keyring: Arc<Keyring>,
    sides: [Side; 2],
    exchange: Exchange,
    keys: Option<Keys>,
    session: Option<Vec<u8>>,
    /// Where the first exchange's secret came from.
    pub source: Option<Source>,
    /// An exchange, cipher or MAC that cannot be opened.
    pub is_unsupported: bool,
    /// The user is logged in: delayed compression begins.
    is_in: bool,
}

impl Opener {
    pub fn new(keyring: Arc<Keyring>) -> Self {
        Self {
            keyring,
            sides: Default::default(),
            exchange: Exchange::default(),
            keys: None,
            session: None,
            source: None,
            is_unsupported: false,
            is_in: false,
        }
    }

    fn side(&mut self, dir: Dir) -> &mut Side {
        let [client, server] = &mut self.sides;
        if dir == Dir::Orig { client } else { server }
    }

    pub fn version(&mut self, dir: Dir, line: &[u8]) {
        self.side(dir).version = line.to_vec();
    }

    /// Cookie of the client's first KEXINIT that was seen, by which key logs name the exchange.
    pub fn cookie(&self) -> Option<&[u8]> {
        let [client, _] = &self.sides;
        client.init.get(1..17)
    }

    /// Packets of a direction that were opened.
    pub fn opened(&self) -> u64 {
        self.sides.iter().map(|side| side.opened).fold(0, u64::saturating_add)
    }

    /// Encrypted packets of `dir` can be opened.
    pub fn opens(&self, dir: Dir) -> bool {
        let [client, server] = &self.sides;
        let side = if dir == Dir::Orig { client } else { server };
        side.cipher.is_some() && !side.stopped
    }

    /// Some direction stopped.
    pub fn has_stopped(&self) -> bool {
        self.sides.iter().any(|side| side.stopped)
    }

    /// A packet in clear went by.
    pub fn counted(&mut self, dir: Dir) {
        let side = self.side(dir);
        side.sequence = side.sequence.wrapping_add(1);
    }

    /// Takes a message: what belongs to the key exchange is kept. `is_group` for a group exchange (RFC 4419).
    pub fn message(&mut self, dir: Dir, payload: &[u8], is_group: bool) {
        let Some((&code, body)) = payload.split_first() else { return };
        match (code, is_group) {
            (20, _) => {
                self.side(dir).init = payload.to_vec();
                self.exchange = Exchange::default();
                self.keys = None;
            }
            (30, true) | (34, true) => self.exchange.sizes = body.to_vec(),
            (31, true) => self.exchange.group = body.to_vec(),
            (30, false) | (32, true) => self.exchange.client = body.to_vec(),
            (31, false) | (33, true) => {
                let mut reader = Reader::new(body);
                if let (Ok(host_key), Ok(server)) = (field(&mut reader), field(&mut reader)) {
                    self.exchange.host_key = host_key.to_vec();
                    self.exchange.server = server.to_vec();
                }
            }
            (52, _) => self.is_in = true,
            _ => {}
        }
    }

    /// `dir` turns to the keys of the last exchange.
    pub fn new_keys(&mut self, dir: Dir, agreed: Option<Agreed>) {
        if self.keys.is_none() {
            self.keys = agreed.and_then(|agreed| self.derive(agreed));
        }
        let which = usize::from(dir == Dir::Resp);
        let cipher = self.keys.as_ref().and_then(|keys| keys.cipher(which, self.session.as_deref()?));
        let is_strict = self.keys.as_ref().is_some_and(|keys| keys.agreed.is_strict);
        let packs = self.keys.as_ref().and_then(|keys| keys.agreed.compressions.get(which)).cloned().unwrap_or_default();
        self.is_unsupported |= self.keys.is_some() && cipher.is_none();
        let is_in = self.is_in;
        let side = self.side(dir);
        side.cipher = cipher;
        if is_strict {
            side.sequence = 0;
        }
        side.unpack = (packs == "zlib" || packs == "zlib@openssh.com" && is_in).then(|| Decompress::new(true));
    }

    /// The login succeeded: compression that waits for it begins behind this message.
    pub fn logged_in(&mut self) {
        let delayed = self.keys.as_ref().map(|keys| keys.agreed.compressions.clone()).unwrap_or_default();
        for (side, packs) in self.sides.iter_mut().zip(delayed) {
            if packs == "zlib@openssh.com" && side.unpack.is_none() {
                side.unpack = Some(Decompress::new(true));
            }
        }
    }

    fn derive(&mut self, agreed: Agreed) -> Option<Keys> {
        let [client, server] = &self.sides;
        let (source, secret) = self.keyring.ssh(client.init.get(1..17)?)?;
        let Some((hash, is_number)) = method(&agreed.kex) else {
            self.is_unsupported = true;
            return None;
        };
        let secret = if is_number { number(secret) } else { counted(secret) };
        let exchange = &self.exchange;
        if exchange.host_key.is_empty() || exchange.client.is_empty() {
            return None;
        }
        let text: Vec<u8> = [
            &counted(&client.version),
            &counted(&server.version),
            &counted(&client.init),
            &counted(&server.init),
            &exchange.host_key,
            &exchange.sizes,
            &exchange.group,
            &exchange.client,
            &exchange.server,
            &secret,
        ]
        .into_iter()
        .flatten()
        .copied()
        .collect();
        let digest = hash(&text);
        self.source.get_or_insert(source);
        self.session.get_or_insert_with(|| digest.clone());
        Some(Keys { secret, hash: digest, agreed })
    }

    /// Takes what encrypted bytes of `dir` begin with.
    pub fn take(&mut self, dir: Dir, bytes: &[u8]) -> Taken {
        let side = self.side(dir);
        match side.take(bytes) {
            Ok(None) => Taken::More,
            Ok(Some((length, payload))) => {
                side.sequence = side.sequence.wrapping_add(1);
                side.opened = side.opened.saturating_add(1);
                Taken::Packet(length, payload)
            }
            Err(Malformed) => {
                side.stopped = true;
                Taken::Broken
            }
        }
    }

    /// Bytes of `dir` are lost: where packets begin is not known any more.
    pub fn lost(&mut self, dir: Dir) {
        let side = self.side(dir);
        side.stopped |= side.cipher.is_some();
    }
}

impl Side {
    /// The packet at the start: its octets and its payload.
    fn take(&mut self, bytes: &[u8]) -> Wire<Option<(usize, Vec<u8>)>> {
        let cipher = self.cipher.as_mut().ok_or(Malformed)?;
        let Some((length, plain)) = cipher.open(self.sequence, bytes)? else { return Ok(None) };
        let (&padding, rest) = plain.split_first().ok_or(Malformed)?;
        let payload = rest.get(..rest.len().checked_sub(usize::from(padding)).ok_or(Malformed)?).ok_or(Malformed)?;
        let payload = match &mut self.unpack {
            Some(unpack) => unpacked(unpack, payload)?,
            None => payload.to_vec(),
        };
        Ok(Some((length, payload)))
    }
}

/// What a compressed payload holds; the stream goes on from packet to packet.
fn unpacked(unpack: &mut Decompress, packed: &[u8]) -> Wire<Vec<u8>> {
    let mut out = Vec::with_capacity(4096);
    let start = unpack.total_in();
    loop {
        let used = usize::try_from(unpack.total_in() - start).map_err(|_| Malformed)?;
        unpack.decompress_vec(packed.get(used..).unwrap_or_default(), &mut out, FlushDecompress::Sync).map_err(|_| Malformed)?;
        if out.len() < out.capacity() {
            return Ok(out);
        }
        if out.len() > MAX_UNPACKED {
            return Err(Malformed);
        }
        out.reserve(out.len());
    }
}

impl Cipher {
    /// The packet at the start of `bytes`: its octets on the wire, and what was encrypted, without its length.
    fn open(&mut self, sequence: u32, bytes: &[u8]) -> Wire<Option<(usize, Vec<u8>)>> {
        match self {
            Self::Gcm { aead, nonce } => {
                let Some((header, rest)) = bytes.split_first_chunk::<4>() else { return Ok(None) };
                let length = sized(*header)?;
                let Some(sealed) = rest.get(..length + 16) else { return Ok(None) };
                let plain = aead.open(nonce, header, sealed).ok_or(Malformed)?;
                let (_, counter) = nonce.split_at_mut(4);
                let next = counter.iter().fold(0u64, |value, octet| value << 8 | u64::from(*octet)).wrapping_add(1);
                counter.copy_from_slice(&next.to_be_bytes());
                Ok(Some((4 + length + 16, plain)))
            }
            Self::ChaCha20 { main, length } => {
                let Some((header, rest)) = bytes.split_first_chunk::<4>() else { return Ok(None) };
                let mut clear = *header;
                chacha20(length, sequence, 0, &mut clear).ok_or(Malformed)?;
                let length = sized(clear)?;
                let (Some(ciphertext), Some(tag)) = (rest.get(..length), rest.get(length..length + 16)) else { return Ok(None) };
                let mut key = [0; 32];
                chacha20(main, sequence, 0, &mut key).ok_or(Malformed)?;
                let whole = bytes.get(..4 + length).ok_or(Malformed)?;
                let computed = <Poly1305 as poly1305::universal_hash::KeyInit>::new(&key.into()).compute_unpadded(whole);
                if computed.as_slice() != tag {
                    return Err(Malformed);
                }
                let mut plain = ciphertext.to_vec();
                chacha20(main, sequence, 1, &mut plain).ok_or(Malformed)?;
                Ok(Some((4 + length + 16, plain)))
            }
            Self::Counter { cipher, offset, mac } => {
                let (length, whole) = if mac.is_outside {
                    let Some(header) = bytes.first_chunk::<4>() else { return Ok(None) };
                    (sized(*header)?, 4)
                } else {
                    let Some(block) = bytes.first_chunk::<BLOCK>() else { return Ok(None) };
                    let mut clear = *block;
                    cipher.apply(*offset, &mut clear).ok_or(Malformed)?;
                    (sized([clear[0], clear[1], clear[2], clear[3]])?, 0)
                };
                let tag_size = mac.kind.size();
                let (Some(ciphertext), Some(tag)) = (bytes.get(whole..4 + length), bytes.get(4 + length..4 + length + tag_size)) else {
                    return Ok(None);
                };
                let mut plain = ciphertext.to_vec();
                if mac.is_outside && !mac.verifies(sequence, &[bytes.get(..4 + length).ok_or(Malformed)?], tag) {
                    return Err(Malformed);
                }
                cipher.apply(*offset, &mut plain).ok_or(Malformed)?;
                if !mac.is_outside {
                    if !mac.verifies(sequence, &[&plain], tag) {
                        return Err(Malformed);
                    }
                    plain.drain(..4);
                }
                *offset = offset.saturating_add(ciphertext.len() as u64);
                Ok(Some((4 + length + tag_size, plain)))
            }
            Self::Cbc { key, iv, mac } => {
                let (length, start) = if mac.is_outside {
                    let Some(header) = bytes.first_chunk::<4>() else { return Ok(None) };
                    (sized(*header)?, 4)
                } else {
                    let Some(block) = bytes.get(..BLOCK) else { return Ok(None) };
                    let clear = aes_cbc(key, iv, block).ok_or(Malformed)?;
                    (sized(*clear.first_chunk::<4>().ok_or(Malformed)?)?, 0)
                };
                let tag_size = mac.kind.size();
                let (Some(ciphertext), Some(tag)) = (bytes.get(start..4 + length), bytes.get(4 + length..4 + length + tag_size)) else {
                    return Ok(None);
                };
                if mac.is_outside && !mac.verifies(sequence, &[bytes.get(..4 + length).ok_or(Malformed)?], tag) {
                    return Err(Malformed);
                }
                let mut plain = aes_cbc(key, iv, ciphertext).ok_or(Malformed)?;
                if !mac.is_outside {
                    if !mac.verifies(sequence, &[&plain], tag) {
                        return Err(Malformed);
                    }
                    plain.drain(..4);
                }
                *iv = *ciphertext.last_chunk::<BLOCK>().ok_or(Malformed)?;
                Ok(Some((4 + length + tag_size, plain)))
            }
        }
    }
}

/// A length that a packet can have.
fn sized(field: [u8; 4]) -> Wire<usize> {
    let length = u32::from_be_bytes(field) as usize;
    if (5..=MAX_PACKET).contains(&length) { Ok(length) } else { Err(Malformed) }
}

/// ChaCha20 as OpenSSH uses it: the packet's number is the nonce, `block` where the key stream starts.
fn chacha20(key: &[u8; 32], sequence: u32, block: u64, bytes: &mut [u8]) -> Option<()> {
    let [a, b, c, d] = sequence.to_be_bytes();
    let mut cipher = ChaCha20::new_from_slices(key, &[0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d]).ok()?;
    cipher.try_seek(block * 64).ok()?;
    cipher.try_apply_keystream(bytes).ok()
}

impl Keys {
    /// What protects client's (0) or server's packets (RFC 4253, 7.2).
    fn cipher(&self, which: usize, session: &[u8]) -> Option<Cipher> {
        let (hash, _) = method(&self.agreed.kex)?;
        let letter = |letters: [u8; 2]| letters.get(which).copied();
        let (iv, key, mac) = (letter(*b"AB")?, letter(*b"CD")?, letter(*b"EF")?);
        let derive = |letter: u8, size: usize| {
            let mut out = hash(&[&self.secret[..], &self.hash, &[letter], session].concat());
            while out.len() < size {
                let more = hash(&[&self.secret[..], &self.hash, &out].concat());
                out.extend(more);
            }
            out.truncate(size);
            out
        };
        let name = self.agreed.ciphers.get(which)?.as_str();
        let mac = || -> Option<Mac> {
            let (kind, is_outside) = Mac::of(self.agreed.macs.get(which)?)?;
            Some(Mac { kind, key: derive(mac, kind.size()), is_outside })
        };
        Some(match name {
            "aes128-gcm@openssh.com" | "AEAD_AES_128_GCM" | "aes256-gcm@openssh.com" | "AEAD_AES_256_GCM" => {
                let kind = if name.contains("128") { AeadKind::Aes128Gcm } else { AeadKind::Aes256Gcm };
                Cipher::Gcm { aead: Aead::new(kind, &derive(key, kind.key_size()))?, nonce: derive(iv, 12).try_into().ok()? }
            }
            "chacha20-poly1305@openssh.com" | "chacha20-poly1305" => {
                let keys = derive(key, 64);
                let (main, length) = keys.split_at_checked(32)?;
                Cipher::ChaCha20 { main: main.try_into().ok()?, length: length.try_into().ok()? }
            }
            "aes128-ctr" | "aes192-ctr" | "aes256-ctr" => {
                let size = name.get(3..6)?.parse::<usize>().ok()? / 8;
                Cipher::Counter { cipher: Counter::new(&derive(key, size), &derive(iv, BLOCK))?, offset: 0, mac: mac()? }
            }
            "aes128-cbc" | "aes256-cbc" => {
                let size = name.get(3..6)?.parse::<usize>().ok()? / 8;
                Cipher::Cbc { key: derive(key, size), iv: derive(iv, BLOCK).try_into().ok()?, mac: mac()? }
            }
            _ => return None,
        })
    }
}

/// Hashes a text.
type HashFn = fn(&[u8]) -> Vec<u8>;

/// Hash of a key exchange method, and whether its secret is a number rather than a string of octets.
fn method(kex: &str) -> Option<(HashFn, bool)> {
    let is_number = !kex.contains("sntrup761") && !kex.contains("mlkem");
    let hash: HashFn = match kex {
        "ecdh-sha2-nistp256" => |text| Sha256::digest(text).to_vec(),
        "ecdh-sha2-nistp384" => |text| Sha384::digest(text).to_vec(),
        "ecdh-sha2-nistp521" => |text| Sha512::digest(text).to_vec(),
        _ if kex.contains("sha512") => |text| Sha512::digest(text).to_vec(),
        _ if kex.contains("sha384") => |text| Sha384::digest(text).to_vec(),
        _ if kex.contains("sha256") => |text| Sha256::digest(text).to_vec(),
        _ if kex.contains("sha1") => |text| Sha1::digest(text).to_vec(),
        _ => return None,
    };
    Some((hash, is_number))
}

/// A field with its length before it, as it is on the wire.
fn field<'a>(reader: &mut Reader<'a>) -> Wire<&'a [u8]> {
    let start = reader.peek();
    let length = reader.be_u32()? as usize;
    reader.skip(length)?;
    start.get(..4 + length).ok_or(Malformed)
}

fn counted(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes()[..], bytes].concat()
}

/// A positive number (RFC 4251, 5: mpint).
fn number(octets: &[u8]) -> Vec<u8> {
    let start = octets.iter().position(|octet| *octet != 0).unwrap_or(octets.len());
    let digits = octets.get(start..).unwrap_or_default();
    if digits.first().is_some_and(|first| first & 0x80 != 0) { counted(&[&[0][..], digits].concat()) } else { counted(digits) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_fields() {
        assert_eq!(number(&[0, 0, 0x80]), [0, 0, 0, 2, 0, 0x80]);
        assert_eq!(number(&[0, 0x7f, 1]), [0, 0, 0, 2, 0x7f, 1]);
        assert_eq!(number(&[0]), [0, 0, 0, 0]);
        assert_eq!(field(&mut Reader::new(&[0, 0, 0, 1, 9, 8])), Ok(&[0, 0, 0, 1, 9][..]));
        assert!(field(&mut Reader::new(&[0, 0, 0, 3, 9, 8])).is_err());
        assert!(sized([0, 0, 0, 4]).is_err() && sized([1, 0, 0, 0]).is_err());
    }

    #[test]
    fn methods() {
        let size = |kex: &str| method(kex).map(|(hash, is_number)| (hash(b"").len(), is_number));
        assert_eq!(size("curve25519-sha256@libssh.org"), Some((32, true)));
        assert_eq!(size("diffie-hellman-group14-sha1"), Some((20, true)));
        assert_eq!(size("sntrup761x25519-sha512@openssh.com"), Some((64, false)));
        assert_eq!(size("gss-gex"), None);
    }
}
