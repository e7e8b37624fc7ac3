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
  CAST(simulated AS VARCHAR) || ' of ' || CAST(simulated + real AS VARCHAR) || ' messages of ' || gocb_ref AS details, simulated AS count, frame, frames, ts, end_ts
FROM (SELECT gocb_ref, count(*) FILTER (WHERE simulation) AS simulated, count(*) FILTER (WHERE NOT simulation) AS real, count(DISTINCT CASE WHEN NOT simulation THEN src_mac END) AS overlapping,
    min(frame) FILTER (WHERE simulation) AS frame, array_slice(array_agg(frame ORDER BY frame) FILTER (WHERE simulation), 1, 20) AS frames, min(ts) FILTER (WHERE simulation) AS ts, max(ts) FILTER (WHERE simulation) AS end_ts
  FROM goose GROUP BY gocb_ref) WHERE simulated > 0 ORDER BY gocb_ref;

-- @finding goose_second_publisher severity=critical confidence=high technique=T0856,T0830,T0855
SELECT 'Two stations publish one control block' AS title, gocb_ref || ' comes from ' || array_to_string(array_sort(array_agg(DISTINCT src_mac)), ', ') AS details, count(*) AS count, min(frame) AS frame,
  array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM goose GROUP BY gocb_ref HAVING count(DISTINCT src_mac) > 1 AND count(DISTINCT src_mac || CAST(st_num AS VARCHAR) || '/' || CAST(sq_num AS VARCHAR)) > count(DISTINCT CAST(st_num AS VARCHAR) || '/' || CAST(sq_num AS VARCHAR))
ORDER BY gocb_ref;

-- @finding goose_data_without_stnum severity=high confidence=high technique=T0856
SELECT 'Data changed without a new state number' AS title, gocb_ref || ': ' || CAST(count(*) AS VARCHAR) || ' messages' AS details, count(*) AS count, min(frame) AS frame,
  array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM goose WHERE data_changed AND NOT state_changed GROUP BY gocb_ref ORDER BY gocb_ref;

-- @finding goose_unicast severity=medium confidence=high technique=T0830
SELECT 'GOOSE to an address that is not its own' AS title, gocb_ref || ' to ' || dst_mac AS details, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts
FROM goose WHERE NOT coalesce(is_routable, false) AND dst_mac NOT LIKE '01:0c:cd:01:%' GROUP BY gocb_ref, dst_mac ORDER BY gocb_ref, dst_mac;

-- @finding goose_ttl_invalid severity=low confidence=high technique=T0814
SELECT 'timeAllowedtoLive is out of range' AS title, gocb_ref || ': ' || CAST(time_allowed_to_live_ms AS VARCHAR) || ' ms' AS details, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts
FROM goose WHERE time_allowed_to_live_ms = 0 OR time_allowed_to_live_ms > 60000 GROUP BY gocb_ref, time_allowed_to_live_ms ORDER BY gocb_ref, time_allowed_to_live_ms;
