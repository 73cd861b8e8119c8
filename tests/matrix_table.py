"""The table of README's "What works where".

uv run python tests/matrix_table.py
"""

from matrix import FAMILIES, LABELS
from matrix_features import FEATURES
from matrix_mistakes import MISTAKES


def markdown() -> str:
    """The table for README."""
    lines = ["| | " + " | ".join(LABELS.values()) + " |", "|---|" + "---|" * len(LABELS)]
    lines += [
        "| " + " | ".join([row.label, *(row.outcomes[one].shown for one in FAMILIES)]) + " |"
        for row in [*FEATURES, *MISTAKES]
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(markdown(), end="")  # noqa: T201 - what the command is for
