//! `genisys`: messages of railway code lines.

use crate::table;

table! {
    /// One row per Genisys message (railway code line) found in a TCP stream.
    pub struct Genisys("genisys", "message", Network) {
        /// 0xF1-0xFE.
        header_code: u8,
        /// Its name: `acknowledge_client`, `indication_data`, `control_data_checkback`, `common_control_data`,
        /// `acknowledge_indication_and_poll`, `poll`, `control_data`, `recall_header`, `execute_controls`.
        header: word,
        /// `request` (0xF9-0xFE, office to field) or `response` (0xF1-0xF3).
        direction: word,
        /// Station address.
        server: u8,
        /// All but 0xF1 and the short poll carry one.
        crc_present: bool,
        /// CRC-16 received.
        crc_transmitted: u16,
        /// CRC-16 (0xA001, from all ones, over header and unescaped body).
        crc_calculated: u16,
        /// Equal.
        crc_ok: bool,
        /// Byte addresses of the payload.
        addresses: list_u8,
        /// Byte values, same order.
        data: list_u8,
        /// `address.bit 0->1` against the station's last value.
        changed_bits: list_text,
        /// Answer: frame of the request it answers.
        request_frame: u64,
        /// Answer minus request.
        response_time_ms: f64,
        /// `poll`, `indication`, `control`, `execute`, `ack`, `recall`, `checkback`.
        category: word,
        /// `high`: a flow is only taken for Genisys after three messages with right CRCs.
        confidence: word,
    }
}
