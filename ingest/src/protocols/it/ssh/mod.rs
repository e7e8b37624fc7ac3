//! SSH versions 1 and 2 (RFC 4250 to 4254): version lines, key exchange, host keys, and what sizes tell of the login.

mod login;
mod message;

use std::borrow::Cow;

use pcapper_schema::Common;
use pcapper_schema::tables::{Ssh, SshSessions};

use self::login::Login;
use self::message::{HostKey, KexInit, List, code};
use crate::protocols::{Cx, Dir, Group, Offer, Progress, Protocol, StreamDissector, StreamKind, Verdict};
use crate::wire::{Reader, Wire};

/// SSH on any port; 22 is its own.
pub static PROTOCOL: Protocol = Protocol {
    name: "ssh",
    group: Group::It,
    ports: &[PORT],
    stream: Some(StreamKind { probe, start: || Box::<Connection>::default() }),
    ..Protocol::NONE
};

const PORT: u16 = 22;
/// What every version line starts with (RFC 4253 section 4.2).
const MARK: &[u8] = b"SSH-";
/// Longest version line that is taken, line end excluded; the standard has 253.
const MAX_LINE: usize = 1024;
/// Most bytes that a server may send before its version line.
const MAX_NOTICE: usize = 8192;
/// Longest packet that is taken; the standard asks for 35000.
const MAX_PACKET: usize = 262_144;

fn probe(offer: &Offer<'_>) -> Verdict {
    let starts = |bytes: &[u8]| bytes.starts_with(b"SSH-1.") || bytes.starts_with(b"SSH-2.");
    if offer.bytes.iter().any(|bytes| starts(bytes)) {
        return Verdict::Yes;
    }
    let current = offer.current();
    if current.len() < 6 && (b"SSH-1.".starts_with(current) || b"SSH-2.".starts_with(current)) {
        return Verdict::More;
    }
    // A server may greet before its version line.
    let text = current.iter().all(|octet| octet.is_ascii_graphic() || matches!(octet, b' ' | b'\t' | b'\r' | b'\n'));
    match line_start(current) {
        Some(at) if offer.usual_port && current.get(at..).is_some_and(starts) => Verdict::Yes,
        None if offer.usual_port && text && current.len() < MAX_NOTICE => Verdict::More,
        _ => Verdict::No,
    }
}

/// Where the version line starts, behind lines of greeting.
fn line_start(bytes: &[u8]) -> Option<usize> {
    if bytes.starts_with(MARK) {
        return Some(0);
    }
    bytes.windows(5).position(|window| window == b"\nSSH-").map(|at| at.saturating_add(1))
}

/// What one side said.
#[derive(Default)]
struct Side {
    line: Option<String>,
    init: Option<KexInit>,
    hassh: Option<String>,
    encrypted: bool,
}

/// A connection. Who opened it is the client.
#[derive(Default)]
struct Connection {
    /// The client and the server.
    sides: [Side; 2],
    host_key: Option<HostKey>,
    login: Login,
    /// Shared cells of the session's row: those of the last frame, client to server.
    last: Option<Common>,
}

/// What came of the first bytes on offer.
enum Step {
    Done(usize),
    Wait,
    Lost,
}

impl Connection {
    fn side(&mut self, role: Dir) -> &mut Side {
        &mut self.sides[role.index()]
    }

    fn line(&mut self, cx: &mut Cx<'_>, role: Dir, bytes: &[u8]) -> Step {
        let Some(start) = line_start(bytes) else {
            return if bytes.len() > MAX_NOTICE { Step::Lost } else { Step::Wait };
        };
        let rest = bytes.get(start..).unwrap_or_default();
        let Some(length) = rest.iter().take(MAX_LINE).position(|octet| *octet == b'\n') else {
            if rest.len() < MAX_LINE {
                return Step::Wait;
            }
            cx.anomaly("ssh", "bad_length", "version line without an end");
            return Step::Lost;
        };
        let line = rest.get(..length).unwrap_or_default();
        let text = String::from_utf8_lossy(line).trim_end_matches(['\r', '\0', ' ']).to_owned();
        let (protocol_version, software, comment) = message::line_parts(&text);
        cx.emit(Ssh {
            message: Some("version"),
            is_server: Some(role == Dir::Resp),
            version_string: Some(&text),
            protocol_version,
            software,
            comment,
            ..Default::default()
        });
        self.side(role).line = Some(text);
        Step::Done(start.saturating_add(length).saturating_add(1))
    }

    /// The version in use, as far as the lines seen so far tell. Lines with 1.99 say that both will do.
    fn version(&self) -> u8 {
        let said = |side: &Side, mark: &str| side.line.as_deref().is_some_and(|line| line.starts_with(mark));
        let only_1 = |side: &Side| said(side, "SSH-1.") && !said(side, "SSH-1.99");
        if self.sides.iter().any(only_1) { 1 } else { 2 }
    }

    fn packet_1(&mut self, cx: &mut Cx<'_>, role: Dir, bytes: &[u8]) -> Step {
        let Some((length, rest)) = bytes.split_first_chunk::<4>() else { return Step::Wait };
        let Some(length) = usize::try_from(u32::from_be_bytes(*length)).ok().filter(|length| (5..=MAX_PACKET).contains(length)) else {
            cx.anomaly("ssh", "bad_length", "length of an SSH-1 packet");
            return Step::Lost;
        };
        // One to eight octets fill up to a multiple of eight.
        let padding = 8usize.saturating_sub(length % 8);
        let Some((packet, _)) = rest.split_at_checked(padding.saturating_add(length)) else { return Step::Wait };
        let Some(number) = packet.get(padding).copied() else { return Step::Lost };
        let message = match number {
            code::SSH1_PUBLIC_KEY => "ssh1_public_key",
            code::SSH1_SESSION_KEY => "ssh1_session_key",
            1 => "disconnect",
            32 => "ignore",
            36 => "debug",
            _ => return Step::Lost,
        };
        cx.emit(Ssh { message: Some(message), message_code: Some(number), is_server: Some(role == Dir::Resp), ..Default::default() });
        if number == code::SSH1_SESSION_KEY {
            self.sides.iter_mut().for_each(|side| side.encrypted = true);
        }
        Step::Done(padding.saturating_add(length).saturating_add(4))
    }

    fn packet_2(&mut self, cx: &mut Cx<'_>, role: Dir, bytes: &[u8]) -> Step {
        let Some((length, rest)) = bytes.split_first_chunk::<4>() else { return Step::Wait };
        let length = usize::try_from(u32::from_be_bytes(*length)).ok().filter(|length| (6..=MAX_PACKET).contains(length));
        let Some(length) = length else {
            cx.anomaly("ssh", "bad_length", "packet length");
            return Step::Lost;
        };
        let Some((packet, _)) = rest.split_at_checked(length) else { return Step::Wait };
        let Some((padding, packet)) = packet.split_first() else { return Step::Lost };
        let Some((number, body)) = packet.len().checked_sub(usize::from(*padding)).and_then(|kept| packet.get(..kept)).and_then(<[u8]>::split_first)
        else {
            cx.anomaly("ssh", "bad_length", "padding longer than the packet");
            return Step::Lost;
        };
        if self.message(cx, role, *number, body).is_err() {
            cx.anomaly("ssh", "bad_length", message::name(*number, false).unwrap_or("message"));
        }
        Step::Done(length.saturating_add(4))
    }

    fn agreed(&self, list: List) -> Option<&str> {
        let [client, server] = self.sides.each_ref().map(|side| side.init.as_ref());
        client?.agreed(server?, list)
    }

    fn message(&mut self, cx: &mut Cx<'_>, role: Dir, number: u8, body: &[u8]) -> Wire<()> {
        let gex = self.agreed(List::Kex).is_some_and(|method| method.starts_with("diffie-hellman-group-exchange"));
        let is_server = role == Dir::Resp;
        let row = Ssh { message: message::name(number, gex), message_code: Some(number), is_server: Some(is_server), ..Default::default() };
        let mut r = Reader::new(body);
        match number {
            code::KEXINIT => {
                let init = match KexInit::read(r) {
                    Ok(init) => init,
                    Err(malformed) => {
                        cx.emit(row);
                        return Err(malformed);
                    }
                };
                let raw = init.hassh_algorithms(is_server);
                let hassh = message::md5(raw.as_bytes());
                emit_init(cx, row, &init, is_server, &raw, &hassh);
                let side = self.side(role);
                side.init = Some(init);
                side.hassh = Some(hassh);
            }
            code::KEXDH_REPLY | code::GEX_REPLY if (number == code::GEX_REPLY) == gex => {
                let key = HostKey::read(r);
                let shown = key.as_ref().ok();
                cx.emit(Ssh {
                    host_key_type: shown.map(|key| key.kind.as_str()),
                    host_key_sha256: shown.map(|key| key.sha256.as_str()),
                    host_key_md5: shown.map(|key| key.md5.as_str()),
                    ..row
                });
                let key = key?;
                // Whoever opened the connection may be the SSH server: that key is not the responder's.
                if is_server {
                    self.host_key = Some(key);
                }
            }
            code::NEWKEYS => {
                self.side(role).encrypted = true;
                cx.emit(row);
            }
            code::DISCONNECT => {
                let reason = r.be_u32().ok();
                let text = message::string(&mut r).ok().map(String::from_utf8_lossy).filter(|text| !text.is_empty());
                cx.emit(Ssh { disconnect_code: reason, disconnect_text: text.as_deref(), ..row });
            }
            _ => cx.emit(row),
        }
        Ok(())
    }

    fn encrypted(&mut self, cx: &Cx<'_>, role: Dir, length: usize) {
        self.login.segment(role, length, cx.ts);
    }
}

fn emit_init(cx: &mut Cx<'_>, row: Ssh<'_>, init: &KexInit, is_server: bool, raw: &str, hassh: &str) {
    let lists = [
        List::Kex,
        List::HostKey,
        List::CipherClient,
        List::CipherServer,
        List::MacClient,
        List::MacServer,
        List::CompressionClient,
        List::CompressionServer,
    ]
    .map(|list| init.list(list));
    let [kex, host_key, cipher_client, cipher_server, mac_client, mac_server, compression_client, compression_server] = &lists;
    let some = |list: &'_ Vec<Cow<'_, str>>| !list.is_empty();
    cx.emit(Ssh {
        kex_algorithms: Some(kex.as_slice()).filter(|_| some(kex)),
        host_key_algorithms: Some(host_key.as_slice()).filter(|_| some(host_key)),
        ciphers_client: Some(cipher_client.as_slice()).filter(|_| some(cipher_client)),
        ciphers_server: Some(cipher_server.as_slice()).filter(|_| some(cipher_server)),
        macs_client: Some(mac_client.as_slice()).filter(|_| some(mac_client)),
        macs_server: Some(mac_server.as_slice()).filter(|_| some(mac_server)),
        compression_client: Some(compression_client.as_slice()).filter(|_| some(compression_client)),
        compression_server: Some(compression_server.as_slice()).filter(|_| some(compression_server)),
        hassh: Some(hassh).filter(|_| !is_server),
        hassh_server: Some(hassh).filter(|_| is_server),
        hassh_algorithms: Some(raw),
        strict_kex: Some(init.strict(is_server)),
        ..row
    });
}

impl StreamDissector for Connection {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let role = cx.dir;
        self.last = Some(cx.common(Dir::Orig));
        let mut rest = bytes;
        loop {
            let side = &self.sides[role.index()];
            let step = match (side.line.is_some(), side.encrypted) {
                (_, true) => {
                    if !rest.is_empty() {
                        self.encrypted(cx, role, rest.len());
                    }
                    return Progress::Consumed(bytes.len());
                }
                (false, _) => self.line(cx, role, rest),
                (true, _) if self.version() == 1 => self.packet_1(cx, role, rest),
                (true, _) => self.packet_2(cx, role, rest),
            };
            match step {
                Step::Done(length) => rest = rest.get(length..).unwrap_or_default(),
                Step::Wait => return Progress::Consumed(bytes.len().saturating_sub(rest.len())),
                Step::Lost => return Progress::Stop,
            }
        }
    }

    fn gap(&mut self, cx: &mut Cx<'_>, _missing: u64) -> bool {
        self.login.lost = true;
        self.sides[cx.dir.index()].encrypted
    }

    fn end(&mut self, _cx: &mut Cx<'_>, _rest: &[u8]) {
        self.login.closed = true;
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        let Some(common) = self.last else { return };
        let estimate =
            if self.version() == 2 && self.sides.iter().all(|side| side.encrypted) { self.login.estimate() } else { login::Estimate::default() };
        let [client, server] = &self.sides;
        let cipher = self.agreed(List::CipherClient);
        let mac = self.agreed(List::MacClient);
        let is_aead = |cipher: &str| cipher.contains("-gcm") || cipher.contains("poly1305");
        let both = client.init.as_ref().zip(server.init.as_ref());
        // Prefix truncation (CVE-2023-48795).
        let terrapin_vulnerable = both.and_then(|(from_client, from_server)| {
            let weak = [(List::CipherClient, List::MacClient), (List::CipherServer, List::MacServer)].into_iter().any(|(cipher, mac)| {
                let cipher = self.agreed(cipher).unwrap_or_default();
                cipher.starts_with("chacha20-poly1305") || cipher.ends_with("-cbc") && self.agreed(mac).is_some_and(|mac| mac.contains("-etm@"))
            });
            cipher.map(|_| weak && !(from_client.strict(false) && from_server.strict(true)))
        });
        let encrypted = self.sides.iter().any(|side| side.encrypted);
        let [up, down] = self.login.bytes;
        let accepted = estimate.success == Some(true);
        cx.emit_as(
            &common,
            SshSessions {
                client: client.line.as_deref(),
                server: server.line.as_deref(),
                version: self.sides.iter().any(|side| side.line.is_some()).then(|| self.version()),
                kex_alg: self.agreed(List::Kex),
                host_key_alg: self.agreed(List::HostKey),
                cipher_alg: cipher,
                cipher_alg_server: self.agreed(List::CipherServer),
                mac_alg: if cipher.is_some_and(is_aead) { Some("implicit") } else { mac },
                compression_alg: self.agreed(List::CompressionClient),
                hassh: client.hassh.as_deref(),
                hassh_server: server.hassh.as_deref(),
                host_key_type: self.host_key.as_ref().map(|key| key.kind.as_str()),
                host_key: self.host_key.as_ref().map(|key| key.sha256.as_str()),
                terrapin_vulnerable,
                auth_attempts: estimate.attempts,
                auth_success: estimate.success,
                auth_confidence: estimate.confidence,
                interactive: accepted.then(|| self.login.interactive()),
                bulk_direction: self.login.bulk(),
                orig_encrypted_bytes: encrypted.then_some(up),
                resp_encrypted_bytes: encrypted.then_some(down),
                ..Default::default()
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(bytes: &[u8], usual_port: bool) -> Verdict {
        probe(&Offer { bytes: [&[], bytes], dir: Dir::Resp, ports: [Some(4000), Some(4001)], usual_port, src: None, dst: None })
    }

    #[test]
    fn found_by_its_line() {
        assert_eq!(asked(b"SSH-2.0-OpenSSH_9.6\r\n", false), Verdict::Yes);
        assert_eq!(asked(b"SSH", false), Verdict::More);
        assert_eq!(asked(b"SSH-abc", false), Verdict::No);
        assert_eq!(asked(b"Welcome\r\nSSH-2.0-x\r\n", true), Verdict::Yes);
        assert_eq!(asked(b"Welcome\r\nSSH-2.0-x\r\n", false), Verdict::No);
        assert_eq!(asked(b"Welcome\r\n", true), Verdict::More);
        assert_eq!(asked(&[0, 0, 1], true), Verdict::No);
    }

    #[test]
    fn lines_and_lists() {
        assert_eq!(message::line_parts("SSH-2.0-OpenSSH_6.7p1 Debian-3"), (Some("2.0"), Some("OpenSSH_6.7p1"), Some("Debian-3")));
        assert_eq!(message::line_parts("SSH-1.5-x"), (Some("1.5"), Some("x"), None));
        let init = |methods: &str| {
            let mut bytes = vec![0; 16];
            for list in [methods, "ssh-rsa", "c1,c2", "s1", "m1", "m2", "none", "zlib"] {
                bytes.extend([u32::try_from(list.len()).unwrap().to_be_bytes().as_slice(), list.as_bytes()].concat());
            }
            KexInit::read(Reader::new(&bytes)).unwrap()
        };
        let (client, server) = (init("a,b,kex-strict-c-v00@openssh.com"), init("b,a"));
        assert_eq!(client.agreed(&server, List::Kex), Some("a"));
        assert_eq!(server.hassh_algorithms(true), "b,a;s1;m2;zlib");
        assert_eq!(server.hassh_algorithms(false), "b,a;c1,c2;m1;none");
        assert!(client.strict(false) && !server.strict(true));
        assert!(KexInit::read(Reader::new(&[0; 18])).is_err());
    }
}
