#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A real SMTP server for tests, on aiosmtpd.

Prints "ready <port>", then one line of JSON for each mail that it took: envelope, whether the connection was
encrypted, who logged in, the headers as a mail reader decodes them and the texts of the parts.
"""

import argparse
import email
import email.policy
import json
import ssl
import sys
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

arguments = argparse.ArgumentParser()
arguments.add_argument("--port", type=int, required=True)
arguments.add_argument("--cert")
arguments.add_argument("--key")
arguments.add_argument("--security", choices=["none", "starttls", "tls"], default="none")
arguments.add_argument("--login", help="user:password; unset: nobody has to log in")
arguments.add_argument("--refuse", action="append", default=[], help="an address that is answered 550")
arguments.add_argument("--answer", help="instead of taking a mail")
options = arguments.parse_args()


class Taking:
    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if address in options.refuse:
            return "550 5.1.1 <%s>: no such mailbox" % address
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        if options.answer:
            return options.answer
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        print(json.dumps({
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "encrypted": options.security == "tls" or session.ssl is not None,
            "login": getattr(session, "auth_data", None) and session.auth_data.login.decode(),
            "raw": envelope.content.decode("ascii"),
            "headers": [[name, str(value)] for name, value in message.items()],
            "type": message.get_content_type(),
            "parts": [[part.get_content_type(), part.get_content().replace("\r\n", "\n")] for part in message.iter_parts()],
            "defects": [str(defect) for part in message.walk() for defect in part.defects],
        }), flush=True)
        return "250 2.0.0 OK: queued as 4711"


def authenticate(server, session, envelope, mechanism, auth_data):
    user, password = options.login.split(":", 1)
    given = isinstance(auth_data, LoginPassword) and (auth_data.login, auth_data.password)
    return AuthResult(success=given == (user.encode(), password.encode()), handled=False, auth_data=auth_data)


def tls():
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(options.cert, options.key)
    return context


settings = {}
if options.security == "tls":
    settings["ssl_context"] = tls()
    settings["auth_require_tls"] = False  # the whole connection is encrypted, which it does not see
if options.security == "starttls":
    settings["tls_context"] = tls()
    settings["require_starttls"] = True
if options.login:
    settings["authenticator"] = authenticate
    settings["auth_required"] = True
controller = Controller(Taking(), hostname="127.0.0.1", port=options.port, ready_timeout=20, **settings)
controller.start()
print("ready", options.port, flush=True)
sys.stdin.close()
threading.Event().wait()
