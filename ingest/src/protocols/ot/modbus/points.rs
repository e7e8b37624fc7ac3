//! A Modbus transaction as process values and as a command.

use std::fmt::Write as _;

use pcapper_schema::Common;
use pcapper_schema::tables::{OtCommands, ProcessValues};

use super::function::{self, MEI_DEVICE_ID};
use super::pdu::Fields;
use crate::protocols::Cx;
use crate::protocols::ot::points::{Owner, command, milliseconds, value};

/// One transaction, decoded.
pub struct Told<'a> {
    pub request: Option<&'a Common>,
    pub is_answered: bool,
    /// On a serial line, where unit 0 means all.
    pub is_serial: bool,
    pub code: u8,
    pub unit: u8,
    pub fields: &'a Fields<'a>,
    pub exception: Option<u8>,
    pub read: &'a [u16],
    pub written: &'a [u16],
}

impl Told<'_> {
    fn outcome(&self) -> &'static str {
        match (self.is_answered, self.exception) {
            (true, Some(_)) => "refused",
            (true, None) => "ok",
            (false, _) if self.is_serial && self.unit == 0 => "unconfirmed",
            (false, _) => "no_response",
        }
    }
}

/// Writes the rows of a transaction; `common` is that of the transaction's row.
pub fn tell(cx: &mut Cx<'_>, common: &Common, told: &Told<'_>, is_malformed: bool) {
    let unit = told.unit.to_string();
    if !is_malformed && told.exception.is_none() {
        // The queue of function 24 has no addresses; function 23 reads holding registers.
        if let Some(address) = told.fields.address.filter(|_| told.code != 24) {
            values(cx, common, told, &unit, told.code, address, told.read, None);
        }
    }
    if !is_malformed && function::is_write(told.code) {
        let address = if told.code == 23 { told.fields.write_address } else { told.fields.address };
        if let Some(address) = address {
            values(cx, common, told, &unit, told.code, address, told.written, Some(told.outcome()));
        }
    }
    order(cx, common, told, &unit);
}

#[allow(clippy::too_many_arguments)]
fn values(cx: &mut Cx<'_>, common: &Common, told: &Told<'_>, unit: &str, code: u8, address: u16, found: &[u16], outcome: Option<&str>) {
    let (object_type, raw_type) = match code {
        1 | 5 | 15 => ("coil", "bool"),
        2 => ("discrete_input", "bool"),
        4 => ("input_register", "u16"),
        _ => ("holding_register", "u16"),
    };
    let mut scratch = String::new();
    for (number, address) in found.iter().zip(address..=u16::MAX) {
        value(
            cx,
            common,
            Owner::Destination,
            ProcessValues {
                source_protocol: Some("modbus"),
                request_frame: told.request.map(|request| request.frame),
                unit_id: Some(unit),
                point: function::point(code, address, &mut scratch),
                object_type: Some(object_type),
                direction: Some(if outcome.is_some() { "write" } else { "read" }),
                value: Some(f64::from(*number)),
                raw_type: Some(raw_type),
                outcome,
                // Registers hold what their maker likes: halves of floats, signed numbers, bits.
                confidence: Some(if raw_type == "bool" { "high" } else { "medium" }),
                ..ProcessValues::default()
            },
        );
    }
}

/// The row in `ot_commands`, for what is more than reading.
fn order(cx: &mut Cx<'_>, common: &Common, told: &Told<'_>, unit: &str) {
    let fields = told.fields;
    let (class, named) = match (told.code, fields.subfunction) {
        (5 | 6 | 15 | 16 | 22 | 23, _) => ("write", None),
        (21, _) => ("download", None),
        (8, Some(1)) => ("restart", function::subfunction(8, 1)),
        (8, Some(4)) => ("comm_control", function::subfunction(8, 4)),
        (17, _) => ("discovery", None),
        (43, Some(sub)) if sub == u16::from(MEI_DEVICE_ID) => ("discovery", function::subfunction(43, sub)),
        _ => return,
    };
    let (mut scratch, mut point) = (String::new(), String::new());
    let address = if told.code == 23 { fields.write_address } else { fields.address };
    let quantity = if told.code == 23 { fields.write_quantity } else { fields.quantity };
    let text = match (fields.and_mask, fields.or_mask) {
        (Some(and), Some(or)) => Some(format!("and {and:#06x} or {or:#06x}")),
        _ if told.written.is_empty() => None,
        _ => Some(told.written.iter().fold(String::new(), |mut text, value| {
            let gap = if text.is_empty() { "" } else { " " };
            // Writing to a String cannot fail.
            let _ = write!(text, "{gap}{value}");
            text
        })),
    };
    let is_answered = told.is_answered;
    let outcome = told.outcome();
    command(
        cx,
        common,
        false,
        OtCommands {
            protocol: Some("modbus"),
            request_frame: told.request.map(|request| request.frame),
            response_frame: is_answered.then_some(common.frame),
            target_unit: Some(unit),
            class: Some(class),
            command: Some(named.unwrap_or_else(|| function::name(told.code, &mut scratch))),
            command_code: Some(&format!("0x{:02X}", told.code)),
            point: address.and_then(|address| function::point(told.code, address, &mut point)),
            value: text.as_deref(),
            quantity: quantity.map(u32::from),
            is_broadcast: Some(told.is_serial && told.unit == 0),
            outcome: Some(outcome),
            error: told.exception.and_then(function::exception),
            latency_ms: milliseconds(told.request.and_then(|request| request.ts), common.ts.filter(|_| is_answered)),
            ..OtCommands::default()
        },
    );
}
