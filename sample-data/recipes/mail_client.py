"""What mail programs say to their server: see mail.sh."""
import email.policy
import imaplib
import poplib
import smtplib
import socket
import ssl
import sys
from email.message import EmailMessage

SERVER = sys.argv[1]
POLICY = email.policy.SMTP
TLS = ssl.create_default_context()
TLS.check_hostname, TLS.verify_mode = False, ssl.CERT_NONE


def message(sender, recipient, subject, text, number, **fields):
    mail = EmailMessage(policy=POLICY)
    mail["From"], mail["To"], mail["Subject"] = sender, recipient, subject
    mail["Date"] = f"Mon, 02 Jun 2025 08:{number % 60:02}:00 +0000"
    mail["Message-ID"] = f"<{number}@pc7.plant.example>"
    for name, value in fields.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail


def program():
    """A small file that is a Windows program as far as its header goes."""
    octets = bytearray(2048)
    octets[:2], octets[0x3C] = b"MZ", 0x80
    octets[0x80:0x84] = b"PE\0\0"
    return bytes(octets)


ANNA, BORIS = "Anna <anna@plant.example>", "Boris <boris@plant.example>"

plan = message(
    ANNA, '"Plant, Boris" <boris@plant.example>, night@plant.example', "Plan für Ventil 7", "Der Plan liegt bei.\n.\n..\nEnde: http://files.plant.example/plan.", 1,
    Cc="Team: cleo@plant.example, dora@plant.example;", User_Agent="hand 1.0",
)
plan.add_alternative("<p>Der Plan liegt <a href='http://files.plant.example/plan?a=1&amp;b=2'>hier</a>.</p>", subtype="html")
plan.add_attachment(b"step;valve\n1;7\n" * 40, maintype="text", subtype="csv", filename="plan für Ventil 7.csv")
plan.add_attachment(message(BORIS, ANNA, "inner", "inner text", 2))
bill = message('"Bank" <service@bank.example>', ANNA, "Your account", "Please see the attached bill.", 3, Reply_To="other@elsewhere.example")
bill.add_alternative('<a href="http://198.51.100.7/login">https://www.bank.example/login</a>', subtype="html")
bill.add_attachment(program(), maintype="application", subtype="pdf", filename="bill.pdf.exe")
news = message("News <news@list.example>", ANNA, "News of June", "Read the news.", 4, List_Unsubscribe="<https://list.example/u>", Precedence="bulk")
news.add_alternative('<a href="https://click.list.example/1">https://www.shop.example/</a>', subtype="html")

# Submission: a login, a refused one, a refused recipient, encryption.
for user, password in (("anna@plant.example", "wrong"), ("anna@plant.example", "line-one")):
    with smtplib.SMTP(SERVER, 587, local_hostname="pc7.plant.example") as smtp:
        try:
            smtp.login(user, password)
            smtp.sendmail("anna@plant.example", ["boris@plant.example", "nobody@plant.example"], plan.as_bytes())
        except smtplib.SMTPAuthenticationError:
            pass
with smtplib.SMTP(SERVER, 587, local_hostname="pc7.plant.example") as smtp:
    smtp.starttls(context=TLS)
    smtp.login("boris@plant.example", "line-two")
    smtp.send_message(news)


def lines(port):
    """A connection of one's own, line by line."""
    connection = socket.create_connection((SERVER, port))
    return connection, connection.makefile("rb")


def ask(connection, answers, line, until):
    connection.sendall(line)
    while True:
        answer = answers.readline()
        if not answer or answer.startswith(until):
            return answer


# Delivery by LMTP: once with DATA, once in chunks.
with smtplib.LMTP(SERVER, 24, local_hostname="relay.plant.example") as lmtp:
    lmtp.sendmail("service@bank.example", ["anna@plant.example"], bill.as_bytes())
    lmtp.sendmail("news@list.example", ["anna@plant.example"], news.as_bytes())
connection, answers = lines(24)
answers.readline()
ask(connection, answers, b"LHLO relay.plant.example\r\n", b"250 ")
ask(connection, answers, b"MAIL FROM:<anna@plant.example>\r\n", b"2")
ask(connection, answers, b"RCPT TO:<boris@plant.example>\r\n", b"2")
whole = plan.as_bytes()
ask(connection, answers, b"BDAT 700\r\n" + whole[:700], b"2")
ask(connection, answers, b"BDAT %d LAST\r\n" % len(whole[700:]) + whole[700:], b"2")
ask(connection, answers, b"QUIT\r\n", b"2")
connection.close()

# IMAP: headers for a list, a message whole, one appended; then in pieces, after a login by literals.
imap = imaplib.IMAP4(SERVER)
imap.authenticate("PLAIN", lambda _: b"\0anna@plant.example\0line-one")
imap.select("INBOX")
imap.fetch("1:*", "(UID RFC822.SIZE BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT DATE MESSAGE-ID)])")
imap.fetch("1", "(BODY[])")
draft = message(ANNA, BORIS, "half done", "to be continued", 5).as_bytes()
# Refused before a byte of it is sent: there is no such folder yet.
imap.append("Drafts", "\\Draft", None, draft)
imap.create("Drafts")
imap.append("Drafts", "\\Draft", None, draft)
imap.logout()
connection, answers = lines(143)
answers.readline()
connection.sendall(b"a1 LOGIN {19}\r\n")
answers.readline()
ask(connection, answers, b"boris@plant.example {8+}\r\nline-two\r\n", b"a1 ")
ask(connection, answers, b"a2 SELECT INBOX\r\n", b"a2 ")
for tag, start in ((b"a3", 0), (b"a4", 1000), (b"a5", 2000)):
    ask(connection, answers, tag + b" FETCH 1 (RFC822.SIZE BODY.PEEK[]<%d.1000>)\r\n" % start, tag + b" ")
ask(connection, answers, b"a6 FETCH 1 (BODY.PEEK[HEADER] BODY.PEEK[TEXT])\r\n", b"a6 ")
ask(connection, answers, b"a7 LOGOUT\r\n", b"a7 ")
connection.close()
imap = imaplib.IMAP4(SERVER)
imap.starttls(TLS)
imap.login("anna@plant.example", "line-one")
imap.logout()

# POP3: a password, a digest, a challenge, encryption.
pop = poplib.POP3(SERVER)
pop.user("anna@plant.example")
pop.pass_("line-one")
pop.stat()
pop.list()
pop.top(1, 3)
pop.retr(2)
pop.quit()
pop = poplib.POP3(SERVER)
pop.apop("boris@plant.example", "line-two")
pop.uidl()
pop.quit()
pop = poplib.POP3(SERVER)
pop.stls(TLS)
pop.user("boris@plant.example")
pop.pass_("line-two")
pop.quit()

# A guesser, who finds the password and takes what there is.
for number in range(12):
    pop = poplib.POP3(SERVER)
    pop.user("boris@plant.example")
    try:
        pop.pass_(f"guess-{number}")
    except poplib.error_proto:
        pass
    pop.close()
with smtplib.LMTP(SERVER, 24, local_hostname="relay.plant.example") as lmtp:
    forged = message(ANNA, BORIS, "Urgent", "Pay today.", 6, Authentication_Results="mail.plant.example; spf=fail; dkim=none; dmarc=fail")
    lmtp.sendmail("anna@elsewhere.example", ["boris@plant.example"], forged.as_bytes())
imap = imaplib.IMAP4(SERVER)
imap.login("boris@plant.example", "line-two")
short = "From: log@plant.example\r\nSubject: shift {}\r\n\r\nnothing\r\n"
imap.create("Log")
imap.select("Log")
literals = [short.format(number).encode() for number in range(210)]
imap.send(b"m1 APPEND Log" + b"".join(b" {%d+}\r\n%s" % (len(text), text) for text in literals) + b"\r\n")
while not imap.readline().startswith(b"m1 "):
    pass
imap.logout()
imap = imaplib.IMAP4(SERVER)
imap.login("boris@plant.example", "line-two")
imap.select("Log", readonly=True)
imap.fetch("1:*", "(BODY.PEEK[])")
imap.select("INBOX", readonly=True)
imap.fetch("1:*", "(BODY.PEEK[])")
imap.logout()
