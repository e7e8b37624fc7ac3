//! The configuration file: where it is looked for, what it may say, and what comes before it.

mod common;

use std::path::Path;
use std::process::{Command, Output};

use common::{Scratch, sample, text};

/// A run in a folder, at home in another, without the settings of whoever runs the tests.
fn at(scratch: &Scratch, arguments: &[&str]) -> Command {
    let mut command = common::pcapper(&scratch.path("lake"), arguments);
    let work = scratch.path("work");
    std::fs::create_dir_all(&work).unwrap();
    command.current_dir(work).env("HOME", scratch.path("home")).env_remove("XDG_CONFIG_HOME").env_remove("XDG_DATA_HOME");
    command.env_remove("PCAPPER_CONFIG").env_remove("PCAPPER_PLUGINS");
    command
}

fn run(scratch: &Scratch, arguments: &[&str]) -> Output {
    at(scratch, arguments).output().unwrap()
}

fn write(path: &Path, content: &str) -> String {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    path.to_string_lossy().into_owned()
}

fn titles(output: &Output) -> Vec<String> {
    text(&output.stdout).lines().filter(|line| line.contains(" :: ")).map(|line| line.split(" :: ").next().unwrap().to_owned()).collect()
}

#[test]
fn the_first_file_that_applies_is_read() {
    let scratch = Scratch::new("config-places");
    let arp = sample("arp.pcap");
    let reports = |scratch: &Scratch, arguments: &[&str]| titles(&run(scratch, arguments));
    assert_eq!(reports(&scratch, &[&arp]), ["PCAPPER REPORT"]);
    write(&scratch.path("home/.config/pcapper/config.toml"), "[defaults]\narp = true\n");
    assert_eq!(reports(&scratch, &[&arp]), ["ARP ANALYSIS"]);
    write(&scratch.path("home/.pcapper.toml"), "[defaults]\nvlan = \"yes\"\n");
    assert_eq!(reports(&scratch, &[&arp]), ["VLAN ANALYSIS"]);
    write(&scratch.path("work/pcapper.toml"), "[defaults]\nudp = 1\ntcp = true\n");
    assert_eq!(reports(&scratch, &[&arp]), ["UDP ANALYSIS", "TCP ANALYSIS"]);
    let other = write(&scratch.path("other.toml"), "[defaults]\ndhcp = true\nudp = false\n");
    let by_variable = at(&scratch, &[&arp]).env("PCAPPER_CONFIG", &other).output().unwrap();
    assert_eq!(titles(&by_variable), ["DHCP ANALYSIS"]);
    let named = at(&scratch, &[&arp, "--config", &other]).env("PCAPPER_CONFIG", "nowhere.toml").output().unwrap();
    assert_eq!(titles(&named), ["DHCP ANALYSIS"]);
    assert_eq!(reports(&scratch, &[&arp, "--config", "none"]), ["PCAPPER REPORT"]);
    let none = at(&scratch, &[&arp]).env("PCAPPER_CONFIG", "").output().unwrap();
    assert_eq!(titles(&none), ["PCAPPER REPORT"]);
    // Flags of the command line come first, and take back what the file says.
    assert_eq!(reports(&scratch, &[&arp, "--arp", "--no-udp"]), ["ARP ANALYSIS", "TCP ANALYSIS"]);
    let missing = run(&scratch, &[&arp, "--config", "nowhere.toml"]);
    assert_eq!(missing.status.code(), Some(2));
    assert_eq!(text(&missing.stderr), "pcapper: nowhere.toml: no such file or directory\n");
}

#[test]
fn the_command_line_comes_first_then_the_environment_then_the_file() {
    let scratch = Scratch::new("config-order");
    let file = write(&scratch.path("team/team.toml"), "[lake]\ndir = \"store\"\n[defaults]\nlimit_protocols = 1\n");
    let plant = sample("plant.pcapng");
    let protocols = |arguments: &[&str]| {
        let mut all = vec![plant.as_str(), "--protocols", "--config", &file];
        all.extend(arguments);
        let output = at(&scratch, &all).env_remove("PCAPPER_LAKE").output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let one = protocols(&[]);
    let two = protocols(&["-l", "2"]);
    assert!(one.contains("more rows") && one != two, "{one}");
    // A path is meant from where the file lies.
    assert!(scratch.path("team/store").is_dir());
    let elsewhere = at(&scratch, &[&plant, "--config", &file]).env("PCAPPER_LAKE", scratch.path("variable")).output().unwrap();
    assert_eq!(elsewhere.status.code(), Some(0));
    assert!(scratch.path("variable").is_dir());
    assert!(at(&scratch, &[&plant, "--config", &file, "--lake", &scratch.path("option").to_string_lossy()]).output().unwrap().status.success());
    assert!(scratch.path("option").is_dir());
}

#[test]
fn faults_have_places_and_near_names() {
    let scratch = Scratch::new("config-faults");
    let arp = sample("arp.pcap");
    let told = |content: &str| {
        let file = write(&scratch.path("f.toml"), content);
        let output = run(&scratch, &[&arp, "--config", &file]);
        assert_eq!(output.status.code(), Some(2), "{content}");
        assert!(output.stdout.is_empty());
        text(&output.stderr).replace(&file, "f.toml")
    };
    assert_eq!(told("[defaults]\ndnss = true\n"), "pcapper: f.toml:2:1: unknown key dnss; did you mean dns?\n");
    assert_eq!(told("[default]\ndns = true\n"), "pcapper: f.toml:1:2: unknown table default; did you mean defaults?\n");
    assert_eq!(told("[defaults]\ndns = \"maybe\"\n"), "pcapper: f.toml:2:7: dns: true or false is needed, not maybe\n");
    assert_eq!(
        told("[defaults]\nlimit_protocols = true\n"),
        "pcapper: f.toml:2:19: limit_protocols: a text or a number is needed, not a truth value\n"
    );
    assert_eq!(
        told("[defaults]\nlimit_protocols = 0\n"),
        "pcapper: f.toml:2:1: limit_protocols: --limit-protocols 0: a number of 1 or more is needed\n"
    );
    assert_eq!(told("[defaults]\nconfig = \"x\"\n").lines().count(), 1);
    assert!(told("[defaults\n").starts_with("pcapper: f.toml:1:"), "{}", told("[defaults\n"));
    assert_eq!(told("[networks]\ninternal = [\"10.0.0.0/99\"]\n"), "pcapper: f.toml:2:13: 10.0.0.0/99 is no network such as 10.0.0.0/8\n");
    assert_eq!(told("[networks]\not = \"10.0.0.0/8\"\n"), "pcapper: f.toml:2:6: ot: a list of networks is needed\n");
    assert_eq!(told("[networks]\not = [7]\n"), "pcapper: f.toml:2:7: ot: a text is needed, not a number\n");
    assert_eq!(told("[lake]\nmax_bytes = \"lots\"\n"), "pcapper: f.toml:2:13: max_bytes: a size is needed (20GB; 0 for no limit)\n");
    // All of them at once.
    assert_eq!(told("[defaults]\ndnss = true\nhtttp = true\n").lines().count(), 2);
}

#[test]
fn a_file_beside_captures_may_not_write_reveal_or_load() {
    let scratch = Scratch::new("config-trust");
    let arp = sample("arp.pcap");
    for (key, table) in [
        ("json = \"x.json\"", "defaults"),
        ("show_secrets = true", "defaults"),
        ("vt = true", "defaults"),
        ("dir = \"x\"", "lake"),
        ("max_bytes = 1", "lake"),
        ("paths = [\"x\"]", "plugins"),
    ] {
        write(&scratch.path("work/pcapper.toml"), &format!("[{table}]\n{key}\n"));
        let output = run(&scratch, &[&arp]);
        assert_eq!(output.status.code(), Some(2), "{key}");
        assert!(text(&output.stderr).contains("--config ./pcapper.toml takes it"), "{}", text(&output.stderr));
    }
    // Named outright it is taken.
    write(&scratch.path("work/pcapper.toml"), "[defaults]\njson = \"x.json\"\n");
    assert_eq!(run(&scratch, &[&arp, "--config", "./pcapper.toml"]).status.code(), Some(0));
    assert!(scratch.path("work/x.json").is_file());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        write(&scratch.path("work/pcapper.toml"), "[defaults]\narp = true\n");
        std::fs::set_permissions(scratch.path("work/pcapper.toml"), std::fs::Permissions::from_mode(0o666)).unwrap();
        let output = run(&scratch, &[&arp]);
        assert_eq!(titles(&output), ["PCAPPER REPORT"]);
        assert!(text(&output.stderr).starts_with("pcapper: ./pcapper.toml is not read: others can write it"), "{}", text(&output.stderr));
    }
}

#[test]
fn own_networks_count_as_private() {
    let scratch = Scratch::new("config-networks");
    let file = write(&scratch.path("n.toml"), "[networks]\ninternal = [\"203.0.113.0/24\"]\n");
    let query = "SELECT ip_scope('203.0.113.7') AS own, is_public('8.8.8.8') AS other, is_private('203.0.113.7') AS private";
    let output = run(&scratch, &[&sample("arp.pcap"), "--config", &file, "--sql", query, "--format", "csv"]);
    assert_eq!(text(&output.stdout), "own,other,private\r\nprivate,true,true\r\n");
}

#[test]
fn industrial_networks_have_a_border() {
    let scratch = Scratch::new("config-ot");
    let found = |networks: &str| -> Vec<(String, String)> {
        let file = write(&scratch.path("n.toml"), &format!("[networks]\not = [{networks}]\n"));
        let query = "SELECT src_ip, dst_ip FROM findings WHERE detection = 'service_ot_it' ORDER BY src_ip";
        let output = run(&scratch, &[&sample("plant.pcapng"), "--config", &file, "--sql", query, "--format", "csv"]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let pair = |line: &str| line.split_once(',').map(|(src, dst)| (src.to_owned(), dst.to_owned())).unwrap();
        text(&output.stdout).lines().skip(1).map(pair).collect()
    };
    let from = |src: &str| (src.to_owned(), "192.168.50.10".to_owned());
    // The controller alone: both its clients are outside. With one of them inside, the other. All inside, or nothing said: none.
    assert_eq!(found("\"192.168.50.10\""), [from("192.168.50.20"), from("192.168.50.30")]);
    assert_eq!(found("\"192.168.50.10\", \"192.168.50.30/32\""), [from("192.168.50.20")]);
    assert_eq!(found("\"192.168.50.0/24\""), []);
    assert_eq!(found(""), []);
}

#[test]
fn a_file_says_how_large_the_lake_may_be() {
    let scratch = Scratch::new("config-size");
    let lake = write(&scratch.path("team/team.toml"), "[lake]\ndir = \"store\"\nmax_bytes = 1000\n");
    let ask = |capture: &str, limit: Option<&str>| {
        let mut command = at(&scratch, &[&sample(capture), "--config", &lake, "--sql", "SELECT 1"]);
        command.env_remove("PCAPPER_LAKE").env_remove("PCAPPER_LAKE_MAX_BYTES");
        limit.map(|limit| command.env("PCAPPER_LAKE_MAX_BYTES", limit));
        assert_eq!(command.output().unwrap().status.code(), Some(0));
        let entries = std::fs::read_dir(scratch.path("team/store")).unwrap();
        entries.filter(|entry| !entry.as_ref().unwrap().file_name().to_string_lossy().starts_with('.')).count()
    };
    assert_eq!(ask("arp.pcap", None), 1);
    assert_eq!(ask("ntp.pcap", None), 1, "the one that was not asked for longest goes");
    // The environment comes before the file.
    assert_eq!(ask("arp.pcap", Some("0")), 2);
}

#[test]
fn older_keys_lists_and_places_of_the_log_are_taken() {
    let scratch = Scratch::new("config-older");
    let plant = sample("plant.pcapng");
    let file = write(
        &scratch.path("old.toml"),
        "log_json = true\n[logging]\nlog_file = \"run.log\"\n[defaults]\ntimeline = \"on\"\ntimeline_ip = \"192.168.50.20\"\ntimeline_categories = [\"DNS\", \"modbus\"]\ntimeline_bins = 7\n",
    );
    let output = run(&scratch, &[&plant, "--config", &file]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let report = text(&output.stdout);
    assert!(report.contains("\nModbus ") && !report.contains("\nARP "), "{report}");
    // The log lies where the run is, not where the file lies.
    assert!(std::fs::read_to_string(scratch.path("work/run.log")).unwrap().starts_with("{\"ts\":"));
    let file = write(&scratch.path("search.toml"), "[defaults]\nsearch = \"plc\"\nsearch_case = true\n");
    let found = text(&run(&scratch, &[&plant, "--config", &file]).stdout);
    assert!(found.contains("Case Sensitive           : yes"), "{found}");
    let undone = text(&run(&scratch, &[&plant, "--config", &file, "--no-case"]).stdout);
    assert!(undone.contains("Case Sensitive           : no"), "{undone}");
    // An option without its companion is no error in the file.
    let file = write(
        &scratch.path("alone.toml"),
        "[defaults]\ntimeline_bins = 9\ncarve_limit = 3\ndecrypt_limit = 2\ncase_name = \"x\"\nprofile_out = \"p.json\"\nview_raw = true\n",
    );
    let output = run(&scratch, &[&plant, "--config", &file]);
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""));
}
