//! Which queries cannot have rows, told from their text: most detections ask tables that a capture has no rows of, and to plan
//! a query costs more than to run it.
//!
//! What is said to be empty is empty; a query whose form leaves the answer open counts as one that may have rows.

use std::ops::ControlFlow;

use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    self, BinaryOperator, Expr, GroupByExpr, Ident, JoinOperator, ObjectName, ObjectNamePart, Query, Select, SetExpr, SetOperator, TableFactor,
    TableWithJoins, Visitor,
};

/// What must be known of the names in a query.
pub trait Names {
    /// Whether a table or view certainly has no rows.
    fn is_empty(&self, table: &str) -> bool;
    /// Whether a function gives one value for many rows.
    fn is_aggregate(&self, function: &str) -> bool;
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
        is_plain && (select.from.iter().any(|from| self.joins(from)) || select.selection.as_ref().is_some_and(|filter| self.never(filter)))
    }

    fn joins(&mut self, from: &TableWithJoins) -> bool {
        let mut is_empty = self.factor(&from.relation);
        for join in &from.joins {
            let right = self.factor(&join.relation);
            is_empty = match &join.join_operator {
                JoinOperator::Join(_)
                | JoinOperator::Inner(_)
                | JoinOperator::CrossJoin(_)
                | JoinOperator::Semi(_)
                | JoinOperator::LeftSemi(_)
                | JoinOperator::RightSemi(_) => is_empty || right,
                JoinOperator::Left(_) | JoinOperator::LeftOuter(_) | JoinOperator::Anti(_) | JoinOperator::LeftAnti(_) => is_empty,
                JoinOperator::Right(_) | JoinOperator::RightOuter(_) | JoinOperator::RightAnti(_) => right,
                JoinOperator::FullOuter(_) => is_empty && right,
                _ => false,
            };
        }
        is_empty
    }

    fn factor(&mut self, factor: &TableFactor) -> bool {
        match factor {
            TableFactor::Table { name, args: None, .. } => simple(name).is_some_and(|name| {
                let with = self.with.iter().rev().find(|(known, _)| *known == name);
                with.map_or_else(|| self.names.is_empty(&name), |(_, is_empty)| *is_empty)
            }),
            TableFactor::Derived { subquery, .. } => self.query(subquery),
            TableFactor::NestedJoin { table_with_joins, .. } => self.joins(table_with_joins),
            _ => false,
        }
    }

    /// Whether a condition passes no row, since it needs one of a query that has none.
    fn never(&mut self, filter: &Expr) -> bool {
        match filter {
            Expr::Nested(inner) => self.never(inner),
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => self.never(left) || self.never(right),
            Expr::BinaryOp { left, op: BinaryOperator::Or, right } => self.never(left) && self.never(right),
            Expr::InSubquery { subquery, negated: false, .. } | Expr::Exists { subquery, negated: false } => self.query(subquery),
            _ => false,
        }
    }

    /// Whether a part of a query gives one value for many rows; what stands in queries within it is theirs.
    fn aggregates(&self, part: &impl ast::Visit) -> bool {
        part.visit(&mut Aggregates { names: self.names, depth: 0 }).is_break()
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

    use datafusion::arrow::array::{Int64Array, RecordBatch};
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
    }

    /// Tables `some`, of two rows, and `none`, each with the columns `a` and `b`.
    fn known() -> Known {
        let context = SessionContext::new();
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
