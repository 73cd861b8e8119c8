"""Write what the catalogue under declarations/ says: `uv run python -m devtools.declare [--check]`.

Written are tools/*.yaml, provider/stable_diffusion.yaml, webui/fields.json, the tables between the
markers of GUIDE.md, README.md and its translations, and the version that each example asks for.
`--check` writes nothing: it shows what is stale and exits with 1.

declarations/released.json keeps a digest of the newest version's forms, which may change no more.
"""

import argparse
import difflib
import hashlib
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, override

import yaml

ROOT = Path(__file__).parent.parent
_DIFF_LINES = 20
_ENGLISH = "en_US"
_CREDENTIAL_TEXTS = {"label", "help", "placeholder"}
_RELEASED = "declarations/released.json"
_TOOL = "# Written by devtools.declare from declarations/fields.yaml and declarations/tools.yaml.\n"
_PROVIDER = "# Written by devtools.declare from declarations/tools.yaml and manifest.yaml.\n"
# <!-- fields: tool, section --> … <!-- /fields -->, likewise outputs of a tool, and the matrix.
_MARKED = re.compile(
    r"(?s)(?P<start><!-- (?P<kind>\w+)(: (?P<tool>\w+)(, (?P<title>[^>]+))?)? -->\n)"
    r".*?(?P<end><!-- /(?P=kind) -->)"
)

type Said = dict[str, Any]


class DeclareError(ValueError):
    """The catalogue contradicts itself, or a page a marker; the text says where."""


@dataclass(frozen=True)
class Catalogue:
    """manifest.yaml and the files under declarations/, as they were read.

    forms: each tool's fields as they are in that tool, in the form's order.
    """

    manifest: Said
    provider: Said
    tools: Mapping[str, Said]
    fields: Mapping[str, Said]
    forms: Mapping[str, Mapping[str, Said]]
    matrix: Said

    @classmethod
    def read(cls, root: Path) -> "Catalogue":
        """Return the catalogue of the plugin in `root`."""
        said = _load(root / "declarations/tools.yaml")
        fields = _load(root / "declarations/fields.yaml")
        return cls(
            manifest=_load(root / "manifest.yaml"),
            provider=said["provider"],
            tools=said["tools"],
            fields=fields,
            forms={tool: _form(tool, fields) for tool in said["tools"]},
            matrix=_load(root / "declarations/matrix.yaml"),
        )


def written(root: Path) -> dict[str, str]:
    """Return what each written file should hold, by its path within `root`.

    DeclareError where the catalogue or a page's markers do not fit together.
    """
    catalogue = Catalogue.read(root)
    return {
        _RELEASED: released(root, catalogue),
        "provider/stable_diffusion.yaml": _PROVIDER + _dump(_provider(catalogue)),
        **{f"tools/{tool}.yaml": _TOOL + _dump(_tool(catalogue, tool)) for tool in catalogue.tools},
        "webui/fields.json": _fields_json(catalogue),
        **{name: _page(root / name, catalogue) for name in _pages(root)},
        **{f"examples/{one.name}": _example(one, catalogue) for one in root.glob("examples/*.yml")},
    }


def _pages(root: Path) -> list[str]:
    """Return the pages that hold tables, by their paths within `root`."""
    translated = sorted(path.name for path in root.glob("readme/README_*.md"))
    return ["GUIDE.md", "README.md", *(f"readme/{name}" for name in translated)]


def stale(root: Path) -> dict[str, str]:
    """Return the beginning of a diff for each file that is not as declared, by its path."""
    found = {}
    for name, right in written(root).items():
        there = (root / name).read_bytes().decode() if (root / name).is_file() else ""
        if there != right:
            lines = there.splitlines(), right.splitlines()
            diff = difflib.unified_diff(*lines, name, "as declared", n=0, lineterm="")
            found[name] = "\n".join(islice(diff, _DIFF_LINES))
    return found


def released(root: Path, catalogue: Catalogue) -> str:
    """Return the record of the newest version; DeclareError where the forms need a newer one."""
    forms = [_provider(catalogue), *(_tool(catalogue, tool) for tool in catalogue.tools)]
    digest = hashlib.sha256(json.dumps(forms).encode()).hexdigest()
    version = catalogue.manifest["version"]
    there = (root / _RELEASED).read_text(encoding="utf-8") if (root / _RELEASED).is_file() else ""
    right = json.dumps({"version": version, "digest": digest}, indent=2) + "\n"
    changes = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    newest, _, told = changes.partition("\n## [")[2].partition("\n## ")[0].partition("]")
    if newest == "Unreleased":
        if digest not in there and "\n- " not in told:
            raise DeclareError("CHANGELOG.md: [Unreleased] does not say how the forms changed")
        return there
    if newest != version:
        raise DeclareError(f"CHANGELOG.md: the newest is {newest}, in manifest.yaml {version}")
    if f'"{version}"' in there and there != right:
        raise DeclareError(
            f"The forms are no longer those of {version}: say how under ## [Unreleased] in"
            f" CHANGELOG.md, or delete {_RELEASED} if {version} was never released"
        )
    return right


def _form(tool: str, fields: Mapping[str, Said]) -> Mapping[str, Said]:
    form = {}
    for name, field in fields.items():
        if tool in field["tools"]:
            there = field["tools"][tool] if isinstance(field["tools"], dict) else {}
            form[name] = _filled(**(field | there))
    order = [name for name, said in form.items() if "after" not in said]
    for name in [name for name in form if name not in order]:
        before = form[name]["after"]
        if before not in order:
            raise DeclareError(f"{name}: {tool} has no {before} that it could follow")
        order.insert(order.index(before) + 1, name)
    return {name: form[name] for name in order}


def _provider(catalogue: Catalogue) -> Said:
    manifest, provider = catalogue.manifest, catalogue.provider
    own = {"name": provider["name"], "description": _texts(provider["description"])}
    keys = ("author", "name", "label", "description", "icon", "icon_dark", "tags")
    return {
        "identity": {key: (own if key in own else manifest)[key] for key in keys},
        "credentials_for_provider": {
            name: _credential(said) for name, said in provider["credentials"].items()
        },
        "tools": [f"tools/{tool}.yaml" for tool in catalogue.tools],
        "extra": {"python": {"source": f"provider/{provider['name']}.py"}},
    }


def _credential(said: Said) -> Said:
    texts: Said = {key: _texts(said[key]) for key in said if key in _CREDENTIAL_TEXTS}
    return {"type": said["type"], "required": False, **said, **texts}


def _tool(catalogue: Catalogue, name: str) -> Said:
    tool, form = catalogue.tools[name], catalogue.forms[name]
    asks = tool.get("asks", form)
    author = catalogue.manifest["author"]
    return {
        "identity": {"name": name, "author": author, "label": _texts(tool["label"])},
        "description": {"human": _texts(tool["description"]), "llm": _english(tool["llm"])},
        "parameters": [_parameter(field, form[field], asked=field in asks) for field in form],
        "output_schema": {
            "type": "object",
            "properties": {output: _output(said) for output, said in tool["outputs"].items()},
        },
        "extra": {"python": {"source": f"tools/{name}.py"}},
    }


def _parameter(name: str, said: Said, *, asked: bool) -> Said:
    low, high = said.get("range", (None, None))
    options = [{"value": one, "label": _texts(t)} for one, t in said.get("options", {}).items()]
    whole = said["type"] == "integer"
    return _filled(
        name=name,
        type="number" if whole else said["type"],
        required=said.get("required"),
        default=said.get("default"),
        min=low,
        max=high,
        precision=0 if whole else None,
        options=options or None,
        form="llm" if asked else "form",
        label=_texts(said["label"]),
        human_description=_texts(said["help"]),
        # Nobody but a language model reads it.
        llm_description=_english(said["llm"]) if asked and "llm" in said else None,
    )


def _output(said: Said) -> Said:
    kind = said["type"]
    is_list = isinstance(kind, list)
    schema = {"type": "array", "items": {"type": kind[0]}} if is_list else {"type": kind}
    return schema | {key: _english(said[key]) for key in ("description",) if key in said}


def _fields_json(catalogue: Catalogue) -> str:
    """Return what the code is to know of each field, a line for each; webui/fields.py reads it."""
    plain = {
        "own": False,
        "extra": False,
        "json": "",
        "neutral": None,
        "elsewhere": {},
        "api": {},
        "verbatim": False,
        "longest": None,
    }
    lines = []
    for name, said in catalogue.fields.items():
        tools = [tool for tool in catalogue.tools if tool in said["tools"]]
        field = {"tools": tools, **{key: said.get(key, plain[key]) for key in plain}}
        lines.append(f"{json.dumps(name)}: {json.dumps(field, ensure_ascii=False)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _page(path: Path, catalogue: Catalogue) -> str:
    """Return a page with the right table between each pair of markers."""

    def filled(found: re.Match[str]) -> str:
        if found["kind"] == "fields":
            table = _field_table(catalogue, found["tool"], found["title"])
        elif found["kind"] == "outputs":
            table = _output_table(catalogue.tools[found["tool"]])
        else:
            table = _matrix_table(catalogue.matrix, path.stem.partition("_")[2] or _ENGLISH)
        return found["start"] + table + found["end"]

    return _MARKED.sub(filled, path.read_bytes().decode())


def _example(path: Path, catalogue: Catalogue) -> str:
    plugin = "{author}/{name}:".format_map(catalogue.manifest)
    version = catalogue.manifest["version"]
    return re.sub(rf"(?<={re.escape(plugin)})[^\s@]+", version, path.read_text(encoding="utf-8"))


def _field_table(catalogue: Catalogue, tool: str, title: str | None) -> str:
    form = catalogue.forms[tool]
    beside = catalogue.forms.get(catalogue.tools[tool].get("beside", ""), {})
    rows_beside = [_field_row(name, said) for name, said in beside.items()]
    names = [name for name in form if _field_row(name, form[name]) not in rows_beside]
    if title is not None:
        starts = catalogue.tools[tool]["sections"]
        if title not in starts:
            raise DeclareError(f"GUIDE.md: {tool} has no section {title}")
        ends = [names.index(name) for name in starts.values()] + [len(names)]
        place = list(starts).index(title)
        names = names[ends[place] : ends[place + 1]]
    rows = [_field_row(name, form[name]) for name in names]
    return _table(["name", "type", "default", "range", "effect"], rows)


def _field_row(name: str, said: Said) -> list[str]:
    low, high = said.get("range", ("", None))
    limits = f"{low} to {high}" if high is not None else f"{low} or more" if "range" in said else ""
    limits = ", ".join(said["options"]) if "options" in said else limits
    default = said.get("default", "required" if said.get("required") else "")
    written = default if isinstance(default, str) else json.dumps(default)
    label = f"{_english(said['label'])} `{name}`"
    return [label, said["type"], written, limits, _english(said["guide"])]


def _output_table(tool: Said) -> str:
    told = {name: _english(text) for name, text in tool.get("messages", {}).items()}
    for name, said in tool["outputs"].items():
        kind = said["type"]
        shown = f"Array of {kind[0]}s" if isinstance(kind, list) else kind.capitalize()
        told[name] = f"{shown}: {_english(said['guide'])}"
    return _table(["output", "content"], [[f"`{name}`", text] for name, text in told.items()])


def _matrix_table(matrix: Said, language: str) -> str:
    """Return txt2img's rows in a language, but for those that only some families have."""
    families = matrix["families"]

    def said(english: str) -> str:
        if language == _ENGLISH:
            return english
        if english not in matrix["words"]:
            raise DeclareError(f"matrix.yaml: words has no {english}")
        return str(matrix["words"][english][language])

    rows = []
    for row in matrix["txt2img"]:
        if "only" not in row:
            outcomes = [row.get("but", {}).get(one, row["outcome"]) for one in families]
            rows.append([said(row["row"]), *(said(_plain(one)) for one in outcomes)])
    return _table(["", *families.values()], rows)


def _plain(outcome: str | Said) -> str:
    """Return an outcome without the phrase that a test looks for."""
    return outcome if isinstance(outcome, str) else next(iter(outcome))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(cells)} |\n" for cells in (head, *rows)]
    return "".join([lines[0], "|" + "---|" * len(head) + "\n", *lines[1:]])


def _texts(text: str | Said | None) -> Said | None:
    """Return a text by language; one that is written plainly is English."""
    return {_ENGLISH: text} if isinstance(text, str) else text


def _english(text: str | Said) -> str:
    return text if isinstance(text, str) else str(text[_ENGLISH])


def _filled(**keys: object) -> Said:
    return {key: value for key, value in keys.items() if value is not None}


def _load(path: Path) -> Said:
    loaded: Said = yaml.load(path.read_bytes(), yaml.CSafeLoader)
    return loaded


class _Dumper(yaml.SafeDumper):
    """The items of a list stand further in than its key."""

    @override
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)


def _dump(value: Said) -> str:
    return yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100)


def main() -> None:
    about = __doc__.partition("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m devtools.declare", description=about)
    parser.add_argument("--check", action="store_true", help="write nothing, show what is stale")
    only_check = parser.parse_args().check
    try:
        found, right = stale(ROOT), written(ROOT)
    except DeclareError as error:
        sys.exit(str(error))
    for name, diff in found.items():
        if not only_check:
            (ROOT / name).write_bytes(right[name].encode())
        print(diff if only_check else f"{name} written")
    if only_check and found:
        sys.exit(f"Stale: {', '.join(found)}. Run: uv run python -m devtools.declare")


if __name__ == "__main__":
    main()
