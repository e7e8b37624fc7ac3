-- @kept
-- Evidence that an address bears a name, drawn from the tables of protocols: what a host says of itself, what others call it, what is
-- asked of it.
WITH evidence AS (
  -- Addresses in answers; of multicast DNS the host answers for itself.
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    address AS ip, CAST(NULL AS VARCHAR) AS mac, name AS name, CASE WHEN src_port = 5353 THEN 'hostname' ELSE 'dns_name' END AS kind, CASE WHEN src_port = 5353 THEN 'mdns.a' WHEN src_port = 5355 THEN 'llmnr' ELSE 'dns.a' END AS source, CASE WHEN src_port = 5355 THEN 'medium' ELSE 'high' END AS confidence
  FROM dns_records WHERE address IS NOT NULL AND name IS NOT NULL AND is_response AND type_name IN ('A', 'AAAA')
  UNION ALL
  -- The name that was asked for, at the end of a chain of aliases.
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    r.address AS ip, CAST(NULL AS VARCHAR) AS mac, d.query AS name, 'dns_name' AS kind, 'dns.a' AS source, 'high' AS confidence
  FROM dns d JOIN (SELECT capture_id AS id, frame AS at, trans_id AS number, address, name AS owner FROM dns_records WHERE address IS NOT NULL AND section = 'answer') r ON r.id = d.capture_id AND r.at = d.frame AND r.number = d.trans_id
  WHERE d.is_response AND d.qtype_name IN ('A', 'AAAA') AND lower(d.query) <> lower(r.owner)
  UNION ALL
  -- Names of addresses.
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    ptr_address(CAST(name AS VARCHAR)) AS ip, CAST(NULL AS VARCHAR) AS mac, target AS name, 'dns_name' AS kind, 'dns.ptr' AS source, 'medium' AS confidence
  FROM dns_records WHERE type_name = 'PTR' AND name LIKE '%.arpa' AND target IS NOT NULL AND is_response
  UNION ALL
  -- What a DHCP client calls itself, at the address that the server acknowledged; without that only wished for.
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    coalesce(a.address, NULLIF(d.requested_addr, '0.0.0.0'), NULLIF(d.ciaddr, '0.0.0.0')) AS ip, d.client_mac AS mac, coalesce(d.client_fqdn, d.host_name) AS name, 'hostname' AS kind, 'dhcp.host_name' AS source, CASE WHEN a.address IS NOT NULL THEN 'high' ELSE 'low' END AS confidence
  FROM dhcp d LEFT JOIN (SELECT capture_id AS id, trans_id AS number, client_mac AS client, max(coalesce(NULLIF(yiaddr, '0.0.0.0'), NULLIF(ciaddr, '0.0.0.0'))) AS address FROM dhcp WHERE message_type_name = 'ACK' GROUP BY capture_id, trans_id, client_mac) a
    ON a.id = d.capture_id AND a.number = d.trans_id AND a.client = d.client_mac
  WHERE coalesce(d.client_fqdn, d.host_name) IS NOT NULL
  UNION ALL
  -- Servers in the challenge of NTLM, clients in the answer to it.
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, server_dns_computer_name AS name, 'hostname' AS kind, 'ntlm.dns_computer_name' AS source, 'high' AS confidence
  FROM ntlm WHERE message_type = 2 AND server_dns_computer_name IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, server_nb_computer_name AS name, 'hostname' AS kind, 'ntlm.nb_computer_name' AS source, 'high' AS confidence
  FROM ntlm WHERE message_type = 2 AND server_nb_computer_name IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, coalesce(hostname, negotiate_workstation) AS name, 'hostname' AS kind, 'ntlm.hostname' AS source, 'medium' AS confidence
  FROM ntlm WHERE message_type <> 2 AND coalesce(hostname, negotiate_workstation) IS NOT NULL
  UNION ALL
  -- Kerberos: the host that a ticket is shown to; machines that log on; services that are only asked about have no address.
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    dst_ip AS ip, CAST(NULL AS VARCHAR) AS mac, split_part(CAST(service AS VARCHAR), '/', 2) AS name, 'hostname' AS kind, 'kerberos.service' AS source, 'high' AS confidence
  FROM kerberos WHERE request_type = 'AP-REQ' AND carrier <> 'kdc' AND service LIKE '%/%' AND service_class NOT IN ('krbtgt', 'kadmin')
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, rtrim(CAST(client AS VARCHAR), '$') AS name, 'hostname' AS kind, 'kerberos.client' AS source, 'medium' AS confidence
  FROM kerberos WHERE request_type IN ('AS-REQ', 'TGS-REQ') AND client LIKE '%$'
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    dst_ip AS ip, CAST(NULL AS VARCHAR) AS mac, rtrim(CAST(client AS VARCHAR), '$') AS name, 'hostname' AS kind, 'kerberos.client' AS source, 'medium' AS confidence
  FROM kerberos WHERE request_type IN ('AS-REP', 'TGS-REP') AND client LIKE '%$'
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    CAST(NULL AS VARCHAR) AS ip, CAST(NULL AS VARCHAR) AS mac, split_part(CAST(service AS VARCHAR), '/', 2) AS name, 'dns_name' AS kind, 'kerberos.service' AS source, 'low' AS confidence
  FROM kerberos WHERE request_type IN ('TGS-REQ', 'AS-REQ') AND service LIKE '%/%' AND service_class NOT IN ('krbtgt', 'kadmin', 'kpasswd')
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, trim(address) AS name, 'hostname' AS kind, 'kerberos.addresses' AS source, 'medium' AS confidence
  FROM (SELECT *, unnest(addresses) AS address FROM kerberos WHERE request_type IN ('AS-REQ', 'TGS-REQ')) k WHERE NOT regexp_like(address, '^[0-9.:a-fA-F]+$')
  UNION ALL
  -- NetBIOS: registrations, tables of names, answers, and who sends datagrams.
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    coalesce(array_element(answers, 1), CAST(src_ip AS VARCHAR)) AS ip, CAST(NULL AS VARCHAR) AS mac, name AS name, 'hostname' AS kind, 'nbns' AS source, 'high' AS confidence
  FROM nbns WHERE opcode_name IN ('registration', 'refresh', 'multihomed_registration') AND NOT is_response AND NOT coalesce("group", false) AND name_suffix IN (0, 32)
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    array_element(answers, 1) AS ip, CAST(NULL AS VARCHAR) AS mac, name AS name, 'hostname' AS kind, 'nbns' AS source, 'medium' AS confidence
  FROM nbns WHERE is_response AND opcode_name = 'query' AND rcode = 0 AND NOT coalesce("group", false) AND name_suffix IN (0, 32) AND (question_type_name IS DISTINCT FROM 'NBSTAT') AND cardinality(answers) > 0
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    src_ip AS ip, status_mac AS mac, split_part(entry, '<', 1) AS name, 'hostname' AS kind, 'nbns.status' AS source, 'high' AS confidence
  FROM (SELECT *, unnest(status_names) AS entry FROM nbns WHERE status_names IS NOT NULL) n WHERE entry LIKE '%<00>%U' OR entry LIKE '%<20>%U'
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    coalesce(source_ip, src_ip) AS ip, CAST(NULL AS VARCHAR) AS mac, split_part(CAST(source_name AS VARCHAR), '<', 1) AS name, 'hostname' AS kind, 'nbdgm' AS source, 'high' AS confidence
  FROM nbdgm WHERE source_name LIKE '%<00>' OR source_name LIKE '%<20>'
  UNION ALL
  -- Devices that say their name: SNMP, LLDP, CDP, PROFINET, BACnet, S7, Modicon, HART, Niagara, CODESYS.
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, array_element(values, CAST(array_position(oids, '1.3.6.1.2.1.1.5.0') AS BIGINT)) AS name, 'hostname' AS kind, 'snmp.sysname' AS source, 'high' AS confidence
  FROM snmp WHERE pdu LIKE '%response%' AND array_position(oids, '1.3.6.1.2.1.1.5.0') > 0
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    array_element(management_addresses, 1) AS ip, coalesce(chassis_mac, src_mac) AS mac, system_name AS name, 'hostname' AS kind, 'lldp.system_name' AS source, 'high' AS confidence
  FROM lldp WHERE system_name IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    coalesce(array_element(addresses, 1), array_element(management_addresses, 1)) AS ip, src_mac AS mac, coalesce(system_name, device_id) AS name, 'hostname' AS kind, 'cdp.device_id' AS source, 'high' AS confidence
  FROM cdp WHERE coalesce(system_name, device_id) IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    NULLIF(ip, '0.0.0.0') AS ip, CASE WHEN service_type_name = 'response' THEN src_mac ELSE dst_mac END AS mac, name_of_station AS name, 'hostname' AS kind, 'profinet.name_of_station' AS source, 'high' AS confidence
  FROM profinet_dcp WHERE name_of_station IS NOT NULL AND (service_type_name = 'response' OR service = 'set')
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, coalesce(object_name, value) AS name, 'hostname' AS kind, 'bacnet.object_name' AS source, 'high' AS confidence
  FROM bacnet WHERE object_type = 'device' AND property = 'object_name' AND NOT is_request AND coalesce(object_name, value) IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, coalesce(plc_name, module_name) AS name, 'hostname' AS kind, 's7comm' AS source, 'high' AS confidence
  FROM s7comm WHERE coalesce(plc_name, module_name) IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    dst_ip AS ip, CAST(NULL AS VARCHAR) AS mac, plc_name AS name, 'hostname' AS kind, 'umas' AS source, 'high' AS confidence
  FROM umas WHERE plc_name IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, coalesce(long_tag, tag) AS name, 'hostname' AS kind, 'hart.tag' AS source, 'high' AS confidence
  FROM hart_ip WHERE message_type = 'response' AND command_code IN (13, 20) AND coalesce(long_tag, tag) IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, coalesce(station_name, hostname) AS name, 'hostname' AS kind, 'niagara' AS source, 'high' AS confidence
  FROM niagara_fox WHERE coalesce(station_name, hostname) IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, coalesce(node_name, device_name) AS name, 'hostname' AS kind, 'codesys' AS source, 'high' AS confidence
  FROM codesys WHERE coalesce(node_name, device_name) IS NOT NULL
  UNION ALL
  -- OPC UA applications name their host in their URI.
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, array_element(regexp_match(application_uri, '^urn:([^:/]+)'), 1) AS name, 'hostname' AS kind, 'opcua.application_uri' AS source, 'high' AS confidence
  FROM opcua WHERE application_uri LIKE 'urn:%:%'
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    dst_ip AS ip, CAST(NULL AS VARCHAR) AS mac, array_element(regexp_match(endpoint_url, '^opc.tcp://([^:/]+)'), 1) AS name, 'virtual_host' AS kind, 'opcua.endpoint_url' AS source, 'medium' AS confidence
  FROM opcua WHERE msg_type = 'HEL' AND endpoint_url IS NOT NULL
  UNION ALL
  -- Greetings of mail and file servers; what mail clients say of themselves.
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    dst_ip AS ip, CAST(NULL AS VARCHAR) AS mac, array_element(regexp_match(CAST(server_banner AS VARCHAR), '^(?:220[ -])?([A-Za-z0-9-]+(?:[.][A-Za-z0-9-]+)+)'), 1) AS name, 'hostname' AS kind, 'smtp.banner' AS source, 'high' AS confidence
  FROM smtp WHERE server_banner IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, helo AS name, 'hostname' AS kind, 'smtp.helo' AS source, 'medium' AS confidence
  FROM smtp WHERE helo IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, array_element(regexp_match(reply_msg, '^([A-Za-z0-9-]+(?:[.][A-Za-z0-9-]+)+) FTP'), 1) AS name, 'hostname' AS kind, 'ftp.banner' AS source, 'high' AS confidence
  FROM ftp WHERE reply_code = 220 AND reply_msg IS NOT NULL
  UNION ALL
  -- Others that name themselves to a server.
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, client_name AS name, 'hostname' AS kind, 'rdp.client_name' AS source, 'medium' AS confidence
  FROM rdp WHERE client_name IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, machine_name AS name, 'hostname' AS kind, 'rpc.machine_name' AS source, 'medium' AS confidence
  FROM rpc_calls WHERE machine_name IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, hostname AS name, 'hostname' AS kind, 'syslog.host' AS source, 'medium' AS confidence
  FROM syslog WHERE hostname IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, server_name AS name, 'hostname' AS kind, 'browser.server' AS source, 'high' AS confidence
  FROM nbdgm WHERE browser_command_name IN ('host_announcement', 'local_master_announcement') AND server_name IS NOT NULL
  UNION ALL
  -- A directory's root says which host holds it.
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, array_element(values, 1) AS name, 'hostname' AS kind, 'ldap.dns_host_name' AS source, 'high' AS confidence
  FROM ldap_attributes WHERE lower(attribute) = 'dnshostname' AND coalesce(object, '') = '' AND values IS NOT NULL
  UNION ALL
  -- Shares are asked for by the server's name.
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    dst_ip AS ip, CAST(NULL AS VARCHAR) AS mac, server_name AS name, 'dns_name' AS kind, 'smb' AS source, 'medium' AS confidence
  FROM smb_mappings WHERE server_name IS NOT NULL
  UNION ALL
  -- What a certificate stands for, at the server that shows it for that name.
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, san AS name, 'certificate' AS kind, 'x509.san_dns' AS source, CASE WHEN sni_matches THEN 'high' ELSE 'medium' END AS confidence
  FROM (SELECT *, unnest(san_dns) AS san FROM x509 WHERE role = 'server' AND chain_index = 0 AND san_dns IS NOT NULL) c
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, subject_cn AS name, 'certificate' AS kind, 'x509.subject_cn' AS source, CASE WHEN sni_matches THEN 'high' ELSE 'medium' END AS confidence
  FROM x509 WHERE role = 'server' AND chain_index = 0 AND san_dns IS NULL AND subject_cn LIKE '%.%' AND subject_cn NOT LIKE '% %'
  UNION ALL
  -- What is asked of a server, which may serve many.
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    dst_ip AS ip, CAST(NULL AS VARCHAR) AS mac, regexp_replace(CAST(host AS VARCHAR), ':[0-9]+$', '') AS name, 'virtual_host' AS kind, 'http.host' AS source, 'medium' AS confidence
  FROM http WHERE is_request AND host IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    dst_ip AS ip, CAST(NULL AS VARCHAR) AS mac, server_name AS name, 'virtual_host' AS kind, 'tls.server_name' AS source, 'medium' AS confidence
  FROM tls WHERE message = 'client_hello' AND server_name IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    dst_ip AS ip, CAST(NULL AS VARCHAR) AS mac, server_name AS name, 'virtual_host' AS kind, 'quic.server_name' AS source, 'medium' AS confidence
  FROM quic WHERE server_name IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port, ip, mac, name, kind, source, confidence FROM stored_host_names
), named AS (
  SELECT * EXCLUDE (name), rtrim(lower(trim(CAST(name AS VARCHAR))), '.') AS name FROM evidence
)
-- Addresses, services and names that every host has are no names.
SELECT min(capture) AS capture, capture_id, min(frame) AS frame, min(ts) AS ts, first_value(flow_id ORDER BY frame) AS flow_id,
  first_value(src_ip ORDER BY frame) AS src_ip, first_value(dst_ip ORDER BY frame) AS dst_ip, first_value(src_port ORDER BY frame) AS src_port, first_value(dst_port ORDER BY frame) AS dst_port,
  ip, mac, name, kind, source, confidence, count(*) AS seen, max(ts) AS end_ts
FROM named
WHERE name <> '' AND name NOT IN ('localhost', 'localhost.localdomain', 'wpad', 'isatap', 'broadcasthost', '*') AND name NOT LIKE '%.arpa' AND NOT starts_with(name, '_') AND strpos(name, '._') = 0
  AND name NOT LIKE '*.%' AND ip_scope(name) IS NULL AND NOT starts_with(name, '[') AND (ip IS NULL OR ip_scope(CAST(ip AS VARCHAR)) NOT IN ('loopback', 'multicast', 'broadcast', 'unspecified'))
GROUP BY capture_id, ip, mac, name, kind, source, confidence
