//! The packet that an ICMP error quotes (RFC 792, RFC 4443 2.4).

use std::net::IpAddr;

use crate::wire::{Reader, Wire};

/// What is left of a quoted packet's headers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quoted {
    pub src: IpAddr,
    pub dst: IpAddr,
    pub proto: u8,
    /// Ports, where the protocol has them and the quotation reaches that far.
    pub src_port: Option<u16>,
    pub dst_port: Option<u16>,
}

/// Reads the quotation that starts at `bytes`.
pub fn quoted(bytes: &[u8], v6: bool) -> Option<Quoted> {
    let mut reader = Reader::new(bytes);
    let (src, dst, proto, first) = if v6 { header6(&mut reader) } else { header4(&mut reader) }.ok()?;
    let ports = if first && matches!(proto, 6 | 17 | 33 | 132 | 136) { reader.be_u16().ok().zip(reader.be_u16().ok()) } else { None };
    Some(Quoted { src, dst, proto, src_port: ports.map(|ports| ports.0), dst_port: ports.map(|ports| ports.1) })
}

fn header4(reader: &mut Reader<'_>) -> Wire<(IpAddr, IpAddr, u8, bool)> {
    let first = reader.u8()?;
    reader.skip(5)?;
    let offset = reader.be_u16()? & 0x1fff;
    reader.skip(1)?;
    let proto = reader.u8()?;
    reader.skip(2)?;
    let (src, dst) = (reader.array::<4>()?, reader.array::<4>()?);
    let options = (usize::from(first & 0x0f) * 4).saturating_sub(20);
    let whole = first >> 4 == 4 && reader.skip(options).is_ok();
    Ok((src.into(), dst.into(), proto, whole && offset == 0))
}

fn header6(reader: &mut Reader<'_>) -> Wire<(IpAddr, IpAddr, u8, bool)> {
    reader.skip(6)?;
    let mut proto = reader.u8()?;
    reader.skip(1)?;
    let (src, dst) = (reader.array::<16>()?, reader.array::<16>()?);
    let mut first = true;
    for _ in 0..8 {
        match proto {
            0 | 43 | 60 => {
                let Ok(next) = reader.u8() else { break };
                let length = usize::from(reader.u8().unwrap_or(0)) * 8 + 6;
                first &= reader.skip(length).is_ok();
                proto = next;
            }
            44 => {
                let Ok(next) = reader.u8() else { break };
                let _ = reader.u8();
                first &= reader.be_u16().unwrap_or(0) & 0xfff8 == 0 && reader.skip(4).is_ok();
                proto = next;
            }
            _ => break,
        }
    }
    Ok((src.into(), dst.into(), proto, first))
}
