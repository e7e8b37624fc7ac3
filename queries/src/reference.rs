//! The data dictionary as one page of Markdown: every table, column, unit, Wireshark twin, example question and function.

use std::fmt::Write as _;

use datafusion::arrow::datatypes::DataType;
use pcapper_schema::{ColumnDef, Shape, TableDef};

use crate::examples;
use crate::functions::{Kind, PATTERNS, dictionary};
use crate::report::Unit;

/// Name of a type as the dictionary writes it.
pub fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::UInt8 => "u8".into(),
        DataType::UInt16 => "u16".into(),
        DataType::UInt32 => "u32".into(),
        DataType::UInt64 => "u64".into(),
        DataType::Int8 => "i8".into(),
        DataType::Int16 => "i16".into(),
        DataType::Int32 => "i32".into(),
        DataType::Int64 => "i64".into(),
        DataType::Float32 => "f32".into(),
        DataType::Float64 => "f64".into(),
        DataType::Boolean => "bool".into(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "utf8".into(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "binary".into(),
        DataType::Timestamp(..) => "timestamp_ns".into(),
        DataType::Dictionary(_, value) => type_name(value),
        DataType::List(item) | DataType::LargeList(item) => format!("list<{}>", type_name(item.data_type())),
        other => other.to_string().to_lowercase(),
    }
}

/// Columns that tables of a shape share.
fn shared(shape: Shape) -> usize {
    match shape {
        Shape::Capture => 3,
        Shape::Network => 9,
        Shape::Link => 11,
        Shape::Brought => 0,
    }
}

/// The whole page.
pub fn page() -> String {
    let defs = pcapper_schema::all();
    let mut text = String::from(
        "# Tables and functions\n\nThis page is made from the declarations in `schema/src/tables/`, the questions in `queries/examples/` and the functions in\n`queries/src/functions/`; a test holds it to them. `PCAPPER_WRITE_REFERENCE=1 cargo test --test reference` writes it anew.\n\nTables without rows have no file in the lake. Columns are null where the wire did not carry the value. Marks: **hunted** columns have\nBloom filters, so that a search for one value in thousands of captures opens few of them; **secret** columns are shown as\n`redacted:N` unless `--show-secrets` is given. A table's own columns come after those that all tables share:\n\n",
    );
    if let Some(def) = defs.iter().find(|def| def.shape == Shape::Link) {
        columns(def.columns.iter().take(shared(Shape::Link)), &mut text);
    }
    text.push_str(
        "\nHardware addresses stand only in tables of the link layer; `captures` and `interfaces` have neither frame, flow\nnor addresses, and tables that the user brings (indicators, a baseline) have none of these columns.\n\n",
    );
    for def in &defs {
        let _ = writeln!(text, "- [{0}](#{0}): {1}", def.name, def.doc.split_inclusive(". ").next().unwrap_or_default().trim_end());
    }
    for def in &defs {
        table(def, &mut text);
    }
    text.push_str("\n# Functions\n\nBeside those of [DataFusion](https://datafusion.apache.org/user-guide/sql/).\n\n");
    for doc in dictionary() {
        let kind = match doc.kind {
            Kind::Scalar => "",
            Kind::Aggregate => " (aggregate)",
            Kind::Table => " (table function)",
        };
        let _ = writeln!(
            text,
            "## {}{kind}\n\n`{}`\n\n{}\n\n```sql\nSELECT {}\n-- {}\n```\n",
            doc.name, doc.signature, doc.meaning, doc.example, doc.gives
        );
    }
    text.push_str("# Patterns\n");
    for (what, query) in PATTERNS {
        let _ = write!(text, "\n{what}\n\n```sql\n{query}\n```\n");
    }
    text
}

fn table(def: &TableDef, text: &mut String) {
    let _ = write!(text, "\n## {}\n\n{} A row is one {}.\n\n", def.name, def.doc, def.grain);
    columns(def.columns.iter().skip(shared(def.shape)), text);
    text.push_str("\n```sql\n");
    for example in examples::of(def.name) {
        let _ = write!(text, "-- {}\n{};\n", example.question, example.sql);
    }
    text.push_str("```\n");
}

fn columns<'c>(columns: impl Iterator<Item = &'c ColumnDef>, text: &mut String) {
    text.push_str("| column | type | unit | meaning | Wireshark |\n| --- | --- | --- | --- | --- |\n");
    for column in columns {
        let marks = match (column.secret, column.bloom) {
            (true, _) => " **secret**",
            (false, true) => " **hunted**",
            (false, false) => "",
        };
        let twin = column.wireshark.map(|field| format!("`{}`", field.replace('|', "`, `"))).unwrap_or_default();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {}{marks} | {twin} |",
            column.name,
            type_name(&column.data_type).replace('<', "\\<"),
            unit(column),
            column.doc.replace('|', "\\|").replace('<', "\\<"),
        );
    }
}

/// What a column measures; nothing for text and plain numbers.
fn unit(column: &ColumnDef) -> &'static str {
    match Unit::of(column.name, &column.data_type) {
        Unit::Text | Unit::Count | Unit::Id => "",
        Unit::Time => "UTC",
        unit => unit.name(),
    }
}
