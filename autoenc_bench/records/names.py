"""Names of cases: a case of this suite by its id, any other by file, class and name, shortened while unique."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from autoenc_bench.records.record import Benchmark


def identity(benchmark: Benchmark) -> str:
    """Return the name of a case that is unique in its record: its id in this suite, else its full name."""
    return benchmark.name.removeprefix("test_") if benchmark.extra_info.autoenc else benchmark.fullname


def without_seed(identity: str) -> str:
    """Return the name that all seeds of a whole experiment share."""
    return re.sub(r"-seed\d+\]$", "]", identity)


def bracketed(name: str) -> str:
    """Return the text within the brackets of a case's name, or the whole name if it has none."""
    return name.partition("[")[2].removesuffix("]") if "[" in name else name


def identities(benchmarks: Iterable[Benchmark]) -> list[str]:
    """Return the identity of each case. Repeated ones are numbered from the second on: ``a::test_b (2)``."""
    unique: dict[str, None] = {}
    for name in map(identity, benchmarks):
        numbered, number = name, 1
        while numbered in unique:
            number += 1
            numbered = f"{name} ({number})"
        unique[numbered] = None
    return list(unique)


def repeated(benchmarks: Iterable[Benchmark]) -> list[str]:
    """List the identities that several cases of a record have."""
    return [name for name, number in Counter(map(identity, benchmarks)).items() if number > 1]


def shown(identities: Iterable[str]) -> dict[str, str]:
    """Map each identity to its shortest unique form: the name, the name with its class, or also with its file."""
    forms = {identity: list(_forms(identity)) for identity in identities}
    uses = Counter(form for candidates in forms.values() for form in set(candidates))
    return {
        identity: next((form for form in candidates if uses[form] == 1), identity)
        for identity, candidates in forms.items()
    }


def _forms(identity: str) -> Iterator[str]:
    """List the forms of an identity, from the shortest to the longest."""
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
