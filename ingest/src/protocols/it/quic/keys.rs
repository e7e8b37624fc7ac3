//! Packet protection (RFC 9001, 5; RFC 9369, 3.3): everyone who sees a client's first packet can derive the keys of Initial
//! packets; those of the others derive from secrets that only the ends, and whoever has their key log, know.

use aes::cipher::BlockCipherEncrypt;
use aes::{Aes128, Aes256};
use aes_gcm::KeyInit;
use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher, StreamCipherSeek};
use hkdf::Hkdf;
use sha2::Sha256;

use super::packet::{self, V2};
use crate::decrypt::cipher::{Aead, AeadKind};
use crate::decrypt::kdf::{Hash, expand_label};

/// Octets of ciphertext that header protection samples (RFC 9001, 5.4.2).
const SAMPLE: usize = 16;

const SALT_V1: [u8; 20] = [0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a];
const SALT_V2: [u8; 20] = [0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9];
/// The drafts of version 2 that had a number of their own.
const SALT_V2_DRAFT: [u8; 20] =
    [0xa7, 0x07, 0xc2, 0x03, 0xa5, 0x9b, 0x47, 0x18, 0x4a, 0x1d, 0x62, 0xca, 0x57, 0x04, 0x06, 0xea, 0x7a, 0xe3, 0xe5, 0xd3];
/// Drafts 29 to 32.
const SALT_29: [u8; 20] = [0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99];
/// Drafts 23 to 28.
const SALT_23: [u8; 20] = [0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7, 0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe, 0xf9, 0xf5, 0x02];
/// Draft 22.
const SALT_22: [u8; 20] = [0x7f, 0xbc, 0xdb, 0x0e, 0x7c, 0x66, 0xbb, 0xe9, 0x19, 0x3a, 0x96, 0xcd, 0x21, 0x51, 0x9e, 0xbd, 0x7a, 0x02, 0x64, 0x4a];
const SALT_Q050: [u8; 20] = [0x50, 0x45, 0x74, 0xef, 0xd0, 0x66, 0xfe, 0x2f, 0x9d, 0x94, 0x5c, 0xfc, 0xdb, 0xd3, 0xa7, 0xf0, 0xd3, 0xb5, 0x6b, 0x45];
const SALT_T050: [u8; 20] = [0x7f, 0xf5, 0x79, 0xe5, 0xac, 0xd0, 0x72, 0x91, 0x55, 0x80, 0x30, 0x4c, 0x43, 0xa2, 0x36, 0x7c, 0x60, 0x48, 0x83, 0x10];
const SALT_T051: [u8; 20] = [0x7a, 0x4e, 0xde, 0xf4, 0xe7, 0xcc, 0xee, 0x5f, 0xa4, 0x50, 0x6c, 0x19, 0x12, 0x4f, 0xc8, 0xcc, 0xda, 0x6e, 0x03, 0x3d];

/// How a version derives its Initial keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Recipe {
    salt: &'static [u8; 20],
    /// Labels of version 2.
    second: bool,
}

const V1_RECIPE: Recipe = Recipe { salt: &SALT_V1, second: false };

/// Recipes to try for a version: one, or for greased and unknown versions those of the versions in use.
pub fn recipes(version: u32) -> &'static [Recipe] {
    const GUESSES: [Recipe; 3] = [V1_RECIPE, Recipe { salt: &SALT_29, second: false }, Recipe { salt: &SALT_V2, second: true }];
    match version {
        V2 => &[Recipe { salt: &SALT_V2, second: true }],
        0x709a_50c4 => &[Recipe { salt: &SALT_V2_DRAFT, second: true }],
        0x5130_3530 => &[Recipe { salt: &SALT_Q050, second: false }],
        0x5430_3530 => &[Recipe { salt: &SALT_T050, second: false }],
        0x5430_3531 => &[Recipe { salt: &SALT_T051, second: false }],
        0xface_b001 => &[Recipe { salt: &SALT_22, second: false }],
        0xface_b000..=0xface_b01f => &[Recipe { salt: &SALT_23, second: false }],
        packet::V1 => &[V1_RECIPE],
        _ => match packet::draft(version) {
            Some(..=22) => &[Recipe { salt: &SALT_22, second: false }],
            Some(23..=28) => &[Recipe { salt: &SALT_23, second: false }],
            Some(29..=32) => &[Recipe { salt: &SALT_29, second: false }],
            Some(_) => &[V1_RECIPE],
            None => &GUESSES,
        },
    }
}

/// What masks headers.
enum HeaderKey {
    Aes128(Box<Aes128>),
    Aes256(Box<Aes256>),
    ChaCha20([u8; 32]),
}

impl HeaderKey {
    fn new(kind: AeadKind, key: &[u8]) -> Option<Self> {
        Some(match kind {
            AeadKind::ChaCha20Poly1305 => Self::ChaCha20(key.try_into().ok()?),
            _ if kind.key_size() == 16 => Self::Aes128(Box::new(Aes128::new_from_slice(key).ok()?)),
            _ => Self::Aes256(Box::new(Aes256::new_from_slice(key).ok()?)),
        })
    }

    /// The mask that a sample of the ciphertext makes (RFC 9001, 5.4.3 and 5.4.4).
    fn mask(&self, sample: [u8; SAMPLE]) -> Option<[u8; 5]> {
        match self {
            Self::Aes128(key) => {
                let mut block = sample.into();
                key.encrypt_block(&mut block);
                block.first_chunk().copied()
            }
            Self::Aes256(key) => {
                let mut block = sample.into();
                key.encrypt_block(&mut block);
                block.first_chunk().copied()
            }
            Self::ChaCha20(key) => {
                let (counter, nonce) = sample.split_first_chunk::<4>()?;
                let mut cipher = ChaCha20::new_from_slices(key, nonce).ok()?;
                cipher.try_seek(u64::from(u32::from_le_bytes(*counter)) * 64).ok()?;
                let mut mask = [0; 5];
                cipher.try_apply_keystream(&mut mask).ok()?;
                Some(mask)
            }
        }
    }
}

/// What protects payloads: alone renewed by a key update.
pub struct Payload {
    aead: Aead,
    iv: [u8; 12],
}

impl Payload {
    /// Of a traffic secret.
    pub fn of_secret(kind: AeadKind, hash: Hash, secret: &[u8], labels: Labels) -> Option<Self> {
        let [key, iv] = if labels.is_second { ["quicv2 key", "quicv2 iv"] } else { ["quic key", "quic iv"] };
        let aead = Aead::new(kind, &expand_label(hash, secret, key, kind.key_size())?)?;
        Some(Self { aead, iv: expand_label(hash, secret, iv, 12)?.try_into().ok()? })
    }
}

/// Keys of one direction.
pub struct Keys {
    pub payload: Payload,
    header: HeaderKey,
}

/// A packet without its protection.
pub struct Opened {
    pub number: u64,
    pub frames: Vec<u8>,
}

/// How the keys of a secret are named: version 2 has labels of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Labels {
    is_second: bool,
}

impl Labels {
    pub fn of(version: u32) -> Self {
        Self { is_second: matches!(version, V2 | 0x709a_50c4) }
    }
}

/// A header without its mask.
struct Bare {
    header: Vec<u8>,
    number: u64,
}

impl Keys {
    /// Keys of client and server, from the destination connection id that seeds them.
    pub fn initial(recipe: Recipe, seed: &[u8]) -> Option<[Self; 2]> {
        let secret = Hkdf::<Sha256>::extract(Some(recipe.salt), seed).0;
        let labels = Labels { is_second: recipe.second };
        let side = |label| {
            let secret = expand_label(Hash::Sha256, &secret, label, 32)?;
            Self::of_secret(AeadKind::Aes128Gcm, Hash::Sha256, &secret, labels)
        };
        Some([side("client in")?, side("server in")?])
    }

    /// Keys of a traffic secret.
    pub fn of_secret(kind: AeadKind, hash: Hash, secret: &[u8], labels: Labels) -> Option<Self> {
        let label = if labels.is_second { "quicv2 hp" } else { "quic hp" };
        let header = HeaderKey::new(kind, &expand_label(hash, secret, label, kind.key_size())?)?;
        Some(Self { payload: Payload::of_secret(kind, hash, secret, labels)?, header })
    }

    /// The secret that follows `secret` at a key update (RFC 9001, 6.1).
    pub fn updated(hash: Hash, secret: &[u8], labels: Labels) -> Option<Vec<u8>> {
        expand_label(hash, secret, if labels.is_second { "quicv2 ku" } else { "quic ku" }, hash.size())
    }

    /// Key phase of a packet with a short header.
    pub fn phase(&self, packet: &[u8], number_at: usize) -> Option<bool> {
        Some(self.bare(packet, number_at, None)?.header.first()? & 0x04 != 0)
    }

    fn bare(&self, packet: &[u8], number_at: usize, largest: Option<u64>) -> Option<Bare> {
        // The sample is taken as if the packet number had four octets.
        let sample_at = number_at.checked_add(4)?;
        let sample: [u8; SAMPLE] = packet.get(sample_at..sample_at.checked_add(SAMPLE)?)?.try_into().ok()?;
        let mask = self.header.mask(sample)?;
        let first = *packet.first()?;
        let first = first ^ (mask.first()? & if first & 0x80 == 0 { 0x1f } else { 0x0f });
        let number_length = usize::from(first & 3) + 1;
        let mut header = packet.get(..number_at.checked_add(number_length)?)?.to_vec();
        *header.first_mut()? = first;
        let mut truncated = 0u64;
        for (octet, mask) in header.get_mut(number_at..)?.iter_mut().zip(mask.iter().skip(1)) {
            *octet ^= mask;
            truncated = truncated << 8 | u64::from(*octet);
        }
        Some(Bare { header, number: full_number(truncated, number_length, largest) })
    }

    /// Removes the protection of header and payload; `None` unless the tag proves the keys right.
    pub fn open(&self, packet: &[u8], number_at: usize, largest: Option<u64>) -> Option<Opened> {
        self.open_under(&self.payload, packet, number_at, largest)
    }

    /// The same with another payload protection, as that of the next key phase.
    pub fn open_under(&self, payload: &Payload, packet: &[u8], number_at: usize, largest: Option<u64>) -> Option<Opened> {
        let Bare { header, number } = self.bare(packet, number_at, largest)?;
        let mut nonce = payload.iv;
        for (octet, part) in nonce.iter_mut().skip(4).zip(number.to_be_bytes()) {
            *octet ^= part;
        }
        let frames = payload.aead.open(&nonce, &header, packet.get(header.len()..)?)?;
        Some(Opened { number, frames })
    }
}

/// The number closest to the one after `largest` that ends in `truncated` (RFC 9000, A.3).
fn full_number(truncated: u64, octets: usize, largest: Option<u64>) -> u64 {
    let Some(expected) = largest.map(|largest| largest.saturating_add(1)) else { return truncated };
    let window = 1u64 << (octets.clamp(1, 4) * 8);
    let candidate = expected & !(window - 1) | truncated;
    if candidate.saturating_add(window / 2) <= expected {
        candidate.saturating_add(window)
    } else if candidate > expected.saturating_add(window / 2) && candidate >= window {
        candidate - window
    } else {
        candidate
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::hex::hex;

    #[test]
    fn secrets_of_the_standard() {
        // RFC 9001, A.1, and RFC 9369, A.1.
        let seed = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];
        let iv = |version, side: usize| {
            let keys = Keys::initial(recipes(version)[0], &seed).unwrap();
            hex(&keys[side].payload.iv)
        };
        assert_eq!(iv(1, 0), "fa044b2f42a3fd3b46fb255c");
        assert_eq!(iv(1, 1), "0ac1493ca1905853b0bba03e");
        assert_eq!(iv(V2, 0), "91f73e2351d8fa91660e909f");
    }

    #[test]
    fn a_server_initial_of_the_standard() {
        // RFC 9001, A.3.
        let packet = "cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780bb38cc5a99f5ede4cf73c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84022f8ef4cdd93795d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc42158407dd074ee";
        let packet: Vec<u8> = (0..packet.len()).step_by(2).map(|at| u8::from_str_radix(&packet[at..at + 2], 16).unwrap()).collect();
        let keys = Keys::initial(V1_RECIPE, &[0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08]).unwrap();
        let opened = keys[1].open(&packet, 18, None).unwrap();
        assert_eq!((opened.number, &opened.frames[..6]), (1, &[2, 0, 0, 0, 0, 6][..]));
        assert!(keys[0].open(&packet, 18, None).is_none());
    }

    #[test]
    fn numbers_are_completed() {
        // RFC 9000, A.3.
        assert_eq!(full_number(0x9b32, 2, Some(0xa82f_30ea)), 0xa82f_9b32);
        assert_eq!(full_number(0, 1, Some(255)), 256);
        assert_eq!(full_number(7, 1, None), 7);
    }
}
