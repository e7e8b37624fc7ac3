//! Names of services, classes, types and states (ODVA CIP volume 1 appendices A to C, Rockwell 1756-PM020).

/// Connection manager, message router, identity, file, and the classes of Logix controllers that hold programs.
pub const IDENTITY: u16 = 0x01;
pub const ROUTER: u16 = 0x02;
pub const CONNECTION_MANAGER: u16 = 0x06;
pub const FILE: u16 = 0x37;
pub const FIRMWARE: u16 = 0xa1;
/// Object that takes PCCC.
pub const PCCC: u16 = 0x67;

pub const EXECUTE_PCCC: u8 = 0x4b;
pub const SERVICE_PACKET: u8 = 0x0a;
pub const UNCONNECTED_SEND: u8 = 0x52;

/// Tags: addressed by symbol, or as instances of the symbol class.
fn is_tag(class: Option<u16>, has_symbol: bool) -> bool {
    has_symbol || class == Some(0x6b)
}

/// Name of a service; those above 0x31 depend on the class.
pub fn service(code: u8, class: Option<u16>, has_symbol: bool) -> Option<&'static str> {
    Some(match (code, class) {
        (0x01, _) => "get_attributes_all",
        (0x02, _) => "set_attributes_all",
        (0x03, _) => "get_attribute_list",
        (0x04, _) => "set_attribute_list",
        (0x05, _) => "reset",
        (0x06, _) => "start",
        (0x07, _) => "stop",
        (0x08, _) => "create",
        (0x09, _) => "delete",
        (0x0a, _) => "multiple_service_packet",
        (0x0d, _) => "apply_attributes",
        (0x0e, _) => "get_attribute_single",
        (0x10, _) => "set_attribute_single",
        (0x11, _) => "find_next_object_instance",
        (0x15, _) => "restore",
        (0x16, _) => "save",
        (0x17, _) => "nop",
        (0x18, _) => "get_member",
        (0x19, _) => "set_member",
        (0x4e, Some(CONNECTION_MANAGER)) => "forward_close",
        (0x52, Some(CONNECTION_MANAGER)) => "unconnected_send",
        (0x54, Some(CONNECTION_MANAGER)) => "forward_open",
        (0x5b, Some(CONNECTION_MANAGER)) => "large_forward_open",
        (0x4b, Some(FILE)) => "initiate_upload",
        (0x4c, Some(FILE)) => "initiate_download",
        (0x4f, Some(FILE)) => "upload_transfer",
        (0x50, Some(FILE)) => "download_transfer",
        (0x51, Some(FILE)) => "clear_file",
        (EXECUTE_PCCC, Some(PCCC)) => "execute_pccc",
        (0x4c, _) if is_tag(class, has_symbol) => "read_tag",
        (0x4d, _) if is_tag(class, has_symbol) => "write_tag",
        (0x4e, _) if is_tag(class, has_symbol) => "read_modify_write_tag",
        (0x52, _) if is_tag(class, has_symbol) => "read_tag_fragmented",
        (0x53, _) if is_tag(class, has_symbol) => "write_tag_fragmented",
        (0x55, Some(0x6b | 0x6c | 0x68)) => "get_instance_attribute_list",
        _ => return None,
    })
}

/// What a service does to an object.
pub fn category(name: Option<&str>, class: Option<u16>) -> &'static str {
    match (name, class) {
        (_, Some(FIRMWARE)) => "firmware",
        (_, Some(FILE)) => "file",
        (Some("unconnected_send" | "forward_open" | "large_forward_open" | "forward_close"), _) => "connection",
        (Some("reset" | "start" | "stop"), _) => "control",
        (Some("create" | "delete"), Some(0x68..=0x6d | 0x70 | 0x72)) => "program",
        (Some("set_attributes_all" | "set_attribute_list" | "set_attribute_single"), Some(0x8b)) => "time",
        (Some(name), _) if name.starts_with("set_") || name.contains("write") => "write",
        (Some(name), Some(IDENTITY)) if name.starts_with("get_") => "identity",
        (Some(name), _) if name.starts_with("get_") || name.starts_with("read") || name == "find_next_object_instance" => "read",
        (Some(_), _) => "other",
        (None, _) => "unknown",
    }
}

/// Name of a class.
pub fn class(code: u16) -> Option<&'static str> {
    Some(match code {
        IDENTITY => "identity",
        ROUTER => "message_router",
        0x03 => "devicenet",
        0x04 => "assembly",
        0x05 => "connection",
        CONNECTION_MANAGER => "connection_manager",
        0x07 => "register",
        0x08 => "discrete_input_point",
        0x09 => "discrete_output_point",
        0x0a => "analog_input_point",
        0x0b => "analog_output_point",
        0x0f => "parameter",
        0x10 => "parameter_group",
        0x28 => "motor_data",
        0x29 => "control_supervisor",
        0x2a => "ac_dc_drive",
        FILE => "file",
        0x39 => "safety_supervisor",
        0x3a => "safety_validator",
        0x3b => "safety_discrete_output_point",
        0x3c => "safety_discrete_output_group",
        0x43 => "time_sync",
        0x47 => "device_level_ring",
        0x48 => "qos",
        0x5d => "cip_security",
        0x5e => "ethernet_ip_security",
        0x5f => "certificate_management",
        0x67 => "pccc",
        0x68 => "program",
        0x6b => "symbol",
        0x6c => "template",
        0x8b => "logix_time",
        0x8e => "logix_controller",
        FIRMWARE => "non_volatile_storage",
        0xf3 => "connection_configuration",
        0xf4 => "port",
        0xf5 => "tcp_ip_interface",
        0xf6 => "ethernet_link",
        _ => return None,
    })
}

/// Name of a general status (volume 1 appendix B-1).
pub fn status(code: u8) -> Option<&'static str> {
    Some(match code {
        0x00 => "success",
        0x01 => "connection_failure",
        0x02 => "resource_unavailable",
        0x03 => "invalid_parameter_value",
        0x04 => "path_segment_error",
        0x05 => "path_destination_unknown",
        0x06 => "partial_transfer",
        0x07 => "connection_lost",
        0x08 => "service_not_supported",
        0x09 => "invalid_attribute_value",
        0x0a => "attribute_list_error",
        0x0b => "already_in_requested_mode",
        0x0c => "object_state_conflict",
        0x0d => "object_already_exists",
        0x0e => "attribute_not_settable",
        0x0f => "privilege_violation",
        0x10 => "device_state_conflict",
        0x11 => "reply_data_too_large",
        0x12 => "fragmentation_of_primitive",
        0x13 => "not_enough_data",
        0x14 => "attribute_not_supported",
        0x15 => "too_much_data",
        0x16 => "object_does_not_exist",
        0x1a => "routing_failure_request",
        0x1b => "routing_failure_response",
        0x1c => "missing_attribute_list_entry",
        0x1e => "embedded_service_error",
        0x1f => "vendor_specific",
        0x20 => "invalid_parameter",
        0x25 => "key_failure_in_path",
        0x26 => "path_size_invalid",
        0x27 => "unexpected_attribute",
        0x28 => "invalid_member_id",
        0x29 => "member_not_settable",
        0xff => "general_error",
        _ => return None,
    })
}

/// Name of an additional status of the connection manager.
pub fn extended_status(code: u16) -> Option<&'static str> {
    Some(match code {
        0x0100 => "connection_in_use",
        0x0103 => "transport_class_not_supported",
        0x0106 => "ownership_conflict",
        0x0107 => "connection_not_found",
        0x0108 => "invalid_connection_type",
        0x0109 => "invalid_connection_size",
        0x0110 => "device_not_configured",
        0x0111 => "rpi_not_supported",
        0x0113 => "out_of_connections",
        0x0114 => "vendor_or_product_mismatch",
        0x0115 => "device_type_mismatch",
        0x0116 => "revision_mismatch",
        0x0203 => "connection_timed_out",
        0x0204 => "unconnected_request_timed_out",
        0x0205 => "unconnected_send_parameter",
        0x0301 => "no_buffer_memory",
        0x0311 => "port_not_available",
        0x0312 => "link_address_not_valid",
        0x0315 => "invalid_segment",
        _ => return None,
    })
}

/// Name and octets of an elementary type (volume 1 appendix C-5).
pub fn data_type(code: u16) -> Option<(&'static str, usize)> {
    Some(match code {
        0xc1 => ("BOOL", 1),
        0xc2 => ("SINT", 1),
        0xc3 => ("INT", 2),
        0xc4 => ("DINT", 4),
        0xc5 => ("LINT", 8),
        0xc6 => ("USINT", 1),
        0xc7 => ("UINT", 2),
        0xc8 => ("UDINT", 4),
        0xc9 => ("ULINT", 8),
        0xca => ("REAL", 4),
        0xcb => ("LREAL", 8),
        0xd1 => ("BYTE", 1),
        0xd2 => ("WORD", 2),
        0xd3 => ("DWORD", 4),
        0xd4 => ("LWORD", 8),
        0x02a0 => ("STRUCT", 0),
        _ => return None,
    })
}
