"""A certificate for localhost and 127.0.0.1 that nobody vouches for, valid from 2020 to 2120."""

import ssl
from pathlib import Path

# Both serve these tests alone; the key protects nothing.
_KEY = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgltgeM3ZwgWpRHbQz
Y4KCeN6SKliY0vHbDGY8JrD121+hRANCAARImOpEXSLEzoN46rMAxlVEN2kK9SyP
bXTF/L+bAT9wv/8+BcMVJyta/ux7vt7X9U0Hb052Udej8eywl/YW0Rs+
-----END PRIVATE KEY-----
"""
_CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBZjCCAQ2gAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhv
c3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBQxEjAQBgNVBAMM
CWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABEiY6kRdIsTOg3jq
swDGVUQ3aQr1LI9tdMX8v5sBP3C//z4FwxUnK1r+7Hu+3tf1TQdvTnZR16Px7LCX
9hbRGz6jTjBMMBoGA1UdEQQTMBGCCWxvY2FsaG9zdIcEfwAAATAPBgNVHRMBAf8E
BTADAQH/MB0GA1UdDgQWBBQJGZr2VSexenIUYYIvHSOc+5bsfDAKBggqhkjOPQQD
AgNHADBEAiALeuaoh6GFq+K3XRz8mLI2R4yAH/QhgWnVZ9IodNmbIQIgcafr48sQ
59OT2E6kswkHzupZX2MvKmAjUIcsi8zqMu4=
-----END CERTIFICATE-----
"""


def certificate(folder: Path) -> Path:
    """Write the certificate, for a client that is to trust it."""
    path = folder / "certificate.pem"
    path.write_text(_CERTIFICATE)
    return path


def server_context(folder: Path) -> ssl.SSLContext:
    """What a server shows to its clients."""
    key = folder / "key.pem"
    key.write_text(_KEY)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(folder), key)
    return context
