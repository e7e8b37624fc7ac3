//! Interfaces by their UUID, and the names of their operations.

use std::fmt::Write as _;

use super::{objects, services};
use crate::wire::{Reader, Wire};

/// A UUID, as the number that its usual notation spells.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Debug)]
pub struct Uuid(pub u128);

impl Uuid {
    /// Reads one, in the byte order of the sender's label (C706, 14.1).
    pub fn read(reader: &mut Reader<'_>, little: bool) -> Wire<Self> {
        let (first, second, third) =
            if little { (reader.le_u32()?, reader.le_u16()?, reader.le_u16()?) } else { (reader.be_u32()?, reader.be_u16()?, reader.be_u16()?) };
        Ok(Self(u128::from(first) << 96 | u128::from(second) << 80 | u128::from(third) << 64 | u128::from(reader.be_u64()?)))
    }

    /// The usual notation, in small letters.
    pub fn text(self) -> String {
        let mut text = String::with_capacity(36);
        let n = self.0;
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            (n >> 96) as u32,
            (n >> 80) as u16,
            (n >> 64) as u16,
            (n >> 48) as u16,
            n & 0xffff_ffff_ffff
        );
        text
    }
}

/// Runs of operations' names, each with the number of its first.
pub type Operations = &'static [(u16, &'static [&'static str])];

/// What is known of an interface.
#[derive(Debug)]
pub struct Interface {
    pub uuid: Uuid,
    pub name: &'static str,
    /// Its operations end with a return value of 32 bits.
    pub returns_status: bool,
    /// It is one of an object: calls start with ORPCTHIS, answers with ORPCTHAT (MS-DCOM, 2.2.13).
    pub object: bool,
    /// Runs of names, each with the number of its first operation; an empty name is a number without one.
    operations: Operations,
}

impl Interface {
    /// The name of an operation.
    pub fn operation(&self, opnum: u16) -> Option<&'static str> {
        if self.object {
            match opnum {
                0 => return Some("QueryInterface"),
                1 => return Some("AddRef"),
                2 => return Some("Release"),
                _ => {}
            }
        }
        self.operations.iter().find_map(|(first, names)| names.get(usize::from(opnum.checked_sub(*first)?)).copied()).filter(|name| !name.is_empty())
    }
}

/// The interface of that UUID.
pub fn find(uuid: Uuid) -> Option<&'static Interface> {
    services::ALL.iter().chain(objects::ALL).find(|interface| interface.uuid == uuid)
}

/// Transfer syntax NDR, 32 bits (C706, 14).
pub const NDR: Uuid = Uuid(0x8a885d04_1ceb_11c9_9fe8_08002b104860);

pub const EPMAPPER: Uuid = Uuid(0xe1af8308_5d1f_11c9_91a4_08002b14a0fa);
pub const NETLOGON: Uuid = Uuid(0x12345678_1234_abcd_ef00_01234567cffb);
pub const SVCCTL: Uuid = Uuid(0x367abb81_9844_35f1_ad32_98f038001003);
pub const WINREG: Uuid = Uuid(0x338cd001_2244_31f1_aaaa_900038001003);
pub const ATSVC: Uuid = Uuid(0x1ff70682_0a51_30e8_076d_740be8cee98b);
pub const TASK_SCHEDULER: Uuid = Uuid(0x86d35949_83c9_4044_b424_db363231fd0c);
pub const SPOOLSS: Uuid = Uuid(0x12345678_1234_abcd_ef00_0123456789ab);

/// A service whose operations return a status.
pub const fn plain(uuid: u128, name: &'static str, operations: Operations) -> Interface {
    Interface { uuid: Uuid(uuid), name, returns_status: true, object: false, operations }
}

/// An object's interface.
pub const fn object(uuid: u128, name: &'static str, operations: Operations) -> Interface {
    Interface { uuid: Uuid(uuid), name, returns_status: true, object: true, operations }
}

/// A service of which that is not known.
pub const fn other(uuid: u128, name: &'static str, operations: Operations) -> Interface {
    Interface { uuid: Uuid(uuid), name, returns_status: false, object: false, operations }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_stands_once() {
        let all: Vec<_> = services::ALL.iter().chain(objects::ALL).collect();
        for (at, interface) in all.iter().enumerate() {
            let twice = all.iter().skip(at + 1).find(|other| other.uuid == interface.uuid);
            assert!(twice.is_none(), "{} and {}", interface.name, twice.map_or("", |other| other.name));
        }
    }

    #[test]
    fn names() {
        let wire = [0x08, 0x83, 0xaf, 0xe1, 0x1f, 0x5d, 0xc9, 0x11, 0x91, 0xa4, 0x08, 0x00, 0x2b, 0x14, 0xa0, 0xfa];
        let uuid = Uuid::read(&mut Reader::new(&wire), true).unwrap();
        assert_eq!((uuid, uuid.text().as_str()), (EPMAPPER, "e1af8308-5d1f-11c9-91a4-08002b14a0fa"));
        let name = |uuid: Uuid, opnum| find(uuid).and_then(|interface| interface.operation(opnum));
        assert_eq!(name(EPMAPPER, 3), Some("ept_map"));
        assert_eq!(name(NETLOGON, 26), Some("NetrServerAuthenticate3"));
        assert_eq!(name(NETLOGON, 30), Some("NetrServerPasswordSet2"));
        assert_eq!(name(SVCCTL, 12), Some("RCreateServiceW"));
        assert_eq!(name(SVCCTL, 10), None);
        assert_eq!(name(Uuid(0x12345778_1234_abcd_ef00_0123456789ac), 64), Some("SamrConnect5"));
        assert_eq!(name(Uuid(0x12345778_1234_abcd_ef00_0123456789ab), 57), Some("LsarLookupSids2"));
        assert_eq!(name(Uuid(0x9556dc99_828c_11cf_a37e_00aa003240c7), 24), Some("ExecMethod"));
        assert_eq!(name(Uuid(0x9556dc99_828c_11cf_a37e_00aa003240c7), 20), Some("ExecQuery"));
        assert_eq!(name(Uuid(0x12345678_1234_abcd_ef00_0123456789ab), 69), Some("RpcOpenPrinterEx"));
        assert_eq!(name(Uuid(0x4b324fc8_1670_01d3_1278_5a47bf6ee188), 15), Some("NetrShareEnum"));
    }
}
