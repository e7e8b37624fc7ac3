//! Transfer encodings (RFC 2045, 6), decoded as the octets arrive.

/// Most blanks at a line's end that are held until it is known whether they are padding.
const MAX_HELD: usize = 1 << 10;

/// How a part's octets were made fit for mail.
#[derive(Debug)]
pub enum Transfer {
    /// 7bit, 8bit, binary: as they are.
    Identity,
    Base64(Base64),
    Quoted(Quoted),
    /// An encoding that is not read here: the content stays unknown.
    Unknown,
}

impl Transfer {
    /// By the value of Content-Transfer-Encoding.
    pub fn named(name: &str) -> Self {
        match name.trim().to_ascii_lowercase().as_str() {
            "" | "7bit" | "8bit" | "binary" => Self::Identity,
            "base64" => Self::Base64(Base64::default()),
            "quoted-printable" => Self::Quoted(Quoted::default()),
            _ => Self::Unknown,
        }
    }

    /// Decodes a line or a piece of one; `line_end` is what ended the line before, empty within a line.
    pub fn decode(&mut self, line_end: &[u8], octets: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Identity | Self::Unknown => {
                out.extend_from_slice(line_end);
                out.extend_from_slice(octets);
            }
            Self::Base64(base64) => base64.decode(octets, out),
            Self::Quoted(quoted) => quoted.decode(line_end, octets, out),
        }
    }

    /// The part ends: what was held back comes out. False if its last octets cannot have been all.
    pub fn end(&mut self, out: &mut Vec<u8>) -> bool {
        match self {
            Self::Identity => true,
            Self::Unknown => false,
            Self::Base64(base64) => base64.end(out),
            Self::Quoted(quoted) => {
                quoted.decode(b"", b"", out);
                true
            }
        }
    }
}

/// Base64 (RFC 2045, 6.8): other characters than its own are passed over.
#[derive(Default, Debug)]
pub struct Base64 {
    bits: u32,
    letters: u8,
}

impl Base64 {
    /// Takes the next letters.
    pub fn decode(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        for &octet in octets {
            let value = match octet {
                b'A'..=b'Z' => octet - b'A',
                b'a'..=b'z' => octet - b'a' + 26,
                b'0'..=b'9' => octet - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                b'=' => {
                    self.end(out);
                    continue;
                }
                _ => continue,
            };
            self.bits = self.bits << 6 | u32::from(value);
            self.letters += 1;
            if self.letters == 4 {
                let [_, high, middle, low] = self.bits.to_be_bytes();
                out.extend_from_slice(&[high, middle, low]);
                (self.bits, self.letters) = (0, 0);
            }
        }
    }

    /// Padding or the end: two letters left hold one octet, three hold two, and one none.
    pub fn end(&mut self, out: &mut Vec<u8>) -> bool {
        let (bits, letters) = (std::mem::take(&mut self.bits), std::mem::take(&mut self.letters));
        match letters {
            2 => out.push((bits >> 4) as u8),
            3 => out.extend_from_slice(&[(bits >> 10) as u8, (bits >> 2) as u8]),
            _ => {}
        }
        letters != 1
    }
}

/// Quoted-printable (RFC 2045, 6.7).
#[derive(Default, Debug)]
pub struct Quoted {
    /// An escape that is not whole yet, or blanks that may be a line's padding.
    held: Vec<u8>,
}

impl Quoted {
    fn decode(&mut self, line_end: &[u8], octets: &[u8], out: &mut Vec<u8>) {
        let mut soft = false;
        if !line_end.is_empty() || octets.is_empty() {
            // The line before has ended: blanks at its end are padding, `=` there joins the lines.
            let held = std::mem::take(&mut self.held);
            soft = held.first() == Some(&b'=') && held.iter().skip(1).all(|octet| matches!(octet, b' ' | b'\t'));
            if !soft {
                out.extend_from_slice(held.trim_ascii_end());
            }
        }
        if !soft {
            out.extend_from_slice(line_end);
        }
        let joined;
        let mut rest = octets;
        if !self.held.is_empty() {
            self.held.extend_from_slice(octets);
            joined = std::mem::take(&mut self.held);
            rest = &joined;
        }
        while let Some((&first, after)) = rest.split_first() {
            match first {
                b'=' => {
                    let digit = |octet: Option<&u8>| char::from(*octet?).to_digit(16);
                    match (digit(after.first()), digit(after.get(1))) {
                        (Some(high), Some(low)) => {
                            out.push((high << 4 | low) as u8);
                            rest = after.get(2..).unwrap_or_default();
                            continue;
                        }
                        // The escape or the soft break may go on in the next piece.
                        (Some(_), None) if after.len() == 1 => return self.hold(rest, out),
                        (None, _) if after.trim_ascii().is_empty() => return self.hold(rest, out),
                        _ => out.push(first),
                    }
                    rest = after;
                }
                b' ' | b'\t' => {
                    let blanks = rest.iter().position(|octet| !matches!(octet, b' ' | b'\t')).unwrap_or(rest.len());
                    let (blank, after) = rest.split_at_checked(blanks).unwrap_or((rest, &[]));
                    if after.is_empty() {
                        return self.hold(blank, out);
                    }
                    out.extend_from_slice(blank);
                    rest = after;
                }
                _ => {
                    let plain = rest.iter().position(|octet| matches!(octet, b'=' | b' ' | b'\t')).unwrap_or(rest.len());
                    let (plain, after) = rest.split_at_checked(plain).unwrap_or((rest, &[]));
                    out.extend_from_slice(plain);
                    rest = after;
                }
            }
        }
    }

    fn hold(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        if octets.len() > MAX_HELD {
            out.extend_from_slice(octets);
        } else {
            self.held = octets.to_vec();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(name: &str, lines: &[&[u8]]) -> Vec<u8> {
        let mut transfer = Transfer::named(name);
        let mut out = Vec::new();
        let mut end: &[u8] = b"";
        for line in lines {
            transfer.decode(end, line, &mut out);
            end = b"\r\n";
        }
        transfer.end(&mut out);
        out
    }

    #[test]
    fn base64_in_any_pieces() {
        assert_eq!(lines("Base64", &[b"aGVs", b" bG8", b"h"]), b"hello!");
        assert_eq!(lines("base64", &[b"aGk=", b"aGk="]), b"hihi");
        assert!(!Base64 { bits: 0, letters: 1 }.end(&mut Vec::new()));
    }

    #[test]
    fn quoted() {
        assert_eq!(lines("quoted-printable", &[b"caf=C3=A9=", b"s  ", b"a = b =3D= ", b"end="]), "cafés\r\na = b =end".as_bytes());
        let mut quoted = Quoted::default();
        let mut out = Vec::new();
        for piece in [&b"a="[..], b"4", b"1 ", b" b"] {
            quoted.decode(b"", piece, &mut out);
        }
        assert_eq!(out, b"aA  b");
        assert_eq!(lines("7bit", &[b"a", b"", b"b"]), b"a\r\n\r\nb");
    }
}
