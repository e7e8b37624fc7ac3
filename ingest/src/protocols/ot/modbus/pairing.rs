//! Requests meet their answers, and rows are written.

use std::collections::VecDeque;

use pcapper_schema::Common;
use pcapper_schema::tables::Modbus;

use super::mbap::Header;
use super::umas::{Message, Umas90};
use super::{PORT, function, pdu, points};
use crate::protocols::{Cx, Dir};

/// Requests of one flow that may wait for their answers.
const MAX_OUTSTANDING: usize = 256;

/// One message, whatever it was wrapped in.
#[derive(Clone, Copy)]
pub struct Adu<'a> {
    framing: &'static str,
    /// RTU frames have none of these.
    header: Option<Header>,
    unit: u8,
    pdu: &'a [u8],
    /// What is wrong with the wrapping.
    fault: pdu::Fault,
}

impl<'a> Adu<'a> {
    /// A message behind an MBAP header.
    pub fn mbap(framing: &'static str, header: Header, pdu: &'a [u8], fault: pdu::Fault) -> Self {
        Self { framing, header: Some(header), unit: header.unit, pdu, fault }
    }

    /// A message in an RTU frame.
    pub fn rtu(framing: &'static str, unit: u8, pdu: &'a [u8], fault: pdu::Fault) -> Self {
        Self { framing, header: None, unit, pdu, fault }
    }

    fn tid(&self) -> Option<u16> {
        self.header.map(|header| header.tid)
    }

    /// Function code without the exception bit.
    fn code(&self) -> u8 {
        self.pdu.first().map_or(0, |code| code & !pdu::EXCEPTION)
    }
}

/// A request that waits; `message.pdu` is empty, the octets are in `pdu`.
struct Waiting {
    common: Common,
    message: Adu<'static>,
    code: u8,
    pdu: Vec<u8>,
}

impl Waiting {
    fn whole(&self) -> Adu<'_> {
        Adu { pdu: &self.pdu, ..self.message }
    }
}

/// State of one flow.
#[derive(Default)]
pub struct Pairing {
    client: Option<Dir>,
    /// The client is known by port or by a message that only it can have sent.
    is_certain: bool,
    waiting: VecDeque<Waiting>,
    /// Buffers of answered requests, for the next ones.
    spare: Vec<Vec<u8>>,
    writer: Writer,
}

impl Pairing {
    /// Whether the sender of the bytes at hand is the server; `None` if that is not known yet.
    pub fn is_answer(&self, cx: &Cx<'_>) -> Option<bool> {
        self.client.filter(|_| self.is_certain).map(|client| client != cx.dir)
    }

    /// Takes one message from `cx.dir`.
    pub fn message(&mut self, cx: &mut Cx<'_>, adu: &Adu<'_>) {
        let client = self.client(cx, adu.pdu);
        if cx.dir == client {
            self.request(cx, adu);
        } else {
            self.answer(cx, client, adu);
        }
    }

    /// The flow ends: nobody will answer any more.
    pub fn close(&mut self, cx: &mut Cx<'_>) {
        while let Some(waiting) = self.waiting.pop_front() {
            self.unanswered(cx, waiting);
        }
        self.writer.umas.close(cx);
    }

    /// Who the client is: not who listens on port 502; else who sends what only a client can; else who spoke first.
    fn client(&mut self, cx: &mut Cx<'_>, pdu: &[u8]) -> Dir {
        if let Some(client) = self.client.filter(|_| self.is_certain) {
            return client;
        }
        let [orig, resp] = &cx.ends;
        let evidence = match (orig.port == Some(PORT), resp.port == Some(PORT)) {
            (true, false) => Some(Dir::Resp),
            (false, true) => Some(Dir::Orig),
            _ => match (pdu::is_request(pdu), pdu::is_answer(pdu)) {
                (true, false) => Some(cx.dir),
                (false, true) => Some(cx.dir.reverse()),
                _ => None,
            },
        };
        self.is_certain = evidence.is_some();
        let client = evidence.or(self.client).unwrap_or(cx.dir);
        if self.client.is_some_and(|assumed| assumed != client) {
            // What was taken for requests were answers.
            while let Some(waiting) = self.waiting.pop_front() {
                let Common { src_ip, dst_ip, src_port, dst_port, src_mac, dst_mac, .. } = waiting.common;
                let turned = Common {
                    src_ip: dst_ip,
                    dst_ip: src_ip,
                    src_port: dst_port,
                    dst_port: src_port,
                    src_mac: dst_mac,
                    dst_mac: src_mac,
                    ..waiting.common
                };
                self.writer.row(cx, &turned, None, Some(&waiting.whole()));
                self.recycle(waiting);
            }
        }
        self.client = Some(client);
        client
    }

    fn request(&mut self, cx: &mut Cx<'_>, adu: &Adu<'_>) {
        // A transaction is named by its id, on a serial line by the unit.
        let reused = self.waiting.iter().position(|waiting| match adu.tid() {
            Some(tid) => waiting.message.tid() == Some(tid),
            None => waiting.message.tid().is_none() && waiting.message.unit == adu.unit,
        });
        let overdue = reused.or((self.waiting.len() >= MAX_OUTSTANDING).then_some(0));
        if let Some(waiting) = overdue.and_then(|at| self.waiting.remove(at)) {
            self.unanswered(cx, waiting);
        }
        let mut pdu = self.spare.pop().unwrap_or_default();
        pdu.clear();
        pdu.extend_from_slice(adu.pdu);
        let message = Adu { framing: adu.framing, header: adu.header, unit: adu.unit, pdu: &[], fault: adu.fault };
        self.waiting.push_back(Waiting { common: cx.common(cx.dir), message, code: adu.code(), pdu });
    }

    fn answer(&mut self, cx: &mut Cx<'_>, client: Dir, adu: &Adu<'_>) {
        let fits = |waiting: &Waiting| waiting.message.tid() == adu.tid() && waiting.code == adu.code();
        // Units 0 and 255 mean the device itself, which may answer by its own number.
        let at = self
            .waiting
            .iter()
            .position(|waiting| fits(waiting) && waiting.message.unit == adu.unit)
            .or_else(|| self.waiting.iter().position(|waiting| fits(waiting) && adu.header.is_some() && matches!(waiting.message.unit, 0 | 255)));
        let request = at.and_then(|at| self.waiting.remove(at));
        let common = cx.common(client);
        self.writer.row(cx, &common, request.as_ref(), Some(adu));
        if let Some(request) = request {
            self.recycle(request);
        }
    }

    fn unanswered(&mut self, cx: &mut Cx<'_>, waiting: Waiting) {
        self.writer.row(cx, &waiting.common, Some(&waiting), None);
        self.recycle(waiting);
    }

    fn recycle(&mut self, waiting: Waiting) {
        if self.spare.len() < 8 {
            self.spare.push(waiting.pdu);
        }
    }
}

fn umas_message<'a>(adu: &Adu<'a>) -> Message<'a> {
    Message { tid: adu.tid(), unit: adu.unit, octets: adu.pdu.get(1..).unwrap_or_default() }
}

/// Buffers for the cells of one row.
#[derive(Default)]
struct Writer {
    values: Vec<u16>,
    writes: Vec<u16>,
    name: String,
    point: String,
    umas: Umas90,
}

impl Writer {
    /// Writes a transaction; `common` is that of the answer's frame, else of the request's.
    fn row(&mut self, cx: &mut Cx<'_>, common: &Common, request: Option<&Waiting>, answer: Option<&Adu<'_>>) {
        let message = request.map(Waiting::whole);
        let Some(lead) = message.as_ref().or(answer) else {
            return;
        };
        let code = lead.code();
        let asked = message.map(|message| pdu::request(message.pdu, &mut self.writes));
        let said = answer.map(|answer| pdu::answer(answer.pdu, asked.as_ref(), &mut self.values));
        // An answer without its request still repeats some of it.
        let fields = asked.or(said.as_ref().map(|said| said.echo)).unwrap_or_default();
        let said = said.unwrap_or_default();
        let written = if asked.is_some() { &self.writes } else { &self.values };
        let differs = asked.is_some() && said.echo.writes && self.values != self.writes;
        let exception_code = said.exception;
        let status = match (request, answer) {
            (Some(_), Some(_)) if exception_code.is_some() => "exception",
            (Some(_), Some(_)) => "ok",
            (Some(_), None) => "no_response",
            (None, _) => "response_only",
        };
        let malformed = message
            .and_then(|message| message.fault)
            .or(asked.and_then(|asked| asked.fault))
            .or(answer.and_then(|answer| answer.fault))
            .or(said.fault)
            .or(differs.then_some("bad_value"));
        let asked_at = request.and_then(|request| request.common.ts);
        let answered_at = answer.and(common.ts);
        cx.emit_as(
            common,
            Modbus {
                request_frame: request.map(|request| request.common.frame),
                response_frame: answer.map(|_| common.frame),
                #[allow(clippy::cast_precision_loss)]
                response_time_ms: asked_at.zip(answered_at).map(|(from, to)| to.saturating_sub(from) as f64 / 1e6),
                framing: Some(lead.framing),
                tid: lead.tid(),
                unit_id: Some(lead.unit),
                func_code: lead.pdu.first().map(|_| code),
                func: lead.pdu.first().map(|_| function::name(code, &mut self.name)),
                subfunction: fields.subfunction,
                subfunction_name: fields.subfunction.and_then(|sub| function::subfunction(code, sub)),
                category: Some(function::category(code, fields.subfunction)),
                is_write: Some(function::is_write(code)),
                status: Some(status),
                exception_code,
                exception: exception_code.and_then(function::exception),
                address: fields.address,
                quantity: fields.quantity,
                write_address: fields.write_address,
                write_quantity: fields.write_quantity,
                point: fields.address.and_then(|address| function::point(code, address, &mut self.point)),
                values: (said.reads && !self.values.is_empty()).then_some(self.values.as_slice()),
                write_values: (fields.writes && !written.is_empty()).then_some(written.as_slice()),
                and_mask: fields.and_mask,
                or_mask: fields.or_mask,
                device_id_code: fields.device_id_code,
                objects: said.objects.as_deref(),
                conformity_level: said.conformity_level,
                server_id: said.server_id.as_deref(),
                run_indicator: said.run_indicator,
                mbap_length: message.and_then(|message| message.header).map(|header| header.length),
                protocol_id: lead.header.map(|header| header.protocol),
                malformed,
                data: asked.and_then(|asked| asked.data),
                response_data: said.data,
            },
        );
        if code == function::UMAS && lead.header.is_some() {
            let asked = message.as_ref().map(umas_message);
            let said = answer.map(umas_message);
            self.umas.transaction(cx, common, request.map(|request| &request.common), asked, said, exception_code.is_some());
        }
        let told = points::Told {
            request: request.map(|request| &request.common),
            is_answered: answer.is_some(),
            is_serial: lead.header.is_none(),
            code,
            unit: lead.unit,
            fields: &fields,
            exception: exception_code,
            read: if said.reads { &self.values } else { &[] },
            written: if fields.writes { written } else { &[] },
        };
        // What was refused or contradicts itself was not read.
        points::tell(cx, common, &told, malformed.is_some());
    }
}
