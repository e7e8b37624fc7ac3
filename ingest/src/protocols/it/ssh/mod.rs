//! SSH (RFC 4253), and what is in clear of version 1: versions, key exchange, host keys; and an estimate, from sizes and
//! times alone, of what came behind; with the shared secret of a key log, what came behind itself.

mod estimate;
mod kex;
mod login;
mod opener;

use std::borrow::Cow;

use pcapper_schema::tables::{Decryption, Ssh, SshSessions};

use self::estimate::{Estimate, Traffic};
use self::kex::{HostKey, KexInit};
use self::login::Login;
use self::opener::{Agreed, Opener, Taken};
use crate::decrypt::Source;
use crate::decrypt::plaintext::Plaintext;
use crate::protocols::hex::hex;
use crate::protocols::{Cx, Dir, Group, Offer, Progress, Protocol, StreamDissector, StreamKind, Verdict};
use crate::wire::{Malformed, Reader, Wire};

/// SSH on any port; 22 is its own.
pub static PROTOCOL: Protocol = Protocol {
    name: "ssh",
    group: Group::It,
    ports: &[22],
    stream: Some(StreamKind { probe, start: || Box::<Connection>::default() }),
    ..Protocol::NONE
};

/// Longest line before and of the version, bytes (RFC 4253, 4.2 allows 255).
const MAX_LINE: usize = 8192;
/// Longest packet before encryption that is waited for, bytes.
const MAX_PACKET: usize = 256 << 10;

fn probe(offer: &Offer<'_>) -> Verdict {
    let speaks = |bytes: &[u8]| {
        let start = bytes.get(..4).unwrap_or(bytes);
        match b"SSH-".strip_prefix(start) {
            Some([]) => Verdict::Yes,
            Some(_) => Verdict::More,
            None => Verdict::No,
        }
    };
    match speaks(offer.current()) {
        Verdict::No => {}
        verdict => return verdict,
    }
    // A server may say something before (RFC 4253, 4.2).
    let [_, server] = offer.bytes;
    if server.windows(5).any(|window| window == b"\nSSH-") {
        return Verdict::Yes;
    }
    if offer.usual_port
        && !server.is_empty()
        && server.len() < 1024
        && server.iter().all(|octet| octet.is_ascii_graphic() || octet.is_ascii_whitespace())
    {
        Verdict::More
    } else {
        Verdict::No
    }
}

/// Where a direction is.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum State {
    #[default]
    Version,
    Packets,
    /// Version 1, in clear.
    OldPackets,
    Encrypted,
}

#[derive(Default)]
struct Side {
    state: State,
    version: Option<String>,
    init: Option<KexInit>,
    encrypted_bytes: u64,
}

#[derive(Default)]
struct Connection {
    sides: [Side; 2],
    host_key: Option<HostKey>,
    old: bool,
    traffic: Traffic,
    lost: bool,
    /// Opens packets, where a key log was given.
    opener: Option<Box<Opener>>,
    login: Login,
    /// Octets of channel data opened, of client and server.
    plain_bytes: [u64; 2],
    /// What the first channel was asked to run: `shell`, `exec`, or the name of a subsystem.
    runs: Option<String>,
}

impl Connection {
    fn side(&mut self, dir: Dir) -> &mut Side {
        let [orig, resp] = &mut self.sides;
        if dir == Dir::Orig { orig } else { resp }
    }

    /// Takes a line before the packets; how many bytes are done with.
    fn version(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Option<usize> {
        let Some(end) = bytes.iter().position(|&octet| octet == b'\n') else {
            return (bytes.len() > MAX_LINE).then_some(bytes.len());
        };
        let line = bytes.get(..end).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if let Some(rest) = line.strip_prefix(b"SSH-") {
            let text = String::from_utf8_lossy(line);
            let rest = String::from_utf8_lossy(rest);
            let (protocol, software) = rest.split_once('-').unwrap_or((&rest, ""));
            let (software, comment) = software.split_once(' ').map_or((software, None), |(software, comment)| (software, Some(comment)));
            cx.emit(Ssh {
                message: Some("version"),
                is_server: Some(cx.dir == Dir::Resp),
                version_string: Some(&text),
                protocol_version: Some(protocol),
                software: (!software.is_empty()).then_some(software),
                comment,
                ..Ssh::default()
            });
            // 1.99 speaks both; the other end's version decides.
            let old = protocol.starts_with("1.") && protocol != "1.99";
            self.old |= old;
            if self.opener.is_none()
                && let Some(keys) = cx.shared.keys.as_ref().filter(|keys| keys.ssh_exchanges() > 0)
            {
                self.opener = Some(Box::new(Opener::new(keys.clone())));
            }
            if let Some(opener) = &mut self.opener {
                opener.version(cx.dir, line);
            }
            let is_old = self.old;
            let side = self.side(cx.dir);
            side.version = Some(text.into_owned());
            side.state = if is_old { State::OldPackets } else { State::Packets };
        }
        Some(end + 1)
    }

    /// Takes a packet in clear (RFC 4253, 6).
    fn packet(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Wire<Option<usize>> {
        let mut reader = Reader::new(bytes);
        let Ok(length) = reader.be_u32() else { return Ok(None) };
        let length = length as usize;
        if !(2..=MAX_PACKET).contains(&length) {
            return Err(Malformed);
        }
        let Ok(packet) = reader.take(length) else { return Ok(None) };
        let (&padding, rest) = packet.split_first().ok_or(Malformed)?;
        let payload = rest.get(..rest.len().checked_sub(usize::from(padding)).ok_or(Malformed)?).ok_or(Malformed)?;
        let (&code, body) = payload.split_first().ok_or(Malformed)?;
        if let Some(opener) = &mut self.opener {
            opener.counted(cx.dir);
        }
        self.exchange(cx, payload);
        self.message(cx, code, body);
        Ok(Some(length + 4))
    }

    /// Shows a message to the opener.
    fn exchange(&mut self, cx: &Cx<'_>, payload: &[u8]) {
        let is_group = self.is_group_exchange();
        if let Some(opener) = &mut self.opener {
            opener.message(cx.dir, payload, is_group);
        }
    }

    fn is_group_exchange(&self) -> bool {
        self.agreed(|init| &init.kex).is_some_and(|kex| kex.contains("group-exchange"))
    }

    /// Algorithms agreed on.
    fn algorithms(&self) -> Option<Agreed> {
        let agreed = |pick| self.agreed(pick).map(str::to_owned);
        Some(Agreed {
            kex: agreed(|init| &init.kex)?,
            ciphers: [agreed(|init| &init.ciphers[0])?, agreed(|init| &init.ciphers[1])?],
            macs: [agreed(|init| &init.macs[0]).unwrap_or_default(), agreed(|init| &init.macs[1]).unwrap_or_default()],
            compressions: [agreed(|init| &init.compressions[0])?, agreed(|init| &init.compressions[1])?],
            is_strict: self.sides.iter().all(|side| side.init.as_ref().is_some_and(KexInit::is_strict)),
        })
    }

    /// Takes an encrypted packet; `None` while it is not here in whole.
    fn sealed(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Option<usize> {
        match self.opener.as_mut()?.take(cx.dir, bytes) {
            Taken::More => None,
            Taken::Packet(length, payload) => {
                if let Some((&code, body)) = payload.split_first() {
                    self.exchange(cx, &payload);
                    // A body that cannot be read is of no use to anybody.
                    let _ = self.opened(cx, code, body);
                }
                Some(length)
            }
            Taken::Broken => {
                cx.anomaly("ssh", "decrypt_failed", "a packet does not verify under its key; this direction is not decrypted any further");
                Some(0)
            }
        }
    }

    /// Takes a message that was encrypted.
    fn opened(&mut self, cx: &mut Cx<'_>, code: u8, body: &[u8]) -> Wire<()> {
        let mut reader = Reader::new(body);
        match code {
            1 | 20..=49 => self.message(cx, code, body),
            50..=79 => {
                if code == 52
                    && let Some(opener) = &mut self.opener
                {
                    opener.logged_in();
                }
                return self.login.message(cx, code, body);
            }
            // CHANNEL_DATA and CHANNEL_EXTENDED_DATA (RFC 4254, 5.2).
            94 | 95 => {
                reader.skip(if code == 94 { 4 } else { 8 })?;
                let length = reader.be_u32()? as usize;
                let data = reader.take(length)?;
                let is_client = cx.dir == Dir::Orig;
                let [client, server] = &mut self.plain_bytes;
                let counted = if is_client { client } else { server };
                *counted = counted.saturating_add(data.len() as u64);
                if let (Some(tap), Some(flow_id)) = (&mut cx.shared.tap, cx.flow_id) {
                    let (frame, ts, ends) = (cx.frame, cx.ts, cx.ends);
                    tap(&Plaintext { protocol: "ssh", flow_id, ends, stream: None, dir: cx.dir, is_client, frame, ts, bytes: data });
                }
            }
            // CHANNEL_REQUEST (RFC 4254, 6.5).
            98 if cx.dir == Dir::Orig && self.runs.is_none() => {
                reader.skip(4)?;
                let mut text = || -> Wire<&[u8]> {
                    let length = reader.be_u32()? as usize;
                    reader.take(length)
                };
                let request = text()?;
                self.runs = match request {
                    b"shell" | b"exec" => Some(String::from_utf8_lossy(request).into_owned()),
                    b"subsystem" => {
                        reader.skip(1)?;
                        let length = reader.be_u32()? as usize;
                        Some(String::from_utf8_lossy(reader.take(length.min(64))?).into_owned())
                    }
                    _ => None,
                };
            }
            _ => {}
        }
        Ok(())
    }

    /// Writes the row of `decryption`, where a key log was given.
    fn write_decryption(&self, cx: &mut Cx<'_>) {
        let Some(opener) = &self.opener else { return };
        let [client, server] = &self.sides;
        let status = match opener.source {
            _ if opener.is_unsupported || self.old => "unsupported",
            Some(_) if opener.opened() > 0 && !opener.has_stopped() => "decrypted",
            Some(_) if opener.opened() > 0 => "partly",
            Some(_) if opener.has_stopped() => "failed",
            Some(_) => "no_data",
            None if client.init.is_some() && server.init.is_some() => "no_key",
            None => "no_handshake",
        };
        let cookie = opener.cookie().map(hex);
        let [sent, received] = self.plain_bytes;
        let row = Decryption {
            protocol: Some("ssh"),
            client_random: cookie.as_deref(),
            version: Some(if self.old { "1" } else { "2" }),
            cipher: self.agreed(|init| &init.ciphers[0]),
            key_source: opener.source.map(Source::name),
            status: Some(status),
            service: self.runs.as_deref(),
            client_plain_bytes: Some(sent),
            server_plain_bytes: Some(received),
            ..Decryption::default()
        };
        cx.emit_from(Dir::Orig, row);
    }

    fn message(&mut self, cx: &mut Cx<'_>, code: u8, body: &[u8]) {
        let server = cx.dir == Dir::Resp;
        let is_server = Some(server);
        match code {
            20 => {
                let Ok(init) = KexInit::read(body) else {
                    cx.anomaly("ssh", "bad_length", "a list of algorithms ends beyond its message");
                    return;
                };
                init.emit(cx, server);
                self.side(cx.dir).init = Some(init);
            }
            1 => {
                let (code_of, text) = disconnect(body).unwrap_or_default();
                cx.emit(Ssh {
                    message: Some("disconnect"),
                    message_code: Some(code),
                    is_server,
                    disconnect_code: code_of,
                    disconnect_text: text.as_deref(),
                    ..Ssh::default()
                });
            }
            _ => {
                let name = self.name(code);
                let key = matches!(name, "kexdh_reply" | "gex_reply").then(|| HostKey::read(body).ok()).flatten();
                cx.emit(Ssh {
                    message: Some(name),
                    message_code: Some(code),
                    is_server,
                    host_key_type: key.as_ref().map(|key| key.kind.as_str()),
                    host_key_sha256: key.as_ref().map(|key| key.sha256.as_str()),
                    host_key_md5: key.as_ref().map(|key| key.md5.as_str()),
                    ..Ssh::default()
                });
                if key.is_some() {
                    self.host_key = key;
                }
                if code == 21 {
                    if self.opener.is_some() {
                        let agreed = self.algorithms();
                        if let Some(opener) = &mut self.opener {
                            opener.new_keys(cx.dir, agreed);
                        }
                    }
                    if self.side(cx.dir).state != State::Encrypted {
                        self.side(cx.dir).state = State::Encrypted;
                        self.traffic.begin(cx.dir);
                    }
                }
            }
        }
    }

    /// Names of messages. 30 and 31 mean other things in a group exchange (RFC 4419) than in a plain one.
    fn name(&self, code: u8) -> &'static str {
        let group_exchange = self.is_group_exchange();
        match code {
            2 => "ignore",
            3 => "unimplemented",
            4 => "debug",
            21 => "newkeys",
            30 if !group_exchange => "kexdh_init",
            31 if !group_exchange => "kexdh_reply",
            30 | 34 => "gex_request",
            31 => "gex_group",
            32 => "gex_init",
            33 => "gex_reply",
            _ => "other",
        }
    }

    /// The first of the client's choices that the server offers as well (RFC 4253, 7.1).
    fn agreed(&self, pick: fn(&KexInit) -> &Vec<String>) -> Option<&str> {
        let [client, server] = &self.sides;
        let (client, server) = (client.init.as_ref()?, server.init.as_ref()?);
        let known = pick(server);
        pick(client).iter().find(|name| known.contains(name)).map(String::as_str)
    }

    /// Takes a packet of version 1 (draft-ylonen-ssh-protocol-00): until the session key is sent they are in clear.
    fn old_packet(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Wire<Option<usize>> {
        let mut reader = Reader::new(bytes);
        let Ok(length) = reader.be_u32() else { return Ok(None) };
        let length = length as usize;
        if !(5..=MAX_PACKET).contains(&length) {
            return Err(Malformed);
        }
        let padding = 8 - length % 8;
        let Ok(packet) = reader.take(padding + length) else { return Ok(None) };
        let code = *packet.get(padding).ok_or(Malformed)?;
        let name = match code {
            2 => "ssh1_public_key",
            3 => "ssh1_session_key",
            1 => "disconnect",
            _ => "other",
        };
        cx.emit(Ssh { message: Some(name), message_code: Some(code), is_server: Some(cx.dir == Dir::Resp), ..Ssh::default() });
        if matches!(code, 2 | 3) {
            self.side(cx.dir).state = State::Encrypted;
            self.traffic.begin(cx.dir);
        }
        Ok(Some(4 + padding + length))
    }
}

fn disconnect(body: &[u8]) -> Wire<(Option<u32>, Option<String>)> {
    let mut reader = Reader::new(body);
    let code = reader.be_u32()?;
    let length = reader.be_u32()? as usize;
    let text = reader.take(length)?;
    Ok((Some(code), (!text.is_empty()).then(|| String::from_utf8_lossy(text).into_owned())))
}

impl StreamDissector for Connection {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            if rest.is_empty() {
                return Progress::Consumed(at);
            }
            let state = self.side(cx.dir).state;
            let taken = match state {
                State::Version => Ok(self.version(cx, rest)),
                State::Packets if self.old => {
                    self.side(cx.dir).state = State::OldPackets;
                    continue;
                }
                State::Packets => self.packet(cx, rest),
                State::OldPackets => self.old_packet(cx, rest),
                State::Encrypted if self.opener.as_ref().is_some_and(|opener| opener.opens(cx.dir)) => {
                    let Some(count) = self.sealed(cx, rest) else { return Progress::Consumed(at) };
                    let side = self.side(cx.dir);
                    side.encrypted_bytes = side.encrypted_bytes.saturating_add(count as u64);
                    self.traffic.bytes(cx.dir, count, cx.ts);
                    Ok(Some(count))
                }
                State::Encrypted => {
                    let side = self.side(cx.dir);
                    side.encrypted_bytes = side.encrypted_bytes.saturating_add(rest.len() as u64);
                    self.traffic.bytes(cx.dir, rest.len(), cx.ts);
                    return Progress::Consumed(bytes.len());
                }
            };
            match taken {
                Ok(Some(count)) => at += count,
                Ok(None) => return Progress::Consumed(at),
                Err(Malformed) => {
                    // Behind a loss, or encrypted from the first packet that was captured.
                    self.side(cx.dir).state = State::Encrypted;
                    self.traffic.begin(cx.dir);
                    self.lost = true;
                }
            }
        }
    }

    fn gap(&mut self, cx: &mut Cx<'_>, _missing: u64) -> bool {
        self.lost = true;
        if let Some(opener) = &mut self.opener {
            opener.lost(cx.dir);
        }
        let side = self.side(cx.dir);
        if side.state != State::Encrypted {
            side.state = State::Encrypted;
            self.traffic.begin(cx.dir);
        }
        true
    }

    fn end(&mut self, cx: &mut Cx<'_>, rest: &[u8]) {
        // A version line may come without its end.
        if self.side(cx.dir).state == State::Version && rest.starts_with(b"SSH-") && rest.len() < MAX_LINE {
            let mut line = rest.to_vec();
            line.push(b'\n');
            self.version(cx, &line);
        }
        self.traffic.ended(cx.dir);
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.login.close(cx);
        self.write_decryption(cx);
        // The sizes are those of version 2's messages.
        let estimate = if self.old { Estimate::default() } else { self.traffic.finish(self.lost) };
        let [client, server] = &self.sides;
        let both = client.version.is_some() && server.version.is_some();
        let agreed = |pick| self.agreed(pick);
        let cipher = agreed(|init| &init.ciphers[0]);
        let aead = cipher.is_some_and(|cipher| cipher.contains("gcm@") || cipher.contains("-gcm") || cipher.starts_with("chacha20"));
        let mac = if aead { Some("implicit") } else { agreed(|init| &init.macs[0]) };
        let strict = [client, server].iter().all(|side| side.init.as_ref().is_some_and(KexInit::is_strict));
        let known = client.init.is_some() && server.init.is_some();
        let terrapin = known.then(|| {
            let weak = cipher.is_some_and(|cipher| cipher.starts_with("chacha20-poly1305"))
                || cipher.is_some_and(|cipher| cipher.ends_with("-cbc")) && mac.is_some_and(|mac| mac.contains("-etm@"));
            weak && !strict
        });
        cx.emit_from(
            Dir::Orig,
            SshSessions {
                client: client.version.as_deref(),
                server: server.version.as_deref(),
                version: (both || self.old).then_some(if self.old { 1 } else { 2 }),
                kex_alg: agreed(|init| &init.kex),
                host_key_alg: agreed(|init| &init.host_keys),
                cipher_alg: cipher,
                cipher_alg_server: agreed(|init| &init.ciphers[1]),
                mac_alg: mac,
                compression_alg: agreed(|init| &init.compressions[0]),
                hassh: client.init.as_ref().map(|init| init.hassh(false).0).as_deref(),
                hassh_server: server.init.as_ref().map(|init| init.hassh(true).0).as_deref(),
                host_key_type: self.host_key.as_ref().map(|key| key.kind.as_str()),
                host_key: self.host_key.as_ref().map(|key| key.sha256.as_str()),
                terrapin_vulnerable: terrapin,
                auth_attempts: estimate.attempts,
                auth_success: estimate.success,
                auth_confidence: estimate.confidence,
                auth_method_guess: estimate.method,
                interactive: estimate.interactive,
                reverse_forward: estimate.reverse,
                bulk_direction: estimate.bulk,
                orig_encrypted_bytes: Some(client.encrypted_bytes),
                resp_encrypted_bytes: Some(server.encrypted_bytes),
                username: self.login.username(),
                password: self.login.password(),
            },
        );
    }
}

/// Names as cells.
fn cells(names: &[String]) -> Vec<Cow<'_, str>> {
    names.iter().map(|name| Cow::Borrowed(name.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disconnects() {
        assert_eq!(disconnect(&[0, 0, 0, 11, 0, 0, 0, 3, b'b', b'y', b'e', 0, 0, 0, 0]), Ok((Some(11), Some("bye".to_owned()))));
        assert!(disconnect(&[0, 0, 0, 11, 0, 0, 0, 3, b'b']).is_err());
    }

    #[test]
    fn group_exchange_renames_messages() {
        let init = |kex: &str| KexInit { kex: vec![kex.to_owned()], ..KexInit::default() };
        let mut connection = Connection::default();
        assert_eq!(connection.name(31), "kexdh_reply");
        for side in &mut connection.sides {
            side.init = Some(init("diffie-hellman-group-exchange-sha256"));
        }
        assert_eq!((connection.name(31), connection.name(33)), ("gex_group", "gex_reply"));
    }
}
