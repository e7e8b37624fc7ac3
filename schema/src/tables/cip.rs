//! Table of cip records.

use crate::table;

table! {
    /// One row per CIP service request or answer, wherever it rides: UCMM in SendRRData, connected in SendUnitData (after its 16-bit sequence count), embedded in Unconnected Send or Multiple Service Packet (one row each, parent_service set), and one per implicit I/O datagram (is_io). Embedded rows share the frame; service_index orders them.
    pub struct Cip("cip", "service", Network) {
        /// Order of this service in the frame, 0-based.
        service_index: u16,
        /// `unconnected_send` or `multiple_service_packet` when embedded.
        parent_service: word,
        /// Carrier: `send_rr_data`, `send_unit_data`, `io`.
        enip_command: word,
        /// ENIP session.
        session_handle: u32 = "enip.session",
        /// Connected carrier or I/O connection.
        connection_id: u32,
        /// Response bit (0x80 of the service) clear.
        is_request: bool,
        /// `request` or `response`.
        direction: word,
        /// Connected transport sequence count, before the service code.
        sequence_count: u16 = "cip.seq",
        /// Service with the response bit removed.
        service_code: u8 = "cip.sc",
        /// Its name: `get_attribute_list` 0x03, `reset` 0x05, `start` 0x06, `stop` 0x07, `multiple_service_packet` 0x0A ...; codes from 0x32 take their name from the class (`forward_open`, `read_tag`, `write_tag` ...).
        service: word,
        /// `read`, `write`, `control`, `connection`, `program`, `firmware`, `file`, `identity`, `time`, `other`, `unknown`.
        category: word,
        /// Answer: frame of the request (session plus sender context, or connection plus sequence count).
        request_frame: u64,
        /// General status of answers.
        status_code: u8 = "cip.genstat",
        /// Its name: `success` 0, `connection_failure` 1, `partial_transfer` 6, `service_not_supported` 8 ...
        status: word,
        /// First additional status word.
        extended_status_code: u16 = "cip.addstat",
        /// Its name for class 6 (`ownership_conflict` 0x0106, `connection_in_use` 0x0100, ...).
        extended_status: word,
        /// Request path as text, `class 0x6B/instance 12/attribute 1`, `symbol Program:Main.Tag`, port segments as `port 1,slot 0`.
        path: text,
        /// Request path class.
        class_id: u16 = "cip.class",
        /// ODVA class name; Logix vendor classes: `program` 0x68, `symbol` 0x6B, `template` 0x6C, `logix_controller` 0x8E, `logix_time` 0x8B (wall clock), `non_volatile_storage` 0xA1 (firmware); null when unknown.
        class_name: word,
        /// Request path instance.
        instance_id: u32 = "cip.instance",
        /// Request path attribute, or null.
        attribute_id: u16 = "cip.attribute",
        /// Attribute list services.
        attribute_ids: list_u16,
        /// ANSI symbol path: tag name, members joined with a point, indexes in brackets.
        @bloom symbol: text = "cip.symbol",
        /// Read/Write Tag type (0xC1 BOOL, 0xC2 SINT, 0xC3 INT, 0xC4 DINT, 0xC5 LINT, 0xCA REAL, 0xCB LREAL, 0x02A0 structure).
        data_type_code: u16,
        /// Its name.
        data_type: word,
        /// Read/Write Tag elements.
        element_count: u16,
        /// Scalars read or written, as text, when the type is atomic.
        values: list_text,
        /// Reset: 0 power cycle, 1 factory defaults, 2 factory except communications.
        reset_type: u8 = "cip.reset.type",
        /// Forward Open/Close.
        connection_serial: u16 = "cip.cm.conn_serial_num",
        /// Forward Open/Close.
        originator_vendor_id: u16 = "cip.cm.vendor",
        /// Forward Open/Close.
        originator_serial: u32 = "cip.cm.orig_serial_num",
        /// Forward Open answer.
        o_to_t_connection_id: u32 = "cip.cm.ot_connid",
        /// Forward Open.
        t_to_o_connection_id: u32 = "cip.cm.to_connid",
        /// Requested packet interval.
        o_to_t_rpi_us: u32,
        /// Requested packet interval.
        t_to_o_rpi_us: u32,
        /// Forward Open: 0, 1 (I/O), 2, 3 (explicit).
        transport_class: u8,
        /// `cyclic`, `change_of_state`, `application`.
        trigger: word,
        /// `vendor/type/product rev` of the key segment.
        electronic_key: word,
        /// Implicit I/O datagram (sequenced address item, UDP 2222 as a rule).
        is_io: bool,
        /// Sequenced address item.
        io_sequence: u32 = "enip.cpf.sai.seq",
        /// CIP Safety connection or class 0x39-0x3C.
        is_safety: bool,
        /// Identity object answers.
        identity_vendor_id: u16 = "cip.id.vendor_id",
        /// Identity object answers.
        identity_product_name: word = "cip.id.product_name",
        /// Identity object answers.
        identity_serial: u32 = "cip.id.serial_number",
        /// `major.minor` of Identity object answers.
        identity_revision: word,
        /// Identity status word of Rockwell controllers: `run`, `program`, `remote_run`, `remote_program`, when vendor 1 and device type 14.
        key_position: word,
        /// Service data after the path or status, first 512 octets.
        data: bytes,
        /// Its full length.
        data_len: u32,
        /// `bad_path`, `msp_offsets`, `truncated`; null when sound.
        malformed: word,
    }
}
