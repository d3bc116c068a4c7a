"""Pictures and films signed with certificates made here, for the tests of content credentials."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import c2pa
import numpy as np
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from PIL import Image

MANIFEST = {
    "claim_generator_info": [{"name": "Test writer", "version": "1"}],
    "title": "a test",
    "assertions": [
        {
            "label": "c2pa.actions",
            "data": {
                "actions": [
                    {
                        "action": "c2pa.created",
                        "softwareAgent": {"name": "Test camera"},
                        "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture",
                    }
                ]
            },
        }
    ],
}


@dataclass(frozen=True)
class Chain:
    """Certificates of a signer and of who vouches for them, and the signer's key, PEM."""

    certificates: bytes
    key: bytes
    root: str


def chain(first_day: float = -1, last_day: float = 365) -> Chain:
    """A signer whose certificate holds from one day to another, counted from today."""
    now = datetime.now(UTC)
    above, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    known_as = x509.SubjectKeyIdentifier.from_public_key(above.public_key())

    def begun(name: str, key: ec.EllipticCurvePrivateKey, first: float, last: float) -> x509.CertificateBuilder:
        made = (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(_name("Root of the tests"))
            .public_key(key.public_key())
        )
        made = made.serial_number(x509.random_serial_number())
        return made.not_valid_before(now + timedelta(days=first)).not_valid_after(now + timedelta(days=last))

    root = begun("Root of the tests", above, -4_000, 4_000).add_extension(x509.BasicConstraints(True, None), True)
    root = root.add_extension(_usage(signs_certificates=True), True).add_extension(known_as, False)
    leaf = begun("Signer of the tests", own, first_day, last_day).add_extension(x509.BasicConstraints(False, None), True)
    leaf = leaf.add_extension(_usage(signs_certificates=False), True)
    leaf = leaf.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)
    leaf = leaf.add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), False)
    leaf = leaf.add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(known_as), False)
    pem = [c.sign(above, hashes.SHA256()).public_bytes(serialization.Encoding.PEM) for c in (leaf, root)]
    secret = own.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Chain(b"".join(pem), secret, pem[1].decode())


def _name(common: str) -> x509.Name:
    parts = ((NameOID.COUNTRY_NAME, "NL"), (NameOID.ORGANIZATION_NAME, "Tests"), (NameOID.COMMON_NAME, common))
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in parts])


def _usage(signs_certificates: bool) -> x509.KeyUsage:
    signs = signs_certificates
    return x509.KeyUsage(not signs, False, False, False, False, signs, signs, False, False)


def picture(kind: str = "JPEG", seed: int = 0, quality: int = 90, side_px: int = 320) -> bytes:
    """A coloured picture with an Exif block."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 255, (side_px // 8, side_px // 8, 3), np.uint8)
    image = Image.fromarray(coarse).resize((side_px, side_px * 3 // 4), Image.Resampling.BICUBIC)
    out = io.BytesIO()
    image.save(out, kind, exif=exif(), **({"quality": quality} if kind == "JPEG" else {}))
    return out.getvalue()


def exif(orientation: int = 1) -> Image.Exif:
    """Westminster at noon, by a camera that never was."""
    held = Image.Exif()
    held[0x010F], held[0x0110], held[0x0131], held[0x0112] = "Fabrik", "Modell 1", "Editor 7", orientation
    more, place = held.get_ifd(0x8769), held.get_ifd(0x8825)
    more[0x9003], more[0x9011], more[0xA434] = "2024:05:17 12:30:00", "+01:00", "23 mm"
    place[1], place[2], place[3], place[4], place[6] = "N", (51.0, 30.0, 2.5), "W", (0.0, 7.0, 28.4), 20.0
    return held


def signed(data: bytes, mime: str, who: Chain, elsewhere: str = "") -> bytes:
    """A file with credentials; kept elsewhere, and only named in it, when an address is given."""
    builder = c2pa.Builder.from_json(json.dumps(MANIFEST | {"format": mime}))
    if elsewhere:
        builder.set_no_embed()
        builder.set_remote_url(elsewhere)
    info = c2pa.C2paSignerInfo(alg=b"es256", sign_cert=who.certificates, private_key=who.key, ta_url=None)
    out = io.BytesIO()
    builder.sign(c2pa.Signer.from_info(info), mime, io.BytesIO(data), out)
    return out.getvalue()


def changed(data: bytes, at: int) -> bytes:
    """The same with one byte changed."""
    made = bytearray(data)
    made[at] ^= 0x55
    return bytes(made)


def written(path: Path, data: bytes) -> Path:
    """The file of these bytes."""
    path.write_bytes(data)
    return path
