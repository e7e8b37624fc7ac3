//! ESP and AH (RFC 4303, RFC 4302): what is told in clear of an IPsec security association.

use pcapper_schema::tables::Vpn;

use super::Tally;
use crate::protocols::{Cx, DatagramDissector, DatagramKind, Dir, Group, Offer, Outcome, Protocol, Verdict};
use crate::wire::{Malformed, Reader, Wire};

const IP_AH: u8 = 51;
/// Associations of one pair of hosts that are followed.
const MAX_ASSOCIATIONS: usize = 64;

/// ESP and AH directly in IP; in UDP it shares port 4500 with [`super::IKE`] (RFC 3948).
pub static PROTOCOL: Protocol = Protocol {
    name: "esp",
    group: Group::It,
    datagram: Some(DatagramKind { ip_protos: &[50, IP_AH], probe, start: || Box::<Datagrams>::default() }),
    ..Protocol::NONE
};

fn probe(offer: &Offer<'_>) -> Verdict {
    if header(offer.current()).is_ok() { Verdict::Yes } else { Verdict::No }
}

/// SPI and sequence number of ESP.
pub fn header(bytes: &[u8]) -> Wire<(u32, u32)> {
    let mut reader = Reader::new(bytes);
    let (spi, sequence) = (reader.be_u32()?, reader.be_u32()?);
    // Zero is for local use and never on the wire (RFC 4303, 2.1).
    if spi == 0 || reader.is_empty() { Err(Malformed) } else { Ok((spi, sequence)) }
}

struct Association {
    spi: u32,
    dir: Dir,
    last_sequence: u32,
    tally: Tally,
}

/// The associations between two hosts.
#[derive(Default)]
pub struct Associations(Vec<Association>);

impl Associations {
    /// Counts a packet of one.
    pub fn packet(&mut self, cx: &Cx<'_>, spi: u32, sequence: u32, bytes: usize) {
        let known = self.0.iter().position(|one| one.spi == spi && one.dir == cx.dir);
        let at = known.unwrap_or(self.0.len());
        if known.is_none() {
            if at >= MAX_ASSOCIATIONS {
                return;
            }
            self.0.push(Association { spi, dir: cx.dir, last_sequence: 0, tally: Tally::default() });
        }
        if let Some(one) = self.0.get_mut(at) {
            one.last_sequence = one.last_sequence.max(sequence);
            one.tally.packet(cx, bytes, false);
        }
    }

    /// Writes their rows. Each goes one way; the other end speaks under another SPI.
    pub fn emit(&mut self, cx: &mut Cx<'_>, kind: &str, encapsulation: &str) {
        let both = [Dir::Orig, Dir::Resp].iter().all(|dir| self.0.iter().any(|one| one.dir == *dir));
        for one in self.0.drain(..) {
            let spi = format!("0x{:08x}", one.spi);
            one.tally.emit(
                cx,
                Vpn {
                    kind: Some(kind),
                    encapsulation: Some(encapsulation),
                    spi: Some(&spi),
                    last_sequence: Some(one.last_sequence),
                    confirmed: Some(both),
                    ..Vpn::default()
                },
            );
        }
    }
}

#[derive(Default)]
struct Datagrams {
    associations: Associations,
    is_ah: bool,
}

impl DatagramDissector for Datagrams {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        self.is_ah = cx.packet.and_then(|packet| packet.ip).is_some_and(|ip| ip.proto == IP_AH);
        let read = if self.is_ah {
            // Next header, length, reserved; then as ESP (RFC 4302, 2).
            header(payload.get(4..).unwrap_or_default())
        } else {
            header(payload)
        };
        let Ok((spi, sequence)) = read else { return Outcome::NotMine };
        self.associations.packet(cx, spi, sequence, payload.len());
        Outcome::Decoded
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.associations.emit(cx, if self.is_ah { "ah" } else { "esp" }, "native");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        assert_eq!(header(&[0, 0, 1, 2, 0, 0, 0, 9, 0xaa]), Ok((0x102, 9)));
        assert!(header(&[0, 0, 0, 0, 0, 0, 0, 9, 0xaa]).is_err());
        assert!(header(&[0, 0, 1, 2, 0, 0, 0]).is_err());
    }
}
