//! Protocols of offices and data centres.

pub mod dhcp;
pub mod dhcpv6;
pub mod dns;
pub mod ftp;
pub mod gssapi;
pub mod http;
pub mod icmp;
pub mod kerberos;
pub mod ldap;
pub mod mime;
pub mod netbios;
pub mod ntlm;
pub mod ntp;
pub mod smb;
pub mod snmp;
pub mod ssdp;
pub mod ssh;
pub mod syslog;
pub mod telnet;
pub mod tls;
pub mod vpn;
pub mod x509;
