-- @analyzer ftp
-- @group    it
-- @title    FTP ANALYSIS
-- @help     FTP sessions, logins, transfers

-- @section summary shape=facts
SELECT count(DISTINCT flow_id) AS sessions, count(DISTINCT CASE WHEN is_request THEN src_ip END) AS clients, count(DISTINCT CASE WHEN is_request THEN dst_ip END) AS servers, count(*) FILTER (WHERE is_request) AS commands,
  count(*) FILTER (WHERE reply_code BETWEEN 200 AND 399) AS "Replies ok", count(*) FILTER (WHERE reply_code >= 400) AS "Replies failed", count(*) FILTER (WHERE reply_code = 234) AS "TLS upgrades",
  (SELECT count(*) FROM ftp_transfers WHERE direction = 'upload') AS uploads, (SELECT count(*) FROM ftp_transfers WHERE direction = 'download') AS downloads, (SELECT count(*) FROM ftp_transfers WHERE direction = 'listing') AS listings,
  (SELECT CAST(coalesce(sum(size_bytes), 0) AS BIGINT) FROM ftp_transfers) AS transferred_bytes, min(ts) AS first, max(ts) AS last FROM ftp;

-- @section "Sessions" shape=table limit=20
WITH lines AS (SELECT capture_id, flow_id, min(ts) AS start, max(ts) AS stop, min(CASE WHEN is_request THEN src_ip ELSE dst_ip END) AS client, min(CASE WHEN is_request THEN dst_ip ELSE src_ip END) AS server, min(CASE WHEN is_request THEN dst_port ELSE src_port END) AS port,
    max("user") AS "user", bool_or(authenticated) AS ok, bool_or(reply_code = 530) AS refused, bool_or(reply_code = 234) AS tls, count(*) FILTER (WHERE is_request) AS commands, min(frame) AS frame FROM ftp GROUP BY capture_id, flow_id),
moved AS (SELECT capture_id, flow_id, count(*) AS transfers, sum(size_bytes) AS size FROM ftp_transfers GROUP BY capture_id, flow_id)
SELECT l.start, l.client, l.server || ':' || CAST(l.port AS VARCHAR) AS server, l."user", CASE WHEN l.ok THEN 'ok' WHEN l.refused THEN 'refused' ELSE '-' END AS login, l.tls, l.commands, coalesce(m.transfers, 0) AS transfers, CAST(coalesce(m.size, 0) AS BIGINT) AS moved_bytes
FROM lines l LEFT JOIN moved m ON m.capture_id = l.capture_id AND m.flow_id = l.flow_id ORDER BY l.start, l.frame;

-- @section "Transfers" shape=table limit=25
SELECT ts, src_ip AS client, dst_ip AS server, direction, coalesce(path, arg) AS path, size_bytes AS bytes, mime AS type, sha256, CASE WHEN passive THEN 'passive' ELSE 'active' END AS mode, reply_code AS reply FROM ftp_transfers ORDER BY ts, frame, path;

-- @section "Users" shape=table limit=15
SELECT username AS "user", secret, count(*) AS logins, count(*) FILTER (WHERE outcome = 'success') AS ok, count(*) FILTER (WHERE outcome = 'failure') AS failed, count(DISTINCT dst_ip) AS servers FROM credentials WHERE protocol = 'ftp' GROUP BY username, secret ORDER BY logins DESC, "user", min(ts), min(frame);

-- @section "Commands" shape=table limit=15
SELECT command, count(*) AS times, count(DISTINCT src_ip) AS clients FROM ftp WHERE is_request GROUP BY command ORDER BY times DESC, command;

-- @section "Servers" shape=table limit=15
SELECT src_ip AS server, src_port AS port, first_value(reply_msg ORDER BY frame) AS banner FROM ftp WHERE reply_code = 220 GROUP BY src_ip, src_port ORDER BY server, port;

-- @section "Directories" shape=table limit=15
SELECT cwd AS directory, count(*) AS commands, count(DISTINCT src_ip) AS clients FROM ftp WHERE is_request AND cwd IS NOT NULL GROUP BY cwd ORDER BY commands DESC, directory;

-- @section "Failures" shape=table limit=15
SELECT reply_code AS code, answers_command AS command, reply_msg AS text, count(*) AS times FROM ftp WHERE reply_code >= 400 GROUP BY reply_code, answers_command, reply_msg ORDER BY times DESC, code, command, text;

-- @section "Data channels" shape=table verbose
SELECT ts, src_ip AS client, data_src_ip AS opened_by, data_dst_ip AS listener, data_dst_port AS port, command, size_bytes AS bytes, data_flow_id IS NOT NULL AS seen FROM ftp_transfers ORDER BY ts, frame, port;

-- @section "Dialogue" shape=table verbose
SELECT ts, src_ip AS source, coalesce(command, CAST(reply_code AS VARCHAR)) AS word, coalesce(arg, secret_arg, reply_msg) AS text FROM ftp ORDER BY capture, frame, is_request;

-- @finding ftp_brute_force severity=high confidence=high technique=T1110.001
WITH tries AS (SELECT min(capture) AS capture, capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 600000000000 AS span, count(*) FILTER (WHERE outcome = 'failure') AS failed, count(*) FILTER (WHERE outcome = 'success') AS ok, array_to_string(array_slice(array_sort(array_agg(DISTINCT username)), 1, 5), ', ') AS users,
    min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts FROM credentials WHERE protocol = 'ftp' AND kind = 'password' GROUP BY capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 600000000000)
SELECT CASE WHEN sum(ok) > 0 THEN 'critical' ELSE 'high' END AS severity, 'Passwords are being guessed' AS title, CAST(sum(failed) AS VARCHAR) || ' refused logins as ' || min(users) || CASE WHEN sum(ok) > 0 THEN ', then one accepted' ELSE '' END AS details, src_ip, dst_ip, sum(failed) AS count,
  min(frame) AS frame, first_value(frames ORDER BY frame) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture FROM tries WHERE failed >= 10 GROUP BY capture_id, src_ip, dst_ip ORDER BY src_ip, dst_ip;

-- @finding ftp_spray severity=high confidence=high technique=T1110.003
SELECT 'One client tries many accounts' AS title, CAST(count(*) AS VARCHAR) || ' accounts refused: ' || array_to_string(array_slice(array_sort(array_agg(username)), 1, 6), ', ') AS details, src_ip, sum(n) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(since) AS ts, max(until) AS end_ts, min(capture) AS capture
FROM (SELECT min(capture) AS capture, capture_id, src_ip, username, CAST(ts AS BIGINT) / 900000000000 AS span, count(*) AS n, min(frame) AS frame, min(ts) AS since, max(ts) AS until FROM credentials WHERE protocol = 'ftp' AND outcome = 'failure' GROUP BY capture_id, src_ip, username, CAST(ts AS BIGINT) / 900000000000)
WHERE n <= 3 GROUP BY capture_id, src_ip, span HAVING count(*) >= 5 ORDER BY src_ip, frame;

-- @finding ftp_cleartext_login severity=medium confidence=high technique=T1040
SELECT CASE WHEN is_public(dst_ip) OR lower(username) IN ('root', 'administrator', 'admin') THEN 'high' ELSE 'medium' END AS severity, 'A login in clear was accepted' AS title, 'user ' || username AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM credentials WHERE protocol = 'ftp' AND kind = 'password' AND outcome = 'success' GROUP BY username, src_ip, dst_ip, capture ORDER BY src_ip, dst_ip, details;

-- @finding ftp_anonymous severity=low confidence=high technique=T1078
SELECT CASE WHEN is_public(c.dst_ip) THEN 'info' WHEN count(w.frame) > 0 THEN 'medium' ELSE 'low' END AS severity, 'Anybody may log in' AS title, 'user ' || min(c.username) || CASE WHEN count(w.frame) > 0 THEN ', and may write' ELSE '' END AS details, c.src_ip, c.dst_ip, max(c.dst_port) AS dst_port, count(DISTINCT c.frame) AS count,
  min(c.frame) AS frame, array_slice(array_sort(array_agg(DISTINCT c.frame)), 1, 20) AS frames, min(c.ts) AS ts, max(c.ts) AS end_ts, min(c.capture) AS capture
FROM credentials c LEFT JOIN ftp_transfers w ON w.capture_id = c.capture_id AND w.flow_id = c.flow_id AND w.direction = 'upload' AND w.reply_code < 300
WHERE c.protocol = 'ftp' AND c.kind = 'anonymous' AND c.outcome = 'success' GROUP BY c.capture_id, c.src_ip, c.dst_ip ORDER BY c.src_ip, c.dst_ip;

-- @finding ftp_bounce severity=high confidence=high technique=T1090
SELECT CASE WHEN min(data_port) < 1024 THEN 'critical' ELSE 'high' END AS severity, 'A client sends the server to a third host' AS title, array_to_string(array_slice(array_sort(array_agg(DISTINCT data_ip || ':' || CAST(data_port AS VARCHAR))), 1, 6), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture FROM ftp WHERE is_request AND data_ip_differs GROUP BY src_ip, dst_ip, capture ORDER BY src_ip, dst_ip;

-- @finding ftp_pasv_mismatch severity=low confidence=medium technique=T1557
SELECT CASE WHEN bool_or(is_public(data_ip)) THEN 'medium' ELSE 'low' END AS severity, 'A server sends its clients elsewhere' AS title, 'data at ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT data_ip)), 1, 6), ', ') AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture FROM ftp WHERE reply_code = 227 AND data_ip_differs GROUP BY dst_ip, src_ip, capture ORDER BY src_ip, dst_ip;

-- @finding ftp_site_exec severity=high confidence=medium technique=T1190,T1059
SELECT 'A SITE command that runs or copies files' AS title, min(arg) AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ftp WHERE is_request AND command = 'SITE' AND regexp_like(arg, '^(?i)(exec|cpfr|cpto|system)\b') GROUP BY src_ip, dst_ip, capture ORDER BY src_ip, dst_ip;

-- @finding ftp_traversal severity=high confidence=high technique=T1083,T1190
SELECT 'A path that climbs out of its directory' AS title, min(command || ' ' || arg) AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ftp WHERE is_request AND command IN ('RETR', 'STOR', 'CWD', 'SIZE', 'DELE', 'LIST', 'NLST') AND (arg LIKE '%../%' OR arg LIKE '%..\%' OR lower(arg) LIKE '%2e%2e%2f%') AND arg NOT IN ('..', '../') GROUP BY src_ip, dst_ip, capture ORDER BY src_ip, dst_ip;

-- @finding ftp_exploit_input severity=high confidence=medium technique=T1190
SELECT 'Input meant to break a server' AS title, CASE WHEN bool_or(arg LIKE '%:)') THEN 'user name ends in :), the back door of vsftpd 2.3.4' ELSE 'an argument of ' || CAST(max(greatest(coalesce(length(arg), 0), coalesce(length(secret_arg), 0))) AS VARCHAR) || ' characters' END AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ftp WHERE is_request AND ((command = 'USER' AND arg LIKE '%:)') OR length(arg) > 512 OR regexp_like(arg, '%[0-9]*\$?[nx]%[0-9]*\$?[nx]')) GROUP BY src_ip, dst_ip, capture ORDER BY src_ip, dst_ip;

-- @finding ftp_executable severity=medium confidence=high technique=T1105
SELECT 'A program was moved by FTP' AS title, direction || ' of ' || coalesce(path, arg) || ', ' || mime AS details, src_ip, dst_ip, frame, ts, capture FROM ftp_transfers WHERE mime IN ('application/vnd.microsoft.portable-executable', 'application/x-executable', 'application/x-elf', 'application/x-mach-binary', 'text/x-shellscript') OR mime LIKE '%executable%' ORDER BY capture, frame;

-- @finding ftp_exfil severity=high confidence=medium technique=T1048.003
SELECT 'Much was stored on a server outside' AS title, CAST(sum(size_bytes) AS VARCHAR) || ' bytes in ' || CAST(count(*) AS VARCHAR) || ' files' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM ftp_transfers WHERE direction = 'upload' AND is_public(dst_ip) AND NOT is_public(src_ip) GROUP BY capture_id, src_ip, dst_ip HAVING sum(size_bytes) >= 10000000 ORDER BY src_ip, dst_ip;

-- @finding ftp_scan severity=medium confidence=high technique=T1046
SELECT 'One client tries server after server' AS title, CAST(count(DISTINCT dst_ip) AS VARCHAR) || ' FTP servers within 5 minutes' AS details, src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM flows WHERE dst_port = 21 GROUP BY capture_id, src_ip, CAST(ts AS BIGINT) / 300000000000 HAVING count(DISTINCT dst_ip) >= 15 ORDER BY src_ip, frame;

-- @finding ftp_odd_port severity=low confidence=high technique=T1571
SELECT 'FTP on an unusual port' AS title, coalesce('server says ' || substr(min(CASE WHEN reply_code = 220 THEN reply_msg END), 1, 60), 'no greeting seen') AS details, min(CASE WHEN is_request THEN src_ip ELSE dst_ip END) AS src_ip, min(CASE WHEN is_request THEN dst_ip ELSE src_ip END) AS dst_ip, min(CASE WHEN is_request THEN dst_port ELSE src_port END) AS dst_port,
  count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture FROM ftp GROUP BY capture_id, flow_id HAVING min(CASE WHEN is_request THEN dst_port ELSE src_port END) NOT IN (21, 990, 2121) ORDER BY src_ip, dst_ip, frame;

-- @finding ftp_no_tls_after_auth severity=low confidence=high technique=T1040
SELECT 'A server refused encryption' AS title, 'AUTH answered ' || CAST(min(reply_code) AS VARCHAR) AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ftp WHERE answers_command = 'AUTH' AND reply_code >= 400 GROUP BY dst_ip, src_ip, capture ORDER BY src_ip, dst_ip;

-- @finding ftp_ot_device severity=medium confidence=medium technique=T0843,T0859
WITH acts AS (
  SELECT capture, capture_id, src_ip, dst_ip, dst_port, frame, ts, 'writes ' || coalesce(path, arg, 'a file') AS what FROM ftp_transfers WHERE direction = 'upload' AND coalesce(reply_code, 226) < 400
  UNION ALL SELECT capture, capture_id, src_ip, dst_ip, dst_port, frame, ts, 'reads ' || coalesce(path, arg) FROM ftp_transfers WHERE direction = 'download' AND coalesce(reply_code, 226) < 400 AND regexp_like(lower(coalesce(path, arg)), '[.](ini|cfg|conf|cnf|xml|json|ya?ml|bak|stu|sta|apx|s7p|ap1[0-9]|acd|l5x|prj|pro|zip)$|(^|[/\\])(config|conf|settings|passwd|shadow|webloader[.]ini|rc[.][a-z]+)')
  UNION ALL SELECT capture, capture_id, src_ip, dst_ip, dst_port, frame, ts, 'logs in as ' || coalesce(username, '?') FROM credentials WHERE protocol = 'ftp' AND outcome = 'success')
SELECT 'The files of a controller are worked on by FTP' AS title, a.dst_ip || ' is ' || min(o.kind) || '; ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT a.what)), 1, 4), ', ') AS details, a.src_ip, a.dst_ip, max(a.dst_port) AS dst_port, count(DISTINCT a.frame) AS count, min(a.frame) AS frame, array_slice(array_sort(array_agg(DISTINCT a.frame)), 1, 20) AS frames, min(a.ts) AS ts, max(a.ts) AS end_ts, min(a.capture) AS capture
FROM acts a JOIN ot_assets o ON o.capture_id = a.capture_id AND o.ip = a.dst_ip WHERE o.kind <> 'engineering_workstation' GROUP BY a.capture_id, a.src_ip, a.dst_ip ORDER BY a.src_ip, a.dst_ip;

-- @finding ftp_not_ftp severity=medium confidence=high technique=T1571
SELECT 'Something else on the port of FTP' AS title, service || ', ' || CAST(sum(orig_bytes) AS VARCHAR) || ' bytes sent, ' || CAST(sum(resp_bytes) AS VARCHAR) || ' received' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM odd_ports WHERE transport = 'tcp' AND dst_port = 21 GROUP BY capture_id, service, src_ip, dst_ip, dst_port ORDER BY src_ip, dst_ip, service;
