//! IP fragments put together (RFC 791 3.2, RFC 8200 4.5).
//!
//! The first copy of a byte wins; overlapping fragments are told, as they are used to hide content (RFC 5722).

use std::net::IpAddr;

use rustc_hash::FxHashMap;

use crate::packet::Ip;

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
    first_ts: i64,
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

/// What became of a fragment.
pub enum Fragments {
    /// More are to come.
    Waiting,
    /// The datagram's payload is whole. The sums leave out the fragment that completed it.
    Whole(Vec<u8>, Seen),
    /// The fragment contradicts the others: (anomaly kind, what is wrong).
    Bad(&'static str, &'static str),
}

/// Datagrams being put together.
#[derive(Default)]
pub struct Defragmenter {
    open: FxHashMap<Key, Open>,
}

impl Defragmenter {
    /// Takes the fragment `bytes` of a datagram with header `ip`.
    pub fn fragment(&mut self, ip: &Ip, bytes: &[u8], frame_len: u32, ts: i64) -> Fragments {
        let Some(fragment) = ip.fragment else { return Fragments::Waiting };
        let end = fragment.offset as usize + bytes.len();
        if end > MAX_DATAGRAM {
            return Fragments::Bad("bad_length", "fragments reach beyond 65,535 bytes");
        }
        let key = (ip.src, ip.dst, fragment.id, ip.proto);
        if self.open.get(&key).is_some_and(|open| ts.saturating_sub(open.first_ts) > TIMEOUT_NS) {
            self.open.remove(&key);
        }
        if self.open.len() >= MAX_OPEN && !self.open.contains_key(&key) {
            let oldest = self.open.iter().min_by_key(|(_, open)| open.first_ts).map(|(key, _)| *key);
            if let Some(oldest) = oldest {
                self.open.remove(&oldest);
            }
        }
        let open = self.open.entry(key).or_insert_with(|| Open { pieces: Vec::new(), total: None, first_ts: ts, seen: Seen::default() });
        if !fragment.more {
            match open.total {
                Some(total) if total != end as u32 => return Fragments::Bad("bad_length", "two last fragments of different ends"),
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
            Some(datagram) => {
                let seen = open.seen;
                self.open.remove(&key);
                Fragments::Whole(datagram, seen)
            }
            None => {
                open.seen.packets += 1;
                open.seen.ip_bytes += u64::from(ip.len);
                open.seen.wire_bytes += u64::from(frame_len);
                if overlap { Fragments::Bad("fragment_overlap", "fragments overlap") } else { Fragments::Waiting }
            }
        }
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

    fn ip(offset: u32, more: bool) -> Ip {
        Ip {
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
        }
    }

    #[test]
    fn puts_together_in_any_order() {
        let mut defragmenter = Defragmenter::default();
        assert!(matches!(defragmenter.fragment(&ip(8, false), b"world", 60, 0), Fragments::Waiting));
        let Fragments::Whole(datagram, seen) = defragmenter.fragment(&ip(0, true), b"hello, a", 60, 1) else { panic!("not whole") };
        assert_eq!(datagram, b"hello, aworld");
        assert_eq!((seen.packets, seen.wire_bytes), (1, 60));
    }

    #[test]
    fn refuses_ping_of_death() {
        let mut defragmenter = Defragmenter::default();
        assert!(matches!(defragmenter.fragment(&ip(65_528, false), &[0; 64], 60, 0), Fragments::Bad("bad_length", _)));
    }
}
