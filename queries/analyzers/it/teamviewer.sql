-- @analyzer teamviewer
-- @group    it
-- @title    TEAMVIEWER AND OTHER REMOTE TOOLS
-- @help     TeamViewer sessions

-- @section summary shape=facts
SELECT count(*) FILTER (WHERE r.tool = 'TeamViewer') AS "TeamViewer connections", count(*) FILTER (WHERE r.evidence = 'datagrams between peers') AS "Of these between peers", (SELECT count(*) FROM teamviewer) AS commands, count(*) FILTER (WHERE r.tool <> 'TeamViewer') AS "Other tools' connections",
  array_to_string(array_sort(array_agg(DISTINCT r.tool)), ', ') AS tools, count(DISTINCT r.src_ip) AS hosts, sum(r.orig_bytes + r.resp_bytes) AS total_bytes, min(r.ts) AS first, max(r.end_ts) AS last FROM remote_tools r;

-- @section "Sessions" shape=table limit=15
SELECT src_ip AS client, dst_ip || ' ' || CAST(dst_port AS VARCHAR) || '/' || transport AS server, ts AS start, duration_s, orig_bytes AS up_bytes, resp_bytes AS down_bytes, evidence FROM remote_tools WHERE tool = 'TeamViewer' ORDER BY capture, frame;

-- @section "Commands" shape=table limit=15 if=teamviewer
SELECT transport, coalesce(command, CAST(command_code AS VARCHAR)) AS command, src_ip AS "From", dst_ip AS "To", count(*) AS messages, sum(length_bytes) AS bytes, count(*) FILTER (WHERE encrypted) AS random FROM teamviewer GROUP BY transport, command, command_code, src_ip, dst_ip ORDER BY messages DESC, transport, command, "From", "To";

-- @section "Other remote tools" shape=table limit=15
SELECT tool, src_ip AS client, dst_ip || ' ' || CAST(dst_port AS VARCHAR) AS server, coalesce(name, '-') AS name, evidence, duration_s, orig_bytes AS up_bytes, resp_bytes AS down_bytes FROM remote_tools WHERE tool <> 'TeamViewer' ORDER BY capture, frame;

-- @section "Names asked for" shape=table limit=15 if=dns
SELECT lower(query) AS name, src_ip AS client, count(*) AS queries, min(frame) AS frame FROM dns WHERE NOT is_response AND regexp_like(lower(query), '(^|[.])(teamviewer|anydesk|rustdesk|screenconnect|splashtop|logmein|logmeininc|logmeinrescue|gotoassist)[.]com$|^remotedesktop([.]google|-pa[.]googleapis)[.]com$')
GROUP BY lower(query), src_ip ORDER BY queries DESC, name, client;

-- @finding remote_tool_present severity=low confidence=high technique=T1219
WITH plant AS (SELECT DISTINCT capture_id, ip FROM (SELECT capture_id, src_ip AS ip FROM flows WHERE service IN ('modbus', 's7comm', 'dnp3', 'iec104', 'mms', 'enip', 'bacnet') UNION SELECT capture_id, dst_ip AS ip FROM flows WHERE service IN ('modbus', 's7comm', 'dnp3', 'iec104', 'mms', 'enip', 'bacnet')))
SELECT CASE WHEN bool_or(p.ip IS NOT NULL) THEN 'medium' ELSE 'low' END AS severity, r.tool || ' is in use' AS title, 'by ' || array_to_string(array_sort(array_agg(DISTINCT r.evidence)), ', ') AS details, r.src_ip, r.dst_ip, max(r.dst_port) AS dst_port, count(*) AS count, min(r.frame) AS frame, array_slice(array_sort(array_agg(r.frame)), 1, 20) AS frames, min(r.ts) AS ts, max(r.end_ts) AS end_ts, min(r.capture) AS capture
FROM remote_tools r LEFT JOIN plant p ON p.capture_id = r.capture_id AND p.ip IN (r.src_ip, r.dst_ip) GROUP BY r.capture_id, r.tool, r.src_ip, r.dst_ip ORDER BY r.src_ip, r.dst_ip, r.tool;

-- @finding remote_tool_session severity=medium confidence=medium technique=T1219
SELECT 'A session of ' || tool AS title, CAST(CAST(round(duration_s) AS BIGINT) AS VARCHAR) || ' s, ' || CAST(CAST((orig_bytes + resp_bytes) / 1000 AS BIGINT) AS VARCHAR) || ' kB, ' || evidence AS details, src_ip, dst_ip, src_port, dst_port, frame, ts, end_ts, capture
FROM remote_tools WHERE (evidence = 'datagrams between peers' OR (duration_s > 60 AND orig_bytes + resp_bytes > 100000)) ORDER BY capture, frame;

-- @finding remote_tool_long severity=info confidence=high technique=T1219
SELECT 'A session of ' || tool || ' for hours' AS title, CAST(round(duration_s / 3600, 1) AS VARCHAR) || ' h' AS details, src_ip, dst_ip, dst_port, frame, ts, end_ts, capture FROM remote_tools WHERE duration_s >= 28800 ORDER BY capture, frame;

-- @finding remote_tool_exfil severity=medium confidence=medium technique=T1048
SELECT 'Much data left through ' || tool AS title, CAST(orig_bytes / 1000000 AS VARCHAR) || ' MB up, ' || CAST(resp_bytes / 1000000 AS VARCHAR) || ' MB down' AS details, src_ip, dst_ip, dst_port, frame, ts, end_ts, capture
FROM remote_tools WHERE is_public(dst_ip) AND NOT is_public(src_ip) AND ((orig_bytes >= 10000000 AND orig_bytes >= 4 * resp_bytes) OR orig_bytes >= 50000000) ORDER BY capture, frame;

-- @finding remote_tool_odd_port severity=info confidence=high technique=T1571
SELECT 'TeamViewer on an unusual port' AS title, evidence AS details, src_ip, dst_ip, dst_port, frame, ts, end_ts, capture FROM remote_tools WHERE evidence = 'its own commands' AND dst_port NOT IN (5938, 80, 443) ORDER BY capture, frame;
