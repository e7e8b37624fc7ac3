-- Flows of remote-control programs, by their own protocol, by server name or by certificate. Source: as in flows.
WITH tools AS (SELECT * FROM (VALUES ('TeamViewer', 'teamviewer.com'), ('AnyDesk', 'anydesk.com'), ('RustDesk', 'rustdesk.com'), ('ScreenConnect', 'screenconnect.com'), ('Splashtop', 'splashtop.com'), ('LogMeIn', 'logmein.com'), ('LogMeIn', 'logmeininc.com'),
    ('LogMeIn', 'logmeinrescue.com'), ('LogMeIn', 'gotoassist.com'), ('Chrome Remote Desktop', 'remotedesktop.google.com'), ('Chrome Remote Desktop', 'remotedesktop-pa.googleapis.com')) AS known(tool, domain)),
  evidence AS (
    SELECT capture, capture_id, flow_id, min(frame) AS frame, 'TeamViewer' AS tool, CASE WHEN min(transport) = 'udp' THEN 'datagrams between peers' ELSE 'its own commands' END AS evidence, 1 AS rank, CAST(NULL AS VARCHAR) AS name FROM teamviewer GROUP BY capture, capture_id, flow_id
    UNION ALL
    SELECT t.capture, t.capture_id, t.flow_id, t.frame, k.tool, 'server name', 2, t.server_name FROM tls t JOIN tools k ON (t.server_name = k.domain OR ends_with(t.server_name, '.' || k.domain)) WHERE t.message = 'client_hello' AND NOT starts_with(t.server_name, 'www.') AND (t.server_name <> k.domain OR k.tool = 'Chrome Remote Desktop')
    UNION ALL
    SELECT q.capture, q.capture_id, q.flow_id, q.frame, k.tool, 'server name', 2, q.server_name FROM quic q JOIN tools k ON q.server_name = k.domain OR ends_with(q.server_name, '.' || k.domain) WHERE k.tool = 'Chrome Remote Desktop'
    UNION ALL
    SELECT x.capture, x.capture_id, x.flow_id, x.frame, CASE WHEN x.subject_cn IN ('AnyDesk Client', 'AnyNet Relay') THEN 'AnyDesk' ELSE 'TeamViewer' END, 'certificate of ' || x.subject_cn, 3, x.subject_cn FROM x509 x
    WHERE x.subject_cn IN ('AnyDesk Client', 'AnyNet Relay') OR (ends_with(x.subject_cn, '.teamviewer.com') AND NOT starts_with(x.subject_cn, 'www.')))
SELECT f.capture, f.capture_id, e.frame, f.ts, f.flow_id, f.src_ip, f.dst_ip, f.src_port, f.dst_port, e.tool, e.evidence, e.name, f.transport, f.end_ts, f.duration_s, f.orig_bytes, f.resp_bytes
FROM (SELECT capture_id, flow_id, min(frame) AS frame, first_value(tool ORDER BY rank, frame) AS tool, first_value(evidence ORDER BY rank, frame) AS evidence, max(name) AS name FROM evidence GROUP BY capture_id, flow_id) e JOIN flows f ON f.capture_id = e.capture_id AND f.flow_id = e.flow_id
