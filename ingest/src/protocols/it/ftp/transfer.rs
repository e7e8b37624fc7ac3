//! Data connections: announced by the control connection, recognised by their address, written once both are done.

use std::net::IpAddr;

use pcapper_schema::Common;
use pcapper_schema::tables::FtpTransfers;
use rustc_hash::FxHashMap;

use super::lines::Reply;
use super::transfers;
use crate::protocols::expectations::Expectations;
use crate::protocols::files::{About, Follower};
use crate::protocols::it::mime;
use crate::protocols::{Cx, Dir, Group, Progress, Protocol, StreamDissector, StreamKind, Verdict};

/// Data connections are found by what a control connection announced, never by content.
pub static PROTOCOL: Protocol = Protocol {
    name: "ftp-data",
    group: Group::It,
    stream: Some(StreamKind { probe: |_| Verdict::No, start: || Box::<Data>::default() }),
    ..Protocol::NONE
};

/// Transfers under way in one worker.
const MAX_TRANSFERS: usize = 4096;

type End = (IpAddr, u16);

/// Transfers under way, by the end that listens.
#[derive(Default)]
pub struct Transfers(FxHashMap<End, Transfer>);

/// One transfer.
#[derive(Default)]
struct Transfer {
    /// The client's cells, of the control connection.
    common: Common,
    passive: bool,
    command: Option<String>,
    arg: Option<String>,
    path: Option<String>,
    user: Option<String>,
    ascii: Option<bool>,
    restart: Option<u64>,
    announced: Option<u64>,
    /// Of the data connection: who opened it, and its flow.
    opener: Option<IpAddr>,
    data_flow: Option<u64>,
    /// Cells of the last frame with data, and when the first came.
    last: Option<Common>,
    first_ts: Option<i64>,
    content: Option<Follower>,
    ended: bool,
    reply: Option<(u16, String)>,
}

impl Transfer {
    /// Writes the rows.
    fn emit(self, cx: &mut Cx<'_>, listener: End) {
        let Some(command) = self.command.as_deref() else { return };
        let is_file = matches!(command, "RETR" | "STOR" | "STOU" | "APPE");
        let upload = matches!(command, "STOR" | "STOU" | "APPE");
        let size = self.content.as_ref().map_or(0, Follower::bytes);
        let kind = self.content.as_ref().and_then(|content| mime::sniff(content.first_bytes())).map(str::to_owned);
        let at = self.last.unwrap_or(self.common);
        let mut sha256 = None;
        if is_file && let (Some(content), Some(data)) = (self.content, self.last) {
            let whole = self.ended && !matches!(self.reply, Some((400.., _)));
            sha256 = content.sha256(whole);
            let total = self.announced.filter(|_| self.restart.is_none() && self.ascii != Some(true));
            let about = About { source: "ftp-data", filename: self.arg.as_deref(), total_bytes: total, ..About::default() };
            content.finish_as(cx, &data, if upload { "upload" } else { "download" }, about, whole);
        }
        let seconds = self.first_ts.zip(at.ts).map(|(from, to)| to.saturating_sub(from) as f64 / 1e9);
        let (code, text) = self.reply.unzip();
        let opener = self.opener;
        cx.emit_as(
            &Common { frame: at.frame, ts: at.ts, ..self.common },
            FtpTransfers {
                data_flow_id: self.data_flow,
                command: Some(command),
                arg: self.arg.as_deref(),
                path: self.path.as_deref(),
                user: self.user.as_deref(),
                passive: Some(self.passive),
                data_src_ip: opener,
                data_dst_ip: Some(listener.0),
                data_dst_port: Some(listener.1),
                direction: Some(if !is_file {
                    "listing"
                } else if upload {
                    "upload"
                } else {
                    "download"
                }),
                size_bytes: Some(size),
                announced_bytes: self.announced,
                transfer_type: self.ascii.map(|ascii| if ascii { "ascii" } else { "image" }),
                restart_offset: self.restart,
                reply_code: code,
                reply_msg: text.as_deref(),
                duration_s: seconds.filter(|_| size > 0),
                mime: kind.as_deref(),
                sha256: sha256.as_deref(),
                tls: Some(false),
            },
        );
    }
}

/// What a control connection set up last.
#[derive(Default)]
pub struct Setup {
    listener: Option<End>,
    ascii: Option<bool>,
    restart: Option<u64>,
    /// Size that the server or client told of a name.
    sized: Option<(String, u64)>,
}

impl Setup {
    /// A data connection to `end` is announced.
    pub fn announce(&mut self, cx: &mut Cx<'_>, end: End, passive: bool) {
        self.abandon(cx);
        let client = if passive { cx.dir.reverse() } else { cx.dir };
        let (common, now) = (cx.common(client), cx.ts);
        let known = transfers(cx);
        if known.0.len() >= MAX_TRANSFERS {
            return;
        }
        known.0.insert(end, Transfer { common, passive, ..Transfer::default() });
        cx.shared.get::<Expectations>().expect(end, PROTOCOL.name, now);
        self.listener = Some(end);
    }

    /// The client asks for something.
    pub fn command(&mut self, cx: &mut Cx<'_>, command: &str, arg: Option<&str>, path: Option<String>, user: Option<&str>) {
        match command {
            "TYPE" => self.ascii = arg.map(|arg| arg.starts_with(['A', 'a'])),
            "REST" => self.restart = arg.and_then(|arg| arg.trim().parse().ok()),
            "ALLO" => self.sized = arg.and_then(|arg| arg.trim().parse().ok()).map(|size| (String::new(), size)),
            "RETR" | "STOR" | "STOU" | "APPE" | "LIST" | "NLST" | "MLSD" => {
                let listener = self.listener;
                let common = cx.common(cx.dir);
                let announced = self.sized.take().filter(|(name, _)| name.is_empty() || Some(name.as_str()) == arg).map(|(_, size)| size);
                let (ascii, restart) = (self.ascii, self.restart.take());
                if let Some(transfer) = listener.and_then(|listener| transfers(cx).0.get_mut(&listener)) {
                    transfer.common = common;
                    transfer.command = Some(command.to_owned());
                    transfer.arg = arg.map(str::to_owned);
                    transfer.path = path;
                    transfer.user = user.map(str::to_owned);
                    transfer.ascii = ascii;
                    transfer.restart = restart.filter(|&offset| offset > 0);
                    transfer.announced = announced;
                }
            }
            _ => {}
        }
    }

    /// The server answers.
    pub fn reply(&mut self, cx: &mut Cx<'_>, command: Option<&str>, arg: Option<&str>, reply: &Reply) {
        match (command, reply.code) {
            (Some("SIZE"), 213) => self.sized = arg.map(str::to_owned).zip(reply.text.trim().parse().ok()),
            (Some("RETR" | "STOR" | "STOU" | "APPE" | "LIST" | "NLST" | "MLSD"), code) => {
                let Some(listener) = self.listener else { return };
                let Some(transfer) = transfers(cx).0.get_mut(&listener) else { return };
                if code < 200 {
                    transfer.announced = transfer.announced.or(size_in(&reply.text));
                    return;
                }
                transfer.reply = Some((code, reply.text.clone()));
                // A refused transfer has no data connection to wait for.
                if transfer.ended || code >= 400 {
                    complete(cx, listener);
                }
            }
            _ => {}
        }
    }

    /// The last announcement is over.
    pub fn abandon(&mut self, cx: &mut Cx<'_>) {
        if let Some(listener) = self.listener.take() {
            complete(cx, listener);
        }
    }
}

/// `(39 bytes)` in a 150 reply.
fn size_in(text: &str) -> Option<u64> {
    let (before, _) = text.rsplit_once(" bytes")?;
    let digits = before.rsplit(|letter: char| !letter.is_ascii_digit()).next()?;
    digits.parse().ok()
}

fn complete(cx: &mut Cx<'_>, listener: End) {
    if let Some(transfer) = transfers(cx).0.remove(&listener) {
        transfer.emit(cx, listener);
    }
}

/// One data connection.
#[derive(Default)]
struct Data;

impl Data {
    /// Calls for the transfer this connection belongs to.
    fn with(cx: &mut Cx<'_>, each: impl FnOnce(&mut Transfer, Common)) -> Option<End> {
        // The listening end is the responder; a capture that starts midway cannot be here.
        let listener = cx.ends[1].ip.zip(cx.ends[1].port)?;
        let (common, opener, flow) = (cx.common(cx.dir), cx.ends[0].ip, cx.flow_id);
        let transfer = transfers(cx).0.get_mut(&listener)?;
        transfer.opener = opener;
        transfer.data_flow = flow;
        each(transfer, common);
        Some(listener)
    }
}

impl StreamDissector for Data {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        Self::with(cx, |transfer, common| {
            transfer.first_ts = transfer.first_ts.or(common.ts);
            transfer.last = Some(common);
            transfer.content.get_or_insert_default().push(bytes);
        });
        Progress::Consumed(bytes.len())
    }

    fn gap(&mut self, cx: &mut Cx<'_>, _missing: u64) -> bool {
        Self::with(cx, |transfer, _| transfer.content.get_or_insert_default().lose());
        true
    }

    fn end(&mut self, cx: &mut Cx<'_>, _rest: &[u8]) {
        let dir = cx.dir;
        let mut ready = false;
        let listener = Self::with(cx, |transfer, common| {
            // Only the end of who sent the data counts.
            let sends = transfer.last.is_none_or(|last| last.src_ip == common.src_ip && last.src_port == common.src_port);
            transfer.ended |= sends;
            ready = transfer.ended && transfer.reply.is_some();
        });
        if ready && let Some(listener) = listener {
            cx.dir = Dir::Orig;
            complete(cx, listener);
            cx.dir = dir;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_in_replies() {
        assert_eq!(size_in("Opening BINARY mode data connection for a.txt (39 bytes)."), Some(39));
        assert_eq!(size_in("Opening data connection"), None);
    }
}
