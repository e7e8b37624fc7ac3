//! Table of glbp records.

use crate::table;

table! {
    /// One row per GLBP packet.
    pub struct Glbp("glbp", "message", Network) {
        /// Group.
        group: u16 = "glbp.group",
        /// Sender's MAC.
        owner_id: word = "glbp.ownerid",
        /// Carries a hello TLV.
        hello: bool,
        /// Gateway state.
        state: u8 = "glbp.hello.vgstate",
        /// Gateway priority.
        priority: u8 = "glbp.hello.priority",
        /// Virtual address.
        @bloom virtual_ip: word = "glbp.hello.virtualipv4|glbp.hello.virtualipv6",
        /// Request or response TLV: forwarder number.
        forwarder: u8 = "glbp.reqresp.forwarder",
        /// Its state.
        forwarder_state: u8 = "glbp.reqresp.vfstate",
        /// Its weight.
        weight: u8 = "glbp.reqresp.weight",
        /// Its MAC.
        virtual_mac: word = "glbp.reqresp.virtualmac",
        /// Authentication type.
        auth_type: u8 = "glbp.auth.authtype",
        /// Plain password.
        @secret auth_text: text = "glbp.auth.plainpass",
    }
}
