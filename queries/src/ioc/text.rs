//! Plain lists: one value a line, `#` comments.

use super::{Indicator, Loaded};

/// Reads a list.
pub fn read(name: &str, text: &str, loaded: &mut Loaded) {
    for (at, line) in text.lines().enumerate() {
        // A fragment of a URL is no comment.
        let value = line.split_once(" #").or_else(|| line.split_once("\t#")).map_or(line, |(value, _)| value).trim();
        if value.is_empty() || value.starts_with('#') {
            continue;
        }
        let line = u32::try_from(at + 1).unwrap_or(u32::MAX);
        loaded.add(name, None, value, Indicator { line, feed: Some(name.to_owned()), ..Indicator::default() });
    }
}
