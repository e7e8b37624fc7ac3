//! The list of protocols. Adding one: its file, its `pub mod` line beside it, and a line here.

use super::Protocol;
use super::it::{dhcp, dhcpv6, dns, http, icmp, ntp, snmp, ssdp, syslog, tls};
use super::link::{arp, lldp};
use super::ot::{bacnet, dnp3, enip, goose, iec104, mms, modbus, s7comm};

/// Every protocol, in the order in which probes are asked where no port says otherwise: those with the surest signature first.
pub static PROTOCOLS: &[&Protocol] = &[
    &arp::PROTOCOL,
    &lldp::PROTOCOL,
    &goose::PROTOCOL,
    &icmp::PROTOCOL,
    &tls::PROTOCOL,
    &tls::DTLS,
    &http::PROTOCOL,
    &dhcp::PROTOCOL,
    &dhcpv6::PROTOCOL,
    &dns::PROTOCOL,
    &ntp::PROTOCOL,
    &mms::PROTOCOL,
    &s7comm::PROTOCOL,
    &dnp3::PROTOCOL,
    &iec104::PROTOCOL,
    &enip::PROTOCOL,
    &bacnet::PROTOCOL,
    &modbus::PROTOCOL,
    &snmp::PROTOCOL,
    &ssdp::PROTOCOL,
    &syslog::PROTOCOL,
];
