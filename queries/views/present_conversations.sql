-- @kept
-- Conversations that were answered in the captures, as a baseline tells them; an unknown service is empty, so that it can be joined.
SELECT CAST(src_ip AS VARCHAR) AS src, CAST(dst_ip AS VARCHAR) AS dst, CAST(transport AS VARCHAR) AS protocol, coalesce(CAST(service AS VARCHAR), '') AS service, count(*) AS flows, sum(orig_bytes + resp_bytes) AS bytes
FROM flows WHERE resp_packets > 0 AND src_ip IS NOT NULL GROUP BY src_ip, dst_ip, transport, coalesce(CAST(service AS VARCHAR), '')
