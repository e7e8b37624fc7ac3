//! IP fragments put together (RFC 791 3.2, RFC 8200 4.5).
//!
//! The first copy of a byte wins; overlapping fragments are told, as they are used to hide content (RFC 5722).

use std::net::IpAddr;

use pcapper_schema::Mac;
use rustc_hash::FxHashMap;

use crate::packet::{Ip, Packet, Transport, Tunnels};

/// Longest datagram: 65,535 bytes of payload and what an overlong last fragment may add is refused.
const MAX_DATAGRAM: usize = 65_535;
/// Datagrams put together at a time; beyond it the oldest is given up.
const MAX_OPEN: usize = 1024;
/// Nanoseconds after which an incomplete datagram is given up (RFC 8200: 60 s).
const TIMEOUT_NS: i64 = 60_000_000_000;

type Key = (IpAddr, IpAddr, u32, u8);

struct Open {
    pieces: Vec<(u32, Box<[u8]>)>,
    total: Option<u32>,
    origin: Origin,
    last: (u64, i64),
    /// The sums of the fragments so far, for the flow's account.
    seen: Seen,
}

/// What the fragments of a datagram add up to.
#[derive(Clone, Copy, Default, Debug)]
pub struct Seen {
    pub packets: u64,
    pub ip_bytes: u64,
    pub wire_bytes: u64,
}

/// What the frame of a datagram's first fragment says of its way.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    pub frame: u64,
    pub ts: i64,
    pub ip: Ip,
    src_mac: Option<Mac>,
    dst_mac: Option<Mac>,
    vlan_id: Option<u16>,
    vlan_outer_id: Option<u16>,
    tunnels: Tunnels,
    outer: Option<(IpAddr, IpAddr)>,
}

impl Origin {
    /// Of a fragment; `None` if the packet is none.
    pub fn of(packet: &Packet<'_>, frame: u64, ts: i64) -> Option<Self> {
        let &Packet { src_mac, dst_mac, vlan_id, vlan_outer_id, tunnels, outer, .. } = packet;
        let ip = packet.ip.filter(|_| matches!(packet.transport, Transport::Fragment))?;
        Some(Self { frame, ts, ip, src_mac, dst_mac, vlan_id, vlan_outer_id, tunnels, outer })
    }

    /// The same as a packet of which only the IP header is known.
    pub fn packet(&self) -> Packet<'static> {
        let &Self { src_mac, dst_mac, vlan_id, vlan_outer_id, tunnels, outer, .. } = self;
        let (ip, transport) = (Some(self.ip), Transport::OtherIp);
        Packet { src_mac, dst_mac, vlan_id, vlan_outer_id, tunnels, outer, ip, transport, ..Packet::empty() }
    }
}

/// Fragments of a datagram that was never whole.
pub struct Incomplete {
    pub origin: Origin,
    /// Number and time of the last of them.
    pub last: (u64, i64),
    pub seen: Seen,
    pub payload_bytes: u64,
}

/// What became of a fragment.
pub enum Fragments {
    /// More are to come.
    Waiting,
    /// The datagram's payload is whole.
    Whole(Whole),
    /// The fragment contradicts the others: (anomaly kind, what is wrong).
    Bad(&'static str, &'static str),
}

/// The payload of a datagram that came in fragments.
pub struct Whole {
    pub payload: Vec<u8>,
    /// The sums of its fragments but for the one that completed it.
    pub seen: Seen,
    /// Where its fragments begin.
    pub starts: Vec<u32>,
}

/// Datagrams being put together.
#[derive(Default)]
pub struct Defragmenter {
    open: FxHashMap<Key, Open>,
    /// Datagrams that were given up since they were last asked for.
    pub given_up: Vec<Incomplete>,
}

impl Defragmenter {
    /// Takes the fragment `bytes` that came from `origin`.
    pub fn fragment(&mut self, origin: &Origin, bytes: &[u8], frame_len: u32) -> Fragments {
        let (ip, ts) = (&origin.ip, origin.ts);
        let Some(fragment) = ip.fragment else { return Fragments::Waiting };
        let this = Seen { packets: 1, ip_bytes: u64::from(ip.len), wire_bytes: u64::from(frame_len) };
        let last = (origin.frame, ts);
        let end = fragment.offset as usize + bytes.len();
        if end > MAX_DATAGRAM {
            self.given_up.push(Incomplete { origin: *origin, last, seen: this, payload_bytes: bytes.len() as u64 });
            return Fragments::Bad("bad_length", "fragments reach beyond 65,535 bytes");
        }
        let key = (ip.src, ip.dst, fragment.id, ip.proto);
        if self.open.get(&key).is_some_and(|open| ts.saturating_sub(open.origin.ts) > TIMEOUT_NS) {
            self.give_up(&key);
        }
        if self.open.len() >= MAX_OPEN && !self.open.contains_key(&key) {
            let oldest = self.open.iter().min_by_key(|(_, open)| open.origin.ts).map(|(key, _)| *key);
            if let Some(oldest) = oldest {
                self.give_up(&oldest);
            }
        }
        let open = self.open.entry(key).or_insert_with(|| Open { pieces: Vec::new(), total: None, origin: *origin, last, seen: Seen::default() });
        open.last = last;
        if !fragment.more {
            match open.total {
                Some(total) if total != end as u32 => {
                    open.seen.add(this);
                    return Fragments::Bad("bad_length", "two last fragments of different ends");
                }
                _ => open.total = Some(end as u32),
            }
        }
        let overlap = open.pieces.iter().any(|(offset, piece)| {
            let (from, to) = (*offset as usize, *offset as usize + piece.len());
            from < end && (fragment.offset as usize) < to && !(from == fragment.offset as usize && piece.len() == bytes.len())
        });
        if open.pieces.len() < 8192 {
            open.pieces.push((fragment.offset, bytes.into()));
        }
        let whole = open.total.and_then(|total| assemble(&open.pieces, total as usize));
        match whole {
            Some(payload) => {
                let (seen, starts) = (open.seen, open.pieces.iter().map(|(offset, _)| *offset).collect());
                self.open.remove(&key);
                Fragments::Whole(Whole { payload, seen, starts })
            }
            None => {
                open.seen.add(this);
                if overlap { Fragments::Bad("fragment_overlap", "fragments overlap") } else { Fragments::Waiting }
            }
        }
    }
}

impl Defragmenter {
    /// Gives up whatever is not whole, in order of the first fragments.
    pub fn give_up_all(&mut self) {
        let keys: Vec<Key> = self.open.keys().copied().collect();
        keys.iter().for_each(|key| self.give_up(key));
        self.given_up.sort_by_key(|incomplete| incomplete.origin.frame);
    }

    fn give_up(&mut self, key: &Key) {
        let Some(open) = self.open.remove(key) else { return };
        let payload_bytes = open.pieces.iter().map(|(_, piece)| piece.len() as u64).sum();
        self.given_up.push(Incomplete { origin: open.origin, last: open.last, seen: open.seen, payload_bytes });
    }
}

impl Seen {
    fn add(&mut self, other: Self) {
        self.packets += other.packets;
        self.ip_bytes += other.ip_bytes;
        self.wire_bytes += other.wire_bytes;
    }
}

/// The datagram, if the pieces cover all `total` bytes of it.
fn assemble(pieces: &[(u32, Box<[u8]>)], total: usize) -> Option<Vec<u8>> {
    let sum: usize = pieces.iter().map(|(_, piece)| piece.len()).sum();
    if sum < total {
        return None;
    }
    let mut order: Vec<usize> = (0..pieces.len()).collect();
    order.sort_by_key(|&index| (pieces.get(index).map(|(offset, _)| *offset), index));
    let mut datagram = Vec::with_capacity(total);
    for index in order {
        let (offset, piece) = pieces.get(index)?;
        let have = datagram.len();
        let offset = *offset as usize;
        if offset > have {
            return None;
        }
        datagram.extend_from_slice(piece.get(have - offset..).unwrap_or_default());
    }
    datagram.truncate(total);
    (datagram.len() == total).then_some(datagram)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Fragment;

    fn from(offset: u32, more: bool, frame: u64) -> Origin {
        let ip = Ip {
            src: [10, 0, 0, 1].into(),
            dst: [10, 0, 0, 2].into(),
            version: 4,
            proto: 17,
            ttl: 64,
            id: Some(7),
            dscp: 0,
            ecn: 0,
            len: 28,
            checksum_ok: None,
            fragment: Some(Fragment { id: 7, offset, more }),
            router_alert: false,
            depth: 0,
        };
        Origin::of(&Packet { ip: Some(ip), transport: Transport::Fragment, ..Packet::empty() }, frame, 0).unwrap()
    }

    #[test]
    fn puts_together_in_any_order() {
        let mut defragmenter = Defragmenter::default();
        assert!(matches!(defragmenter.fragment(&from(8, false, 1), b"world", 60), Fragments::Waiting));
        let Fragments::Whole(whole) = defragmenter.fragment(&from(0, true, 2), b"hello, a", 60) else { panic!("not whole") };
        assert_eq!(whole.payload, b"hello, aworld");
        assert_eq!((whole.seen.packets, whole.seen.wire_bytes, whole.starts), (1, 60, vec![8, 0]));
        defragmenter.give_up_all();
        assert!(defragmenter.given_up.is_empty());
    }

    #[test]
    fn refuses_ping_of_death() {
        let mut defragmenter = Defragmenter::default();
        assert!(matches!(defragmenter.fragment(&from(65_528, false, 1), &[0; 64], 60), Fragments::Bad("bad_length", _)));
    }

    #[test]
    fn tells_of_datagrams_that_are_never_whole() {
        let mut defragmenter = Defragmenter::default();
        defragmenter.fragment(&from(8, true, 3), b"worldwor", 60);
        defragmenter.fragment(&from(24, false, 4), b"d", 60);
        defragmenter.give_up_all();
        let lost = &defragmenter.given_up[0];
        assert_eq!((lost.origin.frame, lost.last.0, lost.seen.packets, lost.payload_bytes), (3, 4, 2, 9));
    }
}
