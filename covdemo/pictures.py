"""Figures as files: PNG and SVG, drawn without a browser by vl-convert, which is optional."""

import io
import zipfile
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, Literal

import pyarrow as pa

from covdemo.charts import Spec

Kind = Literal["png", "svg"]
KINDS: tuple[Kind, ...] = ("png", "svg")
MISSING = "vl-convert is missing: pip install 'covdemo[pictures]'"
SCALE = 2.0  # of a PNG, per pixel of a screen
DARK, _LIGHT, _LINES = "#0e1117", "#fafafa", "#31333f"  # as Streamlit's
_DARK = {
    "title": {"color": _LIGHT},
    "axis": {"labelColor": _LIGHT, "titleColor": _LIGHT, "gridColor": _LINES, "domainColor": _LINES, "tickColor": _LINES},
    "legend": {"labelColor": _LIGHT, "titleColor": _LIGHT},
    "view": {"stroke": _LINES},
}
_ASPECT = 1.5, 2.4  # width over height, of a panel and of the flatter curves
_FLAT = 200  # height of the highest curve


def available() -> bool:
    """Return whether vl-convert is installed."""
    return find_spec("vl_convert") is not None


def require() -> None:
    """Raise a ``ValueError`` that says how to get vl-convert where it is missing."""
    if not available():
        raise ValueError(MISSING)


def draw(
    spec: Mapping[str, Any],
    kind: Kind,
    datasets: Mapping[str, bytes] | None = None,
    scale: float = SCALE,
    theme: Literal["light", "dark"] = "light",
) -> bytes:
    """Return a figure as a picture on a ground of its own.

    Args:
        spec: of Vega-Lite, with a width.
        kind: of the file.
        datasets: Arrow streams by the names that the specification uses; None where it holds its data.
        scale: pixels of a PNG for each pixel of a screen.
        theme: of the ground, and of what is written on it.

    Raises:
        ValueError: if vl-convert is missing.
    """
    require()
    import vl_convert

    whole = {"background": "white", **spec}
    if theme == "dark":
        parts = {name: {**whole.get("config", {}).get(name, {}), **colors} for name, colors in _DARK.items()}
        whole |= {"background": DARK, "config": {**whole.get("config", {}), **parts}}
    if datasets is not None:
        whole["datasets"] = {name: pa.ipc.open_stream(table).read_all().to_pylist() for name, table in datasets.items()}
    if kind == "svg":
        return str(vl_convert.vegalite_to_svg(whole)).encode()
    return bytes(vl_convert.vegalite_to_png(whole, scale=scale))


def archive(figures: Mapping[str, tuple[Spec, Mapping[str, bytes]]]) -> bytes:
    """Return every figure as PNG and as SVG, in one ZIP file.

    Args:
        figures: name of a file -> specification without a width, and datasets.

    Raises:
        ValueError: if vl-convert is missing.
    """
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        for name, (spec, datasets) in figures.items():
            for kind in KINDS:
                file.writestr(f"{name}.{kind}", draw(sized(spec), kind, datasets))
    return content.getvalue()


def sized(spec: Mapping[str, Any]) -> Spec:
    """Return a figure with a width that suits its height."""
    height = float(spec["height"])
    return {**spec, "width": height * _ASPECT[height < _FLAT]}
