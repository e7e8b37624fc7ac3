//! Arguments that tell what a call is about (NDR, C706 14; the interface's own specification).

use super::interface::{NETLOGON, SVCCTL, Uuid};
use super::pdu::u32_of;
use crate::wire::{Malformed, Reader, Wire};

/// Longest string that is read, in UTF-16 units.
const MAX_UNITS: usize = 2048;

/// The arguments of a request that matter; `None` where none are known or the stub is not readable.
pub fn request(interface: Uuid, opnum: u16, stub: &[u8], little: bool) -> Option<String> {
    let mut stub = Stub { length: stub.len(), reader: Reader::new(stub), little };
    match (interface, opnum) {
        // MS-NRPC, 3.5.4.4.1 and 3.5.4.4.2.
        (NETLOGON, 4) => challenge(&mut stub).ok(),
        (NETLOGON, 15 | 26) => authenticate(&mut stub).ok(),
        // MS-SCMR, 3.1.4.12 and 3.1.4.16.
        (SVCCTL, 12) => create_service(&mut stub).ok(),
        (SVCCTL, 16) => open_service(&mut stub).ok(),
        _ => None,
    }
}

fn challenge(stub: &mut Stub<'_>) -> Wire<String> {
    stub.pointed_text()?;
    let computer = stub.text()?;
    Ok(format!("computer={computer} challenge={:016x}", stub.reader.be_u64()?))
}

fn authenticate(stub: &mut Stub<'_>) -> Wire<String> {
    stub.pointed_text()?;
    let account = stub.text()?;
    // Type of the secure channel.
    stub.reader.skip(2)?;
    let computer = stub.text()?;
    Ok(format!("account={account} computer={computer} credential={:016x}", stub.reader.be_u64()?))
}

fn create_service(stub: &mut Stub<'_>) -> Wire<String> {
    stub.reader.skip(20)?;
    let service = stub.text()?;
    stub.pointed_text()?;
    stub.align()?;
    // Access, type, start, error control.
    stub.reader.skip(16)?;
    Ok(format!("service={service} binary={}", stub.text()?))
}

fn open_service(stub: &mut Stub<'_>) -> Wire<String> {
    stub.reader.skip(20)?;
    Ok(format!("service={}", stub.text()?))
}

/// A stub being read: alignment counts from its start.
struct Stub<'a> {
    reader: Reader<'a>,
    length: usize,
    little: bool,
}

impl Stub<'_> {
    fn align(&mut self) -> Wire<()> {
        let at = self.length.saturating_sub(self.reader.len());
        self.reader.skip((4 - at % 4) % 4)
    }

    /// A string that may be absent.
    fn pointed_text(&mut self) -> Wire<Option<String>> {
        self.align()?;
        if u32_of(&mut self.reader, self.little)? == 0 { Ok(None) } else { self.text().map(Some) }
    }

    /// A conformant and varying string of UTF-16 (C706, 14.3.4.2).
    fn text(&mut self) -> Wire<String> {
        self.align()?;
        let most = u32_of(&mut self.reader, self.little)?;
        let offset = u32_of(&mut self.reader, self.little)?;
        let count = u32_of(&mut self.reader, self.little)?;
        let units = usize::try_from(count).map_err(|_| Malformed)?;
        if offset != 0 || count > most || units > MAX_UNITS {
            return Err(Malformed);
        }
        let octets = self.reader.take(units * 2)?;
        let little = self.little;
        let units = octets.as_chunks::<2>().0.iter().map(|pair| if little { u16::from_le_bytes(*pair) } else { u16::from_be_bytes(*pair) });
        Ok(char::decode_utf16(units.take_while(|&unit| unit != 0)).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opened_service() {
        let mut stub = vec![0; 20];
        for number in [4u32, 0, 4] {
            stub.extend(number.to_le_bytes());
        }
        stub.extend("abc\0".encode_utf16().flat_map(u16::to_le_bytes));
        assert_eq!(request(SVCCTL, 16, &stub, true).as_deref(), Some("service=abc"));
        assert_eq!(request(SVCCTL, 16, &stub[..30], true), None);
        assert_eq!(request(SVCCTL, 17, &stub, true), None);
    }
}
