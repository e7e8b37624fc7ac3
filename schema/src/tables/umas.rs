//! `umas`: engineering of Schneider Electric controllers inside Modbus.

use crate::table;

table! {
    /// One row per UMAS request/response transaction: Schneider Electric's engineering protocol carried in Modbus function 90 (0x5A).
    pub struct Umas("umas", "transaction", Network) {
        /// Frame of the request.
        request_frame: u64,
        /// Frame of the answer.
        response_frame: u64,
        /// MBAP transaction identifier.
        tid: u16 = "mbtcp.trans_id",
        /// MBAP unit.
        unit_id: u8 = "mbtcp.unit_id",
        /// First byte: reservation (pairing) key; 0 when the sender holds no reservation.
        session_key: u8,
        /// Second byte of the request: UMAS function.
        umas_code: u8,
        /// Name that published research gives the function (`read_id`, `take_reservation`, `stop_plc` ...); else `umas_0xNN`.
        umas_function: word,
        /// `read`, `write`, `upload` (from the PLC), `download` (to the PLC), `start`, `stop`, `reservation`, `identity`, `diagnostic`, `unknown`.
        category: word,
        /// `ok` (0xFE), `error` (0xFD, or a Modbus exception instead), `no_response`, `response_only`, else `0xNN`.
        status: word,
        /// Bytes after 0xFD, as sent.
        error_code: u16,
        /// read_id answer: device text, such as `140 CPU 311 10`.
        plc_name: word,
        /// read_project_info or read_plc_info answer: application name.
        project_name: word,
        /// take_reservation request: host or user name of the station.
        client_name: word,
        /// read_memory_block: block number.
        memory_block: u16,
        /// read_memory_block: offset.
        memory_offset: u32,
        /// program block transfer: block sequence number.
        block_number: u16,
        /// UMAS bytes of the request.
        request_len: u32,
        /// UMAS bytes of the answer.
        response_len: u32,
        /// Request body after the function byte.
        data: bytes,
        /// Answer body after the status byte.
        response_data: bytes,
    }
}
