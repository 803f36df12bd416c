"""What a strict push service accepts, as pure rules: headers and body in, answer out; no socket, no file.

RFC 8030 (TTL, Urgency, Topic), RFC 8188 and 8291 (the body opens with the subscription's keys), RFC 8292 (VAPID); where real services
are lax, the strictest one counts.  What is opened stands in the answer's `plain`, which goes to the records.  The errors have the shapes
of Mozilla's autopush, and of Apple and Google where `answer` behaviours ask for their words; what they do not say stands in `why`.
"""
import dataclasses
import hashlib
import hmac
import json
import re
import secrets

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from apns_rules import base64url, base64url_of, unique_keys

BODY_MAX = 4096  # every service takes so much (RFC 8030 section 7.2), and some no more
TTL_MAX = 60 * 24 * 3600
AHEAD_MAX = 24 * 3600
URGENCIES = ('very-low', 'low', 'normal', 'high')
TOPIC = re.compile(r'[A-Za-z0-9_-]{1,32}')
PATH = re.compile(r'/wpush/v2/([A-Za-z0-9_-]+)')
CREDENTIALS = re.compile(r'vapid t=([A-Za-z0-9_.-]+), ?k=([A-Za-z0-9_-]+)')
CONTACT = re.compile(r'(?:mailto:[^@]+@|https://)([A-Za-z0-9.-]+).*')
KNOWN_HEADERS = {
    ':method', ':scheme', ':path', ':authority', 'host', 'authorization', 'ttl', 'urgency', 'topic', 'content-encoding', 'content-type',
    'content-length', 'user-agent', 'accept',
}
# Words of Google's answers that are sentences in a page.
MISMATCH = ('the VAPID credentials in the authorization header do not correspond to the credentials used to create the subscriptions.')
PAGES = {'mismatch': (403, MISMATCH), 'UnauthorizedRegistration': (400, 'UnauthorizedRegistration'), 'html': (502, 'That’s an error.')}


@dataclasses.dataclass
class Answer:
    """What goes back; `errno` is autopush's."""
    status: int
    reason: str = ''
    why: str = ''
    content: dict = dataclasses.field(default_factory=dict)
    page: str = ''
    more: tuple = ()
    plain: str = None  # of a body that opened

    @property
    def body(self):
        if self.page:
            return f'<!DOCTYPE html><title>Error {self.status}</title><p>{self.page}'.encode()
        return json.dumps(self.content).encode() if self.content else b''

    @property
    def headers(self):
        kind = [('content-type', 'text/html; charset=UTF-8' if self.page else 'application/json')] if self.body else []
        return kind + list(self.more)


class Refusal(Exception):
    def __init__(self, status, errno, why):
        super().__init__(why)
        self.answer = autopush(status, errno, why)


def autopush(status, errno, why=''):
    words = {'code': status, 'errno': errno, 'error': 'refused', 'message': 'no', 'more_info': 'see the documentation'}
    return Answer(status, f'errno {errno}', why, words)


def point_of(key):
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def mac(key, text):
    return hmac.new(key, text, hashlib.sha256).digest()


@dataclasses.dataclass
class Subscription:
    """What a browser keeps; `words` is what it hands out."""
    name: str
    origin: str
    path: str
    application_key: str  # base64url of the VAPID key that it was made with; '': any
    key: ec.EllipticCurvePrivateKey = None  # None: a distributor without encryption, as old UnifiedPush
    auth: bytes = b''
    empty_refused: bool = False  # as Prosody's and ejabberd's UnifiedPush do

    @property
    def endpoint(self):
        return self.origin + self.path

    @property
    def words(self):
        if self.key is None:
            return {'endpoint': self.endpoint}
        return {'endpoint': self.endpoint, 'expirationTime': None,
                'keys': {'p256dh': base64url_of(point_of(self.key.public_key())), 'auth': base64url_of(self.auth)}}

    def open(self, body):
        """The plaintext of a body, by the steps of RFC 8291 section 3.4 with HMAC alone. ValueError says what is wrong."""
        if len(body) < 21 + 65 + 17:
            raise ValueError('too short for a header and a record')
        salt, record_size, length = body[:16], int.from_bytes(body[16:20], 'big'), body[20]
        if length != 65:
            raise ValueError(f'the key id has {length} bytes')
        sender, record = body[21:86], body[86:]
        if not 18 <= record_size or len(record) > record_size:
            raise ValueError(f'a record of {len(record)} bytes, but the header says {record_size}')
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        pseudo = mac(self.auth, self.key.exchange(ec.ECDH(), public))
        secret = mac(pseudo, b'WebPush: info\0' + point_of(self.key.public_key()) + sender + b'\1')
        pseudo = mac(salt, secret)
        key, nonce = mac(pseudo, b'Content-Encoding: aes128gcm\0\1')[:16], mac(pseudo, b'Content-Encoding: nonce\0\1')[:12]
        try:
            padded = AESGCM(key).decrypt(nonce, record, None).rstrip(b'\0')
        except InvalidTag:
            raise ValueError('it does not open with the keys of the subscription') from None
        if not padded.endswith(b'\2'):
            raise ValueError('the delimiter of the last record is not 2')
        return padded[:-1]


class Rules:
    """Subscriptions of one service; many real ones have no HTTP/2."""
    first_streams = 100
    known_headers = KNOWN_HEADERS

    def __init__(self, http1_only=False):
        self.alpn = ('http/1.1',) if http1_only else ('h2', 'http/1.1')
        self.subscriptions = {}  # the last part of the path -> Subscription
        self.seen = {}  # salt, or sender's key -> hash of the body
        self.tokens = set()  # JWTs
        self.messages = 0

    def subscribe(self, name, origin, application_key='', encrypted=True, empty_refused=False):
        """A new subscription, as PushManager.subscribe() of a browser makes it; `name` begins its device in the records."""
        device = name + '-' + secrets.token_urlsafe(24)
        key = ec.generate_private_key(ec.SECP256R1()) if encrypted else None
        made = Subscription(name, origin, '/wpush/v2/' + device, application_key, key, secrets.token_bytes(16) if encrypted else b'',
                            empty_refused)
        self.subscriptions[device] = made
        return made

    def expire(self, subscription):
        del self.subscriptions[subscription.path.rsplit('/', 1)[1]]

    def answer(self, how, _now):
        """What an `answer` behaviour says: status, and a word of Apple's, `errno N` of autopush, a page of Google's, or nothing."""
        word, status = how.get('reason', ''), how.get('status')
        if word in PAGES:
            found = Answer(status or PAGES[word][0], word, page=PAGES[word][1])
        elif word.startswith('errno '):
            found = autopush(status, int(word[6:]))
        else:
            found = Answer(status, word, content={'reason': word} if word else {})
        found.why = 'as told'
        found.more = tuple((name.replace('_', '-'), str(how[name])) for name in ('retry_after', 'location') if name in how)
        return found

    def connection_rules(self, _connection, _headers, _credential, answer, _now):
        return answer

    def judge(self, headers, body, now):
        """(Answer, device, ''): the device is the last part of the endpoint's path."""
        device, plain = '', None
        try:
            fields = {}
            for name, value in headers:
                if name in fields:
                    raise Refusal(400, 999, f'{name} stands twice')
                fields[name] = value
            if fields.get(':method') != 'POST' or fields.get(':scheme') != 'https':
                raise Refusal(405, 999, 'not a POST by https')
            match = PATH.fullmatch(fields.get(':path', ''))
            if not match:
                raise Refusal(404, 102, f'path is {fields.get(":path", "")[:80]!r}')
            device = match[1]
            subscription = self.subscriptions.get(device)
            if subscription is None:
                raise Refusal(410, 103, 'no such subscription')
            self.judge_credentials(fields.get('authorization', ''), subscription, now)
            judge_headers(fields)
            plain = self.judge_body(fields, body, subscription)
        except Refusal as refusal:
            return refusal.answer, device, ''
        self.messages += 1
        answer = Answer(201, more=(('location', f'{subscription.origin}/m/{self.messages}'), ('ttl', fields['ttl'])))
        answer.plain = plain
        return answer, device, ''

    def judge_credentials(self, authorization, subscription, now):
        match = CREDENTIALS.fullmatch(authorization)
        if not match:
            raise Refusal(401, 109, f'authorization is {authorization[:40]!r}')
        jwt, key = match.groups()
        parts = jwt.split('.')
        if len(parts) != 3:
            raise Refusal(401, 109, 'not three parts')
        try:
            header, claims = (json.loads(base64url(part), object_pairs_hook=unique_keys) for part in parts[:2])
            signature, point = base64url(parts[2]), base64url(key)
            if len(point) != 65 or len(signature) != 64:
                raise ValueError(f'k has {len(point)} bytes, the signature {len(signature)}')
            public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        except ValueError as trouble:
            raise Refusal(401, 109, f'a part does not decode: {trouble}') from None
        if header != {'typ': 'JWT', 'alg': 'ES256'}:
            raise Refusal(401, 109, f'header is {header}')
        der = utils.encode_dss_signature(int.from_bytes(signature[:32], 'big'), int.from_bytes(signature[32:], 'big'))
        try:
            public.verify(der, f'{parts[0]}.{parts[1]}'.encode(), ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            raise Refusal(401, 109, 'the signature does not verify with k') from None
        if not isinstance(claims, dict) or claims.keys() != {'aud', 'exp', 'sub'}:
            raise Refusal(401, 109, f'claims are {claims}')
        if claims['aud'] != subscription.origin:
            raise Refusal(401, 109, f'aud is {claims["aud"]!r}, we are {subscription.origin}')
        if type(claims['exp']) is not int or not now < claims['exp'] <= now + AHEAD_MAX:
            raise Refusal(401, 109, f'exp is {claims["exp"]!r}')
        contact = CONTACT.fullmatch(claims['sub']) if isinstance(claims['sub'], str) else None
        if not contact or contact[1].lower().endswith(('localhost', '.local', '.invalid')):
            raise Refusal(401, 109, f'sub is {claims["sub"]!r}')
        if subscription.application_key not in ('', key):
            raise Refusal(403, 109, 'another key than the subscription was made with')
        self.tokens.add(jwt)

    def judge_body(self, fields, body, subscription):
        """What it says, None for an empty one."""
        if len(body) > BODY_MAX:
            raise Refusal(413, 104, f'{len(body)} bytes')
        if subscription.key is None:
            if body not in (b'', b'{}'):
                raise Refusal(400, 110, 'content for a device without keys')
            if 'content-encoding' in fields:
                raise Refusal(400, 110, 'a content-encoding without keys')
            if not body and subscription.empty_refused:
                raise Refusal(400, 999, 'an empty message')
            return body.decode() or None
        if not body:
            if 'content-encoding' in fields or 'content-type' in fields:
                raise Refusal(400, 110, 'a content-encoding or content-type without a body')
            return None
        if fields.get('content-encoding') != 'aes128gcm' or fields.get('content-type') != 'application/octet-stream':
            raise Refusal(400, 110, f'encoding {fields.get("content-encoding")!r}, type {fields.get("content-type")!r}')
        try:
            plain = subscription.open(body).decode('utf-8')
        except ValueError as trouble:
            raise Refusal(400, 110, f'the body: {trouble}') from None
        # Salt and key of a message are never used for another one; a retry is the same message.
        for once in (body[:16], body[21:86]):
            if self.seen.setdefault(once, hashlib.sha256(body).digest()) != hashlib.sha256(body).digest():
                raise Refusal(400, 110, 'salt or key was used for another message before')
        return plain


def judge_headers(fields):
    if not re.fullmatch(r'\d{1,10}', fields.get('ttl', '')) or int(fields['ttl']) > TTL_MAX:
        raise Refusal(400, 111 if 'ttl' not in fields else 112, f'ttl is {fields.get("ttl")!r}')
    if fields.get('urgency') not in URGENCIES:
        raise Refusal(400, 999, f'urgency is {fields.get("urgency")!r}')
    if 'topic' in fields and not TOPIC.fullmatch(fields['topic']):
        raise Refusal(400, 113, f'topic is {fields["topic"]!r}')
