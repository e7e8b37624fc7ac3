//! Table of routing_routes records.

use crate::table;

table! {
    /// One row per prefix announced or withdrawn by any routing protocol (RIP, RIPng, OSPF external and summary LSAs).
    pub struct RoutingRoutes("routing_routes", "route", Link) {
        /// `bgp`, `ospf`, `rip`, `ripng`, `eigrp`, `isis`.
        protocol: word,
        /// `announce` or `withdraw` (BGP withdrawal, metric 16, infinite delay, MaxAge).
        action: word,
        /// Prefix in canonical CIDR.
        @bloom prefix: word,
        /// Its length.
        prefix_len: u8,
        /// Next hop given, else the sender.
        @bloom next_hop: word,
        /// Metric or MED as sent.
        metric: u32,
        /// Route tag.
        tag: u32,
        /// BGP origin AS.
        origin_as: u32,
        /// BGP AS path.
        as_path_text: word,
        /// Advertising router, system id or BGP id.
        router_id: word,
        /// Redistributed from outside the protocol.
        external: bool,
        /// BGP ADD-PATH id.
        path_id: u32,
    }
}
