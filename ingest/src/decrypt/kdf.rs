//! Keys from secrets: HKDF-Expand-Label of TLS 1.3 and QUIC, the PRF of TLS 1.0 to 1.2.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha384};

/// A hash that keys are derived with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hash {
    Sha256,
    Sha384,
}

impl Hash {
    /// Octets.
    pub fn size(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
        }
    }
}

/// HKDF-Expand-Label without context (RFC 8446, 7.1); `None` if the secret is not of the hash's size.
pub fn expand_label(hash: Hash, secret: &[u8], label: &str, size: usize) -> Option<Vec<u8>> {
    if secret.len() != hash.size() {
        return None;
    }
    let mut info = u16::try_from(size).ok()?.to_be_bytes().to_vec();
    info.push(u8::try_from("tls13 ".len().checked_add(label.len())?).ok()?);
    info.extend_from_slice(b"tls13 ");
    info.extend_from_slice(label.as_bytes());
    info.push(0);
    let mut key = vec![0; size];
    match hash {
        Hash::Sha256 => Hkdf::<Sha256>::from_prk(secret).ok()?.expand(&info, &mut key).ok()?,
        Hash::Sha384 => Hkdf::<Sha384>::from_prk(secret).ok()?.expand(&info, &mut key).ok()?,
    }
    Some(key)
}

/// The PRF of a TLS version before 1.3.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Prf {
    /// TLS 1.0 and 1.1: MD5 and SHA-1 together (RFC 2246, 5).
    Md5Sha1,
    /// TLS 1.2 (RFC 5246, 5).
    Of(Hash),
}

impl Prf {
    /// `size` octets derived from a secret.
    pub fn derive(self, secret: &[u8], label: &[u8], seed: &[&[u8]], size: usize) -> Option<Vec<u8>> {
        let seed = [label, &seed.concat()].concat();
        match self {
            Self::Of(Hash::Sha256) => p_hash::<Hmac<Sha256>>(secret, &seed, size),
            Self::Of(Hash::Sha384) => p_hash::<Hmac<Sha384>>(secret, &seed, size),
            Self::Md5Sha1 => {
                let half = secret.len().div_ceil(2);
                let (first, last) = (secret.get(..half)?, secret.get(secret.len().checked_sub(half)?..)?);
                let mut one = p_hash::<Hmac<md5::Md5>>(first, &seed, size)?;
                let other = p_hash::<Hmac<Sha1>>(last, &seed, size)?;
                for (octet, with) in one.iter_mut().zip(other) {
                    *octet ^= with;
                }
                Some(one)
            }
        }
    }
}

/// P_hash (RFC 5246, 5).
fn p_hash<M: Mac + KeyInit>(secret: &[u8], seed: &[u8], size: usize) -> Option<Vec<u8>> {
    let mac = |parts: &[&[u8]]| {
        let mut mac = <M as KeyInit>::new_from_slice(secret).ok()?;
        for part in parts {
            mac.update(part);
        }
        Some(mac.finalize().into_bytes())
    };
    let mut out = Vec::with_capacity(size);
    let mut a = mac(&[seed])?;
    while out.len() < size {
        out.extend_from_slice(&mac(&[&a, seed])?);
        a = mac(&[&a])?;
    }
    out.truncate(size);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::hex::hex;

    #[test]
    fn labels_of_the_standard() {
        // RFC 8448, 3: the server's handshake traffic secret, its write key and IV.
        let secret = "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38";
        let secret: Vec<u8> = (0..32).map(|at| u8::from_str_radix(&secret[2 * at..2 * at + 2], 16).unwrap()).collect();
        let expand = |label, size| expand_label(Hash::Sha256, &secret, label, size).map(|key| hex(&key));
        assert_eq!(expand("key", 16).as_deref(), Some("3fce516009c21727d0f2e4e86ee403bc"));
        assert_eq!(expand("iv", 12).as_deref(), Some("5d313eb2671276ee13000b30"));
        assert!(expand_label(Hash::Sha384, &secret, "key", 16).is_none());
    }

    #[test]
    fn the_prf_makes_as_much_as_asked_and_prolongs_itself() {
        for prf in [Prf::Md5Sha1, Prf::Of(Hash::Sha256), Prf::Of(Hash::Sha384)] {
            let long = prf.derive(b"secret", b"label", &[b"a", b"b"], 100).unwrap();
            let short = prf.derive(b"secret", b"label", &[b"ab"], 33).unwrap();
            assert_eq!((long.len(), &long[..33]), (100, &short[..]));
        }
    }
}
