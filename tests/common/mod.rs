//! What the tests of the binary share: scratch folders, the samples, runs and their answers.
#![allow(dead_code, reason = "each test binary uses its own part of this")]

pub mod mmdb;

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

/// A capture of one TCP connection on Ethernet: who sent what, the client's first.
pub struct Talk {
    ports: (u16, u16),
    client: [u8; 4],
    server: [u8; 4],
    seq: [u32; 2],
    records: Vec<u8>,
    frames: u32,
}

impl Talk {
    /// A connection from `client` to `server`, with its handshake.
    pub fn new(client: [u8; 4], server: [u8; 4], port: u16) -> Self {
        let header = [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];
        let mut talk = Self { ports: (40_000, port), client, server, seq: [1000, 5000], records: header.to_vec(), frames: 0 };
        talk.segment(true, 2, &[]);
        talk.segment(false, 0x12, &[]);
        talk.segment(true, 0x10, &[]);
        talk
    }

    /// One segment; SYN and FIN count in the sequence numbers.
    pub fn segment(&mut self, from_client: bool, flags: u8, payload: &[u8]) {
        let (src, dst) = if from_client { (self.client, self.server) } else { (self.server, self.client) };
        let (sport, dport) = if from_client { self.ports } else { (self.ports.1, self.ports.0) };
        let (mine, other) = if from_client { (0, 1) } else { (1, 0) };
        let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0];
        let length = (40 + payload.len()) as u16;
        frame.extend_from_slice(&[0x45, 0]);
        frame.extend_from_slice(&length.to_be_bytes());
        frame.extend_from_slice(&[0, 0, 0x40, 0, 64, 6, 0, 0]);
        frame.extend_from_slice(&src);
        frame.extend_from_slice(&dst);
        frame.extend_from_slice(&sport.to_be_bytes());
        frame.extend_from_slice(&dport.to_be_bytes());
        frame.extend_from_slice(&self.seq[mine].to_be_bytes());
        frame.extend_from_slice(&self.seq[other].to_be_bytes());
        frame.extend_from_slice(&[0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        frame.extend_from_slice(payload);
        for field in [1_700_000_000 + self.frames, 0, frame.len() as u32, frame.len() as u32] {
            self.records.extend_from_slice(&field.to_le_bytes());
        }
        self.records.extend_from_slice(&frame);
        self.frames += 1;
        self.seq[mine] += payload.len() as u32 + u32::from(flags & 3 != 0);
    }

    /// Bytes in segments of so many.
    pub fn send(&mut self, from_client: bool, bytes: &[u8], segment: usize) {
        bytes.chunks(segment).for_each(|chunk| self.segment(from_client, 0x18, chunk));
    }

    /// Bytes that were sent and not captured.
    pub fn lose(&mut self, from_client: bool, bytes: u32) {
        self.seq[usize::from(!from_client)] += bytes;
    }

    /// Ends the connection and writes the capture.
    pub fn write(mut self, path: &Path) -> String {
        self.segment(true, 0x11, &[]);
        self.segment(false, 0x11, &[]);
        self.segment(true, 0x10, &[]);
        std::fs::write(path, &self.records).unwrap();
        path.to_string_lossy().into_owned()
    }
}
