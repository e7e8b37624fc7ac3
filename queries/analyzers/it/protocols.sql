-- The hierarchy tree is made of `packets.layers`: each path's frames count once at every level they pass.

-- @analyzer protocols
-- @group    it
-- @title    PROTOCOL ANALYSIS
-- @help     Protocols by layer, share of packets, EtherTypes, endpoints

-- @section summary shape=facts
SELECT
  count(*) AS packets, sum(frame_len) AS wire_bytes,
  (SELECT count(*) FROM flows) AS flows,
  (SELECT count(DISTINCT service) FROM flows) AS services,
  count(DISTINCT src_ip) AS sources,
  (SELECT count(*) FROM anomalies WHERE kind NOT IN ('packet_comment', 'embedded_secrets')) AS anomalies
FROM packets;

-- @section "Protocol hierarchy" shape=tree
WITH paths AS (
  SELECT string_to_array(layers, ':') AS path, count(*) AS frames, sum(frame_len) AS bytes FROM packets WHERE layers IS NOT NULL GROUP BY layers
), levels AS (
  SELECT path, frames, bytes, unnest(range(1, CAST(array_length(path) AS BIGINT) + 1)) AS level FROM paths
)
SELECT
  level - 1 AS depth,
  array_element(path, level) AS protocol,
  sum(frames) AS frames,
  sum(frames) * 1.0 / (SELECT count(*) FROM packets) AS frames_share,
  sum(bytes) AS bytes,
  sum(bytes) * 1.0 / (SELECT sum(frame_len) FROM packets) AS bytes_share
FROM levels
GROUP BY level, array_element(path, level), array_to_string(array_slice(path, 1, level), ':')
ORDER BY array_to_string(array_slice(path, 1, level), ':');

-- @section "Services" shape=table limit=30
SELECT
  service, count(*) AS flows, sum(orig_packets + resp_packets) AS packets, sum(orig_wire_bytes + resp_wire_bytes) AS bytes,
  count(DISTINCT src_ip) AS clients, count(DISTINCT dst_ip) AS servers,
  array_to_string(array_sort(array_agg(DISTINCT dst_port)), ', ') AS ports
FROM flows WHERE service IS NOT NULL
GROUP BY service ORDER BY packets DESC, service;

-- @section "Unidentified" shape=table limit=15
SELECT transport, dst_port AS port, max(service_port_name) AS "Port name", count(*) AS flows, sum(orig_bytes + resp_bytes) AS bytes,
  substr(min(encode(orig_first_bytes, 'hex')), 1, 32) AS "First bytes"
FROM flows WHERE service IS NULL AND orig_bytes + resp_bytes > 0
GROUP BY transport, dst_port ORDER BY bytes DESC, transport, port;

-- @section "EtherTypes" shape=table
SELECT '0x' || lpad(to_hex(CAST(ether_type AS BIGINT)), 4, '0') AS ether_type,
  CASE ether_type WHEN 2048 THEN 'IPv4' WHEN 34525 THEN 'IPv6' WHEN 2054 THEN 'ARP' WHEN 32821 THEN 'RARP' WHEN 35020 THEN 'LLDP' WHEN 35000 THEN 'GOOSE'
    WHEN 35002 THEN 'SV' WHEN 34962 THEN 'PROFINET' WHEN 34980 THEN 'EtherCAT' WHEN 35063 THEN 'PTP' WHEN 34915 THEN 'PPPoE' WHEN 34887 THEN 'MPLS'
    WHEN 34825 THEN 'LACP' WHEN 36864 THEN 'Loopback' WHEN 34958 THEN 'EAPOL' WHEN 35045 THEN 'MACsec' WHEN 35067 THEN 'PRP' WHEN 35119 THEN 'HSR' ELSE '-' END AS name,
  count(*) AS frames, sum(frame_len) AS bytes
FROM packets WHERE ether_type IS NOT NULL GROUP BY ether_type ORDER BY frames DESC, ether_type;

-- @section "IP protocols" shape=table
SELECT ip_version AS version, transport, count(*) AS packets, sum(frame_len) AS bytes FROM packets WHERE ip_version IS NOT NULL
GROUP BY ip_version, transport ORDER BY packets DESC, transport, version;

-- @section "Encapsulations" shape=table
SELECT tunnel, count(*) AS packets, sum(frame_len) AS bytes FROM packets WHERE tunnel IS NOT NULL GROUP BY tunnel ORDER BY packets DESC, tunnel;

-- @section "Conversations" shape=table limit=20
SELECT src_ip AS a, dst_ip AS b, sum(orig_packets + resp_packets) AS packets, sum(orig_wire_bytes + resp_wire_bytes) AS bytes, count(*) AS flows
FROM flows GROUP BY src_ip, dst_ip ORDER BY bytes DESC, a, b;

-- @section "Endpoints" shape=table limit=20
SELECT ip, sum(sent) AS packets_sent, sum(received) AS packets_received, sum(bytes) AS bytes FROM (
  SELECT src_ip AS ip, orig_packets AS sent, resp_packets AS received, orig_wire_bytes + resp_wire_bytes AS bytes FROM flows
  UNION ALL SELECT dst_ip, resp_packets, orig_packets, orig_wire_bytes + resp_wire_bytes FROM flows)
GROUP BY ip ORDER BY bytes DESC, ip;

-- @section "Anomalies" shape=table
SELECT protocol, kind, count(*) AS count, min(frame) AS first_frame, min(detail) AS example FROM anomalies WHERE kind NOT IN ('packet_comment', 'embedded_secrets')
GROUP BY protocol, kind ORDER BY count DESC, protocol, kind;

-- @finding proto_cleartext_auth severity=medium technique=T1040
SELECT 'Logins cross the network in clear' AS title,
  service || ' is in use without encryption between ' || CAST(count(DISTINCT src_ip) AS VARCHAR) || ' clients and ' || CAST(count(DISTINCT dst_ip) AS VARCHAR) || ' servers' AS details,
  count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, capture
FROM flows WHERE service IN ('telnet', 'ftp', 'pop3', 'imap') AND orig_bytes > 0 AND resp_bytes > 0
GROUP BY service, capture ORDER BY service;

-- @finding proto_malformed severity=medium technique=T1499,T1210
SELECT 'Many malformed messages from one sender' AS title,
  CAST(count(*) AS VARCHAR) || ' x ' || kind || ' in ' || protocol || ', for example: ' || min(detail) AS details,
  src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM anomalies a
WHERE kind IN ('bad_length', 'unexpected_state', 'fragment_overlap') AND protocol <> 'captures' AND src_ip IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM captures c WHERE c.capture_id = a.capture_id AND c.truncated)
GROUP BY capture_id, src_ip, protocol, kind HAVING count(*) >= 10
ORDER BY src_ip, details;

-- @finding proto_fragment_abuse severity=high technique=T1027
SELECT 'IP fragments overlap' AS title, CAST(count(*) AS VARCHAR) || ' fragments overlap others of the same datagram: content can be hidden this way' AS details,
  src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM anomalies WHERE kind = 'fragment_overlap' GROUP BY src_ip, dst_ip, capture ORDER BY src_ip, dst_ip;

-- @finding proto_broadcast_storm severity=medium technique=T1498
WITH seconds AS (
  SELECT min(capture) AS capture, capture_id, CAST(ts AS BIGINT) / 1000000000 AS second, count(*) AS n, min(frame) AS frame, min(ts) AS ts FROM packets
  WHERE dst_mac = 'ff:ff:ff:ff:ff:ff' GROUP BY capture_id, CAST(ts AS BIGINT) / 1000000000 HAVING count(*) >= 500
)
SELECT 'Broadcast storm' AS title, CAST(count(*) AS VARCHAR) || ' seconds with 500 or more broadcasts, at most ' || CAST(max(n) AS VARCHAR) || ' a second' AS details,
  sum(n) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM seconds GROUP BY capture_id HAVING count(*) >= 3;

-- @finding proto_unknown_share severity=low technique=T1095
SELECT 'Much of the traffic is of no known protocol' AS title,
  CAST(round(100.0 * unknown / total) AS VARCHAR) || '% of the payload bytes are unidentified' AS details, capture
FROM (SELECT min(capture) AS capture, sum(orig_bytes + resp_bytes) AS total,
  sum(orig_bytes + resp_bytes) FILTER (WHERE service IS NULL AND (transport <> 'tcp' OR history LIKE '%S%')) AS unknown
  FROM flows WHERE transport IN ('tcp', 'udp') GROUP BY capture_id)
WHERE total > 100000 AND unknown > 0.2 * total;

-- @finding proto_on_odd_port severity=low confidence=high technique=T1571
SELECT 'A protocol on another''s port' AS title, service || ' on ' || transport || '/' || CAST(dst_port AS VARCHAR) || ', the port of ' || expected AS details, min(src_ip) AS src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM odd_ports GROUP BY capture_id, dst_ip, dst_port, transport, service, expected ORDER BY dst_ip, dst_port, service;

-- @finding proto_legacy severity=low confidence=high
WITH old AS (
  SELECT capture, capture_id, CASE WHEN ether_type IN (33079, 33080) THEN 'IPX' ELSE 'AppleTalk' END AS what, CAST(src_mac AS VARCHAR) AS speaker, frame, ts FROM packets WHERE ether_type IN (33079, 33080, 32923, 33011)
  UNION ALL SELECT capture, capture_id, 'IPX', CAST(src_mac AS VARCHAR), frame, ts FROM packets WHERE regexp_like(layers, '(^|:)ipx(:|$)') AND coalesce(ether_type, 0) NOT IN (33079, 33080)
  UNION ALL SELECT capture, capture_id, 'NetBEUI', CAST(src_mac AS VARCHAR), frame, ts FROM packets WHERE regexp_like(layers, '(^|:)(netbeui|nbf)(:|$)')
  UNION ALL SELECT capture, capture_id, 'SMB 1', src_ip, frame, ts FROM smb WHERE version = 'SMB1' AND command <> 'negotiate' AND response_frame IS NOT NULL
  UNION ALL SELECT capture, capture_id, 'SSL 3', src_ip, frame, ts FROM tls WHERE message = 'server_hello' AND version = 'SSL3'
  UNION ALL SELECT capture, capture_id, 'RIP version 1', src_ip, frame, ts FROM rip WHERE NOT ripng AND version = 1 AND command = 2
  UNION ALL SELECT capture, capture_id, 'IGMP version 1', src_ip, frame, ts FROM igmp WHERE message_type = 18)
SELECT 'A protocol of the past is in use' AS title, what || ', ' || CAST(count(DISTINCT speaker) AS VARCHAR) || ' speakers' || coalesce(', such as ' || min(speaker), '') AS details, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture FROM old GROUP BY capture_id, what ORDER BY frame, what;

-- @finding proto_ot_it_mix severity=info confidence=medium technique=T0886
WITH plant AS (SELECT capture_id, ip, min(service) AS service FROM (SELECT capture_id, src_ip AS ip, service FROM flows WHERE service IN (SELECT service FROM ot_services) AND resp_packets > 0 UNION ALL SELECT capture_id, dst_ip, service FROM flows WHERE service IN (SELECT service FROM ot_services) AND resp_packets > 0) GROUP BY capture_id, ip)
SELECT 'A host of industrial protocols uses the internet' AS title, min(p.service) || ' and ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT f.service)), 1, 4), ', ') || ' to ' || CAST(count(DISTINCT f.dst_ip) AS VARCHAR) || ' public addresses' AS details, f.src_ip, min(f.dst_ip) AS dst_ip, count(*) AS count, min(f.frame) AS frame, array_slice(array_sort(array_agg(f.frame)), 1, 20) AS frames, min(f.ts) AS ts, max(f.end_ts) AS end_ts, min(f.capture) AS capture
FROM flows f JOIN plant p ON p.capture_id = f.capture_id AND p.ip = f.src_ip WHERE is_private(f.src_ip) AND is_public(f.dst_ip) AND f.resp_packets > 0 AND f.service IN ('http', 'http2', 'tls', 'quic', 'smtp', 'imap', 'pop3', 'ftp', 'ssh', 'teamviewer') GROUP BY f.capture_id, f.src_ip ORDER BY f.src_ip;
