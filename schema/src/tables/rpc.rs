//! Table of calls of ONC RPC.

use crate::table;

table! {
    /// One row per call of ONC RPC with its reply, of any program: portmap and rpcbind, mount, NFS, NLM, NSM, sadmind ...
    pub struct RpcCalls("rpc_calls", "transaction", Network) {
        /// Transaction id.
        xid: u32 = "rpc.xid",
        /// Program number.
        program: u32 = "rpc.program",
        /// `portmap`, `mount`, `nfs`, `nlm`, `nsm`, `rquota`, `nfs_acl`, `ypserv`, `sadmind`.
        program_name: word,
        /// Program version.
        program_version: u32 = "rpc.programversion",
        /// Procedure number.
        procedure: u32 = "rpc.procedure",
        /// Name for this program and version: `GETPORT`, `DUMP`, `MNT`, `EXPORT`, `LOOKUP`.
        procedure_name: word,
        /// Credential flavor: 0 none, 1 sys (unix), 6 GSS.
        auth_flavor: u32 = "rpc.auth.flavor",
        /// `AUTH_NONE`, `AUTH_SYS`, `RPCSEC_GSS`.
        auth_flavor_name: word,
        /// AUTH_SYS host name.
        @bloom machine_name: word = "rpc.auth.machinename",
        /// AUTH_SYS uid.
        uid: u32 = "rpc.auth.uid",
        /// AUTH_SYS gid.
        gid: u32 = "rpc.auth.gid",
        /// AUTH_SYS auxiliary groups.
        gids: list_u32,
        /// RPCSEC_GSS procedure.
        gss_procedure: u32 = "rpc.authgss.procedure",
        /// RPCSEC_GSS service: 1 none, 2 integrity, 3 privacy.
        gss_service: u32 = "rpc.authgss.service",
        /// Frame of the reply; null if none was seen.
        response_frame: u64 = "rpc.repframe",
        /// Time to the reply.
        response_time_ms: f64,
        /// Repeats of the call with the same xid.
        retransmissions: u32,
        /// `success`, `prog_unavail`, `prog_mismatch`, `proc_unavail`, `garbage_args`, `system_err`, `rpc_mismatch`, `auth_error`;
        /// null without a reply.
        reply_status: word,
        /// Bytes of the call's RPC message.
        call_len: u32,
        /// Bytes of the reply's RPC message.
        reply_len: u32,
        /// Portmap: program asked about.
        query_program: u32 = "portmap.prog|portmap.rpcb.prog",
        /// Portmap: version asked about.
        query_version: u32 = "portmap.version|portmap.rpcb.version",
        /// Portmap v2: IP protocol asked about.
        query_protocol: u8 = "portmap.proto",
        /// Portmap: port answered; 0 means not registered.
        mapped_port: u32,
        /// rpcbind: universal address answered.
        @bloom mapped_address: text = "portmap.uaddr",
        /// Portmap DUMP: programs registered, each as name, version, protocol and port or universal address.
        mappings: list_text,
        /// Mount: path asked for.
        @bloom mount_path: text = "mount.path",
        /// Mount: status of the reply.
        mount_status: u32,
        /// Mount EXPORT: directories listed, each with its groups as path(group,...).
        exports: list_text,
        /// Mount: root handle granted.
        file_handle: bytes,
    }
}
