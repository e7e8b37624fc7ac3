//! Start line and header fields of a message (RFC 9112, 2 to 5; RFC 1945 for what came before).
//!
//! Written by hand because captures hold what strict parsers refuse: bare line feeds, folded values in requests, targets with
//! spaces, status lines without a reason, lines that are no field at all. A [`Head`] owns its text, since the message's row
//! is written when its body has passed.

use std::ops::Range;

/// Longest head that is waited for, bytes.
pub const MAX_HEAD: usize = 256 << 10;
/// Longest start line that is waited for before the bytes are taken for something else.
const MAX_UNKNOWN_LINE: usize = 2048;

/// Methods that are requests even without a version behind the target (IANA HTTP Method Registry, and what Microsoft added).
static METHODS: &[&str] = &[
    "GET",
    "POST",
    "HEAD",
    "PUT",
    "DELETE",
    "OPTIONS",
    "CONNECT",
    "TRACE",
    "PATCH",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
    "SEARCH",
    "REPORT",
    "CHECKIN",
    "CHECKOUT",
    "UNCHECKOUT",
    "MERGE",
    "LABEL",
    "UPDATE",
    "MKACTIVITY",
    "MKWORKSPACE",
    "MKCALENDAR",
    "VERSION-CONTROL",
    "BASELINE-CONTROL",
    "ACL",
    "BIND",
    "UNBIND",
    "REBIND",
    "LINK",
    "UNLINK",
    "ORDERPATCH",
    "MKREDIRECTREF",
    "UPDATEREDIRECTREF",
    "QUERY",
    "NOTIFY",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "POLL",
    "BCOPY",
    "BMOVE",
    "BDELETE",
    "BPROPFIND",
    "BPROPPATCH",
    "CCM_POST",
    "RPC_CONNECT",
    "RPC_IN_DATA",
    "RPC_OUT_DATA",
    "SSTP_DUPLEX_POST",
];

/// What the first bytes of a message look like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Looks {
    /// A start line with its version.
    Start,
    /// A status line out of shape; only to be trusted where HTTP is expected, as all below.
    Loose,
    /// A request line of HTTP/0.9, that is without a version.
    Simple,
    /// A known method and the start of a target; the line goes on.
    Likely,
    Unlike,
    /// Too few bytes to tell.
    Open,
}

/// Judges what may be the start of a message. Empty lines before it are allowed (RFC 9112, 2.2).
pub fn looks(bytes: &[u8]) -> Looks {
    let bytes = bytes.get(blank(bytes)..).unwrap_or_default();
    match bytes.first() {
        None => return Looks::Open,
        Some(first) if !first.is_ascii_alphabetic() => return Looks::Unlike,
        Some(_) => {}
    }
    if begins(bytes, b"HTTP/") {
        return looks_status(bytes.get(5..).unwrap_or_default());
    }
    // Shoutcast servers answer so.
    if begins(bytes, b"ICY ") {
        return match bytes.get(4..7) {
            None => Looks::Open,
            Some(code) if code.iter().all(u8::is_ascii_digit) => Looks::Start,
            Some(_) => Looks::Unlike,
        };
    }
    looks_request(bytes)
}

/// `bytes` and `word` agree as far as both go.
fn begins(bytes: &[u8], word: &[u8]) -> bool {
    bytes.iter().zip(word).all(|(a, b)| a == b)
}

/// A status line behind `HTTP/`: version and three digits.
fn looks_status(rest: &[u8]) -> Looks {
    let mut pattern = b"d.d ddd".iter();
    for (at, &octet) in rest.iter().enumerate() {
        let fits = match pattern.next() {
            None => return Looks::Start,
            Some(b'd') => octet.is_ascii_digit(),
            Some(&literal) => octet == literal,
        };
        if !fits {
            return if at > 0 { Looks::Loose } else { Looks::Unlike };
        }
    }
    if pattern.next().is_none() { Looks::Start } else { Looks::Open }
}

fn looks_request(bytes: &[u8]) -> Looks {
    let is_method = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
    let length = bytes.iter().position(|octet| !is_method(octet)).unwrap_or(bytes.len());
    let (method, rest) = bytes.split_at_checked(length).unwrap_or((bytes, &[]));
    if method.len() > 32 {
        return Looks::Unlike;
    }
    let known = METHODS.iter().any(|name| name.as_bytes() == method);
    if rest.is_empty() {
        let possible = METHODS.iter().any(|name| begins(method, name.as_bytes())) || method.iter().all(u8::is_ascii_uppercase);
        return if possible { Looks::Open } else { Looks::Unlike };
    }
    match rest.first() {
        Some(b' ') => {}
        Some(b'\r' | b'\n') if known => return Looks::Simple,
        _ => return Looks::Unlike,
    }
    let sought = rest.get(..MAX_HEAD).unwrap_or(rest);
    let Some(end) = sought.iter().position(|&octet| octet == b'\n') else {
        let legible = !sought.iter().take(MAX_UNKNOWN_LINE).any(|octet| *octet < b' ' && !matches!(octet, b'\t' | b'\r'));
        return match (legible, sought.len() > MAX_UNKNOWN_LINE) {
            (false, _) => Looks::Unlike,
            (true, false) if known && is_target(sought.trim_ascii_start()) => Looks::Likely,
            (true, false) => Looks::Open,
            // No start line of another protocol is as long.
            (true, true) if known && is_target(sought.trim_ascii_start()) => Looks::Start,
            (true, true) => Looks::Unlike,
        };
    };
    let line = sought.get(..end).unwrap_or_default();
    match split_version(line) {
        // The preface of HTTP/2 (RFC 9113, 3.4) is a request of HTTP by its form.
        Some((_, version)) if version.starts_with(b"2.") || version.starts_with(b"3.") => Looks::Unlike,
        Some(_) => Looks::Start,
        None if known && is_target(line.trim_ascii()) => Looks::Simple,
        None => Looks::Unlike,
    }
}

/// The start of a path, an asterisk or an absolute URL.
fn is_target(text: &[u8]) -> bool {
    matches!(text.first(), Some(b'/' | b'*')) || text.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"http://"))
}

/// Splits what follows the method into target and version; `None` if no version ends the line.
fn split_version(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = line.trim_ascii_end();
    let space = line.iter().rposition(|octet| octet.is_ascii_whitespace())?;
    let (target, last) = line.split_at_checked(space)?;
    let version = last.trim_ascii_start().strip_prefix(b"HTTP/")?;
    version.first().is_some_and(u8::is_ascii_digit).then_some((target.trim_ascii(), version))
}

/// Number of line ends before the first other octet.
pub fn blank(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|octet| matches!(octet, b'\r' | b'\n')).count()
}

/// Length of the head, its empty line included; `None` if it goes on. `scan` is where the search was left, and is kept for
/// the next call with more bytes.
pub fn find_end(bytes: &[u8], scan: &mut usize) -> Option<usize> {
    while let Some(found) = bytes.get(*scan..)?.iter().position(|&octet| octet == b'\n') {
        let line_end = *scan + found;
        match bytes.get(line_end + 1..).unwrap_or_default() {
            [b'\n', ..] => return Some(line_end + 2),
            [b'\r', b'\n', ..] => return Some(line_end + 3),
            [] | [b'\r'] => {
                *scan = line_end;
                return None;
            }
            _ => *scan = line_end + 1,
        }
    }
    *scan = bytes.len();
    None
}

/// Length of the first line, its end included.
pub fn first_line(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|&octet| octet == b'\n').map(|at| at + 1)
}

/// Header fields that columns or framing need.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Name {
    Host,
    UserAgent,
    Referer,
    Origin,
    Server,
    Location,
    ContentType,
    ContentLength,
    ContentEncoding,
    TransferEncoding,
    ContentDisposition,
    Range,
    ContentRange,
    Cookie,
    SetCookie,
    Authorization,
    ProxyAuthorization,
    WwwAuthenticate,
    ProxyAuthenticate,
    XForwardedFor,
    Upgrade,
    AcceptLanguage,
    /// Content-Security-Policy, Strict-Transport-Security, X-Frame-Options, X-Content-Type-Options, Referrer-Policy.
    Security,
    /// Via, Forwarded, X-Forwarded-* but X-Forwarded-For, X-Real-IP, CF-Connecting-IP.
    Proxied,
}

/// Number of [`Name`]s.
const NAMES: usize = Name::Proxied as usize + 1;

impl Name {
    fn of(name: &[u8]) -> Option<Self> {
        let mut lower = [0; 32];
        let lower = lower.get_mut(..name.len())?;
        lower.copy_from_slice(name);
        lower.make_ascii_lowercase();
        Some(match &*lower {
            b"host" => Self::Host,
            b"user-agent" => Self::UserAgent,
            b"referer" => Self::Referer,
            b"origin" => Self::Origin,
            b"server" => Self::Server,
            b"location" => Self::Location,
            b"content-type" => Self::ContentType,
            b"content-length" => Self::ContentLength,
            b"content-encoding" => Self::ContentEncoding,
            b"transfer-encoding" => Self::TransferEncoding,
            b"content-disposition" => Self::ContentDisposition,
            b"range" => Self::Range,
            b"content-range" => Self::ContentRange,
            b"cookie" => Self::Cookie,
            b"set-cookie" => Self::SetCookie,
            b"authorization" => Self::Authorization,
            b"proxy-authorization" => Self::ProxyAuthorization,
            b"www-authenticate" => Self::WwwAuthenticate,
            b"proxy-authenticate" => Self::ProxyAuthenticate,
            b"x-forwarded-for" => Self::XForwardedFor,
            b"upgrade" => Self::Upgrade,
            b"accept-language" => Self::AcceptLanguage,
            b"content-security-policy" | b"strict-transport-security" | b"x-frame-options" | b"x-content-type-options" | b"referrer-policy" => {
                Self::Security
            }
            b"via" | b"forwarded" | b"x-real-ip" | b"cf-connecting-ip" => Self::Proxied,
            _ if lower.starts_with(b"x-forwarded-") => Self::Proxied,
            _ => return None,
        })
    }
}

/// A piece of [`Head::text`].
type Span = Range<usize>;

struct Field {
    name: Span,
    value: Span,
    known: Option<Name>,
}

/// What the start line says.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
enum Start {
    /// There is none: an answer of HTTP/0.9 is only a body.
    #[default]
    None,
    Request {
        method: Span,
        target: Span,
        version: Option<Span>,
    },
    Response {
        version: Option<Span>,
        status: Option<u16>,
        reason: Span,
    },
}

/// A message's start line and fields.
#[derive(Default)]
pub struct Head {
    text: String,
    start: Start,
    fields: Vec<Field>,
    /// Index of the first field of each [`Name`], and one more.
    first: [u32; NAMES],
    /// Bytes on the wire, the empty line included.
    pub wire_bytes: u32,
}

impl Head {
    /// Reads a head in place of the one before. `bytes` starts at the start line and may end early.
    pub fn parse(&mut self, bytes: &[u8]) {
        self.clear();
        self.wire_bytes = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let unfolded = unfold(bytes);
        // Octets outside UTF-8 have no meaning of their own (RFC 9110, 5.5): they become U+FFFD.
        self.text.push_str(&String::from_utf8_lossy(unfolded.as_deref().unwrap_or(bytes)));
        let mut at = 0;
        let mut lines = self.text.split_inclusive('\n').map(|line| {
            let start = at;
            at += line.len();
            start..start + line.trim_end_matches(['\r', '\n']).len()
        });
        if let Some(line) = lines.next() {
            self.start = start_line(&self.text, line);
        }
        for line in lines {
            let Some(field) = field(&self.text, line) else { continue };
            if let Some(slot) = field.known.and_then(|name| self.first.get_mut(name as usize))
                && *slot == 0
            {
                *slot = u32::try_from(self.fields.len() + 1).unwrap_or(0);
            }
            self.fields.push(field);
        }
    }

    /// Empties it: the head of a message that has none.
    pub fn clear(&mut self) {
        self.text.clear();
        self.start = Start::None;
        self.fields.clear();
        self.first = [0; NAMES];
        self.wire_bytes = 0;
    }

    /// It is a request's.
    pub fn is_request(&self) -> bool {
        matches!(self.start, Start::Request { .. })
    }

    /// Method as sent; `None` in responses.
    pub fn method(&self) -> Option<&str> {
        match &self.start {
            Start::Request { method, .. } => self.text.get(method.clone()),
            _ => None,
        }
    }

    /// Request target as sent, if there is one.
    pub fn target(&self) -> Option<&str> {
        match &self.start {
            Start::Request { target, .. } => self.text.get(target.clone()).filter(|target| !target.is_empty()),
            _ => None,
        }
    }

    /// `0.9`, `1.0`, `1.1`, or whatever stands behind `HTTP/`; `None` where another word stands there.
    pub fn version(&self) -> Option<&str> {
        match &self.start {
            Start::None | Start::Request { version: None, .. } => Some("0.9"),
            Start::Request { version: Some(version), .. } | Start::Response { version: Some(version), .. } => self.text.get(version.clone()),
            Start::Response { version: None, .. } => None,
        }
    }

    /// Status code.
    pub fn status(&self) -> Option<u16> {
        match self.start {
            Start::Response { status, .. } => status,
            _ => None,
        }
    }

    /// Reason phrase, if there is one.
    pub fn reason(&self) -> Option<&str> {
        match &self.start {
            Start::Response { reason, .. } => self.text.get(reason.clone()).filter(|reason| !reason.is_empty()),
            _ => None,
        }
    }

    /// Number of fields.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Value of the first field of that name.
    pub fn get(&self, name: Name) -> Option<&str> {
        let index = (*self.first.get(name as usize)?).checked_sub(1)?;
        let field = self.fields.get(index as usize)?;
        self.text.get(field.value.clone())
    }

    /// Elements of all list fields of that name, parameters dropped (RFC 9110, 5.6.1).
    pub fn list(&self, name: Name) -> impl DoubleEndedIterator<Item = &str> {
        let elements = self.fields().filter(move |(known, _, _)| *known == Some(name)).flat_map(|(_, _, value)| value.split(','));
        elements.map(|element| element.split(';').next().unwrap_or_default().trim_ascii()).filter(|element| !element.is_empty())
    }

    /// All fields: what is known of the name, name, value.
    pub fn fields(&self) -> impl DoubleEndedIterator<Item = (Option<Name>, &str, &str)> {
        let text = |span: &Span| self.text.get(span.clone()).unwrap_or_default();
        self.fields.iter().map(move |field| (field.known, text(&field.name), text(&field.value)))
    }

    /// Values of all fields of that name.
    pub fn all(&self, name: Name) -> impl Iterator<Item = &str> {
        self.fields().filter(move |(known, _, _)| *known == Some(name)).map(|(_, _, value)| value)
    }

    /// Names of the fields, as sent and in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields().map(|(_, name, _)| name)
    }
}

/// Joins folded lines with one space (RFC 9112, 5.2); `None` if there are none.
fn unfold(bytes: &[u8]) -> Option<Vec<u8>> {
    if !bytes.windows(2).any(|pair| matches!(pair, [b'\n', b' ' | b'\t'])) {
        return None;
    }
    let mut joined: Vec<u8> = Vec::with_capacity(bytes.len());
    for (index, line) in bytes.split_inclusive(|&octet| octet == b'\n').enumerate() {
        // The line behind the start line has no field to go on with.
        let folded = index > 1 && matches!(line.first(), Some(b' ' | b'\t')) && !line.trim_ascii().is_empty();
        if folded {
            joined.truncate(joined.trim_ascii_end().len());
            joined.push(b' ');
            joined.extend_from_slice(line.trim_ascii_start());
        } else {
            joined.extend_from_slice(line);
        }
    }
    Some(joined)
}

/// The part of `text[span]` without white space around it.
fn trimmed(text: &str, span: Span) -> Span {
    let whole = text.get(span.clone()).unwrap_or_default().as_bytes();
    let start = span.start + (whole.len() - whole.trim_ascii_start().len());
    start..start + whole.trim_ascii().len()
}

fn start_line(text: &str, line: Span) -> Start {
    let whole = text.get(line.clone()).unwrap_or_default();
    let first = whole.find(' ').unwrap_or(whole.len());
    let (word, after) = (line.start..line.start + first, trimmed(text, line.start + first..line.end));
    let rest = text.get(after.clone()).unwrap_or_default();
    let version = whole.get(..first).and_then(|word| word.strip_prefix("HTTP/"));
    if version.is_some() || whole.starts_with("ICY ") {
        let code = rest.split([' ', '\t']).next().unwrap_or_default();
        let status = code.get(..3).filter(|digits| digits.bytes().all(|octet| octet.is_ascii_digit())).and_then(|digits| digits.parse().ok());
        let reason = after.start + if status.is_some() { 3 } else { code.len() };
        return Start::Response {
            version: version.map(|version| word.end - version.len()..word.end),
            status,
            reason: trimmed(text, reason..after.end),
        };
    }
    match split_version(whole.get(first..).unwrap_or_default().as_bytes()) {
        Some((target, version)) => {
            Start::Request { method: word, target: after.start..after.start + target.len(), version: Some(after.end - version.len()..after.end) }
        }
        None => {
            // In a line that was cut, a version that was begun is no part of the target.
            let begun = rest.rfind(' ').filter(|space| rest.get(space + 1..).is_some_and(|last| begins(last.as_bytes(), b"HTTP/")));
            let target = begun.map_or(after.clone(), |space| trimmed(text, after.start..after.start + space));
            Start::Request { method: word, target, version: None }
        }
    }
}

fn field(text: &str, line: Span) -> Option<Field> {
    let whole = text.get(line.clone())?;
    let colon = whole.find(':')?;
    let name = trimmed(text, line.start..line.start + colon);
    if name.is_empty() {
        return None;
    }
    let known = Name::of(text.get(name.clone())?.as_bytes());
    Some(Field { name, value: trimmed(text, line.start + colon + 1..line.end), known })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(bytes: &[u8]) -> Head {
        let mut head = Head::default();
        head.parse(bytes);
        head
    }

    #[test]
    fn tells_messages_from_others() {
        assert_eq!(looks(b"GET / HTTP/1.1\r\n"), Looks::Start);
        assert_eq!(looks(b"\r\nBREW /pot HTTP/1.0\n"), Looks::Start);
        assert_eq!(looks(b"GET /a b c HTTP/1.1\r\n"), Looks::Start);
        assert_eq!(looks(b"GET /index.html\r\n"), Looks::Simple);
        assert_eq!(looks(b"HTTP/1.1 200"), Looks::Start);
        assert_eq!(looks(b"HTTP/1."), Looks::Open);
        assert_eq!(looks(b"ICY 200 OK\r\n"), Looks::Start);
        assert_eq!(looks(b"HTTP/1.01 200 ok"), Looks::Loose);
        assert_eq!(looks(b"HTTP/x"), Looks::Unlike);
        assert_eq!(looks(b"PO"), Looks::Open);
        assert_eq!(looks(b"POST /a/lo"), Looks::Likely);
        assert_eq!(looks(b"GET HTTP/1.1\r\n"), Looks::Start);
        assert_eq!(looks(b"PRI * HTTP/2.0\r\n"), Looks::Unlike);
        assert_eq!(looks(b"OPTIONS rtsp://a/b RTSP/1.0\r\n"), Looks::Unlike);
        assert_eq!(looks(b"220 mail ESMTP\r\n"), Looks::Unlike);
        assert_eq!(looks(b"USER anonymous\r\n"), Looks::Unlike);
    }

    #[test]
    fn finds_the_end_from_where_it_left() {
        let bytes = b"GET / HTTP/1.0\r\nA: b\r\n\r\nrest";
        let mut scan = 0;
        for length in 0..24 {
            assert_eq!(find_end(&bytes[..length], &mut scan), None);
        }
        assert_eq!(find_end(bytes, &mut scan), Some(24));
        assert_eq!(find_end(b"GET / HTTP/1.0\nA: b\n\nrest", &mut 0), Some(21));
    }

    #[test]
    fn tolerates() {
        let request = head(b"GET /q?a=1 or 1=1 HTTP/1.1\nHost : h:80 \nno field\nX-A: one,\r\n\t two\r\nCookie: \xff\r\n\r\n");
        assert_eq!((request.method(), request.target(), request.version()), (Some("GET"), Some("/q?a=1 or 1=1"), Some("1.1")));
        assert_eq!(request.get(Name::Host), Some("h:80"));
        assert_eq!(request.names().collect::<Vec<_>>(), ["Host", "X-A", "Cookie"]);
        assert_eq!(request.fields().nth(1), Some((None, "X-A", "one, two")));
        assert_eq!(request.get(Name::Cookie), Some("\u{fffd}"));

        let response = head(b"HTTP/1.1 200\r\nServer:\r\n\r\n");
        assert_eq!((response.status(), response.reason(), response.get(Name::Server)), (Some(200), None, Some("")));
        assert_eq!((head(b"HTTP/1.0 2XX OK\r\n\r\n").status(), head(b"HTTP/1.0 2XX OK\r\n\r\n").reason()), (None, Some("OK")));
        assert_eq!(head(b"GET /a HTT").target(), Some("/a"));
        assert_eq!(head(b"HTTP/1.0 404 Not  Found\r\n\r\n").reason(), Some("Not  Found"));
        assert_eq!((head(b"GET /\r\n").version(), head(b"GET /\r\n").target()), (Some("0.9"), Some("/")));
    }
}
