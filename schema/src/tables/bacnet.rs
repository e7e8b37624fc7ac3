//! Table of bacnet records.

use crate::table;

table! {
    /// One row per BACnet message: BVLL-only message, network-layer message or APDU, over BACnet/IP on any port, BACnet Ethernet (802.2 LLC 0x82) and MS/TP captures. A segmented APDU gives one row, on the segment that completes it. src/dst are the IP endpoints; for a Forwarded-NPDU the true origin stands in forwarded_ip.
    pub struct Bacnet("bacnet", "message", Network) {
        /// `ip` (BACnet/IP), `ethernet`, `mstp`.
        link: word,
        /// BVLL function.
        bvlc_function_code: u8 = "bvlc.function",
        /// `bvlc_result` 0, `write_bdt` 1, `read_bdt` 2, `read_bdt_ack` 3, `forwarded_npdu` 4, `register_foreign_device` 5, `read_fdt` 6, `read_fdt_ack` 7, `delete_fdt_entry` 8, `distribute_broadcast` 9, `original_unicast_npdu` 10, `original_broadcast_npdu` 11, `secure_bvll` 12.
        bvlc_function: word,
        /// BVLC-Result code; 0 success, 0x0010 write-BDT NAK, 0x0020 read-BDT NAK, 0x0030 register NAK, 0x0040 read-FDT NAK, 0x0050 delete NAK, 0x0060 distribute NAK.
        bvlc_result_code: u16 = "bvlc.result",
        /// Forwarded-NPDU: address the message came from.
        @bloom forwarded_ip: word = "bvlc.fwd_ip",
        /// Forwarded-NPDU: port it came from.
        forwarded_port: u16 = "bvlc.fwd_port",
        /// Register-Foreign-Device time to live.
        foreign_ttl_s: u16 = "bvlc.reg_ttl",
        /// BDT or FDT entries as `ip:port/mask` or `ip:port ttl remaining`.
        bdt_entries: list_text,
        /// NPDU destination network; 65535 is global broadcast.
        dnet: u16 = "bacnet.dnet",
        /// NPDU destination MAC in hex; null with length 0 (broadcast on dnet).
        dadr: word,
        /// NPDU source network (the sender sits behind a router).
        snet: u16 = "bacnet.snet",
        /// NPDU source MAC in hex.
        sadr: word,
        /// Present when dnet is.
        hop_count: u8 = "bacnet.hopc",
        /// 0 normal, 1 urgent, 2 critical equipment, 3 life safety.
        npdu_priority: u8,
        /// NPDU control bit 2.
        expecting_reply: bool = "bacnet.control_expect",
        /// Network-layer message type; no APDU then.
        network_message_code: u8 = "bacnet.mesgtyp",
        /// `who_is_router_to_network` 0, `i_am_router_to_network` 1, `i_could_be_router` 2, `reject_message_to_network` 3, `router_busy` 4, `router_available` 5, `initialize_routing_table` 6, `initialize_routing_table_ack` 7, `establish_connection` 8, `disconnect_connection` 9, `challenge_request` 10, ..., `what_is_network_number` 18, `network_number_is` 19.
        network_message: word,
        /// APDU type, high nibble of the first octet.
        pdu_type_code: u8 = "bacapp.type",
        /// `confirmed_request` 0, `unconfirmed_request` 1, `simple_ack` 2, `complex_ack` 3, `segment_ack` 4, `error` 5, `reject` 6, `abort` 7; `npdu` for network messages, `bvlc` for BVLL-only messages.
        pdu_type: word,
        /// Confirmed or unconfirmed service choice, as pdu_type says.
        service_code: u8,
        /// Service choice in confirmed requests and their answers.
        confirmed_service_code: u8 = "bacapp.confirmed_service",
        /// Service choice of unconfirmed requests.
        unconfirmed_service_code: u8 = "bacapp.unconfirmed_service",
        /// Service name in snake_case: `read_property` 12, `write_property` 15, `reinitialize_device` 20 ...; unconfirmed `i_am` 0, `who_is` 8 ...
        pdu_service: word,
        /// `discovery`, `read`, `write`, `control`, `file_read`, `file_write`, `object_lifecycle`, `alarm`, `cov`, `time`, `routing`, `bbmd`, `private`, `answer`.
        category: word,
        /// Confirmed or unconfirmed request.
        is_request: bool,
        /// Confirmed requests and their answers.
        invoke_id: u8 = "bacapp.invoke_id",
        /// Answer: frame of the request with this invoke id between these stations.
        request_frame: u64,
        /// Segments that make up the message; null when not segmented.
        segment_count: u32,
        /// Confirmed request: largest APDU accepted.
        max_apdu: u16,
        /// Device instance that an announcement or notification names.
        device_instance: u32,
        /// I-Am vendor id, or vendor of a private transfer.
        vendor_id: u16 = "bacapp.vendor_identifier",
        /// Who-Is lower bound.
        who_is_low: u32 = "bacapp.who_is.low_limit",
        /// Who-Is upper bound.
        who_is_high: u32 = "bacapp.who_is.high_limit",
        /// Name in a Who-Has or I-Have; else the first object's, where its object-name was read or written.
        object_name: word = "bacapp.object_name",
        /// First object's type name (`analog_output`, `device`, ...).
        object_type: word,
        /// First object's type number.
        object_type_code: u16 = "bacapp.objectType",
        /// First object's instance; 4194303 is the wildcard.
        instance_number: u32 = "bacapp.instance_number",
        /// First property.
        property_id: u32 = "bacapp.property_identifier",
        /// First property's name (`present_value`, `object_list`, ...).
        property: word,
        /// First property's array index.
        array_index: u32,
        /// All object/property pairs, `type,instance property[index]`.
        points: list_text,
        /// First value read or written, as text.
        value: text,
        /// All values, same order as points; of I-Am-Router-To-Network the networks that are reached.
        values: list_text,
        /// WriteProperty priority 1-16; null means 16.
        write_priority: u8,
        /// WriteProperty with the Null value: releases a priority slot.
        is_relinquish: bool,
        /// ReinitializeDevice: `coldstart`, `warmstart`, `start_backup`, `end_backup`, `start_restore`, `end_restore`, `abort_restore`, `activate_changes`.
        device_state: word,
        /// DeviceCommunicationControl: `enable`, `disable`, `disable_initiation`.
        communication_state: word,
        /// DeviceCommunicationControl: minutes; null is until told otherwise.
        time_duration_min: u16,
        /// Password of ReinitializeDevice or DeviceCommunicationControl.
        @secret password: text,
        /// Atomic file services: file object.
        file_instance: u32,
        /// Atomic file services: position or record.
        file_start: i32,
        /// Atomic file services: octets carried.
        file_bytes: u32,
        /// Error answer: class name.
        error_class: word,
        /// Error answer: code name.
        error_code: word,
        /// Error class number.
        error_class_code: u32 = "bacapp.error_class",
        /// Error code number.
        error_code_value: u32 = "bacapp.error_code",
        /// Reject reason number.
        reject_reason: u8 = "bacapp.reject_reason",
        /// Abort reason number.
        abort_reason: u8 = "bacapp.abort_reason",
        /// Name of the error, reject or abort reason.
        result_code: word,
        /// Event notifications: state gone to.
        event_state: word,
        /// `bad_length`, `bad_tag`, `truncated`; null when sound.
        malformed: word,
        /// APDU octets after reassembly.
        apdu_len: u32,
    }
}
