-- @analyzer sv
-- @group    ot
-- @title    SAMPLED VALUES ANALYSIS
-- @help     IEC 61850 Sampled Values streams, loss, spoofing

-- @section summary shape=facts
SELECT count(*) AS samples, count(DISTINCT frame) AS frames, count(DISTINCT src_mac) AS publishers, count(DISTINCT sv_id) AS streams, count(*) FILTER (WHERE simulated) AS simulated,
  count(*) FILTER (WHERE malformed IS NOT NULL) AS malformed, min(ts) AS first, max(ts) AS last FROM sv;

-- @section "Streams" shape=table limit=30
SELECT sv_id AS stream, '0x' || lpad(to_hex(CAST(appid AS BIGINT)), 4, '0') AS appid, src_mac AS publisher, dst_mac AS destination, vlan_id AS vlan, priority, count(*) AS samples,
  CASE WHEN max(ts) > min(ts) THEN round(CAST(count(*) AS DOUBLE) * 1e9 / (CAST(max(ts) AS BIGINT) - CAST(min(ts) AS BIGINT)), 1) END AS "Samples/s", max(no_asdu) AS "ASDUs/frame", max(conf_rev) AS "confRev",
  min(smp_cnt) AS "Least smpCnt", max(smp_cnt) AS "Greatest smpCnt", count(*) FILTER (WHERE any_invalid) AS "Not good", count(*) FILTER (WHERE malformed IS NOT NULL) AS malformed
FROM sv GROUP BY sv_id, appid, src_mac, dst_mac, vlan_id, priority ORDER BY stream, appid, publisher, destination, vlan;

-- @section "Counters" shape=table limit=30
WITH steps AS (SELECT sv_id, appid, src_mac, smp_cnt, CAST(smp_cnt AS BIGINT) - lag(CAST(smp_cnt AS BIGINT)) OVER (PARTITION BY capture_id, sv_id, appid, src_mac ORDER BY frame, asdu_index) AS step FROM sv WHERE smp_cnt IS NOT NULL)
SELECT sv_id AS stream, src_mac AS publisher, count(*) FILTER (WHERE step = 1) AS "In order", count(*) FILTER (WHERE step > 1) AS gaps, sum(step - 1) FILTER (WHERE step > 1) AS missing, count(*) FILTER (WHERE step = 0) AS repeated,
  count(*) FILTER (WHERE step < 0 AND smp_cnt = 0) AS wraps, count(*) FILTER (WHERE step < 0 AND smp_cnt <> 0) AS "Steps back"
FROM steps WHERE step IS NOT NULL GROUP BY sv_id, src_mac ORDER BY missing DESC NULLS LAST, stream, publisher;

-- @section "Synchronisation" shape=table limit=15
WITH states AS (SELECT capture, capture_id, sv_id, src_mac, frame, ts, smp_synch, lag(smp_synch) OVER (PARTITION BY capture_id, sv_id, src_mac ORDER BY frame, asdu_index) AS before FROM sv WHERE smp_synch IS NOT NULL)
SELECT ts, sv_id AS stream, src_mac AS publisher, before AS "smpSynch before", smp_synch AS "smpSynch after", frame FROM states WHERE before <> smp_synch ORDER BY capture, frame, stream;

-- @section "Publishers of several streams" shape=table limit=15
SELECT src_mac AS publisher, count(DISTINCT sv_id) AS streams, count(DISTINCT appid) AS "APPIDs", count(*) AS samples FROM sv GROUP BY src_mac HAVING count(DISTINCT sv_id) > 1 ORDER BY streams DESC, publisher;

-- @section "Values of 9-2LE data sets" shape=table limit=15 if=sv
SELECT sv_id AS stream, array_element(ARRAY['Ia', 'Ib', 'Ic', 'In', 'Ua', 'Ub', 'Uc', 'Un'], CAST(place AS BIGINT)) AS quantity, min(value) AS least, max(value) AS greatest, round(sqrt(avg(CAST(value AS DOUBLE) * value)), 1) AS "RMS"
FROM (SELECT sv_id, unnest("values") AS value, unnest(ARRAY[1, 2, 3, 4, 5, 6, 7, 8]) AS place FROM sv WHERE "values" IS NOT NULL) GROUP BY sv_id, place ORDER BY stream, place;

-- @finding sv_duplicate_publisher severity=critical confidence=high technique=T0856,T0830
SELECT 'Two stations publish one stream' AS title, sv_id || ' (APPID 0x' || to_hex(CAST(appid AS BIGINT)) || ') comes from ' || array_to_string(array_sort(array_agg(DISTINCT src_mac)), ', ') AS details, sum(n) AS count, min(frame) AS frame,
  array_sort(array_agg(DISTINCT frame)) AS frames, min(first) AS ts, max(last) AS end_ts, capture
FROM (SELECT capture, capture_id, sv_id, appid, src_mac, count(*) AS n, min(frame) AS frame, min(ts) AS first, max(ts) AS last FROM sv WHERE sv_id IS NOT NULL GROUP BY capture, capture_id, sv_id, appid, src_mac)
GROUP BY capture, capture_id, sv_id, appid HAVING count(*) > 1 AND max(first) <= min(last) ORDER BY capture, sv_id;

-- @finding sv_injection severity=high technique=T0856
SELECT 'One sample counter, different values' AS title, a.sv_id || ': smpCnt ' || CAST(min(a.smp_cnt) AS VARCHAR) || CASE WHEN count(*) > 1 THEN ' and ' || CAST(count(*) - 1 AS VARCHAR) || ' more' ELSE '' END AS details, a.src_mac AS src_mac, count(*) AS count,
  min(a.frame) AS frame, array_slice(array_sort(array_agg(DISTINCT a.frame)), 1, 20) AS frames, min(a.ts) AS ts, max(a.ts) AS end_ts, a.capture AS capture
FROM (SELECT capture, capture_id, sv_id, src_mac, smp_cnt, frame, ts, array_to_string("values", ',') AS cells, CAST(ts AS BIGINT) AS at,
    lag(array_to_string("values", ',')) OVER w AS cells_before, lag(CAST(ts AS BIGINT)) OVER w AS at_before
  FROM sv WHERE "values" IS NOT NULL AND smp_cnt IS NOT NULL WINDOW w AS (PARTITION BY capture_id, sv_id, src_mac, smp_cnt ORDER BY frame, asdu_index)) AS a
-- A counter that restarts each second shows every number again after a second.
WHERE a.cells <> a.cells_before AND a.at - a.at_before < 500000000 GROUP BY a.capture, a.capture_id, a.sv_id, a.src_mac ORDER BY capture, details;

-- @finding sv_counter_gap severity=medium technique=T0814
WITH steps AS (SELECT capture, capture_id, sv_id, src_mac, frame, ts, smp_cnt, CAST(smp_cnt AS BIGINT) - lag(CAST(smp_cnt AS BIGINT)) OVER (PARTITION BY capture_id, sv_id, appid, src_mac ORDER BY frame, asdu_index) AS step FROM sv WHERE smp_cnt IS NOT NULL),
windows AS (SELECT capture, sv_id, src_mac, CAST(ts AS BIGINT) / 10000000000 AS span, count(*) AS n, sum(step - 1) FILTER (WHERE step > 1) AS missing, min(frame) FILTER (WHERE step > 1) AS frame, min(ts) FILTER (WHERE step > 1) AS first, max(ts) FILTER (WHERE step > 1) AS last
  FROM steps GROUP BY capture, capture_id, sv_id, src_mac, CAST(ts AS BIGINT) / 10000000000)
SELECT 'Samples are missing' AS title, sv_id || ': ' || CAST(sum(missing) AS VARCHAR) || ' of ' || CAST(sum(missing) + sum(n) AS VARCHAR) AS details, src_mac, sum(missing) AS count, min(frame) AS frame, min(first) AS ts, max(last) AS end_ts, capture
FROM windows WHERE missing > 0.001 * (n + missing) GROUP BY capture, sv_id, src_mac ORDER BY capture, sv_id, src_mac;

-- @finding sv_counter_reset severity=medium technique=T0830
WITH steps AS (SELECT capture, capture_id, sv_id, src_mac, frame, ts, smp_cnt, lag(smp_cnt) OVER (PARTITION BY capture_id, sv_id, appid, src_mac ORDER BY frame, asdu_index) AS before FROM sv WHERE smp_cnt IS NOT NULL)
SELECT 'A sample counter went back' AS title, sv_id || ': from ' || CAST(max(before) AS VARCHAR) || ' to ' || CAST(min(smp_cnt) AS VARCHAR) AS details, src_mac, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM steps WHERE smp_cnt < before AND smp_cnt <> 0 GROUP BY capture, capture_id, sv_id, src_mac ORDER BY capture, sv_id, src_mac;

-- @finding sv_sync_loss severity=medium confidence=high technique=T0814
WITH states AS (SELECT capture, capture_id, sv_id, src_mac, frame, ts, smp_synch, lag(smp_synch) OVER (PARTITION BY capture_id, sv_id, src_mac ORDER BY frame, asdu_index) AS before FROM sv WHERE smp_synch IS NOT NULL)
SELECT 'A publisher lost its clock' AS title, sv_id || ': smpSynch from ' || CAST(max(before) AS VARCHAR) || ' to 0' AS details, src_mac, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM states WHERE before > 0 AND smp_synch = 0 GROUP BY capture, capture_id, sv_id, src_mac ORDER BY capture, sv_id, src_mac;

-- @finding sv_confrev_change severity=medium confidence=high technique=T0836
SELECT 'The configuration of a stream changed' AS title, sv_id || ': confRev ' || array_to_string(array_sort(array_agg(DISTINCT conf_rev)), ', ') AS details, src_mac, count(DISTINCT conf_rev) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM sv WHERE conf_rev IS NOT NULL AND sv_id IS NOT NULL GROUP BY capture, capture_id, sv_id, src_mac HAVING count(DISTINCT conf_rev) > 1 ORDER BY capture, sv_id, src_mac;

-- @finding sv_simulated severity=medium confidence=high technique=T0856
SELECT 'Samples marked as simulated' AS title, coalesce(sv_id, '-') || ': ' || CAST(count(*) AS VARCHAR) || ' samples' AS details, src_mac, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM sv WHERE simulated GROUP BY capture, capture_id, sv_id, src_mac ORDER BY capture, sv_id, src_mac;

-- @finding sv_test_quality severity=low confidence=high
SELECT 'Samples with the quality of a test' AS title, sv_id || ': ' || CAST(count(*) AS VARCHAR) || ' samples' AS details, src_mac, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM sv WHERE any_test GROUP BY capture, capture_id, sv_id, src_mac ORDER BY capture, sv_id, src_mac;

-- @finding sv_wrong_destination severity=low confidence=high
SELECT 'Sampled values to an address that is not their own' AS title, CAST(count(DISTINCT sv_id) AS VARCHAR) || ' streams to ' || dst_mac AS details, src_mac, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM sv WHERE dst_mac IS NOT NULL AND dst_ip IS NULL AND (substr(dst_mac, 2, 1) IN ('0', '2', '4', '6', '8', 'a', 'c', 'e') OR dst_mac = 'ff:ff:ff:ff:ff:ff') GROUP BY capture, capture_id, src_mac, dst_mac ORDER BY capture, src_mac, dst_mac;

-- @finding sv_rate_change severity=medium technique=T0814
WITH seconds AS (SELECT capture, capture_id, sv_id, src_mac, CAST(ts AS BIGINT) / 1000000000 AS second, count(*) AS n, min(frame) AS frame, min(ts) AS first, max(ts) AS last FROM sv WHERE sv_id IS NOT NULL GROUP BY capture, capture_id, sv_id, src_mac, CAST(ts AS BIGINT) / 1000000000),
placed AS (SELECT *, min(second) OVER w AS start, max(second) OVER w AS stop FROM seconds WINDOW w AS (PARTITION BY capture_id, sv_id, src_mac)),
rates AS (SELECT capture, capture_id, sv_id, src_mac, median(CASE WHEN second <= start + 10 THEN CAST(n AS DOUBLE) END) AS rate FROM placed WHERE second > start AND second < stop GROUP BY capture, capture_id, sv_id, src_mac)
SELECT 'A stream changed its rate' AS title, p.sv_id || ': ' || CAST(min(p.n) AS VARCHAR) || ' to ' || CAST(max(p.n) AS VARCHAR) || ' samples a second, first ' || CAST(round(max(r.rate)) AS VARCHAR) AS details, p.src_mac AS src_mac, count(*) AS count,
  min(p.frame) AS frame, min(p.first) AS ts, max(p.last) AS end_ts, p.capture AS capture
FROM placed AS p JOIN rates AS r ON r.capture_id = p.capture_id AND r.sv_id = p.sv_id AND r.src_mac = p.src_mac
-- One second more or less at the edge of a sample is no change of rate.
WHERE p.second > p.start + 10 AND p.second < p.stop AND abs(p.n - r.rate) > 0.01 * r.rate + 1 GROUP BY p.capture, p.capture_id, p.sv_id, p.src_mac HAVING count(*) >= 2 ORDER BY capture, details;
