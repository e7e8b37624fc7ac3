//! 802.11 in filters: where its header starts and ends, what its frames are called, whose addresses it bears.

use super::grammar::Direction;
use super::program::{Base, Frame, NoAnswer, Node, Place, Test};

/// Frame types: bits 2 and 3 of the frame control field's first octet.
pub const TYPES: &[(&str, u32)] = &[("mgt", 0x00), ("ctl", 0x04), ("data", 0x08)];

/// Subtypes, with their types.
pub const SUBTYPES: &[(&str, u32, u32)] = &[
    ("assoc-req", 0x00, 0x00),
    ("assocreq", 0x00, 0x00),
    ("assoc-resp", 0x00, 0x10),
    ("assocresp", 0x00, 0x10),
    ("reassoc-req", 0x00, 0x20),
    ("reassocreq", 0x00, 0x20),
    ("reassoc-resp", 0x00, 0x30),
    ("reassocresp", 0x00, 0x30),
    ("probe-req", 0x00, 0x40),
    ("probereq", 0x00, 0x40),
    ("probe-resp", 0x00, 0x50),
    ("proberesp", 0x00, 0x50),
    ("beacon", 0x00, 0x80),
    ("atim", 0x00, 0x90),
    ("disassoc", 0x00, 0xa0),
    ("disassociation", 0x00, 0xa0),
    ("auth", 0x00, 0xb0),
    ("authentication", 0x00, 0xb0),
    ("deauth", 0x00, 0xc0),
    ("deauthentication", 0x00, 0xc0),
    ("ps-poll", 0x04, 0xa0),
    ("pspoll", 0x04, 0xa0),
    ("rts", 0x04, 0xb0),
    ("cts", 0x04, 0xc0),
    ("ack", 0x04, 0xd0),
    ("cf-end", 0x04, 0xe0),
    ("cfend", 0x04, 0xe0),
    ("cf-end-ack", 0x04, 0xf0),
    ("cfendack", 0x04, 0xf0),
    ("data", 0x08, 0x00),
    ("data-cf-ack", 0x08, 0x10),
    ("data-cf-poll", 0x08, 0x20),
    ("data-cf-ack-poll", 0x08, 0x30),
    ("null", 0x08, 0x40),
    ("cf-ack", 0x08, 0x50),
    ("cf-poll", 0x08, 0x60),
    ("cf-ack-poll", 0x08, 0x70),
    ("qos-data", 0x08, 0x80),
    ("qos-data-cf-ack", 0x08, 0x90),
    ("qos-data-cf-poll", 0x08, 0xa0),
    ("qos-data-cf-ack-poll", 0x08, 0xb0),
    ("qos", 0x08, 0xc0),
    ("qos-cf-poll", 0x08, 0xe0),
    ("qos-cf-ack-poll", 0x08, 0xf0),
];

/// To and from the distribution system.
pub const DIRECTIONS: &[(&str, u32)] = &[("nods", 0), ("tods", 1), ("fromds", 2), ("dstods", 3)];

/// What the capture puts before the 802.11 header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Radio {
    Nothing,
    Radiotap,
    Prism,
    Avs,
    Ppi,
}

impl Radio {
    /// Its length.
    pub fn length(self, frame: Frame<'_>) -> Result<u64, NoAnswer> {
        let little = |at| Ok(frame.number(at, 1)? | frame.number(at + 1, 1)? << 8);
        Ok(u64::from(match self {
            Self::Nothing => 0,
            Self::Radiotap | Self::Ppi => little(2)?,
            Self::Avs => frame.number(4, 4)?,
            Self::Prism if frame.number(0, 4)? & 0xffff_f000 == 0x8021_1000 => frame.number(4, 4)?,
            Self::Prism => 144,
        }))
    }

    /// Where the payload of a data frame starts: 24 bytes of header, 26 with QoS control, padded where radiotap says so.
    pub fn payload(self, frame: Frame<'_>) -> Result<u64, NoAnswer> {
        let start = self.length(frame)?;
        let control = frame.number(start, 1)?;
        let mut header = if control & 0x88 == 0x88 { 26 } else { 24 };
        if self == Self::Radiotap {
            let (first, last) = (frame.number(4, 1)?, frame.number(7, 1)?);
            let (has_time, has_flags, goes_on) = (first & 1 != 0, first & 2 != 0, last & 0x80 != 0);
            if has_flags && !goes_on && frame.number(if has_time { 16 } else { 8 }, 1)? & 0x20 != 0 {
                header = (header + 3) & !3;
            }
        }
        Ok(start + header)
    }
}

/// The frame has an address, in the place where 802.11 puts the one meant; `test` asks it of the address at an offset.
pub fn address(radio: Radio, direction: Direction, test: &dyn Fn(Place) -> Node) -> Node {
    let header = Place { base: Base::Wlan(radio), add: 0, behind_ipv4: None };
    let at = |add| test(header.plus(add));
    let bits = |add, mask, wanted| Node::Field(header.plus(add), 1, mask, Test::Equal(wanted));
    let kind = |wanted| bits(0, 0x0c, wanted);
    let not = |node| Node::Not(Box::new(node));
    // Clear-to-send and acknowledgement have one address only.
    let has_second = || not(Node::And(vec![kind(0x04), Node::Or(vec![bits(0, 0xf0, 0xc0), bits(0, 0xf0, 0xd0)])]));
    match direction {
        Direction::Src => Node::Or(vec![
            Node::And(vec![
                kind(0x08),
                Node::Or(vec![
                    Node::And(vec![bits(1, 3, 3), at(24)]),
                    Node::And(vec![bits(1, 3, 2), at(16)]),
                    Node::And(vec![bits(1, 2, 0), at(10)]),
                ]),
            ]),
            Node::And(vec![kind(0x00), at(10)]),
        ]),
        Direction::Dst => Node::Or(vec![
            Node::And(vec![kind(0x08), Node::Or(vec![Node::And(vec![bits(1, 1, 1), at(16)]), Node::And(vec![bits(1, 1, 0), at(4)])])]),
            Node::And(vec![kind(0x00), at(4)]),
        ]),
        Direction::Either => Node::Or(vec![address(radio, Direction::Src, test), address(radio, Direction::Dst, test)]),
        Direction::Both => Node::And(vec![address(radio, Direction::Src, test), address(radio, Direction::Dst, test)]),
        Direction::Address(1) => at(4),
        Direction::Address(2) => Node::And(vec![has_second(), at(10)]),
        Direction::Address(3) => Node::And(vec![not(kind(0x04)), at(16)]),
        Direction::Address(_) => Node::And(vec![bits(1, 3, 3), at(24)]),
        Direction::Receiver => Node::And(vec![not(kind(0x00)), at(4)]),
        Direction::Transmitter => Node::And(vec![not(kind(0x00)), has_second(), at(10)]),
    }
}
