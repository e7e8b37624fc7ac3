//! `crimson`: messages of Red Lion devices.

use crate::table;

table! {
    /// One row per TCP message on the Red Lion Crimson 3 programming port, or in its framing elsewhere. Only what is publicly documented is decoded; the rest stays bytes.
    pub struct Crimson("crimson", "message", Network) {
        /// Sent by the TCP originator.
        is_orig: bool,
        /// First two octets, big endian: octets that follow.
        length: u16,
        /// Octets 2-3, big endian: property asked for (0x012B manufacturer, 0x012A model in the public identification queries).
        register: u16,
        /// Octets 4-5, big endian (0x1B00 and 0x1A00 in those queries); what it means is not public.
        operation: u16,
        /// Printable text of an identification answer.
        text: text,
        /// NUL-terminated text after the 6-octet header of the answer to 0x012B (Red Lion Controls).
        manufacturer: word,
        /// Same for 0x012A (G310C2).
        model: word,
        /// `high` identification query and answer seen; `medium` length fields right on port 789 in 3 or more messages both ways; `low` port only.
        confidence: word,
        /// Message octets.
        payload_len: u32,
        /// First 256 octets.
        data: bytes,
    }
}
