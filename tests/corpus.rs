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
    ("vlan/zeek_vlan-collisions.pcap", "SELECT flow_id, vlan_id, orig_packets, resp_packets FROM flows ORDER BY 1", "1,,7,7\n2,42,7,7\n6,20,7,7"),
    ("icmp/ndpi_icmp-tunnel.pcap", "SELECT detection, count FROM findings WHERE source = 'icmp'", "icmp_tunnel,863"),
    ("icmp/zeek_icmp-icmp6-nd-options.pcap", "SELECT count(*), count(*) FILTER (WHERE type_name = 'router_advertisement') FROM icmp", "20,4"),
    (
        "icmp/zeek_icmp-icmp6-redirect.pcap",
        "SELECT src_ip, dst_ip, redirect_destination, gateway FROM icmp WHERE type = 137",
        "fe80::dead,fe80::beef,fe80::babe,fe80::cafe",
    ),
    (
        "dns/ndpi_dns-tunnel-iodine.pcap",
        "SELECT detection, severity FROM findings WHERE source = 'dns' AND severity IN ('high', 'critical')",
        "dns_tunnel,critical",
    ),
    (
        "dns/ndpi_dns_exfiltration.pcap",
        "SELECT detection, src_ip FROM findings WHERE source = 'dns' AND severity IN ('high', 'critical')",
        "dns_tunnel,192.168.220.56",
    ),
    // 22 records, 15 of them addresses, as the message itself counts them.
    ("dns/zeek_dns-huge-ttl.pcap", "SELECT count(*), count(*) FILTER (WHERE type_name = 'A'), max(ttl) FROM dns_records", "22,15,4294967295"),
    // An identical repeat of an answer is no forged one.
    ("dns/zeek_dns-two-responses.pcap", "SELECT count(*) FROM findings WHERE source = 'dns'", "0"),
    (
        "http/ndpi_log4j-webapp-exploit.pcap",
        "SELECT detection, min(frame) FROM findings WHERE detection = 'http_command_injection' GROUP BY detection",
        "http_command_injection,4",
    ),
    ("http/emreekin_http-chunked-gzip.pcap", "SELECT frame, body_bytes_decoded FROM http WHERE NOT is_request", "24,97845"),
    (
        "ip-tcp-udp/ndpi_synscan.pcap",
        "SELECT detection, src_ip, dst_ip, count FROM findings WHERE source = 'tcp' AND severity = 'medium'",
        "tcp_syn_scan,172.16.0.8,64.13.134.52,1994",
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
