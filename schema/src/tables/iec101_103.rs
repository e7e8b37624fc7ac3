//! Table of iec101_103 records.

use crate::table;

table! {
    /// One row per IEC 60870-5-101 or -103 link frame (FT1.2) found in a serial capture or carried byte for byte in TCP or UDP by a terminal server.
    pub struct Iec101103("iec101_103", "frame", Network) {
        /// `iec101`, `iec103`, or `ft12` when the frame is right but the ASDU layout decides neither.
        protocol: word,
        /// `serial`, `tcp`, `udp`.
        carrier: word,
        /// `high`: start, both lengths equal, second start, checksum, end all right and 3 or more such frames both ways; `medium`: checks right, one way; `low`: fixed-length (0x10) frames only.
        confidence: text,
        /// `variable` 0x68, `fixed` 0x10, `ack` 0xE5.
        frame_format: text,
        /// L.
        user_octets: u8,
        /// Control octet.
        control: u8 = "iec60870_101.ctrlfield",
        /// PRM.
        is_primary: bool,
        /// Low four bits.
        link_function_code: u8,
        /// Primary: `reset_link` 0, `reset_user_process` 1, `test_link` 2, `send_confirm` 3, `send_no_reply` 4, `reset_fcb` 7, `request_access_demand` 8, `request_link_status` 9, `request_class_1` 10, `request_class_2` 11; secondary: `ack` 0, `nack` 1, `user_data` 8, `no_data` 9, `link_status` 11.
        link_function: word,
        /// One or two octets, or none (balanced).
        link_address: u16 = "iec60870_101.linkaddr",
        /// ASDU type; numbers differ between 101 and 103.
        type_id_code: u8,
        /// 101 names as in 104; 103: `time_tagged_message` 1, `measurands_i` 3, `identification` 5, `time_sync` 6, `general_interrogation` 7, `general_command` 20, ...
        type_id: text,
        /// Cause.
        cot_code: u8,
        /// Its name in the protocol found.
        cot: text,
        /// ASDU address.
        common_address: u16,
        /// 103 only: 128 distance, 160 overcurrent, 176 transformer, 192 line differential, 254 generic, 255 global.
        function_type: u8 = "iec60870_5_103.func_type",
        /// 103 only.
        information_number: u8 = "iec60870_5_103.info_num",
        /// 101 only: first object address.
        ioa: u32,
        /// First object's value or command state.
        value_text: text,
        /// Sum of the user octets.
        checksum_ok: bool,
        /// As iec104.category.
        category: word,
        /// Octets of link address, COT, common address, IOA that made the frame consistent (`1/1/1/2`).
        layout: text,
    }
}
