-- @analyzer hostname
-- @group    it
-- @title    HOST NAMES
-- @help     Which names belong to which addresses, and how sure each is

-- @section summary shape=facts
SELECT count(DISTINCT ip) AS "Addresses with names", count(DISTINCT name) AS names, sum(seen) AS evidence, count(*) FILTER (WHERE confidence = 'high') AS high, count(*) FILTER (WHERE confidence = 'medium') AS medium, count(*) FILTER (WHERE confidence = 'low') AS low,
  array_to_string(array_sort(array_agg(DISTINCT source)), ', ') AS sources FROM host_names;

-- @section "Addresses" shape=table limit=25
SELECT h.ip AS address, array_element(h.hostnames, 1) AS name, array_to_string(array_slice(h.hostnames, 2, 4), ', ') || CASE WHEN cardinality(h.hostnames) > 4 THEN ', +' || CAST(cardinality(h.hostnames) - 4 AS VARCHAR) ELSE '' END AS "Other names",
  n.kind, array_to_string(n.sources, ', ') AS sources, n.confidence, n.first, n.last, n.seen
FROM hosts h JOIN (SELECT capture_id, ip, first_value(kind ORDER BY CASE kind WHEN 'hostname' THEN 1 WHEN 'user_given' THEN 2 WHEN 'dns_name' THEN 3 WHEN 'certificate' THEN 4 ELSE 5 END) AS kind, array_sort(array_agg(DISTINCT source)) AS sources,
    first_value(confidence ORDER BY CASE confidence WHEN 'high' THEN 1 WHEN 'medium' THEN 2 ELSE 3 END) AS confidence, min(ts) AS first, max(end_ts) AS last, sum(seen) AS seen FROM host_names WHERE ip IS NOT NULL GROUP BY capture_id, ip) n
  ON n.capture_id = h.capture_id AND n.ip = h.ip
WHERE h.hostnames IS NOT NULL ORDER BY CASE WHEN is_private(h.ip) THEN 0 ELSE 1 END, h.ip;

-- @section "Without traffic of their own" shape=table limit=15
SELECT n.ip AS address, array_to_string(array_slice(array_sort(array_agg(DISTINCT n.name)), 1, 4), ', ') AS names, array_to_string(array_sort(array_agg(DISTINCT n.source)), ', ') AS sources, min(n.ts) AS first
FROM host_names n LEFT JOIN hosts h ON h.capture_id = n.capture_id AND h.ip = n.ip WHERE n.ip IS NOT NULL AND h.ip IS NULL GROUP BY n.ip ORDER BY CASE WHEN is_private(n.ip) THEN 0 ELSE 1 END, address;

-- @section "Names of several addresses" shape=table limit=15
SELECT name, count(DISTINCT ip) AS addresses, array_to_string(array_slice(array_sort(array_agg(DISTINCT ip)), 1, 5), ', ') AS "Which", array_to_string(array_sort(array_agg(DISTINCT kind)), ', ') AS kinds, min(ts) AS first, max(end_ts) AS last
FROM host_names WHERE ip IS NOT NULL GROUP BY name HAVING count(DISTINCT ip) >= 2 ORDER BY addresses DESC, name;

-- @section "What hosts call themselves, and DNS" shape=table limit=15
SELECT s.ip AS address, s.name AS "Calls itself", s.source, d.name AS "DNS says"
FROM (SELECT capture_id, ip, name, min(source) AS source FROM host_names WHERE kind = 'hostname' AND ip IS NOT NULL GROUP BY capture_id, ip, name) s
JOIN (SELECT capture_id, ip, min(name) AS name FROM host_names WHERE kind = 'dns_name' AND source = 'dns.a' GROUP BY capture_id, ip HAVING count(DISTINCT name) = 1) d ON d.capture_id = s.capture_id AND d.ip = s.ip
WHERE split_part(s.name, '.', 1) <> split_part(d.name, '.', 1) ORDER BY address, s.name;

-- @section "Names in certificates" shape=table limit=15
SELECT ip AS server, array_to_string(array_slice(array_sort(array_agg(DISTINCT name)), 1, 5), ', ') AS names, array_to_string(array_sort(array_agg(DISTINCT confidence)), ', ') AS confidence FROM host_names WHERE kind = 'certificate' GROUP BY ip ORDER BY ip;

-- @section "Asked about, without an address" shape=table limit=15
SELECT name, array_to_string(array_sort(array_agg(DISTINCT source)), ', ') AS sources, array_to_string(array_slice(array_sort(array_agg(DISTINCT src_ip)), 1, 3), ', ') AS "Asked by", sum(seen) AS seen, min(ts) AS first FROM host_names WHERE ip IS NULL AND mac IS NULL GROUP BY name ORDER BY name;

-- @section "Evidence" shape=table limit=25
SELECT ts AS time, frame, name, coalesce(ip, mac) AS address, kind, source, confidence, seen, src_ip AS sender, dst_ip AS receiver FROM host_names ORDER BY capture, frame, name, source;

-- @finding name_conflict severity=medium confidence=medium technique=T1557.001
WITH own AS (SELECT n.capture, n.capture_id, n.name, n.ip, coalesce(h.mac, n.mac) AS mac, n.ts, n.end_ts, n.frame, n.source FROM host_names n JOIN hosts h ON h.capture_id = n.capture_id AND h.ip = n.ip
  WHERE n.kind = 'hostname' AND n.confidence = 'high' AND h.mac IS NOT NULL AND NOT h.mac_randomised AND n.source NOT IN ('kerberos.service', 'syslog.host', 's7comm', 'snmp.sysname', 'bacnet.object_name'))
SELECT 'Two hosts claim one name' AS title, a.name || ': ' || a.ip || ' (' || a.mac || ') and ' || b.ip || ' (' || b.mac || ')' AS details, b.ip AS src_ip, a.ip AS dst_ip, min(b.frame) AS frame, min(a.ts) AS ts, max(b.end_ts) AS end_ts, min(a.capture) AS capture
FROM own a JOIN own b ON a.capture_id = b.capture_id AND a.name = b.name AND a.ip <> b.ip AND a.mac <> b.mac AND (a.ts < b.ts OR a.ts = b.ts AND a.ip < b.ip)
WHERE b.ts - a.end_ts <= INTERVAL '10 minutes' AND strpos(a.ip, ':') = strpos(b.ip, ':') GROUP BY a.capture_id, a.name, a.ip, a.mac, b.ip, b.mac ORDER BY details;

-- @finding name_mismatch severity=low confidence=low
SELECT 'A host calls itself otherwise than DNS does' AS title, s.ip || ' calls itself ' || s.name || ' (' || s.source || '), DNS says ' || d.name AS details, s.ip AS src_ip, s.frame, make_array(s.frame, d.frame) AS frames, s.ts, s.capture
FROM (SELECT capture_id, ip, min(name) AS name, min(source) AS source, min(frame) AS frame, min(ts) AS ts, min(capture) AS capture FROM host_names WHERE kind = 'hostname' AND confidence = 'high' AND source IN ('dhcp.host_name', 'ntlm.dns_computer_name', 'nbns', 'nbns.status') GROUP BY capture_id, ip HAVING count(DISTINCT split_part(name, '.', 1)) = 1) s
JOIN (SELECT capture_id, ip, min(name) AS name, min(frame) AS frame FROM host_names WHERE kind = 'dns_name' AND source = 'dns.a' GROUP BY capture_id, ip HAVING count(DISTINCT name) = 1) d ON d.capture_id = s.capture_id AND d.ip = s.ip
WHERE is_private(s.ip) AND split_part(s.name, '.', 1) <> split_part(d.name, '.', 1) ORDER BY s.ip;

-- @finding name_spoof_certificate severity=medium confidence=medium technique=T1557
WITH asked AS (SELECT capture_id, ip, name, min(frame) AS frame, min(ts) AS ts, min(src_ip) AS client, min(capture) AS capture FROM host_names WHERE source = 'tls.server_name' GROUP BY capture_id, ip, name),
shown AS (SELECT capture_id, src_ip AS ip, lower(server_name) AS name, bool_or(sni_matches) AS matches FROM x509 WHERE role = 'server' AND chain_index = 0 AND server_name IS NOT NULL GROUP BY capture_id, src_ip, lower(server_name)),
given AS (SELECT capture_id, name, array_sort(array_agg(DISTINCT ip)) AS ips FROM host_names WHERE source = 'dns.a' AND ip IS NOT NULL GROUP BY capture_id, name)
SELECT 'A server stands for a name that is not its own' AS title, a.name || ' was asked of ' || a.ip || '; DNS gave ' || array_to_string(array_slice(array_sort(g.ips), 1, 3), ', ') || ', and the certificate is for another name' AS details, a.client AS src_ip, a.ip AS dst_ip, a.frame, a.ts, a.capture
FROM asked a JOIN shown s ON s.capture_id = a.capture_id AND s.ip = a.ip AND s.name = a.name JOIN given g ON g.capture_id = a.capture_id AND g.name = a.name
WHERE NOT s.matches AND NOT array_has(g.ips, a.ip) ORDER BY details;

-- @finding name_ot_exposed severity=info confidence=medium technique=T1590.002
SELECT 'A public resolver is asked for names of the plant' AS title, array_to_string(array_slice(array_sort(array_agg(DISTINCT query)), 1, 5), ', ') AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM dns WHERE NOT is_response AND is_public(dst_ip) AND regexp_like(lower(query), '(^|[-_.0-9])(plc|hmi|scada|rtu|historian|dcs)([-_.0-9]|$)') GROUP BY capture, capture_id, src_ip, dst_ip, dst_port ORDER BY src_ip, dst_ip;
