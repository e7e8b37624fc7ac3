//! Table of LLDP announcements (IEEE 802.1AB).

use crate::table;

table! {
    /// One row per LLDPDU.
    pub struct Lldp("lldp", "message", Link) {
        /// VLAN when tagged.
        vlan_id: u16 = "vlan.id",
        /// Chassis id subtype (4 MAC, 5 network address, 7 local).
        chassis_subtype: u8 = "lldp.chassis.subtype",
        /// Chassis id in its subtype's notation: MAC, network address or text; octets that are no text as `aa:bb:..`.
        chassis_id: word,
        /// Chassis id when it is a MAC.
        chassis_mac: mac = "lldp.chassis.id.mac",
        /// Port id subtype.
        port_subtype: u8 = "lldp.port.subtype",
        /// Port id in its subtype's notation, as chassis_id.
        port_id: text,
        /// Time to live, s; 0 is a shutdown announcement.
        ttl_s: u16 = "lldp.time_to_live",
        /// Port description.
        port_description: text = "lldp.port.desc",
        /// System name.
        system_name: word = "lldp.tlv.system.name",
        /// System description. Here, in the port description and in the system name, line breaks and tabs are written `\n`, `\r`, `\t`.
        system_description: text = "lldp.tlv.system.desc",
        /// System capabilities (`bridge`, `router`, `telephone`, `wlan_ap`, `station`, ...).
        capabilities: list_text,
        /// Those enabled.
        enabled_capabilities: list_text,
        /// Management addresses: IPv4, IPv6, else octets as `aa:bb:..`.
        management_addresses: list_text = "lldp.mgn.addr.ip4",
        /// OIDs beside them.
        management_oids: list_text,
        /// 802.1 port VLAN.
        port_vlan_id: u16 = "lldp.ieee.802_1.port_vlan.id",
        /// 802.1 VLAN names as `id name`.
        vlan_names: list_text,
        /// 802.3 MTU.
        max_frame_size: u16 = "lldp.ieee.802_3.max_frame_size",
        /// 802.3 advertised speeds and duplex, as `100BASE-TX 100BASE-TX-FD`; `disabled` or `unsupported` without auto-negotiation.
        autoneg: word,
        /// 802.3 power via MDI, as `pse class 4 enabled` or `pd class 2`.
        poe_class: word,
        /// LLDP-MED device class: `endpoint_class_1` (generic), `endpoint_class_2` (media), `endpoint_class_3` (telephone), `network_connectivity`.
        med_class: word,
        /// LLDP-MED VLAN of the first network policy; null when the policy is unknown.
        med_vlan: u16 = "lldp.media.vlan_id",
        /// LLDP-MED inventory as `name=value`: hardware, firmware, software, serial, manufacturer, model, asset.
        med_inventory: list_text,
        /// PROFINET station name of an announcer that sends PNO TLVs (OUI 00-0E-CF): its alias, else from port id or chassis id.
        profinet_station: text,
        /// MUD URL (RFC 8520).
        mud_url: text,
        /// `type/oui/subtype` of TLVs not decoded.
        unknown_tlvs: list_text,
        /// Columns that changed against the announcement before of the same chassis and port in this VLAN, to the same group address; null if none did.
        changed_fields: list_text,
        /// `missing_mandatory`, `bad_tlv_length`, `bad_order`, `truncated`; null when sound.
        malformed: word,
    }
}
