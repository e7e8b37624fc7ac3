//! Tables of http2 records.

use crate::table;

table! {
    /// One row per HTTP/2 or HTTP/3 header block that opens a request or a response (or trailers), cleartext or decrypted.
    pub struct Http2("http2", "message", Network) {
        /// `2` or `3`.
        version: word,
        /// `prior_knowledge`, `h2c` (Upgrade), `alpn`.
        upgrade: text,
        /// Stream of this header block.
        stream_id: u64,
        /// Carries :method.
        is_request: bool,
        /// `request`, `response`, `informational`, `trailers`, `push_promise`.
        kind: word,
        /// :method.
        method: word = "http2.headers.method",
        /// :scheme.
        scheme: text = "http2.headers.scheme",
        /// :authority.
        authority: text = "http2.headers.authority",
        /// :path.
        path: text = "http2.headers.path",
        /// :protocol of extended CONNECT.
        protocol: word,
        /// host header where sent besides :authority.
        host: word,
        /// :status.
        status_code: u16 = "http2.headers.status",
        /// user-agent.
        user_agent: word = "http2.headers.user_agent",
        /// referer.
        referrer: text = "http2.headers.referer",
        /// server.
        server: text = "http2.headers.server",
        /// location.
        location: text = "http2.headers.location",
        /// content-type.
        content_type: word = "http2.headers.content_type",
        /// content-length.
        content_length: u64 = "http2.headers.content_length",
        /// content-encoding.
        content_encoding: text = "http2.headers.content_encoding",
        /// cookie or set-cookie; several joined by `; `.
        @secret secret_cookie: text,
        /// authorization.
        @secret secret_authorization: text = "http2.headers.authorization",
        /// Service of a gRPC path.
        grpc_service: word,
        /// grpc-status of trailers.
        grpc_status: u16,
        /// All names in order, pseudo-headers included.
        header_names: list_text,
        /// Decoded size by RFC 9113 (name + value + 32 each).
        header_bytes: u32,
        /// HPACK bytes on the wire.
        block_bytes: u32,
        /// DATA bytes that followed on the stream in this direction.
        body_bytes: u64,
        /// END_STREAM seen and no gap.
        body_complete: bool,
        /// Response: frame of its request.
        request_frame: u64,
        /// Response: request to this block.
        response_time_ms: f64,
        /// Midstream or gap: dynamic-table entries could not be resolved; their headers are missing.
        hpack_lost: bool,
    }
}

table! {
    /// One row per HTTP/2 frame: for abuse and for debugging.
    pub struct Http2Frames("http2_frames", "frame", Network) {
        /// Frame type.
        r#type: u8 = "http2.type",
        /// `DATA`, `HEADERS`, `PRIORITY`, `RST_STREAM`, `SETTINGS`, `PUSH_PROMISE`, `PING`, `GOAWAY`, `WINDOW_UPDATE`, `CONTINUATION`, `ALTSVC`, `ORIGIN`, `TYPE-N`.
        type_name: word,
        /// Stream.
        stream_id: u32 = "http2.streamid",
        /// Payload length.
        length: u32 = "http2.length",
        /// Flags.
        flags: u8 = "http2.flags",
        /// END_STREAM on DATA or HEADERS.
        end_stream: bool,
        /// ACK on SETTINGS or PING.
        ack: bool,
        /// `ID=value` in order.
        settings: list_text,
        /// RST_STREAM or GOAWAY.
        error_code: u32 = "http2.rst_stream.error|http2.goaway.error",
        /// Its name: `NO_ERROR`, `PROTOCOL_ERROR`, `CANCEL`, ...
        error: text,
        /// GOAWAY.
        last_stream_id: u32 = "http2.goaway.last_stream_id",
        /// GOAWAY debug data as text.
        debug_data: text,
        /// WINDOW_UPDATE.
        window_increment: u32 = "http2.window_update.window_size_increment",
    }
}
