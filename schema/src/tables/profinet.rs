//! Tables of profinet records.

use crate::table;

table! {
    /// One row per PROFINET IO context-management call (PNIO-CM, DCE/RPC connectionless over UDP, 34964 and dynamic ports), request and answer each a row; fragments joined.
    pub struct ProfinetCm("profinet_cm", "message", Network) {
        /// DCE/RPC request.
        is_request: bool,
        /// DCE/RPC packet type.
        packet_type: u8 = "dcerpc.pkt_type",
        /// `request` 0, `ping` 1, `response` 2, `fault` 3, `working` 4, `nocall` 5, `reject` 6, `ack` 7, `cl_cancel` 8, `fack` 9, `cancel_ack` 10.
        packet_type_name: word,
        /// `device` DEA00001, `controller` DEA00002, `supervisor` DEA00003, `parameter_server` DEA00004, `epm` (E1AF8308).
        interface: word,
        /// DCE/RPC interface.
        interface_uuid: text = "dcerpc.dg_if_id",
        /// DCE/RPC object: instance, device id, vendor id.
        object_uuid: text = "dcerpc.obj_id",
        /// DCE/RPC activity.
        activity_uuid: text = "dcerpc.dg_act_id",
        /// DCE/RPC sequence of the activity.
        sequence: u32 = "dcerpc.dg_seqnum",
        /// Operation number.
        operation: u16 = "dcerpc.opnum",
        /// `connect` 0, `release` 1, `read` 2, `write` 3, `control` 4, `read_implicit` 5.
        operation_name: word,
        /// Answer: frame of the request.
        request_frame: u64,
        /// Data representation of the call; PNIO blocks themselves are big endian always.
        big_endian: bool,
        /// Application relation.
        ar_uuid: text = "pn_io.ar_uuid",
        /// `0x0001` IOCAR single, `0x0006` supervisor AR (device access), ...
        ar_type: u16 = "pn_io.ar_type",
        /// `iocar_single`, `iosar` (supervisor), `iocar_rt3`, ...
        ar_type_name: word,
        /// AR session key.
        session_key: u16 = "pn_io.session_key",
        /// connect: CM initiator's name of station.
        station_name: word = "pn_io.cminitiator_station_name",
        /// connect: CM initiator MAC.
        initiator_mac: text = "pn_io.cminitiator_mac_add",
        /// connect: AR property.
        supervisor_takeover: bool = "pn_io.ar_properties.supervisor_takeover_allowed",
        /// read, write: application process identifier.
        api: u32 = "pn_io.api",
        /// read, write.
        slot: u16 = "pn_io.slot_nr",
        /// read, write.
        subslot: u16 = "pn_io.subslot_nr",
        /// read, write: record index.
        index: u16 = "pn_io.index",
        /// `I&M0` 0xAFF0, `I&M1` 0xAFF1, ..., `real_identification_data` 0xF000, `diagnosis` 0x8000-0xF80C, `user 0xNNNN` below 0x8000.
        index_name: word,
        /// read, write.
        record_length: u32 = "pn_io.record_data_length",
        /// control: `prm_begin`, `prm_end`, `application_ready`, `release`, `done`, `ready_for_companion`, `ready_for_rt_class_3`.
        control_command: word,
        /// control.
        control_command_bits: u16 = "pn_io.control_command",
        /// connect: expected submodules as `slot/subslot module submodule` idents in hex.
        modules: list_text,
        /// connect: io relations as `input frame_id=0x8000 len=40 cycle_ms=2`.
        io_cr: list_text,
        /// I&M0 answer.
        order_id: text = "pn_io.order_id",
        /// I&M0 answer.
        im_serial: text = "pn_io.im_serial_number",
        /// I&M0 answer.
        im_vendor_id: u16,
        /// I&M0 answer.
        hw_revision: u16,
        /// I&M0 answer: `V4.2.1`.
        sw_revision: text,
        /// PNIO status: error code.
        error_code: u8 = "pn_io.error_code",
        /// PNIO status: 0x80 PNIORW, 0x81 PNIO.
        error_decode: u8 = "pn_io.error_decode",
        /// PNIO status.
        error_code1: u8 = "pn_io.error_code1",
        /// PNIO status.
        error_code2: u8 = "pn_io.error_code2",
        /// Text; null when the status is 0.
        error: text,
        /// DCE/RPC fault or reject status.
        fault_code: u32,
    }
}

table! {
    /// One row per PROFINET DCP frame (EtherType 0x8892, FrameID 0xFEFC-0xFEFF).
    pub struct ProfinetDcp("profinet_dcp", "message", Link) {
        /// Innermost VLAN id (0 is a priority tag).
        vlan_id: u16,
        /// 0xFEFC hello, 0xFEFD get/set, 0xFEFE identify request, 0xFEFF identify response.
        frame_id: u16 = "pn_rt.frame_id",
        /// 3 get, 4 set, 5 identify, 6 hello.
        service_id: u8 = "pn_dcp.service_id",
        /// `get`, `set`, `identify`, `hello`.
        service: word,
        /// 0 request, 1 response success, 5 response unsupported.
        service_type: u8 = "pn_dcp.service_type",
        /// `request`, `response`, `unsupported`.
        service_type_name: word,
        /// Transaction.
        xid: u32 = "pn_dcp.xid",
        /// Identify request to a multicast.
        response_delay: u16 = "pn_dcp.response_delay",
        /// Every block, in order, as `ip/ip_parameter`, `device/name_of_station`, `device/id`, `control/signal`, `control/factory_reset`, `control/reset_to_factory`, `control/start`, `control/end`, `all/all`, ...
        options: list_text,
        /// Station name asked, answered or set.
        name_of_station: word = "pn_dcp.suboption_device_nameofstation",
        /// Alias.
        name_of_alias: text = "pn_dcp.suboption_device_aliasname",
        /// Address answered or set.
        ip: text = "pn_dcp.suboption_ip_ip",
        /// Mask.
        subnet_mask: text = "pn_dcp.suboption_ip_subnetmask",
        /// Gateway.
        gateway: text = "pn_dcp.suboption_ip_standard_gateway",
        /// Block info says the address is in use twice.
        ip_conflict: bool = "pn_dcp.ip_conflict",
        /// Device id block.
        vendor_id: u16 = "pn_dcp.suboption_vendor_id",
        /// Device id block.
        device_id: u16 = "pn_dcp.suboption_device_id",
        /// Manufacturer specific type of station.
        device_vendor: word = "pn_dcp.suboption_device_devicevendorvalue",
        /// Bit 0 IO-Device, 1 IO-Controller, 2 multidevice, 3 supervisor.
        device_role: u8 = "pn_dcp.suboption_device_role",
        /// Roles by name.
        device_roles: list_text,
        /// Set: block qualifier (0 temporary, 1 permanent; reset kind).
        qualifier: u16 = "pn_dcp.block_qualifier|pn_dcp.block_qualifier_reset",
        /// Set: to be kept over restart.
        permanent: bool,
        /// control/signal set: the 'flash LED' request.
        signal: bool = "pn_dcp.suboption_control_signal_value",
        /// Set answer: 0 ok, 1 option unsupported, 2 suboption unsupported, 3 not set, 4 resource, 5 local reason, 6 in operation.
        block_errors: list_u8 = "pn_dcp.block_error",
        /// Answer: frame of the request with that xid (identify answers: the multicast request).
        request_frame: u64,
    }
}

table! {
    /// One row per PROFINET RT frame other than DCP (EtherType 0x8892): cyclic data, alarms, PTCP synchronisation, fragments. High volume: written in full, read through per-relation aggregates.
    pub struct ProfinetRt("profinet_rt", "frame", Link) {
        /// Innermost VLAN id.
        vlan_id: u16,
        /// VLAN PCP.
        priority: u8,
        /// Frame id.
        frame_id: u16 = "pn_rt.frame_id",
        /// `rtc3` 0x0100-0x0FFF, `rtc1_2_unicast` 0x8000-0xBBFF, `rtc1_multicast` 0xBC00-0xBFFF, `rtc_udp_unicast` 0xC000-0xF7FF, `rtc_udp_multicast` 0xF800-0xFBFF, `alarm_high` 0xFC01, `alarm_low` 0xFE01, `ptcp_sync` 0x0020-0x0082, `ptcp_follow_up` 0xFF20-0xFF21, `ptcp_delay` 0xFF40-0xFF43, `fragment` 0xFF80-0xFF8F, `reserved`.
        frame_class: word,
        /// APDU status: counter in units of 31.25 us.
        cycle_counter: u16 = "pn_rt.cycle_counter",
        /// APDU status.
        data_status: u8 = "pn_rt.ds",
        /// State bit: primary.
        ds_primary: bool = "pn_rt.ds_primary",
        /// Data valid.
        ds_valid: bool = "pn_rt.ds_valid",
        /// Provider runs (operate bit).
        ds_run: bool = "pn_rt.ds_operate",
        /// Station problem indicator: true is normal.
        ds_ok: bool = "pn_rt.ds_ok",
        /// 0 good.
        transfer_status: u8 = "pn_rt.transfer_status",
        /// Cyclic data with IOPS/IOCS, first 64 bytes.
        data: bytes,
        /// Bytes.
        data_len: u16,
        /// Alarm frames.
        alarm_type: u16 = "pn_io.alarm_type",
        /// `diagnosis`, `process`, `pull`, `plug`, `status`, `update`, `controlled_by_supervisor`, `released`, `return_of_submodule`, ...
        alarm_type_name: word,
        /// Alarm frames.
        alarm_slot: u16 = "pn_io.slot_nr",
        /// Alarm frames.
        alarm_subslot: u16 = "pn_io.subslot_nr",
    }
}
