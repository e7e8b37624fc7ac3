//! Conversations: who talks with whom, in what state, in which protocol.
//!
//! [`Worker`] takes decoded frames of its share of the hosts, finds each packet's [`Flow`], puts fragments
//! ([`defrag`]) and TCP streams ([`stream`]) together, and writes the rows of `packets`, `flows` and `tcp_events`;
//! [`dialogue`] asks the probes who speaks and feeds the dissectors.

mod analysis;
mod community_id;
mod defrag;
mod dialogue;
mod services;
mod stream;
mod tcp;
mod worker;

pub use services::number as port_number;
pub use stream::Moment;
pub use worker::Worker;

use std::hash::BuildHasher as _;
use std::net::IpAddr;

use pcapper_schema::tables::Flows;
use pcapper_schema::{Common, TableSet};
use rustc_hash::FxBuildHasher;

use crate::packet::{self, Packet, Transport};
use crate::protocols::{DatagramDissector, Dir, Endpoint, StreamDissector};
use crate::text::scan::Scan;
use tcp::{History, TcpState};

/// Idle time after which a conversation has ended: Zeek's `tcp_inactivity_timeout`.
const TCP_IDLE_NS: i64 = 300_000_000_000;
/// The same for everything else: Zeek's `udp_inactivity_timeout` and `icmp_inactivity_timeout`.
const OTHER_IDLE_NS: i64 = 60_000_000_000;
/// First payload bytes of each direction that entropy is measured over.
const ENTROPY_BYTES: u32 = 4096;

/// What packets of one conversation share: unordered ends, protocol, tags.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct FlowKey {
    low: (IpAddr, u16),
    high: (IpAddr, u16),
    proto: u8,
    /// One-way ICMP conversations keep their direction.
    one_way: bool,
    /// VLAN tags: the same addresses in two VLANs are different hosts.
    tags: u32,
    /// Ends of the tunnel around it, hashed; 0 without one. Addresses inside a tunnel are a world of their own.
    tunnel: u64,
}

/// A packet's key, and whether its sender is the key's lower end.
pub(crate) fn key_of(packet: &Packet<'_>) -> Option<(FlowKey, bool)> {
    let ip = packet.ip.as_ref()?;
    let mut one_way = false;
    let (src_port, dst_port) = match &packet.transport {
        Transport::Tcp(tcp) => (tcp.src_port, tcp.dst_port),
        Transport::Udp { src_port, dst_port, .. } | Transport::Sctp { src_port, dst_port } => (*src_port, *dst_port),
        Transport::Icmp { kind, code } => {
            let (a, b, alone) = community_id::icmp_ports(ip.version == 6, *kind, *code);
            one_way = alone;
            (a, b)
        }
        Transport::OtherIp => (0, 0),
        Transport::None => packet.carrier_ports.unwrap_or_default(),
        Transport::Fragment => return None,
    };
    let tags = packet.vlan_id.map_or(0, |id| u32::from(id) + 1) | packet.vlan_outer_id.map_or(0, |id| (u32::from(id) + 1) << 16);
    let (src, dst) = ((ip.src, src_port), (ip.dst, dst_port));
    let forward = one_way || src <= dst;
    let (low, high) = if forward { (src, dst) } else { (dst, src) };
    let mut tunnel = packet.outer.map_or(0, |(a, b)| FxBuildHasher.hash_one(if a <= b { (a, b) } else { (b, a) }));
    // A tunnel that carries frames without IP: each conversation of theirs is one of the tunnel's ends.
    if matches!(packet.transport, Transport::None) {
        tunnel ^= packet::below_ip(packet);
    }
    Some((FlowKey { low, high, proto: ip.proto, one_way, tags, tunnel }, forward))
}

/// What one end of a conversation sent.
#[derive(Default)]
struct Side {
    packets: u64,
    payload_bytes: u64,
    ip_bytes: u64,
    wire_bytes: u64,
    first_bytes: Vec<u8>,
    /// Octet counts of the first payload bytes, until [`ENTROPY_BYTES`] are counted.
    octets: Option<Box<[u16; 256]>>,
    octets_counted: u32,
    entropy: Option<f64>,
}

impl Side {
    fn sample(&mut self, payload: &[u8]) {
        if self.first_bytes.len() < 32 {
            let room = 32 - self.first_bytes.len();
            self.first_bytes.extend_from_slice(payload.get(..room.min(payload.len())).unwrap_or_default());
        }
        if self.octets_counted >= ENTROPY_BYTES {
            return;
        }
        let octets = self.octets.get_or_insert_with(|| Box::new([0; 256]));
        let room = (ENTROPY_BYTES - self.octets_counted) as usize;
        let sample = payload.get(..room.min(payload.len())).unwrap_or_default();
        for &octet in sample {
            octets[usize::from(octet)] += 1;
        }
        self.octets_counted += sample.len() as u32;
        if self.octets_counted >= ENTROPY_BYTES {
            self.entropy = self.measure();
            self.octets = None;
        }
    }

    /// Shannon entropy in bits a byte; `None` below 64 bytes.
    fn measure(&self) -> Option<f64> {
        if self.octets_counted < 64 {
            return None;
        }
        let total = f64::from(self.octets_counted);
        let octets = self.octets.as_ref()?;
        Some(octets.iter().filter(|&&n| n > 0).map(|&n| f64::from(n) / total).map(|p| -p * p.log2()).sum())
    }

    fn final_entropy(&self) -> Option<f64> {
        self.entropy.or_else(|| self.measure())
    }
}

/// Who decodes a flow's payload.
enum App {
    /// Not known yet: so many pieces were offered; streams keep what was offered (direction, frame, time, bytes).
    Unknown {
        offered: u8,
        held: Vec<Held>,
    },
    Stream(Box<dyn StreamDissector>),
    Datagram(Box<dyn DatagramDissector>),
    /// Nobody, or nobody any more.
    Nobody,
}

struct Held {
    dir: Dir,
    frame: u64,
    ts: i64,
    bytes: Vec<u8>,
}

/// Something that a conversation carried, for those who listen to it.
#[derive(Debug)]
pub struct Heard {
    pub flow_id: u64,
    /// IP protocol.
    pub proto: u8,
    /// Originator and responder.
    pub ends: [Endpoint; 2],
    /// Who sent it.
    pub dir: Dir,
    /// The frame that brought or released it.
    pub moment: Moment,
    pub layer: HeardLayer,
    pub what: What,
}

/// Where in a conversation it was carried.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum HeardLayer {
    /// As it went over the line.
    Wire,
    /// Opened with a key: the protocol that encrypted it, and the stream within the connection (QUIC).
    Opened(&'static str, Option<u64>),
}

/// What was carried.
#[derive(Debug)]
pub enum What {
    /// The next bytes of a stream, or one datagram's.
    Bytes(Vec<u8>),
    /// So many bytes of a stream are missing.
    Gap(u64),
    /// The payload of an IP packet that came in fragments, and where each but the first begins in it. What it says in a
    /// conversation is told beside.
    Datagram(Vec<u8>, Vec<usize>),
    /// The conversation is over.
    Closed,
}

/// One conversation.
pub(crate) struct Flow {
    /// Number of its first frame: the row's `flow_id`.
    id: u64,
    proto: u8,
    ip_version: u8,
    icmp: Option<(u8, u8)>,
    first_ts: i64,
    last_ts: i64,
    /// Last frame, for rows that a close writes.
    last_frame: u64,
    ends: [Endpoint; 2],
    /// The originator is the lower end of the key.
    orig_is_low: bool,
    vlan_id: Option<u16>,
    tunnels: crate::packet::Tunnels,
    sides: [Side; 2],
    history: History,
    tcp: Option<Box<TcpState>>,
    /// Whatever answers this belongs to other flows: fragments without ports, a tunnel's frames without IP.
    is_part: bool,
    /// The same ends speak TCP in other VLANs as well: where all of them are analysed together.
    joined: Option<Box<FlowKey>>,
    service: Option<&'static str>,
    app: App,
    /// Bytes of each direction that the dissector left, and the frames they came in.
    pending: [Vec<u8>; 2],
    spans: [u32; 2],
    /// Readers of text in what each end sends.
    scans: [Option<Box<Scan>>; 2],
}

impl Flow {
    fn new(packet: &Packet<'_>, forward: bool, frame: u64, ts: i64) -> Option<Self> {
        let ip = packet.ip.as_ref()?;
        let mut ports = (None, None);
        let mut tcp = None;
        let mut icmp = None;
        let mut flipped = false;
        match &packet.transport {
            Transport::Tcp(header) => {
                ports = (Some(header.src_port), Some(header.dst_port));
                let mut state = TcpState::default();
                for stream in &mut state.streams {
                    stream.keep = true;
                }
                tcp = Some(Box::new(state));
                // A SYN-ACK answers: its sender is the responder, though the SYN was not captured.
                flipped = header.flags & (tcp::SYN | tcp::ACK) == tcp::SYN | tcp::ACK;
            }
            Transport::Udp { src_port, dst_port, .. } | Transport::Sctp { src_port, dst_port } => ports = (Some(*src_port), Some(*dst_port)),
            Transport::Icmp { kind, code } => icmp = Some((*kind, *code)),
            Transport::None => ports = packet.carrier_ports.unzip(),
            Transport::OtherIp | Transport::Fragment => {}
        }
        let sender = Endpoint { ip: Some(ip.src), port: ports.0, mac: packet.src_mac };
        let receiver = Endpoint { ip: Some(ip.dst), port: ports.1, mac: packet.dst_mac };
        let is_part = match packet.transport {
            Transport::None => true,
            Transport::OtherIp => matches!(ip.proto, 6 | 17 | 132),
            _ => false,
        };
        let mut history = History::default();
        if flipped {
            history.flip();
        }
        Some(Self {
            id: frame,
            proto: ip.proto,
            ip_version: ip.version,
            icmp,
            first_ts: ts,
            last_ts: ts,
            last_frame: frame,
            ends: if flipped { [receiver, sender] } else { [sender, receiver] },
            orig_is_low: forward != flipped,
            vlan_id: packet.vlan_id,
            tunnels: packet.tunnels,
            sides: Default::default(),
            history,
            tcp,
            is_part,
            joined: None,
            service: None,
            app: App::Unknown { offered: 0, held: Vec::new() },
            pending: Default::default(),
            spans: [0; 2],
            scans: Default::default(),
        })
    }

    /// Who sent a packet whose sender is (or is not) the lower end of the key.
    fn dir(&self, forward: bool) -> Dir {
        if forward == self.orig_is_low { Dir::Orig } else { Dir::Resp }
    }

    fn idle_limit(&self) -> i64 {
        if self.tcp.is_some() { TCP_IDLE_NS } else { OTHER_IDLE_NS }
    }

    /// Writes the flow's row.
    fn emit(&self, tables: &mut TableSet) {
        let [orig, resp] = &self.ends;
        let common = Common {
            frame: self.id,
            ts: Some(self.first_ts),
            flow_id: Some(self.id),
            src_ip: orig.ip,
            dst_ip: resp.ip,
            src_port: orig.port,
            dst_port: resp.port,
            src_mac: orig.mac,
            dst_mac: resp.mac,
        };
        let (id_ports, one_way) = match self.icmp {
            Some((kind, code)) => {
                let (a, b, one_way) = community_id::icmp_ports(self.ip_version == 6, kind, code);
                (Some((a, b)), one_way)
            }
            None => (orig.port.zip(resp.port), false),
        };
        let community_id = orig.ip.zip(resp.ip).map(|(src, dst)| community_id::community_id(src, dst, self.proto, id_ports, one_way));
        let payload = self.payload_bytes();
        let state = match &self.tcp {
            Some(tcp) => tcp.conn_state(payload),
            None => match (self.sides[0].packets > 0, self.sides[1].packets > 0) {
                (true, true) => "SF",
                (true, false) => "S0",
                (false, true) => "SHR",
                (false, false) => "OTH",
            },
        };
        let tunnel = tunnel_path(&self.tunnels);
        let mut number = String::new();
        let row = Flows {
            community_id: community_id.as_deref(),
            end_ts: Some(self.last_ts),
            duration_s: Some(seconds(self.last_ts.saturating_sub(self.first_ts))),
            transport: Some(transport_name(self.proto, self.ip_version, &mut number)),
            service: self.service,
            service_port_name: resp.port.and_then(|port| services::name(self.proto, port)),
            vlan_id: self.vlan_id,
            src_mac: orig.mac,
            dst_mac: resp.mac,
            tunnel: tunnel.as_deref(),
            orig_packets: Some(self.sides[0].packets),
            resp_packets: Some(self.sides[1].packets),
            orig_bytes: Some(payload[0]),
            resp_bytes: Some(payload[1]),
            orig_ip_bytes: Some(self.sides[0].ip_bytes),
            resp_ip_bytes: Some(self.sides[1].ip_bytes),
            orig_wire_bytes: Some(self.sides[0].wire_bytes),
            resp_wire_bytes: Some(self.sides[1].wire_bytes),
            conn_state: Some(state).filter(|_| !self.is_part),
            history: Some(self.history.as_str()).filter(|letters| !letters.is_empty()),
            missed_bytes: self.tcp.as_ref().map(|tcp| tcp.streams[0].missed + tcp.streams[1].missed),
            retransmitted_packets: self.tcp.as_ref().map(|tcp| tcp.retransmitted),
            out_of_order_packets: self.tcp.as_ref().map(|tcp| tcp.out_of_order),
            handshake_rtt_ms: self.tcp.as_ref().and_then(|tcp| tcp.handshake_rtt_ns).map(|ns| ns as f64 / 1e6),
            tcp_flags: self.tcp.as_ref().map(|tcp| tcp.flags),
            orig_entropy: self.sides[0].final_entropy(),
            resp_entropy: self.sides[1].final_entropy(),
            orig_first_bytes: Some(&self.sides[0].first_bytes[..]).filter(|bytes| !bytes.is_empty()),
            resp_first_bytes: Some(&self.sides[1].first_bytes[..]).filter(|bytes| !bytes.is_empty()),
        };
        <Flows<'_> as pcapper_schema::Row>::slot(tables).push(&common, row);
    }

    /// Payload of each end; TCP: stream bytes, each counted once.
    fn payload_bytes(&self) -> [u64; 2] {
        match &self.tcp {
            Some(tcp) => [tcp.streams[0].delivered, tcp.streams[1].delivered],
            None => [self.sides[0].payload_bytes, self.sides[1].payload_bytes],
        }
    }
}

fn seconds(ns: i64) -> f64 {
    ns as f64 / 1e9
}

/// `packets.tunnel`: encapsulations joined by `/`; `None` without any.
fn tunnel_path(tunnels: &crate::packet::Tunnels) -> Option<String> {
    let names: Vec<&str> = tunnels.iter().map(|tunnel| tunnel.name()).filter(|name| !name.is_empty()).collect();
    (!names.is_empty()).then(|| names.join("/"))
}

/// Name of an IP protocol as in `transport`; `number` is room for `ip-N`.
fn transport_name(proto: u8, ip_version: u8, number: &mut String) -> &str {
    match proto {
        1 if ip_version == 4 => "icmp",
        2 => "igmp",
        6 => "tcp",
        17 => "udp",
        33 => "dccp",
        46 => "rsvp",
        47 => "gre",
        50 => "esp",
        51 => "ah",
        58 if ip_version == 6 => "icmp6",
        88 => "eigrp",
        89 => "ospf",
        103 => "pim",
        112 => "vrrp",
        115 => "l2tp",
        132 => "sctp",
        136 => "udplite",
        _ => {
            use std::fmt::Write as _;
            number.clear();
            // Writing into a String cannot fail.
            let _ = write!(number, "ip-{proto}");
            number
        }
    }
}
