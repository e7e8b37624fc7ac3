-- @kept
-- The inventory: one row an address (or a MAC that never speaks IP), from flows, ARP, neighbour discovery, DHCP, names, facts and roles.
WITH ends AS (
  SELECT capture, capture_id, src_ip AS ip, src_mac AS mac, vlan_id, ts, end_ts, orig_packets AS sent, resp_packets AS received, orig_wire_bytes AS bytes_sent, resp_wire_bytes AS bytes_received,
    dst_ip AS peer, 1 AS opened, 0 AS accepted, CASE WHEN conn_state IN ('S0', 'REJ') THEN 1 ELSE 0 END AS failed FROM flows
  UNION ALL
  SELECT capture, capture_id, dst_ip AS ip, dst_mac AS mac, vlan_id, ts, end_ts, resp_packets AS sent, orig_packets AS received, resp_wire_bytes AS bytes_sent, orig_wire_bytes AS bytes_received,
    src_ip AS peer, 0 AS opened, 1 AS accepted, 0 AS failed FROM flows
  UNION ALL
  SELECT capture, capture_id, sender_ip AS ip, sender_mac AS mac, vlan_id, ts, ts AS end_ts, CAST(1 AS BIGINT UNSIGNED) AS sent, CAST(0 AS BIGINT UNSIGNED) AS received,
    CAST(0 AS BIGINT UNSIGNED) AS bytes_sent, CAST(0 AS BIGINT UNSIGNED) AS bytes_received, CAST(NULL AS VARCHAR) AS peer, 0 AS opened, 0 AS accepted, 0 AS failed FROM arp
  WHERE sender_ip IS NOT NULL AND sender_ip <> '0.0.0.0'
  UNION ALL
  SELECT capture, capture_id, CAST(NULL AS VARCHAR) AS ip, src_mac AS mac, vlan_id, ts, ts AS end_ts, CAST(1 AS BIGINT UNSIGNED) AS sent, CAST(0 AS BIGINT UNSIGNED) AS received,
    CAST(frame_len AS BIGINT UNSIGNED) AS bytes_sent, CAST(0 AS BIGINT UNSIGNED) AS bytes_received, CAST(NULL AS VARCHAR) AS peer, 0 AS opened, 0 AS accepted, 0 AS failed FROM packets
  WHERE ip_version IS NULL AND src_mac IS NOT NULL AND protocol <> 'arp'
), claims AS (
  SELECT capture_id, ip, min(mac) AS mac FROM (
    SELECT capture_id, sender_ip AS ip, sender_mac AS mac FROM arp WHERE sender_ip IS NOT NULL AND sender_ip <> '0.0.0.0' AND sender_mac IS NOT NULL
    UNION ALL
    SELECT capture_id, target, target_lladdr FROM icmp WHERE type_name = 'neighbor_advertisement' AND target IS NOT NULL AND strpos(target_lladdr, ':') > 0
    UNION ALL
    SELECT capture_id, yiaddr, client_mac FROM dhcp WHERE message_type_name = 'ACK' AND yiaddr <> '0.0.0.0' AND client_mac IS NOT NULL)
  GROUP BY capture_id, ip
), fronts AS (
  -- Of each IP version; what never crosses a router tells nothing.
  SELECT capture_id, mac, strpos(ip, ':') > 0 AS is_v6, count(DISTINCT ip) AS addresses FROM ends WHERE mac IS NOT NULL AND ip IS NOT NULL AND sent > 0 AND ip_scope(ip) NOT IN ('link_local', 'unspecified') GROUP BY capture_id, mac, strpos(ip, ':') > 0
), speaking_macs AS (
  SELECT DISTINCT capture_id, mac FROM ends WHERE ip IS NOT NULL AND mac IS NOT NULL AND sent > 0
), gathered AS (
  SELECT capture_id, ip, CASE WHEN ip IS NULL THEN mac END AS lone_mac, min(capture) AS capture, min(ts) AS ts, max(end_ts) AS end_ts,
    min(mac) FILTER (WHERE sent > 0) AS any_mac,
    sum(sent) AS packets_sent, sum(received) AS packets_received, sum(bytes_sent) AS bytes_sent, sum(bytes_received) AS bytes_received,
    count(DISTINCT peer) AS peers, count(DISTINCT CASE WHEN is_public(peer) THEN peer END) AS peers_public,
    sum(opened) AS flows_out, sum(accepted) AS flows_in, sum(failed) AS failed_flows_out, sum(sent) > 0 AS responded,
    array_sort(array_agg(DISTINCT vlan_id) FILTER (WHERE vlan_id IS NOT NULL)) AS vlans
  FROM ends GROUP BY capture_id, ip, CASE WHEN ip IS NULL THEN mac END
), owned AS (
  SELECT g.*, coalesce(c.mac, CASE WHEN f.addresses = 1 OR ip_scope(g.ip) = 'link_local' THEN g.any_mac END, g.lone_mac) AS own_mac,
    CASE WHEN c.mac IS NULL AND f.addresses > 1 AND ip_scope(g.ip) NOT IN ('link_local', 'unspecified') THEN g.any_mac END AS via_mac
  FROM gathered g LEFT JOIN claims c ON c.capture_id = g.capture_id AND c.ip = g.ip LEFT JOIN fronts f ON f.capture_id = g.capture_id AND f.mac = g.any_mac AND f.is_v6 = (strpos(g.ip, ':') > 0)
  LEFT JOIN speaking_macs m ON m.capture_id = g.capture_id AND m.mac = g.lone_mac
  WHERE g.ip IS NOT NULL OR m.mac IS NULL
), siblings AS (
  SELECT capture_id, own_mac, array_sort(array_agg(ip)) AS ips FROM owned WHERE own_mac IS NOT NULL AND ip IS NOT NULL GROUP BY capture_id, own_mac HAVING count(*) > 1
), gateways AS (
  -- The address that owns the MAC which others are seen behind.
  SELECT DISTINCT o.capture_id, o.ip FROM owned o JOIN (SELECT DISTINCT capture_id, via_mac FROM owned WHERE via_mac IS NOT NULL) v ON v.capture_id = o.capture_id AND v.via_mac = o.own_mac WHERE o.ip IS NOT NULL
), each_name AS (
  SELECT capture_id, ip, mac, name, min(CASE kind WHEN 'hostname' THEN 1 WHEN 'user_given' THEN 1 WHEN 'dns_name' THEN 3 WHEN 'certificate' THEN 5 ELSE 7 END + CASE confidence WHEN 'high' THEN 0 WHEN 'medium' THEN 1 ELSE 6 END) AS rank, sum(seen) AS seen
  FROM host_names GROUP BY capture_id, ip, mac, name
), crowded AS (
  -- Who is asked for names of many domains passes them on: they are not its own.
  SELECT capture_id, ip FROM host_names WHERE kind = 'virtual_host' AND ip IS NOT NULL GROUP BY capture_id, ip HAVING count(DISTINCT registered_domain(name)) > 5
), names AS (
  SELECT n.capture_id, n.ip, array_agg(n.name ORDER BY n.rank, strpos(n.name, '.') = 0, n.seen DESC, n.name) AS hostnames
  FROM (SELECT capture_id, ip, name, min(rank) AS rank, sum(seen) AS seen FROM each_name WHERE ip IS NOT NULL GROUP BY capture_id, ip, name) n
  LEFT JOIN crowded c ON c.capture_id = n.capture_id AND c.ip = n.ip WHERE c.ip IS NULL OR n.rank < 7 GROUP BY n.capture_id, n.ip
), mac_names AS (
  SELECT capture_id, mac, array_agg(name ORDER BY rank, strpos(name, '.') = 0, seen DESC, name) AS hostnames FROM (SELECT capture_id, mac, name, min(rank) AS rank, sum(seen) AS seen FROM each_name WHERE mac IS NOT NULL GROUP BY capture_id, mac, name) GROUP BY capture_id, mac
), facts AS (
  SELECT *, CASE confidence WHEN 'high' THEN 1 WHEN 'medium' THEN 2 ELSE 3 END AS rank FROM host_facts
), ip_facts AS (
  SELECT capture_id, ip, first_value(value ORDER BY rank, seen DESC, value) FILTER (WHERE fact = 'os') AS os, first_value(confidence ORDER BY rank, seen DESC, value) FILTER (WHERE fact = 'os') AS os_confidence,
    first_value(source ORDER BY rank, seen DESC, value) FILTER (WHERE fact = 'os') AS os_evidence, first_value(value ORDER BY rank, seen DESC, value) FILTER (WHERE fact = 'vendor') AS vendor,
    first_value(value ORDER BY rank, seen DESC, value) FILTER (WHERE fact = 'model') AS model, first_value(value ORDER BY rank, seen DESC, value) FILTER (WHERE fact = 'firmware') AS firmware,
    first_value(value ORDER BY rank, seen DESC, value) FILTER (WHERE fact = 'serial') AS serial, array_sort(array_agg(DISTINCT value) FILTER (WHERE fact = 'user')) AS users
  FROM facts WHERE ip IS NOT NULL GROUP BY capture_id, ip
), mac_facts AS (
  SELECT capture_id, mac, first_value(value ORDER BY rank, seen DESC, value) FILTER (WHERE fact = 'os') AS os, first_value(confidence ORDER BY rank, seen DESC, value) FILTER (WHERE fact = 'os') AS os_confidence,
    first_value(source ORDER BY rank, seen DESC, value) FILTER (WHERE fact = 'os') AS os_evidence, first_value(value ORDER BY rank, seen DESC, value) FILTER (WHERE fact = 'vendor') AS vendor,
    first_value(value ORDER BY rank, seen DESC, value) FILTER (WHERE fact = 'model') AS model, first_value(value ORDER BY rank, seen DESC, value) FILTER (WHERE fact = 'firmware') AS firmware,
    first_value(value ORDER BY rank, seen DESC, value) FILTER (WHERE fact = 'serial') AS serial
  FROM facts WHERE mac IS NOT NULL GROUP BY capture_id, mac
), ports AS (
  SELECT capture_id, dst_ip AS ip, transport, dst_port, max(service) AS service
  FROM flows WHERE dst_port IS NOT NULL AND resp_packets > 0 AND conn_state NOT IN ('REJ', 'RSTRH', 'OTH') AND ip_scope(dst_ip) NOT IN ('multicast', 'broadcast') GROUP BY capture_id, dst_ip, transport, dst_port
), offered AS (
  SELECT capture_id, ip, array_sort(array_agg(DISTINCT transport || '/' || CAST(dst_port AS VARCHAR) || coalesce(' ' || service, ''))) AS services FROM ports GROUP BY capture_id, ip
), all_roles AS (
  SELECT capture_id, ip, role, device FROM host_roles
  UNION ALL SELECT capture_id, ip, 'gateway', 'router' FROM gateways
), roles AS (
  SELECT capture_id, ip, array_sort(array_agg(DISTINCT role) FILTER (WHERE role IS NOT NULL)) AS roles,
    -- The most telling of several.
    first_value(device ORDER BY CASE device WHEN 'router' THEN 1 WHEN 'domain_controller' THEN 2 WHEN 'hmi' THEN 3 WHEN 'drive' THEN 4 WHEN 'ied' THEN 5 WHEN 'rtu' THEN 6 WHEN 'plc' THEN 7 WHEN 'io_device' THEN 8 WHEN 'switch' THEN 9 ELSE 10 END, device) FILTER (WHERE device IS NOT NULL) AS device
  FROM all_roles GROUP BY capture_id, ip
), agents AS (
  SELECT capture_id, src_ip AS ip, count(DISTINCT user_agent) AS user_agents FROM http WHERE is_request AND user_agent IS NOT NULL GROUP BY capture_id, src_ip
), distances AS (
  SELECT capture_id, src_ip AS ip, max(ip_ttl) AS ttl FROM packets WHERE ip_ttl IS NOT NULL AND tunnel IS NULL GROUP BY capture_id, src_ip
), domains AS (
  SELECT capture_id, ip, max(domain) AS domain FROM (
    SELECT capture_id, src_ip AS ip, CAST(server_dns_domain_name AS VARCHAR) AS domain FROM ntlm WHERE message_type = 2
    UNION ALL SELECT capture_id, yiaddr, CAST(domain_name AS VARCHAR) FROM dhcp WHERE op = 2 AND yiaddr <> '0.0.0.0') WHERE domain IS NOT NULL GROUP BY capture_id, ip
)
SELECT o.capture, o.capture_id, o.ts, o.ip, CASE WHEN o.ip LIKE '%:%' THEN 6 WHEN o.ip IS NOT NULL THEN 4 END AS ip_version, ip_scope(o.ip) AS scope, o.end_ts, o.own_mac AS mac, o.via_mac,
  mac_vendor(CAST(o.own_mac AS VARCHAR)) AS mac_vendor, substr(o.own_mac, 2, 1) IN ('2', '6', 'a', 'e') AS mac_randomised,
  array_remove(s.ips, o.ip) AS other_ips, coalesce(n.hostnames, mn.hostnames) AS hostnames,
  coalesce(d.domain, CASE WHEN strpos(array_element(n.hostnames, 1), '.') > 0 AND is_private(o.ip) THEN substr(array_element(n.hostnames, 1), strpos(array_element(n.hostnames, 1), '.') + 1) END) AS domain,
  coalesce(f.os, m.os) AS os, coalesce(f.os_confidence, m.os_confidence) AS os_confidence, coalesce(f.os_evidence, m.os_evidence) AS os_evidence,
  coalesce(r.device, CASE WHEN array_has(r.roles, 'ot_client') AND array_has(r.roles, 'ot_operator') AND o.end_ts - o.ts >= INTERVAL '10 minutes' THEN 'hmi'
    WHEN coalesce(f.os, m.os) IN ('iOS', 'Android') OR starts_with(coalesce(f.os, m.os), 'iOS') OR starts_with(coalesce(f.os, m.os), 'Android') THEN 'phone'
    WHEN array_has_any(r.roles, ['mail_server', 'dns_server', 'dhcp_server', 'ldap_server', 'kdc', 'mqtt_broker', 'web_server', 'proxy', 'ntp_server', 'ftp_server', 'opcua_server']) OR (strpos(coalesce(f.os, m.os), 'Server') > 0 AND strpos(coalesce(f.os, m.os), ' or ') = 0) THEN 'server'
    WHEN a.user_agents > 0 OR cardinality(f.users) > 0 THEN 'workstation' WHEN array_has(r.roles, 'file_server') THEN 'server'
    WHEN coalesce(f.os, m.os) LIKE 'Windows%' AND strpos(coalesce(f.os, m.os), 'Server') = 0 THEN 'workstation' END) AS device_type,
  coalesce(f.vendor, m.vendor) AS vendor, coalesce(f.model, m.model) AS model, coalesce(f.firmware, m.firmware) AS firmware, coalesce(f.serial, m.serial) AS serial,
  r.roles, p.services, f.users, a.user_agents,
  o.vlans, CASE WHEN t.ttl IS NULL THEN NULL WHEN t.ttl <= 32 THEN 32 - t.ttl WHEN t.ttl <= 64 THEN 64 - t.ttl WHEN t.ttl <= 128 THEN 128 - t.ttl ELSE 255 - t.ttl END AS hops_away,
  o.packets_sent, o.packets_received, o.bytes_sent, o.bytes_received, o.peers, o.peers_public, o.flows_out, o.flows_in, o.failed_flows_out, o.responded
FROM owned o
LEFT JOIN siblings s ON s.capture_id = o.capture_id AND s.own_mac = o.own_mac
LEFT JOIN names n ON n.capture_id = o.capture_id AND n.ip = o.ip
LEFT JOIN mac_names mn ON mn.capture_id = o.capture_id AND mn.mac = o.own_mac
LEFT JOIN ip_facts f ON f.capture_id = o.capture_id AND f.ip = o.ip
LEFT JOIN mac_facts m ON m.capture_id = o.capture_id AND m.mac = o.own_mac
LEFT JOIN offered p ON p.capture_id = o.capture_id AND p.ip = o.ip
LEFT JOIN roles r ON r.capture_id = o.capture_id AND r.ip = o.ip
LEFT JOIN agents a ON a.capture_id = o.capture_id AND a.ip = o.ip
LEFT JOIN distances t ON t.capture_id = o.capture_id AND t.ip = o.ip
LEFT JOIN domains d ON d.capture_id = o.capture_id AND d.ip = o.ip
