//! All tables, one file a family.
//!
//! Adding a table: its file, one `pub mod` line and one line in the list below.

pub mod anomalies;
pub mod arp;
pub mod bacnet;
pub mod baseline;
pub mod bgp;
pub mod bsap;
pub mod captures;
pub mod cdp;
pub mod cip;
pub mod coap;
pub mod codesys;
pub mod credentials;
pub mod crimson;
pub mod csp;
pub mod dcerpc;
pub mod decryption;
pub mod df1;
pub mod dhcp;
pub mod dnp3;
pub mod dns;
pub mod eigrp;
pub mod email;
pub mod enip;
pub mod ethercat;
pub mod files;
pub mod findings;
pub mod fins;
pub mod flows;
pub mod ftp;
pub mod genisys;
pub mod glbp;
pub mod goose;
pub mod hart;
pub mod hosts;
pub mod hsrp;
pub mod http;
pub mod http2;
pub mod iccp;
pub mod icmp;
pub mod iec101_103;
pub mod iec104;
pub mod igmp;
pub mod indicators;
pub mod isis;
pub mod kerberos;
pub mod ldap;
pub mod lldp;
pub mod melsec;
pub mod mms;
pub mod modbus;
pub mod mqtt;
pub mod netbios;
pub mod nfs;
pub mod niagara;
pub mod ntlm;
pub mod ntp;
pub mod opcua;
pub mod ospf;
pub mod ot_commands;
pub mod packets;
pub mod pccc;
pub mod pcworx;
pub mod pim;
pub mod process_values;
pub mod proconos;
pub mod profinet;
pub mod ptp;
pub mod quic;
pub mod rdp;
pub mod rip;
pub mod routing_routes;
pub mod rpc;
pub mod s7comm;
pub mod settings;
pub mod smb;
pub mod smtp;
pub mod snmp;
pub mod srtp;
pub mod ssdp;
pub mod ssh;
pub mod stp;
pub mod suricata;
pub mod sv;
pub mod synchrophasor;
pub mod syslog;
pub mod teamviewer;
pub mod telnet;
pub mod text;
pub mod tls;
pub mod tristation;
pub mod umas;
pub mod vnc;
pub mod vpn;
pub mod vrrp;
pub mod winrm;
pub mod wlan;
pub mod x509;

pub use anomalies::Anomalies;
pub use arp::Arp;
pub use bacnet::Bacnet;
pub use baseline::{Baseline, BaselineCommands, BaselineConversations, BaselineFunctions, BaselineHosts, BaselineServices, BaselineTargets};
pub use bgp::Bgp;
pub use bsap::Bsap;
pub use captures::{Captures, Interfaces};
pub use cdp::Cdp;
pub use cip::Cip;
pub use coap::Coap;
pub use codesys::Codesys;
pub use credentials::Credentials;
pub use crimson::Crimson;
pub use csp::Csp;
pub use dcerpc::{Dcerpc, DcerpcEndpoints, Dcom};
pub use decryption::Decryption;
pub use df1::Df1;
pub use dhcp::{Dhcp, Dhcpv6};
pub use dnp3::{Dnp3, Dnp3Objects};
pub use dns::{Dns, DnsRecords};
pub use eigrp::Eigrp;
pub use email::Email;
pub use enip::Enip;
pub use ethercat::Ethercat;
pub use files::Files;
pub use findings::Findings;
pub use fins::Fins;
pub use flows::{Flows, TcpEvents};
pub use ftp::{Ftp, FtpTransfers};
pub use genisys::Genisys;
pub use glbp::Glbp;
pub use goose::Goose;
pub use hart::HartIp;
pub use hosts::{HostNames, Hosts};
pub use hsrp::Hsrp;
pub use http::{Http, HttpTransactions};
pub use http2::{Http2, Http2Frames};
pub use iccp::Iccp;
pub use icmp::Icmp;
pub use iec101_103::Iec101103;
pub use iec104::{Iec104, Iec104Objects};
pub use igmp::Igmp;
pub use indicators::{IndicatorPatterns, Indicators};
pub use isis::Isis;
pub use kerberos::Kerberos;
pub use ldap::{Ldap, LdapAttributes};
pub use lldp::Lldp;
pub use melsec::Melsec;
pub use mms::Mms;
pub use modbus::Modbus;
pub use mqtt::Mqtt;
pub use netbios::{Nbdgm, Nbns, Nbss};
pub use nfs::Nfs;
pub use niagara::NiagaraFox;
pub use ntlm::Ntlm;
pub use ntp::Ntp;
pub use opcua::Opcua;
pub use ospf::{Ospf, OspfLsas};
pub use ot_commands::OtCommands;
pub use packets::Packets;
pub use pccc::Pccc;
pub use pcworx::Pcworx;
pub use pim::Pim;
pub use process_values::ProcessValues;
pub use proconos::Proconos;
pub use profinet::{ProfinetCm, ProfinetDcp, ProfinetRt};
pub use ptp::Ptp;
pub use quic::{Quic, QuicPackets};
pub use rdp::Rdp;
pub use rip::Rip;
pub use routing_routes::RoutingRoutes;
pub use rpc::RpcCalls;
pub use s7comm::{S7comm, S7commItems};
pub use settings::Settings;
pub use smb::{Smb, SmbFiles, SmbMappings};
pub use smtp::Smtp;
pub use snmp::Snmp;
pub use srtp::Srtp;
pub use ssdp::Ssdp;
pub use ssh::{Ssh, SshSessions};
pub use stp::Stp;
pub use suricata::{SuricataAlerts, SuricataEvents};
pub use sv::Sv;
pub use synchrophasor::Synchrophasor;
pub use syslog::Syslog;
pub use teamviewer::Teamviewer;
pub use telnet::Telnet;
pub use text::{EncodedStrings, Powershell, Strings, TextScans};
pub use tls::{Tls, TlsSessions};
pub use tristation::Tristation;
pub use umas::Umas;
pub use vnc::Vnc;
pub use vpn::Vpn;
pub use vrrp::Vrrp;
pub use winrm::Winrm;
pub use wlan::Wlan;
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
            /// the capture named; its id is asked for only if there are any. With zero for both, everything is taken.
            pub fn take_full<'i>(&mut self, rows: usize, bytes: usize, capture: &str, capture_id: &dyn Fn() -> &'i str) -> Vec<(&'static TableDef, RecordBatch)> {
                let mut batches = Vec::new();
                $(
                    let table = &mut self.$table;
                    if table.rows() > rows || (table.rows() > 0 && table.bytes() > bytes) {
                        batches.push((<$table<'static> as Row>::Columns::def(), table.finish(capture, capture_id())));
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
    Bacnet,
    Baseline,
    BaselineCommands,
    BaselineConversations,
    BaselineFunctions,
    BaselineHosts,
    BaselineServices,
    BaselineTargets,
    Bgp,
    Bsap,
    Captures,
    Cdp,
    Cip,
    Coap,
    Codesys,
    Credentials,
    Crimson,
    Csp,
    Dcerpc,
    DcerpcEndpoints,
    Dcom,
    Decryption,
    Df1,
    Dhcp,
    Dhcpv6,
    Dnp3,
    Dnp3Objects,
    Dns,
    DnsRecords,
    Eigrp,
    Email,
    EncodedStrings,
    Enip,
    Ethercat,
    Files,
    Findings,
    Fins,
    Flows,
    Ftp,
    FtpTransfers,
    Genisys,
    Glbp,
    Goose,
    HartIp,
    HostNames,
    Hosts,
    Hsrp,
    Http,
    Http2,
    Http2Frames,
    HttpTransactions,
    Iccp,
    Icmp,
    Iec101103,
    Iec104,
    Iec104Objects,
    Igmp,
    IndicatorPatterns,
    Indicators,
    Interfaces,
    Isis,
    Kerberos,
    Ldap,
    LdapAttributes,
    Lldp,
    Melsec,
    Mms,
    Modbus,
    Mqtt,
    Nbdgm,
    Nbns,
    Nbss,
    Nfs,
    NiagaraFox,
    Ntlm,
    Ntp,
    Opcua,
    Ospf,
    OspfLsas,
    OtCommands,
    Packets,
    Pccc,
    Pcworx,
    Pim,
    Powershell,
    ProcessValues,
    Proconos,
    ProfinetCm,
    ProfinetDcp,
    ProfinetRt,
    Ptp,
    Quic,
    QuicPackets,
    Rdp,
    Rip,
    RoutingRoutes,
    RpcCalls,
    S7comm,
    S7commItems,
    Settings,
    Smb,
    SmbFiles,
    SmbMappings,
    Smtp,
    Snmp,
    Srtp,
    Ssdp,
    Ssh,
    SshSessions,
    Stp,
    Strings,
    SuricataAlerts,
    SuricataEvents,
    Sv,
    Synchrophasor,
    Syslog,
    TcpEvents,
    Teamviewer,
    Telnet,
    TextScans,
    Tls,
    TlsSessions,
    Tristation,
    Umas,
    Vnc,
    Vpn,
    Vrrp,
    Winrm,
    Wlan,
    X509,
}
