//! What the sizes of encrypted packets tell of a login.
//!
//! On one connection every refused login (RFC 4252 section 5.1) is answered by a message of one size, and an accepted one by a
//! shorter one. Nothing else about a login can be seen; where the sizes do not tell, nothing is claimed.

use crate::protocols::Dir;

/// Answers that are kept: more than servers let a client try.
const MAX_REPLIES: usize = 64;
/// Bytes by which an accepted login's answer is shorter.
const SHORTER: std::ops::RangeInclusive<u64> = 8..=96;
/// Packets of the client behind an accepted login that make it believable.
const AFTER_SUCCESS: u32 = 4;
/// Largest segment that may be a keystroke or its echo.
const KEYSTROKE: usize = 128;
/// Least keystrokes, and the pause between them (nanoseconds), of somebody typing.
const TYPED: u32 = 10;
const PAUSE: i64 = 20_000_000;

/// The encrypted packets of one connection.
#[derive(Default)]
pub struct Login {
    /// Bytes of the client and of the server.
    pub bytes: [u64; 2],
    /// Sizes of the server's answers: what it sent between two packets of the client.
    replies: Vec<u64>,
    /// Bytes of the answer that is not complete.
    open: u64,
    client_started: bool,
    /// Packets of the client so far.
    packets: u32,
    /// The same at the time when each answer was complete.
    packets_at: Vec<u32>,
    small: u32,
    keys: u32,
    last_key: Option<i64>,
    pending_key: Option<i64>,
    /// The connection was closed.
    pub closed: bool,
    /// Bytes are missing.
    pub lost: bool,
}

/// What was made of it.
#[derive(Default, PartialEq, Eq, Debug)]
pub struct Estimate {
    pub attempts: Option<u32>,
    pub success: Option<bool>,
    pub confidence: Option<&'static str>,
}

impl Login {
    /// Takes one segment of encrypted bytes; `from` is the client as [`Dir::Orig`] or the server as [`Dir::Resp`].
    pub fn segment(&mut self, from: Dir, length: usize, ts: i64) {
        let size = u64::try_from(length).unwrap_or(u64::MAX);
        if let Some(total) = self.bytes.get_mut(from.index()) {
            *total = total.saturating_add(size);
        }
        match from {
            Dir::Orig => {
                self.client_started = true;
                self.finish_reply();
                self.packets = self.packets.saturating_add(1);
                self.pending_key = (length <= KEYSTROKE).then_some(ts);
                if length <= KEYSTROKE {
                    self.small = self.small.saturating_add(1);
                }
            }
            Dir::Resp if self.client_started => {
                self.open = self.open.saturating_add(size);
                if let Some(key) = self.pending_key.take()
                    && length <= KEYSTROKE
                {
                    if self.last_key.is_some_and(|last| key.saturating_sub(last) >= PAUSE) {
                        self.keys = self.keys.saturating_add(1);
                    }
                    self.last_key = Some(key);
                }
            }
            Dir::Resp => {}
        }
    }

    fn finish_reply(&mut self) {
        if self.open > 0 && self.replies.len() < MAX_REPLIES {
            self.replies.push(self.open);
            self.packets_at.push(self.packets);
        }
        self.open = 0;
    }

    /// Judges the answers: the first is that to the service request, the second refuses the login without a password with
    /// which clients ask for the methods.
    pub fn estimate(&mut self) -> Estimate {
        self.finish_reply();
        let [_, refused, rest @ ..] = self.replies.as_slice() else { return Estimate::default() };
        if self.lost {
            return Estimate::default();
        }
        let mut failures = 1u32;
        for (index, reply) in rest.iter().enumerate() {
            if reply == refused {
                failures = failures.saturating_add(1);
            } else if reply > refused {
                // A key that would do, a prompt, or an accepted login with the server's notices: the sizes do not tell.
                continue;
            } else {
                let sent = self.packets_at.get(index.saturating_add(2)).copied().unwrap_or(self.packets);
                let goes_on = self.packets.saturating_sub(sent) >= AFTER_SUCCESS;
                return if SHORTER.contains(&refused.saturating_sub(*reply)) && goes_on {
                    Estimate { attempts: Some(failures.saturating_add(1)), success: Some(true), confidence: Some("medium") }
                } else {
                    Estimate::default()
                };
            }
        }
        if failures >= 2 && rest.iter().all(|reply| reply == refused) && self.closed {
            return Estimate { attempts: Some(failures), success: Some(false), confidence: Some("medium") };
        }
        Estimate::default()
    }

    /// Somebody typed: small segments, each answered by a small one, with pauses between.
    pub fn interactive(&self) -> bool {
        self.keys >= TYPED && self.small.saturating_mul(2) >= self.packets
    }

    /// Where more than a megabyte and four fifths of all went.
    pub fn bulk(&self) -> Option<&'static str> {
        let [up, down] = self.bytes;
        let total = up.saturating_add(down);
        let most = |part: u64| part > 1_000_000 && part / 4 > total.saturating_sub(part);
        if most(up) {
            Some("upload")
        } else if most(down) {
            Some("download")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn talk(sizes: &[(Dir, usize)], closed: bool) -> Estimate {
        let mut login = Login { closed, ..Login::default() };
        sizes.iter().for_each(|(from, size)| login.segment(*from, *size, 0));
        login.estimate()
    }

    const OPENING: [(Dir, usize); 4] = [(Dir::Orig, 48), (Dir::Resp, 48), (Dir::Orig, 64), (Dir::Resp, 80)];

    #[test]
    fn refused_and_accepted() {
        let refused = [&OPENING[..], &[(Dir::Orig, 144), (Dir::Resp, 80), (Dir::Orig, 144), (Dir::Resp, 80)]].concat();
        assert_eq!(talk(&refused, true), Estimate { attempts: Some(3), success: Some(false), confidence: Some("medium") });
        assert_eq!(talk(&refused, false), Estimate::default());
        let work: Vec<_> = (0..4).flat_map(|_| [(Dir::Orig, 100), (Dir::Resp, 200)]).collect();
        let accepted = [&OPENING[..], &[(Dir::Orig, 144), (Dir::Resp, 32)], &work].concat();
        assert_eq!(talk(&accepted, false), Estimate { attempts: Some(2), success: Some(true), confidence: Some("medium") });
        assert_eq!(talk(&OPENING, true), Estimate::default());
    }
}
