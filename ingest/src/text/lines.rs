//! Lines as strings: the indicators in them by kind, secrets that they name, and the line itself.

use std::net::IpAddr;

use pcapper_schema::TableSet;

use super::triggers::{COMMAND, Found, KEY, MAIL, PATH, SECRET, UNC, URL};
use super::{Hit, Kept, MIN_STRING, Place, string};

/// Longest plain line that is kept as a string.
const MAX_PLAIN_LINE: usize = 256;

/// Writes what the line holds.
pub fn find(tables: &mut TableSet, kept: &mut Kept, place: &Place<'_>, text: &str, found: Found) {
    let secret = if found.has(SECRET) || place.has_logins { secret_in(text, place.has_logins) } else { None };
    if let Some((until, named)) = secret {
        // Nothing behind the word that names the secret is shown.
        let value = format!("{}…", text.get(..until).unwrap_or_default());
        let kind = if named && !place.is_page { "credential" } else { "text" };
        string(tables, kept, place, Hit { kind, text: &value, secret: Some(text), ..Hit::default() });
        return;
    }
    if found.has(KEY) {
        for (at, label) in keys(text) {
            string(tables, kept, place, Hit { kind: "key", at: at as u64, text: label, secret: text.get(at..), ..Hit::default() });
        }
        if !keys(text).is_empty() {
            return;
        }
    }
    if found.has(URL) {
        for (at, url) in urls(text) {
            string(tables, kept, place, Hit { kind: "url", at: at as u64, text: url, ..Hit::default() });
        }
    }
    if found.has(MAIL) {
        for (at, address) in addresses(text) {
            string(tables, kept, place, Hit { kind: "email", at: at as u64, text: address, ..Hit::default() });
        }
    }
    if found.has(UNC) {
        for (at, path) in shares(text) {
            string(tables, kept, place, Hit { kind: "unc", at: at as u64, text: path, ..Hit::default() });
        }
    }
    if found.has(PATH) {
        for (at, path) in paths(text) {
            string(tables, kept, place, Hit { kind: "path", at: at as u64, text: path, ..Hit::default() });
        }
    }
    if found.has(COMMAND)
        && !place.is_page
        && let Some((at, command)) = command(text)
    {
        string(tables, kept, place, Hit { kind: "command", at: at as u64, text: command, ..Hit::default() });
    }
    if text.len() > MAX_PLAIN_LINE || place.is_page && text.starts_with('<') {
        return;
    }
    for (at, word) in words(text) {
        let kind = if is_address(word) {
            "ip"
        } else if is_hash(word) {
            "hash"
        } else if is_domain(word) {
            "domain"
        } else {
            continue;
        };
        string(tables, kept, place, Hit { kind, at: at as u64, text: word, ..Hit::default() });
    }
    let letters = text.bytes().filter(u8::is_ascii_alphabetic).count();
    if letters >= 4 && letters * 2 >= text.len() && !is_token(text) {
        string(tables, kept, place, Hit { kind: "text", text, ..Hit::default() });
    }
}

/// One long word of many kinds of characters: more likely encoded, and then in `encoded_strings`.
fn is_token(text: &str) -> bool {
    text.len() >= 16
        && !text.contains(' ')
        && text.bytes().any(|octet| octet.is_ascii_digit())
        && text.bytes().any(|octet| octet.is_ascii_uppercase())
}

/// Words that are followed by a secret. The first stand before `=` or `:`; the second are commands of logins.
static NAMES: &[&str] = &["password", "passwd", "passphrase", "pass", "pwd", "secret", "token", "api_key", "apikey", "api-key", "accountkey"];
static LOGINS: &[&str] = &["pass ", "acct ", "login ", "auth ", "user ", "apop ", "authenticate "];

/// Where the name of a secret ends, if the line holds one; true if a value stands behind it.
fn secret_in(text: &str, has_logins: bool) -> Option<(usize, bool)> {
    let lower = text.to_ascii_lowercase();
    if has_logins && let Some(word) = LOGINS.iter().find(|word| lower.starts_with(*word)) {
        return Some((word.len(), false));
    }
    for name in NAMES {
        let mut from = 0;
        while let Some(at) = lower.get(from..).and_then(|rest| rest.find(name)) {
            let end = from + at + name.len();
            from = end;
            // The rest of the word, as in `password_hash` or `passwords`, belongs to the name.
            let rest = lower.get(end..).unwrap_or_default();
            let more = rest.bytes().take_while(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'_' | b'-' | b'"' | b'\'' | b']')).count();
            let behind = rest.get(more..).unwrap_or_default();
            let gap = behind.len() - behind.trim_start().len();
            let behind = behind.trim_start();
            let Some(value) = behind.strip_prefix(['=', ':']).filter(|_| more <= 16 && gap <= 2) else { continue };
            let value = value.trim_start_matches([' ', '"', '\'', '=']);
            let value = value.split(['&', ' ', '"', '\'', ';', ',', '<', '>', '\t']).next().unwrap_or_default();
            if is_placeholder(value) {
                continue;
            }
            return Some((end + more + gap + 1, true));
        }
    }
    None
}

/// What stands where a secret would, and is none.
pub fn is_placeholder(value: &str) -> bool {
    let value = value.trim();
    let lower = value.to_ascii_lowercase();
    value.len() < 3
        || matches!(
            lower.as_str(),
            "null" | "none" | "true" | "false" | "undefined" | "password" | "secret" | "token" | "string" | "xxxx" | "changeme" | "example"
        )
        || value.bytes().all(|octet| matches!(octet, b'*' | b'x' | b'X' | b'.' | b'?' | b'-' | b'_'))
        || value.starts_with(['$', '{', '<', '(', '%', '[', '/', '\\'])
        || lower.starts_with("//")
}

/// Names of keys in the text, and where they stand.
fn keys(text: &str) -> Vec<(usize, &'static str)> {
    let mut found = Vec::new();
    if let Some(at) = text.find("-----BEGIN ")
        && text.get(at..).is_some_and(|rest| rest.contains("PRIVATE KEY-----"))
    {
        found.push((at, "private key"));
    }
    found.extend(super::tokens::cloud_keys(text).into_iter().map(|(at, _, label)| (at, label)));
    found
}

/// URLs, each until a character that ends one.
pub fn urls(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("://").take(32) {
        let Some(before) = text.get(..at) else { continue };
        let scheme =
            before.len() - before.bytes().rev().take_while(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'-' | b'.')).count();
        let ends = |letter: char| letter.is_whitespace() || letter.is_control() || "\"'<>\\^`{|}()[]".contains(letter) || !letter.is_ascii();
        let rest = text.get(at + 3..).unwrap_or_default();
        let length = rest.find(ends).unwrap_or(rest.len());
        if at - scheme < 2
            || at - scheme > 12
            || length < 4
            || !text.get(scheme..at).is_some_and(|name| name.starts_with(|letter: char| letter.is_ascii_alphabetic()))
        {
            continue;
        }
        if let Some(url) = text.get(scheme..at + 3 + length) {
            found.push((scheme, url.trim_end_matches(['.', '?', '!', ':', ',', ';'])));
        }
    }
    found
}

/// Mail addresses of registered domains.
fn addresses(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices('@').take(16) {
        let local = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'_' | b'-' | b'+');
        let start = at - text.as_bytes().get(..at).unwrap_or_default().iter().rev().take_while(|octet| local(octet)).count();
        let domain = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-');
        let end = at + 1 + text.as_bytes().get(at + 1..).unwrap_or_default().iter().take_while(|octet| domain(octet)).count();
        let host = text.get(at + 1..end).unwrap_or_default().trim_end_matches('.');
        if start < at
            && is_domain(host)
            && let Some(address) = text.get(start..at + 1 + host.len())
        {
            found.push((start, address));
        }
    }
    found
}

/// `\\host\share\...`, with escapes of backslashes undone by nobody.
fn shares(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("\\\\").take(8) {
        let rest = text.get(at + 2..).unwrap_or_default();
        let end = rest.find(|letter: char| letter.is_whitespace() || "\"'<>|*,;)".contains(letter)).unwrap_or(rest.len());
        let Some(path) = rest.get(..end) else { continue };
        let mut parts = path.split('\\');
        let host = parts.next().unwrap_or_default();
        let share = parts.next().unwrap_or_default();
        let named =
            |part: &str| part.len() >= 2 && part.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-' | b'_' | b'$'));
        if named(host)
            && named(share)
            && let Some(whole) = text.get(at..at + 2 + end)
        {
            found.push((at, whole));
        }
    }
    found
}

/// Paths of files: `C:\...`, and those below the usual folders of Unix.
fn paths(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let ends = |letter: char| letter.is_whitespace() || "\"'<>|*?,;)(&`".contains(letter) || letter.is_control();
    for (at, _) in text.match_indices(":\\").take(8) {
        let Some(start) = at.checked_sub(1).filter(|start| text.as_bytes().get(*start).is_some_and(u8::is_ascii_alphabetic)) else { continue };
        if start > 0 && text.as_bytes().get(start - 1).is_some_and(u8::is_ascii_alphanumeric) {
            continue;
        }
        let rest = text.get(at + 2..).unwrap_or_default();
        let end = rest.find(ends).unwrap_or(rest.len());
        if end >= 3
            && let Some(path) = text.get(start..at + 2 + end)
        {
            found.push((start, path));
        }
    }
    for folder in ["/bin/", "/etc/", "/usr/", "/var/", "/tmp/", "/home/", "/root/", "/opt/", "/sbin/", "/dev/", "/proc/"] {
        for (at, _) in text.match_indices(folder).take(4) {
            // A folder of a URL or of another path is none of the system's.
            let before = at.checked_sub(1).and_then(|before| text.as_bytes().get(before));
            if before.is_some_and(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'/' | b'.' | b'-' | b'_' | b'}' | b'~')) {
                continue;
            }
            let rest = text.get(at..).unwrap_or_default();
            let end = rest.find(ends).unwrap_or(rest.len());
            if end >= folder.len() + 2
                && let Some(path) = rest.get(..end)
            {
                found.push((at, path));
            }
        }
    }
    found
}

/// The command in a line, from its first word on.
fn command(text: &str) -> Option<(usize, &str)> {
    let lower = text.to_ascii_lowercase();
    let starts = |at: usize| at == 0 || lower.as_bytes().get(at - 1).is_some_and(|octet| !octet.is_ascii_alphanumeric());
    let word = |word: &str| lower.match_indices(word).map(|(at, _)| at).find(|at| starts(*at));
    let with = |name: &str, arguments: &[&str]| {
        word(name).filter(|at| lower.get(*at..).is_some_and(|rest| arguments.iter().any(|argument| rest.contains(argument))))
    };
    let at = with("powershell", &[" -e", " /e", " -c", " -nop", " -w", "iex"])
        .or_else(|| with("pwsh", &[" -e", " -c", " -nop"]))
        .or_else(|| {
            with("cmd", &[" /c ", " /k "]).filter(|at| lower.get(*at..).is_some_and(|rest| rest.starts_with("cmd ") || rest.starts_with("cmd.exe ")))
        })
        .or_else(|| with("/bin/sh", &[" -c", " -i"]))
        .or_else(|| with("/bin/bash", &[" -c", " -i"]))
        .or_else(|| with("certutil", &["-urlcache", "-decode", "/urlcache"]))
        .or_else(|| with("mshta", &["http", "javascript:", "vbscript:"]))
        .or_else(|| with("regsvr32", &["/i:http", "scrobj"]))
        .or_else(|| with("rundll32", &["javascript:", ",#", "\\"]))
        .or_else(|| with("wget ", &["| sh", "|sh", "| bash", "|bash", "-o ", "chmod"]).filter(|_| lower.contains("://")))
        .or_else(|| with("curl ", &["| sh", "|sh", "| bash", "|bash", "-o ", "chmod"]).filter(|_| lower.contains("://")))?;
    let command = text.get(at..)?;
    Some((at, command))
}

/// Words of names and numbers.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_word = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-');
    let mut at = 0;
    std::iter::from_fn(move || {
        let bytes = text.as_bytes();
        loop {
            let start = at + bytes.get(at..)?.iter().position(|octet| is_word(*octet))?;
            let length = bytes.get(start..)?.iter().take_while(|octet| is_word(**octet)).count();
            at = start + length;
            let word = text.get(start..at)?.trim_matches(['.', '-']);
            if word.len() >= MIN_STRING {
                return Some((start, word));
            }
        }
    })
}

fn is_address(word: &str) -> bool {
    word.bytes().filter(|octet| *octet == b'.').count() == 3 && word.parse::<IpAddr>().is_ok()
}

/// MD5, SHA-1 or SHA-256 in hexadecimal.
fn is_hash(word: &str) -> bool {
    matches!(word.len(), 32 | 40 | 64)
        && word.bytes().all(|octet| octet.is_ascii_hexdigit())
        && word.bytes().any(|octet| octet.is_ascii_digit())
        && word.bytes().any(|octet| octet.is_ascii_alphabetic())
}

/// A name under a public suffix that is listed. Two labels alone, as in `object.name`, could be anything.
fn is_domain(word: &str) -> bool {
    let labels = word.split('.').count();
    let sound = |label: &str| !label.is_empty() && label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-');
    if labels < 2 || word.len() > 253 || !word.split('.').all(sound) {
        return false;
    }
    let lower = word.to_ascii_lowercase();
    let Some(suffix) = psl::suffix(lower.as_bytes()) else { return false };
    let common =
        matches!(suffix.as_bytes(), b"com" | b"net" | b"org" | b"edu" | b"gov" | b"mil" | b"de" | b"uk" | b"ru" | b"cn" | b"info" | b"biz" | b"eu");
    suffix.is_known() && suffix.as_bytes().len() < word.len() && (common || labels > 2) && !suffix.as_bytes().iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indicators() {
        assert_eq!(urls("see http://a.example/x?y=1, or (https://b.example)."), [(4, "http://a.example/x?y=1"), (32, "https://b.example")]);
        assert_eq!(addresses("To: <anna@mail.example.com>, x@y"), [(5, "anna@mail.example.com")]);
        assert_eq!(shares(r"copy \\srv\c$\x.txt now"), [(5, r"\\srv\c$\x.txt")]);
        assert_eq!(paths(r"run C:\Temp\a.exe and /etc/passwd http://h/usr/x"), [(4, r"C:\Temp\a.exe"), (22, "/etc/passwd")]);
        assert!(is_domain("www.yahoo.com") && !is_domain("window.location") && !is_domain("1.2.3.4"));
    }

    #[test]
    fn secrets_are_not_shown() {
        assert_eq!(secret_in("a=1&password=hunter2", false), Some((13, true)));
        assert_eq!(secret_in(r#""api_key": "abcdef""#, false), Some((10, true)));
        assert_eq!(secret_in("PASS hunter2", true), Some((5, false)));
        assert_eq!(secret_in("Password:", false), None);
        assert_eq!(secret_in("password=****", false), None);
    }

    #[test]
    fn commands() {
        assert_eq!(command("x; cmd.exe /c whoami"), Some((3, "cmd.exe /c whoami")));
        assert_eq!(command("how to use certutil"), None);
    }
}
