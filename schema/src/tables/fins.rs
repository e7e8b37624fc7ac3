//! `fins`: commands and answers of Omron FINS.

use crate::table;

table! {
    /// One row per Omron FINS command or answer, over UDP 9600 or FINS/TCP, and per FINS/TCP control message (node address exchange).
    pub struct Fins("fins", "message", Network) {
        /// `udp` or `tcp`.
        carrier: word,
        /// `client_node_address` 0, `server_node_address` 1, `frame_send` 2, `error_notification` 3, `connection_confirm` 6; null over UDP.
        tcp_command: word,
        /// Error of the FINS/TCP header.
        tcp_error_code: u32 = "omron.tcp.error_code",
        /// Node address exchange: node of the client.
        client_node_address: u32 = "omron.tcp.client_node_address",
        /// Node address exchange: node of the server.
        server_node_address: u32 = "omron.tcp.server_node_address",
        /// Information control field.
        icf: u8 = "omron.icf",
        /// ICF bit 6 clear.
        is_request: bool,
        /// ICF bit 0 clear.
        response_required: bool,
        /// GCT, 2 on sending; 7 permitted by newer units.
        gateway_count: u8 = "omron.gct",
        /// DNA; 0 local.
        destination_network: u8 = "omron.dna",
        /// DA1; 255 broadcast.
        destination_node: u8 = "omron.da1",
        /// DA2; 0 CPU.
        destination_unit: u8 = "omron.da2",
        /// SNA.
        source_network: u8 = "omron.sna",
        /// SA1.
        source_node: u8 = "omron.sa1",
        /// SA2.
        source_unit: u8 = "omron.sa2",
        /// SID, echoed by the answer.
        service_id: u8 = "omron.sid",
        /// MRC and SRC as one number.
        command_code: u16 = "omron.command",
        /// Name of the command as in Omron's W342 (`memory_area_read`, `program_area_write`, `run` ...).
        command: word,
        /// `read`, `write`, `program`, `mode`, `force`, `file`, `time`, `identity`, `access`, `error_log`, `test`, `other`.
        category: word,
        /// Answer: main and sub code, 0 normal.
        response_code: u16 = "omron.response.code",
        /// Its text; bits 0x0080 (non-fatal), 0x0040 (fatal CPU error) and 0x8000 (relay error) stripped first.
        response: word,
        /// Answer: frame of the request with this SID and node pair.
        request_frame: u64,
        /// Answer minus request.
        response_time_ms: f64,
        /// Area code of the first item.
        memory_area_code: u8,
        /// `CIO`, `WR`, `HR`, `AR`, `DM`, `TIM`, `CNT`, `EMn`, `task`, with `_bit` for bit access; CV-mode codes named apart.
        memory_area: word,
        /// First word or bit address.
        address: u32 = "omron.memory.address",
        /// Bit position.
        bit: u8 = "omron.memory.address.bits",
        /// Words or bits; records of a file transfer.
        number_of_items: u16 = "omron.memory.numitems",
        /// `D100`, `CIO 3.05`, `W12`.
        point: text,
        /// Words read or written.
        values: list_u16,
        /// Parameter area.
        parameter_area_code: u16 = "omron.parameter_area_code",
        /// Number of the program.
        program_number: u16 = "omron.program_number",
        /// RUN: `monitor` 2, `run` 4.
        run_mode: word,
        /// Status read: `program`, `debug`, `monitor`, `run`.
        controller_mode: word,
        /// Controller data read.
        controller_model: word = "omron.controller.model",
        /// Controller data read.
        controller_version: word = "omron.controller.version",
        /// File services.
        file_name: word,
        /// Program area protect or clear.
        @secret password: text = "omron.password",
        /// Time that is written to the clock, as the controller understands it (no zone).
        clock_set: time,
        /// Octets after the command or response code.
        data_len: u32,
        /// `length_mismatch`, `bad_header`, `truncated`; null when sound.
        malformed: word,
    }
}
