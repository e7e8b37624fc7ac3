//! `--search STRING`: where a text occurs in frames and streams.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use pcapper_ingest::evidence::{self, Dir, Encoding, Found, Heard, HeardLayer, Needle, Searcher, Share, What};
use pcapper_queries::catalog::Catalog;
use pcapper_queries::report::{Report, Shape};

use super::rows::{self, Rows, facts};
use super::{Subject, empty_findings, query, report};
use crate::render::terminal::{MATCH, MATCH_EXACT};

/// Rows on a terminal unless all are asked for.
const ROWS: usize = 20;
/// Most occurrences that are listed; all are counted.
const MAX_LISTED: usize = 1_000_000;
/// Characters of context on each side.
const AROUND: usize = 30;

/// What is looked for.
#[derive(Clone, Debug)]
pub struct Options {
    pub text: String,
    pub exact: bool,
}

struct Match {
    frame: u64,
    ts: i64,
    place: String,
    encoding: Encoding,
    context: String,
}

/// What was found in a capture.
#[derive(Default)]
pub struct Hits {
    /// Name of the capture.
    pcap: String,
    scanned: u64,
    total: u64,
    /// Frames with a match.
    frames: usize,
    matches: Vec<Match>,
    /// Ends of the frames with a match.
    ends: HashMap<u64, Ends>,
    /// Why the capture could not be looked through.
    fault: Option<String>,
}

impl Hits {
    /// A capture that could not be looked through.
    pub fn failed(pcap: &str, fault: &str) -> Self {
        Self { pcap: pcap.to_owned(), fault: Some(fault.to_owned()), ..Self::default() }
    }
}

/// Looks through a capture.
pub async fn search(subject: &Subject<'_>, catalog: &Catalog, options: &Options) -> Result<Hits, String> {
    super::unchanged(subject.capture)?;
    let needle = Needle::new(&options.text, options.exact);
    let path = &subject.capture.path;
    let (mut scanned, mut total) = (0_u64, 0_u64);
    let mut frames = BTreeSet::new();
    let mut matches: Vec<Match> = Vec::new();
    evidence::each_frame(path, |meta, bytes, _| {
        if !subject.has_frame(meta.number) {
            return true;
        }
        scanned += 1;
        let bytes = evidence::above_link(meta.link_type, bytes);
        for found in needle.find(bytes) {
            total += 1;
            frames.insert(meta.number);
            if matches.len() < MAX_LISTED {
                let context = context(bytes, &found);
                matches.push(Match { frame: meta.number, ts: meta.ts, place: "frame".to_owned(), encoding: found.encoding, context });
            }
        }
        true
    })
    .map_err(|error| error.to_string())?;
    // A stream's direction, as it went over the line or as keys opened it, by the flow.
    let mut searchers: HashMap<u64, Vec<(HeardLayer, Dir, Searcher)>> = HashMap::new();
    evidence::streams(path, &Share::All, subject.keys.as_ref(), |heard| {
        let is_opened = heard.layer != HeardLayer::Wire;
        let found: Vec<(String, Found, Cow<'_, [u8]>)> = match &heard.what {
            // What frames hold whole was found above.
            What::Datagram(bytes, starts) => {
                let crosses = |found: &Found| starts.iter().any(|start| found.start < *start && *start < found.start + found.length);
                let found = needle.find(bytes).into_iter().filter(crosses);
                found.map(|found| (format!("datagram+{}", found.start), found, Cow::Borrowed(bytes.as_slice()))).collect()
            }
            What::Bytes(bytes) if heard.proto == 6 || is_opened => {
                let searcher = searcher(&mut searchers, &heard);
                let whole_at = searcher.next_offset();
                let place = |offset: u64| match heard.layer {
                    HeardLayer::Wire => format!("stream+{offset}"),
                    HeardLayer::Opened(protocol, None) => format!("{protocol}+{offset}"),
                    HeardLayer::Opened(protocol, Some(stream)) => format!("{protocol}:{stream}+{offset}"),
                };
                let across = searcher.piece(&needle, bytes);
                let mut found: Vec<_> = across.into_iter().map(|(offset, found, around)| (place(offset), found, Cow::Owned(around))).collect();
                if is_opened {
                    let whole = needle.find(bytes).into_iter();
                    found.extend(whole.map(|found| (place(whole_at + found.start as u64), found, Cow::Borrowed(bytes.as_slice()))));
                }
                found
            }
            What::Bytes(_) => Vec::new(),
            What::Gap(lost) => {
                searcher(&mut searchers, &heard).gap(*lost);
                Vec::new()
            }
            What::Closed => {
                searchers.remove(&heard.flow_id);
                Vec::new()
            }
        };
        let moment = heard.moment;
        for (place, found, around) in found {
            if !subject.has_frame(moment.frame) {
                continue;
            }
            total += 1;
            frames.insert(moment.frame);
            if matches.len() < MAX_LISTED {
                let context = context(&around, &found);
                matches.push(Match { frame: moment.frame, ts: moment.ts, place, encoding: found.encoding, context });
            }
        }
    })
    .map_err(|error| error.to_string())?;
    matches.sort_by(|a, b| (a.frame, &a.place).cmp(&(b.frame, &b.place)));
    let ends = ends(catalog, &matches).await?;
    let pcap = subject.capture.name.clone();
    Ok(Hits { pcap, scanned, total, frames: frames.len(), matches, ends, fault: None })
}

/// The report on one capture, or on several as one.
pub fn report_on(parts: &[Hits], options: &Options, subject: String, merged: bool) -> Report {
    let sum = |count: fn(&Hits) -> u64| crate::render::value::thousands(&parts.iter().map(count).sum::<u64>().to_string());
    let listed: Vec<(&Hits, &Match)> = parts.iter().flat_map(|part| part.matches.iter().map(move |one| (part, one))).collect();
    let total: u64 = parts.iter().map(|part| part.total).sum();
    let mut told = vec![
        ("Query", options.text.clone()),
        ("Case Sensitive", if options.exact { "yes" } else { "no" }.to_owned()),
        ("Packets Scanned", sum(|part| part.scanned)),
        ("Matches", sum(|part| part.total)),
        ("Packets Matched", sum(|part| part.frames as u64)),
    ];
    if total as usize > listed.len() {
        told.push(("Listed", format!("the first {MAX_LISTED}{}", if merged { " of a capture" } else { "" })));
    }
    if total == 0 {
        told.push(("Result", "No matches found.".to_owned()));
    }
    let mut sections = vec![facts(told)];
    if !listed.is_empty() {
        let end = |(part, one): &(&Hits, &Match), cell: fn(&Ends) -> Option<String>| part.ends.get(&one.frame).and_then(cell);
        let mut details = Rows::default();
        if merged {
            details = details.text("PCAP", listed.iter().map(|(part, _)| part.pcap.clone()));
        }
        let details = details
            .number("Pkt", listed.iter().map(|(_, one)| one.frame))
            .time("Time", listed.iter().map(|(_, one)| one.ts))
            .text("Src", listed.iter().map(|one| end(one, |ends| ends.src.clone())))
            .text("Dst", listed.iter().map(|one| end(one, |ends| ends.dst.clone())))
            .text("Proto", listed.iter().map(|one| end(one, |ends| ends.protocol.clone())))
            .text("Sport", listed.iter().map(|one| end(one, |ends| ends.src_port.clone())))
            .text("Dport", listed.iter().map(|one| end(one, |ends| ends.dst_port.clone())))
            .text("Len", listed.iter().map(|one| end(one, |ends| ends.length.clone())))
            .text("Where", listed.iter().map(|(_, one)| one.place.clone()))
            .text("Encoding", listed.iter().map(|(_, one)| one.encoding.name().to_owned()))
            .text("Context", listed.iter().map(|(_, one)| one.context.clone()))
            .mark(MATCH, &options.text)
            .mark(MATCH_EXACT, if options.exact { "yes" } else { "no" })
            .section("Match Details", Shape::Table, Some(ROWS));
        sections.push(details);
    }
    if merged {
        let totals = Rows::default()
            .text("PCAP", parts.iter().map(|part| part.pcap.clone()))
            .number("Matches", parts.iter().map(|part| part.total))
            .number("Packets", parts.iter().map(|part| part.frames as u64))
            .number("Shown Hits", parts.iter().map(|part| part.matches.len() as u64))
            .text("Errors", parts.iter().map(|part| part.fault.clone()))
            .section("Per-PCAP Match Totals", Shape::Table, None);
        sections.push(totals);
    }
    report("search", "SEARCH RESULTS", subject, sections, empty_findings())
}

/// The searcher of the direction that something was heard in.
fn searcher<'s>(searchers: &'s mut HashMap<u64, Vec<(HeardLayer, Dir, Searcher)>>, heard: &Heard) -> &'s mut Searcher {
    let of_flow = searchers.entry(heard.flow_id).or_default();
    let at = of_flow.iter().position(|(layer, dir, _)| (*layer, *dir) == (heard.layer, heard.dir)).unwrap_or_else(|| {
        of_flow.push((heard.layer, heard.dir, Searcher::default()));
        of_flow.len() - 1
    });
    &mut of_flow[at].2
}

/// What a frame's row says of it.
struct Ends {
    src: Option<String>,
    dst: Option<String>,
    protocol: Option<String>,
    src_port: Option<String>,
    dst_port: Option<String>,
    length: Option<String>,
}

async fn ends(catalog: &Catalog, matches: &[Match]) -> Result<HashMap<u64, Ends>, String> {
    let (Some(first), Some(last)) = (matches.first(), matches.last()) else { return Ok(HashMap::new()) };
    let wanted: BTreeSet<u64> = matches.iter().map(|one| one.frame).collect();
    let sql = format!(
        "SELECT frame, coalesce(CAST(src_ip AS VARCHAR), CAST(src_mac AS VARCHAR)) AS src, coalesce(CAST(dst_ip AS VARCHAR), CAST(dst_mac AS VARCHAR)) AS dst,
         protocol, src_port, dst_port, frame_len FROM packets WHERE frame BETWEEN {} AND {}",
        first.frame, last.frame
    );
    let batches = catalog.sql(&sql).await.map_err(|error| query(&error))?.collect().await.map_err(|error| query(&error))?;
    let mut ends = HashMap::new();
    for batch in &batches {
        for row in 0..batch.num_rows() {
            let Some(frame) = rows::number(batch, "frame", row).filter(|frame| wanted.contains(frame)) else { continue };
            let cell = |name: &str| rows::text(batch, name, row);
            let (src, dst, protocol) = (cell("src"), cell("dst"), cell("protocol"));
            ends.insert(frame, Ends { src, dst, protocol, src_port: cell("src_port"), dst_port: cell("dst_port"), length: cell("frame_len") });
        }
    }
    Ok(ends)
}

/// The occurrence with what stands around it, as text: a point for each character that cannot be shown.
fn context(bytes: &[u8], found: &Found) -> String {
    let width = if found.encoding == Encoding::Utf8 { 1 } else { 2 };
    let before = (found.start / width).min(AROUND) * width;
    let end = found.start.saturating_add(found.length).saturating_add(AROUND * width).min(bytes.len());
    let slice = bytes.get(found.start - before..end).unwrap_or_default();
    let shown = |letter: char| if letter.is_control() || letter == char::REPLACEMENT_CHARACTER { '.' } else { letter };
    if found.encoding == Encoding::Utf8 {
        return String::from_utf8_lossy(slice).chars().map(shown).collect();
    }
    let units = slice.chunks_exact(2).map(|pair| {
        let pair = [pair[0], pair[1]];
        if found.encoding == Encoding::Utf16Le { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) }
    });
    char::decode_utf16(units).map(|letter| shown(letter.unwrap_or(char::REPLACEMENT_CHARACTER))).collect()
}
