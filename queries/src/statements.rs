//! SQL texts of several statements: where one ends, and which parameters it names.

use std::collections::BTreeSet;

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

/// One statement of a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Statement {
    /// The statement as written, without its semicolon.
    pub sql: String,
    /// Line of the text on which it starts, from 1.
    pub line: usize,
    /// Names of its `$name` parameters, without the `$`.
    pub parameters: BTreeSet<String>,
}

/// A text taken apart.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Split {
    pub statements: Vec<Statement>,
    /// The last statement has no semicolon yet.
    pub is_open: bool,
}

/// A text in which no statement ends: an open quote or comment. Gives the place as the parser would.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(String);

/// Takes a text apart at its semicolons; those in quotes and comments are not meant.
pub fn split(text: &str) -> Result<Split, Unreadable> {
    let mut tokens = Vec::new();
    Tokenizer::new(&GenericDialect {}, text)
        .tokenize_with_location_into_buf(&mut tokens)
        .map_err(|error| Unreadable(format!("{} at line {}, column {}", error.message, error.location.line, error.location.column)))?;
    let places = Places::of(text);
    let mut split = Split::default();
    let mut open: Vec<&TokenWithSpan> = Vec::new();
    for token in &tokens {
        match &token.token {
            Token::SemiColon => {
                split.statements.extend(statement(text, &places, &open, places.at(token.span.start)));
                open.clear();
            }
            // Blanks and comments before a statement do not begin it.
            Token::Whitespace(_) if open.is_empty() => {}
            Token::EOF => {}
            _ => open.push(token),
        }
    }
    if let Some(last) = statement(text, &places, &open, text.len()) {
        split.statements.push(last);
        split.is_open = true;
    }
    Ok(split)
}

fn statement(text: &str, places: &Places, tokens: &[&TokenWithSpan], end: usize) -> Option<Statement> {
    let first = tokens.first()?;
    let sql = text.get(places.at(first.span.start)..end)?.trim_end().to_owned();
    let parameters = tokens.iter().filter_map(|token| match &token.token {
        Token::Placeholder(name) => name.strip_prefix('$').map(str::to_owned),
        _ => None,
    });
    Some(Statement { sql, line: first.span.start.line as usize, parameters: parameters.collect() })
}

/// Where each line of a text starts, to find a place given by line and column.
struct Places<'t> {
    text: &'t str,
    lines: Vec<usize>,
}

impl<'t> Places<'t> {
    fn of(text: &'t str) -> Self {
        let mut lines = vec![0];
        lines.extend(text.match_indices('\n').map(|(at, _)| at + 1));
        Self { text, lines }
    }

    /// The byte at which a character stands; columns count characters.
    fn at(&self, location: Location) -> usize {
        let number = (location.line as usize).saturating_sub(1);
        let start = self.lines.get(number).copied().unwrap_or(self.text.len());
        let line = self.text.get(start..).unwrap_or_default();
        let column = (location.column as usize).saturating_sub(1);
        line.char_indices().nth(column).map_or(self.text.len(), |(at, _)| start + at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn semicolons_in_quotes_and_comments_end_nothing() {
        let text = "-- first; one\nSELECT ';' AS \"a;b\" /* ; */;\n\nSELECT 'ä',\n $name, $other;;\n-- nothing; here\n";
        let split = split(text).unwrap();
        assert!(!split.is_open);
        let parts: Vec<_> = split.statements.iter().map(|statement| (statement.line, statement.sql.as_str())).collect();
        assert_eq!(parts, [(2, "SELECT ';' AS \"a;b\" /* ; */"), (4, "SELECT 'ä',\n $name, $other")]);
        assert_eq!(split.statements[1].parameters.iter().map(String::as_str).collect::<Vec<_>>(), ["name", "other"]);
    }

    #[test]
    fn an_open_end_is_told() {
        assert!(split("SELECT 1; SELECT 2").unwrap().is_open);
        assert!(split("SELECT 'a").is_err());
        assert_eq!(split("  -- nothing\n").unwrap(), Split::default());
    }
}
