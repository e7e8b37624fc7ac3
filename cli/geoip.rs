//! `[geoip]`: databases of places and operators that the user supplies.

use std::path::Path;
use std::sync::Arc;

use pcapper_queries::geoip::Geo;

use crate::arguments::{Given, Origin};

/// Keys of the databases, each with the word for what it knows.
pub const DATABASES: [(&str, &str); 2] = [("geoip.city", "city"), ("geoip.asn", "ASN")];

/// The databases of the run. One that is named must be one.
pub fn options(given: &Given) -> Result<Arc<Geo>, String> {
    let path = |name: &str| given.entry(name).and_then(|(paths, _)| paths.into_iter().next());
    let [city, asn] = DATABASES.map(|(name, _)| path(name));
    Geo::open(city.as_deref().map(Path::new), asn.as_deref().map(Path::new)).map(Arc::new).map_err(|reason| {
        // Where it was named: the reason begins with the path.
        let of = |(name, _): &&(&str, &str)| path(name).is_some_and(|path| reason.starts_with(&format!("{path}: ")));
        match DATABASES.iter().find(of).and_then(|(name, _)| given.entry(name)) {
            Some((_, Origin::Environment(variable))) => format!("{variable}: {reason}"),
            Some((_, Origin::File(origin))) => format!("{origin}: {reason}"),
            _ => reason,
        }
    })
}
