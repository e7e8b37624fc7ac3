//! ProConOS, KW-Software's runtime for controllers (Phoenix Contact and others). Only the exchange that identifies a controller
//! is public (by a script of nmap): it is read, all else is counted by what one side sends before the other speaks.

use pcapper_schema::tables::Proconos;

use crate::protocols::{Cx, Dir, Group, Offer, Progress, Protocol, StreamDissector, StreamKind, Verdict};

/// ProConOS on any port; 20547 is its own.
pub static PROTOCOL: Protocol = Protocol {
    name: "proconos",
    group: Group::Ot,
    ports: &[20547],
    stream: Some(StreamKind { probe, start: || Box::<Session>::default() }),
    ..Protocol::NONE
};

const MARK: u8 = 0xcc;
/// The request for a controller's identity.
const IDENTIFY: [u8; 10] = [MARK, 0x01, 0x00, 0x0b, 0x40, 0x02, 0x00, 0x00, 0x47, 0xee];
/// Octets of a message that are kept, and places of the texts in an identity.
const KEPT: usize = 1024;
const RUNTIME: usize = 12;
const TYPE: usize = 44;
const PROJECT: usize = 77;

fn probe(offer: &Offer<'_>) -> Verdict {
    let [a, b] = offer.bytes;
    if a.starts_with(&IDENTIFY) || b.starts_with(&IDENTIFY) {
        return Verdict::Yes;
    }
    let is_marked = |bytes: &[u8]| matches!(bytes, [MARK, 1, ..]);
    match (offer.usual_port, a, b) {
        (true, a, [MARK, ..]) if is_marked(a) => Verdict::Yes,
        (true, [MARK, ..], b) if is_marked(b) => Verdict::Yes,
        _ => {
            let may_be = |bytes: &[u8]| if offer.usual_port { bytes.first().is_none_or(|mark| *mark == MARK) } else { IDENTIFY.starts_with(bytes) };
            if may_be(a) && may_be(b) { Verdict::More } else { Verdict::No }
        }
    }
}

/// What one side sent since the other spoke.
#[derive(Default)]
struct Session {
    dir: Option<Dir>,
    kept: Vec<u8>,
    length: usize,
    /// The last request asked for the identity.
    asked: bool,
}

/// Text at an offset up to its NUL.
fn text(message: &[u8], at: usize) -> Option<&str> {
    let text = message.get(at..)?.split(|octet| *octet == 0).next()?;
    let text = std::str::from_utf8(text).ok()?.trim();
    (!text.is_empty() && text.chars().all(|character| !character.is_control())).then_some(text)
}

/// The texts that follow one at an offset, without those that are empty.
fn following(message: &[u8], at: usize) -> impl Iterator<Item = &str> {
    let parts = message.get(at..).unwrap_or_default().split(|octet| *octet == 0).skip(1);
    parts.filter_map(|part| std::str::from_utf8(part).ok()).filter(|part| !part.is_empty() && part.chars().all(|character| !character.is_control()))
}

impl Session {
    fn flush(&mut self, cx: &mut Cx<'_>) {
        let Some(dir) = self.dir.take().filter(|_| self.length > 0) else { return };
        let kept = std::mem::take(&mut self.kept);
        let length = std::mem::take(&mut self.length);
        let is_identify = kept == IDENTIFY;
        let is_identity = self.asked && kept.first() == Some(&MARK) && dir == Dir::Resp;
        self.asked = is_identify;
        let at = |offset| text(&kept, offset).filter(|_| is_identity);
        let mut others = following(&kept, PROJECT).filter(|_| is_identity);
        let common = cx.common(dir);
        cx.emit_as(
            &common,
            Proconos {
                is_orig: Some(dir == Dir::Orig),
                confidence: Some("signature"),
                command_code: kept.get(1).copied(),
                command: (is_identify || is_identity).then_some("identify"),
                runtime: at(RUNTIME),
                plc_type: at(TYPE),
                project_name: at(PROJECT),
                boot_project: others.next(),
                project_source: others.next(),
                payload_len: u32::try_from(length).ok(),
            },
        );
    }
}

impl StreamDissector for Session {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        if self.dir != Some(cx.dir) {
            self.flush(cx);
            self.dir = Some(cx.dir);
        }
        let room = KEPT.saturating_sub(self.kept.len()).min(bytes.len());
        self.kept.extend_from_slice(bytes.get(..room).unwrap_or_default());
        self.length = self.length.saturating_add(bytes.len());
        Progress::Consumed(bytes.len())
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.flush(cx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_is_exact() {
        let verdict = |bytes: [&[u8]; 2], usual_port| probe(&Offer { bytes, dir: Dir::Orig, ports: [None, None], usual_port, src: None, dst: None });
        assert_eq!(verdict([&IDENTIFY, &[]], false), Verdict::Yes);
        assert_eq!(verdict([&IDENTIFY[..4], &[]], false), Verdict::More);
        assert_eq!(verdict([&[MARK, 1, 9], &[]], false), Verdict::No);
        assert_eq!(verdict([&[MARK, 1, 9], &[MARK]], true), Verdict::Yes);
    }

    #[test]
    fn texts_follow_each_other() {
        assert_eq!(following(b"..project\0boot\0\0source\0", 2).collect::<Vec<_>>(), ["boot", "source"]);
    }
}
