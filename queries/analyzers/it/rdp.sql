-- @analyzer rdp
-- @group    it
-- @title    RDP ANALYSIS
-- @help     Remote Desktop sessions, users, brute force

-- @section summary shape=facts
SELECT count(*) AS attempts, count(*) FILTER (WHERE connected OR result = 'encrypted') AS "past negotiation", count(failure_code) AS refused, count(DISTINCT src_ip) AS clients, count(DISTINCT dst_ip) AS servers,
  array_to_string(array_sort(array_agg(DISTINCT security_protocol)), ', ') AS security, array_to_string(array_sort(array_agg(DISTINCT dst_port)), ', ') AS ports FROM rdp;

-- @section "Sessions" shape=table limit=25
SELECT ts AS start, src_ip AS client, dst_ip AS server, dst_port AS port, cookie, client_name AS name, security_protocol AS security, result FROM rdp ORDER BY capture, frame;

-- @section "Servers" shape=table limit=15
SELECT dst_ip AS server, dst_port AS port, array_to_string(array_sort(array_agg(DISTINCT security_protocol)), ', ') AS security, array_to_string(array_sort(array_agg(DISTINCT encryption_method_name)), ', ') AS "standard encryption", count(DISTINCT src_ip) AS clients, count(*) AS attempts
FROM rdp GROUP BY dst_ip, dst_port ORDER BY attempts DESC, server, port;

-- @section "Clients" shape=table limit=15
SELECT src_ip AS client, array_to_string(array_sort(array_agg(DISTINCT client_name)), ', ') AS names, array_to_string(array_sort(array_agg(DISTINCT cookie)), ', ') AS cookies, array_to_string(array_sort(array_agg(DISTINCT client_build)), ', ') AS builds,
  array_to_string(array_sort(array_agg(DISTINCT keyboard_layout)), ', ') AS keyboards, max(CAST(desktop_width AS VARCHAR) || 'x' || CAST(desktop_height AS VARCHAR)) AS desktop FROM rdp GROUP BY src_ip ORDER BY client;

-- @section "Virtual channels" shape=table limit=15
SELECT channel, CASE channel WHEN 'rdpdr' THEN 'drives, printers' WHEN 'cliprdr' THEN 'clipboard' WHEN 'rdpsnd' THEN 'sound' WHEN 'drdynvc' THEN 'dynamic channels' END AS "For", count(*) AS attempts FROM (SELECT unnest(client_channels) AS channel FROM rdp) GROUP BY channel ORDER BY attempts DESC, channel;

-- @section "Refusals" shape=table limit=15
SELECT result, dst_ip AS server, count(*) AS attempts FROM rdp WHERE failure_code IS NOT NULL GROUP BY result, dst_ip ORDER BY attempts DESC, result, server;

-- @finding rdp_exposed severity=high confidence=high technique=T1133,T1021.001
SELECT CASE WHEN max(CASE WHEN connected OR result = 'encrypted' THEN 1 ELSE 0 END) = 1 THEN 'high' ELSE 'medium' END AS severity, 'Remote Desktop reached from the internet' AS title, CAST(count(*) AS VARCHAR) || ' attempts' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM rdp WHERE is_public(src_ip) AND is_private(dst_ip) GROUP BY src_ip, dst_ip, dst_port ORDER BY src_ip, dst_ip, dst_port;

-- @finding rdp_cookie_spray severity=high confidence=medium technique=T1110.003
SELECT 'One client tries many accounts' AS title, array_to_string(array_slice(array_sort(array_agg(DISTINCT cookie)), 1, 8), ', ') AS details, src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM rdp WHERE cookie IS NOT NULL GROUP BY src_ip, CAST(ts AS BIGINT) / 600000000000 HAVING count(DISTINCT cookie) >= 5 ORDER BY src_ip, frame;

-- @finding rdp_scan severity=medium confidence=high technique=T1046
SELECT 'One source looks for Remote Desktop' AS title, CAST(count(DISTINCT dst_ip) AS VARCHAR) || ' servers within a minute' AS details, src_ip, count(DISTINCT dst_ip) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM rdp GROUP BY src_ip, CAST(ts AS BIGINT) / 60000000000 HAVING count(DISTINCT dst_ip) >= 10 ORDER BY src_ip, frame;

-- @finding rdp_weak_security severity=medium confidence=high technique=T1557
SELECT CASE WHEN encryption_method IN (0, 1, 8) THEN 'high' ELSE 'medium' END AS severity, 'Standard RDP security' AS title, 'encryption ' || coalesce(encryption_method_name, 'not seen') AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM rdp WHERE security_protocol = 'RDP' GROUP BY encryption_method, encryption_method_name, src_ip, dst_ip, dst_port ORDER BY src_ip, dst_ip, dst_port, encryption_method;

-- @finding rdp_no_nla severity=low confidence=high technique=T1021.001
SELECT 'A server without network level authentication' AS title, 'TLS alone, where the client offered CredSSP' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM rdp WHERE selected_protocol = 1 AND (requested_protocols & 2) > 0 GROUP BY src_ip, dst_ip, dst_port ORDER BY src_ip, dst_ip, dst_port;

-- @finding rdp_bluekeep severity=critical confidence=high technique=T1210
SELECT 'A client asks for the channel of BlueKeep' AS title, array_to_string(client_channels, ', ') AS details, src_ip, dst_ip, dst_port, frame, ts FROM rdp WHERE array_has(client_channels, 'MS_T120') ORDER BY capture, frame;

-- @finding rdp_nonstandard_port severity=low confidence=high technique=T1571
SELECT 'Remote Desktop on another port' AS title, 'port ' || CAST(dst_port AS VARCHAR) AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM rdp WHERE dst_port <> 3389 AND security_protocol IS NOT NULL GROUP BY src_ip, dst_ip, dst_port ORDER BY src_ip, dst_ip, dst_port;
