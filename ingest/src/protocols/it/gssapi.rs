//! Security tokens that other protocols carry: GSS-API (RFC 2743), SPNEGO (RFC 4178, MS-SPNG), and what is in them.
//!
//! # For dissectors that carry logins
//!
//! Keep one [`Exchange`] for each login that can be under way: one a connection (HTTP, LDAP, mail, RDP), one a session
//! where several share a connection (SMB: by session id; DCE/RPC: by auth context id). It is small while nothing happens.
//!
//! 1. Hand every blob of both sides to [`token`], decoded from base64 where the carrier uses that. Bare NTLMSSP, bare
//!    Kerberos, GSS-API and SPNEGO are told apart by their content; anything else is passed over. Rows of `ntlm` are
//!    and `kerberos` are written here, and those of `credentials` for what can be cracked.
//! 2. When the carrier says how the login ended, call [`outcome`]: the login's last message waits for it, and its row
//!    gets `success` and `status`. Do not call it for answers that only go on with the login
//!    (STATUS_MORE_PROCESSING_REQUIRED, saslBindInProgress, a 401 that brings a challenge): hand over their token.
//! 3. In `close`, and where a login is given up, call [`close`].
//!
//! ```text
//! gssapi::token(cx, "smb", &mut session.login, blob);
//! if let Some(account) = session.login.account() { .. }
//! gssapi::outcome(cx, &mut session.login, status == 0, Some("STATUS_LOGON_FAILURE"));
//! ```

use pcapper_schema::Common;

use super::{kerberos, ntlm};
use crate::protocols::Cx;
use crate::protocols::ber::{self, tag};
use crate::wire::{Malformed, Reader, Wire};

/// SPNEGO, 1.3.6.1.5.5.2.
const SPNEGO: &[u8] = &[0x2b, 6, 1, 5, 5, 2];
/// A token within a token within a token is the most that is made.
const MAX_DEPTH: u8 = 4;

/// Tags of tokens.
mod token_tag {
    /// RFC 2743, 3.1: an object identifier, then the mechanism's own.
    pub const INITIAL: u8 = 0x60;
    /// RFC 4178, 4.2: NegTokenInit and NegTokenResp.
    pub const NEGOTIATE: u8 = 0xa0;
    pub const RESPONSE: u8 = 0xa1;
}

/// Who logs a user in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mechanism {
    Ntlm,
    Kerberos,
}

/// One login under way; see the [module's own text](self).
#[derive(Default, Debug)]
pub struct Exchange {
    ntlm: ntlm::Login,
    kerberos: kerberos::Conversation,
    /// What the acceptor said in SPNEGO since the login's last message.
    accepted: Option<bool>,
}

impl Exchange {
    /// A login's last message was seen; the carrier has not said how it ended.
    pub fn is_pending(&self) -> bool {
        self.ntlm.is_pending() || self.kerberos.is_pending()
    }

    /// Who the NTLM login that waits for its [`outcome`] says to be; a Kerberos ticket hides its owner.
    pub fn identity(&self) -> Option<ntlm::Identity> {
        self.ntlm.identity()
    }

    /// Account of that login: `DOMAIN\user`, or the user alone; `None` if it is anonymous.
    pub fn account(&self) -> Option<String> {
        let identity = self.ntlm.identity()?;
        let user = identity.user?;
        Some(match identity.domain {
            Some(domain) => format!("{domain}\\{user}"),
            None => user,
        })
    }
}

/// Takes a token that side `cx.dir` sent within `carrier` (the name of its table); says whose it is, if it is anyone's.
pub fn token(cx: &mut Cx<'_>, carrier: &'static str, exchange: &mut Exchange, bytes: &[u8]) -> Option<Mechanism> {
    let common = cx.common(cx.dir);
    token_as(cx, &common, carrier, exchange, bytes)
}

/// As [`token`], for a message that ended in another frame than the current one.
pub fn token_as(cx: &mut Cx<'_>, common: &Common, carrier: &'static str, exchange: &mut Exchange, bytes: &[u8]) -> Option<Mechanism> {
    let Ok(found) = unwrap(bytes) else {
        cx.anomaly(carrier, "bad_length", "a security token ends early or contradicts itself");
        return None;
    };
    let mechanism = found.inner.and_then(|inner| {
        if exchange.ntlm.message(cx, common, carrier, inner) {
            return Some(Mechanism::Ntlm);
        }
        let message = kerberos_message(inner);
        exchange.kerberos.message(cx, common, carrier, "tcp", message).then_some(Mechanism::Kerberos)
    });
    exchange.accepted = match found.state {
        Some(0) => Some(true),
        Some(2) => Some(false),
        _ if mechanism.is_some() => None,
        _ => exchange.accepted,
    };
    mechanism
}

/// The carrier's answer told how the login ended: `status` is its word for it (`STATUS_LOGON_FAILURE`, `401`). An answer
/// that leaves open whether the login was good has `None` for `success`.
pub fn outcome(cx: &mut Cx<'_>, exchange: &mut Exchange, success: impl Into<Option<bool>>, status: Option<&str>) {
    let said = exchange.accepted.take();
    let frame = Some(cx.frame);
    let success = success.into().or(said);
    exchange.ntlm.settle(cx, ntlm::Outcome { success, status, frame });
    exchange.kerberos.outcome(cx, success, frame);
}

/// The login ends without an answer: what waits is written.
pub fn close(cx: &mut Cx<'_>, exchange: &mut Exchange) {
    let success = exchange.accepted.take();
    exchange.ntlm.settle(cx, ntlm::Outcome { success, ..ntlm::Outcome::default() });
    exchange.kerberos.outcome(cx, success, None);
}

/// The message behind the two octets that name a token of Kerberos (RFC 4121, 4.1), which some senders leave out.
fn kerberos_message(token: &[u8]) -> &[u8] {
    match token {
        [1..=3, 0, message @ ..] => message,
        _ => token,
    }
}

/// What a token holds.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Found<'a> {
    /// The mechanism's own token.
    inner: Option<&'a [u8]>,
    /// SPNEGO's state: 0 accept-completed, 1 accept-incomplete, 2 reject, 3 request-mic.
    state: Option<u8>,
}

/// Takes a mechanism's token out of its wrappings.
fn unwrap(bytes: &[u8]) -> Wire<Found<'_>> {
    let mut found = Found::default();
    let mut inner = bytes;
    for _ in 0..MAX_DEPTH {
        let mut reader = Reader::new(inner);
        match inner.first() {
            Some(&token_tag::INITIAL) => {
                let mut content = Reader::new(ber::expect(&mut reader, token_tag::INITIAL)?);
                let mechanism = ber::expect(&mut content, tag::OID)?;
                if mechanism != SPNEGO {
                    found.inner = Some(content.rest()).filter(|rest| !rest.is_empty());
                    return Ok(found);
                }
                inner = content.rest();
            }
            Some(&(token_tag::NEGOTIATE | token_tag::RESPONSE)) => {
                let (kind, content) = ber::element(&mut reader)?;
                let mut fields = Reader::new(ber::expect(&mut Reader::new(content), tag::SEQUENCE)?);
                let mut next = None;
                while !fields.is_empty() {
                    let (field, value) = ber::element(&mut fields)?;
                    let mut value = Reader::new(value);
                    match (kind, field) {
                        (_, 0xa2) => next = Some(ber::expect(&mut value, tag::OCTET_STRING)?),
                        (token_tag::RESPONSE, 0xa0) => {
                            // ENUMERATED of one octet.
                            let state = ber::expect(&mut value, 0x0a)?;
                            found.state = Some(*state.first().ok_or(Malformed)?);
                        }
                        _ => {}
                    }
                }
                match next {
                    Some(next) => inner = next,
                    None => return Ok(found),
                }
            }
            Some(_) => {
                found.inner = Some(inner);
                return Ok(found);
            }
            None => return Ok(found),
        }
    }
    Err(Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An element with a short length.
    fn element(tag: u8, content: &[u8]) -> Vec<u8> {
        [&[tag, u8::try_from(content.len()).unwrap()], content].concat()
    }

    #[test]
    fn wrapped_bare_and_empty() {
        let bare = b"NTLMSSP\0\x01\0\0\0";
        assert_eq!(unwrap(bare), Ok(Found { inner: Some(bare), state: None }));
        let mechanisms = element(0xa0, &element(0x30, &element(0x06, &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 2, 2, 10])));
        let fields = [mechanisms, element(0xa2, &element(0x04, bare))].concat();
        let init = element(0x60, &[element(0x06, SPNEGO), element(0xa0, &element(0x30, &fields))].concat());
        assert_eq!(unwrap(&init), Ok(Found { inner: Some(bare), state: None }));
        let done = element(0xa1, &element(0x30, &element(0xa0, &element(0x0a, &[0]))));
        assert_eq!(unwrap(&done), Ok(Found { inner: None, state: Some(0) }));
        assert_eq!(unwrap(&[]), Ok(Found::default()));
        assert!(unwrap(&[0x60, 5, 6]).is_err());
    }
}
