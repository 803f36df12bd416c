"""Apple's rules for one APNs request, as a strict provider would hold us to them.

Pure: headers and body in, status and reason out; no socket, no file.  The reasons are the words of
Apple's table (https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns);
what they do not say stands in `why`, which goes to the log of the stand-in and never on the wire.
"""
import base64
import dataclasses
import json
import re

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

JWT_AGE_MAX = 3600  # "one hour": older is ExpiredProviderToken
JWT_CHANGE_MIN = 20 * 60  # a new token on the same connection sooner than this is TooManyProviderTokenUpdates
EXPIRATION_MAX = 30 * 24 * 3600
PAYLOAD_MAX = 4096
PAYLOAD_MAX_VOIP = 5120
COLLAPSE_ID_MAX = 64
CLOCK_SLACK = 60
TOPICS_OID = x509.ObjectIdentifier('1.2.840.113635.100.6.3.6')

UUID = re.compile(r'[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}')
PATH = re.compile(r'/3/device/([^/]*)')
TOKEN = re.compile(r'(?:[0-9a-fA-F]{2}){32,256}')
KNOWN_HEADERS = {
    ':method', ':scheme', ':path', ':authority', 'host', 'authorization', 'apns-topic', 'apns-push-type', 'apns-priority',
    'apns-expiration', 'apns-id', 'apns-collapse-id', 'content-type', 'content-length', 'user-agent', 'accept'
}


@dataclasses.dataclass
class Answer:
    """What goes back: status 200 or a status with Apple's reason. `why` is for people."""
    status: int
    reason: str = ''
    why: str = ''
    timestamp_ms: int = 0

    @property
    def body(self):
        if self.status == 200:
            return b''
        words = {'reason': self.reason}
        if self.timestamp_ms:
            words['timestamp'] = self.timestamp_ms
        return json.dumps(words).encode()

    @property
    def headers(self):
        return [('content-type', 'application/json')] if self.body else []


class Refusal(Exception):
    def __init__(self, status, reason, why=''):
        super().__init__(why or reason)
        self.answer = Answer(status, reason, why)


def load_public_key(pem):
    """The P-256 public key of a PEM text that holds either half (a .p8 file is PKCS#8)."""
    if b'PRIVATE KEY' in pem:
        key = serialization.load_pem_private_key(pem, None).public_key()
    else:
        key = serialization.load_pem_public_key(pem)
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != 'secp256r1':
        raise ValueError('the provider key is not a P-256 key')
    return key


def base64url(text):
    """Strict: the alphabet of RFC 4648 section 5, no padding."""
    if not re.fullmatch(r'[A-Za-z0-9_-]*', text):
        raise ValueError('not base64url without padding')
    return base64.urlsafe_b64decode(text + '=' * (-len(text) % 4))


def certificate_topics(der):
    """The topics that a certificate in DER names, or None: it names none. They stand in an extension, a SEQUENCE of a topic
    and a SEQUENCE of the kinds of pushes for it, in turn, all of them short."""
    certificate = x509.load_der_x509_certificate(der)
    try:
        rest = certificate.extensions.get_extension_for_oid(TOPICS_OID).value.value[2:]
    except x509.ExtensionNotFound:
        return None
    topics = set()
    while rest:
        tag, size = rest[:2]
        if tag == 0x0c:
            topics.add(rest[2:2 + size].decode())
        rest = rest[2 + size:]
    return topics


def base64url_of(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()


class Rules:
    """What one team may do. `topics` are the plain bundle ids; voip adds its suffix.

    `clients_under`: the path of an authority (PEM); clients are asked for a certificate under it, and one that shows a good
    certificate needs no token."""
    alpn = ('h2',)
    first_streams = 1  # as seen in a log of the real service: one until the first good token
    known_headers = KNOWN_HEADERS

    def __init__(self, team_id, key_id, public_key, topics, clients_under=None):
        self.clients_under = clients_under
        self.team_id = team_id
        self.key_id = key_id
        self.public_key = public_key
        self.topics = set(topics)

    def answer(self, how, now):
        """What an `answer` behaviour says."""
        answer = Answer(how['status'], how['reason'], 'as told')
        if answer.status == 410:
            answer.timestamp_ms = int(how.get('timestamp', now * 1000 + 2000))
        return answer

    def connection_rules(self, connection, headers, jwt, answer, now):
        """The rules that need a memory of the connection."""
        if not jwt:
            return answer
        if connection.jwt and jwt != connection.jwt and now - connection.jwt_since < JWT_CHANGE_MIN:
            return Answer(429, 'TooManyProviderTokenUpdates', f'new token after {int(now - connection.jwt_since)} s')
        if jwt != connection.jwt:
            connection.jwt, connection.jwt_since = jwt, now
        connection.trust()
        return answer

    def judge_token(self, authorization, now):
        """Raises Refusal; returns the JWT text when it is good."""
        if not authorization:
            raise Refusal(403, 'MissingProviderToken', 'no authorization header')
        if not authorization.startswith('bearer '):
            raise Refusal(403, 'InvalidProviderToken', 'authorization does not begin with "bearer " in lower case')
        jwt = authorization[len('bearer '):]
        parts = jwt.split('.')
        if len(parts) != 3:
            raise Refusal(403, 'InvalidProviderToken', 'not three parts')
        try:
            header = json.loads(base64url(parts[0]))
            claims = json.loads(base64url(parts[1]))
            signature = base64url(parts[2])
        except ValueError as error:
            raise Refusal(403, 'InvalidProviderToken', f'a part does not decode: {error}') from None
        if not isinstance(header, dict) or not isinstance(claims, dict):
            raise Refusal(403, 'InvalidProviderToken', 'header or claims are no objects')
        if header.get('alg') != 'ES256':
            raise Refusal(403, 'InvalidProviderToken', f'alg is {header.get("alg")!r}')
        if header.get('kid') != self.key_id:
            raise Refusal(403, 'InvalidProviderToken', f'kid is {header.get("kid")!r}')
        if claims.get('iss') != self.team_id:
            raise Refusal(403, 'InvalidProviderToken', f'iss is {claims.get("iss")!r}')
        if len(signature) != 64:
            raise Refusal(403, 'InvalidProviderToken', f'signature of {len(signature)} bytes, raw R||S has 64')
        der = utils.encode_dss_signature(int.from_bytes(signature[:32], 'big'), int.from_bytes(signature[32:], 'big'))
        try:
            self.public_key.verify(der, f'{parts[0]}.{parts[1]}'.encode(), ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            raise Refusal(403, 'InvalidProviderToken', 'the signature does not verify') from None
        issued = claims.get('iat')
        if not isinstance(issued, int) or isinstance(issued, bool):
            raise Refusal(403, 'InvalidProviderToken', 'iat is not a whole number')
        if issued < now - JWT_AGE_MAX:
            raise Refusal(403, 'ExpiredProviderToken', f'iat is {int(now) - issued} s old')
        if issued > now + CLOCK_SLACK:
            raise Refusal(403, 'InvalidProviderToken', f'iat is {issued - int(now)} s in the future')
        return jwt

    def judge(self, headers, body, now, certificate=b''):
        """(Answer, device token, JWT or ''). `headers` is a list of (name, value) texts in wire order; `certificate` is what
        the client showed, in DER."""
        device = jwt = ''
        try:
            fields = _fields(headers)
            device = _device(fields)
            if certificate:  # "APNs ignores the authorization header": ours sends none
                if 'authorization' in fields:
                    raise Refusal(403, 'InvalidProviderToken', 'a token beside a certificate')
                topics = certificate_topics(certificate)
                if topics is not None and fields.get('apns-topic') not in topics:
                    raise Refusal(400, 'TopicDisallowed', f'the certificate is for {sorted(topics)}')
            else:
                jwt = self.judge_token(fields.get('authorization'), now)
            if not TOKEN.fullmatch(device):
                raise Refusal(400, 'BadDeviceToken', 'the device token is not 32 or more bytes in hex')
            push_type = self._judge_headers(fields, now)
            _judge_payload(push_type, fields, body)
        except Refusal as refusal:
            return refusal.answer, device, jwt
        return Answer(200), device, jwt

    def _judge_headers(self, fields, now):
        push_type = fields.get('apns-push-type')
        if push_type not in ('alert', 'background', 'voip'):
            raise Refusal(400, 'InvalidPushType', f'apns-push-type is {push_type!r}')
        topic = fields.get('apns-topic')
        if not topic:
            raise Refusal(400, 'MissingTopic')
        wanted = {t + '.voip' for t in self.topics} if push_type == 'voip' else self.topics
        if topic not in wanted:
            known = topic in self.topics or topic.removesuffix('.voip') in self.topics
            raise Refusal(400, 'BadTopic' if known else 'TopicDisallowed', f'apns-topic is {topic!r} with {push_type}')
        priority = fields.get('apns-priority', '10')
        if priority not in ('10', '5', '1'):
            raise Refusal(400, 'BadPriority', f'apns-priority is {priority!r}')
        if push_type == 'background' and priority == '10':
            raise Refusal(400, 'BadPriority', 'a background push must not have priority 10')
        expiration = fields.get('apns-expiration', '0')
        if not re.fullmatch(r'0|[1-9][0-9]{0,11}', expiration):
            raise Refusal(400, 'BadExpirationDate', f'apns-expiration is {expiration!r}')
        if expiration != '0' and not now < int(expiration) <= now + EXPIRATION_MAX + CLOCK_SLACK:
            raise Refusal(400, 'BadExpirationDate', f'apns-expiration is {int(expiration) - int(now)} s from now')
        if 'apns-id' in fields and not UUID.fullmatch(fields['apns-id']):
            raise Refusal(400, 'BadMessageId', 'apns-id is not a lower-case UUID')
        if 'apns-collapse-id' in fields and not 0 < len(fields['apns-collapse-id'].encode()) <= COLLAPSE_ID_MAX:
            raise Refusal(400, 'BadCollapseId', 'apns-collapse-id is empty or longer than 64 bytes')
        return push_type


def _fields(headers):
    fields = {}
    for name, value in headers:
        if name in fields:
            raise Refusal(400, 'DuplicateHeaders', f'{name} stands twice')
        fields[name] = value
    return fields


def _device(fields):
    path = fields.get(':path', '')
    match = PATH.fullmatch(path)
    if not match:
        raise Refusal(404, 'BadPath', f'path is {path[:80]!r}')
    if fields.get(':method') != 'POST':
        raise Refusal(405, 'MethodNotAllowed', f'method is {fields.get(":method")!r}')
    if fields.get(':scheme') != 'https':
        raise Refusal(400, 'BadPath', f'scheme is {fields.get(":scheme")!r}')
    if not match[1]:
        raise Refusal(400, 'MissingDeviceToken')
    return match[1]


def _judge_payload(push_type, fields, body):
    if not body:
        raise Refusal(400, 'PayloadEmpty')
    if len(body) > (PAYLOAD_MAX_VOIP if push_type == 'voip' else PAYLOAD_MAX):
        raise Refusal(413, 'PayloadTooLarge', f'{len(body)} bytes')
    try:
        payload = json.loads(body.decode('utf-8'), object_pairs_hook=unique_keys)
    except ValueError as error:
        raise Refusal(400, 'PayloadEmpty', f'the payload is not JSON: {error}') from None
    aps = payload.get('aps') if isinstance(payload, dict) else None
    if not isinstance(aps, dict):
        raise Refusal(400, 'PayloadEmpty', 'the payload has no aps object')
    if push_type == 'background':
        if aps.get('content-available') != 1 or {'alert', 'sound', 'badge'} & aps.keys():
            raise Refusal(400, 'InvalidPushType', 'background needs content-available 1 and neither alert, sound nor badge')
        if fields.get('apns-priority') != '5':
            raise Refusal(400, 'BadPriority', 'background needs apns-priority 5')
    if push_type == 'alert' and not aps.get('alert') and not aps.get('sound'):
        raise Refusal(400, 'InvalidPushType', 'alert needs an alert or a sound')


def unique_keys(pairs):
    """For json.loads: an object may not have a key twice."""
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise ValueError('a key stands twice')
    return dict(pairs)
