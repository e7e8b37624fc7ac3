//! One Kerberos message (RFC 4120, 5).

use std::borrow::Cow;

use crate::protocols::ber::{self, tag};
use crate::protocols::hex::hex;
use crate::protocols::it::x509;
use crate::wire::{Malformed, Reader, Wire};

/// Message types (RFC 4120, 7.5.7); the tag of each is its number in the application class.
pub mod kind {
    pub const AS_REQ: u8 = 10;
    pub const AS_REP: u8 = 11;
    pub const TGS_REQ: u8 = 12;
    pub const TGS_REP: u8 = 13;
    pub const AP_REQ: u8 = 14;
    pub const AP_REP: u8 = 15;
    pub const SAFE: u8 = 20;
    pub const PRIV: u8 = 21;
    pub const CRED: u8 = 22;
    pub const ERROR: u8 = 30;
}

/// Pre-authentication data (RFC 4120, 7.5.2; MS-KILE, MS-SFU).
mod padata {
    pub const TGS_REQ: i32 = 1;
    pub const ENC_TIMESTAMP: i32 = 2;
    /// Public keys instead of passwords (RFC 4556, 3.2).
    pub const PK_AS_REQ: i32 = 16;
    pub const PK_AS_REP: i32 = 17;
    pub const ETYPE_INFO2: i32 = 19;
    pub const FOR_USER: i32 = 129;
    pub const S4U_X509_USER: i32 = 130;
}

/// GeneralizedTime.
const GENERALIZED_TIME: u8 = 0x18;
/// BIT STRING.
const BIT_STRING: u8 = 0x03;
/// Application 1: a ticket.
const TICKET: u8 = 0x61;
/// NetBIOS name, as a type of address (RFC 4120, 7.5.3).
const ADDRESS_NETBIOS: i64 = 20;
/// Most elements of a list that are read.
const MAX_LIST: usize = 64;

/// An encrypted part.
#[derive(Clone, Copy, Debug)]
pub struct Encrypted<'a> {
    pub etype: i32,
    pub kvno: Option<u32>,
    pub cipher: &'a [u8],
}

/// Fields of any message, as far as it has them.
#[derive(Default, Debug)]
pub struct Message<'a> {
    pub kind: u8,
    pub client: Option<String>,
    pub client_name_type: Option<i32>,
    pub realm: Option<Cow<'a, str>>,
    pub service: Option<String>,
    pub ticket_realm: Option<Cow<'a, str>>,
    pub ticket: Option<Encrypted<'a>>,
    pub enc_part: Option<Encrypted<'a>>,
    pub error_code: Option<i32>,
    pub error_text: Option<Cow<'a, str>>,
    pub server_ts: Option<i64>,
    pub etypes: Vec<i32>,
    pub padata: Vec<i32>,
    pub options: Option<u32>,
    pub s4u_user: Option<String>,
    pub from: Option<i64>,
    pub till: Option<i64>,
    pub addresses: Vec<Cow<'a, str>>,
    pub salt: Option<Cow<'a, str>>,
    /// Encrypted timestamp of an AS-REQ.
    pub timestamp: Option<Encrypted<'a>>,
    /// Certificates by which client or server prove who they are (PKINIT), DER.
    pub certificates: Vec<&'a [u8]>,
}

/// Length in bytes of the message that starts here, `None` if none does: the tag of a message type, a sequence, and in it
/// protocol version 5.
pub fn starts(bytes: &[u8]) -> Option<usize> {
    let mut reader = Reader::new(bytes);
    let (kind, length) = header(&mut reader).ok()?;
    let whole = bytes.len().checked_sub(reader.len())?.checked_add(length)?;
    let place = match kind.checked_sub(0x60)? {
        kind::AS_REQ | kind::TGS_REQ => 0xa1,
        kind::AS_REP | kind::TGS_REP | kind::AP_REQ | kind::AP_REP | kind::SAFE | kind::PRIV | kind::CRED | kind::ERROR => 0xa0,
        _ => return None,
    };
    let (sequence, _) = header(&mut reader).ok()?;
    (sequence == tag::SEQUENCE && reader.peek().starts_with(&[place, 3, tag::INTEGER, 1, 5])).then_some(whole)
}

/// Tag and length.
fn header(reader: &mut Reader<'_>) -> Wire<(u8, usize)> {
    let tag = reader.u8()?;
    let length = match reader.u8()? {
        short @ 0..=0x7f => usize::from(short),
        0x81 => usize::from(reader.u8()?),
        0x82 => usize::from(reader.be_u16()?),
        0x83 => usize::try_from(reader.be_u24()?).map_err(|_| Malformed)?,
        0x84 => usize::try_from(reader.be_u32()?).map_err(|_| Malformed)?,
        _ => return Err(Malformed),
    };
    Ok((tag, length))
}

impl<'a> Message<'a> {
    /// Reads a message as far as it is whole; `Err` tells that it is not.
    pub fn parse(bytes: &'a [u8]) -> (Self, Wire<()>) {
        let mut message = Self::default();
        let read = message.read(bytes);
        (message, read)
    }

    /// A ticket by itself, which is what a client has turned into one of version 4; its kind is 0.
    pub fn bare_ticket(bytes: &'a [u8]) -> Option<Self> {
        let mut message = Self::default();
        message.ticket(bytes).ok()?;
        message.realm.clone_from(&message.ticket_realm);
        Some(message)
    }

    fn read(&mut self, bytes: &'a [u8]) -> Wire<()> {
        let mut reader = Reader::new(bytes);
        let (tag, _) = header(&mut reader)?;
        self.kind = tag & 0x1f;
        let (_, length) = header(&mut reader)?;
        // A message cut short has its first fields.
        let content = reader.peek();
        let mut fields = Reader::new(content.get(..length).unwrap_or(content));
        while !fields.is_empty() {
            let (field, value) = ber::element(&mut fields)?;
            self.field(field, value)?;
        }
        if content.len() < length { Err(Malformed) } else { Ok(()) }
    }

    fn field(&mut self, field: u8, value: &'a [u8]) -> Wire<()> {
        let mut reader = Reader::new(value);
        match (self.kind, field) {
            (kind::AS_REQ | kind::TGS_REQ, 0xa3) => self.padata(value)?,
            (kind::AS_REQ | kind::TGS_REQ, 0xa4) => self.body(ber::expect(&mut reader, tag::SEQUENCE)?)?,
            (kind::AS_REP | kind::TGS_REP, 0xa2) => self.padata(value)?,
            (kind::AS_REP | kind::TGS_REP, 0xa3) => self.realm = Some(string(value)?),
            (kind::AS_REP | kind::TGS_REP, 0xa4) => self.client(value)?,
            (kind::AS_REP | kind::TGS_REP, 0xa5) => self.ticket(value)?,
            (kind::AS_REP | kind::TGS_REP, 0xa6) | (kind::AP_REP, 0xa2) | (kind::PRIV, 0xa3) => self.enc_part = Some(encrypted(value)?),
            (kind::AP_REQ, 0xa3) => {
                self.ticket(value)?;
                self.realm = self.ticket_realm.clone();
            }
            (kind::AP_REQ, 0xa4) => self.enc_part = Some(encrypted(value)?),
            (kind::ERROR, 0xa4) => self.server_ts = time(value)?,
            (kind::ERROR, 0xa6) => self.error_code = Some(integer(value)?),
            (kind::ERROR, 0xa7) => self.realm = Some(string(value)?),
            (kind::ERROR, 0xa8) => self.client(value)?,
            (kind::ERROR, 0xa9) => {
                let realm = string(value)?;
                self.realm.get_or_insert(realm);
            }
            (kind::ERROR, 0xaa) => self.service = Some(principal(value)?.1),
            (kind::ERROR, 0xab) => self.error_text = Some(string(value)?),
            // What stands there depends on the error; a list of pre-authentication data is told by its form.
            (kind::ERROR, 0xac) => {
                let data = ber::expect(&mut reader, tag::OCTET_STRING)?;
                if data.first() == Some(&tag::SEQUENCE) {
                    let _ = self.padata(data);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn body(&mut self, body: &'a [u8]) -> Wire<()> {
        let mut fields = Reader::new(body);
        while !fields.is_empty() {
            let (field, value) = ber::element(&mut fields)?;
            let mut reader = Reader::new(value);
            match field {
                0xa0 => {
                    let bits = ber::expect(&mut reader, BIT_STRING)?;
                    self.options = bits.get(1..5).and_then(|bits| Reader::new(bits).be_u32().ok());
                }
                0xa1 => self.client(value)?,
                0xa2 => self.realm = Some(string(value)?),
                0xa3 => self.service = Some(principal(value)?.1),
                0xa4 => self.from = time(value)?,
                0xa5 => self.till = time(value)?,
                0xa8 => {
                    let mut list = Reader::new(ber::expect(&mut reader, tag::SEQUENCE)?);
                    while !list.is_empty() && self.etypes.len() < MAX_LIST {
                        self.etypes.push(small(ber::expect(&mut list, tag::INTEGER)?)?);
                    }
                }
                0xa9 => self.addresses(ber::expect(&mut reader, tag::SEQUENCE)?)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn client(&mut self, value: &'a [u8]) -> Wire<()> {
        let (kind, name) = principal(value)?;
        self.client = Some(name);
        self.client_name_type = kind;
        Ok(())
    }

    fn ticket(&mut self, value: &'a [u8]) -> Wire<()> {
        let (realm, service, part) = ticket(value)?;
        self.ticket_realm = Some(realm);
        self.service = Some(service);
        self.ticket = Some(part);
        Ok(())
    }

    fn addresses(&mut self, list: &'a [u8]) -> Wire<()> {
        let mut list = Reader::new(list);
        while !list.is_empty() && self.addresses.len() < MAX_LIST {
            let mut fields = Reader::new(ber::expect(&mut list, tag::SEQUENCE)?);
            let kind = ber::signed(ber::expect(&mut Reader::new(ber::expect(&mut fields, 0xa0)?), tag::INTEGER)?)?;
            let octets = ber::expect(&mut Reader::new(ber::expect(&mut fields, 0xa1)?), tag::OCTET_STRING)?;
            if kind == ADDRESS_NETBIOS {
                // Fifteen letters filled up with blanks, and the type of the name.
                let name = octets.get(..15).unwrap_or(octets);
                self.addresses.push(Cow::Owned(String::from_utf8_lossy(name).trim_end().to_owned()));
            } else if let Ok(octets) = <[u8; 4]>::try_from(octets) {
                self.addresses.push(Cow::Owned(std::net::Ipv4Addr::from(octets).to_string()));
            } else if let Ok(octets) = <[u8; 16]>::try_from(octets) {
                self.addresses.push(Cow::Owned(std::net::Ipv6Addr::from(octets).to_string()));
            }
        }
        Ok(())
    }

    /// A list of pre-authentication data.
    fn padata(&mut self, value: &'a [u8]) -> Wire<()> {
        let mut list = Reader::new(ber::expect(&mut Reader::new(value), tag::SEQUENCE)?);
        while !list.is_empty() && self.padata.len() < MAX_LIST {
            let mut fields = Reader::new(ber::expect(&mut list, tag::SEQUENCE)?);
            let kind = integer(ber::expect(&mut fields, 0xa1)?)?;
            let data = match ber::element(&mut fields) {
                Ok((0xa2, data)) => ber::expect(&mut Reader::new(data), tag::OCTET_STRING)?,
                _ => &[],
            };
            self.padata.push(kind);
            // Their forms are the business of other documents: one out of form spoils nothing else.
            let _ = self.data(kind, data);
        }
        Ok(())
    }

    fn data(&mut self, kind: i32, data: &'a [u8]) -> Wire<()> {
        match (kind, self.kind) {
            (padata::TGS_REQ, kind::TGS_REQ) => {
                let (presented, _) = Message::parse(data);
                self.ticket = presented.ticket;
            }
            (padata::ENC_TIMESTAMP, kind::AS_REQ) => self.timestamp = Some(encrypted(data)?),
            (padata::PK_AS_REQ, kind::AS_REQ) => {
                let mut fields = Reader::new(ber::expect(&mut Reader::new(data), tag::SEQUENCE)?);
                self.certificates = x509::cms_certificates(ber::expect(&mut fields, 0x80)?);
            }
            // Of the choices of the answer, the one with a key agreement is signed.
            (padata::PK_AS_REP, kind::AS_REP) => {
                let agreement = ber::expect(&mut Reader::new(data), 0xa0)?;
                let mut fields = Reader::new(ber::expect(&mut Reader::new(agreement), tag::SEQUENCE)?);
                self.certificates = x509::cms_certificates(ber::expect(&mut fields, 0x80)?);
            }
            (padata::ETYPE_INFO2, _) => {
                let mut entries = Reader::new(ber::expect(&mut Reader::new(data), tag::SEQUENCE)?);
                while !entries.is_empty() && self.salt.is_none() {
                    let mut fields = Reader::new(ber::expect(&mut entries, tag::SEQUENCE)?);
                    while !fields.is_empty() {
                        if let (0xa1, salt) = ber::element(&mut fields)? {
                            self.salt = Some(string(salt)?);
                        }
                    }
                }
            }
            (padata::FOR_USER, kind::TGS_REQ) => {
                let mut fields = Reader::new(ber::expect(&mut Reader::new(data), tag::SEQUENCE)?);
                self.s4u_user = Some(principal(ber::expect(&mut fields, 0xa0)?)?.1);
            }
            (padata::S4U_X509_USER, kind::TGS_REQ) => {
                let mut outer = Reader::new(ber::expect(&mut Reader::new(data), tag::SEQUENCE)?);
                let id = ber::expect(&mut outer, 0xa0)?;
                let mut fields = Reader::new(ber::expect(&mut Reader::new(id), tag::SEQUENCE)?);
                while !fields.is_empty() {
                    if let (0xa1, name) = ber::element(&mut fields)? {
                        self.s4u_user = Some(principal(name)?.1);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// How an AS-REQ proves who asks.
    pub fn preauth(&self) -> Option<&'static str> {
        if self.kind != kind::AS_REQ {
            return None;
        }
        let mut found = "none";
        for &kind in &self.padata {
            match kind {
                136 => return Some("fast"),
                2 => found = "enc_timestamp",
                14..=17 => found = "pkinit",
                138 => found = "encrypted_challenge",
                // What a client asks for or can do, and no proof: PA-PAC-REQUEST, PA-REQ-ENC-PA-REP, PA-PAC-OPTIONS,
                // PA-FX-COOKIE, PA-AS-FRESHNESS, PKINIT's mark of its version, and hints that are echoed.
                3 | 10 | 11 | 19 | 128 | 133 | 147 | 149 | 150 | 165 | 167 => {}
                _ if found == "none" => found = "other",
                _ => {}
            }
        }
        Some(found)
    }

    /// The client offers nothing better than RC4 or DES; `None` if it offers nothing.
    pub fn weak_only(&self) -> Option<bool> {
        let mut offered = self.etypes.iter().filter(|&&etype| etype >= 0).peekable();
        offered.peek()?;
        Some(offered.all(|etype| matches!(etype, 1..=3 | 23 | 24)))
    }

    /// The line for hashcat and its mode: of a TGS-REP's ticket or an AS-REP's encrypted part.
    pub fn ticket_hash(&self) -> Option<(u32, String)> {
        let service = self.service.as_deref()?;
        match self.kind {
            // The reply key of PKINIT and of FAST comes from no password.
            kind::AS_REP if self.padata.iter().any(|kind| matches!(kind, 15 | 17 | 136)) => None,
            kind::AS_REP => {
                let (part, client, realm) = (self.enc_part?, self.client.as_deref()?, self.realm.as_deref()?);
                if part.etype == 23 {
                    let (sum, data) = part.cipher.split_at_checked(16)?;
                    return Some((18200, format!("$krb5asrep$23${client}@{realm}:{}${}", hex(sum), hex(data))));
                }
                let mode = match part.etype {
                    17 => 32100,
                    18 => 32200,
                    _ => return None,
                };
                let (data, sum) = part.cipher.split_at_checked(part.cipher.len().checked_sub(12)?)?;
                Some((mode, format!("$krb5asrep${}${client}${realm}${}${}", part.etype, hex(sum), hex(data))))
            }
            kind::TGS_REP => {
                let (part, realm) = (self.ticket?, self.ticket_realm.as_deref()?);
                if part.etype == 23 {
                    let (sum, data) = part.cipher.split_at_checked(16)?;
                    return Some((13100, format!("$krb5tgs$23$*{service}${realm}${service}*${}${}", hex(sum), hex(data))));
                }
                let mode = match part.etype {
                    17 => 19600,
                    18 => 19700,
                    _ => return None,
                };
                let (data, sum) = part.cipher.split_at_checked(part.cipher.len().checked_sub(12)?)?;
                Some((mode, format!("$krb5tgs${}${service}${realm}$*{service}*${}${}", part.etype, hex(sum), hex(data))))
            }
            _ => None,
        }
    }

    /// The line for hashcat and its mode: of an AS-REQ's encrypted timestamp.
    pub fn preauth_hash(&self) -> Option<(u32, String)> {
        let (part, client, realm) = (self.timestamp?, self.client.as_deref()?, self.realm.as_deref()?);
        match part.etype {
            23 => {
                let (sum, data) = part.cipher.split_at_checked(16)?;
                Some((7500, format!("$krb5pa$23${client}${realm}$${}{}", hex(data), hex(sum))))
            }
            17 => Some((19800, format!("$krb5pa$17${client}${realm}${}", hex(part.cipher)))),
            18 => Some((19900, format!("$krb5pa$18${client}${realm}${}", hex(part.cipher)))),
            _ => None,
        }
    }
}

fn small(content: &[u8]) -> Wire<i32> {
    i32::try_from(ber::signed(content)?).map_err(|_| Malformed)
}

fn integer(value: &[u8]) -> Wire<i32> {
    small(ber::expect(&mut Reader::new(value), tag::INTEGER)?)
}

/// A string of whatever type: implementations differ in what they put (RFC 4120, 5.2.1).
fn string(value: &[u8]) -> Wire<Cow<'_, str>> {
    let (_, content) = ber::element(&mut Reader::new(value))?;
    Ok(String::from_utf8_lossy(content))
}

/// Type of a name, and its parts joined by '/'.
fn principal(value: &[u8]) -> Wire<(Option<i32>, String)> {
    let mut fields = Reader::new(ber::expect(&mut Reader::new(value), tag::SEQUENCE)?);
    let (mut kind, mut name) = (None, String::new());
    while !fields.is_empty() {
        let (field, value) = ber::element(&mut fields)?;
        match field {
            0xa0 => kind = Some(integer(value)?),
            0xa1 => {
                let mut parts = Reader::new(ber::expect(&mut Reader::new(value), tag::SEQUENCE)?);
                let mut first = true;
                while !parts.is_empty() {
                    let (_, part) = ber::element(&mut parts)?;
                    if !std::mem::take(&mut first) {
                        name.push('/');
                    }
                    name.push_str(&String::from_utf8_lossy(part));
                }
            }
            _ => {}
        }
    }
    Ok((kind, name))
}

/// Realm, service and encrypted part of a ticket.
fn ticket(value: &[u8]) -> Wire<(Cow<'_, str>, String, Encrypted<'_>)> {
    let content = ber::expect(&mut Reader::new(value), TICKET)?;
    let mut fields = Reader::new(ber::expect(&mut Reader::new(content), tag::SEQUENCE)?);
    ber::expect(&mut fields, 0xa0)?;
    let realm = string(ber::expect(&mut fields, 0xa1)?)?;
    let (_, service) = principal(ber::expect(&mut fields, 0xa2)?)?;
    Ok((realm, service, encrypted(ber::expect(&mut fields, 0xa3)?)?))
}

fn encrypted(value: &[u8]) -> Wire<Encrypted<'_>> {
    let mut fields = Reader::new(ber::expect(&mut Reader::new(value), tag::SEQUENCE)?);
    let etype = integer(ber::expect(&mut fields, 0xa0)?)?;
    let mut kvno = None;
    loop {
        let (field, value) = ber::element(&mut fields)?;
        let mut reader = Reader::new(value);
        match field {
            // Read-only controllers set the highest bit: some write it as a negative number.
            0xa1 => kvno = u32::try_from(ber::signed(ber::expect(&mut reader, tag::INTEGER)?)? & 0xffff_ffff).ok(),
            0xa2 => return Ok(Encrypted { etype, kvno, cipher: ber::expect(&mut reader, tag::OCTET_STRING)? }),
            _ => return Err(Malformed),
        }
    }
}

/// A GeneralizedTime `YYYYMMDDHHMMSSZ` in nanoseconds since 1970; `None` where that cannot say it.
fn time(value: &[u8]) -> Wire<Option<i64>> {
    let text = ber::expect(&mut Reader::new(value), GENERALIZED_TIME)?;
    let number = |range: std::ops::Range<usize>| -> Wire<i64> {
        let digits = text.get(range).ok_or(Malformed)?;
        digits.iter().try_fold(0_i64, |value, &digit| if digit.is_ascii_digit() { Ok(value * 10 + i64::from(digit - b'0')) } else { Err(Malformed) })
    };
    let (year, month, day) = (number(0..4)?, number(4..6)?, number(6..8)?);
    let (hour, minute, second) = (number(8..10)?, number(10..12)?, number(12..14)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return Err(Malformed);
    }
    // Days since 1970 of the proleptic Gregorian calendar, with years that begin in March.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + (153 * month + 2) / 5 + day - 1;
    let days = era * 146_097 + day_of_era - 719_468;
    Ok((days * 86_400 + hour * 3600 + minute * 60 + second).checked_mul(1_000_000_000))
}

/// Name of an encryption type (IANA, Kerberos parameters).
pub fn cipher_name(etype: i32) -> Option<&'static str> {
    Some(match etype {
        1 => "des-cbc-crc",
        2 => "des-cbc-md4",
        3 => "des-cbc-md5",
        5 => "des3-cbc-md5",
        7 => "des3-cbc-sha1",
        16 => "des3-cbc-sha1-kd",
        17 => "aes128-cts-hmac-sha1-96",
        18 => "aes256-cts-hmac-sha1-96",
        19 => "aes128-cts-hmac-sha256-128",
        20 => "aes256-cts-hmac-sha384-192",
        23 => "rc4-hmac",
        24 => "rc4-hmac-exp",
        25 => "camellia128-cts-cmac",
        26 => "camellia256-cts-cmac",
        _ => return None,
    })
}

/// Name of a message type.
pub fn kind_name(kind: u8) -> &'static str {
    match kind {
        kind::AS_REQ => "AS-REQ",
        kind::AS_REP => "AS-REP",
        kind::TGS_REQ => "TGS-REQ",
        kind::TGS_REP => "TGS-REP",
        kind::AP_REQ => "AP-REQ",
        kind::AP_REP => "AP-REP",
        kind::SAFE => "KRB-SAFE",
        kind::PRIV => "KRB-PRIV",
        kind::CRED => "KRB-CRED",
        0 => "TICKET",
        _ => "KRB-ERROR",
    }
}

/// Name of an error (RFC 4120, 7.5.9; RFC 4556, 3.1.3) without its prefix.
pub fn error_name(code: i32) -> Option<&'static str> {
    Some(match code {
        0 => "NONE",
        1 => "NAME_EXP",
        2 => "SERVICE_EXP",
        3 => "BAD_PVNO",
        4 => "C_OLD_MAST_KVNO",
        5 => "S_OLD_MAST_KVNO",
        6 => "C_PRINCIPAL_UNKNOWN",
        7 => "S_PRINCIPAL_UNKNOWN",
        8 => "PRINCIPAL_NOT_UNIQUE",
        9 => "NULL_KEY",
        10 => "CANNOT_POSTDATE",
        11 => "NEVER_VALID",
        12 => "POLICY",
        13 => "BADOPTION",
        14 => "ETYPE_NOSUPP",
        15 => "SUMTYPE_NOSUPP",
        16 => "PADATA_TYPE_NOSUPP",
        17 => "TRTYPE_NOSUPP",
        18 => "CLIENT_REVOKED",
        19 => "SERVICE_REVOKED",
        20 => "TGT_REVOKED",
        21 => "CLIENT_NOTYET",
        22 => "SERVICE_NOTYET",
        23 => "KEY_EXPIRED",
        24 => "PREAUTH_FAILED",
        25 => "PREAUTH_REQUIRED",
        26 => "SERVER_NOMATCH",
        27 => "MUST_USE_USER2USER",
        28 => "PATH_NOT_ACCEPTED",
        29 => "SVC_UNAVAILABLE",
        31 => "BAD_INTEGRITY",
        32 => "TKT_EXPIRED",
        33 => "TKT_NYV",
        34 => "REPEAT",
        35 => "NOT_US",
        36 => "BADMATCH",
        37 => "SKEW",
        38 => "BADADDR",
        39 => "BADVERSION",
        40 => "MSG_TYPE",
        41 => "MODIFIED",
        42 => "BADORDER",
        44 => "BADKEYVER",
        45 => "NOKEY",
        46 => "MUT_FAIL",
        47 => "BADDIRECTION",
        48 => "METHOD",
        49 => "BADSEQ",
        50 => "INAPP_CKSUM",
        51 => "PATH_NOT_ACCEPTED",
        52 => "RESPONSE_TOO_BIG",
        60 => "GENERIC",
        61 => "FIELD_TOOLONG",
        62 => "CLIENT_NOT_TRUSTED",
        63 => "KDC_NOT_TRUSTED",
        64 => "INVALID_SIG",
        65 => "DH_KEY_PARAMETERS_NOT_ACCEPTED",
        66 => "CERTIFICATE_MISMATCH",
        67 => "NO_TGT",
        68 => "WRONG_REALM",
        69 => "USER_TO_USER_REQUIRED",
        70 => "CANT_VERIFY_CERTIFICATE",
        71 => "INVALID_CERTIFICATE",
        72 => "REVOKED_CERTIFICATE",
        73 => "REVOCATION_STATUS_UNKNOWN",
        74 => "REVOCATION_STATUS_UNAVAILABLE",
        75 => "CLIENT_NAME_MISMATCH",
        76 => "KDC_NAME_MISMATCH",
        90 => "PREAUTH_EXPIRED",
        91 => "MORE_PREAUTH_DATA_REQUIRED",
        93 => "UNKNOWN_CRITICAL_FAST_OPTIONS",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An element with a short length.
    pub fn element(tag: u8, content: &[u8]) -> Vec<u8> {
        [&[tag, u8::try_from(content.len()).unwrap()], content].concat()
    }

    fn name(kind: u8, parts: &[&str]) -> Vec<u8> {
        let parts: Vec<u8> = parts.iter().flat_map(|part| element(0x1b, part.as_bytes())).collect();
        element(0x30, &[element(0xa0, &element(2, &[kind])), element(0xa1, &element(0x30, &parts))].concat())
    }

    #[test]
    fn a_request() {
        let timestamp = element(0x30, &[element(0xa0, &element(2, &[23])), element(0xa2, &element(4, &[[1; 16], [2; 16]].concat()))].concat());
        let padata = element(0x30, &element(0x30, &[element(0xa1, &element(2, &[2])), element(0xa2, &element(4, &timestamp))].concat()));
        let body = [
            element(0xa0, &element(3, &[0, 0x40, 0x80, 0, 0])),
            element(0xa1, &name(1, &["bob"])),
            element(0xa2, &element(0x1b, b"R")),
            element(0xa3, &name(2, &["krbtgt", "R"])),
            element(0xa5, &element(0x18, b"20370913024805Z")),
            element(0xa8, &element(0x30, &[element(2, &[23]), element(2, &[0xff, 0x7b])].concat())),
        ]
        .concat();
        let fields =
            [element(0xa1, &element(2, &[5])), element(0xa2, &element(2, &[10])), element(0xa3, &padata), element(0xa4, &element(0x30, &body))]
                .concat();
        let length = u8::try_from(fields.len()).unwrap();
        let bytes = [&[0x6a, 0x81, length + 3, 0x30, 0x81, length], &fields[..]].concat();
        assert_eq!(starts(&bytes), Some(bytes.len()));
        let (message, read) = Message::parse(&bytes);
        assert!(read.is_ok());
        assert_eq!((message.kind, message.client.as_deref(), message.service.as_deref()), (10, Some("bob"), Some("krbtgt/R")));
        assert_eq!((message.etypes.as_slice(), message.weak_only(), message.preauth()), (&[23, -133][..], Some(true), Some("enc_timestamp")));
        assert_eq!((message.options, message.till), (Some(0x4080_0000), Some(2_136_422_885_000_000_000)));
        assert_eq!(message.preauth_hash(), Some((7500, format!("$krb5pa$23$bob$R$${}{}", "02".repeat(16), "01".repeat(16)))));
        assert!(Message::parse(&bytes[..bytes.len() - 1]).1.is_err());
    }
}
