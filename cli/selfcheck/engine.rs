//! Checks of what the binary itself holds: tables, queries, dissectors, codecs.

use std::collections::BTreeSet;
use std::path::Path;

use pcapper_ingest::capture::targets;
use pcapper_ingest::decrypt::Keyring;
use pcapper_ingest::lake::{Options, ingest};
use pcapper_ingest::protocols::registry::PROTOCOLS;
use pcapper_queries::catalog::{Catalog, Selected, View};

use super::{Check, State};

/// Our own captures, small ones of many protocols, with their packets.
const SAMPLES: &[(&str, &[u8], u64)] = &[
    ("arp.pcap", include_bytes!("../../sample-data/arp.pcap"), 28),
    ("bacnet.pcap", include_bytes!("../../sample-data/bacnet.pcap"), 72),
    ("dhcp.pcap", include_bytes!("../../sample-data/dhcp.pcap"), 29),
    ("dnp3.pcap", include_bytes!("../../sample-data/dnp3.pcap"), 153),
    ("dns.pcap.gz", include_bytes!("../../sample-data/dns.pcap.gz"), 76),
    ("goose.pcap", include_bytes!("../../sample-data/goose.pcap"), 47),
    ("iec104.pcap", include_bytes!("../../sample-data/iec104.pcap"), 86),
    ("iec61850.pcap", include_bytes!("../../sample-data/iec61850.pcap"), 138),
    ("industrial.pcap", include_bytes!("../../sample-data/industrial.pcap"), 149),
    ("lldp.pcap", include_bytes!("../../sample-data/lldp.pcap"), 21),
    ("modbus.pcap", include_bytes!("../../sample-data/modbus.pcap"), 129),
    ("mqtt_coap.pcap", include_bytes!("../../sample-data/mqtt_coap.pcap"), 289),
    ("ntp.pcap", include_bytes!("../../sample-data/ntp.pcap"), 41),
    ("opcua.pcap", include_bytes!("../../sample-data/opcua.pcap"), 165),
    ("plant.pcapng", include_bytes!("../../sample-data/plant.pcapng"), 563),
    ("ptp.pcap", include_bytes!("../../sample-data/ptp.pcap"), 140),
    ("s7.pcap", include_bytes!("../../sample-data/s7.pcap"), 110),
];

pub fn version() -> Check {
    let commit = option_env!("PCAPPER_COMMIT").map(|commit| format!(", commit {commit}")).unwrap_or_default();
    let (machine, system) = (std::env::consts::ARCH, std::env::consts::OS);
    let features = cpu_features();
    let features = if features.is_empty() { String::new() } else { format!(", {}", features.join(" ")) };
    Check::new("version", State::Ok, format!("{}{commit}, {machine}-{system}{features}", env!("CARGO_PKG_VERSION")))
}

/// Features of the processor that our libraries choose faster code by.
#[cfg(target_arch = "x86_64")]
fn cpu_features() -> Vec<&'static str> {
    let known = [
        ("sse4.2", std::arch::is_x86_feature_detected!("sse4.2")),
        ("pclmulqdq", std::arch::is_x86_feature_detected!("pclmulqdq")),
        ("aes", std::arch::is_x86_feature_detected!("aes")),
        ("sha", std::arch::is_x86_feature_detected!("sha")),
        ("avx2", std::arch::is_x86_feature_detected!("avx2")),
    ];
    known.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name).collect()
}

#[cfg(not(target_arch = "x86_64"))]
fn cpu_features() -> Vec<&'static str> {
    Vec::new()
}

pub fn tables() -> Check {
    let (count, hash, faults) = pcapper_queries::selfcheck::tables();
    Check::of_faults("tables", format!("{count} tables, contract {hash}"), faults)
}

pub fn analyzers() -> Check {
    let (count, faults) = pcapper_queries::selfcheck::analyzers();
    Check::of_faults("analyzers", format!("{count} built-in queries, {} planned", count - faults.len()), faults)
}

/// Decodes the built-in captures into a lake that is thrown away.
pub fn dissectors() -> Check {
    let place = std::env::temp_dir().join(format!("pcapper-self-check-{}", std::process::id()));
    let check = decoded(&place);
    let _ = std::fs::remove_dir_all(&place);
    match check {
        Ok(check) => check,
        Err(fault) => Check::new("dissectors", State::Fail, fault),
    }
}

fn decoded(place: &Path) -> Result<Check, String> {
    std::fs::create_dir_all(place).map_err(|error| format!("{}: {error}", place.display()))?;
    let lake = place.join("lake");
    let (mut captures, mut faults) = (Vec::new(), Vec::new());
    for (name, bytes, packets) in SAMPLES {
        let path = place.join(name);
        std::fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))?;
        let found = targets::find(&[path.clone().into_os_string()], &targets::Options { recursive: false });
        let Some(target) = found.captures.first() else {
            faults.push(format!("{name}: not taken for a capture"));
            continue;
        };
        match ingest(target, &lake, Options { threads: 1, keys: &Keyring::default() }, &|_| {}) {
            Ok(ingested) => {
                let manifest = ingested.manifest;
                if manifest.packets != *packets || !manifest.faults.is_empty() {
                    faults.push(format!("{name}: {} packets instead of {packets}", manifest.packets));
                }
                captures.push(Selected { manifest, name: (*name).to_owned(), shown: None, path: target.path.clone(), narrowed: None });
            }
            Err(error) => faults.push(format!("{name}: {error}")),
        }
    }
    let count = captures.len();
    let seen = asked(&lake, captures.clone(), "SELECT DISTINCT protocol FROM packets UNION SELECT DISTINCT service FROM flows")?;
    let failed = "SELECT capture || ', frame ' || frame || ': ' || protocol || ' failed' FROM anomalies WHERE kind = 'decoder_fault' ORDER BY 1";
    faults.extend(asked(&lake, captures, failed)?);
    let known: BTreeSet<&str> = PROTOCOLS.iter().map(|protocol| protocol.name).collect();
    let ran = known.iter().filter(|name| seen.iter().any(|seen| seen == *name)).count();
    Ok(Check::of_faults("dissectors", format!("{ran} of {} protocols decoded from {count} built-in captures", known.len()), faults))
}

/// The first column of a query's answer.
fn asked(lake: &Path, captures: Vec<Selected>, query: &str) -> Result<Vec<String>, String> {
    let fail = |error: pcapper_queries::DataFusionError| pcapper_queries::run::one_line(&error);
    let runtime = tokio::runtime::Builder::new_multi_thread().build().map_err(|error| error.to_string())?;
    let catalog = Catalog::open(lake, captures, View::default()).map_err(fail)?;
    let rows = runtime.block_on(pcapper_queries::run::rows(&catalog, query)).map_err(fail)?;
    let mut texts = Vec::new();
    for row in 0..rows.num_rows() {
        texts.push(arrow::util::display::array_value_to_string(rows.column(0), row).map_err(|error| error.to_string())?);
    }
    Ok(texts)
}

pub fn decompress() -> Check {
    known_answers("decompress", pcapper_ingest::selfcheck::codecs())
}

pub fn bpf() -> Check {
    known_answers("bpf", pcapper_ingest::selfcheck::filters())
}

pub fn crypto() -> Check {
    known_answers("crypto", pcapper_ingest::selfcheck::ciphers())
}

fn known_answers(name: &'static str, answers: Vec<(&'static str, bool)>) -> Check {
    let detail = answers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" ");
    let wrong = answers.into_iter().filter(|(_, is_right)| !is_right).map(|(name, _)| format!("{name} does not give its known answer")).collect();
    Check::of_faults(name, detail, wrong)
}
