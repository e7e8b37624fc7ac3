-- @kept
-- `files` with what their type, their name and their declared type say of the kind of file, who was client and who server, and the host
-- that was asked for it.
WITH named AS (
  SELECT f.*, lower(array_element(regexp_match(filename, '[.]([A-Za-z0-9]{1,8})[. ]*$'), 1)) AS extension FROM files f
)
SELECT n.*, CASE WHEN direction = 'upload' THEN n.src_ip ELSE n.dst_ip END AS client, CASE WHEN direction = 'upload' THEN n.dst_ip ELSE n.src_ip END AS server, h.host,
  CASE WHEN mime IN ('application/x-dosexec', 'application/vnd.microsoft.portable-executable', 'application/x-executable', 'application/x-mach-binary', 'application/x-msi', 'application/x-ms-shortcut', 'application/vnd.ms-htmlhelp', 'application/vnd.debian.binary-package', 'application/x-rpm', 'application/vnd.android.package-archive', 'application/java-vm') THEN 'executable'
    WHEN mime IN ('text/x-shellscript', 'text/x-python', 'text/x-perl', 'text/x-php', 'text/x-powershell', 'text/vbscript', 'text/javascript', 'application/javascript', 'application/x-bat') THEN 'script'
    WHEN mime LIKE 'image/%' THEN 'picture' WHEN mime LIKE 'audio/%' OR mime LIKE 'video/%' OR mime = 'application/ogg' THEN 'media'
    WHEN mime IN ('application/pdf', 'application/rtf', 'application/x-ole-storage', 'application/postscript') OR mime LIKE 'application/vnd.openxmlformats%' OR mime LIKE 'application/vnd.oasis%' THEN 'document'
    WHEN mime IN ('application/zip', 'application/gzip', 'application/x-bzip2', 'application/x-xz', 'application/x-7z-compressed', 'application/vnd.rar', 'application/vnd.ms-cab-compressed', 'application/zstd', 'application/x-tar', 'application/x-lz4', 'application/java-archive') THEN 'archive'
    WHEN n.source IN ('s7comm', 'umas') THEN 'project' WHEN mime LIKE 'text/%' OR mime = 'application/json' OR mime = 'application/xml' THEN 'text' END AS family,
  CASE WHEN extension IN ('exe', 'dll', 'sys', 'ocx', 'scr', 'com', 'msi', 'elf', 'so', 'pif', 'cpl', 'lnk', 'chm', 'apk', 'deb', 'rpm', 'class') THEN 'executable' WHEN extension IN ('ps1', 'psm1', 'vbs', 'vbe', 'js', 'jse', 'hta', 'bat', 'cmd', 'sh', 'py', 'pl', 'php', 'wsf') THEN 'script'
    WHEN extension IN ('jpg', 'jpeg', 'png', 'gif', 'bmp', 'tif', 'tiff', 'webp', 'ico', 'svg') THEN 'picture' WHEN extension IN ('mp3', 'mp4', 'avi', 'mov', 'wav', 'ogg', 'flac', 'mkv', 'webm', 'mpg', 'wmv') THEN 'media'
    WHEN extension IN ('pdf', 'doc', 'docx', 'xls', 'xlsx', 'ppt', 'pptx', 'rtf', 'odt', 'ods') THEN 'document' WHEN extension IN ('zip', 'gz', 'tgz', 'bz2', 'xz', '7z', 'rar', 'cab', 'tar', 'jar') THEN 'archive'
    WHEN extension IN ('txt', 'csv', 'log', 'ini', 'cfg', 'htm', 'html', 'css', 'xml', 'json') THEN 'text' WHEN extension IN ('ap11', 'ap13', 'ap14', 'ap15', 'ap16', 'ap17', 'acd', 'l5x', 'stu', 'sta', 's7p', 'rss', 'mer', 'zap13', 'zap16', 'cxp', 'gxw') THEN 'project' END AS name_family,
  CASE WHEN declared_mime LIKE 'image/%' THEN 'picture' WHEN declared_mime LIKE 'audio/%' OR declared_mime LIKE 'video/%' THEN 'media' WHEN declared_mime = 'application/pdf' OR declared_mime LIKE 'application/msword%' OR declared_mime LIKE 'application/vnd.openxml%' THEN 'document' WHEN declared_mime LIKE 'text/%' THEN 'text' END AS declared_family
FROM named n
LEFT JOIN (SELECT capture_id, flow_id, max(CAST(host AS VARCHAR)) AS host FROM http WHERE is_request AND host IS NOT NULL GROUP BY capture_id, flow_id) h ON h.capture_id = n.capture_id AND h.flow_id = n.flow_id AND n.source = 'http'
