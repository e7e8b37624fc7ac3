#!/bin/bash
# mail.pcap: a server for SMTP, LMTP, IMAP and POP3: mails with parts and
# attachments sent, appended, fetched whole and in pieces; logins of every
# kind, one guessed; a mailbox emptied; STARTTLS in all three.
. "$(dirname "$0")/common.sh"
need dovecot openssl python3
python3 -c 'import aiosmtpd'

ns srv
ns cli
wire srv eth0 cli eth0
ip -n sd-srv link set eth0 address 02:00:00:00:c0:01
ip -n sd-cli link set eth0 address 02:00:00:00:c0:50
ip -n sd-srv addr add 10.20.30.10/24 dev eth0
ip -n sd-cli addr add 10.20.30.50/24 dev eth0

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj /CN=mail.plant.example \
    -addext subjectAltName=DNS:mail.plant.example -keyout "$T/key.pem" -out "$T/cert.pem" 2>/dev/null
mkdir "$T/mail" "$T/run"
chown games: "$T/mail"
cat >"$T/users" <<C
anna@plant.example:{PLAIN}line-one
boris@plant.example:{PLAIN}line-two
C
cat >"$T/dovecot.conf" <<C
base_dir = $T/run
log_path = $T/dovecot.log
protocols = imap pop3 lmtp
listen = 10.20.30.10
ssl = yes
ssl_cert = <$T/cert.pem
ssl_key = <$T/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login cram-md5 apop
auth_failure_delay = 0
default_login_user = nobody
default_internal_user = nobody
first_valid_uid = 1
mail_uid = games
mail_gid = games
mail_location = maildir:$T/mail/%u
state_dir = $T/run/state
passdb {
  driver = passwd-file
  args = $T/users
}
userdb {
  driver = static
  args = uid=games gid=games home=$T/mail/%u
}
service lmtp {
  inet_listener lmtp {
    port = 24
  }
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service imap-login {
  inet_listener imaps {
    port = 0
  }
}
service pop3-login {
  inet_listener pop3s {
    port = 0
  }
}
C
record cli eth0 "$T/mail.pcap" 'tcp'
bg srv unshare --uts sh -c "hostname mail.plant.example; exec dovecot -F -c $T/dovecot.conf"
bg srv python3 "$RECIPES/mail_server.py" 10.20.30.10 "$T/cert.pem" "$T/key.pem"
wait_tcp srv 143
wait_tcp srv 110
wait_tcp srv 24
wait_tcp srv 587
on cli python3 "$RECIPES/mail_client.py" 10.20.30.10
record_stop
cp "$T/mail.pcap" "$OUT/mail.pcap"
