//! Items of variable services: what is read and written, with its values.

use std::borrow::Cow;
use std::fmt::Write as _;

use pcapper_schema::Common;
use pcapper_schema::tables::{OtCommands, ProcessValues, S7commItems};

use super::names;
use super::pdu::Pdu;
use crate::protocols::Cx;
use crate::protocols::ot::points::{MAX_COMMANDS, Owner, command, milliseconds, value};
use crate::wire::{Reader, Wire};

/// Most elements of one item that get values of their own.
const MAX_ELEMENTS: usize = 256;

/// An item's address.
#[derive(Clone, Copy, Debug)]
struct Address {
    syntax: u8,
    any: Option<Any>,
}

/// An address of the S7ANY form.
#[derive(Clone, Copy, Debug)]
struct Any {
    size: u8,
    length: u16,
    db: u16,
    area: u8,
    /// Octets and bits together; the number itself for timers and counters.
    address: u32,
}

/// Reads the next address: 0x12, length, syntax and what it says.
fn address(reader: &mut Reader<'_>) -> Wire<Address> {
    reader.skip(1)?;
    let length = usize::from(reader.u8()?);
    let mut fields = reader.sub(length)?;
    let syntax = fields.u8()?;
    let any = if syntax == 0x10 && length == 10 {
        Some(Any { size: fields.u8()?, length: fields.be_u16()?, db: fields.be_u16()?, area: fields.u8()?, address: fields.be_u24()? })
    } else {
        None
    };
    // Addresses are padded to whole words.
    if length % 2 != 0 && !reader.is_empty() {
        reader.skip(1)?;
    }
    Ok(Address { syntax, any })
}

impl Any {
    fn has_number(&self) -> bool {
        matches!(self.area, 0x1c | 0x1d)
    }

    /// STEP 7 notation, of the element so many octets behind the first; `count` elements.
    fn point(&self, behind: u32, count: u16) -> Option<String> {
        let area = names::area(self.area)?;
        let mut text = String::new();
        let _ = if self.has_number() {
            write!(text, "{area}{}", self.address.saturating_add(behind / 2))
        } else {
            let octet = (self.address >> 3).saturating_add(behind);
            let letter = match self.size {
                1 => "X",
                4 | 5 | 9 | 12 => "W",
                6 | 7 | 8 | 10 | 11 => "D",
                _ => "B",
            };
            match (matches!(self.area, 0x84 | 0x85), letter) {
                (true, "X") => write!(text, "{area}{}.DBX{octet}.{}", self.db, self.address & 7),
                (true, letter) => write!(text, "{area}{}.DB{letter}{octet}", self.db),
                (false, "X") => write!(text, "{area}{octet}.{}", self.address & 7),
                (false, letter) => write!(text, "{area}{letter}{octet}"),
            }
        };
        if count > 1 {
            let _ = write!(text, "[{count}]");
        }
        Some(text)
    }

    /// Numbers of the elements, where the size says what they are.
    fn numbers(&self, octets: &[u8]) -> Vec<f64> {
        let width = names::transport_size(self.size).map_or(0, |(_, width)| usize::from(width));
        if width == 0 || octets.len() != width * usize::from(self.length) || self.length > 1 && matches!(self.size, 2 | 3) {
            return Vec::new();
        }
        let number = |element: &[u8]| match (self.size, element) {
            (1, [bit]) => Some(f64::from(bit & 1)),
            (2 | 3, [octet]) => Some(f64::from(*octet)),
            (4 | 12 | 28 | 29, [a, b]) => Some(f64::from(u16::from_be_bytes([*a, *b]))),
            (5, [a, b]) => Some(f64::from(i16::from_be_bytes([*a, *b]))),
            (6, [a, b, c, d]) => Some(f64::from(u32::from_be_bytes([*a, *b, *c, *d]))),
            (7, [a, b, c, d]) => Some(f64::from(i32::from_be_bytes([*a, *b, *c, *d]))),
            (8, [a, b, c, d]) => Some(f64::from(f32::from_be_bytes([*a, *b, *c, *d]))),
            _ => None,
        };
        octets.chunks(width).take(MAX_ELEMENTS).filter_map(number).filter(|number| number.is_finite()).collect()
    }
}

/// The next item of the data: return code, transport size, length, content padded to whole words.
fn content<'a>(reader: &mut Reader<'a>, is_answer: bool) -> Wire<(u8, &'a [u8])> {
    let [code, size] = reader.array::<2>()?;
    let length = usize::from(reader.be_u16()?);
    if is_answer && code != 0xff {
        // Nothing was read, whatever the length says.
        return Ok((code, &[]));
    }
    let octets = if matches!(size, 3..=5) { length.div_ceil(8) } else { length };
    let content = reader.take(octets)?;
    if octets % 2 != 0 && !reader.is_empty() {
        reader.skip(1)?;
    }
    Ok((code, content))
}

/// Writes the items of a request with its answer; `common` is that of the requester, in the frame of the answer if there is one.
pub fn emit(cx: &mut Cx<'_>, common: &Common, asked_at: &Common, request: &Pdu<'_>, answer: Option<&Pdu<'_>>, unit: Option<&str>) {
    let is_write = request.function() == Some(names::WRITE);
    let mut addresses = Reader::new(request.parameters);
    let Ok([_, count]) = addresses.array::<2>() else { return };
    let mut written = Reader::new(if is_write { request.data } else { &[] });
    let mut said = Reader::new(answer.map_or(&[], |answer| answer.data));
    for item in 0..count {
        let Ok(found) = address(&mut addresses) else { break };
        let asked = content(&mut written, false).ok().map(|(_, octets)| octets);
        let got = if is_write { said.u8().ok().map(|code| (code, &[][..])) } else { content(&mut said, true).ok() };
        let code = got.map(|(code, _)| code).filter(|_| answer.is_some_and(Pdu::is_ok));
        let octets = if is_write { asked } else { got.filter(|(code, _)| *code == 0xff).map(|(_, octets)| octets) };
        let octets = octets.filter(|octets| !octets.is_empty());
        let numbers = found.any.zip(octets).map(|(any, octets)| any.numbers(octets)).unwrap_or_default();
        let text = octets.map(|octets| display(found.any.as_ref(), &numbers, octets));
        let point = found.any.and_then(|any| any.point(0, any.length));
        cx.emit_as(
            common,
            S7commItems {
                request_frame: Some(asked_at.frame),
                response_frame: answer.map(|_| common.frame),
                pdu_reference: Some(request.reference),
                operation: Some(if is_write { "write" } else { "read" }),
                item: Some(item),
                syntax_id: Some(found.syntax),
                transport_size: found.any.map(|any| any.size),
                transport_size_name: found.any.and_then(|any| names::transport_size(any.size)).map(|(name, _)| name),
                area: found.any.map(|any| any.area),
                area_name: found.any.and_then(|any| names::area(any.area)),
                db_number: found.any.filter(|any| matches!(any.area, 0x84 | 0x85)).map(|any| any.db),
                byte_address: found.any.map(|any| if any.has_number() { any.address } else { any.address >> 3 }),
                bit_address: found.any.filter(|any| !any.has_number()).and_then(|any| u8::try_from(any.address & 7).ok()),
                length: found.any.map(|any| any.length),
                point: point.as_deref(),
                return_code: code,
                return_name: code.and_then(names::return_code),
                value: octets,
                value_text: text.as_deref(),
            },
        );
        let outcome = match (answer, code) {
            (None, _) => "no_response",
            (Some(_), Some(0xff)) => "ok",
            _ => "refused",
        };
        if let Some(any) = &found.any
            && (is_write || outcome == "ok")
        {
            values(cx, common, asked_at, any, &numbers, is_write.then_some(outcome), unit);
        }
        let shown = if usize::from(count) > MAX_COMMANDS { 1 } else { count };
        if is_write && item < shown {
            let error = code.filter(|code| *code != 0xff).and_then(names::return_code);
            let of_header = answer.and_then(|answer| answer.error).and_then(|(class, code)| names::header_error(class, code));
            command(
                cx,
                common,
                true,
                OtCommands {
                    protocol: Some("s7comm"),
                    request_frame: Some(asked_at.frame),
                    response_frame: answer.map(|_| common.frame),
                    target_unit: unit,
                    class: Some("write"),
                    command: Some("write_variable"),
                    command_code: Some("0x05"),
                    point: point.as_deref(),
                    value: text.as_deref(),
                    quantity: Some(if shown < count { u32::from(count) } else { found.any.map_or(1, |any| u32::from(any.length)) }),
                    is_broadcast: Some(false),
                    outcome: Some(outcome),
                    error: error.or(of_header.as_deref()),
                    latency_ms: answer.and_then(|_| milliseconds(asked_at.ts, common.ts)),
                    ..OtCommands::default()
                },
            );
        }
    }
}

fn display(any: Option<&Any>, numbers: &[f64], octets: &[u8]) -> Cow<'static, str> {
    match (any, numbers) {
        (Some(any), [number]) if any.length == 1 => Cow::Owned(number.to_string()),
        _ => Cow::Owned(octets.iter().take(32).fold(String::new(), |mut text, octet| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{octet:02x}");
            text
        })),
    }
}

fn values(cx: &mut Cx<'_>, common: &Common, asked_at: &Common, any: &Any, numbers: &[f64], outcome: Option<&str>, unit: Option<&str>) {
    let Some((name, width)) = names::transport_size(any.size) else { return };
    for (number, behind) in numbers.iter().zip((0_u32..).step_by(usize::from(width))) {
        let Some(point) = any.point(behind, 1) else { return };
        value(
            cx,
            common,
            Owner::Destination,
            ProcessValues {
                source_protocol: Some("s7comm"),
                request_frame: Some(asked_at.frame),
                unit_id: unit,
                point: Some(&point),
                object_type: names::area(any.area),
                direction: Some(if outcome.is_some() { "write" } else { "read" }),
                value: Some(*number),
                raw_type: Some(name),
                outcome,
                // A byte or word may be anything.
                confidence: Some(if matches!(any.size, 2..=4 | 6) { "medium" } else { "high" }),
                ..ProcessValues::default()
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_written_as_in_step_7() {
        let any = |size, area, db, address, length| Any { size, length, db, area, address };
        for (any, expected) in [
            (any(1, 0x84, 1, 0x0b, 1), "DB1.DBX1.3"),
            (any(8, 0x84, 2, 32, 1), "DB2.DBD4"),
            (any(2, 0x84, 1, 0, 20), "DB1.DBB0[20]"),
            (any(1, 0x83, 0, 803, 1), "M100.3"),
            (any(2, 0x82, 0, 32, 1), "QB4"),
            (any(29, 0x1d, 0, 5, 1), "T5"),
        ] {
            assert_eq!(any.point(0, any.length).unwrap(), expected);
        }
    }

    #[test]
    fn addresses_and_contents() {
        let mut reader = Reader::new(&[0x12, 10, 0x10, 5, 0, 2, 0, 1, 0x84, 0, 0, 0x10]);
        let any = address(&mut reader).unwrap().any.unwrap();
        assert_eq!((any.size, any.length, any.db, any.address), (5, 2, 1, 16));
        assert_eq!(any.numbers(&[0, 1, 0xff, 0xff]), [1.0, -1.0]);
        assert_eq!(any.point(2, 1).unwrap(), "DB1.DBW4");
        let mut reader = Reader::new(&[0xff, 3, 0, 1, 1, 0, 0x0a, 0, 0, 4]);
        assert_eq!(content(&mut reader, true), Ok((0xff, &[1][..])));
        assert_eq!(content(&mut reader, true), Ok((0x0a, &[][..])));
    }
}
