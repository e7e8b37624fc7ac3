//! What an expression asks of frames of one link type, and its evaluation.

use super::grammar::{Operation, Relation};
use super::wlan::Radio;

/// A captured frame.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    pub bytes: &'a [u8],
    /// Bytes on the wire.
    pub wire_len: u32,
}

/// A byte that was not captured is looked at, or a number divided by zero: the frame does not match.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoAnswer;

type Answer<T> = Result<T, NoAnswer>;

/// Where in a frame offsets count from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Base {
    Start,
    /// The 802.11 header, behind what the radio says.
    Wlan(Radio),
    /// What the 802.11 header is followed by.
    WlanPayload(Radio),
}

/// A place in a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    pub base: Base,
    pub add: u32,
    /// The place lies so far behind the IPv4 header that starts at `base` + `add`.
    pub behind_ipv4: Option<u32>,
}

impl Place {
    pub fn plus(self, more: u32) -> Self {
        match self.behind_ipv4 {
            Some(behind) => Self { behind_ipv4: Some(behind.wrapping_add(more)), ..self },
            None => Self { add: self.add.wrapping_add(more), ..self },
        }
    }
}

/// How a field is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Test {
    Equal(u32),
    AtLeast(u32),
    Over(u32),
    /// Any of these bits is set.
    AnyBit(u32),
}

/// A question with the answer yes or no.
#[derive(Clone, Debug)]
pub enum Node {
    Const(bool),
    Not(Box<Self>),
    /// Asked in order, up to the first no.
    And(Vec<Self>),
    /// Asked in order, up to the first yes.
    Or(Vec<Self>),
    /// A field of 1, 2 or 4 bytes, masked.
    Field(Place, u32, u32, Test),
    /// Bytes, each under its mask; words of four without mask bits are not looked at.
    Bytes(Place, Vec<u8>, Vec<u8>),
    /// Bytes on the wire.
    Length(Test),
    Compare(Relation, Value, Value),
    /// A protocol number is met among the headers of an IP packet: place of the IP header, version, number.
    Chain(Place, u8, u8),
}

/// A number got from a frame.
#[derive(Clone, Debug)]
pub enum Value {
    Constant(u32),
    Length,
    Load(Place, Box<Self>, u32),
    Negative(Box<Self>),
    Combined(Operation, Box<Self>, Box<Self>),
}

impl Test {
    fn holds(self, value: u32) -> bool {
        match self {
            Self::Equal(wanted) => value == wanted,
            Self::AtLeast(least) => value >= least,
            Self::Over(most) => value > most,
            Self::AnyBit(bits) => value & bits != 0,
        }
    }
}

impl Node {
    /// Whether the frame matches.
    pub fn matches(&self, frame: Frame<'_>) -> bool {
        self.ask(frame).unwrap_or(false)
    }

    fn ask(&self, frame: Frame<'_>) -> Answer<bool> {
        Ok(match self {
            Self::Const(answer) => *answer,
            Self::Not(inner) => !inner.ask(frame)?,
            Self::And(all) => {
                for node in all {
                    if !node.ask(frame)? {
                        return Ok(false);
                    }
                }
                true
            }
            Self::Or(any) => {
                for node in any {
                    if node.ask(frame)? {
                        return Ok(true);
                    }
                }
                false
            }
            Self::Field(place, size, mask, test) => test.holds(frame.load(*place, 0, *size)? & mask),
            Self::Bytes(place, wanted, masks) => {
                for (at, (word, mask)) in wanted.chunks(4).zip(masks.chunks(4)).enumerate() {
                    if mask.iter().all(|octet| *octet == 0) {
                        continue;
                    }
                    let start = frame.offset(*place, 0)? + at as u64 * 4;
                    let there = frame.slice(start, word.len() as u64)?;
                    if there.iter().zip(word).zip(mask).any(|((there, wanted), mask)| there & mask != wanted & mask) {
                        return Ok(false);
                    }
                }
                true
            }
            Self::Length(test) => test.holds(frame.wire_len),
            Self::Compare(relation, left, right) => {
                let (left, right) = (left.get(frame)?, right.get(frame)?);
                match relation {
                    Relation::Equal => left == right,
                    Relation::NotEqual => left != right,
                    Relation::Greater => left > right,
                    Relation::GreaterEqual => left >= right,
                    Relation::Less => left < right,
                    Relation::LessEqual => left <= right,
                }
            }
            Self::Chain(header, version, wanted) => frame.chain(*header, *version, *wanted)?,
        })
    }
}

impl Value {
    fn get(&self, frame: Frame<'_>) -> Answer<u32> {
        Ok(match self {
            Self::Constant(number) => *number,
            Self::Length => frame.wire_len,
            Self::Load(place, index, size) => frame.load(*place, index.get(frame)?, *size)?,
            Self::Negative(inner) => inner.get(frame)?.wrapping_neg(),
            Self::Combined(operation, left, right) => combine(*operation, left.get(frame)?, right.get(frame)?).ok_or(NoAnswer)?,
        })
    }
}

/// 32-bit arithmetic that wraps; `None` for a division by zero.
pub fn combine(operation: Operation, left: u32, right: u32) -> Option<u32> {
    Some(match operation {
        Operation::Add => left.wrapping_add(right),
        Operation::Sub => left.wrapping_sub(right),
        Operation::Mul => left.wrapping_mul(right),
        Operation::Div => left.checked_div(right)?,
        Operation::Mod => left.checked_rem(right)?,
        Operation::And => left & right,
        Operation::Or => left | right,
        Operation::Xor => left ^ right,
        Operation::Shl => left.checked_shl(right).unwrap_or(0),
        Operation::Shr => left.checked_shr(right).unwrap_or(0),
    })
}

impl<'a> Frame<'a> {
    fn slice(self, start: u64, length: u64) -> Answer<&'a [u8]> {
        let (start, end) = (usize::try_from(start), usize::try_from(start.saturating_add(length)));
        let (Ok(start), Ok(end)) = (start, end) else { return Err(NoAnswer) };
        self.bytes.get(start..end).ok_or(NoAnswer)
    }

    /// A big-endian number of 1, 2 or 4 bytes.
    pub fn number(self, start: u64, size: u32) -> Answer<u32> {
        let bytes = self.slice(start, u64::from(size))?;
        Ok(bytes.iter().fold(0, |number, octet| number << 8 | u32::from(*octet)))
    }

    fn base(self, base: Base) -> Answer<u64> {
        match base {
            Base::Start => Ok(0),
            Base::Wlan(radio) => radio.length(self),
            Base::WlanPayload(radio) => radio.payload(self),
        }
    }

    /// Where a place is, `index` further on.
    fn offset(self, place: Place, index: u32) -> Answer<u64> {
        let base = self.base(place.base)?;
        let start = base + u64::from(place.add);
        let Some(behind) = place.behind_ipv4 else { return Ok(start + u64::from(index)) };
        let header = (self.number(start, 1)? & 15) * 4;
        // The index is added to the header's length first, so that it may count backwards.
        Ok(start + u64::from(behind) + u64::from(header.wrapping_add(index)))
    }

    fn load(self, place: Place, index: u32, size: u32) -> Answer<u32> {
        self.number(self.offset(place, index)?, size)
    }

    /// Goes along the headers of an IP packet until `wanted` is met.
    fn chain(self, header: Place, version: u8, wanted: u8) -> Answer<bool> {
        let start = self.offset(header, 0)?;
        let (mut kind, mut at) = match version {
            4 => (self.number(start + 9, 1)?, u64::from(self.number(start, 1)? & 15) * 4),
            _ => (self.number(start + 6, 1)?, 40),
        };
        loop {
            if kind == u32::from(wanted) {
                return Ok(true);
            }
            let unit = match kind {
                // Hop-by-hop, routing, fragment, destination options.
                0 | 43 | 44 | 60 if version == 6 => 8,
                51 => 4,
                _ => return Ok(false),
            };
            let length = u64::from(self.number(start + at + 1, 1)?);
            kind = self.number(start + at, 1)?;
            // Every header is at least eight bytes long, so that the way ends.
            at += if unit == 8 { (length + 1) * 8 } else { (length + 2) * 4 };
        }
    }
}
