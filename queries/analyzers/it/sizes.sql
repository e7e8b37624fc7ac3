-- @analyzer sizes
-- @group    it
-- @title    PACKET SIZE ANALYSIS
-- @help     Distribution of packet sizes

-- @section summary shape=facts
SELECT count(*) AS frames, sum(frame_len) AS wire_bytes, sum(captured_len) AS captured_bytes, count(*) FILTER (WHERE captured_len < frame_len) AS truncated_frames,
  CAST(min(frame_len) AS DOUBLE) AS min_bytes, percentile_cont(0.5) WITHIN GROUP (ORDER BY CAST(frame_len AS DOUBLE)) AS median_bytes,
  avg(frame_len) AS mean_bytes, percentile_cont(0.95) WITHIN GROUP (ORDER BY CAST(frame_len AS DOUBLE)) AS p95_bytes, CAST(max(frame_len) AS DOUBLE) AS max_bytes
FROM packets;

-- @section "Buckets" shape=table
WITH bounds(low, high, name) AS (VALUES (0, 19, '0-19'), (20, 39, '20-39'), (40, 79, '40-79'), (80, 159, '80-159'), (160, 319, '160-319'), (320, 639, '320-639'),
  (640, 1279, '640-1279'), (1280, 2559, '1280-2559'), (2560, 5119, '2560-5119'), (5120, 4294967295, '5120+')),
slots AS (
  SELECT low, slot, count(*) AS n, sum(frame_len) AS bytes, min(frame_len) AS shortest, max(frame_len) AS longest
  FROM (SELECT frame_len, CAST(ts AS BIGINT) / 100000000 AS slot,
    CASE WHEN frame_len < 20 THEN 0 WHEN frame_len < 40 THEN 20 WHEN frame_len < 80 THEN 40 WHEN frame_len < 160 THEN 80 WHEN frame_len < 320 THEN 160
      WHEN frame_len < 640 THEN 320 WHEN frame_len < 1280 THEN 640 WHEN frame_len < 2560 THEN 1280 WHEN frame_len < 5120 THEN 2560 ELSE 5120 END AS low
  FROM packets) GROUP BY low, slot),
sizes AS (
  SELECT low, sum(n) AS n, sum(bytes) AS bytes, min(shortest) AS shortest, max(longest) AS longest, max(n) AS burst, first_value(slot ORDER BY n DESC, slot) AS slot FROM slots GROUP BY low)
SELECT b.name AS size, coalesce(s.n, 0) AS frames, coalesce(s.n, 0) * 1.0 / nullif((SELECT count(*) FROM packets), 0) AS share,
  s.bytes * 1.0 / s.n AS average, s.shortest AS min, s.longest AS max,
  coalesce(s.n, 0) / nullif((SELECT sum(duration_s) * 1000 FROM captures), 0) AS "Rate per ms",
  s.burst AS "Busiest 100 ms", CAST(arrow_cast(s.slot * 100000000, 'Timestamp(Nanosecond, Some("UTC"))') AS TIMESTAMP) AS "Burst start"
FROM bounds b LEFT JOIN sizes s ON s.low = b.low ORDER BY b.low;

-- @section "Payload by transport" shape=table verbose
SELECT transport, count(*) AS packets, avg(payload_len) AS mean_bytes, max(payload_len) AS max_bytes, count(*) FILTER (WHERE payload_len = 0) AS empty
FROM packets WHERE transport IS NOT NULL GROUP BY transport ORDER BY packets DESC, transport;

-- @section "Hosts by largest frames" shape=table limit=15
SELECT src_ip AS host, count(*) AS frames, avg(frame_len) AS mean_bytes, CAST(max(frame_len) AS BIGINT) AS max_bytes FROM packets WHERE src_ip IS NOT NULL
GROUP BY src_ip ORDER BY mean_bytes DESC, host;

-- @finding sizes_truncated severity=info confidence=high
SELECT 'Frames were cut when captured' AS title, CAST(count(*) AS VARCHAR) || ' frames were captured with fewer bytes than they had' AS details,
  count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM packets WHERE captured_len < frame_len GROUP BY capture, capture_id;

-- @finding sizes_jumbo severity=info
WITH big AS (
  SELECT capture, count(*) AS n, count(*) FILTER (WHERE frame_len > 1518 + CASE WHEN vlan_outer_id IS NOT NULL THEN 8 WHEN vlan_id IS NOT NULL THEN 4 ELSE 0 END) AS large,
    count(DISTINCT CASE WHEN frame_len > 1526 THEN src_ip END) AS senders
  FROM packets GROUP BY capture, capture_id)
SELECT 'Frames larger than Ethernet carries' AS title,
  CAST(large AS VARCHAR) || ' of ' || CAST(n AS VARCHAR) || ' frames exceed 1518 bytes'
    || CASE WHEN senders = 1 THEN ', all of one sender: segmentation offload on the capturing host' ELSE ': jumbo frames or segmentation offload' END AS details,
  large AS count, capture
FROM big WHERE large > 0.05 * n;

-- @finding sizes_tiny_flood severity=medium technique=T1499.001
SELECT 'Flood of tiny packets' AS title, 'up to ' || CAST(max(n) AS VARCHAR) || ' frames under 80 bytes in a second' AS details, dst_ip, sum(n) AS count,
  min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM (SELECT capture, capture_id, dst_ip, CAST(ts AS BIGINT) / 1000000000 AS second, count(*) AS n, min(frame) AS frame, min(ts) AS ts FROM packets
  WHERE frame_len < 80 AND dst_ip IS NOT NULL
    AND CAST(ts AS BIGINT) / 1000000000 IN (SELECT CAST(ts AS BIGINT) / 1000000000 FROM packets WHERE frame_len < 80 GROUP BY CAST(ts AS BIGINT) / 1000000000 HAVING count(*) > 5000)
  GROUP BY capture, capture_id, dst_ip, CAST(ts AS BIGINT) / 1000000000 HAVING count(*) > 5000)
GROUP BY capture, capture_id, dst_ip ORDER BY dst_ip;

-- @finding sizes_uniform_flow severity=info
SELECT 'A conversation of equal packets' AS title,
  CAST(n AS VARCHAR) || ' packets, ' || CAST(round(100.0 * same / n) AS VARCHAR) || '% of them with ' || CAST(payload_len AS VARCHAR) || ' bytes of payload: telemetry or a beacon' AS details,
  src_ip, dst_ip, n AS count, frame, capture
FROM (
  SELECT capture, capture_id, flow_id, src_ip, dst_ip, payload_len, count(*) AS same, min(frame) AS frame, sum(count(*)) OVER (PARTITION BY capture_id, flow_id, src_ip) AS n,
    row_number() OVER (PARTITION BY capture_id, flow_id, src_ip ORDER BY count(*) DESC, payload_len) AS place
  FROM packets WHERE payload_len > 0 AND flow_id IS NOT NULL GROUP BY capture, capture_id, flow_id, src_ip, dst_ip, payload_len)
WHERE place = 1 AND n >= 200 AND same > 0.9 * n AND payload_len < 1400
ORDER BY n DESC, src_ip, dst_ip LIMIT 20;
