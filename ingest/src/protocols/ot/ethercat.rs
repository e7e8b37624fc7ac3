//! EtherCAT (IEC 61158-4-12, ETG.1000.4): frames that pass through all devices and come back, each datagram in them a command;
//! mailboxes with CANopen objects and files (ETG.1000.5, .6).
//!
//! ```text
//! frame     length:11 -:1 type:4 bits   datagrams                                    low octets first
//! datagram  command:1 index:1  address:2 offset:2 (or logical address:4)  length:11 -:3 circulating:1 more:1 bits  IRQ:2  data  WKC:2
//! mailbox   length:2 address:2 channel:1 type:4 count:4 bits   CoE: number:9 -:3 service:4 bits, SDO: command:1 index:2 sub:1 data:4
//! ```
//! A tap beside the master sees each frame twice: the first device sets a bit in the sender's address of what comes back.

use pcapper_schema::Mac;
use pcapper_schema::tables::{Ethercat, OtCommands};
use rustc_hash::FxHashMap;

use super::points;
use crate::packet::Packet;
use crate::protocols::{Cx, DatagramDissector, DatagramKind, FrameDissector, FrameKind, Group, Offer, Outcome, Protocol, Verdict};
use crate::wire::{Malformed, Reader, Wire};

/// EtherCAT by its EtherType, and on its UDP port.
pub static PROTOCOL: Protocol = Protocol {
    name: "ethercat",
    group: Group::Ot,
    ports: &[34980],
    frame: Some(FrameKind { claims: |packet| packet.ether_type == Some(ETHER_TYPE), start: || Box::<Bus>::default() }),
    datagram: Some(DatagramKind { ip_protos: &[17], probe, start: || Box::<Bus>::default() }),
    ..Protocol::NONE
};

const ETHER_TYPE: u16 = 0x88a4;
/// Type of frames that carry commands.
const COMMANDS: u8 = 1;
/// Octets of a datagram before its data, datagrams of a frame, and octets of data that are kept.
const MAX_DATAGRAMS: usize = 256;
const MAX_DATA: usize = 64;
/// Addresses whose greatest working counter is kept, and mailboxes that are known.
const MAX_KNOWN: usize = 1 << 14;
const OPERATION: u8 = 8;
const AL_CONTROL: u16 = 0x0120;
const AL_STATUS: u16 = 0x0130;
const SYNC_MANAGERS: u16 = 0x0800;

const COMMAND: [&str; 15] = ["NOP", "APRD", "APWR", "APRW", "FPRD", "FPWR", "FPRW", "BRD", "BWR", "BRW", "LRD", "LWR", "LRW", "ARMW", "FRMW"];

/// Name of a register (ETG.1000.4, section 6).
fn register(offset: u16) -> Option<&'static str> {
    Some(match offset {
        0x0000..=0x0009 => "type",
        0x0010..=0x0013 => "station_address",
        0x0100..=0x0103 => "dl_control",
        0x0110..=0x0111 => "dl_status",
        AL_CONTROL..=0x0121 => "al_control",
        AL_STATUS..=0x0133 => "al_status",
        0x0134..=0x0135 => "al_status_code",
        0x0400..=0x0443 => "watchdog",
        0x0500..=0x050f => "eeprom",
        0x0600..=0x06ff => "fmmu",
        SYNC_MANAGERS..=0x087f => "sync_manager",
        0x0900..=0x09ff => "dc",
        0x1000.. => "process_data",
        _ => return None,
    })
}

fn state(code: u8) -> Option<&'static str> {
    Some(match code {
        1 => "INIT",
        2 => "PREOP",
        3 => "BOOT",
        4 => "SAFEOP",
        8 => "OP",
        _ => return None,
    })
}

/// A datagram.
struct Datagram<'a> {
    command: u8,
    index: u8,
    address: u32,
    flags: u16,
    irq: u16,
    data: &'a [u8],
    counter: u16,
}

impl<'a> Datagram<'a> {
    fn read(reader: &mut Reader<'a>) -> Wire<Self> {
        let (command, index, address) = (reader.u8()?, reader.u8()?, reader.le_u32()?);
        let (flags, irq) = (reader.le_u16()?, reader.le_u16()?);
        let data = reader.take(usize::from(flags & 0x07ff))?;
        Ok(Self { command, index, address, flags, irq, data, counter: reader.le_u16()? })
    }

    fn is_logical(&self) -> bool {
        matches!(self.command, 10..=12)
    }

    fn is_write(&self) -> bool {
        matches!(self.command, 2 | 3 | 5 | 6 | 8 | 9 | 11 | 12)
    }

    fn station(&self) -> u16 {
        self.address as u16
    }

    fn offset(&self) -> u16 {
        (self.address >> 16) as u16
    }

    fn more(&self) -> bool {
        self.flags & 0x8000 != 0
    }
}

/// What a mailbox holds.
#[derive(Default)]
struct Mail {
    kind: u8,
    coe: Option<&'static str>,
    sdo: Option<(&'static str, u16, u8)>,
    abort: Option<u32>,
    value: Option<u32>,
    foe: Option<&'static str>,
    file: Option<String>,
}

impl Mail {
    fn name(&self) -> Option<&'static str> {
        Some(match self.kind {
            1 => "AoE",
            2 => "EoE",
            3 => "CoE",
            4 => "FoE",
            5 => "SoE",
            15 => "VoE",
            _ => return None,
        })
    }

    fn read(data: &[u8]) -> Wire<Self> {
        let mut reader = Reader::new(data);
        let length = usize::from(reader.le_u16()?);
        reader.skip(3)?;
        let kind = reader.u8()? & 0x0f;
        let mut mail = Self { kind, ..Self::default() };
        if mail.name().is_none() || length == 0 {
            return Err(Malformed);
        }
        let mut body = reader.sub(length)?;
        match kind {
            3 => mail.object(&mut body)?,
            4 => mail.file(&mut body)?,
            _ => {}
        }
        Ok(mail)
    }

    fn object(&mut self, body: &mut Reader<'_>) -> Wire<()> {
        let service = body.le_u16()? >> 12;
        self.coe = match service {
            1 => Some("emergency"),
            2 => Some("sdo_request"),
            3 => Some("sdo_response"),
            4 => Some("tx_pdo"),
            5 => Some("rx_pdo"),
            8 => Some("sdo_information"),
            _ => None,
        };
        if !matches!(service, 2 | 3) {
            return Ok(());
        }
        let (command, index, sub) = (body.u8()?, body.le_u16()?, body.u8()?);
        let value = body.le_u32().ok();
        let name = match (service, command >> 5) {
            (_, 4) => "abort",
            (2, 1) | (3, 3) => "initiate_download",
            (2, 0) | (3, 1) => "download_segment",
            (2 | 3, 2) => "initiate_upload",
            (2, 3) | (3, 0) => "upload_segment",
            _ => return Ok(()),
        };
        self.sdo = Some((name, index, sub));
        self.abort = value.filter(|_| name == "abort");
        // Up to four octets are carried where the command says so.
        let unused = u32::from(command >> 2 & 3);
        let is_short = command & 2 != 0;
        let mask = if command & 1 != 0 { u32::MAX >> (8 * unused) } else { u32::MAX };
        self.value = value.filter(|_| is_short && service == 2 && name == "initiate_download").map(|value| value & mask);
        Ok(())
    }

    fn file(&mut self, body: &mut Reader<'_>) -> Wire<()> {
        let code = body.u8()?;
        self.foe = ["", "read", "write", "data", "ack", "error", "busy"].get(usize::from(code)).copied().filter(|name| !name.is_empty());
        body.skip(5)?;
        if matches!(code, 1 | 2) {
            let name = body.rest();
            let end = name.iter().position(|octet| *octet == 0).unwrap_or(name.len());
            self.file = Some(String::from_utf8_lossy(name.get(..end).unwrap_or_default()).into_owned());
        }
        Ok(())
    }
}

fn probe(offer: &Offer<'_>) -> Verdict {
    let mut reader = Reader::new(offer.current());
    let fits = reader.le_u16().is_ok_and(|head| head >> 12 == u16::from(COMMANDS) && usize::from(head & 0x07ff) == reader.len());
    if fits && offer.usual_port { Verdict::Yes } else { Verdict::No }
}

/// What was learnt of a bus.
#[derive(Default)]
struct Bus {
    /// Greatest working counter so far, by command and address.
    counters: FxHashMap<(u8, u32), u16>,
    /// State that each station was last told to take.
    states: FxHashMap<u16, u8>,
    /// Where the mailboxes of a station start, by what was written to its sync managers.
    mailboxes: FxHashMap<u16, [Option<u16>; 2]>,
}

impl Bus {
    fn frame(&mut self, cx: &mut Cx<'_>, payload: &[u8], src: Option<Mac>, vlan: Option<u16>) -> bool {
        let mut reader = Reader::new(payload);
        let Ok(head) = reader.le_u16() else { return false };
        let kind = (head >> 12) as u8;
        // The locally administered bit, set by the first device that passes a frame on.
        let pass = src.map(|Mac([first, ..])| if first & 0x02 != 0 { "return" } else { "out" });
        let base = || Ethercat { vlan_id: vlan, frame_type_code: Some(kind), pass, ..Ethercat::default() };
        if kind != COMMANDS {
            cx.emit(base());
            return true;
        }
        let length = usize::from(head & 0x07ff);
        let is_cut = reader.len() < length;
        let mut datagrams = Reader::new(payload.get(2..2 + length).unwrap_or_else(|| reader.rest()));
        for index in 0..MAX_DATAGRAMS {
            let Ok(datagram) = Datagram::read(&mut datagrams) else {
                let malformed = if is_cut { "truncated" } else { "length_mismatch" };
                cx.anomaly("ethercat", "bad_length", "a frame ends within a datagram");
                cx.emit(Ethercat { datagram_index: u16::try_from(index).ok(), malformed: Some(malformed), ..base() });
                return true;
            };
            self.datagram(cx, &datagram, Ethercat { datagram_index: u16::try_from(index).ok(), ..base() });
            if !datagram.more() {
                break;
            }
        }
        true
    }

    fn datagram(&mut self, cx: &mut Cx<'_>, datagram: &Datagram<'_>, base: Ethercat<'_>) {
        let is_out = base.pass != Some("return");
        let is_write = datagram.is_write();
        let (station, offset, is_logical) = (datagram.station(), datagram.offset(), datagram.is_logical());
        // What is read stands in a frame only when it comes back.
        let has_data = is_write || !is_out || datagram.counter > 0;
        let expected = self.counter(datagram);
        if is_write && !is_logical {
            self.learn(station, offset, datagram.data);
        }
        let name = register(offset).filter(|_| !is_logical);
        let at = |register: u16| -> Option<&[u8]> { datagram.data.get(usize::from(register.checked_sub(offset)?)..) };
        let al = match name {
            Some("al_control") if is_write => datagram.data.first().copied(),
            Some("al_status") if has_data && !is_write => at(AL_STATUS).and_then(|data| data.first().copied()),
            _ => None,
        };
        let code = match name {
            Some("al_status" | "al_status_code") if has_data && !is_write => {
                at(0x0134).and_then(|data| data.first_chunk::<2>()).map(|code| u16::from_le_bytes(*code))
            }
            _ => None,
        };
        let mail = if !is_logical && has_data && self.is_mailbox(station, offset) { Mail::read(datagram.data).ok() } else { None };
        let said = mail.as_ref();
        let is_process_data = is_logical || offset >= 0x1000 && said.is_none();
        cx.emit(Ethercat {
            cmd_code: Some(datagram.command),
            cmd: COMMAND.get(usize::from(datagram.command)).copied(),
            idx: Some(datagram.index),
            slave_address: (!is_logical).then_some(station),
            offset: (!is_logical).then_some(offset),
            logical_address: is_logical.then_some(datagram.address),
            data_len: u16::try_from(datagram.data.len()).ok(),
            circulating: Some(datagram.flags & 0x4000 != 0),
            more: Some(datagram.more()),
            irq: Some(datagram.irq),
            working_counter: Some(datagram.counter),
            expected_wkc: Some(expected),
            register: name,
            al_state_code: al.map(|al| al & 0x0f),
            al_state: al.and_then(|al| state(al & 0x0f)),
            al_error: al.map(|al| al & 0x10 != 0),
            al_status_code: code,
            mailbox_type_code: said.map(|mail| mail.kind),
            mailbox_type: said.and_then(Mail::name),
            coe_type: said.and_then(|mail| mail.coe),
            sdo_command: said.and_then(|mail| mail.sdo).map(|(name, ..)| name),
            sdo_index: said.and_then(|mail| mail.sdo).map(|(_, index, _)| index),
            sdo_subindex: said.and_then(|mail| mail.sdo).map(|(.., sub)| sub),
            sdo_abort_code: said.and_then(|mail| mail.abort),
            foe_opcode: said.and_then(|mail| mail.foe),
            foe_filename: said.and_then(|mail| mail.file.as_deref()),
            eoe_frame: said.map(|mail| mail.kind == 2),
            data: datagram.data.get(..MAX_DATA.min(datagram.data.len())).filter(|data| !data.is_empty() && has_data),
            is_write: Some(is_write),
            is_process_data: Some(is_process_data),
            ..base
        });
        if is_out {
            let al = al.filter(|_| is_write);
            let leaves = al.is_some_and(|al| self.leaves(datagram, al & 0x0f));
            tell(cx, datagram, al.map(|al| (al, leaves)), said);
        }
    }

    /// Whether a station in operation is told to leave it; all others are on their way to it.
    fn leaves(&mut self, datagram: &Datagram<'_>, to: u8) -> bool {
        let is_all = matches!(datagram.command, 7..=9);
        let left =
            if is_all { self.states.values().any(|state| *state == OPERATION) } else { self.states.get(&datagram.station()) == Some(&OPERATION) };
        if is_all {
            self.states.values_mut().for_each(|state| *state = to);
        } else if self.states.len() < MAX_KNOWN || self.states.contains_key(&datagram.station()) {
            self.states.insert(datagram.station(), to);
        }
        left && to != OPERATION
    }

    fn counter(&mut self, datagram: &Datagram<'_>) -> u16 {
        let key = (datagram.command, datagram.address);
        if self.counters.len() >= MAX_KNOWN && !self.counters.contains_key(&key) {
            return datagram.counter;
        }
        let greatest = self.counters.entry(key).or_default();
        *greatest = datagram.counter.max(*greatest);
        *greatest
    }

    /// Keeps where sync managers 0 and 1 start, which are the mailboxes where there are any.
    fn learn(&mut self, station: u16, offset: u16, data: &[u8]) {
        for (at, index) in [(SYNC_MANAGERS, 0), (SYNC_MANAGERS + 8, 1)] {
            let Some(settings) = at.checked_sub(offset).and_then(|skip| data.get(usize::from(skip)..)).and_then(|data| data.first_chunk::<8>())
            else {
                continue;
            };
            let [low, high, _, _, control, ..] = *settings;
            if control & 3 == 2
                && (self.mailboxes.len() < MAX_KNOWN || self.mailboxes.contains_key(&station))
                && let Some(slot) = self.mailboxes.entry(station).or_default().get_mut(index)
            {
                *slot = Some(u16::from_le_bytes([low, high]));
            }
        }
    }

    fn is_mailbox(&self, station: u16, offset: u16) -> bool {
        match self.mailboxes.get(&station) {
            Some(known) => known.contains(&Some(offset)),
            None => matches!(offset, 0x1000 | 0x1080),
        }
    }
}

/// Writes what a datagram on its way out commands.
fn tell(cx: &mut Cx<'_>, datagram: &Datagram<'_>, al: Option<(u8, bool)>, mail: Option<&Mail>) {
    let sdo =
        mail.and_then(|mail| mail.sdo).filter(|(name, ..)| *name == "initiate_download" && mail.is_some_and(|mail| mail.coe == Some("sdo_request")));
    let file = mail.filter(|mail| mail.foe == Some("write"));
    let (class, command, point, value) = match (al, sdo, file) {
        (Some((al, leaves)), ..) => (if leaves { "mode_change" } else { "start" }, "al_control", None, state(al & 0x0f).map(str::to_owned)),
        (_, Some((_, index, sub)), _) => {
            ("config", "sdo_download", Some(format!("0x{index:04X}:{sub}")), mail.and_then(|mail| mail.value).map(|value| value.to_string()))
        }
        (_, _, Some(mail)) => ("firmware", "foe_write", None, mail.file.clone()),
        _ => return,
    };
    let common = cx.common(cx.dir);
    let unit = format!("0x{:04x}", datagram.station());
    points::command(
        cx,
        &common,
        false,
        OtCommands {
            protocol: Some("ethercat"),
            request_frame: Some(common.frame),
            target_unit: Some(&unit),
            class: Some(class),
            command: Some(command),
            point: point.as_deref(),
            value: value.as_deref(),
            is_broadcast: Some(matches!(datagram.command, 7..=9)),
            outcome: Some("unconfirmed"),
            ..OtCommands::default()
        },
    );
}

impl FrameDissector for Bus {
    fn frame(&mut self, cx: &mut Cx<'_>, packet: &Packet<'_>) -> Outcome {
        if Self::frame(self, cx, packet.payload, packet.src_mac, packet.vlan_id) { Outcome::Decoded } else { Outcome::NotMine }
    }
}

impl DatagramDissector for Bus {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        if Self::frame(self, cx, payload, None, None) { Outcome::Decoded } else { Outcome::NotMine }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datagrams_and_their_registers() {
        // FPWR of AL control: station 0x03e9 to OP.
        let bytes = [5, 1, 0xe9, 3, 0x20, 1, 2, 0, 0, 0, 8, 0, 1, 0];
        let datagram = Datagram::read(&mut Reader::new(&bytes)).unwrap();
        assert_eq!((datagram.station(), datagram.offset(), datagram.data, datagram.counter), (0x03e9, AL_CONTROL, &[8_u8, 0][..], 1));
        assert!(datagram.is_write() && !datagram.is_logical() && !datagram.more());
        assert_eq!((register(0x0134), state(8), register(0x0200)), (Some("al_status_code"), Some("OP"), None));
        assert!(Datagram::read(&mut Reader::new(&bytes[..13])).is_err());
    }

    #[test]
    fn mailboxes_stand_where_they_were_put() {
        let mut bus = Bus::default();
        assert!(bus.is_mailbox(1001, 0x1000));
        bus.learn(1001, SYNC_MANAGERS, &[0, 0x18, 0x80, 0, 0x26, 0, 1, 0, 0, 0x19, 0x80, 0, 0x22, 0, 1, 0]);
        assert!(bus.is_mailbox(1001, 0x1800) && bus.is_mailbox(1001, 0x1900) && !bus.is_mailbox(1001, 0x1000));
    }

    #[test]
    fn objects_that_are_written() {
        // Initiate download of 0x1C12:0, one octet, expedited.
        let mail = Mail::read(&[10, 0, 0, 0, 0, 0x13, 0, 0x20, 0x2f, 0x12, 0x1c, 0, 2, 0, 0, 0]).unwrap();
        assert_eq!(
            (mail.name(), mail.coe, mail.sdo, mail.value),
            (Some("CoE"), Some("sdo_request"), Some(("initiate_download", 0x1c12, 0)), Some(2))
        );
        assert!(Mail::read(&[0; 16]).is_err());
    }
}
