//! Nothing from a packet reaches a terminal raw.

use std::fmt::Write as _;

/// A text with everything that could steer a terminal or mislead a reader spelled out: control characters as `\x1b`, bidi
/// controls, zero-width characters, separators and tags as `\u{202e}`.
pub fn text(raw: &str) -> String {
    if !raw.chars().any(dangerous) {
        return raw.to_owned();
    }
    let mut safe = String::with_capacity(raw.len() + 8);
    for letter in raw.chars() {
        match letter {
            '\n' => safe.push_str("\\n"),
            '\t' => safe.push_str("\\t"),
            '\r' => safe.push_str("\\r"),
            control if (control as u32) < 0xa0 && control.is_control() => {
                // Writing into a String cannot fail.
                let _ = write!(safe, "\\x{:02x}", control as u32);
            }
            other if dangerous(other) => {
                let _ = write!(safe, "\\u{{{:x}}}", other as u32);
            }
            other => safe.push(other),
        }
    }
    safe
}

/// Controls (C0, DEL, C1) and characters of Unicode that are invisible or turn the reading direction.
fn dangerous(letter: char) -> bool {
    letter.is_control()
        || matches!(letter as u32,
            0x00ad | 0x061c | 0x180e | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfeff | 0xfff9..=0xfffb | 0xe0000..=0xe0fff)
}

#[cfg(test)]
mod tests {
    #[test]
    fn spells_out() {
        assert_eq!(super::text("a\x1b[2Jb\n\u{202e}\u{85}"), "a\\x1b[2Jb\\n\\u{202e}\\x85");
        assert_eq!(super::text("Grüße 漢"), "Grüße 漢");
    }
}
