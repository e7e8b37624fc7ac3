//! Names for files that strangers named: nothing in them can leave its directory, hide, or mean something to a shell or
//! to Windows.

use unicode_normalization::UnicodeNormalization as _;

/// Longest suffix that is kept when a name is cut.
const SUFFIX: usize = 16;

/// The last component of a name, reduced to letters, digits and ` ._-+()`, without leading dots, dashes and blanks or
/// trailing dots and blanks, at most `limit` bytes long with its suffix kept; `file` where nothing is left.
pub fn safe_name(raw: &str, limit: usize) -> String {
    let last = raw.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String = last.nfc().map(|letter| if letter.is_alphanumeric() || " ._-+()".contains(letter) { letter } else { '_' }).collect();
    let mut name = trimmed(&plain).to_owned();
    if is_device(&name) {
        name.insert(0, '_');
    }
    if name.len() > limit {
        let (stem, suffix) = match name.rfind('.') {
            Some(dot) if name.len() - dot <= SUFFIX.min(limit) => name.split_at(dot),
            _ => (name.as_str(), ""),
        };
        let mut end = limit - suffix.len();
        while !stem.is_char_boundary(end) {
            end -= 1;
        }
        name = trimmed(&format!("{}{suffix}", stem.get(..end).unwrap_or_default())).to_owned();
    }
    if name.is_empty() { "file".to_owned() } else { name }
}

fn trimmed(name: &str) -> &str {
    name.trim_start_matches(['.', '-', ' ']).trim_end_matches(['.', ' '])
}

/// Windows takes these names for devices, whatever the suffix.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL")
        || stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT")).is_some_and(|rest| matches!(rest.as_bytes(), [b'1'..=b'9']))
}

#[cfg(test)]
mod tests {
    use super::safe_name;

    #[test]
    fn names_are_tamed() {
        for (raw, safe) in [
            ("../../etc/passwd", "passwd"),
            ("C:\\temp\\evil.exe", "evil.exe"),
            ("..", "file"),
            (".bashrc", "bashrc"),
            ("--help", "help"),
            ("a\x1b[2Jb.txt", "a__2Jb.txt"),
            ("\u{202e}fdp.exe", "_fdp.exe"),
            ("nul.txt", "_nul.txt"),
            ("LPT1", "_LPT1"),
            ("trailing. .", "trailing"),
            ("cafe\u{301}", "caf\u{e9}"),
        ] {
            assert_eq!(safe_name(raw, 120), safe, "{raw:?}");
        }
        let long = safe_name(&format!("{}.tar.gz", "\u{e9}".repeat(200)), 80);
        assert!(long.len() <= 80 && long.ends_with("\u{e9}.gz"), "{long}");
    }
}
