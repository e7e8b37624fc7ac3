//! CIP services (ODVA CIP volume 1), wherever they ride: requests and answers, those embedded in others included, and implicit
//! I/O.

mod names;
mod path;

use std::borrow::Cow;

use pcapper_schema::Common;
use pcapper_schema::tables::{Cip, OtCommands, ProcessValues};

use self::path::Path;
use crate::protocols::Cx;
use crate::protocols::ot::pccc;
use crate::protocols::ot::points::{Owner, command, milliseconds, value};
use crate::wire::{Reader, Wire};

/// How deep services are embedded in others.
const MAX_DEPTH: usize = 3;
/// Services of one packet of services.
const MAX_EMBEDDED: u16 = 256;
/// Octets of service data that are kept.
const MAX_DATA: usize = 512;
/// Elements of one tag that get values of their own.
const MAX_ELEMENTS: usize = 256;
/// Stands for a status of the carrier's: no general status has this number (volume 1, appendix B-1).
const REFUSED: u8 = 0xcf;
/// Bit that makes a service code an answer.
pub const ANSWER: u8 = 0x80;

/// What carries a service.
#[derive(Clone, Copy, Debug)]
pub struct Carrier<'a> {
    pub enip_command: &'static str,
    pub session: Option<u32>,
    pub connection: Option<u32>,
    pub sequence: Option<u16>,
    /// The request that this answers: its frame, time and octets.
    pub request: Option<(&'a Common, &'a [u8])>,
}

/// A request, taken apart.
struct Request<'a> {
    code: u8,
    path: Option<Path>,
    data: &'a [u8],
}

fn request(octets: &[u8]) -> Wire<Request<'_>> {
    let mut reader = Reader::new(octets);
    let code = reader.u8()?;
    let words = usize::from(reader.u8()?);
    let path = path::read(reader.take(words * 2)?).ok();
    Ok(Request { code, path, data: reader.rest() })
}

impl<'a> Request<'a> {
    fn class(&self) -> Option<u16> {
        self.path.as_ref().and_then(|path| path.class)
    }

    fn has_symbol(&self) -> bool {
        self.path.as_ref().is_some_and(|path| path.symbol.is_some())
    }

    fn name(&self) -> Option<&'static str> {
        names::service(self.code, self.class(), self.has_symbol())
    }

    /// Message inside an unconnected send: priority, ticks, length, message.
    fn inner(&self) -> Option<&'a [u8]> {
        let is_send = self.code == names::UNCONNECTED_SEND && self.class() == Some(names::CONNECTION_MANAGER);
        let mut reader = Reader::new(self.data);
        reader.skip(2).ok()?;
        let length = usize::from(reader.le_u16().ok()?);
        reader.take(length).ok().filter(|_| is_send)
    }

    /// Requestor and message that an Execute PCCC, or the answer to it, holds in `data`.
    fn pccc<'b>(&self, data: &'b [u8]) -> Option<(pccc::Requestor, &'b [u8])> {
        (self.code == names::EXECUTE_PCCC && self.class() == Some(names::PCCC)).then(|| pccc::in_cip(data)).flatten()
    }

    fn is_packet(&self) -> bool {
        self.code == names::SERVICE_PACKET && matches!(self.class(), None | Some(names::ROUTER))
    }
}

/// Messages of a packet of services: count, offsets from the count, messages.
fn packet(data: &[u8]) -> Option<Vec<&[u8]>> {
    let mut reader = Reader::new(data);
    let count = reader.le_u16().ok().filter(|count| *count <= MAX_EMBEDDED)?;
    let offsets: Vec<usize> = (0..count).map(|_| reader.le_u16().map(usize::from)).collect::<Wire<_>>().ok()?;
    let ends = offsets.iter().skip(1).copied().chain([data.len()]);
    offsets.iter().zip(ends).map(|(from, to)| data.get(*from..to)).collect()
}

/// Takes a message: writes its rows and those of what is embedded. `index` numbers the rows of a frame.
pub fn message(cx: &mut Cx<'_>, carrier: &Carrier<'_>, octets: &[u8], index: &mut u16) {
    take(cx, carrier, octets, carrier.request, None, index, 0);
}

fn take(
    cx: &mut Cx<'_>,
    carrier: &Carrier<'_>,
    octets: &[u8],
    asked: Option<(&Common, &[u8])>,
    parent: Option<&'static str>,
    index: &mut u16,
    depth: usize,
) {
    if depth > MAX_DEPTH || octets.is_empty() {
        return;
    }
    if octets.first().is_some_and(|code| code & ANSWER != 0) {
        answer(cx, carrier, octets, asked, parent, index, depth);
    } else {
        ask(cx, carrier, octets, parent, index, depth);
    }
}

fn base(carrier: &Carrier<'_>, parent: Option<&'static str>, index: &mut u16) -> Cip<'static> {
    let row = Cip {
        service_index: Some(*index),
        parent_service: parent,
        enip_command: Some(carrier.enip_command),
        session_handle: carrier.session,
        connection_id: carrier.connection,
        sequence_count: carrier.sequence,
        is_io: Some(false),
        ..Cip::default()
    };
    *index = index.saturating_add(1);
    row
}

fn ask(cx: &mut Cx<'_>, carrier: &Carrier<'_>, octets: &[u8], parent: Option<&'static str>, index: &mut u16, depth: usize) {
    let base = Cip { is_request: Some(true), direction: Some("request"), ..base(carrier, parent, index) };
    let Ok(request) = request(octets) else {
        return cx.emit(Cip { service_code: octets.first().copied(), malformed: Some("truncated"), ..base });
    };
    let packed = request.is_packet().then(|| packet(request.data));
    let malformed = if request.path.is_none() { Some("bad_path") } else { matches!(packed, Some(None)).then_some("msp_offsets") };
    let details = details(&request);
    row(cx, &request, request.data, &details, Cip { malformed, ..base });
    if let Some(inner) = request.inner() {
        take(cx, carrier, inner, None, Some("unconnected_send"), index, depth + 1);
    }
    for inner in packed.flatten().unwrap_or_default() {
        take(cx, carrier, inner, None, Some("multiple_service_packet"), index, depth + 1);
    }
    if let Some((requestor, octets)) = request.pccc(request.data) {
        pccc::message(cx, "cip", Some(requestor), octets, None);
    }
}

/// What the data of a service says.
#[derive(Default)]
struct Details {
    attributes: Vec<u16>,
    type_code: Option<u16>,
    count: Option<u16>,
    numbers: Vec<f64>,
    texts: Vec<Cow<'static, str>>,
    reset: Option<u8>,
    connection: Connection,
}

/// Parameters of opening and closing connections.
#[derive(Default)]
struct Connection {
    serial: Option<u16>,
    vendor: Option<u16>,
    originator: Option<u32>,
    ids: Option<(u32, u32)>,
    rpis: Option<(u32, u32)>,
    transport: Option<u8>,
    key: Option<String>,
}

fn details(request: &Request<'_>) -> Details {
    let mut details = Details::default();
    let mut reader = Reader::new(request.data);
    let _ = match request.name() {
        Some("get_attribute_list") => attributes(&mut reader, &mut details),
        Some("reset") => {
            details.reset = reader.u8().ok();
            Ok(())
        }
        Some("read_tag" | "read_tag_fragmented") => reader.le_u16().map(|count| details.count = Some(count)),
        Some(name @ ("write_tag" | "write_tag_fragmented")) => written(&mut reader, name, &mut details),
        Some(name @ ("forward_open" | "large_forward_open")) => open(&mut reader, name == "large_forward_open", &mut details.connection),
        Some("forward_close") => close(&mut reader, &mut details.connection),
        _ => Ok(()),
    };
    details
}

fn attributes(reader: &mut Reader<'_>, details: &mut Details) -> Wire<()> {
    for _ in 0..reader.le_u16()? {
        details.attributes.push(reader.le_u16()?);
    }
    Ok(())
}

fn written(reader: &mut Reader<'_>, name: &str, details: &mut Details) -> Wire<()> {
    let code = reader.le_u16()?;
    details.type_code = Some(code);
    if code == 0x02a0 {
        reader.skip(2)?;
    }
    details.count = Some(reader.le_u16()?);
    if name == "write_tag_fragmented" {
        reader.skip(4)?;
    }
    scalars(code, reader.rest(), details);
    Ok(())
}

fn open(reader: &mut Reader<'_>, is_large: bool, connection: &mut Connection) -> Wire<()> {
    reader.skip(2)?;
    connection.ids = Some((reader.le_u32()?, reader.le_u32()?));
    connection.serial = Some(reader.le_u16()?);
    connection.vendor = Some(reader.le_u16()?);
    connection.originator = Some(reader.le_u32()?);
    reader.skip(4)?;
    let parameters = if is_large { 4 } else { 2 };
    let to_target = reader.le_u32()?;
    reader.skip(parameters)?;
    connection.rpis = Some((to_target, reader.le_u32()?));
    reader.skip(parameters)?;
    connection.transport = Some(reader.u8()?);
    let words = usize::from(reader.u8()?);
    connection.key = path::read(reader.take(words * 2)?)?.key;
    Ok(())
}

fn close(reader: &mut Reader<'_>, connection: &mut Connection) -> Wire<()> {
    reader.skip(2)?;
    connection.serial = Some(reader.le_u16()?);
    connection.vendor = Some(reader.le_u16()?);
    connection.originator = Some(reader.le_u32()?);
    Ok(())
}

/// Elements of an elementary type.
fn scalars(code: u16, octets: &[u8], details: &mut Details) {
    let Some((_, width @ 1..)) = names::data_type(code) else { return };
    for element in octets.chunks_exact(width).take(MAX_ELEMENTS) {
        let (number, text) = match (code, element) {
            (0xc1, [a]) => (f64::from(u8::from(*a != 0)), u8::from(*a != 0).to_string()),
            (0xc2, [a]) => (f64::from(i8::from_le_bytes([*a])), i8::from_le_bytes([*a]).to_string()),
            (0xc6 | 0xd1, [a]) => (f64::from(*a), a.to_string()),
            (0xc3, [a, b]) => (f64::from(i16::from_le_bytes([*a, *b])), i16::from_le_bytes([*a, *b]).to_string()),
            (_, [a, b]) => (f64::from(u16::from_le_bytes([*a, *b])), u16::from_le_bytes([*a, *b]).to_string()),
            (0xca, [a, b, c, d]) => (f64::from(f32::from_le_bytes([*a, *b, *c, *d])), f32::from_le_bytes([*a, *b, *c, *d]).to_string()),
            (0xc4, [a, b, c, d]) => (f64::from(i32::from_le_bytes([*a, *b, *c, *d])), i32::from_le_bytes([*a, *b, *c, *d]).to_string()),
            (_, [a, b, c, d]) => (f64::from(u32::from_le_bytes([*a, *b, *c, *d])), u32::from_le_bytes([*a, *b, *c, *d]).to_string()),
            (_, long) => {
                let Some(long) = long.first_chunk::<8>() else { return };
                #[allow(clippy::cast_precision_loss)]
                match code {
                    0xcb => (f64::from_le_bytes(*long), f64::from_le_bytes(*long).to_string()),
                    0xc5 => (i64::from_le_bytes(*long) as f64, i64::from_le_bytes(*long).to_string()),
                    _ => (u64::from_le_bytes(*long) as f64, u64::from_le_bytes(*long).to_string()),
                }
            }
        };
        details.numbers.push(number);
        details.texts.push(Cow::Owned(text));
    }
}

/// Writes a row: `request` says of which service and object, `data` is what stands behind path or status.
fn row(cx: &mut Cx<'_>, request: &Request<'_>, data: &[u8], details: &Details, base: Cip<'_>) {
    let path = request.path.as_ref();
    let name = request.name();
    let connection = &details.connection;
    cx.emit(Cip {
        service_code: Some(request.code),
        service: name,
        category: Some(names::category(name, request.class())),
        path: path.map(|path| path.text.as_str()).filter(|text| !text.is_empty()),
        class_id: request.class(),
        class_name: request.class().and_then(names::class),
        instance_id: path.and_then(|path| path.instance),
        attribute_id: path.and_then(|path| path.attribute),
        attribute_ids: (!details.attributes.is_empty()).then_some(&details.attributes),
        symbol: path.and_then(|path| path.symbol.as_deref()),
        data_type_code: details.type_code,
        data_type: details.type_code.and_then(names::data_type).map(|(name, _)| name),
        element_count: details.count,
        values: (!details.texts.is_empty()).then_some(&details.texts),
        reset_type: details.reset,
        connection_serial: connection.serial,
        originator_vendor_id: connection.vendor,
        originator_serial: connection.originator,
        o_to_t_connection_id: connection.ids.map(|(to_target, _)| to_target),
        t_to_o_connection_id: connection.ids.map(|(_, to_originator)| to_originator),
        o_to_t_rpi_us: connection.rpis.map(|(to_target, _)| to_target),
        t_to_o_rpi_us: connection.rpis.map(|(_, to_originator)| to_originator),
        transport_class: connection.transport.map(|transport| transport & 0x0f),
        trigger: connection
            .transport
            .and_then(|transport| ["cyclic", "change_of_state", "application"].get(usize::from(transport >> 4 & 7)).copied()),
        electronic_key: connection.key.as_deref(),
        is_safety: Some(request.class().is_some_and(|class| matches!(class, 0x39..=0x3c))),
        data: data.get(..MAX_DATA.min(data.len())).filter(|data| !data.is_empty()),
        data_len: u32::try_from(data.len()).ok(),
        ..base
    });
}

fn answer(
    cx: &mut Cx<'_>,
    carrier: &Carrier<'_>,
    octets: &[u8],
    asked: Option<(&Common, &[u8])>,
    parent: Option<&'static str>,
    index: &mut u16,
    depth: usize,
) {
    let base = Cip { is_request: Some(false), direction: Some("response"), ..base(carrier, parent, index) };
    let mut reader = Reader::new(octets);
    let head = || {
        let mut reader = reader;
        let [code, _, status, words] = reader.array::<4>()?;
        let mut additional = reader.sub(usize::from(words) * 2)?;
        Ok::<_, crate::wire::Malformed>((code & !ANSWER, status, additional.le_u16().ok(), reader.rest()))
    };
    let Ok((code, status, extended, data)) = head() else {
        reader.rest();
        return cx.emit(Cip { service_code: octets.first().map(|code| code & !ANSWER), malformed: Some("truncated"), ..base });
    };
    // An unconnected send is answered by the service inside it, unless the send itself failed. The
    // service inside may carry the send's own number (read tag fragmented does): a success is its own.
    let (common, of) = match asked.and_then(|(common, octets)| Some((common, request(octets).ok()?))) {
        Some((common, of)) => match of.inner().filter(|_| of.code != code || matches!(status, 0 | 6)).and_then(|inner| request(inner).ok()) {
            Some(inner) => (Some(common), inner),
            None => (Some(common), of),
        },
        None => (None, Request { code, path: None, data: &[] }),
    };
    let common = common.filter(|_| of.code == code);
    let of = if of.code == code { of } else { Request { code, path: None, data: &[] } };
    let mut details = Details::default();
    let name = of.name();
    let mut fields = Reader::new(data);
    if matches!(status, 0 | 6) {
        let _ = match name {
            Some("read_tag" | "read_tag_fragmented") => fields.le_u16().map(|code| {
                details.type_code = Some(code);
                scalars(code, fields.rest(), &mut details);
            }),
            Some("forward_open" | "large_forward_open") => opened(&mut fields, &mut details.connection),
            Some("forward_close") => closed(&mut fields, &mut details.connection),
            _ => Ok(()),
        };
    }
    let identity = if name == Some("get_attributes_all") && of.class() == Some(names::IDENTITY) && status == 0 { identity(data).ok() } else { None };
    let is_packet = of.is_packet() && matches!(status, 0 | 0x1e);
    let packed = is_packet.then(|| packet(data));
    let revision = identity.as_ref().map(|identity| identity.revision.as_str());
    row(
        cx,
        &of,
        data,
        &details,
        Cip {
            request_frame: common.map(|common| common.frame),
            status_code: Some(status),
            status: names::status(status),
            extended_status_code: extended,
            extended_status: extended.filter(|_| of.class() == Some(names::CONNECTION_MANAGER)).and_then(names::extended_status),
            identity_vendor_id: identity.as_ref().map(|identity| identity.vendor),
            identity_product_name: identity.as_ref().map(|identity| identity.name.as_ref()),
            identity_serial: identity.as_ref().map(|identity| identity.serial),
            identity_revision: revision,
            key_position: identity.as_ref().and_then(|identity| identity.key),
            malformed: matches!(packed, Some(None)).then_some("msp_offsets"),
            ..base
        },
    );
    if let Some(common) = common {
        tell(cx, common, &of, &details, Some((status, extended)));
    }
    if let Some((requestor, octets)) = of.pccc(data).filter(|_| status == 0) {
        pccc::message(cx, "cip", Some(requestor), octets, common.zip(of.pccc(of.data).map(|(_, octets)| octets)));
    }
    let asked_inside = packet(of.data).filter(|_| of.is_packet()).unwrap_or_default();
    for (at, inner) in packed.flatten().unwrap_or_default().into_iter().enumerate() {
        let asked = common.zip(asked_inside.get(at).copied());
        take(cx, carrier, inner, asked, Some("multiple_service_packet"), index, depth + 1);
    }
}

fn opened(reader: &mut Reader<'_>, connection: &mut Connection) -> Wire<()> {
    connection.ids = Some((reader.le_u32()?, reader.le_u32()?));
    connection.serial = Some(reader.le_u16()?);
    connection.vendor = Some(reader.le_u16()?);
    connection.originator = Some(reader.le_u32()?);
    connection.rpis = Some((reader.le_u32()?, reader.le_u32()?));
    Ok(())
}

fn closed(reader: &mut Reader<'_>, connection: &mut Connection) -> Wire<()> {
    connection.serial = Some(reader.le_u16()?);
    connection.vendor = Some(reader.le_u16()?);
    connection.originator = Some(reader.le_u32()?);
    Ok(())
}

/// Attributes of the identity object (volume 1 section 5A-2).
struct Identity<'a> {
    vendor: u16,
    serial: u32,
    revision: String,
    name: Cow<'a, str>,
    key: Option<&'static str>,
}

fn identity(data: &[u8]) -> Wire<Identity<'_>> {
    let mut reader = Reader::new(data);
    let (vendor, device, _product) = (reader.le_u16()?, reader.le_u16()?, reader.le_u16()?);
    let revision = format!("{}.{:02}", reader.u8()?, reader.u8()?);
    let [low, high] = reader.array::<2>()?;
    let serial = reader.le_u32()?;
    let length = usize::from(reader.u8()?);
    let name = String::from_utf8_lossy(reader.take(length)?);
    // Rockwell controllers show mode and key switch in their status.
    let key = match (vendor, device, low, high & 0x30) {
        (1, 14, 0x60, 0x10) => Some("run"),
        (1, 14, 0x60, 0x30) => Some("remote_run"),
        (1, 14, 0x70, 0x20) => Some("program"),
        (1, 14, 0x70, 0x30) => Some("remote_program"),
        _ => None,
    };
    Ok(Identity { vendor, serial, revision, name, key })
}

/// Class of a request in the vocabulary of commands; `None` for reads and connections.
fn class(request: &Request<'_>) -> Option<&'static str> {
    Some(match (request.name(), request.class()) {
        (_, Some(names::FIRMWARE)) if request.code == 0x4d => "firmware",
        (Some("write_tag" | "write_tag_fragmented" | "read_modify_write_tag"), _) => "write",
        (Some("set_attributes_all" | "set_attribute_list" | "set_attribute_single"), Some(0x8b)) => "time_set",
        (Some("set_attributes_all" | "set_attribute_list" | "set_attribute_single" | "set_member"), _) => "config",
        (Some("reset"), _) => "restart",
        (Some("start"), _) => "start",
        (Some("stop"), _) => "stop",
        (Some("create"), Some(0x68..=0x6d | 0x70 | 0x72)) | (Some("initiate_download"), _) => "download",
        (Some("delete"), Some(0x68..=0x6d | 0x70 | 0x72)) | (Some("clear_file"), _) => "delete",
        (Some("initiate_upload"), _) => "upload",
        _ => return None,
    })
}

/// Values and commands of a request, when its outcome is known: general and additional status, or no answer.
fn tell(cx: &mut Cx<'_>, asked_at: &Common, request: &Request<'_>, said: &Details, status: Option<(u8, Option<u16>)>) {
    // The row belongs to the frame of the answer, as with other transactions.
    let common = if status.is_some() { Common { frame: cx.frame, ts: Some(cx.ts), ..*asked_at } } else { *asked_at };
    let outcome = match status {
        None => "no_response",
        Some((0 | 6, _)) => "ok",
        Some(_) => "refused",
    };
    let asked = details(request);
    let path = request.path.as_ref();
    let point = path.and_then(|path| path.symbol.as_deref().or(Some(path.text.as_str()))).filter(|text| !text.is_empty());
    if let Some(symbol) = path.and_then(|path| path.symbol.as_deref()) {
        values(cx, &common, asked_at, symbol, &said.numbers, said.type_code, None);
        values(cx, &common, asked_at, symbol, &asked.numbers, asked.type_code, Some(outcome));
    }
    // Who opens a connection of class 0 or 1 takes the outputs that it feeds.
    let connection = &asked.connection;
    let taken =
        connection.transport.filter(|transport| transport & 0x0f <= 1).and(connection.serial).map(|serial| format!("connection 0x{serial:04x}"));
    let Some(class) = class(request).or(taken.as_ref().map(|_| "reserve")) else { return };
    let point = taken.as_deref().or(point);
    let text = (!asked.texts.is_empty()).then(|| asked.texts.join(" ")).or_else(|| asked.reset.map(|reset| reset.to_string()));
    let fallback = format!("service_0x{:02X}", request.code);
    command(
        cx,
        &common,
        true,
        OtCommands {
            protocol: Some("cip"),
            request_frame: Some(asked_at.frame),
            response_frame: status.map(|_| common.frame),
            class: Some(class),
            command: Some(request.name().unwrap_or(&fallback)),
            command_code: Some(&format!("0x{:02X}", request.code)),
            point,
            value: text.as_deref(),
            quantity: asked.count.map(u32::from),
            is_broadcast: Some(false),
            outcome: Some(outcome),
            error: status.filter(|(status, _)| !matches!(status, 0 | 6)).and_then(|(status, _)| names::status(status)),
            latency_ms: status.and_then(|_| milliseconds(asked_at.ts, common.ts)),
            ..OtCommands::default()
        },
    );
}

fn values(cx: &mut Cx<'_>, common: &Common, asked_at: &Common, symbol: &str, numbers: &[f64], type_code: Option<u16>, outcome: Option<&str>) {
    let raw_type = type_code.and_then(names::data_type).map(|(name, _)| name);
    for (at, number) in numbers.iter().enumerate().filter(|(_, number)| number.is_finite()) {
        let point = if numbers.len() > 1 { Cow::Owned(format!("{symbol}+{at}")) } else { Cow::Borrowed(symbol) };
        value(
            cx,
            common,
            Owner::Destination,
            ProcessValues {
                source_protocol: Some("cip"),
                request_frame: Some(asked_at.frame),
                point: Some(&point),
                object_type: Some("tag"),
                direction: Some(if outcome.is_some() { "write" } else { "read" }),
                value: Some(*number),
                raw_type,
                outcome,
                ..ProcessValues::default()
            },
        );
    }
}

/// A request that nobody answered, or whose answer was not captured.
pub fn unanswered(cx: &mut Cx<'_>, asked_at: &Common, octets: &[u8]) {
    unsettled(cx, asked_at, octets, None);
}

/// A request that what carried it refused, without an answer of CIP's.
pub fn refused(cx: &mut Cx<'_>, asked_at: &Common, octets: &[u8]) {
    unsettled(cx, asked_at, octets, Some((REFUSED, None)));
}

fn unsettled(cx: &mut Cx<'_>, asked_at: &Common, octets: &[u8], status: Option<(u8, Option<u16>)>) {
    let Ok(outer) = request(octets) else { return };
    let of = match outer.inner().and_then(|inner| request(inner).ok()) {
        Some(inner) => inner,
        None => outer,
    };
    tell(cx, asked_at, &of, &Details::default(), status);
    if let Some((_, octets)) = of.pccc(of.data) {
        pccc::unanswered(cx, asked_at, octets);
    }
    for inner in packet(of.data).filter(|_| of.is_packet()).unwrap_or_default() {
        if let Ok(inner) = request(inner) {
            tell(cx, asked_at, &inner, &Details::default(), status);
        }
    }
}

/// An implicit I/O datagram.
pub fn io(cx: &mut Cx<'_>, connection: u32, sequence: u32, data_len: usize) {
    cx.emit(Cip {
        service_index: Some(0),
        enip_command: Some("io"),
        connection_id: Some(connection),
        is_io: Some(true),
        io_sequence: Some(sequence),
        data_len: u32::try_from(data_len).ok(),
        ..Cip::default()
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_inside_services() {
        // Unconnected send of a write of REAL 1.5 to tag T.
        let write = [0x4d, 2, 0x91, 1, b'T', 0, 0xca, 0, 1, 0, 0, 0, 0xc0, 0x3f];
        let mut send = vec![0x52, 2, 0x20, 6, 0x24, 1, 5, 0x9d, 14, 0];
        send.extend(write);
        let outer = request(&send).unwrap();
        assert_eq!(outer.name(), Some("unconnected_send"));
        let inner = request(outer.inner().unwrap()).unwrap();
        assert_eq!((inner.name(), class(&inner)), (Some("write_tag"), Some("write")));
        let details = details(&inner);
        assert_eq!((details.numbers, details.texts, details.count), (vec![1.5], vec![Cow::Borrowed("1.5")], Some(1)));
    }

    #[test]
    fn packets_hold_their_messages() {
        assert_eq!(packet(&[2, 0, 6, 0, 8, 0, 1, 0, 3, 0]).unwrap(), [&[1, 0][..], &[3, 0]]);
        assert_eq!(packet(&[2, 0, 6, 0, 99, 0, 1, 0]), None);
    }
}
