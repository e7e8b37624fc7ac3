-- @analyzer hart
-- @group    ot
-- @title    HART-IP ANALYSIS
-- @help     HART-IP sessions, devices, commands

-- @section summary shape=facts
SELECT count(*) AS messages, count(DISTINCT flow_id) AS flows, count(*) FILTER (WHERE message_type = 'request') AS requests, count(*) FILTER (WHERE request_frame IS NOT NULL) AS answered, count(*) FILTER (WHERE message_type = 'publish') AS publications,
  count(DISTINCT coalesce(long_address, CAST(short_address AS VARCHAR))) AS instruments, count(*) FILTER (WHERE malformed IS NOT NULL) AS malformed, min(ts) AS first, max(ts) AS last FROM hart_ip;

-- @section "Instruments" shape=table limit=15
SELECT coalesce(long_address, CAST(short_address AS VARCHAR)) AS address, src_ip AS gateway, max(coalesce(long_tag, tag)) AS tag, '0x' || lpad(to_hex(CAST(max(expanded_device_type) AS BIGINT)), 4, '0') AS type, '0x' || lpad(to_hex(CAST(max(manufacturer_id) AS BIGINT)), 4, '0') AS manufacturer, max(hart_revision) AS revision,
  last_value(primary_value ORDER BY frame) FILTER (WHERE primary_value IS NOT NULL) AS "Last PV", last_value(primary_units ORDER BY frame) FILTER (WHERE primary_units IS NOT NULL) AS unit, array_to_string(last_value(device_status_names ORDER BY frame) FILTER (WHERE device_status IS NOT NULL), ', ') AS status, count(*) AS answers
FROM hart_ip WHERE frame_kind IN ('ack', 'back') GROUP BY coalesce(long_address, CAST(short_address AS VARCHAR)), src_ip ORDER BY address, gateway;

-- @section "Sessions" shape=table limit=15
SELECT CASE WHEN message_type = 'request' THEN src_ip ELSE dst_ip END AS client, CASE WHEN message_type = 'request' THEN dst_ip ELSE src_ip END AS gateway, max(carrier) AS carrier, max(master_type) AS master, max(inactivity_close_timer_ms) AS timer_ms,
  count(*) FILTER (WHERE message_id = 'session_initiate') AS initiate, count(*) FILTER (WHERE message_id = 'keep_alive') AS "Keep-alives", count(*) FILTER (WHERE message_id = 'session_close') AS close
FROM hart_ip WHERE message_id IN ('session_initiate', 'session_close', 'keep_alive') GROUP BY CASE WHEN message_type = 'request' THEN src_ip ELSE dst_ip END, CASE WHEN message_type = 'request' THEN dst_ip ELSE src_ip END ORDER BY client, gateway;

-- @section "Commands" shape=table limit=30
SELECT r.command_code AS command, r.command AS name, r.command_class AS class, r.category, count(DISTINCT r.frame) AS requests, count(DISTINCT CASE WHEN a.response_code = 0 THEN a.frame END) AS ok, array_to_string(array_sort(array_agg(DISTINCT CAST(a.response_code AS VARCHAR)) FILTER (WHERE a.response_code > 0)), ', ') AS "Other codes"
FROM hart_ip AS r LEFT JOIN hart_ip AS a ON a.capture_id = r.capture_id AND a.request_frame = r.frame AND a.command_code = r.command_code WHERE r.frame_kind = 'stx' GROUP BY r.command_code, r.command, r.command_class, r.category ORDER BY command;

-- @section "Writes and control" shape=table limit=15
SELECT ts, actor AS client, target AS gateway, target_unit AS instrument, coalesce(command, command_code) AS command, value, outcome, error FROM ot_commands WHERE protocol = 'hart_ip' ORDER BY capture, frame;

-- @section "Publishing instruments" shape=table limit=15
SELECT coalesce(long_address, CAST(short_address AS VARCHAR)) AS instrument, src_ip AS gateway, command_code AS command, count(*) AS messages, CASE WHEN count(*) > 1 THEN round(CAST(CAST(max(ts) AS BIGINT) - CAST(min(ts) AS BIGINT) AS DOUBLE) / 1e9 / (count(*) - 1), 3) END AS period_s
FROM hart_ip WHERE message_type = 'publish' GROUP BY coalesce(long_address, CAST(short_address AS VARCHAR)), src_ip, command_code ORDER BY instrument, command;

-- @section "Messages" shape=table verbose
SELECT ts, src_ip AS source, dst_ip AS destination, message_type AS type, message_id AS message, command_code AS command, response_code AS code, encode(data, 'hex') AS data, malformed FROM hart_ip ORDER BY capture, frame;

-- @finding hart_fixed_current severity=high confidence=high technique=T0831,T0856
SELECT 'A loop current is forced' AS title, 'instrument ' || target_unit || ': ' || value AS details, src_ip, dst_ip, dst_port, frame, ts, capture
FROM ot_commands WHERE protocol = 'hart_ip' AND command = 'fixed_current_mode' AND outcome = 'ok' AND value <> '0 mA' ORDER BY capture, frame;

-- @finding hart_device_reset severity=high confidence=high technique=T0816
SELECT 'An instrument was reset' AS title, 'instrument ' || target_unit AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM ot_commands WHERE protocol = 'hart_ip' AND class = 'restart' AND outcome = 'ok' ORDER BY capture, frame;

-- @finding hart_write severity=info confidence=high technique=T0836
SELECT CASE WHEN outcome = 'ok' THEN 'info' ELSE 'low' END AS severity, CASE WHEN outcome = 'ok' THEN 'An instrument was configured' ELSE 'A write was refused' END AS title, 'instrument ' || target_unit || ': ' || command || coalesce(' ' || value, '') || coalesce(' (' || error || ')', '') AS details, src_ip, dst_ip, dst_port,
  count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'hart_ip' AND command IN ('write_message', 'write_final_assembly', 'write_tag_descriptor_date', 'write_pv_damping', 'write_pv_range', 'write_pv_units', 'write_transfer_function', 'write_dynamic_variable_assignments', 'write_device_variable_units', 'write_device_variable', 'write_burst_period', 'write_burst_trigger', 'write_burst_device_variables', 'write_burst_mode_command_number')
GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, target_unit, command, value, error, outcome ORDER BY capture, frame;

-- @finding hart_calibration severity=high confidence=high technique=T0836,T0831
SELECT 'An instrument was calibrated' AS title, 'instrument ' || o.target_unit || ': ' || o.command || coalesce(' ' || o.value, '') AS details, o.src_ip AS src_ip, o.dst_ip AS dst_ip, o.dst_port AS dst_port, o.frame AS frame, o.ts AS ts, o.capture AS capture
FROM ot_commands AS o WHERE o.protocol = 'hart_ip' AND o.outcome = 'ok' AND o.command_code IN ('36', '37', '43', '45', '46', '82', '83') ORDER BY capture, frame;

-- @finding hart_lock severity=medium confidence=high technique=T0814
SELECT 'An instrument was locked or made to squawk' AS title, 'instrument ' || target_unit || ': ' || command AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM ot_commands WHERE protocol = 'hart_ip' AND class = 'reserve' AND outcome = 'ok' ORDER BY capture, frame;

-- @finding hart_address_change severity=high confidence=high technique=T0836,T0830
SELECT 'An instrument was given another name or address' AS title, 'instrument ' || target_unit || ': ' || command || coalesce(' ' || value, '') AS details, src_ip, dst_ip, dst_port, frame, ts, capture
FROM ot_commands WHERE protocol = 'hart_ip' AND outcome = 'ok' AND command IN ('write_polling_address', 'write_long_tag') ORDER BY capture, frame;

-- @finding hart_burst_stopped severity=medium confidence=high technique=T0804,T0814
SELECT 'Burst mode was switched off' AS title, 'instrument ' || target_unit AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM ot_commands WHERE protocol = 'hart_ip' AND outcome = 'ok' AND command = 'burst_control' AND value = 'burst mode 0' ORDER BY capture, frame;

-- @finding hart_status_malfunction severity=medium technique=T0814
SELECT 'An instrument reports a malfunction' AS title, 'instrument ' || coalesce(long_address, CAST(short_address AS VARCHAR)) || ': ' || CAST(count(*) AS VARCHAR) || ' answers' AS details, src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM hart_ip WHERE device_status >= 128 AND response_code < 128 GROUP BY capture, capture_id, src_ip, coalesce(long_address, CAST(short_address AS VARCHAR)) ORDER BY capture, frame;

-- @finding hart_unknown_command_scan severity=medium technique=T0846
SELECT 'Commands are tried out' AS title, CAST(count(DISTINCT command_code) AS VARCHAR) || ' commands are not implemented' AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM hart_ip WHERE response_code = 64 AND frame_kind = 'ack' GROUP BY capture, capture_id, dst_ip, src_ip, CAST(ts AS BIGINT) / 300000000000 HAVING count(DISTINCT command_code) >= 10 ORDER BY capture, frame;

-- @finding hart_public_peer severity=high confidence=high technique=T0883
SELECT 'HART-IP across the internet' AS title, CAST(count(*) AS VARCHAR) || ' messages' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM hart_ip WHERE message_type = 'request' AND (is_public(src_ip) OR is_public(dst_ip)) GROUP BY capture, capture_id, src_ip, dst_ip ORDER BY capture, frame;

-- @finding hart_nonstandard_port severity=low confidence=high technique=T0885
SELECT 'HART-IP on another port than its own' AS title, 'port ' || CAST(dst_port AS VARCHAR) AS details, min(src_ip) AS src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, capture
FROM flows WHERE service IN ('hart_ip') AND src_port NOT IN (5094, 5095) AND dst_port NOT IN (5094, 5095) GROUP BY dst_ip, dst_port, capture ORDER BY frame;

-- @finding hart_new_client_writes severity=medium confidence=medium technique=T0855
SELECT severity, 'A client that was not there before writes' AS title, details, src_ip, dst_ip, dst_port, count, frame, frames, ts, end_ts, capture FROM late_writers WHERE protocol = 'hart_ip' ORDER BY frame, src_ip, dst_ip;

-- @finding hart_error_burst severity=medium confidence=high technique=T0814,T0846
SELECT severity, 'A server refuses much of what a client asks' AS title, details, src_ip, dst_ip, count, frame, frames, ts, end_ts, capture FROM refusal_bursts WHERE protocol = 'hart_ip' ORDER BY frame, src_ip, dst_ip;
