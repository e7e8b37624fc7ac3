//! Errors of the planner in the words of who asked: what there is no such thing of, and what may have been meant.

use datafusion::common::{Column, SchemaError};

use crate::{DataFusionError, nearest};

/// How the engine calls a table that is not there.
const NO_TABLE: &str = "table 'pcapper.lake.";
/// How it calls a function that is not there.
const NO_FUNCTION: &str = "Invalid function '";

/// How it tells that a function takes other types, after the list of all that it takes.
const NO_SIGNATURE: &str = "No function matches the given name and argument types '";

/// How it calls repeated text, which to a user is text.
const REPEATED: &str = "Dictionary(Int32, Utf8)";

/// The error, put better where a name is unknown.
pub fn told(error: DataFusionError, tables: &[String], functions: &[String]) -> DataFusionError {
    let better = match error.find_root() {
        DataFusionError::SchemaError(schema, _) => match schema.as_ref() {
            SchemaError::FieldNotFound { field, valid_fields } => Some(no_column(field, valid_fields)),
            _ => None,
        },
        DataFusionError::Plan(message) => {
            let named = |start: &str| message.strip_prefix(start).and_then(|rest| rest.split_once('\'')).map(|(name, _)| name);
            let table = named(NO_TABLE).map(|name| no("table", name, tables.iter().map(String::as_str), "--tables lists them; \\d at the prompt"));
            let types = message
                .split_once(NO_SIGNATURE)
                .and_then(|(_, rest)| rest.split_once('\''))
                .map(|(call, _)| format!("{}: the function takes other types", call.replace(REPEATED, "Utf8")));
            table.or(types).or_else(|| {
                named(NO_FUNCTION).map(|name| no("function", name, functions.iter().map(String::as_str), "--describe functions; \\df at the prompt"))
            })
        }
        _ => None,
    };
    better.map_or(error, |better| DataFusionError::External(better.into()))
}

fn no<'n>(what: &str, name: &str, known: impl Iterator<Item = &'n str>, else_: &str) -> String {
    match nearest::name(name, known) {
        Some(near) => format!("no {what} {name}; did you mean {near}?"),
        None => format!("no {what} {name} ({else_})"),
    }
}

fn no_column(field: &Column, valid: &[Column]) -> String {
    let table = field.relation.as_ref().map(ToString::to_string);
    let of_table = |column: &&Column| table.is_none() || column.relation.as_ref().map(ToString::to_string) == table;
    let mut names: Vec<&str> = Vec::new();
    for column in valid.iter().filter(of_table) {
        if !names.contains(&column.name.as_str()) {
            names.push(&column.name);
        }
    }
    let shown = table.as_ref().map_or_else(|| field.name.clone(), |table| format!("{table}.{}", field.name));
    match nearest::name(&field.name, names.iter().copied()) {
        Some(near) => format!("no column {shown}; did you mean {near}?"),
        None if names.is_empty() => match table {
            Some(table) => format!("no column {shown}: no table in this query is called {table}"),
            None => format!("no column {shown}"),
        },
        None => format!("no column {shown}; there are {}", names.join(", ")),
    }
}
