//! `coap`: messages of the Constrained Application Protocol.

use crate::table;

table! {
    /// One row per CoAP message (RFC 7252).
    pub struct Coap("coap", "message", Network) {
        /// What carries it: `udp`.
        transport: word,
        /// 1 (UDP).
        version: u8 = "coap.version",
        /// 0-3 (UDP only).
        type_code: u8 = "coap.type",
        /// `con`, `non`, `ack`, `rst`.
        r#type: word,
        /// Code as one octet.
        code: u8 = "coap.code",
        /// `0.01` ... `5.05`.
        code_text: word,
        /// `get`, `post`, `put`, `delete`, `fetch`, `patch`, `ipatch`; null for answers and empty messages.
        method: word,
        /// Answer class and name (`2.05 content`).
        status: word,
        /// Code class 0, not empty.
        is_request: bool,
        /// Message id (UDP).
        message_id: u16 = "coap.mid",
        /// 0-8 octets.
        token: bytes = "coap.token",
        /// Answer: frame of the request with the same token and endpoints.
        request_frame: u64 = "coap.response_to",
        /// Answer minus request, separate answers included.
        response_time_ms: f64,
        /// Uri-Host.
        uri_host: word = "coap.opt.uri_host",
        /// Uri-Port.
        uri_port: u16 = "coap.opt.uri_port",
        /// Path rebuilt, `/a/b`.
        @bloom uri_path: text,
        /// Uri-Query options.
        uri_query: list_text = "coap.opt.uri_query",
        /// Location-Path (option 8) rebuilt.
        location_path: text,
        /// Proxy-Uri (35).
        proxy_uri: text = "coap.opt.proxy_uri",
        /// Proxy-Scheme (39).
        proxy_scheme: text = "coap.opt.proxy_scheme",
        /// Content-Format (12).
        content_format: u16,
        /// Media type of the content format, as IANA registers it.
        content_format_name: word,
        /// Accept (17).
        accept: u16,
        /// Observe: 0 register, 1 deregister in requests; sequence in notifications.
        observe: u32 = "coap.opt.observe",
        /// ETag (4).
        etag: bytes = "coap.opt.etag",
        /// Block1 or Block2 number.
        block_number: u32 = "coap.opt.block_number",
        /// More blocks follow.
        block_more: bool = "coap.opt.block_mflag",
        /// Octets a block.
        block_size: u16,
        /// Size1 (60) or Size2 (28).
        size: u32,
        /// All options in order.
        option_numbers: list_u16,
        /// First odd-numbered option nobody knows.
        unknown_critical_option: u16,
        /// Object-Security option (9) present: the real code and options are protected.
        oscore: bool,
        /// Payload, first 1024 octets.
        payload: bytes = "coap.payload",
        /// Payload octets; null when none.
        payload_len: u32 = "coap.payload_length",
        /// Payload where it is text or JSON.
        payload_text: text,
        /// Same message id and endpoints within 247 s.
        is_retransmission: bool,
        /// To 224.0.1.187, ff0x::fd or another group.
        is_multicast: bool,
        /// `bad_option`, `token_too_long`, `truncated`, `version`; null when sound.
        malformed: word,
    }
}
