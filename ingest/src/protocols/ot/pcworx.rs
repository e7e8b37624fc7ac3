//! PC Worx, by which Phoenix Contact's ILC and AXC controllers are programmed. Only the exchange that identifies a controller is
//! public (by a script of nmap): it is read, all else is counted.
//!
//! ```text
//! 01 (request) or 81 (answer)  function:1  length:2, of the whole message, high octet first  ...
//! ```

use pcapper_schema::tables::Pcworx;

use crate::protocols::{Cx, Dir, Group, Offer, Progress, Protocol, StreamDissector, StreamKind, Verdict};

/// PC Worx on any port; 1962 is its own.
pub static PROTOCOL: Protocol = Protocol {
    name: "pcworx",
    group: Group::Ot,
    ports: &[1962],
    stream: Some(StreamKind { probe, start: || Box::<Session>::default() }),
    ..Protocol::NONE
};

const REQUEST: u8 = 0x01;
const ANSWER: u8 = 0x81;
const CONNECT: u8 = 0x01;
const READ_INFO: u8 = 0x06;
/// Octets before which no message ends, and the most that are believed.
const LEAST: usize = 4;
const MOST: usize = 8192;
/// Name of the service that a client opens with.
const SERVICE: &[u8] = b"IBETH01N0_M";

/// Direction, function and length of the message that the bytes start with.
fn header(bytes: &[u8]) -> Option<(u8, u8, usize)> {
    match bytes {
        [kind @ (REQUEST | ANSWER), function, high, low, ..] => {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            (LEAST..=MOST).contains(&length).then_some((*kind, *function, length))
        }
        _ => None,
    }
}

fn probe(offer: &Offer<'_>) -> Verdict {
    let opens = |bytes: &[u8]| matches!(header(bytes), Some((REQUEST, CONNECT, length)) if bytes.get(14..length.min(bytes.len())).is_some_and(|name| name.starts_with(SERVICE)));
    let kind = |bytes: &[u8]| header(bytes).map(|(kind, ..)| kind);
    let [a, b] = offer.bytes;
    let are_both = matches!((kind(a), kind(b)), (Some(REQUEST), Some(ANSWER)) | (Some(ANSWER), Some(REQUEST)));
    if opens(a) || opens(b) || offer.usual_port && are_both {
        return Verdict::Yes;
    }
    let may_open = |bytes: &[u8]| {
        let is_start =
            |bytes: &[u8]| header(bytes).is_some() || bytes.len() < LEAST && bytes.first().is_none_or(|kind| matches!(*kind, REQUEST | ANSWER));
        is_start(bytes)
            && bytes.get(14..).is_none_or(|name| {
                SERVICE.starts_with(name.get(..SERVICE.len().min(name.len())).unwrap_or_default()) || kind(bytes) == Some(ANSWER) || offer.usual_port
            })
    };
    if may_open(a) && may_open(b) { Verdict::More } else { Verdict::No }
}

#[derive(Default)]
struct Session;

/// Text that stands at an offset of the answer to `read_info`, up to its NUL.
fn text(message: &[u8], at: usize) -> Option<&str> {
    let text = message.get(at..)?.split(|octet| *octet == 0).next()?;
    let text = std::str::from_utf8(text).ok()?.trim();
    (!text.is_empty() && text.chars().all(|character| !character.is_control())).then_some(text)
}

impl Session {
    fn message(cx: &mut Cx<'_>, kind: u8, code: u8, message: &[u8]) {
        let is_answer = kind == ANSWER;
        let other;
        let name = match code {
            CONNECT => "connect",
            0x05 => "setup",
            READ_INFO => "read_info",
            _ => {
                other = format!("function_0x{code:02x}");
                &other
            }
        };
        let at = |offset| text(message, offset).filter(|_| is_answer && code == READ_INFO);
        cx.emit(Pcworx {
            is_orig: Some(cx.dir == Dir::Orig),
            confidence: Some("signature"),
            direction: Some(if is_answer { "response" } else { "request" }),
            function_code: Some(code),
            function: Some(name),
            length: u16::try_from(message.len()).ok(),
            session_id: message.get(17).copied().filter(|_| is_answer && code == CONNECT),
            plc_type: at(30),
            firmware_version: at(66),
            firmware_date: at(79),
            firmware_time: at(91),
            model_number: at(152),
            payload_len: u32::try_from(message.len()).ok(),
        });
    }
}

impl StreamDissector for Session {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let mut used = 0;
        loop {
            let rest = bytes.get(used..).unwrap_or_default();
            if rest.len() < LEAST {
                return Progress::Consumed(used);
            }
            let Some((kind, code, length)) = header(rest) else {
                cx.anomaly("pcworx", "unexpected_state", "no message where one should start");
                return Progress::Stop;
            };
            let Some(message) = rest.get(..length) else { return Progress::Consumed(used) };
            Self::message(cx, kind, code, message);
            used += length;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(bytes: [&[u8]; 2], usual_port: bool) -> Verdict {
        probe(&Offer { bytes, dir: Dir::Orig, ports: [None, None], usual_port, src: None, dst: None })
    }

    #[test]
    fn opens_with_its_service() {
        let open = b"\x01\x01\x00\x1a\x00\x00\x00\x00\x78\x80\x00\x03\x00\x0cIBETH01N0_M\x00";
        assert_eq!(verdict([open, &[]], false), Verdict::Yes);
        for end in 0..open.len() - 1 {
            assert_ne!(verdict([&open[..end], &[]], false), Verdict::No, "{end} octets");
        }
        assert_eq!(verdict([b"\x01\x01\x00\x1a\x00\x00\x00\x00\x78\x80\x00\x03\x00\x0cHTTP", &[]], false), Verdict::No);
        assert_eq!(verdict([b"\x01\x06\x00\x0e\x00", b"\x81\x06\x00\xa0"], true), Verdict::Yes);
        assert_eq!(verdict([b"GET", &[]], true), Verdict::No);
    }

    #[test]
    fn text_ends_with_nul() {
        assert_eq!(text(b"..ILC 330 ETH\0x", 2), Some("ILC 330 ETH"));
        assert_eq!(text(b"..", 2), None);
        assert_eq!(text(b"\x01\x02\0", 0), None);
    }
}
