//! What may be asked about: hashes, public addresses, public names and URLs of public hosts, and nothing else that a report shows.

use std::collections::HashSet;
use std::net::IpAddr;

use pcapper_queries::analyzer::Indicator;
use pcapper_queries::functions::{Network, ip_scope, is_public_name, redaction_marks};

/// Ends of names that mean something at home only, whatever the public list says of them (RFC 6761, 6762, 7686, 8375, 9476).
const HOME: &[&str] = &["local", "lan", "internal", "arpa", "localhost", "test", "example", "invalid", "onion", "alt"];
/// Longest URL that is asked about, in bytes.
const LONGEST_URL: usize = 2048;

/// Kind of a subject.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    Domain,
    File,
    Ip,
    Url,
}

impl Kind {
    /// Name in reports and in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Domain => "domain",
            Self::File => "file",
            Self::Ip => "ip",
            Self::Url => "url",
        }
    }
}

/// Something that may be asked about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Subject {
    pub kind: Kind,
    /// In lower case, but for URLs.
    pub value: String,
}

/// What is the user's own and must not leave.
#[derive(Clone, Default, Debug)]
pub struct Own<'a> {
    /// Networks beyond the private ones.
    pub networks: &'a [Network],
    /// Names that stand for private addresses in the captures, in lower case.
    pub names: HashSet<String>,
}

impl Subject {
    /// Takes a value of a report; `None` if it is nothing that may be asked about. `said` is what its row says that it is.
    pub fn of(kind: Indicator, value: &str, said: Option<&str>, own: &Own<'_>) -> Option<Self> {
        if !redaction_marks(value).is_empty() {
            return None;
        }
        match (kind, said) {
            (Indicator::Host, _) | (Indicator::Typed, Some("ipv4" | "ipv6" | "domain")) => host(value, own),
            (Indicator::Url, _) | (Indicator::Typed, Some("url")) => url(value, own),
            (Indicator::Hash, _) | (Indicator::Typed, Some("md5" | "sha1" | "sha256")) => hash(value),
            (Indicator::Typed, _) => None,
        }
    }
}

/// An address or a name, perhaps with a port behind it.
fn host(text: &str, own: &Own<'_>) -> Option<Subject> {
    let bare = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => match text.split_once(':') {
            Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
            _ => text,
        },
    };
    match bare.parse::<IpAddr>() {
        Ok(ip) => address(ip.to_canonical(), own),
        Err(_) => name(bare, own),
    }
}

fn address(ip: IpAddr, own: &Own<'_>) -> Option<Subject> {
    let is_public = ip_scope(ip) == "public" && own.networks.iter().all(|network| !network.contains(ip));
    is_public.then(|| Subject { kind: Kind::Ip, value: ip.to_string() })
}

fn name(text: &str, own: &Own<'_>) -> Option<Subject> {
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let is_label = |label: &str| {
        let letters = label.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'-');
        (1..=63).contains(&label.len()) && letters && !label.starts_with('-') && !label.ends_with('-')
    };
    let is_name = name.len() <= 253 && name.split('.').all(is_label);
    let is_home = name.rsplit('.').next().is_none_or(|end| HOME.contains(&end));
    (is_name && !is_home && is_public_name(&name) && !own.names.contains(&name)).then_some(Subject { kind: Kind::Domain, value: name })
}

/// A URL without a user in it, whose host may be asked about.
fn url(text: &str, own: &Own<'_>) -> Option<Subject> {
    let (scheme, rest) = text.split_once("://")?;
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let authority = rest.split(['/', '?', '#']).next()?;
    let is_plain = text.len() <= LONGEST_URL && text.bytes().all(|letter| letter.is_ascii_graphic()) && !authority.contains('@');
    (is_web && is_plain && host(authority, own).is_some()).then(|| Subject { kind: Kind::Url, value: text.to_owned() })
}

fn hash(text: &str) -> Option<Subject> {
    let is_hash = matches!(text.len(), 32 | 40 | 64) && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_hash.then(|| Subject { kind: Kind::File, value: text.to_ascii_lowercase() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_private_stays() {
        let networks = [Network::parse("8.8.8.0/24").unwrap()];
        let own = Own { networks: &networks, names: HashSet::from(["intranet.example.com".to_owned()]) };
        let sent = |kind, text: &str| Subject::of(kind, text, None, &own).map(|subject| (subject.kind, subject.value));
        for text in [
            "10.0.0.1",
            "192.168.1.1",
            "127.0.0.1",
            "169.254.1.1",
            "224.0.0.251",
            "100.64.0.1",
            "192.0.2.1",
            "fe80::1",
            "fd00::1",
            "::ffff:10.0.0.1",
            "8.8.8.8",
            "[::1]:80",
            "host",
            "printer.local",
            "nas.lan",
            "vault.internal",
            "1.0.0.10.in-addr.arpa",
            "plc7.plant",
            "intranet.example.com",
            "INTRANET.example.com.",
            "com",
            "",
            ".",
            "a..example.com",
            "-a.example.com",
            "_ldap._tcp.example.com",
            "a b.example.com",
            "x/../y.example.com",
            "ünï.example.com",
            "redacted:0123456789abcdef0123456789abcdef",
        ] {
            assert_eq!(sent(Indicator::Host, text), None, "{text}");
        }
        for text in [
            "/only/a/path",
            "http://10.0.0.1/x",
            "http://intranet.example.com/x",
            "https://user:pass@www.example.com/",
            "ftp://www.example.com/",
            "http://nas.lan/",
            "http://www.example.com/a b",
            "http:///x",
        ] {
            assert_eq!(sent(Indicator::Url, text), None, "{text}");
        }
        for text in ["0123", "z123456789abcdef0123456789abcdef", "0123456789abcdef"] {
            assert_eq!(sent(Indicator::Hash, text), None, "{text}");
        }
        // A fingerprint has the form of a hash and is none of a file.
        assert_eq!(Subject::of(Indicator::Typed, &"a".repeat(32), Some("ja3"), &own), None);
    }

    #[test]
    fn what_is_public_is_taken() {
        let own = Own::default();
        for (kind, text, expected) in [
            (Indicator::Host, "WWW.Example.COM.", (Kind::Domain, "www.example.com")),
            (Indicator::Host, "www.example.com:8080", (Kind::Domain, "www.example.com")),
            (Indicator::Host, "9.9.9.9:53", (Kind::Ip, "9.9.9.9")),
            (Indicator::Host, "[2620:fe::fe]:443", (Kind::Ip, "2620:fe::fe")),
            (Indicator::Host, "2620:fe::fe", (Kind::Ip, "2620:fe::fe")),
            (Indicator::Url, "http://www.example.com/A?b=C", (Kind::Url, "http://www.example.com/A?b=C")),
            (Indicator::Hash, "0123456789ABCDEF0123456789abcdef", (Kind::File, "0123456789abcdef0123456789abcdef")),
        ] {
            let subject = Subject::of(kind, text, None, &own).unwrap();
            assert_eq!((subject.kind, subject.value.as_str()), expected, "{text}");
        }
        assert_eq!(Subject::of(Indicator::Typed, "evil.example.com", Some("domain"), &own).unwrap().kind, Kind::Domain);
    }
}
