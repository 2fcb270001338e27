"""What cases are called: a case of this suite by its id, any other by file, class and name, as shortly as is unique."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, count

from autoenc_bench.records.record import Benchmark


def identity(benchmark: Benchmark) -> str:
    """Return what tells a case from all others of a record: of this suite its id, else file, class and name."""
    return benchmark.name.removeprefix("test_") if benchmark.extra_info.autoenc else benchmark.fullname


def without_seed(identity: str) -> str:
    """Return what the seeds of a whole experiment share."""
    return re.sub(r"-seed\d+\]$", "]", identity)


def identities(benchmarks: Iterable[Benchmark]) -> list[str]:
    """Return those of a record's cases; of equal ones all but the first are numbered: ``a::test_b (2)``."""
    told_apart: dict[str, None] = {}
    for name in map(identity, benchmarks):
        numbered = (f"{name} ({number})" for number in count(2))
        told_apart[next(one for one in chain([name], numbered) if one not in told_apart)] = None
    return list(told_apart)


def repeated(benchmarks: Iterable[Benchmark]) -> list[str]:
    """List the identities that several cases of a record have."""
    return [name for name, number in Counter(map(identity, benchmarks)).items() if number > 1]


def shown(identities: Iterable[str]) -> dict[str, str]:
    """Map each identity to the shortest of its forms that no other one has: name, with its class, with its file."""
    forms = {one: list(_forms(one)) for one in identities}
    number = Counter(form for own in forms.values() for form in set(own))
    return {one: next((form for form in own if number[form] == 1), one) for one, own in forms.items()}


def _forms(identity: str) -> Iterator[str]:
    plain, bracket, parameters = identity.partition("[")
    file, *scopes = plain.split("::")
    if scopes:
        yield scopes[-1].removeprefix("test_") + bracket + parameters
        for size in range(2, len(scopes) + 1):
            yield "::".join(scopes[-size:]) + bracket + parameters
        folders = file.split("/")
        for size in range(1, len(folders) + 1):
            yield "::".join(["/".join(folders[-size:]), *scopes]) + bracket + parameters
    yield identity
