-- @analyzer yokogawa
-- @group    ot
-- @title    YOKOGAWA VNET/IP
-- @help     Yokogawa Vnet/IP traffic

-- @section summary shape=facts
SELECT count(*) AS packets, count(DISTINCT src_ip) AS stations, max(confidence) AS confidence, 'not decoded: Vnet/IP (IEC 61158 type 17) has no public description' AS content, min(ts) AS first, max(ts) AS last FROM yokogawa;

-- @section "Stations" shape=table limit=15
SELECT src_ip AS ip, max(src_mac) AS mac, max(confidence) AS confidence, array_to_string(array_sort(array_agg(DISTINCT port)), ', ') AS ports, count(DISTINCT dst_ip) AS peers, count(*) AS packets, CASE WHEN CAST(max(ts) AS BIGINT) > CAST(min(ts) AS BIGINT) THEN round((count(*) - 1) * 1e9 / (CAST(max(ts) AS BIGINT) - CAST(min(ts) AS BIGINT)), 2) END AS "A second", min(ts) AS first, max(ts) AS last FROM yokogawa GROUP BY src_ip ORDER BY packets DESC, ip;

-- @section "Pairs" shape=table limit=15
SELECT src_ip AS source, dst_ip AS destination, transport, port, count(*) AS packets, sum(payload_len) AS bytes FROM yokogawa GROUP BY 1, 2, 3, 4 ORDER BY packets DESC, source, destination, port;

-- @section "Message shapes" shape=table limit=20
SELECT payload_len AS length, count(*) AS packets, count(DISTINCT src_ip) AS senders FROM yokogawa GROUP BY payload_len ORDER BY packets DESC, length;

-- @section "Datagrams" shape=table verbose
SELECT ts, src_ip AS source, dst_ip AS destination, port, payload_len AS bytes, confidence, frame FROM yokogawa ORDER BY capture, frame;

-- @finding yokogawa_seen severity=info confidence=low technique=T0888
SELECT 'Traffic that may be Vnet/IP' AS title, 'port ' || array_to_string(array_sort(array_agg(DISTINCT port)), ', ') || ', confidence ' || max(confidence) AS details, src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM yokogawa WHERE confidence <> 'low' GROUP BY capture, capture_id, src_ip ORDER BY capture, frame;

-- @finding yokogawa_silence severity=high confidence=medium technique=T0814
WITH beats AS (SELECT capture, capture_id, src_ip, frame, ts, CAST(ts AS BIGINT) AS moment, lead(CAST(ts AS BIGINT)) OVER (PARTITION BY capture_id, src_ip ORDER BY frame) AS next, CAST(min(ts) OVER (PARTITION BY capture_id, src_ip) AS BIGINT) AS start, CAST(max(ts) OVER (PARTITION BY capture_id) AS BIGINT) AS finish, row_number() OVER (PARTITION BY capture_id, src_ip ORDER BY frame) AS n FROM yokogawa WHERE confidence <> 'low')
SELECT 'A station fell silent' AS title, 'for ' || CAST(round((coalesce(next, finish) - moment) / 1e9, 1) AS VARCHAR) || ' s' AS details, src_ip, frame, ts, capture FROM beats
WHERE moment - start >= 300000000000 AND n >= (moment - start) / 1000000000 AND coalesce(next, finish) - moment >= 10000000000 ORDER BY capture, frame;

-- @finding yokogawa_public severity=high confidence=high technique=T0883
SELECT 'Traffic that may be Vnet/IP crosses the internet' AS title, CAST(count(*) AS VARCHAR) || ' messages' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM yokogawa WHERE confidence <> 'low' AND (is_public(src_ip) OR is_public(dst_ip)) GROUP BY capture, capture_id, src_ip, dst_ip ORDER BY capture, frame;

-- @finding yokogawa_new_talker severity=medium confidence=medium technique=T0885
WITH spans AS (SELECT capture_id, CAST(min(ts) AS BIGINT) AS start FROM packets GROUP BY capture_id),
talkers AS (SELECT min(capture) AS capture, capture_id, src_ip, count(*) AS n, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, CAST(min(ts) AS BIGINT) AS since FROM yokogawa WHERE confidence <> 'low' GROUP BY capture_id, src_ip),
answered AS (SELECT q.capture_id, q.src_ip, min(q.dst_ip) AS dst_ip FROM yokogawa q JOIN yokogawa a ON a.capture_id = q.capture_id AND a.src_ip = q.dst_ip AND a.dst_ip = q.src_ip AND a.frame > q.frame GROUP BY q.capture_id, q.src_ip)
SELECT 'A new host speaks on the ports of Vnet/IP' AS title, 'first heard ' || CAST((t.since - s.start) / 1000000000 AS VARCHAR) || ' s into the capture, and answered' AS details, t.src_ip, a.dst_ip, t.n AS count, t.frame, t.frames, t.ts, t.end_ts, t.capture
FROM talkers t JOIN spans s ON s.capture_id = t.capture_id JOIN answered a ON a.capture_id = t.capture_id AND a.src_ip = t.src_ip
-- Stations speak each second: who was silent for ten minutes while others spoke is none of them.
WHERE t.since > s.start + 600000000000 AND EXISTS (SELECT 1 FROM talkers o WHERE o.capture_id = t.capture_id AND o.src_ip <> t.src_ip AND o.since < t.since - 60000000000) ORDER BY t.frame;

-- @finding yokogawa_shape_change severity=low confidence=low technique=T0885
WITH shapes AS (SELECT capture, capture_id, src_ip, dst_ip, payload_len, frame, ts, CAST(ts AS BIGINT) AS at, min(CAST(ts AS BIGINT)) OVER (PARTITION BY capture_id, src_ip) AS since, min(CAST(ts AS BIGINT)) OVER (PARTITION BY capture_id, src_ip, payload_len) AS shape_since FROM yokogawa WHERE confidence <> 'low' AND NOT coalesce(is_multicast, false))
SELECT 'A station sends messages of a kind it did not send before' AS title, 'of ' || CAST(payload_len AS VARCHAR) || ' bytes to ' || CAST(count(DISTINCT dst_ip) AS VARCHAR) || ' stations within a minute' AS details, src_ip, min(dst_ip) AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
-- Five minutes show what a station sends.
FROM shapes WHERE shape_since - since > 300000000000 AND at - shape_since <= 60000000000 GROUP BY capture_id, src_ip, payload_len HAVING count(DISTINCT dst_ip) >= 3 ORDER BY frame;
