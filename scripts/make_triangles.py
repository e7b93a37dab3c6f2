"""Makes gohd_core/stylised/head/triangles.npz: the triangles between the vertices of the stylised head.

python scripts/make_triangles.py
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np

from gohd_core.files import atomic_write
from gohd_core.stylised.head import template


def main() -> None:
    layout, kind, offset, _ = template.template_points()
    content = BytesIO()
    np.savez_compressed(content, faces=template.triangulate(layout, kind, offset).astype(np.int16))
    atomic_write(Path(template.__file__).with_name(template.TRIANGLES), content.getvalue())


if __name__ == "__main__":
    main()
