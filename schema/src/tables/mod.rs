//! All tables, one file a family.
//!
//! Adding a table: its file, one `pub mod` line and one line in the list below.

pub mod anomalies;
pub mod arp;
pub mod captures;
pub mod credentials;
pub mod dhcp;
pub mod dns;
pub mod files;
pub mod findings;
pub mod flows;
pub mod goose;
pub mod hosts;
pub mod http;
pub mod icmp;
pub mod lldp;
pub mod modbus;
pub mod ntp;
pub mod packets;
pub mod rdp;
pub mod ssdp;
pub mod ssh;
pub mod syslog;
pub mod tls;
pub mod vnc;
pub mod x509;

pub use anomalies::Anomalies;
pub use arp::Arp;
pub use captures::{Captures, Interfaces};
pub use credentials::Credentials;
pub use dhcp::{Dhcp, Dhcpv6};
pub use dns::{Dns, DnsRecords};
pub use files::Files;
pub use findings::Findings;
pub use flows::{Flows, TcpEvents};
pub use goose::Goose;
pub use hosts::{HostNames, Hosts};
pub use http::{Http, HttpTransactions};
pub use icmp::Icmp;
pub use lldp::Lldp;
pub use modbus::Modbus;
pub use ntp::Ntp;
pub use packets::Packets;
pub use rdp::Rdp;
pub use ssdp::Ssdp;
pub use ssh::{Ssh, SshSessions};
pub use syslog::Syslog;
pub use tls::Tls;
pub use vnc::Vnc;
pub use x509::X509;

use arrow::array::RecordBatch;

use crate::table::{Columns, Row, TableBuilder, TableDef};

/// Makes [`TableSet`] and [`all`] from the list of tables.
macro_rules! table_set {
    ($($table:ident),* $(,)?) => {
        /// A builder for every table.
        #[allow(non_snake_case, reason = "fields are named after their table's type")]
        #[derive(Default)]
        pub struct TableSet {
            $(pub(crate) $table: TableBuilder<<$table<'static> as Row>::Columns>,)*
        }

        impl TableSet {
            /// Takes the rows of every table that holds more than `rows` rows or `bytes` bytes, sorted by frame, as batches of
            /// the capture named. With zero for both, everything is taken.
            pub fn take_full(&mut self, rows: usize, bytes: usize, capture: &str, capture_id: &str) -> Vec<(&'static TableDef, RecordBatch)> {
                let mut batches = Vec::new();
                $(
                    let table = &mut self.$table;
                    if table.rows() > rows || (table.rows() > 0 && table.bytes() > bytes) {
                        batches.push((<$table<'static> as Row>::Columns::def(), table.finish(capture, capture_id)));
                    }
                )*
                batches
            }
        }

        /// Every table's declaration, in alphabetical order.
        pub fn all() -> Vec<&'static TableDef> {
            let mut tables = vec![$(<$table<'static> as Row>::Columns::def()),*];
            tables.sort_by_key(|table| table.name);
            tables
        }
    };
}

table_set! {
    Anomalies,
    Arp,
    Captures,
    Credentials,
    Dhcp,
    Dhcpv6,
    Dns,
    DnsRecords,
    Files,
    Findings,
    Flows,
    Goose,
    HostNames,
    Hosts,
    Http,
    HttpTransactions,
    Icmp,
    Interfaces,
    Lldp,
    Modbus,
    Ntp,
    Packets,
    Rdp,
    Ssdp,
    Ssh,
    SshSessions,
    Syslog,
    TcpEvents,
    Tls,
    Vnc,
    X509,
}
