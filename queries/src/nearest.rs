//! The name that somebody may have meant.

/// The known name nearest to `given`, if any is near enough to be meant.
pub fn name<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let letters: Vec<char> = given.chars().collect();
    let near = |known: &'a str| {
        let distance = distance(&letters, &known.chars().collect::<Vec<_>>());
        (distance <= letters.len().max(3) / 3).then_some((distance, known))
    };
    known.into_iter().filter_map(near).min().map(|(_, known)| known)
}

/// Letters to add, drop, change or swap with their neighbour to make one word of the other.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut least = (last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn near_names() {
        let known = ["dns", "dnp3", "limit_protocols", "http"];
        assert_eq!(name("dnss", known), Some("dns"));
        assert_eq!(name("htpt", known), Some("http"));
        assert_eq!(name("limit_protocol", known), Some("limit_protocols"));
        assert_eq!(name("zebra", known), None);
    }
}
