//! Table of GOOSE messages.

use crate::table;

table! {
    /// One row per GOOSE PDU (IEC 61850-8-1): EtherType 0x88B8 behind any tags, without IP addresses, or R-GOOSE (IEC 61850-90-5) over UDP.
    pub struct Goose("goose", "message", Link) {
        /// Innermost VLAN; 0 where the tag only carries a priority.
        vlan_id: u16 = "vlan.id",
        /// Priority code point of that tag; IEC 61850-8-1 recommends 4.
        vlan_priority: u8 = "vlan.priority",
        /// Application identifier: 0x0000-0x3FFF GOOSE, 0x8000-0xBFFF GOOSE of type 1A (trip).
        appid: u16 = "goose.appid",
        /// Length field: octets from the APPID on, without padding; null in R-GOOSE.
        length: u16 = "goose.length",
        /// Came as R-GOOSE, in a session header over UDP.
        is_routable: bool,
        /// S bit of Reserved 1 (edition 2); in R-GOOSE the simulation octet before the APPID.
        simulation_bit: bool = "goose.reserve1.s_bit",
        /// Reference of the control block that publishes (gocbRef).
        gocb_ref: word = "goose.gocbRef",
        /// How long a receiver is to wait for the next message, milliseconds (timeAllowedtoLive).
        time_allowed_to_live_ms: u32 = "goose.timeAllowedtoLive",
        /// Reference of the data set sent (datSet).
        dat_set: word = "goose.datSet",
        /// Identifier given by the user (goID), which a message may leave out.
        go_id: word = "goose.goID",
        /// Time of the last state change (t), UTC.
        event_time: time,
        /// Last octet of t: 0x80 leap known, 0x40 clock failure, 0x20 not synchronised, low five bits accuracy.
        time_quality: u8,
        /// State number (stNum): rises with every change.
        st_num: u32 = "goose.stNum",
        /// Sequence number (sqNum): messages since that change.
        sq_num: u32 = "goose.sqNum",
        /// Not to be acted upon: simulation (edition 2), test (edition 1).
        simulation: bool = "goose.simulation",
        /// Configuration revision (confRev).
        conf_rev: u32 = "goose.confRev",
        /// The control block needs commissioning (ndsCom).
        nds_com: bool = "goose.ndsCom",
        /// Members that the message says it has (numDatSetEntries).
        num_dat_set_entries: u32 = "goose.numDatSetEntries",
        /// Members of allData in order: `true`, `42`, `1.5`, bit strings in binary digits, structures `{true, 00}`, arrays `[1, 2]`, octets in hexadecimal, times in RFC 3339.
        values: list_text,
        /// First 16 hexadecimal digits of SHA-256 over the octets of allData.
        data_hash: word,
        /// allData differs from that of the stream's previous message; a stream is a control block reference and an APPID, whoever sends.
        data_changed: bool,
        /// `st_num` differs from that of the stream's previous message.
        state_changed: bool,
        /// Milliseconds since the stream's previous message.
        interval_ms: f64,
        /// Carries a signature: security field or extension (IEC 62351-6), or an authentication value behind the R-GOOSE payload.
        is_authenticated: bool,
        /// `length_mismatch`, `bad_ber`, `missing_field`, `entry_count_mismatch`, `truncated`; null when sound.
        malformed: word,
    }
}
