//! Table of syslog records.

use crate::table;

table! {
    /// One row per syslog message over UDP or TCP (octet counted or line ended, RFC 6587), one datagram or segment may hold many.
    pub struct Syslog("syslog", "message", Network) {
        /// udp, tcp or tls (decrypted).
        proto: text,
        /// PRI value, 0 to 191; null when missing.
        priority: u16,
        /// PRI / 8.
        facility_code: u8 = "syslog.facility",
        /// kern, user, mail, daemon, auth, syslog, lpr, news, uucp, cron, authpriv, ftp, ntp, audit, alert, clock, local0..local7.
        facility: text,
        /// PRI mod 8.
        severity_code: u8 = "syslog.level",
        /// emerg, alert, crit, err, warning, notice, info, debug.
        severity: word,
        /// rfc3164, rfc5424, cisco, or raw.
        format: text,
        /// RFC 5424 version.
        version: u8 = "syslog.version",
        /// Timestamp text as sent.
        timestamp: text,
        /// Same, where it has a zone (RFC 5424).
        timestamp_utc: time,
        /// HOSTNAME.
        hostname: text = "syslog.hostname",
        /// APP-NAME, or the RFC 3164 tag.
        app_name: word = "syslog.appname",
        /// PROCID, or the number in the tag brackets.
        proc_id: text = "syslog.procid",
        /// MSGID, or the %FAC-SEV-MNEMONIC code of a Cisco message.
        msg_id: text = "syslog.msgid",
        /// RFC 5424 structured data, as sent.
        structured_data: text,
        /// Free text.
        message: text = "syslog.msg",
        /// datagram, octet_counting or non_transparent.
        framing: word,
        /// Bytes of this message.
        bytes: u32,
    }
}
