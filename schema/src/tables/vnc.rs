//! VNC sessions.

use crate::table;

table! {
    /// One row per RFB session: versions, security handshake, outcome, desktop.
    pub struct Vnc("vnc", "session", Network) {
        /// Version the client chose, e.g. 003.008.
        client_version: word = "vnc.client_proto_ver",
        /// Version the server announced.
        server_version: word = "vnc.server_proto_ver",
        /// Types the server offered.
        security_types: list_u8 = "vnc.security_type",
        /// Type agreed.
        security_type_code: u8 = "vnc.client_security_type",
        /// none, vnc_auth, ra2, ra2ne, tight, ultra, tls, vencrypt, sasl, md5, xvp, apple_ard, mslogon2, realvnc_aes.
        security_type: word,
        /// 16 bytes, hex.
        @secret challenge: text = "vnc.auth_challenge",
        /// 16 bytes, hex.
        @secret response: text = "vnc.auth_response",
        /// 0 accepted.
        auth_result_code: u32 = "vnc.auth_result",
        /// Outcome; true for type none without a refusal (RFB 3.3 and 3.7 send no result).
        auth_success: bool,
        /// Server text of a refusal.
        failure_reason: word = "vnc.auth_error",
        /// Client asked to share the desktop.
        share_flag: bool = "vnc.share_desktop_flag",
        /// Framebuffer width.
        width: u16 = "vnc.width",
        /// Framebuffer height.
        height: u16 = "vnc.height",
        /// Desktop name.
        desktop_name: word = "vnc.desktop_name",
        /// Encodings the client set.
        encodings: list_i32 = "vnc.client_set_encodings_encoding_type",
        /// Key events from the client.
        key_events: u32,
        /// Pointer events.
        pointer_events: u32,
        /// Clipboard bytes to the server.
        client_cut_bytes: u64,
        /// Clipboard bytes to the client. Null: the server is not followed past its first picture.
        server_cut_bytes: u64,
        /// Keys pressed, in order, as text; only where the session is not encrypted.
        @secret typed_text: text,
        /// TightVNC or UltraVNC file transfer messages seen. Null: these extensions are not read.
        file_transfer: bool,
    }
}
