#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tags, against a registry that pages, and one that misbehaves.
load lib

some_tags() {
    guest hello
    local tag
    for tag in a b c d e; do waybill push -q hello.wasm "$R/x/y:$tag" >/dev/null; done
}

@test "pages are followed to the last" {
    faulty --page-size 2
    some_tags
    expect 0 waybill tags "$R/x/y"
    out_is $'a\nb\nc\nd\ne'
    logged_is 3 /tags/list
}

@test "a token is asked for once for all pages" {
    faulty --page-size 2 --auth token
    as user:password
    some_tags
    expect 0 waybill tags "$R/x/y"
    out_is $'a\nb\nc\nd\ne'
}

# answer BODY [HEADERS]: what the list of tags says from now on.
answer() {
    fault status GET '/tags/list' "\"times\": 0, \"status\": 200, \"body\": $1, \"headers\": ${2:-{\}}"
}

@test "null is an empty list" {
    faulty
    answer '"{\"name\":\"x/y\",\"tags\":null}"'
    expect 0 waybill tags "$R/x/y"
    out_is ''
}

@test "lists that are malformed: 3" {
    faulty
    local body
    for body in '"[]"' '"{\"tags\":{}}"' '"{\"tags\":[1]}"' '"{\"tags\":[\"a b\"]}"' '"{\"tags\":[\"\"]}"' '"{\"tags\":["' '"<html>"'; do
        ask DELETE /_fault
        answer "$body"
        expect 3 waybill tags "$R/x/y"
        out_is ''
    done
}

@test "a link to itself, to another host, without end: refused, and no request goes elsewhere" {
    faulty
    answer '"{\"tags\":[]}"' '{"Link": "</v2/x/y/tags/list?n=1>; rel=\"next\""}'
    expect 3 waybill tags "$R/x/y"
    err_has 'leads to another'
    ask DELETE /_fault
    answer '"{\"tags\":[\"a\"]}"' "{\"Link\": \"<http://127.0.0.1:$ALT/v2/x/y/tags/list>; rel=\\\"next\\\"\"}"
    expect 3 waybill tags "$R/x/y"
    err_has 'another host'
    logged_is 0 "\"listener\": \"alt\""
    ask DELETE /_fault
    answer '"{\"tags\":[\"a\"]}"' '{"Link": "</v2/x/y/tags/list?n=1>; rel=\"next\""}'
    expect 16 waybill tags "$R/x/y"
    err_has 'pages'
    ask DELETE /_fault
    answer '"{\"tags\":[\"a\"]}"' '{"Link": "rubbish"}'
    expect 3 waybill tags "$R/x/y"
}
