"""Prints the names of an instance's collections, one a line."""

import json
import sys

from pymilvus import connections, utility


def main() -> None:
    testbed, instance = sys.argv[1:]
    with open(testbed, encoding="utf-8") as file:
        address = json.load(file)["instances"][instance]["milvus"]["address"]
    connections.connect(uri=f"http://{address}")
    print("\n".join(sorted(utility.list_collections())))


if __name__ == "__main__":
    main()
