//! The keys of a run: from key logs, and from decryption-secrets blocks of pcapng.
//!
//! TLS keys come in NSS's key log format: a label, the client random of the session and a secret, in hex. SSH keys come as
//! lines of the client's KEXINIT cookie and the shared secret (Wireshark's format).

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use crate::protocols::hex::hex;

/// Decryption-secrets block with a TLS key log.
const TLS_KEY_LOG: u32 = 0x544c_534b;
/// The same for SSH.
const SSH_KEY_LOG: u32 = 0x5353_484b;

/// Sessions whose keys are kept; a log with more is told to be too long.
const MAX_SESSIONS: usize = 4_000_000;
/// Longest secret: a master secret has 48 octets, a shared secret of SSH as many as its group.
const MAX_SECRET: usize = 2048;
/// Bad lines that are told one by one.
const NAMED_LINES: usize = 3;

/// Where a key came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// A file the user named.
    KeyLog,
    /// A decryption-secrets block of the capture.
    Capture,
}

impl Source {
    /// As in `decryption.key_source`.
    pub fn name(self) -> &'static str {
        match self {
            Self::KeyLog => "keylog",
            Self::Capture => "dsb",
        }
    }
}

/// Secrets of one TLS or QUIC session; those of TLS 1.3 by their label in the key log.
#[derive(Clone, Default)]
pub struct TlsSecrets {
    /// Master secret, to TLS 1.2.
    pub master: Option<Box<[u8]>>,
    pub client_early: Option<Box<[u8]>>,
    /// Of client and server.
    pub handshake: [Option<Box<[u8]>>; 2],
    /// First application traffic secret of client and server.
    pub traffic: [Option<Box<[u8]>>; 2],
    source: Option<Source>,
}

impl TlsSecrets {
    pub fn source(&self) -> Source {
        self.source.unwrap_or(Source::KeyLog)
    }

    fn slot(&mut self, label: &str) -> Option<&mut Option<Box<[u8]>>> {
        let [client_handshake, server_handshake] = &mut self.handshake;
        let [client_traffic, server_traffic] = &mut self.traffic;
        // Implementations of QUIC's drafts put its name before.
        match label.strip_prefix("QUIC_").unwrap_or(label) {
            "CLIENT_RANDOM" => Some(&mut self.master),
            "CLIENT_EARLY_TRAFFIC_SECRET" => Some(&mut self.client_early),
            "CLIENT_HANDSHAKE_TRAFFIC_SECRET" => Some(client_handshake),
            "SERVER_HANDSHAKE_TRAFFIC_SECRET" => Some(server_handshake),
            "CLIENT_TRAFFIC_SECRET_0" => Some(client_traffic),
            "SERVER_TRAFFIC_SECRET_0" => Some(server_traffic),
            _ => None,
        }
    }
}

/// Lines of a key log that are none.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct BadLines {
    pub count: usize,
    /// Numbers of the first few, and what is wrong with them.
    pub first: Vec<(usize, &'static str)>,
}

impl BadLines {
    fn add(&mut self, line: usize, why: &'static str) {
        self.count += 1;
        if self.first.len() < NAMED_LINES {
            self.first.push((line, why));
        }
    }
}

/// All keys at hand. The maps hash with a random seed: whoever makes the capture chooses the keys in it.
#[derive(Clone, Default)]
pub struct Keyring {
    tls: HashMap<[u8; 32], TlsSecrets>,
    /// Shared secrets by the client's KEXINIT cookie.
    ssh: HashMap<[u8; 16], (Source, Box<[u8]>)>,
}

impl Keyring {
    pub fn is_empty(&self) -> bool {
        self.tls.is_empty() && self.ssh.is_empty()
    }

    /// TLS sessions that a key is known of.
    pub fn tls_sessions(&self) -> usize {
        self.tls.len()
    }

    /// Key exchanges of SSH whose shared secret is known.
    pub fn ssh_exchanges(&self) -> usize {
        self.ssh.len()
    }

    /// Secrets of the session whose client hello has this random.
    pub fn tls(&self, client_random: &[u8]) -> Option<&TlsSecrets> {
        self.tls.get(<&[u8; 32]>::try_from(client_random).ok()?)
    }

    /// Shared secret of the key exchange in which the client sent this cookie.
    pub fn ssh(&self, cookie: &[u8]) -> Option<(Source, &[u8])> {
        self.ssh.get(<&[u8; 16]>::try_from(cookie).ok()?).map(|(source, secret)| (*source, &**secret))
    }

    /// Adds the lines of a TLS key log; gives the number of usable ones.
    pub fn add_tls_log(&mut self, text: &[u8], source: Source, bad: &mut BadLines) -> usize {
        each_line(text, bad, |words| {
            let [label, random, secret] = words else { return Err("not LABEL CLIENT_RANDOM SECRET") };
            let label = std::str::from_utf8(label).map_err(|_| "not text")?;
            if *label == *"RSA" || !is_label(label) {
                return if is_label(label) { Ok(false) } else { Err("unknown label") };
            }
            let random: [u8; 32] = unhex(random).and_then(|random| random.try_into().ok()).ok_or("the client random is not 64 hex digits")?;
            let secret = unhex(secret).filter(|secret| !secret.is_empty() && secret.len() <= MAX_SECRET).ok_or("the secret is not hex")?;
            if self.tls.len() >= MAX_SESSIONS && !self.tls.contains_key(&random) {
                return Err("more sessions than are kept");
            }
            let mut probe = TlsSecrets::default();
            if probe.slot(label).is_none() {
                // EXPORTER_SECRET, later traffic secrets (which derive from the first), ECH: nothing to decrypt with.
                return Ok(false);
            }
            let secrets = self.tls.entry(random).or_default();
            secrets.source.get_or_insert(source);
            if let Some(slot) = secrets.slot(label) {
                slot.get_or_insert_with(|| secret.into());
            }
            Ok(true)
        })
    }

    /// Adds the lines of an SSH key log; gives the number of usable ones.
    pub fn add_ssh_log(&mut self, text: &[u8], source: Source, bad: &mut BadLines) -> usize {
        each_line(text, bad, |words| {
            let (cookie, secret) = match words {
                [cookie, secret] => (cookie, secret),
                [cookie, kind, secret] if **kind == *b"SHARED_SECRET" => (cookie, secret),
                [_, kind, _] if **kind == *b"PRIVATE_KEY" => return Ok(false),
                _ => return Err("not COOKIE SHARED_SECRET"),
            };
            let cookie: [u8; 16] = unhex(cookie).and_then(|cookie| cookie.try_into().ok()).ok_or("the cookie is not 32 hex digits")?;
            let secret = unhex(secret).filter(|secret| !secret.is_empty() && secret.len() <= MAX_SECRET).ok_or("the secret is not hex")?;
            if self.ssh.len() >= MAX_SESSIONS && !self.ssh.contains_key(&cookie) {
                return Err("more sessions than are kept");
            }
            self.ssh.entry(cookie).or_insert_with(|| (source, secret.into()));
            Ok(true)
        })
    }

    /// Adds the keys of a decryption-secrets block; kinds of secrets that nothing here can use are passed over.
    pub fn add_block(&mut self, kind: u32, data: &[u8]) {
        let mut bad = BadLines::default();
        match kind {
            TLS_KEY_LOG => {
                self.add_tls_log(data, Source::Capture, &mut bad);
            }
            SSH_KEY_LOG => {
                self.add_ssh_log(data, Source::Capture, &mut bad);
            }
            _ => {}
        }
    }

    /// A hash of all keys, by which captures decoded with them are told apart; `None` without keys.
    pub fn digest(&self) -> Option<String> {
        if self.is_empty() {
            return None;
        }
        let mut hash = Sha256::new();
        let mut sessions: Vec<_> = self.tls.iter().collect();
        sessions.sort_by_key(|(random, _)| **random);
        let mut add = |part: Option<&[u8]>| {
            let part = part.unwrap_or_default();
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        };
        for (random, secrets) in sessions {
            add(Some(random));
            let [client_handshake, server_handshake] = &secrets.handshake;
            let [client_traffic, server_traffic] = &secrets.traffic;
            for secret in [&secrets.master, &secrets.client_early, client_handshake, server_handshake, client_traffic, server_traffic] {
                add(secret.as_deref());
            }
        }
        let mut exchanges: Vec<_> = self.ssh.iter().collect();
        exchanges.sort_by_key(|(cookie, _)| **cookie);
        for (cookie, (_, secret)) in exchanges {
            add(Some(cookie));
            add(Some(secret));
        }
        hash.finalize().get(..8).map(hex)
    }
}

/// Labels that key logs have (the SSLKEYLOGFILE draft and NSS).
fn is_label(label: &str) -> bool {
    let bare = label.strip_prefix("QUIC_").unwrap_or(label);
    // OpenSSL writes the letter for all secrets of key updates.
    let numbered = |prefix: &str| bare.strip_prefix(prefix).is_some_and(|number| number == "N" || number.parse::<u32>().is_ok());
    matches!(
        bare,
        "CLIENT_RANDOM"
            | "CLIENT_EARLY_TRAFFIC_SECRET"
            | "CLIENT_HANDSHAKE_TRAFFIC_SECRET"
            | "SERVER_HANDSHAKE_TRAFFIC_SECRET"
            | "EARLY_EXPORTER_SECRET"
            | "EARLY_EXPORTER_MASTER_SECRET"
            | "EXPORTER_SECRET"
            | "ECH_SECRET"
            | "ECH_CONFIG"
            | "RSA"
            | "PMS_CLIENT_RANDOM"
    ) || numbered("CLIENT_TRAFFIC_SECRET_")
        || numbered("SERVER_TRAFFIC_SECRET_")
}

/// Offers the words of each line that is neither empty nor a comment; gives the number of lines that were of use.
fn each_line(text: &[u8], bad: &mut BadLines, mut take: impl FnMut(&[&[u8]]) -> Result<bool, &'static str>) -> usize {
    let mut usable = 0;
    for (line, number) in text.split(|&byte| byte == b'\n').zip(1..) {
        let words: Vec<&[u8]> = line.split(|byte| byte.is_ascii_whitespace() || *byte == 0).filter(|word| !word.is_empty()).take(5).collect();
        if words.first().is_none_or(|word| word.starts_with(b"#")) {
            continue;
        }
        match take(&words) {
            Ok(true) => usable += 1,
            Ok(false) => {}
            Err(why) => bad.add(number, why),
        }
    }
    usable
}

fn unhex(digits: &[u8]) -> Option<Vec<u8>> {
    let (pairs, odd) = digits.as_chunks::<2>();
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    if !odd.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_key_log() {
        let random = "ab".repeat(32);
        let log = format!(
            "# a comment\r\n\nCLIENT_RANDOM {random} {}\r\nEXPORTER_SECRET {random} 0011\nCLIENT_RANDOM {random} xyz\nHELLO {random} 00\nCLIENT_RANDOM abc 00\nCLIENT_TRAFFIC_SECRET_0 {random} 00ff\nwords\n",
            "cd".repeat(48)
        );
        let (mut ring, mut bad) = (Keyring::default(), BadLines::default());
        assert_eq!(ring.add_tls_log(log.as_bytes(), Source::KeyLog, &mut bad), 2);
        assert_eq!(bad.count, 4);
        assert_eq!(bad.first.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [5, 6, 7]);
        let secrets = ring.tls(&[0xab; 32]).unwrap();
        assert_eq!(secrets.master.as_deref(), Some(&[0xcd; 48][..]));
        assert_eq!(secrets.traffic[0].as_deref(), Some(&[0, 0xff][..]));
        assert_eq!((ring.tls_sessions(), secrets.source()), (1, Source::KeyLog));
    }

    #[test]
    fn the_first_key_counts_whatever_the_order_of_files() {
        let line = |byte: &str| format!("CLIENT_RANDOM {} {}", "01".repeat(32), byte.repeat(48));
        let digest = |lines: &[String]| {
            let mut ring = Keyring::default();
            for line in lines {
                ring.add_tls_log(line.as_bytes(), Source::KeyLog, &mut BadLines::default());
            }
            ring.digest()
        };
        assert_eq!(digest(&[line("aa"), line("bb")]), digest(&[line("aa")]));
        assert_ne!(digest(&[line("bb")]), digest(&[line("aa")]));
        assert_eq!(digest(&[]), None);
    }

    #[test]
    fn ssh_lines_old_and_new() {
        let log = b"000102030405060708090a0b0c0d0e0f 0a0b\n100102030405060708090a0b0c0d0e0f SHARED_SECRET 0c\nzz 00\n";
        let (mut ring, mut bad) = (Keyring::default(), BadLines::default());
        assert_eq!(ring.add_ssh_log(log, Source::KeyLog, &mut bad), 2);
        assert_eq!((ring.ssh_exchanges(), bad.count), (2, 1));
    }
}
