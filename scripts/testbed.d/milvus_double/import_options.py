"""The options of an import: which ones a version knows and what they mean.

Source: Milvus' internal/util/importutilv2/option.go in its states of 2.4, 2.5 and 2.6.
"""

from __future__ import annotations

from dataclasses import dataclass

from .errors import import_failed, invalid
from .versions import Features

_FLAGS = {"backup", "l0_import", "skip_disk_quota_check"}
_TIMES = {"start_ts", "startTs", "end_ts", "endTs"}
_MAX_TIMESTAMP = 2**64 - 1


@dataclass(frozen=True)
class Options:
    backup: bool
    l0: bool
    storage_version: int
    start: int
    end: int

    @staticmethod
    def parse(pairs: list[tuple[str, str]], features: Features) -> Options:
        """Refuses names that the version does not know: it would ignore them and do something else."""
        known = {*_FLAGS, *_TIMES, "timeout"} - (set() if features.l0_import else {"l0_import"})
        if features.storage_v2:
            known.add("storage_version")
        given = dict(pairs)
        if len(given) != len(pairs):
            raise invalid("an import option is given twice")
        if unknown := sorted(given.keys() - known):
            raise invalid(f"import options unknown to Milvus {features.version}: {', '.join(unknown)}")
        for name in _FLAGS & given.keys():
            if given[name].lower() not in ("true", "false"):
                raise invalid(f"the import option {name} is {given[name]!r}, neither true nor false")
        version = given.get("storage_version", "0")
        if version not in ("0", "1", "2"):
            raise import_failed(f"parse storage_version failed, value={version}")
        options = Options(
            backup=given.get("backup", "").lower() == "true",
            l0=given.get("l0_import", "").lower() == "true",
            storage_version=int(version),
            start=_timestamp(given, "start_ts", "startTs", 0, features),
            end=_timestamp(given, "end_ts", "endTs", _MAX_TIMESTAMP, features),
        )
        if options.start > options.end:
            raise import_failed("start_ts shouldn't be larger than end_ts")
        if options.backup == options.l0:
            raise import_failed("the double imports backups: exactly one of backup and l0_import must be true")
        return options


def _timestamp(given: dict[str, str], name: str, other: str, default: int, features: Features) -> int:
    text = given.get(name, given.get(other))
    if text is None:
        return default
    if not text.isdecimal() or int(text) > _MAX_TIMESTAMP:
        raise import_failed(f"parse {name} failed, value={text}")
    value = int(text)
    if features.hybrid_import_timestamps:
        # tsoutil.IsValidHybridTs: the physical part is a moment after 1970 that milliseconds alone never reach.
        if value >> 18 < 10**11:
            raise import_failed(f"{name} is not a valid hybrid timestamp, value={text}")
        return value
    if value >= 2**46:
        # Shifted by 18 bits it overflows, and the server silently imports nothing or everything.
        raise import_failed(f"{name} is no time in milliseconds, which Milvus {features.version} reads: {text}")
    return value << 18
