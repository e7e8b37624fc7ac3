//! Addresses of data connections, as commands and replies write them.

use std::net::{IpAddr, Ipv4Addr};

/// `h1,h2,h3,h4,p1,p2` of PORT (RFC 959, 4.1.2).
pub fn octets(arg: &[u8]) -> Option<(IpAddr, u16)> {
    let text = std::str::from_utf8(arg).ok()?;
    let mut numbers = text.trim().split(',').map(|number| number.trim().parse::<u8>());
    let mut next = || numbers.next()?.ok();
    let ip = Ipv4Addr::new(next()?, next()?, next()?, next()?);
    let port = u16::from_be_bytes([next()?, next()?]);
    Some((ip.into(), port))
}

/// `|1|132.235.1.2|6275|` of EPRT (RFC 2428, 2).
pub fn extended(arg: &[u8]) -> Option<(IpAddr, u16)> {
    let text = std::str::from_utf8(arg).ok()?.trim();
    let mark = text.chars().next()?;
    let mut parts = text.split(mark).skip(2);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// The six numbers of a 227 reply, wherever they stand in its text.
pub fn in_text(text: &str) -> Option<(IpAddr, u16)> {
    let start = text.find('(').map_or_else(|| text.find(|letter: char| letter.is_ascii_digit()), |at| Some(at + 1))?;
    let rest = text.get(start..)?;
    let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != ',' && letter != ' ').unwrap_or(rest.len());
    octets(rest.get(..end)?.trim().as_bytes())
}

/// `(|||6446|)` of a 229 reply (RFC 2428, 3).
pub fn port_in_text(text: &str) -> Option<u16> {
    let (_, rest) = text.split_once('(')?;
    let mark = rest.chars().next()?;
    rest.split(mark).nth(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_four_forms() {
        let end = |ip: &str, port: u16| Some((ip.parse().unwrap(), port));
        assert_eq!(octets(b"172,23,0,3,139,43"), end("172.23.0.3", 35627));
        assert_eq!(octets(b"172,23,0,3,139"), None);
        assert_eq!(octets(b"172,23,0,300,1,1"), None);
        assert_eq!(extended(b"|2|1080::8:800:200C:417A|5282|"), end("1080::8:800:200c:417a", 5282));
        assert_eq!(in_text("Entering Passive Mode (10,0,0,1,4,1)."), end("10.0.0.1", 1025));
        assert_eq!(in_text("Passive 10,0,0,1,4,1"), end("10.0.0.1", 1025));
        assert_eq!(port_in_text("Entering Extended Passive Mode (|||58612|)"), Some(58612));
    }
}
