//! `--self-check`: will this installation work here?

mod common;

use common::{Scratch, pcapper, text};
use serde_json::Value;

#[test]
fn a_sound_installation_passes() {
    let scratch = Scratch::new("selfcheck");
    let run = |arguments: &[&str]| {
        let mut command = pcapper(&scratch.path("lake"), arguments);
        command.env("PCAPPER_CONFIG", "").env("LC_ALL", "C.UTF-8").env("VT_API_KEY", "a-secret-key").env_remove("PCAPPER_PLUGINS");
        command.output().unwrap()
    };
    let output = run(&["--self-check"]);
    let report = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{report}");
    assert!(report.starts_with("PCAPPER SELF-CHECK\n======"), "{report}");
    let checks = [
        "version",
        "config",
        "lake",
        "temp",
        "tables",
        "analyzers",
        "dissectors",
        "plugins",
        "decompress",
        "crypto",
        "virustotal",
        "terminal",
        "limits",
    ];
    let listed: Vec<&str> = report.lines().skip(2).filter(|line| !line.starts_with(' ')).filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(listed, checks);
    assert!(!report.contains("[FAIL]"), "{report}");
    assert!(
        report.contains("gzip zstd lz4 xz") && report.contains("AES-GCM ChaCha20-Poly1305 SHA-256") && report.contains("built-in captures"),
        "{report}"
    );
    assert!(!report.contains("a-secret-key"), "{report}");
    let document: Value = serde_json::from_slice(&run(&["--self-check", "--json", "-"]).stdout).unwrap();
    assert_eq!(document[0]["check"], "version");
    assert_eq!(document[0]["status"], "ok");
}

#[test]
fn values_in_force_have_origins_and_faults_fail() {
    let scratch = Scratch::new("selfcheck-config");
    let file = scratch.path("team.toml");
    std::fs::write(&file, "[defaults]\ndns = true\nlimit_protocols = 3\n[lake]\ndir = \"x\"\n").unwrap();
    let file = file.to_string_lossy().into_owned();
    let output = pcapper(&scratch.path("lake"), &["--self-check", "--config", &file, "-l", "7"]).output().unwrap();
    let report = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{report}");
    assert!(report.contains("the environment overrides lake"), "{report}");
    assert!(report.contains(&format!("= true  ({file}:2:1: dns)")) || report.contains(&format!("({file}:2:1: dns)")), "{report}");
    assert!(report.lines().any(|line| line.contains("limit_protocols") && line.contains("= 7") && line.contains("(command line)")), "{report}");

    std::fs::write(&file, "[defaults]\ndnss = true\n").unwrap();
    let output = pcapper(&scratch.path("lake"), &["--self-check", "--config", &file]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("config       [FAIL] "), "{}", text(&output.stdout));
}

#[test]
fn a_profile_says_where_the_time_went() {
    let scratch = Scratch::new("profile");
    let plant = common::sample("plant.pcapng");
    let out = scratch.path("deep/profile.json").to_string_lossy().into_owned();
    let plain = common::run(&scratch.path("lake"), &[&plant, "--modbus"]);
    let first = common::run(&scratch.path("other"), &[&plant, "--modbus", "--profile", "--profile-out", &out]);
    assert_eq!(first.status.code(), Some(0));
    assert_eq!(plain.stdout, first.stdout, "the report is the same");
    let told = text(&first.stderr);
    for part in [
        "Stage",
        "read and unpack",
        "packets and flows",
        "encode",
        "query modbus",
        "render",
        "wall time",
        "captures decoded 1, in the lake already 0",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }
    let document: Value = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
    assert!(document["wall_s"].as_f64().unwrap() > 0.0);
    let queries = document["queries"].as_array().unwrap();
    assert!(queries.iter().any(|query| query["operators"].as_array().is_some_and(|operators| !operators.is_empty())), "{queries:?}");
    let again = common::run(&scratch.path("other"), &[&plant, "--modbus", "--profile"]);
    assert!(text(&again.stderr).contains("captures decoded 0, in the lake already 1"), "{}", text(&again.stderr));

    let folded = scratch.path("p.folded").to_string_lossy().into_owned();
    assert!(common::run(&scratch.path("third"), &[&plant, "--profile", "--profile-out", &folded]).status.success());
    let stacks = std::fs::read_to_string(&folded).unwrap();
    assert!(stacks.lines().all(|line| line.starts_with("pcapper;") && line.rsplit(' ').next().unwrap().parse::<u64>().is_ok()), "{stacks}");

    let alone = common::run(&scratch.0, &[&plant, "--profile-out", &out]);
    assert_eq!((alone.status.code(), text(&alone.stderr)), (Some(2), "pcapper: --profile-out needs --profile\n".to_owned()));
    let nowhere = common::run(&scratch.0, &["missing.pcap", "--profile", "--profile-out", "/proc/nowhere/p.json"]);
    assert_eq!(nowhere.status.code(), Some(2));
    // Also when nothing could be read.
    let failed = common::run(&scratch.0, &["missing.pcap", "--profile"]);
    assert!(text(&failed.stderr).contains("wall time"), "{}", text(&failed.stderr));
}
