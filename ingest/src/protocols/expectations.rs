//! Flows that another one announced: data connections of FTP, for example, or the ports from which TFTP answers.
//!
//! All that two hosts say to each other meets in one worker, so an expectation needs no more than the worker's shared state.

use std::net::IpAddr;

use rustc_hash::FxHashMap;

/// Expectations that are kept at once.
const MAX_EXPECTED: usize = 4096;
/// How long one lasts, nanoseconds.
const LIFETIME_NS: i64 = 60_000_000_000;

/// Who is expected to be spoken to, and what will be spoken there.
#[derive(Default)]
pub struct Expectations(FxHashMap<(IpAddr, u16), (&'static str, i64)>);

impl Expectations {
    /// The next flow with this end speaks `protocol`.
    pub fn expect(&mut self, end: (IpAddr, u16), protocol: &'static str, now: i64) {
        if self.0.len() >= MAX_EXPECTED {
            self.0.retain(|_, (_, until)| *until >= now);
        }
        if self.0.len() < MAX_EXPECTED {
            self.0.insert(end, (protocol, now.saturating_add(LIFETIME_NS)));
        }
    }

    /// What a new flow with this end speaks; asked once for each.
    pub fn take(&mut self, end: (IpAddr, u16), now: i64) -> Option<&'static str> {
        if self.0.is_empty() {
            return None;
        }
        let (protocol, until) = self.0.remove(&end)?;
        (now <= until).then_some(protocol)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expected_once_and_not_for_ever() {
        let end = ("10.0.0.1".parse().unwrap(), 40000);
        let mut expectations = Expectations::default();
        expectations.expect(end, "ftp-data", 0);
        assert_eq!(expectations.take(end, 1), Some("ftp-data"));
        assert_eq!(expectations.take(end, 1), None);
        expectations.expect(end, "ftp-data", 0);
        assert_eq!(expectations.take(end, LIFETIME_NS + 1), None);
    }
}
