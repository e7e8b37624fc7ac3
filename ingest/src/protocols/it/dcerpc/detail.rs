//! Arguments that tell what a call is about (NDR, C706 14; the interface's own specification).

use super::interface::{ATSVC, NETLOGON, SPOOLSS, SVCCTL, TASK_SCHEDULER, Uuid, WINREG};
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
        // MS-RRP, 3.1.5.15.
        (WINREG, 15) => open_key(&mut stub).ok(),
        // MS-TSCH, 3.2.5.2.1 and 3.2.5.4.2.
        (ATSVC, 0) => add_job(&mut stub).ok(),
        (TASK_SCHEDULER, 1) => register_task(&mut stub).ok(),
        // MS-RPRN, 3.1.4.4.8.
        (SPOOLSS, 89) => add_driver(&mut stub).ok(),
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

fn open_key(stub: &mut Stub<'_>) -> Wire<String> {
    // The handle, then length and room of the name.
    stub.reader.skip(24)?;
    Ok(format!("key={}", stub.pointed_text()?.ok_or(Malformed)?))
}

fn add_job(stub: &mut Stub<'_>) -> Wire<String> {
    stub.pointed_text()?;
    stub.align()?;
    // Time, days of the month, days of the week, flags.
    stub.reader.skip(12)?;
    Ok(format!("command={}", stub.pointed_text()?.ok_or(Malformed)?))
}

fn register_task(stub: &mut Stub<'_>) -> Wire<String> {
    Ok(format!("task={}", stub.pointed_text()?.ok_or(Malformed)?))
}

/// The first members of all forms of a driver's description: name, environment, and the files that make it up.
fn add_driver(stub: &mut Stub<'_>) -> Wire<String> {
    stub.pointed_text()?;
    stub.align()?;
    // Level, level again as the union's tag, pointer to the description, version.
    let level = u32_of(&mut stub.reader, stub.little)?;
    stub.reader.skip(12)?;
    let pointers = match level {
        2 => 5,
        // Help, monitor, data type, and dependent files with their number.
        3 => 10,
        // Older files besides.
        4 => 12,
        _ => return Err(Malformed),
    };
    let mut present = [false; 5];
    for at in 0..pointers {
        let is_set = u32_of(&mut stub.reader, stub.little)? != 0;
        if let Some(present) = present.get_mut(at) {
            *present = is_set;
        }
    }
    let mut parts = Vec::new();
    for (name, present) in ["driver", "environment", "path", "data", "config"].iter().zip(present) {
        if present {
            parts.push(format!("{name}={}", stub.text()?));
        }
    }
    Ok(parts.join(" "))
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

    /// A text as it stands behind its pointer, filled up to four octets.
    fn text(of: &str) -> Vec<u8> {
        let units: Vec<u16> = of.encode_utf16().chain([0]).collect();
        let mut octets: Vec<u8> = [units.len() as u32, 0, units.len() as u32].iter().flat_map(|number| number.to_le_bytes()).collect();
        octets.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
        octets.resize(octets.len().next_multiple_of(4), 0);
        octets
    }

    fn pointed(of: &str) -> Vec<u8> {
        [vec![1, 0, 2, 0], text(of)].concat()
    }

    #[test]
    fn opened_key() {
        let stub = [vec![0; 20], vec![8, 0, 8, 0], pointed("SAM")].concat();
        assert_eq!(request(WINREG, 15, &stub, true).as_deref(), Some("key=SAM"));
    }

    #[test]
    fn jobs_and_tasks() {
        let job = [pointed("\\\\dc1"), vec![0; 12], pointed("cmd /c whoami")].concat();
        assert_eq!(request(ATSVC, 0, &job, true).as_deref(), Some("command=cmd /c whoami"));
        assert_eq!(request(TASK_SCHEDULER, 1, &pointed("\\clean"), true).as_deref(), Some("task=\\clean"));
    }

    #[test]
    fn added_driver() {
        let mut stub = [pointed("\\\\print"), [2u32, 2, 0x20000, 3, 1, 1, 1, 1, 1].iter().flat_map(|number| number.to_le_bytes()).collect()].concat();
        for part in ["x", "Windows x64", "C:\\d.dll", "\\\\10.0.0.66\\s\\e.dll", "C:\\c.dll"] {
            stub.extend(text(part));
        }
        assert_eq!(
            request(SPOOLSS, 89, &stub, true).as_deref(),
            Some("driver=x environment=Windows x64 path=C:\\d.dll data=\\\\10.0.0.66\\s\\e.dll config=C:\\c.dll")
        );
        stub[20] = 9;
        assert_eq!(request(SPOOLSS, 89, &stub[..40], true), None);
    }
}
