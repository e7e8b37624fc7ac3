//! Words that make a line worth a closer look, all sought in one pass.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

/// Kinds of words, each a bit.
pub const URL: u16 = 1;
pub const MAIL: u16 = 2;
pub const PATH: u16 = 4;
pub const UNC: u16 = 8;
pub const KEY: u16 = 16;
pub const SECRET: u16 = 32;
pub const COMMAND: u16 = 64;
pub const SHELL: u16 = 128;
pub const FLAG: u16 = 256;
pub const JWT: u16 = 512;

/// Words of each kind; case does not count.
static WORDS: &[(u16, &[&str])] = &[
    (URL, &["://"]),
    (MAIL, &["@"]),
    (PATH, &[":\\", "/bin/", "/etc/", "/usr/", "/var/", "/tmp/", "/home/", "/root/", "/opt/", "/sbin/", "/dev/", "/proc/"]),
    (UNC, &["\\\\"]),
    (KEY, &["-----begin ", "akia", "asia", "aiza", "ghp_", "gho_", "ghs_", "xoxb-", "xoxp-", "xoxa-", "xoxr-", "accountkey="]),
    (SECRET, &["passw", "pwd", "secret", "token", "api_key", "apikey", "pass ", "login ", "auth "]),
    (COMMAND, &["cmd /c", "cmd.exe", "/bin/sh", "/bin/bash", "certutil", "mshta", "regsvr32", "rundll32", "wget ", "curl ", "powershell", "pwsh"]),
    (
        SHELL,
        &[
            "powershell",
            "pwsh",
            "iex",
            "invoke-",
            "downloadstring",
            "downloadfile",
            "frombase64string",
            "new-object",
            "mppreference",
            "amsi",
            "-encodedcommand",
            "get-ad",
            "[system.",
            "$env:",
            "start-bitstransfer",
            "getdelegateforfunctionpointer",
            "-scheduledtask",
        ],
    ),
    (FLAG, &["flag{", "ctf{", "htb{", "thm{", "{galf", "{ftc", "{bth", "{mht"]),
    (JWT, &["eyj"]),
];

struct Words {
    automaton: AhoCorasick,
    kinds: Vec<u16>,
}

#[allow(clippy::expect_used, reason = "a constant list of words")]
static AUTOMATON: LazyLock<Words> = LazyLock::new(|| {
    let mut words: Vec<String> = Vec::new();
    let mut kinds = Vec::new();
    for (kind, list) in WORDS {
        for word in *list {
            words.push((*word).to_owned());
            kinds.push(*kind);
        }
    }
    // The wrappers of flags under every rotation of the alphabet.
    for wrapper in ["flag{", "ctf{", "htb{", "thm{"] {
        for by in 1..26 {
            words.push(rotated(wrapper, by));
            kinds.push(FLAG);
        }
    }
    let automaton = AhoCorasick::builder().ascii_case_insensitive(true).build(&words).expect("few short words");
    Words { automaton, kinds }
});

/// Letters moved on in the alphabet.
pub fn rotated(text: &str, by: u8) -> String {
    let moved = |letter: u8, first: u8| char::from(first + (letter - first + by) % 26);
    text.chars()
        .map(|letter| match letter {
            'a'..='z' => moved(letter as u8, b'a'),
            'A'..='Z' => moved(letter as u8, b'A'),
            other => other,
        })
        .collect()
}

/// Kinds of words that a text holds.
#[derive(Clone, Copy, Default)]
pub struct Found(u16);

impl Found {
    pub fn has(self, kind: u16) -> bool {
        self.0 & kind != 0
    }
}

/// Which kinds of words the text holds.
pub fn find(text: &str) -> Found {
    let words = &*AUTOMATON;
    let mut found = 0;
    for hit in words.automaton.find_overlapping_iter(text) {
        found |= words.kinds.get(hit.pattern().as_usize()).copied().unwrap_or(0);
    }
    Found(found)
}
