//! IEEE 802.11 down to IP, with the headers that capture tools put before it.

use pcapper_schema::Mac;

use super::{Layer, Walk, link, media};
use crate::wire::{Malformed, Reader, Wire};

const FCS: u8 = 4;
const CONTROL: u8 = 1;
const DATA: u8 = 2;
const TO_DS: u8 = 0x01;
const FROM_DS: u8 = 0x02;
const PROTECTED: u8 = 0x40;
const ORDER: u8 = 0x80;
/// Subtype bits of data frames: without data, with a QoS field.
const NO_DATA: u8 = 4;
const QOS: u8 = 8;

/// What the header of an 802.11 frame says, for who looks at more than its IP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WlanHeader {
    /// Type (two bits) and subtype (four), as `type << 4 | subtype`.
    pub type_subtype: u8,
    /// Flags of the frame control field.
    pub flags: u8,
    pub receiver: Mac,
    pub transmitter: Mac,
    pub bssid: Option<Mac>,
    pub sequence: u16,
    pub radio: Radio,
}

impl WlanHeader {
    /// A management frame.
    pub fn is_management(&self) -> bool {
        self.type_subtype < 0x10
    }

    /// It was sent before.
    pub fn is_retry(&self) -> bool {
        self.flags & 0x08 != 0
    }

    /// Its body is encrypted.
    pub fn is_protected(&self) -> bool {
        self.flags & PROTECTED != 0
    }
}

/// What the header that the capture tool put before it says.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Radio {
    pub frequency_mhz: Option<u16>,
    pub signal_dbm: Option<i8>,
    /// In units of 500 kbit/s.
    pub rate: Option<u8>,
}

/// How a frame was captured.
#[derive(Clone, Copy, Default)]
pub struct Shape {
    pub radio: Radio,
    /// A frame check sequence stands at the end.
    pub has_fcs: bool,
    /// The MAC header is padded to a multiple of four octets.
    pub is_padded: bool,
    /// The two octets of the frame control field are exchanged.
    pub is_swapped: bool,
}

/// Radiotap: a header of little-endian fields, of which the first six matter here.
pub fn radiotap<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    let mut reader = Reader::new(bytes);
    reader.skip(2)?;
    let length = usize::from(reader.le_u16()?);
    let first = reader.le_u32()?;
    let mut present = first;
    let mut words = 1usize;
    while present & 0x8000_0000 != 0 && words < 16 {
        present = reader.le_u32()?;
        words += 1;
    }
    // Field 0 is the 64-bit clock, aligned; field 1 the flags.
    let mut at = 4 + words * 4;
    if first & 1 != 0 {
        at = at.next_multiple_of(8) + 8;
    }
    let flags = if first & 2 != 0 { bytes.get(at).copied().unwrap_or(0) } else { 0 };
    at += usize::from(first & 2 != 0);
    let mut radio = Radio::default();
    if first & 4 != 0 {
        radio.rate = bytes.get(at).copied();
        at += 1;
    }
    if first & 8 != 0 {
        at = at.next_multiple_of(2);
        radio.frequency_mhz = bytes.get(at..at + 2).map(|field| field.iter().rev().fold(0, |number: u16, octet| number << 8 | u16::from(*octet)));
        at += 4;
    }
    if first & 16 != 0 {
        at += 2;
    }
    if first & 32 != 0 {
        radio.signal_dbm = bytes.get(at).map(|octet| octet.cast_signed());
    }
    walk.layer(Layer::Radiotap);
    let inner = bytes.get(length..).ok_or(Malformed)?;
    shaped(walk, inner, Shape { radio, has_fcs: flags & 0x10 != 0, is_padded: flags & 0x20 != 0, is_swapped: false })
}

/// Prism or AVS header, told apart by the first word.
pub fn prism_or_avs<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    let mut reader = Reader::new(bytes);
    let cookie = reader.be_u32()?;
    let length = if cookie & 0xffff_f000 == 0x8021_1000 {
        walk.layer(Layer::Avs);
        reader.be_u32()?
    } else {
        walk.layer(Layer::Prism);
        let length = reader.le_u32()?;
        if length as usize > bytes.len() { length.swap_bytes() } else { length }
    };
    let inner = bytes.get(length as usize..).ok_or(Malformed)?;
    frame(walk, inner)
}

/// Per-Packet Information: a header that names the link type of what follows.
pub fn ppi<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    let mut reader = Reader::new(bytes);
    reader.skip(2)?;
    let length = usize::from(reader.le_u16()?);
    let link_type = reader.le_u32()?;
    // The common field (type 2) says behind its clock whether the frame check sequence is there.
    let (kind, size) = (reader.le_u16().unwrap_or(0), reader.le_u16().unwrap_or(0));
    let has_fcs = kind == 2 && size >= 10 && bytes.get(20).is_some_and(|flags| flags & 1 != 0);
    walk.layer(Layer::Ppi);
    let inner = bytes.get(length..).ok_or(Malformed)?;
    if link_type == 105 {
        return shaped(walk, inner, Shape { has_fcs, ..Shape::default() });
    }
    media::nested(walk, link_type, inner)
}

/// An 802.11 frame as it is.
pub fn frame<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    shaped(walk, bytes, Shape::default())
}

/// A data frame in clear text, up to a SNAP header: what a tunnel for 802.11 frames is followed for.
pub fn is_clear_data(bytes: &[u8], is_swapped: bool) -> bool {
    let [first, second, ..] = *bytes else { return false };
    let (control, flags) = if is_swapped { (second, first) } else { (first, second) };
    let subtype = control >> 4;
    if control & 0x0f != DATA << 2 || subtype & NO_DATA != 0 || flags & PROTECTED != 0 {
        return false;
    }
    let addresses = if flags & TO_DS != 0 && flags & FROM_DS != 0 { 30 } else { 24 };
    let qos = if subtype & QOS == 0 {
        0
    } else if flags & ORDER == 0 {
        2
    } else {
        6
    };
    bytes.get(addresses + qos..).is_some_and(|rest| rest.starts_with(&[0xaa, 0xaa, 3]))
}

/// An 802.11 frame (IEEE 802.11, 9.2 and 9.3).
pub fn shaped<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8], shape: Shape) -> Wire<()> {
    walk.layer(Layer::Wlan);
    let bytes = if shape.has_fcs { walk.without_tail(bytes, FCS) } else { bytes };
    let mut reader = Reader::new(bytes);
    let [first, second] = reader.array::<2>()?;
    let (control, flags) = if shape.is_swapped { (second, first) } else { (first, second) };
    let (kind, subtype) = (control >> 2 & 3, control >> 4);
    reader.skip(2)?;
    let receiver = reader.array::<6>()?;
    walk.packet.dst_mac = Some(Mac(receiver));
    // Control frames end here, or have only the transmitter's address.
    if kind == CONTROL {
        if let Ok(transmitter) = reader.array::<6>() {
            walk.packet.src_mac = Some(Mac(transmitter));
        }
        walk.done(reader.rest());
        return Ok(());
    }
    let transmitter = reader.array::<6>()?;
    let third = reader.array::<6>()?;
    let sequence = reader.le_u16()? >> 4;
    walk.packet.src_mac = Some(Mac(transmitter));
    let bssid = match (kind == DATA && flags & TO_DS != 0, kind == DATA && flags & FROM_DS != 0) {
        (false, false) => Some(third),
        (true, false) => Some(receiver),
        (false, true) => Some(transmitter),
        (true, true) => None,
    };
    walk.packet.wlan = Some(WlanHeader {
        type_subtype: kind << 4 | subtype,
        flags,
        receiver: Mac(receiver),
        transmitter: Mac(transmitter),
        bssid: bssid.map(Mac),
        sequence,
        radio: shape.radio,
    });
    if kind != DATA {
        walk.done(reader.rest());
        return Ok(());
    }
    let (to_ds, from_ds) = (flags & TO_DS != 0, flags & FROM_DS != 0);
    let (src, dst) = match (to_ds, from_ds) {
        (false, false) => (transmitter, receiver),
        (true, false) => (transmitter, third),
        (false, true) => (third, receiver),
        (true, true) => (reader.array::<6>()?, third),
    };
    walk.packet.src_mac = Some(Mac(src));
    walk.packet.dst_mac = Some(Mac(dst));
    let mut is_aggregate = false;
    if subtype & QOS != 0 {
        is_aggregate = reader.le_u16()? & 0x80 != 0;
        if flags & ORDER != 0 {
            reader.skip(4)?;
        }
    }
    let header = bytes.len().saturating_sub(reader.len());
    if shape.is_padded && !header.is_multiple_of(4) {
        reader.skip(4 - header % 4)?;
    }
    // Null data and encrypted data have no LLC header to read.
    let rest = reader.rest();
    if subtype & NO_DATA != 0 || flags & PROTECTED != 0 || rest.is_empty() {
        walk.done(rest);
        return Ok(());
    }
    if is_aggregate {
        // The first of several: addresses, length, then LLC.
        let mut part = Reader::new(rest);
        let (dst, src) = (part.array::<6>()?, part.array::<6>()?);
        let length = usize::from(part.be_u16()?);
        walk.packet.src_mac = Some(Mac(src));
        walk.packet.dst_mac = Some(Mac(dst));
        let body = walk.bounded(part.rest(), length, "wlan").0;
        return link::llc(walk, body);
    }
    link::llc(walk, rest)
}

#[cfg(test)]
mod tests {
    use super::super::{Layer, Transport, decode};
    use pcapper_schema::Mac;

    const LLC_UDP: [u8; 36] =
        [0xaa, 0xaa, 3, 0, 0, 0, 8, 0, 0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0, 7, 0, 9, 0, 8, 0, 0];

    fn data(control: u8, flags: u8) -> Vec<u8> {
        let mut frame = vec![control, flags, 0, 0];
        for last in 1..=3 {
            frame.extend([2, 0, 0, 0, 0, last]);
        }
        frame.extend([0, 0]);
        frame
    }

    #[test]
    fn addresses_follow_the_direction() {
        let mut frame = data(0x08, 0x01);
        frame.extend(LLC_UDP);
        let packet = decode(105, &frame, frame.len() as u32, 0);
        assert_eq!((packet.src_mac, packet.dst_mac), (Some(Mac([2, 0, 0, 0, 0, 2])), Some(Mac([2, 0, 0, 0, 0, 3]))));
        assert!(matches!(packet.transport, Transport::Udp { src_port: 7, dst_port: 9, .. }));
        frame[1] = 0x41;
        let packet = decode(105, &frame, frame.len() as u32, 0);
        assert!(packet.ip.is_none() && packet.payload == LLC_UDP);
    }

    #[test]
    fn radiotap_flags_shape_the_frame() {
        // Clock and flags; check sequence and padding are there.
        let mut frame = vec![0, 0, 17, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x30];
        frame.extend(data(0x88, 0x02));
        frame.extend([0, 0, 0xee, 0xee]);
        frame.extend(LLC_UDP);
        frame.extend([1, 2, 3, 4]);
        let packet = decode(127, &frame, frame.len() as u32, 0);
        assert!(matches!(packet.transport, Transport::Udp { src_port: 7, dst_port: 9, .. }) && packet.trailer.is_empty());
        assert_eq!((packet.layers[0], packet.layers[1], packet.src_mac), (Layer::Radiotap, Layer::Wlan, Some(Mac([2, 0, 0, 0, 0, 3]))));
    }
}
