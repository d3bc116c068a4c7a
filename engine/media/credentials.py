"""Content credentials (C2PA): what a signed manifest in a file says, and whether it still fits the file.

Three questions, answered apart: is the file the one that was described (binding), was the description signed and not changed
since (signature), and is the signer one whom the C2PA vouches for (trust). A file without credentials is as good as one with
them: most have none, and many services remove them.

c2pa-python reads them, in the decoder's child. Nothing is fetched: neither manifests kept elsewhere nor whether a certificate
has been revoked.
Source: C2PA Technical Specification 2.2, section 15 (validation), whose status codes are read here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any, NoReturn

from engine.core.paths import ASSETS
from engine.media.source import Source, Window, shown

TRUST_LISTS = {  # kind, as c2pa names it: file in assets/trust and its SHA-256
    "manifest": ("c2pa.pem", "75cacc98b79ecac33713c7ecfb58d4a0ef383f3c1f886e7409f9e37e8664aea5"),
    "tsa": ("tsa.pem", "c688d3555f4a2f1f8d663472bbd37888ff234abdd234c25934c0f9292e4eb5c9"),
}
TRUST_LIST_DATE = "24 September 2026"
MOST_ACTIONS, MOST_INGREDIENTS = 12, 8
_TYPES = {"jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp", "heif": "image/heic", "tiff": "image/tiff",
          "mov": "video/mp4",
          "mp3": "audio/mpeg", "wav": "audio/wav", "avi": "video/avi", "flac": "audio/flac"}  # fmt: skip
_BOUND = ("assertion.dataHash.match", "assertion.bmffHash.match", "assertion.boxesHash.match")
_UNBOUND = ("assertion.dataHash.mismatch", "assertion.bmffHash.mismatch", "assertion.boxesHash.mismatch")
_NO_BINDING = ("claim.hardBindings.missing", "assertion.dataHash.malformed", "assertion.bmffHash.malformed")
_CHANGED = ("assertion.hashedURI.mismatch", "assertion.missing", "claimSignature.mismatch", "claim.malformed")
_EXPIRED = ("signingCredential.expired", "claimSignature.outsideValidity")
_NOT_CHECKED = "Whether the certificate has been revoked was not asked: nothing is fetched."
Fact = tuple[str, str, str]


def settings(trusted: dict[str, str]) -> dict[str, Any]:
    """c2pa's settings: nothing is fetched, everything is verified.

    Args:
        trusted: certificates (PEM) of those who are trusted to sign ("manifest") and to stamp the time ("tsa").
    """
    return {
        "version": 1,
        "verify": {
            "verify_after_reading": True, "verify_trust": True, "verify_timestamp_trust": True, "ocsp_fetch": False,
            "remote_manifest_fetch": False,
        },
        "core": {"allowed_network_hosts": [], "decode_identity_assertions": False, "max_decompressed_manifest_size_in_mb": 50},
        "trust": {"anchors": [{"trust_anchors": pem, "trust_kind": kind, "trust_uri": kind} for kind, pem in trusted.items()]},
    }  # fmt: skip


def trust_lists() -> dict[str, str]:
    """The C2PA's lists, PEM; without one whose file is not the one whose hash is known: nobody is trusted by mistake."""
    found = {}
    for kind, (name, sha256) in TRUST_LISTS.items():
        try:
            data = (ASSETS / "trust" / name).read_bytes()
        except OSError:
            continue
        if hashlib.sha256(data).hexdigest() == sha256:
            found[kind] = data.decode("ascii")
    return found


def facts(source: Source, container: str, trusted: dict[str, str] | None = None) -> list[Fact]:
    """(name, what is said, what it is worth) of a file's credentials, in order of importance.

    Args:
        container: as Clip.container has it.
        trusted: as for `settings`; None takes the C2PA's lists.
    """
    kind = _TYPES.get(container.split(",")[0])
    if kind is None:
        return [("content credentials", "not looked for", "credentials of this kind of file are not read here")]
    try:
        import c2pa
    except (ImportError, OSError, RuntimeError):
        return [("content credentials", "not looked for", "c2pa-python is missing or does not run on this system")]
    anchors = trust_lists() if trusted is None else trusted
    try:
        with (
            c2pa.Context.from_dict(settings(anchors)) as context,
            c2pa.Reader(kind, _Bytes(source.window()), context=context) as reader,
        ):
            said = json.loads(reader.json())
    except MemoryError:
        raise
    except Exception as error:  # c2pa's own, ctypes', and JSON's: whatever a damaged manifest leads to
        return _unread(str(error))
    try:
        return _facts(said, bool(anchors.get("manifest")))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        return _unread("a manifest of another shape")


class _Bytes:
    """The file as c2pa wants it: it asks for everything a file object has, and writes nothing when it reads."""

    def __init__(self, window: Window) -> None:
        self.read, self.seek, self.tell = window.read, window.seek, window.tell

    def write(self, _: bytes) -> NoReturn:
        raise OSError("a clip is not written to")

    def flush(self) -> None:
        """Nothing is held back."""


def _unread(why: str) -> list[Fact]:
    """What is said where there is no manifest to be read."""
    if why.startswith("ManifestNotFound"):
        return [
            (
                "content credentials",
                "none",
                "neither for nor against the file: most files have none, and many services remove them",
            )
        ]
    if why.startswith("Remote"):
        where = why.rpartition("url ")[2] if "url " in why else "elsewhere"
        note = "the file only names where its credentials are kept; they were not fetched, so that nothing is known of them"
        return [("content credentials", shown(f"kept elsewhere: {where}", 200), note)]
    return [("content credentials", "cannot be read", shown(f"they are damaged or of an unknown kind ({why})", 300))]


def _facts(said: dict[str, Any], listed: bool) -> list[Fact]:
    results = said["validation_results"]["activeManifest"]
    good, bad = (frozenset(str(x["code"]) for x in results.get(k, ())) for k in ("success", "failure"))
    manifest = said["manifests"][said["active_manifest"]]
    signature = manifest.get("signature_info") or {}
    signer = shown(" / ".join(str(x) for x in (signature.get("issuer"), signature.get("common_name")) if x) or "not named", 150)
    found = [
        ("content credentials", "present", f"signed by {signer}; a signature says who vouches for what, not that it is true"),
        _binding(good, bad),
        _signature(good, bad),
        _trust(good, bad, signer, listed),
    ]
    if signature.get("time"):
        when = shown(str(signature["time"]), 60)
        found.append(("signed at", when, "from the stamp in the signature"))
    maker = ", ".join(_agent(x) for x in list(manifest.get("claim_generator_info") or ())[:4])
    if maker:
        found.append(("credentials made by", shown(maker, 150), "as its software named itself"))
    found += _actions(manifest)
    for other in list(manifest.get("ingredients") or ())[:MOST_INGREDIENTS]:
        label = shown(f"{other.get('title') or 'without a title'} ({other.get('relationship') or 'related'})", 150)
        found.append(("made from", label, "as the credentials state"))
    return found


def _binding(good: frozenset[str], bad: frozenset[str]) -> Fact:
    if bad & set(_UNBOUND):
        return (
            "binding",
            "does not fit the file",
            "the file was changed after its credentials were made, or they belong to another file",
        )
    if good & set(_BOUND) and not bad & set(_NO_BINDING):
        return ("binding", "fits the file", "the file is, byte for byte where the credentials cover it, the one they describe")
    return ("binding", "no hash that could be compared", "the credentials name none of the file, or one that cannot be read")


def _signature(good: frozenset[str], bad: frozenset[str]) -> Fact:
    if bad & set(_CHANGED):
        return ("signature", "does not hold", "the credentials themselves were changed or damaged after they were signed")
    if "claimSignature.validated" in good:
        others = sorted(
            c for c in bad if c.startswith(("claim", "assertion.", "ingredient.")) and c not in (*_UNBOUND, *_EXPIRED)
        )
        if others:
            return (
                "signature",
                "holds, with faults",
                shown(f"the credentials are as signed, but break rules: {', '.join(others)}", 300),
            )
        return ("signature", "holds", "the credentials are as they were when they were signed")
    return ("signature", "cannot be checked", shown(", ".join(sorted(bad)) or "no signature was found", 200))


def _trust(good: frozenset[str], bad: frozenset[str], signer: str, listed: bool) -> Fact:
    if bad & set(_EXPIRED):
        return (
            "trust",
            "certificate not valid at this date",
            f"{signer} signed with a certificate outside its dates. {_NOT_CHECKED}",
        )
    if "signingCredential.revoked" in bad:
        return ("trust", "certificate revoked", f"by what the credentials themselves hold; {signer} is not to be relied on")
    if "signingCredential.trusted" in good:
        return ("trust", "signer on the list", f"{signer} is vouched for by the C2PA's list of {TRUST_LIST_DATE}. {_NOT_CHECKED}")
    if not listed:
        return ("trust", "not known", "the list of trusted signers is missing here, so that nobody can be looked up")
    worth = "anybody can make such a certificate, and honest signers may have one too"
    note = f"{signer} is not on the C2PA's list of {TRUST_LIST_DATE}: {worth}"
    return ("trust", "signer not on the list", note)


def _actions(manifest: dict[str, Any]) -> list[Fact]:
    found = []
    for assertion in list(manifest.get("assertions") or ())[:100]:
        if not str(assertion.get("label", "")).startswith("c2pa.actions"):
            continue
        for action in list(assertion["data"].get("actions") or ())[:MOST_ACTIONS]:
            kind = str(action.get("digitalSourceType") or "").rpartition("/")[2]
            parts = [str(action.get("action", "")).removeprefix("c2pa."), f"source {kind}" if kind else ""]
            parts += [
                f"with {_agent(action['softwareAgent'])}" if action.get("softwareAgent") else "",
                str(action.get("when") or ""),
            ]
            found.append(("action", shown(", ".join(p for p in parts if p), 200), "as the credentials state"))
    return found[:MOST_ACTIONS]


def _agent(value: Any) -> str:
    if isinstance(value, dict):
        parts: Iterable[Any] = (value.get("name"), value.get("version"))
        return " ".join(str(p) for p in parts if p)
    return str(value)
