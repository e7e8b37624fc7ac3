-- @analyzer enip
-- @group    ot
-- @title    ETHERNET/IP ANALYSIS
-- @help     EtherNet/IP sessions, devices, I/O connections

-- @section summary shape=facts
SELECT count(*) AS messages, count(DISTINCT flow_id) AS flows, count(DISTINCT CASE WHEN is_request THEN src_ip END) AS clients, count(DISTINCT CASE WHEN NOT is_request THEN src_ip WHEN command NOT IN ('list_identity', 'list_services', 'list_interfaces') THEN dst_ip END) AS servers, min(ts) AS first, max(ts) AS last,
  count(*) FILTER (WHERE status_code <> 0) AS errors, (SELECT count(*) FROM cip WHERE is_io) AS "I/O datagrams", array_to_string(array_sort(array_agg(DISTINCT CASE WHEN is_request THEN dst_port END)), ', ') AS ports
FROM enip;

-- @section "Device inventory" shape=table limit=30
SELECT ip, vendor, type, name, product, revision, serial, state, source, frame FROM (
  SELECT src_ip AS ip, coalesce(vendor, CAST(vendor_id AS VARCHAR)) AS vendor, coalesce(device_type, CAST(device_type_id AS VARCHAR)) AS type, product_name AS name, CAST(product_code AS VARCHAR) AS product, revision, '0x' || lpad(to_hex(serial_number), 8, '0') AS serial, device_state AS state, 'list_identity' AS source, min(frame) AS frame
  FROM enip WHERE product_name IS NOT NULL GROUP BY src_ip, coalesce(vendor, CAST(vendor_id AS VARCHAR)), coalesce(device_type, CAST(device_type_id AS VARCHAR)), product_name, product_code, revision, serial_number, device_state
  UNION ALL
  SELECT src_ip AS ip, coalesce(max(v.vendor), CAST(identity_vendor_id AS VARCHAR)) AS vendor, NULL AS type, identity_product_name AS name, NULL AS product, identity_revision AS revision, '0x' || lpad(to_hex(identity_serial), 8, '0') AS serial, max(key_position) AS state, 'identity object' AS source, min(frame) AS frame
  FROM cip LEFT JOIN (SELECT vendor_id, max(vendor) AS vendor FROM enip WHERE vendor IS NOT NULL GROUP BY vendor_id) AS v ON v.vendor_id = identity_vendor_id
  WHERE identity_product_name IS NOT NULL GROUP BY src_ip, identity_vendor_id, identity_product_name, identity_revision, identity_serial)
ORDER BY vendor, name, ip, serial, frame;

-- @section "Sessions" shape=table limit=15
SELECT CASE WHEN is_request THEN src_ip ELSE dst_ip END AS client, CASE WHEN is_request THEN dst_ip ELSE src_ip END AS server, '0x' || lpad(to_hex(session_handle), 8, '0') AS session, min(ts) AS first, max(ts) AS last, count(*) AS messages,
  count(*) FILTER (WHERE command_code = 112) AS connected, count(*) FILTER (WHERE command_code = 111) AS unconnected, count(*) FILTER (WHERE status_code <> 0) AS errors
FROM enip WHERE session_handle <> 0 GROUP BY CASE WHEN is_request THEN src_ip ELSE dst_ip END, CASE WHEN is_request THEN dst_ip ELSE src_ip END, session_handle ORDER BY messages DESC, client, server, session;

-- @section "Connections" shape=table limit=15
SELECT CASE WHEN is_request THEN src_ip ELSE dst_ip END AS originator, CASE WHEN is_request THEN dst_ip ELSE src_ip END AS target, connection_serial AS serial, '0x' || lpad(to_hex(originator_serial), 8, '0') AS "Originator serial", max(transport_class) AS class, max(o_to_t_rpi_us) / 1000 AS "O>T RPI, ms", max(t_to_o_rpi_us) / 1000 AS "T>O RPI, ms",
  min(ts) FILTER (WHERE service LIKE '%open') AS opened, max(ts) FILTER (WHERE service = 'forward_close') AS closed, array_to_string(array_sort(array_agg(DISTINCT status)), ', ') AS status
FROM cip WHERE connection_serial IS NOT NULL GROUP BY CASE WHEN is_request THEN src_ip ELSE dst_ip END, CASE WHEN is_request THEN dst_ip ELSE src_ip END, connection_serial, originator_serial ORDER BY opened, originator, target, serial;

-- @section "I/O" shape=table limit=15
SELECT src_ip AS src, dst_ip AS dst, '0x' || lpad(to_hex(connection_id), 8, '0') AS connection, count(*) AS datagrams, min(data_len) AS "Octets", min(ts) AS first, max(ts) AS last FROM cip WHERE is_io GROUP BY src_ip, dst_ip, connection_id ORDER BY datagrams DESC, src, dst, connection;

-- @section "Commands" shape=table limit=15
SELECT command, count(*) FILTER (WHERE is_request) AS requests, count(*) FILTER (WHERE NOT is_request) AS answers, count(*) FILTER (WHERE status_code <> 0) AS errors, array_to_string(array_sort(array_agg(DISTINCT CASE WHEN status_code <> 0 THEN coalesce(status, CAST(status_code AS VARCHAR)) END)), ', ') AS status
FROM enip GROUP BY command_code, command ORDER BY requests DESC, command;

-- @section "Messages" shape=table verbose
SELECT ts, src_ip AS src, dst_ip AS dst, command, session_handle AS session, status, array_to_string(item_types, ' ') AS items, malformed FROM enip ORDER BY capture, frame, command;

-- @finding enip_identity_sweep severity=medium confidence=high technique=T0846
SELECT 'Devices are asked for their identity one after the other' AS title, CAST(count(DISTINCT dst_ip) AS VARCHAR) || ' hosts within 10 minutes' AS details, src_ip, min(dst_ip) AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM enip WHERE is_request AND command_code IN (4, 99, 100) AND ip_scope(dst_ip) NOT IN ('broadcast', 'multicast') AND dst_ip NOT LIKE '%.255' GROUP BY capture_id, src_ip, CAST(ts AS BIGINT) / 600000000000 HAVING count(DISTINCT dst_ip) >= 10 ORDER BY frame;

-- @finding enip_session_churn severity=medium confidence=high technique=T0814
SELECT 'Sessions are opened again and again' AS title, CAST(count(*) AS VARCHAR) || ' registrations within 5 minutes' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM enip WHERE is_request AND command_code = 101 GROUP BY capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 300000000000 HAVING count(*) >= 20 ORDER BY frame;

-- @finding enip_session_invalid severity=medium confidence=high technique=T0846
SELECT 'Session handles are guessed or stale' AS title, CAST(count(*) AS VARCHAR) || ' answers that the session is not valid' AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM enip WHERE NOT is_request AND status_code = 100 GROUP BY capture_id, src_ip, dst_ip HAVING count(*) >= 5 ORDER BY frame;

-- @finding enip_io_owner_change severity=high confidence=high technique=T0855,T0831
SELECT 'A second originator wants outputs that have an owner' AS title, 'refused as ownership_conflict' AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM cip WHERE NOT is_request AND status_code = 1 AND extended_status_code = 262 GROUP BY src_ip, dst_ip, capture ORDER BY frame;

-- @finding enip_unsupported_command severity=low confidence=high technique=T0846
SELECT 'Commands are tried that a device does not know' AS title, array_to_string(array_sort(array_agg(DISTINCT command)), ', ') AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM enip WHERE NOT is_request AND status_code = 1 GROUP BY capture_id, src_ip, dst_ip HAVING count(*) >= 5 ORDER BY frame;

-- @finding enip_public_peer severity=high confidence=high technique=T0883
SELECT 'EtherNet/IP with a public address' AS title, CAST(count(*) AS VARCHAR) || ' messages' AS details, min(CASE WHEN is_request THEN src_ip ELSE dst_ip END) AS src_ip, min(CASE WHEN is_request THEN dst_ip ELSE src_ip END) AS dst_ip, count(*) AS count, min(frame) AS frame,
  array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM enip WHERE is_public(src_ip) OR is_public(dst_ip) GROUP BY flow_id, capture ORDER BY frame;

-- @finding enip_nonstandard_port severity=low confidence=high technique=T0885
SELECT 'EtherNet/IP on another port than its own' AS title, 'port ' || CAST(dst_port AS VARCHAR) AS details, min(src_ip) AS src_ip, dst_ip, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM enip WHERE is_request AND src_port NOT IN (44818, 2221, 2222) AND dst_port NOT IN (44818, 2221, 2222) GROUP BY dst_ip, dst_port, capture ORDER BY frame;

-- @finding enip_io_new_owner severity=high confidence=medium technique=T0855,T0831
WITH span AS (SELECT capture_id, CAST(min(ts) AS BIGINT) AS start, CAST(max(ts) AS BIGINT) AS stop FROM packets GROUP BY capture_id),
opened AS (SELECT q.capture, q.capture_id, q.src_ip, q.dst_ip, q.dst_port, q.frame, q.ts, q.connection_serial FROM cip AS q JOIN cip AS a ON a.capture_id = q.capture_id AND a.flow_id = q.flow_id AND a.request_frame = q.frame AND a.connection_serial = q.connection_serial AND a.status_code = 0 AND NOT a.is_request WHERE q.service IN ('forward_open', 'large_forward_open') AND q.is_request AND q.transport_class <= 1),
spoke AS (SELECT capture_id, src_ip, CAST(min(ts) AS BIGINT) AS first FROM enip GROUP BY capture_id, src_ip)
SELECT 'A new host takes the outputs of a device' AS title, 'connection 0x' || lpad(to_hex(CAST(o.connection_serial AS BIGINT)), 4, '0') || ', after ' || CAST((s.first - p.start) / 60000000000 AS VARCHAR) || ' minutes without a word' AS details, o.src_ip, o.dst_ip, o.dst_port, o.frame, o.ts, o.capture
FROM opened AS o JOIN span AS p ON p.capture_id = o.capture_id JOIN spoke AS s ON s.capture_id = o.capture_id AND s.src_ip = o.src_ip
-- A capture too short to know who belongs to the plant tells nothing, nor does one that begins with the plant: others must have been at work.
WHERE p.stop - p.start >= 600000000000 AND s.first > p.start + greatest(60000000000, (p.stop - p.start) / 20)
  AND EXISTS (SELECT 1 FROM spoke AS e WHERE e.capture_id = o.capture_id AND e.src_ip <> o.src_ip AND e.src_ip <> o.dst_ip AND e.first <= s.first - 60000000000) ORDER BY o.capture, o.frame;
