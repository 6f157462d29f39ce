"""Reads the YAML of an integrations folder; whatever is wrong becomes a line in a list."""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from nango_jupyter.secrets import is_secret_name, remember

__all__ = ["VARIABLE", "Substitution", "read_yaml"]

VARIABLE = re.compile(r"\$\{([^{}]*)\}")
"""``${NAME}``: an environment variable, or what a connection's credentials fill in."""

_MERGE = "tag:yaml.org,2002:merge"


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, but a key that stands twice is an error, not silently the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[object] = set()
        for key_node, _ in node.value:
            # The key's text will do: keys here are names, and a merge key may stand several times.
            if key_node.value in seen if isinstance(key_node, yaml.ScalarNode) else False:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key_node.value!r} stands here twice", key_node.start_mark
                )
            if isinstance(key_node, yaml.ScalarNode) and key_node.tag != _MERGE:
                seen.add(key_node.value)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path, problems: list[str]) -> Any:
    """Return what a YAML file holds; None, and an entry in `problems`, if it can't be read."""
    try:
        return yaml.load(path.read_text(encoding="utf-8-sig"), _Loader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        problems.append(f"{path.name}{_place(error.problem_mark)}: {error.problem}")
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = str(error).partition("\n")[0]
        problems.append(f"{path.name}: it is not UTF-8 text: {reason}")
    except OSError as error:
        problems.append(f"{path.name}: it can't be read: {error.strerror}")
    except (ValueError, OverflowError) as error:  # PyYAML passes on what 2026-13-45 gives
        problems.append(f"{path.name}: a value can't be read: {error}")
    except RecursionError:
        problems.append(f"{path.name}: it is nested too deeply")
    return None


def _place(mark: yaml.error.Mark | None) -> str:
    return f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""


@dataclass(frozen=True)
class Substitution:
    """Puts environment variables in the place of ``${NAME}``.

    Done on the values, not on the file's text: no variable's content can change the structure.

    Parameters
    ----------
    environ : mapping
    problems : list of str
        Gets an entry for each variable that isn't set.
    keep : collection of str
        Names that stay as they are.
    """

    environ: Mapping[str, str]
    problems: list[str]
    keep: Collection[str] = ()

    def fill(self, value: Any, where: str) -> Any:
        """Return a copy of the value with its variables replaced; `where` names it."""
        try:
            return self._fill(value, where)
        except RecursionError:  # a YAML anchor that is used inside of itself
            self.problems.append(f"{where}: it contains itself")
            return None

    def _fill(self, value: Any, where: str) -> Any:
        if isinstance(value, str):
            return VARIABLE.sub(lambda found: self._lookup(found, where), value)
        if isinstance(value, dict):
            return {key: self._fill(item, f"{where}.{key}") for key, item in value.items()}
        if isinstance(value, list):
            return [self._fill(item, f"{where}[{index}]") for index, item in enumerate(value)]
        return value

    def _lookup(self, found: re.Match[str], where: str) -> str:
        name = found[1]
        if name in self.keep or (self.keep and name.startswith("raw.")):
            return found[0]
        if name not in self.environ:
            self.problems.append(f"{where}: the environment variable {name} is not set")
            return found[0]
        if is_secret_name(name) or is_secret_name(where):
            remember(self.environ[name])
        return self.environ[name]
