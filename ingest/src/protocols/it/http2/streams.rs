//! Streams of a connection: header blocks, the bodies behind them, and who answers whom (RFC 9113, 8).

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pcapper_schema::Common;
use pcapper_schema::tables::Http2;

use crate::protocols::files::About;
use crate::protocols::it::dns;
use crate::protocols::it::http::body::{self, Content, Framing};
use crate::protocols::{Cx, Dir};

/// Most streams kept at once; the oldest is written out when one more comes.
const MAX_STREAMS: usize = 512;

/// Most octets of a block's fields that are kept: what a small block unpacks to may be large.
const MAX_FIELDS: usize = 1 << 20;

/// Longest DNS message.
const MAX_DNS: usize = 1 << 16;

/// Media type of DNS over HTTPS (RFC 8484, 6).
const DNS_TYPE: &str = "application/dns-message";

/// A decoded header block.
#[derive(Default)]
pub struct Block {
    common: Common,
    block_bytes: u32,
    header_bytes: u32,
    kept: usize,
    names: Vec<Cow<'static, str>>,
    method: Option<String>,
    scheme: Option<String>,
    authority: Option<String>,
    path: Option<String>,
    protocol: Option<String>,
    status: Option<u16>,
    host: Option<String>,
    user_agent: Option<String>,
    referrer: Option<String>,
    server: Option<String>,
    location: Option<String>,
    content_type: Option<String>,
    content_length: Option<u64>,
    content_encoding: Option<String>,
    cookie: Option<String>,
    authorization: Option<String>,
    grpc_status: Option<u16>,
    /// Fields could not be resolved.
    pub lost: bool,
    kind: Option<&'static str>,
    request: Option<(u64, i64)>,
}

impl Block {
    /// A block of so many octets on the wire.
    pub fn new(common: Common, wire: usize) -> Self {
        Self { common, block_bytes: u32::try_from(wire).unwrap_or(u32::MAX), ..Self::default() }
    }

    /// Takes one field.
    pub fn field(&mut self, name: &[u8], value: &[u8]) {
        let size = name.len().saturating_add(value.len()).saturating_add(32);
        self.header_bytes = self.header_bytes.saturating_add(u32::try_from(size).unwrap_or(u32::MAX));
        self.kept = self.kept.saturating_add(size);
        if self.kept > MAX_FIELDS {
            return;
        }
        self.names.push(Cow::Owned(String::from_utf8_lossy(name).into_owned()));
        let text = || String::from_utf8_lossy(value).into_owned();
        let slot = match name {
            b":method" => &mut self.method,
            b":scheme" => &mut self.scheme,
            b":authority" => &mut self.authority,
            b":path" => &mut self.path,
            b":protocol" => &mut self.protocol,
            b"host" => &mut self.host,
            b"user-agent" => &mut self.user_agent,
            b"referer" => &mut self.referrer,
            b"server" => &mut self.server,
            b"location" => &mut self.location,
            b"content-type" => &mut self.content_type,
            b"content-encoding" => &mut self.content_encoding,
            b"authorization" => &mut self.authorization,
            b"cookie" | b"set-cookie" => {
                let cookie = self.cookie.get_or_insert_default();
                if !cookie.is_empty() {
                    cookie.push_str("; ");
                }
                cookie.push_str(&String::from_utf8_lossy(value));
                return;
            }
            b":status" => {
                self.status = text().parse().ok();
                return;
            }
            b"content-length" => {
                self.content_length = text().parse().ok();
                return;
            }
            b"grpc-status" => {
                self.grpc_status = text().parse().ok();
                return;
            }
            _ => return,
        };
        if slot.is_none() {
            *slot = Some(text());
        }
    }

    fn is_type(&self, wanted: &str) -> bool {
        let media = self.content_type.as_deref().and_then(|value| value.split(';').next());
        media.is_some_and(|media| media.trim().eq_ignore_ascii_case(wanted))
    }

    fn is_grpc(&self) -> bool {
        self.content_type.as_deref().is_some_and(|value| value.starts_with("application/grpc"))
    }

    /// `/package.Service/Method` of a gRPC call.
    fn grpc_service(&self) -> Option<&str> {
        if !self.is_grpc() {
            return None;
        }
        self.path.as_deref()?.strip_prefix('/')?.split_once('/').map(|(service, _)| service).filter(|service| !service.is_empty())
    }
}

/// One direction of a stream.
#[derive(Default)]
struct Half {
    block: Option<Box<Block>>,
    /// A final header block came.
    begun: bool,
    ended: bool,
    gap: bool,
    body_bytes: u64,
    content: Option<Box<Content>>,
    /// The message of a DNS body.
    dns: Option<Vec<u8>>,
}

#[derive(Default)]
struct Stream {
    halves: [Half; 2],
    request: Option<(u64, i64)>,
    path: Option<String>,
    conversation: dns::Conversation,
}

impl Stream {
    fn half(&mut self, dir: Dir) -> &mut Half {
        let [orig, resp] = &mut self.halves;
        if dir == Dir::Orig { orig } else { resp }
    }
}

/// The streams of a connection.
#[derive(Default)]
pub struct Streams {
    streams: BTreeMap<u32, Stream>,
    /// The preface was seen, and nothing is missing since.
    whole: bool,
    upgrade: Option<&'static str>,
    /// As in `http2.version`; `None` for HTTP/2.
    version: Option<&'static str>,
}

impl Streams {
    /// Streams of HTTP/3.
    pub fn http3() -> Self {
        Self { upgrade: Some("alpn"), version: Some("3"), ..Self::default() }
    }

    /// The client sent its preface: the connection was seen from its beginning. Over TLS (`is_decrypted`) ALPN chose it.
    pub fn preface(&mut self, is_decrypted: bool) {
        self.whole = true;
        if is_decrypted {
            self.upgrade = Some("alpn");
        }
    }

    fn stream(&mut self, cx: &mut Cx<'_>, id: u32) -> &mut Stream {
        if self.streams.len() >= MAX_STREAMS && !self.streams.contains_key(&id) {
            self.drop_oldest(cx);
        }
        self.streams.entry(id).or_default()
    }

    fn drop_oldest(&mut self, cx: &mut Cx<'_>) {
        if let Some((id, mut stream)) = self.streams.pop_first() {
            for dir in [Dir::Orig, Dir::Resp] {
                self.flush(cx, id, &mut stream, dir, false);
            }
        }
    }

    /// Takes a header block of `cx.dir`.
    pub fn block(&mut self, cx: &mut Cx<'_>, id: u32, promised: Option<u32>, mut block: Block, end: bool) {
        let dir = cx.dir;
        if let Some(promised) = promised {
            block.kind = Some("push_promise");
            self.stream(cx, promised).request = Some((block.common.frame, cx.ts));
            self.write(cx.tables, id, &block, None);
            return;
        }
        // The request of an upgrade was HTTP/1.1's, and stream 1 is for its answer alone (RFC 7540, 3.2).
        if id == 1 && self.whole && self.upgrade.is_none() {
            let asked = self.streams.get(&1).is_some_and(|stream| stream.request.is_some());
            self.upgrade = match (block.method.is_some(), block.status) {
                (true, _) => Some("prior_knowledge"),
                (false, Some(_)) if !asked => Some("h2c"),
                _ => None,
            };
        }
        let how = (self.version, self.upgrade);
        let stream = self.stream(cx, id);
        let request = stream.request;
        let half = stream.half(dir);
        block.kind = match (block.method.is_some(), block.status) {
            (true, _) => Some("request"),
            (false, Some(100..=199)) => Some("informational"),
            (false, Some(_)) => Some("response"),
            (false, None) if half.begun => Some("trailers"),
            (false, None) => None,
        };
        match block.kind {
            Some("informational" | "trailers") => {
                block.request = request.filter(|_| block.kind == Some("informational"));
                write(cx.tables, id, how, &block, None);
                if end {
                    self.end(cx, id);
                }
                return;
            }
            Some("request") => {
                stream.request = Some((block.common.frame, cx.ts));
                stream.path.clone_from(&block.path);
            }
            Some("response") => block.request = request,
            _ => {}
        }
        let query = block.method.as_deref().filter(|method| *method == "GET").and(block.path.as_deref()).and_then(dns_query);
        let half = stream.half(dir);
        let before = half.block.take();
        half.begun = true;
        if block.is_type(DNS_TYPE) {
            half.dns = Some(Vec::new());
        } else if !block.is_grpc() && !end {
            let mut content = Box::<Content>::default();
            content.start(block.content_encoding.as_deref().unwrap_or_default().split(',').map(str::trim), true, 0);
            half.content = Some(content);
        }
        half.block = Some(Box::new(block));
        if let Some(query) = query {
            dns::decode(cx, dns::Carrier::Https, &query, &mut stream.conversation);
        }
        if let Some(before) = before {
            write(cx.tables, id, how, &before, Some((0, false)));
        }
        if end {
            self.end(cx, id);
        }
    }

    /// Takes octets of a body that `cx.dir` sends.
    pub fn body(&mut self, cx: &mut Cx<'_>, id: u32, bytes: &[u8]) {
        let half = self.stream(cx, id).half(cx.dir);
        half.body_bytes = half.body_bytes.saturating_add(bytes.len() as u64);
        match &mut half.dns {
            Some(message) if message.len().saturating_add(bytes.len()) < MAX_DNS => message.extend_from_slice(bytes),
            // No DNS message is as long.
            dns => *dns = None,
        }
        if let Some(content) = &mut half.content {
            body::feed(&mut Framing::UntilClose, content, bytes);
        }
    }

    /// Octets of a body are missing.
    pub fn lose(&mut self, dir: Dir, id: u32) {
        if let Some(stream) = self.streams.get_mut(&id) {
            let half = stream.half(dir);
            half.gap = true;
            half.dns = None;
            if let Some(content) = &mut half.content {
                content.lose();
            }
        }
    }

    /// Frames of `dir` are missing: of which stream is not known.
    pub fn lose_all(&mut self, dir: Dir) {
        self.whole = false;
        let ids: Vec<u32> = self.streams.keys().copied().collect();
        for id in ids {
            self.lose(dir, id);
        }
    }

    /// `cx.dir` ended its side of a stream.
    pub fn end(&mut self, cx: &mut Cx<'_>, id: u32) {
        let dir = cx.dir;
        let Some(mut stream) = self.streams.remove(&id) else { return };
        self.flush(cx, id, &mut stream, dir, true);
        stream.half(dir).ended = true;
        if !stream.halves.iter().all(|half| half.ended) {
            self.streams.insert(id, stream);
        }
    }

    /// `cx.dir` reset a stream: it sends no more of it, but what the other end sent before it knew may still come.
    pub fn reset(&mut self, cx: &mut Cx<'_>, id: u32) {
        let dir = cx.dir;
        let Some(mut stream) = self.streams.remove(&id) else { return };
        self.flush(cx, id, &mut stream, dir, false);
        stream.half(dir).ended = true;
        if !stream.halves.iter().all(|half| half.ended) {
            self.streams.insert(id, stream);
        }
    }

    /// Writes all that is still owed.
    pub fn close(&mut self, cx: &mut Cx<'_>) {
        while !self.streams.is_empty() {
            self.drop_oldest(cx);
        }
    }

    /// Writes what a direction of a stream carried; `ended` if it was shown to its end.
    fn flush(&self, cx: &mut Cx<'_>, id: u32, stream: &mut Stream, dir: Dir, ended: bool) {
        let half = stream.half(dir);
        let block = half.block.take();
        let whole = ended && !half.gap;
        let dns = half.dns.take().filter(|message| whole && !message.is_empty());
        let content = half.content.take();
        if let Some(block) = &block {
            self.write(cx.tables, id, block, Some((half.body_bytes, whole)));
        }
        if let Some(message) = dns {
            let before = std::mem::replace(&mut cx.dir, dir);
            dns::decode(cx, dns::Carrier::Https, &message, &mut stream.conversation);
            cx.dir = before;
        }
        if let (Some(block), Some(mut content)) = (block, content)
            && content.wire_bytes > 0
            && let Some(file) = content.take_file()
        {
            let about = About {
                source: "http2",
                filename: stream.path.as_deref().and_then(file_name),
                declared_mime: block.content_type.as_deref(),
                total_bytes: block.content_length.filter(|_| block.content_encoding.is_none()),
                stream_offset: None,
            };
            file.finish(cx, dir, about, whole);
        }
    }

    fn write(&self, tables: &mut pcapper_schema::TableSet, id: u32, block: &Block, body: Option<(u64, bool)>) {
        write(tables, id, (self.version, self.upgrade), block, body);
    }
}

/// Writes a row; `how` is version and upgrade.
fn write(tables: &mut pcapper_schema::TableSet, id: u32, how: (Option<&str>, Option<&str>), block: &Block, body: Option<(u64, bool)>) {
    let (version, upgrade) = how;
    use pcapper_schema::Row as _;
    let times = block.request.zip(block.common.ts);
    let row = Http2 {
        version: version.or(Some("2")),
        upgrade,
        stream_id: Some(id.into()),
        is_request: Some(block.method.is_some()),
        kind: block.kind,
        method: block.method.as_deref(),
        scheme: block.scheme.as_deref(),
        authority: block.authority.as_deref(),
        path: block.path.as_deref(),
        protocol: block.protocol.as_deref(),
        host: block.host.as_deref(),
        status_code: block.status,
        user_agent: block.user_agent.as_deref(),
        referrer: block.referrer.as_deref(),
        server: block.server.as_deref(),
        location: block.location.as_deref(),
        content_type: block.content_type.as_deref(),
        content_length: block.content_length,
        content_encoding: block.content_encoding.as_deref(),
        secret_cookie: block.cookie.as_deref(),
        secret_authorization: block.authorization.as_deref(),
        grpc_service: block.grpc_service(),
        grpc_status: block.grpc_status,
        header_names: (!block.names.is_empty()).then_some(block.names.as_slice()),
        header_bytes: Some(block.header_bytes),
        block_bytes: Some(block.block_bytes),
        body_bytes: body.map(|(bytes, _)| bytes),
        body_complete: body.map(|(_, whole)| whole),
        request_frame: block.request.map(|(frame, _)| frame),
        response_time_ms: times.map(|((_, asked), ts)| ts.saturating_sub(asked) as f64 / 1e6),
        hpack_lost: Some(block.lost),
    };
    Http2::slot(tables).push(&block.common, row);
}

/// The message in a path such as `/dns-query?dns=...` (RFC 8484, 4.1).
fn dns_query(path: &str) -> Option<Vec<u8>> {
    let (_, query) = path.split_once('?')?;
    let value = query.split('&').find_map(|pair| pair.strip_prefix("dns="))?;
    if value.len() > MAX_DNS {
        return None;
    }
    URL_SAFE_NO_PAD.decode(value.trim_end_matches('=')).ok().filter(|message| message.len() >= 12)
}

/// The last segment of a path, where it names a file.
fn file_name(path: &str) -> Option<&str> {
    let path = path.split(['?', '#']).next()?;
    path.rsplit('/').next().filter(|name| name.contains('.') && !name.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_calls_and_files() {
        let mut block = Block::new(Common::default(), 0);
        block.field(b"content-type", b"application/grpc+proto");
        block.field(b":path", b"/helloworld.Greeter/SayHello");
        assert_eq!(block.grpc_service(), Some("helloworld.Greeter"));
        assert_eq!(block.header_bytes, 12 + 22 + 32 + 5 + 28 + 32);
        assert_eq!(file_name("/a/b.exe?x=/c.d"), Some("b.exe"));
        assert_eq!(file_name("/dns-query"), None);
        assert_eq!(dns_query("/q?dns=AAABAAABAAAAAAAAAWEAAAEAAQ").map(|message| message.len()), Some(19));
    }
}
