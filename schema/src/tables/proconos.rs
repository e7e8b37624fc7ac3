//! Table of proconos records.

use crate::table;

table! {
    /// One row per ProConOS/MULTIPROG runtime message (KW-Software, Phoenix Contact): TCP 20547 by default, first byte 0xCC. Only the identification exchange is publicly known.
    pub struct Proconos("proconos", "message", Network) {
        /// Sent by the TCP originator.
        is_orig: bool,
        /// `signature` (first byte 0xCC on a connection whose first request starts CC 01) or `port`.
        confidence: text,
        /// Second byte, as sent.
        command_code: u8,
        /// `identify` (the ten-byte request CC 01 00 0B 40 02 00 00 47 EE and its answer), else null.
        command: word,
        /// identify answer, NUL-terminated at byte offset 12: ladder logic runtime and version.
        runtime: text,
        /// At byte offset 44.
        plc_type: word,
        /// At byte offset 77.
        project_name: word,
        /// The string after project_name.
        boot_project: text,
        /// The string after boot_project: whether sources are on the device.
        project_source: text,
        /// TCP payload bytes.
        payload_len: u32,
    }
}
