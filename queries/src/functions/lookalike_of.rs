//! `lookalike_of(name)`: what a name of letters of another script looks like to a reader of Latin ones.
//!
//! Names in other scripts are spelled in ASCII by Punycode (RFC 3492). One that consists of letters which look like those of
//! ASCII, some of them Cyrillic or Greek, is made to be mistaken; a name with umlauts or in a script of its own is not.

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::ScalarUDF;

use super::{FunctionDoc, Kind, of_text};

pub const DOC: FunctionDoc = FunctionDoc {
    name: "lookalike_of",
    kind: Kind::Scalar,
    signature: "lookalike_of(name utf8) -> utf8",
    meaning: "The name in Latin letters that a name with Cyrillic or Greek letters (Punycode, xn--) looks like; null where it does not look like one.",
    example: "lookalike_of('xn--pple-43d.com')",
    gives: "apple.com",
};

/// Letters that look like those of ASCII.
const ALIKE: &[(&str, char)] = &[
    ("\u{430}\u{3b1}\u{251}", 'a'),
    ("\u{44c}", 'b'),
    ("\u{441}\u{3f2}", 'c'),
    ("\u{501}", 'd'),
    ("\u{435}\u{450}\u{451}", 'e'),
    ("\u{261}", 'g'),
    ("\u{4bb}", 'h'),
    ("\u{456}\u{457}\u{3b9}\u{131}", 'i'),
    ("\u{458}", 'j'),
    ("\u{43a}\u{3ba}", 'k'),
    ("\u{4cf}", 'l'),
    ("\u{43e}\u{3bf}\u{3c3}", 'o'),
    ("\u{440}\u{3c1}", 'p'),
    ("\u{51b}", 'q'),
    ("\u{455}", 's'),
    ("\u{3c5}", 'u'),
    ("\u{475}\u{3bd}", 'v'),
    ("\u{461}\u{51d}\u{3c9}", 'w'),
    ("\u{445}\u{3c7}", 'x'),
    ("\u{443}\u{3b3}", 'y'),
];

/// The function.
pub fn function() -> ScalarUDF {
    of_text(DOC.name, DataType::Utf8, lookalike_of)
}

fn lookalike_of(name: &str) -> Option<String> {
    let lower = name.trim_end_matches('.').to_ascii_lowercase();
    let mut found = false;
    let labels: Option<Vec<String>> = lower
        .split('.')
        .map(|label| match label.strip_prefix("xn--") {
            None => Some(label.to_owned()),
            Some(code) => {
                let spelled = decoded(code)?;
                found |= !spelled.is_ascii();
                spelled.chars().map(ascii).collect()
            }
        })
        .collect();
    labels.filter(|_| found).map(|labels| labels.join("."))
}

/// The ASCII letter that a letter is or looks like.
fn ascii(letter: char) -> Option<char> {
    if letter.is_ascii() { Some(letter) } else { ALIKE.iter().find(|(letters, _)| letters.contains(letter)).map(|&(_, ascii)| ascii) }
}

/// What a label's code after `xn--` spells (RFC 3492, 6.2).
fn decoded(code: &str) -> Option<String> {
    let (basic, coded) = code.rsplit_once('-').unwrap_or(("", code));
    let mut letters: Vec<char> = basic.chars().collect();
    let (mut point, mut at, mut bias) = (128u32, 0u32, 72u32);
    let mut digits = coded.bytes().peekable();
    while digits.peek().is_some() {
        let (before, mut weight, mut place) = (at, 1u32, 36u32);
        loop {
            let digit = match digits.next()? {
                octet @ b'a'..=b'z' => u32::from(octet - b'a'),
                octet @ b'0'..=b'9' => u32::from(octet - b'0') + 26,
                _ => return None,
            };
            at = at.checked_add(digit.checked_mul(weight)?)?;
            let limit = place.saturating_sub(bias).clamp(1, 26);
            if digit < limit {
                break;
            }
            weight = weight.checked_mul(36 - limit)?;
            place += 36;
        }
        let length = u32::try_from(letters.len()).ok()?.checked_add(1)?;
        let mut delta = (at - before) / if before == 0 { 700 } else { 2 };
        delta += delta / length;
        let mut steps = 0;
        while delta > 455 {
            delta /= 35;
            steps += 36;
        }
        bias = steps + 36 * delta / (delta + 38);
        point = point.checked_add(at / length)?;
        at %= length;
        letters.insert(usize::try_from(at).ok()?, char::from_u32(point)?);
        at += 1;
    }
    Some(letters.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::{decoded, lookalike_of};

    #[test]
    fn names_that_are_mistaken() {
        assert_eq!(lookalike_of("xn--pple-43d.com").as_deref(), Some("apple.com"));
        assert_eq!(lookalike_of("www.xn--80ak6aa92e.com.").as_deref(), Some("www.apple.com"));
        // Umlauts, a word of another script, and plain names.
        for name in ["xn--bcher-kva.example", "xn--e1afmkfd.xn--p1ai", "example.com", "xn--", "xn--a-", "xn--99999999999", ""] {
            assert_eq!(lookalike_of(name), None, "{name}");
        }
    }

    #[test]
    fn punycode() {
        assert_eq!(decoded("bcher-kva").as_deref(), Some("b\u{fc}cher"));
        assert_eq!(decoded("e1afmkfd").as_deref(), Some("\u{43f}\u{440}\u{438}\u{43c}\u{435}\u{440}"));
    }
}
