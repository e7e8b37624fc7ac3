//! Names and kinds of Modbus functions (Modbus Application Protocol V1.1b3, sections 5 and 6).

use std::fmt::Write as _;

/// Unity messaging, the engineering protocol of Schneider controllers.
pub const UMAS: u8 = 90;
/// MEI type of Read Device Identification (section 6.21).
pub const MEI_DEVICE_ID: u8 = 14;

/// Name of a function code; what the standard does not name is spelled into `scratch`.
pub fn name(code: u8, scratch: &mut String) -> &str {
    match code {
        1 => "read_coils",
        2 => "read_discrete_inputs",
        3 => "read_holding_registers",
        4 => "read_input_registers",
        5 => "write_single_coil",
        6 => "write_single_register",
        7 => "read_exception_status",
        8 => "diagnostics",
        11 => "get_comm_event_counter",
        12 => "get_comm_event_log",
        15 => "write_multiple_coils",
        16 => "write_multiple_registers",
        17 => "report_server_id",
        20 => "read_file_record",
        21 => "write_file_record",
        22 => "mask_write_register",
        23 => "read_write_multiple_registers",
        24 => "read_fifo_queue",
        43 => "encapsulated_interface_transport",
        UMAS => "umas",
        _ => {
            scratch.clear();
            let kind = if is_user_defined(code) { "user_defined" } else { "reserved" };
            // Writing to a String cannot fail.
            let _ = write!(scratch, "{kind}_{code}");
            scratch
        }
    }
}

/// Codes that section 5 leaves to vendors.
fn is_user_defined(code: u8) -> bool {
    matches!(code, 65..=72 | 100..=110)
}

/// What a function does, coarsely; `mei` is the MEI type of function 43.
pub fn category(code: u8, mei: Option<u16>) -> &'static str {
    match code {
        1..=4 | 24 => "read",
        5 | 6 | 15 | 16 | 22 => "write",
        23 => "read_write",
        7 | 8 | 11 | 12 => "diagnostic",
        17 => "identity",
        43 if mei == Some(u16::from(MEI_DEVICE_ID)) => "identity",
        20 | 21 => "file",
        43 | UMAS => "vendor",
        code if is_user_defined(code) => "vendor",
        _ => "invalid",
    }
}

/// Whether the function changes the server's data.
pub fn is_write(code: u8) -> bool {
    matches!(code, 5 | 6 | 15 | 16 | 21 | 22 | 23)
}

/// Name of a diagnostics sub-function (section 6.8) or an MEI type (section 6.19).
pub fn subfunction(code: u8, sub: u16) -> Option<&'static str> {
    Some(match (code, sub) {
        (8, 0) => "return_query_data",
        (8, 1) => "restart_communications",
        (8, 2) => "return_diagnostic_register",
        (8, 3) => "change_ascii_delimiter",
        (8, 4) => "force_listen_only",
        (8, 10) => "clear_counters",
        (8, 11) => "return_bus_message_count",
        (8, 12) => "return_bus_communication_error_count",
        (8, 13) => "return_bus_exception_error_count",
        (8, 14) => "return_server_message_count",
        (8, 15) => "return_server_no_response_count",
        (8, 16) => "return_server_nak_count",
        (8, 17) => "return_server_busy_count",
        (8, 18) => "return_bus_character_overrun_count",
        (8, 20) => "clear_overrun_counter",
        (43, 13) => "canopen_general_reference",
        (43, 14) => "read_device_identification",
        _ => return None,
    })
}

/// Name of an exception code (section 7).
pub fn exception(code: u8) -> Option<&'static str> {
    Some(match code {
        1 => "illegal_function",
        2 => "illegal_data_address",
        3 => "illegal_data_value",
        4 => "server_device_failure",
        5 => "acknowledge",
        6 => "server_device_busy",
        8 => "memory_parity_error",
        10 => "gateway_path_unavailable",
        11 => "gateway_target_no_response",
        _ => return None,
    })
}

/// Name of an identification object (section 6.21).
pub fn object(id: u8) -> Option<&'static str> {
    Some(match id {
        0 => "VendorName",
        1 => "ProductCode",
        2 => "MajorMinorRevision",
        3 => "VendorUrl",
        4 => "ProductName",
        5 => "ModelName",
        6 => "UserApplicationName",
        _ => return None,
    })
}

/// The address as plant people write it: data block, reference digit, one-based number of at least four digits behind it.
pub fn point(code: u8, address: u16, scratch: &mut String) -> Option<&str> {
    let (area, digit) = match code {
        1 | 5 | 15 => ("coil", 0),
        2 => ("discrete", 1),
        4 => ("input", 3),
        3 | 6 | 16 | 22 | 23 => ("holding", 4),
        _ => return None,
    };
    let number = u32::from(address) + 1;
    let width = if number > 9999 { 5 } else { 4 };
    scratch.clear();
    let _ = write!(scratch, "{area}:{digit}{number:0width$}");
    Some(scratch)
}
