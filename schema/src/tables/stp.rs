//! `stp`: spanning tree bridge protocol data units.

use crate::table;

table! {
    /// One row per spanning tree BPDU: STP, RSTP, MSTP, Cisco PVST+/RPVST+ (SNAP 0x010B).
    pub struct Stp("stp", "message", Link) {
        /// VLAN tag of the frame.
        vlan_id: u16 = "vlan.id",
        /// Protocol version.
        version_code: u8 = "stp.version",
        /// `stp` 0, `rstp` 2, `mstp` 3, `spb` 4, `pvst` when in Cisco SNAP.
        variant: word,
        /// BPDU type.
        bpdu_type_code: u8 = "stp.type",
        /// `config` 0x00, `rst` 0x02, `tcn` 0x80.
        bpdu_type: word,
        /// Topology change is on.
        topology_change: bool = "stp.flags.tc",
        /// Topology change is acknowledged.
        topology_change_ack: bool = "stp.flags.tcack",
        /// Proposal flag.
        proposal: bool = "stp.flags.proposal",
        /// Agreement flag.
        agreement: bool = "stp.flags.agreement",
        /// `unknown` 0, `alternate_backup` 1, `root` 2, `designated` 3.
        port_role: word,
        /// `learning`, `forwarding`, `discarding`.
        port_state: word,
        /// Root's priority, without the extension.
        root_priority: u16 = "stp.root.prio",
        /// Root system id extension (VLAN or instance).
        root_extension: u16 = "stp.root.ext",
        /// Root bridge.
        root_mac: mac = "stp.root.hw",
        /// Cost of the path to the root.
        root_cost: u32 = "stp.root.cost",
        /// Sender's priority, without the extension.
        bridge_priority: u16 = "stp.bridge.prio",
        /// Sending bridge.
        bridge_mac: mac = "stp.bridge.hw",
        /// Sending port: priority and number.
        port_identifier: u16 = "stp.port",
        /// Age of the root's information, seconds.
        message_age_s: f64 = "stp.msg_age",
        /// Age at which it is dropped, seconds.
        max_age_s: f64 = "stp.max_age",
        /// Interval of the root's messages, seconds.
        hello_s: f64 = "stp.hello",
        /// Time spent listening and learning, seconds.
        forward_delay_s: f64 = "stp.forward",
        /// PVST originating VLAN TLV.
        originating_vlan: u16 = "stp.pvst.origvlan",
        /// Name of the MST region.
        mst_region: word = "mstp.config_name",
        /// Revision of the region's configuration.
        mst_revision: u16 = "mstp.config_revision_level",
        /// Digest of the region's VLAN mapping.
        mst_digest: word = "mstp.config_digest",
        /// `truncated`, `bad_version`; null when sound.
        malformed: word,
    }
}
