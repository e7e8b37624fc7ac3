//! The header of a message (RFC 5322), with encoded words (RFC 2047).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Most bytes of a header that are kept.
const MAX_HEADER: usize = 64 << 10;
/// Addresses of a field, and hops, that are kept.
const MAX_VALUES: usize = 256;

/// A header as it arrives.
#[derive(Default)]
pub struct Header {
    bytes: Vec<u8>,
    ended: bool,
}

/// What is read of it.
#[derive(Default, Debug)]
pub struct Fields {
    pub from: Option<String>,
    pub to: Vec<String>,
    pub cc: Vec<String>,
    pub subject: Option<String>,
    pub message_id: Option<String>,
    pub date: Option<String>,
    pub agent: Option<String>,
    pub in_reply_to: Option<String>,
    /// Addresses of hosts in Received fields, newest first.
    pub received: Vec<String>,
}

impl Header {
    /// Takes the next bytes of the message.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.ended {
            return;
        }
        // A line arrives whole, so an empty one is seen at its start.
        if matches!(bytes, b"\r\n" | b"\n") || self.bytes.len() > MAX_HEADER {
            self.ended = true;
            return;
        }
        // A chunk may hold the empty line; what came before was searched already, but for three octets of it.
        let from = self.bytes.len().saturating_sub(3);
        self.bytes.extend_from_slice(bytes);
        let fresh = self.bytes.get(from..).unwrap_or_default();
        if let Some(end) = fresh.windows(4).position(|window| window == b"\r\n\r\n") {
            self.bytes.truncate(from + end + 2);
            self.ended = true;
        }
    }

    pub fn read(&self) -> Fields {
        let text = String::from_utf8_lossy(&self.bytes);
        // Folded lines go on with a blank (RFC 5322, 2.2.3).
        let mut lines: Vec<String> = Vec::new();
        for line in text.lines() {
            match lines.last_mut() {
                Some(last) if line.starts_with([' ', '\t']) => {
                    last.push(' ');
                    last.push_str(line.trim());
                }
                _ => lines.push(line.to_owned()),
            }
        }
        let mut fields = Fields::default();
        for line in lines {
            let Some((name, value)) = line.split_once(':') else { continue };
            let value = value.trim();
            if value.is_empty() {
                continue;
            }
            let set = |slot: &mut Option<String>| {
                slot.get_or_insert_with(|| decoded(value));
            };
            match name.trim().to_ascii_lowercase().as_str() {
                "from" => set(&mut fields.from),
                "subject" => set(&mut fields.subject),
                "message-id" => set(&mut fields.message_id),
                "date" => set(&mut fields.date),
                "x-mailer" | "user-agent" => set(&mut fields.agent),
                "in-reply-to" => set(&mut fields.in_reply_to),
                "to" => fields.to.extend(addresses(value)),
                "cc" => fields.cc.extend(addresses(value)),
                "received" if fields.received.len() < MAX_VALUES => fields.received.extend(bracketed(value)),
                _ => {}
            }
        }
        fields
    }
}

/// The addresses of a list, names left out.
fn addresses(value: &str) -> impl Iterator<Item = String> + '_ {
    value.split(',').take(MAX_VALUES).filter_map(|one| {
        let one = one.rsplit_once('<').map_or(one, |(_, rest)| rest.split('>').next().unwrap_or_default()).trim();
        one.contains('@').then(|| one.to_owned())
    })
}

/// The address in `from host ([10.0.0.1])`.
fn bracketed(value: &str) -> Option<String> {
    let (_, rest) = value.split_once('[')?;
    let (address, _) = rest.split_once(']')?;
    let address = address.strip_prefix("IPv6:").unwrap_or(address);
    address.parse::<std::net::IpAddr>().ok().map(|ip| ip.to_string())
}

/// Encoded words decoded, `=?utf-8?B?...?=`; those in other character sets stay as they are.
fn decoded(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut rest = value;
    let mut after_word = false;
    while let Some(start) = rest.find("=?") {
        let (before, word) = rest.split_at(start);
        let Some((plain, length)) = encoded_word(word) else {
            text.push_str(before);
            text.push_str("=?");
            rest = word.get(2..).unwrap_or_default();
            after_word = false;
            continue;
        };
        // Blanks between two words belong to neither.
        if !(after_word && before.trim().is_empty()) {
            text.push_str(before);
        }
        text.push_str(&plain);
        rest = word.get(length..).unwrap_or_default();
        after_word = true;
    }
    text.push_str(rest);
    text
}

/// The word that the text starts with, and its length.
fn encoded_word(text: &str) -> Option<(String, usize)> {
    let mut parts = text.get(2..)?.splitn(4, '?');
    let (charset, encoding, body, tail) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if !tail.starts_with('=') {
        return None;
    }
    let bytes = match encoding {
        "B" | "b" => STANDARD.decode(body).ok()?,
        "Q" | "q" => quoted(body),
        _ => return None,
    };
    let plain = match charset.split('*').next()?.to_ascii_lowercase().as_str() {
        "utf-8" | "us-ascii" => String::from_utf8_lossy(&bytes).into_owned(),
        "iso-8859-1" | "latin1" => bytes.into_iter().map(char::from).collect(),
        _ => return None,
    };
    Some((plain, 2 + charset.len() + 1 + encoding.len() + 1 + body.len() + 2))
}

/// The Q encoding: `_` is a blank, `=41` an octet.
fn quoted(body: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(body.len());
    let mut rest = body.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digit = |octet: Option<&u8>| char::from(*octet?).to_digit(16);
        rest = match (first, digit(after.first()), digit(after.get(1))) {
            (b'=', Some(high), Some(low)) => {
                bytes.push((high << 4 | low) as u8);
                after.get(2..).unwrap_or_default()
            }
            (b'_', ..) => {
                bytes.push(b' ');
                after
            }
            _ => {
                bytes.push(first);
                after
            }
        };
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_line_between_two_pieces_ends_it() {
        let mut header = Header::default();
        for piece in [&b"Subject: a\r"[..], b"\n\r", b"\nFrom: body@x\r\n"] {
            header.push(piece);
        }
        let fields = header.read();
        assert_eq!((fields.subject.as_deref(), fields.from), (Some("a"), None));
    }

    #[test]
    fn fields() {
        let mut header = Header::default();
        for line in [
            &b"Received: from x ([10.1.2.3]) by y\r\n"[..],
            b"From: \"A\" <a@x>\r\n",
            b"To: b@x,\r\n",
            b" C <c@x>\r\n",
            b"Subject: =?utf-8?Q?caf=C3=A9?=\r\n",
            b" =?utf-8?B?IG5vaXI=?= end\r\n",
            b"\r\n",
            b"From: body@x\r\n",
        ] {
            header.push(line);
        }
        let fields = header.read();
        assert_eq!(fields.from.as_deref(), Some("\"A\" <a@x>"));
        assert_eq!(fields.to, ["b@x", "c@x"]);
        assert_eq!(fields.subject.as_deref(), Some("café noir end"));
        assert_eq!(fields.received, ["10.1.2.3"]);
        assert_eq!(decoded("a =?x"), "a =?x");
    }
}
