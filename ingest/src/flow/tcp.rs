//! The life of a TCP connection: states, history and order of bytes.
//!
//! States, history letters and connection states are Zeek's, so that `flows` reads like its `conn.log`.

use crate::packet::Tcp;
use crate::protocols::Dir;

use super::analysis::Analysis;
use super::stream::Stream;

pub const FIN: u16 = 1;
pub const SYN: u16 = 2;
pub const RST: u16 = 4;
pub const ACK: u16 = 16;

/// Where one end of the connection stands.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum EndState {
    #[default]
    Inactive,
    SynSent,
    SynAckSent,
    /// Seen only in the middle of the connection.
    Partial,
    Established,
    Closed,
    Reset,
}

/// A connection's TCP state beyond what every flow has.
#[derive(Default)]
pub struct TcpState {
    pub ends: [EndState; 2],
    pub streams: [Stream; 2],
    pub analysis: Analysis,
    /// Initial sequence number of each SYN seen.
    pub isn: [Option<u32>; 2],
    syn_ts: Option<i64>,
    syn_ack_seen: bool,
    pub handshake_rtt_ns: Option<i64>,
    pub flags: u16,
    pub retransmitted: u64,
    pub out_of_order: u64,
}

impl TcpState {
    /// Whether this segment opens another connection on the same addresses and ports: a SYN that is not the one already seen.
    pub fn reopened_by(&self, dir: Dir, tcp: &Tcp) -> bool {
        tcp.flags & (SYN | ACK | RST) == SYN && self.analysis.base(dir).is_some_and(|base| base != tcp.seq)
    }

    /// Moves the states on.
    pub fn advance(&mut self, dir: Dir, tcp: &Tcp, ts: i64) {
        self.flags |= tcp.flags & 0x1ff;
        let (me, peer) = (dir.index(), dir.reverse().index());
        let flags = tcp.flags;
        if flags & SYN != 0 {
            self.isn[me].get_or_insert(tcp.seq);
            self.streams[me].start(tcp.seq);
            if flags & ACK == 0 {
                if self.ends[me] == EndState::Inactive {
                    self.ends[me] = EndState::SynSent;
                }
                self.syn_ts.get_or_insert(ts);
            } else {
                if matches!(self.ends[me], EndState::Inactive | EndState::SynSent) {
                    self.ends[me] = EndState::SynAckSent;
                }
                self.syn_ack_seen = true;
            }
        } else if flags & RST == 0 {
            match self.ends[me] {
                EndState::Inactive => self.ends[me] = EndState::Partial,
                EndState::SynSent if flags & ACK != 0 && self.ends[peer] != EndState::Inactive => {
                    self.ends[me] = EndState::Established;
                    if self.ends[peer] == EndState::SynAckSent {
                        self.ends[peer] = EndState::Established;
                    }
                    if let (Dir::Orig, true, None, Some(start)) = (dir, self.syn_ack_seen, self.handshake_rtt_ns, self.syn_ts) {
                        self.handshake_rtt_ns = Some(ts.saturating_sub(start));
                    }
                }
                EndState::SynAckSent if self.ends[peer] == EndState::Established => self.ends[me] = EndState::Established,
                _ => {}
            }
        }
        if flags & RST != 0 {
            self.ends[me] = EndState::Reset;
        } else if flags & FIN != 0 && self.ends[me] != EndState::Reset {
            self.ends[me] = EndState::Closed;
        }
    }

    /// Zeek's `conn_state`.
    pub fn conn_state(&self, payload: [u64; 2]) -> &'static str {
        use EndState::{Closed, Established, Inactive, Partial, Reset, SynAckSent, SynSent};
        let [orig, resp] = self.ends;
        match (orig, resp) {
            (SynSent | SynAckSent, Reset) => "REJ",
            (Reset, Reset) if payload == [0, 0] => "REJ",
            (Inactive, Reset) => "RSTRH",
            (_, Reset) => "RSTR",
            (Reset, Inactive) => "RSTOS0",
            (Reset, _) => "RSTO",
            (Closed, Closed) => "SF",
            (Closed, Inactive) => "SH",
            (Closed, _) => "S2",
            (Inactive, Closed) => "SHR",
            (_, Closed) => "S3",
            (SynSent, Inactive) => "S0",
            (Established, Established) => "S1",
            (Partial | Established | SynSent | SynAckSent | Inactive, _) => "OTH",
        }
    }
}

/// Zeek's history: one letter for each first of its kind, upper case from the originator.
#[derive(Default)]
pub struct History {
    letters: String,
    seen: [u32; 2],
    counts: [[u32; 3]; 2],
}

impl History {
    /// The letters so far.
    pub fn as_str(&self) -> &str {
        &self.letters
    }

    /// The direction was turned round: the first packet came from the responder.
    pub fn flip(&mut self) {
        self.letters.push('^');
    }

    /// Adds `letter` (upper case) if this end has not shown it yet.
    pub fn add(&mut self, dir: Dir, letter: u8) {
        let bit = 1u32 << (letter.wrapping_sub(b'A') & 31);
        let seen = &mut self.seen[dir.index()];
        if *seen & bit == 0 {
            *seen |= bit;
            self.push(dir, letter);
        }
    }

    /// Adds `letter` at the 1st, 10th, 100th ... occurrence: bad checksums `C`, retransmissions `T`, gaps `G`.
    pub fn count(&mut self, dir: Dir, letter: u8) {
        let slot = match letter {
            b'C' => 0,
            b'T' => 1,
            _ => 2,
        };
        let count = &mut self.counts[dir.index()][slot];
        *count = count.saturating_add(1);
        let mut power = 1u32;
        while power < *count {
            power = power.saturating_mul(10);
        }
        if power == *count {
            self.push(dir, letter);
        }
    }

    /// The letters of a TCP segment.
    pub fn segment(&mut self, dir: Dir, tcp: &Tcp, payload_len: u32) {
        let flags = tcp.flags;
        if flags & (SYN | RST | FIN) != 0 && (flags & (SYN | RST | FIN)).count_ones() > 1 {
            self.add(dir, if flags & SYN != 0 && flags & (RST | FIN) != 0 { b'I' } else { b'Q' });
        }
        if flags & SYN != 0 {
            self.add(dir, if flags & ACK != 0 { b'H' } else { b'S' });
        }
        if payload_len > 0 {
            self.add(dir, b'D');
        } else if flags & (ACK | SYN | RST | FIN) == ACK {
            self.add(dir, b'A');
        }
        if flags & FIN != 0 {
            self.add(dir, b'F');
        }
        if flags & RST != 0 {
            self.add(dir, b'R');
        }
        if tcp.window == 0 && flags & (SYN | RST | FIN) == 0 {
            self.add(dir, b'W');
        }
    }

    fn push(&mut self, dir: Dir, letter: u8) {
        let letter = if dir == Dir::Orig { letter } else { letter.to_ascii_lowercase() };
        self.letters.push(char::from(letter));
    }
}
