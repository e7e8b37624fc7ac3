//! One event is told once, and every run tells the same.

mod common;

use common::{Scratch, pcapper, rows, run, sample, text};

/// Pairs of findings that share a frame, both hosts and a technique's parent.
const TWICE: &str = "WITH named AS (SELECT row_number() OVER () AS id, detection, coalesce(capture, '') AS origin, coalesce(least(src_ip, dst_ip), src_ip, dst_ip, '') AS one, coalesce(greatest(src_ip, dst_ip), src_ip, dst_ip, '') AS other, frames, unnest(techniques) AS technique
    FROM merged_findings WHERE source <> 'compromised'),
  shown AS (SELECT DISTINCT id, detection, origin, one, other, split_part(technique, '.', 1) AS matter, unnest(frames) AS frame FROM named)
  SELECT DISTINCT a.origin, a.frame, a.detection AS first, b.detection AS second FROM shown a JOIN shown b ON a.frame = b.frame AND a.origin = b.origin AND a.one = b.one AND a.other = b.other AND a.matter = b.matter AND a.id < b.id";

#[test]
fn no_two_findings_tell_the_same_matter() {
    let scratch = Scratch::new("once");
    assert_eq!(rows(&scratch.0, &sample(""), TWICE), Vec::<serde_json::Value>::new());
    // A password in HTTP is a clear login and a secret: one finding of the page.
    let page = scratch.path("page.html");
    let output = run(&scratch.0, &[&sample("http.pcap"), "--html", &page.to_string_lossy()]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("also secret_basic_auth"));
    let told = rows(&scratch.0, &sample("http.pcap"), "SELECT detection, also FROM merged_findings WHERE frame = 247");
    assert_eq!(told, [serde_json::json!({"detection": "creds_cleartext", "also": "secret_basic_auth"})]);
}

/// What is kept of the first answer is what is computed.
#[test]
fn asked_again_reports_say_the_same() {
    let scratch = Scratch::new("again");
    let plant = sample("plant.pcapng");
    let ask = |more: &[&str]| {
        let arguments = [&[plant.as_str(), "--threats", "--control-loop", "--hosts", "--timeline", "-ip", "192.168.50.20", "-v"], more].concat();
        let output = run(&scratch.0, &arguments);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let first = ask(&[]);
    assert!(first.contains("192.168.50.20"), "{first}");
    assert_eq!(ask(&[]), first);
    // What this run is about is not answered from another's.
    assert_ne!(ask(&["--timeline-categories", "dns"]), first);
    assert_eq!(ask(&[]), first);
}

/// Answer keys' captures, where there are any.
#[test]
fn nor_in_captures_with_an_answer_key() {
    let Some(corpus) = std::env::var_os("PCAPPER_CORPUS") else {
        eprintln!("PCAPPER_CORPUS is unset: skipped");
        return;
    };
    let scratch = Scratch::new("once-labelled");
    let mut folders: Vec<_> = std::fs::read_dir(std::path::Path::new(&corpus).join("labelled")).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    for folder in folders.into_iter().filter(|folder| folder.is_dir()) {
        for capture in ["capture.pcap", "capture.pcap.gz"].map(|name| folder.join(name)).into_iter().filter(|capture| capture.is_file()) {
            assert_eq!(rows(&scratch.0, &capture.to_string_lossy(), TWICE), Vec::<serde_json::Value>::new(), "{}", capture.display());
        }
    }
}

/// As many cores as there are, and one: the same bytes.
#[cfg(target_os = "linux")]
#[test]
fn threats_are_the_same_on_any_number_of_cores() {
    let scratch = Scratch::new("once-same");
    let wide = pcapper(&scratch.0, &[&sample(""), "--threats", "--summarize", "-v"]).output().unwrap();
    let program = env!("CARGO_BIN_EXE_pcapper");
    let mut narrow = std::process::Command::new("taskset");
    narrow.env("PCAPPER_LAKE", &scratch.0).args(["-c", "0", program, &sample(""), "--threats", "--summarize", "-v"]);
    let narrow = match narrow.output() {
        Ok(output) if output.status.success() || !output.stdout.is_empty() => output,
        _ => {
            eprintln!("taskset cannot bind to one core: skipped");
            return;
        }
    };
    assert_eq!(text(&wide.stdout), text(&narrow.stdout));
}
