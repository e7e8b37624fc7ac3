//! The `findings` table: every detection that fires, computed when it is asked for.
//!
//! Detections stand on two floors. Most read the tables of protocols. Some judge what the others found (`direct_findings`), such
//! as a scan, then an exploit, then a beacon of one host; `findings` holds both.

use std::collections::{HashMap, HashSet};
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
use datafusion::execution::{SessionState, SessionStateBuilder, TaskContext};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::Statement;
use futures::lock::Mutex;
use pcapper_schema::Shape;

use super::answers::{self, Answers};
use super::values::{StoredValues, Values};
use super::{Extension, KEPT, empty};
use crate::analyzer::{Analyzer, FindingQuery, built_in};
use crate::{Result, profile, run};

/// Name of the table of all findings.
pub const ALL: &str = "findings";
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
    detector: Arc<Detector>,
    found: Arc<Found>,
    /// Without what detections make of other findings.
    direct_only: bool,
    schema: SchemaRef,
    extension: Arc<Extension>,
    added: Added,
    answers: Option<Answers>,
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
pub type Present = HashMap<String, Option<String>>;

/// The rows of views that were computed so far, by name.
pub type Kept = Arc<sync::Mutex<HashMap<String, Vec<RecordBatch>>>>;

/// What the `findings` table needs of a session.
pub struct Ground {
    pub state: SessionState,
    pub values: StoredValues,
    pub kept: Kept,
    pub present: Present,
    pub views: Vec<(String, String)>,
    /// Tables in whose place the user put a query.
    pub replaced: HashSet<String>,
    pub extension: Arc<Extension>,
    pub added: Added,
    pub answers: Option<Answers>,
}

impl FindingsTable {
    pub fn new(ground: Ground, found: Arc<Found>, direct_only: bool) -> Self {
        let Ground { mut state, values, kept, present, views, replaced, extension, added, answers } = ground;
        // Detections run side by side: parts of one on several cores would only be in each other's way.
        let one_core = state.config().clone().with_target_partitions(1);
        *state.config_mut() = one_core;
        let stored = pcapper_schema::all().into_iter().map(|def| def.name).filter(|name| ![ALL, DIRECT].contains(name)).collect();
        let lean = lean(state.clone());
        let (task, views) = (state.task_ctx(), views.into_iter().collect());
        let detector = Arc::new(Detector {
            state,
            lean,
            task,
            values,
            kept,
            present,
            views,
            stored,
            replaced,
            reached: sync::Mutex::default(),
            seen: sync::Mutex::default(),
        });
        Self { detector, found, direct_only, schema: run::findings_schema(), extension, added, answers }
    }

    /// What the wanted detections of a floor find; all that a floor finds is kept.
    async fn floor(&self, kept: &Mutex<Option<RecordBatch>>, judges: bool, wanted: &Wanted) -> Result<RecordBatch> {
        let all = wanted.detections.is_none() && wanted.sources.is_none();
        let mut kept = kept.lock().await;
        if let Some(found) = kept.as_ref() {
            return Ok(found.clone());
        }
        let name = if judges { "judged" } else { "direct" };
        if let Some((schema, rows)) = self.answers.as_ref().and_then(|answers| answers.read(name))
            && answers::fits(&schema, &self.schema)
        {
            let rows = rows.iter().map(|rows| Ok(RecordBatch::try_new(Arc::clone(&self.schema), rows.columns().to_vec())?));
            let found = concat_batches(&self.schema, &rows.collect::<Result<Vec<_>>>()?)?;
            *kept = Some(found.clone());
            return Ok(found);
        }
        // Who asks for all waits for whoever works on all.
        let held = all.then_some(kept);
        let mut jobs = Vec::new();
        let analyzers = built_in().into_iter().chain(self.extension.analyzers.iter().cloned());
        for analyzer in analyzers.filter(|analyzer| Wanted::holds(wanted.sources.as_ref(), &analyzer.name)) {
            let analyzer = Arc::new(analyzer);
            for (at, finding) in analyzer.findings.iter().enumerate() {
                if finding.sql.contains(DIRECT) == judges && Wanted::holds(wanted.detections.as_ref(), &finding.id) {
                    let (detector, analyzer, added) = (Arc::clone(&self.detector), Arc::clone(&analyzer), self.added.clone());
                    jobs.push(async move {
                        let finding = &analyzer.findings[at];
                        match (detector.detect(&analyzer, finding).await, &analyzer.plugin) {
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
            if let Some(answers) = &self.answers {
                answers.write(name, &self.schema, std::slice::from_ref(&found));
            }
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

/// What the detections of a session share. To copy the session's state, with all its functions, for each of them would take
/// longer than many of them run.
struct Detector {
    state: SessionState,
    /// For the detections of this build.
    lean: SessionState,
    task: Arc<TaskContext>,
    values: StoredValues,
    kept: Kept,
    present: Present,
    views: HashMap<String, String>,
    /// Tables whose rows lie in the lake and nowhere else.
    stored: HashSet<&'static str>,
    /// Tables in whose place the user put a query.
    replaced: HashSet<String>,
    /// What is known of the views asked for so far.
    reached: sync::Mutex<HashMap<String, Reach>>,
    /// Values of columns of views that are kept, as far as they were asked for.
    seen: sync::Mutex<HashMap<(String, String), Values>>,
}

/// The state without rules that look for what no detection has, each of which walks every plan: hundreds of small plans are
/// made, and to make them takes longer than to run them.
fn lean(state: SessionState) -> SessionState {
    let logical = ["rewrite_set_comparison", "eliminate_duplicated_expr", "extract_leaf_expressions", "push_down_leaf_projections"];
    let physical = [
        "aggregate_statistics",
        "LimitedDistinctAggregation",
        "WindowTopN",
        "LimitPushPastWindows",
        "HashJoinBuffering",
        "TopKRepartition",
        "PushdownSort",
        "SanityCheckPlan",
    ];
    let of_plans = state.optimizers().iter().filter(|rule| !logical.contains(&rule.name())).cloned().collect();
    let of_steps = state.physical_optimizers().iter().filter(|rule| !physical.contains(&rule.name())).cloned().collect();
    SessionStateBuilder::new_from_existing(state).with_optimizer_rules(of_plans).with_physical_optimizer_rules(of_steps).build()
}

/// What rows a query can draw on.
#[derive(Clone, Default, Debug)]
struct Reach {
    /// Some table it names, views resolved, has rows, or detections may give it some.
    is_live: bool,
    /// It certainly gives no rows.
    is_empty: bool,
    held: Held,
}

/// The captures that have rows of some tables.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
enum Held {
    #[default]
    Nowhere,
    /// This capture alone, so that what is found can be in no other.
    Only(String),
    Several,
}

impl Held {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nowhere, one) | (one, Self::Nowhere) => one,
            (Self::Only(one), Self::Only(other)) if one == other => Self::Only(one),
            _ => Self::Several,
        }
    }
}

impl Detector {
    /// Runs one detection and gives its rows the shape of the `findings` table.
    async fn detect(&self, analyzer: &Analyzer, finding: &FindingQuery) -> Result<RecordBatch> {
        let schema = run::findings_schema();
        let nothing = || Ok(RecordBatch::new_empty(Arc::clone(&schema)));
        if finding.only_if.as_ref().is_some_and(|table| !self.present.contains_key(table)) || !self.mentions_rows(&finding.sql)? {
            return nothing();
        }
        let statement = self.statement(&finding.sql)?;
        let reach = self.reach(&statement)?;
        if !reach.is_live || reach.is_empty || (self.settle(&statement).await? && empty::is_empty(&statement, self)) {
            return nothing();
        }
        let batches = match &analyzer.plugin {
            Some(plugin) => plugin.collect(&SessionContext::new_with_state(self.state.clone()), &finding.sql).await?,
            None => {
                let started = Instant::now();
                let plan = self.lean.statement_to_plan(statement).await?;
                profile::planned_rows(&self.lean, &plan, Arc::clone(&self.task), &finding.sql, started).await?
            }
        };
        let capture = match &reach.held {
            Held::Only(capture) => Some(capture.as_str()),
            Held::Nowhere | Held::Several => None,
        };
        let mut shaped = Vec::with_capacity(batches.len());
        for batch in batches.iter().filter(|batch| batch.num_rows() > 0) {
            shaped.push(shape(batch, &schema, analyzer, finding, capture)?);
        }
        Ok(concat_batches(&schema, &shaped)?)
    }

    /// Has the kept views that a statement names computed, as planning would; says whether there are any.
    async fn settle(&self, statement: &Statement) -> Result<bool> {
        let mut has_any = false;
        for table in self.state.resolve_table_references(statement)? {
            if self.views.get(table.table()).is_some_and(|query| query.starts_with(KEPT)) && !self.table(table.table())?.is_empty {
                self.state.schema_for_ref(table.clone())?.table(table.table()).await?;
                has_any = true;
            }
        }
        Ok(has_any)
    }

    /// The rows of a kept view, if they are known already.
    fn kept(&self, view: &str) -> Option<Vec<RecordBatch>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(view).cloned()
    }

    fn statement(&self, query: &str) -> Result<Statement> {
        self.state.sql_to_statement(query, &self.state.config_options().sql_parser.dialect)
    }

    /// Whether any word of a query names a table that can have rows: most queries need not be parsed to know that they cannot.
    fn mentions_rows(&self, query: &str) -> Result<bool> {
        for word in empty::words(&query.to_lowercase()) {
            let is_table = word == DIRECT || self.views.contains_key(word) || self.present.contains_key(word.strip_prefix("stored_").unwrap_or(word));
            if is_table && self.table(word)?.is_live {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn reach(&self, statement: &Statement) -> Result<Reach> {
        let mut reach = Reach { is_empty: empty::is_empty(statement, self), ..Reach::default() };
        for table in self.state.resolve_table_references(statement)? {
            let table = self.table(table.table())?;
            reach.is_live |= table.is_live;
            reach.held = reach.held.and(table.held);
        }
        Ok(reach)
    }

    /// What a word draws on, if it names a table.
    fn table(&self, name: &str) -> Result<Reach> {
        let stored = name.strip_prefix("stored_").unwrap_or(name);
        let own = match self.present.get(stored) {
            Some(Some(capture)) => Held::Only(capture.clone()),
            Some(None) => Held::Several,
            None => Held::Nowhere,
        };
        // What detections found may be there in any case.
        let is_live = own != Held::Nowhere || name == DIRECT;
        let Some(query) = self.views.get(name) else {
            let is_empty = !is_live && self.stored.contains(stored) && !self.replaced.contains(name);
            return Ok(Reach { is_live, is_empty, held: own });
        };
        let known = self.reached.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        let view = match known {
            Some(view) => view,
            None => {
                let view = self.reach(&self.statement(query)?)?;
                self.reached.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), view.clone());
                view
            }
        };
        Ok(Reach { is_live: is_live || view.is_live, is_empty: view.is_empty && !self.replaced.contains(name), held: own.and(view.held) })
    }
}

impl empty::Names for Detector {
    fn is_empty(&self, table: &str) -> bool {
        let has_no_rows = |rows: Vec<RecordBatch>| rows.iter().all(|batch| batch.num_rows() == 0);
        self.kept(table).is_some_and(has_no_rows) || self.table(table).is_ok_and(|table| table.is_empty)
    }

    fn values(&self, table: &str, column: &str) -> Values {
        if self.replaced.contains(table) {
            return Values::Anything;
        }
        if self.views.contains_key(table) {
            let Some(rows) = self.kept(table) else { return Values::Anything };
            // Whole entries only are put in: a panic elsewhere leaves them sound.
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            return seen.entry((table.to_owned(), column.to_owned())).or_insert_with(|| Values::of_rows(&rows, column)).clone();
        }
        let stored = table.strip_prefix("stored_").unwrap_or(table);
        match pcapper_schema::all().into_iter().find(|def| def.name == stored) {
            // What was brought lies in no capture.
            Some(def) if matches!(def.shape, Shape::Capture | Shape::Network | Shape::Link) => self.values.of(def, column),
            _ => Values::Anything,
        }
    }

    fn is_aggregate(&self, function: &str) -> bool {
        self.state.aggregate_functions().contains_key(function)
    }
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
