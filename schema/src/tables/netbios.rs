//! NetBIOS over TCP/IP: names, datagrams and sessions.

use crate::table;

table! {
    /// One row per NetBIOS Name Service message.
    pub struct Nbns("nbns", "message", Network) {
        /// Transaction id.
        id: u16 = "nbns.id",
        /// Response bit.
        is_response: bool = "nbns.flags.response",
        /// Opcode.
        opcode: u8 = "nbns.flags.opcode",
        /// `query`, `registration`, `release`, `wack`, `refresh`, `multihomed_registration`.
        opcode_name: word,
        /// Responses: result code.
        rcode: u8 = "nbns.flags.rcode",
        /// `no_error`, `format_error`, `server_failure`, `name_error`, `refused`, `active`, `conflict`.
        rcode_name: word,
        /// Broadcast flag.
        broadcast: bool = "nbns.flags.broadcast",
        /// Authoritative answer.
        authoritative: bool = "nbns.flags.authoritative",
        /// Name of the first question, else of the first record: without padding and suffix, `*` for the wildcard.
        @bloom name: word,
        /// 16th byte: what the name stands for.
        name_suffix: u8,
        /// What the suffix stands for: `workstation` 00, `messenger` 03, `file_server` 20, `domain_controllers` 1c ...
        name_role: word,
        /// NetBIOS scope id, if any.
        scope: text,
        /// 32 NB, 33 NBSTAT.
        question_type: u16 = "nbns.type",
        /// `NB`, `NBSTAT`.
        question_type_name: word,
        /// Addresses given or registered.
        answers: list_text = "nbns.addr",
        /// The (first) record is a group name.
        group: bool = "nbns.nb_flags.group",
        /// Owner node type of the first record: `B`, `P`, `M`, `H`.
        node_type: word,
        /// TTL of the first record.
        ttl_s: u32 = "nbns.ttl",
        /// NBSTAT answer: every name of the table as NAME<xx>, `G` or `U` appended.
        status_names: list_text,
        /// NBSTAT answer: unit id (the adapter's MAC).
        status_mac: mac = "nbns.unit_id",
        /// Response: frame of the query with this id.
        request_frame: u64,
    }
}

table! {
    /// One row per NetBIOS datagram, with the browser announcement or mailslot it carries.
    pub struct Nbdgm("nbdgm", "message", Network) {
        /// 16 direct unique, 17 direct group, 18 broadcast, 19 error.
        message_type: u8 = "nbdgm.type",
        /// `direct_unique`, `direct_group`, `broadcast`, `error`, `query_request`, ...
        message_type_name: word,
        /// Datagram id.
        datagram_id: u16 = "nbdgm.dgram_id",
        /// Source address the header claims.
        source_ip: ip = "nbdgm.src.ip",
        /// Source port the header claims.
        source_port: u16 = "nbdgm.src.port",
        /// Sending NetBIOS name, suffix as <xx>.
        source_name: word = "nbdgm.source_name",
        /// Receiving NetBIOS name, suffix as <xx>.
        destination_name: word = "nbdgm.destination_name",
        /// Mailslot of the SMB transaction inside: `\MAILSLOT\BROWSE`, `\MAILSLOT\NET\NETLOGON`.
        mailslot: word = "mailslot.name",
        /// Browser command.
        browser_command: u8 = "browser.command",
        /// `host_announcement`, `request_announcement`, `browser_election_request`, `get_backup_list`, `become_backup`, `domain_announcement`, `local_master_announcement`.
        browser_command_name: word,
        /// Announced host (or workgroup, for a domain announcement).
        @bloom server_name: word = "browser.server",
        /// Role bits: 0x1 workstation, 0x2 server, 0x4 SQL, 0x8 domain controller, 0x10 backup controller, 0x20 time source, 0x10000 potential browser, 0x40000 master browser.
        server_type: u32 = "browser.server_type",
        /// Announced OS major version.
        os_major: u8 = "browser.os_major",
        /// Announced OS minor version.
        os_minor: u8 = "browser.os_minor",
        /// Host comment or master browser name.
        comment: text = "browser.comment",
        /// Election request version.
        election_version: u8 = "browser.election.version",
        /// Election request criteria.
        election_criteria: u32 = "browser.election.criteria",
        /// Command of a netlogon mailslot message (7 primary query, 18 SAM logon request).
        netlogon_command: u16 = "smb_netlogon.command",
        /// User named by a SAM logon request.
        @bloom netlogon_user: word = "smb_netlogon.user_name",
        /// Computer named by a netlogon message.
        netlogon_computer: word = "smb_netlogon.computer_name",
    }
}

table! {
    /// One row per NetBIOS session-service control message; what sessions carry is in `smb`.
    pub struct Nbss("nbss", "message", Network) {
        /// 0x81 request, 0x82 positive, 0x83 negative, 0x84 retarget, 0x85 keep-alive.
        message_type: u8 = "nbss.type",
        /// `session_request`, `positive_response`, `negative_response`, `retarget_response`, `keep_alive`.
        message_type_name: word,
        /// Called name of a session request, suffix as <xx>.
        called_name: word = "nbss.called_name",
        /// Calling name of a session request, suffix as <xx>.
        calling_name: word = "nbss.calling_name",
        /// Negative response reason: 0x80 not listening on called name, 0x81 not listening for calling name, 0x82 called name absent, 0x83 no resources.
        error_code: u8 = "nbss.error_code",
        /// Retarget address.
        retarget_ip: ip = "nbss.retarget_ip_address",
        /// Retarget port.
        retarget_port: u16 = "nbss.retarget_port",
    }
}
