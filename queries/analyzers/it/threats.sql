-- @analyzer threats
-- @group    it
-- @title    THREATS
-- @help     All findings together, most severe first

-- @section summary shape=facts
SELECT CASE min(rank) WHEN 0 THEN 'CRITICAL: ' WHEN 1 THEN 'HIGH: ' WHEN 2 THEN 'MEDIUM: ' WHEN 3 THEN 'LOW: ' WHEN 4 THEN 'INFO: ' ELSE '' END || coalesce(first_value(title ORDER BY rank, ts, frame, detection) || coalesce(' (' || first_value(src_ip ORDER BY rank, ts, frame, detection) || ')', ''), 'nothing was found') AS verdict,
  count(*) FILTER (WHERE rank = 0) AS critical, count(*) FILTER (WHERE rank = 1) AS high, count(*) FILTER (WHERE rank = 2) AS medium, count(*) FILTER (WHERE rank = 3) AS low, count(*) FILTER (WHERE rank = 4) AS info, count(DISTINCT src_ip) FILTER (WHERE rank <= 2) AS "hosts that act", min(ts) FILTER (WHERE rank <= 2) AS first, max(end_ts) FILTER (WHERE rank <= 2) AS last
FROM merged_findings;

-- @section "Hosts at risk" shape=table limit=15
WITH named AS (
  SELECT src_ip AS host, 'actor' AS role, coalesce(dst_ip, '') AS pair, detection, severity, rank, weight, techniques, ts, end_ts FROM merged_findings WHERE src_ip IS NOT NULL
  UNION ALL SELECT dst_ip, 'target', coalesce(src_ip, ''), detection, severity, rank, weight, techniques, ts, end_ts FROM merged_findings WHERE dst_ip IS NOT NULL AND (src_ip IS NULL OR src_ip <> dst_ip)),
once AS (SELECT host, role, pair, detection, min(rank) AS rank, max(weight) AS weight, count(*) AS n, min(array_to_string(techniques, ' ')) AS techniques, min(ts) AS ts, max(end_ts) AS end_ts FROM named WHERE rank < 4 GROUP BY host, role, pair, detection)
SELECT host, round(100 * (1 - exp(sum(ln(1 - weight))))) AS score, array_element(ARRAY['critical', 'high', 'medium', 'low', 'info'], 1 + min(rank)) AS worst, sum(n) FILTER (WHERE role = 'actor') AS "as actor", sum(n) FILTER (WHERE role = 'target') AS "as target", array_to_string(array_sort(array_agg(DISTINCT nullif(techniques, ''))), ' ') AS techniques, min(ts) AS first, max(end_ts) AS last
FROM once GROUP BY host ORDER BY score DESC, min(rank), host;

-- @section "Critical and high" shape=findings
SELECT severity, confidence, title, details || coalesce('; also ' || also, '') AS details, src_ip, dst_ip, count, frame, frames, techniques, ts, end_ts, detection, source, capture FROM merged_findings WHERE rank <= 1 ORDER BY rank, ts, frame, detection, src_ip, dst_ip, details, capture;

-- @section "Medium" shape=table limit=20
SELECT ts AS first, title, src_ip AS actor, dst_ip AS target, count, array_to_string(array_slice(frames, 1, 3), ', ') AS "evidence frames", array_to_string(techniques, ' ') AS techniques, details FROM merged_findings WHERE rank = 2 ORDER BY ts, frame, detection, src_ip, dst_ip, details, capture;

-- @section "Low and info" shape=table limit=20
SELECT severity, detection, title, count(*) AS findings, count(DISTINCT src_ip) AS hosts, min(ts) AS first FROM merged_findings WHERE rank >= 3 GROUP BY severity, rank, detection, title ORDER BY rank, findings DESC, detection, title;

-- @section "All low and info" shape=table verbose
SELECT severity, title, src_ip AS actor, dst_ip AS target, count, details, array_to_string(array_slice(frames, 1, 5), ', ') AS "evidence frames", ts AS first FROM merged_findings WHERE rank >= 3 ORDER BY rank, ts, frame, detection, src_ip, dst_ip, details, capture;

-- @section "Chains" shape=table limit=15
-- A day's tactics of one host, in the order of their first evidence.
SELECT host, count(*) AS tactics, array_to_string(array_agg(tactic ORDER BY ts, tactic), ' > ') AS chain, min(ts) AS first, max(ts) AS last FROM (
  SELECT src_ip AS host, tactic, min(ts) AS ts, CAST(min(ts) AS BIGINT) AS t FROM finding_tactics WHERE src_ip IS NOT NULL AND rank <= 2 AND tactic <> 'unknown' GROUP BY src_ip, tactic)
GROUP BY host HAVING count(*) >= 3 AND max(t) - min(t) <= 86400000000000 ORDER BY tactics DESC, host;

-- @section "Industrial view" shape=table limit=20
SELECT severity, technique, technique_name AS name, tactic, src_ip AS actor, dst_ip AS target, title, ts AS first FROM finding_tactics WHERE matrix = 'ics' AND rank <= 3 ORDER BY rank, ts, frame, technique, tactic, src_ip, dst_ip, capture;

-- @section "Per capture" shape=table limit=30
SELECT capture, detection, src_ip AS host, count(*) AS findings, array_element(ARRAY['critical', 'high', 'medium', 'low', 'info'], 1 + min(rank)) AS worst FROM merged_findings WHERE rank <= 2 AND capture IS NOT NULL GROUP BY capture, detection, src_ip ORDER BY min(rank), capture, detection, host;

-- @finding chain_credential_lateral severity=high confidence=medium technique=T1078
WITH gained AS (SELECT capture_id, capture, src_ip, username, min(frame) AS frame, min(CAST(ts AS BIGINT)) AS t FROM (
    SELECT capture_id, capture, src_ip, lower(username) AS username, frame, ts FROM credentials WHERE username IS NOT NULL AND username <> '' AND kind IN ('password', 'basic', 'form', 'digest')) GROUP BY capture_id, capture, src_ip, username)
SELECT 'A login in clear, then a login elsewhere with the same account' AS title, g.username || ' at frame ' || CAST(g.frame AS VARCHAR) || ', then ' || array_to_string(array_sort(array_agg(DISTINCT m.path)), ', ') AS details, m.src_ip, min(m.dst_ip) AS dst_ip, count(*) AS count, min(m.frame) AS frame, array_slice(array_sort(array_agg(DISTINCT m.frame)), 1, 20) AS frames, min(m.ts) AS ts, max(m.ts) AS end_ts, min(m.capture) AS capture
FROM gained g JOIN smb_mappings m ON m.capture_id = g.capture_id AND m.src_ip = g.src_ip AND lower(m.username) = g.username AND m.is_admin AND m.status_code = 0 AND CAST(m.ts AS BIGINT) BETWEEN g.t AND g.t + 86400000000000
GROUP BY g.capture_id, g.username, g.frame, m.src_ip ORDER BY frame;

-- @finding chain_it_to_ot severity=critical confidence=medium technique=T0886,T0859
-- A host was reached from elsewhere, then commands a controller that it had never spoken to. Where the controller was served for long
-- without it, it is a newcomer (ot_new_commander); else the login itself must come before the first word between the two, and others must
-- have spoken to the controller before the login.
WITH entered AS (SELECT capture_id, dst_ip AS host, min(CAST(ts AS BIGINT)) AS t, min(frame) AS frame, first_value(src_ip ORDER BY ts, frame) AS by_ip, min(dst_port) AS port, min(CAST(ts AS BIGINT)) FILTER (WHERE history LIKE 'S%') AS begun FROM flows WHERE transport = 'tcp' AND dst_port IN (22, 23, 445, 3389, 5900, 5985, 5986) AND resp_bytes > 500 AND orig_bytes > 500 AND service IN ('ssh', 'telnet', 'smb', 'rdp', 'vnc', 'tls', 'http', 'winrm') GROUP BY capture_id, dst_ip),
late AS (SELECT f.src_ip, f.dst_ip, f.dst_port, f.details, f.count, f.frame, f.frames, f.ts, f.end_ts, f.capture FROM direct_findings f WHERE f.detection = 'ot_new_commander'),
orders AS (
  SELECT c.capture, c.capture_id, c.src_ip, c.dst_ip, min(c.dst_port) AS dst_port, array_to_string(array_slice(array_sort(array_agg(DISTINCT c.class || coalesce(' ' || c.point, '') || coalesce(' = ' || c.value, ''))), 1, 6), ', ') AS details, count(DISTINCT coalesce(c.request_frame, c.frame)) AS count, min(coalesce(c.request_frame, c.frame)) AS frame, array_slice(array_sort(array_agg(DISTINCT coalesce(c.request_frame, c.frame))), 1, 20) AS frames, min(c.ts) AS ts, max(c.ts) AS end_ts
  FROM ot_commands c JOIN entered e ON e.capture_id = c.capture_id AND e.host = c.src_ip WHERE c.class IN ('write', 'setpoint', 'operate', 'force', 'start', 'stop', 'restart', 'download', 'firmware', 'mode_change', 'delete', 'config') AND c.outcome NOT IN ('refused', 'error') GROUP BY c.capture, c.capture_id, c.src_ip, c.dst_ip),
words AS (SELECT o.capture_id, o.src_ip, o.dst_ip, min(CAST(f.ts AS BIGINT)) AS since FROM orders o JOIN flows f ON f.capture_id = o.capture_id AND least(f.src_ip, f.dst_ip) = least(o.src_ip, o.dst_ip) AND greatest(f.src_ip, f.dst_ip) = greatest(o.src_ip, o.dst_ip) GROUP BY o.capture_id, o.src_ip, o.dst_ip),
served AS (SELECT o.capture_id, o.src_ip, o.dst_ip, min(CAST(f.ts AS BIGINT)) AS since FROM orders o JOIN flows f ON f.capture_id = o.capture_id AND f.dst_ip = o.dst_ip AND f.src_ip <> o.src_ip AND f.resp_packets > 0 AND f.orig_packets >= 20 GROUP BY o.capture_id, o.src_ip, o.dst_ip)
SELECT 'critical' AS severity, 'A host was entered, then commanded a controller it never spoke to' AS title, 'entered by ' || e.by_ip || ' on port ' || CAST(e.port AS VARCHAR) || ' (frame ' || CAST(e.frame AS VARCHAR) || '), then: ' || f.details AS details, f.src_ip, f.dst_ip, f.dst_port, f.count, f.frame, f.frames, f.ts, f.end_ts, f.capture
FROM late f JOIN entered e ON e.host = f.src_ip AND CAST(f.ts AS BIGINT) BETWEEN e.t AND e.t + 86400000000000 JOIN captures c ON c.capture_id = e.capture_id AND (f.capture IS NULL OR f.capture = c.capture)
UNION ALL
SELECT 'high', 'A host was entered, then commanded a controller it had not spoken to', 'entered by ' || e.by_ip || ' on port ' || CAST(e.port AS VARCHAR) || ' (frame ' || CAST(e.frame AS VARCHAR) || '), ' || CAST(round((CAST(o.ts AS BIGINT) - e.t) / 1e9) AS VARCHAR) || ' s before: ' || o.details, o.src_ip, o.dst_ip, o.dst_port, o.count, o.frame, o.frames, o.ts, o.end_ts, o.capture
FROM orders o JOIN entered e ON e.capture_id = o.capture_id AND e.host = o.src_ip AND e.t = e.begun AND e.by_ip <> o.dst_ip JOIN words w ON w.capture_id = o.capture_id AND w.src_ip = o.src_ip AND w.dst_ip = o.dst_ip AND w.since > e.t JOIN served s ON s.capture_id = o.capture_id AND s.src_ip = o.src_ip AND s.dst_ip = o.dst_ip AND s.since < e.t
WHERE CAST(o.ts AS BIGINT) BETWEEN e.t AND e.t + 86400000000000 AND NOT EXISTS (SELECT 1 FROM late f WHERE f.src_ip = o.src_ip AND f.dst_ip = o.dst_ip AND (f.capture IS NULL OR f.capture = o.capture)) ORDER BY frame, src_ip, dst_ip;

-- @finding chain_download_execute_beacon severity=high confidence=medium technique=T1105
SELECT 'A program was fetched, then the host calls out on a rhythm' AS title, 'frame ' || CAST(d.frame AS VARCHAR) || ': ' || d.details || '; then ' || b.details AS details, b.src_ip, b.dst_ip, b.dst_port, b.count, b.frame, b.frames, b.ts, b.end_ts, b.capture
FROM direct_findings b JOIN direct_findings d ON d.src_ip = b.src_ip AND coalesce(d.capture, '') = coalesce(b.capture, '') AND d.detection IN ('http_executable_download') AND d.ts <= b.ts AND CAST(b.ts AS BIGINT) - CAST(d.ts AS BIGINT) <= 86400000000000
WHERE b.detection IN ('beacon_c2', 'beacon_low_slow') ORDER BY b.frame;

-- @finding chain_scan_then_exploit severity=high confidence=medium technique=T1046,T1210
SELECT 'A host searched for services, then attacked one' AS title, s.detection || ' at frame ' || coalesce(CAST(s.frame AS VARCHAR), '?') || ', then ' || a.title || ': ' || a.details AS details, a.src_ip, a.dst_ip, a.dst_port, a.count, array_distinct(array_concat(make_array('T1046'), coalesce(a.techniques, make_array('T1210')))) AS techniques, a.frame, a.frames, a.ts, a.end_ts, a.capture
FROM direct_findings a JOIN (SELECT src_ip, capture, min(detection) AS detection, min(frame) AS frame, min(ts) AS ts FROM direct_findings WHERE detection IN ('tcp_syn_scan', 'tcp_sweep', 'tcp_service_search', 'udp_scan', 'icmp_sweep', 'arp_sweep') AND src_ip IS NOT NULL GROUP BY src_ip, capture) s ON s.src_ip = a.src_ip AND coalesce(s.capture, coalesce(a.capture, '')) = coalesce(a.capture, coalesce(s.capture, '')) AND s.ts < a.ts
WHERE a.detection IN ('smb_exploit', 'rpc_legacy_exploit', 'http_command_injection', 'smb_psexec', 'ssh_guess_succeeded', 'tls_heartbleed', 'krb_brute_force', 'smb_brute', 'ssh_brute', 'ldap_brute_force', 'ntlm_brute_force') ORDER BY a.frame, a.detection;
