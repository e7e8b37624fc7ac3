//! Answers of the endpoint mapper (C706, appendices L and O): towers that say where an interface listens.

use std::net::{IpAddr, Ipv4Addr};

use pcapper_schema::tables::DcerpcEndpoints;

use super::interface::{self, Uuid};
use super::pdu::u32_of;
use crate::protocols::Cx;
use crate::wire::{Malformed, Reader, Wire};

/// Operation `ept_map`.
const MAP: u16 = 3;
/// Towers of one answer that are read.
const MAX_TOWERS: u32 = 500;

/// Floors of a tower, by their protocol (C706, appendix I).
mod floor {
    pub const CONNECTIONLESS: u8 = 0x0a;
    pub const CONNECTION: u8 = 0x0b;
    pub const LOCAL: u8 = 0x0c;
    pub const UUID: u8 = 0x0d;
    pub const TCP: u8 = 0x07;
    pub const UDP: u8 = 0x08;
    pub const IP: u8 = 0x09;
    pub const PIPE: u8 = 0x0f;
    pub const LOCAL_PIPE: u8 = 0x10;
    pub const NETBIOS: u8 = 0x11;
    pub const HTTP: u8 = 0x1f;
}

/// Writes the endpoints in the stub of an answer.
pub fn answer(cx: &mut Cx<'_>, opnum: Option<u16>, stub: &[u8], little: bool) {
    if opnum == Some(MAP) && !stub.is_empty() && map(cx, &mut Reader::new(stub), little).is_err() {
        cx.anomaly("dcerpc", "bad_length", "an endpoint mapper's answer ends before its towers do");
    }
}

/// The answer to `ept_map`: a handle, and an array of pointers to towers.
fn map(cx: &mut Cx<'_>, reader: &mut Reader<'_>, little: bool) -> Wire<()> {
    // Handle, count, size of the array, offset.
    reader.skip(20 + 4 + 4 + 4)?;
    let count = u32_of(reader, little)?;
    let mut present = 0;
    for _ in 0..count {
        present += u32::from(u32_of(reader, little)? != 0);
    }
    for _ in 0..present.min(MAX_TOWERS) {
        reader.skip(4)?;
        let length = usize::try_from(u32_of(reader, little)?).map_err(|_| Malformed)?;
        let tower = reader.take(length)?;
        reader.skip((4 - length % 4) % 4)?;
        write(cx, tower)?;
    }
    Ok(())
}

/// A tower's floors are little-endian but for ports and addresses.
fn write(cx: &mut Cx<'_>, tower: &[u8]) -> Wire<()> {
    let mut reader = Reader::new(tower);
    let count = reader.le_u16()?;
    let (mut uuid, mut version) = (None, None);
    let (mut rpc, mut transport) = (0, None);
    let (mut port, mut address, mut pipe) = (None, None, None);
    for index in 0..count {
        let length = reader.le_u16()?;
        let mut left = reader.sub(usize::from(length))?;
        let length = reader.le_u16()?;
        let right = reader.take(usize::from(length))?;
        let kind = left.u8()?;
        let text = || String::from_utf8_lossy(right.split(|&octet| octet == 0).next().unwrap_or_default()).into_owned();
        match kind {
            // The second floor is the transfer syntax.
            floor::UUID if index == 0 => {
                uuid = Some(Uuid::read(&mut left, true)?);
                let major = left.le_u16()?;
                version = Some(format!("{major}.{}", Reader::new(right).le_u16()?));
            }
            floor::CONNECTION | floor::CONNECTIONLESS | floor::LOCAL => rpc = kind,
            floor::TCP | floor::UDP | floor::HTTP => {
                transport = Some(kind);
                port = Some(Reader::new(right).be_u16()?);
            }
            floor::PIPE | floor::LOCAL_PIPE => {
                transport = Some(kind);
                pipe = Some(text());
            }
            floor::IP => address = Some(IpAddr::V4(Ipv4Addr::from(Reader::new(right).array::<4>()?)).to_string()),
            floor::NETBIOS => address = Some(text()),
            _ => {}
        }
    }
    let sequence = match (rpc, transport) {
        (floor::CONNECTION, Some(floor::TCP)) => Some("ncacn_ip_tcp"),
        (floor::CONNECTION, Some(floor::PIPE)) => Some("ncacn_np"),
        (floor::CONNECTION, Some(floor::HTTP)) => Some("ncacn_http"),
        (floor::CONNECTIONLESS, Some(floor::UDP)) => Some("ncadg_ip_udp"),
        (floor::LOCAL, _) => Some("ncalrpc"),
        _ => None,
    };
    let text = uuid.map(Uuid::text);
    cx.emit(DcerpcEndpoints {
        interface_uuid: text.as_deref(),
        interface_version: version.as_deref(),
        endpoint: uuid.and_then(interface::find).map(|known| known.name),
        annotation: None,
        protocol_sequence: sequence,
        address: address.as_deref(),
        port,
        named_pipe: pipe.as_deref(),
        source: Some("ept_map"),
    });
    Ok(())
}
