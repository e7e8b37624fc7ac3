//! Modbus: reading and writing the coils and registers of controllers (Modbus Application Protocol V1.1b3, Modbus Messaging on
//! TCP/IP V1.0b).
//!
//! A request and its answer make one row, written when the answer comes; a request that gets none is written when its
//! transaction id is used again or the flow ends. The client is always the row's source.

mod function;
mod mbap;
mod pairing;
mod pdu;
mod points;
mod rtu;
mod umas;

use self::mbap::Header;
use self::pairing::{Adu, Pairing};
use crate::protocols::{Cx, DatagramDissector, DatagramKind, Group, Offer, Outcome, Progress, Protocol, StreamDissector, StreamKind, Verdict};

/// Declaration.
pub static PROTOCOL: Protocol = Protocol {
    name: "modbus",
    group: Group::Ot,
    ports: &[PORT],
    datagram: Some(DatagramKind { ip_protos: &[17], probe: probe_datagram, start: || Box::<Datagrams>::default() }),
    stream: Some(StreamKind { probe: probe_stream, start: || Box::<Stream>::default() }),
    ..Protocol::NONE
};

/// Port of Modbus servers.
const PORT: u16 = 502;
/// Segments without anything that looks like Modbus after which a connection is given up.
const MAX_MISSES: u32 = 16;
/// Bytes of one direction in which a probe must have found something.
const MAX_PROBED: usize = 1024;

/// How PDUs are wrapped on a flow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Framing {
    Mbap,
    Rtu,
}

/// A TCP connection.
#[derive(Default)]
struct Stream {
    framing: Option<Framing>,
    pairing: Pairing,
    /// Messages read so far.
    messages: u64,
    /// Offers without a message since the last one.
    misses: u32,
    /// Bytes were lost: what does not start with a message is no fault of the sender.
    after_gap: bool,
}

impl StreamDissector for Stream {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let framing = *self.framing.get_or_insert_with(|| {
            let is_mbap = Header::read(bytes).map_or_else(|| mbap::could_start(bytes), |header| header.is_sound());
            if !is_mbap && rtu::evidence(bytes).0 > 0 { Framing::Rtu } else { Framing::Mbap }
        });
        let mut used = 0;
        loop {
            let rest = bytes.get(used..).unwrap_or_default();
            let step = match framing {
                Framing::Mbap => self.mbap(cx, rest),
                Framing::Rtu => self.rtu(cx, rest),
            };
            match step {
                Step::Message(length) => {
                    self.messages += 1;
                    self.misses = 0;
                    self.after_gap = false;
                    used += length;
                }
                Step::Wait => return Progress::Consumed(used),
                Step::Lost => {
                    if self.misses == 0 && !self.after_gap {
                        cx.anomaly("modbus", "unexpected_state", "no Modbus header where a message should start");
                    }
                    self.misses += 1;
                    if self.misses > MAX_MISSES {
                        return Progress::Stop;
                    }
                    match if framing == Framing::Mbap { mbap::resync(rest) } else { None } {
                        Some(skipped) => used += skipped,
                        None => return Progress::Consumed(bytes.len()),
                    }
                }
            }
        }
    }

    fn gap(&mut self, _cx: &mut Cx<'_>, _missing: u64) -> bool {
        self.after_gap = true;
        true
    }

    fn end(&mut self, cx: &mut Cx<'_>, rest: &[u8]) {
        if self.framing != Some(Framing::Mbap) || self.messages == 0 {
            return;
        }
        let Some(header) = Header::read(rest).filter(Header::is_sound) else {
            return;
        };
        let pdu = rest.get(mbap::PREFIX_LEN + 1..).unwrap_or_default();
        let carrier = carrier(cx);
        self.pairing.message(cx, &Adu::mbap(carrier, header, pdu, Some("truncated")));
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.pairing.close(cx);
    }
}

/// As in `modbus.framing`, of a stream with MBAP.
fn carrier(cx: &Cx<'_>) -> &'static str {
    if cx.is_decrypted() { "tls" } else { "tcp" }
}

/// What the start of a direction's bytes was.
enum Step {
    /// A message of this many octets.
    Message(usize),
    /// Part of one.
    Wait,
    /// Nothing of Modbus.
    Lost,
}

impl Stream {
    fn mbap(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Step {
        let Some(header) = Header::read(bytes) else {
            return if mbap::could_start(bytes) { Step::Wait } else { Step::Lost };
        };
        if !header.is_sound() {
            // One wrong identifier in an otherwise fitting message of an established connection is that message's fault.
            let is_lone = header.protocol != 0 && header.has_fit_length() && bytes.len() == header.total() && self.messages > 0;
            if !is_lone {
                return Step::Lost;
            }
        }
        let Some((_, pdu)) = mbap::message(bytes) else {
            return Step::Wait;
        };
        let fault = if header.protocol == 0 { None } else { Some("bad_protocol_id") };
        let carrier = carrier(cx);
        self.pairing.message(cx, &Adu::mbap(carrier, header, pdu, fault));
        Step::Message(header.total())
    }

    fn rtu(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Step {
        if bytes.is_empty() {
            return Step::Wait;
        }
        let (total, fault) = match rtu::find(bytes, self.pairing.is_answer(cx)) {
            rtu::Found::Frame(total) => (total, None),
            rtu::Found::BadCrc if self.messages > 0 => (bytes.len(), Some("bad_crc")),
            rtu::Found::BadCrc | rtu::Found::Part => return Step::Wait,
            rtu::Found::Nothing => return Step::Lost,
        };
        if let Some([unit, pdu @ .., _, _]) = bytes.get(..total) {
            self.pairing.message(cx, &Adu::rtu("rtu_tcp", *unit, pdu, fault));
        }
        Step::Message(total)
    }
}

/// A UDP flow.
#[derive(Default)]
struct Datagrams {
    pairing: Pairing,
}

impl DatagramDissector for Datagrams {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        if let Some(header) = Header::read(payload).filter(Header::is_sound) {
            let is_cut = cx.packet.is_some_and(|packet| usize::try_from(packet.payload_len).is_ok_and(|length| length > payload.len()));
            let (pdu, fault) = match mbap::message(payload) {
                Some((_, pdu)) if payload.len() == header.total() => (pdu, None),
                Some((_, pdu)) => (pdu, Some("length_mismatch")),
                None => (payload.get(mbap::PREFIX_LEN + 1..).unwrap_or_default(), Some(if is_cut { "truncated" } else { "length_mismatch" })),
            };
            self.pairing.message(cx, &Adu::mbap("udp", header, pdu, fault));
            return Outcome::Decoded;
        }
        if let Some((unit, pdu)) = rtu::parts(payload) {
            self.pairing.message(cx, &Adu::rtu("rtu_udp", unit, pdu, None));
            return Outcome::Decoded;
        }
        Outcome::NotMine
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.pairing.close(cx);
    }
}

/// On the usual port one sound header will do. Elsewhere only a request with its answer, or two sound messages in a row.
fn probe_stream(offer: &Offer<'_>) -> Verdict {
    let is_usual = offer.usual_port;
    if is_usual && offer.bytes.iter().any(|bytes| Header::read(bytes).is_some_and(|header| header.is_sound())) {
        return Verdict::Yes;
    }
    let sound = offer.bytes.map(mbap::evidence);
    let may_be_mbap = sound.iter().all(|(_, could_go_on, _)| *could_go_on);
    let is_mbap = match &sound {
        [(_, _, Some(a)), (_, _, Some(b))] => is_pair(a, b) || is_pair(b, a),
        _ => sound.iter().any(|(messages, _, _)| *messages >= 2),
    };
    if may_be_mbap && is_mbap {
        return Verdict::Yes;
    }
    let frames = offer.bytes.map(rtu::evidence);
    let may_be_rtu = frames.iter().all(|(_, could_go_on)| *could_go_on);
    if may_be_rtu && frames.iter().map(|(frames, _)| *frames).sum::<usize>() >= if is_usual { 1 } else { 2 } {
        return Verdict::Yes;
    }
    // A capture that starts inside a message: the other direction may start with one.
    let may_follow = is_usual && offer.bytes.iter().any(|bytes| bytes.is_empty());
    if (may_be_mbap || may_be_rtu || may_follow) && offer.current().len() < MAX_PROBED { Verdict::More } else { Verdict::No }
}

/// Whether these are a request and its answer.
fn is_pair((request, asked): &(Header, &[u8]), (answer, said): &(Header, &[u8])) -> bool {
    request.tid == answer.tid
        && request.unit == answer.unit
        && request.code == answer.code & !pdu::EXCEPTION
        && pdu::is_request(asked)
        && pdu::is_answer(said)
}

/// A datagram must be one whole sound message; on the usual port a header suffices.
fn probe_datagram(offer: &Offer<'_>) -> Verdict {
    let payload = offer.current();
    let is_mbap = match Header::read(payload) {
        Some(header) if offer.usual_port => header.is_sound(),
        Some(header) => header.total() == payload.len() && matches!(mbap::evidence(payload), (1, true, _)),
        None => false,
    };
    let is_rtu = || matches!(rtu::evidence(payload), (1, true)) && rtu::parts(payload).is_some();
    if is_mbap || is_rtu() { Verdict::Yes } else { Verdict::No }
}

#[cfg(test)]
mod tests {
    use pcapper_schema::tables::Modbus;
    use pcapper_schema::{Row, TableSet};
    use serde_json::{Value, json};

    use super::*;
    use crate::protocols::{Dir, Endpoint, Shared};

    /// Feeds a dissector and shows the rows.
    struct Bench {
        tables: TableSet,
        shared: Shared,
        ports: [u16; 2],
        frame: u64,
    }

    impl Bench {
        fn new(ports: [u16; 2]) -> Self {
            Self { tables: TableSet::default(), shared: Shared::default(), ports, frame: 0 }
        }

        fn cx(&mut self, dir: Dir) -> Cx<'_> {
            self.frame += 1;
            Cx {
                tables: &mut self.tables,
                shared: &mut self.shared,
                frame: self.frame,
                ts: self.frame as i64 * 1_000_000,
                packet: None,
                flow_id: Some(7),
                ends: self.ports.map(|port| Endpoint { port: Some(port), ..Endpoint::default() }),
                dir,
                frames_spanned: 1,
            }
        }

        fn rows(mut self) -> Vec<Value> {
            let batch = Modbus::slot(&mut self.tables).finish("", "");
            let mut writer = arrow::json::ArrayWriter::new(Vec::new());
            // The JSON writer knows no time zones.
            let plain: Vec<_> = batch.columns().iter().enumerate().filter(|(_, c)| !c.data_type().is_temporal()).map(|(at, _)| at).collect();
            writer.write(&batch.project(&plain).unwrap()).unwrap();
            writer.finish().unwrap();
            let text = writer.into_inner();
            if text.is_empty() { Vec::new() } else { serde_json::from_slice(&text).unwrap() }
        }
    }

    fn talk(ports: [u16; 2], messages: &[(Dir, &[u8])]) -> Vec<Value> {
        let mut bench = Bench::new(ports);
        let mut stream = Stream::default();
        for (dir, bytes) in messages {
            stream.data(&mut bench.cx(*dir), bytes);
        }
        stream.close(&mut bench.cx(Dir::Orig));
        bench.rows()
    }

    fn check(row: &Value, expected: &Value) {
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(row.get(name).unwrap_or(&Value::Null), value, "{name} of {row}");
        }
    }

    const READ: &[u8] = &[0, 9, 0, 0, 0, 6, 1, 3, 0x27, 0x0f, 0, 2];
    const READ_ANSWER: &[u8] = &[0, 9, 0, 0, 0, 7, 1, 3, 4, 0, 5, 0xff, 0xfe];

    #[test]
    fn request_and_answer_make_one_row() {
        let rows = talk([40000, 502], &[(Dir::Orig, READ), (Dir::Resp, READ_ANSWER)]);
        assert_eq!(rows.len(), 1);
        check(
            &rows[0],
            &json!({
                "frame": 2, "request_frame": 1, "response_frame": 2, "response_time_ms": 1.0, "src_port": 40000, "dst_port": 502,
                "framing": "tcp", "tid": 9, "unit_id": 1, "func_code": 3, "func": "read_holding_registers", "category": "read",
                "is_write": false, "status": "ok", "address": 9999, "quantity": 2, "point": "holding:410000", "values": [5, 65534],
                "mbap_length": 6, "protocol_id": 0, "malformed": null, "write_values": null,
            }),
        );
    }

    #[test]
    fn reused_ids_and_the_end_leave_requests_unanswered() {
        let coils = [0, 9, 0, 0, 0, 8, 1, 15, 0, 0, 0, 3, 1, 0b101];
        let refused = [0, 9, 0, 0, 0, 3, 1, 0x8f, 2];
        // Two messages in a segment, then half of one.
        let both = [READ, &coils, &READ[..4]].concat();
        let rows = talk([40000, 502], &[(Dir::Orig, &both), (Dir::Resp, &refused), (Dir::Orig, READ)]);
        assert_eq!(rows.len(), 3);
        check(&rows[0], &json!({"frame": 1, "status": "no_response", "func_code": 3, "response_frame": null, "src_port": 40000}));
        check(
            &rows[1],
            &json!({"frame": 2, "status": "exception", "func_code": 15, "exception_code": 2, "exception": "illegal_data_address",
                "write_values": [1, 0, 1], "point": "coil:00001", "is_write": true, "values": null}),
        );
        check(&rows[2], &json!({"frame": 3, "status": "no_response", "tid": 9}));
    }

    #[test]
    fn roles_come_from_what_is_said() {
        // The capture starts with the echo of a write; the read that follows shows who the client is.
        let echo = [0, 1, 0, 0, 0, 6, 1, 6, 0, 4, 0, 7];
        let rows = talk([1502, 40000], &[(Dir::Orig, &echo), (Dir::Resp, READ), (Dir::Orig, READ_ANSWER)]);
        assert_eq!(rows.len(), 2);
        check(
            &rows[0],
            &json!({"status": "response_only", "src_port": 40000, "request_frame": null, "response_frame": 1, "address": 4,
                "write_values": [7], "mbap_length": null, "tid": 1}),
        );
        check(&rows[1], &json!({"status": "ok", "src_port": 40000, "request_frame": 2, "response_frame": 3}));
    }

    #[test]
    fn answers_of_another_function_stand_alone() {
        let rows = talk([40000, 502], &[(Dir::Orig, READ), (Dir::Resp, &[0, 9, 0, 0, 0, 3, 1, 0x81, 1])]);
        assert_eq!(rows.iter().map(|row| row["status"].as_str().unwrap()).collect::<Vec<_>>(), ["no_response", "response_only"]);
    }

    #[test]
    fn faults_are_named() {
        let fault = |request: &[u8], answer: &[u8]| {
            let wrap = |pdu: &[u8]| [&[0, 1, 0, 0, 0, pdu.len() as u8 + 1, 1], pdu].concat();
            talk([40000, 502], &[(Dir::Orig, &wrap(request)), (Dir::Resp, &wrap(answer))])[0]["malformed"].as_str().map(str::to_owned)
        };
        let named = |name: &str| Some(name.to_owned());
        assert_eq!(fault(&[3, 0, 0, 0, 126], &[0x83, 3]), named("bad_quantity"));
        assert_eq!(fault(&[3, 0, 0, 0, 1, 9], &[0x83, 3]), named("length_mismatch"));
        assert_eq!(fault(&[3, 0, 0, 0, 2], &[3, 2, 0, 1]), named("bad_byte_count"));
        assert_eq!(fault(&[16, 0, 0, 0, 2, 2, 0, 1], &[16, 0, 0, 0, 2]), named("bad_byte_count"));
        assert_eq!(fault(&[5, 0, 0, 0x12, 0], &[0x85, 3]), named("bad_value"));
        assert_eq!(fault(&[6, 0, 0, 0, 1], &[6, 0, 0, 0, 2]), named("bad_value"));
        assert_eq!(fault(&[0x83, 2], &[0x83, 2]), named("bad_value"));
        assert_eq!(fault(&[23, 0, 0, 0, 1, 0, 9, 0, 1, 2, 0, 1], &[23, 2, 0, 1]), None);
    }

    #[test]
    fn identities_are_read() {
        let objects = [0, 1, 0, 0, 0, 16, 1, 43, 14, 1, 1, 0, 0, 2, 0, 2, b'A', b'B', 0x80, 2, 0xff, 1];
        let ask = [0, 1, 0, 0, 0, 5, 1, 43, 14, 1, 0];
        let rows = talk([40000, 502], &[(Dir::Orig, &ask), (Dir::Resp, &objects)]);
        check(
            &rows[0],
            &json!({"category": "identity", "subfunction": 14, "subfunction_name": "read_device_identification", "device_id_code": 1,
                "conformity_level": 1, "objects": ["VendorName=AB", "0x80=ff01"], "malformed": null}),
        );
        let server = [0, 1, 0, 0, 0, 8, 1, 17, 5, 9, 0xff, b'P', b'L', b'C'];
        let rows = talk([40000, 502], &[(Dir::Orig, &[0, 1, 0, 0, 0, 2, 1, 17]), (Dir::Resp, &server)]);
        check(&rows[0], &json!({"server_id": "PLC", "run_indicator": true, "malformed": null}));
    }

    #[test]
    fn rubbish_is_passed_over() {
        let rubbish = [&[1, 2, 3, 4, 5, 6, 7, 8, 9], READ].concat();
        let rows = talk([40000, 502], &[(Dir::Orig, READ), (Dir::Orig, &rubbish), (Dir::Resp, READ_ANSWER)]);
        assert_eq!(rows.iter().map(|row| row["frame"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 3]);
    }

    fn framed(octets: &[u8]) -> Vec<u8> {
        [octets, &rtu::crc(octets).to_le_bytes()].concat()
    }

    #[test]
    fn serial_frames_are_found_by_their_crc() {
        // Example of the CRC in common use: unit 1 reads ten holding registers.
        assert_eq!(framed(&[1, 3, 0, 0, 0, 10]), [1, 3, 0, 0, 0, 10, 0xc5, 0xcd]);
        let ask = framed(&[1, 3, 0, 0, 0, 1]);
        let answer = framed(&[1, 3, 2, 0, 8]);
        let rows = talk([40000, 4001], &[(Dir::Orig, &ask), (Dir::Resp, &answer), (Dir::Orig, &[1, 3, 0, 0, 0, 1, 0, 0])]);
        check(&rows[0], &json!({"framing": "rtu_tcp", "tid": null, "unit_id": 1, "status": "ok", "values": [8], "malformed": null}));
        check(&rows[1], &json!({"status": "no_response", "malformed": "bad_crc"}));
    }

    #[test]
    fn probes_want_proof_off_the_port() {
        let offer = |orig: &'static [u8], resp: &'static [u8], usual_port| Offer {
            bytes: [orig, resp],
            dir: if resp.is_empty() { Dir::Orig } else { Dir::Resp },
            ports: [Some(40000), Some(if usual_port { 502 } else { 4001 })],
            usual_port,
            src: None,
            dst: None,
        };
        assert_eq!(probe_stream(&offer(READ, &[], true)), Verdict::Yes);
        assert_eq!(probe_stream(&offer(READ, &[], false)), Verdict::More);
        assert_eq!(probe_stream(&offer(READ, READ_ANSWER, false)), Verdict::Yes);
        assert_eq!(probe_stream(&offer(b"GET / HTTP/1.1\r\n", &[], false)), Verdict::No);
        assert_eq!(probe_datagram(&offer(READ, &[], false)), Verdict::Yes);
        assert_eq!(probe_datagram(&offer(&READ[..11], &[], false)), Verdict::No);
        assert_eq!(probe_datagram(&offer(&[1, 3, 0, 0, 0, 10, 0xc5, 0xcd], &[], false)), Verdict::Yes);
    }
}
