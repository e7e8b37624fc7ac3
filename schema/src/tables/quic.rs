//! Tables of QUIC connections and packets.

use crate::table;

table! {
    /// One row per QUIC connection, of the IETF (versions 1 and 2, drafts from 22 on) or Google's, on any UDP port. Initial packets are decrypted with the keys that their version derives from the first destination connection id. A row's source is the client; its frame is the one that completes the client hello, or the first one where no hello can be read.
    pub struct Quic("quic", "session", Network) {
        /// Version the connection settled on.
        version: u32 = "quic.version",
        /// `1`, `quicv2`, `draft-29`, `mvfst-27`, `Q046`; `unknown` for others.
        version_name: word,
        /// First destination connection id from the client, hex: the seed of the Initial keys.
        client_initial_dcid: text = "quic.dcid",
        /// Client's source connection id, hex; null when empty.
        client_scid: text,
        /// Server's source connection id, hex; null when empty.
        server_scid: text,
        /// Name in the client hello (SNI), lower case; in Google's old versions the SNI tag.
        @bloom server_name: word = "tls.handshake.extensions_server_name",
        /// First ALPN protocol the client offers.
        client_protocol: word = "tls.handshake.extensions_alpn_str",
        /// All ALPN protocols offered.
        alpn: list_text = "tls.handshake.extensions_alpn_str",
        /// Client hello has encrypted_client_hello, be it real or GREASE: server_name may be the outer name.
        ech: bool,
        /// Cipher suite of the server hello, IANA name.
        cipher: word,
        /// JA3 of the client hello.
        @bloom ja3: word = "tls.handshake.ja3",
        /// JA4 of the client hello; its first letter is q.
        @bloom ja4: word,
        /// User agent that Chrome told until 2021: UAID tag of Google's own hello, or transport parameter 0x3129.
        user_agent: word = "gquic.tag.uaid",
        /// Server sent a Retry.
        retry: bool,
        /// Server sent Version Negotiation.
        version_negotiation: bool,
        /// Versions listed by Version Negotiation.
        offered_versions: list_u32 = "quic.supported_version",
        /// Client sent 0-RTT packets.
        zero_rtt: bool,
        /// Handshake packets went in both directions.
        handshake_seen: bool,
        /// Null: packets that follow a change of address have short headers only, by which no flow is known to be QUIC.
        migrated: bool,
        /// Initial packets.
        initial_packets: u32,
        /// Handshake packets.
        handshake_packets: u32,
        /// 1-RTT packets (short header).
        short_packets: u32,
        /// CRYPTO frames that the client hello was split into.
        crypto_fragments: u32,
        /// Error code of a CONNECTION_CLOSE in an Initial packet that could be decrypted.
        close_error: u64 = "quic.cc.error_code",
        /// Its reason phrase.
        close_reason: word = "quic.cc.reason_phrase",
        /// Packets in order, in Zeek's letters: I Initial, S hello complete, H Handshake, Z 0-RTT, R Retry, O other; upper case from the client. The first 100.
        history: text,
        /// An Initial packet was decrypted; null for Google's versions before Q050, which do not encrypt the hello.
        decrypted: bool,
    }
}

table! {
    /// One row per QUIC packet with a long header (RFC 8999, 5.1); several share a datagram.
    pub struct QuicPackets("quic_packets", "packet", Network) {
        /// Version.
        version: u32 = "quic.version",
        /// `initial`, `0rtt`, `handshake`, `retry`, `version_negotiation`. Version 2 gives the type bits another meaning.
        packet_type: word,
        /// Destination connection id, hex; null when empty.
        dcid: text = "quic.dcid",
        /// Source connection id, hex; null when empty.
        scid: text = "quic.scid",
        /// Initial: length of its token.
        token_len: u32 = "quic.token_length",
        /// Length field: bytes of packet number and payload.
        packet_len: u32 = "quic.length",
        /// Packet number, where header protection could be removed.
        packet_number: u64 = "quic.packet_number",
        /// Frame types inside in their order, a run of padding once; null where not decrypted.
        frame_types: list_u64 = "quic.frame_type",
        /// Place in the datagram, from 0.
        datagram_index: u8,
        /// Payload could be decrypted.
        decrypted: bool,
    }
}
