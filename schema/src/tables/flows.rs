//! Conversations and remarkable TCP segments.

use crate::table;

table! {
    /// One row per bidirectional conversation: TCP connection, UDP or other IP exchange, among them fragments of datagrams that were never whole and what a tunnel carries that is not IP. src is the originator (who sent the first packet; for TCP the SYN sender where the SYN was seen).
    pub struct Flows("flows", "flow", Network) {
        /// Community ID v1 (seed 0), so that flows join with Zeek, Suricata and Arkime data.
        @bloom community_id: text = "communityid",
        /// Time of the last frame.
        end_ts: time,
        /// Seconds from first to last frame.
        duration_s: f64,
        /// `tcp`, `udp`, `icmp`, `icmp6`, `sctp`, `esp`, `gre`, ... or `ip-N`.
        transport: word,
        /// Application protocol identified from content, by our table names; null if none was recognised.
        service: word,
        /// IANA name of the responder's port, whatever the content says.
        service_port_name: word,
        /// VLAN of the first frame.
        vlan_id: u16,
        /// Originator's MAC in the first frame.
        src_mac: mac,
        /// Responder's MAC in the first frame.
        dst_mac: mac,
        /// As in packets.
        tunnel: word,
        /// Packets from originator.
        orig_packets: u64,
        /// Packets from responder.
        resp_packets: u64,
        /// Payload bytes from originator; TCP: stream bytes, retransmissions counted once.
        orig_bytes: u64,
        /// Payload bytes from responder.
        resp_bytes: u64,
        /// IP bytes from originator, headers included.
        orig_ip_bytes: u64,
        /// IP bytes from responder.
        resp_ip_bytes: u64,
        /// Frame bytes from originator.
        orig_wire_bytes: u64,
        /// Frame bytes from responder.
        resp_wire_bytes: u64,
        /// Zeek's connection state: S0 S1 SF REJ S2 S3 RSTO RSTR RSTOS0 RSTRH SH SHR OTH; null where what answers belongs to other flows: fragments without ports, frames without IP in a tunnel.
        conn_state: word,
        /// Zeek's history letters (ShADadFf...).
        history: word,
        /// Stream bytes the capture lacks.
        missed_bytes: u64,
        /// TCP retransmissions, both directions.
        retransmitted_packets: u64,
        /// TCP segments out of order, both directions.
        out_of_order_packets: u64,
        /// SYN to ACK of SYN-ACK; null if the handshake was not seen whole.
        handshake_rtt_ms: f64,
        /// All TCP flag bits seen, or-ed.
        tcp_flags: u16,
        /// Shannon entropy, bits a byte, of the originator's first 4096 payload bytes; null with fewer than 64.
        orig_entropy: f64,
        /// The same for the responder.
        resp_entropy: f64,
        /// First 32 payload bytes from the originator.
        orig_first_bytes: bytes,
        /// First 32 payload bytes from the responder.
        resp_first_bytes: bytes,
    }
}

table! {
    /// One row per remarkable TCP segment; one segment may have several rows.
    pub struct TcpEvents("tcp_events", "event", Network) {
        /// retransmission, fast_retransmission, spurious_retransmission, out_of_order, duplicate_ack, lost_segment, ack_lost_segment, zero_window, zero_window_probe, zero_window_probe_ack, window_full, window_update, keep_alive, keep_alive_ack, reused_ports, reset, reset_with_data, overlap_conflict, syn_retransmission, syn_data, bad_flags, bad_checksum; wireshark_only: not remarkable by itself, but Wireshark sets the columns below, for the reason in detail.
        event: word,
        /// Raw sequence number.
        seq: u32 = "tcp.seq_raw",
        /// Raw acknowledgment number.
        ack: u32 = "tcp.ack_raw",
        /// Segment payload.
        length: u32 = "tcp.len",
        /// Window after scaling where the scale is known.
        window: u32 = "tcp.window_size",
        /// Flag bits.
        tcp_flags: u16 = "tcp.flags",
        /// The segment is a retransmission as Wireshark judges it.
        retransmission: bool = "tcp.analysis.retransmission",
        /// The segment is a fast retransmission as Wireshark judges it.
        fast_retransmission: bool = "tcp.analysis.fast_retransmission",
        /// The segment is a spurious retransmission as Wireshark judges it.
        spurious_retransmission: bool = "tcp.analysis.spurious_retransmission",
        /// The segment is out of order as Wireshark judges it.
        out_of_order: bool = "tcp.analysis.out_of_order",
        /// The segment is a duplicate acknowledgement as Wireshark judges it.
        duplicate_ack: bool = "tcp.analysis.duplicate_ack",
        /// Which repeat.
        duplicate_ack_num: u32 = "tcp.analysis.duplicate_ack_num",
        /// The segment is behind a lost segment as Wireshark judges it.
        lost_segment: bool = "tcp.analysis.lost_segment",
        /// The segment is an acknowledgement of bytes that were not captured as Wireshark judges it.
        ack_lost_segment: bool = "tcp.analysis.ack_lost_segment",
        /// The segment is a zero window as Wireshark judges it.
        zero_window: bool = "tcp.analysis.zero_window",
        /// The segment is a zero window probe as Wireshark judges it.
        zero_window_probe: bool = "tcp.analysis.zero_window_probe",
        /// The segment is a window full as Wireshark judges it.
        window_full: bool = "tcp.analysis.window_full",
        /// The segment is a window update as Wireshark judges it.
        window_update: bool = "tcp.analysis.window_update",
        /// The segment is a keep alive as Wireshark judges it.
        keep_alive: bool = "tcp.analysis.keep_alive",
        /// The segment is a keep alive ack as Wireshark judges it.
        keep_alive_ack: bool = "tcp.analysis.keep_alive_ack",
        /// The segment is the first on reused ports as Wireshark judges it.
        reused_ports: bool = "tcp.analysis.reused_ports",
        /// Frame that first carried these bytes.
        original_frame: u64,
        /// Since that frame.
        delay_ms: f64,
        /// Round trip the acknowledged segment took.
        rtt_ms: f64,
        /// What conflicts or is missing, in words.
        detail: text,
    }
}
