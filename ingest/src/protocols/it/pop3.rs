//! POP3 (RFC 1939, with RFC 2449, 2595, 5034): logins, and the messages that are fetched.

use std::collections::VecDeque;

use super::mail::sasl::Login;
use super::mail::{Carrier, Message, begins_any};
use crate::protocols::it::gssapi;
use crate::protocols::{Cx, Dir, Group, Offer, Progress, Protocol, StreamDissector, StreamKind, Verdict};

/// POP3 on any port; 110 is its own.
pub static PROTOCOL: Protocol = Protocol {
    name: "pop3",
    group: Group::It,
    ports: &[110],
    stream: Some(StreamKind { probe, start: || Box::<Connection>::default() }),
    ..Protocol::NONE
};

/// Longest line of a command or a status that is waited for, bytes; RFC 2449 allows 512, base64 may be longer.
const MAX_LINE: usize = 16 << 10;
/// Commands that wait for their answer.
const MAX_WAITING: usize = 256;
/// Longest name, password or mark that is kept, bytes.
const MAX_VALUE: usize = 1024;

/// Commands that open a session, in the clear.
const FIRST: [&str; 9] = ["USER", "PASS", "APOP", "AUTH", "CAPA", "STLS", "QUIT", "STAT", "XTND"];

/// A server greets with `+OK`, as others' answers begin; the client's first command tells them apart.
fn probe(offer: &Offer<'_>) -> Verdict {
    let [orig, resp] = offer.bytes;
    let (server, client) = if matches!(orig.first(), Some(b'+' | b'-')) { (orig, resp) } else { (resp, orig) };
    let greeting: &[&[u8]] = if offer.usual_port { &[b"+OK", b"-ERR"] } else { &[b"+OK ", b"-ERR "] };
    let greets = if server.is_empty() { None } else { begins_any(server, greeting) };
    let verb_end = client.iter().position(|octet| matches!(octet, b' ' | b'\r' | b'\n'));
    let verb = client.get(..verb_end.unwrap_or(client.len())).unwrap_or_default();
    let known = FIRST.iter().any(|command| verb.eq_ignore_ascii_case(command.as_bytes()));
    let may_become = FIRST
        .iter()
        .any(|command| command.len() > verb.len() && command.as_bytes().get(..verb.len()).is_some_and(|start| start.eq_ignore_ascii_case(verb)));
    let commands = match verb_end {
        Some(_) => Some(known),
        None if known || may_become => None,
        None => Some(false),
    };
    match (greets, commands, offer.usual_port) {
        (Some(false), ..) | (_, Some(false), _) => Verdict::No,
        (Some(true), Some(true), _) | (Some(true), _, true) => Verdict::Yes,
        // A client alone: its first command is one that only this protocol has.
        (None, Some(true), true) if server.is_empty() && begins_any(client, &[b"APOP ", b"USER ", b"CAPA\r", b"STLS\r"]) == Some(true) => {
            Verdict::Yes
        }
        _ => Verdict::More,
    }
}

/// Commands that wait for their answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Asked {
    /// The greeting, which nobody asked for.
    Greeting,
    User,
    /// The login's last word.
    Login,
    /// AUTH with a mechanism, or an answer to a challenge.
    Auth,
    /// A whole message.
    Message,
    /// A header and some lines.
    Top,
    /// An answer of several lines.
    List,
    StartTls,
    Other,
}

/// What the server's next line is.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Mode {
    #[default]
    Status,
    /// A list, up to the line of one dot.
    List,
    /// A message, up to that line.
    Message,
}

#[derive(Default)]
struct Connection {
    server: Option<Dir>,
    greeted: bool,
    mode: Mode,
    waiting: VecDeque<Asked>,
    /// The client's next line answers a challenge.
    challenged: bool,
    /// The last octets of the server were the start of a line that is too long to wait for.
    mid_line: bool,
    /// Mark of the greeting that APOP's digest covers, with its brackets.
    mark: Option<String>,
    user: Option<String>,
    login: Option<Login>,
    gss: gssapi::Exchange,
    username: Option<String>,
    message: Option<Box<Message>>,
    partial: bool,
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets.get(..octets.len().min(MAX_VALUE)).unwrap_or_default()).into_owned()
}

impl StreamDissector for Connection {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let dir = cx.dir;
        let server = *self.server.get_or_insert_with(|| if matches!(bytes.first(), Some(b'+' | b'-')) { dir } else { dir.reverse() });
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let Some(end) = rest.iter().position(|&octet| octet == b'\n') else {
                if rest.len() <= MAX_LINE {
                    return Progress::Consumed(at);
                }
                if dir == server && self.mode == Mode::Message {
                    let dotted = rest.strip_prefix(b".").filter(|_| !self.mid_line);
                    self.mid_line = true;
                    self.content(cx, dotted.unwrap_or(rest));
                } else {
                    cx.anomaly("pop3", "limit_reached", "a line is longer than 16 KiB; it is passed over");
                }
                return Progress::Consumed(bytes.len());
            };
            let whole = rest.get(..=end).unwrap_or_default();
            let line = rest.get(..end).unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            at += end + 1;
            if dir != server {
                self.commanded(cx, line);
                continue;
            }
            match self.mode {
                Mode::Message if std::mem::take(&mut self.mid_line) => self.content(cx, whole),
                Mode::Message if line == b"." => {
                    self.mode = Mode::Status;
                    self.finish_message(cx, true);
                }
                // A dot at the start of a line is doubled (RFC 1939, 3).
                Mode::Message => self.content(cx, whole.strip_prefix(b".").unwrap_or(whole)),
                Mode::List if line == b"." => self.mode = Mode::Status,
                Mode::List => {}
                Mode::Status => {
                    if self.replied(cx, line) {
                        return Progress::Handover(at, "tls");
                    }
                }
            }
        }
    }

    fn gap(&mut self, cx: &mut Cx<'_>, _missing: u64) -> bool {
        if Some(cx.dir) != self.server {
            return true;
        }
        if let Some(message) = &mut self.message {
            message.lose();
            self.mid_line = true;
        } else {
            // Which answer comes next is not known any more, until the client's next command.
            self.waiting.clear();
            self.mode = Mode::Status;
        }
        true
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.finish_login(cx, None);
        gssapi::close(cx, &mut self.gss);
        self.finish_message(cx, false);
    }
}

impl Connection {
    fn content(&mut self, cx: &mut Cx<'_>, octets: &[u8]) {
        if let Some(message) = &mut self.message {
            message.push(cx, octets);
        }
    }

    fn finish_message(&mut self, cx: &mut Cx<'_>, ended: bool) {
        if let Some(message) = self.message.take() {
            let carrier = Carrier { username: self.username.as_deref(), partial: self.partial, ..Carrier::default() };
            message.finish(cx, carrier, ended);
        }
    }

    fn finish_login(&mut self, cx: &mut Cx<'_>, success: Option<bool>) {
        let Some(login) = self.login.take() else { return };
        if success == Some(true) {
            self.username.clone_from(&login.username);
        }
        login.finish(cx, success);
    }

    fn commanded(&mut self, cx: &mut Cx<'_>, line: &[u8]) {
        let verb_end = line.iter().position(|octet| *octet == b' ').unwrap_or(line.len());
        let (verb, arg) = line.split_at_checked(verb_end).unwrap_or((line, &[]));
        let arg = arg.strip_prefix(b" ").unwrap_or(arg);
        if self.waiting.len() >= MAX_WAITING {
            self.waiting.clear();
        }
        if std::mem::take(&mut self.challenged) {
            // A star gives the login up (RFC 5034, 4).
            if let Some(login) = self.login.as_mut().filter(|_| line != b"*") {
                login.answer(cx, &mut self.gss, &String::from_utf8_lossy(line));
            }
            self.waiting.push_back(Asked::Auth);
            return;
        }
        let verb = verb.to_ascii_uppercase();
        if matches!(verb.as_slice(), b"PASS" | b"APOP" | b"AUTH") {
            self.finish_login(cx, None);
        }
        let asked = match verb.as_slice() {
            b"USER" => {
                self.user = Some(text(arg));
                Asked::User
            }
            b"PASS" => {
                // The password is all of the line: blanks are part of it (RFC 1939, 7).
                self.login = Some(Login::plain(cx, "pop3", "PASS", self.user.clone(), text(arg)));
                Asked::Login
            }
            b"APOP" => {
                let arg = text(arg);
                if let (Some((user, digest)), Some(mark)) = (arg.rsplit_once(' '), &self.mark) {
                    self.login = Some(Login::apop(cx, "pop3", user.trim().to_owned(), format!("{digest}:{mark}")));
                }
                Asked::Login
            }
            b"AUTH" if arg.trim_ascii().is_empty() => Asked::List,
            b"AUTH" => {
                let arg = String::from_utf8_lossy(arg).into_owned();
                let (mechanism, initial) = arg.trim().split_once(' ').map_or((arg.trim(), None), |(mechanism, initial)| (mechanism, Some(initial)));
                let login = self.login.insert(Login::begin(cx, "pop3", mechanism));
                if let Some(initial) = initial {
                    login.answer(cx, &mut self.gss, initial);
                }
                Asked::Auth
            }
            b"RETR" => Asked::Message,
            b"TOP" => Asked::Top,
            b"LIST" | b"UIDL" if arg.trim_ascii().is_empty() => Asked::List,
            b"CAPA" => Asked::List,
            b"STLS" => Asked::StartTls,
            _ => Asked::Other,
        };
        self.waiting.push_back(asked);
    }

    /// Takes a status line of the server; true if what follows is TLS.
    fn replied(&mut self, cx: &mut Cx<'_>, line: &[u8]) -> bool {
        let positive = match line {
            [b'+', b'O', b'K', ..] => true,
            [b'-', b'E', b'R', b'R', ..] => false,
            [b'+', rest @ ..] if rest.is_empty() || rest.starts_with(b" ") => {
                // The login goes on: what the client says next is no command.
                if matches!(self.waiting.front(), Some(Asked::Auth)) {
                    self.waiting.pop_front();
                    self.challenged = true;
                    if let Some(login) = &mut self.login {
                        login.challenged(cx, &mut self.gss, &String::from_utf8_lossy(rest));
                    }
                }
                return false;
            }
            _ => return false,
        };
        let first = !std::mem::replace(&mut self.greeted, true);
        let asked = match self.waiting.pop_front() {
            None if first => Asked::Greeting,
            // Commands that came before the greeting wait for theirs.
            Some(asked) if first && positive && line.contains(&b'<') => {
                self.waiting.push_front(asked);
                Asked::Greeting
            }
            asked => asked.unwrap_or(Asked::Other),
        };
        match asked {
            Asked::Greeting => {
                let start = line.iter().position(|octet| *octet == b'<');
                let end = line.iter().rposition(|octet| *octet == b'>');
                self.mark = start.zip(end).and_then(|(start, end)| line.get(start..=end)).filter(|mark| mark.contains(&b'@')).map(text);
            }
            Asked::User if !positive => self.user = None,
            Asked::Login | Asked::Auth => {
                self.finish_login(cx, Some(positive));
                if self.gss.is_pending() {
                    gssapi::outcome(cx, &mut self.gss, positive, None);
                }
            }
            Asked::Message | Asked::Top if positive => {
                self.mode = Mode::Message;
                self.partial = asked == Asked::Top;
                self.message = Some(Box::new(Message::new("pop3", cx.dir)));
            }
            Asked::List if positive => self.mode = Mode::List,
            Asked::StartTls => return positive,
            _ => {}
        }
        false
    }
}
