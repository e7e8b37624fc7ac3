//! Tables of ospf records.

use crate::table;

table! {
    /// One row per OSPFv2 or OSPFv3 packet.
    pub struct Ospf("ospf", "message", Link) {
        /// 2 or 3.
        version: u8 = "ospf.version",
        /// 1 hello, 2 database description, 3 request, 4 update, 5 acknowledgement.
        message_type: u8 = "ospf.msg",
        /// `hello`, `db_description`, `ls_request`, `ls_update`, `ls_ack`.
        message_type_name: word,
        /// TTL or hop limit; 1 except on virtual links, 255 with TTL security.
        ttl: u8 = "ip.ttl|ipv6.hlim",
        /// Sender's router id.
        @bloom router_id: word = "ospf.srcrouter",
        /// Area in dotted form.
        area_id: word = "ospf.area_id",
        /// Version 3 instance.
        instance_id: u8 = "ospf.instance_id",
        /// Version 2: 0 none, 1 simple password, 2 cryptographic. Version 3 has no such field.
        auth_type: u16 = "ospf.auth.type",
        /// `none`, `simple`, `cryptographic`; version 3: `trailer` (RFC 7166), `ah`.
        auth_type_name: word,
        /// Simple password.
        @secret auth_password: text = "ospf.auth.simple",
        /// Cryptographic key id.
        auth_key_id: u8 = "ospf.auth.crypt.key_id",
        /// Cryptographic sequence number.
        auth_sequence: u32 = "ospf.auth.crypt.seq_nbr",
        /// Hello: mask.
        network_mask: word = "ospf.hello.network_mask",
        /// Hello interval.
        hello_interval_s: u16 = "ospf.hello.hello_interval",
        /// Dead interval.
        dead_interval_s: u32 = "ospf.hello.router_dead_interval",
        /// Router priority.
        priority: u8 = "ospf.hello.router_priority",
        /// DR.
        designated_router: word = "ospf.hello.designated_router",
        /// BDR.
        backup_designated_router: word = "ospf.hello.backup_designated_router",
        /// Neighbours heard.
        neighbors: list_text = "ospf.hello.active_neighbor",
        /// Database description sequence.
        dd_sequence: u32 = "ospf.db.dd_sequence",
        /// Database description MTU.
        interface_mtu: u16 = "ospf.db.interface_mtu",
        /// LSAs (or LSA headers, or requests) carried.
        lsa_count: u32,
    }
}

table! {
    /// One row per LSA, LSA header or LSA request in an OSPF packet.
    pub struct OspfLsas("ospf_lsas", "lsa", Link) {
        /// 2 or 3.
        version: u8 = "ospf.version",
        /// Packet it came in.
        message_type: u8 = "ospf.msg",
        /// Header (description, acknowledgement) or request, not the full LSA.
        header_only: bool,
        /// Packet's sender.
        @bloom router_id: word = "ospf.srcrouter",
        /// Area.
        area_id: word = "ospf.area_id",
        /// Version 2: 1 router, 2 network, 3 and 4 summary, 5 AS external, 7 NSSA, 9-11 opaque. Version 3: 16-bit type.
        lsa_type: u16 = "ospf.lsa|ospf.v3.lsa.type",
        /// `router`, `network`, `summary`, `asbr_summary`, `as_external`, `nssa`, `link`, `intra_area_prefix`, `opaque_area`, ...
        lsa_type_name: word,
        /// Link state id.
        link_state_id: word = "ospf.lsa.id|ospf.link_state_id",
        /// Originator.
        @bloom advertising_router: word = "ospf.advrouter",
        /// Age; 3600 withdraws it.
        age_s: u16 = "ospf.lsa.age",
        /// DoNotAge bit.
        do_not_age: bool = "ospf.lsa.donotage",
        /// Sequence number as stored (starts at 0x80000001, ends at 0x7fffffff).
        sequence: u32 = "ospf.lsa.seqnum",
        /// LSA checksum.
        checksum: u16 = "ospf.lsa.chksum",
        /// LSA length.
        length: u16 = "ospf.lsa.length",
        /// Network, summary or external mask.
        mask: word = "ospf.lsa.network.netmask|ospf.lsa.asext.netmask",
        /// Metric of a summary or external LSA.
        metric: u32 = "ospf.metric",
        /// External LSA: forwarding address.
        forwarding_address: word = "ospf.lsa.asext.fwdaddr",
        /// External route tag.
        external_tag: u32 = "ospf.lsa.asext.extrttag",
        /// Router LSA: links as type:id/data:metric.
        links: list_text,
        /// Router LSA bits: V virtual link end, E AS boundary, B area border.
        router_flags: word,
    }
}
