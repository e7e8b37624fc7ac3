//! Detections that fired.

use crate::table;

table! {
    /// One row per detection that fired. Computed by queries, never written by ingestion; the same shape for built-in detections, rules, IOC matches, baselines and plugins.
    pub struct Findings("findings", "finding", Network) {
        /// Stable snake_case id of the detection.
        detection: text,
        /// Analyzer it belongs to (`dns`, `modbus`, `ot_commands`), as rule packs name it.
        source: text,
        /// `critical`, `high`, `medium`, `low`, `info`.
        severity: text,
        /// `high`, `medium`, `low`.
        confidence: text,
        /// Short headline.
        title: text,
        /// One line: what was seen.
        summary: text,
        /// The evidence: counts, names, values, frames.
        details: text,
        /// Last evidence.
        end_ts: time,
        /// Events behind it.
        count: u64,
        /// Up to 20 frame numbers of evidence.
        frames: list_u64,
        /// MITRE ATT&CK technique ids (enterprise T1xxx, ICS T08xx).
        techniques: list_text,
        /// Free tags (kill-chain phase, IOC source, rule pack).
        tags: list_text,
    }
}
