//! One frame, from the link layer to the transport's payload.
//!
//! [`decode`] walks link header, tags, tunnels and IP down to the innermost transport header and says what it met; it keeps
//! no state. Fragments are put together by [`crate::flow`], which then calls [`decode_datagram`] on the whole datagram.
//!
//! Headers nest as the wire likes, so a walk counts them: it enters at most eight tunnels and some thirty link and network
//! headers, whatever their order. What lies deeper is the payload of the last header read.

mod ip;
mod link;
mod link_types;
mod media;
mod peek;
mod quoted;
mod transport;
mod tunnel;
mod wlan;

pub use link_types::link_type_name;
pub use peek::{Peek, below_ip, peek};
pub use quoted::{Quoted, quoted};
pub use wlan::WlanHeader;

use std::net::{IpAddr, Ipv4Addr};

use pcapper_schema::Mac;

/// A layer met on the way down; `packets.layers` spells the path with [`Layer::name`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[repr(u8)]
pub enum Layer {
    #[default]
    None = 0,
    Eth,
    Vlan,
    Llc,
    Snap,
    Mpls,
    Pppoe,
    Ppp,
    Sll,
    Null,
    Raw,
    Chdlc,
    Radiotap,
    Ppi,
    Prism,
    Avs,
    Wlan,
    MsTp,
    Other,
    Ip,
    Ipv6,
    Gre,
    Erspan,
    Vxlan,
    Geneve,
    Gtp,
    Teredo,
    L2tp,
    Capwap,
    Hsr,
    Macsec,
    Tcp,
    Udp,
    Sctp,
    Icmp,
    Icmp6,
    Igmp,
    Esp,
    Ah,
    Ospf,
    Arp,
}

impl Layer {
    /// Short name, as in `packets.layers`.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Eth => "eth",
            Self::Vlan => "vlan",
            Self::Llc => "llc",
            Self::Snap => "snap",
            Self::Mpls => "mpls",
            Self::Pppoe => "pppoe",
            Self::Ppp => "ppp",
            Self::Sll => "sll",
            Self::Null => "null",
            Self::Raw => "raw",
            Self::Chdlc => "chdlc",
            Self::Radiotap => "radiotap",
            Self::Ppi => "ppi",
            Self::Prism => "prism",
            Self::Avs => "avs",
            Self::Wlan => "wlan",
            Self::MsTp => "mstp",
            Self::Other => "link",
            Self::Ip => "ip",
            Self::Ipv6 => "ipv6",
            Self::Gre => "gre",
            Self::Erspan => "erspan",
            Self::Vxlan => "vxlan",
            Self::Geneve => "geneve",
            Self::Gtp => "gtp",
            Self::Teredo => "teredo",
            Self::L2tp => "l2tp",
            Self::Capwap => "capwap",
            Self::Hsr => "hsr",
            Self::Macsec => "macsec",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
            Self::Icmp => "icmp",
            Self::Icmp6 => "icmp6",
            Self::Igmp => "igmp",
            Self::Esp => "esp",
            Self::Ah => "ah",
            Self::Ospf => "ospf",
            Self::Arp => "arp",
        }
    }
}

/// Layers from the outside in; what does not fit is dropped from the path (never from decoding).
pub type Layers = [Layer; 16];

/// The innermost IP header.
#[derive(Clone, Copy, Debug)]
pub struct Ip {
    pub src: IpAddr,
    pub dst: IpAddr,
    /// 4 or 6.
    pub version: u8,
    /// Upper-layer protocol, after IPv6 extension headers.
    pub proto: u8,
    /// TTL or hop limit.
    pub ttl: u8,
    /// IPv4 identification. IPv6 has one only in fragments, of 32 bits: see [`Fragment::id`].
    pub id: Option<u16>,
    pub dscp: u8,
    pub ecn: u8,
    /// Length of the IP packet by its header, bytes, headers included (from the capture where the header says 0: offload).
    pub len: u32,
    /// IPv4 header checksum verified; `None` for IPv6 or a cut frame.
    pub checksum_ok: Option<bool>,
    pub fragment: Option<Fragment>,
    /// IPv4 router alert option (RFC 2113): routers look at the packet though it is not for them.
    pub router_alert: bool,
    /// Tunnels around this header.
    pub depth: u8,
}

/// Where a fragment belongs.
#[derive(Clone, Copy, Debug)]
pub struct Fragment {
    /// IPv4 or IPv6 identification.
    pub id: u32,
    /// Offset of the fragment's bytes in the datagram's payload.
    pub offset: u32,
    pub more: bool,
}

/// A TCP header.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tcp {
    pub src_port: u16,
    pub dst_port: u16,
    pub seq: u32,
    pub ack: u32,
    /// FIN=1 SYN=2 RST=4 PSH=8 ACK=16 URG=32 ECE=64 CWR=128 AE=256, and the three reserved bits above.
    pub flags: u16,
    pub window: u16,
    pub checksum: u16,
    pub urgent: u16,
    /// Length of header and options, bytes; 0 if it is impossible.
    pub header_len: u8,
    /// Window scale option (RFC 7323), on SYN only.
    pub window_scale: Option<u8>,
    pub mss: Option<u16>,
    pub sack_permitted: bool,
    /// Has SACK blocks.
    pub sack: bool,
    /// Timestamp option: (TSval, TSecr).
    pub timestamps: Option<(u32, u32)>,
    /// Option that authenticates the segment: `md5` (RFC 2385) or `ao` (RFC 5925).
    pub authentication: Option<&'static str>,
}

/// What carries the payload.
#[derive(Clone, Copy, Debug)]
pub enum Transport {
    Tcp(Tcp),
    Udp {
        src_port: u16,
        dst_port: u16,
        checksum: u16,
    },
    Sctp {
        src_port: u16,
        dst_port: u16,
    },
    /// ICMP or ICMPv6; the payload starts at the type octet.
    Icmp {
        kind: u8,
        code: u8,
    },
    /// Any other IP protocol, and a tunnel that was not followed; the payload is what follows the IP header.
    OtherIp,
    /// A fragment: the payload is a piece of the datagram.
    Fragment,
    /// No IP inside: the payload is that of the EtherType or LLC in [`Packet::ether_type`] and [`Packet::llc`].
    None,
}

/// A decoded frame.
#[derive(Clone, Debug)]
pub struct Packet<'a> {
    pub layers: Layers,
    pub src_mac: Option<Mac>,
    pub dst_mac: Option<Mac>,
    /// EtherType after all tags; `None` where the frame has none (802.3 length, non-Ethernet).
    pub ether_type: Option<u16>,
    /// The LLC header; behind SNAP with an OUI that announces EtherTypes, `ether_type` is there as well.
    pub llc: Option<Llc>,
    /// The header of an 802.11 frame, other than a control frame.
    pub wlan: Option<WlanHeader>,
    pub vlan_id: Option<u16>,
    pub vlan_outer_id: Option<u16>,
    pub vlan_priority: Option<u8>,
    pub mpls_label: Option<u32>,
    /// Encapsulations between the frame and the innermost IP packet, outermost first.
    pub tunnels: Tunnels,
    /// Addresses of the outermost IP header of a tunnelled packet.
    pub outer: Option<(IpAddr, IpAddr)>,
    /// The outermost GRE header.
    pub gre: Option<Gre>,
    pub ip: Option<Ip>,
    pub transport: Transport,
    /// UDP ports of the innermost tunnel: those of `ip`, where it carries a frame without IP.
    pub carrier_ports: Option<(u16, u16)>,
    /// Bytes after the innermost header decoded, cut to the length that the headers give.
    pub payload: &'a [u8],
    /// Their number on the wire (more than `payload.len()` in a cut frame).
    pub payload_len: u32,
    /// Bytes of the innermost L2 payload after what the headers account for (padding, trailers); empty if none.
    pub trailer: &'a [u8],
    /// What did not make sense: (decoder, kind, detail) rows for `anomalies`.
    pub anomalies: Vec<PacketAnomaly>,
}

/// A GRE header (RFC 2784, 2890; version 1: RFC 2637).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gre {
    /// Addresses of the packet that it stands in.
    pub src: IpAddr,
    pub dst: IpAddr,
    pub version: u8,
    /// EtherType of what it carries.
    pub protocol: u16,
    /// Version 0: the key.
    pub key: Option<u32>,
    /// Octets from the header on.
    pub length: u32,
    pub over_udp: bool,
}

impl Gre {
    /// A header of version 0 that says nothing.
    const NONE: Self = Self {
        src: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        dst: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        version: 0,
        protocol: 0,
        key: None,
        length: 0,
        over_udp: false,
    };
}

/// A malformed header.
#[derive(Clone, Copy, Debug)]
pub struct PacketAnomaly {
    /// Decoder, by table or layer name.
    pub protocol: &'static str,
    /// `truncated_header`, `bad_length`, `bad_checksum`, `limit_reached` ...
    pub kind: &'static str,
    /// One line for a person.
    pub detail: &'static str,
}

/// IEEE 802.2 addressing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Llc {
    /// DSAP and SSAP; the payload starts after the control field.
    Sap { dsap: u8, ssap: u8, control: u16 },
    /// SNAP: OUI and protocol id; the payload starts after them.
    Snap { oui: u32, pid: u16 },
}

/// An encapsulation, as `packets.tunnel` spells it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[repr(u8)]
pub enum Tunnel {
    #[default]
    None = 0,
    Gre,
    Ipip,
    Vxlan,
    Geneve,
    Gtp,
    Teredo,
    SixInFour,
    Pppoe,
    L2tp,
    Erspan,
    Capwap,
    Mpls,
    EtherIp,
}

impl Tunnel {
    /// Name as in `packets.tunnel`.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gre => "gre",
            Self::Ipip => "ipip",
            Self::Vxlan => "vxlan",
            Self::Geneve => "geneve",
            Self::Gtp => "gtp",
            Self::Teredo => "teredo",
            Self::SixInFour => "6in4",
            Self::Pppoe => "pppoe",
            Self::L2tp => "l2tp",
            Self::Erspan => "erspan",
            Self::Capwap => "capwap",
            Self::Mpls => "mpls",
            Self::EtherIp => "etherip",
        }
    }
}

/// Tunnels from the outside in; at most eight levels are followed.
pub type Tunnels = [Tunnel; 8];

/// Tunnels that are followed into each other.
const MAX_DEPTH: u8 = 8;
/// Link and network headers that are read in one frame.
const MAX_HEADERS: u8 = 32;

/// Decodes one frame. `frame_len` is its length on the wire, `fcs_len` the length of the frame check sequence that the
/// capture says stands at its end. Nothing is allocated for a frame without fault.
pub fn decode<'a>(link_type: u16, bytes: &'a [u8], frame_len: u32, fcs_len: u8) -> Packet<'a> {
    let mut packet = Packet::empty();
    let cut = u32::try_from((frame_len as usize).saturating_sub(bytes.len())).unwrap_or(u32::MAX);
    let mut walk = Walk { packet: &mut packet, depth: 0, headers: 0, cut };
    let bytes = walk.without_tail(bytes, fcs_len);
    link::start(&mut walk, link_type, bytes);
    packet
}

/// Goes on from the payload of an IP packet that was put together from fragments. `proto` is the header that the
/// fragmentable part starts with: a transport's, a tunnel's, or in IPv6 another extension header.
pub fn decode_datagram<'a>(packet: &mut Packet<'a>, proto: u8, payload: &'a [u8]) {
    let depth = packet.ip.as_ref().map_or(0, |ip| ip.depth);
    let mut walk = Walk { packet, depth, headers: 0, cut: 0 };
    ip::datagram(&mut walk, proto, payload);
}

/// Goes on in a datagram's first fragment that the capture cut: nothing can be put together from it, but it shows the header
/// that the fragmentable part starts with.
pub fn decode_cut_fragment(packet: &mut Packet<'_>, proto: u8) {
    let depth = packet.ip.as_ref().map_or(0, |ip| ip.depth);
    let (payload, known) = (packet.payload, packet.anomalies.len());
    let cut = packet.payload_len.saturating_sub(u32::try_from(payload.len()).unwrap_or(u32::MAX));
    ip::datagram(&mut Walk { packet, depth, headers: 0, cut }, proto, payload);
    // The lengths further in are those of the whole datagram.
    packet.anomalies.truncate(known);
}

/// A walk down one frame.
struct Walk<'p, 'a> {
    packet: &'p mut Packet<'a>,
    /// Tunnels entered so far.
    depth: u8,
    /// Link and network headers begun so far.
    headers: u8,
    /// Bytes that the capture lacks at the end of what is being read.
    cut: u32,
}

impl<'a> Walk<'_, 'a> {
    /// Notes a layer.
    #[inline]
    fn layer(&mut self, layer: Layer) {
        if let Some(slot) = self.packet.layers.iter_mut().find(|slot| **slot == Layer::None) {
            *slot = layer;
        }
    }

    /// Counts a link or network header; false once there were too many, and then the rest is payload.
    #[inline]
    fn descend(&mut self, rest: &'a [u8]) -> bool {
        if self.headers >= MAX_HEADERS {
            self.anomaly("link", "limit_reached", "too many headers in each other");
            self.done(rest);
            return false;
        }
        self.headers += 1;
        true
    }

    /// Notes an encapsulation in IP; false once too many were entered. What carries it is no longer the innermost transport.
    fn enter(&mut self, tunnel: Tunnel) -> bool {
        if self.depth >= MAX_DEPTH {
            self.anomaly("ip", "limit_reached", "more than eight tunnels in each other");
            return false;
        }
        self.depth += 1;
        self.wrapped_in(tunnel);
        if self.packet.outer.is_none() {
            self.packet.outer = self.packet.ip.as_ref().map(|ip| (ip.src, ip.dst));
        }
        self.packet.carrier_ports = match self.packet.transport {
            Transport::Udp { src_port, dst_port, .. } => Some((src_port, dst_port)),
            _ => None,
        };
        self.packet.transport = Transport::None;
        true
    }

    /// Lists an encapsulation.
    fn wrapped_in(&mut self, tunnel: Tunnel) {
        if let Some(slot) = self.packet.tunnels.iter_mut().find(|slot| **slot == Tunnel::None) {
            *slot = tunnel;
        }
    }

    /// The first `length` of `bytes`, by a length field, and those behind them. Where the capture has fewer, what it lacks
    /// stays counted in `cut`; where even the wire had fewer, `protocol` is at fault.
    #[inline]
    fn bounded(&mut self, bytes: &'a [u8], length: usize, protocol: &'static str) -> (&'a [u8], &'a [u8]) {
        if let Some(parts) = bytes.split_at_checked(length) {
            self.cut = 0;
            return parts;
        }
        let missing = u32::try_from(length - bytes.len()).unwrap_or(u32::MAX);
        if missing > self.cut {
            self.anomaly(protocol, "bad_length", "the header promises more bytes than the frame has");
        }
        self.cut = self.cut.min(missing);
        (bytes, &[])
    }

    /// `bytes` without the last `tail` of the wire, of which the capture may lack a part.
    #[inline]
    fn without_tail(&mut self, bytes: &'a [u8], tail: u8) -> &'a [u8] {
        let here = u32::from(tail).saturating_sub(self.cut);
        self.cut = self.cut.saturating_sub(u32::from(tail));
        bytes.get(..bytes.len().saturating_sub(here as usize)).unwrap_or_default()
    }

    /// Ends the walk: what is left is the payload.
    #[inline]
    fn done(&mut self, payload: &'a [u8]) {
        self.packet.payload = payload;
        self.packet.payload_len = u32::try_from(payload.len()).unwrap_or(u32::MAX).saturating_add(self.cut);
    }

    /// Records a malformed header, unless the capture cut the frame: then it is the capture's doing.
    #[cold]
    fn anomaly(&mut self, protocol: &'static str, kind: &'static str, detail: &'static str) {
        if self.cut == 0 || kind != "truncated_header" {
            self.packet.anomalies.push(PacketAnomaly { protocol, kind, detail });
        }
    }
}

impl Packet<'_> {
    /// A packet of which nothing is known.
    pub(crate) fn empty() -> Self {
        Self {
            layers: [Layer::None; 16],
            src_mac: None,
            dst_mac: None,
            ether_type: None,
            llc: None,
            wlan: None,
            vlan_id: None,
            vlan_outer_id: None,
            vlan_priority: None,
            mpls_label: None,
            tunnels: [Tunnel::None; 8],
            outer: None,
            gre: None,
            ip: None,
            transport: Transport::None,
            carrier_ports: None,
            payload: &[],
            payload_len: 0,
            trailer: &[],
            anomalies: Vec::new(),
        }
    }
}
