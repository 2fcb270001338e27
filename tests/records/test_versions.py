"""A record of another schema version is refused, also where it has the shape of this version's."""

import pytest
from contents import RUN, content

from autoenc_bench.exceptions import InvalidInputError
from autoenc_bench.records import reading, record, storage


@pytest.mark.parametrize("version", [record.SCHEMA_VERSION - 1, record.SCHEMA_VERSION + 1])
def test_other_versions(tmp_path, version):
    """Older and newer records are both refused, with their version and the one that is read."""
    path = storage.save(content(autoenc={**RUN, "schema_version": version}), tmp_path, "smoke", {})
    said = f"schema version {version}, this version of autoenc-bench reads {record.SCHEMA_VERSION}"
    with pytest.raises(InvalidInputError, match=said):
        reading.read(path)
