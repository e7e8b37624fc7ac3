//! Tables of DNS records.

use crate::table;

table! {
    /// One row per DNS message: UDP, TCP, decrypted TLS/HTTPS/QUIC, mDNS and LLMNR. Names of NetBIOS are in nbns.
    pub struct Dns("dns", "message", Network) {
        /// `udp`, `tcp`, `tls`, `https`, `quic`.
        transport: word,
        /// `dns`, `mdns`, `llmnr`.
        protocol: word,
        /// Transaction id.
        trans_id: u16 = "dns.id",
        /// QR bit.
        is_response: bool = "dns.flags.response",
        /// Opcode.
        opcode: u8 = "dns.flags.opcode",
        /// `query`, `iquery`, `status`, `notify`, `update`, `dso`.
        opcode_name: word,
        /// Response code without the EDNS extension; null in queries.
        rcode: u16 = "dns.flags.rcode",
        /// Response code with the 8 EDNS bits above; null in queries.
        rcode_extended: u16,
        /// `NOERROR`, `FORMERR`, `SERVFAIL`, `NXDOMAIN`, `NOTIMP`, `REFUSED`, `BADVERS`, ...; of rcode_extended.
        rcode_name: word,
        /// Authoritative answer; null in queries.
        aa: bool = "dns.flags.authoritative",
        /// Truncated.
        tc: bool = "dns.flags.truncated",
        /// Recursion desired; null for mDNS and LLMNR.
        rd: bool,
        /// Recursion available; null in queries.
        ra: bool = "dns.flags.recavail",
        /// Authentic data.
        ad: bool,
        /// Checking disabled.
        cd: bool,
        /// Reserved bit.
        z: u8,
        /// Name of the first question, as on the wire (case kept), without trailing dot; bytes outside printable ASCII as \DDD.
        @bloom query: text = "dns.qry.name",
        /// Type of the first question.
        qtype: u16 = "dns.qry.type",
        /// `A`, `AAAA`, `TXT`, ...; `TYPE123` if unknown.
        qtype_name: word,
        /// Class of the first question without the mDNS QU bit.
        qclass: u16 = "dns.qry.class",
        /// mDNS QU bit of the first question.
        unicast_response: bool = "dns.qry.qu",
        /// Length of query in bytes.
        query_length: u16 = "dns.qry.name.len",
        /// Labels in query.
        label_count: u8 = "dns.count.labels",
        /// Public suffix plus one label, lower case; null for single-label names, addresses in arpa and unknown private suffixes of one label.
        @bloom registered_domain: text,
        /// Question count as announced.
        questions: u16 = "dns.count.queries|dns.count.zones",
        /// Answer count as announced.
        answers_count: u16 = "dns.count.answers|dns.count.prerequisites",
        /// Authority count as announced.
        authority_count: u16 = "dns.count.auth_rr|dns.count.updates",
        /// Additional count as announced.
        additional_count: u16 = "dns.count.add_rr",
        /// Answer section as text, in order: address, target name, quoted text, else the record's data; null if there is none.
        answers: list_text,
        /// TTL of each answer, same order.
        ttls: list_u32,
        /// EDNS version; null without OPT.
        edns_version: u8,
        /// UDP payload size the sender takes.
        edns_udp_size: u16 = "dns.rr.udp_payload_size",
        /// DNSSEC OK.
        edns_do: bool = "dns.resp.z.do",
        /// OPT option codes.
        edns_options: list_u16 = "dns.opt.code",
        /// EDNS client subnet as prefix/length.
        client_subnet: text,
        /// EDNS name server id, text or hex.
        nsid: text,
        /// Extended DNS error code.
        extended_error: u16 = "dns.opt.ext_error.info_code",
        /// Message length, without TCP length prefix.
        message_bytes: u32,
        /// Response: frame of its query, matched on flow (or multicast group), id and question.
        request_frame: u64,
        /// Response: time since the first copy of its query.
        rtt_ms: f64,
        /// Query repeats one still unanswered with the same id and question from the same port.
        retransmission: bool,
        /// Response to a query that the capture lacks; null for mDNS.
        unsolicited: bool,
        /// Bytes after the last record inside the message length; 0 if none.
        trailing_bytes: u32,
    }
}

table! {
    /// One row per resource record of a DNS message (answer, authority, additional; OPT included): passive DNS.
    pub struct DnsRecords("dns_records", "object in message", Network) {
        /// Of the message, to join with dns.
        trans_id: u16,
        /// Of the message.
        is_response: bool,
        /// Of the message.
        transport: word,
        /// `answer`, `authority`, `additional`; for UPDATE `prerequisite`, `update`, `additional`.
        section: word,
        /// Owner name, as on the wire.
        @bloom name: text,
        /// Record type.
        r#type: u16 = "dns.resp.type",
        /// Its name.
        type_name: word,
        /// Class without the cache-flush bit; null for OPT, whose field is a payload size.
        class: u16 = "dns.resp.class",
        /// mDNS cache-flush bit.
        cache_flush: bool = "dns.resp.cache_flush",
        /// TTL in seconds; null for OPT.
        ttl: u32 = "dns.resp.ttl",
        /// RDLENGTH.
        rdata_bytes: u16,
        /// The record's data as zone files write it (RFC 1035 section 5.1 and each type's RFC; `\# length hex` for unknown types); options of OPT as `NAME=value`. Null if there is none.
        data: text,
        /// A or AAAA address.
        @bloom address: ip = "dns.a|dns.aaaa",
        /// Name in CNAME, NS, PTR, MX, SRV, DNAME data.
        @bloom target: text = "dns.cname|dns.ns|dns.ptr.domain_name|dns.mx.mail_exchange|dns.srv.target|dns.dname",
        /// Strings of TXT data, empty ones left out.
        text: list_text = "dns.txt",
        /// MX preference, SRV or SVCB priority.
        preference: u16 = "dns.mx.preference|dns.srv.priority|dns.svcb.svcpriority",
        /// SRV port.
        srv_port: u16 = "dns.srv.port",
        /// SOA primary.
        soa_mname: text = "dns.soa.mname",
        /// SOA mailbox.
        soa_rname: text = "dns.soa.rname",
        /// SOA serial.
        soa_serial: u32 = "dns.soa.serial_number",
        /// SVCB/HTTPS protocols.
        alpn: list_text = "dns.svcb.svcparam.alpn",
        /// SVCB/HTTPS ECH configuration.
        ech: bytes,
    }
}
