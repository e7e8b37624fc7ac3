//! `--hostdetails`: which host the report is about.

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use pcapper_queries::catalog::Catalog;
use pcapper_queries::run;

use crate::arguments::Given;
use crate::select::complain;

/// Name of the analyzer that this is about.
pub const NAME: &str = "hostdetails";

/// Reads `-ip`: addresses, networks, MACs or names, separated by commas. Empty where the report is not asked for.
pub fn options(given: &Given) -> Result<Vec<String>, String> {
    if !given.switch(NAME) {
        return Ok(Vec::new());
    }
    let hosts = given.text("ip").unwrap_or_default();
    let hosts: Vec<String> = hosts.split(',').map(str::trim).filter(|host| !host.is_empty()).map(str::to_lowercase).collect();
    if hosts.is_empty() {
        return Err("--hostdetails needs -ip HOST: an address, a network, a MAC or a name".to_owned());
    }
    let is_network = |host: &str| {
        host.split_once('/').is_some_and(|(base, length)| {
            base.parse::<std::net::IpAddr>().is_ok() && length.parse::<u8>().is_ok_and(|length| length <= if base.contains(':') { 128 } else { 32 })
        })
    };
    let is_name = |host: &str| {
        host.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b':'))
            && !host.bytes().all(|octet| octet.is_ascii_digit() || octet == b'.')
    };
    match hosts.iter().find(|host| !(host.parse::<std::net::IpAddr>().is_ok() || is_network(host) || is_name(host))) {
        Some(wrong) => Err(format!("-ip {wrong}: neither an address, a network, a MAC nor a name")),
        None => Ok(hosts),
    }
}

/// Tells the catalog which addresses are meant: a MAC or a name stands for those that bear it, and an address for all of its
/// machine.
pub async fn ask_about(catalog: &Catalog, hosts: &[String], subject: &str) -> Result<(), String> {
    if hosts.is_empty() {
        return Ok(());
    }
    let mut asked = Vec::new();
    for host in hosts {
        if host.contains('/') {
            asked.push(host.clone());
            continue;
        }
        // What was given consists of letters, digits and few marks: nothing in it ends the text.
        let query = format!(
            "SELECT DISTINCT CAST(ip AS VARCHAR) AS ip FROM hosts WHERE ip IS NOT NULL AND (ip = '{host}' OR mac = '{host}' OR array_has(hostnames, '{host}') OR array_has(other_ips, '{host}') OR split_part(array_element(hostnames, 1), '.', 1) = '{host}')"
        );
        let rows = run::rows(catalog, &query).await.map_err(|error| error.to_string())?;
        let ips = rows.columns().first().map(|ips| cast(ips, &DataType::Utf8)).transpose().map_err(|error| error.to_string())?;
        let found: Vec<String> = ips.map(|ips| ips.as_string::<i32>().iter().flatten().map(str::to_owned).collect()).unwrap_or_default();
        if found.is_empty() {
            complain(&format!("{subject}: no host {host}"));
            if host.parse::<std::net::IpAddr>().is_ok() {
                asked.push(host.clone());
            }
        }
        asked.extend(found);
    }
    catalog.ask_about(asked);
    Ok(())
}
