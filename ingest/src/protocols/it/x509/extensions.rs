//! Certificate extensions (RFC 5280, 4.2; RFC 6962, 3.3).

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::der::{self, Element, Elements, tag};
use super::name::push_hex;
use crate::wire::Reader;

/// What the extensions of a certificate say; lists are empty and values `None` where an extension is missing.
#[derive(Default, Debug)]
pub struct Extensions<'a> {
    /// A SubjectAltName extension is there.
    pub has_names: bool,
    pub san_dns: Vec<Cow<'a, str>>,
    pub san_ip: Vec<Cow<'a, str>>,
    pub san_email: Vec<Cow<'a, str>>,
    pub san_uri: Vec<Cow<'a, str>>,
    pub ca: Option<bool>,
    pub path_len: Option<u32>,
    pub key_usage: Vec<Cow<'a, str>>,
    pub ext_key_usage: Vec<Cow<'a, str>>,
    pub subject_key_id: Option<&'a [u8]>,
    pub authority_key_id: Option<&'a [u8]>,
    pub ocsp_urls: Vec<Cow<'a, str>>,
    pub ca_issuers: Vec<Cow<'a, str>>,
    pub crl_urls: Vec<Cow<'a, str>>,
    pub policies: Vec<Cow<'a, str>>,
    pub scts: Option<u8>,
    /// Hex of the extensions' identifiers in the order of the wire, with commas: a part of JA4X.
    pub types: String,
}

/// GeneralName choices (RFC 5280, 4.2.1.6).
const MAIL: u8 = tag::context_plain(1);
const DNS: u8 = tag::context_plain(2);
const URI: u8 = tag::context_plain(6);
const IP: u8 = tag::context_plain(7);

impl<'a> Extensions<'a> {
    /// Reads the content of the Extensions sequence.
    pub fn parse(content: &'a [u8]) -> Self {
        let mut extensions = Self::default();
        for extension in Elements::of(content) {
            let mut fields = Elements::of(extension.content);
            let Some(kind) = fields.next_if(tag::OID) else { continue };
            if !extensions.types.is_empty() {
                extensions.types.push(',');
            }
            push_hex(&mut extensions.types, kind.content);
            let _critical = fields.next_if(tag::BOOLEAN);
            if let Some(value) = fields.next_if(tag::OCTET_STRING) {
                // A malformed extension leaves its own values empty.
                let _ = extensions.read(kind.content, value.content);
            }
        }
        extensions
    }

    fn read(&mut self, kind: &[u8], value: &'a [u8]) -> Option<()> {
        match der::dotted(kind)?.as_str() {
            "2.5.29.14" => self.subject_key_id = Some(der::inside(value, tag::OCTET_STRING)?),
            "2.5.29.15" => self.key_usage = bits(der::inside(value, tag::BIT_STRING)?)?,
            "2.5.29.17" => {
                self.has_names = true;
                for name in Elements::of(der::inside(value, tag::SEQUENCE)?) {
                    match name.tag {
                        MAIL => self.san_email.push(der::bytes_text(name.content)),
                        DNS => self.san_dns.push(der::bytes_text(name.content)),
                        URI => self.san_uri.push(der::bytes_text(name.content)),
                        IP => self.san_ip.extend(address(name.content)),
                        _ => {}
                    }
                }
            }
            "2.5.29.19" => {
                let mut fields = Elements::of(der::inside(value, tag::SEQUENCE)?);
                self.ca = Some(fields.next_if(tag::BOOLEAN).is_some_and(|ca| ca.content.iter().any(|octet| *octet != 0)));
                self.path_len = fields.next_if(tag::INTEGER).and_then(small_number);
            }
            "2.5.29.31" => {
                for point in Elements::of(der::inside(value, tag::SEQUENCE)?) {
                    let names = Elements::of(point.content).next_if(tag::context(0)).and_then(|name| der::inside(name.content, tag::context(0)));
                    let urls = Elements::of(names.unwrap_or_default()).filter(|name| name.tag == URI);
                    self.crl_urls.extend(urls.map(|name| der::bytes_text(name.content)));
                }
            }
            "2.5.29.32" => {
                let policies = Elements::of(der::inside(value, tag::SEQUENCE)?);
                self.policies = policies.filter_map(|policy| identifier(policy.content)).map(Cow::Owned).collect();
            }
            "2.5.29.35" => {
                let fields = Elements::of(der::inside(value, tag::SEQUENCE)?);
                self.authority_key_id = fields.clone().find(|field| field.tag == tag::context_plain(0)).map(|field| field.content);
            }
            "2.5.29.37" => {
                let purposes = Elements::of(der::inside(value, tag::SEQUENCE)?).filter(|purpose| purpose.tag == tag::OID);
                self.ext_key_usage = purposes.filter_map(|purpose| der::dotted(purpose.content)).map(purpose).collect();
            }
            "1.3.6.1.5.5.7.1.1" => {
                for access in Elements::of(der::inside(value, tag::SEQUENCE)?) {
                    let method = identifier(access.content);
                    let Some(place) = Elements::of(access.content).nth(1).filter(|place| place.tag == URI) else { continue };
                    match method.as_deref() {
                        Some("1.3.6.1.5.5.7.48.1") => self.ocsp_urls.push(der::bytes_text(place.content)),
                        Some("1.3.6.1.5.5.7.48.2") => self.ca_issuers.push(der::bytes_text(place.content)),
                        _ => {}
                    }
                }
            }
            "1.3.6.1.4.1.11129.2.4.2" => self.scts = timestamps(der::inside(value, tag::OCTET_STRING)?),
            _ => {}
        }
        Some(())
    }
}

/// The object identifier that `content` begins with.
fn identifier(content: &[u8]) -> Option<String> {
    der::dotted(Elements::of(content).next_if(tag::OID)?.content)
}

fn small_number(element: Element<'_>) -> Option<u32> {
    let (first, _) = element.content.split_first()?;
    if first & 0x80 != 0 {
        return None;
    }
    element.content.iter().try_fold(0u32, |number, octet| number.checked_mul(256)?.checked_add(u32::from(*octet)))
}

fn address(content: &[u8]) -> Option<Cow<'static, str>> {
    let text = match content.len() {
        4 => Ipv4Addr::from(<[u8; 4]>::try_from(content).ok()?).to_string(),
        16 => Ipv6Addr::from(<[u8; 16]>::try_from(content).ok()?).to_string(),
        _ => return None,
    };
    Some(text.into())
}

/// KeyUsage bits by name (RFC 5280, 4.2.1.3), from a BIT STRING's content.
fn bits<'a>(content: &[u8]) -> Option<Vec<Cow<'a, str>>> {
    const NAMES: [&str; 9] = [
        "digitalSignature",
        "nonRepudiation",
        "keyEncipherment",
        "dataEncipherment",
        "keyAgreement",
        "keyCertSign",
        "cRLSign",
        "encipherOnly",
        "decipherOnly",
    ];
    let (_unused, octets) = content.split_first()?;
    let set = |bit: usize| octets.get(bit / 8).is_some_and(|octet| octet & (0x80 >> (bit % 8)) != 0);
    Some(NAMES.iter().enumerate().filter(|(bit, _)| set(*bit)).map(|(_, name)| Cow::Borrowed(*name)).collect())
}

/// Name of an extended key usage, or its number.
fn purpose(oid: String) -> Cow<'static, str> {
    Cow::Borrowed(match oid.as_str() {
        "2.5.29.37.0" => "anyExtendedKeyUsage",
        "1.3.6.1.5.5.7.3.1" => "serverAuth",
        "1.3.6.1.5.5.7.3.2" => "clientAuth",
        "1.3.6.1.5.5.7.3.3" => "codeSigning",
        "1.3.6.1.5.5.7.3.4" => "emailProtection",
        "1.3.6.1.5.5.7.3.5" => "ipsecEndSystem",
        "1.3.6.1.5.5.7.3.6" => "ipsecTunnel",
        "1.3.6.1.5.5.7.3.7" => "ipsecUser",
        "1.3.6.1.5.5.7.3.8" => "timeStamping",
        "1.3.6.1.5.5.7.3.9" => "OCSPSigning",
        "1.3.6.1.5.5.7.3.17" => "ipsecIKE",
        "1.3.6.1.5.2.3.4" => "pkinitKPClientAuth",
        "1.3.6.1.5.2.3.5" => "pkinitKPKdc",
        "1.3.6.1.4.1.311.10.3.3" => "msSGC",
        "1.3.6.1.4.1.311.10.3.4" => "msEFS",
        "1.3.6.1.4.1.311.20.2.2" => "msSmartcardLogin",
        "1.3.6.1.4.1.311.54.1.2" => "msRemoteDesktop",
        "2.16.840.1.113730.4.1" => "nsSGC",
        _ => return Cow::Owned(oid),
    })
}

/// Signed certificate timestamps in the list that the extension wraps.
fn timestamps(list: &[u8]) -> Option<u8> {
    let mut reader = Reader::new(list);
    let length = reader.be_u16().ok()?;
    let mut list = reader.sub(length.into()).ok()?;
    let mut count = 0u8;
    while !list.is_empty() {
        let length = list.be_u16().ok()?;
        list.skip(length.into()).ok()?;
        count = count.saturating_add(1);
    }
    Some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_usage_and_constraints() {
        let mut content = vec![0x30, 25, 6, 3, 0x55, 0x1d, 17, 4, 18, 0x30, 16, 0x82, 3, b'a', b'.', b'b', 0x87, 4, 10, 0, 0, 1, 0x87, 3, 1, 2, 3];
        content.extend([0x30, 14, 6, 3, 0x55, 0x1d, 15, 1, 1, 0xff, 4, 4, 3, 2, 5, 0xa0]);
        content.extend([0x30, 15, 6, 3, 0x55, 0x1d, 19, 4, 8, 0x30, 6, 1, 1, 0xff, 2, 1, 3]);
        content.extend([0x30, 9, 6, 3, 0x55, 0x1d, 14, 4, 2, 4, 0]);
        let extensions = Extensions::parse(&content);
        assert_eq!(extensions.san_dns, ["a.b"]);
        assert_eq!(extensions.san_ip, ["10.0.0.1"]);
        assert_eq!(extensions.key_usage, ["digitalSignature", "keyEncipherment"]);
        assert_eq!((extensions.ca, extensions.path_len), (Some(true), Some(3)));
        assert_eq!(extensions.types, "551d11,551d0f,551d13,551d0e");
    }

    #[test]
    fn timestamps_are_counted() {
        assert_eq!(timestamps(&[0, 7, 0, 1, 9, 0, 2, 9, 9]), Some(2));
        assert_eq!(timestamps(&[0, 7, 0, 1]), None);
    }
}
