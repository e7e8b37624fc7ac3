//! What Suricata says of the captures.

use crate::table;

table! {
    /// One row per alert of Suricata that --suricata brings: input to comparison, not capture data.
    pub struct SuricataAlerts("suricata_alerts", "alert", Brought) {
        /// Line of eve.json.
        file_line: u64,
        /// Capture that the engine read; null where the file was given.
        capture: text,
        /// Time of the alert, UTC.
        ts: time,
        /// Source as the rule has it: it may be the responder of the flow.
        src_ip: text,
        /// Destination as the rule has it.
        dst_ip: text,
        /// Source port; null without ports.
        src_port: u16,
        /// Destination port; null without ports.
        dst_port: u16,
        /// `tcp`, `udp`, `icmp`, `icmp6`, `sctp`, else lower-case as in the file.
        transport: text,
        /// Community ID v1, as written or computed from addresses and ports; null without either.
        community_id: text,
        /// `pcap_cnt`: place of the packet in the file that the engine read, from 1; null if it is not told.
        packet: u64,
        /// Generator of the rule.
        gid: u64,
        /// Signature id.
        sid: u64,
        /// Revision of the rule.
        rev: u64,
        /// The rule's message.
        signature: text,
        /// The rule's class.
        category: text,
        /// Priority in the file: 1 is the gravest.
        priority: u32,
        /// `critical`, `high`, `medium`, `low`, `info`: the rule's `signature_severity` is not used, only its priority (1 high, 2 medium, 3 low, else info).
        severity: text,
        /// `allowed` or `blocked`.
        action: text,
        /// Application protocol that the engine saw.
        app_proto: text,
        /// ATT&CK ids in the rule's metadata.
        techniques: list_text,
    }
}

table! {
    /// One row per kind of record, and per notice of the engine, that --suricata brings.
    pub struct SuricataEvents("suricata_events", "kind of event", Brought) {
        /// Capture that the engine read; null where the file was given.
        capture: text,
        /// `event_type` of eve.json; `engine` for what the engine says of itself.
        event_type: text,
        /// Name of an anomaly, of a counter (`decoder.invalid`), of a property of the engine; null for the number of records.
        name: text,
        /// How many; null for a property.
        count: u64,
        /// A property's value.
        value: text,
    }
}
