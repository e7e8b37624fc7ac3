//! Versions, and the range of them that a plugin asks for.

/// Whether a version such as `0.3.1` lies in a range such as `>=0.3, <1.0`; `None` where the range is none.
pub fn within(version: &str, range: &str) -> Option<bool> {
    let version = numbers(version)?;
    let mut all = true;
    for part in range.split(',').map(str::trim) {
        let (op, wanted) = [">=", "<=", ">", "<", "="].iter().find_map(|op| Some((*op, part.strip_prefix(op)?)))?;
        let wanted = numbers(wanted.trim())?;
        all &= match op {
            ">=" => version >= wanted,
            "<=" => version <= wanted,
            ">" => version > wanted,
            "<" => version < wanted,
            _ => version == wanted,
        };
    }
    Some(all)
}

/// Major, minor, patch; what is not written is 0.
fn numbers(text: &str) -> Option<[u64; 3]> {
    let mut numbers = [0; 3];
    let mut places = numbers.iter_mut();
    for part in text.split('.') {
        *places.next()? = part.parse().ok()?;
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::within;

    #[test]
    fn ranges() {
        assert_eq!(within("0.3.1", ">=0.3, <1.0"), Some(true));
        assert_eq!(within("1.0.0", ">=0.3, <1.0"), Some(false));
        assert_eq!(within("0.10.0", ">0.9"), Some(true));
        assert_eq!(within("1.2.0", "=1.2"), Some(true));
        assert_eq!(within("1.2.0", "about 1"), None);
        assert_eq!(within("1.2.0", ""), None);
    }
}
