//! Inventory: hosts and the evidence for their names.

use crate::table;

table! {
    /// One row per host of the capture: the derived inventory. Key: ip, or mac for hosts that never speak IP.
    pub struct Hosts("hosts", "host", Capture) {
        /// Address; null for layer-2-only hosts.
        ip: ip,
        /// 4 or 6.
        ip_version: u8,
        /// `private`, `public`, `link_local`, `loopback`, `multicast`, `broadcast`, `cgnat`, `documentation`, `ula`.
        scope: text,
        /// Last seen.
        end_ts: time,
        /// Own MAC (ARP, NDP, DHCP, or the only address behind it).
        mac: mac,
        /// MAC of the router it was seen behind.
        via_mac: mac,
        /// OUI owner.
        mac_vendor: text,
        /// Locally administered bit.
        mac_randomised: bool,
        /// Other addresses of the same mac.
        other_ips: list_text,
        /// Names, best first (see host_names).
        hostnames: list_text,
        /// DNS or AD domain.
        domain: text,
        /// Best guess, name and version where told.
        os: text,
        /// `high` (says so itself: SMB, NTLM, CDP, banner), `medium` (DHCP fingerprint, user agent), `low` (TCP stack).
        os_confidence: text,
        /// What told it.
        os_evidence: text,
        /// `workstation`, `server`, `domain_controller`, `router`, `switch`, `printer`, `phone`, `camera`, `iot`, `plc`, `rtu`, `hmi`, `historian`, `engineering_workstation`, `io_device`, `drive`, `ied`, `unknown`.
        device_type: text,
        /// Maker of the device as it says of itself.
        vendor: text,
        /// Model, order number.
        model: text,
        /// Firmware or software version.
        firmware: text,
        /// Serial number.
        serial: text,
        /// `dns_server`, `dhcp_server`, `gateway`, `ntp_server`, `domain_controller`, `file_server`, `web_server`, `mail_server`, `proxy`, `plc`, `modbus_server`, `opcua_server`, ... from answered traffic.
        roles: list_text,
        /// Listening and answering: `tcp/445 smb`.
        services: list_text,
        /// Accounts seen logging on from it.
        users: list_text,
        /// Different user agents.
        user_agents: u32,
        /// VLANs seen on.
        vlans: list_u16,
        /// Guess from TTL (nearest of 32, 64, 128, 255 above); null if unknown.
        hops_away: u8,
        /// Frames.
        packets_sent: u64,
        /// Frames.
        packets_received: u64,
        /// Frame bytes.
        bytes_sent: u64,
        /// Frame bytes.
        bytes_received: u64,
        /// Different addresses talked with, both ways.
        peers: u32,
        /// Of them public.
        peers_public: u32,
        /// Flows it opened.
        flows_out: u32,
        /// Flows opened to it.
        flows_in: u32,
        /// S0 or REJ flows it opened.
        failed_flows_out: u32,
        /// It ever sent a frame; false: only addressed (scan targets).
        responded: bool,
    }
}

table! {
    /// One row per piece of evidence that an address bears a name. Derived from the protocol tables; hosts.hostnames is its best-first summary.
    pub struct HostNames("host_names", "evidence", Network) {
        /// Address the name is for.
        ip: ip,
        /// MAC where the evidence gives one.
        mac: mac,
        /// Name, lower case, without trailing dot.
        name: text,
        /// `hostname` (what the host calls itself), `dns_name` (resolved to it), `virtual_host` (asked of it), `certificate`, `user_given`.
        kind: text,
        /// Table and field: `dhcp.host_name`, `dns.a`, `dns.ptr`, `mdns.a`, `llmnr`, `nbns`, `ntlm.hostname`, `ntlm.dns_computer_name`, `kerberos`, `tls.server_name`, `x509.san_dns`, `http.host`, `smb`, `lldp.system_name`, `cdp.device_id`, `snmp.sysname`, `smtp.helo`, `ssh`, `opcua.application_uri`, `profinet.name_of_station`, `s7comm`, `bacnet.object_name`, `syslog.host`.
        source: text,
        /// `high`, `medium`, `low`.
        confidence: text,
        /// Times.
        seen: u64,
        /// Last time.
        end_ts: time,
    }
}
