//! MQTT 3.1, 3.1.1 (ISO/IEC 20922) and 5.0 (OASIS), over TCP.
//!
//! ```text
//! type:4 bits  flags:4 bits   remaining length: 1 to 4 octets of 7 bits   variable header   payload
//! text and octets: length:2 value      5.0: properties: their length (1 to 4 octets), then id and value each
//! ```

use std::borrow::Cow;

use pcapper_schema::Common;
use pcapper_schema::tables::{Credentials, Mqtt, OtCommands, ProcessValues};
use rustc_hash::FxHashMap;
use serde::de::IgnoredAny;

use super::points::{self, Owner};
use crate::protocols::files::{About, Follower};
use crate::protocols::{Cx, Dir, Group, Offer, Progress, Protocol, StreamDissector, StreamKind, Verdict, secrets};
use crate::wire::{Malformed, Reader, Wire};

/// MQTT on any port; 1883 is its own.
pub static PROTOCOL: Protocol = Protocol {
    name: "mqtt",
    group: Group::Ot,
    ports: &[1883],
    stream: Some(StreamKind { probe, start: || Box::<Connection>::default() }),
    ..Protocol::NONE
};

/// A packet is waited for whole up to this many octets; of a longer one the rest is passed over.
const MAX_WHOLE: usize = 1 << 20;
/// Octets of a message that a row keeps.
const MAX_PAYLOAD: usize = MAX_WHOLE;
/// Topic aliases of a direction, and entries of a list, that are kept.
const MAX_ALIASES: usize = 1024;
const MAX_LIST: usize = 256;
/// Messages of other kinds than text count as files from this size on.
const MIN_FILE: usize = 4096;
/// Values that one message may report.
const MAX_VALUES: usize = 64;

const CONNECT: u8 = 1;
const CONNACK: u8 = 2;
const PUBLISH: u8 = 3;

const NAMES: [&str; 15] = [
    "connect",
    "connack",
    "publish",
    "puback",
    "pubrec",
    "pubrel",
    "pubcomp",
    "subscribe",
    "suback",
    "unsubscribe",
    "unsuback",
    "pingreq",
    "pingresp",
    "disconnect",
    "auth",
];

/// The last level of topics that ask a device to do something; Sparkplug's are commands to nodes and devices.
const COMMANDS: [&str; 9] = ["set", "cmd", "command", "rpc", "control", "write", "actuate", "NCMD", "DCMD"];

/// Reasons of version 5 (section 2.4), and the return codes of version 3 (3.1.1 section 3.2.2.3).
fn reason_name(version: u8, kind: u8, code: u8) -> Option<&'static str> {
    if version < 5 {
        return ["accepted", "bad_protocol_version", "identifier_rejected", "server_unavailable", "bad_credentials", "not_authorized"]
            .get(usize::from(code))
            .copied()
            .filter(|_| kind == CONNACK);
    }
    Some(match code {
        0x00 if kind == CONNACK => "accepted",
        0x00 if kind == 14 => "normal_disconnection",
        0x00 => "success",
        0x04 => "disconnect_with_will_message",
        0x10 => "no_matching_subscribers",
        0x11 => "no_subscription_existed",
        0x18 => "continue_authentication",
        0x19 => "re_authenticate",
        0x80 => "unspecified_error",
        0x81 => "malformed_packet",
        0x82 => "protocol_error",
        0x83 => "implementation_specific_error",
        0x84 => "unsupported_protocol_version",
        0x85 => "client_identifier_not_valid",
        0x86 => "bad_credentials",
        0x87 => "not_authorized",
        0x88 => "server_unavailable",
        0x89 => "server_busy",
        0x8a => "banned",
        0x8b => "server_shutting_down",
        0x8c => "bad_authentication_method",
        0x8d => "keep_alive_timeout",
        0x8e => "session_taken_over",
        0x8f => "topic_filter_invalid",
        0x90 => "topic_name_invalid",
        0x91 => "packet_identifier_in_use",
        0x92 => "packet_identifier_not_found",
        0x93 => "receive_maximum_exceeded",
        0x94 => "topic_alias_invalid",
        0x95 => "packet_too_large",
        0x96 => "message_rate_too_high",
        0x97 => "quota_exceeded",
        0x98 => "administrative_action",
        0x99 => "payload_format_invalid",
        0x9a => "retain_not_supported",
        0x9b => "qos_not_supported",
        0x9c => "use_another_server",
        0x9d => "server_moved",
        0x9e => "shared_subscriptions_not_supported",
        0x9f => "connection_rate_exceeded",
        0xa0 => "maximum_connect_time",
        0xa1 => "subscription_identifiers_not_supported",
        0xa2 => "wildcard_subscriptions_not_supported",
        _ => return None,
    })
}

/// A number of one to four octets of seven bits, and the octets it took; `None` while more are needed.
fn variable(bytes: &[u8]) -> Wire<Option<(usize, usize)>> {
    let mut number = 0_usize;
    for (index, octet) in bytes.iter().take(4).enumerate() {
        number |= usize::from(octet & 0x7f) << (7 * index);
        if octet & 0x80 == 0 {
            return Ok(Some((number, index + 1)));
        }
    }
    if bytes.len() >= 4 { Err(Malformed) } else { Ok(None) }
}

/// The fixed header: type, flags, remaining length, octets before the rest.
fn fixed(bytes: &[u8]) -> Wire<Option<(u8, u8, usize, usize)>> {
    let Some((first, rest)) = bytes.split_first() else { return Ok(None) };
    Ok(variable(rest)?.map(|(length, taken)| (first >> 4, first & 15, length, 1 + taken)))
}

fn octets<'a>(wire: &mut Reader<'a>) -> Wire<&'a [u8]> {
    let length = wire.be_u16()?;
    wire.take(usize::from(length))
}

/// Whether a packet of this type may have these flags (3.1.1 table 2.2; 3.1 lets acknowledged packets bear DUP and QoS).
fn flags_fit(kind: u8, flags: u8) -> bool {
    match kind {
        PUBLISH => flags & 6 != 6,
        6 | 8 | 10 => flags & !8 == 2,
        1..=15 => flags == 0,
        _ => false,
    }
}

/// CONNECT, whose protocol name nothing else has; on MQTT's own port any packet that is well formed.
fn probe(offer: &Offer<'_>) -> Verdict {
    let bytes = offer.current();
    match fixed(bytes) {
        Ok(Some((CONNECT, 0, length, taken))) if length >= 10 => {
            let body = bytes.get(taken..).unwrap_or_default();
            let names = [&b"\0\x04MQTT"[..], b"\0\x06MQIsdp"];
            let begun = names.iter().any(|name| body.len() < name.len() && name.starts_with(body));
            if names.iter().any(|name| body.starts_with(name)) {
                Verdict::Yes
            } else if begun {
                Verdict::More
            } else {
                Verdict::No
            }
        }
        Ok(Some((kind @ 2..=14, flags, length, taken))) if offer.usual_port && flags_fit(kind, flags) => {
            let body = bytes.get(taken..).unwrap_or_default();
            let fits = match kind {
                PUBLISH => {
                    let topic = octets(&mut Reader::new(body));
                    topic.is_ok_and(|topic| std::str::from_utf8(topic).is_ok_and(|topic| !topic.is_empty() && !topic.chars().any(char::is_control)))
                }
                12 | 13 => length == 0,
                2 | 4..=7 | 11 => (2..=64).contains(&length),
                _ => length >= 3,
            };
            match (fits, body.len() >= length) {
                (true, true) => Verdict::Yes,
                (_, false) if body.len() < MAX_WHOLE => Verdict::More,
                _ => Verdict::No,
            }
        }
        Ok(None) if bytes.first().is_none_or(|first| *first == 0x10) || offer.usual_port && bytes.len() < 5 => Verdict::More,
        _ => Verdict::No,
    }
}

/// Properties of version 5 that rows tell.
#[derive(Default)]
struct Properties<'a> {
    content_type: Option<&'a [u8]>,
    response_topic: Option<&'a [u8]>,
    assigned_client_id: Option<&'a [u8]>,
    auth_method: Option<&'a [u8]>,
    topic_alias: Option<u16>,
    user: Vec<Cow<'a, str>>,
}

impl<'a> Properties<'a> {
    fn read(wire: &mut Reader<'a>) -> Wire<Self> {
        let mut properties = Self::default();
        let (length, taken) = variable(wire.peek())?.ok_or(Malformed)?;
        wire.skip(taken)?;
        let mut list = wire.sub(length)?;
        while !list.is_empty() {
            match list.u8()? {
                0x03 => properties.content_type = Some(octets(&mut list)?),
                0x08 => properties.response_topic = Some(octets(&mut list)?),
                0x12 => properties.assigned_client_id = Some(octets(&mut list)?),
                0x15 => properties.auth_method = Some(octets(&mut list)?),
                0x23 => properties.topic_alias = Some(list.be_u16()?),
                0x26 => {
                    let (key, value) = (octets(&mut list)?, octets(&mut list)?);
                    if properties.user.len() < MAX_LIST {
                        properties.user.push(format!("{}={}", String::from_utf8_lossy(key), String::from_utf8_lossy(value)).into());
                    }
                }
                0x09 | 0x16 | 0x1a | 0x1c | 0x1f => drop(octets(&mut list)?),
                0x0b => {
                    let (_, taken) = variable(list.peek())?.ok_or(Malformed)?;
                    list.skip(taken)?;
                }
                0x01 | 0x17 | 0x19 | 0x24 | 0x25 | 0x28..=0x2a => list.skip(1)?,
                0x13 | 0x21 | 0x22 => list.skip(2)?,
                0x02 | 0x11 | 0x18 | 0x27 => list.skip(4)?,
                _ => return Err(Malformed),
            }
        }
        Ok(properties)
    }
}

/// A login that waits for CONNACK.
struct Login {
    common: Common,
    username: Option<String>,
    password: Vec<u8>,
}

/// A connection of a client to its broker.
#[derive(Default)]
struct Connection {
    version: Option<u8>,
    client_id: Option<String>,
    /// A packet of each direction was seen.
    spoke: [bool; 2],
    /// Octets of each direction's long packet that are passed over.
    skip: [usize; 2],
    aliases: [FxHashMap<u16, String>; 2],
    /// Bytes of a direction were lost: what comes next may stand anywhere in a packet.
    after_gap: [bool; 2],
    login: Option<Login>,
}

/// What a message holds.
fn payload_kind(topic: &str, payload: &[u8]) -> &'static str {
    let image = [&b"\x89PNG\r\n\x1a\n"[..], b"\xff\xd8\xff", b"GIF8", b"BM"];
    match payload {
        [] => "empty",
        _ if topic.starts_with("spBv1.0/") && !topic.starts_with("spBv1.0/STATE/") => "sparkplug_b",
        [b'{' | b'[', ..] if serde_json::from_slice::<IgnoredAny>(payload).is_ok() => "json",
        _ if image.iter().any(|magic| payload.len() > 32 && payload.starts_with(magic)) => "image",
        _ if printable(payload).is_some() => "text",
        _ => "binary",
    }
}

fn printable(payload: &[u8]) -> Option<&str> {
    std::str::from_utf8(payload).ok().filter(|text| !text.is_empty() && !text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r')))
}

/// The topic's last level is a word of command (or, with Sparkplug, the level that names the message).
fn commands(topic: &str) -> bool {
    if let Some(rest) = topic.strip_prefix("spBv1.0/") {
        return rest.split('/').nth(1).is_some_and(|kind| matches!(kind, "NCMD" | "DCMD"));
    }
    topic.rsplit('/').next().is_some_and(|last| COMMANDS.iter().any(|word| last.eq_ignore_ascii_case(word)))
}

impl Connection {
    /// Decodes one packet; `body` may lack the end of a very long one, whose length is `length`.
    fn packet(&mut self, cx: &mut Cx<'_>, kind: u8, flags: u8, body: &[u8], length: usize) {
        let is_first = !std::mem::replace(&mut self.spoke[cx.dir.index()], true);
        let mut row = Mqtt {
            msg_type: Some(kind),
            msg_type_name: usize::from(kind).checked_sub(1).and_then(|index| NAMES.get(index)).copied(),
            is_orig: Some(cx.dir == Dir::Orig),
            message_len: u32::try_from(length).ok(),
            ..Mqtt::default()
        };
        // 3.1 gives these a quality of service too.
        if matches!(kind, 6 | 8 | 10) && self.version.is_some_and(|version| version < 4) {
            row.qos = Some(flags >> 1 & 3);
            row.dup = Some(flags & 8 != 0);
        }
        if kind == 0 || kind == 15 && self.version.is_some_and(|version| version < 5) {
            row.malformed = Some("reserved_type");
        } else if kind == PUBLISH && flags & 6 == 6 {
            row.malformed = Some("bad_qos");
        } else if kind == CONNECT && !is_first {
            row.malformed = Some("second_connect");
        } else if kind != CONNECT && is_first && cx.dir == Dir::Orig {
            row.malformed = Some("missing_connect");
        }
        let outcome = match kind {
            CONNECT => self.connect(cx, row, body),
            CONNACK => self.connack(cx, row, body),
            PUBLISH => self.publish(cx, row, flags, body, length),
            8 | 10 => self.subscribe(cx, row, kind == 8, body),
            9 | 11 => self.suback(cx, row, body),
            _ => self.other(cx, row, kind, body),
        };
        if outcome.is_err() {
            cx.anomaly("mqtt", "bad_length", "a packet is shorter than its fields");
        }
    }

    /// Writes a row of a packet that cannot be read to its end.
    fn broken(&self, cx: &mut Cx<'_>, row: Mqtt<'_>) -> Wire<()> {
        cx.emit(Mqtt { version: self.version, malformed: row.malformed.or(Some("truncated")), ..row });
        Err(Malformed)
    }

    fn connect(&mut self, cx: &mut Cx<'_>, row: Mqtt<'_>, body: &[u8]) -> Wire<()> {
        let mut wire = Reader::new(body);
        let head = octets(&mut wire).and_then(|name| Ok((name, wire.u8()?, wire.u8()?, wire.be_u16()?)));
        let Ok((name, version, flags, keep_alive)) = head else { return self.broken(cx, row) };
        self.version = Some(version);
        let name = String::from_utf8_lossy(name);
        let mut row =
            Mqtt { version: self.version, proto_name: Some(&name), clean_session: Some(flags & 2 != 0), keep_alive_s: Some(keep_alive), ..row };
        let properties = if version >= 5 { Properties::read(&mut wire) } else { Ok(Properties::default()) };
        let Ok(properties) = properties else { return self.broken(cx, row) };
        let auth_method = properties.auth_method.map(String::from_utf8_lossy);
        row.auth_method = auth_method.as_deref();
        row.user_properties = Some(properties.user.as_slice()).filter(|list| !list.is_empty());
        let Ok(client_id) = octets(&mut wire) else { return self.broken(cx, row) };
        let client_id = String::from_utf8_lossy(client_id);
        self.client_id = Some(client_id.as_ref().to_owned()).filter(|id| !id.is_empty());
        row.client_id = Some(client_id.as_ref()).filter(|id| !id.is_empty());
        let has_will = flags & 4 != 0;
        let mut will = None;
        let (mut will_type, mut will_response) = (None, None);
        if has_will {
            let of_will = if version >= 5 { Properties::read(&mut wire) } else { Ok(Properties::default()) };
            let Ok(of_will) = of_will else { return self.broken(cx, row) };
            (will_type, will_response) = (of_will.content_type.map(String::from_utf8_lossy), of_will.response_topic.map(String::from_utf8_lossy));
            let Ok(pair) = octets(&mut wire).and_then(|topic| Ok((topic, octets(&mut wire)?))) else { return self.broken(cx, row) };
            will = Some(pair);
        }
        let will_topic = will.map(|(topic, _)| String::from_utf8_lossy(topic));
        row.will_topic = will_topic.as_deref();
        row.will_payload = will.map(|(_, payload)| payload.get(..MAX_PAYLOAD).unwrap_or(payload));
        row.content_type = will_type.as_deref();
        row.response_topic = will_response.as_deref();
        row.will_qos = Some(flags >> 3 & 3);
        row.will_retain = Some(flags & 32 != 0);
        let mut field = |bit: u8| if flags & bit != 0 { octets(&mut wire).map(Some) } else { Ok(None) };
        let Ok((username, password)) = field(0x80).and_then(|username| Ok((username, field(0x40)?))) else { return self.broken(cx, row) };
        let (user_text, password_text) = (username.map(String::from_utf8_lossy), password.map(String::from_utf8_lossy));
        row.username = user_text.as_deref();
        row.password = password_text.as_deref();
        self.told(cx, None);
        if let Some(password) = password {
            self.login = Some(Login { common: cx.common(cx.dir), username: user_text.as_deref().map(str::to_owned), password: password.to_vec() });
        }
        cx.emit(row);
        Ok(())
    }

    /// The verdict on a login: its row of `credentials`.
    fn told(&mut self, cx: &mut Cx<'_>, code: Option<u8>) {
        let Some(login) = self.login.take() else { return };
        let text = String::from_utf8_lossy(&login.password);
        let service = self.client_id.as_deref().map(|id| format!("client {id}"));
        cx.emit_as(
            &login.common,
            Credentials {
                protocol: Some("mqtt"),
                kind: Some("password"),
                username: login.username.as_deref(),
                secret: Some(&text),
                secret_id: secrets::id(&login.password).as_deref(),
                secret_length: u32::try_from(text.chars().count()).ok(),
                service: service.as_deref(),
                encrypted: Some(cx.is_decrypted()),
                outcome: Some(match code {
                    Some(0) => "success",
                    Some(_) => "failure",
                    None => "unknown",
                }),
                outcome_frame: code.map(|_| cx.frame),
                ..Credentials::default()
            },
        );
    }

    fn connack(&mut self, cx: &mut Cx<'_>, row: Mqtt<'_>, body: &[u8]) -> Wire<()> {
        let mut wire = Reader::new(body);
        let Ok((flags, code)) = wire.u8().and_then(|flags| Ok((flags, wire.u8()?))) else { return self.broken(cx, row) };
        // Where CONNECT was not captured, the length tells version 5, whose acknowledgement is longer.
        let version = *self.version.get_or_insert(if body.len() > 2 { 5 } else { 4 });
        let properties = if version >= 5 { Properties::read(&mut wire) } else { Ok(Properties::default()) };
        let Ok(properties) = properties else { return self.broken(cx, row) };
        let assigned = properties.assigned_client_id.map(String::from_utf8_lossy);
        if let Some(assigned) = &assigned {
            self.client_id = Some(assigned.as_ref().to_owned());
        }
        let auth_method = properties.auth_method.map(String::from_utf8_lossy);
        cx.emit(Mqtt {
            version: self.version,
            client_id: assigned.as_deref(),
            // 3.1 has no such flag.
            session_present: (version >= 4).then_some(flags & 1 != 0),
            reason_code: Some(code),
            reason: reason_name(version, CONNACK, code),
            auth_method: auth_method.as_deref(),
            user_properties: Some(properties.user.as_slice()).filter(|list| !list.is_empty()),
            ..row
        });
        self.told(cx, Some(code));
        Ok(())
    }

    fn publish(&mut self, cx: &mut Cx<'_>, row: Mqtt<'_>, flags: u8, body: &[u8], length: usize) -> Wire<()> {
        let qos = flags >> 1 & 3;
        let row = Mqtt { qos: Some(qos), dup: Some(flags & 8 != 0), retain: Some(flags & 1 != 0), ..row };
        let mut wire = Reader::new(body);
        let Ok(topic) = octets(&mut wire) else { return self.broken(cx, row) };
        let packet_id = if qos > 0 { wire.be_u16().map(Some) } else { Ok(None) };
        let Ok(packet_id) = packet_id else { return self.broken(cx, row) };
        let properties = if self.version.is_some_and(|version| version >= 5) { Properties::read(&mut wire) } else { Ok(Properties::default()) };
        let Ok(properties) = properties else { return self.broken(cx, row) };
        let mut topic: Cow<'_, str> = String::from_utf8_lossy(topic);
        if let Some(alias) = properties.topic_alias {
            let aliases = &mut self.aliases[cx.dir.index()];
            if topic.is_empty() {
                topic = aliases.get(&alias).cloned().unwrap_or_default().into();
            } else if aliases.len() < MAX_ALIASES || aliases.contains_key(&alias) {
                aliases.insert(alias, topic.as_ref().to_owned());
            }
        }
        let before = body.len() - wire.len();
        let payload = wire.rest();
        let payload_len = length.saturating_sub(before);
        let is_whole = payload.len() == payload_len;
        let kind = payload_kind(&topic, payload);
        let kept = payload.get(..MAX_PAYLOAD).unwrap_or(payload);
        let (response_topic, content_type) =
            (properties.response_topic.map(String::from_utf8_lossy), properties.content_type.map(String::from_utf8_lossy));
        cx.emit(Mqtt {
            version: self.version,
            packet_id,
            topic: Some(topic.as_ref()).filter(|topic| !topic.is_empty()),
            topic_alias: properties.topic_alias,
            payload: Some(kept).filter(|payload| !payload.is_empty()),
            payload_len: u32::try_from(payload_len).ok(),
            payload_text: printable(kept),
            payload_kind: Some(kind),
            response_topic: response_topic.as_deref(),
            content_type: content_type.as_deref(),
            user_properties: Some(properties.user.as_slice()).filter(|list| !list.is_empty()),
            ..row
        });
        if kind == "image" || kind == "binary" && payload_len >= MIN_FILE {
            let mut follower = Follower::default();
            follower.push(payload);
            if !is_whole {
                follower.lose();
            }
            let name = topic.rsplit('/').next().filter(|name| !name.is_empty());
            let about = About {
                source: "mqtt",
                filename: name,
                declared_mime: content_type.as_deref(),
                total_bytes: u64::try_from(payload_len).ok(),
                ..About::default()
            };
            follower.finish(cx, cx.dir, about, is_whole);
        }
        // What the broker passes on was told when it came.
        if cx.dir == Dir::Orig {
            self.act(cx, &topic, payload);
        }
        Ok(())
    }

    /// What a client's message means to the plant: values it reports, or a command.
    fn act(&self, cx: &mut Cx<'_>, topic: &str, payload: &[u8]) {
        let common = cx.common(cx.dir);
        if commands(topic) {
            let text = printable(payload).and_then(|text| text.get(..text.len().min(200)));
            points::command(
                cx,
                &common,
                false,
                OtCommands {
                    protocol: Some("mqtt"),
                    request_frame: Some(common.frame),
                    actor_name: self.client_id.as_deref(),
                    class: Some("write"),
                    command: Some("publish"),
                    point: Some(topic),
                    value: text,
                    outcome: Some("unconfirmed"),
                    confidence: Some("low"),
                    ..OtCommands::default()
                },
            );
            return;
        }
        for (point, value, raw_type) in values(topic, payload) {
            points::value(
                cx,
                &common,
                Owner::Source,
                ProcessValues {
                    source_protocol: Some("mqtt"),
                    point: Some(&point),
                    object_type: Some("topic"),
                    direction: Some("report"),
                    value: Some(value),
                    raw_type: Some(raw_type),
                    ..ProcessValues::default()
                },
            );
        }
    }

    fn subscribe(&mut self, cx: &mut Cx<'_>, row: Mqtt<'_>, has_qos: bool, body: &[u8]) -> Wire<()> {
        let mut wire = Reader::new(body);
        let read = |wire: &mut Reader<'_>| -> Wire<u16> {
            let id = wire.be_u16()?;
            if self.version.is_some_and(|version| version >= 5) {
                Properties::read(wire)?;
            }
            Ok(id)
        };
        let Ok(packet_id) = read(&mut wire) else { return self.broken(cx, row) };
        let (mut topics, mut qos): (Vec<Cow<'_, str>>, Vec<u8>) = Default::default();
        let mut sound = true;
        while !wire.is_empty() {
            let entry = octets(&mut wire).and_then(|topic| Ok((topic, if has_qos { wire.u8()? & 3 } else { 0 })));
            let Ok((topic, asked)) = entry else {
                sound = false;
                break;
            };
            if topics.len() < MAX_LIST {
                topics.push(String::from_utf8_lossy(topic));
                qos.push(asked);
            }
        }
        cx.emit(Mqtt {
            version: self.version,
            packet_id: Some(packet_id),
            topics: Some(topics.as_slice()).filter(|list| !list.is_empty()),
            requested_qos: Some(qos.as_slice()).filter(|list| has_qos && !list.is_empty()),
            malformed: row.malformed.or((!sound).then_some("truncated")),
            ..row
        });
        if sound { Ok(()) } else { Err(Malformed) }
    }

    fn suback(&mut self, cx: &mut Cx<'_>, row: Mqtt<'_>, body: &[u8]) -> Wire<()> {
        let mut wire = Reader::new(body);
        let Ok(packet_id) = wire.be_u16() else { return self.broken(cx, row) };
        let is_v5 = self.version.is_some_and(|version| version >= 5);
        if is_v5 && Properties::read(&mut wire).is_err() {
            return self.broken(cx, row);
        }
        let codes = wire.rest();
        let codes = codes.get(..MAX_LIST).unwrap_or(codes);
        cx.emit(Mqtt {
            version: self.version,
            packet_id: Some(packet_id),
            granted_qos: Some(codes).filter(|codes| !codes.is_empty() && row.msg_type == Some(9)),
            ..row
        });
        Ok(())
    }

    fn other(&mut self, cx: &mut Cx<'_>, row: Mqtt<'_>, kind: u8, body: &[u8]) -> Wire<()> {
        let mut wire = Reader::new(body);
        let packet_id = if matches!(kind, 4..=7) { wire.be_u16().map(Some) } else { Ok(None) };
        let Ok(packet_id) = packet_id else { return self.broken(cx, row) };
        let version = self.version.unwrap_or(4);
        // A reason of 0 may be left out with all that follows (5.0 section 3.4.2.1).
        let has_reason = version >= 5 && matches!(kind, 4..=7 | 14 | 15);
        let reason_code = if has_reason { wire.u8().ok() } else { None };
        let properties = if has_reason && !wire.is_empty() { Properties::read(&mut wire) } else { Ok(Properties::default()) };
        let Ok(properties) = properties else { return self.broken(cx, row) };
        let auth_method = properties.auth_method.map(String::from_utf8_lossy);
        cx.emit(Mqtt {
            version: self.version,
            packet_id,
            reason_code,
            reason: reason_code.and_then(|code| reason_name(version, kind, code)),
            auth_method: auth_method.as_deref(),
            user_properties: Some(properties.user.as_slice()).filter(|list| !list.is_empty()),
            ..row
        });
        Ok(())
    }
}

/// Numbers that a message reports: the message itself, or the members of a JSON object and of objects in it.
fn values(topic: &str, payload: &[u8]) -> Vec<(String, f64, &'static str)> {
    let mut found = Vec::new();
    if payload.len() > MAX_PAYLOAD {
        return found;
    }
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(payload) else { return found };
    let mut open = vec![(topic.to_owned(), &value)];
    while let Some((point, value)) = open.pop() {
        match value {
            serde_json::Value::Number(number) => found.extend(number.as_f64().map(|number| (point, number, "number"))),
            serde_json::Value::Bool(state) => found.push((point, f64::from(u8::from(*state)), "bool")),
            // In reverse, so that the first comes out first.
            serde_json::Value::Object(members) => open.extend(members.iter().rev().map(|(name, value)| (format!("{point}.{name}"), value))),
            _ => {}
        }
        if found.len() >= MAX_VALUES || open.len() > MAX_VALUES {
            break;
        }
    }
    found
}

/// Bytes that are whole packets with the flags of their types.
fn starts_packet(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while !rest.is_empty() {
        let Ok(Some((kind, flags, length, taken))) = fixed(rest) else { return false };
        let Some(next) = rest.get(taken.saturating_add(length)..) else { return false };
        if !flags_fit(kind, flags) {
            return false;
        }
        rest = next;
    }
    !bytes.is_empty()
}

impl StreamDissector for Connection {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let mut used = 0;
        loop {
            let skip = &mut self.skip[cx.dir.index()];
            let passed = (*skip).min(bytes.len() - used);
            *skip -= passed;
            used += passed;
            let rest = bytes.get(used..).unwrap_or_default();
            if self.after_gap[cx.dir.index()] {
                // Senders start packets with segments: bytes that are not exactly one or several packets are passed over.
                if !starts_packet(rest) {
                    return Progress::Consumed(bytes.len());
                }
                self.after_gap[cx.dir.index()] = false;
            }
            match fixed(rest) {
                Ok(Some((kind, flags, length, taken))) => {
                    let total = taken.saturating_add(length);
                    if let Some(body) = rest.get(taken..total) {
                        self.packet(cx, kind, flags, body, length);
                        used += total;
                    } else if rest.len() >= MAX_WHOLE {
                        self.packet(cx, kind, flags, rest.get(taken..).unwrap_or_default(), length);
                        self.skip[cx.dir.index()] = total - rest.len();
                        return Progress::Consumed(bytes.len());
                    } else {
                        return Progress::Consumed(used);
                    }
                }
                Ok(None) => return Progress::Consumed(used),
                Err(Malformed) => {
                    cx.anomaly("mqtt", "bad_length", "a remaining length has more than four octets");
                    cx.emit(Mqtt { is_orig: Some(cx.dir == Dir::Orig), malformed: Some("bad_remaining_length"), ..Mqtt::default() });
                    return Progress::Stop;
                }
            }
        }
    }

    fn gap(&mut self, cx: &mut Cx<'_>, missing: u64) -> bool {
        let index = cx.dir.index();
        // A hole inside a long message is passed over with it.
        match usize::try_from(missing).ok().and_then(|missing| self.skip[index].checked_sub(missing)) {
            Some(left) if self.skip[index] > 0 => self.skip[index] = left,
            _ => {
                self.skip[index] = 0;
                self.after_gap[index] = true;
            }
        }
        true
    }

    fn end(&mut self, cx: &mut Cx<'_>, rest: &[u8]) {
        if self.after_gap[cx.dir.index()] {
            return;
        }
        if let Ok(Some((kind, flags, length, taken))) = fixed(rest) {
            self.packet(cx, kind, flags, rest.get(taken..).unwrap_or_default(), length);
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.told(cx, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_one_to_four_octets() {
        assert_eq!(variable(&[0x7f]), Ok(Some((127, 1))));
        assert_eq!(variable(&[0x80, 0x80, 0x01]), Ok(Some((16384, 3))));
        assert_eq!(variable(&[0x80]), Ok(None));
        assert!(variable(&[0xff, 0xff, 0xff, 0xff]).is_err());
    }

    #[test]
    fn every_beginning_of_a_connect_may_become_one() {
        let connect: &'static [u8] = b"\x10\x0e\0\x04MQTT\x04\x02\0\x3c\0\x02ab";
        let ask = |bytes: &'static [u8]| {
            probe(&Offer { bytes: [bytes, &[]], dir: Dir::Orig, ports: [Some(5000), Some(9999)], usual_port: false, src: None, dst: None })
        };
        for length in 1..8 {
            assert_eq!(ask(&connect[..length]), Verdict::More, "{length}");
        }
        assert_eq!(ask(connect), Verdict::Yes);
        assert_eq!(ask(b"\x10\x0e\0\x04HTTP\x04\x02\0\x3c"), Verdict::No);
        assert_eq!(ask(b"\xc0\0"), Verdict::No, "a ping alone says nothing on another port");
    }

    #[test]
    fn numbers_of_a_message() {
        assert_eq!(values("hall/temp", b"21.5"), [("hall/temp".to_owned(), 21.5, "number")]);
        let found = values("m", br#"{"t":20,"s":{"on":true},"n":"x"}"#);
        assert_eq!(found.len(), 2);
        assert!(found.contains(&("m.s.on".to_owned(), 1.0, "bool")));
    }

    #[test]
    fn words_of_command_stand_alone() {
        assert!(commands("home/lamp/set") && commands("spBv1.0/g/DCMD/e/d"));
        assert!(!commands("sensors/startup") && !commands("setup/cmdline") && !commands("spBv1.0/g/DDATA/e/cmd"));
    }
}
