//! `--html`: the report as one page that needs nothing but itself, for people who never open a terminal.
//!
//! Nothing is fetched: style, script and drawings stand in the page, and a content security policy allows these alone. All that
//! comes from packets goes through [`escape::text`]. The page is bounded: rows are left out, and counted, until it fits.

mod chart;
mod escape;
mod map;
mod parts;
mod table;

use std::fmt::Write as _;
use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::{Answered, Answers};
use crate::render::value::Secrets;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Largest page, in bytes.
const LARGEST: usize = 4_500_000;
/// Rows of a table: as many as there is room for, between these.
const ROWS: usize = 400;
const ROWS_LEAST: usize = 12;

/// How much of everything a page shows.
#[derive(Clone, Copy)]
pub struct Bounds {
    /// Rows of a table.
    pub rows: usize,
    /// Captures, each with reports of its own.
    pub parts: usize,
}

/// Writes the page of a run, or of a part of it; gives the findings on it.
pub fn write(answers: &Answers<'_>, parts: &[&Answered], to: &mut dyn Write) -> io::Result<u64> {
    to.write_all(fitting(answers, parts).as_bytes())?;
    Ok(super::brief::findings(parts))
}

/// The fullest page that is not too large.
fn fitting(answers: &Answers<'_>, parts: &[&Answered]) -> String {
    let mut bounds = Bounds { rows: ROWS, parts: parts.len() };
    loop {
        let page = page(answers, parts, bounds);
        if page.len() <= LARGEST || (bounds.rows <= ROWS_LEAST && bounds.parts <= 1) {
            return page;
        }
        if bounds.rows > ROWS_LEAST {
            bounds.rows = (bounds.rows / 2).max(ROWS_LEAST);
        } else {
            bounds.parts = bounds.parts.div_ceil(2);
        }
    }
}

/// What the list of contents names: place, text, and whether it opens a part.
pub struct Entry {
    pub anchor: String,
    pub text: String,
    pub level: u8,
}

fn page(answers: &Answers<'_>, parts: &[&Answered], bounds: Bounds) -> String {
    let mut secrets = Secrets::default();
    let (mut body, mut contents) = (String::new(), Vec::new());
    let several = parts.len() > 1;
    let title = match parts {
        [one] => parts::name(answers, one),
        several => format!("{} captures", several.len()),
    };
    if several {
        parts::captures(answers, parts, bounds, &mut secrets, &mut contents, &mut body);
    }
    for (at, one) in parts.iter().take(bounds.parts).enumerate() {
        let prefix = if several { format!("c{}-", at + 1) } else { String::new() };
        parts::part(answers, one, &prefix, bounds, &mut secrets, &mut contents, &mut body);
    }
    let title = escape::text(&title);
    let mut page = String::with_capacity(body.len() + STYLE.len() + SCRIPT.len() + 8192);
    let _ = writeln!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<title>{title} · network capture report</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#main\">Skip to the report</a>\n\
         <header><p>Network capture report</p><h1>{title}</h1><button type=\"button\" id=\"theme\" hidden>Light / dark</button></header>",
        hash(STYLE),
        hash(SCRIPT),
    );
    page.push_str("<details id=\"contents\" open><summary>Contents</summary><nav aria-label=\"Contents\"><ul>\n");
    for entry in &contents {
        let _ = writeln!(page, "<li class=\"l{}\"><a href=\"#{}\">{}</a></li>", entry.level, entry.anchor, escape::text(&entry.text));
    }
    page.push_str("</ul></nav></details>\n<main id=\"main\">\n");
    page.push_str(&body);
    let _ = writeln!(
        page,
        "</main>\n<footer>Written by pcapper {}. Times are UTC. Sizes count 1 KB as 1024 bytes. Passwords, keys and tokens are shown as redacted:N unless they were asked for.</footer>\n<script>{SCRIPT}</script>\n</body>\n</html>",
        env!("CARGO_PKG_VERSION")
    );
    page
}

/// What names a script or style of ours in the policy.
fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text.as_bytes())))
}
