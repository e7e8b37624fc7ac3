//! Table of process_values records.

use crate::table;

table! {
    /// One row per numeric process value that a decoded industrial protocol read, reported or wrote: one value at one time, never a change. Written beside the row of the protocol's own table.
    pub struct ProcessValues("process_values", "value", Network) {
        /// Table it comes from.
        source_protocol: word,
        /// Frame of the source row.
        record_frame: u64,
        /// Frame of the request that asked.
        request_frame: u64,
        /// Server that owns the point: IP, or MAC.
        @bloom device: word,
        /// Unit, DNP3 outstation address, IEC 104 common address, BACnet device instance, rack/slot.
        unit_id: word,
        /// Client that read or wrote.
        actor: word,
        /// Point in the protocol's notation (`holding:40011`, `30.5[3]`, `ioa 15000`, `DB1.DBD4`, `analog-output,101 present_value`, tag name).
        @bloom point: text,
        /// Kind: `coil`, `register`, `analog_input`, `measured_short_float`, `tag`, ...
        object_type: word,
        /// `read`, `report`, `write`, `select`.
        direction: word,
        /// Asks to change the process.
        is_command: bool,
        /// Number; booleans 0 and 1.
        value: f64,
        /// Type on the wire (`u16`, `i16`, `f32`, `bool`, `double_bit`).
        raw_type: word,
        /// `good`, `uncertain`, `bad`, with the flags; null where the protocol has none.
        quality: word,
        /// Time tag the device gave.
        source_time: time,
        /// Writes: `ok`, `refused`, `no_response`.
        outcome: word,
        /// `high` type known from the protocol, `medium` type assumed (single Modbus register as u16).
        confidence: word,
    }
}
