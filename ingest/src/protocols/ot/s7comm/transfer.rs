//! Blocks on their way into a controller and out of it, hashed as files.
//!
//! In a download the controller asks for each part (job 0x1B), and the engineering station's answers carry it; in an upload the
//! station asks (0x1E).

use super::names;
use super::pdu::{self, Control, Pdu};
use crate::protocols::Cx;
use crate::protocols::files::{About, Follower};

/// A block on its way.
struct Transfer {
    follower: Follower,
    filename: String,
    length: Option<u64>,
    is_download: bool,
}

/// Transfers of one connection: one each way at a time.
#[derive(Default)]
pub struct Transfers {
    current: Option<Transfer>,
    /// Name in the request for an upload whose answer is awaited.
    asked: Option<String>,
}

impl Transfers {
    /// Takes a job.
    pub fn job(&mut self, cx: &mut Cx<'_>, pdu: &Pdu<'_>, control: &Control<'_>) {
        let name = control.filename.map(|name| String::from_utf8_lossy(name).into_owned());
        match (pdu.function(), name) {
            (Some(names::REQUEST_DOWNLOAD), Some(filename)) => {
                self.close(cx);
                let length = control.load_length.map(u64::from);
                self.current = Some(Transfer { follower: Follower::default(), filename, length, is_download: true });
            }
            (Some(names::START_UPLOAD), name) => self.asked = name,
            _ => {}
        }
    }

    /// Takes an answer with its request.
    pub fn answer(&mut self, cx: &mut Cx<'_>, request: &Pdu<'_>, answer: &Pdu<'_>, control: &Control<'_>) {
        match request.function() {
            Some(names::REQUEST_DOWNLOAD) if !answer.is_ok() => self.current = None,
            Some(names::START_UPLOAD) if answer.is_ok() => {
                let Some(filename) = self.asked.take() else { return };
                self.close(cx);
                let length = control.load_length.map(u64::from);
                self.current = Some(Transfer { follower: Follower::default(), filename, length, is_download: false });
            }
            Some(function @ (names::DOWNLOAD_BLOCK | names::UPLOAD)) if answer.is_ok() => {
                let Some(transfer) = &mut self.current else { return };
                if transfer.is_download == (function == names::DOWNLOAD_BLOCK) {
                    // Length, 00 FB, content.
                    let (length, rest) =
                        answer.data.split_first_chunk::<2>().map_or((0, &[][..]), |(length, rest)| (u16::from_be_bytes(*length), rest));
                    let content = rest.get(2..).unwrap_or_default();
                    transfer.follower.push(content.get(..usize::from(length)).unwrap_or(content));
                }
            }
            Some(names::DOWNLOAD_ENDED | names::END_UPLOAD) => self.finish(cx, answer.is_ok()),
            _ => {}
        }
    }

    /// Bytes are lost.
    pub fn lose(&mut self) {
        if let Some(transfer) = &mut self.current {
            transfer.follower.lose();
        }
    }

    /// The connection ends, or another block begins.
    pub fn close(&mut self, cx: &mut Cx<'_>) {
        self.finish(cx, false);
    }

    fn finish(&mut self, cx: &mut Cx<'_>, ended: bool) {
        let Some(transfer) = self.current.take().filter(|transfer| transfer.follower.bytes() > 0) else { return };
        let block = pdu::block(transfer.filename.as_bytes().get(1..).unwrap_or_default()).map(|block| block.name());
        let name = block.map_or_else(|| transfer.filename.clone(), |block| format!("{block} ({})", transfer.filename));
        // The controller ends both kinds of transfer: a download by its job, an upload by its answer.
        let station = if transfer.is_download { cx.dir } else { cx.dir.reverse() };
        let sender = if transfer.is_download { station } else { station.reverse() };
        let common = cx.common(sender);
        let about = About { source: "s7comm", filename: Some(&name), total_bytes: transfer.length, ..About::default() };
        transfer.follower.finish_as(cx, &common, if transfer.is_download { "upload" } else { "download" }, about, ended);
    }
}
