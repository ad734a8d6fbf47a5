"""Random operations on a real mount, compared after each step with a plain model and with the bucket itself.

usage: model.py TESTBED INSTANCE FOLDER PREFIX STEPS SEED LIFETIME

FOLDER is a directory of the mount that shows the keys below PREFIX of the instance's bucket; LIFETIME is how many seconds
the mount believes a listing. Some operations go to the bucket directly, as another client's would. Prints the seed and
every operation when something differs, and exits 1.
"""

import errno
import os
import random
import sys
import time
import traceback

from objects import client

NAMES = ["a", "b", "c d", "é", "meta", "x.json", *(f"f{number}" for number in range(6))]
SIZES = [0, 1, 10, 4096, 100_000, 1_048_577]
LARGE = 9_000_000


class Model:
    """What should be there: files with contents, and directories that exist without objects."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.local: set[str] = {""}

    def directories(self) -> set[str]:
        found = set()
        for path in list(self.files) + list(self.local):
            parts = path.split("/")
            whole = path in self.local and path not in self.files
            for count in range(0, len(parts) + (1 if whole else 0)):
                found.add("/".join(parts[:count]))
        return found | {""}

    def children(self, directory: str) -> set[str]:
        prefix = directory + "/" if directory else ""
        paths = set(self.files) | self.directories()
        return {p[len(prefix):] for p in paths if p and p.startswith(prefix) and "/" not in p[len(prefix):]} - {""}

    def removed_from(self, path: str) -> None:
        """What is emptied through the mount stays a directory."""
        self.local.add(os.path.dirname(path))


class Run:
    def __init__(self, arguments: list[str]) -> None:
        testbed, instance, self.folder, self.prefix, steps, seed, lifetime = arguments
        self.s3, self.bucket = client(testbed, instance)
        self.steps, self.seed, self.lifetime = int(steps), int(seed), float(lifetime)
        self.random = random.Random(self.seed)
        self.model = Model()
        self.log: list[str] = []
        self.were_directories: set[str] = set()
        """Names below which the bucket once had an object."""

    def path(self, relative: str) -> str:
        return os.path.join(self.folder, relative) if relative else self.folder

    def some_path(self) -> str:
        """Not a name that was a directory and is none now. SeaweedFS keeps a directory whose last object is gone, completes no
        upload under its name (InternalError), and its EmptyFolderCleaner, coming late, removes an object of that name."""
        directories = self.model.directories()
        for _ in range(30):
            directory = self.random.choice(sorted(directories))
            if directory.count("/") > 2:
                directory = ""
            name = self.random.choice(NAMES)
            path = f"{directory}/{name}" if directory else name
            if path in directories or path not in self.were_directories:
                return path
        return f"n{len(self.log)}"

    def some_file(self) -> str:
        if self.model.files and self.random.random() < 0.8:
            return self.random.choice(sorted(self.model.files))
        return self.some_path()

    def some_bytes(self) -> bytes:
        size = LARGE if self.random.random() < 0.02 else self.random.choice(SIZES)
        return self.random.randbytes(size)

    def expect(self, wanted: "int | None", action) -> None:
        try:
            action()
            got = None
        except OSError as error:
            got = error.errno
        if got != wanted:
            name = errno.errorcode.get(got, got) if got else "success"
            want = errno.errorcode.get(wanted, wanted) if wanted else "success"
            raise AssertionError(f"{name} instead of {want}")

    # Operations through the mount.

    def write(self) -> None:
        path, data = self.some_path(), self.some_bytes()
        self.log.append(f"write {path} {len(data)}")
        wanted = errno.EISDIR if path in self.model.directories() else None

        def action() -> None:
            with open(self.path(path), "wb") as file:
                file.write(data)

        self.expect(wanted, action)
        if wanted is None:
            self.model.files[path] = data

    def exclusive(self) -> None:
        path, data = self.some_path(), self.some_bytes()
        self.log.append(f"exclusive {path} {len(data)}")
        taken = path in self.model.files or path in self.model.directories()

        def action() -> None:
            with open(self.path(path), "xb") as file:
                file.write(data)

        self.expect(errno.EEXIST if taken else None, action)
        if not taken:
            self.model.files[path] = data

    def append(self) -> None:
        path, data = self.some_file(), self.random.randbytes(50)
        if path in self.model.directories():
            return
        self.log.append(f"append {path}")
        large = len(self.model.files.get(path, b"")) > 8 << 20

        def action() -> None:
            with open(self.path(path), "ab") as file:
                file.write(data)

        self.expect(errno.ENOTSUP if large else None, action)
        if not large:
            self.model.files[path] = self.model.files.get(path, b"") + data

    def patch(self) -> None:
        path = self.some_file()
        old = self.model.files.get(path)
        if old is None or len(old) > 8 << 20:
            return
        offset, data = self.random.randrange(len(old) + 100), self.random.randbytes(30)
        self.log.append(f"patch {path} {offset}")
        with open(self.path(path), "r+b") as file:
            file.seek(offset)
            file.write(data)
        base = old.ljust(offset, b"\0")
        self.model.files[path] = base[:offset] + data + base[offset + len(data):]

    def truncate(self) -> None:
        path = self.some_file()
        old = self.model.files.get(path)
        if old is None or len(old) > 8 << 20:
            return
        size = self.random.choice([0, len(old) // 2, len(old) + 77])
        self.log.append(f"truncate {path} {size}")
        os.truncate(self.path(path), size)
        self.model.files[path] = old[:size].ljust(size, b"\0")

    def unlink(self) -> None:
        path = self.some_file()
        self.log.append(f"unlink {path}")
        if path in self.model.directories():
            self.expect(errno.EISDIR, lambda: os.unlink(self.path(path)))
        elif path not in self.model.files:
            self.expect(errno.ENOENT, lambda: os.unlink(self.path(path)))
        else:
            os.unlink(self.path(path))
            del self.model.files[path]
            self.model.removed_from(path)

    def rename(self) -> None:
        old, new = self.some_file(), self.some_path()
        if old not in self.model.files or old == new:
            return
        self.log.append(f"rename {old} {new}")
        if new in self.model.directories():
            # The kernel itself refuses to replace a directory by what lies in it.
            wanted = errno.ENOTEMPTY if old.startswith(new + "/") else errno.EISDIR
            self.expect(wanted, lambda: os.rename(self.path(old), self.path(new)))
            return
        os.rename(self.path(old), self.path(new))
        self.model.files[new] = self.model.files.pop(old)
        self.model.removed_from(old)

    def mkdir(self) -> None:
        path = self.some_path()
        self.log.append(f"mkdir {path}")
        taken = path in self.model.files or path in self.model.directories()
        self.expect(errno.EEXIST if taken else None, lambda: os.mkdir(self.path(path)))
        if not taken:
            self.model.local.add(path)

    def rmdir(self) -> None:
        path = self.random.choice(sorted(self.model.directories()))
        if not path:
            return
        self.log.append(f"rmdir {path}")
        full = bool(self.model.children(path))
        self.expect(errno.ENOTEMPTY if full else None, lambda: os.rmdir(self.path(path)))
        if not full:
            self.model.local.discard(path)
            self.model.removed_from(path)

    def read_range(self) -> None:
        path = self.some_file()
        data = self.model.files.get(path)
        if data is None:
            return
        offset, count = self.random.randrange(len(data) + 10), self.random.randrange(1, 200_000)
        self.log.append(f"read {path} {offset} {count}")
        with open(self.path(path), "rb") as file:
            file.seek(offset)
            got = file.read(count)
        assert got == data[offset:offset + count], "other bytes"

    # Operations of somebody else.

    def refresh(self) -> None:
        """Has the listing read again; what the kernel keeps ends by itself."""
        mount, backup = os.path.split(self.folder)
        mount, store = os.path.split(mount)
        with open(f"{mount}/.milvus-backupfs/refresh", "w", encoding="utf-8") as file:
            file.write(f"{store}/{backup}\n")
        time.sleep(self.lifetime * 1.5 + 0.05)

    def put_outside(self) -> None:
        path, data = self.some_path(), self.random.randbytes(self.random.choice(SIZES[:4]))
        if path in self.model.directories():
            return
        self.log.append(f"put outside {path} {len(data)}")
        self.s3.put_object(Bucket=self.bucket, Key=self.prefix + path, Body=data)
        self.model.files[path] = data
        self.refresh()

    def delete_outside(self) -> None:
        path = self.some_file()
        if path not in self.model.files:
            return
        self.log.append(f"delete outside {path}")
        self.s3.delete_object(Bucket=self.bucket, Key=self.prefix + path)
        del self.model.files[path]
        self.refresh()

    def check(self, whole: bool) -> None:
        """Compares names and sizes, of everything or of one directory; contents of some."""
        directories = self.model.directories()
        for directory in sorted(directories) if whole else [self.random.choice(sorted(directories))]:
            shown = {entry.name: entry for entry in os.scandir(self.path(directory))}
            wanted = self.model.children(directory)
            assert set(shown) == wanted, f"{directory!r} shows {sorted(shown)} instead of {sorted(wanted)}"
            for name, entry in shown.items():
                path = f"{directory}/{name}" if directory else name
                if path in self.model.files:
                    assert entry.is_file(), f"{path} is no file"
                    size = os.stat(self.path(path)).st_size
                    assert size == len(self.model.files[path]), f"{path} has {size} bytes"
                else:
                    assert entry.is_dir(), f"{path} is no directory"
        for path in sorted(self.model.files) if whole else self.random.sample(sorted(self.model.files), min(1, len(self.model.files))):
            with open(self.path(path), "rb") as file:
                assert file.read() == self.model.files[path], f"{path} has other contents in the mount"
            body = self.s3.get_object(Bucket=self.bucket, Key=self.prefix + path)["Body"].read()
            assert body == self.model.files[path], f"{path} has other contents in the bucket"
        if whole:
            pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix)
            keys = {item["Key"][len(self.prefix):] for page in pages for item in page.get("Contents", [])}
            assert keys == set(self.model.files), f"the bucket holds {sorted(keys ^ set(self.model.files))} more or less"

    def run(self) -> None:
        operations = (
            [self.write] * 6 + [self.exclusive] * 2 + [self.append] * 3 + [self.patch] * 3 + [self.truncate] * 3
            + [self.unlink] * 4 + [self.rename] * 4 + [self.mkdir] * 3 + [self.rmdir] * 3 + [self.read_range] * 4
            + [self.put_outside, self.delete_outside]
        )
        for step in range(self.steps):
            self.random.choice(operations)()
            for path in self.model.files:
                parts = path.split("/")
                self.were_directories.update("/".join(parts[:count]) for count in range(1, len(parts)))
            self.check(whole=step % 50 == 49)
        self.check(whole=True)


def main() -> None:
    run = Run(sys.argv[1:])
    print(f"seed {run.seed}, {run.steps} steps")
    try:
        run.run()
    except (AssertionError, OSError) as error:
        traceback.print_exc()
        print(f"seed {run.seed}, step {len(run.log)}: {error!r}\nthe last operations:\n  " + "\n  ".join(run.log[-30:]))
        sys.exit(1)


if __name__ == "__main__":
    main()
