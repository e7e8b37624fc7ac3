//! Table of X.509 certificates.

use crate::table;

table! {
    /// One row per X.509 certificate, each time it is presented, in the order of its chain. The row's source presents it. TLS 1.3 and QUIC encrypt their certificates.
    pub struct X509("x509", "object in message", Network) {
        /// `tls`, `dtls`, `quic`, `ikev1`, `ikev2`, `eap`, `rdp`, `smime`, `kerberos`, `opcua`; `ldap` for one in an entry of a directory; `ocsp` for the signer of an OCSP response, stapled or fetched.
        carrier: word,
        /// `server` or `client`: who presents it; null if unknown.
        role: word,
        /// Place in the message from 0, which is the leaf.
        chain_index: u8,
        /// Certificates in the message.
        chain_length: u8,
        /// 1 to 3 (one more than the number on the wire).
        version: u8,
        /// Serial number's octets as sent; a leading 00 stays.
        @bloom serial: bytes = "x509af.serialNumber",
        /// Subject as RFC 4514 text, most specific part first; empty if the certificate has an empty one.
        subject: text,
        /// Last common name of the subject.
        @bloom subject_cn: text,
        /// Last organisation of the subject.
        subject_o: text,
        /// Issuer as RFC 4514 text.
        issuer: text,
        /// Last common name of the issuer.
        issuer_cn: text,
        /// Last organisation of the issuer.
        issuer_o: text,
        /// Start of validity; null beyond the years 1677 to 2262.
        not_before: time,
        /// End of validity; null beyond the years 1677 to 2262 (the 9999 of certificates without an end).
        not_after: time,
        /// Days from start to end of validity.
        validity_days: f64,
        /// Days from this presentation (not from today) to the end of validity; negative once expired.
        days_left: f64,
        /// DNS names among the alternative names.
        san_dns: list_text = "x509ce.dNSName",
        /// IP addresses among them.
        san_ip: list_text,
        /// Mail addresses among them.
        san_email: list_text,
        /// URIs among them.
        san_uri: list_text,
        /// `rsa`, `ec`, `ed25519`, `ed448`, `dsa`, `dh`, `ml-dsa-44` ...; the OID if unknown.
        key_type: word,
        /// Size of the RSA modulus, the DSA prime or the curve, bits.
        key_bits: u32,
        /// Named curve, such as secp256r1; the OID if unknown.
        key_curve: word,
        /// RSA exponent, decimal.
        key_exponent: word,
        /// Signature algorithm, such as sha256WithRSAEncryption or ecdsa-with-SHA384; the OID if unknown.
        sig_alg: word,
        /// cA of the basic constraints; null without that extension.
        basic_constraints_ca: bool,
        /// pathLenConstraint of the basic constraints.
        path_len: u32,
        /// Key usage bits by their names in RFC 5280.
        key_usage: list_text,
        /// Extended key usages by name; the OID if unknown.
        ext_key_usage: list_text,
        /// Subject key identifier.
        subject_key_id: bytes,
        /// Key identifier of the authority key identifier.
        authority_key_id: bytes,
        /// OCSP responders (authority information access).
        ocsp_urls: list_text,
        /// Where the issuer's certificate is (authority information access).
        ca_issuers: list_text,
        /// Where the revocation list is (CRL distribution points).
        crl_urls: list_text,
        /// OIDs of the certificate policies.
        policies: list_text,
        /// Embedded signed certificate timestamps (RFC 6962); null without that extension.
        scts: u8,
        /// Subject equals issuer and the signature verifies with the certificate's own key; null if the algorithm cannot be verified.
        self_signed: bool,
        /// Subject equals issuer.
        self_issued: bool,
        /// The signature verifies with the key of the next certificate; null for the last, and if the algorithm cannot be verified.
        signed_by_next: bool,
        /// MD5 of the DER, hex.
        @bloom md5: text,
        /// SHA-1 of the DER, hex.
        @bloom sha1: text,
        /// SHA-256 of the DER, hex: the certificate's identity.
        @bloom sha256: text,
        /// SHA-256 of the SubjectPublicKeyInfo, hex: the key's identity, as in pins.
        @bloom spki_sha256: text,
        /// JA4X (FoxIO): hashes of the attribute types of issuer and subject and of the extension types.
        @bloom ja4x: text,
        /// Length of the DER, bytes.
        size_bytes: u32 = "tls.handshake.certificate_length|dtls.handshake.certificate_length",
        /// Server name (SNI) that the client asked for in the same handshake.
        server_name: text,
        /// A server's leaf: that name is among the alternative names, or is the common name where there are none (RFC 6125); null without SNI.
        sni_matches: bool,
        /// The certificate, DER.
        der: bytes,
    }
}
