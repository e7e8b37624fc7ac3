//! Completion of tables, columns, functions, commands; and when an input is whole.

use std::cell::OnceCell;

use pcapper_queries::catalog::{self, Catalog};
use pcapper_queries::functions::{self, Kind};
use pcapper_queries::statements;
use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper, Highlighter, Hinter};

use super::command;
use crate::render::sql::Form;

/// Words of SQL that are worth completing.
#[rustfmt::skip]
const KEYWORDS: &[&str] = &[
    "SELECT", "FROM", "WHERE", "GROUP BY", "ORDER BY", "HAVING", "LIMIT", "DISTINCT", "COUNT", "JOIN", "LEFT JOIN", "ON", "USING", "AND", "OR",
    "NOT", "IN", "IS NULL", "IS NOT NULL", "LIKE", "ILIKE", "BETWEEN", "CASE", "WHEN", "THEN", "ELSE", "END", "AS", "DESC", "ASC", "UNION ALL",
    "WITH", "OVER", "PARTITION BY", "FILTER", "INTERVAL", "EXISTS",
];

/// What can be completed.
#[derive(Helper, Highlighter, Hinter)]
pub struct Words {
    /// Each table with its columns; those of a derived one once it was named.
    tables: Vec<(String, OnceCell<Vec<String>>)>,
    functions: Vec<String>,
    /// Functions that stand where a table does.
    table_functions: Vec<&'static str>,
    files: FilenameCompleter,
}

impl Words {
    pub fn of(catalog: &Catalog) -> Self {
        let defs = pcapper_schema::all();
        let columns = |table: &str| -> Option<Vec<String>> {
            defs.iter().find(|def| def.name == table).map(|def| def.columns.iter().map(|column| column.name.to_owned()).collect())
        };
        let tables = catalog.tables().into_iter().map(|(table, _)| {
            let known = columns(&table).map_or_else(OnceCell::new, OnceCell::from);
            (table, known)
        });
        let table_functions = functions::dictionary().into_iter().filter(|doc| doc.kind == Kind::Table).map(|doc| doc.name).collect();
        Self { tables: tables.collect(), functions: catalog.functions(), table_functions, files: FilenameCompleter::new() }
    }

    /// Functions that `\d` describes.
    fn described(&self) -> impl Iterator<Item = String> {
        functions::dictionary().into_iter().map(|doc| doc.name.to_owned())
    }

    fn table_names(&self) -> impl Iterator<Item = &str> {
        self.tables.iter().map(|(table, _)| table.as_str())
    }

    /// Columns of a table that a query names.
    fn columns((table, columns): &(String, OnceCell<Vec<String>>)) -> &[String] {
        columns.get_or_init(|| {
            let schema = catalog::columns_of(table);
            schema.iter().flat_map(|schema| schema.fields()).map(|field| field.name().clone()).collect()
        })
    }

    /// Candidates for the word that ends `before`, which is all that stands before the cursor of `text`.
    fn candidates(&self, text: &str, before: &str, word: &str) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        let starts =
            |candidate: &str| candidate.len() >= word.len() && candidate.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
        let mut add = |candidate: &str| {
            if starts(candidate) && !found.iter().any(|known| known == candidate) {
                found.push(candidate.to_owned());
            }
        };
        let words: Vec<&str> = text.split(|letter: char| !is_part(letter)).filter(|word| !word.is_empty()).collect();
        if let Some((owner, _)) = word.rsplit_once('.') {
            // A table by its name, or by the name that the query gives it.
            let named =
                words.windows(3).find(|three| three.get(1).is_some_and(|word| word.eq_ignore_ascii_case("as")) && three.get(2) == Some(&owner));
            let called = words.windows(2).find(|two| two.get(1) == Some(&owner) && self.table_names().any(|table| Some(&table) == two.first()));
            let table = named.and_then(|three| three.first()).or(called.and_then(|two| two.first())).copied().unwrap_or(owner);
            for table in self.tables.iter().filter(|(name, _)| name == table) {
                Self::columns(table).iter().for_each(|column| add(&format!("{owner}.{column}")));
            }
            return found;
        }
        let last = before.split_whitespace().next_back().unwrap_or_default();
        if ["from", "join"].iter().any(|keyword| last.eq_ignore_ascii_case(keyword)) {
            self.table_names().chain(self.table_functions.iter().copied()).for_each(&mut add);
            return found;
        }
        let named: Vec<_> = self.tables.iter().filter(|(table, _)| words.contains(&table.as_str())).collect();
        named.iter().flat_map(|table| Self::columns(table)).for_each(|column| add(column));
        if !word.is_empty() {
            // The columns are typed before the table, as a rule.
            if named.is_empty() {
                self.tables.iter().filter_map(|(_, columns)| columns.get()).flatten().for_each(|column| add(column));
            }
            self.table_names().for_each(&mut add);
            self.functions.iter().for_each(|function| add(function));
            KEYWORDS.iter().for_each(|keyword| add(keyword));
        }
        found
    }
}

fn is_part(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || letter == '.'
}

impl Completer for Words {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, context: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let before = line.get(..pos).unwrap_or(line);
        let pairs = |words: Vec<String>| words.into_iter().map(|word| Pair { display: word.clone(), replacement: word }).collect();
        // A question may follow the name of a file.
        let is_asked = before.trim_start().strip_prefix("\\write-pcap ").is_some_and(|rest| rest.trim_start().contains(char::is_whitespace));
        if before.trim_start().starts_with('\\') && !is_asked {
            let typed = before.trim_start();
            let Some((name, rest)) = typed.split_once(char::is_whitespace) else {
                let known = command::NAMES.iter().filter(|name| name.starts_with(typed)).map(|name| (*name).to_owned()).collect();
                return Ok((before.len() - typed.len(), pairs(known)));
            };
            let rest = rest.trim_start();
            let known: Vec<String> = match name {
                "\\o" | "\\i" | "\\write-pcap" => return self.files.complete(line, pos, context),
                "\\format" => Form::NAMES.iter().map(|(name, _)| (*name).to_owned()).collect(),
                "\\d" => self.table_names().map(str::to_owned).chain(self.described()).collect(),
                "\\df" => self.described().collect(),
                _ => Vec::new(),
            };
            return Ok((before.len() - rest.len(), pairs(known.into_iter().filter(|word| word.starts_with(rest)).collect())));
        }
        let start = before.char_indices().rev().take_while(|(_, letter)| is_part(*letter)).last().map_or(before.len(), |(at, _)| at);
        let word = before.get(start..).unwrap_or_default();
        Ok((start, pairs(self.candidates(line, before.get(..start).unwrap_or_default(), word))))
    }
}

impl Validator for Words {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let is_whole = context.input().trim_start().starts_with('\\') || !is_open(context.input());
        Ok(if is_whole { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

/// Whether a question has begun and not ended.
pub fn is_open(text: &str) -> bool {
    // An open quote ends on a later line.
    statements::split(text).map_or(true, |split| split.is_open)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> Words {
        let table =
            |name: &str, columns: &[&str]| (name.to_owned(), OnceCell::from(columns.iter().map(|&column| column.to_owned()).collect::<Vec<_>>()));
        Words {
            tables: vec![table("dns", &["query", "qtype"]), table("flows", &["src_ip"]), ("found_flags".to_owned(), OnceCell::new())],
            functions: vec!["cidr_match".to_owned()],
            table_functions: vec!["payloads"],
            files: FilenameCompleter::new(),
        }
    }

    #[test]
    fn completes_by_place() {
        let words = words();
        assert_eq!(words.candidates("SELECT q FROM dns", "SELECT ", "q"), ["query", "qtype"]);
        assert_eq!(words.candidates("SELECT * FROM d", "SELECT * FROM ", "d"), ["dns"]);
        assert_eq!(words.candidates("SELECT d.qu FROM dns d", "SELECT ", "d.qu"), ["d.query"]);
        assert_eq!(words.candidates("SELECT x.qu FROM dns AS x", "SELECT ", "x.qu"), ["x.query"]);
        assert_eq!(words.candidates("SELECT ci", "SELECT ", "ci"), ["cidr_match"]);
        assert_eq!(words.candidates("SELECT q", "SELECT ", "q"), ["query", "qtype"]);
        assert_eq!(words.candidates("SELECT * FROM pay", "SELECT * FROM ", "pay"), ["payloads"]);
        assert_eq!(words.candidates("SELECT fl FROM found_flags", "SELECT ", "fl"), ["flag", "flows"]);
    }

    #[test]
    fn a_question_ends_with_its_semicolon() {
        assert!(is_open("SELECT 1"));
        assert!(is_open("SELECT ';"));
        assert!(!is_open("SELECT 1;"));
        assert!(!is_open("-- a remark\n"));
    }
}
