-- @analyzer timeline
-- @group    it
-- @title    TIMELINE
-- @help     What one host did, in order (needs -ip)

-- @section "Host" shape=table
SELECT ip AS host, array_to_string(array_slice(hostnames, 1, 3), ', ') AS names, mac, array_to_string(roles, ', ') AS roles, ts AS first, end_ts AS last, packets_sent AS sent, packets_received AS received, peers FROM hosts WHERE in_focus(ip) ORDER BY packets_sent DESC, ip;

-- @section "Activity" shape=series
WITH events AS (SELECT category, ts FROM timeline_events WHERE in_focus(host) AND in_category(category)), span AS (SELECT min(ts) AS first, max(ts) AS last FROM events)
SELECT category, count(*) AS events, activity(array_agg(ts), max(first), max(last)) AS activity, min(ts) AS first, max(ts) AS last, block_width(CAST((CAST(max(last) AS BIGINT) - CAST(max(first) AS BIGINT)) / 1e9 AS VARCHAR)) AS "1 block_s" FROM events CROSS JOIN span GROUP BY category ORDER BY category;

-- @section "Events" shape=timeline limit=200
-- The same again within a minute is one event.
WITH events AS (
  SELECT *, lag(CAST(end_ts AS BIGINT)) OVER (PARTITION BY capture_id, host, peer, direction, category, summary ORDER BY ts, frame) AS before FROM timeline_events WHERE in_focus(host) AND in_category(category)),
runs AS (SELECT *, sum(CASE WHEN before IS NULL OR CAST(ts AS BIGINT) - before > 60000000000 THEN 1 ELSE 0 END) OVER (PARTITION BY capture_id, host, peer, direction, category, summary ORDER BY ts, frame) AS run FROM events)
SELECT min(ts) AS ts, host, category, direction, peer, summary, first_value(detail ORDER BY ts, frame) AS detail, count(*) AS times, max(end_ts) AS "Until", min(frame) AS frame FROM runs GROUP BY capture_id, host, peer, direction, category, summary, run ORDER BY ts, frame, category, summary, direction, peer;

-- @section "Storyline" shape=table limit=40
SELECT min(ts) AS since, host || CASE direction WHEN 'out' THEN ' ' || CASE category WHEN 'Finding' THEN 'is named by a finding: ' WHEN 'Recon' THEN 'tries in vain: ' WHEN 'Authentication' THEN 'authenticates: ' WHEN 'File Transfer' THEN 'transfers: ' WHEN 'Remote IN' THEN 'opens a remote session: ' ELSE 'speaks ' || category || ': ' END ELSE CASE category WHEN 'Finding' THEN ' is the target of a finding: ' WHEN 'Recon' THEN ' is tried: ' WHEN 'Remote IN' THEN ' is entered: ' ELSE ' is spoken to, ' || category || ': ' END END || first_value(summary ORDER BY ts, frame) || CASE WHEN count(DISTINCT summary) > 1 THEN ' and ' || CAST(count(DISTINCT summary) - 1 AS VARCHAR) || ' more kinds' ELSE '' END || CASE WHEN count(*) > 1 THEN ', ' || CAST(count(*) AS VARCHAR) || ' times' ELSE '' END || coalesce(', with ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT peer)), 1, 3), ', '), '') || CASE WHEN count(*) > 1 THEN ', until ' || substr(CAST(max(ts) AS VARCHAR), 12, 8) ELSE '' END AS story, min(frame) AS frame
FROM timeline_events WHERE in_focus(host) AND in_category(category) AND category IN ('Finding', 'Recon', 'Remote IN', 'Authentication', 'File Transfer', 'BACnet', 'CIP', 'CODESYS', 'CoAP', 'DNP3', 'ENIP', 'FINS', 'HART-IP', 'IEC-104', 'MELSEC', 'Modbus', 'Niagara Fox', 'OPC UA', 'PCWorx', 'ProConOS', 'PROFINET', 'S7', 'SRTP', 'Triconex/SIS', 'EtherCAT', 'GOOSE', 'MMS', 'MQTT', 'PTP', 'SV')
GROUP BY host, direction, category, CASE WHEN category = 'Finding' THEN summary ELSE '' END ORDER BY since, frame, story;

-- @section "Peers" shape=table limit=20
WITH span AS (SELECT min(CAST(ts AS BIGINT)) AS start, max(CAST(end_ts AS BIGINT)) AS stop FROM flows),
met AS (SELECT host, peer, min(ts) AS first, max(end_ts) AS last, count(*) AS flows, sum(sent) AS sent_bytes, sum(received) AS received_bytes, array_to_string(array_slice(array_sort(array_agg(DISTINCT service)), 1, 6), ', ') AS services FROM (
    SELECT src_ip AS host, dst_ip AS peer, ts, end_ts, orig_bytes AS sent, resp_bytes AS received, coalesce(service, service_port_name, transport) || coalesce('/' || CAST(dst_port AS VARCHAR), '') AS service FROM flows WHERE in_focus(src_ip)
    UNION ALL SELECT dst_ip, src_ip, ts, end_ts, resp_bytes, orig_bytes, coalesce(service, service_port_name, transport) || coalesce('/' || CAST(dst_port AS VARCHAR), '') FROM flows WHERE in_focus(dst_ip)) GROUP BY host, peer)
-- Who appears when four fifths of the capture are over is a newcomer.
SELECT host, peer, first, last, flows, sent_bytes, received_bytes, services, CASE WHEN CAST(first AS BIGINT) >= start + 0.8 * (stop - start) THEN 'yes' ELSE '' END AS "late newcomer" FROM met CROSS JOIN span ORDER BY sent_bytes + received_bytes DESC, host, peer;

-- @finding timeline_first_contact severity=info confidence=medium
-- A host that was there from the beginning, and whom it meets inside when four fifths of the capture are over.
WITH span AS (SELECT capture_id, min(CAST(ts AS BIGINT)) AS first, max(CAST(end_ts AS BIGINT)) - min(CAST(ts AS BIGINT)) AS lasts FROM flows GROUP BY capture_id),
met AS (SELECT min(capture) AS capture, capture_id, first_value(src_ip ORDER BY ts, frame) AS host, first_value(dst_ip ORDER BY ts, frame) AS peer, first_value(coalesce(service, CAST(dst_port AS VARCHAR), transport) ORDER BY ts, frame) AS way, min(frame) AS frame, min(ts) AS ts
  FROM flows WHERE src_ip IS NOT NULL AND dst_ip IS NOT NULL AND resp_packets > 0 GROUP BY capture_id, least(src_ip, dst_ip), greatest(src_ip, dst_ip)),
known AS (SELECT capture_id, host, min(ts) AS since FROM (SELECT capture_id, host, ts FROM met UNION ALL SELECT capture_id, peer, ts FROM met) GROUP BY capture_id, host)
SELECT 'A host meets another for the first time late in the capture' AS title, array_to_string(array_slice(array_sort(array_agg(DISTINCT m.peer || ' (' || m.way || ')')), 1, 8), ', ') AS details, m.host AS src_ip, min(m.peer) AS dst_ip, count(*) AS count, min(m.frame) AS frame, array_slice(array_sort(array_agg(DISTINCT m.frame)), 1, 20) AS frames, min(m.ts) AS ts, max(m.ts) AS end_ts, m.capture
FROM met m JOIN span s ON s.capture_id = m.capture_id JOIN known k ON k.capture_id = m.capture_id AND k.host = m.host
WHERE s.lasts >= 600000000000 AND CAST(m.ts AS BIGINT) >= s.first + s.lasts / 5 * 4 AND CAST(k.since AS BIGINT) <= s.first + s.lasts / 5 AND is_private(m.peer) AND in_focus(m.host) GROUP BY m.capture, m.capture_id, m.host ORDER BY frame, src_ip;

-- @finding timeline_gap severity=info confidence=medium
-- Of a host that sends steadily: the longest time without a frame, if it is ten times the usual one. Seconds in which it speaks are counted.
WITH heard AS (SELECT capture, capture_id, src_ip, CAST(ts AS BIGINT) / 1000000000 AS second, min(frame) AS frame, max(frame) AS last_frame, min(ts) AS ts, max(ts) AS last_ts FROM packets WHERE src_ip IS NOT NULL GROUP BY capture, capture_id, src_ip, CAST(ts AS BIGINT) / 1000000000),
gaps AS (SELECT *, second - lag(second) OVER (PARTITION BY capture_id, src_ip ORDER BY second) AS gap, lag(last_frame) OVER (PARTITION BY capture_id, src_ip ORDER BY second) AS before, lag(last_ts) OVER (PARTITION BY capture_id, src_ip ORDER BY second) AS since FROM heard),
usual AS (SELECT capture_id, src_ip, median(gap) AS usual, count(*) AS n FROM gaps WHERE gap IS NOT NULL GROUP BY capture_id, src_ip HAVING count(*) >= 60),
steady AS (SELECT g.capture_id, g.src_ip, u.usual FROM gaps g JOIN usual u ON u.capture_id = g.capture_id AND u.src_ip = g.src_ip WHERE g.gap IS NOT NULL GROUP BY g.capture_id, g.src_ip, u.usual, u.n HAVING count(*) FILTER (WHERE g.gap > 3 * u.usual) * 20 <= u.n)
SELECT 'A host that sends steadily fell silent' AS title, CAST(gap AS VARCHAR) || ' s without a frame, usually ' || CAST(usual AS VARCHAR) || ' s' AS details, src_ip, 1 AS count, frame, make_array(before, frame) AS frames, since AS ts, ts AS end_ts, capture
FROM (SELECT g.*, s.usual, row_number() OVER (PARTITION BY g.capture_id, g.src_ip ORDER BY g.gap DESC, g.second) AS place FROM gaps g JOIN steady s ON s.capture_id = g.capture_id AND s.src_ip = g.src_ip WHERE g.gap > 10 * s.usual AND g.gap >= 10)
WHERE place = 1 AND in_focus(src_ip) ORDER BY frame, src_ip;
