-- @analyzer suricata
-- @group    it
-- @title    SURICATA
-- @help     Alerts of Suricata beside our own findings: both, only ours, only its

-- @section summary shape=facts
SELECT (SELECT array_to_string(array_agg(DISTINCT value ORDER BY value), ', ') FROM suricata_events WHERE event_type = 'engine' AND name = 'version') AS engine,
  (SELECT array_to_string(array_agg(DISTINCT value ORDER BY value), ', ') FROM suricata_events WHERE event_type = 'engine' AND name = 'rules') AS rules,
  (SELECT array_to_string(array_agg(event_type || '(' || CAST(n AS VARCHAR) || ')' ORDER BY n DESC, event_type), ', ') FROM (SELECT event_type, sum(count) AS n FROM suricata_events WHERE name IS NULL GROUP BY event_type)) AS events,
  count(*) AS alerts, count(DISTINCT sid) AS signatures, count(DISTINCT capture_id || ' ' || CAST(flow_id AS VARCHAR)) AS flows, count(*) FILTER (WHERE flow_id IS NULL) AS "of no flow here", (SELECT count(DISTINCT place) FROM direct_findings_alerted) AS "our findings that it confirms", min(ts) AS first, max(ts) AS last
FROM suricata_matches;

-- @section "Alerts" shape=table limit=30
SELECT severity, sid, rev, signature, category, src_ip AS source, dst_ip AS target, count(*) AS alerts, min(ts) AS first, min(frame) AS frame, first_value(coalesce(service, app_proto) ORDER BY ts, file_line) AS service, CASE WHEN bool_or(flow_id IS NOT NULL) THEN min(community_id) ELSE 'not in these captures' END AS flow
FROM suricata_matches GROUP BY severity, priority, sid, rev, signature, category, src_ip, dst_ip ORDER BY priority NULLS LAST, alerts DESC, sid, rev, source, target;

-- @section "Agreement" shape=table limit=40
WITH both_say AS (SELECT severity, detection, title, sid, signature, src_ip, dst_ip, count(DISTINCT place) AS findings, min(ts) AS first, min(frame) AS frame FROM direct_findings_alerted GROUP BY severity, detection, title, sid, signature, src_ip, dst_ip),
ours AS (SELECT severity, detection, title, src_ip, dst_ip, count(*) AS findings, min(ts) AS first, min(frame) AS frame FROM direct_findings f WHERE source <> 'suricata' AND severity <> 'info' AND NOT EXISTS (SELECT 1 FROM both_say b WHERE b.detection = f.detection AND coalesce(b.src_ip, '') = coalesce(f.src_ip, '') AND coalesce(b.dst_ip, '') = coalesce(f.dst_ip, '')) GROUP BY severity, detection, title, src_ip, dst_ip),
its AS (SELECT severity, sid, signature, src_ip, dst_ip, count(*) AS findings, min(ts) AS first, min(frame) AS frame FROM suricata_matches m WHERE flow_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM direct_findings_alerted a WHERE a.capture_id = m.capture_id AND a.flow_id = m.flow_id) GROUP BY severity, sid, signature, src_ip, dst_ip),
told AS (
  SELECT 0 AS part, 'both' AS said, severity, detection AS ours, CAST(sid AS VARCHAR) || ' ' || coalesce(signature, '') AS suricata, src_ip AS source, dst_ip AS target, findings AS count, first, frame FROM both_say
  UNION ALL SELECT 1, 'only Suricata', severity, NULL, CAST(sid AS VARCHAR) || ' ' || coalesce(signature, ''), src_ip, dst_ip, findings, first, frame FROM its
  UNION ALL SELECT 2, 'only ours', severity, detection, NULL, src_ip, dst_ip, findings, first, frame FROM ours)
SELECT said, severity, ours, suricata, source, target, count, first, frame FROM told
ORDER BY part, CASE severity WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2 WHEN 'low' THEN 3 ELSE 4 END, first, frame, ours, suricata, source, target;

-- @section "Engine notices" shape=table limit=20 unless_empty
SELECT event_type AS kind, name AS notice, sum(count) AS count FROM suricata_events WHERE name IS NOT NULL AND count > 0 AND name <> 'decoder.pkts' GROUP BY event_type, name ORDER BY count DESC, kind, notice;

-- @finding ids_alert severity=medium confidence=medium if=suricata_alerts
-- One a signature and pair; how often it was raised says nothing of how grave it is.
SELECT 'Suricata: ' || coalesce(first_value(signature ORDER BY ts, file_line), 'a rule without a message') AS title, 'sid ' || CAST(sid AS VARCHAR) || coalesce(', ' || min(category), '') || coalesce(', ' || min(app_proto), '') || ', ' || coalesce(min(action), 'action unknown') || ': ' || CAST(count(*) AS VARCHAR) || CASE WHEN count(*) = 1 THEN ' alert' ELSE ' alerts' END || ' in ' || CAST(count(DISTINCT flow_id) AS VARCHAR) || CASE WHEN count(DISTINCT flow_id) = 1 THEN ' flow' ELSE ' flows' END AS details,
  first_value(severity ORDER BY priority NULLS LAST, ts, file_line) AS severity, first_value(techniques ORDER BY ts, file_line) AS techniques, make_array('suricata') AS tags, src_ip, dst_ip, min(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(DISTINCT frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture, capture_id, min(flow_id) AS flow_id
FROM suricata_matches WHERE flow_id IS NOT NULL GROUP BY capture, capture_id, sid, src_ip, dst_ip ORDER BY frame, sid, src_ip, dst_ip;

-- @finding ids_confirms severity=info confidence=high if=suricata_alerts
-- In what reports on all findings, ours is surer by it (view merged_findings).
SELECT 'Suricata says so too' AS title, detection || ': ' || array_to_string(array_agg(DISTINCT CAST(sid AS VARCHAR) || coalesce(' ' || signature, '') ORDER BY CAST(sid AS VARCHAR) || coalesce(' ' || signature, '')), '; ') AS details, make_array(detection) AS tags, src_ip, dst_ip, dst_port, count(DISTINCT sid) AS count, frame, frames, techniques, ts, capture, min(flow_id) AS flow_id
FROM direct_findings_alerted GROUP BY place, detection, src_ip, dst_ip, dst_port, frame, frames, techniques, ts, capture ORDER BY frame, detection, src_ip, dst_ip;
