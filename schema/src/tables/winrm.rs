//! Table of winrm records.

use crate::table;

table! {
    /// One row per WS-Management exchange (HTTP request with its response), decoded from SOAP when it is readable, else from the HTTP envelope.
    pub struct Winrm("winrm", "request/response pair", Network) {
        /// HTTP status of the response.
        status_code: u16 = "http.response.code",
        /// Request URI.
        uri: text = "http.request.uri",
        /// Host header.
        host: word = "http.host",
        /// Client program.
        user_agent: word = "http.user_agent",
        /// multipart/encrypted body (SPNEGO or Kerberos message protection) or TLS.
        encrypted: bool,
        /// http or https.
        transport: word,
        /// basic, negotiate, kerberos, ntlm, credssp, certificate.
        auth_scheme: text,
        /// From Basic, NTLM type 3 or Kerberos.
        username: word,
        /// Basic only.
        @secret password: text,
        /// Domain.
        domain: word,
        /// NTLM workstation.
        hostname: text,
        /// Last part of the WS-Addressing action: create, command, send, receive, signal, delete, enumerate, pull, get, put, subscribe, identify.
        action: text,
        /// Whole action.
        action_uri: text,
        /// e.g. shell/cmd, shell/Microsoft.PowerShell, wmi/root/cimv2/Win32_Process.
        resource_uri: text,
        /// Shell GUID.
        shell_id: text,
        /// Command GUID.
        command_id: text,
        /// wsa:MessageID.
        message_id: text,
        /// Command line with its arguments, joined by blanks.
        command: word,
        /// Decoded output, first 4096 characters.
        stdout: text,
        /// Decoded error output.
        stderr: text,
        /// Exit code of the command.
        exit_code: i32,
        /// Filter of an enumerate.
        wql: text,
        /// Script text in a PSRP create-pipeline message.
        psrp_script: text,
        /// SOAP or WSMan fault code and text.
        fault: text,
        /// MaxEnvelopeSize.
        max_envelope_bytes: u32,
        /// Body bytes.
        request_bytes: u64,
        /// Body bytes.
        response_bytes: u64,
    }
}
