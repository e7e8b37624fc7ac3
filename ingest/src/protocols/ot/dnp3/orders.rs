//! Requests as commands, told when their outcome is known.

use pcapper_schema::Common;
use pcapper_schema::tables::{OtCommands, ProcessValues};

use super::fragment::Waiting;
use super::objects::{self, Objects, Point};
use super::{names, objects::Header};
use crate::protocols::Cx;
use crate::protocols::ot::calendar;
use crate::protocols::ot::points::{MAX_COMMANDS, Owner, command, milliseconds, value};

/// Controls of one fragment whose outcomes are told: no device takes more at once.
const MAX_CONTROLS: usize = 512;

/// Type of a value on the wire.
pub fn raw_type(group: u8, variation: u8) -> &'static str {
    match (group, variation) {
        (1 | 2 | 10 | 11, _) => "bool",
        (3 | 4, _) => "double_bit",
        (20, 2 | 4 | 6 | 8) | (21, 2 | 4 | 6 | 8 | 10 | 12) | (22 | 23, 2 | 4 | 6 | 8) => "u16",
        (20..=23, _) => "u32",
        (30, 5) | (31, 7) | (32 | 33 | 42, 5 | 7) | (40 | 41, 3) => "f32",
        (30, 6) | (31, 8) | (32 | 33 | 42, 6 | 8) | (40 | 41, 4) => "f64",
        (30, 2 | 4) | (31, 2 | 4 | 6) | (32 | 33 | 42, 2 | 4) | (40 | 41, 2) => "i16",
        _ => "i32",
    }
}

/// Class of a request in the vocabulary of commands; `None` for reads and housekeeping.
fn class(function: u8, headers: &[Header], mode: Option<u16>) -> Option<&'static str> {
    Some(match function {
        2 if headers.iter().any(|header| header.group == 50) => "time_set",
        // The blocks of a file belong to its opening.
        2 if headers.iter().any(|header| header.group == 70) => return None,
        2 | 7..=12 => "write",
        3 => "select",
        4..=6 => "operate",
        13 | 14 => "restart",
        15 | 16 | 19 | 22 | 31 => "config",
        17 => "start",
        18 => "stop",
        20 | 21 => "comm_control",
        25 if mode == Some(1) => "upload",
        25 => "download",
        27 => "delete",
        29 | 32 | 33 => "auth",
        _ => return None,
    })
}

/// Writes the rows of a request; `answer`: its shared cells, objects and indications.
pub fn tell(cx: &mut Cx<'_>, request: &Waiting, answer: Option<(&Common, &Objects<'_>, Option<u16>)>) {
    let asked = objects::read(request.function, &request.octets);
    let file = asked
        .points
        .iter()
        .filter(|point| asked.headers.get(point.header).is_some_and(|header| header.group == 70 && header.variation == 3))
        .find_map(|point| objects::file(3, point.octets).ok());
    let Some(class) = class(request.function, &asked.headers, file.as_ref().and_then(|file| file.mode)) else { return };
    // The row belongs to the frame of the answer, as with other transactions.
    let common = answer.map_or(request.common, |(answer, ..)| Common { frame: answer.frame, ts: answer.ts, ..request.common });
    let unit = request.header.destination.to_string();
    let name = names::function(request.function);
    let code = format!("0x{:02X}", request.function);
    let base = || OtCommands {
        protocol: Some("dnp3"),
        request_frame: Some(request.common.frame),
        response_frame: answer.map(|(answer, ..)| answer.frame),
        target_unit: Some(&unit),
        class: Some(class),
        command: name,
        command_code: Some(&code),
        is_broadcast: Some(request.header.is_broadcast()),
        latency_ms: answer.and_then(|(answer, ..)| milliseconds(request.common.ts, answer.ts)),
        ..OtCommands::default()
    };
    let is_control = matches!(request.function, 3..=6);
    if is_control && !asked.points.is_empty() {
        let shown = if asked.points.len() > MAX_COMMANDS { 1 } else { asked.points.len() };
        for (at, point) in asked.points.iter().take(MAX_CONTROLS).enumerate() {
            let Some(of) = asked.headers.get(point.header) else { continue };
            let (outcome, error) = outcome(request, answer, Some((of, point)));
            let name = format!("{}.{}[{}]", of.group, of.variation, point.index.map_or_else(String::new, |index| index.to_string()));
            if of.group == 41 {
                commanded(cx, &common, request, point, of, (&unit, &name), outcome);
            }
            if at >= shown {
                continue;
            }
            let text = asked_value(point);
            let quantity = u32::try_from(if shown == asked.points.len() { 1 } else { asked.points.len() }).ok();
            command(cx, &common, true, OtCommands { point: Some(&name), value: text.as_deref(), quantity, outcome: Some(outcome), error, ..base() });
        }
        return;
    }
    let (outcome, error) = outcome(request, answer, None);
    let point = file.as_ref().and_then(|file| file.name.as_deref()).map(str::to_owned).or_else(|| {
        let names: Vec<String> = asked.headers.iter().take(MAX_COMMANDS).map(|header| format!("{}.{}", header.group, header.variation)).collect();
        (!names.is_empty()).then(|| names.join(", "))
    });
    // IEEE 1815 has every time in UTC.
    let time =
        asked.points.iter().find_map(|point| point.time).filter(|_| class == "time_set").and_then(|time| super::fragment::nanoseconds(Some(time)));
    let time = time.map(|time| calendar::clock(time) + "Z");
    command(cx, &common, true, OtCommands { point: point.as_deref(), value: time.as_deref(), outcome: Some(outcome), error, ..base() });
}

fn asked_value(point: &Point<'_>) -> Option<String> {
    match point.crob {
        Some(crob) => {
            let trip = names::trip_close(crob.code).filter(|name| *name != "nul");
            names::operation(crob.code).map(|operation| trip.map_or_else(|| operation.to_owned(), |trip| format!("{operation} {trip}")))
        }
        None => point.value.map(|value| value.to_string()),
    }
}

fn commanded(cx: &mut Cx<'_>, common: &Common, request: &Waiting, point: &Point<'_>, of: &Header, (unit, name): (&str, &str), outcome: &str) {
    value(
        cx,
        common,
        Owner::Destination,
        ProcessValues {
            source_protocol: Some("dnp3"),
            request_frame: Some(request.common.frame),
            unit_id: Some(unit),
            point: Some(name),
            object_type: names::group(of.group),
            direction: Some(if request.function == 3 { "select" } else { "write" }),
            value: point.value,
            raw_type: Some(raw_type(of.group, of.variation)),
            outcome: Some(outcome),
            ..ProcessValues::default()
        },
    );
}

/// How a request, or one of its points, ended: by the point's own status, else by the indications.
fn outcome(
    request: &Waiting,
    answer: Option<(&Common, &Objects<'_>, Option<u16>)>,
    of: Option<(&Header, &Point<'_>)>,
) -> (&'static str, Option<&'static str>) {
    let Some((_, said, iin)) = answer else {
        let is_silent = request.header.is_broadcast() || names::is_unanswered(request.function);
        return (if is_silent { "unconfirmed" } else { "no_response" }, None);
    };
    let echo = of.and_then(|(header, point)| {
        let same = |other: &&Point<'_>| {
            other.index == point.index
                && said.headers.get(other.header).is_some_and(|found| (found.group, found.variation) == (header.group, header.variation))
        };
        said.points.iter().find(same).and_then(|point| point.status)
    });
    match (echo, iin.and_then(names::refusal)) {
        (Some(0), _) => ("ok", None),
        (Some(status), _) => ("refused", names::status(status)),
        (None, Some(reason)) => ("refused", Some(reason)),
        // The status of files stands in their own object.
        (None, None) => match said.points.iter().filter(|_| matches!(request.function, 25 | 27)).find_map(|point| file_status(said, point)) {
            Some(status @ 1..) => ("refused", names::file_status(status)),
            _ => ("ok", None),
        },
    }
}

fn file_status(said: &Objects<'_>, point: &Point<'_>) -> Option<u8> {
    let header = said.headers.get(point.header).filter(|header| header.group == 70)?;
    objects::file(header.variation, point.octets).ok()?.status
}
