//! `entropy(text)`: Shannon entropy in bits a byte.

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::ScalarUDF;

use super::{FunctionDoc, Kind, of_text};

pub const DOC: FunctionDoc = FunctionDoc {
    name: "entropy",
    kind: Kind::Scalar,
    signature: "entropy(text utf8) -> f64",
    meaning: "Shannon entropy in bits an octet, 0 to 8; null for empty text.",
    example: "entropy('abcd')",
    gives: "2.0",
};

/// The function.
pub fn function() -> ScalarUDF {
    of_text("entropy", DataType::Float64, |text| (!text.is_empty()).then(|| entropy(text.as_bytes())))
}

fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0u32; 256];
    for &byte in bytes {
        counts[usize::from(byte)] += 1;
    }
    let total = bytes.len() as f64;
    // `abs` turns the negative zero of a single symbol into zero.
    counts.iter().filter(|&&count| count > 0).map(|&count| f64::from(count) / total).map(|share| -share * share.log2()).sum::<f64>().abs()
}

#[cfg(test)]
mod tests {
    #[test]
    fn known_values() {
        assert_eq!(super::entropy(b"aaaa"), 0.0);
        assert_eq!(super::entropy(b"abcd"), 2.0);
    }
}
