//! ISO transport over TCP: TPKT (RFC 1006 section 6) and COTP class 0 (ISO/IEC 8073, ITU-T X.224 section 13), which carry S7,
//! MMS and others.
//!
//! ```text
//! 3  0  length:2 (of the whole TPKT)   header length:1  type:1  ...
//! ```

use std::borrow::Cow;

use crate::protocols::Cx;
use crate::wire::{Reader, Wire};

/// Octets before the TPDU.
const TPKT: usize = 4;
/// Longest TSDU that is joined.
const MAX_TSDU: usize = 1 << 20;

/// A transport protocol data unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tpdu<'a> {
    /// Connection request or confirm, with the selectors of both ends.
    Connect {
        confirm: bool,
        calling: Option<&'a [u8]>,
        called: Option<&'a [u8]>,
    },
    Disconnect,
    /// Part of a message; the last part says so.
    Data {
        last: bool,
        payload: &'a [u8],
    },
    /// One of the other kinds.
    Other(u8),
}

/// What stands at the start of some bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found<'a> {
    /// A unit, and the octets it takes.
    Unit(Tpdu<'a>, usize),
    /// Perhaps part of one.
    Part,
    Nothing,
}

/// Looks for a TPKT with a TPDU.
pub fn find(bytes: &[u8]) -> Found<'_> {
    if bytes.iter().zip([3, 0]).any(|(octet, expected)| *octet != expected) {
        return Found::Nothing;
    }
    let &[_, _, high, low, header, code, ..] = bytes else { return Found::Part };
    let total = usize::from(u16::from_be_bytes([high, low]));
    let kind = code & 0xf0;
    if total < TPKT + 1 + usize::from(header) || header < 2 || !matches!(kind, 0x10 | 0x20 | 0x50 | 0x60 | 0x70 | 0x80 | 0xc0 | 0xd0 | 0xe0 | 0xf0) {
        return Found::Nothing;
    }
    let Some(unit) = bytes.get(TPKT..total) else { return Found::Part };
    tpdu(unit).map_or(Found::Nothing, |unit| Found::Unit(unit, total))
}

fn tpdu(unit: &[u8]) -> Wire<Tpdu<'_>> {
    let mut reader = Reader::new(unit);
    let length = usize::from(reader.u8()?);
    let mut header = reader.sub(length)?;
    let kind = header.u8()? & 0xf0;
    Ok(match kind {
        0xe0 | 0xd0 => {
            header.skip(5)?;
            let (mut calling, mut called) = (None, None);
            while let (Ok(code), Ok(length)) = (header.u8(), header.u8()) {
                let Ok(value) = header.take(usize::from(length)) else { break };
                match code {
                    0xc1 => calling = Some(value),
                    0xc2 => called = Some(value),
                    _ => {}
                }
            }
            Tpdu::Connect { confirm: kind == 0xd0, calling, called }
        }
        0x80 | 0xc0 => Tpdu::Disconnect,
        0xf0 => Tpdu::Data { last: header.u8()? & 0x80 != 0, payload: reader.rest() },
        kind => Tpdu::Other(kind),
    })
}

/// Where a run of TPKTs starts in bytes that do not start with one.
pub fn resync(bytes: &[u8]) -> Option<usize> {
    (1..bytes.len()).find(|at| {
        let rest = bytes.get(*at..).unwrap_or_default();
        match find(rest) {
            Found::Unit(_, total) => !matches!(rest.get(total..).map(find), Some(Found::Nothing)),
            _ => false,
        }
    })
}

/// Bytes without a TPKT, one try after another, before a connection is given up.
const MAX_MISSES: u32 = 16;

/// Walks the TPKTs of a connection, and finds them again behind what is none.
#[derive(Default)]
pub struct Walker {
    misses: u32,
    after_gap: bool,
    started: bool,
}

/// What to do with the bytes at hand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step<'a> {
    /// A unit, and the octets it takes.
    Unit(Tpdu<'a>, usize),
    /// So many octets are none and are passed over.
    Skip(usize),
    /// More bytes are needed.
    Wait,
    /// This is no ISO transport any more.
    Stop,
}

impl Walker {
    /// The next step; what should be a TPKT of `protocol` and is not, is told once.
    pub fn step<'a>(&mut self, cx: &mut Cx<'_>, protocol: &str, rest: &'a [u8]) -> Step<'a> {
        match find(rest) {
            Found::Unit(unit, total) => {
                *self = Self { started: true, ..Self::default() };
                Step::Unit(unit, total)
            }
            Found::Part => Step::Wait,
            Found::Nothing => {
                if self.misses == 0 && self.started && !self.after_gap {
                    cx.anomaly(protocol, "unexpected_state", "no TPKT where one should start");
                }
                self.misses += 1;
                if self.misses > MAX_MISSES { Step::Stop } else { Step::Skip(resync(rest).unwrap_or(rest.len())) }
            }
        }
    }

    /// Bytes were lost: what follows may start anywhere.
    pub fn lost(&mut self) {
        self.after_gap = true;
    }
}

/// What a direction's first bytes tell of what is carried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Carried<'a> {
    /// First octets of the first message.
    Message(&'a [u8]),
    /// None so far.
    Nothing,
    /// This is no ISO transport.
    Other,
}

/// Passes over connection set-up to the first message.
pub fn carried(bytes: &[u8]) -> Carried<'_> {
    let mut rest = bytes;
    loop {
        match find(rest) {
            Found::Unit(Tpdu::Data { payload, .. }, _) if !payload.is_empty() => return Carried::Message(payload),
            Found::Unit(_, total) => rest = rest.get(total..).unwrap_or_default(),
            // Its first octets are enough, however long it is.
            Found::Part => {
                let is_data = matches!(rest, [3, 0, _, _, 2, 0xf0, _, _, ..]);
                return if is_data { Carried::Message(rest.get(TPKT + 3..).unwrap_or_default()) } else { Carried::Nothing };
            }
            Found::Nothing => return Carried::Other,
        }
    }
}

/// Joins the parts of one direction's messages.
#[derive(Default)]
pub struct Assembler {
    parts: Vec<u8>,
    /// What is lost cannot be joined: wait for the next message.
    is_broken: bool,
}

impl Assembler {
    /// Takes a part; gives the message that it ends.
    pub fn take<'a>(&mut self, last: bool, payload: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        if self.parts.len().saturating_add(payload.len()) > MAX_TSDU {
            self.parts.clear();
            self.is_broken = true;
        }
        if self.is_broken {
            self.is_broken = !last;
            return None;
        }
        match (last, self.parts.is_empty()) {
            (true, true) => Some(Cow::Borrowed(payload)),
            (false, _) => {
                self.parts.extend_from_slice(payload);
                None
            }
            (true, false) => {
                self.parts.extend_from_slice(payload);
                Some(Cow::Owned(std::mem::take(&mut self.parts)))
            }
        }
    }

    /// Bytes are lost.
    pub fn lose(&mut self) {
        self.parts.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Connection request to rack 0, slot 2.
    const REQUEST: &[u8] = &[3, 0, 0, 22, 17, 0xe0, 0, 0, 0, 1, 0, 0xc0, 1, 10, 0xc1, 2, 1, 0, 0xc2, 2, 1, 2];

    #[test]
    fn units() {
        let Found::Unit(unit, 22) = find(REQUEST) else { panic!() };
        assert_eq!(unit, Tpdu::Connect { confirm: false, calling: Some(&[1, 0]), called: Some(&[1, 2]) });
        assert_eq!(find(&[3, 0, 0, 9, 2, 0xf0, 0x80, 7, 8]), Found::Unit(Tpdu::Data { last: true, payload: &[7, 8] }, 9));
        assert_eq!(find(&REQUEST[..8]), Found::Part);
        assert_eq!(find(&[3, 0, 0, 3, 2, 0xf0, 0x80]), Found::Nothing);
        assert_eq!(find(b"GET /"), Found::Nothing);
    }

    #[test]
    fn messages_are_found_and_joined() {
        let bytes = [REQUEST, &[3, 0, 1, 0, 2, 0xf0, 0x80, 0x32, 1]].concat();
        assert_eq!(carried(&bytes), Carried::Message(&[0x32, 1]));
        assert_eq!(carried(REQUEST), Carried::Nothing);
        assert_eq!(resync(&[&[9, 3, 0][..], REQUEST].concat()), Some(3));
        let mut assembler = Assembler::default();
        assert_eq!(assembler.take(false, &[1]), None);
        assert_eq!(assembler.take(true, &[2]).as_deref(), Some(&[1, 2][..]));
        assert_eq!(assembler.take(true, &[3]).as_deref(), Some(&[3][..]));
    }
}
