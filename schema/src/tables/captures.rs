//! The capture itself: files and interfaces.

use crate::table;

table! {
    /// One row per capture file ingested.
    pub struct Captures("captures", "capture", Capture) {
        /// Path as given.
        path: text,
        /// Hash of the file as stored.
        sha256: text,
        /// Size of the file as stored.
        file_size_bytes: u64,
        /// `pcap`, `pcap-ns`, `pcapng`, plus compression (`pcapng+gzip`).
        format: word,
        /// Link types seen.
        link_types: list_text,
        /// Capture length limit, smallest over interfaces.
        snaplen: u32,
        /// Frames decoded.
        packets: u64,
        /// Sum of frame_len.
        wire_bytes: u64,
        /// Sum of captured_len.
        captured_bytes: u64,
        /// Latest packet time.
        end_ts: time,
        /// Latest minus earliest packet time.
        duration_s: f64,
        /// Frames whose time lies before the frame ahead of them.
        out_of_order_timestamps: u64,
        /// The file ends inside a record; what came before is decoded.
        truncated: bool,
        /// Bytes of damaged records passed over.
        skipped_bytes: u64,
        /// pcapng section: hardware.
        hardware: text,
        /// pcapng section: operating system.
        os: text,
        /// pcapng section: capturing application.
        application: text,
        /// pcapng section comments.
        comments: list_text,
    }
}

table! {
    /// One row per capture interface: pcapng interface blocks with their statistics, and one synthetic row for a classic pcap.
    pub struct Interfaces("interfaces", "interface", Capture) {
        /// Number over the whole file, counting on across sections; joins `packets.interface_id`.
        interface_id: u32,
        /// Section number, from 0.
        section: u32,
        /// if_name.
        name: text,
        /// if_description.
        description: text,
        /// LINKTYPE_ number.
        link_type: u16,
        /// `ETHERNET`, `LINUX_SLL`, `RAW`, `IEEE802_11_RADIOTAP`.
        link_type_name: word,
        /// Capture length limit; 0 is none.
        snaplen: u32,
        /// `us`, `ns`, `ms`, or 2^-n / 10^-n.
        ts_resolution: word,
        /// if_tsoffset.
        ts_offset_s: i64,
        /// if_tzone as stored.
        timezone: i32,
        /// Capture filter.
        filter: text,
        /// if_MACaddr.
        mac: text,
        /// if_EUIaddr.
        eui64: text,
        /// if_IPv4addr, address/mask length.
        ipv4: list_text,
        /// if_IPv6addr, address/length.
        ipv6: list_text,
        /// if_speed.
        speed_bps: u64,
        /// if_os.
        os: text,
        /// if_hardware.
        hardware: text,
        /// if_fcslen.
        fcs_len: u8,
        /// Comments on the interface block.
        comments: list_text,
        /// Frames in the file from this interface.
        packets: u64,
        /// Their captured bytes.
        captured_bytes: u64,
        /// Frames cut by the snap length.
        truncated_packets: u64,
        /// First frame.
        first_ts: time,
        /// Last frame.
        end_ts: time,
        /// isb_ifrecv of the last statistics block.
        received_by_interface: u64,
        /// isb_ifdrop.
        dropped_by_interface: u64,
        /// isb_filteraccept.
        accepted_by_filter: u64,
        /// isb_osdrop.
        dropped_by_os: u64,
        /// isb_usrdeliv.
        delivered: u64,
        /// isb_starttime.
        stats_start_ts: time,
        /// isb_endtime.
        stats_end_ts: time,
        /// `little` or `big`.
        byte_order: word,
    }
}
