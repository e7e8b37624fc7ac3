//! `--packet N`: one frame, as it was captured.

use pcapper_ingest::evidence;
use pcapper_ingest::packet::link_type_name;
use pcapper_queries::catalog::Catalog;
use pcapper_queries::report::{Report, Section, Shape};
use pcapper_queries::run;

use super::rows::{Rows, number, text};
use super::{Subject, dump, empty_findings, query, report};

/// The frame's row of `packets` and its bytes; an error if there is no such frame.
async fn read(subject: &Subject<'_>, catalog: &Catalog, wanted: u64) -> Result<(arrow::array::RecordBatch, Vec<u8>), String> {
    let sql =
        format!("SELECT p.*, f.community_id AS community_id FROM packets p LEFT JOIN flows f ON p.flow_id = f.flow_id WHERE p.frame = {wanted}");
    let row = run::rows(catalog, &sql).await.map_err(|error| query(&error))?;
    let (Some(offset), Some(length)) = (number(&row, "file_offset", 0).filter(|_| row.num_rows() > 0), number(&row, "captured_len", 0)) else {
        return Err(missing(wanted, subject.capture.manifest.packets));
    };
    super::unchanged(subject.capture)?;
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    let bytes = evidence::frame(&subject.capture.path, &subject.capture.manifest.format, offset, length).map_err(|error| error.to_string())?;
    Ok((row, bytes))
}

/// What is said where there is no such frame.
pub fn missing(wanted: u64, packets: u64) -> String {
    format!("no packet {wanted} ({packets} packets)")
}

/// The bytes alone.
pub async fn raw(subject: &Subject<'_>, catalog: &Catalog, wanted: u64) -> Result<Vec<u8>, String> {
    read(subject, catalog, wanted).await.map(|(_, bytes)| bytes)
}

/// What is known of the frame, and its bytes.
pub async fn view(subject: &Subject<'_>, catalog: &Catalog, wanted: u64) -> Result<Report, String> {
    let (row, bytes) = read(subject, catalog, wanted).await?;
    let cell = |name: &str| text(&row, name, 0);
    let end = |ip: &str, port: &str, mac: &str| match (cell(ip), cell(port)) {
        (Some(ip), Some(port)) => Some(format!("{ip} port {port}")),
        (Some(ip), None) => Some(ip),
        _ => cell(mac),
    };
    let ends = [end("src_ip", "src_port", "src_mac"), end("dst_ip", "dst_port", "dst_mac")].into_iter().flatten().collect::<Vec<_>>().join(" -> ");
    let link_type = number(&row, "link_type", 0).and_then(|number| u16::try_from(number).ok()).unwrap_or_default();
    let facts = Rows::default()
        .text("Packet", [format!("{}  {ends}", cell("layers").unwrap_or_default())])
        .time("Time", [super::rows::time(&row, "ts", 0)])
        .text("Length", [format!("{} bytes on the wire, {} captured", cell("frame_len").unwrap_or_default(), bytes.len())])
        .text("Interface", [cell("interface_id").unwrap_or_else(|| "-".to_owned())])
        .text("Link Type", [link_type_name(link_type).into_owned()])
        .text("Flow", [cell("flow_id").unwrap_or_else(|| "-".to_owned())])
        .text("Community ID", [cell("community_id").unwrap_or_else(|| "-".to_owned())])
        .text("Rows", [rows_of(catalog, wanted).await?])
        .section("summary", Shape::Facts, None);
    let lines: Vec<dump::Line> = dump::lines(&bytes, 0).collect();
    let bytes = Rows::default()
        .text("Offset", lines.iter().map(|line| format!("{:08x}", line.offset)))
        .text("Hex", lines.iter().map(|line| line.hex.clone()))
        .text("Text", lines.iter().map(|line| line.text.clone()))
        .section("Bytes", Shape::Table, None);
    let sections: Vec<Section> = vec![facts, bytes];
    Ok(report("packet", "PACKET VIEW", format!("{} :: #{wanted}", subject.capture.name), sections, empty_findings()))
}

/// The tables that have rows of this frame, with their number.
async fn rows_of(catalog: &Catalog, frame: u64) -> Result<String, String> {
    let tables: Vec<&str> = pcapper_schema::all()
        .iter()
        .filter(|def| def.shape != pcapper_schema::Shape::Capture && def.name != "packets" && def.name != "findings" && catalog.rows(def.name) > 0)
        .map(|def| def.name)
        .collect();
    if tables.is_empty() {
        return Ok("none".to_owned());
    }
    let counts: Vec<String> =
        tables.iter().map(|table| format!("SELECT '{table}' AS name, count(*) AS n FROM {table} WHERE frame = {frame}")).collect();
    let sql = format!("SELECT name, n FROM ({}) WHERE n > 0 ORDER BY name", counts.join(" UNION ALL "));
    let found = run::rows(catalog, &sql).await.map_err(|error| query(&error))?;
    let listed: Vec<String> =
        (0..found.num_rows()).filter_map(|row| Some(format!("{} {}", text(&found, "name", row)?, text(&found, "n", row)?))).collect();
    Ok(if listed.is_empty() { "none".to_owned() } else { listed.join(", ") })
}
