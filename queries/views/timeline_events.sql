-- Each event from the side of each host that took part: `out` where the host acted, `in` where it was acted upon.
SELECT capture, capture_id, ts, end_ts, src_ip AS host, dst_ip AS peer, 'out' AS direction, category, summary, detail, frame, flow_id FROM timeline_records WHERE src_ip IS NOT NULL
UNION ALL
SELECT capture, capture_id, ts, end_ts, dst_ip AS host, src_ip AS peer, 'in' AS direction, category, summary, detail, frame, flow_id FROM timeline_records WHERE dst_ip IS NOT NULL AND (src_ip IS NULL OR dst_ip <> src_ip)
