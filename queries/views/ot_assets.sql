-- Equipment of industrial networks and the stations from which it is run, by what they answer, do or announce, or by the networks that
-- the settings name.
SELECT DISTINCT capture_id, ip, coalesce(device_type, 'host of an industrial network') AS kind FROM hosts
WHERE ip IS NOT NULL AND responded AND (device_type IN ('plc', 'rtu', 'ied', 'io_device', 'drive', 'hmi', 'engineering_workstation') OR is_ot(ip))
