//! Distinguished names (X.501) as text (RFC 4514), and matching of host names (RFC 6125).

use std::fmt::Write as _;

use super::der::{self, Elements, tag};

/// What a name says.
#[derive(Default, PartialEq, Eq, Debug)]
pub struct Name {
    /// RFC 4514 text: most specific part first.
    pub text: String,
    /// Last common name.
    pub common_name: Option<String>,
    /// Last organisation.
    pub organisation: Option<String>,
    /// Hex of the attribute types' content in the order of the wire, with commas: a part of JA4X.
    pub types: String,
}

impl Name {
    /// Reads the content of a Name.
    pub fn parse(content: &[u8]) -> Self {
        let mut name = Self::default();
        let mut parts: Vec<String> = Vec::new();
        for set in Elements::of(content) {
            let mut part = String::new();
            for attribute in Elements::of(set.content) {
                let mut fields = Elements::of(attribute.content);
                let Some(kind) = fields.next_if(tag::OID) else { continue };
                let Some(value) = fields.next() else { continue };
                if !name.types.is_empty() {
                    name.types.push(',');
                }
                push_hex(&mut name.types, kind.content);
                let text = der::text(value);
                let oid = der::dotted(kind.content).unwrap_or_default();
                match oid.as_str() {
                    "2.5.4.3" => name.common_name = text.as_deref().map(str::to_owned),
                    "2.5.4.10" => name.organisation = text.as_deref().map(str::to_owned),
                    _ => {}
                }
                if !part.is_empty() {
                    part.push('+');
                }
                match (short_name(&oid), text) {
                    (Some(short), Some(text)) => {
                        part.push_str(short);
                        part.push('=');
                        push_escaped(&mut part, &text);
                    }
                    (short, _) => {
                        part.push_str(short.unwrap_or(&oid));
                        part.push_str("=#");
                        push_hex(&mut part, value.whole);
                    }
                }
            }
            parts.push(part);
        }
        parts.reverse();
        name.text = parts.join(",");
        name
    }
}

/// Short names of attribute types: those of RFC 4514 and RFC 4519, and PKCS #9's mail address.
fn short_name(oid: &str) -> Option<&'static str> {
    Some(match oid {
        "2.5.4.3" => "CN",
        "2.5.4.4" => "SN",
        "2.5.4.5" => "serialNumber",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "STREET",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "2.5.4.12" => "title",
        "2.5.4.13" => "description",
        "2.5.4.15" => "businessCategory",
        "2.5.4.16" => "postalAddress",
        "2.5.4.17" => "postalCode",
        "2.5.4.20" => "telephoneNumber",
        "2.5.4.41" => "name",
        "2.5.4.42" => "GN",
        "2.5.4.43" => "initials",
        "2.5.4.46" => "dnQualifier",
        "2.5.4.65" => "pseudonym",
        "2.5.4.97" => "organizationIdentifier",
        "0.9.2342.19200300.100.1.1" => "UID",
        "0.9.2342.19200300.100.1.25" => "DC",
        "1.2.840.113549.1.9.1" => "emailAddress",
        "1.2.840.113549.1.9.2" => "unstructuredName",
        "1.2.840.113549.1.9.8" => "unstructuredAddress",
        "1.3.6.1.4.1.311.60.2.1.1" => "jurisdictionL",
        "1.3.6.1.4.1.311.60.2.1.2" => "jurisdictionST",
        "1.3.6.1.4.1.311.60.2.1.3" => "jurisdictionC",
        _ => return None,
    })
}

/// RFC 4514, 2.4.
fn push_escaped(text: &mut String, value: &str) {
    let last = value.chars().count().saturating_sub(1);
    for (index, char) in value.chars().enumerate() {
        match char {
            '\0' => text.push_str("\\00"),
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => text.extend(['\\', char]),
            '#' if index == 0 => text.push_str("\\#"),
            ' ' if index == 0 || index == last => text.push_str("\\ "),
            char if char.is_control() => {
                let mut octets = [0; 4];
                for octet in char.encode_utf8(&mut octets).bytes() {
                    let _ = write!(text, "\\{octet:02X}");
                }
            }
            char => text.push(char),
        }
    }
}

/// Lower-case hex at the end of a text.
pub fn push_hex(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
}

/// Whether a host name is what a certificate's name stands for (RFC 6125, 6.4): equal without regard to case, or a wildcard
/// as the whole leftmost label, for exactly one label.
pub fn host_matches(host: &str, pattern: &str) -> bool {
    let (host, pattern) = (host.trim_end_matches('.'), pattern.trim_end_matches('.'));
    if host.is_empty() {
        return false;
    }
    match pattern.strip_prefix("*.") {
        Some(parent) => host.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest.eq_ignore_ascii_case(parent)),
        None => host.eq_ignore_ascii_case(pattern),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_specific_first_and_escaped() {
        // C=DE, O="A, B", CN=x + 1.2.3 with an INTEGER.
        let name = [
            0x31, 11, 0x30, 9, 6, 3, 0x55, 4, 6, 0x13, 2, b'D', b'E', //
            0x31, 13, 0x30, 11, 6, 3, 0x55, 4, 10, 0x0c, 4, b'A', b',', b' ', b'B', //
            0x31, 19, 0x30, 8, 6, 3, 0x55, 4, 3, 0x13, 1, b'x', 0x30, 7, 6, 2, 0x2a, 3, 2, 1, 5,
        ];
        let parsed = Name::parse(&name);
        assert_eq!(parsed.text, "CN=x+1.2.3=#020105,O=A\\, B,C=DE");
        assert_eq!(parsed.common_name.as_deref(), Some("x"));
        assert_eq!(parsed.organisation.as_deref(), Some("A, B"));
        assert_eq!(parsed.types, "550406,55040a,550403,2a03");
    }

    #[test]
    fn wildcards_stand_for_one_label() {
        assert!(host_matches("A.example.org", "*.example.org"));
        assert!(!host_matches("a.b.example.org", "*.example.org"));
        assert!(!host_matches("example.org", "*.example.org"));
        assert!(!host_matches("foobar.example.org", "foo*.example.org"));
        assert!(host_matches("example.org.", "EXAMPLE.org"));
    }
}
