//! Frames.

use crate::table;

table! {
    /// One row per captured frame. Addresses, ports and flow are those of the innermost IP packet; what wraps it is in `tunnel` and the outer columns.
    pub struct Packets("packets", "frame", Link) {
        /// Length on the wire, bytes.
        frame_len: u32 = "frame.len",
        /// Length captured, bytes; less than frame_len where the capture cut the frame.
        captured_len: u32 = "frame.cap_len",
        /// pcapng interface number; null in classic pcap.
        interface_id: u32,
        /// LINKTYPE_ number of the frame.
        link_type: u16,
        /// Where the frame's bytes start in the (decompressed) capture, so that payloads can be read back without a scan.
        file_offset: u64,
        /// EtherType after all VLAN tags; null where the frame has none (802.3 length, non-Ethernet).
        ether_type: u16,
        /// Innermost 802.1Q VLAN id.
        vlan_id: u16 = "vlan.id",
        /// Outer VLAN id of a double-tagged frame.
        vlan_outer_id: u16,
        /// 802.1p priority of the innermost tag.
        vlan_priority: u8 = "vlan.priority",
        /// Bottom-of-stack MPLS label.
        mpls_label: u32,
        /// Encapsulations between the frame and the innermost IP packet, outermost first, '/'-joined: `gre`, `ipip`, `vxlan`, `geneve`, `gtp`, `teredo`, `6in4`, `pppoe`, `l2tp`, `erspan`, `capwap`; null when there is none.
        tunnel: word,
        /// Source of the outermost IP header of a tunnelled packet.
        outer_src_ip: ip,
        /// Destination of the outermost IP header of a tunnelled packet.
        outer_dst_ip: ip,
        /// 4 or 6.
        ip_version: u8 = "ip.version",
        /// Upper-layer protocol number (after IPv6 extension headers).
        ip_proto: u8,
        /// TTL or hop limit.
        ip_ttl: u8 = "ip.ttl|ipv6.hlim",
        /// IPv4 identification.
        ip_id: u16 = "ip.id",
        /// DSCP code point.
        ip_dscp: u8 = "ip.dsfield.dscp|ipv6.tclass.dscp",
        /// The packet is a fragment of a datagram.
        ip_fragment: bool,
        /// IPv4 header checksum verified; null for IPv6 or a cut frame.
        ip_checksum_ok: bool,
        /// `tcp`, `udp`, `sctp`, `icmp`, `icmp6`, ..., null without IP.
        transport: word,
        /// TCP flag bits (FIN=1 SYN=2 RST=4 PSH=8 ACK=16 URG=32 ECE=64 CWR=128 AE=256).
        tcp_flags: u16 = "tcp.flags",
        /// Sequence number as on the wire.
        tcp_seq: u32 = "tcp.seq_raw",
        /// Acknowledgement number as on the wire.
        tcp_ack: u32 = "tcp.ack_raw",
        /// Window as on the wire, unscaled.
        tcp_window: u16 = "tcp.window_size_value",
        /// Bytes of transport payload in this frame.
        payload_len: u32,
        /// Most specific protocol identified for the frame, by our table names (`dns`, `modbus`, `tls`, `tcp`, `arp`).
        protocol: word,
        /// Protocols found in the frame, outermost first, ':'-joined, by our table names and the link and network layers' short names (`eth:vlan:ip:tcp:tls`): what --protocols builds its tree from.
        layers: word,
        /// ECN code point.
        ip_ecn: u8 = "ip.dsfield.ecn|ipv6.tclass.ecn",
    }
}
