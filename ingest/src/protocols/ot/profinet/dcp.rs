//! DCP, by which stations get names and addresses (IEC 61158-6-10, section 4.3).
//!
//! ```text
//! service:1  type:1  xid:4  response delay:2  length:2   { option:1 suboption:1 length:2  [info or qualifier:2]  value  pad }
//! ```

use std::borrow::Cow;
use std::collections::VecDeque;
use std::net::Ipv4Addr;

use pcapper_schema::Mac;
use pcapper_schema::tables::{OtCommands, ProfinetDcp};

use crate::packet::Packet;
use crate::protocols::Cx;
use crate::protocols::ot::points;
use crate::wire::{Reader, Wire};

/// Requests whose answers are awaited, and blocks of a message that are kept.
const MAX_REQUESTS: usize = 256;
const MAX_BLOCKS: usize = 256;
const GET: u8 = 3;
const SET: u8 = 4;
const HELLO: u8 = 6;

/// Requests by their transaction: xid, sender, frame, time.
#[derive(Default)]
pub struct Requests(VecDeque<(u32, Option<Mac>, u64, i64)>);

impl Requests {
    fn add(&mut self, xid: u32, from: Option<Mac>, frame: u64, ts: i64) {
        if self.0.len() >= MAX_REQUESTS {
            self.0.pop_front();
        }
        self.0.push_back((xid, from, frame, ts));
    }

    /// The last request with this transaction by who is answered now.
    fn find(&self, xid: u32, by: Option<Mac>) -> Option<(u64, i64)> {
        self.0.iter().rev().find(|(known, from, ..)| *known == xid && *from == by).map(|(.., frame, ts)| (*frame, *ts))
    }
}

/// Name of an option and suboption.
fn option(option: u8, suboption: u8) -> Cow<'static, str> {
    let name = match (option, suboption) {
        (1, 1) => "ip/mac_address",
        (1, 2) => "ip/ip_parameter",
        (1, 3) => "ip/full_ip_suite",
        (2, 1) => "device/type_of_station",
        (2, 2) => "device/name_of_station",
        (2, 3) => "device/id",
        (2, 4) => "device/role",
        (2, 5) => "device/options",
        (2, 6) => "device/alias_name",
        (2, 7) => "device/instance",
        (2, 8) => "device/oem_id",
        (2, 9) => "device/standard_gateway",
        (2, 10) => "device/rsi_properties",
        (5, 1) => "control/start",
        (5, 2) => "control/end",
        (5, 3) => "control/signal",
        (5, 4) => "control/response",
        (5, 5) => "control/factory_reset",
        (5, 6) => "control/reset_to_factory",
        (6, 1) => "device_initiative/device_initiative",
        (0xff, 0xff) => "all/all",
        (3, code) => return format!("dhcp/{code}").into(),
        (option, suboption) => return format!("{option}/{suboption}").into(),
    };
    name.into()
}

/// Roles of a station, by the bits of its role.
fn roles(bits: u8) -> Vec<Cow<'static, str>> {
    let names = ["io_device", "io_controller", "io_multidevice", "io_supervisor"];
    names.iter().enumerate().filter(|(bit, _)| bits >> bit & 1 != 0).map(|(_, name)| Cow::Borrowed(*name)).collect()
}

/// What the blocks of a message say.
#[derive(Default)]
struct Blocks<'a> {
    options: Vec<Cow<'static, str>>,
    name: Option<Cow<'a, str>>,
    alias: Option<Cow<'a, str>>,
    vendor: Option<Cow<'a, str>>,
    address: Option<[Ipv4Addr; 3]>,
    conflict: Option<bool>,
    id: Option<(u16, u16)>,
    role: Option<u8>,
    qualifier: Option<u16>,
    signal: Option<bool>,
    errors: Vec<u8>,
    /// Options that a set answer is about.
    answered: Vec<(u8, u8, u8)>,
}

fn text(octets: &[u8]) -> Cow<'_, str> {
    // Some fill the place up with NULs.
    let end = octets.iter().rposition(|octet| *octet != 0).map_or(0, |last| last + 1);
    String::from_utf8_lossy(octets.get(..end).unwrap_or_default())
}

impl<'a> Blocks<'a> {
    fn read(service: u8, is_request: bool, bytes: &'a [u8]) -> (Self, bool) {
        let mut blocks = Self::default();
        let fits = blocks.fill(service, is_request, &mut Reader::new(bytes)).is_ok();
        (blocks, fits)
    }

    fn fill(&mut self, service: u8, is_request: bool, reader: &mut Reader<'a>) -> Wire<()> {
        while !reader.is_empty() && self.options.len() < MAX_BLOCKS {
            let (code, suboption) = (reader.u8()?, reader.u8()?);
            self.options.push(option(code, suboption));
            if service == GET && is_request {
                continue;
            }
            let length = usize::from(reader.be_u16()?);
            let mut block = reader.sub(length)?;
            if length % 2 != 0 && !reader.is_empty() {
                reader.skip(1)?;
            }
            self.block(service, is_request, (code, suboption), &mut block)?;
        }
        Ok(())
    }

    fn block(&mut self, service: u8, is_request: bool, kind: (u8, u8), block: &mut Reader<'a>) -> Wire<()> {
        if kind == (5, 4) {
            let (option, suboption, error) = (block.u8()?, block.u8()?, block.u8()?);
            self.errors.push(error);
            self.answered.push((option, suboption, error));
            return Ok(());
        }
        let mut info = 0;
        if service == SET && is_request {
            info = block.be_u16()?;
            self.qualifier = self.qualifier.or(Some(info));
        } else if !is_request || service == HELLO {
            info = block.be_u16()?;
        }
        match kind {
            (1, 2 | 3) => {
                if !is_request && info & 0x80 != 0 {
                    self.conflict = Some(true);
                }
                // An identify request may ask for the option without a value.
                if !block.is_empty() {
                    self.address =
                        Some([Ipv4Addr::from(block.array::<4>()?), Ipv4Addr::from(block.array::<4>()?), Ipv4Addr::from(block.array::<4>()?)]);
                }
            }
            (2, 1) => self.vendor = Some(text(block.rest())),
            (2, 2) => self.name = Some(text(block.rest())),
            (2, 3) => self.id = Some((block.be_u16()?, block.be_u16()?)),
            (2, 4) => self.role = Some(block.u8()?),
            (2, 6) => self.alias = Some(text(block.rest())),
            (5, 3) if !block.is_empty() => self.signal = Some(block.be_u16()? == 0x0100),
            _ => {}
        }
        Ok(())
    }
}

/// Takes a frame behind its frame id.
pub fn frame(cx: &mut Cx<'_>, requests: &mut Requests, packet: &Packet<'_>, frame_id: u16, bytes: &[u8]) {
    let head = |reader: &mut Reader<'_>| -> Wire<_> { Ok((reader.u8()?, reader.u8()?, reader.be_u32()?, reader.be_u16()?, reader.be_u16()?)) };
    let mut reader = Reader::new(bytes);
    let Ok((service, kind, xid, delay, length)) = head(&mut reader) else {
        return cx.anomaly("profinet_dcp", "truncated_header", "a DCP frame ends within its header");
    };
    let is_request = kind == 0;
    let rest = reader.rest();
    let body = rest.get(..usize::from(length)).unwrap_or(rest);
    let (blocks, fits) = Blocks::read(service, is_request, body);
    if !fits || rest.len() < usize::from(length) {
        cx.anomaly("profinet_dcp", "bad_length", "a block of a DCP frame ends beyond it");
    }
    let asked = if is_request { None } else { requests.find(xid, packet.dst_mac) };
    if is_request {
        requests.add(xid, packet.src_mac, cx.frame, cx.ts);
    }
    let roles = blocks.role.map(roles).unwrap_or_default();
    let [ip, mask, gateway] = blocks.address.map_or([None, None, None], |addresses| addresses.map(|address| Some(address.to_string())));
    let is_set = service == SET && is_request;
    let is_reset = blocks.options.iter().any(|option| option.ends_with("factory"));
    cx.emit(ProfinetDcp {
        vlan_id: packet.vlan_id,
        frame_id: Some(frame_id),
        service_id: Some(service),
        service: match service {
            GET => Some("get"),
            SET => Some("set"),
            5 => Some("identify"),
            HELLO => Some("hello"),
            _ => None,
        },
        service_type: Some(kind),
        service_type_name: match kind {
            0 => Some("request"),
            1 => Some("response"),
            5 => Some("unsupported"),
            _ => None,
        },
        xid: Some(xid),
        response_delay: (frame_id == 0xfefe).then_some(delay),
        options: Some(blocks.options.as_slice()).filter(|options| !options.is_empty()),
        name_of_station: blocks.name.as_deref(),
        name_of_alias: blocks.alias.as_deref(),
        ip: ip.as_deref(),
        subnet_mask: mask.as_deref(),
        gateway: gateway.as_deref(),
        ip_conflict: blocks.conflict,
        vendor_id: blocks.id.map(|(vendor, _)| vendor),
        device_id: blocks.id.map(|(_, device)| device),
        device_vendor: blocks.vendor.as_deref(),
        device_role: blocks.role,
        device_roles: Some(roles.as_slice()).filter(|roles| !roles.is_empty()),
        qualifier: blocks.qualifier,
        permanent: blocks.qualifier.filter(|_| !is_reset).map(|qualifier| qualifier & 1 != 0),
        signal: blocks.signal,
        block_errors: Some(blocks.errors.as_slice()).filter(|errors| !errors.is_empty()),
        request_frame: asked.map(|(frame, _)| frame),
    });
    if is_set {
        let value = blocks.name.as_deref().map(str::to_owned).or(ip);
        command(cx, &blocks.options, value.as_deref());
    }
}

/// Writes what a set asks for; its answer comes as a row of its own.
fn command(cx: &mut Cx<'_>, options: &[Cow<'_, str>], value: Option<&str>) {
    let common = cx.common(cx.dir);
    for option in options {
        let class = match option.as_ref() {
            "control/factory_reset" | "control/reset_to_factory" => "restart",
            "control/signal" | "control/start" | "control/end" => "diagnostic",
            _ => "config",
        };
        points::command(
            cx,
            &common,
            false,
            OtCommands {
                protocol: Some("profinet"),
                request_frame: Some(common.frame),
                class: Some(class),
                command: Some("dcp_set"),
                command_code: Some("0x04"),
                point: Some(option),
                value: value.filter(|_| class == "config"),
                is_broadcast: Some(false),
                outcome: Some("unconfirmed"),
                ..OtCommands::default()
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_a_set_and_its_answer() {
        let set = [1, 2, 0, 14, 0, 1, 192, 168, 0, 10, 255, 255, 255, 0, 192, 168, 0, 1];
        let (blocks, fits) = Blocks::read(SET, true, &set);
        assert!(fits);
        assert_eq!((blocks.qualifier, blocks.address.map(|[ip, ..]| ip)), (Some(1), Some(Ipv4Addr::new(192, 168, 0, 10))));
        let (answer, _) = Blocks::read(SET, false, &[5, 4, 0, 3, 1, 2, 0, 0]);
        assert_eq!(answer.answered, [(1, 2, 0)]);
        let (get, fits) = Blocks::read(GET, true, &[2, 2, 1, 2]);
        assert_eq!((get.options, fits), (vec!["device/name_of_station".into(), "ip/ip_parameter".into()], true));
        assert!(!Blocks::read(SET, true, &[1, 2, 0, 99]).1);
    }

    #[test]
    fn odd_blocks_are_padded() {
        let asked = [2, 2, 0, 3, b'p', b'l', b'c', 0, 0xff, 0xff, 0, 0];
        let (blocks, fits) = Blocks::read(5, true, &asked);
        assert_eq!((blocks.name.as_deref(), blocks.options.len(), fits), (Some("plc"), 2, true));
        assert_eq!(roles(0x0a), ["io_controller", "io_supervisor"]);
    }
}
