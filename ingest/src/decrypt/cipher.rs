//! Ciphers of records and packets. Nothing is given out that did not verify.

use aes::{Aes128, Aes256};
use aes_gcm::aead::{AeadInOut, Nonce, Tag};
use aes_gcm::{Aes128Gcm, Aes256Gcm, KeyInit};
use cbc::cipher::{BlockModeDecrypt, InOutBuf, KeyIvInit};
use ccm::Ccm;
use ccm::consts::{U8, U12, U16};
use chacha20poly1305::ChaCha20Poly1305;
use hmac::{Hmac, Mac as _};
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};

/// Octets of an AES block.
pub const BLOCK: usize = 16;

/// An AEAD with nonces of twelve octets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AeadKind {
    Aes128Gcm,
    Aes256Gcm,
    Aes128Ccm,
    Aes256Ccm,
    /// With a tag of eight octets.
    Aes128Ccm8,
    Aes256Ccm8,
    ChaCha20Poly1305,
}

impl AeadKind {
    /// Octets of a key.
    pub fn key_size(self) -> usize {
        match self {
            Self::Aes128Gcm | Self::Aes128Ccm | Self::Aes128Ccm8 => 16,
            Self::Aes256Gcm | Self::Aes256Ccm | Self::Aes256Ccm8 | Self::ChaCha20Poly1305 => 32,
        }
    }

    /// Octets of a tag.
    pub fn tag_size(self) -> usize {
        if matches!(self, Self::Aes128Ccm8 | Self::Aes256Ccm8) { 8 } else { 16 }
    }
}

/// An AEAD with its key.
pub enum Aead {
    Aes128Gcm(Box<Aes128Gcm>),
    Aes256Gcm(Box<Aes256Gcm>),
    Aes128Ccm(Box<Ccm<Aes128, U16, U12>>),
    Aes256Ccm(Box<Ccm<Aes256, U16, U12>>),
    Aes128Ccm8(Box<Ccm<Aes128, U8, U12>>),
    Aes256Ccm8(Box<Ccm<Aes256, U8, U12>>),
    ChaCha20Poly1305(Box<ChaCha20Poly1305>),
}

impl Aead {
    /// `None` if the key is not of the right size.
    pub fn new(kind: AeadKind, key: &[u8]) -> Option<Self> {
        fn keyed<A: KeyInit>(key: &[u8]) -> Option<Box<A>> {
            A::new_from_slice(key).ok().map(Box::new)
        }
        Some(match kind {
            AeadKind::Aes128Gcm => Self::Aes128Gcm(keyed(key)?),
            AeadKind::Aes256Gcm => Self::Aes256Gcm(keyed(key)?),
            AeadKind::Aes128Ccm => Self::Aes128Ccm(keyed(key)?),
            AeadKind::Aes256Ccm => Self::Aes256Ccm(keyed(key)?),
            AeadKind::Aes128Ccm8 => Self::Aes128Ccm8(keyed(key)?),
            AeadKind::Aes256Ccm8 => Self::Aes256Ccm8(keyed(key)?),
            AeadKind::ChaCha20Poly1305 => Self::ChaCha20Poly1305(keyed(key)?),
        })
    }

    /// The plaintext of ciphertext and tag; `None` unless the tag proves it.
    pub fn open(&self, nonce: &[u8; 12], additional: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        fn open<A: AeadInOut>(aead: &A, nonce: &[u8; 12], additional: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
            let size = Tag::<A>::default().len();
            let (ciphertext, tag) = sealed.split_at_checked(sealed.len().checked_sub(size)?)?;
            let (nonce, tag) = (Nonce::<A>::try_from(&nonce[..]).ok()?, Tag::<A>::try_from(tag).ok()?);
            let mut plain = ciphertext.to_vec();
            aead.decrypt_inout_detached(&nonce, additional, plain.as_mut_slice().into(), &tag).ok()?;
            Some(plain)
        }
        match self {
            Self::Aes128Gcm(aead) => open(&**aead, nonce, additional, sealed),
            Self::Aes256Gcm(aead) => open(&**aead, nonce, additional, sealed),
            Self::Aes128Ccm(aead) => open(&**aead, nonce, additional, sealed),
            Self::Aes256Ccm(aead) => open(&**aead, nonce, additional, sealed),
            Self::Aes128Ccm8(aead) => open(&**aead, nonce, additional, sealed),
            Self::Aes256Ccm8(aead) => open(&**aead, nonce, additional, sealed),
            Self::ChaCha20Poly1305(aead) => open(&**aead, nonce, additional, sealed),
        }
    }
}

/// Hash of an HMAC that protects records.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MacKind {
    Md5,
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl MacKind {
    /// Octets of key and tag.
    pub fn size(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The tag is that of the parts under this key.
    pub fn verifies(self, key: &[u8], parts: &[&[u8]], tag: &[u8]) -> bool {
        macro_rules! check {
            ($hash:ty) => {{
                let Ok(mut mac) = Hmac::<$hash>::new_from_slice(key) else { return false };
                for part in parts {
                    mac.update(part);
                }
                mac.verify_slice(tag).is_ok()
            }};
        }
        match self {
            Self::Md5 => check!(md5::Md5),
            Self::Sha1 => check!(Sha1),
            Self::Sha256 => check!(Sha256),
            Self::Sha384 => check!(Sha384),
            Self::Sha512 => check!(Sha512),
        }
    }
}

/// Decrypts AES in CBC mode, by the size of its key; `None` if a size is wrong. The result is not verified.
pub fn aes_cbc(key: &[u8], iv: &[u8; BLOCK], ciphertext: &[u8]) -> Option<Vec<u8>> {
    if !ciphertext.len().is_multiple_of(BLOCK) {
        return None;
    }
    let mut plain = ciphertext.to_vec();
    let (blocks, _) = InOutBuf::from(plain.as_mut_slice()).into_chunks();
    match key.len() {
        16 => cbc::Decryptor::<Aes128>::new_from_slices(key, iv).ok()?.decrypt_blocks_inout(blocks),
        32 => cbc::Decryptor::<Aes256>::new_from_slices(key, iv).ok()?.decrypt_blocks_inout(blocks),
        _ => return None,
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn an_aead_opens_what_is_sound() {
        // RFC 8439, 2.8.2.
        let key: Vec<u8> = (0x80..0xa0).collect();
        let nonce: [u8; 12] = bytes("070000004041424344454647").try_into().unwrap();
        let additional = bytes("50515253c0c1c2c3c4c5c6c7");
        let mut sealed = bytes(
            "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691",
        );
        let aead = Aead::new(AeadKind::ChaCha20Poly1305, &key).unwrap();
        assert!(aead.open(&nonce, &additional, &sealed).unwrap().starts_with(b"Ladies and Gentlemen"));
        sealed[0] ^= 1;
        assert!(aead.open(&nonce, &additional, &sealed).is_none());
        assert!(aead.open(&nonce, &additional, &sealed[..15]).is_none());
        assert!(Aead::new(AeadKind::Aes128Gcm, &key).is_none());
    }

    #[test]
    fn cbc_of_the_standard() {
        // NIST SP 800-38A, F.2.2.
        let iv: [u8; 16] = bytes("000102030405060708090a0b0c0d0e0f").try_into().unwrap();
        let plain = aes_cbc(&bytes("2b7e151628aed2a6abf7158809cf4f3c"), &iv, &bytes("7649abac8119b246cee98e9b12e9197d")).unwrap();
        assert_eq!(plain, bytes("6bc1bee22e409f96e93d7e117393172a"));
        assert!(aes_cbc(&[0; 16], &iv, &[0; 17]).is_none());
    }
}
