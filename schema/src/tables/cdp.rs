//! `cdp`: Cisco Discovery Protocol.

use crate::table;

table! {
    /// One row per CDP message (LLC SNAP 00-00-0C 0x2000).
    pub struct Cdp("cdp", "message", Link) {
        /// 1 or 2.
        version: u8 = "cdp.version",
        /// Seconds a neighbour keeps this announcement.
        ttl_s: u8 = "cdp.ttl",
        /// The message's checksum is right, by Cisco's own way of padding an odd octet; null where the frame was cut.
        checksum_ok: bool,
        /// Name of the device, often with its domain or serial number.
        device_id: text = "cdp.deviceid",
        /// Interface the message left through.
        port_id: text = "cdp.portid",
        /// Model.
        platform: text = "cdp.platform",
        /// Operating system, as the device describes it.
        software_version: text,
        /// `router`, `switch`, `host`, `igmp`, `repeater`, `phone`, `remote`.
        capabilities: list_text,
        /// Addresses of the interface.
        addresses: list_text = "cdp.nrgyz.ip_address",
        /// Addresses for management.
        management_addresses: list_text,
        /// Untagged VLAN of the port.
        native_vlan: u16 = "cdp.native_vlan",
        /// VLAN for telephones.
        voice_vlan: u16 = "cdp.voice_vlan",
        /// Full duplex.
        duplex: bool = "cdp.duplex",
        /// VTP management domain.
        vtp_domain: word = "cdp.vtp_management_domain",
        /// Configured name.
        system_name: word = "cdp.system_name",
        /// Power the device consumes, milliwatts.
        power_mw: u32 = "cdp.power_consumption",
        /// Where it stands, as configured.
        location: text = "cdp.location",
        /// Columns that changed against the same device and port before.
        changed_fields: list_text,
        /// `bad_checksum`, `bad_tlv_length`, `truncated`; null when sound.
        malformed: word,
    }
}
