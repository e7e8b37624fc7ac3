//! Address prefixes as the tables spell them: canonical CIDR, host bits cleared.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::wire::{Malformed, Reader, Wire};

/// A prefix of either family.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Prefix {
    /// Address with its host bits cleared.
    pub address: IpAddr,
    /// Its length, bits.
    pub length: u8,
}

impl Prefix {
    /// An IPv4 prefix; `None` if the length is more than 32.
    pub fn v4(address: [u8; 4], length: u8) -> Option<Self> {
        let mask = u32::MAX.checked_shl(32_u32.checked_sub(length.into())?).unwrap_or(0);
        Some(Self { address: Ipv4Addr::from(u32::from_be_bytes(address) & mask).into(), length })
    }

    /// An IPv6 prefix; `None` if the length is more than 128.
    pub fn v6(address: [u8; 16], length: u8) -> Option<Self> {
        let mask = u128::MAX.checked_shl(128_u32.checked_sub(length.into())?).unwrap_or(0);
        Some(Self { address: Ipv6Addr::from(u128::from_be_bytes(address) & mask).into(), length })
    }

    /// An IPv4 prefix by its mask; `None` where the mask has holes.
    pub fn masked(address: [u8; 4], mask: [u8; 4]) -> Option<Self> {
        let mask = u32::from_be_bytes(mask);
        let length = mask.leading_ones();
        if mask.checked_shl(length).unwrap_or(0) != 0 {
            return None;
        }
        Self::v4(address, length as u8)
    }

    /// Reads only as many octets as `length` bits need.
    pub fn packed(wire: &mut Reader<'_>, length: u8, v6: bool) -> Wire<Self> {
        let bytes = wire.take(usize::from(length).div_ceil(8))?;
        let mut octets = [0_u8; 16];
        let slots = if v6 { octets.as_mut_slice() } else { octets.get_mut(..4).unwrap_or_default() };
        if bytes.len() > slots.len() {
            return Err(Malformed);
        }
        for (slot, byte) in slots.iter_mut().zip(bytes) {
            *slot = *byte;
        }
        let [a, b, c, d, ..] = octets;
        if v6 { Self::v6(octets, length) } else { Self::v4([a, b, c, d], length) }.ok_or(Malformed)
    }
}

impl std::fmt::Display for Prefix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_bits_are_cleared() {
        assert_eq!(Prefix::v4([10, 1, 2, 3], 20).unwrap().to_string(), "10.1.0.0/20");
        assert_eq!(Prefix::v4([10, 1, 2, 3], 0).unwrap().to_string(), "0.0.0.0/0");
        assert_eq!(Prefix::v4([10, 1, 2, 3], 33), None);
        assert_eq!(Prefix::masked([10, 1, 2, 3], [255, 255, 255, 0]).unwrap().to_string(), "10.1.2.0/24");
        assert_eq!(Prefix::masked([10, 1, 2, 3], [255, 0, 255, 0]), None);
        assert_eq!(Prefix::masked([10, 1, 2, 3], [255; 4]).unwrap().length, 32);
        assert_eq!(Prefix::packed(&mut Reader::new(&[0x20, 1, 0xd, 0xb8, 0xff]), 33, true).unwrap().to_string(), "2001:db8:8000::/33");
        assert_eq!(Prefix::packed(&mut Reader::new(&[10, 0, 0, 0, 0]), 40, false), Err(Malformed));
    }
}
