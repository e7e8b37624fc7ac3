//! IMAP (RFC 3501, 9051, with RFC 2088, 2595, 3502, 4959): logins, and the messages that are fetched and appended.

use std::collections::VecDeque;

use super::mail::sasl::Login;
use super::mail::{Carrier, Message, begins_any};
use crate::protocols::it::gssapi;
use crate::protocols::{Cx, Dir, Group, Offer, Progress, Protocol, StreamDissector, StreamKind, Verdict};

/// IMAP on any port; 143 is its own.
pub static PROTOCOL: Protocol = Protocol {
    name: "imap",
    group: Group::It,
    ports: &[143],
    stream: Some(StreamKind { probe, start: || Box::<Connection>::default() }),
    ..Protocol::NONE
};

/// Longest line that is waited for, and longest response that is kept without its literals, bytes.
const MAX_LINE: usize = 64 << 10;
/// Longest literal that is kept as a command's argument.
const MAX_ARGUMENT: u64 = 1 << 10;
/// Commands that wait for their result.
const MAX_WAITING: usize = 256;
/// Literals of one response that are looked at.
const MAX_LITERALS: u32 = 256;
/// Longest tag that is taken for one.
const MAX_TAG: usize = 64;

/// Commands by which a client alone is known.
const COMMANDS: [&str; 20] = [
    "CAPABILITY",
    "LOGIN",
    "AUTHENTICATE",
    "STARTTLS",
    "SELECT",
    "EXAMINE",
    "LIST",
    "LSUB",
    "STATUS",
    "FETCH",
    "UID",
    "APPEND",
    "NAMESPACE",
    "ID",
    "NOOP",
    "LOGOUT",
    "IDLE",
    "ENABLE",
    "SEARCH",
    "STORE",
];

/// Whether the client's octets begin with a tag and a command.
fn commands(client: &[u8]) -> Option<bool> {
    let Some(end) = client.iter().position(|octet| *octet == b' ') else {
        let open = client.len() <= MAX_TAG && client.iter().all(|octet| octet.is_ascii_graphic());
        return if open { None } else { Some(false) };
    };
    let (tag, rest) = client.split_at_checked(end).unwrap_or((client, &[]));
    if !is_tag(tag) {
        return Some(false);
    }
    let rest = rest.get(1..).unwrap_or_default();
    let verb_end = rest.iter().position(|octet| matches!(octet, b' ' | b'\r' | b'\n'));
    let verb = rest.get(..verb_end.unwrap_or(rest.len())).unwrap_or_default();
    match verb_end {
        Some(_) => Some(COMMANDS.iter().any(|command| verb.eq_ignore_ascii_case(command.as_bytes()))),
        None if COMMANDS.iter().any(|command| command.as_bytes().get(..verb.len()).is_some_and(|start| start.eq_ignore_ascii_case(verb))) => None,
        None => Some(false),
    }
}

/// A client's tag (RFC 3501, 9: no list, wildcard, quote or continuation).
fn is_tag(tag: &[u8]) -> bool {
    !tag.is_empty() && tag.len() <= MAX_TAG && tag.iter().all(|octet| octet.is_ascii_graphic() && !b"*+(){}%\"\\".contains(octet))
}

/// A server greets with `* OK`; it mostly names the protocol, else the client's first command tells.
fn probe(offer: &Offer<'_>) -> Verdict {
    let [orig, resp] = offer.bytes;
    let (server, client) = if orig.first() == Some(&b'*') { (orig, resp) } else { (resp, orig) };
    let greeting: &[&[u8]] = if offer.usual_port { &[b"* "] } else { &[b"* OK", b"* PREAUTH", b"* BYE"] };
    let greets = if server.is_empty() { None } else { begins_any(server, greeting) };
    let line = server.split(|octet| *octet == b'\n').next().unwrap_or_default();
    let named = line.get(..line.len().min(512)).unwrap_or_default().windows(4).any(|window| window.eq_ignore_ascii_case(b"IMAP"));
    match (greets, commands(client), offer.usual_port) {
        (Some(false), ..) => Verdict::No,
        (Some(true), _, true) | (Some(true), Some(true), _) => Verdict::Yes,
        (Some(true), ..) if named => Verdict::Yes,
        (_, Some(false), _) => Verdict::No,
        (None, Some(true), true) if server.is_empty() => Verdict::Yes,
        _ => Verdict::More,
    }
}

/// Where a literal's octets go (RFC 3501, 4.3).
enum Target {
    /// To the message that the response shows, or that APPEND brings.
    Message,
    /// To the message that is fetched in pieces.
    Piece,
    /// To the text, as if it were a quoted string.
    Text(Vec<u8>),
    Skip,
}

struct Literal {
    left: u64,
    target: Target,
    /// The client waits for the server to ask for it.
    waits: bool,
}

/// One direction.
#[derive(Default)]
struct Side {
    /// The command or response so far: its lines, with short literals put in as quoted strings.
    text: Vec<u8>,
    literal: Option<Literal>,
    /// Octets of the unfinished line that were searched already.
    searched: usize,
    /// The line at hand is not whole: pass over what is left of it.
    broken: bool,
    /// Literals of the command or response at hand.
    literals: u32,
}

/// What a literal of FETCH holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Item {
    Whole,
    /// All of the header.
    Header,
    /// Some of its fields.
    Fields,
    /// What follows the header.
    Text,
    /// So far into the message.
    Piece(u64),
    Other,
}

/// A message that is fetched in pieces.
struct Pieces {
    sequence: u32,
    next: u64,
    message: Box<Message>,
    /// The last piece was shorter than what was asked for.
    short: bool,
}

/// Commands whose result matters.
enum Asked {
    Login,
    Select(String),
    Unselect,
    StartTls,
    Compress,
}

#[derive(Default)]
struct Connection {
    server: Option<Dir>,
    sides: [Side; 2],
    waiting: VecDeque<(Vec<u8>, Asked)>,
    login: Option<Login>,
    /// The client's next line answers a challenge.
    challenged: bool,
    gss: gssapi::Exchange,
    username: Option<String>,
    mailbox: Option<String>,
    /// Octets that the client's last FETCH of a piece asks for.
    piece: Option<u64>,
    /// The message that the response at hand shows.
    shown: Option<(Box<Message>, Item)>,
    pieces: Option<Pieces>,
    /// The message that the client appends.
    appended: Option<(Box<Message>, String)>,
}

impl StreamDissector for Connection {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let dir = cx.dir;
        let server = *self.server.get_or_insert_with(|| if bytes.first() == Some(&b'*') { dir } else { dir.reverse() });
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            if rest.is_empty() {
                return Progress::Consumed(at);
            }
            if self.side(dir).literal.is_some() {
                at += self.literal(cx, rest);
                continue;
            }
            let side = self.side(dir);
            let from = side.searched.min(rest.len());
            let Some(end) = rest.get(from..).unwrap_or_default().iter().position(|&octet| octet == b'\n').map(|end| from + end) else {
                side.searched = rest.len();
                if rest.len() <= MAX_LINE {
                    return Progress::Consumed(at);
                }
                (side.searched, side.broken) = (0, true);
                cx.anomaly("imap", "limit_reached", "a line is longer than 64 KiB; it is passed over");
                return Progress::Consumed(bytes.len());
            };
            side.searched = 0;
            let line = rest.get(..end).unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            at += end + 1;
            if std::mem::take(&mut side.broken) {
                side.text.clear();
                continue;
            }
            if side.text.len().saturating_add(line.len()) > MAX_LINE {
                side.text.clear();
            }
            side.text.extend_from_slice(line);
            let answers = dir != server && self.challenged;
            if !answers && let Some((size, waits)) = literal_of(line) {
                self.literal_starts(cx, dir == server, size, waits);
                continue;
            }
            let side = self.side(dir);
            side.literals = 0;
            let text = std::mem::take(&mut side.text);
            if dir == server {
                match self.responded(cx, &text) {
                    Some(Asked::StartTls) => return Progress::Handover(at, "tls"),
                    Some(Asked::Compress) => return Progress::Stop,
                    _ => {}
                }
            } else {
                self.commanded(cx, &text);
            }
        }
    }

    fn gap(&mut self, cx: &mut Cx<'_>, missing: u64) -> bool {
        let dir = cx.dir;
        let from_server = Some(dir) == self.server;
        let side = self.side(dir);
        side.searched = 0;
        let mut lost = None;
        match side.literal.take() {
            Some(mut literal) if literal.left > missing => {
                literal.left -= missing;
                lost = Some(matches!(literal.target, Target::Piece));
                if let Target::Text(_) = literal.target {
                    literal.target = Target::Skip;
                }
                side.literal = Some(literal);
            }
            literal => {
                lost = literal.map(|literal| matches!(literal.target, Target::Piece)).or(lost);
                side.broken = true;
                side.text.clear();
            }
        }
        let message = match lost {
            Some(true) => self.pieces.as_mut().map(|pieces| &mut pieces.message),
            Some(false) if from_server => self.shown.as_mut().map(|(message, _)| message),
            Some(false) => self.appended.as_mut().map(|(message, _)| message),
            None => None,
        };
        if let Some(message) = message {
            message.lose();
        }
        if self.side(dir).broken {
            // The end of what was under way may be among the missing.
            if from_server {
                self.finish_shown(cx, None, false);
                self.finish_pieces(cx, false);
            } else {
                self.finish_appended(cx, false);
                self.challenged = false;
            }
        }
        true
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.give_up_login(cx);
        gssapi::close(cx, &mut self.gss);
        let [one, other] = &self.sides;
        let whole = one.literal.is_none() && other.literal.is_none();
        self.finish_shown(cx, None, whole);
        self.finish_pieces(cx, false);
        self.finish_appended(cx, whole);
    }
}

impl Connection {
    fn side(&mut self, dir: Dir) -> &mut Side {
        let [orig, resp] = &mut self.sides;
        if dir == Dir::Orig { orig } else { resp }
    }

    /// A line ends in the announcement of a literal.
    fn literal_starts(&mut self, cx: &mut Cx<'_>, from_server: bool, size: u64, waits: bool) {
        let side = self.side(cx.dir);
        side.literals = side.literals.saturating_add(1);
        let looked_at = side.literals <= MAX_LITERALS;
        let mut text = std::mem::take(&mut side.text);
        let mut target = if size <= MAX_ARGUMENT { Target::Text(Vec::new()) } else { Target::Skip };
        // The announcement is no part of the text.
        let announced = text.iter().rposition(|octet| *octet == b'{').unwrap_or(text.len());
        text.truncate(announced);
        if from_server {
            if let Some(sequence) = fetched(&text) {
                let item = if looked_at { item(&text) } else { Item::Other };
                target = match item {
                    Item::Whole | Item::Header | Item::Fields => {
                        self.finish_shown(cx, None, true);
                        self.shown = Some((Box::new(Message::new("imap", cx.dir)), item));
                        Target::Message
                    }
                    // Header and text in one response are the message.
                    Item::Text => match &mut self.shown {
                        Some((_, shown @ Item::Header)) => {
                            *shown = Item::Whole;
                            Target::Message
                        }
                        _ => Target::Skip,
                    },
                    Item::Piece(offset) => self.piece_starts(cx, sequence, offset, size),
                    Item::Other => Target::Skip,
                };
            }
        } else if let Some((mailbox, length)) = appends(&text) {
            self.finish_appended(cx, true);
            self.appended = Some((Box::new(Message::new("imap", cx.dir)), mailbox));
            target = Target::Message;
            // Another message may follow in the same command (RFC 3502), with its own flags.
            text.truncate(length);
        }
        let side = self.side(cx.dir);
        side.text = text;
        side.literal = Some(Literal { left: size, target, waits });
        if size == 0 {
            self.literal_ended(cx);
        }
    }

    fn piece_starts(&mut self, cx: &mut Cx<'_>, sequence: u32, offset: u64, size: u64) -> Target {
        let goes_on = self.pieces.as_ref().is_some_and(|pieces| pieces.sequence == sequence && pieces.next == offset);
        if !goes_on {
            self.finish_pieces(cx, false);
            if offset > 0 {
                return Target::Skip;
            }
            self.pieces = Some(Pieces { sequence, next: 0, message: Box::new(Message::new("imap", cx.dir)), short: false });
        }
        let asked = self.piece;
        if let Some(pieces) = &mut self.pieces {
            pieces.next = pieces.next.saturating_add(size);
            pieces.short = asked.is_some_and(|asked| size < asked);
        }
        Target::Piece
    }

    /// Takes octets of a literal; how many.
    fn literal(&mut self, cx: &mut Cx<'_>, octets: &[u8]) -> usize {
        let side = self.side(cx.dir);
        let Some(mut literal) = side.literal.take() else { return 0 };
        let count = usize::try_from(literal.left).map_or(octets.len(), |left| left.min(octets.len()));
        let octets = octets.get(..count).unwrap_or_default();
        literal.left = literal.left.saturating_sub(count as u64);
        literal.waits = false;
        let from_server = Some(cx.dir) == self.server;
        match &mut literal.target {
            Target::Message => {
                let message =
                    if from_server { self.shown.as_mut().map(|(message, _)| message) } else { self.appended.as_mut().map(|(message, _)| message) };
                if let Some(message) = message {
                    message.push(cx, octets);
                }
            }
            Target::Piece => {
                if let Some(pieces) = &mut self.pieces {
                    pieces.message.push(cx, octets);
                }
            }
            Target::Text(text) => text.extend_from_slice(octets),
            Target::Skip => {}
        }
        let ended = literal.left == 0;
        self.side(cx.dir).literal = Some(literal);
        if ended {
            self.literal_ended(cx);
        }
        count
    }

    fn literal_ended(&mut self, cx: &mut Cx<'_>) {
        let from_server = Some(cx.dir) == self.server;
        let side = self.side(cx.dir);
        match side.literal.take().map(|literal| literal.target) {
            Some(Target::Text(text)) => {
                side.text.push(b'"');
                for octet in text {
                    if matches!(octet, b'"' | b'\\') {
                        side.text.push(b'\\');
                    }
                    side.text.push(octet);
                }
                side.text.push(b'"');
            }
            Some(Target::Message) if !from_server => self.finish_appended(cx, true),
            _ => {}
        }
    }

    fn finish_shown(&mut self, cx: &mut Cx<'_>, size: Option<u64>, ended: bool) {
        let Some((message, item)) = self.shown.take() else { return };
        let carrier = Carrier {
            mailbox: self.mailbox.as_deref(),
            username: self.username.as_deref(),
            size,
            partial: item != Item::Whole,
            selected: item == Item::Fields,
            ..Carrier::default()
        };
        message.finish(cx, carrier, ended);
    }

    fn finish_pieces(&mut self, cx: &mut Cx<'_>, ended: bool) {
        let Some(pieces) = self.pieces.take() else { return };
        let carrier = Carrier { mailbox: self.mailbox.as_deref(), username: self.username.as_deref(), ..Carrier::default() };
        pieces.message.finish(cx, carrier, ended);
    }

    fn finish_appended(&mut self, cx: &mut Cx<'_>, ended: bool) {
        let Some((message, mailbox)) = self.appended.take() else { return };
        let carrier = Carrier { mailbox: Some(&mailbox), username: self.username.as_deref(), ..Carrier::default() };
        message.finish(cx, carrier, ended);
    }

    /// A login whose result is not known will not have one any more.
    fn give_up_login(&mut self, cx: &mut Cx<'_>) {
        if let Some(login) = self.login.take() {
            login.finish(cx, None);
        }
    }

    /// Takes a command.
    fn commanded(&mut self, cx: &mut Cx<'_>, line: &[u8]) {
        if std::mem::take(&mut self.challenged) {
            // A star gives the login up (RFC 3501, 6.2.2).
            if let Some(login) = self.login.as_mut().filter(|_| line != b"*") {
                login.answer(cx, &mut self.gss, &String::from_utf8_lossy(line));
            }
            return;
        }
        let Some((tag, rest)) = word(line) else { return };
        let Some((verb, rest)) = word(rest) else { return };
        let asked = match verb.to_ascii_uppercase().as_slice() {
            b"LOGIN" => {
                let Some((user, rest)) = argument(rest) else { return };
                let Some((password, _)) = argument(rest) else { return };
                self.give_up_login(cx);
                self.login = Some(Login::plain(cx, "imap", "LOGIN", Some(user), password));
                Asked::Login
            }
            b"AUTHENTICATE" => {
                let Some((mechanism, rest)) = argument(rest) else { return };
                self.give_up_login(cx);
                let login = self.login.insert(Login::begin(cx, "imap", &mechanism));
                // The first answer may come with the command (RFC 4959).
                if let Some((initial, _)) = argument(rest) {
                    login.answer(cx, &mut self.gss, &initial);
                }
                Asked::Login
            }
            b"SELECT" | b"EXAMINE" => match argument(rest) {
                Some((mailbox, _)) => Asked::Select(mailbox),
                None => return,
            },
            b"UNSELECT" | b"CLOSE" => Asked::Unselect,
            b"STARTTLS" => Asked::StartTls,
            b"COMPRESS" => Asked::Compress,
            b"FETCH" | b"UID" => {
                self.piece = piece_asked(rest);
                return;
            }
            _ => return,
        };
        if self.waiting.len() >= MAX_WAITING {
            self.waiting.clear();
        }
        self.waiting.push_back((tag.to_vec(), asked));
    }

    /// Takes a response; what it answers, if that turns the connection to something else.
    fn responded(&mut self, cx: &mut Cx<'_>, line: &[u8]) -> Option<Asked> {
        if let Some(rest) = line.strip_prefix(b"+") {
            if let Some(login) = &mut self.login
                && !login.is_done()
            {
                login.challenged(cx, &mut self.gss, &String::from_utf8_lossy(rest));
                self.challenged = true;
            } else if self.login.is_some() && self.side(cx.dir.reverse()).literal.is_none() && !self.told_by_command() {
                // An error of OAuth stands in a challenge that is answered with nothing.
                self.challenged = true;
            }
            return None;
        }
        if line.starts_with(b"* ") {
            if fetched(line).is_some() {
                let size = message_size(line);
                self.finish_shown(cx, size, true);
                let done = self.pieces.as_ref().is_some_and(|pieces| pieces.short || size.is_some_and(|size| pieces.next >= size));
                if done {
                    self.finish_pieces(cx, true);
                }
            }
            return None;
        }
        let (tag, rest) = word(line)?;
        let (status, _) = word(rest)?;
        let positive = status.eq_ignore_ascii_case(b"OK");
        // A literal that the server refuses is never sent.
        let client = self.side(cx.dir.reverse());
        if !positive && client.literal.as_ref().is_some_and(|literal| literal.waits) && word(&client.text).is_some_and(|(asked, _)| asked == tag) {
            client.literal = None;
            client.text.clear();
            self.appended = None;
        }
        let index = self.waiting.iter().position(|(asked, _)| asked == tag)?;
        let (_, asked) = self.waiting.remove(index)?;
        match asked {
            Asked::Login => {
                self.challenged = false;
                if let Some(login) = self.login.take() {
                    if positive {
                        self.username.clone_from(&login.username);
                    }
                    login.finish(cx, Some(positive));
                }
                if self.gss.is_pending() {
                    gssapi::outcome(cx, &mut self.gss, positive, None);
                }
                None
            }
            Asked::Select(mailbox) => {
                // A failed one leaves none selected (RFC 3501, 6.3.1).
                self.mailbox = positive.then_some(mailbox);
                None
            }
            Asked::Unselect => {
                if positive {
                    self.mailbox = None;
                }
                None
            }
            asked => positive.then_some(asked),
        }
    }

    /// The login stood in a command of its own, which knows no challenges.
    fn told_by_command(&self) -> bool {
        self.login.as_ref().is_some_and(|login| login.mechanism == "LOGIN" && login.is_done())
    }
}

/// Size of the literal that a line announces at its end, and whether the server must ask for it (RFC 7888).
fn literal_of(line: &[u8]) -> Option<(u64, bool)> {
    let inside = line.strip_suffix(b"}")?;
    let start = inside.iter().rposition(|octet| *octet == b'{')?;
    let digits = inside.get(start + 1..)?;
    let (digits, waits) = match digits.strip_suffix(b"+").or_else(|| digits.strip_suffix(b"-")) {
        Some(digits) => (digits, false),
        None => (digits, true),
    };
    let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let size = std::str::from_utf8(digits).ok().filter(|_| plain)?.parse().ok()?;
    Some((size, waits))
}

/// The next word, and what follows the blank behind it.
fn word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.trim_ascii_start();
    let end = text.iter().position(|octet| *octet == b' ').unwrap_or(text.len());
    let (word, rest) = text.split_at_checked(end)?;
    (!word.is_empty()).then_some((word, rest))
}

/// The next argument, quoted or not, and what follows it.
fn argument(text: &[u8]) -> Option<(String, &[u8])> {
    let text = text.trim_ascii_start();
    let Some(quoted) = text.strip_prefix(b"\"") else {
        let (word, rest) = word(text)?;
        return Some((String::from_utf8_lossy(word).into_owned(), rest));
    };
    let mut value = Vec::new();
    let mut octets = quoted.iter().enumerate();
    while let Some((at, octet)) = octets.next() {
        match octet {
            b'"' => return Some((String::from_utf8_lossy(&value).into_owned(), quoted.get(at + 1..).unwrap_or_default())),
            b'\\' => value.extend(octets.next().map(|(_, octet)| *octet)),
            _ => value.push(*octet),
        }
    }
    None
}

/// Number of the message that `* 12 FETCH (` tells of.
fn fetched(line: &[u8]) -> Option<u32> {
    let (number, rest) = word(line.strip_prefix(b"* ")?)?;
    let (verb, _) = word(rest)?;
    let number = std::str::from_utf8(number).ok()?.parse().ok()?;
    verb.eq_ignore_ascii_case(b"FETCH").then_some(number)
}

fn rfind(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).rposition(|window| window.eq_ignore_ascii_case(wanted))
}

/// What the literal that follows `... BODY[HEADER] ` holds.
fn item(line: &[u8]) -> Item {
    let before = line.trim_ascii_end();
    let last = before.rsplit(|octet| matches!(octet, b' ' | b'(')).next().unwrap_or_default().to_ascii_uppercase();
    match last.as_slice() {
        b"RFC822" => return Item::Whole,
        b"RFC822.HEADER" => return Item::Header,
        b"RFC822.TEXT" => return Item::Text,
        _ => {}
    }
    let Some(start) = rfind(before, b"BODY[") else { return Item::Other };
    let Some(section) = before.get(start + 5..) else { return Item::Other };
    let Some(end) = section.iter().rposition(|octet| *octet == b']') else { return Item::Other };
    let (section, after) = section.split_at_checked(end).unwrap_or((section, &[]));
    let section = section.to_ascii_uppercase();
    let offset = match after.get(1..).unwrap_or_default() {
        [] => None,
        [b'<', digits @ .., b'>'] => match std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()) {
            Some(offset) => Some(offset),
            None => return Item::Other,
        },
        _ => return Item::Other,
    };
    match (section.as_slice(), offset) {
        (b"", None) => Item::Whole,
        (b"", Some(offset)) => Item::Piece(offset),
        (b"HEADER", None) => Item::Header,
        (b"TEXT", None) => Item::Text,
        (section, None) if section.starts_with(b"HEADER.FIELDS") => Item::Fields,
        _ => Item::Other,
    }
}

/// The mailbox of `a1 APPEND INBOX (\Seen) `, where a literal follows, and how long the text is up to its name.
fn appends(line: &[u8]) -> Option<(String, usize)> {
    let (_, rest) = word(line)?;
    let (verb, rest) = word(rest)?;
    if !verb.eq_ignore_ascii_case(b"APPEND") {
        return None;
    }
    // Without an argument, the literal is the mailbox's name.
    let (mailbox, rest) = argument(rest)?;
    Some((mailbox, line.len().saturating_sub(rest.len())))
}

/// RFC822.SIZE of a response.
fn message_size(line: &[u8]) -> Option<u64> {
    let start = rfind(line, b"RFC822.SIZE ")?;
    let digits = line.get(start + 12..)?;
    let end = digits.iter().position(|octet| !octet.is_ascii_digit()).unwrap_or(digits.len());
    std::str::from_utf8(digits.get(..end)?).ok()?.parse().ok()
}

/// How much of a message `BODY.PEEK[]<0.2048>` asks for.
fn piece_asked(text: &[u8]) -> Option<u64> {
    let start = rfind(text, b"[]<")?;
    let inside = text.get(start + 3..)?;
    let end = inside.iter().position(|octet| *octet == b'>')?;
    let (_, count) = std::str::from_utf8(inside.get(..end)?).ok()?.split_once('.')?;
    count.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items() {
        assert_eq!(item(b"* 12 FETCH (RFC822 "), Item::Whole);
        assert_eq!(item(b"* 1 FETCH (UID 7 body[] "), Item::Whole);
        assert_eq!(item(b"* 1 FETCH (BODY[]<100> "), Item::Piece(100));
        assert_eq!(item(b"* 1 FETCH (RFC822.SIZE 9 BODY[HEADER.FIELDS (DATE FROM)] "), Item::Fields);
        assert_eq!(item(b"* 1 FETCH (BODY[1.2] "), Item::Other);
        assert_eq!(fetched(b"* 12 FETCH (RFC822 {3339}"), Some(12));
        assert_eq!(fetched(b"* 12 EXISTS"), None);
        assert_eq!(message_size(b"* 1 FETCH (RFC822.SIZE 2059 BODY[]"), Some(2059));
        assert_eq!(piece_asked(b" FETCH 9 (UID BODY.PEEK[]<0.2048>)"), Some(2048));
    }

    #[test]
    fn arguments() {
        assert_eq!(literal_of(b"a LOGIN {4}"), Some((4, true)));
        assert_eq!(literal_of(b"a LOGIN {4+}"), Some((4, false)));
        assert_eq!(literal_of(b"a LOGIN {x}"), None);
        assert_eq!(argument(b" \"a\\\"b c\" d"), Some(("a\"b c".to_owned(), &b" d"[..])));
        assert_eq!(appends(b"A3 APPEND \"Sent Items\" (\\Seen) "), Some(("Sent Items".to_owned(), 22)));
        assert_eq!(appends(b"A3 APPEND "), None);
        assert_eq!(commands(b"a1 login x"), Some(true));
        assert_eq!(commands(b"a1 log"), None);
        assert_eq!(commands(b"GET / HTTP/1.1\r\n"), Some(false));
    }
}
