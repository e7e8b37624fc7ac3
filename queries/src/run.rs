//! Running an analyzer.

use std::sync::{Arc, LazyLock};
use std::time::Instant;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, UInt64Array};
use datafusion::arrow::compute::{concat_batches, take_record_batch};
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::Column;
use datafusion::common::runtime::SpawnedTask;
use datafusion::logical_expr::Expr;
use datafusion::prelude::DataFrame;
use futures::{StreamExt as _, TryStreamExt as _, stream};

use crate::analyzer::{Analyzer, SectionQuery};
use crate::catalog::Catalog;
use crate::plugins::Plugin;
use crate::report::{Report, Section, Shape};
use crate::{DataFusionError, Result, across, profile};

/// Severities, most severe first.
pub const SEVERITIES: [&str; 5] = ["critical", "high", "medium", "low", "info"];

/// The shape of the `findings` table.
pub fn findings_schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| match pcapper_schema::all().iter().find(|def| def.name == "findings") {
        Some(def) => Arc::clone(&def.schema),
        None => unreachable!("the findings table is declared"),
    });
    Arc::clone(&SCHEMA)
}

/// Runs a query and joins its rows into one batch.
pub async fn rows(catalog: &Catalog, sql: &str) -> Result<RecordBatch> {
    let started = Instant::now();
    collected(catalog.sql(sql).await?, sql, started).await
}

/// The rows of a section. Over several captures they tell, where they can, which capture a frame is of, and, where all detail
/// is asked for, in how many captures a counted row occurs.
async fn section_rows(catalog: &Catalog, query: &SectionQuery, verbose: bool) -> Result<RecordBatch> {
    let started = Instant::now();
    let kept = catalog.kept_answer(&query.sql);
    if let Some(rows) = kept.as_ref().and_then(|kept| kept.read()) {
        return Ok(rows);
    }
    let mut frame = catalog.sql(&query.sql).await?;
    if !query.only.is_empty() {
        let is_kept = |column: &Column| query.only.iter().all(|(name, needs)| *name != column.name || catalog.holds(needs));
        let kept = frame.schema().columns().into_iter().filter(is_kept).map(Expr::Column).collect::<Vec<_>>();
        frame = frame.select(kept)?;
    }
    if catalog.captures().len() > 1 && query.shape != Shape::Facts {
        frame = across::with_capture(frame);
        if verbose {
            frame = across::with_captures(frame);
        }
    }
    let rows = collected(frame, &query.sql, started).await?;
    if let Some(kept) = kept {
        kept.write(&rows, started.elapsed());
    }
    Ok(rows)
}

async fn collected(frame: DataFrame, sql: &str, started: Instant) -> Result<RecordBatch> {
    let schema = Arc::clone(frame.schema().inner());
    let batches = profile::rows(frame, sql, started).await?;
    let schema = batches.first().map_or(schema, RecordBatch::schema);
    Ok(concat_batches(&schema, &batches)?)
}

/// Does jobs side by side, as many as there are cores, and gives what they give in order. Planning a query takes one core as
/// long as running it does.
pub async fn side_by_side<T: Send + 'static>(jobs: impl IntoIterator<Item = impl Future<Output = Result<T>> + Send + 'static>) -> Result<Vec<T>> {
    let width = std::thread::available_parallelism().map_or(1, usize::from);
    let tasks = jobs.into_iter().enumerate().map(|(at, job)| async move {
        let done = SpawnedTask::spawn(job).join().await.map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)))?;
        done.map(|done| (at, done))
    });
    // No core waits for the one that works longest.
    let mut done: Vec<(usize, T)> = stream::iter(tasks).buffer_unordered(width).try_collect().await?;
    done.sort_by_key(|(at, _)| *at);
    Ok(done.into_iter().map(|(_, done)| done).collect())
}

/// The report of one analyzer over the catalog's captures. `verbose` adds the sections that are only for close looks.
pub async fn report(catalog: &Catalog, analyzer: &Analyzer, subject: &str, verbose: bool) -> Result<Report> {
    let asked = analyzer.sections.iter().filter(|query| {
        let absent = query.only_if.as_ref().is_some_and(|condition| !catalog.holds(condition));
        !(absent || (query.verbose && !verbose))
    });
    let jobs = asked.cloned().map(|query| {
        let (catalog, analyzer, plugin) = (catalog.clone(), analyzer.name.clone(), analyzer.plugin.clone());
        async move {
            if let Some(plugin) = plugin {
                return plugin_section(&catalog, &plugin, query).await;
            }
            let rows = section_rows(&catalog, &query, verbose).await.map_err(|error| error.context(format!("{analyzer}, section {}", query.name)))?;
            let is_told = rows.num_rows() > 0 || !query.unless_empty;
            Ok(is_told.then_some(Section { name: query.name, shape: query.shape, limit: query.limit, rows }))
        }
    });
    let sections = side_by_side(jobs).await?.into_iter().flatten().collect();
    let findings = if analyzer.findings.is_empty() {
        RecordBatch::new_empty(findings_schema())
    } else {
        let query = format!("SELECT * FROM findings WHERE source = '{}'", analyzer.name.replace('\'', "''"));
        let found = rows(catalog, &query).await.map_err(|error| error.context(format!("{}, findings", analyzer.name)))?;
        by_severity(&found)?
    };
    Ok(Report { analyzer: analyzer.name.clone(), title: analyzer.title.clone(), subject: subject.to_owned(), sections, findings })
}

/// A section of a plugin: what goes wrong in it is told in its place, and the other sections go on.
async fn plugin_section(catalog: &Catalog, plugin: &Plugin, query: SectionQuery) -> Result<Option<Section>> {
    let answer = catalog.plugin_rows(plugin, &query.sql).await.and_then(|batches| {
        let schema = batches.first().map_or_else(|| Arc::new(Schema::empty()), RecordBatch::schema);
        Ok(concat_batches(&schema, &batches)?)
    });
    match answer {
        Ok(rows) => {
            let is_told = rows.num_rows() > 0 || !query.unless_empty;
            Ok(is_told.then_some(Section { name: query.name, shape: query.shape, limit: query.limit, rows }))
        }
        Err(error) => {
            let error = one_line(&error);
            catalog.plugin_fault(format!("plugin {}: section {}: {error}", plugin.name, query.name));
            let column: ArrayRef = Arc::new(StringArray::from(vec![error]));
            let rows = RecordBatch::try_from_iter([("error", column)])?;
            Ok(Some(Section { name: query.name, shape: Shape::Table, limit: None, rows }))
        }
    }
}

/// How the engine asks for reports of its own faults; what follows was told before.
const REPORT: &str = "This issue was likely caused by a bug";

/// An error of the query engine without its chain of causes on lines of their own.
pub fn one_line(error: &DataFusionError) -> String {
    let text = error.strip_backtrace();
    // Whose error it is says nothing to who reads it.
    let text = text.strip_prefix("External error: ").unwrap_or(&text);
    let is_told = |line: &&str| !line.is_empty() && *line != "caused by" && !line.starts_with(REPORT);
    text.lines().filter(is_told).take(3).collect::<Vec<_>>().join(": ")
}

/// What every detection finds in the catalog's captures, each cause told once, most severe first.
pub async fn findings(catalog: &Catalog) -> Result<RecordBatch> {
    let schema = findings_schema();
    let columns = schema.fields().iter().map(|field| match field.name().as_str() {
        "details" => "details || coalesce('; also ' || also, '') AS details".to_owned(),
        name => format!("\"{name}\""),
    });
    let query = format!("SELECT {} FROM merged_findings", columns.collect::<Vec<_>>().join(", "));
    by_severity(&rows(catalog, &query).await?)
}

/// Findings with the most severe first, then by time, frame and id.
pub fn by_severity(findings: &RecordBatch) -> Result<RecordBatch> {
    let text = |name: &str| -> Vec<String> {
        let column =
            findings.column_by_name(name).map(|column| datafusion::arrow::compute::cast(column, &datafusion::arrow::datatypes::DataType::Utf8));
        match column {
            Some(Ok(column)) => column.as_string::<i32>().iter().map(|value| value.unwrap_or_default().to_owned()).collect(),
            _ => vec![String::new(); findings.num_rows()],
        }
    };
    let rank: Vec<usize> =
        text("severity").iter().map(|severity| SEVERITIES.iter().position(|known| known == severity).unwrap_or(SEVERITIES.len())).collect();
    let (detection, src, dst, details) = (text("detection"), text("src_ip"), text("dst_ip"), text("details"));
    let frames = findings.column_by_name("frame").and_then(|column| column.as_primitive_opt::<datafusion::arrow::datatypes::UInt64Type>().cloned());
    let frame = |row: usize| frames.as_ref().filter(|frames| !frames.is_null(row)).map(|frames| frames.value(row));
    let mut order: Vec<u64> = (0..findings.num_rows() as u64).collect();
    order.sort_by_key(|&row| {
        let row = row as usize;
        (rank[row], frame(row), detection[row].clone(), src[row].clone(), dst[row].clone(), details[row].clone())
    });
    Ok(take_record_batch(findings, &UInt64Array::from(order))?)
}
