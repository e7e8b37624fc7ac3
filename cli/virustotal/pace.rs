//! No more than so many questions a minute.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What the rate is counted over.
const MINUTE: Duration = Duration::from_secs(60);

/// The times of the last questions.
#[derive(Debug)]
pub struct Pace {
    /// Questions a minute, 1 at least.
    rate: usize,
    asked: VecDeque<Instant>,
}

impl Pace {
    /// A pace of so many questions in any minute.
    pub fn new(rate: usize) -> Self {
        Self { rate: rate.max(1), asked: VecDeque::new() }
    }

    /// How long to wait before the next question.
    pub fn wait(&self, now: Instant) -> Duration {
        match self.asked.front() {
            Some(first) if self.asked.len() >= self.rate => MINUTE.saturating_sub(now.saturating_duration_since(*first)),
            _ => Duration::ZERO,
        }
    }

    /// Notes a question.
    pub fn asks(&mut self, now: Instant) {
        if self.asked.len() >= self.rate {
            self.asked.pop_front();
        }
        self.asked.push_back(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_minute_holds_more_than_the_rate() {
        let start = Instant::now();
        let mut pace = Pace::new(4);
        let (mut now, mut times) = (start, Vec::new());
        for _ in 0..10 {
            now += pace.wait(now);
            pace.asks(now);
            times.push((now - start).as_secs());
            now += Duration::from_secs(1);
        }
        assert_eq!(times, [0, 1, 2, 3, 60, 61, 62, 63, 120, 121]);
    }
}
