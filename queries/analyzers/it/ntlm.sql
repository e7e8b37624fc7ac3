-- @analyzer ntlm
-- @group    it
-- @title    NTLM LOGINS
-- @help     NTLM logins, versions, capturable hashes

-- @section summary shape=facts
SELECT count(*) AS messages, count(*) FILTER (WHERE message_type = 1) AS negotiates, count(*) FILTER (WHERE message_type = 2) AS challenges, count(*) FILTER (WHERE message_type = 3) AS authenticates,
  count(*) FILTER (WHERE message_type = 3 AND challenge_frame IS NOT NULL) AS complete, array_to_string(array_sort(array_agg(DISTINCT carrier)), ', ') AS carriers, array_to_string(array_sort(array_agg(DISTINCT ntlm_version)), ', ') AS versions,
  count(*) FILTER (WHERE success) AS succeeded, count(*) FILTER (WHERE NOT success) AS failed, min(ts) AS first, max(ts) AS last FROM ntlm;

-- @section "Accounts" shape=table limit=25
SELECT coalesce(domainname || '\' || username, username, '(anonymous)') AS account, max(hostname) AS workstation, array_to_string(array_slice(array_sort(array_agg(DISTINCT src_ip)), 1, 3), ', ') AS clients, array_to_string(array_slice(array_sort(array_agg(DISTINCT dst_ip)), 1, 3), ', ') AS servers,
  array_to_string(array_sort(array_agg(DISTINCT carrier)), ', ') AS carrier, count(*) FILTER (WHERE success) AS ok, count(*) FILTER (WHERE NOT success) AS failed, array_to_string(array_sort(array_agg(DISTINCT ntlm_version)), ', ') AS version, max(ts) AS last
FROM ntlm WHERE message_type = 3 GROUP BY 1 ORDER BY count(*) DESC, account;

-- @section "Servers" shape=table limit=25
SELECT src_ip AS server, max(server_nb_computer_name) AS "NetBIOS", max(server_dns_computer_name) AS "DNS", max(server_dns_domain_name) AS domain, max(server_tree_name) AS forest, max(version) AS version, count(*) AS challenges,
  max((CAST(server_ts AS BIGINT) - CAST(ts AS BIGINT)) / 1000000000) AS clock_off_s FROM ntlm WHERE message_type = 2 GROUP BY src_ip ORDER BY challenges DESC, server;

-- @section "Exchanges" shape=table limit=25
SELECT ts AS time, src_ip AS client, dst_ip AS server, dst_port AS port, carrier, coalesce(domainname || '\' || username, username, '(anonymous)') AS account, target_spn AS target, ntlm_version AS version, sign, seal, mic_present AS "MIC", coalesce(status, CASE WHEN success THEN 'ok' WHEN NOT success THEN 'refused' END) AS status
FROM ntlm WHERE message_type = 3 ORDER BY capture, frame DESC, account;

-- @section "Crackable responses" shape=table limit=25
SELECT ntlm_version AS version, coalesce(domainname || '\' || username, username) AS account, count(*) AS responses, first_value(hash ORDER BY ts, frame) AS line FROM ntlm WHERE hash IS NOT NULL GROUP BY 1, 2 ORDER BY responses DESC, account, version;

-- @finding ntlm_v1 severity=high confidence=high technique=T1557,T1110.002
SELECT 'An old NTLM response that is cracked fast' AS title, ntlm_version || ' by ' || coalesce(domainname || '\' || username, username) AS details, CASE ntlm_version WHEN 'ntlm2_session' THEN 'medium' ELSE 'high' END AS severity, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ntlm WHERE ntlm_version IN ('ntlmv1', 'lm', 'ntlm2_session') AND username IS NOT NULL GROUP BY src_ip, dst_ip, dst_port, ntlm_version, domainname, username, capture ORDER BY src_ip, dst_ip, dst_port, details;

-- @finding ntlm_brute_force severity=high confidence=high technique=T1110.001
WITH failed AS (SELECT min(capture) AS capture, capture_id, src_ip, dst_ip, username, domainname, CAST(ts AS BIGINT) / 600000000000 AS slot, count(*) AS n, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
  FROM ntlm WHERE NOT success AND username IS NOT NULL GROUP BY capture_id, src_ip, dst_ip, username, domainname, slot HAVING count(*) >= 10),
good AS (SELECT capture_id, src_ip, username, max(frame) AS frame FROM ntlm WHERE success GROUP BY capture_id, src_ip, username)
SELECT 'Many logins of one account fail' AS title, coalesce(f.domainname || '\', '') || f.username || ': ' || CAST(f.n AS VARCHAR) || ' failures' || CASE WHEN g.frame > f.frame THEN ', then a success' ELSE '' END AS details, CASE WHEN g.frame > f.frame THEN 'critical' ELSE 'high' END AS severity, f.src_ip, f.dst_ip, f.n AS count, f.frame, f.frames, f.ts, f.end_ts, f.capture
FROM failed f LEFT JOIN good g ON g.capture_id = f.capture_id AND g.src_ip = f.src_ip AND g.username = f.username ORDER BY f.src_ip, f.dst_ip, f.frame;

-- @finding ntlm_spray severity=high confidence=high technique=T1110.003
WITH failed AS (SELECT min(capture) AS capture, capture_id, src_ip, CAST(ts AS BIGINT) / 600000000000 AS slot, count(DISTINCT username) AS accounts, count(*) AS n, array_to_string(array_slice(array_sort(array_agg(DISTINCT username)), 1, 8), ', ') AS names, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
  FROM ntlm WHERE NOT success AND username IS NOT NULL GROUP BY capture_id, src_ip, slot HAVING count(DISTINCT username) >= 5),
good AS (SELECT capture_id, src_ip, max(frame) AS frame FROM ntlm WHERE success AND username IS NOT NULL GROUP BY capture_id, src_ip)
SELECT 'One source fails with many accounts' AS title, CAST(f.accounts AS VARCHAR) || ' accounts within ten minutes: ' || f.names AS details, CASE WHEN g.frame > f.frame THEN 'critical' ELSE 'high' END AS severity, f.src_ip, f.n AS count, f.frame, f.frames, f.ts, f.end_ts, f.capture
FROM failed f LEFT JOIN good g ON g.capture_id = f.capture_id AND g.src_ip = f.src_ip ORDER BY f.src_ip, f.frame;

-- @finding ntlm_relay severity=critical confidence=medium technique=T1557.001
WITH named AS (SELECT capture, capture_id, flow_id, frame, ts, src_ip, dst_ip, server_challenge, coalesce(server_dns_computer_name, server_nb_computer_name, target_name) AS name FROM ntlm WHERE message_type = 2 AND flow_id IS NOT NULL AND server_challenge <> secret('1122334455667788') AND server_challenge <> secret('0000000000000000'))
SELECT 'One challenge is given in two connections' AS title, a.src_ip || ' passes on the challenge of ' || b.src_ip || coalesce(' (' || b.name || ')', '') AS details, a.src_ip, a.dst_ip, 2 AS count, a.frame, make_array(b.frame, a.frame) AS frames, b.ts, a.ts AS end_ts, a.capture
FROM named a JOIN named b ON a.capture_id = b.capture_id AND a.server_challenge = b.server_challenge AND a.flow_id <> b.flow_id AND b.frame < a.frame WHERE a.src_ip <> b.src_ip AND CAST(a.ts AS BIGINT) - CAST(b.ts AS BIGINT) < 5000000000
UNION ALL
SELECT 'One response is given in two connections' AS title, coalesce(a.domainname || '\', '') || a.username || ' to ' || b.dst_ip || ' and to ' || a.dst_ip AS details, a.src_ip, a.dst_ip, 2 AS count, a.frame, make_array(b.frame, a.frame) AS frames, b.ts, a.ts AS end_ts, a.capture
FROM ntlm a JOIN ntlm b ON a.capture_id = b.capture_id AND a.nt_response = b.nt_response AND a.flow_id <> b.flow_id AND b.frame < a.frame WHERE a.username IS NOT NULL AND (a.src_ip <> b.src_ip OR a.dst_ip <> b.dst_ip)
ORDER BY src_ip, dst_ip, frame;

-- @finding ntlm_no_mic severity=medium confidence=high technique=T1557.001
SELECT 'A promised integrity code is missing' AS title, CAST(count(*) AS VARCHAR) || ' logins whose message may have been changed on the way' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM anomalies WHERE protocol = 'ntlm' AND kind = 'unexpected_state' GROUP BY src_ip, dst_ip, dst_port, capture ORDER BY src_ip, dst_ip, dst_port;

-- @finding ntlm_anonymous severity=low confidence=high technique=T1021.002,T1087
SELECT 'An anonymous login was let in' AS title, 'by ' || carrier AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ntlm WHERE ntlm_version = 'anonymous' AND success GROUP BY src_ip, dst_ip, dst_port, carrier, capture ORDER BY src_ip, dst_ip, dst_port, details;

-- @finding ntlm_external severity=high confidence=high technique=T1187
SELECT 'An NTLM response leaves for the internet' AS title, coalesce(domainname || '\', '') || username || ' by ' || carrier AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ntlm WHERE message_type = 3 AND username IS NOT NULL AND is_public(dst_ip) AND NOT is_public(src_ip) GROUP BY src_ip, dst_ip, dst_port, carrier, domainname, username, capture ORDER BY src_ip, dst_ip, dst_port, details;

-- @finding ntlm_cleartext_http severity=medium confidence=high technique=T1040
SELECT 'NTLM login over HTTP in clear' AS title, coalesce(domainname || '\', '') || username AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ntlm WHERE message_type = 3 AND carrier = 'http' AND username IS NOT NULL AND dst_port NOT IN (5985, 5986) GROUP BY src_ip, dst_ip, dst_port, domainname, username, capture ORDER BY src_ip, dst_ip, dst_port, details;

-- @finding ntlm_known_challenge severity=high confidence=high technique=T1557.001
SELECT 'A server gives the challenge that capture tools give' AS title, '1122334455667788 as ' || coalesce(server_nb_computer_name, target_name, 'a nameless server') AS details, src_ip, src_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM ntlm WHERE message_type = 2 AND server_challenge = secret('1122334455667788') GROUP BY capture_id, src_ip, src_port, server_nb_computer_name, target_name ORDER BY src_ip, src_port, details;

-- @finding ntlm_tool_workstation severity=low confidence=low technique=T1550.002
SELECT 'A login in the manner of attack tools' AS title, 'workstation ' || hostname || ', account ' || coalesce(domainname || '\', '') || username AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ntlm WHERE message_type = 3 AND username IS NOT NULL AND hostname IN ('WORKSTATION', 'NULL') AND (version IS NULL OR version LIKE '0.0.%' OR version = '6.1.7600') GROUP BY src_ip, dst_ip, dst_port, hostname, domainname, username, capture ORDER BY src_ip, dst_ip, dst_port, details;

-- @finding ntlm_coercion severity=high confidence=high technique=T1187
WITH calls AS (SELECT capture_id, src_ip AS caller, dst_ip AS server, endpoint, coalesce(operation, 'operation ' || CAST(opnum AS VARCHAR)) AS operation, frame, ts FROM dcerpc
  WHERE ptype = 0 AND (endpoint = 'efsrpc' AND opnum IN (0, 4, 5, 6, 7, 12, 13) OR endpoint = 'spoolss' AND opnum IN (62, 65) OR endpoint = 'netdfs' AND opnum IN (12, 13) OR endpoint = 'FileServerVssAgent' AND opnum IN (8, 9)))
SELECT 'A server was made to log in to the host that asked it to' AS title, coalesce(n.domainname || '\', '') || n.username || ' by ' || n.carrier || ', after ' || array_to_string(array_sort(array_agg(DISTINCT c.endpoint || ' ' || c.operation)), ', ') AS details, c.caller AS src_ip, c.server AS dst_ip, count(DISTINCT n.frame) AS count, min(n.frame) AS frame, array_slice(array_sort(array_distinct(array_concat(array_agg(c.frame), array_agg(n.frame)))), 1, 20) AS frames, min(c.ts) AS ts, max(n.ts) AS end_ts, min(n.capture) AS capture
FROM ntlm n JOIN calls c ON c.capture_id = n.capture_id AND c.server = n.src_ip AND c.caller = n.dst_ip WHERE n.message_type = 3 AND n.username LIKE '%$' AND CAST(n.ts AS BIGINT) - CAST(c.ts AS BIGINT) BETWEEN 0 AND 60000000000
GROUP BY n.capture_id, n.domainname, n.username, n.carrier, c.caller, c.server ORDER BY c.caller, c.server, details;

-- @finding ntlm_signing_off severity=info confidence=high technique=T1557.001
WITH logins AS (SELECT capture_id, flow_id, carrier, min(src_ip) AS client, min(dst_ip) AS server, bool_or(coalesce(sign, false) OR coalesce(seal, false)) AS signs, min(frame) AS frame, min(ts) AS ts, min(capture) AS capture FROM ntlm WHERE message_type = 3 AND username IS NOT NULL AND success AND flow_id IS NOT NULL GROUP BY capture_id, flow_id, carrier),
-- Whoever requires signatures signs what follows the login.
shares AS (SELECT capture_id, flow_id, max(security_mode) AS mode, bool_or(coalesce(signed, false) OR coalesce(encrypted, false)) FILTER (WHERE command IS NULL OR command NOT IN ('negotiate', 'session_setup', 'session_setup_andx')) AS signed FROM smb GROUP BY capture_id, flow_id)
SELECT 'A server takes NTLM logins without signatures' AS title, array_to_string(array_sort(array_agg(DISTINCT l.carrier)), ', ') || ', ' || CAST(count(*) AS VARCHAR) || ' connections' AS details, l.server AS dst_ip, count(*) AS count, min(l.frame) AS frame, array_slice(array_sort(array_agg(l.frame)), 1, 20) AS frames, min(l.ts) AS ts, max(l.ts) AS end_ts, min(l.capture) AS capture
FROM logins l LEFT JOIN shares s ON s.capture_id = l.capture_id AND s.flow_id = l.flow_id WHERE l.carrier = 'smb' AND s.mode IN ('none', 'enabled') AND s.signed = false OR l.carrier = 'ldap' AND NOT l.signs GROUP BY l.capture_id, l.server ORDER BY l.server;
