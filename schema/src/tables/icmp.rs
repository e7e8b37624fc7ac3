//! Table of ICMP and ICMPv6 messages (RFC 792, 4443, 4861, 4884, 4950, 3810).

use crate::table;

table! {
    /// One row per ICMP or ICMPv6 message, with Neighbor Discovery and MLD fields and the header of the packet an error quotes. A fragmented message has its row at the fragment that completes it; addresses, TTL and IP version are those of the innermost IP header around it.
    pub struct Icmp("icmp", "message", Link) {
        /// IP version of the header around the message: 4 for ICMP, 6 for ICMPv6.
        ip_version: u8 = "ip.version|ipv6.version",
        /// ICMP type number.
        r#type: u8 = "icmp.type|icmpv6.type",
        /// IANA name of the type, snake_case: `echo_request`, `echo_reply`, `destination_unreachable`, `redirect`, `time_exceeded`, `parameter_problem`, `timestamp_request`, `packet_too_big`, `router_advertisement`, `neighbor_solicitation`, `mld2_report`.
        type_name: word,
        /// ICMP code number.
        code: u8 = "icmp.code|icmpv6.code",
        /// IANA name of the code for this type: `port_unreachable`, `host_unreachable`, `admin_prohibited`, `fragmentation_needed`; null where the type defines no codes.
        code_name: word,
        /// TTL or hop limit of the packet; 255 is mandatory for Neighbor Discovery.
        ttl: u8 = "ip.ttl|ipv6.hlim",
        /// ICMP checksum verified; null when the frame is cut short.
        checksum_ok: bool,
        /// Echo, timestamp, mask or extended-echo identifier, big-endian as on the wire.
        identifier: u16 = "icmp.ident|icmpv6.echo.identifier",
        /// Sequence number, big-endian; one octet in extended echo (RFC 8335).
        sequence: u16 = "icmp.seq|icmpv6.echo.sequence_number",
        /// Reply: frame of the request it answers (same identifier, sequence, addresses swapped; of several echo requests with these, the one whose checksum fits). Null where identifier and sequence stand on different data and no checksum fits.
        response_to: u64 = "icmp.resp_to|icmpv6.resp_to",
        /// Reply: time since the request, ms.
        response_time_ms: f64 = "icmp.resptime|icmpv6.resptime",
        /// Bytes after the 8-byte ICMP header, Ethernet padding excluded (taken from the IP length).
        payload_len: u32,
        /// Bits a byte over the payload; null under 16 bytes or when it was captured in part.
        payload_entropy: f64,
        /// SHA-1 of the payload, lower-case hexadecimal, to count variants and to compare request with reply; null without payload or when it was captured in part.
        payload_sha1: text,
        /// First 64 payload bytes.
        payload_prefix: bytes,
        /// `windows_ping`, `unix_ping` (timestamp then counting bytes), `zero`, `constant`, `counting`, `text`, `ip_packet` (an IP header inside echo data), `quoted_packet`, `random`, `other`. Null without payload, when it was captured in part, and for types that define their payload (Neighbor Discovery, MLD ...).
        payload_class: word,
        /// Echo reply: payload is byte for byte that of its request; null if the request was not seen or either was captured in part.
        payload_matches_request: bool,
        /// Next-hop MTU of fragmentation-needed or packet-too-big.
        mtu: u32 = "icmp.mtu|icmpv6.mtu",
        /// Parameter problem pointer.
        pointer: u32 = "icmp.pointer|icmpv6.pointer",
        /// Redirect: router the receiver is told to use (ICMPv6: target address).
        gateway: ip = "icmp.redir_gw|icmpv6.nd.rd.target_address",
        /// Redirect: destination the new route is for (ICMPv6 field; ICMPv4: quoted destination).
        redirect_destination: ip = "icmpv6.rd.na.destination_address",
        /// Source of the packet quoted by an error.
        quoted_src_ip: ip,
        /// Destination of the packet quoted by an error.
        quoted_dst_ip: ip,
        /// IP protocol of the quoted packet.
        quoted_proto: u8,
        /// Source port of the quoted packet.
        quoted_src_port: u16,
        /// Destination port of the quoted packet: the port that was unreachable.
        quoted_dst_port: u16,
        /// Row in `flows` of the conversation the error is about; null where that conversation is followed apart from the error's own hosts, which is the rule: join on the quoted addresses and ports.
        quoted_flow_id: u64,
        /// MPLS labels in the RFC 4950 extension, outermost first.
        mpls_labels: list_u32 = "icmp.mpls.label",
        /// Neighbor solicitation or advertisement: target address.
        target: ip = "icmpv6.nd.ns.target_address|icmpv6.nd.na.target_address",
        /// Neighbor advertisement R flag.
        na_router: bool = "icmpv6.nd.na.flag.r",
        /// Neighbor advertisement S flag.
        na_solicited: bool = "icmpv6.nd.na.flag.s",
        /// Neighbor advertisement O flag.
        na_override: bool = "icmpv6.nd.na.flag.o",
        /// Source link-layer address option, the first of several: an Ethernet's with colons, any other as hexadecimal.
        source_lladdr: text = "icmpv6.opt.src_linkaddr",
        /// Target link-layer address option, written likewise.
        target_lladdr: text = "icmpv6.opt.target_linkaddr",
        /// Router advertisement: hop limit.
        ra_cur_hop_limit: u8 = "icmpv6.nd.ra.cur_hop_limit",
        /// Router advertisement M flag.
        ra_managed: bool = "icmpv6.nd.ra.flag.m",
        /// Router advertisement O flag.
        ra_other: bool = "icmpv6.nd.ra.flag.o",
        /// Router preference: `low`, `medium`, `high`; null for the reserved value.
        ra_preference: word,
        /// Router lifetime, s; 0 takes the router out of the default list.
        ra_lifetime_s: u32 = "icmpv6.nd.ra.router_lifetime",
        /// Reachable time, ms; 0 is unspecified.
        ra_reachable_ms: u32 = "icmpv6.nd.ra.reachable_time",
        /// Retransmission timer, ms; 0 is unspecified.
        ra_retrans_ms: u32 = "icmpv6.nd.ra.retrans_timer",
        /// Prefix information options as prefix/length.
        prefixes: list_text,
        /// Valid lifetime of each prefix, s.
        prefix_valid_s: list_u32 = "icmpv6.opt.prefix.valid_lifetime",
        /// DNS servers offered.
        rdnss: list_text = "icmpv6.opt.rdnss",
        /// DNS search domains offered.
        dnssl: list_text = "icmpv6.opt.dnssl",
        /// Neighbor Discovery option types in order.
        option_types: list_u8 = "icmpv6.opt.type",
        /// MLD: groups queried, reported or left; `::` in a general query.
        mcast_groups: list_text = "icmpv6.mld.multicast_address|icmpv6.mldr.mar.multicast_address",
        /// MLDv2 record types, one a group.
        mld_record_types: list_u8 = "icmpv6.mldr.mar.record_type",
    }
}
