//! Services: what requests and answers say (ASHRAE 135 clauses 13 to 17).

use super::names;
use super::tags::{self, Kind, Tag};
use crate::wire::{Malformed, Reader, Wire};

/// Most points of one message that are kept.
const MAX_POINTS: usize = 4096;
/// Longest text of one value.
const MAX_TEXT: usize = 1024;

/// A property of an object, and its value where one was carried.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct Point {
    pub object: Option<u32>,
    pub property: Option<u32>,
    pub index: Option<u32>,
    pub value: Option<String>,
    pub number: Option<f64>,
    pub is_null: bool,
    /// An error stands in the value's place.
    pub is_error: bool,
    pub priority: Option<u8>,
}

impl Point {
    /// The object's name, where that is the property.
    pub fn name(&self) -> Option<&str> {
        self.value.as_deref().filter(|_| self.property == Some(names::OBJECT_NAME) && !self.is_error)
    }

    /// Object, property and index, as people write them.
    pub fn text(&self) -> String {
        let mut text = self.object.map(names::object_text).unwrap_or_default();
        if let Some(property) = self.property {
            text.push(' ');
            match names::property(property) {
                Some(name) => text.push_str(name),
                None => text.push_str(&format!("property_{property}")),
            }
        }
        if let Some(index) = self.index {
            text.push_str(&format!("[{index}]"));
        }
        text
    }
}

/// What a service says.
#[derive(Clone, Default, Debug)]
pub struct Said {
    pub points: Vec<Point>,
    pub low: Option<u32>,
    pub high: Option<u32>,
    pub object_name: Option<String>,
    /// Device that an announcement names.
    pub device: Option<u32>,
    pub max_apdu: Option<u16>,
    pub vendor: Option<u16>,
    pub device_state: Option<&'static str>,
    pub communication_state: Option<&'static str>,
    pub duration: Option<u16>,
    pub password: Option<String>,
    pub file_start: Option<i32>,
    pub file_bytes: Option<u32>,
    pub event_state: Option<u32>,
    pub clock: Option<String>,
}

/// Which of its tags hold property, index, value and priority of a point.
#[derive(Clone, Copy)]
struct Layout {
    property: u8,
    index: u8,
    value: u8,
    priority: u8,
}

const FLAT: Layout = Layout { property: 1, index: 2, value: 3, priority: 4 };
const WRITTEN: Layout = Layout { property: 0, index: 1, value: 2, priority: 3 };
const READ: Layout = Layout { property: 2, index: 3, value: 4, priority: 255 };

/// Reads the parameters of a service; `is_answer` for what an acknowledgement carries.
pub fn read(service: &str, is_answer: bool, octets: &[u8]) -> Wire<Said> {
    let mut said = Said::default();
    let mut reader = Reader::new(octets);
    match (service, is_answer) {
        ("read_property" | "write_property" | "read_range" | "add_list_element" | "remove_list_element", _) => flat(&mut reader, &mut said)?,
        ("read_property_multiple", true) => lists(&mut reader, READ, 0, 1, &mut said)?,
        ("read_property_multiple" | "write_property_multiple", false) => lists(&mut reader, WRITTEN, 0, 1, &mut said)?,
        ("cov_notification" | "confirmed_cov_notification", false) => lists(&mut reader, WRITTEN, 2, 4, &mut said)?,
        ("i_am", _) => {
            said.device = tags::next(&mut reader)?.unsigned();
            said.points = vec![Point { object: said.device, ..Point::default() }];
            said.max_apdu = tags::next(&mut reader)?.unsigned().and_then(|number| u16::try_from(number).ok());
            tags::next(&mut reader)?;
            said.vendor = tags::next(&mut reader)?.unsigned().and_then(|number| u16::try_from(number).ok());
        }
        ("i_have", _) => {
            said.device = tags::next(&mut reader)?.unsigned();
            said.points = vec![Point { object: tags::next(&mut reader)?.unsigned(), ..Point::default() }];
            said.object_name = tags::next(&mut reader)?.octets().map(tags::string);
        }
        ("time_synchronization" | "utc_time_synchronization", _) => {
            said.clock = Some(format!("{} {}", tags::next(&mut reader)?.text(), tags::next(&mut reader)?.text()));
        }
        ("delete_object", false) | ("create_object", true) => {
            said.points = vec![Point { object: tags::next(&mut reader)?.unsigned(), ..Point::default() }];
        }
        ("create_object", false) => {
            tags::next(&mut reader)?;
            let what = tags::next(&mut reader)?;
            let object = match what.number {
                // Only the type is given: the device chooses the instance.
                0 => what.unsigned().map(|kind| (kind & 0x3ff) << 22),
                _ => what.unsigned(),
            };
            said.points = vec![Point { object, ..Point::default() }];
        }
        ("atomic_read_file" | "atomic_write_file", _) => file(&mut reader, &mut said)?,
        _ => contexts(service, &mut reader, &mut said)?,
    }
    Ok(said)
}

/// Object, property, index, value and priority in a row.
fn flat(reader: &mut Reader<'_>, said: &mut Said) -> Wire<()> {
    let mut point = Point::default();
    while !reader.is_empty() {
        let tag = tags::next(reader)?;
        if tag.context(0).is_some() {
            point.object = tag.unsigned();
        } else {
            part(reader, &tag, FLAT, &mut point)?;
        }
    }
    said.points.push(point);
    Ok(())
}

/// Takes one part of a point; true if it was one.
fn part(reader: &mut Reader<'_>, tag: &Tag<'_>, layout: Layout, point: &mut Point) -> Wire<bool> {
    if !tag.is_context {
        return Ok(false);
    }
    match tag.kind {
        Kind::Value(_) if tag.number == layout.property => point.property = tag.unsigned(),
        Kind::Value(_) if tag.number == layout.index => point.index = tag.unsigned(),
        Kind::Value(_) if tag.number == layout.priority => point.priority = tag.unsigned().and_then(|number| u8::try_from(number).ok()),
        Kind::Open => {
            let found = value(reader, tag.number)?;
            if tag.number == layout.value {
                (point.value, point.number, point.is_null) = found;
            } else if tag.number == 5 && layout.value == READ.value {
                point.is_error = true;
                point.value = found.0.map(|error| format!("error {error}"));
            }
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// The value up to the closing tag of this number: its text, its number if it is one, whether it is null.
fn value(reader: &mut Reader<'_>, number: u8) -> Wire<(Option<String>, Option<f64>, bool)> {
    let (mut text, mut depth, mut count) = (String::new(), 0_u32, 0_u32);
    let (mut first, mut is_null) = (None, false);
    loop {
        let tag = tags::next(reader)?;
        match tag.kind {
            Kind::Close if depth == 0 => {
                if tag.number != number {
                    return Err(Malformed);
                }
                let is_single = count == 1;
                return Ok(((count > 0).then_some(text), first.filter(|_| is_single), is_null && is_single));
            }
            Kind::Close => depth -= 1,
            Kind::Open => depth += 1,
            Kind::Value(_) | Kind::Bool(_) => {
                if count == 0 {
                    first = tag.number();
                    is_null = !tag.is_context && tag.number == 0;
                }
                count += 1;
            }
        }
        if text.len() < MAX_TEXT {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(&tag.text());
        }
    }
}

/// Objects, each with a list of its properties.
fn lists(reader: &mut Reader<'_>, layout: Layout, object_tag: u8, list_tag: u8, said: &mut Said) -> Wire<()> {
    let mut object = None;
    while !reader.is_empty() {
        let tag = tags::next(reader)?;
        if tag.context(object_tag).is_some() {
            object = tag.unsigned();
        } else if tag.context(1).is_some() {
            // Notifications name the device before the object.
            said.device = tag.unsigned();
        } else if tag.is_context && tag.number == list_tag && tag.kind == Kind::Open {
            let mut point: Option<Point> = None;
            loop {
                let tag = tags::next(reader)?;
                if tag.kind == Kind::Close {
                    break;
                }
                if tag.context(layout.property).is_some() {
                    said.points.extend(point.take());
                    if said.points.len() >= MAX_POINTS {
                        return Err(Malformed);
                    }
                    point = Some(Point { object, ..Point::default() });
                }
                let Some(point) = &mut point else { return Err(Malformed) };
                part(reader, &tag, layout, point)?;
            }
            said.points.extend(point);
        }
    }
    Ok(())
}

/// Access to files: the file, then start and count, or start and octets, within a tag that tells streams from records.
fn file(reader: &mut Reader<'_>, said: &mut Said) -> Wire<()> {
    let mut is_first = true;
    let mut bytes = None;
    while !reader.is_empty() {
        let tag = tags::next(reader)?;
        match (tag.kind, tag.is_context, tag.number) {
            (Kind::Value(_), false, 12) => said.points = vec![Point { object: tag.unsigned(), ..Point::default() }],
            (Kind::Value(octets), false, 3) | (Kind::Value(octets), true, 0 | 1) if is_first => {
                said.file_start = tags::signed(octets);
                is_first = false;
            }
            (Kind::Value(octets), false, 6) => bytes = Some(bytes.unwrap_or(0_u32).saturating_add(u32::try_from(octets.len()).unwrap_or(u32::MAX))),
            _ => {}
        }
    }
    said.file_bytes = bytes;
    Ok(())
}

/// Services whose parameters are told by their context tags.
fn contexts(service: &str, reader: &mut Reader<'_>, said: &mut Said) -> Wire<()> {
    let mut depth = 0_u32;
    let mut point = Point::default();
    while !reader.is_empty() {
        let tag = tags::next(reader)?;
        match tag.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.checked_sub(1).ok_or(Malformed)?,
            _ => {}
        }
        if depth > 0 || !tag.is_context {
            continue;
        }
        let Some(octets) = tag.octets() else { continue };
        let number = || tags::unsigned(octets);
        let short = || number().and_then(|number| u16::try_from(number).ok());
        match (service, tag.number) {
            ("who_is" | "who_has", 0) => said.low = number(),
            ("who_is" | "who_has", 1) => said.high = number(),
            ("who_has", 2) | ("subscribe_cov" | "subscribe_cov_property", 1) => point.object = number(),
            ("event_notification" | "confirmed_event_notification", 2) | ("life_safety_operation", 3) | ("acknowledge_alarm", 1) => {
                point.object = number()
            }
            ("who_has", 3) => said.object_name = Some(tags::string(octets)),
            ("event_notification" | "confirmed_event_notification", 1) => said.device = number(),
            ("event_notification" | "confirmed_event_notification", 11) => said.event_state = number(),
            ("private_transfer" | "confirmed_private_transfer", 0) => said.vendor = short(),
            ("device_communication_control", 0) => said.duration = short(),
            ("device_communication_control", 1) => {
                said.communication_state =
                    number().and_then(|state| ["enable", "disable", "disable_initiation"].get(usize::try_from(state).ok()?).copied());
            }
            ("reinitialize_device", 0) => said.device_state = number().and_then(names::reinitialize),
            ("device_communication_control", 2) | ("reinitialize_device", 1) => said.password = Some(tags::string(octets)),
            _ => {}
        }
    }
    if point.object.is_some() {
        said.points.push(point);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_have_value_and_priority() {
        let octets = [0x0c, 0, 0x40, 0, 1, 0x19, 85, 0x3e, 0x44, 0x42, 0xc8, 0, 0, 0x3f, 0x49, 8];
        let said = read("write_property", false, &octets).unwrap();
        assert_eq!(said.points[0].text(), "analog_output,1 present_value");
        assert_eq!((said.points[0].number, said.points[0].priority), (Some(100.0), Some(8)));
        let null = [0x0c, 0, 0x40, 0, 1, 0x19, 85, 0x3e, 0x00, 0x3f];
        assert!(read("write_property", false, &null).unwrap().points[0].is_null);
        assert!(read("write_property", false, &octets[..10]).is_err());
    }

    #[test]
    fn lists_of_properties() {
        let ack = [0x0c, 2, 0, 0, 7, 0x1e, 0x29, 77, 0x4e, 0x75, 2, 0, b'x', 0x4f, 0x29, 28, 0x5e, 0x91, 2, 0x91, 32, 0x5f, 0x1f];
        let said = read("read_property_multiple", true, &ack).unwrap();
        let texts: Vec<_> = said.points.iter().map(|point| (point.text(), point.value.clone().unwrap())).collect();
        assert_eq!(said.points.iter().map(Point::name).collect::<Vec<_>>(), [Some("x"), None]);
        assert_eq!(texts, [("device,7 object_name".into(), "x".into()), ("device,7 description".into(), "error 2 32".into())]);
    }

    #[test]
    fn announcements_and_control() {
        let said = read("i_am", false, &[0xc4, 2, 0, 0, 7, 0x22, 5, 0xc4, 0x91, 3, 0x21, 8]).unwrap();
        assert_eq!((said.device.map(names::parts), said.max_apdu, said.vendor), (Some((8, 7)), Some(1476), Some(8)));
        let said = read("reinitialize_device", false, &[0x09, 1, 0x1d, 6, 0, b's', b'e', b'c', b'r', b't']).unwrap();
        assert_eq!((said.device_state, said.password.as_deref()), (Some("warmstart"), Some("secrt")));
        assert_eq!(read("who_is", false, &[0x09, 1, 0x19, 9]).unwrap().high, Some(9));
    }
}
