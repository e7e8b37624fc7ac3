//! Table of isis records.

use crate::table;

table! {
    /// One row per IS-IS PDU, straight on 802.3 LLC (or GRE, cHDLC, PPP).
    pub struct Isis("isis", "message", Link) {
        /// 15, 16 LAN hello; 17 point-to-point hello; 18, 20 LSP; 24, 25 CSNP; 26, 27 PSNP.
        pdu_type: u8 = "isis.type",
        /// `l1_hello`, `l2_hello`, `p2p_hello`, `l1_lsp`, `l2_lsp`, `l1_csnp`, `l2_csnp`, `l1_psnp`, `l2_psnp`.
        pdu_type_name: word,
        /// 1 or 2; null for point-to-point hellos.
        level: u8,
        /// Sender or LSP originator, xxxx.xxxx.xxxx.
        @bloom system_id: word = "isis.hello.source_id|isis.csnp.source_id|isis.psnp.source_id",
        /// Hello: levels.
        circuit_type: u8 = "isis.hello.circuit_type",
        /// Hello: holding time.
        holding_time_s: u16 = "isis.hello.holding_timer",
        /// LAN hello: priority.
        priority: u8 = "isis.hello.priority",
        /// LAN hello: designated system.
        lan_id: word = "isis.hello.lan_id",
        /// Point-to-point three-way state.
        adjacency_state: u8 = "isis.hello.adjacency_state",
        /// Hello: neighbour MACs heard; LSP: neighbour system ids.
        neighbors: list_text = "isis.hello.is_neighbor|isis.lsp.ext_is_reachability.is_neighbor_id",
        /// Area addresses.
        areas: list_text,
        /// Network protocol ids.
        protocols: list_u8 = "isis.hello.clv_nlpid.nlpid|isis.lsp.clv_nlpid.nlpid",
        /// Interface addresses.
        ip_addresses: list_text = "isis.hello.clv_ipv4_int_addr|isis.lsp.clv_ipv4_int_addr",
        /// LSP id with fragment.
        lsp_id: word = "isis.lsp.lsp_id",
        /// LSP sequence.
        lsp_sequence: u32 = "isis.lsp.sequence_number",
        /// Remaining lifetime; 0 purges.
        lsp_lifetime_s: u16 = "isis.lsp.remaining_life",
        /// Overload bit.
        overload: bool = "isis.lsp.overload",
        /// Any attached bit set.
        attached: bool,
        /// Dynamic host name.
        hostname: word = "isis.lsp.hostname",
        /// Authentication TLV: 1 clear text, 54 HMAC-MD5, 3 generic; null without one.
        auth_type: u8,
        /// Clear-text password.
        @secret auth_password: text,
        /// CSNP or PSNP: LSP ids listed.
        lsp_entries: list_text = "isis.csnp.lsp_id",
        /// TLV codes in order.
        tlv_types: list_u8,
    }
}
