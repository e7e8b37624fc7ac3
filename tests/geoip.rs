//! Countries and operators of addresses, from databases that the user supplies.

mod common;

use std::process::Output;

use common::{Scratch, Talk, mmdb, pcapper, text};
use serde_json::Value;

/// A host and three peers in the Internet: two that the databases know, one that they do not.
fn capture(scratch: &Scratch) -> Vec<String> {
    [[9, 9, 9, 9], [198, 41, 0, 4], [8, 8, 8, 8]]
        .into_iter()
        .enumerate()
        .map(|(at, peer)| {
            let mut talk = Talk::new([10, 0, 0, 5], peer, 9000);
            talk.send(true, &vec![7; 100 * (3 - at)], 500);
            talk.send(false, b"answer", 500);
            talk.write(&scratch.path(&format!("{at}.pcap")))
        })
        .collect()
}

fn run(scratch: &Scratch, arguments: &[&str]) -> Output {
    let mut command = pcapper(&scratch.path("lake"), arguments);
    command.env("PCAPPER_CONFIG", "").env_remove("PCAPPER_GEOIP_CITY_DB").env_remove("PCAPPER_GEOIP_ASN_DB");
    command.output().unwrap()
}

fn section<'v>(report: &'v Value, name: &str) -> Option<&'v Value> {
    report["summaries"]["ips"]["sections"].as_array().unwrap().iter().find(|section| section["name"] == name)
}

fn columns(section: &Value) -> Vec<&str> {
    section["columns"].as_array().unwrap().iter().filter_map(|column| column["name"].as_str()).collect()
}

const PEERS: &str = "External peers by country and ASN";

#[test]
fn countries_and_operators_stand_where_a_database_is_given() {
    let scratch = Scratch::new("geoip");
    let captures = capture(&scratch);
    let (city, asn) = (mmdb::cities(&scratch.path("city.mmdb"), 1_700_000_000), mmdb::operators(&scratch.path("asn.mmdb"), 1_700_000_000));
    let config = |content: &str| {
        let path = scratch.path("pcapper.toml");
        std::fs::write(&path, content).unwrap();
        path.to_string_lossy().into_owned()
    };
    let ask = |config: &str| -> Value {
        let mut words: Vec<&str> = captures.iter().map(String::as_str).collect();
        words.extend(["--summarize", "--ips", "--json", "-", "--config", config]);
        let output = run(&scratch, &words);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let without = ask("none");
    let named = ["country", "asn", "operator"];
    assert!(columns(section(&without, "Addresses").unwrap()).iter().all(|column| !named.contains(column)));
    assert!(section(&without, PEERS).is_none());

    // A path is meant from where the file lies.
    let report = ask(&config("[geoip]\ncity = \"city.mmdb\"\nasn = \"asn.mmdb\"\ncountries = [\"CH\", \"SE\"]\n"));
    let addresses = section(&report, "Addresses").unwrap();
    let known: Vec<(&str, &Value, &Value)> =
        addresses["rows"].as_array().unwrap().iter().map(|row| (row["ip"].as_str().unwrap(), &row["country"], &row["asn"])).collect();
    let null = Value::Null;
    let (ch, nl, nine) = (Value::from("CH"), Value::from("NL"), Value::from(19281));
    assert_eq!(known.len(), 6, "{known:?}");
    for expected in [("9.9.9.9", &ch, &nine), ("198.41.0.4", &nl, &null), ("8.8.8.8", &null, &null), ("10.0.0.5", &null, &null)] {
        assert!(known.contains(&expected), "{expected:?} {known:?}");
    }
    let peers = section(&report, PEERS).unwrap();
    let rows: Vec<(&Value, &Value, &Value)> =
        peers["rows"].as_array().unwrap().iter().map(|row| (&row["country"], &row["asn"], &row["addresses"])).collect();
    let one = Value::from(1);
    assert_eq!(rows, [(&ch, &nine, &one), (&nl, &null, &one), (&null, &null, &one)]);
    let found = report["summaries"]["ips"]["findings"].as_array().unwrap();
    let found: Vec<_> = found.iter().filter(|finding| finding["detection"] == "ip_new_country").collect();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (found[0]["src_ip"].as_str(), found[0]["dst_ip"].as_str(), found[0]["severity"].as_str()),
        (Some("10.0.0.5"), Some("9.9.9.9"), Some("info"))
    );
    assert_eq!(found[0]["details"], "CH: 1 addresses, such as 9.9.9.9");

    // One database alone; nobody's countries are of interest.
    let places = ask(&config("[geoip]\ncity = \"city.mmdb\"\n"));
    assert_eq!(columns(section(&places, PEERS).unwrap())[..2], ["country", "addresses"]);
    assert_eq!(
        places["summaries"]["ips"]["findings"].as_array().unwrap().iter().filter(|finding| finding["detection"] == "ip_new_country").count(),
        0
    );

    // The environment comes before the file, and takes back what it sets when it is empty.
    let query = "SELECT country('9.9.9.9') AS c, city('9.9.9.1') AS t, country('2620:fe::fe') AS six, country('::ffff:9.9.9.9') AS mapped, asn('9.9.9.9') AS n, as_operator('9.9.9.9') AS o, country('x') AS none";
    let answer = |file: &str, city: &str, asn: &str| {
        let mut command = pcapper(&scratch.path("lake"), &[&captures[0], "--config", file, "--sql", query, "--format", "csv"]);
        let output = command.env("PCAPPER_GEOIP_CITY_DB", city).env("PCAPPER_GEOIP_ASN_DB", asn).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&output.stdout).lines().nth(1).unwrap().to_owned()
    };
    let file = config("[geoip]\nasn = \"nowhere.mmdb\"\n");
    let told = answer(&file, &city, &asn);
    assert!(told.starts_with("CH,Zürich,US,CH,19281,") && told.ends_with(','), "{told}");
    assert_eq!(answer(&file, "", ""), ",,,,,,");
    // Letters of a database are no commands to a terminal.
    let words: Vec<&str> = vec![&captures[0], "--ips"];
    let shown = pcapper(&scratch.path("lake"), &words).env("PCAPPER_CONFIG", "").env("PCAPPER_GEOIP_ASN_DB", &asn).output().unwrap();
    assert!(text(&shown.stdout).contains("Quad Nine") && !text(&shown.stdout).contains('\u{1b}'), "{}", text(&shown.stdout));
}

#[test]
fn what_is_no_database_is_refused() {
    let scratch = Scratch::new("geoip-faults");
    let capture = &capture(&scratch)[0];
    let config = scratch.path("c.toml");
    let told = |content: &str| {
        std::fs::write(&config, content).unwrap();
        let output = run(&scratch, &[capture, "--ips", "--config", &config.to_string_lossy()]);
        assert_eq!(output.status.code(), Some(2), "{content}");
        text(&output.stderr).replace(&*scratch.0.to_string_lossy(), "X")
    };
    assert_eq!(told("[geoip]\ncity = \"none.mmdb\"\n"), "pcapper: X/c.toml:2:1: city: X/none.mmdb: cannot read: No such file or directory\n");
    std::fs::write(scratch.path("text.mmdb"), "no database").unwrap();
    assert_eq!(told("[geoip]\nasn = \"text.mmdb\"\n"), "pcapper: X/c.toml:2:1: asn: X/text.mmdb: no database in MaxMind's format (MMDB)\n");
    assert_eq!(told("[geoip]\ncountries = [\"Peru\"]\n"), "pcapper: X/c.toml:2:14: Peru is no country in two letters such as DE\n");
    assert_eq!(told("[geoip]\ncity = 5\n"), "pcapper: X/c.toml:2:8: city: a path is needed, not a number\n");
    assert_eq!(told("[geoip]\ncitty = \"x\"\n"), "pcapper: X/c.toml:2:1: unknown key citty; did you mean city?\n");
    // One whose end is right and whose rest is not: told where it is asked, and the run goes on.
    std::fs::write(scratch.path("half.mmdb"), b"xx\xab\xcd\xefMaxMind.comyy").unwrap();
    std::fs::write(&config, "[geoip]\ncity = \"half.mmdb\"\n").unwrap();
    let output = run(&scratch, &[capture, "--ips", "--arp", "--config", &config.to_string_lossy()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("half.mmdb: ") && text(&output.stdout).contains("ARP ANALYSIS"), "{}", text(&output.stderr));
}
