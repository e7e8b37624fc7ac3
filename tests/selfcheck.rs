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
        command.env_remove("PCAPPER_GEOIP_CITY_DB").env_remove("PCAPPER_GEOIP_ASN_DB");
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
        "bpf",
        "crypto",
        "geoip",
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
    assert!(report.contains("\ngeoip        [WARN] no database"), "{report}");
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
    let mut command = pcapper(&scratch.path("lake"), &["--self-check", "--config", &file]);
    let output = command.env("PCAPPER_GEOIP_ASN_DB", "/nowhere/x.mmdb").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let line = text(&output.stdout).lines().find(|line| line.starts_with("geoip ")).unwrap().to_owned();
    assert!(line.starts_with("geoip        [FAIL] ASN: /nowhere/x.mmdb: cannot read: ") && line.ends_with("(PCAPPER_GEOIP_ASN_DB)"), "{line}");
    assert!(text(&output.stdout).contains("config       [FAIL] "), "{}", text(&output.stdout));
}

#[test]
fn databases_have_an_age_and_tables_an_origin() {
    let scratch = Scratch::new("selfcheck-geoip");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let fresh = common::mmdb::cities(&scratch.path("city.mmdb"), now - 3 * 86_400 - 60);
    let stale = common::mmdb::operators(&scratch.path("asn.mmdb"), 1_700_000_000);
    let file = scratch.path("team.toml");
    let check = |content: &str, asn: &str| {
        std::fs::write(&file, content).unwrap();
        let mut command = pcapper(&scratch.path("lake"), &["--self-check", "--config", &file.to_string_lossy()]);
        let output = command.env_remove("PCAPPER_GEOIP_CITY_DB").env("PCAPPER_GEOIP_ASN_DB", asn).output().unwrap();
        let report = text(&output.stdout);
        let line = report.lines().find(|line| line.starts_with("geoip ")).unwrap().to_owned();
        (output.status.code(), line, report)
    };
    let (status, line, report) =
        check("[geoip]\ncity = \"city.mmdb\"\n[networks]\not = [\"10.9.0.0/16\", \"10.8.0.1\"]\n[lake]\nmax_bytes = \"3GB\"\n", "");
    assert_eq!(status, Some(0));
    assert!(line.starts_with("geoip        [OK]   city: Test-City of 20") && line.ends_with(", 3 days old"), "{line}");
    let file = file.to_string_lossy();
    for (name, value, place) in [
        ("geoip.city", fresh.as_str(), "2:1: city"),
        ("networks.ot", "10.9.0.0/16, 10.8.0.1", "4:1: ot"),
        ("lake.max_bytes", "3GB", "6:1: max_bytes"),
    ] {
        let told = report.lines().find(|line| line.trim_start().starts_with(name)).unwrap_or_else(|| panic!("{name}: {report}"));
        assert!(told.contains(&format!("= {value}")) && told.ends_with(&format!("({file}:{place})")), "{told}");
    }
    let (status, line, report) = check("[geoip]\nasn = \"city.mmdb\"\n", &stale);
    assert_eq!(status, Some(0));
    assert!(line.starts_with("geoip        [WARN] ASN: Test-ASN of 2023-11-14, "), "{line}");
    assert!(report.contains("the environment overrides geoip.asn") && report.contains("(PCAPPER_GEOIP_ASN_DB)"), "{report}");
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
        "  CPU",
        "\nread ",
        "\nrecords ",
        "\npackets ",
        "\nflows ",
        "\nencode ",
        "\nwrite ",
        "\nquery modbus ",
        "\nrender ",
        "wall time",
        "peak memory",
        "captures decoded 1, in the lake already 0, their tables ",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }
    let document: Value = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
    let seconds = |value: &Value| value.as_f64().unwrap();
    let (wall, processor) = (seconds(&document["wall_s"]), seconds(&document["processor_s"]));
    assert!(wall > 0.0 && processor > 0.0);
    // Each moment is in one stage: together they take no more than all threads had, but for those that stand for others.
    let stages = document["stages"].as_array().unwrap();
    let whole = |name: &str| -> f64 { stages.iter().filter(|stage| stage["sampled"] == false).map(|stage| seconds(&stage[name])).sum() };
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as f64;
    assert!(whole("cpu_seconds") <= processor && whole("seconds") <= wall * (threads + 4.0), "{document}");
    assert!(stages.iter().any(|stage| stage["stage"] == "query modbus" && seconds(&stage["cpu_seconds"]) > 0.0), "{stages:?}");
    let lake: u64 = std::fs::read_dir(scratch.path("other"))
        .unwrap()
        .flatten()
        .filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'))
        .flat_map(|capture| std::fs::read_dir(capture.path()).unwrap().flatten())
        .map(|file| file.metadata().unwrap().len())
        .sum();
    assert_eq!(document["lake_bytes"].as_u64(), Some(lake));
    let queries = document["queries"].as_array().unwrap();
    assert!(queries.iter().any(|query| query["operators"].as_array().is_some_and(|operators| !operators.is_empty())), "{queries:?}");
    let again = common::run(&scratch.path("other"), &[&plant, "--modbus", "--profile"]);
    assert!(text(&again.stderr).contains("captures decoded 0, in the lake already 1"), "{}", text(&again.stderr));

    // What unpacks is told apart from what reads.
    let packed = common::run(&scratch.path("other"), &[&common::sample("dns.pcap.gz"), "--dns", "--profile", "-v"]);
    assert!(text(&packed.stderr).contains("\ndecompress "), "{}", text(&packed.stderr));

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

#[cfg(target_os = "linux")]
#[test]
fn what_does_not_work_here_is_named() {
    let scratch = Scratch::new("selfcheck-faults");
    let file = scratch.path("file").to_string_lossy().into_owned();
    std::fs::write(&file, "x").unwrap();
    std::fs::create_dir_all(scratch.path("plugins/broken")).unwrap();
    std::fs::write(scratch.path("plugins/broken/plugin.toml"), "[plugin\n").unwrap();
    let output = std::process::Command::new("sh")
        .args(["-c", "ulimit -n 200; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_pcapper"), "--self-check", "--lake", &file])
        .env("TMPDIR", "/proc/nowhere")
        .env("PCAPPER_CONFIG", "")
        .env("PCAPPER_PLUGINS", scratch.path("plugins"))
        .env("LC_ALL", "C")
        .env("VT_API_KEY", "x")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let report = text(&output.stdout);
    for (check, verdict) in [
        ("lake", "[FAIL]"),
        ("temp", "[FAIL]"),
        ("plugins", "[WARN]"),
        ("virustotal", "[WARN]"),
        ("terminal", "[WARN]"),
        ("limits", "[WARN]"),
        ("decompress", "[OK]"),
    ] {
        let is_check = |line: &&str| !line.starts_with(' ') && line.split_whitespace().next() == Some(check);
        let line = report.lines().find(is_check).unwrap_or_else(|| panic!("{check}\n{report}"));
        assert!(line.contains(verdict), "{line}");
    }
}
