"""openapi.yaml as the contract tests read it: operations, and validation of a value at a place."""

import pathlib
import urllib.parse

import jsonschema
import referencing
import yaml
from referencing.jsonschema import DRAFT202012

METHODS = ("get", "head", "post", "put", "patch", "delete", "options")
DOCUMENT = "urn:openapi"


class Operation:
    """One method of one path."""

    def __init__(self, path, method, body, shared_parameters, document):
        self.path = path
        self.method = method
        self.body = body
        self.pointer = ["paths", path, method]
        self.parameters = [
            document.resolved(parameter) for parameter in [*shared_parameters, *body.get("parameters", [])]
        ]

    def __str__(self):
        return f"{self.method.upper()} {self.path}"


class OpenAPIDocument:
    """The whole contract."""

    def __init__(self, path):
        self.text = pathlib.Path(path).read_bytes()
        self.root = yaml.safe_load(self.text)
        resource = referencing.Resource(contents=self.root, specification=DRAFT202012)
        self.registry = referencing.Registry().with_resource(DOCUMENT, resource)

    def at(self, pointer):
        value = self.root
        for step in pointer:
            value = value[step]
        return value

    def resolved(self, value):
        """Follows `$ref` while the value is one."""
        return self.place(value, [])[0]

    def place(self, value, pointer):
        """The value behind `$ref`, and where it stands."""
        while isinstance(value, dict) and "$ref" in value:
            steps = value["$ref"].removeprefix("#/").split("/")
            pointer = [step.replace("~1", "/").replace("~0", "~") for step in steps]
            value = self.at(pointer)
        return value, pointer

    def operations(self):
        for path, item in self.root["paths"].items():
            for method in METHODS:
                if method in item:
                    yield Operation(path, method, item[method], item.get("parameters", []), self)

    def response(self, operation, status):
        """The documented response of a status and its place, or None."""
        responses = operation.body["responses"]
        for key in (str(status), f"{status // 100}XX", "default"):
            if key in responses:
                return self.place(responses[key], [*operation.pointer, "responses", key])
        return None

    def faults(self, value, pointer):
        """What the schema at `pointer` has against the value: a list of sentences."""
        steps = [step.replace("~", "~0").replace("/", "~1") for step in map(str, pointer)]
        reference = f"{DOCUMENT}#/" + "/".join(urllib.parse.quote(step) for step in steps)
        validator = jsonschema.Draft202012Validator({"$ref": reference}, registry=self.registry)
        return [
            f"/{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
            for error in validator.iter_errors(value)
        ]

    def examples(self, media, pointer):
        """The examples of a media type object: (name, value)."""
        if "example" in media:
            yield "example", media["example"]
        for name, example in media.get("examples", {}).items():
            yield name, self.resolved(example).get("value")
        schema, _ = self.place(media.get("schema", {}), pointer)
        if isinstance(schema, dict) and "example" not in media and "examples" not in media:
            for number, example in enumerate(schema.get("examples", [])):
                yield f"schema {number}", example
