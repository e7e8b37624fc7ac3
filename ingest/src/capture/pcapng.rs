//! pcapng (draft-ietf-opsawg-pcapng): sections of blocks.

use std::net::IpAddr;

use pcap_parser::pcapng::{Block, NameRecordType, OptionCode, PcapNGOption, parse_block_be, parse_block_le};

use super::reader::{MAX_RECORD, Step};
use super::{CaptureInfo, Fault, FrameMeta, Interface};
use crate::wire::{Malformed, Reader, Wire};

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
/// Octets of decryption secrets that are kept of a capture; of those beyond, only that they were there.
const MAX_SECRETS: usize = 64 << 20;
const BYTE_ORDER: u32 = 0x1a2b_3c4d;

/// Where in the file we are.
#[derive(Default)]
pub struct PcapNg {
    big_endian: bool,
    sections: u32,
    /// Number of the section's first interface among the file's.
    first_interface: usize,
    clocks: Vec<Clock>,
}

/// How an interface counts time.
#[derive(Clone, Copy)]
struct Clock {
    /// Units a second: a power of ten or of two.
    units: u128,
    offset_s: i64,
}

impl Clock {
    /// Nanoseconds since 1970.
    fn ns(self, high: u32, low: u32) -> i64 {
        let ticks = u128::from(high) << 32 | u128::from(low);
        let ns = if self.units == 1_000_000 {
            // The usual resolution, without a division of 128 bits.
            (u64::from(high) << 32 | u64::from(low)).checked_mul(1000).map(u128::from)
        } else {
            None
        };
        let ns = ns.unwrap_or_else(|| ticks * 1_000_000_000 / self.units);
        i64::try_from(ns).unwrap_or(i64::MAX).saturating_add(self.offset_s.saturating_mul(1_000_000_000))
    }
}

impl PcapNg {
    /// Whether the bytes start a section.
    pub fn recognises(first: &[u8]) -> bool {
        let mut reader = Reader::new(first);
        let (Ok(kind), Ok(_), Ok(order)) = (reader.be_u32(), reader.be_u32(), reader.be_u32()) else { return false };
        kind == SECTION && (order == BYTE_ORDER || order.swap_bytes() == BYTE_ORDER)
    }

    fn word(&self, reader: &mut Reader<'_>) -> Wire<u32> {
        if self.big_endian { reader.be_u32() } else { reader.le_u32() }
    }

    /// Takes the block at the start of `rest`, which lies at `start` of the chunk and `offset` of the capture.
    pub fn block(&mut self, rest: &[u8], start: usize, offset: u64, info: &mut CaptureInfo, frames: &mut Vec<FrameMeta>) -> Step {
        if rest.len() < 12 {
            return Step::More;
        }
        let mut reader = Reader::new(rest);
        if Reader::new(rest).be_u32() == Ok(SECTION) {
            // The byte order of a section stands behind its length.
            self.big_endian = rest.get(8..12) == Some(&BYTE_ORDER.to_be_bytes());
        }
        let (Ok(kind), Ok(length)) = (self.word(&mut reader), self.word(&mut reader)) else { return Step::More };
        let length = length as usize;
        if !(12..=MAX_RECORD).contains(&length) {
            let detail = format!("block at byte {offset} says it is {length} bytes long; nothing behind it can be read");
            return Step::Damaged(rest.len(), Fault { kind: "bad_block", offset, after_frame: info.packets, detail });
        }
        // Some writers leave out the padding of the length itself.
        let whole = length.next_multiple_of(4);
        if rest.len() < whole {
            return if rest.len() >= length && rest.len() < whole { Step::Record(rest.len()) } else { Step::More };
        }
        let Some(body) = rest.get(8..length - 4) else { return Step::Record(whole) };
        let outcome = match kind {
            ENHANCED_PACKET => self.enhanced(body, start + 8, info, frames),
            SIMPLE_PACKET => self.simple(body, start + 8, info, frames),
            OBSOLETE_PACKET => self.obsolete(body, start + 8, info, frames),
            _ => self.other(kind, rest.get(..length).unwrap_or_default(), info),
        };
        match outcome {
            Ok(()) => Step::Record(whole),
            Err(Malformed) => {
                let detail = format!("block at byte {offset} (type {kind}) cannot be read; {whole} bytes were passed over");
                Step::Damaged(whole, Fault { kind: "bad_block", offset, after_frame: info.packets, detail })
            }
        }
    }

    #[inline]
    fn enhanced(&mut self, body: &[u8], start: usize, info: &mut CaptureInfo, frames: &mut Vec<FrameMeta>) -> Wire<()> {
        let mut reader = Reader::new(body);
        let interface = self.word(&mut reader)?;
        let (high, low) = (self.word(&mut reader)?, self.word(&mut reader)?);
        let (captured, length) = (self.word(&mut reader)?, self.word(&mut reader)?);
        reader.skip(captured as usize)?;
        self.frame(interface, Some((high, low)), captured, length, start + 20, info, frames)?;
        let _ = reader.skip((captured as usize).next_multiple_of(4) - captured as usize);
        if !reader.is_empty() {
            for comment in self.comments(reader) {
                info.packet_comments.push((info.packets, comment));
            }
        }
        Ok(())
    }

    fn obsolete(&mut self, body: &[u8], start: usize, info: &mut CaptureInfo, frames: &mut Vec<FrameMeta>) -> Wire<()> {
        let mut reader = Reader::new(body);
        let interface = if self.big_endian { reader.be_u16()? } else { reader.le_u16()? };
        reader.skip(2)?;
        let (high, low) = (self.word(&mut reader)?, self.word(&mut reader)?);
        let (captured, length) = (self.word(&mut reader)?, self.word(&mut reader)?);
        reader.skip(captured as usize)?;
        self.frame(u32::from(interface), Some((high, low)), captured, length, start + 20, info, frames)
    }

    fn simple(&mut self, body: &[u8], start: usize, info: &mut CaptureInfo, frames: &mut Vec<FrameMeta>) -> Wire<()> {
        let mut reader = Reader::new(body);
        let length = self.word(&mut reader)?;
        let snaplen = info.interfaces.get(self.first_interface).map_or(0, |interface| interface.snaplen);
        let limit = if snaplen == 0 { length } else { length.min(snaplen) };
        let captured = limit.min(reader.len() as u32);
        self.frame(0, None, captured, length, start + 4, info, frames)
    }

    #[allow(clippy::too_many_arguments, reason = "the fields of one packet block")]
    fn frame(
        &mut self,
        interface: u32,
        ticks: Option<(u32, u32)>,
        captured: u32,
        length: u32,
        start: usize,
        info: &mut CaptureInfo,
        frames: &mut Vec<FrameMeta>,
    ) -> Wire<()> {
        let at = self.first_interface.checked_add(interface as usize).ok_or(Malformed)?;
        let clock = *self.clocks.get(at).ok_or(Malformed)?;
        let known = info.interfaces.get(at).ok_or(Malformed)?;
        let (link_type, fcs_len) = (known.link_type, known.fcs_len.unwrap_or(0));
        let ts = ticks.map(|(high, low)| clock.ns(high, low));
        info.count(ts, at, captured, length);
        frames.push(FrameMeta {
            number: info.packets,
            ts: ts.or(info.previous_ts).unwrap_or(0),
            has_ts: ts.is_some(),
            start: start as u32,
            captured_len: captured,
            frame_len: length,
            interface: at as u32,
            link_type,
            fcs_len,
            shard: 0,
        });
        Ok(())
    }

    /// Comments among the options of a packet block.
    fn comments(&self, mut reader: Reader<'_>) -> Vec<String> {
        let mut comments = Vec::new();
        loop {
            let short = |reader: &mut Reader<'_>| if self.big_endian { reader.be_u16() } else { reader.le_u16() };
            let (Ok(code), Ok(length)) = (short(&mut reader), short(&mut reader)) else { break };
            let Ok(value) = reader.take(usize::from(length)) else { break };
            let _ = reader.skip(usize::from(length).next_multiple_of(4) - usize::from(length));
            match code {
                0 => break,
                1 => comments.push(String::from_utf8_lossy(value).into_owned()),
                _ => {}
            }
        }
        comments
    }

    /// Every block that holds no packet.
    fn other(&mut self, kind: u32, block: &[u8], info: &mut CaptureInfo) -> Wire<()> {
        let parsed = if self.big_endian { parse_block_be(block) } else { parse_block_le(block) };
        let Ok((_, block)) = parsed else {
            // A block of an unknown kind is passed over; one that we need is damage.
            return if matches!(kind, SECTION | INTERFACE) { Err(Malformed) } else { Ok(()) };
        };
        match block {
            Block::SectionHeader(section) => {
                self.sections += 1;
                self.first_interface = info.interfaces.len();
                for option in &section.options {
                    match option.code {
                        OptionCode::Comment => info.comments.extend(text(option)),
                        OptionCode::ShbHardware => info.hardware = text(option).or(info.hardware.take()),
                        OptionCode::ShbOs => info.os = text(option).or(info.os.take()),
                        OptionCode::ShbUserAppl => info.application = text(option).or(info.application.take()),
                        _ => {}
                    }
                }
            }
            Block::InterfaceDescription(description) => self.interface(&description, info),
            Block::InterfaceStatistics(statistics) => {
                let at = self.first_interface.saturating_add(statistics.if_id as usize);
                let clock = self.clocks.get(at).copied();
                if let Some(interface) = info.interfaces.get_mut(at) {
                    for option in &statistics.options {
                        let number = self.number(&option.value);
                        let when = || {
                            let mut reader = Reader::new(&option.value);
                            let (high, low) = (self.word(&mut reader).ok()?, self.word(&mut reader).ok()?);
                            Some(clock?.ns(high, low))
                        };
                        match option.code.0 {
                            2 => interface.stats_start_ts = when(),
                            3 => interface.stats_end_ts = when(),
                            4 => interface.received_by_interface = number,
                            5 => interface.dropped_by_interface = number,
                            6 => interface.accepted_by_filter = number,
                            7 => interface.dropped_by_os = number,
                            8 => interface.delivered = number,
                            _ => {}
                        }
                    }
                }
            }
            Block::NameResolution(names) => {
                for record in &names.nr {
                    let (address, names): (IpAddr, &[u8]) = match (record.record_type, record.record_value) {
                        (NameRecordType::Ipv4, value) => match value.split_first_chunk::<4>() {
                            Some((address, names)) => ((*address).into(), names),
                            None => continue,
                        },
                        (NameRecordType::Ipv6, value) => match value.split_first_chunk::<16>() {
                            Some((address, names)) => ((*address).into(), names),
                            None => continue,
                        },
                        _ => continue,
                    };
                    for name in names.split(|&byte| byte == 0).filter(|name| !name.is_empty()) {
                        info.names.push((address, String::from_utf8_lossy(name).into_owned()));
                    }
                }
            }
            Block::DecryptionSecrets(secrets) => {
                // The parser gives the padding along with the secrets.
                let data = secrets.data.get(..secrets.secrets_len as usize).unwrap_or(secrets.data);
                let held: usize = info.secrets.iter().map(|(_, data)| data.len()).sum();
                let kept = if held.saturating_add(data.len()) <= MAX_SECRETS { data } else { &[] };
                info.secrets.push((secrets.secrets_type.0, kept.to_vec()));
            }
            other => *info.other_blocks.entry(other.magic()).or_default() += 1,
        }
        Ok(())
    }

    fn interface(&mut self, description: &pcap_parser::pcapng::InterfaceDescriptionBlock<'_>, info: &mut CaptureInfo) {
        let mut interface = Interface {
            section: self.sections.saturating_sub(1),
            link_type: description.linktype.0 as u16,
            snaplen: description.snaplen,
            big_endian: self.big_endian,
            ..Interface::default()
        };
        let mut resolution = 6u8;
        for option in &description.options {
            let value: &[u8] = &option.value;
            match option.code.0 {
                1 => interface.comments.extend(text(option)),
                2 => interface.name = text(option),
                3 => interface.description = text(option),
                4 => interface.ipv4.extend(address_and_mask(value)),
                5 => interface.ipv6.extend(address_and_length(value)),
                6 => interface.mac = value.first_chunk::<6>().map(|mac| pcapper_schema::Mac(*mac).to_string()),
                7 => {
                    interface.eui64 = value.first_chunk::<8>().map(|eui| eui.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join(":"))
                }
                8 => interface.speed_bps = self.number(value),
                9 => resolution = value.first().copied().unwrap_or(6),
                10 => interface.timezone = self.number(value).map(|zone| zone as i32),
                // The first octet says which language the filter is in.
                11 => {
                    interface.filter = value
                        .split_first()
                        .map(|(_, filter)| String::from_utf8_lossy(filter).trim_end_matches('\0').to_owned())
                        .filter(|filter| !filter.is_empty())
                }
                12 => interface.os = text(option),
                13 => interface.fcs_len = value.first().copied(),
                14 => interface.ts_offset_s = self.number(value).map(|offset| offset as i64),
                15 => interface.hardware = text(option),
                _ => {}
            }
        }
        interface.ts_resolution = match resolution {
            0 => "s".to_owned(),
            3 => "ms".to_owned(),
            6 => "us".to_owned(),
            9 => "ns".to_owned(),
            binary if binary & 0x80 != 0 => format!("2^-{}", binary & 0x7f),
            decimal => format!("10^-{decimal}"),
        };
        let exponent = u32::from(resolution & 0x7f);
        let units = if resolution & 0x80 != 0 { 1u128.checked_shl(exponent.min(90)) } else { 10u128.checked_pow(exponent.min(27)) };
        self.clocks.push(Clock { units: units.unwrap_or(1_000_000).max(1), offset_s: interface.ts_offset_s.unwrap_or(0) });
        info.interfaces.push(interface);
    }

    /// A number of 1 to 8 octets in the section's byte order.
    fn number(&self, value: &[u8]) -> Option<u64> {
        let mut number = 0u64;
        let octets = value.get(..value.len().min(8))?;
        for index in 0..octets.len() {
            let octet = if self.big_endian { octets.get(index) } else { octets.get(octets.len() - 1 - index) };
            number = number << 8 | u64::from(*octet?);
        }
        (!octets.is_empty()).then_some(number)
    }
}

/// An option's text; `None` if it is empty.
fn text(option: &PcapNGOption<'_>) -> Option<String> {
    let text = String::from_utf8_lossy(&option.value);
    let text = text.trim_end_matches('\0');
    (!text.is_empty()).then(|| text.to_owned())
}

fn address_and_mask(value: &[u8]) -> Option<String> {
    let (address, rest) = value.split_first_chunk::<4>()?;
    let mask = u32::from_be_bytes(*rest.first_chunk::<4>()?);
    Some(format!("{}/{}", IpAddr::from(*address), mask.leading_ones()))
}

fn address_and_length(value: &[u8]) -> Option<String> {
    let (address, rest) = value.split_first_chunk::<16>()?;
    Some(format!("{}/{}", IpAddr::from(*address), rest.first()?))
}
