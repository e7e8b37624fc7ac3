//! `cidr_match(network, ip)`: whether an address lies in a network such as `10.0.0.0/8`.

use std::net::IpAddr;
use std::sync::Arc;

use datafusion::arrow::array::BooleanArray;
use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};

use super::pairs;

/// The function.
pub fn function() -> ScalarUDF {
    let body = |arguments: &[ColumnarValue]| {
        let matches: BooleanArray = pairs(arguments)?.into_iter().map(|(network, ip)| matches(&network?, &ip?)).collect();
        Ok(ColumnarValue::Array(Arc::new(matches)))
    };
    create_udf("cidr_match", vec![DataType::Utf8, DataType::Utf8], DataType::Boolean, Volatility::Immutable, Arc::new(body))
}

/// Whether the address lies in the network; `None` where either is malformed.
pub fn matches(network: &str, ip: &str) -> Option<bool> {
    let (base, length) = match network.split_once('/') {
        Some((base, length)) => (base, Some(length.parse::<u32>().ok()?)),
        None => (network, None),
    };
    let (base, ip): (IpAddr, IpAddr) = (base.parse().ok()?, ip.parse().ok()?);
    let (base, ip, width) = match (base, ip) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (u128::from(a.to_bits()), u128::from(b.to_bits()), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits(), b.to_bits(), 128),
        _ => return Some(false),
    };
    let length = length.unwrap_or(width);
    let shift = width.checked_sub(length)?;
    Some(base.checked_shr(shift).unwrap_or(0) == ip.checked_shr(shift).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn networks() {
        assert_eq!(matches("10.0.0.0/8", "10.255.1.2"), Some(true));
        assert_eq!(matches("10.0.0.0/8", "11.0.0.1"), Some(false));
        assert_eq!(matches("0.0.0.0/0", "11.0.0.1"), Some(true));
        assert_eq!(matches("::/0", "2001:db8::1"), Some(true));
        assert_eq!(matches("2001:db8::/32", "2001:db8::1"), Some(true));
        assert_eq!(matches("10.0.0.0/33", "10.0.0.1"), None);
    }
}
