//! One LDAP message (RFC 4511, 4 and B).

use std::borrow::Cow;

use super::filter;
use crate::protocols::ber::{self, tag};
use crate::wire::{Malformed, Reader, Wire};

/// Protocol operations: their tag's number in the application class.
pub mod op {
    pub const BIND: u8 = 0;
    pub const BIND_RESPONSE: u8 = 1;
    pub const UNBIND: u8 = 2;
    pub const SEARCH: u8 = 3;
    pub const ENTRY: u8 = 4;
    pub const DONE: u8 = 5;
    pub const MODIFY: u8 = 6;
    pub const MODIFY_RESPONSE: u8 = 7;
    pub const ADD: u8 = 8;
    pub const ADD_RESPONSE: u8 = 9;
    pub const DELETE: u8 = 10;
    pub const DELETE_RESPONSE: u8 = 11;
    pub const MODIFY_DN: u8 = 12;
    pub const MODIFY_DN_RESPONSE: u8 = 13;
    pub const COMPARE: u8 = 14;
    pub const COMPARE_RESPONSE: u8 = 15;
    pub const ABANDON: u8 = 16;
    pub const REFERENCE: u8 = 19;
    pub const EXTENDED: u8 = 23;
    pub const EXTENDED_RESPONSE: u8 = 24;
    pub const INTERMEDIATE: u8 = 25;
}

/// Most elements of a list that are read.
const MAX_LIST: usize = 4096;

/// What the first bytes are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Start {
    /// A message of so many bytes.
    Message(usize),
    /// The start of one: too few bytes to tell.
    Open,
    /// Anything else.
    Other,
}

/// Says whether a message starts here: a sequence, an identifier, and an operation that fits into the sequence.
pub fn start(bytes: &[u8]) -> Start {
    let mut reader = Reader::new(bytes);
    let Ok(first) = reader.u8() else { return Start::Open };
    if first != tag::SEQUENCE {
        return Start::Other;
    }
    match inner(bytes, &mut reader) {
        Ok(Some(length)) => Start::Message(length),
        Ok(None) => Start::Other,
        Err(Malformed) => Start::Open,
    }
}

/// Length of the whole message behind its tag; `Err` where the bytes end too early to tell.
fn inner(bytes: &[u8], reader: &mut Reader<'_>) -> Wire<Option<usize>> {
    let Some(outer) = length(reader)? else { return Ok(None) };
    let whole = bytes.len().saturating_sub(reader.len()).saturating_add(outer);
    let begin = reader.len();
    if reader.u8()? != tag::INTEGER {
        return Ok(None);
    }
    let Some(count @ 1..=5) = length(reader)? else { return Ok(None) };
    reader.skip(count)?;
    let kind = reader.u8()?;
    if !is_operation(kind) {
        return Ok(None);
    }
    let Some(body) = length(reader)? else { return Ok(None) };
    let used = begin.saturating_sub(reader.len()).saturating_add(body);
    // Behind the operation there may be controls, and nothing else.
    let rest = outer.checked_sub(used);
    Ok(rest.filter(|&rest| rest != 1).map(|_| whole))
}

fn length(reader: &mut Reader<'_>) -> Wire<Option<usize>> {
    Ok(match reader.u8()? {
        short @ 0..=0x7f => Some(usize::from(short)),
        0x81 => Some(usize::from(reader.u8()?)),
        0x82 => Some(usize::from(reader.be_u16()?)),
        0x83 => usize::try_from(reader.be_u24()?).ok(),
        0x84 => usize::try_from(reader.be_u32()?).ok(),
        _ => None,
    })
}

/// Tags of the application class: constructed but for unbind, delete and abandon.
fn is_operation(tag: u8) -> bool {
    matches!(tag, 0x42 | 0x4a | 0x50 | 0x60 | 0x61 | 0x63..=0x69 | 0x6b..=0x6f | 0x73 | 0x77..=0x79)
}

/// An attribute with its values.
#[derive(Debug)]
pub struct Attribute<'a> {
    /// How it is modified.
    pub operation: Option<&'static str>,
    pub name: Cow<'a, str>,
    pub values: Vec<&'a [u8]>,
}

/// What a bind request proves itself with.
#[derive(Clone, Copy, Default, Debug)]
pub enum Proof<'a> {
    #[default]
    None,
    Simple(&'a [u8]),
    /// SASL credentials, if there are any.
    Sasl(Option<&'a [u8]>),
    /// Microsoft's older way to carry NTLM (MS-ADTS, 5.1.1.1.3), with the tag's number.
    Sicily(u8, &'a [u8]),
}

/// Fields of any message, as far as it has them.
#[derive(Default, Debug)]
pub struct Message<'a> {
    pub id: u32,
    pub op: u8,
    pub version: Option<u8>,
    pub name: Option<Cow<'a, str>>,
    pub proof: Proof<'a>,
    pub mechanism: Option<Cow<'a, str>>,
    pub code: Option<u16>,
    pub matched: Option<&'a [u8]>,
    pub diagnostic: Option<Cow<'a, str>>,
    /// The server's SASL credentials in a bind response.
    pub token: Option<&'a [u8]>,
    pub base: Option<Cow<'a, str>>,
    pub scope: Option<u8>,
    pub deref: Option<u8>,
    pub size_limit: Option<u32>,
    pub types_only: Option<bool>,
    pub filter: Option<String>,
    /// A filter is out of form or nests too deep.
    pub filter_fault: bool,
    pub wanted: Vec<Cow<'a, str>>,
    pub attributes: Vec<Attribute<'a>>,
    pub object: Option<Cow<'a, str>>,
    pub new_rdn: Option<Cow<'a, str>>,
    pub oid: Option<Cow<'a, str>>,
    pub controls: Vec<Cow<'a, str>>,
    pub referrals: Vec<Cow<'a, str>>,
}

impl<'a> Message<'a> {
    /// Reads a whole message as far as it is in form; `Err` tells that it is not.
    pub fn parse(bytes: &'a [u8]) -> (Self, Wire<()>) {
        let mut message = Self::default();
        let read = message.read(bytes);
        (message, read)
    }

    fn read(&mut self, bytes: &'a [u8]) -> Wire<()> {
        let mut reader = Reader::new(ber::expect(&mut Reader::new(bytes), tag::SEQUENCE)?);
        self.id = u32::try_from(ber::signed(ber::expect(&mut reader, tag::INTEGER)?)? & 0xffff_ffff).map_err(|_| Malformed)?;
        let (kind, content) = ber::element(&mut reader)?;
        self.op = kind & 0x1f;
        let body = self.body(content);
        while !reader.is_empty() {
            if let (0xa0, controls) = ber::element(&mut reader)? {
                let mut controls = Reader::new(controls);
                while !controls.is_empty() && self.controls.len() < MAX_LIST {
                    let mut control = Reader::new(ber::expect(&mut controls, tag::SEQUENCE)?);
                    self.controls.push(string(ber::expect(&mut control, tag::OCTET_STRING)?));
                }
            }
        }
        body
    }

    fn body(&mut self, content: &'a [u8]) -> Wire<()> {
        let mut reader = Reader::new(content);
        match self.op {
            op::BIND => {
                self.version = u8::try_from(ber::unsigned(ber::expect(&mut reader, tag::INTEGER)?)?).ok();
                self.name = Some(octets(&mut reader)?);
                match ber::element(&mut reader)? {
                    (0x80, password) => self.proof = Proof::Simple(password),
                    (0xa3, sasl) => {
                        let mut sasl = Reader::new(sasl);
                        self.mechanism = Some(octets(&mut sasl)?);
                        let credentials = if sasl.is_empty() { None } else { Some(ber::expect(&mut sasl, tag::OCTET_STRING)?) };
                        self.proof = Proof::Sasl(credentials);
                    }
                    (kind @ 0x89..=0x8b, package) => self.proof = Proof::Sicily(kind & 0x1f, package),
                    _ => {}
                }
            }
            op::SEARCH => self.search(&mut reader)?,
            op::ENTRY | op::ADD => {
                self.object = Some(octets(&mut reader)?);
                let mut list = Reader::new(ber::expect(&mut reader, tag::SEQUENCE)?);
                while !list.is_empty() && self.attributes.len() < MAX_LIST {
                    let attribute = ber::expect(&mut list, tag::SEQUENCE)?;
                    self.attributes.push(attribute_of(attribute, None)?);
                }
            }
            op::MODIFY => {
                self.object = Some(octets(&mut reader)?);
                let mut list = Reader::new(ber::expect(&mut reader, tag::SEQUENCE)?);
                while !list.is_empty() && self.attributes.len() < MAX_LIST {
                    let mut change = Reader::new(ber::expect(&mut list, tag::SEQUENCE)?);
                    let operation = match enumerated(&mut change)? {
                        0 => Some("add"),
                        1 => Some("delete"),
                        2 => Some("replace"),
                        3 => Some("increment"),
                        _ => None,
                    };
                    self.attributes.push(attribute_of(ber::expect(&mut change, tag::SEQUENCE)?, operation)?);
                }
            }
            op::DELETE => self.object = Some(string(content)),
            op::MODIFY_DN => {
                self.object = Some(octets(&mut reader)?);
                self.new_rdn = Some(octets(&mut reader)?);
            }
            op::COMPARE => {
                self.object = Some(octets(&mut reader)?);
                let mut assertion = Reader::new(ber::expect(&mut reader, tag::SEQUENCE)?);
                self.wanted.push(octets(&mut assertion)?);
            }
            op::REFERENCE => self.urls(content)?,
            op::EXTENDED => {
                while !reader.is_empty() {
                    if let (0x80, name) = ber::element(&mut reader)? {
                        self.oid = Some(string(name));
                    }
                }
            }
            op::INTERMEDIATE => {
                while !reader.is_empty() {
                    if let (0x80, name) = ber::element(&mut reader)? {
                        self.oid = Some(string(name));
                    }
                }
            }
            op::BIND_RESPONSE
            | op::DONE
            | op::MODIFY_RESPONSE
            | op::ADD_RESPONSE
            | op::DELETE_RESPONSE
            | op::MODIFY_DN_RESPONSE
            | op::COMPARE_RESPONSE
            | op::EXTENDED_RESPONSE => self.result(&mut reader)?,
            _ => {}
        }
        Ok(())
    }

    fn search(&mut self, reader: &mut Reader<'a>) -> Wire<()> {
        self.base = Some(octets(reader)?);
        self.scope = u8::try_from(enumerated(reader)?).ok();
        self.deref = u8::try_from(enumerated(reader)?).ok();
        self.size_limit = u32::try_from(ber::unsigned(ber::expect(reader, tag::INTEGER)?)?).ok();
        ber::expect(reader, tag::INTEGER)?;
        // BOOLEAN.
        self.types_only = ber::expect(reader, 1)?.first().map(|&octet| octet != 0);
        let rest = reader.peek();
        ber::element(reader)?;
        match filter::text(&mut Reader::new(rest)) {
            Ok(text) => self.filter = Some(text),
            Err(Malformed) => self.filter_fault = true,
        }
        let mut list = Reader::new(ber::expect(reader, tag::SEQUENCE)?);
        while !list.is_empty() && self.wanted.len() < MAX_LIST {
            self.wanted.push(octets(&mut list)?);
        }
        Ok(())
    }

    /// LDAPResult (RFC 4511, 4.1.9), and what bind and extended responses have behind it.
    fn result(&mut self, reader: &mut Reader<'a>) -> Wire<()> {
        self.code = u16::try_from(enumerated(reader)?).ok();
        self.matched = Some(ber::expect(reader, tag::OCTET_STRING)?);
        self.diagnostic = Some(octets(reader)?);
        while !reader.is_empty() {
            match (self.op, ber::element(reader)?) {
                (_, (0xa3, urls)) => self.urls(urls)?,
                (op::BIND_RESPONSE, (0x87, token)) => self.token = Some(token),
                (op::EXTENDED_RESPONSE, (0x8a, name)) => self.oid = Some(string(name)),
                _ => {}
            }
        }
        Ok(())
    }

    fn urls(&mut self, list: &'a [u8]) -> Wire<()> {
        let mut list = Reader::new(list);
        while !list.is_empty() && self.referrals.len() < MAX_LIST {
            self.referrals.push(octets(&mut list)?);
        }
        Ok(())
    }
}

fn attribute_of<'a>(content: &'a [u8], operation: Option<&'static str>) -> Wire<Attribute<'a>> {
    let mut reader = Reader::new(content);
    let name = octets(&mut reader)?;
    let mut values = Vec::new();
    // SET OF; the increment and delete of a whole attribute may leave it out.
    if !reader.is_empty() {
        let mut set = Reader::new(ber::expect(&mut reader, 0x31)?);
        while !set.is_empty() && values.len() < MAX_LIST {
            values.push(ber::expect(&mut set, tag::OCTET_STRING)?);
        }
    }
    Ok(Attribute { operation, name, values })
}

fn enumerated(reader: &mut Reader<'_>) -> Wire<u64> {
    ber::unsigned(ber::expect(reader, 0x0a)?)
}

fn octets<'a>(reader: &mut Reader<'a>) -> Wire<Cow<'a, str>> {
    Ok(string(ber::expect(reader, tag::OCTET_STRING)?))
}

fn string(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// Name of an operation.
pub fn op_name(op: u8) -> Option<&'static str> {
    Some(match op {
        op::BIND => "bind_request",
        op::BIND_RESPONSE => "bind_response",
        op::UNBIND => "unbind",
        op::SEARCH => "search_request",
        op::ENTRY => "search_entry",
        op::DONE => "search_done",
        op::MODIFY => "modify_request",
        op::MODIFY_RESPONSE => "modify_response",
        op::ADD => "add_request",
        op::ADD_RESPONSE => "add_response",
        op::DELETE => "delete_request",
        op::DELETE_RESPONSE => "delete_response",
        op::MODIFY_DN => "modify_dn_request",
        op::MODIFY_DN_RESPONSE => "modify_dn_response",
        op::COMPARE => "compare_request",
        op::COMPARE_RESPONSE => "compare_response",
        op::ABANDON => "abandon",
        op::REFERENCE => "search_reference",
        op::EXTENDED => "extended_request",
        op::EXTENDED_RESPONSE => "extended_response",
        op::INTERMEDIATE => "intermediate_response",
        _ => return None,
    })
}

/// Name of a result code (RFC 4511, A; RFC 3909).
pub fn result_name(code: u16) -> Option<&'static str> {
    Some(match code {
        0 => "success",
        1 => "operationsError",
        2 => "protocolError",
        3 => "timeLimitExceeded",
        4 => "sizeLimitExceeded",
        5 => "compareFalse",
        6 => "compareTrue",
        7 => "authMethodNotSupported",
        8 => "strongerAuthRequired",
        10 => "referral",
        11 => "adminLimitExceeded",
        12 => "unavailableCriticalExtension",
        13 => "confidentialityRequired",
        14 => "saslBindInProgress",
        16 => "noSuchAttribute",
        17 => "undefinedAttributeType",
        18 => "inappropriateMatching",
        19 => "constraintViolation",
        20 => "attributeOrValueExists",
        21 => "invalidAttributeSyntax",
        32 => "noSuchObject",
        33 => "aliasProblem",
        34 => "invalidDNSyntax",
        36 => "aliasDereferencingProblem",
        48 => "inappropriateAuthentication",
        49 => "invalidCredentials",
        50 => "insufficientAccessRights",
        51 => "busy",
        52 => "unavailable",
        53 => "unwillingToPerform",
        54 => "loopDetect",
        64 => "namingViolation",
        65 => "objectClassViolation",
        66 => "notAllowedOnNonLeaf",
        67 => "notAllowedOnRDN",
        68 => "entryAlreadyExists",
        69 => "objectClassModsProhibited",
        71 => "affectsMultipleDSAs",
        80 => "other",
        118 => "canceled",
        119 => "noSuchOperation",
        120 => "tooLate",
        121 => "cannotCancel",
        _ => return None,
    })
}

/// Name of an extended operation.
pub fn extended_name(oid: &str) -> Option<&'static str> {
    Some(match oid {
        "1.3.6.1.4.1.1466.20036" => "NoticeOfDisconnection",
        "1.3.6.1.4.1.1466.20037" => "StartTLS",
        "1.3.6.1.4.1.4203.1.11.1" => "PasswordModify",
        "1.3.6.1.4.1.4203.1.11.3" => "WhoAmI",
        "1.3.6.1.1.8" => "Cancel",
        "1.3.6.1.4.1.1466.101.119.1" => "Refresh",
        "1.2.840.113556.1.4.1781" => "FastBind",
        "1.2.840.113556.1.4.2212" => "BatchRequest",
        _ => return None,
    })
}

/// Active Directory's own code in a diagnostic text: `..., data 52e, v2580`.
pub fn ad_error(diagnostic: &str) -> Option<&str> {
    let (_, rest) = diagnostic.split_once(", data ")?;
    let code = rest.split(',').next()?.trim_end_matches('\0');
    (!code.is_empty() && code.len() <= 8 && code.bytes().all(|octet| octet.is_ascii_hexdigit())).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_of_messages() {
        let unbind = [0x30, 5, 2, 1, 3, 0x42, 0];
        assert_eq!(start(&unbind), Start::Message(7));
        assert_eq!(start(&unbind[..4]), Start::Open);
        // SNMP has an octet string there.
        assert_eq!(start(&[0x30, 9, 2, 1, 0, 4, 4, b'p', b'u', b'b', b'l']), Start::Other);
        assert_eq!(start(&[0x30, 5, 2, 1, 3, 0x60, 9]), Start::Other);
    }

    #[test]
    fn binds_and_results() {
        let bind = [0x30, 15, 2, 1, 1, 0x60, 10, 2, 1, 3, 4, 2, b'c', b'n', 0x80, 1, b'p'];
        let (message, read) = Message::parse(&bind);
        assert!(read.is_ok() && matches!(message.proof, Proof::Simple(b"p")));
        assert_eq!((message.id, message.version, message.name.as_deref()), (1, Some(3), Some("cn")));
        let done = [0x30, 12, 2, 1, 2, 0x65, 7, 0x0a, 1, 49, 4, 0, 4, 0];
        let (message, read) = Message::parse(&done);
        assert!(read.is_ok());
        assert_eq!(message.code.and_then(result_name), Some("invalidCredentials"));
        assert_eq!(ad_error("80090308: LdapErr: DSID-0C0903C8, comment: AcceptSecurityContext error, data 52e, v3839\0"), Some("52e"));
        assert!(Message::parse(&done[..12]).1.is_err());
    }
}
