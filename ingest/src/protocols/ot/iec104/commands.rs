//! Commands wait for the station's confirmation (IEC 60870-5-101 section 7.2.3: act, actcon, actterm).

use std::collections::VecDeque;

use pcapper_schema::Common;
use pcapper_schema::tables::{OtCommands, ProcessValues};

use super::asdu::{Header, Object};
use super::types::{self, ACT, ACTCON, ACTTERM, DEACT, DEACTCON, Type};
use crate::protocols::Cx;
use crate::protocols::ot::calendar;
use crate::protocols::ot::points::{MAX_COMMANDS, Owner, command, milliseconds, value};

/// Activations of one connection that may wait.
const MAX_WAITING: usize = 256;

struct Waiting {
    common: Common,
    header: Header,
    of: Type,
    first_ioa: Option<u32>,
    objects: Vec<Object>,
    /// Its rows are written; it stays to be found by its termination.
    is_told: bool,
}

/// Activations of one connection.
pub struct Commands {
    /// Name of the protocol in the rows.
    protocol: &'static str,
    waiting: VecDeque<Waiting>,
}

impl Default for Commands {
    fn default() -> Self {
        Self::new("iec104")
    }
}

impl Commands {
    /// Starts for a protocol that has these ASDUs.
    pub fn new(protocol: &'static str) -> Self {
        Self { protocol, waiting: VecDeque::new() }
    }

    /// Takes any ASDU; for an answer: frame of its activation and the time since.
    pub fn message(
        &mut self,
        cx: &mut Cx<'_>,
        common: &Common,
        header: &Header,
        of: Option<&Type>,
        objects: &[Object],
        first_ioa: Option<u32>,
    ) -> Option<(u64, Option<f64>)> {
        if !matches!(header.type_id, 45..=64 | 100..=113) {
            return None;
        }
        let same = |waiting: &Waiting, cause: u8| {
            waiting.header.type_id == header.type_id
                && waiting.header.address == header.address
                && waiting.first_ioa == first_ioa
                && waiting.header.cause == cause
        };
        let of = of?;
        match header.cause {
            ACT | DEACT => {
                // Confirmations too are sent from the station: only what is not an answer waits.
                if let Some(at) = self.waiting.iter().position(|waiting| same(waiting, header.cause)) {
                    self.give_up(cx, at);
                } else if self.waiting.len() >= MAX_WAITING {
                    self.give_up(cx, 0);
                }
                let objects = objects.iter().take(128).cloned().collect();
                self.waiting.push_back(Waiting { common: *common, header: *header, of: *of, first_ioa, objects, is_told: false });
                None
            }
            ACTCON | DEACTCON | ACTTERM | 44..=47 => {
                let asked = if header.cause == DEACTCON { DEACT } else { ACT };
                let at = self.waiting.iter().rposition(|waiting| {
                    same(waiting, asked) && (waiting.common.src_ip, waiting.common.src_port) != (common.src_ip, common.src_port)
                })?;
                let (frame, ts) = self.waiting.get(at).map(|waiting| (waiting.common.frame, waiting.common.ts))?;
                let is_refused = header.negative || header.cause >= 44;
                if let Some(waiting) = self.waiting.get_mut(at)
                    && !waiting.is_told
                {
                    waiting.is_told = true;
                    let error = if header.cause >= 44 { types::cause(header.cause) } else { is_refused.then_some("negative_confirmation") };
                    tell(cx, self.protocol, waiting, Some(common), if is_refused { "refused" } else { "ok" }, error);
                }
                if is_refused || header.cause == ACTTERM || header.cause == DEACTCON {
                    self.waiting.remove(at);
                }
                Some((frame, milliseconds(ts, common.ts)))
            }
            _ => None,
        }
    }

    /// The connection ends: nobody will confirm any more.
    pub fn close(&mut self, cx: &mut Cx<'_>) {
        while !self.waiting.is_empty() {
            self.give_up(cx, 0);
        }
    }

    fn give_up(&mut self, cx: &mut Cx<'_>, at: usize) {
        if let Some(waiting) = self.waiting.remove(at)
            && !waiting.is_told
        {
            tell(cx, self.protocol, &waiting, None, "no_response", None);
        }
    }
}

/// The rows of an activation, when its outcome is known.
fn tell(cx: &mut Cx<'_>, protocol: &'static str, waiting: &Waiting, answer: Option<&Common>, outcome: &str, error: Option<&str>) {
    let Waiting { header, of, objects, .. } = waiting;
    let unit = header.address.to_string();
    let category = types::category(header.type_id);
    // The row belongs to the frame of the answer, as with other transactions.
    let common = answer.map_or(waiting.common, |answer| Common { frame: answer.frame, ts: answer.ts, ..waiting.common });
    if matches!(category, "control" | "setpoint") && header.cause == ACT {
        let (object_type, raw_type) = types::point(of.info);
        for object in objects {
            value(
                cx,
                &common,
                Owner::Destination,
                ProcessValues {
                    source_protocol: Some(protocol),
                    request_frame: Some(waiting.common.frame),
                    unit_id: Some(&unit),
                    point: Some(&format!("ioa {}", object.ioa)),
                    object_type: Some(object_type),
                    direction: Some(if object.select == Some(true) { "select" } else { "write" }),
                    value: object.value,
                    raw_type: Some(raw_type),
                    source_time: object.time_tag,
                    outcome: Some(outcome),
                    ..ProcessValues::default()
                },
            );
        }
    }
    let shown = if objects.len() > MAX_COMMANDS { 1 } else { objects.len() };
    for object in objects.iter().take(shown) {
        let class = match (category, header.cause) {
            ("control" | "setpoint", DEACT) => "cancel",
            ("control" | "setpoint", _) if object.select == Some(true) => "select",
            ("control", _) => "operate",
            ("setpoint", _) => "setpoint",
            ("parameter", _) => "config",
            ("system", _) if header.type_id == 103 => "time_set",
            ("system", _) if header.type_id == 105 => "restart",
            _ => return,
        };
        let point = format!("ioa {}", object.ioa);
        let text = object.text.as_deref().map(str::to_owned).or_else(|| object.qualifier.map(|code| code.to_string()));
        let text = text.or_else(|| object.time_tag.filter(|_| class == "time_set").map(calendar::clock));
        command(
            cx,
            &common,
            false,
            OtCommands {
                protocol: Some(protocol),
                request_frame: Some(waiting.common.frame),
                response_frame: answer.map(|answer| answer.frame),
                target_unit: Some(&unit),
                class: Some(class),
                command: Some(of.name),
                command_code: Some(&format!("0x{:02X}", header.type_id)),
                point: Some(&point),
                value: text.as_deref(),
                quantity: u32::try_from(if shown == objects.len() { 1 } else { objects.len() }).ok(),
                is_broadcast: Some(header.address == u16::MAX),
                outcome: Some(outcome),
                error,
                latency_ms: answer.and_then(|answer| milliseconds(waiting.common.ts, answer.ts)),
                ..OtCommands::default()
            },
        );
    }
}
