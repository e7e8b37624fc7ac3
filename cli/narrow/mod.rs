//! What narrows a run: `--bpf`, `--time-start`, `--time-end`, `-ip`.

mod moment;

use std::net::IpAddr;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use pcapper_ingest::filter::{self, Filter};
use pcapper_queries::catalog::Selected;
use pcapper_queries::catalog::narrow::{self, Wanted};
use pcapper_queries::report::{Report, Section, Shape};

use crate::arguments::Given;
use crate::evidence;
use crate::render::value::{thousands, time};
use crate::select::{Selection, complain};
use crate::status::Status;

/// The options.
#[derive(Clone, Default, Debug)]
pub struct Options {
    /// The expression as given, and understood.
    bpf: Option<(String, Filter)>,
    start: Option<i64>,
    end: Option<i64>,
    /// Addresses and networks, in canonical spelling.
    ips: Vec<String>,
}

/// Reads the options; what is wrong with them is found before any capture is opened.
pub fn options(given: &Given) -> Result<Options, String> {
    let bpf = match given.text("bpf") {
        Some(text) => Some((text.to_owned(), Filter::parse(text).map_err(|error| format!("--bpf: {error}"))?)),
        None => None,
    };
    let moment = |name: &str| match given.text(name) {
        Some(text) => moment::parse(text).map(Some).map_err(|error| format!("--{name} {text}: {error}")),
        None => Ok(None),
    };
    let (start, end) = (moment("time-start")?, moment("time-end")?);
    if let (Some(start), Some(end)) = (start, end)
        && start > end
    {
        return Err(format!("--time-start lies after --time-end: {} is later than {}", time(start, 9), time(end, 9)));
    }
    let mut ips = Vec::new();
    // Details of a host draw on what others say of it, and a newcomer in its timeline is one beside the others: both take the
    // address for a subject, and nothing is left out.
    let is_subject = given.switch("hostdetails") || given.switch("timeline");
    if let Some(list) = given.text("ip").filter(|_| !is_subject) {
        for item in list.split(',') {
            ips.push(address(item.trim()).ok_or_else(|| format!("-ip {item}: an address or a network such as 10.0.0.0/8 is needed"))?);
        }
    }
    if ips.is_empty() && given.switch("timeline") && given.text("ip").is_none() {
        return Err("--timeline needs -ip ADDR".to_owned());
    }
    Ok(Options { bpf, start, end, ips })
}

/// An address or network in canonical spelling.
fn address(text: &str) -> Option<String> {
    let Some((base, length)) = text.split_once('/') else { return text.parse::<IpAddr>().ok().map(|ip| ip.to_string()) };
    let base: IpAddr = base.parse().ok()?;
    let length: u8 = length.parse().ok()?;
    (length <= if base.is_ipv4() { 32 } else { 128 }).then(|| format!("{base}/{length}"))
}

impl Options {
    /// Nothing narrows the run.
    pub fn is_empty(&self) -> bool {
        self.bpf.is_none() && self.start.is_none() && self.end.is_none() && self.ips.is_empty()
    }

    /// What was resolved, in words.
    fn spelled(&self) -> String {
        let mut parts = Vec::new();
        match (self.start, self.end) {
            (Some(start), Some(end)) => parts.push(format!("time {} to {}", time(start, 9), time(end, 9))),
            (Some(start), None) => parts.push(format!("time from {}", time(start, 9))),
            (None, Some(end)) => parts.push(format!("time to {}", time(end, 9))),
            (None, None) => {}
        }
        if !self.ips.is_empty() {
            parts.push(format!("address {}", self.ips.join(", ")));
        }
        parts.extend(self.bpf.as_ref().map(|(text, _)| format!("bpf {text}")));
        parts.join("; ")
    }
}

/// Works out the selected frames of every capture. A capture of which that cannot be said is left out, and told.
pub async fn apply(options: &Options, selection: &mut Selection) {
    if options.is_empty() {
        return;
    }
    let mut kept = Vec::with_capacity(selection.captures.len());
    for mut capture in std::mem::take(&mut selection.captures) {
        match frames(options, selection, &capture).await {
            Ok(frames) => {
                if frames.count == 0 {
                    complain(&format!("{}: no packet matches the filter", capture.name));
                }
                capture.narrowed = Some(Arc::new(frames));
                kept.push(capture);
            }
            Err(message) => {
                complain(&format!("{}: {message}", capture.name));
                selection.skipped.push((capture.name, message));
                selection.status = selection.status.worse(Status::Partly);
            }
        }
    }
    if kept.is_empty() {
        selection.status = Status::NothingDone;
    }
    selection.captures = kept;
}

async fn frames(options: &Options, selection: &Selection, capture: &Selected) -> Result<narrow::Frames, String> {
    let matching = match &options.bpf {
        Some((_, filter)) => {
            evidence::unchanged(capture)?;
            Some(filter::matching(&capture.path, filter).map_err(|error| match error {
                filter::MatchError::Filter(error) => format!("--bpf: {error}"),
                filter::MatchError::Open(error) => error.to_string(),
            })?)
        }
        None => None,
    };
    let wanted = Wanted { start: options.start, end: options.end, ips: options.ips.clone(), frames: matching };
    narrow::select(&selection.lake, capture, &wanted).await.map_err(|error| crate::render::sql::one_line(&error))
}

/// Says in a report what it is narrowed to.
pub fn tell(options: &Options, captures: &[Selected], report: &mut Report) {
    if options.is_empty() {
        return;
    }
    let selected: u64 = captures.iter().filter_map(|capture| capture.narrowed.as_ref()).map(|frames| frames.count).sum();
    let packets: u64 = captures.iter().map(|capture| capture.manifest.packets).sum();
    let of = format!("{} of {}", thousands(&selected.to_string()), thousands(&packets.to_string()));
    let facts =
        [("Filter", options.spelled()), ("Packets Selected", of), ("Note", "flows with a selected packet count with all their packets".to_owned())];
    let mut fields: Vec<Arc<Field>> = facts.iter().map(|(name, _)| Arc::new(Field::new(*name, DataType::Utf8, false))).collect();
    let mut columns: Vec<ArrayRef> = facts.iter().map(|(_, value)| Arc::new(StringArray::from(vec![value.as_str()])) as ArrayRef).collect();
    let first = report.sections.first_mut().filter(|section| section.shape == Shape::Facts && section.rows.num_rows() == 1);
    if let Some(section) = &first {
        fields.extend(section.rows.schema().fields().iter().cloned());
        columns.extend(section.rows.columns().iter().cloned());
    }
    // One row each, and as many columns as fields: there is nothing that could fail.
    let Ok(rows) = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns) else { return };
    match first {
        Some(section) => section.rows = rows,
        None => report.sections.insert(0, Section { name: "filter".to_owned(), shape: Shape::Facts, limit: None, rows }),
    }
}
