//! RFB, the protocol of VNC (RFC 6143; versions 3.3, 3.7 and 3.8, and what Apple and RealVNC made of it): one row a session.

use pcapper_schema::Common;
use pcapper_schema::tables::{Credentials, Vnc};

use crate::protocols::{Cx, Dir, Group, Offer, Progress, Protocol, StreamDissector, StreamKind, Verdict};
use crate::wire::{Reader, Wire};

/// RFB on any port; displays 0 to 3 and listening viewers are on its own.
pub static PROTOCOL: Protocol = Protocol {
    name: "vnc",
    group: Group::It,
    ports: &[5900, 5901, 5902, 5903, 5500],
    stream: Some(StreamKind { probe, start: || Box::<Session>::default() }),
    ..Protocol::NONE
};

/// Octets of a version line: `RFB 003.008\n` (section 7.1.1).
const LINE: usize = 12;
/// Longest text that is kept: a reason or a desktop's name.
const MAX_TEXT: usize = 4096;
/// Most encodings and typed characters that are kept.
const MAX_ENCODINGS: usize = 256;
const MAX_TYPED: usize = 4096;

/// Security types (section 7.1.2 and the registry).
mod security {
    pub const INVALID: u8 = 0;
    pub const NONE: u8 = 1;
    pub const VNC: u8 = 2;
}

fn security_name(code: u8) -> Option<&'static str> {
    Some(match code {
        security::NONE => "none",
        security::VNC => "vnc_auth",
        5 => "ra2",
        6 => "ra2ne",
        16 => "tight",
        17 => "ultra",
        18 => "tls",
        19 => "vencrypt",
        20 => "sasl",
        21 => "md5",
        22 => "xvp",
        30 | 33 | 35 | 36 => "apple_ard",
        113 => "mslogon2",
        129..=134 => "realvnc_aes",
        _ => return None,
    })
}

/// The version in a version line.
fn version(line: &[u8]) -> Option<&str> {
    let [b'R', b'F', b'B', b' ', number @ .., b'\n'] = line else { return None };
    let [a, b, c, b'.', d, e, f] = number else { return None };
    let digits = [a, b, c, d, e, f].into_iter().all(u8::is_ascii_digit);
    std::str::from_utf8(number).ok().filter(|_| digits)
}

fn probe(offer: &Offer<'_>) -> Verdict {
    if offer.bytes.iter().any(|bytes| bytes.get(..LINE).is_some_and(|line| version(line).is_some())) {
        return Verdict::Yes;
    }
    let current = offer.current();
    if current.len() < LINE && (b"RFB ".starts_with(current) || current.starts_with(b"RFB ")) { Verdict::More } else { Verdict::No }
}

/// Where the handshake of one direction stands.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
enum State {
    #[default]
    Version,
    /// The server names types, or, in 3.3, decides one; the client chooses.
    Security,
    /// Challenge and response of type 2.
    Challenge,
    /// The server's verdict.
    Result,
    Reason,
    /// ClientInit and ServerInit.
    Init,
    Messages,
    /// Cannot be followed: encrypted, of an unknown security type, or pixels.
    Opaque,
}

/// One session.
#[derive(Default)]
struct Session {
    /// Of the server and of the client.
    server: State,
    client: State,
    /// The RFB server is who opened the connection.
    reversed: bool,
    roles_known: bool,
    server_version: Option<String>,
    client_version: Option<String>,
    types: Vec<u8>,
    chosen: Option<u8>,
    challenge: Option<[u8; 16]>,
    response: Option<[u8; 16]>,
    result: Option<u32>,
    reason: Option<String>,
    share: Option<bool>,
    size: Option<(u16, u16)>,
    name: Option<String>,
    encodings: Vec<i32>,
    keys: u32,
    pointers: u32,
    client_cut: u64,
    typed: String,
    /// Bytes of the client's clipboard still to come.
    skip: u64,
    common: Option<Common>,
    events: bool,
    /// Messages of the client were missed or not understood: counts would be too low.
    blind: bool,
}

/// What a step made of the bytes on offer; `None`: too few.
type Step = Option<usize>;

impl Session {
    fn old(&self) -> bool {
        // What the client chose counts; Apple's 003.889 behaves as 3.8, anything below 3.7 as 3.3 (section 7.1.1).
        let version = self.client_version.as_deref().or(self.server_version.as_deref());
        version.is_some_and(|version| version < "003.007")
    }

    /// A refusal at 3.8 carries its reason.
    fn has_reason(&self) -> bool {
        self.client_version.as_deref().is_some_and(|version| version >= "003.008")
    }

    fn choose(&mut self, code: u8) {
        self.chosen = Some(code);
        let next = match code {
            security::NONE if self.has_reason() => State::Result,
            security::NONE => State::Init,
            security::VNC => State::Challenge,
            security::INVALID => State::Reason,
            _ => State::Opaque,
        };
        self.server = next;
        self.client = match next {
            State::Result | State::Init => State::Init,
            other => other,
        };
    }

    fn server(&mut self, bytes: &[u8]) -> Wire<Step> {
        let mut r = Reader::new(bytes);
        match self.server {
            State::Version => {
                let line = r.take(LINE)?;
                let Some(version) = version(line) else {
                    self.give_up();
                    return Ok(None);
                };
                self.server_version = Some(version.to_owned());
                self.server = State::Security;
            }
            State::Security => {
                // The client's version decides the form.
                if self.client_version.is_none() {
                    return Ok(None);
                }
                if self.old() {
                    let code = r.be_u32()?;
                    self.choose(u8::try_from(code).unwrap_or(u8::MAX));
                } else if self.types.is_empty() && self.chosen.is_none() {
                    let count = r.u8()?;
                    let types = r.take(count.into())?;
                    if count == 0 {
                        self.choose(security::INVALID);
                    } else {
                        self.types = types.to_vec();
                    }
                } else {
                    // Waits for the client's choice.
                    return Ok(None);
                }
            }
            State::Challenge => {
                self.challenge = Some(r.array()?);
                self.server = State::Result;
            }
            State::Result => {
                let result = r.be_u32()?;
                if result > 2 {
                    self.give_up();
                    return Ok(None);
                }
                self.result = Some(result);
                self.server = match result {
                    0 => State::Init,
                    _ if self.has_reason() => State::Reason,
                    _ => State::Opaque,
                };
            }
            State::Reason => {
                let length = usize::try_from(r.be_u32()?).unwrap_or(usize::MAX);
                if length <= MAX_TEXT {
                    self.reason = Some(text(r.take(length)?)).filter(|reason| !reason.is_empty());
                }
                self.server = State::Opaque;
            }
            State::Init => {
                let size = (r.be_u16()?, r.be_u16()?);
                r.skip(16)?;
                let length = usize::try_from(r.be_u32()?).unwrap_or(usize::MAX);
                if length > MAX_TEXT {
                    self.give_up();
                    return Ok(None);
                }
                self.name = Some(text(r.take(length)?)).filter(|name| !name.is_empty());
                self.size = Some(size);
                // What follows is pixels, whose length only a decoder of every encoding knows.
                self.server = State::Opaque;
            }
            State::Messages | State::Opaque => return Ok(Some(bytes.len())),
        }
        Ok(Some(bytes.len().saturating_sub(r.len())))
    }

    fn client(&mut self, bytes: &[u8]) -> Wire<Step> {
        let mut r = Reader::new(bytes);
        match self.client {
            State::Version => {
                let line = r.take(LINE)?;
                let Some(version) = version(line) else {
                    self.give_up();
                    return Ok(None);
                };
                self.client_version = Some(version.to_owned());
                self.client = State::Security;
            }
            State::Security => {
                if self.old() || self.types.is_empty() {
                    // In 3.3 the server decides.
                    return Ok(None);
                }
                let code = r.u8()?;
                self.choose(code);
            }
            State::Challenge => {
                if self.challenge.is_none() {
                    return Ok(None);
                }
                self.response = Some(r.array()?);
                self.client = State::Init;
            }
            State::Init => {
                self.share = Some(r.u8()? != 0);
                self.client = State::Messages;
            }
            State::Messages => {
                if self.skip > 0 {
                    let passed = u64::try_from(bytes.len()).unwrap_or(u64::MAX).min(self.skip);
                    self.skip = self.skip.saturating_sub(passed);
                    return Ok(usize::try_from(passed).ok());
                }
                return self.event(r, bytes.len());
            }
            State::Result | State::Reason | State::Opaque => return Ok(Some(bytes.len())),
        }
        Ok(Some(bytes.len().saturating_sub(r.len())))
    }

    /// One message of the client (section 7.5).
    fn event(&mut self, mut r: Reader<'_>, offered: usize) -> Wire<Step> {
        match r.u8()? {
            0 => r.skip(19)?,
            2 => {
                r.skip(1)?;
                let count = r.be_u16()?;
                let mut list = r.sub(usize::from(count).saturating_mul(4))?;
                self.encodings.clear();
                while let (Ok(encoding), true) = (list.be_i32(), self.encodings.len() < MAX_ENCODINGS) {
                    self.encodings.push(encoding);
                }
            }
            3 => r.skip(9)?,
            4 => {
                let down = r.u8()? != 0;
                r.skip(2)?;
                let key = r.be_u32()?;
                self.keys = self.keys.saturating_add(1);
                if down {
                    self.press(key);
                }
            }
            5 => {
                r.skip(5)?;
                self.pointers = self.pointers.saturating_add(1);
            }
            6 => {
                r.skip(3)?;
                // Negative: the extended clipboard, whose length is the absolute value.
                let length = u64::from(r.be_i32()?.unsigned_abs());
                self.client_cut = self.client_cut.saturating_add(length);
                self.skip = length;
            }
            // ContinuousUpdates and Fence (community registry).
            150 => r.skip(9)?,
            248 => {
                r.skip(7)?;
                let length = r.u8()?;
                r.skip(length.into())?;
            }
            _ => {
                self.client = State::Opaque;
                self.blind = true;
                return Ok(Some(offered));
            }
        }
        self.events = true;
        Ok(Some(offered.saturating_sub(r.len())))
    }

    /// Keeps what a key writes: its symbol is Latin-1 or marked as Unicode (X11 keysyms).
    fn press(&mut self, symbol: u32) {
        let character = match symbol {
            0x20..=0x7e | 0xa0..=0xff => char::from_u32(symbol),
            0xff0d | 0xff8d => Some('\n'),
            0xff09 => Some('\t'),
            0x0100_0100..=0x0110_ffff => char::from_u32(symbol & 0x00ff_ffff),
            _ => None,
        };
        if let Some(character) = character
            && self.typed.len() < MAX_TYPED
        {
            self.typed.push(character);
        }
    }

    fn give_up(&mut self) {
        (self.server, self.client) = (State::Opaque, State::Opaque);
    }

    /// The session's outcome: a result, or an answer that only the accepted get.
    fn success(&self) -> Option<bool> {
        match self.result {
            Some(result) => Some(result == 0),
            None if self.size.is_some() => Some(true),
            None => None,
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned()
}

fn hex(bytes: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(bytes))
}

impl StreamDissector for Session {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        if !self.roles_known && !bytes.is_empty() {
            // The server speaks first (section 7.1.1): who connects and speaks first is a server that calls a listening viewer.
            self.roles_known = true;
            self.reversed = cx.dir == Dir::Orig;
        }
        let is_server = (cx.dir == Dir::Resp) != self.reversed;
        if self.size.is_none() {
            self.common = Some(cx.common(if self.reversed { Dir::Resp } else { Dir::Orig }));
        }
        let mut done = 0usize;
        while let Some(rest) = bytes.get(done..).filter(|rest| !rest.is_empty()) {
            match if is_server { self.server(rest) } else { self.client(rest) } {
                Ok(Some(length)) if length > 0 => done = done.saturating_add(length),
                _ => break,
            }
        }
        Progress::Consumed(done)
    }

    fn gap(&mut self, cx: &mut Cx<'_>, _missing: u64) -> bool {
        let is_server = (cx.dir == Dir::Resp) != self.reversed;
        if is_server {
            let begun = self.server == State::Opaque;
            self.server = State::Opaque;
            return begun;
        }
        self.client = State::Opaque;
        self.blind = true;
        true
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        let Some(common) = self.common else { return };
        if self.server_version.is_none() && self.client_version.is_none() {
            return;
        }
        let counted = self.events && !self.blind;
        let chosen = self.chosen.filter(|code| *code != security::INVALID);
        let (challenge, response) = (self.challenge.map(hex), self.response.map(hex));
        if let (Some(challenge), Some(response)) = (&challenge, &response) {
            cx.emit_as(
                &common,
                Credentials {
                    protocol: Some("vnc"),
                    kind: Some("hash"),
                    // The form of John the Ripper.
                    hash_line: Some(&format!("$vnc$*{challenge}*{response}")),
                    encrypted: Some(false),
                    outcome: Some(match self.success() {
                        Some(true) => "success",
                        Some(false) => "failure",
                        None => "unknown",
                    }),
                    ..Default::default()
                },
            );
        }
        cx.emit_as(
            &common,
            Vnc {
                client_version: self.client_version.as_deref(),
                server_version: self.server_version.as_deref(),
                security_types: Some(self.types.as_slice()).filter(|types| !types.is_empty()),
                security_type_code: chosen,
                security_type: chosen.and_then(security_name),
                challenge: challenge.as_deref(),
                response: response.as_deref(),
                auth_result_code: self.result,
                auth_success: self.success(),
                failure_reason: self.reason.as_deref(),
                share_flag: self.share,
                width: self.size.map(|(width, _)| width),
                height: self.size.map(|(_, height)| height),
                desktop_name: self.name.as_deref(),
                encodings: Some(self.encodings.as_slice()).filter(|encodings| !encodings.is_empty()),
                key_events: counted.then_some(self.keys),
                pointer_events: counted.then_some(self.pointers),
                client_cut_bytes: counted.then_some(self.client_cut),
                typed_text: Some(self.typed.as_str()).filter(|typed| !typed.is_empty()),
                ..Default::default()
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_lines() {
        assert_eq!(version(b"RFB 003.008\n"), Some("003.008"));
        assert_eq!(version(b"RFB 003 008\n"), None);
        assert_eq!(version(b"RFB 003.008 "), None);
    }

    #[test]
    fn handshake_and_keys() {
        let mut session = Session::default();
        assert_eq!(session.server(b"RFB 003.008\n\x02\x01\x02"), Ok(Some(12)));
        // Types wait for the client's version.
        assert_eq!(session.server(&[2, 1, 2]), Ok(None));
        assert_eq!(session.client(b"RFB 003.008\n"), Ok(Some(12)));
        assert_eq!(session.server(&[2, 1, 2]), Ok(Some(3)));
        assert_eq!(session.client(&[2]), Ok(Some(1)));
        assert_eq!(session.server(&[7; 16]), Ok(Some(16)));
        assert_eq!(session.client(&[8; 16]), Ok(Some(16)));
        assert_eq!(session.server(&[0, 0, 0, 0]), Ok(Some(4)));
        assert_eq!(session.client(&[1]), Ok(Some(1)));
        let init = [&[4, 0, 3, 0][..], &[0; 16], &[0, 0, 0, 2], b"me"].concat();
        assert_eq!(session.server(&init), Ok(Some(26)));
        assert_eq!(session.client(&[4, 1, 0, 0, 0, 0, 0, b'x']), Ok(Some(8)));
        assert_eq!((session.types.as_slice(), session.chosen, session.success()), (&[1, 2][..], Some(2), Some(true)));
        assert_eq!((session.size, session.name.as_deref(), session.typed.as_str()), (Some((1024, 768)), Some("me"), "x"));
        assert!(session.client(&[4, 1]).is_err());
    }
}
