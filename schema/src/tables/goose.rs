//! Table of GOOSE records.

use crate::table;

table! {
    /// One row per GOOSE PDU (Ethertype 0x88B8, any VLAN tags) or routable R-GOOSE over UDP 102 multicast; layer 2 rows have no IP.
    pub struct Goose("goose", "message", Link) {
        /// Innermost VLAN; 0 is priority-tagged.
        vlan_id: u16 = "vlan.id",
        /// PCP; 4 recommended.
        vlan_priority: u8 = "vlan.priority",
        /// APPID; 0x0000-0x3FFF GOOSE, 0x8000-0xBFFF trip type.
        appid: u16 = "goose.appid",
        /// Length field, octets from APPID on.
        length: u16 = "goose.length",
        /// R-GOOSE (session header, UDP).
        is_routable: bool,
        /// S bit of reserved 1, second edition.
        simulation_bit: bool = "goose.reserve1.s_bit",
        /// Control block reference.
        gocb_ref: word = "goose.gocbRef",
        /// timeAllowedtoLive.
        time_allowed_to_live_ms: u32 = "goose.timeAllowedtoLive",
        /// Data set reference.
        dat_set: word = "goose.datSet",
        /// goID; null when absent.
        go_id: word = "goose.goID",
        /// t of the last state change.
        event_time: time,
        /// Last octet of t: 0x80 leap known, 0x40 clock failure, 0x20 not synchronised, low five bits accuracy.
        time_quality: u8,
        /// stNum.
        st_num: u32 = "goose.stNum",
        /// sqNum.
        sq_num: u32 = "goose.sqNum",
        /// simulation (edition 2) or test (edition 1).
        simulation: bool = "goose.simulation",
        /// confRev.
        conf_rev: u32 = "goose.confRev",
        /// ndsCom: needs commissioning.
        nds_com: bool = "goose.ndsCom",
        /// numDatSetEntries.
        num_dat_set_entries: u32 = "goose.numDatSetEntries",
        /// allData members in order, as text (`true`, `42`, bit strings in binary, structures in braces).
        values: list_text,
        /// Hash of the allData octets, to compare states.
        data_hash: word,
        /// allData differs from the stream's previous message.
        data_changed: bool,
        /// st_num differs from the stream's previous message.
        state_changed: bool,
        /// Time since the stream's previous message.
        interval_ms: f64,
        /// Security extension or R-GOOSE HMAC present.
        is_authenticated: bool,
        /// `length_mismatch`, `bad_ber`, `missing_field`, `entry_count_mismatch`, `truncated`; null when sound.
        malformed: word,
    }
}
