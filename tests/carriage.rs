//! How messages are carried must not matter: real captures with other ports, and with their TCP payload cut into single octets,
//! give the same rows. Needs `PCAPPER_CORPUS`, as `corpus.rs`.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Captures (classic pcap, Ethernet, IPv4) and the table that is counted.
const CAPTURES: [(&str, &str); 22] = [
    ("ssh/zeek_ssh-ssh_server_sends_first_enc_pkt_with_newkeys.pcap", "ssh"),
    ("ftp/suricata_bug-3519.pcap", "ftp"),
    ("telnet/ndpi_telnet.pcap", "telnet"),
    ("smtp/suricata_firewall-ruletype-firewall-132-smtp-nested-mail-from.pcap", "smtp"),
    ("vnc/zeek_rfb-vnc-mac-to-linux.pcap", "vnc"),
    ("rdp/zeek_rdp-rdp-to-ssl.pcap", "rdp"),
    ("smb/zeek_smb-smb2.pcap", "smb"),
    ("ldap/zeek_ldap-simpleauth.pcap", "ldap"),
    ("http2/suricata_http2-continuation.pcap", "http2"),
    ("s7comm/iti_s7-snap7_s300_stop.pcap", "s7comm"),
    ("mms/iti_IEC61850-iec.pcap", "mms"),
    ("dnp3/zeek_dnp3-dnp3.pcap", "dnp3"),
    ("enip-cip/suricata_enip-keywords-enip_cip_example.pcap", "enip"),
    ("mqtt/emreekin_mqtt_user_credentials.pcap", "mqtt"),
    ("mqtt/zeek_mqtt.pcap", "mqtt"),
    ("coap/emreekin_CoAP-post.pcap", "coap"),
    ("ptp/tcpdump_ptp.pcap", "ptp"),
    ("synphasor/iti_C37.118_1PMU_TCP.pcap", "synchrophasor"),
    ("omron-fins/icsnpp-omron-fins_omron_fins_tcp_commands_responses.pcap", "fins"),
    ("niagara-fox/iti_fox_info.pcap", "niagara_fox"),
    ("genisys/icsnpp-genisys_genisys.pcap", "genisys"),
    ("umas/ndpi_umas.pcap", "umas"),
];

fn corpus() -> Option<PathBuf> {
    let corpus = std::env::var_os("PCAPPER_CORPUS").map(PathBuf::from).filter(|path| path.join("captures").is_dir());
    if corpus.is_none() {
        eprintln!("PCAPPER_CORPUS is unset: skipped");
    }
    corpus
}

/// Byte order of a classic pcap with Ethernet frames.
fn is_little(bytes: &[u8]) -> Option<bool> {
    let little = match bytes.get(..4)? {
        [0xd4, 0xc3, 0xb2, 0xa1] | [0x4d, 0x3c, 0xb2, 0xa1] => true,
        [0xa1, 0xb2, 0xc3, 0xd4] | [0xa1, 0xb2, 0x3c, 0x4d] => false,
        _ => return None,
    };
    (number(&bytes[20..24], little) == 1).then_some(little)
}

fn number(bytes: &[u8], little: bool) -> u32 {
    let bytes = bytes.try_into().unwrap();
    if little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) }
}

/// A copy of a capture, each frame replaced by those that `change` makes of it.
fn rewritten(bytes: &[u8], change: impl Fn(&[u8]) -> Vec<Vec<u8>>) -> Option<Vec<u8>> {
    let little = is_little(bytes)?;
    let mut copy = bytes[..24].to_vec();
    let mut at = 24;
    while let Some(head) = bytes.get(at..at + 16) {
        let captured = number(&head[8..12], little) as usize;
        let frame = bytes.get(at + 16..at + 16 + captured)?;
        for new in change(frame) {
            let length = new.len() as u32;
            let length = if little { length.to_le_bytes() } else { length.to_be_bytes() };
            copy.extend_from_slice(&head[..8]);
            copy.extend_from_slice(&length);
            copy.extend_from_slice(&length);
            copy.extend_from_slice(&new);
        }
        at += 16 + captured;
    }
    Some(copy)
}

/// Where the transport header of an unfragmented IPv4 frame stands, and its protocol.
fn transport(frame: &[u8]) -> Option<(usize, u8)> {
    let is_plain = frame.len() >= 38 && frame[12..14] == [8, 0] && frame[20] & 0x1f == 0 && frame[21] == 0;
    (is_plain && matches!(frame[23], 6 | 17)).then(|| (14 + usize::from(frame[14] & 15) * 4, frame[23]))
}

/// Ports below 20,000 become others that nobody has for their own.
fn other_ports(frame: &[u8]) -> Vec<Vec<u8>> {
    let mut frame = frame.to_vec();
    if let Some((at, protocol)) = transport(&frame) {
        for at in [at, at + 2] {
            let port = u16::from_be_bytes([frame[at], frame[at + 1]]);
            if port < 20_000 {
                frame[at..at + 2].copy_from_slice(&(port + 30_000).to_be_bytes());
            }
        }
        if protocol == 17 {
            // No checksum.
            frame[at + 6..at + 8].fill(0);
        }
    }
    vec![frame]
}

/// A TCP segment as many, each with one octet.
fn single_octets(frame: &[u8]) -> Vec<Vec<u8>> {
    let Some((at, 6)) = transport(frame) else { return vec![frame.to_vec()] };
    let total = 14 + usize::from(u16::from_be_bytes([frame[16], frame[17]]));
    let payload_at = at + usize::from(frame[at + 12] >> 4) * 4;
    let (Some(head), Some(payload)) = (frame.get(..payload_at), frame.get(payload_at..total)) else { return vec![frame.to_vec()] };
    // SYN and RST stay as they are.
    if payload.len() < 2 || frame[at + 13] & 6 != 0 {
        return vec![frame.to_vec()];
    }
    let sequence = u32::from_be_bytes(frame[at + 4..at + 8].try_into().unwrap());
    let segment = |(index, octet): (usize, &u8)| {
        let mut segment = head.to_vec();
        segment.push(*octet);
        let length = (segment.len() - 14) as u16;
        segment[16..18].copy_from_slice(&length.to_be_bytes());
        segment[at + 4..at + 8].copy_from_slice(&sequence.wrapping_add(index as u32).to_be_bytes());
        if index + 1 < payload.len() {
            // Only the last one closes.
            segment[at + 13] &= !1;
        }
        segment
    };
    payload.iter().enumerate().map(segment).collect()
}

fn rows(capture: &Path, table: &str) -> String {
    let query = format!("SELECT count(*) FROM {table}");
    let output = Command::new(env!("CARGO_BIN_EXE_pcapper"))
        .arg(capture)
        .args(["--no-cache", "--no-status", "--format", "csv", "--sql", &query])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().nth(1).unwrap_or_else(|| panic!("{}: {}", capture.display(), String::from_utf8_lossy(&output.stderr))).to_owned()
}

fn same_rows(name: &str, change: fn(&[u8]) -> Vec<Vec<u8>>) {
    let Some(corpus) = corpus() else { return };
    let copy = std::env::temp_dir().join(format!("pcapper-{name}-{}.pcap", std::process::id()));
    let (mut wrong, mut held) = (Vec::new(), 0);
    for (file, table) in CAPTURES {
        let path = corpus.join("captures").join(file);
        let Ok(bytes) = std::fs::read(&path) else {
            eprintln!("{file} is not at hand: skipped");
            continue;
        };
        let Some(bytes) = rewritten(&bytes, change) else { continue };
        std::fs::write(&copy, bytes).unwrap();
        let (whole, changed) = (rows(&path, table), rows(&copy, table));
        held += u32::from(whole != "0");
        if whole != changed {
            wrong.push(format!("{file}: {whole} rows of {table}, changed {changed}"));
        }
    }
    let _ = std::fs::remove_file(&copy);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(held >= 15, "only {held} captures hold anything");
}

#[test]
fn protocols_are_found_on_other_ports() {
    same_rows("ports", other_ports);
}

#[test]
fn messages_may_come_octet_by_octet() {
    same_rows("octets", single_octets);
}
