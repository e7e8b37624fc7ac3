//! Real captures, where they are at hand: set `PCAPPER_CORPUS` to the folder that holds `captures` and `labelled`.

use std::path::PathBuf;
use std::process::Command;

fn corpus() -> Option<PathBuf> {
    let corpus = std::env::var_os("PCAPPER_CORPUS").map(PathBuf::from).filter(|path| path.join("captures").is_dir());
    if corpus.is_none() {
        eprintln!("PCAPPER_CORPUS is unset: skipped");
    }
    corpus
}

/// A lake that goes with the test.
struct Lake(PathBuf);

impl Lake {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("pcapper-corpus-{name}-{}", std::process::id())))
    }
    fn ask(&self, captures: &[PathBuf], query: &str) -> (Option<i32>, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_pcapper"))
            .args(captures)
            .args(["-r", "--lake"])
            .arg(&self.0)
            .args(["--sql", query, "--format", "csv"])
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout).replace('\r', ""), text(&output.stderr))
    }
}

impl Drop for Lake {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn every_capture_decodes() {
    let Some(corpus) = corpus() else { return };
    let lake = Lake::new("all");
    let query = "SELECT (SELECT count(*) FROM captures) AS captures, (SELECT count(*) FROM anomalies WHERE kind = 'decoder_fault') AS faults";
    let (status, out, errors) = lake.ask(&[corpus.join("captures")], query);
    assert!(matches!(status, Some(0 | 1)), "{status:?} {errors}");
    let last = out.lines().last().unwrap_or_default();
    let (captures, faults) = last.split_once(',').unwrap();
    assert!(captures.parse::<u32>().unwrap() > 2_000, "{out} {errors}");
    assert_eq!(faults, "0", "a decoder panicked");
}

/// (capture, question, answer): facts that the specifications state of public captures.
const FACTS: &[(&str, &str, &str)] = &[
    ("http/zeek_http-post.pcap", "SELECT packets, file_size_bytes, captured_bytes FROM captures", "14,1871,1623"),
    (
        "arp/zeek_arp-who-has.pcap",
        "SELECT operation, sender_ip, sender_mac FROM arp ORDER BY frame",
        "request,10.0.0.2,78:31:c1:c6:3f:c2\nreply,10.0.0.1,f8:ed:a5:c0:a4:f1",
    ),
    // One direction bears a VLAN tag, the other none: one conversation.
    ("vlan/suricata_bug-4376-syn_retransmit_with_ts.pcap", "SELECT flow_id, orig_packets, resp_packets FROM flows", "1,106,148"),
    // The same ports in three VLANs: three conversations.
    (
        "vlan/zeek_vlan-collisions.pcap",
        "SELECT flow_id, vlan_id, orig_packets, resp_packets FROM flows ORDER BY 1",
        "1,,7,7\n2,42,7,7\n6,20,7,7",
    ),
];

#[test]
fn public_captures_show_their_facts() {
    let Some(corpus) = corpus() else { return };
    let lake = Lake::new("facts");
    for (capture, query, expected) in FACTS {
        let path = corpus.join("captures").join(capture);
        if !path.is_file() {
            eprintln!("{capture} is not at hand: skipped");
            continue;
        }
        let (_, out, errors) = lake.ask(&[path], query);
        let rows = out.split_once('\n').map(|(_, rows)| rows.trim_end()).unwrap_or_default();
        assert_eq!(rows, *expected, "{capture}: {query} {errors}");
    }
}
