//! `cidr_match(network, ip)`: whether an address lies in a network such as `10.0.0.0/8`.

use std::net::IpAddr;
use std::sync::Arc;

use datafusion::arrow::array::BooleanArray;
use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};

use super::{FunctionDoc, Kind, pairs};

pub const DOC: FunctionDoc = FunctionDoc {
    name: "cidr_match",
    kind: Kind::Scalar,
    signature: "cidr_match(network utf8, ip utf8) -> bool",
    meaning: "Whether an address lies in a network of either family; null where one of them is malformed.",
    example: "cidr_match('10.0.0.0/8', '10.255.1.2')",
    gives: "true",
};

/// The function.
pub fn function() -> ScalarUDF {
    let body = |arguments: &[ColumnarValue]| {
        let matches: BooleanArray = pairs(arguments)?.into_iter().map(|(network, ip)| matches(&network?, &ip?)).collect();
        Ok(ColumnarValue::Array(Arc::new(matches)))
    };
    create_udf("cidr_match", vec![DataType::Utf8, DataType::Utf8], DataType::Boolean, Volatility::Immutable, Arc::new(body))
}

/// Whether an address lies in a network; `None` where either is malformed.
pub fn matches(network: &str, ip: &str) -> Option<bool> {
    Some(Network::parse(network)?.contains(ip.parse().ok()?))
}

/// Addresses that share their first bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Network {
    base: IpAddr,
    length: u32,
}

impl Network {
    /// Reads `10.0.0.0/8`, or one address.
    pub fn parse(text: &str) -> Option<Self> {
        let (base, length) = match text.split_once('/') {
            Some((base, length)) => (base, Some(length.parse::<u32>().ok()?)),
            None => (text, None),
        };
        let base: IpAddr = base.parse().ok()?;
        let width = if base.is_ipv4() { 32 } else { 128 };
        let length = length.unwrap_or(width);
        (length <= width).then_some(Self { base, length })
    }

    /// Whether an address lies in it.
    pub fn contains(&self, ip: IpAddr) -> bool {
        let (base, ip, width) = match (self.base, ip) {
            (IpAddr::V4(base), IpAddr::V4(ip)) => (u128::from(base.to_bits()), u128::from(ip.to_bits()), 32),
            (IpAddr::V6(base), IpAddr::V6(ip)) => (base.to_bits(), ip.to_bits(), 128),
            _ => return false,
        };
        // Nothing is left to compare where the network is all addresses.
        (base ^ ip).checked_shr(width - self.length).unwrap_or(0) == 0
    }
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
