//! From a message to its row of `http`.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use pcapper_schema::tables::Http;
use pcapper_schema::{Common, Row as _, TableSet};

use super::body::Content;
use super::head::{Head, Name};
use super::ja4h::ja4h;
use super::pairing::Asked;
use crate::protocols::Dir;
use crate::protocols::files::{About, Follower};
use crate::protocols::it::mime;

/// Base64 as clients write it, with or without padding.
pub const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true),
);

/// What the row says of the exchange and of the way the message came.
#[derive(Clone, Copy)]
pub struct Passage<'a> {
    pub depth: Option<u32>,
    /// Responses: the request answered.
    pub asked: Option<&'a Asked>,
    /// The body's end was seen and nothing of it is missing.
    pub complete: bool,
    pub frames: u32,
}

/// Writes the row of a message.
pub fn emit(tables: &mut TableSet, common: &Common, head: &Head, content: &Content, passage: Passage<'_>) {
    let request = head.is_request();
    let Passage { depth, asked, complete, frames } = passage;
    let asked_done = asked.and_then(|asked| asked.done);
    let get = |name| head.get(name).filter(|value| !value.is_empty());

    let url = if request { url(head) } else { None };
    let filename = filename(head, content, asked);
    let (cookie_names, secret_cookie) = cookies(head);
    let credentials = get(Name::Authorization).or_else(|| get(Name::ProxyAuthorization)).filter(|_| request);
    let challenge = get(Name::WwwAuthenticate).or_else(|| get(Name::ProxyAuthenticate)).filter(|_| !request);
    let scheme = credentials.or(challenge).and_then(auth_scheme);
    let username = credentials.and_then(username);
    let realm = credentials.or(challenge).and_then(|value| parameter(value, "realm", b",;"));
    let proxied: Vec<Cow<'_, str>> = head
        .fields()
        .filter(|(known, _, _)| matches!(known, Some(Name::Proxied | Name::XForwardedFor)))
        .map(|(_, name, value)| Cow::Owned(format!("{name}: {value}")))
        .collect();
    let names: Vec<Cow<'_, str>> = head.names().map(Cow::Borrowed).collect();
    let security: Vec<Cow<'_, str>> =
        head.fields().filter(|(known, _, _)| *known == Some(Name::Security)).map(|(_, name, _)| Cow::Borrowed(name)).collect();
    let ja4h = ja4h(head);

    Http::slot(tables).push(
        common,
        Http {
            is_request: Some(request),
            trans_depth: depth,
            method: head.method(),
            uri: head.target(),
            host: get(Name::Host),
            url: url.as_deref(),
            version: head.version(),
            status_code: head.status(),
            status_msg: head.reason(),
            request_method: asked.map(|asked| &*asked.method),
            request_host: asked.and_then(|asked| asked.host.as_deref()),
            request_uri: asked.map(|asked| &*asked.target).filter(|target| !target.is_empty()),
            request_frame: asked_done.map(|(frame, _)| frame),
            response_time_ms: asked_done.and_then(|(_, asked_at)| elapsed_ms(asked_at, common.ts?)),
            user_agent: get(Name::UserAgent),
            referrer: get(Name::Referer),
            origin: get(Name::Origin),
            server: get(Name::Server),
            location: get(Name::Location),
            content_type: get(Name::ContentType),
            content_length: content_length(head),
            content_encoding: joined(head, Name::ContentEncoding).as_deref(),
            transfer_encoding: joined(head, Name::TransferEncoding).as_deref(),
            content_disposition: get(Name::ContentDisposition),
            filename: filename.as_deref(),
            body_bytes: Some(content.wire_bytes),
            body_bytes_decoded: content.decoded_bytes(),
            body_complete: Some(complete),
            body_mime: mime::sniff(content.first_bytes()),
            body_entropy: content.entropy(),
            range: get(Name::Range).or_else(|| get(Name::ContentRange)),
            cookie_names: listed(&cookie_names),
            secret_cookie: listed(&secret_cookie),
            auth_scheme: scheme.as_deref(),
            username: username.as_deref(),
            secret_authorization: credentials,
            auth_realm: realm.as_deref(),
            x_forwarded_for: joined(head, Name::XForwardedFor).as_deref(),
            proxied: listed(&proxied),
            upgrade: get(Name::Upgrade),
            websocket: Some(upgrades_to(head, "websocket") && (request || head.status() == Some(101))),
            header_names: Some(&names),
            header_count: u32::try_from(head.len()).ok(),
            header_bytes: Some(head.wire_bytes),
            security_headers: Some(&security[..]).filter(|_| !request),
            ja4h: ja4h.as_deref(),
            frames_spanned: Some(frames),
        },
    );
}

/// Writes the row of the file that a body was.
pub fn emit_file(tables: &mut TableSet, common: &Common, sender: Dir, head: &Head, content: &Content, file: Follower, passage: Passage<'_>) {
    let name = filename(head, content, passage.asked);
    let declared = head.get(Name::ContentType).and_then(|kind| kind.split(';').next()).map(str::trim_ascii).filter(|kind| !kind.is_empty());
    // Of a coded body, the length on the wire says nothing of the file's; a part (RFC 9110, 14) says how long the whole is.
    let part = (head.status() == Some(206)).then(|| head.get(Name::ContentRange)).flatten();
    let total = match part {
        Some(range) => range.rsplit_once('/').and_then(|(_, total)| total.trim_ascii().parse().ok()),
        None => content_length(head).filter(|_| head.get(Name::ContentEncoding).is_none()),
    };
    let about = About { source: "http", filename: name.as_deref(), declared_mime: declared, total_bytes: total, stream_offset: None };
    let direction = if sender == Dir::Orig { "upload" } else { "download" };
    file.write(tables, common, direction, about, passage.complete);
}

/// An empty list is nothing that the wire carried.
fn listed<'a, 'b>(list: &'a [Cow<'b, str>]) -> Option<&'a [Cow<'b, str>]> {
    Some(list).filter(|list| !list.is_empty())
}

/// The fields of that name as one (RFC 9110, 5.3).
fn joined(head: &Head, name: Name) -> Option<Cow<'_, str>> {
    let mut values = head.all(name).filter(|value| !value.is_empty());
    let first = values.next()?;
    Some(values.fold(Cow::Borrowed(first), |whole, value| Cow::Owned(format!("{whole}, {value}"))))
}

/// From request to response; `None` if the clock went backwards.
fn elapsed_ms(from: i64, to: i64) -> Option<f64> {
    let nanoseconds = to.saturating_sub(from);
    (nanoseconds >= 0).then_some(nanoseconds as f64 / 1e6)
}

/// The Upgrade field names this protocol (RFC 9110, 7.8).
pub fn upgrades_to(head: &Head, protocol: &str) -> bool {
    let offers = head.all(Name::Upgrade).flat_map(|value| value.split(','));
    offers.map(|offer| offer.split('/').next().unwrap_or_default().trim_ascii()).any(|offer| offer.eq_ignore_ascii_case(protocol))
}

/// Content-Length; a list of equal numbers is one (RFC 9110, 8.6), and of several fields the last counts.
pub fn content_length(head: &Head) -> Option<u64> {
    head.all(Name::ContentLength).filter_map(equal_numbers).last()
}

fn equal_numbers(value: &str) -> Option<u64> {
    let mut numbers = value.split(',').map(str::trim_ascii);
    let first = numbers.next()?;
    if first.is_empty() || !first.bytes().all(|octet| octet.is_ascii_digit()) || numbers.any(|other| other != first) {
        return None;
    }
    first.parse().ok()
}

/// The absolute URL of a request (RFC 9112, 3.3).
pub fn url(head: &Head) -> Option<Cow<'_, str>> {
    let target = head.target()?;
    if is_absolute(target) {
        return Some(Cow::Borrowed(target));
    }
    let host = head.get(Name::Host).filter(|host| !host.is_empty())?;
    if head.method() == Some("CONNECT") {
        return Some(Cow::Borrowed(target));
    }
    let path = if target == "*" { "" } else { target };
    Some(Cow::Owned(format!("http://{host}{path}")))
}

/// Starts with a scheme and an authority.
fn is_absolute(target: &str) -> bool {
    target.split_once("://").is_some_and(|(scheme, _)| {
        scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && scheme.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"+-.".contains(&octet))
    })
}

/// Names of the cookies, and the fields that hold them.
fn cookies(head: &Head) -> (Vec<Cow<'_, str>>, Vec<Cow<'_, str>>) {
    let (mut names, mut whole) = (Vec::new(), Vec::new());
    for (known, _, value) in head.fields() {
        let pairs = match known {
            Some(Name::Cookie) => usize::MAX,
            // What follows the first pair are attributes (RFC 6265, 4.1).
            Some(Name::SetCookie) => 1,
            _ => continue,
        };
        whole.push(Cow::Borrowed(value));
        let found = value.split(';').take(pairs).map(|pair| pair.split('=').next().unwrap_or_default().trim_ascii());
        names.extend(found.filter(|name| !name.is_empty()).map(Cow::Borrowed));
    }
    (names, whole)
}

/// First word of credentials or of a challenge, in lower case.
fn auth_scheme(value: &str) -> Option<String> {
    let scheme = value.split([' ', ',']).next()?;
    let is_token = scheme.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.'));
    (is_token && !scheme.is_empty()).then(|| scheme.to_ascii_lowercase())
}

/// User of Basic (RFC 7617) or Digest (RFC 7616).
pub fn username(credentials: &str) -> Option<String> {
    let (scheme, rest) = credentials.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("basic") {
        let decoded = BASE64.decode(rest.trim_ascii()).ok()?;
        let colon = decoded.iter().position(|&octet| octet == b':')?;
        return Some(String::from_utf8_lossy(decoded.get(..colon)?).into_owned());
    }
    if scheme.eq_ignore_ascii_case("digest") {
        return parameter(rest, "username", b",").or_else(|| extended(&parameter(rest, "username*", b",")?));
    }
    None
}

/// Value of a `name=value` or `name="value"` parameter (RFC 9110, 5.6.6); unquoted values end at one of `ends`.
pub fn parameter(text: &str, wanted: &str, ends: &[u8]) -> Option<String> {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',', ';']);
        let name_end = rest.find(['=', ' ', '\t', ',', ';'])?;
        let (name, after) = rest.split_at_checked(name_end)?;
        let Some(value) = after.trim_ascii_start().strip_prefix('=') else {
            rest = after;
            continue;
        };
        let value = value.trim_ascii_start();
        let (value, after) = match value.strip_prefix('"') {
            Some(quoted) => unquote(quoted),
            None => {
                let end = value.bytes().position(|octet| ends.contains(&octet)).unwrap_or(value.len());
                let (value, after) = value.split_at_checked(end)?;
                (Cow::Borrowed(value.trim_ascii_end()), after)
            }
        };
        if name.eq_ignore_ascii_case(wanted) {
            return Some(value.into_owned()).filter(|value| !value.is_empty());
        }
        rest = after;
    }
}

/// A quoted string behind its opening quote, and what follows it.
fn unquote(text: &str) -> (Cow<'_, str>, &str) {
    let mut value = String::new();
    let mut escaped = false;
    for (at, letter) in text.char_indices() {
        match letter {
            '"' if !escaped => return (Cow::Owned(value), text.get(at + 1..).unwrap_or_default()),
            '\\' if !escaped => escaped = true,
            _ => {
                // Old browsers send Windows paths: a backslash before a letter is itself.
                if escaped && !matches!(letter, '"' | '\\') {
                    value.push('\\');
                }
                escaped = false;
                value.push(letter);
            }
        }
    }
    (Cow::Owned(value), "")
}

/// Value of an extended parameter: charset, language, percent-encoded text (RFC 8187, 3.2).
fn extended(value: &str) -> Option<String> {
    let mut parts = value.splitn(3, '\'');
    let (charset, _, text) = (parts.next()?, parts.next()?, parts.next()?);
    let octets = percent_decoded(text);
    Some(if charset.eq_ignore_ascii_case("iso-8859-1") {
        octets.into_iter().map(char::from).collect()
    } else {
        String::from_utf8_lossy(&octets).into_owned()
    })
}

pub fn percent_decoded(text: &str) -> Vec<u8> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = |octet: &u8| char::from(*octet).to_digit(16);
        if let (b'%', [high, low, behind @ ..]) = (first, after)
            && let (Some(high), Some(low)) = (hex(high), hex(low))
        {
            octets.push((high << 4 | low) as u8);
            rest = behind;
        } else {
            octets.push(first);
            rest = after;
        }
    }
    octets
}

/// Name of the file that a body holds: as told by Content-Disposition, by the first part of a form, or by the URL.
fn filename(head: &Head, content: &Content, asked: Option<&Asked>) -> Option<String> {
    if let Some(name) = head.get(Name::ContentDisposition).and_then(disposition_name) {
        return Some(name);
    }
    let target = match asked {
        Some(asked) => &*asked.target,
        None => {
            if head.get(Name::ContentType).is_some_and(|kind| kind.get(..10).is_some_and(|kind| kind.eq_ignore_ascii_case("multipart/"))) {
                return part_name(content.first_bytes());
            }
            // What other methods send is not the resource that the target names.
            head.target().filter(|_| head.method() == Some("PUT"))?
        }
    };
    // An error page is not what was asked for.
    let is_it = head.is_request() || head.status().is_none_or(|status| (200..300).contains(&status));
    if content.wire_bytes == 0 || !is_it {
        return None;
    }
    let path = target.split(['?', '#']).next()?;
    let path = if is_absolute(path) { path.split_once("://")?.1 } else { path };
    let (_, name) = path.rsplit_once('/')?;
    (!name.is_empty()).then(|| String::from_utf8_lossy(&percent_decoded(name)).into_owned())
}

/// File name of a Content-Disposition (RFC 6266, 4.3): the extended form first.
fn disposition_name(value: &str) -> Option<String> {
    parameter(value, "filename*", b";").and_then(|name| extended(&name)).or_else(|| parameter(value, "filename", b";"))
}

/// File name of the first part of a form that has one (RFC 7578, 4.2).
fn part_name(first: &[u8]) -> Option<String> {
    const FIELD: &[u8] = b"content-disposition:";
    let lines = first.split(|&octet| octet == b'\n').filter(|line| line.get(..FIELD.len()).is_some_and(|name| name.eq_ignore_ascii_case(FIELD)));
    lines.filter_map(|line| disposition_name(&String::from_utf8_lossy(line.get(FIELD.len()..)?.trim_ascii()))).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters() {
        let digest = r#"Digest realm="a \"b\", c", username="Mufasa", qop=auth, nc=1"#;
        assert_eq!(parameter(digest, "realm", b",").as_deref(), Some(r#"a "b", c"#));
        assert_eq!(username(digest).as_deref(), Some("Mufasa"));
        assert_eq!(parameter(digest, "qop", b",").as_deref(), Some("auth"));
        assert_eq!(username("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ").as_deref(), Some("Aladdin"));
        assert_eq!(username("Basic ???"), None);
        assert_eq!(auth_scheme("NTLM").as_deref(), Some("ntlm"));
    }

    #[test]
    fn file_names() {
        assert_eq!(disposition_name("attachment; filename=a b.txt; size=3").as_deref(), Some("a b.txt"));
        assert_eq!(disposition_name("attachment; filename=\"x\"; filename*=UTF-8''%e2%82%ac.exe").as_deref(), Some("€.exe"));
        assert_eq!(disposition_name("form-data; name=\"f\"; filename=\"C:\\dir\\a.exe\"").as_deref(), Some("C:\\dir\\a.exe"));
        assert_eq!(disposition_name("inline"), None);
        let form = b"--x\r\nContent-Disposition: form-data; name=\"id\"\r\n\r\n1\r\n--x\r\ncontent-disposition: form-data; name=\"f\"; filename=\"a.exe\"\r\n";
        assert_eq!(part_name(form).as_deref(), Some("a.exe"));
    }

    #[test]
    fn lengths() {
        assert_eq!(equal_numbers("80, 80"), Some(80));
        assert_eq!(equal_numbers("80, 81"), None);
        assert_eq!(equal_numbers("-1"), None);
        assert_eq!(equal_numbers("99999999999999999999"), None);
    }
}
