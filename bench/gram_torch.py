"""PyTorch's side of bench/gram.ts: for every line on standard input, the Gram matrices of ResNet-20 as the reference script
computes them, and what that took.

Argument: the folder of the reference script. Reply: {"gram": seconds for the Gram matrices, "forward": for the network,
"cpu": processor seconds for both}. The first line, unasked, is {"version": what is measured}.
"""

import json
import sys
import time

sys.path.insert(0, sys.argv[1])
import torch
import utilized_rank

THREADS = 2
torch.set_num_threads(THREADS)
context = utilized_rank.Ctx("resnet20", 2000, 10, folded=True, gram32=True)


def reply(message):
    print(json.dumps(message), flush=True)


reply({"version": f"PyTorch {torch.__version__}, {THREADS} threads"})
for line in sys.stdin:
    context.reset()
    gram = 0.0
    start, cpu = time.perf_counter(), time.process_time()
    for _ in context.U:
        before = time.perf_counter()
        context.gram()
        gram += time.perf_counter() - before
        context.advance()
    total = time.perf_counter() - start
    reply({"gram": gram, "forward": total - gram, "cpu": time.process_time() - cpu})
