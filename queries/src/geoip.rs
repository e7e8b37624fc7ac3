//! Where addresses are and who runs their networks, from databases in MaxMind's format (MMDB 2.0) that the user supplies.
//! Nothing is asked online, and without a database nothing is said.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::SystemTime;

use maxminddb::{PathElement, Reader};

/// What stands before the metadata of a database, which ends the file.
const MARKER: &[u8] = b"\xab\xcd\xefMaxMind.com";
/// The metadata takes no more than this of the file's end, in bytes.
const METADATA: u64 = 128 << 10;

/// Conditions of analyzers (`if=`, `only=`) that hold where a database is given: any, that of places, that of networks.
pub const ANY: &str = "geoip";
pub const CITY: &str = "geoip_city";
pub const ASN: &str = "geoip_asn";

/// The databases of a run.
#[derive(Debug, Default)]
pub struct Geo {
    /// Countries and cities.
    city: Option<Database>,
    /// Autonomous systems and their operators.
    asn: Option<Database>,
}

impl Geo {
    /// Takes the databases that lie at these places; an error names the file and says why it is none.
    pub fn open(city: Option<&Path>, asn: Option<&Path>) -> Result<Self, String> {
        let open = |path: Option<&Path>| path.map(Database::open).transpose();
        Ok(Self { city: open(city)?, asn: open(asn)? })
    }

    /// The conditions that hold.
    pub fn conditions(&self) -> Vec<&'static str> {
        let (city, asn) = (self.city.is_some().then_some(CITY), self.asn.is_some().then_some(ASN));
        [city.or(asn).map(|_| ANY), city, asn].into_iter().flatten().collect()
    }

    /// Country of an address, as ISO 3166-1 writes it in two letters.
    pub fn country(&self, ip: IpAddr) -> Result<Option<String>, String> {
        text(self.city.as_ref(), ip, &["country", "iso_code"])
    }

    /// City of an address, by its English name.
    pub fn city(&self, ip: IpAddr) -> Result<Option<String>, String> {
        text(self.city.as_ref(), ip, &["city", "names", "en"])
    }

    /// Number of the autonomous system that announces an address.
    pub fn asn(&self, ip: IpAddr) -> Result<Option<u32>, String> {
        let Some(database) = &self.asn else { return Ok(None) };
        database.value(ip, &["autonomous_system_number"])
    }

    /// Who runs that autonomous system.
    pub fn operator(&self, ip: IpAddr) -> Result<Option<String>, String> {
        text(self.asn.as_ref(), ip, &["autonomous_system_organization"])
    }
}

fn text(database: Option<&Database>, ip: IpAddr, path: &[&str]) -> Result<Option<String>, String> {
    database.map_or(Ok(None), |database| database.value(ip, path))
}

/// One database; it is read when the first address is looked up.
#[derive(Debug)]
pub struct Database {
    path: PathBuf,
    reader: OnceLock<Result<Reader<Vec<u8>>, String>>,
}

impl Database {
    /// Takes a file for a database if it ends like one.
    pub fn open(path: &Path) -> Result<Self, String> {
        let fail = |error: std::io::Error| format!("{}: cannot read: {error}", path.display());
        let mut file = File::open(path).map_err(fail)?;
        let size = file.metadata().map_err(fail)?.len();
        file.seek(SeekFrom::Start(size.saturating_sub(METADATA))).map_err(fail)?;
        let mut end = Vec::new();
        file.take(METADATA).read_to_end(&mut end).map_err(fail)?;
        if !end.windows(MARKER.len()).any(|window| window == MARKER) {
            return Err(format!("{}: no database in MaxMind's format (MMDB)", path.display()));
        }
        Ok(Self { path: path.to_owned(), reader: OnceLock::new() })
    }

    fn reader(&self) -> Result<&Reader<Vec<u8>>, String> {
        let read = || Reader::open_readfile(&self.path).map_err(|error| format!("{}: {error}", self.path.display()));
        self.reader.get_or_init(read).as_ref().map_err(Clone::clone)
    }

    /// What the database calls itself, and when it was made.
    pub fn about(&self) -> Result<(String, SystemTime), String> {
        let metadata = self.reader()?.metadata();
        let built = metadata.build_time().map_err(|error| format!("{}: {error}", self.path.display()))?;
        Ok((metadata.database_type.clone(), built))
    }

    /// A value of the record of an address. A record that is damaged, or of another form, has none.
    fn value<'d, T: serde::Deserialize<'d>>(&'d self, ip: IpAddr, path: &[&str]) -> Result<Option<T>, String> {
        let keys: Vec<PathElement<'_>> = path.iter().map(|key| PathElement::Key(key)).collect();
        let found = self.reader()?.lookup(ip.to_canonical()).and_then(|record| record.decode_path(&keys));
        Ok(found.unwrap_or_default())
    }
}
