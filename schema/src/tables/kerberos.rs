//! Table of kerberos records.

use crate::table;

table! {
    /// One row per Kerberos message: exchanges with a KDC or a password service over UDP and TCP, and AP-REQ, AP-REP and KRB-ERROR that other protocols carry.
    pub struct Kerberos("kerberos", "message", Network) {
        /// 10 AS-REQ, 11 AS-REP, 12 TGS-REQ, 13 TGS-REP, 14 AP-REQ, 15 AP-REP, 21 PRIV, 22 CRED, 30 ERROR. The outermost message: the AP-REQ inside a TGS-REQ is not a row.
        msg_type: u8 = "kerberos.msg_type",
        /// `AS-REQ`, `AS-REP`, `TGS-REQ`, `TGS-REP`, `AP-REQ`, `AP-REP`, `KRB-ERROR`, ...
        request_type: word,
        /// `kdc` when native, else the table name of the protocol it was carried in: `smb`, `ldap`, `dcerpc`, `http`, `rdp`.
        carrier: word,
        /// Client principal, components joined by '/', without the realm.
        @bloom client: word,
        /// Name type: 1 principal, 2 service, 10 enterprise.
        client_name_type: i32,
        /// Realm of the request, or the client's realm in a reply.
        realm: word = "kerberos.realm|kerberos.crealm",
        /// Service principal, components joined by '/': `krbtgt/REALM`, `cifs/host.domain`.
        @bloom service: word,
        /// First component: `krbtgt`, `cifs`, `HTTP`, `MSSQLSvc`, `host`.
        service_class: word,
        /// Realm of the ticket's server.
        ticket_realm: word,
        /// On requests: true if a reply matched, false if an error matched, null if neither was seen.
        success: bool,
        /// On requests: frame of the matching reply or error.
        response_frame: u64,
        /// KRB-ERROR code.
        error_code: i32 = "kerberos.error_code",
        /// Name without the prefix: `PREAUTH_REQUIRED` (25), `PREAUTH_FAILED` (24), `C_PRINCIPAL_UNKNOWN` (6), `S_PRINCIPAL_UNKNOWN` (7), `ETYPE_NOSUPP` (14), `CLIENT_REVOKED` (18), `KEY_EXPIRED` (23), `SKEW` (37), `RESPONSE_TOO_BIG` (52).
        error: word,
        /// e-text.
        error_text: word = "kerberos.e_text",
        /// Server time in an error or reply; with the frame's time it gives the clock skew.
        server_ts: time = "kerberos.stime",
        /// Encryption types the client offers, in order.
        etypes: list_i32 = "kerberos.ENCTYPE",
        /// Offered set, Microsoft's negative pseudo types left out, holds nothing better than RC4 or DES.
        weak_etypes_only: bool,
        /// Encryption type of the ticket in a reply, or presented in an AP-REQ or TGS-REQ.
        ticket_etype: i32,
        /// Its name: `aes256-cts-hmac-sha1-96`, `rc4-hmac`, `des-cbc-md5`.
        ticket_cipher: word,
        /// Encryption type of a reply's encrypted part, the client's key.
        enc_part_etype: i32,
        /// Key version of the ticket.
        ticket_kvno: u32 = "kerberos.kvno",
        /// Pre-authentication data types.
        padata_types: list_i32 = "kerberos.padata_type",
        /// AS-REQ: `none`, `enc_timestamp`, `pkinit`, `fast`, `encrypted_challenge`, `other`.
        preauth: word,
        /// Option bits as sent.
        kdc_options: u32 = "kerberos.kdc_options",
        /// Forwardable requested.
        forwardable: bool = "kerberos.KDCOptions.forwardable",
        /// Renewable requested.
        renewable: bool = "kerberos.KDCOptions.renewable",
        /// cname-in-addl-tkt: S4U2Proxy.
        constrained_delegation: bool = "kerberos.KDCOptions.constrained.delegation",
        /// S4U2Self: user named in PA-FOR-USER (129) or PA-S4U-X509-USER (130).
        s4u_user: word,
        /// Requested start.
        from_ts: time = "kerberos.from",
        /// Requested end.
        till_ts: time = "kerberos.till",
        /// Host addresses a client lists (NetBIOS name of the workstation on Windows).
        addresses: list_text = "kerberos.addr_nb",
        /// Salt of PA-ETYPE-INFO2; it spells the account's real realm and name.
        salt: word = "kerberos.info2_salt",
        /// Crackable form of the ticket (TGS-REP) or encrypted part (AS-REP), hashcat layout. The wire does not name a service's account: with AES the line bears the service's name in its place.
        @secret ticket_hash: text,
        /// Crackable form of an encrypted timestamp (AS-REQ).
        @secret preauth_hash: text,
        /// `udp` or `tcp`.
        transport: word,
    }
}
