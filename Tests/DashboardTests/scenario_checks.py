"""Runs every scenario as a client does, and holds the answers to what the scenario teaches."""

import json
import urllib.request


def request(method, url, body=None):
    data = None if body is None else json.dumps(body).encode()
    call = urllib.request.Request(url, data=data, method=method, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(call, timeout=60) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def at(answer, pointer):
    """The value at a JSON pointer; null where there is none."""
    for part in pointer.strip("/").split("/"):
        if isinstance(answer, list) and part.isdigit() and int(part) < len(answer):
            answer = answer[int(part)]
        elif isinstance(answer, dict):
            answer = answer.get(part)
        else:
            return None
    return answer


def holds(found, wished):
    """Whether a value is the one wished for, or has the property wished for."""
    if not isinstance(wished, dict):
        return found == wished
    if "contains" in wished:
        text = "\n".join(map(str, found)) if isinstance(found, list) else str(found)
        return wished["contains"] in text
    if "not" in wished:
        return found != wished["not"]
    if "at_least" in wished:
        return isinstance(found, int) and found >= wished["at_least"]
    if "at_most" in wished:
        return isinstance(found, int) and found <= wished["at_most"]
    return False


def faults(scenario, answers):
    """What the answers of a whole run lack, as sentences."""
    found, place, returns = [], 0, {}
    for number, step in enumerate(scenario["steps"], 1):
        mine = answers[place:place + len(step["calls"])]
        place += len(step["calls"])
        for call, answer in zip(step["calls"], mine):
            if "seq" not in answer:
                found.append(f"step {number}: {call['call']} was refused: {answer.get('detail')}")
            if "as" in call:
                returns.setdefault(call["as"], answer.get("return"))
        if not step["expect"]:
            found.append(f"step {number} expects nothing")
        for expectation in step["expect"]:
            answer = mine[expectation["call"]] if expectation["call"] < len(mine) else {}
            for pointer, wished in expectation.items():
                if pointer == "same_as" and answer.get("return") != returns.get(wished):
                    found.append(f"step {number}: {answer.get('call')} returned {answer.get('return')}, not {wished}")
                if pointer.startswith("/") and not holds(at(answer, pointer), wished):
                    found.append(f"step {number}: {answer.get('call')}: {pointer} is {at(answer, pointer)}, not {wished}")
    return found


def is_bilingual(scenario):
    """Whether every text is there in both languages, and the quiz has its answer."""
    texts = [scenario["title"], scenario["question"], scenario["quiz"]["because"], *scenario["quiz"]["choices"]]
    texts += [step["text"] for step in scenario["steps"]]
    has_answer = 0 <= scenario["quiz"]["answer"] < len(scenario["quiz"]["choices"])
    return has_answer and all(text["en"].strip() and text["zh"].strip() for text in texts)


def check(url):
    """Yields (name, faults) for each scenario of a server."""
    for scenario in request("GET", url + "/v1/scenarios")["scenarios"]:
        run = request("POST", f"{url}/v1/scenarios/{scenario['id']}/sessions?explain=true")
        found = faults(scenario, run["answers"])
        if not is_bilingual(scenario):
            found.append("a text is missing in one of the languages")
        request("DELETE", f"{url}/v1/sessions/{run['session']['id']}")
        yield scenario["id"], found
