-- @analyzer ethercat
-- @group    ot
-- @title    ETHERCAT ANALYSIS
-- @help     EtherCAT datagrams, slaves, states

-- @section summary shape=facts
SELECT count(DISTINCT frame) AS frames, count(DISTINCT frame) FILTER (WHERE pass = 'out') AS "Going out", count(DISTINCT frame) FILTER (WHERE pass = 'return') AS "Coming back", count(*) FILTER (WHERE coalesce(pass, 'out') = 'out') AS datagrams, count(DISTINCT CASE WHEN pass = 'out' THEN src_mac END) AS masters, count(DISTINCT CASE WHEN cmd IN ('FPRD', 'FPWR', 'FPRW') THEN slave_address END) AS "Station addresses", max(working_counter) FILTER (WHERE cmd = 'BRD') AS "Slaves that answer all", count(*) FILTER (WHERE malformed IS NOT NULL) AS malformed, min(ts) AS first, max(ts) AS last FROM ethercat;

-- @section "Commands" shape=table limit=15
SELECT cmd, count(*) AS datagrams, min(working_counter) AS "Least WKC", max(expected_wkc) AS "Greatest", sum(data_len) AS octets FROM ethercat WHERE coalesce(pass, 'return') = 'return' AND cmd IS NOT NULL GROUP BY cmd ORDER BY datagrams DESC, cmd;

-- @section "Slaves" shape=table limit=15
SELECT slave_address AS station, count(*) AS datagrams, count(*) FILTER (WHERE is_write) AS writes, last_value(al_state ORDER BY frame) FILTER (WHERE al_state IS NOT NULL) AS "Last state", count(*) FILTER (WHERE mailbox_type IS NOT NULL) AS "Mailbox messages" FROM ethercat WHERE cmd IN ('FPRD', 'FPWR', 'FPRW') AND coalesce(pass, 'return') = 'return' GROUP BY slave_address ORDER BY station;

-- @section "Registers" shape=table limit=20
SELECT register, count(*) FILTER (WHERE NOT is_write) AS reads, count(*) FILTER (WHERE is_write) AS writes, count(DISTINCT slave_address) AS addresses FROM ethercat WHERE register IS NOT NULL AND coalesce(pass, 'out') = 'out' GROUP BY register ORDER BY writes DESC, reads DESC, register;

-- @section "State changes" shape=table limit=30
SELECT ts, cmd, slave_address AS address, al_state AS "To", al_error AS "Acknowledges an error", frame FROM ethercat WHERE register = 'al_control' AND is_write AND coalesce(pass, 'out') = 'out' ORDER BY capture, frame, datagram_index;

-- @section "Mailbox" shape=table limit=30
SELECT mailbox_type AS type, coe_type AS kind, sdo_command AS command, slave_address AS station, '0x' || lpad(to_hex(CAST(sdo_index AS BIGINT)), 4, '0') || ':' || CAST(sdo_subindex AS VARCHAR) AS object, coalesce(foe_opcode || coalesce(' ' || foe_filename, ''), '-') AS file, sdo_abort_code AS abort, count(*) AS messages, min(frame) AS frame FROM ethercat WHERE mailbox_type IS NOT NULL AND (is_write AND coalesce(pass, 'out') = 'out' OR NOT is_write) GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY frame, station, object, kind;

-- @section "Process data" shape=table limit=15
SELECT cmd, logical_address AS address, data_len AS length, count(*) AS datagrams, CASE WHEN count(*) > 1 THEN round((max(CAST(ts AS BIGINT)) - min(CAST(ts AS BIGINT))) / 1e6 / (count(*) - 1), 3) END AS cycle_ms, max(expected_wkc) AS "WKC" FROM ethercat WHERE logical_address IS NOT NULL AND coalesce(pass, 'return') = 'return' GROUP BY 1, 2, 3 ORDER BY datagrams DESC, cmd, address;

-- @section "Datagrams" shape=table verbose
SELECT ts, src_mac AS source, pass, cmd, slave_address AS address, "offset", register, data_len AS length, working_counter AS wkc, al_state AS state, frame FROM ethercat ORDER BY capture, frame, datagram_index;

-- @finding ethercat_state_change severity=low confidence=high technique=T0858,T0816
WITH ops AS (SELECT capture_id, CAST(min(ts) AS BIGINT) AS op FROM ethercat WHERE al_state = 'OP' AND register = 'al_control' GROUP BY capture_id)
SELECT CASE WHEN max(CASE WHEN e.al_state IN ('INIT', 'PREOP', 'BOOT') AND CAST(e.ts AS BIGINT) > o.op + 60000000000 THEN 1 ELSE 0 END) = 1 THEN 'high' ELSE 'low' END AS severity, 'States of devices were set' AS title, array_to_string(array_sort(array_agg(DISTINCT e.al_state)), ', ') || ', ' || CAST(count(*) AS VARCHAR) || ' writes' AS details, count(*) AS count, min(e.frame) AS frame, array_slice(array_sort(array_agg(DISTINCT e.frame)), 1, 20) AS frames, min(e.ts) AS ts, max(e.ts) AS end_ts, e.capture
FROM ethercat AS e LEFT JOIN ops AS o ON o.capture_id = e.capture_id WHERE e.register = 'al_control' AND e.is_write AND coalesce(e.pass, 'out') = 'out' AND e.al_state IS NOT NULL GROUP BY e.capture, e.capture_id ORDER BY e.capture, frame;

-- @finding ethercat_al_error severity=medium confidence=high technique=T0814
SELECT 'A device refuses its state' AS title, 'station ' || CAST(slave_address AS VARCHAR) || ', code ' || array_to_string(array_sort(array_agg(DISTINCT al_status_code)), ', ') AS details, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ethercat WHERE al_error AND register = 'al_status' AND al_status_code > 0 GROUP BY capture, capture_id, slave_address ORDER BY capture, frame;

-- @finding ethercat_configuration_write severity=medium confidence=high technique=T0836
WITH ops AS (SELECT capture_id, slave_address, min(frame) AS op FROM ethercat WHERE al_state = 'OP' AND register = 'al_control' AND is_write GROUP BY capture_id, slave_address)
SELECT 'high' AS severity, 'Devices were configured while in operation' AS title, array_to_string(array_sort(array_agg(DISTINCT e.register)), ', ') AS details, count(*) AS count, min(e.frame) AS frame, array_slice(array_sort(array_agg(DISTINCT e.frame)), 1, 20) AS frames, min(e.ts) AS ts, max(e.ts) AS end_ts, e.capture
FROM ethercat AS e JOIN ops AS o ON o.capture_id = e.capture_id AND o.slave_address = e.slave_address AND e.frame > o.op WHERE e.is_write AND coalesce(e.pass, 'out') = 'out' AND e.register IN ('station_address', 'fmmu', 'sync_manager', 'dl_control', 'watchdog') GROUP BY e.capture, e.capture_id ORDER BY e.capture, frame;

-- @finding ethercat_eeprom_write severity=high confidence=high technique=T0839
SELECT 'The EEPROM of a device was written' AS title, 'station ' || CAST(slave_address AS VARCHAR) AS details, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
-- The write opcode of the control register is 2, in its second octet's lower three bits.
FROM ethercat WHERE is_write AND coalesce(pass, 'out') = 'out' AND "offset" = 1282 AND length(encode(data, 'hex')) >= 4 AND substr(encode(data, 'hex'), 4, 1) IN ('2', 'a') GROUP BY capture, capture_id, slave_address ORDER BY capture, frame;

-- @finding ethercat_sdo_write severity=low confidence=high technique=T0836
SELECT 'Objects of devices were written' AS title, array_to_string(array_sort(array_agg(DISTINCT '0x' || lpad(to_hex(CAST(sdo_index AS BIGINT)), 4, '0'))), ', ') || ', ' || CAST(count(*) AS VARCHAR) || ' writes' AS details, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ethercat WHERE sdo_command = 'initiate_download' AND coe_type = 'sdo_request' AND coalesce(pass, 'out') = 'out' GROUP BY capture, capture_id ORDER BY capture, frame;

-- @finding ethercat_foe_write severity=high confidence=high technique=T0857
SELECT 'A file was written to a device' AS title, coalesce(foe_filename, '-') || ', station ' || CAST(slave_address AS VARCHAR) AS details, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ethercat WHERE foe_opcode = 'write' AND coalesce(pass, 'out') = 'out' GROUP BY capture, capture_id, foe_filename, slave_address ORDER BY capture, frame;

-- @finding ethercat_wkc_short severity=medium confidence=high technique=T0814
WITH firsts AS (SELECT capture_id, min(frame) AS op FROM ethercat WHERE al_state = 'OP' AND register = 'al_control' AND is_write GROUP BY capture_id)
SELECT 'Devices do not answer' AS title, e.cmd || ' ' || CAST(e.logical_address AS VARCHAR) || ': ' || CAST(count(*) AS VARCHAR) || ' frames below ' || CAST(max(e.expected_wkc) AS VARCHAR) AS details, count(*) AS count, min(e.frame) AS frame, array_slice(array_sort(array_agg(e.frame)), 1, 20) AS frames, min(e.ts) AS ts, max(e.ts) AS end_ts, e.capture
FROM ethercat AS e JOIN firsts AS f ON f.capture_id = e.capture_id AND e.frame > f.op WHERE e.logical_address IS NOT NULL AND e.pass = 'return' AND e.working_counter < e.expected_wkc GROUP BY e.capture, e.capture_id, e.cmd, e.logical_address HAVING count(*) >= 10 ORDER BY e.capture, frame;

-- @finding ethercat_second_master severity=high confidence=medium technique=T0830
SELECT 'Two masters on one bus' AS title, array_to_string(array_sort(array_agg(DISTINCT src_mac)), ', ') AS details, count(DISTINCT frame) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ethercat WHERE pass = 'out' GROUP BY capture, capture_id HAVING count(DISTINCT src_mac) > 1 ORDER BY capture, frame;

-- @finding ethercat_topology_change severity=medium confidence=high technique=T0830
WITH answers AS (SELECT capture, capture_id, frame, ts, working_counter AS n, lag(working_counter) OVER (PARTITION BY capture_id ORDER BY frame, datagram_index) AS before FROM ethercat WHERE cmd = 'BRD' AND pass = 'return'),
ops AS (SELECT capture_id, min(frame) AS op FROM ethercat WHERE al_state = 'OP' AND register = 'al_control' AND is_write GROUP BY capture_id)
SELECT 'The number of devices changed' AS title, CAST(a.before AS VARCHAR) || ' -> ' || CAST(a.n AS VARCHAR) AS details, a.frame, a.ts, a.capture FROM answers AS a JOIN ops AS o ON o.capture_id = a.capture_id AND a.frame > o.op WHERE a.n <> a.before ORDER BY a.capture, a.frame;

-- @finding ethercat_external_frame severity=medium confidence=high technique=T0886
SELECT 'EtherCAT over UDP' AS title, CAST(count(*) AS VARCHAR) || ' datagrams' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ethercat WHERE src_ip IS NOT NULL GROUP BY capture, capture_id, src_ip, dst_ip, dst_port ORDER BY capture, frame;
