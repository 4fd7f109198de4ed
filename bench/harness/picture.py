"""The picture: how many times raw TCP's time each contestant takes, a panel for each of the main cases."""

from html import escape

from .peers import FLOOR
from .scenarios import KIB, MIB

PANELS = (
    ("echo/64/one-core", "Echo of 64 B"),
    (f"echo/{64 * KIB}/one-core", "Echo of 64 KiB"),
    (f"receive/{MIB}/binary", "Receiving 1 MiB"),
    (f"send/{MIB}/binary", "Sending 1 MiB"),
    ("send/64/binary", "Sending 64 B"),
    ("tls/echo/64/one-core", "Echo of 64 B over TLS"),
)
COLUMNS, WIDTH, LABEL, BAR, ROW, HEAD, GAP = 2, 470, 170, 220, 20, 44, 18
LONGEST = 4.0  # bars end here; the number goes on
OWN_COLOUR, OTHER_COLOUR, INK, PALE = "#1f6feb", "#9aa4af", "#1c2128", "#6b7280"


def panel(title, case, labels, left, top):
    """One panel's lines, and its height."""
    bars = []
    for name, result in case["results"].items():
        if name != FLOOR and "ratio" in result:
            # A rate's ratio is turned round: time to time everywhere.
            bars.append((1 / result["ratio"] if case["scenario"] in ("receive", "send") else result["ratio"], name))
    bars.sort()
    out = [f'<text x="{left}" y="{top + 18}" font-weight="600" fill="{INK}">{escape(title)}</text>']
    scale = BAR / LONGEST
    for row, (value, name) in enumerate(bars):
        y = top + HEAD - 8 + row * ROW
        colour = OWN_COLOUR if name.startswith("wdsocket") else OTHER_COLOUR
        length = min(value, LONGEST) * scale
        out.append(
            f'<text x="{left + LABEL - 8}" y="{y + 11}" text-anchor="end" fill="{INK}">{escape(labels[name])}</text>'
            f'<rect x="{left + LABEL}" y="{y}" width="{length:.1f}" height="{ROW - 6}" fill="{colour}"/>'
        )
        if value > LONGEST:  # a cut, so that nobody compares its length
            x = left + LABEL + length - 12
            out.append(f'<path d="M{x} {y + ROW - 5}l5 -{ROW - 4}" stroke="#fff" stroke-width="3"/>')
        out.append(
            f'<text x="{left + LABEL + max(length, scale) + 5:.1f}" y="{y + 11}" fill="{INK}">{value:.2f}</text>'
        )
    height = HEAD + len(bars) * ROW
    x = left + LABEL + scale
    out.append(
        f'<line x1="{x}" x2="{x}" y1="{top + HEAD - 12}" y2="{top + height - 8}" stroke="{INK}" stroke-dasharray="3 3"/>'
    )
    return out, height


def draw(cases, labels, note):
    """The SVG's text; None where the run has no case of the picture's."""
    shown = [(title, cases[name]) for name, title in PANELS if name in cases and cases[name]["results"]]
    if not shown:
        return None
    lines, top = [], 64
    for first in range(0, len(shown), COLUMNS):
        drawn = [
            panel(title, case, labels, 20 + column * WIDTH, top)
            for column, (title, case) in enumerate(shown[first : first + COLUMNS])
        ]
        for out, _ in drawn:
            lines += out
        top += max(height for _, height in drawn) + GAP
    width = 20 + COLUMNS * WIDTH
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{top + 14}" viewBox="0 0 {width} {top + 14}" '
        'font-family="system-ui, sans-serif" font-size="12">',
        f'<rect width="{width}" height="{top + 14}" fill="#fff"/>',
        f'<text x="20" y="28" font-size="17" font-weight="600" fill="{INK}">Time, as a multiple of raw TCP\'s</text>',
        f'<text x="20" y="48" fill="{PALE}">Shorter is better; the dashed line is raw TCP. {escape(note)}</text>',
    ]
    return "\n".join([*head, *lines, "</svg>", ""])
