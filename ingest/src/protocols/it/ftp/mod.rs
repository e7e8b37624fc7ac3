//! FTP (RFC 959, with RFC 2228, 2428, 3659, 4217): commands and replies, logins, and the data connections they announce.

mod address;
mod lines;
mod transfer;

use std::borrow::Cow;
use std::net::IpAddr;

use pcapper_schema::Common;
use pcapper_schema::tables::{Credentials, Ftp};

use self::lines::{Line, Reply};
use self::transfer::{Setup, Transfers};
use crate::protocols::{Cx, Dir, Group, Offer, Progress, Protocol, StreamDissector, StreamKind, Verdict, secrets};

pub use lines::may_be_code;
pub use transfer::PROTOCOL as DATA;

/// The control connection, on any port; 21 is its own.
pub static PROTOCOL: Protocol = Protocol {
    name: "ftp",
    group: Group::It,
    ports: &[21, 2121],
    stream: Some(StreamKind { probe, start: || Box::<Control>::default() }),
    ..Protocol::NONE
};

/// Longest line that is waited for, bytes; what is longer is told as an anomaly and cut.
const MAX_LINE: usize = 64 << 10;
/// Commands that wait for their reply.
const MAX_WAITING: usize = 64;
/// Bytes of a reply of many lines that are kept.
const MAX_REPLY: usize = 16 << 10;

/// Commands of RFC 959 and its extensions.
static COMMANDS: &[&str] = &[
    "ABOR", "ACCT", "ADAT", "ALLO", "APPE", "AUTH", "CCC", "CDUP", "CLNT", "CONF", "CWD", "DELE", "ENC", "EPRT", "EPSV", "FEAT", "HASH", "HELP",
    "HOST", "LANG", "LIST", "LPRT", "LPSV", "MDTM", "MFMT", "MIC", "MKD", "MLSD", "MLST", "MODE", "NLST", "NOOP", "OPTS", "PASS", "PASV", "PBSZ",
    "PORT", "PROT", "PWD", "QUIT", "REIN", "REST", "RETR", "RMD", "RNFR", "RNTO", "SITE", "SIZE", "SMNT", "STAT", "STOR", "STOU", "STRU", "SYST",
    "TYPE", "USER", "XCRC", "XCUP", "XCWD", "XMKD", "XPWD", "XRMD",
];

fn is_command(word: &[u8]) -> bool {
    COMMANDS.iter().any(|command| word.eq_ignore_ascii_case(command.as_bytes()))
}

fn first_word(bytes: &[u8]) -> &[u8] {
    bytes.split(|octet| !octet.is_ascii_alphabetic()).next().unwrap_or_default()
}

/// FTP greets with 220 as mail servers do; what the client says tells them apart, on FTP's own port a command of both is
/// enough.
fn probe(offer: &Offer<'_>) -> Verdict {
    let [orig, resp] = offer.bytes;
    let greets = |bytes: &[u8]| matches!(lines::code(bytes), Some((100..=599, _)));
    let (server, client) = if greets(orig) { (orig, resp) } else { (resp, orig) };
    if !server.is_empty() && !greets(server) {
        return if lines::may_be_code(server) { Verdict::More } else { Verdict::No };
    }
    if !client.is_empty() && client.len() < 5 && client.iter().all(u8::is_ascii_alphabetic) {
        return Verdict::More;
    }
    if offer.usual_port {
        let speaks = client.is_empty() && !server.is_empty() || is_command(first_word(client));
        return if speaks { Verdict::Yes } else { Verdict::No };
    }
    if client.is_empty() {
        let names_itself = server.windows(3).any(|word| word.eq_ignore_ascii_case(b"ftp"));
        return if greets(server) && names_itself { Verdict::Yes } else { Verdict::More };
    }
    let word = first_word(client);
    let own = [&b"USER"[..], b"SYST", b"FEAT", b"PASV", b"EPSV", b"CWD", b"PORT"].iter().any(|own| word.eq_ignore_ascii_case(own));
    // POP3 knows USER too, but its server never answers in numbers.
    if own && matches!(lines::code(server), Some((220, _))) { Verdict::Yes } else { Verdict::No }
}

/// A command that waits for its reply.
struct Asked {
    command: String,
    arg: Option<String>,
    frame: u64,
}

/// A password that waits for the server's verdict.
struct Login {
    common: Common,
    username: Option<String>,
    username_frame: Option<u64>,
    secret: Vec<u8>,
    kind: &'static str,
}

#[derive(Default)]
struct Control {
    /// Which direction is the server's, once it is known.
    server: Option<Dir>,
    waiting: std::collections::VecDeque<Asked>,
    reply: Option<Reply>,
    user: Option<String>,
    user_frame: Option<u64>,
    authenticated: bool,
    cwd: Option<String>,
    login: Option<Login>,
    setup: Setup,
}

impl StreamDissector for Control {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let server = match self.server {
            Some(server) => server,
            None if lines::may_be_code(bytes) => return Progress::Consumed(0),
            None => {
                let greets = lines::code(bytes).is_some();
                let server = if greets { cx.dir } else { cx.dir.reverse() };
                self.server = Some(server);
                server
            }
        };
        let mut done = 0;
        loop {
            let rest = bytes.get(done..).unwrap_or_default();
            let Some((line, length)) = lines::next(rest) else {
                if rest.len() > MAX_LINE {
                    cx.anomaly("ftp", "limit_reached", "a line is longer than 64 KiB; it is passed over");
                    return Progress::Consumed(bytes.len());
                }
                return Progress::Consumed(done);
            };
            done += length;
            if cx.dir == server {
                if self.replied(cx, line) {
                    return Progress::Handover(done, "tls");
                }
            } else {
                self.commanded(cx, line);
            }
        }
    }

    fn gap(&mut self, _cx: &mut Cx<'_>, _missing: u64) -> bool {
        self.waiting.clear();
        self.reply = None;
        true
    }

    fn end(&mut self, cx: &mut Cx<'_>, rest: &[u8]) {
        // A last line without its end.
        if !rest.is_empty() && rest.len() <= MAX_LINE && self.server.is_some() {
            if Some(cx.dir) == self.server {
                self.replied(cx, rest);
            } else {
                self.commanded(cx, rest);
            }
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.finish_login(cx, None);
        if let Some(reply) = self.reply.take() {
            self.answer(cx, &reply);
        }
        self.setup.abandon(cx);
    }
}

impl Control {
    fn commanded(&mut self, cx: &mut Cx<'_>, line: &[u8]) {
        let Line { command, arg } = lines::command(line);
        if command.is_empty() {
            return;
        }
        let text = arg.map(|arg| String::from_utf8_lossy(arg).into_owned());
        let hidden = matches!(command.as_str(), "PASS" | "ACCT");
        match command.as_str() {
            "USER" => {
                self.finish_login(cx, None);
                self.user.clone_from(&text);
                self.user_frame = Some(cx.frame);
                self.authenticated = false;
            }
            "PASS" => {
                self.finish_login(cx, None);
                let anonymous = self.user.as_deref().is_some_and(|user| matches!(user.to_ascii_lowercase().as_str(), "anonymous" | "ftp"));
                self.login = Some(Login {
                    common: cx.common(cx.dir),
                    username: self.user.clone(),
                    username_frame: self.user_frame,
                    secret: arg.unwrap_or_default().to_vec(),
                    kind: if anonymous { "anonymous" } else { "password" },
                });
            }
            "REIN" => (self.authenticated, self.cwd) = (false, None),
            _ => {}
        }
        let active = match command.as_str() {
            "PORT" => arg.and_then(address::octets),
            "EPRT" => arg.and_then(address::extended),
            _ => None,
        };
        let client = cx.ends[cx.dir.index()].ip;
        cx.emit(Ftp {
            is_request: Some(true),
            command: Some(&command),
            arg: text.as_deref().filter(|_| !hidden),
            secret_arg: text.as_deref().filter(|_| hidden),
            user: self.user.as_deref(),
            authenticated: Some(self.authenticated),
            cwd: self.cwd.as_deref(),
            passive: match command.as_str() {
                "PASV" | "EPSV" | "LPSV" => Some(true),
                "PORT" | "EPRT" | "LPRT" => Some(false),
                _ => None,
            },
            data_ip: active.map(|(ip, _)| ip),
            data_port: active.map(|(_, port)| port),
            data_ip_differs: active.zip(client).map(|((ip, _), client)| differs(ip, client)),
            ..Ftp::default()
        });
        if let Some(end) = active {
            self.setup.announce(cx, end, false);
        }
        let path = self.path(text.as_deref());
        self.setup.command(cx, &command, text.as_deref(), path, self.user.as_deref());
        if self.waiting.len() >= MAX_WAITING {
            self.waiting.clear();
        }
        self.waiting.push_back(Asked { command, arg: text.filter(|_| !hidden), frame: cx.frame });
    }

    /// Takes a line of the server; true if what follows is TLS.
    fn replied(&mut self, cx: &mut Cx<'_>, line: &[u8]) -> bool {
        if let Some(reply) = &mut self.reply {
            if reply.text.len() < MAX_REPLY {
                reply.text.push('\n');
                reply.text.push_str(&String::from_utf8_lossy(line));
            }
            // The last line bears the code again, and a blank (RFC 959, 4.2).
            if !matches!(lines::code(line), Some((code, false)) if code == reply.code) {
                return false;
            }
        } else {
            let Some((code, goes_on)) = lines::code(line) else {
                cx.anomaly("ftp", "unexpected_state", "a line of the server does not start with a reply code");
                return false;
            };
            let text = line.get(3..).unwrap_or_default();
            let text = text.strip_prefix(b"-").or(text.strip_prefix(b" ")).unwrap_or(text);
            self.reply = Some(Reply { code, text: String::from_utf8_lossy(text).into_owned() });
            if goes_on {
                return false;
            }
        }
        self.reply.take().is_some_and(|reply| self.answer(cx, &reply))
    }

    /// A reply is whole; true if what follows is TLS.
    fn answer(&mut self, cx: &mut Cx<'_>, reply: &Reply) -> bool {
        // A preliminary reply (1yz) is followed by another for the same command; the greeting answers none.
        let asked = if (100..200).contains(&reply.code) { None } else { self.waiting.pop_front() };
        let about = asked.as_ref().or(self.waiting.front());
        let command = about.map(|asked| asked.command.clone());
        let arg = about.and_then(|asked| asked.arg.clone());
        let request_frame = about.map(|asked| asked.frame);
        let server = cx.ends[cx.dir.index()].ip;
        let passive = match reply.code {
            227 => address::in_text(&reply.text),
            229 => address::port_in_text(&reply.text).zip(server).map(|(port, ip)| (ip, port)),
            _ => None,
        };
        let verdict = matches!(command.as_deref(), Some("PASS" | "USER" | "ACCT"));
        if verdict && matches!(reply.code, 230 | 232) {
            self.authenticated = true;
        }
        cx.emit(Ftp {
            is_request: Some(false),
            reply_code: Some(reply.code),
            reply_msg: Some(&reply.text),
            answers_command: command.as_deref(),
            answers_arg: arg.as_deref(),
            request_frame,
            user: self.user.as_deref(),
            authenticated: Some(self.authenticated),
            cwd: self.cwd.as_deref(),
            passive: match command.as_deref() {
                Some("PASV" | "EPSV" | "LPSV") => Some(true),
                Some("PORT" | "EPRT" | "LPRT") => Some(false),
                _ => None,
            },
            data_ip: passive.map(|(ip, _)| ip),
            data_port: passive.map(|(_, port)| port),
            data_ip_differs: passive.zip(server).map(|((ip, _), server)| differs(ip, server)),
            ..Ftp::default()
        });
        if let Some(end) = passive {
            self.setup.announce(cx, end, true);
        }
        self.directory(reply, command.as_deref(), arg.as_deref());
        if command.as_deref() == Some("PASS") && reply.code >= 200 {
            self.finish_login(cx, Some(reply.code));
        }
        self.setup.reply(cx, command.as_deref(), arg.as_deref(), reply);
        reply.code == 234 && command.as_deref() == Some("AUTH")
    }

    /// Follows the working directory.
    fn directory(&mut self, reply: &Reply, command: Option<&str>, arg: Option<&str>) {
        match (command, reply.code) {
            (Some("CWD" | "XCWD"), 200..=299) => self.cwd = self.path(arg),
            (Some("CDUP" | "XCUP"), 200..=299) => self.cwd = self.path(Some("..")),
            (Some("PWD" | "XPWD"), 257) => {
                let mut parts = reply.text.split('"');
                if let (Some(_), Some(path)) = (parts.next(), parts.next()) {
                    self.cwd = Some(path.to_owned());
                }
            }
            _ => {}
        }
    }

    /// A name as the server understands it, where the working directory is known.
    fn path(&self, name: Option<&str>) -> Option<String> {
        let name = name?;
        let mut parts: Vec<&str> = if name.starts_with('/') { Vec::new() } else { self.cwd.as_deref()?.split('/').collect() };
        for part in name.split('/') {
            match part {
                ".." => drop(parts.pop()),
                "." => {}
                part => parts.push(part),
            }
        }
        let path = parts.into_iter().filter(|part| !part.is_empty()).fold(String::new(), |path, part| path + "/" + part);
        Some(if path.is_empty() { "/".to_owned() } else { path })
    }

    fn finish_login(&mut self, cx: &mut Cx<'_>, code: Option<u16>) {
        let Some(login) = self.login.take() else { return };
        let secret = String::from_utf8_lossy(&login.secret);
        let id = secrets::id(&login.secret);
        let server = cx.ends[login_server(&login, cx)].ip.map(|ip| Cow::Owned::<str>(ip.to_string()));
        cx.emit_as(
            &login.common,
            Credentials {
                protocol: Some("ftp"),
                kind: Some(login.kind),
                username: login.username.as_deref(),
                secret: Some(&secret),
                secret_id: id.as_deref(),
                secret_length: u32::try_from(secret.chars().count()).ok(),
                service: server.as_deref(),
                encrypted: Some(cx.is_decrypted()),
                outcome: Some(match code {
                    Some(200..=299) => "success",
                    Some(400..=599) => "failure",
                    _ => "unknown",
                }),
                outcome_frame: code.map(|_| cx.frame),
                username_frame: login.username_frame.filter(|&frame| frame != login.common.frame),
                field: Some("PASS"),
                ..Credentials::default()
            },
        );
    }
}

/// Index of the end that the login was presented to.
fn login_server(login: &Login, cx: &Cx<'_>) -> usize {
    usize::from(cx.ends[0].ip == login.common.src_ip)
}

/// The address is neither the end's own nor, behind address translation, a private twin of it.
fn differs(ip: IpAddr, end: IpAddr) -> bool {
    let is_private = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.segments()[0] & 0xfe00 == 0xfc00 || ip.segments()[0] & 0xffc0 == 0xfe80,
    };
    ip != end && !ip.is_unspecified() && (is_private(end) || !is_private(ip))
}

/// What one connection keeps of its transfers is in its worker's shared state, where its data connections find it.
fn transfers<'a>(cx: &'a mut Cx<'_>) -> &'a mut Transfers {
    cx.shared.get::<Transfers>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let mut control = Control::default();
        assert_eq!(control.path(Some("a")), None);
        assert_eq!(control.path(Some("/x/../y")).as_deref(), Some("/y"));
        control.cwd = Some("/home".to_owned());
        assert_eq!(control.path(Some("a b")).as_deref(), Some("/home/a b"));
        assert_eq!(control.path(Some("../..")).as_deref(), Some("/"));
    }

    #[test]
    fn a_private_twin_is_no_other() {
        let ip = |text: &str| text.parse().unwrap();
        assert!(!differs(ip("10.0.0.1"), ip("8.8.8.8")));
        assert!(differs(ip("10.0.0.1"), ip("10.0.0.2")));
        assert!(differs(ip("1.2.3.4"), ip("10.0.0.2")));
    }
}
