-- @analyzer overview
-- @group    it
-- @title    OVERVIEW
-- @help     One page about the whole capture

-- @section summary shape=facts
SELECT count(*) AS captures, sum(packets) AS packets, sum(file_size_bytes) AS file_bytes, min(ts) AS first, max(end_ts) AS last, array_to_string(array_sort(array_agg(DISTINCT format)), ', ') AS formats,
  (SELECT count(*) FROM flows) AS flows, (SELECT count(*) FROM hosts) AS hosts, (SELECT count(*) FROM anomalies) AS anomalies FROM captures;

-- @section "Hosts" shape=table limit=10
SELECT ip, is_public(ip) AS public, packets, payload_bytes, peers FROM (
  SELECT ip, sum(packets) AS packets, sum(bytes) AS payload_bytes, count(DISTINCT peer) AS peers FROM (
    SELECT src_ip AS ip, dst_ip AS peer, orig_packets + resp_packets AS packets, orig_bytes + resp_bytes AS bytes FROM flows
    UNION ALL SELECT dst_ip AS ip, src_ip AS peer, orig_packets + resp_packets AS packets, orig_bytes + resp_bytes AS bytes FROM flows) WHERE ip IS NOT NULL GROUP BY ip)
ORDER BY payload_bytes DESC, packets DESC, ip;

-- @section "Protocols" shape=table limit=15
SELECT protocol, count(*) AS packets, count(*) * 1.0 / (SELECT count(*) FROM packets) AS packets_share, sum(frame_len) AS wire_bytes, sum(frame_len) * 1.0 / (SELECT sum(frame_len) FROM packets) AS bytes_share
FROM packets WHERE protocol IS NOT NULL GROUP BY protocol ORDER BY wire_bytes DESC, protocol;

-- @section "Services" shape=table limit=10
SELECT dst_ip AS server, dst_port AS port, transport, max(coalesce(service, service_port_name)) AS service, count(DISTINCT src_ip) AS clients, count(*) AS flows, sum(orig_bytes + resp_bytes) AS payload_bytes
FROM flows WHERE dst_port IS NOT NULL AND (resp_packets > 0) GROUP BY dst_ip, dst_port, transport ORDER BY clients DESC, payload_bytes DESC, server, port;

-- @section "Conversations" shape=table limit=10
SELECT src_ip AS src, dst_ip AS dst, array_to_string(array_slice(array_sort(array_agg(DISTINCT coalesce(service, service_port_name, transport))), 1, 4), ', ') AS services, count(*) AS flows, sum(orig_packets + resp_packets) AS packets, sum(orig_bytes + resp_bytes) AS payload_bytes
FROM flows GROUP BY src_ip, dst_ip ORDER BY payload_bytes DESC, packets DESC, src, dst;

-- @section "Industrial protocols" shape=table limit=10
SELECT protocol, count(DISTINCT src_ip) AS senders, count(DISTINCT dst_ip) AS receivers, count(*) AS packets, min(ts) AS first, max(ts) AS last FROM packets WHERE protocol IN ('modbus', 'goose') GROUP BY protocol ORDER BY packets DESC, protocol;

-- @section "Findings" shape=table limit=10
SELECT severity, detection, coalesce(src_ip, '-') AS src, coalesce(dst_ip, '-') AS dst, title, frame FROM findings
WHERE source <> 'overview' ORDER BY CASE severity WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2 WHEN 'low' THEN 3 ELSE 4 END, detection, src, dst, frame;

-- @section "Where to look next" shape=table limit=15
SELECT '--' || replace(flag, '_', '-') AS flag, reason, packets, host FROM (
  SELECT CASE WHEN protocol IN ('mdns', 'llmnr') THEN 'dns' WHEN protocol = 'icmpv6' THEN 'icmp' WHEN protocol = 'dtls' THEN 'tls' WHEN protocol = 'dhcpv6' THEN 'dhcp' ELSE protocol END AS flag,
    'spoken by ' || CAST(count(DISTINCT src_ip) AS VARCHAR) || ' hosts' AS reason, count(*) AS packets, min(src_ip) AS host
  FROM packets WHERE protocol IN ('arp', 'icmp', 'icmpv6', 'dns', 'mdns', 'llmnr', 'dhcp', 'dhcpv6', 'ntp', 'http', 'tls', 'dtls', 'lldp', 'goose', 'modbus') GROUP BY 1)
ORDER BY packets DESC, flag;

-- @section "Blind spots" shape=table
SELECT what, packets, share FROM (
  SELECT 'encrypted (TLS, DTLS)' AS what, count(*) AS packets, count(*) * 1.0 / (SELECT count(*) FROM packets) AS share FROM packets WHERE protocol IN ('tls', 'dtls')
  UNION ALL SELECT 'payload of an unknown protocol' AS what, count(*) AS packets, count(*) * 1.0 / (SELECT count(*) FROM packets) AS share FROM packets WHERE payload_len > 0 AND protocol IN ('tcp', 'udp', 'sctp')
  UNION ALL SELECT 'cut short by the snapshot length' AS what, coalesce(sum(truncated_packets), 0) AS packets, coalesce(sum(truncated_packets), 0) * 1.0 / (SELECT count(*) FROM packets) AS share FROM interfaces)
WHERE packets > 0 ORDER BY packets DESC, what;
