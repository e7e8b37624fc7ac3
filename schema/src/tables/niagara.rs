//! `niagara_fox`: messages of Tridium Niagara stations.

use crate::table;

table! {
    /// One row per Tridium Niagara Fox message in clear, wherever its signature appears. Foxs is TLS: it appears in `tls`.
    pub struct NiagaraFox("niagara_fox", "message", Network) {
        /// Sent by the TCP originator.
        is_orig: bool,
        /// First token after `fox`: `a` asynchronous, `s` synchronous, `r` reply, as sent.
        frame_type: word,
        /// Second token: message number.
        sequence: i32,
        /// Third token: number answered, -1 if none.
        reply_to: i32,
        /// Fourth token: `fox` (session control), `station`, `sys`, `user`, ...
        channel: word,
        /// Fifth token: `hello`, `challenge`, `login`, `authenticate`, `rejected`, `keepAlive`, ...
        command: word,
        /// Body lines `key=typed value`, in order; type letters s string, i integer, b bytes, o object kept.
        fields: list_text,
        /// `fox.version`.
        fox_version: word,
        /// `hostName`.
        hostname: word,
        /// `hostAddress` (as the sender thinks of itself: can differ from src_ip behind NAT).
        host_address: word,
        /// `app.name`: `Station`, `Workbench`.
        app_name: word,
        /// `app.version`.
        app_version: word,
        /// `station.name`.
        station_name: word,
        /// `vm.name`.
        vm_name: word,
        /// `vm.version`.
        vm_version: word,
        /// `os.name`.
        os_name: word,
        /// `os.version`.
        os_version: word,
        /// `hostId` (licence identity).
        host_id: word,
        /// `brandId` (`vykon`, `distech`, ...).
        brand_id: word,
        /// `timeZone`, first element.
        time_zone: word,
        /// challenge: `method`.
        auth_method: word,
        /// challenge: `nonce`, in hexadecimal.
        nonce: text,
        /// login: `username` or `user`.
        username: word,
        /// login: response, digest or password field.
        @secret credential: text,
        /// Octets of the message.
        message_len: u32,
    }
}
