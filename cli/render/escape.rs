//! Nothing from a packet reaches a terminal raw.

use std::borrow::Cow;
use std::fmt::Write as _;

/// A path for people. What could steer a terminal is left to [`text`].
pub use pcapper_ingest::capture::targets::display as path;

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

/// A JSON text in which no character can steer a terminal: the same ones as in [`text`], as escapes of JSON. Inside the
/// text controls of C0 are blanks between values: the serializer has spelled out all others.
pub fn json(raw: &str) -> Cow<'_, str> {
    let risky = |letter: char| letter >= '\x7f' && dangerous(letter);
    if !raw.chars().any(risky) {
        return Cow::Borrowed(raw);
    }
    let mut safe = String::with_capacity(raw.len() + 12);
    for letter in raw.chars() {
        if risky(letter) {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                // Writing into a String cannot fail.
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(letter);
        }
    }
    Cow::Owned(safe)
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
        assert_eq!(super::json("[\n\"a\u{202e}\u{9b}\u{e0041}ü\"]"), "[\n\"a\\u202e\\u009b\\udb40\\udc41ü\"]");
    }

    #[cfg(unix)]
    #[test]
    fn paths_need_not_be_text() {
        use std::os::unix::ffi::OsStrExt as _;
        let path = std::path::Path::new(std::ffi::OsStr::from_bytes(b"a\xff\xfeb.pcap"));
        assert_eq!(super::path(path), "a\\xff\\xfeb.pcap");
    }
}
