//! Tables of s7comm records.

use crate::table;

table! {
    /// One row per S7 PDU after TPKT/COTP reassembly: classic S7comm (protocol id 0x32) decoded, S7comm-plus (0x72) and its 0xFE keep-alive kin identified by header. Item lists of variable services are in `s7comm_items`.
    pub struct S7comm("s7comm", "message", Network) {
        /// `s7comm` (0x32) or `s7comm_plus` (0x72).
        protocol: word,
        /// Sent by the TCP originator.
        is_orig: bool,
        /// Calling TSAP of the COTP connection, hex (`0100`); null when the CR/CC was not captured.
        tsap_src: word,
        /// Called TSAP, hex; S7: first byte connection type (01 PG, 02 OP, 03 S7 basic), second rack*32+slot.
        tsap_dst: word,
        /// From the called TSAP.
        rack: u8,
        /// From the called TSAP.
        slot: u8,
        /// 1 job, 2 ack, 3 ack_data, 7 userdata.
        rosctr_code: u8 = "s7comm.header.rosctr",
        /// `job`, `ack`, `ack_data`, `userdata`.
        rosctr_name: word,
        /// Links request and answer.
        pdu_reference: u16 = "s7comm.header.pduref",
        /// Answer: frame of the request with the same reference on this connection.
        request_frame: u64,
        /// Job, ack_data: parameter function; null for userdata.
        function_code: u8 = "s7comm.param.func",
        /// Its name: `setup_communication` 0xF0, `read_variable` 0x04, `write_variable` 0x05, `request_download` 0x1A, `upload` 0x1E, `plc_control` 0x28, `plc_stop` 0x29 ...
        function_name: word,
        /// Userdata: 4 request, 8 answer, 0 push.
        userdata_type: u8 = "s7comm.param.userdata.type",
        /// Userdata group.
        function_group: u8 = "s7comm.param.userdata.funcgroup",
        /// `mode_transition` 0, `programmer_commands` 1, `cyclic_data` 2, `block_functions` 3, `cpu_functions` 4, `security` 5, `pbc` 6, `time_functions` 7, `nc_programming` 15.
        function_group_name: word,
        /// Userdata subfunction.
        subfunction_code: u8 = "s7comm.param.userdata.subfunc",
        /// Its name in the group: `read_szl`, `list_blocks`, `plc_password`, `set_clock` ...
        subfunction_name: word,
        /// Userdata sequence.
        sequence: u8 = "s7comm.param.userdata.seq_num",
        /// Userdata answer: no fragment follows.
        last_data_unit: bool = "s7comm.param.userdata.lastdataunit",
        /// Header error class of ack and ack_data.
        error_class: u8 = "s7comm.header.errcls",
        /// Header error code.
        error_code: u8 = "s7comm.header.errcod",
        /// Error of a userdata answer or of an acknowledgement: class and code together (0xD602 password, 0x8104 not supported, 0xD401 SZL unknown ...).
        param_error_code: u16 = "s7comm.param.errcod",
        /// Text of the error; null for none.
        error: word,
        /// setup_communication: negotiated PDU size.
        pdu_length: u16 = "s7comm.param.pdu_length",
        /// setup_communication.
        max_amq_calling: u16 = "s7comm.param.maxamq_calling",
        /// setup_communication.
        max_amq_called: u16 = "s7comm.param.maxamq_called",
        /// Variable services.
        item_count: u8 = "s7comm.param.itemcount",
        /// read_szl.
        szl_id: u16 = "s7comm.data.userdata.szl_id",
        /// Its name: `module_identification` 0x0011, `component_identification` 0x001C, `operating_mode` 0x0424 ...
        szl_id_name: word,
        /// read_szl.
        szl_index: u16 = "s7comm.data.userdata.szl_index",
        /// SZL 0x0011 answer, index 1: `6ES7 ...`.
        order_number: word,
        /// SZL 0x001C: name of the module.
        module_name: word,
        /// SZL 0x001C: plant designation.
        plant_id: word,
        /// SZL 0x001C: name of the automation system.
        plc_name: word,
        /// SZL 0x001C: serial number of the module.
        @bloom serial_number: word,
        /// SZL 0x0011: version of the basic firmware (`V2.6.0`).
        firmware: word,
        /// SZL 0x0424 answer or mode transition: `run`, `stop`, `startup`, `hold`, `defect`.
        operating_mode: word,
        /// `OB` 08, `DB` 0A, `SDB` 0B, `FC` 0C, `SFC` 0D, `FB` 0E, `SFB` 0F.
        block_type: word = "s7comm.data.blockcontrol.block_type",
        /// Block.
        block_number: u32 = "s7comm.data.blockcontrol.block_number",
        /// `_0A00001P` as sent.
        block_filename: text = "s7comm.param.blockcontrol.filename",
        /// `P` passive (loaded, not linked), `A` active, `B` both.
        destination_filesystem: word = "s7comm.data.blockcontrol.dest_filesys",
        /// Upload session.
        upload_id: u32 = "s7comm.data.blockcontrol.uploadid",
        /// Announced length: load memory bytes.
        block_length: u32 = "s7comm.data.blockcontrol.loadmem_len",
        /// Announced MC7 code bytes.
        mc7_length: u32 = "s7comm.data.blockcontrol.mc7code_len",
        /// plc_control, plc_stop: `P_PROGRAM`, `_INSE` (activate block), `_DELE`, `_GARB` (compress), `_MODU` (RAM to ROM), `_OVERALL`, ... as sent.
        pi_service: word = "s7comm.param.pistart.servicename",
        /// plc_control: blocks by name (`DB1`), or the argument as sent (`P_PROGRAM` with `C ` restarts cold, with none warm).
        pi_argument: word = "s7comm.param.pistart.argument",
        /// time functions: date and time carried (local PLC time, kept as if UTC).
        clock: time = "s7comm.data.ts",
        /// S7comm-plus: protocol version byte (1 connect, 2 S7-1200 V4/1500 early, 3 with integrity, 0xFE keep-alive, 0xFF system).
        plus_version: u8,
        /// S7comm-plus: header data length.
        plus_length: u16,
        /// S7comm-plus: 0x31 request, 0x32 response, 0x33 notification, 0x02 second response form; null in the later pieces of a PDU.
        plus_opcode: u8,
        /// `request`, `response`, `notification`.
        plus_opcode_name: word,
        /// S7comm-plus: function code.
        plus_function: u16,
        /// `explore` 0x04BB, `create_object` 0x04CA, `delete_object` 0x04D4, `set_variable` 0x04F2, `get_link` 0x0524, `set_multi_variables` 0x0542, `get_multi_variables` 0x054C, `begin_sequence` 0x0556, `end_sequence` 0x0560, `invoke` 0x056B, `get_var_sub_streamed` 0x0586; else null.
        plus_function_name: word,
        /// S7comm-plus: sequence number.
        plus_sequence: u16,
        /// S7comm-plus session.
        plus_session_id: u32,
        /// True when the S7 session runs in TLS inside COTP (0x16 0x03 after the COTP header: TIA V17 and later) and the rest is null.
        encrypted: bool,
        /// Header parameter length.
        param_length: u16 = "s7comm.header.parlg",
        /// Header data length.
        data_length: u16 = "s7comm.header.datlg",
    }
}

table! {
    /// One row per variable item of an S7 read or write, request joined with its answer.
    pub struct S7commItems("s7comm_items", "item", Network) {
        /// Frame of the request.
        request_frame: u64,
        /// Frame of the answer.
        response_frame: u64,
        /// Joins `s7comm`.
        pdu_reference: u16 = "s7comm.header.pduref",
        /// `read` or `write`.
        operation: word,
        /// Index, 0-based.
        item: u8,
        /// 0x10 S7ANY, 0xB0 DB read, 0xB2 symbolic 1200/1500, 0x82-0x84 NCK.
        syntax_id: u8 = "s7comm.param.item.syntaxid",
        /// Item transport size.
        transport_size: u8 = "s7comm.param.item.transp_size",
        /// `bit`, `byte`, `char`, `word`, `int`, `dword`, `dint`, `real`, `counter`, `timer`, ...
        transport_size_name: word,
        /// Area code.
        area: u8 = "s7comm.param.item.area",
        /// `I` 0x81, `Q` 0x82, `M` 0x83, `DB` 0x84, `DI` 0x85, `L` 0x86, `V` 0x87, `C` 0x1C, `T` 0x1D, `P` 0x80.
        area_name: word,
        /// Data block; null outside DB, DI.
        db_number: u16 = "s7comm.param.item.db",
        /// Byte offset.
        byte_address: u32 = "s7comm.param.item.address.byte",
        /// Bit in the byte.
        bit_address: u8 = "s7comm.param.item.address.bit",
        /// Elements of that transport size.
        length: u16 = "s7comm.param.item.length",
        /// STEP 7 notation with the size that was asked: `DB1.DBD0`, `M100.3`, `QB4`, `DB1.DBB0[20]`, `T5`.
        @bloom point: text,
        /// 0xFF success, 0x05 address out of range, 0x0A object does not exist, 0x03 access denied, 0x06 type not supported, 0x07 type inconsistent; null for a request unanswered.
        return_code: u8 = "s7comm.data.returncode",
        /// Its text.
        return_name: word,
        /// Bytes read (answer) or written (request), big-endian.
        value: bytes = "s7comm.resp.data",
        /// Value by transport size where the length makes it plain (`bool`, `int`, `real`); else hex of the first 32 bytes.
        value_text: text,
    }
}
