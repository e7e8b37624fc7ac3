//! Crimson 3: the programming service of Red Lion panels and converters. There is no specification; public are its port, the two
//! questions of identity and their answers. Nothing else is decoded.
//!
//! ```text
//! length:2 (of what follows)  register:2  operation:2  ...      an answer of identity: a text, ended by a zero
//! ```

use pcapper_schema::tables::Crimson;

use crate::protocols::{Cx, Dir, Group, Offer, Progress, Protocol, StreamDissector, StreamKind, Verdict};
use crate::wire::{Reader, Wire};

/// On any port by its questions of identity; 789 is its own.
pub static PROTOCOL: Protocol = Protocol {
    name: "crimson",
    group: Group::Ot,
    ports: &[789],
    stream: Some(StreamKind { probe, start: || Box::<Session>::default() }),
    ..Protocol::NONE
};

const MANUFACTURER: [u8; 6] = [0x00, 0x04, 0x01, 0x2b, 0x1b, 0x00];
const MODEL: [u8; 6] = [0x00, 0x04, 0x01, 0x2a, 0x1a, 0x00];
/// Octets of a message that a row keeps.
const MAX_DATA: usize = 256;
/// Right messages of each direction after which the framing is believed on the port alone.
const ENOUGH: u32 = 3;

/// The length field, and all octets it announces: those of register and operation at least.
fn message(bytes: &[u8]) -> Wire<&[u8]> {
    let mut wire = Reader::new(bytes);
    let length = usize::from(wire.be_u16()?);
    wire.take(length)?;
    Ok(bytes.get(..2 + length).unwrap_or_default())
}

fn probe(offer: &Offer<'_>) -> Verdict {
    let bytes = offer.current();
    let asks = [MANUFACTURER, MODEL].iter().any(|question| bytes.starts_with(question));
    let may_ask = [MANUFACTURER, MODEL].iter().any(|question| question.starts_with(bytes));
    match message(bytes) {
        _ if asks => Verdict::Yes,
        _ if may_ask => Verdict::More,
        Ok(message) if offer.usual_port && message.len() >= 6 && message.len() == bytes.len() => Verdict::Yes,
        Err(_) if offer.usual_port && bytes.len() < MAX_DATA => Verdict::More,
        _ => Verdict::No,
    }
}

/// A connection.
#[derive(Default)]
struct Session {
    /// The question of identity that waits.
    asked: Option<[u8; 6]>,
    identified: bool,
    messages: [u32; 2],
}

impl Session {
    fn message(&mut self, cx: &mut Cx<'_>, message: &[u8]) {
        let mut wire = Reader::new(message);
        let head = |wire: &mut Reader<'_>| -> Wire<(u16, u16, u16)> { Ok((wire.be_u16()?, wire.be_u16()?, wire.be_u16()?)) };
        let fields = head(&mut wire).ok();
        let rest = wire.rest();
        let count = &mut self.messages[cx.dir.index()];
        *count = count.saturating_add(1);
        if cx.dir == Dir::Orig {
            self.asked = [MANUFACTURER, MODEL].into_iter().find(|question| message == question);
        }
        let answers = (cx.dir == Dir::Resp).then(|| self.asked.take()).flatten();
        let text = answers.and_then(|_| {
            let end = rest.iter().position(|octet| *octet == 0).unwrap_or(rest.len());
            rest.get(..end).filter(|text| !text.is_empty() && text.iter().all(|octet| octet.is_ascii_graphic() || *octet == b' '))
        });
        let text = text.map(String::from_utf8_lossy);
        self.identified |= text.is_some();
        cx.emit(Crimson {
            is_orig: Some(cx.dir == Dir::Orig),
            length: fields.map(|(length, ..)| length),
            register: fields.map(|(_, register, _)| register),
            operation: fields.map(|(_, _, operation)| operation),
            text: text.as_deref(),
            manufacturer: text.as_deref().filter(|_| answers == Some(MANUFACTURER)),
            model: text.as_deref().filter(|_| answers == Some(MODEL)),
            confidence: Some(match () {
                () if self.identified => "high",
                () if self.messages.iter().all(|count| *count >= ENOUGH) => "medium",
                () => "low",
            }),
            payload_len: u32::try_from(message.len()).ok(),
            data: Some(message.get(..MAX_DATA).unwrap_or(message)),
        });
    }
}

impl StreamDissector for Session {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let mut used = 0;
        while let Some(rest) = bytes.get(used..).filter(|rest| rest.len() >= 2) {
            let Ok(message) = message(rest) else { break };
            // Every known message holds a register and an operation.
            if message.len() < 6 {
                cx.anomaly("crimson", "bad_length", "a message is shorter than its header");
                return Progress::Stop;
            }
            self.message(cx, message);
            used += message.len();
        }
        Progress::Consumed(used)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(bytes: &'static [u8], usual_port: bool) -> Verdict {
        probe(&Offer { bytes: [bytes, &[]], dir: Dir::Orig, ports: [None, None], usual_port, src: None, dst: None })
    }

    #[test]
    fn the_questions_are_known_anywhere() {
        assert_eq!(ask(&MANUFACTURER, false), Verdict::Yes);
        assert_eq!(ask(&[0, 4, 1, 0x2a, 0x1a, 0, 9], false), Verdict::Yes);
        for length in 1..6 {
            assert_eq!(ask(&MODEL[..length], false), Verdict::More, "{length}");
        }
        assert_eq!(ask(&[0, 4, 1, 0x2c, 0x1a, 0], false), Verdict::No);
    }

    #[test]
    fn on_the_port_the_length_must_fit() {
        assert_eq!(ask(&[0, 5, 1, 2, 3, 4, 5], true), Verdict::Yes);
        assert_eq!(ask(&[0, 5, 1, 2, 3, 4, 5, 6], true), Verdict::No);
        assert_eq!(ask(&[0, 2, 1, 2], true), Verdict::No);
    }
}
