//! `--html`: one page that stands alone, harms nobody, and is not too large.

mod common;
#[path = "common/hostile.rs"]
mod hostile;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Scratch, run, sample, text};

/// Elements and attributes that a page may have; anything else came from a packet.
const ELEMENTS: &[&str] = &[
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "a",
    "header",
    "p",
    "h1",
    "h2",
    "h3",
    "h4",
    "button",
    "details",
    "summary",
    "nav",
    "ul",
    "ol",
    "li",
    "main",
    "section",
    "article",
    "footer",
    "script",
    "div",
    "span",
    "dl",
    "dt",
    "dd",
    "code",
    "strong",
    "b",
    "i",
    "table",
    "caption",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "figure",
    "figcaption",
    "svg",
    "g",
    "path",
    "rect",
    "line",
    "polyline",
    "circle",
    "text",
    "tspan",
    "time",
];
const ATTRIBUTES: &[&str] = &[
    "lang",
    "charset",
    "http-equiv",
    "content",
    "name",
    "class",
    "id",
    "href",
    "rel",
    "hidden",
    "type",
    "open",
    "tabindex",
    "role",
    "aria-label",
    "scope",
    "data-k",
    "width",
    "height",
    "viewBox",
    "xmlns",
    "x",
    "y",
    "x1",
    "x2",
    "y1",
    "y2",
    "cx",
    "cy",
    "r",
    "rx",
    "d",
    "fill",
    "stroke",
    "stroke-width",
    "opacity",
    "points",
    "transform",
    "text-anchor",
    "font-family",
    "font-size",
    "dy",
];

fn page(scratch: &Scratch, arguments: &[&str]) -> String {
    let path = scratch.path("page.html");
    let shown = path.to_string_lossy().into_owned();
    let output = run(&scratch.0.join("lake"), &[arguments, &["--html", &shown]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    fs::read_to_string(path).unwrap()
}

/// Every tag of the page: name and attributes. Panics on what is no tag of ours.
fn check_tags(page: &str) {
    let style = page.find("<style>").unwrap();
    let script = page.find("<script>").unwrap();
    let mut from = 0;
    while let Some(at) = page[from..].find('<').map(|at| from + at) {
        let end = at + page[at..].find('>').unwrap_or_else(|| panic!("unclosed tag at {at}"));
        let tag = &page[at + 1..end];
        from = end + 1;
        if let Some(closed) = tag.strip_prefix('/') {
            assert!(ELEMENTS.contains(&closed), "</{closed}>");
            continue;
        }
        if tag.starts_with('!') {
            assert_eq!(tag, "!doctype html");
            continue;
        }
        let tag = tag.trim_end_matches('/');
        let name = tag.split_whitespace().next().unwrap_or_default();
        assert!(ELEMENTS.contains(&name), "<{tag}>");
        let mut rest = tag[name.len()..].trim();
        while !rest.is_empty() {
            let key = rest.split(['=', ' ']).next().unwrap();
            assert!(ATTRIBUTES.contains(&key), "attribute {key} in <{tag}>");
            rest = &rest[key.len()..];
            if let Some(value) = rest.strip_prefix("=\"") {
                let close = value.find('"').unwrap_or_else(|| panic!("open value in <{tag}>"));
                if key == "href" {
                    assert!(value.starts_with('#') || value.starts_with("https://attack.mitre.org/techniques/T"), "{value}");
                }
                rest = &value[close + 1..];
            }
            rest = rest.trim_start();
        }
        if at == style || at == script {
            let close = if at == style { "</style>" } else { "</script>" };
            from = at + page[at..].find(close).unwrap();
        }
    }
    assert_eq!(page.matches("<script").count(), 1);
}

/// Places that links lead to exist, once each.
fn check_links(page: &str) {
    let values = |key: &str| page.split(&format!("{key}=\"")).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect::<Vec<_>>();
    let ids = values(" id");
    let unique: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len(), "an id occurs twice");
    for link in values("href").iter().filter_map(|link| link.strip_prefix('#')) {
        assert!(ids.iter().any(|id| id == link), "#{link} leads nowhere");
    }
}

#[test]
fn the_whole_report_is_one_page() {
    let scratch = Scratch::new("html");
    let page = page(&scratch, &[&sample("plant.pcapng")]);
    check_tags(&page);
    check_links(&page);
    for part in [
        "<h1>plant.pcapng</h1>",
        "Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-",
        "<h2>Summary</h2>",
        "<h2>Findings</h2>",
        "<h2>Hosts and conversations</h2>",
        "<h2>Timeline</h2>",
        "<h2>MODBUS</h2>",
        "A client read the identity of devices",
        "https://attack.mitre.org/techniques/T0888/",
        "holding:40001",
        "192.168.50.20",
        "aria-label=\"Bytes over time; most, ",
        "aria-label=\"Map of hosts: ",
        "aria-label=\"Matrix of conversations: ",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("<h2>KERBEROS</h2>"), "a protocol that nobody speaks");
    for outside in ["@import", "url(", "<link", "<iframe", " src="] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert_eq!(page, self::page(&scratch, &[&sample("plant.pcapng")]), "the same input gives other bytes");
}

#[test]
fn flags_choose_the_reports() {
    let scratch = Scratch::new("html-flags");
    let plant = sample("plant.pcapng");
    let page = page(&scratch, &[&plant, "--modbus"]);
    assert!(page.contains("<h2>MODBUS</h2>") && !page.contains("<h2>HOST</h2>"));
    // What the terminal shows is in it: the same sections and cells.
    let shown = text(&run(&scratch.0.join("lake"), &[&plant, "--modbus"]).stdout);
    assert!(shown.contains("\nWrites\n") && page.contains("<caption>Writes</caption>"));
}

#[test]
fn several_captures_share_a_page_or_have_one_each() {
    let scratch = Scratch::new("html-several");
    let (first, second) = (sample("plant.pcapng"), sample("ntp.pcap"));
    let page = page(&scratch, &[&first, &second, "--modbus", "--ntp"]);
    check_tags(&page);
    check_links(&page);
    assert!(page.contains("<h1>2 captures</h1>") && page.contains("href=\"#c2-summary\""));
    let merged = self::page(&scratch, &[&first, &second, "--summarize", "--ntp"]);
    check_links(&merged);
    assert!(merged.contains("<h1>2 captures taken as one</h1>"));
    let directory = format!("{}/", scratch.path("each").display());
    let output = run(&scratch.0.join("lake"), &[&first, &second, "--ntp", "--html", &directory]);
    assert!(output.status.success());
    for name in ["plant.html", "ntp.html"] {
        assert!(fs::read_to_string(Path::new(&directory).join(name)).unwrap().ends_with("</html>\n"), "{name}");
    }
}

#[test]
fn nothing_of_a_packet_is_markup() {
    let scratch = Scratch::new("html-hostile");
    let capture = scratch.path("<b onclick='x'>\"&.pcap");
    hostile::write(&capture);
    let page = page(&scratch, &[&capture.to_string_lossy()]);
    check_tags(&page);
    check_links(&page);
    for shown in ["&lt;script&gt;alert(1)&lt;/script&gt;", "&lt;b onclick=&#39;x&#39;&gt;&quot;&amp;.pcap", "\\u{202e}txt.exe\\u{200b}"] {
        assert!(page.contains(shown), "{shown}");
    }
    assert!(!page.contains('\u{202e}') && !page.contains("<script>alert"));
}

#[test]
fn a_large_capture_fits() {
    let Some(corpus) = std::env::var_os("PCAPPER_CORPUS") else {
        eprintln!("PCAPPER_CORPUS is not set: no labelled capture to write a page of");
        return;
    };
    let scratch = Scratch::new("html-large");
    let capture = Path::new(&corpus).join("labelled/ot-modbus-write-manipulation-medium/capture.pcap.gz");
    let page = page(&scratch, &[&capture.to_string_lossy()]);
    assert!(page.len() < 5_000_000, "{} bytes", page.len());
    assert!(page.contains(" left out here: "), "nothing was cut, or nothing said so");
    check_tags(&page);
    check_links(&page);
    opens(&scratch.path("page.html"));
}

#[test]
fn a_browser_opens_it() {
    let scratch = Scratch::new("html-browser");
    page(&scratch, &[&sample("plant.pcapng")]);
    opens(&scratch.path("page.html"));
    let capture = scratch.path("hostile.pcap");
    hostile::write(&capture);
    page(&scratch, &[&capture.to_string_lossy()]);
    opens(&scratch.path("page.html"));
}

/// Opens a page in headless Chromium: the script ran, and the console is empty.
fn opens(page: &Path) {
    let Some(chromium) = chromium() else {
        eprintln!("no Chromium (PCAPPER_CHROMIUM): no page was opened in a browser");
        return;
    };
    let profile = page.with_extension("profile");
    let output = Command::new(chromium)
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--enable-logging=stderr", "--v=0", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    let console: Vec<_> = String::from_utf8_lossy(&output.stderr).lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect();
    assert!(console.is_empty(), "{console:#?}");
    let dom = String::from_utf8_lossy(&output.stdout);
    assert!(dom.contains("<th scope=\"col\"><button type=\"button\">"), "the script did not run: {}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(dom.matches("<img").count() + dom.matches("onload=\"").count(), 0);
}

fn chromium() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("PCAPPER_CHROMIUM") {
        return Some(PathBuf::from(named));
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join("chromium")).find(|file| file.is_file())
}
