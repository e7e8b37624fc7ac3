//! Table of igmp records.

use crate::table;

table! {
    /// One row per IGMP message (v1, v2, v3; RGMP and DVMRP told apart). MLD is in `icmp`.
    pub struct Igmp("igmp", "message", Link) {
        /// IGMP version.
        version: u8 = "igmp.version",
        /// 0x11 query, 0x12 v1 report, 0x16 v2 report, 0x17 leave, 0x22 v3 report.
        message_type: u8 = "igmp.type",
        /// `membership_query`, `v1_report`, `v2_report`, `leave`, `v3_report`, `dvmrp`, `rgmp`, `mtrace`.
        message_type_name: word,
        /// Group; 0.0.0.0 in a general query.
        @bloom group: word = "igmp.maddr",
        /// Every group named.
        groups: list_text = "igmp.maddr",
        /// Version 3 report: record types.
        record_types: list_u8 = "igmp.record_type",
        /// Sources listed.
        sources: list_text = "igmp.saddr",
        /// Maximum response time in ms.
        max_response_ms: u32,
        /// Version 3 query: QQIC decoded.
        querier_interval_s: u32,
        /// Version 3 query: QRV.
        robustness: u8 = "igmp.qrv",
        /// IP router-alert option present.
        router_alert: bool,
        /// TTL; must be 1.
        ttl: u8 = "ip.ttl",
    }
}
