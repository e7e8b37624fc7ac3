//! Encoded words in header fields (RFC 2047).

use super::charset;
use super::transfer::Base64;

/// The text with its encoded words read, `=?utf-8?B?...?=`; those in unknown character sets stay as they are.
pub fn decoded(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut rest = value;
    // Words that follow each other in one character set are read together: some cut a letter in two.
    let mut run: Option<Run<'_>> = None;
    while let Some(start) = rest.find("=?") {
        let (before, from_word) = rest.split_at(start);
        let word = Word::at_start(from_word);
        // Blanks between two words belong to neither.
        if run.is_none() || word.is_none() || !before.trim().is_empty() {
            finish(&mut run, &mut text);
            text.push_str(before);
        }
        let Some(word) = word else {
            text.push_str("=?");
            rest = from_word.get(2..).unwrap_or_default();
            continue;
        };
        let (written, after) = from_word.split_at_checked(word.length).unwrap_or((from_word, ""));
        match &mut run {
            Some(run) if run.charset.eq_ignore_ascii_case(word.charset) => {
                run.octets.extend(word.octets);
                run.written.push_str(written);
            }
            _ => {
                finish(&mut run, &mut text);
                run = Some(Run { charset: word.charset, octets: word.octets, written: written.to_owned() });
            }
        }
        rest = after;
    }
    finish(&mut run, &mut text);
    text.push_str(rest);
    text
}

/// Words under way.
struct Run<'a> {
    charset: &'a str,
    octets: Vec<u8>,
    written: String,
}

fn finish(run: &mut Option<Run<'_>>, text: &mut String) {
    let Some(run) = run.take() else { return };
    match charset::decode(run.charset, &run.octets) {
        Some(plain) => text.push_str(&plain),
        None => text.push_str(&run.written),
    }
}

/// One encoded word.
struct Word<'a> {
    charset: &'a str,
    octets: Vec<u8>,
    length: usize,
}

impl<'a> Word<'a> {
    /// The word that the text starts with.
    fn at_start(text: &'a str) -> Option<Self> {
        let mut parts = text.get(2..)?.splitn(4, '?');
        let (charset, encoding, body, tail) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        if !tail.starts_with('=') || charset.is_empty() {
            return None;
        }
        let octets = match encoding {
            "B" | "b" => {
                let (mut base64, mut octets) = (Base64::default(), Vec::new());
                base64.decode(body.as_bytes(), &mut octets);
                base64.end(&mut octets).then_some(octets)?
            }
            "Q" | "q" => quoted(body),
            _ => return None,
        };
        // A language may follow the character set (RFC 2231, 5).
        let name = charset.split('*').next()?;
        Some(Self { charset: name, octets, length: charset.len() + encoding.len() + body.len() + 6 })
    }
}

/// The Q encoding: `_` is a blank, `=41` an octet.
fn quoted(body: &str) -> Vec<u8> {
    percent(body.as_bytes(), b'=').into_iter().map(|(octet, plain)| if plain && octet == b'_' { b' ' } else { octet }).collect()
}

/// Octets of a text in which `mark` and two hexadecimal digits stand for one; whether each was written plainly.
pub(super) fn percent(text: &[u8], mark: u8) -> Vec<(u8, bool)> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let digit = |octet: Option<&u8>| char::from(*octet?).to_digit(16);
        rest = match (digit(after.first()), digit(after.get(1))) {
            (Some(high), Some(low)) if first == mark => {
                octets.push(((high << 4 | low) as u8, false));
                after.get(2..).unwrap_or_default()
            }
            _ => {
                octets.push((first, true));
                after
            }
        };
    }
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        assert_eq!(decoded("=?utf-8?Q?caf=C3=A9?= =?utf-8?B?IG5vaXI=?= end"), "café noir end");
        assert_eq!(decoded("=?utf-8?Q?=C3?= =?UTF-8?Q?=A9_x?="), "é x");
        assert_eq!(decoded("=?iso-8859-1*de?q?=FC?= b =?koi8-r?B?8NLJ?="), "ü b При");
        assert_eq!(decoded("a =?x"), "a =?x");
        assert_eq!(decoded("=?big5?B?pKQ=?= =?big5?B?pKU=?="), "=?big5?B?pKQ=?==?big5?B?pKU=?=");
        assert_eq!(decoded("=?utf-8?X?a?= b"), "=?utf-8?X?a?= b");
    }
}
