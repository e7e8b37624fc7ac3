//! A site's own idea of what controls its plant: which commands count, as what, and how much they weigh.
//!
//! A file in TOML, YAML or JSON (`--ot-commands-config`) gives rules over `ot_commands`; [`OtRules::bring`] puts a view in the
//! table's place that applies them, so that every report and detection sees the site's classes and risks.

mod file;
mod rule;

use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanBuilder, ListBuilder, StringBuilder, StructArray};
use datafusion::arrow::datatypes::{DataType, Field, Fields, TimeUnit, TimestampNanosecondType};
use datafusion::common::cast::{as_boolean_array, as_string_array};
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};

pub use rule::OtRules;

use crate::Result;
use crate::catalog::Catalog;
use rule::Command;

/// Files above this size are refused.
const LONGEST_FILE: u64 = 16 << 20;

/// What the function is asked with, in the order of its arguments.
const ARGUMENTS: &str =
    "protocol, command, command_code, point, actor, actor_name, target, target_name, class, outcome, is_broadcast, ts, risk_reasons";

/// Reads a file of rules; the second value are remarks for the user. An error is one line.
pub fn load(path: &Path) -> std::result::Result<(OtRules, Vec<String>), String> {
    let fail = |what: String| format!("--ot-commands-config {}: {what}", path.display());
    let size = std::fs::metadata(path).map_err(|error| fail(error.to_string()))?.len();
    if size > LONGEST_FILE {
        return Err(fail(format!("{size} bytes; files of up to {LONGEST_FILE} bytes are read")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| fail(error.to_string()))?;
    let written = file::parse(&path.to_string_lossy(), &text).map_err(fail)?;
    OtRules::from_file(written).map_err(fail)
}

impl OtRules {
    /// Puts the rules between `ot_commands` and whoever asks it.
    pub async fn bring(self: Arc<Self>, catalog: &Catalog) -> Result<()> {
        catalog.context().register_udf(function(self));
        let columns: Vec<String> = pcapper_schema::all()
            .iter()
            .filter(|def| def.name == "ot_commands")
            .flat_map(|def| &def.columns)
            .map(|column| match column.name {
                name @ ("class" | "risk" | "risk_reasons") => format!("ruled['{name}'] AS {name}"),
                name => name.to_owned(),
            })
            .collect();
        let query = format!(
            "SELECT {} FROM (SELECT *, ot_rule({ARGUMENTS}) AS ruled FROM stored_ot_commands) AS commands WHERE NOT ruled['ignore']",
            columns.join(", ")
        );
        catalog.bring_view("ot_commands", &query).await
    }
}

fn texts() -> DataType {
    DataType::List(Arc::new(Field::new("item", DataType::Utf8, true)))
}

fn ruled() -> Fields {
    Fields::from(vec![
        Field::new("class", DataType::Utf8, true),
        Field::new("risk", DataType::Utf8, true),
        Field::new("risk_reasons", texts(), true),
        Field::new("ignore", DataType::Boolean, true),
    ])
}

/// `ot_rule(...)`: a command's class, risk and reasons by the site's rules, and whether it is to be left out.
fn function(rules: Arc<OtRules>) -> ScalarUDF {
    let body = move |arguments: &[ColumnarValue]| -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(arguments)?;
        let text = |at: usize| as_string_array(&arrays[at]);
        let (protocol, command, code, point) = (text(0)?, text(1)?, text(2)?, text(3)?);
        let (actor, actor_name, target, target_name) = (text(4)?, text(5)?, text(6)?, text(7)?);
        let (class, outcome, broadcast) = (text(8)?, text(9)?, as_boolean_array(&arrays[10])?);
        let (ts, reasons) = (arrays[11].as_primitive::<TimestampNanosecondType>(), arrays[12].as_list::<i32>());
        let (mut classes, mut risks, mut ignored) = (StringBuilder::new(), StringBuilder::new(), BooleanBuilder::new());
        let mut told = ListBuilder::new(StringBuilder::new());
        for row in 0..protocol.len() {
            let at = |array: &datafusion::arrow::array::StringArray| (!array.is_null(row)).then(|| array.value(row).to_owned());
            let known: Vec<String> =
                if reasons.is_null(row) { Vec::new() } else { as_string_array(&reasons.value(row))?.iter().flatten().map(str::to_owned).collect() };
            let verdict = rules.judge(&Command {
                protocol: at(protocol).unwrap_or_default(),
                command: at(command).unwrap_or_default(),
                code: at(code),
                point: at(point),
                actor: [at(actor), at(actor_name)],
                target: [at(target), at(target_name)],
                class: at(class).unwrap_or_default(),
                is_refused: !outcome.is_null(row) && outcome.value(row) == "refused",
                is_broadcast: !broadcast.is_null(row) && broadcast.value(row),
                ts: (!ts.is_null(row)).then(|| ts.value(row)),
                reasons: known,
            });
            classes.append_value(&verdict.class);
            risks.append_value(verdict.risk);
            ignored.append_value(verdict.ignore);
            for reason in &verdict.reasons {
                told.values().append_value(reason);
            }
            told.append(!verdict.reasons.is_empty());
        }
        let arrays: Vec<ArrayRef> = vec![Arc::new(classes.finish()), Arc::new(risks.finish()), Arc::new(told.finish()), Arc::new(ignored.finish())];
        Ok(ColumnarValue::Array(Arc::new(StructArray::try_new(ruled(), arrays, None)?)))
    };
    let mut arguments = vec![DataType::Utf8; 10];
    arguments.extend([DataType::Boolean, DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())), texts()]);
    create_udf("ot_rule", arguments, DataType::Struct(ruled()), Volatility::Immutable, Arc::new(body))
}
