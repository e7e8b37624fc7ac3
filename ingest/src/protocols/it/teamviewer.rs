//! TeamViewer: the commands of its own protocol, over TCP to its servers and in datagrams between two users.
//!
//! The protocol is not published; framing and names of commands are those that researchers found (Pearson, "Analyzing
//! TeamViewer", and the earlier Wireshark script by "drspringfield"), confirmed on captures.

use pcapper_schema::tables::Teamviewer;

use crate::protocols::{Cx, DatagramDissector, DatagramKind, Offer, Outcome, Progress, Protocol, StreamDissector, StreamKind, Verdict};
use crate::wire::{Malformed, Reader, Wire};

/// TeamViewer on any port; 5938 is its own.
pub static PROTOCOL: Protocol = Protocol {
    name: "teamviewer",
    ports: &[5938],
    datagram: Some(DatagramKind { ip_protos: &[17], probe: probe_datagram, start: || Box::new(Datagrams) }),
    stream: Some(StreamKind { probe: probe_stream, start: || Box::<Stream>::default() }),
    ..Protocol::NONE
};

const MAGIC: u16 = 0x1724;
/// Since version 10.
const NEW_MAGIC: u16 = 0x1130;
/// Octets of a datagram before the magic: two counters, an id, and how the datagram is to be delivered.
const DATAGRAM_PREFIX: usize = 11;
/// Payload that is held until it is whole.
const MAX_HELD: usize = 1 << 16;
/// Longest payload that is believed.
const MAX_PAYLOAD: usize = 1 << 24;
/// Longest first payload that a probe waits for.
const MAX_FIRST: usize = 1 << 13;
/// Shortest payload whose entropy says something.
const MIN_MEASURED: usize = 512;
/// Bits of entropy a byte above which a payload counts as encrypted.
const ENCRYPTED: f64 = 7.5;

/// Names of commands from 10 on; empty where none is known.
const COMMANDS: [&str; 54] = [
    "cmd_identify",
    "cmd_requestconnect",
    "",
    "cmd_disconnect",
    "cmd_vncdisconnect",
    "cmd_tvconnectionfailed",
    "cmd_ping",
    "cmd_pingok",
    "cmd_mastercommand",
    "cmd_masterresponse",
    "cmd_changeconnection",
    "cmd_nopartnerconnect",
    "cmd_connecttowaitingthread",
    "cmd_sessionmode",
    "cmd_requestroutingsession",
    "cmd_timeout",
    "cmd_javaconnect",
    "cmd_keepalivebeep",
    "cmd_requestkeepalive",
    "cmd_mastercommand_encrypted",
    "cmd_masterresponse_encrypted",
    "cmd_requestreconnect",
    "cmd_reconnecttowaitingthread",
    "cmd_startlogging",
    "cmd_serveravailable",
    "cmd_keepaliverequest",
    "cmd_ok",
    "cmd_failed",
    "cmd_ping_performance",
    "cmd_ping_performance_response",
    "cmd_requestkeepalive2",
    "cmd_disconnect_switchedtoudp",
    "cmd_sendmode_udp",
    "cmd_keepaliverequest_answer",
    "cmd_route_cmd_to_client",
    "cmd_new_masterlogin",
    "cmd_buddy",
    "cmd_acceptroutingsession",
    "cmd_new_masterlogin_answer",
    "cmd_buddy_encrypted",
    "cmd_request_route_buddy",
    "cmd_contact_other_master",
    "cmd_request_route_encrypted",
    "cmd_endsession",
    "cmd_sessionid",
    "cmd_reconnect_to_session",
    "cmd_reconnect_to_session_answer",
    "cmd_meeting_control",
    "cmd_carrier_switch",
    "cmd_meeting_authentication",
    "cmd_routercmd",
    "cmd_partnerreconnect",
    "cmd_congestion_control",
    "cmd_ack",
];

fn command_name(code: u8) -> Option<&'static str> {
    Some(match code {
        10..=63 => COMMANDS.get(usize::from(code).checked_sub(10)?).copied().filter(|name| !name.is_empty())?,
        70 => "cmd_udprequestconnect",
        71 => "cmd_udpping",
        72 => "cmd_udprequestconnect_vpn",
        90 => "cmd_data",
        91 => "cmd_data2",
        92 => "cmd_data_encrypted",
        93 => "cmd_requestencryption",
        94 => "cmd_confirmencryption",
        95 => "cmd_encryptionrequestfailed",
        96 => "cmd_requestnoencryption",
        97 => "cmd_udpflowcontrol",
        98 => "cmd_data3",
        99 => "cmd_data3_encrypted",
        100 => "cmd_data3_resendpackets",
        101 => "cmd_data3_ackpackets",
        102 => "cmd_auth_challenge",
        103 => "cmd_auth_response",
        104 => "cmd_auth_result",
        105 => "cmd_rip_messages",
        106 => "cmd_data4",
        107 => "cmd_datastream",
        108 => "cmd_udpheartbeat",
        109 => "cmd_data_directed",
        110 => "cmd_udp_resendpackets",
        111 => "cmd_udp_ackpackets",
        112 => "cmd_udp_protectedcommand",
        113 => "cmd_flushsendbuffer",
        _ => return None,
    })
}

/// The start of a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Header {
    magic: u16,
    command: u8,
    /// Payload length.
    length: usize,
    /// Octets of the header itself.
    size: usize,
}

impl Header {
    /// Reads a header; `Err` with too few bytes, `Ok(None)` if it cannot be one.
    fn parse(bytes: &[u8]) -> Wire<Option<Self>> {
        let mut reader = Reader::new(bytes);
        let first = reader.u8()?;
        if !matches!(first, 0x17 | 0x11) {
            return Ok(None);
        }
        let magic = u16::from_be_bytes([first, reader.u8()?]);
        if !matches!(magic, MAGIC | NEW_MAGIC) {
            return Ok(None);
        }
        let command = reader.u8()?;
        if command_name(command).is_none() {
            return Ok(None);
        }
        if magic == MAGIC {
            let length = usize::from(reader.le_u16()?);
            return Ok(Some(Self { magic, command, length, size: 5 }));
        }
        if reader.u8()? != 0 {
            return Ok(None);
        }
        let length = usize::try_from(reader.le_u32()?).map_err(|_| Malformed)?;
        // Numbers of the command and of the one acknowledged follow.
        Ok((length <= MAX_PAYLOAD).then_some(Self { magic, command, length, size: 24 }))
    }

    fn total(&self) -> usize {
        self.size.saturating_add(self.length)
    }
}

/// One whole command, and behind it nothing or another; its own port makes the header enough.
fn probe_stream(offer: &Offer<'_>) -> Verdict {
    let bytes = offer.current();
    let header = match Header::parse(bytes) {
        Ok(Some(header)) => header,
        Ok(None) => return Verdict::No,
        Err(_) => return Verdict::More,
    };
    if offer.usual_port {
        return Verdict::Yes;
    }
    if header.length > MAX_FIRST {
        return Verdict::No;
    }
    match bytes.get(header.total()..) {
        None => Verdict::More,
        Some([]) => Verdict::Yes,
        Some(next) => match Header::parse(next) {
            Ok(Some(_)) => Verdict::Yes,
            Ok(None) => Verdict::No,
            Err(_) => Verdict::More,
        },
    }
}

/// Two directions of commands.
#[derive(Default)]
struct Stream {
    halves: [Half; 2],
}

#[derive(Default)]
struct Half {
    /// Octets of a long payload still to be passed over.
    skip: usize,
    /// Bytes were lost: the next command is where one starts with a segment.
    lost: bool,
}

impl StreamDissector for Stream {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let half = &mut self.halves[cx.dir.index()];
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            if half.skip > 0 {
                let taken = half.skip.min(rest.len());
                half.skip -= taken;
                at += taken;
                if half.skip > 0 || taken == rest.len() {
                    break;
                }
                continue;
            }
            let header = match Header::parse(rest) {
                Ok(Some(header)) => header,
                Ok(None) if half.lost => {
                    at = bytes.len();
                    break;
                }
                // What follows is another protocol's, or the connection is encrypted as a whole from here on.
                Ok(None) => {
                    half.lost = true;
                    at = bytes.len();
                    break;
                }
                Err(_) => break,
            };
            let payload = rest.get(header.size..header.total());
            if payload.is_none() && header.length <= MAX_HELD {
                break;
            }
            half.lost = false;
            emit(cx, "tcp", None, &header, payload);
            match payload {
                Some(_) => at += header.total(),
                None => half.skip = header.total(),
            }
        }
        Progress::Consumed(at)
    }

    fn gap(&mut self, cx: &mut Cx<'_>, _missing: u64) -> bool {
        self.halves[cx.dir.index()] = Half { skip: 0, lost: true };
        true
    }
}

/// A datagram between two users: its length must be the command's.
fn peer(datagram: &[u8]) -> Option<(Header, &[u8])> {
    let mut reader = Reader::new(datagram);
    reader.skip(DATAGRAM_PREFIX).ok()?;
    let magic = reader.be_u16().ok()?;
    let command = reader.u8().ok()?;
    let length = usize::from(reader.le_u16().ok()?);
    let payload = reader.rest();
    (magic == MAGIC && length == payload.len()).then_some((Header { magic, command, length, size: 5 }, payload))
}

fn probe_datagram(offer: &Offer<'_>) -> Verdict {
    let known = peer(offer.current()).is_some_and(|(header, _)| command_name(header.command).is_some());
    if known { Verdict::Yes } else { Verdict::No }
}

/// Datagrams of one flow.
struct Datagrams;

impl DatagramDissector for Datagrams {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        let Some((header, payload)) = peer(payload) else { return Outcome::NotMine };
        emit(cx, "udp", Some("peer"), &header, Some(payload));
        Outcome::Decoded
    }
}

fn emit(cx: &mut Cx<'_>, transport: &str, role: Option<&str>, header: &Header, payload: Option<&[u8]>) {
    let row = Teamviewer {
        transport: Some(transport),
        magic: Some(header.magic),
        command_code: Some(header.command),
        command: command_name(header.command),
        length_bytes: u32::try_from(header.length).ok(),
        role,
        encrypted: payload.and_then(is_random),
        ..Default::default()
    };
    cx.emit(row);
}

/// More than 7.5 bits of entropy a byte; `None` for a payload too short to tell.
fn is_random(payload: &[u8]) -> Option<bool> {
    if payload.len() < MIN_MEASURED {
        return None;
    }
    let mut counts = [0u32; 256];
    for octet in payload {
        counts[usize::from(*octet)] += 1;
    }
    let total = payload.len() as f64;
    let bits: f64 = counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count)).map(|count| count * (total / count).log2()).sum();
    Some(bits / total > ENCRYPTED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::Dir;

    #[test]
    fn headers_of_both_kinds() {
        let old = Header::parse(&[0x17, 0x24, 0x0a, 0x20, 0]).unwrap().unwrap();
        assert_eq!((old.command, old.length, old.total(), command_name(old.command)), (10, 32, 37, Some("cmd_identify")));
        let new = Header::parse(&[0x11, 0x30, 0x3c, 0, 0x7b, 0, 0, 0]).unwrap().unwrap();
        assert_eq!((new.length, new.total(), command_name(new.command)), (123, 147, Some("cmd_routercmd")));
        assert_eq!(Header::parse(&[0x17, 0x24, 0x0c]), Ok(None));
        assert_eq!(Header::parse(&[0x17]), Err(Malformed));
        assert_eq!((command_name(63), command_name(64)), (Some("cmd_ack"), None));
    }

    #[test]
    fn streams_are_told_by_two_headers_or_one_whole_command() {
        let verdict = |bytes: &[u8], usual_port| {
            probe_stream(&Offer { bytes: [bytes, &[]], dir: Dir::Orig, ports: [None, None], usual_port, src: None, dst: None })
        };
        let message = [0x17, 0x24, 0x10, 2, 0, 9, 9, 0x17, 0x24, 0x11, 0, 0];
        assert_eq!(verdict(&message, false), Verdict::Yes);
        assert_eq!(verdict(&message[..7], false), Verdict::Yes);
        assert_eq!(verdict(&message[..6], false), Verdict::More);
        assert_eq!(verdict(&message[..8], false), Verdict::More);
        assert_eq!(verdict(&message[..5], true), Verdict::Yes);
        assert_eq!(verdict(b"GET / HTTP/1.1", true), Verdict::No);
    }

    #[test]
    fn datagrams_between_peers() {
        let mut datagram = vec![0; 10];
        datagram.extend([3, 0x17, 0x24, 0x47, 2, 0, 7, 7]);
        assert_eq!(peer(&datagram).map(|(header, payload)| (header.command, payload)), Some((71, &[7, 7][..])));
        datagram.push(0);
        assert_eq!(peer(&datagram), None);
    }
}
