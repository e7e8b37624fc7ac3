//! BACnet (ASHRAE 135 clauses 6, 20 and 21): network layer and application, over UDP with its virtual link (annex J), over
//! Ethernet (clause 7) and over MS/TP (clause 9).
//!
//! ```text
//! UDP:     0x81  function:1  length:2  [original address:6]  message
//! message: version:1 (1)  control:1  [addresses, hop count]  APDU or network message
//! ```

mod link;
mod names;
mod service;
mod tags;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::net::Ipv4Addr;

use pcapper_schema::Common;
use pcapper_schema::tables::{Bacnet, Credentials, OtCommands, ProcessValues};

use self::service::{Point, Said};
use crate::protocols::hex::hex;
use crate::protocols::ot::points::{MAX_COMMANDS, Owner, command, milliseconds, value};
use crate::protocols::{Cx, DatagramDissector, DatagramKind, Dir, FrameKind, Group, Offer, Outcome, Protocol, Verdict, secrets};
use crate::wire::{Reader, Wire};

/// Port 47808, or any with datagrams that agree with their length; below IP, frames that say so.
pub static PROTOCOL: Protocol = Protocol {
    name: "bacnet",
    group: Group::Ot,
    ports: &[47808],
    frame: Some(FrameKind { claims: link::claims, start: || Box::<link::Frames>::default() }),
    datagram: Some(DatagramKind { ip_protos: &[17], probe, start: || Box::<Flow>::default() }),
    ..Protocol::NONE
};

/// Network message that lists the networks a router reaches (clause 6.4.2).
const I_AM_ROUTER: u8 = 1;
/// Requests of one flow that may wait for their answers.
const MAX_WAITING: usize = 256;
/// Messages of one flow whose segments are joined, and the longest of them.
const MAX_JOINING: usize = 16;
const MAX_JOINED: usize = 1 << 20;

fn probe(offer: &Offer<'_>) -> Verdict {
    match *offer.current() {
        // Some devices count wrongly: on the usual port the version will do.
        [0x81, function @ 0..=12, high, low, ref rest @ ..]
            if usize::from(u16::from_be_bytes([high, low])) == rest.len() + 4 || offer.usual_port && matches!(function, 4 | 9..=11) =>
        {
            // What is not on its own port must carry a message of version 1.
            let version = match function {
                4 => rest.get(6),
                9..=11 => rest.first(),
                _ => None,
            };
            if version == Some(&1) || version.is_none() && offer.usual_port { Verdict::Yes } else { Verdict::No }
        }
        _ => Verdict::No,
    }
}

/// Network and station behind a router.
type Station = Option<(u16, Vec<u8>)>;

struct Waiting {
    common: Common,
    dir: Dir,
    invoke_id: u8,
    to: Station,
    station: Option<u8>,
    service: &'static str,
    said: Said,
}

struct Joining {
    dir: Dir,
    invoke_id: u8,
    is_answer: bool,
    segments: u32,
    next: u8,
    octets: Vec<u8>,
}

/// A UDP flow, or two stations below IP.
#[derive(Default)]
struct Flow {
    /// MS/TP: address of the station that the frame at hand goes to.
    station: Option<u8>,
    waiting: VecDeque<Waiting>,
    joining: Vec<Joining>,
}

impl DatagramDissector for Flow {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        let mut reader = Reader::new(payload);
        let Ok([0x81, function]) = reader.array::<2>() else { return Outcome::NotMine };
        let Ok(length) = reader.be_u16() else { return Outcome::NotMine };
        let fault = (usize::from(length) != payload.len()).then_some("bad_length");
        let base = Bacnet {
            link: Some("ip"),
            bvlc_function_code: Some(function),
            bvlc_function: names::bvlc(function),
            malformed: fault,
            ..Bacnet::default()
        };
        self.link(cx, function, &mut reader, base);
        Outcome::Decoded
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.give_up(cx);
    }
}

/// Addresses in entries of tables: ip, port, then mask, or time to live and what is left of it.
fn entries(reader: &mut Reader<'_>, has_mask: bool) -> Vec<Cow<'static, str>> {
    let mut entries = Vec::new();
    while let Ok([a, b, c, d, high, low, rest @ ..]) = reader.array::<10>() {
        let (ip, port) = (Ipv4Addr::new(a, b, c, d), u16::from_be_bytes([high, low]));
        entries.push(Cow::Owned(if has_mask {
            format!("{ip}:{port}/{}", Ipv4Addr::from(rest))
        } else {
            let [e, f, g, h] = rest;
            format!("{ip}:{port} ttl {} remaining {}", u16::from_be_bytes([e, f]), u16::from_be_bytes([g, h]))
        }));
    }
    entries
}

impl Flow {
    /// Whatever waits for its answer will not get it.
    fn give_up(&mut self, cx: &mut Cx<'_>) {
        for waiting in std::mem::take(&mut self.waiting) {
            tell(cx, &waiting, None);
        }
    }

    fn link(&mut self, cx: &mut Cx<'_>, function: u8, reader: &mut Reader<'_>, base: Bacnet<'_>) {
        match function {
            4 => {
                let Ok([a, b, c, d, high, low]) = reader.array::<6>() else {
                    return cx.emit(Bacnet { malformed: Some("truncated"), ..base });
                };
                let origin = Ipv4Addr::new(a, b, c, d).to_string();
                let base = Bacnet { forwarded_ip: Some(&origin), forwarded_port: Some(u16::from_be_bytes([high, low])), ..base };
                return self.npdu(cx, reader, base);
            }
            9..=11 => {}
            _ => {
                let (result, ttl) = (reader.clone().be_u16().ok().filter(|_| function == 0), reader.clone().be_u16().ok().filter(|_| function == 5));
                let entries = if matches!(function, 1 | 3 | 7) { entries(reader, function != 7) } else { Vec::new() };
                let common = cx.common(cx.dir);
                cx.emit(Bacnet {
                    pdu_type: Some("bvlc"),
                    category: Some("bbmd"),
                    bvlc_result_code: result,
                    foreign_ttl_s: ttl,
                    bdt_entries: (!entries.is_empty()).then_some(&entries),
                    ..base
                });
                if matches!(function, 1 | 8) {
                    let row = OtCommands {
                        protocol: Some("bacnet"),
                        request_frame: Some(cx.frame),
                        class: Some("config"),
                        command: names::bvlc(function),
                        command_code: Some(&format!("0x{function:02X}")),
                        is_broadcast: Some(false),
                        outcome: Some("unknown"),
                        ..OtCommands::default()
                    };
                    command(cx, &common, true, row);
                }
                return;
            }
        }
        self.npdu(cx, reader, base);
    }

    /// A message of the network layer; `base` has the columns of the link.
    fn npdu(&mut self, cx: &mut Cx<'_>, reader: &mut Reader<'_>, base: Bacnet<'_>) {
        let (link, function) = (base.link, base.bvlc_function_code);
        if self.network(cx, reader, base).is_err() {
            cx.emit(Bacnet {
                link,
                bvlc_function_code: function,
                bvlc_function: function.and_then(names::bvlc),
                malformed: Some("truncated"),
                ..Bacnet::default()
            });
        }
    }

    /// Network layer (clause 6.2): version, control, destination, source, hop count, message.
    fn network(&mut self, cx: &mut Cx<'_>, reader: &mut Reader<'_>, base: Bacnet<'_>) -> Wire<()> {
        let [_, control] = reader.array::<2>()?;
        let station = |reader: &mut Reader<'_>| -> Wire<(u16, Vec<u8>)> {
            let network = reader.be_u16()?;
            let length = usize::from(reader.u8()?);
            Ok((network, reader.take(length)?.to_vec()))
        };
        let to = if control & 0x20 != 0 { Some(station(reader)?) } else { None };
        let from = if control & 0x08 != 0 { Some(station(reader)?) } else { None };
        let hops = if to.is_some() { Some(reader.u8()?) } else { None };
        let address = |station: &Station| station.as_ref().filter(|(_, address)| !address.is_empty()).map(|(_, address)| hex(address));
        let (dadr, sadr) = (address(&to), address(&from));
        let base = Bacnet {
            dnet: to.as_ref().map(|(network, _)| *network),
            dadr: dadr.as_deref(),
            snet: from.as_ref().map(|(network, _)| *network),
            sadr: sadr.as_deref(),
            hop_count: hops,
            npdu_priority: Some(control & 3),
            expecting_reply: Some(control & 4 != 0),
            ..base
        };
        if control & 0x80 != 0 {
            let code = reader.u8()?;
            let listed = if code == I_AM_ROUTER { reader.rest() } else { &[] };
            let networks: Vec<Cow<'_, str>> =
                listed.as_chunks::<2>().0.iter().map(|octets| Cow::Owned(u16::from_be_bytes(*octets).to_string())).collect();
            cx.emit(Bacnet {
                network_message_code: Some(code),
                network_message: names::network(code),
                values: (!networks.is_empty()).then_some(&networks),
                pdu_type: Some("npdu"),
                category: Some("routing"),
                ..base
            });
            return Ok(());
        }
        let apdu = reader.rest();
        if self.application(cx, apdu, &base, to, from).is_err() {
            cx.emit(Bacnet { malformed: Some("truncated"), apdu_len: u32::try_from(apdu.len()).ok(), ..copy(&base) });
        }
        Ok(())
    }

    fn application(&mut self, cx: &mut Cx<'_>, apdu: &[u8], base: &Bacnet<'_>, to: Station, from: Station) -> Wire<()> {
        let mut reader = Reader::new(apdu);
        let first = reader.u8()?;
        let kind = first >> 4;
        let base = Bacnet { pdu_type_code: Some(kind), pdu_type: names::pdu(kind), apdu_len: u32::try_from(apdu.len()).ok(), ..copy(base) };
        match kind {
            0 | 3 => {
                let is_answer = kind == 3;
                let max_apdu = if is_answer { None } else { Some(reader.u8()?) };
                let invoke_id = reader.u8()?;
                let is_segmented = first & 8 != 0;
                let sequence = if is_segmented { Some(reader.array::<2>()?) } else { None };
                let code = reader.u8()?;
                let octets = reader.rest();
                let (joined, segments) = match sequence {
                    None => (Cow::Borrowed(octets), None),
                    Some([sequence, _]) => match self.join(cx, invoke_id, is_answer, sequence, first & 4 == 0, octets) {
                        Some((joined, segments)) => (Cow::Owned(joined), Some(segments)),
                        None => return Ok(()),
                    },
                };
                let base = Bacnet {
                    service_code: Some(code),
                    confirmed_service_code: Some(code),
                    invoke_id: Some(invoke_id),
                    segment_count: segments,
                    max_apdu: max_apdu.and_then(|octet| [50, 128, 206, 480, 1024, 1476].get(usize::from(octet & 0x0f)).copied()),
                    apdu_len: u32::try_from(joined.len() + 3).ok(),
                    ..base
                };
                let name = names::confirmed(code);
                if is_answer {
                    self.answer(cx, invoke_id, &from, name, &joined, base);
                } else {
                    self.request(cx, invoke_id, to, name, &joined, base);
                }
            }
            1 => {
                let code = reader.u8()?;
                let name = names::unconfirmed(code);
                let said = name.map(|name| service::read(name, false, reader.rest()));
                let malformed = matches!(said, Some(Err(_))).then_some("bad_tag");
                let said = said.and_then(Result::ok).unwrap_or_default();
                let base = Bacnet {
                    service_code: Some(code),
                    unconfirmed_service_code: Some(code),
                    is_request: Some(true),
                    malformed: base.malformed.or(malformed),
                    ..base
                };
                emit(cx, name, &said, base);
                unconfirmed(cx, name, &said);
            }
            2 => {
                let (invoke_id, code) = (reader.u8()?, reader.u8()?);
                let base = Bacnet { service_code: Some(code), confirmed_service_code: Some(code), invoke_id: Some(invoke_id), ..base };
                self.answer(cx, invoke_id, &from, names::confirmed(code), &[], base);
            }
            4 => {
                let invoke_id = reader.u8()?;
                cx.emit(Bacnet { invoke_id: Some(invoke_id), category: Some("answer"), is_request: Some(false), ..base });
            }
            5 => {
                let (invoke_id, code) = (reader.u8()?, reader.u8()?);
                let waiting = self.answered(cx, invoke_id, &from);
                // Some services put the error into a tag.
                let mut numbers = std::iter::from_fn(|| tags::next(&mut reader).ok()).filter(|tag| !tag.is_context).filter_map(|tag| tag.unsigned());
                let (class, error) = (numbers.next(), numbers.next());
                let name = error.and_then(names::error_code);
                emit_answer(
                    cx,
                    waiting.as_ref(),
                    names::confirmed(code),
                    &Said::default(),
                    Bacnet {
                        service_code: Some(code),
                        confirmed_service_code: Some(code),
                        invoke_id: Some(invoke_id),
                        error_class_code: class,
                        error_class: class.and_then(names::error_class),
                        error_code_value: error,
                        error_code: name,
                        result_code: name,
                        ..base
                    },
                );
                if let Some(waiting) = waiting {
                    tell(cx, &waiting, Some(Some(name.unwrap_or("error"))));
                }
            }
            6 | 7 => {
                let (invoke_id, reason) = (reader.u8()?, reader.u8()?);
                let waiting = self.answered(cx, invoke_id, &from);
                let name = if kind == 6 { names::reject(reason) } else { names::abort(reason) };
                let base = Bacnet {
                    invoke_id: Some(invoke_id),
                    reject_reason: Some(reason).filter(|_| kind == 6),
                    abort_reason: Some(reason).filter(|_| kind == 7),
                    result_code: name,
                    ..base
                };
                emit_answer(cx, waiting.as_ref(), waiting.as_ref().map(|waiting| waiting.service), &Said::default(), base);
                if let Some(waiting) = waiting {
                    tell(cx, &waiting, Some(Some(name.unwrap_or(if kind == 6 { "reject" } else { "abort" }))));
                }
            }
            _ => return Err(crate::wire::Malformed),
        }
        Ok(())
    }

    /// Takes a segment; gives the message that the last one ends, and how many there were.
    fn join(&mut self, cx: &Cx<'_>, invoke_id: u8, is_answer: bool, sequence: u8, is_last: bool, octets: &[u8]) -> Option<(Vec<u8>, u32)> {
        let at = self.joining.iter().position(|joining| joining.dir == cx.dir && joining.invoke_id == invoke_id && joining.is_answer == is_answer);
        let at = match at {
            Some(at) if sequence != 0 => at,
            _ if sequence != 0 => return None,
            known => {
                if let Some(at) = known.or((self.joining.len() >= MAX_JOINING).then_some(0)) {
                    self.joining.swap_remove(at);
                }
                self.joining.push(Joining { dir: cx.dir, invoke_id, is_answer, segments: 0, next: 0, octets: Vec::new() });
                self.joining.len() - 1
            }
        };
        let joining = self.joining.get_mut(at)?;
        // A segment that was sent again is not taken twice; one that is missing spoils the message.
        if sequence != joining.next || joining.octets.len() + octets.len() > MAX_JOINED {
            if sequence.wrapping_sub(joining.next) < 128 {
                self.joining.swap_remove(at);
            }
            return None;
        }
        joining.next = sequence.wrapping_add(1);
        joining.segments += 1;
        joining.octets.extend_from_slice(octets);
        is_last.then(|| self.joining.swap_remove(at)).map(|joining| (joining.octets, joining.segments))
    }

    fn answered(&mut self, cx: &Cx<'_>, invoke_id: u8, from: &Station) -> Option<Waiting> {
        let at = self.waiting.iter().position(|waiting| waiting.invoke_id == invoke_id && waiting.dir != cx.dir && waiting.to == *from)?;
        self.waiting.remove(at)
    }

    fn request(&mut self, cx: &mut Cx<'_>, invoke_id: u8, to: Station, name: Option<&'static str>, octets: &[u8], base: Bacnet<'_>) {
        let said = name.map(|name| service::read(name, false, octets));
        let malformed = matches!(said, Some(Err(_))).then_some("bad_tag");
        let said = said.and_then(Result::ok).unwrap_or_default();
        emit(cx, name, &said, Bacnet { is_request: Some(true), malformed: base.malformed.or(malformed), ..base });
        let reused = self.waiting.iter().position(|waiting| waiting.invoke_id == invoke_id && waiting.dir == cx.dir && waiting.to == to);
        if let Some(at) = reused
            && self.waiting.get(at).is_some_and(|waiting| Some(waiting.service) == name && waiting.said.points == said.points)
        {
            // Sent again.
            return;
        }
        if let Some(waiting) = reused.or((self.waiting.len() >= MAX_WAITING).then_some(0)).and_then(|at| self.waiting.remove(at)) {
            tell(cx, &waiting, None);
        }
        if let Some(service) = name {
            self.waiting.push_back(Waiting { common: cx.common(cx.dir), dir: cx.dir, invoke_id, to, station: self.station, service, said });
        }
    }

    fn answer(&mut self, cx: &mut Cx<'_>, invoke_id: u8, from: &Station, name: Option<&'static str>, octets: &[u8], base: Bacnet<'_>) {
        let waiting = self.answered(cx, invoke_id, from);
        let said = name.filter(|_| !octets.is_empty()).map(|name| service::read(name, true, octets));
        let malformed = matches!(said, Some(Err(_))).then_some("bad_tag");
        let said = said.and_then(Result::ok).unwrap_or_default();
        emit_answer(cx, waiting.as_ref(), name, &said, Bacnet { malformed: base.malformed.or(malformed), ..base });
        values(cx, waiting.as_ref(), &said);
        if let Some(waiting) = waiting {
            tell(cx, &waiting, Some(None));
        }
    }
}

/// The columns of link and network once more.
fn copy<'a>(base: &Bacnet<'a>) -> Bacnet<'a> {
    Bacnet {
        link: base.link,
        bvlc_function_code: base.bvlc_function_code,
        bvlc_function: base.bvlc_function,
        forwarded_ip: base.forwarded_ip,
        forwarded_port: base.forwarded_port,
        dnet: base.dnet,
        dadr: base.dadr,
        snet: base.snet,
        sadr: base.sadr,
        hop_count: base.hop_count,
        npdu_priority: base.npdu_priority,
        expecting_reply: base.expecting_reply,
        malformed: base.malformed,
        ..Bacnet::default()
    }
}

fn emit_answer(cx: &mut Cx<'_>, waiting: Option<&Waiting>, name: Option<&'static str>, said: &Said, base: Bacnet<'_>) {
    let base = Bacnet { is_request: Some(false), request_frame: waiting.map(|waiting| waiting.common.frame), category: Some("answer"), ..base };
    emit(cx, name, said, base);
}

fn emit(cx: &mut Cx<'_>, name: Option<&'static str>, said: &Said, base: Bacnet<'_>) {
    let points: Vec<Cow<'_, str>> = said.points.iter().map(Point::text).filter(|text| !text.is_empty()).map(Cow::Owned).collect();
    let values: Vec<Cow<'_, str>> = said.points.iter().filter_map(|point| point.value.as_deref()).map(Cow::Borrowed).collect::<Vec<_>>();
    let first = said.points.first();
    let object = first.and_then(|point| point.object).map(names::parts);
    let is_file = matches!(name, Some("atomic_read_file" | "atomic_write_file"));
    let event_state = said.event_state.and_then(|state| {
        ["normal", "fault", "offnormal", "high_limit", "low_limit", "life_safety_alarm"].get(usize::try_from(state).ok()?).copied()
    });
    cx.emit(Bacnet {
        pdu_service: name,
        category: base.category.or(name.map(names::category)),
        device_instance: said.device.map(names::parts).filter(|(kind, _)| *kind == 8).map(|(_, instance)| instance),
        vendor_id: said.vendor,
        who_is_low: said.low,
        who_is_high: said.high,
        object_name: said.object_name.as_deref().or(first.and_then(Point::name)),
        object_type: object.and_then(|(kind, _)| names::object(kind)),
        object_type_code: object.map(|(kind, _)| kind),
        instance_number: object.map(|(_, instance)| instance),
        property_id: first.and_then(|point| point.property),
        property: first.and_then(|point| point.property).and_then(names::property),
        array_index: first.and_then(|point| point.index),
        points: (!points.is_empty()).then_some(&points),
        value: first.and_then(|point| point.value.as_deref()).or(said.clock.as_deref()),
        values: (!values.is_empty()).then_some(&values),
        write_priority: first.and_then(|point| point.priority),
        is_relinquish: (name == Some("write_property") && base.is_request == Some(true)).then(|| first.is_some_and(|point| point.is_null)),
        device_state: said.device_state,
        communication_state: said.communication_state,
        time_duration_min: said.duration,
        password: said.password.as_deref(),
        file_instance: object.filter(|_| is_file).map(|(_, instance)| instance),
        file_start: said.file_start,
        file_bytes: said.file_bytes,
        event_state,
        ..base
    });
}

/// Numbers that an answer brings; `waiting` says who asked, and of which object where the answer does not.
fn values(cx: &mut Cx<'_>, waiting: Option<&Waiting>, said: &Said) {
    let common = cx.common(cx.dir);
    for point in &said.points {
        process_value(cx, &common, Owner::Source, waiting.map(|waiting| waiting.common.frame), point, "read", None);
    }
}

fn process_value(cx: &mut Cx<'_>, common: &Common, owner: Owner, request_frame: Option<u64>, point: &Point, direction: &str, outcome: Option<&str>) {
    // Only what changes with the process.
    let (Some(number), Some(85), Some(object)) = (point.number, point.property, point.object) else { return };
    let kind = names::object(names::parts(object).0);
    let raw_type = match names::parts(object).0 {
        3..=5 => "enumerated",
        13 | 14 | 19 => "unsigned",
        _ => "f32",
    };
    value(
        cx,
        common,
        owner,
        ProcessValues {
            source_protocol: Some("bacnet"),
            request_frame,
            point: Some(&point.text()),
            object_type: kind,
            direction: Some(direction),
            value: Some(number),
            raw_type: Some(raw_type),
            outcome,
            ..ProcessValues::default()
        },
    );
}

/// Unconfirmed requests: reports of values, and the setting of clocks.
fn unconfirmed(cx: &mut Cx<'_>, name: Option<&'static str>, said: &Said) {
    let common = cx.common(cx.dir);
    match name {
        Some("cov_notification") => {
            for point in &said.points {
                process_value(cx, &common, Owner::Source, None, point, "report", None);
            }
        }
        Some(name @ ("time_synchronization" | "utc_time_synchronization")) => {
            let row = OtCommands {
                protocol: Some("bacnet"),
                request_frame: Some(cx.frame),
                class: Some("time_set"),
                command: Some(name),
                value: said.clock.as_deref(),
                outcome: Some("unconfirmed"),
                ..OtCommands::default()
            };
            command(cx, &common, true, row);
        }
        _ => {}
    }
}

/// Class of a request in the vocabulary of commands; `None` for reads and housekeeping.
fn class(service: &str, point: Option<&Point>) -> Option<&'static str> {
    Some(match service {
        "write_property" | "write_property_multiple" if point.is_some_and(|point| point.property == Some(85)) => "setpoint",
        "write_property" | "write_property_multiple" => "write",
        "reinitialize_device" => "restart",
        "device_communication_control" => "comm_control",
        "atomic_write_file" => "download",
        "atomic_read_file" => "upload",
        "create_object" | "add_list_element" | "remove_list_element" => "config",
        "delete_object" => "delete",
        "life_safety_operation" => "operate",
        _ => return None,
    })
}

/// The commands of a request, when its outcome is known: nothing, or an answer with its error.
fn tell(cx: &mut Cx<'_>, request: &Waiting, answer: Option<Option<&'static str>>) {
    // The row belongs to the frame of the answer, as with other transactions.
    let common = if answer.is_some() { Common { frame: cx.frame, ts: Some(cx.ts), ..request.common } } else { request.common };
    let outcome = match answer {
        None => "no_response",
        Some(None) => "ok",
        Some(Some(_)) => "refused",
    };
    let said = &request.said;
    if request.service.starts_with("write_property") {
        for point in &said.points {
            process_value(cx, &common, Owner::Destination, Some(request.common.frame), point, "write", Some(outcome));
        }
    }
    if let Some(password) = &said.password {
        credential(cx, &common, password, answer);
    }
    let behind = request.to.as_ref().map(|(network, address)| format!("{network}:{}", hex(address)));
    let unit = behind.or_else(|| request.station.map(|station| station.to_string()));
    let shown = if said.points.len() > MAX_COMMANDS { 1 } else { said.points.len().max(1) };
    for at in 0..shown {
        let point = said.points.get(at);
        let Some(class) = class(request.service, point) else { return };
        let text = point.map(Point::text).filter(|text| !text.is_empty());
        let asked = point.and_then(|point| point.value.as_deref()).or(said.device_state).or(said.communication_state);
        command(
            cx,
            &common,
            said.password.is_none(),
            OtCommands {
                protocol: Some("bacnet"),
                request_frame: Some(request.common.frame),
                response_frame: answer.map(|_| common.frame),
                target_unit: unit.as_deref(),
                class: Some(class),
                command: Some(request.service),
                point: text.as_deref(),
                value: asked,
                quantity: u32::try_from(if shown == 1 { said.points.len().max(1) } else { 1 }).ok(),
                is_broadcast: Some(false),
                outcome: Some(outcome),
                error: answer.flatten(),
                latency_ms: answer.and_then(|_| milliseconds(request.common.ts, common.ts)),
                ..OtCommands::default()
            },
        );
    }
}

fn credential(cx: &mut Cx<'_>, common: &Common, password: &str, answer: Option<Option<&'static str>>) {
    let id = secrets::id(password.as_bytes());
    let row = Credentials {
        protocol: Some("bacnet"),
        kind: Some("password"),
        secret: Some(password),
        secret_id: id.as_deref(),
        secret_length: u32::try_from(password.chars().count()).ok(),
        encrypted: Some(false),
        outcome: Some(match answer {
            Some(None) => "success",
            Some(Some("password_failure")) => "failure",
            _ => "unknown",
        }),
        outcome_frame: answer.map(|_| common.frame),
        field: Some("password"),
        ..Credentials::default()
    };
    cx.emit_as(common, row);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_want_the_length_to_fit() {
        let offer = |bytes: &'static [u8], usual_port| Offer {
            bytes: [bytes, &[]],
            dir: Dir::Orig,
            ports: [Some(40000), Some(47808)],
            usual_port,
            src: None,
            dst: None,
        };
        let who_is: &[u8] = &[0x81, 0x0b, 0, 12, 1, 0x20, 0xff, 0xff, 0, 0xff, 0x10, 8];
        assert_eq!(probe(&offer(who_is, false)), Verdict::Yes);
        assert_eq!(probe(&offer(&who_is[..11], true)), Verdict::Yes);
        assert_eq!(probe(&offer(&who_is[..11], false)), Verdict::No);
        assert_eq!(probe(&offer(&[0x81, 2, 0, 4], true)), Verdict::Yes);
        assert_eq!(probe(&offer(&[0x81, 2, 0, 4], false)), Verdict::No);
    }

    #[test]
    fn tables_of_addresses() {
        let octets = [10, 0, 0, 1, 0xba, 0xc0, 255, 255, 255, 0];
        assert_eq!(entries(&mut Reader::new(&octets), true), ["10.0.0.1:47808/255.255.255.0"]);
    }
}
