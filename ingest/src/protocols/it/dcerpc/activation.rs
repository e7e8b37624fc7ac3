//! Activations of objects on other hosts (MS-DCOM, 3.1.2.5.2.3): which class a client wants made, and for which interfaces.
//!
//! ```text
//! ORPCTHIS  version:2+2 flags:4 reserved:4 causality:16 extensions
//! argument  "MEOW" flags:4 (4: custom) interface:16 class:16 extension:4 reserved:4  size:4 reserved:4  properties
//! properties  header:16  total:4 header size:4 -:4 context:4 count:4 class:16 -:12  [4] classes:16*  [4] sizes:4*   then each
//! instantiation info  header:16  class:16 context:4 flags:4 surrogate:4 interfaces:4 -:12 version:4  [4] interfaces:16*
//! ```

use std::borrow::Cow;

use pcapper_schema::tables::Dcom;

use super::interface::{self, Uuid};
use crate::protocols::Cx;
use crate::wire::{Malformed, Reader, Wire};

/// The interface of activations, and its two operations that make objects.
const ACTIVATOR: Uuid = Uuid(0x0000_01a0_0000_0000_c000_0000_0000_0046);
/// Property that names class and interfaces (MS-DCOM, 2.2.22.2.1).
const INSTANTIATION: Uuid = Uuid(0x0000_01ab_0000_0000_c000_0000_0000_0046);
/// Properties and interfaces that are read.
const MAX_LIST: u32 = 64;

/// Classes that matter to whom they let in.
fn class_name(class: Uuid) -> Option<&'static str> {
    Some(match class.0 {
        0x49b2_791a_b1ae_4c90_9b8e_e860_ba07_f889 => "MMC20.Application",
        0x9ba0_5972_f6a8_11cf_a442_00a0_c90a_8f39 => "ShellWindows",
        0xc08a_fd90_f2a1_11d1_8455_00a0_c91f_3880 => "ShellBrowserWindow",
        0x0002_4500_0000_0000_c000_0000_0000_0046 => "Excel.Application",
        0x8bc3_f05e_d86b_11d0_a075_00c0_4fb6_8820 => "WbemLevel1Login",
        0x1348_6d51_4821_11d2_a494_3cb3_06c1_0000 => "OpcEnum",
        _ => return None,
    })
}

/// What an activation asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Activation {
    class: Uuid,
    interfaces: Vec<Uuid>,
    version: (u16, u16),
    causality: Uuid,
}

/// The activation in a request, if it is one.
pub fn request(interface: Uuid, opnum: u16, stub: &[u8], little: bool) -> Option<Activation> {
    if interface != ACTIVATOR || !matches!(opnum, 3 | 4) || !little {
        return None;
    }
    read(stub).ok()
}

fn read(stub: &[u8]) -> Wire<Activation> {
    let mut this = Reader::new(stub);
    let version = (this.le_u16()?, this.le_u16()?);
    this.skip(8)?;
    let causality = Uuid::read(&mut this, true)?;
    let at = stub.windows(4).position(|window| window == b"MEOW").ok_or(Malformed)?;
    let mut reader = Reader::new(stub.get(at + 4..).unwrap_or_default());
    // Another kind of reference is no list of properties.
    if reader.le_u32()? != 4 {
        return Err(Malformed);
    }
    reader.skip(16 + 16 + 4 + 4 + 4 + 4)?;
    let properties = reader.rest();
    let mut header = Reader::new(properties);
    header.skip(16 + 4)?;
    let header_size = usize::try_from(header.le_u32()?).map_err(|_| Malformed)?;
    header.skip(8)?;
    let count = header.le_u32()?.min(MAX_LIST);
    header.skip(16 + 12 + 4)?;
    let classes: Vec<Uuid> = (0..count).map(|_| Uuid::read(&mut header, true)).collect::<Wire<_>>()?;
    header.skip(4)?;
    let mut start = header_size;
    for class in classes {
        let size = usize::try_from(header.le_u32()?).map_err(|_| Malformed)?;
        if class == INSTANTIATION {
            let mut info = Reader::new(properties.get(start..).ok_or(Malformed)?);
            info.skip(16)?;
            let class = Uuid::read(&mut info, true)?;
            info.skip(12)?;
            let count = info.le_u32()?.min(MAX_LIST);
            info.skip(4 + 4 + 4 + 4 + 4)?;
            let interfaces = (0..count).map(|_| Uuid::read(&mut info, true)).collect::<Wire<_>>()?;
            return Ok(Activation { class, interfaces, version, causality });
        }
        start = start.checked_add(size).ok_or(Malformed)?;
    }
    Err(Malformed)
}

/// Writes an activation, or with `result` the answer to it.
pub fn emit(cx: &mut Cx<'_>, activation: &Activation, result: Option<u32>) {
    let texts: Vec<String> = activation.interfaces.iter().map(|interface| interface.text()).collect();
    let iids: Vec<Cow<'_, str>> = texts.iter().map(|text| text.as_str().into()).collect();
    let name = |interface: &Uuid| interface::find(*interface).map_or("-", |known| known.name);
    let names: Vec<Cow<'_, str>> = activation.interfaces.iter().map(|interface| Cow::Borrowed(name(interface))).collect();
    let (class, version) = (activation.class.text(), format!("{}.{}", activation.version.0, activation.version.1));
    let causality = activation.causality.text();
    cx.emit(Dcom {
        event: Some(if result.is_some() { "activation_response" } else { "activation_request" }),
        clsid: Some(&class),
        class_name: class_name(activation.class),
        iids: Some(iids.as_slice()).filter(|iids| !iids.is_empty()),
        interface_names: Some(names.as_slice()).filter(|names| !names.is_empty()),
        hresult: result,
        com_version: Some(version.as_str()),
        causality_id: Some(&causality),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_of_activations() {
        let guid = |uuid: u128| {
            let bytes = uuid.to_be_bytes();
            let mut wire = bytes;
            wire[..4].reverse();
            wire[4..6].reverse();
            wire[6..8].reverse();
            wire
        };
        let mut stub = vec![5, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        stub.extend(guid(1));
        stub.extend(b"....MEOW\x04\0\0\0");
        stub.extend([0; 48]);
        let mut properties = vec![0; 20];
        properties.extend(88_u32.to_le_bytes());
        properties.extend([0; 8]);
        properties.extend(1_u32.to_le_bytes());
        properties.extend([0; 32]);
        properties.extend(guid(INSTANTIATION.0));
        properties.extend([1, 0, 0, 0, 76, 0, 0, 0]);
        properties.resize(88, 0);
        properties.extend([0; 16]);
        properties.extend(guid(0x49b2_791a_b1ae_4c90_9b8e_e860_ba07_f889));
        properties.extend([0; 12]);
        properties.extend(1_u32.to_le_bytes());
        properties.extend([0; 20]);
        properties.extend(guid(ACTIVATOR.0));
        stub.extend(properties);
        let found = request(ACTIVATOR, 4, &stub, true).unwrap();
        assert_eq!((class_name(found.class), found.version, found.interfaces.len()), (Some("MMC20.Application"), (5, 7), 1));
        assert_eq!(request(ACTIVATOR, 4, &stub[..150], true), None);
        assert_eq!(request(ACTIVATOR, 5, &stub, true), None);
    }
}
