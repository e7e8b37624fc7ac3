//! Decryption with keys: from the capture itself, and from key logs.

mod common;

use std::path::{Path, PathBuf};

use common::{Scratch, facts, number, pcapper, rows, run, sample, text};
use serde_json::{Value, json};

/// Blocks of a little-endian pcapng file: type and whole block.
fn blocks(bytes: &[u8]) -> Vec<(u32, Vec<u8>)> {
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let (mut blocks, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let length = word(at + 4) as usize;
        blocks.push((word(at), bytes[at..at + length].to_vec()));
        at += length;
    }
    blocks
}

const SECRETS: u32 = 10;
const PACKET: u32 = 6;

fn sample_blocks() -> Vec<(u32, Vec<u8>)> {
    blocks(&std::fs::read(sample("decrypt.pcapng")).unwrap())
}

fn write(path: &Path, blocks: impl IntoIterator<Item = (u32, Vec<u8>)>) -> String {
    let bytes: Vec<u8> = blocks.into_iter().flat_map(|(_, block)| block).collect();
    std::fs::write(path, bytes).unwrap();
    path.to_string_lossy().into_owned()
}

/// The key log in the sample.
fn key_log() -> String {
    let (_, block) = sample_blocks().into_iter().find(|(kind, _)| *kind == SECRETS).unwrap();
    let length = u32::from_le_bytes(block[12..16].try_into().unwrap()) as usize;
    String::from_utf8(block[16..16 + length].to_vec()).unwrap()
}

/// The sample without keys, and its key log, in a scratch folder.
fn apart(scratch: &Scratch) -> (String, String) {
    let bare = write(&scratch.path("bare.pcapng"), sample_blocks().into_iter().filter(|(kind, _)| *kind != SECRETS));
    let keys = scratch.path("keys.txt");
    std::fs::write(&keys, key_log()).unwrap();
    (bare, keys.to_string_lossy().into_owned())
}

fn with(lake: &Path, arguments: &[&str], query: &str) -> Vec<Value> {
    let output = run(lake, &[arguments, &["--sql", query, "--format", "jsonl"][..]].concat());
    assert!(output.status.success(), "{query}: {}", text(&output.stderr));
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

const BY_STATUS: &str = "SELECT status, count(*) AS n FROM decryption GROUP BY status ORDER BY status";

fn all_statuses() -> Vec<Value> {
    vec![
        json!({"status": "clear", "n": 1}),
        json!({"status": "decrypted", "n": 23}),
        json!({"status": "no_key", "n": 1}),
        json!({"status": "unsupported", "n": 1}),
    ]
}

#[test]
fn keys_in_the_capture_open_every_suite() {
    let scratch = Scratch::new("decrypt-suites");
    let capture = sample("decrypt.pcapng");
    let lake = scratch.path("lake");
    assert_eq!(rows(&lake, &capture, BY_STATUS), all_statuses());
    let known = &facts()["decrypt.pcapng"]["decrypted"];
    let versions = rows(&lake, &capture, "SELECT version, count(*) AS n FROM decryption GROUP BY version ORDER BY version");
    for row in versions {
        let version = row["version"].as_str().unwrap().trim_start_matches("TLS");
        assert_eq!(row["n"], known["connections_by_version"][version], "{version}");
    }
    // Of the requests that tshark reads, one is under Camellia.
    let requests = number(&lake, &capture, "SELECT count(*) AS n FROM http WHERE is_request AND uri = '/status.txt'");
    assert_eq!(requests + 1, known["inside"]["http requests"].as_u64().unwrap());
    assert_eq!(number(&lake, &capture, "SELECT count(*) AS n FROM http WHERE status_code = 200 AND body_bytes = 18"), requests);
    assert_eq!(number(&lake, &capture, "SELECT count(*) AS n FROM http_transactions WHERE tls"), requests);
    let http2 = "SELECT count(*) AS n FROM http2 WHERE upgrade = 'alpn' AND is_request";
    assert_eq!(number(&lake, &capture, http2), known["inside"]["http2 requests"].as_u64().unwrap());
    assert_eq!(number(&lake, &capture, "SELECT count(*) AS n FROM x509 WHERE carrier = 'tls'"), known["certificates"].as_u64().unwrap());
    assert_eq!(number(&lake, &capture, "SELECT count(*) AS n FROM anomalies WHERE kind <> 'embedded_secrets'"), 0);
}

#[test]
fn what_is_inside_is_decoded_as_if_it_had_come_in_the_clear() {
    let scratch = Scratch::new("decrypt-inside");
    let capture = sample("decrypt.pcapng");
    let lake = scratch.path("lake");
    let one = |query: &str| rows(&lake, &capture, query);
    // The mail behind STARTTLS, and its login.
    assert_eq!(
        one("SELECT mail_from, rcpt_to, subject, completed FROM smtp WHERE mail_from IS NOT NULL"),
        [json!({"mail_from": "hmi@plant.example", "rcpt_to": ["shift@plant.example"], "subject": "shift report", "completed": true})]
    );
    assert_eq!(
        one("SELECT protocol, username, encrypted, outcome FROM credentials"),
        [json!({"protocol": "smtp", "username": "operator", "encrypted": true, "outcome": "success"})]
    );
    // TLS 1.3 hides the protocol chosen and the certificates, of the client as well.
    assert_eq!(one("SELECT alpn FROM tls WHERE message = 'server_hello' AND alpn IS NOT NULL"), [json!({"alpn": "h2"})]);
    assert_eq!(one("SELECT subject_cn FROM x509 WHERE role = 'client'"), [json!({"subject_cn": "jump-host"})]);
    // A line before and one after both ends changed their keys; and early data with what followed.
    let bytes = "SELECT client_plain_bytes AS sent, server_plain_bytes AS received FROM decryption d
        WHERE service IS NULL AND status = 'decrypted' ORDER BY frame";
    assert_eq!(one(bytes), [json!({"sent": 35, "received": 35}), json!({"sent": 12, "received": 0}), json!({"sent": 24, "received": 0})]);
    assert_eq!(one("SELECT count(*) AS n FROM flows WHERE service = 'tls'"), [json!({"n": 26})]);
}

#[test]
fn keys_hold_for_packets_before_them() {
    let scratch = Scratch::new("decrypt-late");
    let (keys, others): (Vec<_>, Vec<_>) = sample_blocks().into_iter().partition(|(kind, _)| *kind == SECRETS);
    let late = write(&scratch.path("late.pcapng"), others.into_iter().chain(keys));
    for threads in ["1", "2"] {
        let lake = scratch.path(&format!("lake{threads}"));
        let output = pcapper(&lake, &[&late, "--sql", BY_STATUS, "--format", "jsonl"]).env("PCAPPER_THREADS", threads).output().unwrap();
        let found: Vec<Value> = text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(found, all_statuses());
    }
}

#[test]
fn a_key_log_is_part_of_what_a_capture_is_decoded_with() {
    let scratch = Scratch::new("decrypt-keylog");
    let (bare, keys) = apart(&scratch);
    let lake = scratch.path("lake");
    assert_eq!(
        rows(&lake, &bare, "SELECT (SELECT count(*) FROM http) AS http, (SELECT count(*) FROM decryption WHERE status <> 'clear') AS sessions"),
        [json!({"http": 2, "sessions": 0})]
    );
    assert_eq!(with(&lake, &[&bare, "--tls-keylog", &keys], BY_STATUS), all_statuses());
    let sources = with(&lake, &[&bare, "--tls-keylog", &keys], "SELECT DISTINCT key_source FROM decryption WHERE key_source IS NOT NULL");
    assert_eq!(sources, [json!({"key_source": "keylog"})]);
    let captures = std::fs::read_dir(&lake).unwrap().filter(|entry| !entry.as_ref().unwrap().file_name().to_string_lossy().starts_with('.'));
    assert_eq!(captures.count(), 2);
}

#[test]
fn a_record_that_does_not_verify_ends_its_direction() {
    let scratch = Scratch::new("decrypt-broken");
    let lake = scratch.path("lake");
    let frame = "SELECT frame FROM http WHERE is_request AND flow_id = 1";
    let frame = number(&lake, &sample("decrypt.pcapng"), frame) as usize;
    let mut blocks = sample_blocks();
    let (_, packet) = blocks.iter_mut().filter(|(kind, _)| *kind == PACKET).nth(frame - 1).unwrap();
    let captured = u32::from_le_bytes(packet[20..24].try_into().unwrap()) as usize;
    packet[28 + captured - 1] ^= 1;
    let broken = write(&scratch.path("broken.pcapng"), blocks);
    let found = rows(&lake, &broken, "SELECT frame, protocol FROM anomalies WHERE kind = 'decrypt_failed'");
    assert_eq!(found, [json!({"frame": frame, "protocol": "tls"})]);
    assert_eq!(
        rows(&lake, &broken, "SELECT status, client_plain_bytes, server_plain_bytes FROM decryption WHERE flow_id = 1"),
        [json!({"status": "partly", "client_plain_bytes": 0, "server_plain_bytes": 63})]
    );
}

#[test]
fn a_lost_record_is_stepped_over() {
    let scratch = Scratch::new("decrypt-gap");
    let lake = scratch.path("lake");
    // Of the log over HTTP/2, a frame in the middle of the answer is taken out.
    let capture = sample("decrypt.pcapng");
    let flow = number(&lake, &capture, "SELECT min(flow_id) AS n FROM http2");
    let query = format!("SELECT frame FROM packets WHERE flow_id = {flow} AND payload_len > 1000 AND src_port = 443 ORDER BY frame");
    let frames: Vec<usize> = rows(&lake, &capture, &query).iter().map(|row| row["frame"].as_u64().unwrap() as usize).collect();
    let lost = frames[frames.len() - 3];
    let mut seen = 0;
    let kept = sample_blocks().into_iter().filter(|(kind, _)| {
        seen += usize::from(*kind == PACKET);
        *kind != PACKET || seen != lost
    });
    let torn = write(&scratch.path("torn.pcapng"), kept);
    let found = rows(&lake, &torn, &format!("SELECT status, client_plain_bytes FROM decryption WHERE flow_id = {flow}"));
    assert_eq!(found, [json!({"status": "partly", "client_plain_bytes": 151})]);
    assert_eq!(number(&lake, &torn, "SELECT count(*) AS n FROM anomalies WHERE kind = 'decrypt_failed'"), 0);
    assert_eq!(number(&lake, &torn, "SELECT count(*) AS n FROM http2 WHERE is_request"), 2);
}

#[test]
fn plaintext_is_written_byte_for_byte() {
    let scratch = Scratch::new("decrypt-out");
    let lake = scratch.path("lake");
    let out = scratch.path("out");
    let folder = out.to_string_lossy().into_owned();
    let output = run(&lake, &[&sample("decrypt.pcapng"), "--decrypt", "--decrypt-out", &folder, "--decrypt-limit", "3"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let shown = text(&output.stdout);
    assert!(shown.contains("TLS DECRYPTION :: decrypt.pcapng"), "{shown}");
    assert!(shown.contains("skipped") && shown.contains("written"), "{shown}");
    let mut names: Vec<String> = std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names.len(), 9, "{names:?}");
    let read = |suffix: &str| -> Vec<u8> {
        let name = names.iter().find(|name| {
            name.ends_with(suffix) && std::fs::read(out.join(name)).unwrap().windows(4).any(|w| w == b"EHLO" || w == b"ehlo" || w == b"AUTH")
        });
        std::fs::read(out.join(name.unwrap())).unwrap()
    };
    assert!(read(".orig").starts_with(b"ehlo hmi.plant.example\r\n"));
    assert!(read(".resp").starts_with(b"250-mail.plant.example\r\n250 AUTH PLAIN\r\n235 welcome\r\n"));
    assert!(text(&read(".txt")).contains("-- server, frame "));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(out.clone()), mode(out.join(&names[0]))), (0o700, 0o600));
    }
}

#[test]
fn evidence_is_read_in_the_clear() {
    let scratch = Scratch::new("decrypt-evidence");
    let lake = scratch.path("lake");
    let (bare, keys) = apart(&scratch);
    let asked = |arguments: &[&str]| {
        let output = pcapper(&lake, &[&[bare.as_str(), "--tls-keylog", &keys], arguments].concat()).current_dir(&scratch.0).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
        output.stdout
    };
    // A mail that was sent behind STARTTLS is found, whole and across records, and nowhere without the keys.
    let found = text(&asked(&["--search", "subject: SHIFT report"]));
    assert!(found.contains("Matches                  : 1\n") && found.contains("tls+129"), "{found}");
    let across = text(&asked(&["--search", "QUIT\r\n"]));
    assert!(across.contains("Matches                  : 1\n"), "{across}");
    let without = run(&lake, &[&bare, "--search", "shift report"]);
    assert!(text(&without.stdout).contains("No matches found."));
    // Its conversation.
    let id = rows(&lake, &sample("decrypt.pcapng"), "SELECT min(flow_id) AS id FROM smtp")[0]["id"].to_string();
    let followed = text(&asked(&["--follow-id", &id]));
    assert!(followed.contains("Decrypted                : what tls carried is shown") && followed.contains("Conversation (decrypted)"), "{followed}");
    let raw = asked(&["--follow-id", &id, "-raw"]);
    assert!(raw.starts_with(b"ehlo hmi.plant.example\r\nAUTH PLAIN") && raw.ends_with(b"250 kept\r\n221 bye\r\n"), "{}", text(&raw));
    // The files.
    let saved = text(&asked(&["--extract", "status.txt"]));
    assert!(!saved.contains("not found again"), "{saved}");
    assert_eq!(std::fs::metadata(scratch.path("files/status.txt")).unwrap().len(), 18);
    let viewed = asked(&["--view", "status.txt", "-raw"]);
    assert_eq!(viewed.len() % 18, 0);
    assert!(!viewed.is_empty());
}

#[test]
fn options_say_what_is_wrong() {
    let scratch = Scratch::new("decrypt-options");
    let lake = scratch.path("lake");
    let (bare, keys) = apart(&scratch);
    let file = |name: &str, content: &str| {
        std::fs::write(scratch.path(name), content).unwrap();
        scratch.path(name).to_string_lossy().into_owned()
    };
    let ends = |arguments: &[&str], status: i32, message: &str| {
        let output = run(&lake, &[&[bare.as_str()][..], arguments].concat());
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {errors}");
        assert!(errors.contains(message), "{arguments:?}: {errors}");
    };
    ends(&["--tls-keylog", "/no/such/file"], 2, "/no/such/file: cannot read the key log");
    ends(&["--tls-keylog", &file("empty", "# nothing\n")], 2, "no usable line in this TLS key log");
    ends(&["--ssh-keylog", &keys], 2, "no usable line in this SSH key log");
    ends(&["--decrypt"], 2, "--decrypt has no keys");
    ends(&["--decrypt-limit", "3"], 2, "--decrypt-limit needs --decrypt");
    ends(&["--decrypt", "--decrypt-limit", "0"], 2, "--decrypt-limit 0: a number of 1 or more is needed");
    let mixed = file("mixed", &format!("{}one\ntwo\nCLIENT_RANDOM 00 11\nthree\n", key_log()));
    ends(&["--tls-keylog", &mixed], 0, "4 lines hold no key (line ");
    // Keys of other sessions.
    let strange = file("strange", &format!("CLIENT_RANDOM {} {}\n", "ab".repeat(32), "cd".repeat(48)));
    let folder = scratch.path("out").to_string_lossy().into_owned();
    let output = run(&lake, &[&bare, "--tls-keylog", &strange, "--decrypt", "--decrypt-out", &folder]);
    assert_eq!(output.status.code(), Some(0), "the suite without encryption is read: {}", text(&output.stdout));
    let other = sample("tls.pcapng");
    let output = run(&lake, &[&other, "--tls-keylog", &strange, "--decrypt", "--decrypt-out", &folder]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("the keys match no session of this capture"), "{}", text(&output.stdout));
    // A wrong key for a session: nothing that did not verify is shown.
    let wrong: String =
        key_log().lines().filter(|line| line.starts_with("CLIENT_RANDOM")).map(|line| format!("{}00\n", &line[..line.len() - 2])).collect();
    let wrong = file("wrong", &wrong);
    let failed = with(
        &lake,
        &[&bare, "--tls-keylog", &wrong],
        "SELECT count(*) AS n, sum(client_plain_bytes) AS bytes FROM decryption WHERE status = 'failed'",
    );
    assert_eq!(failed, [json!({"n": 12, "bytes": 0})]);
    assert_eq!(
        with(&lake, &[&bare, "--tls-keylog", &wrong], "SELECT count(*) AS n FROM anomalies WHERE kind = 'decrypt_failed'"),
        [json!({"n": 24})]
    );
}

fn corpus() -> Option<PathBuf> {
    let corpus = std::env::var_os("PCAPPER_CORPUS").map(PathBuf::from).filter(|path| path.join("captures").is_dir());
    if corpus.is_none() {
        eprintln!("PCAPPER_CORPUS is unset: skipped");
    }
    corpus
}

#[test]
fn a_browser_session_shows_its_messages() {
    let Some(corpus) = corpus() else { return };
    let scratch = Scratch::new("decrypt-corpus");
    let lake = scratch.path("lake");
    let capture = corpus.join("captures/tls/zeek_tls-tls-1.2-stream-keylog.pcap").to_string_lossy().into_owned();
    let random = &rows(&lake, &capture, "SELECT random FROM tls WHERE message = 'client_hello'")[0]["random"];
    // The master secret that Zeek's own test has for this capture.
    let master = "0d36faaa2eadbda2a8095f951de1cbac46b81b008fbf391d91951b3485476bab73288a1e17cd0ce80e0fc0401dbe9e3f";
    let keys = scratch.path("keys.txt");
    std::fs::write(&keys, format!("CLIENT_RANDOM {} {master}\n", random.as_str().unwrap())).unwrap();
    let keys = keys.to_string_lossy().into_owned();
    assert_eq!(number(&lake, &capture, "SELECT count(*) AS n FROM http"), 0);
    let asked = [capture.as_str(), "--tls-keylog", &keys];
    assert_eq!(with(&lake, &asked, "SELECT count(*) AS n FROM http"), [json!({"n": 32})]);
    let first = with(&lake, &asked, "SELECT method, uri FROM http WHERE is_request ORDER BY frame LIMIT 1");
    assert_eq!(first[0]["method"], "GET");
    assert!(first[0]["uri"].as_str().unwrap().starts_with("/assets/akwa/v24/js/akwa.js?"));
}

#[test]
fn ssh_opens_with_its_shared_secrets() {
    let scratch = Scratch::new("decrypt-ssh");
    let lake = scratch.path("lake");
    let capture = sample("ssh.pcapng");
    let one = |query: &str| rows(&lake, &capture, query);
    assert_eq!(one(BY_STATUS), [json!({"status": "decrypted", "n": 10}), json!({"status": "unsupported", "n": 1})]);
    assert_eq!(
        one("SELECT service, count(*) AS n FROM decryption WHERE status = 'decrypted' GROUP BY service ORDER BY service NULLS LAST"),
        [json!({"service": "exec", "n": 8}), json!({"service": "shell", "n": 1}), json!({"service": null, "n": 1})]
    );
    assert_eq!(
        one("SELECT username, encrypted, outcome, count(*) AS n FROM credentials WHERE protocol = 'ssh' GROUP BY ALL ORDER BY outcome"),
        [
            json!({"username": "operator", "encrypted": true, "outcome": "failure", "n": 1}),
            json!({"username": "operator", "encrypted": true, "outcome": "success", "n": 9}),
        ]
    );
    // The secret is one and the same nine times, and shown only on demand.
    let secrets = "SELECT secret, count(*) AS n FROM credentials GROUP BY secret ORDER BY n DESC";
    let hidden = one(secrets);
    assert!(hidden[0]["secret"].as_str().unwrap().starts_with("redacted:"), "{hidden:?}");
    assert_eq!(with(&lake, &[&capture, "--show-secrets"], secrets)[0], json!({"secret": "valve-17", "n": 9}));
    assert_eq!(number(&lake, &capture, "SELECT count(*) AS n FROM ssh_sessions WHERE username = 'operator'"), 10);
    assert_eq!(number(&lake, &capture, "SELECT count(*) AS n FROM anomalies WHERE kind = 'decrypt_failed'"), 0);
    // "ran show status" of each command, and the lines of the shell, before its keys changed and after.
    let out = scratch.path("out");
    let output = run(&lake, &[&capture, "--decrypt", "--decrypt-out", &out.to_string_lossy()]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("SSH DECRYPTION :: ssh.pcapng"), "{}", text(&output.stdout));
    let said: Vec<Vec<u8>> = std::fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|suffix| suffix == "resp"))
        .map(|path| std::fs::read(path).unwrap())
        .collect();
    assert_eq!(said.iter().filter(|said| *said == b"ran show status\n").count(), 8);
    let shell = said.iter().find(|said| said.starts_with(b"read register 0 of the pump controller, please done\n")).unwrap();
    assert!(text(shell).contains("read register 19 of the pump controller, please done\n"));
}

#[test]
fn quic_opens_as_tls_does() {
    let Some(corpus) = corpus() else { return };
    let scratch = Scratch::new("decrypt-quic");
    let lake = scratch.path("lake");
    let capture = |name: &str| corpus.join("captures/quic").join(name).to_string_lossy().into_owned();
    let asked = rows(
        &lake,
        &capture("ndpi_quic-v2.pcapng"),
        "SELECT frame, kind, path, status_code AS status, body_bytes AS bytes FROM http2 WHERE version = '3' ORDER BY frame",
    );
    assert_eq!(
        asked,
        [
            json!({"frame": 1, "kind": "request", "path": "/index.html", "status": null, "bytes": 0}),
            json!({"frame": 14, "kind": "response", "path": null, "status": 200, "bytes": 386}),
            json!({"frame": 17, "kind": "request", "path": "/test.html", "status": null, "bytes": 0}),
            json!({"frame": 18, "kind": "response", "path": null, "status": 404, "bytes": 0}),
            json!({"frame": 19, "kind": "request", "path": "/1234567", "status": null, "bytes": 0}),
        ]
    );
    for name in ["ndpi_quic-v2.pcapng", "ndpi_quic-33.pcapng", "ndpi_doq.pcapng"] {
        assert_eq!(rows(&lake, &capture(name), BY_STATUS), [json!({"status": "decrypted", "n": 1})], "{name}");
        assert_eq!(
            rows(&lake, &capture(name), "SELECT subject_cn FROM x509 WHERE carrier = 'quic'"),
            [json!({"subject_cn": "test.example.com"})],
            "{name}"
        );
    }
    let answer = "SELECT query, transport, answers FROM dns WHERE is_response";
    assert_eq!(
        rows(&lake, &capture("ndpi_doq.pcapng"), answer),
        [json!({"query": "example.com", "transport": "quic", "answers": ["93.184.216.34"]})]
    );
}
