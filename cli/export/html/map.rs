//! Who is there and who talks with whom: a map of hosts and a matrix of conversations, both bounded, the rest counted.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;

use arrow::array::RecordBatch;
use pcapper_queries::report::Unit;

use super::chart::{numbers, severity_class};
use super::escape;
use super::table::thousands;
use crate::export::found::{Kind, rank};
use crate::render::value::{self, Place, Secrets};

/// Hosts on the map.
const HOSTS: usize = 28;
/// Of them, at most so many for their findings, however little they sent.
const SUSPECTS: usize = 10;
/// Sides of the matrix.
const SIDE: usize = 18;

/// Name and addresses of a host as a drawing needs them.
struct Host {
    address: String,
    /// It sent something; others were only addressed.
    speaks: bool,
    name: String,
    roles: String,
    scope: String,
    bytes: f64,
    /// Severity of its worst finding.
    severity: Option<&'static str>,
}

struct Pair {
    src: String,
    dst: String,
    about: String,
    bytes: f64,
    severity: Option<&'static str>,
}

/// What both drawings draw on.
pub struct Network {
    hosts: Vec<Host>,
    pairs: Vec<Pair>,
}

impl Network {
    /// Reads the hosts and conversations of the picture, and whom findings name.
    pub fn new(hosts: &RecordBatch, pairs: &RecordBatch, kinds: &[Kind], secrets: &mut Secrets) -> Self {
        let (mut by_host, mut by_pair) = (HashMap::new(), HashMap::new());
        for finding in kinds.iter().flat_map(|kind| &kind.members).filter(|finding| rank(&finding.severity) < rank("low")) {
            let class = severity_class(&finding.severity);
            let worse = |known: &mut &'static str| {
                if rank(class) < rank(known) {
                    *known = class;
                }
            };
            for host in [&finding.src, &finding.dst].into_iter().flatten() {
                by_host.entry(host.clone()).and_modify(worse).or_insert(class);
            }
            if let (Some(src), Some(dst)) = (&finding.src, &finding.dst) {
                by_pair.entry(unordered(src, dst)).and_modify(worse).or_insert(class);
            }
        }
        let read = |rows: &RecordBatch, name: &str, row: usize, unit: Unit, secrets: &mut Secrets| {
            let column = rows.column_by_name(name);
            let shown = column.map(|column| value::shown(column, row, unit, Place::Cell, 0, secrets));
            shown.filter(|shown| shown != value::NULL).unwrap_or_default()
        };
        let bytes = numbers(hosts, "bytes").unwrap_or_default();
        let all = (0..hosts.num_rows()).map(|row| {
            let mut text = |name: &str| read(hosts, name, row, Unit::Text, secrets);
            let address = text("host");
            let severity = by_host.get(&address).copied();
            Host {
                name: text("name"),
                roles: text("roles"),
                scope: text("scope"),
                speaks: text("responded") == "yes",
                severity,
                bytes: bytes.get(row).copied().unwrap_or_default(),
                address,
            }
        });
        let hosts = all.collect();
        let bytes = numbers(pairs, "bytes").unwrap_or_default();
        let pairs = (0..pairs.num_rows()).map(|row| {
            let (src, dst) = (read(pairs, "src", row, Unit::Text, secrets), read(pairs, "dst", row, Unit::Text, secrets));
            let services = read(pairs, "services", row, Unit::Text, secrets);
            let (flows, size) = (read(pairs, "flows", row, Unit::Count, secrets), read(pairs, "bytes", row, Unit::Bytes, secrets));
            let severity = by_pair.get(&unordered(&src, &dst)).copied();
            Pair {
                about: format!("{src} → {dst}: {services}, {flows} flows, {size}"),
                src,
                dst,
                bytes: bytes.get(row).copied().unwrap_or_default(),
                severity,
            }
        });
        Self { hosts, pairs: pairs.collect() }
    }

    /// Hosts worth a place: those of the worst findings, then those of most bytes. Addresses that many listen to, or none, have none.
    fn chosen(&self) -> (Vec<&Host>, usize) {
        let is_one =
            |host: &&Host| !matches!(host.scope.as_str(), "multicast" | "broadcast" | "unspecified") && (host.speaks || host.severity.is_some());
        let single: Vec<&Host> = self.hosts.iter().filter(is_one).collect();
        let mut suspects: Vec<&Host> = single.iter().copied().filter(|host| host.severity.is_some()).collect();
        suspects.sort_by_key(|host| host.severity.map(rank));
        let mut chosen: Vec<&Host> = suspects.into_iter().take(SUSPECTS).collect();
        for host in &single {
            if chosen.len() >= HOSTS {
                break;
            }
            if !chosen.iter().any(|known| known.address == host.address) {
                chosen.push(host);
            }
        }
        (chosen, single.len())
    }

    /// The map: hosts in their networks on a ring, conversations as chords.
    pub fn map(&self) -> String {
        let (chosen, all) = self.chosen();
        if chosen.is_empty() {
            return String::new();
        }
        let mut networks: BTreeMap<(bool, Vec<u8>, String), Vec<&Host>> = BTreeMap::new();
        for host in &chosen {
            let name = network(host);
            let outside = name == INTERNET;
            networks.entry((outside, order(&name), name)).or_default().push(host);
        }
        for members in networks.values_mut() {
            members.sort_by_key(|host| (order(&host.address), host.address.clone()));
        }
        // Slots of the two columns of labels: a network's name, then its hosts.
        let mut slots: Vec<Slot<'_>> = Vec::new();
        for ((.., name), members) in &networks {
            slots.push(Slot::Network(name));
            slots.extend(members.iter().map(|host| Slot::Host(host)));
        }
        let mut half = slots.len().div_ceil(2);
        // A network's name does not stand alone at the foot of a column.
        if matches!(slots.get(half.saturating_sub(1)), Some(Slot::Network(_))) && half < slots.len() {
            half -= 1;
        }
        let (left, right) = slots.split_at(half);
        let rows = left.len().max(right.len());
        let (width, step, top) = (960.0, 25.0, 14.0);
        let height = rows as f64 * step + 2.0 * top;
        let (cx, cy) = (width / 2.0, height / 2.0);
        let (rx, ry) = (150.0, (height / 2.0 - top - 2.0).max(20.0));
        let mut at: HashMap<&str, (f64, f64)> = HashMap::new();
        let mut labels = String::new();
        for (side, slots) in [(-1.0, left), (1.0, right)] {
            let start = cy - slots.len() as f64 * step / 2.0 + step / 2.0;
            for (row, slot) in slots.iter().enumerate() {
                let y = start + row as f64 * step;
                let edge = cx + side * (rx + 34.0);
                let anchor = if side < 0.0 { "end" } else { "start" };
                match slot {
                    Slot::Network(name) => {
                        let _ = writeln!(
                            labels,
                            "<text class=\"net\" x=\"{edge:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>",
                            y + 4.0,
                            escape::text(name)
                        );
                    }
                    Slot::Host(host) => {
                        let x = cx + side * rx * (1.0 - ((y - cy) / (ry + step)).powi(2)).max(0.05).sqrt();
                        at.insert(&host.address, (x, y));
                        let class = host.severity.unwrap_or("plain");
                        let size = 4.0 + (host.bytes.max(1.0).log10() * 0.6).min(5.0);
                        let about = [&host.address, &host.name, &host.roles]
                            .into_iter()
                            .filter(|text| !text.is_empty())
                            .cloned()
                            .collect::<Vec<_>>()
                            .join(", ");
                        let _ = writeln!(
                            labels,
                            "<g class=\"host {class}\"><title>{}, {}{}</title><line x1=\"{x:.1}\" y1=\"{y:.1}\" x2=\"{:.1}\" y2=\"{y:.1}\"/><circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{size:.1}\"/><text x=\"{edge:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{} <tspan class=\"name\">{}</tspan></text></g>",
                            escape::text(&about),
                            value::bytes(host.bytes, Place::Cell),
                            host.severity.map(|severity| format!(", {severity} findings")).unwrap_or_default(),
                            edge - side * 6.0,
                            y + 4.0,
                            escape::label(&host.address, 39),
                            escape::label(&host.name, 42_usize.saturating_sub(host.address.len()))
                        );
                    }
                }
            }
        }
        let most = self.pairs.iter().map(|pair| pair.bytes).fold(1.0, f64::max).ln().max(1.0);
        let (mut chords, mut drawn) = (String::new(), 0);
        // Both directions are one chord; the thinnest first, so that the important ones lie on top.
        let mut pairs: Vec<&Pair> = self.pairs.iter().collect();
        pairs.sort_by(|a, b| a.severity.is_some().cmp(&b.severity.is_some()).then_with(|| a.bytes.total_cmp(&b.bytes)));
        for pair in pairs {
            let (Some(a), Some(b)) = (at.get(pair.src.as_str()), at.get(pair.dst.as_str())) else { continue };
            drawn += 1;
            let (mx, my) = (cx + ((a.0 + b.0) / 2.0 - cx) * 0.35, (a.1 + b.1) / 2.0 + (cy - (a.1 + b.1) / 2.0) * 0.35);
            let _ = writeln!(
                chords,
                "<path class=\"{}\" d=\"M{:.1} {:.1}Q{mx:.1} {my:.1} {:.1} {:.1}\" stroke-width=\"{:.1}\"><title>{}</title></path>",
                pair.severity.unwrap_or("plain"),
                a.0,
                a.1,
                b.0,
                b.1,
                0.7 + 3.3 * (pair.bytes.max(1.0).ln() / most).powi(3),
                escape::text(&pair.about)
            );
        }
        let note = format!(
            "Drawn are {} of {} hosts that sent something or that a finding names{}, and {} of {} pairs that talk. Hosts of findings come first, then those with most bytes; thicker means more bytes.",
            chosen.len(),
            thousands(all),
            if all > chosen.len() { " (the report on hosts has them all)" } else { "" },
            thousands(drawn),
            thousands(self.pairs.len())
        );
        format!(
            "<figure class=\"map\"><figcaption>Hosts and who talks with whom</figcaption><div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Map of hosts\"><svg role=\"img\" aria-label=\"Map of hosts: {note}\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n<g class=\"chords\">{chords}</g>\n{labels}</svg></div><p class=\"more\">{note}</p></figure>\n"
        )
    }

    /// The matrix: who opened conversations, with whom, and how much was said.
    pub fn matrix(&self) -> String {
        let groups: HashSet<&str> = self
            .hosts
            .iter()
            .filter(|host| matches!(host.scope.as_str(), "multicast" | "broadcast" | "unspecified"))
            .map(|host| host.address.as_str())
            .collect();
        let pairs: Vec<&Pair> = self.pairs.iter().filter(|pair| !groups.contains(pair.src.as_str()) && !groups.contains(pair.dst.as_str())).collect();
        let sums = |end: fn(&Pair) -> &str| {
            let mut sums: HashMap<String, f64> = HashMap::new();
            for pair in &pairs {
                *sums.entry(end(pair).to_owned()).or_default() += pair.bytes;
            }
            let mut sums: Vec<(String, f64)> = sums.into_iter().collect();
            sums.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            sums.into_iter().map(|(address, _)| address).collect::<Vec<_>>()
        };
        let (sources, targets) = (sums(|pair| &pair.src), sums(|pair| &pair.dst));
        if sources.len() < 2 || targets.len() < 2 {
            return String::new();
        }
        let place = |list: &[String], address: &str| list.iter().take(SIDE).position(|known| known == address);
        let (cell, left, top) = (22.0, 250.0, 168.0);
        let (rows, columns) = (sources.len().min(SIDE), targets.len().min(SIDE));
        let (width, height) = (left + columns as f64 * cell + 110.0, top + rows as f64 * cell + 6.0);
        let named = |address: &str| match self.hosts.iter().find(|host| host.address == address) {
            Some(host) if !host.name.is_empty() => format!("{address} {}", host.name.split('.').next().unwrap_or_default()),
            _ => address.to_owned(),
        };
        let mut inner = String::new();
        for (row, address) in sources.iter().take(SIDE).enumerate() {
            let y = top + row as f64 * cell;
            let name = named(address);
            let _ = writeln!(
                inner,
                "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\"><title>{}</title>{}</text><line class=\"grid\" x1=\"{left}\" x2=\"{:.0}\" y1=\"{y:.0}\" y2=\"{y:.0}\"/>",
                left - 8.0,
                y + 15.0,
                escape::text(&name),
                escape::label(&name, 36),
                left + columns as f64 * cell
            );
        }
        for (column, address) in targets.iter().take(SIDE).enumerate() {
            let x = left + column as f64 * cell + 14.0;
            let name = named(address);
            let _ = writeln!(
                inner,
                "<text transform=\"translate({x:.0} {:.0}) rotate(-60)\"><title>{}</title>{}</text>",
                top - 8.0,
                escape::text(&name),
                escape::label(&name, 27)
            );
        }
        let most = self.pairs.iter().map(|pair| pair.bytes).fold(2.0, f64::max).ln();
        let mut drawn = 0;
        for pair in &pairs {
            let (Some(row), Some(column)) = (place(&sources, &pair.src), place(&targets, &pair.dst)) else { continue };
            drawn += 1;
            let shade = (1.0 + 4.99 * (pair.bytes.max(1.0).ln() / most).powi(2)).floor().clamp(1.0, 5.0);
            let _ = writeln!(
                inner,
                "<rect class=\"c{shade}{}\" x=\"{:.0}\" y=\"{:.0}\" width=\"18\" height=\"18\" rx=\"2\"><title>{}</title></rect>",
                pair.severity.map(|severity| format!(" {severity}")).unwrap_or_default(),
                left + column as f64 * cell + 2.0,
                top + row as f64 * cell + 2.0,
                escape::text(&pair.about)
            );
        }
        let note = format!(
            "{rows} of {} hosts that opened conversations (rows), {columns} of {} that were addressed (columns), those with most bytes first; {} of {} pairs that talk, without those that address many at once. A stronger colour is more bytes; a ring marks a pair that a finding names.",
            thousands(sources.len()),
            thousands(targets.len()),
            thousands(drawn),
            thousands(pairs.len())
        );
        format!(
            "<figure class=\"matrix\"><figcaption>Conversations</figcaption><div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Matrix of conversations\"><svg role=\"img\" aria-label=\"Matrix of conversations: {note}\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\">\n{inner}</svg></div><p class=\"more\">{note}</p></figure>\n"
        )
    }
}

enum Slot<'a> {
    Network(&'a str),
    Host(&'a Host),
}

/// Where public addresses are.
const INTERNET: &str = "Internet";

/// The network a host is drawn in: its /24 or /64, the Internet, or the link for hosts without an address.
fn network(host: &Host) -> String {
    if host.scope == "public" {
        return INTERNET.to_owned();
    }
    match host.address.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(address)) => {
            let [a, b, c, _] = address.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        Ok(std::net::IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{}/64", std::net::Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        Err(_) => "No IP address".to_owned(),
    }
}

/// Bytes by which addresses and networks are in numerical order, IPv4 first.
fn order(address: &str) -> Vec<u8> {
    match address.split('/').next().unwrap_or_default().parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(address)) => [&[4], &address.octets()[..]].concat(),
        Ok(std::net::IpAddr::V6(address)) => [&[6], &address.octets()[..]].concat(),
        Err(_) => vec![9],
    }
}

fn unordered(a: &str, b: &str) -> (String, String) {
    if a <= b { (a.to_owned(), b.to_owned()) } else { (b.to_owned(), a.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_of_hosts() {
        let host = |address: &str, scope: &str| Host {
            address: address.to_owned(),
            name: String::new(),
            roles: String::new(),
            scope: scope.to_owned(),
            speaks: true,
            bytes: 0.0,
            severity: None,
        };
        assert_eq!(network(&host("10.1.2.3", "private")), "10.1.2.0/24");
        assert_eq!(network(&host("fe80::1:2", "link_local")), "fe80::/64");
        assert_eq!(network(&host("8.8.8.8", "public")), INTERNET);
        assert_eq!(network(&host("00:11:22:33:44:55", "")), "No IP address");
        assert!(order("9.0.0.1") < order("10.0.0.1"));
    }
}
