//! Which queries cannot have rows, told from their text and from what values columns have: most detections ask for tables,
//! protocols or outcomes that a capture has no rows of, and to plan a query costs more than to run it.
//!
//! What is said to be empty is empty; a query whose form leaves the answer open counts as one that may have rows.

use std::ops::ControlFlow;

use arrow::array::StringArray;
use arrow::compute::{like, nlike};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    self, BinaryOperator, Expr, GroupByExpr, Ident, JoinConstraint, JoinOperator, ObjectName, ObjectNamePart, Query, Select, SetExpr, SetOperator,
    TableFactor, TableWithJoins, UnaryOperator, Value, Visitor,
};

use super::values::Values;

/// What must be known of the names in a query.
pub trait Names {
    /// Whether a table or view certainly has no rows.
    fn is_empty(&self, table: &str) -> bool;
    /// Whether a function gives one value for many rows.
    fn is_aggregate(&self, function: &str) -> bool;
    /// The values that a column of a table has, besides null.
    fn values(&self, table: &str, column: &str) -> Values;
}

/// Whether a statement certainly has no rows.
pub fn is_empty(statement: &Statement, names: &impl Names) -> bool {
    match statement {
        Statement::Statement(inner) => match inner.as_ref() {
            ast::Statement::Query(query) => Walk { names, with: Vec::new() }.query(query),
            _ => false,
        },
        _ => false,
    }
}

/// The words of a text that could name a table, in lower case, repetitions among them.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !(letter.is_alphanumeric() || letter == '_')).filter(|word| !word.is_empty())
}

/// What a SELECT draws on: the name each is called by, and the table or view it is, if it is one.
type Tables = Vec<(Option<String>, Option<String>)>;

struct Walk<'n, N> {
    names: &'n N,
    /// Queries named by WITH, innermost last, and whether they are empty.
    with: Vec<(String, bool)>,
}

fn name(ident: &Ident) -> String {
    if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_lowercase() }
}

/// A name of one part.
fn simple(object: &ObjectName) -> Option<String> {
    match object.0.as_slice() {
        [ObjectNamePart::Identifier(ident)] => Some(name(ident)),
        _ => None,
    }
}

impl<N: Names> Walk<'_, N> {
    fn query(&mut self, query: &Query) -> bool {
        let depth = self.with.len();
        if let Some(with) = &query.with {
            for table in &with.cte_tables {
                // What names itself is not looked into.
                let is_empty = !with.recursive && self.query(&table.query);
                self.with.push((name(&table.alias.name), is_empty));
            }
        }
        let has_order = query.order_by.as_ref().is_some_and(|order| self.aggregates(order));
        let is_empty = query.pipe_operators.is_empty() && !has_order && self.body(&query.body);
        self.with.truncate(depth);
        is_empty
    }

    fn body(&mut self, body: &SetExpr) -> bool {
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::Query(query) => self.query(query),
            SetExpr::SetOperation { left, op, right, .. } => {
                let (left, right) = (self.body(left), self.body(right));
                match op {
                    SetOperator::Union => left && right,
                    SetOperator::Intersect => left || right,
                    SetOperator::Except => left,
                    SetOperator::Minus => false,
                }
            }
            _ => false,
        }
    }

    fn select(&mut self, select: &Select) -> bool {
        let is_bare = match &select.group_by {
            GroupByExpr::Expressions(groups, modifiers) if groups.is_empty() => {
                // One row for all, were they none, is a row.
                let aggregates = self.aggregates(&select.projection) || self.aggregates(&select.qualify) || self.aggregates(&select.distinct);
                select.having.is_none() && !aggregates && modifiers.is_empty()
            }
            GroupByExpr::Expressions(groups, modifiers) => {
                // A set of groups may hold the one of all rows.
                let is_set = |group: &Expr| matches!(group, Expr::GroupingSets(_) | Expr::Cube(_) | Expr::Rollup(_));
                modifiers.is_empty() && !groups.iter().any(is_set)
            }
            GroupByExpr::All(_) => false,
        };
        let is_plain = is_bare && select.lateral_views.is_empty() && select.connect_by.is_empty();
        let mut tables = Vec::new();
        for from in &select.from {
            self.tables(from, &mut tables);
        }
        let is_refuted = |walk: &mut Self| select.selection.as_ref().is_some_and(|filter| walk.never(filter, &tables));
        is_plain && (select.from.iter().any(|from| self.joins(from, &tables)) || is_refuted(self))
    }

    /// What stands after FROM: the name that columns are told apart by, and the stored table or view, if it is one.
    fn tables(&self, from: &TableWithJoins, tables: &mut Tables) {
        for factor in std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation)) {
            match factor {
                TableFactor::Table { name: object, args: None, alias, .. } => {
                    let named = simple(object).filter(|table| !self.with.iter().any(|(known, _)| known == table));
                    // Names for columns too would hide the table's.
                    let renames = alias.as_ref().is_some_and(|alias| !alias.columns.is_empty());
                    let called = alias.as_ref().map(|alias| name(&alias.name)).or_else(|| simple(object));
                    tables.push((called, named.filter(|_| !renames)));
                }
                TableFactor::NestedJoin { table_with_joins, alias: None } => self.tables(table_with_joins, tables),
                _ => tables.push((None, None)),
            }
        }
    }

    fn joins(&mut self, from: &TableWithJoins, tables: &Tables) -> bool {
        let mut is_empty = self.factor(&from.relation, tables);
        for join in &from.joins {
            let right = self.factor(&join.relation, tables);
            is_empty = match &join.join_operator {
                JoinOperator::Join(on) | JoinOperator::Inner(on) => {
                    is_empty || right || matches!(on, JoinConstraint::On(condition) if self.never(condition, tables))
                }
                JoinOperator::CrossJoin(_) | JoinOperator::Semi(_) | JoinOperator::LeftSemi(_) | JoinOperator::RightSemi(_) => is_empty || right,
                JoinOperator::Left(_) | JoinOperator::LeftOuter(_) | JoinOperator::Anti(_) | JoinOperator::LeftAnti(_) => is_empty,
                JoinOperator::Right(_) | JoinOperator::RightOuter(_) | JoinOperator::RightAnti(_) => right,
                JoinOperator::FullOuter(_) => is_empty && right,
                _ => false,
            };
        }
        is_empty
    }

    fn factor(&mut self, factor: &TableFactor, tables: &Tables) -> bool {
        match factor {
            TableFactor::Table { name, args: None, .. } => simple(name).is_some_and(|name| {
                let with = self.with.iter().rev().find(|(known, _)| *known == name);
                with.map_or_else(|| self.names.is_empty(&name), |(_, is_empty)| *is_empty)
            }),
            TableFactor::Derived { subquery, .. } => self.query(subquery),
            TableFactor::NestedJoin { table_with_joins, .. } => self.joins(table_with_joins, tables),
            _ => false,
        }
    }

    /// Whether a condition passes no row: it needs one of a query that has none, or a value that a column does not have. Null passes
    /// none of the conditions told here, so that it does not matter whether a join fills columns with nulls.
    fn never(&mut self, filter: &Expr, tables: &Tables) -> bool {
        match filter {
            Expr::Nested(inner) => self.never(inner, tables),
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => self.never(left, tables) || self.never(right, tables),
            Expr::BinaryOp { left, op: BinaryOperator::Or, right } => self.never(left, tables) && self.never(right, tables),
            Expr::InSubquery { subquery, negated: false, .. } | Expr::Exists { subquery, negated: false } => self.query(subquery),
            Expr::BinaryOp { left, op, right } => {
                self.refutes(left, op, right, tables) || swapped(op).is_some_and(|op| self.refutes(right, &op, left, tables))
            }
            Expr::InList { expr, list, negated } => {
                let values = self.values(expr, tables);
                let equals = |item: &Expr| literal(item).is_none_or(|literal| can_be(&values, &BinaryOperator::Eq, literal));
                values == Values::Nothing || (!negated && !list.iter().any(equals))
            }
            Expr::Between { expr, low, high, .. } => {
                self.values(expr, tables) == Values::Nothing
                    || self.values(low, tables) == Values::Nothing
                    || self.values(high, tables) == Values::Nothing
            }
            Expr::IsNotNull(expr) => self.values(expr, tables) == Values::Nothing,
            Expr::Like { expr, pattern, negated, escape_char: None, any: false } => {
                let values = self.values(expr, tables);
                match (&values, literal(pattern)) {
                    (Values::Words(words), Some(Literal::Text(pattern))) => {
                        let pattern = StringArray::new_scalar(pattern);
                        let passing = if *negated { nlike(words, &pattern) } else { like(words, &pattern) };
                        passing.is_ok_and(|passing| passing.true_count() == 0)
                    }
                    _ => values == Values::Nothing,
                }
            }
            Expr::ILike { expr, .. } => self.values(expr, tables) == Values::Nothing,
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::IsTrue(_) => {
                let expr = if let Expr::IsTrue(inner) = filter { inner } else { filter };
                matches!(self.values(expr, tables), Values::Nothing | Values::Numbers(0, 0))
            }
            Expr::UnaryOp { op: UnaryOperator::Not, expr } | Expr::IsFalse(expr) => {
                // Of anything but a column its values are unknown.
                matches!(self.values(expr, tables), Values::Nothing | Values::Numbers(1, 1))
            }
            _ => false,
        }
    }

    /// Whether a column compared with something is never so.
    fn refutes(&self, column: &Expr, op: &BinaryOperator, other: &Expr, tables: &Tables) -> bool {
        if swapped(op).is_none() {
            return false;
        }
        let values = self.values(column, tables);
        values == Values::Nothing || literal(other).is_some_and(|literal| !can_be(&values, op, literal))
    }

    /// The values of an expression, if it is a column of a table.
    fn values(&self, column: &Expr, tables: &Tables) -> Values {
        let (table, column) = match (column, tables.as_slice()) {
            (Expr::Nested(inner), _) => return self.values(inner, tables),
            (Expr::Identifier(column), [(_, Some(table))]) => (table, name(column)),
            (Expr::CompoundIdentifier(parts), _) => {
                let [called, column] = parts.as_slice() else { return Values::Anything };
                let called = name(called);
                let mut so_called = tables.iter().filter(|(other, _)| other.as_ref() == Some(&called));
                match (so_called.next(), so_called.next()) {
                    (Some((_, Some(table))), None) => (table, name(column)),
                    _ => return Values::Anything,
                }
            }
            _ => return Values::Anything,
        };
        self.names.values(table, &column)
    }

    /// Whether a part of a query gives one value for many rows; what stands in queries within it is theirs.
    fn aggregates(&self, part: &impl ast::Visit) -> bool {
        part.visit(&mut Aggregates { names: self.names, depth: 0 }).is_break()
    }
}

/// A value written in a query.
#[derive(Clone, Copy)]
enum Literal<'q> {
    Text(&'q str),
    Number(i128),
}

fn literal(expr: &Expr) -> Option<Literal<'_>> {
    match expr {
        Expr::Nested(inner) => literal(inner),
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(Literal::Text(text)),
            Value::Number(digits, _) => digits.parse().ok().map(Literal::Number),
            _ => None,
        },
        _ => None,
    }
}

/// The comparison with its sides exchanged; `None` for what is no comparison, or one that null can pass.
fn swapped(op: &BinaryOperator) -> Option<BinaryOperator> {
    match op {
        BinaryOperator::Eq => Some(BinaryOperator::Eq),
        BinaryOperator::NotEq => Some(BinaryOperator::NotEq),
        BinaryOperator::Lt => Some(BinaryOperator::Gt),
        BinaryOperator::LtEq => Some(BinaryOperator::GtEq),
        BinaryOperator::Gt => Some(BinaryOperator::Lt),
        BinaryOperator::GtEq => Some(BinaryOperator::LtEq),
        _ => None,
    }
}

/// Whether one of the values can compare so.
fn can_be(values: &Values, op: &BinaryOperator, literal: Literal<'_>) -> bool {
    match (values, op, literal) {
        (Values::Nothing, ..) => false,
        (Values::Words(words), BinaryOperator::Eq, Literal::Text(text)) => words.iter().flatten().any(|word| word == text),
        (Values::Words(words), BinaryOperator::NotEq, Literal::Text(text)) => words.iter().flatten().any(|word| word != text),
        (Values::Numbers(least, most), op, Literal::Number(number)) => match op {
            BinaryOperator::Eq => (*least..=*most).contains(&number),
            BinaryOperator::NotEq => *least != number || *most != number,
            BinaryOperator::Lt => *least < number,
            BinaryOperator::LtEq => *least <= number,
            BinaryOperator::Gt => *most > number,
            BinaryOperator::GtEq => *most >= number,
            _ => true,
        },
        _ => true,
    }
}

struct Aggregates<'n, N> {
    names: &'n N,
    /// Queries around what is looked at.
    depth: usize,
}

impl<N: Names> Visitor for Aggregates<'_, N> {
    type Break = ();

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Function(function) if self.depth == 0 && function.over.is_none() => match simple(&function.name) {
                Some(name) if !self.names.is_aggregate(&name) => ControlFlow::Continue(()),
                _ => ControlFlow::Break(()),
            },
            _ => ControlFlow::Continue(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch};
    use datafusion::datasource::MemTable;
    use datafusion::prelude::SessionContext;

    use super::*;

    struct Known(SessionContext);

    impl Names for Known {
        fn is_empty(&self, table: &str) -> bool {
            table == "none"
        }

        fn is_aggregate(&self, function: &str) -> bool {
            self.0.state().aggregate_functions().contains_key(function)
        }

        fn values(&self, table: &str, column: &str) -> Values {
            match (table, column) {
                ("some", "a" | "b") => Values::Numbers(1, 2),
                ("wide", "word") => Values::Words(StringArray::from(vec!["one", "two"])),
                ("wide", "void") => Values::Nothing,
                ("wide", "yes") => Values::Numbers(1, 1),
                ("wide", "no") => Values::Numbers(0, 0),
                _ => Values::Anything,
            }
        }
    }

    /// Tables `some`, of two rows, and `none`, each with the columns `a` and `b`; `wide` with words, truth values and only nulls.
    fn known() -> Known {
        let context = SessionContext::new();
        let words: ArrayRef = Arc::new(StringArray::from(vec![Some("one"), Some("two"), None]));
        let truths = |truth| Arc::new(BooleanArray::from(vec![Some(truth), None, Some(truth)])) as ArrayRef;
        let void: ArrayRef = Arc::new(StringArray::from(vec![None::<&str>; 3]));
        let wide = RecordBatch::try_from_iter([("word", words), ("void", void), ("yes", truths(true)), ("no", truths(false))]).unwrap();
        context.register_table("wide", Arc::new(MemTable::try_new(wide.schema(), vec![vec![wide]]).unwrap())).unwrap();
        for (name, values) in [("some", vec![1, 2]), ("none", vec![])] {
            let column = || Arc::new(Int64Array::from(values.clone())) as _;
            let rows = RecordBatch::try_from_iter([("a", column()), ("b", column())]).unwrap();
            context.register_table(name, Arc::new(MemTable::try_new(rows.schema(), vec![vec![rows]]).unwrap())).unwrap();
        }
        Known(context)
    }

    #[tokio::test]
    async fn what_is_said_to_be_empty_has_no_rows() {
        let known = known();
        // Each query, and whether it can be told.
        let queries = [
            ("SELECT a FROM none", true),
            ("SELECT a FROM NONE WHERE a > 1 ORDER BY a LIMIT 3", true),
            ("SELECT DISTINCT a, row_number() OVER (ORDER BY a) FROM none", true),
            ("SELECT a FROM some", false),
            ("SELECT 1", false),
            ("SELECT count(*) FROM none", false),
            ("SELECT coalesce(max(a), 0) AS a FROM none", false),
            ("SELECT 1 FROM none HAVING count(*) = 0", false),
            ("SELECT 1 FROM none ORDER BY count(*)", false),
            ("SELECT a, count(*) FROM none GROUP BY a", true),
            ("SELECT a, count(*) FROM none GROUP BY a HAVING count(*) >= 0", true),
            ("SELECT a, count(*) FROM none GROUP BY ROLLUP(a)", false),
            ("SELECT a, (SELECT max(b) FROM some) FROM none", true),
            ("SELECT s.a FROM some s JOIN none n ON s.a = n.a", true),
            ("SELECT s.a FROM some s, none n", true),
            ("SELECT s.a FROM some s LEFT JOIN none n ON s.a = n.a", false),
            ("SELECT n.a FROM none n LEFT JOIN some s ON s.a = n.a", true),
            ("SELECT s.a FROM none n RIGHT JOIN some s ON s.a = n.a", false),
            ("SELECT n.a FROM some s RIGHT JOIN none n ON s.a = n.a", true),
            ("SELECT s.a FROM none n FULL JOIN some s ON s.a = n.a", false),
            ("SELECT n.a FROM some s LEFT ANTI JOIN none n ON s.a = n.a", false),
            ("SELECT s.a FROM some s LEFT SEMI JOIN none n ON s.a = n.a", true),
            ("SELECT a FROM some UNION ALL SELECT a FROM none", false),
            ("SELECT a FROM none UNION SELECT b FROM none", true),
            ("SELECT a FROM some INTERSECT SELECT a FROM none", true),
            ("SELECT a FROM some EXCEPT SELECT a FROM none", false),
            ("SELECT a FROM none EXCEPT SELECT a FROM some", true),
            ("WITH n AS (SELECT a FROM none) SELECT s.a FROM some s JOIN n ON n.a = s.a", true),
            ("WITH none AS (SELECT a FROM some) SELECT a FROM none", false),
            ("WITH n AS (SELECT count(*) AS a FROM none) SELECT a FROM n", false),
            ("WITH RECURSIVE n AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM n WHERE a < 3) SELECT a FROM n", false),
            ("SELECT a FROM (SELECT a FROM none) WHERE a IS NULL", true),
            ("SELECT a FROM some WHERE a IN (SELECT a FROM none)", true),
            ("SELECT a FROM some WHERE a NOT IN (SELECT a FROM none)", false),
            ("SELECT a FROM some WHERE NOT (a IN (SELECT a FROM none))", false),
            ("SELECT a FROM some s WHERE EXISTS (SELECT 1 FROM none n WHERE n.a = s.a) AND a > 0", true),
            ("SELECT a FROM some s WHERE EXISTS (SELECT 1 FROM none n WHERE n.a = s.a) OR a > 0", false),
            ("SELECT a FROM some s WHERE NOT EXISTS (SELECT 1 FROM none n WHERE n.a = s.a)", false),
            ("SELECT count(*) FROM some WHERE a IN (SELECT a FROM none)", false),
            ("SELECT s.a FROM (some s CROSS JOIN none n)", true),
            ("VALUES (1)", false),
            ("SELECT a FROM some WHERE a = 3", true),
            ("SELECT a FROM some WHERE 3 = a", true),
            ("SELECT a FROM some WHERE a = 2", false),
            ("SELECT a FROM some WHERE a > 2", true),
            ("SELECT a FROM some WHERE 2 >= a", false),
            ("SELECT a FROM some WHERE 1 > a", true),
            ("SELECT a FROM some WHERE a < 1 OR a > 2", true),
            ("SELECT a FROM some WHERE a < 1 OR b > 1", false),
            ("SELECT a FROM some WHERE a IN (0, 3)", true),
            ("SELECT a FROM some WHERE a IN (2, 3)", false),
            ("SELECT a FROM some WHERE a NOT IN (1, 2)", false),
            ("SELECT count(*) FROM some WHERE a = 3", false),
            ("SELECT a, count(*) FROM some WHERE a = 3 GROUP BY a", true),
            ("SELECT a + 2 AS a FROM some WHERE a = 3", true),
            ("SELECT word FROM wide WHERE word = 'three'", true),
            ("SELECT word FROM wide WHERE word <> 'one'", false),
            ("SELECT word FROM wide WHERE \"word\" IN ('three', 'four') AND no IS NULL", true),
            ("SELECT word FROM wide WHERE word LIKE 't%e'", true),
            ("SELECT word FROM wide WHERE word LIKE 't%'", false),
            ("SELECT word FROM wide WHERE word NOT LIKE '%o%'", true),
            ("SELECT word FROM wide WHERE void IS NOT NULL", true),
            ("SELECT word FROM wide WHERE void IS NULL", false),
            ("SELECT word FROM wide WHERE void <> 'x'", true),
            ("SELECT word FROM wide WHERE coalesce(void, '') <> 'x'", false),
            ("SELECT word FROM wide WHERE void IS DISTINCT FROM 'x'", false),
            ("SELECT word FROM wide WHERE void = word", true),
            ("SELECT word FROM wide WHERE void NOT IN ('x')", true),
            ("SELECT word FROM wide WHERE void ILIKE '%x%'", true),
            ("SELECT word FROM wide WHERE void BETWEEN 'a' AND 'z'", true),
            ("SELECT word FROM wide WHERE no", true),
            ("SELECT word FROM wide WHERE NOT yes", true),
            ("SELECT word FROM wide WHERE NOT no", false),
            ("SELECT word FROM wide WHERE yes IS FALSE", true),
            ("SELECT word FROM wide WHERE no IS TRUE", true),
            ("SELECT word FROM wide WHERE yes IS NOT TRUE", false),
            ("SELECT word FROM wide WHERE NOT (yes AND no)", false),
            ("SELECT w.word FROM wide w JOIN some s ON w.word = 'three'", true),
            ("SELECT w.word FROM wide w LEFT JOIN some s ON w.word = 'three'", false),
            ("SELECT w.word FROM wide w LEFT JOIN some s ON s.a = 1 WHERE s.a = 3", true),
            ("SELECT w.word FROM wide w LEFT JOIN some s ON s.a = 3 WHERE s.a IS NULL", false),
            ("SELECT x.a FROM (SELECT a + 2 AS a FROM some) x WHERE x.a = 3", false),
            ("WITH some AS (SELECT 3 AS a) SELECT a FROM some WHERE a = 3", false),
            ("SELECT x.c FROM some AS x (c, a) WHERE x.c = 1 AND x.a = 2", false),
            ("SELECT a FROM some WHERE EXISTS (SELECT 1 FROM wide WHERE word = 'three')", true),
            ("SELECT a FROM some WHERE a IN (SELECT s.a FROM some s WHERE s.a = 3)", true),
        ];
        for (query, expected) in queries {
            let state = known.0.state();
            let statement = state.sql_to_statement(query, &state.config_options().sql_parser.dialect).unwrap();
            assert_eq!(is_empty(&statement, &known), expected, "{query}");
            if expected {
                let rows: usize = known.0.sql(query).await.unwrap().collect().await.unwrap().iter().map(RecordBatch::num_rows).sum();
                assert_eq!(rows, 0, "{query}");
            }
        }
    }

    #[test]
    fn words_are_what_names_consist_of() {
        assert_eq!(words("SELECT x.a FROM \"dns\",tls_1").collect::<Vec<_>>(), ["SELECT", "x", "a", "FROM", "dns", "tls_1"]);
    }
}
