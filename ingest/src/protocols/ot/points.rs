//! What all industrial protocols have in common: points with values, and commands.
//!
//! A dissector fills in what its protocol says; the ends, the risk and the techniques are added here, so that they mean the
//! same for every protocol.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use pcapper_schema::tables::{OtCommands, ProcessValues};
use pcapper_schema::{Common, Mac};
use rustc_hash::FxHashMap;

use crate::protocols::{Cx, Shared};

/// Most points of one message that become commands of their own; more are told as one.
pub const MAX_COMMANDS: usize = 16;
/// Addresses whose text is kept.
const MAX_NAMES: usize = 1 << 16;

/// Which end of a row owns the point.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owner {
    Source,
    Destination,
}

/// Texts of addresses, made once.
#[derive(Default)]
struct Names {
    ips: FxHashMap<IpAddr, Arc<str>>,
    macs: FxHashMap<Mac, Arc<str>>,
}

fn name(shared: &mut Shared, ip: Option<IpAddr>, mac: Option<Mac>) -> Option<Arc<str>> {
    fn text<K: std::hash::Hash + Eq + ToString>(known: &mut FxHashMap<K, Arc<str>>, key: K) -> Arc<str> {
        if let Some(text) = known.get(&key) {
            return Arc::clone(text);
        }
        if known.len() >= MAX_NAMES {
            known.clear();
        }
        let text: Arc<str> = key.to_string().into();
        known.insert(key, Arc::clone(&text));
        text
    }
    let names = shared.get::<Names>();
    match (ip, mac) {
        (Some(ip), _) => Some(text(&mut names.ips, ip)),
        (None, Some(mac)) => Some(text(&mut names.macs, mac)),
        (None, None) => None,
    }
}

/// Names of the ends of a row: source, destination.
fn ends(shared: &mut Shared, common: &Common) -> [Option<Arc<str>>; 2] {
    [name(shared, common.src_ip, common.src_mac), name(shared, common.dst_ip, common.dst_mac)]
}

/// Writes a value; `row` holds all but the ends and the frame.
pub fn value(cx: &mut Cx<'_>, common: &Common, owner: Owner, row: ProcessValues<'_>) {
    let [source, destination] = ends(cx.shared, common);
    let (device, actor) = match owner {
        Owner::Source => (source, destination),
        Owner::Destination => (destination, source),
    };
    let is_command = matches!(row.direction, Some("write" | "select"));
    cx.emit_as(
        common,
        ProcessValues {
            record_frame: Some(common.frame),
            device: device.as_deref(),
            actor: actor.as_deref(),
            is_command: Some(is_command),
            confidence: row.confidence.or(Some("high")),
            ..row
        },
    );
}

/// Writes a command, whose actor is the source of `common`; `row` holds all but ends, frame, risk and techniques.
/// `could_authenticate`: the protocol knows authentication, and this command came without.
pub fn command(cx: &mut Cx<'_>, common: &Common, could_authenticate: bool, row: OtCommands<'_>) {
    let [actor, target] = ends(cx.shared, common);
    let class = row.class.unwrap_or_default();
    let mut score = weight(class);
    let mut reasons: Vec<Cow<'_, str>> = Vec::new();
    if score > 0 {
        for (holds, reason) in [
            (common.src_ip.is_some_and(is_public) || common.dst_ip.is_some_and(is_public), "public_peer"),
            (row.is_broadcast == Some(true), "broadcast"),
            (could_authenticate, "unauthenticated"),
        ] {
            if holds {
                score += 1;
                reasons.push(Cow::Borrowed(reason));
            }
        }
        if matches!(class, "download" | "delete") {
            reasons.push(Cow::Borrowed("program_change"));
        }
        if matches!(class, "start" | "stop" | "restart" | "mode_change") {
            reasons.push(Cow::Borrowed("cpu_state"));
        }
        if row.outcome == Some("refused") {
            score -= 1;
        }
    }
    let risk = match score {
        4.. => "critical",
        3 => "high",
        2 => "medium",
        1 => "low",
        _ => "none",
    };
    let techniques: Vec<Cow<'_, str>> = techniques(class).iter().map(|technique| Cow::Borrowed(*technique)).collect();
    cx.emit_as(
        common,
        OtCommands {
            record_frame: Some(common.frame),
            actor: actor.as_deref(),
            target: target.as_deref(),
            risk: Some(risk),
            risk_reasons: (!reasons.is_empty()).then_some(&reasons),
            techniques: (!techniques.is_empty()).then_some(&techniques),
            confidence: row.confidence.or(Some("high")),
            ..row
        },
    );
}

/// Milliseconds between two times.
pub fn milliseconds(from: Option<i64>, to: Option<i64>) -> Option<f64> {
    #[allow(clippy::cast_precision_loss)]
    from.zip(to).map(|(from, to)| to.saturating_sub(from) as f64 / 1e6)
}

/// The same row seen from the other end.
pub fn turned(common: &Common) -> Common {
    Common {
        src_ip: common.dst_ip,
        dst_ip: common.src_ip,
        src_port: common.dst_port,
        dst_port: common.src_port,
        src_mac: common.dst_mac,
        dst_mac: common.src_mac,
        ..*common
    }
}

/// How much a class of commands weighs, before anything is known of who and whom.
fn weight(class: &str) -> i32 {
    match class {
        "stop" | "download" | "firmware" | "mode_change" | "restart" => 3,
        "operate" | "force" | "delete" | "time_set" | "setpoint" | "config" => 2,
        "write" | "select" | "upload" | "auth" | "comm_control" => 1,
        _ => 0,
    }
}

/// Techniques of ATT&CK for ICS that a class of commands can serve.
fn techniques(class: &str) -> &'static [&'static str] {
    match class {
        "stop" | "start" | "mode_change" => &["T0858"],
        "download" => &["T0843", "T0889"],
        "upload" => &["T0845"],
        "write" | "setpoint" | "force" => &["T0836", "T0831"],
        "operate" => &["T0855"],
        "time_set" => &["T0836"],
        "restart" => &["T0816"],
        "comm_control" => &["T0804", "T0814"],
        "delete" => &["T0809"],
        "auth" => &["T0859"],
        "config" => &["T0889"],
        "firmware" => &["T0857"],
        "discovery" => &["T0846", "T0888"],
        _ => &[],
    }
}

/// Reachable over the internet, by the IANA special-purpose registries (RFC 6890).
fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            !(ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_documentation()
                || matches!((a, b, c), (0 | 224.., _, _) | (100, 64..=127, _) | (198, 18..=19, _) | (192, 0, 0)))
        }
        IpAddr::V6(ip) => is_public6(ip),
    }
}

fn is_public6(ip: Ipv6Addr) -> bool {
    let [first, second, ..] = ip.segments();
    match (first, second) {
        (0x2001, 0x0db8 | 0x0002) | (0x3fff, 0..=0x0fff) => false,
        (0x2000..=0x3fff, _) | (0x0064, 0xff9b) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_internet_is_public() {
        for (ip, public) in
            [("8.8.8.8", true), ("10.0.0.1", false), ("100.64.0.1", false), ("255.255.255.255", false), ("2a00::1", true), ("fe80::1", false)]
        {
            assert_eq!(is_public(ip.parse().unwrap()), public, "{ip}");
        }
    }

    #[test]
    fn classes_have_weight() {
        assert_eq!(weight("stop"), 3);
        assert_eq!(weight("discovery"), 0);
        assert_eq!(techniques("operate"), ["T0855"]);
    }
}
