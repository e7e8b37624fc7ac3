//! Table of operations of NFS.

use crate::table;

table! {
    /// One row per operation of NFS, call joined with reply: a procedure of versions 2 and 3, one operation of a COMPOUND in
    /// version 4.
    pub struct Nfs("nfs", "operation", Network) {
        /// RPC transaction id.
        xid: u32 = "rpc.xid",
        /// 2, 3 or 4.
        version: u8 = "rpc.programversion",
        /// Version 4 minor version.
        minor_version: u8 = "nfs.minorversion",
        /// Procedure number, or operation number in version 4.
        opcode: u32 = "nfs.procedure_v2|nfs.procedure_v3|nfs.opcode",
        /// Name, upper case: `GETATTR`, `LOOKUP`, `READ`, `WRITE`, `CREATE`, `REMOVE`, `RENAME`, `OPEN`, `EXCHANGE_ID`, ...
        operation: word,
        /// Version 4: place in the COMPOUND, from 0.
        compound_index: u16,
        /// Version 4: the operation the COMPOUND is about (not SEQUENCE, PUTFH, GETFH, GETATTR around another one).
        main_operation: bool,
        /// Status of this operation in the reply; null without a reply.
        status: u32 = "nfs.status2|nfs.status3|nfs.nfsstat4",
        /// `OK`, `NOENT`, `ACCES`, `PERM`, `STALE`, `ROFS`.
        status_name: word,
        /// Name argument.
        @bloom filename: text = "nfs.name|nfs.pathname.component",
        /// Full path; without the beginning where no mount in the capture tells it.
        @bloom path: text = "nfs.full_name",
        /// RENAME or LINK: new name; SYMLINK, READLINK: where the link leads.
        new_filename: text,
        /// RENAME or LINK: full new path.
        new_path: text,
        /// File handle acted on.
        @bloom file_handle: bytes,
        /// `file`, `dir`, `symlink`, `block`, `char`, `socket`, `fifo`.
        file_type: word,
        /// Mode bits set or returned, octal value as a number.
        mode: u32,
        /// Owner in attributes: uid number, or the name of version 4.
        owner: text,
        /// Size in returned attributes.
        size_bytes: u64,
        /// READ or WRITE offset.
        offset: u64 = "nfs.offset3|nfs.offset4|nfs.read.offset|nfs.write.offset",
        /// Bytes asked for or sent.
        count: u64 = "nfs.count3|nfs.count4",
        /// Bytes the reply returned or accepted.
        returned_bytes: u64,
        /// READDIR, READDIRPLUS: names returned.
        entries: list_text,
        /// ACCESS: bits asked.
        access_asked: u32,
        /// ACCESS: bits granted.
        access_granted: u32,
        /// AUTH_SYS uid of the caller.
        uid: u32 = "rpc.auth.uid",
        /// AUTH_SYS gid of the caller.
        gid: u32 = "rpc.auth.gid",
        /// AUTH_SYS host name, or the version 4 client owner.
        @bloom machine_name: word,
        /// Frame of the reply.
        response_frame: u64 = "rpc.repframe",
        /// Time to the reply.
        response_time_ms: f64,
    }
}
