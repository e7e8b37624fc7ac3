//! Table of opcua records.

use crate::table;

table! {
    /// One row per OPC UA TCP message (UA Secure Conversation): HEL, ACK, ERR, RHE, OPN, MSG, CLO; chunks of one message joined, its service decoded where the channel's security mode lets it be read.
    pub struct Opcua("opcua", "message", Network) {
        /// Sent by the TCP originator.
        is_orig: bool,
        /// `HEL`, `ACK`, `ERR`, `RHE`, `OPN`, `MSG`, `CLO`.
        msg_type: word = "opcua.transport.type",
        /// Chunk type of the last chunk: `F`, `A` aborted.
        is_final: text = "opcua.transport.chunk",
        /// Declared size, all chunks.
        msg_size: u32 = "opcua.transport.size",
        /// Chunks joined.
        chunks: u16,
        /// Secure channel.
        sec_channel_id: u32 = "opcua.transport.scid",
        /// Token.
        sec_token_id: u32 = "opcua.security.tokenid",
        /// Sequence number of the last chunk.
        seq_number: u32 = "opcua.security.seq",
        /// Links request and answer.
        request_id: u32 = "opcua.security.rqid",
        /// Answer: frame of the request.
        request_frame: u64,
        /// HEL, ACK protocol version.
        version: u32 = "opcua.transport.ver",
        /// HEL: endpoint asked for.
        endpoint_url: text = "opcua.transport.endpoint",
        /// HEL, ACK.
        rcv_buf_size: u32 = "opcua.transport.rbs",
        /// HEL, ACK.
        snd_buf_size: u32 = "opcua.transport.sbs",
        /// HEL, ACK; 0 no limit.
        max_msg_size: u32 = "opcua.transport.mms",
        /// HEL, ACK.
        max_chunk_count: u32 = "opcua.transport.mcc",
        /// ERR status code, or the ServiceResult when bad.
        error_code: u32 = "opcua.transport.error",
        /// Name of the status code (`BadIdentityTokenRejected`).
        error: text,
        /// ERR text.
        error_reason: word = "opcua.transport.reason",
        /// OPN: URI after `#`: `None`, `Basic128Rsa15`, `Basic256`, `Basic256Sha256`, `Aes128_Sha256_RsaOaep`, `Aes256_Sha256_RsaPss`; remembered for the channel's later rows.
        security_policy: text = "opcua.security.spu",
        /// OPN request: `none`, `sign`, `sign_and_encrypt`; remembered for the channel.
        security_mode: word,
        /// Body not readable.
        encrypted: bool,
        /// OPN: thumbprint of the sender's certificate, computed.
        client_cert_sha1: text,
        /// OPN: subject of the sender's certificate; also filed in the certificates' table.
        client_cert_subject: text,
        /// Binary encoding id of the service (namespace 0).
        service_id: u32 = "opcua.servicenodeid.numeric",
        /// Name without `Request`/`Response`: `GetEndpoints`, `FindServers`, `CreateSession`, `ActivateSession`, `CloseSession`, `Read`, `Write`, `Call`, `Browse`, `BrowseNext`, `CreateSubscription`, `Publish`, `CreateMonitoredItems`, `HistoryRead`, `HistoryUpdate`, `AddNodes`, `DeleteNodes`, `RegisterServer`, ..., `ServiceFault`.
        service: word,
        /// Request rather than answer.
        is_request: bool,
        /// From the request or answer header.
        request_handle: u32 = "opcua.RequestHandle",
        /// Answer: ServiceResult.
        service_result: u32 = "opcua.ServiceResult",
        /// CreateSession.
        session_name: word = "opcua.SessionName",
        /// CreateSession, FindServers, GetEndpoints answer: first.
        application_uri: text = "opcua.ApplicationUri",
        /// CreateSession, GetEndpoints answer: first.
        application_name: word,
        /// As application_uri.
        product_uri: text = "opcua.ProductUri",
        /// CreateSession answer: node id.
        session_id: text,
        /// Authentication token of the request header.
        @secret auth_token: text,
        /// ActivateSession: `anonymous`, `username`, `x509`, `issued_token`.
        identity_type: word,
        /// ActivateSession.
        username: word = "opcua.UserName",
        /// ActivateSession; the encryption algorithm decides whether it is clear.
        @secret password: bytes = "opcua.Password",
        /// ActivateSession: an encryption algorithm was named.
        password_encrypted: bool,
        /// Read, Write, Call, Browse, monitored items: node ids in string form (`ns=2;s=Tank.Level`, `i=2258`).
        node_ids: list_text,
        /// Read, Write, monitored items: 13 is Value.
        attribute_ids: list_u32 = "opcua.AttributeId",
        /// Call: methods.
        method_ids: list_text,
        /// Write request, Read answer, Call arguments: values in text.
        values: list_text,
        /// Answers: one for each item.
        status_codes: list_u32 = "opcua.StatusCode|opcua.StatusCodes",
        /// Items in the request or answer.
        item_count: u32,
        /// GetEndpoints answer: `url mode policy token-types`, space separated.
        endpoints: list_text,
        /// CreateSubscription, Publish, CreateMonitoredItems.
        subscription_id: u32,
        /// CreateSubscription.
        publishing_interval_ms: f64,
        /// `truncated`, `gap`, `bad_size`, `bad_chunk`, `unknown_type`.
        malformed: word,
    }
}
