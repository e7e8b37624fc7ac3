//! RDP: the X.224 negotiation and MCS connection set-up of MS-RDPBCGR (sections 2.2.1.1 to 2.2.1.4), one row an attempt. What
//! follows the choice of TLS is TLS.

use std::borrow::Cow;

use pcapper_schema::Common;
use pcapper_schema::tables::Rdp;

use crate::protocols::{Cx, Dir, Group, Offer, Progress, Protocol, StreamDissector, StreamKind, Verdict};
use crate::wire::{Malformed, Reader, Wire};

/// RDP on any port; 3389 is its own.
pub static PROTOCOL: Protocol = Protocol {
    name: "rdp",
    group: Group::It,
    ports: &[3389],
    stream: Some(StreamKind { probe, start: || Box::<Attempt>::default() }),
    ..Protocol::NONE
};

/// Octets of a TPKT header (RFC 1006) and least octets of an X.224 connection PDU behind it.
const TPKT: usize = 4;
const CONNECTION: usize = 7;
/// X.224 PDUs.
const CONNECTION_REQUEST: u8 = 0xe0;
const CONNECTION_CONFIRM: u8 = 0xd0;
const DATA: u8 = 0xf0;
/// Longest request that is taken, and most channels a client may ask for (section 2.2.1.3.4).
const MAX_REQUEST: usize = 1024;
const MAX_CHANNELS: u32 = 31;

/// The X.224 PDU in the packet that `bytes` start with, and the packet's length; `None`: too few bytes.
fn packet(bytes: &[u8]) -> Wire<Option<(&[u8], usize)>> {
    let Some(([3, 0, high, low], _)) = bytes.split_first_chunk::<TPKT>() else {
        return if bytes.len() < TPKT && b"\x03\x00".starts_with(bytes.get(..2).unwrap_or(bytes)) { Ok(None) } else { Err(Malformed) };
    };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    if length < TPKT.saturating_add(3) {
        return Err(Malformed);
    }
    Ok(bytes.get(TPKT..length).map(|pdu| (pdu, length)))
}

/// What a connection request says (section 2.2.1.1).
#[derive(Default, PartialEq, Eq, Debug)]
struct Request {
    cookie: Option<String>,
    token: Option<String>,
    /// Flags and protocols asked.
    asked: Option<(u8, u32)>,
}

impl Request {
    /// Reads the PDU. It is RDP's if it has a cookie, a token or a negotiation request.
    fn read(pdu: &[u8]) -> Wire<Self> {
        let mut r = Reader::new(pdu);
        let length = usize::from(r.u8()?);
        if r.u8()? != CONNECTION_REQUEST || length.saturating_add(1) != pdu.len() {
            return Err(Malformed);
        }
        r.skip(5)?;
        let mut request = Self::default();
        let rest = r.peek();
        if let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") {
            let line = String::from_utf8_lossy(rest.get(..end).unwrap_or_default());
            if let Some(user) = line.strip_prefix("Cookie: mstshash=") {
                request.cookie = Some(user.to_owned()).filter(|user| !user.is_empty());
            } else if line.starts_with("Cookie: msts=") || line.starts_with("tsv://") {
                request.token = Some(line.strip_prefix("Cookie: msts=").unwrap_or(&line).to_owned());
            } else {
                return Err(Malformed);
            }
            r.skip(end.saturating_add(2))?;
        }
        if !r.is_empty() {
            // Type, flags, length, protocols.
            if r.u8()? != 1 {
                return Err(Malformed);
            }
            let flags = r.u8()?;
            if r.le_u16()? != 8 {
                return Err(Malformed);
            }
            request.asked = Some((flags, r.le_u32()?));
        }
        if request == Self::default() { Err(Malformed) } else { Ok(request) }
    }
}

fn probe(offer: &Offer<'_>) -> Verdict {
    let [from_client, _] = offer.bytes;
    if from_client.is_empty() || from_client.len() > MAX_REQUEST {
        return if from_client.is_empty() && offer.usual_port { Verdict::More } else { Verdict::No };
    }
    match packet(from_client) {
        Ok(None) => Verdict::More,
        Ok(Some((pdu, _))) if Request::read(pdu).is_ok() => Verdict::Yes,
        // Clients of old ask for nothing.
        Ok(Some((pdu, _))) if offer.usual_port && pdu.len() == CONNECTION && pdu.starts_with(&[6, CONNECTION_REQUEST]) => Verdict::Yes,
        _ => Verdict::No,
    }
}

/// What the server answered (sections 2.2.1.2.1 and 2.2.1.2.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Answer {
    Selected(u32),
    Failure(u32),
    /// A server without negotiation: standard security.
    Plain,
}

fn answer(pdu: &[u8]) -> Wire<Answer> {
    let mut r = Reader::new(pdu);
    r.skip(1)?;
    if r.u8()? != CONNECTION_CONFIRM {
        return Err(Malformed);
    }
    r.skip(5)?;
    if r.is_empty() {
        return Ok(Answer::Plain);
    }
    let kind = r.u8()?;
    r.skip(3)?;
    let value = r.le_u32()?;
    match kind {
        2 => Ok(Answer::Selected(value)),
        3 => Ok(Answer::Failure(value)),
        _ => Err(Malformed),
    }
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

/// The client's data blocks (section 2.2.1.3).
#[derive(Default, PartialEq, Eq, Debug)]
struct Client {
    name: Option<String>,
    build: Option<u32>,
    keyboard: Option<u32>,
    size: Option<(u16, u16)>,
    product: Option<String>,
    channels: Vec<String>,
}

fn wide(bytes: &[u8]) -> Option<String> {
    let units = bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair)).take_while(|unit| *unit != 0);
    let text: String = char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    Some(text).filter(|text| !text.is_empty())
}

/// The data blocks behind a GCC key: `Duca` of the client, `McDn` of the server, and the length of all (T.124, in PER).
fn blocks<'a>(pdu: &'a [u8], key: &[u8]) -> Wire<Reader<'a>> {
    let at = pdu.windows(key.len()).position(|window| window == key).ok_or(Malformed)?;
    let mut r = Reader::new(pdu);
    r.skip(at.saturating_add(key.len()))?;
    let first = r.u8()?;
    let length = if first & 0x80 == 0 { usize::from(first) } else { usize::from(first & 0x3f) << 8 | usize::from(r.u8()?) };
    let kept = r.len().min(length);
    r.sub(kept)
}

/// The next block: its type and content.
fn block<'a>(r: &mut Reader<'a>) -> Wire<(u16, Reader<'a>)> {
    let kind = r.le_u16()?;
    let length = usize::from(r.le_u16()?).checked_sub(4).ok_or(Malformed)?;
    Ok((kind, r.sub(length)?))
}

impl Client {
    fn read(pdu: &[u8]) -> Wire<Self> {
        let mut all = blocks(pdu, b"Duca")?;
        let mut client = Self::default();
        while let Ok((kind, mut r)) = block(&mut all) {
            match kind {
                0xc001 => client.core(&mut r)?,
                0xc003 => {
                    let count = r.le_u32()?.min(MAX_CHANNELS);
                    for _ in 0..count {
                        let name = r.array::<8>()?;
                        r.skip(4)?;
                        let name = name.split(|octet| *octet == 0).next().unwrap_or_default();
                        client.channels.push(String::from_utf8_lossy(name).into_owned());
                    }
                }
                _ => {}
            }
        }
        Ok(client)
    }

    /// Section 2.2.1.3.2; what is behind the client's name came with later versions.
    fn core(&mut self, r: &mut Reader<'_>) -> Wire<()> {
        r.skip(4)?;
        self.size = Some((r.le_u16()?, r.le_u16()?));
        r.skip(4)?;
        self.keyboard = Some(r.le_u32()?);
        self.build = Some(r.le_u32()?);
        self.name = wide(r.take(32)?);
        // Keyboard type, subtype, function keys, IME file, depths, product, serial, depths, flags.
        if r.skip(12 + 64 + 2 + 2 + 4 + 2 + 2 + 2).is_ok()
            && let Ok(product) = r.take(64)
        {
            self.product = wide(product);
        }
        Ok(())
    }
}

/// One connection attempt.
#[derive(Default)]
struct Attempt {
    common: Option<Common>,
    request: Request,
    answer: Option<Answer>,
    client: Option<Client>,
    /// Encryption method and level of the server (section 2.2.1.4.3).
    encryption: Option<(u32, u32)>,
    written: bool,
}

impl Attempt {
    /// Takes one PDU; `true`: the rest is TLS.
    fn pdu(&mut self, cx: &Cx<'_>, pdu: &[u8]) -> Wire<bool> {
        match (cx.dir, pdu.get(1).copied()) {
            (Dir::Orig, Some(CONNECTION_REQUEST)) => {
                self.common = Some(cx.common(Dir::Orig));
                self.request = Request::read(pdu).unwrap_or_default();
            }
            (Dir::Resp, Some(CONNECTION_CONFIRM)) => {
                let answer = answer(pdu)?;
                self.answer = Some(answer);
                return Ok(matches!(answer, Answer::Selected(1..)));
            }
            (Dir::Orig, Some(DATA)) if self.client.is_none() => self.client = Client::read(pdu).ok(),
            (Dir::Resp, Some(DATA)) if self.encryption.is_none() => {
                let mut all = blocks(pdu, b"McDn").unwrap_or(Reader::new(&[]));
                while let Ok((kind, mut r)) = block(&mut all) {
                    if kind == 0x0c02 {
                        self.encryption = Some((r.le_u32()?, r.le_u32()?));
                    }
                }
            }
            _ => {}
        }
        Ok(false)
    }

    fn set_up(&self) -> bool {
        self.client.is_some() && self.encryption.is_some()
    }

    fn write(&mut self, cx: &mut Cx<'_>) {
        let Some(common) = self.common.filter(|_| !std::mem::replace(&mut self.written, true)) else { return };
        let selected = match self.answer {
            Some(Answer::Selected(code)) => Some(code),
            _ => None,
        };
        let failure = match self.answer {
            Some(Answer::Failure(code)) => Some(code),
            _ => None,
        };
        let security = selected.or((self.answer == Some(Answer::Plain)).then_some(0));
        let client = self.client.as_ref();
        let channels: Vec<Cow<'_, str>> =
            client.map(|client| client.channels.iter().map(|name| Cow::Borrowed(name.as_str())).collect()).unwrap_or_default();
        let (method, level) = self.encryption.unzip();
        let confirmed = self.encryption.is_some();
        cx.emit_as(
            &common,
            Rdp {
                transport: Some("tcp"),
                cookie: self.request.cookie.as_deref(),
                routing_token: self.request.token.as_deref(),
                requested_protocols: self.request.asked.map(|(_, protocols)| protocols),
                selected_protocol: selected,
                security_protocol: security.and_then(protocol_name),
                result: match (failure, security) {
                    (Some(code), _) => failure_name(code),
                    (None, Some(1..)) => Some("encrypted"),
                    _ => confirmed.then_some("Success"),
                },
                failure_code: failure,
                restricted_admin: self.request.asked.map(|(flags, _)| flags & 1 != 0),
                client_name: client.and_then(|client| client.name.as_deref()),
                client_build: client.and_then(|client| client.build),
                client_dig_product_id: client.and_then(|client| client.product.as_deref()),
                keyboard_layout: client.and_then(|client| client.keyboard),
                desktop_width: client.and_then(|client| client.size).map(|(width, _)| width),
                desktop_height: client.and_then(|client| client.size).map(|(_, height)| height),
                client_channels: Some(channels.as_slice()).filter(|channels| !channels.is_empty()),
                encryption_method: method,
                encryption_method_name: method.and_then(method_name),
                encryption_level: level,
                encryption_level_name: level.and_then(level_name),
                connected: confirmed.then_some(true),
                ..Default::default()
            },
        );
    }
}

impl StreamDissector for Attempt {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let mut done = 0usize;
        while let Some(rest) = bytes.get(done..).filter(|rest| !rest.is_empty()) {
            let Ok(next) = packet(rest) else {
                self.write(cx);
                return Progress::Stop;
            };
            let Some((pdu, length)) = next else { break };
            done = done.saturating_add(length);
            match self.pdu(cx, pdu) {
                Ok(true) => {
                    self.write(cx);
                    return Progress::Handover(done, "tls");
                }
                Ok(false) if self.set_up() => {
                    // What follows is encrypted, or pixels.
                    self.write(cx);
                    return Progress::Stop;
                }
                Ok(false) => {}
                Err(Malformed) => {
                    cx.anomaly("rdp", "bad_length", "connection set-up");
                    self.write(cx);
                    return Progress::Stop;
                }
            }
        }
        Progress::Consumed(done)
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.write(cx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_answers() {
        let line = b"Cookie: mstshash=eltons\r\n";
        let pdu = [&[(6 + line.len() + 8) as u8, 0xe0, 0, 0, 0, 0, 0][..], line, &[1, 1, 8, 0, 3, 0, 0, 0]].concat();
        let request = Request::read(&pdu).unwrap();
        assert_eq!((request.cookie.as_deref(), request.asked), (Some("eltons"), Some((1, 3))));
        assert!(Request::read(&pdu[..20]).is_err());
        assert!(Request::read(&[6, 0xe0, 0, 0, 0, 0, 0]).is_err());
        assert_eq!(answer(&[14, 0xd0, 0, 0, 0, 0, 0, 2, 0, 8, 0, 2, 0, 0, 0]), Ok(Answer::Selected(2)));
        assert_eq!(answer(&[14, 0xd0, 0, 0, 0, 0, 0, 3, 0, 8, 0, 2, 0, 0, 0]), Ok(Answer::Failure(2)));
        assert_eq!(answer(&[6, 0xd0, 0, 0, 0, 0, 0]), Ok(Answer::Plain));
        assert_eq!(packet(&[3, 0, 0, 9, 1]), Ok(None));
        assert_eq!(packet(b"GET /"), Err(Malformed));
    }

    #[test]
    fn channels_of_the_client() {
        let block = [&[0x03, 0xc0, 20, 0, 1, 0, 0, 0][..], b"rdpdr\0\0\0", &[0, 0, 0, 0x80]].concat();
        let client = Client::read(&[&b"..Duca"[..], &[20], &block].concat()).unwrap();
        assert_eq!(client.channels, ["rdpdr"]);
    }
}
