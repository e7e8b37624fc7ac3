//! Table of bgp records.

use crate::table;

table! {
    /// One row per BGP message; TCP reassembled, several messages a segment.
    pub struct Bgp("bgp", "message", Network) {
        /// 1 open, 2 update, 3 notification, 4 keepalive, 5 route refresh.
        message_type: u8 = "bgp.type",
        /// `open`, `update`, `notification`, `keepalive`, `route_refresh`.
        message_type_name: word,
        /// Message length.
        length: u16 = "bgp.length",
        /// Open: version.
        version: u8 = "bgp.open.version",
        /// Open: AS number; that of capability 65 when present, not the AS_TRANS 23456 of the header.
        my_as: u32,
        /// Open: hold time.
        hold_time_s: u16 = "bgp.open.holdtime",
        /// Open: router id.
        bgp_id: word = "bgp.open.identifier",
        /// Open: capability names.
        capabilities: list_text,
        /// Open: FQDN capability host.domain.
        hostname: word = "bgp.cap.orf.fqdn.hostname",
        /// Open: RFC 9234 role.
        role: word,
        /// Update: prefixes announced, IPv4 and MP_REACH.
        announced: list_text,
        /// Update: prefixes withdrawn, IPv4 and MP_UNREACH.
        withdrawn: list_text,
        /// `igp`, `egp`, `incomplete`.
        origin: word,
        /// AS path in order; sets flattened.
        as_path: list_u32,
        /// AS path as text, sets in braces.
        as_path_text: word,
        /// Last AS of the path.
        origin_as: u32,
        /// Next hop, IPv4 or MP_REACH.
        @bloom next_hop: word = "bgp.update.path_attribute.next_hop|bgp.update.path_attribute.mp_reach_nlri.next_hop.ipv6",
        /// Multi-exit discriminator.
        med: u32 = "bgp.update.path_attribute.multi_exit_disc",
        /// Local preference.
        local_pref: u32 = "bgp.update.path_attribute.local_pref",
        /// Communities as:value.
        communities: list_text,
        /// Large communities a:b:c.
        large_communities: list_text,
        /// Extended communities, type:value.
        ext_communities: list_text,
        /// Route reflection originator.
        originator_id: word = "bgp.update.path_attribute.originator_id",
        /// Address family: `ipv4/unicast`, `l2vpn/evpn`, ...
        afi_safi: word,
        /// Empty update that ends the initial table.
        end_of_rib: bool,
        /// Notification: major code.
        error_code: u8 = "bgp.notify.major_error",
        /// Notification: minor code.
        error_subcode: u8 = "bgp.notify.minor_error_open|bgp.notify.minor_error_update|bgp.notify.minor_error_cease|bgp.notify.minor_error_expired|bgp.notify.minor_error_state|bgp.notify.minor_error_unknown",
        /// Both by name: `cease/administrative_shutdown`, `hold_timer_expired`.
        error: word,
        /// RFC 9003 text.
        shutdown_communication: text = "bgp.notify.communication",
        /// `md5` or `ao` when the segment carried that TCP option, else null.
        tcp_authentication: word,
        /// TTL; 255 suggests TTL security, 1 a plain external session.
        ttl: u8 = "ip.ttl|ipv6.hlim",
    }
}
