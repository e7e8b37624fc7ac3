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
