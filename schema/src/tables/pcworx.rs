//! Table of pcworx records.

use crate::table;

table! {
    /// One row per PCWorx engineering message of Phoenix Contact ILC/AXC controllers: TCP 1962 by default, recognised by header. Only the identification exchange is publicly known.
    pub struct Pcworx("pcworx", "message", Network) {
        /// Sent by the TCP originator.
        is_orig: bool,
        /// `signature` when the first byte (0x01 request, 0x81 answer) and the big-endian length at offset 2 agree with the payload; `port` when only the port fits.
        confidence: text,
        /// `request` or `response`.
        direction: word,
        /// Second byte.
        function_code: u8,
        /// `connect` 0x01, `setup` 0x05, `read_info` 0x06; else `function_0xNN`.
        function: word,
        /// Length at offset 2.
        length: u16,
        /// From the connect answer, byte offset 17.
        session_id: u8,
        /// read_info answer, NUL-terminated at byte offset 30 (`ILC 330 ETH`).
        plc_type: word,
        /// At byte offset 66 (`3.95T`).
        firmware_version: word,
        /// At byte offset 79.
        firmware_date: text,
        /// At byte offset 91.
        firmware_time: text,
        /// At byte offset 152 (`2737193`).
        model_number: text,
        /// TCP payload bytes.
        payload_len: u32,
    }
}
