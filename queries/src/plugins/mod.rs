//! Plugins: analyzers, detections and lists of a user's own.
//!
//! A plugin is a directory of data, and nothing in it is ever executed but questions: a manifest `plugin.toml` and `.sql` files
//! in the form of the built-in analyzers. [`manifest`] reads what it says of itself, [`load`] finds and checks it, [`lists`]
//! makes tables of its files. [`Plugin`] is what runs its queries, within limits.

mod lists;
mod load;
mod manifest;
mod version;

use std::time::Duration;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::ScalarValue;
use datafusion::execution::context::SQLOptions;
use datafusion::prelude::{DataFrame, SessionContext};
use datafusion::sql::parser::Statement;
use futures::StreamExt as _;
use futures::channel::oneshot;
use futures::future::{Either, select};

pub use load::{Flag, Found, Plugins, load};
pub use manifest::Parameter;

use crate::{DataFusionError, Result};

/// Longest run of one query.
const TIME: Duration = Duration::from_secs(60);
/// Most rows of one query.
const ROWS: usize = 1_000_000;

/// A plugin in a run: whose queries they are, and the values of its parameters.
#[derive(Clone, Debug, Default)]
pub struct Plugin {
    pub name: String,
    pub parameters: Vec<(String, ScalarValue)>,
}

impl Plugin {
    /// Plans a query: one question over the catalog's tables, parameters bound.
    pub async fn plan(&self, context: &SessionContext, query: &str) -> Result<DataFrame> {
        let state = context.state();
        let statement = state.sql_to_statement(query, &state.config_options().sql_parser.dialect)?;
        let is_question =
            matches!(&statement, Statement::Statement(inner) if matches!(inner.as_ref(), datafusion::sql::sqlparser::ast::Statement::Query(_)));
        if !is_question {
            return Err(DataFusionError::Plan("a SELECT or WITH is needed".to_owned()));
        }
        let questions_only = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        context.sql_with_options(query, questions_only).await?.with_param_values(self.parameters.clone())
    }

    /// Runs a query within the limits; gives one batch at least.
    pub async fn collect(&self, context: &SessionContext, query: &str) -> Result<Vec<RecordBatch>> {
        let frame = self.plan(context, query).await?;
        let mut batches = vec![RecordBatch::new_empty(std::sync::Arc::clone(frame.schema().inner()))];
        let work = async {
            let mut stream = frame.execute_stream().await?;
            let mut rows = 0;
            while let Some(batch) = stream.next().await {
                let batch = batch?;
                rows += batch.num_rows();
                if rows > ROWS {
                    return Err(DataFusionError::ResourcesExhausted(format!("more than {ROWS} rows")));
                }
                batches.push(batch);
            }
            Ok(batches)
        };
        within(TIME, work).await
    }
}

/// Gives up on work that takes too long.
async fn within<T>(limit: Duration, work: impl Future<Output = Result<T>>) -> Result<T> {
    let (tell, told) = oneshot::channel::<()>();
    let (done, is_done) = std::sync::mpsc::channel::<()>();
    std::thread::spawn(move || {
        if is_done.recv_timeout(limit) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            // Nobody listens where the work ended in this moment.
            let _ = tell.send(());
        }
    });
    let outcome = match select(std::pin::pin!(work), told).await {
        Either::Left((outcome, _)) => outcome,
        Either::Right(_) => Err(DataFusionError::ResourcesExhausted(format!("stopped after {} s", limit.as_secs()))),
    };
    // Ends the watching thread.
    drop(done);
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_work_is_given_up() {
        let never = futures::future::pending::<Result<()>>();
        let error = futures::executor::block_on(within(Duration::from_millis(20), never)).unwrap_err();
        assert!(error.to_string().contains("stopped after"), "{error}");
        let done = futures::executor::block_on(within(Duration::from_secs(60), async { Ok(7) })).unwrap();
        assert_eq!(done, 7);
    }
}
