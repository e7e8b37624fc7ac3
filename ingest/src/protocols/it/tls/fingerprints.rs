//! Fingerprints of hellos: JA3 and JA3S (Salesforce), JA4 and JA4S (FoxIO).

use std::fmt::{self, Write as _};

use md5::Md5;
use sha2::{Digest, Sha256};

use super::hello::Hello;
use super::names::is_grease;
use crate::protocols::hex::hex;

/// What carries the handshake: first letter of JA4.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Carrier {
    Tls,
    Dtls,
    Quic,
}

/// A fingerprint and the text it was made of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fingerprint {
    pub hash: String,
    pub raw: String,
}

/// JA3: version, suites, extensions, groups, point formats in their order, GREASE dropped; MD5 of that text.
pub fn ja3(hello: &Hello<'_>) -> Fingerprint {
    let mut raw = format!("{},", hello.legacy_version);
    decimals(&mut raw, &hello.ciphers);
    raw.push(',');
    decimals(&mut raw, &hello.extensions);
    raw.push(',');
    decimals(&mut raw, &hello.groups);
    raw.push(',');
    for (index, format) in hello.point_formats.iter().enumerate() {
        put(&mut raw, format_args!("{}{format}", if index == 0 { "" } else { "-" }));
    }
    Fingerprint { hash: hex(&Md5::digest(&raw)), raw }
}

/// JA3S: version, suite chosen, extensions; MD5 of that text.
pub fn ja3s(hello: &Hello<'_>) -> Fingerprint {
    let mut raw = format!("{},", hello.legacy_version);
    decimals(&mut raw, &hello.ciphers);
    raw.push(',');
    decimals(&mut raw, &hello.extensions);
    Fingerprint { hash: hex(&Md5::digest(&raw)), raw }
}

/// JA4 of a client hello: what it offers, with suites and extensions sorted so that shuffling clients keep their print.
pub fn ja4(hello: &Hello<'_>, carrier: Carrier) -> Fingerprint {
    let mut ciphers: Vec<u16> = hello.ciphers.iter().copied().filter(|code| !is_grease(*code)).collect();
    let mut extensions: Vec<u16> = hello.extensions.iter().copied().filter(|code| !is_grease(*code)).collect();
    let offered = hello.supported_versions.iter().copied().filter(|code| !is_grease(*code));
    // Numbers of DTLS versions run downwards.
    let version = if carrier == Carrier::Dtls { offered.min() } else { offered.max() };
    let name = if extensions.contains(&0) { 'd' } else { 'i' };
    let mut start = String::with_capacity(10);
    put(
        &mut start,
        format_args!(
            "{}{}{name}{:02}{:02}",
            letter(carrier),
            version_text(version.unwrap_or(hello.legacy_version)),
            ciphers.len().min(99),
            extensions.len().min(99)
        ),
    );
    start.push_str(&alpn_ends(hello.alpn.first().copied()));

    ciphers.sort_unstable();
    let ciphers = hexes(&ciphers);
    // SNI and ALPN vary with the destination, not with the program.
    extensions.retain(|code| !matches!(code, 0 | 16));
    extensions.sort_unstable();
    let mut rest = hexes(&extensions);
    let algorithms: Vec<u16> = hello.sig_algs.iter().copied().filter(|code| !is_grease(*code)).collect();
    if !algorithms.is_empty() {
        rest.push('_');
        rest.push_str(&hexes(&algorithms));
    }
    let hash = format!("{start}_{}_{}", hash12(&ciphers), hash12(&rest));
    Fingerprint { hash, raw: format!("{start}_{ciphers}_{rest}") }
}

/// JA4S of a server hello: what it chose, extensions in the order sent.
pub fn ja4s(hello: &Hello<'_>, carrier: Carrier) -> Fingerprint {
    let mut start = String::with_capacity(12);
    put(&mut start, format_args!("{}{}{:02}", letter(carrier), version_text(hello.agreed_version()), hello.extensions.len().min(99)));
    start.push_str(&alpn_ends(hello.alpn.first().copied()));
    put(&mut start, format_args!("_{}", hexes(&hello.ciphers)));
    let extensions = hexes(&hello.extensions);
    Fingerprint { hash: format!("{start}_{}", hash12(&extensions)), raw: format!("{start}_{extensions}") }
}

/// The first 12 hex digits of the SHA-256 of a text; zeros for an empty one (JA4's rule for empty lists).
pub fn hash12(text: &str) -> String {
    if text.is_empty() {
        return "000000000000".to_owned();
    }
    let mut hash = hex(&Sha256::digest(text));
    hash.truncate(12);
    hash
}

/// Writes to a string, which cannot fail.
fn put(text: &mut String, arguments: fmt::Arguments<'_>) {
    let _ = text.write_fmt(arguments);
}

fn letter(carrier: Carrier) -> char {
    match carrier {
        Carrier::Tls => 't',
        Carrier::Dtls => 'd',
        Carrier::Quic => 'q',
    }
}

fn version_text(code: u16) -> &'static str {
    match code {
        0x0002 => "s2",
        0x0300 => "s3",
        0x0301 => "10",
        0x0302 => "11",
        0x0303 => "12",
        0x0304 => "13",
        0xfeff => "d1",
        0xfefd => "d2",
        0xfefc => "d3",
        _ => "00",
    }
}

/// First and last character of a protocol name; of its hex digits when one of the two is not a letter or digit.
fn alpn_ends(name: Option<&[u8]>) -> String {
    let Some((first, last)) = name.and_then(|name| Some((*name.first()?, *name.last()?))) else { return "00".to_owned() };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        [first, last].into_iter().map(char::from).collect()
    } else {
        format!("{:x}{:x}", first >> 4, last & 0x0f)
    }
}

/// Decimal numbers with dashes between, GREASE dropped.
fn decimals(text: &mut String, values: &[u16]) {
    for (index, value) in values.iter().filter(|value| !is_grease(**value)).enumerate() {
        put(text, format_args!("{}{value}", if index == 0 { "" } else { "-" }));
    }
}

/// Four hex digits each with commas between.
fn hexes(values: &[u16]) -> String {
    let mut text = String::with_capacity(values.len().saturating_mul(5));
    for (index, value) in values.iter().enumerate() {
        put(&mut text, format_args!("{}{value:04x}", if index == 0 { "" } else { "," }));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::it::tls::hello::tests::client_body;

    #[test]
    fn ja3_drops_grease_and_keeps_order() {
        let body = client_body();
        let hello = Hello::client(&body, false).unwrap();
        assert_eq!(ja3(&hello).raw, "771,4865,0-16-10-11-13-43,29,0");
    }

    #[test]
    fn ja4_of_the_same_hello() {
        let body = client_body();
        let hello = Hello::client(&body, false).unwrap();
        let print = ja4(&hello, Carrier::Tls);
        assert_eq!(print.raw, "t13d0106h2_1301_000a,000b,000d,002b_0403,0804");
        assert_eq!(print.hash, format!("t13d0106h2_{}_{}", hash12("1301"), hash12("000a,000b,000d,002b_0403,0804")));
    }

    #[test]
    fn published_hashes() {
        // From FoxIO's description of JA4S and JA4X.
        assert_eq!(hash12("0005,0017,ff01,0000"), "4e8089b08790");
        assert_eq!(hash12("550403,550406,550408,55040a"), "96a6439c8f5c");
    }

    #[test]
    fn alpn_that_is_not_text() {
        assert_eq!(alpn_ends(None), "00");
        assert_eq!(alpn_ends(Some(b"http/1.1")), "h1");
        assert_eq!(alpn_ends(Some(&[0xab])), "ab");
        assert_eq!(alpn_ends(Some(&[0x30, 0xab])), "3b");
    }
}
