//! Tables of dnp3 records.

use crate::table;

table! {
    /// One row per DNP3 link frame, over TCP or UDP. The application fragment (all its link frames and transport segments joined) stands in the row of the link frame that completes it; rows of other link frames have no function. Object headers and points are in dnp3_objects.
    pub struct Dnp3("dnp3", "message", Network) {
        /// `tcp`, `udp`.
        carrier: word,
        /// Link frames that make up the row: those of the whole fragment, where one ends here.
        link_frames: u16,
        /// LENGTH of the link frame.
        link_length: u8 = "dnp3.len",
        /// Source address.
        link_source: u16 = "dnp3.src",
        /// Destination address; 0xFFFD-0xFFFF broadcast, 0xFFFC self.
        link_destination: u16 = "dnp3.dst",
        /// `from_master` (DIR 1) or `from_outstation`.
        direction: word,
        /// PRM bit.
        link_primary: bool = "dnp3.ctl.prm",
        /// Low four bits of the control octet.
        link_function_code: u8,
        /// PRM 1: `reset_link` 0, `test_link` 2, `confirmed_user_data` 3, `unconfirmed_user_data` 4, `request_link_status` 9; PRM 0: `ack` 0, `nack` 1, `link_status` 11, `not_supported` 15.
        link_function: word,
        /// All header and data CRCs right.
        crc_ok: bool,
        /// Destination 0xFFFD-0xFFFF.
        is_broadcast: bool,
        /// Application function; null for link-only rows.
        function_code: u8 = "dnp3.al.func",
        /// Its name: `confirm` 0, `read` 1, `write` 2, `select` 3, `operate` 4, `direct_operate` 5, `cold_restart` 13, `open_file` 25, `response` 129, `unsolicited_response` 130 ...
        function: word,
        /// `read`, `write`, `control`, `restart`, `application`, `file`, `time`, `unsolicited`, `freeze`, `auth`, `response`, `confirm`, `link`.
        category: word,
        /// Function below 128.
        is_request: bool,
        /// Sequence 0-15 of the fragment.
        app_sequence: u8 = "dnp3.al.seq",
        /// FIR.
        first: bool = "dnp3.al.fir",
        /// FIN.
        r#final: bool = "dnp3.al.fin",
        /// CON.
        confirm_requested: bool = "dnp3.al.con",
        /// UNS.
        unsolicited: bool = "dnp3.al.uns",
        /// Answer: frame of the request with this sequence and addresses.
        request_frame: u64,
        /// Answer minus request.
        response_time_ms: f64,
        /// Internal indications, first octet high (as Wireshark shows them).
        iin: u16 = "dnp3.al.iin",
        /// Bits set: `broadcast` 0x0100, `class_1_events` 0x0200, `class_2_events` 0x0400, `class_3_events` 0x0800, `need_time` 0x1000, `local_control` 0x2000, `device_trouble` 0x4000, `device_restart` 0x8000, `no_func_code_support` 0x0001, `object_unknown` 0x0002, `parameter_error` 0x0004, `event_buffer_overflow` 0x0008, `already_executing` 0x0010, `config_corrupt` 0x0020.
        iin_names: list_text,
        /// Object headers in the fragment.
        object_count: u16,
        /// `group.variation` of each header.
        groups: list_text,
        /// File functions: name.
        @bloom file_name: word = "dnp3.al.file_name",
        /// `delete`, `read`, `write`, `append`.
        file_mode: word,
        /// File handle.
        file_handle: u32 = "dnp3.al.file.handle",
        /// Size from open or status object.
        file_size_bytes: u32 = "dnp3.al.file.size",
        /// Transport object block.
        file_block: u32 = "dnp3.al.file.blocknum",
        /// Last block bit.
        file_last_block: bool = "dnp3.al.file.lastblock",
        /// Status name of file answers.
        file_status: word,
        /// Authentication key of an open or delete.
        @secret file_auth_key: u32 = "dnp3.al.file.auth",
        /// Secure authentication (group 120): user number.
        auth_user: u16,
        /// `challenge`, `reply`, `aggressive`, `session_key_status_request`, `session_key_status`, `session_key_change`, `error`.
        auth_kind: word,
        /// Write of group 50: time given.
        time_set: time,
        /// `bad_crc`, `bad_length`, `unknown_object`, `object_overrun`, `transport_gap`, `truncated`; null when sound.
        malformed: word,
        /// Octets of the application fragment.
        app_len: u32,
    }
}

table! {
    /// One row per point (indexed object) in a DNP3 fragment; a header without points (a read) gives one row with index null.
    pub struct Dnp3Objects("dnp3_objects", "object", Network) {
        /// Function of the fragment.
        function_code: u8 = "dnp3.al.func",
        /// Its name.
        function: word,
        /// `from_master` or `from_outstation`.
        direction: word,
        /// Data-link source.
        link_source: u16,
        /// Data-link destination.
        link_destination: u16,
        /// Order of the header in the fragment.
        object_index: u16,
        /// Object group.
        group: u8,
        /// Object variation.
        variation: u8,
        /// `group.variation`.
        object: word,
        /// Kind of the group: `binary_input` 1, `crob` 12, `counter` 20, `analog_input` 30, `time` 50, `class` 60, `file` 70 ...
        object_type: word,
        /// Qualifier octet.
        qualifier: u8,
        /// First index or count start of the header.
        range_low: u32 = "dnp3.al.range.start",
        /// Last index.
        range_high: u32 = "dnp3.al.range.stop",
        /// Objects in the header.
        count: u32,
        /// Point index.
        index_number: u32 = "dnp3.al.index",
        /// Number of the point; 0 or 1 for binaries, 0-3 for double-bit.
        value: f64,
        /// Value as text; strings and device attributes.
        value_text: text,
        /// Quality octet.
        flags: u8,
        /// `online`, `restart`, `comm_lost`, `remote_forced`, `local_forced`, `over_range`, `reference_err`, `chatter`, `rollover`, `discontinuity`.
        flag_names: list_text,
        /// Time of the event, absolute or from the common time.
        event_time: time,
        /// `nul`, `pulse_on`, `pulse_off`, `latch_on`, `latch_off`.
        crob_operation: word,
        /// `nul`, `close`, `trip`.
        trip_control_code: word,
        /// Clear bit.
        crob_clear: bool = "dnp3.ctl.clr",
        /// CROB count.
        execute_count: u8,
        /// CROB on time.
        on_time_ms: u32 = "dnp3.al.on_time",
        /// CROB off time.
        off_time_ms: u32 = "dnp3.al.off_time",
        /// Control status; 0 in requests.
        status_code: u8 = "dnp3.al.ctrlstatus",
        /// `success` 0, `timeout` 1, `no_select` 2, `format_error` 3, `not_supported` 4, `already_active` 5, `hardware_error` 6, `local` 7, `too_many_objs` 8, `not_authorized` 9, `automation_inhibit` 10, `processing_limited` 11, `out_of_range` 12, `non_participating` 126.
        status: word,
        /// Operate: frame of the select with the same point and settings, at most the select timeout (10 s) before.
        select_frame: u64,
    }
}
