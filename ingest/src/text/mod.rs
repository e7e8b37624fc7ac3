//! What people wrote into clear-text payload: strings worth reading, encoded tokens, secrets, PowerShell.
//!
//! Text comes from three places: streams and datagrams whose protocol leaves it undecoded ([`scan`]), bodies and files after
//! transfer and content decoding ([`body`]), and single values that a dissector has at hand ([`value`]). How much is read is
//! bounded for each of them, so that the decode of a large capture does not depend on what it carries; where the bound was
//! met, `text_scans.limited` says so.

mod flags;
mod lines;
mod powershell;
pub mod scan;
mod tokens;
mod triggers;

use pcapper_schema::tables::{Strings, TextScans};
use pcapper_schema::{Common, Row as _, TableSet};
use rustc_hash::FxHashSet;

use crate::protocols::it::http::percent_decoded;

pub use powershell::{agent as powershell_agent, command as powershell_command, pipeline as powershell_pipeline};
pub use tokens::{basic, bearer, parameter};

/// Bytes of a body that are read.
pub const BODY_BYTES: usize = 32 << 10;
/// Bytes of a script that are read.
pub const SCRIPT_BYTES: usize = 64 << 10;
/// Longest line that is looked at as one.
const MAX_LINE: usize = 16 << 10;
/// Rows that one direction, or one body, may write: indicators and plain strings, tokens.
const MAX_STRINGS: u16 = 256;
const MAX_PLAIN: u16 = 64;
const MAX_TOKENS: u16 = 64;
const MAX_SCRIPTS: u16 = 16;
/// Shortest value that is read.
const MIN_VALUE: usize = 9;
/// Shortest string.
pub const MIN_STRING: usize = 6;

/// Where a piece of text stood.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    pub common: &'a Common,
    /// As `encoded_strings.context`.
    pub context: &'a str,
    /// Table that `powershell.source` names.
    pub source: &'a str,
    /// Parameter, header or key that names it.
    pub key: Option<&'a str>,
    /// Offset of its first byte.
    pub offset: u64,
    pub encoding: &'static str,
    pub filename: Option<&'a str>,
    pub sha256: Option<&'a str>,
    /// What else is known of the text: a client's lines may hold what it logs in with.
    pub has_logins: bool,
    /// A page, whose text is about things rather than does them.
    pub is_page: bool,
}

impl<'a> Place<'a> {
    /// Text of that kind, of which nothing else is known.
    pub fn new(common: &'a Common, context: &'a str, source: &'a str) -> Self {
        Self { common, context, source, key: None, offset: 0, encoding: "ascii", filename: None, sha256: None, has_logins: false, is_page: false }
    }
}

/// What was written of one direction or body so far.
#[derive(Default)]
pub struct Kept {
    strings: u16,
    plain: u16,
    tokens: u16,
    scripts: u16,
    seen: FxHashSet<u64>,
    /// Something was left out.
    pub limited: bool,
}

impl Kept {
    /// Counts one more of something; false once there are too many.
    fn one_more(count: &mut u16, most: u16, limited: &mut bool) -> bool {
        if *count >= most {
            *limited = true;
            return false;
        }
        *count += 1;
        true
    }

    /// True the first time.
    fn is_new(&mut self, kind: &str, value: &str) -> bool {
        use std::hash::BuildHasher as _;
        self.seen.insert(rustc_hash::FxBuildHasher.hash_one((kind, value)))
    }
}

/// Reads one line of text.
pub fn line(tables: &mut TableSet, kept: &mut Kept, place: Place<'_>, text: &str) {
    let found = triggers::find(text);
    tokens::find(tables, kept, &place, text, found);
    lines::find(tables, kept, &place, text, found);
    flags::find(tables, kept, &place, text, found, &[]);
    if found.has(triggers::SHELL) && !place.is_page {
        powershell::line(tables, kept, &place, text);
    }
}

/// Reads a value that a dissector has at hand, such as a header or the arguments of a call, for tokens, flags and PowerShell; it
/// stands in a typed column already, so it is no row of `strings`.
pub fn value(tables: &mut TableSet, kept: &mut Kept, place: Place<'_>, text: &str) {
    // Neither a token nor a flag is shorter.
    if text.len() < MIN_VALUE {
        return;
    }
    let found = triggers::find(text);
    tokens::find(tables, kept, &place, text, found);
    flags::find(tables, kept, &place, text, found, &[]);
    if found.has(triggers::SHELL) {
        powershell::line(tables, kept, &place, text);
    }
}

/// Reads a body or a file. `first` are its first bytes, `length` is how many there were; `mime` is what they say they are,
/// `declared` what the protocol says.
pub fn body(tables: &mut TableSet, place: Place<'_>, first: &[u8], length: u64, mime: Option<&str>, declared: Option<&str>) {
    let Some((text, encoding)) = readable(first) else { return };
    let is = |kind: &str| mime == Some(kind) || declared.is_some_and(|declared| declared.eq_ignore_ascii_case(kind));
    let is_page = is("text/html") || is("application/xhtml+xml");
    let is_style = is("text/css") || is("text/javascript") || is("application/javascript") || is("application/x-javascript");
    let place = Place { encoding, is_page: is_page || is_style, ..place };
    let mut kept = Kept::default();
    let script = powershell::is_script(place.filename, &text, is_page || is_style);
    if script {
        powershell::script(tables, &mut kept, &place, &text);
    }
    let mut offset = 0u64;
    let mut runs = 0;
    let wide = if encoding == "utf16le" { 2 } else { 1 };
    // Keys and certificates are base64 that says nothing line by line.
    let mut in_armour = false;
    for part in text.split('\n') {
        let bytes = part.len() as u64 + 1;
        let was_in_armour = in_armour;
        in_armour = (in_armour || part.starts_with("-----BEGIN ")) && !part.starts_with("-----END ");
        if offset < BODY_BYTES as u64 && part.trim().len() >= MIN_STRING && !was_in_armour {
            runs += 1;
            let here = Place { offset: offset.saturating_mul(wide), is_page: place.is_page || script, ..place };
            for piece in pieces(part.trim()) {
                line(tables, &mut kept, here, piece);
            }
        }
        offset = offset.saturating_add(bytes);
    }
    if tokens::private_key(tables, &mut kept, &place, &text) {
        kept.strings = kept.strings.saturating_add(1);
    }
    let read = first.len().min(BODY_BYTES) as u64;
    told(tables, place.common, place.context, read, runs, kept.limited || length > read);
}

/// A text in pieces of the longest line's length, never within a character.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut end = rest.len().min(MAX_LINE);
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let (piece, after) = rest.split_at_checked(end)?;
        rest = after;
        Some(piece)
    })
}

/// Writes the row that tells how much of a direction or a body was read.
pub fn told(tables: &mut TableSet, common: &Common, context: &str, read: u64, runs: u32, limited: bool) {
    if runs == 0 {
        return;
    }
    TextScans::slot(tables).push(common, TextScans { context: Some(context), read_bytes: Some(read), runs: Some(runs), limited: Some(limited) });
}

/// Whether bytes may be the start of a text.
pub fn may_be(bytes: &[u8]) -> bool {
    let sample = bytes.get(..256).unwrap_or(bytes);
    let controls = sample.iter().filter(|&&octet| octet < 0x20 && !matches!(octet, b'\t' | b'\r' | b'\n' | 0x0c | 0x1b)).count();
    controls * 50 <= sample.len() || utf16(sample).is_some()
}

/// Bytes as text, if they are that: UTF-8 (a last character may be cut), or UTF-16LE.
fn readable(bytes: &[u8]) -> Option<(String, &'static str)> {
    let sample = bytes.get(..512).unwrap_or(bytes);
    if sample.len() < MIN_STRING {
        return None;
    }
    let bytes = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
    let controls = sample.iter().filter(|&&octet| octet < 0x20 && !matches!(octet, b'\t' | b'\r' | b'\n' | 0x0c | 0x1b)).count();
    if controls * 50 <= sample.len() {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(error) if error.error_len().is_none() => String::from_utf8_lossy(bytes.get(..error.valid_up_to())?).into_owned(),
            // Text in an older character set: what is ASCII of it reads the same.
            Err(_) => {
                let high = sample.iter().filter(|&&octet| octet >= 0x80).count();
                if high * 4 > sample.len() {
                    return None;
                }
                bytes.iter().map(|&octet| if octet < 0x80 { char::from(octet) } else { '\u{fffd}' }).collect()
            }
        };
        return Some((text, "ascii"));
    }
    let text = utf16(bytes)?;
    Some((text, "utf16le"))
}

/// UTF-16LE whose characters are mostly Latin.
pub(crate) fn utf16(bytes: &[u8]) -> Option<String> {
    let bytes = bytes.strip_prefix(&[0xff, 0xfe]).unwrap_or(bytes);
    let (pairs, _) = bytes.as_chunks::<2>();
    if pairs.len() < 4 {
        return None;
    }
    let latin = pairs.iter().filter(|[low, high]| *high == 0 && (matches!(low, b'\t' | b'\r' | b'\n' | 0x20..=0x7e) || *low >= 0xa0)).count();
    if latin * 10 < pairs.len() * 9 {
        return None;
    }
    Some(char::decode_utf16(pairs.iter().map(|pair| u16::from_le_bytes(*pair))).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
}

/// Percent-encoding and the `+` of forms undone.
pub fn unescaped(value: &str) -> std::borrow::Cow<'_, str> {
    if !value.contains(['%', '+']) {
        return std::borrow::Cow::Borrowed(value);
    }
    let octets = percent_decoded(&value.replace('+', " "));
    std::borrow::Cow::Owned(String::from_utf8_lossy(&octets).into_owned())
}

/// A string that was found.
#[derive(Default)]
struct Hit<'a> {
    /// As `strings.kind`.
    kind: &'a str,
    /// Offset within the text that is read.
    at: u64,
    text: &'a str,
    /// Steps undone to find it.
    chain: &'a [&'a str],
    /// The whole of it, where `text` hides a secret.
    secret: Option<&'a str>,
}

/// Writes a row of `strings` unless it was written for this direction, or there were too many.
fn string(tables: &mut TableSet, kept: &mut Kept, place: &Place<'_>, hit: Hit<'_>) {
    let Hit { kind, at, text, chain, secret } = hit;
    if !kept.is_new(kind, text) {
        return;
    }
    let room = match kind {
        "text" => Kept::one_more(&mut kept.plain, MAX_PLAIN, &mut kept.limited),
        _ => Kept::one_more(&mut kept.strings, MAX_STRINGS, &mut kept.limited),
    };
    if !room {
        return;
    }
    let value: String = text.chars().take(512).collect();
    let chain: Vec<std::borrow::Cow<'_, str>> = chain.iter().map(|step| std::borrow::Cow::Borrowed(*step)).collect();
    Strings::slot(tables).push(
        place.common,
        Strings {
            kind: Some(kind),
            value: Some(&value),
            secret,
            encoding: Some(place.encoding),
            chain: Some(&chain[..]).filter(|chain| !chain.is_empty()),
            context: Some(place.context),
            stream_offset: Some(place.offset.saturating_add(at)),
            filename: place.filename,
            length: u32::try_from(text.chars().count()).ok(),
        },
    );
}
