-- @analyzer goose
-- @group    ot
-- @title    GOOSE ANALYSIS
-- @help     IEC 61850 GOOSE publishers, state changes, spoofing

-- @section summary shape=facts
SELECT count(*) AS messages, count(DISTINCT src_mac) AS publishers, count(DISTINCT gocb_ref) AS streams, count(*) FILTER (WHERE state_changed) AS state_changes,
  count(*) FILTER (WHERE simulation) AS simulated, min(ts) AS first, max(ts) AS last FROM goose;

-- @section "Streams" shape=table limit=15
SELECT src_mac AS publisher, vlan_id AS vlan, '0x' || lpad(to_hex(CAST(appid AS BIGINT)), 4, '0') AS appid, gocb_ref AS "Control block", conf_rev AS "confRev", num_dat_set_entries AS entries, count(*) AS frames,
  count(*) FILTER (WHERE state_changed) AS changes, max(st_num) AS "Last stNum", max(time_allowed_to_live_ms) AS allowed_to_live_ms
FROM goose GROUP BY src_mac, vlan_id, appid, gocb_ref, conf_rev, num_dat_set_entries ORDER BY changes DESC, "Control block", publisher;

-- @section "State changes" shape=timeline limit=15
SELECT ts, src_mac AS publisher, gocb_ref AS "Control block", st_num AS "stNum", array_to_string("values", ', ') AS "Values" FROM goose WHERE state_changed ORDER BY capture, frame;

-- @section "Flags" shape=table limit=15
SELECT gocb_ref AS "Control block", count(*) FILTER (WHERE simulation) AS simulation, count(*) FILTER (WHERE nds_com) AS "ndsCom", count(*) FILTER (WHERE (time_quality & 96) <> 0) AS "Clock doubtful"
FROM goose GROUP BY gocb_ref HAVING count(*) FILTER (WHERE simulation OR nds_com OR (time_quality & 96) <> 0) > 0 ORDER BY gocb_ref;

-- @section "Messages" shape=table verbose
SELECT ts, src_mac AS publisher, gocb_ref AS "Control block", st_num AS "stNum", sq_num AS "sqNum", interval_ms, malformed FROM goose ORDER BY capture, frame;

-- @finding goose_simulation severity=medium confidence=high technique=T0856
SELECT CASE WHEN real = 0 THEN 'info' WHEN overlapping > 0 THEN 'high' ELSE 'medium' END AS severity, 'Messages marked as simulation' AS title,
  CAST(simulated AS VARCHAR) || ' of ' || CAST(simulated + real AS VARCHAR) || ' messages of ' || gocb_ref AS details, simulated AS count, frame, frames, ts, end_ts, capture
FROM (SELECT min(capture) AS capture, capture_id, gocb_ref, count(*) FILTER (WHERE simulation) AS simulated, count(*) FILTER (WHERE NOT simulation) AS real, count(DISTINCT CASE WHEN NOT simulation THEN src_mac END) AS overlapping,
    min(frame) FILTER (WHERE simulation) AS frame, array_slice(array_sort(array_agg(frame) FILTER (WHERE simulation)), 1, 20) AS frames, min(ts) FILTER (WHERE simulation) AS ts, max(ts) FILTER (WHERE simulation) AS end_ts
  FROM goose GROUP BY capture_id, gocb_ref) WHERE simulated > 0 ORDER BY gocb_ref;

-- @finding goose_second_publisher severity=critical confidence=high technique=T0856,T0830,T0855
WITH told AS (SELECT capture, capture_id, gocb_ref, src_mac, frame, ts, CAST(st_num AS VARCHAR) || '/' || CAST(sq_num AS VARCHAR) || '/' || coalesce(data_hash, '') AS message, lag(src_mac) OVER w AS before, CAST(ts AS BIGINT) - lag(CAST(ts AS BIGINT)) OVER w AS pause FROM goose WINDOW w AS (PARTITION BY capture_id, gocb_ref ORDER BY frame)),
-- Two networks carry the same messages (PRP); two publishers have messages of their own.
shared AS (SELECT capture_id, gocb_ref, message, count(DISTINCT src_mac) AS stations FROM told GROUP BY capture_id, gocb_ref, message),
publishers AS (SELECT t.capture_id, t.gocb_ref, t.src_mac, count(*) AS n, count(*) FILTER (WHERE s.stations = 1) AS own FROM told t JOIN shared s ON s.capture_id = t.capture_id AND s.gocb_ref = t.gocb_ref AND s.message = t.message GROUP BY t.capture_id, t.gocb_ref, t.src_mac),
rivals AS (SELECT capture_id, gocb_ref FROM publishers GROUP BY capture_id, gocb_ref HAVING count(*) > 1 AND bool_or(own * 2 > n))
SELECT 'Two stations publish one control block' AS title, t.gocb_ref || ' comes from ' || array_to_string(array_sort(array_agg(DISTINCT t.src_mac)), ', ') AS details, count(*) AS count, min(t.frame) FILTER (WHERE t.src_mac <> t.before) AS frame,
  array_slice(array_sort(array_agg(t.frame) FILTER (WHERE t.src_mac <> t.before)), 1, 20) AS frames, min(t.ts) AS ts, max(t.ts) AS end_ts, min(t.capture) AS capture
FROM told t JOIN rivals r ON r.capture_id = t.capture_id AND r.gocb_ref = t.gocb_ref
-- A device that takes the place of another comes when that is gone.
GROUP BY t.capture_id, t.gocb_ref HAVING count(*) FILTER (WHERE t.src_mac <> t.before AND t.pause <= 10000000000) > 0 ORDER BY t.gocb_ref;

-- @finding goose_data_without_stnum severity=high confidence=high technique=T0856
SELECT 'Data changed without a new state number' AS title, gocb_ref || ': ' || CAST(count(*) AS VARCHAR) || ' messages' AS details, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM goose WHERE data_changed AND NOT state_changed GROUP BY gocb_ref, capture ORDER BY gocb_ref;

-- @finding goose_unicast severity=medium confidence=high technique=T0830
SELECT 'GOOSE to an address that is not its own' AS title, gocb_ref || ' to ' || dst_mac AS details, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM goose WHERE NOT coalesce(is_routable, false) AND dst_mac NOT LIKE '01:0c:cd:01:%' GROUP BY gocb_ref, dst_mac, capture ORDER BY gocb_ref, dst_mac;

-- @finding goose_ttl_invalid severity=low confidence=high technique=T0814
SELECT 'timeAllowedtoLive is out of range' AS title, gocb_ref || ': ' || CAST(time_allowed_to_live_ms AS VARCHAR) || ' ms' AS details, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM goose WHERE time_allowed_to_live_ms = 0 OR time_allowed_to_live_ms > 60000 GROUP BY gocb_ref, time_allowed_to_live_ms, capture ORDER BY gocb_ref, time_allowed_to_live_ms;

-- @finding goose_stnum_regression severity=high confidence=high technique=T0856
WITH steps AS (SELECT capture, capture_id, gocb_ref, src_mac, frame, ts, st_num, sq_num, lag(st_num) OVER w AS before, CAST(ts AS BIGINT) - CAST(lag(ts) OVER w AS BIGINT) AS pause FROM goose WHERE NOT coalesce(simulation, false) WINDOW w AS (PARTITION BY capture_id, gocb_ref ORDER BY frame))
SELECT 'A state number went back' AS title, gocb_ref || ': from ' || CAST(max(before) AS VARCHAR) || ' to ' || CAST(min(st_num) AS VARCHAR) AS details, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM steps WHERE st_num < before AND before < 4294967295 AND pause <= 300000000000 AND NOT (st_num <= 1 AND sq_num = 0 AND pause > 1000000000) GROUP BY capture_id, gocb_ref ORDER BY gocb_ref;

-- @finding goose_replay severity=high confidence=high technique=T0856
SELECT 'An old message was sent again' AS title, a.gocb_ref || ': state ' || CAST(min(a.st_num) AS VARCHAR) || ' again after a newer one' AS details, count(*) AS count, min(a.frame) AS frame, array_slice(array_sort(array_agg(DISTINCT a.frame)), 1, 20) AS frames, min(a.ts) AS ts, max(a.ts) AS end_ts, min(b.capture) AS capture
FROM (SELECT *, max(st_num) OVER (PARTITION BY capture_id, gocb_ref ORDER BY frame ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS newest FROM goose) a
JOIN goose b ON b.capture_id = a.capture_id AND b.gocb_ref = a.gocb_ref AND b.st_num = a.st_num AND b.sq_num = a.sq_num AND b.data_hash = a.data_hash AND b.event_time = a.event_time
WHERE a.newest > a.st_num AND b.frame < a.frame AND CAST(a.ts AS BIGINT) - CAST(b.ts AS BIGINT) > 1000000000 GROUP BY b.capture_id, a.gocb_ref ORDER BY a.gocb_ref;

-- @finding goose_sqnum_jump severity=medium confidence=medium technique=T0830
WITH steps AS (SELECT capture, capture_id, gocb_ref, frame, ts, st_num, sq_num, lag(st_num) OVER w AS st_before, lag(sq_num) OVER w AS sq_before FROM goose WINDOW w AS (PARTITION BY capture_id, gocb_ref ORDER BY frame)),
jumps AS (SELECT *, (st_num = st_before AND sq_num > sq_before + 1) OR (st_num = st_before + 1 AND sq_num > 1) AS jumped FROM steps WHERE st_before IS NOT NULL),
streams AS (SELECT capture_id, count(DISTINCT gocb_ref) AS streams, count(DISTINCT CASE WHEN jumped THEN gocb_ref END) AS hit FROM jumps GROUP BY capture_id)
SELECT 'Messages of a stream are missing' AS title, j.gocb_ref || ': the sequence number jumps ' || CAST(count(*) AS VARCHAR) || ' times' AS details, count(*) AS count, min(j.frame) AS frame, array_slice(array_sort(array_agg(j.frame)), 1, 20) AS frames, min(j.ts) AS ts, max(j.ts) AS end_ts, min(j.capture) AS capture
FROM jumps j JOIN streams s ON s.capture_id = j.capture_id WHERE j.jumped AND (s.streams = 1 OR s.hit < s.streams) GROUP BY j.capture_id, j.gocb_ref HAVING count(*) >= 3 ORDER BY j.gocb_ref;

-- @finding goose_high_stnum severity=high confidence=high technique=T0856
SELECT 'A state number far ahead of its time' AS title, gocb_ref || ': from ' || CAST(min(before) AS VARCHAR) || ' to ' || CAST(max(st_num) AS VARCHAR) AS details, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM (SELECT capture, capture_id, gocb_ref, frame, ts, st_num, lag(st_num) OVER (PARTITION BY capture_id, gocb_ref ORDER BY frame) AS before FROM goose) WHERE (st_num > before + 1000) OR (st_num = 4294967295 AND before IS NOT NULL AND before <> st_num) GROUP BY capture_id, gocb_ref ORDER BY gocb_ref;

-- @finding goose_timing_burst severity=medium confidence=medium technique=T0814
SELECT 'States change faster than a process can' AS title, gocb_ref || ': up to ' || CAST(max(n) AS VARCHAR) || ' states a second' AS details, sum(n) AS count, min(frame) AS frame, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM (SELECT min(capture) AS capture, capture_id, gocb_ref, CAST(ts AS BIGINT) / 1000000000 AS second, count(DISTINCT st_num) AS n, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts FROM goose GROUP BY capture_id, gocb_ref, CAST(ts AS BIGINT) / 1000000000 HAVING count(DISTINCT st_num) > 50) GROUP BY capture_id, gocb_ref ORDER BY gocb_ref;

-- @finding goose_heartbeat_lost severity=high confidence=high technique=T0814,T0804
WITH beats AS (
  SELECT g.capture, g.capture_id, g.gocb_ref, g.frame, g.ts, coalesce(lead(CAST(g.ts AS BIGINT)) OVER w, CAST(c.end_ts AS BIGINT)) - CAST(g.ts AS BIGINT) AS silence, g.time_allowed_to_live_ms AS allowed, row_number() OVER w AS place
  FROM goose g LEFT JOIN captures c ON c.capture_id = g.capture_id WHERE NOT coalesce(g.simulation, false) WINDOW w AS (PARTITION BY g.capture_id, g.gocb_ref ORDER BY g.frame))
SELECT 'A stream fell silent' AS title, gocb_ref || ': ' || CAST(round(max(silence) / 1e9, 1) AS VARCHAR) || ' s without a message, ' || CAST(max(allowed) AS VARCHAR) || ' ms are allowed' AS details, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM beats WHERE place >= 3 AND allowed BETWEEN 1 AND 60000 AND silence > 2 * CAST(allowed AS BIGINT) * 1000000 GROUP BY capture_id, gocb_ref ORDER BY gocb_ref;

-- @finding goose_confrev_change severity=medium confidence=high technique=T0836
SELECT 'The configuration of a stream changed' AS title, gocb_ref || ': revision ' || CAST(min(before) AS VARCHAR) || ' to ' || CAST(max(conf_rev) AS VARCHAR) AS details, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM (SELECT capture, capture_id, gocb_ref, frame, ts, conf_rev, st_num, lag(conf_rev) OVER (PARTITION BY capture_id, gocb_ref ORDER BY frame) AS before FROM goose) WHERE before IS NOT NULL AND conf_rev <> before AND st_num > 1 GROUP BY capture_id, gocb_ref ORDER BY gocb_ref;

-- @finding goose_dataset_change severity=medium confidence=high technique=T0836
SELECT 'The data set of a stream changed under the same revision' AS title, gocb_ref || ': ' || CAST(min(entries_before) AS VARCHAR) || ' to ' || CAST(max(entries) AS VARCHAR) || ' entries, ' || coalesce(max(set_name), 'no name') AS details, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM (SELECT capture, capture_id, gocb_ref, frame, ts, dat_set AS set_name, num_dat_set_entries AS entries, conf_rev, lag(dat_set) OVER w AS set_before, lag(num_dat_set_entries) OVER w AS entries_before, lag(conf_rev) OVER w AS rev_before FROM goose WINDOW w AS (PARTITION BY capture_id, gocb_ref ORDER BY frame))
WHERE rev_before = conf_rev AND (set_name <> set_before OR entries <> entries_before) GROUP BY capture_id, gocb_ref ORDER BY gocb_ref;

-- @finding goose_clock severity=low confidence=high technique=T0832
SELECT 'A publisher whose clock is not in order' AS title, gocb_ref || ': ' || CAST(count(*) FILTER (WHERE bad) AS VARCHAR) || ' of ' || CAST(count(*) AS VARCHAR) || ' messages with failed or unsynchronised time' AS details, count(*) FILTER (WHERE bad) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM (SELECT capture, capture_id, gocb_ref, frame, ts, (CAST(time_quality AS BIGINT) & 96) <> 0 AS bad FROM goose WHERE time_quality IS NOT NULL) GROUP BY capture_id, gocb_ref HAVING count(*) FILTER (WHERE bad) > 0.5 * count(*) ORDER BY gocb_ref;

-- @finding goose_many_appids severity=info confidence=high
SELECT 'One station publishes many streams' AS title, src_mac || ': ' || CAST(count(DISTINCT appid) AS VARCHAR) || ' APPIDs' AS details, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture FROM goose GROUP BY capture_id, src_mac HAVING count(DISTINCT appid) > 20 ORDER BY src_mac;

-- @finding goose_stnum_without_change severity=medium confidence=medium technique=T0856
WITH steps AS (SELECT capture, capture_id, gocb_ref, src_mac, frame, ts, st_num, data_hash, lag(st_num) OVER w AS before, lag(data_hash) OVER w AS data_before, lag(conf_rev) OVER w AS rev_before, conf_rev FROM goose WHERE NOT coalesce(simulation, false) WINDOW w AS (PARTITION BY capture_id, gocb_ref, src_mac ORDER BY frame))
SELECT 'A new state with the data of the old one' AS title, gocb_ref || ': state ' || CAST(first_value(before ORDER BY frame) AS VARCHAR) || ' to ' || CAST(first_value(st_num ORDER BY frame) AS VARCHAR) || CASE WHEN count(*) > 1 THEN ' and ' || CAST(count(*) - 1 AS VARCHAR) || ' more' ELSE '' END AS details, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
-- Where numbers are missing, the data may have changed and changed back.
FROM steps WHERE st_num = before + 1 AND data_hash = data_before AND conf_rev = rev_before GROUP BY capture_id, gocb_ref, src_mac ORDER BY gocb_ref;
