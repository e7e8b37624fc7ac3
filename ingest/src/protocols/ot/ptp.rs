//! PTP, the Precision Time Protocol (IEEE 1588-2019, 802.1AS), over Ethernet and UDP. Of version 1 (IEEE 1588-2002) the
//! header is read.
//!
//! ```text
//! sdo id:4 bits type:4 bits   minor version:4 bits version:4 bits   length:2  domain:1  minor sdo:1  flags:2  correction:8
//! 4 octets by type   clock:8  port:2   sequence:2  control:1  log interval:1      then the body by type, and TLVs
//! ```

use pcapper_schema::tables::Ptp;
use rustc_hash::FxHashMap;

use crate::packet::Packet;
use crate::protocols::hex::hex;
use crate::protocols::{Cx, DatagramDissector, DatagramKind, FrameDissector, FrameKind, Group, Offer, Outcome, Protocol, Verdict};
use crate::wire::{Reader, Wire};

/// PTP over Ethernet and UDP; 319 is its port for event messages, 320 for others.
pub static PROTOCOL: Protocol = Protocol {
    name: "ptp",
    group: Group::Ot,
    ports: &[319, 320],
    frame: Some(FrameKind { claims: |packet| packet.ether_type == Some(ETHER_TYPE), start: || Box::new(Messages) }),
    datagram: Some(DatagramKind { ip_protos: &[17], probe, start: || Box::new(Messages) }),
    ..Protocol::NONE
};

const ETHER_TYPE: u16 = 0x88f7;
/// Octets of version 2's header, and of version 1's.
const HEADER: usize = 34;
const HEADER_V1: usize = 40;
/// Domains whose timescale is remembered.
const MAX_DOMAINS: usize = 4096;
/// TLVs of a message that are looked through.
const MAX_TLVS: usize = 64;

/// TLV types (IEEE 1588-2019 table 52).
const TLV_MANAGEMENT: u16 = 0x0001;
const TLV_MANAGEMENT_ERROR: u16 = 0x0002;
const TLV_ORGANIZATION: u16 = 0x0003;
const TLV_AUTHENTICATION: u16 = 0x8009;
/// IEEE C37.238's organization id.
const POWER: [u8; 3] = [0x1c, 0x12, 0x9d];

const SYNC: u8 = 0;
const FOLLOW_UP: u8 = 8;
const ANNOUNCE: u8 = 11;
const MANAGEMENT: u8 = 13;

fn type_name(kind: u8) -> Option<&'static str> {
    Some(match kind {
        0 => "sync",
        1 => "delay_req",
        2 => "pdelay_req",
        3 => "pdelay_resp",
        8 => "follow_up",
        9 => "delay_resp",
        10 => "pdelay_resp_follow_up",
        11 => "announce",
        12 => "signaling",
        13 => "management",
        _ => return None,
    })
}

/// Octets of a message's body before its TLVs.
fn body_len(kind: u8) -> usize {
    match kind {
        2 | 3 | 9 | 10 => 20,
        11 => 30,
        13 => 14,
        _ => 10,
    }
}

/// What controlField holds for a type (IEEE 1588-2008 table 23).
fn control(kind: u8) -> u8 {
    match kind {
        0 => 0,
        1 => 1,
        8 => 2,
        9 => 3,
        13 => 4,
        _ => 5,
    }
}

/// What a management error says (IEEE 1588-2019 table 109).
fn management_error_name(id: u16) -> Option<&'static str> {
    Some(match id {
        1 => "RESPONSE_TOO_BIG",
        2 => "NO_SUCH_ID",
        3 => "WRONG_LENGTH",
        4 => "WRONG_VALUE",
        5 => "NOT_SETABLE",
        6 => "NOT_SUPPORTED",
        0xfffe => "GENERAL_ERROR",
        _ => return None,
    })
}

/// An identity as it is mostly written: hexadecimal.
fn identity(octets: &[u8]) -> String {
    format!("0x{}", hex(octets))
}

const ACTIONS: [&str; 5] = ["get", "set", "response", "command", "acknowledge"];

/// Names of the management ids (IEEE 1588-2019 table 59).
fn management_name(id: u16) -> Option<&'static str> {
    const COMMON: [&str; 8] = [
        "NULL_PTP_MANAGEMENT",
        "CLOCK_DESCRIPTION",
        "USER_DESCRIPTION",
        "SAVE_IN_NON_VOLATILE_STORAGE",
        "RESET_NON_VOLATILE_STORAGE",
        "INITIALIZE",
        "FAULT_LOG",
        "FAULT_LOG_RESET",
    ];
    const ORDINARY: [&str; 34] = [
        "DEFAULT_DATA_SET",
        "CURRENT_DATA_SET",
        "PARENT_DATA_SET",
        "TIME_PROPERTIES_DATA_SET",
        "PORT_DATA_SET",
        "PRIORITY1",
        "PRIORITY2",
        "DOMAIN",
        "SLAVE_ONLY",
        "LOG_ANNOUNCE_INTERVAL",
        "ANNOUNCE_RECEIPT_TIMEOUT",
        "LOG_SYNC_INTERVAL",
        "VERSION_NUMBER",
        "ENABLE_PORT",
        "DISABLE_PORT",
        "TIME",
        "CLOCK_ACCURACY",
        "UTC_PROPERTIES",
        "TRACEABILITY_PROPERTIES",
        "TIMESCALE_PROPERTIES",
        "UNICAST_NEGOTIATION_ENABLE",
        "PATH_TRACE_LIST",
        "PATH_TRACE_ENABLE",
        "GRANDMASTER_CLUSTER_TABLE",
        "UNICAST_MASTER_TABLE",
        "UNICAST_MASTER_MAX_TABLE_SIZE",
        "ACCEPTABLE_MASTER_TABLE",
        "ACCEPTABLE_MASTER_TABLE_ENABLED",
        "ACCEPTABLE_MASTER_MAX_TABLE_SIZE",
        "ALTERNATE_MASTER",
        "ALTERNATE_TIME_OFFSET_ENABLE",
        "ALTERNATE_TIME_OFFSET_NAME",
        "ALTERNATE_TIME_OFFSET_MAX_KEY",
        "ALTERNATE_TIME_OFFSET_PROPERTIES",
    ];
    let index = usize::from(id & 0x0fff);
    match id >> 12 {
        0 => COMMON.get(index).copied(),
        2 => ORDINARY.get(index).copied(),
        4 => ["TRANSPARENT_CLOCK_DEFAULT_DATA_SET", "TRANSPARENT_CLOCK_PORT_DATA_SET", "PRIMARY_DOMAIN"].get(index).copied(),
        6 => ["DELAY_MECHANISM", "LOG_MIN_PDELAY_REQ_INTERVAL"].get(index).copied(),
        _ => None,
    }
}

/// Version 2's header.
struct Header {
    major_sdo: u8,
    kind: u8,
    minor_version: u8,
    version: u8,
    length: u16,
    domain: u8,
    flags: [u8; 2],
    correction: i64,
    specific: u32,
    clock: [u8; 8],
    port: u16,
    sequence: u16,
    control: u8,
    log_interval: i8,
}

impl Header {
    fn read(wire: &mut Reader<'_>) -> Wire<Self> {
        let (first, second) = (wire.u8()?, wire.u8()?);
        let (length, domain) = (wire.be_u16()?, wire.u8()?);
        wire.skip(1)?;
        Ok(Self {
            major_sdo: first >> 4,
            kind: first & 15,
            minor_version: second >> 4,
            version: second & 15,
            length,
            domain,
            flags: wire.array()?,
            correction: wire.be_u64()?.cast_signed(),
            specific: wire.be_u32()?,
            clock: wire.array()?,
            port: wire.be_u16()?,
            sequence: wire.be_u16()?,
            control: wire.u8()?,
            log_interval: wire.i8()?,
        })
    }
}

/// On its ports a header that makes sense; elsewhere one whose every redundant field agrees.
fn probe(offer: &Offer<'_>) -> Verdict {
    let bytes = offer.current();
    let is_v1 = offer.usual_port && bytes.len() >= HEADER_V1 && bytes.starts_with(&[0, 1, 0, 1]);
    let is_v2 = Header::read(&mut Reader::new(bytes)).is_ok_and(|header| {
        let length = usize::from(header.length);
        let sound = header.version == 2 && type_name(header.kind).is_some() && (HEADER..=bytes.len()).contains(&length);
        // IPv6 appends two octets (IEEE 1588-2019 annex D.2).
        let exact = length == bytes.len() || length + 2 == bytes.len();
        sound && (offer.usual_port || exact && header.control == control(header.kind) && header.specific == 0 && header.major_sdo <= 1)
    });
    if is_v1 || is_v2 { Verdict::Yes } else { Verdict::No }
}

/// What the last announcement of a domain said of its timescale: seconds ahead of UTC.
#[derive(Default)]
struct Domains(FxHashMap<(Option<u16>, u8), i64>);

/// What the body and the TLVs say.
#[derive(Default)]
struct Body {
    origin: Option<i64>,
    announce: Option<Announce>,
    requesting: Option<[u8; 8]>,
    target: Option<[u8; 8]>,
    action: Option<u8>,
    management_id: Option<u16>,
    management_error: Option<u16>,
    is_power: bool,
    has_authentication: bool,
}

struct Announce {
    utc_offset: i16,
    priority1: u8,
    class: u8,
    accuracy: u8,
    variance: u16,
    priority2: u8,
    clock: [u8; 8],
    steps: u16,
    source: u8,
}

/// Seconds and nanoseconds as nanoseconds since the timescale's start; none where both are zero.
fn timestamp(wire: &mut Reader<'_>) -> Wire<Option<i64>> {
    let seconds = u64::from(wire.be_u16()?) << 32 | u64::from(wire.be_u32()?);
    let nanoseconds = wire.be_u32()?;
    let time = i64::try_from(seconds).ok().and_then(|seconds| seconds.checked_mul(1_000_000_000)?.checked_add(i64::from(nanoseconds)));
    Ok(time.filter(|time| *time != 0))
}

impl Body {
    fn read(kind: u8, bytes: &[u8]) -> Wire<Self> {
        let mut body = Self::default();
        let mut all = Reader::new(bytes);
        let mut wire = all.sub(body_len(kind))?;
        if kind < 12 {
            body.origin = timestamp(&mut wire)?;
        }
        match kind {
            3 | 9 | 10 => body.requesting = Some(wire.array()?),
            ANNOUNCE => {
                let utc_offset = wire.be_u16()?.cast_signed();
                wire.skip(1)?;
                body.announce = Some(Announce {
                    utc_offset,
                    priority1: wire.u8()?,
                    class: wire.u8()?,
                    accuracy: wire.u8()?,
                    variance: wire.be_u16()?,
                    priority2: wire.u8()?,
                    clock: wire.array()?,
                    steps: wire.be_u16()?,
                    source: wire.u8()?,
                });
            }
            12 | MANAGEMENT => {
                let target = wire.array()?;
                if kind == MANAGEMENT {
                    body.target = Some(target);
                    wire.skip(4)?;
                    body.action = Some(wire.u8()? & 15);
                }
            }
            _ => {}
        }
        for _ in 0..MAX_TLVS {
            let Ok((tlv, length)) = all.be_u16().and_then(|tlv| Ok((tlv, all.be_u16()?))) else { break };
            let mut value = all.sub(usize::from(length))?;
            match tlv {
                TLV_MANAGEMENT => body.management_id = value.be_u16().ok(),
                TLV_MANAGEMENT_ERROR => {
                    body.management_error = Some(value.be_u16()?);
                    body.management_id = value.be_u16().ok();
                }
                TLV_ORGANIZATION => body.is_power |= value.array() == Ok(POWER),
                TLV_AUTHENTICATION => body.has_authentication = true,
                _ => {}
            }
        }
        Ok(body)
    }
}

struct Messages;

impl FrameDissector for Messages {
    fn frame(&mut self, cx: &mut Cx<'_>, packet: &Packet<'_>) -> Outcome {
        message(cx, packet.payload, "ethernet", packet.vlan_id)
    }
}

impl DatagramDissector for Messages {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        let transport = if cx.ends[0].ip.is_some_and(|ip| ip.is_ipv6()) { "udp6" } else { "udp4" };
        let vlan = cx.packet.and_then(|packet| packet.vlan_id);
        message(cx, payload, transport, vlan)
    }
}

fn message(cx: &mut Cx<'_>, bytes: &[u8], transport: &'static str, vlan_id: Option<u16>) -> Outcome {
    if bytes.starts_with(&[0, 1, 0, 1]) {
        return first_version(cx, bytes, transport, vlan_id);
    }
    let mut wire = Reader::new(bytes);
    let Ok(header) = Header::read(&mut wire) else {
        cx.anomaly("ptp", "truncated_header", "the message is shorter than its header");
        return Outcome::Decoded;
    };
    if header.version != 2 {
        return Outcome::NotMine;
    }
    let rest = wire.rest();
    let inside = usize::from(header.length).checked_sub(HEADER).and_then(|length| rest.get(..length));
    if inside.is_none() {
        cx.anomaly("ptp", "bad_length", "messageLength is less than the header or more than there is");
    }
    let body = Body::read(header.kind, inside.unwrap_or(rest));
    if body.is_err() && inside.is_some() {
        cx.anomaly("ptp", "bad_length", "the body or a TLV is longer than the message");
    }
    let body = body.unwrap_or_default();
    let [first, second] = header.flags;
    let flag = |octet: u8, bit: u8| Some(octet & bit != 0);
    let (two_step, is_tai) = (first & 2 != 0, second & 8 != 0);
    let domains = &mut cx.shared.get::<Domains>().0;
    let key = (vlan_id, header.domain);
    if let Some(announce) = &body.announce {
        // The offset counts only where the time is TAI; otherwise the sender's time is taken for UTC.
        if domains.len() < MAX_DOMAINS || domains.contains_key(&key) {
            domains.insert(key, if is_tai { i64::from(announce.utc_offset) } else { 0 });
        }
    }
    let carries_time = header.kind == FOLLOW_UP || header.kind == SYNC && !two_step;
    #[allow(clippy::cast_precision_loss)]
    let offset_ms = body.origin.filter(|_| carries_time).zip(domains.get(&key)).and_then(|(origin, ahead)| {
        let utc = origin.checked_sub(ahead.checked_mul(1_000_000_000)?)?;
        Some(utc.checked_sub(cx.ts)? as f64 / 1e6)
    });
    let clock = identity(&header.clock);
    let texts =
        [body.announce.as_ref().map(|announce| announce.clock), body.requesting, body.target].map(|clock| clock.map(|clock| identity(&clock)));
    let [gm_clock, requesting_clock, target_clock] = &texts;
    let announce = body.announce.as_ref();
    cx.emit(Ptp {
        transport: Some(transport),
        vlan_id,
        version: Some(header.version),
        minor_version: Some(header.minor_version),
        major_sdo_id: Some(header.major_sdo),
        profile: match () {
            () if header.major_sdo == 1 => Some("gptp"),
            () if body.is_power => Some("power"),
            // Domains of the telecom profile with full support from the network (ITU-T G.8275.1 6.2.1).
            () if transport == "ethernet" && (24..=43).contains(&header.domain) => Some("telecom_g8275"),
            () => None,
        },
        message_type: Some(header.kind),
        message_type_name: type_name(header.kind),
        domain: Some(header.domain),
        source_clock: Some(&clock),
        source_port_number: Some(header.port),
        sequence_id: Some(header.sequence),
        log_interval: Some(i32::from(header.log_interval)),
        two_step: Some(two_step),
        unicast: flag(first, 4),
        utc_reasonable: flag(second, 4),
        time_traceable: flag(second, 16),
        frequency_traceable: flag(second, 32),
        ptp_timescale: Some(is_tai),
        leap61: flag(second, 1),
        leap59: flag(second, 2),
        #[allow(clippy::cast_precision_loss)]
        correction_ns: Some(header.correction as f64 / 65536.0),
        origin_ts: body.origin,
        offset_ms,
        gm_clock: gm_clock.as_deref(),
        gm_class: announce.map(|announce| announce.class),
        gm_accuracy: announce.map(|announce| announce.accuracy),
        gm_variance: announce.map(|announce| announce.variance),
        priority1: announce.map(|announce| announce.priority1),
        priority2: announce.map(|announce| announce.priority2),
        steps_removed: announce.map(|announce| announce.steps),
        time_source: announce.map(|announce| announce.source),
        utc_offset_s: announce.map(|announce| i32::from(announce.utc_offset)),
        requesting_clock: requesting_clock.as_deref(),
        management_action: body.action,
        management_action_name: body.action.and_then(|action| ACTIONS.get(usize::from(action))).copied(),
        management_id: body.management_id,
        management_name: body.management_id.and_then(management_name),
        management_error_code: body.management_error,
        management_error: body.management_error.and_then(management_error_name),
        target_clock: target_clock.as_deref(),
        message_len: Some(header.length),
        has_auth_tlv: Some(body.has_authentication),
    });
    Outcome::Decoded
}

/// Version 1 (IEEE 1588-2002 annex D): versions 2+2, subdomain 16, type 1, technology 1, uuid 6, port 2, sequence 2, control 1.
fn first_version(cx: &mut Cx<'_>, bytes: &[u8], transport: &'static str, vlan_id: Option<u16>) -> Outcome {
    let read = |wire: &mut Reader<'_>| -> Wire<([u8; 6], u16, u16, u8)> {
        wire.skip(22)?;
        Ok((wire.array()?, wire.be_u16()?, wire.be_u16()?, wire.u8()?))
    };
    let Ok((uuid, port, sequence, control)) = read(&mut Reader::new(bytes)) else {
        cx.anomaly("ptp", "truncated_header", "the message is shorter than its header");
        return Outcome::Decoded;
    };
    let clock = identity(&uuid);
    cx.emit(Ptp {
        transport: Some(transport),
        vlan_id,
        version: Some(1),
        message_type_name: ["sync", "delay_req", "follow_up", "delay_resp", "management"].get(usize::from(control)).copied(),
        source_clock: Some(&clock),
        source_port_number: Some(port),
        sequence_id: Some(sequence),
        ..Ptp::default()
    });
    Outcome::Decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announce() -> Vec<u8> {
        let mut bytes = vec![0x0b, 0x12, 0, 64, 3, 0, 0, 0x3c];
        bytes.extend([0; 12]);
        bytes.extend([0, 0, 6, 0xff, 0xff, 1, 0, 0, 0, 1, 0, 7, 5, 1]);
        bytes.extend([0; 10]);
        bytes.extend([0, 37, 0, 128, 6, 0x21, 0x4e, 0x5d, 127, 0, 0, 6, 0xff, 0xff, 1, 0, 0, 0, 2, 0x20]);
        bytes
    }

    #[test]
    fn an_announcement() {
        let bytes = announce();
        let mut wire = Reader::new(&bytes);
        let header = Header::read(&mut wire).unwrap();
        assert_eq!((header.kind, header.version, header.minor_version, header.domain, header.sequence), (ANNOUNCE, 2, 1, 3, 7));
        let body = Body::read(header.kind, wire.rest()).unwrap();
        let announce = body.announce.unwrap();
        assert_eq!((announce.utc_offset, announce.priority1, announce.class, announce.steps, announce.source), (37, 128, 6, 2, 0x20));
        assert_eq!(body.origin, None);
    }

    #[test]
    fn redundant_fields_must_agree_on_other_ports() {
        let bytes = announce();
        let offer = |bytes: &'static [u8], usual_port: bool| {
            probe(&Offer { bytes: [bytes, &[]], dir: crate::protocols::Dir::Orig, ports: [Some(5000), Some(5001)], usual_port, src: None, dst: None })
        };
        let sound: &'static [u8] = bytes.clone().leak();
        let mut other = bytes;
        other[32] = 0;
        let wrong_control: &'static [u8] = other.leak();
        assert_eq!(offer(sound, false), Verdict::Yes);
        assert_eq!(offer(wrong_control, false), Verdict::No);
        assert_eq!(offer(wrong_control, true), Verdict::Yes);
        assert_eq!(offer(&[0x0b, 0x12, 0, 64], true), Verdict::No);
    }

    #[test]
    fn management_and_its_error() {
        let mut bytes = vec![0xff; 10];
        bytes.extend([1, 1, 1, 0]);
        assert_eq!(Body::read(MANAGEMENT, &[&bytes[..], &[0, 1, 0, 4, 0x20, 5, 0, 0]].concat()).unwrap().management_id, Some(0x2005));
        let body = Body::read(MANAGEMENT, &[&bytes[..], &[0, 2, 0, 8, 0, 2, 0x20, 0x0f, 0, 0, 0, 0]].concat()).unwrap();
        assert_eq!((body.management_id, body.action, body.management_error), (Some(0x200f), Some(1), Some(2)));
        assert_eq!(management_error_name(2), Some("NO_SUCH_ID"));
        assert_eq!(management_name(0x200f), Some("TIME"));
        assert!(Body::read(MANAGEMENT, &[&bytes[..], &[0, 1, 0, 9, 0]].concat()).is_err());
    }
}
