//! JA4H: the fingerprint of an HTTP client by its request (FoxIO, JA4+).

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::head::{Head, Name};

/// Fingerprint of a request: method, version, whether there are cookies and a referrer, number of the other fields,
/// language; then hashes of the field names in order, of the cookies' names and of the cookies, both sorted by name.
pub fn ja4h(head: &Head) -> Option<String> {
    let method = head.method()?;
    let mut text = String::with_capacity(51);
    text.extend(method.chars().take(2).flat_map(char::to_lowercase));
    text.extend(head.version()?.chars().filter(|letter| *letter != '.').take(2));
    text.push(if head.get(Name::Cookie).is_some() { 'c' } else { 'n' });
    text.push(if head.get(Name::Referer).is_some() { 'r' } else { 'n' });

    let names = || head.fields().filter(|(known, _, _)| !matches!(known, Some(Name::Cookie | Name::Referer))).map(|(_, name, _)| name);
    // Writing into a String cannot fail.
    let _ = write!(text, "{:02}", names().count().min(99));
    language(&mut text, head.get(Name::AcceptLanguage).unwrap_or_default());
    hash(&mut text, names());

    let mut cookies: Vec<(&str, &str)> = head.all(Name::Cookie).flat_map(|value| value.split(';')).map(cookie).collect();
    cookies.sort_by_key(|(name, _)| *name);
    hash(&mut text, cookies.iter().map(|(name, _)| *name));
    hash(&mut text, cookies.iter().map(|(_, whole)| *whole));
    Some(text)
}

/// Name of a cookie, and the whole of it.
fn cookie(pair: &str) -> (&str, &str) {
    let whole = pair.trim_ascii();
    (whole.split('=').next().unwrap_or_default().trim_ascii(), whole)
}

/// First four characters of the first language, hyphens dropped, filled up with zeros.
fn language(text: &mut String, accepted: &str) {
    let first = accepted.split([',', ';']).next().unwrap_or_default().trim_ascii();
    let letters = first.chars().filter(|letter| *letter != '-').flat_map(char::to_lowercase);
    text.extend(letters.chain(std::iter::repeat('0')).take(4));
}

/// Appends `_` and the first twelve hex digits of the SHA-256 of the parts joined by commas; zeros for no parts.
fn hash<'a>(text: &mut String, parts: impl Iterator<Item = &'a str>) {
    text.push('_');
    let mut sha256 = Sha256::new();
    let mut any = false;
    for part in parts {
        if any {
            sha256.update(b",");
        }
        sha256.update(part);
        any = true;
    }
    if !any {
        return text.push_str("000000000000");
    }
    for octet in sha256.finalize().iter().take(6) {
        let _ = write!(text, "{octet:02x}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests() {
        let mut head = Head::default();
        head.parse(b"GET / HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n");
        // SHA-256 of "Host,Accept" starts with these digits.
        assert_eq!(ja4h(&head).as_deref(), Some("ge11nn020000_1af9d02f0bf7_000000000000_000000000000"));
        head.parse(b"POST / HTTP/1.0\r\nreferer: x\r\nHost: a\r\nCookie: b=2; a=1\r\nAccept-Language: da, en-GB;q=0.8\r\n\r\n");
        // Of "Host,Accept-Language", "a,b" and "a=1,b=2".
        assert_eq!(ja4h(&head).as_deref(), Some("po10cr02da00_09e340ee0db0_1eb7c54d5283_06beefe2b477"));
    }
}
