"""Fills the configuration templates in the folder templates/ ($name stands for a value)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from string import Template

from layout import HOST, Instance

FOLDER = Path(__file__).resolve().parent / "templates"


def render(name: str, values: Mapping[str, object]) -> str:
    """The template with every placeholder replaced; a missing value is a KeyError."""
    return Template((FOLDER / name).read_text()).substitute(values)


def backup_config(instance: Instance) -> str:
    """The instance's configuration file for milvus-backupfs and the official milvus-backup."""
    return render(
        "backup.yaml",
        {
            "name": instance.name,
            "host": HOST,
            "milvus_port": instance.milvus.ports["proxy"],
            "management": instance.milvus.management,
            "s3_port": instance.store.ports["s3"],
            "bucket": instance.store.bucket,
            "access_key": instance.store.access_key,
            "secret_key": instance.store.secret_key,
        },
    )
