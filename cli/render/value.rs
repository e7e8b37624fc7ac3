//! How a value looks: one place decides, by the column's unit.

use std::collections::HashMap;

use arrow::array::{AnyDictionaryArray, Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimeUnit, TimestampNanosecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use pcapper_queries::functions::redaction_marks;
pub use pcapper_queries::reference::type_name;
use pcapper_queries::report::Unit;
use serde_json::{Number, Value};

/// What stands for null.
pub const NULL: &str = "-";

/// The marks of secrets, numbered in order of appearance.
#[derive(Default)]
pub struct Secrets {
    numbers: HashMap<String, usize>,
    /// Marks are left as they are, to be numbered later.
    keep: bool,
}

impl Secrets {
    /// Leaves the marks in texts, for a second pass that numbers them in the order it brings the rows into.
    pub fn kept() -> Self {
        Self { numbers: HashMap::new(), keep: true }
    }

    /// The text with each mark as `redacted:N`.
    pub fn numbered(&mut self, text: &str) -> String {
        if self.keep {
            return text.to_owned();
        }
        let mut out = String::with_capacity(text.len());
        let mut from = 0;
        for mark in redaction_marks(text) {
            out.push_str(text.get(from..mark.start).unwrap_or_default());
            let next = self.numbers.len() + 1;
            let number = *self.numbers.entry(text.get(mark.clone()).unwrap_or_default().to_owned()).or_insert(next);
            out.push_str(&format!("redacted:{number}"));
            from = mark.end;
        }
        out.push_str(text.get(from..).unwrap_or_default());
        out
    }
}

/// A cell as JSON: raw and typed. `big_as_text` spells integers beyond 2^53 as strings, for readers that hold all numbers
/// as doubles.
pub fn json(array: &ArrayRef, row: usize, secrets: &mut Secrets, big_as_text: bool) -> Value {
    // Nothing but nulls is a type of its own, whose array does not call them so.
    if array.is_null(row) || *array.data_type() == DataType::Null {
        return Value::Null;
    }
    let integer = |value: u64| if big_as_text && value > 1 << 53 { Value::String(value.to_string()) } else { Value::Number(value.into()) };
    let signed = |value: i64| {
        if big_as_text && value.unsigned_abs() > 1 << 53 { Value::String(value.to_string()) } else { Value::Number(value.into()) }
    };
    match array.data_type() {
        DataType::UInt8 => integer(array.as_primitive::<UInt8Type>().value(row).into()),
        DataType::UInt16 => integer(array.as_primitive::<UInt16Type>().value(row).into()),
        DataType::UInt32 => integer(array.as_primitive::<UInt32Type>().value(row).into()),
        DataType::UInt64 => integer(array.as_primitive::<UInt64Type>().value(row)),
        DataType::Int8 => signed(array.as_primitive::<Int8Type>().value(row).into()),
        DataType::Int16 => signed(array.as_primitive::<Int16Type>().value(row).into()),
        DataType::Int32 => signed(array.as_primitive::<Int32Type>().value(row).into()),
        DataType::Int64 => signed(array.as_primitive::<Int64Type>().value(row)),
        DataType::Float32 => Number::from_f64(array.as_primitive::<Float32Type>().value(row).into()).map_or(Value::Null, Value::Number),
        DataType::Float64 => Number::from_f64(array.as_primitive::<Float64Type>().value(row)).map_or(Value::Null, Value::Number),
        DataType::Boolean => Value::Bool(array.as_boolean().value(row)),
        DataType::Timestamp(..) => instant(array, row).map_or_else(|| Value::String(fallback(array, row)), |ns| Value::String(time(ns, 9))),
        DataType::Utf8 => Value::String(secrets.numbered(array.as_string::<i32>().value(row))),
        DataType::Binary => Value::String(hex(array.as_binary::<i32>().value(row))),
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            Value::Array((0..items.len()).map(|item| json(&items, item, secrets, big_as_text)).collect())
        }
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            json(dictionary.values(), key(dictionary, row), secrets, big_as_text)
        }
        _ => Value::String(secrets.numbered(&fallback(array, row))),
    }
}

/// Place of a row's value in its dictionary.
fn key(dictionary: &dyn AnyDictionaryArray, row: usize) -> usize {
    let keys = dictionary.keys();
    match keys.data_type() {
        DataType::Int32 => usize::try_from(keys.as_primitive::<Int32Type>().value(row)).unwrap_or_default(),
        DataType::UInt16 => keys.as_primitive::<UInt16Type>().value(row).into(),
        DataType::UInt32 => keys.as_primitive::<UInt32Type>().value(row) as usize,
        _ => dictionary.normalized_keys().get(row).copied().unwrap_or_default(),
    }
}

/// A time in nanoseconds since 1970; `None` for one too far away to be told so.
pub fn instant(array: &ArrayRef, row: usize) -> Option<i64> {
    let DataType::Timestamp(unit, zone) = array.data_type() else { return None };
    if array.is_null(row) {
        return None;
    }
    if *unit == TimeUnit::Nanosecond {
        return Some(array.as_primitive::<TimestampNanosecondType>().value(row));
    }
    let wanted = DataType::Timestamp(TimeUnit::Nanosecond, zone.clone());
    let one = arrow::compute::cast(&array.slice(row, 1), &wanted).ok()?;
    (!one.is_null(0)).then(|| one.as_primitive::<TimestampNanosecondType>().value(0))
}

/// Text of types that no table of ours has, but a query can make.
fn fallback(array: &ArrayRef, row: usize) -> String {
    arrow::util::display::array_value_to_string(array, row).unwrap_or_default()
}

/// Where a value is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Behind a label.
    Fact,
    /// In a table.
    Cell,
}

/// A cell as text for people. `digits` of a second are shown in times.
pub fn shown(array: &ArrayRef, row: usize, unit: Unit, place: Place, digits: usize, secrets: &mut Secrets) -> String {
    match instant(array, row) {
        Some(ns) => time(ns, digits),
        None => text(&json(array, row, secrets, false), unit, place),
    }
}

fn text(value: &Value, unit: Unit, place: Place) -> String {
    match value {
        Value::Null => NULL.to_owned(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::String(text) if text.is_empty() => NULL.to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => NULL.to_owned(),
        Value::Array(items) => {
            items.iter().map(|item| text(item, if unit == Unit::Text { Unit::Id } else { unit }, place)).collect::<Vec<_>>().join(", ")
        }
        Value::Object(_) => value.to_string(),
        Value::Number(number) => {
            let float = number.as_f64().unwrap_or_default();
            match unit {
                Unit::Bytes => bytes(float, place),
                Unit::Seconds => duration(float, place),
                Unit::Milliseconds => duration(float / 1e3, Place::Fact),
                Unit::Share => format!("{:.1}%", float * 100.0),
                Unit::Count | Unit::Time | Unit::Text | Unit::Id => match (number.is_f64(), place, unit) {
                    (true, ..) => trimmed(float),
                    (false, Place::Fact, Unit::Count) => thousands(&number.to_string()),
                    _ => number.to_string(),
                },
            }
        }
    }
}

fn trimmed(float: f64) -> String {
    let text = format!("{float:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `214,993`.
pub fn thousands(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    format!("{sign}{out}")
}

/// 1024-based; below 1 KB exact.
pub fn bytes(count: f64, place: Place) -> String {
    const UNITS: [&str; 5] = ["KB", "MB", "GB", "TB", "PB"];
    if count.abs() < 1024.0 {
        return format!("{} B", trimmed(count));
    }
    let digits = if place == Place::Fact { 2 } else { 1 };
    let mut scaled = count / 1024.0;
    let mut unit = UNITS[0];
    for next in &UNITS[1..] {
        // As it will be shown: never `1024.0 KB`.
        if rounded(scaled.abs(), digits) < 1024.0 {
            break;
        }
        scaled /= 1024.0;
        unit = next;
    }
    format!("{scaled:.digits$} {unit}")
}

fn rounded(number: f64, digits: usize) -> f64 {
    let scale = 10_f64.powi(digits as i32);
    (number * scale).round() / scale
}

/// `90.6 ms`, `12.40 s`, `26m 29.0s`, `2h 13m 14.2s`, `3d 2h 13m`; in tables whole seconds from a minute up.
pub fn duration(seconds: f64, place: Place) -> String {
    let (sign, seconds) = if seconds < 0.0 { ("-", -seconds) } else { ("", seconds) };
    // Each form is chosen by what it would show, so that none shows `1000.0 ms` or `60.00 s`.
    let text = if seconds == 0.0 {
        "0 s".to_owned()
    } else if rounded(seconds * 1e6, 0) < 1e3 {
        format!("{:.0} µs", seconds * 1e6)
    } else if rounded(seconds * 1e3, 1) < 1e3 {
        format!("{:.1} ms", seconds * 1e3)
    } else if rounded(seconds, 2) < 60.0 {
        format!("{seconds:.2} s")
    } else {
        let tenths = if place == Place::Fact { (seconds * 10.0).round() } else { seconds.max(60.0).floor() * 10.0 } as u64;
        let whole = tenths / 10;
        let (days, hours, minutes) = (whole / 86_400, whole / 3600 % 24, whole / 60 % 60);
        let rest = if place == Place::Fact { format!("{}.{}s", whole % 60, tenths % 10) } else { format!("{}s", whole % 60) };
        match (days, hours, minutes) {
            (0, 0, minutes) => format!("{minutes}m {rest}"),
            (0, hours, minutes) => format!("{hours}h {minutes}m {rest}"),
            (days, hours, minutes) => format!("{days}d {hours}h {minutes}m"),
        }
    };
    format!("{sign}{text}")
}

/// ISO 8601, UTC, with so many digits of a second (0 to 9).
pub fn time(ns: i64, digits: usize) -> String {
    let (seconds, fraction) = (ns.div_euclid(1_000_000_000), ns.rem_euclid(1_000_000_000));
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let mut text = format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
    if digits > 0 {
        let fraction = format!("{fraction:09}");
        text.push('.');
        text.push_str(fraction.get(..digits.min(9)).unwrap_or_default());
    }
    text.push('Z');
    text
}

/// Date of a day counted from 1970-01-01, in the proleptic Gregorian calendar: eras of 400 years begin on 1 March.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units() {
        assert_eq!(thousands("214993"), "214,993");
        assert_eq!(bytes(870.0, Place::Fact), "870 B");
        assert_eq!(bytes(139_901_731.0, Place::Fact), "133.42 MB");
        assert_eq!(bytes(109_261_619.0, Place::Cell), "104.2 MB");
        assert_eq!(duration(0.0906, Place::Fact), "90.6 ms");
        assert_eq!(duration(12.4, Place::Fact), "12.40 s");
        assert_eq!(duration(1589.0, Place::Fact), "26m 29.0s");
        assert_eq!(duration(7994.2, Place::Fact), "2h 13m 14.2s");
        assert_eq!(duration(7992.9, Place::Cell), "2h 13m 12s");
        assert_eq!(duration(267_180.0, Place::Fact), "3d 2h 13m");
        assert_eq!(duration(119.97, Place::Fact), "2m 0.0s");
        assert_eq!(duration(59.999, Place::Cell), "1m 0s");
        assert_eq!(duration(0.999_97, Place::Fact), "1.00 s");
        assert_eq!(bytes(1_048_575.0, Place::Fact), "1.00 MB");
    }

    #[test]
    fn times() {
        assert_eq!(time(1_363_709_111_062_053_000, 6), "2013-03-19T16:05:11.062053Z");
        assert_eq!(time(951_782_400_000_000_000, 0), "2000-02-29T00:00:00Z");
        assert_eq!(time(-1, 9), "1969-12-31T23:59:59.999999999Z");
    }

    #[test]
    fn secrets_are_numbered() {
        let mut secrets = Secrets::default();
        let text = "redacted:0123456789abcdef redacted:1123456789abcdef redacted:0123456789abcdef";
        assert_eq!(secrets.numbered(text), "redacted:1 redacted:2 redacted:1");
    }
}
