//! Remarkable segments: retransmissions, losses, window trouble.
//!
//! The judgements are those that Wireshark shows as `tcp.analysis.*`, made from the same facts (next expected sequence
//! number, last acknowledgement, windows, unacknowledged segments), so that analysts find the same frames in both.
//! Wireshark tells connections apart by addresses and ports alone, not by VLAN: where a connection is captured in several,
//! each VLAN's copy has its own [`Analysis`], and another takes all of them together ([`Joined`]).
//! Resets are not repeated here: `packets.tcp_flags` and `flows.conn_state` tell them. Sequence arithmetic is modulo 2^32
//! (RFC 9293, 3.4).

use std::hash::Hasher as _;

use pcapper_schema::tables::TcpEvents;
use rustc_hash::FxHasher;

use super::FlowKey;
use super::stream::distance;
use super::tcp::{ACK, FIN, RST, SYN};
use crate::packet::Tcp;
use crate::protocols::{Cx, Dir};

/// Unacknowledged segments remembered in each direction.
const MAX_UNACKED: usize = 1024;
/// Wireshark remembers so many, and gives a FIN beyond them no sequence number.
const WIRESHARK_UNACKED: u32 = 10_000;
/// Segments remembered in each direction to compare a repeated one's bytes with.
const REMEMBERED: usize = 16;
/// A repeated segment this soon after the duplicate acknowledgement that asked for it is a fast retransmission.
const FAST_NS: i64 = 20_000_000;
/// A segment behind the newest one within this time is out of order, where no round trip was measured.
const REORDER_NS: i64 = 3_000_000;

/// What a segment was.
#[derive(Clone, Copy, Default)]
pub struct Remarks {
    kinds: Kinds,
    /// What Wireshark alone sees in it.
    theirs: Kinds,
    /// Window after scaling where the scale is known.
    window: u32,
    duplicate_number: u32,
    /// Frame and time of the segment that is repeated.
    original: Option<(u64, i64)>,
    /// Round trip of the segment that is acknowledged.
    rtt_ns: Option<i64>,
}

impl Remarks {
    pub fn is_retransmission(&self) -> bool {
        self.kinds.has(Kinds::RETRANSMISSION) || self.kinds.has(Kinds::FAST) || self.kinds.has(Kinds::SPURIOUS)
    }

    /// What Wireshark sees in it.
    fn shown(&self) -> Kinds {
        Kinds(self.kinds.0 | self.theirs.0)
    }

    pub fn is_out_of_order(&self) -> bool {
        self.kinds.has(Kinds::OUT_OF_ORDER)
    }

    pub fn is_remarkable(&self) -> bool {
        self.shown() != Kinds::default()
    }
}

/// A segment to judge.
pub struct Segment<'a> {
    pub frame: u64,
    pub ts: i64,
    pub tcp: &'a Tcp,
    pub payload: &'a [u8],
    /// Bytes of payload on the wire.
    pub length: u32,
}

/// A connection captured in several VLANs, taken as one.
pub struct Joined {
    /// The originator's side is that of the key's lower end.
    pub analysis: Analysis,
    /// Open flows that it takes together.
    pub flows: u32,
}

/// Connections captured in several VLANs, by their keys without tags.
pub type JoinedFlows = rustc_hash::FxHashMap<FlowKey, Joined>;

impl Joined {
    /// Judges a segment of any of the flows; `dir` is the key's.
    pub fn segment(&mut self, dir: Dir, segment: &Segment<'_>) -> Remarks {
        if segment.tcp.flags & (SYN | ACK | RST) == SYN && self.analysis.base(dir).is_some_and(|base| base != segment.tcp.seq) {
            self.analysis = Analysis { reused_ports: true, ..Analysis::default() };
        }
        let mut seen = self.analysis.segment(dir, segment);
        seen.kinds.0 &= !Kinds::CONFLICT.0;
        seen
    }
}

/// Window scaling of one direction (RFC 7323, 2).
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Scale {
    /// The handshake was not seen.
    #[default]
    Unknown,
    /// The handshake did not agree on scaling.
    Unused,
    Shift(u8),
}

#[derive(Clone, Copy)]
struct Unacked {
    frame: u64,
    seq: u32,
    next: u32,
    ts: i64,
}

/// Facts about one direction.
#[derive(Clone, Default)]
struct Side {
    base: Option<u32>,
    /// Next sequence number expected: the highest seen.
    next: Option<u32>,
    next_frame: u64,
    next_ts: i64,
    /// Highest sequence number up to which nothing is missing.
    ackable: Option<u32>,
    last_ack: Option<u32>,
    last_ack_ts: i64,
    window: Option<u16>,
    window_unscaled: bool,
    scale: Scale,
    duplicate_acks: u32,
    /// The other end acknowledged what was not seen of this one, and this one's acknowledgement has not changed since.
    told_unseen: bool,
    last_kinds: Kinds,
    unacked: Vec<Unacked>,
    /// Number of unacknowledged segments, also of those that are not remembered.
    unacked_count: u32,
    /// The number behind a FIN that Wireshark did not count.
    uncounted_fin: Option<u32>,
    /// Ring of (sequence number, length, hash of the bytes).
    remembered: Vec<(u32, u32, u64)>,
    remember_at: usize,
}

/// What was noticed about a segment.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Kinds(u32);

impl Kinds {
    const RETRANSMISSION: Self = Self(1);
    const FAST: Self = Self(1 << 1);
    const SPURIOUS: Self = Self(1 << 2);
    const OUT_OF_ORDER: Self = Self(1 << 3);
    const DUPLICATE_ACK: Self = Self(1 << 4);
    const LOST: Self = Self(1 << 5);
    const ACK_LOST: Self = Self(1 << 6);
    const ZERO_WINDOW: Self = Self(1 << 7);
    const PROBE: Self = Self(1 << 8);
    const PROBE_ACK: Self = Self(1 << 9);
    const WINDOW_FULL: Self = Self(1 << 10);
    const WINDOW_UPDATE: Self = Self(1 << 11);
    const KEEP_ALIVE: Self = Self(1 << 12);
    const KEEP_ALIVE_ACK: Self = Self(1 << 13);
    const REUSED: Self = Self(1 << 14);
    const CONFLICT: Self = Self(1 << 15);

    fn add(&mut self, kind: Self) {
        self.0 |= kind.0;
    }

    fn has(self, kind: Self) -> bool {
        self.0 & kind.0 != 0
    }
}

/// What one connection's sequence numbers have told so far.
#[derive(Clone, Default)]
pub struct Analysis {
    sides: [Side; 2],
    syn_ts: Option<i64>,
    first_rtt_ns: Option<i64>,
    /// The first segment reopens addresses and ports that another connection had used.
    pub reused_ports: bool,
}

/// Whether `a` comes after `b`.
fn after(a: u32, b: u32) -> bool {
    distance(b, a) > 0
}

impl Analysis {
    /// The initial sequence number of one end, as a SYN or the first acknowledgement of it told.
    pub fn base(&self, dir: Dir) -> Option<u32> {
        self.sides[dir.index()].base
    }

    /// Exchanges originator and responder.
    pub fn swap(&mut self) {
        self.sides.swap(0, 1);
    }

    /// Judges one segment.
    pub fn segment(&mut self, dir: Dir, segment: &Segment<'_>) -> Remarks {
        let &Segment { frame, ts, tcp, payload, length } = segment;
        let (mut kinds, mut theirs) = (Kinds::default(), Kinds::default());
        let is_reused = std::mem::take(&mut self.reused_ports);
        // How much a segment with an impossible header holds cannot be said.
        if tcp.header_len == 0 {
            return Remarks::default();
        }
        if is_reused {
            kinds.add(Kinds::REUSED);
        }
        let (left, right) = self.sides.split_at_mut(1);
        let (me, peer) = match dir {
            Dir::Orig => (&mut left[0], &mut right[0]),
            Dir::Resp => (&mut right[0], &mut left[0]),
        };
        let flags = tcp.flags;
        let (seq, ack, window) = (tcp.seq, tcp.ack, tcp.window);
        let controls = flags & (SYN | FIN | RST);
        let base = *me.base.get_or_insert(if flags & SYN != 0 { seq } else { seq.wrapping_sub(1) });
        // An answer with another start than the one known: a connection whose SYN was not captured.
        if flags & (SYN | ACK) == SYN | ACK && base != seq {
            kinds.add(Kinds::REUSED);
        }
        if flags & ACK != 0 {
            peer.base.get_or_insert(ack.wrapping_sub(1));
        }
        let at_next = me.next == Some(seq);
        let same_ack = me.last_ack == Some(ack);
        if length == 1 && at_next && peer.window == Some(0) {
            kinds.add(Kinds::PROBE);
        } else {
            if window == 0 && controls == 0 {
                kinds.add(Kinds::ZERO_WINDOW);
            }
            if me.next.is_some_and(|next| after(seq, next)) && flags & RST == 0 {
                kinds.add(Kinds::LOST);
            }
            if length <= 1 && me.next.is_some_and(|next| seq == next.wrapping_sub(1)) && controls == 0 {
                kinds.add(Kinds::KEEP_ALIVE);
            }
            // To Wireshark all numbers are zero before an end's first segment.
            if length == 0 && controls == 0 && window != 0 && me.last_ack.is_none() && (seq, ack) == (0, 0) {
                theirs.add(Kinds::WINDOW_UPDATE);
            }
            let quiet = length == 0 && at_next && controls == 0;
            let same_window = me.window == Some(window);
            if quiet && same_ack && window != 0 && !same_window {
                kinds.add(Kinds::WINDOW_UPDATE);
            }
            if length > 0 && controls == 0 && peer.reaches(seq.wrapping_add(length)) {
                kinds.add(Kinds::WINDOW_FULL);
            }
            if quiet && same_ack && window != 0 && same_window && peer.last_kinds.has(Kinds::KEEP_ALIVE) {
                kinds.add(Kinds::KEEP_ALIVE_ACK);
            } else if quiet
                && window == 0
                && same_window
                && peer.last_kinds.has(Kinds::PROBE)
                && me.last_ack.is_some_and(|last| ack == last || ack == last.wrapping_add(1))
            {
                kinds.add(Kinds::PROBE_ACK);
                if !same_ack {
                    peer.next = Some(ack);
                    peer.ackable = Some(ack);
                }
            } else if quiet && same_ack && window != 0 && same_window {
                me.duplicate_acks = me.duplicate_acks.saturating_add(1);
                me.told_unseen = false;
                kinds.add(Kinds::DUPLICATE_ACK);
            }
        }
        let duplicate_number = me.duplicate_acks;
        if !same_ack {
            me.duplicate_acks = 0;
            me.told_unseen = false;
        }
        if flags & ACK != 0 && peer.ackable.is_some_and(|ackable| after(ack, ackable)) {
            let one_more = me.last_ack.is_some_and(|last| ack == last.wrapping_add(1));
            if one_more && at_next && peer.last_kinds.has(Kinds::PROBE) {
                peer.next = Some(ack);
                peer.ackable = Some(ack);
                kinds.add(Kinds::WINDOW_UPDATE);
            } else {
                // Once for each loss, however often it is acknowledged.
                let further = peer.ackable.zip(peer.next).is_some_and(|(ackable, next)| after(next, ackable));
                if further {
                    peer.ackable = peer.next;
                }
                if further || (peer.duplicate_acks == 0 && !peer.told_unseen) {
                    kinds.add(Kinds::ACK_LOST);
                }
                if !further {
                    peer.duplicate_acks = 0;
                    peer.told_unseen = true;
                }
            }
        }
        if flags & ACK != 0 && peer.uncounted_fin == Some(ack) {
            peer.uncounted_fin = None;
            theirs.add(Kinds::ACK_LOST);
        }
        let mut original: Option<(u64, i64)> = None;
        let occupies = length > 0 || flags & (SYN | FIN) != 0;
        if occupies && !kinds.has(Kinds::KEEP_ALIVE) {
            let kind = judge_repeat(me, peer, (seq, length, flags), ts, self.first_rtt_ns);
            if kind == Kinds::RETRANSMISSION {
                original = Some((me.next_frame, me.next_ts));
                for unacked in me.unacked.iter().rev() {
                    original = Some((unacked.frame, unacked.ts));
                    if unacked.seq == seq {
                        break;
                    }
                }
            }
            kinds.add(kind);
        }
        if length > 0 && payload.len() == length as usize && me.differs(seq, payload) {
            kinds.add(Kinds::CONFLICT);
        }
        let next = seq.wrapping_add(length).wrapping_add(u32::from(flags & (SYN | FIN) != 0));
        if occupies {
            if flags & FIN != 0 && me.unacked_count >= WIRESHARK_UNACKED {
                me.uncounted_fin = Some(next);
            }
            me.unacked_count = me.unacked_count.saturating_add(1);
        }
        if occupies && me.unacked.len() < MAX_UNACKED {
            me.unacked.push(Unacked { frame, seq, next, ts });
        }
        // A reset ends the connection or belongs to none, and then bears any number, zero where it answers a segment without
        // acknowledgement (RFC 9293, 3.10.7.1): it does not say how far the data reached.
        let stray = flags & RST != 0 && seq == 0;
        if !kinds.has(Kinds::PROBE) && !stray {
            if me.next.is_none_or(|seen| after(next, seen) && flags & RST == 0) {
                me.next = Some(next);
                me.next_frame = frame;
                me.next_ts = ts;
            }
            if me.ackable.is_none_or(|ackable| ackable == seq) {
                me.ackable = me.next;
            }
        }
        me.window = Some(window);
        me.window_unscaled = flags & SYN != 0;
        me.last_ack = Some(ack);
        me.last_ack_ts = ts;
        me.last_kinds = kinds;
        let mut rtt_ns = None;
        let remembered = peer.unacked.len();
        peer.unacked.retain_mut(|unacked| {
            if ack == unacked.next {
                rtt_ns = Some(ts.saturating_sub(unacked.ts));
                return false;
            }
            let later = after(unacked.next, ack);
            if later && after(ack, unacked.seq) {
                unacked.seq = ack;
            }
            later
        });
        let acknowledged = (remembered - peer.unacked.len()) as u32;
        peer.unacked_count = if peer.next == Some(ack) { 0 } else { peer.unacked_count.saturating_sub(acknowledged) };
        if flags & SYN != 0 {
            agree_on_scale(me, peer, tcp);
            if flags & ACK == 0 {
                self.syn_ts = Some(ts);
            }
        } else if self.first_rtt_ns.is_none()
            && controls == 0
            && me.base == Some(seq.wrapping_sub(1))
            && peer.base == Some(ack.wrapping_sub(1))
            && let Some(syn_ts) = self.syn_ts
        {
            self.first_rtt_ns = Some(ts.saturating_sub(syn_ts));
        }
        let window = match me.scale {
            Scale::Shift(shift) if flags & SYN == 0 => u32::from(window) << shift.min(14),
            _ => u32::from(window),
        };
        Remarks { kinds, theirs, window, duplicate_number, original, rtt_ns }
    }
}

impl Side {
    /// A segment of the other direction that ends at `end` uses up the window that this end offered.
    fn reaches(&self, end: u32) -> bool {
        let (Some(window), Some(last_ack)) = (self.window, self.last_ack) else { return false };
        let shift = match self.scale {
            Scale::Unknown => return false,
            Scale::Unused => 0,
            Scale::Shift(_) if self.window_unscaled => 0,
            Scale::Shift(shift) => shift.min(14),
        };
        end == last_ack.wrapping_add(u32::from(window) << shift)
    }

    /// The same sequence number came before with the same number of other bytes.
    fn differs(&mut self, seq: u32, payload: &[u8]) -> bool {
        let mut hasher = FxHasher::default();
        hasher.write(payload);
        let (length, hash) = (payload.len() as u32, hasher.finish());
        if let Some(known) = self.remembered.iter().find(|(known, known_length, _)| *known == seq && *known_length == length) {
            return known.2 != hash;
        }
        if self.remembered.len() < REMEMBERED {
            self.remembered.push((seq, length, hash));
        } else if let Some(slot) = self.remembered.get_mut(self.remember_at) {
            *slot = (seq, length, hash);
            self.remember_at = (self.remember_at + 1) % REMEMBERED;
        }
        false
    }
}

/// Which kind of repetition a segment with data, SYN or FIN is; none if it brings something new.
fn judge_repeat(me: &Side, peer: &Side, (seq, length, flags): (u32, u32, u16), ts: i64, first_rtt_ns: Option<i64>) -> Kinds {
    let mut not_advanced = me.next.is_some_and(|next| after(next, seq));
    // One byte back with more than one byte: a window probe's byte sent again with new data.
    if length > 1 && me.next.is_some_and(|next| next.wrapping_sub(1) == seq) {
        not_advanced = false;
    }
    let end = seq.wrapping_add(length);
    if length > 0 && peer.last_ack.is_some_and(|acked| acked != 0 && !after(end, acked)) {
        return Kinds::SPURIOUS;
    }
    if !not_advanced {
        return Kinds::default();
    }
    // Behind a loss in the capture, the duplicates themselves may be among what was not seen.
    if (peer.duplicate_acks >= 2 || peer.told_unseen) && peer.last_ack == Some(seq) && is_within(peer.last_ack_ts, ts, FAST_NS) {
        return Kinds::FAST;
    }
    if is_within(me.next_ts, ts, first_rtt_ns.unwrap_or(REORDER_NS)) && me.next != Some(end.wrapping_add(u32::from(flags & (SYN | FIN) != 0))) {
        return Kinds::OUT_OF_ORDER;
    }
    Kinds::RETRANSMISSION
}

/// `later` lies less than `limit` behind `earlier`, and not before it.
fn is_within(earlier: i64, later: i64, limit: i64) -> bool {
    (0..limit).contains(&later.saturating_sub(earlier))
}

/// Scaling holds only if both SYNs offer it.
fn agree_on_scale(me: &mut Side, peer: &mut Side, tcp: &Tcp) {
    match tcp.window_scale {
        Some(_) if tcp.flags & ACK != 0 && peer.scale == Scale::Unused => me.scale = Scale::Unused,
        Some(shift) => me.scale = Scale::Shift(shift),
        None if me.scale == Scale::Unknown => {
            me.scale = Scale::Unused;
            peer.scale = Scale::Unused;
        }
        None => {}
    }
}

/// Writes the rows of `tcp_events` of a segment that is remarkable in its own flow (`own`), or where the connection was
/// captured in several VLANs, with all of them together (`joined`). Events are the flow's own; what Wireshark sets is judged
/// as it does, and where it alone sees something, the event says so.
#[cold]
pub fn emit(cx: &mut Cx<'_>, segment: &Segment<'_>, own: &Remarks, joined: Option<&Remarks>) {
    let (tcp, ts) = (segment.tcp, segment.ts);
    let shown = joined.unwrap_or(own);
    let kinds = shown.shown();
    let flag = |kind| kinds.has(kind).then_some(true);
    let names = [
        (Kinds::REUSED, "reused_ports"),
        (Kinds::PROBE, "zero_window_probe"),
        (Kinds::PROBE_ACK, "zero_window_probe_ack"),
        (Kinds::ZERO_WINDOW, "zero_window"),
        (Kinds::LOST, "lost_segment"),
        (Kinds::ACK_LOST, "ack_lost_segment"),
        (Kinds::KEEP_ALIVE, "keep_alive"),
        (Kinds::KEEP_ALIVE_ACK, "keep_alive_ack"),
        (Kinds::WINDOW_UPDATE, "window_update"),
        (Kinds::WINDOW_FULL, "window_full"),
        (Kinds::DUPLICATE_ACK, "duplicate_ack"),
        (Kinds::SPURIOUS, "spurious_retransmission"),
        (Kinds::FAST, "fast_retransmission"),
        (Kinds::OUT_OF_ORDER, "out_of_order"),
        (Kinds::RETRANSMISSION, if tcp.flags & SYN != 0 { "syn_retransmission" } else { "retransmission" }),
        (Kinds::CONFLICT, "overlap_conflict"),
    ];
    let mut row = |event: &str, original: Option<(u64, i64)>, detail: Option<&str>| {
        cx.emit(TcpEvents {
            event: Some(event),
            seq: Some(tcp.seq),
            ack: Some(tcp.ack),
            length: Some(segment.length),
            window: Some(shown.window),
            tcp_flags: Some(tcp.flags),
            // Wireshark counts fast and spurious ones as retransmissions as well.
            retransmission: shown.is_retransmission().then_some(true),
            fast_retransmission: flag(Kinds::FAST),
            spurious_retransmission: flag(Kinds::SPURIOUS),
            out_of_order: flag(Kinds::OUT_OF_ORDER),
            duplicate_ack: flag(Kinds::DUPLICATE_ACK),
            duplicate_ack_num: kinds.has(Kinds::DUPLICATE_ACK).then_some(shown.duplicate_number),
            lost_segment: flag(Kinds::LOST),
            ack_lost_segment: flag(Kinds::ACK_LOST),
            zero_window: flag(Kinds::ZERO_WINDOW),
            zero_window_probe: flag(Kinds::PROBE),
            window_full: flag(Kinds::WINDOW_FULL),
            window_update: flag(Kinds::WINDOW_UPDATE),
            keep_alive: flag(Kinds::KEEP_ALIVE),
            keep_alive_ack: flag(Kinds::KEEP_ALIVE_ACK),
            reused_ports: flag(Kinds::REUSED),
            original_frame: original.map(|(frame, _)| frame),
            delay_ms: original.map(|(_, then)| ts.saturating_sub(then) as f64 / 1e6),
            rtt_ms: shown.rtt_ns.map(|ns| ns as f64 / 1e6),
            detail,
        });
    };
    for (kind, name) in names.into_iter().filter(|(kind, _)| own.kinds.has(*kind)) {
        let original = own.original.filter(|_| kind == Kinds::RETRANSMISSION);
        row(name, original, (kind == Kinds::CONFLICT).then_some("the same sequence numbers came before with other bytes"));
    }
    if own.kinds == Kinds::default() && kinds != Kinds::default() {
        let why = match joined {
            Some(_) => "the copies of this connection in several VLANs taken as one",
            None if kinds.has(Kinds::ACK_LOST) => "a FIN behind more unacknowledged segments than are remembered",
            None => "an end that has not spoken counts as having sent zeros",
        };
        row("wireshark_only", shown.original, Some(why));
    }
}
