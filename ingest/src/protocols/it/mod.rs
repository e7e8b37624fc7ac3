//! Protocols of offices and data centres.

pub mod dhcp;
pub mod dhcpv6;
pub mod dns;
pub mod ftp;
pub mod glbp;
pub mod gssapi;
pub mod hsrp;
pub mod http;
pub mod icmp;
pub mod igmp;
pub mod kerberos;
pub mod mime;
pub mod ntlm;
pub mod ntp;
pub mod ospf;
pub mod pim;
pub mod prefix;
pub mod rip;
pub mod snmp;
pub mod ssdp;
pub mod syslog;
pub mod telnet;
pub mod tls;
pub mod vpn;
pub mod vrrp;
pub mod x509;
