//! Table of srtp records.

use crate::table;

table! {
    /// One row per GE SRTP message (Series 90, PACSystems; TCP 18245 by default): 56-byte header, little endian, plus text buffer.
    pub struct Srtp("srtp", "message", Network) {
        /// Sent by the TCP originator.
        is_orig: bool,
        /// `init` 0x00 (connection request: 56 bytes), `init_ack` 0x01, `request` 0x02, `reply` 0x03.
        srtp_type: word,
        /// Byte 2.
        sequence_number: u8,
        /// Bytes 4-5: bytes following the header.
        text_length: u16,
        /// Reply: frame of the request with that sequence number on this connection.
        request_frame: u64,
        /// Byte 26.
        time_seconds: u8,
        /// Byte 27.
        time_minutes: u8,
        /// Byte 28.
        time_hours: u8,
        /// Byte 31: `request` 0xC0, `request_with_text` 0x80, `ack` 0xD4, `ack_with_text` 0x94, `nack` 0xD1.
        message_type: word,
        /// Bytes 32-35.
        mailbox_source: u32,
        /// Bytes 36-39.
        mailbox_destination: u32,
        /// Byte 40.
        packet_number: u8,
        /// Byte 41.
        total_packet_number: u8,
        /// Request byte 42; null for requests with text buffer (message type 0x80) until their layout is confirmed.
        service_code: u8,
        /// `plc_short_status` 0x00, `return_control_program_names` 0x03, `read_system_memory` 0x04, `read_task_memory` 0x05, `read_program_memory` 0x06, `write_system_memory` 0x07, `write_task_memory` 0x08, `write_program_block_memory` 0x09, `programmer_logon` 0x20, `change_privilege_level` 0x21, `set_control_id` 0x22, `set_plc_run_stop` 0x23, `set_time_date` 0x24, `return_time_date` 0x25, `return_fault_table` 0x38, `clear_fault_table` 0x39, `program_store_from_plc` 0x3F, `program_load_to_plc` 0x40, `return_controller_type` 0x43, `toggle_force` 0x44; replies carry the request's.
        service: word,
        /// Memory of the request.
        segment_selector: u8,
        /// `%I` 0x46 bit, 0x10 byte; `%Q` 0x48, 0x12; `%T` 0x4A, 0x14; `%M` 0x4C, 0x16; `%SA` 0x4E, 0x18; `%SB` 0x50, 0x1A; `%SC` 0x52, 0x1C; `%S` 0x54, 0x1E; `%G` 0x56, 0x38; `%AI` 0x0A; `%AQ` 0x0C; `%R` 0x08.
        segment: text,
        /// Zero based, as sent.
        memory_offset: u16,
        /// Elements asked.
        data_length: u16,
        /// `%R00001` (offset + 1).
        point: text,
        /// Bytes written or read.
        value: bytes,
        /// Reply byte 42.
        status_code: u8,
        /// Reply byte 43.
        minor_status_code: u8,
        /// `illegal_service_request`, `insufficient_privilege`, `protocol_sequence_error`, `invalid_password`, `only_valid_in_stop_mode`, ...; null for none.
        error: text,
        /// Reply byte 50.
        control_program_number: u8,
        /// Reply byte 51: level this client has now.
        privilege_level: u8,
        /// Reply bytes 52-53, tenths of a millisecond as sent.
        sweep_time: u16,
        /// Reply status word bits 12-15: `run_io_enabled`, `run_io_disabled`, `stop_io_disabled`, `stop_faulted`, `halted`, `suspended`, `stop_io_enabled`.
        plc_state: word,
        /// Status word bit 6.
        programmer_attached: bool,
        /// Status word bit 8.
        run_switch: bool,
        /// Status word bit 9.
        oem_protected: bool,
        /// Status word bit 4.
        plc_fault_present: bool,
        /// Status word bit 5.
        io_fault_present: bool,
    }
}
