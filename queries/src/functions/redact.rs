//! Secrets as marks: equal secrets get equal marks, and nothing can be guessed from one.
//!
//! The catalog replaces each secret by a mark keyed with a number that this process alone knows; [`redaction_marks`]
//! finds the marks again, so that a renderer can number them in order of appearance (`redacted:1`, `redacted:2`).

use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{ArrayRef, AsArray, ListBuilder, StringArray, StringBuilder};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarUDF, Volatility, create_udf, lit};

use super::{FunctionDoc, Kind, of_text};
use crate::Result;

const MARK: &str = "redacted:";
const DIGITS: usize = 16;

static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);

fn mark(secret: &str) -> String {
    format!("{MARK}{:016x}", KEY.hash_one(secret))
}

/// An expression that hides the secrets of a column: marks in the place of texts and lists of texts; what a mark cannot
/// replace, a number or octets, becomes null.
pub fn redact(column: Expr, data_type: &DataType) -> Result<Expr> {
    match data_type {
        DataType::Utf8 | DataType::Dictionary(..) => {}
        DataType::List(item) if *item.data_type() == DataType::Utf8 => {}
        _ => return Ok(lit(ScalarValue::try_from(data_type)?)),
    }
    let wanted = data_type.clone();
    let body = move |arguments: &[ColumnarValue]| -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(arguments)?;
        Ok(ColumnarValue::Array(hide(&arrays[0], &wanted)?))
    };
    Ok(create_udf("redact", vec![data_type.clone()], data_type.clone(), Volatility::Stable, Arc::new(body)).call(vec![column]))
}

fn hide(array: &ArrayRef, data_type: &DataType) -> Result<ArrayRef> {
    if let DataType::List(_) = data_type {
        let mut builder = ListBuilder::new(StringBuilder::new());
        for list in array.as_list::<i32>().iter() {
            for secret in list.iter().flat_map(|list| list.as_string::<i32>().iter().map(|text| text.map(mark)).collect::<Vec<_>>()) {
                builder.values().append_option(secret);
            }
            builder.append(list.is_some());
        }
        return Ok(Arc::new(builder.finish()));
    }
    let texts = cast(array, &DataType::Utf8)?;
    let hidden: StringArray = texts.as_string::<i32>().iter().map(|text| text.map(mark)).collect();
    Ok(cast(&hidden, data_type)?)
}

pub const DOC: FunctionDoc = FunctionDoc {
    name: "secret",
    kind: Kind::Scalar,
    signature: "secret(text utf8) -> utf8",
    meaning: "What a secret column shows where it holds this text, so that a query can look for a known secret whether secrets are shown or not.",
    example: "starts_with(secret('public'), 'redacted:')",
    gives: "true",
};

/// `secret('public')`: what a secret column shows where it holds this text, so that a query can look for a known secret (a
/// default password, say) whether secrets are shown or not.
pub fn function(show_secrets: bool) -> ScalarUDF {
    of_text("secret", DataType::Utf8, move |text| Some(if show_secrets { text.to_owned() } else { mark(text) }))
}

/// Where marks stand in a text.
pub fn redaction_marks(text: &str) -> Vec<Range<usize>> {
    let mut marks = Vec::new();
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find(MARK)) {
        let start = from + at;
        let end = start + MARK.len() + DIGITS;
        let digits = text.get(start + MARK.len()..end);
        if digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit())) {
            marks.push(start..end);
            from = end;
        } else {
            from = start + MARK.len();
        }
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_secrets_equal_marks() {
        assert_eq!(mark("a"), mark("a"));
        assert_ne!(mark("a"), mark("b"));
        let text = format!("x {} y {}", mark("a"), mark("b"));
        assert_eq!(redaction_marks(&text).len(), 2);
        assert!(redaction_marks("redacted:none").is_empty());
    }
}
