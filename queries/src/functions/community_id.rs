//! `community_id(protocol, src_ip, src_port, dst_ip, dst_port)`: Community ID v1 of a flow, to join with other tools' logs.
//!
//! Base64 of SHA-1 over seed 0, the two ends in order, the protocol number, a zero, and the ports; of ICMP, the type and code
//! stand for the ports as the specification says.

use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use datafusion::arrow::array::{AsArray, StringArray};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};
use sha1::{Digest as _, Sha1};

use super::{FunctionDoc, Kind};

pub const DOC: FunctionDoc = FunctionDoc {
    name: "community_id",
    kind: Kind::Scalar,
    signature: "community_id(protocol utf8, src_ip utf8, src_port, dst_ip utf8, dst_port) -> utf8",
    meaning: "Community ID v1 (seed 0) of a flow: the same for both directions and in Zeek, Suricata, Arkime. protocol is tcp, udp, sctp, icmp, icmpv6 or a number; for ICMP give type and code as ports.",
    example: "community_id('tcp', '128.232.110.120', 34855, '66.35.250.204', 80)",
    gives: "1:LQU9qZlK+B5F3KDmev6m5PMibrg=",
};

/// The function.
pub fn function() -> ScalarUDF {
    let body = |arguments: &[ColumnarValue]| {
        let arrays = ColumnarValue::values_to_arrays(arguments)?;
        let text = |at: usize| arrays[at].as_string::<i32>();
        let number = |at: usize| arrays[at].as_primitive::<Int64Type>();
        let ends = text(1).iter().zip(number(2).iter()).zip(text(3).iter().zip(number(4).iter()));
        let ids = text(0).iter().zip(ends).map(|(protocol, ((src, src_port), (dst, dst_port)))| {
            let port = |port: Option<i64>| u16::try_from(port.unwrap_or_default()).ok();
            community_id(number_of(protocol?)?, src?.parse().ok()?, port(src_port)?, dst?.parse().ok()?, port(dst_port)?)
        });
        Ok(ColumnarValue::Array(Arc::new(ids.collect::<StringArray>())))
    };
    let arguments = vec![DataType::Utf8, DataType::Utf8, DataType::Int64, DataType::Utf8, DataType::Int64];
    create_udf(DOC.name, arguments, DataType::Utf8, Volatility::Immutable, Arc::new(body))
}

/// Number of an IP protocol by the names that tables and other tools use.
pub(crate) fn number_of(protocol: &str) -> Option<u8> {
    match protocol.to_ascii_lowercase().as_str() {
        "icmp" => Some(1),
        "tcp" => Some(6),
        "udp" => Some(17),
        "icmpv6" | "icmp6" | "ipv6-icmp" => Some(58),
        "sctp" => Some(132),
        other => other.parse().ok(),
    }
}

/// Community ID of a flow; `None` for ends of two families.
pub(crate) fn community_id(protocol: u8, src: IpAddr, src_port: u16, dst: IpAddr, dst_port: u16) -> Option<String> {
    let octets = |ip: IpAddr| match ip {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    };
    let (src, dst) = (octets(src), octets(dst));
    if src.len() != dst.len() {
        return None;
    }
    let (src_port, dst_port, is_one_way) = match protocol {
        1 => icmp(&ICMP4, src_port, dst_port),
        58 => icmp(&ICMP6, src_port, dst_port),
        _ => (src_port, dst_port, false),
    };
    let (one, other) = ((src, src_port), (dst, dst_port));
    let (first, second) = if is_one_way || one <= other { (one, other) } else { (other, one) };
    let mut hash = Sha1::new();
    hash.update(0u16.to_be_bytes());
    hash.update(&first.0);
    hash.update(&second.0);
    hash.update([protocol, 0]);
    // Protocols without ports have none in the hash either.
    if matches!(protocol, 1 | 6 | 17 | 58 | 132) {
        hash.update(first.1.to_be_bytes());
        hash.update(second.1.to_be_bytes());
    }
    Some(format!("1:{}", STANDARD.encode(hash.finalize())))
}

/// ICMP messages that answer one another: echo, router, timestamp, information, address mask.
const ICMP4: [(u16, u16); 5] = [(8, 0), (10, 9), (13, 14), (15, 16), (17, 18)];
/// Those of ICMPv6: echo, router, neighbour, multicast listener, who-are-you, home agent.
const ICMP6: [(u16, u16); 6] = [(128, 129), (133, 134), (135, 136), (130, 131), (139, 140), (144, 145)];

/// Type and its counterpart as ports; where there is none, type and code, and the flow goes one way.
fn icmp(pairs: &[(u16, u16)], kind: u16, code: u16) -> (u16, u16, bool) {
    let counterpart = pairs.iter().find_map(|&(ask, answer)| if kind == ask { Some(answer) } else { (kind == answer).then_some(ask) });
    counterpart.map_or((kind, code, true), |counterpart| (kind, counterpart, false))
}

#[cfg(test)]
mod tests {
    use super::community_id;

    #[test]
    fn examples_of_the_specification() {
        let id = |protocol, src: &str, src_port, dst: &str, dst_port| {
            community_id(protocol, src.parse().unwrap(), src_port, dst.parse().unwrap(), dst_port).unwrap()
        };
        assert_eq!(id(6, "128.232.110.120", 34855, "66.35.250.204", 80), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
        assert_eq!(id(6, "66.35.250.204", 80, "128.232.110.120", 34855), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
        assert_eq!(id(17, "192.168.1.52", 54585, "8.8.8.8", 53), "1:d/FP5EW3wiY1vCndhwleRRKHowQ=");
        assert_eq!(id(1, "192.168.0.89", 8, "192.168.0.1", 0), "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=");
    }
}
