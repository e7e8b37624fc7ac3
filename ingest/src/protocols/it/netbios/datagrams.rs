//! The datagram service (RFC 1002, section 4.4), mailslots, browsers (MS-BRWS 2.2) and logon servers (MS-ADTS 6.3.1).

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};

use pcapper_schema::tables::Nbdgm;

use super::nbname;
use crate::protocols::{Cx, DatagramDissector, Offer, Outcome, Verdict};
use crate::wire::{Malformed, Reader, Wire};

/// Octets of the header that all kinds have.
const HEADER_LEN: usize = 10;
const SMB_TRANSACTION: u8 = 0x25;

fn type_name(kind: u8) -> Option<&'static str> {
    Some(match kind {
        16 => "direct_unique",
        17 => "direct_group",
        18 => "broadcast",
        19 => "error",
        20 => "query_request",
        21 => "positive_query_response",
        22 => "negative_query_response",
        _ => return None,
    })
}

fn browser_name(command: u8) -> Option<&'static str> {
    Some(match command {
        1 => "host_announcement",
        2 => "request_announcement",
        8 => "browser_election_request",
        9 => "get_backup_list",
        10 => "backup_list_response",
        11 => "become_backup",
        12 => "domain_announcement",
        13 => "master_announcement",
        14 => "reset_state",
        15 => "local_master_announcement",
        _ => return None,
    })
}

/// The own port or none: elsewhere the header must be followed by a length that fits and an encoded name.
pub fn probe(offer: &Offer<'_>) -> Verdict {
    let payload = offer.current();
    let known = payload.len() >= HEADER_LEN && payload.first().copied().and_then(type_name).is_some();
    let fits = || {
        let mut reader = Reader::new(payload);
        reader.skip(HEADER_LEN)?;
        let length = usize::from(reader.be_u16()?);
        let offset = reader.be_u16()?;
        if length != reader.len() || offset != 0 {
            return Err(Malformed);
        }
        nbname::read(&mut reader, None)
    };
    if known && (offer.usual_port || fits().is_ok()) { Verdict::Yes } else { Verdict::No }
}

/// A flow of datagrams.
pub struct Datagrams;

impl DatagramDissector for Datagrams {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        let mut found = Found::default();
        let mut reader = Reader::new(payload);
        let Ok(head) = Head::read(&mut reader) else { return Outcome::NotMine };
        if found.read(&mut reader, &head).is_err() {
            cx.anomaly("nbdgm", "bad_length", "the datagram ends before its fields do");
        }
        cx.emit(Nbdgm {
            message_type: Some(head.kind),
            message_type_name: type_name(head.kind),
            datagram_id: Some(head.id),
            source_ip: Some(IpAddr::V4(head.ip)),
            source_port: Some(head.port),
            source_name: found.source.as_deref(),
            destination_name: found.destination.as_deref(),
            mailslot: found.mailslot.as_deref(),
            browser_command: found.command,
            browser_command_name: found.command.and_then(browser_name),
            server_name: found.server.as_deref().filter(|text| !text.is_empty()),
            server_type: found.server_type,
            os_major: found.os.map(|os| os.0),
            os_minor: found.os.map(|os| os.1),
            comment: found.comment.as_deref().filter(|text| !text.is_empty()),
            election_version: found.election.map(|election| election.0),
            election_criteria: found.election.map(|election| election.1),
            netlogon_command: found.netlogon,
            netlogon_user: found.user.as_deref().filter(|text| !text.is_empty()),
            netlogon_computer: found.computer.as_deref().filter(|text| !text.is_empty()),
        });
        Outcome::Decoded
    }
}

struct Head {
    kind: u8,
    flags: u8,
    id: u16,
    ip: Ipv4Addr,
    port: u16,
}

impl Head {
    fn read(reader: &mut Reader<'_>) -> Wire<Self> {
        Ok(Self { kind: reader.u8()?, flags: reader.u8()?, id: reader.be_u16()?, ip: Ipv4Addr::from(reader.array::<4>()?), port: reader.be_u16()? })
    }
}

/// What a datagram says.
#[derive(Default)]
struct Found<'a> {
    source: Option<String>,
    destination: Option<String>,
    mailslot: Option<Cow<'a, str>>,
    command: Option<u8>,
    server: Option<Cow<'a, str>>,
    server_type: Option<u32>,
    os: Option<(u8, u8)>,
    comment: Option<Cow<'a, str>>,
    election: Option<(u8, u32)>,
    netlogon: Option<u16>,
    user: Option<Cow<'a, str>>,
    computer: Option<Cow<'a, str>>,
}

impl<'a> Found<'a> {
    fn read(&mut self, reader: &mut Reader<'a>, head: &Head) -> Wire<()> {
        match head.kind {
            16..=18 => {
                reader.skip(2)?;
                let offset = reader.be_u16()?;
                self.source = Some(nbname::read(reader, None)?.full());
                self.destination = Some(nbname::read(reader, None)?.full());
                // Only the first fragment has the message's head.
                if offset == 0 && head.flags & 2 != 0 && reader.peek().starts_with(b"\xffSMB") {
                    return self.transaction(reader.rest());
                }
                Ok(())
            }
            20..=22 => {
                self.destination = Some(nbname::read(reader, None)?.full());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A write to a mailslot (MS-MAIL 2.2.1), an SMB transaction.
    fn transaction(&mut self, message: &'a [u8]) -> Wire<()> {
        let mut reader = Reader::new(message);
        reader.skip(4)?;
        if reader.u8()? != SMB_TRANSACTION {
            return Ok(());
        }
        reader.skip(5)?;
        let is_unicode = reader.le_u16()? & 0x8000 != 0;
        reader.skip(20)?;
        let mut words = {
            let count = reader.u8()?;
            reader.sub(usize::from(count) * 2)?
        };
        words.skip(22)?;
        let (length, offset) = (usize::from(words.le_u16()?), usize::from(words.le_u16()?));
        reader.skip(2)?;
        if is_unicode && (message.len() - reader.len()) % 2 == 1 {
            reader.skip(1)?;
        }
        let name = if is_unicode { utf16(&mut reader)? } else { ascii(&mut reader)? };
        let data = message.get(offset..).ok_or(Malformed)?;
        let mut data = Reader::new(data.get(..length).ok_or(Malformed)?);
        let upper = name.to_ascii_uppercase();
        self.mailslot = Some(name);
        match upper.as_str() {
            r"\MAILSLOT\BROWSE" => self.browser(&mut data),
            r"\MAILSLOT\NET\NETLOGON" | r"\MAILSLOT\NET\NTLOGON" => self.netlogon(&mut data),
            _ => Ok(()),
        }
    }

    fn browser(&mut self, data: &mut Reader<'a>) -> Wire<()> {
        let command = data.u8()?;
        self.command = Some(command);
        match command {
            1 | 12 | 15 => {
                data.skip(5)?;
                self.server = Some(text(data.take(16)?));
                self.os = Some((data.u8()?, data.u8()?));
                self.server_type = Some(data.le_u32()?);
                data.skip(4)?;
                self.comment = Some(text(data.rest()));
            }
            8 => {
                self.election = Some((data.u8()?, data.le_u32()?));
                // How long it runs, and four octets without meaning.
                data.skip(8)?;
                self.server = Some(text(data.rest()));
            }
            11 | 13 => self.server = Some(text(data.rest())),
            _ => {}
        }
        Ok(())
    }

    fn netlogon(&mut self, data: &mut Reader<'a>) -> Wire<()> {
        let command = data.le_u16()?;
        self.netlogon = Some(command);
        match command {
            // LM logon request: computer, user.
            0 => {
                self.computer = Some(ascii(data)?);
                self.user = Some(ascii(data)?);
            }
            // Query for the primary domain controller.
            7 => self.computer = Some(ascii(data)?),
            // SAM logon request: a count, computer, user.
            18 => {
                data.skip(2)?;
                self.computer = Some(utf16(data)?);
                self.user = Some(utf16(data)?);
            }
            _ => {}
        }
        Ok(())
    }
}

/// Text up to the first NUL, or all of it.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes.split(|&byte| byte == 0).next().unwrap_or_default())
}

/// Text with a NUL behind it.
fn ascii<'a>(reader: &mut Reader<'a>) -> Wire<Cow<'a, str>> {
    let length = reader.peek().iter().position(|&byte| byte == 0).ok_or(Malformed)?;
    let bytes = reader.take(length)?;
    reader.skip(1)?;
    Ok(String::from_utf8_lossy(bytes))
}

/// UTF-16 text with a NUL behind it.
fn utf16<'a>(reader: &mut Reader<'a>) -> Wire<Cow<'a, str>> {
    let mut units = Vec::new();
    loop {
        match reader.le_u16()? {
            0 => return Ok(Cow::Owned(String::from_utf16_lossy(&units))),
            unit => units.push(unit),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn announcements_and_logons() {
        let announcement = b"\x0f\0\xc0\xd4\x01\0HOST1\0\0\0\0\0\0\0\0\0\0\0\x05\x01\x03\x10\x05\0\x0f\x01\x55\xaahello\0";
        let mut found = Found::default();
        found.browser(&mut Reader::new(announcement)).unwrap();
        assert_eq!((found.command, found.server.as_deref(), found.comment.as_deref()), (Some(15), Some("HOST1"), Some("hello")));
        assert_eq!((found.os, found.server_type), (Some((5, 1)), Some(0x0005_1003)));

        let mut found = Found::default();
        found.browser(&mut Reader::new(b"\x08\x01\x03\x0a\x10\0\x15\x22\x01\0\0\0\0\0HOST2\0")).unwrap();
        assert_eq!((found.election, found.server.as_deref()), (Some((1, 0x0010_0a03)), Some("HOST2")));

        let mut found = Found::default();
        found.netlogon(&mut Reader::new(b"\x12\0\0\0P\0C\0\0\0b\0o\0b\0\0\0")).unwrap();
        assert_eq!((found.computer.as_deref(), found.user.as_deref()), (Some("PC"), Some("bob")));
    }
}
