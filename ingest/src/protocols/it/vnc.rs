//! VNC: the Remote Framebuffer protocol (RFC 6143, and its community extensions). The handshake is read, and what the client
//! sends; pixels pass by.

use pcapper_schema::Common;
use pcapper_schema::tables::{Credentials, Vnc};

use crate::protocols::hex::hex;
use crate::protocols::{Cx, Dir, Group, Offer, Progress, Protocol, StreamDissector, StreamKind, Verdict};
use crate::wire::{Malformed, Reader, Wire};

/// RFB on any port; displays are counted up from 5900.
pub static PROTOCOL: Protocol = Protocol {
    name: "vnc",
    group: Group::It,
    ports: &[5900, 5901, 5902],
    stream: Some(StreamKind { probe, start: || Box::<Session>::default() }),
    ..Protocol::NONE
};

/// Longest text of the server that is kept, bytes.
const MAX_TEXT: usize = 4096;
/// Characters typed that are kept.
const MAX_TYPED: usize = 4096;
/// Encodings that are kept.
const MAX_ENCODINGS: usize = 64;

/// `RFB 003.008\n`
fn version(bytes: &[u8]) -> Option<&str> {
    let line: &[u8; 12] = bytes.first_chunk()?;
    let text = std::str::from_utf8(line).ok()?.strip_prefix("RFB ")?.strip_suffix('\n')?;
    let numbers = text.bytes().enumerate().all(|(at, octet)| if at == 3 { octet == b'.' } else { octet.is_ascii_digit() });
    numbers.then_some(text)
}

fn probe(offer: &Offer<'_>) -> Verdict {
    let bytes = offer.current();
    if version(bytes).is_some() {
        return Verdict::Yes;
    }
    if bytes.len() < 12 && b"RFB ".starts_with(bytes.get(..4).unwrap_or(bytes)) { Verdict::More } else { Verdict::No }
}

/// The desktop's name; Apple's servers put what else they say of the display before it, in octets that are no text.
fn desktop_name(bytes: &[u8]) -> String {
    let name = bytes.rsplit(|octet| *octet == 0).find(|part| !part.is_empty()).unwrap_or_default();
    String::from_utf8_lossy(name).into_owned()
}

const TIGHT: u8 = 16;
const APPLE: u8 = 30;
const MS_LOGON_2: u8 = 113;

/// How many capabilities Tight security lists; each is a code, a vendor and a signature, 16 octets.
fn capabilities(reader: &mut Reader<'_>) -> Wire<u32> {
    let count = reader.be_u32()?;
    reader.skip((count as usize).checked_mul(16).ok_or(Malformed)?)?;
    Ok(count)
}

fn security_name(code: u8) -> Option<&'static str> {
    Some(match code {
        1 => "none",
        2 => "vnc_auth",
        5 => "ra2",
        6 => "ra2ne",
        TIGHT => "tight",
        17 => "ultra",
        18 => "tls",
        19 => "vencrypt",
        20 => "sasl",
        21 => "md5",
        22 => "xvp",
        APPLE..=36 => "apple_ard",
        MS_LOGON_2 => "mslogon2",
        128..=255 => "realvnc_aes",
        _ => return None,
    })
}

/// What is expected next.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum State {
    #[default]
    ServerVersion,
    ClientVersion,
    Offer,
    Choice,
    Challenge,
    Response,
    /// What Tight security offers and takes: tunnels, then ways to log in.
    Tunnels,
    Tunnel,
    Logins,
    Login,
    /// A login by Diffie-Hellman: the server's part, and the octets that answer it.
    Exchange,
    Exchanged(u16),
    Result,
    ClientInit,
    ServerInit,
    /// Messages of both sides.
    Running,
    /// Nothing that is read here.
    Opaque,
}

#[derive(Default)]
struct Session {
    state: State,
    server: Option<Dir>,
    common: Option<Common>,
    versions: [Option<String>; 2],
    /// Minor version as both understand it: 3, 7 or 8.
    minor: u16,
    types: Vec<u8>,
    chosen: Option<u8>,
    challenge: Option<[u8; 16]>,
    response: Option<[u8; 16]>,
    result: Option<u32>,
    success: Option<bool>,
    reason: Option<String>,
    shared: Option<bool>,
    size: Option<(u16, u16)>,
    desktop: Option<String>,
    encodings: Vec<i32>,
    keys: u32,
    pointers: u32,
    cut_bytes: u64,
    /// Clipboard bytes that are still to pass.
    skip: usize,
    typed: String,
    /// The client began to send or fetch a file.
    file_transfer: bool,
}

impl Session {
    /// Whose turn it is.
    fn speaker(&self) -> Option<bool> {
        match self.state {
            State::ServerVersion | State::Offer | State::Challenge | State::Tunnels | State::Logins | State::Exchange => Some(true),
            State::Result | State::ServerInit => Some(true),
            State::ClientVersion | State::Choice | State::Response | State::Tunnel | State::Login | State::Exchanged(_) => Some(false),
            State::ClientInit => Some(false),
            State::Running | State::Opaque => None,
        }
    }

    /// Takes one step of the handshake; `None` if more bytes are needed.
    fn step(&mut self, bytes: &[u8]) -> Wire<Option<usize>> {
        let mut reader = Reader::new(bytes);
        match self.read(&mut reader) {
            Ok(()) => Ok(Some(bytes.len() - reader.len())),
            // Everything here has a known, small length: what is missing is still to come.
            Err(Malformed) if bytes.len() < MAX_TEXT + 64 => Ok(None),
            Err(Malformed) => Err(Malformed),
        }
    }

    fn read(&mut self, reader: &mut Reader<'_>) -> Wire<()> {
        self.state = match self.state {
            State::ServerVersion | State::ClientVersion => {
                let line = reader.array::<12>()?;
                let text = version(&line);
                let is_server = self.state == State::ServerVersion;
                if let Some(slot) = self.versions.get_mut(usize::from(is_server)) {
                    *slot = text.map(str::to_owned);
                }
                let minor = match text {
                    Some("003.003" | "003.005" | "003.004" | "003.006") => 3,
                    Some("003.007") => 7,
                    _ => 8,
                };
                self.minor = if is_server { minor } else { self.minor.min(minor) };
                if is_server { State::ClientVersion } else { State::Offer }
            }
            // The server decides (RFC 6143, 7.1.2, for version 3.3).
            State::Offer if self.minor == 3 => {
                let code = reader.be_u32()?;
                self.chosen = u8::try_from(code).ok();
                match code {
                    0 => {
                        self.refusal(reader)?;
                        State::Opaque
                    }
                    1 => {
                        self.success = Some(true);
                        State::ClientInit
                    }
                    2 => State::Challenge,
                    _ => State::Opaque,
                }
            }
            State::Offer => {
                let count = usize::from(reader.u8()?);
                if count == 0 {
                    self.refusal(reader)?;
                    State::Opaque
                } else {
                    self.types = reader.take(count)?.to_vec();
                    State::Choice
                }
            }
            State::Choice => {
                let code = reader.u8()?;
                self.chosen = Some(code);
                match code {
                    1 => self.no_login(),
                    2 => State::Challenge,
                    TIGHT => State::Tunnels,
                    APPLE | MS_LOGON_2 => State::Exchange,
                    _ => State::Opaque,
                }
            }
            State::Tunnels => match capabilities(reader)? {
                0 => State::Logins,
                _ => State::Tunnel,
            },
            // Only the tunnel that is none is followed.
            State::Tunnel => match reader.be_u32()? {
                0 => State::Logins,
                _ => State::Opaque,
            },
            State::Logins => match capabilities(reader)? {
                0 => self.no_login(),
                _ => State::Login,
            },
            State::Login => match reader.be_u32()? {
                1 => self.no_login(),
                2 => State::Challenge,
                _ => State::Opaque,
            },
            State::Exchange if self.chosen == Some(MS_LOGON_2) => {
                // Generator, modulus and public value; then a public value, a name and a password.
                reader.skip(24)?;
                State::Exchanged(8 + 256 + 64)
            }
            State::Exchange => {
                reader.skip(2)?;
                let length = reader.be_u16()?;
                reader.skip(2 * usize::from(length))?;
                State::Exchanged(length.saturating_add(128))
            }
            State::Exchanged(length) => {
                reader.skip(length.into())?;
                State::Result
            }
            State::Challenge => {
                self.challenge = Some(reader.array()?);
                State::Response
            }
            State::Response => {
                self.response = Some(reader.array()?);
                State::Result
            }
            State::Result => {
                let code = reader.be_u32()?;
                if code != 0 && self.minor >= 8 {
                    self.refusal(reader)?;
                }
                self.result = Some(code);
                self.success = Some(code == 0);
                if code == 0 { State::ClientInit } else { State::Opaque }
            }
            State::ClientInit => {
                self.shared = Some(reader.u8()? != 0);
                State::ServerInit
            }
            State::ServerInit => {
                let size = (reader.be_u16()?, reader.be_u16()?);
                reader.skip(16)?;
                let length = reader.be_u32()? as usize;
                let name = reader.take(length)?;
                // Under Tight security, what either side can say stands behind the name.
                if self.chosen == Some(TIGHT) {
                    let counts = [reader.be_u16()?, reader.be_u16()?, reader.be_u16()?];
                    reader.skip(2 + 16 * counts.iter().map(|count| usize::from(*count)).sum::<usize>())?;
                }
                self.size = Some(size);
                self.desktop = Some(desktop_name(name));
                State::Running
            }
            state @ (State::Running | State::Opaque) => state,
        };
        Ok(())
    }

    /// Nobody logs in: before version 3.8 the server sends no result then.
    fn no_login(&mut self) -> State {
        if self.minor >= 8 {
            return State::Result;
        }
        self.success = Some(true);
        State::ClientInit
    }

    /// The reason of a refusal; servers may close before they tell it.
    fn refusal(&mut self, reader: &mut Reader<'_>) -> Wire<()> {
        self.success = Some(false);
        if reader.is_empty() {
            return Ok(());
        }
        let length = reader.be_u32()? as usize;
        let text = reader.take(length)?;
        self.reason = Some(String::from_utf8_lossy(text.get(..MAX_TEXT).unwrap_or(text)).into_owned());
        Ok(())
    }

    /// Takes one message of the client (RFC 6143, 7.5); `None` if more bytes are needed.
    fn client_message(&mut self, bytes: &[u8]) -> Wire<Option<usize>> {
        let whole = |length: usize| if bytes.len() < length { Ok(None) } else { Ok(Some(length)) };
        match bytes {
            [0, ..] => whole(20),
            [2, _, a, b, rest @ ..] => {
                let count = usize::from(u16::from_be_bytes([*a, *b]));
                let Some(list) = rest.get(..count * 4) else { return Ok(None) };
                for encoding in list.chunks_exact(4).filter_map(|encoding| encoding.try_into().ok()).map(i32::from_be_bytes) {
                    if self.encodings.len() < MAX_ENCODINGS && !self.encodings.contains(&encoding) {
                        self.encodings.push(encoding);
                    }
                }
                Ok(Some(4 + count * 4))
            }
            [3, ..] => whole(10),
            [4, down, _, _, a, b, c, d, ..] => {
                self.keys = self.keys.saturating_add(1);
                if *down != 0 {
                    self.key(u32::from_be_bytes([*a, *b, *c, *d]));
                }
                Ok(Some(8))
            }
            [5, _, _, _, _, _, ..] => {
                self.pointers = self.pointers.saturating_add(1);
                Ok(Some(6))
            }
            [6, _, _, _, a, b, c, d, ..] => {
                let length = u32::from_be_bytes([*a, *b, *c, *d]);
                // Negative lengths are those of the extended clipboard.
                let length = if length > 1 << 31 { length.wrapping_neg() } else { length };
                self.cut_bytes = self.cut_bytes.saturating_add(u64::from(length));
                self.skip = length as usize;
                Ok(Some(8))
            }
            // Messages that were added since, each announced in the encodings: continuous updates, a fence, the power of the
            // machine, the size of the desktop, and QEMU's keys by place and its sound.
            [150, ..] => whole(10),
            [248, _, _, _, _, _, _, _, length, ..] => whole(9 + usize::from(*length)),
            [250, ..] => whole(4),
            [251, _, _, _, _, _, screens, ..] => whole(8 + 16 * usize::from(*screens)),
            [255, 0, _, down, a, b, c, d, _, _, _, _, ..] => {
                self.keys = self.keys.saturating_add(1);
                if *down != 0 {
                    self.key(u32::from_be_bytes([*a, *b, *c, *d]));
                }
                Ok(Some(12))
            }
            [255, 1, 0, 2, ..] => whole(10),
            [255, 1, _, _, ..] => whole(4),
            // A file of UltraVNC, and those of TightVNC, whose data is not read.
            [7, ..] | [130..=136, ..] => {
                self.file_transfer = true;
                Err(Malformed)
            }
            [2 | 4 | 5 | 6 | 248 | 251, ..] | [255, 0 | 1, ..] | [255] | [] => Ok(None),
            _ => Err(Malformed),
        }
    }

    /// A key by its X11 keysym: Latin letters are their own numbers.
    fn key(&mut self, symbol: u32) {
        if self.typed.len() >= MAX_TYPED {
            return;
        }
        match symbol {
            0xff0d | 0xff8d => self.typed.push('\n'),
            0xff09 => self.typed.push('\t'),
            0xff08 => self.typed.push_str("<bs>"),
            0x20..=0x7e | 0xa0..=0xff => self.typed.extend(char::from_u32(symbol)),
            _ => {}
        }
    }
}

impl StreamDissector for Session {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let server = *self.server.get_or_insert(cx.dir);
        let is_server = cx.dir == server;
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            if rest.is_empty() {
                return Progress::Consumed(at);
            }
            if !is_server && self.skip > 0 {
                let count = self.skip.min(rest.len());
                self.skip -= count;
                at += count;
                continue;
            }
            let taken = match self.speaker() {
                Some(turn) if turn == is_server => {
                    let taken = self.step(rest);
                    if matches!(taken, Ok(Some(_))) {
                        self.common = Some(cx.common(server.reverse()));
                    }
                    taken
                }
                // Out of turn: the other side's bytes come first.
                Some(_) => return Progress::Consumed(at),
                None if self.state == State::Running && !is_server => self.client_message(rest),
                None => return Progress::Consumed(bytes.len()),
            };
            match taken {
                Ok(Some(count)) => at += count,
                Ok(None) => return Progress::Consumed(at),
                Err(Malformed) => {
                    self.state = State::Opaque;
                    return Progress::Consumed(bytes.len());
                }
            }
        }
    }

    fn gap(&mut self, _cx: &mut Cx<'_>, _missing: u64) -> bool {
        if self.state != State::Running {
            self.state = State::Opaque;
        }
        true
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        let Some(common) = self.common else { return };
        let (challenge, response) = (self.challenge.map(|bytes| hex(&bytes)), self.response.map(|bytes| hex(&bytes)));
        let [client, server] = &self.versions;
        cx.emit_as(
            &common,
            Vnc {
                client_version: client.as_deref(),
                server_version: server.as_deref(),
                security_types: (!self.types.is_empty()).then_some(&self.types),
                security_type_code: self.chosen,
                security_type: self.chosen.and_then(security_name),
                challenge: challenge.as_deref(),
                response: response.as_deref(),
                auth_result_code: self.result,
                auth_success: self.success,
                failure_reason: self.reason.as_deref(),
                share_flag: self.shared,
                width: self.size.map(|(width, _)| width),
                height: self.size.map(|(_, height)| height),
                desktop_name: self.desktop.as_deref(),
                encodings: (!self.encodings.is_empty()).then_some(&self.encodings),
                key_events: self.size.map(|_| self.keys),
                pointer_events: self.size.map(|_| self.pointers),
                client_cut_bytes: self.size.map(|_| self.cut_bytes),
                server_cut_bytes: None,
                typed_text: (!self.typed.is_empty()).then_some(&self.typed),
                file_transfer: self.size.map(|_| self.file_transfer),
            },
        );
        if response.is_some() {
            cx.emit_as(
                &common,
                Credentials {
                    protocol: Some("vnc"),
                    kind: Some("hash"),
                    encrypted: Some(cx.is_decrypted()),
                    outcome: Some(match self.success {
                        Some(true) => "success",
                        Some(false) => "failure",
                        None => "unknown",
                    }),
                    outcome_frame: self.success.map(|_| common.frame),
                    field: Some("challenge and response"),
                    ..Credentials::default()
                },
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        assert_eq!(version(b"RFB 003.008\n"), Some("003.008"));
        assert_eq!(version(b"RFB 003x008\n"), None);
        assert_eq!(version(b"RFB 003.008"), None);
    }

    #[test]
    fn a_refused_login() {
        let mut session = Session::default();
        for (bytes, state) in [
            (&b"RFB 003.008\n"[..], State::ClientVersion),
            (b"RFB 003.008\n", State::Offer),
            (&[2, 2, 16], State::Choice),
            (&[2], State::Challenge),
            (&[7; 16], State::Response),
            (&[8; 16], State::Result),
            (&[0, 0, 0, 1, 0, 0, 0, 2, b'n', b'o'], State::Opaque),
        ] {
            assert_eq!(session.step(bytes), Ok(Some(bytes.len())));
            assert_eq!(session.state, state);
        }
        assert_eq!((session.chosen, session.result, session.reason.as_deref()), (Some(2), Some(1), Some("no")));
    }

    #[test]
    fn tight_security_without_a_tunnel() {
        let mut session = Session::default();
        let login = [&[0, 0, 0, 1][..], &[0, 0, 0, 2], b"STDVVNCAUTH_"].concat();
        let init = [&[4, 0, 3, 0][..], &[0; 16], &[0, 0, 0, 1, b'x'], &[0, 1, 0, 0, 0, 0, 0, 0], &[0; 16]].concat();
        for (bytes, state) in [
            (&b"RFB 003.008\n"[..], State::ClientVersion),
            (b"RFB 003.008\n", State::Offer),
            (&[1, 16], State::Choice),
            (&[16], State::Tunnels),
            (&[0; 4], State::Logins),
            (&login, State::Login),
            (&[0, 0, 0, 2], State::Challenge),
            (&[7; 16], State::Response),
            (&[8; 16], State::Result),
            (&[0; 4], State::ClientInit),
            (&[1], State::ServerInit),
            (&init, State::Running),
        ] {
            assert_eq!(session.step(bytes), Ok(Some(bytes.len())));
            assert_eq!(session.state, state);
        }
        assert_eq!((session.success, session.size, session.desktop.as_deref()), (Some(true), Some((1024, 768)), Some("x")));
    }

    #[test]
    fn names_of_desktops() {
        for (bytes, name) in [(&b"vmac"[..], "vmac"), (b"\0\0\x02\xff\xfe\x03\0\0MacMini SSD", "MacMini SSD"), (b"desk\0", "desk"), (b"", "")] {
            assert_eq!(desktop_name(bytes), name);
        }
    }

    #[test]
    fn login_of_apples_desktop() {
        let mut session = Session { state: State::Choice, minor: 8, ..Session::default() };
        assert_eq!(session.step(&[30]), Ok(Some(1)));
        assert_eq!(session.step(&[&[0, 2, 0, 16][..], &[1; 32]].concat()), Ok(Some(36)));
        assert_eq!(session.step(&[9; 144]), Ok(Some(144)));
        assert_eq!(session.step(&[0; 4]), Ok(Some(4)));
        assert_eq!((session.state, session.success), (State::ClientInit, Some(true)));
    }

    #[test]
    fn keys_are_text() {
        let mut session = Session { state: State::Running, ..Session::default() };
        assert_eq!(session.client_message(&[4, 1, 0, 0, 0, 0, 0, b'a']), Ok(Some(8)));
        assert_eq!(session.client_message(&[4, 0, 0, 0, 0, 0, 0, b'a']), Ok(Some(8)));
        assert_eq!((session.keys, session.typed.as_str()), (2, "a"));
        assert_eq!(session.client_message(&[2, 0, 0, 1]), Ok(None));
        assert!(session.client_message(&[99]).is_err());
    }
}
