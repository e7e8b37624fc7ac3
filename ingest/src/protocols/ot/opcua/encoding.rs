//! The binary encoding of built-in types (OPC UA Part 6, section 5.2).

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::protocols::hex::hex;
use crate::wire::{Malformed, Reader, Wire};

/// How deep variants, data values and diagnostics hold each other.
const MAX_DEPTH: usize = 8;
/// Elements of an array that are read.
pub const MAX_ITEMS: i32 = 10_000;
/// Elements of an array that are shown.
const SHOWN: usize = 16;

/// Octets of a string or byte string; `None` where it is null.
pub fn octets<'a>(reader: &mut Reader<'a>) -> Wire<Option<&'a [u8]>> {
    match i32::from_le_bytes(reader.array::<4>()?) {
        -1 => Ok(None),
        length => reader.take(usize::try_from(length).map_err(|_| Malformed)?).map(Some),
    }
}

/// A string; what is no UTF-8 in it is replaced.
pub fn text<'a>(reader: &mut Reader<'a>) -> Wire<Option<Cow<'a, str>>> {
    Ok(octets(reader)?.map(String::from_utf8_lossy))
}

/// Length of an array, null taken for empty.
pub fn count(reader: &mut Reader<'_>) -> Wire<usize> {
    match i32::from_le_bytes(reader.array::<4>()?) {
        -1 => Ok(0),
        count @ 0..=MAX_ITEMS => usize::try_from(count).map_err(|_| Malformed),
        _ => Err(Malformed),
    }
}

/// A node id in the form of its string notation (Part 6, section 5.3.1.10).
pub fn node_id(reader: &mut Reader<'_>) -> Wire<String> {
    let kind = reader.u8()?;
    let text = plain_node_id(reader, kind & 0x3f)?;
    // What an expanded one adds.
    if kind & 0x80 != 0 {
        octets(reader)?;
    }
    if kind & 0x40 != 0 {
        reader.skip(4)?;
    }
    Ok(text)
}

fn plain_node_id(reader: &mut Reader<'_>, kind: u8) -> Wire<String> {
    let (namespace, id) = match kind {
        0 => (0, format!("i={}", reader.u8()?)),
        1 => (u16::from(reader.u8()?), format!("i={}", reader.le_u16()?)),
        2 => (reader.le_u16()?, format!("i={}", reader.le_u32()?)),
        3 => (reader.le_u16()?, format!("s={}", text(reader)?.unwrap_or_default())),
        4 => (reader.le_u16()?, format!("g={}", guid(reader)?)),
        5 => (reader.le_u16()?, format!("b={}", hex(octets(reader)?.unwrap_or_default()))),
        _ => return Err(Malformed),
    };
    Ok(if namespace == 0 { id } else { format!("ns={namespace};{id}") })
}

/// The number of a node id in namespace 0, of which kind those of encodings are.
pub fn encoding_id(reader: &mut Reader<'_>) -> Wire<Option<u32>> {
    let start = *reader;
    match reader.u8()? & 0x3f {
        0 => Ok(Some(u32::from(reader.u8()?))),
        1 => {
            let (namespace, id) = (reader.u8()?, reader.le_u16()?);
            Ok((namespace == 0).then_some(u32::from(id)))
        }
        2 => {
            let (namespace, id) = (reader.le_u16()?, reader.le_u32()?);
            Ok((namespace == 0).then_some(id))
        }
        _ => {
            *reader = start;
            node_id(reader)?;
            Ok(None)
        }
    }
}

fn guid(reader: &mut Reader<'_>) -> Wire<String> {
    let (a, b, c) = (reader.le_u32()?, reader.le_u16()?, reader.le_u16()?);
    let [d, e, rest @ ..] = reader.array::<8>()?;
    Ok(format!("{a:08x}-{b:04x}-{c:04x}-{d:02x}{e:02x}-{}", hex(&rest)))
}

/// Text of a localized text.
pub fn localized<'a>(reader: &mut Reader<'a>) -> Wire<Option<Cow<'a, str>>> {
    let mask = reader.u8()?;
    if mask & 1 != 0 {
        octets(reader)?;
    }
    if mask & 2 != 0 { text(reader) } else { Ok(None) }
}

/// A qualified name.
pub fn qualified<'a>(reader: &mut Reader<'a>) -> Wire<Option<Cow<'a, str>>> {
    reader.skip(2)?;
    text(reader)
}

/// An extension object: its encoding's number in namespace 0, and its body where that is binary.
pub fn extension<'a>(reader: &mut Reader<'a>) -> Wire<(Option<u32>, &'a [u8])> {
    let id = encoding_id(reader)?;
    match reader.u8()? {
        0 => Ok((id, &[])),
        1 => Ok((id, octets(reader)?.unwrap_or_default())),
        2 => {
            octets(reader)?;
            Ok((id, &[]))
        }
        _ => Err(Malformed),
    }
}

/// Passes over diagnostic information.
pub fn diagnostics(reader: &mut Reader<'_>) -> Wire<()> {
    for _ in 0..MAX_DEPTH {
        let mask = reader.u8()?;
        for bit in [1, 2, 4, 8] {
            if mask & bit != 0 {
                reader.skip(4)?;
            }
        }
        if mask & 0x10 != 0 {
            octets(reader)?;
        }
        if mask & 0x20 != 0 {
            reader.skip(4)?;
        }
        if mask & 0x40 == 0 {
            return Ok(());
        }
    }
    Err(Malformed)
}

/// A value: as text, and as a number where it is one.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct Value {
    pub text: String,
    pub number: Option<f64>,
    pub kind: &'static str,
}

impl Value {
    fn number(number: f64, text: impl ToString, kind: &'static str) -> Self {
        Self { text: text.to_string(), number: Some(number).filter(|number| number.is_finite()), kind }
    }

    fn text(text: impl Into<String>, kind: &'static str) -> Self {
        Self { text: text.into(), number: None, kind }
    }
}

/// A variant: null, one value, or an array of them.
pub fn variant(reader: &mut Reader<'_>, depth: usize) -> Wire<Value> {
    let mask = reader.u8()?;
    let kind = mask & 0x3f;
    if kind == 0 {
        return Ok(Value::text("null", "null"));
    }
    if mask & 0x80 == 0 {
        return scalar(reader, kind, depth);
    }
    let length = count(reader)?;
    let mut shown = String::from("[");
    for index in 0..length {
        let value = scalar(reader, kind, depth)?;
        if index < SHOWN {
            let _ = write!(shown, "{}{}", if index > 0 { ", " } else { "" }, value.text);
        }
    }
    if length > SHOWN {
        let _ = write!(shown, ", ... {length} in all");
    }
    shown.push(']');
    if mask & 0x40 != 0 {
        let dimensions = count(reader)?;
        reader.skip(dimensions * 4)?;
    }
    Ok(Value::text(shown, "array"))
}

fn scalar(reader: &mut Reader<'_>, kind: u8, depth: usize) -> Wire<Value> {
    #[allow(clippy::cast_precision_loss)]
    Ok(match kind {
        1 => {
            let is_set = reader.u8()? != 0;
            Value::number(f64::from(u8::from(is_set)), is_set, "bool")
        }
        2 => reader.i8().map(|number| Value::number(f64::from(number), number, "i8"))?,
        3 => reader.u8().map(|number| Value::number(f64::from(number), number, "u8"))?,
        4 => i16::from_le_bytes(reader.array()?).pipe(|number| Value::number(f64::from(number), number, "i16")),
        5 => reader.le_u16().map(|number| Value::number(f64::from(number), number, "u16"))?,
        6 => i32::from_le_bytes(reader.array()?).pipe(|number| Value::number(f64::from(number), number, "i32")),
        7 => reader.le_u32().map(|number| Value::number(f64::from(number), number, "u32"))?,
        8 => i64::from_le_bytes(reader.array()?).pipe(|number| Value::number(number as f64, number, "i64")),
        9 => reader.le_u64().map(|number| Value::number(number as f64, number, "u64"))?,
        10 => f32::from_le_bytes(reader.array()?).pipe(|number| Value::number(f64::from(number), number, "f32")),
        11 => f64::from_le_bytes(reader.array()?).pipe(|number| Value::number(number, number, "f64")),
        12 | 16 => Value::text(text(reader)?.unwrap_or_default(), "text"),
        13 => Value::text(super::time(reader.array()?), "time"),
        14 => Value::text(guid(reader)?, "guid"),
        15 => Value::text(hex(octets(reader)?.map_or(&[][..], |octets| octets.get(..256.min(octets.len())).unwrap_or_default())), "bytes"),
        17 | 18 => Value::text(node_id(reader)?, "node"),
        19 => reader.le_u32().map(|code| Value::text(super::names::status(code).map_or_else(|| format!("0x{code:08x}"), str::to_owned), "status"))?,
        20 => Value::text(qualified(reader)?.unwrap_or_default(), "name"),
        21 => Value::text(localized(reader)?.unwrap_or_default(), "text"),
        22 => {
            let (id, body) = extension(reader)?;
            Value::text(format!("structure {}, {} octets", id.map_or_else(|| "?".to_owned(), |id| format!("i={id}")), body.len()), "structure")
        }
        23 if depth < MAX_DEPTH => data_value(reader, depth + 1)?.value.unwrap_or_default(),
        24 if depth < MAX_DEPTH => variant(reader, depth + 1)?,
        25 => {
            diagnostics(reader)?;
            Value::text("diagnostics", "diagnostics")
        }
        _ => return Err(Malformed),
    })
}

/// Calls a function with a value: numbers that only arrays give read in one line.
trait Pipe: Sized {
    fn pipe<R>(self, call: impl FnOnce(Self) -> R) -> R {
        call(self)
    }
}

impl<T: Copy> Pipe for T {}

/// A value with its status and time.
#[derive(Default, Debug)]
pub struct DataValue {
    pub value: Option<Value>,
    pub status: Option<u32>,
    /// Nanoseconds since 1970.
    pub source_time: Option<i64>,
}

/// Reads a data value.
pub fn data_value(reader: &mut Reader<'_>, depth: usize) -> Wire<DataValue> {
    let mask = reader.u8()?;
    let mut value = DataValue::default();
    if mask & 0x01 != 0 {
        value.value = Some(variant(reader, depth)?);
    }
    if mask & 0x02 != 0 {
        value.status = Some(reader.le_u32()?);
    }
    if mask & 0x04 != 0 {
        value.source_time = super::nanoseconds(reader.array()?);
    }
    if mask & 0x10 != 0 {
        reader.skip(2)?;
    }
    if mask & 0x08 != 0 {
        reader.skip(8)?;
    }
    if mask & 0x20 != 0 {
        reader.skip(2)?;
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_ids_in_their_notation() {
        let read = |octets: &[u8]| node_id(&mut Reader::new(octets)).ok();
        assert_eq!(read(&[0, 84]).as_deref(), Some("i=84"));
        assert_eq!(read(&[1, 2, 0x34, 0x12]).as_deref(), Some("ns=2;i=4660"));
        assert_eq!(read(&[3, 1, 0, 4, 0, 0, 0, b't', b'a', b'n', b'k']).as_deref(), Some("ns=1;s=tank"));
        assert_eq!(read(&[0x40, 84, 1, 0, 0, 0]).as_deref(), Some("i=84"));
        assert_eq!(read(&[7, 0]), None);
        assert_eq!(encoding_id(&mut Reader::new(&[1, 0, 0xac, 1])), Ok(Some(428)));
    }

    #[test]
    fn values_of_all_kinds() {
        let read = |octets: &[u8]| variant(&mut Reader::new(octets), 0).ok();
        assert_eq!(read(&[11, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f]), Some(Value { text: "1.5".into(), number: Some(1.5), kind: "f64" }));
        assert_eq!(read(&[1, 1]).and_then(|value| value.number), Some(1.0));
        assert_eq!(read(&[0x84, 2, 0, 0, 0, 1, 0, 0xff, 0xff]).map(|value| value.text).as_deref(), Some("[1, -1]"));
        assert_eq!(read(&[0x84, 0xff, 0xff, 0xff, 0x7f, 1]), None, "an array longer than its message");
        // Variants in variants end.
        assert_eq!(read(&[24; 64]), None);
    }
}
