//! LDAP (RFC 4511) over TCP and CLDAP (MS-ADTS, 6.3.3) over UDP.
//!
//! Behind a SASL bind messages may come in buffers that are signed or encrypted (RFC 4752, MS-ADTS 5.1.1.1.2): of signed
//! ones the messages are read, of encrypted ones there is a row each.

mod filter;
mod message;
mod value;

use std::borrow::Cow;

use message::{Message, Proof, Start, ad_error, extended_name, op, op_name, result_name, start};
use pcapper_schema::Common;
use pcapper_schema::tables::{Credentials, Ldap, LdapAttributes};
use rustc_hash::FxHashMap;

use crate::protocols::it::{gssapi, x509};
use crate::protocols::{
    Cx, DatagramDissector, DatagramKind, Group, Offer, Outcome, Progress, Protocol, StreamDissector, StreamKind, Verdict, secrets,
};
use crate::wire::Reader;

/// LDAP on any port; 389 is the directory's, 3268 that of the global catalogue.
pub static PROTOCOL: Protocol = Protocol {
    name: "ldap",
    group: Group::It,
    ports: &[389, 3268],
    datagram: Some(DatagramKind { ip_protos: &[17], probe, start: || Box::new(Session { cldap: true, ..Session::default() }) }),
    stream: Some(StreamKind { probe: probe_stream, start: || Box::<Session>::default() }),
    ..Protocol::NONE
};

/// Requests of a connection that wait for their answer.
const MAX_OPEN: usize = 8192;
/// Longest message that is waited for, bytes.
const MAX_MESSAGE: usize = 3 << 20;

fn probe(offer: &Offer<'_>) -> Verdict {
    match start(offer.current()) {
        Start::Message(length) if length <= offer.current().len() => Verdict::Yes,
        _ => Verdict::No,
    }
}

fn probe_stream(offer: &Offer<'_>) -> Verdict {
    let mut open = false;
    for bytes in offer.bytes.into_iter().filter(|bytes| !bytes.is_empty()) {
        match start(bytes) {
            Start::Message(length) if length <= MAX_MESSAGE => return Verdict::Yes,
            Start::Message(_) => {}
            Start::Open => open = true,
            // A capture that starts midway shows buffers of the security layer.
            Start::Other if offer.usual_port && sasl_buffer(bytes).is_some() => return Verdict::Yes,
            Start::Other => {}
        }
    }
    if open { Verdict::More } else { Verdict::No }
}

/// A SASL buffer (RFC 4422, 3.7): its length in four octets, and a token of Kerberos or a signature of NTLM.
fn sasl_buffer(bytes: &[u8]) -> Option<usize> {
    let mut reader = Reader::new(bytes);
    let length = usize::try_from(reader.be_u32().ok()?).ok()?;
    let token = reader.peek();
    let known = matches!(token, [5, 4, _, 0xff, ..] | [0x60, ..] | [1, 0, 0, 0, ..]);
    (known && (16..=MAX_MESSAGE).contains(&length)).then_some(length)
}

/// The messages in a buffer of the security layer; `None` if they are encrypted.
fn unsealed(token: &[u8]) -> Option<&[u8]> {
    let plain = match token {
        // Kerberos (RFC 4121, 4.2.6.2): flags, length of the check sum, and how far it is rotated to the front.
        [5, 4, flags, 0xff, a, b, c, d, _, _, _, _, _, _, _, _, rest @ ..] => {
            if flags & 2 != 0 {
                return None;
            }
            let sum = usize::from(u16::from_be_bytes([*a, *b]));
            match usize::from(u16::from_be_bytes([*c, *d])) {
                0 => rest.get(..rest.len().checked_sub(sum)?)?,
                rotated if rotated == sum => rest.get(sum..)?,
                _ => return None,
            }
        }
        // NTLM (MS-NLMP, 2.2.2.9): a signature of 16 octets in front.
        [1, 0, 0, 0, ..] => token.get(16..)?,
        // Digest (RFC 2831, 2.3): 16 octets at the end.
        _ => token,
    };
    matches!(start(plain), Start::Message(length) if length <= plain.len()).then_some(plain)
}

/// A request that waits for its answer.
#[derive(Clone, Copy)]
struct Open {
    frame: u64,
    ts: i64,
    entries: u32,
    extended: Option<&'static str>,
}

/// A password whose fate is not known.
struct Shown {
    id: u32,
    common: Common,
    user: String,
    secret: String,
    field: &'static str,
}

#[derive(Default)]
struct Session {
    cldap: bool,
    open: FxHashMap<u32, Open>,
    login: gssapi::Exchange,
    shown: Option<Shown>,
    /// The last bind was by SASL, and whether it succeeded: then buffers may follow.
    sasl: bool,
    layer: bool,
    /// Where messages of each direction start is known.
    known: [bool; 2],
}

impl Session {
    /// Takes one whole message; `Some` if the flow is TLS from here on.
    fn message(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Option<&'static str> {
        let (message, read) = Message::parse(bytes);
        if read.is_err() {
            cx.anomaly("ldap", "bad_length", "a message ends early or contradicts itself");
        }
        if message.filter_fault {
            cx.anomaly("ldap", "limit_reached", "a search filter is out of form, or nests deeper than 128 levels");
        }
        let asked = self.asked(cx, &message);
        let account = match message.op {
            op::BIND => self.bind(cx, &message),
            op::BIND_RESPONSE => {
                self.bound(cx, &message);
                None
            }
            _ => None,
        };
        self.emit(cx, &message, asked.as_ref(), account.as_deref());
        let name = message.oid.as_deref().and_then(extended_name).or_else(|| asked?.extended);
        (message.op == op::EXTENDED_RESPONSE && message.code == Some(0) && name == Some("StartTLS")).then_some("tls")
    }

    /// Remembers a request; for a response finds its request, with the entries so far.
    fn asked(&mut self, cx: &Cx<'_>, message: &Message<'_>) -> Option<Open> {
        match message.op {
            op::BIND | op::SEARCH | op::MODIFY | op::ADD | op::DELETE | op::MODIFY_DN | op::COMPARE | op::EXTENDED => {
                if self.open.len() >= MAX_OPEN {
                    self.open.clear();
                }
                let extended = message.oid.as_deref().and_then(extended_name);
                self.open.insert(message.id, Open { frame: cx.frame, ts: cx.ts, entries: 0, extended });
                None
            }
            op::ENTRY | op::REFERENCE | op::INTERMEDIATE => {
                let open = self.open.get_mut(&message.id)?;
                if message.op == op::ENTRY {
                    open.entries = open.entries.saturating_add(1);
                }
                Some(*open)
            }
            op::UNBIND | op::ABANDON => None,
            _ => self.open.remove(&message.id),
        }
    }

    /// Takes a bind request; the account that its token names.
    fn bind(&mut self, cx: &mut Cx<'_>, message: &Message<'_>) -> Option<String> {
        self.untold(cx);
        self.sasl = matches!(message.proof, Proof::Sasl(_) | Proof::Sicily(..));
        let shown = |user: &str, secret: &str, field| {
            let (user, secret) = (user.to_owned(), secret.to_owned());
            (!secret.is_empty()).then(|| Shown { id: message.id, common: cx.common(cx.dir), user, secret, field })
        };
        match message.proof {
            Proof::Simple(password) => {
                self.shown = shown(message.name.as_deref().unwrap_or_default(), &String::from_utf8_lossy(password), "simple bind");
                None
            }
            Proof::Sasl(Some(token)) if message.mechanism.as_deref() == Some("PLAIN") => {
                // RFC 4616, 2: for whom, who, and the password.
                let mut parts = token.splitn(3, |&octet| octet == 0).skip(1);
                let (user, secret) = (parts.next()?, parts.next()?);
                self.shown = shown(&String::from_utf8_lossy(user), &String::from_utf8_lossy(secret), "SASL PLAIN");
                Some(String::from_utf8_lossy(user).into_owned())
            }
            Proof::Sasl(Some(token)) if message.mechanism.as_deref().is_some_and(|name| name.starts_with("GSS")) => {
                gssapi::token(cx, "ldap", &mut self.login, token);
                self.login.account()
            }
            Proof::Sicily(_, token) if token.starts_with(b"NTLMSSP\0") => {
                gssapi::token(cx, "ldap", &mut self.login, token);
                self.login.account()
            }
            _ => None,
        }
    }

    fn bound(&mut self, cx: &mut Cx<'_>, message: &Message<'_>) {
        if let Some(token) = message.token.or(message.matched.filter(|matched| matched.starts_with(b"NTLMSSP\0"))) {
            gssapi::token(cx, "ldap", &mut self.login, token);
        }
        let Some(code) = message.code.filter(|&code| code != 14) else { return };
        self.layer |= self.sasl && code == 0;
        if self.login.is_pending() {
            gssapi::outcome(cx, &mut self.login, code == 0, result_name(code));
        }
        if let Some(shown) = self.shown.take_if(|shown| shown.id == message.id) {
            let outcome = match code {
                0 => "success",
                49 => "failure",
                _ => "unknown",
            };
            tell(cx, &shown, outcome, Some(cx.frame).filter(|_| outcome != "unknown"));
        }
    }

    /// Writes the password whose fate was not seen.
    fn untold(&mut self, cx: &mut Cx<'_>) {
        if let Some(shown) = self.shown.take() {
            tell(cx, &shown, "unknown", None);
        }
    }

    fn emit(&self, cx: &mut Cx<'_>, message: &Message<'_>, asked: Option<&Open>, account: Option<&str>) {
        let opcode = op_name(message.op);
        // The root of the directory (RFC 4512, 5.1) has an empty name, as nothing has.
        let object = message.object.as_deref().filter(|name| !name.is_empty());
        let name = message.name.as_deref().filter(|name| !name.is_empty());
        let (method, password) = match message.proof {
            Proof::None => (None, None),
            Proof::Simple([]) => (Some(if name.is_none() { "anonymous" } else { "unauthenticated" }), None),
            Proof::Simple(password) => (Some("simple"), Some(String::from_utf8_lossy(password))),
            Proof::Sasl(_) => (Some("sasl"), None),
            Proof::Sicily(10, _) => (Some("sicily_negotiate"), None),
            Proof::Sicily(11, _) => (Some("sicily_response"), None),
            Proof::Sicily(..) => (Some("sicily_discovery"), None),
        };
        let result = message.code.map(|code| result_name(code).map_or_else(|| Cow::Owned(code.to_string()), Cow::Borrowed));
        let matched = message.matched.filter(|dn| !dn.is_empty() && !dn.starts_with(b"NTLMSSP\0")).map(String::from_utf8_lossy);
        let diagnostic = message.diagnostic.as_deref().map(|text| text.trim_end_matches('\0')).filter(|text| !text.is_empty());
        let attributes: Vec<Cow<'_, str>> = message
            .wanted
            .iter()
            .chain(message.attributes.iter().map(|attribute| &attribute.name))
            .map(|name| Cow::Borrowed(name.as_ref()))
            .collect();
        let scope = message.scope.and_then(|scope| ["base", "one", "sub", "children"].get(usize::from(scope)).copied());
        cx.emit(Ldap {
            message_id: Some(message.id),
            op: Some(message.op),
            opcode,
            request_frame: asked.map(|asked| asked.frame),
            response_time_ms: asked.map(|asked| cx.ts.saturating_sub(asked.ts)).filter(|&time| time >= 0).map(|time| time as f64 / 1e6),
            version: message.version,
            bind_method: method,
            bind_name: account.or(name),
            password: password.as_deref(),
            sasl_mechanism: message.mechanism.as_deref(),
            result_code: message.code,
            result: result.as_deref(),
            diagnostic_message: diagnostic,
            ad_error: diagnostic.and_then(ad_error),
            matched_dn: matched.as_deref(),
            base_object: message.base.as_deref().filter(|base| !base.is_empty()),
            scope: message.scope,
            scope_name: scope,
            deref_aliases: message.deref,
            size_limit: message.size_limit,
            types_only: message.types_only,
            filter: message.filter.as_deref(),
            attributes: listed(&attributes),
            object,
            new_rdn: message.new_rdn.as_deref(),
            entry_count: asked.map(|asked| asked.entries).filter(|_| message.op == op::DONE),
            extended_oid: message.oid.as_deref(),
            extended_name: message.oid.as_deref().and_then(extended_name).or_else(|| asked?.extended),
            control_oids: listed(&message.controls),
            referrals: listed(&message.referrals),
            cldap: Some(self.cldap),
            sealed: Some(false),
            transport: Some(self.transport()),
        });
        for attribute in &message.attributes {
            let values: Vec<Cow<'_, str>> = attribute.values.iter().map(|value| value::text(&attribute.name, value)).collect();
            let secret = value::is_secret(&attribute.name);
            cx.emit(LdapAttributes {
                message_id: Some(message.id),
                opcode,
                object,
                operation: attribute.operation,
                attribute: Some(&attribute.name),
                values: listed(&values).filter(|_| !secret),
                secret_values: listed(&values).filter(|_| secret),
            });
            if value::is_certificate(&attribute.name) {
                // Each stands for itself; whose it is, the entry says, not who sends it.
                let presented = x509::Presented { carrier: "ldap", role: None, server_name: None };
                for certificate in attribute.values.iter().filter(|value| x509::is_der(value)) {
                    x509::emit_chain(cx, &presented, &[certificate]);
                }
            }
        }
    }

    fn transport(&self) -> &'static str {
        if self.cldap { "udp" } else { "tcp" }
    }

    /// Takes the content of a SASL buffer.
    fn buffer(&mut self, cx: &mut Cx<'_>, token: &[u8]) {
        let Some(mut rest) = unsealed(token) else {
            cx.emit(Ldap { cldap: Some(self.cldap), sealed: Some(true), transport: Some(self.transport()), ..Ldap::default() });
            return;
        };
        while let Start::Message(length) = start(rest)
            && let Some((message, after)) = rest.split_at_checked(length)
        {
            self.message(cx, message);
            rest = after;
        }
    }
}

/// An empty list is nothing that the wire carried.
fn listed<'a, 'b>(list: &'a [Cow<'b, str>]) -> Option<&'a [Cow<'b, str>]> {
    Some(list).filter(|list| !list.is_empty())
}

fn tell(cx: &mut Cx<'_>, shown: &Shown, outcome: &'static str, frame: Option<u64>) {
    let id = secrets::id(shown.secret.as_bytes());
    cx.emit_as(
        &shown.common,
        Credentials {
            protocol: Some("ldap"),
            kind: Some("password"),
            username: Some(&*shown.user).filter(|user| !user.is_empty()),
            secret: Some(&shown.secret),
            secret_id: id.as_deref(),
            secret_length: u32::try_from(shown.secret.chars().count()).ok(),
            encrypted: Some(cx.is_decrypted()),
            outcome: Some(outcome),
            outcome_frame: frame,
            field: Some(shown.field),
            ..Credentials::default()
        },
    );
}

impl DatagramDissector for Session {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        let mut rest = payload;
        let mut outcome = Outcome::NotMine;
        while let Start::Message(length) = start(rest)
            && let Some((message, after)) = rest.split_at_checked(length)
        {
            self.message(cx, message);
            outcome = Outcome::Decoded;
            rest = after;
        }
        outcome
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.untold(cx);
        gssapi::close(cx, &mut self.login);
    }
}

impl StreamDissector for Session {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        match start(bytes) {
            Start::Message(length) if length <= MAX_MESSAGE => {
                let Some(message) = bytes.get(..length) else { return Progress::Consumed(0) };
                if let Some(known) = self.known.get_mut(cx.dir.index()) {
                    *known = true;
                }
                return match self.message(cx, message) {
                    Some(protocol) => Progress::Handover(length, protocol),
                    None => Progress::Consumed(length),
                };
            }
            Start::Open => return Progress::Consumed(0),
            Start::Message(_) | Start::Other => {}
        }
        if bytes.starts_with(&[0x16, 3]) {
            return Progress::Handover(0, "tls");
        }
        if bytes.len() < 8 && bytes.first() == Some(&0) {
            return Progress::Consumed(0);
        }
        let length = sasl_buffer(bytes).or_else(|| {
            // Those of other mechanisms look like nothing: one that follows a login is believed.
            let length = usize::try_from(Reader::new(bytes).be_u32().ok()?).ok()?;
            (self.layer && (16..=MAX_MESSAGE).contains(&length)).then_some(length)
        });
        if let Some(length) = length {
            let Some(token) = bytes.get(4..).and_then(|rest| rest.get(..length)) else { return Progress::Consumed(0) };
            self.buffer(cx, token);
            return Progress::Consumed(4 + length);
        }
        if let Some(known) = self.known.get_mut(cx.dir.index())
            && std::mem::take(known)
        {
            cx.anomaly("ldap", "unexpected_state", "bytes are no message and no buffer of a security layer");
        }
        Progress::Consumed(bytes.len())
    }

    fn gap(&mut self, cx: &mut Cx<'_>, _missing: u64) -> bool {
        // What follows may be the rest of a message.
        if let Some(known) = self.known.get_mut(cx.dir.index()) {
            *known = false;
        }
        true
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        DatagramDissector::close(self, cx);
    }
}
