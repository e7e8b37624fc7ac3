//! Options of the OPT record (RFC 6891).

use std::fmt::Write as _;
use std::net::IpAddr;

use super::name::{push_octets, push_quoted};
use super::rdata::{padded_address, push_hex};
use crate::wire::Reader;

/// What the options of an OPT record say (RFC 6891 section 6.1.2); the texts are empty where an option is missing.
#[derive(Default, Debug)]
pub struct Options {
    /// Option codes in order.
    pub codes: Vec<u16>,
    /// `address/prefix` (RFC 7871).
    pub client_subnet: String,
    /// RFC 5001: text where it is printable, else hex.
    pub nsid: String,
    /// RFC 8914.
    pub extended_error: Option<u16>,
}

impl Options {
    /// Forgets everything, keeping the memory.
    pub fn clear(&mut self) {
        self.codes.clear();
        self.client_subnet.clear();
        self.nsid.clear();
        self.extended_error = None;
    }

    /// Reads the options and appends them to `out` as `NAME=value`, spaces between. False if the lengths do not add up: the
    /// options before that point are kept.
    pub fn read(&mut self, bytes: &[u8], out: &mut String) -> bool {
        let mut rest = Reader::new(bytes);
        let mut first = true;
        while !rest.is_empty() {
            let (Ok(code), Ok(length)) = (rest.be_u16(), rest.be_u16()) else { return false };
            self.codes.push(code);
            let Ok(value) = rest.take(usize::from(length)) else { return false };
            if !std::mem::take(&mut first) {
                out.push(' ');
            }
            self.option(code, value, out);
        }
        true
    }

    fn option(&mut self, code: u16, value: &[u8], out: &mut String) {
        match (code, value) {
            (3, value) => {
                out.push_str("NSID");
                if !value.is_empty() && self.nsid.is_empty() {
                    match value.iter().all(|octet| matches!(octet, b' '..=b'~')) {
                        true => push_octets(&mut self.nsid, value),
                        false => push_hex(&mut self.nsid, value),
                    }
                    let _ = write!(out, "={}", self.nsid);
                }
            }
            (8, &[family_high, family_low, source, scope, ref address @ ..]) => {
                out.push_str("ECS=");
                match client_subnet(u16::from_be_bytes([family_high, family_low]), source, address) {
                    Some(network) => {
                        let _ = write!(out, "{network}/{source}/{scope}");
                        if self.client_subnet.is_empty() {
                            let _ = write!(self.client_subnet, "{network}/{source}");
                        }
                    }
                    None => push_hex(out, value),
                }
            }
            (10, value) => {
                out.push_str("COOKIE=");
                push_hex(out, value);
            }
            (11, &[high, low]) => drop(write!(out, "KEEPALIVE={}", u16::from_be_bytes([high, low]))),
            (11, &[]) => out.push_str("KEEPALIVE"),
            (12, value) => drop(write!(out, "PADDING={}", value.len())),
            (15, &[high, low, ref extra @ ..]) => {
                let error = u16::from_be_bytes([high, low]);
                self.extended_error.get_or_insert(error);
                let _ = write!(out, "EDE={error}");
                if !extra.is_empty() {
                    out.push(' ');
                    push_quoted(out, extra);
                }
            }
            _ => {
                let _ = write!(out, "OPT{code}");
                if !value.is_empty() {
                    out.push('=');
                    push_hex(out, value);
                }
            }
        }
    }
}

/// The network of a client subnet option; `None` where family, prefix and octets contradict each other.
fn client_subnet(family: u16, prefix: u8, octets: &[u8]) -> Option<IpAddr> {
    let address = padded_address(family, octets)?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    (prefix <= longest).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edns_options() {
        let bytes = b"\0\x08\0\x07\0\x01\x18\0\xc0\x00\x02\0\x03\0\x02ns\0\x0f\0\x04\0\x16up\0\x0c\0\x03\0\0\0";
        let (mut options, mut out) = (Options::default(), String::new());
        assert!(options.read(bytes, &mut out));
        assert_eq!(out, r#"ECS=192.0.2.0/24/0 NSID=ns EDE=22 "up" PADDING=3"#);
        assert_eq!(options.codes, [8, 3, 15, 12]);
        assert_eq!((options.client_subnet.as_str(), options.nsid.as_str(), options.extended_error), ("192.0.2.0/24", "ns", Some(22)));
        assert!(!options.read(b"\0\x03\0\x09a", &mut out));
    }
}
