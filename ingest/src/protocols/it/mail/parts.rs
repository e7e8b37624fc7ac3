//! The parts of a message (RFC 2045, 2046), read line by line as it arrives.
//!
//! Nothing of a part is kept but what is asked for: the header while it lasts, the first text, links, and the hashes of
//! attachments.

use pcapper_schema::Common;

use super::charset;
use super::fields::{Content, Fields};
use super::links::{self, Html, Links, Plain};
use super::transfer::Transfer;
use crate::protocols::files::{About, Follower};
use crate::protocols::{Cx, Dir};

/// Longest line that is held until its end is there; longer ones are read in pieces.
const MAX_LINE: usize = 8 << 10;
/// Most bytes of a header that are read.
const MAX_HEADER: usize = 64 << 10;
/// Parts within parts, and messages within messages.
const MAX_LEVELS: usize = 16;
/// Parts of a message.
const MAX_PARTS: usize = 1000;
/// Attachments of a message.
const MAX_ATTACHMENTS: usize = 256;
/// Longest boundary; RFC 2046 allows 70.
const MAX_BOUNDARY: usize = 256;
/// Bytes of text that are kept: enough for its first characters in any character set.
const MAX_TEXT: usize = 16 << 10;
/// Characters of text that a row holds.
const TEXT_CHARACTERS: usize = 4096;

/// A part that is a file.
#[derive(Debug)]
pub struct Attached {
    pub name: Option<String>,
    pub kind: Option<String>,
    pub sha256: Option<String>,
}

/// A part that is being hashed.
struct Open {
    index: usize,
    follower: Follower,
}

/// A message that is a part: hashed as it stands while its own parts are read.
struct Wrapper {
    open: Open,
    /// Levels that were open around it.
    outside: usize,
    fresh: bool,
}

/// An open multipart.
struct Level {
    boundary: Vec<u8>,
    digest: bool,
}

/// Text that is read.
enum Reading {
    Plain(Plain),
    Html(Box<Html>),
}

/// Content without parts.
struct Leaf {
    transfer: Transfer,
    fresh: bool,
    open: Option<Open>,
    reading: Option<Reading>,
    charset: String,
    text: Vec<u8>,
    out: Vec<u8>,
}

enum Place {
    Header,
    Leaf(Box<Leaf>),
    /// Before the first part, behind the last, or in what is not read.
    Between,
}

/// A message as it arrives.
pub struct Parts {
    source: &'static str,
    sender: Dir,
    place: Place,
    header: Vec<u8>,
    levels: Vec<Level>,
    wrappers: Vec<Wrapper>,
    nested: usize,
    parts: usize,
    line: Vec<u8>,
    mid_line: bool,
    /// What ended the line before: it belongs to the boundary if that comes next (RFC 2046, 5.1.1).
    line_end: &'static [u8],
    limited: bool,
    pub fields: Option<Fields>,
    pub attached: Vec<Attached>,
    pub links: Links,
    pub plain_text: Option<String>,
    pub html_text: Option<String>,
}

impl Parts {
    pub fn new(source: &'static str, sender: Dir) -> Self {
        Self {
            source,
            sender,
            place: Place::Header,
            header: Vec::new(),
            levels: Vec::new(),
            wrappers: Vec::new(),
            nested: 0,
            parts: 0,
            line: Vec::new(),
            mid_line: false,
            line_end: b"",
            limited: false,
            fields: None,
            attached: Vec::new(),
            links: Links::default(),
            plain_text: None,
            html_text: None,
        }
    }

    /// Takes the next octets.
    pub fn push(&mut self, cx: &mut Cx<'_>, octets: &[u8]) {
        let mut rest = octets;
        while let Some(end) = rest.iter().position(|octet| *octet == b'\n') {
            let (line, after) = rest.split_at_checked(end + 1).unwrap_or((rest, &[]));
            rest = after;
            if self.line.is_empty() {
                self.whole_line(cx, line);
            } else {
                self.line.extend_from_slice(line);
                let mut line = std::mem::take(&mut self.line);
                self.whole_line(cx, &line);
                line.clear();
                self.line = line;
            }
        }
        self.line.extend_from_slice(rest);
        if self.line.len() > MAX_LINE {
            let mut line = std::mem::take(&mut self.line);
            // The carriage return may be half of the line's end.
            let last = line.pop_if(|octet| *octet == b'\r');
            self.piece(cx, &line, b"");
            line.clear();
            line.extend(last);
            self.line = line;
        }
    }

    fn whole_line(&mut self, cx: &mut Cx<'_>, line: &[u8]) {
        if let Some(content) = line.strip_suffix(b"\r\n") {
            self.piece(cx, content, b"\r\n");
        } else {
            self.piece(cx, line.strip_suffix(b"\n").unwrap_or(line), b"\n");
        }
    }

    /// Takes a line, or a piece of one whose end is still to come.
    fn piece(&mut self, cx: &mut Cx<'_>, content: &[u8], end: &'static [u8]) {
        let starts = !std::mem::replace(&mut self.mid_line, end.is_empty());
        let before = std::mem::replace(&mut self.line_end, end);
        if starts && let Some((level, last)) = self.boundary(content) {
            if matches!(self.place, Place::Header) {
                self.header_ended(cx);
            }
            self.close_leaf(cx, true);
            self.close_wrappers(cx, level, true);
            self.levels.truncate(if last { level } else { level + 1 });
            self.parts += 1;
            self.header.clear();
            self.place = if last { Place::Between } else { Place::Header };
            if self.parts > MAX_PARTS {
                self.limit(cx, "a message has more than 1000 parts");
                self.place = Place::Between;
            }
            return;
        }
        // A message whose first line is no field has no header.
        let bare = starts && self.fields.is_none() && self.header.is_empty() && !content.is_empty() && !content.contains(&b':');
        if bare && matches!(self.place, Place::Header) {
            self.header_ended(cx);
        }
        for wrapper in &mut self.wrappers {
            if !std::mem::take(&mut wrapper.fresh) {
                wrapper.open.follower.push(before);
            }
            wrapper.open.follower.push(content);
        }
        match &mut self.place {
            Place::Header if starts && content.is_empty() && !end.is_empty() => self.header_ended(cx),
            Place::Header => {
                if self.header.len().saturating_add(content.len()) <= MAX_HEADER {
                    self.header.extend_from_slice(content);
                    self.header.extend_from_slice(end);
                } else {
                    self.limit(cx, "a header is longer than 64 KiB; the rest of it is passed over");
                }
            }
            Place::Leaf(leaf) => leaf.take(before, content, &mut self.links),
            Place::Between => {}
        }
    }

    fn limit(&mut self, cx: &mut Cx<'_>, detail: &str) {
        if !std::mem::replace(&mut self.limited, true) {
            cx.anomaly("email", "limit_reached", detail);
        }
    }

    /// The multipart whose boundary the line is, and whether it is the last one.
    fn boundary(&self, line: &[u8]) -> Option<(usize, bool)> {
        let rest = line.strip_prefix(b"--")?;
        self.levels.iter().enumerate().rev().find_map(|(index, level)| {
            let tail = rest.strip_prefix(&*level.boundary)?;
            if tail.trim_ascii().is_empty() {
                return Some((index, false));
            }
            tail.strip_prefix(b"--").filter(|tail| tail.trim_ascii().is_empty()).map(|_| (index, true))
        })
    }

    /// The empty line behind a header: what follows is known now.
    fn header_ended(&mut self, cx: &mut Cx<'_>) {
        let header = std::mem::take(&mut self.header);
        let content = if self.fields.is_none() {
            let (fields, content) = Fields::read(&header);
            self.fields = Some(fields);
            content
        } else {
            Content::read(&header)
        };
        let main = content.kind.as_ref().map_or("", |kind| kind.main.as_str());
        let in_digest = main.is_empty() && self.levels.last().is_some_and(|level| level.digest);
        let name = content.file_name();
        let is_file = name.is_some() || content.disposition.as_ref().is_some_and(|disposition| disposition.main == "attachment");
        if main.starts_with("multipart/") {
            let boundary = content.kind.as_ref().and_then(|kind| kind.parameter("boundary")).filter(|boundary| boundary.len() <= MAX_BOUNDARY);
            self.place = Place::Between;
            match boundary {
                Some(boundary) if self.levels.len() < MAX_LEVELS => {
                    self.levels.push(Level { boundary: boundary.trim_end().as_bytes().to_vec(), digest: main == "multipart/digest" });
                }
                Some(_) => self.limit(cx, "parts are nested deeper than 16 levels"),
                None => cx.anomaly("email", "bad_value", "a multipart names no boundary"),
            }
            return;
        }
        let transfer = Transfer::named(&content.encoding);
        let message = in_digest || matches!(main, "message/rfc822" | "message/global");
        let open = if is_file { self.open(name, main) } else { None };
        if message && matches!(transfer, Transfer::Identity) && self.nested < MAX_LEVELS {
            self.nested += 1;
            if let Some(open) = open {
                self.wrappers.push(Wrapper { open, outside: self.levels.len(), fresh: true });
            }
            self.place = Place::Header;
            return;
        }
        let reading = match main {
            _ if is_file => None,
            "" | "text/plain" if !message => Some(Reading::Plain(Plain::default())),
            "text/html" => Some(Reading::Html(Box::default())),
            _ => None,
        };
        let charset = content.kind.as_ref().and_then(|kind| kind.parameter("charset")).unwrap_or_default();
        self.place = Place::Leaf(Box::new(Leaf { transfer, fresh: true, open, reading, charset, text: Vec::new(), out: Vec::new() }));
    }

    fn open(&mut self, name: Option<String>, main: &str) -> Option<Open> {
        if self.attached.len() >= MAX_ATTACHMENTS {
            return None;
        }
        let index = self.attached.len();
        self.attached.push(Attached { name, kind: (!main.is_empty()).then(|| main.to_owned()), sha256: None });
        Some(Open { index, follower: Follower::default() })
    }

    fn close_leaf(&mut self, cx: &mut Cx<'_>, ended: bool) {
        let Place::Leaf(mut leaf) = std::mem::replace(&mut self.place, Place::Between) else { return };
        leaf.out.clear();
        let whole = leaf.transfer.end(&mut leaf.out);
        leaf.give(&mut self.links);
        let text = match &mut leaf.reading {
            Some(Reading::Plain(plain)) => {
                plain.end(&mut self.links);
                &mut self.plain_text
            }
            Some(Reading::Html(html)) => {
                html.end(&mut self.links);
                &mut self.html_text
            }
            None => {
                if let Some(open) = leaf.open {
                    self.close(cx, open, ended && whole);
                }
                return;
            }
        };
        if text.is_none() && !matches!(leaf.transfer, Transfer::Unknown) {
            let plain = charset::decode(&leaf.charset, &leaf.text);
            let is_html = matches!(leaf.reading, Some(Reading::Html(_)));
            let plain = if is_html { plain.map(|plain| squeezed(&links::unescaped(&plain))) } else { plain };
            if let Some(plain) = &plain {
                let common = cx.common(self.sender);
                crate::text::body(
                    cx.tables,
                    crate::text::Place::new(&common, "mail_body", "email"),
                    plain.as_bytes(),
                    plain.len() as u64,
                    is_html.then_some("text/html"),
                    None,
                );
            }
            *text = plain.map(|text| text.chars().take(TEXT_CHARACTERS).collect::<String>()).filter(|text| !text.trim().is_empty());
        }
    }

    /// Messages within a multipart that goes on end.
    fn close_wrappers(&mut self, cx: &mut Cx<'_>, level: usize, ended: bool) {
        while let Some(wrapper) = self.wrappers.pop_if(|wrapper| wrapper.outside > level) {
            self.close(cx, wrapper.open, ended);
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>, open: Open, ended: bool) {
        let common: Common = cx.common(self.sender);
        let direction = if self.sender == Dir::Orig { "upload" } else { "download" };
        let Some(attached) = self.attached.get_mut(open.index) else { return };
        attached.sha256 = open.follower.sha256(ended);
        let about = About { source: self.source, filename: attached.name.as_deref(), declared_mime: attached.kind.as_deref(), ..About::default() };
        open.follower.finish_as(cx, &common, direction, about, ended);
    }

    /// Bytes are missing: the line at hand is dropped, and hashes that they belong to are given up.
    pub fn lose(&mut self) {
        self.line.clear();
        self.mid_line = true;
        self.line_end = b"";
        for wrapper in &mut self.wrappers {
            wrapper.open.follower.lose();
        }
        if let Place::Leaf(leaf) = &mut self.place
            && let Some(open) = &mut leaf.open
        {
            open.follower.lose();
        }
    }

    /// The message ends; `ended` if nothing is missing at its end.
    pub fn end(&mut self, cx: &mut Cx<'_>, ended: bool) {
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            self.piece(cx, &line, b"");
        }
        if matches!(self.place, Place::Header) && (self.fields.is_none() || !self.header.is_empty()) {
            self.header_ended(cx);
        }
        // No boundary follows that could own the last line's end.
        let last = std::mem::take(&mut self.line_end);
        for wrapper in &mut self.wrappers {
            if !wrapper.fresh {
                wrapper.open.follower.push(last);
            }
        }
        if let Place::Leaf(leaf) = &mut self.place
            && !leaf.fresh
        {
            leaf.take(last, b"", &mut self.links);
        }
        self.close_leaf(cx, ended);
        while let Some(wrapper) = self.wrappers.pop() {
            self.close(cx, wrapper.open, ended);
        }
    }
}

impl Leaf {
    fn take(&mut self, line_end: &[u8], octets: &[u8], links: &mut Links) {
        if self.open.is_none() && self.reading.is_none() {
            return;
        }
        let line_end = if std::mem::take(&mut self.fresh) { b"" } else { line_end };
        self.out.clear();
        self.transfer.decode(line_end, octets, &mut self.out);
        self.give(links);
    }

    fn give(&mut self, links: &mut Links) {
        if let Some(open) = &mut self.open {
            open.follower.push(&self.out);
        }
        match &mut self.reading {
            Some(Reading::Plain(plain)) => {
                let room = MAX_TEXT.saturating_sub(self.text.len());
                self.text.extend(self.out.iter().take(room));
                plain.push(&self.out, links);
            }
            Some(Reading::Html(html)) => html.push(&self.out, &mut self.text, MAX_TEXT, links),
            None => {}
        }
    }
}

/// Text of HTML, in which lines and runs of blanks are as good as one blank.
fn squeezed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}
