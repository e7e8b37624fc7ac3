//! Names of functions, services, objects, properties and errors (ASHRAE 135-2020 clauses 6, 20, 21 and annex J).

use std::borrow::Cow;

/// Function of the virtual link layer (annex J.2).
pub fn bvlc(code: u8) -> Option<&'static str> {
    [
        "bvlc_result",
        "write_bdt",
        "read_bdt",
        "read_bdt_ack",
        "forwarded_npdu",
        "register_foreign_device",
        "read_fdt",
        "read_fdt_ack",
        "delete_fdt_entry",
        "distribute_broadcast",
        "original_unicast_npdu",
        "original_broadcast_npdu",
        "secure_bvll",
    ]
    .get(usize::from(code))
    .copied()
}

/// Network layer message (clause 6.2.4).
pub fn network(code: u8) -> Option<&'static str> {
    Some(match code {
        0 => "who_is_router_to_network",
        1 => "i_am_router_to_network",
        2 => "i_could_be_router",
        3 => "reject_message_to_network",
        4 => "router_busy",
        5 => "router_available",
        6 => "initialize_routing_table",
        7 => "initialize_routing_table_ack",
        8 => "establish_connection",
        9 => "disconnect_connection",
        10 => "challenge_request",
        11 => "security_payload",
        12 => "security_response",
        13 => "request_key_update",
        14 => "update_key_set",
        15 => "update_distribution_key",
        16 => "request_master_key",
        17 => "set_master_key",
        18 => "what_is_network_number",
        19 => "network_number_is",
        _ => return None,
    })
}

/// Kind of an APDU.
pub fn pdu(code: u8) -> Option<&'static str> {
    ["confirmed_request", "unconfirmed_request", "simple_ack", "complex_ack", "segment_ack", "error", "reject", "abort"]
        .get(usize::from(code))
        .copied()
}

/// Confirmed service.
pub fn confirmed(code: u8) -> Option<&'static str> {
    Some(match code {
        0 => "acknowledge_alarm",
        1 => "confirmed_cov_notification",
        2 => "confirmed_event_notification",
        3 => "get_alarm_summary",
        4 => "get_enrollment_summary",
        5 => "subscribe_cov",
        6 => "atomic_read_file",
        7 => "atomic_write_file",
        8 => "add_list_element",
        9 => "remove_list_element",
        10 => "create_object",
        11 => "delete_object",
        12 => "read_property",
        13 => "read_property_conditional",
        14 => "read_property_multiple",
        15 => "write_property",
        16 => "write_property_multiple",
        17 => "device_communication_control",
        18 => "confirmed_private_transfer",
        19 => "confirmed_text_message",
        20 => "reinitialize_device",
        21 => "vt_open",
        22 => "vt_close",
        23 => "vt_data",
        24 => "authenticate",
        25 => "request_key",
        26 => "read_range",
        27 => "life_safety_operation",
        28 => "subscribe_cov_property",
        29 => "get_event_information",
        _ => return None,
    })
}

/// Unconfirmed service.
pub fn unconfirmed(code: u8) -> Option<&'static str> {
    [
        "i_am",
        "i_have",
        "cov_notification",
        "event_notification",
        "private_transfer",
        "text_message",
        "time_synchronization",
        "who_has",
        "who_is",
        "utc_time_synchronization",
        "write_group",
    ]
    .get(usize::from(code))
    .copied()
}

/// What a request is for.
pub fn category(service: &str) -> &'static str {
    match service {
        "i_am" | "i_have" | "who_has" | "who_is" => "discovery",
        "read_property"
        | "read_property_multiple"
        | "read_property_conditional"
        | "read_range"
        | "get_alarm_summary"
        | "get_enrollment_summary"
        | "get_event_information" => "read",
        "write_property" | "write_property_multiple" | "add_list_element" | "remove_list_element" | "write_group" => "write",
        "device_communication_control" | "reinitialize_device" | "life_safety_operation" => "control",
        "atomic_read_file" => "file_read",
        "atomic_write_file" => "file_write",
        "create_object" | "delete_object" => "object_lifecycle",
        "acknowledge_alarm" | "confirmed_event_notification" | "event_notification" => "alarm",
        "subscribe_cov" | "subscribe_cov_property" | "cov_notification" | "confirmed_cov_notification" => "cov",
        "time_synchronization" | "utc_time_synchronization" => "time",
        _ => "private",
    }
}

/// Type of an object (clause 21, BACnetObjectType).
pub fn object(code: u16) -> Option<&'static str> {
    [
        "analog_input",
        "analog_output",
        "analog_value",
        "binary_input",
        "binary_output",
        "binary_value",
        "calendar",
        "command",
        "device",
        "event_enrollment",
        "file",
        "group",
        "loop",
        "multi_state_input",
        "multi_state_output",
        "notification_class",
        "program",
        "schedule",
        "averaging",
        "multi_state_value",
        "trend_log",
        "life_safety_point",
        "life_safety_zone",
        "accumulator",
        "pulse_converter",
        "event_log",
        "global_group",
        "trend_log_multiple",
        "load_control",
        "structured_view",
        "access_door",
    ]
    .get(usize::from(code))
    .copied()
}

/// An object as people write it: type and instance.
pub fn object_text(id: u32) -> String {
    let (kind, instance) = parts(id);
    let name = object(kind).map_or_else(|| Cow::Owned(format!("type_{kind}")), Cow::Borrowed);
    format!("{name},{instance}")
}

/// Type and instance of an object identifier.
pub fn parts(id: u32) -> (u16, u32) {
    (u16::try_from(id >> 22).unwrap_or_default(), id & 0x003f_ffff)
}

/// The property that is an object's name.
pub const OBJECT_NAME: u32 = 77;

/// A property (clause 21, BACnetPropertyIdentifier).
pub fn property(code: u32) -> Option<&'static str> {
    Some(match code {
        0 => "acked_transitions",
        4 => "active_text",
        8 => "all",
        10 => "apdu_segment_timeout",
        11 => "apdu_timeout",
        12 => "application_software_version",
        17 => "notification_class",
        22 => "cov_increment",
        23 => "date_list",
        24 => "daylight_savings_status",
        25 => "deadband",
        28 => "description",
        30 => "device_address_binding",
        31 => "device_type",
        32 => "effective_period",
        35 => "event_enable",
        36 => "event_state",
        37 => "event_type",
        38 => "exception_schedule",
        41 => "file_access_method",
        42 => "file_size",
        43 => "file_type",
        44 => "firmware_revision",
        45 => "high_limit",
        46 => "inactive_text",
        52 => "limit_enable",
        54 => "list_of_object_property_references",
        56 => "local_date",
        57 => "local_time",
        58 => "location",
        59 => "low_limit",
        62 => "max_apdu_length_accepted",
        63 => "max_info_frames",
        64 => "max_master",
        65 => "max_pres_value",
        69 => "min_pres_value",
        70 => "model_name",
        71 => "modification_date",
        72 => "notify_type",
        73 => "number_of_apdu_retries",
        74 => "number_of_states",
        75 => "object_identifier",
        76 => "object_list",
        OBJECT_NAME => "object_name",
        79 => "object_type",
        80 => "optional",
        81 => "out_of_service",
        84 => "polarity",
        85 => "present_value",
        87 => "priority_array",
        88 => "priority_for_writing",
        96 => "protocol_object_types_supported",
        97 => "protocol_services_supported",
        98 => "protocol_version",
        99 => "read_only",
        102 => "recipient_list",
        103 => "reliability",
        104 => "relinquish_default",
        105 => "required",
        106 => "resolution",
        107 => "segmentation_supported",
        108 => "setpoint",
        110 => "state_text",
        111 => "status_flags",
        112 => "system_status",
        113 => "time_delay",
        116 => "time_synchronization_recipients",
        117 => "units",
        118 => "update_interval",
        119 => "utc_offset",
        120 => "vendor_identifier",
        121 => "vendor_name",
        123 => "weekly_schedule",
        130 => "event_time_stamps",
        131 => "log_buffer",
        133 => "enable",
        139 => "protocol_revision",
        141 => "record_count",
        152 => "active_cov_subscriptions",
        155 => "database_revision",
        168 => "profile_name",
        371 => "property_list",
        _ => return None,
    })
}

/// Class of an error.
pub fn error_class(code: u32) -> Option<&'static str> {
    ["device", "object", "property", "resources", "security", "services", "vt", "communication"].get(usize::try_from(code).ok()?).copied()
}

/// Code of an error.
pub fn error_code(code: u32) -> Option<&'static str> {
    Some(match code {
        0 => "other",
        2 => "configuration_in_progress",
        3 => "device_busy",
        4 => "dynamic_creation_not_supported",
        5 => "file_access_denied",
        7 => "inconsistent_parameters",
        9 => "invalid_data_type",
        10 => "invalid_file_access_method",
        11 => "invalid_file_start_position",
        13 => "invalid_parameter_data_type",
        16 => "missing_required_parameter",
        18 => "no_space_for_object",
        22 => "property_is_not_a_list",
        23 => "object_deletion_not_permitted",
        24 => "object_identifier_already_exists",
        25 => "operational_problem",
        26 => "password_failure",
        27 => "read_access_denied",
        29 => "service_request_denied",
        30 => "timeout",
        31 => "unknown_object",
        32 => "unknown_property",
        37 => "value_out_of_range",
        40 => "write_access_denied",
        41 => "character_set_not_supported",
        42 => "invalid_array_index",
        43 => "cov_subscription_failed",
        44 => "not_cov_property",
        45 => "optional_functionality_not_supported",
        47 => "datatype_not_supported",
        _ => return None,
    })
}

/// Reason of a reject.
pub fn reject(code: u8) -> Option<&'static str> {
    [
        "other",
        "buffer_overflow",
        "inconsistent_parameters",
        "invalid_parameter_data_type",
        "invalid_tag",
        "missing_required_parameter",
        "parameter_out_of_range",
        "too_many_arguments",
        "undefined_enumeration",
        "unrecognized_service",
    ]
    .get(usize::from(code))
    .copied()
}

/// Reason of an abort.
pub fn abort(code: u8) -> Option<&'static str> {
    [
        "other",
        "buffer_overflow",
        "invalid_apdu_in_this_state",
        "preempted_by_higher_priority_task",
        "segmentation_not_supported",
        "security_error",
        "insufficient_security",
        "window_size_out_of_range",
        "application_exceeded_reply_time",
        "out_of_resources",
        "tsm_timeout",
        "apdu_too_long",
    ]
    .get(usize::from(code))
    .copied()
}

/// State that a device is told to take.
pub fn reinitialize(code: u32) -> Option<&'static str> {
    ["coldstart", "warmstart", "start_backup", "end_backup", "start_restore", "end_restore", "abort_restore", "activate_changes"]
        .get(usize::try_from(code).ok()?)
        .copied()
}
