//! DHCPv4 and DHCPv6 messages.

use crate::table;

table! {
    /// One row per DHCPv4 or BOOTP message (RFC 2131, 2132, 951).
    pub struct Dhcp("dhcp", "message", Link) {
        /// BOOTP operation: 1 from clients (and their relays), 2 from servers.
        op: u8 = "dhcp.type",
        /// Kind of hardware address (`htype`, IANA ARP hardware types): 1 is Ethernet.
        hardware_type: u8 = "dhcp.hw.type",
        /// Relays passed, as they count them.
        hops: u8 = "dhcp.hops",
        /// Transaction id (`xid`) that the client chose.
        trans_id: u32 = "dhcp.id",
        /// Seconds since the client began, read big endian as the standard has it; some clients send it little endian.
        secs: u16,
        /// The client asks for answers to the broadcast address.
        broadcast: bool = "dhcp.flags.bc",
        /// Address that the client already has (`ciaddr`); 0.0.0.0 as sent.
        ciaddr: ip = "dhcp.ip.client",
        /// Address that the server gives the client (`yiaddr`); 0.0.0.0 as sent.
        yiaddr: ip = "dhcp.ip.your",
        /// Server of the next boot step (`siaddr`); 0.0.0.0 as sent.
        siaddr: ip = "dhcp.ip.server",
        /// First relay on the way (`giaddr`); 0.0.0.0 as sent, which means none.
        giaddr: ip = "dhcp.ip.relay",
        /// Client's hardware address (`chaddr`) where it is an Ethernet address of six octets.
        @bloom client_mac: mac = "dhcp.hw.mac_addr",
        /// Server name field up to its first zero; null when empty or when it holds options.
        sname: text,
        /// Boot file: the `file` field up to its first zero or, where that is empty or holds options, option 67.
        boot_file: text,
        /// DHCP message type (option 53); null for BOOTP.
        message_type: u8 = "dhcp.option.dhcp",
        /// Its name: `DISCOVER`, `OFFER`, `REQUEST`, `DECLINE`, `ACK`, `NAK`, `RELEASE`, `INFORM`, `FORCERENEW`, `LEASEQUERY`,
        /// `LEASEACTIVE` ...; `TYPE-N` if the number has none.
        message_type_name: word,
        /// Address that the client asks for (option 50).
        requested_addr: ip = "dhcp.option.requested_ip_address",
        /// Server that speaks or is spoken to (option 54).
        server_id: ip = "dhcp.option.dhcp_server_id",
        /// Lease time, seconds (option 51); 4294967295 is for ever.
        lease_time_s: u32 = "dhcp.option.ip_address_lease_time",
        /// Seconds until the client renews, T1 (option 58).
        renewal_time_s: u32 = "dhcp.option.renewal_time_value",
        /// Seconds until the client asks any server, T2 (option 59).
        rebinding_time_s: u32 = "dhcp.option.rebinding_time_value",
        /// Subnet mask (option 1).
        subnet_mask: ip = "dhcp.option.subnet_mask",
        /// Default routers, first choice first (option 3); of all areas where the option is repeated, as the other lists.
        routers: list_text = "dhcp.option.router",
        /// DNS servers, first choice first (option 6).
        dns_servers: list_text = "dhcp.option.domain_name_server",
        /// NTP servers (option 42).
        ntp_servers: list_text = "dhcp.option.ntp_server",
        /// Domain of the client (option 15).
        domain_name: word = "dhcp.option.domain_name",
        /// Domain search list (option 119, RFC 3397), without final dots.
        domain_search: list_text = "dhcp.option.dhcp_dns_domain_search_list_fqdn",
        /// Routes as `prefix/length>router` (option 121, RFC 3442; else its Microsoft twin 249).
        classless_routes: list_text,
        /// Name that the client gives itself or gets (option 12).
        @bloom host_name: text = "dhcp.option.hostname",
        /// Full name of the client (option 81, RFC 4702), without final dot; partial names as sent.
        client_fqdn: text = "dhcp.fqdn.name",
        /// Client identifier (option 61), with its type octet in front: 1 and a hardware address, or 255, IAID and DUID (RFC 4361).
        client_id: bytes,
        /// Vendor class (option 60): the make of the DHCP client, or of the server in its answer.
        vendor_class: word = "dhcp.option.vendor_class_id",
        /// User classes (option 77, RFC 3004), comma-separated; plain text where a client does not count its strings.
        user_class: word,
        /// Codes of the options that the client wants, in its order (option 55).
        param_request_list: list_u8 = "dhcp.option.request_list_item",
        /// Option codes in order of appearance, each part of a split option counted; without pad and end. Options of the `file`
        /// field follow those of the options field, those of `sname` come last.
        options: list_u8,
        /// `param_request_list` joined by commas: the usual DHCP fingerprint of an operating system.
        fingerprint: word,
        /// Longest message that the client takes, octets (option 57).
        max_message_size: u16 = "dhcp.option.dhcp_max_message_size",
        /// Text of the server (why it refused) or client (option 56).
        message: text = "dhcp.option.message",
        /// TFTP server by name or address (option 66).
        tftp_server: text = "dhcp.option.tftp_server_name",
        /// TFTP servers by address (option 150, RFC 5859).
        tftp_addresses: list_text = "dhcp.option.tftp_server_address",
        /// Architecture of a PXE client, the first it names (option 93, RFC 4578): 0 BIOS, 7 and 9 UEFI x64.
        client_arch: u16 = "dhcp.option.client_system_architecture",
        /// Where the proxy configuration is (option 252).
        wpad_url: text = "dhcp.option.private_proxy_autodiscovery",
        /// Port of the client on its relay (option 82 sub-option 1, RFC 3046).
        circuit_id: bytes = "dhcp.option.agent_information_option.agent_circuit_id",
        /// The relay, or the client by the relay's word (option 82 sub-option 2).
        remote_id: bytes = "dhcp.option.agent_information_option.agent_remote_id",
        /// Subscriber by the relay's word (option 82 sub-option 6, RFC 3993).
        subscriber_id: text,
        /// Option 52: options also stand in 1 the `file` field, 2 the `sname` field, 3 both.
        option_overload: u8,
        /// Codes that appear again with another value, in another area or after other options. Parts of one long option (RFC 3396)
        /// are no repetition. The columns hold the value that came first.
        duplicate_options: list_u8,
        /// The four octets 63 82 53 63 precede the options; null if the capture lacks their place. Without them no options are read.
        magic_cookie_ok: bool,
        /// VLAN of the frame, the innermost of several.
        vlan_id: u16 = "vlan.id",
    }
}

table! {
    /// One row per DHCPv6 message (RFC 8415); relayed messages give a row for the innermost client or server message.
    pub struct Dhcpv6("dhcpv6", "message", Network) {
        /// Message type (RFC 8415 section 7.3) of the innermost message.
        message_type: u8,
        /// Its name: `solicit`, `advertise`, `request`, `confirm`, `renew`, `rebind`, `reply`, `release`, `decline`, `reconfigure`,
        /// `information_request`, `relay_forward` (which carried no message), `leasequery` ...
        message_type_name: word,
        /// The message came inside a Relay-forward or Relay-reply.
        relayed: bool,
        /// Link address that the relay nearest the server gives: where the client, or the next relay, is.
        link_addr: ip = "dhcpv6.linkaddr",
        /// Peer address that the relay nearest the server gives: whom it took the message from or hands it to.
        peer_addr: ip = "dhcpv6.peeraddr",
        /// 24-bit transaction id; null for relays' own messages and DHCPv4 over DHCPv6.
        trans_id: u32 = "dhcpv6.xid",
        /// Client's DUID (option 1).
        client_duid: bytes,
        /// Server's DUID (option 2).
        server_duid: bytes,
        /// Ethernet address in the client's DUID of type 1 or 3, which is that of any one of its interfaces; else the one the relay next
        /// to it saw (option 79, RFC 6939).
        client_mac: mac,
        /// Identities of the address and prefix associations (options 3, 4, 25).
        iaid: list_u32 = "dhcpv6.iaid",
        /// Addresses in the associations (option 5).
        addresses: list_text = "dhcpv6.iaaddr.ip",
        /// Valid lifetime of each of `addresses`, seconds; 4294967295 is for ever.
        valid_lifetimes_s: list_u32 = "dhcpv6.iaaddr.valid_lifetime",
        /// Delegated prefixes (option 26) as `prefix/length`.
        prefixes: list_text,
        /// DNS servers (option 23).
        dns_servers: list_text = "dhcpv6.dns_server",
        /// Domain search list (option 24), without final dots.
        domain_search: list_text,
        /// Name of the client (option 39, RFC 4704), without final dot; partial names as sent.
        client_fqdn: text = "dhcpv6.client_domain",
        /// Vendor classes (option 16), comma-separated.
        vendor_class: word,
        /// Whose vendor classes they are: IANA enterprise number in option 16 (311 is Microsoft).
        enterprise: u32 = "dhcpv6.vendorclass.enterprise",
        /// Codes of the options that the client wants, in its order (option 6).
        requested_options: list_u16,
        /// Boot file (option 59, RFC 5970).
        boot_file_url: text,
        /// Status (option 13): the message's own or, where it has none, the first in its associations. 0 is success.
        status_code: u16 = "dhcpv6.status_code",
        /// Text of that status.
        status_message: text = "dhcpv6.status_msg",
        /// How much the server wants to be chosen, 0 to 255 (option 7).
        preference: u8 = "dhcpv6.option_preference",
    }
}
