//! X.509 certificates (RFC 5280): rows of `x509` from whatever carries them.
//!
//! Each part of a certificate is read by itself, so that one malformed part costs only its own columns: DER, hashes and size
//! are written in any case.

pub mod der;
mod extensions;
mod name;
mod verify;

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::LazyLock;

use md5::Md5;
use pcapper_schema::tables::X509;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use x509_parser::asn1_rs::Oid;
use x509_parser::oid_registry::OidRegistry;

use self::der::{Element, Elements, tag};
use self::extensions::Extensions;
use self::name::{Name, host_matches};
use self::verify::Verdicts;
use crate::protocols::Cx;
use crate::protocols::hex::hex;
use crate::protocols::it::tls::fingerprints::hash12;

/// Most certificates taken from one message.
const MAX_CHAIN: usize = 255;

const DAY: f64 = 86_400.0;

/// Who presents certificates, and how.
#[derive(Clone, Copy, Debug)]
pub struct Presented<'a> {
    /// As in `x509.carrier`: `tls`, `dtls`, `ocsp` ...
    pub carrier: &'a str,
    /// `server` or `client`, if known.
    pub role: Option<&'a str>,
    /// Server name that the client asked for in the same handshake.
    pub server_name: Option<&'a str>,
}

/// Writes a row for each certificate of a message, in the order sent; the sender is `cx.dir`.
pub fn emit_chain(cx: &mut Cx<'_>, presented: &Presented<'_>, chain: &[&[u8]]) {
    if chain.len() > MAX_CHAIN {
        cx.anomaly("x509", "limit_reached", "more than 255 certificates in one message; the rest is not decoded");
    }
    let chain = chain.get(..MAX_CHAIN).unwrap_or(chain);
    let certificates: Vec<Certificate<'_>> = chain.iter().filter(|der| !der.is_empty()).map(|der| Certificate::parse(der)).collect();
    let count = u8::try_from(certificates.len()).ok();
    for (index, certificate) in certificates.iter().enumerate() {
        let verdicts = cx.shared.get::<Verdicts>();
        let signed_by_next = certificates.get(index + 1).and_then(|next| verdicts.signed_by(certificate, next));
        let self_issued = match (certificate.issuer, certificate.subject) {
            (Some(issuer), Some(subject)) => Some(issuer == subject),
            _ => None,
        };
        let self_signed = match self_issued {
            Some(true) => verdicts.signed_by(certificate, certificate),
            other => other,
        };
        let place = Place { index: u8::try_from(index).ok(), count, self_issued, self_signed, signed_by_next };
        emit(cx, presented, certificate, place);
    }
}

/// The bytes are one SEQUENCE of DER, as a certificate is.
pub fn is_der(bytes: &[u8]) -> bool {
    Elements::of(bytes).next_if(tag::SEQUENCE).is_some_and(|element| element.whole.len() == bytes.len())
}

/// Certificates that an OCSP response brings for the check of its own signature (RFC 6960, 4.2.1).
pub fn ocsp_certificates(response: &[u8]) -> Vec<&[u8]> {
    let basic = || {
        let mut fields = Elements::of(der::inside(response, tag::SEQUENCE)?);
        let bytes = fields.find(|field| field.tag == tag::context(0))?;
        let mut bytes = Elements::of(der::inside(bytes.content, tag::SEQUENCE)?);
        let kind = bytes.next_if(tag::OID)?;
        // id-pkix-ocsp-basic
        if der::dotted(kind.content)? != "1.3.6.1.5.5.7.48.1.1" {
            return None;
        }
        let mut basic = Elements::of(der::inside(bytes.next_if(tag::OCTET_STRING)?.content, tag::SEQUENCE)?);
        let certificates = basic.find(|field| field.tag == tag::context(0))?;
        der::inside(certificates.content, tag::SEQUENCE)
    };
    Elements::of(basic().unwrap_or_default()).map(|certificate| certificate.whole).collect()
}

/// Certificates in a SignedData of CMS (RFC 5652, 5.1), given as the ContentInfo that holds it.
pub fn cms_certificates(content_info: &[u8]) -> Vec<&[u8]> {
    let certificates = || {
        let mut fields = Elements::of(der::inside(content_info, tag::SEQUENCE)?);
        let kind = fields.next_if(tag::OID)?;
        // id-signedData
        if der::dotted(kind.content)? != "1.2.840.113549.1.7.2" {
            return None;
        }
        let mut signed = Elements::of(der::inside(fields.next_if(tag::context(0))?.content, tag::SEQUENCE)?);
        signed.find(|field| field.tag == tag::context(0)).map(|field| field.content)
    };
    // Other choices than a certificate (RFC 5652, 10.2.2) have tags of their own.
    let is_certificate = |element: &Element<'_>| element.tag == tag::SEQUENCE;
    Elements::of(certificates().unwrap_or_default()).filter(is_certificate).map(|certificate| certificate.whole).collect()
}

/// What a certificate's place in its chain tells.
struct Place {
    index: Option<u8>,
    count: Option<u8>,
    self_issued: Option<bool>,
    self_signed: Option<bool>,
    signed_by_next: Option<bool>,
}

/// The parts of a certificate, each as far as it could be read.
pub struct Certificate<'a> {
    der: &'a [u8],
    sha256: [u8; 32],
    /// TBSCertificate with its header: what is signed.
    signed: Option<&'a [u8]>,
    version: Option<u8>,
    serial: Option<&'a [u8]>,
    /// Content of the issuer's Name.
    issuer: Option<&'a [u8]>,
    not_before: Option<i64>,
    not_after: Option<i64>,
    /// Content of the subject's Name.
    subject: Option<&'a [u8]>,
    /// SubjectPublicKeyInfo with its header.
    public_key: Option<&'a [u8]>,
    spki_sha256: Option<[u8; 32]>,
    /// Content of the Extensions sequence.
    extensions: Option<&'a [u8]>,
    /// AlgorithmIdentifier with its header.
    signature_algorithm: Option<&'a [u8]>,
    /// The BIT STRING.
    signature: Option<Element<'a>>,
}

impl<'a> Certificate<'a> {
    /// Reads a certificate.
    pub fn parse(der: &'a [u8]) -> Self {
        let mut certificate = Self {
            der,
            sha256: Sha256::digest(der).into(),
            signed: None,
            version: None,
            serial: None,
            issuer: None,
            not_before: None,
            not_after: None,
            subject: None,
            public_key: None,
            spki_sha256: None,
            extensions: None,
            signature_algorithm: None,
            signature: None,
        };
        // A part that is missing or malformed ends the walk; what was read before it stays.
        let _ = certificate.read();
        certificate
    }

    fn read(&mut self) -> Option<()> {
        let mut outer = Elements::of(der::inside(self.der, tag::SEQUENCE)?);
        let signed = outer.next_if(tag::SEQUENCE)?;
        self.signed = Some(signed.whole);
        self.signature_algorithm = outer.next_if(tag::SEQUENCE).map(|algorithm| algorithm.whole);
        self.signature = outer.next_if(tag::BIT_STRING);

        let mut fields = Elements::of(signed.content);
        let version = fields.next_if(tag::context(0));
        self.version = match version {
            // DEFAULT v1
            None => Some(1),
            Some(version) => match der::inside(version.content, tag::INTEGER) {
                Some(&[coded]) => coded.checked_add(1),
                _ => None,
            },
        };
        self.serial = Some(fields.next_if(tag::INTEGER)?.content);
        let algorithm = fields.next_if(tag::SEQUENCE)?;
        self.signature_algorithm = self.signature_algorithm.or(Some(algorithm.whole));
        self.issuer = Some(fields.next_if(tag::SEQUENCE)?.content);
        let mut validity = Elements::of(fields.next_if(tag::SEQUENCE)?.content);
        self.not_before = validity.next().and_then(der::time);
        self.not_after = validity.next().and_then(der::time);
        self.subject = Some(fields.next_if(tag::SEQUENCE)?.content);
        let public_key = fields.next_if(tag::SEQUENCE)?.whole;
        self.public_key = Some(public_key);
        self.spki_sha256 = Some(Sha256::digest(public_key).into());
        let extensions = fields.find(|field| field.tag == tag::context(3))?;
        self.extensions = Some(der::inside(extensions.content, tag::SEQUENCE)?);
        Some(())
    }
}

fn emit(cx: &mut Cx<'_>, presented: &Presented<'_>, certificate: &Certificate<'_>, place: Place) {
    let subject = certificate.subject.map(Name::parse);
    let issuer = certificate.issuer.map(Name::parse);
    let extensions = Extensions::parse(certificate.extensions.unwrap_or_default());
    let key = certificate.public_key.map(Key::parse).unwrap_or_default();
    let sig_alg = certificate.signature_algorithm.and_then(algorithm_name);
    let spki_sha256 = certificate.spki_sha256.map(|hash| hex(&hash));
    let ja4x = match (&issuer, &subject) {
        (Some(issuer), Some(subject)) => Some(format!("{}_{}_{}", hash12(&issuer.types), hash12(&subject.types), hash12(&extensions.types))),
        _ => None,
    };
    let (md5, sha1, sha256) = (hex(&Md5::digest(certificate.der)), hex(&Sha1::digest(certificate.der)), hex(&certificate.sha256));
    let leaf = place.index == Some(0) && presented.role == Some("server") && presented.carrier != "ocsp";
    let sni_matches = match (presented.server_name, &subject) {
        (Some(host), Some(subject)) if leaf => Some(matches_host(host, &extensions, subject)),
        _ => None,
    };
    let seconds = |time: i64| time.checked_mul(1_000_000_000);
    let row = X509 {
        carrier: Some(presented.carrier),
        role: presented.role,
        chain_index: place.index,
        chain_length: place.count,
        version: certificate.version,
        serial: certificate.serial,
        subject: subject.as_ref().map(|name| name.text.as_str()),
        subject_cn: subject.as_ref().and_then(|name| name.common_name.as_deref()),
        subject_o: subject.as_ref().and_then(|name| name.organisation.as_deref()),
        issuer: issuer.as_ref().map(|name| name.text.as_str()),
        issuer_cn: issuer.as_ref().and_then(|name| name.common_name.as_deref()),
        issuer_o: issuer.as_ref().and_then(|name| name.organisation.as_deref()),
        not_before: certificate.not_before.and_then(seconds),
        not_after: certificate.not_after.and_then(seconds),
        validity_days: certificate.not_before.zip(certificate.not_after).map(|(start, end)| days(end) - days(start)),
        days_left: certificate.not_after.map(|end| days(end) - cx.ts as f64 / (DAY * 1e9)),
        san_dns: list(&extensions.san_dns),
        san_ip: list(&extensions.san_ip),
        san_email: list(&extensions.san_email),
        san_uri: list(&extensions.san_uri),
        key_type: key.kind.as_deref(),
        key_bits: key.bits,
        key_curve: key.curve.as_deref(),
        key_exponent: key.exponent.as_deref(),
        sig_alg: sig_alg.as_deref(),
        basic_constraints_ca: extensions.ca,
        path_len: extensions.path_len,
        key_usage: list(&extensions.key_usage),
        ext_key_usage: list(&extensions.ext_key_usage),
        subject_key_id: extensions.subject_key_id,
        authority_key_id: extensions.authority_key_id,
        ocsp_urls: list(&extensions.ocsp_urls),
        ca_issuers: list(&extensions.ca_issuers),
        crl_urls: list(&extensions.crl_urls),
        policies: list(&extensions.policies),
        scts: extensions.scts,
        self_signed: place.self_signed,
        self_issued: place.self_issued,
        signed_by_next: place.signed_by_next,
        md5: Some(&md5),
        sha1: Some(&sha1),
        sha256: Some(&sha256),
        spki_sha256: spki_sha256.as_deref(),
        ja4x: ja4x.as_deref(),
        size_bytes: u32::try_from(certificate.der.len()).ok(),
        server_name: presented.server_name,
        sni_matches,
        der: Some(certificate.der),
    };
    cx.emit(row);
}

/// A time in days since 1970; seconds of any date are exact in a double.
fn days(seconds: i64) -> f64 {
    seconds as f64 / DAY
}

fn list<'a, 'b>(values: &'b [Cow<'a, str>]) -> Option<&'b [Cow<'a, str>]> {
    (!values.is_empty()).then_some(values)
}

/// RFC 6125: alternative names decide; the common name only where there are none (6.4.4).
fn matches_host(host: &str, extensions: &Extensions<'_>, subject: &Name) -> bool {
    if let Ok(address) = host.parse::<IpAddr>() {
        return extensions.san_ip.iter().any(|name| name.parse() == Ok(address));
    }
    if extensions.has_names {
        extensions.san_dns.iter().any(|name| host_matches(host, name))
    } else {
        subject.common_name.as_deref().is_some_and(|name| host_matches(host, name))
    }
}

/// Names of signature algorithms by object identifier.
static REGISTRY: LazyLock<OidRegistry<'static>> = LazyLock::new(|| OidRegistry::default().with_all_crypto().with_x509());

/// Name of an AlgorithmIdentifier's algorithm, its dotted number if it has none here.
fn algorithm_name(algorithm: &[u8]) -> Option<Cow<'static, str>> {
    let oid = Elements::of(der::inside(algorithm, tag::SEQUENCE)?).next_if(tag::OID)?.content;
    let dotted = der::dotted(oid)?;
    if let Some(name) = new_algorithm(&dotted) {
        return Some(name.into());
    }
    match dotted.as_str() {
        "1.3.101.112" => return Some("ed25519".into()),
        "1.3.101.113" => return Some("ed448".into()),
        "1.2.840.10045.4.1" => return Some("ecdsa-with-SHA1".into()),
        "1.2.840.113549.1.1.10" => return Some("rsassaPss".into()),
        "1.2.156.10197.1.501" => return Some("sm2-with-SM3".into()),
        "2.16.840.1.101.3.4.3.1" => return Some("dsa-with-sha224".into()),
        "2.16.840.1.101.3.4.3.2" => return Some("dsa-with-sha256".into()),
        _ => {}
    }
    let known = REGISTRY.get(&Oid::new(Cow::Borrowed(oid))).map(|entry| entry.sn().to_owned());
    Some(Cow::Owned(known.unwrap_or(dotted)))
}

/// Algorithms of FIPS 204, the same number for key and signature (RFC 9881).
fn new_algorithm(dotted: &str) -> Option<&'static str> {
    Some(match dotted {
        "2.16.840.1.101.3.4.3.17" => "ml-dsa-44",
        "2.16.840.1.101.3.4.3.18" => "ml-dsa-65",
        "2.16.840.1.101.3.4.3.19" => "ml-dsa-87",
        _ => return None,
    })
}

/// A public key's columns.
#[derive(Default, PartialEq, Eq, Debug)]
struct Key {
    kind: Option<Cow<'static, str>>,
    bits: Option<u32>,
    curve: Option<Cow<'static, str>>,
    exponent: Option<String>,
}

impl Key {
    /// Reads a SubjectPublicKeyInfo (RFC 5280, 4.1.2.7; RFC 3279, 2.3; RFC 5480).
    fn parse(info: &[u8]) -> Self {
        let mut key = Self::default();
        let _ = key.read(info);
        key
    }

    fn read(&mut self, info: &[u8]) -> Option<()> {
        let mut fields = Elements::of(der::inside(info, tag::SEQUENCE)?);
        let mut algorithm = Elements::of(fields.next_if(tag::SEQUENCE)?.content);
        let dotted = der::dotted(algorithm.next_if(tag::OID)?.content)?;
        let parameters = algorithm.next();
        let bytes = fields.next_if(tag::BIT_STRING).and_then(|bits| bits.content.get(1..));
        let fixed = |kind: &'static str, bits: u32| (Some(Cow::Borrowed(kind)), Some(bits));
        match dotted.as_str() {
            "1.2.840.113549.1.1.1" | "1.2.840.113549.1.1.10" | "2.5.8.1.1" => {
                self.kind = Some("rsa".into());
                let mut numbers = Elements::of(der::inside(bytes?, tag::SEQUENCE)?);
                self.bits = bit_length(numbers.next_if(tag::INTEGER)?.content);
                let exponent = numbers.next_if(tag::INTEGER)?.content;
                self.exponent = Some(x509_parser::num_bigint::BigUint::from_bytes_be(exponent.get(..64).unwrap_or(exponent)).to_string())
                    .filter(|_| exponent.len() <= 64);
            }
            "1.2.840.10045.2.1" => {
                self.kind = Some("ec".into());
                match parameters {
                    Some(parameters) if parameters.tag == tag::OID => {
                        let (name, bits) = curve(&der::dotted(parameters.content)?);
                        (self.curve, self.bits) = (Some(name), bits);
                    }
                    // Explicit parameters: the field's prime (RFC 3279, 2.3.5).
                    Some(parameters) if parameters.tag == tag::SEQUENCE => {
                        self.curve = Some("explicit".into());
                        let field = Elements::of(parameters.content).nth(1)?;
                        self.bits =
                            Elements::of(field.content).nth(1).filter(|prime| prime.tag == tag::INTEGER).and_then(|prime| bit_length(prime.content));
                    }
                    _ => {}
                }
            }
            "1.2.840.10040.4.1" => {
                self.kind = Some("dsa".into());
                self.bits = bit_length(Elements::of(parameters?.content).next_if(tag::INTEGER)?.content);
            }
            "1.2.840.10046.2.1" | "1.2.840.113549.1.3.1" => {
                self.kind = Some("dh".into());
                self.bits = bit_length(Elements::of(parameters?.content).next_if(tag::INTEGER)?.content);
            }
            "1.3.101.110" => (self.kind, self.bits) = fixed("x25519", 256),
            "1.3.101.111" => (self.kind, self.bits) = fixed("x448", 448),
            "1.3.101.112" => (self.kind, self.bits) = fixed("ed25519", 256),
            "1.3.101.113" => (self.kind, self.bits) = fixed("ed448", 456),
            "1.2.643.2.2.19" => (self.kind, self.bits) = fixed("gost2001", 256),
            "1.2.643.7.1.1.1.1" => (self.kind, self.bits) = fixed("gost2012", 256),
            "1.2.643.7.1.1.1.2" => (self.kind, self.bits) = fixed("gost2012", 512),
            other => self.kind = Some(new_algorithm(other).map_or_else(|| Cow::Owned(other.to_owned()), Cow::Borrowed)),
        }
        Some(())
    }
}

/// Bits of a DER INTEGER's value; `None` for zero or a negative number.
fn bit_length(integer: &[u8]) -> Option<u32> {
    if integer.first()? & 0x80 != 0 {
        return None;
    }
    let start = integer.iter().position(|octet| *octet != 0)?;
    let significant = integer.get(start..)?;
    u32::try_from(significant.len()).ok()?.checked_mul(8)?.checked_sub(significant.first()?.leading_zeros())
}

/// Name and size of a named curve (RFC 5480, SEC 2, RFC 5639); its number where it has no name here.
fn curve(oid: &str) -> (Cow<'static, str>, Option<u32>) {
    let (name, bits) = match oid {
        "1.2.840.10045.3.1.1" => ("secp192r1", 192),
        "1.2.840.10045.3.1.7" => ("secp256r1", 256),
        "1.3.132.0.33" => ("secp224r1", 224),
        "1.3.132.0.34" => ("secp384r1", 384),
        "1.3.132.0.35" => ("secp521r1", 521),
        "1.3.132.0.10" => ("secp256k1", 256),
        "1.3.132.0.31" => ("secp192k1", 192),
        "1.3.132.0.32" => ("secp224k1", 224),
        "1.3.132.0.8" => ("secp160r1", 160),
        "1.3.132.0.1" => ("sect163k1", 163),
        "1.3.132.0.15" => ("sect163r2", 163),
        "1.3.132.0.26" => ("sect233k1", 233),
        "1.3.132.0.27" => ("sect233r1", 233),
        "1.3.132.0.16" => ("sect283k1", 283),
        "1.3.132.0.17" => ("sect283r1", 283),
        "1.3.132.0.36" => ("sect409k1", 409),
        "1.3.132.0.37" => ("sect409r1", 409),
        "1.3.132.0.38" => ("sect571k1", 571),
        "1.3.132.0.39" => ("sect571r1", 571),
        "1.3.36.3.3.2.8.1.1.7" => ("brainpoolP256r1", 256),
        "1.3.36.3.3.2.8.1.1.11" => ("brainpoolP384r1", 384),
        "1.3.36.3.3.2.8.1.1.13" => ("brainpoolP512r1", 512),
        "1.2.156.10197.1.301" => ("sm2p256v1", 256),
        other => return (Cow::Owned(other.to_owned()), None),
    };
    (name.into(), Some(bits))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};
    use arrow::datatypes::{DataType, Float64Type};
    use pcapper_schema::{Row, TableSet};

    use super::*;
    use crate::protocols::{Dir, Endpoint, Shared};

    /// Self-signed, Ed25519, O=Example, CN=*.example.org, serial 00f1, 2026-11-23 06:52:59 for a year.
    const SELF_SIGNED: &str = "3082017130820123a003020102020200f1300506032b6570302a3110300e060355040a0c074578616d706c653116301406035504030c0d2a2e657861\
6d706c652e6f7267301e170d3236313132333036353235395a170d3237313132333036353235395a302a3110300e060355040a0c074578616d706c65\
3116301406035504030c0d2a2e6578616d706c652e6f7267302a300506032b6570032100c58202258d10383a4f37edc0c0dfc7d051cd3ac514c72a84\
ed9d63611a9639fca36d306b301d0603551d0e04160414286fff360fab75951c4105f39c85c187c16e5e57301f0603551d23041830168014286fff36\
0fab75951c4105f39c85c187c16e5e57300f0603551d130101ff040530030101ff30180603551d110411300f820d2a2e6578616d706c652e6f726730\
0506032b657003410000ed98e7b9fc5081f0c6122b5c6919b58e40cbc300f078eb97f851849a8491efb990131326bd1639c0da25f4a8bd57129d5e54\
7d4215da6b5a915b0bbad8c002";

    fn self_signed() -> Vec<u8> {
        let digits: Vec<u8> = SELF_SIGNED.bytes().map(|digit| char::from(digit).to_digit(16).unwrap() as u8).collect();
        digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
    }

    fn rows(chain: &[&[u8]], server_name: Option<&str>) -> arrow::array::RecordBatch {
        let (mut tables, mut shared) = (TableSet::default(), Shared::default());
        let ends = [Endpoint::default(); 2];
        let mut cx = Cx {
            tables: &mut tables,
            shared: &mut shared,
            frame: 1,
            ts: 1_795_416_779_000_000_000,
            packet: None,
            flow_id: None,
            ends,
            dir: Dir::Resp,
            frames_spanned: 1,
        };
        emit_chain(&mut cx, &Presented { carrier: "tls", role: Some("server"), server_name }, chain);
        X509::slot(&mut tables).finish("c", "id")
    }

    fn cell(rows: &arrow::array::RecordBatch, column: &str, row: usize) -> Option<String> {
        let column = rows.column_by_name(column).unwrap();
        if column.is_null(row) {
            return None;
        }
        let text = arrow::compute::cast(column, &DataType::Utf8).unwrap();
        Some(text.as_string::<i32>().value(row).to_owned())
    }

    #[test]
    fn every_part_of_a_certificate() {
        let der = self_signed();
        let rows = rows(&[&der], Some("www.example.org"));
        let cell = |column| cell(&rows, column, 0);
        assert_eq!(rows.column_by_name("serial").unwrap().as_binary::<i32>().value(0), [0x00, 0xf1]);
        assert_eq!(cell("subject").as_deref(), Some("CN=*.example.org,O=Example"));
        assert_eq!(cell("key_type").as_deref(), Some("ed25519"));
        assert_eq!(cell("sig_alg").as_deref(), Some("ed25519"));
        assert_eq!(cell("self_signed").as_deref(), Some("true"));
        assert_eq!(cell("signed_by_next"), None);
        assert_eq!(cell("sni_matches").as_deref(), Some("true"));
        assert_eq!(cell("sha1").as_deref(), Some("a8038294b315180ae6dd24a3ace4b11215b44779"));
        assert_eq!(cell("ja4x"), Some(format!("{0}_{0}_{1}", hash12("55040a,550403"), hash12("551d0e,551d23,551d13,551d11"))));
        assert_eq!(rows.column_by_name("days_left").unwrap().as_primitive::<Float64Type>().value(0), 365.0);
    }

    #[test]
    fn no_row_is_dropped() {
        let mut der = self_signed();
        // The year of the start is no number, and the signature is not the key's.
        let start = der.windows(2).position(|pair| pair == [tag::UTC_TIME, 13]).unwrap();
        der[start + 2] = b'x';
        let rows = rows(&[&der, &self_signed(), b"junk"], None);
        assert_eq!(rows.num_rows(), 3);
        assert_eq!((cell(&rows, "self_signed", 0), cell(&rows, "signed_by_next", 0)), (Some("false".into()), Some("false".into())));
        assert_eq!(cell(&rows, "signed_by_next", 1), None);
        assert_eq!((cell(&rows, "not_before", 0), cell(&rows, "subject_cn", 0).as_deref()), (None, Some("*.example.org")));
        assert_eq!((cell(&rows, "subject", 2), cell(&rows, "size_bytes", 2).as_deref()), (None, Some("4")));
    }

    #[test]
    fn sizes_of_keys() {
        // rsaEncryption, modulus 0x0081 (8 bits), exponent 3.
        let rsa = [0x30, 27, 0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0, 3, 10, 0, 0x30, 7, 2, 2, 0, 0x81, 2, 1, 3];
        assert_eq!(Key::parse(&rsa), Key { kind: Some("rsa".into()), bits: Some(8), curve: None, exponent: Some("3".into()) });
        let ec = [0x30, 23, 0x30, 19, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7, 3, 0];
        assert_eq!(Key::parse(&ec), Key { kind: Some("ec".into()), bits: Some(256), curve: Some("secp256r1".into()), exponent: None });
    }
}
