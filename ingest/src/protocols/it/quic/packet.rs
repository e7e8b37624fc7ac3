//! Headers of packets (RFC 8999, RFC 9000 section 17, RFC 9369 section 3.2) and the versions that exist.

use std::borrow::Cow;

use crate::wire::{Malformed, Reader, Wire};

/// QUIC version 1 (RFC 9000).
pub const V1: u32 = 1;
/// QUIC version 2 (RFC 9369).
pub const V2: u32 = 0x6b33_43cf;
/// Version 2 as its drafts had it.
const V2_DRAFT: u32 = 0x709a_50c4;

/// Longest connection id of all versions that are decoded (RFC 9000, 17.2).
const MAX_CID: u8 = 20;
/// Least size of a datagram with a client's Initial (RFC 9000, 14.1).
const MIN_INITIAL_DATAGRAM: usize = 1200;
/// Shortest connection id that a client makes up for a server (RFC 9000, 7.2).
const MIN_FIRST_DCID: usize = 8;

/// What a long header announces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Initial,
    ZeroRtt,
    Handshake,
    Retry,
    VersionNegotiation,
}

impl Kind {
    /// As in `quic_packets.packet_type`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::ZeroRtt => "0rtt",
            Self::Handshake => "handshake",
            Self::Retry => "retry",
            Self::VersionNegotiation => "version_negotiation",
        }
    }

    /// By the two type bits, which version 2 numbers anew.
    fn of(version: u32, first: u8) -> Self {
        let bits = first >> 4 & 3;
        let bits = if matches!(version, V2 | V2_DRAFT) { bits.wrapping_add(3) & 3 } else { bits };
        match bits {
            0 => Self::Initial,
            1 => Self::ZeroRtt,
            2 => Self::Handshake,
            _ => Self::Retry,
        }
    }
}

/// A packet with a long header.
#[derive(Debug)]
pub struct Long<'a> {
    pub kind: Kind,
    pub version: u32,
    pub dcid: &'a [u8],
    pub scid: &'a [u8],
    /// Initial: length of its token.
    pub token_len: Option<u32>,
    /// Length field.
    pub length: Option<u32>,
    /// The packet from its first octet to the end of its payload.
    pub bytes: &'a [u8],
    /// Where its (protected) packet number starts.
    pub number_at: usize,
    /// The capture has all of its payload.
    pub whole: bool,
    /// Version Negotiation: the versions listed, four octets each.
    pub versions: &'a [u8],
}

impl<'a> Long<'a> {
    /// Reads the packet at the start of `datagram`; gives what is left behind it as well.
    pub fn parse(datagram: &'a [u8]) -> Wire<(Self, &'a [u8])> {
        let mut reader = Reader::new(datagram);
        let first = reader.u8()?;
        let version = reader.be_u32()?;
        if first & 0x80 == 0 {
            return Err(Malformed);
        }
        let dcid = connection_id(&mut reader)?;
        let scid = connection_id(&mut reader)?;
        let kind = if version == 0 { Kind::VersionNegotiation } else { Kind::of(version, first) };
        let mut packet =
            Self { kind, version, dcid, scid, token_len: None, length: None, bytes: datagram, number_at: datagram.len(), whole: true, versions: &[] };
        match kind {
            Kind::VersionNegotiation => {
                packet.versions = reader.rest();
                if packet.versions.is_empty() || !packet.versions.len().is_multiple_of(4) {
                    return Err(Malformed);
                }
                return Ok((packet, &[]));
            }
            Kind::Retry => return Ok((packet, &[])),
            Kind::Initial => {
                let length = varint(&mut reader)?;
                packet.token_len = u32::try_from(length).ok();
                reader.skip(usize::try_from(length).map_err(|_| Malformed)?)?;
            }
            Kind::ZeroRtt | Kind::Handshake => {}
        }
        let length = varint(&mut reader)?;
        packet.length = u32::try_from(length).ok();
        packet.number_at = datagram.len() - reader.len();
        let length = usize::try_from(length).map_err(|_| Malformed)?;
        packet.whole = length <= reader.len();
        reader.skip(length.min(reader.len()))?;
        let rest = reader.rest();
        packet.bytes = datagram.get(..datagram.len() - rest.len()).unwrap_or_default();
        Ok((packet, rest))
    }

    /// Versions of a Version Negotiation packet.
    pub fn offered(&self) -> impl Iterator<Item = u32> + '_ {
        self.versions.as_chunks::<4>().0.iter().map(|version| u32::from_be_bytes(*version))
    }

    /// The packet is QUIC's beyond doubt: of a version that exists, or shaped as an Initial of one that does not.
    pub fn is_sound(&self, datagram: usize, usual_port: bool) -> bool {
        if self.kind == Kind::VersionNegotiation {
            return self.offered().any(|version| is_known(version) || is_grease(version)) && self.offered().count() <= 64;
        }
        if is_known(self.version) {
            // A frame cut short by the capture proves less.
            return (self.whole || usual_port) && self.length != Some(0);
        }
        let initial = self.kind == Kind::Initial && self.whole && datagram >= MIN_INITIAL_DATAGRAM && self.dcid.len() >= MIN_FIRST_DCID;
        initial && (usual_port || is_grease(self.version)) && self.length.is_some_and(|length| length > 100)
    }
}

fn connection_id<'a>(reader: &mut Reader<'a>) -> Wire<&'a [u8]> {
    let length = reader.u8()?;
    if length > MAX_CID {
        return Err(Malformed);
    }
    reader.take(length.into())
}

/// A variable-length integer (RFC 9000, 16).
pub fn varint(reader: &mut Reader<'_>) -> Wire<u64> {
    let first = reader.u8()?;
    let mut value = u64::from(first & 0x3f);
    for octet in reader.take((1usize << (first >> 6)) - 1)? {
        value = value << 8 | u64::from(*octet);
    }
    Ok(value)
}

/// Versions reserved to exercise negotiation: 0x?a?a?a?a (RFC 9000, 15).
pub fn is_grease(version: u32) -> bool {
    version & 0x0f0f_0f0f == 0x0a0a_0a0a
}

/// Drafts from 22 on have today's header.
pub fn draft(version: u32) -> Option<u32> {
    (0xff00_0016..=0xff00_0022).contains(&version).then_some(version & 0xff)
}

/// Google's own versions, spelled in their number: Q043, T051.
pub fn google(version: u32) -> Option<[u8; 4]> {
    match version.to_be_bytes() {
        name @ [b'Q' | b'T', b'0', b'0'..=b'9', b'0'..=b'9'] => Some(name),
        _ => None,
    }
}

/// A version that this module knows to read.
pub fn is_known(version: u32) -> bool {
    let google = matches!(&version.to_be_bytes(), b"Q050" | b"T050" | b"T051");
    google || matches!(version, V1 | V2 | V2_DRAFT | 0xface_b000..=0xface_b01f) || draft(version).is_some()
}

/// As in `quic.version_name`.
pub fn version_name(version: u32) -> Cow<'static, str> {
    if let Some(name) = google(version) {
        return Cow::Owned(name.into_iter().map(char::from).collect());
    }
    match version {
        V1 => "1".into(),
        V2 => "quicv2".into(),
        V2_DRAFT => "quicv2-draft".into(),
        0xface_b001 => "mvfst-22".into(),
        0xface_b002 => "mvfst-27".into(),
        0xface_b000..=0xface_b01f => "mvfst".into(),
        _ => draft(version).map_or("unknown".into(), |draft| format!("draft-{draft}").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_the_standard() {
        // RFC 9000, A.1.
        let read = |bytes: &[u8]| varint(&mut Reader::new(bytes));
        assert_eq!(read(&[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c]), Ok(151_288_809_941_952_652));
        assert_eq!(read(&[0x9d, 0x7f, 0x3e, 0x7d]), Ok(494_878_333));
        assert_eq!(read(&[0x7b, 0xbd]), Ok(15_293));
        assert_eq!(read(&[0x25]), Ok(37));
        assert_eq!(read(&[0x40]), Err(Malformed));
    }

    #[test]
    fn version_2_numbers_types_anew() {
        let kinds = |version| [0xc0, 0xd0, 0xe0, 0xf0].map(|first| Kind::of(version, first));
        assert_eq!(kinds(V1), [Kind::Initial, Kind::ZeroRtt, Kind::Handshake, Kind::Retry]);
        assert_eq!(kinds(V2), [Kind::Retry, Kind::Initial, Kind::ZeroRtt, Kind::Handshake]);
    }

    #[test]
    fn packets_share_a_datagram() {
        let mut bytes = vec![0xe0, 0, 0, 0, 1, 2, 7, 8, 1, 9, 3, 1, 2, 3];
        bytes.extend([0x40, 7, 8]);
        let (packet, rest) = Long::parse(&bytes).unwrap();
        assert_eq!((packet.kind, packet.dcid, packet.scid), (Kind::Handshake, &[7, 8][..], &[9][..]));
        assert_eq!((packet.length, packet.bytes.len(), packet.number_at, rest), (Some(3), 14, 11, &[0x40, 7, 8][..]));
    }

    #[test]
    fn names() {
        assert_eq!(version_name(0xff00_001d), "draft-29");
        assert_eq!(version_name(0x5130_3436), "Q046");
        assert_eq!(version_name(0x1a2a_3a4a), "unknown");
        assert!(is_grease(0x1a2a_3a4a) && !is_known(0x5130_3436));
    }
}
