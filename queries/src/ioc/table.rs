//! Indicators in rows and columns: CSV with a header, and Zeek's intelligence files.

use super::{Indicator, Loaded, percent, time, words};

/// Headings under which the value stands.
const VALUES: [&str; 4] = ["value", "indicator", "ioc", "observable"];

/// Whether the first line is the header of such a table.
pub fn is_csv(text: &str) -> bool {
    let header = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().to_ascii_lowercase();
    header.split(',').any(|column| VALUES.contains(&column.trim().trim_matches('"')))
}

/// Reads a CSV file.
pub fn csv(name: &str, text: &str, loaded: &mut Loaded) -> Result<(), String> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let header: Vec<String> = reader.headers().map_err(|error| error.to_string())?.iter().map(str::to_ascii_lowercase).collect();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                loaded.rejected.push(format!("{name}: {error}"));
                continue;
            }
        };
        let line = record.position().map_or(0, |position| u32::try_from(position.line()).unwrap_or(u32::MAX));
        let cell = |names: &[&str]| row_cell(&header, record.iter(), names);
        row(name, line, &cell, loaded);
    }
    Ok(())
}

/// Reads a Zeek intelligence file: tab-separated, its columns named by `#fields`.
pub fn zeek(name: &str, text: &str, loaded: &mut Loaded) -> Result<(), String> {
    let mut header = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if let Some(fields) = line.strip_prefix("#fields") {
            header = fields.trim_start().split('\t').map(|field| field.trim().to_ascii_lowercase()).collect();
            continue;
        }
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        let line_number = u32::try_from(at + 1).unwrap_or(u32::MAX);
        let cell = |names: &[&str]| row_cell(&header, line.split('\t'), names).filter(|cell| cell != "-");
        row(name, line_number, &cell, loaded);
    }
    if header.is_empty() { Err("the #fields line names no columns".to_owned()) } else { Ok(()) }
}

fn row_cell<'a>(header: &[String], cells: impl Iterator<Item = &'a str>, names: &[&str]) -> Option<String> {
    let cell = header.iter().zip(cells).find(|(column, _)| names.contains(&column.as_str()))?.1.trim();
    (!cell.is_empty()).then(|| cell.to_owned())
}

fn row(name: &str, line: u32, cell: &dyn Fn(&[&str]) -> Option<String>, loaded: &mut Loaded) {
    let Some(value) = cell(&VALUES) else { return };
    let kind = cell(&["type", "kind", "indicator_type"]);
    let rest = Indicator {
        line,
        confidence: cell(&["confidence", "meta.confidence"]).and_then(|text| percent(text.trim_end_matches('%').parse().ok()?)),
        severity: cell(&["severity"]).map(|text| text.to_ascii_lowercase()),
        feed: cell(&["source", "feed", "meta.source"]).or_else(|| Some(name.to_owned())),
        tags: cell(&["tags", "tag"]).map(|text| words(&text)).unwrap_or_default(),
        techniques: cell(&["mitre", "mitre_attack", "techniques", "technique"]).map(|text| words(&text)).unwrap_or_default(),
        description: cell(&["description", "desc", "comment", "meta.desc"]),
        valid_from: cell(&["first_seen", "valid_from"]).and_then(|text| time(&text)),
        valid_until: cell(&["valid_until", "last_seen"]).and_then(|text| time(&text)),
        ..Indicator::default()
    };
    loaded.add(name, kind.as_deref(), &value, rest);
}
