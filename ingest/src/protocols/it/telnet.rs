//! Telnet (RFC 854, 855): option negotiation, what was shown and typed, and logins told from prompts.

use std::borrow::Cow;
use std::fmt::Write as _;

use pcapper_schema::Common;
use pcapper_schema::tables::{Credentials, Telnet};

use crate::protocols::{Cx, Dir, Group, Offer, Progress, Protocol, StreamDissector, StreamKind, Verdict, secrets};

/// Telnet on any port where options are negotiated; 23 is its own.
pub static PROTOCOL: Protocol = Protocol {
    name: "telnet",
    group: Group::It,
    ports: &[23, 2323],
    stream: Some(StreamKind { probe, start: || Box::<Session>::default() }),
    ..Protocol::NONE
};

/// Longest line that is kept, bytes; the rest of a longer one is dropped.
const MAX_LINE: usize = 4096;
/// Longest sub-negotiation that is waited for, bytes.
const MAX_SUBOPTION: usize = 4096;
/// Lines of the server in which the end of a login is looked for.
const MAX_VERDICT_LINES: u8 = 24;

const SE: u8 = 240;
const SB: u8 = 250;
const WILL: u8 = 251;
const DONT: u8 = 254;
const IAC: u8 = 255;

/// Names of commands (RFC 854, RFC 885, RFC 1184).
fn command_name(code: u8) -> Option<&'static str> {
    Some(match code {
        236 => "eof",
        237 => "susp",
        238 => "abort",
        239 => "eor",
        SE => "se",
        241 => "nop",
        242 => "dm",
        243 => "brk",
        244 => "ip",
        245 => "ao",
        246 => "ayt",
        247 => "ec",
        248 => "el",
        249 => "ga",
        SB => "sb",
        WILL => "will",
        252 => "wont",
        253 => "do",
        DONT => "dont",
        _ => return None,
    })
}

/// Names of options (IANA, Telnet Options).
fn option_name(code: u8) -> Option<&'static str> {
    Some(match code {
        0 => "binary",
        1 => "echo",
        3 => "suppress_go_ahead",
        5 => "status",
        6 => "timing_mark",
        18 => "logout",
        23 => "send_location",
        24 => "terminal_type",
        25 => "end_of_record",
        31 => "naws",
        32 => "terminal_speed",
        33 => "remote_flow_control",
        34 => "linemode",
        35 => "x_display_location",
        36 => "environment",
        37 => "authentication",
        38 => "encryption",
        39 => "new_environ",
        40 => "tn3270e",
        42 => "charset",
        44 => "com_port",
        45 => "suppress_local_echo",
        46 => "start_tls",
        _ => return None,
    })
}

/// One negotiation is a matter of chance; two in a row are not.
fn probe(offer: &Offer<'_>) -> Verdict {
    let bytes = offer.current();
    let negotiates = |bytes: &[u8]| matches!(bytes, [IAC, WILL..=DONT, option, ..] if *option <= 50);
    if offer.usual_port {
        let text = |octet: &u8| octet.is_ascii_graphic() || octet.is_ascii_whitespace() || matches!(octet, 0 | 7 | 8 | 27);
        let speaks = matches!(bytes, [IAC, 236..=254, ..]) || !bytes.starts_with(b"SSH-") && bytes.iter().take(64).all(text);
        return if speaks && !bytes.is_empty() { Verdict::Yes } else { Verdict::No };
    }
    match bytes {
        _ if !negotiates(bytes) => Verdict::No,
        [_, _, _, IAC, SB..=DONT, ..] => Verdict::Yes,
        _ => Verdict::No,
    }
}

/// What the bytes start with.
enum Piece<'a> {
    Byte(u8),
    Command(u8),
    Option(u8, u8),
    Suboption(u8, Cow<'a, [u8]>),
}

/// The next piece and its length; `None` if it is not whole yet.
fn next(bytes: &[u8]) -> Option<(Piece<'_>, usize)> {
    match bytes {
        [IAC, IAC, ..] => Some((Piece::Byte(IAC), 2)),
        [IAC, code @ WILL..=DONT, option, ..] => Some((Piece::Option(*code, *option), 3)),
        [IAC, SB, option, rest @ ..] => {
            let at = suboption_end(rest)?;
            let body = rest.get(..at)?;
            let doubled = body.windows(2).any(|pair| pair == [IAC, IAC]);
            let body = if doubled { Cow::Owned(undoubled(body)) } else { Cow::Borrowed(body) };
            Some((Piece::Suboption(*option, body), at + 5))
        }
        [IAC, WILL..=DONT | SB] | [IAC] => None,
        [IAC, code, ..] => Some((Piece::Command(*code), 2)),
        [octet, ..] => Some((Piece::Byte(*octet), 1)),
        [] => None,
    }
}

/// Where IAC SE stands.
fn suboption_end(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += bytes.get(at..)?.iter().position(|&octet| octet == IAC)?;
        match bytes.get(at + 1)? {
            &SE => return Some(at),
            _ => at += 2,
        }
    }
}

/// Writes the row of a sub-negotiation whose value is not read.
fn unread_suboption(cx: &mut Cx<'_>, bytes: &[u8]) {
    let option = bytes.get(2).copied();
    cx.emit(Telnet {
        event: Some("suboption"),
        direction: Some(side(cx.dir)),
        command_code: Some(SB),
        command: command_name(SB),
        option_code: option,
        option: option.and_then(option_name),
        ..Telnet::default()
    });
}

fn undoubled(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        plain.push(first);
        rest = if first == IAC && after.first() == Some(&IAC) { after.get(1..).unwrap_or_default() } else { after };
    }
    plain
}

/// What a sub-negotiation says (RFC 779, 1073, 1079, 1091, 1096, 1572).
fn value(option: u8, body: &[u8]) -> Option<String> {
    match (option, body) {
        (24 | 32 | 35, [0, text @ ..]) | (23, text) => Some(String::from_utf8_lossy(text).into_owned()),
        (31, &[a, b, c, d]) => Some(format!("{}x{}", u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))),
        (36 | 39, [0 | 2, variables @ ..]) => environment(variables),
        _ => None,
    }
}

/// Variables as `NAME=VALUE`: 0 and 3 start a name, 1 a value, 2 escapes (RFC 1572).
fn environment(bytes: &[u8]) -> Option<String> {
    let mut text = String::new();
    let mut escaped = false;
    for &octet in bytes {
        match octet {
            2 if !escaped => {
                escaped = true;
                continue;
            }
            0 | 3 if !escaped && text.is_empty() => {}
            0 | 3 if !escaped => text.push(' '),
            1 if !escaped => text.push('='),
            octet if octet.is_ascii_graphic() || octet == b' ' => text.push(char::from(octet)),
            octet => {
                let _ = write!(text, "\\x{octet:02x}");
            }
        }
        escaped = false;
    }
    (!text.is_empty()).then_some(text)
}

/// How far an escape sequence of a terminal has come (ECMA-48, ECMA-35).
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Escape {
    #[default]
    None,
    /// Behind ESC.
    Started,
    /// Behind ESC and a space to `/`: one octet more ends it, as in the choice of a character set.
    Intermediate,
    /// A control sequence, up to an octet from `@` to `~`.
    Control,
    /// A string such as a window's title, up to BEL or the ESC of its terminator.
    Text,
}

impl Escape {
    /// What follows this octet; `None` if it is no part of a sequence.
    fn after(self, octet: u8) -> Option<Self> {
        Some(match (self, octet) {
            (_, ESC) => Self::Started,
            (Self::None, _) => return None,
            (Self::Started, b'[') => Self::Control,
            (Self::Started, b']' | b'P' | b'X' | b'^' | b'_') => Self::Text,
            (Self::Started | Self::Intermediate, b' '..=b'/') => Self::Intermediate,
            (Self::Control, b' '..=b'?') => Self::Control,
            (Self::Text, octet) if octet != BEL => Self::Text,
            (Self::Started | Self::Intermediate | Self::Control, 0..=31 | 127..) => return None,
            _ => Self::None,
        })
    }
}

const BEL: u8 = 7;
const ESC: u8 = 27;

/// A line being written, with what a terminal does to it.
#[derive(Default)]
struct Typed {
    line: Vec<u8>,
    escape: Escape,
}

impl Typed {
    fn push(&mut self, octet: u8) {
        if let Some(next) = self.escape.after(octet) {
            self.escape = next;
            return;
        }
        self.escape = Escape::None;
        match octet {
            8 | 127 => drop(self.line.pop()),
            // Bells, returns and other controls show nothing.
            0..=31 if octet != b'\t' => {}
            _ if self.line.len() < MAX_LINE => self.line.push(octet),
            _ => {}
        }
    }

    /// The line as text; colours and movements of the cursor were taken out.
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.line).into_owned()
    }
}

/// What a prompt asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Asks {
    Name,
    Password,
    Nothing,
}

fn asks(prompt: &str) -> Asks {
    let prompt = prompt.trim_end().to_ascii_lowercase();
    let Some(prompt) = prompt.strip_suffix([':', '>', '?']) else { return Asks::Nothing };
    let ends = |words: &[&str]| words.iter().any(|word| prompt.trim_end().ends_with(word));
    if ends(&["login", "username", "user name", "user", "account", "user id", "userid"]) {
        Asks::Name
    } else if ends(&["password", "passwd", "passcode", "passphrase", "pass word"]) || prompt.contains("password for") {
        Asks::Password
    } else {
        Asks::Nothing
    }
}

/// How a login ended, if this text of the server says it.
fn verdict(text: &str, is_prompt: bool) -> Option<bool> {
    let lower = text.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if says(&["incorrect", "failed", "failure", "denied", "invalid", "bad password", "wrong", "not authorized", "authorization failed"]) {
        return Some(false);
    }
    if says(&["last login", "welcome", "logged in", "login successful"]) {
        return Some(true);
    }
    if is_prompt {
        return match asks(text) {
            Asks::Name | Asks::Password => Some(false),
            Asks::Nothing => text.trim_end().ends_with(['$', '#', '>', '%']).then_some(true),
        };
    }
    None
}

/// A password that waits for the server's word.
struct Login {
    common: Common,
    username: Option<String>,
    username_frame: Option<u64>,
    password: String,
    lines: u8,
}

#[derive(Default)]
struct Session {
    /// Lines under way, by direction.
    lines: [Typed; 2],
    /// What the server had written when the client began its line.
    prompt: Option<String>,
    /// The client's last line, which the server may repeat.
    typed: Option<String>,
    name: Option<(String, u64)>,
    login: Option<Login>,
    /// The byte before, of each direction: CR NUL and CR LF are one line end.
    before: [u8; 2],
    /// A sub-negotiation too long to wait for is passed over up to its end.
    passing: [bool; 2],
}

impl Session {
    fn byte(&mut self, cx: &mut Cx<'_>, octet: u8) {
        let index = cx.dir.index();
        let client = cx.dir == Dir::Orig;
        let [orig_before, resp_before] = &mut self.before;
        let before = std::mem::replace(if client { orig_before } else { resp_before }, octet);
        // A client ends its lines with CR LF, CR NUL or CR alone; a server with LF.
        let ends = match octet {
            b'\n' => !(client && before == b'\r'),
            b'\r' => client,
            _ => false,
        };
        if client && !ends && self.prompt.is_none() && octet > 31 {
            self.prompt = Some(self.lines[Dir::Resp.index()].text());
        }
        if !ends {
            if !matches!(octet, b'\r' | b'\n') {
                self.lines[index].push(octet);
            }
            return;
        }
        let line = std::mem::take(&mut self.lines[index]).text();
        if client { self.client_line(cx, line) } else { self.server_line(cx, line) }
    }

    fn client_line(&mut self, cx: &mut Cx<'_>, line: String) {
        let shown = self.lines[Dir::Resp.index()].text();
        let prompt = self.prompt.take().unwrap_or(shown);
        // What stands there behind the prompt is the echo of this line.
        self.lines[Dir::Resp.index()] = Typed::default();
        if !prompt.trim().is_empty() {
            self.judge(cx, &prompt, true);
            cx.emit_from(
                Dir::Resp,
                Telnet { event: Some("line"), direction: Some("server"), text: Some(&prompt), is_echo: Some(false), ..Telnet::default() },
            );
        }
        match asks(&prompt) {
            Asks::Name if !line.is_empty() => {
                cx.emit(Telnet { event: Some("login"), direction: Some("client"), username: Some(&line), ..Telnet::default() });
                self.name = Some((line.clone(), cx.frame));
            }
            Asks::Password => {
                self.finish(cx, None);
                let (username, username_frame) = self.name.take().unzip();
                self.login = Some(Login { common: cx.common(Dir::Orig), username, username_frame, password: line, lines: 0 });
                self.typed = None;
                return;
            }
            _ if !line.is_empty() => {
                cx.emit(Telnet { event: Some("line"), direction: Some("client"), text: Some(&line), is_echo: Some(false), ..Telnet::default() });
            }
            _ => {}
        }
        self.typed = Some(line);
    }

    fn server_line(&mut self, cx: &mut Cx<'_>, line: String) {
        if line.is_empty() {
            return;
        }
        let echo = self.typed.take_if(|typed| line.trim_end() == typed.trim_end()).is_some();
        if !echo {
            self.judge(cx, &line, false);
        }
        cx.emit(Telnet { event: Some("line"), direction: Some("server"), text: Some(&line), is_echo: Some(echo), ..Telnet::default() });
    }

    /// Looks for the end of a login in what the server says.
    fn judge(&mut self, cx: &mut Cx<'_>, text: &str, is_prompt: bool) {
        let Some(login) = &mut self.login else { return };
        login.lines += 1;
        let ended = verdict(text, is_prompt);
        if ended.is_some() || login.lines > MAX_VERDICT_LINES {
            self.finish(cx, ended);
        }
    }

    fn finish(&mut self, cx: &mut Cx<'_>, ended: Option<bool>) {
        let Some(login) = self.login.take() else { return };
        let result = ended.map(|success| if success { "success" } else { "failure" });
        cx.emit_as(
            &login.common,
            Telnet {
                event: Some("password"),
                direction: Some("client"),
                username: login.username.as_deref(),
                password: Some(&login.password),
                login_result: result,
                ..Telnet::default()
            },
        );
        let id = secrets::id(login.password.as_bytes());
        cx.emit_as(
            &login.common,
            Credentials {
                protocol: Some("telnet"),
                kind: Some("password"),
                username: login.username.as_deref(),
                secret: Some(&login.password),
                secret_id: id.as_deref(),
                secret_length: u32::try_from(login.password.chars().count()).ok(),
                encrypted: Some(cx.is_decrypted()),
                outcome: Some(result.unwrap_or("unknown")),
                outcome_frame: ended.map(|_| cx.frame),
                username_frame: login.username_frame,
                field: Some("prompt"),
                ..Credentials::default()
            },
        );
    }
}

fn side(dir: Dir) -> &'static str {
    match dir {
        Dir::Orig => "client",
        Dir::Resp => "server",
    }
}

impl StreamDissector for Session {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let mut at = 0;
        if self.passing[cx.dir.index()] {
            let Some(end) = suboption_end(bytes) else {
                // The last octet may be the first half of its end.
                return Progress::Consumed(bytes.strip_suffix(&[IAC]).map_or(bytes.len(), <[u8]>::len));
            };
            self.passing[cx.dir.index()] = false;
            at = end + 2;
        }
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let Some((piece, length)) = next(rest) else {
                if rest.len() <= MAX_SUBOPTION {
                    return Progress::Consumed(at);
                }
                unread_suboption(cx, rest);
                cx.anomaly("telnet", "limit_reached", "a sub-negotiation is longer than 4 KiB; it is passed over");
                self.passing[cx.dir.index()] = true;
                return Progress::Consumed(bytes.strip_suffix(&[IAC]).map_or(bytes.len(), <[u8]>::len));
            };
            at += length;
            let direction = Some(side(cx.dir));
            match piece {
                Piece::Byte(octet) => self.byte(cx, octet),
                Piece::Command(code) => {
                    cx.emit(Telnet { event: Some("command"), direction, command_code: Some(code), command: command_name(code), ..Telnet::default() })
                }
                Piece::Option(code, option) => cx.emit(Telnet {
                    event: Some("option"),
                    direction,
                    command_code: Some(code),
                    command: command_name(code),
                    option_code: Some(option),
                    option: option_name(option),
                    ..Telnet::default()
                }),
                Piece::Suboption(option, body) => {
                    let value = value(option, &body);
                    cx.emit(Telnet {
                        event: Some("suboption"),
                        direction,
                        command_code: Some(SB),
                        command: command_name(SB),
                        option_code: Some(option),
                        option: option_name(option),
                        value: value.as_deref(),
                        ..Telnet::default()
                    });
                }
            }
        }
    }

    fn gap(&mut self, _cx: &mut Cx<'_>, _missing: u64) -> bool {
        self.lines = Default::default();
        self.prompt = None;
        self.passing = Default::default();
        true
    }

    fn end(&mut self, cx: &mut Cx<'_>, rest: &[u8]) {
        if rest.len() > 2 {
            unread_suboption(cx, rest);
            cx.anomaly("telnet", "bad_length", "a sub-negotiation has no end");
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        let shown = std::mem::take(&mut self.lines[Dir::Resp.index()]).text();
        if !shown.trim().is_empty() {
            self.judge(cx, &shown, true);
            cx.emit_from(
                Dir::Resp,
                Telnet { event: Some("line"), direction: Some("server"), text: Some(&shown), is_echo: Some(false), ..Telnet::default() },
            );
        }
        self.finish(cx, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces() {
        assert!(matches!(next(&[IAC, 253, 3, 1]), Some((Piece::Option(253, 3), 3))));
        assert!(matches!(next(&[IAC, IAC]), Some((Piece::Byte(IAC), 2))));
        assert!(next(&[IAC, SB, 24, 0, b'v']).is_none());
        match next(&[IAC, SB, 24, 0, b'v', IAC, IAC, IAC, SE, 9]) {
            Some((Piece::Suboption(24, body), 9)) => assert_eq!(&body[..], &[0, b'v', IAC]),
            _ => panic!(),
        }
    }

    #[test]
    fn values() {
        assert_eq!(value(31, &[0, 80, 0, 24]).as_deref(), Some("80x24"));
        assert_eq!(value(39, b"\0\x03DISPLAY\x01bam:0\0USER\x01x").as_deref(), Some("DISPLAY=bam:0 USER=x"));
        assert_eq!(value(24, b"\0xterm").as_deref(), Some("xterm"));
        assert_eq!(value(24, b"\x01"), None);
        assert_eq!(value(23, b"hall 3").as_deref(), Some("hall 3"));
    }

    #[test]
    fn escape_sequences_show_nothing() {
        let mut line = Typed::default();
        for &octet in b"\x1b]0;title\x07\x1b[1;31mro\x1b(B\x1b[Kx\x08ot\x1b[0m\x1b7# \x1b]2;t\x1b\\." {
            line.push(octet);
        }
        assert_eq!(line.text(), "root# .");
    }

    #[test]
    fn prompts_and_verdicts() {
        assert_eq!(asks("host login: "), Asks::Name);
        assert_eq!(asks("Password:"), Asks::Password);
        assert_eq!(asks("Last login: Sat"), Asks::Nothing);
        assert_eq!(verdict("Login incorrect", false), Some(false));
        assert_eq!(verdict("$ ", true), Some(true));
        assert_eq!(verdict("some text", false), None);
    }
}
