//! Table of encrypted sessions, as seen by whoever has keys.

use crate::table;

table! {
    /// One row per TLS connection, QUIC connection or SSH connection of a capture that was decoded with keys (a key log, or keys in the capture), whether it could be decrypted or not; and per TLS connection whose cipher suite does not encrypt. A row's source is the client; its frame is that of the client hello. What was decrypted is in the tables of the protocols inside, under the same flow.
    pub struct Decryption("decryption", "session", Network) {
        /// `tls`, `quic`, `ssh`.
        protocol: word,
        /// Random of the first client hello, hex, by which key logs name the session; for SSH the client's cookie.
        client_random: text,
        /// Name the client asked for (SNI).
        server_name: word,
        /// Version agreed, as in `tls` or `quic`; null without an answer.
        version: word,
        /// Cipher suite agreed.
        cipher: word,
        /// Protocol agreed by ALPN, read from encrypted messages where TLS 1.3 hides it.
        alpn: word,
        /// Where the key came from: `keylog` (a file), `dsb` (a decryption-secrets block of the capture); null without a key.
        key_source: word,
        /// `decrypted`; `partly` (some records could not be opened: lost before them, or not verified); `failed` (the key opens none); `no_key`; `no_handshake` (the capture begins too late to tell the key); `no_data` (the key is known and nothing was encrypted); `unsupported` (cipher suite, version or compression); `clear` (the suite does not encrypt).
        status: word,
        /// Protocol of the plaintext, by its content; null where nothing was decrypted or nobody knows it.
        service: word,
        /// Octets of application data from the client that were decrypted.
        client_plain_bytes: u64,
        /// The same from the server.
        server_plain_bytes: u64,
    }
}
