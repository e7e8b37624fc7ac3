-- Services of industrial equipment, as `flows.service` names them, that detections of borders between networks watch.
SELECT column1 AS service FROM (VALUES ('modbus'), ('dnp3'), ('s7comm'), ('enip'), ('cip'), ('iec104'), ('bacnet'), ('fins'), ('mms'), ('opcua'), ('hart_ip'))
