"""Keys and certificates of the provider stand-in, made anew at each start."""
import datetime
import ipaddress
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

import fcm_rules

NAMES = ('localhost', 'api.push.example.org')
ADDRESSES = ('127.0.0.1', '::1')


def write_private(path, data):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'wb') as file:
        file.write(data)


def pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def make_provider_key(directory, key_id):
    """Writes AuthKey_<key_id>.p8 as Apple hands it out and returns its path."""
    path = os.path.join(directory, f'AuthKey_{key_id}.p8')
    write_private(path, pem(ec.generate_private_key(ec.SECP256R1())))
    return path


def make_service_account(path, project, token_uri='https://localhost/token'):
    """Writes the JSON of a new service account, as the Firebase console hands it out, and returns its text."""
    text = fcm_rules.service_account(project, rsa.generate_private_key(public_exponent=65537, key_size=2048), token_uri)
    write_private(path, text.encode())
    return text


def make_certificates(directory):
    """ca.pem, server.pem, server.key in `directory`: a fresh authority whose key is thrown away."""
    now = datetime.datetime.now(datetime.timezone.utc)

    def builder(subject, issuer, key):
        return (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
                .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
                .not_valid_after(now + datetime.timedelta(days=30)))

    ca_key = ec.generate_private_key(ec.SECP256R1())
    key = ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, 'Stand-in authority')])
    ca_identifier = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())
    no_usage = dict.fromkeys(('content_commitment', 'key_encipherment', 'data_encipherment', 'key_agreement', 'encipher_only',
                              'decipher_only', 'digital_signature', 'key_cert_sign', 'crl_sign'), False)
    ca = (builder(ca_name, ca_name, ca_key)
          .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
          .add_extension(x509.KeyUsage(**{**no_usage, 'key_cert_sign': True, 'crl_sign': True}), critical=True)
          .add_extension(ca_identifier, critical=False).sign(ca_key, hashes.SHA256()))
    names = [x509.DNSName(n) for n in NAMES] + [x509.IPAddress(ipaddress.ip_address(a)) for a in ADDRESSES]
    server = (builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAMES[0])]), ca_name, key)
              .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
              .add_extension(x509.KeyUsage(**{**no_usage, 'digital_signature': True}), critical=True)
              .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
              .add_extension(x509.SubjectAlternativeName(names), critical=False)
              .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ca_identifier), critical=False)
              .sign(ca_key, hashes.SHA256()))
    with open(os.path.join(directory, 'ca.pem'), 'wb') as file:
        file.write(ca.public_bytes(serialization.Encoding.PEM))
    with open(os.path.join(directory, 'server.pem'), 'wb') as file:
        file.write(server.public_bytes(serialization.Encoding.PEM))
    write_private(os.path.join(directory, 'server.key'), pem(key))


def make_client_certificate(directory, topics=(), days=300, name='apns'):
    """<name>.pem and <name>.key as Apple's (with the key of its request), and clients.pem, the authority above it; returns their
    paths. `days` may be negative: it has expired."""
    now = datetime.datetime.now(datetime.timezone.utc)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(public_exponent=65537, key_size=2048)
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, 'Stand-in authority for clients')])
    subject = [x509.NameAttribute(NameOID.COMMON_NAME, 'Apple Push Services: ' + ', '.join(topics))]
    if topics:
        subject.append(x509.NameAttribute(NameOID.USER_ID, topics[0]))

    def builder(whose, public):
        return (x509.CertificateBuilder().subject_name(whose).issuer_name(ca_name).public_key(public)
                .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=400))
                .not_valid_after(now + datetime.timedelta(days=days)))

    ca = builder(ca_name, ca_key.public_key()).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    own = builder(x509.Name(subject), key.public_key()).add_extension(
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    if topics:  # SEQUENCE of a topic and a SEQUENCE of the kinds of pushes for it, in turn
        def der(tag, content):
            assert len(content) < 128
            return bytes([tag, len(content)]) + content
        kinds = der(0x30, der(0x0c, b'app'))
        value = der(0x30, b''.join(der(0x0c, topic.encode()) + kinds for topic in topics))
        own = own.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier('1.2.840.113635.100.6.3.6'), value), critical=False)
    paths = [os.path.join(directory, file) for file in (f'{name}.pem', f'{name}.key', 'clients.pem')]
    with open(paths[0], 'wb') as file:
        file.write(own.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    write_private(paths[1], pem(key))
    with open(paths[2], 'wb') as file:
        file.write(ca.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return paths
