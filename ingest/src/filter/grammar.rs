//! From tokens to the tree of an expression, whatever the link type.
//!
//! `and` and `or` bind equally and to the left, `not` binds tighter; an address or number on its own takes the qualifiers of
//! the one before it (`port 80 or 443`).

use std::net::Ipv6Addr;

use super::FilterError;
use super::lexer::{Kind, Token, tokens};
use super::words;

/// Deepest nesting of parentheses and negations.
const MAX_DEPTH: usize = 100;

/// An expression.
#[derive(Clone, Debug)]
pub enum Expr {
    Not(Box<Self>),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    /// One thing asked, and where it stands.
    Ask(Ask, usize),
}

/// One thing asked of a frame.
#[derive(Clone, Debug)]
pub enum Ask {
    /// `tcp`: the frame is of this protocol.
    Protocol(Protocol),
    /// `src port 80`: something qualified.
    Qualified(Qualifiers, Value),
    /// `tcp[13] & 2 != 0`.
    Relation(Relation, Number, Number),
    Broadcast(Option<Protocol>),
    Multicast(Option<Protocol>),
    /// `less 100`: at most so many bytes on the wire.
    Less(u32),
    /// `greater 100`: at least so many bytes on the wire.
    Greater(u32),
    Inbound,
    Outbound,
    Interface(u32),
    Vlan(Option<u32>),
    Mpls(Option<u32>),
    PppoeDiscovery,
    PppoeSession(Option<u32>),
    /// 802.11 frame control: value and mask of its first octet.
    FrameType(u32, u32),
    /// 802.11 direction: the two DS bits.
    FrameDirection(u32),
}

/// A protocol's keyword.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protocol {
    Link,
    Ip,
    Ip6,
    Arp,
    Rarp,
    /// A protocol above IP, by number, over IPv4, IPv6 or both.
    Above(u8, Over),
    /// EtherType, or LLC service access point below 1501.
    Type(u16),
    /// OSI network layer: the protocol id behind the LLC header.
    Osi(u8),
}

/// Which version of IP carries a protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Over {
    V4,
    V6,
    Both,
}

/// Which end is meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    Either,
    Src,
    Dst,
    Both,
    /// Addresses of an 802.11 header by position, by receiver or by transmitter.
    Address(u8),
    Receiver,
    Transmitter,
}

/// What kind of thing is meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sort {
    Default,
    Host,
    Net,
    Port,
    PortRange,
    Proto,
    ProtoChain,
}

/// What stands before an id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Qualifiers {
    pub protocol: Option<Protocol>,
    pub direction: Direction,
    pub sort: Sort,
}

/// An id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    Number(u32),
    /// Address and bits given.
    V4(u32, u32),
    /// Network and mask.
    V4Net(u32, u32),
    V6(Ipv6Addr),
    /// Network and length of its prefix.
    V6Net(Ipv6Addr, u32),
    Mac([u8; 6]),
    Name(String),
}

/// A comparison.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Relation {
    Equal,
    NotEqual,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
}

/// An operation on 32-bit numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    And,
    Or,
    Xor,
    Shl,
    Shr,
}

/// A number to compare.
#[derive(Clone, Debug)]
pub enum Number {
    Constant(u32),
    /// Bytes of the frame on the wire.
    Length,
    /// `tcp[13:1]`: so many bytes at an offset in a protocol's header.
    Load(Protocol, Box<Self>, u32, usize),
    Negative(Box<Self>),
    Combined(Operation, Box<Self>, Box<Self>, usize),
}

/// Reads an expression; `None` if it is empty.
pub fn parse(text: &str) -> Result<Option<Expr>, FilterError> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, last: None, depth: 0 };
    if *parser.peek() == Kind::End {
        return Ok(None);
    }
    let expression = parser.expression()?;
    if *parser.peek() != Kind::End {
        return Err(parser.unexpected());
    }
    Ok(Some(expression))
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    /// Qualifiers that an id without any takes over.
    last: Option<Qualifiers>,
    depth: usize,
}

type Parsed<T> = Result<T, FilterError>;

impl Parser {
    fn ahead(&self, distance: usize) -> &Kind {
        self.tokens.get(self.at + distance).map_or(&Kind::End, |token| &token.kind)
    }

    fn peek(&self) -> &Kind {
        self.ahead(0)
    }

    fn position(&self) -> usize {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(1, |token| token.position)
    }

    fn advance(&mut self) {
        self.at += 1;
    }

    fn fail<T>(&self, message: impl Into<String>) -> Parsed<T> {
        Err(FilterError { message: message.into(), position: self.position() })
    }

    fn unexpected(&self) -> FilterError {
        let message = match self.peek() {
            Kind::End => "the expression ends too early".to_owned(),
            Kind::Word(word) | Kind::Quoted(word) | Kind::Range(word) => format!("\"{word}\" does not fit here"),
            Kind::Sign(sign) => format!("\"{sign}\" does not fit here"),
            Kind::Number(number) => format!("{number} does not fit here"),
            Kind::V4(..) | Kind::V6(_) | Kind::Mac(_) => "an address does not fit here: say what it is, as in \"host ADDRESS\"".to_owned(),
        };
        FilterError { message, position: self.position() }
    }

    fn is_word(&self, distance: usize, wanted: &str) -> bool {
        matches!(self.ahead(distance), Kind::Word(word) if word == wanted)
    }

    fn is_sign(&self, distance: usize, wanted: &str) -> bool {
        matches!(self.ahead(distance), Kind::Sign(sign) if *sign == wanted)
    }

    fn take_word(&mut self, wanted: &str) -> bool {
        let there = self.is_word(0, wanted);
        self.at += usize::from(there);
        there
    }

    fn take_sign(&mut self, wanted: &str) -> bool {
        let there = self.is_sign(0, wanted);
        self.at += usize::from(there);
        there
    }

    fn expect_sign(&mut self, wanted: &'static str) -> Parsed<()> {
        if self.take_sign(wanted) { Ok(()) } else { Err(FilterError { message: format!("\"{wanted}\" is missing"), ..self.unexpected() }) }
    }

    fn is_and(&self, distance: usize) -> bool {
        self.is_word(distance, "and") || self.is_sign(distance, "&&")
    }

    fn is_or(&self, distance: usize) -> bool {
        self.is_word(distance, "or") || self.is_sign(distance, "||")
    }

    fn is_not(&self, distance: usize) -> bool {
        self.is_word(distance, "not") || self.is_sign(distance, "!")
    }

    fn nested<T>(&mut self, body: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= MAX_DEPTH {
            return self.fail("the expression is nested too deeply");
        }
        self.depth += 1;
        let result = body(self);
        self.depth -= 1;
        result
    }

    /// Terms joined by `and` and `or`.
    fn expression(&mut self) -> Parsed<Expr> {
        let mut left = self.term()?;
        loop {
            let is_and = self.is_and(0);
            if !is_and && !self.is_or(0) {
                return Ok(left);
            }
            self.advance();
            let right = if self.is_id(0) { self.inherited()? } else { self.term()? };
            left = if is_and { Expr::And(Box::new(left), Box::new(right)) } else { Expr::Or(Box::new(left), Box::new(right)) };
        }
    }

    /// What stands at `distance` is an id on its own, negated or in parentheses perhaps.
    fn is_id(&self, distance: usize) -> bool {
        let mut at = distance;
        while self.is_not(at) || self.is_sign(at, "(") {
            at += 1;
        }
        match self.ahead(at) {
            Kind::Number(_) => !matches!(
                self.ahead(at + 1),
                Kind::Sign("=" | "==" | "!=" | ">" | "<" | ">=" | "<=" | "+" | "-" | "*" | "/" | "%" | "&" | "|" | "^" | "<<" | ">>")
            ),
            Kind::V4(..) | Kind::V6(_) | Kind::Mac(_) | Kind::Quoted(_) | Kind::Range(_) => true,
            Kind::Word(word) => !is_keyword(word),
            Kind::Sign(_) | Kind::End => false,
        }
    }

    fn inherited(&mut self) -> Parsed<Expr> {
        match self.last {
            Some(qualifiers) => self.id(qualifiers),
            None => self.fail("nothing says what this is: write \"host\", \"port\" or the like before it"),
        }
    }

    /// An id, negated or in parentheses perhaps, with the qualifiers given.
    fn id(&mut self, qualifiers: Qualifiers) -> Parsed<Expr> {
        if self.is_not(0) {
            self.advance();
            return self.nested(|parser| Ok(Expr::Not(Box::new(parser.id(qualifiers)?))));
        }
        if self.take_sign("(") {
            return self.nested(|parser| {
                let mut left = parser.id(qualifiers)?;
                while parser.is_and(0) || parser.is_or(0) {
                    let is_and = parser.is_and(0);
                    parser.advance();
                    let right = parser.id(qualifiers)?;
                    left = if is_and { Expr::And(Box::new(left), Box::new(right)) } else { Expr::Or(Box::new(left), Box::new(right)) };
                }
                parser.expect_sign(")")?;
                Ok(left)
            });
        }
        let position = self.position();
        let value = self.value()?;
        self.last = Some(qualifiers);
        Ok(Expr::Ask(Ask::Qualified(qualifiers, value), position))
    }

    fn value(&mut self) -> Parsed<Value> {
        let value = match self.peek().clone() {
            Kind::Number(number) => Value::Number(number),
            Kind::V4(address, bits) => Value::V4(address, bits),
            Kind::V6(address) => Value::V6(address),
            Kind::Mac(mac) => Value::Mac(mac),
            Kind::Quoted(name) | Kind::Range(name) => Value::Name(name),
            Kind::Word(name) => match words::number(&name) {
                Some(number) => Value::Number(number),
                None if is_keyword(&name) => return self.fail(format!("\"{name}\" is a keyword: write \\{name} for the name")),
                None => Value::Name(name),
            },
            _ => return Err(self.unexpected()),
        };
        self.advance();
        let (address, bits) = match value {
            Value::V4(address, bits) => (address, bits),
            Value::Number(number) if self.is_sign(0, "/") && number < 256 => (number, 8),
            Value::V6(address) if self.is_sign(0, "/") => {
                self.advance();
                let length = self.prefix(128)?;
                return Ok(Value::V6Net(address, length));
            }
            other => return Ok(other),
        };
        let whole = address.checked_shl(32 - bits).unwrap_or(0);
        if self.take_sign("/") {
            let length = self.prefix(32)?;
            return Ok(Value::V4Net(whole, u32::MAX.checked_shl(32 - length).unwrap_or(0)));
        }
        if self.take_word("mask") {
            let Kind::V4(mask, given) = *self.peek() else { return self.fail("a mask such as 255.255.255.0 is needed") };
            self.advance();
            return Ok(Value::V4Net(whole, mask.checked_shl(32 - given).unwrap_or(0)));
        }
        Ok(value)
    }

    fn prefix(&mut self, most: u32) -> Parsed<u32> {
        match *self.peek() {
            Kind::Number(length) if length <= most => {
                self.advance();
                Ok(length)
            }
            _ => self.fail(format!("a prefix length from 0 to {most} is needed")),
        }
    }

    /// One thing asked, negated or in parentheses perhaps.
    fn term(&mut self) -> Parsed<Expr> {
        if self.is_not(0) {
            self.advance();
            return self.nested(|parser| Ok(Expr::Not(Box::new(parser.term()?))));
        }
        let position = self.position();
        if self.is_sign(0, "(") {
            // A parenthesis may hold an expression or a number: the number is tried first, because less fits it.
            let (start, last) = (self.at, self.last);
            if let Ok(relation) = self.nested(Self::relation) {
                self.last = None;
                return Ok(Expr::Ask(relation, position));
            }
            (self.at, self.last) = (start + 1, last);
            return self.nested(|parser| {
                let inner = parser.expression()?;
                parser.expect_sign(")")?;
                Ok(inner)
            });
        }
        if self.starts_number() {
            let relation = self.nested(Self::relation)?;
            self.last = None;
            return Ok(Expr::Ask(relation, position));
        }
        let Kind::Word(word) = self.peek().clone() else { return Err(self.unexpected()) };
        if let Some(ask) = self.plain(&word)? {
            self.last = None;
            return Ok(Expr::Ask(ask, position));
        }
        let protocol = protocol(&word);
        if protocol.is_some() {
            self.advance();
        }
        for (word, ask) in [("broadcast", Ask::Broadcast(protocol)), ("multicast", Ask::Multicast(protocol))] {
            if self.take_word(word) {
                self.last = None;
                return Ok(Expr::Ask(ask, position));
            }
        }
        let (direction, sort) = (self.direction(), self.sort()?);
        match (protocol, direction, sort) {
            (Some(protocol), None, None) => {
                self.last = None;
                Ok(Expr::Ask(Ask::Protocol(protocol), position))
            }
            (None, None, None) => Err(FilterError { message: format!("unknown word \"{word}\""), position }),
            _ => {
                let qualifiers = Qualifiers { protocol, direction: direction.unwrap_or(Direction::Either), sort: sort.unwrap_or(Sort::Default) };
                self.nested(|parser| parser.id(qualifiers))
            }
        }
    }

    fn direction(&mut self) -> Option<Direction> {
        for (one, other) in [("src", "dst"), ("dst", "src")] {
            if !self.is_word(0, one) {
                continue;
            }
            let joins = self.is_word(2, other);
            let direction = match (self.is_or(1) && joins, self.is_and(1) && joins) {
                (true, _) => Direction::Either,
                (_, true) => Direction::Both,
                _ if one == "src" => Direction::Src,
                _ => Direction::Dst,
            };
            self.at += if matches!(direction, Direction::Either | Direction::Both) { 3 } else { 1 };
            return Some(direction);
        }
        let wlan = [
            ("addr1", Direction::Address(1)),
            ("addr2", Direction::Address(2)),
            ("addr3", Direction::Address(3)),
            ("addr4", Direction::Address(4)),
            ("ra", Direction::Receiver),
            ("ta", Direction::Transmitter),
        ];
        let (_, direction) = wlan.into_iter().find(|(word, _)| self.is_word(0, word))?;
        self.advance();
        Some(direction)
    }

    fn sort(&mut self) -> Parsed<Option<Sort>> {
        let sorts = [
            ("host", Sort::Host),
            ("net", Sort::Net),
            ("port", Sort::Port),
            ("portrange", Sort::PortRange),
            ("proto", Sort::Proto),
            ("protochain", Sort::ProtoChain),
        ];
        if self.is_word(0, "gateway") {
            return self.fail("\"gateway\" needs names of hosts, which are not looked up; write \"ether host MAC and not host ADDRESS\"");
        }
        let found = sorts.into_iter().find(|(word, _)| self.is_word(0, word)).map(|(_, sort)| sort);
        if found.is_some() {
            self.advance();
        }
        Ok(found)
    }

    /// Primitives without qualifiers.
    fn plain(&mut self, word: &str) -> Parsed<Option<Ask>> {
        let ask = match word {
            "less" | "greater" => {
                self.advance();
                let bytes = self.needed_number("a number of bytes")?;
                return Ok(Some(if word == "less" { Ask::Less(bytes) } else { Ask::Greater(bytes) }));
            }
            "ifindex" => {
                self.advance();
                return Ok(Some(Ask::Interface(self.needed_number("an interface's number")?)));
            }
            "vlan" => Ask::Vlan(self.number_behind(0x0fff)?),
            "mpls" => Ask::Mpls(self.number_behind(0xf_ffff)?),
            "pppoes" => Ask::PppoeSession(self.number_behind(0xffff)?),
            "pppoed" => {
                self.advance();
                Ask::PppoeDiscovery
            }
            "inbound" | "outbound" => {
                self.advance();
                if word == "inbound" { Ask::Inbound } else { Ask::Outbound }
            }
            "type" | "subtype" | "dir" => return self.frame_control(word).map(Some),
            "geneve" | "llc" | "byte" | "radio" | "lane" | "metac" | "oam" | "ifname" | "on" | "rnr" | "reason" | "action" => {
                return self.fail(format!("\"{word}\" is not supported in filters here"));
            }
            _ => return Ok(None),
        };
        Ok(Some(ask))
    }

    fn needed_number(&mut self, what: &str) -> Parsed<u32> {
        match *self.peek() {
            Kind::Number(number) => {
                self.advance();
                Ok(number)
            }
            _ => self.fail(format!("{what} is needed here")),
        }
    }

    /// The number that may follow a tag's keyword.
    fn number_behind(&mut self, most: u32) -> Parsed<Option<u32>> {
        self.advance();
        match *self.peek() {
            Kind::Number(number) if number > most => self.fail(format!("{number} is greater than {most}, the most there can be")),
            Kind::Number(number) => {
                self.advance();
                Ok(Some(number))
            }
            _ => Ok(None),
        }
    }

    /// `type mgt subtype beacon`, `subtype beacon`, `dir tods`.
    fn frame_control(&mut self, word: &str) -> Parsed<Ask> {
        self.advance();
        if word == "dir" {
            let bits = self.one_of(super::wlan::DIRECTIONS, "nods, tods, fromds, dstods or a number")?;
            return Ok(Ask::FrameDirection(bits & 3));
        }
        if word == "subtype" {
            let (kind, subtype) = self.subtype(None)?;
            return Ok(Ask::FrameType(kind | subtype, 0xfc));
        }
        let kind = self.one_of(super::wlan::TYPES, "mgt, ctl, data or a number")?;
        if !self.take_word("subtype") {
            return Ok(Ask::FrameType(kind, 0x0c));
        }
        let (_, subtype) = self.subtype(Some(kind))?;
        Ok(Ask::FrameType(kind | subtype, 0xfc))
    }

    fn subtype(&mut self, kind: Option<u32>) -> Parsed<(u32, u32)> {
        let name = match self.peek() {
            Kind::Word(name) | Kind::Quoted(name) => name.clone(),
            Kind::Number(number) if kind.is_some() => {
                let bits = number << 4 & 0xf0;
                self.advance();
                return Ok((kind.unwrap_or_default(), bits));
            }
            _ => return self.fail("a subtype of 802.11 frames is needed"),
        };
        let found = super::wlan::SUBTYPES.iter().find(|(known, of, _)| *known == name && kind.is_none_or(|kind| kind == *of));
        match found {
            Some((_, kind, subtype)) => {
                self.advance();
                Ok((*kind, *subtype))
            }
            None => self.fail(format!("\"{name}\" is no subtype of such 802.11 frames")),
        }
    }

    fn one_of(&mut self, names: &[(&str, u32)], needed: &str) -> Parsed<u32> {
        let found = match self.peek() {
            Kind::Number(number) => Some(*number),
            Kind::Word(name) | Kind::Quoted(name) => names.iter().find(|(known, _)| known == name).map(|(_, value)| *value),
            _ => None,
        };
        match found {
            Some(value) => {
                self.advance();
                Ok(value)
            }
            None => self.fail(format!("{needed} is needed here")),
        }
    }

    /// A number starts here, so that a comparison must follow.
    fn starts_number(&self) -> bool {
        match self.peek() {
            Kind::Number(_) | Kind::Sign("-") => true,
            Kind::Word(word) => word == "len" || words::number(word).is_some() || (protocol(word).is_some() && self.is_sign(1, "[")),
            _ => false,
        }
    }

    fn relation(&mut self) -> Parsed<Ask> {
        let left = self.number(0)?;
        let relation = match self.peek() {
            Kind::Sign("=" | "==") => Relation::Equal,
            Kind::Sign("!=") => Relation::NotEqual,
            Kind::Sign(">") => Relation::Greater,
            Kind::Sign(">=") => Relation::GreaterEqual,
            Kind::Sign("<") => Relation::Less,
            Kind::Sign("<=") => Relation::LessEqual,
            _ => return self.fail("a comparison (=, !=, <, <=, >, >=) is needed here"),
        };
        self.advance();
        let right = self.number(0)?;
        Ok(Ask::Relation(relation, left, right))
    }

    /// Operators from loosest to tightest: `|`, `^`, `&`, shifts, sums, products.
    fn number(&mut self, level: usize) -> Parsed<Number> {
        const LEVELS: [&[(&str, Operation)]; 6] = [
            &[("|", Operation::Or)],
            &[("^", Operation::Xor)],
            &[("&", Operation::And)],
            &[("<<", Operation::Shl), (">>", Operation::Shr)],
            &[("+", Operation::Add), ("-", Operation::Sub)],
            &[("*", Operation::Mul), ("/", Operation::Div), ("%", Operation::Mod)],
        ];
        let Some(operators) = LEVELS.get(level) else { return self.nested(Self::factor) };
        let mut left = self.number(level + 1)?;
        loop {
            let Some((_, operation)) = operators.iter().find(|(sign, _)| self.is_sign(0, sign)) else { return Ok(left) };
            let position = self.position();
            self.advance();
            let right = self.number(level + 1)?;
            left = Number::Combined(*operation, Box::new(left), Box::new(right), position);
        }
    }

    fn factor(&mut self) -> Parsed<Number> {
        if self.take_sign("-") {
            return self.nested(|parser| Ok(Number::Negative(Box::new(parser.factor()?))));
        }
        if self.take_sign("(") {
            let inner = self.nested(|parser| parser.number(0))?;
            self.expect_sign(")")?;
            return Ok(inner);
        }
        let position = self.position();
        let number = match self.peek().clone() {
            Kind::Number(number) => Number::Constant(number),
            Kind::Word(word) => match (words::number(&word), protocol(&word)) {
                _ if word == "len" => Number::Length,
                (Some(number), _) => Number::Constant(number),
                (None, Some(protocol)) => {
                    self.advance();
                    self.expect_sign("[")?;
                    let index = self.number(0)?;
                    let size = if self.take_sign(":") { self.needed_number("1, 2 or 4")? } else { 1 };
                    if !matches!(size, 1 | 2 | 4) {
                        return self.fail("1, 2 or 4 bytes can be looked at");
                    }
                    self.expect_sign("]")?;
                    return Ok(Number::Load(protocol, Box::new(index), size, position));
                }
                (None, None) => return Err(self.unexpected()),
            },
            _ => return Err(self.unexpected()),
        };
        self.advance();
        Ok(number)
    }
}

/// The protocol of a keyword.
fn protocol(word: &str) -> Option<Protocol> {
    let link = |kind| words::link_protocol(kind).and_then(|kind| u16::try_from(kind).ok()).map(Protocol::Type);
    Some(match word {
        "ether" | "link" | "fddi" | "tr" | "wlan" | "ppp" | "slip" => Protocol::Link,
        "ip" => Protocol::Ip,
        "ip6" => Protocol::Ip6,
        "arp" => Protocol::Arp,
        "rarp" => Protocol::Rarp,
        "tcp" | "udp" | "sctp" | "pim" | "ah" | "esp" => Protocol::Above(words::ip_protocol(word)? as u8, Over::Both),
        "icmp" | "igmp" | "igrp" | "vrrp" | "carp" => Protocol::Above(words::ip_protocol(word)? as u8, Over::V4),
        "icmp6" => Protocol::Above(58, Over::V6),
        "atalk" | "aarp" | "decnet" | "lat" | "sca" | "moprc" | "mopdl" | "iso" | "stp" | "ipx" | "netbeui" => return link(word),
        "clnp" => Protocol::Osi(0x81),
        "esis" | "es-is" => Protocol::Osi(0x82),
        "isis" | "is-is" => Protocol::Osi(0x83),
        _ => return None,
    })
}

/// Words that can be no names.
fn is_keyword(word: &str) -> bool {
    const KEYWORDS: &[&str] = &[
        "and",
        "or",
        "not",
        "src",
        "dst",
        "host",
        "net",
        "port",
        "portrange",
        "proto",
        "protochain",
        "gateway",
        "mask",
        "less",
        "greater",
        "broadcast",
        "multicast",
        "inbound",
        "outbound",
        "vlan",
        "mpls",
        "pppoed",
        "pppoes",
        "geneve",
        "ifindex",
        "len",
        "type",
        "subtype",
        "dir",
        "addr1",
        "addr2",
        "addr3",
        "addr4",
        "ra",
        "ta",
        "llc",
        "byte",
        "radio",
    ];
    KEYWORDS.contains(&word) || protocol(word).is_some() || words::number(word).is_some()
}
