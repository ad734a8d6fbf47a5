"""Users, roles and grants of a server, by way of pymilvus' client of newer versions (scripts/double's environment).

access.py ADDRESS make     a user anna with a role reader that may query the collection coll
access.py ADDRESS forget   takes them away again
access.py ADDRESS show     JSON: users with their roles, roles with their grants
"""

import json
import sys

from pymilvus import MilvusClient

BUILT_IN = ("root", "admin", "public")


def main() -> None:
    address, verb = sys.argv[1:]
    client = MilvusClient(f"http://{address}")
    if verb == "make":
        client.create_user("anna", "secret1")
        client.create_role("reader")
        client.grant_role("anna", "reader")
        client.grant_privilege("reader", "Collection", "Query", "coll")
    elif verb == "forget":
        client.revoke_privilege("reader", "Collection", "Query", "coll")
        client.revoke_role("anna", "reader")
        client.drop_role("reader")
        client.drop_user("anna")
    else:
        users = {name: list(client.describe_user(name)["roles"]) for name in client.list_users() if name not in BUILT_IN}
        roles = {
            name: [(grant["object_name"], grant["privilege"]) for grant in client.describe_role(name)["privileges"]]
            for name in client.list_roles()
            if name not in BUILT_IN
        }
        print(json.dumps({"users": users, "roles": roles}))


if __name__ == "__main__":
    main()
