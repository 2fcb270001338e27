"""A record's setting is one line: the machine, the devices, and how many processes share them."""

import msgspec
import pytest
import recordings

from autoenc_bench.records import loading

CPU = "tensorflow on CPU"


@pytest.mark.parametrize(
    ("context", "words"),
    [
        ({}, CPU),
        ({"devices": 2}, CPU),  # a record of one process names no processes
        ({"devices": 1, "processes": 1}, f"{CPU}, 1 device"),
        ({"devices": 2, "processes": 1}, f"{CPU}, 2 devices"),
        ({"devices": 2, "processes": 2}, f"{CPU}, 2 devices in 2 processes"),
        ({"devices": 4, "processes": 2, "virtual_devices": True}, f"{CPU}, 4 virtual devices in 2 processes"),
    ],
)
def test_devices(tmp_path, context, words):
    """Devices are counted where the record does, and processes where there are several."""
    run = msgspec.structs.replace(recordings.RUN, context={**recordings.RUN.context, **context})
    source = loading.read(recordings.save(tmp_path, recordings.content(["digits"], run=run)))
    assert source.setting.split(" · ") == [
        "A CPU, 2 cores",
        "8 GiB, Linux x86_64",
        "machine 0123456789ab",
        words,
        "1 thread pinned",
        "scale standard, 1 seed",
        "tensorflow 2.2, keras 3.1",
    ]
