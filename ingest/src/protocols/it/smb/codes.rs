//! Names of commands, status codes, controls and information classes (MS-SMB2, MS-CIFS, MS-ERREF, MS-FSCC).

/// Commands of versions 2 and 3 (MS-SMB2, 2.2.1).
pub fn command2(code: u16) -> Option<&'static str> {
    const NAMES: [&str; 19] = [
        "negotiate",
        "session_setup",
        "logoff",
        "tree_connect",
        "tree_disconnect",
        "create",
        "close",
        "flush",
        "read",
        "write",
        "lock",
        "ioctl",
        "cancel",
        "echo",
        "query_directory",
        "change_notify",
        "query_info",
        "set_info",
        "oplock_break",
    ];
    NAMES.get(usize::from(code)).copied()
}

/// Commands of version 1 (MS-CIFS, 2.2.2.1).
pub fn command1(code: u8) -> Option<&'static str> {
    Some(match code {
        0x00 => "create_directory",
        0x01 => "delete_directory",
        0x02 => "open",
        0x03 => "create",
        0x04 => "close",
        0x05 => "flush",
        0x06 => "delete",
        0x07 => "rename",
        0x08 => "query_information",
        0x09 => "set_information",
        0x0a => "read",
        0x0b => "write",
        0x0c => "lock_byte_range",
        0x0d => "unlock_byte_range",
        0x0e => "create_temporary",
        0x0f => "create_new",
        0x10 => "check_directory",
        0x11 => "process_exit",
        0x12 => "seek",
        0x13 => "lock_and_read",
        0x14 => "write_and_unlock",
        0x1a => "read_raw",
        0x1d => "write_raw",
        0x22 => "set_information2",
        0x23 => "query_information2",
        0x24 => "locking_andx",
        0x25 => "transaction",
        0x26 => "transaction_secondary",
        0x27 => "ioctl",
        0x29 => "copy",
        0x2a => "move",
        0x2b => "echo",
        0x2c => "write_and_close",
        0x2d => "open_andx",
        0x2e => "read_andx",
        0x2f => "write_andx",
        0x32 => "trans2",
        0x33 => "trans2_secondary",
        0x34 => "find_close2",
        0x70 => "tree_connect",
        0x71 => "tree_disconnect",
        0x72 => "negotiate",
        0x73 => "session_setup_andx",
        0x74 => "logoff_andx",
        0x75 => "tree_connect_andx",
        0x80 => "query_information_disk",
        0x81 => "search",
        0x82 => "find",
        0xa0 => "nt_trans",
        0xa1 => "nt_trans_secondary",
        0xa2 => "nt_create_andx",
        0xa4 => "nt_cancel",
        0xa5 => "nt_rename",
        _ => return None,
    })
}

/// What a transaction of version 1 is about: of `trans2` (MS-CIFS, 2.2.2.2), of `transaction` on pipes, of `nt_trans`.
pub fn sub_command1(command: u8, function: u16) -> Option<&'static str> {
    Some(match (command, function) {
        (0x32, 0x00) => "open2",
        (0x32, 0x01) => "find_first2",
        (0x32, 0x02) => "find_next2",
        (0x32, 0x03) => "query_fs_information",
        (0x32, 0x04) => "set_fs_information",
        (0x32, 0x05) => "query_path_information",
        (0x32, 0x06) => "set_path_information",
        (0x32, 0x07) => "query_file_information",
        (0x32, 0x08) => "set_file_information",
        (0x32, 0x0d) => "create_directory",
        (0x32, 0x0e) => "session_setup",
        (0x32, 0x10) => "get_dfs_referral",
        (0x25, 0x01) => "set_nmpipe_state",
        (0x25, 0x11) => "raw_read_nmpipe",
        (0x25, 0x21) => "query_nmpipe_state",
        (0x25, 0x22) => "query_nmpipe_info",
        (0x25, 0x23) => "peek_nmpipe",
        (0x25, 0x26) => "transact_nmpipe",
        (0x25, 0x31) => "raw_write_nmpipe",
        (0x25, 0x36) => "read_nmpipe",
        (0x25, 0x37) => "write_nmpipe",
        (0x25, 0x53) => "wait_nmpipe",
        (0x25, 0x54) => "call_nmpipe",
        (0xa0, 1) => "create",
        (0xa0, 2) => "ioctl",
        (0xa0, 3) => "set_security_descriptor",
        (0xa0, 4) => "notify_change",
        (0xa0, 5) => "rename",
        (0xa0, 6) => "query_security_descriptor",
        _ => return None,
    })
}

/// Controls (MS-FSCC 2.3, MS-SMB2 2.2.31).
pub fn control(code: u32) -> Option<&'static str> {
    Some(match code {
        0x0006_0194 => "FSCTL_DFS_GET_REFERRALS",
        0x0006_01b0 => "FSCTL_DFS_GET_REFERRALS_EX",
        0x0009_0028 => "FSCTL_REQUEST_FILESYSTEM_LEVEL_OPLOCK",
        0x0009_003c => "FSCTL_GET_COMPRESSION",
        0x0009_00a4 => "FSCTL_SET_REPARSE_POINT",
        0x0009_00a8 => "FSCTL_GET_REPARSE_POINT",
        0x0009_00c0 => "FSCTL_CREATE_OR_GET_OBJECT_ID",
        0x0009_00c4 => "FSCTL_SET_SPARSE",
        0x0009_40cf => "FSCTL_QUERY_ALLOCATED_RANGES",
        0x0009_80c8 => "FSCTL_SET_ZERO_DATA",
        0x0009_8344 => "FSCTL_DUPLICATE_EXTENTS_TO_FILE",
        0x0011_000c => "FSCTL_PIPE_PEEK",
        0x0011_0018 => "FSCTL_PIPE_WAIT",
        0x0011_c017 => "FSCTL_PIPE_TRANSCEIVE",
        0x0014_0078 => "FSCTL_SRV_REQUEST_RESUME_KEY",
        0x0014_0204 => "FSCTL_VALIDATE_NEGOTIATE_INFO",
        0x0014_01d4 => "FSCTL_LMR_REQUEST_RESILIENCY",
        0x0014_01fc => "FSCTL_QUERY_NETWORK_INTERFACE_INFO",
        0x0014_4064 => "FSCTL_SRV_ENUMERATE_SNAPSHOTS",
        0x0014_40f2 => "FSCTL_SRV_COPYCHUNK",
        0x0014_80f2 => "FSCTL_SRV_COPYCHUNK_WRITE",
        0x0014_41bb => "FSCTL_SRV_READ_HASH",
        _ => return None,
    })
}

/// Information classes by kind: 1 file, 2 file system, 3 security, 4 quota (MS-FSCC 2.4 and 2.5).
pub fn information(kind: u8, class: u8) -> Option<&'static str> {
    Some(match (kind, class) {
        (1, 1) => "FileDirectoryInformation",
        (1, 2) => "FileFullDirectoryInformation",
        (1, 3) => "FileBothDirectoryInformation",
        (1, 4) => "FileBasicInformation",
        (1, 5) => "FileStandardInformation",
        (1, 6) => "FileInternalInformation",
        (1, 7) => "FileEaInformation",
        (1, 10) => "FileRenameInformation",
        (1, 11) => "FileLinkInformation",
        (1, 12) => "FileNamesInformation",
        (1, 13) => "FileDispositionInformation",
        (1, 15) => "FileFullEaInformation",
        (1, 18) => "FileAllInformation",
        (1, 19) => "FileAllocationInformation",
        (1, 20) => "FileEndOfFileInformation",
        (1, 22) => "FileStreamInformation",
        (1, 34) => "FileNetworkOpenInformation",
        (1, 37) => "FileIdBothDirectoryInformation",
        (1, 38) => "FileIdFullDirectoryInformation",
        (1, 48) => "FileNormalizedNameInformation",
        (1, 64) => "FileDispositionInformationEx",
        (1, 65) => "FileRenameInformationEx",
        (2, 1) => "FileFsVolumeInformation",
        (2, 3) => "FileFsSizeInformation",
        (2, 4) => "FileFsDeviceInformation",
        (2, 5) => "FileFsAttributeInformation",
        (2, 7) => "FileFsFullSizeInformation",
        (2, 8) => "FileFsObjectIdInformation",
        (2, 11) => "FileFsSectorSizeInformation",
        (3, _) => "SecurityInformation",
        (4, _) => "FileQuotaInformation",
        _ => return None,
    })
}

pub const SUCCESS: u32 = 0;
pub const PENDING: u32 = 0x103;
pub const BUFFER_OVERFLOW: u32 = 0x8000_0005;
pub const MORE_PROCESSING: u32 = 0xc000_0016;

/// Names of status codes (MS-ERREF, 2.3).
pub fn status(code: u32) -> Option<&'static str> {
    Some(match code {
        SUCCESS => "STATUS_SUCCESS",
        PENDING => "STATUS_PENDING",
        0x0000_0104 => "STATUS_REPARSE",
        0x0000_0105 => "STATUS_MORE_ENTRIES",
        0x0000_010b => "STATUS_NOTIFY_CLEANUP",
        0x0000_010c => "STATUS_NOTIFY_ENUM_DIR",
        BUFFER_OVERFLOW => "STATUS_BUFFER_OVERFLOW",
        0x8000_0006 => "STATUS_NO_MORE_FILES",
        0x8000_001a => "STATUS_NO_MORE_ENTRIES",
        0x8000_002d => "STATUS_STOPPED_ON_SYMLINK",
        0xc000_0001 => "STATUS_UNSUCCESSFUL",
        0xc000_0002 => "STATUS_NOT_IMPLEMENTED",
        0xc000_0003 => "STATUS_INVALID_INFO_CLASS",
        0xc000_0004 => "STATUS_INFO_LENGTH_MISMATCH",
        0xc000_0008 => "STATUS_INVALID_HANDLE",
        0xc000_000d => "STATUS_INVALID_PARAMETER",
        0xc000_000e => "STATUS_NO_SUCH_DEVICE",
        0xc000_000f => "STATUS_NO_SUCH_FILE",
        0xc000_0010 => "STATUS_INVALID_DEVICE_REQUEST",
        0xc000_0011 => "STATUS_END_OF_FILE",
        MORE_PROCESSING => "STATUS_MORE_PROCESSING_REQUIRED",
        0xc000_0017 => "STATUS_NO_MEMORY",
        0xc000_0022 => "STATUS_ACCESS_DENIED",
        0xc000_0023 => "STATUS_BUFFER_TOO_SMALL",
        0xc000_0033 => "STATUS_OBJECT_NAME_INVALID",
        0xc000_0034 => "STATUS_OBJECT_NAME_NOT_FOUND",
        0xc000_0035 => "STATUS_OBJECT_NAME_COLLISION",
        0xc000_0039 => "STATUS_OBJECT_PATH_INVALID",
        0xc000_003a => "STATUS_OBJECT_PATH_NOT_FOUND",
        0xc000_003b => "STATUS_OBJECT_PATH_SYNTAX_BAD",
        0xc000_0043 => "STATUS_SHARING_VIOLATION",
        0xc000_0054 => "STATUS_FILE_LOCK_CONFLICT",
        0xc000_0055 => "STATUS_LOCK_NOT_GRANTED",
        0xc000_0056 => "STATUS_DELETE_PENDING",
        0xc000_005e => "STATUS_NO_LOGON_SERVERS",
        0xc000_0061 => "STATUS_PRIVILEGE_NOT_HELD",
        0xc000_0064 => "STATUS_NO_SUCH_USER",
        0xc000_006a => "STATUS_WRONG_PASSWORD",
        0xc000_006d => "STATUS_LOGON_FAILURE",
        0xc000_006e => "STATUS_ACCOUNT_RESTRICTION",
        0xc000_006f => "STATUS_INVALID_LOGON_HOURS",
        0xc000_0070 => "STATUS_INVALID_WORKSTATION",
        0xc000_0071 => "STATUS_PASSWORD_EXPIRED",
        0xc000_0072 => "STATUS_ACCOUNT_DISABLED",
        0xc000_007f => "STATUS_DISK_FULL",
        0xc000_0098 => "STATUS_FILE_INVALID",
        0xc000_009a => "STATUS_INSUFFICIENT_RESOURCES",
        0xc000_00ac => "STATUS_PIPE_NOT_AVAILABLE",
        0xc000_00ad => "STATUS_INVALID_PIPE_STATE",
        0xc000_00ae => "STATUS_PIPE_BUSY",
        0xc000_00b0 => "STATUS_PIPE_DISCONNECTED",
        0xc000_00b1 => "STATUS_PIPE_CLOSING",
        0xc000_00b5 => "STATUS_IO_TIMEOUT",
        0xc000_00ba => "STATUS_FILE_IS_A_DIRECTORY",
        0xc000_00bb => "STATUS_NOT_SUPPORTED",
        0xc000_00c9 => "STATUS_NETWORK_NAME_DELETED",
        0xc000_00ca => "STATUS_NETWORK_ACCESS_DENIED",
        0xc000_00cb => "STATUS_BAD_DEVICE_TYPE",
        0xc000_00cc => "STATUS_BAD_NETWORK_NAME",
        0xc000_00d0 => "STATUS_REQUEST_NOT_ACCEPTED",
        0xc000_0101 => "STATUS_DIRECTORY_NOT_EMPTY",
        0xc000_0103 => "STATUS_NOT_A_DIRECTORY",
        0xc000_0120 => "STATUS_CANCELLED",
        0xc000_0121 => "STATUS_CANNOT_DELETE",
        0xc000_0128 => "STATUS_FILE_CLOSED",
        0xc000_0133 => "STATUS_TIME_DIFFERENCE_AT_DC",
        0xc000_014b => "STATUS_PIPE_BROKEN",
        0xc000_015b => "STATUS_LOGON_TYPE_NOT_GRANTED",
        0xc000_018b => "STATUS_NO_TRUST_SAM_ACCOUNT",
        0xc000_0190 => "STATUS_TRUST_FAILURE",
        0xc000_0193 => "STATUS_ACCOUNT_EXPIRED",
        0xc000_019c => "STATUS_FS_DRIVER_REQUIRED",
        0xc000_0203 => "STATUS_USER_SESSION_DELETED",
        0xc000_0205 => "STATUS_INSUFF_SERVER_RESOURCES",
        0xc000_0224 => "STATUS_PASSWORD_MUST_CHANGE",
        0xc000_0225 => "STATUS_NOT_FOUND",
        0xc000_0233 => "STATUS_DOMAIN_CONTROLLER_NOT_FOUND",
        0xc000_0234 => "STATUS_ACCOUNT_LOCKED_OUT",
        0xc000_0257 => "STATUS_PATH_NOT_COVERED",
        0xc000_0275 => "STATUS_NOT_A_REPARSE_POINT",
        0xc000_035c => "STATUS_NETWORK_SESSION_EXPIRED",
        _ => return None,
    })
}

/// Dialects of versions 2 and 3; 0x02ff says that the client shall ask again.
pub fn dialect(code: u16) -> String {
    match code {
        0x0202 => "2.0.2".to_owned(),
        0x0210 => "2.1".to_owned(),
        0x02ff => "2.???".to_owned(),
        0x0300 => "3.0".to_owned(),
        0x0302 => "3.0.2".to_owned(),
        0x0311 => "3.1.1".to_owned(),
        _ => format!("{code:#06x}"),
    }
}

pub fn disposition(code: u32) -> Option<&'static str> {
    ["supersede", "open", "create", "open_if", "overwrite", "overwrite_if"].get(usize::try_from(code).ok()?).copied()
}

pub fn action(code: u32) -> Option<&'static str> {
    ["superseded", "opened", "created", "overwritten"].get(usize::try_from(code).ok()?).copied()
}

/// Names of the bits that are set.
pub fn bits(value: u32, names: &[(u32, &'static str)]) -> Vec<std::borrow::Cow<'static, str>> {
    names.iter().filter(|(bit, _)| value & bit != 0).map(|(_, name)| std::borrow::Cow::Borrowed(*name)).collect()
}

/// File attributes (MS-FSCC, 2.6).
pub const ATTRIBUTES: &[(u32, &str)] = &[
    (0x1, "readonly"),
    (0x2, "hidden"),
    (0x4, "system"),
    (0x10, "directory"),
    (0x20, "archive"),
    (0x80, "normal"),
    (0x100, "temporary"),
    (0x200, "sparse"),
    (0x400, "reparse_point"),
    (0x800, "compressed"),
    (0x1000, "offline"),
    (0x2000, "not_content_indexed"),
    (0x4000, "encrypted"),
];

/// Capabilities of servers, versions 2 and 3 (MS-SMB2, 2.2.4).
pub const CAPABILITIES: &[(u32, &str)] = &[
    (0x1, "dfs"),
    (0x2, "leasing"),
    (0x4, "large_mtu"),
    (0x8, "multi_channel"),
    (0x10, "persistent_handles"),
    (0x20, "directory_leasing"),
    (0x40, "encryption"),
];

/// Capabilities of servers, version 1 (MS-SMB, 2.2.4.5.2.1).
pub const CAPABILITIES1: &[(u32, &str)] = &[
    (0x1, "raw_mode"),
    (0x4, "unicode"),
    (0x8, "large_files"),
    (0x10, "nt_smbs"),
    (0x20, "rpc_remote_apis"),
    (0x40, "nt_status"),
    (0x80, "level_ii_oplocks"),
    (0x1000, "dfs"),
    (0x4000, "large_readx"),
    (0x8000, "large_writex"),
    (0x80_0000, "unix"),
    (0x8000_0000, "extended_security"),
];
