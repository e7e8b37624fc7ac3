//! Logins by SASL (RFC 4422) as SMTP, POP3 and IMAP carry them: lines of base64 in turn, until the server says how it ended.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pcapper_schema::Common;
use pcapper_schema::tables::Credentials;

use crate::protocols::it::gssapi;
use crate::protocols::{Cx, secrets};

/// A login that waits for the server's verdict.
pub struct Login {
    protocol: &'static str,
    common: Common,
    /// In capitals; or the command that carries the login without SASL.
    pub mechanism: String,
    /// Kind of the secret, as in `credentials.kind`.
    kind: &'static str,
    challenge: Option<String>,
    answers: usize,
    pub username: Option<String>,
    pub password: Option<String>,
    hash: Option<(String, Option<u32>)>,
    done: bool,
}

impl Login {
    /// The client names the mechanism.
    pub fn begin(cx: &Cx<'_>, protocol: &'static str, mechanism: &str) -> Self {
        let mechanism = mechanism.to_ascii_uppercase();
        let kind = match mechanism.as_str() {
            "CRAM-MD5" => "cram",
            "XOAUTH2" | "OAUTHBEARER" => "bearer",
            _ => "password",
        };
        let common = cx.common(cx.dir);
        Self { protocol, common, mechanism, kind, challenge: None, answers: 0, username: None, password: None, hash: None, done: false }
    }

    /// A login whose name and password stand in a command of its own.
    pub fn plain(cx: &Cx<'_>, protocol: &'static str, command: &str, username: Option<String>, password: String) -> Self {
        Self { username, password: Some(password), done: true, ..Self::begin(cx, protocol, command) }
    }

    /// APOP (RFC 1939, 7): the digest of the greeting's mark and the password.
    pub fn apop(cx: &Cx<'_>, protocol: &'static str, username: String, line: String) -> Self {
        Self { username: Some(username), hash: Some((line, Some(20))), kind: "apop", done: true, ..Self::begin(cx, protocol, "APOP") }
    }

    /// Everything that the client says was said.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// GSSAPI or NTLM, which write rows of their own.
    fn is_gss(&self) -> bool {
        matches!(self.mechanism.as_str(), "NTLM" | "GSSAPI" | "GSS-SPNEGO")
    }

    /// Takes the server's challenge.
    pub fn challenged(&mut self, cx: &mut Cx<'_>, gss: &mut gssapi::Exchange, text: &str) {
        let text = text.trim();
        self.challenge = (!text.is_empty()).then(|| text.to_owned());
        if self.is_gss()
            && let Ok(token) = STANDARD.decode(text)
            && !token.is_empty()
        {
            gssapi::token(cx, self.protocol, gss, &token);
        }
    }

    /// Takes an answer of the client.
    pub fn answer(&mut self, cx: &mut Cx<'_>, gss: &mut gssapi::Exchange, text: &str) {
        let text = text.trim();
        // An initial answer that is empty is written `=` (RFC 4954, 4).
        let Ok(octets) = STANDARD.decode(if text == "=" { "" } else { text }) else { return };
        if self.is_gss() {
            if !octets.is_empty() {
                gssapi::token(cx, self.protocol, gss, &octets);
            }
            return;
        }
        self.common = cx.common(cx.dir);
        let value = String::from_utf8_lossy(&octets).into_owned();
        match self.mechanism.as_str() {
            // RFC 4616: identity, account, password, with zeros between.
            "PLAIN" => {
                let mut parts = value.split('\0').skip(1);
                self.username = parts.next().map(str::to_owned);
                self.password = parts.next().map(str::to_owned);
                self.done = true;
            }
            "LOGIN" if self.answers == 0 => self.username = Some(value),
            "LOGIN" => {
                self.password = Some(value);
                self.done = true;
            }
            "CRAM-MD5" => {
                self.username = value.rsplit_once(' ').map(|(user, _)| user.to_owned());
                self.hash = self.challenge.as_ref().map(|challenge| (format!("$cram_md5${challenge}${text}"), Some(10200)));
                self.done = true;
            }
            // user=name, then the token, with octets 1 between. The answer to an error is empty.
            "XOAUTH2" | "OAUTHBEARER" if !self.done => {
                let part = |name: &str| value.split(['\u{1}', ',']).find_map(|part| part.strip_prefix(name)).map(str::to_owned);
                self.username = part("user=").or_else(|| part("a="));
                self.password = part("auth=Bearer ");
                self.done = true;
            }
            _ => {}
        }
        self.answers = self.answers.saturating_add(1);
    }

    /// The server says how the login ended, or never will: writes the row.
    pub fn finish(self, cx: &mut Cx<'_>, success: Option<bool>) {
        if !self.done {
            return;
        }
        let id = self.password.as_ref().and_then(|password| secrets::id(password.as_bytes()));
        cx.emit_as(
            &self.common,
            Credentials {
                protocol: Some(self.protocol),
                kind: Some(self.kind),
                username: self.username.as_deref(),
                secret: self.password.as_deref(),
                secret_id: id.as_deref(),
                secret_length: self.password.as_ref().and_then(|password| u32::try_from(password.chars().count()).ok()),
                hash_line: self.hash.as_ref().map(|(line, _)| line.as_str()),
                hashcat_mode: self.hash.as_ref().and_then(|(_, mode)| *mode),
                encrypted: Some(cx.is_decrypted()),
                outcome: Some(match success {
                    Some(true) => "success",
                    Some(false) => "failure",
                    None => "unknown",
                }),
                outcome_frame: success.map(|_| cx.frame),
                field: Some(&self.mechanism),
                ..Credentials::default()
            },
        );
    }
}
