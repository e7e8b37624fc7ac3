//! PDUs: header, parameters and data apart.
//!
//! ```text
//! 0x32  ROSCTR:1  reserved:2  reference:2  parameter length:2  data length:2  [error class:1  code:1]  parameters  data
//! ```

use std::borrow::Cow;

use super::names;
use crate::protocols::ot::calendar::Civil;
use crate::wire::{Malformed, Reader, Wire};

/// First octet of S7comm PDUs, and of those of its successor.
pub const CLASSIC: u8 = 0x32;
pub const PLUS: u8 = 0x72;

/// A classic PDU.
#[derive(Clone, Copy, Debug)]
pub struct Pdu<'a> {
    pub rosctr: u8,
    pub reference: u16,
    pub parameter_length: u16,
    pub data_length: u16,
    pub error: Option<(u8, u8)>,
    pub parameters: &'a [u8],
    pub data: &'a [u8],
}

impl<'a> Pdu<'a> {
    /// Reads a whole PDU; parameters and data may be cut short.
    pub fn read(bytes: &'a [u8]) -> Wire<Self> {
        let mut reader = Reader::new(bytes);
        let [protocol, rosctr] = reader.array::<2>()?;
        if protocol != CLASSIC || names::rosctr(rosctr).is_none() {
            return Err(Malformed);
        }
        reader.skip(2)?;
        let (reference, parameter_length, data_length) = (reader.be_u16()?, reader.be_u16()?, reader.be_u16()?);
        let error = if matches!(rosctr, 2 | 3) { Some((reader.u8()?, reader.u8()?)) } else { None };
        let parameters = reader.take(usize::from(parameter_length))?;
        let rest = reader.rest();
        let data = rest.get(..usize::from(data_length)).unwrap_or(rest);
        Ok(Self { rosctr, reference, parameter_length, data_length, error, parameters, data })
    }

    /// Function of a job or its answer.
    pub fn function(&self) -> Option<u8> {
        if self.rosctr == 7 { None } else { self.parameters.first().copied() }
    }

    /// No error in the header.
    pub fn is_ok(&self) -> bool {
        self.error.is_none_or(|(class, code)| class == 0 && code == 0)
    }
}

/// Parameters of userdata: 00 01 12, length, method, type and group, subfunction, sequence, and in answers the unit's reference,
/// whether more follow, and an error.
#[derive(Clone, Copy, Debug)]
pub struct Userdata {
    pub kind: u8,
    pub group: u8,
    pub subfunction: u8,
    pub sequence: u8,
    /// Number that the pieces of one answer share; 0 for an answer in one piece.
    pub unit: u8,
    pub last: Option<bool>,
    pub error: Option<u16>,
}

impl Userdata {
    pub fn read(parameters: &[u8]) -> Wire<Self> {
        let mut reader = Reader::new(parameters);
        reader.skip(3)?;
        let length = reader.u8()?;
        reader.skip(1)?;
        let [kind, subfunction, sequence] = reader.array::<3>()?;
        let mut userdata = Self { kind: kind >> 4, group: kind & 0x0f, subfunction, sequence, unit: 0, last: None, error: None };
        // A change of the operating mode is pushed with a length that is not its own.
        if length >= 8 && reader.len() >= 4 {
            userdata.unit = reader.u8()?;
            userdata.last = Some(reader.u8()? == 0);
            userdata.error = Some(reader.be_u16()?);
        }
        Ok(userdata)
    }
}

/// Data of userdata behind return code, transport size and length; nothing where there is none.
pub fn payload(data: &[u8]) -> (Option<u8>, &[u8]) {
    let mut reader = Reader::new(data);
    let (Ok(code), Ok(_), Ok(length)) = (reader.u8(), reader.u8(), reader.be_u16()) else { return (None, &[]) };
    let rest = reader.rest();
    (Some(code), rest.get(..usize::from(length)).unwrap_or(rest))
}

/// Parameters of block transfer and program control.
#[derive(Clone, Default, Debug)]
pub struct Control<'a> {
    pub filename: Option<&'a [u8]>,
    pub upload_id: Option<u32>,
    pub load_length: Option<u32>,
    pub code_length: Option<u32>,
    pub service: Option<&'a [u8]>,
    pub argument: Option<&'a [u8]>,
}

/// Reads them from a job, or from the answer to the start of an upload.
pub fn control<'a>(function: u8, is_job: bool, parameters: &'a [u8]) -> Wire<Control<'a>> {
    let mut reader = Reader::new(parameters);
    let mut control = Control::default();
    let text = |reader: &mut Reader<'a>| -> Wire<&'a [u8]> {
        let length = usize::from(reader.u8()?);
        reader.take(length)
    };
    reader.skip(1)?;
    match function {
        names::REQUEST_DOWNLOAD | names::DOWNLOAD_BLOCK | names::DOWNLOAD_ENDED | names::START_UPLOAD if is_job => {
            reader.skip(3)?;
            let id = reader.be_u32()?;
            control.upload_id = (function == names::START_UPLOAD).then_some(id);
            control.filename = Some(text(&mut reader)?);
            if function == names::REQUEST_DOWNLOAD && !reader.is_empty() {
                let mut lengths = Reader::new(text(&mut reader)?);
                lengths.skip(1)?;
                control.load_length = decimal(lengths.take(6)?);
                control.code_length = decimal(lengths.take(6)?);
            }
        }
        names::START_UPLOAD => {
            reader.skip(3)?;
            control.upload_id = Some(reader.be_u32()?);
            control.load_length = decimal(text(&mut reader)?);
        }
        names::UPLOAD | names::END_UPLOAD if is_job => {
            reader.skip(3)?;
            control.upload_id = Some(reader.be_u32()?);
        }
        names::PLC_CONTROL if is_job => {
            reader.skip(7)?;
            let length = usize::from(reader.be_u16()?);
            control.argument = Some(reader.take(length)?);
            control.service = Some(text(&mut reader)?);
        }
        names::PLC_STOP if is_job => {
            reader.skip(5)?;
            control.service = Some(text(&mut reader)?);
        }
        _ => {}
    }
    Ok(control)
}

fn decimal(digits: &[u8]) -> Option<u32> {
    std::str::from_utf8(digits).ok()?.trim_end_matches('\0').parse().ok()
}

/// Parts of a block's file name: `_0A00001P` is data block 1 in the passive file system.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Block<'a> {
    pub kind: &'a [u8],
    pub number: u32,
    pub filesystem: &'a [u8],
}

impl Block<'_> {
    /// As engineers write it: `DB1`.
    pub fn name(&self) -> String {
        let kind = names::block_type(self.kind).map_or_else(|| String::from_utf8_lossy(self.kind), Cow::Borrowed);
        format!("{kind}{}", self.number)
    }
}

/// Blocks that a program service names: their number, a zero, and eight characters each; `None` if it names none.
pub fn named_blocks(argument: &[u8]) -> Option<impl Iterator<Item = &[u8]>> {
    let (&[count, 0], blocks) = argument.split_first_chunk::<2>()? else { return None };
    (count > 0 && blocks.len() == usize::from(count) * 8).then(|| blocks.chunks(8))
}

/// Reads type, number and file system.
pub fn block(name: &[u8]) -> Option<Block<'_>> {
    let (kind, rest) = name.split_at_checked(2)?;
    let (number, filesystem) = rest.split_at_checked(5)?;
    Some(Block { kind, number: decimal(number)?, filesystem: filesystem.get(..1)? })
}

/// A date and time in BCD: reserved, century, year, month, day, hour, minute, second, milliseconds and day of the week.
pub fn clock(data: &[u8]) -> Option<i64> {
    let octets = data.get(2..10)?;
    let bcd = |at: usize| {
        let octet = *octets.get(at)?;
        (octet >> 4 < 10 && octet & 0x0f < 10).then(|| (octet >> 4) * 10 + (octet & 0x0f))
    };
    let year = i64::from(bcd(0)?);
    let milliseconds = u32::from(bcd(6)?) * 10 + u32::from(*octets.get(7)? >> 4);
    Civil {
        year: if year < 90 { 2000 + year } else { 1900 + year },
        month: bcd(1)?,
        day: bcd(2)?,
        hour: bcd(3)?,
        minute: bcd(4)?,
        second: bcd(5)?,
        nanosecond: milliseconds.checked_mul(1_000_000)?,
    }
    .nanoseconds()
}

/// What lists of the system status say of a module.
#[derive(Clone, Default, Debug)]
pub struct Identity<'a> {
    pub order_number: Option<Cow<'a, str>>,
    pub firmware: Option<String>,
    pub plc_name: Option<Cow<'a, str>>,
    pub module_name: Option<Cow<'a, str>>,
    pub plant_id: Option<Cow<'a, str>>,
    pub serial_number: Option<Cow<'a, str>>,
    pub operating_mode: Option<&'static str>,
}

/// Reads the answer to a read of a system status list: id, index, length and number of records, records.
pub fn identity(payload: &[u8]) -> Wire<Identity<'_>> {
    let mut reader = Reader::new(payload);
    let (id, _index) = (reader.be_u16()?, reader.be_u16()?);
    let (length, count) = (usize::from(reader.be_u16()?), reader.be_u16()?);
    let mut identity = Identity::default();
    for _ in 0..count {
        // Longer lists go on in the next unit.
        let Ok(record) = reader.take(length) else { break };
        let mut fields = Reader::new(record);
        match id & 0xff {
            0x11 => {
                let index = fields.be_u16()?;
                let order = text(fields.take(20)?);
                fields.skip(2)?;
                let [v, a, b, c] = fields.array::<4>()?;
                match index {
                    1 => identity.order_number = order,
                    7 if v == b'V' => identity.firmware = Some(format!("V{a}.{b}.{c}")),
                    _ => {}
                }
            }
            0x1c => {
                let index = fields.be_u16()?;
                let value = text(fields.rest());
                match index {
                    1 => identity.plc_name = value,
                    2 => identity.module_name = value,
                    3 => identity.plant_id = value,
                    5 => identity.serial_number = value,
                    _ => {}
                }
            }
            0x24 => {
                fields.skip(3)?;
                identity.operating_mode = names::operating_mode(fields.u8()? & 0x0f);
            }
            _ => break,
        }
    }
    Ok(identity)
}

/// Text up to its zeros and blanks.
pub fn text(octets: &[u8]) -> Option<Cow<'_, str>> {
    let end = octets.iter().position(|octet| *octet == 0).unwrap_or(octets.len());
    let text = octets.get(..end)?.trim_ascii();
    (!text.is_empty()).then(|| String::from_utf8_lossy(text))
}

/// A password as controllers of the 300 and 400 series take it: eight characters, each mixed with the one two before it.
pub fn password(octets: &[u8]) -> Option<String> {
    let octets = octets.get(..8)?;
    let mut clear = Vec::with_capacity(8);
    for (at, octet) in octets.iter().enumerate() {
        let before = at.checked_sub(2).and_then(|at| octets.get(at)).copied().unwrap_or(0);
        clear.push(octet ^ before ^ 0x55);
    }
    let text = String::from_utf8(clear).ok()?;
    let text = text.trim_end_matches([' ', '\0']);
    (!text.is_empty() && text.chars().all(|c| !c.is_control())).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_differ_by_kind() {
        let stop = [0x32, 1, 0, 0, 0x11, 0, 0, 16, 0, 0, 0x29, 0, 0, 0, 0, 0, 9, b'P', b'_', b'P', b'R', b'O', b'G', b'R', b'A', b'M'];
        let pdu = Pdu::read(&stop).unwrap();
        assert_eq!((pdu.reference, pdu.function(), pdu.error), (0x1100, Some(PLC_STOP), None));
        assert_eq!(control(PLC_STOP, true, pdu.parameters).unwrap().service, Some(&b"P_PROGRAM"[..]));
        let answer = Pdu::read(&[0x32, 3, 0, 0, 0x11, 0, 0, 1, 0, 0, 0x81, 4, 0x29]).unwrap();
        assert_eq!((answer.function(), answer.error, answer.is_ok()), (Some(PLC_STOP), Some((0x81, 4)), false));
    }

    use names::PLC_STOP;

    #[test]
    fn blocks_and_lengths() {
        let mut parameters = vec![0x1a, 0, 1, 0, 0, 0, 0, 0, 9];
        parameters.extend(b"_0A00001P\x0d1000268000110");
        let control = control(names::REQUEST_DOWNLOAD, true, &parameters).unwrap();
        assert_eq!((control.load_length, control.code_length), (Some(268), Some(110)));
        let block = block(&control.filename.unwrap()[1..]).unwrap();
        assert_eq!((block.name(), block.filesystem), ("DB1".to_owned(), &b"P"[..]));
    }

    #[test]
    fn a_pushed_change_of_mode() {
        let userdata = Userdata::read(&[0, 1, 0, 0x10, 0, 0, 0, 0]).unwrap();
        assert_eq!((userdata.kind, userdata.group, userdata.subfunction, userdata.last), (0, 0, 0, None));
    }

    #[test]
    fn clocks_and_passwords() {
        assert_eq!(clock(&[0, 0x19, 0x14, 0x08, 0x20, 0x11, 0x59, 0x45, 0x97, 0x24]), Some(1_408_535_985_972_000_000));
        assert_eq!(clock(&[0, 0x19, 0xaa, 0x08, 0x20, 0x11, 0x59, 0x45, 0x97, 0x24]), None);
        // 't', 'e', then each mixed with the octet two before.
        let mut octets = [0; 8];
        for (at, c) in b"test    ".iter().enumerate() {
            octets[at] = c ^ 0x55 ^ if at >= 2 { octets[at - 2] } else { 0 };
        }
        assert_eq!(password(&octets).as_deref(), Some("test"));
    }
}
