-- @analyzer compromised
-- @group    it
-- @title    COMPROMISED HOSTS
-- @help     Hosts that several independent signals point at

-- @section summary shape=facts
WITH hosts AS (SELECT host, least(100.0, sum(points) + CASE WHEN min(ts) FILTER (WHERE stage = 'delivery') < min(ts) FILTER (WHERE stage = 'C2') THEN 10 ELSE 0 END) AS score, count(*) AS stages, bool_or(proof) AS proof, min(ts) AS ts FROM direct_findings_by_host GROUP BY host)
SELECT (SELECT count(*) FROM (SELECT src_ip AS ip FROM flows WHERE src_ip IS NOT NULL UNION SELECT dst_ip FROM flows WHERE dst_ip IS NOT NULL AND resp_packets > 0)) AS "hosts judged", count(*) FILTER (WHERE proof OR score >= 70 AND stages >= 2) AS compromised, count(*) FILTER (WHERE NOT (proof OR score >= 70 AND stages >= 2) AND score >= 40) AS suspicious, count(*) FILTER (WHERE NOT proof AND score < 40) AS "with some evidence", min(ts) AS "earliest evidence",
  CASE WHEN count(*) FILTER (WHERE proof OR score >= 70 AND stages >= 2) > 0 THEN '-' ELSE 'evidence of a second stage of an attack (delivery, control, credentials, spread, exfiltration)' END AS "what would raise the verdict" FROM hosts;

-- @section "Hosts" shape=table limit=20
SELECT round(least(100.0, sum(points) + CASE WHEN min(ts) FILTER (WHERE stage = 'delivery') < min(ts) FILTER (WHERE stage = 'C2') THEN 10 ELSE 0 END), 1) AS score,
  CASE WHEN bool_or(proof) OR sum(points) >= 70 AND count(*) >= 2 THEN 'compromised' WHEN sum(points) >= 40 THEN 'suspicious' ELSE 'some evidence' END AS verdict, host, max(n.names) AS names, array_to_string(array_agg(stage ORDER BY ts), ' > ') AS stages, min(ts) AS "first evidence", max(end_ts) AS "last evidence", sum(detections) AS detections, first_value(title ORDER BY points DESC, ts) AS "top reason"
FROM direct_findings_by_host d LEFT JOIN (SELECT ip, array_to_string(array_slice(array_sort(array_agg(DISTINCT name)), 1, 3), ', ') AS names FROM host_names WHERE ip IS NOT NULL GROUP BY ip) n ON n.ip = d.host GROUP BY host ORDER BY score DESC, "first evidence", host;

-- @section "Evidence" shape=table limit=30
SELECT e.host, e.ts, e.stage, e.title, array_to_string(e.ids, ', ') AS detections, e.peers, e.points, array_to_string(array_slice(e.frames, 1, 8), ', ') AS "evidence frames" FROM direct_findings_by_host e ORDER BY e.host, e.ts, e.stage;

-- @section "Stages" shape=table limit=20
SELECT host, sum(findings) FILTER (WHERE stage = 'recon') AS recon, sum(findings) FILTER (WHERE stage = 'delivery') AS delivery, sum(findings) FILTER (WHERE stage = 'execution') AS execution, sum(findings) FILTER (WHERE stage = 'C2') AS "C2", sum(findings) FILTER (WHERE stage = 'credential') AS credential, sum(findings) FILTER (WHERE stage = 'lateral') AS lateral, sum(findings) FILTER (WHERE stage = 'collection') AS collection, sum(findings) FILTER (WHERE stage = 'exfiltration') AS exfiltration, sum(findings) FILTER (WHERE stage = 'impact') AS impact, sum(findings) FILTER (WHERE stage = 'OT manipulation') AS "OT manipulation"
FROM direct_findings_by_host GROUP BY host ORDER BY sum(points) DESC, host;

-- @section "Spread" shape=table limit=15
SELECT ts, src_ip AS "from", dst_ip AS "to", title, details, frame FROM merged_findings WHERE rank <= 2 AND dst_ip IS NOT NULL AND detection IN ('smb_admin_share', 'smb_exec_upload', 'smb_psexec', 'smb_exploit', 'winrm_remote_shell', 'rpc_legacy_exploit', 'ssh_guess_succeeded', 'ot_new_commander', 'modbus_explored_then_written', 'chain_it_to_ot', 'chain_credential_lateral') ORDER BY ts, frame, "from", "to";

-- @section "Targeted, without sign of success" shape=table limit=15
SELECT dst_ip AS host, count(*) AS findings, array_to_string(array_sort(array_agg(DISTINCT detection)), ', ') AS detections, array_to_string(array_slice(array_sort(array_agg(DISTINCT src_ip)), 1, 5), ', ') AS "by", min(ts) AS first FROM merged_findings WHERE rank <= 2 AND dst_ip IS NOT NULL AND dst_ip NOT IN (SELECT host FROM direct_findings_by_host WHERE host IS NOT NULL) GROUP BY dst_ip ORDER BY findings DESC, host;

-- @finding compromised_host severity=critical confidence=high
SELECT 'A host is compromised' AS title, array_to_string(array_agg(stage || ' (' || title || ')' ORDER BY ts, stage), ' > ') || '; score ' || CAST(round(least(100.0, sum(points))) AS VARCHAR) AS details, host AS src_ip, sum(findings) AS count, min(frame) AS frame, array_slice(array_sort(array_distinct(flatten(array_agg(frames)))), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM direct_findings_by_host GROUP BY host HAVING bool_or(proof) OR sum(points) >= 70 AND count(*) >= 2 ORDER BY src_ip;

-- @finding suspicious_host severity=high confidence=medium
SELECT 'Several signs point at one host' AS title, array_to_string(array_agg(stage || ' (' || title || ')' ORDER BY ts, stage), ' > ') || '; score ' || CAST(round(sum(points)) AS VARCHAR) AS details, host AS src_ip, sum(findings) AS count, min(frame) AS frame, array_slice(array_sort(array_distinct(flatten(array_agg(frames)))), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM direct_findings_by_host GROUP BY host HAVING NOT bool_or(proof) AND sum(points) >= 40 AND sum(detections) >= 2 AND NOT (sum(points) >= 70 AND count(*) >= 2) ORDER BY src_ip;

-- @finding compromised_spread severity=critical confidence=medium technique=T1210,T1021
WITH bad AS (SELECT host FROM direct_findings_by_host GROUP BY host HAVING bool_or(proof) OR sum(points) >= 70 AND count(*) >= 2)
SELECT 'A compromised host moved to another, which then acts' AS title, l.title || ': ' || coalesce(l.details, '') || '; then ' || v.stage || ' (' || v.title || ')' AS details, l.src_ip, l.dst_ip, l.frame, array_prepend(l.frame, array_slice(v.frames, 1, 19)) AS frames, l.ts, v.end_ts, l.capture
FROM direct_findings l JOIN bad ON bad.host = l.src_ip JOIN direct_findings_by_host v ON v.host = l.dst_ip AND v.stage IN ('C2', 'execution') AND v.ts > l.ts WHERE l.detection IN ('smb_exec_upload', 'smb_psexec', 'smb_exploit', 'winrm_remote_shell', 'ssh_guess_succeeded', 'rpc_legacy_exploit') ORDER BY l.frame, l.src_ip, l.dst_ip;

-- @finding compromised_ot severity=critical confidence=medium technique=T0831,T0855
WITH bad AS (SELECT host FROM direct_findings_by_host WHERE stage <> 'OT manipulation' GROUP BY host HAVING bool_or(proof) OR sum(points) >= 40)
SELECT 'A host that shows an attack commands a controller' AS title, f.details AS details, f.src_ip, f.dst_ip, f.dst_port, f.count, f.frame, f.frames, f.ts, f.end_ts, f.capture
FROM direct_findings f JOIN bad ON bad.host = f.src_ip WHERE f.detection IN ('ot_new_commander', 'modbus_explored_then_written', 'ot_program_then_restart') AND f.severity IN ('high', 'critical') ORDER BY f.frame;

-- @finding exploited_service severity=high confidence=high technique=T1190
-- The address that the exploit names is called, after the exploit, by whom it was sent to.
SELECT 'An exploit was answered by a call to the attacker''s server' AS title, 'frame ' || CAST(e.frame AS VARCHAR) || ' (' || e.title || '), then ' || coalesce(first_value(f.service ORDER BY f.frame), 'a connection') || ' to ' || f.dst_ip || ' port ' || CAST(first_value(f.dst_port ORDER BY f.frame) AS VARCHAR) AS details, e.dst_ip AS src_ip, f.dst_ip AS dst_ip, count(*) AS count, min(f.frame) AS frame, array_prepend(e.frame, array_slice(array_sort(array_agg(f.frame)), 1, 19)) AS frames, min(e.ts) AS ts, max(f.end_ts) AS end_ts, min(f.capture) AS capture
FROM direct_findings e JOIN flows f ON f.src_ip = e.dst_ip AND f.ts > e.ts AND f.resp_bytes > 0 AND (f.dst_ip = e.src_ip OR strpos(coalesce(e.details, ''), f.dst_ip) > 0)
WHERE e.detection IN ('http_command_injection', 'http_sqli', 'smb_exploit', 'rpc_legacy_exploit', 'ftp_exploit_input', 'http_jndi') AND CAST(f.ts AS BIGINT) - CAST(e.ts AS BIGINT) < 600000000000 GROUP BY e.frame, e.title, e.dst_ip, f.dst_ip ORDER BY frame;
