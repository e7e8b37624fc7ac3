//! From an expression to what it asks of frames of one link type.
//!
//! The order of things in the expression matters: `vlan`, `mpls` and `pppoes` move what stands behind them to the payload of
//! the tag or session, up to the end of the expression.

use std::net::Ipv6Addr;

use super::FilterError;
use super::grammar::{Ask, Direction, Expr, Number, Operation, Over, Protocol, Qualifiers, Sort, Value as Id};
use super::program::{Base, Node, Place, Test, Value, combine};
use super::wlan::{self, Radio};
use super::words;
use crate::packet::link_type_name;

const IPV4: u32 = 0x0800;
const IPV6: u32 = 0x86dd;
const ARP: u32 = 0x0806;
const RARP: u32 = 0x8035;
const TAGS: [u32; 3] = [0x8100, 0x88a8, 0x9100];
const MPLS: u32 = 0x8847;
const PPPOE_DISCOVERY: u32 = 0x8863;
const PPPOE_SESSION: u32 = 0x8864;
const IPX: u32 = 0x8137;
/// Greatest length of an 802.3 frame's payload: more is an EtherType.
const LONGEST: u32 = 1500;

/// How frames of a link type say what they carry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Carries {
    /// EtherType or 802.3 length.
    Ethernet,
    /// EtherType, or 4 for LLC (Linux cooked capture).
    Cooked,
    /// EtherType only.
    Type,
    /// PPP protocol number.
    Ppp,
    /// Address family, in the byte order of whoever wrote it.
    Family,
    /// LLC and SNAP; in 802.11, of data frames.
    Llc(Option<Radio>),
    /// The version in the IP header.
    Version,
    Only(u32),
}

/// The layout of the frames, as far as the expression has gone.
struct Layout {
    link_type: u16,
    carries: Carries,
    /// The link header.
    header: Place,
    /// The field that says what is carried.
    kind: Place,
    /// What follows the link header.
    payload: Place,
    /// The network header's offset in the payload, with SNAP and without.
    network: u32,
    network_without_snap: u32,
    /// MPLS labels passed.
    labels: u32,
    /// Offsets of destination and source MAC in the link header.
    macs: Option<(u32, u32)>,
}

type Compiled<T> = Result<T, FilterError>;

/// Compiles an expression for frames of a link type (LINKTYPE_ number).
pub fn compile(expression: &Expr, link_type: u16) -> Compiled<Node> {
    let layout = Layout::of(link_type);
    Compiler { layout, link_type }.expression(expression)
}

const fn at(base: Base, add: u32) -> Place {
    Place { base, add, behind_ipv4: None }
}

impl Layout {
    /// `None` for link types of which only length and bytes can be asked.
    fn of(link_type: u16) -> Option<Self> {
        let plain = |carries, kind, payload| Self {
            link_type,
            carries,
            header: at(Base::Start, 0),
            kind: at(Base::Start, kind),
            payload: at(Base::Start, payload),
            network: 0,
            network_without_snap: 0,
            labels: 0,
            macs: None,
        };
        let llc = |payload, macs| Self { network: 8, network_without_snap: 3, macs, ..plain(Carries::Llc(None), payload, payload) };
        let wireless = |radio| Self {
            header: at(Base::Wlan(radio), 0),
            payload: at(Base::WlanPayload(radio), 0),
            network: 8,
            network_without_snap: 3,
            ..plain(Carries::Llc(Some(radio)), 0, 0)
        };
        Some(match link_type {
            1 => Self { network_without_snap: 3, macs: Some((0, 6)), ..plain(Carries::Ethernet, 12, 14) },
            // Ethernet behind four or twelve bytes of a netANALYZER.
            240 | 241 => {
                let before = if link_type == 240 { 4 } else { 12 };
                let header = at(Base::Start, before);
                Self { header, network_without_snap: 3, macs: Some((0, 6)), ..plain(Carries::Ethernet, 12 + before, 14 + before) }
            }
            0 | 108 => plain(Carries::Family, 0, 4),
            109 => plain(Carries::Family, 0, 12),
            6 => llc(14, Some((2, 8))),
            10 => llc(13, Some((1, 7))),
            100 | 106 => llc(0, None),
            9 | 50 | 166 | 204 => plain(Carries::Ppp, 2, 4),
            51 => plain(Carries::Ppp, 6, 8),
            104 => plain(Carries::Type, 2, 4),
            101 | 12 | 14 => plain(Carries::Version, 0, 0),
            228 => plain(Carries::Only(IPV4), 0, 0),
            229 => plain(Carries::Only(IPV6), 0, 0),
            113 => plain(Carries::Cooked, 14, 16),
            276 => plain(Carries::Cooked, 0, 20),
            105 => wireless(Radio::Nothing),
            119 => wireless(Radio::Prism),
            127 => wireless(Radio::Radiotap),
            163 => wireless(Radio::Avs),
            192 => wireless(Radio::Ppi),
            _ => return None,
        })
    }

    /// A field of the network header.
    fn network(&self, add: u32) -> Place {
        self.payload.plus(self.network + add)
    }

    /// A field behind the IPv4 header.
    fn behind_ipv4(&self, add: u32) -> Place {
        Place { behind_ipv4: Some(add), ..self.network(0) }
    }

    /// A field behind the IPv6 header.
    fn behind_ipv6(&self, add: u32) -> Place {
        self.network(40 + add)
    }

    /// The frame carries this EtherType, or below 1501 this LLC service access point.
    fn carries(&self, kind: u32) -> Node {
        if self.labels > 0 {
            let is_last = || field(self.network(0).plus(2_u32.wrapping_sub(4)), 1, 1, Test::Equal(1));
            return match kind {
                IPV4 => Node::And(vec![is_last(), field(self.network(0), 1, 0xf0, Test::Equal(0x40))]),
                IPV6 => Node::And(vec![is_last(), field(self.network(0), 1, 0xf0, Test::Equal(0x60))]),
                _ => Node::Const(false),
            };
        }
        match self.carries {
            Carries::Ethernet => self.ethernet(kind),
            Carries::Cooked if kind <= LONGEST => Node::And(vec![equal(self.kind, 2, 4), self.llc(kind)]),
            Carries::Cooked | Carries::Type => equal(self.kind, 2, kind),
            Carries::Ppp => equal(self.kind, 2, ppp_number(kind)),
            Carries::Family => {
                let families: &[u32] = match kind {
                    IPV4 => &[2],
                    // Every system has its own number.
                    IPV6 => &[10, 24, 28, 30],
                    _ => return Node::Const(false),
                };
                Node::Or(families.iter().flat_map(|family| [equal(self.kind, 4, *family), equal(self.kind, 4, family.swap_bytes())]).collect())
            }
            Carries::Llc(None) => self.llc(kind),
            Carries::Llc(Some(_)) => Node::And(vec![field(self.header, 1, 0x0c, Test::Equal(0x08)), self.llc(kind)]),
            Carries::Version => match kind {
                IPV4 => field(self.payload, 1, 0xf0, Test::Equal(0x40)),
                IPV6 => field(self.payload, 1, 0xf0, Test::Equal(0x60)),
                _ => Node::Const(false),
            },
            Carries::Only(only) => Node::Const(kind == only),
        }
    }

    fn ethernet(&self, kind: u32) -> Node {
        let is_length = || Node::Not(Box::new(field(self.kind, 2, u32::MAX, Test::Over(LONGEST))));
        match kind {
            // IPX also stands bare behind the length, or under its EtherType.
            0xe0 => {
                let in_llc = Node::Or(vec![self.llc(0xe0), equal(self.payload, 2, 0xffff), self.snap(0, IPX)]);
                Node::Or(vec![Node::And(vec![is_length(), in_llc]), equal(self.kind, 2, IPX)])
            }
            0x809b => Node::Or(vec![Node::And(vec![is_length(), self.snap(0x08_0007, kind)]), equal(self.kind, 2, kind)]),
            0x80f3 => Node::Or(vec![Node::And(vec![is_length(), self.snap(0, kind)]), equal(self.kind, 2, kind)]),
            0..=LONGEST => Node::And(vec![is_length(), self.llc(kind)]),
            _ => equal(self.kind, 2, kind),
        }
    }

    /// The LLC header names this protocol: both access points for those that use both, else the destination's, else SNAP's type.
    fn llc(&self, kind: u32) -> Node {
        match kind {
            0x06 | 0xfe | 0xf0 => equal(self.payload, 2, kind << 8 | kind),
            0x809b => self.snap(0x08_0007, kind),
            0..=LONGEST => equal(self.payload, 1, kind),
            _ => equal(self.payload.plus(6), 2, kind),
        }
    }

    fn snap(&self, organisation: u32, kind: u32) -> Node {
        let mut wanted = vec![0xaa, 0xaa, 0x03];
        wanted.extend(organisation.to_be_bytes().into_iter().skip(1));
        wanted.extend(kind.to_be_bytes().into_iter().skip(2));
        let masks = vec![0xff; wanted.len()];
        Node::Bytes(self.payload, wanted, masks)
    }
}

/// PPP's number of a protocol that Ethernet or LLC knows by another.
fn ppp_number(kind: u32) -> u32 {
    match kind {
        IPV4 => 0x21,
        IPV6 => 0x57,
        0x6003 => 0x27,
        0x809b => 0x29,
        0xfe => 0x23,
        0x42 => 0x31,
        0xe0 => 0x2b,
        MPLS => 0x281,
        other => other,
    }
}

fn field(place: Place, size: u32, mask: u32, test: Test) -> Node {
    Node::Field(place, size, mask, test)
}

fn equal(place: Place, size: u32, value: u32) -> Node {
    field(place, size, u32::MAX, Test::Equal(value))
}

fn not(node: Node) -> Node {
    Node::Not(Box::new(node))
}

/// The same asked of source, destination, either or both.
fn ends(direction: Direction, src: Node, dst: Node) -> Node {
    match direction {
        Direction::Src => src,
        Direction::Dst => dst,
        Direction::Both => Node::And(vec![src, dst]),
        _ => Node::Or(vec![src, dst]),
    }
}

struct Compiler {
    layout: Option<Layout>,
    link_type: u16,
}

/// What is asked at one place of the expression.
struct Here<'c> {
    layout: &'c mut Layout,
    position: usize,
}

impl Compiler {
    fn expression(&mut self, expression: &Expr) -> Compiled<Node> {
        Ok(match expression {
            Expr::Not(inner) => not(self.expression(inner)?),
            Expr::And(left, right) => Node::And(vec![self.expression(left)?, self.expression(right)?]),
            Expr::Or(left, right) => Node::Or(vec![self.expression(left)?, self.expression(right)?]),
            Expr::Ask(ask, position) => self.ask(ask, *position)?,
        })
    }

    fn ask(&mut self, ask: &Ask, position: usize) -> Compiled<Node> {
        match ask {
            Ask::Less(bytes) => return Ok(not(Node::Length(Test::Over(*bytes)))),
            Ask::Greater(bytes) => return Ok(Node::Length(Test::AtLeast(*bytes))),
            Ask::Relation(relation, left, right) => {
                let mut guards = Vec::new();
                let (left, right) = (self.number(left, &mut guards)?, self.number(right, &mut guards)?);
                guards.push(Node::Compare(*relation, left, right));
                return Ok(Node::And(guards));
            }
            _ => {}
        }
        let Some(layout) = &mut self.layout else {
            let message =
                format!("this cannot be asked of frames of link type {}; less, greater, len and link[...] can", link_type_name(self.link_type));
            return Err(FilterError { message, position });
        };
        Here { layout, position }.ask(ask)
    }

    /// A number, and what the frame must be for it to mean anything.
    fn number(&mut self, number: &Number, guards: &mut Vec<Node>) -> Compiled<Value> {
        Ok(match number {
            Number::Constant(number) => Value::Constant(*number),
            Number::Length => Value::Length,
            Number::Negative(inner) => Value::Negative(Box::new(self.number(inner, guards)?)),
            Number::Combined(operation, left, right, position) => {
                let (left, right) = (self.number(left, guards)?, self.number(right, guards)?);
                let fail = |message: &str| Err(FilterError { message: message.to_owned(), position: *position });
                match (operation, &right) {
                    (Operation::Div | Operation::Mod, Value::Constant(0)) => return fail("division by zero"),
                    (Operation::Shl | Operation::Shr, Value::Constant(32..)) => return fail("numbers have 32 bits: shifted by more than 31"),
                    _ => {}
                }
                match (&left, &right) {
                    (Value::Constant(left), Value::Constant(right)) => Value::Constant(combine(*operation, *left, *right).unwrap_or_default()),
                    _ => Value::Combined(*operation, Box::new(left), Box::new(right)),
                }
            }
            Number::Load(protocol, index, size, position) => {
                let index = self.number(index, guards)?;
                let place = match (&mut self.layout, protocol) {
                    (None, Protocol::Link) => at(Base::Start, 0),
                    (None, _) => {
                        let name = link_type_name(self.link_type);
                        return Err(FilterError {
                            message: format!("frames of link type {name} have no such header; link[...] can be asked"),
                            position: *position,
                        });
                    }
                    (Some(layout), protocol) => Here { layout, position: *position }.header(*protocol, guards)?,
                };
                Value::Load(place, Box::new(index), *size)
            }
        })
    }
}

impl Here<'_> {
    fn fail<T>(&self, message: impl Into<String>) -> Compiled<T> {
        Err(FilterError { message: message.into(), position: self.position })
    }

    fn link_name(&self) -> std::borrow::Cow<'static, str> {
        link_type_name(self.layout.link_type)
    }

    fn ask(&mut self, ask: &Ask) -> Compiled<Node> {
        match ask {
            Ask::Protocol(protocol) => self.protocol(*protocol),
            Ask::Qualified(qualifiers, id) => self.qualified(*qualifiers, id),
            Ask::Broadcast(protocol) => self.broadcast(*protocol),
            Ask::Multicast(protocol) => self.multicast(*protocol),
            Ask::Inbound => self.direction(true),
            Ask::Outbound => self.direction(false),
            Ask::Interface(number) if self.layout.link_type == 276 => Ok(equal(at(Base::Start, 4), 4, *number)),
            Ask::Interface(_) => self.fail(format!("frames of link type {} bear no number of an interface", self.link_name())),
            Ask::Vlan(id) => self.vlan(*id),
            Ask::Mpls(label) => self.mpls(*label),
            Ask::PppoeDiscovery => Ok(self.layout.carries(PPPOE_DISCOVERY)),
            Ask::PppoeSession(session) => Ok(self.pppoe(*session)),
            Ask::FrameType(value, mask) => self.frame_control(0, *value, *mask),
            Ask::FrameDirection(bits) => self.frame_control(1, *bits, 3),
            // Asked without a layout.
            Ask::Less(_) | Ask::Greater(_) | Ask::Relation(..) => Ok(Node::Const(false)),
        }
    }

    fn frame_control(&self, octet: u32, value: u32, mask: u32) -> Compiled<Node> {
        match self.layout.carries {
            Carries::Llc(Some(_)) => Ok(field(self.layout.header.plus(octet), 1, mask, Test::Equal(value))),
            _ => self.fail(format!("frames of link type {} are not 802.11", self.link_name())),
        }
    }

    fn protocol(&self, protocol: Protocol) -> Compiled<Node> {
        let layout = &self.layout;
        Ok(match protocol {
            Protocol::Link => return self.fail("a link layer alone says nothing: write \"ether host\", \"ether proto\" or the like"),
            Protocol::Ip => layout.carries(IPV4),
            Protocol::Ip6 => layout.carries(IPV6),
            Protocol::Arp => layout.carries(ARP),
            Protocol::Rarp => layout.carries(RARP),
            Protocol::Above(number, Over::V4) => self.over_ipv4(number.into()),
            Protocol::Above(number, Over::V6) => self.over_ipv6(number.into()),
            Protocol::Above(number, Over::Both) => Node::Or(vec![self.over_ipv4(number.into()), self.over_ipv6(number.into())]),
            Protocol::Type(kind) => layout.carries(kind.into()),
            Protocol::Osi(id) => self.osi(id.into()),
        })
    }

    fn over_ipv4(&self, number: u32) -> Node {
        Node::And(vec![self.layout.carries(IPV4), equal(self.layout.network(9), 1, number)])
    }

    /// The IPv6 header, or a fragment header right behind it, names the protocol.
    fn over_ipv6(&self, number: u32) -> Node {
        let layout = &self.layout;
        let in_fragment = Node::And(vec![equal(layout.network(6), 1, 44), equal(layout.network(40), 1, number)]);
        Node::And(vec![layout.carries(IPV6), Node::Or(vec![in_fragment, equal(layout.network(6), 1, number)])])
    }

    fn osi(&self, id: u32) -> Node {
        let layout = &self.layout;
        match layout.carries {
            // Cisco's HDLC has a padding octet before the protocol id.
            Carries::Type => Node::And(vec![layout.carries(0xfefe), equal(layout.payload.plus(1), 1, id)]),
            _ => Node::And(vec![layout.carries(0xfe), equal(layout.payload.plus(layout.network_without_snap), 1, id)]),
        }
    }

    /// Where a protocol's header starts; the guards say when a frame has one.
    fn header(&self, protocol: Protocol, guards: &mut Vec<Node>) -> Compiled<Place> {
        let layout = &self.layout;
        let network = layout.network(0);
        Ok(match protocol {
            Protocol::Link => layout.header,
            Protocol::Above(58, Over::V6) => {
                guards.push(layout.carries(IPV6));
                guards.push(equal(layout.network(6), 1, 58));
                layout.behind_ipv6(0)
            }
            Protocol::Above(51 | 50, _) | Protocol::Osi(_) => return self.fail("bytes of this protocol cannot be looked at"),
            Protocol::Above(number, _) => {
                guards.push(self.over_ipv4(number.into()));
                guards.push(self.is_first());
                layout.behind_ipv4(0)
            }
            other => {
                guards.push(self.protocol(other)?);
                network
            }
        })
    }

    /// The IPv4 packet is no later fragment of a datagram.
    fn is_first(&self) -> Node {
        not(field(self.layout.network(6), 2, u32::MAX, Test::AnyBit(0x1fff)))
    }

    fn qualified(&self, qualifiers: Qualifiers, id: &Id) -> Compiled<Node> {
        match qualifiers.sort {
            Sort::Default | Sort::Host | Sort::Net => self.host(qualifiers, id),
            Sort::Port | Sort::PortRange => self.port(qualifiers, id),
            Sort::Proto => self.proto(qualifiers.protocol, id),
            Sort::ProtoChain => self.chain(qualifiers.protocol, id),
        }
    }

    fn host(&self, qualifiers: Qualifiers, id: &Id) -> Compiled<Node> {
        let direction = qualifiers.direction;
        if let Id::Mac(mac) = id {
            return match (qualifiers.protocol, qualifiers.sort) {
                (Some(Protocol::Link), Sort::Default | Sort::Host) => self.mac(direction, *mac),
                _ => self.fail("a MAC address needs \"ether\": write \"ether host MAC\""),
            };
        }
        if matches!(direction, Direction::Address(_) | Direction::Receiver | Direction::Transmitter) {
            return self.fail("addresses of an 802.11 header are MAC addresses: write \"wlan addr1 MAC\"");
        }
        if qualifiers.protocol == Some(Protocol::Link) {
            return self.fail("a MAC address is needed after \"ether host\"");
        }
        let protocol = qualifiers.protocol;
        match *id {
            Id::V4(address, bits) => {
                let shift = 32 - bits;
                self.ipv4(protocol, direction, address.checked_shl(shift).unwrap_or(0), u32::MAX.checked_shl(shift).unwrap_or(0))
            }
            Id::Number(mut address) => {
                let mut mask = u32::MAX;
                // A short network number stands for its first octets.
                while qualifiers.sort == Sort::Net && address != 0 && address & 0xff00_0000 == 0 {
                    (address, mask) = (address << 8, mask << 8);
                }
                self.ipv4(protocol, direction, address, mask)
            }
            Id::V4Net(..) | Id::V6Net(..) if qualifiers.sort == Sort::Host => self.fail("a network needs \"net\" rather than \"host\""),
            Id::V4Net(network, mask) if network & !mask != 0 => self.fail("bits of the address are set that are not the network's"),
            Id::V4Net(network, mask) => self.ipv4(protocol, direction, network, mask),
            Id::V6(address) => self.ipv6(protocol, direction, address, 128),
            Id::V6Net(network, length) if network.to_bits().checked_shl(length).unwrap_or(0) != 0 => {
                self.fail("bits of the address are set that are not the network's")
            }
            Id::V6Net(network, length) => self.ipv6(protocol, direction, network, length),
            Id::Name(ref name) => self.fail(format!("\"{name}\": names are not looked up; write the address")),
            Id::Mac(_) => Ok(Node::Const(false)),
        }
    }

    fn ipv4(&self, protocol: Option<Protocol>, direction: Direction, address: u32, mask: u32) -> Compiled<Node> {
        let layout = &self.layout;
        let held = |kind, src, dst| {
            let there = |add| field(layout.network(add), 4, mask, Test::Equal(address & mask));
            Node::And(vec![layout.carries(kind), ends(direction, there(src), there(dst))])
        };
        let (ip, arp, rarp) = (|| held(IPV4, 12, 16), || held(ARP, 14, 24), || held(RARP, 14, 24));
        match protocol {
            None if layout.labels > 0 => Ok(ip()),
            None => Ok(Node::Or(vec![ip(), arp(), rarp()])),
            Some(Protocol::Ip) => Ok(ip()),
            Some(Protocol::Arp) => Ok(arp()),
            Some(Protocol::Rarp) => Ok(rarp()),
            Some(_) => self.fail("this protocol has no IPv4 addresses of its own: write \"tcp and host ADDRESS\" or the like"),
        }
    }

    fn ipv6(&self, protocol: Option<Protocol>, direction: Direction, address: Ipv6Addr, length: u32) -> Compiled<Node> {
        if !matches!(protocol, None | Some(Protocol::Ip6)) {
            return self.fail("this protocol has no IPv6 addresses of its own: write \"tcp and host ADDRESS\" or the like");
        }
        let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0).to_be_bytes();
        let there = |add| Node::Bytes(self.layout.network(add), address.octets().to_vec(), mask.to_vec());
        Ok(Node::And(vec![self.layout.carries(IPV6), ends(direction, there(8), there(24))]))
    }

    fn mac(&self, direction: Direction, mac: [u8; 6]) -> Compiled<Node> {
        let there = |place: Place| Node::Bytes(place, mac.to_vec(), vec![0xff; 6]);
        let at_other = matches!(direction, Direction::Address(_) | Direction::Receiver | Direction::Transmitter);
        match (self.layout.carries, self.layout.macs) {
            (Carries::Llc(Some(radio)), _) => Ok(wlan::address(radio, direction, &there)),
            (_, Some((dst, src))) if !at_other => Ok(ends(direction, there(self.layout.header.plus(src)), there(self.layout.header.plus(dst)))),
            _ => self.fail(format!("frames of link type {} bear no such MAC addresses", self.link_name())),
        }
    }

    fn port(&self, qualifiers: Qualifiers, id: &Id) -> Compiled<Node> {
        let protocols: &[u32] = match qualifiers.protocol {
            None => &[6, 17, 132],
            Some(Protocol::Above(6, _)) => &[6],
            Some(Protocol::Above(17, _)) => &[17],
            Some(Protocol::Above(132, _)) => &[132],
            Some(_) => return self.fail("only tcp, udp and sctp have ports"),
        };
        let (from, to) = match id {
            Id::Number(number) => {
                let Ok(port) = u16::try_from(*number) else { return self.fail(format!("there is no port {number}; the last is 65535")) };
                (port, port)
            }
            Id::Name(name) => {
                let whole = words::port(name).map(|port| (port, port));
                let range = name.split_once('-').and_then(|(from, to)| Some((words::port(from)?, words::port(to)?)));
                match whole.or(range) {
                    Some(range) if qualifiers.sort == Sort::PortRange || range.0 == range.1 => range,
                    Some(_) => return self.fail("a range of ports needs \"portrange\""),
                    None => return self.fail(format!("\"{name}\" is no port")),
                }
            }
            _ => return self.fail("a port is needed here"),
        };
        let (from, to) = (u32::from(from.min(to)), u32::from(from.max(to)));
        let layout = &self.layout;
        let in_range = |place: Place| {
            if from == to {
                return equal(place, 2, from);
            }
            Node::And(vec![field(place, 2, u32::MAX, Test::AtLeast(from)), not(field(place, 2, u32::MAX, Test::Over(to)))])
        };
        let ports = |place: &dyn Fn(u32) -> Place| ends(qualifiers.direction, in_range(place(0)), in_range(place(2)));
        let v6 = protocols.iter().map(|number| Node::And(vec![equal(layout.network(6), 1, *number), ports(&|add| layout.behind_ipv6(add))]));
        let v4 = protocols
            .iter()
            .map(|number| Node::And(vec![equal(layout.network(9), 1, *number), self.is_first(), ports(&|add| layout.behind_ipv4(add))]));
        Ok(Node::Or(vec![
            Node::And(vec![layout.carries(IPV6), Node::Or(v6.collect())]),
            Node::And(vec![layout.carries(IPV4), Node::Or(v4.collect())]),
        ]))
    }

    fn proto(&self, protocol: Option<Protocol>, id: &Id) -> Compiled<Node> {
        let above_ip = protocol != Some(Protocol::Link);
        let number = match id {
            Id::Number(number) => Some(*number),
            Id::Name(name) if above_ip => words::ip_protocol(name),
            Id::Name(name) => words::link_protocol(name),
            _ => None,
        };
        let Some(number) = number else { return self.fail("no such protocol; its number will do") };
        match protocol {
            None => Ok(Node::Or(vec![self.over_ipv4(number), self.over_ipv6(number)])),
            Some(Protocol::Ip) => Ok(self.over_ipv4(number)),
            Some(Protocol::Ip6) => Ok(self.over_ipv6(number)),
            Some(Protocol::Link) => Ok(self.layout.carries(number)),
            Some(Protocol::Type(0xfe)) => Ok(self.osi(number)),
            Some(_) => self.fail("\"proto\" goes with ether, ip, ip6 and iso"),
        }
    }

    fn chain(&self, protocol: Option<Protocol>, id: &Id) -> Compiled<Node> {
        let number = match id {
            Id::Number(number) => u8::try_from(*number).ok(),
            Id::Name(name) => words::ip_protocol(name).and_then(|number| u8::try_from(number).ok()),
            _ => None,
        };
        let Some(number) = number else { return self.fail("no such protocol; its number will do") };
        let chain = |kind, version| Node::And(vec![self.layout.carries(kind), Node::Chain(self.layout.network(0), version, number)]);
        match protocol {
            None => Ok(Node::Or(vec![chain(IPV4, 4), chain(IPV6, 6)])),
            Some(Protocol::Ip) => Ok(chain(IPV4, 4)),
            Some(Protocol::Ip6) => Ok(chain(IPV6, 6)),
            Some(_) => self.fail("\"protochain\" goes with ip and ip6"),
        }
    }

    fn broadcast(&self, protocol: Option<Protocol>) -> Compiled<Node> {
        match protocol {
            None | Some(Protocol::Link) => self.mac(Direction::Dst, [0xff; 6]),
            // Without a netmask, as in a file: to all, or to the old all-zeros address.
            Some(Protocol::Ip) => {
                let to = |address| equal(self.layout.network(16), 4, address);
                Ok(Node::And(vec![self.layout.carries(IPV4), Node::Or(vec![to(0), to(u32::MAX)])]))
            }
            Some(_) => self.fail("\"broadcast\" goes with ether and ip"),
        }
    }

    fn multicast(&self, protocol: Option<Protocol>) -> Compiled<Node> {
        let layout = &self.layout;
        let group = |place: Place| field(place, 1, u32::MAX, Test::AnyBit(1));
        match protocol {
            None | Some(Protocol::Link) => match (layout.carries, layout.macs) {
                (Carries::Llc(Some(radio)), _) => Ok(wlan::address(radio, Direction::Dst, &group)),
                (_, Some((dst, _))) => Ok(group(layout.header.plus(dst))),
                _ => self.fail(format!("frames of link type {} bear no MAC addresses", self.link_name())),
            },
            Some(Protocol::Ip) => Ok(Node::And(vec![layout.carries(IPV4), field(layout.network(16), 1, u32::MAX, Test::AtLeast(224))])),
            Some(Protocol::Ip6) => Ok(Node::And(vec![layout.carries(IPV6), equal(layout.network(24), 1, 255)])),
            Some(_) => self.fail("\"multicast\" goes with ether, ip and ip6"),
        }
    }

    fn direction(&self, inbound: bool) -> Compiled<Node> {
        let sent = match self.layout.link_type {
            113 => equal(at(Base::Start, 0), 2, 4),
            276 => equal(at(Base::Start, 10), 1, 4),
            166 | 204 => not(equal(at(Base::Start, 0), 1, 0)),
            _ => return self.fail(format!("frames of link type {} do not say in which direction they went", self.link_name())),
        };
        Ok(if inbound { not(sent) } else { sent })
    }

    fn vlan(&mut self, id: Option<u32>) -> Compiled<Node> {
        let layout = &mut *self.layout;
        if layout.labels > 0 {
            return self.fail("no VLAN tag stands behind an MPLS label");
        }
        if !matches!(layout.carries, Carries::Ethernet | Carries::Cooked | Carries::Llc(Some(_))) {
            return self.fail(format!("frames of link type {} bear no VLAN tags", self.link_name()));
        }
        let mut asked = vec![Node::Or(TAGS.iter().map(|tag| layout.carries(*tag)).collect())];
        if let Some(id) = id {
            asked.push(field(layout.network(0), 2, 0x0fff, Test::Equal(id)));
        }
        // In SLL2 the type stands before the rest of the header: that of the tag is then in the payload.
        let kind = if layout.link_type == 276 && layout.kind.add == 0 { layout.payload.plus(2) } else { layout.kind.plus(4) };
        (layout.kind, layout.payload) = (kind, layout.payload.plus(4));
        Ok(Node::And(asked))
    }

    fn mpls(&mut self, label: Option<u32>) -> Compiled<Node> {
        if !matches!(self.layout.carries, Carries::Ethernet | Carries::Cooked | Carries::Type | Carries::Ppp) {
            return self.fail(format!("frames of link type {} bear no MPLS labels", self.link_name()));
        }
        let layout = &mut *self.layout;
        let mut asked = vec![if layout.labels > 0 {
            // The label before is not the last of its stack.
            field(layout.network(0).plus(2_u32.wrapping_sub(4)), 1, 1, Test::Equal(0))
        } else {
            layout.carries(MPLS)
        }];
        if let Some(label) = label {
            asked.push(field(layout.network(0), 4, 0xffff_f000, Test::Equal(label << 12)));
        }
        layout.network += 4;
        layout.network_without_snap += 4;
        layout.labels += 1;
        Ok(Node::And(asked))
    }

    fn pppoe(&mut self, session: Option<u32>) -> Node {
        let layout = &mut *self.layout;
        let mut asked = vec![layout.carries(PPPOE_SESSION)];
        if let Some(session) = session {
            asked.push(field(layout.network(0), 4, 0xffff, Test::Equal(session)));
        }
        let header = layout.network(6);
        layout.carries = Carries::Ppp;
        (layout.header, layout.kind, layout.payload) = (header, header, header.plus(2));
        (layout.network, layout.network_without_snap, layout.labels, layout.macs) = (0, 0, 0, None);
        Node::And(asked)
    }
}
