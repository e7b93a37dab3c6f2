"""Content credentials: signed into the video, read back, and nothing lost when signing fails."""

from __future__ import annotations

import datetime
import json

import pytest
import torch

from gohd_core.errors import BadInput
from gohd_core.render import render_video
from gohd_core.render.credentials import GENERATED, manifest, sign_video


def test_the_statement_says_that_it_is_generated() -> None:
    stated = manifest("a.mp4")
    (action,) = stated["assertions"][0]["data"]["actions"]
    assert action == {"action": "c2pa.created", "digitalSourceType": GENERATED}
    assert stated["claim_generator_info"][0]["name"] == "ComfyUI-GoHD"


@pytest.fixture(scope="module")
def signer(tmp_path_factory):
    """A certificate for signing, issued by an authority of our own, as PEM files."""
    pytest.importorskip("c2pa", reason="c2pa-python is not installed")
    x509 = pytest.importorskip("cryptography.x509", reason="cryptography is not installed")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    def name(common: str):
        parts = [(x509.NameOID.ORGANIZATION_NAME, "GoHD tests"), (x509.NameOID.COMMON_NAME, common)]
        return x509.Name([x509.NameAttribute(*part) for part in parts])

    def certificate(subject: str, key, issuer_key, *, authority: bool):
        now = datetime.datetime.now(datetime.timezone.utc)
        usage = dict.fromkeys(
            ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only",
             "decipher_only"), False
        )  # fmt: skip
        usage |= {"digital_signature": not authority, "key_cert_sign": authority, "crl_sign": authority}
        identifier = x509.SubjectKeyIdentifier.from_public_key
        builder = (
            x509.CertificateBuilder()
            .subject_name(name(subject))
            .issuer_name(name("authority"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30))
            .add_extension(x509.BasicConstraints(authority, None), True)
            .add_extension(x509.KeyUsage(**usage), True)
            .add_extension(identifier(key.public_key()), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False)
        )
        if not authority:
            purpose = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.EMAIL_PROTECTION])
            builder = builder.add_extension(purpose, False)
        return builder.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    root, own = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    folder = tmp_path_factory.mktemp("signer")
    chain = certificate("signer", own, root, authority=False) + certificate(
        "authority", root, root, authority=True
    )
    (folder / "chain.pem").write_bytes(chain)
    pem, pkcs8, plain = (
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "key.pem").write_bytes(own.private_bytes(pem, pkcs8, plain))
    return folder


@pytest.fixture
def video(tmp_path):
    pytest.importorskip("av", reason="PyAV is not installed")
    return render_video(tmp_path / "a.mp4", [torch.zeros(5, 3, 64, 64)])


def test_credentials_are_signed_into_the_video_and_read_back(signer, video) -> None:
    import av
    import c2pa

    sign_video(video, signer / "chain.pem", signer / "key.pem")
    with video.open("rb") as file, c2pa.Reader("video/mp4", file) as reader:
        store = json.loads(reader.json())
    stated = store["manifests"][store["active_manifest"]]
    actions = next(a for a in stated["assertions"] if a["label"].startswith("c2pa.actions"))
    assert actions["data"]["actions"][0]["digitalSourceType"] == GENERATED
    assert stated["title"] == "a.mp4" and stated["signature_info"]["issuer"] == "GoHD tests"
    with av.open(str(video)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 5
    assert [path.name for path in video.parent.iterdir()] == ["a.mp4"]


def test_a_refused_certificate_leaves_the_video_as_it_was(signer, video, tmp_path) -> None:
    before = video.read_bytes()
    with pytest.raises(BadInput, match="could not be signed"):
        sign_video(video, signer / "key.pem", signer / "key.pem")
    with pytest.raises(BadInput, match="can't be read"):
        sign_video(video, tmp_path / "none.pem", signer / "key.pem")
    assert video.read_bytes() == before and [path.name for path in tmp_path.iterdir()] == ["a.mp4"]
