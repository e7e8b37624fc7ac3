//! Logins in messages: Authorization and its proxies' kin (RFC 9110, 11), with Basic (RFC 7617), Digest (RFC 7616), Bearer
//! (RFC 6750), NTLM and Negotiate (RFC 4559), and the fields of login forms.
//!
//! A login is written when the response to its request tells how it ended, or when the connection closes. One that a
//! connection repeats with the same end is written once.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::hash::BuildHasher as _;

use base64::Engine as _;
use pcapper_schema::Common;
use pcapper_schema::tables::Credentials;
use rustc_hash::FxBuildHasher;

use super::body::Content;
use super::head::{Head, Name};
use super::row::{BASE64, Passage, parameter, percent_decoded, username};
use crate::protocols::it::gssapi;
use crate::protocols::{Cx, secrets};

/// Logins of a connection that wait for their response, and those remembered as written.
const MAX_OPEN: usize = 64;
const MAX_TOLD: usize = 256;
/// Longest name or secret that is taken for one, bytes.
const MAX_SECRET: usize = 1 << 14;

/// Names of fields of forms that hold an account.
const USER_FIELDS: &[&str] = &[
    "user",
    "username",
    "user_name",
    "userid",
    "user_id",
    "uname",
    "login",
    "loginname",
    "login_name",
    "log",
    "email",
    "account",
    "uid",
    "usr",
    "j_username",
    "user[login]",
    "user[email]",
    "session[username]",
    "os_username",
    "ctl00$username",
];
/// Names of those that hold a password.
const PASSWORD_FIELDS: &[&str] = &[
    "password",
    "pass",
    "passwd",
    "pwd",
    "passw",
    "passphrase",
    "pword",
    "userpassword",
    "user_password",
    "loginpassword",
    "login_password",
    "j_password",
    "user[password]",
    "session[password]",
    "os_password",
    "psw",
    "pswd",
];

/// What a connection's messages said of logins.
#[derive(Default)]
pub struct Logins {
    /// Of the origin server and of the proxy, with the number of the request that holds the last token.
    exchanges: [(gssapi::Exchange, Option<u32>); 2],
    open: VecDeque<Shown>,
    told: Vec<u64>,
}

/// A secret in a request.
struct Shown {
    common: Common,
    depth: Option<u32>,
    kind: &'static str,
    user: Option<String>,
    secret: Option<String>,
    realm: Option<String>,
    service: Option<Box<str>>,
    field: Cow<'static, str>,
}

/// Takes a message whose row was written.
pub fn take(logins: &mut Option<Box<Logins>>, cx: &mut Cx<'_>, common: &Common, head: &Head, content: &Content, passage: Passage<'_>) {
    if head.is_request() {
        for (place, name, field) in [(0, Name::Authorization, "Authorization"), (1, Name::ProxyAuthorization, "Proxy-Authorization")] {
            if let Some(value) = head.get(name) {
                logins.get_or_insert_default().authorization(cx, common, head, passage.depth, (place, field, value));
            }
        }
        if let Some(shown) = form(common, head, content, passage) {
            logins.get_or_insert_default().show(cx, shown);
        }
    } else {
        for (place, name) in [(0, Name::WwwAuthenticate), (1, Name::ProxyAuthenticate)] {
            for value in head.all(name) {
                if let Some(token) = token(value)
                    && let Some((exchange, _)) = logins.get_or_insert_default().exchanges.get_mut(place)
                {
                    gssapi::token_as(cx, common, "http", exchange, &token);
                }
            }
        }
        if let Some(logins) = logins {
            logins.answered(cx, head, passage.asked.map(|asked| asked.depth));
        }
    }
}

impl Logins {
    fn authorization(
        &mut self,
        cx: &mut Cx<'_>,
        common: &Common,
        head: &Head,
        depth: Option<u32>,
        (place, field, value): (usize, &'static str, &str),
    ) {
        if let Some(token) = token(value) {
            if let Some((exchange, last)) = self.exchanges.get_mut(place) {
                *last = depth;
                gssapi::token_as(cx, common, "http", exchange, &token);
            }
            return;
        }
        let Some((scheme, rest)) = value.split_once(' ') else { return };
        let rest = rest.trim_ascii();
        let (kind, user, secret, realm) = if scheme.eq_ignore_ascii_case("basic") {
            let Ok(decoded) = BASE64.decode(rest) else { return };
            let Some(colon) = decoded.iter().position(|&octet| octet == b':') else { return };
            let (user, secret) = decoded.split_at(colon);
            ("basic", Some(readable(user)), Some(readable(secret.get(1..).unwrap_or_default())), None)
        } else if scheme.eq_ignore_ascii_case("digest") {
            ("digest", username(value), None, parameter(rest, "realm", b","))
        } else if scheme.eq_ignore_ascii_case("bearer") {
            ("bearer", None, Some(rest.to_owned()), None)
        } else {
            return;
        };
        let service = head.get(Name::Host).filter(|host| !host.is_empty()).map(Into::into);
        self.show(cx, Shown { common: *common, depth, kind, user, secret, realm, service, field: Cow::Borrowed(field) });
    }

    fn show(&mut self, cx: &mut Cx<'_>, shown: Shown) {
        let long = |text: &Option<String>| text.as_ref().is_some_and(|text| text.len() > MAX_SECRET);
        if long(&shown.user) || long(&shown.secret) {
            return;
        }
        if self.open.len() >= MAX_OPEN
            && let Some(oldest) = self.open.pop_front()
        {
            self.tell(cx, &oldest, "unknown", None, None);
        }
        self.open.push_back(shown);
    }

    /// A response to request number `depth` came.
    fn answered(&mut self, cx: &mut Cx<'_>, head: &Head, depth: Option<u32>) {
        let Some(status) = head.status().filter(|&status| status >= 200) else { return };
        let text = status.to_string();
        let success = match status {
            401 | 407 => Some(false),
            // Authorization and existence are judged after authentication.
            200..=399 | 403 | 404 => Some(true),
            _ => None,
        };
        for (exchange, asked) in &mut self.exchanges {
            if exchange.is_pending() && (depth.is_none() || *asked == depth) {
                gssapi::outcome(cx, exchange, success, Some(&text));
            }
        }
        let Some(depth) = depth else { return };
        while let Some(at) = self.open.iter().position(|shown| shown.depth == Some(depth)) {
            let Some(mut shown) = self.open.remove(at) else { return };
            let challenge = head.get(if status == 407 { Name::ProxyAuthenticate } else { Name::WwwAuthenticate });
            if shown.realm.is_none() && matches!(status, 401 | 407) && shown.kind != "form" {
                shown.realm = challenge.and_then(|value| parameter(value.split_once(' ')?.1, "realm", b",;"));
            }
            let outcome = match (status, shown.kind) {
                (401 | 407, _) | (403, "form") => "failure",
                // A form's answer says in words what became of it.
                (200..=399, "basic" | "digest" | "bearer") => "success",
                _ => "unknown",
            };
            self.tell(cx, &shown, outcome, Some(cx.frame).filter(|_| outcome != "unknown"), Some(status));
        }
    }

    fn tell(&mut self, cx: &mut Cx<'_>, shown: &Shown, outcome: &'static str, frame: Option<u64>, status: Option<u16>) {
        let seen = FxBuildHasher.hash_one((shown.kind, &shown.user, &shown.secret, &shown.service, outcome, status.is_some()));
        if self.told.contains(&seen) {
            return;
        }
        if self.told.len() < MAX_TOLD {
            self.told.push(seen);
        }
        let id = shown.secret.as_ref().and_then(|secret| secrets::id(secret.as_bytes()));
        cx.emit_as(
            &shown.common,
            Credentials {
                protocol: Some("http"),
                kind: Some(shown.kind),
                username: shown.user.as_deref(),
                domain: shown.realm.as_deref(),
                secret: shown.secret.as_deref(),
                secret_id: id.as_deref(),
                secret_length: shown.secret.as_ref().and_then(|secret| u32::try_from(secret.chars().count()).ok()),
                service: shown.service.as_deref(),
                encrypted: Some(cx.is_decrypted()),
                outcome: Some(outcome),
                outcome_frame: frame,
                field: Some(&shown.field),
                ..Credentials::default()
            },
        );
    }

    /// The connection ends: writes what waits.
    pub fn close(&mut self, cx: &mut Cx<'_>) {
        for (exchange, _) in &mut self.exchanges {
            gssapi::close(cx, exchange);
        }
        while let Some(shown) = self.open.pop_front() {
            self.tell(cx, &shown, "unknown", None, None);
        }
    }
}

/// The token of `NTLM base64` or `Negotiate base64`.
fn token(value: &str) -> Option<Vec<u8>> {
    let (scheme, rest) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("ntlm") && !scheme.eq_ignore_ascii_case("negotiate") {
        return None;
    }
    let rest = rest.split([',', ' ']).find(|part| !part.is_empty())?;
    BASE64.decode(rest).ok()
}

/// As UTF-8 where it is that, else as ISO 8859-1 (RFC 7617, 2.1).
fn readable(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|&octet| char::from(octet)).collect(),
    }
}

/// Account and password of a form in a request's body, or in the query of its target.
fn form(common: &Common, head: &Head, content: &Content, passage: Passage<'_>) -> Option<Shown> {
    let query = head.target()?.split_once('?').map(|(_, query)| query);
    let kind = head.get(Name::ContentType).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim_ascii();
    let body = content.first_bytes();
    let (user, (name, secret), place) = if kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") && !body.is_empty() {
        let whole = content.decoded_bytes() == Some(body.len() as u64);
        let text = String::from_utf8_lossy(body);
        let (user, secret) = pairs(&text, whole);
        (user, secret?, "form field")
    } else if kind.eq_ignore_ascii_case("multipart/form-data") {
        let (user, secret) = parts(&String::from_utf8_lossy(body));
        (user, secret?, "form field")
    } else if kind.eq_ignore_ascii_case("application/json") && !body.is_empty() {
        let serde_json::Value::Object(members) = serde_json::from_slice(body).ok()? else { return None };
        let find = |names: &[&str]| {
            let found = members.iter().find(|(name, value)| is_one_of(name, names) && value.as_str().is_some_and(|text| !text.is_empty()));
            found.and_then(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        };
        (find(USER_FIELDS).map(|(_, value)| value), find(PASSWORD_FIELDS)?, "JSON member")
    } else {
        // A parameter that is only named like a password is none without its account.
        let (user, secret) = pairs(query?, true);
        (Some(user?), secret?, "query parameter")
    };
    let service = head.get(Name::Host).filter(|host| !host.is_empty()).map(Into::into);
    Some(Shown {
        common: *common,
        depth: passage.depth,
        kind: "form",
        user,
        secret: Some(secret),
        realm: None,
        service,
        field: Cow::Owned(format!("{place} {name}")),
    })
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Account, and name and value of the password, among pairs joined by `&`. The last pair is cut if not `whole`.
fn pairs(text: &str, whole: bool) -> (Option<String>, Option<(String, String)>) {
    let (mut user, mut secret) = (None, None);
    let mut rest = Some(text);
    while let Some(text) = rest {
        let (pair, after) = text.split_once('&').map_or((text, None), |(pair, after)| (pair, Some(after)));
        rest = after;
        let Some((name, value)) = pair.split_once('=').filter(|(_, value)| !value.is_empty() && (whole || after.is_some())) else { continue };
        if name.len() > 64 || value.len() > MAX_SECRET || user.is_some() && secret.is_some() {
            continue;
        }
        let name = if name.contains(['%', '+']) { Cow::Owned(plain(name)) } else { Cow::Borrowed(name) };
        if user.is_none() && is_one_of(&name, USER_FIELDS) {
            user = Some(plain(value));
        } else if secret.is_none() && is_one_of(&name, PASSWORD_FIELDS) {
            secret = Some((name.into_owned(), plain(value)));
        }
    }
    (user, secret)
}

/// Account, and name and value of the password, among the parts of a form (RFC 7578, 4.2) that are one line each.
fn parts(text: &str) -> (Option<String>, Option<(String, String)>) {
    let (mut user, mut secret) = (None, None);
    let mut name = None;
    let mut lines = text.split_inclusive('\n').filter_map(|line| line.strip_suffix("\r\n"));
    while let Some(line) = lines.next() {
        match line.split_once(':') {
            Some((field, value)) if field.eq_ignore_ascii_case("content-disposition") => {
                let value = value.split_once(';').map_or("", |(_, parameters)| parameters);
                name = parameter(value, "name", b";").filter(|_| parameter(value, "filename", b";").is_none());
            }
            _ if line.is_empty() => {
                let Some(name) = name.take() else { continue };
                // The value is followed by the next part's boundary.
                let Some(value) = lines.next().filter(|value| !value.is_empty() && value.len() <= MAX_SECRET) else { continue };
                if user.is_none() && is_one_of(&name, USER_FIELDS) {
                    user = Some(value.to_owned());
                } else if secret.is_none() && is_one_of(&name, PASSWORD_FIELDS) {
                    secret = Some((name, value.to_owned()));
                }
            }
            _ => {}
        }
    }
    (user, secret)
}

/// Text of an encoded name or value.
fn plain(text: &str) -> String {
    readable(&percent_decoded(&text.replace('+', " ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_forms() {
        let (user, secret) = pairs("a=b&User=J%C3%B6rg+B&x&pwd=a%26b&c=", true);
        assert_eq!(user.as_deref(), Some("Jörg B"));
        assert_eq!(secret, Some(("pwd".to_owned(), "a&b".to_owned())));
        assert_eq!(pairs("user=a&pass=cut", false), (Some("a".to_owned()), None));
        assert_eq!(pairs("bypass=1&password=", true), (None, None));
    }

    #[test]
    fn parts_of_forms() {
        let form = "--x\r\nContent-Disposition: form-data; name=\"user\"\r\n\r\nanna\r\n--x\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\np\r\n--x--\r\n";
        assert_eq!(parts(form), (Some("anna".to_owned()), Some(("password".to_owned(), "p".to_owned()))));
        let file = "--x\r\nContent-Disposition: form-data; name=\"pass\"; filename=\"a\"\r\n\r\ncontent\r\n--x--\r\n";
        assert_eq!(parts(file), (None, None));
    }

    #[test]
    fn tokens() {
        assert_eq!(token("Negotiate TlRM, realm=x"), Some(b"NTL".to_vec()));
        assert_eq!(token("NTLM"), None);
        assert_eq!(token("Basic TlRM"), None);
    }
}
