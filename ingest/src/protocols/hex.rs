//! Octets as lower-case hexadecimal text.

use std::fmt::Write as _;

/// Two digits an octet, nothing between.
pub fn hex(bytes: &[u8]) -> String {
    joined(bytes, "")
}

/// Two digits an octet, `between` them what is given: a colon in hardware addresses and fingerprints.
pub fn joined(bytes: &[u8], between: &str) -> String {
    let mut text = String::with_capacity(bytes.len().saturating_mul(2 + between.len()));
    for (index, octet) in bytes.iter().enumerate() {
        if index > 0 {
            text.push_str(between);
        }
        // Writing to a String cannot fail.
        let _ = write!(text, "{octet:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits() {
        assert_eq!(hex(&[0, 0x0a, 0xff]), "000aff");
        assert_eq!(joined(&[0, 0x0a, 0xff], ":"), "00:0a:ff");
        assert_eq!(joined(&[], ":"), "");
    }
}
