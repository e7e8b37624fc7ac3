//! Table of iccp records.

use crate::table;

table! {
    /// One row per TASE.2 operation recognised in an MMS PDU; the PDU itself is in mms and record_frame joins them.
    pub struct Iccp("iccp", "operation", Network) {
        /// Invoke id.
        mms_invoke_id: u32 = "mms.invokeID",
        /// Request, or an unsolicited information report.
        is_request: bool,
        /// Answer: frame of the request.
        request_frame: u64,
        /// MMS service (`read`, `write`, `get_named_variable_list_attributes`, `define_named_variable_list`, `information_report`, ...).
        service: word,
        /// `get_bilateral_table`, `get_version`, `get_features`, `get_next_transfer_set`, `write_transfer_set`, `create_data_set`, `delete_data_set`, `get_data_set`, `transfer_report`, `get_data_value`, `set_data_value` (any other write, device control included), `other`.
        operation: word,
        /// TASE.2 block 1-9.
        conformance_block: u8,
        /// Domain (ICC) the object is in; null for VCC scope.
        domain: word = "mms.domainId",
        /// Object or data set name.
        object_name: word = "mms.itemId",
        /// All object names.
        objects: list_text = "mms.itemId",
        /// Value of Bilateral_Table_ID.
        bilateral_table_id: word,
        /// `major.minor` of TASE2_Version.
        tase2_version: word,
        /// Bits of Supported_Features, block numbers.
        supported_features: word,
        /// Name of the transfer set.
        transfer_set: word,
        /// Data set a transfer set or report names.
        dataset: word,
        /// `interval_timeout`, `integrity_timeout`, `object_change`, `operator_request`, `other_external`.
        report_reason: word,
        /// Transfer set interval written.
        interval_s: u32,
        /// Values read, written or reported.
        values: list_text,
        /// Quality flags of reported points (`valid`, `held`, `suspect`, `not_valid`, ...).
        qualities: list_text,
        /// Access or service error.
        error: word,
        /// `high`: a TASE.2 reserved name was seen on this connection; others get no row.
        confidence: word,
    }
}
