//! Remarkable segments: retransmissions, losses, window trouble.
//!
//! The judgements are those that Wireshark shows as `tcp.analysis.*`, made from the same facts (next expected sequence
//! number, last acknowledgement, windows, unacknowledged segments), so that analysts find the same frames in both.
//! Resets are not repeated here: `packets.tcp_flags` and `flows.conn_state` tell them. Sequence arithmetic is modulo 2^32
//! (RFC 9293, 3.4).

use std::hash::Hasher as _;

use pcapper_schema::tables::TcpEvents;
use rustc_hash::FxHasher;

use super::stream::distance;
use super::tcp::{ACK, FIN, RST, SYN};
use crate::packet::Tcp;
use crate::protocols::{Cx, Dir};

/// Unacknowledged segments remembered in each direction.
const MAX_UNACKED: usize = 1024;
/// Segments remembered in each direction to compare a repeated one's bytes with.
const REMEMBERED: usize = 16;
/// A repeated segment this soon after the duplicate acknowledgement that asked for it is a fast retransmission.
const FAST_NS: i64 = 20_000_000;
/// A segment behind the newest one within this time is out of order, where no round trip was measured.
const REORDER_NS: i64 = 3_000_000;

/// What a segment was, as far as the flow's own counts care.
#[derive(Clone, Copy, Default, Debug)]
pub struct Remarks {
    pub retransmission: bool,
    pub out_of_order: bool,
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
#[derive(Default)]
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
#[derive(Default)]
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

    /// Judges one segment and writes its rows of `tcp_events`. `length` is the payload on the wire.
    pub fn segment(&mut self, cx: &mut Cx<'_>, tcp: &Tcp, payload: &[u8], length: u32) -> Remarks {
        let dir = cx.dir;
        let mut kinds = Kinds::default();
        if std::mem::take(&mut self.reused_ports) {
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
        let mut original: Option<(u64, i64)> = None;
        let occupies = length > 0 || flags & (SYN | FIN) != 0;
        if occupies && !kinds.has(Kinds::KEEP_ALIVE) {
            let kind = judge_repeat(me, peer, (seq, length, flags), cx.ts, self.first_rtt_ns);
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
        if occupies && me.unacked.len() < MAX_UNACKED {
            me.unacked.push(Unacked { frame: cx.frame, seq, next, ts: cx.ts });
        }
        // Number zero is what a reset bears where there is no connection (RFC 9293, 3.10.7.1).
        let stray = flags & RST != 0 && seq == 0;
        if !kinds.has(Kinds::PROBE) && !stray {
            if me.next.is_none_or(|seen| after(next, seen)) {
                me.next = Some(next);
                me.next_frame = cx.frame;
                me.next_ts = cx.ts;
            }
            if me.ackable.is_none_or(|ackable| ackable == seq) {
                me.ackable = me.next;
            }
        }
        me.window = Some(window);
        me.window_unscaled = flags & SYN != 0;
        me.last_ack = Some(ack);
        me.last_ack_ts = cx.ts;
        me.last_kinds = kinds;
        let mut rtt_ns = None;
        peer.unacked.retain_mut(|unacked| {
            if ack == unacked.next {
                rtt_ns = Some(cx.ts.saturating_sub(unacked.ts));
                return false;
            }
            let later = after(unacked.next, ack);
            if later && after(ack, unacked.seq) {
                unacked.seq = ack;
            }
            later
        });
        if flags & SYN != 0 {
            agree_on_scale(me, peer, tcp);
            if flags & ACK == 0 {
                self.syn_ts = Some(cx.ts);
            }
        } else if self.first_rtt_ns.is_none()
            && controls == 0
            && me.base == Some(seq.wrapping_sub(1))
            && peer.base == Some(ack.wrapping_sub(1))
            && let Some(syn_ts) = self.syn_ts
        {
            self.first_rtt_ns = Some(cx.ts.saturating_sub(syn_ts));
        }
        if kinds != Kinds::default() {
            let scaled = match me.scale {
                Scale::Shift(shift) if flags & SYN == 0 => u32::from(window) << shift.min(14),
                _ => u32::from(window),
            };
            emit(cx, kinds, tcp, length, scaled, duplicate_number, original, rtt_ns);
        }
        Remarks {
            retransmission: kinds.has(Kinds::RETRANSMISSION) || kinds.has(Kinds::FAST) || kinds.has(Kinds::SPURIOUS),
            out_of_order: kinds.has(Kinds::OUT_OF_ORDER),
        }
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
    if (peer.duplicate_acks >= 2 || peer.told_unseen) && peer.last_ack == Some(seq) && ts.saturating_sub(peer.last_ack_ts) < FAST_NS {
        return Kinds::FAST;
    }
    if ts.saturating_sub(me.next_ts) < first_rtt_ns.unwrap_or(REORDER_NS) && me.next != Some(end.wrapping_add(u32::from(flags & (SYN | FIN) != 0))) {
        return Kinds::OUT_OF_ORDER;
    }
    Kinds::RETRANSMISSION
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

#[allow(clippy::too_many_arguments, reason = "one row's cells")]
fn emit(
    cx: &mut Cx<'_>,
    kinds: Kinds,
    tcp: &Tcp,
    length: u32,
    window: u32,
    duplicate_number: u32,
    original: Option<(u64, i64)>,
    rtt_ns: Option<i64>,
) {
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
    // Wireshark counts fast and spurious ones as retransmissions as well.
    let repeated = kinds.has(Kinds::RETRANSMISSION) || kinds.has(Kinds::FAST) || kinds.has(Kinds::SPURIOUS);
    for (kind, name) in names {
        if !kinds.has(kind) {
            continue;
        }
        let ts = cx.ts;
        cx.emit(TcpEvents {
            event: Some(name),
            seq: Some(tcp.seq),
            ack: Some(tcp.ack),
            length: Some(length),
            window: Some(window),
            tcp_flags: Some(tcp.flags),
            retransmission: repeated.then_some(true),
            fast_retransmission: flag(Kinds::FAST),
            spurious_retransmission: flag(Kinds::SPURIOUS),
            out_of_order: flag(Kinds::OUT_OF_ORDER),
            duplicate_ack: flag(Kinds::DUPLICATE_ACK),
            duplicate_ack_num: kinds.has(Kinds::DUPLICATE_ACK).then_some(duplicate_number),
            lost_segment: flag(Kinds::LOST),
            ack_lost_segment: flag(Kinds::ACK_LOST),
            zero_window: flag(Kinds::ZERO_WINDOW),
            zero_window_probe: flag(Kinds::PROBE),
            window_full: flag(Kinds::WINDOW_FULL),
            window_update: flag(Kinds::WINDOW_UPDATE),
            keep_alive: flag(Kinds::KEEP_ALIVE),
            keep_alive_ack: flag(Kinds::KEEP_ALIVE_ACK),
            reused_ports: flag(Kinds::REUSED),
            original_frame: original.filter(|_| kind == Kinds::RETRANSMISSION).map(|(frame, _)| frame),
            delay_ms: original.filter(|_| kind == Kinds::RETRANSMISSION).map(|(_, then)| ts.saturating_sub(then) as f64 / 1e6),
            rtt_ms: rtt_ns.map(|ns| ns as f64 / 1e6),
            detail: (kind == Kinds::CONFLICT).then_some("the same sequence numbers came before with other bytes"),
        });
    }
}
