//! What an indicator is, and its one spelling.

use std::net::IpAddr;

/// Kinds of indicators that captures can show.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Kind {
    Ipv4,
    Ipv6,
    Cidr,
    IpPort,
    #[default]
    Domain,
    Url,
    Email,
    Md5,
    Sha1,
    Sha256,
    Ja3,
    Ja3s,
    Ja4,
    Ja4s,
    Hassh,
    CertSha1,
    CertSha256,
    UserAgent,
    Filename,
    Mac,
}

impl Kind {
    /// Name in the `type` column.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Cidr => "cidr",
            Self::IpPort => "ip_port",
            Self::Domain => "domain",
            Self::Url => "url",
            Self::Email => "email",
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Ja3 => "ja3",
            Self::Ja3s => "ja3s",
            Self::Ja4 => "ja4",
            Self::Ja4s => "ja4s",
            Self::Hassh => "hassh",
            Self::CertSha1 => "cert_sha1",
            Self::CertSha256 => "cert_sha256",
            Self::UserAgent => "user_agent",
            Self::Filename => "filename",
            Self::Mac => "mac",
        }
    }
}

/// What became of an entry.
pub enum Reading {
    Known(Kind, String),
    /// A kind that no capture shows.
    Ignored,
    /// The reason, for a person.
    Unreadable(String),
}

/// Reads an entry whose file names its kind, or does not.
pub fn read(named: Option<&str>, original: &str) -> Reading {
    let text = refanged(original.trim());
    let bad = |what: &str| Reading::Unreadable(format!("\"{}\" is no {what}", shown(original)));
    let Some(named) = named.map(str::trim).filter(|named| !named.is_empty()) else {
        return match guessed(&text) {
            Some((kind, value)) => Reading::Known(kind, value),
            None => bad("address, name, hash, URL or mail address"),
        };
    };
    let of = |kind, value: Option<String>, what: &str| value.map_or_else(|| bad(what), |value| Reading::Known(kind, value));
    let plain = named.to_ascii_lowercase().replace(['-', ' ', '.'], "_");
    match plain.trim_start_matches("intel::") {
        "ip" | "ipv4" | "ipv6" | "ip_src" | "ip_dst" | "addr" | "address" | "ipv4_addr" | "ipv6_addr" | "cidr" | "subnet" | "network" | "ip:port"
        | "ip_port" | "ip_dst|port" | "ip_src|port" => match address(&text.replace('|', ":")) {
            Some((kind, value)) => Reading::Known(kind, value),
            None => bad("address"),
        },
        "domain" | "hostname" | "domain_name" | "host" | "fqdn" => of(Kind::Domain, domain(&text), "name"),
        "url" | "uri" | "link" => of(Kind::Url, url(&text), "URL"),
        "email" | "email_src" | "email_dst" | "email_addr" | "email_address" => of(Kind::Email, email(&text), "mail address"),
        "md5" | "sha1" | "sha256" | "hash" | "file_hash" | "sha_1" | "sha_256" => match hash(&text) {
            Some((kind, value)) => Reading::Known(kind, value),
            None => bad("MD5, SHA-1 or SHA-256 hash"),
        },
        "ja3" | "ja3_fingerprint_md5" => of(Kind::Ja3, digits(&text, 32), "JA3 fingerprint"),
        "ja3s" => of(Kind::Ja3s, digits(&text, 32), "JA3S fingerprint"),
        "hassh" | "hassh_md5" | "hasshserver_md5" | "hassh_server" => of(Kind::Hassh, digits(&text, 32), "HASSH fingerprint"),
        "ja4" => Reading::Known(Kind::Ja4, text.to_ascii_lowercase()),
        "ja4s" => Reading::Known(Kind::Ja4s, text.to_ascii_lowercase()),
        "cert_hash" | "cert_sha1" | "x509_fingerprint_sha1" => of(Kind::CertSha1, digits(&text, 40), "SHA-1 of a certificate"),
        "cert_sha256" | "x509_fingerprint_sha256" => of(Kind::CertSha256, digits(&text, 64), "SHA-256 of a certificate"),
        "user_agent" | "useragent" | "software" => Reading::Known(Kind::UserAgent, original.trim().to_owned()),
        "filename" | "file_name" | "attachment" | "email_attachment" => Reading::Known(Kind::Filename, original.trim().to_ascii_lowercase()),
        "mac" | "mac_address" | "mac_addr" => of(Kind::Mac, mac(&text), "hardware address"),
        _ => Reading::Ignored,
    }
}

/// Why a value is a poor indicator: most captures show it.
pub fn too_common(kind: Kind, value: &str) -> Option<&'static str> {
    match kind {
        Kind::Ipv4 | Kind::Ipv6 | Kind::Cidr | Kind::IpPort => {
            let host = value.rsplit_once('/').map_or(value, |(base, _)| base);
            let host = if kind == Kind::IpPort { value.rsplit_once(':').map_or(value, |(host, _)| host) } else { host };
            match crate::functions::ip_scope_of(host)? {
                "private" | "ula" => Some("is private"),
                "loopback" => Some("is a loopback address"),
                "multicast" | "broadcast" => Some("is a multicast or broadcast address"),
                "link_local" => Some("is link-local"),
                _ if ["8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9"].contains(&host) => Some("is a public resolver"),
                _ => None,
            }
        }
        Kind::Domain if ["localhost", "example.com", "example.org", "example.net"].contains(&value) => Some("is an example's name"),
        _ => None,
    }
}

/// Undoes what keeps indicators from being clicked on.
pub fn refanged(text: &str) -> String {
    let mut text = text.to_owned();
    for (fanged, plain) in [
        ("[.]", "."),
        ("(.)", "."),
        ("{.}", "."),
        ("[dot]", "."),
        ("(dot)", "."),
        ("[:]", ":"),
        ("[://]", "://"),
        ("[at]", "@"),
        ("(at)", "@"),
        ("[@]", "@"),
        ("[/]", "/"),
    ] {
        text = text.replace(fanged, plain);
    }
    for (fanged, plain) in [("hxxps://", "https://"), ("hxxp://", "http://"), ("fxp://", "ftp://")] {
        if let Some(head) = text.get(..fanged.len())
            && head.eq_ignore_ascii_case(fanged)
        {
            text.replace_range(..fanged.len(), plain);
        }
    }
    text
}

fn guessed(text: &str) -> Option<(Kind, String)> {
    address(text)
        .or_else(|| hash(text))
        .or_else(|| mac(text).map(|value| (Kind::Mac, value)))
        .or_else(|| text.contains("://").then(|| url(text).map(|value| (Kind::Url, value)))?)
        .or_else(|| email(text).map(|value| (Kind::Email, value)))
        .or_else(|| domain(text).filter(|value| value.contains('.')).map(|value| (Kind::Domain, value)))
        .or_else(|| text.contains('/').then(|| url(text).map(|value| (Kind::Url, value)))?)
}

/// An address, a network, or an address with a port.
fn address(text: &str) -> Option<(Kind, String)> {
    if let Ok(ip) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
        let ip = ip.to_canonical();
        return Some((if ip.is_ipv4() { Kind::Ipv4 } else { Kind::Ipv6 }, ip.to_string()));
    }
    if let Some((base, length)) = text.split_once('/') {
        let (base, length): (IpAddr, u8) = (base.parse().ok()?, length.parse().ok()?);
        let widest = if base.is_ipv4() { 32 } else { 128 };
        return (length <= widest).then(|| (Kind::Cidr, format!("{base}/{length}")));
    }
    let (host, port) = text.rsplit_once(':')?;
    let ip: IpAddr = host.trim_matches(['[', ']']).parse().ok()?;
    let port: u16 = port.parse().ok()?;
    Some((Kind::IpPort, format!("{}:{port}", ip.to_canonical())))
}

fn hash(text: &str) -> Option<(Kind, String)> {
    let kind = match text.len() {
        32 => Kind::Md5,
        40 => Kind::Sha1,
        64 => Kind::Sha256,
        _ => return None,
    };
    digits(text, text.len()).map(|value| (kind, value))
}

fn digits(text: &str, length: usize) -> Option<String> {
    let text = text.replace(':', "");
    (text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| text.to_ascii_lowercase())
}

fn mac(text: &str) -> Option<String> {
    let octets: Vec<&str> = text.split([':', '-']).collect();
    (octets.len() == 6 && octets.iter().all(|octet| octet.len() == 2 && octet.bytes().all(|byte| byte.is_ascii_hexdigit())))
        .then(|| octets.join(":").to_ascii_lowercase())
}

/// A DNS name; `*.x.org` and `.x.org` mean the name and all below it, as every name does here.
fn domain(text: &str) -> Option<String> {
    let name = text.trim_start_matches("*.").trim_start_matches('.').trim_end_matches('.').to_lowercase();
    let label = |label: &str| !label.is_empty() && label.len() <= 63 && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
    let numeric = name.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    (name.len() <= 253 && name.split('.').all(label) && !numeric).then_some(name)
}

/// Host and path: the scheme, the default port and the fragment say nothing about what was fetched.
fn url(text: &str) -> Option<String> {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let rest = rest.split('#').next()?;
    let (host, path) = rest.find(['/', '?']).map_or((rest, ""), |at| rest.split_at(at));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let host = host.strip_suffix(":80").or_else(|| host.strip_suffix(":443")).unwrap_or(host).to_lowercase();
    let bare = host.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(host.as_str(), |(bare, _)| bare);
    let sound = domain(bare).is_some() || bare.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    sound.then(|| format!("{host}{}", if path.is_empty() { "/" } else { path }))
}

fn email(text: &str) -> Option<String> {
    let (user, host) = text.split_once('@')?;
    (!user.is_empty() && !user.contains(char::is_whitespace) && domain(host).is_some_and(|host| host.contains('.'))).then(|| text.to_lowercase())
}

fn shown(text: &str) -> String {
    let cut: String = text.trim().chars().take(60).collect();
    cut.escape_debug().to_string()
}
