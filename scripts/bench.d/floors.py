"""What copies take at least: the stores and HTTP alone, and the kernel alone. Beside rows that are measured by them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from mounts import ROOT, Place
from tables import Task

if TYPE_CHECKING:
    from copies import Scene

CURL = "curl -sSf -Z --parallel-max 16 -K"


def curl_copy(scene: Scene, source: Place, target: Place, name: str) -> list[str]:
    """All objects read by one curl into memory, and written from there by another: what stores and HTTP alone take."""
    folder = _curl_folder(scene)
    reader, writer = scene.client(source), scene.client(target)
    gets, puts = [], []
    for number, path in enumerate(sorted(scene.objects(source, name))):
        key, file = f"{ROOT}/{name}/{path}", folder / str(number)
        get = reader.generate_presigned_url("get_object", {"Bucket": source.bucket, "Key": key}, 86_400)
        put = writer.generate_presigned_url("put_object", {"Bucket": target.bucket, "Key": key}, 86_400)
        gets.append(f'url = "{get}"\noutput = "{file}"\n')
        puts.append(f'url = "{put}"\nupload-file = "{file}"\noutput = /dev/null\n')
    (folder / "gets").write_text("next\n".join(gets))
    (folder / "puts").write_text("next\n".join(puts))
    return ["bash", "-c", f"{CURL} {folder}/gets && {CURL} {folder}/puts"]


def curl_copy_inside(scene: Scene, source: Place, target: Place, name: str) -> list[str]:
    """All objects copied by the service, asked by one curl."""
    folder = _curl_folder(scene)
    client = scene.client(target)
    copies = []
    for path in sorted(scene.objects(source, name)):
        key = f"{ROOT}/{name}/{path}"
        origin = f"{source.bucket}/{key}"
        url = client.generate_presigned_url(
            "copy_object", {"Bucket": target.bucket, "Key": key, "CopySource": origin}, 86_400)
        copies.append(f'url = "{url}"\nrequest = PUT\nheader = "x-amz-copy-source: {origin}"\noutput = /dev/null\n')
    (folder / "copies").write_text("next\n".join(copies))
    return ["bash", "-c", f"{CURL} {folder}/copies"]


def _curl_folder(scene: Scene) -> Path:
    folder = scene.settings.scratch / "bench-curl"
    folder.mkdir(exist_ok=True)
    scene.stack.callback(shutil.rmtree, folder, ignore_errors=True)
    return folder


def kernel_copy(scene: Scene, name: str, count: int) -> Task:
    """The same `cp -r` of files without contents: what cp, the kernel and FUSE take for so many files."""
    content = scene.empty_tree(name, count)
    mount = scene.kernel(content)
    point = mount.path(scene.source)

    def prepare() -> None:
        mount.unmount()
        shutil.rmtree(content / "copy", ignore_errors=True)
        mount.mount()

    return Task(["cp", "-r", str(point / name), str(point / "copy")], {}, prepare, helpers=mount.pids)
