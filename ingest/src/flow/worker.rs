//! One worker's share of the capture: every frame of some pairs of hosts, in order.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use pcapper_schema::tables::{Anomalies, Packets};
use pcapper_schema::{Common, Row, TableSet};
use rustc_hash::FxHashMap;

use super::analysis::{Joined, JoinedFlows};
use super::defrag::{Defragmenter, Fragments, Origin, Seen};
use super::dialogue::{At, Inner, Probes, close, fault};
use super::{Flow, FlowKey, Heard, Moment, key_of, transport_name, tunnel_path};
use crate::capture::FrameMeta;
use crate::decrypt::Keyring;
use crate::decrypt::plaintext::Tap;
use crate::packet::{self, Layer, Packet, Tcp, Transport};
use crate::profile;
use crate::protocols::it::vpn::{gre_close, gre_packet};
use crate::protocols::registry::PROTOCOLS;
use crate::protocols::{Cx, Dir, Endpoint, FrameDissector, Outcome, Shared};

/// Flows kept open at a time; past it the longest idle are closed.
const MAX_FLOWS: usize = 200_000;
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
            inner: Inner { shared, joined: JoinedFlows::default(), probes: Probes::new(), waiting: 0, heard: None, only_listens: false },
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

    /// A worker that tells what conversations carry: see [`Worker::heard`]. It decodes nothing unless `decodes`, and what it
    /// writes is for nobody.
    pub fn listening(decodes: bool, keys: Option<Arc<Keyring>>) -> Self {
        let mut worker = Self::new(false, keys);
        worker.inner.heard = Some(Vec::new());
        worker.inner.only_listens = !decodes;
        worker
    }

    /// What conversations carried since the last call, in the order in which it came out.
    pub fn heard(&mut self) -> Vec<Heard> {
        self.inner.heard.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Decodes one frame. `file_offset` is where its bytes start in the capture.
    pub fn frame(&mut self, meta: &FrameMeta, bytes: &[u8], file_offset: u64) {
        let timer = profile::sample();
        let mut packet = packet::decode(meta.link_type, bytes, meta.frame_len, meta.fcs_len);
        timer.stop("stage", "packets", 1, bytes.len() as u64);
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
                Fragments::Whole(whole) => {
                    fragments = Some(whole.seen);
                    self.inner.hear_datagram(&origin, Moment { frame: meta.number, ts: meta.ts }, &whole);
                    datagram = whole.payload;
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
                let decoded = flow.datagram(&mut at, dir, packet.payload);
                flow.read(&mut at, dir, Some(packet.payload));
                flow.read(&mut at, dir, None);
                decoded
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
        for dissector in self.frame_dissectors.iter_mut().flatten() {
            let _ = catch_unwind(AssertUnwindSafe(|| dissector.close(&mut cx)));
        }
        gre_close(&mut cx);
    }
}
