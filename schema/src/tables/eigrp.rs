//! Table of eigrp records.

use crate::table;

table! {
    /// One row per EIGRP packet; its routes are in `routing_routes`.
    pub struct Eigrp("eigrp", "message", Network) {
        /// Header version.
        version: u8 = "eigrp.version",
        /// 1 update, 3 query, 4 reply, 5 hello or acknowledgement, 10 SIA query, 11 SIA reply.
        opcode: u8 = "eigrp.opcode",
        /// `update`, `request`, `query`, `reply`, `hello`, `ack`, `sia_query`, `sia_reply`.
        opcode_name: word,
        /// Flags.
        flags: u32 = "eigrp.flags",
        /// Init flag.
        init: bool = "eigrp.flags.init",
        /// Sequence.
        sequence: u32 = "eigrp.seq",
        /// Acknowledge.
        ack: u32 = "eigrp.ack",
        /// Virtual router id.
        virtual_router_id: u16 = "eigrp.vrid",
        /// Autonomous system number.
        asn: u16 = "eigrp.as",
        /// K1 to K6.
        k_values: list_u8,
        /// Hold time.
        hold_time_s: u16 = "eigrp.par.holdtime",
        /// Hello with all K values 255: peer termination.
        goodbye: bool,
        /// Release as major.minor.
        software_version: word,
        /// EIGRP TLV version.
        tlv_version: word,
        /// 2 MD5, 3 SHA2; null without.
        auth_type: u16 = "eigrp.auth.type",
        /// Key id.
        auth_key_id: u32 = "eigrp.auth.keyid",
        /// Stub bits.
        stub_options: u16 = "eigrp.stub_options",
        /// Prefixes carried.
        prefixes: list_text,
        /// Prefixes with infinite metric.
        unreachable_prefixes: list_text,
    }
}
