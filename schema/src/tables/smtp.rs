//! Mail transactions.

use crate::table;

table! {
    /// One row per mail transaction (MAIL FROM to the reply after the body), and one for a connection that held none. Commands and replies in the clear, or decrypted.
    pub struct Smtp("smtp", "transaction", Network) {
        /// Text of the 220 greeting.
        server_banner: word,
        /// Argument of HELO, EHLO or LHLO.
        helo: word,
        /// Client used EHLO.
        esmtp: bool,
        /// Keywords of the EHLO reply.
        capabilities: list_text,
        /// Reverse path without angle brackets; empty path is the text <>.
        @bloom mail_from: word,
        /// Accepted and refused recipients, in order.
        rcpt_to: list_text,
        /// Recipients answered 4xx or 5xx.
        rcpt_refused: list_text,
        /// SIZE= parameter of MAIL FROM.
        size_declared_bytes: u64,
        /// Bytes of the message body as sent (DATA unstuffed, or BDAT chunks summed).
        body_bytes: u64,
        /// Addresses of the Received headers, newest first, then the two endpoints (as Zeek).
        path: list_text,
        /// Last reply code of the transaction.
        last_reply_code: u16 = "smtp.response.code",
        /// Text of that reply.
        last_reply: text,
        /// All reply codes of the transaction in order.
        reply_codes: list_u16 = "smtp.response.code",
        /// Verbs sent, in order.
        commands: list_text = "smtp.req.command",
        /// SASL mechanism (LOGIN, PLAIN, CRAM-MD5, NTLM, XOAUTH2).
        auth_method: word,
        /// True on 235, false on 535 or 534 or 454 or 504; null without AUTH.
        auth_success: bool,
        /// SASL user name, decoded.
        @bloom username: word = "smtp.auth.username",
        /// SASL secret, decoded.
        @secret password: text = "smtp.auth.password",
        /// STARTTLS asked and answered 220.
        starttls: bool,
        /// Server listed STARTTLS.
        starttls_offered: bool,
        /// Commands came before the reply to an earlier one.
        pipelined: bool,
        /// The server answered 250 to the body.
        completed: bool,
        /// From header.
        @bloom from_header: text = "imf.from",
        /// To header addresses.
        to_header: list_text,
        /// Cc header addresses.
        cc_header: list_text,
        /// Subject, RFC 2047 decoded.
        @bloom subject: text = "imf.subject",
        /// Message-ID header.
        @bloom message_id: text = "imf.message_id",
        /// Date header as sent.
        message_date: text = "imf.date",
        /// X-Mailer or User-Agent header.
        user_agent: word,
        /// In-Reply-To header.
        in_reply_to: text = "imf.in_reply_to",
    }
}
