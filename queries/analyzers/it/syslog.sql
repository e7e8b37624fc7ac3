-- @analyzer syslog
-- @group    it
-- @title    SYSLOG ANALYSIS
-- @help     Syslog sources and messages

-- @section summary shape=facts
SELECT count(*) AS messages, count(DISTINCT src_ip) AS sources, count(DISTINCT dst_ip) AS collectors, count(DISTINCT hostname) AS hostnames, count(DISTINCT app_name) AS applications,
  count(*) FILTER (WHERE proto = 'udp') AS udp, count(*) FILTER (WHERE proto = 'tcp') AS tcp, array_to_string(array_sort(array_agg(DISTINCT format)), ', ') AS formats,
  count(*) FILTER (WHERE severity_code <= 3) AS errors_and_worse, min(ts) AS first, max(ts) AS last FROM syslog;

-- @section "Sources" shape=table limit=15
SELECT src_ip AS source, array_to_string(array_slice(array_sort(array_agg(DISTINCT hostname)), 1, 3), ', ') AS hostnames, array_to_string(array_slice(array_sort(array_agg(DISTINCT app_name)), 1, 4), ', ') AS applications, count(*) AS messages,
  first_value(severity ORDER BY severity_code NULLS LAST) AS worst FROM syslog GROUP BY src_ip ORDER BY messages DESC, source;

-- @section "Collectors" shape=table limit=15
SELECT dst_ip AS collector, dst_port AS port, array_to_string(array_sort(array_agg(DISTINCT proto)), ', ') AS transport, count(DISTINCT src_ip) AS sources, count(*) AS messages, is_public(dst_ip) AS public FROM syslog GROUP BY dst_ip, dst_port ORDER BY messages DESC, collector, port;

-- @section "Facility by severity" shape=table
SELECT facility, count(*) FILTER (WHERE severity_code = 0) AS emerg, count(*) FILTER (WHERE severity_code = 1) AS alert, count(*) FILTER (WHERE severity_code = 2) AS crit, count(*) FILTER (WHERE severity_code = 3) AS err,
  count(*) FILTER (WHERE severity_code = 4) AS warning, count(*) FILTER (WHERE severity_code = 5) AS notice, count(*) FILTER (WHERE severity_code = 6) AS info, count(*) FILTER (WHERE severity_code = 7) AS debug
FROM syslog WHERE facility IS NOT NULL GROUP BY facility_code, facility ORDER BY facility_code;

-- @section "Applications" shape=table limit=15
SELECT app_name AS application, count(*) AS messages, count(DISTINCT src_ip) AS sources, first_value(severity ORDER BY severity_code NULLS LAST) AS worst FROM syslog WHERE app_name IS NOT NULL GROUP BY app_name ORDER BY messages DESC, application;

-- @section "Message templates" shape=table limit=15
SELECT count(*) AS messages, count(DISTINCT src_ip) AS sources, first_value(severity ORDER BY severity_code NULLS LAST) AS worst, template
FROM (SELECT *, regexp_replace(regexp_replace(message, '^([A-Z][a-z]{2} +[0-9]+ [0-9:.]+|[0-9]{4}-[0-9T:.+Z-]+) *', ''), '[0-9]+', '#', 'g') AS template FROM syslog WHERE message IS NOT NULL)
GROUP BY template ORDER BY messages DESC, template;

-- @section "Errors by hour" shape=table limit=24
SELECT date_trunc('hour', ts) AS hour, count(*) AS messages, count(*) FILTER (WHERE severity_code <= 3) AS errors FROM syslog GROUP BY date_trunc('hour', ts) HAVING count(*) FILTER (WHERE severity_code <= 3) > 0 ORDER BY hour;

-- @section "Messages" shape=table verbose
SELECT ts, src_ip AS source, facility, severity, hostname, app_name AS application, message FROM syslog ORDER BY capture, frame;

-- @finding syslog_auth_failures severity=medium confidence=high technique=T1110
SELECT 'Logins fail again and again' AS title, CAST(count(*) AS VARCHAR) || ' failed logins on ' || coalesce(host, src_ip) || ' within ten minutes, such as: ' || substr(min(message), 1, 100) AS details, src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM (SELECT *, hostname AS host FROM syslog WHERE regexp_like(lower(message), '(failed password|authentication failure|login failed|failed login|invalid user|sec_login-4|failed su for|su: .*failed|logon failure)'))
GROUP BY capture_id, src_ip, host, CAST(ts AS BIGINT) / 600000000000 HAVING count(*) >= 10 ORDER BY src_ip, frame;

-- @finding syslog_auth_after_failures severity=high confidence=medium technique=T1110
WITH failed AS (SELECT capture_id, src_ip, regexp_replace(message, '.*(?:for|user) (?:invalid user )?([A-Za-z0-9._-]+).*', '\1') AS account, count(*) AS n, min(frame) AS frame, CAST(max(ts) AS BIGINT) AS until, min(ts) AS ts FROM syslog WHERE regexp_like(message, 'Failed password for') GROUP BY 1, 2, 3 HAVING count(*) >= 5),
good AS (SELECT capture, capture_id, src_ip, regexp_replace(message, '.*Accepted [a-z/-]+ for ([A-Za-z0-9._-]+).*', '\1') AS account, frame, ts FROM syslog WHERE regexp_like(message, 'Accepted [a-z/-]+ for '))
SELECT 'A login succeeded after many failures' AS title, g.account || ': ' || CAST(f.n AS VARCHAR) || ' failures, then accepted' AS details, g.src_ip, f.n + 1 AS count, g.frame, make_array(f.frame, g.frame) AS frames, f.ts, g.ts AS end_ts, g.capture
FROM good g JOIN failed f ON f.capture_id = g.capture_id AND f.src_ip = g.src_ip AND f.account = g.account WHERE CAST(g.ts AS BIGINT) BETWEEN f.until AND f.until + 600000000000 ORDER BY g.src_ip, g.frame;

-- @finding syslog_log_cleared severity=high confidence=medium technique=T1070.001,T1562
SELECT 'A log was cleared or switched off' AS title, substr(message, 1, 140) AS details, src_ip, dst_ip, frame, ts, capture FROM syslog
WHERE regexp_like(lower(message), '(audit log was cleared|event log.*cleared|logging (is )?disabled|no logging (on|host|buffered)|clear logging)') ORDER BY capture, frame;

-- @finding syslog_config_change severity=low confidence=high technique=T1601
SELECT 'A device was configured' AS title, substr(min(message), 1, 140) AS details, src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM syslog WHERE regexp_like(message, '(SYS-5-CONFIG_I|UI_COMMIT|configuration (was )?changed|config changed)') GROUP BY src_ip, capture ORDER BY src_ip;

-- @finding syslog_web_attack severity=medium confidence=medium technique=T1190
SELECT 'A sensor raised an alarm' AS title, substr(regexp_replace(message, '^.*(\[[0-9]+:[0-9]+:[0-9]+\])', '\1'), 1, 140) AS details, src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM syslog WHERE regexp_like(message, '\[[0-9]+:[0-9]+:[0-9]+\].*\[Priority: [12]\]') GROUP BY src_ip, details, capture ORDER BY src_ip, details;

-- @finding syslog_severe severity=low confidence=high
SELECT 'Messages of the worst kind' AS title, severity || ': ' || substr(min(message), 1, 120) AS details, src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM (SELECT *, regexp_replace(regexp_replace(message, '^([A-Z][a-z]{2} +[0-9]+ [0-9:.]+|[0-9]{4}-[0-9T:.+Z-]+) *', ''), '[0-9]+', '#', 'g') AS template FROM syslog WHERE severity_code <= 2) GROUP BY capture_id, src_ip, severity, template ORDER BY src_ip, details;

-- @finding syslog_public severity=medium confidence=high technique=T1040
SELECT 'Logs travel the internet in clear' AS title, CAST(count(*) AS VARCHAR) || ' messages' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM syslog WHERE proto <> 'tls' AND is_private(src_ip) <> is_private(dst_ip) AND (is_public(src_ip) OR is_public(dst_ip)) GROUP BY src_ip, dst_ip, dst_port, capture ORDER BY src_ip, dst_ip, dst_port;

-- @finding syslog_spoof severity=low confidence=medium technique=T1565
SELECT 'A message names another host than its sender' AS title, hostname || ' in messages of ' || src_ip AS details, src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM (SELECT s.*, r.names FROM syslog s JOIN (SELECT capture_id AS cid, src_ip AS sip, count(DISTINCT hostname) AS names FROM syslog GROUP BY capture_id, src_ip) r ON r.cid = s.capture_id AND r.sip = s.src_ip)
WHERE regexp_like(CAST(hostname AS VARCHAR), '^[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+$') AND hostname <> src_ip AND names < 5 GROUP BY capture_id, src_ip, hostname ORDER BY src_ip, hostname;

-- @finding syslog_injection severity=medium confidence=medium technique=T1190
SELECT 'An attack inside a log message' AS title, substr(message, 1, 140) AS details, src_ip, dst_ip, frame, ts, capture FROM syslog
WHERE regexp_like(lower(message), '(\$\{jndi:|\(\) *\{ *:;|\x1b\[[0-9;]*[a-z])') ORDER BY capture, frame;

-- @finding syslog_gap severity=info confidence=medium technique=T1562.001
WITH gaps AS (SELECT capture, capture_id, src_ip, dst_ip, frame, ts, lag(frame) OVER w AS before_frame, lag(ts) OVER w AS before, CAST(ts AS BIGINT) - CAST(lag(ts) OVER w AS BIGINT) AS gap FROM syslog WINDOW w AS (PARTITION BY capture_id, src_ip ORDER BY ts, frame)),
usual AS (SELECT capture_id, src_ip, median(gap) AS gap, count(*) AS n FROM gaps WHERE gap IS NOT NULL GROUP BY capture_id, src_ip HAVING count(*) >= 20 AND median(gap) >= 1000000000)
SELECT 'A source of logs fell silent' AS title, 'nothing for ' || CAST(round(max(g.gap) / 1e9) AS VARCHAR) || ' s, else every ' || CAST(round(min(u.gap) / 1e9, 1) AS VARCHAR) || ' s' AS details, g.src_ip, min(g.dst_ip) AS dst_ip, count(*) FILTER (WHERE g.gap > 10 * u.gap) AS count, min(g.before_frame) FILTER (WHERE g.gap > 10 * u.gap) AS frame, array_slice(array_agg(g.before_frame ORDER BY g.frame) FILTER (WHERE g.gap > 10 * u.gap), 1, 20) AS frames, min(g.before) FILTER (WHERE g.gap > 10 * u.gap) AS ts, max(g.ts) FILTER (WHERE g.gap > 10 * u.gap) AS end_ts, min(g.capture) AS capture
FROM gaps g JOIN usual u ON u.capture_id = g.capture_id AND u.src_ip = g.src_ip GROUP BY g.capture_id, g.src_ip
-- Regular are messages of which few come later than twice the usual.
HAVING count(*) FILTER (WHERE g.gap > 10 * u.gap) > 0 AND count(*) FILTER (WHERE g.gap > 2 * u.gap) * 10 <= max(u.n) ORDER BY g.src_ip;
