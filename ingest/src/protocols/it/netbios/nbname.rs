//! NetBIOS names: sixteen octets in the first-level encoding of RFC 1001, section 14, and the scope behind them.

use std::fmt::Write as _;

use crate::wire::{Malformed, Reader, Wire};

/// Most labels of a scope that are read.
const MAX_SCOPE_LABELS: usize = 16;

/// A name as it stood on the wire.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NbName {
    /// Its first fifteen octets, without padding.
    pub name: String,
    /// The sixteenth: what the name stands for.
    pub suffix: u8,
    pub scope: Option<String>,
}

impl NbName {
    /// As people write it: `NAME<20>`.
    pub fn full(&self) -> String {
        format!("{}<{:02x}>", self.name, self.suffix)
    }
}

/// Reads an encoded name; `message` is what pointers count from, where they are allowed.
pub fn read<'a>(reader: &mut Reader<'a>, message: Option<&'a [u8]>) -> Wire<NbName> {
    let length = *reader.peek().first().ok_or(Malformed)?;
    if length & 0xc0 == 0xc0 {
        let target = usize::from(reader.be_u16()? & 0x3fff);
        let there = message.and_then(|message| message.get(target..)).ok_or(Malformed)?;
        return labels(&mut Reader::new(there), message);
    }
    labels(reader, message)
}

fn labels<'a>(reader: &mut Reader<'a>, message: Option<&'a [u8]>) -> Wire<NbName> {
    if reader.u8()? != 32 {
        return Err(Malformed);
    }
    let octets = decode(&reader.array::<32>()?).ok_or(Malformed)?;
    let mut scope = String::new();
    let mut source = *reader;
    let mut jumped = false;
    for _ in 0..MAX_SCOPE_LABELS {
        let length = source.u8()?;
        match length {
            0 => {
                if !jumped {
                    *reader = source;
                }
                return Ok(NbName { scope: (!scope.is_empty()).then_some(scope), ..plain(&octets) });
            }
            1..=63 => {
                let label = source.take(usize::from(length))?;
                if !scope.is_empty() {
                    scope.push('.');
                }
                scope.push_str(&printable(label));
            }
            0xc0.. if !jumped => {
                let target = usize::from(u16::from_be_bytes([length & 0x3f, source.u8()?]));
                *reader = source;
                source = Reader::new(message.and_then(|message| message.get(target..)).ok_or(Malformed)?);
                jumped = true;
            }
            _ => return Err(Malformed),
        }
    }
    Err(Malformed)
}

/// Sixteen octets from thirty-two letters `A` to `P`, half an octet each.
fn decode(letters: &[u8; 32]) -> Option<[u8; 16]> {
    let mut octets = [0; 16];
    for (octet, pair) in octets.iter_mut().zip(letters.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        if !(b'A'..=b'P').contains(high) || !(b'A'..=b'P').contains(low) {
            return None;
        }
        *octet = (high - b'A') << 4 | (low - b'A');
    }
    Some(octets)
}

/// A name of sixteen octets that is not encoded, as in answers to status queries.
pub fn plain(octets: &[u8; 16]) -> NbName {
    let [name @ .., suffix] = octets;
    let end = name.iter().rposition(|&octet| octet != b' ' && octet != 0).map_or(0, |last| last + 1);
    NbName { name: printable(name.get(..end).unwrap_or_default()), suffix: *suffix, scope: None }
}

/// Text with what cannot be printed as `<xx>`.
fn printable(octets: &[u8]) -> String {
    octets.iter().fold(String::with_capacity(octets.len()), |mut text, &octet| {
        if octet.is_ascii_graphic() || octet == b' ' {
            text.push(char::from(octet));
        } else {
            let _ = write!(text, "<{octet:02x}>");
        }
        text
    })
}

/// What a suffix stands for; the same one differs between names of one host and of a group.
pub fn role(name: &NbName, group: Option<bool>) -> Option<&'static str> {
    Some(match name.suffix {
        0x00 if name.name == "*" => return None,
        0x00 if group == Some(true) => "workgroup",
        0x00 => "workstation",
        0x01 => "master_browser_group",
        0x03 => "messenger",
        0x06 => "ras_server",
        0x1b => "domain_master_browser",
        0x1c => "domain_controllers",
        0x1d => "master_browser",
        0x1e => "browser_election",
        0x1f => "netdde",
        0x20 => "file_server",
        0x21 => "ras_client",
        0xbe => "network_monitor_agent",
        0xbf => "network_monitor",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_suffix_and_scope() {
        let mut wire = b"\x20EIEPFDFEDBCACACACACACACACACACACA\x03abc\x00".to_vec();
        let name = read(&mut Reader::new(&wire), None).unwrap();
        assert_eq!((name.full().as_str(), name.scope.as_deref()), ("HOST1<20>", Some("abc")));
        wire[1] = b'Q';
        assert!(read(&mut Reader::new(&wire), None).is_err());
        let wildcard = read(&mut Reader::new(b"\x20CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\0"), None).unwrap();
        assert_eq!(wildcard.full(), "*<00>");
        assert_eq!(plain(b"\x01\x02__MSBROWSE__\x02\x01").full(), "<01><02>__MSBROWSE__<02><01>");
    }

    #[test]
    fn a_pointer_to_itself_ends() {
        assert!(read(&mut Reader::new(&[0xc0, 0]), Some(&[0xc0, 0])).is_err());
    }
}
