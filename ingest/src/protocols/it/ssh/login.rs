//! Logins that were decrypted (RFC 4252, RFC 4256).

use pcapper_schema::Common;
use pcapper_schema::tables::Credentials;

use crate::protocols::{Cx, secrets};
use crate::wire::{Reader, Wire};

/// Longest name or password kept.
const MAX_TEXT: usize = 1024;

/// An attempt that was not answered yet.
struct Attempt {
    common: Common,
    user: String,
    password: Option<String>,
}

/// What a user tried.
#[derive(Default)]
pub struct Login {
    attempt: Option<Attempt>,
    /// The user who is in, and the password that let them.
    known: Option<(String, Option<String>)>,
    /// The last who tried.
    last: Option<String>,
}

impl Login {
    /// User of the session: who is in, else who tried last.
    pub fn username(&self) -> Option<&str> {
        self.known.as_ref().map(|(user, _)| user).or(self.last.as_ref()).map(String::as_str)
    }

    /// Password that was taken.
    pub fn password(&self) -> Option<&str> {
        self.known.as_ref()?.1.as_deref()
    }

    /// Takes a message of the authentication protocol.
    pub fn message(&mut self, cx: &mut Cx<'_>, code: u8, body: &[u8]) -> Wire<()> {
        let mut reader = Reader::new(body);
        match code {
            // USERAUTH_REQUEST
            50 => {
                self.answered(cx, "unknown", false);
                let user = text(&mut reader)?;
                text(&mut reader)?;
                let method = text(&mut reader)?;
                let password = if method == "password" {
                    reader.skip(1)?;
                    Some(text(&mut reader)?)
                } else {
                    None
                };
                self.last = Some(user.clone());
                self.attempt = Some(Attempt { common: cx.common(cx.dir), user, password });
            }
            51 => self.answered(cx, "failure", true),
            52 => {
                self.known = self.attempt.as_ref().map(|attempt| (attempt.user.clone(), attempt.password.clone()));
                self.answered(cx, "success", true);
            }
            // INFO_RESPONSE of keyboard-interactive: what was typed.
            61 => {
                if reader.be_u32()? > 0
                    && let Some(attempt) = &mut self.attempt
                {
                    attempt.password = Some(text(&mut reader)?);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The attempt ended; a password tried is told.
    fn answered(&mut self, cx: &mut Cx<'_>, outcome: &str, is_answer: bool) {
        let Some(Attempt { common, user, password: Some(password) }) = self.attempt.take() else { return };
        let id = secrets::id(password.as_bytes());
        let row = Credentials {
            protocol: Some("ssh"),
            kind: Some("password"),
            username: Some(&user),
            secret: Some(&password),
            secret_id: id.as_deref(),
            secret_length: u32::try_from(password.chars().count()).ok(),
            encrypted: Some(true),
            outcome: Some(outcome),
            outcome_frame: is_answer.then_some(cx.frame),
            ..Credentials::default()
        };
        cx.emit_as(&common, row);
    }

    /// Nothing more comes.
    pub fn close(&mut self, cx: &mut Cx<'_>) {
        self.answered(cx, "unknown", false);
    }
}

fn text(reader: &mut Reader<'_>) -> Wire<String> {
    let length = reader.be_u32()? as usize;
    let octets = reader.take(length)?;
    Ok(String::from_utf8_lossy(octets.get(..octets.len().min(MAX_TEXT)).unwrap_or_default()).into_owned())
}
