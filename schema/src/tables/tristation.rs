//! Table of tristation records.

use crate::table;

table! {
    /// One row per TriStation datagram (Triconex safety controllers, UDP 1502): framing known from published analyses of TRITON, no vendor specification.
    pub struct Tristation("tristation", "message", Network) {
        /// Sent by the flow's originator (engineering station).
        is_orig: bool,
        /// `verified` (length and CRC-16 fit), `framing` (length fits), `port` (only the port fits).
        confidence: text,
        /// Byte 0: transport message type.
        tcm_type: u8,
        /// `connection_request` 1, `connection_response` 2, `disconnect_response` 3, `disconnect_request` 4, `command` 5 (TriStation message inside), `ping` 6, `connection_limit` 7, `not_connected` 8, `mp_dead` 9, `access_denied` 10, `connection_failed` 11.
        tcm_type_name: word,
        /// Byte 1: channel.
        channel: u8,
        /// Bytes 2-3, little endian: bytes between the four-byte header and the two-byte CRC.
        length: u16,
        /// Last two bytes, little endian: CRC-16 (reflected polynomial 0xA001, start 0) of all before.
        crc: u16,
        /// Whether it fits.
        crc_ok: bool,
        /// Byte 4 of a command: 0 to the controller, 1 from it.
        direction: u8,
        /// Byte 5.
        connection_id: u8,
        /// Byte 6: TriStation function.
        function_code: u8,
        /// Byte 7: sequence.
        message_id: u8,
        /// Answer: frame of the request with that sequence on this flow.
        request_frame: u64,
        /// Name by the list on the safety page; else `function_N`.
        function: word,
        /// `program`, `mode`, `write`, `force`, `config`, `time`, `read`, `status`, `reply`, `unknown`.
        category: word,
        /// Function data bytes (bytes 12-13 less 10).
        data_len: u16,
        /// Function data, first 256 bytes.
        data: bytes,
        /// CP status answer: key switch position (`stop`, `program`, `run`, `remote`), where the published layout fits.
        key_state: word,
        /// CP status answer: program state.
        run_state: word,
        /// Program or function named in a download or upload, where printable.
        program_name: word,
    }
}
