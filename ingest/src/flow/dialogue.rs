//! What a conversation says, and who hears it: the probes are asked whose words these are, and the dissector that knows them
//! is fed datagrams or in-order bytes, told of gaps and of the end.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pcapper_schema::TableSet;
use rustc_hash::FxHashMap;

use super::analysis::{self, JoinedFlows, Segment};
use super::defrag::{Origin, Whole};
use super::stream::{Moment, Piece};
use super::tcp::{ACK, RST};
use super::{App, Flow, Heard, HeardLayer, Held, What};
use crate::packet::{Packet, Tcp};
use crate::profile;
use crate::protocols::expectations::Expectations;
use crate::protocols::registry::PROTOCOLS;
use crate::protocols::{Cx, Dir, Endpoint, MAX_PENDING, Offer, Outcome, Progress, Protocol, Shared, Verdict};
use crate::text::scan::{self, Scan};

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

/// What flows need of their worker.
pub(super) struct Inner {
    pub(super) shared: Shared,
    pub(super) joined: JoinedFlows,
    pub(super) probes: Probes,
    pub(super) waiting: usize,
    /// Somebody listens: what conversations carried since they were last asked.
    pub(super) heard: Option<Vec<Heard>>,
    /// Nothing is decoded: conversations are only put together.
    pub(super) only_listens: bool,
}

impl Inner {
    fn hear(&mut self, flow: &Flow, dir: Dir, moment: Moment, what: What) {
        if let Some(heard) = &mut self.heard {
            heard.push(Heard { flow_id: flow.id, proto: flow.proto, ends: flow.ends, dir, moment, layer: HeardLayer::Wire, what });
        }
    }
}

impl Inner {
    /// Tells of a datagram that came in fragments.
    pub(super) fn hear_datagram(&mut self, origin: &Origin, moment: Moment, whole: &Whole) {
        let Some(heard) = &mut self.heard else { return };
        let ends = [origin.ip.src, origin.ip.dst].map(|ip| Endpoint { ip: Some(ip), ..Endpoint::default() });
        let starts = whole.starts.iter().map(|start| *start as usize).filter(|start| *start > 0).collect();
        let what = What::Datagram(whole.payload.clone(), starts);
        // Its conversation is found only behind it.
        heard.push(Heard { flow_id: 0, proto: origin.ip.proto, ends, dir: Dir::Orig, moment, layer: HeardLayer::Wire, what });
    }
}

/// Which probes to ask, by port.
pub(super) struct Probes {
    datagram: FxHashMap<u16, Vec<usize>>,
    stream: FxHashMap<u16, Vec<usize>>,
}

impl Probes {
    pub(super) fn new() -> Self {
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

/// A moment in a flow: the packet at hand and where rows go.
pub(super) struct At<'a> {
    pub(super) number: u64,
    pub(super) ts: i64,
    pub(super) packet: Option<&'a Packet<'a>>,
    pub(super) tables: &'a mut TableSet,
    pub(super) inner: &'a mut Inner,
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
pub(super) fn fault(cx: &mut Cx<'_>, protocol: &str) {
    (cx.shared.opened, cx.shared.depth) = (0, 0);
    cx.anomaly(protocol, "decoder_fault", "the decoder failed on this message; the rest of the flow is not decoded");
}

impl Flow {
    /// Feeds one datagram to the flow's dissector; gives the protocol if it was decoded.
    pub(super) fn datagram(&mut self, at: &mut At<'_>, dir: Dir, payload: &[u8]) -> Option<&'static str> {
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
    pub(super) fn segment(&mut self, at: &mut At<'_>, dir: Dir, tcp: &Tcp, packet: &Packet<'_>) -> Option<&'static str> {
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
            Piece::Bytes(bytes) => {
                self.bytes(at, dir, bytes);
                self.read(at, dir, Some(bytes));
            }
            Piece::Late(came, bytes) => {
                let now = (at.number, at.ts, at.packet.take());
                (at.number, at.ts) = (came.frame, came.ts);
                self.bytes(at, dir, bytes);
                self.read(at, dir, Some(bytes));
                (at.number, at.ts, at.packet) = now;
            }
            Piece::Gap(lost) => self.gap(at, dir, lost),
        }
    }

    /// Reads the text in the next bytes of a direction; what ran on ends where there are none.
    pub(super) fn read(&mut self, at: &mut At<'_>, dir: Dir, bytes: Option<&[u8]>) {
        let service = self.service;
        let Some(scan) = self.scans.get_mut(dir.index()) else { return };
        if bytes.is_none() && scan.is_none() {
            return;
        }
        if scan.is_none() && !scan::is_read(service, dir) {
            return;
        }
        let cx = context!(self, at, dir, 1);
        let common = cx.common(dir);
        let tables = cx.tables;
        let scan = self.scans[dir.index()].get_or_insert_default();
        let read = catch_unwind(AssertUnwindSafe(|| match bytes {
            Some(bytes) => scan.take(tables, &common, service, dir, bytes),
            None => scan.flush(tables, &common, dir),
        }));
        if read.is_err() {
            self.scans[dir.index()] = Some(Box::new(Scan::over()));
            fault(&mut context!(self, at, dir, 1), "strings");
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
        self.read(at, dir, None);
        if let Some(scan) = &mut self.scans[dir.index()] {
            scan.skip(lost);
        }
        self.pending[dir.index()].clear();
        self.spans[dir.index()] = 0;
        match &mut self.app {
            App::Stream(dissector) => {
                let mut cx = context!(self, at, dir, 0);
                cx.anomaly(self.service.unwrap_or("tcp"), "reassembly_gap", &format!("{lost} bytes are missing from the stream"));
                let goes_on = catch_unwind(AssertUnwindSafe(|| dissector.gap(&mut cx, lost)));
                if !matches!(goes_on, Ok(true)) {
                    (at.inner.shared.opened, at.inner.shared.depth) = (0, 0);
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
pub(super) fn close(flow: &mut Flow, tables: &mut TableSet, inner: &mut Inner) {
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
    for dir in [Dir::Orig, Dir::Resp] {
        let Some(mut scan) = flow.scans[dir.index()].take() else { continue };
        let common = context!(flow, at, dir, 0).common(dir);
        let tables = &mut *at.tables;
        let _ = catch_unwind(AssertUnwindSafe(|| scan.finish(tables, &common, dir)));
    }
    flow.emit(at.tables);
}
