//! Table of TeamViewer commands.

use crate::table;

table! {
    /// One row per TeamViewer command over TCP (magic 17 24 or 11 30) or datagram between two peers with that magic.
    pub struct Teamviewer("teamviewer", "message", Network) {
        /// `tcp` or `udp`.
        transport: word,
        /// 0x1724, or 0x1130 from version 10 on.
        magic: u16,
        /// Command octet behind the magic.
        command_code: u8,
        /// Name of the command as the program has it: `cmd_identify`, `cmd_requestconnect`, `cmd_ping`, `cmd_udpping`; null when unknown.
        command: word,
        /// Payload length that the header gives, bytes.
        length_bytes: u32,
        /// Null: names of servers are in `dns` and `tls`, which the report joins.
        server_name: word,
        /// `peer` for datagrams, which go between two users directly; null over TCP, where the commands do not tell who answers.
        role: word,
        /// The payload has more than 7.5 bits of entropy a byte; null for payloads under 512 bytes, which are too short to tell, and over 64 KiB.
        encrypted: bool,
    }
}
