-- @kept
-- Names and passwords that makers ship, as `secret` shows them; NULL where any name goes with the password.
SELECT CAST(username AS VARCHAR) AS username, secret(word) AS secret FROM (VALUES
  ('admin', 'admin'), ('admin', 'password'), ('admin', '1234'), ('admin', '12345'), ('admin', '123456'), ('admin', 'default'), ('administrator', 'administrator'), ('administrator', 'password'), ('administrator', 'admin'),
  ('root', 'root'), ('root', 'toor'), ('root', 'admin'), ('root', 'password'), ('root', 'pass'), ('root', 'calvin'), ('root', 'vizxv'), ('root', 'xc3511'), ('root', 'default'), ('user', 'user'), ('user', 'password'), ('guest', 'guest'), ('test', 'test'),
  ('pi', 'raspberry'), ('ubnt', 'ubnt'), ('cisco', 'cisco'), ('support', 'support'), ('service', 'service'), ('operator', 'operator'), ('tech', 'tech'), ('sa', 'sa'), ('postgres', 'postgres'), ('oracle', 'oracle'), ('tomcat', 'tomcat'), ('ftp', 'ftp'),
  ('supervisor', 'supervisor'), ('manager', 'manager'), ('super', 'super'), ('sysadmin', 'sysadmin'), ('anonymous', 'admin'),
  ('USER', 'USER'), ('USER', 'USERUSER'), ('ntpupdate', 'ntpupdate'), ('pcfactory', 'pcfactory'), ('loader', 'fwdownload'), ('sysdiag', 'factorycast@schneider'), ('qbf77101', 'hexakisoctahedron'), ('fdrusers', 'sresurdf'), ('webserver', 'webpages'), ('nic2212', 'poiuypoiuy'),
  ('admin', 'wago'), ('root', 'wago'), ('user', 'wago'), ('su', 'ko2003wa'), ('admin', 'private'), ('Administrator', '100'), ('everybody', '100'), ('admin', 'moxa'), ('admin', 'siemens'), ('basisk', 'basisk'), ('siemens', 'siemens'), ('honeywell', 'honeywell'),
  ('ACCPROXY', 'TAIL'), ('2ACCESSOR', 'OTTER'), ('ACC', 'OTTER'), ('BAC', 'EDITOR'), ('adminpcs', 'adminpcs'), ('admin', 'ilc'), ('ADMIN', 'ADMIN'), ('admin', 'rockwell'), ('admin', 'ml1100'), ('administrator', 'ml1100')) AS known (username, word)
UNION ALL
SELECT CAST(NULL AS VARCHAR), secret(word) FROM (VALUES ('public'), ('private'), ('0000000000000000'), ('basisk')) AS any_name (word)
