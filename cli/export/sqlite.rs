//! Results as an SQLite database: findings, every section as a typed table, and stored tables on request.

use std::collections::HashMap;
use std::io;

use arrow::datatypes::{DataType, SchemaRef};
use futures::StreamExt as _;
use pcapper_queries::catalog::Catalog;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, params_from_iter};
use serde_json::Value;

use super::check::APPLICATION_ID;
use super::csv::{self, FINDING};
use super::file::Whole;
use super::{Answered, Answers, json};
use crate::arguments::Given;
use crate::render::sql::one_line;
use crate::render::value::{self, Secrets};

/// Views in the reference tool's shape, a module and all it says as one JSON object, each with the table behind it.
const VIEWS: [(&str, &str); 2] = [("detections", "findings"), ("artifacts", "artifact_rows")];

/// Stored tables that the option names.
pub fn tables(given: &Given) -> Result<Vec<String>, String> {
    let Some(list) = given.text("sqlite-tables") else { return Ok(Vec::new()) };
    if given.text("sqlite").is_none() {
        return Err("--sqlite-tables needs --sqlite".to_owned());
    }
    let known = pcapper_schema::all();
    if list == "all" {
        return Ok(known.iter().map(|def| def.name.to_owned()).collect());
    }
    let mut tables = Vec::new();
    for name in list.split(',').map(str::trim) {
        if !known.iter().any(|def| def.name == name) {
            return Err(format!("--sqlite-tables {name}: no such table (--tables lists them; all takes every one)"));
        }
        if !tables.iter().any(|table| table == name) {
            tables.push(name.to_owned());
        }
    }
    Ok(tables)
}

/// Writes the database; gives its rows and its size. `raw` are stored tables to copy from the catalog.
pub async fn write(answers: &Answers<'_>, answered: &[&Answered], raw: &[String], catalog: &Catalog, file: Whole) -> Result<(u64, u64), String> {
    let Some(aside) = file.aside() else { return Err(file.fault(&io::Error::new(io::ErrorKind::InvalidInput, "is no place for a database"))) };
    let mut rows = 0;
    let fail = |error: rusqlite::Error| file.fault(&io::Error::other(in_words(&error)));
    let base = Database::create(aside).map_err(fail)?;
    rows += reports(&base, answers, answered).map_err(fail)?;
    for table in raw {
        rows +=
            stored(&base, table, catalog, raw.len() == pcapper_schema::all().len(), &|error| file.fault(&io::Error::other(in_words(&error)))).await?;
    }
    base.finish().map_err(|error| file.fault(&io::Error::other(in_words(&error))))?;
    let bytes = file.commit()?;
    Ok((rows, bytes))
}

fn in_words(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(code, _) if code.code == rusqlite::ErrorCode::DiskFull => "no space left on device".to_owned(),
        other => other.to_string(),
    }
}

/// A database in the making.
struct Database(Connection);

impl Database {
    fn create(path: &std::path::Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        // Nobody reads the file before it is whole, and it is thrown away if that fails: no journal is needed.
        connection.pragma_update(None, "journal_mode", "OFF")?;
        connection.pragma_update(None, "synchronous", "OFF")?;
        connection.pragma_update(None, "user_version", json::SCHEMA)?;
        connection.pragma_update(None, "application_id", APPLICATION_ID)?;
        connection.execute_batch("BEGIN")?;
        Ok(Self(connection))
    }

    /// Makes a table; columns are names and types.
    fn table(&self, name: &str, columns: &[(String, &str)]) -> rusqlite::Result<()> {
        let columns: Vec<String> = columns.iter().map(|(name, kind)| format!("{} {kind}", quoted(name))).collect();
        self.0.execute_batch(&format!("CREATE TABLE {} ({})", quoted(name), columns.join(", ")))
    }

    /// Appends a row.
    fn insert(&self, name: &str, values: impl IntoIterator<Item = Sql>) -> rusqlite::Result<()> {
        let values: Vec<Sql> = values.into_iter().collect();
        let places = vec!["?"; values.len()].join(", ");
        self.0.prepare_cached(&format!("INSERT INTO {} VALUES ({places})", quoted(name)))?.execute(params_from_iter(values))?;
        Ok(())
    }

    fn finish(self) -> rusqlite::Result<()> {
        self.0.execute_batch("COMMIT")?;
        self.0.close().map_err(|(_, error)| error)
    }
}

fn reports(base: &Database, answers: &Answers<'_>, answered: &[&Answered]) -> rusqlite::Result<u64> {
    let mut secrets = Secrets::default();
    let mut rows = captures(base, answers, answered)?;

    let columns: Vec<(String, &str)> = FINDING.iter().map(|name| ((*name).to_owned(), if *name == "count" { "INTEGER" } else { "TEXT" })).collect();
    for (_, table) in VIEWS {
        base.table(table, &columns)?;
    }
    for entry in csv::entries(answered, &mut secrets) {
        let table = if entry.category == "detection" { "findings" } else { "artifact_rows" };
        base.insert(table, entry.values.iter().map(sql))?;
        rows += 1;
    }
    for (view, table) in VIEWS {
        let members: Vec<String> = FINDING
            .iter()
            .skip(1)
            .map(
                |name| {
                    if matches!(*name, "frames" | "techniques" | "tags") { format!("'{name}', json({name})") } else { format!("'{name}', {name}") }
                },
            )
            .collect();
        base.0.execute_batch(&format!("CREATE VIEW {view} AS SELECT module, json_object({}) AS data FROM {table}", members.join(", ")))?;
    }

    if answered.iter().any(|one| one.hosts.is_some()) {
        rows += hosts(base, answered, &mut secrets)?;
    }
    for table in csv::tables(answered, |_| true) {
        let columns = table.columns(answered);
        let types: Vec<(String, &str)> = columns
            .iter()
            .map(|name| {
                let field =
                    table.batches(answered).find_map(|(_, batch)| batch.schema().column_with_name(name).map(|(_, field)| field.data_type().clone()));
                (name.clone(), field.map_or("TEXT", |field| affinity(&field)))
            })
            .collect();
        // Names in SQL know no case.
        let types = distinct(types);
        base.table(&table.suffix, &types)?;
        for (one, batch) in table.batches(answered) {
            for row in 0..batch.num_rows() {
                base.insert(&table.suffix, columns.iter().map(|column| sql(&csv::value_of(one, batch, column, row, &mut secrets))))?;
                rows += 1;
            }
        }
    }
    Ok(rows)
}

/// The captures of the database, and what was named and could not be read.
fn captures(base: &Database, answers: &Answers<'_>, answered: &[&Answered]) -> rusqlite::Result<u64> {
    let text = |name: &str| (name.to_owned(), "TEXT");
    let whole = |name: &str| (name.to_owned(), "INTEGER");
    base.table(
        "captures",
        &[
            text("capture"),
            text("capture_id"),
            text("sha256"),
            whole("file_size_bytes"),
            text("format"),
            whole("packets"),
            whole("wire_bytes"),
            text("first_packet"),
            text("last_packet"),
            whole("truncated"),
            whole("skipped_bytes"),
        ],
    )?;
    let together = answered.iter().any(|one| one.capture.is_none());
    let single = answered.iter().filter_map(|one| one.capture.as_ref());
    let listed: Vec<_> = if together { answers.captures.iter().collect() } else { single.collect() };
    for capture in &listed {
        let manifest = &capture.manifest;
        let time = |ns: Option<i64>| ns.map_or(Sql::Null, |ns| Sql::Text(value::time(ns, 9)));
        let values = [
            Sql::Text(capture.name.clone()),
            Sql::Text(manifest.capture_id.clone()),
            Sql::Text(manifest.sha256.clone()),
            whole_number(manifest.file_size_bytes),
            Sql::Text(manifest.format.clone()),
            whole_number(manifest.packets),
            whole_number(manifest.wire_bytes),
            time(manifest.first_ts),
            time(manifest.last_ts),
            Sql::Integer(manifest.truncated.into()),
            whole_number(manifest.skipped_bytes),
        ];
        base.insert("captures", values)?;
    }
    base.table("skipped", &[text("capture"), text("reason")])?;
    for (path, reason) in answers.skipped {
        base.insert("skipped", [Sql::Text(path.clone()), Sql::Text(reason.clone())])?;
    }
    Ok((listed.len() + answers.skipped.len()) as u64)
}

fn hosts(base: &Database, answered: &[&Answered], secrets: &mut Secrets) -> rusqlite::Result<u64> {
    let mut rows = 0;
    for batch in answered.iter().filter_map(|one| one.hosts.as_ref()) {
        if rows == 0 {
            let types = batch.schema().fields().iter().map(|field| (field.name().clone(), affinity(field.data_type()))).collect::<Vec<_>>();
            let capture = ("capture".to_owned(), "TEXT");
            base.0.execute_batch("DROP TABLE IF EXISTS hosts")?;
            base.table("hosts", &std::iter::once(capture).chain(types).collect::<Vec<_>>())?;
        }
        for row in 0..batch.num_rows() {
            let values: Vec<Sql> = batch.columns().iter().map(|column| sql(&value::json(column, row, secrets, false))).collect();
            let capture = values.first().cloned().unwrap_or(Sql::Null);
            base.insert("hosts", std::iter::once(capture).chain(values))?;
            rows += 1;
        }
    }
    Ok(rows)
}

/// Copies one stored table as `raw_NAME`, row by row. The engine gives rows in any order: they are put in order on disk, in
/// a table that goes with the connection. `sparse` leaves a table without rows out.
async fn stored(base: &Database, table: &str, catalog: &Catalog, sparse: bool, fail: &dyn Fn(rusqlite::Error) -> String) -> Result<u64, String> {
    let explained = |error| format!("--sqlite-tables {table}: {}", one_line(&error));
    let frame = catalog.sql(&format!("SELECT * FROM {table}")).await.map_err(explained)?;
    let schema = SchemaRef::clone(frame.schema().inner());
    let types: Vec<(String, &str)> = schema.fields().iter().map(|field| (field.name().clone(), affinity(field.data_type()))).collect();
    let mut stream = frame.execute_stream().await.map_err(explained)?;
    let (unsorted, name) = (format!("unsorted_{table}"), format!("raw_{table}"));
    let columns: Vec<String> = types.iter().map(|(name, kind)| format!("{} {kind}", quoted(name))).collect();
    base.0.execute_batch(&format!("CREATE TEMP TABLE {} ({})", quoted(&unsorted), columns.join(", "))).map_err(fail)?;
    let mut rows = 0;
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(explained)?;
        for row in 0..batch.num_rows() {
            // Secrets stay marks here, and get their numbers in the final order.
            let values: Vec<Sql> = batch.columns().iter().map(|column| sql(&value::json(column, row, &mut Secrets::kept(), false))).collect();
            base.insert(&unsorted, values).map_err(fail)?;
            rows += 1;
        }
    }
    if rows > 0 || !sparse {
        base.table(&name, &types).map_err(fail)?;
        sorted(base, table, &unsorted, &name, &schema).map_err(fail)?;
    }
    base.0.execute_batch(&format!("DROP TABLE {}", quoted(&unsorted))).map_err(fail)?;
    Ok(rows)
}

fn sorted(base: &Database, table: &str, from: &str, to: &str, schema: &SchemaRef) -> rusqlite::Result<()> {
    let defs = pcapper_schema::all();
    let secret =
        |name: &str| defs.iter().filter(|def| def.name == table).flat_map(|def| &def.columns).any(|column| column.name == name && column.secret);
    let first = ["capture_id", "frame", "ts"];
    let has = |name: &&str| schema.column_with_name(name).is_some();
    // Ids of secrets are made with the lake's key: numbers in their place tell equal ones just as well, whatever the lake.
    let is_id = |name: &str| table == "credentials" && name == "secret_id";
    let mut ids: HashMap<String, i64> = HashMap::new();
    let rest = schema.fields().iter().map(|field| field.name().as_str()).filter(|name| !first.contains(name) && !secret(name) && !is_id(name));
    let order: Vec<String> = first.into_iter().filter(has).chain(rest).map(quoted).collect();
    let mut numbers = Secrets::default();
    let mut query = base.0.prepare(&format!("SELECT * FROM {} ORDER BY {}", quoted(from), order.join(", ")))?;
    let width = schema.fields().len();
    let mut found = query.query([])?;
    while let Some(row) = found.next()? {
        let mut values = Vec::with_capacity(width);
        for at in 0..width {
            values.push(match row.get(at)? {
                Sql::Text(text) if schema.fields().get(at).is_some_and(|field| is_id(field.name())) => {
                    let next = ids.len() as i64 + 1;
                    Sql::Text(ids.entry(text).or_insert(next).to_string())
                }
                Sql::Text(text) => Sql::Text(numbers.numbered(&text)),
                other => other,
            });
        }
        base.insert(to, values)?;
    }
    Ok(())
}

/// The names with a number where two differ in case only.
fn distinct(columns: Vec<(String, &str)>) -> Vec<(String, &str)> {
    let mut taken: Vec<String> = Vec::new();
    columns
        .into_iter()
        .map(|(name, kind)| {
            let numbered = (2..).map(|number| format!("{name}_{number}"));
            let free = std::iter::once(name.clone()).chain(numbered).find(|name| !taken.contains(&name.to_lowercase())).unwrap_or_default();
            taken.push(free.to_lowercase());
            (free, kind)
        })
        .collect()
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn whole_number(number: u64) -> Sql {
    i64::try_from(number).map_or_else(|_| Sql::Text(number.to_string()), Sql::Integer)
}

/// The type a column is declared with.
fn affinity(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Boolean => "INTEGER",
        DataType::Float16 | DataType::Float32 | DataType::Float64 => "REAL",
        other if other.is_integer() => "INTEGER",
        _ => "TEXT",
    }
}

/// A value as SQLite holds it: truth as 0 and 1, lists as JSON.
fn sql(value: &Value) -> Sql {
    match value {
        Value::Null => Sql::Null,
        Value::Bool(yes) => Sql::Integer((*yes).into()),
        Value::String(text) => Sql::Text(text.clone()),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(whole), ..) => Sql::Integer(whole),
            (None, Some(big), _) => Sql::Text(big.to_string()),
            (None, None, Some(float)) => Sql::Real(float),
            (None, None, None) => Sql::Null,
        },
        other => Sql::Text(other.to_string()),
    }
}
