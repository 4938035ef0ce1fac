"""Rules about imports, besides the contracts in pyproject.toml."""

from grimp import build_graph


def test_no_files_import_each_other_in_a_circle():
    graph = build_graph("lead_service", cache_dir=None)
    circles = [
        f"{one} and {other}"
        for one in graph.modules
        for other in graph.find_modules_directly_imported_by(one)
        if graph.chain_exists(importer=other, imported=one)
    ]
    assert circles == []
