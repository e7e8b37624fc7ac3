//! `--follow`, `--follow-id`, `--lookup-stream-id`: one conversation, and what its two ends said.

use std::net::IpAddr;

use arrow::array::RecordBatch;
use pcapper_ingest::evidence::{self, Dir, HeardLayer, Share, What};
use pcapper_queries::catalog::Catalog;
use pcapper_queries::report::{Report, Section, Shape};
use pcapper_queries::run;

use super::rows::{self, Rows, facts};
use super::{Subject, dump, empty_findings, query, report};

/// Bytes shown unless all are asked for.
const SHOWN: usize = 4 << 10;
/// Bytes shown at most.
const MOST: usize = 16 << 20;

/// Which conversation is meant.
#[derive(Clone, Debug)]
pub enum Which {
    /// Two ends, in either order, of TCP or UDP; the how-many-th of several connections, from 1.
    Ends {
        transport: &'static str,
        one: (String, u16),
        other: (String, u16),
        number: usize,
    },
    /// The id of two ends.
    StreamId(String),
    CommunityId(String),
    FlowId(u64),
}

impl Which {
    /// `src:port->dst:port`, `udp:` before it and `#2` behind it perhaps.
    pub fn flow(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "--follow {text}: src:port->dst:port is needed (IPv6 in brackets or plain; udp: before it, #2 behind it for the second connection)"
            )
        };
        let (transport, rest) = match text.split_once(':') {
            Some(("udp", rest)) => ("udp", rest),
            Some(("tcp", rest)) => ("tcp", rest),
            _ => ("tcp", text),
        };
        let (rest, number) = match rest.rsplit_once('#') {
            Some((rest, number)) => (rest, number.parse().ok().filter(|number| *number >= 1).ok_or_else(wrong)?),
            None => (rest, 1),
        };
        let (one, other) = rest.split_once("->").ok_or_else(wrong)?;
        let end = |text: &str| -> Option<(String, u16)> {
            let (ip, port) = text.trim().rsplit_once(':')?;
            let ip: IpAddr = ip.trim_start_matches('[').trim_end_matches(']').parse().ok()?;
            Some((ip.to_string(), port.parse().ok()?))
        };
        Ok(Self::Ends { transport, one: end(one).ok_or_else(wrong)?, other: end(other).ok_or_else(wrong)?, number })
    }

    /// The 12 digits of a stream id, a `flow_id`, or a Community ID.
    pub fn id(option: &str, text: &str) -> Result<Self, String> {
        let lower = text.to_lowercase();
        if text.starts_with("1:") && text.len() > 10 && text.chars().all(|letter| letter.is_ascii_alphanumeric() || "+/=:".contains(letter)) {
            return Ok(Self::CommunityId(text.to_owned()));
        }
        if lower.len() == 12 && lower.chars().all(|digit| digit.is_ascii_hexdigit()) {
            return Ok(Self::StreamId(lower));
        }
        let number = text.parse().ok().filter(|_| text.chars().all(|digit| digit.is_ascii_digit()));
        number.map(Self::FlowId).ok_or_else(|| format!("--{option} {text}: 12 hexadecimal digits, a flow_id or a Community ID (1:...) are needed"))
    }

    fn condition(&self) -> String {
        match self {
            Self::Ends { transport, one, other, .. } => {
                let way = |(src, sport): &(String, u16), (dst, dport): &(String, u16)| {
                    format!("(src_ip = '{src}' AND src_port = {sport} AND dst_ip = '{dst}' AND dst_port = {dport})")
                };
                format!("transport = '{transport}' AND ({} OR {})", way(one, other), way(other, one))
            }
            Self::StreamId(id) => {
                format!("transport IN ('tcp', 'udp') AND stream_id(CAST(src_ip AS VARCHAR), src_port, CAST(dst_ip AS VARCHAR), dst_port) = '{id}'")
            }
            Self::CommunityId(id) => format!("community_id = '{id}'"),
            Self::FlowId(id) => format!("flow_id = {id}"),
        }
    }

    /// As the user wrote it, or nearly.
    pub fn spelled(&self) -> String {
        match self {
            Self::Ends { transport, one, other, number } => {
                let nth = if *number > 1 { format!(" #{number}") } else { String::new() };
                format!("{transport} {}:{} -> {}:{}{nth}", one.0, one.1, other.0, other.1)
            }
            Self::StreamId(id) | Self::CommunityId(id) => id.clone(),
            Self::FlowId(id) => id.to_string(),
        }
    }

    fn number(&self) -> usize {
        if let Self::Ends { number, .. } = self { *number } else { 1 }
    }
}

/// The conversations meant, in order of their first frame.
async fn flows(catalog: &Catalog, which: &Which) -> Result<RecordBatch, String> {
    let sql = format!(
        "SELECT flow_id, ts, end_ts, transport, src_ip, src_port, dst_ip, dst_port, service, conn_state, history, orig_bytes, resp_bytes, missed_bytes, community_id,
           stream_id(CAST(src_ip AS VARCHAR), src_port, CAST(dst_ip AS VARCHAR), dst_port) AS stream_id
         FROM flows WHERE {} ORDER BY flow_id",
        which.condition()
    );
    run::rows(catalog, &sql).await.map_err(|error| query(&error))
}

/// An end of a conversation, as `10.0.0.1:80`.
fn end(flows: &RecordBatch, row: usize, ip: &str, port: &str) -> String {
    let ip = rows::text(flows, ip, row).unwrap_or_default();
    match rows::text(flows, port, row) {
        Some(port) if ip.contains(':') => format!("[{ip}]:{port}"),
        Some(port) => format!("{ip}:{port}"),
        None => ip,
    }
}

/// The addresses and ports behind an id; `None` if the capture does not have it.
pub async fn lookup(subject: &Subject<'_>, catalog: &Catalog, which: &Which) -> Result<Option<Report>, String> {
    let flows = flows(catalog, which).await?;
    if flows.num_rows() == 0 {
        return Ok(None);
    }
    let mut told = vec![("Lookup Stream ID", which.spelled())];
    let mut known = Vec::new();
    for row in 0..flows.num_rows() {
        let transport = rows::text(&flows, "transport", row).unwrap_or_default().to_uppercase();
        let mut ends = [("src_ip", "src_port"), ("dst_ip", "dst_port")]
            .map(|(ip, port)| (rows::text(&flows, ip, row), rows::number(&flows, port, row), end(&flows, row, ip, port)));
        ends.sort();
        let tuple = format!("{transport} {} <-> {}", ends[0].2, ends[1].2);
        if !known.contains(&tuple) {
            known.push(tuple);
        }
    }
    told.extend(known.into_iter().map(|tuple| ("Lookup 5-Tuple", tuple)));
    told.push(("Connections", flows.num_rows().to_string()));
    Ok(Some(report("streams_lookup", "STREAM LOOKUP", subject.capture.name.clone(), vec![facts(told)], empty_findings())))
}

/// The flow that is shown: its row and id.
fn chosen(flows: &RecordBatch, which: &Which) -> Option<(usize, u64)> {
    let row = which.number().checked_sub(1).filter(|row| *row < flows.num_rows())?;
    Some((row, rows::number(flows, "flow_id", row)?))
}

/// Gives `sink` the bytes of a conversation, the originator's and then the responder's; false if there is none.
pub async fn raw(subject: &Subject<'_>, catalog: &Catalog, which: &Which, mut sink: impl FnMut(&[u8])) -> Result<bool, String> {
    let flows = flows(catalog, which).await?;
    let Some((_, id)) = chosen(&flows, which) else { return Ok(false) };
    super::unchanged(subject.capture)?;
    let is_opened = is_opened(catalog, id).await?;
    for dir in [Dir::Orig, Dir::Resp] {
        evidence::streams(&subject.capture.path, &Share::HostsOf(vec![id]), subject.keys.as_ref(), |heard| {
            if let (true, What::Bytes(bytes)) =
                (heard.flow_id == id && heard.dir == dir && (heard.layer != HeardLayer::Wire) == is_opened, &heard.what)
            {
                sink(bytes);
            }
        })
        .map_err(|error| error.to_string())?;
    }
    Ok(true)
}

/// Whether keys opened something of a flow.
async fn is_opened(catalog: &Catalog, id: u64) -> Result<bool, String> {
    let sql =
        format!("SELECT count(*) AS n FROM decryption WHERE flow_id = {id} AND status <> 'clear' AND client_plain_bytes + server_plain_bytes > 0");
    let opened = run::rows(catalog, &sql).await.map_err(|error| query(&error))?;
    Ok(rows::number(&opened, "n", 0).is_some_and(|count| count > 0))
}

/// A line of the conversation.
struct Said {
    dir: Dir,
    frame: u64,
    offset: u64,
    hex: String,
    text: String,
}

/// The conversation; `None` if the capture does not have it.
pub async fn follow(subject: &Subject<'_>, catalog: &Catalog, which: &Which) -> Result<Option<Report>, String> {
    let flows = flows(catalog, which).await?;
    let Some((row, id)) = chosen(&flows, which) else { return Ok(None) };
    super::unchanged(subject.capture)?;
    let limit = if subject.verbose { MOST } else { SHOWN };
    let (mut offsets, mut gaps, mut bytes_of) = ([0_u64; 2], [(0_u64, 0_u64); 2], [0_u64; 2]);
    let (mut shown, mut said) = (0, Vec::new());
    let is_stream = rows::text(&flows, "transport", row).as_deref() == Some("tcp");
    let is_opened = is_opened(catalog, id).await?;
    let mut opened_by = None;
    evidence::streams(&subject.capture.path, &Share::HostsOf(vec![id]), subject.keys.as_ref(), |heard| {
        if heard.flow_id != id || (heard.layer != HeardLayer::Wire) != is_opened {
            return;
        }
        if let HeardLayer::Opened(protocol, _) = heard.layer {
            opened_by = Some(protocol);
        }
        let at = heard.dir.index();
        match &heard.what {
            What::Bytes(bytes) => {
                let visible = bytes.get(..bytes.len().min(limit.saturating_sub(shown))).unwrap_or_default();
                for line in dump::lines(visible, offsets[at]) {
                    said.push(Said { dir: heard.dir, frame: heard.moment.frame, offset: line.offset, hex: line.hex, text: line.text });
                }
                shown += visible.len();
                offsets[at] += bytes.len() as u64;
                bytes_of[at] += bytes.len() as u64;
            }
            What::Gap(lost) => {
                if shown < limit {
                    let hex = format!("-- {lost} bytes missing --");
                    said.push(Said { dir: heard.dir, frame: heard.moment.frame, offset: offsets[at], hex, text: String::new() });
                }
                offsets[at] += lost;
                gaps[at] = (gaps[at].0 + 1, gaps[at].1 + lost);
            }
            What::Closed | What::Datagram(..) => {}
        }
    })
    .map_err(|error| error.to_string())?;
    let cell = |name: &str| rows::text(&flows, name, row).unwrap_or_else(|| "-".to_owned());
    let sent = |at: usize| match gaps[at] {
        (0, _) => format!("{} bytes", bytes_of[at]),
        (count, lost) => format!("{} bytes, {count} gaps of {lost} bytes", bytes_of[at]),
    };
    let total = bytes_of[0] + bytes_of[1];
    let facts = Rows::default()
        .text("Stream ID", [cell("stream_id")])
        .text("Flow", [cell("flow_id")])
        .text("Community ID", [cell("community_id")])
        .text("Client", [end(&flows, row, "src_ip", "src_port")])
        .text("Server", [end(&flows, row, "dst_ip", "dst_port")])
        .text("Service", [cell("service")])
        .time("Start", [rows::time(&flows, "ts", row)])
        .time("End", [rows::time(&flows, "end_ts", row)])
        .text("State", [cell("conn_state")])
        .text("History", [cell("history")])
        .text("From Client", [sent(0)])
        .text("From Server", [sent(1)])
        .text(
            "Shown",
            [if (shown as u64) < total { format!("the first {shown} of {total} bytes (-v shows more, -raw all)") } else { "all".to_owned() }],
        );
    let facts = match opened_by {
        Some(protocol) => facts.text("Decrypted", [format!("what {protocol} carried is shown")]),
        None => facts,
    };
    let facts = facts.section("summary", Shape::Facts, None);
    let who = |dir: Dir| if dir == Dir::Orig { "client" } else { "server" };
    let talk = Rows::default()
        .text("From", said.iter().map(|line| who(line.dir).to_owned()))
        .number("Frame", said.iter().map(|line| line.frame))
        .text("Offset", said.iter().map(|line| format!("{:08x}", line.offset)))
        .text("Hex", said.iter().map(|line| line.hex.clone()))
        .text("Text", said.iter().map(|line| line.text.clone()))
        .section(
            match opened_by {
                Some(_) => "Conversation (decrypted)",
                None if is_stream => "Conversation",
                None => "Datagrams",
            },
            Shape::Table,
            None,
        );
    let mut sections: Vec<Section> = vec![facts];
    if flows.num_rows() > 1 {
        let all = 0..flows.num_rows();
        let connections = Rows::default()
            .number("#", all.clone().map(|row| row as u64 + 1))
            .number("Flow", all.clone().map(|row| rows::number(&flows, "flow_id", row)))
            .time("Start", all.clone().map(|row| rows::time(&flows, "ts", row)))
            .text("Client", all.clone().map(|row| end(&flows, row, "src_ip", "src_port")))
            .text("State", all.map(|row| rows::text(&flows, "conn_state", row)))
            .section("Connections of these ends", Shape::Table, Some(10));
        sections.push(connections);
    }
    sections.push(talk);
    Ok(Some(report("streams_follow", "STREAM", subject.capture.name.clone(), sections, empty_findings())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flows_as_written() {
        let spelled = |text: &str| Which::flow(text).map(|which| which.spelled()).unwrap_or_default();
        assert_eq!(spelled("10.0.0.1:80->10.0.0.2:4000"), "tcp 10.0.0.1:80 -> 10.0.0.2:4000");
        assert_eq!(spelled("udp:[fe80::1]:53->fe80::2:4000#2"), "udp fe80::1:53 -> fe80::2:4000 #2");
        for wrong in [
            "",
            "10.0.0.1:80",
            "10.0.0.1->10.0.0.2",
            "a:1->b:2",
            "10.0.0.1:80->10.0.0.2:70000",
            "10.0.0.1:1->10.0.0.2:2#0",
            "1.2.3.4:1->1.2.3.4:2' OR 1=1",
        ] {
            assert_eq!(spelled(wrong), "", "{wrong}");
        }
    }

    #[test]
    fn ids_as_written() {
        assert!(matches!(Which::id("follow-id", "9EBE5D847364"), Ok(Which::StreamId(id)) if id == "9ebe5d847364"));
        assert!(matches!(Which::id("follow-id", "17"), Ok(Which::FlowId(17))));
        assert!(matches!(Which::id("follow-id", "1:LQU9qZlK+B5F3KDmev6m5PMibrg="), Ok(Which::CommunityId(_))));
        for wrong in ["", "x", "-1", "1:'; DROP", "9ebe5d84736"] {
            assert!(Which::id("follow-id", wrong).is_err(), "{wrong}");
        }
    }
}
