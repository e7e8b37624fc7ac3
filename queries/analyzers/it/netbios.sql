-- @analyzer netbios
-- @group    it
-- @title    NETBIOS
-- @help     NetBIOS names, groups, roles, poisoning

-- @section summary shape=facts
SELECT n.messages AS name_messages, n.queries, n.answers, n.registrations, d.datagrams, s.messages AS session_messages, n.names, n.first, n.last
FROM (SELECT count(*) AS messages, count(*) FILTER (WHERE NOT is_response AND opcode = 0) AS queries, count(*) FILTER (WHERE is_response AND opcode = 0) AS answers, count(*) FILTER (WHERE NOT is_response AND opcode IN (5, 8, 9, 15)) AS registrations, count(DISTINCT name) AS names, min(ts) AS first, max(ts) AS last FROM nbns) n
CROSS JOIN (SELECT count(*) AS datagrams FROM nbdgm) d CROSS JOIN (SELECT count(*) AS messages FROM nbss) s WHERE n.messages + d.datagrams + s.messages > 0;

-- @section "Hosts" shape=table limit=25
WITH told AS (
  SELECT src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, name || '<' || lpad(to_hex(name_suffix), 2, '0') || '>' AS name, CASE WHEN "group" THEN name END AS workgroup, 'registration' AS source FROM nbns WHERE NOT is_response AND opcode IN (5, 8, 9, 15) AND name <> '*'
  UNION ALL SELECT array_element(answers, 1) AS ip, NULL AS mac, name || '<' || lpad(to_hex(name_suffix), 2, '0') || '>' AS name, NULL AS workgroup, 'answer' AS source FROM nbns WHERE is_response AND opcode = 0 AND rcode = 0 AND NOT "group" AND answers IS NOT NULL
  UNION ALL SELECT ip, mac, regexp_replace(entry, ' [GU]$', '') AS name, CASE WHEN entry LIKE '%<00> G' THEN regexp_replace(entry, '<00> G$', '') END AS workgroup, 'status' AS source FROM (SELECT src_ip AS ip, status_mac AS mac, unnest(status_names) AS entry FROM nbns WHERE status_names IS NOT NULL)
  UNION ALL SELECT src_ip AS ip, NULL AS mac, source_name AS name, CASE WHEN browser_command IN (1, 15) THEN regexp_replace(destination_name, '<[0-9a-f]{2}>$', '') END AS workgroup, CASE WHEN browser_command IN (1, 15) THEN 'announcement' ELSE 'datagram' END AS source FROM nbdgm WHERE source_name IS NOT NULL
)
SELECT ip, max(mac) AS mac, array_to_string(array_sort(array_agg(DISTINCT name)), ', ') AS names, array_to_string(array_sort(array_agg(DISTINCT CASE WHEN workgroup NOT LIKE '%MSBROWSE%' THEN workgroup END)), ', ') AS workgroup, array_to_string(array_sort(array_agg(DISTINCT source)), ', ') AS source
FROM told WHERE ip IS NOT NULL GROUP BY ip ORDER BY count(DISTINCT name) DESC, ip;

-- @section "Queries" shape=table limit=25
WITH answered AS (SELECT name, name_suffix, array_to_string(array_sort(array_agg(DISTINCT src_ip)), ', ') AS by FROM nbns WHERE is_response AND opcode = 0 AND rcode = 0 GROUP BY name, name_suffix)
SELECT q.name || '<' || lpad(to_hex(q.name_suffix), 2, '0') || '>' AS name, max(q.name_role) AS role, q.question_type_name AS type, count(DISTINCT q.src_ip) AS askers, count(*) AS queries, CASE WHEN q.name = '*' THEN NULL ELSE coalesce(max(a.by), 'nobody') END AS "Answered by", CASE WHEN upper(q.name) IN ('WPAD', 'ISATAP') THEN 'often spoofed' END AS note
FROM nbns q LEFT JOIN answered a ON a.name = q.name AND a.name_suffix = q.name_suffix WHERE NOT q.is_response AND q.opcode = 0 GROUP BY q.name, q.name_suffix, q.question_type_name ORDER BY queries DESC, name;

-- @section "Registrations and releases" shape=table limit=25
SELECT src_ip AS host, opcode_name AS operation, name || '<' || lpad(to_hex(name_suffix), 2, '0') || '>' AS name, "group", array_to_string(max(answers), ', ') AS address, max(CASE WHEN is_response THEN rcode_name END) AS result, count(*) AS messages
FROM nbns WHERE opcode <> 0 GROUP BY src_ip, opcode_name, name, name_suffix, "group" ORDER BY messages DESC, host, operation, name;

-- @section "Name tables read" shape=table limit=15
SELECT dst_ip AS reader, src_ip AS host, max(status_mac) AS mac, array_to_string(max(status_names), ', ') AS names, count(*) AS times FROM nbns WHERE status_names IS NOT NULL GROUP BY dst_ip, src_ip ORDER BY times DESC, reader, host;

-- @section "Browsers" shape=table limit=15
SELECT src_ip AS host, browser_command_name AS message, server_name AS name, max(CAST(os_major AS VARCHAR) || '.' || CAST(os_minor AS VARCHAR)) AS os, array_to_string(array_remove([CASE WHEN server_type & 8 > 0 THEN 'domain controller' END, CASE WHEN server_type & 16 > 0 THEN 'backup controller' END, CASE WHEN server_type & 4 > 0 THEN 'sql' END,
  CASE WHEN server_type & 32 > 0 THEN 'time source' END, CASE WHEN server_type & 512 > 0 THEN 'print server' END, CASE WHEN server_type & 262144 > 0 THEN 'master browser' END], NULL), ', ') AS roles, max(comment) AS comment, count(*) AS messages
FROM nbdgm WHERE browser_command IS NOT NULL GROUP BY src_ip, browser_command_name, server_name, server_type ORDER BY messages DESC, host, message, name, roles;

-- @section "Logon servers asked" shape=table limit=15
SELECT src_ip AS host, netlogon_command AS command, netlogon_computer AS computer, netlogon_user AS user, destination_name AS domain, count(*) AS messages FROM nbdgm WHERE netlogon_command IS NOT NULL GROUP BY src_ip, netlogon_command, netlogon_computer, netlogon_user, destination_name ORDER BY messages DESC, host, command, computer, user;

-- @section "Sessions" shape=table limit=15
SELECT r.src_ip AS client, r.dst_ip AS server, r.calling_name AS calling, r.called_name AS called, coalesce(max(a.message_type_name), 'no answer') AS outcome, count(DISTINCT r.flow_id) AS sessions
FROM nbss r LEFT JOIN nbss a ON a.capture_id = r.capture_id AND a.flow_id = r.flow_id AND a.message_type IN (130, 131, 132) WHERE r.message_type = 129 GROUP BY r.src_ip, r.dst_ip, r.calling_name, r.called_name ORDER BY sessions DESC, client, server, calling, called;

-- @section "Messages" shape=table verbose
SELECT ts, src_ip AS src, dst_ip AS dst, opcode_name AS operation, is_response AS answer, name, name_suffix AS suffix, array_to_string(answers, ', ') AS addresses, rcode_name AS result FROM nbns ORDER BY capture, frame;

-- @finding nbns_spoofing severity=high confidence=medium technique=T1557.001
WITH owned AS (SELECT DISTINCT capture_id, src_ip, upper(name) AS name FROM nbns WHERE NOT is_response AND opcode IN (5, 8, 9, 15)
  UNION SELECT DISTINCT capture_id, src_ip, upper(regexp_replace(source_name, '<[0-9a-f]{2}>$', '')) AS name FROM nbdgm WHERE source_name IS NOT NULL
  UNION SELECT DISTINCT capture_id, src_ip, upper(regexp_replace(entry, '<[0-9a-f]{2}> [GU]$', '')) AS name FROM (SELECT capture_id, src_ip, unnest(status_names) AS entry FROM nbns WHERE status_names IS NOT NULL)),
lies AS (SELECT n.* FROM nbns n LEFT JOIN owned o ON o.capture_id = n.capture_id AND o.src_ip = n.src_ip AND o.name = upper(n.name)
  WHERE n.is_response AND n.opcode = 0 AND n.rcode = 0 AND n.question_type = 32 AND n.name <> '*' AND array_has(n.answers, n.src_ip) AND NOT n."group" AND n.node_type <> 'P' AND o.name IS NULL)
SELECT 'A host answers for names that are not its own' AS title, 'names ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT name)), 1, 8), ', ') AS details, src_ip, min(dst_ip) AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM lies GROUP BY capture_id, src_ip HAVING count(DISTINCT upper(name)) >= 3 OR max(CASE WHEN upper(name) IN ('WPAD', 'ISATAP') THEN 1 ELSE 0 END) = 1 ORDER BY src_ip, frame;

-- @finding nbns_conflict severity=medium confidence=medium technique=T1557
SELECT 'A name is claimed twice' AS title, name || '<' || lpad(to_hex(name_suffix), 2, '0') || '>: ' || array_to_string(array_sort(array_agg(DISTINCT rcode_name)), ', ') AS details, src_ip, min(dst_ip) AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM nbns WHERE is_response AND rcode IN (6, 7) GROUP BY capture_id, src_ip, name, name_suffix, capture ORDER BY src_ip, name, frame;

-- @finding nbns_scan severity=medium confidence=high technique=T1018,T1046
SELECT 'Name tables were asked for, host by host' AS title, CAST(count(DISTINCT dst_ip) AS VARCHAR) || ' hosts within a minute' AS details, src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM nbns WHERE NOT is_response AND opcode = 0 AND (question_type = 33 OR name = '*') AND NOT broadcast GROUP BY capture_id, src_ip, CAST(ts AS BIGINT) / 60000000000 HAVING count(DISTINCT dst_ip) >= 20 ORDER BY src_ip, frame;

-- @finding nbns_wpad_query severity=info confidence=high technique=T1557.001
SELECT 'A proxy is looked for by NetBIOS' AS title, 'queries for WPAD, which any neighbour can answer' AS details, src_ip, min(dst_ip) AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM nbns WHERE NOT is_response AND opcode = 0 AND upper(name) = 'WPAD' GROUP BY src_ip, capture ORDER BY src_ip;

-- @finding netbios_external severity=medium confidence=high technique=T1133
SELECT 'NetBIOS across the border' AS title, array_to_string(array_sort(array_agg(DISTINCT what)), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM (SELECT 'names' AS what, capture, capture_id, src_ip, dst_ip, frame, ts FROM nbns UNION ALL SELECT 'datagrams' AS what, capture, capture_id, src_ip, dst_ip, frame, ts FROM nbdgm UNION ALL SELECT 'sessions' AS what, capture, capture_id, src_ip, dst_ip, frame, ts FROM nbss)
WHERE (is_public(src_ip) AND is_private(dst_ip)) OR (is_private(src_ip) AND is_public(dst_ip)) GROUP BY capture_id, src_ip, dst_ip ORDER BY src_ip, dst_ip;

-- @finding nbns_storm severity=low confidence=high technique=T1498
WITH busy AS (SELECT min(capture) AS capture, capture_id, src_ip, CAST(ts AS BIGINT) / 1000000000 AS second, count(*) AS n, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts FROM nbns WHERE is_response OR opcode NOT IN (8, 9) GROUP BY capture_id, src_ip, CAST(ts AS BIGINT) / 1000000000 HAVING count(*) >= 100)
SELECT 'Name messages without pause' AS title, 'up to ' || CAST(max(n) AS VARCHAR) || ' a second' AS details, src_ip, sum(n) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture FROM busy GROUP BY capture_id, src_ip HAVING count(*) >= 3 ORDER BY src_ip, frame;

-- @finding nbns_release_attack severity=high confidence=medium technique=T1499
WITH owned AS (SELECT DISTINCT capture_id, name, name_suffix, src_ip FROM nbns WHERE NOT is_response AND opcode IN (5, 8, 9, 15) AND "group" = FALSE)
SELECT 'A host gives up the name of another' AS title, r.name || '<' || lpad(to_hex(r.name_suffix), 2, '0') || '> belongs to ' || min(o.src_ip) AS details, r.src_ip, min(r.dst_ip) AS dst_ip, count(*) AS count, min(r.frame) AS frame, array_slice(array_sort(array_agg(r.frame)), 1, 20) AS frames, min(r.ts) AS ts, max(r.ts) AS end_ts, min(r.capture) AS capture
FROM nbns r JOIN owned o ON o.capture_id = r.capture_id AND o.name = r.name AND o.name_suffix = r.name_suffix LEFT JOIN owned s ON s.capture_id = r.capture_id AND s.name = r.name AND s.name_suffix = r.name_suffix AND s.src_ip = r.src_ip
WHERE NOT r.is_response AND r.opcode = 6 AND r."group" = FALSE AND s.src_ip IS NULL GROUP BY r.capture_id, r.src_ip, r.name, r.name_suffix ORDER BY r.src_ip, details;

-- @finding netbios_dos_session severity=low confidence=medium technique=T1110
SELECT 'Sessions were refused again and again' AS title, 'negative session responses' AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM nbss WHERE message_type = 131 GROUP BY capture_id, src_ip, dst_ip HAVING count(*) >= 10 ORDER BY src_ip, dst_ip;

-- @finding nbns_refresh_flood severity=low confidence=high technique=T1498
WITH busy AS (SELECT min(capture) AS capture, capture_id, src_ip, CAST(ts AS BIGINT) / 1000000000 AS second, count(*) AS n, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts FROM nbns WHERE opcode IN (8, 9) AND NOT is_response GROUP BY capture_id, src_ip, CAST(ts AS BIGINT) / 1000000000 HAVING count(*) >= 100)
SELECT 'Names are refreshed without pause' AS title, 'up to ' || CAST(max(n) AS VARCHAR) || ' a second' AS details, src_ip, sum(n) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture FROM busy GROUP BY capture_id, src_ip HAVING count(*) >= 3 ORDER BY src_ip, frame;

-- @finding nbns_tunnel severity=medium confidence=medium technique=T1071.004
-- Names of hosts are words and numbers in a pattern; data is not, or has bytes that no name may have.
WITH asked AS (SELECT DISTINCT capture, capture_id, src_ip, name, frame, ts, regexp_like(name, '[^ -~]|["\\/:*?<>|]') AS is_illegal FROM nbns WHERE NOT is_response AND opcode = 0 AND name IS NOT NULL AND name <> '*'),
names AS (SELECT min(capture) AS capture, capture_id, src_ip, CAST(ts AS BIGINT) / 60000000000 AS minute, name, bool_or(is_illegal) AS is_illegal, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, count(*) AS n FROM asked GROUP BY capture_id, src_ip, CAST(ts AS BIGINT) / 60000000000, name)
SELECT 'Data in NetBIOS names' AS title, CAST(count(*) AS VARCHAR) || ' names within a minute, such as ' || array_to_string(array_slice(array_agg(name ORDER BY frame), 1, 3), ', ') AS details, src_ip, sum(n) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM names WHERE is_illegal OR length(name) >= 10 AND dga_score(lower(name) || '.com') >= 0.7 GROUP BY capture_id, src_ip, minute HAVING count(*) > 50 ORDER BY src_ip, frame;

-- @finding browser_rogue_master severity=low confidence=medium technique=T1557
-- The first octet of the criteria is the kind of system: 32 is the highest that Windows gives itself, as a server.
WITH servers AS (SELECT DISTINCT capture_id, src_ip FROM nbdgm WHERE browser_command_name IN ('host_announcement', 'local_master_announcement') AND server_type & 32792 > 0)
SELECT 'A workstation claims to be the best master browser' AS title, coalesce(max(d.source_name), d.src_ip) || ', criteria 0x' || lpad(to_hex(CAST(max(d.election_criteria) AS BIGINT)), 8, '0') AS details, d.src_ip, max(d.dst_ip) AS dst_ip, count(*) AS count, min(d.frame) AS frame, array_slice(array_sort(array_agg(d.frame)), 1, 20) AS frames, min(d.ts) AS ts, max(d.ts) AS end_ts, min(d.capture) AS capture
FROM nbdgm d LEFT JOIN servers s ON s.capture_id = d.capture_id AND s.src_ip = d.src_ip WHERE d.browser_command_name = 'browser_election_request' AND d.election_criteria >= 4278190080 AND s.src_ip IS NULL GROUP BY d.capture_id, d.src_ip ORDER BY d.src_ip;
