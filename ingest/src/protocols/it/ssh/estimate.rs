//! What encrypted traffic lets guess: logins, keystrokes, bulk.
//!
//! After new keys the stream is cut into groups: bytes of one direction without a reply between. The server's first answer
//! accepts the service, every later one answers a login request. An accepted login is the smallest message there is
//! (SSH_MSG_USERAUTH_SUCCESS has no fields), a refused one names the methods that may go on, so it is never smaller than the
//! first answer (RFC 4252, 5.1).

use crate::protocols::Dir;

/// Server answers that are remembered.
const MAX_REPLIES: usize = 256;
/// How much smaller than another answer an accepted login is at most, bytes: the difference of two short messages, padded.
const MAX_STEP: u32 = 64;
/// A group that may be a keystroke or its echo, bytes.
const KEYSTROKE: u32 = 100;
/// Silence before a group that somebody's hand began, nanoseconds.
const PAUSE_NS: i64 = 80_000_000;
/// Client groups behind a login that prove it.
const PROOF: u32 = 4;

#[derive(Clone, Copy)]
struct Turn {
    dir: Dir,
    bytes: u32,
    ts: i64,
    /// Time since the group before.
    pause: i64,
}

/// What was guessed.
#[derive(Default, PartialEq, Debug)]
pub struct Estimate {
    pub attempts: Option<u32>,
    pub success: Option<bool>,
    pub confidence: Option<&'static str>,
    pub method: Option<&'static str>,
    pub interactive: Option<bool>,
    pub reverse: Option<bool>,
    pub bulk: Option<&'static str>,
}

/// The groups of one connection.
#[derive(Default)]
pub struct Traffic {
    /// Directions that are encrypted.
    begun: [bool; 2],
    turn: Option<Turn>,
    asked: bool,
    replies: Vec<u32>,
    /// Place of the reply that accepted the login.
    accepted: Option<usize>,
    client_groups_after: u32,
    small: [u32; 2],
    starts: [u32; 2],
    last_small: Option<(Dir, i64, bool)>,
    bytes_after: [u64; 2],
    server_closed: bool,
}

impl Traffic {
    /// From here on a direction is encrypted.
    pub fn begin(&mut self, dir: Dir) {
        if let Some(begun) = self.begun.get_mut(dir.index()) {
            *begun = true;
        }
    }

    /// Bytes of an encrypted direction.
    pub fn bytes(&mut self, dir: Dir, count: usize, ts: i64) {
        if self.begun != [true, true] {
            return;
        }
        let count32 = u32::try_from(count).unwrap_or(u32::MAX);
        if self.accepted.is_some()
            && let Some(total) = self.bytes_after.get_mut(dir.index())
        {
            *total = total.saturating_add(count as u64);
        }
        match &mut self.turn {
            // Behind the login each write of an end counts, before it all that comes without a reply between.
            Some(turn) if turn.dir == dir && (self.accepted.is_none() || ts.saturating_sub(turn.ts) < 1_000_000) => {
                turn.bytes = turn.bytes.saturating_add(count32);
                turn.ts = ts;
            }
            _ => {
                let pause = self.turn.map_or(0, |turn| ts.saturating_sub(turn.ts));
                self.take();
                self.turn = Some(Turn { dir, bytes: count32, ts, pause });
            }
        }
    }

    /// The end of a direction.
    pub fn ended(&mut self, dir: Dir) {
        self.server_closed |= dir == Dir::Resp;
    }

    /// A group is whole.
    fn take(&mut self) {
        let Some(turn) = self.turn.take() else { return };
        if self.accepted.is_none() {
            match turn.dir {
                Dir::Orig => self.asked = true,
                Dir::Resp if self.asked => self.reply(turn.bytes),
                Dir::Resp => {}
            }
            return;
        }
        if turn.dir == Dir::Orig {
            self.client_groups_after = self.client_groups_after.saturating_add(1);
        }
        if turn.bytes > KEYSTROKE {
            self.last_small = None;
            return;
        }
        if let Some(count) = self.small.get_mut(turn.dir.index()) {
            *count += 1;
        }
        // A keystroke: small, after a pause, answered by something small at once.
        if let Some((dir, at, begins)) = self.last_small
            && begins
            && dir != turn.dir
            && turn.ts.saturating_sub(at) < 4 * PAUSE_NS
            && let Some(count) = self.starts.get_mut(dir.index())
        {
            *count += 1;
        }
        self.last_small = Some((turn.dir, turn.ts, turn.pause >= PAUSE_NS));
    }

    fn reply(&mut self, bytes: u32) {
        let least = self.replies.iter().copied().min();
        if let Some(least) = least
            && bytes < least
            && least - bytes <= MAX_STEP
        {
            self.accepted = Some(self.replies.len());
        }
        if self.replies.len() < MAX_REPLIES {
            self.replies.push(bytes);
        }
    }

    /// Ends the connection.
    pub fn finish(&mut self, lost: bool) -> Estimate {
        self.take();
        let [client_small, server_small] = self.small;
        let [client_starts, server_starts] = self.starts;
        let [sent, received] = self.bytes_after;
        let tries = self.replies.get(1..).unwrap_or_default();
        let Some(&refusal) = tries.first() else { return Estimate::default() };
        let proved = self.accepted.is_some() && self.client_groups_after >= PROOF;
        let failures = tries.iter().filter(|&&bytes| bytes == refusal).count();
        let failures = if self.accepted == Some(1) { 0 } else { failures };
        let success = if proved {
            Some(true)
        } else if self.accepted.is_none() && self.server_closed && failures == tries.len() {
            Some(false)
        } else {
            None
        };
        let confidence = match success {
            None => None,
            Some(_) if lost => Some("low"),
            Some(true) if failures > 0 && self.client_groups_after > 10 => Some("high"),
            Some(false) if failures > 2 => Some("high"),
            Some(_) => Some("medium"),
        };
        let method = match self.accepted {
            _ if success != Some(true) => None,
            Some(1) => Some("none"),
            // A key is asked for before it is used, and named again in the answer.
            Some(at) if tries.get(..at - 1).unwrap_or_default().iter().any(|&bytes| bytes >= refusal.saturating_add(128)) => Some("publickey"),
            _ => Some("unknown"),
        };
        let total = sent.saturating_add(received);
        let bulk = if total <= 1_000_000 {
            None
        } else if sent > total / 5 * 4 {
            Some("upload")
        } else if received > total / 5 * 4 {
            Some("download")
        } else {
            None
        };
        let known = proved.then_some(());
        Estimate {
            attempts: u32::try_from(failures + usize::from(self.accepted.is_some())).ok(),
            success,
            confidence,
            method,
            interactive: known.map(|()| client_small >= 6 && server_small >= 6 && client_starts >= 3),
            reverse: known.map(|()| server_starts >= 5 && server_starts > client_starts.saturating_mul(2)),
            bulk,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traffic(groups: &[(Dir, usize)]) -> Traffic {
        let mut traffic = Traffic::default();
        traffic.begin(Dir::Orig);
        traffic.begin(Dir::Resp);
        for (index, (dir, bytes)) in groups.iter().enumerate() {
            traffic.bytes(*dir, *bytes, index as i64 * 100_000_000);
        }
        traffic
    }
    use Dir::{Orig, Resp};

    #[test]
    fn the_smallest_answer_accepts() {
        let mut groups = vec![(Orig, 52), (Resp, 52), (Orig, 68), (Resp, 84), (Orig, 148), (Resp, 36)];
        groups.extend([(Orig, 36), (Resp, 36)].repeat(8));
        let estimate = traffic(&groups).finish(false);
        assert_eq!((estimate.success, estimate.attempts, estimate.method), (Some(true), Some(2), Some("unknown")));
        assert_eq!((estimate.interactive, estimate.reverse), (Some(true), Some(false)));
    }

    #[test]
    fn equal_answers_refuse() {
        let mut traffic = traffic(&[(Orig, 52), (Resp, 52), (Orig, 68), (Resp, 84), (Orig, 148), (Resp, 84), (Orig, 148), (Resp, 84)]);
        traffic.ended(Resp);
        let estimate = traffic.finish(false);
        assert_eq!((estimate.success, estimate.attempts, estimate.confidence), (Some(false), Some(3), Some("high")));
        assert_eq!(Traffic::default().finish(false), Estimate::default());
    }
}
