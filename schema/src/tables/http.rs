//! Tables of HTTP records.

use crate::table;

table! {
    /// One row per HTTP/0.9, 1.0 or 1.1 message: a request, an interim or a final response (RFC 9112). HTTP/2 and 3 are in http2;
    /// http_transactions pairs them. The frame is that of the message's last byte; of a message cut short, that of the end of its head.
    pub struct Http("http", "message", Network) {
        /// A request; else a response.
        is_request: bool,
        /// Number of the transaction on its connection, from 1, in order of the requests; a response has its request's. Null where that order was lost.
        trans_depth: u32,
        /// Method as sent, known or not; null on responses.
        method: word = "http.request.method",
        /// Request target as sent: path and query, absolute URL, authority or `*`; blanks within are kept.
        @bloom uri: text = "http.request.uri",
        /// Host header as sent, port included.
        @bloom host: word = "http.host",
        /// Absolute URL: the target, or scheme, Host and target together; null without Host. For CONNECT, the authority.
        url: text = "http.request.full_uri",
        /// `1.0`, `1.1` or what else stands behind `HTTP/`; `0.9` for a request without a version and its answer, which is a body only.
        version: word,
        /// Status code; null on requests and where three digits are missing.
        status_code: u16 = "http.response.code",
        /// Reason phrase; null if empty.
        status_msg: word = "http.response.phrase",
        /// Response: method of its request.
        request_method: word,
        /// Response: host of its request.
        request_host: word,
        /// Response: target of its request.
        request_uri: text,
        /// Response: frame of its request; null if the request was not captured, or not complete before this response.
        request_frame: u64 = "http.request_in",
        /// Response: milliseconds from the last byte of its request to that of this response.
        response_time_ms: f64,
        /// User-Agent.
        @bloom user_agent: word = "http.user_agent",
        /// Referer.
        referrer: text = "http.referer",
        /// Origin.
        origin: text,
        /// Server.
        server: word = "http.server",
        /// Location.
        location: text = "http.location",
        /// Content-Type as sent.
        content_type: word = "http.content_type",
        /// Content-Length; null if absent or not a number. Of several the last.
        content_length: u64 = "http.content_length",
        /// Content-Encoding as sent; several fields joined by commas.
        content_encoding: word = "http.content_encoding",
        /// Transfer-Encoding as sent; several fields joined by commas.
        transfer_encoding: word = "http.transfer_encoding",
        /// Content-Disposition as sent.
        content_disposition: text,
        /// Name of the file in the body: by Content-Disposition (RFC 6266), by the first named part of a form, else the last path segment, percent-decoded, of what a 2xx response answers or a PUT stores.
        @bloom filename: text,
        /// Bytes of the body as captured, chunk framing taken off; 0 when there is none.
        body_bytes: u64,
        /// Bytes after undoing gzip, deflate and zstd; null with another coding (br, compress), where that failed, or past 100 MiB or 100 times the size.
        body_bytes_decoded: u64,
        /// The body's end was seen and no byte of it is missing.
        body_complete: bool,
        /// Media type by the first decoded bytes, whatever Content-Type says; null if nothing is known.
        body_mime: word,
        /// Shannon entropy, bits a byte, of the first 64 KiB of the body before content decoding; null under 64 bytes.
        body_entropy: f64,
        /// Range as asked for, or Content-Range as sent.
        range: text,
        /// Names in Cookie or Set-Cookie; the values are secret_cookie.
        cookie_names: list_text,
        /// Cookie, or each Set-Cookie, as sent.
        @secret secret_cookie: list_text = "http.cookie|http.set_cookie",
        /// `basic`, `digest`, `bearer`, `ntlm`, `negotiate`, ... of Authorization or Proxy-Authorization; of WWW-Authenticate on responses.
        auth_scheme: word,
        /// User in Basic or Digest.
        username: text,
        /// Authorization or Proxy-Authorization as sent.
        @secret secret_authorization: text = "http.authorization|http.proxy_authorization",
        /// Realm asked for or answered.
        auth_realm: text,
        /// X-Forwarded-For.
        x_forwarded_for: text = "http.x_forwarded_for",
        /// Via, Forwarded, X-Forwarded-*, X-Real-IP, CF-Connecting-IP as `name: value`.
        proxied: list_text,
        /// Upgrade.
        upgrade: word = "http.upgrade",
        /// 101 to websocket, or a request for it.
        websocket: bool,
        /// Header names in order, as sent.
        header_names: list_text,
        /// Their number.
        header_count: u32,
        /// Bytes of start line, headers and empty line on the wire.
        header_bytes: u32,
        /// Of CSP, HSTS, X-Frame-Options, X-Content-Type-Options, Referrer-Policy: those present (responses).
        security_headers: list_text,
        /// JA4H fingerprint of the request (FoxIO).
        ja4h: word,
        /// Number of frames that carried the message.
        frames_spanned: u32,
    }
}

table! {
    /// One row per request with its final response: Zeek's http.log. A view over http and http2.
    pub struct HttpTransactions("http_transactions", "transaction", Network) {
        /// `http`, `http2`, `http3`.
        transport: word,
        /// Decrypted from TLS.
        tls: bool,
        /// As in http; stream id for http2.
        trans_depth: u32,
        /// Method; null if only the response was captured.
        method: word,
        /// Host or :authority.
        host: word,
        /// Target.
        uri: text,
        /// Absolute URL.
        url: text,
        /// Final status; null without response.
        status_code: u16,
        /// Reason.
        status_msg: text,
        /// Request.
        user_agent: text,
        /// Request.
        referrer: text,
        /// Response.
        server: text,
        /// Found in the request body.
        request_mime: text,
        /// Found in the response body.
        response_mime: text,
        /// As declared.
        response_content_type: text,
        /// Bytes.
        request_body_len: u64,
        /// Bytes.
        response_body_len: u64,
        /// As in http, of the response, else of the request.
        filename: text,
        /// As in http.
        username: text,
        /// Frame of the final response.
        response_frame: u64,
        /// Request to final response.
        response_time_ms: f64,
        /// 1xx codes on the way.
        info_codes: list_u16,
    }
}
