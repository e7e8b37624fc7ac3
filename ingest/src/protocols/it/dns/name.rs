//! Domain names: decompression, text form, registered domain.

use std::fmt::Write as _;

use crate::wire::{Malformed, Wire};

/// Most octets a name takes on the wire, length octets included (RFC 1035 section 3.1).
const MAX_NAME: usize = 255;
/// Most compression pointers followed in one name: each must lead to at least one label of a valid name.
const MAX_POINTERS: usize = 128;

/// What reading a name gave besides its text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NameInfo {
    /// Offset of the first octet after the name (after the first pointer, where there is one).
    pub end: usize,
    /// Octets of the labels and the dots between them; 1 for the root.
    pub length: u16,
    /// Number of labels; 0 for the root.
    pub labels: u8,
}

/// Appends the name at offset `at` of `message` to `out`: case kept, no dot at the end, the root as `.`.
///
/// Pointers (RFC 1035 section 4.1.4) may lead forward as well, but not in a circle. On error `out` is as it was.
pub fn read_name(message: &[u8], at: usize, out: &mut String) -> Wire<NameInfo> {
    let start = out.len();
    let result = read_labels(message, at, out);
    if result.is_err() {
        out.truncate(start);
    }
    result
}

fn read_labels(message: &[u8], at: usize, out: &mut String) -> Wire<NameInfo> {
    let (mut at, mut end, mut pointers) = (at, None, 0usize);
    let (mut octets, mut labels) = (0usize, 0u8);
    loop {
        let head = usize::from(*message.get(at).ok_or(Malformed)?);
        at = at.saturating_add(1);
        match head >> 6 {
            0 if head == 0 => break,
            0 => {
                let label = message.get(at..at.saturating_add(head)).ok_or(Malformed)?;
                at = at.saturating_add(head);
                octets = octets.saturating_add(head).saturating_add(1);
                // The closing zero octet counts too.
                if octets >= MAX_NAME {
                    return Err(Malformed);
                }
                if labels > 0 {
                    out.push('.');
                }
                labels = labels.saturating_add(1);
                push_octets(out, label);
            }
            3 => {
                let low = usize::from(*message.get(at).ok_or(Malformed)?);
                end.get_or_insert(at.saturating_add(1));
                pointers = pointers.saturating_add(1);
                if pointers > MAX_POINTERS {
                    return Err(Malformed);
                }
                at = (head & 0x3f) << 8 | low;
            }
            _ => return Err(Malformed),
        }
    }
    if labels == 0 {
        out.push('.');
    }
    let length = u16::try_from(octets.saturating_sub(1).max(1)).map_err(|_| Malformed)?;
    Ok(NameInfo { end: end.unwrap_or(at), length, labels })
}

/// Passes over the name at `at` without following pointers; gives the offset after it.
pub fn skip_name(message: &[u8], at: usize) -> Wire<usize> {
    let start = at;
    let mut at = at;
    loop {
        let head = usize::from(*message.get(at).ok_or(Malformed)?);
        at = at.saturating_add(1);
        match head >> 6 {
            0 if head == 0 => return Ok(at),
            0 => at = at.saturating_add(head),
            3 => {
                message.get(at).ok_or(Malformed)?;
                return Ok(at.saturating_add(1));
            }
            _ => return Err(Malformed),
        }
        if at.saturating_sub(start) >= MAX_NAME {
            return Err(Malformed);
        }
    }
}

/// Appends octets as text: what is not printable ASCII as `\DDD` (decimal, RFC 1035 section 5.1).
pub fn push_octets(out: &mut String, octets: &[u8]) {
    for &octet in octets {
        match octet {
            b' '..=b'~' => out.push(char::from(octet)),
            // Writing into a String cannot fail.
            _ => drop(write!(out, "\\{octet:03}")),
        }
    }
}

/// Appends a character string in quotes (RFC 1035 section 5.1): `"` and `\` escaped, what is not printable as `\DDD`.
pub fn push_quoted(out: &mut String, octets: &[u8]) {
    out.push('"');
    for &octet in octets {
        match octet {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(octet));
            }
            _ => push_octets(out, &[octet]),
        }
    }
    out.push('"');
}

/// The public suffix and one label more of `name`, appended to `out` in lower case.
///
/// False, and nothing appended, for names of one label, names in `arpa`, public suffixes themselves, and names whose top
/// level no public list knows (`printer.local`).
pub fn registered_domain(name: &str, out: &mut String) -> bool {
    let start = out.len();
    out.extend(name.chars().map(|c| c.to_ascii_lowercase()));
    let found = {
        let lower = out.get(start..).unwrap_or_default();
        let in_arpa = lower == "arpa" || lower.ends_with(".arpa");
        match psl::domain(lower.as_bytes()) {
            Some(domain) if !in_arpa && domain.suffix().is_known() && !domain.as_bytes().contains(&b'\\') => {
                lower.len().checked_sub(domain.as_bytes().len())
            }
            _ => None,
        }
    };
    match found {
        Some(before) => drop(out.drain(start..start.saturating_add(before))),
        None => out.truncate(start),
    }
    found.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(message: &[u8], at: usize) -> Wire<(String, NameInfo)> {
        let mut out = String::new();
        read_name(message, at, &mut out).map(|info| (out, info))
    }

    #[test]
    fn follows_pointers_and_keeps_case() {
        let message = b"\x03WwW\x07eXample\x00\x04mail\xc0\x04";
        assert_eq!(name(message, 0), Ok(("WwW.eXample".into(), NameInfo { end: 13, length: 11, labels: 2 })));
        assert_eq!(name(message, 13), Ok(("mail.eXample".into(), NameInfo { end: 20, length: 12, labels: 2 })));
        assert_eq!(skip_name(message, 13), Ok(20));
    }

    #[test]
    fn root_and_unprintable() {
        assert_eq!(name(b"\0", 0), Ok((".".into(), NameInfo { end: 1, length: 1, labels: 0 })));
        assert_eq!(name(b"\x03a\x00\xff\0", 0).map(|n| n.0), Ok("a\\000\\255".into()));
    }

    #[test]
    fn refuses_loops_and_lies() {
        assert_eq!(name(b"\xc0\x00", 0), Err(Malformed));
        assert_eq!(name(b"\x01a\xc0\x00", 0), Err(Malformed));
        assert_eq!(name(b"\x05abc\x00", 0), Err(Malformed));
        assert_eq!(name(b"\x41a\x00", 0), Err(Malformed));
        assert_eq!(name(&[b"\x3f".as_slice(), &[b'a'; 63]].concat().repeat(5), 0), Err(Malformed));
    }

    #[test]
    fn registered_domains() {
        let domain = |name| {
            let mut out = String::from("-");
            registered_domain(name, &mut out).then(|| out.split_off(1))
        };
        assert_eq!(domain("a.b.Example.CO.uk").as_deref(), Some("example.co.uk"));
        assert_eq!(domain("example.com").as_deref(), Some("example.com"));
        for none in ["com", "host", ".", "1.0.0.127.in-addr.arpa", "printer.local", "co.uk"] {
            assert_eq!(domain(none), None, "{none}");
        }
    }
}
