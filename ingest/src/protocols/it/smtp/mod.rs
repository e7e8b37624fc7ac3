//! SMTP (RFC 5321, with RFC 3030, 3207, 4954): mail transactions, logins, and the headers of what is sent.

use std::borrow::Cow;
use std::collections::VecDeque;

use pcapper_schema::Common;
use pcapper_schema::tables::Smtp;

use super::ftp::may_be_code;
use super::mail::sasl::Login;
use super::mail::{Carrier, Fields, Message, some, texts};
use crate::protocols::it::gssapi;
use crate::protocols::{Cx, Dir, Group, Offer, Progress, Protocol, StreamDissector, StreamKind, Verdict};

/// SMTP and LMTP on any port; 25 and 587 are its own.
pub static PROTOCOL: Protocol = Protocol {
    name: "smtp",
    group: Group::It,
    ports: &[25, 587, 2525],
    stream: Some(StreamKind { probe, start: || Box::<Connection>::default() }),
    ..Protocol::NONE
};

/// Longest command or reply line that is waited for, bytes; RFC 5321 allows 512, extensions more.
const MAX_LINE: usize = 16 << 10;
/// Commands that wait for their reply.
const MAX_WAITING: usize = 256;
/// Recipients, commands and replies that a row keeps.
const MAX_VALUES: usize = 1024;
/// Longest text of a reply that is kept, bytes.
const MAX_REPLY: usize = 1024;

fn starts(bytes: &[u8], words: &[&str]) -> bool {
    words.iter().any(|word| bytes.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes())))
}

/// Code of a reply's line, and whether more lines follow (RFC 5321, 4.2.1).
fn code(line: &[u8]) -> Option<(u16, bool)> {
    match line {
        [a @ b'2'..=b'5', b @ b'0'..=b'9', c @ b'0'..=b'9', rest @ ..] => {
            let code = [a, b, c].iter().fold(0, |code, digit| code * 10 + u16::from(**digit - b'0'));
            matches!(rest, [] | [b' ' | b'-', ..]).then_some((code, rest.first() == Some(&b'-')))
        }
        _ => None,
    }
}

/// A server greets as FTP's does; what the client says tells them apart.
fn probe(offer: &Offer<'_>) -> Verdict {
    let [orig, resp] = offer.bytes;
    let (server, client) = if code(orig).is_some() { (orig, resp) } else { (resp, orig) };
    let greets = matches!(code(server), Some((220 | 421 | 554, _)));
    if !server.is_empty() && !greets {
        return if may_be_code(server) { Verdict::More } else { Verdict::No };
    }
    if !client.is_empty() && client.len() < 10 && !client.ends_with(b"\n") && client.first().is_some_and(u8::is_ascii_alphabetic) {
        return Verdict::More;
    }
    let hello = starts(client, &["EHLO ", "HELO ", "LHLO ", "EHLO\r", "HELO\r"]);
    // Whatever the client says: this server is one.
    let first_line = server.split(|octet| *octet == b'\n').next().unwrap_or_default();
    let names_itself = greets && first_line.windows(4).any(|word| word.eq_ignore_ascii_case(b"smtp"));
    let mail = starts(client, &["MAIL FROM:", "RSET\r", "STARTTLS\r", "NOOP\r", "QUIT\r", "VRFY "]);
    match (offer.usual_port, client.is_empty()) {
        _ if hello => Verdict::Yes,
        (true, true) if greets => Verdict::Yes,
        (true, false) if mail || names_itself => Verdict::Yes,
        (false, true) if greets => Verdict::More,
        _ => Verdict::No,
    }
}

/// Commands of RFC 5321, of IANA's list of service extensions, and of Exchange and Postfix.
const COMMANDS: [&str; 28] = [
    "HELO",
    "EHLO",
    "LHLO",
    "MAIL",
    "RCPT",
    "DATA",
    "RSET",
    "VRFY",
    "EXPN",
    "HELP",
    "NOOP",
    "QUIT",
    "SEND",
    "SOML",
    "SAML",
    "TURN",
    "ETRN",
    "ATRN",
    "AUTH",
    "BDAT",
    "BURL",
    "STARTTLS",
    "XCLIENT",
    "XFORWARD",
    "X-EXPS",
    "X-ANONYMOUSTLS",
    "XEXCH50",
    "X-LINK2STATE",
];

/// Whether a line of the client starts with one.
fn is_command(line: &[u8]) -> bool {
    let verb = line.split(|octet| *octet == b' ').next().unwrap_or_default().trim_ascii();
    COMMANDS.iter().any(|command| verb.eq_ignore_ascii_case(command.as_bytes()))
}

/// What the client's next bytes are.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Mode {
    #[default]
    Command,
    /// A line of a login.
    Login,
    /// A message up to the line of one dot.
    Message,
    /// So many bytes of a chunk; whether it is the last.
    Chunk(u64, bool),
}

/// Commands that wait for their reply.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Asked {
    Hello,
    Mail,
    Recipient(String),
    Data,
    /// A chunk of the message that is not its last.
    Chunk,
    /// The message itself.
    Body,
    Auth,
    StartTls,
    Other,
}

/// One mail transaction.
#[derive(Default)]
struct Transaction {
    from: Option<String>,
    recipients: Vec<String>,
    refused: Vec<String>,
    size: Option<u64>,
    body_bytes: Option<u64>,
    /// The message while it passes.
    mail: Option<Box<Message>>,
    fields: Fields,
    codes: Vec<u16>,
    commands: Vec<String>,
    last: Option<(u16, String)>,
    pipelined: bool,
    completed: bool,
    /// Cells of the reply that ended it, or of the command that broke it off. What is said from then on until the next MAIL
    /// belongs to it too.
    ended: Option<Common>,
}

#[derive(Default)]
struct Connection {
    server: Option<Dir>,
    mode: Mode,
    waiting: VecDeque<Asked>,
    reply: Option<(u16, String)>,
    banner: Option<String>,
    helo: Option<String>,
    esmtp: bool,
    /// The client greeted with LHLO (RFC 2033).
    lmtp: bool,
    /// The last octets of the client were the start of a line of the message that is too long to wait for.
    mid_line: bool,
    capabilities: Vec<String>,
    login: Option<Login>,
    gss: gssapi::Exchange,
    auth_success: Option<bool>,
    mechanism: Option<String>,
    username: Option<String>,
    password: Option<String>,
    starttls: Option<bool>,
    current: Transaction,
    /// A transaction whose last reply is still to come, while the client is already at the next (RFC 2920).
    previous: Option<Transaction>,
    told: bool,
    /// A line of the client that is no command was told.
    spoke_otherwise: bool,
}

impl StreamDissector for Connection {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let dir = cx.dir;
        if self.server.is_none() && may_be_code(bytes) {
            return Progress::Consumed(0);
        }
        let server = *self.server.get_or_insert_with(|| if code(bytes).is_some() { dir } else { dir.reverse() });
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            if rest.is_empty() {
                return Progress::Consumed(at);
            }
            if dir != server
                && let Mode::Chunk(left, last) = self.mode
            {
                let count = usize::try_from(left).map_or(rest.len(), |left| left.min(rest.len()));
                self.body(cx, rest.get(..count).unwrap_or_default());
                at += count;
                self.chunk(cx, left.saturating_sub(count as u64), last);
                continue;
            }
            let Some(end) = rest.iter().position(|&octet| octet == b'\n') else {
                if rest.len() <= MAX_LINE {
                    return Progress::Consumed(at);
                }
                // The middle of a line that is far too long: of a message it counts, anything else is passed over.
                if dir != server && self.mode == Mode::Message {
                    // A dot at its start is not doubled for nothing.
                    let dotted = rest.strip_prefix(b".").filter(|_| !self.mid_line);
                    self.mid_line = true;
                    self.body(cx, dotted.unwrap_or(rest));
                } else {
                    cx.anomaly("smtp", "limit_reached", "a line is longer than 16 KiB; it is passed over");
                }
                return Progress::Consumed(bytes.len());
            };
            let whole = rest.get(..=end).unwrap_or_default();
            let line = rest.get(..end).unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            at += end + 1;
            if dir == server {
                if self.replied(cx, line) {
                    return Progress::Handover(at, "tls");
                }
                continue;
            }
            if self.mode == Mode::Command && !is_command(line) {
                // The server's word is missing from the capture: what is no command answers its challenge, or is the message.
                if self.login.as_ref().is_some_and(|login| !login.is_done()) {
                    self.mode = Mode::Login;
                } else if self.waiting.back() == Some(&Asked::Data) {
                    self.mode = Mode::Message;
                }
            }
            match self.mode {
                Mode::Message if std::mem::take(&mut self.mid_line) => self.body(cx, whole),
                Mode::Message if line == b"." => {
                    self.mode = Mode::Command;
                    self.finish_mail(cx, true);
                    self.wait(Asked::Body);
                }
                // A dot at the start of a line is doubled (RFC 5321, 4.5.2).
                Mode::Message => self.body(cx, whole.strip_prefix(b".").unwrap_or(whole)),
                Mode::Login => self.answered(cx, line),
                Mode::Command | Mode::Chunk(..) => self.commanded(cx, line),
            }
        }
    }

    fn gap(&mut self, cx: &mut Cx<'_>, missing: u64) -> bool {
        if Some(cx.dir) == self.server {
            self.waiting.clear();
            self.reply = None;
            return true;
        }
        if let Some(mail) = &mut self.current.mail {
            mail.lose();
        }
        if let Mode::Chunk(left, last) = self.mode {
            self.chunk(cx, left.saturating_sub(missing), last);
        }
        // The next octets are the middle of a line.
        self.mid_line = self.mode == Mode::Message;
        true
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.finish_login(cx, None);
        gssapi::close(cx, &mut self.gss);
        if let Some(previous) = self.previous.take() {
            self.emit_transaction(cx, previous);
        }
        let open = self.current.from.is_some()
            || self.current.ended.is_some()
            || !self.told && (!self.current.codes.is_empty() || !self.current.commands.is_empty());
        if open {
            self.emit(cx);
        }
    }
}

impl Connection {
    fn wait(&mut self, asked: Asked) {
        if self.waiting.len() >= MAX_WAITING {
            self.waiting.clear();
        }
        self.waiting.push_back(asked);
    }

    /// Bytes of the message, without the transparency of dots.
    fn body(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) {
        let total = self.current.body_bytes.get_or_insert(0);
        *total = total.saturating_add(bytes.len() as u64);
        let source = if self.lmtp { "lmtp" } else { "smtp" };
        self.current.mail.get_or_insert_with(|| Box::new(Message::new(source, cx.dir))).push(cx, bytes);
    }

    /// So many bytes of a chunk are still to come (RFC 3030).
    fn chunk(&mut self, cx: &mut Cx<'_>, left: u64, last: bool) {
        self.mode = if left > 0 { Mode::Chunk(left, last) } else { Mode::Command };
        if left == 0 && last {
            self.finish_mail(cx, true);
        }
    }

    /// The message ends, or breaks off.
    fn finish_mail(&mut self, cx: &mut Cx<'_>, ended: bool) {
        let Some(mail) = self.current.mail.take() else { return };
        let current = &mut self.current;
        let accepted = |to: &&String| !current.refused.contains(to);
        let to: Vec<Cow<'_, str>> = current.recipients.iter().filter(accepted).map(|to| Cow::Borrowed(to.as_str())).collect();
        let carrier = Carrier { from: current.from.as_deref(), to: &to, username: self.username.as_deref(), ..Carrier::default() };
        current.fields = mail.finish(cx, carrier, ended);
    }

    fn commanded(&mut self, cx: &mut Cx<'_>, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        let (verb, arg) = text.split_once(' ').map_or((&*text, ""), |(verb, arg)| (verb, arg.trim()));
        let verb = verb.trim().to_ascii_uppercase();
        if verb.is_empty() {
            return;
        }
        // What was under way ends here, unless its last reply is still to come.
        let under_way = self.current.from.is_some() && self.current.ended.is_none();
        let unanswered = self.waiting.contains(&Asked::Body);
        match verb.as_str() {
            "MAIL" if self.current.ended.is_some() || under_way && !unanswered => self.emit(cx),
            "MAIL" if under_way && self.previous.is_none() => self.previous = Some(std::mem::take(&mut self.current)),
            "RSET" | "QUIT" if under_way && !unanswered => {
                self.finish_mail(cx, false);
                self.current.ended = Some(cx.common(cx.dir));
            }
            _ => {}
        }
        self.current.pipelined |= !self.waiting.is_empty();
        // A word that is no command may be anything, a password too: it is not kept.
        if !is_command(line) {
            if !std::mem::replace(&mut self.spoke_otherwise, true) {
                cx.anomaly("smtp", "unexpected_state", "a line of the client is no command");
            }
        } else if self.current.commands.len() < MAX_VALUES {
            self.current.commands.push(verb.clone());
        }
        let asked = match verb.as_str() {
            "HELO" | "EHLO" | "LHLO" => {
                self.helo = (!arg.is_empty()).then(|| arg.to_owned());
                self.esmtp = verb != "HELO";
                self.lmtp = verb == "LHLO";
                Asked::Hello
            }
            "MAIL" => {
                let (path, rest) = path(arg);
                self.current.from = path;
                self.current.size = rest
                    .split(' ')
                    .find_map(|word| word.get(..5).filter(|name| name.eq_ignore_ascii_case("SIZE=")).and(word.get(5..)))
                    .and_then(|size| size.parse().ok());
                Asked::Mail
            }
            "RCPT" => {
                let path = path(arg).0.unwrap_or_default();
                if self.current.recipients.len() < MAX_VALUES {
                    self.current.recipients.push(path.clone());
                }
                Asked::Recipient(path)
            }
            "DATA" => Asked::Data,
            "BDAT" => {
                let mut words = arg.split(' ');
                let size = words.next().and_then(|size| size.parse().ok());
                let last = words.next().map(|word| word.eq_ignore_ascii_case("LAST"));
                // Without a size, or with another word behind it, no chunk follows: the server refuses the command.
                if let Some(size) = size
                    && last != Some(false)
                {
                    self.current.body_bytes.get_or_insert(0);
                    self.chunk(cx, size, last.is_some());
                }
                if last == Some(true) { Asked::Body } else { Asked::Chunk }
            }
            "AUTH" => {
                let (mechanism, initial) = arg.split_once(' ').map_or((arg, None), |(mechanism, initial)| (mechanism, Some(initial)));
                let login = self.login.insert(Login::begin(cx, "smtp", mechanism));
                self.mechanism = Some(login.mechanism.clone());
                if let Some(initial) = initial {
                    login.answer(cx, &mut self.gss, initial);
                }
                Asked::Auth
            }
            "STARTTLS" => Asked::StartTls,
            _ => Asked::Other,
        };
        self.wait(asked);
    }

    /// A line that answers the server's challenge.
    fn answered(&mut self, cx: &mut Cx<'_>, line: &[u8]) {
        self.mode = Mode::Command;
        if let Some(login) = &mut self.login {
            login.answer(cx, &mut self.gss, &String::from_utf8_lossy(line));
        }
        self.wait(Asked::Auth);
    }

    /// Takes a line of the server; true if what follows is TLS.
    fn replied(&mut self, cx: &mut Cx<'_>, line: &[u8]) -> bool {
        let Some((code, goes_on)) = code(line) else { return false };
        let text = String::from_utf8_lossy(line.get(4..).unwrap_or_default()).into_owned();
        match &mut self.reply {
            Some((known, whole)) if *known == code => {
                if whole.len() < MAX_REPLY {
                    whole.push('\n');
                    whole.push_str(&text);
                }
            }
            _ => self.reply = Some((code, text)),
        }
        if goes_on {
            return false;
        }
        let Some((code, text)) = self.reply.take() else { return false };
        self.reply_whole(cx, code, text)
    }

    fn reply_whole(&mut self, cx: &mut Cx<'_>, code: u16, text: String) -> bool {
        let answered = self.previous.as_mut().unwrap_or(&mut self.current);
        if answered.codes.len() < MAX_VALUES {
            answered.codes.push(code);
        }
        if self.banner.is_none() && self.waiting.is_empty() && self.current.codes.len() == 1 {
            self.banner = Some(text.clone());
            self.current.last = Some((code, text));
            return false;
        }
        let asked = self.waiting.pop_front();
        // What is asked behind a transaction does not change how that ended.
        let is_aside = self.current.ended.is_some() && matches!(asked, Some(Asked::Hello | Asked::Auth | Asked::StartTls | Asked::Other));
        let positive = (200..400).contains(&code);
        let mut over_tls = false;
        // A chunk refused before it came will not come.
        if !positive && matches!(asked, Some(Asked::Chunk | Asked::Body)) && self.waiting.is_empty() && matches!(self.mode, Mode::Chunk(..)) {
            self.mode = Mode::Command;
            self.current.body_bytes = self.current.body_bytes.filter(|bytes| *bytes > 0);
            self.finish_mail(cx, false);
        }
        match asked {
            Some(Asked::Hello) if code == 250 => {
                self.capabilities = text.lines().skip(1).take(MAX_VALUES).map(|line| line.trim().to_owned()).collect();
            }
            Some(Asked::Recipient(path)) if !positive => self.previous.as_mut().unwrap_or(&mut self.current).refused.push(path),
            Some(Asked::Data) if code == 354 => self.mode = Mode::Message,
            Some(Asked::Auth) if code == 334 => {
                self.mode = Mode::Login;
                if let Some(login) = &mut self.login {
                    login.challenged(cx, &mut self.gss, &text);
                }
            }
            Some(Asked::Auth) => {
                self.auth_success = Some(code == 235);
                self.finish_login(cx, Some(code == 235));
                if self.gss.is_pending() {
                    gssapi::outcome(cx, &mut self.gss, code == 235, None);
                }
            }
            Some(Asked::StartTls) => {
                self.starttls = Some(code == 220);
                over_tls = code == 220;
            }
            Some(Asked::Body) => {
                let common = cx.common(cx.dir.reverse());
                if let Some(mut done) = self.previous.take() {
                    (done.completed, done.ended, done.last) = (code == 250, Some(common), Some((code, text)));
                    self.emit_transaction(cx, done);
                    return false;
                }
                self.current.completed = code == 250;
                self.current.ended = Some(common);
            }
            _ => {}
        }
        if !is_aside {
            self.previous.as_mut().unwrap_or(&mut self.current).last = Some((code, text));
        }
        over_tls
    }

    fn finish_login(&mut self, cx: &mut Cx<'_>, success: Option<bool>) {
        let Some(login) = self.login.take() else { return };
        if login.username.is_some() {
            self.username.clone_from(&login.username);
            self.password.clone_from(&login.password);
        }
        login.finish(cx, success);
    }

    /// Writes the transaction and begins another.
    fn emit(&mut self, cx: &mut Cx<'_>) {
        self.finish_mail(cx, false);
        let done = std::mem::take(&mut self.current);
        self.emit_transaction(cx, done);
    }

    fn emit_transaction(&mut self, cx: &mut Cx<'_>, done: Transaction) {
        self.told = true;
        let client = self.server.map_or(Dir::Orig, Dir::reverse);
        let (recipients, refused) = (texts(&done.recipients), texts(&done.refused));
        let (commands, capabilities) = (texts(&done.commands), texts(&self.capabilities));
        let header = &done.fields;
        let (to, cc) = (texts(&header.to), texts(&header.cc));
        let mut path: Vec<Cow<'_, str>> = header.hops.iter().map(|ip| Cow::Borrowed(ip.as_str())).collect();
        let [orig, resp] = cx.ends;
        let ends = if client == Dir::Orig { [orig, resp] } else { [resp, orig] };
        if done.from.is_some() {
            path.extend(ends.iter().rev().filter_map(|end| end.ip).map(|ip| Cow::Owned(ip.to_string())));
        }
        let (last_code, last_text) = done.last.unzip();
        let common = done.ended.unwrap_or_else(|| cx.common(client));
        cx.emit_as(
            &common,
            Smtp {
                server_banner: self.banner.as_deref(),
                helo: self.helo.as_deref(),
                esmtp: self.helo.is_some().then_some(self.esmtp),
                capabilities: some(&capabilities),
                mail_from: done.from.as_deref(),
                rcpt_to: some(&recipients),
                rcpt_refused: some(&refused),
                size_declared_bytes: done.size,
                body_bytes: done.body_bytes,
                path: some(&path),
                last_reply_code: last_code,
                last_reply: last_text.as_deref(),
                reply_codes: (!done.codes.is_empty()).then_some(&done.codes),
                commands: some(&commands),
                auth_method: self.mechanism.as_deref(),
                auth_success: self.auth_success,
                username: self.username.as_deref(),
                password: self.password.as_deref(),
                starttls: Some(self.starttls == Some(true)),
                starttls_offered: Some(self.capabilities.iter().any(|word| word.eq_ignore_ascii_case("STARTTLS"))),
                pipelined: Some(done.pipelined),
                completed: Some(done.completed),
                from_header: header.from.as_deref(),
                to_header: some(&to),
                cc_header: some(&cc),
                subject: header.subject.as_deref(),
                message_id: header.message_id.as_deref(),
                message_date: header.date.as_deref(),
                user_agent: header.agent.as_deref(),
                in_reply_to: header.in_reply_to.as_deref(),
            },
        );
    }
}

/// The path of `FROM:<a@b> SIZE=1` without its brackets, and what follows; an empty path is `<>`.
fn path(arg: &str) -> (Option<String>, &str) {
    let Some((_, rest)) = arg.split_once(':') else { return (None, "") };
    let rest = rest.trim_start();
    match rest.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
        Some(("", after)) => (Some("<>".to_owned()), after),
        Some((path, after)) => (Some(path.to_owned()), after),
        None => {
            let (path, after) = rest.split_once(' ').unwrap_or((rest, ""));
            ((!path.is_empty()).then(|| path.to_owned()), after)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        assert_eq!(code(b"250-PIPELINING"), Some((250, true)));
        assert_eq!(code(b"354 go"), Some((354, false)));
        assert_eq!(code(b"2500"), None);
        assert_eq!(path("FROM:<a@b> SIZE=12"), (Some("a@b".to_owned()), " SIZE=12"));
        assert_eq!(path("FROM:<>"), (Some("<>".to_owned()), ""));
        assert_eq!(path("TO: a@b"), (Some("a@b".to_owned()), ""));
    }
}
