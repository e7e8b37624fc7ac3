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

-- @section "Storyline" shape=table
SELECT min(ts) AS since, host || CASE direction WHEN 'out' THEN ' ' || CASE category WHEN 'Finding' THEN 'is named by a finding: ' ELSE category || ': ' END ELSE ' is acted on, ' || category || ': ' END || first_value(summary ORDER BY ts, frame) || CASE WHEN count(DISTINCT summary) > 1 THEN ' and ' || CAST(count(DISTINCT summary) - 1 AS VARCHAR) || ' more kinds' ELSE '' END || ', ' || CAST(count(*) AS VARCHAR) || ' times' || coalesce(', with ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT peer)), 1, 3), ', '), '') || CASE WHEN count(*) > 1 THEN ', until ' || substr(CAST(max(ts) AS VARCHAR), 12, 8) ELSE '' END AS story, min(frame) AS frame
FROM timeline_events WHERE in_focus(host) AND in_category(category) AND category IN ('Finding', 'Recon', 'Remote IN', 'Authentication', 'File Transfer', 'BACnet', 'CIP', 'CODESYS', 'CoAP', 'DNP3', 'ENIP', 'FINS', 'HART-IP', 'IEC-104', 'MELSEC', 'Modbus', 'Niagara Fox', 'OPC UA', 'PCWorx', 'ProConOS', 'PROFINET', 'S7', 'SRTP', 'Triconex/SIS', 'EtherCAT', 'GOOSE', 'MMS', 'MQTT', 'PTP', 'SV')
GROUP BY host, direction, category, CASE WHEN category = 'Finding' THEN summary ELSE '' END ORDER BY since, frame, story;

-- @section "Peers" shape=table limit=20
WITH span AS (SELECT min(CAST(ts AS BIGINT)) AS start, max(CAST(end_ts AS BIGINT)) AS stop FROM flows)
SELECT host, peer, min(since) AS first, max(until) AS last, sum(n) AS flows, sum(sent) AS sent_bytes, sum(received) AS received_bytes, array_to_string(array_slice(array_sort(array_agg(DISTINCT service)), 1, 6), ', ') AS services, CASE WHEN min(CAST(since AS BIGINT)) >= max(start) + 0.8 * (max(stop) - max(start)) THEN 'yes' ELSE '' END AS "late newcomer" FROM (
  SELECT src_ip AS host, dst_ip AS peer, min(ts) AS since, max(end_ts) AS until, count(*) AS n, sum(orig_bytes) AS sent, sum(resp_bytes) AS received, coalesce(service, service_port_name, transport) AS service FROM flows WHERE in_focus(src_ip) GROUP BY src_ip, dst_ip, coalesce(service, service_port_name, transport)
  UNION ALL SELECT dst_ip, src_ip, min(ts), max(end_ts), count(*), sum(resp_bytes), sum(orig_bytes), coalesce(service, service_port_name, transport) FROM flows WHERE in_focus(dst_ip) GROUP BY dst_ip, src_ip, coalesce(service, service_port_name, transport))
CROSS JOIN span GROUP BY host, peer ORDER BY sent_bytes + received_bytes DESC, host, peer;
