//! The packet that an ICMP error quotes (RFC 792, RFC 4443 2.4).

use std::net::IpAddr;

use crate::wire::{Malformed, Reader, Wire};

/// Extension headers followed in one quotation.
const MAX_EXTENSIONS: usize = 8;

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
    if first >> 4 != 4 {
        return Err(Malformed);
    }
    let whole = reader.skip(options).is_ok();
    Ok((src.into(), dst.into(), proto, whole && offset == 0))
}

fn header6(reader: &mut Reader<'_>) -> Wire<(IpAddr, IpAddr, u8, bool)> {
    if reader.u8()? >> 4 != 6 {
        return Err(Malformed);
    }
    reader.skip(5)?;
    let mut proto = reader.u8()?;
    reader.skip(1)?;
    let (src, dst) = (reader.array::<16>()?, reader.array::<16>()?);
    let mut first = true;
    for _ in 0..MAX_EXTENSIONS {
        match proto {
            _ if !first => break,
            0 | 43 | 60 => {
                let Some(&[next, length]) = reader.peek().first_chunk::<2>() else { break };
                proto = next;
                first &= reader.skip(usize::from(length) * 8 + 8).is_ok();
            }
            44 => {
                let Some(&[next, _, high, low]) = reader.peek().first_chunk::<4>() else { break };
                proto = next;
                first &= u16::from_be_bytes([high, low]) & 0xfff8 == 0 && reader.skip(8).is_ok();
            }
            _ => break,
        }
    }
    Ok((src.into(), dst.into(), proto, first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_need_the_first_fragment() {
        let mut packet = vec![0x46, 0, 0, 40, 0, 0, 0x20, 0, 1, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 1, 1, 1, 1, 0, 7, 0, 9];
        let quote = |packet: &[u8]| quoted(packet, false).map(|quoted| (quoted.proto, quoted.src_port, quoted.dst_port));
        assert_eq!(quote(&packet), Some((17, Some(7), Some(9))));
        assert_eq!(quote(&packet[..26]), Some((17, None, None)));
        packet[7] = 1;
        assert_eq!(quote(&packet), Some((17, None, None)));
        assert_eq!((quote(&packet[..19]), quoted(&packet, true)), (None, None));
    }

    #[test]
    fn extension_headers_are_passed() {
        let mut packet = vec![0x60, 0, 0, 0, 0, 20, 60, 1];
        packet.extend([0; 32]);
        packet.extend([44, 0, 1, 4, 0, 0, 0, 0, 6, 0, 0, 1, 0, 0, 0, 9, 0, 22, 1, 0]);
        let quoted = quoted(&packet, true).unwrap();
        assert_eq!((quoted.proto, quoted.src_port, quoted.dst_port), (6, Some(22), Some(256)));
    }
}
