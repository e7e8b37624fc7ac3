//! TFTP (RFC 1350) with options (RFC 2347, 2348, 2349, 7440): files in blocks over UDP.
//!
//! A request goes to port 69; the server answers from a port of its own, so that the file passes in another flow. The two
//! are joined by the client's address and port and the server's address.

use std::net::IpAddr;

use pcapper_schema::Common;
use rustc_hash::FxHashMap;

use crate::protocols::expectations::Expectations;
use crate::protocols::files::{About, Follower};
use crate::protocols::{Cx, DatagramDissector, DatagramKind, Dir, Group, Offer, Outcome, Protocol, Verdict};
use crate::wire::{Malformed, Reader, Wire};

/// TFTP: requests by content, what follows by what was requested.
pub static PROTOCOL: Protocol = Protocol {
    name: "tftp",
    group: Group::It,
    ports: &[69],
    datagram: Some(DatagramKind { ip_protos: &[17], probe, start: || Box::<Session>::default() }),
    ..Protocol::NONE
};

/// Transfers under way in one worker.
const MAX_TRANSFERS: usize = 4096;
/// How long one is kept that nothing is heard of, nanoseconds.
const LIFETIME_NS: i64 = 120_000_000_000;
/// Length of a block where no option says otherwise (RFC 1350, section 2).
const BLOCK: u64 = 512;

/// Kinds of packets.
mod op {
    pub const READ: u16 = 1;
    pub const WRITE: u16 = 2;
    pub const DATA: u16 = 3;
    pub const ACK: u16 = 4;
    pub const ERROR: u16 = 5;
    pub const OPTIONS: u16 = 6;
}

fn probe(offer: &Offer<'_>) -> Verdict {
    let bytes = offer.current();
    let Some((kind, rest)) = bytes.split_first_chunk::<2>() else { return Verdict::No };
    let mine = match u16::from_be_bytes(*kind) {
        op::READ | op::WRITE => Request::parse(&mut Reader::new(rest))
            .is_ok_and(|request| offer.usual_port || (request.is_known_mode() && request.name.iter().all(|&byte| byte >= b' '))),
        op::DATA => offer.usual_port && rest.len() >= 2,
        op::ACK => offer.usual_port && (2..=48).contains(&rest.len()),
        op::ERROR => offer.usual_port && rest.len() > 2 && rest.ends_with(&[0]),
        op::OPTIONS => offer.usual_port && rest.ends_with(&[0]),
        _ => false,
    };
    if mine { Verdict::Yes } else { Verdict::No }
}

/// A text that ends with a zero octet.
fn text<'a>(reader: &mut Reader<'a>) -> Wire<&'a [u8]> {
    let length = reader.peek().iter().position(|&byte| byte == 0).ok_or(Malformed)?;
    let text = reader.take(length)?;
    reader.skip(1)?;
    Ok(text)
}

/// A request to read or write a file.
struct Request<'a> {
    name: &'a [u8],
    mode: &'a [u8],
    options: Options,
}

impl<'a> Request<'a> {
    fn parse(reader: &mut Reader<'a>) -> Wire<Self> {
        let (name, mode) = (text(reader)?, text(reader)?);
        Ok(Self { name, mode, options: Options::parse(reader) })
    }

    /// The modes there are (RFC 1350, section 1), in any case.
    fn is_known_mode(&self) -> bool {
        !self.name.is_empty() && [&b"octet"[..], b"netascii", b"mail"].iter().any(|known| self.mode.eq_ignore_ascii_case(known))
    }
}

/// Options that matter to a file's content.
#[derive(Clone, Copy, Default, Debug, PartialEq)]
struct Options {
    block: Option<u64>,
    size: Option<u64>,
}

impl Options {
    /// Reads pairs of names and values as far as they go: some clients pad their requests.
    fn parse(reader: &mut Reader<'_>) -> Self {
        let mut options = Self::default();
        while let (Ok(name), Ok(value)) = (text(reader), text(reader)) {
            let number = std::str::from_utf8(value).ok().and_then(|value| value.parse().ok());
            if name.eq_ignore_ascii_case(b"blksize") {
                options.block = number.filter(|length| (8..=65_464).contains(length));
            } else if name.eq_ignore_ascii_case(b"tsize") {
                options.size = number;
            }
        }
        options
    }
}

/// The client with its port, and the server.
type Key = (IpAddr, u16, IpAddr);

/// Transfers under way.
#[derive(Default)]
struct Transfers(FxHashMap<Key, Transfer>);

/// One transfer.
struct Transfer {
    name: String,
    is_write: bool,
    is_octet: bool,
    block: u64,
    size: Option<u64>,
    /// Cells of the last packet that carried some of it.
    last: Option<Common>,
    heard: i64,
    content: Follower,
    /// Number of the block that came last, rollovers included.
    at: u64,
    /// Where the short block that is the last one ends.
    end: Option<u64>,
}

impl Transfer {
    fn new(request: &Request<'_>, is_write: bool, now: i64) -> Self {
        let is_octet = request.mode.eq_ignore_ascii_case(b"octet");
        Self {
            name: String::from_utf8_lossy(request.name).into_owned(),
            is_write,
            is_octet,
            block: BLOCK,
            // A reader asks with 0.
            size: request.options.size.filter(|_| is_write),
            last: None,
            heard: now,
            content: Follower::default(),
            at: 0,
            end: None,
        }
    }

    /// Takes a block; true if the file is whole with it.
    fn data(&mut self, number: u16, bytes: &[u8], common: Common) -> bool {
        // Numbers have 16 bits and go on from 0 (as all do that send so much).
        let low = i64::from(number).wrapping_sub(i64::try_from(self.at & 0xffff).unwrap_or_default());
        let step = if low > 0x7fff {
            low - 0x1_0000
        } else if low < -0x8000 {
            low + 0x1_0000
        } else {
            low
        };
        let Some(at) = self.at.checked_add_signed(step).filter(|&at| at > 0) else { return false };
        let length = bytes.len() as u64;
        // The answer to the options was not captured.
        if at == 1 && length > self.block {
            self.block = length;
        }
        let start = (at - 1).saturating_mul(self.block);
        self.at = self.at.max(at);
        let before = self.content.bytes();
        self.content.push_at(start, bytes);
        if self.content.bytes() > before {
            self.last = Some(common);
        }
        if length < self.block {
            self.end = Some(start.saturating_add(length));
        }
        self.end.is_some_and(|end| self.content.bytes() == end)
    }

    /// Writes the file's row; what was refused, or is empty, is none.
    fn finish(self, cx: &mut Cx<'_>) {
        let Some(common) = self.last.filter(|_| self.content.bytes() > 0) else { return };
        let ended = self.end == Some(self.content.bytes());
        let about = About {
            source: "tftp",
            filename: Some(self.name.as_str()),
            // The size that is told of a text may be that before its line ends were changed.
            total_bytes: self.size.filter(|_| self.is_octet),
            ..About::default()
        };
        self.content.finish_as(cx, &common, if self.is_write { "upload" } else { "download" }, about, ended);
    }
}

/// A flow of TFTP: requests, or what follows one.
#[derive(Default)]
struct Session {
    /// Transfer whose data pass here.
    key: Option<Key>,
}

impl Session {
    fn request(cx: &mut Cx<'_>, is_write: bool, reader: &mut Reader<'_>) -> Outcome {
        let Ok(request) = Request::parse(reader) else {
            if !cx.packet.is_some_and(|packet| usize::try_from(packet.payload_len).is_ok_and(|length| length > packet.payload.len())) {
                cx.anomaly("tftp", "bad_length", "a request's name or mode has no end");
            }
            return Outcome::Decoded;
        };
        let common = cx.common(cx.dir);
        let (Some(client), Some(port), Some(server)) = (common.src_ip, common.src_port, common.dst_ip) else { return Outcome::Decoded };
        if !request.is_known_mode() {
            return Outcome::Decoded;
        }
        let (key, now) = ((client, port, server), cx.ts);
        cx.shared.get::<Expectations>().expect((client, port), PROTOCOL.name, now);
        let transfers = &mut cx.shared.get::<Transfers>().0;
        let name = String::from_utf8_lossy(request.name);
        // A request that is sent again, its answer being late.
        if transfers.get(&key).is_some_and(|known| known.name == name && known.is_write == is_write && known.last.is_none()) {
            return Outcome::Decoded;
        }
        if transfers.len() >= MAX_TRANSFERS {
            transfers.retain(|_, transfer| now.saturating_sub(transfer.heard) < LIFETIME_NS || transfer.last.is_some());
        }
        let old = if transfers.len() < MAX_TRANSFERS || transfers.contains_key(&key) {
            transfers.insert(key, Transfer::new(&request, is_write, now))
        } else {
            None
        };
        if let Some(old) = old {
            old.finish(cx);
        }
        Outcome::Decoded
    }

    /// The transfer that the packet at hand belongs to, and whether its client sent it.
    fn find(cx: &mut Cx<'_>) -> Option<(Key, bool)> {
        let [sender, receiver] = [cx.dir, cx.dir.reverse()].map(|dir: Dir| cx.ends.get(dir.index()).copied().unwrap_or_default());
        let transfers = &cx.shared.get::<Transfers>().0;
        let by_server = (receiver.ip?, receiver.port?, sender.ip?);
        let by_client = (sender.ip?, sender.port?, receiver.ip?);
        if transfers.contains_key(&by_server) { Some((by_server, false)) } else { transfers.contains_key(&by_client).then_some((by_client, true)) }
    }

    fn answer(&mut self, cx: &mut Cx<'_>, kind: u16, mut reader: Reader<'_>) -> Wire<()> {
        let (common, now) = (cx.common(cx.dir), cx.ts);
        let Some((key, by_client)) = Self::find(cx) else { return Ok(()) };
        let transfers = &mut cx.shared.get::<Transfers>().0;
        let Some(transfer) = transfers.get_mut(&key) else { return Ok(()) };
        transfer.heard = now;
        let over = match kind {
            op::DATA if by_client == transfer.is_write => {
                self.key = Some(key);
                let number = reader.be_u16()?;
                transfer.data(number, reader.rest(), common)
            }
            op::OPTIONS if !by_client && transfer.last.is_none() => {
                let options = Options::parse(&mut reader);
                transfer.block = options.block.unwrap_or(BLOCK);
                transfer.size = options.size.or(transfer.size);
                false
            }
            op::ERROR => true,
            _ => false,
        };
        if over && let Some(transfer) = transfers.remove(&key) {
            transfer.finish(cx);
        }
        Ok(())
    }
}

impl DatagramDissector for Session {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        let mut reader = Reader::new(payload);
        match reader.be_u16() {
            Ok(kind @ (op::READ | op::WRITE)) => Self::request(cx, kind == op::WRITE, &mut reader),
            Ok(kind @ op::DATA..=op::OPTIONS) if payload.len() >= 4 => {
                if self.answer(cx, kind, reader).is_err() {
                    cx.anomaly("tftp", "bad_length", "a packet ends early");
                }
                Outcome::Decoded
            }
            _ => Outcome::NotMine,
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        if let Some(transfer) = self.key.take().and_then(|key| cx.shared.get::<Transfers>().0.remove(&key)) {
            transfer.finish(cx);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transfer() -> Transfer {
        let request = b"a.bin\0octet\0tsize\x000\0blksize\x001428\0";
        Transfer::new(&Request::parse(&mut Reader::new(request)).unwrap(), false, 0)
    }

    #[test]
    fn a_request_with_options() {
        let request = Request::parse(&mut Reader::new(b"a.bin\0OCTET\0tsize\x009\0BLKSIZE\x001428\0")).unwrap();
        assert!(request.is_known_mode());
        assert_eq!(request.options, Options { block: Some(1428), size: Some(9) });
        assert!(Request::parse(&mut Reader::new(b"a.bin\0octet")).is_err());
    }

    #[test]
    fn whole_with_the_short_block() {
        let mut transfer = transfer();
        let block = [7; 512];
        assert!(!transfer.data(1, &block, Common::default()));
        assert!(!transfer.data(1, &block, Common::default()));
        // Overtaken by the one after it.
        assert!(!transfer.data(3, &block[..10], Common::default()));
        assert!(transfer.data(2, &block, Common::default()));
        assert_eq!(transfer.content.bytes(), 1034);
    }

    #[test]
    fn numbers_start_anew() {
        let mut transfer = transfer();
        transfer.at = 0xffff;
        transfer.data(0, &[0; 512], Common::default());
        assert_eq!(transfer.at, 0x1_0000);
        transfer.data(1, &[0; 512], Common::default());
        assert_eq!(transfer.at, 0x1_0001);
        // One that comes late.
        transfer.data(0xffff, &[0; 512], Common::default());
        assert_eq!(transfer.at, 0x1_0001);
    }
}
