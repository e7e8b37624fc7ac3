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
