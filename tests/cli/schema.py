# SPDX-License-Identifier: Apache-2.0
"""schema.py SCHEMA: checks each JSON value of standard input against a schema of the words below; fails on a schema that
has others. Prints how many values there were."""

import json
import re
import sys

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None), "integer": int}
KNOWN = {
    "$schema", "$id", "$comment", "$defs", "$ref", "title", "description", "type", "const", "enum", "pattern", "minimum",
    "required", "properties", "additionalProperties", "items",
}


def is_type(value, name):
    return isinstance(value, TYPES[name]) and not (name == "integer" and isinstance(value, bool))


def check(value, schema, root, where):
    unknown = set(schema) - KNOWN
    assert not unknown, "%s: the schema says %s" % (where, unknown)
    if "$ref" in schema:
        check(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root, where)
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    assert not types or any(is_type(value, t) for t in types), "%s: %r is no %s" % (where, value, types)
    assert "const" not in schema or value == schema["const"], "%s: %r" % (where, value)
    assert "enum" not in schema or value in schema["enum"], "%s: %r" % (where, value)
    if isinstance(value, str) and "pattern" in schema:
        assert re.search(schema["pattern"], value), "%s: %r does not match" % (where, value)
    if isinstance(value, int) and "minimum" in schema:
        assert value >= schema["minimum"], "%s: %r" % (where, value)
    if isinstance(value, dict):
        check_object(value, schema, root, where)
    if isinstance(value, list):
        for i, item in enumerate(value):
            check(item, schema["items"], root, "%s[%d]" % (where, i))


def check_object(value, schema, root, where):
    missing = set(schema.get("required", [])) - set(value)
    assert not missing, "%s lacks %s" % (where, missing)
    for key, member in value.items():
        assert key in schema.get("properties", {}) or schema.get("additionalProperties", True), "%s: %s" % (where, key)
        check(member, schema["properties"][key], root, "%s.%s" % (where, key))


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    text, decoder, at, n = sys.stdin.read(), json.JSONDecoder(), 0, 0
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        value, at = decoder.raw_decode(text, at)
        check(value, schema, schema, "$")
        n += 1
    print(n)


main()
