//! JSON lists of indicators, and MISP events.

use serde_json::Value;

use super::{Indicator, Loaded, percent, time, words};

/// Reads a list, an object with `indicators`, or a MISP event.
pub fn read(name: &str, document: &Value, loaded: &mut Loaded) -> Result<(), String> {
    if let Some(event) = document.get("Event") {
        misp(name, event, loaded);
        return Ok(());
    }
    if let Some(events) = document.get("response").and_then(Value::as_array) {
        events.iter().filter_map(|entry| entry.get("Event")).for_each(|event| misp(name, event, loaded));
        return Ok(());
    }
    let list = document.as_array().or_else(|| document.get("indicators").and_then(Value::as_array));
    let list = list.ok_or("neither a list of indicators, nor an object with \"indicators\", a MISP event or a STIX bundle")?;
    for (at, entry) in list.iter().enumerate() {
        one(name, u32::try_from(at + 1).unwrap_or(u32::MAX), entry, loaded);
    }
    Ok(())
}

fn one(name: &str, line: u32, entry: &Value, loaded: &mut Loaded) {
    if let Some(value) = entry.as_str() {
        return loaded.add(name, None, value, Indicator { line, feed: Some(name.to_owned()), ..Indicator::default() });
    }
    let text = |keys: &[&str]| keys.iter().find_map(|key| entry.get(key)?.as_str()).map(str::to_owned);
    let list = |keys: &[&str]| {
        let found = keys.iter().find_map(|key| entry.get(key));
        found.map(texts).unwrap_or_default()
    };
    let Some(value) = text(&["value", "indicator", "ioc"]) else {
        loaded.rejected.push(format!("{name}:{line}: no \"value\""));
        return;
    };
    let rest = Indicator {
        line,
        confidence: entry
            .get("confidence")
            .and_then(|value| value.as_f64().or_else(|| value.as_str()?.trim_end_matches('%').parse().ok()))
            .and_then(percent),
        severity: text(&["severity"]).map(|text| text.to_ascii_lowercase()),
        feed: text(&["source", "feed"]).or_else(|| Some(name.to_owned())),
        tags: list(&["tags"]),
        techniques: list(&["mitre", "mitre_attack", "techniques"]),
        description: text(&["description"]),
        valid_from: text(&["first_seen", "valid_from"]).and_then(|text| time(&text)),
        valid_until: text(&["valid_until", "last_seen"]).and_then(|text| time(&text)),
        ..Indicator::default()
    };
    loaded.add(name, text(&["type", "kind"]).as_deref(), &value, rest);
}

/// A list of texts, or a text that is a list.
pub fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => words(text),
        Value::Array(values) => values.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// The attributes of an event and of its objects. Only those meant for detection, where the event says so.
fn misp(name: &str, event: &Value, loaded: &mut Loaded) {
    let attributes = |holder: &Value| holder.get("Attribute").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut all = attributes(event);
    for object in event.get("Object").and_then(Value::as_array).into_iter().flatten() {
        all.extend(attributes(object));
    }
    let feed = event.get("info").and_then(Value::as_str).unwrap_or(name).to_owned();
    for (at, attribute) in all.iter().enumerate() {
        if attribute.get("to_ids").and_then(Value::as_bool) == Some(false) {
            loaded.ignored += 1;
            continue;
        }
        let text = |key: &str| attribute.get(key).and_then(Value::as_str).unwrap_or_default();
        let (kinds, values) = (text("type"), text("value"));
        let tags = attribute.get("Tag").and_then(Value::as_array).into_iter().flatten();
        let tags: Vec<String> = tags.filter_map(|tag| tag.get("name")?.as_str()).map(str::to_owned).collect();
        let line = u32::try_from(at + 1).unwrap_or(u32::MAX);
        let comment = Some(text("comment").to_owned()).filter(|comment| !comment.is_empty());
        let rest = Indicator { line, feed: Some(feed.clone()), tags, description: comment, ..Indicator::default() };
        // `domain|ip` and `filename|md5` hold two values; `ip-dst|port` one.
        if kinds.ends_with("|port") || !kinds.contains('|') {
            loaded.add(name, Some(kinds), values, rest);
            continue;
        }
        for (kind, value) in kinds.split('|').zip(values.split('|')) {
            loaded.add(name, Some(kind), value, rest.clone());
        }
    }
}
