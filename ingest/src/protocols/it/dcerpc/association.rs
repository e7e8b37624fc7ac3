//! One connection-oriented association: contexts, calls and fragments of the two directions.

use std::borrow::Cow;
use std::collections::VecDeque;

use pcapper_schema::tables::{Dcerpc, DcerpcEndpoints};

use super::activation::{self, Activation};
use super::interface::{self, Interface, NDR, Uuid};
use super::pdu::{self, Header, Syntax, Verifier, flag, kind, u16_of, u32_of};
use super::{detail, epm};
use crate::protocols::it::gssapi;
use crate::protocols::{Cx, Dir};
use crate::wire::{Reader, Wire};

/// Contexts of an association that are kept.
const MAX_CONTEXTS: usize = 128;
/// Calls that wait for their answer.
const MAX_CALLS: usize = 256;
/// Messages of a direction of which fragments are missing.
const MAX_PARTIAL: usize = 16;
/// Bytes of a fragmented stub that are kept for reading.
const MAX_STUB: usize = 64 << 10;

/// What carries an association.
#[derive(Clone, Default, Debug)]
pub enum Carrier {
    #[default]
    Tcp,
    /// RPC over HTTP, version 1 (MS-RPCH, 3.1).
    Http,
    /// A named pipe of SMB.
    Pipe(String),
}

/// A presentation context.
#[derive(Clone, Copy, Debug)]
struct Context {
    id: u16,
    syntax: Syntax,
    known: Option<&'static Interface>,
    /// The transfer syntax first offered, then agreed on, is NDR.
    ndr: bool,
}

/// A call under way.
#[derive(Clone, Copy, Debug)]
struct Call {
    id: u32,
    context: u16,
    opnum: u16,
    object: Option<Uuid>,
    frame: u64,
    ts: i64,
}

/// A message of which fragments are missing.
struct Partial {
    call_id: u32,
    kind: u8,
    context: u16,
    opnum: Option<u16>,
    object: Option<Uuid>,
    stub: Vec<u8>,
    /// Bytes of the stub so far, kept or not.
    length: usize,
    fragments: u16,
}

/// A message's stub and what it belongs to.
struct Message<'a> {
    context: u16,
    opnum: Option<u16>,
    object: Option<Uuid>,
    stub: &'a [u8],
    length: usize,
    fragments: u16,
}

/// State of one association.
#[derive(Default)]
pub struct Association {
    carrier: Carrier,
    contexts: Vec<Context>,
    /// Contexts of the last bind or alter, in order, and its call.
    offered: Option<(u32, Vec<u16>)>,
    calls: VecDeque<Call>,
    partial: [Vec<Partial>; 2],
    /// Activations that wait for their answer, by the number of their call.
    activations: VecDeque<(u32, Activation)>,
    login: gssapi::Exchange,
    /// Service and level that the bind asked for: later PDUs need not carry a verifier.
    protection: Option<(u8, u8)>,
}

impl Association {
    /// Starts an association that `carrier` carries.
    pub fn new(carrier: Carrier) -> Self {
        Self { carrier, ..Self::default() }
    }

    /// What carries it turned out.
    pub fn carried_by(&mut self, carrier: Carrier) {
        self.carrier = carrier;
    }

    /// Bytes that `dir` sent were lost: its messages under way cannot be completed.
    pub fn gap(&mut self, dir: Dir) {
        let [orig, resp] = &mut self.partial;
        (if dir == Dir::Orig { orig } else { resp }).clear();
    }

    /// The association ends.
    pub fn close(&mut self, cx: &mut Cx<'_>) {
        gssapi::close(cx, &mut self.login);
    }

    /// Takes one whole fragment that starts with `header`.
    pub fn fragment(&mut self, cx: &mut Cx<'_>, header: &Header, rest: &[u8]) {
        if self.read(cx, header, rest).is_err() {
            cx.anomaly("dcerpc", "bad_length", "a PDU ends before the fields it announces");
        }
    }

    fn read(&mut self, cx: &mut Cx<'_>, header: &Header, rest: &[u8]) -> Wire<()> {
        let (body, verifier) = pdu::parts(header, rest)?;
        let mut reader = Reader::new(body);
        match header.kind {
            kind::BIND | kind::ALTER_CONTEXT => self.bind(cx, header, &mut reader, verifier),
            kind::BIND_ACK | kind::ALTER_CONTEXT_RESP => self.bind_ack(cx, header, &mut reader, verifier),
            kind::REQUEST => {
                reader.skip(4)?;
                let context = u16_of(&mut reader, header.little)?;
                let opnum = u16_of(&mut reader, header.little)?;
                let object = if header.flags & flag::OBJECT != 0 { Some(Uuid::read(&mut reader, header.little)?) } else { None };
                let message = Message { context, opnum: Some(opnum), object, stub: reader.rest(), length: 0, fragments: 1 };
                self.join(cx, header, verifier, message, None);
                Ok(())
            }
            kind::RESPONSE | kind::FAULT => {
                reader.skip(4)?;
                let context = u16_of(&mut reader, header.little)?;
                reader.skip(2)?;
                let mut status = None;
                if header.kind == kind::FAULT {
                    status = Some(u32_of(&mut reader, header.little)?);
                    // Four bytes of padding, which old senders leave out.
                    let _ = reader.skip(4);
                }
                let message = Message { context, opnum: None, object: None, stub: reader.rest(), length: 0, fragments: 1 };
                self.join(cx, header, verifier, message, status);
                Ok(())
            }
            kind::BIND_NAK => {
                let reason = u16_of(&mut reader, header.little)?;
                if self.login.is_pending() {
                    gssapi::outcome(cx, &mut self.login, false, Some("bind_nak"));
                }
                let offered = self.offered.as_ref().and_then(|(_, ids)| ids.first()).copied();
                let interface = offered.and_then(|id| self.context(id));
                self.emit(cx, header, verifier, interface, Dcerpc { bind_nak_reason: Some(reason), ..Dcerpc::default() });
                Ok(())
            }
            kind::AUTH3 => {
                self.emit(cx, header, verifier, None, Dcerpc::default());
                self.token(cx, verifier);
                Ok(())
            }
            _ => {
                self.emit(cx, header, verifier, None, Dcerpc::default());
                Ok(())
            }
        }
    }

    fn context(&self, id: u16) -> Option<Context> {
        self.contexts.iter().find(|context| context.id == id).copied()
    }

    fn token(&mut self, cx: &mut Cx<'_>, verifier: Option<Verifier<'_>>) {
        // Netlogon's secure channel and Schannel have tokens of their own.
        if let Some(verifier) = verifier.filter(|verifier| matches!(verifier.kind, 9 | 10 | 16)) {
            gssapi::token(cx, "dcerpc", &mut self.login, verifier.token);
        }
    }

    /// C706, 12.6.4.3: sizes, group, and the contexts with the syntaxes offered.
    fn bind(&mut self, cx: &mut Cx<'_>, header: &Header, reader: &mut Reader<'_>, verifier: Option<Verifier<'_>>) -> Wire<()> {
        let little = header.little;
        reader.skip(8)?;
        let count = reader.u8()?;
        reader.skip(3)?;
        let mut ids = Vec::new();
        let mut names: Vec<Cow<'_, str>> = Vec::new();
        for _ in 0..count {
            let id = u16_of(reader, little)?;
            let transfers = reader.u8()?;
            reader.skip(1)?;
            let syntax = Syntax::read(reader, little)?;
            let mut ndr = false;
            for index in 0..transfers {
                let transfer = Syntax::read(reader, little)?;
                ndr |= index == 0 && transfer.uuid == NDR;
            }
            ids.push(id);
            names.push(syntax.uuid.text().into());
            let context = Context { id, syntax, known: interface::find(syntax.uuid), ndr };
            if let Some(slot) = self.contexts.iter_mut().find(|other| other.id == id) {
                *slot = context;
            } else if self.contexts.len() < MAX_CONTEXTS {
                self.contexts.push(context);
            }
        }
        if let Some(verifier) = verifier {
            self.protection = Some((verifier.kind, verifier.level));
        }
        let context_id = ids.first().copied();
        let interface = context_id.and_then(|id| self.context(id));
        self.offered = Some((header.call_id, ids));
        self.emit(cx, header, verifier, interface, Dcerpc { context_id, bind_interfaces: Some(&names), ..Dcerpc::default() });
        self.token(cx, verifier);
        Ok(())
    }

    /// C706, 12.6.4.4: the address to use, and what became of each context.
    fn bind_ack(&mut self, cx: &mut Cx<'_>, header: &Header, reader: &mut Reader<'_>, verifier: Option<Verifier<'_>>) -> Wire<()> {
        let little = header.little;
        reader.skip(8)?;
        let length = u16_of(reader, little)?;
        let address = reader.take(usize::from(length))?;
        // Counted from the PDU's start, ten octets of this body and the header of 16 before it.
        reader.skip(usize::from((4 - (length + 2) % 4) % 4))?;
        let address = address.split(|&octet| octet == 0).next().unwrap_or_default();
        let address = String::from_utf8_lossy(address);
        let address = (!address.is_empty()).then_some(address);
        let count = reader.u8()?;
        reader.skip(3)?;
        let mut results = Vec::new();
        let ids = match &self.offered {
            Some((call, ids)) if *call == header.call_id => ids.clone(),
            _ => Vec::new(),
        };
        let mut accepted = None;
        for index in 0..usize::from(count) {
            let result = u16_of(reader, little)?;
            reader.skip(2)?;
            let transfer = Syntax::read(reader, little)?;
            results.push(result);
            let Some(&id) = ids.get(index) else { continue };
            if result == 0
                && let Some(context) = self.contexts.iter_mut().find(|context| context.id == id)
            {
                context.ndr = transfer.uuid == NDR;
                accepted = accepted.or(Some(*context));
            }
        }
        let first = accepted.or_else(|| ids.first().and_then(|&id| self.context(id)));
        let row = Dcerpc { bind_results: Some(&results), secondary_address: address.as_deref(), ..Dcerpc::default() };
        self.emit(cx, header, verifier, first, row);
        if let (Some(context), Some(address)) = (accepted, address.as_deref()) {
            self.endpoint(cx, &context, address);
        }
        self.token(cx, verifier);
        Ok(())
    }

    /// A server's bind ack says where it listens.
    fn endpoint(&self, cx: &mut Cx<'_>, context: &Context, address: &str) {
        let port = match self.carrier {
            Carrier::Pipe(_) => None,
            _ => address.parse::<u16>().ok(),
        };
        let named_pipe = port.is_none().then_some(address);
        let host = cx.common(cx.dir).src_ip.map(|ip| ip.to_string());
        let sequence = match self.carrier {
            _ if address.starts_with("\\") => "ncacn_np",
            Carrier::Tcp => "ncacn_ip_tcp",
            Carrier::Http => "ncacn_http",
            Carrier::Pipe(_) => "ncacn_np",
        };
        let (uuid, version) = (context.syntax.uuid.text(), context.syntax.version());
        cx.emit(DcerpcEndpoints {
            interface_uuid: Some(&uuid),
            interface_version: Some(&version),
            endpoint: context.known.map(|known| known.name),
            protocol_sequence: Some(sequence),
            address: host.as_deref(),
            port,
            named_pipe,
            source: Some("bind_ack"),
            ..DcerpcEndpoints::default()
        });
    }

    /// Joins the fragments of a message, and writes it when it is whole.
    fn join(&mut self, cx: &mut Cx<'_>, header: &Header, verifier: Option<Verifier<'_>>, mut message: Message<'_>, status: Option<u32>) {
        message.length = message.stub.len();
        let (first, last) = (header.flags & flag::FIRST != 0, header.flags & flag::LAST != 0);
        if first && last {
            self.message(cx, header, verifier, &message, status);
            return;
        }
        let [orig, resp] = &mut self.partial;
        let list = if cx.dir.index() == 0 { orig } else { resp };
        let at = list.iter().position(|partial| partial.call_id == header.call_id && partial.kind == header.kind);
        if first {
            if let Some(at) = at {
                list.remove(at);
            }
            if list.len() >= MAX_PARTIAL {
                list.remove(0);
            }
            list.push(Partial {
                call_id: header.call_id,
                kind: header.kind,
                context: message.context,
                opnum: message.opnum,
                object: message.object,
                stub: message.stub.to_vec(),
                length: message.length,
                fragments: 1,
            });
            return;
        }
        // Without its start, a message's stub cannot be told: the first fragment was not captured.
        let Some(partial) = at.and_then(|at| list.get_mut(at)) else {
            if last {
                message.stub = &[];
                self.message(cx, header, verifier, &message, status);
            }
            return;
        };
        let room = MAX_STUB.saturating_sub(partial.stub.len());
        partial.stub.extend_from_slice(message.stub.get(..room).unwrap_or(message.stub));
        partial.length = partial.length.saturating_add(message.length);
        partial.fragments = partial.fragments.saturating_add(1);
        if last {
            let Some(at) = at else { return };
            let partial = list.remove(at);
            let message = Message {
                context: partial.context,
                opnum: partial.opnum,
                object: partial.object,
                stub: &partial.stub,
                length: partial.length,
                fragments: partial.fragments,
            };
            self.message(cx, header, verifier, &message, status);
        }
    }

    /// A whole request, response or fault.
    fn message(&mut self, cx: &mut Cx<'_>, header: &Header, verifier: Option<Verifier<'_>>, message: &Message<'_>, status: Option<u32>) {
        let sealed = verifier.is_some_and(|verifier| verifier.level == 6);
        let stub = if sealed || message.stub.len() < message.length { &[] } else { message.stub };
        let request = header.kind == kind::REQUEST;
        let call = if request { None } else { self.calls.iter().position(|call| call.id == header.call_id).and_then(|at| self.calls.remove(at)) };
        // A fault before dispatch may name context 0 whatever the request's was.
        let context_of = call.map_or(message.context, |call| call.context);
        let context = self.context(context_of);
        let opnum = message.opnum.or(call.map(|call| call.opnum));
        let object = message.object.or(call.and_then(|call| call.object));
        if request {
            if self.calls.len() >= MAX_CALLS {
                self.calls.pop_front();
            }
            let call = Call { id: header.call_id, context: message.context, opnum: message.opnum.unwrap_or(0), object, frame: cx.frame, ts: cx.ts };
            self.calls.push_back(call);
        } else if self.login.is_pending() {
            match status {
                None => gssapi::outcome(cx, &mut self.login, true, None),
                Some(5) => gssapi::outcome(cx, &mut self.login, false, Some("access_denied")),
                Some(_) => gssapi::outcome(cx, &mut self.login, None::<bool>, None),
            }
        }
        let known = context.and_then(|context| context.known);
        let operation = known.zip(opnum).and_then(|(known, opnum)| known.operation(opnum));
        let ndr = context.is_some_and(|context| context.ndr);
        let mut return_code = None;
        if header.kind == kind::RESPONSE
            && known.is_some_and(|known| known.returns_status)
            && operation.is_some()
            && ndr
            && let Some((_, tail)) = stub.split_last_chunk::<4>()
        {
            return_code = stub.len().is_multiple_of(4).then(|| if header.little { u32::from_le_bytes(*tail) } else { u32::from_be_bytes(*tail) });
        }
        let text = match (known, opnum) {
            (Some(known), Some(opnum)) if request && ndr => detail::request(known.uuid, opnum, stub, header.little),
            _ => None,
        };
        let object = object.map(Uuid::text);
        let row = Dcerpc {
            context_id: Some(message.context),
            opnum,
            operation,
            object_uuid: object.as_deref(),
            encrypted: Some(sealed),
            status,
            return_code,
            stub_len: u32::try_from(message.length).ok(),
            fragments: Some(message.fragments),
            request_frame: call.map(|call| call.frame),
            response_time_ms: call.map(|call| cx.ts.saturating_sub(call.ts) as f64 / 1e6),
            detail: text.as_deref(),
            ..Dcerpc::default()
        };
        self.emit(cx, header, verifier, context, row);
        if let Some(text) = &text {
            let common = cx.common(cx.dir);
            crate::text::powershell_command(cx.tables, &common, "dcerpc", text);
        }
        if let (true, Some(known), Some(opnum)) = (request, known, opnum)
            && let Some(asked) = activation::request(known.uuid, opnum, stub, header.little)
        {
            activation::emit(cx, &asked, None);
            if self.activations.len() >= MAX_CALLS {
                self.activations.pop_front();
            }
            self.activations.push_back((header.call_id, asked));
        } else if header.kind == kind::RESPONSE
            && let Some(at) = self.activations.iter().position(|(id, _)| *id == header.call_id)
            && let Some((_, asked)) = self.activations.remove(at)
        {
            let result = stub.last_chunk::<4>().map(|result| if header.little { u32::from_le_bytes(*result) } else { u32::from_be_bytes(*result) });
            if result.is_some() {
                activation::emit(cx, &asked, result);
            }
        }
        if header.kind == kind::RESPONSE && ndr && known.is_some_and(|known| known.uuid == interface::EPMAPPER) {
            epm::answer(cx, opnum, stub, header.little);
        }
    }

    fn emit(&self, cx: &mut Cx<'_>, header: &Header, verifier: Option<Verifier<'_>>, context: Option<Context>, row: Dcerpc<'_>) {
        let (carrier, named_pipe) = match &self.carrier {
            Carrier::Tcp => ("tcp", None),
            Carrier::Http => ("http", None),
            Carrier::Pipe(name) => ("smb", Some(name.as_str()).filter(|name| !name.is_empty())),
        };
        // Below integrity the protection agreed on leaves no verifier in calls.
        let agreed = verifier.map(|verifier| (verifier.kind, verifier.level)).or(self.protection);
        let (service, level) = agreed.map_or((Some("none"), Some("none")), |(kind, level)| (pdu::auth_name(kind), pdu::level_name(level)));
        let uuid = context.map(|context| context.syntax.uuid.text());
        let version = context.map(|context| context.syntax.version());
        cx.emit(Dcerpc {
            carrier: Some(carrier),
            named_pipe,
            ptype: Some(header.kind),
            ptype_name: pdu::kind_name(header.kind),
            version: Some(if header.minor == 0 { "5.0" } else { "5.1" }),
            little_endian: Some(header.little),
            call_id: Some(header.call_id),
            interface_uuid: uuid.as_deref(),
            interface_version: version.as_deref(),
            endpoint: context.and_then(|context| context.known).map(|known| known.name),
            auth_type: verifier.map(|verifier| verifier.kind),
            auth_type_name: service,
            auth_level: verifier.map(|verifier| verifier.level),
            auth_level_name: level,
            ..row
        });
    }
}
