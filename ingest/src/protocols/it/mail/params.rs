//! Values with parameters: Content-Type and Content-Disposition (RFC 2045, 5.1; RFC 2183), continued and encoded ones (RFC 2231).

use super::charset;
use super::words::{decoded, percent};

/// Parameters and pieces of parameters that are read.
const MAX_PARAMETERS: usize = 64;

/// A value and its parameters as written; names in lower case.
#[derive(Default, Debug)]
pub struct Value {
    /// What stands before the first semicolon, in lower case.
    pub main: String,
    parameters: Vec<(String, String)>,
}

impl Value {
    /// Reads an unfolded field.
    pub fn read(text: &str) -> Self {
        let (main, mut rest) = text.split_once(';').unwrap_or((text, ""));
        let mut parameters = Vec::new();
        while !rest.trim().is_empty() && parameters.len() < MAX_PARAMETERS {
            let Some(equals) = rest.find(['=', ';']) else { break };
            let (name, after) = rest.split_at_checked(equals).unwrap_or((rest, ""));
            let Some(after) = after.strip_prefix('=') else {
                rest = after.get(1..).unwrap_or_default();
                continue;
            };
            let after = after.trim_start();
            let value = if let Some(quoted) = after.strip_prefix('"') {
                let (value, behind) = unquoted(quoted);
                rest = behind.split_once(';').map_or("", |(_, rest)| rest);
                value
            } else {
                let (value, behind) = after.split_once(';').unwrap_or((after, ""));
                rest = behind;
                value.trim().to_owned()
            };
            parameters.push((name.trim().to_ascii_lowercase(), value));
        }
        Self { main: main.trim().to_ascii_lowercase(), parameters }
    }

    /// A parameter, put together from its pieces and decoded.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let find = |name: &str| self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        // `name*` or `name*0*` says the character set; of more pieces those with a star are encoded.
        let first = find(&format!("{name}*")).map(|value| (value, true));
        let first = first.or_else(|| find(&format!("{name}*0*")).map(|value| (value, true)));
        let Some((value, encoded)) = first.or_else(|| find(&format!("{name}*0")).map(|value| (value, false))) else {
            // Many write encoded words in their place.
            return find(name).map(decoded).filter(|value| !value.is_empty());
        };
        let mut octets = Vec::new();
        let mut set = "";
        let mut value = value;
        if encoded {
            let mut parts = value.splitn(3, '\'');
            if let (Some(charset), Some(_), Some(text)) = (parts.next(), parts.next(), parts.next()) {
                (set, value) = (charset, text);
            }
        }
        let mut add = |value: &str, encoded: bool| match encoded {
            true => octets.extend(percent(value.as_bytes(), b'%').into_iter().map(|(octet, _)| octet)),
            false => octets.extend_from_slice(value.as_bytes()),
        };
        add(value, encoded);
        for piece in 1..MAX_PARAMETERS {
            if let Some(value) = find(&format!("{name}*{piece}*")) {
                add(value, true);
            } else if let Some(value) = find(&format!("{name}*{piece}")) {
                add(value, false);
            } else {
                break;
            }
        }
        charset::decode(set, &octets).or_else(|| Some(String::from_utf8_lossy(&octets).into_owned())).filter(|value| !value.is_empty())
    }
}

/// A quoted string whose first quote was taken, and what stands behind its last.
fn unquoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (value, text.get(at + 1..).unwrap_or_default()),
            '\\' => value.extend(letters.next().map(|(_, letter)| letter)),
            _ => value.push(letter),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters() {
        let value = Value::read("Multipart/Mixed; boundary=\"a;b=\\\"c\"; Charset=x ;flag; name=my file.doc");
        assert_eq!(value.main, "multipart/mixed");
        assert_eq!(value.parameter("boundary").as_deref(), Some("a;b=\"c"));
        assert_eq!(value.parameter("charset").as_deref(), Some("x"));
        assert_eq!(value.parameter("name").as_deref(), Some("my file.doc"));
        assert_eq!(value.parameter("filename"), None);
    }

    #[test]
    fn continued() {
        let value = Value::read("attachment; filename*0*=iso-8859-1'de'%FCber; filename*1=\" a.\"; filename*2*=%65xe");
        assert_eq!(value.parameter("filename").as_deref(), Some("über a.exe"));
        let value = Value::read("attachment; filename=x.txt; filename*=UTF-8''%e2%82%ac.txt");
        assert_eq!(value.parameter("filename").as_deref(), Some("€.txt"));
        let value = Value::read("attachment; filename=\"=?utf-8?B?w6kudHh0?=\"");
        assert_eq!(value.parameter("filename").as_deref(), Some("é.txt"));
    }
}
