//! `hart_ip`: messages of HART-IP.

use crate::table;

table! {
    /// One row per HART-IP message (header plus, for pass-through and publish, one HART PDU), over UDP or TCP on any port.
    pub struct HartIp("hart_ip", "message", Network) {
        /// `udp` or `tcp`.
        carrier: word,
        /// 1, or 2 (adds security).
        version: u8 = "hart_ip.version",
        /// 0-2, 15 NAK.
        message_type_code: u8 = "hart_ip.message_type",
        /// `request` 0, `response` 1, `publish` 2, `nak` 15.
        message_type: word,
        /// Message id.
        message_id_code: u8 = "hart_ip.message_id",
        /// `session_initiate` 0, `session_close` 1, `keep_alive` 2, `token_passing_pdu` 3, `direct_pdu` 4, `read_audit_log` 5.
        message_id: word,
        /// Status of answers; 0 good.
        status: u8 = "hart_ip.status",
        /// Sequence number.
        sequence_number: u16 = "hart_ip.transaction_id",
        /// Octets with header.
        length: u16 = "hart_ip.msg_length",
        /// Answer: frame of the request with this sequence number.
        request_frame: u64,
        /// Session initiate: `primary` 1, `secondary` 0.
        master_type: word,
        /// Session initiate.
        inactivity_close_timer_ms: u32 = "hart_ip.session_init.inactivity_close_timer",
        /// Delimiter of the PDU.
        delimiter: u8 = "hart_ip.pt.delimiter",
        /// `stx` (master), `ack` (device), `back` (burst).
        frame_kind: word,
        /// Polling address 0-63.
        short_address: u8 = "hart_ip.pt.short_addr",
        /// Five octets in hex: master bit, expanded device type, device id.
        long_address: word = "hart_ip.pt.long_address",
        /// Command; 31 carries a 16-bit extended command, which stands here.
        command_code: u16 = "hart_ip.pt.command",
        /// Name of the universal and common practice commands (`read_primary_variable`, `write_pv_range`, `fixed_current_mode` ...);
        /// null for those of a device or family.
        command: word,
        /// `universal`, `common_practice`, `device_specific`, `device_family`, `wireless`, `extended`.
        command_class: word,
        /// `read`, `write`, `control`, `calibration`, `reset`, `lock`, `burst`, `identity`, `diagnostic`, `session`, `unknown`.
        category: word,
        /// Answer: first status octet (or a communication error if bit 7 is set).
        response_code: u8 = "hart_ip.pt.response_code",
        /// Answer: second status octet: 0x80 malfunction, 0x40 configuration changed, 0x20 cold start, 0x10 more status, 0x08 loop current fixed, 0x04 saturated, 0x02 non-PV out of limits, 0x01 PV out of limits.
        device_status: u8 = "hart_ip.pt.device_status",
        /// Its bits.
        device_status_names: list_text,
        /// Longitudinal parity of the PDU.
        checksum_ok: bool,
        /// Command 0 answer.
        expanded_device_type: u16 = "hart_ip.pt.rsp.expanded_device_type",
        /// Command 0 answer.
        manufacturer_id: u16 = "hart_ip.pt.rsp.manufacturer_Id",
        /// Command 0 answer.
        device_id: bytes = "hart_ip.pt.rsp.device_id",
        /// Command 0 answer: universal revision.
        hart_revision: u8 = "hart_ip.pt.rsp.hart_univ_rev",
        /// Command 0 answer.
        software_revision: u8 = "hart_ip.pt.rsp.software_rev",
        /// Command 13 answer, or tag written.
        tag: text = "hart_ip.pt.rsp.tag",
        /// Command 20 answer, or written by 22.
        long_tag: text,
        /// Primary variable, of commands 1 and 3, and of 9 where it names the dynamic variables (246 to 249).
        primary_value: f64 = "hart_ip.pt.rsp.pv",
        /// Its unit (HCF_SPEC-183 table 2).
        primary_units: u8 = "hart_ip.pt.rsp.pv_units",
        /// Secondary variable.
        secondary_value: f64 = "hart_ip.pt.rsp.sv",
        /// Tertiary variable.
        tertiary_value: f64 = "hart_ip.pt.rsp.tv",
        /// Quaternary variable.
        quaternary_value: f64 = "hart_ip.pt.rsp.qv",
        /// Loop current, milliamperes.
        loop_current_ma: f64 = "hart_ip.pt.rsp.pv_loop_current",
        /// Command 40 request: current to hold; 0 leaves the mode.
        forced_current_ma: f64,
        /// What a write command carries, decoded.
        write_value: text,
        /// Data field.
        data: bytes,
        /// `length_mismatch`, `bad_checksum`, `truncated`; null when sound.
        malformed: word,
    }
}
