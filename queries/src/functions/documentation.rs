//! What each function is, for its users: the dictionary that `--describe` prints.

/// What a function is called on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// One row.
    Scalar,
    /// The rows of a group.
    Aggregate,
    /// Numbers; it stands where a table does.
    Table,
}

/// A function's entry in the dictionary; it stands beside the function.
#[derive(Clone, Copy, Debug)]
pub struct FunctionDoc {
    pub name: &'static str,
    pub kind: Kind,
    pub signature: &'static str,
    pub meaning: &'static str,
    /// What can stand after SELECT.
    pub example: &'static str,
    /// What the example gives, as text.
    pub gives: &'static str,
}

/// All functions that plain SQL lacks, in order of name.
pub fn dictionary() -> Vec<FunctionDoc> {
    let mut all = vec![
        super::attack_name::DOC,
        super::cidr_match::DOC,
        super::community_id::DOC,
        super::dga_score::DOC,
        super::dispersion::DOC,
        super::entropy::DOC,
        super::hidden_text::DOC,
        super::lookalike_of::DOC,
        super::name_and_parents::DOC,
        super::network_of::DOC,
        super::of_host::DOC,
        super::payloads::DOC,
        super::periodicity::DOC,
        super::ptr_address::DOC,
        super::redact::DOC,
        super::registered_domain::DOC,
        super::stream_id::DOC,
    ];
    all.extend(super::focus::DOCS);
    all.extend(super::geoip::DOCS);
    all.extend(super::hex::DOCS);
    all.extend(super::intervals::DOCS);
    all.extend(super::ip_scope::DOCS);
    all.extend(super::mac_vendor::DOCS);
    all.extend(super::os_name::DOCS);
    all.extend(super::readings::DOCS);
    all.sort_by_key(|doc| doc.name);
    all
}

/// Questions that need no function, only a way to ask them: what it is for, and an example.
pub const PATTERNS: &[(&str, &str)] = &[
    (
        "As-of join: the nearest earlier row of another table. Put both in one column of time, carry the last value forward, and keep the rows that ask. Here: the name that the client had last been given this address for when it opened a connection.",
        "SELECT src_ip, ts, dst_ip, dst_port, last_name FROM (
  SELECT src_ip, ts, dst_ip, dst_port, is_flow,
    last_value(name) IGNORE NULLS OVER (PARTITION BY capture_id, src_ip, dst_ip ORDER BY ts, is_flow ROWS UNBOUNDED PRECEDING) AS last_name
  FROM (SELECT capture_id, ts, src_ip, dst_ip, dst_port, CAST(NULL AS VARCHAR) AS name, true AS is_flow FROM flows
    UNION ALL SELECT capture_id, ts, dst_ip, unnest(answers) AS answer, NULL, query, false FROM dns WHERE is_response) AS both_tables
) AS carried WHERE is_flow AND last_name IS NOT NULL ORDER BY ts, src_ip, dst_ip, dst_port",
    ),
    (
        "As-of join of a process: the value that was read last before a command. Here: what each point held, as its readers saw it, when somebody wrote to it; addresses are the wire's.",
        "WITH cells AS (
  SELECT capture_id, ts, src_ip, dst_ip, unit_id, is_write, split_part(point, ':', 1) AS kind, address, unnest(coalesce(write_values, \"values\")) AS cell,
    unnest(range(CAST(coalesce(array_length(write_values), array_length(\"values\")) AS BIGINT))) AS place
  FROM modbus WHERE status = 'ok' AND func_code <> 23)
SELECT ts, src_ip, dst_ip, kind, address, held, written FROM (
  SELECT ts, src_ip, dst_ip, kind, address + place AS address, is_write, cell AS written,
    last_value(CASE WHEN NOT is_write THEN cell END) IGNORE NULLS
      OVER (PARTITION BY capture_id, dst_ip, unit_id, kind, address + place ORDER BY ts, is_write ROWS UNBOUNDED PRECEDING) AS held
  FROM cells) AS carried
WHERE is_write ORDER BY ts, src_ip, dst_ip, kind, address",
    ),
    (
        "Beacons: gaps that are all alike. Who talks to whom like a clock.",
        "SELECT src_ip, dst_ip, dst_port, count(*) AS flows, median_gap_s(ts) AS period_s, gap_mad_s(ts) AS deviation_s, periodicity_score(ts) AS score
FROM flows GROUP BY src_ip, dst_ip, dst_port HAVING count(*) >= 8 ORDER BY score DESC, flows DESC, src_ip, dst_ip, dst_port",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use datafusion::arrow::util::display::array_value_to_string;
    use datafusion::prelude::SessionContext;

    use super::*;
    use crate::catalog::{Catalog, View};

    #[tokio::test]
    async fn every_function_is_in_the_dictionary_and_every_example_true() {
        let catalog = Catalog::open(Path::new("/nonexistent"), Vec::new(), View::default()).unwrap();
        let plain: BTreeSet<String> = crate::catalog::functions_of(&SessionContext::new());
        let ours: BTreeSet<String> = catalog.functions().into_iter().filter(|name| !plain.contains(name)).collect();
        // Those that stand where a table does read captures: the tests of evidence hold them to their examples.
        let documented: Vec<FunctionDoc> = dictionary().into_iter().filter(|doc| doc.kind != Kind::Table).collect();
        assert_eq!(ours, documented.iter().map(|doc| doc.name.to_owned()).collect());
        for doc in documented {
            let rows = crate::run::rows(&catalog, &format!("SELECT {}", doc.example)).await.unwrap_or_else(|error| panic!("{}: {error}", doc.name));
            assert_eq!(array_value_to_string(rows.column(0), 0).unwrap(), doc.gives, "{}", doc.example);
        }
        for (what, query) in PATTERNS {
            catalog.sql(query).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        }
    }
}
