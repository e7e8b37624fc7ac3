//! Values of `$name` parameters: bound to the plan, never pasted into the text.

use std::collections::{BTreeMap, HashMap};

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::prelude::DataFrame;

use crate::{DataFusionError, Result};

/// Names and values as their user typed them.
pub type Parameters = BTreeMap<String, String>;

/// Gives the parameters of a planned query their values, each of the type that its place in the query asks for; where the
/// place does not tell, of the type that the value looks like.
pub fn bind(frame: DataFrame, values: &Parameters) -> Result<DataFrame> {
    // Where one name stands in places of different types, the value decides.
    let wanted = frame.logical_plan().get_parameter_types().unwrap_or_default();
    if frame.logical_plan().get_parameter_names()?.is_empty() {
        return Ok(frame);
    }
    let mut bound = HashMap::new();
    for name in frame.logical_plan().get_parameter_names()? {
        let name = name.trim_start_matches('$').to_owned();
        let Some(text) = values.get(&name) else {
            return Err(DataFusionError::Plan(format!("parameter ${name} has no value: give it with --set {name}=VALUE")));
        };
        let value = match wanted.get(&format!("${name}")).cloned().flatten() {
            Some(DataType::Null) | None => guessed(text),
            Some(data_type) => typed(&name, text, &data_type)?,
        };
        bound.insert(name, value);
    }
    frame.with_param_values(bound)
}

/// A value for a place of a known type.
fn typed(name: &str, text: &str, data_type: &DataType) -> Result<ScalarValue> {
    let refused = || DataFusionError::Plan(format!("parameter ${name}: {text} is no {}", kind(data_type)));
    match data_type {
        // Whole numbers are compared with other whole numbers: one that does not fit the column is in no row, not an error.
        whole if whole.is_integer() => match guessed(text) {
            value @ (ScalarValue::Int64(_) | ScalarValue::Float64(_)) => Ok(value),
            _ => Err(refused()),
        },
        DataType::Dictionary(_, inner) => typed(name, text, inner),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Ok(ScalarValue::Utf8(Some(text.to_owned()))),
        other => ScalarValue::try_from_string(text.to_owned(), other)
            .map_err(|_| refused())
            .and_then(|value| if value.is_null() { Err(refused()) } else { Ok(value) }),
    }
}

/// What a type is called in an error.
fn kind(data_type: &DataType) -> &'static str {
    match data_type {
        whole if whole.is_integer() => "whole number",
        number if number.is_numeric() => "number",
        DataType::Boolean => "truth value (true or false)",
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => "time (2026-11-23T06:42:40Z)",
        _ => "value of the type that is needed there",
    }
}

/// A whole number, a number, `true` or `false`, else text.
fn guessed(text: &str) -> ScalarValue {
    // `+5` and `007` are words to a person: a number is what is spelled as one.
    if let Ok(whole) = text.parse::<i64>()
        && whole.to_string() == text
    {
        return ScalarValue::Int64(Some(whole));
    }
    let is_decimal = text.contains('.') && text.chars().all(|letter| letter.is_ascii_digit() || matches!(letter, '.' | '-' | 'e' | 'E'));
    if let (true, Ok(number)) = (is_decimal, text.parse::<f64>()) {
        return ScalarValue::Float64(Some(number));
    }
    match text {
        "true" => ScalarValue::Boolean(Some(true)),
        "false" => ScalarValue::Boolean(Some(false)),
        _ => ScalarValue::Utf8(Some(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_what_they_look_like() {
        assert_eq!(guessed("443"), ScalarValue::Int64(Some(443)));
        assert_eq!(guessed("-0.5"), ScalarValue::Float64(Some(-0.5)));
        assert_eq!(guessed("true"), ScalarValue::Boolean(Some(true)));
        for text in ["10.0.0.1", "007", "nan", "x' OR 1=1 --", ""] {
            assert_eq!(guessed(text), ScalarValue::Utf8(Some(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn a_place_decides_the_type() {
        let ns = DataType::Timestamp(arrow::datatypes::TimeUnit::Nanosecond, Some("UTC".into()));
        assert!(matches!(typed("t", "2026-11-23T06:42:40Z", &ns), Ok(ScalarValue::TimestampNanosecond(Some(_), Some(_)))));
        assert!(typed("t", "yesterday", &ns).is_err());
        assert_eq!(typed("q", "443", &DataType::Utf8).unwrap(), ScalarValue::Utf8(Some("443".into())));
        assert!(typed("p", "http", &DataType::UInt16).is_err());
    }
}
