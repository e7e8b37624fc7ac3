//! Table of df1 records.

use crate::table;

table! {
    /// One row per DF1 link frame: serial capture, or DF1 full-duplex or half-duplex bytes carried in TCP or UDP by a device server. The application layer is PCCC.
    pub struct Df1("df1", "frame", Network) {
        /// `serial`, `tcp`, `udp`.
        carrier: word,
        /// `full` or `half`.
        duplex: text,
        /// `data` (DLE STX ... DLE ETX), `poll` (DLE ENQ, or half-duplex poll with station), `ack`, `nak`, `enq`, `eot`.
        symbol: text,
        /// DST node.
        destination: u8,
        /// SRC node.
        source: u8,
        /// CMD, answer bit 0x40 removed.
        command: u8,
        /// CMD bit 0x40 clear.
        is_request: bool,
        /// STS.
        status: u8,
        /// TNS, little endian.
        transaction: u16,
        /// FNC of commands 0x06, 0x07, 0x0F.
        function_code: u8,
        /// As pccc.function.
        function: word,
        /// As pccc.category.
        category: word,
        /// Logical address where decoded.
        point: text,
        /// `bcc` or `crc16`.
        check_kind: word,
        /// BCC (two's complement sum) or CRC-16 (0xA001, DLE stuffing removed, ETX included) right.
        check_ok: bool,
        /// `high`: check right in 3 or more frames of the flow; `medium`: check right once or twice; nothing below that is a row.
        confidence: text,
        /// Data after FNC.
        data: bytes,
    }
}
