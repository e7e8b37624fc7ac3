//! What queries cost, once somebody asks for it: rows, time, and what each operator says of itself.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use datafusion::arrow::array::RecordBatch;
use datafusion::execution::{SessionState, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::DataFrame;

use crate::Result;

static ON: AtomicBool = AtomicBool::new(false);
static QUERIES: Mutex<Vec<Query>> = Mutex::new(Vec::new());

/// One query that ran.
#[derive(Clone, Debug)]
pub struct Query {
    pub sql: String,
    /// From its text to its last row.
    pub time: Duration,
    pub rows: usize,
    pub operators: Vec<Operator>,
}

/// A step of a query's plan.
#[derive(Clone, Debug)]
pub struct Operator {
    /// Steps above it.
    pub depth: usize,
    pub name: String,
    /// Names and values as the engine gives them; times are nanoseconds.
    pub metrics: Vec<(String, usize)>,
}

/// Starts to keep account.
pub fn turn_on() {
    ON.store(true, Ordering::Relaxed);
}

/// The queries that ran so far.
pub fn queries() -> Vec<Query> {
    QUERIES.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Collects a query's rows, and keeps account if that was asked for. `started` is when its planning began.
pub async fn rows(frame: DataFrame, sql: &str, started: Instant) -> Result<Vec<RecordBatch>> {
    let task = Arc::new(frame.task_ctx());
    let (state, plan) = frame.into_parts();
    planned_rows(&state, &plan, task, sql, started).await
}

/// The same of a query that is planned already.
pub async fn planned_rows(state: &SessionState, plan: &LogicalPlan, task: Arc<TaskContext>, sql: &str, started: Instant) -> Result<Vec<RecordBatch>> {
    let plan = state.create_physical_plan(plan).await?;
    let batches = collect(Arc::clone(&plan), task).await?;
    if ON.load(Ordering::Relaxed) {
        let mut operators = Vec::new();
        walk(plan.as_ref(), 0, &mut operators);
        let rows = batches.iter().map(RecordBatch::num_rows).sum();
        let query = Query { sql: sql.to_owned(), time: started.elapsed(), rows, operators };
        QUERIES.lock().unwrap_or_else(PoisonError::into_inner).push(query);
    }
    Ok(batches)
}

fn walk(plan: &dyn ExecutionPlan, depth: usize, operators: &mut Vec<Operator>) {
    let metrics = plan
        .metrics()
        .map(|metrics| metrics.aggregate_by_name().iter().map(|metric| (metric.value().name().to_owned(), metric.value().as_usize())).collect());
    operators.push(Operator { depth, name: plan.name().to_owned(), metrics: metrics.unwrap_or_default() });
    for child in plan.children() {
        walk(child.as_ref(), depth + 1, operators);
    }
}
