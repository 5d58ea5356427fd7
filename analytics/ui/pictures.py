"""Small line drawings, as addresses an image can carry; gray, so that they sit on a light and a dark page."""

from __future__ import annotations

from urllib.parse import quote

_DRAWN = ('<svg xmlns="http://www.w3.org/2000/svg" width="132" height="96" viewBox="0 0 132 96" fill="none" '
          'stroke="#7b858f" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">{}</svg>')
_BRAND = ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="26" height="26">'
          '<rect x="1" y="2" width="22" height="20" rx="5" fill="#0078b4"/><path d="M4.5 14h3l2-6 3.2 10 2.2-6H19.5" '
          'fill="none" stroke="#fff" stroke-width="1.9" stroke-linecap="round" stroke-linejoin="round"/></svg>')
_PICTURES = {
    "nothing_loaded": '<ellipse cx="66" cy="24" rx="38" ry="11"/><path d="M28 24v46c0 6 17 11 38 11s38-5 38-11V24"/>'
                      '<path d="M28 47c0 6 17 11 38 11s38-5 38-11" stroke-dasharray="3 5"/>'
                      '<path d="M66 38v26m-9-9 9 9 9-9" stroke="#0078b4"/>',
    "no_rows": '<path d="M20 80h92M20 80V16"/><path d="M36 80V62m20 18V50m20 30V66m20 14V42" stroke-dasharray="3 5"/>'
               '<circle cx="88" cy="26" r="11" stroke="#0078b4"/><path d="m96 34 9 9" stroke="#0078b4"/>',
    "all_well": '<rect x="30" y="14" width="72" height="68" rx="8"/><path d="m50 48 11 11 22-24" stroke="#189c6c" '
                'stroke-width="3"/>',
    "no_image": '<rect x="26" y="14" width="80" height="68" rx="6"/><circle cx="66" cy="48" r="20" '
                'stroke-dasharray="3 5"/><path d="M66 40v16m-8-8h16" stroke="#0078b4"/>',
}


def _address(svg: str) -> str:
    return f"data:image/svg+xml,{quote(svg)}"


def picture(name: str) -> str:
    """Return a picture's address: ``nothing_loaded``, ``no_rows``, ``all_well`` or ``no_image``."""
    return _address(_DRAWN.format(_PICTURES[name]))


BRAND = _address(_BRAND)
