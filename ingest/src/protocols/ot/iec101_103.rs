//! IEC 60870-5-101 (telecontrol) and -103 (protection), serial protocols, as terminal servers carry their frames in TCP or UDP.
//!
//! ```text
//! FT 1.2 (IEC 60870-5-1, -5-2)
//! variable  68 L L 68  control:1  link address:0-2  ASDU  sum:1  16          L octets from control to the ASDU's end
//! fixed     10  control:1  link address:0-2  sum:1  16                        single  e5
//! ```
//! How many octets link address, cause, common address and object address take differs from plant to plant: of all that are
//! possible those stay that fit every frame of a line so far.

use std::collections::VecDeque;

use pcapper_schema::Common;
use pcapper_schema::tables::{Iec101103, OtCommands};

use super::iec104::{Commands, Header, Object, cause, find_type, report, type_category, type_object};
use super::points;
use super::serial::{Found, Serial, SerialLine};
use crate::protocols::{Cx, DatagramKind, Group, Offer, Protocol, StreamKind, Verdict};
use crate::wire::{Malformed, Reader, Wire};

/// Both, on any port: the ports of terminal servers are the site's.
pub static PROTOCOL: Protocol = Protocol {
    name: "iec101_103",
    group: Group::Ot,
    datagram: Some(DatagramKind { ip_protos: &[17], probe: probe_datagram, start: || Box::new(Serial::new(Line::new("udp"))) }),
    stream: Some(StreamKind { probe, start: || Box::new(Serial::new(Line::new("tcp"))) }),
    ..Protocol::NONE
};

const VARIABLE: u8 = 0x68;
const FIXED: u8 = 0x10;
const SINGLE: u8 = 0xe5;
const END: u8 = 0x16;
/// Variable frames that make a stream this protocol: two, or one with fixed frames beside it.
const ENOUGH: usize = 4;
/// Bit of the control octet that the primary station sets.
const PRIMARY: u8 = 0x40;
/// General commands of IEC 103 that wait.
const MAX_WAITING: usize = 64;

/// A frame with right sum and end.
enum Frame<'a> {
    Variable(&'a [u8]),
    Fixed(&'a [u8]),
    Single,
}

fn sum(octets: &[u8]) -> u8 {
    octets.iter().fold(0, |sum, octet| sum.wrapping_add(*octet))
}

fn find(bytes: &[u8]) -> Found<Frame<'_>> {
    match bytes {
        [] | [VARIABLE | FIXED] | [VARIABLE, _] => Found::Part,
        [SINGLE, ..] => Found::Frame(Frame::Single, 1),
        [VARIABLE, length, again, ..] if length != again || *length < 2 => Found::Nothing,
        [VARIABLE, _, _] => Found::Part,
        [VARIABLE, length, _, VARIABLE, rest @ ..] => {
            let length = usize::from(*length);
            match (rest.get(..length), rest.get(length..length + 2)) {
                (Some(user), Some([check, END])) if sum(user) == *check => Found::Frame(Frame::Variable(user), length + 6),
                (Some(_), Some(_)) => Found::Nothing,
                _ => Found::Part,
            }
        }
        [FIXED, rest @ ..] => {
            // With an address of one octet, of two, or none.
            for length in [2, 3, 1] {
                if let (Some(user), Some([check, END])) = (rest.get(..length), rest.get(length..length + 2))
                    && sum(user) == *check
                {
                    return Found::Frame(Frame::Fixed(user), length + 3);
                }
            }
            if rest.len() < 5 { Found::Part } else { Found::Nothing }
        }
        _ => Found::Nothing,
    }
}

/// Weight of the frames that the bytes start with: 2 for a variable one, 1 for a fixed one; `None` if they are no frames.
fn evidence(bytes: &[u8]) -> Option<usize> {
    let (mut at, mut weight) = (0, 0);
    loop {
        match find(bytes.get(at..)?) {
            Found::Frame(frame, length) => {
                weight += match frame {
                    Frame::Variable(_) => 2,
                    Frame::Fixed(_) => 1,
                    Frame::Single => 0,
                };
                at += length;
            }
            Found::Part => return Some(weight),
            Found::Nothing => return None,
        }
    }
}

fn has_variable(bytes: &[u8]) -> bool {
    let mut at = 0;
    while let Found::Frame(frame, length) = find(bytes.get(at..).unwrap_or_default()) {
        if matches!(frame, Frame::Variable(_)) {
            return true;
        }
        at += length;
    }
    false
}

fn probe(offer: &Offer<'_>) -> Verdict {
    let [a, b] = offer.bytes;
    match [evidence(a), evidence(b)] {
        [Some(x), Some(y)] if x + y >= ENOUGH && (has_variable(a) || has_variable(b)) => Verdict::Yes,
        [Some(_), Some(_)] => Verdict::More,
        _ => Verdict::No,
    }
}

/// One datagram must hold a whole variable frame.
fn probe_datagram(offer: &Offer<'_>) -> Verdict {
    let bytes = offer.current();
    match find(bytes) {
        Found::Frame(Frame::Variable(user), length) if length == bytes.len() && user.len() >= 8 => Verdict::Yes,
        _ => Verdict::No,
    }
}

/// Octets of link address, cause, common address and object address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Layout {
    link: usize,
    cause: usize,
    common: usize,
    object: usize,
}

/// All that are possible, the most usual first.
fn layouts() -> impl Iterator<Item = Layout> {
    [1, 2, 0].into_iter().flat_map(|link| {
        [1, 2].into_iter().flat_map(move |cause| {
            [1, 2].into_iter().flat_map(move |common| [2, 3, 1].into_iter().map(move |object| Layout { link, cause, common, object }))
        })
    })
}

fn number(octets: &[u8]) -> u32 {
    octets.iter().rev().fold(0, |number, octet| number << 8 | u32::from(*octet))
}

impl Layout {
    /// Header and objects of an ASDU of IEC 101, if this layout fits it exactly.
    fn read(self, user: &[u8], now: i64) -> Wire<(Header, Vec<Object>)> {
        let mut reader = Reader::new(user);
        reader.skip(1 + self.link)?;
        let (type_id, structure, cause) = (reader.u8()?, reader.u8()?, reader.u8()?);
        let originator = if self.cause == 2 { reader.u8()? } else { 0 };
        let address = number(reader.take(self.common)?) as u16;
        let header = Header {
            type_id,
            is_sequence: structure & 0x80 != 0,
            count: structure & 0x7f,
            cause: cause & 0x3f,
            negative: cause & 0x40 != 0,
            test: cause & 0x80 != 0,
            originator,
            address,
        };
        let of = find_type(type_id).ok_or(Malformed)?;
        let mut objects = Vec::new();
        let mut ioa = 0;
        for index in 0..header.count {
            ioa = if header.is_sequence && index > 0 { ioa + 1 } else { number(reader.take(self.object)?) };
            objects.push(type_object(&mut reader, &of, ioa, now)?);
        }
        if reader.is_empty() && header.count > 0 { Ok((header, objects)) } else { Err(Malformed) }
    }

    fn text(self) -> String {
        format!("{}/{}/{}/{}", self.link, self.cause, self.common, self.object)
    }
}

/// An ASDU of IEC 103 (IEC 60870-5-103 section 7.2): link and common address of one octet each.
struct Protection<'a> {
    type_id: u8,
    cause: u8,
    address: u8,
    function: u8,
    information: u8,
    data: &'a [u8],
}

impl<'a> Protection<'a> {
    fn read(user: &'a [u8]) -> Wire<Self> {
        let mut reader = Reader::new(user);
        reader.skip(2)?;
        let [type_id, structure, cause, address, function, information] = reader.array::<6>()?;
        let count = usize::from(structure & 0x7f);
        let data = reader.rest();
        let length = match type_id {
            1 => Some(6),
            2 => Some(10),
            3 | 9 => Some(2 * count),
            5 => Some(13),
            6 => Some(7),
            7 | 8 => Some(1),
            20 => Some(2),
            _ => None,
        };
        // Its structure says one object of a sequence, which no station of IEC 101 would.
        let is_it = structure & 0x80 != 0 && (count == 1 || matches!(type_id, 3 | 9)) && length == Some(data.len());
        if is_it { Ok(Self { type_id, cause, address, function, information, data }) } else { Err(Malformed) }
    }

    fn name(&self) -> Option<&'static str> {
        Some(match self.type_id {
            1 => "time_tagged_message",
            2 => "time_tagged_message_relative",
            3 => "measurands_i",
            5 => "identification",
            6 => "time_sync",
            7 => "general_interrogation",
            8 => "end_of_general_interrogation",
            9 => "measurands_ii",
            20 => "general_command",
            _ => return None,
        })
    }

    /// Cause of transmission (section 7.2.3).
    fn cause_name(&self) -> Option<&'static str> {
        Some(match self.cause {
            1 => "spontaneous",
            2 => "cyclic",
            3 => "reset_fcb",
            4 => "reset_cu",
            5 => "start_restart",
            6 => "power_on",
            7 => "test_mode",
            8 => "time_sync",
            9 => "general_interrogation",
            10 => "end_of_general_interrogation",
            11 => "local_operation",
            12 => "remote_operation",
            20 => "command_acknowledged",
            21 => "command_refused",
            _ => return None,
        })
    }

    fn state(&self) -> Option<&'static str> {
        let state = self.data.first().filter(|_| matches!(self.type_id, 1 | 2 | 20))? & 3;
        ["intermediate", "off", "on", "indeterminate"].get(usize::from(state)).copied()
    }
}

fn link_function(control: u8) -> Option<&'static str> {
    Some(match (control & PRIMARY != 0, control & 0x0f) {
        (true, 0) => "reset_link",
        (true, 1) => "reset_user_process",
        (true, 2) => "test_link",
        (true, 3) => "send_confirm",
        (true, 4) => "send_no_reply",
        (true, 7) => "reset_fcb",
        (true, 8) => "request_access_demand",
        (true, 9) => "request_link_status",
        (true, 10) => "request_class_1",
        (true, 11) => "request_class_2",
        (false, 0) => "ack",
        (false, 1) => "nack",
        (false, 8) => "user_data",
        (false, 9) => "no_data",
        (false, 11) => "link_status",
        _ => return None,
    })
}

/// A general command of IEC 103 that waits for its acknowledgement.
struct Waiting {
    common: Common,
    address: u8,
    function: u8,
    information: u8,
    state: Option<&'static str>,
}

struct Line {
    carrier: &'static str,
    /// Layouts that fit all ASDUs so far.
    alive: Vec<Layout>,
    /// The one in use.
    layout: Option<Layout>,
    commands: Commands,
    waiting: VecDeque<Waiting>,
    /// Variable frames of each direction.
    frames: [u32; 2],
}

impl Line {
    fn new(carrier: &'static str) -> Self {
        Self { carrier, alive: layouts().collect(), layout: None, commands: Commands::new("iec101"), waiting: VecDeque::new(), frames: [0; 2] }
    }

    fn base(&self, control: u8) -> Iec101103<'static> {
        let [orig, resp] = self.frames;
        Iec101103 {
            carrier: Some(self.carrier),
            confidence: Some(match (orig, resp) {
                (0, 0) => "low",
                (0, _) | (_, 0) => "medium",
                _ if orig + resp >= 3 => "high",
                _ => "medium",
            }),
            control: Some(control),
            is_primary: Some(control & PRIMARY != 0),
            link_function_code: Some(control & 0x0f),
            link_function: link_function(control),
            checksum_ok: Some(true),
            ..Iec101103::default()
        }
    }

    fn told(&mut self, cx: &mut Cx<'_>, frame: &Frame<'_>) {
        match frame {
            Frame::Single => cx.emit(Iec101103 {
                protocol: Some("ft12"),
                carrier: Some(self.carrier),
                confidence: Some("low"),
                frame_format: Some("ack"),
                ..Iec101103::default()
            }),
            Frame::Fixed(user) => {
                let Some((control, address)) = user.split_first() else { return };
                let address = Some(number(address) as u16).filter(|_| !address.is_empty());
                cx.emit(Iec101103 { protocol: Some("ft12"), frame_format: Some("fixed"), link_address: address, ..self.base(*control) });
            }
            Frame::Variable(user) => {
                if let Some(count) = self.frames.get_mut(cx.dir.index()) {
                    *count = count.saturating_add(1);
                }
                self.variable(cx, user);
            }
        }
    }

    fn variable(&mut self, cx: &mut Cx<'_>, user: &[u8]) {
        let Some(control) = user.first() else { return };
        let base = Iec101103 { frame_format: Some("variable"), user_octets: u8::try_from(user.len()).ok(), ..self.base(*control) };
        if let Ok(asdu) = Protection::read(user) {
            return self.protection(cx, base, user.get(1).copied(), &asdu);
        }
        let Some((layout, header, objects)) = self.fitting(user, cx.ts) else {
            return cx.emit(Iec101103 { protocol: Some("ft12"), ..base });
        };
        let of = find_type(header.type_id);
        let first = objects.first();
        let link = user.get(1..1 + layout.link).filter(|link| !link.is_empty()).map(|link| number(link) as u16);
        let shown = layout.text();
        cx.emit(Iec101103 {
            protocol: Some("iec101"),
            link_address: link,
            type_id_code: Some(header.type_id),
            type_id: of.as_ref().map(|of| of.name),
            cot_code: Some(header.cause),
            cot: cause(header.cause),
            common_address: Some(header.address),
            ioa: first.map(|object| object.ioa),
            value_text: first.and_then(|object| object.text.as_deref()),
            category: Some(type_category(header.type_id)),
            layout: Some(&shown),
            ..base
        });
        let common = cx.common(cx.dir);
        self.commands.message(cx, &common, &header, of.as_ref(), &objects, first.map(|object| object.ioa));
        if type_category(header.type_id) == "monitor" {
            report(cx, "iec101", &header, of.as_ref(), &objects);
        }
    }

    /// The layout that fits this ASDU and all before it: one whose common address is the link's, else the most usual.
    fn fitting(&mut self, user: &[u8], now: i64) -> Option<(Layout, Header, Vec<Object>)> {
        let mut fits: Vec<(Layout, Header, Vec<Object>)> = Vec::new();
        for layout in &self.alive {
            if let Ok((header, objects)) = layout.read(user, now) {
                fits.push((*layout, header, objects));
            }
        }
        if fits.is_empty() {
            return None;
        }
        self.alive = fits.iter().map(|(layout, ..)| *layout).collect();
        let kept = fits.iter().position(|(layout, ..)| Some(*layout) == self.layout);
        let like_link = |(layout, header, _): &(Layout, Header, Vec<Object>)| {
            user.get(1..1 + layout.link).is_some_and(|link| !link.is_empty() && number(link) == u32::from(header.address))
        };
        let at = kept.or_else(|| fits.iter().position(like_link)).unwrap_or(0);
        let chosen = fits.swap_remove(at);
        self.layout = Some(chosen.0);
        Some(chosen)
    }

    fn protection(&mut self, cx: &mut Cx<'_>, base: Iec101103<'_>, link: Option<u8>, asdu: &Protection<'_>) {
        cx.emit(Iec101103 {
            protocol: Some("iec103"),
            link_address: link.map(u16::from),
            type_id_code: Some(asdu.type_id),
            type_id: asdu.name(),
            cot_code: Some(asdu.cause),
            cot: asdu.cause_name(),
            common_address: Some(u16::from(asdu.address)),
            function_type: Some(asdu.function),
            information_number: Some(asdu.information),
            value_text: asdu.state(),
            category: Some(match asdu.type_id {
                20 => "control",
                6..=8 => "system",
                _ => "monitor",
            }),
            layout: Some("1/1/1"),
            ..base
        });
        let common = cx.common(cx.dir);
        match (asdu.type_id, asdu.cause) {
            (20, _) => {
                if self.waiting.len() >= MAX_WAITING {
                    self.give_up_oldest(cx);
                }
                let (address, function, information) = (asdu.address, asdu.function, asdu.information);
                self.waiting.push_back(Waiting { common, address, function, information, state: asdu.state() });
            }
            (1, 20 | 21) => {
                let of = |waiting: &Waiting| (waiting.address, waiting.function, waiting.information);
                let at = self.waiting.iter().position(|waiting| of(waiting) == (asdu.address, asdu.function, asdu.information));
                if let Some(waiting) = at.and_then(|at| self.waiting.remove(at)) {
                    act(cx, &waiting, Some((&common, asdu.cause == 20)));
                }
            }
            _ => {}
        }
    }

    fn give_up_oldest(&mut self, cx: &mut Cx<'_>) {
        if let Some(waiting) = self.waiting.pop_front() {
            act(cx, &waiting, None);
        }
    }
}

/// Writes a general command, with its acknowledgement where one came.
fn act(cx: &mut Cx<'_>, waiting: &Waiting, answer: Option<(&Common, bool)>) {
    let unit = waiting.address.to_string();
    let point = format!("function {} information {}", waiting.function, waiting.information);
    let common = answer.map_or(waiting.common, |(answer, _)| Common { frame: answer.frame, ts: answer.ts, ..waiting.common });
    points::command(
        cx,
        &common,
        false,
        OtCommands {
            protocol: Some("iec103"),
            request_frame: Some(waiting.common.frame),
            response_frame: answer.map(|(answer, _)| answer.frame),
            target_unit: Some(&unit),
            class: Some("operate"),
            command: Some("general_command"),
            command_code: Some("0x14"),
            point: Some(&point),
            value: waiting.state,
            is_broadcast: Some(waiting.address == 255),
            outcome: Some(match answer {
                None => "no_response",
                Some((_, true)) => "ok",
                Some((_, false)) => "refused",
            }),
            latency_ms: answer.and_then(|(answer, _)| points::milliseconds(waiting.common.ts, answer.ts)),
            ..OtCommands::default()
        },
    );
}

impl SerialLine for Line {
    type Frame<'a> = Frame<'a>;
    const LOST: (&'static str, &'static str, &'static str) =
        ("iec101_103", "bad_checksum", "no frame with a right sum and end where one should start");

    fn find(bytes: &[u8]) -> Found<Frame<'_>> {
        find(bytes)
    }

    fn next(bytes: &[u8]) -> Option<usize> {
        Some(bytes.iter().skip(1).position(|octet| matches!(*octet, VARIABLE | FIXED | SINGLE))? + 1)
    }

    fn frame(&mut self, cx: &mut Cx<'_>, frame: &Frame<'_>) {
        self.told(cx, frame);
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.commands.close(cx);
        while !self.waiting.is_empty() {
            self.give_up_oldest(cx);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(user: &[u8]) -> Vec<u8> {
        let length = user.len() as u8;
        let mut frame = vec![VARIABLE, length, length, VARIABLE];
        frame.extend(user);
        frame.extend([sum(user), END]);
        frame
    }

    #[test]
    fn sums_and_ends_are_checked() {
        let frame = variable(&[0x73, 3, 100, 1, 6, 3, 0, 0, 20]);
        assert!(matches!(find(&frame), Found::Frame(Frame::Variable(user), 15) if user.len() == 9));
        for end in 0..frame.len() {
            assert!(matches!(find(&frame[..end]), Found::Part), "{end} octets");
        }
        let mut wrong = frame.clone();
        wrong[13] ^= 1;
        assert!(matches!(find(&wrong), Found::Nothing));
        assert!(matches!(find(&[FIXED, 0x49, 3, 0x4c, END]), Found::Frame(Frame::Fixed(_), 5)));
        // What IEC 104 starts with.
        assert!(matches!(find(&[VARIABLE, 4, 7, 0, 0, 0]), Found::Nothing));
    }

    #[test]
    fn the_layout_that_fits_all() {
        let mut line = Line::new("tcp");
        let (layout, header, objects) = line.fitting(&[0x73, 3, 45, 1, 6, 3, 50, 0, 1], 0).unwrap();
        assert_eq!((layout.text().as_str(), header.address, objects[0].ioa, objects[0].value), ("1/1/1/2", 3, 50, Some(1.0)));
        assert!(line.fitting(&[0x08, 3, 1, 2, 20, 3, 10, 0, 1, 11, 0, 0], 0).is_some());
        assert!(line.fitting(&[0x08, 3, 1, 2, 20], 0).is_none());
    }

    #[test]
    fn protection_by_its_structure() {
        let command = [0x73, 9, 20, 0x81, 20, 9, 160, 19, 2, 5];
        let asdu = Protection::read(&command).unwrap();
        assert_eq!((asdu.name(), asdu.function, asdu.state()), (Some("general_command"), 160, Some("on")));
        assert!(Protection::read(&[0x73, 3, 45, 1, 6, 3, 50, 0, 1]).is_err());
        assert_eq!((link_function(0x73), link_function(0x0b)), (Some("send_confirm"), Some("link_status")));
    }
}
