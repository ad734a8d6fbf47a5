"""Writes signatures.json: requests to S3 with the signatures that botocore, AWS's own client, gives them.

Run with a Python that has botocore:  python make-signatures.py > signatures.json
The choice of requests is pseudo-random with a fixed seed, so the same botocore writes the same file.
"""

import datetime
import json
import random
import urllib.parse

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

chance = random.Random(20260101)

KEYS = [
    "plain", "a b", "a+b", "a%20b", "100%", "a//b", "/leading", "trailing/", "..", "../up", "a/./b", "é", "日本/語",
    "e\u0301", "~tilde~", "it's", 'say "hi"', "a&b=c", "a?b", "a#b", "(x)[y]{z}", "a:b;c,d", "a\\b", "*", "!", "@$^`|",
    "😀/grin", "tab\there", "é" * 512, "k" * 1024, "//", "a/../b", "./.", "/", "backup/binlogs/insert_log/449/450/451/0/1", "-_.~", "a=b/c=d", "%2F", "+/+", " ", "<>",
]
QUERIES = [
    [], [("uploads", "")], [("uploadId", "abc+/=~"), ("partNumber", "1")], [("list-type", "2"), ("prefix", "a b/")],
    [("prefix", ""), ("delimiter", "/"), ("list-type", "2")], [("a", "2"), ("a", "1"), ("a", "10")],
    [("b", "é"), ("a", "&=?#")], [("continuation-token", "1/+=="), ("max-keys", "1000")], [("a", "b"), ("A", "B")],
    [("x-id", "GetObject"), ("x", ""), ("x-", "1")], [("k ey", "v alue"), ("key", "value")],
    [("a", "~-_."), ("a-", "1")],
    [("prefix", "%41"), ("encoding-type", "url")], [("location", "")],
]
HEADERS = [
    [], [("x-amz-checksum-crc32c", "4waSgw==")], [("Range", "bytes=0-99")], [("If-Match", '"abc"')],
    [
        ("x-amz-copy-source", "/b/k%20y"), ("x-amz-copy-source-range", "bytes=5-9"),
        ("x-amz-copy-source-if-match", '"e"'),
    ],
    [("X-Amz-Meta-A", "  two   words "), ("x-amz-meta-ab", "tab\tinside"), ("x-amz-meta", "prefix")],
    [("x-amz-meta-b", "2"), ("x-amz-meta-a", "1"), ("x-amz-meta-a-b", "3"), ("x-amz-meta-a.b", "4")],
    [("If-None-Match", "*"), ("Content-Type", "application/xml")],
    [("x-amz-meta-twice", "one"), ("x-amz-meta-twice", "two")], [("x-amz-empty", "")],
]
HOSTS = [
    ("http", "127.0.0.1", 9000), ("http", "127.0.0.1", 80), ("https", "127.0.0.1", 443), ("https", "minio.example", 80),
    ("http", "minio.example", 443), ("http", "minio.example", None), ("https", "s3.eu-central-1.amazonaws.com", None),
    ("https", "MixedCase.Example", 8443), ("http", "::1", 9000),
]
BUCKETS = ["my-bucket", "dotted.bucket.name", "Old_Bucket"]
STYLES = ["path", "virtual"]
REGIONS = ["us-east-1", "eu-central-1", "cn-north-1", "", "local"]
DATES = [
    (2026, 1, 1, 0, 0, 0), (2026, 2, 28, 23, 59, 59), (2028, 2, 29, 12, 34, 56), (1999, 12, 31, 23, 59, 59),
    (2100, 3, 1, 1, 2, 3), (2000, 2, 29, 0, 0, 1), (2013, 5, 24, 0, 0, 0),
]
CREDENTIALS = [
    ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None), ("minioadmin", "minioadmin", None),
    ("ASIA", "s", "token/with+odd=characters=="), ("a" * 20, "é" * 30, "x" * 500),
]


def case(method, host, bucket, style, key, query, headers, region, date, credentials, body):
    scheme, name, port = host
    region = region or "us-east-1"
    path = "/" if key is None else "/" + urllib.parse.quote(key, safe="/-_.~")
    if name[0].isdigit() or ":" in name:
        style = "path"
    if style == "path":
        path = f"/{bucket}" + ("" if key is None else path)
    given_name = name
    if style == "virtual":
        name = f"{bucket}.{name}"
    authority = (f"[{name}]" if ":" in name else name) + (f":{port}" if port else "")
    request = AWSRequest(method, f"{scheme}://{authority}{path}", data=body, params=query)
    for header in headers:
        request.headers.add_header(*header)
    request.context["client_config"] = Config(s3={"payload_signing_enabled": body is not None and len(body) < 100})
    botocore.auth.get_current_datetime = lambda *_, **__: datetime.datetime(*date)
    access, secret, token = credentials
    botocore.auth.S3SigV4Auth(Credentials(access, secret, token), "s3", region).add_auth(request)
    sent_host = name.lower() if ":" not in name else f"[{name}]"
    if port and (scheme, port) not in [("http", 80), ("https", 443)]:
        sent_host += f":{port}"
    return {
        "method": method, "scheme": scheme, "host": given_name, "port": port, "bucket": bucket, "style": style, "key": key, "path": path,
        "sentHost": sent_host, "query": query, "headers": headers, "region": region,
        "date": int(datetime.datetime(*date, tzinfo=datetime.timezone.utc).timestamp()),
        "accessKey": access, "secret": secret, "token": token,
        "payloadHash": request.headers["X-Amz-Content-SHA256"], "authorization": request.headers["Authorization"],
    }


def main():
    cases = []
    bodies = [None, b"", b"<xml/>", b"x" * 200]
    methods = ["GET", "HEAD", "PUT", "POST", "DELETE"]

    def add(**given):
        choice = {
            "method": chance.choice(methods), "host": chance.choice(HOSTS), "bucket": chance.choice(BUCKETS),
            "style": chance.choice(STYLES), "key": chance.choice(KEYS + [None]),
            "query": chance.choice(QUERIES), "headers": chance.choice(HEADERS), "region": chance.choice(REGIONS),
            "date": chance.choice(DATES), "credentials": chance.choice(CREDENTIALS), "body": chance.choice(bodies),
        }
        choice.update(given)
        cases.append(case(**choice))

    # Each value at least once, then any combination.
    for name, values in [
        ("key", KEYS), ("query", QUERIES), ("headers", HEADERS), ("host", HOSTS), ("region", REGIONS), ("date", DATES),
        ("credentials", CREDENTIALS), ("body", bodies), ("method", methods),
        ("bucket", BUCKETS), ("style", STYLES),
    ]:
        for value in values:
            add(**{name: value})
    while len(cases) < 400:
        add()
    print("[\n" + ",\n".join(json.dumps(one, ensure_ascii=False) for one in cases) + "\n]")


main()
