"""Logs in at an Identity 2.0 endpoint by the released rackspaceauth on keystoneauth1.

Reads a passcode from standard input where it is challenged, and prints what it then sees as one
line of JSON. PASSWORD or API_KEY says by what.
"""

import json
import os
import re
import sys

from keystoneauth1 import exceptions
from keystoneauth1 import session as sessions
from rackspaceauth import v2

CHALLENGE = re.compile(r"^OS-MF sessionId='([^']+)', factor='(\w+)'$")


class Passcode(v2.RackspaceAuth):
    """The second step, which rackspaceauth has no plugin for; all but body and header are its own."""

    def __init__(self, auth_url, session_id, passcode):
        super().__init__(auth_url, reauthenticate=False)
        self.session_id = session_id
        self.passcode = passcode

    def get_auth_data(self, headers=None):
        headers["X-SessionId"] = self.session_id
        return {"RAX-AUTH:passcodeCredentials": {"passcode": self.passcode}}


def first_step(endpoint):
    who = {"username": os.environ["USERNAME"], "auth_url": endpoint}
    if "API_KEY" in os.environ:
        return v2.APIKey(api_key=os.environ["API_KEY"], **who)
    return v2.Password(password=os.environ["PASSWORD"], **who)


def log_in(session, endpoint):
    plugin = first_step(endpoint)
    try:
        return plugin, plugin.get_access(session)
    except exceptions.Unauthorized as refused:
        told = refused.response.headers.get("WWW-Authenticate", "")
        challenge = CHALLENGE.match(told)
        if challenge is None:
            raise
    print(challenge.group(2), flush=True)
    plugin = Passcode(endpoint, challenge.group(1), sys.stdin.readline().strip())
    return plugin, plugin.get_access(session)


def main():
    endpoint = os.environ["ENDPOINT"]
    session = sessions.Session()
    plugin, access = log_in(session, endpoint)
    session.auth = plugin
    validated = v2.validate(session, access.auth_token, auth_url=endpoint)
    user = session.get(f"{endpoint}users/{access.user_id}").json()["user"]
    session.delete(f"{endpoint}tokens/{access.auth_token}")
    try:
        v2.validate(sessions.Session(), access.auth_token, auth_url=endpoint)
        revoked = False
    except exceptions.Unauthorized:
        revoked = True
    seen = {
        "token": access.auth_token,
        "expiresAt": access.expires.isoformat(),
        "expiresSoon": access.will_expire_soon(),
        "tenant": access.tenant_id,
        "userId": access.user_id,
        "username": access.username,
        "roles": access.role_names,
        "authenticatedBy": validated["access"]["token"]["RAX-AUTH:authenticatedBy"],
        "multiFactorEnabled": user["RAX-AUTH:multiFactorEnabled"],
        "revoked": revoked,
    }
    print(json.dumps(seen))


try:
    main()
except exceptions.HttpError as refused:
    sys.exit(f"{refused.http_status}: {refused.message}")
