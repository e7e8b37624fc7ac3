//! Table of NTP records.

use crate::table;

table! {
    /// One row per NTP message of any mode: time modes 1-5, control mode 6, private mode 7.
    pub struct Ntp("ntp", "message", Network) {
        /// Version number.
        version: u8 = "ntp.flags.vn",
        /// Mode number 0-7.
        mode: u8 = "ntp.flags.mode",
        /// `symmetric_active`, `symmetric_passive`, `client`, `server`, `broadcast`, `control`, `private`.
        mode_name: word,
        /// Leap indicator; 3 is unsynchronised. Time modes only.
        leap: u8 = "ntp.flags.li",
        /// Time modes only; null for modes 6 and 7, whose second byte means something else.
        stratum: u8 = "ntp.stratum",
        /// log2 seconds.
        poll: i32 = "ntp.ppoll",
        /// log2 seconds.
        precision: i32 = "ntp.precision",
        /// Root delay in seconds.
        root_delay_s: f64 = "ntp.rootdelay",
        /// Root dispersion in seconds.
        root_dispersion_s: f64 = "ntp.rootdispersion",
        /// Stratum 0: kiss code (`RATE`, `DENY`); 1: clock source (`GPS`); above: IPv4 address, or hex for IPv6 upstreams.
        ref_id: word,
        /// Reference time.
        ref_ts: time = "ntp.reftime",
        /// Origin timestamp.
        org_ts: time = "ntp.org",
        /// Receive timestamp.
        rec_ts: time = "ntp.rec",
        /// Transmit timestamp.
        xmt_ts: time = "ntp.xmt",
        /// Server or broadcast message: transmit timestamp minus capture time; how far that server's clock is from the capturing host.
        offset_ms: f64,
        /// Answer: frame of the request whose transmit timestamp equals this origin timestamp.
        request_frame: u64 = "ntp.request_in",
        /// Key identifier of the authenticator.
        key_id: u32 = "ntp.keyid",
        /// Message digest.
        mac: bytes = "ntp.mac",
        /// Extension field types (NTS: 0x0104 unique identifier, 0x0204 cookie, 0x0404 authenticator).
        extension_types: list_u16 = "ntp.ext.type",
        /// Mode 6 opcode.
        control_opcode: u8 = "ntp.ctrl.flags2.opcode",
        /// `read_status`, `read_variables`, `write_variables`, `read_clock`, `configure`, `read_mru`, `unset_trap`.
        control_opcode_name: word,
        /// Mode 6 or 7 response bit.
        control_response: bool = "ntp.ctrl.flags2.r|ntp.priv.flags.r",
        /// Mode 6 error bit.
        control_error: bool = "ntp.ctrl.flags2.error",
        /// Mode 6 or 7 more bit.
        control_more: bool = "ntp.ctrl.flags2.more|ntp.priv.flags.more",
        /// Mode 6 sequence.
        control_sequence: u16 = "ntp.ctrl.sequence",
        /// Mode 6 association.
        association_id: u16 = "ntp.ctrl.associd",
        /// Mode 6 text (variables: version, system, refid, processor).
        control_data: text = "ntp.ctrl.data",
        /// Mode 7 implementation (3: XNTPD).
        implementation: u8 = "ntp.priv.impl",
        /// Mode 7 request code.
        request_code: u8 = "ntp.priv.reqcode",
        /// `peer_list` (0), `sys_info` (4), `mon_getlist` (20), `mon_getlist_1` (42), ...
        request_name: word,
        /// Mode 7 error code.
        private_error: u8 = "ntp.priv.err",
        /// Mode 7 items carried.
        item_count: u16 = "ntp.priv.numitems",
        /// Mode 7 item size.
        item_size: u16 = "ntp.priv.itemsize",
        /// Addresses a monlist answer discloses.
        monlist_clients: list_text = "ntp.priv.monlist.remote_address",
        /// UDP payload length.
        message_len: u16,
    }
}
