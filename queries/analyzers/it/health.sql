-- @analyzer health
-- @group    it
-- @title    NETWORK HEALTH
-- @help     Loss, delay, resets, stalls, misconfiguration, and how whole the capture is

-- @section verdict shape=facts
SELECT CASE WHEN count(*) FILTER (WHERE severity IN ('critical', 'high')) > 0 THEN 'bad' WHEN count(*) FILTER (WHERE severity = 'medium') > 0 THEN 'degraded' ELSE 'good' END AS verdict,
  coalesce(array_to_string(array_slice(array_agg(title || ': ' || details ORDER BY CASE severity WHEN 'critical' THEN 1 WHEN 'high' THEN 2 WHEN 'medium' THEN 3 WHEN 'low' THEN 4 ELSE 5 END, count DESC, details) FILTER (WHERE severity <> 'info'), 1, 3), '; '), 'nothing found') AS causes FROM findings WHERE source = 'health';

-- @section "Capture" shape=facts
SELECT c.duration_s AS duration_s, c.packets, i.dropped AS "Dropped while capturing", p.cut AS "Cut frames", p.bad_checksums AS "Bad IP checksums", c.out_of_order_timestamps AS "Times out of order", p.twice AS "Seen twice",
  f.one_sided AS "One-sided TCP flows", f.missed AS missed_bytes, p.vlans AS "VLANs", p.longest_gap_s AS "Longest silence_s"
FROM (SELECT sum(packets) AS packets, sum(out_of_order_timestamps) AS out_of_order_timestamps, max(duration_s) AS duration_s FROM captures) c
CROSS JOIN (SELECT sum(coalesce(dropped_by_interface, 0) + coalesce(dropped_by_os, 0)) AS dropped FROM interfaces) i
CROSS JOIN (SELECT count(*) FILTER (WHERE captured_len < frame_len) AS cut, count(*) FILTER (WHERE NOT ip_checksum_ok) AS bad_checksums, count(DISTINCT vlan_id) AS vlans, count(*) FILTER (WHERE is_copy) AS twice, max(gap_ns) / 1e9 AS longest_gap_s
  FROM (SELECT captured_len, frame_len, ip_checksum_ok, vlan_id, CAST(ts AS BIGINT) - CAST(lag(ts) OVER (PARTITION BY capture_id ORDER BY frame) AS BIGINT) AS gap_ns,
    coalesce(ip_id > 0 AND ip_id = lag(ip_id) OVER (PARTITION BY capture_id, src_ip, dst_ip ORDER BY frame) AND payload_len = lag(payload_len) OVER (PARTITION BY capture_id, src_ip, dst_ip ORDER BY frame) AND coalesce(tcp_seq, 0) = coalesce(lag(tcp_seq) OVER (PARTITION BY capture_id, src_ip, dst_ip ORDER BY frame), 0)
      AND NOT ip_fragment AND CAST(ts AS BIGINT) - CAST(lag(ts) OVER (PARTITION BY capture_id, src_ip, dst_ip ORDER BY frame) AS BIGINT) <= 1000000, false) AS is_copy FROM packets)) p
CROSS JOIN (SELECT count(*) FILTER (WHERE (orig_packets = 0 OR resp_packets = 0) AND conn_state IN ('OTH', 'SHR', 'SH', 'RSTRH') OR (resp_packets = 0 AND orig_bytes > 0)) AS one_sided, sum(missed_bytes) AS missed FROM flows WHERE transport = 'tcp') f;

-- @section "Rates" shape=facts
SELECT avg(packets) AS "Packets a second, mean", percentile_cont(packets, 0.95) AS "p95", max(packets) AS "Peak", avg(bits) / 1e6 AS "Mbit/s, mean", percentile_cont(bits, 0.95) / 1e6 AS "Mbit/s, p95", max(bits) / 1e6 AS "Mbit/s, peak", first_value(second ORDER BY bits DESC, second) AS "Busiest second",
  max(bits) / max(speed) AS "Use of the link %_share"
FROM (SELECT p.capture_id, date_trunc('second', p.ts) AS second, count(*) AS packets, sum(p.frame_len) * 8.0 AS bits FROM packets p GROUP BY p.capture_id, date_trunc('second', p.ts)) r CROSS JOIN (SELECT max(speed_bps) AS speed FROM interfaces) s;

-- @section "TCP" shape=facts
SELECT count(*) AS flows, count(*) FILTER (WHERE handshake_rtt_ms IS NOT NULL) AS "Handshakes completed", count(*) FILTER (WHERE conn_state = 'REJ') AS refused, count(*) FILTER (WHERE conn_state = 'S0') AS unanswered, count(*) FILTER (WHERE conn_state IN ('S1', 'S2', 'S3')) AS half_closed,
  count(*) FILTER (WHERE conn_state = 'RSTR') AS "Reset by server", count(*) FILTER (WHERE conn_state = 'RSTO') AS "Reset by client", percentile_cont(handshake_rtt_ms, 0.5) AS "RTT p50_ms", percentile_cont(handshake_rtt_ms, 0.95) AS "RTT p95_ms", max(handshake_rtt_ms) AS "RTT max_ms",
  max(r.repeated) AS retransmissions, max(r.repeated) * 1.0 / nullif(max(r.segments), 0) AS "Retransmissions of data segments_share", max(r.out_of_order) AS out_of_order, max(e.fast) AS fast_retransmissions, max(e.spurious) AS spurious, max(e.duplicate_acks) AS "Duplicate ACKs", max(z.times) AS zero_windows, max(z.longest) AS "Longest zero window_s", max(e.full) AS window_full
FROM flows CROSS JOIN (SELECT sum(repeated) AS repeated, sum(segments) AS segments, sum(out_of_order) AS out_of_order FROM retransmissions) r
CROSS JOIN (SELECT count(*) FILTER (WHERE fast_retransmission) AS fast, count(*) FILTER (WHERE spurious_retransmission) AS spurious, count(*) FILTER (WHERE duplicate_ack) AS duplicate_acks, count(*) FILTER (WHERE window_full) AS full FROM tcp_events) e
CROSS JOIN (SELECT sum(times) AS times, max(longest_s) AS longest FROM zero_windows) z WHERE transport = 'tcp';

-- @section "Worst conversations" shape=table limit=15
SELECT r.src_ip AS client, r.dst_ip AS server, r.dst_port AS port, r.service, count(*) AS flows, sum(r.orig_bytes + r.resp_bytes) AS bytes, sum(r.repeated) * 1.0 / nullif(sum(r.segments), 0) AS retransmit_share, sum(r.repeated) AS retransmissions, avg(r.handshake_rtt_ms) AS rtt_ms, coalesce(max(z.total), 0) AS zero_window_s,
  count(*) FILTER (WHERE r.conn_state IN ('RSTO', 'RSTR')) AS resets
FROM retransmissions r LEFT JOIN (SELECT capture_id, flow_id, sum(total_s) AS total FROM zero_windows GROUP BY capture_id, flow_id) z ON z.capture_id = r.capture_id AND z.flow_id = r.flow_id
GROUP BY r.src_ip, r.dst_ip, r.dst_port, r.service HAVING sum(r.repeated) > 0 OR max(z.total) > 1 OR count(*) FILTER (WHERE r.conn_state IN ('RSTO', 'RSTR')) > 0 ORDER BY retransmissions + resets DESC, zero_window_s DESC, bytes DESC, client, server, port;

-- @section "Requests without answer" shape=table limit=15
SELECT what, asked, unanswered, unanswered * 1.0 / nullif(asked, 0) AS unanswered_share FROM (
  SELECT 'UDP conversations' AS what, count(*) AS asked, count(*) FILTER (WHERE resp_packets = 0) AS unanswered FROM flows WHERE transport = 'udp' AND ip_scope(dst_ip) NOT IN ('multicast', 'broadcast')
  UNION ALL SELECT 'DNS queries', count(*), count(*) - (SELECT count(DISTINCT request_frame) FROM dns WHERE is_response) FROM dns WHERE NOT is_response AND protocol = 'dns'
  UNION ALL SELECT 'DNS answers with SERVFAIL', count(*), count(*) FILTER (WHERE rcode_name = 'SERVFAIL') FROM dns WHERE is_response AND protocol = 'dns'
  UNION ALL SELECT 'TCP connections', count(*), count(*) FILTER (WHERE conn_state = 'S0') FROM flows WHERE transport = 'tcp') WHERE asked > 0 ORDER BY what;

-- @section "ICMP errors" shape=table limit=15 if=icmp
SELECT type_name AS type, code_name AS code, count(*) AS messages, count(DISTINCT src_ip) AS senders, min(quoted_dst_ip) AS "E.g. about" FROM icmp WHERE type_name IN ('destination_unreachable', 'time_exceeded', 'redirect', 'packet_too_big', 'parameter_problem') GROUP BY type_name, code_name ORDER BY messages DESC, type, code;

-- @section "Response times" shape=table
SELECT protocol, count(*) AS answers, percentile_cont(ms, 0.5) AS p50_ms, percentile_cont(ms, 0.95) AS p95_ms, max(ms) AS max_ms FROM (
  SELECT 'http' AS protocol, response_time_ms AS ms FROM http WHERE response_time_ms IS NOT NULL UNION ALL SELECT 'dns', rtt_ms FROM dns WHERE rtt_ms IS NOT NULL UNION ALL SELECT 'smb', response_time_ms FROM smb WHERE response_time_ms IS NOT NULL
  UNION ALL SELECT 'ldap', response_time_ms FROM ldap WHERE response_time_ms IS NOT NULL UNION ALL SELECT 'modbus', response_time_ms FROM modbus WHERE response_time_ms IS NOT NULL UNION ALL SELECT 'snmp', response_time_ms FROM snmp WHERE response_time_ms IS NOT NULL
  UNION ALL SELECT 'dnp3', response_time_ms FROM dnp3 WHERE response_time_ms IS NOT NULL UNION ALL SELECT 'iec104', response_time_ms FROM iec104 WHERE response_time_ms IS NOT NULL
  UNION ALL SELECT 's7comm', (CAST(a.ts AS BIGINT) - CAST(q.ts AS BIGINT)) / 1e6 FROM s7comm a JOIN s7comm q ON q.capture_id = a.capture_id AND q.frame = a.request_frame AND q.flow_id = a.flow_id AND q.pdu_reference = a.pdu_reference
  UNION ALL SELECT 'opcua', (CAST(a.ts AS BIGINT) - CAST(q.ts AS BIGINT)) / 1e6 FROM opcua a JOIN opcua q ON q.capture_id = a.capture_id AND q.frame = a.request_frame AND q.flow_id = a.flow_id AND q.request_id = a.request_id
  UNION ALL SELECT 'enip', (CAST(a.ts AS BIGINT) - CAST(q.ts AS BIGINT)) / 1e6 FROM enip a JOIN enip q ON q.capture_id = a.capture_id AND q.frame = a.request_frame AND q.flow_id = a.flow_id AND q.is_request) GROUP BY protocol ORDER BY protocol;

-- @section "OT cycles" shape=table limit=15
SELECT src_ip AS client, dst_ip AS server, protocol, what AS question, times, median_ms, p99_ms, longest_ms FROM ot_cycles WHERE p90_ms <= 2 * median_ms ORDER BY longest_ms / nullif(median_ms, 0) DESC, client, server, question;

-- @section "Layer 2" shape=facts
SELECT count(*) AS frames, count(*) FILTER (WHERE dst_mac = 'ff:ff:ff:ff:ff:ff') * 1.0 / nullif(count(*), 0) AS "Broadcast_share", count(*) FILTER (WHERE dst_mac <> 'ff:ff:ff:ff:ff:ff' AND substr(CAST(dst_mac AS VARCHAR), 2, 1) IN ('1', '3', '5', '7', '9', 'b', 'd', 'f')) * 1.0 / nullif(count(*), 0) AS "Multicast_share",
  (SELECT count(*) FROM stp WHERE topology_change) AS "Topology changes", (SELECT count(DISTINCT root_mac) FROM stp) AS "STP roots" FROM packets;

-- @section "Elsewhere" shape=table limit=15
SELECT detection, severity, count(*) AS times, min(details) AS "E.g." FROM findings WHERE detection IN ('arp_duplicate_address', 'udp_amplification', 'cert_expired', 'cert_expiring', 'snmp_default_community', 'ntp_time_shift', 'dhcp_rogue_server', 'stp_root_change') GROUP BY detection, severity ORDER BY times DESC, detection;

-- @section "QoS marks" shape=table limit=10
SELECT ip_dscp AS "DSCP", count(*) AS packets FROM packets WHERE ip_dscp > 0 GROUP BY ip_dscp ORDER BY packets DESC, ip_dscp;

-- @finding health_retransmission severity=medium confidence=high
SELECT 'Segments are lost on the way' AS title, CAST(repeated AS VARCHAR) || ' of ' || CAST(segments AS VARCHAR) || ' data segments were sent again' AS details, CASE WHEN repeated * 10 >= segments THEN 'high' ELSE 'medium' END AS severity, src_ip, dst_ip, dst_port, repeated AS count, frame, frames, ts, end_ts, capture
FROM retransmissions WHERE segments >= 200 AND repeated >= 20 AND repeated * 100 >= segments * 3 ORDER BY capture, frame;

-- @finding health_capture_loss severity=high confidence=high
SELECT 'The capture lacks bytes that their receiver got' AS title, CAST(sum(missed_bytes) AS VARCHAR) || ' of ' || CAST(sum(orig_bytes + resp_bytes) AS VARCHAR) || ' bytes of TCP streams; what is found below is not all there was' AS details,
  CASE WHEN count(*) FILTER (WHERE orig_packets = 0 OR resp_packets = 0) * 2 > count(*) THEN 'info' ELSE 'high' END AS severity, count(*) FILTER (WHERE missed_bytes > 0) AS count, min(frame) FILTER (WHERE missed_bytes > 0) AS frame, min(ts) AS ts, max(end_ts) AS end_ts, capture
FROM flows WHERE transport = 'tcp' AND orig_bytes + resp_bytes > 0 GROUP BY capture, capture_id HAVING sum(missed_bytes) * 100 >= sum(orig_bytes + resp_bytes) AND sum(orig_bytes + resp_bytes) >= 10000;

-- @finding health_syn_unanswered severity=medium confidence=medium technique=T1046
SELECT 'Connections are tried in vain' AS title, CAST(count(*) FILTER (WHERE conn_state = 'S0') AS VARCHAR) || ' of ' || CAST(count(*) AS VARCHAR) || ' tries without answer; a scan is told by --scan' AS details, src_ip, dst_ip, CASE WHEN count(DISTINCT dst_port) = 1 THEN min(dst_port) END AS dst_port,
  count(*) FILTER (WHERE conn_state = 'S0') AS count, min(frame) FILTER (WHERE conn_state = 'S0') AS frame, array_slice(array_sort(array_agg(frame) FILTER (WHERE conn_state = 'S0')), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, capture
FROM flows WHERE transport = 'tcp' GROUP BY capture, capture_id, src_ip, dst_ip HAVING count(*) FILTER (WHERE conn_state = 'S0') >= 20 AND count(*) FILTER (WHERE conn_state = 'S0') * 10 >= count(*) * 3 ORDER BY capture, frame;

-- @finding health_reset_ratio severity=medium confidence=medium
SELECT 'A server breaks off connections' AS title, CAST(count(*) FILTER (WHERE conn_state = 'RSTR' AND strpos(upper(history), 'F') = 0) AS VARCHAR) || ' of ' || CAST(count(*) AS VARCHAR) || ' connections' AS details, dst_ip AS src_ip, dst_ip, dst_port, count(*) FILTER (WHERE conn_state = 'RSTR') AS count, min(frame) FILTER (WHERE conn_state = 'RSTR') AS frame, min(ts) AS ts, max(end_ts) AS end_ts, capture
FROM flows WHERE transport = 'tcp' AND conn_state IN ('SF', 'S1', 'S2', 'S3', 'RSTO', 'RSTR') AND orig_bytes > 0 GROUP BY capture, capture_id, dst_ip, dst_port HAVING count(*) >= 25 AND count(*) FILTER (WHERE conn_state = 'RSTR' AND strpos(upper(history), 'F') = 0 AND orig_bytes > 0) * 5 >= count(*) ORDER BY capture, dst_ip, dst_port;

-- @finding health_zero_window severity=medium confidence=high
SELECT 'A receiver has no room' AS title, src_ip || ' for ' || CAST(round(sum(total_s), 1) AS VARCHAR) || ' s, ' || CAST(sum(times) AS VARCHAR) || ' times, longest ' || CAST(round(max(longest_s), 1) AS VARCHAR) || ' s' AS details, src_ip, dst_ip, dst_port, sum(times) AS count, min(frame) AS frame, min(ts) AS ts, capture
FROM zero_windows GROUP BY capture, capture_id, src_ip, dst_ip, dst_port HAVING sum(times) FILTER (WHERE longest_s >= 1) >= 3 OR sum(total_s) >= 10 ORDER BY capture, frame;

-- @finding health_latency severity=medium confidence=medium
SELECT 'Round trips take long' AS title, 'p95 ' || CAST(round(percentile_cont(handshake_rtt_ms, 0.95), 1) AS VARCHAR) || ' ms, p50 ' || CAST(round(percentile_cont(handshake_rtt_ms, 0.5), 1) AS VARCHAR) || ' ms, ' || CAST(count(*) AS VARCHAR) || ' handshakes' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(end_ts) AS end_ts, capture
FROM flows WHERE handshake_rtt_ms IS NOT NULL GROUP BY capture, capture_id, src_ip, dst_ip
HAVING count(*) >= 20 AND percentile_cont(handshake_rtt_ms, 0.95) >= 5 * percentile_cont(handshake_rtt_ms, 0.5) AND percentile_cont(handshake_rtt_ms, 0.95) >= CASE WHEN is_private(src_ip) AND is_private(dst_ip) THEN 50 ELSE 200 END ORDER BY capture, src_ip, dst_ip;

-- @finding health_mtu severity=medium confidence=high
SELECT 'Packets are too large for the way' AS title, CAST(count(*) AS VARCHAR) || ' were sent back' || coalesce(', next hop takes ' || CAST(min(mtu) AS VARCHAR), '') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM icmp WHERE code_name = 'fragmentation_needed' OR type_name = 'packet_too_big' GROUP BY capture, capture_id, src_ip, dst_ip HAVING count(*) >= 3 ORDER BY capture, frame;

-- @finding health_ttl_loop severity=high confidence=medium
-- Three TTLs lie two apart at least: few pairs have such, and only their packets are gathered.
WITH falling AS (SELECT capture_id, src_ip, dst_ip FROM packets WHERE ip_id > 0 AND tunnel IS NULL GROUP BY capture_id, src_ip, dst_ip HAVING max(ip_ttl) - min(ip_ttl) >= 2),
seen AS (SELECT capture, capture_id, src_ip, dst_ip, ip_id, payload_len, CAST(ts AS BIGINT) / 1000000000 AS second, count(*) AS times, count(DISTINCT ip_ttl) AS ttls, max(ip_ttl) - min(ip_ttl) AS fall, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
  FROM falling JOIN packets USING (capture_id, src_ip, dst_ip) WHERE ip_id > 0 AND NOT ip_fragment AND tunnel IS NULL AND transport NOT IN ('igmp') GROUP BY capture, capture_id, src_ip, dst_ip, ip_id, payload_len, tcp_seq, CAST(ts AS BIGINT) / 1000000000 HAVING count(*) >= 3 AND count(DISTINCT ip_ttl) >= 3)
SELECT 'A packet goes round in circles' AS title, 'packets from ' || src_ip || ' to ' || dst_ip || ' come by up to ' || CAST(max(times) AS VARCHAR) || ' times with falling TTL' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, first_value(frames ORDER BY frame) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, capture FROM seen GROUP BY capture, capture_id, src_ip, dst_ip
UNION ALL
SELECT 'Packets run out of hops' AS title, CAST(count(*) AS VARCHAR) || ' to ' || quoted_dst_ip || ', told by ' || src_ip AS details, src_ip, quoted_dst_ip AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM icmp WHERE type_name = 'time_exceeded' AND code = 0 AND quoted_dst_ip IS NOT NULL AND coalesce(quoted_proto, 0) NOT IN (1, 58) AND NOT coalesce(quoted_dst_port BETWEEN 33434 AND 33700, false) GROUP BY capture, capture_id, src_ip, quoted_dst_ip HAVING count(*) >= 10 ORDER BY capture, frame, details;

-- @finding health_storm severity=high confidence=high technique=T0814
SELECT 'A storm of broadcasts' AS title, CAST(count(*) AS VARCHAR) || ' broadcast and multicast frames in five seconds, from ' || CAST(count(DISTINCT src_mac) AS VARCHAR) || ' stations' AS details, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM packets WHERE substr(CAST(dst_mac AS VARCHAR), 2, 1) IN ('1', '3', '5', '7', '9', 'b', 'd', 'f') AND coalesce(protocol, '') NOT IN ('sv', 'goose', 'ethercat', 'profinet') GROUP BY capture, capture_id, vlan_id, CAST(ts AS BIGINT) / 5000000000 HAVING count(*) > 5000 ORDER BY capture, frame;

-- @finding health_cycle_jitter severity=medium confidence=medium technique=T0814
SELECT 'A cycle misses turns' AS title, protocol || ' ' || what || ': every ' || CAST(round(median_ms) AS VARCHAR) || ' ms as a rule, longest ' || CAST(round(longest_ms) AS VARCHAR) || ' ms' AS details, src_ip, dst_ip, dst_port, times AS count, frame, ts, end_ts, capture
FROM ot_cycles WHERE times >= 50 AND median_ms > 0 AND p90_ms <= 1.3 * median_ms AND p99_ms >= 2 * median_ms AND longest_ms >= 4 * median_ms ORDER BY capture, frame, details;

-- @finding health_clock severity=low confidence=high
SELECT 'A clock is off' AS title, dst_ip || ' is ' || CAST(round(max(abs(offset_ms)) / 1000, 1) AS VARCHAR) || ' s off its time server' AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ntp WHERE mode_name = 'server' AND offset_ms IS NOT NULL AND abs(offset_ms) > 1000 AND stratum BETWEEN 1 AND 15 AND org_ts >= TIMESTAMP '2000-01-01T00:00:00' GROUP BY capture, capture_id, src_ip, dst_ip ORDER BY capture, frame;
