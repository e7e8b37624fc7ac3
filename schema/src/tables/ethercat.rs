//! Table of ethercat records.

use crate::table;

table! {
    /// One row per EtherCAT datagram of a frame (Ethertype 0x88A4 or UDP 34980). The frame seen going out and the same frame coming back are both rows; pass tells them apart.
    pub struct Ethercat("ethercat", "datagram", Link) {
        /// VLAN when tagged.
        vlan_id: u16 = "vlan.id",
        /// 1 commands, 4 network variables, 5 mailbox gateway.
        frame_type_code: u8 = "ecatf.type",
        /// Order in the frame.
        datagram_index: u16,
        /// `out` or `return` (working counter counted up, or source MAC with the locally administered bit 0x02 set by the first device); null when unclear.
        pass: text,
        /// Command of the datagram.
        cmd_code: u8 = "ecat.cmd",
        /// `NOP` 0, `APRD` 1, `APWR` 2, `APRW` 3, `FPRD` 4, `FPWR` 5, `FPRW` 6, `BRD` 7, `BWR` 8, `BRW` 9, `LRD` 10, `LWR` 11, `LRW` 12, `ARMW` 13, `FRMW` 14.
        cmd: text,
        /// Index octet.
        idx: u8 = "ecat.idx",
        /// ADP: position (two's complement) for AP commands, configured station address for FP commands.
        slave_address: u16 = "ecat.adp",
        /// ADO: register or memory offset.
        offset: u16 = "ecat.ado",
        /// LRD/LWR/LRW: address.
        logical_address: u32 = "ecat.lad",
        /// Octets of data.
        data_len: u16,
        /// Frame has gone round before.
        circulating: bool,
        /// Another datagram follows.
        more: bool,
        /// Event request field.
        irq: u16,
        /// WKC.
        working_counter: u16 = "ecat.cnt",
        /// Highest WKC this command, address and index class had in the capture.
        expected_wkc: u16,
        /// Name of the register: `type` 0x0000, `station_address` 0x0010, `dl_control` 0x0100, `dl_status` 0x0110, `al_control` 0x0120, `al_status` 0x0130, `al_status_code` 0x0134, `watchdog` 0x0400-0x0443, `eeprom` 0x0500-0x050F, `fmmu` 0x0600, `sync_manager` 0x0800, `dc` 0x0900-0x09FF, `process_data` 0x1000 up.
        register: text,
        /// AL Control or Status, low four bits.
        al_state_code: u8 = "ecat.reg.alctrl.ctrl",
        /// `INIT` 1, `PREOP` 2, `BOOT` 3, `SAFEOP` 4, `OP` 8.
        al_state: word,
        /// Error (status) or error acknowledge (control) bit.
        al_error: bool,
        /// Reason of a refused state change.
        al_status_code: u16 = "ecat.reg.alstatuscode",
        /// Mailbox header type.
        mailbox_type_code: u8 = "ecat_mailbox.type",
        /// `AoE` 1, `EoE` 2, `CoE` 3, `FoE` 4, `SoE` 5, `VoE` 15.
        mailbox_type: word,
        /// `emergency` 1, `sdo_request` 2, `sdo_response` 3, `tx_pdo` 4, `rx_pdo` 5, `sdo_information` 8.
        coe_type: word,
        /// `initiate_download`, `download_segment`, `initiate_upload`, `upload_segment`, `abort`.
        sdo_command: word,
        /// Object index.
        sdo_index: u16 = "ecat_mailbox.coe.sdoidx",
        /// Sub-index.
        sdo_subindex: u8 = "ecat_mailbox.coe.sdosub",
        /// Abort code.
        sdo_abort_code: u32 = "ecat_mailbox.coe.abortcode",
        /// `read` 1, `write` 2, `data` 3, `ack` 4, `error` 5, `busy` 6.
        foe_opcode: text,
        /// File name of read or write.
        foe_filename: text,
        /// A tunnelled Ethernet frame (fragment).
        eoe_frame: bool,
        /// Data, first 64 octets.
        data: bytes,
        /// APWR, APRW, FPWR, FPRW, BWR, BRW, LWR, LRW.
        is_write: bool,
        /// Logical command, or physical access inside a process data sync manager.
        is_process_data: bool,
        /// `length_mismatch`, `truncated`; null when sound.
        malformed: word,
    }
}
