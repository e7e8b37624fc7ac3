//! Table of ntlm records.

use crate::table;

table! {
    /// One row per NTLMSSP message, whatever carries it: SMB with or without SPNEGO, HTTP and WinRM in base64, LDAP, DCE/RPC, mail, RDP. An authenticate message's row is written once its outcome is known.
    pub struct Ntlm("ntlm", "message", Network) {
        /// 1 negotiate, 2 challenge, 3 authenticate.
        message_type: u8 = "ntlmssp.messagetype",
        /// `negotiate`, `challenge`, `authenticate`.
        message_type_name: word,
        /// Table name of the protocol it was found in: `smb`, `http`, `ldap`, `dcerpc`, `smtp`, ...
        carrier: word,
        /// Flags as sent.
        negotiate_flags: u32 = "ntlmssp.negotiateflags",
        /// Account; null for an anonymous authenticate.
        @bloom username: word = "ntlmssp.auth.username",
        /// Domain or target of the account.
        domainname: word = "ntlmssp.auth.domain",
        /// Workstation the client names.
        @bloom hostname: word = "ntlmssp.auth.hostname",
        /// Domain in the negotiate message.
        negotiate_domain: word = "ntlmssp.negotiate.domain",
        /// Workstation in the negotiate message.
        negotiate_workstation: word = "ntlmssp.negotiate.callingworkstation",
        /// Target of the challenge.
        target_name: word = "ntlmssp.challenge.target_name",
        /// Server's NetBIOS name.
        server_nb_computer_name: word = "ntlmssp.challenge.target_info.nb_computer_name",
        /// Server's NetBIOS domain.
        server_nb_domain_name: word = "ntlmssp.challenge.target_info.nb_domain_name",
        /// Server's DNS name.
        server_dns_computer_name: word = "ntlmssp.challenge.target_info.dns_computer_name",
        /// Server's DNS domain.
        server_dns_domain_name: word = "ntlmssp.challenge.target_info.dns_domain_name",
        /// Server's forest.
        server_tree_name: word = "ntlmssp.challenge.target_info.dns_tree_name",
        /// Server time in the target info.
        server_ts: time,
        /// Product version of the sender as major.minor.build.
        version: word,
        /// Build number of the sender.
        version_build: u16 = "ntlmssp.version.build_number",
        /// Authenticate: `ntlmv2`, `ntlmv1`, `ntlm2_session` (version 1 hash with extended session security), `lm`, `anonymous`.
        ntlm_version: word,
        /// Authenticate: message integrity code present and not zero.
        mic_present: bool,
        /// Service name the client bound its NTLMv2 response to; null if none.
        target_spn: word = "ntlmssp.ntlmv2_response.target_name",
        /// NTLMv2 response carries a channel binding that is not zero.
        channel_bindings: bool,
        /// Signing negotiated.
        sign: bool = "ntlmssp.negotiatesign",
        /// Sealing negotiated.
        seal: bool = "ntlmssp.negotiateseal",
        /// Key exchange negotiated.
        key_exchange: bool = "ntlmssp.negotiatekeyexch",
        /// Authenticate: outcome told by the carrier (SMB status, HTTP status, LDAP result, RPC fault); null when not seen.
        success: bool,
        /// The carrier's status: `STATUS_LOGON_FAILURE`, `401`, `invalidCredentials`.
        status: word,
        /// Authenticate: frame of its negotiate message.
        negotiate_frame: u64,
        /// Authenticate: frame of its challenge.
        challenge_frame: u64,
        /// Challenge, in hexadecimal.
        @secret server_challenge: text = "ntlmssp.ntlmserverchallenge",
        /// LM response, in hexadecimal.
        @secret lm_response: text = "ntlmssp.auth.lmresponse",
        /// NT response, in hexadecimal.
        @secret nt_response: text = "ntlmssp.auth.ntresponse",
        /// Its length: 24 is version 1, more is version 2.
        nt_response_len: u16,
        /// Crackable form in hashcat's layout for modes 5500 or 5600; null without the challenge.
        @secret hash: text,
    }
}
