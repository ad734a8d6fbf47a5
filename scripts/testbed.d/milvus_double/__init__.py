"""A strict double of the Milvus 2.4, 2.5 and 2.6 interfaces that backups and restores use.

It is not a Milvus server: it has no engine, no search and no message queue. It serves the gRPC and REST calls that
the version it stands for has, keeps state in memory, writes and reads real binlogs in its own bucket, and refuses
whatever that version would refuse, and some things which the server ignores but which can only be a client's mistake
(unknown fields, keys and options).
"""
