//! `registered_domain(name)`: public suffix plus one label, lower case.

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::ScalarUDF;

use super::{FunctionDoc, Kind, of_text};

pub const DOC: FunctionDoc = FunctionDoc {
    name: "registered_domain",
    kind: Kind::Scalar,
    signature: "registered_domain(name utf8) -> utf8",
    meaning: "Public suffix plus one label, lower case; null for a name that has none.",
    example: "registered_domain('a.b.Example.co.uk.')",
    gives: "example.co.uk",
};

/// The function.
pub fn function() -> ScalarUDF {
    of_text("registered_domain", DataType::Utf8, registered_domain)
}

fn registered_domain(name: &str) -> Option<String> {
    let lower = name.trim_end_matches('.').to_ascii_lowercase();
    psl::domain_str(&lower).map(str::to_owned)
}

/// Whether a name in lower case lies in a domain that somebody could register: one below a suffix that the public list names.
pub fn is_public(name: &str) -> bool {
    psl::domain(name.as_bytes()).is_some_and(|domain| domain.suffix().is_known())
}

#[cfg(test)]
mod tests {
    #[test]
    fn public_names() {
        for (name, expected) in [("www.example.com", true), ("a.co.uk", true), ("co.uk", false), ("plc7.plant", false), ("host", false)] {
            assert_eq!(super::is_public(name), expected, "{name}");
        }
    }

    #[test]
    fn suffixes() {
        assert_eq!(super::registered_domain("a.b.Example.co.uk.").as_deref(), Some("example.co.uk"));
        assert_eq!(super::registered_domain("com"), None);
    }
}
