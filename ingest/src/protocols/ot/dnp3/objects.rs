//! Object headers and objects of a fragment (IEEE 1815-2012 clause 4.2.2.7 and annex A).

use std::borrow::Cow;

use crate::wire::{Malformed, Reader, Wire};

/// Most points of one fragment that get rows: more than the longest fragment that devices make can hold.
const MAX_POINTS: usize = 20_000;

/// One part of an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
    Flags,
    /// Control status, in objects of commands.
    Status,
    U16,
    U32,
    I16,
    I32,
    F32,
    F64,
    /// Milliseconds since 1970, 48 bits.
    Time,
    /// Milliseconds behind the common time of occurrence.
    Relative,
    /// Octets that have no column.
    Skip(u8),
}

/// How objects of a group and variation lie in the message.
#[derive(Clone, Copy, Debug)]
enum Layout {
    /// Packed states of this many bits.
    Bits(u8),
    Parts(&'static [Part]),
    /// Control relay output block.
    Crob,
    /// Octets as many as the variation says.
    Octets,
    /// Type, length, value.
    Attribute,
    /// Nothing behind the header.
    Empty,
    /// The size stands before the object.
    Sized,
}

fn layout(group: u8, variation: u8) -> Option<Layout> {
    use Part as P;
    const NUMBERS: [&[Part]; 8] = [
        &[P::Flags, P::I32],
        &[P::Flags, P::I16],
        &[P::Flags, P::I32, P::Time],
        &[P::Flags, P::I16, P::Time],
        &[P::Flags, P::F32],
        &[P::Flags, P::F64],
        &[P::Flags, P::F32, P::Time],
        &[P::Flags, P::F64, P::Time],
    ];
    const COMMANDED: [&[Part]; 8] = [
        &[P::Status, P::I32],
        &[P::Status, P::I16],
        &[P::Status, P::I32, P::Time],
        &[P::Status, P::I16, P::Time],
        &[P::Status, P::F32],
        &[P::Status, P::F64],
        &[P::Status, P::F32, P::Time],
        &[P::Status, P::F64, P::Time],
    ];
    let nth = |list: &'static [&'static [Part]]| usize::from(variation).checked_sub(1).and_then(|at| list.get(at)).map(|parts| Layout::Parts(parts));
    Some(match (group, variation) {
        (0, _) => Layout::Attribute,
        (1 | 10, 1) | (12, 3) | (80, 1) => Layout::Bits(1),
        (3, 1) => Layout::Bits(2),
        (1 | 10 | 3, 2) | (2 | 4 | 11 | 13, 1) => Layout::Parts(&[P::Flags]),
        (2 | 4 | 11 | 13, 2) => Layout::Parts(&[P::Flags, P::Time]),
        (2 | 4, 3) => Layout::Parts(&[P::Flags, P::Relative]),
        (12, 1 | 2) => Layout::Crob,
        (20, 1 | 3) | (21..=23, 1 | 3) => Layout::Parts(&[P::Flags, P::U32]),
        (20, 2 | 4) | (21..=23, 2 | 4) => Layout::Parts(&[P::Flags, P::U16]),
        (20, 5 | 7) | (21, 9 | 11) => Layout::Parts(&[P::U32]),
        (20, 6 | 8) | (21, 10 | 12) => Layout::Parts(&[P::U16]),
        (21..=23, 5 | 7) => Layout::Parts(&[P::Flags, P::U32, P::Time]),
        (21..=23, 6 | 8) => Layout::Parts(&[P::Flags, P::U16, P::Time]),
        (30, 1) | (31, 1) => Layout::Parts(&[P::Flags, P::I32]),
        (30, 2) | (31, 2) => Layout::Parts(&[P::Flags, P::I16]),
        (30, 3) | (31, 5) => Layout::Parts(&[P::I32]),
        (30, 4) | (31, 6) => Layout::Parts(&[P::I16]),
        (30, 5) | (31, 7) | (40, 3) => Layout::Parts(&[P::Flags, P::F32]),
        (30, 6) | (31, 8) | (40, 4) => Layout::Parts(&[P::Flags, P::F64]),
        (31, 3) => Layout::Parts(&[P::Flags, P::I32, P::Time]),
        (31, 4) => Layout::Parts(&[P::Flags, P::I16, P::Time]),
        (32 | 33 | 42, _) => return nth(&NUMBERS),
        (34, 1) => Layout::Parts(&[P::U16]),
        (34, 2) => Layout::Parts(&[P::U32]),
        (34, 3) => Layout::Parts(&[P::F32]),
        (40, 1) => Layout::Parts(&[P::Flags, P::I32]),
        (40, 2) => Layout::Parts(&[P::Flags, P::I16]),
        (41, 1) => Layout::Parts(&[P::I32, P::Status]),
        (41, 2) => Layout::Parts(&[P::I16, P::Status]),
        (41, 3) => Layout::Parts(&[P::F32, P::Status]),
        (41, 4) => Layout::Parts(&[P::F64, P::Status]),
        (43, _) => return nth(&COMMANDED),
        (50, 1 | 3) | (51, 1 | 2) => Layout::Parts(&[P::Time]),
        (50, 2) => Layout::Parts(&[P::Time, P::Skip(4)]),
        (50, 4) => Layout::Parts(&[P::Time, P::Skip(5)]),
        (52, 1 | 2) => Layout::Parts(&[P::U16]),
        (60, _) => Layout::Empty,
        (81, 1) => Layout::Parts(&[P::Skip(3)]),
        (101, 1) => Layout::Parts(&[P::Skip(2)]),
        (101, 2) => Layout::Parts(&[P::Skip(4)]),
        (101, 3) => Layout::Parts(&[P::Skip(8)]),
        (102, 1) => Layout::Parts(&[P::Skip(1)]),
        (110..=113, 1..) => Layout::Octets,
        (120, 4) => Layout::Parts(&[P::Skip(2)]),
        (121 | 122, 1) => Layout::Parts(&[P::Flags, P::Skip(2), P::U32]),
        (122, 2) => Layout::Parts(&[P::Flags, P::Skip(2), P::U32, P::Time]),
        (70 | 82 | 83 | 85..=88 | 90 | 91 | 120, _) => Layout::Sized,
        _ => return None,
    })
}

/// An object header.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Header {
    pub group: u8,
    pub variation: u8,
    pub qualifier: u8,
    pub low: Option<u32>,
    pub high: Option<u32>,
    pub count: Option<u32>,
}

/// A control relay output block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Crob {
    pub code: u8,
    pub count: u8,
    pub on_ms: u32,
    pub off_ms: u32,
}

/// One object, or a header that has none.
#[derive(Clone, Default, Debug)]
pub struct Point<'a> {
    /// Which of the fragment's headers.
    pub header: usize,
    pub index: Option<u32>,
    pub value: Option<f64>,
    pub text: Option<Cow<'a, str>>,
    pub flags: Option<u8>,
    /// Milliseconds since 1970.
    pub time: Option<u64>,
    pub crob: Option<Crob>,
    pub status: Option<u8>,
    /// The object as it lies in the message.
    pub octets: &'a [u8],
}

/// All of a fragment's objects.
#[derive(Default, Debug)]
pub struct Objects<'a> {
    pub headers: Vec<Header>,
    pub points: Vec<Point<'a>>,
    pub fault: Option<&'static str>,
}

/// Whether objects follow their headers in a message of this function.
fn has_objects(function: u8, group: u8) -> bool {
    matches!(function, 2..=6 | 25..=33 | 128..) || group == 70 || matches!(function, 11 | 12) && group == 50
}

/// Reads what stands behind the function code, or behind the indications of an answer.
pub fn read(function: u8, octets: &[u8]) -> Objects<'_> {
    let mut objects = Objects::default();
    let mut reader = Reader::new(octets);
    // Common time of occurrence, for the times relative to it.
    let mut common_time = None;
    while !reader.is_empty() {
        if let Err(fault) = block(&mut reader, function, &mut objects, &mut common_time) {
            objects.fault = Some(fault);
            break;
        }
    }
    objects
}

fn number(reader: &mut Reader<'_>, octets: u8) -> Wire<u32> {
    match octets {
        1 => reader.u8().map(u32::from),
        2 => reader.le_u16().map(u32::from),
        _ => reader.le_u32(),
    }
}

fn block<'a>(reader: &mut Reader<'a>, function: u8, objects: &mut Objects<'a>, common_time: &mut Option<u64>) -> Result<(), &'static str> {
    let overrun = |_: Malformed| "object_overrun";
    let [group, variation, qualifier] = reader.array::<3>().map_err(overrun)?;
    let mut header = Header { group, variation, qualifier, ..Header::default() };
    let at = objects.headers.len();
    let wide = |code: u8| 1 << code;
    let count = match qualifier & 0x0f {
        code @ 0..=5 => {
            let octets = wide(code % 3);
            let (low, high) = (number(reader, octets).map_err(overrun)?, number(reader, octets).map_err(overrun)?);
            (header.low, header.high) = (Some(low), Some(high));
            high.checked_sub(low).and_then(|span| span.checked_add(1)).ok_or("bad_length")?
        }
        6 => 0,
        code @ 7..=9 => number(reader, wide(code - 7)).map_err(overrun)?,
        0x0b => number(reader, 1).map_err(overrun)?,
        _ => return Err("unknown_object"),
    };
    header.count = (qualifier & 0x0f != 6).then_some(count);
    objects.headers.push(header);
    let prefix = qualifier >> 4 & 7;
    if !has_objects(function, group) || qualifier & 0x0f == 6 {
        return references(reader, prefix, count, at, objects);
    }
    let layout = if matches!(prefix, 4..=6) { Layout::Sized } else { layout(group, variation).ok_or("unknown_object")? };
    if let Layout::Empty = layout {
        return references(reader, prefix, count, at, objects);
    }
    if let Layout::Bits(width) = layout
        && prefix == 0
    {
        return packed(reader, width, count, header.low.unwrap_or(0), at, objects);
    }
    for number_in_run in 0..count {
        if objects.points.len() >= MAX_POINTS {
            return Err("object_overrun");
        }
        let mut point = Point { header: at, ..Point::default() };
        let size = match prefix {
            1..=3 => {
                point.index = Some(number(reader, wide(prefix - 1)).map_err(overrun)?);
                None
            }
            4..=6 => Some(number(reader, wide(prefix - 4)).map_err(overrun)?),
            _ => {
                point.index = header.low.map(|low| low.saturating_add(number_in_run));
                None
            }
        };
        let start = reader.peek();
        match (layout, size) {
            (Layout::Sized, Some(size)) => {
                let octets = usize::try_from(size).ok().and_then(|size| reader.take(size).ok()).ok_or("object_overrun")?;
                point.octets = octets;
            }
            (Layout::Sized, None) => return Err("unknown_object"),
            _ => {
                object(reader, layout, &header, &mut point, *common_time).map_err(overrun)?;
                point.octets = start.get(..start.len() - reader.len()).unwrap_or_default();
            }
        }
        if group == 51 {
            *common_time = point.time;
        }
        objects.points.push(point);
    }
    if count == 0 {
        objects.points.push(Point { header: at, ..Point::default() });
    }
    Ok(())
}

/// A header that objects do not follow: at most the indexes meant.
fn references<'a>(reader: &mut Reader<'a>, prefix: u8, count: u32, at: usize, objects: &mut Objects<'a>) -> Result<(), &'static str> {
    if !(1..=3).contains(&prefix) || count == 0 {
        objects.points.push(Point { header: at, ..Point::default() });
        return Ok(());
    }
    for _ in 0..count {
        let index = number(reader, 1 << (prefix - 1)).map_err(|_| "object_overrun")?;
        if objects.points.len() >= MAX_POINTS {
            return Err("object_overrun");
        }
        objects.points.push(Point { header: at, index: Some(index), ..Point::default() });
    }
    Ok(())
}

fn packed<'a>(reader: &mut Reader<'a>, width: u8, count: u32, low: u32, at: usize, objects: &mut Objects<'a>) -> Result<(), &'static str> {
    let per_octet = u32::from(8 / width);
    let octets = usize::try_from(count.div_ceil(per_octet)).ok().and_then(|octets| reader.take(octets).ok()).ok_or("object_overrun")?;
    let mask = (1_u8 << width) - 1;
    let states = octets.iter().flat_map(|octet| (0..8 / width).map(move |slot| octet >> (slot * width) & mask));
    for (index, state) in (low..=u32::MAX).zip(states).take(usize::try_from(count).unwrap_or(usize::MAX)) {
        if objects.points.len() >= MAX_POINTS {
            return Err("object_overrun");
        }
        objects.points.push(Point { header: at, index: Some(index), value: Some(f64::from(state)), ..Point::default() });
    }
    Ok(())
}

fn object<'a>(reader: &mut Reader<'a>, layout: Layout, header: &Header, point: &mut Point<'a>, common_time: Option<u64>) -> Wire<()> {
    match layout {
        Layout::Parts(parts) => {
            for part in parts {
                take(reader, *part, header.group, point, common_time)?;
            }
        }
        Layout::Bits(width) => point.value = Some(f64::from(reader.u8()? & ((1 << width) - 1))),
        Layout::Crob => {
            point.crob = Some(Crob { code: reader.u8()?, count: reader.u8()?, on_ms: reader.le_u32()?, off_ms: reader.le_u32()? });
            point.status = Some(reader.u8()? & 0x7f);
        }
        Layout::Octets => {
            let octets = reader.take(usize::from(header.variation))?;
            point.text = Some(printable(octets));
        }
        Layout::Attribute => {
            let kind = reader.u8()?;
            let length = usize::from(reader.u8()?);
            let octets = reader.take(length)?;
            attribute(kind, octets, point);
        }
        Layout::Empty | Layout::Sized => {}
    }
    Ok(())
}

fn take(reader: &mut Reader<'_>, part: Part, group: u8, point: &mut Point<'_>, common_time: Option<u64>) -> Wire<()> {
    let value = match part {
        Part::Flags => {
            let flags = reader.u8()?;
            point.flags = Some(flags);
            match group {
                1 | 2 | 10 | 11 | 13 => f64::from(flags >> 7),
                3 | 4 => f64::from(flags >> 6),
                _ => return Ok(()),
            }
        }
        Part::Status => {
            point.status = Some(reader.u8()? & 0x7f);
            return Ok(());
        }
        Part::U16 => f64::from(reader.le_u16()?),
        Part::U32 => f64::from(reader.le_u32()?),
        Part::I16 => f64::from(i16::from_le_bytes(reader.array()?)),
        Part::I32 => f64::from(i32::from_le_bytes(reader.array()?)),
        Part::F32 => f64::from(f32::from_le_bytes(reader.array()?)),
        Part::F64 => f64::from_le_bytes(reader.array()?),
        Part::Time => {
            point.time = Some(time(reader)?);
            return Ok(());
        }
        Part::Relative => {
            let behind = u64::from(reader.le_u16()?);
            point.time = common_time.map(|time| time.saturating_add(behind));
            return Ok(());
        }
        Part::Skip(octets) => return reader.skip(usize::from(octets)),
    };
    point.value = value.is_finite().then_some(value);
    if !value.is_finite() {
        point.text = Some(Cow::Owned(value.to_string()));
    }
    Ok(())
}

/// Milliseconds since 1970, 48 bits.
pub fn time(reader: &mut Reader<'_>) -> Wire<u64> {
    let [a, b, c, d, e, f] = reader.array::<6>()?;
    Ok(u64::from_le_bytes([a, b, c, d, e, f, 0, 0]))
}

/// A device attribute: text, number, bits, time (annex A.1).
fn attribute<'a>(kind: u8, octets: &'a [u8], point: &mut Point<'a>) {
    let unsigned = || octets.iter().rev().fold(0_u64, |number, octet| number << 8 | u64::from(*octet));
    match (kind, octets.len()) {
        (1, _) => point.text = Some(printable(octets)),
        #[allow(clippy::cast_precision_loss)]
        (2, 1..=8) => point.value = Some(unsigned() as f64),
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_wrap)]
        (3, length @ 1..=8) => {
            let unused = 64 - 8 * length;
            point.value = Some(((unsigned() << unused) as i64 >> unused) as f64);
        }
        (4, 4) => point.value = octets.first_chunk().map(|octets| f64::from(f32::from_le_bytes(*octets))).filter(|value| value.is_finite()),
        (4, 8) => point.value = octets.first_chunk().map(|octets| f64::from_le_bytes(*octets)).filter(|value| value.is_finite()),
        (7, 6) => point.time = Some(unsigned()),
        _ => point.text = Some(printable(octets)),
    }
}

/// Text, or hex where it is none.
pub fn printable(octets: &[u8]) -> Cow<'_, str> {
    let text = octets.strip_suffix(b"\0").unwrap_or(octets);
    match std::str::from_utf8(text) {
        Ok(text) if text.chars().all(|c| !c.is_control() || matches!(c, '\t' | '\r' | '\n')) => Cow::Borrowed(text),
        _ => Cow::Owned(octets.iter().fold(String::new(), |mut text, octet| {
            // Writing to a String cannot fail.
            let _ = std::fmt::Write::write_fmt(&mut text, format_args!("{octet:02x}"));
            text
        })),
    }
}

/// What a fragment says of a file (group 70).
#[derive(Clone, Default, Debug)]
pub struct File<'a> {
    pub name: Option<Cow<'a, str>>,
    pub mode: Option<u16>,
    pub handle: Option<u32>,
    pub size: Option<u32>,
    pub block: Option<u32>,
    pub last: Option<bool>,
    pub status: Option<u8>,
    pub key: Option<u32>,
    pub content: Option<&'a [u8]>,
    pub user: Option<Cow<'a, str>>,
    pub password: Option<Cow<'a, str>>,
}

/// Reads a file object (annex A.38 and on).
pub fn file<'a>(variation: u8, octets: &'a [u8]) -> Wire<File<'a>> {
    let mut reader = Reader::new(octets);
    let mut file = File::default();
    let text = |offset: u16, size: u16| {
        let from = usize::from(offset);
        from.checked_add(usize::from(size)).and_then(|to| octets.get(from..to)).filter(|text| !text.is_empty()).map(String::from_utf8_lossy)
    };
    match variation {
        2 => {
            let [user, user_size, password, password_size] = [reader.le_u16()?, reader.le_u16()?, reader.le_u16()?, reader.le_u16()?];
            file.key = Some(reader.le_u32()?);
            file.user = text(user, user_size);
            file.password = text(password, password_size);
        }
        3 => {
            let (offset, size) = (reader.le_u16()?, reader.le_u16()?);
            reader.skip(8)?;
            file.key = Some(reader.le_u32()?);
            file.size = Some(reader.le_u32()?);
            file.mode = Some(reader.le_u16()?);
            file.name = text(offset, size);
        }
        4 => {
            file.handle = Some(reader.le_u32()?);
            file.size = Some(reader.le_u32()?);
            reader.skip(4)?;
            file.status = Some(reader.u8()?);
        }
        5 | 6 => {
            file.handle = Some(reader.le_u32()?);
            let block = reader.le_u32()?;
            file.block = Some(block & 0x7fff_ffff);
            file.last = Some(block & 0x8000_0000 != 0);
            if variation == 5 {
                file.content = Some(reader.rest());
            } else {
                file.status = Some(reader.u8()?);
            }
        }
        7 => {
            let (offset, size) = (reader.le_u16()?, reader.le_u16()?);
            reader.skip(2)?;
            file.size = Some(reader.le_u32()?);
            file.name = text(offset, size);
        }
        8 => file.name = Some(String::from_utf8_lossy(reader.rest())),
        _ => {}
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_of_an_answer() {
        // Two analogs with flags from 3, then a binary event by its index with time.
        let octets = [30, 2, 0, 3, 4, 1, 0xff, 0xff, 2, 5, 0, 2, 2, 0x17, 1, 9, 0x81, 0xe8, 3, 0, 0, 0, 0];
        let objects = read(129, &octets);
        assert_eq!(objects.fault, None);
        let seen: Vec<_> = objects.points.iter().map(|point| (point.index, point.value, point.flags, point.time)).collect();
        assert_eq!(seen, [(Some(3), Some(-1.0), Some(1), None), (Some(4), Some(5.0), Some(2), None), (Some(9), Some(1.0), Some(0x81), Some(1000))]);
    }

    #[test]
    fn reads_have_headers_only() {
        let objects = read(1, &[60, 2, 6, 60, 3, 6, 30, 0, 1, 0, 0, 255, 0]);
        assert_eq!(objects.fault, None);
        assert_eq!(objects.headers.len(), 3);
        assert_eq!(objects.headers[2], Header { group: 30, variation: 0, qualifier: 1, low: Some(0), high: Some(255), count: Some(256) });
        assert_eq!(objects.points.len(), 3);
    }

    #[test]
    fn control_blocks() {
        let objects = read(3, &[12, 1, 0x28, 1, 0, 8, 0, 0x41, 1, 0xf4, 1, 0, 0, 0, 0, 0, 0, 0]);
        let point = &objects.points[0];
        assert_eq!((point.index, point.status), (Some(8), Some(0)));
        assert_eq!(point.crob, Some(Crob { code: 0x41, count: 1, on_ms: 500, off_ms: 0 }));
        assert_eq!(point.octets.len(), 11);
    }

    #[test]
    fn packed_states_and_faults() {
        let objects = read(129, &[3, 1, 0, 0, 4, 0b1110_0100, 0b01]);
        assert_eq!(objects.points.iter().map(|point| point.value.unwrap()).collect::<Vec<_>>(), [0.0, 1.0, 2.0, 3.0, 1.0]);
        assert_eq!(read(129, &[30, 2, 0, 0, 9, 1]).fault, Some("object_overrun"));
        assert_eq!(read(129, &[99, 2, 0, 0, 9, 1]).fault, Some("unknown_object"));
        assert_eq!(read(129, &[30, 2, 2, 0, 0, 0, 0, 255, 255, 255, 255]).fault, Some("bad_length"));
        // Relative to a common time.
        let events = read(129, &[51, 1, 7, 1, 0xe8, 3, 0, 0, 0, 0, 2, 3, 0x17, 1, 0, 0x81, 5, 0]);
        assert_eq!(events.points[1].time, Some(1005));
    }

    #[test]
    fn files() {
        let name = b"a.cfg";
        let mut octets = vec![26, 0, 5, 0];
        octets.extend([0; 8]);
        octets.extend([1, 0, 0, 0, 9, 0, 0, 0, 2, 0, 0, 1, 0, 0]);
        octets.extend(name);
        let file = file(3, &octets).unwrap();
        assert_eq!((file.name.as_deref(), file.mode, file.size, file.key), (Some("a.cfg"), Some(2), Some(9), Some(1)));
    }
}
