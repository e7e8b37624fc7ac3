//! ASDUs: data unit identifier and information objects (IEC 60870-5-101 section 7.2, with the lengths that IEC 60870-5-104
//! section 7 fixes: cause and common address two octets, object address three).

use std::borrow::Cow;

use super::types::{Info, Tail, Time, Type};
use crate::protocols::ot::calendar::Civil;
use crate::wire::{Malformed, Reader, Wire};

/// Data unit identifier.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    pub type_id: u8,
    pub is_sequence: bool,
    pub count: u8,
    pub cause: u8,
    pub negative: bool,
    pub test: bool,
    pub originator: u8,
    pub address: u16,
}

impl Header {
    /// Reads the first six octets.
    pub fn read(reader: &mut Reader<'_>) -> Wire<Self> {
        let type_id = reader.u8()?;
        let structure = reader.u8()?;
        let cause = reader.u8()?;
        Ok(Self {
            type_id,
            is_sequence: structure & 0x80 != 0,
            count: structure & 0x7f,
            cause: cause & 0x3f,
            negative: cause & 0x40 != 0,
            test: cause & 0x80 != 0,
            originator: reader.u8()?,
            address: reader.le_u16()?,
        })
    }

    /// Octets that the objects take.
    pub fn objects_length(&self, of: &Type) -> usize {
        let count = usize::from(self.count);
        if self.is_sequence { if count == 0 { 0 } else { 3 + count * of.length() } } else { count * (3 + of.length()) }
    }
}

/// One information object.
#[derive(Clone, Default, Debug)]
pub struct Object {
    pub ioa: u32,
    pub value: Option<f64>,
    pub text: Option<Cow<'static, str>>,
    pub command: Option<&'static str>,
    pub select: Option<bool>,
    pub qualifier: Option<u8>,
    pub quality: Option<u8>,
    pub quality_names: Vec<Cow<'static, str>>,
    pub time_tag: Option<i64>,
    pub time_tag_invalid: Option<bool>,
    pub bcr_sequence: Option<u8>,
}

/// An object address of three octets.
pub fn object_address(reader: &mut Reader<'_>) -> Wire<u32> {
    let [a, b, c] = reader.array::<3>()?;
    Ok(u32::from_le_bytes([a, b, c, 0]))
}

/// The object of this type that follows its address; `now` is when it was captured.
pub fn object(reader: &mut Reader<'_>, of: &Type, ioa: u32, now: i64) -> Wire<Object> {
    let mut object = Object { ioa, ..Object::default() };
    information(reader, of.info, &mut object)?;
    match of.tail {
        Tail::None => {}
        Tail::Qds => quality(&mut object, reader.u8()?, true),
        Tail::Qualifier => {
            let octet = reader.u8()?;
            // Set points carry the select bit beside their qualifier; other qualifiers fill the octet.
            let is_set_point = of.name.starts_with("C_SE");
            object.select = is_set_point.then_some(octet & 0x80 != 0);
            object.qualifier = Some(if is_set_point { octet & 0x7f } else { octet });
        }
    }
    let (tag, invalid) = match of.time {
        Time::None => return Ok(object),
        Time::Cp24 => cp24(reader, now)?,
        Time::Cp56 => cp56(reader)?,
    };
    object.time_tag = tag;
    object.time_tag_invalid = Some(invalid);
    Ok(object)
}

fn information(reader: &mut Reader<'_>, info: Info, object: &mut Object) -> Wire<()> {
    const DOUBLE: [&str; 4] = ["intermediate", "off", "on", "indeterminate"];
    let mut set = |value: f64, text: Cow<'static, str>| {
        object.value = value.is_finite().then_some(value);
        object.text = Some(text);
    };
    match info {
        Info::None => {}
        Info::Octets(count) => reader.skip(usize::from(count))?,
        Info::Siq => {
            let octet = reader.u8()?;
            set(f64::from(octet & 1), Cow::Borrowed(if octet & 1 == 0 { "off" } else { "on" }));
            quality(object, octet & 0xf0, false);
        }
        Info::Diq => {
            let octet = reader.u8()?;
            set(f64::from(octet & 3), Cow::Borrowed(DOUBLE.get(usize::from(octet & 3)).copied().unwrap_or_default()));
            quality(object, octet & 0xf0, false);
        }
        Info::Vti => {
            let octet = reader.u8()?;
            // Seven bits with sign; the eighth says that the step is being changed.
            let step = i8::from_le_bytes([octet << 1]) >> 1;
            set(f64::from(step), if octet & 0x80 == 0 { step.to_string() } else { format!("{step} (moving)") }.into());
        }
        Info::Bsi => {
            let bits = reader.le_u32()?;
            set(f64::from(bits), format!("0x{bits:08X}").into());
        }
        Info::Scd => {
            let (state, changed) = (reader.le_u16()?, reader.le_u16()?);
            set(f64::from(state), format!("0x{state:04X} changed 0x{changed:04X}").into());
        }
        Info::Nva => {
            let value = f64::from(i16::from_le_bytes(reader.array()?)) / 32_768.0;
            set(value, value.to_string().into());
        }
        Info::Sva => {
            let value = i16::from_le_bytes(reader.array()?);
            set(f64::from(value), value.to_string().into());
        }
        Info::R32 => {
            let value = f32::from_le_bytes(reader.array()?);
            set(f64::from(value), value.to_string().into());
        }
        Info::Bcr => {
            let count = i32::from_le_bytes(reader.array()?);
            let octet = reader.u8()?;
            set(f64::from(count), count.to_string().into());
            object.bcr_sequence = Some(octet & 0x1f);
            object.quality = Some(octet & 0xe0);
            for (bit, name) in [(0x20, "carry"), (0x40, "adjusted"), (0x80, "invalid")] {
                if octet & bit != 0 {
                    object.quality_names.push(Cow::Borrowed(name));
                }
            }
        }
        Info::Sep => {
            let octet = reader.u8()?;
            reader.skip(2)?;
            set(f64::from(octet & 3), Cow::Borrowed(DOUBLE.get(usize::from(octet & 3)).copied().unwrap_or_default()));
            quality(object, octet & 0xf8, false);
        }
        Info::Spe | Info::Oci => {
            let events = reader.u8()?;
            let octet = reader.u8()?;
            reader.skip(2)?;
            set(f64::from(events), format!("0x{events:02X}").into());
            quality(object, octet & 0xf8, false);
        }
        Info::Sco => {
            let octet = reader.u8()?;
            let name = if octet & 1 == 0 { "off" } else { "on" };
            set(f64::from(octet & 1), Cow::Borrowed(name));
            order(object, octet, Some(name));
        }
        Info::Dco | Info::Rco => {
            let octet = reader.u8()?;
            let name = match (info, octet & 3) {
                (Info::Dco, 1) => Some("off"),
                (Info::Dco, 2) => Some("on"),
                (Info::Rco, 1) => Some("lower"),
                (Info::Rco, 2) => Some("higher"),
                _ => None,
            };
            set(f64::from(octet & 3), Cow::Borrowed(name.unwrap_or("not_permitted")));
            order(object, octet, name);
        }
    }
    Ok(())
}

/// Select bit and qualifier of a command octet.
fn order(object: &mut Object, octet: u8, name: Option<&'static str>) {
    object.command = name;
    object.select = Some(octet & 0x80 != 0);
    object.qualifier = Some(octet >> 2 & 0x1f);
}

/// Quality bits; bit 0 is overflow where the octet holds nothing else, bit 3 an invalid elapsed time.
fn quality(object: &mut Object, octet: u8, has_overflow: bool) {
    object.quality = Some(octet);
    for (bit, name) in
        [(0x01, "overflow"), (0x08, "elapsed_time_invalid"), (0x10, "blocked"), (0x20, "substituted"), (0x40, "not_topical"), (0x80, "invalid")]
    {
        if octet & bit != 0 && (bit != 0x01 || has_overflow) && (bit != 0x08 || !has_overflow) {
            object.quality_names.push(Cow::Borrowed(name));
        }
    }
}

const HOUR: i64 = 3_600_000_000_000;

/// Milliseconds and minute, placed in the hour that brings them nearest to `now`.
fn cp24(reader: &mut Reader<'_>, now: i64) -> Wire<(Option<i64>, bool)> {
    let (milliseconds, minute) = (reader.le_u16()?, reader.u8()?);
    let invalid = minute & 0x80 != 0;
    if milliseconds >= 60_000 || minute & 0x3f >= 60 {
        return Ok((None, invalid));
    }
    let in_hour = i64::from(minute & 0x3f) * 60_000_000_000 + i64::from(milliseconds) * 1_000_000;
    let placed = now.div_euclid(HOUR) * HOUR + in_hour;
    let nearest = match placed - now {
        late if late > HOUR / 2 => placed - HOUR,
        early if early < -HOUR / 2 => placed + HOUR,
        _ => placed,
    };
    Ok((Some(nearest), invalid))
}

/// Date and time (IEC 60870-5-101 section 7.2.6.18); whether the station's clock is local is not written in it.
fn cp56(reader: &mut Reader<'_>) -> Wire<(Option<i64>, bool)> {
    let milliseconds = reader.le_u16()?;
    let [minute, hour, day, month, year] = reader.array::<5>()?;
    let year = i64::from(year & 0x7f);
    let date = Civil {
        year: if year < 70 { 2000 + year } else { 1900 + year },
        month: month & 0x0f,
        day: day & 0x1f,
        hour: hour & 0x1f,
        minute: minute & 0x3f,
        second: u8::try_from(milliseconds / 1000).map_err(|_| Malformed)?,
        nanosecond: u32::from(milliseconds % 1000) * 1_000_000,
    };
    Ok((date.nanoseconds(), minute & 0x80 != 0))
}

#[cfg(test)]
mod tests {
    use super::super::types::find;
    use super::*;

    fn read(code: u8, octets: &[u8], now: i64) -> Object {
        let mut reader = Reader::new(octets);
        let object = object(&mut reader, &find(code).unwrap(), 1, now).unwrap();
        assert!(reader.is_empty());
        object
    }

    #[test]
    fn values_are_read() {
        let single = read(30, &[0x91, 0x10, 0x27, 0x80 | 5, 13, 4, 5, 24], 0);
        assert_eq!((single.value, single.text.as_deref(), single.quality), (Some(1.0), Some("on"), Some(0x90)));
        assert_eq!(single.quality_names, ["blocked", "invalid"]);
        // 2024-05-04 13:05:10 UTC.
        assert_eq!((single.time_tag, single.time_tag_invalid), (Some(1_714_827_910_000_000_000), Some(true)));
        assert_eq!(read(9, &[0, 0xc0, 1], 0).value, Some(-0.5));
        assert_eq!(read(9, &[0, 0xc0, 1], 0).quality_names, ["overflow"]);
        assert_eq!(read(5, &[0x7f, 0], 0).value, Some(-1.0));
        assert_eq!(read(15, &[1, 0, 0, 0, 0x83], 0).bcr_sequence, Some(3));
    }

    #[test]
    fn double_commands_mean_what_the_standard_says() {
        let select = read(46, &[0x82], 0);
        assert_eq!((select.command, select.select, select.value), (Some("on"), Some(true), Some(2.0)));
        assert_eq!(read(46, &[0x05], 0).command, Some("off"));
        assert_eq!(read(46, &[0x05], 0).qualifier, Some(1));
        assert_eq!(read(46, &[0x03], 0).command, None);
        assert_eq!(read(47, &[0x02], 0).command, Some("higher"));
    }

    #[test]
    fn minutes_fall_into_the_nearest_hour() {
        let now = 10 * HOUR + 60_000_000_000;
        assert_eq!(read(2, &[1, 0, 0, 59], now).time_tag, Some(9 * HOUR + 59 * 60_000_000_000));
        assert_eq!(read(2, &[1, 0, 0, 2], now).time_tag, Some(10 * HOUR + 2 * 60_000_000_000));
    }
}
