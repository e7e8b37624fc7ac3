-- @analyzer pcapmeta
-- @group    it
-- @title    CAPTURE METADATA
-- @help     Capture format, clocks, interfaces, drops and comments

-- @section summary shape=facts
SELECT
  CASE WHEN count(*) = 1 THEN min(path) ELSE CAST(count(*) AS VARCHAR) || ' files' END AS file,
  sum(file_size_bytes) AS size_bytes,
  CASE WHEN count(*) = 1 THEN min(sha256) END AS sha256,
  array_to_string(array_sort(array_agg(DISTINCT format)), ', ') AS format,
  (SELECT count(DISTINCT capture_id || CAST(section AS VARCHAR)) FROM interfaces) AS sections,
  (SELECT array_to_string(array_sort(array_agg(DISTINCT byte_order)), ', ') FROM interfaces) AS byte_order,
  sum(packets) AS packets,
  sum(wire_bytes) AS wire_bytes,
  sum(captured_bytes) AS captured_bytes,
  min(ts) AS first,
  max(end_ts) AS last,
  sum(duration_s) AS duration_s,
  (SELECT array_to_string(array_sort(array_agg(DISTINCT ts_resolution)), ', ') FROM interfaces) AS timestamp_precision,
  sum(out_of_order_timestamps) AS out_of_order_timestamps,
  bool_or(truncated) AS truncated,
  sum(skipped_bytes) AS skipped_bytes
FROM captures;

-- @section "Section" shape=facts
SELECT max(hardware) AS hardware, max(os) AS os, max(application) AS application, max(array_to_string(comments, '; ')) AS comments FROM captures;

-- @section "Interfaces" shape=table limit=25
SELECT
  interface_id AS id, name, link_type_name AS link, snaplen, ts_resolution AS precision, filter, packets,
  packets * 1.0 / nullif(sum(packets) OVER (), 0) AS share, first_ts AS first
FROM interfaces
WHERE packets > 0 OR (SELECT sum(packets) FROM captures) = 0
ORDER BY packets DESC, capture, interface_id;

-- @section "What interfaces told" shape=table
SELECT interface_id AS id, description, received_by_interface AS received, dropped_by_interface AS dropped, dropped_by_os AS os_dropped, end_ts AS last
FROM interfaces
WHERE description IS NOT NULL OR received_by_interface IS NOT NULL OR dropped_by_interface IS NOT NULL OR dropped_by_os IS NOT NULL
ORDER BY packets DESC, capture, interface_id;

-- @section "Interfaces without packets" shape=facts
SELECT count(*) FILTER (WHERE packets = 0) AS interfaces, count(*) AS of_all FROM interfaces;

-- @section "Embedded" shape=facts
SELECT
  (SELECT count(*) FROM host_names WHERE source = 'pcapng.name_resolution') AS name_resolution_records,
  (SELECT count(*) FROM anomalies WHERE kind = 'embedded_secrets') AS decryption_secret_blocks,
  (SELECT count(*) FROM anomalies WHERE kind = 'packet_comment') AS packet_comments;

-- @section "Packet comments" shape=table limit=20
SELECT frame, detail AS comment FROM anomalies WHERE kind = 'packet_comment' ORDER BY capture, frame, detail;

-- @section "Quality" shape=facts
SELECT
  (SELECT count(*) FROM packets WHERE captured_len < frame_len) AS truncated_frames,
  (SELECT count(*) FROM packets WHERE captured_len < frame_len) * 1.0 / nullif((SELECT sum(packets) FROM captures), 0) AS truncated_share,
  (SELECT count(*) FROM packets WHERE captured_len = 0) AS empty_frames,
  (SELECT count(*) FROM (SELECT first - lag(last) OVER (PARTITION BY capture_id ORDER BY slot) AS gap FROM (
    SELECT capture_id, CAST(ts AS BIGINT) / 30000000000 AS slot, CAST(min(ts) AS BIGINT) AS first, CAST(max(ts) AS BIGINT) AS last FROM packets WHERE ts IS NOT NULL GROUP BY capture_id, CAST(ts AS BIGINT) / 30000000000)) WHERE gap > 60000000000) AS "Gaps over 60 s",
  (SELECT sum(missed_bytes) FROM flows WHERE transport = 'tcp') AS tcp_missed_bytes,
  (SELECT count(*) FILTER (WHERE resp_packets = 0) * 1.0 / nullif(count(*), 0) FROM flows) AS one_sided_flows_share,
  (SELECT sum(dropped_by_interface) * 1.0 / nullif(sum(received_by_interface), 0) FROM interfaces) AS drop_share;

-- @finding capture_drops severity=low confidence=high
SELECT
  CASE WHEN dropped_by_interface * 1.0 / nullif(received_by_interface, 0) >= 0.01 THEN 'medium' ELSE 'low' END AS severity,
  'The capture lacks frames: the interface dropped some' AS title,
  'interface ' || CAST(interface_id AS VARCHAR) || ' dropped ' || CAST(dropped_by_interface AS VARCHAR) || ' of '
    || coalesce(CAST(received_by_interface AS VARCHAR), 'an unknown number of') || ' frames' AS details,
  capture, capture_id, dropped_by_interface AS count
FROM interfaces WHERE dropped_by_interface > 0
ORDER BY capture, interface_id;

-- @finding capture_truncated_frames severity=medium confidence=high
SELECT
  'Frames are cut by the snap length' AS title,
  CAST(cut AS VARCHAR) || ' of ' || CAST(n AS VARCHAR) || ' frames are cut; contents beyond the limit are not decoded' AS details,
  capture, capture_id, cut AS count, first_frame AS frame
FROM (
  SELECT capture, capture_id, count(*) AS n, count(*) FILTER (WHERE captured_len < frame_len) AS cut,
         min(frame) FILTER (WHERE captured_len < frame_len) AS first_frame
  FROM packets GROUP BY capture, capture_id
) WHERE cut >= 0.05 * n
ORDER BY capture;

-- @finding capture_file_damaged severity=medium confidence=high
SELECT
  'The file is damaged or cut short' AS title,
  (SELECT string_agg(a.detail, '; ' ORDER BY a.detail) FROM anomalies a WHERE a.protocol = 'captures' AND a.kind NOT IN ('packet_comment', 'embedded_secrets') AND a.capture_id = c.capture_id) AS details,
  c.capture, c.capture_id
FROM captures c WHERE c.truncated OR c.skipped_bytes > 0
ORDER BY c.capture;

-- @finding capture_time_reversal severity=low technique=T1070.006
SELECT
  'Time runs backwards in the capture' AS title,
  CAST(back AS VARCHAR) || ' of ' || CAST(n AS VARCHAR) || ' frames are earlier than the one before by more than 1 s' AS details,
  capture, capture_id, back AS count, first_frame AS frame
FROM (
  SELECT capture, capture_id, count(*) AS n, count(*) FILTER (WHERE step < -1000000000) AS back, min(frame) FILTER (WHERE step < -1000000000) AS first_frame
  FROM (SELECT capture, capture_id, frame, CAST(ts AS BIGINT) - lag(CAST(ts AS BIGINT)) OVER (PARTITION BY capture_id ORDER BY frame) AS step FROM packets
    WHERE capture_id IN (SELECT capture_id FROM captures WHERE out_of_order_timestamps > 0.01 * packets))
  GROUP BY capture, capture_id
) WHERE back > 0.01 * n
ORDER BY capture;

-- @finding capture_one_sided severity=medium
SELECT
  'Most conversations were captured in one direction only' AS title,
  CAST(alone AS VARCHAR) || ' of ' || CAST(n AS VARCHAR) || ' TCP conversations show packets of one end' AS details,
  capture, capture_id, alone AS count
FROM (
  SELECT capture, capture_id, count(*) AS n, count(*) FILTER (WHERE orig_packets = 0 OR resp_packets = 0) AS alone
  FROM flows WHERE transport = 'tcp' GROUP BY capture, capture_id
) WHERE n >= 10 AND alone >= 0.8 * n
ORDER BY capture;

-- @finding capture_extension_mismatch severity=info confidence=high
SELECT
  'The file name says another format than the content is' AS title,
  'named ' || capture || ', content is ' || format AS details, capture, capture_id
FROM captures
WHERE (capture LIKE '%.pcapng' AND format NOT LIKE 'pcapng%') OR (capture LIKE '%.pcap' AND format LIKE 'pcapng%')
ORDER BY capture;

-- @finding capture_secrets_embedded severity=info confidence=high
SELECT 'The capture brings keys along' AS title, string_agg(detail, '; ' ORDER BY detail) AS details, min(capture) AS capture, capture_id, count(*) AS count
FROM anomalies WHERE kind = 'embedded_secrets' GROUP BY capture_id ORDER BY capture;

-- @finding capture_duplicates severity=low
SELECT 'Frames were captured twice' AS title, CAST(again AS VARCHAR) || ' of ' || CAST(n AS VARCHAR) || ' TCP segments with data are exact repeats: a mirror port that sees both directions' AS details, again AS count, capture
FROM (SELECT min(capture) AS capture, capture_id, count(*) AS again FROM tcp_events WHERE (retransmission OR spurious_retransmission) AND length > 0 AND delay_ms < 0.5 GROUP BY capture_id) r
JOIN (SELECT capture_id, count(*) AS n FROM packets WHERE transport = 'tcp' AND payload_len > 0 GROUP BY capture_id) d ON d.capture_id = r.capture_id WHERE n >= 50 AND again >= 0.2 * n;
