-- @kept
-- Flags of capture-the-flag games: those in text, plain or under encodings, and those in series of octets.
SELECT capture, capture_id, frame, ts, src_ip, dst_ip, value AS flag, chain, context AS place, stream_offset, filename FROM strings WHERE kind = 'flag'
UNION ALL
SELECT capture, capture_id, frame, ts, src_ip, dst_ip, flag, make_array('octets'), place, CAST(NULL AS BIGINT UNSIGNED), CAST(NULL AS VARCHAR) FROM covert_series WHERE flag IS NOT NULL
