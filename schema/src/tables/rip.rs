//! Table of rip records.

use crate::table;

table! {
    /// One row per RIPv1, RIPv2 or RIPng message; its entries are in `routing_routes`.
    pub struct Rip("rip", "message", Network) {
        /// RIP version; RIPng 1.
        version: u8 = "rip.version|ripng.version",
        /// RIPng (UDP 521, IPv6).
        ripng: bool,
        /// 1 request, 2 response.
        command: u8 = "rip.command|ripng.cmd",
        /// `request`, `response`, ...
        command_name: word,
        /// Request with the single entry family 0, metric 16: asks for everything, withdraws nothing.
        full_table_request: bool,
        /// Route entries, authentication entry left out.
        entry_count: u16,
        /// Prefixes listed (v1: classful or as sent).
        prefixes: list_text,
        /// Their metrics.
        metrics: list_u32 = "rip.metric|ripng.rte.metric",
        /// 2 simple password, 3 keyed digest.
        auth_type: u16 = "rip.auth.type",
        /// Simple password.
        @secret auth_password: text = "rip.auth.passwd",
        /// Digest key id.
        auth_key_id: u8 = "rip.key_id",
        /// Digest sequence.
        auth_sequence: u32 = "rip.seq_num",
    }
}
