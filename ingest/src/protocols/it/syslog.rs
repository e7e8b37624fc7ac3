//! Syslog: one row a message, of the BSD form (RFC 3164), the IETF form (RFC 5424), Cisco's, or plain text; over UDP
//! (RFC 5426) and over TCP, where messages are counted or end with a line (RFC 6587).

use pcapper_schema::tables::Syslog;

use crate::protocols::{Cx, DatagramDissector, DatagramKind, Group, Offer, Outcome, Progress, Protocol, StreamDissector, StreamKind, Verdict};

/// Syslog on any port if it looks like it; 514 is its own, 601 that of its reliable kind.
pub static PROTOCOL: Protocol = Protocol {
    name: "syslog",
    group: Group::It,
    ports: &[514, 601],
    datagram: Some(DatagramKind { ip_protos: &[17], probe: probe_datagram, start: || Box::new(Datagrams) }),
    stream: Some(StreamKind { probe: probe_stream, start: || Box::<Lines>::default() }),
    ..Protocol::NONE
};

/// Longest message that is waited for in a stream, bytes: receivers should take 8 KiB (RFC 5424 section 6.1).
const MAX_MESSAGE: usize = 64 << 10;

const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp", "audit", "alert", "clock", "local0",
    "local1", "local2", "local3", "local4", "local5", "local6", "local7",
];
const SEVERITIES: [&str; 8] = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The value of `<PRI>`, and what follows it.
fn priority(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let rest = bytes.strip_prefix(b"<")?;
    let digits = rest.iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
    let value: u16 = std::str::from_utf8(rest.get(..digits)?).ok()?.parse().ok()?;
    let rest = rest.get(digits..)?.strip_prefix(b">")?;
    (value <= 191).then_some((value, rest))
}

/// Whether text behind PRI starts like a known form: a version, or a stamp.
fn has_header(rest: &[u8]) -> bool {
    rest.starts_with(b"1 ")
        || month(rest).is_some()
        || rest.first_chunk::<5>().is_some_and(|start| start[..4].iter().all(u8::is_ascii_digit) && start[4] == b'-')
}

/// A BSD stamp's month at the start of the text.
fn month(text: &[u8]) -> Option<usize> {
    let name = text.get(..3)?;
    (text.get(3) == Some(&b' ')).then_some(())?;
    MONTHS.iter().position(|month| month.as_bytes() == name)
}

/// No control characters but tab and line ends, as far as looked at.
fn is_text(bytes: &[u8]) -> bool {
    // Some senders end their text as C does.
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    !bytes.is_empty() && bytes.iter().take(64).all(|&byte| byte >= 0x20 && byte != 0x7f || matches!(byte, b'\t' | b'\r' | b'\n'))
}

fn probe_datagram(offer: &Offer<'_>) -> Verdict {
    let bytes = offer.current();
    let found = match priority(bytes) {
        Some((_, rest)) => is_text(rest) && (offer.usual_port || has_header(rest)),
        // Without PRI only what a relay's own port receives, and only from a sender who keeps to text.
        None => offer.has_port(514) && bytes.len() >= 8 && is_text(bytes) && bytes.first().is_some_and(u8::is_ascii_alphanumeric),
    };
    if found { Verdict::Yes } else { Verdict::No }
}

fn probe_stream(offer: &Offer<'_>) -> Verdict {
    let bytes = offer.current();
    let counted = counted(bytes);
    let start = counted.map_or(bytes, |(at, _)| bytes.get(at..).unwrap_or_default());
    match priority(start) {
        Some((_, rest)) if is_text(rest) && (offer.usual_port || counted.is_some() || has_header(rest)) => Verdict::Yes,
        None if start.len() < 8 && is_text(bytes) && matches!(bytes.first(), Some(b'<' | b'1'..=b'9')) => Verdict::More,
        _ => Verdict::No,
    }
}

/// Octet counting: where the message starts, and its length.
fn counted(bytes: &[u8]) -> Option<(usize, usize)> {
    let digits = bytes.iter().take(6).take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 || bytes.get(digits) != Some(&b' ') || bytes.first() == Some(&b'0') {
        return None;
    }
    let length = std::str::from_utf8(bytes.get(..digits)?).ok()?.parse().ok()?;
    // The count must be followed by PRI: a line may begin with a number of its own.
    match bytes.get(digits + 1) {
        Some(b'<') | None => Some((digits + 1, length)),
        Some(_) => None,
    }
}

struct Datagrams;

impl DatagramDissector for Datagrams {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        if payload.is_empty() || (priority(payload).is_none() && !is_text(payload)) {
            return Outcome::NotMine;
        }
        emit(cx, payload, "udp", "datagram");
        Outcome::Decoded
    }
}

#[derive(Default)]
struct Lines {
    /// Bytes were lost: the rest of the message they belong to is passed over. By direction.
    torn: [bool; 2],
}

impl StreamDissector for Lines {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        if let Some(torn) = self.torn.get_mut(cx.dir.index())
            && *torn
            && priority(bytes).is_none()
            && counted(bytes).is_none()
        {
            return match bytes.iter().position(|&byte| matches!(byte, b'\n' | 0)) {
                Some(end) => {
                    *torn = false;
                    Progress::Consumed(end + 1)
                }
                None => Progress::Consumed(bytes.len()),
            };
        }
        if let Some((start, length)) = counted(bytes) {
            if length > MAX_MESSAGE {
                return Progress::Stop;
            }
            let Some(message) = start.checked_add(length).and_then(|end| bytes.get(start..end)) else { return Progress::Consumed(0) };
            let carrier = carrier(cx);
            emit(cx, message, carrier, "octet_counting");
            return Progress::Consumed(start + length);
        }
        match bytes.iter().position(|&byte| matches!(byte, b'\n' | 0)) {
            Some(0) => Progress::Consumed(1),
            Some(end) => {
                let line = bytes.get(..end).unwrap_or_default();
                if !is_text(line) {
                    return Progress::Stop;
                }
                let carrier = carrier(cx);
                emit(cx, line, carrier, "non_transparent");
                Progress::Consumed(end + 1)
            }
            None if bytes.len() > MAX_MESSAGE => Progress::Stop,
            None => Progress::Consumed(0),
        }
    }

    fn gap(&mut self, cx: &mut Cx<'_>, _missing: u64) -> bool {
        if let Some(torn) = self.torn.get_mut(cx.dir.index()) {
            *torn = true;
        }
        true
    }

    fn end(&mut self, cx: &mut Cx<'_>, rest: &[u8]) {
        if priority(rest).is_some() && is_text(rest) {
            let carrier = carrier(cx);
            emit(cx, rest, carrier, "non_transparent");
        }
    }
}

/// As in `syslog.transport`, of a stream.
fn carrier(cx: &Cx<'_>) -> &'static str {
    if cx.is_decrypted() { "tls" } else { "tcp" }
}

/// What stands in a message besides PRI.
#[derive(Default, Debug, PartialEq, Eq)]
struct Parts<'a> {
    format: &'static str,
    version: Option<u8>,
    timestamp: Option<&'a str>,
    utc: Option<i64>,
    hostname: Option<&'a str>,
    app_name: Option<&'a str>,
    proc_id: Option<&'a str>,
    msg_id: Option<&'a str>,
    structured_data: Option<&'a str>,
    message: Option<&'a str>,
}

fn emit(cx: &mut Cx<'_>, bytes: &[u8], proto: &str, framing: &str) {
    let (code, rest) = match priority(bytes) {
        Some((code, rest)) => (Some(code), rest),
        None => (None, bytes),
    };
    let text = String::from_utf8_lossy(rest);
    let parts = match code {
        Some(_) => parts(&text),
        None => Parts { format: "raw", message: filled(text.trim_end_matches(['\0', '\r', '\n'])), ..Parts::default() },
    };
    let named = |names: &'static [&'static str], index: u16| names.get(usize::from(index)).copied();
    cx.emit(Syslog {
        proto: Some(proto),
        priority: code,
        facility_code: code.and_then(|code| u8::try_from(code / 8).ok()),
        facility: code.and_then(|code| named(&FACILITIES, code / 8)),
        severity_code: code.and_then(|code| u8::try_from(code % 8).ok()),
        severity: code.and_then(|code| named(&SEVERITIES, code % 8)),
        format: Some(parts.format),
        version: parts.version,
        timestamp: parts.timestamp,
        timestamp_utc: parts.utc,
        hostname: parts.hostname,
        app_name: parts.app_name,
        proc_id: parts.proc_id,
        msg_id: parts.msg_id,
        structured_data: parts.structured_data,
        message: parts.message,
        framing: Some(framing),
        bytes: u32::try_from(bytes.len()).ok(),
    });
}

fn filled(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// Reads what follows PRI.
fn parts(text: &str) -> Parts<'_> {
    let text = text.trim_end_matches(['\0', '\r', '\n']);
    if let Some(parts) = ietf(text) {
        return parts;
    }
    if let Some(parts) = bsd(text) {
        return parts;
    }
    let mut parts = Parts { format: "raw", message: filled(text), ..Parts::default() };
    if let Some(id) = cisco_id(text) {
        parts.format = "cisco";
        parts.msg_id = Some(id);
    }
    parts
}

/// RFC 5424 section 6: version, five fields, structured data, message.
fn ietf(text: &str) -> Option<Parts<'_>> {
    let mut rest = text.strip_prefix("1 ")?;
    let mut fields = [None; 5];
    for field in &mut fields {
        let (value, behind) = rest.split_once(' ')?;
        *field = (value != "-").then_some(value);
        rest = behind;
    }
    let [timestamp, hostname, app_name, proc_id, msg_id] = fields;
    if timestamp.is_some_and(|stamp| !stamp.starts_with(|first: char| first.is_ascii_digit())) {
        return None;
    }
    let (structured, message) = structured(rest)?;
    let message = message.strip_prefix(' ').unwrap_or(message);
    Some(Parts {
        format: "rfc5424",
        version: Some(1),
        timestamp,
        utc: timestamp.and_then(stamp_utc),
        hostname,
        app_name,
        proc_id,
        msg_id,
        structured_data: structured,
        message: filled(message.strip_prefix('\u{feff}').unwrap_or(message)),
    })
}

/// Structured data at the start of the text (`-` for none), and what follows.
fn structured(text: &str) -> Option<(Option<&str>, &str)> {
    if let Some(rest) = text.strip_prefix('-') {
        return Some((None, rest));
    }
    let (mut inside, mut quoted, mut escaped, mut end) = (false, false, false, 0);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' if inside => quoted = !quoted,
            b'[' if !inside => inside = true,
            b']' if inside && !quoted => {
                inside = false;
                end = at + 1;
            }
            _ if !inside => break,
            _ => {}
        }
    }
    (end > 0 && !inside).then(|| (text.get(..end), text.get(end..).unwrap_or_default()))
}

/// RFC 3339 stamp in nanoseconds since 1970.
fn stamp_utc(stamp: &str) -> Option<i64> {
    let number = |range: std::ops::Range<usize>| stamp.get(range).and_then(|digits| digits.parse::<i64>().ok());
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut rest = stamp.get(19..)?;
    let mut nanos = 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        let mut unit = 100_000_000;
        for digit in fraction.bytes().take(digits.min(9)) {
            nanos += i64::from(digit - b'0') * unit;
            unit /= 10;
        }
        rest = fraction.get(digits..)?;
    }
    let offset = match rest.as_bytes() {
        [b'Z'] => 0,
        [sign @ (b'+' | b'-'), ..] if rest.len() == 6 => {
            let minutes = rest.get(1..3)?.parse::<i64>().ok()? * 60 + rest.get(4..6)?.parse::<i64>().ok()?;
            if *sign == b'-' { -minutes } else { minutes }
        }
        _ => return None,
    };
    // Days since 1970 of a date of the Gregorian calendar, years starting in March.
    let shifted = if month > 2 { year } else { year - 1 };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = shifted * 365 + shifted.div_euclid(4) - shifted.div_euclid(100) + shifted.div_euclid(400) + day_of_year - 719_468;
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset * 60;
    seconds.checked_mul(1_000_000_000)?.checked_add(nanos)
}

/// RFC 3164 section 4.1: stamp (BSD's or RFC 3339's), host, tag with a process number, message. The text behind PRI is given
/// whole as the message, as the standard leaves open where its parts end.
fn bsd(text: &str) -> Option<Parts<'_>> {
    let whole = text;
    // Cisco counts its messages and marks clocks that are not set: `123: *Mar  1 00:00:01.123: %SYS-5-CONFIG_I: ...`.
    let cisco = cisco_id(text);
    let text = match text.split_once(": ") {
        Some((count, rest)) if cisco.is_some() && count.bytes().all(|byte| byte.is_ascii_digit()) => rest,
        _ => text,
    };
    let text = text.strip_prefix(['*', '.']).unwrap_or(text);
    let (timestamp, rest) = if month(text.as_bytes()).is_some() {
        let length = bsd_stamp(text)?;
        (text.get(..length)?, text.get(length..)?)
    } else {
        let (stamp, _) = text.split_once(' ')?;
        (stamp.len() >= 19 && stamp.as_bytes().get(4) == Some(&b'-') && stamp.as_bytes().get(10) == Some(&b'T')).then_some(())?;
        (stamp, text.get(stamp.len()..)?)
    };
    let mut parts = Parts { format: "rfc3164", timestamp: Some(timestamp), utc: stamp_utc(timestamp), message: filled(whole), ..Parts::default() };
    if let Some(id) = cisco {
        parts.format = "cisco";
        parts.msg_id = Some(id);
        return Some(parts);
    }
    let rest = rest.strip_prefix(' ').unwrap_or(rest);
    if let Some((first, behind)) = rest.split_once(' ') {
        let mut tagged = behind;
        // A tag in the host's place means that the sender left its name out.
        if first.ends_with(':') || first.contains('[') {
            tagged = rest;
        } else {
            parts.hostname = filled(first);
        }
        (parts.app_name, parts.proc_id) = tag(tagged);
    }
    Some(parts)
}

/// Length of `Mmm dd [yyyy ]hh:mm:ss[.frac]`.
fn bsd_stamp(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 4;
    while bytes.get(at) == Some(&b' ') {
        at += 1;
    }
    at += bytes.get(at..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (bytes.get(at) == Some(&b' ')).then_some(())?;
    at += 1;
    if bytes.get(at..at + 5).is_some_and(|year| year.iter().take(4).all(u8::is_ascii_digit) && year.get(4) == Some(&b' ')) {
        at += 5;
    }
    let clock = bytes.get(at..at + 8)?;
    (clock.iter().enumerate().all(|(index, byte)| if matches!(index, 2 | 5) { *byte == b':' } else { byte.is_ascii_digit() })).then_some(())?;
    at += 8;
    if bytes.get(at) == Some(&b'.') {
        at += 1 + bytes.get(at + 1..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
    }
    text.is_char_boundary(at).then_some(at)
}

/// Tag and process number: `su[42]: `.
fn tag(text: &str) -> (Option<&str>, Option<&str>) {
    let end = text.find(|letter: char| !(letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.' | '/'))).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((number, _)) => (filled(name), filled(number)),
        None if rest.starts_with(':') => (filled(name), None),
        None => (None, None),
    }
}

/// `%FACILITY-SEVERITY-MNEMONIC` within the first characters.
fn cisco_id(text: &str) -> Option<&str> {
    let start = text.find('%').filter(|&at| at < 80)?;
    let rest = text.get(start..)?;
    let end = rest.find(':')?;
    let id = rest.get(..end)?;
    let mut pieces = id.get(1..)?.rsplitn(3, '-');
    let (mnemonic, severity, facility) = (pieces.next()?, pieces.next()?, pieces.next()?);
    let upper =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-'));
    (upper(mnemonic) && upper(facility) && matches!(severity.as_bytes(), [b'0'..=b'7'])).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bsd_messages() {
        let parts = parts("Oct 11 22:14:15 mymachine su[42]: 'su root' failed\n");
        assert_eq!((parts.format, parts.timestamp, parts.hostname), ("rfc3164", Some("Oct 11 22:14:15"), Some("mymachine")));
        assert_eq!((parts.app_name, parts.proc_id), (Some("su"), Some("42")));
        assert_eq!(super::parts("Apr  5 12:56:51 robin: Hello").app_name, Some("robin"));
    }

    #[test]
    fn ietf_messages() {
        let parts = parts("1 2003-10-11T22:14:15.003Z host app - ID47 [a@1 k=\"v]\\\"\"] \u{feff}text");
        assert_eq!((parts.format, parts.version, parts.utc), ("rfc5424", Some(1), Some(1_065_910_455_003_000_000)));
        assert_eq!((parts.proc_id, parts.msg_id), (None, Some("ID47")));
        assert_eq!((parts.structured_data, parts.message), (Some("[a@1 k=\"v]\\\"\"]"), Some("text")));
        assert_eq!(stamp_utc("2013-09-12T19:16:34.457849+04:00"), Some(1_378_998_994_457_849_000));
    }

    #[test]
    fn cisco_messages() {
        let parts = parts("123: *Mar  1 00:00:01.123: %SYS-5-CONFIG_I: Configured from console");
        assert_eq!((parts.format, parts.msg_id, parts.timestamp), ("cisco", Some("%SYS-5-CONFIG_I"), Some("Mar  1 00:00:01.123")));
    }

    #[test]
    fn priorities_and_counts() {
        assert_eq!(priority(b"<191>x").map(|(value, _)| value), Some(191));
        assert_eq!(priority(b"<192>x"), None);
        assert_eq!(counted(b"51 <13>Oct"), Some((3, 51)));
        assert_eq!(counted(b"51 bottles"), None);
    }
}
