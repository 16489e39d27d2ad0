"""What a viewer can be told, for tests."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
LONGEST = 600  # characters of a sentence


def is_sentence(text):
    """Whether a viewer can be shown it as it is: one line, printable, no markup, nothing of the server's own."""
    private = re.search(rf"Traceback|File \"|site-packages|/home|/usr|{re.escape(str(ROOT))}|0x[0-9a-f]{{6}}", text)
    marked = re.search(r"[<>\[\]!*`$&\\]|(?<![^\W_])_|_(?![^\W_])|:\S*:|www\.|://|\w@\w", text, re.IGNORECASE)
    return text.isprintable() and len(text) <= LONGEST and not marked and not private


def unfit(sentences):
    return [text for text in sentences if not is_sentence(text)]
