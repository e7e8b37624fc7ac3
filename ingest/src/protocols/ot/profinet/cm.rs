//! Context management (IEC 61158-6-10, sections 4.10.3 and 5.2): application relations, their parameters and records, in calls
//! of connectionless DCE/RPC. The calls are in the order of octets that their label says, the blocks in them always high octet
//! first.
//!
//! ```text
//! request   maximum:4  length:4  array (maximum, offset, actual):12  blocks
//! answer    status:4 (code2, code1, decode, code)  length:4  array:12  blocks
//! block     type:2  length:2 (of what follows it)  version:2  fields
//! ```

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt::Write as _;

use pcapper_schema::Mac;
use pcapper_schema::tables::ProfinetCm;

use crate::protocols::Cx;
use crate::wire::{Malformed, Reader, Wire};

/// Calls that wait, and fragments of calls that are kept.
const MAX_CALLS: usize = 64;
const MAX_STUB: usize = 64 << 10;
/// Blocks, modules and relations of one call that are read.
const MAX_BLOCKS: usize = 1024;
const MAX_MODULES: usize = 512;

/// What the header of a PDU says, as far as it matters here.
pub struct Pdu<'a> {
    pub kind: u8,
    pub kind_name: Option<&'static str>,
    pub little: bool,
    pub interface: u128,
    pub interface_text: &'a str,
    pub object: Option<&'a str>,
    pub activity: u128,
    pub activity_text: &'a str,
    pub sequence: u32,
    pub opnum: u16,
    /// Fragment number, whether there are others, and whether this is the last.
    pub fragment: (u16, bool, bool),
}

/// Interfaces, by their first half; the second is the same in all.
const INTERFACES: [(u128, &str); 4] = [
    (0xdea0_0001_6c97_11d1_8271_00a0_2442_df7d, "device"),
    (0xdea0_0002_6c97_11d1_8271_00a0_2442_df7d, "controller"),
    (0xdea0_0003_6c97_11d1_8271_00a0_2442_df7d, "supervisor"),
    (0xdea0_0004_6c97_11d1_8271_00a0_2442_df7d, "parameter_server"),
];
const ENDPOINT_MAPPER: u128 = 0xe1af_8308_5d1f_11c9_91a4_0800_2b14_a0fa;

fn interface(uuid: u128) -> Option<&'static str> {
    if uuid == ENDPOINT_MAPPER {
        return Some("epm");
    }
    INTERFACES.iter().find(|(known, _)| *known == uuid).map(|(_, name)| *name)
}

/// Fragments of a message, or a request that waits.
struct Held {
    activity: u128,
    sequence: u32,
    kind: u8,
    opnum: u16,
    frame: u64,
    stub: Vec<u8>,
}

/// Calls of a flow.
#[derive(Default)]
pub struct Calls {
    partial: VecDeque<Held>,
    waiting: VecDeque<Held>,
    /// The flow spoke PROFINET before: calls of the endpoint mapper are its own too.
    is_known: bool,
}

fn operation(opnum: u16) -> Option<&'static str> {
    ["connect", "release", "read", "write", "control", "read_implicit"].get(usize::from(opnum)).copied()
}

fn relation(kind: u16) -> Option<&'static str> {
    Some(match kind {
        0x0001 => "iocar_single",
        0x0006 => "iosar",
        0x0010 => "iocar_rt3",
        0x0020 => "iocar_redundant",
        _ => return None,
    })
}

/// Meaning of a record's index.
fn index_name(index: u16) -> String {
    match index {
        0..=0x7fff => format!("user 0x{index:04X}"),
        0xaff0..=0xafff => format!("I&M{}", index - 0xaff0),
        0xf000 => "real_identification_data".to_owned(),
        0xe000 | 0xe001 | 0xe040 | 0xe041 => "expected_or_real_configuration".to_owned(),
        0xf841 => "pd_real_data".to_owned(),
        0xf842 => "pd_expected_data".to_owned(),
        0x800a..=0x800c | 0xc00a..=0xc00c | 0xe00a..=0xe00c | 0xf00a..=0xf00c | 0xf80c => "diagnosis".to_owned(),
        _ => format!("0x{index:04X}"),
    }
}

/// Control commands, by the bits of the field.
fn command(bits: u16) -> Option<&'static str> {
    let names = ["prm_end", "application_ready", "release", "done", "ready_for_companion", "ready_for_rt_class_3", "prm_begin"];
    names.get(usize::try_from(bits.trailing_zeros()).ok()?).copied()
}

/// What the blocks of a call say.
#[derive(Default)]
struct Said {
    ar: Option<String>,
    ar_type: Option<u16>,
    session: Option<u16>,
    station: Option<String>,
    initiator: Option<Mac>,
    takeover: Option<bool>,
    place: Option<(u32, u16, u16)>,
    index: Option<u16>,
    record_length: Option<u32>,
    control: Option<u16>,
    modules: Vec<Cow<'static, str>>,
    relations: Vec<Cow<'static, str>>,
    order: Option<String>,
    serial: Option<String>,
    vendor: Option<u16>,
    hardware: Option<u16>,
    software: Option<String>,
    status: Option<[u8; 4]>,
}

fn uuid(reader: &mut Reader<'_>) -> Wire<String> {
    let (a, b, c) = (reader.be_u32()?, reader.be_u16()?, reader.be_u16()?);
    let (d, e) = (reader.be_u16()?, (u64::from(reader.be_u16()?) << 32) | u64::from(reader.be_u32()?));
    Ok(format!("{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}"))
}

/// Text of a fixed size, without what fills it up.
fn padded(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).trim_matches(['\0', ' ']).to_owned()
}

impl Said {
    fn read(stub: &[u8], is_request: bool, little: bool) -> (Self, bool) {
        let mut said = Self::default();
        let fits = said.call(&mut Reader::new(stub), is_request, little).is_ok();
        (said, fits)
    }

    fn call(&mut self, reader: &mut Reader<'_>, is_request: bool, little: bool) -> Wire<()> {
        let number = |reader: &mut Reader<'_>| if little { reader.le_u32() } else { reader.be_u32() };
        let first = reader.array::<4>()?;
        if !is_request {
            let [a, b, c, d] = first;
            self.status = Some(if little { [d, c, b, a] } else { first });
        }
        let length = usize::try_from(number(reader)?).map_err(|_| Malformed)?;
        reader.skip(12)?;
        let mut blocks = reader.sub(length.min(reader.len()))?;
        for _ in 0..MAX_BLOCKS {
            if blocks.is_empty() {
                break;
            }
            let (kind, length) = (blocks.be_u16()?, blocks.be_u16()?);
            // The version is counted.
            let mut block = blocks.sub(usize::from(length))?;
            block.skip(2)?;
            self.block(kind, &mut block)?;
            // The data of a record follows its header, and is not in blocks throughout.
            if matches!(kind, 0x0008 | 0x8009) {
                let size = usize::try_from(self.record_length.unwrap_or_default()).map_err(|_| Malformed)?;
                let mut record = blocks.sub(size.min(blocks.len()))?;
                if kind == 0x8009 {
                    self.record(&mut record);
                }
            }
        }
        Ok(())
    }

    fn block(&mut self, kind: u16, block: &mut Reader<'_>) -> Wire<()> {
        match kind {
            0x0101 => {
                self.ar_type = Some(block.be_u16()?);
                self.ar = Some(uuid(block)?);
                self.session = Some(block.be_u16()?);
                self.initiator = Some(Mac(block.array::<6>()?));
                block.skip(16)?;
                self.takeover = Some(block.be_u32()? & 0x08 != 0);
                block.skip(4)?;
                let length = usize::from(block.be_u16()?);
                self.station = Some(String::from_utf8_lossy(block.take(length)?).into_owned());
            }
            0x8101 => {
                self.ar_type = Some(block.be_u16()?);
                self.ar = Some(uuid(block)?);
                self.session = Some(block.be_u16()?);
            }
            0x0102 => self.relation(block)?,
            0x0104 => self.expected(block)?,
            0x0008 | 0x0009 | 0x8008 | 0x8009 => {
                block.skip(2)?;
                self.ar = Some(uuid(block)?);
                let place = (block.be_u32()?, block.be_u16()?, block.be_u16()?);
                block.skip(2)?;
                let (index, length) = (block.be_u16()?, block.be_u32()?);
                // A write of many records is answered by a header for each: the first is of the whole.
                if self.index.is_none() {
                    (self.place, self.index, self.record_length) = (Some(place), Some(index), Some(length));
                }
            }
            0x0110..=0x0118 | 0x8110..=0x8118 => {
                block.skip(2)?;
                self.ar = Some(uuid(block)?);
                self.session = Some(block.be_u16()?);
                block.skip(2)?;
                self.control = Some(block.be_u16()?);
            }
            _ => {}
        }
        Ok(())
    }

    fn relation(&mut self, block: &mut Reader<'_>) -> Wire<()> {
        let kind = match block.be_u16()? {
            1 => "input",
            2 => "output",
            3 => "multicast_provider",
            4 => "multicast_consumer",
            _ => "other",
        };
        block.skip(8)?;
        let (length, frame_id, clock, ratio) = (block.be_u16()?, block.be_u16()?, block.be_u16()?, block.be_u16()?);
        // The send clock counts units of 31.25 microseconds.
        let cycle = f64::from(clock) * f64::from(ratio) / 32.0;
        if self.relations.len() < MAX_MODULES {
            self.relations.push(format!("{kind} frame_id=0x{frame_id:04x} len={length} cycle_ms={cycle}").into());
        }
        Ok(())
    }

    fn expected(&mut self, block: &mut Reader<'_>) -> Wire<()> {
        for _ in 0..block.be_u16()? {
            block.skip(4)?;
            let (slot, module) = (block.be_u16()?, block.be_u32()?);
            block.skip(2)?;
            for _ in 0..block.be_u16()? {
                let (subslot, submodule, properties) = (block.be_u16()?, block.be_u32()?, block.be_u16()?);
                // Inputs and outputs are described each for itself.
                block.skip(if properties & 3 == 3 { 12 } else { 6 })?;
                if self.modules.len() < MAX_MODULES {
                    self.modules.push(format!("{slot}/0x{subslot:04x} 0x{module:08x} 0x{submodule:08x}").into());
                }
            }
        }
        Ok(())
    }

    /// Identification that a device answers (I&M0).
    fn record(&mut self, record: &mut Reader<'_>) {
        let read = |record: &mut Reader<'_>| -> Wire<_> {
            let kind = record.be_u16()?;
            record.skip(4)?;
            let vendor = record.be_u16()?;
            let (order, serial) = (padded(record.take(20)?), padded(record.take(16)?));
            let hardware = record.be_u16()?;
            let [letter, a, b, c] = record.array::<4>()?;
            let mut software = String::new();
            let _ = write!(software, "{}{a}.{b}.{c}", if letter.is_ascii_graphic() { char::from(letter) } else { '?' });
            Ok((kind, vendor, order, serial, hardware, software))
        };
        if let Ok((0x0020, vendor, order, serial, hardware, software)) = read(record) {
            (self.vendor, self.order, self.serial) = (Some(vendor), Some(order), Some(serial));
            (self.hardware, self.software) = (Some(hardware), Some(software));
        }
    }
}

/// What a status says (IEC 61158-6-10, PNIOStatus).
fn error([code, decode, code1, code2]: [u8; 4]) -> Option<String> {
    if code == 0 {
        return None;
    }
    let kind = match code {
        0xda => "alarm acknowledge",
        0xdb => "connect",
        0xdc => "release",
        0xdd => "control",
        0xde => "read",
        0xdf => "write",
        0xcf => "alarm",
        _ => "error",
    };
    let what = match (decode, code1) {
        (0x80, 0xa0) => "read error",
        (0x80, 0xa1) => "write error",
        (0x80, 0xa2) => "module failure",
        (0x80, 0xa8) => "version conflict",
        (0x80, 0xa9) => "feature not supported",
        (0x80, 0xb0) => "invalid index",
        (0x80, 0xb1) => "write length error",
        (0x80, 0xb2) => "invalid slot or subslot",
        (0x80, 0xb3) => "type conflict",
        (0x80, 0xb4) => "invalid area",
        (0x80, 0xb5) => "state conflict",
        (0x80, 0xb6) => "access denied",
        (0x80, 0xb7) => "invalid range",
        (0x80, 0xb8) => "invalid parameter",
        (0x80, 0xb9) => "invalid type",
        (0x80, 0xc0) => "read constraint conflict",
        (0x80, 0xc1) => "write constraint conflict",
        (0x80, 0xc2) => "resource busy",
        (0x80, 0xc3) => "resource unavailable",
        (0x81, 1) => "faulty AR block",
        (0x81, 2) => "faulty IOCR block",
        (0x81, 3) => "faulty expected submodule block",
        (0x81, 4) => "faulty alarm CR block",
        (0x81, 40) => "AR set state conflict",
        (0x81, 64) => "RMPM state conflict",
        _ => return Some(format!("{kind}: 0x{decode:02x} 0x{code1:02x} 0x{code2:02x}")),
    };
    Some(format!("{kind}: {what}"))
}

/// Takes a PDU of the flow, if it is of PROFINET.
pub fn pdu(cx: &mut Cx<'_>, calls: &mut Calls, pdu: &Pdu<'_>, body: &[u8]) {
    let Some(interface) = interface(pdu.interface) else { return };
    if interface == "epm" && !calls.is_known && cx.ends.iter().all(|end| end.port != Some(34964)) {
        return;
    }
    calls.is_known = true;
    let is_request = pdu.kind == 0;
    let same = |held: &Held| held.activity == pdu.activity && held.sequence == pdu.sequence;
    let mut stub = Vec::new();
    let (number, is_fragment, is_last) = pdu.fragment;
    if matches!(pdu.kind, 0 | 2) && is_fragment {
        let at = calls.partial.iter().position(|held| same(held) && held.kind == pdu.kind);
        let mut held = match at.and_then(|at| calls.partial.remove(at)) {
            Some(held) if number > 0 => held,
            _ => Held { activity: pdu.activity, sequence: pdu.sequence, kind: pdu.kind, opnum: pdu.opnum, frame: cx.frame, stub: Vec::new() },
        };
        if held.stub.len() + body.len() <= MAX_STUB {
            held.stub.extend_from_slice(body);
        }
        if !is_last {
            push(&mut calls.partial, held);
            return;
        }
        stub = held.stub;
    }
    let stub: &[u8] = if stub.is_empty() { body } else { &stub };
    let mut request_frame = None;
    match pdu.kind {
        0 => {
            calls.waiting.retain(|held| !same(held));
            let held = Held { activity: pdu.activity, sequence: pdu.sequence, kind: 0, opnum: pdu.opnum, frame: cx.frame, stub: Vec::new() };
            push(&mut calls.waiting, held);
        }
        2 | 3 | 6 => {
            let at = calls.waiting.iter().position(|held| same(held) && held.opnum == pdu.opnum);
            request_frame = at.and_then(|at| calls.waiting.remove(at)).map(|held| held.frame);
        }
        _ => {}
    }
    let has_blocks = matches!(pdu.kind, 0 | 2) && interface != "epm";
    let (said, fits) = if has_blocks { Said::read(stub, is_request, pdu.little) } else { (Said::default(), true) };
    if !fits {
        cx.anomaly("profinet_cm", "bad_length", "a block of a call ends beyond it");
    }
    let fault = match (pdu.kind, body.first_chunk::<4>()) {
        (3 | 6, Some(code)) => Some(if pdu.little { u32::from_le_bytes(*code) } else { u32::from_be_bytes(*code) }),
        _ => None,
    };
    let status = said.status.filter(|_| !is_request);
    let error_text = status.and_then(error);
    let index = said.index.map(index_name);
    let initiator = said.initiator.map(|mac| mac.to_string());
    cx.emit(ProfinetCm {
        is_request: Some(is_request),
        packet_type: Some(pdu.kind),
        packet_type_name: pdu.kind_name,
        interface: Some(interface),
        interface_uuid: Some(pdu.interface_text),
        object_uuid: pdu.object,
        activity_uuid: Some(pdu.activity_text),
        sequence: Some(pdu.sequence),
        operation: Some(pdu.opnum),
        operation_name: operation(pdu.opnum).filter(|_| interface != "epm"),
        request_frame,
        big_endian: Some(!pdu.little),
        ar_uuid: said.ar.as_deref(),
        ar_type: said.ar_type,
        ar_type_name: said.ar_type.and_then(relation),
        session_key: said.session,
        station_name: said.station.as_deref(),
        initiator_mac: initiator.as_deref(),
        supervisor_takeover: said.takeover,
        api: said.place.map(|(api, ..)| api),
        slot: said.place.map(|(_, slot, _)| slot),
        subslot: said.place.map(|(.., subslot)| subslot),
        index: said.index,
        index_name: index.as_deref(),
        record_length: said.record_length,
        control_command: said.control.and_then(command),
        control_command_bits: said.control,
        modules: Some(said.modules.as_slice()).filter(|modules| !modules.is_empty()),
        io_cr: Some(said.relations.as_slice()).filter(|relations| !relations.is_empty()),
        order_id: said.order.as_deref(),
        im_serial: said.serial.as_deref(),
        im_vendor_id: said.vendor,
        hw_revision: said.hardware,
        sw_revision: said.software.as_deref(),
        error_code: status.map(|[code, ..]| code),
        error_decode: status.map(|[_, decode, ..]| decode),
        error_code1: status.map(|[_, _, code1, _]| code1),
        error_code2: status.map(|[.., code2]| code2),
        error: error_text.as_deref(),
        fault_code: fault,
    });
}

fn push(list: &mut VecDeque<Held>, held: Held) {
    if list.len() >= MAX_CALLS {
        list.pop_front();
    }
    list.push_back(held);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_of_identification() {
        let mut stub = vec![0, 0, 1, 0, 64, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 64, 0, 0, 0];
        stub.extend([0, 9, 0, 60, 1, 0, 0, 5]);
        stub.extend([0x11; 16]);
        stub.extend([0, 0, 0, 0, 0, 1, 0, 2, 0, 0, 0xaf, 0xf0, 0, 0, 0x80, 0]);
        stub.resize(20 + 64, 0);
        let (said, fits) = Said::read(&stub, true, true);
        assert!(fits);
        assert_eq!((said.place, said.index.map(index_name).as_deref(), said.record_length), (Some((0, 1, 2)), Some("I&M0"), Some(32_768)));
        assert!(!Said::read(&stub[..50], true, true).1);
    }

    #[test]
    fn statuses_and_commands() {
        assert_eq!(error([0, 0, 0, 0]), None);
        assert_eq!(error([0xdf, 0x80, 0xb6, 0]).as_deref(), Some("write: access denied"));
        assert_eq!((command(1), command(2), command(8), command(0)), (Some("prm_end"), Some("application_ready"), Some("done"), None));
        assert_eq!(interface(0xdea0_0001_6c97_11d1_8271_00a0_2442_df7d), Some("device"));
    }
}
