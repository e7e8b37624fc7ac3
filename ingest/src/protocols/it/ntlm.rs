//! NTLMSSP messages (MS-NLMP), whatever carries them.
//!
//! A dissector that carries logins does not call this module: it hands its security blobs to
//! [`gssapi::token`](super::gssapi::token), which finds NTLMSSP in them, bare or within SPNEGO.

use std::borrow::Cow;

use pcapper_schema::Common;
use pcapper_schema::tables::{Credentials, Ntlm};

use crate::protocols::Cx;
use crate::protocols::hex::hex;
use crate::wire::{Malformed, Reader, Wire};

/// First bytes of every message (MS-NLMP, 2.2.1).
pub const SIGNATURE: &[u8] = b"NTLMSSP\0";

/// Flags of the negotiation (MS-NLMP, 2.2.2.5).
mod flag {
    pub const UNICODE: u32 = 0x1;
    pub const SIGN: u32 = 0x10;
    pub const SEAL: u32 = 0x20;
    pub const EXTENDED_SESSION_SECURITY: u32 = 0x8_0000;
    pub const VERSION: u32 = 0x200_0000;
    pub const KEY_EXCHANGE: u32 = 0x4000_0000;
}

/// Attributes in target infos (MS-NLMP, 2.2.2.1).
mod av {
    pub const END: u16 = 0;
    pub const NB_COMPUTER: u16 = 1;
    pub const NB_DOMAIN: u16 = 2;
    pub const DNS_COMPUTER: u16 = 3;
    pub const DNS_DOMAIN: u16 = 4;
    pub const DNS_TREE: u16 = 5;
    pub const FLAGS: u16 = 6;
    pub const TIMESTAMP: u16 = 7;
    pub const TARGET_NAME: u16 = 9;
    pub const CHANNEL_BINDINGS: u16 = 10;
}

/// Bit of the attribute with flags: the message has an integrity code.
const AV_HAS_MIC: u32 = 2;
/// Longest message that is kept until its outcome is known, bytes: names and responses have lengths of 16 bits.
const MAX_MESSAGE: usize = 1 << 18;

/// One login: what of its messages the later ones need.
#[derive(Default, Debug)]
pub struct Login {
    negotiate_frame: Option<u64>,
    challenge: Option<Challenge>,
    pending: Option<Box<Pending>>,
}

#[derive(Debug)]
struct Challenge {
    frame: u64,
    nonce: [u8; 8],
    flags: u32,
    /// Name of the server, for the account of credentials.
    server: Option<Box<str>>,
}

/// An authenticate message whose outcome is not known.
#[derive(Debug)]
struct Pending {
    common: Common,
    carrier: &'static str,
    message: Vec<u8>,
}

/// What a carrier said of a login.
#[derive(Clone, Copy, Default, Debug)]
pub struct Outcome<'a> {
    pub success: Option<bool>,
    pub status: Option<&'a str>,
    /// Frame of the answer.
    pub frame: Option<u64>,
}

/// Who logs in, as an authenticate message says it.
#[derive(Clone, Debug)]
pub struct Identity {
    /// `None` if anonymous.
    pub user: Option<String>,
    pub domain: Option<String>,
    pub workstation: Option<String>,
    /// As in `ntlm.ntlm_version`: `ntlmv2`, `ntlmv1`, `ntlm2_session`, `lm`, `anonymous`.
    pub version: Option<&'static str>,
}

impl Login {
    /// Takes one message; `false` if it is none of the three.
    pub fn message(&mut self, cx: &mut Cx<'_>, common: &Common, carrier: &'static str, bytes: &[u8]) -> bool {
        let Some(body) = bytes.strip_prefix(SIGNATURE) else { return false };
        let done = match Reader::new(body).le_u32() {
            Ok(1) => self.negotiate(cx, common, carrier, bytes),
            Ok(2) => self.challenge(cx, common, carrier, bytes),
            Ok(3) => {
                self.settle(cx, Outcome::default());
                if bytes.len() > MAX_MESSAGE {
                    cx.anomaly("ntlm", "limit_reached", "an authenticate message is longer than 256 KiB");
                    return true;
                }
                match Authenticate::parse(bytes) {
                    Ok(_) => {
                        self.pending = Some(Box::new(Pending { common: *common, carrier, message: bytes.to_vec() }));
                        Ok(())
                    }
                    Err(fault) => Err(fault),
                }
            }
            _ => return false,
        };
        if done.is_err() {
            cx.anomaly("ntlm", "bad_length", "a field lies outside its message");
        }
        true
    }

    fn negotiate(&mut self, cx: &mut Cx<'_>, common: &Common, carrier: &'static str, bytes: &[u8]) -> Wire<()> {
        self.settle(cx, Outcome::default());
        self.challenge = None;
        self.negotiate_frame = Some(common.frame);
        let mut reader = Reader::new(bytes);
        reader.skip(12)?;
        let flags = reader.le_u32()?;
        // The oldest clients send no more than the flags.
        let mut fields = [None, None];
        for field in &mut fields {
            if let Ok(buffer) = Buffer::read(&mut reader) {
                *field = Some(buffer);
            }
        }
        let [domain, workstation] = fields;
        // These two come before the character set is agreed on: they are in the OEM one.
        let whole = [domain, workstation].into_iter().flatten().all(|field| field.of(bytes).is_ok());
        let domain = domain.and_then(|field| field.of(bytes).ok()).and_then(oem);
        let workstation = workstation.and_then(|field| field.of(bytes).ok()).and_then(oem);
        let version = version(flags, &mut reader);
        cx.emit_as(
            common,
            Ntlm {
                message_type: Some(1),
                message_type_name: Some("negotiate"),
                carrier: Some(carrier),
                negotiate_domain: domain.as_deref(),
                negotiate_workstation: workstation.as_deref(),
                version: version.as_ref().map(|(text, _)| text.as_str()),
                version_build: version.as_ref().map(|&(_, build)| build),
                ..options(flags)
            },
        );
        if whole { Ok(()) } else { Err(Malformed) }
    }

    fn challenge(&mut self, cx: &mut Cx<'_>, common: &Common, carrier: &'static str, bytes: &[u8]) -> Wire<()> {
        let mut reader = Reader::new(bytes);
        reader.skip(12)?;
        let target = Buffer::read(&mut reader)?;
        let flags = reader.le_u32()?;
        let nonce = reader.array::<8>()?;
        self.challenge = Some(Challenge { frame: common.frame, nonce, flags, server: None });
        // Neither is there in the oldest form.
        let info = reader.skip(8).and_then(|()| Buffer::read(&mut reader)).ok();
        let version = version(flags, &mut reader);
        // What lies outside the message takes nothing from the rest of it.
        let whole = target.of(bytes).and(info.map_or(Ok(&[][..]), |info| info.of(bytes))).map(|_| ());
        let target = target.of(bytes).ok().and_then(|target| text(target, flags));
        let info = TargetInfo::parse(info.and_then(|info| info.of(bytes).ok()).unwrap_or_default());
        if let Some(challenge) = &mut self.challenge {
            let server = info.dns_computer.as_deref().or(info.nb_computer.as_deref()).or(target.as_deref());
            challenge.server = server.map(Into::into);
        }
        cx.emit_as(
            common,
            Ntlm {
                message_type: Some(2),
                message_type_name: Some("challenge"),
                carrier: Some(carrier),
                target_name: target.as_deref(),
                server_nb_computer_name: info.nb_computer.as_deref(),
                server_nb_domain_name: info.nb_domain.as_deref(),
                server_dns_computer_name: info.dns_computer.as_deref(),
                server_dns_domain_name: info.dns_domain.as_deref(),
                server_tree_name: info.dns_tree.as_deref(),
                server_ts: info.time,
                version: version.as_ref().map(|(text, _)| text.as_str()),
                version_build: version.as_ref().map(|&(_, build)| build),
                server_challenge: Some(&hex(&nonce)),
                ..options(flags)
            },
        );
        whole
    }

    /// An authenticate message waits for its outcome.
    pub fn is_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// Who the authenticate message that waits says to be.
    pub fn identity(&self) -> Option<Identity> {
        let message = Authenticate::parse(&self.pending.as_ref()?.message).ok()?;
        Some(Identity {
            version: message.kind(self.challenge.as_ref().map_or(0, |challenge| challenge.flags)),
            user: message.user.map(Cow::into_owned),
            domain: message.domain.map(Cow::into_owned),
            workstation: message.workstation.map(Cow::into_owned),
        })
    }

    /// Writes the authenticate message that waits, with what its carrier said of it.
    pub fn settle(&mut self, cx: &mut Cx<'_>, outcome: Outcome<'_>) {
        let Some(pending) = self.pending.take() else { return };
        let Ok(message) = Authenticate::parse(&pending.message) else { return };
        let challenge = self.challenge.as_ref();
        let kind = message.kind(challenge.map_or(0, |challenge| challenge.flags));
        let blob = message.nt.get(16..).filter(|_| kind == Some("ntlmv2")).and_then(|blob| blob.get(28..));
        let info = TargetInfo::parse(blob.unwrap_or_default());
        let line = challenge.and_then(|challenge| message.hash(kind?, &challenge.nonce));
        let mic_present = message.mic.is_some_and(|mic| mic.iter().any(|&octet| octet != 0));
        if info.flags.unwrap_or(0) & AV_HAS_MIC != 0 && !mic_present {
            cx.anomaly("ntlm", "unexpected_state", "an authenticate message promises an integrity code and has none");
        }
        cx.emit_as(
            &pending.common,
            Ntlm {
                message_type: Some(3),
                message_type_name: Some("authenticate"),
                carrier: Some(pending.carrier),
                username: message.user.as_deref(),
                domainname: message.domain.as_deref(),
                hostname: message.workstation.as_deref(),
                version: message.version.as_ref().map(|(text, _)| text.as_str()),
                version_build: message.version.as_ref().map(|&(_, build)| build),
                ntlm_version: kind,
                mic_present: Some(mic_present),
                target_spn: info.target.as_deref(),
                channel_bindings: Some(info.bindings).filter(|_| blob.is_some()),
                success: outcome.success,
                status: outcome.status,
                negotiate_frame: self.negotiate_frame,
                challenge_frame: challenge.map(|challenge| challenge.frame),
                lm_response: shown(message.lm).as_deref(),
                nt_response: shown(message.nt).as_deref(),
                nt_response_len: u16::try_from(message.nt.len()).ok(),
                hash: line.as_deref(),
                ..message.flags.map(options).unwrap_or_default()
            },
        );
        let Some(line) = line else { return };
        cx.emit_as(
            &pending.common,
            Credentials {
                protocol: Some("ntlm"),
                kind: Some("hash"),
                username: message.user.as_deref(),
                domain: message.domain.as_deref(),
                hash_line: Some(&line),
                hashcat_mode: Some(if kind == Some("ntlmv2") { 5600 } else { 5500 }),
                service: info.target.as_deref().or_else(|| challenge?.server.as_deref()),
                outcome: Some(match outcome.success {
                    Some(true) => "success",
                    Some(false) => "failure",
                    None => "unknown",
                }),
                outcome_frame: outcome.frame,
                field: Some(pending.carrier),
                ..Credentials::default()
            },
        );
    }
}

/// The columns that repeat the flags.
fn options(flags: u32) -> Ntlm<'static> {
    Ntlm {
        negotiate_flags: Some(flags),
        sign: Some(flags & flag::SIGN != 0),
        seal: Some(flags & flag::SEAL != 0),
        key_exchange: Some(flags & flag::KEY_EXCHANGE != 0),
        ..Ntlm::default()
    }
}

/// Length and place of a field's bytes.
#[derive(Clone, Copy)]
struct Buffer {
    length: usize,
    offset: usize,
}

impl Buffer {
    fn read(reader: &mut Reader<'_>) -> Wire<Self> {
        let length = usize::from(reader.le_u16()?);
        reader.skip(2)?;
        let offset = usize::try_from(reader.le_u32()?).map_err(|_| Malformed)?;
        Ok(Self { length, offset })
    }

    fn of(self, message: &[u8]) -> Wire<&[u8]> {
        if self.length == 0 {
            return Ok(&[]);
        }
        let end = self.offset.checked_add(self.length).ok_or(Malformed)?;
        message.get(self.offset..end).ok_or(Malformed)
    }
}

/// Major, minor and build of the sender's system (MS-NLMP, 2.2.2.10), and the build alone.
fn version(flags: u32, reader: &mut Reader<'_>) -> Option<(String, u16)> {
    if flags & flag::VERSION == 0 {
        return None;
    }
    let (major, minor, build) = (reader.u8().ok()?, reader.u8().ok()?, reader.le_u16().ok()?);
    reader.skip(4).ok()?;
    Some((format!("{major}.{minor}.{build}"), build))
}

/// Text in the character set that the flags name; `None` if there is none.
fn text(bytes: &[u8], flags: u32) -> Option<Cow<'_, str>> {
    if flags & flag::UNICODE == 0 { oem(bytes) } else { utf16(bytes).map(Cow::Owned) }
}

/// Text in the sender's code page, which the message does not name: as UTF-8 where it is such, else as ISO 8859-1.
fn oem(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().map(|&octet| char::from(octet)).collect()),
    };
    Some(text).filter(|text| !text.is_empty())
}

/// Samba ends names with a NUL, and has nothing before it where it knows no domain.
fn utf16(bytes: &[u8]) -> Option<String> {
    let (pairs, _) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|&pair| u16::from_le_bytes(pair)).take_while(|&unit| unit != 0);
    let text: String = char::decode_utf16(units).map(|unit| unit.unwrap_or('\u{fffd}')).collect();
    Some(text).filter(|text| !text.is_empty())
}

/// Attributes of a server's target info, or of what a client repeats of it in its response.
#[derive(Default)]
struct TargetInfo {
    nb_computer: Option<String>,
    nb_domain: Option<String>,
    dns_computer: Option<String>,
    dns_domain: Option<String>,
    dns_tree: Option<String>,
    flags: Option<u32>,
    time: Option<i64>,
    target: Option<String>,
    bindings: bool,
}

impl TargetInfo {
    /// Reads up to the last attribute that is whole: some senders leave out the end mark.
    fn parse(bytes: &[u8]) -> Self {
        let mut info = Self::default();
        let mut reader = Reader::new(bytes);
        while let Ok((id, value)) = Self::pair(&mut reader) {
            match id {
                av::END => break,
                av::NB_COMPUTER => info.nb_computer = utf16(value),
                av::NB_DOMAIN => info.nb_domain = utf16(value),
                av::DNS_COMPUTER => info.dns_computer = utf16(value),
                av::DNS_DOMAIN => info.dns_domain = utf16(value),
                av::DNS_TREE => info.dns_tree = utf16(value),
                av::FLAGS => info.flags = Reader::new(value).le_u32().ok(),
                av::TIMESTAMP => info.time = Reader::new(value).le_u64().ok().and_then(file_time),
                av::TARGET_NAME => info.target = utf16(value),
                av::CHANNEL_BINDINGS => info.bindings = value.iter().any(|&octet| octet != 0),
                _ => {}
            }
        }
        info
    }

    fn pair<'a>(reader: &mut Reader<'a>) -> Wire<(u16, &'a [u8])> {
        let id = reader.le_u16()?;
        let length = reader.le_u16()?;
        Ok((id, reader.take(usize::from(length))?))
    }
}

/// A FILETIME (100 ns since 1601) in nanoseconds since 1970; `None` for 0 and beyond what that can say.
fn file_time(ticks: u64) -> Option<i64> {
    const UNIX_EPOCH: i64 = 116_444_736_000_000_000;
    if ticks == 0 {
        return None;
    }
    i64::try_from(ticks).ok()?.checked_sub(UNIX_EPOCH)?.checked_mul(100)
}

/// An authenticate message (MS-NLMP, 2.2.1.3).
struct Authenticate<'a> {
    flags: Option<u32>,
    lm: &'a [u8],
    nt: &'a [u8],
    domain: Option<Cow<'a, str>>,
    user: Option<Cow<'a, str>>,
    workstation: Option<Cow<'a, str>>,
    version: Option<(String, u16)>,
    mic: Option<[u8; 16]>,
}

impl<'a> Authenticate<'a> {
    fn parse(bytes: &'a [u8]) -> Wire<Self> {
        let mut reader = Reader::new(bytes);
        reader.skip(12)?;
        let mut fields = [Buffer { length: 0, offset: 0 }; 5];
        for field in &mut fields {
            *field = Buffer::read(&mut reader)?;
        }
        // Older forms end earlier: with the names, with the session key, with the flags, with the version. Where the first
        // field's bytes lie tells which.
        let first = fields.iter().filter(|field| field.length > 0).map(|field| field.offset).min().unwrap_or(bytes.len()).min(bytes.len());
        let mut header = Reader::new(bytes.get(..first).unwrap_or_default());
        let flags = header.skip(60).and_then(|()| header.le_u32()).ok();
        let version = flags.and_then(|flags| version(flags, &mut header));
        if version.is_none() && header.len() >= 24 {
            let _ = header.skip(8);
        }
        let mic = header.array::<16>().ok();
        let [lm, nt, domain, user, workstation] = fields;
        let charset = flags.unwrap_or(flag::UNICODE);
        Ok(Self {
            flags,
            lm: lm.of(bytes)?,
            nt: nt.of(bytes)?,
            domain: text(domain.of(bytes)?, charset),
            user: text(user.of(bytes)?, charset),
            workstation: text(workstation.of(bytes)?, charset),
            version,
            mic,
        })
    }

    /// Which response the client gave (MS-NLMP, 3.3).
    fn kind(&self, challenge_flags: u32) -> Option<&'static str> {
        let extended = self.flags.unwrap_or(challenge_flags) & flag::EXTENDED_SESSION_SECURITY != 0;
        match (self.nt.len(), self.lm.len()) {
            (0, 0 | 1) if self.user.is_none() => Some("anonymous"),
            (25.., _) => Some("ntlmv2"),
            // The client's own challenge stands in the place of the LM response, filled up with zeros.
            (24, 24) if extended && self.lm.get(8..).is_some_and(|rest| rest.iter().all(|&octet| octet == 0)) => Some("ntlm2_session"),
            (24, _) => Some("ntlmv1"),
            (0, 24) => Some("lm"),
            _ => None,
        }
    }

    /// The line that hashcat takes (modes 5600 and 5500).
    fn hash(&self, kind: &str, challenge: &[u8; 8]) -> Option<String> {
        let (user, domain) = (self.user.as_deref()?, self.domain.as_deref().unwrap_or_default());
        match kind {
            "ntlmv2" => {
                let (proof, blob) = self.nt.split_at_checked(16)?;
                Some(format!("{user}::{domain}:{}:{}:{}", hex(challenge), hex(proof), hex(blob)))
            }
            "ntlmv1" | "ntlm2_session" => Some(format!("{user}::{domain}:{}:{}:{}", hex(self.lm), hex(self.nt), hex(challenge))),
            _ => None,
        }
    }
}

/// A response in hexadecimal; `None` if there is none.
fn shown(response: &[u8]) -> Option<String> {
    Some(hex(response)).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::util::display::array_value_to_string;
    use pcapper_schema::{Row, TableSet};

    use super::*;
    use crate::protocols::{Dir, Endpoint, Shared};

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    fn field(place: &mut usize, bytes: &[u8]) -> Vec<u8> {
        let length = u16::try_from(bytes.len()).unwrap().to_le_bytes();
        let offset = u32::try_from(*place).unwrap().to_le_bytes();
        *place += bytes.len();
        [&length[..], &length, &offset].concat()
    }

    fn authenticate(user: &str, nt: &[u8]) -> Vec<u8> {
        let parts = [vec![0; 24], nt.to_vec(), wide("DOM"), wide(user), wide("PC"), vec![]];
        let mut place = 64;
        let mut message = b"NTLMSSP\0\x03\0\0\0".to_vec();
        for part in &parts {
            message.extend(field(&mut place, part));
        }
        message.extend(0x8_0231_u32.to_le_bytes());
        message.extend(parts.concat());
        message
    }

    #[test]
    fn a_login_and_its_line() {
        let (mut tables, mut shared) = (TableSet::default(), Shared::default());
        let mut cx = Cx {
            tables: &mut tables,
            shared: &mut shared,
            frame: 7,
            ts: 0,
            packet: None,
            flow_id: None,
            ends: [Endpoint::default(); 2],
            dir: Dir::Orig,
            frames_spanned: 1,
        };
        let mut login = Login::default();
        let challenge = b"NTLMSSP\0\x02\0\0\0\0\0\0\0\0\0\0\0\x31\x02\x08\0\x01\x02\x03\x04\x05\x06\x07\x08";
        let common = cx.common(Dir::Orig);
        assert!(login.message(&mut cx, &common, "http", challenge));
        let response = [[0xaa; 16].as_slice(), &[1, 1, 0, 0, 0, 0, 0, 0], &[0; 20], &[9, 0, 4, 0], &wide("s/"), &[0; 4]].concat();
        assert!(login.message(&mut cx, &common, "http", &authenticate("bob", &response)));
        let identity = login.identity().unwrap();
        assert_eq!((identity.domain.as_deref(), identity.user.as_deref(), identity.version), (Some("DOM"), Some("bob"), Some("ntlmv2")));
        login.settle(&mut cx, Outcome { success: Some(true), status: Some("200"), frame: Some(9) });
        assert!(!login.message(&mut cx, &common, "http", b"NTLMSSP\0\x04\0\0\0"));

        let batch = Ntlm::slot(&mut tables).finish("c", "id");
        let cell = |name| array_value_to_string(batch.column_by_name(name).unwrap(), 1).unwrap();
        let expected = format!("bob::DOM:0102030405060708:{}:0101000000000000{}09000400{}00000000", "aa".repeat(16), "00".repeat(20), "73002f00");
        assert_eq!(batch.column_by_name("hash").unwrap().as_string::<i32>().value(1), expected);
        assert_eq!((cell("target_spn").as_str(), cell("hostname").as_str(), cell("ntlm_version").as_str()), ("s/", "PC", "ntlmv2"));
        assert_eq!((cell("success").as_str(), cell("challenge_frame").as_str(), cell("mic_present").as_str()), ("true", "7", "false"));
        assert_eq!(Credentials::slot(&mut tables).rows(), 1);
    }

    #[test]
    fn responses_of_version_1() {
        let message = authenticate("bob", &[7; 24]);
        let parsed = Authenticate::parse(&message).unwrap();
        assert_eq!(parsed.kind(0), Some("ntlm2_session"));
        let message = authenticate("", &[]);
        assert_eq!(Authenticate::parse(&message).unwrap().kind(0), Some("lm"));
        let message = authenticate("bob", &[7; 24]);
        assert!(Authenticate::parse(&message[..100]).is_err());
        assert_eq!(file_time(116_444_736_000_000_001), Some(100));
        assert_eq!((utf16(b"a\0\0\0").as_deref(), utf16(b"\0\0")), (Some("a"), None));
    }
}
