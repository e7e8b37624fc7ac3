//! One worker's share of the capture: every frame of some pairs of hosts, in order.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use pcapper_schema::tables::{Anomalies, Packets};
use pcapper_schema::{Common, Row, TableSet};
use rustc_hash::FxHashMap;

use super::analysis::{self, Joined, JoinedFlows, Segment};
use super::defrag::{Defragmenter, Fragments, Origin, Seen};
use super::stream::{Moment, Piece};
use super::tcp::{ACK, RST};
use super::{App, Flow, FlowKey, Heard, Held, What, key_of, transport_name, tunnel_path};
use crate::capture::FrameMeta;
use crate::decrypt::Keyring;
use crate::decrypt::plaintext::Tap;
use crate::packet::{self, Layer, Packet, Tcp, Transport};
use crate::profile;
use crate::protocols::expectations::Expectations;
use crate::protocols::it::vpn::{gre_close, gre_packet};
use crate::protocols::registry::PROTOCOLS;
use crate::protocols::{Cx, Dir, Endpoint, FrameDissector, MAX_PENDING, Offer, Outcome, Progress, Protocol, Shared, Verdict};

/// Flows kept open at a time; past it the longest idle are closed.
const MAX_FLOWS: usize = 200_000;
/// Pieces of a flow that are offered to the probes before nobody is taken to know it.
const MAX_OFFERS: u8 = 8;
/// A direction with fewer bytes than this has not shown enough to say that nobody knows it, and while a probe asks for more,
/// a flow with fewer than that: senders may cut messages into however small segments.
const FEW_BYTES: usize = 32;
const FEW_OFFERED_BYTES: usize = 1 << 10;
/// Bytes of a stream held for probes that ask for more.
const MAX_HELD: usize = 8 << 10;
/// Bytes of all streams that wait behind holes.
const MAX_WAITING: usize = 64 << 20;
/// A flow is closed by the sweep only when it is idle for this much longer than its limit, so that frames that are a little
/// out of order in time cannot make sweep and arrival disagree.
const SWEEP_SLACK_NS: i64 = 10_000_000_000;
/// Most VLAN tag stacks among which the other direction of a conversation is sought.
const MAX_TAG_STACKS: usize = 64;

/// Decodes its share of the frames into tables.
pub struct Worker {
    pub tables: TableSet,
    inner: Inner,
    flows: FxHashMap<FlowKey, Box<Flow>>,
    /// VLAN tag stacks seen, for conversations whose directions are tagged differently.
    tag_stacks: Vec<u32>,
    /// Keys of the second direction of such conversations, and the keys under which those are kept.
    other_way: FxHashMap<FlowKey, FlowKey>,
    defragmenter: Defragmenter,
    frame_dissectors: Vec<Option<Box<dyn FrameDissector>>>,
    names: Names,
    last_sweep: i64,
    /// Classic pcap knows no interfaces: the column stays null.
    has_interfaces: bool,
}

/// What flows need of their worker.
struct Inner {
    shared: Shared,
    joined: JoinedFlows,
    probes: Probes,
    waiting: usize,
    /// Somebody listens: what conversations carried since they were last asked.
    heard: Option<Vec<Heard>>,
    /// Nothing is decoded: conversations are only put together.
    only_listens: bool,
}

impl Inner {
    fn hear(&mut self, flow: &Flow, dir: Dir, moment: Moment, what: What) {
        if let Some(heard) = &mut self.heard {
            heard.push(Heard { flow_id: flow.id, proto: flow.proto, ends: flow.ends, dir, moment, what });
        }
    }
}

/// Which probes to ask, by port.
struct Probes {
    datagram: FxHashMap<u16, Vec<usize>>,
    stream: FxHashMap<u16, Vec<usize>>,
}

impl Probes {
    fn new() -> Self {
        let mut probes = Self { datagram: FxHashMap::default(), stream: FxHashMap::default() };
        for (index, protocol) in PROTOCOLS.iter().enumerate() {
            for &port in protocol.ports {
                if protocol.datagram.is_some() {
                    probes.datagram.entry(port).or_default().push(index);
                }
                if protocol.stream.is_some() {
                    probes.stream.entry(port).or_default().push(index);
                }
            }
        }
        probes
    }
}

/// Texts of `packets` that are made once for each combination.
#[derive(Default)]
struct Names {
    layers: FxHashMap<(packet::Layers, Option<&'static str>), Box<str>>,
    tunnels: FxHashMap<packet::Tunnels, Box<str>>,
    number: String,
}

impl Names {
    /// `packets.layers`.
    fn path<'n>(
        known: &'n mut FxHashMap<(packet::Layers, Option<&'static str>), Box<str>>,
        layers: &packet::Layers,
        service: Option<&'static str>,
    ) -> &'n str {
        known.entry((*layers, service)).or_insert_with(|| {
            let mut names: Vec<&str> = layers.iter().map(|layer| layer.name()).filter(|name| !name.is_empty()).collect();
            if let Some(service) = service
                && names.last() != Some(&service)
            {
                names.push(service);
            }
            names.join(":").into()
        })
    }
}

/// What one packet turned out to be.
#[derive(Default)]
struct Found {
    flow_id: Option<u64>,
    service: Option<&'static str>,
}

impl Worker {
    /// A worker with nothing seen; `keys` decrypt where they can.
    pub fn new(has_interfaces: bool, keys: Option<Arc<Keyring>>) -> Self {
        let mut shared = Shared::default();
        shared.keys = keys;
        Self {
            tables: TableSet::default(),
            inner: Inner {
                shared,
                joined: JoinedFlows::default(),
                probes: Probes::new(),
                waiting: 0,
                heard: None,
                only_listens: false,
            },
            flows: FxHashMap::default(),
            tag_stacks: Vec::new(),
            other_way: FxHashMap::default(),
            defragmenter: Defragmenter::default(),
            frame_dissectors: PROTOCOLS.iter().map(|protocol| protocol.frame.as_ref().map(|kind| (kind.start)())).collect(),
            names: Names::default(),
            last_sweep: i64::MIN,
            has_interfaces,
        }
    }

    /// Gives what decryption opens to `tap` as well.
    pub fn listen(&mut self, tap: Tap) {
        self.inner.shared.tap = Some(tap);
    }

    /// A worker that decodes nothing, but tells what conversations carry: see [`Worker::heard`]. What it writes all the same is
    /// for nobody.
    pub fn listening() -> Self {
        let mut worker = Self::new(false, None);
        worker.inner.heard = Some(Vec::new());
        worker.inner.only_listens = true;
        worker
    }

    /// What conversations carried since the last call, in the order in which it came out.
    pub fn heard(&mut self) -> Vec<Heard> {
        self.inner.heard.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Decodes one frame. `file_offset` is where its bytes start in the capture.
    pub fn frame(&mut self, meta: &FrameMeta, bytes: &[u8], file_offset: u64) {
        let mut packet = packet::decode(meta.link_type, bytes, meta.frame_len, meta.fcs_len);
        let datagram;
        let mut fragments = None;
        let is_fragment = matches!(packet.transport, Transport::Fragment);
        let is_cut = packet.payload.len() < packet.payload_len as usize;
        if is_fragment
            && is_cut
            && let Some((ip, 0)) = packet.ip.and_then(|ip| Some((ip, ip.fragment?.offset)))
        {
            packet::decode_cut_fragment(&mut packet, ip.proto);
        } else if is_fragment && let Some(origin) = Origin::of(&packet, meta.number, meta.ts) {
            match self.defragmenter.fragment(&origin, packet.payload, meta.frame_len) {
                Fragments::Whole(whole, seen) => {
                    fragments = Some(seen);
                    datagram = whole;
                    packet::decode_datagram(&mut packet, origin.ip.proto, &datagram);
                }
                Fragments::Waiting => {}
                Fragments::Bad(kind, detail) => packet.anomalies.push(packet::PacketAnomaly { protocol: "ip", kind, detail }),
            }
            self.count_incomplete();
        }
        if let Some(gre) = packet.gre {
            self.gre(meta, &packet, &gre);
        }
        let found = self.flow(meta, &packet, fragments);
        if self.inner.only_listens {
            return;
        }
        self.record(meta, &packet, &found, bytes.len(), file_offset, is_fragment);
    }

    /// Counts a packet of a GRE tunnel, whatever becomes of what it carries.
    fn gre(&mut self, meta: &FrameMeta, packet: &Packet<'_>, gre: &packet::Gre) {
        let [src, dst] = [gre.src, gre.dst].map(|ip| Endpoint { ip: Some(ip), ..Endpoint::default() });
        let mut cx = Cx {
            tables: &mut self.tables,
            shared: &mut self.inner.shared,
            frame: meta.number,
            ts: meta.ts,
            packet: Some(packet),
            flow_id: None,
            ends: [Endpoint { mac: packet.src_mac, ..src }, Endpoint { mac: packet.dst_mac, ..dst }],
            dir: Dir::Orig,
            frames_spanned: 1,
        };
        gre_packet(&mut cx, gre, packet);
    }

    /// The key under which a packet's conversation is kept: its own, or where a mirror port tags only one direction, or each
    /// with another VLAN, that of the direction seen first. The same addresses in two VLANs are told apart as long as each
    /// VLAN shows the same direction.
    fn kept_under(&mut self, key: FlowKey, forward: bool) -> FlowKey {
        if !self.tag_stacks.contains(&key.tags) {
            if self.tag_stacks.len() >= MAX_TAG_STACKS {
                return key;
            }
            self.tag_stacks.push(key.tags);
        }
        if self.tag_stacks.len() < 2 || key.one_way || self.flows.contains_key(&key) {
            return key;
        }
        if let Some(kept) = self.other_way.get(&key) {
            if self.flows.contains_key(kept) {
                return *kept;
            }
            self.other_way.remove(&key);
        }
        for &tags in &self.tag_stacks {
            let other = FlowKey { tags, ..key };
            let Some(flow) = self.flows.get(&other) else { continue };
            let dir = flow.dir(forward);
            if flow.sides[dir.index()].packets == 0 && flow.sides[dir.reverse().index()].packets > 0 {
                self.other_way.insert(key, other);
                return other;
            }
        }
        key
    }

    /// Takes a new TCP flow together with those of the same ends in other VLANs, if there are any; gives the key of all.
    fn join(&mut self, key: FlowKey) -> Option<Box<FlowKey>> {
        let all = FlowKey { tags: 0, ..key };
        let mut found = false;
        for &tags in self.tag_stacks.iter().filter(|&&tags| tags != key.tags) {
            let Some(flow) = self.flows.get_mut(&FlowKey { tags, ..key }) else { continue };
            found = true;
            if flow.joined.is_some() {
                continue;
            }
            let Some(state) = &flow.tcp else { continue };
            let joined = self.inner.joined.entry(all).or_insert_with(|| {
                let mut analysis = state.analysis.clone();
                if !flow.orig_is_low {
                    analysis.swap();
                }
                Joined { analysis, flows: 0 }
            });
            joined.flows += 1;
            flow.joined = Some(Box::new(all));
        }
        let joined = self.inner.joined.get_mut(&all).filter(|_| found)?;
        joined.flows += 1;
        Some(Box::new(all))
    }

    /// Finds and feeds the packet's flow, or the frame's dissector.
    fn flow(&mut self, meta: &FrameMeta, packet: &Packet<'_>, fragments: Option<Seen>) -> Found {
        let below = match packet.transport {
            Transport::None | Transport::Fragment => self.below_ip(meta, packet),
            _ => Found::default(),
        };
        let Some((key, forward)) = key_of(packet) else { return below };
        let key = self.kept_under(key, forward);
        let (number, ts) = (meta.number, meta.ts);
        let mut reused = false;
        let mut known = None;
        if let Some(flow) = self.flows.get(&key) {
            let idle = ts.saturating_sub(flow.last_ts) > flow.idle_limit();
            let reopened = match (&flow.tcp, &packet.transport) {
                (Some(state), Transport::Tcp(tcp)) => state.reopened_by(flow.dir(forward), tcp),
                _ => false,
            };
            if (idle || reopened)
                && let Some(mut old) = self.flows.remove(&key)
            {
                close(&mut old, &mut self.tables, &mut self.inner);
                reused = reopened;
                // Sequence numbers go on where a connection is only silent for long.
                known = old.tcp.take().filter(|_| !reopened).map(|tcp| (tcp.analysis, old.orig_is_low));
            }
        }
        if self.flows.len() >= MAX_FLOWS && !self.flows.contains_key(&key) {
            self.close_oldest(number, ts);
        }
        let joined = self.tag_stacks.len() > 1 && matches!(packet.transport, Transport::Tcp(_)) && !self.flows.contains_key(&key);
        let joined = if joined { self.join(key) } else { None };
        let flow = match self.flows.entry(key) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(entry) => match Flow::new(packet, forward, number, ts) {
                Some(mut flow) => {
                    if let Some(state) = &mut flow.tcp {
                        if let Some((mut analysis, orig_was_low)) = known {
                            if orig_was_low != flow.orig_is_low {
                                analysis.swap();
                            }
                            state.analysis = analysis;
                        }
                        state.analysis.reused_ports = reused;
                    }
                    flow.joined = joined;
                    entry.insert(Box::new(flow))
                }
                None => return Found::default(),
            },
        };
        let dir = flow.dir(forward);
        flow.last_ts = flow.last_ts.max(ts);
        flow.last_frame = number;
        let ip_len = packet.ip.as_ref().map_or(0, |ip| u64::from(ip.len));
        let extra = fragments.unwrap_or_default();
        let side = &mut flow.sides[dir.index()];
        side.packets += 1 + extra.packets;
        side.ip_bytes += ip_len + extra.ip_bytes;
        side.wire_bytes += u64::from(meta.frame_len) + extra.wire_bytes;
        side.payload_bytes += u64::from(packet.payload_len);
        if !packet.payload.is_empty() && (side.octets_counted < super::ENTROPY_BYTES || side.first_bytes.len() < 32) {
            side.sample(packet.payload);
        }
        let mut at = At { number, ts, packet: Some(packet), tables: &mut self.tables, inner: &mut self.inner };
        let decoded = match &packet.transport {
            Transport::Tcp(tcp) => flow.segment(&mut at, dir, tcp, packet),
            Transport::None => below.service,
            _ => {
                if packet.payload_len > 0 {
                    flow.history.add(dir, b'D');
                }
                flow.datagram(&mut at, dir, packet.payload)
            }
        };
        Found { flow_id: Some(flow.id), service: decoded }
    }

    /// Counts fragments of datagrams that were given up: nothing says which ports they had, so they are a flow of their ends
    /// without any.
    fn count_incomplete(&mut self) {
        for lost in std::mem::take(&mut self.defragmenter.given_up) {
            let packet = lost.origin.packet();
            let (frame, ts) = (lost.origin.frame, lost.origin.ts);
            let Some((key, forward)) = key_of(&packet) else { continue };
            if self.flows.get(&key).is_some_and(|flow| ts.saturating_sub(flow.last_ts) > flow.idle_limit())
                && let Some(mut old) = self.flows.remove(&key)
            {
                close(&mut old, &mut self.tables, &mut self.inner);
            }
            if self.flows.len() >= MAX_FLOWS && !self.flows.contains_key(&key) {
                self.close_oldest(frame, ts);
            }
            let flow = match self.flows.entry(key) {
                std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
                std::collections::hash_map::Entry::Vacant(entry) => match Flow::new(&packet, forward, frame, ts) {
                    Some(flow) => entry.insert(Box::new(flow)),
                    None => continue,
                },
            };
            let dir = flow.dir(forward);
            flow.last_ts = flow.last_ts.max(lost.last.1);
            flow.last_frame = flow.last_frame.max(lost.last.0);
            let side = &mut flow.sides[dir.index()];
            side.packets += lost.seen.packets;
            side.ip_bytes += lost.seen.ip_bytes;
            side.wire_bytes += lost.seen.wire_bytes;
            side.payload_bytes += lost.payload_bytes;
        }
    }

    /// Offers a frame without IP to the dissectors below IP.
    fn below_ip(&mut self, meta: &FrameMeta, packet: &Packet<'_>) -> Found {
        // Behind IP, only a frame inside a tunnel is one of these.
        if self.inner.only_listens || !matches!(packet.transport, Transport::None) {
            return Found::default();
        }
        for (index, protocol) in PROTOCOLS.iter().enumerate() {
            let Some(kind) = &protocol.frame else { continue };
            if !(kind.claims)(packet) {
                continue;
            }
            let Some(Some(dissector)) = self.frame_dissectors.get_mut(index) else { continue };
            let ends = [Endpoint { mac: packet.src_mac, ..Endpoint::default() }, Endpoint { mac: packet.dst_mac, ..Endpoint::default() }];
            let mut cx = Cx {
                tables: &mut self.tables,
                shared: &mut self.inner.shared,
                frame: meta.number,
                ts: meta.ts,
                packet: Some(packet),
                flow_id: None,
                ends,
                dir: Dir::Orig,
                frames_spanned: 1,
            };
            let timer = profile::sample();
            let outcome = catch_unwind(AssertUnwindSafe(|| dissector.frame(&mut cx, packet)));
            timer.stop("dissector", protocol.name, 0, packet.payload.len() as u64);
            match outcome {
                Ok(Outcome::Decoded) => return Found { flow_id: None, service: Some(protocol.name) },
                Ok(Outcome::NotMine) => {}
                Err(_) => {
                    fault(&mut cx, protocol.name);
                    *dissector = (kind.start)();
                }
            }
        }
        Found::default()
    }

    /// Writes the frame's row in `packets`, and what was wrong with it in `anomalies`.
    fn record(&mut self, meta: &FrameMeta, packet: &Packet<'_>, found: &Found, captured: usize, file_offset: u64, is_fragment: bool) {
        let ip = packet.ip.as_ref();
        let (mut src_port, mut dst_port) = (None, None);
        let mut tcp: Option<&Tcp> = None;
        match &packet.transport {
            Transport::Tcp(header) => {
                (src_port, dst_port) = (Some(header.src_port), Some(header.dst_port));
                tcp = Some(header);
            }
            Transport::Udp { src_port: src, dst_port: dst, .. } | Transport::Sctp { src_port: src, dst_port: dst } => {
                (src_port, dst_port) = (Some(*src), Some(*dst));
            }
            Transport::None => (src_port, dst_port) = packet.carrier_ports.unzip(),
            _ => {}
        }
        let common = Common {
            frame: meta.number,
            ts: meta.has_ts.then_some(meta.ts),
            flow_id: found.flow_id,
            src_ip: ip.map(|ip| ip.src),
            dst_ip: ip.map(|ip| ip.dst),
            src_port,
            dst_port,
            src_mac: packet.src_mac,
            dst_mac: packet.dst_mac,
        };
        for anomaly in &packet.anomalies {
            let row = Anomalies { protocol: Some(anomaly.protocol), kind: Some(anomaly.kind), detail: Some(anomaly.detail) };
            Anomalies::slot(&mut self.tables).push(&common, row);
        }
        let innermost = packet.layers.iter().rev().find(|layer| **layer != Layer::None).map(|layer| layer.name());
        let tunnel = match packet.tunnels[0] {
            packet::Tunnel::None => None,
            _ => {
                let tunnels = &packet.tunnels;
                let path = self.names.tunnels.entry(*tunnels).or_insert_with(|| tunnel_path(tunnels).unwrap_or_default().into());
                Some(&**path)
            }
        };
        let mut number = std::mem::take(&mut self.names.number);
        let row = Packets {
            frame_len: Some(meta.frame_len),
            captured_len: Some(captured as u32),
            interface_id: self.has_interfaces.then_some(meta.interface),
            link_type: Some(meta.link_type),
            file_offset: Some(file_offset),
            ether_type: packet.ether_type,
            vlan_id: packet.vlan_id,
            vlan_outer_id: packet.vlan_outer_id,
            vlan_priority: packet.vlan_priority,
            mpls_label: packet.mpls_label,
            tunnel,
            outer_src_ip: packet.outer.map(|(src, _)| src),
            outer_dst_ip: packet.outer.map(|(_, dst)| dst),
            ip_version: ip.map(|ip| ip.version),
            ip_proto: ip.map(|ip| ip.proto),
            ip_ttl: ip.map(|ip| ip.ttl),
            ip_id: ip.and_then(|ip| ip.id),
            ip_dscp: ip.map(|ip| ip.dscp),
            ip_fragment: ip.map(|_| is_fragment),
            ip_checksum_ok: ip.and_then(|ip| ip.checksum_ok),
            transport: ip.map(|ip| transport_name(ip.proto, ip.version, &mut number)),
            tcp_flags: tcp.map(|tcp| tcp.flags),
            tcp_seq: tcp.map(|tcp| tcp.seq),
            tcp_ack: tcp.map(|tcp| tcp.ack),
            tcp_window: tcp.map(|tcp| tcp.window),
            payload_len: Some(packet.payload_len),
            protocol: found.service.or(innermost),
            layers: Some(Names::path(&mut self.names.layers, &packet.layers, found.service)).filter(|path| !path.is_empty()),
            ip_ecn: ip.map(|ip| ip.ecn),
        };
        Packets::slot(&mut self.tables).push(&common, row);
        self.names.number = number;
    }

    /// Closes flows that have been idle too long at `clock`, the latest time that the whole capture has reached.
    pub fn sweep(&mut self, clock: i64) {
        if self.flows.len() < 4096 || clock.saturating_sub(self.last_sweep) < super::OTHER_IDLE_NS {
            return;
        }
        self.last_sweep = clock;
        let (tables, inner) = (&mut self.tables, &mut self.inner);
        self.flows.retain(|_, flow| {
            let over = clock.saturating_sub(flow.last_ts) > flow.idle_limit() + SWEEP_SLACK_NS;
            if over {
                close(flow, tables, inner);
            }
            !over
        });
        let flows = &self.flows;
        self.other_way.retain(|_, kept| flows.contains_key(kept));
    }

    /// The memory for flows is used up: the longest idle tenth is closed.
    fn close_oldest(&mut self, frame: u64, ts: i64) {
        let mut ages: Vec<i64> = self.flows.values().map(|flow| flow.last_ts).collect();
        let at = ages.len() / 10;
        let (_, limit, _) = ages.select_nth_unstable(at);
        let limit = *limit;
        let (tables, inner) = (&mut self.tables, &mut self.inner);
        self.flows.retain(|_, flow| {
            let over = flow.last_ts <= limit;
            if over {
                close(flow, tables, inner);
            }
            !over
        });
        let common = Common { frame, ts: Some(ts), ..Common::default() };
        let detail = "too many open flows: the longest idle were closed early";
        Anomalies::slot(tables).push(&common, Anomalies { protocol: Some("flows"), kind: Some("limit_reached"), detail: Some(detail) });
    }

    /// The capture ends: every open flow is closed, in order of its first frame.
    pub fn finish(&mut self) {
        self.defragmenter.give_up_all();
        self.count_incomplete();
        let mut flows: Vec<Box<Flow>> = std::mem::take(&mut self.flows).into_values().collect();
        flows.sort_by_key(|flow| flow.id);
        for mut flow in flows {
            close(&mut flow, &mut self.tables, &mut self.inner);
        }
        for dissector in self.frame_dissectors.iter_mut().flatten() {
            let mut cx = Cx {
                tables: &mut self.tables,
                shared: &mut self.inner.shared,
                frame: 0,
                ts: 0,
                packet: None,
                flow_id: None,
                ends: Default::default(),
                dir: Dir::Orig,
                frames_spanned: 0,
            };
            let _ = catch_unwind(AssertUnwindSafe(|| dissector.close(&mut cx)));
        }
        let mut cx = Cx {
            tables: &mut self.tables,
            shared: &mut self.inner.shared,
            frame: 0,
            ts: 0,
            packet: None,
            flow_id: None,
            ends: Default::default(),
            dir: Dir::Orig,
            frames_spanned: 0,
        };
        gre_close(&mut cx);
    }
}

/// A moment in a flow: the packet at hand and where rows go.
struct At<'a> {
    number: u64,
    ts: i64,
    packet: Option<&'a Packet<'a>>,
    tables: &'a mut TableSet,
    inner: &'a mut Inner,
}

/// A context for the dissector of a flow.
macro_rules! context {
    ($flow:expr, $at:expr, $dir:expr, $spanned:expr) => {
        Cx {
            tables: &mut *$at.tables,
            shared: &mut $at.inner.shared,
            frame: $at.number,
            ts: $at.ts,
            packet: $at.packet,
            flow_id: Some($flow.id),
            ends: $flow.ends,
            dir: $dir,
            frames_spanned: $spanned,
        }
    };
}

/// A dissector panicked: an error of ours, told and survived.
fn fault(cx: &mut Cx<'_>, protocol: &str) {
    cx.shared.opened = 0;
    cx.anomaly(protocol, "decoder_fault", "the decoder failed on this message; the rest of the flow is not decoded");
}

impl Flow {
    /// Feeds one datagram to the flow's dissector; gives the protocol if it was decoded.
    fn datagram(&mut self, at: &mut At<'_>, dir: Dir, payload: &[u8]) -> Option<&'static str> {
        if at.inner.heard.is_some() && !payload.is_empty() {
            at.inner.hear(self, dir, Moment { frame: at.number, ts: at.ts }, What::Bytes(payload.to_vec()));
        }
        if at.inner.only_listens {
            return None;
        }
        if matches!(&self.app, App::Unknown { offered: 0, .. }) && !payload.is_empty() {
            self.fulfil(at);
        }
        if let App::Unknown { offered, .. } = &mut self.app {
            if payload.is_empty() {
                return None;
            }
            *offered = offered.saturating_add(1);
            let last = *offered >= MAX_OFFERS;
            match self.identify_datagram(at, dir, payload) {
                Some(protocol) => self.service = Some(protocol.name),
                None if last => self.app = App::Nobody,
                None => return None,
            }
        }
        // DTLS may begin late, behind STUN or on a reused pair of ports (RFC 7983): record types 20 to 23, version 254.
        if matches!((&self.app, payload), (App::Nobody, [20..=23, 0xfe, ..]))
            && let Some(protocol) = self.identify_datagram(at, dir, payload)
        {
            self.service = Some(protocol.name);
        }
        match self.decode_datagram(at, dir, payload)? {
            Outcome::Decoded => self.service,
            Outcome::NotMine if !payload.is_empty() && self.give_to_port_owner(at, dir, payload) => match self.decode_datagram(at, dir, payload)? {
                Outcome::Decoded => self.service,
                Outcome::NotMine => None,
            },
            Outcome::NotMine => None,
        }
    }

    /// What the flow's dissector says of a datagram; `None` where there is none, or it failed.
    fn decode_datagram(&mut self, at: &mut At<'_>, dir: Dir, payload: &[u8]) -> Option<Outcome> {
        let App::Datagram(dissector) = &mut self.app else { return None };
        let mut cx = context!(self, at, dir, 1);
        let timer = profile::sample();
        let outcome = catch_unwind(AssertUnwindSafe(|| dissector.datagram(&mut cx, payload))).ok();
        timer.stop("dissector", self.service.unwrap_or("udp"), 0, payload.len() as u64);
        if outcome.is_none() {
            fault(&mut cx, self.service.unwrap_or("udp"));
            self.app = App::Nobody;
        }
        outcome
    }

    /// A datagram that the flow's dissector does not know may be of the protocol whose port this is, when the first one was a
    /// stranger's: whoever sends one odd datagram must not hide the others. True if another dissector took over.
    fn give_to_port_owner(&mut self, at: &mut At<'_>, dir: Dir, payload: &[u8]) -> bool {
        let usual = self.usual(&at.inner.probes.datagram);
        let mut known = usual.into_iter().filter_map(|index| self.probe_datagram(index, dir, payload, true));
        let Some(protocol) = known.find(|protocol| self.service != Some(protocol.name)) else { return false };
        let Some(kind) = &protocol.datagram else { return false };
        self.finish_app(at);
        self.service = Some(protocol.name);
        self.app = App::Datagram((kind.start)());
        true
    }

    /// The protocol of this index, if the datagram is its.
    fn probe_datagram(&self, index: usize, dir: Dir, payload: &[u8], usual_port: bool) -> Option<&'static Protocol> {
        let protocol: &'static Protocol = PROTOCOLS.get(index)?;
        let kind = protocol.datagram.as_ref().filter(|kind| kind.ip_protos.contains(&self.proto))?;
        let mut bytes: [&[u8]; 2] = [&[], &[]];
        bytes[dir.index()] = payload;
        let offer = self.offer(bytes, dir, usual_port);
        let verdict = catch_unwind(AssertUnwindSafe(|| (kind.probe)(&offer))).unwrap_or(Verdict::No);
        (verdict == Verdict::Yes).then_some(protocol)
    }

    fn identify_datagram(&mut self, at: &At<'_>, dir: Dir, payload: &[u8]) -> Option<&'static Protocol> {
        let asked = |index: usize, usual_port: bool| self.probe_datagram(index, dir, payload, usual_port);
        let usual = self.usual(&at.inner.probes.datagram);
        let found = usual
            .iter()
            .find_map(|&index| asked(index, true))
            .or_else(|| (0..PROTOCOLS.len()).filter(|index| !usual.contains(index)).find_map(|index| asked(index, false)))?;
        self.app = App::Datagram((found.datagram.as_ref()?.start)());
        Some(found)
    }

    fn offer<'a>(&self, bytes: [&'a [u8]; 2], dir: Dir, usual_port: bool) -> Offer<'a> {
        Offer {
            bytes,
            dir,
            ports: [self.ends[0].port, self.ends[1].port],
            usual_port,
            src: self.ends[dir.index()].ip,
            dst: self.ends[dir.reverse().index()].ip,
        }
    }

    /// Protocols whose port this flow uses, the responder's first.
    fn usual(&self, by_port: &FxHashMap<u16, Vec<usize>>) -> Vec<usize> {
        let mut usual = Vec::new();
        for port in [self.ends[1].port, self.ends[0].port].into_iter().flatten() {
            for &index in by_port.get(&port).into_iter().flatten() {
                if !usual.contains(&index) {
                    usual.push(index);
                }
            }
        }
        usual
    }

    /// Takes one TCP segment; gives the protocol if its payload is a known one's.
    fn segment(&mut self, at: &mut At<'_>, dir: Dir, tcp: &Tcp, packet: &Packet<'_>) -> Option<&'static str> {
        self.history.segment(dir, tcp, packet.payload_len);
        let mut state = self.tcp.take()?;
        state.advance(dir, tcp, at.ts);
        let segment = Segment { frame: at.number, ts: at.ts, tcp, payload: packet.payload, length: packet.payload_len };
        let seen = state.analysis.segment(dir, &segment);
        let joined = self.joined.as_ref().and_then(|key| at.inner.joined.get_mut(key)).map(|joined| {
            let from_low = (dir == Dir::Orig) == self.orig_is_low;
            joined.segment(if from_low { Dir::Orig } else { Dir::Resp }, &segment)
        });
        if seen.is_remarkable() || joined.is_some_and(|joined| joined.is_remarkable()) {
            analysis::emit(&mut context!(self, at, dir, 1), &segment, &seen, joined.as_ref());
        }
        if seen.is_retransmission() {
            state.retransmitted += 1;
            self.history.count(dir, b'T');
        }
        if seen.is_out_of_order() {
            state.out_of_order += 1;
        }
        let syn = u32::from(tcp.flags & super::tcp::SYN != 0);
        let seq = tcp.seq.wrapping_add(syn);
        let fin = tcp.flags & super::tcp::FIN != 0;
        let before = state.streams[0].waiting_bytes() + state.streams[1].waiting_bytes();
        if tcp.flags & RST == 0 {
            let (one, other) = state.streams.split_at_mut(1);
            let (mine, theirs) = match dir {
                Dir::Orig => (&mut one[0], &mut other[0]),
                Dir::Resp => (&mut other[0], &mut one[0]),
            };
            if tcp.flags & ACK != 0 {
                theirs.acknowledged(tcp.ack, &mut |piece| self.piece(at, dir.reverse(), piece));
            }
            let ended = mine.ended();
            let now = Moment { frame: at.number, ts: at.ts };
            mine.segment(now, seq, packet.payload, packet.payload_len, fin, &mut |piece| self.piece(at, dir, piece));
            if mine.ended() && !ended {
                self.end(at, dir);
            }
        }
        let after = state.streams[0].waiting_bytes() + state.streams[1].waiting_bytes();
        at.inner.waiting = at.inner.waiting.saturating_add(after).saturating_sub(before);
        if at.inner.waiting > MAX_WAITING && after > 0 {
            for (stream, dir) in state.streams.iter_mut().zip([Dir::Orig, Dir::Resp]) {
                stream.flush(&mut |piece| self.piece(at, dir, piece));
            }
            at.inner.waiting = at.inner.waiting.saturating_sub(after);
            let mut cx = context!(self, at, dir, 1);
            cx.anomaly("tcp", "limit_reached", "too many bytes wait behind holes: this stream goes on behind a gap");
        }
        self.tcp = Some(state);
        if packet.payload_len > 0 { self.service } else { None }
    }

    /// Hands a piece of a stream to whoever decodes it.
    fn piece(&mut self, at: &mut At<'_>, dir: Dir, piece: Piece<'_>) {
        if at.inner.heard.is_some() {
            let now = Moment { frame: at.number, ts: at.ts };
            let (moment, what) = match &piece {
                Piece::Bytes(bytes) => (now, What::Bytes(bytes.to_vec())),
                Piece::Late(came, bytes) => (*came, What::Bytes(bytes.to_vec())),
                Piece::Gap(lost) => (now, What::Gap(*lost)),
            };
            at.inner.hear(self, dir, moment, what);
        }
        if at.inner.only_listens {
            return;
        }
        match piece {
            Piece::Bytes(bytes) => self.bytes(at, dir, bytes),
            Piece::Late(came, bytes) => {
                let now = (at.number, at.ts, at.packet.take());
                (at.number, at.ts) = (came.frame, came.ts);
                self.bytes(at, dir, bytes);
                (at.number, at.ts, at.packet) = now;
            }
            Piece::Gap(lost) => self.gap(at, dir, lost),
        }
    }

    fn bytes(&mut self, at: &mut At<'_>, dir: Dir, bytes: &[u8]) {
        if matches!(&self.app, App::Unknown { offered: 0, .. }) {
            self.fulfil(at);
        }
        match &mut self.app {
            App::Unknown { offered, held } => {
                *offered = offered.saturating_add(1);
                held.push(Held { dir, frame: at.number, ts: at.ts, bytes: bytes.to_vec() });
                let size: usize = held.iter().map(|held| held.bytes.len()).sum();
                let shown: usize = held.iter().filter(|piece| piece.dir == dir).map(|piece| piece.bytes.len()).sum();
                let few = shown < FEW_BYTES;
                let last = size > MAX_HELD || (*offered >= MAX_OFFERS && size >= FEW_OFFERED_BYTES);
                self.identify_stream(at, dir, few, last);
            }
            App::Stream(_) => self.feed(at, dir, bytes),
            App::Nobody if starts_tls(bytes) => {
                if let Some(protocol) = PROTOCOLS.iter().find(|protocol| protocol.name == "tls")
                    && let Some(kind) = &protocol.stream
                {
                    self.service = Some(protocol.name);
                    self.app = App::Stream((kind.start)());
                    self.feed(at, dir, bytes);
                }
            }
            App::Nobody | App::Datagram(_) => {}
        }
    }

    /// Another flow may have announced this one.
    fn fulfil(&mut self, at: &mut At<'_>) {
        let expected = at.inner.shared.get::<Expectations>();
        let mut announced = |end: Endpoint| end.ip.zip(end.port).and_then(|end| expected.take(end, at.ts));
        // Of datagrams the first one captured need not be the answer.
        let (is_tcp, is_udp) = (self.proto == 6, self.proto == 17);
        let other_end = if is_udp { self.ends[0] } else { Endpoint::default() };
        let Some(name) = announced(self.ends[1]).or_else(|| announced(other_end)) else { return };
        let Some(protocol) = PROTOCOLS.iter().find(|protocol| protocol.name == name) else { return };
        let app = match (&protocol.stream, &protocol.datagram) {
            (Some(kind), _) if is_tcp => App::Stream((kind.start)()),
            (_, Some(kind)) if kind.ip_protos.contains(&self.proto) => App::Datagram((kind.start)()),
            _ => return,
        };
        self.service = Some(protocol.name);
        self.app = app;
    }

    /// Asks the probes about the bytes held; once one knows them, they are decoded.
    fn identify_stream(&mut self, at: &mut At<'_>, dir: Dir, few: bool, last: bool) {
        let App::Unknown { held, .. } = &self.app else { return };
        let mut joined: [Vec<u8>; 2] = Default::default();
        let single = held.len() == 1;
        if !single {
            for piece in held {
                joined[piece.dir.index()].extend_from_slice(&piece.bytes);
            }
        }
        let mut bytes: [&[u8]; 2] = [&joined[0], &joined[1]];
        if single && let Some(piece) = held.first() {
            bytes[piece.dir.index()] = &piece.bytes;
        }
        let mut undecided = false;
        let mut asked = |index: usize, usual_port: bool| -> Option<&'static Protocol> {
            let protocol: &'static Protocol = PROTOCOLS.get(index)?;
            let kind = protocol.stream.as_ref()?;
            let offer = self.offer(bytes, dir, usual_port);
            match catch_unwind(AssertUnwindSafe(|| (kind.probe)(&offer))).unwrap_or(Verdict::No) {
                Verdict::Yes => Some(protocol),
                Verdict::More => {
                    undecided = true;
                    None
                }
                Verdict::No => None,
            }
        };
        let usual = self.usual(&at.inner.probes.stream);
        let found = usual
            .iter()
            .find_map(|&index| asked(index, true))
            .or_else(|| (0..PROTOCOLS.len()).filter(|index| !usual.contains(index)).find_map(|index| asked(index, false)));
        match found.and_then(|protocol| Some((protocol, protocol.stream.as_ref()?))) {
            Some((protocol, kind)) => {
                self.service = Some(protocol.name);
                let held = match std::mem::replace(&mut self.app, App::Stream((kind.start)())) {
                    App::Unknown { held, .. } => held,
                    _ => Vec::new(),
                };
                for piece in held {
                    let mut then = At { number: piece.frame, ts: piece.ts, packet: at.packet, tables: &mut *at.tables, inner: &mut *at.inner };
                    // The dissector may have found that something else follows.
                    if matches!(self.app, App::Unknown { .. }) {
                        self.bytes(&mut then, piece.dir, &piece.bytes);
                    } else {
                        self.feed(&mut then, piece.dir, &piece.bytes);
                    }
                }
            }
            None if self.held_tls() => self.start_tls(at),
            None if !few && (last || !(undecided || self.both_may_speak())) => self.app = App::Nobody,
            None => {}
        }
    }

    /// The last piece held is a client hello, behind words of a protocol that no probe knows.
    fn held_tls(&self) -> bool {
        matches!(&self.app, App::Unknown { held, .. } if held.last().is_some_and(|piece| starts_tls(&piece.bytes)))
    }

    /// From the last piece held on, the flow is TLS.
    fn start_tls(&mut self, at: &mut At<'_>) {
        let App::Unknown { held, .. } = std::mem::replace(&mut self.app, App::Nobody) else { return };
        if let Some(piece) = held.last() {
            self.bytes(at, piece.dir, &piece.bytes);
        }
    }

    /// Only one end has spoken: the other's first words may tell more.
    fn both_may_speak(&self) -> bool {
        matches!(&self.app, App::Unknown { held, .. } if held.iter().all(|piece| Some(piece.dir) == held.first().map(|first| first.dir)))
    }

    /// Gives new bytes, and those left before, to the stream dissector until it takes no more.
    fn feed(&mut self, at: &mut At<'_>, dir: Dir, bytes: &[u8]) {
        let index = dir.index();
        let mut pending = std::mem::take(&mut self.pending[index]);
        self.spans[index] = self.spans[index].saturating_add(1);
        let joined = !pending.is_empty();
        if joined {
            pending.extend_from_slice(bytes);
        }
        let offered: &[u8] = if joined { &pending } else { bytes };
        let mut done = 0;
        loop {
            let rest = offered.get(done..).unwrap_or_default();
            if rest.is_empty() {
                break;
            }
            let App::Stream(dissector) = &mut self.app else { break };
            let mut cx = context!(self, at, dir, self.spans[index]);
            let timer = profile::sample();
            let outcome = catch_unwind(AssertUnwindSafe(|| dissector.data(&mut cx, rest)));
            timer.stop("dissector", self.service.unwrap_or("tcp"), 0, rest.len() as u64);
            let progress = match outcome {
                Ok(progress) => progress,
                Err(_) => {
                    fault(&mut cx, self.service.unwrap_or("tcp"));
                    Progress::Stop
                }
            };
            match progress {
                Progress::Consumed(0) => break,
                Progress::Consumed(count) => {
                    done += count.min(rest.len());
                    self.spans[index] = 1;
                }
                Progress::Handover(count, name) => {
                    done += count.min(rest.len());
                    self.hand_over(at, name);
                    self.spans[index] = 1;
                }
                Progress::Anew(count) => {
                    done += count.min(rest.len());
                    let rest = offered.get(done..).unwrap_or_default().to_vec();
                    self.begin_anew(at, dir, &rest);
                    return;
                }
                Progress::Stop => {
                    self.stop(at);
                    return;
                }
            }
        }
        let left = offered.len() - done;
        if left > MAX_PENDING {
            let mut cx = context!(self, at, dir, self.spans[index]);
            cx.anomaly(
                self.service.unwrap_or("tcp"),
                "limit_reached",
                "a message is longer than the decoder holds; the rest of the flow is not decoded",
            );
            self.stop(at);
            return;
        }
        if left == 0 {
            pending.clear();
            self.spans[index] = 0;
        } else if joined {
            pending.drain(..done);
        } else {
            pending.extend_from_slice(bytes.get(done..).unwrap_or_default());
        }
        if matches!(self.app, App::Stream(_)) {
            self.pending[index] = pending;
        }
    }

    fn hand_over(&mut self, at: &mut At<'_>, name: &str) {
        self.finish_app(at);
        let next = PROTOCOLS.iter().find(|protocol| protocol.name == name);
        self.app = match next.and_then(|protocol| protocol.stream.as_ref()) {
            Some(kind) => {
                let mut dissector = (kind.start)();
                if let Some(by) = self.service {
                    dissector.handed_over(by);
                }
                App::Stream(dissector)
            }
            None => App::Nobody,
        };
        if let Some(protocol) = next {
            self.service = Some(protocol.name);
        }
    }

    /// What the connection carries from here on is not known yet.
    fn begin_anew(&mut self, at: &mut At<'_>, dir: Dir, rest: &[u8]) {
        self.stop(at);
        self.spans = Default::default();
        // Nobody announced what runs in a tunnel, so the first offer is over.
        self.app = App::Unknown { offered: 1, held: Vec::new() };
        if !rest.is_empty() {
            self.bytes(at, dir, rest);
        }
    }

    /// The flow is not decoded any further.
    fn stop(&mut self, at: &mut At<'_>) {
        self.finish_app(at);
        self.pending = Default::default();
    }

    /// Lets the dissector write what it owes; nobody decodes the flow then.
    fn finish_app(&mut self, at: &mut At<'_>) {
        let mut app = std::mem::replace(&mut self.app, App::Nobody);
        let mut cx = context!(self, at, Dir::Orig, 0);
        let outcome = catch_unwind(AssertUnwindSafe(|| match &mut app {
            App::Stream(dissector) => dissector.close(&mut cx),
            App::Datagram(dissector) => dissector.close(&mut cx),
            App::Unknown { .. } | App::Nobody => {}
        }));
        if outcome.is_err() {
            fault(&mut cx, self.service.unwrap_or("flows"));
        }
    }

    fn gap(&mut self, at: &mut At<'_>, dir: Dir, lost: u64) {
        self.history.count(dir, b'G');
        self.pending[dir.index()].clear();
        self.spans[dir.index()] = 0;
        match &mut self.app {
            App::Stream(dissector) => {
                let mut cx = context!(self, at, dir, 0);
                cx.anomaly(self.service.unwrap_or("tcp"), "reassembly_gap", &format!("{lost} bytes are missing from the stream"));
                let goes_on = catch_unwind(AssertUnwindSafe(|| dissector.gap(&mut cx, lost)));
                if !matches!(goes_on, Ok(true)) {
                    at.inner.shared.opened = 0;
                    self.stop(at);
                }
            }
            // What was held ends here: the next bytes may start a message.
            App::Unknown { held, .. } => held.clear(),
            App::Datagram(_) | App::Nobody => {}
        }
    }

    /// One direction ended.
    fn end(&mut self, at: &mut At<'_>, dir: Dir) {
        if let App::Stream(dissector) = &mut self.app {
            let rest = std::mem::take(&mut self.pending[dir.index()]);
            let mut cx = context!(self, at, dir, self.spans[dir.index()]);
            if catch_unwind(AssertUnwindSafe(|| dissector.end(&mut cx, &rest))).is_err() {
                fault(&mut cx, self.service.unwrap_or("tcp"));
                self.stop(at);
            }
        }
    }
}

/// A whole TLS client hello starts here: STARTTLS, or a proxy that let it through (RFC 8446, 4 and 5.1).
fn starts_tls(bytes: &[u8]) -> bool {
    let [22, 3, 0..=4, high, low, 1, a, b, c, 3, ..] = bytes else { return false };
    let record = usize::from(u16::from_be_bytes([*high, *low]));
    let hello = u32::from_be_bytes([0, *a, *b, *c]) as usize;
    (42..=16_384).contains(&record) && (38..=65_536).contains(&hello)
}

/// Ends a flow: what waits is delivered, the dissector writes what it owes, and the flow its row.
fn close(flow: &mut Flow, tables: &mut TableSet, inner: &mut Inner) {
    let mut at = At { number: flow.last_frame, ts: flow.last_ts, packet: None, tables, inner };
    if let Some(mut state) = flow.tcp.take() {
        let waiting = state.streams[0].waiting_bytes() + state.streams[1].waiting_bytes();
        at.inner.waiting = at.inner.waiting.saturating_sub(waiting);
        for (stream, dir) in state.streams.iter_mut().zip([Dir::Orig, Dir::Resp]) {
            stream.flush(&mut |piece| flow.piece(&mut at, dir, piece));
        }
        flow.tcp = Some(state);
    }
    if let Some(key) = flow.joined.take()
        && let Some(joined) = at.inner.joined.get_mut(&key)
    {
        joined.flows = joined.flows.saturating_sub(1);
        if joined.flows == 0 {
            at.inner.joined.remove(&key);
        }
    }
    flow.finish_app(&mut at);
    at.inner.hear(flow, Dir::Orig, Moment { frame: flow.last_frame, ts: flow.last_ts }, What::Closed);
    flow.emit(at.tables);
}
