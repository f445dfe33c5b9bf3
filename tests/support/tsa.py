"""A time-stamping authority: `openssl ts`, with a root and a certificate of its own, and its answers over HTTP."""

import datetime as dt
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NAME = "Time-stamps of the tests"
CONFIGURATION = """
[tsa]
default_tsa = here
[here]
dir = .
serial = serial
signer_cert = tsa.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
"""


class Authority:
    """One, in a folder."""

    def __init__(self, folder: Path, name: str = NAME) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.roots = folder, folder / "roots.pem"
        root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        root = _certificate("Root of the tests", root_key, "Root of the tests", root_key)
        leaf = _certificate(name, key, "Root of the tests", root_key, stamps=True)
        self.roots.write_bytes(_pem(root))
        (folder / "tsa.pem").write_bytes(_pem(leaf))
        (folder / "tsa.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        (folder / "serial").write_text("01\n")
        (folder / "tsa.cnf").write_text(CONFIGURATION)

    def reply(self, query: bytes) -> bytes:
        """Its answer to a question."""
        (self.folder / "query").write_bytes(query)
        command = ["openssl", "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query", "-chain", "tsa.pem"]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def verifies(self, token: Path, data: Path) -> bool:
        """What `openssl ts -verify` says of a token."""
        command: list[str | Path] = ["openssl", "ts", "-verify", "-in", token, "-data", data, "-CAfile", self.roots]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Its address."""

        async def answer(request: web.Request) -> web.Response:
            assert request.content_type == "application/timestamp-query"
            return web.Response(body=self.reply(await request.read()), content_type="application/timestamp-reply")

        application = web.Application()
        application.router.add_post("/tsr", answer)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}/tsr"
        finally:
            await runner.cleanup()


def _certificate(
    subject: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    stamps: bool = False,
) -> x509.Certificate:
    now = dt.datetime.now(tz=dt.UTC)
    usage = x509.KeyUsage(
        digital_signature=stamps, content_commitment=stamps, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=not stamps, crl_sign=not stamps, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=2))
        .not_valid_after(now + dt.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=not stamps, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if stamps:
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
    return made.sign(issuer_key, hashes.SHA256())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
