//! What lies between ISO transport and MMS: session (ISO/IEC 8327, ITU-T X.225), presentation (ISO/IEC 8823, X.226) and
//! association control (ISO/IEC 8650, X.227).

use crate::protocols::ber;
use crate::wire::{Malformed, Reader, Wire};

/// An element of BER with tag numbers of any size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Element<'a> {
    /// Class and form: the upper three bits of the first octet.
    pub lead: u8,
    pub number: u32,
    pub content: &'a [u8],
}

impl<'a> Element<'a> {
    /// Of the context class, with this number.
    pub fn is_context(&self, number: u32) -> bool {
        self.lead & 0xc0 == 0x80 && self.number == number
    }

    /// Elements inside.
    pub fn inside(&self) -> Elements<'a> {
        Elements(Reader::new(self.content))
    }

    /// Content as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(self.content).into_owned()
    }

    /// Content as an unsigned number of 32 bits.
    pub fn number32(&self) -> Option<u32> {
        ber::unsigned(self.content).ok().and_then(|number| u32::try_from(number).ok())
    }
}

/// Elements in a row; ends at the first that is none.
#[derive(Clone, Copy, Debug)]
pub struct Elements<'a>(Reader<'a>);

impl<'a> Elements<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(Reader::new(bytes))
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        element(&mut self.0).ok()
    }
}

/// The next element (X.690 section 8.1).
pub fn element<'a>(reader: &mut Reader<'a>) -> Wire<Element<'a>> {
    let first = reader.u8()?;
    let mut number = u32::from(first & 0x1f);
    if number == 0x1f {
        number = 0;
        loop {
            let octet = reader.u8()?;
            if number > u32::MAX >> 7 {
                return Err(Malformed);
            }
            number = number << 7 | u32::from(octet & 0x7f);
            if octet & 0x80 == 0 {
                break;
            }
        }
    }
    let length = match reader.u8()? {
        short @ 0..=0x7f => usize::from(short),
        long @ 0x81..=0x84 => {
            let mut length = 0_usize;
            for _ in 0..long & 0x7f {
                length = length << 8 | usize::from(reader.u8()?);
            }
            length
        }
        _ => return Err(Malformed),
    };
    Ok(Element { lead: first & 0xe0, number, content: reader.take(length)? })
}

/// Object identifier of MMS's abstract syntax, its last number left open: 1.0.9506.2.
const MMS: [u8; 4] = [0x28, 0xca, 0x22, 0x02];
/// That of association control: 2.2.1.0.1.
const ACSE: [u8; 4] = [0x52, 0x01, 0x00, 0x01];

/// Whether a message opens a session that names MMS.
pub fn names_mms(message: &[u8]) -> bool {
    message.windows(MMS.len()).any(|window| window == MMS)
}

/// Context identifiers agreed on; where the start was not captured, those that all stacks choose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Contexts {
    acse: u32,
    mms: u32,
}

impl Default for Contexts {
    fn default() -> Self {
        Self { acse: 1, mms: 3 }
    }
}

/// What association control says.
#[derive(Clone, Default, Debug)]
pub struct Association<'a> {
    pub ap_title: Option<String>,
    pub has_auth: bool,
    pub auth: Option<&'a [u8]>,
}

/// One thing found in a session message.
#[derive(Debug)]
pub enum Carried<'a> {
    /// A PDU of MMS.
    Mms(&'a [u8]),
    /// One inside an association request or response.
    Associated(Association<'a>, &'a [u8]),
}

/// Takes a session message apart.
pub fn carried<'a>(message: &'a [u8], contexts: &mut Contexts) -> Vec<Carried<'a>> {
    let mut found = Vec::new();
    let mut reader = Reader::new(message);
    match message {
        // Give tokens and data transfer, without parameters.
        [1, 0, 1, 0, data @ ..] => user_data(data, *contexts, &mut found),
        [0x0d | 0x0e, ..] => {
            if let Ok(Some(data)) = connect(&mut reader) {
                presentation(data, contexts, &mut found);
            }
        }
        _ if is_bare(message) => found.push(Carried::Mms(message)),
        _ => {}
    }
    found
}

/// Whether a message is a PDU of MMS without session and presentation, as reduced stacks send it: an element of one of its tags
/// that fills the message, and starts as its kind does.
pub fn is_bare(message: &[u8]) -> bool {
    let mut reader = Reader::new(message);
    let Ok(pdu) = element(&mut reader) else { return false };
    let first = pdu.inside().next();
    reader.is_empty()
        && match (pdu.lead, pdu.number) {
            (0xa0, 0 | 1) => first.is_some_and(|first| (first.lead, first.number) == (0, 2) && pdu.inside().nth(1).is_some()),
            (0xa0, 8 | 9) => first.is_some_and(|first| first.is_context(0) || first.is_context(1)) && pdu.inside().count() >= 3,
            _ => false,
        }
}

/// User data of a connect or accept SPDU: parameter 193.
fn connect<'a>(reader: &mut Reader<'a>) -> Wire<Option<&'a [u8]>> {
    reader.skip(1)?;
    let length = session_length(reader)?;
    let mut parameters = reader.sub(length)?;
    while !parameters.is_empty() {
        let code = parameters.u8()?;
        let length = session_length(&mut parameters)?;
        let value = parameters.take(length)?;
        if code == 193 {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

fn session_length(reader: &mut Reader<'_>) -> Wire<usize> {
    match reader.u8()? {
        0xff => reader.be_u16().map(usize::from),
        short => Ok(usize::from(short)),
    }
}

/// A connect or accept PPDU: contexts, then user data, in the normal mode parameters.
fn presentation<'a>(bytes: &'a [u8], contexts: &mut Contexts, found: &mut Vec<Carried<'a>>) {
    let Some(parameters) = Elements::new(bytes).next().and_then(|set| set.inside().find(|element| element.is_context(2))) else { return };
    for parameter in parameters.inside() {
        if parameter.is_context(4) {
            for context in parameter.inside() {
                let mut parts = context.inside();
                let (Some(id), Some(name)) = (parts.next().and_then(|id| id.number32()), parts.next()) else { continue };
                if name.content.starts_with(&MMS) {
                    contexts.mms = id;
                } else if name.content.starts_with(&ACSE) {
                    contexts.acse = id;
                }
            }
        }
    }
    for parameter in parameters.inside() {
        // Fully encoded data: application class, 1.
        if parameter.lead == 0x60 && parameter.number == 1 {
            values(parameter.content, *contexts, found);
        }
    }
}

fn user_data<'a>(bytes: &'a [u8], contexts: Contexts, found: &mut Vec<Carried<'a>>) {
    if let Some(data) = Elements::new(bytes).next().filter(|element| element.lead == 0x60 && element.number == 1) {
        values(data.content, contexts, found);
    }
}

/// Presentation data values: transfer syntax where it was not agreed on, context, content.
fn values<'a>(bytes: &'a [u8], contexts: Contexts, found: &mut Vec<Carried<'a>>) {
    for value in Elements::new(bytes) {
        let (mut context, mut content) = (None, None);
        for part in value.inside() {
            match (part.lead, part.number) {
                (0, 2) => context = part.number32(),
                (0x80 | 0xa0, 0 | 1) => content = Some(part.content),
                _ => {}
            }
        }
        match (context, content) {
            (Some(id), Some(content)) if id == contexts.mms => found.push(Carried::Mms(content)),
            (Some(id), Some(content)) if id == contexts.acse => association(content, found),
            _ => {}
        }
    }
}

/// Association request (application 0) or response (application 1) and the PDU in its user information.
fn association<'a>(bytes: &'a [u8], found: &mut Vec<Carried<'a>>) {
    let Some(apdu) = Elements::new(bytes).next().filter(|apdu| apdu.lead == 0x60 && apdu.number <= 1) else { return };
    let is_request = apdu.number == 0;
    let mut association = Association::default();
    let mut information = None;
    for field in apdu.inside() {
        match (is_request, field.number) {
            // Calling, or responding, application process title.
            (true, 6) | (false, 4) => association.ap_title = field.inside().next().and_then(|title| ber::oid(title.content).ok()),
            (true, 12) | (false, 10) => {
                association.has_auth = true;
                association.auth = field.inside().next().map(|value| value.content);
            }
            (_, 30) => information = Some(field),
            _ => {}
        }
    }
    let external = information.and_then(|information| information.inside().next());
    let pdu = external.and_then(|external| external.inside().find(|part| part.is_context(0) || part.is_context(1)));
    if let Some(pdu) = pdu {
        found.push(Carried::Associated(association, pdu.content));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_two_octets() {
        let mut reader = Reader::new(&[0xbf, 0x48, 2, 0x80, 0]);
        assert_eq!(element(&mut reader), Ok(Element { lead: 0xa0, number: 72, content: &[0x80, 0] }));
        assert!(element(&mut Reader::new(&[0x30, 0x80])).is_err());
    }

    #[test]
    fn data_is_told_by_its_context() {
        let message = [1, 0, 1, 0, 0x61, 9, 0x30, 7, 2, 1, 3, 0xa0, 2, 0xa1, 0];
        let mut contexts = Contexts::default();
        assert!(matches!(carried(&message, &mut contexts)[..], [Carried::Mms([0xa1, 0])]));
        contexts.mms = 5;
        assert!(carried(&message, &mut contexts).is_empty());
        assert!(is_bare(&[0xa0, 7, 2, 1, 1, 0xa6, 2, 0xa0, 0]) && !is_bare(&[0xa0, 3, 2, 1, 1]));
        assert!(names_mms(&[1, 0x28, 0xca, 0x22, 0x02, 1]));
    }
}
