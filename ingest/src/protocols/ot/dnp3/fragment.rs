//! Application fragments (IEEE 1815-2012 clause 4): rows, and answers that find their requests.

use std::borrow::Cow;
use std::collections::VecDeque;

use pcapper_schema::Common;
use pcapper_schema::tables::{Credentials, Dnp3, Dnp3Objects, ProcessValues};
use rustc_hash::FxHashMap;

use super::link::Header;
use super::objects::{self, File, Objects, Point};
use super::{names, orders};
use crate::protocols::files::{About, Follower};
use crate::protocols::ot::points::{Owner, milliseconds, value};
use crate::protocols::{Cx, secrets};
use crate::wire::Reader;

/// Requests of one flow that may wait for their answers.
const MAX_WAITING: usize = 64;
/// Selects that an operate may still follow.
const MAX_SELECTS: usize = 256;
/// How long a select holds (clause 4.4.3 leaves it to the device; 10 s is usual).
const SELECT_TIMEOUT: i64 = 10_000_000_000;
/// How long a request waits for its answer when its sequence is used again.
const PATIENCE: i64 = 5_000_000_000;
/// Files of one flow that are followed at a time.
const MAX_FILES: usize = 8;

/// A request that waits.
pub struct Waiting {
    pub common: Common,
    pub header: Header,
    sequence: u8,
    pub function: u8,
    /// What stands behind the function code.
    pub octets: Vec<u8>,
}

/// A point that was selected.
struct Select {
    header: Header,
    index: Option<u32>,
    object: (u8, u8),
    octets: Vec<u8>,
    frame: u64,
    ts: i64,
}

/// A file whose blocks are being read or written.
struct Transfer {
    follower: Follower,
    name: Option<String>,
    size: Option<u64>,
    next: u32,
    is_written: bool,
}

/// Application state of one flow.
#[derive(Default)]
pub struct Fragments {
    waiting: VecDeque<Waiting>,
    selects: VecDeque<Select>,
    files: FxHashMap<u32, Transfer>,
    /// Name and mode of the file that was asked to be opened last.
    opening: Option<(Option<String>, u16, Option<u32>)>,
}

impl Fragments {
    /// Takes a whole fragment; `base` holds the columns of the link.
    pub fn take(&mut self, cx: &mut Cx<'_>, header: &Header, base: Dnp3<'_>, octets: &[u8]) {
        let mut reader = Reader::new(octets);
        let app_len = u32::try_from(octets.len()).ok();
        let (Ok(control), Ok(function)) = (reader.u8(), reader.u8()) else {
            return cx.emit(Dnp3 { malformed: Some("truncated"), app_len, ..base });
        };
        let is_request = function < 128;
        let iin = if is_request { None } else { reader.be_u16().ok() };
        let body = reader.rest();
        let objects = objects::read(function, body);
        let malformed = if !is_request && iin.is_none() { Some("truncated") } else { objects.fault };
        let sequence = control & 0x0f;
        let request = if is_request { None } else { self.answered(header, sequence, control & 0x10 != 0) };
        let common = cx.common(cx.dir);
        let groups: Vec<Cow<'_, str>> = objects.headers.iter().map(|header| Cow::Owned(format!("{}.{}", header.group, header.variation))).collect();
        let iin_names = iin.map(names::indications).unwrap_or_default();
        let file = files(&objects);
        let auth = objects.headers.iter().find(|header| header.group == 120).map(|header| header.variation);
        let time_set = (function == 2).then(|| first(&objects, 50)).flatten().and_then(|point| nanoseconds(point.time));
        cx.emit(Dnp3 {
            function_code: Some(function),
            function: names::function(function),
            category: Some(names::category(function)),
            is_request: Some(is_request),
            app_sequence: Some(sequence),
            first: Some(control & 0x80 != 0),
            r#final: Some(control & 0x40 != 0),
            confirm_requested: Some(control & 0x20 != 0),
            unsolicited: Some(control & 0x10 != 0),
            request_frame: request.as_ref().map(|request| request.common.frame),
            response_time_ms: request.as_ref().and_then(|request| milliseconds(request.common.ts, common.ts)),
            iin,
            iin_names: (!iin_names.is_empty()).then_some(&iin_names),
            object_count: u16::try_from(objects.headers.len()).ok(),
            groups: (!groups.is_empty()).then_some(&groups),
            file_name: file.name.as_deref(),
            file_mode: file.mode.and_then(names::file_mode),
            file_handle: file.handle,
            file_size_bytes: file.size,
            file_block: file.block,
            file_last_block: file.last,
            file_status: file.status.and_then(names::file_status),
            file_auth_key: file.key,
            auth_user: first(&objects, 120).and_then(|point| auth_user(auth.unwrap_or_default(), point.octets)),
            auth_kind: auth.and_then(names::auth_kind),
            time_set,
            malformed,
            app_len,
            ..base
        });
        self.rows(cx, header, function, &objects);
        if is_request {
            self.request(cx, &common, header, sequence, function, body, &objects);
        } else {
            report(cx, &common, header, function, request.as_ref(), &objects);
            if let Some(request) = &request {
                orders::tell(cx, request, Some((&common, &objects, iin)));
            }
        }
        self.follow(cx, function, &file);
        if let Some(password) = &file.password {
            credential(cx, &file, password);
        }
    }

    /// The flow ends: nobody will answer any more.
    pub fn close(&mut self, cx: &mut Cx<'_>) {
        for waiting in std::mem::take(&mut self.waiting) {
            orders::tell(cx, &waiting, None);
        }
        for (_, transfer) in std::mem::take(&mut self.files) {
            finish(cx, transfer, false);
        }
    }

    /// The request that this answers.
    fn answered(&mut self, header: &Header, sequence: u8, unsolicited: bool) -> Option<Waiting> {
        if unsolicited {
            return None;
        }
        let at = self.waiting.iter().position(|waiting| {
            waiting.sequence == sequence && waiting.header.source == header.destination && waiting.header.destination == header.source
        })?;
        self.waiting.remove(at)
    }

    #[allow(clippy::too_many_arguments)]
    fn request(&mut self, cx: &mut Cx<'_>, common: &Common, header: &Header, sequence: u8, function: u8, body: &[u8], objects: &Objects<'_>) {
        if function == 0 {
            return;
        }
        if function == 3 {
            for point in &objects.points {
                let Some(of) = objects.headers.get(point.header) else { continue };
                if self.selects.len() >= MAX_SELECTS {
                    self.selects.pop_front();
                }
                let (object, octets) = ((of.group, of.variation), point.octets.to_vec());
                self.selects.push_back(Select { header: *header, index: point.index, object, octets, frame: cx.frame, ts: cx.ts });
            }
        }
        let waiting = Waiting { common: *common, header: *header, sequence, function, octets: body.to_vec() };
        if header.is_broadcast() || names::is_unanswered(function) {
            orders::tell(cx, &waiting, None);
            return;
        }
        let same =
            |other: &Waiting| other.sequence == sequence && other.header.source == header.source && other.header.destination == header.destination;
        if self.waiting.iter().any(|other| same(other) && other.function == function && other.octets == body) {
            // Sent again.
            return;
        }
        // Some masters do not wait for answers, which then come in order; what waits for long will not be answered.
        let overdue = self.waiting.iter().position(|other| same(other) && cx.ts.saturating_sub(other.common.ts.unwrap_or(cx.ts)) > PATIENCE);
        let overdue = overdue.or((self.waiting.len() >= MAX_WAITING).then_some(0));
        if let Some(other) = overdue.and_then(|at| self.waiting.remove(at)) {
            orders::tell(cx, &other, None);
        }
        self.waiting.push_back(waiting);
    }

    fn rows(&self, cx: &mut Cx<'_>, header: &Header, function: u8, objects: &Objects<'_>) {
        for point in &objects.points {
            let Some(of) = objects.headers.get(point.header) else { continue };
            let flag_names = point.flags.map(|flags| names::flags(of.group, flags)).unwrap_or_default();
            let select = (function == 4).then(|| self.select_of(cx, header, (of.group, of.variation), point)).flatten();
            cx.emit(Dnp3Objects {
                function_code: Some(function),
                function: names::function(function),
                direction: Some(if header.is_from_master() { "from_master" } else { "from_outstation" }),
                link_source: Some(header.source),
                link_destination: Some(header.destination),
                object_index: u16::try_from(point.header).ok(),
                group: Some(of.group),
                variation: Some(of.variation),
                object: Some(&format!("{}.{}", of.group, of.variation)),
                object_type: names::group(of.group),
                qualifier: Some(of.qualifier),
                range_low: of.low,
                range_high: of.high,
                count: of.count,
                index_number: point.index,
                value: point.value,
                value_text: point.text.as_deref(),
                flags: point.flags,
                flag_names: (!flag_names.is_empty()).then_some(&flag_names),
                event_time: nanoseconds(point.time),
                crob_operation: point.crob.and_then(|crob| names::operation(crob.code)),
                trip_control_code: point.crob.and_then(|crob| names::trip_close(crob.code)),
                crob_clear: point.crob.map(|crob| crob.code & 0x20 != 0),
                execute_count: point.crob.map(|crob| crob.count),
                on_time_ms: point.crob.map(|crob| crob.on_ms),
                off_time_ms: point.crob.map(|crob| crob.off_ms),
                status_code: point.status,
                status: point.status.and_then(names::status),
                select_frame: select,
            });
        }
    }

    /// Frame of the select that an operate repeats octet for octet.
    fn select_of(&self, cx: &Cx<'_>, header: &Header, object: (u8, u8), point: &Point<'_>) -> Option<u64> {
        let found = self.selects.iter().rev().find(|select| {
            select.header.source == header.source
                && select.header.destination == header.destination
                && select.index == point.index
                && select.object == object
                && select.octets == point.octets
                && cx.ts.saturating_sub(select.ts) <= SELECT_TIMEOUT
        });
        found.map(|select| select.frame)
    }

    /// Follows the content of files: opened, blocks in order, closed.
    fn follow(&mut self, cx: &mut Cx<'_>, function: u8, file: &File<'_>) {
        match function {
            25 => self.opening = file.mode.map(|mode| (file.name.as_deref().map(str::to_owned), mode, file.size)),
            129 => {
                if let (Some(handle @ 1..), Some(0), None, Some((name, mode, size))) = (file.handle, file.status, file.block, self.opening.take()) {
                    if self.files.len() >= MAX_FILES {
                        return;
                    }
                    let is_written = mode != 1;
                    let size = if is_written { size } else { file.size }.map(u64::from).filter(|size| *size > 0 && *size < u64::from(u32::MAX));
                    self.files.insert(handle, Transfer { follower: Follower::default(), name, size, next: 0, is_written });
                }
            }
            _ => {}
        }
        if let (Some(handle), Some(block), Some(content)) = (file.handle, file.block, file.content) {
            let Some(transfer) = self.files.get_mut(&handle) else { return };
            if block < transfer.next || transfer.is_written != (function == 2) {
                return;
            }
            if block > transfer.next {
                transfer.follower.lose();
            }
            transfer.follower.push(content);
            transfer.next = block.saturating_add(1);
            if file.last == Some(true)
                && let Some(transfer) = self.files.remove(&handle)
            {
                finish(cx, transfer, true);
            }
        }
    }
}

/// A file ends; the frame at hand brought its last block, where it ended well.
fn finish(cx: &mut Cx<'_>, transfer: Transfer, ended: bool) {
    if transfer.follower.bytes() == 0 {
        return;
    }
    let about = About { source: "dnp3", filename: transfer.name.as_deref(), total_bytes: transfer.size, ..About::default() };
    let common = cx.common(cx.dir);
    transfer.follower.finish_as(cx, &common, if transfer.is_written { "upload" } else { "download" }, about, ended);
}

pub fn nanoseconds(milliseconds: Option<u64>) -> Option<i64> {
    i64::try_from(milliseconds?).ok()?.checked_mul(1_000_000)
}

fn first<'a, 'b>(objects: &'b Objects<'a>, group: u8) -> Option<&'b Point<'a>> {
    objects.points.iter().find(|point| objects.headers.get(point.header).is_some_and(|header| header.group == group))
}

/// User number of a security object: behind the sequence, where there is one.
fn auth_user(variation: u8, octets: &[u8]) -> Option<u16> {
    let mut reader = Reader::new(octets);
    match variation {
        1 | 2 | 3 | 5 | 6 | 7 => reader.skip(4).ok()?,
        4 => {}
        _ => return None,
    }
    reader.le_u16().ok()
}

/// What all file objects of a fragment say together.
fn files<'a>(objects: &Objects<'a>) -> File<'a> {
    let mut all = File::default();
    for point in &objects.points {
        let Some(header) = objects.headers.get(point.header).filter(|header| header.group == 70 && !point.octets.is_empty()) else { continue };
        let Ok(file) = objects::file(header.variation, point.octets) else { continue };
        all = File {
            name: all.name.or(file.name),
            mode: all.mode.or(file.mode),
            handle: all.handle.or(file.handle),
            size: all.size.or(file.size),
            block: all.block.or(file.block),
            last: all.last.or(file.last),
            status: all.status.or(file.status),
            key: all.key.or(file.key),
            content: all.content.or(file.content),
            user: all.user.or(file.user),
            password: all.password.or(file.password),
        };
    }
    all
}

fn credential(cx: &mut Cx<'_>, file: &File<'_>, password: &str) {
    let id = secrets::id(password.as_bytes());
    cx.emit(Credentials {
        protocol: Some("dnp3"),
        kind: Some("password"),
        username: file.user.as_deref(),
        secret: Some(password),
        secret_id: id.as_deref(),
        secret_length: u32::try_from(password.chars().count()).ok(),
        encrypted: Some(false),
        outcome: Some("unknown"),
        field: Some("file authentication"),
        ..Credentials::default()
    });
}

/// What an outstation tells of its process.
fn report(cx: &mut Cx<'_>, common: &Common, header: &Header, function: u8, request: Option<&Waiting>, objects: &Objects<'_>) {
    if header.is_from_master() || objects.fault.is_some() {
        return;
    }
    let unit = header.source.to_string();
    for point in &objects.points {
        let (Some(of), Some(index), Some(number)) = (objects.headers.get(point.header), point.index, point.value) else { continue };
        // Inputs, outputs and counters; not attributes, indications or the echo of a command.
        if !matches!(of.group, 1..=4 | 10 | 11 | 20..=23 | 30..=33 | 40 | 42) {
            continue;
        }
        let quality = point.flags.map(|flags| quality(of.group, flags));
        value(
            cx,
            common,
            Owner::Source,
            ProcessValues {
                source_protocol: Some("dnp3"),
                request_frame: request.map(|request| request.common.frame),
                unit_id: Some(&unit),
                point: Some(&format!("{}.{}[{index}]", of.group, of.variation)),
                object_type: names::group(of.group),
                direction: Some(if function == 130 { "report" } else { "read" }),
                value: Some(number),
                raw_type: Some(orders::raw_type(of.group, of.variation)),
                quality: quality.as_deref(),
                source_time: nanoseconds(point.time),
                ..ProcessValues::default()
            },
        );
    }
}

/// `good`, or what stands against it.
fn quality(group: u8, flags: u8) -> Cow<'static, str> {
    let doubts: Vec<Cow<'static, str>> = names::flags(group, flags & !1);
    match (flags & 1 != 0, doubts.is_empty()) {
        (true, true) => Cow::Borrowed("good"),
        (true, false) => Cow::Owned(format!("uncertain: {}", doubts.join(", "))),
        (false, true) => Cow::Borrowed("bad: offline"),
        (false, false) => Cow::Owned(format!("bad: offline, {}", doubts.join(", "))),
    }
}
