//! Names of PDUs, services, errors and classes (ISO 9506-2).

/// Kind of a PDU by its context tag.
pub fn pdu(number: u32) -> Option<&'static str> {
    Some(match number {
        0 => "confirmed_request",
        1 => "confirmed_response",
        2 => "confirmed_error",
        3 => "unconfirmed",
        4 => "reject",
        5 => "cancel_request",
        6 => "cancel_response",
        7 => "cancel_error",
        8 => "initiate_request",
        9 => "initiate_response",
        10 => "initiate_error",
        11 => "conclude_request",
        12 => "conclude_response",
        13 => "conclude_error",
        _ => return None,
    })
}

/// Confirmed service by its context tag.
pub fn service(number: u32) -> Option<&'static str> {
    Some(match number {
        0 => "status",
        1 => "get_name_list",
        2 => "identify",
        3 => "rename",
        4 => "read",
        5 => "write",
        6 => "get_variable_access_attributes",
        7 => "define_named_variable",
        8 => "define_scattered_access",
        9 => "get_scattered_access_attributes",
        10 => "delete_variable_access",
        11 => "define_named_variable_list",
        12 => "get_named_variable_list_attributes",
        13 => "delete_named_variable_list",
        14 => "define_named_type",
        15 => "get_named_type_attributes",
        16 => "delete_named_type",
        17 => "input",
        18 => "output",
        19 => "take_control",
        20 => "relinquish_control",
        21 => "define_semaphore",
        22 => "delete_semaphore",
        23 => "report_semaphore_status",
        24 => "report_pool_semaphore_status",
        25 => "report_semaphore_entry_status",
        26 => "initiate_download_sequence",
        27 => "download_segment",
        28 => "terminate_download_sequence",
        29 => "initiate_upload_sequence",
        30 => "upload_segment",
        31 => "terminate_upload_sequence",
        32 => "request_domain_download",
        33 => "request_domain_upload",
        34 => "load_domain_content",
        35 => "store_domain_content",
        36 => "delete_domain",
        37 => "get_domain_attributes",
        38 => "create_program_invocation",
        39 => "delete_program_invocation",
        40 => "start",
        41 => "stop",
        42 => "resume",
        43 => "reset",
        44 => "kill",
        45 => "get_program_invocation_attributes",
        46 => "obtain_file",
        47 => "define_event_condition",
        48 => "delete_event_condition",
        51 => "alter_event_condition_monitoring",
        57 => "define_event_enrollment",
        58 => "delete_event_enrollment",
        59 => "alter_event_enrollment",
        65 => "read_journal",
        66 => "write_journal",
        67 => "initialize_journal",
        68 => "report_journal_status",
        71 => "get_capability_list",
        72 => "file_open",
        73 => "file_read",
        74 => "file_close",
        75 => "file_rename",
        76 => "file_delete",
        77 => "file_directory",
        _ => return None,
    })
}

/// What a service is for.
pub fn category(number: u32) -> &'static str {
    match number {
        4 => "read",
        5 => "write",
        46 | 72..=77 => "file",
        26..=45 => "program",
        1 | 6 | 9 | 12 | 15 => "directory",
        _ => "other",
    }
}

/// Class of a service error.
pub fn error_class(number: u32) -> Option<&'static str> {
    [
        "vmd_state",
        "application_reference",
        "definition",
        "resource",
        "service",
        "service_preempt",
        "time_resolution",
        "access",
        "initiate",
        "conclude",
        "cancel",
        "file",
        "others",
    ]
    .get(usize::try_from(number).ok()?)
    .copied()
}

/// Code of an error in its class (ISO 9506-2, `ServiceError`).
pub fn error_code(class: u32, code: u32) -> Option<&'static str> {
    let codes: &[&str] = match class {
        0 => &["other", "vmd_state_conflict", "vmd_operational_problem", "domain_transfer_problem", "state_machine_id_invalid"],
        1 => &["other", "application_unreachable", "connection_lost", "application_reference_invalid", "context_unsupported"],
        2 => &[
            "other",
            "object_undefined",
            "invalid_address",
            "type_unsupported",
            "type_inconsistent",
            "object_exists",
            "object_attribute_inconsistent",
        ],
        3 => &[
            "other",
            "memory_unavailable",
            "processor_resource_unavailable",
            "mass_storage_unavailable",
            "capability_unavailable",
            "capability_unknown",
        ],
        5 => &["other", "timeout", "deadlock", "cancel"],
        6 => &["other", "unsupportable_time_resolution"],
        7 => &["other", "object_access_unsupported", "object_non_existent", "object_access_denied", "object_invalidated"],
        9 => &["other", "further_communication_required"],
        10 => &["other", "invoke_id_unknown", "cancel_not_possible"],
        11 => &[
            "other",
            "filename_ambiguous",
            "file_busy",
            "filename_syntax_error",
            "content_type_invalid",
            "position_invalid",
            "file_access_denied",
            "file_non_existent",
            "duplicate_filename",
            "insufficient_space_in_filestore",
        ],
        _ => return None,
    };
    codes.get(usize::try_from(code).ok()?).copied()
}

/// Why data could not be accessed.
pub fn access_error(number: u32) -> Option<&'static str> {
    [
        "object_invalidated",
        "hardware_fault",
        "temporarily_unavailable",
        "object_access_denied",
        "object_undefined",
        "invalid_address",
        "type_unsupported",
        "type_inconsistent",
        "object_attribute_inconsistent",
        "object_access_unsupported",
        "object_non_existent",
        "object_value_invalid",
    ]
    .get(usize::try_from(number).ok()?)
    .copied()
}

/// Which PDU was rejected.
pub fn reject(number: u32) -> Option<&'static str> {
    [
        "confirmed_request",
        "confirmed_response",
        "confirmed_error",
        "unconfirmed",
        "pdu_error",
        "cancel_request",
        "cancel_response",
        "cancel_error",
        "conclude_request",
        "conclude_response",
        "conclude_error",
    ]
    .get(usize::try_from(number).ok()?.checked_sub(1)?)
    .copied()
}

/// Class of the objects whose names are asked for.
pub fn object_class(number: u32) -> Option<&'static str> {
    [
        "named_variable",
        "scattered_access",
        "named_variable_list",
        "named_type",
        "semaphore",
        "event_condition",
        "event_action",
        "event_enrollment",
        "journal",
        "domain",
        "program_invocation",
        "operator_station",
    ]
    .get(usize::try_from(number).ok()?)
    .copied()
}

/// Logical status of a virtual manufacturing device.
pub fn logical_status(number: u32) -> Option<&'static str> {
    ["state_changes_allowed", "no_state_changes_allowed", "limited_services_permitted", "support_services_allowed"]
        .get(usize::try_from(number).ok()?)
        .copied()
}

/// Its physical status.
pub fn physical_status(number: u32) -> Option<&'static str> {
    ["operational", "partially_operational", "inoperable", "needs_commissioning"].get(usize::try_from(number).ok()?).copied()
}
