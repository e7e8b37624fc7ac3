//! `ptr_address(name)`: the address that a name of the reverse tree stands for (RFC 1035, 3.5; RFC 3596, 2.5).

use std::net::{Ipv4Addr, Ipv6Addr};

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::ScalarUDF;

use super::{FunctionDoc, Kind, of_text};

pub const DOC: FunctionDoc = FunctionDoc {
    name: "ptr_address",
    kind: Kind::Scalar,
    signature: "ptr_address(name utf8) -> utf8",
    meaning: "The address that a name of the reverse tree stands for; null for other names.",
    example: "ptr_address('4.3.2.10.in-addr.arpa')",
    gives: "10.2.3.4",
};

/// The function.
pub fn function() -> ScalarUDF {
    of_text("ptr_address", DataType::Utf8, ptr_address)
}

fn ptr_address(name: &str) -> Option<String> {
    let lower = name.trim_end_matches('.').to_ascii_lowercase();
    if let Some(labels) = lower.strip_suffix(".in-addr.arpa") {
        let octets: Vec<u8> = labels.split('.').rev().map(|label| label.parse().ok()).collect::<Option<_>>()?;
        let octets: [u8; 4] = octets.try_into().ok()?;
        return Some(Ipv4Addr::from(octets).to_string());
    }
    let nibbles = lower.strip_suffix(".ip6.arpa")?;
    let mut value = 0u128;
    let mut count = 0;
    for label in nibbles.split('.').rev() {
        let digit = (label.len() == 1).then(|| u128::from_str_radix(label, 16).ok()).flatten()?;
        value = value.checked_shl(4)? | digit;
        count += 1;
    }
    (count == 32).then(|| Ipv6Addr::from_bits(value).to_string())
}

#[cfg(test)]
mod tests {
    use super::ptr_address;

    #[test]
    fn reverse_names() {
        assert_eq!(ptr_address("4.3.2.10.in-addr.arpa").as_deref(), Some("10.2.3.4"));
        assert_eq!(ptr_address("2.10.in-addr.arpa"), None);
        assert_eq!(ptr_address("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa").as_deref(), Some("2001:db8::1"));
        assert_eq!(ptr_address("www.example.com"), None);
    }
}
