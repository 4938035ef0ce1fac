"""Run every benchmark of this folder: `make bench`, or one of them by its module's name.

Each prints ratios against something plain measured in the same run, since absolute times say more
about the machine than about the program.
"""

import sys
from importlib import import_module
from pathlib import Path

import lead_service.ops.serving  # noqa: F401 (defines the tables of every part)


def main() -> None:
    found = sorted(path.stem for path in Path(__file__).parent.glob("bench_*.py"))
    wanted = [name for name in found if not sys.argv[1:] or name in sys.argv[1:]]
    for name in wanted:
        print(f"\n{name}")
        import_module(f"tests.bench.{name}").main()


if __name__ == "__main__":
    main()
