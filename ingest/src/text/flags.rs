//! Flags of capture-the-flag games: `flag{...}` and its kin, also rotated or reversed.

use pcapper_schema::TableSet;

use super::triggers::{FLAG, Found, rotated};
use super::{Hit, Kept, Place, string};

/// Wrappers: what ends the word before the brace. The name may stand before it, as in `picoCTF{`.
static WRAPPERS: &[&str] = &["flag{", "ctf{", "htb{", "thm{"];
/// Characters between the braces.
const SHORTEST: usize = 4;
const LONGEST: usize = 128;

/// Writes the flags in a text that was found by undoing `chain`.
pub fn find(tables: &mut TableSet, kept: &mut Kept, place: &Place<'_>, text: &str, found: Found, chain: &[&str]) {
    if !found.has(FLAG) {
        return;
    }
    let hits = plain(text);
    for (at, flag) in &hits {
        write(tables, kept, place, *at, flag, chain);
    }
    if !hits.is_empty() {
        return;
    }
    for by in 1..26u8 {
        // The text was written `by` letters on from what it says.
        let back = rotated(text, by);
        for (at, flag) in plain(&back) {
            let step = format!("rot{}", 26 - by);
            write(tables, kept, place, at, &flag, &[chain, &[step.as_str()]].concat());
        }
    }
    let reversed: String = text.chars().rev().collect();
    for (at, flag) in plain(&reversed) {
        write(tables, kept, place, text.len().saturating_sub(at + flag.len()), &flag, &[chain, &["reverse"]].concat());
    }
}

fn write(tables: &mut TableSet, kept: &mut Kept, place: &Place<'_>, at: usize, flag: &str, chain: &[&str]) {
    let inside = flag.split_once('{').map_or("", |(_, inside)| inside.trim_end_matches('}'));
    let empty = inside.bytes().all(|octet| matches!(octet, b'.' | b'x' | b'X' | b'*' | b'_' | b'?' | b'#' | b' '));
    string(tables, kept, place, Hit { kind: if empty { "flag_placeholder" } else { "flag" }, at: at as u64, text: flag, chain, ..Hit::default() });
}

/// Flags as they stand in a text, and where.
pub fn plain(text: &str) -> Vec<(usize, String)> {
    let lower = text.to_ascii_lowercase();
    let mut found: Vec<(usize, String)> = Vec::new();
    for wrapper in WRAPPERS {
        for (at, _) in lower.match_indices(wrapper) {
            let inside = at + wrapper.len();
            let Some(length) = text.get(inside..).and_then(|rest| rest.find('}')) else { continue };
            let Some(content) = text.get(inside..inside + length) else { continue };
            let count = content.chars().count();
            let is_code = content.contains([';', '{', '\n', '\r'])
                || content.contains("\":")
                || content.contains(": ")
                || content.chars().any(char::is_control);
            if !(SHORTEST..=LONGEST).contains(&count) || is_code {
                continue;
            }
            let start = at
                - text
                    .as_bytes()
                    .get(..at)
                    .unwrap_or_default()
                    .iter()
                    .rev()
                    .take(16)
                    .take_while(|octet| octet.is_ascii_alphanumeric() || **octet == b'_')
                    .count();
            if let Some(flag) = text.get(start..=inside + length)
                && !found.iter().any(|(_, known)| known.as_str() == flag)
            {
                found.push((start, flag.to_owned()));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapped() {
        assert_eq!(plain("x picoCTF{g00d_j0b} y"), [(2, "picoCTF{g00d_j0b}".to_owned())]);
        assert_eq!(plain(".flag{color:red;}"), []);
        assert_eq!(plain("flag{abc}"), []);
        assert_eq!(plain("flag{never closed"), []);
        assert_eq!(rotated("synt{grfg}", 13), "flag{test}");
    }
}
