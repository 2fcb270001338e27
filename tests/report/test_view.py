"""What a page says about one record."""

import msgspec
import recordings

from autoenc_bench.records import loading
from autoenc_bench.report import view


def test_peaks(tmp_path):
    """The page tells a case's peak in the process, and on the accelerator where there is one."""
    cases = [recordings.timed("digits", phase) for phase in ("build", "epoch", "encode", "decode")]
    amounts = [{}, {"peak": 2**30}, {"peak": 2**30, "accelerator": 2**21}, {"accelerator": 2**22}]
    entries = []
    for case, amount in zip(cases, amounts, strict=True):
        memory = recordings.case.Memory(before=2**29, **amount)
        entries.append(recordings.benchmark(msgspec.structs.replace(case, memory=memory), 0.1))
    section = view.Section(loading.read(recordings.save(tmp_path, recordings.content(entries=entries))), 1, [])
    told = [row[-1].text for row in section.timings]
    assert told == ["–", "1,024 MiB", "1,024 MiB, 2 MiB on the device", "4 MiB on the device"]
