//! Table of enip records.

use crate::table;

table! {
    /// One row per EtherNet/IP encapsulation message (24-byte header) on TCP or UDP, and per identity item of a ListIdentity answer. Implicit I/O on UDP 2222 has no such header: it is in cip with is_io true.
    pub struct Enip("enip", "message", Network) {
        /// Encapsulation command.
        command_code: u16 = "enip.command",
        /// Its name: `list_services` 0x0004, `list_identity` 0x0063, `register_session` 0x0065, `send_rr_data` 0x006F, `send_unit_data` 0x0070 ...
        command: word,
        /// From the TCP originator, or to the ENIP port on UDP.
        is_request: bool,
        /// Answer: frame of the request with the same session and sender context.
        request_frame: u64 = "enip.response_to",
        /// Octets after the header.
        length: u16 = "enip.length",
        /// Session, 0 before registration.
        session_handle: u32 = "enip.session",
        /// Encapsulation status.
        status_code: u32 = "enip.status",
        /// `success` 0, `invalid_command` 1, `insufficient_memory` 2, `incorrect_data` 3, `invalid_session` 0x64, `invalid_length` 0x65, `unsupported_revision` 0x69, `encapsulated_cip_service_not_allowed` 0x6A.
        status: word,
        /// Eight octets echoed by the answer.
        sender_context: bytes = "enip.context",
        /// Must be 0.
        options: u32 = "enip.options",
        /// RegisterSession.
        protocol_version: u16 = "enip.rs.version",
        /// SendRRData / SendUnitData timeout.
        timeout_s: u16 = "enip.timeout",
        /// CPF item types in order.
        item_types: list_u16 = "enip.cpf.typeid",
        /// Connected address item (0x00A1).
        connection_id: u32 = "enip.cpf.cai.connid",
        /// Identity item, or item of a ListServices answer.
        encapsulation_version: u16 = "enip.encapver",
        /// Identity item: address the device says it has.
        socket_ip: word = "enip.sinaddr",
        /// Identity item.
        socket_port: u16 = "enip.sinport",
        /// Identity item.
        vendor_id: u16 = "enip.lir.vendor",
        /// ODVA vendor name.
        vendor: word,
        /// Identity item.
        device_type_id: u16 = "enip.lir.devtype",
        /// ODVA device profile (`communications_adapter` 12, `programmable_logic_controller` 14, `human_machine_interface` 24, ...).
        device_type: word,
        /// Identity item.
        product_code: u16 = "enip.lir.prodcode",
        /// `major.minor`.
        revision: word,
        /// Identity status word.
        device_status: u16 = "enip.lir.status",
        /// Identity serial.
        serial_number: u32 = "enip.lir.serial",
        /// Identity product name.
        @bloom product_name: word = "enip.lir.name",
        /// Identity state.
        device_state_code: u8 = "enip.lir.state",
        /// `nonexistent` 0, `self_testing` 1, `standby` 2, `operational` 3, `major_recoverable_fault` 4, `major_unrecoverable_fault` 5, `default` 255.
        device_state: word,
        /// ListServices item name (`Communications`).
        service_name: word = "enip.lsr.servicename",
        /// ListServices: bit 5 TCP, bit 8 class 0/1 UDP.
        capability_flags: u16 = "enip.lsr.capaflags",
        /// CIP Security identity item.
        security_state: u8 = "enip.eip_security_state",
        /// `length_mismatch`, `cpf_truncated`, `bad_command`, `truncated`; null when sound.
        malformed: word,
    }
}
