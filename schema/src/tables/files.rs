//! Files in transfer.

use crate::table;

table! {
    /// One row per file seen in transfer or carved from a stream.
    pub struct Files("files", "file", Network) {
        /// Where it came from: `http`, `smb`, `ftp-data`, `smtp`, `imap`, `pop3`, `tftp`, `nfs`, `dicom`, `umas`, `s7comm`, `carve`.
        source: word,
        /// Name as the protocol gave it, unaltered.
        @bloom filename: text,
        /// Type the protocol declared.
        declared_mime: word,
        /// Type detected from content.
        mime: word,
        /// Bytes seen.
        size_bytes: u64,
        /// Size the protocol announced.
        total_bytes: u64,
        /// No byte is missing.
        complete: bool,
        /// Lower-case hex; null when incomplete.
        @bloom md5: text,
        /// As md5.
        @bloom sha1: text,
        /// As md5.
        @bloom sha256: text,
        /// Bits a byte.
        entropy: f64,
        /// What stands out in the content: `encrypted` (an archive that asks for a password), `packed` (a program), `macros` and `active_content` (a document), `trailing_data` and `embedded_file` (a picture).
        marks: list_text,
        /// `upload` (originator to responder) or `download`.
        direction: word,
        /// Byte offset in the reassembled stream, for re-extraction.
        stream_offset: u64,
    }
}
