//! The list of protocols. Adding one: its file, its `pub mod` line beside it, and a line here.

use super::Protocol;
use super::it::{dhcp, dhcpv6, dns, http, icmp, ntp, rdp, ssdp, ssh, syslog, tls, vnc};
use super::link::{arp, lldp};
use super::ot::{goose, modbus};

/// Every protocol, in the order in which probes are asked where no port says otherwise: those with the surest signature first.
pub static PROTOCOLS: &[&Protocol] = &[
    &arp::PROTOCOL,
    &lldp::PROTOCOL,
    &goose::PROTOCOL,
    &icmp::PROTOCOL,
    &ssh::PROTOCOL,
    &vnc::PROTOCOL,
    &rdp::PROTOCOL,
    &tls::PROTOCOL,
    &tls::DTLS,
    &http::PROTOCOL,
    &dhcp::PROTOCOL,
    &dhcpv6::PROTOCOL,
    &dns::PROTOCOL,
    &ntp::PROTOCOL,
    &modbus::PROTOCOL,
    &ssdp::PROTOCOL,
    &syslog::PROTOCOL,
];
