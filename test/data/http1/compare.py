"""Fills the columns NODE and H11 of requests.txt: what two other parsers make of each request. By hand, after lines were
added; the tests read the file as it is. Needs node (20.20 when the file was last written) and the Python package h11 (0.16).

    compare.py            rewrites requests.txt next to it
"""
import json
import pathlib
import re
import subprocess

import h11

HERE = pathlib.Path(__file__).parent
FILE = HERE / "requests.txt"


def unescape(text):
    """The bytes of a request as latin-1 text: \\r \\n \\t \\\\ \\xHH, and \\*COUNT;C for a character COUNT times."""
    def one(match):
        word = match.group(1)
        if word[0] == "x":
            return chr(int(word[1:], 16))
        if word[0] == "*":
            return word[-1] * int(word[1:-2])
        return {"r": "\r", "n": "\n", "t": "\t", "\\": "\\"}[word]
    return re.sub(r"\\(x[0-9a-f]{2}|\*\d+;.|[rnt\\])", one, text)


def h11_verdict(text):
    words = []
    conn = h11.Connection(h11.SERVER)
    conn.receive_data(text.encode("latin-1"))
    request, size = None, 0
    try:
        while True:
            event = conn.next_event()
            if isinstance(event, h11.Request):
                request, size = event, 0
            elif isinstance(event, h11.Data):
                size += len(event.data)
            elif isinstance(event, h11.EndOfMessage):
                words.append(f"ok {request.method.decode()} {request.target.decode('latin-1')} {size}")
                conn.send(h11.Response(status_code=404, headers=[("Content-Length", "0")]))
                conn.send(h11.EndOfMessage())
                if conn.our_state is not h11.DONE or conn.their_state is not h11.DONE:
                    break
                conn.start_next_cycle()
            else:
                break
    except h11.RemoteProtocolError as error:
        words.append(f"no {error.error_status_hint}")
    return words


def word(verdict):
    # Absolute form: the target without scheme and host; the path / may be left out there.
    def strip(match):
        rest = match.group(1)
        return " " + (rest if rest.startswith("/") else "/" + rest)
    words = [re.sub(r"(?i)(?<!no) https?://[^/? ]*([^ ]*)", strip, w) for w in verdict]
    return re.sub(r"(.)\1{99,}", lambda m: f"\\*{len(m[0])};{m[1]}", "; ".join(words)) or "-"


def main():
    head, rows = [], []
    for line in FILE.read_text().splitlines():
        (head if line.startswith("#") else rows).append(line)
    rows = [line.split("\t") for line in rows]
    texts = [unescape(row[-1]) for row in rows]
    node = json.loads(subprocess.run(["node", HERE / "node_verdicts.mjs"], input=json.dumps(texts), text=True,
                                     capture_output=True, check=True).stdout)
    for row, text, by_node in zip(rows, texts, node):
        row[1], row[2] = word(by_node), word(h11_verdict(text))
    FILE.write_text("".join(line + "\n" for line in head) + "".join("\t".join(row) + "\n" for row in rows))


if __name__ == "__main__":
    main()
