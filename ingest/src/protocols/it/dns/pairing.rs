//! Which response answers which query.
//!
//! Unicast exchanges stay in their flow ([`Conversation`]). Multicast DNS and LLMNR do not: the query goes to a group and
//! the answer comes from whoever knows, to the group or to the asker ([`Groups`], shared by the flows of a worker).

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hasher as _};
use std::net::IpAddr;

use super::types::rr;
use crate::protocols::Dir;

/// Queries remembered in one flow; the oldest is forgotten first.
const MAX_ASKED: usize = 1024;
/// Multicast questions remembered in one worker.
const MAX_HEARD: usize = 1024;
/// How long after it was forgotten a query may still be what a response answers, nanoseconds.
const LATE: i64 = 60 * SECOND;
/// How long an LLMNR query waits for answers.
const LLMNR_WAIT: i64 = 30 * SECOND;
/// How long a multicast DNS question waits: responders delay half a second at most (RFC 6762 section 7.2), and what comes
/// much later is an announcement.
const MDNS_WAIT: i64 = 5 * SECOND;
const SECOND: i64 = 1_000_000_000;

/// What a row of `dns` says of its exchange.
#[derive(Clone, Copy, Default, PartialEq, Debug)]
pub struct Exchange {
    pub request_frame: Option<u64>,
    pub rtt_ms: Option<f64>,
    pub retransmission: Option<bool>,
    pub unsolicited: Option<bool>,
}

impl Exchange {
    fn asked(repeated: bool) -> Self {
        Self { retransmission: Some(repeated), ..Self::default() }
    }

    fn answers(frame: u64, asked: i64, answered: i64) -> Self {
        let nanoseconds = answered.saturating_sub(asked);
        // A clock that was set back gives no round-trip time.
        let rtt_ms = (nanoseconds >= 0).then_some(nanoseconds as f64 / 1e6);
        Self { request_frame: Some(frame), rtt_ms, ..Self::default() }
    }
}

/// A name without regard to case, as a number.
pub fn name_key(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    for byte in name.bytes() {
        hasher.write_u8(byte.to_ascii_lowercase());
    }
    hasher.finish()
}

/// A question or the owner and type of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Question {
    /// [`name_key`] of the name.
    pub name: u64,
    pub kind: u16,
}

/// A query of a flow.
#[derive(Debug)]
struct Asked {
    dir: Dir,
    id: u16,
    question: Option<Question>,
    /// Frame and time of its first copy.
    frame: u64,
    ts: i64,
    answered: bool,
}

/// The queries of one flow.
#[derive(Default, Debug)]
pub struct Conversation {
    asked: VecDeque<Asked>,
    /// When the last unanswered query had to be forgotten.
    forgotten: Option<i64>,
}

impl Conversation {
    /// Takes a query from `dir`.
    pub fn query(&mut self, dir: Dir, id: u16, question: Option<Question>, frame: u64, ts: i64) -> Exchange {
        let known = self.asked.iter().rposition(|q| q.dir == dir && q.id == id && q.question == question);
        if let Some(index) = known {
            if self.asked.get(index).is_some_and(|q| !q.answered) {
                return Exchange::asked(true);
            }
            self.asked.remove(index);
        }
        if self.asked.len() >= MAX_ASKED && self.asked.pop_front().is_some_and(|q| !q.answered) {
            self.forgotten = Some(ts);
        }
        self.asked.push_back(Asked { dir, id, question, frame, ts, answered: false });
        Exchange::asked(false)
    }

    /// Takes a response from `dir`.
    pub fn response(&mut self, dir: Dir, id: u16, question: Option<Question>, ts: i64) -> Exchange {
        // A response need not repeat the question (RFC 5936 section 2.2.1; errors): then the id has to do.
        let same = |q: &Asked| q.question.is_none() || question.is_none() || q.question == question;
        let asked = self.asked.iter_mut().rev().find(|q| q.dir == dir.reverse() && q.id == id && same(q));
        match asked {
            Some(asked) => {
                asked.answered = true;
                Exchange { unsolicited: Some(false), ..Exchange::answers(asked.frame, asked.ts, ts) }
            }
            None => {
                let perhaps_forgotten = self.forgotten.is_some_and(|at| ts.saturating_sub(at) < LATE);
                Exchange { unsolicited: (!perhaps_forgotten).then_some(true), ..Exchange::default() }
            }
        }
    }
}

/// Addresses of a message to or about a group.
#[derive(Clone, Copy, Debug)]
pub struct Ends {
    pub src: Option<IpAddr>,
    pub src_port: Option<u16>,
    pub dst: Option<IpAddr>,
    pub dst_port: Option<u16>,
}

/// A question put to a group.
#[derive(Debug)]
struct Heard {
    mdns: bool,
    id: u16,
    question: Question,
    from: Ends,
    frame: u64,
    ts: i64,
    /// Time of its last copy.
    last: i64,
    answered: bool,
}

impl Heard {
    fn wait(&self) -> i64 {
        if self.mdns { MDNS_WAIT } else { LLMNR_WAIT }
    }

    /// Whether a message from `ends` at `ts` could reach the asker in time.
    fn reached_by(&self, ends: &Ends, ts: i64) -> bool {
        let to_group = self.mdns && ends.dst == self.from.dst && ends.dst_port == self.from.src_port;
        let to_asker = ends.dst == self.from.src && ends.dst_port == self.from.src_port;
        // Who probes for a name and then announces it does not answer itself.
        (to_group || to_asker) && ends.src != self.from.src && ts.saturating_sub(self.last) <= self.wait()
    }
}

/// The questions put to multicast groups.
#[derive(Default, Debug)]
pub struct Groups {
    heard: VecDeque<Heard>,
}

impl Groups {
    /// Takes a query; the first of `questions` decides whether it is a repetition.
    pub fn query(&mut self, mdns: bool, ends: Ends, id: u16, questions: &[Question], frame: u64, ts: i64) -> Exchange {
        while self.heard.front().is_some_and(|h| ts.saturating_sub(h.last) > h.wait()) || self.heard.len() >= MAX_HEARD {
            self.heard.pop_front();
        }
        let mut repeated = false;
        for (index, &question) in questions.iter().enumerate() {
            let same = |h: &Heard| {
                let from = (h.from.src, h.from.src_port, h.from.dst) == (ends.src, ends.src_port, ends.dst);
                h.mdns == mdns && h.id == id && h.question == question && from && ts.saturating_sub(h.last) <= h.wait()
            };
            match self.heard.iter().rposition(same) {
                Some(at) if self.heard.get(at).is_some_and(|h| !h.answered) => {
                    repeated |= index == 0;
                    if let Some(mut heard) = self.heard.remove(at) {
                        heard.last = ts;
                        self.heard.push_back(heard);
                    }
                }
                _ if self.heard.len() < MAX_HEARD => {
                    self.heard.push_back(Heard { mdns, id, question, from: ends, frame, ts, last: ts, answered: false });
                }
                _ => {}
            }
        }
        Exchange::asked(repeated)
    }

    /// Takes an LLMNR response: it repeats id and question (RFC 4795 section 2.1.1) and goes to the asker.
    pub fn llmnr_response(&mut self, ends: Ends, id: u16, question: Option<Question>, ts: i64) -> Exchange {
        let answers = |h: &&mut Heard| !h.mdns && h.id == id && question.is_none_or(|q| q == h.question) && h.reached_by(&ends, ts);
        match self.heard.iter_mut().rev().find(answers) {
            Some(heard) => {
                heard.answered = true;
                Exchange { unsolicited: Some(false), ..Exchange::answers(heard.frame, heard.ts, ts) }
            }
            None => Exchange { unsolicited: Some(true), ..Exchange::default() },
        }
    }

    /// Takes a multicast DNS response: one of its answers is what was asked for. Announcements answer nothing.
    pub fn mdns_response(&mut self, ends: Ends, answers: &[Question], ts: i64) -> Exchange {
        let mut first = None;
        for heard in self.heard.iter_mut().rev() {
            let asked = |a: &Question| a.name == heard.question.name && (a.kind == heard.question.kind || heard.question.kind == rr::ANY);
            if heard.mdns && heard.reached_by(&ends, ts) && answers.iter().any(asked) {
                heard.answered = true;
                first.get_or_insert(Exchange::answers(heard.frame, heard.ts, ts));
            }
        }
        first.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Option<Question> = Some(Question { name: 1, kind: 1 });
    const B: Option<Question> = Some(Question { name: 2, kind: 1 });

    #[test]
    fn unicast() {
        let mut flow = Conversation::default();
        assert_eq!(flow.query(Dir::Orig, 7, A, 1, 0), Exchange::asked(false));
        assert_eq!(flow.query(Dir::Orig, 7, B, 2, 0).retransmission, Some(false));
        assert_eq!(flow.query(Dir::Orig, 7, A, 3, 1_000_000).retransmission, Some(true));
        let answer = flow.response(Dir::Resp, 7, A, 3_000_000);
        assert_eq!(answer, Exchange { request_frame: Some(1), rtt_ms: Some(3.0), retransmission: None, unsolicited: Some(false) });
        // A second answer is to the same query; asking again after it is a new query.
        assert_eq!(flow.response(Dir::Resp, 7, A, 4_000_000).request_frame, Some(1));
        assert_eq!(flow.query(Dir::Orig, 7, A, 6, 5_000_000).retransmission, Some(false));
        assert_eq!(flow.response(Dir::Resp, 7, None, 6_000_000).request_frame, Some(6));
        assert_eq!(flow.response(Dir::Orig, 7, A, 6_000_000).unsolicited, Some(true));
        assert_eq!(flow.response(Dir::Resp, 8, A, 6_000_000).unsolicited, Some(true));
    }

    #[test]
    fn memory_is_bounded_and_admitted() {
        let mut flow = Conversation::default();
        for id in 0..2000 {
            flow.query(Dir::Orig, id, A, u64::from(id), 0);
        }
        assert_eq!(flow.asked.len(), MAX_ASKED);
        assert_eq!(flow.response(Dir::Resp, 0, A, SECOND).unsolicited, None);
        assert_eq!(flow.response(Dir::Resp, 1999, A, SECOND).unsolicited, Some(false));
    }

    #[test]
    fn groups() {
        let ip = |last| Some(IpAddr::from([10, 0, 0, last]));
        let group = Some(IpAddr::from([224, 0, 0, 251]));
        let asks = Ends { src: ip(1), src_port: Some(5353), dst: group, dst_port: Some(5353) };
        let tells = Ends { src: ip(2), src_port: Some(5353), dst: group, dst_port: Some(5353) };
        let question = Question { name: 1, kind: rr::ANY };
        let answer = Question { name: 1, kind: rr::A };
        let mut groups = Groups::default();
        assert_eq!(groups.query(true, asks, 0, &[question], 1, 0).retransmission, Some(false));
        assert_eq!(groups.query(true, asks, 0, &[question], 2, SECOND).retransmission, Some(true));
        assert_eq!(groups.mdns_response(asks, &[answer], SECOND).request_frame, None);
        assert_eq!(groups.mdns_response(tells, &[answer], 2 * SECOND), Exchange::answers(1, 0, 2 * SECOND));
        assert_eq!(groups.mdns_response(tells, &[answer], 9 * SECOND).request_frame, None);

        let asks = Ends { src: ip(1), src_port: Some(50000), dst: Some(IpAddr::from([224, 0, 0, 252])), dst_port: Some(5355) };
        let tells = Ends { src: ip(3), src_port: Some(5355), dst: ip(1), dst_port: Some(50000) };
        groups.query(false, asks, 9, &[answer], 5, 0);
        assert_eq!(groups.llmnr_response(tells, 9, Some(answer), SECOND).request_frame, Some(5));
        assert_eq!(groups.llmnr_response(tells, 8, Some(answer), SECOND).unsolicited, Some(true));
    }
}
