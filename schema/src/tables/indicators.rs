//! Indicators of compromise that the analyst brings, and the hosts that fit patterns of several.

use crate::table;

table! {
    /// One row per indicator loaded with --ioc-file: input to matching, not capture data.
    pub struct Indicators("indicators", "indicator", Brought) {
        /// Normalised value (lower-case host, refanged, canonical IP text).
        value: text,
        /// As in the file.
        original: text,
        /// `ipv4`, `ipv6`, `cidr`, `ip_port`, `domain`, `url`, `md5`, `sha1`, `sha256`, `email`, `ja3`, `ja3s`, `ja4`, `ja4s`, `hassh`, `cert_sha1`, `cert_sha256`, `user_agent`, `filename`, `mac`.
        r#type: text,
        /// 0 to 100; values up to 1 in the file are taken as fractions. Null where the entry says nothing.
        confidence: f64,
        /// Severity given by the feed; null if none.
        severity: text,
        /// Source named by the entry, else the file's name.
        feed: text,
        /// Tags.
        tags: list_text,
        /// ATT&CK ids.
        techniques: list_text,
        /// What the feed says of it.
        description: text,
        /// Start of validity.
        valid_from: time,
        /// End of validity.
        valid_until: time,
        /// Line (or item) of the file.
        file_line: u32,
        /// STIX pattern that this is only a part of; null for an indicator that stands on its own.
        pattern: text,
    }
}

table! {
    /// One row per host that fits a pattern of several facts (STIX AND, FOLLOWEDBY) loaded with --ioc-file. Computed when the list is loaded.
    pub struct IndicatorPatterns("indicator_patterns", "pattern and host", Brought) {
        /// The pattern's id in its file.
        pattern: text,
        /// The pattern as written.
        text: text,
        /// Host that did all of it.
        host: text,
        /// Capture of the first of its facts.
        capture: text,
        /// First of the facts.
        ts: time,
        /// Last of them.
        end_ts: time,
        /// Frames that show them.
        frames: list_u64,
        /// Severity, lowered for doubtful and expired entries.
        severity: text,
        /// 0 to 100.
        confidence: f64,
        /// Source named by the entry, else the file's name.
        feed: text,
        /// Tags.
        tags: list_text,
        /// ATT&CK ids.
        techniques: list_text,
    }
}
