-- @analyzer quic
-- @group    it
-- @title    QUIC ANALYSIS
-- @help     QUIC connections, versions, server names

-- @section summary shape=facts
SELECT count(*) AS connections, (SELECT count(*) FROM quic_packets) AS "Long-header packets",
  (SELECT sum(f.orig_packets + f.resp_packets) FROM flows f WHERE f.service = 'quic') AS datagrams, (SELECT sum(f.orig_bytes + f.resp_bytes) FROM flows f WHERE f.service = 'quic') AS total_bytes,
  array_to_string(array_sort(array_agg(DISTINCT version_name)), ', ') AS versions, 1.0 * count(*) FILTER (WHERE decrypted) / nullif(count(decrypted), 0) AS decrypted_share,
  1.0 * count(*) FILTER (WHERE handshake_seen) / nullif(count(handshake_seen), 0) AS completed_share, count(DISTINCT server_name) AS server_names, count(DISTINCT src_ip) AS clients, count(DISTINCT dst_ip) AS servers FROM quic;

-- @section "Connections" shape=table limit=25
SELECT q.src_ip AS client, q.dst_ip || ' ' || q.dst_port AS server, q.version_name AS version, coalesce(q.server_name, '-') AS name, coalesce(q.client_protocol, '-') AS alpn,
  CASE WHEN q.src_ip = f.src_ip AND q.src_port = f.src_port THEN f.orig_bytes ELSE f.resp_bytes END AS up_bytes, CASE WHEN q.src_ip = f.src_ip AND q.src_port = f.src_port THEN f.resp_bytes ELSE f.orig_bytes END AS down_bytes, f.duration_s
FROM quic q LEFT JOIN flows f ON f.capture_id = q.capture_id AND f.flow_id = q.flow_id ORDER BY f.orig_bytes + f.resp_bytes DESC, q.capture, q.frame, q.client_initial_dcid;

-- @section "Connection ids" shape=table limit=25 verbose
SELECT frame, client_initial_dcid AS "First id", client_scid AS client, server_scid AS server, initial_packets AS initial, handshake_packets AS handshake, short_packets AS short, crypto_fragments AS pieces, retry, zero_rtt AS "0-RTT", history
FROM quic ORDER BY capture, frame, client_initial_dcid;

-- @section "Names" shape=table limit=15
SELECT server_name AS "Server name", count(*) AS connections, count(DISTINCT src_ip) AS clients, count(DISTINCT dst_ip) AS servers, bool_or(ech) AS "ECH", array_to_string(array_sort(array_agg(DISTINCT array_to_string(alpn, ' '))), ' | ') AS "ALPN offered"
FROM quic WHERE server_name IS NOT NULL GROUP BY server_name ORDER BY connections DESC, "Server name";

-- @section "Fingerprints" shape=table limit=15
SELECT ja4, ja3, count(*) AS connections, count(DISTINCT src_ip) AS clients, array_to_string(array_slice(array_sort(array_agg(DISTINCT server_name)), 1, 2), ', ') AS names
FROM quic WHERE ja4 IS NOT NULL GROUP BY ja4, ja3 ORDER BY connections DESC, ja4, ja3;

-- @section "Programs that name themselves" shape=table limit=15
SELECT user_agent AS "User agent", count(*) AS connections, array_to_string(array_slice(array_sort(array_agg(DISTINCT src_ip)), 1, 4), ', ') AS clients FROM quic WHERE user_agent IS NOT NULL GROUP BY user_agent ORDER BY connections DESC, "User agent";

-- @section "Versions" shape=table
SELECT version_name AS version, count(*) AS connections, count(*) FILTER (WHERE version_negotiation) AS "Negotiated", count(*) FILTER (WHERE retry) AS retries, count(*) FILTER (WHERE zero_rtt) AS "0-RTT", count(*) FILTER (WHERE handshake_seen) AS "Handshake seen",
  array_to_string(array_sort(array_agg(DISTINCT cipher)), ', ') AS ciphers FROM quic GROUP BY version_name ORDER BY connections DESC, version;

-- @section "Versions that servers offered" shape=table limit=15
SELECT dst_ip AS server, dst_port AS port, '0x' || lpad(to_hex(offered), 8, '0') AS version, count(*) AS connections FROM (SELECT dst_ip, dst_port, unnest(offered_versions) AS offered FROM quic WHERE offered_versions IS NOT NULL)
GROUP BY dst_ip, dst_port, offered ORDER BY server, port, version;

-- @section "Closed in the handshake" shape=table limit=15
SELECT src_ip AS client, dst_ip AS server, '0x' || to_hex(close_error) AS error, close_reason AS reason, count(*) AS connections, min(frame) AS frame FROM quic WHERE close_error IS NOT NULL GROUP BY src_ip, dst_ip, close_error, close_reason ORDER BY connections DESC, client, server, error, reason;

-- @finding quic_nonstandard_port severity=low confidence=high technique=T1571
SELECT 'QUIC on an unusual port' AS title, coalesce('to ' || max(server_name), 'without a server name') AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM quic WHERE dst_port NOT IN (443, 80, 8443, 853, 784, 8853) AND (decrypted OR handshake_seen OR server_name IS NOT NULL) GROUP BY src_ip, dst_ip, dst_port, capture ORDER BY src_ip, dst_ip, dst_port;

-- @finding quic_no_sni severity=low confidence=medium technique=T1573
SELECT 'A client does not say which host it asks for' AS title, 'no server name, ALPN ' || coalesce(max(array_to_string(alpn, ' ')), 'absent') AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM quic WHERE handshake_seen AND ech = false AND ja4 IS NOT NULL AND server_name IS NULL AND dst_port IN (443, 80, 8443) AND is_public(dst_ip) AND NOT is_public(src_ip) AND dst_ip NOT IN (SELECT "value" FROM encrypted_resolvers WHERE kind = 'address')
GROUP BY capture_id, src_ip, dst_ip ORDER BY src_ip, dst_ip;

-- @finding quic_direct_c2 severity=medium confidence=medium technique=T1071.001,T1573
WITH hidden AS (SELECT q.capture, q.capture_id, q.flow_id, q.src_ip, q.dst_ip, q.dst_port, q.src_port FROM quic q LEFT JOIN (SELECT DISTINCT capture_id, lower(query) AS query FROM dns WHERE query IS NOT NULL) d ON d.capture_id = q.capture_id AND d.query = q.server_name
    WHERE q.ja4 IS NOT NULL AND is_public(q.dst_ip) AND d.query IS NULL AND NOT coalesce(starts_with(q.client_protocol, 'h3') OR starts_with(q.client_protocol, 'doq') OR q.client_protocol = 'smb', false)),
  sent AS (SELECT h.capture, h.capture_id, h.src_ip, h.dst_ip, h.dst_port, p.frame, p.ts, p.payload_len, (CAST(p.ts AS BIGINT) - lag(CAST(p.ts AS BIGINT)) OVER (PARTITION BY h.capture_id, h.src_ip, h.dst_ip, h.dst_port ORDER BY p.frame)) / 1e9 AS gap
    FROM hidden h JOIN packets p ON p.capture_id = h.capture_id AND p.flow_id = h.flow_id AND p.src_ip = h.src_ip AND p.src_port = h.src_port),
  pace AS (SELECT min(capture) AS capture, capture_id, src_ip, dst_ip, dst_port, count(*) AS exchanges, median(gap) AS middle, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts FROM sent WHERE gap >= 5 GROUP BY capture_id, src_ip, dst_ip, dst_port),
  spread AS (SELECT s.capture_id, s.src_ip, s.dst_ip, s.dst_port, median(abs(s.gap - p.middle)) AS off FROM sent s JOIN pace p ON p.capture_id = s.capture_id AND p.src_ip = s.src_ip AND p.dst_ip = s.dst_ip AND p.dst_port = s.dst_port WHERE s.gap >= 5 GROUP BY s.capture_id, s.src_ip, s.dst_ip, s.dst_port),
  size AS (SELECT capture_id, src_ip, dst_ip, dst_port, sum(payload_len) AS bytes FROM sent GROUP BY capture_id, src_ip, dst_ip, dst_port)
SELECT 'Regular QUIC exchanges with a host that no name led to' AS title, CAST(p.exchanges AS VARCHAR) || ' exchanges, one every ' || CAST(round(p.middle, 1) AS VARCHAR) || ' s' AS details, p.src_ip, p.dst_ip, p.dst_port, p.exchanges AS count, p.frame, p.frames, p.ts, p.end_ts, p.capture
FROM pace p JOIN spread s ON s.capture_id = p.capture_id AND s.src_ip = p.src_ip AND s.dst_ip = p.dst_ip AND s.dst_port = p.dst_port JOIN size z ON z.capture_id = p.capture_id AND z.src_ip = p.src_ip AND z.dst_ip = p.dst_ip AND z.dst_port = p.dst_port
WHERE p.exchanges >= 10 AND s.off <= 0.15 * p.middle AND z.bytes <= 20000 * p.exchanges ORDER BY p.src_ip, p.dst_ip, p.dst_port, p.frame;

-- @finding quic_smb severity=medium confidence=high technique=T1021.002,T1048
SELECT 'File sharing (SMB over QUIC) across the border' AS title, coalesce('to ' || max(server_name), 'without a server name') AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM quic WHERE array_has(alpn, 'smb') AND is_public(dst_ip) GROUP BY src_ip, dst_ip, dst_port, capture ORDER BY src_ip, dst_ip, dst_port;

-- @finding quic_doh_doq severity=info confidence=high technique=T1572
SELECT 'Names are resolved over QUIC' AS title, coalesce('by ' || max(q.server_name), 'ALPN ' || max(q.client_protocol)) AS details, q.src_ip, q.dst_ip, max(q.dst_port) AS dst_port, count(DISTINCT q.client_initial_dcid) AS count, min(q.frame) AS frame, min(q.ts) AS ts, max(q.ts) AS end_ts, min(q.capture) AS capture
FROM quic q LEFT JOIN encrypted_resolvers r ON r.kind = 'name' AND (q.server_name = r."value" OR ends_with(q.server_name, '.' || r."value"))
WHERE starts_with(q.client_protocol, 'doq') OR r."value" IS NOT NULL GROUP BY q.capture_id, q.src_ip, q.dst_ip ORDER BY q.src_ip, q.dst_ip;

-- @finding quic_large_upload severity=medium confidence=medium technique=T1048.002
WITH sides AS (SELECT q.capture, q.capture_id, q.flow_id, q.src_ip, q.dst_ip, q.dst_port, q.server_name, q.frame, q.ts, f.end_ts, CASE WHEN q.src_port = f.src_port AND q.src_ip = f.src_ip THEN f.orig_bytes ELSE f.resp_bytes END AS up, CASE WHEN q.src_port = f.src_port AND q.src_ip = f.src_ip THEN f.resp_bytes ELSE f.orig_bytes END AS down,
    row_number() OVER (PARTITION BY q.capture_id, q.flow_id ORDER BY q.frame) AS place FROM quic q JOIN flows f ON f.capture_id = q.capture_id AND f.flow_id = q.flow_id)
SELECT 'Much data was sent over QUIC' AS title, CAST(up / 1000000 AS VARCHAR) || ' MB up, ' || CAST(down / 1000000 AS VARCHAR) || ' MB down' || coalesce(', to ' || server_name, '') AS details, src_ip, dst_ip, dst_port, frame, ts, end_ts, capture
FROM sides WHERE place = 1 AND up >= 50000000 AND up >= 5 * down AND is_public(dst_ip) ORDER BY src_ip, dst_ip, frame;

-- @finding quic_flood severity=high confidence=medium technique=T1498
WITH starts AS (SELECT min(p.capture) AS capture, p.capture_id, p.dst_ip, p.dst_port, CAST(p.ts AS BIGINT) / 1000000000 AS second, count(*) AS n, count(DISTINCT p.src_ip) AS sources, count(*) FILTER (WHERE NOT q.handshake_seen) AS unfinished, min(p.frame) AS frame, array_slice(array_sort(array_agg(p.frame)), 1, 20) AS frames, min(p.ts) AS ts, max(p.ts) AS end_ts
  FROM quic_packets p JOIN quic q ON q.capture_id = p.capture_id AND q.flow_id = p.flow_id AND q.dst_ip = p.dst_ip AND q.dst_port = p.dst_port AND q.client_initial_dcid = p.dcid WHERE p.packet_type = 'initial' GROUP BY p.capture_id, p.dst_ip, p.dst_port, CAST(p.ts AS BIGINT) / 1000000000)
SELECT 'Flood of connection attempts' AS title, CAST(max(n) AS VARCHAR) || ' Initial packets in a second from ' || CAST(max(sources) AS VARCHAR) || ' addresses' AS details, dst_ip, dst_port, sum(n) AS count, min(frame) AS frame, first_value(frames ORDER BY frame) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM starts WHERE n >= 500 AND unfinished >= 0.8 * n GROUP BY capture_id, dst_ip, dst_port ORDER BY dst_ip, dst_port;

-- @finding quic_vn_amplification severity=medium confidence=medium technique=T1498.002
WITH alone AS (SELECT min(capture) AS capture, capture_id, flow_id, min(src_ip) AS src_ip, min(dst_ip) AS dst_ip, min(src_port) AS src_port, min(dst_port) AS dst_port, min(history) AS history FROM quic GROUP BY capture_id, flow_id HAVING count(*) = 1),
  proven AS (SELECT a.capture_id, a.flow_id, min(p.frame) AS frame FROM alone a JOIN quic_packets p ON p.capture_id = a.capture_id AND p.flow_id = a.flow_id AND p.src_port = a.src_port AND p.src_ip = a.src_ip WHERE p.packet_type = 'handshake' OR p.token_len > 0 GROUP BY a.capture_id, a.flow_id),
  before AS (SELECT min(a.capture) AS capture, a.capture_id, a.flow_id, a.src_ip, a.dst_ip, a.dst_port, sum(CASE WHEN p.src_port = a.src_port AND p.src_ip = a.src_ip THEN p.payload_len ELSE 0 END) AS asked, sum(CASE WHEN p.src_port = a.src_port AND p.src_ip = a.src_ip THEN 0 ELSE p.payload_len END) AS answered,
      min(p.frame) AS frame, array_slice(array_sort(array_agg(p.frame)), 1, 20) AS frames, min(p.ts) AS ts, max(p.ts) AS end_ts
    FROM alone a JOIN packets p ON p.capture_id = a.capture_id AND p.flow_id = a.flow_id LEFT JOIN proven v ON v.capture_id = a.capture_id AND v.flow_id = a.flow_id WHERE starts_with(a.history, 'I') AND NOT contains(a.history, 'O') AND (v.frame IS NULL OR p.frame < v.frame) GROUP BY a.capture_id, a.flow_id, a.src_ip, a.dst_ip, a.dst_port)
SELECT 'A server answers more than three times what it was asked, before it knows the address' AS title, CAST(answered AS VARCHAR) || ' bytes for ' || CAST(asked AS VARCHAR) AS details, src_ip, dst_ip, dst_port, frame, frames, ts, end_ts, capture
FROM before WHERE asked > 0 AND answered > 3 * asked ORDER BY src_ip, dst_ip, frame;

-- @finding quic_unknown_version severity=low confidence=medium technique=T1001.003
SELECT 'QUIC of a version nobody registered' AS title, 'version 0x' || lpad(to_hex(version), 8, '0') AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM quic WHERE version_name = 'unknown' AND version & 252645135 <> 168430090 GROUP BY version, src_ip, dst_ip, dst_port, capture ORDER BY src_ip, dst_ip, dst_port, version;

-- @finding quic_gquic severity=info confidence=high
SELECT 'Google QUIC, which no current program speaks' AS title, array_to_string(array_sort(array_agg(DISTINCT version_name)), ', ') || coalesce(', ' || max(user_agent), '') AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM quic WHERE starts_with(version_name, 'Q') GROUP BY src_ip, dst_ip, capture ORDER BY src_ip, dst_ip;
