//! Tables of DHCP records.

use crate::table;

table! {
    /// One row per DHCPv4 or BOOTP message.
    pub struct Dhcp("dhcp", "message", Link) {
        /// 1 request, 2 reply.
        op: u8 = "dhcp.type",
        /// htype.
        hardware_type: u8 = "dhcp.hw.type",
        /// Relay hops.
        hops: u8 = "dhcp.hops",
        /// xid.
        trans_id: u32 = "dhcp.id",
        /// Seconds since start, big endian as sent.
        secs: u16,
        /// Broadcast flag.
        broadcast: bool = "dhcp.flags.bc",
        /// Client address; 0.0.0.0 as sent.
        ciaddr: ip = "dhcp.ip.client",
        /// Your address.
        yiaddr: ip = "dhcp.ip.your",
        /// Next server.
        siaddr: ip = "dhcp.ip.server",
        /// Relay.
        giaddr: ip = "dhcp.ip.relay",
        /// chaddr when htype 1 and hlen 6.
        @bloom client_mac: mac = "dhcp.hw.mac_addr",
        /// Server name field; null when empty or used for options.
        sname: text,
        /// File field or option 67.
        boot_file: text,
        /// Option 53; null for BOOTP.
        message_type: u8 = "dhcp.option.dhcp",
        /// `DISCOVER`, `OFFER`, `REQUEST`, `DECLINE`, `ACK`, `NAK`, `RELEASE`, `INFORM`, `FORCERENEW`, `LEASEQUERY` ...; `TYPE-N` if unknown.
        message_type_name: word,
        /// Option 50.
        requested_addr: ip = "dhcp.option.requested_ip_address",
        /// Option 54.
        server_id: ip = "dhcp.option.dhcp_server_id",
        /// Option 51.
        lease_time_s: u32 = "dhcp.option.ip_address_lease_time",
        /// Option 58.
        renewal_time_s: u32 = "dhcp.option.renewal_time_value",
        /// Option 59.
        rebinding_time_s: u32 = "dhcp.option.rebinding_time_value",
        /// Option 1.
        subnet_mask: ip = "dhcp.option.subnet_mask",
        /// Option 3.
        routers: list_text = "dhcp.option.router",
        /// Option 6.
        dns_servers: list_text = "dhcp.option.domain_name_server",
        /// Option 42.
        ntp_servers: list_text = "dhcp.option.ntp_server",
        /// Option 15.
        domain_name: text = "dhcp.option.domain_name",
        /// Option 119.
        domain_search: list_text = "dhcp.option.dhcp_dns_domain_search_list_fqdn",
        /// Option 121 or 249 as prefix/len>router.
        classless_routes: list_text,
        /// Option 12.
        @bloom host_name: text = "dhcp.option.hostname",
        /// Option 81 name.
        client_fqdn: text = "dhcp.fqdn.name",
        /// Option 61, type byte first.
        client_id: bytes,
        /// Option 60.
        vendor_class: word = "dhcp.option.vendor_class_id",
        /// Option 77.
        user_class: text,
        /// Option 55, in order.
        param_request_list: list_u8 = "dhcp.option.request_list_item",
        /// Option codes in order of appearance, without pad and end.
        options: list_u8,
        /// param_request_list joined by commas: the usual DHCP fingerprint.
        fingerprint: word,
        /// Option 57.
        max_message_size: u16 = "dhcp.option.dhcp_max_message_size",
        /// Option 56: the server's or client's text.
        message: text = "dhcp.option.message",
        /// Option 66.
        tftp_server: text = "dhcp.option.tftp_server_name",
        /// Option 150.
        tftp_addresses: list_text = "dhcp.option.tftp_server_address",
        /// Option 93 (PXE).
        client_arch: u16 = "dhcp.option.client_system_architecture",
        /// Option 252.
        wpad_url: text = "dhcp.option.private_proxy_autodiscovery",
        /// Option 82 sub 1.
        circuit_id: bytes = "dhcp.option.agent_information_option.agent_circuit_id",
        /// Option 82 sub 2.
        remote_id: bytes = "dhcp.option.agent_information_option.agent_remote_id",
        /// Option 82 sub 6.
        subscriber_id: text,
        /// Option 52: 1 file, 2 sname, 3 both.
        option_overload: u8,
        /// Option codes that appear again with another value in another area or after other options (not RFC 3396 parts).
        duplicate_options: list_u8,
        /// 63825363 present.
        magic_cookie_ok: bool,
        /// Innermost VLAN.
        vlan_id: u16 = "vlan.id",
    }
}

table! {
    /// One row per DHCPv6 message; relayed messages give a row for the innermost client or server message.
    pub struct Dhcpv6("dhcpv6", "message", Network) {
        /// Message type of the innermost message.
        message_type: u8,
        /// `solicit`, `advertise`, `request`, `confirm`, `renew`, `rebind`, `reply`, `release`, `decline`, `reconfigure`, `information_request`, `leasequery` ...
        message_type_name: word,
        /// Came inside Relay-forward or Relay-reply.
        relayed: bool,
        /// Relay link address, outermost.
        link_addr: ip = "dhcpv6.linkaddr",
        /// Relay peer address, outermost.
        peer_addr: ip = "dhcpv6.peeraddr",
        /// 24-bit id.
        trans_id: u32 = "dhcpv6.xid",
        /// Option 1.
        client_duid: bytes,
        /// Option 2.
        server_duid: bytes,
        /// Link-layer address in the client DUID (LLT or LL), or option 79.
        client_mac: mac,
        /// IA_NA, IA_TA, IA_PD ids.
        iaid: list_u32 = "dhcpv6.iaid",
        /// Addresses in IA options.
        addresses: list_text = "dhcpv6.iaaddr.ip",
        /// Valid lifetime of each address.
        valid_lifetimes_s: list_u32 = "dhcpv6.iaaddr.valid_lifetime",
        /// Delegated prefixes.
        prefixes: list_text,
        /// Option 23.
        dns_servers: list_text = "dhcpv6.dns_server",
        /// Option 24.
        domain_search: list_text,
        /// Option 39.
        client_fqdn: text = "dhcpv6.client_domain",
        /// Option 16 text.
        vendor_class: text,
        /// Option 16 enterprise number.
        enterprise: u32 = "dhcpv6.vendorclass.enterprise",
        /// Option 6, in order.
        requested_options: list_u16,
        /// Option 59.
        boot_file_url: text,
        /// Option 13.
        status_code: u16 = "dhcpv6.status_code",
        /// Its text.
        status_message: text = "dhcpv6.status_msg",
        /// Option 7.
        preference: u8 = "dhcpv6.option_preference",
    }
}
