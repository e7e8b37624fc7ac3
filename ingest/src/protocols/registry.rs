//! The list of protocols. Adding one: its file, its `pub mod` line beside it, and a line here.

use super::Protocol;
use super::it::{dhcp, dhcpv6, dns, ftp, http, icmp, kerberos, ldap, netbios, ntp, smb, snmp, ssdp, ssh, syslog, telnet, tls, vpn};
use super::link::{arp, lldp};
use super::ot::{dnp3, enip, goose, iec104, mms, modbus, s7comm};

/// Every protocol, in the order in which probes are asked where no port says otherwise: those with the surest signature first.
pub static PROTOCOLS: &[&Protocol] = &[
    &arp::PROTOCOL,
    &lldp::PROTOCOL,
    &goose::PROTOCOL,
    &icmp::PROTOCOL,
    &tls::PROTOCOL,
    &tls::DTLS,
    &ssh::PROTOCOL,
    &http::PROTOCOL,
    &ftp::PROTOCOL,
    &ftp::DATA,
    &dhcp::PROTOCOL,
    &dhcpv6::PROTOCOL,
    &dns::PROTOCOL,
    &ntp::PROTOCOL,
    &netbios::NAMES,
    &netbios::DATAGRAMS,
    &netbios::SESSIONS,
    &smb::PROTOCOL,
    &mms::PROTOCOL,
    &s7comm::PROTOCOL,
    &dnp3::PROTOCOL,
    &iec104::PROTOCOL,
    &kerberos::PROTOCOL,
    &ldap::PROTOCOL,
    &enip::PROTOCOL,
    &modbus::PROTOCOL,
    &vpn::IKE,
    &vpn::WIREGUARD,
    &vpn::OPENVPN,
    &vpn::PPTP,
    &vpn::PPTP_DATA,
    &vpn::L2TP,
    &vpn::L2TPV3,
    &vpn::ESP,
    &snmp::PROTOCOL,
    &telnet::PROTOCOL,
    &ssdp::PROTOCOL,
    &syslog::PROTOCOL,
];
