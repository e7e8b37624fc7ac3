//! Table of codesys records.

use crate::table;

table! {
    /// One row per CODESYS message recognised: V2 (magic 0xBBBB on TCP 1200, 2455, or any port) and V3 (TCP block driver magic, UDP router datagrams).
    pub struct Codesys("codesys", "message", Network) {
        /// Sent by the originator.
        is_orig: bool,
        /// 2 or 3.
        generation: u8,
        /// `signature` (magic and length agree), `signature_only` (magic seen, rest unknown).
        confidence: text,
        /// The magic bytes.
        magic: bytes,
        /// `little`, `big`: V2 byte order.
        endian: text,
        /// Declared length (V3 block driver) or payload length.
        message_len: u32,
        /// V3 router datagram service byte, when the datagram header is present.
        datagram_type: u8,
        /// V3 channel layer: `block`, `ack`, `keepalive`, `get_info`, `open_channel`, `close_channel`, `0xNN`.
        channel_type: word,
        /// V3.
        channel_id: u16,
        /// V3 services layer: 0xCD55 plain.
        protocol_id: u16,
        /// V3 services layer: component id, response bit removed.
        service_group: u16,
        /// `CmpDevice` 0x01, `CmpApp` 0x02, `CmpVisuServer` 0x04, `CmpLog` 0x05, `CmpSettings` 0x06, `CmpFileTransfer` 0x08, `CmpIecVarAccess` 0x09, `CmpIoMgr` 0x0B, `CmpUserMgr` 0x0C, `CmpTraceMgr` 0x0F, `PlcShell` 0x11, `CmpAppBP` 0x12, `CmpAppForce` 0x13, `CmpMonitor` 0x1B, ...; else `group_0xNN`.
        service_group_name: word,
        /// V3: command in the component.
        service_id: u16,
        /// Only those published; else `service_0xNN`.
        service_name: word,
        /// V3: top bit of the service group.
        is_response: bool,
        /// V3 device session.
        session_id: u32,
        /// V2 identification answer at byte offset 64, NUL-terminated.
        os_name: word,
        /// V2 identification answer at byte offset 96.
        os_version: word,
        /// V2 identification answer at byte offset 128.
        product: text,
        /// V3 name service answer.
        node_name: word,
        /// V3 name service answer.
        device_name: word,
        /// V3 name service answer.
        vendor_name: word,
        /// V3 name service answer.
        firmware_version: word,
    }
}
