//! Community ID v1: one text that names a conversation in every tool (seed 0).
//!
//! The Corelight community-id specification: SHA-1 over seed, ordered addresses, protocol and ordered ports, in Base64.

use std::net::IpAddr;

use base64::Engine as _;
use sha1::{Digest, Sha1};

/// The id of a conversation. `ports` are source and destination port, or for ICMP what [`icmp_ports`] gives; `None` for
/// protocols without ports.
pub fn community_id(src: IpAddr, dst: IpAddr, proto: u8, ports: Option<(u16, u16)>, one_way: bool) -> String {
    let (sport, dport) = ports.unwrap_or_default();
    let ordered = one_way || src < dst || (src == dst && sport < dport);
    let ((first, first_port), (second, second_port)) = if ordered { ((src, sport), (dst, dport)) } else { ((dst, dport), (src, sport)) };
    let mut hash = Sha1::new();
    hash.update(0u16.to_be_bytes());
    for address in [first, second] {
        match address {
            IpAddr::V4(v4) => hash.update(v4.octets()),
            IpAddr::V6(v6) => hash.update(v6.octets()),
        }
    }
    hash.update([proto, 0]);
    if ports.is_some() {
        hash.update(first_port.to_be_bytes());
        hash.update(second_port.to_be_bytes());
    }
    let mut id = String::with_capacity(30);
    id.push_str("1:");
    base64::engine::general_purpose::STANDARD.encode_string(hash.finalize(), &mut id);
    id
}

/// What stands for ports in ICMP and ICMPv6: the type, and the type that answers it. Where no type does, the code, and the
/// conversation has one direction only.
pub fn icmp_ports(v6: bool, kind: u8, code: u8) -> (u16, u16, bool) {
    let answer = if v6 {
        match kind {
            128 => 129,
            129 => 128, // echo
            133 => 134,
            134 => 133, // router solicitation, advertisement
            135 => 136,
            136 => 135, // neighbour solicitation, advertisement
            130 => 131,
            131 => 130, // multicast listener query, report
            139 => 140,
            140 => 139, // node information
            144 => 145,
            145 => 144, // home agent discovery
            _ => return (u16::from(kind), u16::from(code), true),
        }
    } else {
        match kind {
            8 => 0,
            0 => 8, // echo
            13 => 14,
            14 => 13, // timestamp
            15 => 16,
            16 => 15, // information
            17 => 18,
            18 => 17, // address mask
            10 => 9,
            9 => 10, // router solicitation, advertisement
            _ => return (u16::from(kind), u16::from(code), true),
        }
    };
    (u16::from(kind), answer, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of the specification's own baseline.
    #[test]
    fn baseline() {
        let ip = |text: &str| text.parse().unwrap();
        assert_eq!(community_id(ip("128.232.110.120"), ip("66.35.250.204"), 6, Some((34855, 80)), false), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
        assert_eq!(community_id(ip("66.35.250.204"), ip("128.232.110.120"), 6, Some((80, 34855)), false), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
        assert_eq!(community_id(ip("192.168.1.52"), ip("8.8.8.8"), 17, Some((54585, 53)), false), "1:d/FP5EW3wiY1vCndhwleRRKHowQ=");
    }
}
