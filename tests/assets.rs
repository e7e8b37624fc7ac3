//! Reports about hosts and about what is written in clear, on the samples.

mod common;

use common::{Scratch, rows, run, sample, text};

#[test]
fn a_host_is_found_by_address_mac_and_name() {
    let lake = Scratch::new("hostdetails");
    let capture = sample("texts.pcap");
    for host in ["10.40.0.2", "02:00:00:00:40:02", "files.example", "10.40.0.2/32"] {
        let output = run(&lake.0, &[&capture, "--hostdetails", "-ip", host]);
        assert_eq!(output.status.code(), Some(0), "{host}: {}", text(&output.stderr));
        let report = text(&output.stdout);
        assert!(report.contains("Addresses                : 10.40.0.2"), "{host}: {report}");
    }
    let output = run(&lake.0, &[&capture, "--hostdetails", "-ip", "nobody.example"]);
    assert_eq!((output.status.code(), text(&output.stderr).contains("no host nobody.example")), (Some(0), true));
}

#[test]
fn a_host_must_be_named() {
    let lake = Scratch::new("hostdetails-options");
    for (arguments, error) in [
        (&["--hostdetails"][..], "--hostdetails needs -ip HOST"),
        (&["--hostdetails", "-ip", "1.2.3"], "-ip 1.2.3: neither an address, a network, a MAC nor a name"),
        (&["--hostdetails", "-ip", "a'b"], "-ip a'b: neither an address"),
    ] {
        let output = run(&lake.0, &[&["nothing.pcap"], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(error), "{arguments:?}: {}", text(&output.stderr));
    }
}

#[test]
fn secrets_are_marks_unless_asked_for() {
    let lake = Scratch::new("secrets");
    let capture = sample("texts.pcap");
    for flag in ["--secrets", "--strings", "--creds", "--ctf", "--powershell"] {
        let hidden = text(&run(&lake.0, &[&capture, flag, "-v"]).stdout);
        for secret in ["line one", "line%20one", "AKIAZQ3DRBGYM7KJTX2W"] {
            // A URL of a request stands as it was sent, in `http` as well.
            let shown = hidden.lines().any(|line| line.contains(secret) && !line.contains("http://"));
            assert!(!shown, "{flag} shows {secret}");
        }
    }
    let shown = text(&run(&lake.0, &[&capture, "--secrets", "--show-secrets"]).stdout);
    assert!(shown.contains("line one") && shown.contains("AKIAZQ3DRBGYM7KJTX2W"), "{shown}");
}

#[test]
fn each_flag_of_the_game_is_told_once() {
    let lake = Scratch::new("flags");
    let flags = rows(&lake.0, &sample("texts.pcap"), "SELECT flag, count(*) AS times FROM found_flags GROUP BY flag ORDER BY flag");
    assert_eq!(flags.len(), 9);
    assert!(flags.iter().all(|flag| flag["times"] == 1), "{flags:?}");
    assert!(rows(&lake.0, &sample("http.pcap"), "SELECT flag FROM found_flags").is_empty());
}

/// Every query of these reports can be run where there is nothing to report.
#[test]
fn reports_of_little() {
    let lake = Scratch::new("little");
    for flag in
        ["--hosts", "--hostname", "--domain", "--creds", "--files", "--secrets", "--strings", "--obfuscation", "--ctf", "--health", "--powershell"]
    {
        let output = run(&lake.0, &[&sample("goose.pcap"), flag, "-v"]);
        assert_eq!(output.status.code(), Some(0), "{flag}: {}", text(&output.stderr));
    }
}
