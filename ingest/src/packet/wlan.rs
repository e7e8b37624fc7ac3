//! IEEE 802.11 down to IP, with the headers that capture tools put before it.

use pcapper_schema::Mac;

use super::{Layer, Walk, link};
use crate::wire::{Malformed, Reader, Wire};

/// Radiotap: a header of little-endian fields, of which only the flags matter here (frame check sequence present).
pub fn radiotap<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    let mut reader = Reader::new(bytes);
    reader.skip(2)?;
    let length = usize::from(reader.le_u16()?);
    let mut present = reader.le_u32()?;
    let first = present;
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
    walk.layer(Layer::Radiotap);
    let inner = bytes.get(length..).ok_or(Malformed)?;
    frame_padded(walk, inner, flags & 0x10 != 0, flags & 0x20 != 0)
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
    frame(walk, inner, false)
}

/// Per-Packet Information: a header that names the link type of what follows.
pub fn ppi<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    let mut reader = Reader::new(bytes);
    reader.skip(2)?;
    let length = usize::from(reader.le_u16()?);
    let link_type = reader.le_u32()?;
    // The common field (type 2) says whether the frame check sequence is there.
    let (kind, size) = (reader.le_u16().unwrap_or(0), reader.le_u16().unwrap_or(0));
    let fcs = kind == 2 && size >= 10 && bytes.get(20).is_some_and(|flags| flags & 1 != 0);
    walk.layer(Layer::Ppi);
    let inner = bytes.get(length..).ok_or(Malformed)?;
    if link_type == 105 {
        return frame(walk, inner, fcs);
    }
    link::start(walk, link_type as u16, inner);
    Ok(())
}

/// An 802.11 frame.
pub fn frame<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8], fcs: bool) -> Wire<()> {
    frame_padded(walk, bytes, fcs, false)
}

fn frame_padded<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8], fcs: bool, padded: bool) -> Wire<()> {
    walk.layer(Layer::Wlan);
    let bytes = if fcs && walk.cut == 0 { bytes.get(..bytes.len().saturating_sub(4)).unwrap_or_default() } else { bytes };
    let mut reader = Reader::new(bytes);
    let [control, flags] = reader.array::<2>()?;
    let (kind, subtype) = (control >> 2 & 3, control >> 4);
    reader.skip(2)?;
    let first = reader.array::<6>()?;
    walk.packet.dst_mac = Some(Mac(first));
    // Control frames end here, or have only the transmitter's address.
    if kind == 1 {
        if let Ok(second) = reader.array::<6>() {
            walk.packet.src_mac = Some(Mac(second));
        }
        walk.done(reader.rest());
        return Ok(());
    }
    let second = reader.array::<6>()?;
    let third = reader.array::<6>()?;
    reader.skip(2)?;
    walk.packet.src_mac = Some(Mac(second));
    if kind != 2 {
        walk.done(reader.rest());
        return Ok(());
    }
    let (to_ds, from_ds) = (flags & 1 != 0, flags & 2 != 0);
    let (src, dst) = match (to_ds, from_ds) {
        (false, false) => (second, first),
        (true, false) => (second, third),
        (false, true) => (third, first),
        (true, true) => (reader.array::<6>()?, third),
    };
    walk.packet.src_mac = Some(Mac(src));
    walk.packet.dst_mac = Some(Mac(dst));
    let mut header = if to_ds && from_ds { 30 } else { 24 };
    let mut aggregated = false;
    if subtype & 8 != 0 {
        let qos = reader.le_u16()?;
        header += 2;
        aggregated = qos & 0x80 != 0;
        if flags & 0x80 != 0 {
            reader.skip(4)?;
            header += 4;
        }
    }
    if padded && header % 4 != 0 {
        reader.skip(4 - header % 4)?;
    }
    // Null data, encrypted data and later fragments have no LLC header to read.
    let rest = reader.rest();
    if subtype & 4 != 0 || flags & 0x40 != 0 || rest.is_empty() {
        walk.done(rest);
        return Ok(());
    }
    if aggregated {
        // The first of several: addresses, length, then LLC.
        let mut inner = Reader::new(rest);
        let (dst, src) = (inner.array::<6>()?, inner.array::<6>()?);
        let length = usize::from(inner.be_u16()?);
        walk.packet.src_mac = Some(Mac(src));
        walk.packet.dst_mac = Some(Mac(dst));
        let body = inner.rest();
        return link::llc(walk, body.get(..length.min(body.len())).unwrap_or_default());
    }
    link::llc(walk, rest)
}
