//! Table of ssdp records.

use crate::table;

table! {
    /// One row per SSDP message (UPnP discovery).
    pub struct Ssdp("ssdp", "message", Network) {
        /// M-SEARCH, NOTIFY or response.
        method: word = "http.request.method",
        /// Status of a response.
        status_code: u16 = "http.response.code",
        /// HOST header.
        host: word = "http.host",
        /// Search target.
        st: text,
        /// Notification type.
        nt: text,
        /// ssdp:alive, ssdp:byebye, ssdp:update.
        nts: text,
        /// Unique service name.
        usn: text,
        /// UUID inside the USN.
        uuid: text,
        /// Description URL.
        location: text = "http.location",
        /// Host of that URL.
        location_ip: ip,
        /// SERVER header: OS, UPnP version, product.
        server: text = "http.server",
        /// USER-AGENT.
        user_agent: word = "http.user_agent",
        /// MAN header.
        man: text,
        /// MX seconds.
        mx: u8,
        /// max-age of CACHE-CONTROL.
        max_age_s: u32,
        /// Other headers as NAME: VALUE.
        headers: list_text,
        /// Bytes of the message.
        message_bytes: u32,
    }
}
