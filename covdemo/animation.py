"""A run as an animated picture: its records, one after the other, as the page shows the model."""

import io
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image

from covdemo import charts, pictures, tables
from covdemo.drawings import box_of, model_tables, names_of
from covdemo.fields import show as number
from covdemo.history import Frame
from covdemo.run import Run

FORMATS = {".gif": "GIF", ".webp": "WEBP"}
MOST = 200  # pictures, which bounds time and size
_COLORS, _WHITE = 200, 248  # colours of a GIF beside white; what is as bright as this is white
_REST = 2.0  # seconds that the last picture stays
_ASPECT = 1.5  # width over height
_WITHIN = {"type": "fit", "contains": "padding"}  # width and height are those of the picture, not of the panel in it


def animate(run: Run, count: int, seconds: float, ending: str, width: int, progress: Callable[[float], None]) -> bytes:
    """Return an animated picture of a run.

    Args:
        run: trained as far as is to be seen.
        count: pictures at most, evenly spread over the records.
        seconds: that they take together; the last one stays a little longer.
        ending: of the file, a key of ``FORMATS``.
        width: in pixels.
        progress: called with the share of the pictures that are drawn.

    Raises:
        ValueError: if vl-convert is missing.
    """
    shown = chosen(run.history.frames, min(count, MOST))
    images = []
    for index, frame in enumerate(shown):
        images.append(picture(run, frame, width))
        progress((index + 1) / len(shown))
    return _join(images, [seconds / len(shown)] * (len(shown) - 1) + [_REST], FORMATS[ending])


def chosen(frames: Sequence[Frame], count: int) -> list[Frame]:
    """Return at most so many records, evenly spaced, with the first and the last."""
    places = np.unique(np.linspace(0, len(frames) - 1, min(len(frames), count)).round().astype(int))
    return [frames[place] for place in places]


def picture(run: Run, frame: Frame, width: int) -> Image.Image:
    """Return what the page shows of the model at a record, with a line that says which it is."""
    names, box = names_of(run), box_of(run)
    whole = charts.PANEL_HEIGHT * _ASPECT
    spec = {**charts.model_panel(box, names), "width": whole, "title": title(run, frame), "autosize": _WITHIN}
    datasets = {**model_tables(run, frame, box, run.history.until(frame.trial)), "points": tables.points(run.data, names)}
    return Image.open(io.BytesIO(pictures.draw(spec, "png", datasets, scale=width / whole))).convert("RGB")


def title(run: Run, frame: Frame) -> str:
    """Return the line above a picture: trial, accuracy, and whether a matrix broke there."""
    broke = "" if frame.valid.all() else f" · broke, eigenvalue {number(float(np.nanmin(frame.eigenvalues)))}"
    return f"Trial {frame.trial:,} of {run.total:,} · accuracy {frame.accuracy:.1%}{broke}"


def _join(images: Sequence[Image.Image], seconds: Sequence[float], kind: str) -> bytes:
    """Return one file that plays for ever; all pictures of a GIF share one palette, as colours would flicker otherwise."""
    if kind == "GIF":
        palette = _palette(images[-1])
        images = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
    content = io.BytesIO()
    durations = [round(1000 * each) for each in seconds]
    images[0].save(content, kind, save_all=True, append_images=images[1:], duration=durations, loop=0)
    return content.getvalue()


def _palette(image: Image.Image) -> Image.Image:
    """Return an image with the colours of another one as its palette; white is white, which an average would tint."""
    levels = image.quantize(_COLORS).getpalette() or []
    colors = [levels[at : at + 3] for at in range(0, len(levels), 3)]
    palette = Image.new("P", (1, 1))
    palette.putpalette([255, 255, 255, *(level for color in colors if min(color) < _WHITE for level in color)])
    return palette
