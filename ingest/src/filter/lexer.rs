//! Words, numbers, addresses and signs of an expression.

use std::net::Ipv6Addr;

use super::FilterError;

/// A token's meaning.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A keyword or a name.
    Word(String),
    /// A name that is no keyword because a backslash stands before it.
    Quoted(String),
    Number(u32),
    /// IPv4 address or its first octets: value and bits given.
    V4(u32, u32),
    V6(Ipv6Addr),
    Mac([u8; 6]),
    /// `80-90` and the like: kept apart from names because ports are ranged so.
    Range(String),
    Sign(&'static str),
    End,
}

/// A token and its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Token {
    pub kind: Kind,
    /// Character of the expression, counted from 1.
    pub position: usize,
}

/// Signs, longer ones first.
const SIGNS: &[&str] =
    &["&&", "||", ">=", "<=", "!=", "==", "<<", ">>", "!", "<", ">", "(", ")", "[", "]", "/", "^", "*", "&", "|", "+", "-", ":", "=", "%"];

/// Splits an expression; the last token is [`Kind::End`].
pub fn tokens(text: &str) -> Result<Vec<Token>, FilterError> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        let position = text.get(..text.len() - rest.len()).unwrap_or_default().chars().count() + 1;
        let Some(first) = rest.chars().next() else {
            tokens.push(Token { kind: Kind::End, position });
            return Ok(tokens);
        };
        let fail = |message: String| FilterError { message, position };
        let (kind, length) = if let Some((kind, length)) = colon_address(rest) {
            (kind, length)
        } else if first == '\\' {
            let name = word(rest.get(1..).unwrap_or_default());
            if name.is_empty() {
                return Err(fail("a name must follow the backslash".to_owned()));
            }
            (Kind::Quoted(name.to_owned()), name.len() + 1)
        } else if first.is_ascii_alphanumeric() {
            let word = word(rest);
            (classify(word).map_err(fail)?, word.len())
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            (Kind::Sign(sign), sign.len())
        } else {
            return Err(fail(format!("unexpected character {first:?}")));
        };
        tokens.push(Token { kind, position });
        rest = rest.get(length..).unwrap_or_default();
    }
}

/// The name, number or address at the start: letters, digits, `-`, `_`, `.`; it does not end in `-` or `_`.
fn word(text: &str) -> &str {
    let end = text.find(|letter: char| !(letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.'))).unwrap_or(text.len());
    text.get(..end).unwrap_or_default().trim_end_matches(['-', '_'])
}

/// An IPv6 or MAC address with colons at the start of `text`: the longest that is one.
fn colon_address(text: &str) -> Option<(Kind, usize)> {
    let end = text.find(|letter: char| !(letter.is_ascii_hexdigit() || matches!(letter, ':' | '.'))).unwrap_or(text.len());
    let run = text.get(..end)?;
    // A word that merely starts like an address.
    if text.get(end..).is_some_and(|rest| rest.starts_with(|letter: char| letter.is_ascii_alphanumeric())) && !run.contains("::") {
        return None;
    }
    (2..=run.len()).rev().find_map(|length| {
        let candidate = run.get(..length)?;
        if candidate.matches(':').count() < 2 {
            return None;
        }
        if let Some(mac) = mac(candidate, ':') {
            return Some((Kind::Mac(mac), length));
        }
        candidate.parse().ok().map(|address| (Kind::V6(address), length))
    })
}

/// Six groups of one or two hexadecimal digits.
fn mac(text: &str, between: char) -> Option<[u8; 6]> {
    let mut octets = [0; 6];
    let mut groups = text.split(between);
    for octet in &mut octets {
        let group = groups.next()?;
        if !(1..=2).contains(&group.len()) {
            return None;
        }
        *octet = u8::from_str_radix(group, 16).ok()?;
    }
    groups.next().is_none().then_some(octets)
}

/// A MAC address without colons: `00-11-22-33-44-55`, `0011.2233.4455` or twelve digits.
fn mac_of_word(word: &str) -> Option<[u8; 6]> {
    if let Some(found) = mac(word, '-').or_else(|| mac(word, '.')) {
        return Some(found);
    }
    let digits: String = word.chars().filter(|letter| *letter != '.').collect();
    let grouped = word.len() == 12 || (word.len() == 14 && word.split('.').all(|group| group.len() == 4));
    if !grouped || digits.len() != 12 || !digits.chars().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut octets = [0; 6];
    for (at, octet) in octets.iter_mut().enumerate() {
        *octet = u8::from_str_radix(digits.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(octets)
}

fn classify(word: &str) -> Result<Kind, String> {
    if let Some(mac) = mac_of_word(word) {
        return Ok(Kind::Mac(mac));
    }
    if word.chars().all(|letter| letter.is_ascii_digit()) || word.starts_with("0x") || word.starts_with("0X") {
        return number(word).map(Kind::Number);
    }
    let groups: Vec<&str> = word.split('.').collect();
    if (2..=4).contains(&groups.len()) && groups.iter().all(|group| !group.is_empty() && group.chars().all(|digit| digit.is_ascii_digit())) {
        let mut address = 0;
        for group in &groups {
            let octet: u8 = group.parse().map_err(|_| format!("{word} is no IPv4 address"))?;
            address = address << 8 | u32::from(octet);
        }
        return Ok(Kind::V4(address, groups.len() as u32 * 8));
    }
    let is_range = word.split_once('-').is_some_and(|(from, to)| [from, to].iter().all(|end| end.parse::<u32>().is_ok()));
    Ok(if is_range { Kind::Range(word.to_owned()) } else { Kind::Word(word.to_owned()) })
}

/// Hexadecimal behind `0x`, octal behind `0`, else decimal.
fn number(word: &str) -> Result<u32, String> {
    let parsed = if let Some(digits) = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        u32::from_str_radix(digits, 16)
    } else if word.len() > 1 && word.starts_with('0') {
        u32::from_str_radix(word, 8)
    } else {
        word.parse()
    };
    parsed.map_err(|_| format!("{word} is no number of 32 bits"))
}
