"""Estimates pi with darts thrown on every node of a Ray cluster.

    ionet run examples/pi.py --nodes 2
    ionet run examples/pi.py --nodes 2 -- --darts 50000000

It needs nothing but Ray. It fails when a node that was hired did no work.
"""

import argparse
import math
import os
import random
import socket
import sys
import time

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

BATCH = 250_000


@ray.remote(num_cpus=1)
def throw(seed: int, darts: int) -> tuple[int, str, float]:
    """Throws darts at the unit square; tells how many hit the circle, which node threw them and how long it took."""
    began = time.perf_counter()
    draw = random.Random(seed).random
    hits = 0
    for _ in range(darts):
        x, y = draw(), draw()
        hits += x * x + y * y <= 1.0
    return hits, ray.get_runtime_context().get_node_id(), time.perf_counter() - began


def alive_nodes(want: int, patience_secs: float) -> list[dict]:
    """The nodes of the cluster, as soon as there are enough of them."""
    deadline = time.monotonic() + patience_secs
    while True:
        nodes = sorted((node for node in ray.nodes() if node["Alive"]), key=lambda node: node["NodeID"])
        if len(nodes) >= want or time.monotonic() > deadline:
            return nodes
        time.sleep(0.2)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--darts", type=int, default=4_000_000, help="how many darts in all (default: %(default)s)")
    parser.add_argument(
        "--nodes", type=int, default=int(os.environ.get("IONET_NODES", "1")), help="how many nodes must take part (default: as many as were hired)"
    )
    arguments = parser.parse_args()

    ray.init(log_to_driver=False)
    nodes = alive_nodes(arguments.nodes, patience_secs=60)
    print(f"Ray {ray.__version__} on {len(nodes)} nodes, {ray.cluster_resources().get('CPU', 0):.0f} CPUs", flush=True)

    # Every node gets its share by name, so that no node can stay idle while another does everything.
    batches = max(math.ceil(arguments.darts / BATCH), len(nodes))
    per_batch = math.ceil(arguments.darts / batches)
    began = time.perf_counter()
    pending = [
        throw.options(scheduling_strategy=NodeAffinitySchedulingStrategy(nodes[batch % len(nodes)]["NodeID"], soft=False)).remote(batch, per_batch)
        for batch in range(batches)
    ]
    hits, done, worked = 0, 0, {}
    while pending:
        ready, pending = ray.wait(pending)
        for batch_hits, node, secs in ray.get(ready):
            hits += batch_hits
            done += 1
            batches_of, secs_of = worked.get(node, (0, 0.0))
            worked[node] = (batches_of + 1, secs_of + secs)
        if done % max(batches // 4, 1) == 0 or not pending:
            print(f"{done:>4}/{batches} batches  pi ~ {4 * hits / (done * per_batch):.6f}", flush=True)
    elapsed = time.perf_counter() - began

    for index, node in enumerate(nodes):
        batches_of, secs_of = worked.get(node["NodeID"], (0, 0.0))
        head = "head" if node["Resources"].get("node:__internal_head__") else "worker"
        print(f"node {index} {node['NodeID'][:12]} {head:<6} {node['NodeManagerAddress']}: {batches_of} batches, {secs_of:.2f} s of work")

    estimate = 4 * hits / (batches * per_batch)
    print(f"pi ~ {estimate:.6f} (off by {abs(estimate - math.pi):.6f}) from {batches * per_batch} darts in {elapsed:.2f} s, from {socket.gethostname()}")
    if len(worked) < arguments.nodes:
        print(f"only {len(worked)} of {arguments.nodes} nodes did work", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
