-- @analyzer hosts
-- @group    it
-- @title    HOST ANALYSIS
-- @help     Hosts, names, services, OS, software

-- @section summary shape=facts
WITH h AS (SELECT * FROM hosts WHERE ip IS NULL OR scope NOT IN ('multicast', 'broadcast')), span AS (SELECT capture_id, CAST(max(end_ts) AS BIGINT) - (CAST(max(end_ts) AS BIGINT) - CAST(min(ts) AS BIGINT)) / 10 AS late FROM captures GROUP BY capture_id)
SELECT count(*) AS hosts, count(*) FILTER (WHERE scope IN ('private', 'ula')) AS own_net, count(*) FILTER (WHERE scope = 'public') AS public, count(*) FILTER (WHERE responded) AS responding,
  count(*) FILTER (WHERE NOT responded) AS addressed_only, count(DISTINCT mac) AS "MACs", count(*) FILTER (WHERE ip IS NULL) AS layer_2_only, count(DISTINCT device_type) AS device_types,
  count(DISTINCT split_part(os, ' ', 1)) AS "OS families", count(*) FILTER (WHERE CAST(h.ts AS BIGINT) >= s.late) AS "New in last 10 %"
FROM h LEFT JOIN span s ON s.capture_id = h.capture_id;

-- @section "Hosts" shape=table limit=30
SELECT coalesce(ip, '-') AS address, coalesce(mac, 'via ' || via_mac) AS mac, mac_vendor AS maker, array_element(hostnames, 1) AS name, device_type AS device,
  os || CASE os_confidence WHEN 'high' THEN ' (H)' WHEN 'medium' THEN ' (M)' ELSE ' (L)' END AS os, array_to_string(roles, ', ') AS roles, array_to_string(array_slice(services, 1, 6), ', ') || CASE WHEN cardinality(services) > 6 THEN ' +' || CAST(cardinality(services) - 6 AS VARCHAR) ELSE '' END AS services,
  packets_sent AS sent, packets_received AS received, peers, ts AS first, end_ts AS last
FROM hosts WHERE responded AND (ip IS NULL OR scope NOT IN ('multicast', 'broadcast'))
ORDER BY CASE WHEN scope IN ('private', 'ula') THEN 0 WHEN ip IS NULL THEN 2 ELSE 1 END, bytes_sent + bytes_received DESC, ip, mac;

-- @section "Devices" shape=table limit=30
SELECT coalesce(ip, mac) AS host, device_type AS device, vendor, model, firmware, serial FROM hosts WHERE coalesce(vendor, model, firmware, serial) IS NOT NULL ORDER BY ip, mac;

-- @section "By device type" shape=table
SELECT device_type AS device, count(*) AS hosts FROM hosts WHERE responded AND device_type IS NOT NULL GROUP BY device_type ORDER BY hosts DESC, device;

-- @section "By maker" shape=table limit=15
SELECT mac_vendor AS maker, count(DISTINCT mac) AS "MACs" FROM hosts WHERE responded AND mac_vendor IS NOT NULL GROUP BY mac_vendor ORDER BY 2 DESC, maker;

-- @section "By VLAN" shape=table
SELECT vlan, count(*) AS hosts FROM (SELECT unnest(vlans) AS vlan FROM hosts WHERE responded) GROUP BY vlan ORDER BY vlan;

-- @section "By OS" shape=table limit=15
SELECT os, count(*) AS hosts, array_to_string(array_sort(array_agg(DISTINCT os_evidence)), ', ') AS evidence FROM hosts WHERE os IS NOT NULL GROUP BY os ORDER BY hosts DESC, os;

-- @section "Roles" shape=table
SELECT role, count(*) AS count, array_to_string(array_slice(array_sort(array_agg(ip)), 1, 6), ', ') || CASE WHEN count(*) > 6 THEN ', ...' ELSE '' END AS hosts FROM (SELECT ip, unnest(roles) AS role FROM hosts) GROUP BY role ORDER BY role;

-- @section "Networks" shape=table limit=15
SELECT network || CASE WHEN bool_or(told) THEN '' ELSE ' (guess)' END AS network, count(*) AS hosts, array_to_string(array_sort(array_agg(DISTINCT ip) FILTER (WHERE array_has(roles, 'gateway'))), ', ') AS gateway, bool_or(is_plant) AS plant
FROM segments WHERE responded GROUP BY network ORDER BY hosts DESC, network;

-- @section "Layer-2-only devices" shape=table limit=15
SELECT mac, mac_vendor AS maker, array_element(hostnames, 1) AS name, model, packets_sent AS frames, ts AS first, end_ts AS last FROM hosts WHERE ip IS NULL ORDER BY frames DESC, mac;

-- @section "Addressed but silent" shape=table limit=15
SELECT ip, peers AS askers, packets_received AS packets FROM hosts WHERE NOT responded AND scope NOT IN ('multicast', 'broadcast') AND (peers >= 3 OR packets_received >= 10) ORDER BY packets DESC, ip;

-- @finding host_multi_homed_ot severity=high confidence=medium technique=T0886
WITH own AS (SELECT capture, capture_id, ip, mac, name, frame, ts FROM host_names WHERE kind = 'hostname' AND confidence = 'high' AND ip IS NOT NULL),
named AS (SELECT s.capture_id, o.name AS identity, s.ip, s.network, s.is_plant, o.frame, o.ts, o.capture FROM segments s JOIN own o ON o.capture_id = s.capture_id AND o.ip = s.ip WHERE s.responded AND coalesce(s.device_type, '') NOT IN ('router', 'switch')
  UNION ALL SELECT s.capture_id, CAST(s.mac AS VARCHAR), s.ip, s.network, s.is_plant, NULL, NULL, NULL FROM segments s WHERE s.responded AND s.mac IS NOT NULL AND coalesce(s.device_type, '') NOT IN ('router', 'switch'))
SELECT 'A host stands in the office and in the plant' AS title, identity || ' speaks as ' || array_to_string(array_sort(array_agg(DISTINCT ip)), ', ') AS details, min(ip) FILTER (WHERE is_plant) AS dst_ip, min(ip) FILTER (WHERE NOT is_plant) AS src_ip, count(DISTINCT ip) AS count, min(frame) AS frame, min(ts) AS ts, min(capture) AS capture
FROM named GROUP BY capture_id, identity HAVING bool_or(is_plant) AND bool_or(NOT is_plant) AND count(DISTINCT network) > 1 ORDER BY details;

-- @finding host_unsupported_os severity=low confidence=high
SELECT 'An operating system without updates' AS title, h.os || ', by ' || h.os_evidence AS details, h.ip AS src_ip, f.frame, f.ts, h.capture
FROM hosts h JOIN (SELECT capture_id, ip, value, min(frame) AS frame, min(ts) AS ts FROM host_facts WHERE fact = 'os' GROUP BY capture_id, ip, value) f ON f.capture_id = h.capture_id AND f.ip = h.ip AND f.value = h.os
WHERE h.os_confidence = 'high' AND is_private(h.ip) AND regexp_like(h.os, '^Windows (2000|XP|NT 4|CE|Vista|7 |7$|Server 2003|Server 2008)|^Linux [12][.]') ORDER BY h.ip;

-- @finding host_rogue_infra severity=medium confidence=medium technique=T1557
SELECT 'A workstation serves the network' AS title, coalesce(array_element(hostnames, 1), ip) || ' is ' || array_to_string(array_intersect(roles, ['dhcp_server', 'dns_server', 'gateway']), ' and ') || ', and is used as a workstation (' || coalesce(os, 'user agents') || ')' AS details,
  ip AS src_ip, ts, end_ts, capture
FROM hosts WHERE responded AND array_has_any(roles, ['dhcp_server', 'dns_server', 'gateway']) AND NOT coalesce(array_has_any(roles, ['domain_controller', 'router', 'kdc', 'ldap_server']), false)
  AND (os_confidence <> 'low' AND regexp_like(os, '^Windows (XP|7|8|10|11|Vista)') AND strpos(os, 'Server') = 0 OR os LIKE 'Android%' OR os LIKE 'iOS%' OR user_agents >= 3 AND cardinality(users) > 0) ORDER BY ip;

-- @finding host_mac_vendor_mismatch severity=low confidence=low technique=T1036
SELECT 'A device and its MAC name different makers' AS title, 'it says ' || vendor || ', its MAC is of ' || mac_vendor AS details, ip AS src_ip, mac AS src_mac, ts, end_ts, capture
FROM hosts WHERE device_type IN ('plc', 'rtu', 'io_device', 'drive', 'ied', 'hmi') AND vendor IS NOT NULL AND mac_vendor IS NOT NULL AND NOT mac_is_virtual(CAST(mac AS VARCHAR))
  AND strpos(lower(mac_vendor), lower(array_element(regexp_match(vendor, '^([A-Za-z0-9-]+)'), 1))) = 0 AND strpos(lower(vendor), lower(array_element(regexp_match(mac_vendor, '^([A-Za-z0-9-]+)'), 1))) = 0
  -- Modules that many makers build in, and names that a maker goes by.
  AND NOT regexp_like(lower(mac_vendor), 'hilscher|hms industrial|phoenix|texas instr|microchip|espressif|raspberry|realtek|intel|advantech|lantronix|digi int|moxa|wiznet|stmicro|nxp|analog devices|xilinx|broadcom|marvell|atmel|freescale|kontron|super micro|hewlett|dell')
  AND NOT (regexp_like(lower(vendor), 'rockwell|allen') AND regexp_like(lower(mac_vendor), 'rockwell|allen')) AND NOT (regexp_like(lower(vendor), 'schneider|modicon|telemecanique|square d') AND regexp_like(lower(mac_vendor), 'schneider|modicon|telemecanique|square d|groupe|group schneider')) ORDER BY ip;

-- @finding host_ip_moved severity=medium confidence=medium technique=T1557.002 if=baseline
-- A card that had one address and has another, while the old one is gone; neither a lease nor a virtual router's card.
SELECT 'A network card has another address than before' AS title, h.mac || ': ' || b.ip || ', now ' || h.ip AS details, h.ip AS src_ip, 1 AS count, f.frame, h.ts, h.end_ts, h.capture
FROM (SELECT mac, min(ip) AS ip, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture FROM hosts WHERE mac IS NOT NULL AND is_private(ip) AND ip NOT LIKE '%:%' GROUP BY mac HAVING count(DISTINCT ip) = 1) h
JOIN (SELECT mac, min(ip) AS ip FROM (SELECT unnest(macs) AS mac, ip FROM baseline_hosts WHERE ip NOT LIKE '%:%') GROUP BY mac HAVING count(DISTINCT ip) = 1) b ON b.mac = h.mac AND b.ip <> h.ip
LEFT JOIN (SELECT ip, min(frame) AS frame FROM (SELECT src_ip AS ip, frame FROM flows UNION ALL SELECT dst_ip, frame FROM flows UNION ALL SELECT sender_ip, frame FROM arp) GROUP BY ip) f ON f.ip = h.ip
WHERE NOT EXISTS (SELECT 1 FROM hosts o WHERE o.ip = b.ip) AND NOT EXISTS (SELECT 1 FROM dhcp d WHERE d.yiaddr = h.ip AND d.message_type_name = 'ACK') AND NOT (h.mac LIKE '00:00:5e:00:0%' OR h.mac LIKE '00:00:0c:07:ac:%' OR h.mac LIKE '00:07:b4:%' OR h.mac LIKE '00:00:0c:9f:f%') ORDER BY h.mac;
