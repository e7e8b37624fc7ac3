//! The notebooks in `sample-data/notebooks` run, and find what they say.
//!
//! Needs a Python with nbclient, ipykernel, matplotlib, duckdb, polars, pyarrow and datafusion, named in `PCAPPER_PYTHON`; says
//! so and passes where it is unset.

mod common;

use std::path::Path;
use std::process::Command;

use common::{Scratch, run, sample, text};

#[test]
fn notebooks_answer_their_questions() {
    let Some(python) = std::env::var_os("PCAPPER_PYTHON") else {
        eprintln!("PCAPPER_PYTHON is unset: skipped");
        return;
    };
    let can = Command::new(&python).args(["-c", "import nbclient, nbformat, ipykernel, matplotlib, duckdb, polars, pyarrow, datafusion"]).output();
    if !can.is_ok_and(|output| output.status.success()) {
        eprintln!("PCAPPER_PYTHON lacks the notebooks' packages (.ci/run installs them): skipped");
        return;
    }
    let scratch = Scratch::new("notebooks");
    let added = run(&scratch.0, &["lake", "add", &sample("plant.pcapng"), &sample("dns.pcap.gz")]);
    assert_eq!(added.status.code(), Some(0), "{}", text(&added.stderr));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(python)
        .arg(root.join("tests/notebooks.py"))
        .arg(sample("notebooks"))
        .env("PCAPPER_LAKE", &scratch.0)
        .env("MPLBACKEND", "module://matplotlib_inline.backend_inline")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
}
