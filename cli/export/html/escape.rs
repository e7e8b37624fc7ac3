//! Nothing from a packet becomes markup.

use crate::render::escape;

/// A text that is safe as content of an element and in a quoted attribute, of HTML and of SVG alike. Controls, bidi controls and
/// invisible characters are spelled out first.
pub fn text(raw: &str) -> String {
    let spelled = escape::text(raw);
    if !spelled.contains(['&', '<', '>', '"', '\'']) {
        return spelled;
    }
    let mut safe = String::with_capacity(spelled.len() + 16);
    for letter in spelled.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// The first `most` characters of a text, and how many more there are.
pub fn cut(raw: &str, most: usize) -> (&str, usize) {
    match raw.char_indices().nth(most) {
        Some((end, _)) => {
            let (kept, left) = raw.split_at(end);
            (kept, left.chars().count())
        }
        None => (raw, 0),
    }
}

/// As [`text`], at most so long, with `…` where something was cut: for labels in drawings.
pub fn label(raw: &str, most: usize) -> String {
    match cut(raw, most) {
        (kept, 0) => text(kept),
        _ => format!("{}…", text(cut(raw, most.saturating_sub(1)).0)),
    }
}

/// A name as it may stand in an `id` and behind `#`.
pub fn anchor(name: &str) -> String {
    name.chars().map(|letter| if letter.is_ascii_alphanumeric() || letter == '_' { letter } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_markup() {
        assert_eq!(text("<b a=\"1\" c='2'>&\u{202e}\0"), "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;\\u{202e}\\x00");
        assert_eq!(cut("äöü", 2), ("äö", 1));
        assert_eq!(label("abcdef", 4), "abc…");
        assert_eq!(anchor("a\" onload=x"), "a--onload-x");
    }
}
