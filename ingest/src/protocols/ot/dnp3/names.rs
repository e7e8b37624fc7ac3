//! Names of functions, indications, groups and states (IEEE 1815-2012 clauses 4 and 11, annex A).

use std::borrow::Cow;

/// Name of an application function (table 4-2).
pub fn function(code: u8) -> Option<&'static str> {
    Some(match code {
        0 => "confirm",
        1 => "read",
        2 => "write",
        3 => "select",
        4 => "operate",
        5 => "direct_operate",
        6 => "direct_operate_nr",
        7 => "immed_freeze",
        8 => "immed_freeze_nr",
        9 => "freeze_clear",
        10 => "freeze_clear_nr",
        11 => "freeze_at_time",
        12 => "freeze_at_time_nr",
        13 => "cold_restart",
        14 => "warm_restart",
        15 => "initialize_data",
        16 => "initialize_appl",
        17 => "start_appl",
        18 => "stop_appl",
        19 => "save_config",
        20 => "enable_unsolicited",
        21 => "disable_unsolicited",
        22 => "assign_class",
        23 => "delay_measure",
        24 => "record_current_time",
        25 => "open_file",
        26 => "close_file",
        27 => "delete_file",
        28 => "get_file_info",
        29 => "authenticate_file",
        30 => "abort_file",
        31 => "activate_config",
        32 => "authenticate_req",
        33 => "auth_req_no_ack",
        129 => "response",
        130 => "unsolicited_response",
        131 => "authenticate_resp",
        _ => return None,
    })
}

/// What a function does, coarsely.
pub fn category(code: u8) -> &'static str {
    match code {
        0 => "confirm",
        1 => "read",
        2 | 22 => "write",
        3..=6 => "control",
        7..=12 => "freeze",
        13 | 14 => "restart",
        15..=19 | 31 => "application",
        20 | 21 => "unsolicited",
        23 | 24 => "time",
        25..=30 => "file",
        32 | 33 | 131 => "auth",
        128.. => "response",
        _ => "other",
    }
}

/// A request that no answer follows.
pub fn is_unanswered(code: u8) -> bool {
    matches!(code, 6 | 8 | 10 | 12 | 33)
}

/// Names of the bits of the internal indications, first octet high.
pub fn indications(iin: u16) -> Vec<Cow<'static, str>> {
    const BITS: [(u16, &str); 14] = [
        (0x0100, "broadcast"),
        (0x0200, "class_1_events"),
        (0x0400, "class_2_events"),
        (0x0800, "class_3_events"),
        (0x1000, "need_time"),
        (0x2000, "local_control"),
        (0x4000, "device_trouble"),
        (0x8000, "device_restart"),
        (NO_FUNCTION, "no_func_code_support"),
        (OBJECT_UNKNOWN, "object_unknown"),
        (PARAMETER_ERROR, "parameter_error"),
        (0x0008, "event_buffer_overflow"),
        (ALREADY_EXECUTING, "already_executing"),
        (0x0020, "config_corrupt"),
    ];
    BITS.iter().filter(|(bit, _)| iin & bit != 0).map(|(_, name)| Cow::Borrowed(*name)).collect()
}

pub const NO_FUNCTION: u16 = 0x0001;
pub const OBJECT_UNKNOWN: u16 = 0x0002;
pub const PARAMETER_ERROR: u16 = 0x0004;
pub const ALREADY_EXECUTING: u16 = 0x0010;

/// Why a request was refused, by the indications of its answer.
pub fn refusal(iin: u16) -> Option<&'static str> {
    [
        (NO_FUNCTION, "no_func_code_support"),
        (OBJECT_UNKNOWN, "object_unknown"),
        (PARAMETER_ERROR, "parameter_error"),
        (ALREADY_EXECUTING, "already_executing"),
    ]
    .iter()
    .find(|(bit, _)| iin & bit != 0)
    .map(|(_, name)| *name)
}

/// Kind of the objects of a group.
pub fn group(group: u8) -> Option<&'static str> {
    Some(match group {
        0 => "device_attributes",
        1 => "binary_input",
        2 => "binary_input_event",
        3 => "double_bit_input",
        4 => "double_bit_input_event",
        10 => "binary_output",
        11 => "binary_output_event",
        12 => "crob",
        13 => "binary_command_event",
        20 => "counter",
        21 => "frozen_counter",
        22 => "counter_event",
        23 => "frozen_counter_event",
        30 => "analog_input",
        31 => "frozen_analog_input",
        32 => "analog_input_event",
        33 => "frozen_analog_input_event",
        34 => "analog_deadband",
        40 => "analog_output_status",
        41 => "analog_output",
        42 => "analog_output_event",
        43 => "analog_command_event",
        50 => "time",
        51 => "common_time",
        52 => "time_delay",
        60 => "class",
        70 => "file",
        80 => "iin",
        81 => "storage",
        82 | 83 => "private",
        85..=88 => "data_set",
        90 => "application",
        91 => "status_of_operation",
        100..=102 => "number",
        110 => "octet_string",
        111 => "octet_string_event",
        112 => "virtual_terminal",
        113 => "virtual_terminal_event",
        120 => "security",
        121 => "security_statistic",
        122 => "security_statistic_event",
        _ => return None,
    })
}

/// Names of the quality bits of a group's objects.
pub fn flags(group: u8, flags: u8) -> Vec<Cow<'static, str>> {
    let special: [(u8, &str); 2] = match group {
        1..=4 => [(0x20, "chatter"), (0, "")],
        20..=23 => [(0x20, "rollover"), (0x40, "discontinuity")],
        30..=33 | 40 | 42 => [(0x20, "over_range"), (0x40, "reference_err")],
        121 | 122 => [(0x40, "discontinuity"), (0, "")],
        _ => [(0, ""), (0, "")],
    };
    [(0x01, "online"), (0x02, "restart"), (0x04, "comm_lost"), (0x08, "remote_forced"), (0x10, "local_forced")]
        .into_iter()
        .chain(special)
        .filter(|(bit, _)| flags & bit != 0)
        .map(|(_, name)| Cow::Borrowed(name))
        .collect()
}

/// Name of a control status (table 11-7).
pub fn status(code: u8) -> Option<&'static str> {
    Some(match code {
        0 => "success",
        1 => "timeout",
        2 => "no_select",
        3 => "format_error",
        4 => "not_supported",
        5 => "already_active",
        6 => "hardware_error",
        7 => "local",
        8 => "too_many_objs",
        9 => "not_authorized",
        10 => "automation_inhibit",
        11 => "processing_limited",
        12 => "out_of_range",
        126 => "non_participating",
        127 => "undefined",
        _ => return None,
    })
}

/// Operation of a control relay output block.
pub fn operation(code: u8) -> Option<&'static str> {
    ["nul", "pulse_on", "pulse_off", "latch_on", "latch_off"].get(usize::from(code & 0x0f)).copied()
}

/// Trip-close code of it.
pub fn trip_close(code: u8) -> Option<&'static str> {
    ["nul", "close", "trip"].get(usize::from(code >> 6)).copied()
}

/// Mode in which a file is opened.
pub fn file_mode(mode: u16) -> Option<&'static str> {
    ["delete", "read", "write", "append"].get(usize::from(mode)).copied()
}

/// Status of file commands and blocks (table 11-13 and 11-14).
pub fn file_status(code: u8) -> Option<&'static str> {
    Some(match code {
        0 => "success",
        1 => "permission_denied",
        2 => "invalid_mode",
        3 => "not_found",
        4 => "locked",
        5 => "too_many_open",
        6 => "invalid_handle",
        7 => "write_block_size",
        8 => "communication_lost",
        9 => "cannot_abort",
        16 => "not_opened",
        17 => "handle_expired",
        18 => "overrun",
        19 => "fatal",
        20 => "block_sequence",
        255 => "undefined",
        _ => return None,
    })
}

/// What an object of group 120 is.
pub fn auth_kind(variation: u8) -> Option<&'static str> {
    Some(match variation {
        1 => "challenge",
        2 => "reply",
        3 => "aggressive",
        4 => "session_key_status_request",
        5 => "session_key_status",
        6 => "session_key_change",
        7 => "error",
        8 => "user_certificate",
        9 => "message_code",
        10 => "user_status_change",
        11 => "update_key_change_request",
        12 => "update_key_change_reply",
        13 => "update_key_change",
        14 => "update_key_change_signature",
        15 => "update_key_change_confirmation",
        _ => return None,
    })
}
