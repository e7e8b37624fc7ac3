//! A lake, or some captures of it, as a DataFusion session.
//!
//! Tables are found by name when a query asks for them, so that a hundred tables and a thousand captures cost nothing until
//! used. What narrows or hides rows is done here, once, so that no analyzer needs to know of it: which captures, under which
//! names, which of their frames ([`narrow`]), and secrets, which are replaced by marks unless they were asked for.

mod answers;
mod empty;
mod findings;
mod format;
mod mistakes;
pub mod narrow;
mod needles;
pub mod parameters;
mod stored;
mod values;
mod yielding;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{CatalogProvider, MemoryCatalogProvider, SchemaProvider, TableProvider};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::datasource::{MemTable, ViewTable, provider_as_source};
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::{EmptyRelation, Expr, LogicalPlan, LogicalPlanBuilder, cast, col, lit, when};
use datafusion::optimizer::Optimizer;
use datafusion::optimizer::propagate_empty_relation::PropagateEmptyRelation;
use datafusion::prelude::{DataFrame, SessionConfig, SessionContext, ident};
use pcapper_schema::TableDef;
use pcapper_schema::lake::Manifest;

use crate::analyzer::Analyzer;
use crate::functions::Network;
use crate::geoip::Geo;
use crate::plugins::Plugin;
use crate::{Result, analyzer, functions};

/// One capture of the selection.
#[derive(Clone, Debug)]
pub struct Selected {
    pub manifest: Manifest,
    /// Name to report it under; may differ from the one it was decoded under.
    pub name: String,
    /// Its path as the user gave it, which may differ from that in the lake; `None` where only the lake is asked.
    pub shown: Option<String>,
    /// The file it was decoded from, for what must be read back.
    pub path: PathBuf,
    /// Frames that the run looks at; `None` for all.
    pub narrowed: Option<Arc<narrow::Frames>>,
}

/// What the user may see.
#[derive(Clone, Copy, Default, Debug)]
pub struct View {
    /// Secret columns in clear.
    pub show_secrets: bool,
}

/// What a user adds to the tables and detections: plugins, and what is known of the networks.
#[derive(Clone, Default)]
pub struct Extension {
    /// Analyzers of plugins, their detections among them.
    pub analyzers: Vec<Analyzer>,
    /// Lists of plugins: tables by name.
    pub lists: Vec<(String, Arc<dyn TableProvider>)>,
    /// Networks beyond the private ones whose addresses count as private.
    pub internal: Vec<Network>,
    /// Industrial networks.
    pub ot: Vec<Network>,
    /// Databases of places and operators.
    pub geo: Arc<Geo>,
}

/// A session over some captures; clones are the same session.
#[derive(Clone)]
pub struct Catalog {
    context: SessionContext,
    tables: Arc<Tables>,
}

impl Catalog {
    /// Opens captures of a lake.
    pub fn open(lake: &Path, captures: Vec<Selected>, view: View) -> Result<Self> {
        Self::extended(lake, captures, view, Arc::default())
    }

    /// Opens captures of a lake, with what a user adds.
    pub fn extended(lake: &Path, captures: Vec<Selected>, view: View, extension: Arc<Extension>) -> Result<Self> {
        let many = captures.len() > 64;
        let mut config = SessionConfig::new()
            .with_information_schema(false)
            .with_default_catalog_and_schema("pcapper", "lake")
            .with_collect_statistics(!many)
            .with_create_default_catalog_and_schema(false);
        config.options_mut().execution.parquet.schema_force_view_types = false;
        config.options_mut().execution.parquet.pushdown_filters = true;
        config.options_mut().execution.parquet.reorder_filters = true;
        // What hangs on a table without rows falls away before other rules work on it, once unions have types of their own and
        // questions inside of questions have become joins (one that was emptied before cannot): views join and unite many such
        // tables.
        let mut rules = Optimizer::new().rules;
        let ready = ["optimize_unions", "decorrelate_predicate_subquery", "scalar_subquery_to_join", "decorrelate_lateral_join"];
        let ready = rules.iter().rposition(|rule| ready.contains(&rule.name())).map_or(rules.len(), |at| at + 1);
        rules.insert(ready, Arc::new(PropagateEmptyRelation::new()));
        let builder = SessionStateBuilder::new().with_config(config).with_default_features().with_optimizer_rules(rules);
        let state = builder.with_physical_optimizer_rule(Arc::new(yielding::Yielding)).build();
        let context = SessionContext::new_with_state(state);
        functions::register(&context, view.show_secrets, &extension);
        let given = extension.geo.conditions().into_iter().map(str::to_owned).collect();
        let tables = Arc::new(Tables {
            lake: lake.to_owned(),
            captures,
            view,
            context: context.clone(),
            views: analyzer::views(),
            extension,
            added: findings::Added::default(),
            known: Mutex::default(),
            brought: Mutex::new(given),
            replaced: Mutex::default(),
            found: Arc::default(),
            kept: findings::Kept::default(),
            turns: Mutex::default(),
        });
        let catalog = MemoryCatalogProvider::new();
        catalog.register_schema("lake", Arc::clone(&tables) as Arc<dyn SchemaProvider>)?;
        context.register_catalog("pcapper", Arc::new(catalog));
        Ok(Self { context, tables })
    }

    /// Lets queries read the bytes of frames back: `payloads(first, last)`.
    pub fn with_payloads(self, reader: functions::payloads::Reader) -> Self {
        let captures = self.tables.captures.clone();
        self.context.register_udtf("payloads", Arc::new(functions::payloads::Payloads { captures, reader }));
        self
    }

    /// Plans one query. Only questions are allowed: nothing that would change anything.
    pub async fn sql(&self, query: &str) -> Result<DataFrame> {
        let questions_only = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        let planned = self.context.sql_with_options(query, questions_only).await;
        planned.map_err(|error| mistakes::told(error, &self.names(), &self.functions()))
    }

    /// Sets the host that reports of one host are about.
    pub fn focus(&self, focus: &functions::Focus) {
        functions::focus(&self.context, focus);
    }

    /// Plans one query whose `$name` parameters have these values.
    pub async fn ask(&self, query: &str, values: &parameters::Parameters) -> Result<DataFrame> {
        parameters::bind(self.sql(query).await?, values)
    }

    /// Sets the addresses and networks that a report about a host is about.
    pub fn ask_about(&self, networks: Vec<String>) {
        functions::ask_about(&self.context, networks);
    }

    /// The captures of the selection.
    pub fn captures(&self) -> &[Selected] {
        &self.tables.captures
    }

    /// Gives a table the rows that the user brings (indicators, rules): it is declared, and no capture has it.
    pub fn bring(&self, table: &str, rows: RecordBatch) -> Result<()> {
        if rows.num_rows() > 0 {
            self.tables.brought.lock().unwrap_or_else(PoisonError::into_inner).insert(table.to_owned());
        }
        let brought = MemTable::try_new(rows.schema(), vec![vec![rows]])?;
        self.tables.known().insert(table.to_owned(), Arc::new(brought));
        Ok(())
    }

    /// Adds rows to those that a table has in the lake; they have its columns.
    pub async fn add_rows(&self, table: &str, rows: RecordBatch) -> Result<()> {
        let added = format!("added_{table}");
        self.bring(&added, rows)?;
        self.tables.brought.lock().unwrap_or_else(PoisonError::into_inner).insert(table.to_owned());
        Box::pin(self.bring_view(table, &format!("SELECT * FROM stored_{table} UNION ALL SELECT * FROM {added}"))).await
    }

    /// Puts a query in a table's place; it finds the stored rows under `stored_` and the table's name.
    pub async fn bring_view(&self, table: &str, query: &str) -> Result<()> {
        let plan = self.context.state().create_logical_plan(query).await?;
        self.tables.replaced.lock().unwrap_or_else(PoisonError::into_inner).insert(table.to_owned());
        self.tables.known().insert(table.to_owned(), Arc::new(ViewTable::new(plan, Some(query.to_owned()))));
        Ok(())
    }

    /// The session, for functions that a run brings.
    pub fn context(&self) -> &SessionContext {
        &self.context
    }

    /// Rows of a stored table in all captures of the selection.
    pub fn rows(&self, table: &str) -> u64 {
        self.tables.captures.iter().map(|capture| capture.manifest.tables.get(table).copied().unwrap_or_default()).sum()
    }

    /// Whether a condition of an analyzer (`if=`, `only=`) holds: a stored table that has rows, or something the user brought.
    pub fn holds(&self, condition: &str) -> bool {
        self.rows(condition) > 0 || self.tables.brought.lock().unwrap_or_else(PoisonError::into_inner).contains(condition)
    }

    /// Adds findings that no detection query gives: rule hits, indicator matches, carved files, changes since a baseline.
    /// The `findings` table holds them from now on. Columns are taken by name, as in that table.
    pub fn add_findings(&self, found: RecordBatch) -> Result<()> {
        self.tables.added.add(found)
    }

    /// All findings that were added.
    pub fn added_findings(&self) -> Vec<RecordBatch> {
        self.tables.added.all()
    }

    /// Where the answer to a query is kept; `None` for one that can be another in the next run over the same capture.
    pub(crate) fn kept_answer(&self, query: &str) -> Option<answers::Kept> {
        let answers = self.tables.answers()?;
        self.tables.is_settled(query).then(|| answers.of_query(query))
    }

    /// Runs a query of a plugin within its limits.
    pub async fn plugin_rows(&self, plugin: &Plugin, query: &str) -> Result<Vec<RecordBatch>> {
        plugin.collect(&self.context, query).await
    }

    /// What went wrong in queries of plugins so far, one line each; the run went on without them.
    pub fn plugin_faults(&self) -> Vec<String> {
        self.tables.added.faults()
    }

    /// Notes what went wrong in a query of a plugin.
    pub fn plugin_fault(&self, fault: String) {
        self.tables.added.fault(fault);
    }

    /// Plans a query of a plugin and gives the columns of its answer.
    pub async fn plugin_plan(&self, plugin: &Plugin, query: &str) -> Result<SchemaRef> {
        let frame = plugin.plan(&self.context, query).await?;
        let plan = self.context.state().optimize(frame.logical_plan())?;
        Ok(Arc::clone(plan.schema().inner()))
    }

    /// Plans a query and gives the columns of its answer.
    pub async fn planned(&self, query: &str) -> Result<SchemaRef> {
        let frame = self.sql(query).await?;
        let plan = self.context.state().optimize(frame.logical_plan())?;
        Ok(Arc::clone(plan.schema().inner()))
    }

    /// Whether a query can name a table.
    pub fn has_table(&self, name: &str) -> bool {
        self.tables.table_exist(name)
    }

    /// Names of all that can stand after FROM.
    fn names(&self) -> Vec<String> {
        self.tables().into_iter().map(|(table, _)| table).collect()
    }

    /// All tables that a query can name, with what they are, in order of name.
    pub fn tables(&self) -> Vec<(String, String)> {
        let stored = pcapper_schema::all().into_iter().map(|def| (def.name.to_owned(), def.doc.clone()));
        let mut tables: Vec<(String, String)> = stored.collect();
        for (view, query) in &self.tables.views {
            if !tables.iter().any(|(table, _)| table == view) {
                let doc = query
                    .lines()
                    .map_while(|line| line.trim().strip_prefix("--"))
                    .map(str::trim)
                    .filter(|line| !line.starts_with('@'))
                    .collect::<Vec<_>>()
                    .join(" ");
                tables.push((view.clone(), doc));
            }
        }
        tables.extend(self.tables.extension.lists.iter().map(|(list, _)| (list.clone(), "A list that a plugin brings.".to_owned())));
        tables.sort();
        tables
    }

    /// Whether a table is computed when it is asked.
    pub fn is_derived(&self, table: &str) -> bool {
        table == findings::ALL
            || self.tables.views.iter().any(|(view, _)| view == table)
            || self.tables.extension.lists.iter().any(|(list, _)| list == table)
    }

    /// Functions that a query can call, by name.
    pub fn functions(&self) -> Vec<String> {
        functions_of(&self.context).into_iter().collect()
    }

    /// Brings what speeds up questions over a whole lake up to date.
    pub fn prepare(lake: &Path) {
        needles::prepare(lake);
    }

    /// The tables a query reads, by name.
    pub fn tables_of(&self, query: &str) -> Result<Vec<String>> {
        tables_of(&self.context, query)
    }
}

/// Scalar, aggregate and window functions of a session, by name.
pub(crate) fn functions_of(context: &SessionContext) -> std::collections::BTreeSet<String> {
    let state = context.state();
    let names = state.scalar_functions().keys().chain(state.aggregate_functions().keys()).chain(state.window_functions().keys());
    names.cloned().collect()
}

/// Columns of a derived table in order; `None` if there is none of that name.
pub fn columns_of(view: &str) -> Option<SchemaRef> {
    // Without captures nothing is computed, only planned.
    let catalog = Catalog::open(Path::new(""), Vec::new(), View::default()).ok()?;
    let table = futures::executor::block_on(catalog.tables.table(view)).ok()??;
    Some(table.schema())
}

fn tables_of(context: &SessionContext, query: &str) -> Result<Vec<String>> {
    let state = context.state();
    let statement = state.sql_to_statement(query, &state.config_options().sql_parser.dialect)?;
    Ok(state.resolve_table_references(&statement)?.iter().map(|table| table.table().to_owned()).collect())
}

/// The plan of a table without rows.
fn nothing(def: &TableDef) -> Result<LogicalPlan> {
    let schema = Arc::new(DFSchema::try_from_qualified_schema(def.name, &def.schema)?);
    Ok(LogicalPlan::EmptyRelation(EmptyRelation { produce_one_row: false, schema }))
}

/// How a view begins whose rows are computed once a session.
const KEPT: &str = "-- @kept";

/// Resolves table names.
struct Tables {
    lake: PathBuf,
    captures: Vec<Selected>,
    view: View,
    context: SessionContext,
    views: Vec<(String, String)>,
    extension: Arc<Extension>,
    added: findings::Added,
    /// Tables made so far: each remembers its files' statistics, and a report asks the same few tables many times.
    known: Mutex<HashMap<String, Arc<dyn TableProvider>>>,
    /// Tables to which the user brought rows, and what else of the user's is there ([`crate::geoip`]).
    brought: Mutex<HashSet<String>>,
    /// Tables in whose place the user put a query.
    replaced: Mutex<HashSet<String>>,
    found: Arc<findings::Found>,
    /// The rows of the views that are kept.
    kept: findings::Kept,
    /// Who computes each of them.
    turns: Mutex<HashMap<String, Arc<futures::lock::Mutex<()>>>>,
}

impl std::fmt::Debug for Tables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tables").field("lake", &self.lake).field("captures", &self.captures.len()).finish()
    }
}

#[async_trait]
impl SchemaProvider for Tables {
    fn table_names(&self) -> Vec<String> {
        pcapper_schema::all().iter().map(|def| def.name.to_owned()).collect()
    }

    fn table_exist(&self, name: &str) -> bool {
        name == findings::DIRECT
            || self.views.iter().any(|(view, _)| view == name)
            || self.extension.lists.iter().any(|(list, _)| list == name)
            || pcapper_schema::all().iter().any(|def| def.name == name.strip_prefix("stored_").unwrap_or(name))
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let known = self.known().get(name).cloned();
        if known.is_some() {
            return Ok(known);
        }
        // What is computed once is computed by one; the others wait.
        let turn = self.turn(name);
        let _turn = match &turn {
            Some(turn) => Some(turn.lock().await),
            None => None,
        };
        if turn.is_some()
            && let Some(known) = self.known().get(name).cloned()
        {
            return Ok(Some(known));
        }
        let made = self.make(name).await?;
        if let Some(table) = &made {
            self.known().insert(name.to_owned(), Arc::clone(table));
        }
        Ok(made)
    }
}

impl Tables {
    fn known(&self) -> MutexGuard<'_, HashMap<String, Arc<dyn TableProvider>>> {
        // Whole entries only are put in: a panic elsewhere leaves it sound.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lock of a view that is kept.
    fn turn(&self, name: &str) -> Option<Arc<futures::lock::Mutex<()>>> {
        let is_kept = self.views.iter().any(|(view, query)| view == name && query.starts_with(KEPT));
        is_kept.then(|| Arc::clone(self.turns.lock().unwrap_or_else(PoisonError::into_inner).entry(name.to_owned()).or_default()))
    }

    async fn make(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        if name == findings::ALL || name == findings::DIRECT {
            let replaced = self.replaced.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let mut seen = HashSet::new();
            let manifests = self.captures.iter().map(|capture| &capture.manifest).filter(|manifest| seen.insert(&manifest.capture_id));
            let ground = findings::Ground {
                state: self.context.state(),
                values: values::StoredValues::new(self.lake.clone(), manifests.cloned().collect()),
                kept: Arc::clone(&self.kept),
                present: self.present(),
                views: self.views.clone(),
                replaced,
                extension: Arc::clone(&self.extension),
                added: self.added.clone(),
                answers: self.answers(),
            };
            let table = findings::FindingsTable::new(ground, Arc::clone(&self.found), name == findings::DIRECT);
            return Ok(Some(Arc::new(table)));
        }
        if let Some((_, list)) = self.extension.lists.iter().find(|(list, _)| list == name) {
            return Ok(Some(Arc::clone(list)));
        }
        if let Some((_, query)) = self.views.iter().find(|(view, _)| view == name) {
            let plan = Box::pin(self.context.state().create_logical_plan(query)).await?;
            // Without captures only plans are asked for.
            if query.starts_with(KEPT) && !self.captures.is_empty() {
                let (schema, rows) = self.kept(name, query, plan).await?;
                self.kept.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), rows.clone());
                return Ok(Some(Arc::new(MemTable::try_new(schema, vec![rows])?)));
            }
            return Ok(Some(Arc::new(ViewTable::new(plan, Some(query.clone())))));
        }
        // A view may draw on rows that the ingestion wrote under its own name.
        let name = name.strip_prefix("stored_").unwrap_or(name);
        let Some(def) = pcapper_schema::all().into_iter().find(|def| def.name == name) else { return Ok(None) };
        match self.stored(def)? {
            Some(stored) => self.dressed(def, stored).map(Some),
            // As a plan that is known to be empty, so that whatever is joined to it costs nothing either.
            None => Ok(Some(Arc::new(ViewTable::new(nothing(def)?, None)))),
        }
    }

    /// The rows of a view, computed once: many detections ask for them.
    async fn kept(&self, name: &str, query: &str, plan: LogicalPlan) -> Result<(SchemaRef, Vec<RecordBatch>)> {
        let schema = Arc::clone(plan.schema().inner());
        // Findings may be added to in any run.
        let answers = if query.contains(findings::ALL) { None } else { self.answers() };
        if let Some((stored, rows)) = answers.as_ref().and_then(|answers| answers.read(name))
            && answers::fits(&stored, &schema)
        {
            return Ok((stored, rows));
        }
        let rows = Box::pin(self.context.execute_logical_plan(plan)).await?.collect().await?;
        // Batches say for themselves whether a column holds nulls.
        let schema = rows.first().map_or(schema, |batch| batch.schema());
        if let Some(answers) = answers {
            answers.write(name, &schema, &rows);
        }
        Ok((schema, rows))
    }

    /// Whether a query says the same of a capture in every run: it draws on no findings, which may be added to, reads nothing
    /// outside the lake, and asks nothing of what this run is about.
    fn is_settled(&self, query: &str) -> bool {
        const OF_THE_RUN: [&str; 6] = ["in_focus", "in_category", "activity", "block_width", "of_host", "payloads"];
        let is_of_the_run = |word: &str| OF_THE_RUN.contains(&word) || word.split('_').any(|part| part == "findings" || part == "finding");
        let (mut queries, mut seen) = (vec![query.to_lowercase()], HashSet::new());
        while let Some(query) = queries.pop() {
            for word in empty::words(&query) {
                if is_of_the_run(word) {
                    return false;
                }
                if let Some((view, text)) = self.views.iter().find(|(view, _)| view == word)
                    && seen.insert(view)
                {
                    queries.push(text.to_lowercase());
                }
            }
        }
        true
    }

    /// Answers about the capture that is looked at, if it is one alone, whole, and nothing that the user brings changes them.
    fn answers(&self) -> Option<answers::Answers> {
        let [capture] = self.captures.as_slice() else { return None };
        // Databases of places stand among what was brought.
        let Extension { analyzers, lists, internal, ot, geo: _ } = self.extension.as_ref();
        let is_extended = !(analyzers.is_empty() && lists.is_empty() && internal.is_empty() && ot.is_empty());
        let has_any = |set: &Mutex<HashSet<String>>| !set.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
        let is_changed = capture.narrowed.is_some() || is_extended || has_any(&self.brought) || has_any(&self.replaced);
        if is_changed { None } else { answers::Answers::of(&self.lake, capture, self.view) }
    }

    /// Stored tables that have rows in some capture of the selection.
    fn present(&self) -> findings::Present {
        let (mut present, mut seen) = (findings::Present::new(), HashSet::new());
        for capture in self.captures.iter().filter(|capture| seen.insert(&capture.manifest.capture_id)) {
            for table in capture.manifest.tables.keys() {
                present.entry(table.clone()).and_modify(|holder| *holder = None).or_insert_with(|| Some(capture.name.clone()));
            }
        }
        // What the user brought belongs to no capture.
        present.extend(self.brought.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|table| (table.clone(), None)));
        present
    }

    /// The table as it lies in the lake; `None` where no capture has rows of it.
    fn stored(&self, def: &'static TableDef) -> Result<Option<Arc<dyn TableProvider>>> {
        let mut seen = HashSet::new();
        let manifests = self.captures.iter().map(|capture| &capture.manifest);
        let having = manifests.filter(|manifest| manifest.tables.contains_key(def.name) && seen.insert(&manifest.capture_id));
        let having: Vec<Manifest> = having.cloned().collect();
        if having.is_empty() {
            return Ok(None);
        }
        Ok(Some(Arc::new(stored::StoredTable::new(self.lake.clone(), def, having)?)))
    }

    /// The table with captures under their present names and paths, and secrets hidden.
    fn dressed(&self, def: &TableDef, stored: Arc<dyn TableProvider>) -> Result<Arc<dyn TableProvider>> {
        let with = |name: fn(&Selected) -> Option<&str>| -> Vec<(&str, &str)> {
            self.captures.iter().filter_map(|capture| Some((capture.manifest.capture_id.as_str(), name(capture)?))).collect()
        };
        let renamed = with(|capture| (capture.name != capture.manifest.capture).then_some(capture.name.as_str()));
        let placed = if def.name == "captures" { with(|capture| capture.shown.as_deref()) } else { Vec::new() };
        let hides = !self.view.show_secrets && def.columns.iter().any(|column| column.secret);
        let condition = narrow::condition(def, &self.captures);
        if renamed.is_empty() && placed.is_empty() && !hides && condition.is_none() {
            return Ok(stored);
        }
        let columns: Vec<Expr> = def
            .columns
            .iter()
            .map(|column| {
                let names: &[(&str, &str)] = match column.name {
                    "capture" => &renamed,
                    "path" => &placed,
                    _ => &[],
                };
                if !names.is_empty() {
                    let text = |name: &str| lit(ScalarValue::Utf8(Some(name.to_owned())));
                    let mut named = when(lit(false), text(""));
                    for (id, name) in names {
                        named = named.when(col("capture_id").eq(text(id)), text(name));
                    }
                    let named = named.otherwise(cast(ident(column.name), arrow::datatypes::DataType::Utf8))?;
                    Ok(cast(named, column.data_type.clone()).alias(column.name))
                } else if column.secret && hides {
                    Ok(functions::redact(ident(column.name), &column.data_type)?.alias(column.name))
                } else {
                    Ok(ident(column.name))
                }
            })
            .collect::<Result<_>>()?;
        let mut plan = LogicalPlanBuilder::scan(def.name, provider_as_source(stored), None)?;
        if let Some(condition) = condition {
            plan = plan.filter(condition)?;
        }
        let plan = plan.project(columns)?.build()?;
        Ok(Arc::new(ViewTable::new(plan, None)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_kept_if_no_run_changes_it() {
        let catalog = Catalog::open(Path::new(""), Vec::new(), View::default()).unwrap();
        let cases = [
            ("SELECT count(*) FROM flows", true),
            ("SELECT ip FROM hosts WHERE is_private(ip)", true),
            ("SELECT * FROM findings", false),
            ("SELECT * FROM merged_findings", false),
            // It draws on findings.
            ("SELECT * FROM finding_tactics", false),
            ("SELECT * FROM flows WHERE in_focus(src_ip)", false),
            ("SELECT * FROM hosts WHERE OF_HOST(ip)", false),
            ("SELECT * FROM payloads(1, 2)", false),
        ];
        for (query, expected) in cases {
            assert_eq!(catalog.tables.is_settled(query), expected, "{query}");
        }
        assert!(catalog.kept_answer("SELECT 1").is_none(), "without a capture");
    }
}
