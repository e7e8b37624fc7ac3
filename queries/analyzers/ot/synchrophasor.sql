-- @analyzer synchrophasor
-- @group    ot
-- @title    SYNCHROPHASOR ANALYSIS
-- @help     IEEE C37.118 streams, configuration, commands

-- @section summary shape=facts
SELECT count(*) AS frames, count(DISTINCT flow_id) AS flows, count(*) FILTER (WHERE frame_type_name = 'data') AS data, count(*) FILTER (WHERE frame_type_name LIKE 'config%') AS configurations, count(*) FILTER (WHERE frame_type_name = 'command') AS commands,
  count(*) FILTER (WHERE NOT crc_ok) AS "Bad CRC", count(*) FILTER (WHERE decoded = false) AS "Unconfigured data", array_to_string(array_sort(array_agg(DISTINCT transport)), ', ') AS transports, min(ts) AS first, max(ts) AS last FROM synchrophasor;

-- @section "Streams" shape=table limit=15
WITH data AS (SELECT capture_id, id_code, src_ip, dst_ip, count(*) AS frames, min(ts) AS first, max(ts) AS last, max(time_quality) AS quality, count(*) FILTER (WHERE NOT crc_ok) AS bad FROM synchrophasor WHERE frame_type_name = 'data' GROUP BY capture_id, id_code, src_ip, dst_ip),
config AS (SELECT capture_id, id_code, src_ip, max(version) AS version, max(num_pmu) AS units, max(data_rate) AS rate, max(array_to_string(station_names, ', ')) AS stations, max(array_to_string(nominal_hz, ', ')) AS nominal FROM synchrophasor WHERE frame_type_name LIKE 'config%' GROUP BY capture_id, id_code, src_ip)
SELECT coalesce(d.id_code, c.id_code) AS id, coalesce(d.src_ip, c.src_ip) AS source, d.dst_ip AS sink, c.units, c.stations, c.rate, c.nominal AS "Nominal Hz", d.frames, d.bad AS "Bad CRC", d.quality AS "Worst time quality", d.first, d.last
FROM data AS d FULL JOIN config AS c ON c.capture_id = d.capture_id AND c.id_code = d.id_code AND c.src_ip = d.src_ip ORDER BY id, source, sink;

-- @section "Commands" shape=table limit=15
SELECT ts, src_ip AS source, dst_ip AS target, id_code AS id, coalesce(command_name, CAST(command AS VARCHAR)) AS command, frame FROM synchrophasor WHERE frame_type_name = 'command' ORDER BY capture, frame;

-- @section "Quality" shape=table limit=15
WITH cells AS (SELECT capture_id, id_code, src_ip, unnest(frequency_hz) AS hz, unnest(data_error) AS error, unnest(pmu_sync) AS sync, unnest(trigger) AS trigger, unnest(range(1, CAST(array_length(stat) AS BIGINT) + 1)) AS place FROM synchrophasor WHERE decoded)
SELECT id_code AS id, src_ip AS source, place AS unit, count(*) AS values, count(*) FILTER (WHERE error > 0) AS "Data errors", count(*) FILTER (WHERE NOT sync) AS "Not in sync", count(*) FILTER (WHERE trigger) AS triggered, round(min(hz), 4) AS "Least Hz", round(max(hz), 4) AS "Greatest Hz"
FROM cells GROUP BY id_code, src_ip, place ORDER BY id, source, place;

-- @section "Channels" shape=table limit=30
SELECT unit_id AS unit, point, object_type AS kind, count(*) AS values, round(min(value), 4) AS least, round(max(value), 4) AS greatest FROM process_values WHERE source_protocol = 'synchrophasor' GROUP BY unit_id, point, object_type ORDER BY unit, point, kind;

-- @finding synphasor_data_off severity=high technique=T0814,T0804
SELECT CASE WHEN s.src_ip IS NOT NULL THEN 'info' ELSE 'high' END AS severity, CASE WHEN s.src_ip IS NOT NULL THEN 'A client ended its stream' ELSE 'A stream was stopped by somebody else' END AS title, 'stream ' || CAST(o.id_code AS VARCHAR) AS details, o.src_ip AS src_ip, o.dst_ip AS dst_ip, o.dst_port AS dst_port,
  count(*) AS count, min(o.frame) AS frame, array_slice(array_sort(array_agg(o.frame)), 1, 20) AS frames, min(o.ts) AS ts, max(o.ts) AS end_ts, o.capture AS capture
-- Who turns off before turning on clears the way; who never turned on, and takes no data, stops somebody else's.
FROM synchrophasor AS o LEFT JOIN (SELECT DISTINCT capture_id, id_code, src_ip FROM synchrophasor WHERE command_name = 'data_on') AS s ON s.capture_id = o.capture_id AND s.id_code = o.id_code AND s.src_ip = o.src_ip
WHERE o.command_name = 'data_off' GROUP BY o.capture, o.capture_id, o.src_ip, o.dst_ip, o.dst_port, o.id_code, s.src_ip IS NOT NULL, CASE WHEN s.src_ip IS NOT NULL THEN 'info' ELSE 'high' END, CASE WHEN s.src_ip IS NOT NULL THEN 'A client ended its stream' ELSE 'A stream was stopped by somebody else' END ORDER BY capture, frame;

-- @finding synphasor_unknown_commander severity=medium technique=T0855
SELECT 'Commands from a host that takes no data' AS title, array_to_string(array_sort(array_agg(DISTINCT coalesce(c.command_name, '-'))), ', ') || ' to stream ' || CAST(c.id_code AS VARCHAR) AS details, c.src_ip AS src_ip, c.dst_ip AS dst_ip, c.dst_port AS dst_port, count(*) AS count, min(c.frame) AS frame, array_slice(array_sort(array_agg(c.frame)), 1, 20) AS frames, min(c.ts) AS ts, max(c.ts) AS end_ts, c.capture AS capture
FROM synchrophasor AS c WHERE c.frame_type_name = 'command' AND NOT EXISTS (SELECT 1 FROM synchrophasor AS d WHERE d.capture_id = c.capture_id AND d.frame_type_name <> 'command' AND d.dst_ip = c.src_ip)
  AND EXISTS (SELECT 1 FROM synchrophasor AS d WHERE d.capture_id = c.capture_id AND d.frame_type_name = 'data' AND d.src_ip = c.dst_ip)
GROUP BY c.capture, c.capture_id, c.src_ip, c.dst_ip, c.dst_port, c.id_code ORDER BY capture, frame;

-- @finding synphasor_config_change severity=medium confidence=high technique=T0836
SELECT 'The configuration of a stream changed' AS title, 'stream ' || CAST(id_code AS VARCHAR) || ': ' || CAST(count(DISTINCT shape) AS VARCHAR) || ' configurations' AS details, src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM (SELECT capture, capture_id, id_code, src_ip, frame, ts, array_to_string(station_names, ',') || '/' || array_to_string(channel_names, ',') || '/' || CAST(data_rate AS VARCHAR) AS shape FROM synchrophasor WHERE frame_type_name IN ('config_2', 'config_3') AND num_pmu IS NOT NULL)
GROUP BY capture, capture_id, id_code, src_ip HAVING count(DISTINCT shape) > 1 ORDER BY capture, frame;

-- @finding synphasor_bad_crc severity=low confidence=high technique=T0814
SELECT CASE WHEN 100 * count(*) FILTER (WHERE NOT crc_ok) > count(*) THEN 'medium' ELSE 'low' END AS severity, 'Frames with a wrong CRC' AS title, CAST(count(*) FILTER (WHERE NOT crc_ok) AS VARCHAR) || ' of ' || CAST(count(*) AS VARCHAR) AS details, src_ip, dst_ip, count(*) FILTER (WHERE NOT crc_ok) AS count,
  min(frame) FILTER (WHERE NOT crc_ok) AS frame, min(ts) FILTER (WHERE NOT crc_ok) AS ts, max(ts) FILTER (WHERE NOT crc_ok) AS end_ts, capture
FROM synchrophasor GROUP BY capture, capture_id, src_ip, dst_ip HAVING count(*) FILTER (WHERE NOT crc_ok) > 0 ORDER BY capture, frame;

-- @finding synphasor_frame_gap severity=medium technique=T0814
WITH rates AS (SELECT capture_id, id_code, src_ip, max(data_rate) AS rate FROM synchrophasor WHERE data_rate > 0 GROUP BY capture_id, id_code, src_ip),
steps AS (SELECT d.capture, d.capture_id, d.id_code, d.src_ip, d.dst_ip, d.frame, d.ts, r.rate, (CAST(d.soc AS BIGINT) - lag(CAST(d.soc AS BIGINT)) OVER (PARTITION BY d.capture_id, d.flow_id, d.id_code ORDER BY d.soc)) * r.rate / 1e9 AS step
  FROM synchrophasor AS d JOIN rates AS r ON r.capture_id = d.capture_id AND r.id_code = d.id_code AND r.src_ip = d.src_ip WHERE d.frame_type_name = 'data' AND d.decoded),
windows AS (SELECT capture, capture_id, id_code, src_ip, dst_ip, CAST(ts AS BIGINT) / 10000000000 AS span, count(*) AS n, sum(round(step) - 1) FILTER (WHERE step > 1.5 AND step < 20 * rate) AS missing, min(frame) FILTER (WHERE step > 1.5) AS frame, min(ts) AS first, max(ts) AS last FROM steps GROUP BY capture, capture_id, id_code, src_ip, dst_ip, CAST(ts AS BIGINT) / 10000000000)
SELECT 'Frames are missing' AS title, 'stream ' || CAST(id_code AS VARCHAR) || ': ' || CAST(CAST(sum(missing) AS BIGINT) AS VARCHAR) || ' of ' || CAST(CAST(sum(missing + n) AS BIGINT) AS VARCHAR) AS details, src_ip, dst_ip, CAST(sum(missing) AS BIGINT) AS count, min(frame) AS frame, min(first) AS ts, max(last) AS end_ts, capture
FROM windows WHERE missing >= 3 AND missing > 0.01 * (missing + n) GROUP BY capture, capture_id, id_code, src_ip, dst_ip ORDER BY capture, frame;

-- @finding synphasor_time_step severity=high technique=T0856
SELECT 'The time of a stream jumped' AS title, 'stream ' || CAST(id_code AS VARCHAR) || ' by ' || CAST(round(step / 1000, 1) AS VARCHAR) || ' s' AS details, src_ip, dst_ip, frame, ts, capture
FROM (SELECT capture, frame, ts, src_ip, dst_ip, id_code, offset_ms - lag(offset_ms) OVER (PARTITION BY capture_id, flow_id, id_code ORDER BY frame) AS step FROM synchrophasor WHERE offset_ms IS NOT NULL) WHERE abs(step) > 1000 ORDER BY capture, frame;

-- @finding synphasor_sync_lost severity=medium technique=T0814
WITH cells AS (SELECT capture, capture_id, id_code, src_ip, dst_ip, frame, ts, unnest(data_error) AS error, unnest(pmu_sync) AS sync, unnest(range(1, CAST(array_length(stat) AS BIGINT) + 1)) AS place FROM synchrophasor WHERE decoded)
SELECT 'A unit is out of sync, or reports errors' AS title, 'stream ' || CAST(id_code AS VARCHAR) || ', unit ' || CAST(place AS VARCHAR) || ': ' || CAST(count(*) AS VARCHAR) || ' frames' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM cells WHERE error > 0 OR NOT sync GROUP BY capture, capture_id, id_code, src_ip, dst_ip, place
HAVING CAST(max(ts) AS BIGINT) - CAST(min(ts) AS BIGINT) > 5000000000 OR count(*) FILTER (WHERE error IN (1, 3)) > 0 ORDER BY capture, frame, place;

-- @finding synphasor_frequency_jump severity=medium technique=T0856
WITH cells AS (SELECT capture, capture_id, flow_id, id_code, src_ip, dst_ip, frame, ts, unnest(frequency_hz) AS hz, unnest(data_error) AS error, unnest(range(1, CAST(array_length(stat) AS BIGINT) + 1)) AS place FROM synchrophasor WHERE decoded),
steps AS (SELECT *, lag(hz) OVER w AS before, lag(error) OVER w AS error_before FROM cells WINDOW w AS (PARTITION BY capture_id, flow_id, id_code, place ORDER BY frame))
SELECT 'A frequency jumped' AS title, 'stream ' || CAST(id_code AS VARCHAR) || ', unit ' || CAST(place AS VARCHAR) || ': ' || CAST(round(max(abs(hz - before)), 2) AS VARCHAR) || ' Hz from one frame to the next' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM steps WHERE abs(hz - before) > 0.5 AND error = 0 AND error_before = 0 GROUP BY capture, capture_id, id_code, src_ip, dst_ip, place ORDER BY capture, frame, place;

-- @finding synphasor_duplicate_source severity=high technique=T0856
SELECT 'Two sources of one stream' AS title, 'stream ' || CAST(id_code AS VARCHAR) || ' from ' || array_to_string(array_sort(array_agg(src_ip)), ', ') AS details, sum(n) AS count, min(frame) AS frame, array_sort(array_agg(frame)) AS frames, min(first) AS ts, max(last) AS end_ts, capture
FROM (SELECT capture, capture_id, id_code, src_ip, count(*) AS n, min(frame) AS frame, min(ts) AS first, max(ts) AS last FROM synchrophasor WHERE frame_type_name = 'data' GROUP BY capture, capture_id, id_code, src_ip)
GROUP BY capture, capture_id, id_code HAVING count(*) > 1 AND max(first) <= min(last) ORDER BY capture, id_code;

-- @finding synphasor_public severity=high confidence=high technique=T0883
SELECT 'Synchrophasors across the internet' AS title, CAST(count(*) AS VARCHAR) || ' frames' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM synchrophasor WHERE is_public(src_ip) OR is_public(dst_ip) GROUP BY capture, capture_id, src_ip, dst_ip ORDER BY capture, frame;

-- @finding synphasor_nonstandard_port severity=low confidence=high technique=T0885
SELECT 'Synchrophasor data on another port than its own' AS title, 'port ' || CAST(dst_port AS VARCHAR) AS details, min(src_ip) AS src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, capture
FROM flows WHERE service IN ('synchrophasor') AND src_port NOT IN (4712, 4713) AND dst_port NOT IN (4712, 4713) GROUP BY dst_ip, dst_port, capture ORDER BY frame;
