//! Plugins: directories of data that give flags, detections, tables and parameters, and nothing that runs.

mod common;

use std::path::Path;
use std::process::Output;

use common::{Scratch, pcapper, sample, text};
use serde_json::Value;

const MANIFEST: &str = r#"[plugin]
name = "water-sector"
version = "1.2.0"
description = "Pumping-station checks"
license = "MIT"
requires = ">=0.1, <9.0"
schema = 1

[[analyzer]]
flag = "--pump-check"
group = "ot"
title = "PUMP CHECK"
help = "Writes to pump set-points"
sql = "pump_check.sql"
needs = ["modbus"]

[[detection]]
sql = "detections/writes.sql"
source = "modbus"

[[list]]
name = "pumps"
file = "lists/pumps.csv"

[[parameter]]
name = "least"
type = "i64"
default = 1000
"#;

const ANALYZER: &str = r#"-- @section summary shape=facts
SELECT count(*) AS writes, $least AS least FROM modbus WHERE is_write;

-- @section "Pumps written" shape=table
SELECT p.name, m.point, m.write_values FROM modbus AS m JOIN list_pumps AS p ON p.ip = m.dst_ip WHERE m.is_write ORDER BY m.frame;

-- @finding pump_high severity=high technique=T0836
SELECT 'A pump was set high' AS title, src_ip, dst_ip, frame, ts, array_to_string(write_values, ', ') AS details
FROM modbus WHERE is_write AND write_values[1] > $least;
"#;

const DETECTION: &str =
    "-- @finding pump_any severity=low\nSELECT 'A pump was written' AS title, src_ip, dst_ip, frame, ts FROM modbus WHERE is_write;\n";

fn write(path: &Path, content: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
        std::fs::set_permissions(path.parent().unwrap(), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}

/// The plugin as it should be, with some files changed.
fn plugin(scratch: &Scratch, changed: &[(&str, &str)]) -> String {
    let plugins = scratch.path("plugins");
    let root = plugins.join("water-sector");
    let _ = std::fs::remove_dir_all(&plugins);
    for (file, content) in [
        ("plugin.toml", MANIFEST),
        ("pump_check.sql", ANALYZER),
        ("detections/writes.sql", DETECTION),
        ("lists/pumps.csv", "ip,name\n192.168.50.10,Pump 7\n"),
    ] {
        let content = changed.iter().find(|(name, _)| *name == file).map_or(content, |(_, changed)| *changed);
        write(&root.join(file), content);
    }
    plugins.to_string_lossy().into_owned()
}

fn run(scratch: &Scratch, arguments: &[&str]) -> Output {
    let mut command = pcapper(&scratch.path("lake"), arguments);
    command.env("HOME", scratch.path("home")).env("PCAPPER_CONFIG", "").env_remove("XDG_DATA_HOME").env_remove("PCAPPER_PLUGINS");
    command.output().unwrap()
}

#[test]
fn a_plugin_gives_a_flag_findings_tables_and_parameters() {
    let scratch = Scratch::new("plugins");
    let dir = plugin(&scratch, &[]);
    let plant = sample("plant.pcapng");
    let output = run(&scratch, &[&plant, "--plugins", &dir, "--pump-check"]);
    let report = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    for line in [
        "PUMP CHECK :: plant.pcapng",
        "Writes                   : 2",
        "Least                    : 1,000",
        "Pump 7  holding:40001  2900",
        "[HIGH] A pump was set high",
        "ATT&CK   T0836",
    ] {
        assert!(report.contains(line), "{line}\n{report}");
    }
    let set = text(&run(&scratch, &[&plant, "--plugins", &dir, "--pump-check", "--set", "water-sector.least=5000"]).stdout);
    assert!(set.contains("Least                    : 5,000") && !set.contains("[HIGH]"), "{set}");
    let wrong = run(&scratch, &[&plant, "--plugins", &dir, "--set", "water-sector.least=many"]);
    assert_eq!(text(&wrong.stderr), "pcapper: --set water-sector.least=many: i64 is needed\n");
    let unknown = run(&scratch, &[&plant, "--plugins", &dir, "--set", "water-sector.most=1"]);
    assert_eq!(unknown.status.code(), Some(2));

    for (source, answer) in [("modbus", "pump_any,2"), ("pump_check", "pump_high,1")] {
        let query = format!("SELECT detection, count(*) AS n FROM findings WHERE source = '{source}' AND detection LIKE 'pump%' GROUP BY detection");
        let asked = run(&scratch, &[&plant, "--plugins", &dir, "--sql", &query, "--format", "csv"]);
        assert_eq!(text(&asked.stdout), format!("detection,n\r\n{answer}\r\n"));
    }
    let menu = text(&run(&scratch, &["--help", "--plugins", &dir]).stdout);
    assert!(menu.contains("PLUGINS:\n  --pump-check                             Writes to pump set-points"), "{menu}");
    let about = text(&run(&scratch, &["--help=pump-check", "--plugins", &dir]).stdout);
    assert!(about.contains("Pumps written") && about.contains("pump_high"), "{about}");
    // Without the option the flag is not there.
    assert_eq!(run(&scratch, &[&plant, "--pump-check"]).status.code(), Some(2));
}

#[test]
fn plugins_are_listed() {
    let scratch = Scratch::new("plugins-list");
    let none = run(&scratch, &["--list-plugins"]);
    if !Path::new("/usr/share/pcapper/plugins").is_dir() {
        assert_eq!(text(&none.stdout), "No plugins discovered.\n");
    }
    let dir = plugin(&scratch, &[]);
    let listed = run(&scratch, &["--list-plugins", "--plugins", &dir]);
    assert_eq!(listed.status.code(), Some(0));
    let listed = text(&listed.stdout);
    assert!(listed.starts_with("Plugins:\nName          Version  Flag          Group  Source Directory"), "{listed}");
    assert!(listed.contains("water-sector  1.2.0    --pump-check  ot     "), "{listed}");
    let all = text(&run(&scratch, &["--list-plugins", "-v", "--plugins", &dir]).stdout);
    for line in ["Detection    pump_any (modbus)", "List         list_pumps (1 rows)", "Parameter    water-sector.least=1000 (i64)", "sha256:"] {
        assert!(all.contains(line), "{line}\n{all}");
    }
    let listed: Value = serde_json::from_slice(&run(&scratch, &["--list-plugins", "--json", "-", "--plugins", &dir]).stdout).unwrap();
    assert_eq!(listed[0]["name"], "water-sector");
    assert_eq!(listed[0]["status"], "ok");
}

#[test]
fn a_faulty_plugin_is_left_out_with_file_and_line() {
    let scratch = Scratch::new("plugins-faulty");
    let plant = sample("plant.pcapng");
    let cases: &[(&str, &str, &str)] = &[
        ("pump_check.sql", "-- @section a\nSELECT nothing FROM modbus;\n", "pump_check.sql:1: "),
        ("pump_check.sql", "-- @section a\nDROP TABLE modbus;\n", "pump_check.sql:1: Error during planning: a SELECT or WITH is needed"),
        ("pump_check.sql", "-- @section a\nCOPY modbus TO '/tmp/x.csv';\n", "pump_check.sql:1: Error during planning: a SELECT or WITH is needed"),
        ("pump_check.sql", "-- @section a\nEXPLAIN ANALYZE SELECT 1;\n", "pump_check.sql:1: Error during planning: a SELECT or WITH is needed"),
        ("pump_check.sql", "-- @section a\nSELECT 1; SELECT 2;\n", "pump_check.sql:1: "),
        ("pump_check.sql", "-- @section a\nSELECT * FROM read_parquet('/etc/passwd');\n", "pump_check.sql:1: "),
        ("pump_check.sql", "-- @section a\nSELECT * FROM '/etc/passwd';\n", "pump_check.sql:1: "),
        (
            "pump_check.sql",
            "-- @section a\nSELECT 1;\n-- @finding x severity=low\nSELECT 1 AS one;\n",
            "pump_check.sql:3: a finding needs a column title",
        ),
        (
            "pump_check.sql",
            "-- @section a\nSELECT 1;\n-- @finding modbus_write severity=low\nSELECT 'x' AS title;\n",
            "modbus_write is there already",
        ),
        ("plugin.toml", &MANIFEST.replace("--pump-check", "--dns"), "plugin.toml:9: the flag --dns is taken"),
        ("plugin.toml", &MANIFEST.replace("\"modbus\"]", "\"modbuss\"]"), "plugin.toml:9: needs modbuss: no such table"),
        ("plugin.toml", &MANIFEST.replace("lists/pumps.csv", "../../secret.csv"), "plugin.toml:21: ../../secret.csv: a path inside the plugin"),
        ("plugin.toml", &MANIFEST.replace("<9.0", "<0.1"), "plugin.toml:6: requires pcapper >=0.1, <0.1"),
        ("plugin.toml", &MANIFEST.replace("license", "licence"), "plugin.toml:5: unknown key licence"),
        ("plugin.toml", &MANIFEST.replace("water-sector", "other"), "plugin.toml:1: name other differs"),
        ("plugin.toml", &format!("{MANIFEST}[files]\n\"pump_check.sql\" = \"sha256:{}\"\n", "0".repeat(64)), "pump_check.sql: its SHA-256 is"),
        ("plugin.toml", "[plugin\n", "plugin.toml:1: no TOML"),
    ];
    for (file, content, fault) in cases {
        let dir = plugin(&scratch, &[(file, content)]);
        let listed = run(&scratch, &["--list-plugins", "-v", "--plugins", &dir]);
        assert_eq!(listed.status.code(), Some(1), "{content}");
        assert!(text(&listed.stdout).contains(fault), "{fault}\n{}", text(&listed.stdout));
    }
    let dir = plugin(&scratch, &[("pump_check.sql", "-- @section a\nSELECT nothing FROM modbus;\n")]);
    // What is built in works all the same.
    assert_eq!(run(&scratch, &[&plant, "--plugins", &dir, "--modbus"]).status.code(), Some(0));
    let named = run(&scratch, &[&plant, "--plugins", &dir, "--pump-check"]);
    assert_eq!(named.status.code(), Some(2));
    assert!(text(&named.stderr).starts_with("pcapper: --pump-check: plugin water-sector is left out: "), "{}", text(&named.stderr));
    assert_eq!(run(&scratch, &[&plant, "--plugins", "nowhere"]).status.code(), Some(2));
}

#[test]
fn a_section_that_fails_leaves_the_others() {
    let scratch = Scratch::new("plugins-limits");
    let sql = "-- @section big\nSELECT * FROM generate_series(1, 2000000);\n-- @section small\nSELECT 7 AS seven;\n";
    let dir = plugin(&scratch, &[("pump_check.sql", sql)]);
    let output = run(&scratch, &[&sample("arp.pcap"), "--plugins", &dir, "--pump-check"]);
    assert_eq!(output.status.code(), Some(1));
    let report = text(&output.stdout);
    assert!(report.contains("more than 1000000 rows") && report.contains("Seven"), "{report}");
    assert!(text(&output.stderr).contains("plugin water-sector: section big: "), "{}", text(&output.stderr));
}

#[cfg(unix)]
#[test]
fn what_others_can_write_is_not_believed() {
    use std::os::unix::fs::PermissionsExt as _;
    let scratch = Scratch::new("plugins-trust");
    let dir = plugin(&scratch, &[]);
    let open = |path: &Path| std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777)).unwrap();
    open(&scratch.path("plugins/water-sector/pump_check.sql"));
    let listed = text(&run(&scratch, &["--list-plugins", "--plugins", &dir]).stdout);
    assert!(listed.contains("others can write it (chmod go-w "), "{listed}");
    let dir = plugin(&scratch, &[]);
    std::os::unix::fs::symlink("/etc/hostname", scratch.path("plugins/water-sector/lists/out.csv")).unwrap();
    let manifest = MANIFEST.replace("lists/pumps.csv", "lists/out.csv");
    write(&scratch.path("plugins/water-sector/plugin.toml"), &manifest);
    let listed = text(&run(&scratch, &["--list-plugins", "--plugins", &dir]).stdout);
    assert!(listed.contains("lists/out.csv: leads out of the plugin") || listed.contains("no such file"), "{listed}");
}

#[test]
fn plugins_are_looked_for_in_all_places_and_the_first_counts() {
    let scratch = Scratch::new("plugins-places");
    let copy = |place: &str, name: &str| {
        let dir = plugin(
            &scratch,
            &[(
                "plugin.toml",
                &MANIFEST
                    .replace("water-sector", name)
                    .replace("--pump-check", &format!("--{name}"))
                    .replace("\"pumps\"", &format!("\"{}\"", name.replace('-', "_"))),
            )],
        );
        let to = scratch.path(place).join(name);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        let _ = std::fs::remove_dir_all(&to);
        std::fs::rename(Path::new(&dir).join("water-sector"), &to).unwrap();
        write(&to.join("pump_check.sql"), "-- @section summary shape=facts\nSELECT 7 AS seven;\n");
        write(&to.join("detections/writes.sql"), &DETECTION.replace("pump_any", &format!("{}_any", name.replace('-', "_"))));
    };
    copy("option", "by-option");
    copy("variable", "by-variable");
    copy("settings", "by-settings");
    copy("data/pcapper/plugins", "by-data");
    copy("variable", "by-option");
    let config = scratch.path("c.toml");
    std::fs::write(&config, "[plugins]\npaths = [\"settings\"]\n").unwrap();
    let option = scratch.path("option").to_string_lossy().into_owned();
    let output = pcapper(&scratch.path("lake"), &["--list-plugins", "--plugins", &option, "--config", &config.to_string_lossy()])
        .env("HOME", scratch.path("home"))
        .env("PCAPPER_PLUGINS", scratch.path("variable"))
        .env("XDG_DATA_HOME", scratch.path("data"))
        .output()
        .unwrap();
    let listed = text(&output.stdout);
    for name in ["by-option", "by-variable", "by-settings", "by-data"] {
        assert!(
            listed.lines().any(|line| line.starts_with(&format!("{name} ")) && line.ends_with("  ok")),
            "{name}\n{listed}\n{}",
            text(&output.stderr)
        );
    }
    // The second of the same name is told, and not taken.
    assert_eq!(listed.lines().filter(|line| line.starts_with("by-option ")).count(), 1, "{listed}");
    assert!(text(&output.stderr).contains("by-option"), "{}", text(&output.stderr));
}

#[test]
fn a_plugin_shows_no_secret_and_no_escape() {
    let scratch = Scratch::new("plugins-secrets");
    let sql = "-- @section logins\nSELECT username, secret, chr(27) || '[2J' AS odd FROM credentials ORDER BY frame;\n";
    let dir = plugin(&scratch, &[("pump_check.sql", sql)]);
    let mqtt = sample("mqtt_coap.pcap");
    let hidden = text(&run(&scratch, &[&mqtt, "--plugins", &dir, "--pump-check"]).stdout);
    assert!(hidden.contains("redacted:") && hidden.contains("\\x1b[2J") && !hidden.contains('\x1b'), "{hidden}");
    let shown = text(&run(&scratch, &[&mqtt, "--plugins", &dir, "--pump-check", "--show-secrets"]).stdout);
    assert!(!shown.contains("redacted:"), "{shown}");
}
