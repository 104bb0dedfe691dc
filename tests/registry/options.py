# SPDX-License-Identifier: Apache-2.0
"""The command line of the registry: whom it lets in, and which of the registries met in the wild it is like."""

import argparse

STATUS = range(200, 600)


def choice_or_status(*choices):
    def convert(text):
        if text not in choices and (not text.isdigit() or int(text) not in STATUS):
            raise argparse.ArgumentTypeError("one of %s, or a status" % ", ".join(choices))
        return text
    return convert


def program_options(parser):
    parser.add_argument("--dir", help="keep blobs in this folder (default: a temporary one)")
    parser.add_argument("--port-file", help="write {main, alt, token} ports here as JSON, atomically")
    parser.add_argument("--log", help="append one JSON line per request here")
    parser.add_argument("--max-seconds", type=float, default=600, help="end after this time (default 600)")
    parser.add_argument("--fault", action="append", default=[], metavar="JSON", help="a fault rule; see faults.py")


def transport_options(parser):
    parser.add_argument("--delay-ms", type=float, default=0, help="wait so long before each request is handled")
    parser.add_argument("--bandwidth", type=float, default=0, metavar="BYTES",
                        help="bytes per second and connection, each way (default 0: no limit)")
    parser.add_argument("--tls-cert", metavar="PEM", help="all three listeners speak TLS with this chain")
    parser.add_argument("--tls-key", metavar="PEM")
    parser.add_argument("--tls-client-ca", metavar="PEM",
                        help="main wants a client certificate of this authority; the others take one and log it")
    parser.add_argument("--warning", help="a Warning header with this text on every answer of main")


def auth_options(parser):
    parser.add_argument("--auth", choices=("none", "basic", "token"), default="none")
    parser.add_argument("--user", default="user")
    parser.add_argument("--password", default="password")
    parser.add_argument("--token-expiry", type=float, default=300, help="seconds a token is good for")
    parser.add_argument("--token-uses", type=int, default=0, help="requests a token is good for (default 0: any number)")
    parser.add_argument("--token-field", choices=("token", "access_token"), default="token")
    parser.add_argument("--token-listener", action="store_true", help="token service on an origin of its own")
    parser.add_argument("--identity-token", help="refresh token that POST grants accept")
    parser.add_argument("--anonymous-pull", action="store_true")


def list_options(parser):
    parser.add_argument("--page-size", type=int, default=1000, help="most tags on one page")
    parser.add_argument("--link", choices=("normal", "absolute", "loop", "endless", "foreign", "metadata"), default="normal",
                        help="where Link headers lead: the next page; the same as a whole URL; the page itself; ever more "
                        "pages; the alt listener; a cloud's metadata address")
    parser.add_argument("--referrers", action="store_true", help="serve the referrers API")
    parser.add_argument("--referrers-page", type=int, default=1000, help="most referrers on one page")
    parser.add_argument("--generate-referrers", type=int, default=0, metavar="N",
                        help="every subject has so many referrers more; their manifests can be fetched")


def manifest_options(parser):
    parser.add_argument("--sparse", action="store_true", help="take manifests whose blobs and manifests are not there")
    parser.add_argument("--oci-subject", choices=("honest", "never", "always"), default="honest",
                        help="OCI-Subject on a PUT with a subject: if there is the API, never, always")
    parser.add_argument("--delete", choices=("all", "digests", "none"), default="all",
                        help="what DELETE of a manifest takes; 405 for the others")


def upload_options(parser):
    parser.add_argument("--location", default="relative", help="form of an upload's Location",
                        choices=("relative", "absolute", "alt", "portless", "schemeless", "folder"))
    parser.add_argument("--range", choices=("normal", "stale", "chunk", "minus", "absent"), default="normal",
                        help="Range of upload answers: as it is; PATCH shows the one before (ECR); counted from the chunk's "
                        "own start (Aliyun); 0--1 when empty (Gitea); none")
    parser.add_argument("--patch", type=choice_or_status("yes"), default="yes",
                        help="'yes', a 2xx to answer PATCH with (ECR: 201), or a status that refuses every PATCH (405)")
    parser.add_argument("--min-chunk", type=int, default=0,
                        help="announce OCI-Chunk-Min-Length, and refuse what follows on a shorter PATCH")
    parser.add_argument("--max-body", type=int, default=0,
                        help="413 to a blob upload request with a body over this, as a proxy in front would")
    parser.add_argument("--broken-upload", choices=("keep", "revert", "gone"), default="keep",
                        help="when a client dies in mid-body: what arrived is kept, that request is undone, or the "
                        "session is over")
    parser.add_argument("--post-digest", action="store_true", help="POST ?digest= stores the blob; else it only opens a session, as most do")
    parser.add_argument("--mount", type=choice_or_status("yes", "no"), default="yes",
                        help="'yes', 'no' (202, an upload instead), or a status that answers every mount")
    parser.add_argument("--anonymous-mount", type=choice_or_status("yes", "no"), default="yes",
                        help="the same for mounts without a source")


def parse_options(argv, description=None):
    parser = argparse.ArgumentParser(description=description)
    for add in (program_options, transport_options, auth_options, list_options, manifest_options, upload_options):
        add(parser)
    options = parser.parse_args(argv)
    if options.tls_client_ca and not options.tls_cert:
        parser.error("--tls-client-ca needs --tls-cert")
    return options
