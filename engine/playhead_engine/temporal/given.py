"""What a user hands in beside workflow code, looked at before the SDK is given it.

The SDK trusts its types, and what is wrong comes to light deep inside of it, as an attribute that something lacks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import temporalio.client
import temporalio.converter
import temporalio.worker

_KINDS: Final[Mapping[str, tuple[type, ...]]] = {
    "data_converter": (temporalio.converter.DataConverter,),
    "workflow_runner": (temporalio.worker.WorkflowRunner,),
    "unsandboxed_workflow_runner": (temporalio.worker.WorkflowRunner,),
    "interceptors": (temporalio.worker.Interceptor,),
    "plugins": (temporalio.worker.Plugin, temporalio.client.Plugin),
}


def check_given(**given: Any) -> None:
    """Refuse what is of another kind than the SDK takes under that name.

    Args:
        given: By name; None, or a sequence of nothing, is as good as not given.

    Raises:
        ValueError: Something is.
    """
    for name, value in given.items():
        kinds = _KINDS[name]
        several = name.endswith("s")
        if several and (isinstance(value, str) or not isinstance(value, Sequence)):
            raise ValueError(f"{name} must be a list, got {value!r}")
        for one in value if several else [value] if value is not None else []:
            if not isinstance(one, kinds):
                raise ValueError(_wrong(name, one, kinds))


def check_types(named: Iterable[tuple[str | None, type]]) -> None:
    """Refuse two classes of one workflow type, or two that take any.

    Args:
        named: Each class with its type, None for a dynamic one.

    Raises:
        ValueError: There are two.
    """
    found: dict[str | None, type] = {}
    for name, cls in named:
        other = found.setdefault(name, cls)
        if other is not cls:
            what = "dynamic" if name is None else f"of type {name}"
            raise ValueError(f"two classes are {what}: {_full(other)} and {_full(cls)}")


def _wrong(name: str, value: Any, kinds: tuple[type, ...]) -> str:
    kind = kinds[0]
    shown = f"temporalio.{kind.__module__.split('.')[1]}.{kind.__name__}"
    what = name.removesuffix("s").replace("_", " ")
    article = "an" if what[0] in "aiu" else "a"
    if isinstance(value, type) and issubclass(value, kinds):
        return f"{article} {what} must be an object, got the class {_full(value)}: call it"
    hint = ""
    if name == "data_converter" and isinstance(value, temporalio.converter.PayloadConverter):
        hint = f": DataConverter(payload_converter_class={type(value).__name__}) makes one of it"
    elif name == "data_converter" and isinstance(value, temporalio.converter.PayloadCodec):
        hint = f": DataConverter(payload_codec={type(value).__name__}()) makes one of it"
    return f"{article} {what} must be a {shown}, got {value!r}{hint}"


def _full(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
