//! What a port announced last: LLDP and CDP repeat themselves, and a change is worth a word.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

use rustc_hash::FxHashMap;

/// Announcing ports remembered; beyond it the oldest are forgotten.
const MAX_PORTS: usize = 1 << 14;

/// Columns and the hashes of their values.
pub type Fingerprint<const N: usize> = [(&'static str, u64); N];

/// The hash of a column's value.
pub fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The last announcement of each port; `None` after its shutdown.
pub struct Announcements<P, const N: usize> {
    ports: FxHashMap<P, Option<Fingerprint<N>>>,
    order: VecDeque<P>,
}

impl<P, const N: usize> Default for Announcements<P, N> {
    fn default() -> Self {
        Self { ports: FxHashMap::default(), order: VecDeque::new() }
    }
}

impl<P: Hash + Eq + Clone, const N: usize> Announcements<P, N> {
    /// Names of the columns that differ from the port's announcement before, which this one replaces.
    pub fn changes(&mut self, port: P, now: Option<Fingerprint<N>>) -> Vec<Cow<'static, str>> {
        if let Some(last) = self.ports.get_mut(&port) {
            let before = std::mem::replace(last, now);
            let pairs = before.iter().flatten().zip(now.iter().flatten());
            return pairs.filter(|(before, now)| before != now).map(|(_, (name, _))| Cow::Borrowed(*name)).collect();
        }
        if self.order.len() >= MAX_PORTS
            && let Some(oldest) = self.order.pop_front()
        {
            self.ports.remove(&oldest);
        }
        self.order.push_back(port.clone());
        self.ports.insert(port, now);
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_told() {
        let mut ports = Announcements::<u8, 2>::default();
        assert!(ports.changes(1, Some([("name", 1), ("vlan", 5)])).is_empty(), "first heard of");
        assert_eq!(ports.changes(1, Some([("name", 1), ("vlan", 6)])), ["vlan"]);
        assert!(ports.changes(1, None).is_empty());
        assert!(ports.changes(1, Some([("name", 2), ("vlan", 6)])).is_empty(), "a new start");
    }
}
