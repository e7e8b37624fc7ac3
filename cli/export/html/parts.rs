//! What a page says of a capture: summary, findings, hosts, time, and the reports.

use std::fmt::Write as _;

use arrow::array::RecordBatch;
use pcapper_queries::catalog::Selected;
use pcapper_queries::report::{Report, Section, Shape, Unit};

use super::chart::{self, Span, severity_class};
use super::map::Network;
use super::table::{self, Frame, thousands};
use super::{Bounds, Entry, escape};
use crate::export::brief::Brief;
use crate::export::found::{self, Finding, Kind, SEVERITIES, rank};
use crate::export::{Answered, Answers};
use crate::render::value::{self, Place, Secrets};

/// Bins of the picture's traffic.
const BINS: usize = 120;
/// Findings of one kind that are told one by one, at most.
const MEMBERS: usize = 10;
/// Rows of the list of findings in order of time.
const MOMENTS: usize = 100;

/// What a part is about.
pub fn name(answers: &Answers<'_>, one: &Answered) -> String {
    match &one.capture {
        Some(capture) => capture.name.clone(),
        None => format!("{} captures taken as one", answers.captures.len()),
    }
}

/// The list of captures that opens a page of several.
pub fn captures(answers: &Answers<'_>, parts: &[&Answered], bounds: Bounds, secrets: &mut Secrets, contents: &mut Vec<Entry>, out: &mut String) {
    contents.push(Entry { anchor: "captures".to_owned(), text: "Captures".to_owned(), level: 1 });
    out.push_str("<section id=\"captures\">\n<h2>Captures</h2>\n");
    table::open("Captures of this report", out);
    out.push_str("<th scope=\"col\">Capture</th><th scope=\"col\" class=\"m\">First packet</th><th scope=\"col\" class=\"n\">Packets</th><th scope=\"col\" class=\"n\">Bytes</th><th scope=\"col\">Findings</th></tr></thead>\n<tbody>\n");
    for (at, one) in parts.iter().enumerate().take(bounds.rows.max(bounds.parts)) {
        let Some(capture) = &one.capture else { continue };
        let shown = escape::text(&capture.name);
        let linked = if at < bounds.parts { format!("<a href=\"#c{}-summary\">{shown}</a>", at + 1) } else { shown };
        let kinds = one.brief.as_ref().map(|brief| found::kinds(&brief.findings, secrets)).unwrap_or_default();
        let first = capture.manifest.first_ts.map(|ts| value::time(ts, 0)).unwrap_or_else(|| value::NULL.to_owned());
        let _ = writeln!(
            out,
            "<tr><td>{linked}</td><td class=\"m\">{first}</td><td class=\"n\">{}</td><td class=\"n\" data-k=\"{}\">{}</td><td>{}</td></tr>",
            capture.manifest.packets,
            capture.manifest.wire_bytes,
            value::bytes(capture.manifest.wire_bytes as f64, Place::Cell),
            tally(&kinds)
        );
    }
    table::close(out);
    let left = parts.len().saturating_sub(bounds.parts);
    if left > 0 {
        let _ =
            writeln!(out, "<p class=\"more\">The page has no room for the reports of {left} captures: --html DIR/ writes one page a capture.</p>");
    }
    skipped(answers, out);
    out.push_str("</section>\n");
}

fn skipped(answers: &Answers<'_>, out: &mut String) {
    if answers.skipped.is_empty() {
        return;
    }
    out.push_str("<h3>Could not be read</h3>\n<ul>\n");
    for (name, reason) in answers.skipped {
        let _ = writeln!(out, "<li><code>{}</code>: {}</li>", escape::text(name), escape::text(reason));
    }
    out.push_str("</ul>\n");
}

/// All that is said of one capture, or of several taken as one.
pub fn part(answers: &Answers<'_>, one: &Answered, prefix: &str, bounds: Bounds, secrets: &mut Secrets, contents: &mut Vec<Entry>, out: &mut String) {
    let Some(brief) = &one.brief else { return };
    let kinds = found::kinds(&brief.findings, secrets);
    let span = span(answers, one);
    let level = if prefix.is_empty() { 1 } else { 2 };
    let mut enter = |anchor: String, text: String, level: u8| contents.push(Entry { anchor, text, level });
    if !prefix.is_empty() {
        enter(format!("{prefix}summary"), name(answers, one), 1);
        let _ = writeln!(out, "<h2 class=\"part\">{}</h2>", escape::text(&name(answers, one)));
    }

    enter(format!("{prefix}summary"), "Summary".to_owned(), level);
    let _ = writeln!(out, "<section id=\"{prefix}summary\">\n<h2>Summary</h2>");
    verdict(&kinds, out);
    numbers(answers, one, brief, secrets, out);
    digest(&kinds, prefix, out);
    blind(brief, secrets, out);
    faults(answers, one, prefix, out);
    out.push_str("</section>\n");

    let notable = kinds.iter().filter(|kind| kind.severity() != "info").count();
    enter(format!("{prefix}findings"), format!("Findings ({notable})"), level);
    let _ = writeln!(out, "<section id=\"{prefix}findings\">\n<h2>Findings</h2>");
    findings(&kinds, prefix, bounds, answers.captures.len() > 1 && one.capture.is_none(), out);
    out.push_str("</section>\n");

    if let (Some(hosts), Some(pairs)) = (brief.picture("hosts"), brief.picture("conversations")) {
        enter(format!("{prefix}hosts"), "Hosts and conversations".to_owned(), level);
        let _ = writeln!(out, "<section id=\"{prefix}hosts\">\n<h2>Hosts and conversations</h2>");
        let network = Network::new(hosts, pairs, &kinds, secrets);
        out.push_str(&network.map());
        out.push_str(&network.matrix());
        let mut table =
            |caption, rows: &RecordBatch, rest| table::table(rows, &Frame { caption, most: bounds.rows.min(40), rest, digits: 0 }, secrets, out);
        // The report on hosts has more of each.
        if !brief.reports.iter().any(|report| report.analyzer == "hosts") {
            table("Hosts, most bytes first", &without(hosts, &["scope", "responded"]), "--hosts --csv FILE writes them all");
        }
        table("Conversations, most bytes first", pairs, "--protocols --csv FILE writes them all");
        out.push_str("</section>\n");
    }

    if let Some(span) = span {
        enter(format!("{prefix}time"), "Timeline".to_owned(), level);
        let _ = writeln!(out, "<section id=\"{prefix}time\">\n<h2>Timeline</h2>");
        timeline(brief, &kinds, span, bounds, out);
        out.push_str("</section>\n");
    }

    for report in &brief.reports {
        let anchor = format!("{prefix}{}", escape::anchor(&report.analyzer));
        let title = heading(&report.title);
        enter(format!("{anchor}-report"), title.clone(), level + 1);
        let _ = writeln!(out, "<section id=\"{anchor}-report\">\n<h2>{}</h2>", escape::text(&title));
        self::report(report, bounds, secrets, out);
        let own: Vec<(usize, &Kind)> =
            kinds.iter().enumerate().filter(|(_, kind)| kind.first().is_some_and(|first| first.source == report.analyzer)).collect();
        if !own.is_empty() {
            out.push_str("<p class=\"own\">Findings: ");
            for (place, (at, kind)) in own.iter().enumerate() {
                let first = kind.first().map(|first| escape::text(&first.title)).unwrap_or_default();
                let _ = write!(out, "{}<a href=\"#{prefix}f{}\">{first}</a> ({})", if place > 0 { ", " } else { "" }, at + 1, kind.severity());
            }
            out.push_str("</p>\n");
        }
        out.push_str("</section>\n");
    }
}

/// The rows without some columns.
fn without(rows: &RecordBatch, columns: &[&str]) -> RecordBatch {
    let schema = rows.schema();
    let kept: Vec<usize> = (0..rows.num_columns()).filter(|at| !columns.contains(&schema.field(*at).name().as_str())).collect();
    rows.project(&kept).unwrap_or_else(|_| rows.clone())
}

/// First to last packet of the part.
fn span(answers: &Answers<'_>, one: &Answered) -> Option<Span> {
    let mine: Vec<_> = match &one.capture {
        Some(capture) => vec![capture],
        None => answers.captures.iter().collect(),
    };
    let from = mine.iter().filter_map(|capture| capture.manifest.first_ts).min()?;
    let to = mine.iter().filter_map(|capture| capture.manifest.last_ts).max()?;
    Some(Span { from, to })
}

/// A report's title without what all of them say.
fn heading(title: &str) -> String {
    match title.trim_end_matches(" ANALYSIS") {
        "PCAPPER REPORT" => "CAPTURE".to_owned(),
        bare => bare.to_owned(),
    }
}

fn verdict(kinds: &[Kind], out: &mut String) {
    let worst = kinds.first().filter(|kind| kind.severity() != "info");
    let (class, head) = match worst.map(Kind::severity) {
        Some(severity @ ("critical" | "high")) => (severity_class(severity), "Needs attention now"),
        Some("medium") => ("medium", "Worth a look"),
        Some(_) => ("low", "Only low findings"),
        None => ("info", "Nothing was detected"),
    };
    let _ = writeln!(out, "<div class=\"verdict {class}\"><p class=\"head\">{head}</p>");
    match worst.and_then(Kind::first) {
        Some(first) => {
            let at = first.hosts("→");
            let _ = writeln!(
                out,
                "<p>{}. The most severe: <strong>{}</strong>{}.</p></div>",
                tally(kinds),
                escape::text(&first.title),
                if at.is_empty() { String::new() } else { format!(", <code>{}</code>", escape::text(&at)) }
            );
        }
        None => out.push_str("<p>No detection of this report fired. That is no proof of innocence: detections know what they look for, and see what was captured and is not encrypted.</p></div>\n"),
    }
}

/// `2 critical, 1 medium kinds of findings`, without those for information only.
fn tally(kinds: &[Kind]) -> String {
    let counts = SEVERITIES.iter().take(4).map(|severity| (kinds.iter().filter(|kind| kind.severity() == *severity).count(), severity));
    let said: Vec<String> = counts.filter(|(count, _)| *count > 0).map(|(count, severity)| format!("{count} {severity}")).collect();
    match kinds.iter().filter(|kind| kind.severity() != "info").count() {
        0 => "none".to_owned(),
        1 => format!("{} finding", said.join(", ")),
        _ => format!("{} kinds of findings", said.join(", ")),
    }
}

/// The few numbers that say what was captured, and the protocols in it.
fn numbers(answers: &Answers<'_>, one: &Answered, brief: &Brief, secrets: &mut Secrets, out: &mut String) {
    let mut fact = |name: &str, unit, digits| {
        let column = brief.picture("summary")?.column_by_name(name)?.clone();
        Some(value::shown(&column, 0, unit, Place::Fact, digits, secrets))
    };
    let mut tiles: Vec<(&str, String, Vec<String>)> = Vec::new();
    if let (Some(first), Some(last), Some(length)) = (fact("first", Unit::Time, 0), fact("last", Unit::Time, 0), fact("span_s", Unit::Seconds, 0)) {
        tiles.push(("Captured", length, vec![first, format!("to {last}")]));
    }
    if let (Some(packets), Some(bytes)) = (fact("packets", Unit::Count, 0), fact("wire_bytes", Unit::Bytes, 0)) {
        tiles.push(("Packets", packets, vec![format!("{bytes} on the wire")]));
    }
    if let Some(hosts) = brief.picture("hosts") {
        let scopes = hosts.column_by_name("scope");
        let of = |wanted: &str, secrets: &mut Secrets| {
            scopes.map_or(0, |scopes| {
                (0..hosts.num_rows()).filter(|row| value::shown(scopes, *row, Unit::Text, Place::Cell, 0, secrets) == wanted).count()
            })
        };
        let (public, groups) = (of("public", secrets), of("multicast", secrets) + of("broadcast", secrets) + of("unspecified", secrets));
        let single = hosts.num_rows() - groups;
        tiles.push((
            "Addresses",
            thousands(single),
            vec![format!("{} public", thousands(public)), format!("multicast, broadcast: {}", thousands(groups))],
        ));
    }
    if let Some(pairs) = brief.picture("conversations") {
        let flows: f64 = chart::numbers(pairs, "flows").unwrap_or_default().iter().sum();
        tiles.push(("Pairs that talk", thousands(pairs.num_rows()), vec![format!("{} flows", thousands(flows as usize))]));
    }
    if let Some(protocols) = brief.picture("protocols") {
        let column = protocols.column_by_name("protocol");
        let names: Vec<String> = column
            .map(|column| (0..protocols.num_rows().min(5)).map(|row| value::shown(column, row, Unit::Text, Place::Cell, 0, secrets)).collect())
            .unwrap_or_default();
        tiles.push(("Protocols", thousands(protocols.num_rows()), vec![names.join(", ")]));
    }
    out.push_str("<dl class=\"tiles\">\n");
    for (name, number, about) in tiles {
        let about: Vec<String> = about.iter().map(|line| format!("<span>{}</span>", escape::text(line))).collect();
        let _ = writeln!(out, "<div><dt>{name}</dt><dd>{}{}</dd></div>", escape::text(&number), about.concat());
    }
    out.push_str("</dl>\n");
    if let Some(capture) = &one.capture {
        let _ = writeln!(out, "<p class=\"id\">SHA-256 of the capture: <code>{}</code></p>", escape::text(&capture.manifest.sha256));
    } else {
        let names: Vec<String> = answers.captures.iter().take(20).map(|capture| format!("<code>{}</code>", escape::text(&capture.name))).collect();
        let rest = answers.captures.len().saturating_sub(20);
        let _ =
            writeln!(out, "<p class=\"id\">Captures: {}{}</p>", names.join(", "), if rest > 0 { format!(" and {rest} more") } else { String::new() });
    }
}

/// The kinds of findings, a line each.
fn digest(kinds: &[Kind], prefix: &str, out: &mut String) {
    let notable: Vec<(usize, &Kind)> = kinds.iter().enumerate().filter(|(_, kind)| kind.severity() != "info").collect();
    if notable.is_empty() {
        return;
    }
    table::open("Findings at a glance", out);
    out.push_str("<th scope=\"col\">Severity</th><th scope=\"col\">Finding</th><th scope=\"col\" class=\"n\">Times</th><th scope=\"col\">Hosts</th><th scope=\"col\" class=\"m\">First seen</th></tr></thead>\n<tbody>\n");
    for (at, kind) in notable {
        let Some(first) = kind.first() else { continue };
        let mut hosts: Vec<String> = kind.members.iter().map(|finding| finding.hosts("→")).filter(|hosts| !hosts.is_empty()).collect();
        hosts.sort();
        hosts.dedup();
        let more = hosts.len().saturating_sub(1);
        let seen = kind.members.iter().filter_map(|finding| finding.ts).min().map_or_else(|| value::NULL.to_owned(), |ts| value::time(ts, 0));
        let hosts = match first.hosts("→") {
            none if none.is_empty() => value::NULL.to_owned(),
            hosts => format!("{}{}", escape::text(&hosts), if more > 0 { format!(" <i>and {more} more</i>") } else { String::new() }),
        };
        let _ = writeln!(
            out,
            "<tr><td data-k=\"{}\">{}</td><td class=\"t\"><a href=\"#{prefix}f{}\">{}</a></td><td class=\"n\">{}</td><td class=\"m\">{hosts}</td><td class=\"m\">{seen}</td></tr>",
            SEVERITIES.len() - rank(kind.severity()),
            badge(kind.severity()),
            at + 1,
            escape::text(&first.title),
            kind.members.len()
        );
    }
    table::close(out);
}

fn badge(severity: &str) -> String {
    let class = severity_class(severity);
    format!("<span class=\"sev {class}\">{class}</span>")
}

/// What the capture does not show.
fn blind(brief: &Brief, secrets: &mut Secrets, out: &mut String) {
    let Some(rows) = brief.picture("blind").filter(|rows| rows.num_rows() > 0) else { return };
    out.push_str("<h3>What this report cannot see</h3>\n<ul>\n");
    for row in 0..rows.num_rows() {
        let mut cell =
            |name: &str, unit| rows.column_by_name(name).map(|column| value::shown(column, row, unit, Place::Fact, 0, secrets)).unwrap_or_default();
        let _ = writeln!(
            out,
            "<li>{} packets ({}) {}</li>",
            cell("packets", Unit::Count),
            cell("share", Unit::Share),
            escape::text(&cell("what", Unit::Text))
        );
    }
    out.push_str("</ul>\n");
}

/// What could not be read, of this capture and of others.
fn faults(answers: &Answers<'_>, one: &Answered, prefix: &str, out: &mut String) {
    let mine = |capture: &&Selected| one.capture.as_ref().is_none_or(|own| own.manifest.capture_id == capture.manifest.capture_id);
    let faults: Vec<String> = answers
        .captures
        .iter()
        .filter(mine)
        .flat_map(|capture| {
            capture
                .manifest
                .faults
                .iter()
                .map(|fault| format!("<li><code>{}</code>: {}</li>\n", escape::text(&capture.name), escape::text(&fault.detail)))
        })
        .collect();
    if !faults.is_empty() {
        let _ = writeln!(out, "<h3>Damage</h3>\n<ul>\n{}</ul>", faults.concat());
    }
    if prefix.is_empty() {
        skipped(answers, out);
    }
}

fn findings(kinds: &[Kind], prefix: &str, bounds: Bounds, names_capture: bool, out: &mut String) {
    let (for_information, notable): (Vec<_>, Vec<_>) = kinds.iter().enumerate().partition(|(_, kind)| kind.severity() == "info");
    if notable.is_empty() {
        out.push_str("<p class=\"none\">None</p>\n");
    }
    let most = MEMBERS.min(bounds.rows);
    for (at, kind) in notable {
        finding(at, kind, prefix, most, names_capture, out);
    }
    if !for_information.is_empty() {
        let _ = writeln!(out, "<details class=\"infos\"><summary>For information ({})</summary>", for_information.len());
        for (at, kind) in for_information {
            finding(at, kind, prefix, most.min(5), names_capture, out);
        }
        out.push_str("</details>\n");
    }
}

fn finding(at: usize, kind: &Kind, prefix: &str, most: usize, names_capture: bool, out: &mut String) {
    let Some(first) = kind.first() else { return };
    let class = severity_class(&first.severity);
    let _ = write!(
        out,
        "<article class=\"finding {class}\" id=\"{prefix}f{}\">\n<h3>{} {}</h3>\n<p class=\"meta\">",
        at + 1,
        badge(&first.severity),
        escape::text(&first.title)
    );
    let mut about = vec![format!("Detection <code>{}</code>", escape::text(&first.detection))];
    if !first.confidence.is_empty() {
        about.push(format!("{} confidence", escape::text(&first.confidence)));
    }
    if !first.techniques.is_empty() {
        let links: Vec<String> = first.techniques.split(", ").map(technique).collect();
        about.push(format!("ATT&amp;CK {}", links.join(", ")));
    }
    if !first.tags.is_empty() {
        about.push(format!("tags {}", escape::text(&first.tags)));
    }
    if kind.members.len() > 1 {
        about.push(format!("{} times", thousands(kind.members.len())));
    }
    let _ = writeln!(out, "{}</p>\n<ol class=\"seen\">", about.join(" · "));
    for finding in kind.members.iter().take(most) {
        member(finding, names_capture, out);
    }
    out.push_str("</ol>\n");
    let left = kind.members.len().saturating_sub(most);
    if left > 0 {
        let _ = writeln!(out, "<p class=\"more\">{} more of this kind are left out here: --json FILE writes them all.</p>", thousands(left));
    }
    out.push_str("</article>\n");
}

fn member(finding: &Finding, names_capture: bool, out: &mut String) {
    let evidence: Vec<String> = finding.evidence.iter().map(|text| table::content(text)).collect();
    let _ = write!(out, "<li><p>{}</p><p class=\"where\">", evidence.join(". "));
    let mut facts = Vec::new();
    let hosts = finding.hosts("→");
    if !hosts.is_empty() {
        facts.push(format!("<b>{}</b>", escape::text(&hosts)));
    }
    if let Some(ts) = finding.ts {
        let until = finding
            .end_ts
            .filter(|end| end.saturating_sub(ts) >= 1_000_000_000)
            .map(|end| format!(" to <time>{}</time>", value::time(end, 0)))
            .unwrap_or_default();
        facts.push(format!("<time>{}</time>{until}", value::time(ts, 0)));
    }
    if finding.count > 1 {
        facts.push(format!("{} events", value::thousands(&finding.count.to_string())));
    }
    if !finding.frames.is_empty() {
        facts.push(format!("{} {}", if finding.frames.contains(',') { "frames" } else { "frame" }, escape::text(&finding.frames)));
    }
    if names_capture && !finding.capture.is_empty() {
        facts.push(escape::text(&finding.capture));
    }
    let _ = writeln!(out, "{}</p></li>", facts.join(" · "));
}

/// A technique, linked to its description if it is one of ATT&CK's.
fn technique(id: &str) -> String {
    let shown = escape::text(id);
    let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|letter| letter.is_ascii_digit());
    let path = match id.strip_prefix('T').map(|rest| rest.split_once('.').unwrap_or((rest, ""))) {
        Some((technique, "")) if digits(technique, 4) => format!("T{technique}/"),
        Some((technique, part)) if digits(technique, 4) && digits(part, 3) => format!("T{technique}/{part}/"),
        _ => return shown,
    };
    format!("<a href=\"https://attack.mitre.org/techniques/{path}\" rel=\"noopener noreferrer\">{shown}</a>")
}

fn timeline(brief: &Brief, kinds: &[Kind], span: Span, bounds: Bounds, out: &mut String) {
    let drawn = brief.picture("traffic").map(|rows| chart::traffic(rows, BINS, span)).unwrap_or_default();
    let lanes = chart::lanes(kinds, span);
    if !drawn.is_empty() {
        let _ = writeln!(
            out,
            "<figure class=\"chart time\"><figcaption>Bytes on the wire{} <span>each bar is {}</span></figcaption><div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Traffic and findings over time\">{drawn}{lanes}</div></figure>",
            if lanes.is_empty() { "" } else { ", and when findings were seen" },
            value::duration((span.to as f64 - span.from as f64) / 1e9 / BINS as f64, Place::Cell)
        );
    }
    let mut moments: Vec<&Finding> =
        kinds.iter().filter(|kind| kind.severity() != "info").flat_map(|kind| &kind.members).filter(|finding| finding.ts.is_some()).collect();
    moments.sort_by_key(|finding| (finding.ts, rank(&finding.severity)));
    if moments.is_empty() {
        return;
    }
    let runs = runs(&moments);
    let most = MOMENTS.min(bounds.rows);
    table::open("Findings in order of time", out);
    out.push_str("<th scope=\"col\" class=\"m\">First seen</th><th scope=\"col\" class=\"n\">Lasted</th><th scope=\"col\">Severity</th><th scope=\"col\">Finding</th><th scope=\"col\" class=\"n\">Times</th><th scope=\"col\" class=\"m\">Hosts</th></tr></thead>\n<tbody>\n");
    for run in runs.iter().take(most) {
        let hosts = run.first.hosts("→");
        let lasted = (run.until as f64 - run.from as f64).max(0.0) / 1e9;
        let _ = writeln!(
            out,
            "<tr><td class=\"m\">{}</td><td class=\"n\" data-k=\"{lasted}\">{}</td><td data-k=\"{}\">{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"m\">{}</td></tr>",
            value::time(run.from, 0),
            if lasted > 0.0 { value::duration(lasted, Place::Cell) } else { value::NULL.to_owned() },
            SEVERITIES.len() - rank(&run.first.severity),
            badge(&run.first.severity),
            escape::text(&run.first.title),
            run.times,
            if hosts.is_empty() { value::NULL.to_owned() } else { escape::text(&hosts) }
        );
    }
    table::close(out);
    let left = runs.len().saturating_sub(most);
    if left > 0 {
        let _ = writeln!(out, "<p class=\"more\">{} later ones are left out here: --json FILE writes them all.</p>", thousands(left));
    }
}

/// Findings of one headline and the same hosts that follow one another.
struct Run<'a> {
    first: &'a Finding,
    from: i64,
    until: i64,
    times: usize,
}

fn runs<'a>(moments: &[&'a Finding]) -> Vec<Run<'a>> {
    let mut runs: Vec<Run<'a>> = Vec::new();
    for finding in moments {
        let from = finding.ts.unwrap_or_default();
        let until = finding.end_ts.unwrap_or(from);
        let goes_on = |run: &&mut Run<'a>| run.first.title == finding.title && run.first.src == finding.src && run.first.dst == finding.dst;
        match runs.last_mut().filter(goes_on) {
            Some(run) => {
                run.times += 1;
                run.until = run.until.max(until);
            }
            None => runs.push(Run { first: finding, from, until, times: 1 }),
        }
    }
    runs
}

/// A report's sections, as the terminal has them; a chart beside the facts that open it.
fn report(report: &Report, bounds: Bounds, secrets: &mut Secrets, out: &mut String) {
    let chart = chart::of(&report.sections, secrets);
    let mut sections = report.sections.iter().peekable();
    out.push_str("<div class=\"lead\">\n");
    if let Some(first) = sections.next_if(|section| section.shape == Shape::Facts) {
        table::facts(&first.rows, secrets, out);
    }
    out.push_str(&chart.unwrap_or_default());
    out.push_str("</div>\n");
    let rest = format!("--{} --csv FILE writes them all", report.analyzer.replace('_', "-"));
    let mut empty: Vec<&Section> = Vec::new();
    for section in sections {
        if section.rows.num_rows() == 0 {
            empty.push(section);
            continue;
        }
        match section.shape {
            Shape::Facts => {
                let _ = writeln!(out, "<h3>{}</h3>", escape::text(&section.name));
                table::facts(&section.rows, secrets, out);
            }
            shape => {
                let digits = if shape == Shape::Timeline { 6 } else { 0 };
                table::table(&section.rows, &Frame { caption: &section.name, most: bounds.rows, rest: &rest, digits }, secrets, out);
            }
        }
    }
    if !empty.is_empty() {
        let names: Vec<String> = empty.iter().map(|section| escape::text(&section.name)).collect();
        let _ = writeln!(out, "<p class=\"none\">Without rows: {}</p>", names.join(", "));
    }
}
