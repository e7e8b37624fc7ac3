//! Table of Modbus transactions.

use crate::table;

table! {
    /// One row per Modbus transaction: a request with its answer, or either alone; over TCP, UDP, or in RTU frames carried by them. src is always the client; frame and ts are the answer's, else the request's.
    pub struct Modbus("modbus", "transaction", Network) {
        /// Frame of the request; null when only the answer was seen.
        request_frame: u64 = "modbus.request_frame",
        /// Frame of the answer; null when none came before the transaction id was used again or the flow ended.
        response_frame: u64,
        /// Time from request to answer, milliseconds.
        response_time_ms: f64,
        /// `tcp` (MBAP on TCP), `udp` (MBAP on UDP), `rtu_tcp`, `rtu_udp` (unit id, PDU, CRC-16, no MBAP), `tls` (Modbus Security, port 802; only when decrypted).
        framing: word,
        /// MBAP transaction identifier; null in RTU frames.
        tid: u16 = "mbtcp.trans_id",
        /// Unit (slave) identifier; 0 is broadcast on serial lines and 'this device' on many TCP servers, 255 likewise.
        unit_id: u8 = "mbtcp.unit_id",
        /// Function code with the exception bit removed.
        func_code: u8 = "modbus.func_code",
        /// `read_coils`, `read_discrete_inputs`, `read_holding_registers`, `read_input_registers`, `write_single_coil`, `write_single_register`, `read_exception_status`, `diagnostics`, `get_comm_event_counter`, `get_comm_event_log`, `write_multiple_coils`, `write_multiple_registers`, `report_server_id`, `read_file_record`, `write_file_record`, `mask_write_register`, `read_write_multiple_registers`, `read_fifo_queue`, `encapsulated_interface_transport`, `umas` (90), else `user_defined_N` (65-72, 100-110) or `reserved_N`.
        func: word,
        /// Diagnostics (8) sub-function, or MEI type (43).
        subfunction: u16 = "modbus.diagnostic_code|modbus.mei",
        /// Its name: `return_query_data`, `restart_communications`, `return_diagnostic_register`, `force_listen_only`, `clear_counters`, `read_device_identification`, `canopen_general_reference` ...
        subfunction_name: word,
        /// `read`, `write`, `read_write`, `diagnostic`, `identity`, `file`, `vendor`, `invalid`.
        category: word,
        /// Function 5, 6, 15, 16, 21, 22, 23.
        is_write: bool,
        /// `ok`, `exception`, `no_response`, `response_only`.
        status: word,
        /// Exception code of the answer.
        exception_code: u8 = "modbus.exception_code",
        /// `illegal_function` (1), `illegal_data_address` (2), `illegal_data_value` (3), `server_device_failure` (4), `acknowledge` (5), `server_device_busy` (6), `memory_parity_error` (8), `gateway_path_unavailable` (10), `gateway_target_no_response` (11).
        exception: word,
        /// First address as on the wire, from 0 (function 23: of the read part; function 24: of the queue's pointer).
        address: u16 = "modbus.reference_num|modbus.read_reference_num",
        /// Coils or registers asked for; 1 for functions 5, 6, 22; file registers in all for 20 and 21.
        quantity: u16 = "modbus.word_cnt|modbus.bit_cnt|modbus.read_word_cnt",
        /// Function 23: first address of the write part.
        write_address: u16 = "modbus.write_reference_num",
        /// Function 23: registers written.
        write_quantity: u16 = "modbus.write_word_cnt",
        /// Address in the conventional notation: `coil:00001`, `discrete:10001`, `input:30001`, `holding:40001` (wire address + 1; six digits above 9999).
        point: word,
        /// Registers or coils (0/1) that a read returned, in address order; cut to `quantity` where the request was seen.
        values: list_u16 = "modbus.regval_uint16|modbus.bitval",
        /// Registers or coils (0/1; 0xFF00 becomes 1) written by the request.
        write_values: list_u16,
        /// Function 22: bits to keep.
        and_mask: u16 = "modbus.and_mask",
        /// Function 22: bits to set where the and mask is 0.
        or_mask: u16 = "modbus.or_mask",
        /// MEI 14: what is asked for, 1 basic, 2 regular, 3 extended, 4 one object.
        device_id_code: u8 = "modbus.read_device_id",
        /// MEI 14 answer: `VendorName=...`, `ProductCode=...`, `MajorMinorRevision=...`, `VendorUrl=...`, `ProductName=...`, `ModelName=...`, `UserApplicationName=...`, `0x80=...`.
        objects: list_text,
        /// MEI 14 answer: what the device can be asked for.
        conformity_level: u8 = "modbus.conformity_level",
        /// Function 17 answer: text of the id bytes, printable part.
        server_id: text,
        /// Function 17 answer: 0xFF run, 0x00 stopped.
        run_indicator: bool,
        /// MBAP length of the request: octets of unit and PDU.
        mbap_length: u16 = "mbtcp.len",
        /// MBAP protocol identifier, 0 for Modbus; another only in a single message of a connection that is Modbus otherwise.
        protocol_id: u16 = "mbtcp.prot_id",
        /// Null when sound; else `length_mismatch`, `truncated`, `bad_quantity`, `bad_byte_count`, `bad_value`, `bad_protocol_id`, `bad_crc`.
        malformed: word,
        /// Data of the request that has no column of its own: user defined and reserved functions, UMAS, diagnostics (8) behind the sub-function, file records (20, 21).
        data: bytes = "modbus.data",
        /// The same of the answer; also of functions 7, 11, 12 and 17.
        response_data: bytes,
    }
}
