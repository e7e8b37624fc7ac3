//! BGP version 4 (RFC 4271), over TCP: several messages a segment, or one over several.
//!
//! ```text
//! marker 16 octets of 0xff | length u16 | type u8 | body
//! ```

mod open;
mod update;

use std::borrow::Cow;
use std::net::Ipv4Addr;

use pcapper_schema::tables::{Bgp, RoutingRoutes};

use crate::packet::Transport;
use crate::protocols::{Cx, Dir, Group, Offer, Progress, Protocol, StreamDissector, StreamKind, Verdict};
use crate::wire::{Malformed, Reader, Wire};
use open::Open;
use update::Update;

/// BGP on any port; 179 is its own.
pub static PROTOCOL: Protocol = Protocol {
    name: "bgp",
    group: Group::It,
    ports: &[179],
    stream: Some(StreamKind { probe, start: || Box::<Session>::default() }),
    ..Protocol::NONE
};

/// Marker, length and type.
const HEADER: usize = 19;
/// Longest message (RFC 4271 4.1).
const MAX_MESSAGE: usize = 4096;

fn probe(offer: &Offer<'_>) -> Verdict {
    let bytes = offer.current();
    let marked = bytes.iter().take(16).all(|&byte| byte == 0xff);
    match header(bytes) {
        Some(_) => Verdict::Yes,
        None if marked && bytes.len() < HEADER => Verdict::More,
        // The capture may begin in the middle of a message: on BGP's own port the next one is waited for.
        None if offer.usual_port && next(bytes).is_some() => Verdict::Yes,
        None if offer.usual_port && bytes.len() < MAX_MESSAGE + HEADER => Verdict::More,
        None => Verdict::No,
    }
}

/// Where the next message begins.
fn next(bytes: &[u8]) -> Option<usize> {
    bytes.windows(HEADER).position(|window| header(window).is_some())
}

/// Length and type, where the header is whole and makes sense.
fn header(bytes: &[u8]) -> Option<(usize, u8)> {
    let (marker, rest) = bytes.split_at_checked(16)?;
    let [high, low, kind, ..] = *rest else { return None };
    let length = usize::from(u16::from_be_bytes([high, low]));
    (marker.iter().all(|&byte| byte == 0xff) && length >= HEADER && (1..=6).contains(&kind)).then_some((length, kind))
}

/// What one speaker said of itself.
#[derive(Default)]
struct Speaker {
    id: Option<[u8; 4]>,
    /// Its open message was seen, and announced four-octet AS numbers (RFC 6793).
    wide: Option<bool>,
    /// Families whose prefixes it receives, or sends, with a path id (RFC 7911).
    receives_ids: Vec<(u16, u8)>,
    sends_ids: Vec<(u16, u8)>,
}

/// What every message has.
#[derive(Clone, Copy)]
struct About {
    kind: u8,
    length: Option<u16>,
    authentication: Option<&'static str>,
    ttl: Option<u8>,
}

impl About {
    fn row<'a>(self) -> Bgp<'a> {
        Bgp {
            message_type: Some(self.kind),
            message_type_name: name(self.kind),
            length: self.length,
            tcp_authentication: self.authentication,
            ttl: self.ttl,
            ..Bgp::default()
        }
    }
}

struct Session {
    speakers: [Speaker; 2],
    /// Bytes were lost, or nothing was seen yet: the next message is looked for by its marker.
    is_lost: [bool; 2],
}

impl Default for Session {
    fn default() -> Self {
        Self { speakers: Default::default(), is_lost: [true; 2] }
    }
}

impl StreamDissector for Session {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        if bytes.len() < HEADER {
            return Progress::Consumed(0);
        }
        if *self.lost(cx.dir) {
            let Some(start) = next(bytes) else { return Progress::Consumed(bytes.len() - (HEADER - 1)) };
            *self.lost(cx.dir) = false;
            if start > 0 {
                return Progress::Consumed(start);
            }
        }
        let Some((length, kind)) = header(bytes) else {
            cx.anomaly("bgp", "unexpected_state", "a message does not start with BGP's header");
            return Progress::Stop;
        };
        let Some(body) = bytes.get(HEADER..length) else { return Progress::Consumed(0) };
        self.message(cx, kind, length, body);
        Progress::Consumed(length)
    }

    fn gap(&mut self, cx: &mut Cx<'_>, _missing: u64) -> bool {
        *self.lost(cx.dir) = true;
        true
    }
}

impl Session {
    fn lost(&mut self, dir: Dir) -> &mut bool {
        let [orig, resp] = &mut self.is_lost;
        if dir == Dir::Orig { orig } else { resp }
    }

    fn message(&mut self, cx: &mut Cx<'_>, kind: u8, length: usize, body: &[u8]) {
        let about = About {
            kind,
            length: u16::try_from(length).ok(),
            authentication: match cx.packet.map(|packet| packet.transport) {
                Some(Transport::Tcp(header)) => header.authentication,
                _ => None,
            },
            ttl: cx.packet.and_then(|packet| packet.ip).map(|ip| ip.ttl),
        };
        let whole = match kind {
            1 => self.open(cx, body, about),
            2 => self.update(cx, body, about),
            3 => notification(cx, body, about),
            5 => {
                let family = match *body {
                    [a, b, _, safi, ..] => Some(update::family(u16::from_be_bytes([a, b]), safi)),
                    _ => None,
                };
                let mut row = about.row();
                row.afi_safi = family.as_deref();
                cx.emit(row);
                if family.is_some() { Ok(()) } else { Err(Malformed) }
            }
            _ => {
                cx.emit(about.row());
                Ok(())
            }
        };
        if whole.is_err() {
            cx.anomaly("bgp", "bad_length", "a field reaches beyond its message");
        }
    }

    fn open(&mut self, cx: &mut Cx<'_>, body: &[u8], about: About) -> Wire<()> {
        let mut open = Open::default();
        let whole = open.read(body);
        let id = open.id.map(|id| Ipv4Addr::from(id).to_string());
        let mut row = about.row();
        row.version = open.version;
        row.my_as = open.my_as;
        row.hold_time_s = open.hold_time_s;
        row.bgp_id = id.as_deref();
        row.capabilities = (!open.capabilities.is_empty()).then_some(open.capabilities.as_slice());
        row.hostname = open.hostname.as_deref();
        row.role = open.role;
        cx.emit(row);
        let speaker = match cx.dir {
            Dir::Orig => &mut self.speakers[0],
            Dir::Resp => &mut self.speakers[1],
        };
        *speaker = Speaker { id: open.id, wide: Some(open.wide), receives_ids: open.receives_ids, sends_ids: open.sends_ids };
        whole
    }

    fn update(&self, cx: &mut Cx<'_>, body: &[u8], about: About) -> Wire<()> {
        let [orig, resp] = &self.speakers;
        let (sender, receiver) = if cx.dir == Dir::Orig { (orig, resp) } else { (resp, orig) };
        let wide = sender.wide.zip(receiver.wide).map(|(one, other)| one && other);
        let with_ids = |afi, safi| sender.sends_ids.contains(&(afi, safi)) && receiver.receives_ids.contains(&(afi, safi));
        let mut update = Update::default();
        let mut whole = update.read(body, wide, &with_ids);
        // Path ids that opens before the capture agreed on show where prefixes make no sense without them.
        if whole.is_err() && wide.is_none() {
            let mut other = Update::default();
            if other.read(body, wide, &|_, _| true).is_ok() {
                (update, whole) = (other, Ok(()));
            }
        }
        let texts = |routes: &[update::Route]| routes.iter().map(|route| Cow::Owned(route.prefix.to_string())).collect::<Vec<Cow<'static, str>>>();
        let (announced, withdrawn) = (texts(&update.announced), texts(&update.withdrawn));
        let originator = update.originator.map(|id| Ipv4Addr::from(id).to_string());
        let router = sender.id.map(|id| Ipv4Addr::from(id).to_string());
        let mut row = about.row();
        row.announced = (!announced.is_empty()).then_some(announced.as_slice());
        row.withdrawn = (!withdrawn.is_empty()).then_some(withdrawn.as_slice());
        row.origin = update.origin;
        row.as_path = update.has_path.then_some(update.path.as_slice());
        row.as_path_text = update.has_path.then_some(update.path_text.as_str());
        row.origin_as = update.origin_as;
        row.next_hop = update.next_hop.as_deref();
        row.med = update.med;
        row.local_pref = update.local_pref;
        row.communities = (!update.communities.is_empty()).then_some(update.communities.as_slice());
        row.large_communities = (!update.large_communities.is_empty()).then_some(update.large_communities.as_slice());
        row.ext_communities = (!update.ext_communities.is_empty()).then_some(update.ext_communities.as_slice());
        row.originator_id = originator.as_deref();
        row.afi_safi = update.family.as_deref();
        row.end_of_rib = whole.is_ok().then_some(update.end_of_rib);
        cx.emit(row);
        let peer = cx.common(cx.dir).src_ip.map(|ip| ip.to_string());
        for (route, announce) in update.announced.iter().map(|route| (route, true)).chain(update.withdrawn.iter().map(|route| (route, false))) {
            let prefix = route.prefix.to_string();
            cx.emit(RoutingRoutes {
                protocol: Some("bgp"),
                action: Some(if announce { "announce" } else { "withdraw" }),
                prefix: Some(&prefix),
                prefix_len: Some(route.prefix.length),
                next_hop: if announce { update.next_hop.as_deref() } else { peer.as_deref() },
                metric: update.med.filter(|_| announce),
                origin_as: update.origin_as.filter(|_| announce),
                as_path_text: (announce && update.has_path).then_some(update.path_text.as_str()),
                router_id: originator.as_deref().or(router.as_deref()),
                path_id: route.path_id,
                ..RoutingRoutes::default()
            });
        }
        whole
    }
}

fn notification(cx: &mut Cx<'_>, body: &[u8], about: About) -> Wire<()> {
    let mut wire = Reader::new(body);
    let (code, subcode) = (wire.u8()?, wire.u8()?);
    let error = match (error(code), cease(subcode)) {
        (Some("cease"), Some(why)) => Some(format!("cease/{why}")),
        (Some(what), _) => Some(what.to_owned()),
        (None, _) => None,
    };
    // RFC 9003 2: a length, and text in UTF-8.
    let mut text = None;
    if code == 6 && matches!(subcode, 2 | 4) && !wire.is_empty() {
        let length = wire.u8()?;
        text = wire.take(length.into()).ok().map(String::from_utf8_lossy).filter(|text| !text.is_empty());
    }
    let mut row = about.row();
    row.error_code = Some(code);
    row.error_subcode = Some(subcode);
    row.error = error.as_deref();
    row.shutdown_communication = text.as_deref();
    cx.emit(row);
    Ok(())
}

fn name(kind: u8) -> Option<&'static str> {
    [None, Some("open"), Some("update"), Some("notification"), Some("keepalive"), Some("route_refresh"), Some("capability")]
        .get(usize::from(kind))
        .copied()
        .flatten()
}

fn error(code: u8) -> Option<&'static str> {
    let names = ["message_header", "open_message", "update_message", "hold_timer_expired", "finite_state_machine", "cease", "route_refresh"];
    names.get(usize::from(code.checked_sub(1)?)).copied()
}

/// RFC 4486 and its successors.
fn cease(subcode: u8) -> Option<&'static str> {
    let names = [
        "maximum_prefixes",
        "administrative_shutdown",
        "peer_deconfigured",
        "administrative_reset",
        "connection_rejected",
        "other_configuration_change",
        "collision_resolution",
        "out_of_resources",
        "hard_reset",
        "bfd_down",
    ];
    names.get(usize::from(subcode.checked_sub(1)?)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        let mut bytes = vec![0xff; 16];
        bytes.extend([0, 19, 4]);
        assert_eq!(header(&bytes), Some((19, 4)));
        assert_eq!(header(&bytes[..18]), None);
        let late: Vec<u8> = [7, 0xff, 0xff].into_iter().chain(bytes.iter().copied()).collect();
        assert_eq!((next(&late), next(&late[..20])), (Some(3), None));
        bytes[17] = 18;
        assert_eq!(header(&bytes), None);
    }

    #[test]
    fn names_of_errors() {
        assert_eq!(
            (error(4), error(0), cease(2), cease(10), name(2)),
            (Some("hold_timer_expired"), None, Some("administrative_shutdown"), Some("bfd_down"), Some("update"))
        );
    }
}
