//! Tables of iec104 records.

use crate::table;

table! {
    /// One row per IEC 60870-5-104 APDU. Several APDUs of one segment give several rows; one APDU over two segments gives one. Information objects are in iec104_objects.
    pub struct Iec104("iec104", "apdu", Network) {
        /// Order of the APDU in the frame.
        apdu_index: u16,
        /// Length octet, 4-253.
        apdu_length: u8 = "iec60870_104.apdulen",
        /// `I`, `S`, `U`.
        frame_type: word,
        /// `STARTDT_act` 0x07, `STARTDT_con` 0x0B, `STOPDT_act` 0x13, `STOPDT_con` 0x23, `TESTFR_act` 0x43, `TESTFR_con` 0x83.
        u_function: word,
        /// I: N(S).
        send_seq: u16 = "iec60870_104.tx",
        /// I and S: N(R).
        recv_seq: u16 = "iec60870_104.rx",
        /// Sent by the TCP originator (controlling station as a rule).
        is_orig: bool,
        /// ASDU type.
        type_id_code: u8 = "iec60870_asdu.typeid",
        /// Its name (`M_SP_NA_1` 1, `C_SC_NA_1` 45, `C_IC_NA_1` 100 ...).
        type_id: word,
        /// `monitor`, `control`, `setpoint`, `parameter`, `system`, `file`, `end_of_init`, `other`.
        category: word,
        /// SQ bit.
        is_sequence: bool = "iec60870_asdu.sq",
        /// Objects in the ASDU.
        num_objects: u8 = "iec60870_asdu.numix",
        /// Cause, low six bits.
        cot_code: u8 = "iec60870_asdu.causetx",
        /// `per/cyc` 1, `back` 2, `spont` 3, `init` 4, `req` 5, `act` 6, `actcon` 7, `deact` 8, `deactcon` 9, `actterm` 10, `retrem` 11, `retloc` 12, `file` 13, `auth` 14, `inrogen` 20, `inro1`-`inro16` 21-36, `reqcogen` 37, `reqco1`-`reqco4` 38-41, `uknown_type` 44, `unknown_cause` 45, `unknown_asdu` 46, `unknown_object` 47.
        cot: word,
        /// P/N bit.
        negative: bool = "iec60870_asdu.nega",
        /// T bit.
        test: bool = "iec60870_asdu.test",
        /// Originator address.
        originator: u8 = "iec60870_asdu.oa",
        /// Station address; 65535 global.
        common_address: u16 = "iec60870_asdu.addr",
        /// First information object address.
        first_ioa: u32,
        /// Confirmation or termination: frame of the activation with the same type, CA and IOA.
        request_frame: u64,
        /// actcon minus act.
        response_time_ms: f64,
        /// `bad_start`, `bad_length`, `truncated`, `object_overrun`, `unknown_type`; null when sound.
        malformed: word,
    }
}

table! {
    /// One row per information object of an IEC 104 ASDU.
    pub struct Iec104Objects("iec104_objects", "object", Network) {
        /// APDU in the frame.
        apdu_index: u16,
        /// Sent by the TCP originator.
        is_orig: bool,
        /// Station address.
        common_address: u16,
        /// ASDU type.
        type_id_code: u8,
        /// Its name.
        type_id: word,
        /// Cause.
        cot_code: u8,
        /// Its name.
        cot: word,
        /// P/N bit of the ASDU.
        negative: bool,
        /// T bit of the ASDU.
        test: bool,
        /// As iec104.category.
        category: word,
        /// Information object address (three octets); runs with SQ counted on.
        @bloom ioa: u32 = "iec60870_asdu.ioa",
        /// Number: SPI 0/1, DPI 0-3, normalised value as -1..1, scaled, short float, counter, bitstring.
        value: f64,
        /// `off`, `on`, `intermediate`, `indeterminate`, step, else the number.
        value_text: word,
        /// Commands: `off`, `on` (SCS 0/1; DCS 1 off, 2 on, 0 and 3 not permitted), `lower`, `higher`.
        command: word,
        /// Commands and setpoints: S/E bit set (select), clear (execute).
        select: bool,
        /// QU, QL, QOI, QCC, QRP, COI or FRZ of the type.
        qualifier: u8,
        /// `short_pulse`, `long_pulse`, `persistent`; `station_interrogation` 20, `group_1`...; QRP `general_reset` 1, `reset_event_buffer` 2.
        qualifier_name: word,
        /// SIQ/DIQ/QDS quality bits.
        quality: u8,
        /// `overflow`, `blocked`, `substituted`, `not_topical`, `invalid`.
        quality_names: list_text,
        /// CP56Time2a, or CP24Time2a placed in the hour of ts; null without one.
        time_tag: time,
        /// IV of the time.
        time_tag_invalid: bool,
        /// ts minus time_tag for spontaneous objects.
        time_delta_ms: f64,
        /// Counter reading sequence (types 15, 16, 37).
        bcr_sequence: u8 = "iec60870_asdu.bcr.sq",
    }
}
