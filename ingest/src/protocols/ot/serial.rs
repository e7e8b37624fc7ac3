//! Serial lines as device servers carry them in TCP or UDP: frames one behind the other, and nothing of the carrier's that
//! tells where one starts. What all such protocols share: reading frame by frame, and finding the next one after octets that
//! are none.

use crate::protocols::{Cx, DatagramDissector, Outcome, Progress, StreamDissector};

/// What stands at the start of some bytes.
pub enum Found<F> {
    /// A frame, and the octets it takes.
    Frame(F, usize),
    /// The beginning of what may be one.
    Part,
    Nothing,
}

/// A protocol of serial lines.
pub trait SerialLine: Send {
    /// A frame of it, whose check was looked at.
    type Frame<'a>;
    /// Name, kind and text of the anomaly told where no frame starts.
    const LOST: (&'static str, &'static str, &'static str);
    /// Octets of a frame's start that are shorter than what [`Self::next`] looks for.
    const KEPT: usize = 0;

    fn find(bytes: &[u8]) -> Found<Self::Frame<'_>>;
    /// Octets to pass over to where the next frame may start; `None` if none starts in these.
    fn next(bytes: &[u8]) -> Option<usize>;
    fn frame(&mut self, cx: &mut Cx<'_>, frame: &Self::Frame<'_>);
    /// Octets of direction `cx.dir` are missing.
    fn gap(&mut self) {}
    /// The flow ends: rows still owed are written.
    fn close(&mut self, _cx: &mut Cx<'_>) {}
}

/// Reads a line out of a flow.
pub struct Serial<L> {
    line: L,
    /// Each direction: no frame since octets that were none, or since a gap.
    lost: [bool; 2],
}

impl<L> Serial<L> {
    pub fn new(line: L) -> Self {
        Self { line, lost: [false; 2] }
    }
}

impl<L: SerialLine> StreamDissector for Serial<L> {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let lost = &mut self.lost[cx.dir.index()];
        let mut used = 0;
        loop {
            let rest = bytes.get(used..).unwrap_or_default();
            match L::find(rest) {
                Found::Frame(frame, length) => {
                    *lost = false;
                    self.line.frame(cx, &frame);
                    used += length;
                }
                Found::Part => return Progress::Consumed(used),
                Found::Nothing => {
                    if !std::mem::replace(lost, true) {
                        let (name, kind, text) = L::LOST;
                        cx.anomaly(name, kind, text);
                    }
                    match L::next(rest) {
                        Some(octets) => used += octets,
                        None => return Progress::Consumed(bytes.len().saturating_sub(L::KEPT).max(used)),
                    }
                }
            }
        }
    }

    fn gap(&mut self, cx: &mut Cx<'_>, _missing: u64) -> bool {
        self.lost[cx.dir.index()] = true;
        self.line.gap();
        true
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.line.close(cx);
    }
}

impl<L: SerialLine> DatagramDissector for Serial<L> {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        let mut at = 0;
        while let Found::Frame(frame, length) = L::find(payload.get(at..).unwrap_or_default()) {
            self.line.frame(cx, &frame);
            at += length;
        }
        if at == 0 { Outcome::NotMine } else { Outcome::Decoded }
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.line.close(cx);
    }
}
