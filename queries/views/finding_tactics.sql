-- Each finding once for each technique and tactic that it names.
SELECT f.detection, f.source, f.severity, f.rank, f.confidence, f.title, f.details, f.src_ip, f.dst_ip, f.frame, f.frames, f.ts, f.end_ts, f.capture, f.technique, t.name AS technique_name, t.parent, t.matrix, t.version, unnest(coalesce(t.tactics, make_array('unknown'))) AS tactic
FROM (SELECT detection, source, severity, rank, confidence, title, details, src_ip, dst_ip, frame, frames, ts, end_ts, capture, unnest(techniques) AS technique FROM merged_findings) f LEFT JOIN attack_techniques t ON t.id = f.technique
