//! Over several captures a row may be about one of them or about many, and a report's query need not say which: here its
//! plan is widened so that it does. A row of single events gets the column `capture`, without which its frame number means
//! nothing; a row that counts gets `captures`, the number of captures it occurs in.
//!
//! Where a plan's form leaves the answer open (a union, a join of counted rows), it stays as it is.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::{Column, Result};
use datafusion::functions_aggregate::expr_fn::count_distinct;
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, Projection, SubqueryAlias};
use datafusion::prelude::DataFrame;

/// Name of the column until it has its place: no query of ours uses it.
const CARRIED: &str = "__carried";

/// What a row should tell.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tell {
    /// The capture it comes from.
    Capture,
    /// How many captures it comes from.
    Captures,
}

/// The query with `capture` behind its columns, where it gives frames and does not say of which capture.
pub fn with_capture(frame: DataFrame) -> DataFrame {
    let fields = frame.schema().fields();
    let gives_frames = fields.iter().any(|field| is_frame_number(field));
    if !gives_frames || fields.iter().any(|field| field.name() == "capture") { frame } else { widened(frame, Tell::Capture, "capture") }
}

/// The query with `captures` behind its columns, where it counts over all captures.
pub fn with_captures(frame: DataFrame) -> DataFrame {
    let has = |name: &str| frame.schema().fields().iter().any(|field| field.name().eq_ignore_ascii_case(name));
    if has("captures") || has("capture") { frame } else { widened(frame, Tell::Captures, "captures") }
}

/// Whether a column holds numbers of frames: `frame`, or a list in `frames`; a number in `frames` counts them.
pub fn is_frame_number(field: &Field) -> bool {
    field.name() == "frame" || (field.name() == "frames" && matches!(field.data_type(), DataType::List(_)))
}

fn widened(frame: DataFrame, tell: Tell, name: &str) -> DataFrame {
    let (state, plan) = frame.into_parts();
    let plan = match widen(&plan, tell).and_then(|wide| named(wide, name)) {
        Ok(Some(wide)) => wide,
        // Nothing is lost: the rows are the same without the column.
        Ok(None) | Err(_) => plan,
    };
    DataFrame::new(state, plan)
}

/// Gives the carried column its name.
fn named(plan: Option<LogicalPlan>, name: &str) -> Result<Option<LogicalPlan>> {
    let Some(plan) = plan else { return Ok(None) };
    let columns = plan
        .schema()
        .columns()
        .into_iter()
        .map(|column| if column.name == CARRIED { Expr::Column(column).alias(name) } else { Expr::Column(column) });
    let columns = columns.collect();
    Ok(Some(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(plan))?)))
}

/// The plan with the column [`CARRIED`]; `None` where it cannot be told.
fn widen(plan: &LogicalPlan, tell: Tell) -> Result<Option<LogicalPlan>> {
    match plan {
        LogicalPlan::Sort(_) | LogicalPlan::Limit(_) | LogicalPlan::Filter(_) | LogicalPlan::Window(_) => {
            let Some(input) = plan.inputs().first().map(|input| widen(input, tell)).transpose()?.flatten() else { return Ok(None) };
            Ok(Some(plan.with_new_exprs(plan.expressions(), vec![input])?))
        }
        LogicalPlan::SubqueryAlias(alias) => {
            let Some(input) = widen(&alias.input, tell)? else { return Ok(None) };
            Ok(Some(LogicalPlan::SubqueryAlias(SubqueryAlias::try_new(Arc::new(input), alias.alias.clone())?)))
        }
        LogicalPlan::Projection(projection) => {
            let found = if tell == Tell::Capture { column(&projection.input, "capture") } else { None };
            let (input, carried) = match found {
                Some(capture) => (Arc::clone(&projection.input), Expr::Column(capture).alias(CARRIED)),
                None => {
                    let Some(input) = widen(&projection.input, tell)? else { return Ok(None) };
                    let Some(carried) = column(&input, CARRIED) else { return Ok(None) };
                    (Arc::new(input), Expr::Column(carried))
                }
            };
            let columns = projection.expr.iter().cloned().chain([carried]).collect();
            Ok(Some(LogicalPlan::Projection(Projection::try_new(columns, input)?)))
        }
        LogicalPlan::Aggregate(aggregate) if tell == Tell::Captures => {
            // Rows are kept apart by capture already, or there is only one row for all.
            let apart = |expr: &Expr| matches!(expr, Expr::Column(column) if column.name == "capture" || column.name == "capture_id");
            let Some(id) = column(&aggregate.input, "capture_id") else { return Ok(None) };
            if aggregate.group_expr.is_empty() || aggregate.group_expr.iter().any(apart) {
                return Ok(None);
            }
            let counts = aggregate.aggr_expr.iter().cloned().chain([count_distinct(Expr::Column(id)).alias(CARRIED)]).collect();
            Ok(Some(LogicalPlan::Aggregate(Aggregate::try_new(Arc::clone(&aggregate.input), aggregate.group_expr.clone(), counts)?)))
        }
        _ => Ok(None),
    }
}

/// The first column of a plan with this name.
fn column(plan: &LogicalPlan, name: &str) -> Option<Column> {
    plan.schema().columns().into_iter().find(|column| column.name == name)
}
