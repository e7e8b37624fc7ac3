//! HART-IP: instruments behind gateways and multiplexers (FieldComm HCF_SPEC-085), over UDP and TCP. The units inside are
//! HART's own (HCF_SPEC-081), their commands universal (-127) or common practice (-151).
//!
//! ```text
//! version:1  message type:1  message id:1  status:1  sequence:2  length:2 (with this header)
//! unit: delimiter:1  address:1 or 5  expansion:0 to 3  command:1  count:1  data  parity:1      an answer's data starts with
//!       a response code and the device's status
//! ```

use std::borrow::Cow;
use std::collections::VecDeque;

use pcapper_schema::tables::{HartIp, OtCommands, ProcessValues};

use super::points::{self, Owner};
use crate::protocols::hex::hex;
use crate::protocols::{Cx, DatagramDissector, DatagramKind, Dir, Group, Offer, Outcome, Progress, Protocol, StreamDissector, StreamKind, Verdict};
use crate::wire::{Malformed, Reader, Wire};

/// On any port; 5094 is its own.
pub static PROTOCOL: Protocol = Protocol {
    name: "hart_ip",
    group: Group::Ot,
    ports: &[5094],
    datagram: Some(DatagramKind { ip_protos: &[17], probe: probe_datagram, start: || Box::<Peer>::default() }),
    stream: Some(StreamKind { probe: probe_stream, start: || Box::<Peer>::default() }),
    ..Protocol::NONE
};

/// Octets of the header.
const HEADER: usize = 8;
/// Longest message that is believed: a unit has at most 255 octets of data, an audit log some more.
const MAX_MESSAGE: usize = 4096;
/// Requests that wait for their answers.
const MAX_WAITING: usize = 64;

const PASS_THROUGH: u8 = 3;

struct Header {
    version: u8,
    kind: u8,
    id: u8,
    status: u8,
    sequence: u16,
    length: u16,
}

impl Header {
    fn read(wire: &mut Reader<'_>) -> Wire<Self> {
        Ok(Self { version: wire.u8()?, kind: wire.u8()?, id: wire.u8()?, status: wire.u8()?, sequence: wire.be_u16()?, length: wire.be_u16()? })
    }

    /// Type, id and length agree with the specification.
    fn is_sound(&self) -> bool {
        let length = usize::from(self.length);
        let fits = match (self.kind, self.id) {
            (0 | 1, 0) => length == HEADER + 5 || self.version == 2,
            (0 | 1, 1 | 2) => length == HEADER,
            // The shortest unit: delimiter, short address, command, count, parity.
            (0..=2, PASS_THROUGH) => length >= HEADER + 5,
            (0 | 1, 4 | 5) | (3 | 15, 0..=5) => length >= HEADER,
            _ => false,
        };
        matches!(self.version, 1 | 2) && fits && length <= MAX_MESSAGE && (self.kind != 0 || self.status == 0)
    }
}

/// A unit that stands in a sound message: its parity comes out right.
fn holds_unit(header: &Header, body: &[u8]) -> bool {
    header.id == PASS_THROUGH && Unit::read(body).is_ok_and(|unit| unit.parity_ok)
}

fn probe(bytes: &[u8], usual_port: bool) -> Verdict {
    let Ok(header) = Header::read(&mut Reader::new(bytes)) else {
        let may_be = match bytes {
            [1 | 2, 0..=3 | 15, ..] | [1 | 2] | [] => bytes.get(2).is_none_or(|id| *id <= 5),
            _ => false,
        };
        return if may_be { Verdict::More } else { Verdict::No };
    };
    if !header.is_sound() {
        return Verdict::No;
    }
    match bytes.get(HEADER..usize::from(header.length)) {
        // A session's start has a form of its own: the kind of master, and a time that ends it.
        Some([0 | 1, 0, ..]) if header.id == 0 && header.version == 1 => Verdict::Yes,
        Some(body) if usual_port || holds_unit(&header, body) => Verdict::Yes,
        Some(_) => Verdict::No,
        None => Verdict::More,
    }
}

fn probe_datagram(offer: &Offer<'_>) -> Verdict {
    match probe(offer.current(), offer.usual_port) {
        Verdict::Yes => Verdict::Yes,
        _ => Verdict::No,
    }
}

fn probe_stream(offer: &Offer<'_>) -> Verdict {
    probe(offer.current(), offer.usual_port)
}

/// One HART unit.
struct Unit<'a> {
    delimiter: u8,
    address: &'a [u8],
    /// The command; of 31 the extended one that it carries.
    command: u16,
    /// An answer's response code and device status.
    status: Option<(u8, u8)>,
    data: &'a [u8],
    parity_ok: bool,
}

impl<'a> Unit<'a> {
    fn read(bytes: &'a [u8]) -> Wire<Self> {
        let mut wire = Reader::new(bytes);
        let delimiter = wire.u8()?;
        if !matches!(delimiter & 7, 1 | 2 | 6) {
            return Err(Malformed);
        }
        let address = wire.take(if delimiter & 0x80 != 0 { 5 } else { 1 })?;
        wire.skip(usize::from(delimiter >> 5 & 3))?;
        let mut command = u16::from(wire.u8()?);
        let count = usize::from(wire.u8()?);
        let mut data = wire.sub(count)?;
        let covered = bytes.len() - wire.len();
        let parity = wire.u8()?;
        let parity_ok = bytes.get(..covered).unwrap_or_default().iter().fold(0, |sum, octet| sum ^ octet) == parity;
        let is_answer = delimiter & 7 != 2;
        let status = if is_answer && count >= 2 { Some((data.u8()?, data.u8()?)) } else { None };
        // The number of an extended command stands before its data.
        if command == 31 && data.len() >= 2 {
            command = data.be_u16()?;
        }
        Ok(Self { delimiter, address, command, status, data: data.rest(), parity_ok })
    }

    fn is_request(&self) -> bool {
        self.delimiter & 7 == 2
    }
}

/// Name and category of the universal and common practice commands.
fn command(number: u16) -> Option<(&'static str, &'static str)> {
    Some(match number {
        0 => ("read_unique_identifier", "identity"),
        1 => ("read_primary_variable", "read"),
        2 => ("read_loop_current_percent", "read"),
        3 => ("read_dynamic_variables", "read"),
        6 => ("write_polling_address", "write"),
        7 => ("read_loop_configuration", "read"),
        8 => ("read_dynamic_variable_classifications", "read"),
        9 => ("read_device_variables", "read"),
        11 => ("read_unique_identifier_by_tag", "identity"),
        12 => ("read_message", "read"),
        13 => ("read_tag_descriptor_date", "identity"),
        14 => ("read_primary_variable_transducer", "read"),
        15 => ("read_device_information", "read"),
        16 => ("read_final_assembly", "read"),
        17 => ("write_message", "write"),
        18 => ("write_tag_descriptor_date", "write"),
        19 => ("write_final_assembly", "write"),
        20 => ("read_long_tag", "identity"),
        21 => ("read_unique_identifier_by_long_tag", "identity"),
        22 => ("write_long_tag", "write"),
        33 => ("read_selected_device_variables", "read"),
        34 => ("write_pv_damping", "write"),
        35 => ("write_pv_range", "write"),
        36 => ("set_pv_upper_range", "calibration"),
        37 => ("set_pv_lower_range", "calibration"),
        38 => ("reset_configuration_changed", "write"),
        39 => ("eeprom_control", "write"),
        40 => ("fixed_current_mode", "control"),
        41 => ("self_test", "diagnostic"),
        42 => ("device_reset", "reset"),
        43 => ("pv_zero", "calibration"),
        44 => ("write_pv_units", "write"),
        45 => ("trim_dac_zero", "calibration"),
        46 => ("trim_dac_gain", "calibration"),
        47 => ("write_transfer_function", "write"),
        48 => ("read_additional_status", "diagnostic"),
        50 => ("read_dynamic_variable_assignments", "read"),
        51 => ("write_dynamic_variable_assignments", "write"),
        52 => ("set_device_variable_zero", "calibration"),
        53 => ("write_device_variable_units", "write"),
        54 => ("read_device_variable_information", "read"),
        55 => ("write_device_variable_damping", "write"),
        59 => ("write_number_of_response_preambles", "write"),
        71 => ("lock_device", "lock"),
        72 => ("squawk", "lock"),
        76 => ("read_lock_device_state", "lock"),
        77 => ("send_command_to_sub_device", "unknown"),
        78 => ("read_aggregated_commands", "read"),
        79 => ("write_device_variable", "control"),
        80 => ("read_device_variable_trim_points", "read"),
        81 => ("read_device_variable_trim_guidelines", "read"),
        82 => ("write_device_variable_trim_point", "calibration"),
        83 => ("reset_device_variable_trim", "calibration"),
        84 => ("read_sub_device_identity_summary", "identity"),
        95 => ("read_device_communications_statistics", "diagnostic"),
        103 => ("write_burst_period", "burst"),
        104 => ("write_burst_trigger", "burst"),
        105 => ("read_burst_mode_configuration", "read"),
        107 => ("write_burst_device_variables", "burst"),
        108 => ("write_burst_mode_command_number", "burst"),
        109 => ("burst_control", "burst"),
        _ => return None,
    })
}

fn command_class(number: u16) -> &'static str {
    match number {
        0..=30 | 38 | 48 => "universal",
        32..=121 => "common_practice",
        122..=253 => "device_specific",
        768..=1023 => "wireless",
        1024..=33791 => "device_family",
        _ => "extended",
    }
}

/// Bits of the device's status, from the lowest (HCF_SPEC-099).
const STATUS: [&str; 8] = [
    "pv_out_of_limits",
    "non_pv_out_of_limits",
    "loop_current_saturated",
    "loop_current_fixed",
    "more_status",
    "cold_start",
    "configuration_changed",
    "malfunction",
];

/// Packed ASCII: four characters of six bits in three octets.
fn packed(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 4 / 3);
    for group in bytes.chunks_exact(3) {
        let bits = group.iter().fold(0_u32, |bits, octet| bits << 8 | u32::from(*octet));
        for shift in [18, 12, 6, 0] {
            let code = (bits >> shift & 0x3f) as u8;
            // The sixth bit of ASCII is the inverse of the fifth.
            text.push(char::from(if code & 0x20 == 0 { code | 0x40 } else { code }));
        }
    }
    text.trim_end().to_owned()
}

/// ISO Latin-1, ended by a zero.
fn latin(bytes: &[u8]) -> String {
    bytes.iter().take_while(|octet| **octet != 0).map(|octet| char::from(*octet)).collect::<String>().trim_end().to_owned()
}

/// A number; NaN says that there is none.
fn float(wire: &mut Reader<'_>) -> Wire<Option<f64>> {
    let value = f32::from_bits(wire.be_u32()?);
    Ok(Some(f64::from(value)).filter(|value| value.is_finite()))
}

/// What an answer or a publication tells.
#[derive(Default)]
struct Answer<'a> {
    device_type: Option<u16>,
    manufacturer: Option<u16>,
    device_id: Option<&'a [u8]>,
    hart_revision: Option<u8>,
    software_revision: Option<u8>,
    tag: Option<String>,
    long_tag: Option<String>,
    current: Option<f64>,
    units: Option<u8>,
    /// Primary to quaternary value.
    values: [Option<f64>; 4],
    /// Device variables by their numbers.
    variables: Vec<(u8, f64)>,
}

impl<'a> Answer<'a> {
    fn read(command: u16, data: &'a [u8]) -> Wire<Self> {
        let mut answer = Self::default();
        let mut wire = Reader::new(data);
        match command {
            0 | 11 | 21 => {
                wire.skip(1)?;
                answer.device_type = Some(wire.be_u16()?);
                wire.skip(1)?;
                answer.hart_revision = Some(wire.u8()?);
                wire.skip(1)?;
                answer.software_revision = Some(wire.u8()?);
                wire.skip(2)?;
                answer.device_id = Some(wire.take(3)?);
                // From revision 7 on more follows.
                let more = |wire: &mut Reader<'_>| -> Wire<u16> {
                    wire.skip(5)?;
                    wire.be_u16()
                };
                answer.manufacturer = more(&mut wire).ok();
            }
            1 => (answer.units, answer.values[0]) = (Some(wire.u8()?), float(&mut wire)?),
            2 => answer.current = float(&mut wire)?,
            3 => {
                answer.current = float(&mut wire)?;
                for (index, value) in answer.values.iter_mut().enumerate() {
                    if wire.is_empty() {
                        break;
                    }
                    let units = wire.u8()?;
                    if index == 0 {
                        answer.units = Some(units);
                    }
                    *value = float(&mut wire)?;
                }
            }
            9 => {
                wire.skip(1)?;
                for _ in 0..8 {
                    let slot = |wire: &mut Reader<'_>| -> Wire<_> {
                        let (variable, _class, units, value) = (wire.u8()?, wire.u8()?, wire.u8()?, float(wire)?);
                        wire.skip(1)?;
                        Ok((variable, units, value))
                    };
                    let Ok((variable, units, value)) = slot(&mut wire) else { break };
                    // 246 to 249 name the dynamic variables; what 0 and up measure differs from device to device.
                    let Some(index) = variable.checked_sub(246).map(usize::from).filter(|index| *index < 4) else {
                        answer.variables.extend(value.map(|value| (variable, value)));
                        continue;
                    };
                    if index == 0 {
                        answer.units = Some(units);
                    }
                    if let Some(cell) = answer.values.get_mut(index) {
                        *cell = value;
                    }
                }
            }
            13 | 18 => answer.tag = Some(packed(wire.take(6)?)),
            20 | 22 => answer.long_tag = Some(latin(wire.rest())),
            _ => {}
        }
        Ok(answer)
    }
}

/// What a request asks to write, as text.
fn written(command: u16, data: &[u8]) -> Option<String> {
    let mut wire = Reader::new(data);
    let show = |value: Option<f64>| value.map_or_else(|| "none".to_owned(), |value| value.to_string());
    let mut read = || -> Wire<String> {
        Ok(match command {
            6 => format!("polling address {}", wire.u8()?),
            17 => packed(wire.take(24)?),
            18 => {
                let (tag, descriptor, [day, month, year]) = (packed(wire.take(6)?), packed(wire.take(12)?), wire.array()?);
                format!("tag {tag}, descriptor {descriptor}, date {}-{month:02}-{day:02}", 1900 + u16::from(year))
            }
            19 => format!("final assembly {}", wire.be_u24()?),
            22 => latin(wire.rest()),
            34 => format!("damping {} s", show(float(&mut wire)?)),
            35 => {
                let (units, upper, lower) = (wire.u8()?, float(&mut wire)?, float(&mut wire)?);
                format!("units {units}, range {} to {}", show(lower), show(upper))
            }
            40 | 45 | 46 => format!("{} mA", show(float(&mut wire)?)),
            44 => format!("units {}", wire.u8()?),
            47 => format!("transfer function {}", wire.u8()?),
            53 => format!("variable {}, units {}", wire.u8()?, wire.u8()?),
            79 => {
                let (variable, code, units, value) = (wire.u8()?, wire.u8()?, wire.u8()?, float(&mut wire)?);
                let action = if code == 0 { "normal" } else { "fixed" };
                format!("variable {variable} {action}, units {units}, value {}", show(value))
            }
            109 => format!("burst mode {}", wire.u8()?),
            _ => return Err(Malformed),
        })
    };
    read().ok()
}

/// A request that waits for its answer.
struct Waiting {
    from: Dir,
    sequence: u16,
    frame: u64,
    ts: i64,
}

/// A client and a gateway.
#[derive(Default)]
struct Peer {
    waiting: VecDeque<Waiting>,
    lost: bool,
}

impl Peer {
    fn message(&mut self, cx: &mut Cx<'_>, bytes: &[u8], carrier: &'static str) {
        let mut wire = Reader::new(bytes);
        let Ok(header) = Header::read(&mut wire) else { return };
        let body = wire.rest();
        let mut row = HartIp {
            carrier: Some(carrier),
            version: Some(header.version),
            message_type_code: Some(header.kind),
            message_type: match header.kind {
                0 => Some("request"),
                1 => Some("response"),
                2 => Some("publish"),
                3 | 15 => Some("nak"),
                _ => None,
            },
            message_id_code: Some(header.id),
            message_id: ["session_initiate", "session_close", "keep_alive", "token_passing_pdu", "direct_pdu", "read_audit_log"]
                .get(usize::from(header.id))
                .copied(),
            status: Some(header.status),
            sequence_number: Some(header.sequence),
            length: Some(header.length),
            ..HartIp::default()
        };
        let asked = match header.kind {
            0 => {
                if self.waiting.len() >= MAX_WAITING {
                    self.waiting.pop_front();
                }
                self.waiting.push_back(Waiting { from: cx.dir, sequence: header.sequence, frame: cx.frame, ts: cx.ts });
                None
            }
            1 | 3 | 15 => {
                let at = self.waiting.iter().position(|waiting| waiting.from != cx.dir && waiting.sequence == header.sequence);
                at.and_then(|at| self.waiting.remove(at))
            }
            _ => None,
        };
        row.request_frame = asked.as_ref().map(|asked| asked.frame);
        match header.id {
            0 => {
                let mut wire = Reader::new(body);
                if let Ok(master) = wire.u8() {
                    row.master_type = Some(if master == 1 { "primary" } else { "secondary" });
                    row.inactivity_close_timer_ms = wire.be_u32().ok();
                }
                row.category = Some("session");
            }
            1 | 2 => row.category = Some("session"),
            PASS_THROUGH => return self.unit(cx, row, body, asked.as_ref()),
            _ => row.data = Some(body).filter(|body| !body.is_empty()),
        }
        cx.emit(row);
    }

    fn unit(&self, cx: &mut Cx<'_>, row: HartIp<'_>, body: &[u8], asked: Option<&Waiting>) {
        let Ok(unit) = Unit::read(body) else {
            cx.anomaly("hart_ip", "bad_length", "a HART unit is shorter than its fields");
            return cx.emit(HartIp { malformed: Some("length_mismatch"), ..row });
        };
        if !unit.parity_ok {
            cx.anomaly("hart_ip", "bad_checksum", "the parity of a HART unit is wrong");
        }
        let known = command(unit.command);
        let is_long = unit.delimiter & 0x80 != 0;
        let long_address = is_long.then(|| hex(unit.address));
        let short = unit.address.first().filter(|_| !is_long).map(|octet| octet & 0x3f);
        let ok = unit.status.is_some_and(|(code, _)| code & 0x80 == 0 && matches!(code, 0 | 8 | 14 | 24..=27 | 30 | 112..=127));
        let answer = if unit.is_request() && !matches!(unit.command, 18 | 22) {
            Answer::default()
        } else {
            // A refusal carries no data; requests that write a tag carry it as the answers do.
            Answer::read(unit.command, unit.data).unwrap_or_default()
        };
        let write_value = unit.is_request().then(|| written(unit.command, unit.data)).flatten();
        let forced = if unit.is_request() && unit.command == 40 { float(&mut Reader::new(unit.data)).ok().flatten() } else { None };
        let names: Vec<Cow<'_, str>> = unit
            .status
            .map(|(_, status)| STATUS.iter().enumerate().filter(|(bit, _)| status >> bit & 1 != 0).map(|(_, name)| Cow::Borrowed(*name)).collect())
            .unwrap_or_default();
        cx.emit(HartIp {
            delimiter: Some(unit.delimiter),
            frame_kind: match unit.delimiter & 7 {
                1 => Some("back"),
                2 => Some("stx"),
                _ => Some("ack"),
            },
            short_address: short,
            long_address: long_address.as_deref(),
            command_code: Some(unit.command),
            command: known.map(|(name, _)| name),
            command_class: Some(command_class(unit.command)),
            category: Some(known.map_or("unknown", |(_, category)| category)),
            response_code: unit.status.map(|(code, _)| code),
            device_status: unit.status.map(|(_, status)| status),
            device_status_names: Some(names.as_slice()).filter(|names| !names.is_empty()),
            checksum_ok: Some(unit.parity_ok),
            expanded_device_type: answer.device_type,
            manufacturer_id: answer.manufacturer,
            device_id: answer.device_id,
            hart_revision: answer.hart_revision,
            software_revision: answer.software_revision,
            tag: answer.tag.as_deref(),
            long_tag: answer.long_tag.as_deref(),
            primary_value: answer.values[0],
            primary_units: answer.units,
            secondary_value: answer.values[1],
            tertiary_value: answer.values[2],
            quaternary_value: answer.values[3],
            loop_current_ma: answer.current,
            forced_current_ma: forced,
            write_value: write_value.as_deref(),
            data: Some(unit.data).filter(|data| !data.is_empty()),
            malformed: (!unit.parity_ok).then_some("bad_checksum"),
            ..row
        });
        let instrument = long_address.unwrap_or_else(|| short.map_or_else(String::new, |address| address.to_string()));
        if !unit.is_request() {
            let quality = unit.status.map(|(_, status)| if status & 0x80 != 0 { "bad" } else { "good" });
            self.values(cx, &unit, &answer, &instrument, quality, asked);
            if let Some((_, category)) = known {
                self.acted(cx, &unit, category, &instrument, ok, asked);
            }
        }
    }

    fn values(&self, cx: &mut Cx<'_>, unit: &Unit<'_>, answer: &Answer<'_>, instrument: &str, quality: Option<&str>, asked: Option<&Waiting>) {
        let common = cx.common(cx.dir);
        let named = ["primary", "secondary", "tertiary", "quaternary"].map(Cow::Borrowed).into_iter().zip(answer.values);
        let numbered = answer.variables.iter().map(|(number, value)| (format!("variable {number}").into(), Some(*value)));
        for (point, value) in named.chain([("loop current".into(), answer.current)]).chain(numbered) {
            let Some(value) = value else { continue };
            points::value(
                cx,
                &common,
                Owner::Source,
                ProcessValues {
                    source_protocol: Some("hart_ip"),
                    request_frame: asked.map(|asked| asked.frame),
                    unit_id: Some(instrument),
                    point: Some(&point),
                    object_type: Some("variable"),
                    direction: Some(if unit.delimiter & 7 == 1 { "report" } else { "read" }),
                    value: Some(value),
                    raw_type: Some("f32"),
                    quality,
                    ..ProcessValues::default()
                },
            );
        }
    }

    /// An answer to a command that changes something.
    fn acted(&self, cx: &mut Cx<'_>, unit: &Unit<'_>, category: &str, instrument: &str, ok: bool, asked: Option<&Waiting>) {
        let class = match category {
            "write" | "calibration" | "burst" => "config",
            "control" => "force",
            "reset" => "restart",
            "lock" if unit.command != 76 => "reserve",
            _ => return,
        };
        let common = points::turned(&cx.common(cx.dir));
        let code = unit.command.to_string();
        let value = written(unit.command, unit.data);
        let error = unit.status.filter(|_| !ok).map(|(code, _)| format!("response code {code}"));
        points::command(
            cx,
            &common,
            false,
            OtCommands {
                protocol: Some("hart_ip"),
                request_frame: asked.map(|asked| asked.frame),
                response_frame: Some(common.frame),
                target_unit: Some(instrument),
                class: Some(class),
                command: command(unit.command).map(|(name, _)| name),
                command_code: Some(&code),
                value: value.as_deref(),
                outcome: Some(if ok { "ok" } else { "refused" }),
                error: error.as_deref(),
                latency_ms: points::milliseconds(asked.map(|asked| asked.ts), Some(cx.ts)),
                ..OtCommands::default()
            },
        );
    }
}

impl DatagramDissector for Peer {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        let Ok(header) = Header::read(&mut Reader::new(payload)) else { return Outcome::NotMine };
        if !matches!(header.version, 1 | 2) {
            return Outcome::NotMine;
        }
        match payload.get(..usize::from(header.length)) {
            Some(message) if message.len() >= HEADER => self.message(cx, message, "udp"),
            _ => {
                cx.anomaly("hart_ip", "bad_length", "the length of a message is not that of its datagram");
                self.message(cx, payload, "udp");
            }
        }
        Outcome::Decoded
    }
}

impl StreamDissector for Peer {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let mut used = 0;
        loop {
            let rest = bytes.get(used..).unwrap_or_default();
            let Ok(header) = Header::read(&mut Reader::new(rest)) else { return Progress::Consumed(used) };
            if !header.is_sound() {
                if self.lost {
                    // Behind a hole a message starts with a segment, if at all.
                    return Progress::Consumed(bytes.len());
                }
                cx.anomaly("hart_ip", "unexpected_state", "no message where one should start");
                return Progress::Stop;
            }
            let Some(message) = rest.get(..usize::from(header.length)) else { return Progress::Consumed(used) };
            self.lost = false;
            self.message(cx, message, "tcp");
            used += message.len();
        }
    }

    fn gap(&mut self, _cx: &mut Cx<'_>, _missing: u64) -> bool {
        self.lost = true;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_with_a_long_address() {
        let bytes = [0x82, 0x26, 0x95, 0xeb, 0x27, 0xb8, 6, 2, 0, 0, 0x41];
        let unit = Unit::read(&bytes).unwrap();
        assert_eq!((unit.command, unit.address, unit.parity_ok), (6, &bytes[1..6], true));
        assert_eq!(written(6, unit.data).as_deref(), Some("polling address 0"));
        assert!(Unit::read(&bytes[..9]).is_err());
        assert!(Unit::read(&[0x83, 0, 0, 0]).is_err(), "no such kind of frame");
    }

    #[test]
    fn extended_commands_stand_in_the_data() {
        let bytes = [0x06, 0x80, 31, 4, 0, 0, 3, 0x0a, 0];
        let unit = Unit::read(&bytes).unwrap();
        assert_eq!((unit.command, unit.status), (778, Some((0, 0))));
        assert_eq!(command_class(778), "wireless");
    }

    #[test]
    fn packed_text() {
        // "TT-101": each character loses its highest bits.
        assert_eq!(packed(&[0x51, 0x4b, 0x71, 0xc3, 0x18, 0x20]), "TT-101");
    }

    #[test]
    fn every_beginning_of_a_session_may_become_one() {
        let initiate: [u8; 13] = [1, 0, 0, 0, 0, 1, 0, 13, 1, 0, 0, 0x75, 0x30];
        for length in 1..13 {
            assert_eq!(probe(&initiate[..length], false), Verdict::More, "{length}");
        }
        assert_eq!(probe(&initiate, false), Verdict::Yes);
        assert_eq!(probe(&[1, 0, 2, 0, 0, 1, 0, 8], false), Verdict::No, "a keep-alive says too little on another port");
    }
}
