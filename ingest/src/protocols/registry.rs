//! The list of protocols. Adding one: its file, its `pub mod` line beside it, and a line here.

use super::Protocol;
use super::it::{dhcp, dhcpv6, dns, ftp, http, icmp, kerberos, ntp, snmp, ssdp, syslog, telnet, tls, vpn};
use super::it::{glbp, hsrp, igmp, ospf, pim, rip, vrrp};
use super::link::{arp, lldp};
use super::ot::{dnp3, goose, iec104, modbus};

/// Every protocol, in the order in which probes are asked where no port says otherwise: those with the surest signature first.
pub static PROTOCOLS: &[&Protocol] = &[
    &arp::PROTOCOL,
    &lldp::PROTOCOL,
    &goose::PROTOCOL,
    &icmp::PROTOCOL,
    &igmp::PROTOCOL,
    &ospf::PROTOCOL,
    &pim::PROTOCOL,
    &vrrp::PROTOCOL,
    &tls::PROTOCOL,
    &tls::DTLS,
    &http::PROTOCOL,
    &ftp::PROTOCOL,
    &ftp::DATA,
    &dhcp::PROTOCOL,
    &dhcpv6::PROTOCOL,
    &dns::PROTOCOL,
    &ntp::PROTOCOL,
    &dnp3::PROTOCOL,
    &iec104::PROTOCOL,
    &kerberos::PROTOCOL,
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
    &hsrp::PROTOCOL,
    &glbp::PROTOCOL,
    &rip::PROTOCOL,
    &rip::RIPNG,
];
