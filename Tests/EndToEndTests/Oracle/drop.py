"""Drops a collection of the testbed, if it is there."""

import json
import sys

from pymilvus import connections, utility


def main() -> None:
    testbed, instance, *names = sys.argv[1:]
    with open(testbed, encoding="utf-8") as file:
        address = json.load(file)["instances"][instance]["milvus"]["address"]
    connections.connect(uri=f"http://{address}")
    for name in names:
        if utility.has_collection(name):
            utility.drop_collection(name)


if __name__ == "__main__":
    main()
