-- @analyzer telnet
-- @group    it
-- @title    TELNET ANALYSIS
-- @help     Telnet sessions, logins, commands

-- @section summary shape=facts
SELECT count(DISTINCT flow_id) AS sessions, count(DISTINCT CASE WHEN direction = 'client' THEN src_ip END) AS clients, count(DISTINCT CASE WHEN direction = 'client' THEN dst_ip END) AS servers, count(*) FILTER (WHERE event = 'password') AS logins,
  count(*) FILTER (WHERE login_result = 'success') AS "Logins ok", count(*) FILTER (WHERE login_result = 'failure') AS "Logins failed", count(*) FILTER (WHERE event = 'line' AND direction = 'client') AS "Lines typed", min(ts) AS first, max(ts) AS last FROM telnet;

-- @section "Sessions" shape=table limit=15
WITH said AS (SELECT capture_id, flow_id, max(CASE WHEN option = 'terminal_type' THEN value END) AS terminal, max(CASE WHEN event IN ('login', 'password') THEN username END) AS "user", max(login_result) AS login, count(*) FILTER (WHERE event = 'line' AND direction = 'client') AS lines FROM telnet GROUP BY capture_id, flow_id)
SELECT f.ts AS start, f.src_ip AS client, f.dst_ip AS server, f.dst_port AS port, s.terminal, s."user", s.login, s.lines, f.orig_bytes AS sent_bytes, f.resp_bytes AS received_bytes, f.duration_s
FROM said s JOIN flows f ON f.capture_id = s.capture_id AND f.flow_id = s.flow_id ORDER BY f.ts, f.frame;

-- @section "Logins" shape=table limit=20
SELECT ts, src_ip AS client, dst_ip AS server, username AS "user", secret, outcome, frame FROM credentials WHERE protocol = 'telnet' ORDER BY capture, frame;

-- @section "Typed" shape=table limit=25
SELECT ts, src_ip AS client, dst_ip AS server, text, frame FROM telnet WHERE event = 'line' AND direction = 'client' ORDER BY capture, frame, text;

-- @section "Options" shape=table limit=20
SELECT option, array_to_string(array_sort(array_agg(DISTINCT command)), ', ') AS commands, array_to_string(array_slice(array_sort(array_agg(DISTINCT value)), 1, 5), ', ') AS "values", count(*) AS times FROM telnet WHERE option_code IS NOT NULL GROUP BY option_code, option ORDER BY times DESC, option;

-- @section "Transcript" shape=table verbose
SELECT ts, direction AS "from", CASE event WHEN 'login' THEN username WHEN 'password' THEN password ELSE text END AS text, frame FROM telnet WHERE event IN ('line', 'login', 'password') AND NOT coalesce(is_echo, false) ORDER BY capture, flow_id, frame;

-- @finding telnet_clear_login severity=medium confidence=high technique=T1040,T1021
SELECT CASE WHEN bool_or(outcome = 'success') THEN 'high' ELSE 'medium' END AS severity, 'A login in clear' AS title, coalesce('user ' || max(username), 'no name seen') || CASE WHEN bool_or(outcome = 'success') THEN ', accepted' ELSE '' END AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture FROM credentials WHERE protocol = 'telnet' GROUP BY src_ip, dst_ip, username, capture ORDER BY src_ip, dst_ip, details;

-- @finding telnet_brute severity=high confidence=high technique=T1110.001
SELECT 'Passwords are being guessed' AS title, CAST(count(*) AS VARCHAR) || ' refused logins within 5 minutes' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM credentials WHERE protocol = 'telnet' AND outcome = 'failure' GROUP BY capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 300000000000 HAVING count(*) >= 10 ORDER BY src_ip, dst_ip, frame;

-- @finding telnet_default_password severity=high confidence=high technique=T1078.001,T0812
SELECT 'A password that every bot knows was accepted' AS title, 'user ' || username AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM credentials WHERE protocol = 'telnet' AND outcome = 'success'
  AND username IN ('root', 'admin', 'user', 'guest', 'support', 'administrator', 'default', 'service', 'tech', 'ubnt', 'pi') AND (secret IN (secret('xc3511'), secret('vizxv'), secret('admin'), secret('password'), secret('root'), secret('12345'), secret('123456'), secret('888888'), secret('default'), secret('juantech'), secret('54321'), secret('support'),
  secret('1234'), secret('user'), secret('guest'), secret('ubnt'), secret('raspberry'), secret('anko'), secret('zlxx.'), secret('7ujMko0vizxv'), secret('7ujMko0admin'), secret('system'), secret('ikwb'), secret('dreambox'), secret('realtek'), secret('1111'), secret('666666'), secret('klv123'), secret('Zte521'), secret('hi3518'), secret('jvbzd'), secret('')))
ORDER BY capture, frame;

-- @finding telnet_bot severity=high confidence=high technique=T1059.004,T1105
SELECT 'Commands of a bot' AS title, array_to_string(array_slice(array_agg(text ORDER BY frame), 1, 5), '; ') AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM telnet WHERE event = 'line' AND direction = 'client' AND regexp_like(text, '/bin/busybox [A-Z]{3,}|(tftp|wget|curl) .*(-g|http)|cat /proc/mounts|chmod (\+x|777) ') GROUP BY capture_id, flow_id, src_ip, dst_ip, capture ORDER BY src_ip, dst_ip, frame;

-- @finding telnet_env_injection severity=critical confidence=high technique=T1190
SELECT 'A client passes options to the login program' AS title, value AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM telnet WHERE option IN ('new_environ', 'environment') AND direction = 'client' AND regexp_like(value, '(^| )USER=-f|(^| )LD_[A-Z]+=') ORDER BY capture, frame;

-- @finding telnet_public severity=medium confidence=high technique=T1133
SELECT 'Telnet across the border' AS title, CAST(count(*) AS VARCHAR) || ' sessions' AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM flows WHERE service = 'telnet' AND ((is_public(src_ip) AND is_private(dst_ip)) OR (is_private(src_ip) AND is_public(dst_ip))) GROUP BY src_ip, dst_ip, capture ORDER BY src_ip, dst_ip;

-- @finding telnet_odd_port severity=low confidence=high technique=T1571
SELECT 'Telnet on an unusual port' AS title, CAST(count(*) AS VARCHAR) || ' sessions' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM flows WHERE service = 'telnet' AND dst_port NOT IN (23, 2323, 10023, 992) GROUP BY src_ip, dst_ip, dst_port, capture ORDER BY src_ip, dst_ip, dst_port;

-- @finding telnet_ot_console severity=medium confidence=medium technique=T0886
WITH banners AS (SELECT capture_id, flow_id, min(text) AS text FROM telnet WHERE event = 'line' AND direction = 'server' AND NOT coalesce(is_echo, false)
    AND regexp_like(lower(text), '\b(plc|rtu|hmi|scada)\b|serial (device )?server|device server|terminal server|protocol converter|simatic|siprotec|scalance|ruggedcom|modicon|schneider electric|allen-bradley|rockwell|controllogix|micrologix|compactlogix|moxa|nport|lantronix|digi (one|connect|portserver)|perle|wago|beckhoff|phoenix contact|schweitzer|\bsel-[0-9]|abb (ret|ref|rel)|ge (multilin|fanuc)|honeywell|yokogawa|emerson|red lion|westermo|hirschmann') GROUP BY capture_id, flow_id)
SELECT 'A console of industrial equipment is used in clear' AS title, coalesce('the server says: ' || substr(min(b.text), 1, 100), f.dst_ip || ' is ' || min(o.kind)) AS details, f.src_ip, f.dst_ip, max(f.dst_port) AS dst_port, count(DISTINCT f.flow_id) AS count, min(f.frame) AS frame, array_slice(array_sort(array_agg(DISTINCT f.frame)), 1, 20) AS frames, min(f.ts) AS ts, max(f.end_ts) AS end_ts, min(f.capture) AS capture
FROM flows f LEFT JOIN banners b ON b.capture_id = f.capture_id AND b.flow_id = f.flow_id LEFT JOIN ot_assets o ON o.capture_id = f.capture_id AND o.ip = f.dst_ip WHERE f.service = 'telnet' AND f.resp_bytes > 0 AND (b.flow_id IS NOT NULL OR o.ip IS NOT NULL) GROUP BY f.capture_id, f.src_ip, f.dst_ip ORDER BY f.src_ip, f.dst_ip;

-- @finding telnet_data_transfer severity=medium confidence=medium technique=T1048.003
SELECT 'A file travels as text' AS title, CAST(sum(length(text)) AS VARCHAR) || ' characters of ' || kind || ' from the ' || direction AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM (SELECT *, CASE WHEN regexp_like(text, '^([0-9A-Fa-f]{2}[ :]?){20,}$') OR regexp_like(text, '^([\\]x[0-9A-Fa-f]{2}){10,}') THEN 'hexadecimal' WHEN regexp_like(text, '^M[ -`]{60}$') THEN 'uuencode' WHEN regexp_like(text, '^[A-Za-z0-9+/]{40,}={0,2}$') AND regexp_like(text, '[A-Z]') AND regexp_like(text, '[a-z]') AND regexp_like(text, '[0-9]') THEN 'base64' END AS kind
  FROM telnet WHERE event = 'line' AND NOT coalesce(is_echo, false) AND length(text) >= 40)
WHERE kind IS NOT NULL GROUP BY capture_id, flow_id, direction, kind, src_ip, dst_ip HAVING sum(length(text)) > 10240 ORDER BY src_ip, dst_ip, frame;
