-- @analyzer ntp
-- @group    it
-- @title    NTP ANALYSIS
-- @help     NTP servers, clients, modes, amplification

-- @section summary shape=facts
SELECT count(*) AS messages, count(*) FILTER (WHERE mode IN (1, 2)) AS symmetric, count(*) FILTER (WHERE mode = 3) AS client, count(*) FILTER (WHERE mode = 4) AS server, count(*) FILTER (WHERE mode = 5) AS broadcast,
  count(*) FILTER (WHERE mode = 6) AS control, count(*) FILTER (WHERE mode = 7) AS private, array_to_string(array_sort(array_agg(DISTINCT version)), ', ') AS versions, count(DISTINCT CASE WHEN mode = 4 THEN src_ip END) AS servers,
  count(DISTINCT CASE WHEN mode = 3 THEN src_ip END) AS clients FROM ntp;

-- @section "Servers" shape=table limit=20
SELECT src_ip AS server, max(version) AS version, min(stratum) AS stratum, min(ref_id) AS "Ref id", max(leap) AS leap, count(DISTINCT dst_ip) AS clients, count(*) AS answers,
  percentile_cont(0.5) WITHIN GROUP (ORDER BY offset_ms) AS offset_ms, max(root_delay_s) AS root_delay_s, count(key_id) * 1.0 / count(*) AS authenticated_share
FROM ntp WHERE mode = 4 GROUP BY src_ip ORDER BY clients DESC, answers DESC, server;

-- @section "Clients" shape=table limit=20
SELECT q.src_ip AS client, array_to_string(array_sort(array_agg(DISTINCT q.dst_ip)), ', ') AS servers, count(*) AS requests, count(*) FILTER (WHERE a.request_frame IS NULL) AS unanswered
FROM ntp q LEFT JOIN (SELECT DISTINCT capture_id, request_frame FROM ntp WHERE request_frame IS NOT NULL) a ON a.capture_id = q.capture_id AND a.request_frame = q.frame
WHERE q.mode = 3 GROUP BY q.src_ip ORDER BY requests DESC, client;

-- @section "Symmetric peers and broadcast" shape=table limit=20
SELECT src_ip AS src, dst_ip AS dst, mode_name AS mode, stratum, count(*) AS messages FROM ntp WHERE mode IN (1, 2, 5) GROUP BY src_ip, dst_ip, mode_name, stratum ORDER BY messages DESC, src, dst, mode, stratum;

-- @section "Control and private" shape=table limit=20
SELECT src_ip AS src, dst_ip AS dst, mode, coalesce(request_name, control_opcode_name, CAST(request_code AS VARCHAR)) AS request, count(*) FILTER (WHERE NOT coalesce(control_response, false)) AS requests,
  count(*) FILTER (WHERE control_response) AS answers, sum(item_count) AS items, sum(CAST(message_len AS BIGINT)) AS bytes
FROM ntp WHERE mode IN (6, 7) GROUP BY src_ip, dst_ip, mode, coalesce(request_name, control_opcode_name, CAST(request_code AS VARCHAR)) ORDER BY bytes DESC, src, dst, request;

-- @finding ntp_monlist severity=medium confidence=high technique=T1498.002,T1046
SELECT CASE WHEN bool_or(control_response) THEN 'high' ELSE 'medium' END AS severity, 'The list of an NTP server''s clients was asked for' AS title, CAST(count(*) AS VARCHAR) || ' messages of mode 7 monlist' || CASE WHEN bool_or(control_response) THEN ', answered' ELSE ', unanswered' END AS details,
  min(CASE WHEN NOT coalesce(control_response, false) THEN src_ip ELSE dst_ip END) AS src_ip, min(CASE WHEN NOT coalesce(control_response, false) THEN dst_ip ELSE src_ip END) AS dst_ip, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ntp WHERE mode = 7 AND request_code IN (20, 42) GROUP BY flow_id, capture ORDER BY frame;

-- @finding ntp_private_mode severity=medium confidence=high technique=T1046
SELECT 'Private NTP requests' AS title, array_to_string(array_sort(array_agg(DISTINCT coalesce(request_name, CAST(request_code AS VARCHAR)))), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ntp WHERE mode = 7 AND NOT coalesce(control_response, false) AND request_code NOT IN (20, 42) AND src_ip <> dst_ip GROUP BY src_ip, dst_ip, capture ORDER BY src_ip, dst_ip;

-- @finding ntp_control_query severity=low confidence=high technique=T1046,T1082
SELECT CASE WHEN bool_or(control_opcode_name IN ('configure', 'write_variables')) THEN 'medium' ELSE 'low' END AS severity, 'NTP control requests from another host' AS title,
  array_to_string(array_sort(array_agg(DISTINCT control_opcode_name)), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ntp WHERE mode = 6 AND NOT coalesce(control_response, false) AND src_ip <> dst_ip GROUP BY src_ip, dst_ip, capture ORDER BY src_ip, dst_ip;

-- @finding ntp_unsynchronised_server severity=low confidence=high
SELECT 'A server that has no time answers' AS title, 'leap ' || CAST(max(leap) AS VARCHAR) || ', stratum ' || CAST(max(stratum) AS VARCHAR) AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ntp WHERE mode = 4 AND (leap = 3 OR stratum = 16) AND NOT (stratum = 0 AND regexp_like(CAST(coalesce(ref_id, '') AS VARCHAR), '^[A-Z]+$')) GROUP BY src_ip, dst_ip, capture ORDER BY src_ip, dst_ip;

-- @finding ntp_kiss_of_death severity=low confidence=high
SELECT 'A server sends clients away' AS title, 'kiss code ' || ref_id AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ntp WHERE mode = 4 AND stratum = 0 AND ref_id IN ('RATE', 'DENY', 'RSTR') GROUP BY ref_id, src_ip, dst_ip, capture ORDER BY src_ip, dst_ip, ref_id;

-- @finding ntp_amplification severity=high confidence=high technique=T1498.002
WITH sides AS (SELECT capture, capture_id, CASE WHEN control_response OR (mode = 7 AND src_port = 123 AND dst_port <> 123) THEN src_ip ELSE dst_ip END AS server, CASE WHEN control_response OR (mode = 7 AND src_port = 123 AND dst_port <> 123) THEN dst_ip ELSE src_ip END AS client,
    control_response OR (mode = 7 AND src_port = 123 AND dst_port <> 123) AS answer, message_len, frame, ts FROM ntp WHERE mode IN (6, 7)),
minutes AS (SELECT min(capture) AS capture, capture_id, server, client, CAST(ts AS BIGINT) / 60000000000 AS minute, sum(CASE WHEN answer THEN message_len ELSE 0 END) AS answered, sum(CASE WHEN answer THEN 0 ELSE message_len END) AS asked, count(*) FILTER (WHERE answer) AS n,
    min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts FROM sides GROUP BY capture_id, server, client, CAST(ts AS BIGINT) / 60000000000)
SELECT 'Control answers far larger than what was asked' AS title, CAST(sum(n) AS VARCHAR) || ' answers, ' || CAST(sum(answered) AS VARCHAR) || ' bytes for ' || CAST(sum(asked) AS VARCHAR) || ' asked' AS details, server AS src_ip, client AS dst_ip, sum(n) AS count,
  min(frame) AS frame, first_value(frames ORDER BY frame) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM minutes WHERE n >= 100 AND answered >= 10 * asked GROUP BY capture_id, server, client ORDER BY server, client;

-- @finding ntp_time_shift severity=high confidence=medium technique=T1565.002,T0832
WITH steps AS (SELECT capture, capture_id, src_ip, dst_ip, frame, ts, offset_ms, offset_ms - lag(offset_ms) OVER (PARTITION BY capture_id, src_ip, dst_ip ORDER BY frame) AS step FROM ntp WHERE mode = 4 AND offset_ms IS NOT NULL AND stratum BETWEEN 1 AND 15),
others AS (SELECT capture_id, dst_ip, count(DISTINCT src_ip) AS servers, count(DISTINCT CASE WHEN abs(step) > 1000 THEN src_ip END) AS jumped FROM steps GROUP BY capture_id, dst_ip)
SELECT 'A time server jumped' AS title, 'its time moved by ' || CAST(round(max(abs(s.step)) / 1000, 3) AS VARCHAR) || ' s' AS details, s.src_ip, s.dst_ip, count(*) AS count, min(s.frame) AS frame, array_slice(array_sort(array_agg(s.frame)), 1, 20) AS frames, min(s.ts) AS ts, max(s.ts) AS end_ts, min(s.capture) AS capture
FROM steps s JOIN others o ON o.capture_id = s.capture_id AND o.dst_ip = s.dst_ip WHERE abs(s.step) > 1000 AND o.servers > 1 AND o.jumped < o.servers GROUP BY s.capture_id, s.src_ip, s.dst_ip ORDER BY s.src_ip, s.dst_ip;

-- @finding ntp_rogue_server severity=medium confidence=medium technique=T1557
SELECT 'Time from a server that DHCP did not name' AS title, n.src_ip || ' answers, the lease names ' || array_to_string(d.servers, ', ') AS details, n.src_ip, n.dst_ip, count(*) AS count, min(n.frame) AS frame, array_slice(array_sort(array_agg(n.frame)), 1, 20) AS frames, min(n.ts) AS ts, max(n.ts) AS end_ts, min(n.capture) AS capture
FROM ntp n JOIN (SELECT capture_id, yiaddr AS client, first_value(ntp_servers ORDER BY frame) AS servers FROM dhcp WHERE message_type_name = 'ACK' AND ntp_servers IS NOT NULL AND yiaddr IS NOT NULL GROUP BY capture_id, yiaddr) d ON d.capture_id = n.capture_id AND d.client = n.dst_ip
WHERE n.mode = 4 AND NOT array_has(d.servers, n.src_ip) GROUP BY n.capture_id, n.src_ip, n.dst_ip, d.servers ORDER BY n.src_ip, n.dst_ip;

-- @finding ntp_external_server severity=info confidence=medium technique=T0885
SELECT 'An industrial station takes its time from the internet' AS title, array_to_string(array_slice(array_sort(array_agg(DISTINCT n.dst_ip)), 1, 4), ', ') AS details, n.src_ip, min(n.dst_ip) AS dst_ip, count(DISTINCT n.frame) AS count, min(n.frame) AS frame, array_slice(array_sort(array_agg(DISTINCT n.frame)), 1, 20) AS frames, min(n.ts) AS ts, max(n.ts) AS end_ts, min(n.capture) AS capture
FROM ntp n LEFT JOIN segments s ON s.capture_id = n.capture_id AND s.ip = n.src_ip WHERE n.mode = 3 AND is_private(n.src_ip) AND is_public(n.dst_ip) AND (coalesce(s.is_plant, false) OR is_ot(n.src_ip)) GROUP BY n.capture_id, n.src_ip ORDER BY n.src_ip;

-- @finding ntp_payload_anomaly severity=medium confidence=medium technique=T1071,T1048.003
SELECT 'NTP messages carry more than the time' AS title, CAST(count(*) AS VARCHAR) || ' of up to ' || CAST(max(message_len) AS VARCHAR) || ' octets, with neither extensions nor an authenticator behind the 48 of the message' AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM ntp WHERE mode BETWEEN 1 AND 5 AND message_len > 48 AND key_id IS NULL AND mac IS NULL AND coalesce(array_length(extension_types), 0) = 0 GROUP BY capture_id, src_ip, dst_ip
UNION ALL
-- Clients that hide their clock send one random number, in the transmit field; clocks that are off are off by the same.
SELECT 'NTP requests whose times are no times' AS title, CAST(count(*) AS VARCHAR) || ' requests with other dates in every field' AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM ntp WHERE mode = 3 AND org_ts IS NULL AND ref_ts IS NOT NULL AND rec_ts IS NOT NULL AND xmt_ts IS NOT NULL GROUP BY capture_id, src_ip, dst_ip
HAVING count(*) >= 20 AND count(DISTINCT ref_ts) >= 20 AND count(DISTINCT rec_ts) >= 20 AND CAST(max(ref_ts) AS BIGINT) - CAST(min(ref_ts) AS BIGINT) > 315360000000000000 AND CAST(max(rec_ts) AS BIGINT) - CAST(min(rec_ts) AS BIGINT) > 315360000000000000 AND CAST(max(xmt_ts) AS BIGINT) - CAST(min(xmt_ts) AS BIGINT) > 315360000000000000 ORDER BY src_ip, dst_ip, title;
