//! `ip_scope(ip)` and its kin `is_private(ip)`, `is_public(ip)`, `is_external(ip)`: what reach an address has, by the IANA special-purpose
//! registries (RFC 6890, 1918, 6598, 5737, 3849, 4193). `is_ot(ip)`: whether it is of the industrial networks that the user names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::ScalarUDF;

use super::{FunctionDoc, Kind, Network, of_text};

pub const DOCS: [FunctionDoc; 5] = [
    FunctionDoc {
        name: "ip_scope",
        kind: Kind::Scalar,
        signature: "ip_scope(ip utf8) -> utf8",
        meaning: "Reach of an address by the IANA registries: private, public, link_local, loopback, multicast, broadcast, cgnat, documentation, benchmark, unspecified, reserved, ula.",
        example: "ip_scope('100.64.0.1')",
        gives: "cgnat",
    },
    FunctionDoc {
        name: "is_external",
        kind: Kind::Scalar,
        signature: "is_external(ip utf8) -> bool",
        meaning: "As is_public, with the ranges for documentation, which captures made for teaching use as their Internet.",
        example: "is_external('192.0.2.1')",
        gives: "true",
    },
    FunctionDoc {
        name: "is_ot",
        kind: Kind::Scalar,
        signature: "is_ot(ip utf8) -> bool",
        meaning: "Whether an address lies in an industrial network of the settings ([networks] ot); null where they name none.",
        example: "is_ot('192.168.1.1') IS NULL",
        gives: "true",
    },
    FunctionDoc {
        name: "is_private",
        kind: Kind::Scalar,
        signature: "is_private(ip utf8) -> bool",
        meaning: "Whether an address is private (RFC 1918) or unique local (RFC 4193); null for no address.",
        example: "is_private('192.168.1.1')",
        gives: "true",
    },
    FunctionDoc {
        name: "is_public",
        kind: Kind::Scalar,
        signature: "is_public(ip utf8) -> bool",
        meaning: "Whether an address is reachable in the whole Internet; null for no address.",
        example: "is_public('192.0.2.1')",
        gives: "false",
    },
];

/// The functions. Addresses in `internal` count as private whatever the registries say: they are the user's own. Those in `ot`
/// are of industrial networks.
pub fn functions(internal: &[Network], ot: &[Network]) -> Vec<ScalarUDF> {
    let (internal, ot): (Arc<[Network]>, Arc<[Network]>) = (internal.into(), ot.into());
    let scope = move |text: &str| -> Option<&'static str> {
        let ip: IpAddr = text.parse().ok()?;
        let own = internal.iter().any(|network| network.contains(ip.to_canonical()));
        Some(if own { "private" } else { scope(ip) })
    };
    let (is_private, is_external, is_public) = (scope.clone(), scope.clone(), scope.clone());
    vec![
        of_text("ip_scope", DataType::Utf8, move |text| scope(text).map(str::to_owned)),
        of_text("is_private", DataType::Boolean, move |text| is_private(text).map(|scope| matches!(scope, "private" | "ula"))),
        // Captures made for teaching use the ranges for documentation as their internet.
        of_text("is_external", DataType::Boolean, move |text| is_external(text).map(|scope| matches!(scope, "public" | "documentation"))),
        of_text("is_public", DataType::Boolean, move |text| is_public(text).map(|scope| scope == "public")),
        of_text("is_ot", DataType::Boolean, move |text| {
            let ip: IpAddr = text.parse().ok().filter(|_| !ot.is_empty())?;
            Some(ot.iter().any(|network| network.contains(ip.to_canonical())))
        }),
    ]
}

/// The reach of an address written as text; `None` if it is no address.
pub fn scope_of(text: &str) -> Option<&'static str> {
    text.parse().ok().map(scope)
}

/// `private`, `public`, `link_local`, `loopback`, `multicast`, `broadcast`, `cgnat`, `documentation`, `benchmark`,
/// `unspecified`, `reserved`, `ula`.
pub fn scope(ip: IpAddr) -> &'static str {
    match ip {
        IpAddr::V4(v4) => scope4(v4),
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or_else(|| scope6(v6), scope4),
    }
}

fn scope4(ip: Ipv4Addr) -> &'static str {
    let [a, b, c, _] = ip.octets();
    match (a, b, c) {
        _ if ip.is_unspecified() => "unspecified",
        _ if ip.is_broadcast() => "broadcast",
        _ if ip.is_private() => "private",
        _ if ip.is_loopback() => "loopback",
        _ if ip.is_link_local() => "link_local",
        _ if ip.is_multicast() => "multicast",
        _ if ip.is_documentation() => "documentation",
        (100, 64..=127, _) => "cgnat",
        (198, 18..=19, _) => "benchmark",
        (0 | 240..=255, _, _) | (192, 0, 0) => "reserved",
        _ => "public",
    }
}

fn scope6(ip: Ipv6Addr) -> &'static str {
    let [first, second, ..] = ip.segments();
    match (first, second) {
        _ if ip.is_unspecified() => "unspecified",
        _ if ip.is_loopback() => "loopback",
        _ if ip.is_multicast() => "multicast",
        (0xfe80..=0xfebf, _) => "link_local",
        (0xfc00..=0xfdff, _) => "ula",
        (0x2001, 0x0db8) | (0x3fff, 0..=0x0fff) => "documentation",
        (0x2001, 0x0002) => "benchmark",
        (0x2000..=0x3fff, _) | (0x0064, 0xff9b) => "public",
        _ => "reserved",
    }
}

#[cfg(test)]
mod tests {
    use super::scope;

    #[test]
    fn registries() {
        for (ip, expected) in [
            ("10.1.2.3", "private"),
            ("172.32.0.1", "public"),
            ("100.64.0.1", "cgnat"),
            ("169.254.3.4", "link_local"),
            ("224.0.0.251", "multicast"),
            ("255.255.255.255", "broadcast"),
            ("192.0.2.9", "documentation"),
            ("198.19.0.1", "benchmark"),
            ("fe80::1", "link_local"),
            ("fd00::1", "ula"),
            ("2606:4700::1", "public"),
            ("2001:db8::1", "documentation"),
            ("::ffff:10.0.0.1", "private"),
        ] {
            assert_eq!(scope(ip.parse().unwrap()), expected, "{ip}");
        }
    }
}
