//! Paths (ODVA CIP volume 1 appendix C-1): segments that lead to an object.

use std::fmt::Write as _;

use crate::wire::{Malformed, Reader, Wire};

/// Where a path leads.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Path {
    pub class: Option<u16>,
    pub instance: Option<u32>,
    pub attribute: Option<u16>,
    pub symbol: Option<String>,
    /// All segments, as people write them.
    pub text: String,
    /// Electronic key: vendor, type, product, revision.
    pub key: Option<String>,
}

/// Reads a padded path.
pub fn read(octets: &[u8]) -> Wire<Path> {
    let mut path = Path::default();
    let mut reader = Reader::new(octets);
    while !reader.is_empty() {
        segment(&mut reader, &mut path)?;
    }
    if let Some(symbol) = &path.symbol {
        let gap = if path.text.is_empty() { "" } else { "/" };
        path.text = format!("{}{gap}symbol {symbol}", path.text);
    }
    Ok(path)
}

fn segment(reader: &mut Reader<'_>, path: &mut Path) -> Wire<()> {
    let code = reader.u8()?;
    match code >> 5 {
        0 => port(reader, code, path),
        1 => logical(reader, code, path),
        2 => match code {
            // Network segments: one octet, or as many words as the next says.
            0x40..=0x4f => reader.skip(1),
            _ => {
                let words = usize::from(reader.u8()?);
                reader.skip(words * 2)
            }
        },
        4 if code == 0x91 => {
            let length = usize::from(reader.u8()?);
            let name = String::from_utf8_lossy(reader.take(length)?).into_owned();
            if length % 2 != 0 {
                reader.skip(1)?;
            }
            match &mut path.symbol {
                Some(symbol) => {
                    let _ = write!(symbol, ".{name}");
                }
                None => path.symbol = Some(name),
            }
            Ok(())
        }
        4 => {
            let words = usize::from(reader.u8()?);
            reader.skip(words * 2)
        }
        _ => Err(Malformed),
    }
}

fn port(reader: &mut Reader<'_>, code: u8, path: &mut Path) -> Wire<()> {
    let size = if code & 0x10 != 0 { Some(usize::from(reader.u8()?)) } else { None };
    let port = match code & 0x0f {
        0x0f => reader.le_u16()?,
        short => u16::from(short),
    };
    let link = match size {
        None => reader.u8()?.to_string(),
        Some(size) => {
            let link = String::from_utf8_lossy(reader.take(size)?).into_owned();
            if size % 2 != 0 {
                reader.skip(1)?;
            }
            link
        }
    };
    add(path, &format!("port {port},slot {link}"));
    Ok(())
}

fn add(path: &mut Path, text: &str) {
    let gap = if path.text.is_empty() { "" } else { "/" };
    let _ = write!(path.text, "{gap}{text}");
}

fn logical(reader: &mut Reader<'_>, code: u8, path: &mut Path) -> Wire<()> {
    let kind = code >> 2 & 7;
    if kind == 5 {
        if code != 0x34 {
            return Err(Malformed);
        }
        let format = reader.u8()?;
        let (vendor, device, product) = (reader.le_u16()?, reader.le_u16()?, reader.le_u16()?);
        let (major, minor) = (reader.u8()?, reader.u8()?);
        if format == 4 {
            path.key = Some(format!("{vendor}/{device}/{product} {}.{minor}", major & 0x7f));
        }
        return Ok(());
    }
    let value = match code & 3 {
        0 => u32::from(reader.u8()?),
        1 => {
            reader.skip(1)?;
            u32::from(reader.le_u16()?)
        }
        2 => {
            reader.skip(1)?;
            reader.le_u32()?
        }
        _ => return Err(Malformed),
    };
    match kind {
        0 => {
            path.class = u16::try_from(value).ok();
            add(path, &format!("class 0x{value:02X}"));
        }
        1 => {
            path.instance = Some(value);
            add(path, &format!("instance {value}"));
        }
        // Members of a tag are its indexes.
        2 => match &mut path.symbol {
            Some(symbol) => {
                let _ = match symbol.strip_suffix(']') {
                    Some(open) => {
                        let joined = format!("{open},{value}]");
                        *symbol = joined;
                        Ok(())
                    }
                    None => write!(symbol, "[{value}]"),
                };
            }
            None => add(path, &format!("member {value}")),
        },
        3 => add(path, &format!("point {value}")),
        4 => {
            path.attribute = u16::try_from(value).ok();
            add(path, &format!("attribute {value}"));
        }
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_and_tags() {
        let path = read(&[0x20, 0x6b, 0x25, 0, 0x34, 0x12, 0x30, 1]).unwrap();
        assert_eq!((path.class, path.instance, path.attribute), (Some(0x6b), Some(0x1234), Some(1)));
        assert_eq!(path.text, "class 0x6B/instance 4660/attribute 1");
        let path = read(&[0x91, 3, b'T', b'a', b'g', 0, 0x28, 2, 0x91, 2, b'o', b'n']).unwrap();
        assert_eq!(path.symbol.as_deref(), Some("Tag[2].on"));
        assert_eq!(read(&[1, 0]).unwrap().text, "port 1,slot 0");
        assert!(read(&[0x20]).is_err());
    }
}
