//! Values of a message's head and form that are read as text: tokens, secrets by name, flags, PowerShell.

use pcapper_schema::{Common, TableSet};

use super::body::Content;
use super::head::{Head, Name};
use crate::text::{self, Kept, Place};

/// Octets of a form that are kept for reading.
pub const FORM_BYTES: usize = 32 << 10;
/// Longest value that is read.
const MAX_VALUE: usize = 16 << 10;

/// Headers whose values are formal, or ids that name a resource: nothing in them is written to be decoded.
static FORMAL: &[&str] = &[
    "accept",
    "accept-encoding",
    "accept-charset",
    "accept-ranges",
    "age",
    "allow",
    "alt-svc",
    "cache-control",
    "connection",
    "content-md5",
    "date",
    "dnt",
    "etag",
    "expect",
    "expires",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "last-modified",
    "link",
    "nel",
    "p3p",
    "pragma",
    "priority",
    "proxy-connection",
    "public-key-pins",
    "report-to",
    "retry-after",
    "te",
    "timing-allow-origin",
    "trailer",
    "vary",
    "x-powered-by",
    "x-cache",
    "x-amz-cf-id",
    "x-amz-id-2",
    "x-amz-request-id",
    "x-request-id",
    "sec-websocket-accept",
];

/// Whether a body is a form whose fields are read one by one.
pub fn is_form(head: &Head) -> bool {
    head.is_request()
        && head.get(Name::ContentType).is_some_and(|kind| starts(kind, "application/x-www-form-urlencoded") || starts(kind, "multipart/"))
}

fn starts(text: &str, with: &str) -> bool {
    text.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with))
}

/// Reads a message whose row was written.
pub fn take(tables: &mut TableSet, common: &Common, head: &Head, content: &Content) {
    let mut kept = Kept::default();
    let kept = &mut kept;
    if head.is_request() {
        if let Some(agent) = head.get(Name::UserAgent) {
            let url = super::row::url(head);
            text::powershell_agent(tables, common, agent, url.as_deref());
        }
        if let Some(target) = head.target().filter(|target| target.len() <= MAX_VALUE) {
            match target.split_once('?') {
                Some((path, query)) => {
                    one(tables, kept, common, "http_path", None, path);
                    pairs(tables, kept, common, "http_query", query, '&');
                }
                None => one(tables, kept, common, "http_path", None, target),
            }
        }
    }
    for (known, name, value) in head.fields() {
        if value.len() > MAX_VALUE {
            continue;
        }
        match known {
            Some(Name::Authorization | Name::ProxyAuthorization) if head.is_request() => authorization(tables, kept, common, name, value),
            Some(Name::Cookie) => pairs(tables, kept, common, "cookie", value, ';'),
            Some(Name::SetCookie) => {
                let pair = value.split(';').next().unwrap_or_default();
                pairs(tables, kept, common, "cookie", pair, ';');
            }
            Some(Name::UserAgent | Name::Referer) => one(tables, kept, common, &context_of(name), Some(name), value),
            Some(_) => {}
            None => {
                let lower = name.to_ascii_lowercase();
                if FORMAL.contains(&lower.as_str()) || lower.starts_with("access-control-") || lower.starts_with("sec-") {
                    continue;
                }
                let context = format!("http_header:{lower}");
                let place = Place { key: Some(name), ..Place::new(common, &context, "http") };
                text::parameter(tables, kept, place, value);
                text::value(tables, kept, place, value);
            }
        }
    }
    if is_form(head) {
        let octets = if content.kept().is_empty() { content.first_bytes() } else { content.kept() };
        let form = String::from_utf8_lossy(octets);
        if head.get(Name::ContentType).is_some_and(|kind| starts(kind, "application/x-www")) {
            pairs(tables, kept, common, "http_form", &form, '&');
        } else {
            text::body(tables, Place::new(common, "http_form", "http"), octets, content.decoded_bytes().unwrap_or_default(), None, None);
        }
    }
}

fn context_of(name: &str) -> String {
    format!("http_header:{}", name.to_ascii_lowercase())
}

fn authorization(tables: &mut TableSet, kept: &mut Kept, common: &Common, name: &str, value: &str) {
    let Some((scheme, rest)) = value.trim().split_once(' ') else { return };
    let context = context_of(name);
    let place = Place { key: Some(name), ..Place::new(common, &context, "http") };
    if scheme.eq_ignore_ascii_case("basic") {
        text::basic(tables, kept, place, rest);
    } else if scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token") {
        text::bearer(tables, kept, place, rest);
    }
}

/// Reads `name=value` pairs.
fn pairs(tables: &mut TableSet, kept: &mut Kept, common: &Common, context: &str, text: &str, between: char) {
    for pair in text.split(between).take(128) {
        let (name, value) = pair.split_once('=').map_or((None, pair), |(name, value)| (Some(name.trim()), value.trim()));
        if value.len() >= 3 {
            let place = Place { key: name.filter(|name| name.len() <= 64), ..Place::new(common, context, "http") };
            if context != "cookie" {
                text::parameter(tables, kept, place, value);
            }
            text::value(tables, kept, place, &text::unescaped(value));
        }
    }
}

fn one(tables: &mut TableSet, kept: &mut Kept, common: &Common, context: &str, key: Option<&str>, value: &str) {
    text::value(tables, kept, Place { key, ..Place::new(common, context, "http") }, &text::unescaped(value));
}
