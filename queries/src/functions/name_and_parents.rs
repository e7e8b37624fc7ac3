//! `name_and_parents(name)`: a DNS name and every name above it, lower case: `a.evil.test`, `evil.test`, `test`.

use std::sync::Arc;

use datafusion::arrow::array::{ListBuilder, StringBuilder};
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::cast::as_string_array;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};

use super::{FunctionDoc, Kind};

/// Labels that a name can have (RFC 1035, 2.3.4: 255 octets).
const MOST_LABELS: usize = 128;

pub const DOC: FunctionDoc = FunctionDoc {
    name: "name_and_parents",
    kind: Kind::Scalar,
    signature: "name_and_parents(name utf8) -> list<utf8>",
    meaning: "A DNS name and every name above it, lower case: to look a name up in a list of domains.",
    example: "name_and_parents('A.evil.test')",
    gives: "[a.evil.test, evil.test, test]",
};

/// The function.
pub fn function() -> ScalarUDF {
    let body = |arguments: &[ColumnarValue]| {
        let arrays = ColumnarValue::values_to_arrays(arguments)?;
        let mut lists = ListBuilder::new(StringBuilder::new());
        for name in as_string_array(&arrays[0])? {
            let Some(name) = name else {
                lists.append(false);
                continue;
            };
            let name = name.trim_end_matches('.').to_lowercase();
            let mut rest = Some(name.as_str());
            for _ in 0..MOST_LABELS {
                let Some(here) = rest else { break };
                lists.values().append_value(here);
                rest = here.split_once('.').map(|(_, parent)| parent);
            }
            lists.append(true);
        }
        Ok(ColumnarValue::Array(Arc::new(lists.finish())))
    };
    let list = DataType::List(Arc::new(Field::new("item", DataType::Utf8, true)));
    create_udf("name_and_parents", vec![DataType::Utf8], list, Volatility::Immutable, Arc::new(body))
}
