//! Table of vrrp records.

use crate::table;

table! {
    /// One row per VRRP advertisement (and CARP, told apart by its payload).
    pub struct Vrrp("vrrp", "message", Network) {
        /// 2 or 3.
        version: u8 = "vrrp.version",
        /// The message is CARP, not VRRP.
        carp: bool,
        /// Virtual router id.
        virtual_router_id: u8 = "vrrp.virt_rtr_id",
        /// Priority; 255 the address owner, 0 the master resigns.
        priority: u8 = "vrrp.prio",
        /// Interval in ms (v2 seconds, v3 centiseconds).
        advert_interval_ms: u32,
        /// Addresses backed up.
        virtual_ips: list_text = "vrrp.ip_addr|vrrp.ipv6_addr",
        /// Version 2: 0 none, 1 simple text, 2 AH.
        auth_type: u8 = "vrrp.auth_type",
        /// Simple text.
        @secret auth_text: text = "vrrp.auth_string",
        /// TTL; must be 255.
        ttl: u8 = "ip.ttl|ipv6.hlim",
    }
}
