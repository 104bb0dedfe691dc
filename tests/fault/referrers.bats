#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Referrers of registries that keep lists, keep none, lie, race, or never come to an end.
load lib

INDEX=application/vnd.oci.image.index.v1+json

# note NAME [REF]: attaches a file with that text; prints the digest.
note() {
    echo "$1" >"$1.txt"
    local out
    out=$(waybill attach -q -T "test/$1" "$1.txt" "${2:-$R/a/b:v1}") && echo "${out#*@}"
}

# types: of the referrers of $R/a/b:v1, in order.
types() { waybill tree --json "$R/a/b:v1" | jq -r '[.referrers[].artifactType] | join(" ")'; }

@test "a registry that keeps lists: nothing but the manifest is pushed, and its list is read once to make sure" {
    faulty --referrers
    pushed
    note one >/dev/null
    logged_is 1 '"GET"' /referrers/
    logged_is 0 sha256-
    note two >/dev/null
    logged_is 1 '"GET"' /referrers/
    [ "$(types)" = 'test/one test/two' ]
}

@test "OCI-Subject from a registry that keeps no list is not believed" {
    faulty --oci-subject always
    pushed
    note one >/dev/null
    logged_is 1 '"PUT"' manifests/sha256-
    [ "$(types)" = test/one ]
}

@test "a list and no OCI-Subject: the tag is kept too, and both show it once" {
    faulty --referrers --oci-subject never
    pushed
    note one >/dev/null
    logged_is 1 '"PUT"' manifests/sha256-
    [ "$(types)" = test/one ]
}

@test "what was attached before and after a registry learned the API is all there" {
    faulty --referrers
    pushed
    fault set_header PUT /manifests/ '"headers": {"OCI-Subject": null}'
    note old >/dev/null
    ask DELETE /_fault
    note new >/dev/null
    # the registry's own list loses the first, as one that was upgraded would not have it
    local list
    list=$(waybill tree --json "$R/a/b:v1" | jq -c '{schemaVersion: 2, manifests: [.referrers[] |
        select(.artifactType == "test/new") | {mediaType, digest, size, artifactType}]}')
    fault replace_body GET /referrers/ "\"times\": 0, \"body\": $(jq -Rs . <<<"$list")"
    [ "$(types)" = 'test/new test/old' ]
}

@test "pages that are no list of referrers: 404, 400, 405, 406, HTML, another type" {
    faulty
    pushed
    note one >/dev/null
    local status
    for status in 404 400 405 406; do
        ask DELETE /_fault
        fault status GET /referrers/ "\"times\": 0, \"status\": $status, \"body\": \"nothing here\""
        [ "$(types)" = test/one ]
    done
    for type in text/html application/json "$INDEX; charset=utf-8"; do
        ask DELETE /_fault
        fault status GET /referrers/ "\"times\": 0, \"status\": 200, \"headers\": {\"Content-Type\": \"$type\"}, \"body\": \"<html>\""
        [ "$(types)" = test/one ]
    done
}

@test "a failure is not an empty list: 500, 403" {
    faulty
    pushed
    fault status GET /referrers/ '"times": 0, "status": 403, "body": "no"'
    expect 5 waybill tree "$R/a/b:v1"
    ask DELETE /_fault
    fault status GET /referrers/ '"times": 0, "status": 500, "body": "no"'
    expect 3 waybill tree "$R/a/b:v1"
    ask DELETE /_fault
    fault status GET manifests/sha256- '"times": 0, "status": 503, "body": "no"'
    expect 3 waybill tree "$R/a/b:v1"
}

@test "a repository that is not there is 4" {
    faulty --referrers
    pushed
    fault status GET /referrers/ '"times": 0, "status": 404, "body": "{\"errors\":[{\"code\":\"NAME_UNKNOWN\"}]}"'
    expect 4 waybill tree "$R/a/b:v1"
    err_has 'no such repository'
}

@test "a list that is malformed or has an entry of a wrong form: 16" {
    faulty --referrers
    pushed
    local body
    for body in '[]' '{"schemaVersion":2,"manifests":[{}]}' '{"schemaVersion":2,"manifests":[{"mediaType":"a/b","digest":"sha256:1","size":1}]}' \
        '{"schemaVersion":2,"manifests":[{"mediaType":"a/b","digest":"sha256:'"$(printf %064d 1)"'","size":-1}]}' '{"schemaVersion":2'; do
        ask DELETE /_fault
        fault replace_body GET /referrers/ "\"times\": 0, \"body\": $(jq -Rs . <<<"$body")"
        expect 16 waybill tree "$R/a/b:v1"
    done
}

@test "GitLab: the tag gives the subject itself, so there is no list yet" {
    faulty
    pushed
    local subject body
    subject=$(waybill inspect --json "$R/a/b:v1" | jq -r .digest)
    body=$(curl -sf "http://$R/v2/a/b/manifests/v1" -H 'Accept: application/vnd.oci.image.manifest.v1+json')
    fault status GET "manifests/sha256-${subject#*:}" "\"times\": 2, \"status\": 200, \"headers\": {\"Content-Type\":
        \"application/vnd.oci.image.manifest.v1+json\"}, \"body\": $(jq -Rs . <<<"$body" | sed 's/\\n"$/"/')"
    [ "$(types)" = '' ]
    note one >/dev/null
    [ "$(types)" = test/one ]
}

@test "a tag that is used for something else is left alone: 1" {
    faulty
    pushed
    local subject
    subject=$(waybill inspect --json "$R/a/b:v1" | jq -r .digest)
    guest args
    waybill push -q args.wasm "$R/a/b:sha256-${subject#*:}" >/dev/null
    echo x >x.txt
    expect 1 waybill attach -T a/b x.txt "$R/a/b:v1"
    err_has 'no list of referrers'
    expect 0 waybill pull -o out.wasm "$R/a/b:sha256-${subject#*:}"
    cmp args.wasm out.wasm
}

@test "another writer who overwrites our entry: it is put there again, and his stays" {
    faulty
    pushed
    note one >/dev/null
    fault race PUT manifests/sha256- '"when": "after"'
    note two >/dev/null
    [ "$(types)" = 'application/vnd.example.foreign test/one test/two' ]
}

@test "another writer who never stops: 3, after a while" {
    faulty
    pushed
    fault race PUT manifests/sha256- '"when": "after", "times": 0'
    echo x >x.txt
    expect 3 timeout 90 "$WAYBILL" attach -T a/b x.txt "$R/a/b:v1"
    err_has 'again and again'
}

@test "100,000 referrers, page by page, in little memory; the filter goes to the registry" {
    faulty --referrers --generate-referrers 100000
    pushed
    expect 0 bash -c 'ulimit -v 500000; exec "$0" tree --depth 1 --type application/vnd.example.made.odd --json "$1"' "$WAYBILL" "$R/a/b:v1"
    [ "$(jq '.referrers | length' <<<"$output")" -eq 50000 ]
    logged_is 0 from=51000
}

@test "lists without an end, that lead to themselves, elsewhere or nowhere" {
    faulty --referrers --generate-referrers 10 --referrers-page 5 --link endless
    pushed
    expect 16 waybill tree --depth 1 "$R/a/b:v1"
    kill "$FAULTY_PID"
    wait "$FAULTY_PID" || true
    faulty --referrers --generate-referrers 10 --referrers-page 5 --link foreign
    pushed
    expect 3 waybill tree --depth 1 "$R/a/b:v1"
    logged_is 0 '"listener": "alt"'
}

@test "referrers of referrers without an end: 16" {
    faulty --referrers --generate-referrers 1
    pushed
    note one >/dev/null
    expect 16 waybill tree "$R/a/b:v1"
    err_has 'deep'
    expect 16 waybill copy -r "$R/a/b:v1" oci:out:1
    expect 0 waybill tags oci:out
    out_is ''
}

@test "a subject's referrers that lead back to it: the walk ends" {
    faulty --referrers
    pushed
    local one subject
    one=$(note one)
    subject=$(waybill inspect --json "$R/a/b:v1" | jq -r .digest)
    fault replace_body GET "/referrers/$one" "\"times\": 0, \"body\": $(jq -nc --arg d "$subject" '{schemaVersion: 2, manifests:
        [{mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $d, size: 5}]} | tojson')"
    expect 0 waybill tree "$R/a/b:v1"
    out_has '(above)'
    expect 0 timeout 20 "$WAYBILL" copy -r "$R/a/b:v1" oci:out:1
}

@test "delete: what the registry answers" {
    faulty --delete digests
    pushed
    expect 1 waybill delete -y "$R/a/b:v1"
    err_has 'removes no tags'
    local digest
    digest=$(waybill inspect --json "$R/a/b:v1" | jq -r .digest)
    fault status DELETE manifests '"status": 403, "body": "no"'
    expect 5 waybill delete -y "$R/a/b@$digest"
    expect 0 waybill delete -y "$R/a/b@$digest"
    expect 4 waybill delete -y "$R/a/b@$digest"
    expect 4 waybill delete "$R/a/b@$digest" </dev/null
    expect 4 waybill delete "$R/a/b:none" </dev/null
    expect 4 waybill delete "$R/a/none:v1" </dev/null
    kill "$FAULTY_PID"
    wait "$FAULTY_PID" || true
    faulty --delete none
    pushed
    expect 1 waybill delete -y "$R/a/b@$digest"
    err_has 'does not let manifests be removed'
}

@test "delete: the right to do so is asked for" {
    faulty --auth token
    as user:password
    pushed
    expect 0 waybill delete -y "$R/a/b:v1"
    expect 4 waybill pull -o out.wasm "$R/a/b:v1"
}
