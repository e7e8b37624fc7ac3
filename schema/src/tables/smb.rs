//! SMB: commands, files and shares.

use crate::table;

table! {
    /// One row per SMB command of any version: the request with its final response, each member of a chain on its own. The source is the client.
    pub struct Smb("smb", "request/response pair", Network) {
        /// Frame of the request; null when only the response was captured.
        request_frame: u64,
        /// Frame of the final response (not of an interim STATUS_PENDING); null when none was captured. The common `frame` column is this one, else request_frame.
        response_frame: u64,
        /// SMB1, SMB2 or SMB3; SMB3 only where the negotiated dialect of the session is 3.x, else SMB2.
        version: word,
        /// Dialect the server chose for the connection: 2.0.2, 2.1, 3.0, 3.0.2, 3.1.1, or the SMB1 dialect string. Null when the negotiation is not in the capture.
        dialect: word = "smb2.dialect",
        /// Dialects the client offered (negotiate rows only).
        dialects_offered: list_text = "smb2.dialect",
        /// Command number in the SMB header.
        command_code: u16 = "smb2.cmd",
        /// Command name in snake case: `session_setup`, `tree_connect`, `create`; in SMB1 `nt_create_andx`, `trans2` ...
        command: word,
        /// SMB1 transaction subcommand, SMB2 ioctl name or info class name.
        sub_command: word,
        /// SMB2 message id, SMB1 multiplex id.
        message_id: u64 = "smb2.msg_id",
        /// SMB2 session id, SMB1 UID.
        session_id: u64 = "smb2.sesid",
        /// Tree id of the request (SMB1: TID).
        tree_id: u32 = "smb2.tid",
        /// Async id once the server answered STATUS_PENDING.
        async_id: u64 = "smb2.aid",
        /// Place in a compound chain, from 0.
        compound_index: u16,
        /// NT status of the final response.
        status_code: u32 = "smb2.nt_status",
        /// NT status name, STATUS_ prefix kept.
        status: word,
        /// True when a STATUS_PENDING response came before the final one.
        interim_pending: bool,
        /// Path of the tree this command runs in, as given in its tree connect.
        share: word = "smb2.tree",
        /// File, directory or pipe named by the command, else resolved from its file id.
        @bloom path: text = "smb2.filename",
        /// SMB2 file id (its 32 hex digits grouped as in a GUID) or SMB1 FID (`0x4000`).
        file_id: text = "smb2.fid",
        /// File offset of a read or write.
        offset_bytes: u64 = "smb2.file_offset",
        /// Bytes asked for (read) or sent (write).
        length_bytes: u64,
        /// Bytes of a read the server returned or of a write it took.
        response_length_bytes: u64,
        /// Access mask of a create.
        desired_access: u32 = "smb.access_mask",
        /// supersede, open, create, open_if, overwrite, overwrite_if.
        create_disposition: word,
        /// What the server did: superseded, opened, created, overwritten.
        create_action: word,
        /// Account of the session (NTLM type 3 or Kerberos client name), repeated on all its rows.
        @bloom username: word = "ntlmssp.auth.username",
        /// Domain or realm of that account.
        domain: word = "ntlmssp.auth.domain",
        /// Workstation name the client gave in NTLM.
        hostname: word = "ntlmssp.auth.hostname",
        /// ntlmv1, ntlmv2, kerberos, anonymous, guest, lanman, plaintext.
        auth_method: word,
        /// Signed flag of the request header (SMB2) or FLAGS2 signature bit (SMB1).
        signed: bool = "smb2.flags.signature",
        /// Carried inside an SMB3 transform header. Command columns are null unless decrypted.
        encrypted: bool,
        /// Negotiate rows: signing none, enabled or required, as the server answered.
        security_mode: word,
        /// Server GUID of the negotiate response.
        server_guid: word = "smb2.server_guid",
        /// Client GUID of the negotiate request.
        client_guid: word = "smb2.client_guid",
        /// Names of the server capabilities in the negotiate response.
        capabilities: list_text,
        /// Named pipe when the command runs on one (svcctl, atsvc, samr, lsarpc ...).
        pipe: word,
        /// Time from request to final response.
        response_time_ms: f64,
    }
}

table! {
    /// One row per file event on an SMB share, folded per open handle: open, read, write, rename, delete, set attribute, directory listing. Pipes are kept out (see smb.pipe).
    pub struct SmbFiles("smb_files", "file event", Network) {
        /// open, read, write, rename, delete, set_info, list, close.
        action: word,
        /// Tree path.
        share: word = "smb2.tree",
        /// Path inside the share, without the leading backslash.
        @bloom path: text = "smb2.filename",
        /// Old path of a rename.
        prev_path: text,
        /// File id of the handle.
        file_id: text = "smb2.fid",
        /// Account of the session.
        @bloom username: word,
        /// The handle is a directory.
        is_directory: bool,
        /// End-of-file size the server reported at open.
        size_bytes: u64 = "smb2.eof",
        /// Allocation size.
        allocation_size_bytes: u64 = "smb2.allocation_size",
        /// Sum of bytes read through this handle.
        bytes_read: u64,
        /// Sum of bytes written through this handle.
        bytes_written: u64,
        /// opened, created, overwritten, superseded.
        create_action: word,
        /// Opened with, or later set to, delete on close.
        delete_on_close: bool,
        /// Creation time of the file.
        created: time = "smb2.create.time",
        /// Last write time.
        modified: time = "smb2.last_write.time",
        /// Last access time.
        accessed: time = "smb2.last_access.time",
        /// Attribute change time.
        changed: time = "smb2.last_change.time",
        /// Attribute names (hidden, system, archive, directory).
        attributes: list_text,
        /// Final NT status of the operation.
        status: word,
        /// Hash of the transferred body when the `files` table holds it complete.
        @bloom sha256: text,
    }
}

table! {
    /// One row per tree connect: who mapped which share and with what outcome.
    pub struct SmbMappings("smb_mappings", "tree connect", Network) {
        /// UNC path as sent, e.g. two backslashes, server, share.
        @bloom path: text = "smb2.tree",
        /// Server part of the path.
        server_name: word,
        /// Share part, case as sent.
        share_name: word,
        /// SMB1 service string (A:, IPC, LPT1:).
        service: word = "smb.service",
        /// disk, pipe or print.
        share_type: word,
        /// Number of the share type.
        share_type_code: u8 = "smb2.share_type",
        /// SMB1 file system name.
        native_file_system: word = "smb.native_fs",
        /// Share is ADMIN$ or a drive letter with $. IPC$ is not admin.
        is_admin: bool,
        /// Tree id given by the server.
        tree_id: u32 = "smb2.tid",
        /// Session id.
        session_id: u64 = "smb2.sesid",
        /// Account of the session.
        @bloom username: word,
        /// Its domain.
        domain: word,
        /// NT status of the response.
        status_code: u32 = "smb2.nt_status",
        /// Its name.
        status: word,
        /// Share demands encryption.
        encrypt_data: bool,
        /// Access mask the server granted.
        maximal_access: u32,
    }
}
