"""nginx with the configuration in `deploy/`, in front of a service."""

import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.patience import TIMEOUT
from tests.support.ports import find_free_port
from tests.support.programs import find_program
from tests.support.serving import wait_until

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "nginx.conf"
CERTIFICATE = "certificate.pem"  # in the directory
MAIN = """\
daemon off;
pid {directory}/pid;
error_log {directory}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    include {directory}/stuff.conf;
}}
"""


@contextmanager
def nginx(directory: Path, service: str) -> Iterator[httpx.Client]:
    """A client of nginx on a free port of this machine, in front of the service at this URL."""
    program = find_program("nginx", package="nginx-light")
    port = find_free_port()
    certificate, key = directory / CERTIFICATE, directory / "key.pem"
    _make_certificate(certificate, key)
    text = CONFIGURATION.read_text()
    for example, ours in {
        "listen 443 ": f"listen 127.0.0.1:{port} ",
        "127.0.0.1:8000": urlsplit(service).netloc,
        "/etc/ssl/certs/stuff.pem": str(certificate),
        "/etc/ssl/private/stuff.key": str(key),
    }.items():
        assert text.count(example) == 1, example
        text = text.replace(example, ours)
    (directory / "stuff.conf").write_text(text)
    (directory / "nginx.conf").write_text(MAIN.format(directory=directory))
    process = subprocess.Popen(
        [program, "-e", str(directory / "error.log"), "-c", str(directory / "nginx.conf")]
    )
    context = ssl.create_default_context(cafile=str(certificate))
    url = f"https://127.0.0.1:{port}"
    try:
        with httpx.Client(base_url=url, verify=context, timeout=TIMEOUT) as client:
            wait_until(lambda: _answers(client, process))
            yield client
    finally:
        process.terminate()
        process.wait(TIMEOUT)


def _answers(client: httpx.Client, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None
    try:
        return client.get("/api/readyz").status_code == 200
    except httpx.TransportError:
        return False


def _make_certificate(certificate: Path, key: Path) -> None:
    """A self-signed certificate of 127.0.0.1."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(private, hashes.SHA256())
    )
    certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
