//! Table of TLS hellos, alerts and heartbeats.

use crate::table;

table! {
    /// One row per hello, alert and heartbeat of SSL, TLS and DTLS, on any port, after STARTTLS and inside OpenVPN. A DTLS message sent again is a row again. Certificates have their own table, `x509`; hellos inside QUIC are in `quic`.
    pub struct Tls("tls", "message", Network) {
        /// `client_hello`, `server_hello`, `hello_retry_request`, `ssl2_client_hello`, `alert`, `heartbeat_request`, `heartbeat_response`; `heartbeat` where encryption hides which of the two it is.
        message: word,
        /// `tls` (SSL 3.0 included), `dtls` or `ssl2`.
        transport: word,
        /// Sent by the TLS client; null where no hello told who that is.
        is_client: bool,
        /// Number of the handshake on this connection, from 0: renegotiations count on, a hello repeated after a retry request does not. Null before the first hello.
        handshake_index: u16,
        /// Version in the record header. TLS 1.3 writes 0x0301 or 0x0303 there.
        record_version_code: u16 = "tls.record.version",
        /// Version field of the hello itself; 0x0303 in TLS 1.3.
        legacy_version_code: u16 = "tls.handshake.version",
        /// supported_versions extension without GREASE values; one value in a server hello.
        supported_versions: list_u16 = "tls.handshake.extensions.supported_version",
        /// Server hello: the version agreed, from supported_versions where present, else from the version field.
        version_code: u16,
        /// Name of `version_code`: SSL2, SSL3, TLS1.0 to TLS1.3, TLS1.3-draft23, DTLS1.0, DTLS1.2, DTLS1.3. Null in client hellos, which only offer.
        version: word,
        /// The hello's 32 random bytes, hex.
        random: text = "tls.handshake.random",
        /// Session id, hex; null when empty.
        session_id: text = "tls.handshake.session_id",
        /// Client hello: first host name in the server_name extension (SNI), lower case.
        @bloom server_name: word = "tls.handshake.extensions_server_name",
        /// ALPN extension: what the client offers; in a server hello the one chosen.
        alpn_offered: list_text = "tls.handshake.extensions_alpn_str",
        /// Server hello: protocol chosen by ALPN. TLS 1.3 encrypts it.
        alpn: word,
        /// Cipher suites in the order offered, GREASE and signalling values included; in a server hello the one chosen.
        cipher_codes: list_u16 = "tls.handshake.ciphersuite",
        /// Server hello: suite chosen.
        cipher_code: u16 = "tls.handshake.ciphersuite",
        /// IANA name of `cipher_code`.
        cipher: word,
        /// Server hello: compression chosen; 0 is none, 1 DEFLATE.
        compression: u8 = "tls.handshake.comp_method",
        /// Extension types in the order sent, GREASE included.
        extensions: list_u16 = "tls.handshake.extension.type",
        /// supported_groups extension (once elliptic_curves), GREASE included.
        curves: list_u16 = "tls.handshake.extensions_supported_group",
        /// Server hello: name of the group agreed, from its key share or the ServerKeyExchange that follows.
        curve: word,
        /// Number of that group.
        curve_code: u16,
        /// ec_point_formats extension.
        point_formats: list_u8 = "tls.handshake.extensions_ec_point_format",
        /// signature_algorithms extension.
        sig_algs: list_u16 = "tls.handshake.sig_hash_alg",
        /// Groups of the key_share extension; in a server hello the one chosen or asked for.
        key_share_groups: list_u16 = "tls.handshake.extensions_key_share_group",
        /// Hello has a pre_shared_key extension.
        psk: bool,
        /// Client hello announces early (0-RTT) data.
        early_data: bool,
        /// Client hello brings a session ticket (RFC 5077).
        session_ticket: bool,
        /// Server hello: an earlier session is resumed: its id repeated, new keys without key exchange, or a pre-shared key chosen. Null where the capture does not show it.
        resumed: bool,
        /// Client hello: 1 with encrypted_client_hello, be it real or GREASE (nobody can tell), 2 with the older encrypted SNI, else 0.
        ech: u8,
        /// SNI outside the encrypted hello: the provider's public name.
        ech_outer_name: text,
        /// Hello has the heartbeat extension (RFC 6520).
        heartbeat: bool,
        /// Server hello: protocols of the next_protocol_negotiation extension, with commas.
        next_protocol: text,
        /// Server hello: length of the Diffie-Hellman prime in the ServerKeyExchange that follows, bits.
        dh_prime_bits: u32,
        /// Client hello: JA3, the MD5 of `ja3_full`.
        @bloom ja3: word = "tls.handshake.ja3",
        /// Version, suites, extensions, groups and point formats in decimal, GREASE left out.
        ja3_full: word = "tls.handshake.ja3_full",
        /// Server hello: JA3S, the MD5 of `ja3s_full`.
        @bloom ja3s: word = "tls.handshake.ja3s",
        /// Version, suite and extensions in decimal.
        ja3s_full: word = "tls.handshake.ja3s_full",
        /// Client hello: JA4 (FoxIO); its first letter is t for TLS, d for DTLS.
        @bloom ja4: word,
        /// JA4_r: the sorted lists before they are hashed.
        ja4_raw: word,
        /// Server hello: JA4S (FoxIO).
        @bloom ja4s: word,
        /// JA4S_r: the list before it is hashed.
        ja4s_raw: word,
        /// 1 warning, 2 fatal; null when the alert is encrypted.
        alert_level: u8 = "tls.alert_message.level",
        /// Alert number; null when the alert is encrypted.
        alert_code: u8 = "tls.alert_message.desc",
        /// Name of `alert_code` (RFC 8446, 6).
        alert: word,
        /// 1 request, 2 response; null when the heartbeat is encrypted.
        heartbeat_type: u8 = "tls.heartbeat_message.type",
        /// Payload length that the sender claims, bytes.
        heartbeat_payload_length: u16 = "tls.heartbeat_message.payload_length",
        /// Length of the record that holds the heartbeat, bytes, without its header.
        heartbeat_record_length: u16,
        /// Protocol that turned to TLS, by the responder's port: `smtp`, `imap`, `pop3`, `ftp`, `ldap`, `xmpp`, `postgres`, `mysql`, `rdp`, `irc`; null elsewhere.
        starttls: word,
        /// Frames the message came in; more than one for hellos longer than a segment.
        frames_spanned: u16,
    }
}

table! {
    /// One row per TLS or DTLS connection: its first client hello with the server's first answer, the certificates and the alerts of the same flow. A view over `tls` and `x509`. The source is the client; the frame is that of the client hello, or of the answer where the capture lacks the hello.
    pub struct TlsSessions("tls_sessions", "session", Network) {
        /// `tls`, `dtls` or `ssl2`.
        transport: word,
        /// Protocol that turned to TLS, as in `tls`.
        starttls: word,
        /// Name the client asked for (SNI).
        server_name: word,
        /// Version agreed; null without an answer.
        version_code: u16,
        /// Its name, as in `tls`.
        version: word,
        /// Cipher suite agreed.
        cipher_code: u16,
        /// Its IANA name.
        cipher: word,
        /// Group agreed.
        curve: word,
        /// ALPN protocols the client offers.
        alpn_offered: list_text,
        /// ALPN protocol chosen; TLS 1.3 encrypts it.
        alpn: word,
        /// JA3 of the client hello.
        ja3: word,
        /// JA3S of the server hello.
        ja3s: word,
        /// JA4 of the client hello.
        ja4: word,
        /// JA4S of the server hello.
        ja4s: word,
        /// As in `tls`.
        ech: u8,
        /// As in `tls`.
        resumed: bool,
        /// Client hellos on this connection: renegotiations, and repeats after a retry request.
        client_hellos: u32,
        /// Frame of the server hello.
        answer_frame: u64,
        /// Time from client hello to server hello.
        answer_ms: f64,
        /// Certificates the server presented in the clear.
        certificates: u32,
        /// Common name of its own certificate.
        server_subject: word,
        /// SHA-256 of its own certificate.
        server_sha256: text,
        /// Names of alerts in the clear.
        alerts: list_text,
        /// A fatal alert was sent in the clear.
        failed: bool,
    }
}
