//! FTP: the control connection line by line, and what was transferred.

use crate::table;

table! {
    /// One row per FTP control line: a command, or a whole (multi-line) reply.
    pub struct Ftp("ftp", "message", Network) {
        /// Command from the client.
        is_request: bool = "ftp.request",
        /// Verb, upper case; null on replies.
        command: word = "ftp.request.command",
        /// Argument as sent; null for PASS and ACCT, whose value is in secret_arg.
        arg: text,
        /// Argument of PASS or ACCT.
        @secret secret_arg: text,
        /// Three-digit code; null on commands.
        reply_code: u16 = "ftp.response.code",
        /// Reply text; lines joined by a line feed.
        reply_msg: text,
        /// Reply: command it answers.
        answers_command: word,
        /// Reply: that command's argument; null for PASS and ACCT.
        answers_arg: text,
        /// Reply: frame of that command.
        request_frame: u64,
        /// Name given by the last USER on this connection.
        @bloom user: word,
        /// A 230 or 232 came before this line.
        authenticated: bool,
        /// Working directory as far as CWD, CDUP, PWD replies tell.
        cwd: word,
        /// Lines that set up a data connection: PASV, EPSV and their replies true, PORT, EPRT false.
        passive: bool,
        /// Address in PORT, EPRT, 227; server address for 229.
        data_ip: ip = "ftp.passive.ip|ftp.active.cip|ftp.eprt.ip|ftp.eprt.ipv6|ftp.epsv.ip|ftp.epsv.ipv6",
        /// Port in PORT, EPRT, 227, 229.
        data_port: u16 = "ftp.passive.port|ftp.active.port|ftp.eprt.port|ftp.epsv.port",
        /// data_ip is neither the sender's address nor, behind NAT, a private twin of it.
        data_ip_differs: bool,
    }
}

table! {
    /// One row per FTP data connection tied to its command (Zeek's ftp.log view).
    pub struct FtpTransfers("ftp_transfers", "transfer", Network) {
        /// Flow of the data connection.
        data_flow_id: u64,
        /// `RETR`, `STOR`, `STOU`, `APPE`, `LIST`, `NLST`, `MLSD`.
        command: word,
        /// Argument of the command.
        arg: text,
        /// cwd and arg joined.
        path: text,
        /// Account.
        @bloom user: word,
        /// Server listens.
        passive: bool,
        /// Who opened the data connection.
        data_src_ip: ip,
        /// Who listened.
        data_dst_ip: ip,
        /// Listening port.
        data_dst_port: u16,
        /// `upload`, `download`, `listing`.
        direction: word,
        /// Bytes seen.
        size_bytes: u64,
        /// Size in a 150 reply, SIZE or ALLO.
        announced_bytes: u64,
        /// `ascii`, `image`, `ebcdic`.
        transfer_type: word,
        /// REST before it.
        restart_offset: u64,
        /// Final code (226, 250, 426, 451, 550 ...).
        reply_code: u16,
        /// Its text.
        reply_msg: text,
        /// First to last data byte.
        duration_s: f64,
        /// Type found in the content.
        mime: word,
        /// Hash of the content when complete; joins with files.
        @bloom sha256: text,
        /// PROT P: content is not visible.
        tls: bool,
    }
}
