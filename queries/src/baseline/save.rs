//! Writing a baseline.

use std::collections::BTreeMap;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::json::ArrayWriter;
use serde_json::{Map, Value, json};

use crate::catalog::Catalog;
use crate::run::rows;
use crate::{DataFusionError, Result};

const SOURCES: &str = "SELECT capture AS path, capture_id, sha256, ts AS first, end_ts AS last, packets FROM captures ORDER BY capture, capture_id";

const DURATION: &str = "SELECT sum(duration_s) AS duration_s FROM captures";

const HOSTS: &str = "SELECT ip, macs, hostnames, os FROM present_hosts ORDER BY ip";

const SERVICES: &str = "SELECT ip, port, protocol, service, clients FROM present_services ORDER BY ip, port, protocol";

const COMMANDS: &str = "SELECT name, count FROM present_commands ORDER BY name";

const TARGETS: &str = "SELECT protocol, target, count FROM present_targets ORDER BY protocol, target";

const CONVERSATIONS: &str =
    "SELECT src, dst, protocol, nullif(service, '') AS service, flows, bytes FROM present_conversations ORDER BY src, dst, protocol, service";

const FUNCTIONS: &str =
    "SELECT client, server, protocol, function, category, count FROM present_functions ORDER BY client, server, protocol, function";

const DOMAINS: &str = "SELECT DISTINCT registered_domain(query) AS domain FROM dns WHERE registered_domain(query) IS NOT NULL ORDER BY domain";

const TLS_SERVERS: &str = "SELECT CAST(t.dst_ip AS VARCHAR) AS ip, t.server_name AS sni, CAST(t.ja4 AS VARCHAR) AS ja4, max(x.sha256) AS cert_sha256 FROM tls t \
    LEFT JOIN x509 x ON x.capture_id = t.capture_id AND x.flow_id = t.flow_id AND x.chain_index = 0 AND x.role = 'server' WHERE t.is_client GROUP BY t.dst_ip, t.server_name, t.ja4 ORDER BY ip, sni, ja4";

/// The captures of a catalog as a baseline. `created_at` and `version` are the only things in it that the captures do not decide.
pub async fn snapshot(catalog: &Catalog, created_at: &str, version: &str) -> Result<Value> {
    let captures = list(catalog, SOURCES).await?;
    let services = list(catalog, SERVICES).await?;
    let mut hosts = list(catalog, HOSTS).await?;
    for host in hosts.iter_mut().filter_map(Value::as_object_mut) {
        let ports: Vec<Value> = services.iter().filter(|service| service.get("ip") == host.get("ip")).map(port).collect();
        host.insert("open_ports".to_owned(), Value::Array(ports));
    }
    let commands: Map<String, Value> =
        list(catalog, COMMANDS).await?.iter().filter_map(|row| Some((row.get("name")?.as_str()?.to_owned(), row.get("count")?.clone()))).collect();
    let mut targets: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for row in list(catalog, TARGETS).await? {
        if let (Some(protocol), Some(target), Some(count)) =
            (row.get("protocol").and_then(Value::as_str), row.get("target").and_then(Value::as_str), row.get("count"))
        {
            targets.entry(protocol.to_owned()).or_default().insert(target.to_owned(), count.clone());
        }
    }
    let domains: Vec<Value> = list(catalog, DOMAINS).await?.iter().filter_map(|row| row.get("domain").cloned()).collect();
    let sources: Vec<Value> = captures.iter().filter_map(|capture| capture.get("path").cloned()).collect();
    let duration = list(catalog, DURATION).await?.first().and_then(|row| row.get("duration_s").cloned());
    Ok(json!({
        "schema": 2,
        "created_at": created_at,
        "pcapper_version": version,
        "sources": sources,
        "captures": captures,
        "duration_s": duration,
        "hosts": hosts,
        "services": services,
        "ot_commands": commands,
        "control_targets": targets,
        "ot_pairs": list(catalog, FUNCTIONS).await?,
        "conversations": list(catalog, CONVERSATIONS).await?,
        "dns_domains": domains,
        "tls_servers": list(catalog, TLS_SERVERS).await?,
        "notes": [],
    }))
}

/// A service as a host's open port.
fn port(service: &Value) -> Value {
    let field = |name: &str| service.get(name).cloned().unwrap_or(Value::Null);
    json!({"port": field("port"), "protocol": field("protocol"), "service": field("service"), "software": Value::Null})
}

/// The rows of a query as JSON objects.
async fn list(catalog: &Catalog, sql: &str) -> Result<Vec<Value>> {
    objects(&rows(catalog, sql).await?)
}

fn objects(batch: &RecordBatch) -> Result<Vec<Value>> {
    let mut writer = ArrayWriter::new(Vec::new());
    writer.write(batch)?;
    writer.finish()?;
    let bytes = writer.into_inner();
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    serde_json::from_slice(&bytes).map_err(|error| DataFusionError::External(Box::new(error)))
}
