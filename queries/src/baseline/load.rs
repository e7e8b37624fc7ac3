//! Reading a baseline.

use std::borrow::Cow;
use std::path::Path;

use datafusion::arrow::array::RecordBatch;
use pcapper_schema::table::{Columns, Common, Row, TableBuilder};
use pcapper_schema::tables::{self, BaselineCommands, BaselineConversations, BaselineFunctions, BaselineHosts, BaselineServices, BaselineTargets};
use serde_json::Value;

use crate::Result;
use crate::catalog::Catalog;

/// Files above this size are refused.
const LONGEST_FILE: u64 = 1 << 30;

/// A baseline that was read.
#[derive(Debug, Clone)]
pub struct Baseline {
    document: Value,
    path: String,
}

/// Reads a file. An error is one line for the user.
pub fn load(path: &Path) -> std::result::Result<Baseline, String> {
    let shown = path.display().to_string();
    let fail = |what: String| format!("--baseline-compare {shown}: {what}");
    let size = std::fs::metadata(path).map_err(|error| fail(error.to_string()))?.len();
    if size > LONGEST_FILE {
        return Err(fail(format!("{size} bytes; baselines of up to {LONGEST_FILE} bytes are read")));
    }
    let bytes = std::fs::read(path).map_err(|error| fail(error.to_string()))?;
    let document: Value = serde_json::from_slice(&bytes).map_err(|error| fail(format!("not JSON ({error})")))?;
    if !document.get("hosts").is_some_and(Value::is_array) || !document.get("services").is_some_and(Value::is_array) {
        return Err(fail("no baseline: \"hosts\" and \"services\" are missing".to_owned()));
    }
    Ok(Baseline { document, path: shown })
}

/// Texts of a list; none where it is no list of texts.
fn texts<'a>(value: Option<&'a Value>) -> Vec<Cow<'a, str>> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(|text| text.as_str().map(Cow::Borrowed)).collect()
}

/// Collects the rows of one table.
type Rows<R> = TableBuilder<<R as Row>::Columns>;

fn collected<C: Columns>(fill: impl FnOnce(&mut TableBuilder<C>)) -> RecordBatch {
    let mut table = TableBuilder::default();
    fill(&mut table);
    table.finish("", "")
}

const NOWHERE: Common =
    Common { frame: 0, ts: None, flow_id: None, src_ip: None, dst_ip: None, src_port: None, dst_port: None, src_mac: None, dst_mac: None };

impl Baseline {
    /// Gives a catalog the tables to compare with.
    pub fn bring(&self, catalog: &Catalog) -> Result<()> {
        catalog.bring("baseline", self.head())?;
        catalog.bring("baseline_hosts", self.hosts())?;
        catalog.bring("baseline_services", self.services())?;
        catalog.bring("baseline_commands", self.commands())?;
        catalog.bring("baseline_targets", self.targets())?;
        catalog.bring("baseline_conversations", self.conversations())?;
        catalog.bring("baseline_functions", self.functions())
    }

    fn list(&self, key: &str) -> &[Value] {
        self.document.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    fn head(&self) -> RecordBatch {
        let text = |key: &str| self.document.get(key).and_then(Value::as_str);
        let form = self.document.get("schema").and_then(Value::as_u64).unwrap_or(1);
        let captures = self.list("captures").len().max(self.list("sources").len());
        collected(|rows: &mut Rows<tables::Baseline<'_>>| {
            rows.push(
                &NOWHERE,
                tables::Baseline {
                    path: Some(&self.path),
                    version: text("pcapper_version"),
                    created_at: text("created_at"),
                    form: u32::try_from(form).ok(),
                    captures: u32::try_from(captures).ok(),
                    duration_s: self.document.get("duration_s").and_then(Value::as_f64),
                },
            );
        })
    }

    fn hosts(&self) -> RecordBatch {
        collected(|rows: &mut Rows<BaselineHosts<'_>>| {
            for host in self.list("hosts") {
                let ports = host.get("open_ports").and_then(Value::as_array).into_iter().flatten();
                let ports: Vec<Cow<'_, str>> = ports
                    .filter_map(|port| {
                        Some(Cow::Owned(format!(
                            "{}/{}",
                            port.get("protocol").and_then(Value::as_str).unwrap_or("tcp").to_lowercase(),
                            port.get("port")?.as_u64()?
                        )))
                    })
                    .collect();
                let (macs, names) = (texts(host.get("macs")), texts(host.get("hostnames")));
                rows.push(
                    &NOWHERE,
                    BaselineHosts {
                        ip: host.get("ip").and_then(Value::as_str),
                        macs: Some(&macs),
                        hostnames: Some(&names),
                        os: host.get("os").and_then(Value::as_str).filter(|os| !os.is_empty()),
                        ports: Some(&ports),
                    },
                );
            }
        })
    }

    fn services(&self) -> RecordBatch {
        collected(|rows: &mut Rows<BaselineServices<'_>>| {
            for service in self.list("services") {
                let clients = texts(service.get("clients"));
                let text = |key: &str| service.get(key).and_then(Value::as_str);
                let protocol = text("protocol").map(str::to_lowercase);
                rows.push(
                    &NOWHERE,
                    BaselineServices {
                        ip: text("ip"),
                        port: service.get("port").and_then(Value::as_u64).and_then(|port| u16::try_from(port).ok()),
                        protocol: protocol.as_deref(),
                        service: text("service").filter(|service| !service.is_empty()),
                        software: text("software"),
                        clients: Some(&clients),
                    },
                );
            }
        })
    }

    fn commands(&self) -> RecordBatch {
        collected(|rows: &mut Rows<BaselineCommands<'_>>| {
            for (name, count) in self.document.get("ot_commands").and_then(Value::as_object).into_iter().flatten() {
                rows.push(&NOWHERE, BaselineCommands { name: Some(name), count: count.as_u64() });
            }
        })
    }

    fn targets(&self) -> RecordBatch {
        collected(|rows: &mut Rows<BaselineTargets<'_>>| {
            for (protocol, targets) in self.document.get("control_targets").and_then(Value::as_object).into_iter().flatten() {
                for (target, count) in targets.as_object().into_iter().flatten() {
                    rows.push(&NOWHERE, BaselineTargets { protocol: Some(protocol), target: Some(target), count: count.as_u64() });
                }
            }
        })
    }

    fn conversations(&self) -> RecordBatch {
        collected(|rows: &mut Rows<BaselineConversations<'_>>| {
            for one in self.list("conversations") {
                let text = |key: &str| one.get(key).and_then(Value::as_str);
                let number = |key: &str| one.get(key).and_then(Value::as_u64);
                let (flows, bytes) = (number("flows"), number("bytes"));
                rows.push(
                    &NOWHERE,
                    BaselineConversations { src: text("src"), dst: text("dst"), protocol: text("protocol"), service: text("service"), flows, bytes },
                );
            }
        })
    }

    fn functions(&self) -> RecordBatch {
        collected(|rows: &mut Rows<BaselineFunctions<'_>>| {
            for one in self.list("ot_pairs") {
                let text = |key: &str| one.get(key).and_then(Value::as_str);
                rows.push(
                    &NOWHERE,
                    BaselineFunctions {
                        client: text("client"),
                        server: text("server"),
                        protocol: text("protocol"),
                        function: text("function"),
                        category: text("category"),
                        count: one.get("count").and_then(Value::as_u64),
                    },
                );
            }
        })
    }
}
