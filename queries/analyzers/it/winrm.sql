-- @analyzer winrm
-- @group    it
-- @title    WINDOWS REMOTE MANAGEMENT
-- @help     Windows Remote Management sessions and commands

-- @section summary shape=facts
SELECT count(*) AS exchanges, count(DISTINCT flow_id) AS connections, count(DISTINCT dst_ip) AS hosts, count(DISTINCT src_ip) AS clients, count(*) FILTER (WHERE encrypted) AS "Not readable", count(*) FILTER (WHERE command IS NOT NULL OR psrp_script IS NOT NULL) AS commands, array_to_string(array_sort(array_agg(DISTINCT auth_scheme)), ', ') AS logins, min(ts) AS first, max(ts) AS last FROM winrm;

-- @section "Sessions" shape=table limit=15
SELECT src_ip AS client, dst_ip AS server, dst_port AS port, max(username) AS account, max(auth_scheme) AS login, count(DISTINCT shell_id) AS shells, count(*) FILTER (WHERE command IS NOT NULL OR psrp_script IS NOT NULL) AS commands, sum(request_bytes) AS sent, sum(response_bytes) AS got, bool_and(encrypted) AS encrypted, min(ts) AS first, max(ts) AS last
FROM winrm GROUP BY src_ip, dst_ip, dst_port ORDER BY commands DESC, client, server, port;

-- @section "Operations" shape=table limit=30
SELECT action, resource_uri AS resource, count(*) AS exchanges, count(*) FILTER (WHERE status_code >= 400) AS failed FROM winrm GROUP BY action, resource_uri ORDER BY exchanges DESC, action, resource;

-- @section "Commands" shape=table limit=30
SELECT ts, src_ip AS client, dst_ip AS server, coalesce(psrp_script, command) AS command, username AS account, frame FROM winrm WHERE command IS NOT NULL OR psrp_script IS NOT NULL ORDER BY capture, frame;

-- @section "Output" shape=table limit=15
SELECT ts, src_ip AS client, dst_ip AS server, command_id AS command, substr(coalesce(stdout, stderr), 1, 200) AS output, exit_code AS exit, frame FROM winrm WHERE stdout IS NOT NULL OR stderr IS NOT NULL OR exit_code IS NOT NULL ORDER BY capture, frame;

-- @section "Queries" shape=table limit=15
SELECT ts, src_ip AS client, dst_ip AS server, wql AS query, resource_uri AS resource, frame FROM winrm WHERE wql IS NOT NULL ORDER BY capture, frame;

-- @section "Failures" shape=table limit=15
SELECT src_ip AS client, dst_ip AS server, status_code AS status, fault, count(*) AS count, min(frame) AS frame FROM winrm WHERE status_code >= 400 OR fault IS NOT NULL GROUP BY 1, 2, 3, 4 ORDER BY count DESC, frame;

-- @finding winrm_remote_shell severity=high confidence=high technique=T1021.006,T1059
SELECT 'Commands are run on another host' AS title, array_to_string(array_slice(array_sort(array_agg(DISTINCT coalesce(psrp_script, command))), 1, 4), '; ') AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM winrm WHERE command IS NOT NULL OR psrp_script IS NOT NULL GROUP BY capture, capture_id, src_ip, dst_ip, dst_port ORDER BY capture, frame;

-- @finding winrm_session severity=medium confidence=medium technique=T1021.006
SELECT 'A session of remote management' AS title, CAST(count(*) AS VARCHAR) || ' exchanges that cannot be read' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM winrm WHERE encrypted AND status_code < 400 GROUP BY capture, capture_id, src_ip, dst_ip, dst_port HAVING count(*) >= 5 ORDER BY capture, frame;

-- @finding winrm_clear_basic severity=high confidence=high technique=T1040
SELECT 'A password travels in clear' AS title, 'Basic, account ' || coalesce(max(username), '-') AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM winrm WHERE auth_scheme = 'basic' AND transport = 'http' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port ORDER BY capture, frame;

-- @finding winrm_clear_payload severity=medium confidence=high technique=T1040
SELECT 'Management travels in clear' AS title, array_to_string(array_sort(array_agg(DISTINCT action)), ', ') AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM winrm WHERE NOT encrypted AND action IS NOT NULL AND action <> 'identify' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port ORDER BY capture, frame;

-- @finding winrm_brute severity=high confidence=medium technique=T1110.001
SELECT 'Logins are refused again and again' AS title, CAST(count(*) AS VARCHAR) || ' within five minutes' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
-- A refusal without credentials only opens the login.
FROM winrm WHERE status_code = 401 AND auth_scheme = 'basic' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, CAST(ts AS BIGINT) / 300000000000 HAVING count(*) >= 5 ORDER BY capture, frame;

-- @finding winrm_suspicious_command severity=high confidence=medium technique=T1059.001
SELECT 'A command as attackers use it' AS title, coalesce(psrp_script, command) AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM winrm WHERE regexp_like(coalesce(psrp_script, command), '(?i)(-e(nc|ncodedcommand)?\s+[A-Za-z0-9+/=]{20})|(downloadstring|downloadfile|invoke-webrequest.*\|)|(mimikatz|lsass|sekurlsa)|(wevtutil\s+cl|clear-eventlog)') ORDER BY capture, frame;

-- @finding winrm_public severity=high confidence=high technique=T1133
SELECT 'Remote management across the internet' AS title, CAST(count(*) AS VARCHAR) || ' exchanges' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture FROM winrm WHERE is_public(src_ip) OR is_public(dst_ip) GROUP BY capture, capture_id, src_ip, dst_ip, dst_port ORDER BY capture, frame;

-- @finding winrm_fanout severity=medium confidence=medium technique=T1021.006
SELECT CASE WHEN count(DISTINCT dst_ip) >= 15 THEN 'high' ELSE 'medium' END AS severity, 'One host manages many' AS title, CAST(count(DISTINCT dst_ip) AS VARCHAR) || ' hosts within an hour: ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT dst_ip)), 1, 8), ', ') || coalesce('; as ' || max(username), '') AS details, src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
-- Who a host is may be asked without a login.
FROM winrm WHERE status_code BETWEEN 200 AND 299 AND coalesce(action, '') <> 'identify' AND is_private(src_ip) AND is_private(dst_ip) GROUP BY capture_id, src_ip, CAST(ts AS BIGINT) / 3600000000000 HAVING count(DISTINCT dst_ip) >= 5 ORDER BY src_ip, frame;

-- @finding winrm_ot severity=medium confidence=medium technique=T0886
SELECT 'Remote management of an industrial station' AS title, w.dst_ip || ' is ' || min(o.kind) || ', ' || CAST(count(DISTINCT w.frame) AS VARCHAR) || ' exchanges' AS details, w.src_ip, w.dst_ip, max(w.dst_port) AS dst_port, count(DISTINCT w.frame) AS count, min(w.frame) AS frame, array_slice(array_sort(array_agg(DISTINCT w.frame)), 1, 20) AS frames, min(w.ts) AS ts, max(w.ts) AS end_ts, min(w.capture) AS capture
FROM winrm w JOIN ot_assets o ON o.capture_id = w.capture_id AND o.ip = w.dst_ip GROUP BY w.capture_id, w.src_ip, w.dst_ip ORDER BY w.src_ip, w.dst_ip;
