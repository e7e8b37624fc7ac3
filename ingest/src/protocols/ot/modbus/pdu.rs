//! Function code and data of requests and answers (Modbus Application Protocol V1.1b3, section 6).
//!
//! ```text
//! request   function:1  data           answer     function:1  data
//!                                      exception  function | 80:1  code:1
//! ```

use std::borrow::Cow;
use std::fmt::Write as _;

use super::function::{MEI_DEVICE_ID, UMAS, object};
use crate::wire::{Malformed, Reader, Wire};

/// Bit of an answer's function code that says it is an exception.
pub const EXCEPTION: u8 = 0x80;

/// Something that contradicts the standard, as `modbus.malformed` spells it.
pub type Fault = Option<&'static str>;

const LENGTH: Fault = Some("length_mismatch");
const QUANTITY: Fault = Some("bad_quantity");
const BYTE_COUNT: Fault = Some("bad_byte_count");
const VALUE: Fault = Some("bad_value");

/// What a request asks, or an answer repeats of it.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Fields<'a> {
    pub address: Option<u16>,
    pub quantity: Option<u16>,
    pub write_address: Option<u16>,
    pub write_quantity: Option<u16>,
    pub and_mask: Option<u16>,
    pub or_mask: Option<u16>,
    pub subfunction: Option<u16>,
    pub device_id_code: Option<u8>,
    /// What has no column of its own.
    pub data: Option<&'a [u8]>,
    /// The request has values to write (which were put into the list given).
    pub writes: bool,
    pub fault: Fault,
}

/// What an answer says.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Answer<'a> {
    pub exception: Option<u8>,
    /// What it repeats of the request.
    pub echo: Fields<'a>,
    /// It brings values (which were put into the list given).
    pub reads: bool,
    pub conformity_level: Option<u8>,
    pub objects: Option<Vec<Cow<'static, str>>>,
    pub server_id: Option<Cow<'a, str>>,
    pub run_indicator: Option<bool>,
    pub data: Option<&'a [u8]>,
    pub fault: Fault,
}

/// Reads a request, `writes` receiving the values it writes.
pub fn request<'a>(pdu: &'a [u8], writes: &mut Vec<u16>) -> Fields<'a> {
    writes.clear();
    let mut fields = Fields::default();
    let Some((&code, body)) = pdu.split_first() else {
        return Fields { fault: LENGTH, ..fields };
    };
    if code & EXCEPTION != 0 {
        return Fields { fault: VALUE, data: filled(body), ..fields };
    }
    let mut reader = Reader::new(body);
    if request_fields(code, &mut reader, &mut fields, writes).is_err() || !reader.is_empty() {
        fields.fault = fields.fault.or(LENGTH);
    }
    fields
}

fn request_fields<'a>(code: u8, reader: &mut Reader<'a>, fields: &mut Fields<'a>, writes: &mut Vec<u16>) -> Wire<()> {
    match code {
        1..=4 => {
            fields.address = Some(reader.be_u16()?);
            let quantity = reader.be_u16()?;
            fields.quantity = Some(quantity);
            fields.fault = limit(quantity, if code <= 2 { 2000 } else { 125 });
        }
        5 | 6 => {
            fields.address = Some(reader.be_u16()?);
            fields.quantity = Some(1);
            fields.fault = single(code, reader, writes)?;
            fields.writes = true;
        }
        // They have no data; what is there stays and is a fault.
        7 | 11 | 12 | 17 => fields.data = filled(reader.peek()),
        8 => {
            fields.subfunction = Some(reader.be_u16()?);
            fields.data = filled(reader.rest());
        }
        15 | 16 => {
            fields.address = Some(reader.be_u16()?);
            let quantity = reader.be_u16()?;
            fields.quantity = Some(quantity);
            fields.writes = true;
            fields.fault = written(code == 15, quantity, if code == 15 { 1968 } else { 123 }, reader, writes)?;
        }
        20 | 21 => {
            fields.data = filled(reader.peek());
            (fields.quantity, fields.fault) = file_groups(code, reader)?;
        }
        22 => {
            fields.address = Some(reader.be_u16()?);
            fields.quantity = Some(1);
            fields.and_mask = Some(reader.be_u16()?);
            fields.or_mask = Some(reader.be_u16()?);
        }
        23 => {
            fields.address = Some(reader.be_u16()?);
            let read = reader.be_u16()?;
            fields.quantity = Some(read);
            fields.write_address = Some(reader.be_u16()?);
            let quantity = reader.be_u16()?;
            fields.write_quantity = Some(quantity);
            fields.writes = true;
            let fault = written(false, quantity, 121, reader, writes)?;
            fields.fault = limit(read, 125).or(fault);
        }
        24 => fields.address = Some(reader.be_u16()?),
        43 => {
            let mei = reader.u8()?;
            fields.subfunction = Some(u16::from(mei));
            if mei == MEI_DEVICE_ID {
                let read_code = reader.u8()?;
                fields.device_id_code = Some(read_code);
                fields.fault = if matches!(read_code, 1..=4) { None } else { VALUE };
                reader.skip(1)?;
            } else {
                fields.data = filled(reader.rest());
            }
        }
        _ => fields.data = filled(reader.rest()),
    }
    Ok(())
}

/// Reads an answer, `values` receiving what it brings. `request` trims coils to what was asked for.
pub fn answer<'a>(pdu: &'a [u8], request: Option<&Fields<'_>>, values: &mut Vec<u16>) -> Answer<'a> {
    values.clear();
    let mut answer = Answer::default();
    let Some((&code, body)) = pdu.split_first() else {
        return Answer { fault: LENGTH, ..answer };
    };
    let mut reader = Reader::new(body);
    let read = if code & EXCEPTION == 0 {
        answer_fields(code, &mut reader, request, &mut answer, values)
    } else {
        reader.u8().map(|exception| {
            answer.exception = Some(exception);
            answer.fault = if exception == 0 { VALUE } else { None };
        })
    };
    if read.is_err() || !reader.is_empty() {
        answer.fault = answer.fault.or(LENGTH);
    }
    answer
}

fn answer_fields<'a>(code: u8, reader: &mut Reader<'a>, request: Option<&Fields<'_>>, answer: &mut Answer<'a>, values: &mut Vec<u16>) -> Wire<()> {
    let asked = request.and_then(|request| request.quantity);
    match code {
        1..=4 | 23 => {
            let count = usize::from(reader.u8()?);
            let is_bits = code <= 2;
            let octets = reader.peek().get(..count).unwrap_or(reader.peek());
            answer.reads = true;
            if is_bits {
                bits(octets, asked.map_or(usize::MAX, usize::from), values);
            } else {
                registers(octets, values);
            }
            let expected = asked.map(|asked| octets_for(is_bits, asked));
            if expected.is_some_and(|expected| expected != count) || !is_bits && count % 2 != 0 || count != reader.len() {
                answer.fault = BYTE_COUNT;
            }
            reader.rest();
        }
        5 | 6 => {
            answer.echo.address = Some(reader.be_u16()?);
            answer.echo.quantity = Some(1);
            answer.echo.writes = true;
            answer.fault = single(code, reader, values)?;
        }
        7 => answer.data = Some(reader.take(1)?),
        8 => {
            answer.echo.subfunction = Some(reader.be_u16()?);
            answer.data = filled(reader.rest());
        }
        11 => answer.data = Some(reader.take(4)?),
        12 | 17 => {
            let count = usize::from(reader.u8()?);
            let octets = reader.rest();
            answer.data = filled(octets);
            answer.fault = if count == octets.len() { None } else { BYTE_COUNT };
            if code == 17 {
                (answer.server_id, answer.run_indicator) = server_id(octets);
            }
        }
        15 | 16 => {
            answer.echo.address = Some(reader.be_u16()?);
            answer.echo.quantity = Some(reader.be_u16()?);
        }
        20 | 21 => {
            answer.data = filled(reader.peek());
            let count = usize::from(reader.u8()?);
            answer.fault = if count == reader.len() { None } else { BYTE_COUNT };
            reader.rest();
        }
        22 => {
            answer.echo.address = Some(reader.be_u16()?);
            answer.echo.quantity = Some(1);
            answer.echo.and_mask = Some(reader.be_u16()?);
            answer.echo.or_mask = Some(reader.be_u16()?);
        }
        24 => {
            let count = usize::from(reader.be_u16()?);
            let available = reader.len();
            let registers_held = usize::from(reader.be_u16()?);
            let octets = reader.rest();
            answer.reads = true;
            registers(octets, values);
            if count != available || registers_held.saturating_mul(2) != octets.len() {
                answer.fault = BYTE_COUNT;
            }
        }
        43 => {
            let mei = reader.u8()?;
            answer.echo.subfunction = Some(u16::from(mei));
            if mei == MEI_DEVICE_ID {
                device_id(reader, answer)?;
            } else {
                answer.data = filled(reader.rest());
            }
        }
        _ => answer.data = filled(reader.rest()),
    }
    if request.is_some_and(|request| !repeats(request, &answer.echo)) {
        answer.fault = answer.fault.or(VALUE);
    }
    Ok(())
}

/// Whether what an answer repeats is what was asked.
fn repeats(request: &Fields<'_>, echo: &Fields<'_>) -> bool {
    fn same<T: PartialEq>(asked: Option<T>, repeated: Option<T>) -> bool {
        asked.is_none() || repeated.is_none() || asked == repeated
    }
    same(request.address, echo.address)
        && same(request.quantity, echo.quantity)
        && same(request.and_mask, echo.and_mask)
        && same(request.or_mask, echo.or_mask)
        && same(request.subfunction, echo.subfunction)
        && same(request.device_id_code, echo.device_id_code)
}

fn filled(octets: &[u8]) -> Option<&[u8]> {
    (!octets.is_empty()).then_some(octets)
}

fn limit(quantity: u16, most: u16) -> Fault {
    if (1..=most).contains(&quantity) { None } else { QUANTITY }
}

/// Octets that hold so many coils or registers.
fn octets_for(is_bits: bool, quantity: u16) -> usize {
    let quantity = usize::from(quantity);
    if is_bits { quantity.div_ceil(8) } else { quantity * 2 }
}

fn bits(octets: &[u8], most: usize, values: &mut Vec<u16>) {
    values.extend(octets.iter().flat_map(|octet| (0..8).map(move |bit| u16::from(octet >> bit & 1))).take(most));
}

fn registers(octets: &[u8], values: &mut Vec<u16>) {
    values.extend(octets.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair)));
}

/// The value of functions 5 and 6: a coil is 0xFF00 or 0.
fn single(code: u8, reader: &mut Reader<'_>, values: &mut Vec<u16>) -> Wire<Fault> {
    let value = reader.be_u16()?;
    match (code, value) {
        (5, 0xff00) => values.push(1),
        (5, 1..) => return Ok(VALUE),
        _ => values.push(value),
    }
    Ok(None)
}

/// Byte count and values of functions 15, 16 and 23.
fn written(is_bits: bool, quantity: u16, most: u16, reader: &mut Reader<'_>, values: &mut Vec<u16>) -> Wire<Fault> {
    let count = usize::from(reader.u8()?);
    let octets = reader.peek().get(..count).unwrap_or(reader.peek());
    if is_bits {
        bits(octets, usize::from(quantity), values);
    } else {
        registers(octets, values);
    }
    let fits = count == octets_for(is_bits, quantity) && count == reader.len();
    reader.rest();
    Ok(limit(quantity, most).or(if fits { None } else { BYTE_COUNT }))
}

/// Groups of functions 20 and 21 (reference type 6, file, record, length in registers): registers in all.
fn file_groups(code: u8, reader: &mut Reader<'_>) -> Wire<(Option<u16>, Fault)> {
    let count = usize::from(reader.u8()?);
    let octets = reader.rest();
    let mut groups = Reader::new(octets);
    let mut registers = None;
    let mut fault = if count == octets.len() && count > 0 { None } else { BYTE_COUNT };
    while !groups.is_empty() {
        let kind = groups.u8()?;
        groups.skip(4)?;
        let length = groups.be_u16()?;
        if kind != 6 {
            fault = fault.or(VALUE);
        }
        registers = Some(registers.unwrap_or(0_u16).saturating_add(length));
        if code == 21 {
            groups.skip(usize::from(length) * 2)?;
        }
    }
    Ok((registers, fault))
}

/// Function 43/14 behind the MEI type: code, conformity level, more follows, next object, number of objects, objects.
fn device_id(reader: &mut Reader<'_>, answer: &mut Answer<'_>) -> Wire<()> {
    answer.echo.device_id_code = Some(reader.u8()?);
    answer.conformity_level = Some(reader.u8()?);
    reader.skip(2)?;
    let count = reader.u8()?;
    let objects = answer.objects.insert(Vec::new());
    for _ in 0..count {
        let id = reader.u8()?;
        let length = usize::from(reader.u8()?);
        let value = reader.take(length)?;
        let mut text = match object(id) {
            Some(name) => format!("{name}="),
            None => format!("0x{id:02X}="),
        };
        match std::str::from_utf8(value) {
            Ok(value) => text.push_str(value.trim_end_matches('\0')),
            // Private objects may be numbers.
            Err(_) => value.iter().for_each(|octet| {
                let _ = write!(text, "{octet:02x}");
            }),
        }
        objects.push(Cow::Owned(text));
    }
    Ok(())
}

/// Function 17: the id is as long as the device likes, one octet or a text, then 0xFF for running or 0 for stopped, then
/// whatever the device adds. The longest printable run is the text; the indicator stands behind a leading text or second.
fn server_id(octets: &[u8]) -> (Option<Cow<'_, str>>, Option<bool>) {
    let is_printable = |octet: &u8| octet.is_ascii_graphic() || *octet == b' ';
    let leading = octets.iter().take_while(|octet| is_printable(octet)).count();
    let text = octets.split(|octet| !is_printable(octet)).rev().max_by_key(|run| run.len()).filter(|run| run.len() > 1);
    let indicator = octets.get(if leading > 1 { leading } else { 1 });
    let run = match indicator {
        Some(0xff) => Some(true),
        Some(0) => Some(false),
        _ => None,
    };
    (text.map(String::from_utf8_lossy), run)
}

/// Whether these octets are one sound request of a function the standard gives a shape, besides those of UMAS.
pub fn is_request(pdu: &[u8]) -> bool {
    let Some((&code, body)) = pdu.split_first() else {
        return false;
    };
    match code {
        8 => match *body {
            [0, sub, _, _, ..] => sub == 0 || sub <= 20 && sub != 19 && body.len() == 4,
            _ => false,
        },
        43 => matches!(*body, [MEI_DEVICE_ID, 1..=4, _]) || matches!(*body, [13, _, _, ..]),
        UMAS => matches!(*body, [_, sub, ..] if sub < 0xfd),
        1..=7 | 11 | 12 | 15..=17 | 20..=24 => request(pdu, &mut Vec::new()).fault.is_none(),
        _ => false,
    }
}

/// Whether these octets are one sound answer of such a function.
pub fn is_answer(pdu: &[u8]) -> bool {
    let Some((&code, body)) = pdu.split_first() else {
        return false;
    };
    match code {
        1..=4 | 17 | 20 | 21 | 23 if body.len() < 2 => false,
        15 | 16 => matches!(*body, [_, _, high, low] if limit(u16::from_be_bytes([high, low]), if code == 15 { 1968 } else { 123 }).is_none()),
        8 => is_request(pdu),
        43 => {
            matches!(*body, [MEI_DEVICE_ID, 1..=4, 1..=4 | 0x81..=0x84, 0 | 0xff, ..] if answer(pdu, None, &mut Vec::new()).fault.is_none())
                || matches!(*body, [13, _, _, ..])
        }
        UMAS => matches!(*body, [_, 0xfd | 0xfe, ..]),
        1..=7 | 11 | 12 | 17 | 20..=24 => answer(pdu, None, &mut Vec::new()).fault.is_none(),
        EXCEPTION.. => body.len() == 1 && matches!(body, [1..=11]) && is_known(code & !EXCEPTION),
        _ => false,
    }
}

/// Functions that the standard describes, and UMAS.
pub fn is_known(code: u8) -> bool {
    matches!(code, 1..=8 | 11 | 12 | 15..=17 | 20..=24 | 43 | UMAS)
}

/// Octets of the request's or answer's PDU that starts here, where its first octets tell; fails while they are too few or for
/// a function whose length is not written in it.
pub fn length(pdu: &[u8], is_answer: bool) -> Wire<usize> {
    let octet = |at: usize| pdu.get(at).copied().map(usize::from).ok_or(Malformed);
    let code = *pdu.first().ok_or(Malformed)?;
    Ok(match (code, is_answer) {
        (EXCEPTION.., true) => 2,
        (1..=4, true) | (12 | 17 | 20 | 21, true) | (23, true) | (20 | 21, false) => 2 + octet(1)?,
        (1..=6 | 8, _) => 5,
        (7, true) => 2,
        (7 | 11 | 12 | 17, false) => 1,
        (11, true) | (15 | 16, true) => 5,
        (15 | 16, false) => 6 + octet(5)?,
        (22, _) => 7,
        (23, false) => 10 + octet(9)?,
        (24, false) => 3,
        (24, true) => 3 + (octet(1)? << 8 | octet(2)?),
        (43, false) if octet(1)? == usize::from(MEI_DEVICE_ID) => 4,
        (43, true) if octet(1)? == usize::from(MEI_DEVICE_ID) => {
            let mut at = 7;
            for _ in 0..octet(6)? {
                at += 2 + octet(at + 1)?;
            }
            at
        }
        _ => return Err(Malformed),
    })
}
