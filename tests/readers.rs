//! The lake is plain Parquet: other readers open every table with one glob.
//!
//! Needs a Python with duckdb, polars and pyarrow, named in `PCAPPER_PYTHON`; says so and passes where it is unset.

use std::process::Command;

#[test]
fn duckdb_polars_and_pyarrow_read_every_table() {
    let Some(python) = std::env::var_os("PCAPPER_PYTHON") else {
        eprintln!("PCAPPER_PYTHON is unset: skipped");
        return;
    };
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let lake = std::env::temp_dir().join(format!("pcapper-readers-{}", std::process::id()));
    let status = Command::new(env!("CARGO_BIN_EXE_pcapper")).arg(root.join("sample-data")).arg("--lake").arg(&lake).output().unwrap();
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
    let output = Command::new(python).arg(root.join("tests/readers.py")).arg(&lake).output().unwrap();
    let _ = std::fs::remove_dir_all(&lake);
    assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
}
