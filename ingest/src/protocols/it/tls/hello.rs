//! Client and server hellos (RFC 8446, 4.1; RFC 5246, 7.4.1; RFC 6347, 4.2; the SSL 2.0 draft).

use std::borrow::Cow;

use super::names;
use crate::wire::{Malformed, Reader, Wire};

/// Random of a server hello that is a HelloRetryRequest: SHA-256 of its name (RFC 8446, 4.1.3).
const RETRY_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e,
    0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// Extension numbers the decoder looks into.
mod extension {
    pub const SERVER_NAME: u16 = 0;
    pub const CERT_TYPE: u16 = 9;
    pub const SUPPORTED_GROUPS: u16 = 10;
    pub const EC_POINT_FORMATS: u16 = 11;
    pub const SIGNATURE_ALGORITHMS: u16 = 13;
    pub const HEARTBEAT: u16 = 15;
    pub const ALPN: u16 = 16;
    pub const CLIENT_CERTIFICATE_TYPE: u16 = 19;
    pub const SERVER_CERTIFICATE_TYPE: u16 = 20;
    pub const SESSION_TICKET: u16 = 35;
    /// key_share before draft 23 of TLS 1.3.
    pub const KEY_SHARE_OLD: u16 = 40;
    pub const PRE_SHARED_KEY: u16 = 41;
    pub const EARLY_DATA: u16 = 42;
    pub const SUPPORTED_VERSIONS: u16 = 43;
    pub const KEY_SHARE: u16 = 51;
    /// quic_transport_parameters (RFC 9001, 8.2), and as drafts before 33 had it.
    pub const QUIC_PARAMETERS: u16 = 57;
    pub const QUIC_PARAMETERS_DRAFT: u16 = 0xffa5;
    pub const NEXT_PROTOCOL: u16 = 13172;
    pub const ESNI: u16 = 0xffce;
    /// encrypted_client_hello: RFC 9849 and its drafts from 13 on; 0xfe08 to 0xfe0c before.
    pub const ECH: u16 = 0xfe0d;
}

/// Which hello it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Kind {
    #[default]
    Client,
    Server,
    Retry,
}

/// A hello's fields, borrowed from the message. Lists keep the order of the wire and GREASE values.
#[derive(Default, Debug)]
pub struct Hello<'a> {
    pub kind: Kind,
    /// Version field; TLS 1.3 hides behind 0x0303 there.
    pub legacy_version: u16,
    /// 32 bytes; empty in the HelloRetryRequest of TLS 1.3 drafts before 22.
    pub random: &'a [u8],
    pub session_id: &'a [u8],
    /// Offered suites; the chosen one alone in a server hello.
    pub ciphers: Vec<u16>,
    /// Server hello: chosen compression.
    pub compression: Option<u8>,
    /// Extension types.
    pub extensions: Vec<u16>,
    /// There was an extension block, be it empty.
    pub has_extensions: bool,
    /// supported_versions; one value in a server hello.
    pub supported_versions: Vec<u16>,
    /// First host name in the SNI extension, lower case.
    pub server_name: Option<Cow<'a, str>>,
    /// ALPN protocols; one in a server hello.
    pub alpn: Vec<&'a [u8]>,
    pub groups: Vec<u16>,
    pub point_formats: &'a [u8],
    /// signature_algorithms.
    pub sig_algs: Vec<u16>,
    /// Groups of the key_share entries; one in a server hello.
    pub key_share_groups: Vec<u16>,
    pub psk: bool,
    pub early_data: bool,
    /// session_ticket extension with a ticket in it.
    pub session_ticket: bool,
    /// 0 none, 1 encrypted_client_hello, 2 ESNI.
    pub ech: u8,
    pub heartbeat: bool,
    /// quic_transport_parameters, as they are.
    pub quic_parameters: &'a [u8],
    /// Server hello: protocols of the NPN extension.
    pub next_protocols: Vec<&'a [u8]>,
    /// Server hello: certificates will not be X.509 but raw keys or OpenPGP (RFC 7250, RFC 6091): of client, of server.
    pub other_certificates: [bool; 2],
}

impl<'a> Hello<'a> {
    /// Reads the body of a client hello; `datagram` for DTLS, which has a cookie.
    pub fn client(body: &'a [u8], datagram: bool) -> Wire<Self> {
        let mut reader = Reader::new(body);
        let mut hello = Self { legacy_version: reader.be_u16()?, random: reader.take(32)?, ..Self::default() };
        let length = reader.u8()?;
        hello.session_id = reader.take(length.into())?;
        if datagram {
            let cookie = reader.u8()?;
            reader.skip(cookie.into())?;
        }
        let length = reader.be_u16()?;
        hello.ciphers = numbers(reader.take(length.into())?);
        let compressions = reader.u8()?;
        reader.skip(compressions.into())?;
        hello.read_extensions(reader)?;
        Ok(hello)
    }

    /// Reads the body of a server hello, a HelloRetryRequest in its guise included.
    pub fn server(body: &'a [u8]) -> Wire<Self> {
        let mut reader = Reader::new(body);
        let legacy_version = reader.be_u16()?;
        let random = reader.take(32)?;
        let kind = if random == RETRY_RANDOM { Kind::Retry } else { Kind::Server };
        let mut hello = Self { kind, legacy_version, random, ..Self::default() };
        if is_early_draft(legacy_version) {
            hello.ciphers.push(reader.be_u16()?);
        } else {
            let length = reader.u8()?;
            hello.session_id = reader.take(length.into())?;
            hello.ciphers.push(reader.be_u16()?);
            hello.compression = Some(reader.u8()?);
        }
        hello.read_extensions(reader)?;
        Ok(hello)
    }

    /// Reads the HelloRetryRequest message that TLS 1.3 drafts before 22 had of its own (handshake type 6).
    pub fn draft_retry(body: &'a [u8]) -> Wire<Self> {
        let mut reader = Reader::new(body);
        let legacy_version = reader.be_u16()?;
        let mut hello = Self { kind: Kind::Retry, legacy_version, ..Self::default() };
        if !is_early_draft(legacy_version) {
            return Err(Malformed);
        }
        // The cipher suite came with draft 19.
        if legacy_version >= 0x7f13 {
            hello.ciphers.push(reader.be_u16()?);
        }
        hello.read_extensions(reader)?;
        Ok(hello)
    }

    /// Reads EncryptedExtensions of TLS 1.3 (RFC 8446, 4.3.1), the part of the server's hello that is encrypted.
    pub fn encrypted_extensions(body: &'a [u8]) -> Wire<Self> {
        let mut hello = Self { kind: Kind::Server, ..Self::default() };
        hello.read_extensions(Reader::new(body))?;
        Ok(hello)
    }

    /// Version that a server hello settles on.
    pub fn agreed_version(&self) -> u16 {
        self.supported_versions.first().copied().unwrap_or(self.legacy_version)
    }

    fn read_extensions(&mut self, mut reader: Reader<'a>) -> Wire<()> {
        if reader.is_empty() {
            return Ok(());
        }
        let length = usize::from(reader.be_u16()?);
        let mut block = reader.sub(length)?;
        self.has_extensions = true;
        while !block.is_empty() {
            let number = block.be_u16()?;
            let length = block.be_u16()?;
            let content = block.take(length.into())?;
            self.extensions.push(number);
            // A malformed extension leaves its own fields empty; the hello stands.
            let _ = self.read_extension(number, content);
        }
        Ok(())
    }

    fn read_extension(&mut self, number: u16, content: &'a [u8]) -> Wire<()> {
        let mut reader = Reader::new(content);
        let client = self.kind == Kind::Client;
        match number {
            extension::SERVER_NAME if client && self.server_name.is_none() => self.server_name = server_name(reader)?,
            extension::SUPPORTED_GROUPS => self.groups = numbers(counted16(&mut reader)?),
            extension::EC_POINT_FORMATS => self.point_formats = counted8(&mut reader)?,
            extension::SIGNATURE_ALGORITHMS => self.sig_algs = numbers(counted16(&mut reader)?),
            extension::HEARTBEAT => self.heartbeat = true,
            extension::ALPN => self.alpn = names_list(counted16(&mut reader)?),
            extension::NEXT_PROTOCOL if !client => self.next_protocols = names_list(content),
            extension::SESSION_TICKET => self.session_ticket = !content.is_empty(),
            extension::PRE_SHARED_KEY => self.psk = true,
            extension::EARLY_DATA => self.early_data = true,
            extension::SUPPORTED_VERSIONS if client => self.supported_versions = numbers(counted8(&mut reader)?),
            extension::SUPPORTED_VERSIONS => self.supported_versions = vec![reader.be_u16()?],
            extension::KEY_SHARE | extension::KEY_SHARE_OLD if client => self.key_share_groups = key_shares(counted16(&mut reader)?)?,
            extension::KEY_SHARE | extension::KEY_SHARE_OLD => self.key_share_groups = vec![reader.be_u16()?],
            extension::QUIC_PARAMETERS | extension::QUIC_PARAMETERS_DRAFT => self.quic_parameters = content,
            extension::CERT_TYPE if !client => self.other_certificates = [reader.u8()? != 0; 2],
            extension::CLIENT_CERTIFICATE_TYPE if !client => self.other_certificates[0] = reader.u8()? != 0,
            extension::SERVER_CERTIFICATE_TYPE if !client => self.other_certificates[1] = reader.u8()? != 0,
            extension::ESNI => self.ech = 2,
            extension::ECH | 0xfe08..=0xfe0c => self.ech = 1,
            _ => {}
        }
        Ok(())
    }
}

/// TLS 1.3 drafts up to 21 had a server hello without session id and compression; the first ones called themselves 0x0304,
/// which the finished standard never writes in this field.
fn is_early_draft(version: u16) -> bool {
    matches!(version, 0x0304 | 0x7f00..=0x7f15)
}

fn counted8<'a>(reader: &mut Reader<'a>) -> Wire<&'a [u8]> {
    let length = reader.u8()?;
    reader.take(length.into())
}

fn counted16<'a>(reader: &mut Reader<'a>) -> Wire<&'a [u8]> {
    let length = reader.be_u16()?;
    reader.take(length.into())
}

/// 16-bit numbers; an odd octet at the end is left out.
fn numbers(bytes: &[u8]) -> Vec<u16> {
    bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair)).collect()
}

/// Names that one length octet each precedes; a cut last name is left out.
fn names_list(bytes: &[u8]) -> Vec<&[u8]> {
    let mut reader = Reader::new(bytes);
    let mut names = Vec::new();
    while let Ok(name) = counted8(&mut reader) {
        names.push(name);
    }
    names
}

fn key_shares(bytes: &[u8]) -> Wire<Vec<u16>> {
    let mut reader = Reader::new(bytes);
    let mut groups = Vec::new();
    while !reader.is_empty() {
        groups.push(reader.be_u16()?);
        counted16(&mut reader)?;
    }
    Ok(groups)
}

/// First entry of type host_name (RFC 6066, 3).
fn server_name(mut reader: Reader<'_>) -> Wire<Option<Cow<'_, str>>> {
    let length = reader.be_u16()?;
    let mut list = reader.sub(length.into())?;
    while !list.is_empty() {
        let kind = list.u8()?;
        let name = counted16(&mut list)?;
        if kind == 0 && !name.is_empty() {
            let name = String::from_utf8_lossy(name);
            let lower = name.chars().any(char::is_uppercase);
            return Ok(Some(if lower { Cow::Owned(name.to_lowercase()) } else { name }));
        }
    }
    Ok(None)
}

/// A client hello in the SSL 2.0 format, which clients sent until the 2010s to reach every server.
#[derive(Debug)]
pub struct Ssl2Client<'a> {
    /// 0x0002, or the TLS version really wanted.
    pub version: u16,
    pub session_id: &'a [u8],
    /// Suites of SSL 3.0 and later in the list; SSL 2.0's own have three significant octets and are left out.
    pub ciphers: Vec<u16>,
}

impl<'a> Ssl2Client<'a> {
    /// Reads a message (after the two octets of the record header); lengths must account for every octet.
    pub fn parse(message: &'a [u8]) -> Wire<Self> {
        let mut reader = Reader::new(message);
        let kind = reader.u8()?;
        let version = reader.be_u16()?;
        let (ciphers, session_id, challenge) = (reader.be_u16()?, reader.be_u16()?, reader.be_u16()?);
        let known = matches!(version, 0x0002 | 0x0300..=0x0304);
        if kind != 1 || !known || ciphers == 0 || ciphers % 3 != 0 || !matches!(session_id, 0 | 16) || !(16..=32).contains(&challenge) {
            return Err(Malformed);
        }
        let ciphers = reader.take(ciphers.into())?.as_chunks::<3>().0.iter().filter(|[first, ..]| *first == 0);
        let ciphers = ciphers.map(|[_, high, low]| u16::from_be_bytes([*high, *low])).collect();
        let session_id = reader.take(session_id.into())?;
        reader.skip(challenge.into())?;
        if reader.is_empty() { Ok(Self { version, session_id, ciphers }) } else { Err(Malformed) }
    }
}

/// A server hello of SSL 2.0.
#[derive(Debug)]
pub struct Ssl2Server<'a> {
    pub version: u16,
    /// The client's session id was found.
    pub resumed: bool,
    /// DER; empty when a session is resumed.
    pub certificate: &'a [u8],
}

impl<'a> Ssl2Server<'a> {
    /// Reads a message (after the two octets of the record header); lengths must account for every octet.
    pub fn parse(message: &'a [u8]) -> Wire<Self> {
        let mut reader = Reader::new(message);
        let kind = reader.u8()?;
        let resumed = reader.u8()? == 1;
        let certificate_type = reader.u8()?;
        let version = reader.be_u16()?;
        let (certificate, ciphers, connection) = (reader.be_u16()?, reader.be_u16()?, reader.be_u16()?);
        if kind != 4 || version != 0x0002 || ciphers % 3 != 0 || certificate_type > 1 {
            return Err(Malformed);
        }
        let certificate = reader.take(certificate.into())?;
        reader.skip(ciphers.into())?;
        reader.skip(connection.into())?;
        if reader.is_empty() { Ok(Self { version, resumed, certificate }) } else { Err(Malformed) }
    }
}

/// What a ServerKeyExchange tells of the key agreement.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct KeyExchange {
    /// Named group of ECDHE.
    pub group: Option<u16>,
    /// Length of the prime of DHE, bits.
    pub prime_bits: Option<u32>,
}

impl KeyExchange {
    /// Reads a ServerKeyExchange for the cipher suite agreed (RFC 5246, 7.4.3; RFC 8422, 5.4; RFC 4279, 2; RFC 5489, 2).
    pub fn parse(cipher: u16, body: &[u8]) -> Wire<Self> {
        // The way the key is exchanged is the first part of the suite's name.
        let name = names::cipher(cipher).ok_or(Malformed)?;
        let mut reader = Reader::new(body);
        if name.contains("_PSK_") {
            counted16(&mut reader)?;
        }
        if name.starts_with("TLS_ECDH") {
            let named = reader.u8()? == 3;
            Ok(if named { Self { group: Some(reader.be_u16()?), prime_bits: None } } else { Self::default() })
        } else if name.starts_with("TLS_DH") {
            let prime = counted16(&mut reader)?;
            Ok(Self { group: None, prime_bits: bit_length(prime) })
        } else {
            Ok(Self::default())
        }
    }
}

/// Bits of a big-endian number without its leading zeros; `None` for zero.
fn bit_length(number: &[u8]) -> Option<u32> {
    let start = number.iter().position(|octet| *octet != 0)?;
    let significant = number.get(start..)?;
    let first = significant.first()?;
    u32::try_from(significant.len()).ok()?.checked_mul(8)?.checked_sub(first.leading_zeros())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A client hello body: TLS 1.2, two suites (one of them GREASE), SNI "A.example", ALPN h2, groups, versions.
    pub fn client_body() -> Vec<u8> {
        let mut body = vec![3, 3];
        body.extend([7; 32]);
        body.extend([0, 0, 4, 0x0a, 0x0a, 0x13, 0x01, 1, 0]);
        let mut block = Vec::new();
        block.extend([0x1a, 0x1a, 0, 0]);
        block.extend([0, 0, 0, 14, 0, 12, 0, 0, 9]);
        block.extend(b"A.example");
        block.extend([0, 16, 0, 5, 0, 3, 2, b'h', b'2']);
        block.extend([0, 10, 0, 6, 0, 4, 0x2a, 0x2a, 0, 29]);
        block.extend([0, 11, 0, 2, 1, 0]);
        block.extend([0, 13, 0, 6, 0, 4, 4, 3, 8, 4]);
        block.extend([0, 43, 0, 7, 6, 0x3a, 0x3a, 3, 4, 3, 3]);
        body.extend((block.len() as u16).to_be_bytes());
        body.extend(block);
        body
    }

    #[test]
    fn client_hello_fields() {
        let body = client_body();
        let hello = Hello::client(&body, false).unwrap();
        assert_eq!(hello.legacy_version, 0x0303);
        assert_eq!(hello.ciphers, [0x0a0a, 0x1301]);
        assert_eq!(hello.server_name.as_deref(), Some("a.example"));
        assert_eq!(hello.alpn, [b"h2"]);
        assert_eq!(hello.groups, [0x2a2a, 29]);
        assert_eq!(hello.sig_algs, [0x0403, 0x0804]);
        assert_eq!(hello.supported_versions, [0x3a3a, 0x0304, 0x0303]);
        assert_eq!(hello.extensions, [0x1a1a, 0, 16, 10, 11, 13, 43]);
        assert!(Hello::client(&body[..body.len() - 1], false).is_err());
    }

    #[test]
    fn draft_server_hello_has_no_session_id() {
        let mut body = vec![0x7f, 0x12];
        body.extend([1; 32]);
        body.extend([0x13, 0x01, 0, 8, 0, 40, 0, 4, 0, 29, 0, 0]);
        let hello = Hello::server(&body).unwrap();
        assert_eq!((hello.agreed_version(), hello.ciphers.as_slice(), hello.compression), (0x7f12, &[0x1301][..], None));
        assert_eq!(hello.key_share_groups, [29]);
    }

    #[test]
    fn key_exchange_by_suite() {
        assert_eq!(KeyExchange::parse(0xc02f, &[3, 0, 23, 1, 4]).unwrap().group, Some(23));
        let mut dhe = vec![0, 4, 0, 0x3f, 0xff, 0xff];
        dhe.extend([0, 1, 2]);
        assert_eq!(KeyExchange::parse(0x0033, &dhe).unwrap().prime_bits, Some(22));
        assert_eq!(KeyExchange::parse(0x0003, &[0, 4, 0, 0x3f]).unwrap(), KeyExchange::default());
    }

    #[test]
    fn ssl2_hello_must_add_up() {
        let mut message = vec![1, 3, 1, 0, 6, 0, 0, 0, 16, 0, 0, 0x39, 1, 0, 0x80];
        message.extend([9; 16]);
        let hello = Ssl2Client::parse(&message).unwrap();
        assert_eq!((hello.version, hello.ciphers.as_slice()), (0x0301, &[0x0039][..]));
        message.push(0);
        assert!(Ssl2Client::parse(&message).is_err());
    }
}
