//! RDP connection attempts.

use crate::table;

table! {
    /// One row per RDP connection attempt: X.224 negotiation, MCS channel setup, client info where it is in clear; RDP-UDP transports too.
    pub struct Rdp("rdp", "session", Network) {
        /// `tcp`, `udp` (RDPEUDP), `udp2` (RDPEUDP2), `http` (gateway).
        transport: word,
        /// User part of the `mstshash=` routing cookie (9 characters at most on Windows).
        @bloom cookie: word = "rdp.rt_cookie",
        /// Load-balancer token (`msts=`).
        routing_token: text,
        /// Bits asked: 1 TLS, 2 CredSSP, 4 RDSTLS, 8 CredSSP with early auth.
        requested_protocols: u32 = "rdp.negReq.requestedProtocols",
        /// Protocol chosen; null where the server's answer names none, which means RDP's own security.
        selected_protocol: u32 = "rdp.negReq.selectedProtocol",
        /// `RDP`, `SSL`, `HYBRID`, `RDSTLS`, `HYBRID_EX`.
        security_protocol: word,
        /// `encrypted` once TLS follows, `Success`, or the failure's name: `SSL_REQUIRED_BY_SERVER`, `SSL_NOT_ALLOWED_BY_SERVER`, `SSL_CERT_NOT_ON_SERVER`, `INCONSISTENT_FLAGS`, `HYBRID_REQUIRED_BY_SERVER`.
        result: word,
        /// Negotiation failure code.
        failure_code: u32 = "rdp.negFailure.failureCode",
        /// Client asks for restricted-admin mode.
        restricted_admin: bool = "rdp.negReq.flags.restricted_admin_mode_req",
        /// Client computer name.
        @bloom client_name: word = "rdp.client.name",
        /// Client build number.
        client_build: u32 = "rdp.client.build",
        /// Its product name, `RDP 6.0`.
        client_version: word,
        /// Digital product id.
        client_dig_product_id: text = "rdp.client.digProductId",
        /// Keyboard layout number.
        keyboard_layout: u32 = "rdp.keyboardLayout",
        /// Its name, `English - United States`.
        keyboard_layout_name: word,
        /// Desktop width.
        desktop_width: u16 = "rdp.desktop.width",
        /// Desktop height.
        desktop_height: u16 = "rdp.desktop.height",
        /// Colour depth asked, bits.
        color_depth: u16,
        /// Static virtual channels: `cliprdr`, `rdpdr`, `rdpsnd`, `drdynvc`.
        client_channels: list_text = "rdp.name",
        /// Standard RDP security: method the server chose.
        encryption_method: u32 = "rdp.encryptionMethod",
        /// `none`, `40bit`, `56bit`, `128bit`, `FIPS`.
        encryption_method_name: word,
        /// Standard RDP security: level.
        encryption_level: u32 = "rdp.encryptionLevel",
        /// `None`, `Low`, `Client compatible`, `High`, `FIPS`.
        encryption_level_name: word,
        /// Proprietary certificate or X.509.
        cert_type: word,
        /// Certificates the server sent in standard security.
        cert_count: u8,
        /// Client info PDU: domain.
        domain: word = "rdp.domain",
        /// Client info PDU: user.
        @bloom username: word = "rdp.userName",
        /// Client info PDU: password, when unencrypted.
        @secret password: text = "rdp.password",
        /// Client info PDU: address the client believes it has.
        client_address: text = "rdp.client.address",
        /// Client info PDU: client DLL path.
        client_dir: text = "rdp.client.dir",
        /// Client info PDU: program to start.
        alternate_shell: text = "rdp.alternateShell",
        /// Client info PDU: time zone name.
        timezone: word = "rdp.Name.Standard",
        /// Subject of the TLS certificate that followed. Null: `x509` has it, under the same flow_id.
        server_cert_subject: text,
        /// That certificate is self-signed. Null, as server_cert_subject.
        server_cert_self_signed: bool,
        /// RDP-UDP version.
        udp_version: u16 = "rdpudp.synex.version",
        /// RDP-UDP flags of the SYN.
        udp_flags: u16 = "rdpudp.flags",
        /// The exchange got past security negotiation (MCS confirmed, or TLS application data both ways).
        connected: bool,
    }
}
