//! Every documented option, in its group: what the parser accepts and the menu lists.

/// Heading under which an option stands in the menu.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Group {
    General,
    It,
    Ot,
    Data,
    Newer,
    /// Flags that plugins give.
    Plugins,
}

impl Group {
    /// All groups, in the menu's order.
    pub const ALL: [Self; 6] = [Self::General, Self::It, Self::Ot, Self::Data, Self::Newer, Self::Plugins];

    /// The heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::General => "GENERAL FLAGS",
            Self::It => "IT/ENTERPRISE FUNCTIONS",
            Self::Ot => "OT/ICS/INDUSTRIAL FUNCTIONS",
            Self::Data => "DATA",
            Self::Newer => "NEWER ANALYZERS",
            Self::Plugins => "PLUGINS",
        }
    }
}

/// One documented option.
#[derive(Debug)]
pub struct Flag {
    /// Name without leading dashes.
    pub name: &'static str,
    /// Written with one dash (`-ip`).
    pub single_dash: bool,
    pub short: Option<char>,
    /// Older spelling, dashes included.
    pub alias: Option<&'static str>,
    /// Name of its value; `None` for a switch.
    pub value: Option<&'static str>,
    pub default: Option<&'static str>,
    pub group: Group,
    pub help: &'static str,
}

impl Flag {
    /// As the user types it.
    pub fn spelled(&self) -> String {
        format!("{}{}", if self.single_dash { "-" } else { "--" }, self.name)
    }

    /// The option that takes a switch back: `no-dns` for `dns`, `color` for `no-color`.
    pub fn opposite(&self) -> String {
        self.name.strip_prefix("no-").map_or_else(|| format!("no-{}", self.name), str::to_owned)
    }

    /// Key in the configuration file.
    pub fn key(&self) -> String {
        self.name.replace('-', "_")
    }

    /// The analyzer behind it, if it is an analyzer's flag.
    pub fn analyzer(&self) -> String {
        self.name.replace('-', "_")
    }
}

/// Names that other releases gave options, dashes included, and the options they are. Taken, and not listed.
pub const RENAMED: &[(&str, &str)] = &[("--hostnames", "hostname"), ("-extract", "extract"), ("-view", "view"), ("-id", "follow-id")];

/// Our options and those of plugins. The latter live as long as the run, as all options do.
pub fn with_plugins(plugins: &[pcapper_queries::plugins::Flag]) -> Vec<&'static Flag> {
    let of_plugin = |flag: &pcapper_queries::plugins::Flag| -> &'static Flag {
        let text = |text: &str| -> &'static str { Box::leak(text.to_owned().into_boxed_str()) };
        Box::leak(Box::new(Flag {
            name: text(&flag.name),
            single_dash: false,
            short: None,
            alias: None,
            value: None,
            default: None,
            group: Group::Plugins,
            help: text(&flag.help),
        }))
    };
    FLAGS.iter().chain(plugins.iter().map(of_plugin)).collect()
}

/// The options, alphabetical within each group.
#[rustfmt::skip]
pub static FLAGS: &[Flag] = &[
    Flag { name: "base", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::General, help: "Put the capture overview in front of the other reports" },
    Flag { name: "baseline-compare", single_dash: false, short: None, alias: None, value: Some("PATH"), default: None, group: Group::General, help: "Report what changed since the baseline in PATH" },
    Flag { name: "baseline-fast", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::General, help: "Quick scan for OT commands while building a baseline (kept for compatibility)" },
    Flag { name: "baseline-save", single_dash: false, short: None, alias: None, value: Some("PATH"), default: None, group: Group::General, help: "Write hosts, services and OT commands seen to PATH as a baseline" },
    Flag { name: "bpf", single_dash: false, short: None, alias: None, value: Some("EXPR"), default: None, group: Group::General, help: "Keep only what belongs to frames that match a pcap filter" },
    Flag { name: "carve", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::General, help: "Find files in reassembled streams by their content" },
    Flag { name: "carve-limit", single_dash: false, short: None, alias: None, value: Some("N"), default: Some("100"), group: Group::General, help: "Carve at most N files a run" },
    Flag { name: "carve-max-bytes", single_dash: false, short: None, alias: None, value: Some("N"), default: Some("2097152"), group: Group::General, help: "Carve at most N bytes of a file" },
    Flag { name: "carve-out", single_dash: false, short: None, alias: None, value: Some("DIR"), default: None, group: Group::General, help: "Put carved files into DIR (./carved, or carved/ in the case)" },
    Flag { name: "carve-stream-bytes", single_dash: false, short: None, alias: None, value: Some("N"), default: Some("8388608"), group: Group::General, help: "Scan at most N bytes of a stream direction" },
    Flag { name: "case", single_dash: true, short: None, alias: None, value: None, default: None, group: Group::General, help: "Let --search distinguish upper and lower case" },
    Flag { name: "case-analyst", single_dash: false, short: None, alias: None, value: Some("NAME"), default: None, group: Group::General, help: "Analyst named in the case record (else PCAPPER_ANALYST)" },
    Flag { name: "case-dir", single_dash: false, short: None, alias: None, value: Some("DIR"), default: None, group: Group::General, help: "Collect exports, extracted files and case.json under DIR" },
    Flag { name: "case-id", single_dash: false, short: None, alias: None, value: Some("ID"), default: None, group: Group::General, help: "Identifier in the case record" },
    Flag { name: "case-name", single_dash: false, short: None, alias: None, value: Some("NAME"), default: None, group: Group::General, help: "Sub-directory of the case directory for this case" },
    Flag { name: "case-notes", single_dash: false, short: None, alias: None, value: Some("TEXT"), default: None, group: Group::General, help: "Free text in the case record" },
    Flag { name: "config", single_dash: false, short: None, alias: None, value: Some("PATH"), default: None, group: Group::General, help: "Read option defaults from this TOML file" },
    Flag { name: "correlate", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::General, help: "Show what recurs across several captures" },
    Flag { name: "correlate-min", single_dash: false, short: None, alias: None, value: Some("N"), default: Some("2"), group: Group::General, help: "Captures a thing must occur in to be correlated" },
    Flag { name: "csv", single_dash: false, short: None, alias: None, value: Some("PATH"), default: None, group: Group::General, help: "Write results as CSV" },
    Flag { name: "decrypt", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::General, help: "Report decrypted sessions and write their plaintext (needs a key log or keys in the capture)" },
    Flag { name: "decrypt-limit", single_dash: false, short: None, alias: None, value: Some("N"), default: Some("50"), group: Group::General, help: "Write at most N streams per protocol" },
    Flag { name: "decrypt-out", single_dash: false, short: None, alias: None, value: Some("DIR"), default: None, group: Group::General, help: "Put plaintext streams into DIR (./decrypted, or decrypted/ in the case)" },
    Flag { name: "export-raw", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::General, help: "Leave secrets readable in exports; excludes --export-redact" },
    Flag { name: "export-redact", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::General, help: "Redact secrets in exports even with --show-secrets" },
    Flag { name: "extract", single_dash: false, short: None, alias: None, value: Some("FILENAME"), default: None, group: Group::General, help: "Save transferred files whose name contains FILENAME (with --files)" },
    Flag { name: "follow", single_dash: false, short: None, alias: None, value: Some("FLOW"), default: None, group: Group::General, help: "Show both directions of a stream given as src:port->dst:port (with --streams)" },
    Flag { name: "follow-id", single_dash: false, short: None, alias: None, value: Some("STREAM_ID"), default: None, group: Group::General, help: "Show both directions of the stream with this id (with --streams)" },
    Flag { name: "ioc-file", single_dash: false, short: None, alias: None, value: Some("PATH"), default: None, group: Group::General, help: "Indicators to look for (with --ioc)" },
    Flag { name: "ip", single_dash: true, short: None, alias: None, value: Some("ADDR"), default: None, group: Group::General, help: "Address in focus; required by --timeline and --hostdetails" },
    Flag { name: "json", single_dash: false, short: None, alias: None, value: Some("PATH"), default: None, group: Group::General, help: "Write results as JSON" },
    Flag { name: "limit-protocols", single_dash: false, short: Some('l'), alias: None, value: Some("N"), default: Some("15"), group: Group::General, help: "Rows in the protocol summary" },
    Flag { name: "list-plugins", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::General, help: "List plugins and stop" },
    Flag { name: "log-file", single_dash: false, short: None, alias: None, value: Some("PATH"), default: None, group: Group::General, help: "Append events of the run to PATH" },
    Flag { name: "log-json", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::General, help: "Log as JSON lines; to stderr without --log-file" },
    Flag { name: "lookup-stream-id", single_dash: false, short: None, alias: None, value: Some("STREAM_ID"), default: None, group: Group::General, help: "Print the addresses and ports behind a stream id (with --streams)" },
    Flag { name: "no-color", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::General, help: "No colours (also NO_COLOR=1)" },
    Flag { name: "no-status", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::General, help: "No progress line" },
    Flag { name: "packet", single_dash: false, short: None, alias: None, value: Some("N"), default: None, group: Group::General, help: "Dump frame N, counted from 1" },
    Flag { name: "profile", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::General, help: "Print where the time went to stderr" },
    Flag { name: "profile-out", single_dash: false, short: None, alias: None, value: Some("PATH"), default: None, group: Group::General, help: "Also write the profile to PATH (with --profile)" },
    Flag { name: "raw", single_dash: true, short: None, alias: None, value: None, default: None, group: Group::General, help: "Bytes instead of a hex dump for --view" },
    Flag { name: "recursive", single_dash: false, short: Some('r'), alias: None, value: None, default: None, group: Group::General, help: "Descend into directories" },
    Flag { name: "rules", single_dash: false, short: None, alias: None, value: Some("PATH"), default: None, group: Group::General, help: "Match a rule pack (JSON or YAML) against the findings" },
    Flag { name: "search", single_dash: false, short: None, alias: None, value: Some("STRING"), default: None, group: Group::General, help: "Find a string in payloads, in any case unless -case" },
    Flag { name: "self-check", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::General, help: "Test this installation and stop" },
    Flag { name: "show-secrets", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::General, help: "Show passwords, hashes and tokens in clear" },
    Flag { name: "sqlite", single_dash: false, short: None, alias: None, value: Some("PATH"), default: None, group: Group::General, help: "Write results as an SQLite database" },
    Flag { name: "ssh-keylog", single_dash: false, short: None, alias: None, value: Some("PATH"), default: None, group: Group::General, help: "SSH key log for decryption" },
    Flag { name: "streams-full", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::General, help: "List every stream, not the ten largest" },
    Flag { name: "summarize", single_dash: false, short: None, alias: Some("-summarize"), value: None, default: None, group: Group::General, help: "One merged report over all captures" },
    Flag { name: "time-end", single_dash: false, short: None, alias: None, value: Some("TIME"), default: None, group: Group::General, help: "Ignore what is later than TIME (epoch seconds or ISO 8601)" },
    Flag { name: "time-start", single_dash: false, short: None, alias: None, value: Some("TIME"), default: None, group: Group::General, help: "Ignore what is earlier than TIME (epoch seconds or ISO 8601)" },
    Flag { name: "timeline-bins", single_dash: false, short: None, alias: None, value: Some("N"), default: Some("24"), group: Group::General, help: "Buckets in the activity sparklines of the timeline" },
    Flag { name: "timeline-categories", single_dash: false, short: None, alias: Some("-categories"), value: Some("LIST"), default: None, group: Group::General, help: "Only these event categories in the timeline; \"false\" lists them" },
    Flag { name: "timeline-storyline-off", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::General, help: "Leave the storyline out of the timeline" },
    Flag { name: "tls-keylog", single_dash: false, short: None, alias: None, value: Some("PATH"), default: None, group: Group::General, help: "TLS key log (SSLKEYLOGFILE format) for decryption" },
    Flag { name: "verbose", single_dash: false, short: Some('v'), alias: None, value: None, default: None, group: Group::General, help: "All rows, untruncated, with more evidence" },
    Flag { name: "view", single_dash: false, short: None, alias: None, value: Some("FILENAME"), default: None, group: Group::General, help: "Show the content of transferred files whose name contains FILENAME (with --files)" },
    Flag { name: "vt", single_dash: false, short: None, alias: Some("-vt"), value: None, default: None, group: Group::General, help: "Ask VirusTotal about domains, addresses, URLs and hashes (needs VT_API_KEY)" },
    Flag { name: "arp", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "Who claims which address: conversations, spoofing and scan signs" },
    Flag { name: "beacon", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "Connections that repeat at a steady interval" },
    Flag { name: "certificates", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "X.509 certificates seen, and what is wrong with them" },
    Flag { name: "compromised", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "Hosts that several independent signals point at" },
    Flag { name: "creds", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "Credentials sent in clear or recoverable" },
    Flag { name: "ctf", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "Flag-like strings, also behind common encodings" },
    Flag { name: "dhcp", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "Leases, clients, servers, options; rogue servers and starvation" },
    Flag { name: "dns", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "Names asked for and answered, failures, tunnelling, generated names" },
    Flag { name: "domain", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "Active Directory picture: controllers, users, services" },
    Flag { name: "encrypted-dns", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "DNS over HTTPS, TLS and QUIC" },
    Flag { name: "exfil", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "Signs of data leaving the network" },
    Flag { name: "files", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "Files transferred: names, types, hashes, senders" },
    Flag { name: "ftp", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "FTP sessions, logins, transfers" },
    Flag { name: "health", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "Retransmissions, loss, latency, TTL and QoS oddities" },
    Flag { name: "hostdetails", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "Everything known of one host (needs -ip)" },
    Flag { name: "hostname", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "Names an address goes by, and the evidence (with -ip)" },
    Flag { name: "hosts", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "Inventory: address, MAC, name, system, open ports, volume" },
    Flag { name: "http", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "HTTP requests, hosts, agents, downloads, attacks" },
    Flag { name: "http2", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "HTTP/2 connections and requests" },
    Flag { name: "icmp", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "ICMP types, unreachables, sweeps, tunnels" },
    Flag { name: "ioc", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "Matches of an indicator list (needs --ioc-file)" },
    Flag { name: "ips", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "Addresses and who talks to whom" },
    Flag { name: "kerberos", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "Tickets, principals, errors, roasting" },
    Flag { name: "ldap", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "LDAP binds, searches, enumeration" },
    Flag { name: "netbios", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "NetBIOS names, groups, roles, poisoning" },
    Flag { name: "nfs", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "NFS exports, clients, file operations" },
    Flag { name: "ntlm", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "NTLM logins, versions, capturable hashes" },
    Flag { name: "ntp", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "NTP peers, modes, amplification" },
    Flag { name: "obfuscation", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "Payloads that look encoded, encrypted or tunnelled" },
    Flag { name: "opc-classic", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "OPC Classic over DCOM" },
    Flag { name: "pcapmeta", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "Capture file details: link types, interfaces, drops, comments" },
    Flag { name: "powershell", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "PowerShell commands and remoting" },
    Flag { name: "protocols", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "Protocol hierarchy, conversations, oddities" },
    Flag { name: "quic", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "QUIC connections, versions, server names" },
    Flag { name: "rdp", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "Remote Desktop sessions, users, brute force" },
    Flag { name: "routing", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "OSPF, IS-IS, BGP, RIP, EIGRP, PIM, VRRP, HSRP" },
    Flag { name: "rpc", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "DCE/RPC interfaces and operations" },
    Flag { name: "secrets", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "Secrets behind reversible encodings, and tokens" },
    Flag { name: "services", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "Services offered, by content, and their exposure" },
    Flag { name: "sizes", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "Packet size distribution" },
    Flag { name: "smb", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "SMB versions, shares, files, logins, lateral movement" },
    Flag { name: "smtp", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "Mail sessions, senders, recipients, attachments" },
    Flag { name: "snmp", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "SNMP versions, communities, objects" },
    Flag { name: "ssh", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "SSH versions, algorithms, fingerprints, logins" },
    Flag { name: "streams", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "TCP streams, their state and gaps" },
    Flag { name: "strings", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "Readable text in payloads" },
    Flag { name: "syslog", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "Syslog senders, severities, notable messages" },
    Flag { name: "tcp", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "TCP conversations, flags, scans, resets" },
    Flag { name: "teamviewer", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "TeamViewer sessions" },
    Flag { name: "telnet", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "Telnet sessions, logins, commands" },
    Flag { name: "threats", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "All findings together, most severe first" },
    Flag { name: "timeline", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "What one host did, in order (needs -ip)" },
    Flag { name: "tls", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "TLS versions, suites, server names, fingerprints" },
    Flag { name: "udp", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "UDP conversations, floods, amplification" },
    Flag { name: "vlan", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "VLANs, who is in them, hopping" },
    Flag { name: "vnc", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "VNC sessions and authentication" },
    Flag { name: "vpn", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "VPNs and tunnels: IPsec, OpenVPN, WireGuard and others" },
    Flag { name: "winrm", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "Windows Remote Management sessions and commands" },
    Flag { name: "wmic", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::It, help: "WMI use: interfaces, commands, hosts" },
    Flag { name: "bacnet", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Ot, help: "BACnet devices, objects, writes" },
    Flag { name: "cip", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Ot, help: "CIP services on objects, writes, mode changes" },
    Flag { name: "coap", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Ot, help: "CoAP requests, resources, observers" },
    Flag { name: "control-loop", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Ot, help: "Process values that jump, oscillate or stand out" },
    Flag { name: "crimson", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Ot, help: "Red Lion Crimson HMI traffic" },
    Flag { name: "csp", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Ot, help: "Allen-Bradley CSP (AB/Ethernet, TCP 2222) commands" },
    Flag { name: "df1", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Ot, help: "Allen-Bradley DF1 frames" },
    Flag { name: "dnp3", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Ot, help: "DNP3 functions, points, controls, restarts, file operations" },
    Flag { name: "enip", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Ot, help: "EtherNet/IP sessions, devices, I/O connections" },
    Flag { name: "ethercat", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Ot, help: "EtherCAT datagrams, slaves, states" },
    Flag { name: "fins", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Ot, help: "Omron FINS commands, memory writes, mode changes" },
    Flag { name: "goose", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Ot, help: "IEC 61850 GOOSE publishers, state changes, spoofing" },
    Flag { name: "hart", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Ot, help: "HART-IP sessions, devices, commands" },
    Flag { name: "honeywell", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Ot, help: "Honeywell CDA and Experion traffic" },
    Flag { name: "iccp", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Ot, help: "ICCP/TASE.2 associations and operations" },
    Flag { name: "iec101-103", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Ot, help: "IEC 60870-5-101/103 carried over IP" },
    Flag { name: "iec104", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Ot, help: "IEC 60870-5-104 types, commands, addresses" },
    Flag { name: "lldp", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Ot, help: "LLDP and PROFINET DCP devices" },
    Flag { name: "melsec", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Ot, help: "Mitsubishi MELSEC (MC protocol) commands" },
    Flag { name: "mms", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Ot, help: "IEC 61850 MMS services and variables" },
    Flag { name: "modbus", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Ot, help: "Modbus functions, units, registers, writes, exceptions" },
    Flag { name: "modicon", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Ot, help: "Schneider Modicon UMAS: programs, start and stop" },
    Flag { name: "mqtt", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Ot, help: "MQTT clients, topics, credentials" },
    Flag { name: "niagara", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Ot, help: "Tridium Niagara Fox stations and sessions" },
    Flag { name: "odesys", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Ot, help: "CODESYS programming traffic" },
    Flag { name: "opc", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Ot, help: "OPC UA endpoints, security, services" },
    Flag { name: "ot-commands", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Ot, help: "All control and write commands, whatever the protocol" },
    Flag { name: "ot-commands-config", single_dash: false, short: None, alias: None, value: Some("PATH"), default: None, group: Group::Ot, help: "Markers that decide what counts as a control command (TOML, YAML or JSON)" },
    Flag { name: "ot-commands-fast", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Ot, help: "The same, quick scan (kept for compatibility)" },
    Flag { name: "ot-commands-sessions", single_dash: false, short: None, alias: None, value: Some("N"), default: Some("10"), group: Group::Ot, help: "Rows in the sessions table of --ot-commands" },
    Flag { name: "pccc", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Ot, help: "PCCC commands to PLC-5 and SLC 500" },
    Flag { name: "pcworx", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Ot, help: "Phoenix Contact PC Worx operations" },
    Flag { name: "prconos", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Ot, help: "KW ProConOS operations" },
    Flag { name: "profinet", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Ot, help: "PROFINET devices, real-time data, alarms, DCP" },
    Flag { name: "ptp", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Ot, help: "Precision Time Protocol clocks and grandmaster changes" },
    Flag { name: "s7", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Ot, help: "Siemens S7comm jobs, blocks, program transfer, stop" },
    Flag { name: "safety", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Ot, help: "Safety controllers and who talks to them" },
    Flag { name: "srtp", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Ot, help: "GE SRTP requests" }, Flag { name: "sv", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Ot, help: "IEC 61850 Sampled Values streams, loss, spoofing" },
    Flag { name: "yokogawa", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Ot, help: "Yokogawa Vnet/IP traffic" },
    Flag { name: "completions", single_dash: false, short: None, alias: None, value: Some("SHELL"), default: None, group: Group::Data, help: "Print a completion script for bash, elvish, fish, powershell or zsh and stop" },
    Flag { name: "describe", single_dash: false, short: None, alias: None, value: Some("TABLE"), default: None, group: Group::Data, help: "Say what the columns of a table mean and stop" },
    Flag { name: "format", single_dash: false, short: None, alias: None, value: Some("FORM"), default: None, group: Group::Data, help: "Form of --sql: table, json, jsonl or csv [default: table]" },
    Flag { name: "html", single_dash: false, short: None, alias: None, value: Some("FILE"), default: None, group: Group::Data, help: "Write the report as one HTML page" },
    Flag { name: "lake", single_dash: false, short: None, alias: None, value: Some("DIR"), default: None, group: Group::Data, help: "Keep decoded captures in DIR (else PCAPPER_LAKE, else the cache folder)" },
    Flag { name: "man", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Data, help: "Print the manual page and stop" },
    Flag { name: "markdown", single_dash: false, short: None, alias: None, value: Some("FILE"), default: None, group: Group::Data, help: "Write the report as Markdown" },
    Flag { name: "no-cache", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Data, help: "Decode into a lake that is thrown away afterwards" },
    Flag { name: "output", single_dash: false, short: Some('o'), alias: None, value: Some("FILE"), default: None, group: Group::Data, help: "Write the answer of --sql to FILE" },
    Flag { name: "plugins", single_dash: false, short: None, alias: None, value: Some("DIR"), default: None, group: Group::Data, help: "Read plugins from the directories in DIR as well (also PCAPPER_PLUGINS)" },
    Flag { name: "set", single_dash: false, short: None, alias: None, value: Some("NAME=VALUE"), default: None, group: Group::Data, help: "Give a parameter of --sql-file or of a plugin (PLUGIN.NAME=VALUE) its value" },
    Flag { name: "shell", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Data, help: "Ask at a prompt" }, Flag { name: "show-sql", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Data, help: "Print the queries that a flag runs and stop" },
    Flag { name: "sql", single_dash: false, short: None, alias: None, value: Some("QUERY"), default: None, group: Group::Data, help: "Answer a question in SQL over the selected captures" },
    Flag { name: "sql-file", single_dash: false, short: None, alias: None, value: Some("FILE"), default: None, group: Group::Data, help: "Answer the questions in FILE" },
    Flag { name: "sqlite-tables", single_dash: false, short: None, alias: None, value: Some("TABLES"), default: None, group: Group::Data, help: "Also copy these stored tables, or all, into the --sqlite database" },
    Flag { name: "tables", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Data, help: "List the tables and stop" },
    Flag { name: "write-pcap", single_dash: false, short: None, alias: None, value: Some("FILE"), default: None, group: Group::Data, help: "Write the frames behind a selection to FILE" },
    Flag { name: "bsap", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Newer, help: "Bristol BSAP messages and remote access" },
    Flag { name: "email", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Newer, help: "Mail messages: senders, recipients, subjects, attachments" },
    Flag { name: "genisys", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Newer, help: "Genisys railway signalling commands and indications" },
    Flag { name: "malware", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Newer, help: "Signs of malware, by family" },
    Flag { name: "mitre", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Newer, help: "Findings by ATT&CK technique" },
    Flag { name: "overview", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Newer, help: "One page about the whole capture" },
    Flag { name: "qos", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Newer, help: "Traffic classes and their markings" },
    Flag { name: "scan", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Newer, help: "Scans, by kind and source" },
    Flag { name: "ssdp", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Newer, help: "SSDP and UPnP devices" },
    Flag { name: "suricata", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Newer, help: "Alerts of Suricata beside our own: of the one installed, or of an eve.json (--suricata=FILE)" },
    Flag { name: "synchrophasor", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Newer, help: "Synchrophasor streams (IEEE C37.118)" },
    Flag { name: "webrequests", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Newer, help: "Web requests in order of time" },
    Flag { name: "wlan", single_dash: false, short: None, alias: None, value: None, default: None, group: Group::Newer, help: "Wireless networks, stations, attacks" },
];
