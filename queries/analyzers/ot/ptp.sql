-- @analyzer ptp
-- @group    ot
-- @title    PTP ANALYSIS
-- @help     Precision Time Protocol clocks and grandmaster changes

-- @section summary shape=facts
SELECT count(*) AS messages, array_to_string(array_sort(array_agg(DISTINCT CAST(version AS VARCHAR) || CASE WHEN minor_version > 0 THEN '.' || CAST(minor_version AS VARCHAR) ELSE '' END)), ', ') AS versions, count(DISTINCT domain) AS domains,
  array_to_string(array_sort(array_agg(DISTINCT transport)), ', ') AS transports, array_to_string(array_sort(array_agg(DISTINCT profile) FILTER (WHERE profile IS NOT NULL)), ', ') AS profiles, count(DISTINCT source_clock) AS clocks,
  count(DISTINCT gm_clock) AS grandmasters, min(ts) AS first, max(ts) AS last FROM ptp;

-- @section "Grandmasters" shape=table limit=15
SELECT domain, gm_clock AS grandmaster, gm_class AS class, '0x' || to_hex(CAST(gm_accuracy AS BIGINT)) AS accuracy, priority1, priority2,
  CASE time_source WHEN 16 THEN 'atomic clock' WHEN 32 THEN 'GNSS' WHEN 48 THEN 'terrestrial radio' WHEN 64 THEN 'PTP' WHEN 80 THEN 'NTP' WHEN 96 THEN 'hand set' WHEN 144 THEN 'other' WHEN 160 THEN 'internal oscillator' END AS source, min(steps_removed) AS steps,
  array_to_string(array_sort(array_agg(DISTINCT source_clock)), ', ') AS "Announced by", count(*) AS announcements, min(ts) AS first, max(ts) AS last
FROM ptp WHERE gm_clock IS NOT NULL GROUP BY domain, gm_clock, gm_class, gm_accuracy, priority1, priority2, time_source ORDER BY domain, first, grandmaster;

-- @section "Clocks" shape=table limit=30
SELECT source_clock || '/' || CAST(source_port_number AS VARCHAR) AS port, max(src_mac) AS mac, max(src_ip) AS ip, domain,
  CASE WHEN count(*) FILTER (WHERE message_type_name IN ('sync', 'announce')) > 0 THEN 'master' WHEN count(*) FILTER (WHERE message_type_name = 'delay_req') > 0 THEN 'slave' END AS role,
  array_to_string(array_sort(array_agg(DISTINCT message_type_name)), ', ') AS messages, count(*) AS count, min(ts) AS first, max(ts) AS last
FROM ptp GROUP BY source_clock, source_port_number, domain ORDER BY domain, port;

-- @section "Messages by type" shape=table limit=15
SELECT message_type_name AS type, domain, count(*) AS count, CASE WHEN count(*) > 1 THEN round(CAST(CAST(max(ts) AS BIGINT) - CAST(min(ts) AS BIGINT) AS DOUBLE) / 1e9 / (count(*) - 1), 3) END AS interval_s FROM ptp GROUP BY message_type_name, domain ORDER BY count DESC, type, domain;

-- @section "Offset to the capture's clock" shape=table limit=15
SELECT domain, source_clock AS clock, count(*) AS messages, round(min(offset_ms), 3) AS least_ms, round(median(offset_ms), 3) AS median_ms, round(max(offset_ms), 3) AS greatest_ms FROM ptp WHERE offset_ms IS NOT NULL GROUP BY domain, source_clock ORDER BY domain, clock;

-- @section "Management" shape=table limit=15
SELECT ts, source_clock AS clock, target_clock AS target, management_action_name AS action, coalesce(management_name, CAST(management_id AS VARCHAR)) AS what, coalesce(management_error, CAST(management_error_code AS VARCHAR)) AS error, frame FROM ptp WHERE management_action IS NOT NULL ORDER BY capture, frame;

-- @finding ptp_grandmaster_change severity=medium confidence=high technique=T0830,T0849
SELECT CASE WHEN quiet > 3 * pace THEN 'low' WHEN priority1 < old_priority1 OR priority1 = old_priority1 AND gm_class < old_class THEN 'high' ELSE 'medium' END AS severity, 'Another grandmaster in a domain' AS title,
  'domain ' || CAST(domain AS VARCHAR) || ': ' || gm_clock || ' (priority ' || CAST(priority1 AS VARCHAR) || ', class ' || CAST(gm_class AS VARCHAR) || ') after ' || old || ' (priority ' || CAST(old_priority1 AS VARCHAR) || ', class ' || CAST(old_class AS VARCHAR) || ')' AS details,
  src_mac, frame, ts, capture
FROM (
  SELECT a.capture, a.capture_id, a.frame, a.ts, a.domain, a.src_mac, a.gm_clock, a.priority1, a.gm_class, lag(a.gm_clock) OVER w AS old, lag(a.priority1) OVER w AS old_priority1, lag(a.gm_class) OVER w AS old_class,
    CAST(a.ts AS BIGINT) - lag(CAST(a.ts AS BIGINT)) OVER w AS quiet, power(2, a.log_interval) * 1e9 AS pace, row_number() OVER (PARTITION BY a.capture_id, a.vlan_id, a.domain, a.gm_clock ORDER BY a.frame) AS nth
  FROM ptp AS a WHERE a.gm_clock IS NOT NULL WINDOW w AS (PARTITION BY a.capture_id, a.vlan_id, a.domain ORDER BY a.frame))
-- Told once a clock: while two compete they alternate.
WHERE old <> gm_clock AND nth = 1 ORDER BY capture, frame;

-- @finding ptp_competing_masters severity=high technique=T0830
SELECT 'Two clocks are masters of one domain' AS title, 'domain ' || CAST(a.domain AS VARCHAR) || ': ' || a.source_clock || ' and ' || b.source_clock AS details, least(a.n, b.n) AS count, greatest(a.frame, b.frame) AS frame, array_sort(make_array(a.frame, b.frame)) AS frames,
  greatest(a.first, b.first) AS ts, least(a.last, b.last) AS end_ts, a.capture AS capture
FROM (SELECT capture, capture_id, vlan_id, domain, source_clock, max(steps_removed) AS steps, count(*) AS n, min(frame) AS frame, min(ts) AS first, max(ts) AS last FROM ptp WHERE message_type_name IN ('sync', 'announce') GROUP BY capture, capture_id, vlan_id, domain, source_clock HAVING count(DISTINCT message_type_name) = 2) AS a
JOIN (SELECT capture_id, coalesce(vlan_id, 0) AS vlan, domain, source_clock, max(steps_removed) AS steps, count(*) AS n, min(frame) AS frame, min(ts) AS first, max(ts) AS last FROM ptp WHERE message_type_name IN ('sync', 'announce') GROUP BY capture_id, coalesce(vlan_id, 0), domain, source_clock HAVING count(DISTINCT message_type_name) = 2) AS b
  ON a.capture_id = b.capture_id AND coalesce(a.vlan_id, 0) = b.vlan AND a.domain = b.domain AND a.source_clock < b.source_clock AND coalesce(a.steps, 0) = coalesce(b.steps, 0)
WHERE CAST(least(a.last, b.last) AS BIGINT) - CAST(greatest(a.first, b.first) AS BIGINT) > 5000000000 ORDER BY capture, details;

-- @finding ptp_clock_identity_conflict severity=high confidence=high technique=T0830
SELECT 'One clock identity, two stations' AS title, source_clock || ' from ' || array_to_string(array_sort(array_agg(DISTINCT station)), ', ') AS details, sum(n) AS count, min(frame) AS frame, array_sort(array_agg(frame)) AS frames, min(first) AS ts, max(last) AS end_ts, capture
FROM (SELECT capture, capture_id, source_clock, source_port_number, CASE WHEN transport = 'ethernet' THEN src_mac ELSE src_ip END AS station, count(*) AS n, min(frame) AS frame, min(ts) AS first, max(ts) AS last FROM ptp GROUP BY capture, capture_id, source_clock, source_port_number, CASE WHEN transport = 'ethernet' THEN src_mac ELSE src_ip END)
GROUP BY capture, capture_id, source_clock, source_port_number HAVING count(*) > 1 AND max(first) <= min(last) ORDER BY capture, source_clock;

-- @finding ptp_time_step severity=high technique=T0856,T0831
SELECT 'A clock jumped' AS title, source_clock || ' by ' || CAST(round(step / 1000, 1) AS VARCHAR) || ' s in domain ' || CAST(domain AS VARCHAR) AS details, src_mac, frame, ts, capture
FROM (SELECT capture, frame, ts, src_mac, domain, source_clock, offset_ms - lag(offset_ms) OVER (PARTITION BY capture_id, vlan_id, domain, source_clock, message_type ORDER BY frame) AS step FROM ptp WHERE offset_ms IS NOT NULL)
WHERE abs(step) > 1000 ORDER BY capture, frame;

-- @finding ptp_management_set severity=medium technique=T0836
SELECT CASE WHEN a.frame IS NOT NULL THEN 'high' ELSE 'medium' END AS severity, 'A clock was commanded' AS title, upper(CAST(r.management_action_name AS VARCHAR)) || ' ' || coalesce(r.management_name, CAST(r.management_id AS VARCHAR), '-') || ' to ' || r.target_clock AS details,
  r.src_mac AS src_mac, r.src_ip AS src_ip, r.dst_ip AS dst_ip, count(DISTINCT r.frame) AS count, min(r.frame) AS frame, array_slice(array_agg(DISTINCT r.frame ORDER BY r.frame), 1, 20) AS frames, min(r.ts) AS ts, max(r.ts) AS end_ts, r.capture AS capture
FROM ptp AS r LEFT JOIN ptp AS a ON a.capture_id = r.capture_id AND a.frame > r.frame AND a.management_action IN (2, 4) AND a.management_error_code IS NULL AND a.sequence_id = r.sequence_id AND a.management_id = r.management_id AND a.source_clock <> r.source_clock AND a.domain = r.domain
WHERE r.management_action IN (1, 3) GROUP BY r.capture, r.capture_id, r.source_clock, r.management_action_name, r.management_name, r.management_id, r.target_clock, r.src_mac, r.src_ip, r.dst_ip, a.frame IS NOT NULL ORDER BY capture, frame;

-- @finding ptp_flag_downgrade severity=low confidence=high
SELECT 'A grandmaster lost its reference' AS title, gm_clock || ': class ' || CAST(before AS VARCHAR) || ' to ' || CAST(gm_class AS VARCHAR) AS details, src_mac, frame, ts, capture
FROM (SELECT capture, frame, ts, src_mac, gm_clock, gm_class, lag(gm_class) OVER (PARTITION BY capture_id, vlan_id, domain, gm_clock, source_clock ORDER BY frame) AS before FROM ptp WHERE gm_clock IS NOT NULL)
WHERE before IN (6, 7) AND gm_class >= 52 ORDER BY capture, frame;

-- @finding ptp_sequence_gap severity=low technique=T0830
SELECT 'Sequence numbers are missing' AS title, source_clock || ', ' || CAST(message_type_name AS VARCHAR) || ': ' || CAST(sum(step - 1) AS VARCHAR) || ' missing' AS details, src_mac, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM (SELECT capture, capture_id, frame, ts, src_mac, source_clock, message_type_name, (CAST(sequence_id AS BIGINT) - lag(CAST(sequence_id AS BIGINT)) OVER (PARTITION BY capture_id, vlan_id, domain, source_clock, source_port_number, message_type_name, dst_ip, requesting_clock ORDER BY frame) + 65536) % 65536 AS step
  FROM ptp WHERE message_type_name IN ('sync', 'follow_up', 'announce', 'delay_req', 'pdelay_req'))
WHERE step > 5 AND step < 32768 GROUP BY capture, capture_id, source_clock, message_type_name, src_mac ORDER BY capture, details;

-- @finding ptp_sequence_replay severity=medium technique=T0856
SELECT 'A sequence went back' AS title, source_clock || ', ' || CAST(message_type_name AS VARCHAR) || ': ' || CAST(count(*) AS VARCHAR) || ' times' AS details, src_mac, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM (SELECT capture, capture_id, frame, ts, src_mac, source_clock, message_type_name, sequence_id, (CAST(sequence_id AS BIGINT) - lag(CAST(sequence_id AS BIGINT)) OVER w + 65536) % 65536 AS step, CAST(ts AS BIGINT) - lag(CAST(ts AS BIGINT)) OVER w AS quiet
  FROM ptp WHERE message_type_name IN ('sync', 'follow_up', 'announce', 'delay_req', 'pdelay_req') WINDOW w AS (PARTITION BY capture_id, vlan_id, domain, source_clock, source_port_number, message_type_name, dst_ip, requesting_clock ORDER BY frame))
WHERE step >= 32768 AND step < 65535 AND NOT (sequence_id <= 1 AND quiet > 5000000000) GROUP BY capture, capture_id, source_clock, message_type_name, src_mac ORDER BY capture, details;

-- @finding ptp_unsigned severity=info confidence=high
SELECT 'Time without authentication' AS title, 'domain ' || CAST(domain AS VARCHAR) || ', version 2.' || CAST(max(minor_version) AS VARCHAR) AS details, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ptp WHERE version = 2 AND minor_version >= 1 GROUP BY capture, capture_id, domain HAVING count(*) FILTER (WHERE has_auth_tlv) = 0 ORDER BY capture, domain;
