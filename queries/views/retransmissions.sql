-- @kept
-- TCP conversations with their data segments and how many of these were sent again: the beginnings of connections, keep-alives and probes
-- of a closed window are none.
SELECT f.capture, f.capture_id, f.flow_id, f.frame, f.ts, f.end_ts, f.src_ip, f.dst_ip, f.src_port, f.dst_port, f.service, f.orig_bytes, f.resp_bytes, f.handshake_rtt_ms, f.conn_state,
  d.segments, coalesce(e.repeated, 0) AS repeated, coalesce(e.out_of_order, 0) AS out_of_order, coalesce(e.zero_windows, 0) AS zero_windows, e.frames
FROM flows f
JOIN (SELECT capture_id, flow_id, count(*) AS segments FROM packets WHERE transport = 'tcp' AND payload_len > 0 GROUP BY capture_id, flow_id) d ON d.capture_id = f.capture_id AND d.flow_id = f.flow_id
LEFT JOIN (SELECT capture_id, flow_id, count(*) FILTER (WHERE retransmission AND length > 0 AND NOT coalesce(keep_alive, false) AND NOT coalesce(zero_window_probe, false)) AS repeated, count(*) FILTER (WHERE out_of_order) AS out_of_order, count(*) FILTER (WHERE zero_window) AS zero_windows,
    array_slice(array_sort(array_agg(frame) FILTER (WHERE retransmission AND length > 0)), 1, 20) AS frames FROM tcp_events GROUP BY capture_id, flow_id) e ON e.capture_id = f.capture_id AND e.flow_id = f.flow_id
WHERE f.transport = 'tcp'
