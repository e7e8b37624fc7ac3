//! Table of mms records.

use crate::table;

table! {
    /// One row per MMS PDU (ISO 9506) over TPKT/COTP/session/presentation, IEC 61850-8-1 naming read where it applies. ICCP/TASE.2 runs in the same PDUs: its table refers here.
    pub struct Mms("mms", "message", Network) {
        /// Sent by the TCP originator.
        is_orig: bool,
        /// `initiate_request`, `initiate_response`, `initiate_error`, `confirmed_request`, `confirmed_response`, `confirmed_error`, `unconfirmed`, `reject`, `cancel_request`, `cancel_response`, `cancel_error`, `conclude_request`, `conclude_response`, `conclude_error`.
        pdu_type: word,
        /// Confirmed services.
        invoke_id: u32 = "mms.invokeID",
        /// Answer: frame of the request with that invoke id on this connection.
        request_frame: u64,
        /// Context tag number of the confirmed service.
        service_code: u32 = "mms.confirmedServiceRequest|mms.confirmedServiceResponse",
        /// Its name: `get_name_list` 1, `read` 4, `write` 5, `start` 40, `stop` 41, `file_open` 72 ...; unconfirmed: `information_report`, `unsolicited_status`, `event_notification`.
        service: word,
        /// `read`, `write`, `control`, `report`, `file`, `program`, `directory`, `association`, `other`.
        category: word,
        /// First domain name (61850: logical device).
        domain: word = "mms.domainId",
        /// First item name (61850: `XCBR1$CO$Pos$Oper`).
        @bloom item: text = "mms.itemId",
        /// All names: `domain/item`, VMD-specific ones without domain.
        points: list_text,
        /// 61850 second part of the item: `ST`, `MX`, `CO`, `SP`, `CF`, `BR`, `RP`, `GO`, `SE`, ...
        functional_constraint: word,
        /// 61850 control objects: `select` (SBO read), `select_with_value` (SBOw), `operate` (Oper), `cancel` (Cancel).
        control_action: word,
        /// 61850: `direct` or `sbo`, as the sequence shows.
        control_model: word,
        /// 61850 control: ctlVal.
        ctl_value: text,
        /// 61850 control: origin.orCat (0 not supported, 1 bay, 2 station, 3 remote, 4-6 automatic, 7 maintenance, 8 process).
        originator_category: u8,
        /// 61850 control: origin.orIdent.
        originator_ident: bytes,
        /// 61850 control number.
        ctl_num: u8,
        /// 61850 control Test flag.
        test: bool,
        /// Values written (request) or read (answer), one text each; structures in braces.
        values: list_text,
        /// Names of data access errors in the answer: `object_undefined`, `object_access_denied`, `type_inconsistent`, `hardware_fault`, ...
        access_errors: list_text = "mms.failure",
        /// confirmed_error: class.
        error_class: word = "mms.errorClass",
        /// confirmed_error: code in the class.
        error_code: u32,
        /// confirmed_error: name of the code (`object_non_existent`, `file_non_existent`, ...).
        error: word,
        /// reject: category and code.
        reject_reason: word,
        /// information_report named RPT: RptID.
        report_id: word,
        /// information_report: data set reference.
        report_dataset: word,
        /// information_report: sequence number.
        report_sequence: u32,
        /// get_name_list: `named_variable`, `named_variable_list`, `domain`, `journal`, ...
        object_class: word,
        /// get_name_list answer: identifiers.
        names: list_text,
        /// get_name_list, file_read, file_directory answers.
        more_follows: bool,
        /// identify answer.
        vendor: word = "mms.vendorName",
        /// identify answer.
        model: word = "mms.modelName",
        /// identify answer.
        revision: word = "mms.revision",
        /// file services: path.
        @bloom file_name: word,
        /// file_open answer, file_directory.
        file_size: u32,
        /// status.
        vmd_logical_status: word = "mms.vmdLogicalStatus",
        /// status.
        vmd_physical_status: word = "mms.vmdPhysicalStatus",
        /// initiate: local detail calling or called.
        max_pdu: u32,
        /// ACSE calling or called AP-title.
        ap_title: word,
        /// ACSE: an authentication value was offered in the association.
        auth_present: bool,
        /// ACSE authentication value (password), as text.
        @secret auth_value: text,
        /// MMS bytes.
        pdu_len: u32,
    }
}
