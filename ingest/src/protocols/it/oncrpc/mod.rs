//! ONC RPC (RFC 5531) over UDP and record-marked TCP, on any port: portmap and rpcbind, mount, NFS, and the headers of all
//! other programs.
//!
//! A reply tells nothing but its transaction: calls are kept until it comes, and written then, or when the flow ends.

mod directory;
mod header;
mod nfs;
mod programs;
mod tree;
mod xdr;

use std::borrow::Cow;

use directory::Directory;
use header::{AUTH_TLS, Answer, Head, Looks, STARTTLS, looks};
use nfs::{At, Compound, Told};
use pcapper_schema::tables::RpcCalls;
use pcapper_schema::{Common, Row as _};
use programs::{MOUNT, NFS, NFS_ACL, PORTMAP};
use rustc_hash::FxHashMap;
use tree::{Pair, Pairs};

use crate::protocols::{Cx, DatagramDissector, DatagramKind, Group, Offer, Outcome, Progress, Protocol, StreamDissector, StreamKind, Verdict};
use crate::wire::Reader;

/// NFS, whose server is on 2049 unless portmap says otherwise.
pub static FILES: Protocol = Protocol {
    name: "nfs",
    group: Group::It,
    ports: &[2049],
    datagram: Some(DatagramKind { ip_protos: &[17], probe: |offer| probe(offer, is_nfs), start: || Box::<Session>::default() }),
    stream: Some(StreamKind { probe: |offer| probe_stream(offer, is_nfs), start: || Box::<Session>::default() }),
    ..Protocol::NONE
};

/// All other programs; 111 is that of portmap.
pub static PROTOCOL: Protocol = Protocol {
    name: "rpc_calls",
    group: Group::It,
    ports: &[111],
    datagram: Some(DatagramKind { ip_protos: &[17], probe: |offer| probe(offer, |_| true), start: || Box::<Session>::default() }),
    stream: Some(StreamKind { probe: |offer| probe_stream(offer, |_| true), start: || Box::<Session>::default() }),
    ..Protocol::NONE
};

/// Calls of a flow that wait for their reply.
const MAX_OPEN: usize = 8192;
/// Longest record that is waited for, and how much is read of a longer one, bytes.
const MAX_RECORD: usize = 3 << 20;
const HEAD_OF_LONG: usize = 1 << 16;
/// No fragment is longer, bytes: what says so is no record.
const MAX_FRAGMENT: usize = 1 << 25;
/// Shortest record: a reply that says that the authentication failed.
const MIN_RECORD: usize = 20;
/// Records that are longer are read as far as they are there, when the rest is lost, bytes.
const LONG_RECORD: usize = 1 << 14;
/// No header is longer, bytes: two authenticators of 400 octets.
const MAX_HEADER: usize = 848;

fn is_nfs(program: u32) -> bool {
    matches!(program, NFS | NFS_ACL)
}

fn probe(offer: &Offer<'_>, mine: fn(u32) -> bool) -> Verdict {
    match looks(offer.current()) {
        Looks::Call(program) if mine(program) => Verdict::Yes,
        Looks::Reply if offer.usual_port => Verdict::Yes,
        _ => Verdict::No,
    }
}

fn probe_stream(offer: &Offer<'_>, mine: fn(u32) -> bool) -> Verdict {
    let mut open = false;
    for bytes in offer.bytes.into_iter().filter(|bytes| !bytes.is_empty()) {
        match record(bytes) {
            Looks::Call(program) if mine(program) => return Verdict::Yes,
            Looks::Reply if offer.usual_port => return Verdict::Yes,
            Looks::Reply | Looks::Open => open = true,
            // A capture that starts midway.
            Looks::Other if offer.usual_port && next_record(bytes, |_| false).is_some() => return Verdict::Yes,
            _ => {}
        }
    }
    if open { Verdict::More } else { Verdict::No }
}

/// What the first record of a stream looks like (RFC 5531, section 11).
fn record(bytes: &[u8]) -> Looks {
    let Some((mark, rest)) = bytes.split_first_chunk::<4>() else {
        return if matches!(bytes, [first, ..] if first & 0x7f > 1) { Looks::Other } else { Looks::Open };
    };
    let (last, length) = fragment(*mark);
    if !(MIN_RECORD..MAX_FRAGMENT).contains(&length) {
        return Looks::Other;
    }
    match looks(rest.get(..length).unwrap_or(rest)) {
        // A header that its record does not hold.
        Looks::Open if rest.len() >= length && last => Looks::Other,
        looks => looks,
    }
}

/// A fragment's header: whether it is its record's last, and its length.
fn fragment(mark: [u8; 4]) -> (bool, usize) {
    let mark = u32::from_be_bytes(mark);
    (mark >> 31 == 1, usize::try_from(mark & 0x7fff_ffff).unwrap_or(usize::MAX))
}

/// Where in a stream the next record begins: a call, or a reply to a call that is `waiting`.
fn next_record(bytes: &[u8], waiting: impl Fn(u32) -> bool) -> Option<usize> {
    bytes.windows(12).enumerate().find_map(|(at, window)| {
        let &[0x80, _, _, _, a, b, c, d, 0, 0, 0, kind @ 0..=1] = window else { return None };
        let wanted = kind == 0 || waiting(u32::from_be_bytes([a, b, c, d]));
        (wanted && matches!(record(bytes.get(at..)?), Looks::Call(_) | Looks::Reply)).then_some(at)
    })
}

/// What a program makes of a call and its reply.
enum Program {
    Directory(Box<Directory>),
    Nfs(Box<Compound>),
    Other,
}

/// A call that waits for its reply.
struct Call {
    common: Common,
    head: Head,
    length: usize,
    repeats: u32,
    program: Program,
}

/// A reply's place and outcome.
struct Answered<'a> {
    frame: u64,
    ts: i64,
    length: usize,
    answer: Answer<'a>,
}

#[derive(Default)]
struct Session {
    open: FxHashMap<(usize, u32), Call>,
    /// Client and server, once there was a call of NFS.
    pair: Option<Pair>,
    sides: [Side; 2],
}

/// Where one direction of a stream is in its records.
#[derive(Default)]
struct Side {
    /// Fragments of a record that goes on.
    partial: Vec<u8>,
    /// Octets that are passed over.
    skip: usize,
    /// Records' places are known.
    in_step: bool,
    /// A fragment that is not all here: its length with its header, how much of it is here, whether it is the last of its
    /// record, and how it begins.
    need: usize,
    held: usize,
    last: bool,
    head: Vec<u8>,
}

impl Side {
    /// A fragment is incomplete. How a long one begins is kept: the rest may never come.
    fn wait(&mut self, need: usize, last: bool, bytes: &[u8]) -> Progress {
        (self.need, self.last, self.held) = (need, last, bytes.len());
        if need > LONG_RECORD && self.head.is_empty() && self.partial.is_empty() {
            self.head.extend_from_slice(bytes.get(4..4 + LONG_RECORD / 4).unwrap_or_default());
        }
        Progress::Consumed(0)
    }

    /// Octets are lost, with those that waited. Gives the beginning of the record that they were of.
    fn lose(&mut self, missing: u64) -> Vec<u8> {
        let waited = std::mem::take(&mut self.held);
        let head = std::mem::take(&mut self.head);
        let missing = usize::try_from(missing).unwrap_or(usize::MAX);
        let ahead = if waited > 0 { self.need.saturating_sub(waited) } else { self.skip };
        self.partial.clear();
        // The end of what is lost may lie in the same record, whose own end is known.
        self.in_step = self.in_step && ahead >= missing && ahead > 0 && (waited == 0 || self.last);
        self.skip = if self.in_step { ahead - missing } else { 0 };
        head
    }
}

impl Session {
    /// Takes one message; `Some` if the flow is TLS from here on.
    fn message(&mut self, cx: &mut Cx<'_>, bytes: &[u8], cut: bool) -> Option<&'static str> {
        match bytes {
            [_, _, _, _, 0, 0, 0, 0, ..] => {
                self.call(cx, bytes, cut);
                None
            }
            [a, b, c, d, 0, 0, 0, 1, rest @ ..] => {
                let call = self.open.remove(&(cx.dir.reverse().index(), u32::from_be_bytes([*a, *b, *c, *d])))?;
                reply(cx, call, Reader::new(rest), bytes.len(), cut)
            }
            _ => None,
        }
    }

    fn call(&mut self, cx: &mut Cx<'_>, bytes: &[u8], cut: bool) {
        let mut reader = Reader::new(bytes);
        let Ok(head) = Head::parse(&mut reader) else {
            if !cut {
                cx.anomaly("rpc_calls", "bad_length", "a call's header ends early or contradicts itself");
            }
            return;
        };
        let key = (cx.dir.index(), head.xid);
        if let Some(known) = self.open.get_mut(&key) {
            let same = |known: &Head| (known.program, known.version, known.procedure) == (head.program, head.version, head.procedure);
            if same(&known.head) {
                known.repeats = known.repeats.saturating_add(1);
                return;
            }
        }
        if head.bad_credential {
            cx.anomaly("rpc_calls", "bad_length", "a credential ends early or contradicts itself");
        }
        if let Some(old) = self.open.remove(&key) {
            emit(cx, &old, None);
        }
        if self.open.len() >= MAX_OPEN {
            cx.anomaly("rpc_calls", "limit_reached", "too many calls wait for their reply: they are written without");
            self.give_up(cx);
        }
        let common = cx.common(cx.dir);
        let arguments = header::unwrapped(head.gss, reader);
        let mut read = Ok(());
        let program = match head.program {
            PORTMAP | MOUNT => {
                let mut directory = Directory::default();
                if let Some(mut reader) = arguments {
                    read = directory.call(head.program, head.version, head.procedure, &mut reader);
                }
                Program::Directory(Box::new(directory))
            }
            NFS => {
                let mut compound = Compound::default();
                if let Some(mut at) = self.at(cx, &common)
                    && let Some(mut reader) = arguments
                {
                    read = compound.call(&mut at, head.version, head.procedure, &mut reader);
                }
                Program::Nfs(Box::new(compound))
            }
            _ => Program::Other,
        };
        if read.is_err() && !cut {
            cx.anomaly("rpc_calls", "bad_length", "a call's arguments end early or contradict themselves");
        }
        self.open.insert(key, Call { common, head, length: bytes.len(), repeats: 0, program });
    }

    /// The files of who calls and who is called.
    fn at<'a>(&mut self, cx: &'a mut Cx<'_>, call: &Common) -> Option<At<'a>> {
        let pair = call.src_ip.zip(call.dst_ip)?;
        let common = cx.common(cx.dir);
        let tree = cx.shared.get::<Pairs>().tree(pair);
        if self.pair.is_none() {
            self.pair = Some(pair);
            tree.flows += 1;
        }
        tree.tidy(cx.tables);
        Some(At { tree, tables: cx.tables, common })
    }

    /// Nothing more will be answered.
    fn give_up(&mut self, cx: &mut Cx<'_>) {
        let mut open: Vec<Call> = self.open.drain().map(|(_, call)| call).collect();
        open.sort_by_key(|call| (call.common.frame, call.head.xid));
        for call in open {
            emit(cx, &call, None);
        }
    }

    fn finish(&mut self, cx: &mut Cx<'_>) {
        self.give_up(cx);
        if let Some(pair) = self.pair.take() {
            let tree = cx.shared.get::<Pairs>().tree(pair);
            tree.flows = tree.flows.saturating_sub(1);
            if tree.flows == 0 {
                tree.finish_all(cx.tables);
            }
        }
    }
}

/// Takes a reply; `Some` if the flow is TLS from here on (RFC 9289, section 4.1).
fn reply(cx: &mut Cx<'_>, mut call: Call, mut reader: Reader<'_>, length: usize, cut: bool) -> Option<&'static str> {
    let answer = header::answer(&mut reader);
    let mut failed = answer.is_err();
    let answer = answer.unwrap_or(Answer { status: None, success: false, verifier: &[] });
    let head = &call.head;
    if answer.success
        && let Some(mut results) = header::unwrapped(head.gss, reader)
    {
        failed |= match &mut call.program {
            Program::Directory(directory) => {
                let read = directory.reply(head.program, head.version, head.procedure, &mut results);
                if let (Some(pair), Some(path), Some(handle)) = (call.common.src_ip.zip(call.common.dst_ip), &directory.path, &directory.handle) {
                    cx.shared.get::<Pairs>().tree(pair).mounted(handle, path);
                }
                read.is_err()
            }
            Program::Nfs(compound) => match call.common.src_ip.zip(call.common.dst_ip) {
                Some(pair) => {
                    let common = cx.common(cx.dir);
                    let mut at = At { tree: cx.shared.get::<Pairs>().tree(pair), tables: cx.tables, common };
                    compound.reply(&mut at, head.version, head.procedure, &mut results).is_err()
                }
                None => false,
            },
            Program::Other => false,
        };
    }
    if failed && !cut {
        cx.anomaly("rpc_calls", "bad_length", "a reply ends early or contradicts itself");
    }
    let to_tls = head.flavor == Some(AUTH_TLS) && answer.success && answer.verifier == STARTTLS;
    emit(cx, &call, Some(&Answered { frame: cx.frame, ts: cx.ts, length, answer }));
    to_tls.then_some("tls")
}

/// Writes the rows of a call.
fn emit(cx: &mut Cx<'_>, call: &Call, answered: Option<&Answered<'_>>) {
    let (head, common) = (&call.head, &call.common);
    let sys = head.sys.as_ref();
    let response_frame = answered.map(|answered| answered.frame);
    let response_time_ms = answered.zip(common.ts).map(|(answered, ts)| answered.ts.saturating_sub(ts) as f64 / 1e6);
    let none = Directory::default();
    let directory = match &call.program {
        Program::Directory(directory) => directory,
        _ => &none,
    };
    fn lines(list: Option<&Vec<String>>) -> Option<Vec<Cow<'_, str>>> {
        list.map(|list| list.iter().map(|line| Cow::Borrowed(line.as_str())).collect())
    }
    let (mappings, exports) = (lines(directory.mappings.as_ref()), lines(directory.exports.as_ref()));
    RpcCalls::slot(cx.tables).push(
        common,
        RpcCalls {
            xid: Some(head.xid),
            program: Some(head.program),
            program_name: programs::program(head.program),
            program_version: Some(head.version),
            procedure: Some(head.procedure),
            procedure_name: programs::procedure(head.program, head.version, head.procedure),
            auth_flavor: head.flavor,
            auth_flavor_name: head.flavor.and_then(header::flavor_name),
            machine_name: sys.map(|sys| sys.machine.as_str()).filter(|name| !name.is_empty()),
            uid: sys.map(|sys| sys.uid),
            gid: sys.map(|sys| sys.gid),
            gids: sys.map(|sys| sys.gids.as_slice()),
            gss_procedure: head.gss.map(|gss| gss.procedure),
            gss_service: head.gss.map(|gss| gss.service),
            response_frame,
            response_time_ms,
            retransmissions: Some(call.repeats),
            reply_status: answered.and_then(|answered| answered.answer.status),
            call_len: u32::try_from(call.length).ok(),
            reply_len: answered.and_then(|answered| u32::try_from(answered.length).ok()),
            query_program: directory.program,
            query_version: directory.version,
            query_protocol: directory.protocol,
            mapped_port: directory.port,
            mapped_address: directory.address.as_deref(),
            mappings: mappings.as_deref(),
            mount_path: directory.path.as_deref(),
            mount_status: directory.status,
            exports: exports.as_deref(),
            file_handle: directory.handle.as_deref(),
        },
    );
    if let (Program::Nfs(compound), Some(pair)) = (&call.program, common.src_ip.zip(common.dst_ip)) {
        let mut at = At { tree: cx.shared.get::<Pairs>().tree(pair), tables: cx.tables, common: *common };
        let (xid, version, procedure) = (head.xid, head.version, head.procedure);
        compound.emit(&mut at, common, &Told { xid, version, procedure, sys, response_frame, response_time_ms });
        compound.apply(&mut at);
    }
}

impl DatagramDissector for Session {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        if !matches!(looks(payload), Looks::Call(_) | Looks::Reply) {
            return Outcome::NotMine;
        }
        let cut = cx.packet.is_some_and(|packet| usize::try_from(packet.payload_len).is_ok_and(|length| length > packet.payload.len()));
        self.message(cx, payload, cut);
        Outcome::Decoded
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.finish(cx);
    }
}

impl StreamDissector for Session {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let Some(side) = self.sides.get_mut(cx.dir.index()) else { return Progress::Stop };
        if side.skip > 0 {
            let passed = bytes.len().min(side.skip);
            side.skip -= passed;
            return Progress::Consumed(passed);
        }
        if !side.in_step && record(bytes) == Looks::Other {
            side.partial.clear();
            let (other, open) = (cx.dir.reverse().index(), &self.open);
            return Progress::Consumed(match next_record(bytes, |xid| open.contains_key(&(other, xid))) {
                Some(0) | None => bytes.len().saturating_sub(MAX_HEADER),
                Some(start) => start,
            });
        }
        let Some((mark, rest)) = bytes.split_first_chunk::<4>() else { return Progress::Consumed(0) };
        let (last, length) = fragment(*mark);
        let no_message = side.partial.is_empty() && matches!(rest, [_, _, _, _, a, b, c, d, ..] if u32::from_be_bytes([*a, *b, *c, *d]) > 1);
        if no_message || length >= MAX_FRAGMENT {
            side.in_step = false;
            cx.anomaly("rpc_calls", "bad_length", "a record does not begin where the one before it ends");
            return Progress::Consumed(1);
        }
        side.in_step = true;
        // Of a record that is too long, only its beginning is read.
        let cut = side.partial.len().saturating_add(length) > MAX_RECORD;
        let wanted = if cut { length.min(HEAD_OF_LONG) } else { length };
        let Some(body) = rest.get(..wanted) else { return side.wait(4 + length, last, bytes) };
        (side.held, side.skip) = (0, length - wanted);
        side.head.clear();
        if cut {
            cx.anomaly("rpc_calls", "limit_reached", "a record is longer than the decoder holds: only its beginning is read");
            // Fragments that follow are found not to begin a record.
            side.in_step = last;
        } else if !last {
            side.partial.extend_from_slice(body);
            return Progress::Consumed(4 + wanted);
        }
        let message = if side.partial.is_empty() {
            Cow::Borrowed(body)
        } else {
            side.partial.extend_from_slice(body);
            Cow::Owned(std::mem::take(&mut side.partial))
        };
        match self.message(cx, &message, cut) {
            Some(protocol) => Progress::Handover(4 + wanted, protocol),
            None => Progress::Consumed(4 + wanted),
        }
    }

    fn gap(&mut self, cx: &mut Cx<'_>, missing: u64) -> bool {
        let Some(side) = self.sides.get_mut(cx.dir.index()) else { return false };
        let head = side.lose(missing);
        if !head.is_empty() {
            self.message(cx, &head, true);
        }
        true
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.finish(cx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting() -> Side {
        let mut side = Side { in_step: true, ..Side::default() };
        side.wait(100_000, true, &[7; 60_000]);
        side
    }

    #[test]
    fn a_loss_within_a_record() {
        let mut side = waiting();
        assert_eq!(side.lose(10_000).len(), LONG_RECORD / 4);
        assert!(side.in_step);
        assert_eq!(side.skip, 30_000);
        // What is passed over is lost in part.
        assert!(side.lose(1000).is_empty());
        assert_eq!((side.in_step, side.skip), (true, 29_000));
    }

    #[test]
    fn a_loss_beyond_a_record() {
        let mut side = waiting();
        side.lose(50_000);
        assert_eq!((side.in_step, side.skip), (false, 0));
    }

    #[test]
    fn records_are_found_again() {
        let mut bytes = vec![0; 50];
        let call: Vec<u8> = [0x8000_0028_u32, 7, 0, 2, 100_003, 3, 0, 0, 0, 0, 0].iter().flat_map(|word| word.to_be_bytes()).collect();
        bytes.extend(&call);
        assert_eq!(next_record(&bytes, |_| false), Some(50));
        for end in 0..call.len() {
            assert_ne!(record(&call[..end]), Looks::Other, "{end}");
        }
        assert_eq!(record(&call), Looks::Call(100_003));
    }
}
