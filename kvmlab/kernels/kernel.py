"""A kernel, and how a patch makes another one out of it.

A kernel has named paths and named settings (what setup code writes once). One kernel has one name
for all rooms; the part behind ``+`` is an edit that git never saw, or a later commit on an older
release.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from kvmlab.errors import BadInput, ModelError
from kvmlab.machine.edit import After, Before, Edit, Swap, apply
from kvmlab.machine.step import Block, Node


@dataclass(frozen=True, slots=True)
class PathEdit:
    """One place that a patch changes: which path, and how."""

    path: str
    edit: Edit


@dataclass(frozen=True, slots=True)
class NewPath:
    """A path that a patch adds, or replaces as a whole."""

    path: str
    block: Block


RUN_LOOP = "vcpu_run"


def after(label: str, *nodes: Node) -> PathEdit:
    """Return the edit of the run loop that inserts nodes behind ``label``."""
    return PathEdit(RUN_LOOP, After(label, nodes))


def before(label: str, *nodes: Node) -> PathEdit:
    """Return the edit of the run loop that inserts nodes in front of ``label``."""
    return PathEdit(RUN_LOOP, Before(label, nodes))


def swap(label: str, *nodes: Node) -> PathEdit:
    """Return the edit of the run loop that puts nodes in the place of ``label``."""
    return PathEdit(RUN_LOOP, Swap(label, nodes))


@dataclass(frozen=True, slots=True)
class Setting:
    """A value that setup code writes once; ``says`` is what the learner reads."""

    name: str
    value: int
    says: str
    source: str


@dataclass(frozen=True, slots=True)
class Kernel:
    """A named kernel: its paths, its settings, one sentence on it, and its source.

    ``scope`` names the scenarios that its paths are complete enough for.
    """

    name: str
    says: str
    source: str
    paths: Mapping[str, Block]
    settings: Mapping[str, Setting] = field(default_factory=dict)
    scope: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        # Kernels are shared by name: nobody may change one for everybody else.
        object.__setattr__(self, "paths", MappingProxyType(dict(self.paths)))
        object.__setattr__(self, "settings", MappingProxyType(dict(self.settings)))

    def require(self, scenario: str) -> None:
        """Raise BadInput if this kernel is not modelled far enough for ``scenario``."""
        if scenario not in self.scope:
            able = ", ".join(sorted(self.scope)) or "no scenario yet"
            raise BadInput(f"{self.name} is modelled for {able}, not for {scenario}")

    def setting(self, name: str) -> int:
        """Return a setting's value, 0 if nobody wrote it."""
        return self.settings[name].value if name in self.settings else 0


@dataclass(frozen=True, slots=True)
class Patch:
    """A list of edits that belong together, under the name that is put behind ``+``.

    ``scope`` replaces the kernel's (``None``: it stays); ``needs`` names a setting that the kernel must
    have for the patch to make sense.
    """

    name: str
    says: str
    source: str
    edits: Sequence[PathEdit | NewPath | Setting]
    scope: frozenset[str] | None = None
    needs: str = ""

    def on(self, kernel: Kernel, name: str | None = None) -> Kernel:
        """Return ``kernel`` with this patch; raise ModelError if one edit finds no place."""
        if self.needs and self.needs not in kernel.settings:
            raise ModelError(f"{kernel.name} has no {self.needs}")
        paths, settings = dict(kernel.paths), dict(kernel.settings)
        for edit in self.edits:
            if isinstance(edit, Setting):
                settings[edit.name] = edit
            elif isinstance(edit, NewPath):
                paths[edit.path] = edit.block
            elif edit.path in paths:
                paths[edit.path] = apply(paths[edit.path], edit.edit)
            else:
                raise ModelError(f"{kernel.name} has no path {edit.path}")
        scope = kernel.scope if self.scope is None else self.scope
        return Kernel(name or f"{kernel.name}+{self.name}", self.says, self.source, paths, settings, scope)
