//! Table of pccc records.

use crate::table;

table! {
    /// One row per PCCC message (Allen-Bradley PLC-5, SLC 500, MicroLogix): in CIP Execute PCCC (class 0x67 service 0x4B, over EtherNet/IP) or in CSPv4 (TCP 2222). Serial DF1 is not network traffic and belongs to `df1`.
    pub struct Pccc("pccc", "message", Network) {
        /// `cip` or `cspv4`.
        carrier: word,
        /// Request rather than answer (command bit 0x40 clear).
        is_request: bool,
        /// Answer: frame of the request with the same transaction and requestor.
        request_frame: u64,
        /// CIP requestor id: vendor.
        requestor_vendor: u16 = "cip.pccc.cip.vend.id",
        /// CIP requestor id: serial number.
        requestor_serial: u32 = "cip.pccc.cip.serial.num",
        /// Command code of a request; its answer has the same one, with bit 0x40.
        command: u8 = "cip.pccc.cmd.code",
        /// Status: 0 good, 0xF0 extended status follows.
        status: u8 = "cip.pccc.gs.status",
        /// Extended status.
        extended_status: u8 = "cip.pccc.es.status",
        /// Text of status or extended status.
        error: text,
        /// Transaction number (little endian).
        transaction: u16 = "cip.pccc.tns.code",
        /// Function, of commands 0x06, 0x07, 0x0F.
        function_code: u8 = "cip.pccc.fnc.code_0f|cip.pccc.fnc.code_06|cip.pccc.fnc.code_07",
        /// 0x0F: `protected_typed_logical_read_2` 0xA1, `protected_typed_logical_read_3` 0xA2, `protected_typed_logical_write_2` 0xA9, `protected_typed_logical_write_3` 0xAA, `masked_write_3` 0xAB, `read_modify_write` 0x26, `word_range_read` 0x01, `word_range_write` 0x00, `typed_read` 0x68, `typed_write` 0x67, `file_read` 0x04, `file_write` 0x03, `set_cpu_mode` 0x3A (SLC `change_mode` 0x80), `upload_all_request` 0x53, `upload_completed` 0x55, `download_all_request` 0x50, `download_completed` 0x52, `download_request` 0x05, `upload` 0x06, `shutdown` 0x07, `restart_request` 0x0A, `physical_write` 0x08, `physical_read` 0x09, `protected_typed_file_read` 0xA7, `protected_typed_file_write` 0xAF, `initialize_memory` 0x57, `disable_forces` 0x41, `open_file` 0x81, `close_file` 0x82, `get_edit_resource` 0x11, `return_edit_resource` 0x12, `execute_multi` 0x88, `apply_port_configuration` 0x8F; 0x06: `echo` 0x00, `diagnostic_status` 0x03; 0x07, 0x00-0x0E: `unprotected_read` 0x01, `unprotected_write` 0x08, `protected_write` 0x00, `protected_bit_write` 0x02, `unprotected_bit_write` 0x05; else `cmd_0xNN_fnc_0xNN`.
        function: word,
        /// `read`, `write`, `mode`, `upload`, `download`, `diagnostic`, `config`, `other`.
        category: word,
        /// Bytes to transfer.
        byte_size: u8 = "cip.pccc.byte.size",
        /// Data file number.
        file_number: u16 = "cip.pccc.file.num",
        /// Data file type.
        file_type: u8 = "cip.pccc.file.type",
        /// `O` 0x82, `I` 0x83, `S` 0x84, `B` 0x85, `T` 0x86, `C` 0x87, `R` 0x88, `N` 0x89, `F` 0x8A, `ST` 0x8D, `A` 0x8E, `L` 0x91, `MG`, `PD`, ...
        file_type_name: word,
        /// Element number.
        element: u16 = "cip.pccc.element.num",
        /// Sub-element number.
        subelement: u16 = "cip.pccc.subelement.num",
        /// Logical address: `N7:0`, `F8:3`, `B3:1/4`, `T4:0.ACC`.
        point: text,
        /// Mode asked for.
        cpu_mode: u8 = "cip.pccc.cpu.mode_80",
        /// `remote_program`, `remote_run`, `remote_test`.
        cpu_mode_name: word,
        /// diagnostic_status answer: bulletin text (`1761-L16BWA`).
        processor: text,
        /// Bytes written or read.
        data: bytes = "cip.pccc.data",
    }
}
