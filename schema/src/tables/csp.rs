//! Table of csp records.

use crate::table;

table! {
    /// One row per CSPv4 (Allen-Bradley client/server protocol, AB/Ethernet) encapsulation message on TCP 2222; the PCCC message inside is a row of pccc with carrier cspv4.
    pub struct Csp("csp", "message", Network) {
        /// Octet 0: 1 request, 2 answer.
        mode_code: u8,
        /// `request`, `response`.
        mode: word,
        /// Octet 1.
        submode_code: u8,
        /// `connect` 1, `pccc` 7, `status` other.
        submode: text,
        /// Octets 2-3, big endian: octets after the 28-octet header (layout as open-source clients agree; no vendor text).
        length: u16,
        /// Octets 4-7, big endian: given by the server on connect.
        connection_handle: u32,
        /// Octets 8-11, big endian: 0 good.
        status: u32,
        /// Octets 12-27, echoed by the answer.
        context: bytes,
        /// Answer: frame of the request with this context.
        request_frame: u64,
        /// A PCCC message follows (after DST, control 0x05, SRC, LSAP).
        has_pccc: bool,
        /// `high` connect answered and length right; `medium` header consistent both ways; `low` port only.
        confidence: text,
        /// `length_mismatch`, `truncated`; null when sound.
        malformed: word,
    }
}
