//! Values of attributes in their usual text.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Attributes that hold passwords, in lower case.
const SECRETS: &[&str] = &[
    "unicodepwd",
    "userpassword",
    "ms-mcs-admpwd",
    "mslaps-password",
    "mslaps-encryptedpassword",
    "msds-managedpassword",
    "unixuserpassword",
    "sambantpassword",
    "sambalmpassword",
];
/// Attributes that hold certificates (RFC 4523, 2.1 and 2.2).
const CERTIFICATES: &[&str] = &["usercertificate", "cacertificate"];
/// Attributes that hold security identifiers (MS-DTYP, 2.4.2).
const SIDS: &[&str] = &["objectsid", "sidhistory", "securityidentifier", "tokengroups", "msds-quotatrustee", "msexchmasteraccountsid"];
/// Attributes that hold GUIDs (MS-DTYP, 2.3.4).
const GUIDS: &[&str] = &["objectguid", "invocationid", "schemaidguid", "attributesecurityguid", "netbootguid", "mapiid", "domainguid"];
/// Attributes that hold times as 100 ns since 1601, in digits.
const TIMES: &[&str] = &[
    "lastlogon",
    "lastlogontimestamp",
    "lastlogoff",
    "pwdlastset",
    "accountexpires",
    "badpasswordtime",
    "lockouttime",
    "creationtime",
    "ms-mcs-admpwdexpirationtime",
    "mslaps-passwordexpirationtime",
    "msds-userpasswordexpirytimecomputed",
];

/// The attribute without its options (RFC 4512, 2.5).
fn plain(attribute: &str) -> &str {
    attribute.split(';').next().unwrap_or_default()
}

fn among(attribute: &str, names: &[&str]) -> bool {
    names.iter().any(|name| name.eq_ignore_ascii_case(plain(attribute)))
}

/// The attribute's values are certificates.
pub fn is_certificate(attribute: &str) -> bool {
    among(attribute, CERTIFICATES)
}

/// The attribute's values are passwords.
pub fn is_secret(attribute: &str) -> bool {
    among(attribute, SECRETS)
}

/// One value as text.
pub fn text<'a>(attribute: &str, value: &'a [u8]) -> Cow<'a, str> {
    let known = if among(attribute, SIDS) {
        sid(value)
    } else if among(attribute, GUIDS) {
        guid(value)
    } else if among(attribute, TIMES) {
        file_time(value)
    } else if plain(attribute).eq_ignore_ascii_case("unicodePwd") {
        quoted(value)
    } else {
        None
    };
    known.map_or_else(|| plain_text(value), Cow::Owned)
}

/// Text where it is such, else hexadecimal digits.
fn plain_text(value: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(value) {
        Ok(text) if !text.chars().any(|letter| letter < ' ' && !matches!(letter, '\t' | '\r' | '\n')) => Cow::Borrowed(text),
        _ => Cow::Owned(value.iter().fold(String::with_capacity(value.len() * 2), |mut text, octet| {
            let _ = write!(text, "{octet:02x}");
            text
        })),
    }
}

fn sid(value: &[u8]) -> Option<String> {
    let [revision, count, a, b, c, d, e, f, rest @ ..] = value else { return None };
    let (parts, left) = rest.as_chunks::<4>();
    if *revision != 1 || parts.len() != usize::from(*count) || !left.is_empty() {
        return None;
    }
    let mut text = format!("S-1-{}", u64::from_be_bytes([0, 0, *a, *b, *c, *d, *e, *f]));
    for part in parts {
        let _ = write!(text, "-{}", u32::from_le_bytes(*part));
    }
    Some(text)
}

fn guid(value: &[u8]) -> Option<String> {
    let &[a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = value else { return None };
    let (first, second, third) = (u32::from_le_bytes([a, b, c, d]), u16::from_le_bytes([e, f]), u16::from_le_bytes([g, h]));
    let last = u64::from_be_bytes([0, 0, k, l, m, n, o, p]);
    Some(format!("{first:08x}-{second:04x}-{third:04x}-{i:02x}{j:02x}-{last:012x}"))
}

/// The time that the digits say; 0 and the greatest number, which say never, stay.
fn file_time(value: &[u8]) -> Option<String> {
    const DAY: u64 = 86_400;
    let ticks: u64 = std::str::from_utf8(value).ok()?.parse().ok()?;
    if ticks == 0 || ticks >= i64::MAX as u64 {
        return None;
    }
    let seconds = ticks / 10_000_000;
    let (days, second) = (seconds / DAY, seconds % DAY);
    // Days since 1 March 1600 of the proleptic Gregorian calendar, whose years begin in March.
    let days = days + 306;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = 1600 + era * 400 + year_of_era + u64::from(month <= 2);
    Some(format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60))
}

/// A password between quotation marks in UTF-16 (MS-ADTS, 3.1.1.3.1.5.1).
fn quoted(value: &[u8]) -> Option<String> {
    let (units, left) = value.as_chunks::<2>();
    if !left.is_empty() {
        return None;
    }
    let text = String::from_utf16(&units.iter().map(|&unit| u16::from_le_bytes(unit)).collect::<Vec<_>>()).ok()?;
    Some(text.strip_prefix('"')?.strip_suffix('"')?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_forms() {
        let sid = [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0];
        assert_eq!(text("objectSid;binary", &sid), "S-1-5-32-544");
        let guid = [0x33, 0x22, 0x11, 0, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff];
        assert_eq!(text("objectGUID", &guid), "00112233-4455-6677-8899-aabbccddeeff");
        assert_eq!(text("pwdLastSet", b"132223104000000000"), "2020-01-01T00:00:00Z");
        assert_eq!(text("lastLogon", b"125963424000000000"), "2000-03-01T00:00:00Z");
        assert_eq!(text("accountExpires", b"9223372036854775807"), "9223372036854775807");
        assert_eq!(text("unicodePwd", b"\"\0a\0\"\0"), "a");
        assert_eq!(text("cn", "Jörg".as_bytes()), "Jörg");
        assert_eq!(text("flags", &[0, 1]), "0001");
        assert!(is_secret("userPassword") && !is_secret("user"));
    }
}
