//! Questions to start from, three or more a table, in `examples/*.sql`:
//!
//! ```sql
//! -- @table dns
//! -- Which names were asked for most?
//! SELECT query, count(*) AS queries FROM dns GROUP BY query ORDER BY queries DESC, query;
//! ```

use include_dir::{Dir, include_dir};

static EXAMPLES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/examples");

/// A question about a table, in words and in SQL.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Example {
    pub table: &'static str,
    pub question: &'static str,
    pub sql: &'static str,
}

/// All examples, in the order in which they are written.
pub fn all() -> Vec<Example> {
    let mut examples = Vec::new();
    for text in EXAMPLES.files().filter_map(|file| file.contents_utf8()) {
        let (mut table, mut question) = ("", "");
        for line in text.lines() {
            match (line.strip_prefix("-- @table "), line.strip_prefix("-- ")) {
                (Some(name), _) => table = name.trim(),
                (None, Some(words)) => question = words.trim(),
                (None, None) if !line.trim().is_empty() => examples.push(Example { table, question, sql: line.trim().trim_end_matches(';') }),
                (None, None) => {}
            }
        }
    }
    examples
}

/// The examples of one table.
pub fn of(table: &str) -> Vec<Example> {
    all().into_iter().filter(|example| example.table == table).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::catalog::{Catalog, View};

    #[tokio::test]
    async fn every_table_has_three_questions_that_plan() {
        let catalog = Catalog::open(Path::new("/nonexistent"), Vec::new(), View::default()).unwrap();
        for def in pcapper_schema::all() {
            let examples = of(def.name);
            assert!(examples.len() >= 3, "{}: {} example questions, three are needed in examples/*.sql", def.name, examples.len());
            for example in examples {
                assert!(example.question.ends_with('?'), "{example:?}");
                let tables = catalog.tables_of(example.sql).unwrap_or_else(|error| panic!("{example:?}: {error}"));
                assert!(tables.iter().any(|table| table == def.name), "{example:?} asks another table");
                catalog.sql(example.sql).await.unwrap_or_else(|error| panic!("{example:?}: {error}"));
            }
        }
        for example in all() {
            assert!(pcapper_schema::all().iter().any(|def| def.name == example.table), "{}: no such table", example.table);
        }
    }
}
