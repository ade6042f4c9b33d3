"""Holds the running server to openapi.yaml: every route, status, schema and example.

usage: contract.py OPENAPI_YAML BASE_URL
"""

import http.client
import itertools
import json
import sys
import urllib.parse

from openapi_spec_validator import validate

import kmalloc_table
from openapi_document import OpenAPIDocument

READ_LIMIT = 1 << 20
STREAM_TYPE = "text/event-stream"


class Answer:
    """A response: status, headers in lower case, bytes."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = {name.lower(): value for name, value in headers}
        self.body = body

    @property
    def media_type(self):
        return self.headers.get("content-type", "").split(";")[0].strip()


class Contract:
    """Runs the checks and counts them."""

    def __init__(self, path, base):
        self.document = OpenAPIDocument(path)
        self.host = urllib.parse.urlsplit(base).netloc
        self.passed = 0
        self.failures = []

    def check(self, name, faults):
        faults = list(faults)
        if faults:
            self.failures.append((name, faults))
        else:
            self.passed += 1

    def send(self, method, target, body=None, headers=None):
        connection = http.client.HTTPConnection(self.host, timeout=20)
        try:
            connection.request(method.upper(), target, body=body, headers=headers or {})
            response = connection.getresponse()
            streams = response.headers.get_content_type() == STREAM_TYPE
            text = b"" if streams else response.read(READ_LIMIT)
            return Answer(response.status, response.getheaders(), text)
        finally:
            connection.close()

    def new_session(self):
        answer = self.send("POST", "/v1/sessions")
        return json.loads(answer.body)["id"]

    # The document by itself.

    def check_document(self):
        validate(self.document.root)
        self.check("openapi.yaml is a valid OpenAPI document", [])
        identifiers = [operation.body.get("operationId") for operation in self.document.operations()]
        self.check(
            "every operation has an operationId of its own",
            {f"{name}: missing or used twice" for name in identifiers if not name or identifiers.count(name) > 1},
        )
        for name, schema in self.document.at(["components", "schemas"]).items():
            place = ["components", "schemas", name]
            examples = [*schema.get("examples", []), *([schema["example"]] if "example" in schema else [])]
            self.check(f"schema {name} has an example", [] if examples else ["it has none"])
            for example in examples:
                self.check(f"the example of schema {name} fits it", self.document.faults(example, place))
        for operation in self.document.operations():
            self.check_examples(operation)

    def check_examples(self, operation):
        for status, response in operation.body["responses"].items():
            start = [*operation.pointer, "responses", status]
            value, place = self.document.place(response, start)
            for kind, media in value.get("content", {}).items():
                at = [*place, "content", kind]
                if "schema" not in media or "json" not in kind or "ndjson" in kind:
                    continue
                for name, example in self.document.examples(media, at):
                    self.check(
                        f"{operation} {status}: example {name} fits its schema",
                        self.document.faults(example, [*at, "schema"]),
                    )

    # The server against the document.

    def fitting(self, operation, answer):
        """What is wrong with an answer: its status, its media type, its body."""
        found = self.document.response(operation, answer.status)
        if found is None:
            return [f"status {answer.status} is not documented: {answer.body[:300]!r}"]
        response, place = found
        content = response.get("content", {})
        faults = []
        for name, header in response.get("headers", {}).items():
            if self.document.resolved(header).get("required") and name.lower() not in answer.headers:
                faults.append(f"header {name} is missing")
        if not content or operation.method == "head":
            return faults + ([f"{answer.status} has a body"] if answer.body else [])
        if answer.media_type not in content:
            return [*faults, f"{answer.status}: media type {answer.media_type!r} is not documented"]
        if "schema" not in content[answer.media_type] or not answer.media_type.endswith("json"):
            return faults
        schema = [*place, "content", answer.media_type, "schema"]
        if answer.media_type.endswith("ndjson"):
            lines = answer.body.splitlines()
            return faults + [fault for line in lines for fault in self.document.faults(json.loads(line), schema)]
        return faults + self.document.faults(json.loads(answer.body), schema)

    def targets(self, operation, session):
        """Every path that the parameters' enumerations and examples give."""
        names, choices = [], []
        for parameter in operation.parameters:
            if parameter["in"] != "path":
                continue
            schema = self.document.resolved(parameter.get("schema", {}))
            names.append(parameter["name"])
            if parameter["name"] in ("id", "session", "session_id"):
                choices.append([session])
            elif "enum" in schema:
                choices.append(schema["enum"])
            elif "examples" in parameter:
                choices.append([self.document.resolved(e)["value"] for e in parameter["examples"].values()])
            else:
                choices.append([parameter.get("example", schema.get("examples", ["none"])[0])])
        for values in itertools.product(*choices):
            target = operation.path
            for name, value in zip(names, values):
                target = target.replace(f"{{{name}}}", urllib.parse.quote(str(value), safe="/"))
            yield target

    def bodies(self, operation):
        """The documented request bodies: (name, media type, bytes)."""
        if "requestBody" not in operation.body:
            yield "no body", None, None
            return
        body, place = self.document.place(
            operation.body["requestBody"], [*operation.pointer, "requestBody"]
        )
        if not body.get("required"):
            yield "no body", None, None
        for kind, media in body["content"].items():
            for name, example in self.document.examples(media, [*place, "content", kind, "schema"]):
                text = example if isinstance(example, str) else json.dumps(example)
                yield f"{kind} {name}", kind, text.encode()

    def check_operation(self, operation):
        for name, kind, body in self.bodies(operation):
            session = self.new_session()
            for target in self.targets(operation, session):
                answer = self.send(operation.method, target, body, {"Content-Type": kind} if kind else {})
                shown = target.replace(session, "{id}")
                faults = self.fitting(operation, answer)
                wanted = 4 if name.split()[-1].startswith("invalid") else 2
                if answer.status // 100 != wanted and name != "no body":
                    faults.append(f"answered {answer.status}: {answer.body[:300]!r}")
                if answer.status >= 500:
                    faults.append(f"answered {answer.status}")
                self.check(f"{operation.method.upper()} {shown}, {name}", faults)
                if operation.method == "get" and answer.status == 200:
                    self.check_as_json(operation, target, shown, answer)
            self.send("DELETE", f"/v1/sessions/{session}")

    def check_as_json(self, operation, target, shown, answer):
        """What comes as JSON when Accept asks for it, where JSON is one of several media types."""
        response, _ = self.document.response(operation, 200)
        kinds = response.get("content", {})
        if answer.media_type == "application/json" or "application/json" not in kinds:
            return
        twin = self.send("GET", target, None, {"Accept": "application/json"})
        faults = self.fitting(operation, twin)
        if twin.media_type != "application/json":
            faults.append(f"answered as {twin.media_type}")
        self.check(f"GET {shown} as JSON", faults)

    def check_problem(self, name, answer, status):
        faults = [] if answer.status == status else [f"status {answer.status}, not {status}"]
        if answer.media_type != "application/problem+json":
            faults.append(f"media type {answer.media_type!r}")
        else:
            problem = json.loads(answer.body)
            faults += self.document.faults(problem, ["components", "schemas", "Problem"])
            if problem.get("status") != answer.status:
                faults.append(f"the problem's own status is {problem.get('status')}")
        self.check(name, faults)

    def check_refusals(self):
        session = self.new_session()
        calls = f"/v1/sessions/{session}/calls"
        unknown = "0" * len(session)
        json_type = {"Content-Type": "application/json"}

        def refuse(name, status, method, target, body=None, headers=json_type):
            self.check_problem(name, self.send(method, target, body, headers), status)

        refuse("an unknown path is a 404", 404, "GET", "/v2/nothing")
        refuse("an unknown session is a 404", 404, "GET", f"/v1/sessions/{unknown}")
        refuse("an unknown function is a 404", 404, "POST", f"{calls}/kmallok", b"{}")
        refuse("cut JSON is a 400", 400, "POST", f"{calls}/kmalloc", b'{"size": 1')
        refuse("JSON that is not UTF-8 is a 400", 400, "POST", f"{calls}/kmalloc", b'{"size": "\xff"}')
        refuse("JSON nested too deeply is a 400", 400, "POST", f"{calls}/kmalloc", b"[" * 5000)
        refuse("an unknown field is a 422", 422, "POST", f"{calls}/kmalloc", b'{"sise": 1}')
        refuse("a negative size is a 422", 422, "POST", f"{calls}/kmalloc",
               b'{"size": -1, "flags": "GFP_KERNEL"}')
        refuse("a size over 64 bits is a 422", 422, "POST", f"{calls}/kmalloc",
               b'{"size": 18446744073709551616, "flags": "GFP_KERNEL"}')
        refuse("an unknown flag is a 422", 422, "POST", f"{calls}/kmalloc",
               b'{"size": 1, "flags": "GFP_KERNAL"}')

        answer = self.send("DELETE", "/healthz")
        self.check_problem("a method that a path lacks is a 405", answer, 405)
        self.check("a 405 names the methods there are", [] if "allow" in answer.headers else ["no Allow"])

        refuse("a method that nobody knows is a 405", 405, "BREW", "/v1/profiles")

        untouched = json.loads(self.send("GET", f"/v1/sessions/{session}").body)
        faults = [] if untouched.get("seq", untouched.get("sequence")) == 0 else [f"{untouched}"]
        self.check("refused requests leave the session as it was", faults)

    def run(self):
        self.check_document()
        served = self.send("GET", "/openapi.yaml")
        same = served.body == self.document.text
        self.check("the server serves this very contract", [] if same else ["the bytes differ"])
        for operation in self.document.operations():
            self.check_operation(operation)
        self.check_refusals()
        kmalloc_table.check(self)
        for name, faults in self.failures:
            print(f"FAILED {name}")
            for fault in faults[:5]:
                print(f"    {fault}")
        print(f"contract: {self.passed} passed, {len(self.failures)} failed")
        return 1 if self.failures else 0


if __name__ == "__main__":
    sys.exit(Contract(sys.argv[1], sys.argv[2]).run())
