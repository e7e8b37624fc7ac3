//! What the tests of the binary share: scratch folders, the samples, runs and their answers.
#![allow(dead_code, reason = "each test binary uses its own part of this")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
/// A scratch folder that goes with the test.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("pcapper-test-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub fn sample(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data").join(name).to_string_lossy().into_owned()
}

pub fn pcapper(lake: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pcapper"));
    command.env("PCAPPER_LAKE", lake).env_remove("NO_COLOR").args(arguments);
    command
}

pub fn run(lake: &Path, arguments: &[&str]) -> Output {
    pcapper(lake, arguments).output().unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

pub fn rows(lake: &Path, capture: &str, query: &str) -> Vec<Value> {
    let output = run(lake, &[capture, "--sql", query, "--format", "jsonl"]);
    assert!(output.status.success(), "{query}: {}", text(&output.stderr));
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub fn number(lake: &Path, capture: &str, query: &str) -> u64 {
    let rows = rows(lake, capture, query);
    rows[0].as_object().unwrap().values().next().unwrap().as_u64().unwrap()
}

pub fn facts() -> Value {
    serde_json::from_slice(&std::fs::read(sample("facts.json")).unwrap()).unwrap()
}
