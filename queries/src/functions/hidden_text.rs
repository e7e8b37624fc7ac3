//! `hidden_text(octets)`: what a series of octets, written as hexadecimal or as base32 (RFC 4648, 6), says if it is text: `NULL`
//! unless 85 in 100 of its octets are printable and they are of several kinds.

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::ScalarUDF;

use super::{FunctionDoc, Kind, of_text};

/// Longest text that is given, characters.
const MOST: usize = 4096;

pub const DOC: FunctionDoc = FunctionDoc {
    name: "hidden_text",
    kind: Kind::Scalar,
    signature: "hidden_text(octets utf8) -> utf8",
    meaning: "What a series of octets, in hexadecimal or base32, says if it reads as text; null if it does not.",
    example: "hidden_text('7468652073656372657420776f7264')",
    gives: "the secret word",
};

/// The function.
pub fn function() -> ScalarUDF {
    of_text("hidden_text", DataType::Utf8, hidden_text)
}

fn hidden_text(written: &str) -> Option<String> {
    unhex(written).as_deref().and_then(readable).or_else(|| unbase32(written).as_deref().and_then(readable))
}

fn readable(octets: &[u8]) -> Option<String> {
    let printable = octets.iter().filter(|octet| matches!(octet, b'\t' | b'\n' | b'\r' | 0x20..=0x7e)).count();
    let kinds = octets.iter().collect::<std::collections::BTreeSet<_>>().len();
    // A counter goes up all the time.
    let rising = octets.iter().zip(octets.iter().skip(1)).filter(|(one, next)| next >= one).count();
    if octets.len() < 8 || printable * 100 < octets.len() * 85 || kinds < 6 || rising * 10 >= octets.len() * 8 {
        return None;
    }
    Some(octets.iter().take(MOST).map(|&octet| if octet.is_ascii_control() || octet >= 0x7f { '.' } else { char::from(octet) }).collect())
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let digit = |octet: u8| char::from(octet).to_digit(16);
    pairs.iter().map(|[high, low]| Some((digit(*high)? << 4 | digit(*low)?) as u8)).collect()
}

fn unbase32(text: &str) -> Option<Vec<u8>> {
    let (mut octets, mut bits, mut held) = (Vec::new(), 0u32, 0u32);
    for letter in text.trim_end_matches('=').bytes() {
        let value = match letter.to_ascii_uppercase() {
            letter @ b'A'..=b'Z' => letter - b'A',
            letter @ b'2'..=b'7' => letter - b'2' + 26,
            _ => return None,
        };
        bits = (bits << 5 | u32::from(value)) & 0xfff;
        held += 5;
        if held >= 8 {
            held -= 8;
            octets.push((bits >> held & 0xff) as u8);
        }
    }
    Some(octets)
}

#[cfg(test)]
mod tests {
    use super::hidden_text;

    #[test]
    fn octets_as_text() {
        assert_eq!(hidden_text("666c61677b68656c6c6f7d").as_deref(), Some("flag{hello}"));
        assert_eq!(hidden_text("MZWGCZ33NBSWY3DPPU======").as_deref(), Some("flag{hello}"));
        assert_eq!(hidden_text("4040404040404040404040404040"), None);
        assert_eq!(hidden_text("00010203040506070809"), None);
        assert_eq!(hidden_text("4142434445464748494a4b4c4d4e4f"), None);
        assert_eq!(hidden_text("zz"), None);
    }
}
