//! Record data in presentation form (RFC 1035 section 5.1 and the RFC of each type).
//!
//! Data that does not fit its type, and data of types without a form here, is written as RFC 3597 section 5 writes unknown
//! types: `\# length hex`.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::name::{push_octets, push_quoted, read_name};
use super::types::{rr, type_name};
use crate::wire::{Malformed, Reader, Wire};

/// Most rendezvous servers shown of a HIP record: two octets may stand for a name of a thousand characters.
const MAX_SERVERS: usize = 32;

/// A record's data and where it stands.
#[derive(Clone, Copy)]
pub struct Rdata<'a> {
    /// The whole message, for compressed names.
    pub message: &'a [u8],
    /// Offset of the data in it.
    pub at: usize,
    /// The data: RDLENGTH octets.
    pub bytes: &'a [u8],
}

/// What a record holds besides its presentation form. Ranges point into the text that was appended to.
#[derive(Default, Debug)]
pub struct Parts<'a> {
    pub address: Option<IpAddr>,
    /// The name in NS, CNAME, PTR, DNAME, MX and SRV data.
    pub target: Option<Range<usize>>,
    /// Strings of TXT-like data, the empty ones left out.
    pub text: Vec<Cow<'a, str>>,
    /// MX preference, SRV or SVCB priority.
    pub preference: Option<u16>,
    pub srv_port: Option<u16>,
    pub soa_mname: Option<Range<usize>>,
    pub soa_rname: Option<Range<usize>>,
    pub soa_serial: Option<u32>,
    pub alpn: Vec<Cow<'a, str>>,
    pub ech: Option<&'a [u8]>,
    /// The data contradicts its type.
    pub malformed: bool,
}

/// Appends the presentation form of data of type `kind` to `out`; nothing for empty data (deletions in UPDATE have none).
pub fn present<'a>(kind: u16, rdata: Rdata<'a>, out: &mut String) -> Parts<'a> {
    if rdata.bytes.is_empty() {
        return Parts::default();
    }
    let start = out.len();
    let end = rdata.at.saturating_add(rdata.bytes.len());
    let mut fields = Fields { message: rdata.message, end, rest: Reader::new(rdata.bytes), out, parts: Parts::default() };
    let known = fields.of_type(kind);
    let whole = fields.rest.is_empty();
    let parts = fields.parts;
    match known {
        Ok(true) if whole => parts,
        Ok(false) => {
            generic(rdata.bytes, out);
            parts
        }
        // What was read before the fault stays, except for names: their text is gone.
        Err(_) => {
            out.truncate(start);
            generic(rdata.bytes, out);
            Parts { target: None, soa_mname: None, soa_rname: None, malformed: true, ..parts }
        }
        Ok(true) => {
            out.truncate(start);
            generic(rdata.bytes, out);
            Parts { malformed: true, ..Parts::default() }
        }
    }
}

/// The form of unknown types, RFC 3597 section 5.
fn generic(bytes: &[u8], out: &mut String) {
    let _ = write!(out, "\\# {} ", bytes.len());
    push_hex(out, bytes);
}

/// Appends octets as lower-case hexadecimal.
pub fn push_hex(out: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for &byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            out.push(char::from(DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0')));
        }
    }
}

/// Text as sent where it is UTF-8 without control characters, else with `\DDD`.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(char::is_control) => Cow::Borrowed(text),
        _ => {
            let mut escaped = String::with_capacity(bytes.len());
            push_octets(&mut escaped, bytes);
            Cow::Owned(escaped)
        }
    }
}

/// The fields of one record, read in order and written as they are read.
struct Fields<'a, 'o> {
    message: &'a [u8],
    /// Offset in the message of the first octet after the data.
    end: usize,
    rest: Reader<'a>,
    out: &'o mut String,
    parts: Parts<'a>,
}

impl<'a> Fields<'a, '_> {
    /// Writes data of one type; false where the type has no form of its own.
    fn of_type(&mut self, kind: u16) -> Wire<bool> {
        match kind {
            rr::A => {
                let address = Ipv4Addr::from(self.rest.array::<4>()?).into();
                self.parts.address = Some(address);
                self.show(address);
            }
            rr::AAAA => {
                let address = Ipv6Addr::from(self.rest.array::<16>()?).into();
                self.parts.address = Some(address);
                self.show(address);
            }
            rr::NS | rr::CNAME | rr::PTR | rr::DNAME => self.parts.target = Some(self.name()?),
            rr::MD | rr::MF | rr::MB | rr::MG | rr::MR | rr::NSAP_PTR => {
                self.name()?;
            }
            rr::MINFO | rr::RP | rr::TALINK => {
                self.name()?;
                self.space();
                self.name()?;
            }
            rr::SOA => self.soa()?,
            rr::MX => {
                self.parts.preference = Some(self.number16()?);
                self.parts.target = Some(self.next_name()?);
            }
            rr::AFSDB | rr::RT | rr::KX | rr::LP => {
                self.number16()?;
                self.next_name()?;
            }
            rr::PX => {
                self.number16()?;
                self.next_name()?;
                self.next_name()?;
            }
            rr::SRV => {
                self.parts.preference = Some(self.number16()?);
                self.space();
                self.number16()?;
                self.space();
                self.parts.srv_port = Some(self.number16()?);
                self.parts.target = Some(self.next_name()?);
            }
            rr::TXT | rr::SPF | rr::NINFO | rr::AVC | rr::RESINFO | rr::WALLET => self.strings(true)?,
            rr::HINFO | rr::X25 | rr::ISDN | rr::GPOS => self.strings(false)?,
            rr::NAPTR => self.naptr()?,
            rr::WKS => self.services()?,
            rr::LOC => self.location()?,
            rr::CERT => {
                self.number16()?;
                self.space();
                self.number16()?;
                self.space();
                self.number8()?;
                self.space();
                self.base64();
            }
            rr::KEY | rr::DNSKEY | rr::CDNSKEY => {
                self.number16()?;
                self.space();
                self.numbers8(2)?;
                self.base64();
            }
            rr::DS | rr::CDS | rr::DLV | rr::TA => {
                self.number16()?;
                self.space();
                self.numbers8(2)?;
                self.hex();
            }
            rr::SSHFP => {
                self.numbers8(2)?;
                self.hex();
            }
            rr::TLSA | rr::SMIMEA => {
                self.numbers8(3)?;
                self.hex();
            }
            rr::ZONEMD => {
                self.number32()?;
                self.space();
                self.numbers8(2)?;
                self.hex();
            }
            rr::IPSECKEY => self.ipsec_key()?,
            rr::RRSIG | rr::SIG => self.signature()?,
            rr::NSEC => {
                self.name()?;
                self.type_bitmap()?;
            }
            rr::NSEC3 => {
                self.nsec3_parameters()?;
                let length = self.rest.u8()?;
                let hash = self.rest.take(usize::from(length))?;
                self.space();
                push_base32hex(self.out, hash);
                self.type_bitmap()?;
            }
            rr::NSEC3PARAM => self.nsec3_parameters()?,
            rr::CSYNC => {
                self.number32()?;
                self.space();
                self.number16()?;
                self.type_bitmap()?;
            }
            rr::HIP => self.host_identity()?,
            rr::OPENPGPKEY | rr::DHCID => self.base64(),
            rr::SVCB | rr::HTTPS => self.service_binding()?,
            rr::NID | rr::L64 => {
                self.number16()?;
                self.space();
                let groups = [self.rest.be_u16()?, self.rest.be_u16()?, self.rest.be_u16()?, self.rest.be_u16()?];
                let [a, b, c, d] = groups;
                let _ = write!(self.out, "{a:x}:{b:x}:{c:x}:{d:x}");
            }
            rr::L32 => {
                self.number16()?;
                self.space();
                let address = Ipv4Addr::from(self.rest.array::<4>()?);
                self.show(address);
            }
            rr::EUI48 => self.octets_with_dashes(6)?,
            rr::EUI64 => self.octets_with_dashes(8)?,
            rr::URI => {
                self.number16()?;
                self.space();
                self.number16()?;
                self.space();
                push_quoted(self.out, self.rest.rest());
            }
            rr::CAA => {
                self.number8()?;
                self.space();
                let length = self.rest.u8()?;
                push_octets(self.out, self.rest.take(usize::from(length))?);
                self.space();
                push_quoted(self.out, self.rest.rest());
            }
            rr::APL => self.address_prefixes()?,
            rr::NSAP => {
                self.out.push_str("0x");
                self.hex();
            }
            rr::TKEY => self.tkey()?,
            rr::TSIG => self.tsig()?,
            _ => {
                self.rest.rest();
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn show(&mut self, value: impl std::fmt::Display) {
        // Writing into a String cannot fail.
        let _ = write!(self.out, "{value}");
    }

    fn space(&mut self) {
        self.out.push(' ');
    }

    fn number8(&mut self) -> Wire<u8> {
        let number = self.rest.u8()?;
        self.show(number);
        Ok(number)
    }

    fn number16(&mut self) -> Wire<u16> {
        let number = self.rest.be_u16()?;
        self.show(number);
        Ok(number)
    }

    fn number32(&mut self) -> Wire<u32> {
        let number = self.rest.be_u32()?;
        self.show(number);
        Ok(number)
    }

    /// Octets as numbers, a space after each.
    fn numbers8(&mut self, count: u8) -> Wire<()> {
        for _ in 0..count {
            self.number8()?;
            self.space();
        }
        Ok(())
    }

    fn name(&mut self) -> Wire<Range<usize>> {
        let at = self.end.checked_sub(self.rest.len()).ok_or(Malformed)?;
        let from = self.out.len();
        let info = read_name(self.message, at, self.out)?;
        self.rest.skip(info.end.checked_sub(at).ok_or(Malformed)?)?;
        Ok(from..self.out.len())
    }

    fn next_name(&mut self) -> Wire<Range<usize>> {
        self.space();
        self.name()
    }

    /// A character string: length octet and octets.
    fn string(&mut self) -> Wire<&'a [u8]> {
        let length = self.rest.u8()?;
        self.rest.take(usize::from(length))
    }

    fn hex(&mut self) {
        push_hex(self.out, self.rest.rest());
    }

    fn base64(&mut self) {
        STANDARD.encode_string(self.rest.rest(), self.out);
    }

    fn octets_with_dashes(&mut self, count: usize) -> Wire<()> {
        for (index, octet) in self.rest.take(count)?.iter().enumerate() {
            let _ = write!(self.out, "{}{octet:02x}", if index == 0 { "" } else { "-" });
        }
        Ok(())
    }

    /// All that is left as quoted strings; `keep` collects them too.
    fn strings(&mut self, keep: bool) -> Wire<()> {
        let mut first = true;
        while !self.rest.is_empty() {
            if !std::mem::take(&mut first) {
                self.space();
            }
            let string = self.string()?;
            push_quoted(self.out, string);
            if keep && !string.is_empty() {
                self.parts.text.push(text(string));
            }
        }
        Ok(())
    }

    fn soa(&mut self) -> Wire<()> {
        self.parts.soa_mname = Some(self.name()?);
        self.parts.soa_rname = Some(self.next_name()?);
        self.space();
        self.parts.soa_serial = Some(self.number32()?);
        for _ in 0..4 {
            self.space();
            self.number32()?;
        }
        Ok(())
    }

    /// RFC 3403 section 4.1.
    fn naptr(&mut self) -> Wire<()> {
        self.number16()?;
        self.space();
        self.number16()?;
        for _ in 0..3 {
            self.space();
            let string = self.string()?;
            push_quoted(self.out, string);
        }
        self.next_name()?;
        Ok(())
    }

    /// WKS, RFC 1035 section 3.4.2: address, protocol number, port numbers.
    fn services(&mut self) -> Wire<()> {
        let address = Ipv4Addr::from(self.rest.array::<4>()?);
        self.show(address);
        self.space();
        self.number8()?;
        self.bits(0, &|port, out| {
            let _ = write!(out, " {port}");
        });
        Ok(())
    }

    /// Calls `each` with the number of every bit set in what is left, the first bit being `base`.
    fn bits(&mut self, base: u16, each: &dyn Fn(u16, &mut String)) {
        for (index, octet) in self.rest.rest().iter().enumerate() {
            for bit in (0..8u16).filter(|bit| octet & (0x80 >> bit) != 0) {
                let number = u16::try_from(index.saturating_mul(8)).ok().and_then(|n| n.checked_add(base)?.checked_add(bit));
                if let Some(number) = number {
                    each(number, self.out);
                }
            }
        }
    }

    /// Type bit maps, RFC 4034 section 4.1.2: blocks in increasing order.
    fn type_bitmap(&mut self) -> Wire<()> {
        let mut last = None;
        while !self.rest.is_empty() {
            let number = self.rest.u8()?;
            let length = usize::from(self.rest.u8()?);
            if length > 32 || last.replace(number) >= Some(number) {
                return Err(Malformed);
            }
            let window = u16::from(number) << 8;
            let block = self.rest.sub(length)?;
            let after = std::mem::replace(&mut self.rest, block);
            self.bits(window, &|number, out| {
                out.push(' ');
                push_type(out, number);
            });
            self.rest = after;
        }
        Ok(())
    }

    /// RFC 1876 section 3: degrees, minutes, seconds, altitude and sizes in metres.
    fn location(&mut self) -> Wire<()> {
        let version = self.rest.u8()?;
        let sizes = self.rest.array::<3>()?;
        let (latitude, longitude, altitude) = (self.rest.be_u32()?, self.rest.be_u32()?, self.rest.be_u32()?);
        if version != 0 {
            return Err(Malformed);
        }
        for (angle, hemispheres) in [(latitude, ['N', 'S']), (longitude, ['E', 'W'])] {
            let from_zero = i64::from(angle).saturating_sub(1 << 31);
            let milliseconds = from_zero.unsigned_abs();
            let (degrees, minutes, seconds, rest) =
                (milliseconds / 3_600_000, milliseconds / 60_000 % 60, milliseconds / 1000 % 60, milliseconds % 1000);
            let [positive, negative] = hemispheres;
            let hemisphere = if from_zero < 0 { negative } else { positive };
            let _ = write!(self.out, "{degrees} {minutes} {seconds}.{rest:03} {hemisphere} ");
        }
        let centimetres = i64::from(altitude).saturating_sub(10_000_000);
        let sign = if centimetres < 0 { "-" } else { "" };
        let _ = write!(self.out, "{sign}{}.{:02}m", centimetres.unsigned_abs() / 100, centimetres.unsigned_abs() % 100);
        for size in sizes {
            let (mantissa, exponent) = (u64::from(size >> 4), u32::from(size & 15));
            if mantissa > 9 || exponent > 9 {
                return Err(Malformed);
            }
            let centimetres = mantissa.saturating_mul(10u64.saturating_pow(exponent));
            let _ = write!(self.out, " {}.{:02}m", centimetres / 100, centimetres % 100);
        }
        Ok(())
    }

    /// RFC 4025 section 2.1.
    fn ipsec_key(&mut self) -> Wire<()> {
        self.number8()?;
        self.space();
        let gateway = self.number8()?;
        self.space();
        self.number8()?;
        self.space();
        match gateway {
            0 => self.out.push('.'),
            1 => {
                let address = Ipv4Addr::from(self.rest.array::<4>()?);
                self.show(address);
            }
            2 => {
                let address = Ipv6Addr::from(self.rest.array::<16>()?);
                self.show(address);
            }
            3 => {
                self.name()?;
            }
            _ => return Err(Malformed),
        }
        if !self.rest.is_empty() {
            self.space();
            self.base64();
        }
        Ok(())
    }

    /// RFC 4034 section 3.2.
    fn signature(&mut self) -> Wire<()> {
        let covered = self.rest.be_u16()?;
        push_type(self.out, covered);
        self.space();
        self.numbers8(2)?;
        self.number32()?;
        self.space();
        let (expires, starts) = (self.rest.be_u32()?, self.rest.be_u32()?);
        push_time(self.out, expires);
        self.space();
        push_time(self.out, starts);
        self.space();
        self.number16()?;
        self.next_name()?;
        self.space();
        self.base64();
        Ok(())
    }

    /// What NSEC3 and NSEC3PARAM begin with, RFC 5155 sections 3.2 and 4.2: algorithm, flags, iterations, salt.
    fn nsec3_parameters(&mut self) -> Wire<()> {
        self.numbers8(2)?;
        self.number16()?;
        self.space();
        let salt = self.string()?;
        match salt {
            [] => self.out.push('-'),
            _ => push_hex(self.out, salt),
        }
        Ok(())
    }

    /// RFC 8005 section 5.
    fn host_identity(&mut self) -> Wire<()> {
        let tag_length = self.rest.u8()?;
        self.number8()?;
        let key_length = self.rest.be_u16()?;
        self.space();
        push_hex(self.out, self.rest.take(usize::from(tag_length))?);
        self.space();
        STANDARD.encode_string(self.rest.take(usize::from(key_length))?, self.out);
        for _ in 0..MAX_SERVERS {
            if self.rest.is_empty() {
                return Ok(());
            }
            self.next_name()?;
        }
        if self.rest.is_empty() { Ok(()) } else { Err(Malformed) }
    }

    /// APL, RFC 3123 section 4.
    fn address_prefixes(&mut self) -> Wire<()> {
        let mut first = true;
        while !self.rest.is_empty() {
            if !std::mem::take(&mut first) {
                self.space();
            }
            let (family, prefix, flags) = (self.rest.be_u16()?, self.rest.u8()?, self.rest.u8()?);
            let part = self.rest.take(usize::from(flags & 0x7f))?;
            let address = padded_address(family, part).ok_or(Malformed)?;
            let _ = write!(self.out, "{}{family}:{address}/{prefix}", if flags & 0x80 != 0 { "!" } else { "" });
        }
        Ok(())
    }

    /// RFC 9460 section 2.2.
    fn service_binding(&mut self) -> Wire<()> {
        self.parts.preference = Some(self.number16()?);
        self.next_name()?;
        while !self.rest.is_empty() {
            self.space();
            let key = self.rest.be_u16()?;
            let length = self.rest.be_u16()?;
            let value = self.rest.take(usize::from(length))?;
            self.service_parameter(key, value)?;
        }
        Ok(())
    }

    fn service_parameter(&mut self, key: u16, value: &'a [u8]) -> Wire<()> {
        push_parameter_key(self.out, key);
        if value.is_empty() {
            return Ok(());
        }
        self.out.push('=');
        let mut rest = Reader::new(value);
        let mut first = true;
        match key {
            0 => {
                while !rest.is_empty() {
                    self.comma(&mut first);
                    push_parameter_key(self.out, rest.be_u16()?);
                }
            }
            1 => {
                self.out.push('"');
                while !rest.is_empty() {
                    self.comma(&mut first);
                    let length = rest.u8()?;
                    let protocol = rest.take(usize::from(length))?;
                    push_octets(self.out, protocol);
                    self.parts.alpn.push(text(protocol));
                }
                self.out.push('"');
            }
            3 => {
                let port = rest.be_u16()?;
                self.show(port);
                if !rest.is_empty() {
                    return Err(Malformed);
                }
            }
            4 => {
                while !rest.is_empty() {
                    self.comma(&mut first);
                    let address = Ipv4Addr::from(rest.array::<4>()?);
                    self.show(address);
                }
            }
            5 => {
                STANDARD.encode_string(value, self.out);
                self.parts.ech = Some(value);
            }
            6 => {
                while !rest.is_empty() {
                    self.comma(&mut first);
                    let address = Ipv6Addr::from(rest.array::<16>()?);
                    self.show(address);
                }
            }
            _ => push_quoted(self.out, value),
        }
        Ok(())
    }

    fn comma(&mut self, first: &mut bool) {
        if !std::mem::take(first) {
            self.out.push(',');
        }
    }

    /// RFC 2930 section 2.
    fn tkey(&mut self) -> Wire<()> {
        self.name()?;
        for _ in 0..2 {
            self.space();
            let time = self.rest.be_u32()?;
            push_time(self.out, time);
        }
        self.space();
        self.number16()?;
        self.space();
        self.number16()?;
        self.sized_base64()?;
        self.sized_base64()
    }

    /// RFC 8945 section 4.2.
    fn tsig(&mut self) -> Wire<()> {
        self.name()?;
        let (high, low) = (self.rest.be_u16()?, self.rest.be_u32()?);
        let _ = write!(self.out, " {} ", u64::from(high) << 32 | u64::from(low));
        self.number16()?;
        self.sized_base64()?;
        self.space();
        self.number16()?;
        self.space();
        self.number16()?;
        self.sized_base64()
    }

    /// ` length base64`: a 16-bit length and that many octets.
    fn sized_base64(&mut self) -> Wire<()> {
        self.space();
        let length = self.number16()?;
        if length > 0 {
            self.space();
            STANDARD.encode_string(self.rest.take(usize::from(length))?, self.out);
        }
        Ok(())
    }
}

/// Appends a type's name, `TYPE123` where it has none (RFC 3597 section 5).
pub fn push_type(out: &mut String, number: u16) {
    match type_name(number) {
        Some(name) => out.push_str(name),
        None => drop(write!(out, "TYPE{number}")),
    }
}

/// Service parameter keys, RFC 9460 section 14.3.2 and what was registered since.
fn push_parameter_key(out: &mut String, key: u16) {
    const NAMES: [&str; 10] =
        ["mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint", "dohpath", "ohttp", "tls-supported-groups"];
    match NAMES.get(usize::from(key)) {
        Some(name) => out.push_str(name),
        None => drop(write!(out, "key{key}")),
    }
}

/// Appends seconds since 1970 as `YYYYMMDDHHmmSS`, UTC (RFC 4034 section 3.2).
fn push_time(out: &mut String, seconds: u32) {
    let (days, second) = (i64::from(seconds / 86_400), seconds % 86_400);
    // Days to civil date in the proleptic Gregorian calendar, counted in 400-year eras from 1 March of year 0.
    let shifted = days.saturating_add(719_468);
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    let _ = write!(out, "{year:04}{month:02}{day_of_month:02}{:02}{:02}{:02}", second / 3600, second / 60 % 60, second % 60);
}

/// Base 32 with extended hex alphabet, without padding (RFC 4648 section 7), as NSEC3 hashes are written.
fn push_base32hex(out: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
    for group in bytes.chunks(5) {
        let mut bits = 0u64;
        for index in 0..5 {
            bits = bits << 8 | u64::from(group.get(index).copied().unwrap_or(0));
        }
        let digits = group.len().saturating_mul(8).div_ceil(5);
        for digit in 0..digits {
            let shift = 35usize.saturating_sub(digit.saturating_mul(5));
            let value = usize::try_from(bits >> shift & 31).unwrap_or(0);
            out.push(char::from(DIGITS.get(value).copied().unwrap_or(b'0')));
        }
    }
}

/// An address of which only the first octets are given; `None` for other families than IPv4 (1) and IPv6 (2).
pub fn padded_address(family: u16, octets: &[u8]) -> Option<IpAddr> {
    match family {
        1 => {
            let mut whole = [0; 4];
            whole.get_mut(..octets.len())?.copy_from_slice(octets);
            Some(Ipv4Addr::from(whole).into())
        }
        2 => {
            let mut whole = [0; 16];
            whole.get_mut(..octets.len())?.copy_from_slice(octets);
            Some(Ipv6Addr::from(whole).into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(kind: u16, bytes: &[u8]) -> String {
        let mut out = String::new();
        present(kind, Rdata { message: bytes, at: 0, bytes }, &mut out);
        out
    }

    #[test]
    fn presentation_forms() {
        let soa = b"\x02ns\0\x01h\0\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04\0\0\0\x05";
        assert_eq!(shown(rr::SOA, soa), "ns h 1 2 3 4 5");
        assert_eq!(shown(rr::MX, b"\0\x0a\x01m\0"), "10 m");
        assert_eq!(shown(rr::SRV, b"\0\x01\0\x02\x00\x50\x01m\0"), "1 2 80 m");
        assert_eq!(shown(rr::TXT, b"\x02a\"\x00\x01\x07"), r#""a\"" "" "\007""#);
        assert_eq!(shown(rr::CAA, b"\x80\x05issueca.org"), r#"128 issue "ca.org""#);
        assert_eq!(shown(rr::URI, b"\0\x0a\0\x01http://x/"), r#"10 1 "http://x/""#);
        assert_eq!(shown(rr::NAPTR, b"\0\x64\0\x0a\x01u\x07E2U+sip\x02!x\0"), r#"100 10 "u" "E2U+sip" "!x" ."#);
        assert_eq!(shown(rr::SSHFP, b"\x04\x02\xab\xcd"), "4 2 abcd");
        assert_eq!(shown(rr::NSEC, b"\x01b\0\0\x06\x40\x01\0\0\0\x03\x01\x01\x40"), "b A MX RRSIG NSEC CAA");
        assert_eq!(shown(rr::WKS, b"\x0a\0\0\x01\x06\0\0\0\x40"), "10.0.0.1 6 25");
        assert_eq!(shown(rr::EUI48, &[0, 1, 2, 0xaa, 0xbb, 0xcc]), "00-01-02-aa-bb-cc");
        assert_eq!(shown(rr::APL, b"\0\x01\x15\x83\xc0\xa8\x20"), "!1:192.168.32.0/21");
        assert_eq!(shown(65399, b"\x01\x02"), r"\# 2 0102");
    }

    #[test]
    fn signatures_and_hashes() {
        let mut rrsig = vec![0, 1, 8, 2, 0, 0, 14, 16];
        rrsig.extend(1_700_000_000u32.to_be_bytes());
        rrsig.extend(951_782_400u32.to_be_bytes());
        rrsig.extend(b"\x30\x39\x01z\0\xff\xee");
        assert_eq!(shown(rr::RRSIG, &rrsig), "A 8 2 3600 20231114221320 20000229000000 12345 z /+4=");
        assert_eq!(shown(rr::NSEC3, b"\x01\x01\0\x0a\x02\xaa\xbb\x05foobs\0\x01\x40"), "1 1 10 aabb cpnmuojj A");
    }

    #[test]
    fn location_of_rfc_1876() {
        let mut loc = vec![0, 0x33, 0x16, 0x13];
        for angle in [0x8000_0000u32 + 152_514_000, 0x8000_0000 - 255_978_000, 10_000_000 - 2400] {
            loc.extend(angle.to_be_bytes());
        }
        assert_eq!(shown(rr::LOC, &loc), "42 21 54.000 N 71 6 18.000 W -24.00m 30.00m 10000.00m 10.00m");
    }

    #[test]
    fn service_binding() {
        let bytes = b"\0\x01\0\0\x01\0\x06\x02h2\x02h3\0\x03\0\x02\x01\xbb\0\x04\0\x04\x01\x02\x03\x04\0\x05\0\x02\xfe\x0d";
        let mut out = String::new();
        let parts = present(rr::HTTPS, Rdata { message: bytes, at: 0, bytes }, &mut out);
        assert_eq!(out, r#"1 . alpn="h2,h3" port=443 ipv4hint=1.2.3.4 ech=/g0="#);
        assert_eq!(parts.alpn, ["h2", "h3"]);
        assert_eq!((parts.preference, parts.ech), (Some(1), Some(&[0xfe, 0x0d][..])));
    }

    #[test]
    fn data_that_lies_is_shown_raw() {
        let bytes = b"\x01\x02\x03";
        let mut out = String::new();
        let parts = present(rr::A, Rdata { message: bytes, at: 0, bytes }, &mut out);
        assert_eq!(out, r"\# 3 010203");
        assert!(parts.malformed && parts.address.is_none());
        // The name runs past the data.
        let message = b"\x02ab\0";
        let parts = present(rr::NS, Rdata { message, at: 0, bytes: &message[..2] }, &mut out);
        assert!(parts.malformed && parts.target.is_none());
    }
}
