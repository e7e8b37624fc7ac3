//! NTP messages.

use crate::table;

table! {
    /// One row per NTP message of any mode: time modes 1-5, control mode 6, private mode 7.
    pub struct Ntp("ntp", "message", Network) {
        /// Version of the protocol, 1 to 4.
        version: u8 = "ntp.flags.vn",
        /// Mode (RFC 5905 section 3): 1 to 5 tell time, 6 is control (RFC 9327), 7 private to ntpd; 0 only in version 1.
        mode: u8 = "ntp.flags.mode",
        /// Its name: `symmetric_active`, `symmetric_passive`, `client`, `server`, `broadcast`, `control`, `private`.
        mode_name: word,
        /// Leap indicator: 0 none, 1 and 2 a leap second ahead, 3 unsynchronised. Time modes only, as the columns down to `offset_ms`.
        leap: u8 = "ntp.flags.li",
        /// Distance from a reference clock: 1 has one, 16 is unsynchronised, 0 unspecified or a kiss code. The octet means
        /// something else in modes 6 and 7.
        stratum: u8 = "ntp.stratum",
        /// Longest interval between messages, log2 of seconds.
        poll: i32 = "ntp.ppoll",
        /// Precision of the sender's clock, log2 of seconds: -20 is a microsecond.
        precision: i32 = "ntp.precision",
        /// Round trip to the reference clock, seconds; may be negative before version 4.
        root_delay_s: f64 = "ntp.rootdelay",
        /// Greatest error relative to the reference clock, seconds.
        root_dispersion_s: f64 = "ntp.rootdispersion",
        /// What the clock is set by. Stratum 0: kiss code (`RATE`, `DENY`, `INIT`); 1: kind of clock (`GPS`, `PPS`); above: IPv4 address of
        /// the upstream server, or eight hexadecimal digits of a digest where it cannot be one (upstream by IPv6). Null for zero.
        ref_id: word,
        /// When the clock was last set. Timestamps of zero, which mean unknown, are null; seconds below 2^31 count from 2036 (era 1).
        ref_ts: time = "ntp.reftime",
        /// Origin: when the request left, by the client's clock.
        org_ts: time = "ntp.org",
        /// When the request arrived, by the server's clock.
        rec_ts: time = "ntp.rec",
        /// Transmit: when this message left, by its sender's clock; clients may put a random value here.
        xmt_ts: time = "ntp.xmt",
        /// Modes 4 and 5: transmit timestamp minus capture time, milliseconds: how far that clock is ahead of the capturing host's, with
        /// the time on the way.
        offset_ms: f64,
        /// Answer: frame of the latest request that it belongs to: by timestamp (modes 2 and 4), sequence and opcode (6), or
        /// implementation and request code (7).
        request_frame: u64 = "ntp.request_in",
        /// Key identifier of the authenticator.
        key_id: u32 = "ntp.keyid",
        /// Its message digest; null with a key identifier alone, which says that authentication failed.
        mac: bytes = "ntp.mac",
        /// Extension field types (RFC 7822) in order; of NTS (RFC 8915) 0x0104 is the unique identifier, 0x0204 a cookie, 0x0304 a
        /// placeholder for one, 0x0404 the authenticator.
        extension_types: list_u16 = "ntp.ext.type",
        /// Mode 6: opcode.
        control_opcode: u8 = "ntp.ctrl.flags2.opcode",
        /// Its name: `read_status`, `read_variables`, `write_variables`, `read_clock`, `configure`, `read_mru`, `unset_trap` ...
        control_opcode_name: word,
        /// Modes 6 and 7: the message is an answer.
        control_response: bool = "ntp.ctrl.flags2.r|ntp.priv.flags.r",
        /// Mode 6: the request failed.
        control_error: bool = "ntp.ctrl.flags2.error",
        /// Modes 6 and 7: more of the answer follows.
        control_more: bool = "ntp.ctrl.flags2.more|ntp.priv.flags.more",
        /// Mode 6: sequence number, which the answer repeats.
        control_sequence: u16 = "ntp.ctrl.sequence",
        /// Mode 6: association asked about; 0 is the system itself.
        association_id: u16 = "ntp.ctrl.associd",
        /// Mode 6: text of request or answer (variables such as version, system, processor); null for what is not text.
        control_data: text = "ntp.ctrl.data",
        /// Mode 7: implementation: 2 old, 3 current ntpd.
        implementation: u8 = "ntp.priv.impl",
        /// Mode 7: request code.
        request_code: u8 = "ntp.priv.reqcode",
        /// Its name: `peer_list` (0), `sys_info` (4), `mon_getlist` (20), `mon_getlist_1` (42) ...
        request_name: word,
        /// Mode 7: error code, 0 is none; null if the message ends before it.
        private_error: u8 = "ntp.priv.err",
        /// Mode 7: number of items that follow.
        item_count: u16 = "ntp.priv.numitems",
        /// Mode 7: octets of each.
        item_size: u16 = "ntp.priv.itemsize",
        /// Mode 7: addresses that an answer to `mon_getlist` or `mon_getlist_1` discloses.
        monlist_clients: list_text = "ntp.priv.monlist.remote_address",
        /// Length of the message on the wire, octets.
        message_len: u16,
    }
}
