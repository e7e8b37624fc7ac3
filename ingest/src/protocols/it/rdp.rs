//! RDP (MS-RDPBCGR): what is said before encryption begins, over TPKT and X.224; and RDP-UDP's opening (MS-RDPEUDP).

use std::borrow::Cow;

use pcapper_schema::Common;
use pcapper_schema::tables::{Credentials, Rdp};

use crate::protocols::{
    Cx, DatagramDissector, DatagramKind, Dir, Group, Offer, Outcome, Progress, Protocol, StreamDissector, StreamKind, Verdict, secrets,
};
use crate::wire::{Malformed, Reader, Wire};

/// RDP on any port; 3389 is its own.
pub static PROTOCOL: Protocol = Protocol {
    name: "rdp",
    group: Group::It,
    ports: &[3389],
    datagram: Some(DatagramKind { ip_protos: &[17], probe: probe_datagram, start: || Box::<Transport>::default() }),
    stream: Some(StreamKind { probe, start: || Box::<Connection>::default() }),
    ..Protocol::NONE
};

/// Longest packet before encryption that is waited for, bytes: TPKT's own limit.
const MAX_PACKET: usize = 1 << 16;
/// Packets behind the negotiation in which the rest of the connection's set-up is looked for.
const MAX_PACKETS: u32 = 64;
/// Static channels that a row keeps (MS-RDPBCGR allows 31).
const MAX_CHANNELS: usize = 31;

/// X.224 units (ITU-T X.224, 13).
const CONNECTION_REQUEST: u8 = 0xe0;
const CONNECTION_CONFIRM: u8 = 0xd0;
const DATA: u8 = 0xf0;

/// A TPKT packet: X.224 unit, what follows its header, and the whole length.
fn packet(bytes: &[u8]) -> Wire<Option<(u8, &[u8], usize)>> {
    let Some((head, _)) = bytes.split_first_chunk::<4>() else { return Ok(None) };
    let [3, 0, a, b] = *head else { return Err(Malformed) };
    let length = usize::from(u16::from_be_bytes([a, b]));
    if length < 7 {
        return Err(Malformed);
    }
    let Some(whole) = bytes.get(4..length) else { return Ok(None) };
    let (&indicator, rest) = whole.split_first().ok_or(Malformed)?;
    let unit = *rest.first().ok_or(Malformed)? & 0xf0;
    // The header of a request has fixed fields; its variable part is the negotiation.
    let fixed = if unit == DATA { usize::from(indicator) } else { 6 };
    Ok(Some((unit, rest.get(fixed..).ok_or(Malformed)?, length)))
}

/// What a connection request says (2.2.1.1).
#[derive(Default, Debug, PartialEq)]
struct Request {
    cookie: Option<String>,
    token: Option<String>,
    protocols: Option<u32>,
    restricted_admin: Option<bool>,
}

impl Request {
    fn read(mut rest: &[u8]) -> Self {
        let mut request = Self::default();
        if let Some(text) = rest.strip_prefix(b"Cookie: ") {
            let end = text.windows(2).position(|pair| pair == b"\r\n").unwrap_or(text.len());
            let line = String::from_utf8_lossy(text.get(..end).unwrap_or_default());
            match line.split_once('=') {
                Some(("mstshash", user)) => request.cookie = Some(user.to_owned()),
                Some(("msts", token)) => request.token = Some(token.to_owned()),
                _ => {}
            }
            rest = text.get(end + 2..).unwrap_or_default();
        }
        if let Some((flags, protocols)) = negotiation(rest, 1) {
            request.protocols = Some(protocols);
            request.restricted_admin = Some(flags & 1 != 0);
        }
        request
    }
}

/// Flags and value of a negotiation structure of this type (2.2.1.1.1, 2.2.1.2.1, 2.2.1.2.2).
fn negotiation(bytes: &[u8], kind: u8) -> Option<(u8, u32)> {
    match bytes {
        [found, flags, 8, 0, a, b, c, d, ..] if *found == kind => Some((*flags, u32::from_le_bytes([*a, *b, *c, *d]))),
        _ => None,
    }
}

fn probe(offer: &Offer<'_>) -> Verdict {
    let bytes = offer.current();
    match packet(bytes) {
        Ok(Some((CONNECTION_REQUEST, rest, _))) => {
            let request = Request::read(rest);
            let known = request.cookie.is_some() || request.token.is_some() || request.protocols.is_some();
            if known || offer.usual_port { Verdict::Yes } else { Verdict::No }
        }
        Ok(None) if bytes.len() < 64 && b"\x03\x00".starts_with(bytes.get(..2).unwrap_or(bytes)) => Verdict::More,
        _ => Verdict::No,
    }
}

fn failure_name(code: u32) -> Option<&'static str> {
    Some(match code {
        1 => "SSL_REQUIRED_BY_SERVER",
        2 => "SSL_NOT_ALLOWED_BY_SERVER",
        3 => "SSL_CERT_NOT_ON_SERVER",
        4 => "INCONSISTENT_FLAGS",
        5 => "HYBRID_REQUIRED_BY_SERVER",
        6 => "SSL_WITH_USER_AUTH_REQUIRED_BY_SERVER",
        _ => return None,
    })
}

fn protocol_name(code: u32) -> Option<&'static str> {
    Some(match code {
        0 => "RDP",
        1 => "SSL",
        2 => "HYBRID",
        4 => "RDSTLS",
        8 => "HYBRID_EX",
        _ => return None,
    })
}

/// The client that a build number belongs to.
fn product(build: u32) -> Option<&'static str> {
    Some(match build {
        419 => "RDP 4.0",
        2195 | 2221 => "RDP 5.0",
        2600 => "RDP 5.1",
        3790 => "RDP 5.2",
        6000 => "RDP 6.0",
        6001 | 6002 => "RDP 6.1",
        7600 => "RDP 7.0",
        7601 => "RDP 7.1",
        9200 => "RDP 8.0",
        9600 => "RDP 8.1",
        10240.. => "RDP 10",
        _ => return None,
    })
}

/// Keyboard layouts by their Windows language id.
fn keyboard(layout: u32) -> Option<&'static str> {
    Some(match layout & 0xffff {
        0x0404 => "Chinese - Traditional",
        0x0405 => "Czech",
        0x0406 => "Danish",
        0x0407 => "German",
        0x0409 => "English - United States",
        0x040a => "Spanish",
        0x040b => "Finnish",
        0x040c => "French",
        0x040e => "Hungarian",
        0x0410 => "Italian",
        0x0411 => "Japanese",
        0x0412 => "Korean",
        0x0413 => "Dutch",
        0x0414 => "Norwegian",
        0x0415 => "Polish",
        0x0416 => "Portuguese - Brazil",
        0x0419 => "Russian",
        0x041d => "Swedish",
        0x041f => "Turkish",
        0x0422 => "Ukrainian",
        0x0804 => "Chinese - Simplified",
        0x0807 => "German - Switzerland",
        0x0809 => "English - United Kingdom",
        0x0816 => "Portuguese",
        _ => return None,
    })
}

fn method_name(code: u32) -> Option<&'static str> {
    Some(match code {
        0 => "none",
        1 => "40bit",
        2 => "128bit",
        8 => "56bit",
        16 => "FIPS",
        _ => return None,
    })
}

fn level_name(code: u32) -> Option<&'static str> {
    Some(match code {
        0 => "None",
        1 => "Low",
        2 => "Client compatible",
        3 => "High",
        4 => "FIPS",
        _ => return None,
    })
}

/// UTF-16, up to a terminator.
fn wide(bytes: &[u8]) -> Option<String> {
    let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).take_while(|&unit| unit != 0);
    let text: String = char::decode_utf16(units).map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    (!text.is_empty()).then_some(text)
}

/// What the two ends tell of themselves in the MCS connection (2.2.1.3, 2.2.1.4), and the client's login (2.2.1.11).
#[derive(Default)]
struct Details {
    width: Option<u16>,
    height: Option<u16>,
    depth: Option<u16>,
    keyboard: Option<u32>,
    build: Option<u32>,
    name: Option<String>,
    product_id: Option<String>,
    channels: Vec<String>,
    method: Option<u32>,
    level: Option<u32>,
    certificate: Option<&'static str>,
    certificates: Option<u8>,
    domain: Option<String>,
    user: Option<String>,
    password: Option<String>,
    shell: Option<String>,
    address: Option<String>,
    folder: Option<String>,
    timezone: Option<String>,
}

/// The blocks behind a GCC key: their octets (T.124, in PER: a length of one octet, or two with the first bit set).
fn blocks<'a>(bytes: &'a [u8], key: &[u8; 4]) -> Option<&'a [u8]> {
    let at = bytes.windows(4).position(|window| window == key)?;
    match bytes.get(at + 4..)? {
        [first, second, rest @ ..] if first & 0x80 != 0 => {
            let length = usize::from(first & 0x7f) << 8 | usize::from(*second);
            Some(rest.get(..length).unwrap_or(rest))
        }
        [first, rest @ ..] => Some(rest.get(..usize::from(*first)).unwrap_or(rest)),
        [] => None,
    }
}

impl Details {
    /// Reads blocks with a type and a length of their own each (2.2.1.3.1).
    fn read_blocks(&mut self, bytes: &[u8]) -> Wire<()> {
        let mut reader = Reader::new(bytes);
        while reader.len() >= 4 {
            let (kind, length) = (reader.le_u16()?, reader.le_u16()?);
            let block = reader.sub(usize::from(length).checked_sub(4).ok_or(Malformed)?)?;
            // Later versions have more fields at the end: what an older client leaves out is none.
            let _ = match kind {
                0xc001 => self.core(block),
                0xc003 => self.channels(block),
                0x0c02 => self.security(block),
                _ => Ok(()),
            };
        }
        Ok(())
    }

    fn core(&mut self, mut block: Reader<'_>) -> Wire<()> {
        block.skip(4)?;
        self.width = Some(block.le_u16()?);
        self.height = Some(block.le_u16()?);
        let old_depth = block.le_u16()?;
        block.skip(2)?;
        self.keyboard = Some(block.le_u32()?);
        self.build = Some(block.le_u32()?);
        self.name = wide(block.take(32)?);
        // 0xca00 is 4 bits a pixel, 0xca01 is 8 (2.2.1.3.2).
        self.depth = match old_depth {
            0xca00 => Some(4),
            0xca01 => Some(8),
            _ => None,
        };
        block.skip(12 + 64 + 2 + 2 + 4)?;
        self.depth = Some(block.le_u16()?);
        block.skip(4)?;
        self.product_id = wide(block.take(64)?);
        Ok(())
    }

    fn channels(&mut self, mut block: Reader<'_>) -> Wire<()> {
        let count = block.le_u32()? as usize;
        for _ in 0..count.min(MAX_CHANNELS) {
            let name = block.take(8)?;
            block.skip(4)?;
            let name = name.split(|&octet| octet == 0).next().unwrap_or_default();
            self.channels.push(String::from_utf8_lossy(name).into_owned());
        }
        Ok(())
    }

    fn security(&mut self, mut block: Reader<'_>) -> Wire<()> {
        self.method = Some(block.le_u32()?);
        self.level = Some(block.le_u32()?);
        let (random, certificate) = (block.le_u32()? as usize, block.le_u32()? as usize);
        block.skip(random)?;
        let mut certificate = block.sub(certificate)?;
        if certificate.le_u32()? & 0x7fff_ffff == 1 {
            self.certificate = Some("RSA");
            self.certificates = Some(1);
        } else {
            self.certificate = Some("X.509");
            self.certificates = u8::try_from(certificate.le_u32()?).ok();
        }
        Ok(())
    }

    /// The client info of a connection without encryption.
    fn info(&mut self, mut reader: Reader<'_>) -> Wire<()> {
        reader.skip(4)?;
        let flags = reader.le_u32()?;
        // Only UTF-16 since RDP 5.
        if flags & 0x10 == 0 {
            return Err(Malformed);
        }
        let mut lengths = [0; 5];
        for length in &mut lengths {
            *length = usize::from(reader.le_u16()?);
        }
        let mut text = |length: usize| -> Wire<Option<String>> { Ok(wide(reader.take(length + 2)?)) };
        let [domain, user, password, shell, folder] = lengths;
        self.domain = text(domain)?;
        self.user = text(user)?;
        self.password = text(password)?;
        self.shell = text(shell)?;
        text(folder)?;
        reader.skip(2)?;
        let length = usize::from(reader.le_u16()?);
        self.address = wide(reader.take(length)?);
        let length = usize::from(reader.le_u16()?);
        self.folder = wide(reader.take(length)?);
        reader.skip(4)?;
        self.timezone = wide(reader.take(64)?);
        Ok(())
    }

    /// A client's MCS send-data request with an unencrypted info packet inside (T.125, 11.32; 2.2.8.1.1.2.1).
    fn mcs(&mut self, bytes: &[u8]) -> Wire<()> {
        let mut reader = Reader::new(bytes);
        if reader.u8()? >> 2 != 25 {
            return Err(Malformed);
        }
        reader.skip(5)?;
        if reader.u8()? & 0x80 != 0 {
            reader.skip(1)?;
        }
        let flags = reader.le_u16()?;
        reader.skip(2)?;
        // The info flag, without that of encryption.
        if flags & 0x48 == 0x40 { self.info(reader) } else { Err(Malformed) }
    }
}

#[derive(Default)]
struct Connection {
    /// Cells of the request.
    common: Option<Common>,
    request: Request,
    selected: Option<u32>,
    /// What the server's answer says; it may leave it out.
    answered: Option<u32>,
    failure: Option<u32>,
    details: Details,
    packets: u32,
    connected: bool,
}

impl StreamDissector for Connection {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let (unit, body, length) = match packet(rest) {
                Ok(Some(found)) => found,
                Ok(None) if rest.len() < MAX_PACKET => return Progress::Consumed(at),
                _ => return Progress::Stop,
            };
            at += length;
            match unit {
                CONNECTION_REQUEST => {
                    self.common.get_or_insert(cx.common(cx.dir));
                    self.request = Request::read(body);
                }
                CONNECTION_CONFIRM => {
                    self.failure = negotiation(body, 3).map(|(_, code)| code);
                    if self.failure.is_none() {
                        // A server that says nothing knows only RDP's own security.
                        self.answered = negotiation(body, 2).map(|(_, protocol)| protocol);
                        let selected = self.answered.unwrap_or(0);
                        self.selected = Some(selected);
                        if selected != 0 {
                            return Progress::Handover(at, "tls");
                        }
                    }
                }
                _ => {
                    self.packets += 1;
                    let key = if cx.dir == Dir::Orig { b"Duca" } else { b"McDn" };
                    if let Some(found) = blocks(body, key) {
                        self.connected |= cx.dir == Dir::Resp;
                        if self.details.read_blocks(found).is_err() {
                            cx.anomaly("rdp", "bad_length", "a block of the MCS connection ends beyond it");
                        }
                    } else if cx.dir == Dir::Orig {
                        // Most data is no client info; what is not is passed over.
                        let _ = self.details.mcs(body);
                    }
                    if self.packets > MAX_PACKETS {
                        return Progress::Stop;
                    }
                }
            }
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        let Some(common) = self.common else { return };
        let details = &self.details;
        let security = self.selected.and_then(protocol_name);
        let result = match (self.failure, self.selected) {
            (Some(code), _) => failure_name(code),
            (None, Some(0)) => Some("Success"),
            (None, Some(_)) => Some("encrypted"),
            (None, None) => None,
        };
        let channels: Vec<Cow<'_, str>> = details.channels.iter().map(|channel| Cow::Borrowed(channel.as_str())).collect();
        cx.emit_as(
            &common,
            Rdp {
                transport: Some("tcp"),
                cookie: self.request.cookie.as_deref(),
                routing_token: self.request.token.as_deref(),
                requested_protocols: self.request.protocols,
                selected_protocol: self.answered,
                security_protocol: security,
                result,
                failure_code: self.failure,
                restricted_admin: self.request.restricted_admin,
                client_name: details.name.as_deref(),
                client_build: details.build,
                client_version: details.build.and_then(product),
                client_dig_product_id: details.product_id.as_deref(),
                keyboard_layout: details.keyboard,
                keyboard_layout_name: details.keyboard.and_then(keyboard),
                desktop_width: details.width,
                desktop_height: details.height,
                color_depth: details.depth,
                client_channels: (!channels.is_empty()).then_some(&channels),
                encryption_method: details.method,
                encryption_method_name: details.method.and_then(method_name),
                encryption_level: details.level,
                encryption_level_name: details.level.and_then(level_name),
                cert_type: details.certificate,
                cert_count: details.certificates,
                domain: details.domain.as_deref(),
                username: details.user.as_deref(),
                password: details.password.as_deref(),
                client_address: details.address.as_deref(),
                client_dir: details.folder.as_deref(),
                alternate_shell: details.shell.as_deref(),
                timezone: details.timezone.as_deref(),
                connected: self.connected.then_some(true),
                ..Rdp::default()
            },
        );
        if let Some(password) = &details.password {
            let id = secrets::id(password.as_bytes());
            cx.emit_as(
                &common,
                Credentials {
                    protocol: Some("rdp"),
                    kind: Some("password"),
                    username: details.user.as_deref(),
                    domain: details.domain.as_deref(),
                    secret: Some(password),
                    secret_id: id.as_deref(),
                    secret_length: u32::try_from(password.chars().count()).ok(),
                    encrypted: Some(cx.is_decrypted()),
                    outcome: Some("unknown"),
                    field: Some("client info"),
                    ..Credentials::default()
                },
            );
        }
    }
}

/// Flags of what stands behind the sizes (MS-RDPEUDP, 2.2.2.1): an id and its reserved octets, and the version.
const CORRELATION_ID: u16 = 0x0800;
const SYN_EX: u16 = 0x1000;

/// A datagram that opens RDP-UDP (MS-RDPEUDP, 2.2.2.1): no acknowledgement yet, the SYN flag, two packet sizes that fit a link.
fn opening(bytes: &[u8]) -> Wire<(u16, Option<u16>)> {
    let mut reader = Reader::new(bytes);
    let (_, _, flags) = (reader.be_u32()?, reader.be_u16()?, reader.be_u16()?);
    reader.skip(4)?;
    let sizes = [reader.be_u16()?, reader.be_u16()?];
    if flags & 1 == 0 || sizes.iter().any(|size| !(1132..=1232).contains(size)) {
        return Err(Malformed);
    }
    if flags & CORRELATION_ID != 0 {
        reader.skip(32)?;
    }
    let mut version = None;
    if flags & SYN_EX != 0 {
        let known = reader.be_u16()?;
        let number = reader.be_u16()?;
        version = (known & 1 != 0).then_some(number);
    }
    Ok((flags, version))
}

fn probe_datagram(offer: &Offer<'_>) -> Verdict {
    let first = offer.current().starts_with(&[0xff; 4]);
    if first && offer.usual_port && opening(offer.current()).is_ok() { Verdict::Yes } else { Verdict::No }
}

/// RDP's channel on UDP, from its opening.
#[derive(Default)]
struct Transport {
    common: Option<Common>,
    flags: Option<u16>,
    version: Option<u16>,
    answered: bool,
}

impl DatagramDissector for Transport {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        if let Ok((flags, version)) = opening(payload) {
            if self.common.is_none() {
                self.common = Some(cx.common(cx.dir));
                (self.flags, self.version) = (Some(flags), version);
            } else if cx.dir == Dir::Resp {
                self.answered = true;
                self.version = version.or(self.version);
            }
        }
        Outcome::Decoded
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        let Some(common) = self.common else { return };
        let second = self.version.is_some_and(|version| version >= 0x0101);
        cx.emit_as(
            &common,
            Rdp {
                transport: Some(if second { "udp2" } else { "udp" }),
                udp_version: self.version,
                udp_flags: self.flags,
                connected: Some(self.answered),
                ..Rdp::default()
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &[u8] = b"\x03\x00\x00\x29\x24\xe0\x00\x00\x00\x00\x00Cookie: mstshash=abc\r\n\x01\x01\x08\x00\x03\x00\x00\x00";

    #[test]
    fn a_request() {
        let (unit, body, length) = packet(REQUEST).unwrap().unwrap();
        assert_eq!((unit, length), (CONNECTION_REQUEST, REQUEST.len()));
        let request = Request::read(body);
        assert_eq!(request.cookie.as_deref(), Some("abc"));
        assert_eq!((request.protocols, request.restricted_admin), (Some(3), Some(true)));
        assert_eq!(packet(&REQUEST[..20]), Ok(None));
        assert!(packet(b"\x04\x00\x00\x10").is_err());
    }

    #[test]
    fn a_confirmation_or_a_refusal() {
        assert_eq!(negotiation(&[2, 0, 8, 0, 2, 0, 0, 0], 2), Some((0, 2)));
        assert_eq!(negotiation(&[3, 0, 8, 0, 2, 0, 0, 0], 2), None);
        assert_eq!(failure_name(2), Some("SSL_NOT_ALLOWED_BY_SERVER"));
    }

    #[test]
    fn channels_and_names() {
        let mut details = Details::default();
        let mut block = vec![0x03, 0xc0, 20, 0, 1, 0, 0, 0];
        block.extend(b"rdpdr\0\0\0\0\0\0\x80");
        details.read_blocks(&block).unwrap();
        assert_eq!(details.channels, ["rdpdr"]);
        assert_eq!(wide(&[b'A', 0, b'B', 0, 0, 0, b'C', 0]).as_deref(), Some("AB"));
        assert!(opening(&[0xff; 16]).is_err());
    }

    #[test]
    fn the_version_stands_behind_the_correlation_id() {
        let mut bytes = vec![0xff, 0xff, 0xff, 0xff, 0, 64, 0x18, 1, 0, 0, 0, 9, 4, 0xd0, 4, 0xd0];
        bytes.extend([7; 16]);
        bytes.extend([0; 16]);
        bytes.extend([0, 1, 0, 2]);
        assert_eq!(opening(&bytes), Ok((0x1801, Some(2))));
    }
}
