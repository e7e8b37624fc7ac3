//! Table of hsrp records.

use crate::table;

table! {
    /// One row per HSRP version 1 or 2 group state, or advertisement of an interface.
    pub struct Hsrp("hsrp", "message", Network) {
        /// 1 or 2 (the version 1 header field says 0).
        version: u8,
        /// 0 hello, 1 coup, 2 resign, 3 advertise; null in version 2's advertisement, which has none.
        opcode: u8 = "hsrp.opcode|hsrp2.opcode",
        /// `hello`, `coup`, `resign`, `advertise`.
        opcode_name: word,
        /// Version 1: 0 initial, 1 learn, 2 listen, 4 speak, 8 standby, 16 active. Version 2: 1 to 6.
        state: u8 = "hsrp.state|hsrp2.state",
        /// `initial`, `learn`, `listen`, `speak`, `standby`, `active`, same for both versions.
        state_name: word,
        /// Group.
        group: u16 = "hsrp.group|hsrp2.group",
        /// Priority.
        priority: u32 = "hsrp.priority|hsrp2.priority",
        /// Hello time in seconds (version 2 sends milliseconds).
        hello_s: f64,
        /// Hold time in seconds.
        hold_s: f64,
        /// Virtual address.
        @bloom virtual_ip: word = "hsrp.virt_ip|hsrp2.virt_ip|hsrp2.virt_ip_v6",
        /// `text` or `md5`.
        auth: word,
        /// Clear-text key; the default is `cisco`.
        @secret auth_text: text = "hsrp.auth_data|hsrp2.auth_data",
        /// Version 2: sender's MAC.
        identifier: word = "hsrp2.identifier",
    }
}
