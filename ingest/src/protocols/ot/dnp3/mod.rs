//! DNP3 (IEEE 1815-2012) over TCP and UDP: link frames, transport segments, application fragments, objects.
//!
//! A row is a link frame; that of the frame that completes an application fragment has the fragment.

mod fragment;
mod link;
mod names;
mod objects;
mod orders;

use pcapper_schema::tables::Dnp3;

use self::fragment::Fragments;
use self::link::{Found, Header};
use crate::protocols::{Cx, DatagramDissector, DatagramKind, Group, Offer, Outcome, Progress, Protocol, StreamDissector, StreamKind, Verdict};

/// Port 20000, or any on which a link header with a right CRC stands.
pub static PROTOCOL: Protocol = Protocol {
    name: "dnp3",
    group: Group::Ot,
    ports: &[20000],
    datagram: Some(DatagramKind { ip_protos: &[17], probe: probe_datagram, start: || Box::new(Datagrams(Session::new("udp"))) }),
    stream: Some(StreamKind { probe: probe_stream, start: || Box::<Stream>::default() }),
    ..Protocol::NONE
};

/// Pairs of addresses on one flow whose segments are joined.
const MAX_ASSEMBLIES: usize = 64;
/// Longest fragment that is joined: devices make 2048 octets, some more.
const MAX_FRAGMENT: usize = 64 << 10;
/// Offers without a frame after which a connection is given up.
const MAX_MISSES: u32 = 16;
/// Bytes of one direction in which a probe must have found something.
const MAX_PROBED: usize = 2048;

fn is_frame(bytes: &[u8]) -> bool {
    matches!(link::find(bytes), Found::Frame(header) if header.crc_ok)
}

fn probe_stream(offer: &Offer<'_>) -> Verdict {
    if offer.bytes.iter().any(|bytes| is_frame(bytes)) {
        return Verdict::Yes;
    }
    if offer.usual_port && link::resync(offer.current()).is_some() {
        return Verdict::Yes;
    }
    let may_come = if offer.usual_port { true } else { !matches!(link::find(offer.current()), Found::Nothing | Found::Frame(_)) };
    if may_come && offer.current().len() < MAX_PROBED { Verdict::More } else { Verdict::No }
}

fn probe_datagram(offer: &Offer<'_>) -> Verdict {
    if is_frame(offer.current()) { Verdict::Yes } else { Verdict::No }
}

/// A connection.
struct Stream {
    session: Session,
    misses: u32,
    after_gap: bool,
}

impl Default for Stream {
    fn default() -> Self {
        Self { session: Session::new("tcp"), misses: 0, after_gap: false }
    }
}

impl StreamDissector for Stream {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let mut used = 0;
        loop {
            let rest = bytes.get(used..).unwrap_or_default();
            match link::find(rest) {
                // What a header with a wrong CRC says of its length is believed where another frame or nothing follows.
                Found::Frame(header)
                    if header.crc_ok || rest.get(header.total()..).is_some_and(|next| !matches!(link::find(next), Found::Nothing)) =>
                {
                    let Some(frame) = rest.get(..header.total()) else {
                        return Progress::Consumed(used);
                    };
                    self.session.frame(cx, &header, frame, "bad_crc");
                    self.misses = 0;
                    self.after_gap = false;
                    used += header.total();
                }
                Found::Part => return Progress::Consumed(used),
                Found::Nothing | Found::Frame(_) => {
                    if self.misses == 0 && !self.after_gap {
                        cx.anomaly("dnp3", "unexpected_state", "no link frame where one should start");
                    }
                    self.misses += 1;
                    if self.misses > MAX_MISSES {
                        return Progress::Stop;
                    }
                    match link::resync(rest) {
                        Some(skipped) => used += skipped,
                        None => return Progress::Consumed(bytes.len()),
                    }
                }
            }
        }
    }

    fn gap(&mut self, _cx: &mut Cx<'_>, _missing: u64) -> bool {
        self.after_gap = true;
        true
    }

    fn end(&mut self, cx: &mut Cx<'_>, rest: &[u8]) {
        if let Found::Frame(header) = link::find(rest)
            && header.crc_ok
        {
            self.session.frame(cx, &header, rest, "truncated");
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.session.fragments.close(cx);
    }
}

/// A UDP flow.
struct Datagrams(Session);

impl DatagramDissector for Datagrams {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        let mut rest = payload;
        while let Found::Frame(header) = link::find(rest) {
            let (frame, next) = rest.split_at_checked(header.total()).unwrap_or((rest, &[]));
            let fault = if frame.len() < header.total() { "truncated" } else { "bad_crc" };
            self.0.frame(cx, &header, frame, fault);
            rest = next;
        }
        if rest.len() == payload.len() { Outcome::NotMine } else { Outcome::Decoded }
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.0.fragments.close(cx);
    }
}

/// Link frames whose segments are being joined.
struct Assembly {
    source: u16,
    destination: u16,
    /// Transport sequence of the last segment.
    sequence: u8,
    link_frames: u16,
    octets: Vec<u8>,
}

/// State of one flow.
struct Session {
    carrier: &'static str,
    assemblies: Vec<Assembly>,
    fragments: Fragments,
    data: Vec<u8>,
}

impl Session {
    fn new(carrier: &'static str) -> Self {
        Self { carrier, assemblies: Vec::new(), fragments: Fragments::default(), data: Vec::new() }
    }

    /// Takes a link frame; `fault` names what is wrong with it where its CRCs are.
    fn frame(&mut self, cx: &mut Cx<'_>, header: &Header, frame: &[u8], fault: &'static str) {
        let mut data = std::mem::take(&mut self.data);
        data.clear();
        let right = link::user_data(frame, &mut data) && header.crc_ok && frame.len() == header.total();
        let base = link_row(self.carrier, header, right);
        if !right {
            cx.emit(Dnp3 { malformed: Some(fault), category: Some("link"), ..base });
        } else if !header.has_user_data() {
            cx.emit(Dnp3 { category: Some("link"), ..base });
        } else {
            self.segment(cx, header, &data, base);
        }
        self.data = data;
    }

    /// Takes a transport segment (clause 8): FIN, FIR and six bits of sequence, then part of a fragment.
    fn segment(&mut self, cx: &mut Cx<'_>, header: &Header, data: &[u8], base: Dnp3<'_>) {
        let Some((&control, part)) = data.split_first() else { return };
        let (is_last, is_first, sequence) = (control & 0x80 != 0, control & 0x40 != 0, control & 0x3f);
        let known = self.assemblies.iter().position(|assembly| assembly.source == header.source && assembly.destination == header.destination);
        if is_first && is_last {
            if let Some(at) = known {
                self.assemblies.swap_remove(at);
            }
            return self.fragments.take(cx, header, base, part);
        }
        if is_first {
            if let Some(at) = known {
                self.assemblies.swap_remove(at);
            } else if self.assemblies.len() >= MAX_ASSEMBLIES {
                self.assemblies.swap_remove(0);
            }
            let (source, destination) = (header.source, header.destination);
            self.assemblies.push(Assembly { source, destination, sequence, link_frames: 1, octets: part.to_vec() });
            return cx.emit(Dnp3 { category: Some("link"), ..base });
        }
        let Some(assembly) = known.and_then(|at| self.assemblies.get_mut(at)) else {
            return cx.emit(Dnp3 { malformed: Some("transport_gap"), category: Some("link"), ..base });
        };
        if sequence == assembly.sequence {
            // Sent again.
            return cx.emit(Dnp3 { category: Some("link"), ..base });
        }
        let follows = sequence == assembly.sequence.wrapping_add(1) & 0x3f && assembly.octets.len() + part.len() <= MAX_FRAGMENT;
        if follows {
            assembly.sequence = sequence;
            assembly.link_frames = assembly.link_frames.saturating_add(1);
            assembly.octets.extend_from_slice(part);
            if !is_last {
                return cx.emit(Dnp3 { category: Some("link"), ..base });
            }
        }
        let Some(assembly) = known.map(|at| self.assemblies.swap_remove(at)) else { return };
        let base = Dnp3 { link_frames: Some(assembly.link_frames), ..base };
        if follows {
            self.fragments.take(cx, header, base, &assembly.octets);
        } else {
            cx.emit(Dnp3 { malformed: Some("transport_gap"), category: Some("link"), ..base });
        }
    }
}

fn link_row(carrier: &'static str, header: &Header, crc_ok: bool) -> Dnp3<'static> {
    Dnp3 {
        carrier: Some(carrier),
        link_frames: Some(1),
        link_length: Some(header.length),
        link_source: Some(header.source),
        link_destination: Some(header.destination),
        direction: Some(if header.is_from_master() { "from_master" } else { "from_outstation" }),
        link_primary: Some(header.is_primary()),
        link_function_code: Some(header.function_code()),
        link_function: header.function(),
        crc_ok: Some(crc_ok),
        is_broadcast: Some(header.is_broadcast()),
        ..Dnp3::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_want_a_right_crc() {
        let offer = |bytes: &'static [u8]| Offer {
            bytes: [bytes, &[]],
            dir: crate::protocols::Dir::Orig,
            ports: [Some(40000), Some(4001)],
            usual_port: false,
            src: None,
            dst: None,
        };
        const FRAME: [u8; 10] = [0x05, 0x64, 0x05, 0xc0, 0x00, 0x04, 0x01, 0x00, 0xd7, 0xf7];
        assert!(is_frame(&FRAME));
        assert_eq!(probe_datagram(&offer(&FRAME)), Verdict::Yes);
        assert_eq!(probe_stream(&offer(&FRAME)), Verdict::Yes);
        assert_eq!(probe_stream(&offer(&[5, 0x64, 5])), Verdict::More);
        assert_eq!(probe_stream(&offer(&[5, 0x64, 5, 0xc9, 1, 0, 0, 4, 0, 0])), Verdict::No);
    }
}
