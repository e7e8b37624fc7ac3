//! SSH: messages in clear, and what each connection agreed on.

use crate::table;

table! {
    /// One row per SSH message sent in the clear: version exchange, key exchange init, key exchange reply, new keys, disconnect, and SSH-1 equivalents.
    pub struct Ssh("ssh", "message", Network) {
        /// version, kexinit, kexdh_init, kexdh_reply, gex_request, gex_group, gex_init, gex_reply, newkeys, disconnect, ignore, debug, ssh1_public_key, encrypted.
        message: word,
        /// Message number; null for the version line.
        message_code: u8 = "ssh.message_code",
        /// Sent by the server side (the side that got the TCP SYN, else the side whose KEX reply was seen).
        is_server: bool,
        /// Identification line without the line end.
        version_string: word = "ssh.protocol",
        /// 2.0, 1.99, 1.5.
        protocol_version: word,
        /// Software part of the line.
        software: word,
        /// Comment after the first blank.
        comment: word,
        /// Offered.
        kex_algorithms: list_text = "ssh.kex_algorithms",
        /// Offered.
        host_key_algorithms: list_text = "ssh.server_host_key_algorithms",
        /// Client to server.
        ciphers_client: list_text = "ssh.encryption_algorithms_client_to_server",
        /// Server to client.
        ciphers_server: list_text = "ssh.encryption_algorithms_server_to_client",
        /// Client to server.
        macs_client: list_text = "ssh.mac_algorithms_client_to_server",
        /// Server to client.
        macs_server: list_text = "ssh.mac_algorithms_server_to_client",
        /// Client to server.
        compression_client: list_text = "ssh.compression_algorithms_client_to_server",
        /// Server to client.
        compression_server: list_text = "ssh.compression_algorithms_server_to_client",
        /// HASSH of a client kexinit.
        @bloom hassh: word = "ssh.kex.hassh",
        /// HASSH of a server kexinit.
        @bloom hassh_server: word = "ssh.kex.hasshserver",
        /// String that was hashed.
        hassh_algorithms: word,
        /// Offers kex-strict-c-v00@openssh.com (client) or kex-strict-s-v00@openssh.com (server).
        strict_kex: bool,
        /// Type name inside the host key blob.
        host_key_type: word = "ssh.host_key.type",
        /// SHA256: and unpadded base64 of the key blob, as OpenSSH prints it.
        @bloom host_key_sha256: word,
        /// Old colon form.
        host_key_md5: word,
        /// Reason code.
        disconnect_code: u32 = "ssh.disconnect_reason",
        /// Description.
        disconnect_text: text = "ssh.disconnect_description",
    }
}

table! {
    /// One row per SSH connection with what was agreed and an estimate, from sizes alone, of what the login did.
    pub struct SshSessions("ssh_sessions", "session", Network) {
        /// Client version line.
        client: word,
        /// Server version line.
        server: word,
        /// 1 or 2.
        version: u8,
        /// First client choice the server also offers.
        kex_alg: word,
        /// Agreed host key algorithm.
        host_key_alg: word,
        /// Agreed cipher, client to server.
        cipher_alg: word,
        /// Agreed cipher, server to client.
        cipher_alg_server: word,
        /// Agreed MAC, client to server; implicit for AEAD.
        mac_alg: word,
        /// Agreed compression.
        compression_alg: word,
        /// Client HASSH.
        @bloom hassh: word,
        /// Server HASSH.
        @bloom hassh_server: word,
        /// Type of key the server proved.
        host_key_type: word,
        /// SHA256 fingerprint.
        @bloom host_key: word,
        /// ChaCha20-Poly1305, or CBC with an encrypt-then-MAC, was agreed and not both sides offered strict KEX.
        terrapin_vulnerable: bool,
        /// Failed and successful login replies counted by size (method in ssh.md).
        auth_attempts: u32,
        /// Estimate; null where it cannot be told.
        auth_success: bool,
        /// high, medium or low.
        auth_confidence: word,
        /// none, password, publickey, keyboard-interactive, unknown.
        auth_method_guess: word,
        /// Keystroke-sized packets both ways after login.
        interactive: bool,
        /// Keystroke-sized packets that start at the server side: remote forward or reverse shell.
        reverse_forward: bool,
        /// upload, download or null: more than 1 MB and more than 80 percent one way after login.
        bulk_direction: word,
        /// After new keys, from the client.
        orig_encrypted_bytes: u64,
        /// After new keys, from the server.
        resp_encrypted_bytes: u64,
        /// Only with decryption.
        username: word,
        /// Only with decryption.
        @secret password: text,
    }
}
