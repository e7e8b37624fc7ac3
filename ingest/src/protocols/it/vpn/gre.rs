//! GRE (RFC 2784, 2890; RFC 8086 in UDP; RFC 2637 of PPTP), and ERSPAN on it. What it carries is followed by
//! [`crate::packet`]; here the packets between two ends are counted.

use std::net::IpAddr;

use pcapper_schema::tables::Vpn;
use rustc_hash::FxHashMap;

use super::Tally;
use super::pptp::PPP;
use crate::packet::{Gre, Packet};
use crate::protocols::{Cx, Dir};

/// Tunnels of one worker that are counted.
const MAX_TUNNELS: usize = 4096;

/// Two ends, the lower address first; version; key; and what is carried.
type Ends = (IpAddr, IpAddr, u8, Option<u32>, u16);

struct Tunnel {
    /// Who sent the first packet.
    initiator: IpAddr,
    over_udp: bool,
    /// Addresses in the first packet that was followed.
    inner: Option<(IpAddr, IpAddr)>,
    tally: Tally,
}

/// The tunnels seen so far.
#[derive(Default)]
struct Tunnels {
    known: FxHashMap<Ends, Tunnel>,
    is_full: bool,
}

/// Counts a packet; `cx` has the ends of the tunnel as its own.
pub fn packet(cx: &mut Cx<'_>, gre: &Gre, packet: &Packet<'_>) {
    let ends = (gre.src.min(gre.dst), gre.src.max(gre.dst), gre.version, gre.key, gre.protocol);
    let mut tunnels = std::mem::take(cx.shared.get::<Tunnels>());
    if tunnels.known.len() < MAX_TUNNELS || tunnels.known.contains_key(&ends) {
        let new = || Tunnel { initiator: gre.src, over_udp: gre.over_udp, inner: None, tally: Tally::default() };
        let tunnel = tunnels.known.entry(ends).or_insert_with(new);
        let innermost = packet.ip.map(|ip| (ip.src, ip.dst)).filter(|inner| *inner != (gre.src, gre.dst));
        tunnel.inner = tunnel.inner.or(innermost);
        cx.dir = if gre.src == tunnel.initiator { Dir::Orig } else { Dir::Resp };
        if cx.dir == Dir::Resp {
            cx.ends.reverse();
        }
        tunnel.tally.packet(cx, gre.length as usize, false);
    } else if !std::mem::replace(&mut tunnels.is_full, true) {
        cx.anomaly("gre", "limit_reached", "more than 4096 tunnels: further ones are not counted");
    }
    *cx.shared.get::<Tunnels>() = tunnels;
}

/// What was counted between the two ends of a PPTP call, whose row its dissector writes.
pub(super) fn take_call(cx: &mut Cx<'_>) -> Option<Tally> {
    let [orig, resp] = [cx.ends[0].ip?, cx.ends[1].ip?];
    let ends = (orig.min(resp), orig.max(resp), 1, None, PPP);
    let tunnel = cx.shared.get::<Tunnels>().known.remove(&ends)?;
    let mut tally = tunnel.tally;
    if tunnel.initiator != orig {
        tally.bytes.reverse();
    }
    Some(tally)
}

/// The capture ends: writes a row a tunnel, in order of their first frames.
pub fn close(cx: &mut Cx<'_>) {
    let mut tunnels: Vec<(Ends, Tunnel)> = std::mem::take(cx.shared.get::<Tunnels>()).known.into_iter().collect();
    tunnels.sort_by_key(|(_, tunnel)| tunnel.tally.common.map(|common| common.frame));
    for ((_, _, version, key, protocol), tunnel) in tunnels {
        let (inner_src, inner_dst) = tunnel.inner.unzip();
        tunnel.tally.emit(
            cx,
            Vpn {
                kind: Some(if matches!(protocol, 0x88be | 0x22eb) { "erspan" } else { "gre" }),
                version: Some(if version == 1 { "1" } else { "0" }),
                encapsulation: Some(if tunnel.over_udp { "udp_other" } else { "native" }),
                gre_key: key,
                gre_protocol: Some(protocol),
                inner_protocol: carried(protocol),
                inner_src_ip: inner_src,
                inner_dst_ip: inner_dst,
                ..Vpn::default()
            },
        );
    }
}

/// What is carried, by its EtherType.
fn carried(protocol: u16) -> Option<&'static str> {
    Some(match protocol {
        0x0800 => "ipv4",
        0x86dd => "ipv6",
        // Transparent bridging, and mirrored frames.
        0x6558 | 0x88be | 0x22eb => "ethernet",
        0x8847 | 0x8848 => "mpls",
        PPP => "ppp",
        0x883e => "wccp",
        0x2001 => "nhrp",
        0x00fe => "osi",
        _ => return None,
    })
}
