#!/bin/bash
# logins.pcap: a KDC, a directory and a proxy: tickets got and refused, a
# ticket under RC4, a reply without pre-authentication, a changed password;
# binds simple, anonymous, by Kerberos (in clear, signed, sealed) and behind
# StartTLS, searches and changes; a proxy that asks for NTLM, Negotiate,
# Digest and Basic.
. "$(dirname "$0")/common.sh"
need krb5kdc kadmind kadmin.local kinit kvno kpasswd slapd ldapsearch ldapmodify ldapwhoami squid curl openssl

ns srv
ns cli
wire srv eth0 cli eth0
ip -n sd-srv link set eth0 address 02:00:00:00:c0:01
ip -n sd-cli link set eth0 address 02:00:00:00:c0:50
ip -n sd-srv addr add 10.20.30.10/24 dev eth0
ip -n sd-cli addr add 10.20.30.50/24 dev eth0
for n in srv cli; do
    mkdir -p "/etc/netns/sd-$n"
    printf '127.0.0.1 localhost\n10.20.30.10 dc.plant.example dc\n10.20.30.50 pc7.plant.example pc7\n' >"/etc/netns/sd-$n/hosts"
done
trap 'cleanup; rm -rf /etc/netns/sd-srv /etc/netns/sd-cli' EXIT

# ---- the realm ----
export KRB5_CONFIG=$T/krb5.conf KRB5_KDC_PROFILE=$T/kdc.conf KRB5CCNAME=FILE:$T/cc KRB5_KTNAME=FILE:$T/keytab
cat >"$T/krb5.conf" <<C
[libdefaults]
    default_realm = PLANT.EXAMPLE
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
    rdns = false
[realms]
    PLANT.EXAMPLE = {
        kdc = 10.20.30.10
        admin_server = 10.20.30.10
    }
[domain_realm]
    .plant.example = PLANT.EXAMPLE
C
sed 's/\[libdefaults\]/&\n    udp_preference_limit = 1/' "$T/krb5.conf" >"$T/krb5-tcp.conf"
cat >"$T/kdc.conf" <<C
[kdcdefaults]
    kdc_listen = 10.20.30.10:88
    kdc_tcp_listen = 10.20.30.10:88
[realms]
    PLANT.EXAMPLE = {
        database_name = $T/principal
        key_stash_file = $T/stash
        acl_file = $T/kadm5.acl
        kadmind_listen = 10.20.30.10:749
        kpasswd_listen = 10.20.30.10:464
        master_key_type = aes256-cts
        supported_enctypes = aes256-cts:normal aes128-cts:normal
        default_principal_flags = +preauth
    }
C
: >"$T/kadm5.acl"
k() { kadmin.local -r PLANT.EXAMPLE -q "$*" >>"$T/kadmin.log" 2>&1; }
kdb5_util create -s -r PLANT.EXAMPLE -P made-for-the-recording >/dev/null 2>&1
k addprinc -pw line-one anna
k addprinc -pw line-two boris
k addprinc -pw line-three -requires_preauth kiosk
k addprinc -randkey ldap/dc.plant.example
k addprinc -randkey HTTP/dc.plant.example
k addprinc -pw historian -e arcfour-hmac:normal historian/old.plant.example
k ktadd -k "$T/keytab" ldap/dc.plant.example HTTP/dc.plant.example
chmod 644 "$T/keytab"
bg srv krb5kdc -n
wait_tcp srv 88
bg srv kadmind -nofork
wait_tcp srv 749

# ---- the directory ----
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj /CN=dc.plant.example \
    -addext subjectAltName=DNS:dc.plant.example -keyout "$T/key.pem" -out "$T/cert.pem" 2>/dev/null
mkdir "$T/directory"
cat >"$T/slapd.conf" <<C
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile $T/slapd.pid
sasl-host dc.plant.example
sasl-realm PLANT.EXAMPLE
sasl-secprops none
TLSCertificateFile $T/cert.pem
TLSCertificateKeyFile $T/key.pem
allow bind_anon_cred bind_anon_dn
authz-regexp uid=([^,]*),cn=plant.example,cn=gssapi,cn=auth uid=\$1,ou=people,dc=plant,dc=example
access to attrs=userPassword by anonymous auth by self write by dn.base="cn=admin,dc=plant,dc=example" write by * none
access to * by * read
database mdb
suffix dc=plant,dc=example
rootdn cn=admin,dc=plant,dc=example
rootpw directory-boss
directory $T/directory
C
cat >"$T/start.ldif" <<C
dn: dc=plant,dc=example
objectClass: dcObject
objectClass: organization
dc: plant
o: Plant

dn: ou=people,dc=plant,dc=example
objectClass: organizationalUnit
ou: people

dn: uid=anna,ou=people,dc=plant,dc=example
objectClass: inetOrgPerson
uid: anna
cn: Anna Weber
sn: Weber
mail: anna@plant.example
userPassword: line-one

dn: uid=boris,ou=people,dc=plant,dc=example
objectClass: inetOrgPerson
uid: boris
cn: Boris Jörg
sn: Jörg
jpegPhoto:: AAECAwQF
userPassword: line-two
C
slapadd -f "$T/slapd.conf" -l "$T/start.ldif" 2>>"$T/slapd.log"
bg srv slapd -d 0 -f "$T/slapd.conf" -h ldap://10.20.30.10/
wait_tcp srv 389

# ---- the proxy ----
mkdir "$T/www" "$T/squid"
echo 'Line 1 is running.' >"$T/www/index.html"
bg srv python3 -m http.server -b 10.20.30.10 -d "$T/www" 8080
wait_tcp srv 8080
printf 'operator:%s\n' "$(openssl passwd -apr1 -salt plantplt line-four)" >"$T/basic"
printf 'operator:line-four\n' >"$T/digest"
chown -R proxy "$T/squid"
for scheme in negotiate ntlm digest basic; do
    case $scheme in
        negotiate) port=3128 program="/usr/lib/squid/negotiate_kerberos_auth -k $T/keytab -s HTTP/dc.plant.example@PLANT.EXAMPLE" ;;
        ntlm) port=3129 program=/usr/lib/squid/ntlm_fake_auth ;;
        digest) port=3130 program="/usr/lib/squid/digest_file_auth $T/digest" ;;
        basic) port=3131 program="/usr/lib/squid/basic_ncsa_auth $T/basic" ;;
    esac
    cat >"$T/squid-$scheme.conf" <<C
http_port 10.20.30.10:$port
visible_hostname dc.plant.example
auth_param $scheme program $program
auth_param $scheme children 1 startup=1
auth_param $scheme realm Plant proxy
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
cache deny all
cache_mem 1 MB
access_log none
cache_log $T/squid/$scheme.log
pid_filename none
pinger_enable off
coredump_dir $T/squid
C
    # Only the basic and digest schemes have a realm.
    case $scheme in negotiate | ntlm) sed -i '/ realm /d' "$T/squid-$scheme.conf" ;; esac
    bg srv squid -N -n "$scheme" -f "$T/squid-$scheme.conf"
    wait_tcp srv $port
done
sleep 2

record cli eth0 "$T/all.pcap" 'not arp and not port 749'

# Tickets.
ask() { on cli "$@" >/dev/null 2>&1 || true; }
ask sh -c 'echo line-one | kinit anna'
ask kvno ldap/dc.plant.example
ask kvno historian/old.plant.example                 # RC4, though AES is offered
ask sh -c 'echo wrong | kinit boris'
ask sh -c 'echo none | kinit nobody'
ask kvno nfs/dc.plant.example                        # no such service
ask env KRB5CCNAME="FILE:$T/cc2" sh -c 'echo line-three | kinit kiosk'
ask env KRB5CCNAME="FILE:$T/cc2" KRB5_CONFIG="$T/krb5-tcp.conf" sh -c 'echo line-two | kinit boris'
ask env KRB5CCNAME="FILE:$T/cc2" sh -c 'printf "line-two\nline-five\nline-five\n" | kpasswd boris'

# The directory.
U=ldap://dc.plant.example
B=dc=plant,dc=example
A=cn=admin,$B
ask ldapsearch -LLL -x -H $U -b '' -s base namingContexts
ask ldapsearch -LLL -x -H $U -b $B '(&(objectClass=inetOrgPerson)(|(uid=an*)(!(mail=*))))' cn mail
ask ldapsearch -LLL -x -H $U -b $B '(cn=Boris J*)'
ask ldapsearch -LLL -x -H $U -D uid=anna,ou=people,$B -w line-one -b $B '(uid=boris)' cn userPassword
ask ldapsearch -LLL -x -H $U -D uid=anna,ou=people,$B -w wrong -b $B
ask ldapsearch -LLL -x -H $U -b ou=nothing,$B
ask ldapwhoami -x -H $U -D uid=anna,ou=people,$B -w ''
cat >"$T/change.ldif" <<C
dn: uid=carla,ou=people,$B
changetype: add
objectClass: inetOrgPerson
uid: carla
cn: Carla Rossi
sn: Rossi
userPassword: line-six

dn: uid=carla,ou=people,$B
changetype: modify
replace: mail
mail: carla@plant.example
-
add: description
description: night shift

dn: uid=carla,ou=people,$B
changetype: modrdn
newrdn: uid=carla.rossi
deleteoldrdn: 1

dn: uid=carla.rossi,ou=people,$B
changetype: delete
C
ask ldapmodify -x -H $U -D $A -w directory-boss -f "$T/change.ldif"
ask ldapcompare -x -H $U uid=anna,ou=people,$B sn:Weber
for ssf in 0 1 256; do
    ask ldapsearch -LLL -Q -Y GSSAPI -O "minssf=$ssf,maxssf=$ssf" -H $U -b $B '(uid=anna)' cn
done
ask env LDAPTLS_REQCERT=never ldapwhoami -ZZ -x -H $U -D uid=boris,ou=people,$B -w line-two

# The proxy.
page() { ask curl -sS -o /dev/null "$@" http://dc.plant.example:8080/; }
page -x http://dc.plant.example:3128 --proxy-negotiate --proxy-user :
page -x http://dc.plant.example:3129 --proxy-ntlm --proxy-user 'PLANT\anna:line-one'
page -x http://dc.plant.example:3130 --proxy-digest --proxy-user operator:line-four
page -x http://dc.plant.example:3130 --proxy-digest --proxy-user operator:wrong
page -x http://dc.plant.example:3131 --proxy-user operator:line-four
page -x http://dc.plant.example:3131 --proxy-user operator:wrong
record_stop
cp "$T/all.pcap" "$OUT/logins.pcap"
