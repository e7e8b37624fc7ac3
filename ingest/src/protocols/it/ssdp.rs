//! SSDP: discovery of UPnP devices, HTTP's syntax in datagrams (UPnP Device Architecture 2.0, section 1).

use std::borrow::Cow;
use std::net::IpAddr;

use pcapper_schema::tables::Ssdp;

use crate::protocols::{Cx, DatagramDissector, DatagramKind, Group, Offer, Outcome, Protocol, Verdict};

/// SSDP on any port; 1900 is its own.
pub static PROTOCOL: Protocol = Protocol {
    name: "ssdp",
    group: Group::It,
    ports: &[1900],
    datagram: Some(DatagramKind { ip_protos: &[17], probe, start: || Box::new(Messages) }),
    ..Protocol::NONE
};

/// Most other headers that a row keeps.
const MAX_HEADERS: usize = 64;

/// The kind of message by its start line: method and status.
fn start_line(payload: &[u8]) -> Option<(&'static str, Option<u16>)> {
    let line = payload.split(|&byte| byte == b'\n').next()?;
    let starts = |word: &[u8]| line.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    if starts(b"M-SEARCH * HTTP/1.") {
        return Some(("M-SEARCH", None));
    }
    if starts(b"NOTIFY * HTTP/1.") {
        return Some(("NOTIFY", None));
    }
    if starts(b"HTTP/1.") {
        let status = line.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|digits| digits.parse().ok());
        return Some(("response", status));
    }
    None
}

fn probe(offer: &Offer<'_>) -> Verdict {
    let payload = offer.current();
    match start_line(payload) {
        Some(("response", _)) if !offer.usual_port && !has_usn(payload) => Verdict::No,
        Some(_) => Verdict::Yes,
        None => Verdict::No,
    }
}

/// Answers come from any port, but name the service.
fn has_usn(payload: &[u8]) -> bool {
    payload.windows(4).any(|word| word.eq_ignore_ascii_case(b"usn:"))
}

struct Messages;

impl DatagramDissector for Messages {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        let Some((method, status_code)) = start_line(payload) else { return Outcome::NotMine };
        let text = String::from_utf8_lossy(payload);
        let mut row = Ssdp { method: Some(method), status_code, message_bytes: u32::try_from(payload.len()).ok(), ..Ssdp::default() };
        let mut headers: Vec<Cow<'_, str>> = Vec::new();
        for line in text.lines().skip(1).take_while(|line| !line.trim().is_empty()) {
            let Some((name, value)) = line.split_once(':') else { continue };
            let (name, value) = (name.trim(), value.trim());
            let some = (!value.is_empty()).then_some(value);
            match name.to_ascii_lowercase().as_str() {
                "host" => row.host = some,
                "st" => row.st = some,
                "nt" => row.nt = some,
                "nts" => row.nts = some,
                "usn" => {
                    row.usn = some;
                    row.uuid = uuid(value);
                }
                "location" => {
                    row.location = some;
                    row.location_ip = url_host(value);
                }
                "server" => row.server = some,
                "user-agent" => row.user_agent = some,
                "man" => row.man = some,
                "mx" => row.mx = value.parse().ok(),
                "cache-control" => row.max_age_s = max_age(value),
                _ if headers.len() < MAX_HEADERS => headers.push(Cow::Borrowed(line.trim())),
                _ => {}
            }
        }
        row.headers = (!headers.is_empty()).then_some(headers.as_slice());
        cx.emit(row);
        Outcome::Decoded
    }
}

/// The UUID in `uuid:...::urn:...`.
fn uuid(usn: &str) -> Option<&str> {
    let start = usn.get(..5).filter(|start| start.eq_ignore_ascii_case("uuid:")).map(str::len)?;
    let rest = usn.get(start..)?;
    let uuid = rest.split("::").next()?;
    (!uuid.is_empty()).then_some(uuid)
}

/// The host of an absolute URL, where it is an address.
fn url_host(url: &str) -> Option<IpAddr> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let authority = authority.rsplit('@').next()?;
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split([']', '%']).next()?,
        None => authority.split(':').next()?,
    };
    host.parse().ok()
}

/// Seconds in `max-age = 1800`.
fn max_age(value: &str) -> Option<u32> {
    value.split(',').find_map(|part| {
        let (name, seconds) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("max-age").then(|| seconds.trim().parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_lines_of_three_kinds() {
        assert_eq!(start_line(b"M-SEARCH * HTTP/1.1\r\n"), Some(("M-SEARCH", None)));
        assert_eq!(start_line(b"HTTP/1.1 200 OK\r\n"), Some(("response", Some(200))));
        assert_eq!(start_line(b"GET / HTTP/1.1\r\n"), None);
    }

    #[test]
    fn parts_of_headers() {
        assert_eq!(uuid("uuid:2fac1234::upnp:rootdevice"), Some("2fac1234"));
        assert_eq!(url_host("http://192.168.1.1:7406/rootDesc.xml"), "192.168.1.1".parse().ok());
        assert_eq!(url_host("http://[fe80::1%25eth0]:80/x"), "fe80::1".parse().ok());
        assert_eq!(url_host("http://router/x"), None);
        assert_eq!(max_age("no-cache, max-age = 1800"), Some(1800));
    }
}
