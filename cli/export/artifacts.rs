//! What exports hold beside the reports: the inventory, and the files and credentials behind a flag.

use pcapper_queries::catalog::{Catalog, Selected};
use pcapper_queries::report::Report;
use pcapper_queries::run;

use super::{Answered, Options};
use crate::render;

/// The inventory, as `--csv` and `--sqlite` write it.
const HOSTS: &str =
    "SELECT capture AS pcap_path, 'hosts' AS module, ip, CASE WHEN mac IS NOT NULL THEN make_array(CAST(mac AS VARCHAR)) END AS macs, hostnames,
  os AS operating_system, os_evidence, packets_sent, packets_received AS packets_recv, bytes_sent, bytes_received AS bytes_recv,
  ts AS first_seen, end_ts AS last_seen, services AS open_ports
FROM hosts ORDER BY capture, ip, mac";

/// Files; `MODULE` becomes what says which flag they belong to.
const FILES: &str = "SELECT MODULE AS module, capture, CAST(NULL AS VARCHAR) AS severity, CAST(NULL AS VARCHAR) AS detection, filename AS title,
  concat_ws(', ', 'file', CAST(source AS VARCHAR), CAST(direction AS VARCHAR), CAST(coalesce(mime, declared_mime) AS VARCHAR)) AS summary,
  concat_ws(', ', CAST(size_bytes AS VARCHAR) || ' bytes', CASE WHEN complete THEN 'complete' ELSE 'incomplete' END, 'sha256 ' || sha256) AS details,
  src_ip, dst_ip, ts AS first_seen, ts AS last_seen, CAST(1 AS BIGINT) AS count, frame, make_array(frame) AS frames, CAST(NULL AS VARCHAR) AS techniques, CAST(NULL AS VARCHAR) AS tags
FROM files";

/// Credentials, likewise.
const CREDENTIALS: &str = "SELECT MODULE AS module, capture, CAST(NULL AS VARCHAR) AS severity, CAST(NULL AS VARCHAR) AS detection, CAST(username AS VARCHAR) AS title,
  concat_ws(', ', 'credential', CAST(protocol AS VARCHAR), CAST(kind AS VARCHAR), CAST(outcome AS VARCHAR)) AS summary, coalesce(secret, hash_line) AS details,
  src_ip, dst_ip, ts AS first_seen, ts AS last_seen, CAST(1 AS BIGINT) AS count, frame, make_array(frame) AS frames, CAST(NULL AS VARCHAR) AS techniques, CAST(NULL AS VARCHAR) AS tags
FROM credentials";

/// Puts the reports of one capture, or of all, together with what else the exports asked for hold.
pub async fn gather(catalog: &Catalog, options: &Options, capture: Option<Selected>, reports: Vec<Report>) -> Result<Answered, String> {
    let mut answered = Answered { capture, reports, hosts: None, artifacts: None };
    if !options.has("csv") && !options.has("sqlite") {
        return Ok(answered);
    }
    let explained = |error| format!("exports: {}", render::sql::one_line(&error));
    if answered.reports.iter().any(|report| report.analyzer == "hosts") {
        answered.hosts = Some(run::rows(catalog, HOSTS).await.map_err(explained)?);
    }
    let modules: Vec<&str> = answered.reports.iter().map(|report| report.analyzer.as_str()).collect();
    let parts: Vec<String> =
        [part(FILES, "source", "files", &modules), part(CREDENTIALS, "protocol", "creds", &modules)].into_iter().flatten().collect();
    if !parts.is_empty() {
        let query = format!("SELECT * FROM ({}) ORDER BY capture, frame, summary, title, details", parts.join(" UNION ALL "));
        answered.artifacts = Some(run::rows(catalog, &query).await.map_err(explained)?);
    }
    Ok(answered)
}

/// The query for the rows that belong to the flags of the run: all of them where the flag is there that is about them, else
/// those of the protocols asked for.
fn part(query: &str, column: &str, whole: &str, modules: &[&str]) -> Option<String> {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    if modules.contains(&whole) {
        return Some(query.replace("MODULE", &quoted(whole)));
    }
    let mut taken: Vec<&str> = Vec::new();
    let mut cases = String::new();
    for module in modules {
        for source in protocols(module) {
            if !taken.contains(&source) {
                taken.push(source);
                cases.push_str(&format!(" WHEN {} THEN {}", quoted(source), quoted(module)));
            }
        }
    }
    let list = taken.iter().map(|source| quoted(source)).collect::<Vec<_>>().join(", ");
    (!taken.is_empty()).then(|| {
        format!("{} WHERE CAST({column} AS VARCHAR) IN ({list})", query.replace("MODULE", &format!("CASE CAST({column} AS VARCHAR){cases} END")))
    })
}

/// How files and credentials name the protocols that a flag is about.
fn protocols(module: &str) -> Vec<&str> {
    match module {
        "ftp" => vec!["ftp", "ftp-data"],
        "email" => vec!["smtp", "lmtp", "imap", "pop3"],
        "modicon" => vec!["umas", "modbus"],
        "s7" => vec!["s7comm"],
        "http" | "webrequests" => vec!["http"],
        other => vec![other],
    }
}
