//! Messages of SSH that travel in the clear: version lines, key exchange (RFC 4253, 4419), and the keys of SSH-1.

use std::borrow::Cow;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use md5::Md5;
use sha2::{Digest, Sha256};

use crate::wire::{Malformed, Reader, Wire};

/// Message numbers (RFC 4250 section 4.1.2).
pub mod code {
    pub const DISCONNECT: u8 = 1;
    pub const KEXINIT: u8 = 20;
    pub const NEWKEYS: u8 = 21;
    pub const KEXDH_REPLY: u8 = 31;
    pub const GEX_REPLY: u8 = 33;
    /// SSH-1: the server's keys, and the client's session key after which all is encrypted.
    pub const SSH1_PUBLIC_KEY: u8 = 2;
    pub const SSH1_SESSION_KEY: u8 = 3;
}

/// Name of a message; 30 to 34 mean what the agreed method says (`gex`: group exchange, RFC 4419).
pub fn name(code: u8, gex: bool) -> Option<&'static str> {
    Some(match (code, gex) {
        (1, _) => "disconnect",
        (2, _) => "ignore",
        (3, _) => "unimplemented",
        (4, _) => "debug",
        (5, _) => "service_request",
        (6, _) => "service_accept",
        (7, _) => "ext_info",
        (20, _) => "kexinit",
        (21, _) => "newkeys",
        (30 | 34, true) => "gex_request",
        (31, true) => "gex_group",
        (32, true) => "gex_init",
        (33, true) => "gex_reply",
        (30, false) => "kexdh_init",
        (31, false) => "kexdh_reply",
        _ => return None,
    })
}

/// Parts of a version line (RFC 4253 section 4.2): protocol, software, comment.
pub fn line_parts(line: &str) -> (Option<&str>, Option<&str>, Option<&str>) {
    let Some((protocol, rest)) = line.strip_prefix("SSH-").and_then(|rest| rest.split_once('-')) else { return (None, None, None) };
    let (software, comment) = match rest.split_once(' ') {
        Some((software, comment)) => (software, Some(comment)),
        None => (rest, None),
    };
    let filled = |text: &&str| !text.is_empty();
    (Some(protocol).filter(filled), Some(software).filter(filled), comment.filter(filled))
}

/// The lists of a key exchange init (RFC 4253 section 7.1), as they were offered.
#[derive(Default)]
pub struct KexInit {
    /// Methods, host keys, ciphers to server and back, MACs to server and back, compression to server and back.
    lists: [String; 8],
}

/// Places in [`KexInit`].
#[derive(Clone, Copy)]
pub enum List {
    Kex,
    HostKey,
    CipherClient,
    CipherServer,
    MacClient,
    MacServer,
    CompressionClient,
    CompressionServer,
}

impl KexInit {
    /// Reads what follows the message number.
    pub fn read(mut r: Reader<'_>) -> Wire<Self> {
        r.skip(16)?;
        let mut init = Self::default();
        for list in &mut init.lists {
            *list = String::from_utf8_lossy(string(&mut r)?).into_owned();
        }
        Ok(init)
    }

    /// One list as it stood on the wire: names with commas between.
    pub fn text(&self, list: List) -> &str {
        self.lists.get(list as usize).map_or("", String::as_str)
    }

    fn names(&self, list: List) -> impl Iterator<Item = &str> {
        self.text(list).split(',').filter(|name| !name.is_empty())
    }

    /// The names of a list.
    pub fn list(&self, list: List) -> Vec<Cow<'_, str>> {
        self.names(list).map(Cow::Borrowed).collect()
    }

    /// The first of our names, we being the client, that the server has as well (RFC 4253 section 7.1).
    pub fn agreed(&self, server: &Self, list: List) -> Option<&str> {
        self.names(list).find(|name| server.names(list).any(|other| other == *name))
    }

    /// What HASSH hashes: methods, ciphers, MACs, compression of the own direction.
    pub fn hassh_algorithms(&self, is_server: bool) -> String {
        let own = match is_server {
            false => [List::CipherClient, List::MacClient, List::CompressionClient],
            true => [List::CipherServer, List::MacServer, List::CompressionServer],
        };
        let [cipher, mac, compression] = own.map(|list| self.text(list));
        format!("{};{cipher};{mac};{compression}", self.text(List::Kex))
    }

    /// Offers the strict key exchange that Terrapin made necessary.
    pub fn strict(&self, is_server: bool) -> bool {
        let mark = if is_server { "kex-strict-s-v00@openssh.com" } else { "kex-strict-c-v00@openssh.com" };
        self.names(List::Kex).any(|name| name == mark)
    }
}

/// MD5 in hexadecimal.
pub fn md5(text: &[u8]) -> String {
    hex(&Md5::digest(text), "")
}

fn hex(bytes: &[u8], between: &str) -> String {
    let mut text = String::with_capacity(bytes.len().saturating_mul(3));
    for (index, byte) in bytes.iter().enumerate() {
        if index > 0 {
            text.push_str(between);
        }
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// A server's key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostKey {
    pub kind: String,
    pub sha256: String,
    pub md5: String,
}

impl HostKey {
    /// Reads the first string of a key exchange reply: the key blob, whose first string is its type.
    pub fn read(mut r: Reader<'_>) -> Wire<Self> {
        let blob = string(&mut r)?;
        let kind = std::str::from_utf8(string(&mut Reader::new(blob))?).map_err(|_| Malformed)?;
        if kind.is_empty() || !kind.bytes().all(|octet| octet.is_ascii_graphic()) {
            return Err(Malformed);
        }
        Ok(Self {
            kind: kind.to_owned(),
            sha256: format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(blob))),
            md5: hex(&Md5::digest(blob), ":"),
        })
    }
}

/// A string of RFC 4251 section 5: length and bytes.
pub fn string<'a>(r: &mut Reader<'a>) -> Wire<&'a [u8]> {
    let length = usize::try_from(r.be_u32()?).map_err(|_| Malformed)?;
    r.take(length)
}
