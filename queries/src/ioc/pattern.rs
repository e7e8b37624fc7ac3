//! Patterns of several facts, looked for among all that one host did.

use std::collections::BTreeMap;

use super::Indicator;

/// One fact of a pattern.
#[derive(Clone, Debug, PartialEq)]
pub struct Atom {
    pub kind: &'static str,
    pub value: String,
}

/// Several facts that together are one indicator.
#[derive(Clone, Debug)]
pub struct Pattern {
    pub id: String,
    /// As written.
    pub text: String,
    /// What the file says of it.
    pub entry: Indicator,
    /// Any of these: steps one after the other, each of facts that must all be there.
    pub alternatives: Vec<Vec<Vec<Atom>>>,
}

/// Where a fact was seen.
#[derive(Clone, Debug)]
pub struct Sighting {
    pub host: String,
    pub capture: String,
    pub pattern: String,
    pub kind: String,
    pub value: String,
    /// Nanoseconds since 1970.
    pub ts: i64,
    pub frame: Option<u64>,
}

/// A pattern that a host fits.
#[derive(Debug, PartialEq)]
pub struct Hit {
    /// Place in the list of patterns.
    pub pattern: usize,
    pub host: String,
    pub capture: String,
    pub ts: i64,
    pub end_ts: i64,
    pub frames: Vec<u64>,
}

/// The hosts that fit a pattern, each at the earliest time it does.
pub fn find(patterns: &[Pattern], sightings: &[Sighting]) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (at, pattern) in patterns.iter().enumerate() {
        let mut hosts: BTreeMap<&str, Vec<&Sighting>> = BTreeMap::new();
        for sighting in sightings.iter().filter(|sighting| sighting.pattern == pattern.id) {
            hosts.entry(&sighting.host).or_default().push(sighting);
        }
        for (host, mut seen) in hosts {
            seen.sort_by_key(|sighting| (sighting.ts, sighting.frame));
            let fits =
                pattern.alternatives.iter().filter_map(|steps| followed(steps, &seen)).min_by_key(|evidence| evidence.last().map(|last| last.ts));
            let Some(evidence) = fits else { continue };
            let (Some(first), Some(last)) = (evidence.iter().min_by_key(|one| one.ts), evidence.iter().max_by_key(|one| one.ts)) else { continue };
            let mut frames: Vec<u64> = evidence.iter().filter_map(|one| one.frame).collect();
            frames.sort_unstable();
            frames.dedup();
            hits.push(Hit { pattern: at, host: host.to_owned(), capture: first.capture.clone(), ts: first.ts, end_ts: last.ts, frames });
        }
    }
    hits
}

/// The earliest sightings that fulfil the steps in order; `None` if one is missing.
fn followed<'a>(steps: &[Vec<Atom>], seen: &[&'a Sighting]) -> Option<Vec<&'a Sighting>> {
    let mut evidence: Vec<&Sighting> = Vec::new();
    let mut after = i64::MIN;
    for step in steps {
        let mut last = after;
        for atom in step {
            let sighting = seen.iter().find(|one| one.ts >= after && one.kind == atom.kind && one.value == atom.value)?;
            last = last.max(sighting.ts);
            evidence.push(sighting);
        }
        after = last;
    }
    Some(evidence)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn atom(value: &str) -> Atom {
        Atom { kind: "domain", value: value.to_owned() }
    }

    fn sighting(host: &str, value: &str, ts: i64) -> Sighting {
        let (host, value) = (host.to_owned(), value.to_owned());
        Sighting { host, capture: "c".to_owned(), pattern: "p".to_owned(), kind: "domain".to_owned(), value, ts, frame: Some(ts as u64) }
    }

    #[test]
    fn order_and_host_matter() {
        let pattern = |alternatives| Pattern { id: "p".to_owned(), text: String::new(), entry: Indicator::default(), alternatives };
        let sequence = pattern(vec![vec![vec![atom("a")], vec![atom("b")]]]);
        let both = pattern(vec![vec![vec![atom("a"), atom("b")]]]);
        let wrong_order = [sighting("h1", "b", 1), sighting("h1", "a", 2)];
        assert_eq!(find(std::slice::from_ref(&sequence), &wrong_order), []);
        assert_eq!(find(std::slice::from_ref(&both), &wrong_order)[0].frames, [1, 2]);
        let two_hosts = [sighting("h1", "a", 1), sighting("h2", "b", 2)];
        assert_eq!(find(&[sequence.clone(), both], &two_hosts), []);
        let late = [sighting("h1", "b", 1), sighting("h1", "a", 2), sighting("h1", "b", 3)];
        assert_eq!(find(&[sequence], &late)[0].end_ts, 3);
    }
}
