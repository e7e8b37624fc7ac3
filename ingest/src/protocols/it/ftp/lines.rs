//! Lines of the control connection.

/// A reply, its lines joined by line feeds.
pub struct Reply {
    pub code: u16,
    pub text: String,
}

/// A command line.
pub struct Line<'a> {
    /// In upper case.
    pub command: String,
    pub arg: Option<&'a [u8]>,
}

/// The first line, without its end, and its length with it.
pub fn next(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let end = bytes.iter().position(|&octet| octet == b'\n')?;
    let line = bytes.get(..end)?;
    Some((line.strip_suffix(b"\r").unwrap_or(line), end + 1))
}

/// Code of a reply's line, and whether more lines follow (RFC 959, 4.2). Some servers leave out the blank.
pub fn code(line: &[u8]) -> Option<(u16, bool)> {
    let digits: &[u8; 3] = line.first_chunk()?;
    if !digits.iter().all(u8::is_ascii_digit) || line.get(3).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    (100..=699).contains(&code).then_some((code, line.get(3) == Some(&b'-')))
}

/// Whether more octets may make a reply's code of these; mail servers answer in the same way.
pub fn may_be_code(bytes: &[u8]) -> bool {
    bytes.len() < 4 && bytes.iter().all(u8::is_ascii_digit)
}

/// Command and argument. Telnet's interrupts before ABOR are passed over (RFC 959, 4.1.3).
pub fn command(mut line: &[u8]) -> Line<'_> {
    while let [0xff, _, rest @ ..] | [0xf2 | 0xf4, rest @ ..] = line {
        line = rest;
    }
    let end = line.iter().position(|&octet| octet == b' ').unwrap_or(line.len());
    let (word, rest) = line.split_at_checked(end).unwrap_or((line, &[]));
    let command = String::from_utf8_lossy(word).to_ascii_uppercase();
    let arg = rest.strip_prefix(b" ").filter(|arg| !arg.is_empty());
    Line { command, arg }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes() {
        assert_eq!(code(b"220-Hello"), Some((220, true)));
        assert_eq!(code(b"220 Hello"), Some((220, false)));
        assert_eq!(code(b"220Hello"), Some((220, false)));
        assert_eq!(code(b"2201"), None);
        assert_eq!(code(b" 220"), None);
    }

    #[test]
    fn commands() {
        let Line { command: word, arg } = command(b"\xff\xf4\xf2user alice b");
        assert_eq!((word.as_str(), arg), ("USER", Some(&b"alice b"[..])));
        assert!(command(b"NOOP").arg.is_none());
        assert_eq!(next(b"A\r\nB"), Some((&b"A"[..], 3)));
    }
}
