//! Synchrophasors: measurement units and concentrators (IEEE C37.118-2005, C37.118.2-2011), over TCP and UDP.
//!
//! ```text
//! aa  type:4 bits version:4 bits   FRAMESIZE:2  IDCODE:2  SOC:4  time quality:1  FRACSEC:3   by type ...   CRC:2
//! ```
//! What a data frame holds is only told by the configuration that was sent before: it is kept by IDCODE.

use std::borrow::Cow;

use pcapper_schema::tables::{OtCommands, ProcessValues, Synchrophasor};
use rustc_hash::FxHashMap;

use super::points::{self, Owner};
use crate::protocols::{Cx, DatagramDissector, DatagramKind, Dir, Group, Offer, Outcome, Progress, Protocol, StreamDissector, StreamKind, Verdict};
use crate::wire::{Malformed, Reader, Wire};

/// On any port; 4712 (TCP) and 4713 (UDP) are its own.
pub static PROTOCOL: Protocol = Protocol {
    name: "synchrophasor",
    group: Group::Ot,
    ports: &[4712, 4713],
    datagram: Some(DatagramKind { ip_protos: &[17], probe: probe_datagram, start: || Box::<Streams>::default() }),
    stream: Some(StreamKind { probe: probe_stream, start: || Box::<Streams>::default() }),
    ..Protocol::NONE
};

const SYNC: u8 = 0xaa;
/// Octets of the shortest frame: header and checksum.
const MIN_FRAME: usize = 16;
/// Octets of the common header.
const HEADER: usize = 14;
/// Streams of a connection whose configuration is kept, and channels of one configuration.
const MAX_STREAMS: usize = 64;
const MAX_CHANNELS: usize = 4096;
/// Bytes that are no frame, one try after another, before a connection is given up.
const MAX_MISSES: u32 = 16;

const TYPES: [&str; 6] = ["data", "header", "config_1", "config_2", "command", "config_3"];

fn command_name(code: u16) -> Option<&'static str> {
    Some(match code {
        1 => "data_off",
        2 => "data_on",
        3 => "send_header",
        4 => "send_config_1",
        5 => "send_config_2",
        6 => "send_config_3",
        8 => "extended_frame",
        _ => return None,
    })
}

/// CRC-CCITT with all ones at the start (C37.118.2 annex B).
fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xffff, |crc: u16, octet| {
        (0..8).fold(crc ^ u16::from(*octet) << 8, |crc, _| if crc & 0x8000 != 0 { crc << 1 ^ 0x1021 } else { crc << 1 })
    })
}

/// Length of the frame that these bytes start with; `None` while it cannot be told.
fn frame_len(bytes: &[u8]) -> Wire<Option<usize>> {
    let [sync, kind, high, low, ..] = bytes else {
        let fits = bytes.first().is_none_or(|first| *first == SYNC) && bytes.get(1).is_none_or(|second| is_kind(*second));
        return if fits { Ok(None) } else { Err(Malformed) };
    };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    if *sync == SYNC && is_kind(*kind) && length >= MIN_FRAME { Ok(Some(length)) } else { Err(Malformed) }
}

/// Type and version: the top bit is reserved, 1 and 2 are the versions.
fn is_kind(octet: u8) -> bool {
    octet >> 4 <= 5 && matches!(octet & 15, 1 | 2)
}

fn is_sound(frame: &[u8]) -> bool {
    frame.split_last_chunk::<2>().is_some_and(|(body, check)| crc(body) == u16::from_be_bytes(*check))
}

fn probe_stream(offer: &Offer<'_>) -> Verdict {
    let bytes = offer.current();
    match frame_len(bytes) {
        Ok(Some(length)) => match bytes.get(..length) {
            Some(frame) if offer.usual_port || is_sound(frame) => Verdict::Yes,
            Some(_) => Verdict::No,
            None => Verdict::More,
        },
        Ok(None) => Verdict::More,
        Err(_) => Verdict::No,
    }
}

fn probe_datagram(offer: &Offer<'_>) -> Verdict {
    let bytes = offer.current();
    match frame_len(bytes) {
        Ok(Some(length)) if bytes.get(..length).is_some_and(|frame| offer.usual_port || is_sound(frame)) => Verdict::Yes,
        _ => Verdict::No,
    }
}

/// How a phasor's raw number becomes volts or amperes.
#[derive(Clone, Copy)]
struct Scale {
    factor: f64,
    /// Added to the angle, radians (configuration 3).
    angle: f64,
}

/// What the configuration says of one measurement unit.
struct Unit {
    name: String,
    id: u16,
    format: u16,
    phasors: Vec<(String, Scale)>,
    analogs: Vec<(String, f64, f64)>,
    digitals: Vec<String>,
    digital_words: usize,
    nominal: u8,
    count: u16,
}

/// What a configuration says of a stream.
struct Config {
    time_base: u32,
    units: Vec<Unit>,
    rate: i16,
}

/// A name of configurations 1 and 2: sixteen octets, filled with blanks.
fn fixed_name(wire: &mut Reader<'_>) -> Wire<String> {
    Ok(trimmed(wire.take(16)?))
}

/// A name of configuration 3: its length before it.
fn counted_name(wire: &mut Reader<'_>) -> Wire<String> {
    let length = wire.u8()?;
    Ok(trimmed(wire.take(usize::from(length))?))
}

fn trimmed(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_matches(|c: char| c == '\0' || c.is_whitespace()).to_owned()
}

fn float(wire: &mut Reader<'_>) -> Wire<f64> {
    Ok(f64::from(f32::from_bits(wire.be_u32()?)))
}

impl Config {
    fn read(kind: u8, body: &[u8]) -> Wire<Self> {
        let mut wire = Reader::new(body);
        if kind == 5 {
            // CONT_IDX: fragments of a long configuration are not joined.
            if wire.be_u16()? != 0 {
                return Err(Malformed);
            }
        }
        let time_base = wire.be_u32()? & 0x00ff_ffff;
        let count = wire.be_u16()?;
        let mut units = Vec::new();
        for _ in 0..count {
            units.push(if kind == 5 { Unit::third(&mut wire)? } else { Unit::second(&mut wire)? });
        }
        Ok(Self { time_base, units, rate: wire.be_u16()?.cast_signed() })
    }
}

impl Unit {
    /// FORMAT, and the numbers of phasors, analog values and digital words.
    fn shape(wire: &mut Reader<'_>) -> Wire<(u16, usize, usize, usize)> {
        let shape = (wire.be_u16()?, usize::from(wire.be_u16()?), usize::from(wire.be_u16()?), usize::from(wire.be_u16()?));
        if shape.1 + shape.2 + 16 * shape.3 > MAX_CHANNELS { Err(Malformed) } else { Ok(shape) }
    }

    fn second(wire: &mut Reader<'_>) -> Wire<Self> {
        let (name, id) = (fixed_name(wire)?, wire.be_u16()?);
        let (format, phasors, analogs, digital_words) = Self::shape(wire)?;
        let mut names = |count: usize| (0..count).map(|_| fixed_name(wire)).collect::<Wire<Vec<_>>>();
        let (phasor_names, analog_names, digitals) = (names(phasors)?, names(analogs)?, names(16 * digital_words)?);
        let phasors = phasor_names
            .into_iter()
            .map(|name| Ok((name, Scale { factor: f64::from(wire.be_u32()? & 0x00ff_ffff) * 1e-5, angle: 0.0 })))
            .collect::<Wire<Vec<_>>>()?;
        let analogs = analog_names
            .into_iter()
            .map(|name| {
                // 24 bits with a sign; the standard leaves their use to the user, 0 and 1 are common for none.
                let raw = (wire.be_u32()? << 8).cast_signed() >> 8;
                Ok((name, if raw == 0 { 1.0 } else { f64::from(raw) }, 0.0))
            })
            .collect::<Wire<Vec<_>>>()?;
        wire.skip(4 * digital_words)?;
        let nominal = if wire.be_u16()? & 1 != 0 { 50 } else { 60 };
        Ok(Self { name, id, format, phasors, analogs, digitals, digital_words, nominal, count: wire.be_u16()? })
    }

    fn third(wire: &mut Reader<'_>) -> Wire<Self> {
        let (name, id) = (counted_name(wire)?, wire.be_u16()?);
        wire.skip(16)?;
        let (format, phasors, analogs, digital_words) = Self::shape(wire)?;
        let mut names = |count: usize| (0..count).map(|_| counted_name(wire)).collect::<Wire<Vec<_>>>();
        let (phasor_names, analog_names, digitals) = (names(phasors)?, names(analogs)?, names(16 * digital_words)?);
        let phasors = phasor_names
            .into_iter()
            .map(|name| {
                wire.skip(4)?;
                Ok((name, Scale { factor: float(wire)?, angle: float(wire)? }))
            })
            .collect::<Wire<Vec<_>>>()?;
        let analogs = analog_names.into_iter().map(|name| Ok((name, float(wire)?, float(wire)?))).collect::<Wire<Vec<_>>>()?;
        // Digital masks; then latitude, longitude, elevation, service class, window, group delay.
        wire.skip(4 * digital_words + 21)?;
        let nominal = if wire.be_u16()? & 1 != 0 { 50 } else { 60 };
        Ok(Self { name, id, format, phasors, analogs, digitals, digital_words, nominal, count: wire.be_u16()? })
    }

    fn is_polar(&self) -> bool {
        self.format & 1 != 0
    }
    fn phasors_are_floats(&self) -> bool {
        self.format & 2 != 0
    }
    fn analogs_are_floats(&self) -> bool {
        self.format & 4 != 0
    }
    fn frequency_is_float(&self) -> bool {
        self.format & 8 != 0
    }

    /// Magnitude, and angle in degrees.
    fn phasor(&self, wire: &mut Reader<'_>, scale: Scale) -> Wire<(f64, f64)> {
        let (first, second, factor) = if self.phasors_are_floats() {
            (float(wire)?, float(wire)?, 1.0)
        } else {
            let (first, second) = (wire.be_u16()?, wire.be_u16()?.cast_signed());
            // A magnitude has no sign, a rectangular part has one; an angle counts 1/10,000 radians.
            if self.is_polar() {
                (f64::from(first), f64::from(second) * 1e-4, scale.factor)
            } else {
                (f64::from(first.cast_signed()), f64::from(second), scale.factor)
            }
        };
        let (magnitude, angle) = if self.is_polar() { (first, second) } else { (first.hypot(second), second.atan2(first)) };
        Ok((magnitude * factor, (angle + scale.angle).to_degrees()))
    }

    /// Frequency in Hz, its rate of change in Hz/s.
    fn frequency(&self, wire: &mut Reader<'_>) -> Wire<(f64, f64)> {
        if self.frequency_is_float() {
            return Ok((float(wire)?, float(wire)?));
        }
        // Deviation from nominal in mHz, and 1/100 Hz/s.
        let (deviation, change) = (wire.be_u16()?.cast_signed(), wire.be_u16()?.cast_signed());
        Ok((f64::from(self.nominal) + f64::from(deviation) / 1000.0, f64::from(change) / 100.0))
    }
}

/// Cells of a data frame.
#[derive(Default)]
struct Data {
    stat: Vec<u16>,
    frequency: Vec<f64>,
    rocof: Vec<f64>,
    phasors: Vec<f64>,
    analogs: Vec<f64>,
    digitals: Vec<u16>,
}

impl Data {
    fn read(config: &Config, body: &[u8]) -> Wire<Self> {
        let mut wire = Reader::new(body);
        let mut data = Self::default();
        for unit in &config.units {
            data.stat.push(wire.be_u16()?);
            for (_, scale) in &unit.phasors {
                let (magnitude, angle) = unit.phasor(&mut wire, *scale)?;
                data.phasors.extend([magnitude, angle]);
            }
            let (frequency, change) = unit.frequency(&mut wire)?;
            data.frequency.push(frequency);
            data.rocof.push(change);
            for (_, factor, offset) in &unit.analogs {
                let raw = if unit.analogs_are_floats() { float(&mut wire)? } else { f64::from(wire.be_u16()?.cast_signed()) * factor };
                data.analogs.push(raw + offset);
            }
            for _ in 0..unit.digital_words {
                data.digitals.push(wire.be_u16()?);
            }
        }
        if wire.is_empty() { Ok(data) } else { Err(Malformed) }
    }
}

/// The streams of a connection, by IDCODE.
#[derive(Default)]
struct Streams {
    configs: FxHashMap<u16, Config>,
    misses: u32,
    after_gap: bool,
}

fn texts(names: &[String]) -> impl Iterator<Item = Cow<'_, str>> {
    names.iter().map(|name| Cow::Borrowed(name.as_str()))
}

impl Streams {
    fn frame(&mut self, cx: &mut Cx<'_>, frame: &[u8], transport: &'static str) {
        let crc_ok = is_sound(frame);
        let mut wire = Reader::new(frame);
        let head = |wire: &mut Reader<'_>| -> Wire<_> {
            wire.skip(1)?;
            Ok((wire.u8()?, wire.be_u16()?, wire.be_u16()?, wire.be_u32()?, wire.u8()?, wire.be_u24()?))
        };
        let Ok((first, size, id, soc, quality, fracsec)) = head(&mut wire) else { return };
        let kind = first >> 4 & 7;
        let body = frame.get(HEADER..frame.len().saturating_sub(2)).unwrap_or_default();
        if !crc_ok {
            cx.anomaly("synchrophasor", "bad_checksum", "the CRC of a frame is wrong");
        }
        let mut row = Synchrophasor {
            is_orig: Some(cx.dir == Dir::Orig),
            transport: Some(transport),
            frame_type: Some(kind),
            frame_type_name: TYPES.get(usize::from(kind)).copied(),
            version: Some(first & 15),
            frame_size: Some(size),
            id_code: Some(id),
            fracsec: Some(fracsec),
            time_quality: Some(quality & 15),
            leap_pending: Some(quality & 0x10 != 0),
            crc_ok: Some(crc_ok),
            ..Synchrophasor::default()
        };
        let base = self.configs.get(&id).map(|config| config.time_base).filter(|base| *base > 0);
        let second = i64::from(soc) * 1_000_000_000;
        let time = second + base.map_or(0, |base| i64::from(fracsec) * 1_000_000_000 / i64::from(base));
        row.soc = Some(time);
        match kind {
            0 => return self.measured(cx, row, id, body, base.map(|_| time)),
            2 | 3 | 5 => return self.config(cx, row, id, kind, body, crc_ok),
            1 => {
                let text = trimmed(body);
                return cx.emit(Synchrophasor { header_text: Some(&text), ..row });
            }
            4 => {
                row.command = Reader::new(body).be_u16().ok();
                row.command_name = row.command.and_then(command_name);
                if let Some(code) = row.command {
                    let (common, unit, hexadecimal) = (cx.common(cx.dir), id.to_string(), format!("0x{code:04x}"));
                    points::command(
                        cx,
                        &common,
                        false,
                        OtCommands {
                            protocol: Some("synchrophasor"),
                            request_frame: Some(common.frame),
                            target_unit: Some(&unit),
                            class: Some(match code {
                                1 | 2 => "comm_control",
                                3..=6 => "discovery",
                                _ => "config",
                            }),
                            command: row.command_name,
                            command_code: Some(&hexadecimal),
                            outcome: Some("unconfirmed"),
                            ..OtCommands::default()
                        },
                    );
                }
            }
            _ => {}
        }
        cx.emit(row);
    }

    fn config(&mut self, cx: &mut Cx<'_>, row: Synchrophasor<'_>, id: u16, kind: u8, body: &[u8], crc_ok: bool) {
        let Ok(config) = Config::read(kind, body) else {
            cx.anomaly("synchrophasor", "bad_length", "a configuration is shorter than its fields, or one of several parts");
            return cx.emit(row);
        };
        let stations: Vec<Cow<'_, str>> = config.units.iter().map(|unit| Cow::Borrowed(unit.name.as_str())).collect();
        let ids: Vec<u16> = config.units.iter().map(|unit| unit.id).collect();
        let mut channels: Vec<Cow<'_, str>> = Vec::new();
        for unit in &config.units {
            channels.extend(unit.phasors.iter().map(|(name, _)| Cow::Borrowed(name.as_str())));
            channels.extend(unit.analogs.iter().map(|(name, ..)| Cow::Borrowed(name.as_str())));
            channels.extend(texts(&unit.digitals));
        }
        let nominal: Vec<u8> = config.units.iter().map(|unit| unit.nominal).collect();
        // SOC of this frame too is counted in this base.
        let soc = row
            .soc
            .zip(row.fracsec)
            .filter(|_| config.time_base > 0)
            .map(|(soc, fracsec)| soc - soc % 1_000_000_000 + i64::from(fracsec) * 1_000_000_000 / i64::from(config.time_base));
        cx.emit(Synchrophasor {
            soc: soc.or(row.soc),
            num_pmu: u16::try_from(config.units.len()).ok(),
            time_base: Some(config.time_base),
            data_rate: Some(i32::from(config.rate)),
            station_names: Some(&stations),
            pmu_ids: Some(&ids),
            channel_names: Some(&channels),
            nominal_hz: Some(&nominal),
            config_count: config.units.first().map(|unit| unit.count),
            ..row
        });
        // Configuration 1 says what the device could send, 2 and 3 what it does send.
        if crc_ok && kind != 2 && (self.configs.len() < MAX_STREAMS || self.configs.contains_key(&id)) {
            self.configs.insert(id, config);
        }
    }

    fn measured(&self, cx: &mut Cx<'_>, row: Synchrophasor<'_>, id: u16, body: &[u8], time: Option<i64>) {
        #[allow(clippy::cast_precision_loss)]
        let offset_ms = time.map(|time| time.saturating_sub(cx.ts) as f64 / 1e6);
        let row = Synchrophasor { offset_ms, ..row };
        let Some(config) = self.configs.get(&id) else { return cx.emit(Synchrophasor { decoded: Some(false), ..row }) };
        let Ok(data) = Data::read(config, body) else {
            cx.anomaly("synchrophasor", "bad_length", "a data frame does not fit its configuration");
            return cx.emit(Synchrophasor { decoded: Some(false), ..row });
        };
        let errors: Vec<u8> = data.stat.iter().map(|stat| (stat >> 14) as u8).collect();
        let flags = |bit: u16, when: bool| data.stat.iter().map(|stat| (stat & bit != 0) == when).collect::<Vec<bool>>();
        let (sync, trigger, change) = (flags(0x2000, false), flags(0x0800, true), flags(0x0400, true));
        cx.emit(Synchrophasor {
            frequency_hz: Some(&data.frequency),
            rocof: Some(&data.rocof),
            phasors: Some(data.phasors.as_slice()).filter(|list| !list.is_empty()),
            analogs: Some(data.analogs.as_slice()).filter(|list| !list.is_empty()),
            digitals: Some(data.digitals.as_slice()).filter(|list| !list.is_empty()),
            stat: Some(&data.stat),
            data_error: Some(&errors),
            pmu_sync: Some(&sync),
            trigger: Some(&trigger),
            config_change: Some(&change),
            decoded: Some(true),
            ..row
        });
        report(cx, config, &data, time);
    }
}

/// Writes the values of a data frame.
fn report(cx: &mut Cx<'_>, config: &Config, data: &Data, time: Option<i64>) {
    let common = cx.common(cx.dir);
    let (mut phasors, mut analogs) = (data.phasors.chunks_exact(2), data.analogs.iter());
    for ((unit, stat), frequency) in config.units.iter().zip(&data.stat).zip(&data.frequency) {
        let number = unit.id.to_string();
        let quality = if stat >> 14 != 0 {
            "bad"
        } else if stat & 0x2000 != 0 {
            "uncertain"
        } else {
            "good"
        };
        let tell = |cx: &mut Cx<'_>, point: &str, kind: &'static str, value: f64| {
            points::value(
                cx,
                &common,
                Owner::Source,
                ProcessValues {
                    source_protocol: Some("synchrophasor"),
                    unit_id: Some(&number),
                    point: Some(point),
                    object_type: Some(kind),
                    direction: Some("report"),
                    value: Some(value),
                    quality: Some(quality),
                    source_time: time,
                    ..ProcessValues::default()
                },
            );
        };
        tell(cx, &format!("{} frequency", unit.name), "frequency", *frequency);
        for ((name, _), pair) in unit.phasors.iter().zip(&mut phasors) {
            if let [magnitude, angle] = pair {
                tell(cx, &format!("{} {name}", unit.name), "magnitude", *magnitude);
                tell(cx, &format!("{} {name} angle", unit.name), "angle", *angle);
            }
        }
        for ((name, ..), value) in unit.analogs.iter().zip(&mut analogs) {
            tell(cx, &format!("{} {name}", unit.name), "analog", *value);
        }
    }
}

impl DatagramDissector for Streams {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        let Ok(Some(length)) = frame_len(payload) else { return Outcome::NotMine };
        match payload.get(..length) {
            Some(frame) => self.frame(cx, frame, "udp"),
            None => cx.anomaly("synchrophasor", "bad_length", "FRAMESIZE is more than the datagram holds"),
        }
        Outcome::Decoded
    }
}

impl StreamDissector for Streams {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let mut used = 0;
        loop {
            let rest = bytes.get(used..).unwrap_or_default();
            match frame_len(rest) {
                Ok(Some(length)) => {
                    let Some(frame) = rest.get(..length) else { return Progress::Consumed(used) };
                    self.frame(cx, frame, "tcp");
                    self.misses = 0;
                    self.after_gap = false;
                    used += length;
                }
                Ok(None) => return Progress::Consumed(used),
                Err(Malformed) => {
                    if self.misses == 0 && !self.after_gap {
                        cx.anomaly("synchrophasor", "unexpected_state", "no frame where one should start");
                    }
                    self.misses += 1;
                    if self.misses > MAX_MISSES {
                        return Progress::Stop;
                    }
                    // The next octets that may start a frame.
                    let next = (1..rest.len()).find(|at| rest.get(*at..).is_some_and(|rest| frame_len(rest).is_ok()));
                    used += next.unwrap_or(rest.len());
                }
            }
        }
    }

    fn gap(&mut self, _cx: &mut Cx<'_>, _missing: u64) -> bool {
        self.after_gap = true;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(format: u16) -> Unit {
        let phasor = ("VA".to_owned(), Scale { factor: 0.5, angle: 0.0 });
        Unit {
            name: "S".into(),
            id: 7,
            format,
            phasors: vec![phasor],
            analogs: Vec::new(),
            digitals: Vec::new(),
            digital_words: 0,
            nominal: 50,
            count: 1,
        }
    }

    #[test]
    fn the_checksum_is_the_standards() {
        assert_eq!(crc(b"123456789"), 0x29b1, "the check value of CRC-CCITT with all ones");
    }

    #[test]
    fn numbers_and_floats() {
        let read = |format: u16, bytes: &[u8]| {
            let config = Config { time_base: 1, units: vec![unit(format)], rate: 50 };
            Data::read(&config, bytes).map(|data| (data.phasors, data.frequency, data.rocof))
        };
        let polar = read(1, &[0, 0, 0x01, 0x00, 0x3d, 0x5c, 0x00, 0x0a, 0xff, 0xfe]).unwrap();
        assert_eq!(polar.0[0], 128.0);
        assert!((polar.0[1] - 90.0).abs() < 0.01, "15708 / 10000 radians");
        assert_eq!((polar.1[0], polar.2[0]), (50.01, -0.02));
        let rectangular = read(0, &[0, 0, 0, 3, 0, 4, 0, 0, 0, 0]).unwrap();
        assert_eq!(rectangular.0[0], 2.5);
        let floats = read(0xb, &[0, 0, 0x42, 0xc8, 0, 0, 0, 0, 0, 0, 0x42, 0x48, 0, 0, 0, 0, 0, 0]).unwrap();
        assert_eq!((floats.0[0], floats.1[0]), (100.0, 50.0));
        assert!(read(1, &[0, 0, 1]).is_err());
        assert!(read(1, &[0; 12]).is_err(), "too long");
    }

    #[test]
    fn beginnings_of_a_frame() {
        assert_eq!(frame_len(&[0xaa]), Ok(None));
        assert_eq!(frame_len(&[0xaa, 0x41, 0, 18]), Ok(Some(18)));
        assert!(frame_len(&[0xaa, 0x61]).is_err(), "type 6");
        assert!(frame_len(&[0xaa, 0x01, 0, 3]).is_err());
    }
}
