//! Tunnels: IPsec with its key exchange, WireGuard, OpenVPN, L2TP, PPTP and GRE. One row of `vpn` a session.

mod esp;
mod gre;
mod ike;
mod l2tp;
mod openvpn;
mod ppp;
mod pptp;
mod wireguard;

use pcapper_schema::Common;
use pcapper_schema::tables::Vpn;

use crate::protocols::{Cx, Dir};

pub use esp::PROTOCOL as ESP;
pub use gre::{close as gre_close, packet as gre_packet};
pub use ike::PROTOCOL as IKE;
pub use l2tp::{PROTOCOL as L2TP, VERSION_3 as L2TPV3};
pub use openvpn::PROTOCOL as OPENVPN;
pub use pptp::{DATA as PPTP_DATA, PROTOCOL as PPTP};
pub use wireguard::PROTOCOL as WIREGUARD;

/// What every session counts.
#[derive(Default)]
struct Tally {
    /// Shared cells of its first packet, or of the last of its set-up.
    common: Option<Common>,
    packets: u64,
    bytes: [u64; 2],
    end_ts: i64,
}

impl Tally {
    /// Counts a packet of the session. A packet of its set-up gives the row its frame.
    fn packet(&mut self, cx: &Cx<'_>, bytes: usize, is_setup: bool) {
        if is_setup || self.common.is_none() {
            self.common = Some(cx.common(Dir::Orig));
        }
        self.packets += 1;
        let [orig, resp] = &mut self.bytes;
        let side = if cx.dir == Dir::Orig { orig } else { resp };
        *side = side.saturating_add(bytes as u64);
        self.end_ts = self.end_ts.max(cx.ts);
    }

    /// Both ends spoke.
    fn both(&self) -> bool {
        self.bytes.iter().all(|&bytes| bytes > 0)
    }

    /// Writes the session's row; `row` holds all but the counts.
    fn emit(&self, cx: &mut Cx<'_>, row: Vpn<'_>) {
        let Some(common) = self.common else { return };
        let [orig, resp] = self.bytes;
        cx.emit_as(
            &common,
            Vpn {
                packets: Some(self.packets),
                orig_bytes: Some(orig),
                resp_bytes: Some(resp),
                end_ts: Some(self.end_ts),
                confirmed: row.confirmed.or(Some(self.both())),
                ..row
            },
        );
    }
}

/// Remembers a value once, up to `most` of them.
fn note<T: PartialEq>(list: &mut Vec<T>, value: T, most: usize) {
    if list.len() < most && !list.contains(&value) {
        list.push(value);
    }
}
