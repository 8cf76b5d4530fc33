"""LAPACK's side of bench/eigen.ts: answers one line of JSON per line of JSON on standard input.

Request: {"matrix": file of n*n little-endian float64, "n": order, "values": file to write the eigenvalues to}.
Reply: {"milliseconds": wall time of dsyevd with vectors}. The first line, unasked, is {"version": what is measured}.
"""

import json
import sys
import time

import numpy
import scipy
import scipy.linalg


def threads():
    try:
        from threadpoolctl import threadpool_info

        return max(pool["num_threads"] for pool in threadpool_info())
    except (ImportError, ValueError):
        return None


def reply(message):
    print(json.dumps(message), flush=True)


count = threads()
suffix = "" if count is None else f", {count} threads"
reply({"version": f"scipy {scipy.__version__}, numpy {numpy.__version__}{suffix}"})
for line in sys.stdin:
    request = json.loads(line)
    n = request["n"]
    matrix = numpy.fromfile(request["matrix"], dtype="<f8").reshape(n, n)
    start = time.perf_counter()
    values, _ = scipy.linalg.eigh(matrix, driver="evd", check_finite=False)
    elapsed = time.perf_counter() - start
    values[::-1].astype("<f8").tofile(request["values"])
    reply({"milliseconds": elapsed * 1e3})
