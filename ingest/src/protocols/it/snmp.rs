//! SNMP: versions 1 (RFC 1157), 2c (RFC 1901, 3416) and 3 with the user-based security model (RFC 3412, 3414), over UDP
//! and TCP (RFC 3430).

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};

use pcapper_schema::Common;
use pcapper_schema::tables::{Credentials, Snmp};
use rustc_hash::FxHashMap;

use crate::protocols::ber::{self, tag};
use crate::protocols::hex::hex;
use crate::protocols::secrets;
use crate::protocols::{Cx, DatagramDissector, DatagramKind, Group, Offer, Outcome, Progress, Protocol, StreamDissector, StreamKind, Verdict};
use crate::wire::{Malformed, Reader, Wire};

/// SNMP on any port; 161 is the agents', 162 that of traps.
pub static PROTOCOL: Protocol = Protocol {
    name: "snmp",
    group: Group::It,
    ports: &[161, 162],
    datagram: Some(DatagramKind { ip_protos: &[17], probe, start: || Box::<Messages>::default() }),
    stream: Some(StreamKind { probe: probe_stream, start: || Box::<Messages>::default() }),
    ..Protocol::NONE
};

/// Requests of a flow that wait for their answer.
const MAX_WAITING: usize = 1024;
/// Communities of a flow that are followed.
const MAX_TRIED: usize = 256;
/// Bindings of a message that are read: more do not fit a datagram.
const MAX_BINDINGS: usize = 8192;
/// Longest message that is waited for in a stream, bytes.
const MAX_MESSAGE: usize = 1 << 20;

const SYS_UPTIME: &str = "1.3.6.1.2.1.1.3.0";
const SNMP_TRAP_OID: &str = "1.3.6.1.6.3.1.1.4.1.0";

/// Objects that analysts know by name: of SNMPv2-MIB, IF-MIB, IP-MIB, HOST-RESOURCES-MIB, and Cisco's configuration copy.
static OBJECTS: &[(&str, &str)] = &[
    ("1.3.6.1.2.1.1.1", "sysDescr"),
    ("1.3.6.1.2.1.1.2", "sysObjectID"),
    ("1.3.6.1.2.1.1.3", "sysUpTime"),
    ("1.3.6.1.2.1.1.4", "sysContact"),
    ("1.3.6.1.2.1.1.5", "sysName"),
    ("1.3.6.1.2.1.1.6", "sysLocation"),
    ("1.3.6.1.2.1.1.7", "sysServices"),
    ("1.3.6.1.2.1.2.1", "ifNumber"),
    ("1.3.6.1.2.1.2.2.1.1", "ifIndex"),
    ("1.3.6.1.2.1.2.2.1.2", "ifDescr"),
    ("1.3.6.1.2.1.2.2.1.3", "ifType"),
    ("1.3.6.1.2.1.2.2.1.5", "ifSpeed"),
    ("1.3.6.1.2.1.2.2.1.6", "ifPhysAddress"),
    ("1.3.6.1.2.1.2.2.1.7", "ifAdminStatus"),
    ("1.3.6.1.2.1.2.2.1.8", "ifOperStatus"),
    ("1.3.6.1.2.1.2.2.1.10", "ifInOctets"),
    ("1.3.6.1.2.1.2.2.1.14", "ifInErrors"),
    ("1.3.6.1.2.1.2.2.1.16", "ifOutOctets"),
    ("1.3.6.1.2.1.2.2.1.20", "ifOutErrors"),
    ("1.3.6.1.2.1.4.20.1.1", "ipAdEntAddr"),
    ("1.3.6.1.2.1.4.21.1.1", "ipRouteDest"),
    ("1.3.6.1.2.1.4.22.1.2", "ipNetToMediaPhysAddress"),
    ("1.3.6.1.2.1.25.1.1", "hrSystemUptime"),
    ("1.3.6.1.2.1.25.3.2.1.3", "hrDeviceDescr"),
    ("1.3.6.1.2.1.25.4.2.1.2", "hrSWRunName"),
    ("1.3.6.1.2.1.25.6.3.1.2", "hrSWInstalledName"),
    ("1.3.6.1.2.1.31.1.1.1.1", "ifName"),
    ("1.3.6.1.4.1.9.9.96.1.1.1.1", "ccCopyEntry"),
    ("1.3.6.1.6.3.1.1.4.1", "snmpTrapOID"),
    ("1.3.6.1.6.3.1.1.5.1", "coldStart"),
    ("1.3.6.1.6.3.1.1.5.2", "warmStart"),
    ("1.3.6.1.6.3.1.1.5.3", "linkDown"),
    ("1.3.6.1.6.3.1.1.5.4", "linkUp"),
    ("1.3.6.1.6.3.1.1.5.5", "authenticationFailure"),
    ("1.3.6.1.6.3.15.1.1.1", "usmStatsUnsupportedSecLevels"),
    ("1.3.6.1.6.3.15.1.1.2", "usmStatsNotInTimeWindows"),
    ("1.3.6.1.6.3.15.1.1.3", "usmStatsUnknownUserNames"),
    ("1.3.6.1.6.3.15.1.1.4", "usmStatsUnknownEngineIDs"),
    ("1.3.6.1.6.3.15.1.1.5", "usmStatsWrongDigests"),
    ("1.3.6.1.6.3.15.1.1.6", "usmStatsDecryptionErrors"),
    ("1.3.6.1.6.3.15.1.2.2.1.3", "usmUserSecurityName"),
];

/// Name of the longest known object that the identifier lies below, with the rest.
fn object_name(oid: &str) -> Option<String> {
    let known = OBJECTS.iter().filter_map(|(known, name)| {
        let rest = oid.strip_prefix(known)?;
        (rest.is_empty() || rest.starts_with('.')).then_some((known.len(), *name, rest))
    });
    known.max_by_key(|(length, ..)| *length).map(|(_, name, rest)| format!("{name}{rest}"))
}

fn pdu_name(code: u8) -> Option<&'static str> {
    Some(match code {
        0 => "get-request",
        1 => "get-next-request",
        2 => "response",
        3 => "set-request",
        4 => "trap",
        5 => "get-bulk-request",
        6 => "inform-request",
        7 => "snmpv2-trap",
        8 => "report",
        _ => return None,
    })
}

/// RFC 3416 section 3, error-status.
fn error_name(code: i32) -> Option<&'static str> {
    const NAMES: [&str; 19] = [
        "noError",
        "tooBig",
        "noSuchName",
        "badValue",
        "readOnly",
        "genErr",
        "noAccess",
        "wrongType",
        "wrongLength",
        "wrongEncoding",
        "wrongValue",
        "noCreation",
        "inconsistentValue",
        "resourceUnavailable",
        "commitFailed",
        "undoFailed",
        "authorizationError",
        "notWritable",
        "inconsistentName",
    ];
    NAMES.get(usize::try_from(code).ok()?).copied()
}

/// Whether the bytes start as a message of a known version does, and how long it says it is.
fn header(bytes: &[u8]) -> Wire<usize> {
    let mut reader = Reader::new(bytes);
    if reader.u8()? != tag::SEQUENCE {
        return Err(Malformed);
    }
    let (length, head) = match reader.u8()? {
        short @ 0..=0x7f => (usize::from(short), 2),
        0x81 => (usize::from(reader.u8()?), 3),
        0x82 => (usize::from(reader.be_u16()?), 4),
        0x83 => (reader.be_u24()? as usize, 5),
        0x84 => (reader.be_u32()? as usize, 6),
        _ => return Err(Malformed),
    };
    let version = ber::signed(ber::expect(&mut reader, tag::INTEGER)?)?;
    let next = reader.u8()?;
    let fits = match version {
        0 | 1 => next == tag::OCTET_STRING,
        3 => next == tag::SEQUENCE,
        _ => false,
    };
    if fits { length.checked_add(head).ok_or(Malformed) } else { Err(Malformed) }
}

fn probe(offer: &Offer<'_>) -> Verdict {
    let bytes = offer.current();
    match header(bytes) {
        // Elsewhere than on its own ports the message must be whole, and read well.
        Ok(_) if offer.usual_port => Verdict::Yes,
        Ok(length) if length == bytes.len() && Message::read(bytes).is_ok() => Verdict::Yes,
        _ => Verdict::No,
    }
}

fn probe_stream(offer: &Offer<'_>) -> Verdict {
    let bytes = offer.current();
    match header(bytes) {
        Ok(length) if length <= bytes.len() => {
            if bytes.get(..length).is_some_and(|message| Message::read(message).is_ok()) {
                Verdict::Yes
            } else {
                Verdict::No
            }
        }
        Ok(length) if length <= MAX_MESSAGE => Verdict::More,
        Err(_) if bytes.len() < 10 && bytes.first() == Some(&tag::SEQUENCE) => Verdict::More,
        _ => Verdict::No,
    }
}

/// One variable binding.
struct Binding {
    oid: String,
    kind: &'static str,
    /// `None` for null and what says that there is no value.
    value: Option<String>,
}

#[derive(Default)]
struct Pdu {
    code: u8,
    request_id: Option<i64>,
    error_status: Option<i32>,
    error_index: Option<i32>,
    non_repeaters: Option<u32>,
    max_repetitions: Option<u32>,
    enterprise: Option<String>,
    agent: Option<Ipv4Addr>,
    generic: Option<i32>,
    specific: Option<i32>,
    ticks: Option<u32>,
    bindings: Vec<Binding>,
}

/// What version 3 puts around a PDU.
struct Secured<'a> {
    msg_id: i64,
    flags: u8,
    engine_id: &'a [u8],
    boots: Option<u32>,
    time: Option<u32>,
    user: &'a [u8],
    context: Option<&'a [u8]>,
}

struct Message<'a> {
    version: i32,
    community: Option<&'a [u8]>,
    secured: Option<Secured<'a>>,
    pdu: Option<Pdu>,
    encrypted: bool,
}

impl<'a> Message<'a> {
    fn read(bytes: &'a [u8]) -> Wire<Self> {
        let mut outer = Reader::new(bytes);
        let mut reader = Reader::new(ber::expect(&mut outer, tag::SEQUENCE)?);
        let version = i32::try_from(ber::signed(ber::expect(&mut reader, tag::INTEGER)?)?).map_err(|_| Malformed)?;
        if version != 3 {
            let community = ber::expect(&mut reader, tag::OCTET_STRING)?;
            let pdu = Pdu::read(&mut reader)?;
            return Ok(Self { version, community: Some(community), secured: None, pdu: Some(pdu), encrypted: false });
        }
        let mut global = Reader::new(ber::expect(&mut reader, tag::SEQUENCE)?);
        let msg_id = ber::signed(ber::expect(&mut global, tag::INTEGER)?)?;
        ber::expect(&mut global, tag::INTEGER)?;
        let flags = *ber::expect(&mut global, tag::OCTET_STRING)?.first().ok_or(Malformed)?;
        let model = ber::signed(ber::expect(&mut global, tag::INTEGER)?)?;
        let parameters = ber::expect(&mut reader, tag::OCTET_STRING)?;
        let mut secured = Secured { msg_id, flags, engine_id: &[], boots: None, time: None, user: &[], context: None };
        // Model 3 is that of RFC 3414; parameters of others have no form known here.
        if model == 3 {
            let mut usm = Reader::new(parameters);
            let mut usm = Reader::new(ber::expect(&mut usm, tag::SEQUENCE)?);
            secured.engine_id = ber::expect(&mut usm, tag::OCTET_STRING)?;
            // Neither is ever negative (RFC 3414 section 2.4): engines that leave the zero octet before a high bit out mean the number.
            secured.boots = u32::try_from(ber::unsigned(ber::expect(&mut usm, tag::INTEGER)?)?).ok();
            secured.time = u32::try_from(ber::unsigned(ber::expect(&mut usm, tag::INTEGER)?)?).ok();
            secured.user = ber::expect(&mut usm, tag::OCTET_STRING)?;
        }
        let (kind, content) = ber::element(&mut reader)?;
        let mut pdu = None;
        if kind == tag::SEQUENCE {
            let mut scoped = Reader::new(content);
            ber::expect(&mut scoped, tag::OCTET_STRING)?;
            secured.context = Some(ber::expect(&mut scoped, tag::OCTET_STRING)?);
            pdu = Some(Pdu::read(&mut scoped)?);
        }
        Ok(Self { version, community: None, secured: Some(secured), pdu, encrypted: kind == tag::OCTET_STRING })
    }
}

impl Pdu {
    fn read(reader: &mut Reader<'_>) -> Wire<Self> {
        let (choice, content) = ber::element(reader)?;
        let code = choice & 0x1f;
        if choice & 0xe0 != 0xa0 || code > 8 {
            return Err(Malformed);
        }
        let mut reader = Reader::new(content);
        let mut pdu = Self { code, ..Self::default() };
        if code == 4 {
            pdu.enterprise = Some(ber::oid(ber::expect(&mut reader, tag::OID)?)?);
            // NetworkAddress has one choice: an IPv4 address, application class 0.
            pdu.agent = <[u8; 4]>::try_from(ber::expect(&mut reader, 0x40)?).ok().map(Ipv4Addr::from);
            pdu.generic = small(&mut reader)?;
            pdu.specific = small(&mut reader)?;
            pdu.ticks = u32::try_from(ber::unsigned(ber::expect(&mut reader, 0x43)?)?).ok();
        } else {
            pdu.request_id = Some(ber::signed(ber::expect(&mut reader, tag::INTEGER)?)?);
            let (first, second) = (small(&mut reader)?, small(&mut reader)?);
            if code == 5 {
                pdu.non_repeaters = first.and_then(|value| u32::try_from(value).ok());
                pdu.max_repetitions = second.and_then(|value| u32::try_from(value).ok());
            } else {
                pdu.error_status = first;
                pdu.error_index = second;
            }
        }
        let mut list = Reader::new(ber::expect(&mut reader, tag::SEQUENCE)?);
        while !list.is_empty() && pdu.bindings.len() < MAX_BINDINGS {
            let mut pair = Reader::new(ber::expect(&mut list, tag::SEQUENCE)?);
            let oid = ber::oid(ber::expect(&mut pair, tag::OID)?)?;
            let (kind, content) = ber::element(&mut pair)?;
            let (kind, value) = value(kind, content)?;
            pdu.bindings.push(Binding { oid, kind, value });
        }
        Ok(pdu)
    }
}

fn small(reader: &mut Reader<'_>) -> Wire<Option<i32>> {
    Ok(i32::try_from(ber::signed(ber::expect(reader, tag::INTEGER)?)?).ok())
}

/// Kind and text of a value (RFC 2578 section 7.1, RFC 3416 section 3).
fn value(kind: u8, content: &[u8]) -> Wire<(&'static str, Option<String>)> {
    let (name, text) = match kind {
        tag::INTEGER => ("integer", ber::signed(content)?.to_string()),
        tag::OCTET_STRING => ("octet_string", octets(content)),
        tag::NULL => return Ok(("null", None)),
        tag::OID => ("oid", ber::oid(content)?),
        0x40 => match <[u8; 4]>::try_from(content) {
            Ok(address) => ("ip_address", Ipv4Addr::from(address).to_string()),
            Err(_) => ("ip_address", octets(content)),
        },
        0x41 => ("counter32", ber::unsigned(content)?.to_string()),
        0x42 => ("gauge32", ber::unsigned(content)?.to_string()),
        0x43 => ("timeticks", ber::unsigned(content)?.to_string()),
        0x44 => ("opaque", octets(content)),
        0x46 => ("counter64", ber::unsigned(content)?.to_string()),
        0x80 => return Ok(("no_such_object", None)),
        0x81 => return Ok(("no_such_instance", None)),
        0x82 => return Ok(("end_of_mib_view", None)),
        _ => ("unknown", octets(content)),
    };
    Ok((name, Some(text)))
}

/// Printable text as it is, anything else in hexadecimal.
fn octets(content: &[u8]) -> String {
    match std::str::from_utf8(content) {
        Ok(text) if !text.chars().any(|letter| letter.is_control() && !matches!(letter, '\t' | '\r' | '\n')) => text.to_owned(),
        _ => format!("0x{}", hex(content)),
    }
}

#[derive(Default)]
struct Messages {
    /// Times of requests by id, until their answer comes.
    waiting: FxHashMap<i64, i64>,
    /// Communities tried on this flow.
    tried: Vec<Tried>,
}

/// A community that a manager presented.
struct Tried {
    community: Vec<u8>,
    common: Common,
    /// Its row is written.
    told: bool,
}

impl Messages {
    fn message(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> bool {
        let message = match Message::read(bytes) {
            Ok(message) => message,
            Err(Malformed) => {
                if header(bytes).is_err() {
                    return false;
                }
                cx.anomaly("snmp", "bad_length", "a part of the message ends beyond it, or is of another kind than due");
                return true;
            }
        };
        let pdu = message.pdu.as_ref();
        let response_time_ms = pdu.and_then(|pdu| self.timed(cx.ts, pdu));
        let text = |bytes: &[u8]| (!bytes.is_empty()).then(|| String::from_utf8_lossy(bytes).into_owned());
        let community = message.community.filter(|community| !community.is_empty()).map(octets);
        if let (Some(community), Some(pdu)) = (message.community, pdu) {
            self.login(cx, community, pdu.code);
        }
        let secured = message.secured.as_ref();
        let (user, context) = (secured.and_then(|s| text(s.user)), secured.and_then(|s| s.context).and_then(text));
        let engine = secured.filter(|s| !s.engine_id.is_empty()).map(|s| hex(s.engine_id));
        let bindings = pdu.map_or(&[][..], |pdu| &pdu.bindings);
        let oids: Vec<_> = bindings.iter().map(|binding| Cow::Borrowed(binding.oid.as_str())).collect();
        let names: Vec<_> = bindings.iter().map(|binding| object_name(&binding.oid).map(Cow::Owned)).collect();
        let values: Vec<_> = bindings.iter().map(|binding| binding.value.as_deref().map(Cow::Borrowed)).collect();
        let kinds: Vec<_> = bindings.iter().map(|binding| Cow::Borrowed(binding.kind)).collect();
        let find = |oid: &str| bindings.iter().find(|binding| binding.oid == oid).and_then(|binding| binding.value.as_deref());
        let is_trap = pdu.is_some_and(|pdu| matches!(pdu.code, 6 | 7));
        let uptime = match pdu {
            Some(pdu) if pdu.code == 4 => pdu.ticks,
            _ if is_trap => find(SYS_UPTIME).and_then(|ticks| ticks.parse().ok()),
            _ => None,
        };
        cx.emit(Snmp {
            version: Some(match message.version {
                0 => "1",
                1 => "2c",
                _ => "3",
            }),
            version_code: Some(message.version),
            community: community.as_deref(),
            msg_id: secured.map(|s| s.msg_id),
            username: user.as_deref(),
            engine_id: engine.as_deref(),
            engine_boots: secured.and_then(|s| s.boots),
            engine_time_s: secured.and_then(|s| s.time),
            security_level: secured.map(|s| match s.flags & 3 {
                3 => "authPriv",
                1 => "authNoPriv",
                _ => "noAuthNoPriv",
            }),
            msg_flags: secured.map(|s| s.flags),
            reportable: secured.map(|s| s.flags & 4 != 0),
            context_name: context.as_deref(),
            encrypted: Some(message.encrypted),
            pdu_code: pdu.map(|pdu| pdu.code),
            pdu: pdu.and_then(|pdu| pdu_name(pdu.code)),
            request_id: pdu.and_then(|pdu| pdu.request_id),
            error_status: pdu.and_then(|pdu| pdu.error_status),
            error: pdu.filter(|pdu| matches!(pdu.code, 2 | 8)).and_then(|pdu| pdu.error_status).and_then(error_name),
            error_index: pdu.and_then(|pdu| pdu.error_index),
            non_repeaters: pdu.and_then(|pdu| pdu.non_repeaters),
            max_repetitions: pdu.and_then(|pdu| pdu.max_repetitions),
            oids: (!oids.is_empty()).then_some(oids.as_slice()),
            oid_names: (!names.is_empty()).then_some(names.as_slice()),
            values: (!values.is_empty()).then_some(values.as_slice()),
            value_types: (!kinds.is_empty()).then_some(kinds.as_slice()),
            enterprise: pdu.and_then(|pdu| pdu.enterprise.as_deref()),
            agent_address: pdu.and_then(|pdu| pdu.agent).map(IpAddr::V4),
            generic_trap: pdu.and_then(|pdu| pdu.generic),
            specific_trap: pdu.and_then(|pdu| pdu.specific),
            trap_oid: if is_trap { find(SNMP_TRAP_OID) } else { None },
            uptime_ticks: uptime,
            response_time_ms,
            message_bytes: u32::try_from(bytes.len()).ok(),
        });
        true
    }

    /// Follows a community until an answer shows that it is the agent's: agents are silent about wrong ones (RFC 1157, 4.1).
    fn login(&mut self, cx: &mut Cx<'_>, community: &[u8], pdu: u8) {
        let answer = pdu == 2;
        let known = self.tried.iter().position(|tried| tried.community == community);
        let at = match known {
            Some(at) => at,
            None if self.tried.len() >= MAX_TRIED => return,
            None => {
                let manager = if answer { cx.dir.reverse() } else { cx.dir };
                self.tried.push(Tried { community: community.to_vec(), common: cx.common(manager), told: false });
                self.tried.len() - 1
            }
        };
        // A trap is never answered.
        if let Some(tried) = self.tried.get_mut(at)
            && !tried.told
            && (answer || matches!(pdu, 4 | 7))
        {
            tried.told = true;
            tell(cx, tried, answer.then_some(cx.frame));
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        for tried in self.tried.drain(..).filter(|tried| !tried.told) {
            tell(cx, &tried, None);
        }
    }

    /// Remembers a request, or gives the time since the one that this answers, milliseconds.
    fn timed(&mut self, ts: i64, pdu: &Pdu) -> Option<f64> {
        let id = pdu.request_id?;
        match pdu.code {
            0 | 1 | 3 | 5 | 6 => {
                if self.waiting.len() >= MAX_WAITING {
                    self.waiting.clear();
                }
                self.waiting.entry(id).or_insert(ts);
                None
            }
            2 => self.waiting.remove(&id).map(|asked| ts.saturating_sub(asked) as f64 / 1e6),
            _ => None,
        }
    }
}

/// Writes the row of a community; `answered` is the frame of the answer.
fn tell(cx: &mut Cx<'_>, tried: &Tried, answered: Option<u64>) {
    let secret = octets(&tried.community);
    let id = secrets::id(&tried.community);
    cx.emit_as(
        &tried.common,
        Credentials {
            protocol: Some("snmp"),
            kind: Some("community"),
            secret: Some(&secret),
            secret_id: id.as_deref(),
            secret_length: u32::try_from(secret.chars().count()).ok(),
            encrypted: Some(false),
            outcome: Some(if answered.is_some() { "success" } else { "unknown" }),
            outcome_frame: answered,
            field: Some("community"),
            ..Credentials::default()
        },
    );
}

impl DatagramDissector for Messages {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        if self.message(cx, payload) { Outcome::Decoded } else { Outcome::NotMine }
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.close(cx);
    }
}

impl StreamDissector for Messages {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        match header(bytes) {
            Ok(length) if length > MAX_MESSAGE => Progress::Stop,
            Ok(length) => match bytes.get(..length) {
                Some(message) => {
                    self.message(cx, message);
                    Progress::Consumed(length)
                }
                None => Progress::Consumed(0),
            },
            Err(Malformed) if bytes.len() < 10 => Progress::Consumed(0),
            Err(Malformed) => Progress::Stop,
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.close(cx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Version 2c, community `public`, set of sysName.0 to `musec`.
    const SET: &[u8] = b"\x30\x2b\x02\x01\x01\x04\x06public\xa3\x1e\x02\x01\x07\x02\x01\0\x02\x01\0\x30\x13\x30\x11\x06\x08\x2b\x06\x01\x02\x01\x01\x05\0\x04\x05musec";

    #[test]
    fn reads_a_set_request() {
        assert_eq!(header(SET), Ok(SET.len()));
        let message = Message::read(SET).unwrap();
        let pdu = message.pdu.unwrap();
        assert_eq!((message.community, pdu.code, pdu.request_id), (Some(&b"public"[..]), 3, Some(7)));
        let binding = &pdu.bindings[0];
        assert_eq!((binding.oid.as_str(), binding.kind, binding.value.as_deref()), ("1.3.6.1.2.1.1.5.0", "octet_string", Some("musec")));
        assert_eq!(object_name(&binding.oid).as_deref(), Some("sysName.0"));
        assert_eq!(object_name("1.3.6.1.4.1.31337"), None);
    }

    #[test]
    fn refuses_what_is_cut_or_another_protocol() {
        assert!(Message::read(&SET[..SET.len() - 1]).is_err());
        assert!(header(b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03").is_err(), "LDAP bind");
    }

    #[test]
    fn values_of_binary_octets_are_hexadecimal() {
        assert_eq!(value(tag::OCTET_STRING, &[0, 1, 0xff]).unwrap(), ("octet_string", Some("0x0001ff".to_owned())));
        assert_eq!(value(tag::OCTET_STRING, b"\0").unwrap().1.as_deref(), Some("0x00"));
        assert_eq!(value(tag::OCTET_STRING, b"").unwrap().1.as_deref(), Some(""));
        assert_eq!(value(0x80, b"").unwrap(), ("no_such_object", None));
        assert_eq!(value(0x46, &[0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).unwrap().1, Some(u64::MAX.to_string()));
    }
}
