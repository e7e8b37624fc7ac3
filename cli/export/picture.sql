-- What a page shows around the reports: who is there, who talks with whom, when, and what could not be seen.

-- @analyzer picture
-- @title    PICTURE

-- @section summary shape=facts
SELECT count(*) AS captures, sum(packets) AS packets, sum(wire_bytes) AS wire_bytes, min(ts) AS first, max(end_ts) AS last,
  (CAST(max(end_ts) AS BIGINT) - CAST(min(ts) AS BIGINT)) / 1e9 AS span_s, (SELECT count(*) FROM flows) AS conversations,
  coalesce(bool_or(truncated), false) AS damaged
FROM captures;

-- @section traffic shape=series
WITH span AS (SELECT CAST(min(ts) AS BIGINT) AS low, CAST(max(ts) AS BIGINT) AS high FROM packets)
SELECT least(119, CAST(floor((CAST(ts AS BIGINT) - low) * 120.0 / (high - low + 1)) AS BIGINT)) AS bin, count(*) AS packets, sum(frame_len) AS bytes
FROM packets CROSS JOIN span WHERE ts IS NOT NULL GROUP BY 1 ORDER BY bin;

-- @section hosts shape=table
SELECT coalesce(ip, mac) AS host, max(hostnames[1]) AS name, max(scope) AS scope, max(array_to_string(roles, ', ')) AS roles, max(array_to_string(array_slice(services, 1, 6), ', ')) AS services,
  min(mac) AS mac, max(peers) AS peers, sum(packets_sent + packets_received) AS packets, sum(bytes_sent + bytes_received) AS bytes, bool_or(responded) AS responded
FROM hosts WHERE coalesce(ip, mac) IS NOT NULL GROUP BY coalesce(ip, mac) ORDER BY bytes DESC, host;

-- @section conversations shape=table
SELECT src_ip AS src, dst_ip AS dst, array_to_string(array_slice(array_sort(array_agg(DISTINCT coalesce(service, service_port_name, transport))), 1, 4), ', ') AS services,
  count(*) AS flows, sum(orig_packets + resp_packets) AS packets, sum(orig_wire_bytes + resp_wire_bytes) AS bytes, min(ts) AS first, (CAST(max(end_ts) AS BIGINT) - CAST(min(ts) AS BIGINT)) / 1e9 AS lasted_s
FROM flows WHERE src_ip IS NOT NULL AND dst_ip IS NOT NULL GROUP BY src_ip, dst_ip ORDER BY bytes DESC, src, dst;

-- @section protocols shape=table
SELECT protocol, count(*) AS packets, sum(frame_len) AS bytes FROM packets WHERE protocol IS NOT NULL GROUP BY protocol ORDER BY bytes DESC, protocol;

-- @section blind shape=table
SELECT what, CAST(packets AS BIGINT) AS packets, share FROM (
  SELECT 'are encrypted (TLS, DTLS, QUIC, SSH): their content is not seen' AS what, count(*) AS packets, count(*) * 1.0 / (SELECT count(*) FROM packets) AS share FROM packets WHERE protocol IN ('tls', 'dtls', 'quic', 'ssh')
  UNION ALL SELECT 'carry a payload of no known protocol' AS what, count(*) AS packets, count(*) * 1.0 / (SELECT count(*) FROM packets) AS share FROM packets WHERE payload_len > 0 AND protocol IN ('tcp', 'udp', 'sctp')
  UNION ALL SELECT 'were cut short when captured' AS what, coalesce(sum(truncated_packets), 0) AS packets, coalesce(sum(truncated_packets), 0) * 1.0 / (SELECT count(*) FROM packets) AS share FROM interfaces)
WHERE packets > 0 ORDER BY packets DESC, what;
