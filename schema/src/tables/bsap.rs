//! Table of bsap records.

use crate::table;

table! {
    /// One row per BSAP message (Emerson/Bristol), BSAP-IP (UDP 1234) or serial BSAP carried in UDP (1235) or TCP; poll and acknowledgement frames give a row too.
    pub struct Bsap("bsap", "message", Network) {
        /// `ip` or `serial`.
        kind: word,
        /// BSAP-IP: functions in the message.
        message_functions: u16,
        /// BSAP-IP: message type: 0x0000 poll, 0x0001 response count, 0x0005 response, 0x0006, 0x0084, 0x0086 request (names inferred from traffic, not from the vendor guide).
        type_code: u16,
        /// `request`, `response`, `poll`, ...; serial: `local` or `global` header.
        type_name: word,
        /// Sequence of the message.
        message_sequence: u32,
        /// Sequence it answers.
        response_sequence: u32,
        /// As the type says.
        is_request: bool,
        /// Answer: frame of the request with that sequence.
        request_frame: u64,
        /// Octets of data.
        data_len: u16,
        /// Serial BSAP: message serial.
        serial_number: u8,
        /// Serial BSAP: station address, bit 7 global.
        local_address: u8,
        /// Serial global header: destination.
        global_destination: u16,
        /// Serial global header: source.
        global_source: u16,
        /// Serial global header: control.
        control: u8,
        /// DFUN; 0xA0 remote database access.
        destination_function: u8,
        /// SFUN.
        source_function: u8,
        /// NSB.
        node_status: u8,
        /// Application function of the message.
        app_function_code: u8,
        /// `rdb` 0xA0, `rdb_extension` 0xA1, `pei_pc` 0x03; null when unknown.
        app_function: word,
        /// RDB or extension function.
        function_code: u16,
        /// `read_signal_by_address` 0x00, `read_logical_by_address` 0x02, `read_signal_by_name` 0x04, `read_logical_by_name` 0x06, `read_signal_by_list_start` 0x0C, `read_signal_by_list_continue` 0x0D, `read_logical_by_list_start` 0x0E, `_continue` 0x0F, `write_signal_by_address` 0x80, `write_signal_by_name` 0x84, `write_signal_by_list_start` 0x8C, `_continue` 0x8D; extension (16 bit): `system_reset` 0x0101, `diagnostics_reset` 0x0102, `read_date_time` 0x0201, `write_date_time` 0x0281, `change_node_address` 0x0400; null when unknown.
        function: word,
        /// `read`, `write`, `extension`, `poll`, `other`.
        category: word,
        /// Variables in the message.
        variable_count: u16,
        /// Signal names (`@GV.DS1`), or addresses in hex.
        variables: list_text,
        /// Values read or written, as text.
        values: list_text,
        /// RDB error of the answer.
        error_code: u8,
        /// Undecoded content, first 256 octets.
        data: bytes,
        /// `high` RDB decoded; `medium` header and sequences consistent both ways; `low` port only.
        confidence: text,
    }
}
