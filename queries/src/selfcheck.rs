//! Whether tables and queries fit together in this build.

use std::collections::BTreeSet;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::analyzer;
use crate::catalog::{Catalog, View};
use crate::run;

/// The tables: how many, the hash of their names, columns and types, and what is wrong with them.
pub fn tables() -> (usize, String, Vec<String>) {
    let defs = pcapper_schema::all();
    let mut hash = Sha256::new();
    let (mut names, mut faults) = (BTreeSet::new(), Vec::new());
    for def in &defs {
        if !names.insert(def.name) {
            faults.push(format!("{} is declared twice", def.name));
        }
        let mut columns = BTreeSet::new();
        for column in &def.columns {
            if !columns.insert(column.name) {
                faults.push(format!("{}.{} is declared twice", def.name, column.name));
            }
            hash.update(format!("{}.{}:{}\n", def.name, column.name, column.data_type));
        }
    }
    let hash = hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    (defs.len(), hash, faults)
}

/// Plans every query of the built-in analyzers over tables without rows: how many there are, and what does not plan.
pub fn analyzers() -> (usize, Vec<String>) {
    let mut queries = Vec::new();
    for analyzer in analyzer::built_in() {
        queries.extend(analyzer.sections.iter().map(|section| (format!("{}, section {}", analyzer.name, section.name), section.sql.clone())));
        queries.extend(analyzer.findings.iter().map(|finding| (format!("{}, finding {}", analyzer.name, finding.id), finding.sql.clone())));
    }
    let catalog = match Catalog::open(Path::new(""), Vec::new(), View::default()) {
        Ok(catalog) => catalog,
        Err(error) => return (queries.len(), vec![run::one_line(&error)]),
    };
    let count = queries.len();
    let jobs = queries.into_iter().map(|(name, query)| {
        let catalog = catalog.clone();
        async move { Ok(catalog.planned(&query).await.err().map(|error| format!("{name}: {}", run::one_line(&error)))) }
    });
    // A table may start tasks while a query over it is planned.
    let planned = match tokio::runtime::Builder::new_multi_thread().build() {
        Ok(runtime) => runtime.block_on(run::side_by_side(jobs)),
        Err(error) => return (count, vec![error.to_string()]),
    };
    match planned {
        Ok(faults) => (count, faults.into_iter().flatten().collect()),
        Err(error) => (count, vec![run::one_line(&error)]),
    }
}
