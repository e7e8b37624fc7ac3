//! `network_of(ip, size)`: the network that an address lies in; `size` is a prefix length (`24`) or a mask (`255.255.255.0`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use datafusion::arrow::array::StringArray;
use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};

use super::{FunctionDoc, Kind, pairs};

pub const DOC: FunctionDoc = FunctionDoc {
    name: "network_of",
    kind: Kind::Scalar,
    signature: "network_of(ip utf8, size utf8) -> utf8",
    meaning: "The network that an address lies in; the size is a prefix length or a mask. Null where either is malformed.",
    example: "network_of('10.1.2.3', '255.255.255.0')",
    gives: "10.1.2.0/24",
};

/// The function.
pub fn function() -> ScalarUDF {
    let body = |arguments: &[ColumnarValue]| {
        let networks: StringArray = pairs(arguments)?.into_iter().map(|(ip, size)| network_of(&ip?, &size?)).collect();
        Ok(ColumnarValue::Array(Arc::new(networks)))
    };
    create_udf("network_of", vec![DataType::Utf8, DataType::Utf8], DataType::Utf8, Volatility::Immutable, Arc::new(body))
}

/// `None` where either is malformed, or the mask has holes.
fn network_of(ip: &str, size: &str) -> Option<String> {
    let length: u32 = match size.parse::<Ipv4Addr>() {
        Ok(mask) => {
            let bits = mask.to_bits();
            (bits.leading_ones() + bits.trailing_zeros() >= 32).then(|| bits.leading_ones())?
        }
        Err(_) => size.parse().ok()?,
    };
    match ip.parse().ok()? {
        IpAddr::V4(ip) => {
            let shift = 32u32.checked_sub(length)?;
            let bits = ip.to_bits().checked_shr(shift).unwrap_or(0).checked_shl(shift).unwrap_or(0);
            Some(format!("{}/{length}", Ipv4Addr::from_bits(bits)))
        }
        IpAddr::V6(ip) => {
            let shift = 128u32.checked_sub(length)?;
            let bits = ip.to_bits().checked_shr(shift).unwrap_or(0).checked_shl(shift).unwrap_or(0);
            Some(format!("{}/{length}", Ipv6Addr::from_bits(bits)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::network_of;

    #[test]
    fn networks() {
        assert_eq!(network_of("10.1.2.3", "255.255.255.0").as_deref(), Some("10.1.2.0/24"));
        assert_eq!(network_of("10.1.2.3", "0").as_deref(), Some("0.0.0.0/0"));
        assert_eq!(network_of("10.1.2.3", "255.0.255.0"), None);
        assert_eq!(network_of("2001:db8:1::7", "64").as_deref(), Some("2001:db8:1::/64"));
        assert_eq!(network_of("10.1.2.3", "33"), None);
    }
}
