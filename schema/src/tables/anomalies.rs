//! What could not be decoded.

use crate::table;

table! {
    /// What the decoder could not make sense of: malformed headers, lying lengths, impossible states, gaps. Nothing is dropped in silence.
    pub struct Anomalies("anomalies", "anomaly", Link) {
        /// Decoder that met it, by table name.
        protocol: word,
        /// Stable snake_case id: `truncated_header`, `bad_length`, `bad_checksum`, `unexpected_state`, `reassembly_gap`, `limit_reached`, `decoder_fault`.
        kind: word,
        /// One line for a person.
        detail: text,
    }
}
