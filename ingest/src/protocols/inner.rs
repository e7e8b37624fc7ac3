//! A conversation inside another: the plaintext of an encrypted connection, or what a tunnel carries.
//!
//! It is identified, decoded and reported as a connection of its own would be, under the flow that carries it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::registry::PROTOCOLS;
use super::{Cx, Dir, MAX_PENDING, Offer, Progress, Protocol, StreamDissector, Verdict};

/// Conversations inside one another; what is deeper is not decoded.
const MAX_DEPTH: u8 = 4;
/// Conversations that follow one another, as through a chain of proxies.
const MAX_ANEW: u8 = 4;
/// Pieces that are offered to the probes before nobody is taken to know them.
const MAX_OFFERS: u8 = 8;
/// Bytes held for probes that ask for more.
const MAX_HELD: usize = 8 << 10;
/// Bytes that a dissector is told to have lost where their number is not known: more than any message has.
const LOST: u64 = 1 << 32;

enum App {
    /// Not known yet: what was offered.
    Unknown {
        offered: u8,
        held: Vec<Held>,
    },
    Stream(Box<dyn StreamDissector>),
    /// Nobody, or nobody any more.
    Nobody,
}

struct Held {
    dir: Dir,
    frame: u64,
    ts: i64,
    frames: u32,
    bytes: Vec<u8>,
}

/// The two byte streams of a conversation inside another.
pub struct Inner {
    app: App,
    service: Option<&'static str>,
    /// Protocols whose probes are asked first, as if their port were used.
    likely: Vec<&'static str>,
    /// Bytes of each direction that the dissector left, and the frames they came in.
    pending: [Vec<u8>; 2],
    spans: [u32; 2],
    last_frame: [u64; 2],
    ended: [bool; 2],
    /// Conversations begun anew, as behind a proxy.
    anew: u8,
    /// What carries it is encrypted.
    is_encrypted: bool,
}

impl Inner {
    /// A conversation that is probably one of `likely`.
    pub fn new(likely: Vec<&'static str>) -> Self {
        Self {
            app: App::Unknown { offered: 0, held: Vec::new() },
            service: None,
            likely,
            pending: Default::default(),
            spans: [0; 2],
            last_frame: [0; 2],
            ended: [false; 2],
            anew: 0,
            is_encrypted: true,
        }
    }

    /// A conversation that is carried in the clear, by whatever protocol it is.
    pub fn tunnelled() -> Self {
        Self { is_encrypted: false, ..Self::new(Vec::new()) }
    }

    /// A conversation of a protocol that is known, by its name.
    pub fn of(name: &'static str) -> Self {
        let mut inner = Self::new(vec![name]);
        if let Some(kind) = protocol(name).and_then(|protocol| protocol.stream.as_ref()) {
            inner.app = App::Stream((kind.start)());
            inner.service = Some(name);
        }
        inner
    }

    /// The protocol identified.
    pub fn service(&self) -> Option<&'static str> {
        self.service
    }

    /// Takes the next bytes of `cx.dir`.
    pub fn bytes(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.inside(cx, |inner, cx| inner.take(cx, bytes));
        }
    }

    /// Bytes of `cx.dir` are lost, nobody knows how many.
    pub fn gap(&mut self, cx: &mut Cx<'_>) {
        self.inside(cx, |inner, cx| {
            inner.pending[cx.dir.index()].clear();
            inner.spans[cx.dir.index()] = 0;
            match &mut inner.app {
                App::Stream(dissector) => {
                    if !dissector.gap(cx, LOST) {
                        inner.stop(cx);
                    }
                }
                App::Unknown { held, .. } => held.clear(),
                App::Nobody => {}
            }
        });
    }

    /// `cx.dir` ends; counts once.
    pub fn end(&mut self, cx: &mut Cx<'_>) {
        let index = cx.dir.index();
        if std::mem::replace(&mut self.ended[index], true) {
            return;
        }
        self.inside(cx, |inner, cx| {
            if let App::Stream(dissector) = &mut inner.app {
                let rest = std::mem::take(&mut inner.pending[index]);
                dissector.end(cx, &rest);
            }
        });
    }

    /// The conversation is over: rows still owed are written.
    pub fn close(&mut self, cx: &mut Cx<'_>) {
        self.inside(cx, Self::stop);
    }

    /// Runs a step one level deeper. Should the decoder fail, this conversation alone is given up.
    fn inside(&mut self, cx: &mut Cx<'_>, step: impl FnOnce(&mut Self, &mut Cx<'_>)) {
        let (depth, opened) = (cx.shared.depth, cx.shared.opened);
        let outer = (cx.frames_spanned, cx.frame, cx.ts);
        if depth >= MAX_DEPTH {
            return;
        }
        cx.shared.depth = depth + 1;
        cx.shared.opened = opened.saturating_add(self.is_encrypted.into());
        let outcome = catch_unwind(AssertUnwindSafe(|| step(self, cx)));
        (cx.shared.depth, cx.shared.opened) = (depth, opened);
        (cx.frames_spanned, cx.frame, cx.ts) = outer;
        if outcome.is_err() {
            cx.anomaly(self.service.unwrap_or("tls"), "decoder_fault", "the decoder failed on this message; the rest of the flow is not decoded");
            self.app = App::Nobody;
        }
    }

    fn take(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) {
        match &mut self.app {
            App::Unknown { offered, held } => {
                *offered = offered.saturating_add(1);
                held.push(Held { dir: cx.dir, frame: cx.frame, ts: cx.ts, frames: cx.frames_spanned, bytes: bytes.to_vec() });
                let size: usize = held.iter().map(|held| held.bytes.len()).sum();
                let last = size > MAX_HELD || *offered >= MAX_OFFERS;
                self.identify(cx, last);
            }
            App::Stream(_) => self.feed(cx, bytes),
            App::Nobody => {}
        }
    }

    /// Asks the probes about the bytes held; once one knows them, they are decoded.
    fn identify(&mut self, cx: &mut Cx<'_>, last: bool) {
        let App::Unknown { held, .. } = &self.app else { return };
        let mut joined: [Vec<u8>; 2] = Default::default();
        for piece in held {
            joined[piece.dir.index()].extend_from_slice(&piece.bytes);
        }
        let mut offer = Offer {
            bytes: [&joined[0], &joined[1]],
            dir: cx.dir,
            ports: [cx.ends[0].port, cx.ends[1].port],
            usual_port: true,
            src: cx.ends[cx.dir.index()].ip,
            dst: cx.ends[cx.dir.reverse().index()].ip,
        };
        let mut undecided = false;
        let mut asked = |protocol: &'static Protocol, usual_port: bool| {
            offer.usual_port = usual_port;
            let verdict = (protocol.stream.as_ref()?.probe)(&offer);
            undecided |= verdict == Verdict::More;
            (verdict == Verdict::Yes).then_some(protocol)
        };
        let mut likely = self.likely.iter().filter_map(|name| protocol(name));
        let found = likely
            .find_map(|protocol| asked(protocol, true))
            .or_else(|| PROTOCOLS.iter().filter(|protocol| !self.likely.contains(&protocol.name)).find_map(|protocol| asked(protocol, false)));
        match found.and_then(|protocol| Some((protocol, protocol.stream.as_ref()?))) {
            Some((protocol, kind)) => {
                self.service = Some(protocol.name);
                let App::Unknown { held, .. } = std::mem::replace(&mut self.app, App::Stream((kind.start)())) else { return };
                let now = (cx.dir, cx.frame, cx.ts, cx.frames_spanned);
                let packet = cx.packet;
                for piece in held {
                    if (piece.frame, piece.ts) != (now.1, now.2) {
                        cx.packet = None;
                    }
                    (cx.dir, cx.frame, cx.ts, cx.frames_spanned) = (piece.dir, piece.frame, piece.ts, piece.frames);
                    self.take(cx, &piece.bytes);
                    cx.packet = packet;
                }
                (cx.dir, cx.frame, cx.ts, cx.frames_spanned) = now;
            }
            None if last || !undecided => self.app = App::Nobody,
            None => {}
        }
    }

    /// Gives new bytes, and those left before, to the dissector until it takes no more.
    fn feed(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) {
        let index = cx.dir.index();
        let mut pending = std::mem::take(&mut self.pending[index]);
        // Several records may come in one frame.
        if std::mem::replace(&mut self.last_frame[index], cx.frame) != cx.frame || self.spans[index] == 0 {
            self.spans[index] = self.spans[index].saturating_add(cx.frames_spanned.max(1));
        }
        pending.extend_from_slice(bytes);
        let mut done = 0usize;
        while let Some(rest) = pending.get(done..).filter(|rest| !rest.is_empty()) {
            let App::Stream(dissector) = &mut self.app else { break };
            cx.frames_spanned = self.spans[index];
            match dissector.data(cx, rest) {
                Progress::Consumed(0) => break,
                Progress::Consumed(count) => {
                    done = done.saturating_add(count).min(pending.len());
                    self.spans[index] = 1;
                }
                Progress::Handover(count, name) => {
                    done = done.saturating_add(count).min(pending.len());
                    self.hand_over(cx, name);
                    self.spans[index] = 1;
                }
                Progress::Anew(count) => {
                    let rest = pending.split_off(done.saturating_add(count).min(pending.len()));
                    self.begin_anew(cx, &rest);
                    return;
                }
                Progress::Stop => {
                    self.stop(cx);
                    return;
                }
            }
        }
        pending.drain(..done);
        if pending.len() > MAX_PENDING {
            let detail = "a message is longer than the decoder holds; the rest of the flow is not decoded";
            cx.anomaly(self.service.unwrap_or("tls"), "limit_reached", detail);
            self.stop(cx);
            return;
        }
        if pending.is_empty() {
            self.spans[index] = 0;
        }
        if matches!(self.app, App::Stream(_)) {
            self.pending[index] = pending;
        }
    }

    /// What the conversation carries from here on is not known yet.
    fn begin_anew(&mut self, cx: &mut Cx<'_>, rest: &[u8]) {
        self.stop(cx);
        self.spans = [0; 2];
        if self.anew >= MAX_ANEW {
            return;
        }
        self.anew += 1;
        self.app = App::Unknown { offered: 0, held: Vec::new() };
        if !rest.is_empty() {
            self.take(cx, rest);
        }
    }

    fn hand_over(&mut self, cx: &mut Cx<'_>, name: &'static str) {
        self.finish(cx);
        let Some((protocol, kind)) = protocol(name).and_then(|protocol| Some((protocol, protocol.stream.as_ref()?))) else { return };
        let mut dissector = (kind.start)();
        if let Some(by) = self.service.replace(protocol.name) {
            dissector.handed_over(by);
        }
        self.app = App::Stream(dissector);
    }

    /// Lets the dissector write what it owes; nobody decodes the conversation then.
    fn finish(&mut self, cx: &mut Cx<'_>) {
        if let App::Stream(mut dissector) = std::mem::replace(&mut self.app, App::Nobody) {
            dissector.close(cx);
        }
    }

    /// The conversation is not decoded any further.
    fn stop(&mut self, cx: &mut Cx<'_>) {
        self.finish(cx);
        self.pending = Default::default();
    }
}

fn protocol(name: &str) -> Option<&'static Protocol> {
    PROTOCOLS.iter().copied().find(|protocol| protocol.name == name && protocol.stream.is_some())
}
