//! Where programs and exported directories are found: portmap and rpcbind (RFC 1833), mount (RFC 1813, appendix I).

use super::programs::{MOUNT, PORTMAP};
use super::xdr::{list, opaque, string};
use crate::wire::{Reader, Wire};

/// What a call asks and what its reply says.
#[derive(Clone, Default, Debug)]
pub struct Directory {
    pub program: Option<u32>,
    pub version: Option<u32>,
    pub protocol: Option<u8>,
    pub port: Option<u32>,
    pub address: Option<String>,
    /// Programs registered, each as name or number, version, protocol and port or address.
    pub mappings: Option<Vec<String>>,
    pub path: Option<String>,
    pub status: Option<u32>,
    pub exports: Option<Vec<String>>,
    pub handle: Option<Vec<u8>>,
}

/// Most lines of a list that are kept.
const MAX_LINES: usize = 4096;

impl Directory {
    /// Reads the arguments of a procedure.
    pub fn call(&mut self, program: u32, version: u32, procedure: u32, reader: &mut Reader<'_>) -> Wire<()> {
        match (program, version, procedure) {
            (PORTMAP, ..=2, 1..=3) => {
                self.program = Some(reader.be_u32()?);
                self.version = Some(reader.be_u32()?);
                self.protocol = u8::try_from(reader.be_u32()?).ok().filter(|&protocol| protocol != 0);
                let port = reader.be_u32()?;
                // What is registered has a port; who asks for one leaves it 0.
                self.port = (procedure != 3).then_some(port);
            }
            (PORTMAP, ..=2, 5) | (PORTMAP, 3.., 5 | 10) => {
                self.program = Some(reader.be_u32()?);
                self.version = Some(reader.be_u32()?);
            }
            (PORTMAP, 3.., 1..=3 | 9 | 11) => {
                self.program = Some(reader.be_u32()?);
                self.version = Some(reader.be_u32()?);
                self.protocol = protocol(&string(reader)?);
                let address = string(reader)?;
                if procedure < 3 {
                    self.found(&address);
                }
            }
            (MOUNT, _, 1 | 3) => self.path = Some(string(reader)?.into_owned()),
            _ => {}
        }
        Ok(())
    }

    /// Reads the results of a procedure.
    pub fn reply(&mut self, program: u32, version: u32, procedure: u32, reader: &mut Reader<'_>) -> Wire<()> {
        match (program, version, procedure) {
            (PORTMAP, ..=2, 3 | 5) => self.port = Some(reader.be_u32()?),
            (PORTMAP, 3.., 3 | 5 | 9 | 10) => {
                let address = string(reader)?;
                self.found(&address);
            }
            (PORTMAP, ..=2, 4) => {
                let lines = self.mappings.insert(Vec::new());
                list(reader, |reader| {
                    let (program, version) = (reader.be_u32()?, reader.be_u32()?);
                    let (protocol, port) = (reader.be_u32()?, reader.be_u32()?);
                    let protocol = match protocol {
                        6 => "tcp".to_owned(),
                        17 => "udp".to_owned(),
                        _ => protocol.to_string(),
                    };
                    note(lines, || format!("{} {version} {protocol} {port}", title(program)));
                    Ok(())
                })?;
            }
            (PORTMAP, 3.., 4) => {
                let lines = self.mappings.insert(Vec::new());
                list(reader, |reader| {
                    let (program, version) = (reader.be_u32()?, reader.be_u32()?);
                    let (net, address) = (string(reader)?, string(reader)?);
                    string(reader)?;
                    note(lines, || format!("{} {version} {net} {address}", title(program)));
                    Ok(())
                })?;
            }
            (MOUNT, _, 1) => {
                let status = reader.be_u32()?;
                self.status = Some(status);
                if status == 0 {
                    self.handle = Some(if version < 3 { reader.take(32)? } else { opaque(reader)? }.to_vec());
                }
            }
            (MOUNT, _, 5 | 6) => {
                let lines = self.exports.insert(Vec::new());
                list(reader, |reader| {
                    let directory = string(reader)?;
                    let mut groups = Vec::new();
                    list(reader, |reader| {
                        groups.push(string(reader)?);
                        Ok(())
                    })?;
                    note(lines, || format!("{directory}({})", groups.join(",")));
                    Ok(())
                })?;
            }
            _ => {}
        }
        Ok(())
    }

    /// A universal address (RFC 5665, section 5.2.3.3): empty where nothing is registered.
    fn found(&mut self, address: &str) {
        self.address = (!address.is_empty()).then(|| address.to_owned());
        self.port = if address.is_empty() { Some(0) } else { port(address) };
    }
}

fn note(lines: &mut Vec<String>, line: impl FnOnce() -> String) {
    if lines.len() < MAX_LINES {
        lines.push(line());
    }
}

fn title(program: u32) -> String {
    super::programs::program(program).map_or_else(|| program.to_string(), str::to_owned)
}

/// The IP protocol of a network id (RFC 5665, section 5.2.3.2).
fn protocol(net: &str) -> Option<u8> {
    match net {
        "tcp" | "tcp6" => Some(6),
        "udp" | "udp6" => Some(17),
        _ => None,
    }
}

/// The last two numbers of a universal address are the halves of its port.
fn port(address: &str) -> Option<u32> {
    let mut numbers = address.rsplitn(3, '.');
    let (low, high) = (numbers.next()?.parse::<u8>().ok()?, numbers.next()?.parse::<u8>().ok()?);
    numbers.next().map(|_| (u32::from(high) << 8) | u32::from(low))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn getport() {
        let mut directory = Directory::default();
        directory.call(PORTMAP, 2, 3, &mut Reader::new(&words(&[100_003, 3, 6, 0]))).unwrap();
        assert_eq!((directory.program, directory.version, directory.protocol, directory.port), (Some(100_003), Some(3), Some(6), None));
        directory.reply(PORTMAP, 2, 3, &mut Reader::new(&words(&[2049]))).unwrap();
        assert_eq!(directory.port, Some(2049));
    }

    #[test]
    fn getaddr() {
        let mut directory = Directory::default();
        let mut bytes = words(&[15]);
        bytes.extend_from_slice(b"10.0.0.1.78.80\0\0");
        directory.reply(PORTMAP, 3, 3, &mut Reader::new(&bytes)).unwrap();
        assert_eq!(directory.address.as_deref(), Some("10.0.0.1.78.80\0"));
        let mut bytes = words(&[14]);
        bytes.extend_from_slice(b"10.0.0.1.78.80\0\0");
        directory.reply(PORTMAP, 3, 3, &mut Reader::new(&bytes)).unwrap();
        assert_eq!((directory.address.as_deref(), directory.port), (Some("10.0.0.1.78.80"), Some(20048)));
        directory.reply(PORTMAP, 3, 3, &mut Reader::new(&words(&[0]))).unwrap();
        assert_eq!((directory.address.as_deref(), directory.port), (None, Some(0)));
    }

    #[test]
    fn exports() {
        let mut directory = Directory::default();
        let bytes = words(&[1, 2, 0x2f61_0000, 1, 1, 0x2a00_0000, 0, 1, 2, 0x2f62_0000, 0, 0]);
        directory.reply(MOUNT, 3, 5, &mut Reader::new(&bytes)).unwrap();
        assert_eq!(directory.exports, Some(vec!["/a(*)".to_owned(), "/b()".to_owned()]));
    }

    #[test]
    fn dump() {
        let mut directory = Directory::default();
        directory.reply(PORTMAP, 2, 4, &mut Reader::new(&words(&[1, 100_005, 3, 17, 20_048, 0]))).unwrap();
        assert_eq!(directory.mappings, Some(vec!["mount 3 udp 20048".to_owned()]));
    }
}
