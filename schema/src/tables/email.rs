//! Mail messages, whatever carried them.

use crate::table;

table! {
    /// One row per mail message seen in SMTP, IMAP or POP3; a header that was fetched alone counts, with `complete` false.
    pub struct Email("email", "message", Network) {
        /// `smtp`, `lmtp`, `imap` or `pop3`.
        source: word,
        /// SMTP reverse path; null for IMAP and POP3. The empty path is the text <>.
        @bloom envelope_from: word,
        /// SMTP recipients that the server did not refuse.
        envelope_to: list_text,
        /// From header, decoded.
        @bloom from: text = "imf.from",
        /// To addresses.
        to: list_text = "imf.to",
        /// Cc addresses.
        cc: list_text = "imf.cc",
        /// Reply-To header, decoded.
        reply_to: text = "imf.reply_to",
        /// Sender header, decoded.
        sender: text = "imf.sender",
        /// Return-Path header.
        return_path: text = "imf.return_path",
        /// Subject, RFC 2047 decoded.
        @bloom subject: text = "imf.subject",
        /// Message-ID.
        @bloom message_id: text = "imf.message_id",
        /// In-Reply-To.
        in_reply_to: text = "imf.in_reply_to",
        /// Date as sent.
        date_header: text = "imf.date",
        /// X-Mailer or User-Agent header.
        user_agent: word,
        /// X-Originating-IP, else the address of the oldest Received header.
        @bloom originating_ip: word,
        /// Received headers, newest first.
        received: list_text,
        /// Authentication-Results headers (SPF, DKIM, DMARC verdicts), newest first, one a line.
        auth_results: text,
        /// d= of the first DKIM signature.
        @bloom dkim_domain: word,
        /// Of a list or a mass mailing by its own headers (List-Id, List-Unsubscribe, Precedence); null where only other fields were fetched.
        bulk: bool,
        /// Links in text and HTML parts, de-duplicated.
        urls: list_text,
        /// Targets of those links whose own text is an address under another registered domain.
        deceptive_urls: list_text,
        /// Parts with a file name or an attachment disposition.
        attachment_count: u16,
        /// File names, RFC 2231 and RFC 2047 decoded; null entry for a part without one.
        attachment_names: list_sparse_text,
        /// Declared content types, same order.
        attachment_types: list_sparse_text,
        /// Hashes, same order; null entry when the part is not complete.
        attachment_sha256: list_sparse_text,
        /// First 4096 characters of the text part; of the HTML part without its markup if there is no other.
        body_text: text,
        /// Bytes of the message; null where only its header was fetched and the server did not say it.
        size_bytes: u64,
        /// Whole message captured.
        complete: bool,
        /// IMAP mailbox of the message: the selected one, or that which APPEND names.
        mailbox: word,
        /// Mailbox account of the session.
        @bloom username: word,
    }
}
