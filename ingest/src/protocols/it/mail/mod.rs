//! Mail messages (RFC 5322) with their parts (RFC 2045 to 2047, 2183, 2231), for every protocol that carries them, and the
//! logins of mail servers ([`sasl`]).
//!
//! A dissector keeps a [`Message`] while one passes, feeds it the message's octets in pieces of any size (transparency of
//! dots already undone) and finishes it, which writes the row of `email`; rows of `files` are written as attachments end.

mod charset;
mod fields;
mod links;
mod params;
mod parts;
pub mod sasl;
#[cfg(test)]
mod tests;
mod transfer;
mod words;

use std::borrow::Cow;

use pcapper_schema::Common;
use pcapper_schema::tables::Email;

pub use fields::Fields;

use super::super::{Cx, Dir};
use parts::Parts;

/// What the carrier knows of a message.
#[derive(Clone, Copy, Default, Debug)]
pub struct Carrier<'a> {
    /// Reverse path of SMTP.
    pub from: Option<&'a str>,
    /// Recipients of SMTP.
    pub to: &'a [Cow<'a, str>],
    pub mailbox: Option<&'a str>,
    pub username: Option<&'a str>,
    /// Size of the message as the server says it, where only a piece of it was asked for.
    pub size: Option<u64>,
    /// Only a piece of the message was asked for.
    pub partial: bool,
    /// Only some fields of its header were.
    pub selected: bool,
}

/// A message as it arrives.
pub struct Message {
    source: &'static str,
    sender: Dir,
    bytes: u64,
    lost: bool,
    parts: Parts,
}

impl Message {
    /// A message that `sender` begins to send over the protocol named.
    pub fn new(source: &'static str, sender: Dir) -> Self {
        Self { source, sender, bytes: 0, lost: false, parts: Parts::new(source, sender) }
    }

    /// Takes the next octets.
    pub fn push(&mut self, cx: &mut Cx<'_>, octets: &[u8]) {
        self.bytes = self.bytes.saturating_add(octets.len() as u64);
        self.parts.push(cx, octets);
    }

    /// Octets are missing here.
    pub fn lose(&mut self) {
        self.lost = true;
        self.parts.lose();
    }

    /// Writes the row, and gives what stood in the header. `ended` if the protocol showed the message's end.
    pub fn finish(mut self, cx: &mut Cx<'_>, carrier: Carrier<'_>, ended: bool) -> Fields {
        let common = cx.common(self.sender);
        self.parts.end(cx, ended);
        let fields = self.parts.fields.take().unwrap_or_default();
        if self.bytes > 0 {
            self.emit(cx, &common, carrier, &fields, ended);
        }
        fields
    }

    fn emit(&self, cx: &mut Cx<'_>, common: &Common, carrier: Carrier<'_>, fields: &Fields, ended: bool) {
        let parts = &self.parts;
        let (to, cc, received) = (texts(&fields.to), texts(&fields.cc), texts(&fields.received));
        let (urls, deceptive) = (texts(&parts.links.urls), texts(&parts.links.deceptive));
        let column = |of: fn(&parts::Attached) -> Option<&str>| -> Vec<Option<Cow<'_, str>>> {
            parts.attached.iter().map(|attached| of(attached).map(Cow::Borrowed)).collect()
        };
        let names = column(|attached| attached.name.as_deref());
        let kinds = column(|attached| attached.kind.as_deref());
        let hashes = column(|attached| attached.sha256.as_deref());
        cx.emit_as(
            common,
            Email {
                source: Some(self.source),
                envelope_from: carrier.from,
                envelope_to: some(carrier.to),
                from: fields.from.as_deref(),
                to: some(&to),
                cc: some(&cc),
                reply_to: fields.reply_to.as_deref(),
                sender: fields.sender.as_deref(),
                return_path: fields.return_path.as_deref(),
                subject: fields.subject.as_deref(),
                message_id: fields.message_id.as_deref(),
                in_reply_to: fields.in_reply_to.as_deref(),
                date_header: fields.date.as_deref(),
                user_agent: fields.agent.as_deref(),
                originating_ip: fields.originating.as_deref().or_else(|| fields.hops.last().map(String::as_str)),
                received: some(&received),
                auth_results: fields.auth_results.as_deref(),
                dkim_domain: fields.dkim_domain.as_deref(),
                bulk: (fields.bulk || fields.any && !carrier.selected).then_some(fields.bulk),
                urls: some(&urls),
                deceptive_urls: some(&deceptive),
                attachment_count: if carrier.partial { None } else { u16::try_from(parts.attached.len()).ok() },
                attachment_names: (!names.is_empty()).then_some(&names),
                attachment_types: (!kinds.is_empty()).then_some(&kinds),
                attachment_sha256: (!hashes.is_empty()).then_some(&hashes),
                body_text: parts.plain_text.as_deref().or(parts.html_text.as_deref()),
                size_bytes: if carrier.partial { carrier.size } else { Some(self.bytes) },
                complete: Some(ended && !self.lost && !carrier.partial),
                mailbox: carrier.mailbox,
                username: carrier.username,
            },
        );
    }
}

/// A list of texts as a row takes it.
pub fn texts(list: &[String]) -> Vec<Cow<'_, str>> {
    list.iter().map(|text| Cow::Borrowed(text.as_str())).collect()
}

/// `None` for an empty list.
pub fn some<'a>(list: &'a [Cow<'a, str>]) -> Option<&'a [Cow<'a, str>]> {
    (!list.is_empty()).then_some(list)
}

/// Whether octets can be the start of the text; `None` if there are too few to tell.
fn begins(octets: &[u8], text: &[u8]) -> Option<bool> {
    if octets.len() >= text.len() {
        return Some(octets.get(..text.len()).is_some_and(|start| start.eq_ignore_ascii_case(text)));
    }
    let possible = text.get(..octets.len()).is_some_and(|start| start.eq_ignore_ascii_case(octets));
    if possible { None } else { Some(false) }
}

/// Of several texts: one fits, none can, or more octets are needed.
pub fn begins_any(octets: &[u8], texts: &[&[u8]]) -> Option<bool> {
    let mut open = false;
    for text in texts {
        match begins(octets, text) {
            Some(true) => return Some(true),
            Some(false) => {}
            None => open = true,
        }
    }
    if open { None } else { Some(false) }
}
