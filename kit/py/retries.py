#!/usr/bin/env python3
"""What urllib3's Retry decides, for many made-up requests: retries.py COUNT SEED

Prints a line of JSON for each request: the options of the policy, the method, how each attempt ended, and
what urllib3 made of it. The loop is that of HTTPConnectionPool.urlopen as requests calls it (redirects not
followed); all decisions are urllib3's own. The clock stands at a fixed moment, and chance is in the line.

Left out is what Bequest does otherwise on purpose: a policy that allows no method (any, to urllib3),
redirects in status_forcelist, certificates. A Retry-After that can't be read, which is an error to urllib3,
counts as none.
"""
import json
import os
import random
import sys
import time
import types
from email.utils import formatdate

os.environ["TZ"] = "UTC"
time.tzset()

VERSION = "2.8.0"
try:
    import urllib3
    from urllib3 import exceptions
    from urllib3.response import HTTPResponse
    from urllib3.util import retry as module
except ImportError:
    sys.exit(f"urllib3 {VERSION} is missing: kit/install.sh pip")
if urllib3.__version__ != VERSION:
    sys.exit(f"this is urllib3 {urllib3.__version__}, not {VERSION}: kit/install.sh pip")

NOW = 1_700_000_000.25
METHODS = ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "POST", "PATCH", "MKCOL"]
STATUSES = [200, 204, 400, 404, 408, 413, 425, 429, 500, 502, 503, 504]
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

slept = []
module.time = types.SimpleNamespace(time=lambda: NOW, sleep=slept.append)


def error(kind):
    """An error of that category, one of those that urllib3 has for it."""
    timeout = exceptions.ConnectTimeoutError("no")
    return random.choice({
        "connect": [timeout, exceptions.NewConnectionError(None, "refused"),
                    exceptions.NameResolutionError("h", None, OSError()), exceptions.ProxyError("no", timeout)],
        "read": [exceptions.ReadTimeoutError(None, "/", "slow"), exceptions.ProtocolError("aborted")],
        "other": [exceptions.SSLError("alert"), exceptions.ProxyError("no", OSError())],
    }[kind])


def number(highest):
    """A number of retries: often none, else a small one."""
    return random.choice([None, None, 0] + list(range(highest + 1)))


def policy():
    options = {"total": random.choice([None, 0, 1, 2, 3, 10]), "connect": number(3), "read": number(3),
               "status": number(3), "other": number(2)}
    if random.random() < 0.6:
        options["status_forcelist"] = random.sample(STATUSES, random.randint(1, 6))
    if random.random() < 0.4:
        options["allowed_methods"] = random.choice([None, random.sample(METHODS, random.randint(1, 9))])
    if random.random() < 0.7:
        options["backoff_factor"] = random.choice([0.1, 0.5, 1, 2.5, 40, random.random()])
    if random.random() < 0.3:
        options["backoff_max"] = random.choice([0, 0.3, 1.5, 7, 1000])
    if random.random() < 0.3:
        options["backoff_jitter"] = random.choice([0.25, 1, 30])
    if random.random() < 0.3:
        options["raise_on_status"] = random.random() < 0.5
    if random.random() < 0.3:
        options["respect_retry_after_header"] = random.random() < 0.5
    if random.random() < 0.3:
        options["retry_after_max"] = random.choice([0, 1, 100, 10 ** 9])
    return options


def retry_after():
    away = random.choice([-10 ** 6, -1, 0, 1, 2, 59, 3600, 10 ** 6, 10 ** 8])
    moment = time.gmtime(NOW + away)
    year = time.strftime("%d-%b-%y %H:%M:%S GMT", moment)
    return random.choice([
        None, None, "0", "1", "7", " 12 ", "0030", "21600", "21601", "86400000", "9" * 30, "\t5",
        formatdate(NOW + away, usegmt=True), f"{WEEKDAYS[moment.tm_wday]}, {year}", time.asctime(moment),
        # what can't be read
        "", "-1", "1.5", "soon", "0x10", "1e3", "1, 2"])


def run(options, method, ends, chance):
    """What comes of each attempt; the last one is not "again"."""
    module.random = types.SimpleNamespace(random=lambda: chance)
    retries = urllib3.Retry(**options)
    results = []
    for end in ends:
        slept.clear()
        try:
            if "error" in end:
                retries = retries.increment(method, "/", error=error(end["error"]))
                retries.sleep()
            else:
                response = answer(retries, end)
                if not retries.is_retry(method, response.status, bool(response.headers.get("Retry-After"))):
                    return results + [{"end": "response"}]
                try:
                    retries = retries.increment(method, "/", response=response)
                except exceptions.MaxRetryError:
                    return results + [{"end": "retry error" if retries.raise_on_status else "response"}]
                retries.sleep(response)
        except exceptions.HTTPError:
            return results + [{"end": "error"}]
        results.append({"end": "again", "wait": sum(slept)})
    return results


def answer(retries, end):
    headers = {}
    try:
        retries.parse_retry_after(end["retry_after"] or "")
        headers["Retry-After"] = end["retry_after"]
    except exceptions.InvalidHeader:
        pass
    return HTTPResponse(status=end["status"], headers=headers, preload_content=False)


def ends():
    """How attempts end: often the same over and over, else anything."""
    def one():
        if random.random() < 0.5:
            return {"error": random.choice(["connect", "read", "other"])}
        return {"status": random.choice(STATUSES), "retry_after": retry_after()}
    count = random.randint(1, 14)
    return [one()] * count if random.random() < 0.5 else [one() for _ in range(count)]


def main():
    count, seed = map(int, sys.argv[1:])
    random.seed(seed)
    for _ in range(count):
        options, method, attempts, chance = policy(), random.choice(METHODS), ends(), random.random()
        results = run(options, method, attempts, chance)
        print(json.dumps({"options": options, "method": method, "attempts": attempts[:len(results)],
                          "chance": chance, "now": NOW, "results": results}))


if __name__ == "__main__":
    main()
