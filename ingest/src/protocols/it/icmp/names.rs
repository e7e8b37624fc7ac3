//! IANA's names of ICMP and ICMPv6 types and codes, in snake case.

/// Name of an ICMP type; `None` where IANA has assigned none.
pub fn v4_type(kind: u8) -> Option<&'static str> {
    Some(match kind {
        0 => "echo_reply",
        3 => "destination_unreachable",
        4 => "source_quench",
        5 => "redirect",
        6 => "alternate_host_address",
        8 => "echo_request",
        9 => "router_advertisement",
        10 => "router_solicitation",
        11 => "time_exceeded",
        12 => "parameter_problem",
        13 => "timestamp_request",
        14 => "timestamp_reply",
        15 => "information_request",
        16 => "information_reply",
        17 => "address_mask_request",
        18 => "address_mask_reply",
        30 => "traceroute",
        31 => "datagram_conversion_error",
        32 => "mobile_host_redirect",
        33 => "ipv6_where_are_you",
        34 => "ipv6_i_am_here",
        35 => "mobile_registration_request",
        36 => "mobile_registration_reply",
        37 => "domain_name_request",
        38 => "domain_name_reply",
        39 => "skip",
        40 => "photuris",
        41 => "experimental_mobility",
        42 => "extended_echo_request",
        43 => "extended_echo_reply",
        253 => "experiment_1",
        254 => "experiment_2",
        _ => return None,
    })
}

/// Name of an ICMPv6 type; `None` where IANA has assigned none.
pub fn v6_type(kind: u8) -> Option<&'static str> {
    Some(match kind {
        1 => "destination_unreachable",
        2 => "packet_too_big",
        3 => "time_exceeded",
        4 => "parameter_problem",
        100 | 101 | 200 | 201 => "private_experimentation",
        128 => "echo_request",
        129 => "echo_reply",
        130 => "mld_query",
        131 => "mld_report",
        132 => "mld_done",
        133 => "router_solicitation",
        134 => "router_advertisement",
        135 => "neighbor_solicitation",
        136 => "neighbor_advertisement",
        137 => "redirect",
        138 => "router_renumbering",
        139 => "node_information_query",
        140 => "node_information_response",
        141 => "inverse_neighbor_solicitation",
        142 => "inverse_neighbor_advertisement",
        143 => "mld2_report",
        144 => "home_agent_discovery_request",
        145 => "home_agent_discovery_reply",
        146 => "mobile_prefix_solicitation",
        147 => "mobile_prefix_advertisement",
        148 => "certification_path_solicitation",
        149 => "certification_path_advertisement",
        150 => "experimental_mobility",
        151 => "multicast_router_advertisement",
        152 => "multicast_router_solicitation",
        153 => "multicast_router_termination",
        154 => "fmipv6",
        155 => "rpl_control",
        156 => "ilnpv6_locator_update",
        157 => "duplicate_address_request",
        158 => "duplicate_address_confirmation",
        159 => "mpl_control",
        160 => "extended_echo_request",
        161 => "extended_echo_reply",
        _ => return None,
    })
}

/// Codes of the extended echo reply, the same in both versions (RFC 8335 3).
fn extended_echo_code(code: u8) -> Option<&'static str> {
    ["no_error", "malformed_query", "no_such_interface", "no_such_table_entry", "multiple_interfaces"].get(usize::from(code)).copied()
}

/// Name of a code of an ICMP type; `None` where the type defines no codes or not this one.
pub fn v4_code(kind: u8, code: u8) -> Option<&'static str> {
    let names: &[&'static str] = match kind {
        3 => &[
            "network_unreachable",
            "host_unreachable",
            "protocol_unreachable",
            "port_unreachable",
            "fragmentation_needed",
            "source_route_failed",
            "network_unknown",
            "host_unknown",
            "source_host_isolated",
            "network_prohibited",
            "host_prohibited",
            "network_unreachable_for_tos",
            "host_unreachable_for_tos",
            "admin_prohibited",
            "host_precedence_violation",
            "precedence_cutoff",
        ],
        5 => &["redirect_network", "redirect_host", "redirect_network_for_tos", "redirect_host_for_tos"],
        9 => match code {
            0 => return Some("normal_router"),
            16 => return Some("does_not_route_common_traffic"),
            _ => &[],
        },
        11 => &["ttl_exceeded", "reassembly_time_exceeded"],
        12 => &["pointer_indicates_error", "missing_option", "bad_length"],
        40 => &["bad_spi", "authentication_failed", "decompression_failed", "decryption_failed", "need_authentication", "need_authorization"],
        42 => &["no_error"],
        43 => return extended_echo_code(code),
        _ => &[],
    };
    names.get(usize::from(code)).copied()
}

/// Name of a code of an ICMPv6 type; `None` where the type defines no codes or not this one.
pub fn v6_code(kind: u8, code: u8) -> Option<&'static str> {
    let names: &[&'static str] = match kind {
        1 => &[
            "no_route",
            "admin_prohibited",
            "beyond_scope",
            "address_unreachable",
            "port_unreachable",
            "source_policy_failed",
            "reject_route",
            "source_routing_header_error",
            "headers_too_long",
        ],
        3 => &["hop_limit_exceeded", "reassembly_time_exceeded"],
        4 => &[
            "erroneous_header",
            "unrecognized_next_header",
            "unrecognized_option",
            "incomplete_header_chain",
            "segment_routing_upper_layer_error",
            "unrecognized_next_header_at_intermediate_node",
            "extension_header_too_big",
            "extension_header_chain_too_long",
            "too_many_extension_headers",
            "too_many_options",
            "option_too_big",
        ],
        138 => match code {
            0 => return Some("command"),
            1 => return Some("result"),
            255 => return Some("sequence_number_reset"),
            _ => &[],
        },
        139 => &["subject_ipv6", "subject_name", "subject_ipv4"],
        140 => &["successful", "refused", "unknown_qtype"],
        160 => &["no_error"],
        161 => return extended_echo_code(code),
        _ => &[],
    };
    names.get(usize::from(code)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_codes_by_type() {
        assert_eq!(v4_code(3, 13), Some("admin_prohibited"));
        assert_eq!(v4_code(3, 16), None);
        assert_eq!(v4_code(8, 0), None);
        assert_eq!(v6_code(3, 0), Some("hop_limit_exceeded"));
        assert_eq!(v6_type(143), Some("mld2_report"));
    }
}
