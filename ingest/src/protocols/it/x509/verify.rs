//! Signatures of certificates.

use md5::Md5;
use rustc_hash::FxHashMap;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};
use x509_parser::asn1_rs::{BitString, FromDer};
use x509_parser::error::X509Error;
use x509_parser::num_bigint::BigUint;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo};

use super::Certificate;
use super::der::{self, Elements, tag};

/// Verdicts kept; servers present the same chains again and again.
const MAX_VERDICTS: usize = 1 << 14;

/// Largest RSA modulus that the library takes, bits.
const MAX_MODULUS: u64 = 8192;

/// Largest RSA modulus computed with here: whoever makes up certificates shall not keep the decoder busy.
const MAX_OWN_MODULUS: u64 = 4096;

/// Verdicts already reached, by SHA-256 of certificate and of public key.
#[derive(Default)]
pub struct Verdicts(FxHashMap<([u8; 32], [u8; 32]), Option<bool>>);

impl Verdicts {
    /// Whether the certificate's signature was made with the private twin of `key`; `None` where the algorithm cannot be
    /// verified or a part is missing.
    pub fn signed_by(&mut self, certificate: &Certificate<'_>, key: &Certificate<'_>) -> Option<bool> {
        let identity = (certificate.sha256, key.spki_sha256?);
        if let Some(verdict) = self.0.get(&identity) {
            return *verdict;
        }
        let verdict = key.public_key.and_then(|key| verify(certificate, key));
        if self.0.len() >= MAX_VERDICTS {
            self.0.clear();
        }
        self.0.insert(identity, verdict);
        verdict
    }
}

/// Kinds of signature, with the key type each needs.
enum Scheme {
    /// PKCS #1 v1.5: DigestInfo up to the hash value, and the hash of the data (RFC 8017, 9.2).
    Pkcs1(&'static [u8], Vec<u8>),
    /// What the library verifies.
    Listed(&'static [&'static str]),
}

fn scheme(algorithm: &str, data: &[u8]) -> Option<Scheme> {
    const RSA: &str = "1.2.840.113549.1.1.1";
    const PSS: &str = "1.2.840.113549.1.1.10";
    const EC: &str = "1.2.840.10045.2.1";
    const ED25519: &str = "1.3.101.112";
    Some(match algorithm {
        "1.2.840.113549.1.1.4" | "1.3.14.3.2.25" | "1.3.14.3.2.3" => Scheme::Pkcs1(
            &[0x30, 0x20, 0x30, 0x0c, 0x06, 0x08, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x05, 0x05, 0x00, 0x04, 0x10],
            Md5::digest(data).to_vec(),
        ),
        "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" => {
            Scheme::Pkcs1(&[0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14], Sha1::digest(data).to_vec())
        }
        "1.2.840.113549.1.1.14" => Scheme::Pkcs1(const { &sha2_info(0x2d, 4, 0x1c) }, Sha224::digest(data).to_vec()),
        "1.2.840.113549.1.1.11" => Scheme::Pkcs1(const { &sha2_info(0x31, 1, 0x20) }, Sha256::digest(data).to_vec()),
        "1.2.840.113549.1.1.12" => Scheme::Pkcs1(const { &sha2_info(0x41, 2, 0x30) }, Sha384::digest(data).to_vec()),
        "1.2.840.113549.1.1.13" => Scheme::Pkcs1(const { &sha2_info(0x51, 3, 0x40) }, Sha512::digest(data).to_vec()),
        PSS => Scheme::Listed(&[RSA, PSS]),
        "1.2.840.10045.4.3.2" | "1.2.840.10045.4.3.3" => Scheme::Listed(&[EC]),
        ED25519 => Scheme::Listed(&[ED25519]),
        _ => return None,
    })
}

/// DigestInfo of the SHA-2 family up to the hash value: they differ in lengths and last arc.
const fn sha2_info(length: u8, arc: u8, hash: u8) -> [u8; 19] {
    [0x30, length, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, arc, 0x05, 0x00, 0x04, hash]
}

fn verify(certificate: &Certificate<'_>, public_key: &[u8]) -> Option<bool> {
    let (data, algorithm, signature) = (certificate.signed?, certificate.signature_algorithm?, certificate.signature?);
    let algorithm_id = oid_of(algorithm)?;
    let mut fields = Elements::of(der::inside(public_key, tag::SEQUENCE)?);
    let key_type = oid_of(fields.next()?.whole)?;
    let scheme = scheme(&algorithm_id, data)?;
    match scheme {
        Scheme::Pkcs1(info, hash) => {
            if key_type != "1.2.840.113549.1.1.1" {
                return Some(false);
            }
            let key = fields.next_if(tag::BIT_STRING)?.content.get(1..)?;
            let (modulus, exponent) = rsa_numbers(key)?;
            let (bits, odd) = (modulus.bits(), exponent.bit(0));
            // The library refuses short keys and old hashes, which are to be judged here all the same.
            let listed = (2048..=MAX_MODULUS).contains(&bits) && odd && (2..=33).contains(&exponent.bits());
            if listed && matches!(hash.len(), 20 | 32 | 48 | 64) {
                return listed_verify(algorithm, signature, data, public_key);
            }
            pkcs1_verify(&modulus, &exponent, signature.content.get(1..)?, info, &hash)
        }
        Scheme::Listed(keys) => {
            if !keys.contains(&key_type.as_str()) {
                return Some(false);
            }
            if algorithm_id == "1.2.840.113549.1.1.10" {
                let key = fields.next_if(tag::BIT_STRING)?.content.get(1..)?;
                let (modulus, _) = rsa_numbers(key)?;
                if !(2048..=MAX_MODULUS).contains(&modulus.bits()) {
                    return None;
                }
            }
            listed_verify(algorithm, signature, data, public_key)
        }
    }
}

/// Object identifier of an AlgorithmIdentifier.
fn oid_of(algorithm: &[u8]) -> Option<String> {
    der::dotted(Elements::of(der::inside(algorithm, tag::SEQUENCE)?).next_if(tag::OID)?.content)
}

/// Modulus and exponent of an RSAPublicKey.
fn rsa_numbers(key: &[u8]) -> Option<(BigUint, BigUint)> {
    let mut numbers = Elements::of(der::inside(key, tag::SEQUENCE)?);
    let modulus = numbers.next_if(tag::INTEGER)?.content;
    let exponent = numbers.next_if(tag::INTEGER)?.content;
    Some((BigUint::from_bytes_be(modulus), BigUint::from_bytes_be(exponent)))
}

fn listed_verify(algorithm: &[u8], signature: der::Element<'_>, data: &[u8], public_key: &[u8]) -> Option<bool> {
    let (_, algorithm) = AlgorithmIdentifier::from_der(algorithm).ok()?;
    let (_, signature) = BitString::from_der(signature.whole).ok()?;
    let (_, key) = SubjectPublicKeyInfo::from_der(public_key).ok()?;
    match x509_parser::verify::verify_signature(&key, &algorithm, &signature, data) {
        Ok(()) => Some(true),
        Err(X509Error::SignatureVerificationError) => Some(false),
        Err(_) => None,
    }
}

/// RSASSA-PKCS1-v1_5 (RFC 8017, 8.2.2).
fn pkcs1_verify(modulus: &BigUint, exponent: &BigUint, signature: &[u8], info: &[u8], hash: &[u8]) -> Option<bool> {
    let bits = modulus.bits();
    if !(256..=MAX_OWN_MODULUS).contains(&bits) || exponent.bits() > 33 {
        return None;
    }
    let size = usize::try_from(bits.div_ceil(8)).ok()?;
    let padding = size.checked_sub(3 + info.len() + hash.len()).filter(|padding| *padding >= 8)?;
    let mut expected = vec![0, 1];
    expected.resize(2 + padding, 0xff);
    expected.push(0);
    expected.extend_from_slice(info);
    expected.extend_from_slice(hash);
    let opened = BigUint::from_bytes_be(signature).modpow(exponent, modulus);
    Some(opened == BigUint::from_bytes_be(&expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponent_one_shows_the_padding() {
        // With exponent 1 a signature is its own padded hash.
        let modulus = (BigUint::from(1u8) << 511u32) + 1u8;
        let info = [0x30; 15];
        let hash = [7; 20];
        let mut signature = vec![0, 1];
        signature.extend([0xff; 64 - 3 - 35]);
        signature.push(0);
        signature.extend(info);
        signature.extend(hash);
        assert_eq!(pkcs1_verify(&modulus, &BigUint::from(1u8), &signature, &info, &hash), Some(true));
        assert_eq!(pkcs1_verify(&modulus, &BigUint::from(1u8), &signature, &info, &[8; 20]), Some(false));
        assert_eq!(pkcs1_verify(&BigUint::from(0u8), &BigUint::from(1u8), &signature, &info, &hash), None);
    }
}
