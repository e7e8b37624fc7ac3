//! Tables of dcerpc records.

use crate::table;

table! {
    /// One row per DCE/RPC PDU (fragments joined): connection-oriented over TCP, SMB pipe or HTTP, connectionless over UDP.
    pub struct Dcerpc("dcerpc", "message", Network) {
        /// `tcp`, `udp`, `smb`, `http`.
        carrier: word,
        /// Pipe, when carried by SMB: `\pipe\lsass`, `svcctl`.
        named_pipe: word,
        /// PDU type number.
        ptype: u8 = "dcerpc.pkt_type",
        /// `request`, `response`, `fault`, `bind`, `bind_ack`, `bind_nak`, `alter_context`, `alter_context_resp`, `auth3`, `shutdown`, `co_cancel`, `orphaned`, `rts`, `ping`, `working`, `nocall`, `reject`, `ack`, `cl_cancel`, `fack`, `cancel_ack`.
        ptype_name: word,
        /// `5.0`, `5.1` connection-oriented, `4` connectionless.
        version: word,
        /// Integer representation of the data-representation label.
        little_endian: bool,
        /// Call id (sequence number when connectionless).
        call_id: u32 = "dcerpc.cn_call_id|dcerpc.dg_seqnum",
        /// Presentation context.
        context_id: u16 = "dcerpc.cn_ctx_id",
        /// Interface of the request, response or (first context of a) bind; resolved through the bind for later PDUs.
        @bloom interface_uuid: word = "dcerpc.cn_bind_to_uuid|dcerpc.dg_if_id",
        /// major.minor.
        interface_version: word,
        /// Interface's short name as Zeek uses it: `epmapper`, `samr`, `lsarpc`, `netlogon`, `drsuapi`, `svcctl`, `atsvc`, `ITaskSchedulerService`, `winreg`, `srvsvc`, `wkssvc`, `spoolss`, `efsrpc`, `IRemoteActivation`, `ISystemActivator`, `IOXIDResolver`, `IWbemLevel1Login`, `IWbemServices`, `IOPCServer`.
        endpoint: word,
        /// Bind or alter: every abstract syntax offered, in context order.
        bind_interfaces: list_text = "dcerpc.cn_bind_to_uuid",
        /// Bind ack: result a context (0 accepted, 2 rejected, 3 negotiate).
        bind_results: list_u16 = "dcerpc.cn_ack_result",
        /// Bind nak reason.
        bind_nak_reason: u16 = "dcerpc.cn_reject_reason",
        /// Bind ack: port or pipe the server gives.
        secondary_address: text = "dcerpc.cn_sec_addr",
        /// Operation number of a request, and of the response it gets.
        opnum: u16 = "dcerpc.opnum",
        /// Operation name where known: `ept_map`, `NetrServerAuthenticate3`, `RCreateServiceW`.
        operation: word,
        /// Object UUID; the IPID of a DCOM call.
        object_uuid: text = "dcerpc.obj_id",
        /// 9 SPNEGO, 10 NTLM, 16 Kerberos, 68 Netlogon.
        auth_type: u8 = "dcerpc.auth_type",
        /// `spnego`, `ntlm`, `kerberos`, `netlogon`, `none`.
        auth_type_name: word,
        /// 1 none, 2 connect, 3 call, 4 packet, 5 integrity, 6 privacy.
        auth_level: u8 = "dcerpc.auth_level",
        /// `none`, `connect`, `call`, `packet`, `integrity`, `privacy`.
        auth_level_name: word,
        /// The stub is sealed (level 6).
        encrypted: bool,
        /// Fault status (nca_s_..., 0x5 access denied).
        status: u32 = "dcerpc.cn_status",
        /// Return value of the response (last 4 stub bytes) where the operation is known and the stub is in clear.
        return_code: u32,
        /// Stub bytes of the whole PDU.
        stub_len: u32,
        /// Fragments joined.
        fragments: u16,
        /// Response or fault: frame of the request.
        request_frame: u64 = "dcerpc.request_in",
        /// Time since the request.
        response_time_ms: f64 = "dcerpc.time",
        /// Decoded arguments that matter, key=value: `service=PSEXESVC binary=%systemroot%\...`, `account=DC01$`, `task=\x`, `key=HKLM\...`, `share=C$`.
        detail: text,
    }
}

table! {
    /// One row per tower in an answer to `ept_map`, plus the addresses that bind acks disclose: which interface listens where.
    pub struct DcerpcEndpoints("dcerpc_endpoints", "endpoint", Network) {
        /// Interface.
        @bloom interface_uuid: word = "epm.uuid",
        /// major.minor.
        interface_version: word,
        /// Interface short name.
        endpoint: word,
        /// Annotation of a lookup entry.
        annotation: text = "epm.annotation",
        /// `ncacn_ip_tcp`, `ncacn_np`, `ncadg_ip_udp`, `ncacn_http`.
        protocol_sequence: word,
        /// IP or host in the tower (0.0.0.0 left as sent).
        address: text = "epm.proto.ip",
        /// TCP, UDP or HTTP port.
        port: u16 = "epm.proto.tcp_port|epm.proto.udp_port|epm.proto.http_port",
        /// Pipe.
        named_pipe: word = "epm.proto.named_pipe",
        /// `ept_map`, `bind_ack`.
        source: word,
    }
}

table! {
    /// One row per activation of an object on another host, and per answer to one: who asked for which class.
    pub struct Dcom("dcom", "event", Network) {
        /// `activation_request`, `activation_response`.
        event: word,
        /// Class asked for.
        @bloom clsid: word = "dcom.clsid",
        /// Known class: `OpcEnum`, `WbemLevel1Login`, `MMC20.Application`, `ShellWindows`, `ShellBrowserWindow`, `Excel.Application`.
        class_name: word,
        /// Interfaces asked for.
        iids: list_text = "dcom.iid",
        /// Their names, `-` where unknown.
        interface_names: list_text,
        /// Answer: its result.
        hresult: u32 = "dcom.hresult",
        /// Version of ORPCTHIS, major.minor.
        com_version: word,
        /// Causality of the call (ORPCTHIS): the same in all calls that one caused.
        causality_id: text = "dcom.this.uuid",
    }
}
