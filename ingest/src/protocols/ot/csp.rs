//! CSPv4, Allen-Bradley's Ethernet before EtherNet/IP. Rockwell did not publish it; what follows is where open-source clients
//! agree, and no more is read.
//!
//! ```text
//! mode:1 (1 request, 2 answer)  submode:1 (1 connect, 7 PCCC)  length:2 (behind the header)  connection:4  status:4  context:16
//! PCCC: destination:1  control:1 (5)  source:1  LSAP:1   then the message     all big-endian up to the message
//! ```

use std::collections::VecDeque;

use pcapper_schema::Common;
use pcapper_schema::tables::Csp;

use super::pccc;
use crate::protocols::{Cx, Group, Offer, Progress, Protocol, StreamDissector, StreamKind, Verdict};
use crate::wire::{Malformed, Reader, Wire};

/// CSPv4: 2222 is its port.
pub static PROTOCOL: Protocol = Protocol {
    name: "csp",
    group: Group::Ot,
    ports: &[2222],
    stream: Some(StreamKind { probe, start: || Box::<Session>::default() }),
    ..Protocol::NONE
};

const HEADER: usize = 28;
/// Longest message that is believed: PCCC carries at most 244 octets of data.
const MAX_LENGTH: u16 = 1024;
const CONNECT: u8 = 1;
const PCCC: u8 = 7;
/// What stands before a PCCC message.
const LINK: usize = 4;
/// Requests that wait for their answers.
const MAX_WAITING: usize = 64;

#[derive(Clone, Copy)]
struct Header<'a> {
    is_request: bool,
    submode: u8,
    length: u16,
    connection: u32,
    status: u32,
    context: &'a [u8],
}

impl<'a> Header<'a> {
    fn read(reader: &mut Reader<'a>) -> Wire<Self> {
        let mode = reader.u8()?;
        let submode = reader.u8()?;
        let length = reader.be_u16()?;
        if !matches!(mode, 1 | 2) || submode == 0 || submode > 0x0f || length > MAX_LENGTH {
            return Err(Malformed);
        }
        let header =
            Self { is_request: mode == 1, submode, length, connection: reader.be_u32()?, status: reader.be_u32()?, context: reader.take(16)? };
        // A request has no status, and before the connect no connection.
        let is_odd = header.is_request && (header.status != 0 || submode == CONNECT && header.connection != 0);
        if is_odd { Err(Malformed) } else { Ok(header) }
    }
}

/// The header is plain: on other ports, both ends must speak, the first of them to connect.
fn probe(offer: &Offer<'_>) -> Verdict {
    let read = |bytes: &[u8]| Header::read(&mut Reader::new(bytes)).ok().map(|header| (header.is_request, header.submode));
    let fits = |bytes: &[u8]| match bytes {
        [] | [1 | 2] | [1 | 2, 1..=15] => true,
        [1 | 2, 1..=15, high, ..] => *high <= 4,
        _ => false,
    };
    match offer.bytes.map(|bytes| (read(bytes), bytes.len() < HEADER && fits(bytes))) {
        [(Some((true, CONNECT)), _), (Some((false, CONNECT)), _)] | [(Some((false, CONNECT)), _), (Some((true, CONNECT)), _)] => Verdict::Yes,
        [(Some((true, PCCC)), _), (Some((false, PCCC)), _)] | [(Some((false, PCCC)), _), (Some((true, PCCC)), _)] if offer.usual_port => Verdict::Yes,
        [(Some(_), _) | (None, true), (None, true)] | [(None, true), (Some(_), _)] => Verdict::More,
        _ => Verdict::No,
    }
}

/// A request that waits for its answer.
struct Waiting {
    common: Common,
    context: Vec<u8>,
    message: Option<Vec<u8>>,
}

/// One connection.
#[derive(Default)]
struct Session {
    waiting: VecDeque<Waiting>,
    /// A connect was answered.
    connected: bool,
}

impl Session {
    fn message(&mut self, cx: &mut Cx<'_>, header: &Header<'_>, body: &[u8]) {
        let message = body.get(LINK..).filter(|message| header.submode == PCCC && !message.is_empty() && body.get(1) == Some(&5));
        let asked = if header.is_request {
            None
        } else {
            let at = self.waiting.iter().position(|waiting| waiting.context == header.context);
            at.and_then(|at| self.waiting.remove(at))
        };
        self.connected |= !header.is_request && header.submode == CONNECT && header.status == 0;
        cx.emit(Csp {
            mode_code: Some(if header.is_request { 1 } else { 2 }),
            mode: Some(if header.is_request { "request" } else { "response" }),
            submode_code: Some(header.submode),
            submode: match header.submode {
                CONNECT => Some("connect"),
                PCCC => Some("pccc"),
                _ => None,
            },
            length: Some(header.length),
            connection_handle: Some(header.connection),
            status: Some(header.status),
            context: Some(header.context),
            request_frame: asked.as_ref().map(|asked| asked.common.frame),
            has_pccc: Some(message.is_some()),
            confidence: Some(if self.connected { "high" } else { "medium" }),
            malformed: (header.submode == PCCC && message.is_none()).then_some("truncated"),
        });
        if let Some(message) = message {
            let of = asked.as_ref().and_then(|asked| Some((&asked.common, asked.message.as_deref()?)));
            pccc::message(cx, "cspv4", None, message, of);
        }
        if header.is_request {
            if self.waiting.len() >= MAX_WAITING {
                self.give_up_oldest(cx);
            }
            let (context, message) = (header.context.to_vec(), message.map(<[u8]>::to_vec));
            self.waiting.push_back(Waiting { common: cx.common(cx.dir), context, message });
        }
    }

    fn give_up_oldest(&mut self, cx: &mut Cx<'_>) {
        if let Some(waiting) = self.waiting.pop_front()
            && let Some(message) = &waiting.message
        {
            pccc::unanswered(cx, &waiting.common, message);
        }
    }
}

impl StreamDissector for Session {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let mut used = 0;
        loop {
            let rest = bytes.get(used..).unwrap_or_default();
            if rest.len() < HEADER {
                return Progress::Consumed(used);
            }
            let mut reader = Reader::new(rest);
            let Ok(header) = Header::read(&mut reader) else {
                cx.anomaly("csp", "unexpected_state", "no header where one should stand");
                return Progress::Stop;
            };
            let Ok(body) = reader.take(usize::from(header.length)) else { return Progress::Consumed(used) };
            self.message(cx, &header, body);
            used += HEADER + body.len();
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        while !self.waiting.is_empty() {
            self.give_up_oldest(cx);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::Dir;

    fn verdict(bytes: [&[u8]; 2], usual_port: bool) -> Verdict {
        probe(&Offer { bytes, dir: Dir::Orig, ports: [None, None], usual_port, src: None, dst: None })
    }

    fn header(mode: u8, submode: u8, connection: u32) -> Vec<u8> {
        let mut octets = vec![mode, submode, 0, 0];
        octets.extend(connection.to_be_bytes());
        octets.extend([0; 20]);
        octets
    }

    #[test]
    fn both_ends_must_speak() {
        let (ask, answer) = (header(1, 1, 0), header(2, 1, 0x42));
        assert_eq!(verdict([&ask, &[]], false), Verdict::More);
        assert_eq!(verdict([&ask[..3], &[]], false), Verdict::More);
        assert_eq!(verdict([&ask, &answer], false), Verdict::Yes);
        assert_eq!(verdict([&header(1, 7, 1), &header(2, 7, 1)], false), Verdict::No);
        assert_eq!(verdict([&header(1, 7, 1), &header(2, 7, 1)], true), Verdict::Yes);
        assert_eq!(verdict([b"GET / HTTP/1.1", &[]], true), Verdict::No);
        assert_eq!(verdict([&header(1, 1, 9), &answer], true), Verdict::No);
    }
}
