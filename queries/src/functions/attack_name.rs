//! `attack_name(id)`: what ATT&CK calls a technique, enterprise or ICS.

use std::collections::HashMap;
use std::sync::OnceLock;

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::ScalarUDF;

use super::{FunctionDoc, Kind, of_text};

pub const DOC: FunctionDoc = FunctionDoc {
    name: "attack_name",
    kind: Kind::Scalar,
    signature: "attack_name(technique utf8) -> utf8",
    meaning: "Name of an ATT&CK technique (enterprise, ICS), of a sub-technique with that of its parent; null for an id that is not known here.",
    example: "attack_name('T1071.004')",
    gives: "Application Layer Protocol: DNS",
};

/// A technique a line: id, tab, name.
const NAMES: &str = include_str!("attack_names.tsv");

/// The function.
pub fn function() -> ScalarUDF {
    of_text(DOC.name, DataType::Utf8, name)
}

fn names() -> &'static HashMap<&'static str, &'static str> {
    static CELL: OnceLock<HashMap<&str, &str>> = OnceLock::new();
    CELL.get_or_init(|| NAMES.lines().filter_map(|line| line.split_once('\t')).collect())
}

fn name(id: &str) -> Option<String> {
    let id = id.trim().to_ascii_uppercase();
    let own = names().get(id.as_str())?;
    let parent = id.split_once('.').and_then(|(parent, _)| names().get(parent));
    Some(parent.map_or_else(|| (*own).to_owned(), |parent| format!("{parent}: {own}")))
}

#[cfg(test)]
mod tests {
    use super::{name, names};
    use crate::analyzer::built_in;

    #[test]
    fn every_technique_of_a_detection_has_a_name() {
        for analyzer in built_in() {
            for finding in analyzer.findings {
                for technique in finding.techniques {
                    assert!(name(&technique).is_some(), "{technique} of {}", finding.id);
                }
            }
        }
        let without_parent = names().keys().find(|id| id.split_once('.').is_some_and(|(parent, _)| !names().contains_key(parent)));
        assert_eq!(without_parent, None);
        assert_eq!(name("t0855").as_deref(), Some("Unauthorized Command Message"));
        assert_eq!(name("T9999"), None);
    }
}
