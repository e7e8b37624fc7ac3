//! Table of pim records.

use crate::table;

table! {
    /// One row per PIM message.
    pub struct Pim("pim", "message", Network) {
        /// Version.
        version: u8 = "pim.version",
        /// 0 hello, 1 register, 2 register-stop, 3 join/prune, 4 bootstrap, 5 assert, 6 graft, 7 graft-ack, 8 candidate RP.
        message_type: u8 = "pim.type",
        /// `hello`, `register`, `register_stop`, `join_prune`, `bootstrap`, `assert`, `graft`, `graft_ack`, `candidate_rp`, `state_refresh`.
        message_type_name: word,
        /// Hold time.
        holdtime_s: u16 = "pim.holdtime",
        /// Hello: designated-router priority.
        dr_priority: u32 = "pim.dr_priority",
        /// Hello: generation id; a change means a restart.
        generation_id: u32 = "pim.generation_id",
        /// Join/prune: upstream neighbour.
        upstream_neighbor: word = "pim.upstream_neighbor|pim.upstream_neighbor_ip6",
        /// Groups named.
        groups: list_text = "pim.group_address|pim.group|pim.group_ip6",
        /// Joins as source,group; * for every source.
        joins: list_text,
        /// Prunes as source,group; * for every source.
        prunes: list_text,
        /// Bootstrap router.
        bsr: word = "pim.bsr|pim.bsr_ip6",
        /// Its priority.
        bsr_priority: u8 = "pim.bsr_priority",
        /// Rendezvous points.
        rps: list_text = "pim.rp|pim.rp_ip6",
        /// Register: source of the wrapped packet.
        register_source: word,
        /// Register: destination of the wrapped packet.
        register_group: word,
        /// Assert metric.
        metric: u32 = "pim.metric",
    }
}
