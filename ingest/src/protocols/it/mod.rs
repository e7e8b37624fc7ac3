//! Protocols of offices and data centres.

pub mod dhcp;
pub mod dhcpv6;
pub mod dns;
pub mod gssapi;
pub mod http;
pub mod icmp;
pub mod kerberos;
pub mod ldap;
pub mod mime;
pub mod ntlm;
pub mod ntp;
pub mod snmp;
pub mod ssdp;
pub mod syslog;
pub mod tls;
pub mod x509;
