-- @analyzer hostdetails
-- @group    it
-- @title    HOST DETAILS
-- @help     Everything the capture tells about one host (-ip HOST: an address, a network, a MAC or a name)

-- @section "Hosts" shape=table limit=30
SELECT h.ip AS address, array_element(h.hostnames, 1) AS name, h.device_type AS device, coalesce(f.critical, 0) AS critical, coalesce(f.high, 0) AS high, coalesce(f.other, 0) AS "Other findings", h.bytes_sent + h.bytes_received AS bytes, h.peers, array_to_string(array_slice(h.services, 1, 4), ', ') AS services
FROM hosts h LEFT JOIN (SELECT ip, count(*) FILTER (WHERE severity = 'critical') AS critical, count(*) FILTER (WHERE severity = 'high') AS high, count(*) FILTER (WHERE severity NOT IN ('critical', 'high')) AS other FROM (SELECT src_ip AS ip, severity FROM findings UNION ALL SELECT dst_ip, severity FROM findings WHERE src_ip IS DISTINCT FROM dst_ip) GROUP BY ip) f ON f.ip = h.ip
WHERE of_host(h.ip) ORDER BY critical DESC, high DESC, bytes DESC, address;

-- @section "Card" shape=facts
WITH mine AS (SELECT * FROM hosts WHERE of_host(ip)), told AS (SELECT fact, value, confidence FROM host_facts WHERE of_host(ip) OR mac IN (SELECT mac FROM mine WHERE mac IS NOT NULL)),
  found AS (SELECT severity FROM findings WHERE of_host(src_ip) OR of_host(dst_ip)), actor AS (SELECT severity FROM findings WHERE of_host(src_ip))
SELECT array_to_string(array_sort(array_agg(DISTINCT ip)), ', ') AS addresses, array_to_string(array_sort(array_agg(DISTINCT mac)), ', ') AS "MAC", array_to_string(array_sort(array_agg(DISTINCT via_mac)), ', ') AS "Behind", array_to_string(array_sort(array_agg(DISTINCT mac_vendor)), ', ') AS "MAC maker",
  (SELECT array_to_string(array_slice(array_agg(name ORDER BY place, name), 1, 6), ', ') FROM (SELECT name, min(CASE kind WHEN 'hostname' THEN 1 WHEN 'dns_name' THEN 2 ELSE 3 END) AS place FROM host_names WHERE of_host(ip) GROUP BY name)) AS names,
  max(device_type) AS device, max(vendor) AS vendor, max(model) AS model, max(firmware) AS firmware, max(serial) AS serial, max(os) AS os, max(os_confidence) AS "OS confidence", max(os_evidence) AS "OS told by",
  (SELECT array_to_string(array_sort(array_agg(DISTINCT role)), ', ') FROM (SELECT unnest(roles) AS role FROM mine)) AS roles, (SELECT array_to_string(array_sort(array_agg(DISTINCT vlan)), ', ') FROM (SELECT unnest(vlans) AS vlan FROM mine)) AS "VLANs", min(ts) AS first, max(end_ts) AS last,
  sum(packets_sent) AS packets_sent, sum(packets_received) AS packets_received, sum(bytes_sent) AS sent_bytes, sum(bytes_received) AS received_bytes, max(peers) AS peers, max(hops_away) AS hops_away,
  (SELECT array_to_string(array_agg(n || ' ' || severity ORDER BY place), ', ') FROM (SELECT severity, CAST(count(*) AS VARCHAR) AS n, min(CASE severity WHEN 'critical' THEN 1 WHEN 'high' THEN 2 WHEN 'medium' THEN 3 WHEN 'low' THEN 4 ELSE 5 END) AS place FROM found GROUP BY severity)) AS findings,
  (SELECT CASE WHEN count(*) FILTER (WHERE severity = 'critical') > 0 THEN 'acts like an attacker, or is in one''s hands' WHEN count(*) FILTER (WHERE severity = 'high') >= 2 THEN 'suspicious' WHEN count(*) FILTER (WHERE severity IN ('high', 'medium')) > 0 THEN 'worth a look' ELSE 'nothing against it as an actor' END FROM actor) AS verdict
FROM mine;

-- @section "Activity" shape=table
WITH span AS (SELECT min(CAST(ts AS BIGINT)) AS first, max(CAST(ts AS BIGINT)) + 1 AS last FROM packets), counted AS (
  SELECT CASE WHEN of_host(src_ip) THEN 'sent' ELSE 'received' END AS way, (CAST(ts AS BIGINT) - s.first) * 48 / (s.last - s.first) AS bin, count(*) AS n FROM packets CROSS JOIN span s WHERE of_host(src_ip) OR of_host(dst_ip) GROUP BY 1, 2),
  most AS (SELECT way, max(n) AS top, sum(n) AS packets FROM counted GROUP BY way), bins AS (SELECT m.way, m.top, m.packets, b.bin FROM most m CROSS JOIN (SELECT unnest(range(0, 48)) AS bin) b)
SELECT b.way, max(b.packets) AS packets, array_to_string(array_agg(CASE WHEN c.n IS NULL THEN ' ' ELSE substr('▁▂▃▄▅▆▇█', CAST(greatest(1, ceil(c.n * 8.0 / b.top)) AS BIGINT), 1) END ORDER BY b.bin), '') AS "From the capture's first moment to its last" FROM bins b LEFT JOIN counted c ON c.way = b.way AND c.bin = b.bin GROUP BY b.way ORDER BY b.way DESC;

-- @section "Protocols" shape=table limit=20
SELECT coalesce(service, service_port_name || '?', transport) AS protocol, count(*) FILTER (WHERE of_host(src_ip)) AS opened, count(*) FILTER (WHERE of_host(dst_ip)) AS accepted, sum(orig_bytes + resp_bytes) AS bytes, min(ts) AS first, max(end_ts) AS last FROM flows WHERE of_host(src_ip) OR of_host(dst_ip) GROUP BY 1 ORDER BY bytes DESC, protocol;

-- @section "Evidence of identity" shape=table limit=25
SELECT what, value, confidence, source, frame, seen FROM (
  SELECT 'name (' || kind || ')' AS what, name AS value, confidence, source, frame, seen FROM host_names WHERE of_host(ip)
  UNION ALL SELECT f.fact, f.value, f.confidence, f.source, f.frame, f.seen FROM host_facts f LEFT JOIN (SELECT DISTINCT mac FROM hosts WHERE of_host(ip) AND mac IS NOT NULL) m ON m.mac = f.mac WHERE of_host(f.ip) OR m.mac IS NOT NULL
  UNION ALL SELECT 'role', role, CAST(NULL AS VARCHAR), source, CAST(NULL AS BIGINT UNSIGNED), CAST(NULL AS BIGINT) FROM host_roles WHERE of_host(ip) AND role IS NOT NULL) ORDER BY CASE confidence WHEN 'high' THEN 1 WHEN 'medium' THEN 2 WHEN 'low' THEN 3 ELSE 4 END, what, value, source, frame;

-- @section "Services it offers" shape=table limit=20
SELECT f.dst_port AS port, f.transport, coalesce(f.service, f.service_port_name || '?') AS protocol, max(p.product) AS product, count(*) AS flows, count(DISTINCT f.src_ip) AS clients, min(f.ts) AS first, max(f.end_ts) AS last
FROM flows f LEFT JOIN (SELECT capture_id, src_ip AS ip, src_port AS port, max(CAST(server AS VARCHAR)) AS product FROM http WHERE NOT is_request AND server IS NOT NULL GROUP BY capture_id, src_ip, src_port
  UNION ALL SELECT capture_id, src_ip, src_port, max(CAST(software AS VARCHAR)) FROM ssh WHERE is_server AND software IS NOT NULL GROUP BY capture_id, src_ip, src_port) p ON p.capture_id = f.capture_id AND p.ip = f.dst_ip AND p.port = f.dst_port
WHERE of_host(f.dst_ip) AND f.resp_packets > 0 AND f.conn_state NOT IN ('REJ', 'RSTRH', 'OTH', 'S0') AND f.dst_port IS NOT NULL GROUP BY f.dst_port, f.transport, coalesce(f.service, f.service_port_name || '?') ORDER BY clients DESC, flows DESC, port, protocol;

-- @section "Services it uses" shape=table limit=20
SELECT f.dst_ip AS server, max(n.name) AS name, f.dst_port AS port, coalesce(f.service, f.service_port_name || '?') AS protocol, count(*) AS flows, sum(f.orig_bytes) AS sent_bytes, sum(f.resp_bytes) AS received_bytes, count(*) FILTER (WHERE f.conn_state IN ('S0', 'REJ')) AS failed
FROM flows f LEFT JOIN (SELECT capture_id, ip, array_element(hostnames, 1) AS name FROM hosts) n ON n.capture_id = f.capture_id AND n.ip = f.dst_ip WHERE of_host(f.src_ip) GROUP BY f.dst_ip, f.dst_port, coalesce(f.service, f.service_port_name || '?') ORDER BY sent_bytes + received_bytes DESC, flows DESC, server, port;

-- @section "Peers" shape=table limit=20
SELECT peer, max(name) AS name, ip_scope(peer) AS scope, array_to_string(array_slice(array_sort(array_agg(DISTINCT protocol)), 1, 5), ', ') AS protocols, sum(came) AS flows_in, sum(went) AS flows_out, sum(bytes) AS bytes FROM (
  SELECT f.dst_ip AS peer, h.name, coalesce(f.service, f.transport) AS protocol, 0 AS came, 1 AS went, f.orig_bytes + f.resp_bytes AS bytes FROM flows f LEFT JOIN (SELECT capture_id, ip, array_element(hostnames, 1) AS name FROM hosts) h ON h.capture_id = f.capture_id AND h.ip = f.dst_ip WHERE of_host(f.src_ip)
  UNION ALL SELECT f.src_ip, h.name, coalesce(f.service, f.transport), 1, 0, f.orig_bytes + f.resp_bytes FROM flows f LEFT JOIN (SELECT capture_id, ip, array_element(hostnames, 1) AS name FROM hosts) h ON h.capture_id = f.capture_id AND h.ip = f.src_ip WHERE of_host(f.dst_ip)) GROUP BY peer ORDER BY bytes DESC, peer;

-- @section "Names asked" shape=table limit=20 if=dns
SELECT query AS name, count(*) AS queries, array_to_string(array_sort(array_agg(DISTINCT qtype_name)), ', ') AS types, min(ts) AS first FROM dns WHERE NOT is_response AND of_host(src_ip) GROUP BY query ORDER BY queries DESC, name;

-- @section "Web requests" shape=table limit=20 if=http
SELECT host, dst_ip AS server, count(*) AS requests, count(DISTINCT user_agent) AS agents, min(user_agent) AS agent, min(method || ' ' || uri) AS "E.g.", min(frame) AS frame FROM http WHERE is_request AND (of_host(src_ip) OR of_host(dst_ip)) GROUP BY host, dst_ip ORDER BY requests DESC, host, server;

-- @section "TLS" shape=table limit=20 if=tls
SELECT server_name AS name, dst_ip AS server, max(ja4) AS "JA4", count(*) AS connections FROM tls_sessions WHERE of_host(src_ip) OR of_host(dst_ip) GROUP BY server_name, dst_ip ORDER BY connections DESC, name, server;

-- @section "Accounts" shape=table limit=20
SELECT way, account, protocol, other AS peer, count(*) AS times, count(*) FILTER (WHERE ok) AS ok, min(frame) AS frame FROM (
  SELECT CASE WHEN of_host(src_ip) THEN 'from here' ELSE 'to here' END AS way, coalesce(CAST(domainname AS VARCHAR) || '\', '') || CAST(username AS VARCHAR) AS account, 'ntlm' AS protocol, CASE WHEN of_host(src_ip) THEN dst_ip ELSE src_ip END AS other, success AS ok, frame FROM ntlm WHERE message_type = 3 AND username IS NOT NULL AND (of_host(src_ip) OR of_host(dst_ip))
  UNION ALL SELECT CASE WHEN of_host(dst_ip) THEN 'from here' ELSE 'to here' END, CAST(client AS VARCHAR) || coalesce('@' || CAST(realm AS VARCHAR), ''), 'kerberos', CASE WHEN of_host(dst_ip) THEN src_ip ELSE dst_ip END, true, frame FROM kerberos WHERE request_type IN ('AS-REP', 'TGS-REP') AND client IS NOT NULL AND (of_host(src_ip) OR of_host(dst_ip))
  UNION ALL SELECT CASE WHEN of_host(src_ip) THEN 'from here' ELSE 'to here' END, CAST(username AS VARCHAR), CAST(protocol AS VARCHAR), CASE WHEN of_host(src_ip) THEN dst_ip ELSE src_ip END, outcome = 'success', frame FROM credentials WHERE username IS NOT NULL AND protocol NOT IN ('ntlm', 'kerberos') AND (of_host(src_ip) OR of_host(dst_ip))) GROUP BY way, account, protocol, other ORDER BY times DESC, way, account, protocol, peer;

-- @section "Files" shape=table limit=20
SELECT CASE WHEN of_host(src_ip) THEN 'sent' ELSE 'received' END AS way, filename AS name, mime AS type, size_bytes, source AS protocol, CASE WHEN of_host(src_ip) THEN dst_ip ELSE src_ip END AS peer, complete, frame FROM files WHERE of_host(src_ip) OR of_host(dst_ip) ORDER BY capture, frame, name;

-- @section "Industrial activity" shape=table limit=20
SELECT CASE WHEN of_host(actor) THEN 'orders' ELSE 'is ordered' END AS way, CASE WHEN of_host(actor) THEN target ELSE actor END AS peer, protocol, class, count(*) AS commands, count(DISTINCT point) AS points, count(*) FILTER (WHERE outcome <> 'ok') AS refused, min(frame) AS frame FROM ot_commands WHERE of_host(actor) OR of_host(target) GROUP BY 1, 2, protocol, class ORDER BY commands DESC, way, peer, class;

-- @section "On the wire" shape=table limit=20
SELECT what, detail, frame FROM (
  SELECT 'arp ' || CAST(operation AS VARCHAR) AS what, CAST(sender_mac AS VARCHAR) || coalesce(' asks for ' || target_ip, '') AS detail, min(frame) AS frame FROM arp WHERE of_host(sender_ip) GROUP BY operation, sender_mac, target_ip
  UNION ALL SELECT 'dhcp ' || CAST(message_type_name AS VARCHAR), coalesce(yiaddr, '') || coalesce(' by ' || server_id, '') || coalesce(' for ' || CAST(lease_time_s AS VARCHAR) || ' s', ''), min(frame) FROM dhcp WHERE message_type_name = 'ACK' AND (of_host(yiaddr) OR of_host(ciaddr)) GROUP BY message_type_name, yiaddr, server_id, lease_time_s
  UNION ALL SELECT 'lldp', coalesce(CAST(system_name AS VARCHAR), '') || ' ' || coalesce(port_id, ''), min(frame) FROM lldp WHERE src_mac IN (SELECT mac FROM hosts WHERE of_host(ip) AND mac IS NOT NULL) GROUP BY system_name, port_id) ORDER BY frame, what, detail;

-- @section "Findings as actor" shape=table limit=20
SELECT severity, detection, title, details, dst_ip AS target, count, frame FROM findings WHERE of_host(src_ip) ORDER BY CASE severity WHEN 'critical' THEN 1 WHEN 'high' THEN 2 WHEN 'medium' THEN 3 WHEN 'low' THEN 4 ELSE 5 END, frame, detection, details;

-- @section "Findings as target" shape=table limit=20
SELECT severity, detection, title, details, src_ip AS actor, count, frame FROM findings WHERE of_host(dst_ip) AND NOT coalesce(of_host(src_ip), false) ORDER BY CASE severity WHEN 'critical' THEN 1 WHEN 'high' THEN 2 WHEN 'medium' THEN 3 WHEN 'low' THEN 4 ELSE 5 END, frame, detection, details;

-- @section "Attack timeline" shape=timeline limit=20
SELECT ts AS time, severity, detection, src_ip AS source, dst_ip AS target, details, frame FROM findings WHERE severity IN ('critical', 'high', 'medium') AND (of_host(src_ip) OR of_host(dst_ip)) ORDER BY capture, ts, frame, detection, details;

-- @section "New at the end" shape=table limit=10
WITH span AS (SELECT capture_id, CAST(max(end_ts) AS BIGINT) - (CAST(max(end_ts) AS BIGINT) - CAST(min(ts) AS BIGINT)) / 10 AS late FROM captures GROUP BY capture_id)
SELECT CASE WHEN of_host(f.dst_ip) THEN 'serves' ELSE 'uses' END AS role, coalesce(f.service, f.service_port_name || '?', f.transport) AS protocol, f.dst_port AS port, min(f.ts) AS first, min(f.frame) AS frame FROM flows f JOIN span s ON s.capture_id = f.capture_id
WHERE (of_host(f.src_ip) OR of_host(f.dst_ip)) AND f.resp_packets > 0 GROUP BY 1, 2, f.dst_port HAVING CAST(min(f.ts) AS BIGINT) >= min(s.late) AND min(f.dst_port) < 32768 ORDER BY first, protocol, port;
