//! Logins and what proves them.

use crate::table;

table! {
    /// One row per credential or authenticator seen, from every protocol: passwords, tokens, and challenge-response material that can be cracked.
    pub struct Credentials("credentials", "credential", Network) {
        /// Table name: `ftp`, `http`, `pop3`, `imap`, `smtp`, `telnet`, `ldap`, `snmp`, `socks`, `sip`, `ntlm`, `kerberos`, `rdp`, `vnc`, `mysql`, `postgresql`, `redis`, `mqtt`, `radius`, `irc`, `xmpp`, `rlogin`, `rsync`, `amqp`, `mongodb`, `tds`, `s7comm`, `modbus` (UMAS), ...
        protocol: word,
        /// `password`, `basic`, `digest`, `bearer`, `cookie`, `form`, `community`, `api_key`, `hash`, `cram`, `apop`, `ticket`, `anonymous`, `private_key`.
        kind: word,
        /// Account as sent; null if the protocol has none.
        @bloom username: word,
        /// Domain, realm or database.
        domain: word,
        /// The secret in clear; null for hashes.
        @secret secret: text,
        /// Opaque id, equal for equal secrets within a lake (keyed hash, key made per lake and kept there): lets reuse be counted while redacted. Never a plain hash: short secrets could be guessed.
        secret_id: text,
        /// Characters of the secret.
        @secret secret_length: u32,
        /// Line for a cracker, in hashcat's form.
        @secret hash_line: text,
        /// hashcat mode of hash_line.
        hashcat_mode: u32,
        /// Host, URL, realm, SPN or database it was presented to.
        service: word,
        /// The carrying connection was TLS (decrypted by us).
        encrypted: bool,
        /// `success`, `failure`, `unknown`, from the server's answer.
        outcome: word,
        /// Frame of that answer.
        outcome_frame: u64,
        /// Frame that carried the user name, if another.
        username_frame: u64,
        /// Where it stood: header, form field, query parameter, command.
        field: text,
    }
}
