//! Encoded tokens and what they decode to, and secrets that a pattern tells.
//!
//! A token counts when its decoding makes sense: text, or bytes with a known signature. Everything is bounded: a token's
//! length, how deep encodings are undone, and what unpacking may give.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use flate2::{Decompress, FlushDecompress, Status};
use pcapper_schema::tables::EncodedStrings;
use pcapper_schema::{Common, Row as _, TableSet};
use sha2::{Digest as _, Sha256};

use super::lines::is_placeholder;
use super::triggers::{self, Found, JWT, KEY};
use super::{Kept, Place, flags, utf16};
use crate::protocols::hex::hex;
use crate::protocols::it::mime;

/// Base64 with or without padding; trailing bits must be zero, as encoders write them.
const ANY_PADDING: GeneralPurposeConfig = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, ANY_PADDING);
const BASE64URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, ANY_PADDING);

/// Shortest tokens that are tried.
const MIN_TOKEN: usize = 16;
const MIN_HEX: usize = 32;
/// Encodings within each other that are undone.
const MAX_DEPTH: usize = 4;
/// Most bytes that unpacking gives.
const MAX_UNPACKED: usize = 1 << 20;
/// Characters that a row holds.
const PREFIX_CHARACTERS: usize = 64;
const TEXT_CHARACTERS: usize = 1024;

/// A token and what came of it.
#[derive(Default)]
struct Token<'a> {
    encoding: Option<&'a str>,
    chain: Vec<&'static str>,
    at: usize,
    text: &'a str,
    key: Option<&'a str>,
    decoded: Option<Vec<u8>>,
    kind: Option<&'a str>,
    jwt: Option<Jwt>,
}

/// What a JSON Web Token says of itself (RFC 7519).
#[derive(Default)]
struct Jwt {
    alg: Option<String>,
    issuer: Option<String>,
    subject: Option<String>,
    expires: Option<i64>,
}

/// Writes the tokens of a line.
pub fn find(tables: &mut TableSet, kept: &mut Kept, place: &Place<'_>, text: &str, found: Found) {
    let mut taken: Vec<std::ops::Range<usize>> = Vec::new();
    if found.has(JWT) {
        for (at, token) in jwts(text) {
            taken.push(at..at + token.len());
            let (Some(jwt), payload) = jwt(token) else { continue };
            let key = place.key.or_else(|| key_before(text, at));
            emit(
                tables,
                kept,
                place,
                Token { encoding: Some("jwt"), chain: vec!["jwt"], at, text: token, key, decoded: payload, kind: Some("jwt"), jwt: Some(jwt) },
            );
        }
    }
    if found.has(KEY) {
        for (at, token, _) in cloud_keys(text) {
            taken.push(at..at + token.len());
            let kind = if token.starts_with("AKIA") || token.starts_with("ASIA") { "aws_access_key" } else { "api_key" };
            let key = place.key.or_else(|| key_before(text, at));
            emit(tables, kept, place, Token { at, text: token, key, kind: Some(kind), ..Token::default() });
        }
    }
    for (at, run) in runs(text) {
        if taken.iter().any(|range| range.start < at + run.len() && at < range.end) {
            continue;
        }
        let key = place.key.or_else(|| key_before(text, at));
        let Some((encoding, chain, decoded)) = undone(run, 0) else {
            blob(tables, kept, place, at, run, key);
            continue;
        };
        look_for_flags(tables, kept, place, at, &chain, &decoded);
        if is_worth_telling(&decoded, chain.len()) {
            emit(tables, kept, place, Token { encoding: Some(encoding), chain, at, text: run, key, decoded: Some(decoded), ..Token::default() });
        }
    }
}

/// Bytes without a known form are told only where they stand for something by name: a parameter, a cookie, a header of one's own.
fn blob(tables: &mut TableSet, kept: &mut Kept, place: &Place<'_>, at: usize, run: &str, key: Option<&str>) {
    let is_named = place.key.is_some() && (place.context == "http_query" || place.context == "cookie" || place.context == "http_form");
    if !is_named || run.len() < 40 || !is_mixed(run) {
        return;
    }
    let Some((encoding, decoded)) = base64(run) else { return };
    let kind = (place.context == "cookie" && key.is_some_and(is_session)).then_some("session_cookie");
    emit(
        tables,
        kept,
        place,
        Token { encoding: Some(encoding), chain: vec![encoding], at, text: run, key, decoded: Some(decoded), kind, ..Token::default() },
    );
}

/// A cookie's name says that it stands for a session.
fn is_session(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    ["sess", "sid", "auth", "token", "login", "jwt"].iter().any(|word| lower.contains(word))
}

/// Capitals, small letters and digits: no word, no path.
fn is_mixed(run: &str) -> bool {
    let has = |is: fn(&u8) -> bool| run.as_bytes().iter().any(is);
    has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit)
}

/// Text is told if it came out of several steps or says something: words, or names with values. Bytes are told, since their
/// signature is known.
fn is_worth_telling(decoded: &[u8], steps: usize) -> bool {
    let Ok(text) = std::str::from_utf8(decoded) else { return true };
    if !is_text(text) {
        return true;
    }
    let is_word = |word: &&str| word.len() >= 3 && word.bytes().all(|octet| octet.is_ascii_alphabetic());
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(is_word).take(3).count();
    let says = words >= 3 && text.contains([' ', '\n', '=', ':', '/', '\\', '{']);
    says || steps > 1 && text.len() >= 8
}

fn look_for_flags(tables: &mut TableSet, kept: &mut Kept, place: &Place<'_>, at: usize, chain: &[&'static str], decoded: &[u8]) {
    let here = Place { offset: place.offset.saturating_add(at as u64), ..*place };
    if let Ok(text) = std::str::from_utf8(decoded) {
        flags::find(tables, kept, &here, text, triggers::find(text), chain);
    }
}

/// Maximal runs of characters that base64, its URL form, base32 and hexadecimal are written in.
fn runs(text: &str) -> Vec<(usize, &str)> {
    let bytes = text.as_bytes();
    let is_token = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/' | b'-' | b'_');
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let Some(skip) = bytes.get(at..).and_then(|rest| rest.iter().position(|octet| is_token(*octet))) else { break };
        let start = at + skip;
        let length = bytes.get(start..).unwrap_or_default().iter().take_while(|octet| is_token(**octet)).count();
        let padding = bytes.get(start + length..).unwrap_or_default().iter().take(6).take_while(|octet| **octet == b'=').count();
        at = start + length + padding.max(1);
        // A name with dashes or slashes between words is no token; one that starts or ends with them may hold one.
        if length >= MIN_TOKEN
            && let Some(run) = text.get(start..start + length + padding)
        {
            found.push((start, run));
        }
    }
    found
}

/// What a token decodes to, if that makes sense: the outermost encoding, the steps, the bytes.
fn undone(run: &str, depth: usize) -> Option<(&'static str, Vec<&'static str>, Vec<u8>)> {
    let bare = run.trim_end_matches('=');
    if bare.len() >= MIN_HEX && bare.len().is_multiple_of(2) && bare.bytes().all(|octet| octet.is_ascii_hexdigit()) {
        let octets = unhex(bare)?;
        let (chain, octets) = further("hex", octets, depth)?;
        return Some(("hex", chain, octets));
    }
    if let Some((encoding, octets)) = base64(run)
        && let Some((chain, octets)) = further(encoding, octets, depth)
    {
        let encoding = match chain.get(1) {
            Some(&"utf16le") => "utf16_base64",
            Some(&("gzip" | "zlib")) => "gzip_base64",
            Some(&"xor") => "xor",
            _ => encoding,
        };
        return Some((encoding, chain, octets));
    }
    if bare.len() >= MIN_TOKEN
        && bare.bytes().all(|octet| matches!(octet, b'A'..=b'Z' | b'2'..=b'7'))
        && bare.bytes().any(|octet| octet.is_ascii_digit())
    {
        let octets = base32(bare)?;
        let (chain, octets) = further("base32", octets, depth)?;
        return Some(("base32", chain, octets));
    }
    None
}

fn base64(run: &str) -> Option<(&'static str, Vec<u8>)> {
    if run.contains(['-', '_']) {
        if run.contains(['+', '/']) {
            return None;
        }
        return BASE64URL.decode(run).ok().map(|octets| ("base64url", octets));
    }
    BASE64.decode(run).ok().map(|octets| ("base64", octets))
}

fn base32(run: &str) -> Option<Vec<u8>> {
    let (mut octets, mut bits, mut held) = (Vec::with_capacity(run.len()), 0u32, 0u32);
    for letter in run.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'2'..=b'7' => letter - b'2' + 26,
            _ => return None,
        };
        bits = bits << 5 | u32::from(value);
        held += 5;
        if held >= 8 {
            held -= 8;
            octets.push((bits >> held & 0xff) as u8);
            bits &= (1 << held) - 1;
        }
    }
    Some(octets)
}

fn unhex(run: &str) -> Option<Vec<u8>> {
    let digit = |octet: u8| char::from(octet).to_digit(16);
    let (pairs, _) = run.as_bytes().as_chunks::<2>();
    pairs.iter().map(|[high, low]| Some((digit(*high)? << 4 | digit(*low)?) as u8)).collect()
}

/// Whether decoded bytes make sense, and what further steps give; the steps start with the one that gave them.
fn further(step: &'static str, octets: Vec<u8>, depth: usize) -> Option<(Vec<&'static str>, Vec<u8>)> {
    let mut chain = vec![step];
    if depth >= MAX_DEPTH || octets.len() < 8 {
        return None;
    }
    // What is masked may be printable by chance.
    if let Some(plain) = unmasked(&octets) {
        chain.push("xor");
        return Some((chain, plain));
    }
    if let Ok(text) = std::str::from_utf8(&octets)
        && is_text(text)
    {
        let inner = text.trim();
        if inner.len() >= MIN_TOKEN
            && !inner.contains(char::is_whitespace)
            && let Some((_, more, octets)) = undone(inner, depth + 1)
        {
            chain.extend(more);
            return Some((chain, octets));
        }
        return Some((chain, octets));
    }
    if let Some(text) = utf16(&octets).filter(|text| is_text(text)) {
        chain.push("utf16le");
        return Some((chain, text.into_bytes()));
    }
    if let Some((packing, unpacked)) = unpack(&octets) {
        chain.push(packing);
        if let Ok(text) = std::str::from_utf8(&unpacked)
            && is_text(text)
            && let Some((_, more, octets)) = undone(text.trim(), depth + 1)
        {
            chain.extend(more);
            return Some((chain, octets));
        }
        return Some((chain, unpacked));
    }
    (octets.len() >= 32 && mime::sniff(&octets).is_some_and(is_sure)).then_some((chain, octets))
}

/// Signatures that random bytes do not show by chance.
fn is_sure(kind: &str) -> bool {
    !matches!(
        kind,
        "audio/mpeg" | "application/x-shockwave-flash" | "image/vnd.microsoft.icon" | "font/ttf" | "text/plain" | "application/x-compress"
    ) && !kind.starts_with("text/")
}

/// Gzip or zlib undone.
fn unpack(octets: &[u8]) -> Option<(&'static str, Vec<u8>)> {
    let (name, mut inflate) = match octets {
        [0x1f, 0x8b, 8, ..] => ("gzip", Decompress::new_gzip(15)),
        [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] => ("zlib", Decompress::new(true)),
        _ => return None,
    };
    inflated(&mut inflate, octets).map(|unpacked| (name, unpacked))
}

/// Deflate without a header undone, as PowerShell packs its scripts.
pub fn undeflated(octets: &[u8]) -> Option<Vec<u8>> {
    unpack(octets).map(|(_, unpacked)| unpacked).or_else(|| inflated(&mut Decompress::new(false), octets))
}

fn inflated(inflate: &mut Decompress, octets: &[u8]) -> Option<Vec<u8>> {
    let mut unpacked = Vec::new();
    let mut room = vec![0; 16 << 10];
    loop {
        let (read, written) = (inflate.total_in() as usize, inflate.total_out());
        let status = inflate.decompress(octets.get(read..)?, &mut room, FlushDecompress::None).ok()?;
        let count = usize::try_from(inflate.total_out().saturating_sub(written)).ok()?;
        unpacked.extend_from_slice(room.get(..count)?);
        let stuck = count == 0 && inflate.total_in() as usize == read;
        if status == Status::StreamEnd {
            return Some(unpacked);
        }
        if stuck || unpacked.len() > MAX_UNPACKED {
            return (unpacked.len() >= 16).then_some(unpacked);
        }
    }
}

/// Bytes under a mask of one byte: a program, or a text with a flag in it.
fn unmasked(octets: &[u8]) -> Option<Vec<u8>> {
    let [first, second, ..] = octets else { return None };
    let mask = first ^ b'M';
    let under = |mask: u8| -> Vec<u8> { octets.iter().map(|octet| octet ^ mask).collect() };
    if mask != 0 && second ^ mask == b'Z' && octets.len() >= 64 {
        let plain = under(mask);
        if mime::sniff(&plain).is_some() && memchr::memmem::find(&plain, b"This program").is_some() {
            return Some(plain);
        }
    }
    // What neighbours differ in is the same under any mask: the wrapper of a flag is found by that.
    let head = octets.get(..4096).unwrap_or(octets);
    let steps: Vec<u8> = head.iter().zip(head.iter().skip(1)).map(|(one, next)| one ^ next).collect();
    for wrapper in [&b"flag{"[..], b"FLAG{", b"ctf{", b"CTF{", b"htb{", b"HTB{", b"thm{", b"THM{"] {
        let wanted: Vec<u8> = wrapper.iter().zip(wrapper.iter().skip(1)).map(|(one, next)| one ^ next).collect();
        let Some(mask) = memchr::memmem::find(&steps, &wanted).and_then(|at| Some(octets.get(at)? ^ wrapper.first()?)) else { continue };
        let plain = under(mask);
        if mask != 0 && std::str::from_utf8(&plain).is_ok_and(|text| is_text(text) && !flags::plain(text).is_empty()) {
            return Some(plain);
        }
    }
    None
}

/// Printable, and not all of one kind of character.
fn is_text(text: &str) -> bool {
    let mut total = 0u32;
    let mut printable = 0u32;
    let mut letters = 0u32;
    for letter in text.chars().take(4096) {
        total += 1;
        printable += u32::from(!letter.is_control() || matches!(letter, '\t' | '\r' | '\n'));
        letters += u32::from(letter.is_ascii_alphanumeric());
    }
    total >= 8 && printable * 10 >= total * 9 && letters * 2 >= total
}

/// JSON Web Tokens in a text.
fn jwts(text: &str) -> Vec<(usize, &str)> {
    let is_token = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.');
    let mut found: Vec<(usize, &str)> = Vec::new();
    for (at, _) in text.match_indices("eyJ").take(32) {
        if found.last().is_some_and(|(start, token)| at < start + token.len()) {
            continue;
        }
        let length = text.as_bytes().get(at..).unwrap_or_default().iter().take_while(|octet| is_token(octet)).count();
        let Some(token) = text.get(at..at + length) else { continue };
        let parts: Vec<&str> = token.trim_end_matches('.').split('.').collect();
        // Without a signature the last part is empty.
        if matches!(parts.len(), 2 | 3) && token.matches('.').count() == 2 {
            found.push((at, token));
        }
    }
    found
}

/// Header and claims of a token whose header says how it is signed.
fn jwt(token: &str) -> (Option<Jwt>, Option<Vec<u8>>) {
    let mut parts = token.split('.');
    let part = |part: Option<&str>| -> Option<Vec<u8>> { BASE64URL.decode(part?).ok() };
    let Some(header) = part(parts.next()).and_then(|octets| serde_json::from_slice::<serde_json::Value>(&octets).ok()) else { return (None, None) };
    let Some(alg) = header.get("alg").and_then(serde_json::Value::as_str) else { return (None, None) };
    let payload = part(parts.next());
    let claims: Option<serde_json::Value> = payload.as_ref().and_then(|octets| serde_json::from_slice(octets).ok());
    let claim = |name: &str| claims.as_ref().and_then(|claims| claims.get(name)).and_then(serde_json::Value::as_str).map(str::to_owned);
    let expires = claims
        .as_ref()
        .and_then(|claims| claims.get("exp"))
        .and_then(serde_json::Value::as_i64)
        .and_then(|seconds| seconds.checked_mul(1_000_000_000));
    (Some(Jwt { alg: Some(alg.to_owned()), issuer: claim("iss"), subject: claim("sub"), expires }), payload)
}

/// Keys of clouds and code forges, by their shape: where, which, and what they are called.
pub fn cloud_keys(text: &str) -> Vec<(usize, &str, &'static str)> {
    // Prefix, characters behind it (at least, at most), whether those are capitals and digits only, name.
    static SHAPES: &[(&str, usize, usize, bool, &str)] = &[
        ("AKIA", 16, 16, true, "AWS access key"),
        ("ASIA", 16, 16, true, "AWS access key"),
        ("AIza", 35, 35, false, "Google API key"),
        ("ghp_", 36, 36, false, "GitHub token"),
        ("gho_", 36, 36, false, "GitHub token"),
        ("ghs_", 36, 36, false, "GitHub token"),
        ("xoxb-", 20, 255, false, "Slack token"),
        ("xoxp-", 20, 255, false, "Slack token"),
        ("xoxa-", 20, 255, false, "Slack token"),
        ("xoxr-", 20, 255, false, "Slack token"),
        ("AccountKey=", 86, 88, false, "Azure account key"),
    ];
    let mut found = Vec::new();
    for (prefix, least, most, capitals, label) in SHAPES {
        for (at, _) in text.match_indices(prefix).take(4) {
            let is_word = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'_' | b'-');
            if at > 0 && text.as_bytes().get(at - 1).is_some_and(is_word) {
                continue;
            }
            let is_key = |octet: &u8| match *label {
                "Azure account key" => octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/' | b'='),
                _ if *capitals => octet.is_ascii_uppercase() || octet.is_ascii_digit(),
                _ => is_word(octet),
            };
            let start = at + prefix.len();
            let rest = text.as_bytes().get(start..).unwrap_or_default();
            let length = rest.iter().take(most + 1).take_while(|octet| is_key(octet)).count();
            let is_longer = rest.get(length).is_some_and(|octet| octet.is_ascii_alphanumeric());
            let Some(key) = text.get(at..start + length) else { continue };
            // A key is drawn at random; the one in the vendor's documentation is not a secret.
            if length >= *least && length <= *most && !is_longer && !key.ends_with("EXAMPLE") && key.bytes().any(|octet| octet.is_ascii_digit()) {
                found.push((at, key, *label));
            }
        }
    }
    found
}

/// Writes a private key in PEM that stands in a text; true if there is one.
pub fn private_key(tables: &mut TableSet, kept: &mut Kept, place: &Place<'_>, text: &str) -> bool {
    let Some(at) = text.find("-----BEGIN ") else { return false };
    let Some(rest) = text.get(at..) else { return false };
    let Some(end_of_name) = rest.find("PRIVATE KEY-----").filter(|end| *end < 40) else { return false };
    let body = rest.get(end_of_name + 16..).unwrap_or_default();
    // A form to fill in has no key in it.
    let digits = body.bytes().take(200).filter(|octet| octet.is_ascii_alphanumeric()).count();
    if digits < 40 {
        return false;
    }
    let end = rest.find("-----END").unwrap_or(rest.len());
    let Some(block) = rest.get(..end) else { return false };
    emit(tables, kept, place, Token { encoding: Some("base64"), at, text: block, kind: Some("private_key"), ..Token::default() });
    true
}

/// Writes the name and password of Basic (RFC 7617).
pub fn basic(tables: &mut TableSet, kept: &mut Kept, place: Place<'_>, token: &str) {
    let token = token.trim();
    let Ok(decoded) = BASE64.decode(token) else { return };
    if decoded.contains(&b':') {
        // Without a password there is no secret.
        let kind = (!decoded.ends_with(b":")).then_some("basic_auth");
        emit(
            tables,
            kept,
            &place,
            Token { encoding: Some("base64"), chain: vec!["base64"], text: token, key: place.key, decoded: Some(decoded), kind, ..Token::default() },
        );
    }
}

/// Writes a bearer token (RFC 6750), unless it is one that says more of itself.
pub fn bearer(tables: &mut TableSet, kept: &mut Kept, place: Place<'_>, token: &str) {
    let token = token.trim();
    if token.len() < 8 {
        return;
    }
    if let Some((at, found)) = jwts(token).into_iter().next()
        && let (Some(jwt), decoded) = jwt(found)
    {
        emit(
            tables,
            kept,
            &place,
            Token { encoding: Some("jwt"), chain: vec!["jwt"], at, text: found, key: place.key, decoded, kind: Some("bearer_token"), jwt: Some(jwt) },
        );
        return;
    }
    emit(tables, kept, &place, Token { text: token, key: place.key, kind: Some("bearer_token"), ..Token::default() });
}

/// Writes a parameter whose name says that its value is a secret.
pub fn parameter(tables: &mut TableSet, kept: &mut Kept, place: Place<'_>, value: &str) {
    let Some(name) = place.key else { return };
    let lower = name.to_ascii_lowercase();
    let kind = if lower.starts_with("passw") || matches!(lower.as_str(), "pwd" | "pass" | "secret" | "client_secret") {
        "password_parameter"
    } else if matches!(lower.as_str(), "api_key" | "apikey" | "api-key" | "access_token" | "token" | "auth_token" | "x-api-key" | "x-auth-token") {
        "api_key"
    } else {
        return;
    };
    if is_placeholder(value) || !jwts(value).is_empty() {
        return;
    }
    let plain = super::unescaped(value);
    let encoding = (plain != value).then_some("urlencoded");
    let chain = if encoding.is_some() { vec!["urlencoded"] } else { Vec::new() };
    emit(
        tables,
        kept,
        &place,
        Token { encoding, chain, text: value, key: place.key, decoded: Some(plain.into_owned().into_bytes()), kind: Some(kind), ..Token::default() },
    );
}

/// The name that a value at `at` is given to: `name=`, `"name": "`.
fn key_before(text: &str, at: usize) -> Option<&str> {
    let before = text.get(..at)?.trim_end_matches(['"', '\'', ' ']);
    let before = before.strip_suffix(['=', ':'])?.trim_end_matches(['"', '\'', ' ']);
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.');
    let start = before.char_indices().rev().take_while(|(_, letter)| is_name(*letter)).last().map(|(start, _)| start)?;
    before.get(start..).filter(|name| name.len() <= 64)
}

fn emit(tables: &mut TableSet, kept: &mut Kept, place: &Place<'_>, token: Token<'_>) {
    if !kept.is_new("token", token.text) || !Kept::one_more(&mut kept.tokens, super::MAX_TOKENS, &mut kept.limited) {
        return;
    }
    row(tables, place.common, place, &token);
}

fn row(tables: &mut TableSet, common: &Common, place: &Place<'_>, token: &Token<'_>) {
    let decoded = token.decoded.as_deref();
    let text = decoded.and_then(|octets| std::str::from_utf8(octets).ok()).filter(|text| token.kind.is_some() || is_text(text));
    let mime = decoded.map(|octets| mime::sniff(octets).unwrap_or(if text.is_some() { "text/plain" } else { "application/octet-stream" }));
    let chain: Vec<Cow<'_, str>> = token.chain.iter().map(|step| Cow::Borrowed(*step)).collect();
    let cut = |text: &str, characters: usize| text.chars().take(characters).collect::<String>();
    let prefix = cut(token.text, PREFIX_CHARACTERS);
    let decoded_text = text.map(|text| cut(text, TEXT_CHARACTERS));
    let hash = token.encoding.map(|_| hex(&Sha256::digest(token.text.as_bytes())));
    let jwt = token.jwt.as_ref();
    EncodedStrings::slot(tables).push(
        common,
        EncodedStrings {
            encoding: token.encoding,
            chain: Some(&chain[..]).filter(|chain| !chain.is_empty()),
            context: Some(place.context),
            key_name: token.key,
            stream_offset: Some(place.offset.saturating_add(token.at as u64)),
            token_len: u32::try_from(token.text.chars().count()).ok(),
            token_prefix: Some(&prefix),
            token_sha256: hash.as_deref(),
            decoded_len: decoded.and_then(|octets| u32::try_from(octets.len()).ok()),
            decoded_text: decoded_text.as_deref(),
            decoded_mime: mime,
            decoded_entropy: decoded.and_then(entropy),
            printable_ratio: decoded.and_then(printable),
            secret_kind: token.kind,
            jwt_alg: jwt.and_then(|jwt| jwt.alg.as_deref()),
            jwt_issuer: jwt.and_then(|jwt| jwt.issuer.as_deref()),
            jwt_subject: jwt.and_then(|jwt| jwt.subject.as_deref()),
            jwt_expires: jwt.and_then(|jwt| jwt.expires),
            encrypted_carrier: Some(false),
        },
    );
}

/// Shannon entropy, bits a byte.
pub fn entropy(octets: &[u8]) -> Option<f64> {
    if octets.is_empty() {
        return None;
    }
    let mut counts = [0u32; 256];
    for &octet in octets {
        counts[usize::from(octet)] += 1;
    }
    let total = octets.len() as f64;
    Some(counts.iter().filter(|&&count| count > 0).map(|&count| f64::from(count) / total).map(|share| -share * share.log2()).sum::<f64>().abs())
}

/// Share of printable ASCII.
fn printable(octets: &[u8]) -> Option<f64> {
    let count = octets.iter().filter(|octet| matches!(octet, b'\t' | b'\r' | b'\n' | 0x20..=0x7e)).count();
    (!octets.is_empty()).then(|| count as f64 / octets.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_what_makes_sense() {
        let (encoding, chain, octets) = undone("aGVsbG8gd29ybGQsIGhlcmUgSSBhbQ==", 0).unwrap();
        assert_eq!((encoding, chain, octets.as_slice()), ("base64", vec!["base64"], &b"hello world, here I am"[..]));
        assert_eq!(undone("ThisIsNoTokenButAnIdentifier12345", 0).map(|found| found.1), None);
        assert_eq!(undone("d41d8cd98f00b204e9800998ecf8427e", 0).map(|found| found.1), None);
        let twice = BASE64.encode(BASE64.encode("a flag in a box in a box"));
        assert_eq!(undone(&twice, 0).unwrap().1, ["base64", "base64"]);
        let wide: Vec<u8> = "Get-Process".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(undone(&BASE64.encode(wide), 0).unwrap().0, "utf16_base64");
        assert_eq!(undone("NBSWY3DPEB3W64TMMQQGM4TPNU2A", 0).map(|found| found.0), Some("base32"));
    }

    #[test]
    fn masked_flags() {
        let masked: Vec<u8> = b"here it is: flag{under_a_mask}".iter().map(|octet| octet ^ 0x55).collect();
        assert_eq!(undone(&BASE64.encode(masked), 0).unwrap().1, ["base64", "xor"]);
    }

    #[test]
    fn tokens_of_the_web() {
        let header = BASE64URL.encode(r#"{"alg":"none"}"#).trim_end_matches('=').to_owned();
        let claims = BASE64URL.encode(r#"{"iss":"me","sub":"you","exp":1700000000}"#).trim_end_matches('=').to_owned();
        let text = format!("x {header}.{claims}. y");
        let found = jwts(&text);
        assert_eq!(found.len(), 1);
        let (told, _) = jwt(found[0].1);
        let told = told.unwrap();
        assert_eq!((told.alg.as_deref(), told.issuer.as_deref(), told.expires), (Some("none"), Some("me"), Some(1_700_000_000_000_000_000)));
        assert_eq!(key_before(r#"{"id": "abc"#, 8), Some("id"));
    }

    #[test]
    fn keys_by_shape() {
        assert_eq!(cloud_keys("id=AKIAIOSFODNN7EXAMPLE"), []);
        assert_eq!(cloud_keys("id=AKIAIOSFODNN7ABCDEFG "), [(3, "AKIAIOSFODNN7ABCDEFG", "AWS access key")]);
        assert_eq!(cloud_keys("AKIAIOSFODNN7ABCDEFGH"), []);
    }
}
