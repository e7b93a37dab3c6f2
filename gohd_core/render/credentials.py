"""Content credentials (C2PA) in a video: a signed statement that it was generated. Needs c2pa-python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gohd_core import __version__
from gohd_core.errors import BadInput, MissingDependency
from gohd_core.files import atomic_path

GENERATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
"""IPTC's word for media that a trained network made."""

ALGORITHM = b"es256"


def sign_video(path: str | Path, certificate: str | Path, private_key: str | Path) -> Path:
    """Writes content credentials into an MP4, in its place: generated, by GoHD, signed by the user.

    Args:
        certificate: PEM chain, the signer's own first. C2PA wants one made for signing (key usage
            digital signature), issued by an authority; a self-signed one is refused.
        private_key: PEM (PKCS #8), for `ALGORITHM`.
    Raises: `BadInput` when the files can't be read or the certificate is refused, the video then stays
    as it was; `MissingDependency` without c2pa-python.
    """
    c2pa = c2pa_library()
    path = Path(path)
    chain, key = (_read(name) for name in (certificate, private_key))
    try:
        signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(ALGORITHM, chain, key, None))
        builder = c2pa.Builder(manifest(path.name))
        with (
            signer,
            builder,
            atomic_path(path) as part,
            path.open("rb") as source,
            part.open("w+b") as target,
        ):
            builder.sign(signer, "video/mp4", source, target)
    except c2pa.C2paError as error:
        raise BadInput(f"{path} could not be signed ({error}); it stays as it was.") from error
    return path


def manifest(title: str) -> dict[str, Any]:
    """The manifest: made by a trained network, with this software."""
    created = {"action": "c2pa.created", "digitalSourceType": GENERATED}
    return {
        "claim_generator_info": [{"name": "ComfyUI-GoHD", "version": __version__}],
        "title": title,
        "format": "video/mp4",
        "assertions": [{"label": "c2pa.actions", "data": {"actions": [created]}}],
    }


def c2pa_library() -> Any:
    """The c2pa module; `MissingDependency` says how to get it."""
    try:
        import c2pa
    except ImportError as error:
        raise MissingDependency(
            "Content credentials are written with c2pa-python; install it with: pip install c2pa-python"
        ) from error
    return c2pa


def _read(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise BadInput(f"{path} can't be read ({error.strerror}); check the path.") from error
