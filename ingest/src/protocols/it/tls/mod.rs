//! TLS 1.0 to 1.3 (RFC 2246, 4346, 5246, 8446), SSL 2.0 and 3.0 (RFC 6101), on any port and after STARTTLS.
//!
//! Records are walked for the whole life of a connection, since alerts and heartbeats come at any time; bodies that are
//! encrypted are passed over without being held. [`Session`](session::Session) turns handshake messages into rows; it
//! serves DTLS ([`dtls`]) as well, and other carriers of handshakes may use it and [`hello`]. Where keys are given, or the
//! suite does not encrypt, [`Opener`](opener::Opener) opens the records, and what they carry is decoded as a conversation of
//! its own.

pub mod dtls;
pub mod fingerprints;
pub mod hello;
pub mod names;
pub mod opener;
pub mod session;

use fingerprints::Carrier;
use hello::{Hello, Ssl2Client, Ssl2Server};
use opener::{Opened, Opener};
use session::{Session, Source, kind};

pub use dtls::PROTOCOL as DTLS;

use crate::decrypt::plaintext::Plaintext;
use crate::protocols::inner::Inner;
use crate::protocols::{Cx, Dir, Offer, Progress, Protocol, StreamDissector, StreamKind, Verdict};
use crate::wire::{Reader, Wire};

/// Declaration.
pub static PROTOCOL: Protocol = Protocol {
    name: "tls",
    ports: &[443, 465, 563, 614, 636, 853, 989, 990, 991, 992, 993, 994, 995, 2083, 3269, 4443, 5061, 5671, 6514, 8443, 8883, 9443],
    stream: Some(StreamKind { probe, start: || Box::new(TlsStream::new()) }),
    ..Protocol::NONE
};

/// Protocols that turn to TLS midway, by the port of who answers: where the dissector that was there before hands over, it
/// is known instead.
const STARTTLS_PORTS: &[(u16, &str)] = &[
    (21, "ftp"),
    (25, "smtp"),
    (110, "pop3"),
    (143, "imap"),
    (389, "ldap"),
    (587, "smtp"),
    (3306, "mysql"),
    (3389, "rdp"),
    (5222, "xmpp"),
    (5269, "xmpp"),
    (5432, "postgres"),
    (6667, "irc"),
];

/// What TLS carries, by the port of who answers.
const INSIDE: &[(u16, &str)] = &[
    (443, "http"),
    (465, "smtp"),
    (636, "ldap"),
    (802, "modbus"),
    (853, "dns"),
    (990, "ftp"),
    (992, "telnet"),
    (993, "imap"),
    (995, "pop3"),
    (3269, "ldap"),
    (4843, "opcua"),
    (4911, "niagara_fox"),
    (5986, "http"),
    (6514, "syslog"),
    (8443, "http"),
    (8883, "mqtt"),
];

/// What protocols of ALPN are called here (IANA's registry of protocol ids).
const BY_ALPN: &[(&str, &str)] = &[
    ("h2", "http2"),
    ("http/1.0", "http"),
    ("http/1.1", "http"),
    ("dot", "dns"),
    ("smtp", "smtp"),
    ("imap", "imap"),
    ("pop3", "pop3"),
    ("ftp", "ftp"),
    ("mqtt", "mqtt"),
    ("coap", "coap"),
    ("smb", "smb"),
];

/// Record content types (RFC 8446, 5.1; RFC 6520).
pub(crate) mod content {
    pub const CHANGE_CIPHER_SPEC: u8 = 20;
    pub const ALERT: u8 = 21;
    pub const HANDSHAKE: u8 = 22;
    pub const APPLICATION_DATA: u8 = 23;
    pub const HEARTBEAT: u8 = 24;
}

/// Longest record body: 2^14 and what compression and encryption may add (RFC 5246, 6.2.3).
pub(crate) const MAX_RECORD: usize = (1 << 14) + 2048;

/// Longest handshake message put together; longer ones are passed over.
pub(crate) const MAX_MESSAGE: usize = 1 << 19;

/// Octets searched for a record before a direction is given up.
const MAX_SEARCH: usize = 1 << 20;

/// A record header of five octets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Header {
    content: u8,
    version: u16,
    length: usize,
}

impl Header {
    const SIZE: usize = 5;

    /// Reads a header; `Err` with too few bytes, `Ok(None)` if it cannot be one.
    fn parse(bytes: &[u8]) -> Wire<Option<Self>> {
        let mut reader = Reader::new(bytes);
        let content = reader.u8()?;
        let version = reader.be_u16()?;
        let length = usize::from(reader.be_u16()?);
        let sound = (content::CHANGE_CIPHER_SPEC..=content::HEARTBEAT).contains(&content)
            && (0x0300..=0x0304).contains(&version)
            && length <= MAX_RECORD
            // Only application data may be empty (RFC 5246, 6.2.1).
            && (length > 0 || content == content::APPLICATION_DATA);
        Ok(sound.then_some(Self { content, version, length }))
    }

    fn total(self) -> usize {
        Self::SIZE + self.length
    }
}

/// The first octets of one direction, judged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Looks {
    /// A hello, or two records in a row.
    Sure,
    /// One record header.
    Likely,
    Unlike,
    /// Too few bytes.
    Open,
}

fn looks(bytes: &[u8]) -> Looks {
    if bytes.is_empty() {
        return Looks::Open;
    }
    if let Some(verdict) = looks_ssl2(bytes) {
        return verdict;
    }
    let header = match Header::parse(bytes) {
        Ok(Some(header)) => header,
        Ok(None) => return Looks::Unlike,
        Err(_) => {
            let begins = bytes.first().is_some_and(|first| (20..=24).contains(first)) && bytes.get(1).is_none_or(|major| *major == 3);
            return if begins { Looks::Open } else { Looks::Unlike };
        }
    };
    if header.content == content::HANDSHAKE {
        match looks_hello(header, bytes.get(Header::SIZE..).unwrap_or_default()) {
            Looks::Unlike => {}
            verdict => return verdict,
        }
    }
    match bytes.get(header.total()..).map(Header::parse) {
        Some(Ok(Some(_))) => Looks::Sure,
        Some(Ok(None)) => Looks::Unlike,
        Some(Err(_)) | None => Looks::Likely,
    }
}

/// A handshake record that starts a hello.
fn looks_hello(header: Header, body: &[u8]) -> Looks {
    let mut reader = Reader::new(body);
    let fields = (|| {
        let message = reader.u8()?;
        let length = reader.be_u24()?;
        Wire::Ok((message, length, reader.be_u16()?))
    })();
    match fields {
        // The message may go on in further records, but not be shorter than its fixed fields.
        Ok((kind::CLIENT_HELLO, 38..=0x7ffff, 0x0300..=0x0304)) => Looks::Sure,
        Ok((kind::SERVER_HELLO, 36..=0xffff, 0x0300..=0x0304 | 0x7f00..=0x7fff)) => Looks::Sure,
        Ok(_) => Looks::Unlike,
        Err(_) if header.length < 6 => Looks::Unlike,
        Err(_) => match body.first() {
            None | Some(&(kind::CLIENT_HELLO | kind::SERVER_HELLO)) => Looks::Open,
            Some(_) => Looks::Unlike,
        },
    }
}

/// An SSL 2.0 record that holds a client hello; `None` if it certainly is none.
fn looks_ssl2(bytes: &[u8]) -> Option<Looks> {
    let length = ssl2_length(bytes)?;
    let known = bytes.get(2).is_none_or(|kind| *kind == 1) && matches!(bytes.get(3), None | Some(0 | 3));
    if !known || !(9 + 3 + 16..=1024).contains(&length) {
        return None;
    }
    match bytes.get(2..2 + length) {
        Some(message) => Ssl2Client::parse(message).is_ok().then_some(Looks::Sure),
        None => Some(Looks::Open),
    }
}

/// Length in a two-octet SSL 2.0 record header.
fn ssl2_length(bytes: &[u8]) -> Option<usize> {
    let (high, low) = (*bytes.first()?, bytes.get(1).copied().unwrap_or(0xff));
    (high & 0x80 != 0).then(|| usize::from(u16::from_be_bytes([high & 0x7f, low])))
}

fn probe(offer: &Offer<'_>) -> Verdict {
    let [one, other] = [looks(offer.bytes[0]), looks(offer.bytes[1])];
    match (one, other) {
        (Looks::Sure, _) | (_, Looks::Sure) => Verdict::Yes,
        (Looks::Likely, Looks::Likely) => Verdict::Yes,
        (Looks::Likely, _) | (_, Looks::Likely) if offer.usual_port => Verdict::Yes,
        (Looks::Unlike, _) | (_, Looks::Unlike) => Verdict::No,
        _ => Verdict::More,
    }
}

/// One direction of a connection.
#[derive(Default)]
struct Half {
    /// A record was read, or looked for.
    begun: bool,
    /// Octets of a record passed over, still to come.
    skip: usize,
    /// Octets missing from the record that the unconsumed bytes begin.
    missing: usize,
    /// The place in the byte stream is lost: a record has to be looked for.
    lost: bool,
    /// Octets searched in vain.
    searched: usize,
    /// Nothing more is expected of this direction.
    dead: bool,
    /// Handshake messages are encrypted from here on.
    encrypted: bool,
    /// Start of a handshake message that goes on in the next record.
    message: Vec<u8>,
    /// Where it came from so far.
    source: Source,
    /// The last frame taken from also holds the start of the next record.
    shared_frame: bool,
}

/// Decodes one TLS connection.
pub struct TlsStream {
    session: Session,
    halves: [Half; 2],
    begun: bool,
    /// Opens records; only where there is a hope to.
    opener: Option<Box<Opener>>,
    /// Nobody has looked for keys yet.
    unkeyed: bool,
    /// What the opened records carry.
    inner: Option<Box<Inner>>,
    /// The protocol that handed the connection over goes on inside.
    handed_by: Option<&'static str>,
}

impl TlsStream {
    fn new() -> Self {
        Self {
            session: Session::new(Carrier::Tls),
            halves: Default::default(),
            begun: false,
            opener: None,
            unkeyed: true,
            inner: None,
            handed_by: None,
        }
    }

    /// Records of this type from `dir` can be opened, it seems.
    fn opens(&self, dir: Dir, content: u8) -> bool {
        self.opener.as_ref().is_some_and(|opener| opener.is_sealed(dir, content))
    }

    /// Passes a handshake message to session and opener.
    fn message(&mut self, cx: &mut Cx<'_>, message_type: u8, message: &[u8], source: Source) {
        if std::mem::take(&mut self.unkeyed) && cx.shared.keys.is_some() {
            self.opener = Some(Box::new(Opener::new(cx.shared.keys.clone())));
        }
        if self.opener.is_none() && message_type == kind::SERVER_HELLO && chooses_null(message) {
            self.opener = Some(Box::new(Opener::new(None)));
        }
        if let Some(opener) = &self.opener {
            self.session.reads_on(opener.opens_handshake());
        }
        self.session.message(cx, message_type, message, source);
        if let Some(opener) = &mut self.opener {
            opener.message(cx, message_type, message);
        }
    }

    /// Opens a record, and takes what is in it.
    fn sealed(&mut self, cx: &mut Cx<'_>, header: Header, body: &[u8], first: bool, more: bool) {
        let Some(opener) = &mut self.opener else { return };
        let dir = cx.dir;
        match opener.open(dir, header, body) {
            Opened::Plain(content::APPLICATION_DATA, plain) => {
                self.session.flush(cx);
                self.plaintext(cx, &plain);
            }
            Opened::Plain(content, plain) => {
                self.halves[dir.index()].encrypted = false;
                let is_end = content == content::ALERT && plain.get(1) == Some(&0);
                self.record(cx, Header { content, ..header }, &plain, first, more);
                if is_end && let Some(inner) = &mut self.inner {
                    inner.end(cx);
                }
            }
            Opened::Sealed => self.halves[dir.index()].encrypted = !self.session.is_13(),
            Opened::Broken => {
                self.halves[dir.index()].encrypted = !self.session.is_13();
                self.session.flush(cx);
                cx.anomaly("tls", "decrypt_failed", "a record does not verify under its key; this direction is not decrypted any further");
            }
        }
        if let Some(opener) = &mut self.opener {
            opener.record_done(dir);
        }
    }

    /// Takes application data.
    fn plaintext(&mut self, cx: &mut Cx<'_>, plain: &[u8]) {
        if plain.is_empty() {
            return;
        }
        let is_client = self.session.is_client(cx.dir).unwrap_or(cx.dir == Dir::Orig);
        if let (Some(tap), Some(flow_id), 0) = (&mut cx.shared.tap, cx.flow_id, cx.shared.opened) {
            let ends = cx.ends;
            tap(&Plaintext { protocol: "tls", flow_id, ends, stream: None, dir: cx.dir, is_client, frame: cx.frame, ts: cx.ts, bytes: plain });
        }
        let inner = self.inner.get_or_insert_with(|| {
            let resumes = self.handed_by.filter(|by| matches!(*by, "smtp" | "imap" | "pop3" | "ftp" | "ldap"));
            if let Some(by) = resumes {
                return Box::new(Inner::of(by));
            }
            let server = self.session.client().map_or(Dir::Resp, Dir::reverse);
            let port = cx.ends[server.index()].port;
            let alpn = self.opener.as_ref().and_then(|opener| opener.alpn());
            let by_alpn = BY_ALPN.iter().find(|(id, _)| Some(*id) == alpn).map(|(_, name)| *name);
            let by_port = INSIDE.iter().find(|(known, _)| Some(*known) == port).map(|(_, name)| *name);
            let by_starttls = STARTTLS_PORTS.iter().find(|(known, _)| Some(*known) == port).map(|(_, name)| *name);
            Box::new(Inner::new([by_alpn, by_port, by_starttls].into_iter().flatten().collect()))
        });
        inner.bytes(cx, plain);
    }

    /// Reads what comes in SSL 2.0 records; `None` if `bytes` are not in that format.
    fn ssl2(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Option<Progress> {
        let length = ssl2_length(bytes)?;
        let kind = *bytes.get(2)?;
        if !matches!(kind, 1 | 4) {
            return None;
        }
        let Some(message) = bytes.get(2..2 + length) else {
            return Some(Progress::Consumed(0));
        };
        let source = Source { record_version: 0x0002, frames: u16::try_from(cx.frames_spanned).unwrap_or(u16::MAX) };
        if let Ok(hello) = Ssl2Client::parse(message) {
            self.session.ssl2_client(cx, &hello, source);
            return Some(Progress::Consumed(2 + length));
        }
        let hello = Ssl2Server::parse(message).ok()?;
        self.session.ssl2_server(cx, &hello, source);
        // What follows is one message in the clear that holds keys, then ciphertext.
        Some(Progress::Stop)
    }

    /// Takes one whole record. `first` is the first record of the bytes on offer, `more` if bytes follow it.
    fn record(&mut self, cx: &mut Cx<'_>, header: Header, body: &[u8], first: bool, more: bool) {
        let readable = !self.halves[cx.dir.index()].encrypted;
        match header.content {
            content::CHANGE_CIPHER_SPEC => {
                self.session.change_cipher_spec(cx);
                if let Some(opener) = &mut self.opener {
                    opener.change_cipher_spec(cx.dir);
                }
                let keep = self.session.is_13() || self.opens(cx.dir, content::HANDSHAKE);
                let half = &mut self.halves[cx.dir.index()];
                half.encrypted |= !keep;
                half.message.clear();
            }
            content::ALERT => self.session.alerts(cx, header.version, body, readable),
            content::HEARTBEAT => self.session.heartbeat(cx, header.version, body, readable),
            content::HANDSHAKE => self.handshake(cx, header.version, body, first, more),
            _ => {}
        }
    }

    fn handshake(&mut self, cx: &mut Cx<'_>, version: u16, body: &[u8], first: bool, more: bool) {
        let half = &mut self.halves[cx.dir.index()];
        if half.encrypted {
            // A hello that fits its record to the octet is not ciphertext: another handshake in the clear.
            if !whole_hello(body) {
                return;
            }
            half.encrypted = false;
            half.message.clear();
        }
        let frames = if first { cx.frames_spanned } else { 1 };
        let frames = u16::try_from(frames).unwrap_or(u16::MAX);
        let mut held = std::mem::take(&mut half.message);
        let fresh = held.is_empty();
        if fresh {
            half.source = Source { record_version: version, frames };
        } else {
            half.source.frames = half.source.frames.saturating_add(frames.saturating_sub(u16::from(!first || half.shared_frame)));
        }
        half.shared_frame = more;
        let source = half.source;
        let mut rest = if fresh {
            body
        } else {
            held.extend_from_slice(body);
            held.as_slice()
        };
        let mut of_record = 0usize;
        loop {
            let mut reader = Reader::new(rest);
            let (Ok(message_type), Ok(length)) = (reader.u8(), reader.be_u24()) else { break };
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            if !session::is_known(message_type) || length > MAX_MESSAGE {
                // Ciphertext: the capture began after the handshake.
                self.halves[cx.dir.index()].encrypted = true;
                rest = &[];
                break;
            }
            let Ok(message) = reader.take(length) else { break };
            // Messages after the first began in this record.
            let source = if of_record == 0 { source } else { Source { record_version: version, frames } };
            self.message(cx, message_type, message, source);
            of_record += 1;
            rest = reader.rest();
        }
        let left = if fresh {
            rest.to_vec()
        } else {
            let done = held.len() - rest.len();
            held.drain(..done);
            held
        };
        let half = &mut self.halves[cx.dir.index()];
        half.message = left;
        if of_record > 0 {
            half.source = Source { record_version: version, frames };
        }
        if self.session.is_13() {
            // Early data make a client change before the server answers; after a HelloRetryRequest it starts in the clear again.
            for half in &mut self.halves {
                half.encrypted = false;
            }
        }
    }
}

/// TLS that another protocol carries piece by piece, in order, in messages of its own.
pub struct Carried {
    stream: TlsStream,
    /// Of each direction, bytes that are not consumed yet, and the frames that brought them.
    pending: [Vec<u8>; 2],
    spans: [u32; 2],
    stopped: bool,
}

impl Default for Carried {
    /// A connection of which nothing was seen yet.
    fn default() -> Self {
        let mut stream = TlsStream::new();
        // The carrier's port is no sign of STARTTLS.
        stream.begun = true;
        Self { stream, pending: Default::default(), spans: [0; 2], stopped: false }
    }
}

impl Carried {
    /// Takes the next bytes of `cx.dir`.
    pub fn bytes(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) {
        if self.stopped || bytes.is_empty() {
            return;
        }
        let index = cx.dir.index();
        let mut pending = std::mem::take(&mut self.pending[index]);
        pending.extend_from_slice(bytes);
        self.spans[index] = self.spans[index].saturating_add(1);
        let outer = std::mem::replace(&mut cx.frames_spanned, self.spans[index]);
        let mut done = 0;
        while let Some(rest) = pending.get(done..).filter(|rest| !rest.is_empty()) {
            match self.stream.data(cx, rest) {
                Progress::Consumed(0) => break,
                Progress::Consumed(count) => {
                    done = done.saturating_add(count).min(pending.len());
                    self.spans[index] = 1;
                    cx.frames_spanned = 1;
                }
                Progress::Handover(..) | Progress::Anew(_) | Progress::Stop => {
                    self.stopped = true;
                    break;
                }
            }
        }
        cx.frames_spanned = outer;
        pending.drain(..done);
        if pending.is_empty() {
            self.spans[index] = 0;
        }
        if self.stopped {
            self.pending = Default::default();
        } else {
            self.pending[index] = pending;
        }
    }

    /// Nothing more comes: writes what is owed.
    pub fn close(&mut self, cx: &mut Cx<'_>) {
        self.stream.close(cx);
    }
}

/// The server hello settles on a suite that does not encrypt.
fn chooses_null(body: &[u8]) -> bool {
    Hello::server(body).is_ok_and(|hello| hello.ciphers.first().is_some_and(|code| opener::is_null(*code)))
}

/// The record holds a hello and nothing else.
fn whole_hello(body: &[u8]) -> bool {
    let mut reader = Reader::new(body);
    matches!(reader.u8(), Ok(kind::CLIENT_HELLO | kind::SERVER_HELLO))
        && reader.be_u24().is_ok_and(|length| usize::try_from(length) == Ok(reader.len()))
}

/// Finds a record after lost bytes. Returns how many bytes to pass over, and whether a record starts behind them.
fn search(bytes: &[u8]) -> (usize, bool) {
    for at in 0..bytes.len() {
        let rest = bytes.get(at..).unwrap_or_default();
        match Header::parse(rest) {
            Ok(None) => {}
            Err(_) => return (at, false),
            // One header says little in the middle of ciphertext: the next must follow, or the bytes must end with the record.
            Ok(Some(header)) => match rest.get(header.total()..) {
                Some([]) => return (at, true),
                Some(next) => match Header::parse(next) {
                    Ok(Some(_)) => return (at, true),
                    Ok(None) => {}
                    Err(_) => return (at, false),
                },
                None => return (at, false),
            },
        }
    }
    (bytes.len(), false)
}

impl StreamDissector for TlsStream {
    fn handed_over(&mut self, by: &'static str) {
        // HTTP hands over tunnels, whose server is another than its own.
        if by != "http" {
            self.session.set_starttls(Some(by));
        }
        self.handed_by = Some(by);
        self.begun = true;
    }

    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        if !std::mem::replace(&mut self.begun, true) {
            let port = cx.ends[Dir::Resp.index()].port;
            self.session.set_starttls(STARTTLS_PORTS.iter().find(|(known, _)| Some(*known) == port).map(|(_, name)| *name));
        }
        let index = cx.dir.index();
        if !self.halves[index].begun
            && let Some(progress) = self.ssl2(cx, bytes)
        {
            return progress;
        }
        let mut at = 0;
        let mut first = true;
        loop {
            let half = &mut self.halves[index];
            half.missing = 0;
            let rest = bytes.get(at..).unwrap_or_default();
            if half.dead {
                at = bytes.len();
                break;
            }
            if half.skip > 0 {
                let taken = half.skip.min(rest.len());
                half.skip -= taken;
                at += taken;
                if half.skip > 0 {
                    break;
                }
                first = false;
                continue;
            }
            if half.lost {
                let (passed, found) = search(rest);
                half.searched = half.searched.saturating_add(passed);
                at += passed;
                half.lost = !found;
                half.dead = half.searched > MAX_SEARCH;
                if !found {
                    break;
                }
                half.searched = 0;
                continue;
            }
            let header = match Header::parse(rest) {
                Ok(Some(header)) => header,
                Ok(None) => {
                    half.begun = true;
                    half.lost = true;
                    half.message.clear();
                    continue;
                }
                Err(_) => break,
            };
            half.begun = true;
            if header.content == content::APPLICATION_DATA && !self.opens(cx.dir, header.content) {
                // With application data the handshake is over; its end may have been lost.
                self.session.flush(cx);
                self.halves[index].skip = header.total();
                continue;
            }
            let Some(body) = rest.get(Header::SIZE..header.total()) else {
                self.halves[index].missing = header.total() - rest.len();
                break;
            };
            at += header.total();
            if self.opens(cx.dir, header.content) {
                self.sealed(cx, header, body, first, at < bytes.len());
            } else {
                self.record(cx, header, body, first, at < bytes.len());
            }
            first = false;
        }
        if self.halves.iter().all(|half| half.dead) { Progress::Stop } else { Progress::Consumed(at) }
    }

    fn gap(&mut self, cx: &mut Cx<'_>, missing: u64) -> bool {
        self.session.flush(cx);
        let half = &mut self.halves[cx.dir.index()];
        half.begun = true;
        half.message.clear();
        let ahead = half.skip.saturating_add(std::mem::take(&mut half.missing));
        let is_one = match usize::try_from(missing).ok().and_then(|missing| ahead.checked_sub(missing)) {
            // Only the body of a record was lost.
            Some(left) if ahead > 0 => {
                half.skip = left;
                true
            }
            _ => {
                half.skip = 0;
                half.lost = true;
                false
            }
        };
        if let Some(opener) = self.opener.as_mut().filter(|opener| opener.is_sealed(cx.dir, content::APPLICATION_DATA)) {
            if is_one {
                opener.lost_one(cx.dir);
            } else {
                opener.lost(cx.dir, missing);
            }
            if let Some(inner) = &mut self.inner {
                inner.gap(cx);
            }
        }
        true
    }

    fn end(&mut self, cx: &mut Cx<'_>, _rest: &[u8]) {
        if let Some(inner) = &mut self.inner {
            inner.end(cx);
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.session.flush(cx);
        if let Some(inner) = &mut self.inner {
            inner.close(cx);
        }
        if self.opener.is_none() && cx.shared.keys.is_some() {
            // No handshake was seen.
            self.opener = Some(Box::new(Opener::new(cx.shared.keys.clone())));
        }
        if let Some(opener) = self.opener.take() {
            opener.write(cx, self.inner.as_ref().and_then(|inner| inner.service()));
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};
    use arrow::datatypes::DataType;
    use pcapper_schema::tables::Tls;
    use pcapper_schema::{Row, TableSet};

    use super::hello::tests::client_body;
    use super::*;
    use crate::protocols::{Endpoint, Shared};

    fn record(content: u8, body: &[u8]) -> Vec<u8> {
        let mut record = vec![content, 3, 1];
        record.extend((body.len() as u16).to_be_bytes());
        record.extend_from_slice(body);
        record
    }

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let mut message = vec![kind];
        message.extend(&(body.len() as u32).to_be_bytes()[1..]);
        message.extend_from_slice(body);
        message
    }

    /// TLS 1.2, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, no extensions.
    fn server_body(suite: u16) -> Vec<u8> {
        let mut body = vec![3, 3];
        body.extend([9; 32]);
        body.push(0);
        body.extend(suite.to_be_bytes());
        body.push(0);
        body
    }

    enum Step<'a> {
        Data(Dir, &'a [u8]),
        Gap(Dir, u64),
    }

    /// Feeds the pieces, one a frame, and returns a column of the rows made, as text.
    fn run(steps: &[Step<'_>]) -> impl Fn(&str) -> Vec<Option<String>> + use<> {
        let (mut tables, mut shared) = (TableSet::default(), Shared::default());
        let mut stream = TlsStream::new();
        let mut pending = [Vec::new(), Vec::new()];
        let mut spans = [0; 2];
        for (frame, step) in (1..).zip(steps) {
            let (Step::Data(dir, _) | Step::Gap(dir, _)) = *step;
            let index = dir.index();
            spans[index] += 1;
            let mut cx = Cx {
                tables: &mut tables,
                shared: &mut shared,
                frame,
                ts: 0,
                packet: None,
                flow_id: None,
                ends: [Endpoint::default(); 2],
                dir,
                frames_spanned: spans[index],
            };
            match step {
                Step::Data(_, bytes) => {
                    pending[index].extend_from_slice(bytes);
                    let Progress::Consumed(count) = stream.data(&mut cx, &pending[index]) else { panic!("not consumed") };
                    pending[index].drain(..count);
                    spans[index] = if pending[index].is_empty() {
                        0
                    } else if count > 0 {
                        1
                    } else {
                        spans[index]
                    };
                }
                Step::Gap(_, missing) => {
                    pending[index].clear();
                    assert!(stream.gap(&mut cx, *missing));
                }
            }
            if frame as usize == steps.len() {
                stream.close(&mut cx);
            }
        }
        let rows = Tls::slot(&mut tables).finish("c", "id");
        move |column| {
            let text = arrow::compute::cast(rows.column_by_name(column).unwrap(), &DataType::Utf8).unwrap();
            let text = text.as_string::<i32>();
            (0..text.len()).map(|row| text.is_valid(row).then(|| text.value(row).to_owned())).collect()
        }
    }

    fn some(texts: &[&str]) -> Vec<Option<String>> {
        texts.iter().map(|text| Some((*text).to_owned())).collect()
    }

    #[test]
    fn messages_cross_records_and_segments() {
        let hello = message(1, &client_body());
        let (start, end) = hello.split_at(50);
        let client = [record(22, start), record(22, end)].concat();
        let mut flight = message(2, &server_body(0xc02f));
        flight.extend(message(12, &[3, 0, 29, 1, 4]));
        flight.extend(message(14, &[]));
        let server = [record(22, &flight), record(20, &[1]), record(22, &[0xee; 40]), record(21, &[0xdd; 26])].concat();
        let column = run(&[
            Step::Data(Dir::Orig, &client[..20]),
            Step::Data(Dir::Orig, &client[20..60]),
            Step::Data(Dir::Orig, &client[60..]),
            Step::Data(Dir::Resp, &server),
        ]);
        assert_eq!(column("message"), some(&["client_hello", "server_hello", "alert"]));
        assert_eq!(column("frame"), some(&["3", "4", "4"]));
        assert_eq!(column("frames_spanned"), some(&["3", "1", "1"]));
        assert_eq!(column("curve"), [None, Some("x25519".into()), None]);
        assert_eq!(column("resumed"), [None, Some("false".into()), None]);
        assert_eq!(column("alert"), [None, None, None]);
        assert_eq!(column("is_client"), some(&["true", "false", "false"]));
    }

    #[test]
    fn a_retry_is_the_same_handshake() {
        let mut retry = server_body(0x1301);
        retry.splice(2..34, hello_retry_random());
        retry.extend([0, 12, 0, 43, 0, 2, 3, 4, 0, 51, 0, 2, 0, 24]);
        let hello = record(22, &message(1, &client_body()));
        let again = [record(20, &[1]), hello.clone()].concat();
        let answer = [record(22, &message(2, &retry)), record(20, &[1])].concat();
        let column = run(&[Step::Data(Dir::Orig, &hello), Step::Data(Dir::Resp, &answer), Step::Data(Dir::Orig, &again)]);
        assert_eq!(column("message"), some(&["client_hello", "hello_retry_request", "client_hello"]));
        assert_eq!(column("handshake_index"), some(&["0", "0", "0"]));
        assert_eq!(column("version"), [None, Some("TLS1.3".into()), None]);
        assert_eq!(column("curve"), [None, Some("secp384r1".into()), None]);
    }

    fn hello_retry_random() -> Vec<u8> {
        use sha2::Digest;
        sha2::Sha256::digest(b"HelloRetryRequest").to_vec()
    }

    #[test]
    fn a_record_is_found_again_after_a_gap() {
        let data = record(23, &[0; 100]);
        let alerts = [record(21, &[1, 0]), record(21, &[2, 40, 1, 90])].concat();
        let column = run(&[
            Step::Data(Dir::Resp, &data[..50]),
            Step::Gap(Dir::Resp, 30),
            Step::Data(Dir::Resp, &[&data[80..], &alerts[..]].concat()),
            Step::Gap(Dir::Resp, 10),
            Step::Data(Dir::Resp, &[&[0x55; 30][..], &alerts[..]].concat()),
        ]);
        assert_eq!(
            column("alert"),
            some(&["close_notify", "handshake_failure", "user_canceled", "close_notify", "handshake_failure", "user_canceled"])
        );
        assert_eq!(column("frame"), some(&["3", "3", "3", "5", "5", "5"]));
    }

    #[test]
    fn heartbleed_shows_in_its_lengths() {
        let column = run(&[Step::Data(Dir::Orig, &record(24, &[1, 0x40, 0])), Step::Data(Dir::Resp, &record(24, &[2, 0, 3, 1, 2, 3, 0, 0]))]);
        assert_eq!(column("heartbeat_payload_length"), some(&["16384", "3"]));
        assert_eq!(column("heartbeat_record_length"), some(&["3", "8"]));
    }

    #[test]
    fn probes() {
        let verdict = |one: &[u8], other: &[u8], usual_port| {
            probe(&Offer { bytes: [one, other], dir: Dir::Orig, ports: [None, None], usual_port, src: None, dst: None })
        };
        let hello = record(22, &message(1, &client_body()));
        assert_eq!(verdict(&hello[..40], &[], false), Verdict::Yes);
        assert_eq!(verdict(&hello[..4], &[], false), Verdict::More);
        assert_eq!(verdict(b"GET / HTTP/1.1\r\n", &[], true), Verdict::No);
        let data = record(23, &[7; 10]);
        assert_eq!(verdict(&data, &[], false), Verdict::More);
        assert_eq!(verdict(&data, &[], true), Verdict::Yes);
        assert_eq!(verdict(&[data.clone(), data].concat(), &[], false), Verdict::Yes);
        // A binary protocol's length field that happens to look like a record.
        assert_eq!(verdict(&[22, 3, 1, 0, 4, 9, 9, 9, 9, 1, 1, 1, 1, 1], &[], true), Verdict::No);
    }

    #[test]
    fn dh_prime_in_bits() {
        let mut exchange = vec![0, 128];
        exchange.extend([0xff; 128]);
        exchange.extend([0, 1, 2, 0, 1, 4]);
        let flight = [message(2, &server_body(0x0033)), message(12, &exchange)].concat();
        let column = run(&[Step::Data(Dir::Resp, &record(22, &flight))]);
        assert_eq!(column("dh_prime_bits"), some(&["1024"]));
    }
}
