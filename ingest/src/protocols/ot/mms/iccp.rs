//! ICCP, also called TASE.2 (IEC 60870-6-503 and -802): operations of control centres, told by the reserved names in MMS.

use std::borrow::Cow;

use pcapper_schema::tables::Iccp;
use rustc_hash::FxHashSet;

use super::data::Name;
use super::service::Said;
use crate::protocols::Cx;

/// Transfer sets, and devices, of one association whose names are remembered.
const MAX_SETS: usize = 1024;
/// What stands behind the name of a device in those of its selection and of its tag (IEC 60870-6-802, device control).
const OF_DEVICES: [&str; 2] = ["_SBO", "_TAG"];

/// Names that the standard reserves.
fn is_reserved(item: &str) -> bool {
    matches!(
        item,
        "Bilateral_Table_ID"
            | "TASE2_Version"
            | "Supported_Features"
            | "Next_DSTransfer_Set"
            | "Next_TSTransfer_Set"
            | "Transfer_Set_Name"
            | "DSConditions_Detected"
    )
}

/// What is known of an association.
#[derive(Default)]
pub struct Centre {
    /// A reserved name was seen.
    is_iccp: bool,
    transfer_sets: FxHashSet<String>,
    /// Devices that can be controlled, with their domain: known by the names of their selection or tag.
    devices: FxHashSet<String>,
}

/// One MMS PDU, as far as operations need it.
pub struct Pdu<'a> {
    pub invoke_id: Option<u32>,
    pub is_request: bool,
    pub service: &'static str,
    pub request_frame: Option<u64>,
    /// What was asked for: by this PDU, or by the request it answers.
    pub names: &'a [Name],
    pub said: &'a Said<'a>,
    pub error: Option<&'a str>,
}

impl Centre {
    /// Takes a PDU; writes its operation, where the association is one of control centres.
    pub fn take(&mut self, cx: &mut Cx<'_>, pdu: &Pdu<'_>) {
        self.is_iccp |= pdu.names.iter().any(|name| is_reserved(&name.item));
        if !self.is_iccp {
            return;
        }
        let first = pdu.names.first();
        let item = first.map(|name| name.item.as_str()).unwrap_or_default();
        self.learn(pdu);
        let Some((operation, block)) = self.operation(pdu.service, first) else { return };
        let values = &pdu.said.values;
        if operation == "get_next_transfer_set" && !pdu.is_request && self.transfer_sets.len() < MAX_SETS {
            self.transfer_sets.extend(values.iter().filter_map(|value| reference(value)).map(|(_, name)| name.to_owned()));
        }
        // Values that stand for names, in the order in which they were asked for.
        let of = |wanted: &str| pdu.names.iter().position(|name| name.item == wanted).and_then(|at| values.get(at)).map(String::as_str);
        let written = (operation == "write_transfer_set" && pdu.is_request).then(|| values.first()).flatten().map(|value| parts(value));
        // Reports start with the name of their transfer set, and the conditions that were met.
        let reported =
            (pdu.service == "information_report").then(|| values.first()).flatten().and_then(|value| reference(value)).map(|(_, name)| name);
        let reported = reported.filter(|name| self.transfer_sets.contains(*name) || item == "Transfer_Set_Name");
        let reason = values.get(1).filter(|_| reported.is_some()).and_then(|bits| reason(bits));
        let dataset = match (&written, reported) {
            (Some(parts), _) => parts.first().and_then(|value| reference(value)).map(|(_, name)| name),
            (None, Some(_)) => Some(item).filter(|item| !is_reserved(item)),
            _ => None,
        };
        let transfer_set = match operation {
            "write_transfer_set" => Some(item),
            "get_next_transfer_set" => values.first().and_then(|value| reference(value)).map(|(_, name)| name),
            _ => reported,
        };
        let version = of("TASE2_Version").map(|value| parts(value).join("."));
        let features = of("Supported_Features").map(features);
        let objects: Vec<Cow<'_, str>> =
            pdu.names.iter().filter(|name| !name.item.is_empty()).map(|name| Cow::Borrowed(name.item.as_str())).collect();
        let shown: Vec<Cow<'_, str>> = values.iter().map(|value| Cow::Borrowed(value.as_str())).collect();
        let qualities: Vec<Cow<'_, str>> =
            if reported.is_some() { values.iter().skip(2).filter_map(|value| quality(value)).map(Cow::Borrowed).collect() } else { Vec::new() };
        cx.emit(Iccp {
            mms_invoke_id: pdu.invoke_id,
            is_request: Some(pdu.is_request),
            request_frame: pdu.request_frame,
            service: Some(pdu.service),
            operation: Some(operation),
            conformance_block: block,
            domain: first.and_then(|name| name.domain.as_deref()),
            object_name: Some(item).filter(|item| !item.is_empty()),
            objects: (!objects.is_empty()).then_some(&objects),
            bilateral_table_id: of("Bilateral_Table_ID"),
            tase2_version: version.as_deref(),
            supported_features: features.as_deref(),
            transfer_set,
            dataset,
            report_reason: reason,
            interval_s: written.as_ref().and_then(|parts| parts.get(2)).and_then(|value| value.parse().ok()),
            values: (!shown.is_empty()).then_some(&shown),
            qualities: (!qualities.is_empty()).then_some(&qualities),
            error: pdu.error,
            confidence: Some("high"),
        });
    }

    /// Remembers devices, by the names of their other variables.
    fn learn(&mut self, pdu: &Pdu<'_>) {
        let domain = pdu.names.first().and_then(|name| name.domain.as_deref());
        let listed = pdu.said.listed.iter().map(|item| (domain, item.as_str()));
        for (domain, item) in pdu.names.iter().map(|name| (name.domain.as_deref(), name.item.as_str())).chain(listed) {
            if let Some(device) = OF_DEVICES.iter().find_map(|end| item.strip_suffix(end))
                && self.devices.len() < MAX_SETS
            {
                self.devices.insert(Name { domain: domain.map(str::to_owned), item: device.to_owned() }.whole());
            }
        }
    }

    /// Operation of a service on an object, and the conformance block it belongs to.
    fn operation(&self, service: &str, object: Option<&Name>) -> Option<(&'static str, Option<u8>)> {
        let item = object.map(|name| name.item.as_str()).unwrap_or_default();
        Some(match (service, item) {
            ("read", "Bilateral_Table_ID") => ("get_bilateral_table", Some(1)),
            ("read", "TASE2_Version") => ("get_version", Some(1)),
            ("read", "Supported_Features") => ("get_features", Some(1)),
            ("read", "Next_DSTransfer_Set" | "Next_TSTransfer_Set") => ("get_next_transfer_set", Some(1)),
            ("read", item) if item.ends_with(OF_DEVICES[0]) => ("select_device", Some(5)),
            ("read", _) => ("get_data_value", Some(1)),
            ("write", item) if item.ends_with(OF_DEVICES[1]) => ("set_tag", Some(5)),
            ("write", _) if object.is_some_and(|name| self.devices.contains(&name.whole())) => ("operate_device", Some(5)),
            ("write", item) if self.transfer_sets.contains(item) => ("write_transfer_set", Some(1)),
            ("write", _) => ("set_data_value", None),
            ("define_named_variable_list", _) => ("create_data_set", Some(1)),
            ("delete_named_variable_list", _) => ("delete_data_set", Some(1)),
            ("get_named_variable_list_attributes", _) => ("get_data_set", Some(1)),
            ("information_report", _) => ("transfer_report", None),
            ("create_program_invocation" | "delete_program_invocation" | "start" | "stop" | "resume" | "reset" | "kill", _) => {
                ("program_control", Some(7))
            }
            (
                "define_event_condition"
                | "delete_event_condition"
                | "alter_event_condition_monitoring"
                | "define_event_enrollment"
                | "delete_event_enrollment"
                | "alter_event_enrollment",
                _,
            ) => ("event", Some(8)),
            ("get_name_list" | "identify" | "get_variable_access_attributes", _) => ("other", None),
            _ => return None,
        })
    }
}

/// Parts of a structure's text, at its top level.
fn parts(text: &str) -> Vec<&str> {
    let Some(inside) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) else { return vec![text] };
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_i32, 0);
    for (at, character) in inside.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(inside.get(start..at).unwrap_or_default().trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(inside.get(start..).unwrap_or_default().trim());
    parts
}

/// A reference to an object: scope, domain, name.
fn reference(text: &str) -> Option<(&str, &str)> {
    match parts(text)[..] {
        ["0" | "1", domain, name] if !name.is_empty() && !name.contains('{') => Some((domain, name)),
        _ => None,
    }
}

/// The first condition that is met (IEC 60870-6-802, DSConditions).
fn reason(bits: &str) -> Option<&'static str> {
    let at = bits.bytes().position(|bit| bit == b'1').filter(|_| bits.len() == 5 && bits.bytes().all(|bit| matches!(bit, b'0' | b'1')))?;
    ["interval_timeout", "integrity_timeout", "object_change", "operator_request", "other_external"].get(at).copied()
}

/// Numbers of the conformance blocks that are supported.
fn features(bits: &str) -> String {
    bits.bytes().zip(1..).filter(|(bit, _)| *bit == b'1').map(|(_, block): (u8, u32)| block.to_string()).collect::<Vec<_>>().join(", ")
}

/// Validity of a point: the third and fourth of its eight flags, which stand alone or last in a structure.
fn quality(text: &str) -> Option<&'static str> {
    let flags = *parts(text).last()?;
    if flags.len() != 8 || !flags.bytes().all(|bit| matches!(bit, b'0' | b'1')) {
        return None;
    }
    match flags.get(2..4)? {
        "00" => Some("valid"),
        "01" => Some("held"),
        "10" => Some("suspect"),
        _ => Some("not_valid"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_known_by_their_selection() {
        let mut centre = Centre::default();
        let name = |item: &str| Name { domain: Some("ICC".into()), item: item.into() };
        let operation = |centre: &Centre, service: &str, item: &str| centre.operation(service, Some(&name(item))).map(|(operation, _)| operation);
        assert_eq!(operation(&centre, "write", "BREAKER"), Some("set_data_value"));
        let (names, said) = ([name("BREAKER_SBO")], Said::default());
        centre.learn(&Pdu { invoke_id: None, is_request: true, service: "read", request_frame: None, names: &names, said: &said, error: None });
        assert_eq!(operation(&centre, "read", "BREAKER_SBO"), Some("select_device"));
        assert_eq!(operation(&centre, "write", "BREAKER"), Some("operate_device"));
        assert_eq!(operation(&centre, "write", "BREAKER_TAG"), Some("set_tag"));
        assert_eq!(operation(&centre, "write", "OTHER"), Some("set_data_value"));
        assert_eq!(operation(&centre, "stop", "SEQUENCE"), Some("program_control"));
    }

    #[test]
    fn structures_are_taken_apart() {
        assert_eq!(parts("{{1, KIRKLAND, DS}, 0, 30}"), ["{1, KIRKLAND, DS}", "0", "30"]);
        assert_eq!(reference("{1, KIRKLAND, TS0}"), Some(("KIRKLAND", "TS0")));
        assert_eq!(reference("{0, 00110000}"), None);
        assert_eq!(reason("10000"), Some("interval_timeout"));
        assert_eq!(reason("{0, 1}"), None);
        assert_eq!(quality("{0, 00110000}"), Some("not_valid"));
        assert_eq!(quality("00100000"), Some("suspect"));
        assert_eq!(features("111110110000"), "1, 2, 3, 4, 5, 7, 8");
    }
}
