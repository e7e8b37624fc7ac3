-- @table dns
-- Which names were asked for most, and by how many?
SELECT query, count(*) AS queries, count(DISTINCT src_ip) AS clients FROM dns WHERE NOT is_response GROUP BY query ORDER BY queries DESC, query LIMIT 20;
-- Which names do not exist, yet are asked for again and again?
SELECT query, dst_ip, count(*) AS times FROM dns WHERE rcode_name = 'NXDOMAIN' GROUP BY query, dst_ip ORDER BY times DESC, query, dst_ip;
-- Which names look generated?
SELECT registered_domain, dga_score(registered_domain) AS score, count(*) AS queries FROM dns WHERE NOT is_response GROUP BY registered_domain ORDER BY score DESC NULLS LAST, registered_domain LIMIT 20;
-- @table dns_records
-- Which addresses has a name had?
SELECT name, array_agg(DISTINCT address) AS addresses FROM dns_records WHERE address IS NOT NULL GROUP BY name ORDER BY name;
-- Which records live only for seconds?
SELECT name, type_name, min(ttl) AS ttl_s FROM dns_records WHERE section = 'answer' AND ttl < 60 GROUP BY name, type_name ORDER BY ttl_s, name, type_name;
-- What do TXT records say?
SELECT name, "text" FROM dns_records WHERE "text" IS NOT NULL GROUP BY name, "text" ORDER BY name;
-- @table dhcp
-- Which device got which address?
SELECT client_mac, host_name, vendor_class, yiaddr FROM dhcp WHERE message_type_name = 'ACK' GROUP BY client_mac, host_name, vendor_class, yiaddr ORDER BY client_mac, yiaddr;
-- Which servers answer, and what do they hand out?
SELECT server_id, routers, dns_servers, count(*) AS messages FROM dhcp WHERE server_id IS NOT NULL GROUP BY server_id, routers, dns_servers ORDER BY messages DESC, server_id;
-- Which systems are there, by the options that they ask for?
SELECT fingerprint, count(DISTINCT client_mac) AS devices FROM dhcp WHERE fingerprint IS NOT NULL GROUP BY fingerprint ORDER BY devices DESC, fingerprint;
-- @table dhcpv6
-- Which client got which address?
SELECT client_mac, client_fqdn, addresses FROM dhcpv6 WHERE addresses IS NOT NULL GROUP BY client_mac, client_fqdn, addresses ORDER BY client_mac;
-- Which servers answer?
SELECT src_ip, hex(server_duid) AS duid, dns_servers, count(*) AS messages FROM dhcpv6 WHERE server_duid IS NOT NULL GROUP BY src_ip, server_duid, dns_servers ORDER BY messages DESC, src_ip;
-- What was refused?
SELECT ts, src_ip, status_code, status_message FROM dhcpv6 WHERE status_code > 0 ORDER BY ts, src_ip;
-- @table ntp
-- Which servers give the time?
SELECT src_ip, stratum, ref_id, count(*) AS answers FROM ntp WHERE mode_name = 'server' GROUP BY src_ip, stratum, ref_id ORDER BY answers DESC, src_ip;
-- Whose clock is off?
SELECT src_ip, dst_ip, avg(offset_ms) AS mean_ms FROM ntp WHERE offset_ms IS NOT NULL GROUP BY src_ip, dst_ip ORDER BY abs(mean_ms) DESC, src_ip;
-- Who asks for lists that can be abused?
SELECT src_ip, dst_ip, request_name, count(*) AS times FROM ntp WHERE request_name IS NOT NULL GROUP BY src_ip, dst_ip, request_name ORDER BY times DESC, src_ip;
-- @table snmp
-- Which communities are in use?
SELECT community, version, src_ip, count(*) AS messages FROM snmp WHERE community IS NOT NULL GROUP BY community, version, src_ip ORDER BY messages DESC, src_ip;
-- Who writes?
SELECT ts, src_ip, dst_ip, oid_names, "values" FROM snmp WHERE pdu = 'set-request' ORDER BY ts, src_ip;
-- Which objects are read most?
SELECT oid, count(*) AS times FROM (SELECT unnest(oids) AS oid FROM snmp) AS read GROUP BY oid ORDER BY times DESC, oid LIMIT 20;
-- @table ssdp
-- Which devices announce themselves, and where do they describe it?
SELECT src_ip, server, location, count(*) AS messages FROM ssdp WHERE location IS NOT NULL GROUP BY src_ip, server, location ORDER BY messages DESC, src_ip;
-- Who searches for what?
SELECT src_ip, st, user_agent, count(*) AS searches FROM ssdp WHERE method = 'M-SEARCH' GROUP BY src_ip, st, user_agent ORDER BY searches DESC, src_ip, st;
-- Who points to somebody else's address?
SELECT src_ip, location_ip, location FROM ssdp WHERE location_ip <> src_ip GROUP BY src_ip, location_ip, location ORDER BY src_ip;
-- @table syslog
-- What do systems complain about?
SELECT hostname, app_name, severity, count(*) AS messages FROM syslog WHERE severity_code <= 4 GROUP BY hostname, app_name, severity ORDER BY messages DESC, hostname, app_name;
-- Which logins failed?
SELECT ts, src_ip, hostname, message FROM syslog WHERE message ILIKE '%fail%' ORDER BY ts, src_ip;
-- Who sends logs, in which form?
SELECT src_ip, dst_ip, proto, format, count(*) AS messages FROM syslog GROUP BY src_ip, dst_ip, proto, format ORDER BY messages DESC, src_ip;
-- @table http
-- Which programs browse?
SELECT user_agent, count(*) AS requests, count(DISTINCT src_ip) AS clients FROM http WHERE is_request GROUP BY user_agent ORDER BY requests DESC, user_agent;
-- Which requests failed?
SELECT request_host, request_uri, status_code, count(*) AS times FROM http WHERE status_code >= 400 GROUP BY request_host, request_uri, status_code ORDER BY times DESC, request_host, request_uri;
-- Who uploads?
SELECT src_ip, host, sum(body_bytes) AS sent FROM http WHERE is_request AND body_bytes > 0 GROUP BY src_ip, host ORDER BY sent DESC, src_ip, host;
-- @table http2
-- Which services are called?
SELECT host, grpc_service, count(*) AS messages FROM http2 WHERE is_request GROUP BY host, grpc_service ORDER BY messages DESC, host;
-- Which calls failed?
SELECT ts, src_ip, status_code, grpc_status FROM http2 WHERE status_code >= 400 OR grpc_status > 0 ORDER BY ts, stream_id;
-- How long do answers take?
SELECT src_ip, count(*) AS answers, avg(response_time_ms) AS mean_ms FROM http2 WHERE response_time_ms IS NOT NULL GROUP BY src_ip ORDER BY mean_ms DESC, src_ip;
-- @table http2_frames
-- What are connections made of?
SELECT type_name, count(*) AS frames, sum(length) AS bytes FROM http2_frames GROUP BY type_name ORDER BY frames DESC, type_name;
-- Which streams were reset, and why?
SELECT ts, src_ip, stream_id, error FROM http2_frames WHERE type_name = 'RST_STREAM' ORDER BY ts, stream_id;
-- Who resets so often that it looks like an attack?
SELECT src_ip, dst_ip, count(*) AS resets FROM http2_frames WHERE type_name = 'RST_STREAM' GROUP BY src_ip, dst_ip HAVING count(*) > 100 ORDER BY resets DESC, src_ip;
-- @table http_transactions
-- Which URLs were fetched, and what came back?
SELECT ts, src_ip, method, url, status_code, response_mime, response_body_len FROM http_transactions ORDER BY ts, frame LIMIT 50;
-- Which programs were downloaded?
SELECT ts, src_ip, url, filename, response_mime FROM http_transactions WHERE response_mime LIKE '%executable%' ORDER BY ts, frame;
-- Which servers are slow?
SELECT host, count(*) AS answers, percentile_cont(response_time_ms, 0.95) AS p95_ms FROM http_transactions WHERE response_time_ms IS NOT NULL GROUP BY host ORDER BY p95_ms DESC, host;
-- @table tls
-- Which clients are there, by fingerprint?
SELECT ja4, count(DISTINCT src_ip) AS clients, count(*) AS hellos FROM tls WHERE ja4 IS NOT NULL GROUP BY ja4 ORDER BY hellos DESC, ja4;
-- Who offers or takes versions that are broken?
SELECT src_ip, dst_ip, version, count(*) AS messages FROM tls WHERE version IN ('SSL2', 'SSL3', 'TLS1.0', 'TLS1.1') GROUP BY src_ip, dst_ip, version ORDER BY messages DESC, src_ip;
-- Which connections ended with an alert?
SELECT src_ip, dst_ip, alert, count(*) AS times FROM tls WHERE alert IS NOT NULL GROUP BY src_ip, dst_ip, alert ORDER BY times DESC, src_ip, alert;
-- @table tls_sessions
-- Which servers were asked for by name?
SELECT server_name, dst_ip, count(*) AS sessions FROM tls_sessions WHERE server_name IS NOT NULL GROUP BY server_name, dst_ip ORDER BY sessions DESC, server_name, dst_ip;
-- Which sessions named no server?
SELECT src_ip, dst_ip, dst_port, ja4, count(*) AS sessions FROM tls_sessions WHERE server_name IS NULL GROUP BY src_ip, dst_ip, dst_port, ja4 ORDER BY sessions DESC, src_ip, dst_ip;
-- Which versions and ciphers were agreed?
SELECT version, cipher, count(*) AS sessions FROM tls_sessions GROUP BY version, cipher ORDER BY sessions DESC, version, cipher;
-- @table x509
-- Which certificates were shown, by whom issued?
SELECT subject_cn, issuer_cn, not_before, not_after, sha256 FROM x509 WHERE chain_index = 0 GROUP BY subject_cn, issuer_cn, not_before, not_after, sha256 ORDER BY subject_cn, sha256;
-- Which are signed by themselves, or out of date?
SELECT subject, self_signed, days_left, src_ip FROM x509 WHERE chain_index = 0 AND (self_signed OR days_left < 0) GROUP BY subject, self_signed, days_left, src_ip ORDER BY subject, src_ip;
-- Which keys are weak?
SELECT subject_cn, key_type, key_bits, sig_alg FROM x509 WHERE (key_type = 'rsa' AND key_bits < 2048) OR sig_alg ILIKE '%sha1%' OR sig_alg ILIKE '%md5%' GROUP BY subject_cn, key_type, key_bits, sig_alg ORDER BY subject_cn;
-- @table quic
-- Which servers were asked for?
SELECT server_name, version_name, count(*) AS connections FROM quic GROUP BY server_name, version_name ORDER BY connections DESC, server_name;
-- Which clients are there, by fingerprint?
SELECT ja4, count(DISTINCT src_ip) AS clients FROM quic WHERE ja4 IS NOT NULL GROUP BY ja4 ORDER BY clients DESC, ja4;
-- Which connections moved to another address?
SELECT ts, src_ip, dst_ip, server_name FROM quic WHERE migrated ORDER BY ts, src_ip;
-- @table quic_packets
-- What kinds of packets are sent?
SELECT packet_type, count(*) AS packets FROM quic_packets GROUP BY packet_type ORDER BY packets DESC, packet_type;
-- Which frames do opened packets carry?
SELECT frame_types, count(*) AS packets FROM quic_packets WHERE decrypted GROUP BY frame_types ORDER BY packets DESC;
-- Which connection ids are used?
SELECT flow_id, dcid, count(*) AS packets FROM quic_packets GROUP BY flow_id, dcid ORDER BY packets DESC, flow_id LIMIT 20;
-- @table ssh
-- Which programs speak SSH?
SELECT software, is_server, count(DISTINCT src_ip) AS hosts FROM ssh WHERE software IS NOT NULL GROUP BY software, is_server ORDER BY hosts DESC, software;
-- Which fingerprints are there?
SELECT hassh, hassh_server, count(DISTINCT src_ip) AS hosts FROM ssh WHERE hassh IS NOT NULL OR hassh_server IS NOT NULL GROUP BY hassh, hassh_server ORDER BY hosts DESC, hassh, hassh_server;
-- Why did connections end?
SELECT src_ip, dst_ip, disconnect_text, count(*) AS times FROM ssh WHERE disconnect_code IS NOT NULL GROUP BY src_ip, dst_ip, disconnect_text ORDER BY times DESC, src_ip;
-- @table ssh_sessions
-- Who tried to log in how often?
SELECT src_ip, dst_ip, count(*) AS sessions, sum(auth_attempts) AS attempts, count(*) FILTER (WHERE auth_success) AS successes FROM ssh_sessions GROUP BY src_ip, dst_ip ORDER BY attempts DESC NULLS LAST, src_ip;
-- Which servers can be attacked by Terrapin?
SELECT dst_ip, server, count(*) AS sessions FROM ssh_sessions WHERE terrapin_vulnerable GROUP BY dst_ip, server ORDER BY sessions DESC, dst_ip;
-- Which sessions copied much?
SELECT src_ip, dst_ip, bulk_direction, orig_encrypted_bytes, resp_encrypted_bytes FROM ssh_sessions WHERE bulk_direction IS NOT NULL ORDER BY orig_encrypted_bytes + resp_encrypted_bytes DESC, src_ip;
-- @table smtp
-- Who sends mail to whom?
SELECT src_ip, mail_from, rcpt_to, subject FROM smtp ORDER BY ts, frame;
-- Which logins were not encrypted?
SELECT src_ip, dst_ip, auth_method, username FROM smtp WHERE auth_method IS NOT NULL AND NOT starttls ORDER BY ts, frame;
-- Which recipients were refused?
SELECT src_ip, mail_from, rcpt_refused, last_reply FROM smtp WHERE rcpt_refused IS NOT NULL ORDER BY ts, frame;
-- @table email
-- Which messages were carried?
SELECT ts, source, "from", "to", subject FROM email ORDER BY ts, frame;
-- Which messages bring attachments, and which?
SELECT "from", subject, attachment_names, attachment_sha256 FROM email WHERE attachment_count > 0 ORDER BY ts, frame;
-- Which links say one thing and lead elsewhere?
SELECT "from", subject, deceptive_urls FROM email WHERE deceptive_urls IS NOT NULL ORDER BY ts, frame;
-- @table ftp
-- Who logs in where?
SELECT src_ip, dst_ip, "user", authenticated, count(*) AS commands FROM ftp WHERE is_request GROUP BY src_ip, dst_ip, "user", authenticated ORDER BY commands DESC, src_ip;
-- What is asked for?
SELECT command, arg, count(*) AS times FROM ftp WHERE is_request GROUP BY command, arg ORDER BY times DESC, command, arg;
-- Which data connections go to a third host?
SELECT ts, src_ip, dst_ip, data_ip, data_port FROM ftp WHERE data_ip_differs ORDER BY ts, frame;
-- @table ftp_transfers
-- Which files were moved, in which direction?
SELECT ts, "user", command, path, direction, size_bytes, sha256 FROM ftp_transfers ORDER BY ts, frame;
-- Who uploads?
SELECT data_src_ip, count(*) AS files, sum(size_bytes) AS bytes FROM ftp_transfers WHERE direction = 'upload' GROUP BY data_src_ip ORDER BY bytes DESC, data_src_ip;
-- Which transfers did not end well?
SELECT ts, path, reply_code, reply_msg, announced_bytes, size_bytes FROM ftp_transfers WHERE reply_code >= 400 OR size_bytes < announced_bytes ORDER BY ts, frame;
-- @table telnet
-- Who logged in?
SELECT ts, src_ip, dst_ip, username, login_result FROM telnet WHERE username IS NOT NULL ORDER BY ts, frame;
-- What was typed?
SELECT ts, src_ip, "text" FROM telnet WHERE "text" IS NOT NULL AND NOT is_echo ORDER BY ts, frame;
-- Which options were agreed?
SELECT command, option, count(*) AS times FROM telnet WHERE option IS NOT NULL GROUP BY command, option ORDER BY times DESC, command, option;
-- @table smb
-- Which commands fail, and how?
SELECT command, status, count(*) AS times FROM smb WHERE status <> 'STATUS_SUCCESS' GROUP BY command, status ORDER BY times DESC, command, status;
-- Which dialects are spoken?
SELECT src_ip, dst_ip, dialect, count(*) AS messages FROM smb WHERE dialect IS NOT NULL GROUP BY src_ip, dst_ip, dialect ORDER BY messages DESC, src_ip;
-- Which named pipes are opened, by whom?
SELECT src_ip, dst_ip, username, pipe, count(*) AS times FROM smb WHERE pipe IS NOT NULL GROUP BY src_ip, dst_ip, username, pipe ORDER BY times DESC, src_ip, pipe;
-- @table smb_files
-- Which files were written over the network?
SELECT ts, src_ip, share, path, bytes_written, username FROM smb_files WHERE bytes_written > 0 ORDER BY ts, frame;
-- Which files were renamed or deleted?
SELECT ts, src_ip, action, prev_path, path FROM smb_files WHERE action IN ('rename', 'delete') ORDER BY ts, frame;
-- Who touches many files?
SELECT src_ip, username, count(DISTINCT path) AS files, sum(bytes_read) AS bytes_read FROM smb_files GROUP BY src_ip, username ORDER BY files DESC, src_ip;
-- @table smb_mappings
-- Which shares are used?
SELECT src_ip, path, share_type, status, count(*) AS times FROM smb_mappings GROUP BY src_ip, path, share_type, status ORDER BY times DESC, src_ip, path;
-- Who reaches administrative shares?
SELECT ts, src_ip, dst_ip, path, username, status FROM smb_mappings WHERE is_admin ORDER BY ts, frame;
-- Who was refused?
SELECT src_ip, path, username, status, count(*) AS times FROM smb_mappings WHERE status <> 'STATUS_SUCCESS' GROUP BY src_ip, path, username, status ORDER BY times DESC, src_ip, path;
-- @table ntlm
-- Who logged in with NTLM, from which machine?
SELECT domainname, username, hostname, dst_ip, success, count(*) AS times FROM ntlm WHERE username IS NOT NULL GROUP BY domainname, username, hostname, dst_ip, success ORDER BY times DESC, username;
-- What do servers say of themselves?
SELECT src_ip, server_nb_computer_name, server_dns_domain_name, version FROM ntlm WHERE server_nb_computer_name IS NOT NULL GROUP BY src_ip, server_nb_computer_name, server_dns_domain_name, version ORDER BY src_ip;
-- Who still answers with version 1?
SELECT src_ip, username, ntlm_version, count(*) AS times FROM ntlm WHERE ntlm_version IS NOT NULL GROUP BY src_ip, username, ntlm_version ORDER BY times DESC, src_ip;
-- @table kerberos
-- Which services were asked for, by whom?
SELECT client, service, count(*) AS tickets FROM kerberos WHERE service IS NOT NULL GROUP BY client, service ORDER BY tickets DESC, client, service;
-- Which requests failed, and why?
SELECT client, service, error, count(*) AS times FROM kerberos WHERE error IS NOT NULL GROUP BY client, service, error ORDER BY times DESC, client, service;
-- Which tickets use weak ciphers?
SELECT client, service, ticket_cipher, count(*) AS tickets FROM kerberos WHERE ticket_cipher ILIKE '%rc4%' OR weak_etypes_only GROUP BY client, service, ticket_cipher ORDER BY tickets DESC, client;
-- @table ldap
-- What is searched for?
SELECT src_ip, base_object, "filter", count(*) AS searches FROM ldap WHERE "filter" IS NOT NULL GROUP BY src_ip, base_object, "filter" ORDER BY searches DESC, src_ip;
-- Who binds, and how?
SELECT src_ip, bind_name, bind_method, sealed, count(*) AS binds FROM ldap WHERE bind_method IS NOT NULL GROUP BY src_ip, bind_name, bind_method, sealed ORDER BY binds DESC, src_ip;
-- What was refused?
SELECT opcode, result, diagnostic_message, count(*) AS times FROM ldap WHERE result_code > 0 GROUP BY opcode, result, diagnostic_message ORDER BY times DESC, opcode;
-- @table ldap_attributes
-- Which attributes are read?
SELECT attribute, count(*) AS times FROM ldap_attributes GROUP BY attribute ORDER BY times DESC, attribute LIMIT 20;
-- What was changed?
SELECT ts, src_ip, object, operation, attribute, "values" FROM ldap_attributes WHERE opcode LIKE '%modify%' ORDER BY ts, object, attribute;
-- Which accounts have service names (and can be roasted)?
SELECT object, "values" FROM ldap_attributes WHERE lower(attribute) = 'serviceprincipalname' GROUP BY object, "values" ORDER BY object;
-- @table dcerpc
-- Which interfaces are called?
SELECT endpoint, operation, count(*) AS calls FROM dcerpc WHERE operation IS NOT NULL GROUP BY endpoint, operation ORDER BY calls DESC, endpoint, operation;
-- Which calls create services or tasks?
SELECT ts, src_ip, dst_ip, operation, detail FROM dcerpc WHERE operation LIKE '%CreateService%' OR operation LIKE 'SchRpc%' ORDER BY ts, frame;
-- Which calls are not protected?
SELECT src_ip, dst_ip, endpoint, auth_level_name, count(*) AS calls FROM dcerpc WHERE NOT encrypted AND operation IS NOT NULL GROUP BY src_ip, dst_ip, endpoint, auth_level_name ORDER BY calls DESC, src_ip, endpoint;
-- @table dcerpc_endpoints
-- Which services does a host offer?
SELECT address, port, interface_uuid, annotation FROM dcerpc_endpoints GROUP BY address, port, interface_uuid, annotation ORDER BY address, port, interface_uuid;
-- Who asks for the list of services?
SELECT src_ip, dst_ip, source, count(*) AS entries FROM dcerpc_endpoints GROUP BY src_ip, dst_ip, source ORDER BY entries DESC, src_ip;
-- Which services are behind named pipes?
SELECT named_pipe, interface_uuid, count(*) AS times FROM dcerpc_endpoints WHERE named_pipe IS NOT NULL GROUP BY named_pipe, interface_uuid ORDER BY times DESC, named_pipe;
-- @table dcom
-- Which classes are activated, by whom?
SELECT src_ip, dst_ip, class_name, clsid, count(*) AS times FROM dcom WHERE clsid IS NOT NULL GROUP BY src_ip, dst_ip, class_name, clsid ORDER BY times DESC, src_ip, clsid;
-- Which activations failed?
SELECT ts, src_ip, dst_ip, class_name, hresult FROM dcom WHERE hresult > 0 ORDER BY ts, frame;
-- Which interfaces were asked for?
SELECT interface_names, count(*) AS times FROM dcom WHERE interface_names IS NOT NULL GROUP BY interface_names ORDER BY times DESC;
-- @table rpc_calls
-- Which programs are called?
SELECT program_name, procedure_name, count(*) AS calls FROM rpc_calls GROUP BY program_name, procedure_name ORDER BY calls DESC, program_name, procedure_name;
-- Who asks the port mapper what there is?
SELECT src_ip, dst_ip, procedure_name, count(*) AS calls FROM rpc_calls WHERE program = 100000 GROUP BY src_ip, dst_ip, procedure_name ORDER BY calls DESC, src_ip;
-- As whom do clients call?
SELECT src_ip, machine_name, uid, gid, count(*) AS calls FROM rpc_calls WHERE uid IS NOT NULL GROUP BY src_ip, machine_name, uid, gid ORDER BY calls DESC, src_ip;
-- @table nfs
-- Which files were read or written?
SELECT operation, path, sum(returned_bytes) AS bytes, count(*) AS calls FROM nfs WHERE main_operation AND path IS NOT NULL GROUP BY operation, path ORDER BY calls DESC, operation, path;
-- Who acts as root?
SELECT src_ip, machine_name, operation, count(*) AS calls FROM nfs WHERE uid = 0 AND main_operation GROUP BY src_ip, machine_name, operation ORDER BY calls DESC, src_ip, operation;
-- What was refused?
SELECT operation, status_name, count(*) AS times FROM nfs WHERE status > 0 GROUP BY operation, status_name ORDER BY times DESC, operation, status_name;
-- @table nbns
-- Which names are registered or asked for?
SELECT name, name_role, opcode_name, count(*) AS messages FROM nbns GROUP BY name, name_role, opcode_name ORDER BY messages DESC, name;
-- Who answers for names?
SELECT src_ip, name, answers FROM nbns WHERE is_response AND answers IS NOT NULL GROUP BY src_ip, name, answers ORDER BY src_ip, name;
-- Which names did nobody answer for?
SELECT name, count(*) AS queries FROM nbns WHERE NOT is_response AND opcode_name = 'query' GROUP BY name ORDER BY queries DESC, name;
-- @table nbdgm
-- Which machines announce themselves?
SELECT source_name, source_ip, server_name, os_major, os_minor, comment FROM nbdgm WHERE server_name IS NOT NULL GROUP BY source_name, source_ip, server_name, os_major, os_minor, comment ORDER BY source_name;
-- Which mail slots are used?
SELECT mailslot, browser_command_name, count(*) AS messages FROM nbdgm GROUP BY mailslot, browser_command_name ORDER BY messages DESC, mailslot;
-- Who looks for a domain controller?
SELECT src_ip, netlogon_user, netlogon_computer, count(*) AS messages FROM nbdgm WHERE netlogon_command IS NOT NULL GROUP BY src_ip, netlogon_user, netlogon_computer ORDER BY messages DESC, src_ip;
-- @table nbss
-- Who calls whom by name?
SELECT calling_name, called_name, count(*) AS sessions FROM nbss WHERE called_name IS NOT NULL GROUP BY calling_name, called_name ORDER BY sessions DESC, calling_name;
-- Which calls were refused?
SELECT ts, src_ip, dst_ip, error_code FROM nbss WHERE error_code IS NOT NULL ORDER BY ts, frame;
-- Who was sent elsewhere?
SELECT ts, src_ip, retarget_ip, retarget_port FROM nbss WHERE retarget_ip IS NOT NULL ORDER BY ts, frame;
-- @table rdp
-- Who connects to which desktop, under which name?
SELECT src_ip, dst_ip, client_name, cookie, count(*) AS connections FROM rdp GROUP BY src_ip, dst_ip, client_name, cookie ORDER BY connections DESC, src_ip;
-- Which security was agreed?
SELECT dst_ip, security_protocol, encryption_level_name, count(*) AS connections FROM rdp GROUP BY dst_ip, security_protocol, encryption_level_name ORDER BY connections DESC, dst_ip;
-- Which keyboards are used?
SELECT src_ip, keyboard_layout_name, timezone FROM rdp WHERE keyboard_layout_name IS NOT NULL GROUP BY src_ip, keyboard_layout_name, timezone ORDER BY src_ip;
-- @table vnc
-- Which desktops are shared, and how are they protected?
SELECT dst_ip, desktop_name, security_type, auth_success, count(*) AS sessions FROM vnc GROUP BY dst_ip, desktop_name, security_type, auth_success ORDER BY sessions DESC, dst_ip;
-- Who was refused?
SELECT ts, src_ip, dst_ip, failure_reason FROM vnc WHERE NOT auth_success ORDER BY ts, frame;
-- Who typed, and how much?
SELECT src_ip, dst_ip, key_events, pointer_events FROM vnc ORDER BY key_events DESC NULLS LAST, src_ip;
-- @table teamviewer
-- Who uses TeamViewer?
SELECT src_ip, dst_ip, command, count(*) AS messages FROM teamviewer GROUP BY src_ip, dst_ip, command ORDER BY messages DESC, src_ip;
-- Which servers were reached?
SELECT dst_ip, server_name, count(*) AS messages FROM teamviewer GROUP BY dst_ip, server_name ORDER BY messages DESC, dst_ip;
-- How much was sent?
SELECT src_ip, sum(length_bytes) AS bytes FROM teamviewer GROUP BY src_ip ORDER BY bytes DESC, src_ip;
-- @table vpn
-- Which tunnels are there?
SELECT kind, src_ip, dst_ip, sum(orig_bytes) AS sent, sum(resp_bytes) AS received FROM vpn GROUP BY kind, src_ip, dst_ip ORDER BY sent DESC NULLS LAST, kind, src_ip;
-- Which keys and ciphers were agreed?
SELECT src_ip, dst_ip, encryption_chosen, integrity_chosen, dh_group, auth_method FROM vpn WHERE encryption_chosen IS NOT NULL ORDER BY ts, frame;
-- Which tunnels show a name in clear?
SELECT kind, src_ip, dst_ip, identity, username FROM vpn WHERE identity IS NOT NULL OR username IS NOT NULL ORDER BY ts, frame;
-- @table winrm
-- Which commands were run remotely?
SELECT ts, src_ip, dst_ip, username, command FROM winrm WHERE command IS NOT NULL ORDER BY ts, frame;
-- Which sessions were not encrypted?
SELECT src_ip, dst_ip, auth_scheme, count(*) AS messages FROM winrm WHERE NOT encrypted GROUP BY src_ip, dst_ip, auth_scheme ORDER BY messages DESC, src_ip;
-- Which questions were put to WMI?
SELECT ts, src_ip, dst_ip, wql FROM winrm WHERE wql IS NOT NULL ORDER BY ts, frame;
