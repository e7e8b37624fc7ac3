//! SNMP messages.

use crate::table;

table! {
    /// One row per SNMP message; variable bindings are parallel lists.
    pub struct Snmp("snmp", "message", Network) {
        /// 1, 2c or 3.
        version: word,
        /// Number on the wire: 0, 1, 3.
        version_code: i32 = "snmp.version",
        /// Community string of v1 and v2c.
        @secret community: word = "snmp.community",
        /// v3 message id.
        msg_id: i64 = "snmp.msgID",
        /// v3 user name.
        username: word = "snmp.msgUserName",
        /// Authoritative engine id, hex.
        @bloom engine_id: word = "snmp.msgAuthoritativeEngineID",
        /// Engine boots.
        engine_boots: u32 = "snmp.msgAuthoritativeEngineBoots",
        /// Engine time.
        engine_time_s: u32 = "snmp.msgAuthoritativeEngineTime",
        /// noAuthNoPriv, authNoPriv or authPriv, from the flags.
        security_level: word,
        /// v3 flags octet.
        msg_flags: u8 = "snmp.msgFlags",
        /// Reportable flag.
        reportable: bool,
        /// Scoped PDU context.
        context_name: word = "snmp.contextName",
        /// Scoped PDU is encrypted and was not decrypted.
        encrypted: bool,
        /// PDU choice number: 0 get-request, 1 get-next, 2 response, 3 set, 4 v1 trap, 5 get-bulk, 6 inform, 7 v2 trap, 8 report.
        pdu_code: u8 = "snmp.data",
        /// Its name: get-request, get-next-request, response, set-request, trap, get-bulk-request, inform-request, snmpv2-trap, report.
        pdu: word,
        /// Request id.
        request_id: i64 = "snmp.request_id",
        /// Error status (responses).
        error_status: i32 = "snmp.error_status",
        /// Its name.
        error: word,
        /// Index of the binding at fault.
        error_index: i32 = "snmp.error_index",
        /// Get-bulk field.
        non_repeaters: u32 = "snmp.non_repeaters",
        /// Get-bulk field.
        max_repetitions: u32 = "snmp.max_repetitions",
        /// Object names, dotted numbers.
        oids: list_text = "snmp.name",
        /// Symbolic names for well known objects (sysDescr.0), null where unknown.
        oid_names: list_sparse_text,
        /// Values as text: printable octet strings as text, others as 0x hex; null where there is none (null, noSuchObject ...).
        values: list_sparse_text,
        /// integer, octet_string, oid, ip_address, counter32, gauge32, timeticks, opaque, counter64, null, no_such_object, no_such_instance, end_of_mib_view.
        value_types: list_text,
        /// v1 trap enterprise.
        enterprise: word = "snmp.enterprise",
        /// v1 trap agent.
        agent_address: ip = "snmp.agent_addr",
        /// v1 generic trap number.
        generic_trap: i32 = "snmp.generic_trap",
        /// v1 specific trap number.
        specific_trap: i32 = "snmp.specific_trap",
        /// snmpTrapOID.0 of a v2 trap or inform.
        trap_oid: word,
        /// sysUpTime.0 of a trap.
        uptime_ticks: u32 = "snmp.time_stamp",
        /// On a response: time since the request with that id.
        response_time_ms: f64,
        /// Bytes of the message.
        message_bytes: u32,
    }
}
