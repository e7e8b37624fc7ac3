//! The options of `--timeline`: the host, the buckets of its sparklines, the categories, the storyline.

use std::net::IpAddr;

use pcapper_queries::functions::Focus;

use crate::arguments::Given;

/// The analyzer that these options are about.
pub const TIMELINE: &str = "timeline";
/// Its section of sentences.
pub const STORYLINE: &str = "Storyline";

/// Categories of events, in order of name.
const OFFICE: &[&str] = &[
    "ARP",
    "Authentication",
    "Certificate",
    "Connection",
    "DHCP",
    "DNS",
    "Email",
    "File Transfer",
    "Finding",
    "HTTP",
    "ICMP",
    "LDAP",
    "mDNS",
    "MS Domain",
    "NetBIOS",
    "PowerShell",
    "RDP",
    "Recon",
    "Remote IN",
    "RPC",
    "SMB",
    "SNMP",
    "SSH",
    "Syslog",
    "Telnet",
    "TLS",
    "VNC",
    "VPN",
    "WinRM",
    "WMIC",
];
const PLANT: &[&str] = &[
    "BACnet",
    "CIP",
    "CoAP",
    "CODESYS",
    "DNP3",
    "ENIP",
    "EtherCAT",
    "FINS",
    "GOOSE",
    "HART-IP",
    "IEC-104",
    "MELSEC",
    "MMS",
    "Modbus",
    "MQTT",
    "Niagara Fox",
    "OPC UA",
    "PCWorx",
    "ProConOS",
    "PROFINET",
    "PTP",
    "S7",
    "SRTP",
    "SV",
    "Triconex/SIS",
];
/// Words that ask for the list of categories.
const LIST: &[&str] = &["false", "no", "none", "0", ""];
/// Most buckets of a sparkline.
const MOST_BINS: usize = 500;

/// What was asked of the timeline.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub focus: Focus,
    pub storyline_off: bool,
}

/// Reads and checks the options.
pub fn options(given: &Given) -> Result<Options, String> {
    if !given.switch(TIMELINE) {
        let lost = ["timeline-bins", "timeline-categories", "timeline-storyline-off"].into_iter().find(|name| given.has(name));
        return lost.map_or_else(|| Ok(Options::default()), |name| Err(format!("--{name} needs --timeline")));
    }
    let networks = networks(given.text("ip").ok_or("--timeline needs the host: -ip ADDR")?)?;
    let bins = given.count("timeline-bins").ok().filter(|bins| *bins <= MOST_BINS);
    let bins =
        bins.ok_or_else(|| format!("--timeline-bins {}: a number from 1 to {MOST_BINS} is needed", given.text("timeline-bins").unwrap_or_default()))?;
    let categories = given.text("timeline-categories").map(categories).transpose()?.unwrap_or_default();
    Ok(Options { focus: Focus { networks, categories, bins, blocks: is_unicode() }, storyline_off: given.switch("timeline-storyline-off") })
}

/// The list of categories, where the value of `--timeline-categories` asks for it.
pub fn listing(given: &Given) -> Option<String> {
    let value = given.text("timeline-categories")?;
    if !value.split(',').any(|name| LIST.contains(&name.trim().to_lowercase().as_str())) {
        return None;
    }
    let group = |title: &str, names: &[&str]| format!("{title}:\n{}", names.iter().map(|name| format!("  - {name}\n")).collect::<String>());
    Some(format!("Supported timeline categories:\n{}{}", group("Non-OT", OFFICE), group("OT/ICS", PLANT)))
}

/// Addresses and networks of a comma-separated list.
fn networks(list: &str) -> Result<Vec<String>, String> {
    list.split(',')
        .map(|text| {
            let text = text.trim();
            let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
            let widest = match address.parse::<IpAddr>() {
                Ok(IpAddr::V4(_)) => 32,
                Ok(IpAddr::V6(_)) => 128,
                Err(_) => return Err(format!("-ip {text}: not an address")),
            };
            match length.map(str::parse::<u8>) {
                None => Ok(text.to_owned()),
                Some(Ok(length)) if length <= widest => Ok(text.to_owned()),
                Some(_) => Err(format!("-ip {text}: not a network")),
            }
        })
        .collect()
}

/// The categories of a comma-separated list, lower case.
fn categories(list: &str) -> Result<Vec<String>, String> {
    list.split(',')
        .map(|name| {
            let name = name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
            if OFFICE.iter().chain(PLANT).any(|known| known.to_lowercase() == name) {
                return Ok(name);
            }
            let near = OFFICE.iter().chain(PLANT).min_by_key(|known| distance(&known.to_lowercase(), &name)).unwrap_or(&"DNS");
            let all = OFFICE.iter().chain(PLANT).copied().collect::<Vec<_>>().join(", ");
            Err(format!("--timeline-categories {name}: no such category; did you mean {near}? There are {all}"))
        })
        .collect()
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (line, letter) in a.chars().enumerate() {
        let mut corner = line;
        let mut left = line + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (above, other) in row.iter_mut().skip(1).zip(&b) {
            let cost = (corner + usize::from(letter != *other)).min(*above + 1).min(left + 1);
            corner = *above;
            *above = cost;
            left = cost;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// Whether the terminal's locale shows more than ASCII; a file does.
fn is_unicode() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().filter_map(|name| std::env::var(name).ok()).find(|value| !value.is_empty());
    locale.is_none_or(|locale| {
        let locale = locale.to_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_whatever_their_case() {
        assert_eq!(categories("dns, ms   DOMAIN").unwrap(), ["dns", "ms domain"]);
        assert!(
            categories("modbuss").unwrap_err().starts_with("--timeline-categories modbuss: no such category; did you mean Modbus? There are ARP,")
        );
    }

    #[test]
    fn addresses_are_checked() {
        assert_eq!(networks("10.0.0.1, 10.1.0.0/16,::1").unwrap(), ["10.0.0.1", "10.1.0.0/16", "::1"]);
        assert_eq!(networks("10.0.0.0/33").unwrap_err(), "-ip 10.0.0.0/33: not a network");
        assert_eq!(networks("host").unwrap_err(), "-ip host: not an address");
    }

    #[test]
    fn lists_are_in_order_of_name() {
        for names in [OFFICE, PLANT] {
            assert!(names.is_sorted_by_key(|name| name.to_lowercase()), "{names:?}");
        }
    }

    #[test]
    fn distances() {
        assert_eq!((distance("dns", "dns"), distance("dns", "dn"), distance("", "abc")), (0, 1, 3));
    }
}
