# SPDX-License-Identifier: Apache-2.0
"""Who may do what: no authentication, Basic, or Bearer tokens from the in-tree token service."""

import base64
import binascii
import secrets
import time
import urllib.parse

SERVICE = "fault-registry"


class Auth:
    """mode: none, basic or token. anonymous_pull: the token service gives pull to a client without credentials."""

    def __init__(self, options):
        self.mode = options.auth
        self.user = options.user
        self.password = options.password
        self.expiry = options.token_expiry
        self.uses = options.token_uses
        self.field = options.token_field
        self.identity_token = options.identity_token
        self.anonymous_pull = options.anonymous_pull
        self.scheme = "https" if options.tls_cert else "http"
        self.realm = None  # that of a listener of its own, when the ports are known
        self.tokens = {}  # token -> [expires at, {repo: {action}}, how often used]

    def challenge(self, repo=None, actions=(), error=None, host=None):
        """The WWW-Authenticate value; a token service of our own is named as the client named us, who may come by a relay."""
        if self.mode != "token":
            return 'Basic realm="registry, in tree"'
        realm = self.realm or "%s://%s/token" % (self.scheme, host)
        parts = ['realm="%s"' % realm, 'service="%s"' % SERVICE]
        if repo:
            parts.append('scope="repository:%s:%s"' % (repo, ",".join(actions)))
        if error:
            parts.append('error="%s"' % error)
        return "Bearer " + ",".join(parts)

    def check(self, header, repo, actions, host):
        """None when the request may go on, else the WWW-Authenticate value of the 401."""
        if self.mode == "none":
            return None
        scheme, _, value = (header or "").partition(" ")
        if self.mode == "basic":
            good = scheme.lower() == "basic" and self.basic_ok(value)
            return None if good else self.challenge()
        granted = self.tokens.get(value) if scheme.lower() == "bearer" else None
        if granted is None or granted[0] <= time.time() or (self.uses and granted[2] >= self.uses):
            return self.challenge(repo, actions, "invalid_token" if value else None, host)
        if repo and not set(actions) <= granted[1].get(repo, set()):
            return self.challenge(repo, actions, "insufficient_scope", host)
        granted[2] += 1
        return None

    def may_pull(self, header, repo):
        """Whether a request that was let in may also read from another repository."""
        if self.mode != "token":
            return True
        granted = self.tokens.get((header or "").partition(" ")[2])
        return granted is not None and "pull" in granted[1].get(repo, set())

    def basic_ok(self, value):
        try:
            user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        return user == self.user and password == self.password

    # token service

    def token_reply(self, method, query, header, body):
        """(status, JSON object) of one request to the token service."""
        params = urllib.parse.parse_qs(query if method == "GET" else body.decode("utf-8", "replace"))
        if method == "POST":
            known = self.identity_token and params.get("grant_type") == ["refresh_token"]
            user_ok = bool(known) and params.get("refresh_token") == [self.identity_token]
            if not user_ok:
                return 401, {"errors": [{"code": "UNAUTHORIZED", "message": "bad grant"}]}
        else:
            scheme, _, value = (header or "").partition(" ")
            user_ok = scheme.lower() == "basic" and self.basic_ok(value)
            if header and not user_ok:
                return 401, {"errors": [{"code": "UNAUTHORIZED", "message": "bad credentials"}]}
        if params.get("service") not in (None, [SERVICE]):
            return 400, {"errors": [{"code": "UNSUPPORTED", "message": "unknown service"}]}
        scopes = [s for value in params.get("scope", []) for s in value.split()]
        return 200, self.issue(self.grant(scopes, user_ok))

    def grant(self, scopes, user_ok):
        granted = {}
        for scope in scopes:
            kind, _, rest = scope.partition(":")
            name, _, actions = rest.rpartition(":")
            wanted = set(actions.split(","))
            if not user_ok:
                wanted &= {"pull"} if self.anonymous_pull else set()
            if kind == "repository" and wanted:
                granted.setdefault(name, set()).update(wanted)
        return granted

    def issue(self, granted):
        token = secrets.token_urlsafe(32)
        self.tokens[token] = [time.time() + self.expiry, granted, 0]
        return {self.field: token, "expires_in": self.expiry}

    def revoke_all(self):
        self.tokens.clear()
