//! Tables of HTTP records.

use crate::table;

table! {
    /// One row per HTTP/0.9, 1.0 or 1.1 message: request or response. HTTP/2 and 3 are in http2. http_transactions pairs them.
    pub struct Http("http", "message", Network) {
        /// Request.
        is_request: bool,
        /// 1-based number of the transaction on this connection, pipelining respected.
        trans_depth: u32,
        /// Method as sent; null on responses.
        method: word = "http.request.method",
        /// Request target as sent.
        @bloom uri: text = "http.request.uri",
        /// Host header as sent, port included.
        @bloom host: word = "http.host",
        /// Absolute URL rebuilt from scheme, host and target.
        url: text = "http.request.full_uri",
        /// `0.9`, `1.0`, `1.1`.
        version: word,
        /// Status; null on requests.
        status_code: u16 = "http.response.code",
        /// Reason phrase.
        status_msg: word = "http.response.phrase",
        /// Response: method of its request.
        request_method: word,
        /// Response: host of its request.
        request_host: word,
        /// Response: target of its request.
        request_uri: text,
        /// Response: frame of its request.
        request_frame: u64 = "http.request_in",
        /// Response: request to this response.
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
        /// Content-Length as sent; null if absent or not a number.
        content_length: u64 = "http.content_length",
        /// Content-Encoding.
        content_encoding: word = "http.content_encoding",
        /// Transfer-Encoding.
        transfer_encoding: word = "http.transfer_encoding",
        /// Content-Disposition as sent.
        content_disposition: text,
        /// Name from Content-Disposition (RFC 6266), multipart part, or last path segment.
        @bloom filename: text,
        /// Body bytes on the wire after chunk decoding; 0 when there is none.
        body_bytes: u64,
        /// After content decoding; null if not decodable.
        body_bytes_decoded: u64,
        /// No gap, and the end was seen.
        body_complete: bool,
        /// Type found in the decoded body.
        body_mime: word,
        /// Bits a byte of the first 64 KiB of body; null under 64 bytes.
        body_entropy: f64,
        /// Range or Content-Range.
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
        /// Start line and headers, bytes.
        header_bytes: u32,
        /// Of CSP, HSTS, X-Frame-Options, X-Content-Type-Options, Referrer-Policy: those present (responses).
        security_headers: list_text,
        /// JA4H of the request.
        ja4h: word,
        /// Frames that carried the message.
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
