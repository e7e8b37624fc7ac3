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
SELECT 'Devices are asked for their identity one after the other' AS title, CAST(count(DISTINCT dst_ip) AS VARCHAR) || ' hosts within 10 minutes' AS details, src_ip, min(dst_ip) AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM enip WHERE is_request AND command_code IN (4, 99, 100) AND ip_scope(dst_ip) NOT IN ('broadcast', 'multicast') AND dst_ip NOT LIKE '%.255' GROUP BY capture_id, src_ip, CAST(ts AS BIGINT) / 600000000000 HAVING count(DISTINCT dst_ip) >= 10 ORDER BY frame;

-- @finding enip_session_churn severity=medium confidence=high technique=T0814
SELECT 'Sessions are opened again and again' AS title, CAST(count(*) AS VARCHAR) || ' registrations within 5 minutes' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM enip WHERE is_request AND command_code = 101 GROUP BY capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 300000000000 HAVING count(*) >= 20 ORDER BY frame;

-- @finding enip_session_invalid severity=medium confidence=high technique=T0846
SELECT 'Session handles are guessed or stale' AS title, CAST(count(*) AS VARCHAR) || ' answers that the session is not valid' AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM enip WHERE NOT is_request AND status_code = 100 GROUP BY capture_id, src_ip, dst_ip HAVING count(*) >= 5 ORDER BY frame;

-- @finding enip_io_owner_change severity=high confidence=high technique=T0855,T0831
SELECT 'A second originator wants outputs that have an owner' AS title, 'refused as ownership_conflict' AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM cip WHERE NOT is_request AND status_code = 1 AND extended_status_code = 262 GROUP BY src_ip, dst_ip, capture ORDER BY frame;

-- @finding enip_unsupported_command severity=low confidence=high technique=T0846
SELECT 'Commands are tried that a device does not know' AS title, array_to_string(array_sort(array_agg(DISTINCT command)), ', ') AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM enip WHERE NOT is_request AND status_code = 1 GROUP BY capture_id, src_ip, dst_ip HAVING count(*) >= 5 ORDER BY frame;

-- @finding enip_public_peer severity=high confidence=high technique=T0883
SELECT 'EtherNet/IP with a public address' AS title, CAST(count(*) AS VARCHAR) || ' messages' AS details, min(CASE WHEN is_request THEN src_ip ELSE dst_ip END) AS src_ip, min(CASE WHEN is_request THEN dst_ip ELSE src_ip END) AS dst_ip, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
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

-- @finding enip_io_timeout severity=medium confidence=medium technique=T0814
WITH opened AS (
  SELECT q.capture_id, q.src_ip AS originator, q.dst_ip AS target, q.connection_serial, q.originator_serial, q.frame, a.o_to_t_connection_id AS to_target, a.t_to_o_connection_id AS to_originator, coalesce(a.o_to_t_rpi_us, q.o_to_t_rpi_us) AS to_target_us, coalesce(a.t_to_o_rpi_us, q.t_to_o_rpi_us) AS to_originator_us,
    -- The multiplier is 4, 8, 16 and so on: an octet behind time-out, connection numbers, serial numbers and vendor of the open.
    CAST(power(2, 1 + strpos('01234567', substr(encode(q.data, 'hex'), 38, 1))) AS BIGINT) AS multiplier
  FROM cip q JOIN cip a ON a.capture_id = q.capture_id AND a.flow_id = q.flow_id AND a.request_frame = q.frame AND a.connection_serial = q.connection_serial AND NOT a.is_request AND a.status_code = 0
  WHERE q.is_request AND q.service IN ('forward_open', 'large_forward_open') AND q.transport_class <= 1 AND length(encode(q.data, 'hex')) >= 38),
ways AS (
  SELECT capture_id, originator, target, connection_serial, originator_serial, frame AS opened_at, to_target AS connection_id, originator AS sender, CAST(to_target_us AS BIGINT) * multiplier * 1000 AS patience FROM opened
  UNION ALL SELECT capture_id, originator, target, connection_serial, originator_serial, frame, to_originator, target AS sender, CAST(to_originator_us AS BIGINT) * multiplier * 1000 FROM opened),
-- Of millions of messages only those of a sender are looked at one by one that was silent for so long at all.
senders AS (
  SELECT c.capture_id, c.connection_id, c.src_ip, longest_gap_s(c.ts) AS gap_s, max(CAST(c.ts AS BIGINT)) AS last
  FROM (SELECT DISTINCT capture_id, connection_id, sender FROM ways WHERE patience > 0) k JOIN cip c ON c.capture_id = k.capture_id AND c.connection_id = k.connection_id AND c.src_ip = k.sender
  WHERE c.is_io GROUP BY c.capture_id, c.connection_id, c.flow_id, c.src_ip),
paused AS (
  SELECT DISTINCT h.capture_id, h.connection_id, h.src_ip FROM captures c JOIN ways w ON w.capture_id = c.capture_id JOIN senders h ON h.capture_id = w.capture_id AND h.connection_id = w.connection_id AND h.src_ip = w.sender
  WHERE w.patience > 0 AND greatest(coalesce(h.gap_s, 0.0) * 1000000000, CAST(CAST(c.end_ts AS BIGINT) - h.last AS DOUBLE)) >= CAST(w.patience AS DOUBLE)),
beats AS (
  SELECT c.capture, c.capture_id, c.src_ip, c.dst_ip, c.connection_id, c.frame, c.ts, CAST(c.ts AS BIGINT) AS at, lead(CAST(c.ts AS BIGINT)) OVER (PARTITION BY c.connection_id, c.flow_id, c.capture_id, c.src_ip ORDER BY c.frame) AS next
  FROM paused p JOIN cip c ON c.capture_id = p.capture_id AND c.connection_id = p.connection_id AND c.src_ip = p.src_ip WHERE c.is_io),
silent AS (
  SELECT b.capture, b.capture_id, b.src_ip, b.dst_ip, b.connection_id, b.frame, b.ts, b.at, w.patience, w.connection_serial, w.originator_serial
  FROM captures c JOIN ways w ON w.capture_id = c.capture_id JOIN beats b ON w.capture_id = b.capture_id AND w.connection_id = b.connection_id AND w.sender = b.src_ip AND b.frame > w.opened_at
  WHERE w.patience > 0 AND coalesce(b.next, CAST(c.end_ts AS BIGINT)) - b.at > w.patience),
-- Where nothing at all was captured in that time, the capture paused.
heard AS (SELECT s.capture_id, s.connection_id, s.frame FROM silent s JOIN packets p ON p.capture_id = s.capture_id AND CAST(p.ts AS BIGINT) > s.at + s.patience / 2 AND CAST(p.ts AS BIGINT) <= s.at + s.patience GROUP BY s.capture_id, s.connection_id, s.frame),
closed AS (SELECT s.capture_id, s.connection_id, s.frame FROM silent s JOIN cip c ON c.capture_id = s.capture_id AND c.service IN ('forward_close', 'forward_open', 'large_forward_open') AND c.connection_serial = s.connection_serial AND CAST(c.ts AS BIGINT) BETWEEN s.at - 1000000000 AND s.at + s.patience GROUP BY s.capture_id, s.connection_id, s.frame)
SELECT 'An I/O connection fell silent' AS title, 'connection 0x' || lpad(to_hex(CAST(s.connection_id AS BIGINT)), 8, '0') || ': nothing for more than ' || CAST(s.patience / 1000000 AS VARCHAR) || ' ms, after which it times out, and no Forward Close' AS details, s.src_ip, s.dst_ip, count(*) AS count, min(s.frame) AS frame,
  array_slice(array_sort(array_agg(s.frame)), 1, 20) AS frames, min(s.ts) AS ts, max(s.ts) AS end_ts, min(s.capture) AS capture
FROM silent s JOIN heard h ON h.capture_id = s.capture_id AND h.connection_id = s.connection_id AND h.frame = s.frame LEFT JOIN closed c ON c.capture_id = s.capture_id AND c.connection_id = s.connection_id AND c.frame = s.frame
WHERE c.frame IS NULL GROUP BY s.capture_id, s.src_ip, s.dst_ip, s.connection_id, s.patience ORDER BY frame, details;

-- @finding enip_io_sequence severity=medium confidence=high technique=T0830,T0856
-- Two datagrams may change places; a connection that begins anew counts from the start, or after a pause.
WITH beats AS (
  SELECT min(capture) AS capture, connection_id, src_ip, dst_ip, goes_back(io_sequence, ts, frame) AS b FROM cip WHERE is_io AND io_sequence IS NOT NULL GROUP BY capture_id, connection_id, src_ip, dst_ip),
senders AS (SELECT min(capture) AS capture, capture_id, connection_id, src_ip, dst_ip, count(*) AS n, min(frame) AS first, max(frame) AS last, min(ts) AS ts, max(ts) AS end_ts FROM cip WHERE is_io AND io_sequence IS NOT NULL GROUP BY capture_id, connection_id, src_ip, dst_ip)
SELECT title, details, src_ip, dst_ip, count, frame, frames, ts, end_ts, capture FROM (
  SELECT 'The sequence of an I/O connection goes back' AS title, 'connection 0x' || lpad(to_hex(CAST(connection_id AS BIGINT)), 8, '0') || ': from ' || CAST(CAST(b['before'] AS BIGINT) AS VARCHAR) || ' to ' || CAST(CAST(b['value'] AS BIGINT) AS VARCHAR) AS details, src_ip, dst_ip, b['count'] AS count, b['frame'] AS frame,
    b['frames'] AS frames, b['ts'] AS ts, b['end_ts'] AS end_ts, capture
  FROM beats WHERE b IS NOT NULL
  UNION ALL
  SELECT 'Two senders use one I/O connection', 'connection 0x' || lpad(to_hex(CAST(a.connection_id AS BIGINT)), 8, '0') || ': ' || a.src_ip || ' and ' || b.src_ip, b.src_ip, b.dst_ip, a.n + b.n, b.first, make_array(a.first, b.first), b.ts, least(a.end_ts, b.end_ts), b.capture
  FROM senders a JOIN senders b ON b.capture_id = a.capture_id AND b.connection_id = a.connection_id AND b.dst_ip = a.dst_ip AND b.src_ip <> a.src_ip AND a.first < b.first AND b.first < a.last)
ORDER BY frame, title;

-- @finding enip_dtls_downgrade severity=low confidence=high technique=T0859
WITH secured AS (
  SELECT capture_id, dst_ip AS device FROM flows WHERE dst_port = 2221 AND resp_packets > 0 AND coalesce(service, 'dtls') IN ('dtls', 'tls', 'enip')
  UNION SELECT capture_id, src_ip FROM enip WHERE NOT is_request AND security_state IS NOT NULL)
SELECT 'A device that can be reached securely is used in clear' AS title, CAST(count(*) AS VARCHAR) || ' messages to port 44818' AS details, e.src_ip, e.dst_ip, min(e.dst_port) AS dst_port, count(*) AS count, min(e.frame) AS frame,
  array_slice(array_sort(array_agg(e.frame)), 1, 20) AS frames, min(e.ts) AS ts, max(e.ts) AS end_ts, min(e.capture) AS capture
FROM enip e JOIN secured s ON s.capture_id = e.capture_id AND s.device = e.dst_ip WHERE e.is_request AND e.dst_port = 44818 AND e.command_code IN (111, 112) GROUP BY e.capture_id, e.src_ip, e.dst_ip ORDER BY frame;
