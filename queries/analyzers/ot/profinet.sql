-- @analyzer profinet
-- @group    ot
-- @title    PROFINET ANALYSIS
-- @help     PROFINET devices, real-time data, alarms, DCP

-- @section summary shape=facts
SELECT (SELECT count(*) FROM profinet_dcp) AS "DCP frames", count(*) FILTER (WHERE frame_class LIKE 'rtc%') AS "Cyclic frames", count(*) FILTER (WHERE frame_class LIKE 'alarm%') AS alarms, count(*) FILTER (WHERE frame_class LIKE 'ptcp%') AS "Time synchronisation", (SELECT count(*) FROM profinet_cm) AS "Context management", count(DISTINCT src_mac) AS "Senders of cyclic data", min(ts) AS first, max(ts) AS last FROM profinet_rt;

-- @section "Stations" shape=table limit=15
SELECT src_mac AS mac, max(name_of_station) AS name, max(ip) AS ip, max(device_vendor) AS type, max(vendor_id) AS vendor, max(device_id) AS device, max(array_to_string(device_roles, ' ')) AS role, count(*) AS answers, max(frame) AS frame FROM profinet_dcp WHERE service_type = 1 AND service IN ('identify', 'get') OR service = 'hello' GROUP BY src_mac ORDER BY name, mac;

-- @section "Identification read" shape=table limit=15
SELECT src_ip AS device, order_id AS "Order number", im_serial AS serial, im_vendor_id AS vendor, hw_revision AS hardware, sw_revision AS software, frame FROM profinet_cm WHERE order_id IS NOT NULL ORDER BY capture, frame;

-- @section "DCP changes" shape=table limit=15
SELECT q.ts, q.src_mac AS source, q.dst_mac AS destination, array_to_string(q.options, ' ') AS options, coalesce(q.name_of_station, q.ip) AS value, q.permanent, CASE WHEN a.frame IS NULL THEN 'no answer' WHEN array_max(a.block_errors) > 0 THEN 'error ' || CAST(array_max(a.block_errors) AS VARCHAR) ELSE 'ok' END AS answer, q.frame
FROM profinet_dcp AS q LEFT JOIN profinet_dcp AS a ON a.capture_id = q.capture_id AND a.service = 'set' AND a.service_type <> 0 AND a.xid = q.xid AND a.dst_mac = q.src_mac AND a.frame > q.frame AND a.request_frame = q.frame WHERE q.service = 'set' AND q.service_type = 0 ORDER BY q.capture, q.frame;

-- @section "Identify requests" shape=table limit=15
SELECT src_mac AS source, coalesce(name_of_station, array_to_string(options, ' ')) AS asked, count(*) AS requests, min(ts) AS first, max(ts) AS last FROM profinet_dcp WHERE service = 'identify' AND service_type = 0 GROUP BY 1, 2 ORDER BY requests DESC, source, asked;

-- @section "Application relations" shape=table limit=15
SELECT q.ts, q.src_ip AS controller, q.dst_ip AS device, q.ar_type_name AS type, q.station_name AS station, array_length(q.modules) AS modules, array_to_string(q.io_cr, '; ') AS relations, coalesce(a.error, CASE WHEN a.frame IS NULL THEN 'no answer' ELSE 'ok' END) AS answer, q.frame FROM profinet_cm AS q LEFT JOIN profinet_cm AS a ON a.capture_id = q.capture_id AND a.flow_id = q.flow_id AND a.request_frame = q.frame AND a.operation = q.operation WHERE q.operation_name = 'connect' AND q.is_request ORDER BY q.capture, q.frame;

-- @section "Operations" shape=table limit=30
SELECT operation_name AS operation, packet_type_name AS message, interface, count(*) AS count, count(*) FILTER (WHERE error IS NOT NULL) AS errors FROM profinet_cm GROUP BY 1, 2, 3 ORDER BY count DESC, operation, message, interface;

-- @section "Records" shape=table limit=15
SELECT src_ip AS client, dst_ip AS device, operation_name AS operation, index_name AS record, count(*) AS requests, count(DISTINCT concat_ws('/', slot, subslot)) AS places FROM profinet_cm WHERE is_request AND index IS NOT NULL GROUP BY 1, 2, 3, 4 ORDER BY requests DESC, client, device, operation, record;

-- @section "Cyclic relations" shape=table limit=15
SELECT src_mac AS provider, dst_mac AS consumer, frame_id AS "Frame id", frame_class AS class, count(*) AS frames, CASE WHEN max(CAST(ts AS BIGINT)) > min(CAST(ts AS BIGINT)) THEN round((count(*) - 1) * 1e9 / (max(CAST(ts AS BIGINT)) - min(CAST(ts AS BIGINT))), 1) END AS "A second", count(DISTINCT data_status) AS "States", bool_and(ds_run) AS "Always run", bool_and(ds_valid) AS "Always valid" FROM profinet_rt WHERE frame_class LIKE 'rtc%' GROUP BY 1, 2, 3, 4 ORDER BY frames DESC, provider, consumer, 3;

-- @section "Alarms" shape=table limit=15
SELECT ts, src_mac AS source, dst_mac AS destination, frame_class AS class, alarm_type_name AS alarm, alarm_slot AS slot, alarm_subslot AS subslot, frame FROM profinet_rt WHERE frame_class LIKE 'alarm%' ORDER BY capture, frame;

-- @section "Calls" shape=table verbose
SELECT ts, src_ip AS source, dst_ip AS destination, packet_type_name AS message, operation_name AS operation, slot, subslot, index_name AS record, control_command AS control, error, frame FROM profinet_cm ORDER BY capture, frame;

-- @finding pn_dcp_set_ip severity=high confidence=high technique=T0836
SELECT CASE WHEN a.frame IS NOT NULL AND coalesce(array_max(a.block_errors), 0) = 0 THEN 'high' ELSE 'medium' END AS severity, 'The address of a station was set' AS title, 'to ' || coalesce(q.ip, '-') || ', from ' || coalesce(q.src_mac, '-') || ' to ' || coalesce(q.dst_mac, '-') || CASE WHEN a.frame IS NULL THEN ': no answer' WHEN array_max(a.block_errors) > 0 THEN ': refused' ELSE ': done' END AS details, q.frame, q.ts, q.capture FROM profinet_dcp AS q LEFT JOIN profinet_dcp AS a ON a.capture_id = q.capture_id AND a.service = 'set' AND a.service_type <> 0 AND a.request_frame = q.frame AND a.xid = q.xid WHERE q.service = 'set' AND q.service_type = 0 AND array_has(q.options, 'ip/ip_parameter') ORDER BY q.capture, q.frame;

-- @finding pn_dcp_set_name severity=high confidence=high technique=T0849
SELECT CASE WHEN a.frame IS NOT NULL AND coalesce(array_max(a.block_errors), 0) = 0 THEN 'high' ELSE 'medium' END AS severity, 'The name of a station was set' AS title, 'to ' || coalesce(q.name_of_station, '-') || ', from ' || coalesce(q.src_mac, '-') || ' to ' || coalesce(q.dst_mac, '-') || CASE WHEN a.frame IS NULL THEN ': no answer' WHEN array_max(a.block_errors) > 0 THEN ': refused' ELSE ': done' END AS details, q.frame, q.ts, q.capture FROM profinet_dcp AS q LEFT JOIN profinet_dcp AS a ON a.capture_id = q.capture_id AND a.service = 'set' AND a.service_type <> 0 AND a.request_frame = q.frame AND a.xid = q.xid WHERE q.service = 'set' AND q.service_type = 0 AND array_has(q.options, 'device/name_of_station') ORDER BY q.capture, q.frame;

-- @finding pn_dcp_factory_reset severity=critical confidence=high technique=T0809,T0814
SELECT CASE WHEN a.frame IS NOT NULL AND coalesce(array_max(a.block_errors), 0) = 0 THEN 'critical' ELSE 'medium' END AS severity, 'A station was reset to its factory settings' AS title, array_to_string(q.options, ' ') || ', from ' || coalesce(q.src_mac, '-') || ' to ' || coalesce(q.dst_mac, '-') || CASE WHEN a.frame IS NULL THEN ': no answer' WHEN array_max(a.block_errors) > 0 THEN ': refused' ELSE ': done' END AS details, q.frame, q.ts, q.capture FROM profinet_dcp AS q LEFT JOIN profinet_dcp AS a ON a.capture_id = q.capture_id AND a.service = 'set' AND a.service_type <> 0 AND a.request_frame = q.frame AND a.xid = q.xid WHERE q.service = 'set' AND q.service_type = 0 AND (array_has(q.options, 'control/factory_reset') OR array_has(q.options, 'control/reset_to_factory')) ORDER BY q.capture, q.frame;

-- @finding pn_dcp_flash_led severity=low confidence=high technique=T0888
SELECT 'A station was told to flash' AS title, 'from ' || coalesce(src_mac, '-') || ' to ' || coalesce(dst_mac, '-') AS details, frame, ts, capture FROM profinet_dcp WHERE service = 'set' AND service_type = 0 AND array_has(options, 'control/signal') ORDER BY capture, frame;

-- @finding pn_dcp_identify_sweep severity=low confidence=high technique=T0846
SELECT 'All stations were asked who they are' AS title, CAST(count(*) AS VARCHAR) || ' requests within a minute from ' || coalesce(src_mac, '-') AS details, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM profinet_dcp WHERE service = 'identify' AND service_type = 0 AND array_has(options, 'all/all') GROUP BY capture, capture_id, src_mac, CAST(ts AS BIGINT) / 60000000000 HAVING count(*) >= 3 ORDER BY capture, frame;

-- @finding pn_ip_conflict severity=medium confidence=high technique=T0849
SELECT 'A name or address is in use twice' AS title, 'name ' || name_of_station || ' by ' || array_to_string(array_sort(array_agg(DISTINCT src_mac)), ', ') AS details, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM profinet_dcp WHERE service_type = 1 AND service = 'identify' AND name_of_station <> '' GROUP BY capture, capture_id, name_of_station HAVING count(DISTINCT src_mac) > 1
UNION ALL SELECT 'A name or address is in use twice' AS title, 'address ' || coalesce(ip, '-') || ', says ' || coalesce(src_mac, '-') AS details, 1 AS count, frame, make_array(frame) AS frames, ts, ts AS end_ts, capture FROM profinet_dcp WHERE ip_conflict ORDER BY capture, frame;

-- @finding pn_supervisor_access severity=high confidence=high technique=T0868
SELECT 'A supervisor takes a device' AS title, coalesce(ar_type_name, '-') || ', station ' || coalesce(station_name, '-') AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM profinet_cm WHERE operation_name = 'connect' AND is_request AND (ar_type = 6 OR supervisor_takeover) ORDER BY capture, frame;

-- @finding pn_connect_from_new_controller severity=high confidence=medium technique=T0855,T0885
WITH span AS (SELECT capture_id, CAST(min(ts) AS BIGINT) AS start, CAST(max(ts) AS BIGINT) AS stop FROM packets GROUP BY capture_id),
connects AS (SELECT q.* FROM profinet_cm AS q JOIN profinet_cm AS a ON a.capture_id = q.capture_id AND a.flow_id = q.flow_id AND a.request_frame = q.frame AND a.error_code = 0 WHERE q.operation_name = 'connect' AND q.is_request),
firsts AS (SELECT capture_id, initiator_mac, CAST(min(ts) AS BIGINT) AS first FROM connects GROUP BY capture_id, initiator_mac)
SELECT 'A device is connected by a new controller' AS title, 'station ' || coalesce(c.station_name, '-') || ', ' || coalesce(c.initiator_mac, '-') AS details, c.src_ip, c.dst_ip, c.dst_port, count(*) AS count, min(c.frame) AS frame, array_slice(array_sort(array_agg(c.frame)), 1, 20) AS frames, min(c.ts) AS ts, max(c.ts) AS end_ts, c.capture
FROM connects AS c JOIN span AS s ON s.capture_id = c.capture_id JOIN firsts AS f ON f.capture_id = c.capture_id AND f.initiator_mac = c.initiator_mac JOIN connects AS o ON o.capture_id = c.capture_id AND o.dst_ip = c.dst_ip AND o.initiator_mac <> c.initiator_mac AND o.frame < c.frame
WHERE f.first > s.start + (s.stop - s.start) / 2 GROUP BY c.capture, c.capture_id, c.src_ip, c.dst_ip, c.dst_port, c.station_name, c.initiator_mac ORDER BY c.capture, frame;

-- @finding pn_record_write severity=info confidence=high technique=T0836
WITH phases AS (SELECT capture_id, dst_ip, src_ip, CAST(min(ts) AS BIGINT) AS connected FROM profinet_cm WHERE operation_name = 'connect' AND is_request GROUP BY capture_id, dst_ip, src_ip)
SELECT CASE WHEN count(*) FILTER (WHERE p.src_ip IS NULL) > 0 AND bool_or(o.dst_ip IS NOT NULL) THEN 'high' ELSE 'info' END AS severity, 'Records of a device were written' AS title, CAST(count(DISTINCT w.frame) AS VARCHAR) || ' writes: ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT w.index_name)), 1, 6), ', ') AS details, w.src_ip, w.dst_ip, w.dst_port, count(DISTINCT w.frame) AS count, min(w.frame) AS frame, array_slice(array_sort(array_agg(DISTINCT w.frame)), 1, 20) AS frames, min(w.ts) AS ts, max(w.ts) AS end_ts, w.capture
FROM profinet_cm AS w JOIN profinet_cm AS a ON a.capture_id = w.capture_id AND a.flow_id = w.flow_id AND a.request_frame = w.frame AND a.error_code = 0 LEFT JOIN phases AS p ON p.capture_id = w.capture_id AND p.dst_ip = w.dst_ip AND p.src_ip = w.src_ip LEFT JOIN phases AS o ON o.capture_id = w.capture_id AND o.dst_ip = w.dst_ip AND o.src_ip <> w.src_ip
WHERE w.operation_name = 'write' AND w.is_request AND coalesce(w.index_name, '') NOT LIKE 'I&M%' GROUP BY w.capture, w.capture_id, w.src_ip, w.dst_ip, w.dst_port ORDER BY w.capture, frame;

-- @finding pn_read_sweep severity=low confidence=high technique=T0888
SELECT 'Many devices are asked what they are' AS title, CAST(count(DISTINCT dst_ip) AS VARCHAR) || ' devices' AS details, src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM profinet_cm WHERE is_request AND index = 45040 GROUP BY capture, capture_id, src_ip HAVING count(DISTINCT dst_ip) >= 10 ORDER BY capture, frame;

-- @finding pn_data_stop severity=high confidence=medium technique=T0814,T0827
WITH states AS (SELECT capture, capture_id, src_mac, dst_mac, frame_id, frame, ts, ds_run AND ds_valid AS good, lag(ds_run AND ds_valid) OVER z AS before FROM profinet_rt WHERE frame_class LIKE 'rtc%' AND ds_run IS NOT NULL WINDOW z AS (PARTITION BY capture_id, src_mac, frame_id ORDER BY frame)),
stops AS (SELECT * FROM states WHERE before AND NOT good),
again AS (SELECT s.capture_id, s.src_mac, s.frame_id, s.frame, min(CAST(g.ts AS BIGINT)) AS good_at FROM stops AS s JOIN states AS g ON g.capture_id = s.capture_id AND g.src_mac = s.src_mac AND g.frame_id = s.frame_id AND g.frame > s.frame AND g.good GROUP BY s.capture_id, s.src_mac, s.frame_id, s.frame),
span AS (SELECT capture_id, CAST(max(ts) AS BIGINT) AS stop FROM packets GROUP BY capture_id),
-- A release, a change by DCP or an alarm of the station, within ten seconds before, says why.
reasons AS (
  SELECT c.capture_id, p.src_mac AS one, p.dst_mac AS other, CAST(c.ts AS BIGINT) AS at FROM profinet_cm AS c JOIN packets AS p ON p.capture_id = c.capture_id AND p.frame = c.frame WHERE c.operation_name = 'release'
  UNION ALL SELECT capture_id, src_mac, dst_mac, CAST(ts AS BIGINT) FROM profinet_dcp WHERE service = 'set'
  UNION ALL SELECT capture_id, src_mac, dst_mac, CAST(ts AS BIGINT) FROM profinet_rt WHERE frame_class LIKE 'alarm%'),
explained AS (SELECT s.capture_id, s.src_mac, s.frame_id, s.frame FROM stops AS s JOIN reasons AS r ON r.capture_id = s.capture_id AND (r.one = s.src_mac OR r.other = s.src_mac) WHERE CAST(s.ts AS BIGINT) - r.at BETWEEN 0 AND 10000000000 GROUP BY s.capture_id, s.src_mac, s.frame_id, s.frame)
SELECT 'Cyclic data stopped being valid' AS title, 'frame id ' || CAST(s.frame_id AS VARCHAR) || ' of ' || s.src_mac AS details, s.frame, s.ts, s.capture FROM stops AS s JOIN span AS e ON e.capture_id = s.capture_id LEFT JOIN again AS g ON g.capture_id = s.capture_id AND g.src_mac = s.src_mac AND g.frame_id = s.frame_id AND g.frame = s.frame
LEFT JOIN explained AS x ON x.capture_id = s.capture_id AND x.src_mac = s.src_mac AND x.frame_id = s.frame_id AND x.frame = s.frame
WHERE x.frame IS NULL AND coalesce(g.good_at, e.stop) - CAST(s.ts AS BIGINT) >= 1000000000 ORDER BY s.capture, s.frame;

-- @finding pn_alarm_high severity=medium confidence=high technique=T0814
SELECT 'An urgent alarm' AS title, coalesce(alarm_type_name, CAST(alarm_type AS VARCHAR)) || ', slot ' || CAST(alarm_slot AS VARCHAR) || ', from ' || coalesce(src_mac, '-') AS details, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM profinet_rt WHERE frame_class = 'alarm_high' AND alarm_type IS NOT NULL AND alarm_type NOT IN (2, 3, 4) GROUP BY capture, capture_id, alarm_type_name, alarm_type, alarm_slot, src_mac ORDER BY capture, frame;

-- @finding pn_public_peer severity=high confidence=high technique=T0883
SELECT 'PROFINET across the internet' AS title, CAST(count(*) AS VARCHAR) || ' calls' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM profinet_cm WHERE is_request AND (is_public(src_ip) OR is_public(dst_ip)) GROUP BY capture, capture_id, src_ip, dst_ip ORDER BY capture, frame;

-- @finding pn_cycle_gap severity=medium confidence=medium technique=T0814
WITH cycles AS (
  SELECT capture, capture_id, src_mac, dst_mac, frame_id, frame, ts, (CAST(cycle_counter AS BIGINT) - lag(CAST(cycle_counter AS BIGINT)) OVER w + 65536) % 65536 AS step, row_number() OVER (PARTITION BY capture_id ORDER BY frame) AS place, row_number() OVER w AS own
  FROM profinet_rt WHERE frame_class LIKE 'rtc%' AND cycle_counter IS NOT NULL WINDOW w AS (PARTITION BY capture_id, src_mac, dst_mac, frame_id ORDER BY frame)),
usual AS (SELECT capture_id, src_mac, dst_mac, frame_id, CAST(median(step) AS BIGINT) AS cycle FROM cycles WHERE step > 0 GROUP BY capture_id, src_mac, dst_mac, frame_id HAVING count(*) >= 20),
gaps AS (
  SELECT c.capture, c.capture_id, c.src_mac, c.dst_mac, c.frame_id, c.frame, c.ts, c.step / u.cycle - 1 AS missing, c.place - lag(c.place) OVER (PARTITION BY c.capture_id, c.src_mac, c.dst_mac, c.frame_id ORDER BY c.frame) - 1 AS others
  FROM cycles c JOIN usual u ON u.capture_id = c.capture_id AND u.src_mac = c.src_mac AND u.dst_mac = c.dst_mac AND u.frame_id = c.frame_id WHERE u.cycle > 0)
SELECT 'Cycles of a relation are missing' AS title, 'frame id ' || CAST(frame_id AS VARCHAR) || ' of ' || src_mac || ': ' || CAST(count(*) AS VARCHAR) || ' gaps of up to ' || CAST(max(missing) AS VARCHAR) || ' cycles' AS details, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
-- Other relations went on meanwhile: what the capture loses is missing in all.
FROM gaps WHERE missing >= 3 AND others >= missing GROUP BY capture_id, src_mac, dst_mac, frame_id HAVING count(*) >= 3 ORDER BY frame, frame_id;

-- @finding pn_dos_frame severity=medium confidence=medium technique=T0814
WITH bad AS (SELECT a.capture, a.capture_id, p.src_mac, p.dst_mac, a.frame, a.ts, CAST(a.ts AS BIGINT) AS at FROM anomalies a JOIN packets p ON p.capture_id = a.capture_id AND p.frame = a.frame AND p.captured_len = p.frame_len WHERE a.protocol = 'profinet_dcp'),
stations AS (SELECT capture_id, src_mac, max(CAST(ts AS BIGINT)) AS last, count(*) AS n FROM packets WHERE src_mac IS NOT NULL GROUP BY capture_id, src_mac),
spans AS (SELECT capture_id, max(CAST(ts AS BIGINT)) AS stop FROM packets GROUP BY capture_id)
SELECT 'A station fell silent after a malformed message' AS title, b.dst_mac || ', by ' || b.src_mac AS details, count(*) AS count, min(b.frame) AS frame, array_slice(array_sort(array_agg(b.frame)), 1, 20) AS frames, min(b.ts) AS ts, max(b.ts) AS end_ts, min(b.capture) AS capture
FROM bad b JOIN stations s ON s.capture_id = b.capture_id AND s.src_mac = b.dst_mac JOIN spans e ON e.capture_id = b.capture_id
-- It spoke before, said its last word within a second, and was not heard for ten.
WHERE s.n >= 10 AND s.last BETWEEN b.at - 10000000000 AND b.at + 1000000000 AND e.stop - b.at > 10000000000 GROUP BY b.capture_id, b.src_mac, b.dst_mac ORDER BY frame;
