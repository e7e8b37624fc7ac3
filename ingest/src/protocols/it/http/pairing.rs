//! Which response answers which request: on one connection, in order (RFC 9112, 9.3).

use std::collections::VecDeque;

use super::head::{Head, Name};

/// Requests remembered without an answer. A capture of one direction only would hold them all.
const MAX_OPEN: usize = 512;

/// What a response's row repeats of its request.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: Box<str>,
    pub host: Option<Box<str>>,
    pub target: Box<str>,
    /// Number of the transaction on the connection, from 1.
    pub depth: u32,
    /// Frame and time of the request's last byte, once it was seen.
    pub done: Option<(u64, i64)>,
    /// A request of HTTP/0.9, whose answer is a body only.
    pub simple: bool,
}

/// The requests of one direction of a connection.
#[derive(Default, Debug)]
pub struct Pairing {
    open: VecDeque<Asked>,
    depth: u32,
    /// The client does not wait for answers.
    pipelines: bool,
    /// Messages may have been missed.
    unsure: bool,
    /// Too many requests without answer: which one a response belongs to cannot be told any more.
    lost: bool,
}

impl Pairing {
    /// Takes a request when its head is complete; its number.
    pub fn request(&mut self, head: &Head) -> u32 {
        self.depth = self.depth.saturating_add(1);
        if self.lost {
            return self.depth;
        }
        if self.open.len() >= MAX_OPEN {
            self.open.clear();
            self.lost = true;
            return self.depth;
        }
        self.pipelines |= !self.open.is_empty() && !self.unsure;
        self.open.push_back(Asked {
            method: head.method().unwrap_or_default().into(),
            host: head.get(Name::Host).map(Into::into),
            target: head.target().unwrap_or_default().into(),
            depth: self.depth,
            done: None,
            simple: head.version() == Some("0.9"),
        });
        self.depth
    }

    /// The body of request number `depth` has ended too.
    pub fn completed(&mut self, depth: u32, frame: u64, ts: i64) {
        if let Some(asked) = self.open.iter_mut().rev().find(|asked| asked.depth == depth) {
            asked.done = Some((frame, ts));
        }
    }

    /// Takes a response when its head is complete: its request, and its number. Interim responses leave the request open.
    pub fn response(&mut self, interim: bool) -> (Option<Asked>, Option<u32>) {
        if self.lost {
            return (None, None);
        }
        if self.unsure && !interim {
            self.unsure = false;
            // A client that waits for its answers has asked nothing since its last request; otherwise order tells nothing.
            let keep = usize::from(!self.pipelines);
            self.open.drain(..self.open.len().saturating_sub(keep));
        }
        let asked = if interim { self.open.front().cloned() } else { self.open.pop_front() };
        let depth = match &asked {
            Some(asked) => asked.depth,
            // Its request was not captured.
            None => self.depth.saturating_add(1),
        };
        if !interim {
            self.depth = self.depth.max(depth);
        }
        (asked, Some(depth))
    }

    /// Messages of this exchange may have been missed.
    pub fn missed(&mut self) {
        self.unsure = true;
    }

    /// The request that the next response answers.
    pub fn next(&self) -> Option<&Asked> {
        self.open.front()
    }

    /// The last request.
    pub fn last(&self) -> Option<&Asked> {
        self.open.back()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(pairing: &mut Pairing, target: &str) {
        let mut head = Head::default();
        head.parse(format!("GET {target} HTTP/1.1\r\n\r\n").as_bytes());
        pairing.request(&head);
    }

    fn answered(pairing: &mut Pairing, interim: bool) -> Option<(String, u32)> {
        pairing.response(interim).0.map(|asked| (asked.target.into(), asked.depth))
    }

    #[test]
    fn in_order() {
        let mut pairing = Pairing::default();
        ask(&mut pairing, "/a");
        ask(&mut pairing, "/b");
        assert_eq!(answered(&mut pairing, true), Some(("/a".into(), 1)));
        assert_eq!(answered(&mut pairing, false), Some(("/a".into(), 1)));
        assert_eq!(answered(&mut pairing, false), Some(("/b".into(), 2)));
        assert_eq!(pairing.response(false).1, Some(3));
    }

    #[test]
    fn behind_a_gap_only_what_is_sure() {
        let mut pairing = Pairing::default();
        ask(&mut pairing, "/a");
        pairing.missed();
        ask(&mut pairing, "/b");
        assert_eq!(answered(&mut pairing, false), Some(("/b".into(), 2)));

        let mut pairing = Pairing::default();
        ask(&mut pairing, "/a");
        ask(&mut pairing, "/b");
        pairing.missed();
        assert_eq!(answered(&mut pairing, false), None);
    }
}
