//! What is written in clear-text payload: strings, encoded tokens, PowerShell.

use crate::table;

table! {
    /// One row per encoded token or secret in the clear-text payload of a stream, a datagram or a body, with what it decodes to. Feeds secrets, obfuscation and ctf.
    pub struct EncodedStrings("encoded_strings", "token", Network) {
        /// `base64`, `base64url`, `base32`, `hex`, `urlencoded`, `jwt`, `utf16_base64`, `gzip_base64`, `xor`; null for a secret that is not encoded.
        encoding: word,
        /// Every step undone, outermost first: `base64`, `gzip`.
        chain: list_text,
        /// Where it stood: `http_header:authorization`, `http_query`, `http_body`, `cookie`, `smtp_body`, `smb_file`, `stream`.
        context: word,
        /// Parameter, header or key next to it.
        key_name: word,
        /// Byte offset in the stream of that direction, in the datagram or in the body.
        stream_offset: u64,
        /// Length as encoded.
        token_len: u32,
        /// First 64 characters.
        @secret token_prefix: text,
        /// SHA-256 of the whole token, to count repeats; null for a secret in clear, which it would let be guessed.
        token_sha256: text,
        /// Length decoded.
        decoded_len: u32,
        /// Decoded text up to 1024 characters, null when binary.
        @secret decoded_text: text,
        /// Type of the decoded bytes: `text/plain`, `application/x-dosexec`, `application/gzip`, `application/octet-stream`.
        decoded_mime: word,
        /// Bits a byte, decoded.
        decoded_entropy: f64,
        /// Share of printable characters, decoded.
        printable_ratio: f64,
        /// What it is, where a pattern says: `basic_auth`, `jwt`, `aws_access_key`, `private_key`, `password_parameter`, `api_key`, `bearer_token`, `session_cookie`; null when just encoded.
        secret_kind: word,
        /// JWT: algorithm.
        jwt_alg: word,
        /// JWT: iss.
        jwt_issuer: text,
        /// JWT: sub.
        jwt_subject: text,
        /// JWT: exp.
        jwt_expires: time,
        /// The stream was decrypted with given keys; false for clear text.
        encrypted_carrier: bool,
    }
}

table! {
    /// One row per PowerShell command line, script or remoting message seen in clear (or decrypted): in HTTP requests and bodies, files of any protocol, WinRM and PSRP shells, arguments of services and tasks, mail, telnet and other shells.
    pub struct Powershell("powershell", "script", Network) {
        /// Table the text was found in: `http`, `files`, `winrm`, `dcerpc`, `email`, `stream`.
        source: word,
        /// `command_line`, `script`, `psrp_pipeline`, `psrp_output`, `user_agent`.
        kind: word,
        /// Text as found, up to 4096 characters.
        command: text,
        /// After -EncodedCommand (UTF-16LE base64), FromBase64String, gzip and deflate were undone.
        decoded_command: text,
        /// Steps undone.
        decode_chain: list_text,
        /// Switches given, by full name whatever the abbreviation: `EncodedCommand`, `ExecutionPolicy:Bypass`, `WindowStyle:Hidden`, `NoProfile`, `NonInteractive`, `Version:2`.
        flags: list_text,
        /// `iex`, `download_cradle`, `amsi_bypass`, `reflection_load`, `shellcode_api`, `credential_access`, `ad_recon`, `persistence`, `defender_tamper`, `obfuscated_syntax`, `log_tamper`, `remote_execution`.
        indicators: list_text,
        /// URLs in the command, decoded or not.
        urls: list_text,
        /// Hosts and addresses named (-ComputerName, URLs).
        hosts: list_text,
        /// WindowsPowerShell/x.y of the request, where it is the sign.
        user_agent: word,
        /// Script file's name.
        filename: text,
        /// Hash of the script as carried; joins `files`.
        sha256: text,
        /// Characters.
        length: u32,
        /// Bits a character of the text as found.
        entropy: f64,
    }
}

table! {
    /// One row per string that is worth reading, once a direction of a flow or a body: indicators by kind, flags of capture-the-flag games, and a bounded number of plain strings.
    pub struct Strings("strings", "string", Network) {
        /// `url`, `email`, `domain`, `ip`, `path`, `unc`, `hash`, `key`, `credential`, `command`, `flag`, `flag_placeholder`, `text`.
        kind: word,
        /// The string; of a secret only what names it.
        value: text,
        /// The whole string, where it holds a secret.
        @secret secret: text,
        /// `ascii` (which is UTF-8 as well), `utf16le`.
        encoding: word,
        /// Steps undone to find it, outermost first: `base64`, `gzip`.
        chain: list_text,
        /// Where it stood, as in `encoded_strings`.
        context: word,
        /// Byte offset in the stream of that direction, in the datagram or in the body.
        stream_offset: u64,
        /// File it stood in.
        filename: text,
        /// Characters.
        length: u32,
    }
}

table! {
    /// One row per direction of a flow, and per body, whose text was read for the tables `strings`, `encoded_strings` and `powershell`. Streams that are encrypted, or whose text the decoder has in typed columns, are not read.
    pub struct TextScans("text_scans", "direction", Network) {
        /// Where the text stood: `stream`, `http_body`, `smb_file`.
        context: word,
        /// Bytes read.
        read_bytes: u64,
        /// Runs of six printable characters or more.
        runs: u32,
        /// There was more than is read or kept of one direction.
        limited: bool,
    }
}
