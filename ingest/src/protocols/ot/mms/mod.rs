//! MMS (ISO 9506) over ISO transport, session, presentation and association control; names and controls as IEC 61850-8-1 maps
//! them.

mod data;
mod iccp;
mod names;
mod service;
mod stack;

use std::borrow::Cow;
use std::collections::VecDeque;

use pcapper_schema::Common;
use pcapper_schema::tables::{Credentials, Mms, OtCommands};
use rustc_hash::{FxHashMap, FxHashSet};

use self::data::Name;
use self::service::Said;
use self::stack::{Association, Carried, Contexts, Element, Elements};
use super::cotp::{self, Assembler, Step, Tpdu, Walker};
use crate::protocols::files::{About, Follower};
use crate::protocols::ot::points::{MAX_COMMANDS, command, milliseconds};
use crate::protocols::{Cx, Dir, Group, Offer, Progress, Protocol, StreamDissector, StreamKind, Verdict, secrets};

/// ISO transport on any port whose first message opens a session for MMS, or carries MMS.
pub static PROTOCOL: Protocol = Protocol {
    name: "mms",
    group: Group::Ot,
    ports: &[102],
    stream: Some(StreamKind { probe, start: || Box::<Stream>::default() }),
    ..Protocol::NONE
};

/// Requests of one association that may wait for their answers.
const MAX_WAITING: usize = 256;
/// Control objects whose selects are remembered.
const MAX_SELECTED: usize = 1024;
/// Files of one association that are read at a time.
const MAX_FILES: usize = 8;
/// Bytes of one direction in which a probe must have found something.
const MAX_PROBED: usize = 8192;

fn probe(offer: &Offer<'_>) -> Verdict {
    let mut may_come = true;
    for bytes in offer.bytes {
        match cotp::carried(bytes) {
            cotp::Carried::Message(message @ [0x0d | 0x0e, ..]) if stack::names_mms(message) => return Verdict::Yes,
            cotp::Carried::Message([0x0d | 0x0e, ..] | [1] | [1, 0] | [1, 0, 1] | [1, 0, 1, 0] | []) | cotp::Carried::Nothing => {}
            // In the middle of an association: user data in the context that all stacks give to MMS.
            cotp::Carried::Message([1, 0, 1, 0, 0x61, rest @ ..]) => {
                let head = rest.get(..24).unwrap_or(rest);
                return if head.windows(4).any(|window| matches!(window, [2, 1, 3, 0xa0])) { Verdict::Yes } else { Verdict::No };
            }
            cotp::Carried::Message(message) if offer.usual_port && stack::is_bare(message) => return Verdict::Yes,
            cotp::Carried::Message(_) => may_come = false,
            // One end may speak badly.
            cotp::Carried::Other => may_come &= offer.usual_port && offer.bytes.iter().any(|bytes| cotp::carried(bytes) != cotp::Carried::Other),
        }
    }
    if may_come && offer.current().len() < MAX_PROBED { Verdict::More } else { Verdict::No }
}

/// A request that waits.
struct Waiting {
    common: Common,
    dir: Dir,
    invoke_id: u32,
    service: u32,
    names: Vec<Name>,
    values: Vec<String>,
    file_name: Option<String>,
    file_handle: Option<u32>,
}

impl Waiting {
    /// What the request is for: answers are counted with it.
    fn category(&self) -> &'static str {
        let action = self.names.first().and_then(|name| name.control(self.service == 5));
        if action.is_some() { "control" } else { names::category(self.service) }
    }
}

/// A file that is being read.
struct Transfer {
    follower: Follower,
    name: Option<String>,
    size: Option<u32>,
    ended: bool,
}

/// A connection.
#[derive(Default)]
struct Stream {
    contexts: Contexts,
    assemblers: [Assembler; 2],
    waiting: VecDeque<Waiting>,
    selected: FxHashSet<String>,
    files: FxHashMap<u32, Transfer>,
    centre: iccp::Centre,
    walker: Walker,
}

impl StreamDissector for Stream {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let mut used = 0;
        loop {
            let rest = bytes.get(used..).unwrap_or_default();
            match self.walker.step(cx, "mms", rest) {
                Step::Unit(unit, total) => {
                    self.unit(cx, &unit);
                    used += total;
                }
                Step::Skip(count) => used += count,
                Step::Wait => return Progress::Consumed(used),
                Step::Stop => return Progress::Stop,
            }
        }
    }

    fn gap(&mut self, cx: &mut Cx<'_>, _missing: u64) -> bool {
        self.walker.lost();
        if let Some(assembler) = self.assemblers.get_mut(cx.dir.index()) {
            assembler.lose();
        }
        for transfer in self.files.values_mut() {
            transfer.follower.lose();
        }
        true
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        for waiting in std::mem::take(&mut self.waiting) {
            tell(cx, &waiting, None);
        }
        for (_, transfer) in std::mem::take(&mut self.files) {
            finish(cx, transfer);
        }
    }
}

impl Stream {
    fn unit(&mut self, cx: &mut Cx<'_>, unit: &Tpdu<'_>) {
        let Tpdu::Data { last, payload } = *unit else { return };
        let Some(message) = self.assemblers.get_mut(cx.dir.index()).and_then(|assembler| assembler.take(last, payload)) else { return };
        for carried in stack::carried(&message, &mut self.contexts) {
            match carried {
                Carried::Mms(pdu) => self.pdu(cx, pdu, &Association::default()),
                Carried::Associated(association, pdu) => {
                    if let Some(secret) = association.auth {
                        credential(cx, secret);
                    }
                    self.pdu(cx, pdu, &association);
                }
            }
        }
    }

    fn pdu(&mut self, cx: &mut Cx<'_>, octets: &[u8], association: &Association<'_>) {
        let Some(pdu) = Elements::new(octets).next().filter(|pdu| pdu.lead & 0xc0 == 0x80) else {
            return cx.anomaly("mms", "bad_length", "a PDU that is no element");
        };
        let Some(kind) = names::pdu(pdu.number) else { return };
        let base = Mms { is_orig: Some(cx.dir == Dir::Orig), pdu_type: Some(kind), pdu_len: u32::try_from(octets.len()).ok(), ..Mms::default() };
        match pdu.number {
            0 => self.request(cx, &pdu, base),
            1 => self.answer(cx, &pdu, base),
            2 => self.error(cx, &pdu, base),
            3 => {
                if let Some(said) = unconfirmed(cx, &pdu, base) {
                    self.operation(cx, None, "information_report", None, &said.names, &said, true);
                }
            }
            4 => {
                let invoke_id = pdu.inside().find(|part| part.is_context(0)).and_then(|part| part.number32());
                let waiting = self.answered(cx, invoke_id);
                let reason = pdu.inside().find(|part| !part.is_context(0));
                let text = reason.and_then(|reason| Some(format!("{} {}", names::reject(reason.number)?, reason.number32()?)));
                emit_answered(cx, waiting.as_ref(), Mms { invoke_id, reject_reason: text.as_deref(), category: Some("other"), ..base });
                if let Some(waiting) = waiting {
                    tell(cx, &waiting, Some((&Said::default(), Some("rejected"))));
                }
            }
            8 | 9 => {
                let max_pdu = pdu.inside().find(|part| part.is_context(0)).and_then(|part| part.number32());
                let secret = association.auth.map(String::from_utf8_lossy);
                cx.emit(Mms {
                    category: Some("association"),
                    max_pdu,
                    ap_title: association.ap_title.as_deref(),
                    auth_present: Some(association.has_auth),
                    auth_value: secret.as_deref(),
                    ..base
                });
            }
            5 | 6 => cx.emit(Mms { invoke_id: pdu.number32(), category: Some("other"), ..base }),
            10..=13 => cx.emit(Mms { category: Some("association"), ..base }),
            _ => cx.emit(Mms { category: Some("other"), ..base }),
        }
    }

    /// Takes the request that this answers.
    fn answered(&mut self, cx: &Cx<'_>, invoke_id: Option<u32>) -> Option<Waiting> {
        let at = self.waiting.iter().position(|waiting| Some(waiting.invoke_id) == invoke_id && waiting.dir != cx.dir)?;
        self.waiting.remove(at)
    }

    fn request(&mut self, cx: &mut Cx<'_>, pdu: &Element<'_>, base: Mms<'_>) {
        let mut parts = pdu.inside();
        let invoke_id = parts.next().and_then(|part| part.number32());
        // A list of modifiers may stand before the service.
        let Some(service) = parts.find(|part| part.lead & 0xc0 == 0x80) else {
            return cx.emit(Mms { invoke_id, ..base });
        };
        let said = service::request(&service);
        let action = said.names.first().and_then(|name| name.control(service.number == 5));
        let controlled = said.names.first().filter(|_| action.is_some()).map(Name::controlled);
        let model = match (action, &controlled) {
            (Some("select" | "select_with_value"), _) => Some("sbo"),
            (Some("operate"), Some(object)) if self.selected.contains(object) => Some("sbo"),
            (Some("operate"), _) => Some("direct"),
            _ => None,
        };
        if let (Some("select" | "select_with_value"), Some(object)) = (action, controlled)
            && self.selected.len() < MAX_SELECTED
        {
            self.selected.insert(object);
        }
        let base = Mms {
            invoke_id,
            service_code: Some(service.number),
            service: names::service(service.number),
            category: Some(if action.is_some() { "control" } else { names::category(service.number) }),
            control_action: action,
            control_model: model,
            ..base
        };
        emit(cx, &said, base);
        if let Some(name) = names::service(service.number) {
            self.operation(cx, invoke_id, name, None, &said.names, &said, true);
        }
        if let Some(invoke_id) = invoke_id {
            if self.waiting.len() >= MAX_WAITING
                && let Some(waiting) = self.waiting.pop_front()
            {
                tell(cx, &waiting, None);
            }
            let Said { names, values, file_name, file_handle, control, .. } = said;
            let values = if service.number == 5 { values } else { Vec::new() };
            self.waiting.push_back(Waiting {
                common: cx.common(cx.dir),
                dir: cx.dir,
                invoke_id,
                service: service.number,
                names,
                values: control.value.map_or(values, |value| vec![value]),
                file_name,
                file_handle,
            });
        }
    }

    fn answer(&mut self, cx: &mut Cx<'_>, pdu: &Element<'_>, base: Mms<'_>) {
        let mut parts = pdu.inside();
        let invoke_id = parts.next().and_then(|part| part.number32());
        let waiting = self.answered(cx, invoke_id);
        let Some(service) = parts.next() else {
            return emit_answered(cx, waiting.as_ref(), Mms { invoke_id, ..base });
        };
        let said = service::answer(&service);
        let errors: Vec<Cow<'_, str>> = said.access_errors.iter().map(|name| Cow::Borrowed(*name)).collect();
        let base = Mms {
            invoke_id,
            service_code: Some(service.number),
            service: names::service(service.number),
            category: Some(waiting.as_ref().map_or_else(|| names::category(service.number), Waiting::category)),
            access_errors: (!errors.is_empty()).then_some(&errors),
            request_frame: waiting.as_ref().map(|waiting| waiting.common.frame),
            ..base
        };
        emit(cx, &said, base);
        if let Some(waiting) = waiting {
            if let Some(name) = names::service(service.number) {
                self.operation(cx, invoke_id, name, Some(waiting.common.frame), &waiting.names, &said, false);
            }
            self.file(cx, &waiting, &said);
            tell(cx, &waiting, Some((&said, None)));
        }
    }

    /// The same PDU as an operation of a control centre.
    #[allow(clippy::too_many_arguments)]
    fn operation(
        &mut self,
        cx: &mut Cx<'_>,
        invoke_id: Option<u32>,
        service: &'static str,
        request_frame: Option<u64>,
        names: &[Name],
        said: &Said<'_>,
        is_request: bool,
    ) {
        let error = said.access_errors.first().copied();
        self.centre.take(cx, &iccp::Pdu { invoke_id, is_request, service, request_frame, names, said, error });
    }

    fn error(&mut self, cx: &mut Cx<'_>, pdu: &Element<'_>, base: Mms<'_>) {
        let invoke_id = pdu.inside().find(|part| part.is_context(0)).and_then(|part| part.number32());
        let waiting = self.answered(cx, invoke_id);
        let class = pdu.inside().find(|part| part.is_context(2)).and_then(|error| error.inside().next()).and_then(|class| class.inside().next());
        let name = class.and_then(|class| names::error_class(class.number));
        let code = class.and_then(|class| class.number32());
        let error = class.zip(code).and_then(|(class, code)| names::error_code(class.number, code));
        let base = Mms { invoke_id, error_class: name, error_code: code, error, ..base };
        emit_answered(cx, waiting.as_ref(), base);
        if let Some(waiting) = waiting {
            tell(cx, &waiting, Some((&Said::default(), error.or(name).or(Some("error")))));
        }
    }

    /// Follows the content of files: opened, read piece by piece, closed.
    fn file(&mut self, cx: &mut Cx<'_>, request: &Waiting, said: &Said<'_>) {
        match (request.service, request.file_handle, said.file_handle) {
            (72, _, Some(handle)) if self.files.len() < MAX_FILES => {
                let transfer = Transfer { follower: Follower::default(), name: request.file_name.clone(), size: said.file_size, ended: false };
                self.files.insert(handle, transfer);
            }
            (73, Some(handle), _) => {
                if let (Some(transfer), Some(content)) = (self.files.get_mut(&handle), said.content) {
                    transfer.follower.push(content);
                    transfer.ended = said.more_follows == Some(false);
                }
            }
            (74, Some(handle), _) => {
                if let Some(transfer) = self.files.remove(&handle) {
                    finish(cx, transfer);
                }
            }
            _ => {}
        }
    }
}

/// A file was closed: the server sent it.
fn finish(cx: &mut Cx<'_>, transfer: Transfer) {
    if transfer.follower.bytes() > 0 {
        let about = About { source: "mms", filename: transfer.name.as_deref(), total_bytes: transfer.size.map(u64::from), ..About::default() };
        let common = cx.common(cx.dir);
        transfer.follower.finish_as(cx, &common, "download", about, transfer.ended);
    }
}

/// Writes the row of an unconfirmed PDU; gives what an information report says.
fn unconfirmed<'a>(cx: &mut Cx<'_>, pdu: &Element<'a>, base: Mms<'_>) -> Option<Said<'a>> {
    let Some(service) = pdu.inside().next() else {
        cx.emit(base);
        return None;
    };
    let name = match service.number {
        0 => Some("information_report"),
        1 => Some("unsolicited_status"),
        2 => Some("event_notification"),
        _ => None,
    };
    let said = if service.number == 0 { service::report(&service) } else { Said::default() };
    let errors: Vec<Cow<'_, str>> = said.access_errors.iter().map(|name| Cow::Borrowed(*name)).collect();
    emit(cx, &said, Mms { service: name, category: Some("report"), access_errors: (!errors.is_empty()).then_some(&errors), ..base });
    (service.number == 0).then_some(said)
}

/// An answer that says no more than which request it belongs to.
fn emit_answered(cx: &mut Cx<'_>, waiting: Option<&Waiting>, row: Mms<'_>) {
    cx.emit(Mms {
        service_code: waiting.map(|waiting| waiting.service),
        service: waiting.and_then(|waiting| names::service(waiting.service)),
        category: row.category.or(waiting.map(Waiting::category)),
        request_frame: waiting.map(|waiting| waiting.common.frame),
        ..row
    });
}

fn emit(cx: &mut Cx<'_>, said: &Said<'_>, base: Mms<'_>) {
    let list = |texts: &[String]| texts.iter().map(|text| Cow::Owned(text.clone())).collect::<Vec<Cow<'static, str>>>();
    let points: Vec<Cow<'static, str>> = said.names.iter().filter(|name| !name.item.is_empty()).map(|name| Cow::Owned(name.whole())).collect();
    let (values, listed) = (list(&said.values), list(&said.listed));
    let first = said.names.first();
    cx.emit(Mms {
        domain: first.and_then(|name| name.domain.as_deref()),
        item: first.map(|name| name.item.as_str()).filter(|item| !item.is_empty()),
        points: (!points.is_empty()).then_some(&points),
        functional_constraint: first.and_then(Name::constraint),
        ctl_value: said.control.value.as_deref(),
        originator_category: said.control.category,
        originator_ident: said.control.ident.as_deref(),
        ctl_num: said.control.number,
        test: said.control.test,
        values: (!values.is_empty()).then_some(&values),
        report_id: said.report.id.as_deref(),
        report_dataset: said.report.dataset.as_deref(),
        report_sequence: said.report.sequence,
        object_class: said.object_class,
        names: (!listed.is_empty()).then_some(&listed),
        more_follows: said.more_follows,
        vendor: said.vendor.as_deref(),
        model: said.model.as_deref(),
        revision: said.revision.as_deref(),
        file_name: said.file_name.as_deref(),
        file_size: said.file_size,
        vmd_logical_status: said.logical,
        vmd_physical_status: said.physical,
        ..base
    });
}

/// Class of a request in the vocabulary of commands; `None` for reads and housekeeping.
fn class(service: u32, name: Option<&Name>) -> Option<&'static str> {
    let action = name.and_then(|name| name.control(service == 5));
    Some(match (service, action, name.and_then(Name::constraint)) {
        (4, Some("select"), _) | (5, Some("select_with_value"), _) => "select",
        (5, Some("operate"), _) => "operate",
        (5, Some("cancel"), _) => "cancel",
        (5, _, Some("SP" | "SE" | "CF" | "DC")) => "setpoint",
        (5, _, Some("BR" | "RP")) => "subscribe",
        (5, ..) => "write",
        (26, ..) | (32 | 34 | 46, ..) => "download",
        (29, ..) | (33 | 35 | 72, ..) => "upload",
        (36 | 39 | 76, ..) => "delete",
        (38 | 75, ..) => "config",
        (40 | 42, ..) => "start",
        (41 | 44, ..) => "stop",
        (43, ..) => "restart",
        _ => return None,
    })
}

/// The commands of a request, when their outcome is known; `answer`: what was said, and the error that took its place.
fn tell(cx: &mut Cx<'_>, request: &Waiting, answer: Option<(&Said<'_>, Option<&'static str>)>) {
    let Some(class) = class(request.service, request.names.first()) else { return };
    // The row belongs to the frame of the answer, as with other transactions.
    let common = if answer.is_some() { Common { frame: cx.frame, ts: Some(cx.ts), ..request.common } } else { request.common };
    let (error, outcome) = match answer {
        None => (None, "no_response"),
        Some((said, error)) => match error.or(said.access_errors.first().copied()) {
            Some(error) => (Some(error), "refused"),
            // A select that reads an empty name was not granted.
            None if class == "select" && request.service == 4 && said.values.first().is_some_and(String::is_empty) => (None, "refused"),
            None => (None, "ok"),
        },
    };
    let shown = if request.names.len() > MAX_COMMANDS { 1 } else { request.names.len() };
    let code = format!("0x{:02X}", request.service);
    let row = |point: Option<&str>, domain: Option<&str>, name: Option<&str>, value: Option<&str>, quantity: usize, cx: &mut Cx<'_>| {
        command(
            cx,
            &common,
            true,
            OtCommands {
                protocol: Some("mms"),
                request_frame: Some(request.common.frame),
                response_frame: answer.map(|_| common.frame),
                target_unit: domain,
                class: Some(class),
                command: name.or_else(|| names::service(request.service)),
                command_code: Some(&code),
                point,
                value,
                quantity: u32::try_from(quantity).ok(),
                is_broadcast: Some(false),
                outcome: Some(outcome),
                error,
                latency_ms: answer.and_then(|_| milliseconds(request.common.ts, common.ts)),
                ..OtCommands::default()
            },
        );
    };
    if request.names.is_empty() {
        return row(request.file_name.as_deref(), None, None, None, 1, cx);
    }
    for (at, name) in request.names.iter().take(shown).enumerate() {
        let action = name.control(request.service == 5);
        let quantity = if shown == request.names.len() { 1 } else { request.names.len() };
        row(Some(&name.whole()), name.domain.as_deref(), action, request.values.get(at).map(String::as_str), quantity, cx);
    }
}

/// A password in the association.
fn credential(cx: &mut Cx<'_>, octets: &[u8]) {
    let secret = String::from_utf8_lossy(octets);
    let id = secrets::id(octets);
    cx.emit(Credentials {
        protocol: Some("mms"),
        kind: Some("password"),
        secret: Some(&secret),
        secret_id: id.as_deref(),
        secret_length: u32::try_from(secret.chars().count()).ok(),
        encrypted: Some(cx.is_decrypted()),
        outcome: Some("unknown"),
        field: Some("authentication value of the association"),
        ..Credentials::default()
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_look_for_mms() {
        let offer = |orig: &'static [u8]| Offer {
            bytes: [orig, &[]],
            dir: Dir::Orig,
            ports: [Some(40000), Some(102)],
            usual_port: true,
            src: None,
            dst: None,
        };
        let data: &[u8] = &[3, 0, 0, 22, 2, 0xf0, 0x80, 1, 0, 1, 0, 0x61, 9, 0x30, 7, 2, 1, 3, 0xa0, 2, 0xa1, 0];
        assert_eq!(probe(&offer(data)), Verdict::Yes);
        assert_eq!(probe(&offer(&[3, 0, 0, 11, 6, 0xe0, 0, 0, 0, 1, 0])), Verdict::More);
        assert_eq!(probe(&offer(&[3, 0, 0, 25, 2, 0xf0, 0x80, 0x32, 1])), Verdict::No);
    }

    #[test]
    fn classes_follow_the_functional_constraint() {
        let name = |item: &str| Name { domain: Some("LD0".into()), item: item.into() };
        assert_eq!(class(5, Some(&name("XCBR1$CO$Pos$Oper"))), Some("operate"));
        assert_eq!(class(5, Some(&name("LLN0$SP$x"))), Some("setpoint"));
        assert_eq!(class(5, Some(&name("LLN0$RP$urcb"))), Some("subscribe"));
        assert_eq!(class(4, Some(&name("LLN0$ST$x"))), None);
    }
}
