//! Names of functions, areas and errors. Siemens has published no description of S7 communication; names are those that
//! free dissectors agree on.

use std::borrow::Cow;

pub const SETUP: u8 = 0xf0;
pub const READ: u8 = 0x04;
pub const WRITE: u8 = 0x05;
pub const REQUEST_DOWNLOAD: u8 = 0x1a;
pub const DOWNLOAD_BLOCK: u8 = 0x1b;
pub const DOWNLOAD_ENDED: u8 = 0x1c;
pub const START_UPLOAD: u8 = 0x1d;
pub const UPLOAD: u8 = 0x1e;
pub const END_UPLOAD: u8 = 0x1f;
pub const PLC_CONTROL: u8 = 0x28;
pub const PLC_STOP: u8 = 0x29;

/// Kind of a PDU.
pub fn rosctr(code: u8) -> Option<&'static str> {
    Some(match code {
        1 => "job",
        2 => "ack",
        3 => "ack_data",
        7 => "userdata",
        _ => return None,
    })
}

/// Function of jobs and their answers.
pub fn function(code: u8) -> Option<&'static str> {
    Some(match code {
        0 => "cpu_services",
        SETUP => "setup_communication",
        READ => "read_variable",
        WRITE => "write_variable",
        REQUEST_DOWNLOAD => "request_download",
        DOWNLOAD_BLOCK => "download_block",
        DOWNLOAD_ENDED => "download_ended",
        START_UPLOAD => "start_upload",
        UPLOAD => "upload",
        END_UPLOAD => "end_upload",
        PLC_CONTROL => "plc_control",
        PLC_STOP => "plc_stop",
        _ => return None,
    })
}

/// Group of userdata functions.
pub fn group(code: u8) -> Option<&'static str> {
    Some(match code {
        0 => "mode_transition",
        1 => "programmer_commands",
        2 => "cyclic_data",
        3 => "block_functions",
        4 => "cpu_functions",
        5 => "security",
        6 => "pbc",
        7 => "time_functions",
        15 => "nc_programming",
        _ => return None,
    })
}

/// Subfunction of a group.
pub fn subfunction(group: u8, code: u8) -> Option<&'static str> {
    Some(match (group, code) {
        (0, 0) => "stop",
        (0, 1) => "warm_restart",
        (0, 2) => "run",
        (0, 3) => "hot_restart",
        (0, 4) => "hold",
        (0, 6) => "cold_restart",
        (0, 9) => "run_redundant",
        (0, 11) => "link_up",
        (0, 12) => "update",
        (1, 1) => "request_diag_data",
        (1, 2) => "variable_table",
        (1, 0x0c) => "erase",
        (1, 0x0e) => "read_diag_data",
        (1, 0x0f) => "remove_diag_data",
        (1, 0x10) => "forces",
        (1, 0x13) => "request_diag_data_2",
        (2, 1) => "cyclic_memory",
        (2, 4) => "cyclic_unsubscribe",
        (2, 5) => "cyclic_memory_change",
        (3, 1) => "list_blocks",
        (3, 2) => "list_blocks_of_type",
        (3, 3) => "get_block_info",
        (4, 1) => "read_szl",
        (4, 2) => "message_service",
        (4, 3) => "diagnostic_message",
        (4, 5) => "alarm_8",
        (4, 6) => "notify",
        (4, 7) => "alarm_8_lock",
        (4, 8) => "alarm_8_unlock",
        (4, 0x0b) => "alarm_ack",
        (4, 0x0c) => "alarm_ack_indication",
        (4, 0x0d) => "alarm_8_lock_indication",
        (4, 0x0e) => "alarm_8_unlock_indication",
        (4, 0x11) => "alarm_sq",
        (4, 0x12) => "alarm_s",
        (4, 0x13) => "alarm_query",
        (4, 0x16) => "notify_8",
        (5, 1) => "plc_password",
        (7, 1) => "read_clock",
        (7, 2) => "set_clock",
        (7, 3) => "read_clock_following",
        (7, 4) => "set_clock_2",
        _ => return None,
    })
}

/// A list of the system status, by its number without class and selection.
pub fn szl(id: u16) -> Option<&'static str> {
    Some(match (id, id & 0xff) {
        (0x0131, _) => "cpu_communication",
        (0x0132, _) => "communication_status",
        (0x0232, _) => "cpu_protection_level",
        (0, _) => "szl_list",
        (_, 0x11) => "module_identification",
        (_, 0x12) => "cpu_features",
        (_, 0x13) => "user_memory",
        (_, 0x14) => "system_areas",
        (_, 0x15) => "block_types",
        (_, 0x16) => "priority_classes",
        (_, 0x19 | 0x74) => "led_status",
        (_, 0x1c) => "component_identification",
        (_, 0x22) => "interrupt_status",
        (_, 0x24) => "operating_mode",
        (_, 0x31) => "communication_capability",
        (_, 0x32) => "communication_status",
        (_, 0x37) => "ethernet_details",
        (_, 0x90) => "dp_master_system",
        (_, 0x91..=0x96) => "module_status",
        (_, 0xa0) => "diagnostic_buffer",
        (_, 0xb1..=0xb4) => "module_diagnostic",
        _ => return None,
    })
}

/// Operating state by its number in list 0x24.
pub fn operating_mode(code: u8) -> Option<&'static str> {
    Some(match code {
        1..=4 => "stop",
        5..=7 => "startup",
        8 | 9 => "run",
        0x0a => "hold",
        0x0d => "defect",
        _ => return None,
    })
}

/// Error of the header of an answer: class, and the code in it.
pub fn header_error(class: u8, code: u8) -> Option<Cow<'static, str>> {
    let name = match class {
        0 if code == 0 => return None,
        0 => "error",
        0x81 => "application_relationship",
        0x82 => "object_definition",
        0x83 => "no_resources",
        0x84 => "service_processing",
        0x85 => "supplies",
        0x87 => "access",
        _ => return parameter_error(u16::from_be_bytes([class, code])),
    };
    Some(if code == 0 { Cow::Borrowed(name) } else { Cow::Owned(format!("{name} 0x{code:02X}")) })
}

/// Error of the parameters of a userdata answer.
pub fn parameter_error(code: u16) -> Option<Cow<'static, str>> {
    Some(Cow::Borrowed(match code {
        0 => return None,
        0x0110 => "invalid_block_number",
        0x8104 => "not_supported",
        0x8500 => "wrong_pdu_size",
        0xd201 => "block_name_syntax",
        0xd202 => "function_parameter",
        0xd203 => "block_type",
        0xd209 => "block_not_found",
        0xd20e => "block_missing",
        0xd240 => "coordination_rules",
        0xd241 => "protection_level",
        0xd401 => "szl_unknown",
        0xd402 => "szl_index",
        0xd602 => "password",
        0xd603 => "password_not_set",
        0xd604 => "already_authorized",
        0xd605 => "not_authorized",
        _ => return Some(Cow::Owned(format!("0x{code:04X}"))),
    }))
}

/// Return code of an item.
pub fn return_code(code: u8) -> Option<&'static str> {
    Some(match code {
        0 => "reserved",
        1 => "hardware_fault",
        3 => "access_denied",
        5 => "address_out_of_range",
        6 => "type_not_supported",
        7 => "type_inconsistent",
        0x0a => "object_does_not_exist",
        0xff => "success",
        _ => return None,
    })
}

/// Transport size of an item: name, octets of one element.
pub fn transport_size(code: u8) -> Option<(&'static str, u8)> {
    Some(match code {
        1 => ("bit", 1),
        2 => ("byte", 1),
        3 => ("char", 1),
        4 => ("word", 2),
        5 => ("int", 2),
        6 => ("dword", 4),
        7 => ("dint", 4),
        8 => ("real", 4),
        9 => ("date", 2),
        10 => ("time_of_day", 4),
        11 => ("time", 4),
        12 => ("s5time", 2),
        15 => ("date_and_time", 8),
        28 => ("counter", 2),
        29 => ("timer", 2),
        30 => ("iec_counter", 2),
        31 => ("iec_timer", 2),
        32 => ("hs_counter", 2),
        _ => return None,
    })
}

/// Memory area.
pub fn area(code: u8) -> Option<&'static str> {
    Some(match code {
        0x80 => "P",
        0x81 => "I",
        0x82 => "Q",
        0x83 => "M",
        0x84 => "DB",
        0x85 => "DI",
        0x86 => "L",
        0x87 => "V",
        0x1c => "C",
        0x1d => "T",
        _ => return None,
    })
}

/// Block type by its two characters.
pub fn block_type(code: &[u8]) -> Option<&'static str> {
    Some(match code {
        b"08" => "OB",
        b"0A" => "DB",
        b"0B" => "SDB",
        b"0C" => "FC",
        b"0D" => "SFC",
        b"0E" => "FB",
        b"0F" => "SFB",
        _ => return None,
    })
}

/// Function of S7comm-plus.
pub fn plus_function(code: u16) -> Option<&'static str> {
    Some(match code {
        0x04bb => "explore",
        0x04ca => "create_object",
        0x04d4 => "delete_object",
        0x04f2 => "set_variable",
        0x0524 => "get_link",
        0x0542 => "set_multi_variables",
        0x054c => "get_multi_variables",
        0x0556 => "begin_sequence",
        0x0560 => "end_sequence",
        0x056b => "invoke",
        0x0586 => "get_var_sub_streamed",
        _ => return None,
    })
}
