//! Table of ARP messages (RFC 826, 903, 2390, 5227).

use crate::table;

table! {
    /// One row per ARP, RARP or InARP message, over Ethernet, 802.11, Linux cooked, SNAP and tunnels. src_ip and dst_ip are null: the message's addresses are sender_ip and target_ip; src_mac and dst_mac are the frame's.
    pub struct Arp("arp", "message", Link) {
        /// Hardware type (1 Ethernet).
        hardware_type: u16 = "arp.hw.type",
        /// Protocol type (0x0800 IPv4).
        protocol_type: u16 = "arp.proto.type",
        /// Hardware address length as sent; null for ATM, which has none here.
        hardware_len: u8 = "arp.hw.size",
        /// Protocol address length as sent; null for ATM.
        protocol_len: u8 = "arp.proto.size",
        /// 1 request, 2 reply, 3/4 RARP, 8/9 InARP.
        opcode: u16 = "arp.opcode",
        /// `request`, `reply`, `rarp_request`, `rarp_reply`, `inarp_request`, `inarp_reply`, `nak`, else `opcode-N`.
        operation: word,
        /// Sender hardware address; null unless hardware_type is Ethernet or IEEE 802 and hardware_len is 6.
        @bloom sender_mac: mac = "arp.src.hw_mac",
        /// Sender protocol address; null when protocol is not IPv4 or protocol_len is not 4.
        @bloom sender_ip: ip = "arp.src.proto_ipv4",
        /// Target hardware address; all zero in an ordinary request; null as sender_mac.
        target_mac: mac = "arp.dst.hw_mac",
        /// Target protocol address; null when protocol is not IPv4 or protocol_len is not 4.
        target_ip: ip = "arp.dst.proto_ipv4",
        /// `request`, `reply`, `gratuitous` (sender_ip = target_ip), `probe` (sender_ip 0.0.0.0), `announcement` (gratuitous request), `unicast_request`; null for RARP, InARP and the rest.
        kind: word,
        /// Kind `reply` only: a request for sender_ip from target_ip was seen in the 10 s before, in the same VLAN; null for other kinds, and where addresses are null.
        solicited: bool,
        /// Kind `reply` only: frame of that request, the latest of several.
        request_frame: u64,
        /// Kind `reply` only: time since that request.
        response_time_ms: f64,
        /// sender_mac equals the frame's source MAC; null without both.
        sender_mac_matches_frame: bool,
        /// Captured bytes after the message, if they are not all zero padding; else 0 (hidden data, leaked memory). Null when the message itself is cut short.
        trailer_bytes: u32,
        /// Innermost VLAN.
        vlan_id: u16 = "vlan.id",
    }
}
