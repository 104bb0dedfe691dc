#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The verb policy: lint with line and column, which rule counts, a policy to begin with, policies of other tools.
load lib

setup() {
    # shellcheck source=tests/cli/lib.bash
    source "$BATS_TEST_DIRNAME/lib.bash"
    eval "lib_$(declare -f setup)"
    lib_setup
    umask 022
    waybill keygen -o a >/dev/null
    waybill keygen -o b >/dev/null
}

# policy TEXT: policy.toml with the keys a and b in front; the text begins in line 6.
policy() {
    printf '%s\n' 'version = 1' '[keys.a]' 'file = "a.pub"' '[keys.b]' 'file = "b.pub"' "$@" >policy.toml
}

refuses() { # words, lines of the policy...
    local says=$1
    shift
    policy "$@"
    expect 2 waybill policy check policy.toml
    out_is ''
    err_has "$says"
}

@test "check: a good policy, its warnings, --json" {
    policy '[scopes."r.example/x"]' 'keys = ["a"]' 'mode = "audit"' '[roots.r]' 'file = "none.json"'
    expect 0 waybill policy check policy.toml
    out_is 'policy.toml: warning: line 4 column 7: keys.b: no scope uses it
policy.toml: warning: line 9 column 8: roots.r: no scope uses it
policy.toml: warning: line 8 column 1: scopes."r.example/x": audit: what fails is taken all the same
policy.toml: good: 1 scope'
    expect 0 waybill policy check --json policy.toml
    [ "$(jq -r '[.schema, .action, .good, .scopes, (.warnings | length)] | join(" ")' <<<"$output")" = 'waybill.policy/1 check true 1 3' ]
}

@test "check: what is wrong has a line and a column, and status 2" {
    refuses 'line 8 column 1: scopes."r.example/x".thresold: not known here' '[scopes."r.example/x"]' 'keys = ["a"]' 'thresold = 2'
    refuses 'line 6 column 2: scpoes: not known here' '[scpoes."r.example/x"]' 'keys = ["a"]'
    refuses 'line 8 column 1: missing comma' '[scopes."r.example/x"]' 'keys = ["a"' 'x'
    refuses 'a threshold of 3 and 2 keys' '[scopes.""]' 'keys = ["a", "b"]' 'threshold = 3'
    refuses 'there is no such name' '[scopes.""]' 'keys = ["c"]'
    policy '[scopes.""]' 'keys = ["c"]'
    expect 2 waybill policy check --json policy.toml
    [ "$(jq -r .good <<<"$output")" = false ]
    [[ $(jq -r .error <<<"$output") == *'line 7 column 9: scopes."".keys[0]: there is no such name under [keys]' ]]
}

@test "attack: a policy with a key that is not known, an empty one and one without keys are errors" {
    refuses 'not known here' '[scopes.""]' 'keys = ["a"]' 'key = "b"'
    refuses 'an empty policy'
    refuses 'no keys: nothing to verify' '[scopes.""]'
    refuses 'threshold: not a whole number from 1' '[scopes.""]' 'keys = ["a"]' 'threshold = 0'
    : >policy.toml
    expect 2 waybill policy check policy.toml
    err_has 'version = 1'
    expect 2 waybill policy check none.toml
    err_has 'none.toml'
    mkdir folder.toml
    expect 2 waybill policy check folder.toml
}

@test "attack: duplicate scopes, also in another spelling" {
    refuses 'line 8 column 9: scopes."R.Example:443/x": the same scope as' '[scopes."r.example/x"]' 'keys = ["a"]' \
        '[scopes."R.Example:443/x"]' 'keys = ["b"]'
    refuses 'duplicate' '[scopes."r.example/x"]' 'keys = ["a"]' '[scopes."r.example/x"]' 'keys = ["b"]'
    refuses 'the same scope' '[scopes."docker.io"]' 'keys = ["a"]' '[scopes."index.docker.io"]' 'keys = ["b"]'
}

@test "attack: scope confusion, the host's case, the default port" {
    policy '[scopes."host.example/ns"]' 'keys = ["a"]'
    rule() {
        expect 0 waybill policy explain --policy policy.toml "$1"
        out_has "rule: $2"
    }
    rule host.example/ns/x:1 'scopes."host.example/ns"'
    rule HOST.example/ns/x:1 'scopes."host.example/ns"'
    rule host.example:443/ns/x:1 'scopes."host.example/ns"'
    rule host.example/nsevil:1 default
    rule host.example/ns-evil/x:1 default
    rule host.example.evil.example/ns:1 default
    rule host.example:8443/ns/x:1 default
    rule ./host.example/ns default
    rule oci:host.example/ns default
}

@test "attack: a threshold cannot be met by one key under two names" {
    cp a.pub c.pub
    refuses 'a and c are the same key' '[keys.c]' 'file = "c.pub"' '[scopes.""]' 'keys = ["a", "c"]' 'threshold = 2'
}

@test "a policy, and a key of it, in a folder that anybody may write to are refused, but for a sticky one" {
    mkdir open
    cp a.pub open/a.pub
    policy '[scopes.""]' 'keys = ["a"]'
    cp a.pub b.pub policy.toml open/
    chmod 0777 open
    expect 2 waybill policy check open/policy.toml
    err_has 'anybody can put another file in the place of open/policy.toml (chmod o-w its folder)'
    sed -i 's,"a.pub","open/a.pub",' policy.toml
    expect 2 waybill policy check policy.toml
    err_has 'line 2 column 7: anybody can put another file in the place of open/a.pub'
    (cd open && expect 2 waybill policy check policy.toml)
    expect 2 waybill verify --policy open/policy.toml a.pub
    chmod 1777 open
    expect 0 waybill policy check open/policy.toml
    expect 0 waybill policy check policy.toml
    mkdir -p "$HOME/.config/waybill"
    cp a.pub b.pub open/policy.toml "$HOME/.config/waybill"
    chmod 0777 "$HOME/.config/waybill"
    expect 2 waybill verify a.pub
    err_has 'anybody can put another file in the place of'
}

@test "a policy, and a key of it, that others may write to are refused" {
    policy '[scopes.""]' 'keys = ["a"]'
    chmod g+w policy.toml
    expect 2 waybill policy check policy.toml
    err_has 'can be written by others'
    chmod g-w,o+w policy.toml
    expect 2 waybill policy check policy.toml
    chmod o-w policy.toml
    chmod o+w a.pub
    expect 2 waybill policy check policy.toml
    err_has 'line 2 column 7: a.pub can be written by others'
    chmod o-w a.pub
    expect 0 waybill policy check policy.toml
    if [ "$(id -u)" -eq 0 ]; then
        chown 12345 policy.toml
        expect 2 waybill policy check policy.toml
        err_has 'belongs to neither root nor us'
    fi
}

@test "files that a policy names: relative to its folder, missing, private, no key" {
    mkdir sub
    policy '[scopes.""]' 'keys = ["a"]'
    mv policy.toml a.pub sub
    expect 0 waybill policy check sub/policy.toml
    mv sub/policy.toml .
    expect 2 waybill policy check policy.toml
    err_has 'policy.toml: line 2 column 7: a.pub: No such file'
    cp a.key a.pub
    expect 2 waybill policy check policy.toml
    err_has 'private key'
    echo nothing >a.pub
    expect 2 waybill policy check policy.toml
    err_has 'line 2 column 7'
}

@test "stores of certificates: files, and a trust store's folder beside the policy" {
    make_ca corp
    policy '[stores.files]' 'files = ["corp.pem"]' '[scopes."r.example/files"]' 'store = "files"' \
        'identities = [{ subject = "CN=corp" }]' '[stores.dir]' 'dir = "truststore"' 'names = ["ca:corp"]' \
        '[scopes."r.example/dir"]' 'store = "dir"' 'insecure_any_identity = true'
    expect 2 waybill policy check policy.toml
    err_has 'line 11 column 9: '
    mkdir -p sub/truststore/x509/ca/corp
    cp corp.pem sub/truststore/x509/ca/corp
    mv policy.toml corp.pem sub
    expect 0 waybill policy check sub/policy.toml
    chmod o+w sub/truststore
    expect 2 waybill policy check sub/policy.toml
    chmod o-w sub/truststore
    echo nothing >sub/corp.pem
    expect 2 waybill policy check sub/policy.toml
    err_has 'line 6 column 9: corp.pem'
    policy '[stores.files]' 'files = ["corp.pem"]' 'names = ["ca:corp"]' '[scopes.""]' 'keys = ["a"]'
    expect 2 waybill policy check policy.toml
    err_has 'are those of a `dir`'
}

@test "keys in the policy itself" {
    { printf 'version = 1\n[keys.a]\npem = """\n' && cat a.pub && printf '"""\n[scopes.""]\nkeys = ["a"]\n'; } >policy.toml
    expect 0 waybill policy check policy.toml
    { printf 'version = 1\n[keys.a]\npem = """\n' && cat a.key && printf '"""\n[scopes.""]\nkeys = ["a"]\n'; } >policy.toml
    expect 2 waybill policy check policy.toml
    err_has "keys.a.pem: a private key"
}

@test "explain: the candidates, --json, files, layouts and short names" {
    policy '[scopes."*.example"]' 'keys = ["a"]' '[scopes."docker.io/library"]' 'keys = ["b"]' '[scopes."file:"]' 'keys = ["a"]'
    expect 0 waybill policy explain --policy policy.toml r.example/x/y@sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a
    out_has '  "r.example/x/y": no such scope'
    out_has '  "*.example": counts (line 6)'
    out_has '  keys = ["a"]'
    expect 0 waybill policy explain --policy policy.toml --json r.example/x
    [ "$(jq -r '[.rule, .line, .place, .members.keys[0]] | join(" ")' <<<"$output")" = 'scopes."*.example" 6 r.example/x a' ]
    [ "$(jq -r '[.candidates[] | select(.counts) | .scope] | join(" ")' <<<"$output")" = '*.example' ]
    expect 0 waybill policy explain --policy policy.toml docker.io/alpine
    out_has 'rule: scopes."docker.io/library"'
    expect 0 waybill policy explain --policy policy.toml alpine:3
    out_has 'rule: scopes."docker.io/library"'
    expect 0 waybill policy explain --policy policy.toml x.wasm
    out_has 'rule: scopes."file:"'
    expect 0 waybill policy explain --policy policy.toml oci:shelf:1
    out_has 'rule: default'
    out_has 'demand: reject'
    expect 2 waybill policy explain --policy policy.toml wasi:http@0.2.0
    expect 2 waybill policy explain --policy policy.toml r.example/UPPER
    expect 2 waybill policy explain --policy policy.toml
    err_has 'explain TARGET'
}

@test "init: the user's policy, which check takes; nothing is overwritten" {
    expect 2 waybill policy check
    err_has 'there is no policy'
    expect 0 waybill policy init
    out_is "$HOME/.config/waybill/policy.toml"
    expect 0 waybill policy check
    out_has 'good: 0 scopes'
    expect 1 waybill policy init
    err_has 'already exists'
    XDG_CONFIG_HOME=$PWD/config expect 0 waybill policy init --json
    [ "$(jq -r .policy <<<"$output")" = "$PWD/config/waybill/policy.toml" ]
    XDG_CONFIG_HOME=$PWD/config expect 0 waybill policy check
    expect 0 waybill policy init here.toml
    expect 0 waybill policy explain --policy here.toml r.example/x
    out_has 'rule: default'
    # With the comments taken away it is a policy, too.
    sed -i -E 's/^# (\[|[a-z_]+ = |\]|  \{)/\1/; s/sha256:\.\.\./sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a/; s/^#   \{/  {/' here.toml
    cp a.pub release.pub
    cp b.pub ci.pub
    expect 0 waybill policy check here.toml
    out_has 'good: 2 scopes'
}

@test "a policy that is there and cannot be read is no reason to take another" {
    mkdir -p "$HOME/.config/waybill/policy.toml"
    expect 2 waybill policy check
    err_has "$HOME/.config/waybill/policy.toml"
    rmdir "$HOME/.config/waybill/policy.toml"
    ln -s /nonexistent "$HOME/.config/waybill/policy.toml"
    expect 2 waybill policy check
    err_has "$HOME/.config/waybill/policy.toml"
}

@test "import containers: keys, thresholds, places; what cannot be said is an error" {
    cat >c.json <<END
{"default": [{"type": "reject"}], "transports": {
  "docker": {
    "r.example/one": [{"type": "sigstoreSigned", "keyPath": "$PWD/a.pub", "signedIdentity": {"type": "matchRepository"}}],
    "r.example/two": [{"type": "sigstoreSigned", "keyPath": "$PWD/a.pub"}, {"type": "sigstoreSigned", "keyData": "$(base64 -w0 b.pub)"}],
    "r.example/any": [{"type": "sigstoreSigned", "keyPaths": ["$PWD/a.pub", "$PWD/b.pub"]}],
    "r.example/open": [{"type": "insecureAcceptAnything"}], "r.example/no": [{"type": "reject"}]},
  "oci": {"": [{"type": "insecureAcceptAnything"}]},
  "docker-daemon": {"": [{"type": "insecureAcceptAnything"}]}}}
END
    expect 0 waybill policy import --from containers c.json
    echo "$output" >policy.toml
    out_has 'docker-daemon has no counterpart'
    out_has 'compare the tag'
    expect 0 waybill policy check policy.toml
    expect 0 waybill policy explain --policy policy.toml --json r.example/two/x
    [ "$(jq -c '[.members.threshold, .members.keys, .members.formats, .members.signed_repository]' <<<"$output")" = '[2,["key-1","key-2"],["cosign"],true]' ]
    expect 0 waybill policy explain --policy policy.toml --json r.example/any
    [ "$(jq -c '[.members.threshold, (.members.keys | length)]' <<<"$output")" = '[1,2]' ]
    expect 0 waybill policy explain --policy policy.toml r.example/open
    out_has 'demand: insecure-accept-anything'
    expect 0 waybill policy explain --policy policy.toml oci:x
    out_has 'demand: insecure-accept-anything'
    expect 0 waybill policy explain --policy policy.toml x.wasm
    out_has 'demand: reject'
    local wrong
    for wrong in '[{"type":"signedBy","keyType":"GPGKeys","keyPath":"/k"}]' '[{"type":"sigstoreSigned","keyPath":"/k","rekorPublicKeyPath":"/r"}]' \
        '[{"type":"sigstoreSigned","fulcio":{"caPath":"/c","oidcIssuer":"i","subjectEmail":"s"}}]' '[{"type":"sigstoreSigned"}]' \
        '[{"type":"sigstoreSigned","keyPaths":["/a","/b"]},{"type":"sigstoreSigned","keyPath":"/c"}]' \
        '[{"type":"sigstoreSigned","keyPath":"/k","signedIdentity":{"type":"remapIdentity","prefix":"a.example","signedPrefix":"b.example"}}]'; do
        echo '{"default":[{"type":"reject"}],"transports":{"docker":{"r.example/x":'"$wrong"'}}}' >w.json
        expect 1 waybill policy import --from containers w.json
        err_has 'cannot be said here'
        out_is ''
    done
    echo '{"default":[{"type":"reject"}],"transports":{"docker":{"r.example/x:tag":[{"type":"reject"}]}}}' >w.json
    expect 1 waybill policy import --from containers w.json
    echo '{"default":[{"type":"reject"}]' >w.json
    expect 16 waybill policy import --from containers w.json
    expect 4 waybill policy import --from containers none.json
    expect 2 waybill policy import --from others c.json
    expect 2 waybill policy import c.json
    err_has '--from TOOL'
}

@test "import notation: levels, stores, identities" {
    cat >n.json <<'END'
{"version": "1.0", "trustPolicies": [
  {"name": "one", "registryScopes": ["r.example/x"], "signatureVerification": {"level": "strict"},
   "trustStores": ["ca:corp"], "trustedIdentities": ["x509.subject: C=US, O=acme"]},
  {"name": "two", "registryScopes": ["r.example/z"], "signatureVerification": {"level": "skip"}},
  {"name": "all", "registryScopes": ["*"], "signatureVerification": {"level": "audit"},
   "trustStores": ["ca:corp", "tsa:t"], "trustedIdentities": ["*"]}]}
END
    expect 0 waybill policy import --from notation n.json
    out_has '[scopes."r.example/x"]
formats = ["notation"]
store = "one"
identities = [
  { subject = "C=US, O=acme" },
]'
    out_has '[scopes."r.example/z"]
verdict = "insecure-accept-anything"'
    out_has '[stores."all"]
dir = "truststore"
names = ["ca:corp", "tsa:t"]'
    out_has 'mode = "audit"'
    out_has 'WARNING'
    [ "$(grep -c '^\[stores' <<<"$output")" = 2 ]
    local wrong
    for wrong in 's/"ca:corp"/"cb:corp"/' 's/"1.0"/"2.0"/' 's/x509.subject: C=US, O=acme/did:x/' \
        's/"name": "one"/"name": "one", "scope": 1/' 's/"ca:corp"/"ca:..\/..\/x"/' 's/"ca:corp"/"ca:"/'; do
        sed "$wrong" n.json >w.json
        expect 1 waybill policy import --from notation w.json
        err_has 'cannot be said here'
    done
    sed 's/strict/none/' n.json >w.json
    expect 16 waybill policy import --from notation w.json
}

@test "import cosign: flags" {
    expect 0 waybill policy import --from cosign -- cosign verify --key a.pub --insecure-ignore-tlog=true -a team=x --allow-http-registry r.example:5000/x:1
    echo "$output" >policy.toml
    expect 0 waybill policy check policy.toml
    expect 0 waybill policy explain --policy policy.toml --json r.example:5000/x/y
    [ "$(jq -c '[.rule, .members.keys, .members.annotations]' <<<"$output")" = '["scopes.\"r.example:5000/x\"",["key"],{"team":"x"}]' ]
    expect 0 waybill policy import --from cosign -- --key=a.pub
    out_has 'WARNING: without --insecure-ignore-tlog'
    out_has '[scopes.""]'
    expect 0 waybill policy import --from cosign --json -- verify-attestation --key a.pub --type slsaprovenance1 r.example/x
    [[ $(jq -r .text <<<"$output") == *'attestation = [{ type = "slsaprovenance1" }]'* ]]
    expect 0 waybill policy import --from cosign -- --trusted-root t.json --certificate-oidc-issuer https://i --certificate-identity-regexp 'acme/.*$'
    out_has 'subject_regex = ".*(acme/.*)"'
    local wrong
    for wrong in --check-claims=false --policy=x.cue --certificate=c.pem --certificate-oidc-issuer-regexp=.; do
        expect 1 waybill policy import --from cosign -- --key a.pub "$wrong"
        err_has 'cannot be said here'
    done
    expect 1 waybill policy import --from cosign -- --key awskms://x
    expect 1 waybill policy import --from cosign -- --trusted-root t --certificate-oidc-issuer i --certificate-identity-regexp '(?i)x'
    expect 2 waybill policy import --from cosign -- --certificate-identity x --certificate-oidc-issuer y
    err_has '--trusted-root is wanted'
    expect 2 waybill policy import --from cosign --
    expect 2 waybill policy import --from cosign -- --key
}

@test "the policy of the manual page is a good one" {
    local name
    for name in alice bob carol ci; do waybill keygen -o $name >/dev/null; done
    awk '/^\.Bd -literal/ { on = 1; next } /^\.Ed/ { on = 0 } on' "$root/man/waybill-policy.toml.5" | sed 's/\\e/\\\\/g' >policy.toml
    expect 0 waybill policy check policy.toml
    out_is 'policy.toml: good: 2 scopes'
}

@test "actions, operands and options that do not belong together" {
    expect 2 waybill policy frobnicate
    err_has 'check, explain, init and import are known'
    expect 2 waybill policy check a b
    err_has "one operand too many: 'b'"
    expect 2 waybill policy init --from cosign
    expect 2 waybill policy import --policy x --from containers y
}
