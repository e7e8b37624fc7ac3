-- @kept
-- Connections, requests and questions of one client to one server as series, with what their rhythm shows. `class` says why a
-- series is set aside; `candidate` are those that nothing explains.
WITH beats AS (
  SELECT capture, capture_id, src_ip AS client, server, dst_ip AS server_ip, dst_port AS port, transport, service, CAST(NULL AS VARCHAR) AS asked, ts, frame, orig_bytes AS sent, resp_bytes AS received
  FROM named_flows WHERE service NOT IN ('http', 'dns') AND src_ip IS NOT NULL AND dst_ip IS NOT NULL AND (transport <> 'tcp' OR history LIKE 'S%')
  UNION ALL
  SELECT capture, capture_id, src_ip, lower(coalesce(split_part(host, ':', 1), dst_ip)), dst_ip, dst_port, 'tcp', 'http', CAST(NULL AS VARCHAR), ts, frame, CAST(coalesce(header_bytes, 0) + coalesce(body_bytes, 0) AS BIGINT UNSIGNED), CAST(NULL AS BIGINT UNSIGNED) FROM http WHERE is_request
  UNION ALL
  SELECT capture, capture_id, src_ip, registered_domain, dst_ip, dst_port, transport, 'dns', lower(query), ts, frame, CAST(message_bytes AS BIGINT UNSIGNED), CAST(NULL AS BIGINT UNSIGNED) FROM dns WHERE NOT is_response AND protocol = 'dns' AND registered_domain IS NOT NULL AND coalesce(retransmission, false) = false
  UNION ALL
  -- A conversation that lasts hides its beats: each burst after a second of silence is one.
  SELECT capture, capture_id, src_ip, server, dst_ip, dst_port, transport, service, CAST(NULL AS VARCHAR), ts, frame, bytes, CAST(NULL AS BIGINT UNSIGNED) FROM (
    SELECT f.capture, f.capture_id, f.src_ip, f.server, f.dst_ip, f.dst_port, f.transport, f.service, p.ts, p.frame, CAST(p.payload_len AS BIGINT UNSIGNED) AS bytes, lag(p.ts) OVER (PARTITION BY p.capture_id, p.flow_id ORDER BY p.ts, p.frame) AS before
    FROM packets p JOIN named_flows f ON f.capture_id = p.capture_id AND f.flow_id = p.flow_id AND f.src_ip = p.src_ip AND f.src_port IS NOT DISTINCT FROM p.src_port
    WHERE p.payload_len > 0 AND f.duration_s > 600 AND is_external(f.dst_ip) AND f.service NOT IN ('http', 'dns'))
  WHERE before IS NOT NULL AND CAST(ts AS BIGINT) - CAST(before AS BIGINT) >= 1000000000),
series AS (
  SELECT min(capture) AS capture, capture_id, client, server, min(server_ip) AS server_ip, port, transport, service, count(*) AS events, min(ts) AS first, max(ts) AS last, periodicity(array_agg(ts)) AS rhythm,
    count(DISTINCT asked) AS names, dispersion(array_agg(sent)) AS size_spread, median(sent) AS sent_bytes, median(received) AS received_bytes, sum(sent) AS all_sent_bytes, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames
  FROM beats GROUP BY capture_id, client, server, port, transport, service HAVING count(*) >= 5),
known AS (SELECT capture_id, server, port, count(DISTINCT client) AS clients FROM beats GROUP BY capture_id, server, port),
scored AS (
  SELECT s.*, k.clients, rhythm['period_s'] AS period_s, rhythm['jitter'] AS jitter_share, rhythm['skew'] AS skew, rhythm['regularity'] AS regularity, 1 - least(coalesce(size_spread, 1), 1) AS size_regularity, rhythm['persistence'] AS persistence, rhythm['missed'] AS missed,
    rhythm['span_s'] AS span_s, round(0.5 * rhythm['regularity'] + 0.2 * (1 - least(coalesce(size_spread, 1), 1)) + 0.3 * rhythm['persistence'], 3) AS score
  FROM series s JOIN known k ON k.capture_id = s.capture_id AND k.server = s.server AND k.port IS NOT DISTINCT FROM s.port)
SELECT capture, capture_id, client, server, server_ip, port, transport, service, events, first, last, span_s, period_s, jitter_share, skew, regularity, size_spread, size_regularity, persistence, missed, score, clients, names, sent_bytes, received_bytes, all_sent_bytes, frame, frames,
  CASE
    WHEN ip_scope(server_ip) IN ('multicast', 'broadcast') THEN 'multicast'
    WHEN service IN ('ntp', 'dhcp', 'dhcpv6', 'snmp', 'syslog', 'ssdp', 'nbns', 'nbdgm', 'ptp', 'mdns', 'llmnr') THEN service
    WHEN service IN ('modbus', 's7comm', 'enip', 'cip', 'dnp3', 'iec104', 'bacnet', 'opcua', 'mms', 'profinet_rt', 'profinet_cm', 'fins', 'melsec', 'srtp', 'hart_ip', 'synchrophasor', 'pccc', 'umas') AND NOT is_external(server_ip) THEN 'process cycle'
    WHEN regexp_like(server, '(^|[.])(windowsupdate[.]com|update[.]microsoft[.]com|delivery[.]mp[.]microsoft[.]com|msftconnecttest[.]com|msftncsi[.]com|captive[.]apple[.]com|connectivitycheck[.]gstatic[.]com|detectportal[.]firefox[.]com|push[.]apple[.]com|mtalk[.]google[.]com|notify[.]windows[.]com|archive[.]ubuntu[.]com|deb[.]debian[.]org)$|^(ocsp|crl)[0-9]*[.]') THEN 'update, push or check'
    WHEN service = 'dns' THEN CASE WHEN span_s < 600 OR events < 10 THEN 'short' WHEN names >= 0.8 * events AND score >= 0.7 THEN 'candidate' ELSE 'names that repeat' END
    WHEN NOT is_external(server_ip) THEN 'internal'
    WHEN events < 10 OR span_s < 600 OR span_s < 5 * period_s THEN 'short'
    WHEN regularity IS NULL OR score < 0.7 THEN 'irregular'
    ELSE 'candidate' END AS class
FROM scored
