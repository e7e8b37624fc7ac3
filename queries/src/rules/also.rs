//! Names of detections that are another's: one event has one finding, which its protocol's own flag raises. Rules may call it by
//! either name.

/// The other name, and the detection that is meant.
const ALSO: &[(&str, &str)] = &[
    ("domain_dcsync", "rpc_dcsync"),
    ("health_amplifier", "udp_amplification"),
    ("health_duplicate_ip", "arp_duplicate_address"),
    ("ip_duplicate_address", "arp_duplicate_address"),
    ("ip_horizontal_scan", "tcp_sweep"),
    ("ip_vertical_scan", "tcp_syn_scan"),
    ("proto_syn_scan", "tcp_syn_scan"),
    ("proto_tcp_flag_scan", "tcp_stealth_scan"),
    ("service_amplifier", "udp_amplification"),
    ("strings_cloud_key", "secret_cloud_key"),
    ("strings_private_key", "secret_private_key"),
    ("tcp_beacon", "beacon_c2"),
    ("tcp_exfil", "exfil_bulk"),
    ("udp_beacon", "beacon_c2"),
    ("udp_exfil", "exfil_bulk"),
];

/// A detection's names, its own first.
pub fn names(detection: String) -> Vec<String> {
    let others: Vec<String> = ALSO.iter().filter(|(_, meant)| *meant == detection).map(|(other, _)| (*other).to_owned()).collect();
    std::iter::once(detection).chain(others).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{ALSO, names};

    #[test]
    fn what_is_meant_exists() {
        let known: BTreeSet<String> =
            crate::analyzer::built_in().into_iter().flat_map(|analyzer| analyzer.findings).map(|finding| finding.id).collect();
        for (_, meant) in ALSO {
            assert!(known.contains(*meant), "{meant}");
        }
    }

    #[test]
    fn own_name_first() {
        assert_eq!(names("rpc_dcsync".to_owned()), ["rpc_dcsync", "domain_dcsync"]);
        assert_eq!(names("dns_tunnel".to_owned()), ["dns_tunnel"]);
    }
}
