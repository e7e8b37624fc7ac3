//! Runs of printable characters in a stream or in datagrams, one scanner a direction.
//!
//! A run may span segments; it ends at the first byte that is not printable, and is then read as one line. UTF-16LE is found
//! at any alignment: printable bytes with zeros between them.

use pcapper_schema::{Common, TableSet};

use super::{Kept, MAX_LINE, MIN_STRING, Place};
use crate::protocols::Dir;

/// Bytes of a direction that are read where nobody knows the protocol, and where it is one of lines.
const UNKNOWN_BYTES: u64 = 128 << 10;
const LINES_BYTES: u64 = 512 << 10;
/// Bytes that are read of binary protocols: names and versions stand at the start.
const BINARY_BYTES: u64 = 4 << 10;

/// Bytes of a direction that are read of a flow of this protocol: none where it is encrypted, where text is in typed columns
/// or is read as a body, and where a client's text is what it logs in with.
fn budget(service: Option<&str>, dir: Dir) -> u64 {
    match service {
        None => UNKNOWN_BYTES,
        Some("ftp" | "syslog" | "ssdp") => LINES_BYTES,
        Some("telnet") if dir == Dir::Resp => LINES_BYTES,
        Some(
            "telnet" | "tls" | "dtls" | "ssh" | "quic" | "ike" | "wireguard" | "openvpn" | "esp" | "pptp" | "l2tp" | "gre" | "http" | "http2"
            | "ftp-data" | "smtp" | "imap" | "pop3" | "smb" | "nfs" | "tftp" | "rpc" | "dns" | "ntp" | "nbns" | "nbdgm" | "nbss" | "dhcp" | "dhcpv6"
            | "snmp" | "ldap" | "mqtt" | "socks" | "vnc" | "rdp" | "kerberos" | "dcerpc" | "icmp" | "igmp" | "ospf" | "pim" | "eigrp" | "vrrp"
            | "hsrp" | "glbp" | "rip" | "bgp" | "teamviewer" | "coap",
        ) => 0,
        Some(_) => BINARY_BYTES,
    }
}

/// Whether anything of such a direction is read.
pub fn is_read(service: Option<&str>, dir: Dir) -> bool {
    budget(service, dir) > 0
}

/// Reads one direction.
#[derive(Default)]
pub struct Scan {
    /// Bytes seen of the direction, read or not.
    offset: u64,
    read: u64,
    runs: u32,
    ascii: Vec<u8>,
    wide: Vec<u8>,
    /// A zero followed the last printable byte.
    zeros: bool,
    over: bool,
    kept: Kept,
}

impl Scan {
    /// Takes the next bytes of the direction; `common` is of the frame that brought them.
    pub fn take(&mut self, tables: &mut TableSet, common: &Common, service: Option<&str>, dir: Dir, bytes: &[u8]) {
        let start = self.offset;
        self.offset = start.saturating_add(bytes.len() as u64);
        if self.over {
            return;
        }
        let most = budget(service, dir);
        if start >= most {
            self.kept.limited |= most > 0;
            self.over = true;
            self.flush(tables, common, dir);
            (self.ascii, self.wide) = Default::default();
            return;
        }
        self.read = self.read.saturating_add(bytes.len() as u64);
        for (&byte, at) in bytes.iter().zip(start..) {
            match byte {
                b'\t' | 0x20..=0x7e => {
                    if self.zeros {
                        self.ascii.clear();
                    } else if self.wide.len() > 1 {
                        // The last of them had no zero behind it.
                        self.end_wide(tables, common, dir, at);
                    } else {
                        self.wide.clear();
                    }
                    self.zeros = false;
                    self.ascii.push(byte);
                    self.wide.push(byte);
                    if self.ascii.len() >= MAX_LINE || self.wide.len() >= MAX_LINE {
                        self.end(tables, common, dir, at + 1);
                    }
                }
                0 if !self.wide.is_empty() && !self.zeros => {
                    self.end_ascii(tables, common, dir, at);
                    self.zeros = true;
                }
                _ if self.ascii.is_empty() && self.wide.is_empty() => self.zeros = false,
                _ => self.end(tables, common, dir, at),
            }
        }
    }

    /// A direction that is not read any further.
    pub fn over() -> Self {
        Self { over: true, ..Self::default() }
    }

    /// Bytes are missing.
    pub fn skip(&mut self, lost: u64) {
        self.offset = self.offset.saturating_add(lost);
    }

    /// A datagram ends, bytes are missing, or the flow ends: what runs on ends as well.
    pub fn flush(&mut self, tables: &mut TableSet, common: &Common, dir: Dir) {
        self.end(tables, common, dir, self.offset);
    }

    /// The flow ends: tells how much was read.
    pub fn finish(&mut self, tables: &mut TableSet, common: &Common, dir: Dir) {
        self.flush(tables, common, dir);
        super::told(tables, common, "stream", self.read, self.runs, self.kept.limited);
        self.over = true;
    }

    fn end(&mut self, tables: &mut TableSet, common: &Common, dir: Dir, at: u64) {
        self.end_ascii(tables, common, dir, at);
        self.end_wide(tables, common, dir, at);
        self.wide.clear();
        self.zeros = false;
    }

    fn end_ascii(&mut self, tables: &mut TableSet, common: &Common, dir: Dir, at: u64) {
        if self.ascii.len() >= MIN_STRING {
            let run = std::mem::take(&mut self.ascii);
            self.run(tables, common, dir, &run, at.saturating_sub(run.len() as u64), "ascii");
            self.ascii = run;
        }
        self.ascii.clear();
    }

    fn end_wide(&mut self, tables: &mut TableSet, common: &Common, dir: Dir, at: u64) {
        if self.wide.len() >= MIN_STRING {
            let run = std::mem::take(&mut self.wide);
            self.run(tables, common, dir, &run, at.saturating_sub(2 * run.len() as u64), "utf16le");
            self.wide = run;
        }
        self.wide.clear();
    }

    fn run(&mut self, tables: &mut TableSet, common: &Common, dir: Dir, run: &[u8], offset: u64, encoding: &'static str) {
        // Printable bytes only: this is text.
        let Ok(text) = std::str::from_utf8(run) else { return };
        let trimmed = text.trim();
        if trimmed.len() < MIN_STRING {
            return;
        }
        self.runs = self.runs.saturating_add(1);
        let place = Place { offset, encoding, has_logins: dir == Dir::Orig, ..Place::new(common, "stream", "stream") };
        super::line(tables, &mut self.kept, place, trimmed);
    }
}
