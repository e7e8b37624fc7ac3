//! Tunnels that hide or carry other traffic.

use crate::table;

table! {
    /// One row per tunnel session of each kind: IKE SA, IPsec SA (one SPI pair), WireGuard handshake, OpenVPN session, L2TP tunnel or session, PPTP call, GRE pair, SSTP, and others named in `kind`.
    pub struct Vpn("vpn", "session", Network) {
        /// ike, esp, ah, wireguard, openvpn, l2tp, l2tpv3, pptp, gre, erspan, sstp, softether, zerotier, tailscale, dtls_vpn.
        kind: word,
        /// Protocol version (IKE 1.0, 2.0; L2TP 2, 3).
        version: word,
        /// native, udp_500, udp_4500, udp_other or tcp.
        encapsulation: word,
        /// IKE initiator SPI or cookie, hex.
        @bloom initiator_spi: text = "isakmp.ispi",
        /// IKE responder SPI.
        @bloom responder_spi: text = "isakmp.rspi",
        /// IKE exchange type (first of the SA).
        exchange_code: u8 = "isakmp.exchangetype",
        /// IKE exchanges seen.
        exchange_types: list_u8 = "isakmp.exchangetype",
        /// identity_protection, aggressive, ike_sa_init, ike_auth ...
        exchange: word,
        /// All exchanges seen on this SA.
        exchanges: list_text,
        /// Ciphers proposed, then the accepted one in encryption_chosen.
        encryption: list_text,
        /// Cipher in the responder proposal.
        encryption_chosen: word,
        /// Integrity or hash.
        integrity_chosen: word,
        /// PRF.
        prf_chosen: word,
        /// Groups proposed.
        dh_group_codes: list_u16,
        /// Group agreed.
        dh_group_code: u16,
        /// Its name, e.g. modp1024, ecp256, curve25519.
        dh_group: word,
        /// psk, rsa, ecdsa, eap, xauth (IKEv1 in the clear only).
        auth_method: word,
        /// IKE identification payload when in the clear (aggressive mode).
        @bloom identity: text,
        /// Known vendor ids by name, else hex.
        vendor_ids: list_text = "isakmp.vid_string",
        /// Notify messages in the clear.
        notify_types: list_u16 = "isakmp.notify.msgtype",
        /// SA lifetime proposed.
        lifetime_s: u32,
        /// ESP or AH SPI, hex.
        spi: text = "esp.spi",
        /// Highest ESP sequence.
        last_sequence: u32 = "esp.sequence",
        /// WireGuard sender index of the initiation.
        wg_sender_index: u32 = "wg.sender",
        /// Index the peer answered with.
        wg_receiver_index: u32 = "wg.receiver",
        /// Initiation and response both seen.
        wg_handshake: bool,
        /// Message types seen (1 initiation, 2 response, 3 cookie, 4 data).
        wg_types: list_u8 = "wg.type",
        /// Client session id, hex.
        openvpn_session_id: text = "openvpn.sessionid",
        /// Opcodes seen (upper 5 bits of the first byte).
        openvpn_opcodes: list_u8 = "openvpn.opcode",
        /// HMAC present in control packets.
        openvpn_tls_auth: bool,
        /// SNI of the TLS inside OpenVPN, or of SSTP.
        server_name: word,
        /// Tunnel id.
        l2tp_tunnel_id: u16 = "l2tp.tunnel",
        /// Session id.
        l2tp_session_id: u32 = "l2tp.session",
        /// Control message types.
        l2tp_messages: list_u16 = "l2tp.avp.message_type",
        /// L2TP or PPTP host name.
        hostname: text = "l2tp.avp.host_name",
        /// PPTP control message types.
        pptp_messages: list_u16 = "pptp.control_message_type",
        /// Call id.
        pptp_call_id: u16 = "pptp.call_id",
        /// GRE key.
        gre_key: u32 = "gre.key",
        /// Ethertype inside.
        gre_protocol: u16 = "gre.proto",
        /// What the tunnel carries, in the clear.
        inner_protocol: word,
        /// First inner source.
        inner_src_ip: ip,
        /// First inner destination.
        inner_dst_ip: ip,
        /// PPP, XAUTH or L2TP user.
        @bloom username: word,
        /// PAP secret.
        @secret password: text,
        /// CHAP or MS-CHAPv2 exchange, hex.
        @secret chap_challenge: text,
        /// Packets of the session.
        packets: u64,
        /// Bytes from the initiator.
        orig_bytes: u64,
        /// Bytes from the responder.
        resp_bytes: u64,
        /// Last packet.
        end_ts: time,
        /// Both sides spoke the protocol; false when only the port or one side says so.
        confirmed: bool,
    }
}
