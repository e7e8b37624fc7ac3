//! The `findings` table: every detection that fires, computed when it is asked for.
//!
//! Detections stand on two floors. Most read the tables of protocols. Some judge what the others found (`direct_findings`), such
//! as a scan, then an exploit, then a beacon of one host; `findings` holds both.

use std::collections::BTreeMap;
use std::sync::{self, Arc, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, ListBuilder, RecordBatch, StringArray, StringBuilder, UInt64Array, UInt64Builder, new_null_array,
};
use datafusion::arrow::compute::{cast, concat_batches};
use datafusion::arrow::datatypes::{DataType, SchemaRef, UInt64Type};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::ScalarValue;
use datafusion::datasource::MemTable;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;
use futures::lock::Mutex;

use super::Extension;
use crate::analyzer::{self, Analyzer, FindingQuery, built_in};
use crate::{Result, profile, run};

/// Name of the table of what detections found in the tables of protocols.
pub const DIRECT: &str = "direct_findings";

/// What each floor found, once all of it was asked for: a report asks many times.
#[derive(Default)]
pub struct Found {
    direct: Mutex<Option<RecordBatch>>,
    judged: Mutex<Option<RecordBatch>>,
}

/// The table provider.
pub struct FindingsTable {
    context: SessionContext,
    present: Arc<Present>,
    found: Arc<Found>,
    /// Without what detections make of other findings.
    direct_only: bool,
    schema: SchemaRef,
    extension: Arc<Extension>,
    added: Added,
}

/// Findings that no detection query gives: rule hits, indicator matches, carved files, changes since a baseline. And what
/// went wrong in the detections of plugins, which must not spoil the others.
#[derive(Clone, Default)]
pub struct Added {
    findings: Arc<sync::Mutex<Vec<RecordBatch>>>,
    faults: Arc<sync::Mutex<Vec<String>>>,
}

impl Added {
    /// Adds rows in the shape of the `findings` table.
    pub fn add(&self, found: RecordBatch) -> Result<()> {
        let schema = run::findings_schema();
        let columns = schema.fields().iter().map(|field| match found.column_by_name(field.name()) {
            Some(column) => retyped(column, field.data_type()),
            None => Ok(new_null_array(field.data_type(), found.num_rows())),
        });
        let found = RecordBatch::try_new(Arc::clone(&schema), columns.collect::<Result<_>>()?)?;
        // Whole batches only are put in: a panic elsewhere leaves it sound.
        self.findings.lock().unwrap_or_else(PoisonError::into_inner).push(found);
        Ok(())
    }

    /// All that was added.
    pub fn all(&self) -> Vec<RecordBatch> {
        self.findings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes a fault, once.
    pub fn fault(&self, fault: String) {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        if !faults.contains(&fault) {
            faults.push(fault);
        }
    }

    /// The faults noted.
    pub fn faults(&self) -> Vec<String> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Stored tables that have rows, each with the name of the capture that alone has them; `None` where several have. A detection
/// over other tables cannot fire and is not run.
pub type Present = BTreeMap<String, Option<String>>;

impl FindingsTable {
    pub fn new(context: SessionContext, present: Present, found: Arc<Found>, direct_only: bool, extension: Arc<Extension>, added: Added) -> Self {
        // Detections run side by side: parts of one on several cores would only be in each other's way.
        let mut state = context.state();
        let one_core = state.config().clone().with_target_partitions(1);
        *state.config_mut() = one_core;
        let context = SessionContext::new_with_state(state);
        Self { context, present: Arc::new(present), found, direct_only, schema: run::findings_schema(), extension, added }
    }

    /// What the wanted detections of a floor find; all that a floor finds is kept.
    async fn floor(&self, kept: &Mutex<Option<RecordBatch>>, judges: bool, wanted: &Wanted) -> Result<RecordBatch> {
        let all = wanted.detections.is_none() && wanted.sources.is_none();
        let kept = kept.lock().await;
        if let Some(found) = kept.as_ref() {
            return Ok(found.clone());
        }
        // Who asks for all waits for whoever works on all.
        let held = all.then_some(kept);
        let mut jobs = Vec::new();
        let analyzers = built_in().into_iter().chain(self.extension.analyzers.iter().cloned());
        for analyzer in analyzers.filter(|analyzer| Wanted::holds(wanted.sources.as_ref(), &analyzer.name)) {
            let analyzer = Arc::new(analyzer);
            for (at, finding) in analyzer.findings.iter().enumerate() {
                if finding.sql.contains(DIRECT) == judges && Wanted::holds(wanted.detections.as_ref(), &finding.id) {
                    let (context, analyzer, present) = (self.context.clone(), Arc::clone(&analyzer), Arc::clone(&self.present));
                    let added = self.added.clone();
                    jobs.push(async move {
                        let finding = &analyzer.findings[at];
                        match (detect(&context, &analyzer, finding, &present).await, &analyzer.plugin) {
                            // A plugin's fault is told, and the other detections stand.
                            (Err(error), Some(plugin)) => {
                                added.fault(format!("plugin {}: detection {}: {}", plugin.name, finding.id, run::one_line(&error)));
                                Ok(RecordBatch::new_empty(run::findings_schema()))
                            }
                            (found, _) => found.map_err(|error| error.context(format!("detection {}", finding.id))),
                        }
                    });
                }
            }
        }
        let found = concat_batches(&self.schema, &run::side_by_side(jobs).await?)?;
        if let Some(mut held) = held {
            *held = Some(found.clone());
        }
        Ok(found)
    }
}

/// The detections that a query asks for.
struct Wanted {
    detections: Option<Vec<String>>,
    sources: Option<Vec<String>>,
}

impl Wanted {
    fn holds(list: Option<&Vec<String>>, name: &String) -> bool {
        list.is_none_or(|list| list.contains(name))
    }
}

impl std::fmt::Debug for FindingsTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FindingsTable")
    }
}

/// The texts of which `column` must equal one for the filters to pass, if they say so.
fn required(filters: &[Expr], column: &str) -> Option<Vec<String>> {
    filters.iter().find_map(|filter| texts(filter, column))
}

fn texts(filter: &Expr, column: &str) -> Option<Vec<String>> {
    let is_named = |expr: &Expr| matches!(expr, Expr::Column(named) if named.name == column);
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) if is_named(left) => Some(vec![text(right)?]),
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            let mut either = texts(left, column)?;
            either.extend(texts(right, column)?);
            Some(either)
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => texts(left, column).or_else(|| texts(right, column)),
        Expr::InList(list) if !list.negated && is_named(&list.expr) => list.list.iter().map(text).collect(),
        _ => None,
    }
}

fn text(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Literal(ScalarValue::Utf8(text) | ScalarValue::Utf8View(text), _) => text.clone(),
        Expr::Literal(ScalarValue::Dictionary(_, inner), _) => match inner.as_ref() {
            ScalarValue::Utf8(text) => text.clone(),
            _ => None,
        },
        _ => None,
    }
}

#[async_trait]
impl TableProvider for FindingsTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        // They only spare detections; DataFusion filters the rows.
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let wanted = Wanted { detections: required(filters, "detection"), sources: required(filters, "source") };
        let mut batches = vec![self.floor(&self.found.direct, false, &wanted).await?];
        if !self.direct_only {
            batches.push(self.floor(&self.found.judged, true, &wanted).await?);
        }
        // Added findings judge others, as a rule; detections that judge do not see them.
        if !self.direct_only {
            batches.extend(self.added.all());
        }
        let all = concat_batches(&self.schema, &batches)?;
        MemTable::try_new(Arc::clone(&self.schema), vec![vec![all]])?.scan(state, projection, filters, limit).await
    }
}

/// Runs one detection and gives its rows the shape of the `findings` table.
pub async fn detect(context: &SessionContext, analyzer: &Analyzer, finding: &FindingQuery, present: &Present) -> Result<RecordBatch> {
    let schema = run::findings_schema();
    if finding.only_if.as_ref().is_some_and(|table| !present.contains_key(table)) {
        return Ok(RecordBatch::new_empty(schema));
    }
    let tables = super::tables_of(context, &finding.sql)?;
    if !can_fire(context, &tables, present)? {
        return Ok(RecordBatch::new_empty(schema));
    }
    let batches = match &analyzer.plugin {
        Some(plugin) => plugin.collect(context, &finding.sql).await?,
        None => {
            let started = Instant::now();
            profile::rows(context.sql(&finding.sql).await?, &finding.sql, started).await?
        }
    };
    let found = batches.iter().any(|batch| batch.num_rows() > 0);
    let capture = if found { only_capture(context, tables, present)? } else { None };
    let mut shaped = Vec::with_capacity(batches.len());
    for batch in &batches {
        shaped.push(shape(batch, &schema, analyzer, finding, capture.as_deref())?);
    }
    Ok(concat_batches(&schema, &shaped)?)
}

/// Whether any table of a query, views resolved, has rows.
fn can_fire(context: &SessionContext, tables: &[String], present: &Present) -> Result<bool> {
    let views = analyzer::views();
    let (mut wanted, mut seen) = (tables.to_vec(), Vec::new());
    while let Some(table) = wanted.pop() {
        if seen.contains(&table) {
            continue;
        }
        // What detections found may be there in any case.
        if table == DIRECT || present.contains_key(table.strip_prefix("stored_").unwrap_or(&table)) {
            return Ok(true);
        }
        if let Some((_, query)) = views.iter().find(|(view, _)| *view == table) {
            wanted.extend(super::tables_of(context, query)?);
        }
        seen.push(table);
    }
    Ok(false)
}

/// The capture that alone has rows in the tables of a query, views among them, so that what is found can be in no other.
fn only_capture(context: &SessionContext, tables: Vec<String>, present: &Present) -> Result<Option<String>> {
    let views = analyzer::views();
    let (mut wanted, mut only, mut seen) = (tables, None, Vec::new());
    while let Some(table) = wanted.pop() {
        if seen.contains(&table) {
            continue;
        }
        if let Some((_, query)) = views.iter().find(|(view, _)| *view == table) {
            wanted.extend(super::tables_of(context, query)?);
        }
        match (present.get(table.strip_prefix("stored_").unwrap_or(&table)), &only) {
            (None, _) => {}
            (Some(None), _) => return Ok(None),
            (Some(holder), None) => only.clone_from(holder),
            (Some(holder), _) if *holder == only => {}
            (Some(_), _) => return Ok(None),
        }
        seen.push(table);
    }
    Ok(only)
}

/// A detection's rows as `findings` rows: columns by name, what is missing from the detection's declaration.
fn shape(batch: &RecordBatch, schema: &SchemaRef, analyzer: &Analyzer, finding: &FindingQuery, capture: Option<&str>) -> Result<RecordBatch> {
    let rows = batch.num_rows();
    let constant = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text; rows])) };
    let columns = schema
        .fields()
        .iter()
        .map(|field| {
            let given = batch.column_by_name(field.name());
            let column = match (field.name().as_str(), given) {
                ("detection", _) => constant(&finding.id),
                ("source", _) => constant(&analyzer.name),
                ("severity", None) => constant(&finding.severity),
                ("confidence", None) => constant(&finding.confidence),
                ("techniques", None) => techniques(&finding.techniques, rows),
                // A detection of single events names one frame a row: that is its evidence.
                ("frames", None) => evidence(batch)?,
                ("capture", None) if capture.is_some() => capture.map_or_else(|| new_null_array(&DataType::Utf8, rows), constant),
                ("count", None) => Arc::new(UInt64Array::from(vec![1; rows])),
                (_, Some(given)) => Arc::clone(given),
                (_, None) => return Ok(new_null_array(field.data_type(), rows)),
            };
            if column.data_type() == field.data_type() { Ok(column) } else { retyped(&column, field.data_type()) }
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

fn retyped(column: &ArrayRef, wanted: &DataType) -> Result<ArrayRef> {
    Ok(cast(column, wanted)?)
}

/// The frame of each row as its list of frames; null where there is none.
fn evidence(batch: &RecordBatch) -> Result<ArrayRef> {
    let mut builder = ListBuilder::new(UInt64Builder::new());
    let frames = batch.column_by_name("frame").map(|frames| cast(frames, &DataType::UInt64)).transpose()?;
    let frames = frames.as_ref().map(|frames| frames.as_primitive::<UInt64Type>());
    for row in 0..batch.num_rows() {
        let frame = frames.filter(|frames| !frames.is_null(row)).map(|frames| frames.value(row));
        builder.append_option(frame.map(|frame| [Some(frame)]));
    }
    Ok(Arc::new(builder.finish()))
}

fn techniques(ids: &[String], rows: usize) -> ArrayRef {
    let mut builder = ListBuilder::new(StringBuilder::new());
    for _ in 0..rows {
        for id in ids {
            builder.values().append_value(id);
        }
        builder.append(!ids.is_empty());
    }
    Arc::new(builder.finish())
}
