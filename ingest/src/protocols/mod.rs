//! Dissectors: bytes to typed rows.
//!
//! One file a protocol, in [`link`] (below IP), [`it`] and [`ot`]. A file declares its protocol once, as a [`Protocol`]
//! constant, which the list in [`registry`] names. There are three kinds of dissector:
//!
//! - **frame**: by EtherType, LLC or SNAP ([`FrameDissector`], one instance a worker);
//! - **datagram**: by UDP or IP protocol ([`DatagramDissector`], one instance a flow);
//! - **stream**: in-order bytes of a TCP connection ([`StreamDissector`], one instance a flow).
//!
//! Who speaks on a flow is decided by content: every datagram and stream dissector offers a cheap probe; the port only
//! decides whose probe is asked first.

pub mod ber;
pub mod expectations;
pub mod files;
pub mod hex;
pub mod inner;
pub mod it;
pub mod link;
pub mod marks;
pub mod ot;
pub mod registry;
pub mod secrets;

use std::any::{Any, TypeId};
use std::net::IpAddr;
use std::sync::Arc;

use pcapper_schema::tables::Anomalies;
use pcapper_schema::{Common, Mac, Row, TableSet};
use rustc_hash::FxHashMap;

use crate::decrypt::Keyring;
use crate::decrypt::plaintext::Tap;
use crate::packet::Packet;

/// Who sent a piece of a flow.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Dir {
    /// The originator: who sent the flow's first packet (TCP: the SYN where it was seen).
    Orig,
    /// The other end.
    Resp,
}

impl Dir {
    /// The other direction.
    pub fn reverse(self) -> Self {
        match self {
            Self::Orig => Self::Resp,
            Self::Resp => Self::Orig,
        }
    }

    /// 0 for the originator, 1 for the responder: an index for pairs of states.
    pub fn index(self) -> usize {
        self as usize
    }
}

/// One end of a flow.
#[derive(Clone, Copy, Default, Debug)]
pub struct Endpoint {
    pub ip: Option<IpAddr>,
    pub port: Option<u16>,
    pub mac: Option<Mac>,
}

/// What dissectors share across flows (within one worker).
#[derive(Default)]
pub struct Shared {
    /// State of dissectors of one kind, found by its type.
    states: FxHashMap<TypeId, Box<dyn Any + Send>>,
    /// Keys of the run; `None` where there are none, so that nobody need look for any.
    pub keys: Option<Arc<Keyring>>,
    /// Layers of encryption that were taken off the bytes being decoded.
    pub opened: u8,
    /// Conversations that the one being decoded is inside of.
    pub depth: u8,
    /// Whoever wants the plaintext itself.
    pub tap: Option<Tap>,
}

impl Shared {
    /// The state of type `T`, made on first use.
    pub fn get<T: Default + Send + 'static>(&mut self) -> &mut T {
        let entry = self.states.entry(TypeId::of::<T>()).or_insert_with(|| Box::new(T::default()));
        match entry.downcast_mut() {
            Some(state) => state,
            None => unreachable!("stored under its own type id"),
        }
    }
}

/// What a dissector sees of the world, and where its rows go.
pub struct Cx<'a> {
    pub tables: &'a mut TableSet,
    pub shared: &'a mut Shared,
    /// Number of the frame being decoded: for streams, the frame whose arrival released the bytes, or
    /// behind a gap the frame that carried them.
    pub frame: u64,
    /// Its time, nanoseconds since 1970.
    pub ts: i64,
    /// The packet being decoded; `None` while flows are closed.
    pub packet: Option<&'a Packet<'a>>,
    /// Row in `flows`; `None` for frames without a flow.
    pub flow_id: Option<u64>,
    /// Originator and responder.
    pub ends: [Endpoint; 2],
    /// Who sent the bytes being decoded.
    pub dir: Dir,
    /// Streams: frames that carried the bytes on offer (1 when they all came in this frame).
    pub frames_spanned: u32,
}

impl Cx<'_> {
    /// The bytes being decoded came encrypted.
    pub fn is_decrypted(&self) -> bool {
        self.shared.opened > 0
    }

    /// The shared cells of a row about a message from `dir`.
    pub fn common(&self, dir: Dir) -> Common {
        let (src, dst) = (&self.ends[dir.index()], &self.ends[dir.reverse().index()]);
        Common {
            frame: self.frame,
            ts: Some(self.ts),
            flow_id: self.flow_id,
            src_ip: src.ip,
            dst_ip: dst.ip,
            src_port: src.port,
            dst_port: dst.port,
            src_mac: src.mac,
            dst_mac: dst.mac,
        }
    }

    /// Writes a row about the message being decoded: its sender is the row's source.
    #[inline]
    pub fn emit<R: Row>(&mut self, row: R) {
        let common = self.common(self.dir);
        R::slot(self.tables).push(&common, row);
    }

    /// Writes a row whose source is the end named, whoever sent the current frame.
    #[inline]
    pub fn emit_from<R: Row>(&mut self, source: Dir, row: R) {
        let common = self.common(source);
        R::slot(self.tables).push(&common, row);
    }

    /// Writes a row with shared cells of the caller's making (a transaction that ends after its frame).
    #[inline]
    pub fn emit_as<R: Row>(&mut self, common: &Common, row: R) {
        R::slot(self.tables).push(common, row);
    }

    /// Records something that could not be decoded. `kind` is one of the stable ids of the `anomalies` table.
    pub fn anomaly(&mut self, protocol: &str, kind: &str, detail: &str) {
        self.emit(Anomalies { protocol: Some(protocol), kind: Some(kind), detail: Some(detail) });
    }
}

/// Which part of a network a protocol belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Group {
    Link,
    It,
    Ot,
}

/// A protocol's declaration: everything the pipeline needs to know of it.
pub struct Protocol {
    /// Its name: that of its main table, as in `packets.protocol` and `flows.service`.
    pub name: &'static str,
    pub group: Group,
    /// Ports it is usually found on: its probe is asked first there, and may be lenient.
    pub ports: &'static [u16],
    pub frame: Option<FrameKind>,
    pub datagram: Option<DatagramKind>,
    pub stream: Option<StreamKind>,
}

impl Protocol {
    /// A declaration to fill in with `..Protocol::NONE`.
    pub const NONE: Self = Self { name: "", group: Group::It, ports: &[], frame: None, datagram: None, stream: None };
}

/// How a protocol below IP is found and started.
pub struct FrameKind {
    /// Whether the frame is this protocol's, by EtherType, LLC or SNAP (see [`Packet::ether_type`], [`Packet::llc`]).
    pub claims: fn(&Packet<'_>) -> bool,
    pub start: fn() -> Box<dyn FrameDissector>,
}

/// How a datagram protocol is found and started.
pub struct DatagramKind {
    /// IP protocol that carries it: 17 for UDP, 1 ICMP, 58 ICMPv6 ...
    pub ip_protos: &'static [u8],
    pub probe: fn(&Offer<'_>) -> Verdict,
    pub start: fn() -> Box<dyn DatagramDissector>,
}

/// How a stream protocol is found and started.
pub struct StreamKind {
    pub probe: fn(&Offer<'_>) -> Verdict,
    pub start: fn() -> Box<dyn StreamDissector>,
}

/// The first bytes of a flow, offered to probes.
#[derive(Clone, Copy)]
pub struct Offer<'a> {
    /// First bytes of each direction (index by [`Dir::index`]); empty where nothing came yet. For datagrams: the payload of
    /// the current datagram in its sender's place.
    pub bytes: [&'a [u8]; 2],
    /// Who sent the bytes that just arrived.
    pub dir: Dir,
    /// Ports of originator and responder.
    pub ports: [Option<u16>; 2],
    /// One of the ports is the asked protocol's own.
    pub usual_port: bool,
    /// Source and destination of the packet at hand.
    pub src: Option<IpAddr>,
    pub dst: Option<IpAddr>,
}

impl<'a> Offer<'a> {
    /// The bytes that just arrived (streams: all of that direction so far).
    pub fn current(&self) -> &'a [u8] {
        self.bytes[self.dir.index()]
    }

    /// One of the two ports is `port`.
    pub fn has_port(&self, port: u16) -> bool {
        self.ports.contains(&Some(port))
    }
}

/// A probe's answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// These bytes are this protocol's.
    Yes,
    /// They are not.
    No,
    /// Too few bytes to tell (streams only).
    More,
}

/// Whether a frame or datagram was the dissector's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It was: the packet counts as this protocol.
    Decoded,
    /// It was not; nothing was written.
    NotMine,
}

/// Decodes frames below IP.
pub trait FrameDissector: Send {
    /// Decodes the payload of one frame.
    fn frame(&mut self, cx: &mut Cx<'_>, packet: &Packet<'_>) -> Outcome;
    /// The capture ends: rows still owed are written.
    fn close(&mut self, _cx: &mut Cx<'_>) {}
}

/// Decodes the datagrams of one flow.
pub trait DatagramDissector: Send {
    /// Decodes one datagram; `cx.dir` says who sent it.
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome;
    /// The flow ends: rows still owed are written.
    fn close(&mut self, _cx: &mut Cx<'_>) {}
}

/// What a stream dissector did with the bytes on offer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// This many of the first bytes are done with; what is left is offered again, at once if this is more than zero, else
    /// together with the next bytes.
    Consumed(usize),
    /// From here on the flow is another protocol's, say TLS after STARTTLS: this many bytes are done with.
    Handover(usize, &'static str),
    /// From here on the flow carries another conversation, say through a proxy: this many bytes are done with, and what
    /// follows is identified as a new flow's first bytes are.
    Anew(usize),
    /// From here on the flow cannot be decoded (encrypted, or not this protocol after all).
    Stop,
}

/// Decodes the two byte streams of one connection.
pub trait StreamDissector: Send {
    /// This flow was handed over by the dissector of another protocol.
    fn handed_over(&mut self, _by: &'static str) {}
    /// Takes in-order bytes of direction `cx.dir`: all that were not consumed yet. Must be cheap while a message is
    /// incomplete (it is asked again at every segment) and must consume long bodies piecemeal: a direction that holds
    /// more than [`MAX_PENDING`] unconsumed bytes is given up.
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress;
    /// `missing` bytes of direction `cx.dir` are lost; unconsumed bytes before the gap are dropped. Return false if the
    /// protocol cannot be picked up again behind a gap.
    fn gap(&mut self, _cx: &mut Cx<'_>, _missing: u64) -> bool {
        false
    }
    /// Direction `cx.dir` ended (FIN): the unconsumed rest is `rest`. Close-delimited messages end here.
    fn end(&mut self, _cx: &mut Cx<'_>, _rest: &[u8]) {}
    /// The connection ended or was given up: rows still owed are written.
    fn close(&mut self, _cx: &mut Cx<'_>) {}
}

/// Most bytes a stream dissector may leave unconsumed in one direction.
pub const MAX_PENDING: usize = 4 << 20;
