//! DCE/RPC (C706, MS-RPCE): connection-oriented over TCP, and in the named pipes of SMB through [`Pipe`]; connectionless
//! over UDP.
//!
//! Whose a call is comes from the contexts that bind and alter agreed on, not from the port: ports are dynamic.

mod activation;
mod association;
mod datagram;
mod detail;
mod epm;
mod interface;
mod objects;
mod pdu;
mod services;

use association::{Association, Carrier};
use pdu::{HEADER, Header};

use crate::protocols::{Cx, DatagramKind, Dir, Group, Offer, Progress, Protocol, StreamDissector, StreamKind, Verdict};
use crate::wire::Reader;

/// DCE/RPC on any port; 135 is the endpoint mapper's, 593 that of RPC over HTTP, 34964 that of PROFINET.
pub static PROTOCOL: Protocol = Protocol {
    name: "dcerpc",
    group: Group::It,
    ports: &[135, 593, 34964],
    datagram: Some(DatagramKind { ip_protos: &[17], probe: datagram::probe, start: || Box::<datagram::Flow>::default() }),
    stream: Some(StreamKind { probe, start: || Box::<Stream>::default() }),
    ..Protocol::NONE
};

/// What a server of RPC over HTTP greets with (MS-RPCH, 2.1.1).
const GREETING: &[u8] = b"ncacn_http/1.0";

fn probe(offer: &Offer<'_>) -> Verdict {
    let bytes = offer.current();
    if bytes.starts_with(GREETING) || Header::read(&mut Reader::new(bytes)).is_ok() {
        return Verdict::Yes;
    }
    let short = bytes.len() < HEADER && (bytes.is_empty() || matches!(bytes, [5] | [5, 0 | 1, ..]) || GREETING.starts_with(bytes));
    if short { Verdict::More } else { Verdict::No }
}

/// One connection.
#[derive(Default)]
struct Stream {
    association: Association,
    /// The place of PDUs is known, for each direction: not before the first one, nor behind lost bytes.
    placed: [bool; 2],
}

/// Where a PDU starts in bytes that may start within one.
fn resync(bytes: &[u8]) -> Option<usize> {
    // Little-endian alone: eight octets that are the same in all such headers but for type and flags.
    let starts = |window: &[u8]| matches!(window, [5, 0 | 1, _, _, 0x10, 0, 0, 0, ..]) && Header::read(&mut Reader::new(window)).is_ok();
    bytes.windows(HEADER).position(starts)
}

impl StreamDissector for Stream {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        if bytes.starts_with(GREETING) {
            self.association.carried_by(Carrier::Http);
            return Progress::Consumed(GREETING.len());
        }
        if bytes.len() < HEADER {
            return Progress::Consumed(0);
        }
        let [orig, resp] = &mut self.placed;
        let placed = if cx.dir == Dir::Orig { orig } else { resp };
        let mut reader = Reader::new(bytes);
        let Ok(header) = Header::read(&mut reader) else {
            if !*placed {
                return Progress::Consumed(resync(bytes).unwrap_or(bytes.len() - (HEADER - 1)));
            }
            cx.anomaly("dcerpc", "unexpected_state", "no PDU starts where one should; the rest is not decoded");
            return Progress::Stop;
        };
        *placed = true;
        let length = usize::from(header.length);
        let Ok(rest) = reader.take(length.saturating_sub(HEADER)) else { return Progress::Consumed(0) };
        self.association.fragment(cx, &header, rest);
        Progress::Consumed(length)
    }

    fn gap(&mut self, cx: &mut Cx<'_>, _missing: u64) -> bool {
        let [orig, resp] = &mut self.placed;
        *(if cx.dir == Dir::Orig { orig } else { resp }) = false;
        self.association.gap(cx.dir);
        true
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.association.close(cx);
    }
}

/// A named pipe within SMB, of which the carrier gives what each side wrote, in order.
#[derive(Default)]
pub struct Pipe {
    association: Association,
    /// A fragment that is not whole yet, for each direction.
    waiting: [Vec<u8>; 2],
    /// Bytes were lost: the next PDU's start is looked for at the start of a message.
    lost: [bool; 2],
    /// What came is not DCE/RPC.
    ended: bool,
}

impl Pipe {
    /// Starts with the pipe that was opened, as it was named.
    pub fn new(name: &str) -> Self {
        Self { association: Association::new(Carrier::Pipe(name.to_owned())), ..Self::default() }
    }

    /// These bytes start a PDU: where a pipe's opening was not captured, they tell what it is.
    pub fn starts(bytes: &[u8]) -> bool {
        Header::read(&mut Reader::new(bytes)).is_ok()
    }

    /// Takes bytes that side `cx.dir` wrote (SMB write, the answer to a read, either half of a transaction or of
    /// `FSCTL_PIPE_TRANSCEIVE`).
    pub fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) {
        if self.ended {
            return;
        }
        let ([orig, resp], [orig_lost, resp_lost]) = (&mut self.waiting, &mut self.lost);
        let (waiting, lost) = if cx.dir == Dir::Orig { (orig, orig_lost) } else { (resp, resp_lost) };
        if *lost && !Self::starts(bytes) {
            return;
        }
        *lost = false;
        // Most PDUs come whole.
        let held = std::mem::take(waiting);
        let joined;
        let mut reader = if held.is_empty() {
            Reader::new(bytes)
        } else {
            joined = [held.as_slice(), bytes].concat();
            Reader::new(&joined)
        };
        while reader.len() >= HEADER {
            let start = reader;
            let Ok(header) = Header::read(&mut reader) else {
                self.ended = true;
                return;
            };
            let Ok(rest) = reader.take(usize::from(header.length).saturating_sub(HEADER)) else {
                reader = start;
                break;
            };
            self.association.fragment(cx, &header, rest);
        }
        waiting.extend_from_slice(reader.peek());
    }

    /// Bytes that `dir` sent are lost.
    pub fn lose(&mut self, dir: Dir) {
        let ([orig, resp], [orig_lost, resp_lost]) = (&mut self.waiting, &mut self.lost);
        let (waiting, lost) = if dir == Dir::Orig { (orig, orig_lost) } else { (resp, resp_lost) };
        waiting.clear();
        *lost = true;
        self.association.gap(dir);
    }

    /// The pipe is closed, or its connection ended.
    pub fn close(&mut self, cx: &mut Cx<'_>) {
        self.association.close(cx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(bytes: &[u8]) -> Verdict {
        probe(&Offer { bytes: [bytes, &[]], dir: Dir::Orig, ports: [Some(50000), Some(50001)], usual_port: false, src: None, dst: None })
    }

    #[test]
    fn claims_headers_alone() {
        let header = [5, 0, 11, 3, 0x10, 0, 0, 0, 72, 0, 0, 0, 1, 0, 0, 0];
        assert_eq!(verdict(&header), Verdict::Yes);
        assert_eq!(verdict(&header[..9]), Verdict::More);
        assert_eq!(verdict(&[5, 1, 0]), Verdict::More);
        assert_eq!(verdict(&[5, 2, 0, 1]), Verdict::No);
        let mut short = header;
        short[8] = 12;
        assert_eq!(verdict(&short), Verdict::No);
        let header = Header::read(&mut Reader::new(&header)).unwrap();
        assert_eq!((header.kind, header.length, header.call_id, header.little), (11, 72, 1, true));
    }
}
