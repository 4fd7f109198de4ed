"""Certificates for the tests, made when they run: good ones, and bad ones of each kind."""
import base64
import datetime
import hashlib
import ipaddress
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime.datetime.now(datetime.timezone.utc)
DAY = datetime.timedelta(days=1)
ENCODINGS = {
    "pkcs8": serialization.PrivateFormat.PKCS8,
    "traditional": serialization.PrivateFormat.TraditionalOpenSSL,  # PKCS#1 for RSA, SEC1 for EC
}


def new_key(kind="ec"):
    return ec.generate_private_key(ec.SECP256R1()) if kind == "ec" else rsa.generate_private_key(65537, 2048)


def subject(name):
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "wdsocket tests"),
                      x509.NameAttribute(NameOID.COMMON_NAME, name)])


def alternative(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


class Certificate:
    """A certificate and its key, as files."""

    def __init__(self, folder, name, key, certificate, chain=()):
        self.key, self.certificate = key, certificate
        self.cert_file = str(folder / f"{name}.pem")
        self.key_file = self.key_as("pkcs8", folder / f"{name}.key")
        pathlib.Path(self.cert_file).write_bytes(b"".join(pem(each) for each in (certificate, *chain)))
        self.both_file = str(folder / f"{name}.both.pem")  # as HAProxy wants it
        pathlib.Path(self.both_file).write_bytes(
            pathlib.Path(self.cert_file).read_bytes() + pathlib.Path(self.key_file).read_bytes())

    def key_as(self, encoding, path, password=None):
        encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        pathlib.Path(path).write_bytes(
            self.key.private_bytes(serialization.Encoding.PEM, ENCODINGS[encoding], encryption))
        return str(path)

    @property
    def pin(self):
        info = self.key.public_key().public_bytes(serialization.Encoding.DER,
                                                  serialization.PublicFormat.SubjectPublicKeyInfo)
        return "sha256//" + base64.b64encode(hashlib.sha256(info).digest()).decode()


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


class Authority:
    def __init__(self, folder, name, parent=None):
        self.folder, self.name, self.parent = folder, name, parent
        self.key = new_key()
        issuer, issuer_key = (parent.certificate.subject, parent.key) if parent else (subject(name), self.key)
        self.certificate = (
            builder(subject(name), issuer, self.key, NOW - DAY, NOW + 3650 * DAY)
            .add_extension(x509.BasicConstraints(True, None), critical=True)
            .add_extension(x509.KeyUsage(False, False, False, False, False, True, True, False, False), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False)
            .sign(issuer_key, hashes.SHA256()))
        self.file = str(folder / f"{name}.ca.pem")
        pathlib.Path(self.file).write_bytes(pem(self.certificate))

    def issue(self, file, names=("localhost", "127.0.0.1", "::1"), key=None, begin=NOW - DAY, end=NOW + 30 * DAY,
              usage=ExtendedKeyUsageOID.SERVER_AUTH, common=None):
        key = key or new_key()
        made = builder(subject(common or file), self.certificate.subject, key, begin, end)
        if names:
            made = made.add_extension(x509.SubjectAlternativeName([alternative(each) for each in names]), critical=False)
        made = (made.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
                .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
                .sign(self.key, hashes.SHA256()))
        chain = []
        above = self
        while above.parent:  # all but the root
            chain.append(above.certificate)
            above = above.parent
        return Certificate(self.folder, file, key, made, chain)


def self_signed(folder, file, names=("localhost", "127.0.0.1"), begin=NOW - DAY, end=NOW + 30 * DAY):
    key = new_key()
    made = (builder(subject(file), subject(file), key, begin, end)
            .add_extension(x509.SubjectAlternativeName([alternative(each) for each in names]), critical=False)
            .sign(key, hashes.SHA256()))
    return Certificate(folder, file, key, made)


def changed(folder, file, key, change):
    """A self-signed certificate that its makers would not make: `change` gets its parts, one encoded value each, from
    the version to the extensions, and says which they are to be."""
    made = self_signed(folder, file).certificate
    template = (builder(made.subject, made.subject, key, made.not_valid_before_utc, made.not_valid_after_utc)
                .add_extension(x509.SubjectAlternativeName([alternative("localhost")]), critical=False)
                .sign(key, hashes.SHA256()))
    body = der(0x30, b"".join(change(parts(template.tbs_certificate_bytes))))
    if isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(body, padding.PKCS1v15(), hashes.SHA256())
    else:
        signature = key.sign(body, ec.ECDSA(hashes.SHA256()))
    algorithm = parts(template.public_bytes(serialization.Encoding.DER))[1]
    whole = der(0x30, body + algorithm + der(3, b"\0" + signature))
    certificate = Certificate(folder, file, key, template)
    text = base64.encodebytes(whole).decode()
    pathlib.Path(certificate.cert_file).write_text(f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n")
    return certificate


def version_1(values):
    return values[1:7]  # neither version nor extensions


def with_serial_number(number):
    return lambda values: [values[0], der(2, number), *values[2:]]


def der(tag, content):
    length = len(content)
    if length < 128:
        return bytes([tag, length]) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def parts(sequence):
    """The encoded values in a sequence."""
    def begin(at):
        first = sequence[at + 1]
        if first < 128:
            return at + 2, first
        return at + 2 + (first & 127), int.from_bytes(sequence[at + 2:at + 2 + (first & 127)], "big")
    at, _ = begin(0)
    values = []
    while at < len(sequence):
        content, length = begin(at)
        values.append(sequence[at:content + length])
        at = content + length
    return values


def builder(name, issuer, key, begin, end):
    return (x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(begin).not_valid_after(end))
