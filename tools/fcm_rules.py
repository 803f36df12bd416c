"""What FCM HTTP v1 and Google's token endpoint accept, as pure rules: headers and body in, answer out; no socket, no file.

Strict where Google is and a little stricter where we want to know: unknown fields, values that are no texts, more than 4,096 bytes of
data.  The errors have the shapes and words of https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode; what they do not say
stands in `why`, which goes to the log of the stand-in and never on the wire.
"""
import dataclasses
import json
import re
import secrets
import urllib.parse

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from apns_rules import Refusal, base64url, unique_keys

SCOPE = 'https://www.googleapis.com/auth/firebase.messaging'
GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
TOKEN_LASTS = 3599
ASSERTION_LASTS_MAX = 3600
CLOCK_SLACK = 600
SAME_ASSERTION_WITHIN = 5
DATA_MAX = 4096
TTL_MAX = 2419200
PATH = re.compile(r'/v1/projects/([^/]+)/messages:send')
DEVICE = re.compile(r'[A-Za-z0-9_:-]{20,}')
TTL = re.compile(r'(\d{1,9})(?:\.\d{1,9})?s')
RESERVED = re.compile(r'from|gcm|message_type|google\..*|gcm\.notification\..*')
CLAIMS = {'iss', 'scope', 'aud', 'iat', 'exp'}
KNOWN_HEADERS = {
    ':method', ':scheme', ':path', ':authority', 'host', 'authorization', 'content-type', 'content-length', 'user-agent', 'accept',
}

# status, google.rpc status, message, further details: for `answer` behaviours, by errorCode (or by name, where FCM says none).
TYPES = 'type.googleapis.com/google.'
ERRORS = {
    'UNREGISTERED': (404, 'NOT_FOUND', 'Requested entity was not found.', ()),
    'INVALID_ARGUMENT': (400, 'INVALID_ARGUMENT', 'The registration token is not a valid FCM registration token',
                         ({'@type': TYPES + 'rpc.BadRequest',
                           'fieldViolations': [{'field': 'message.token', 'description': 'Invalid registration token'}]},)),
    'SENDER_ID_MISMATCH': (403, 'PERMISSION_DENIED', 'SenderId mismatch', ()),
    'QUOTA_EXCEEDED': (429, 'RESOURCE_EXHAUSTED', 'Quota exceeded for quota metric.',
                       ({'@type': TYPES + 'rpc.QuotaFailure', 'violations': [{'subject': 'project:1', 'description': 'messages'}]},)),
    'DEVICE_QUOTA_EXCEEDED': (429, 'RESOURCE_EXHAUSTED', 'Device message rate exceeded.',
                              ({'@type': TYPES + 'rpc.QuotaFailure',
                                'violations': [{'subject': 'device:x', 'description': 'Device message rate exceeded'}]},)),
    'THIRD_PARTY_AUTH_ERROR': (401, 'UNAUTHENTICATED', 'Auth error from APNS or Web Push Service', ()),
    'INTERNAL': (500, 'INTERNAL', 'Internal error encountered.', ()),
    'UNAVAILABLE': (503, 'UNAVAILABLE', 'The service is currently unavailable.', ()),
}
WITHOUT_CODE = {
    'SERVICE_DISABLED': (403, 'PERMISSION_DENIED', 'Firebase Cloud Messaging API has not been used in project 1 before or it is disabled.'),
    'IAM_PERMISSION_DENIED': (403, 'PERMISSION_DENIED', "Permission 'cloudmessaging.messages.create' denied on resource."),
    'ACCESS_TOKEN_EXPIRED': (401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.'),
    'NO_PROJECT': (404, 'NOT_FOUND', 'Requested entity was not found.'),
}
OAUTH_ERRORS = {
    'invalid_grant': 'Invalid JWT Signature.',
    'clock': 'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values.',
    'invalid_scope': 'Invalid OAuth scope or ID token audience provided.',
}


@dataclasses.dataclass
class Answer:
    status: int
    reason: str = ''
    why: str = ''
    content: dict = dataclasses.field(default_factory=dict)
    html: str = ''
    retry_after: str = ''

    @property
    def body(self):
        return self.html.encode() if self.html else json.dumps(self.content, indent=2).encode()

    @property
    def headers(self):
        headers = [('content-type', 'text/html; charset=UTF-8' if self.html else 'application/json; charset=UTF-8')]
        return headers + ([('retry-after', self.retry_after)] if self.retry_after else [])


def error(status, google_status, message, details, reason, why):
    content = {'error': {'code': status, 'message': message, 'status': google_status}}
    if details:
        content['error']['details'] = list(details)
    return Answer(status, reason, why, content)


def error_of(code, why=''):
    if code in WITHOUT_CODE:
        info = () if code == 'NO_PROJECT' else ({'@type': TYPES + 'rpc.ErrorInfo', 'reason': code, 'domain': 'googleapis.com'},)
        return error(*WITHOUT_CODE[code], info, code, why)
    status, google_status, message, details = ERRORS[code]
    own = {'@type': TYPES + 'firebase.fcm.v1.FcmError', 'errorCode': code.removeprefix('DEVICE_')}
    return error(status, google_status, message, (own, *details), code, why)


def oauth_error(name, why=''):
    word = 'invalid_grant' if name == 'clock' else name
    return Answer(400, word, why, {'error': word, 'error_description': OAUTH_ERRORS[name]})


def violation(field, description):
    """What our own mistakes look like: no FcmError, the field is named."""
    bad = {'@type': TYPES + 'rpc.BadRequest', 'fieldViolations': [{'field': field, 'description': description}]}
    answer = error(400, 'INVALID_ARGUMENT', f"Invalid value at '{field}'", (bad,), 'INVALID_ARGUMENT', f'{field}: {description}')
    refusal = Refusal(400, 'INVALID_ARGUMENT', answer.why)
    refusal.answer = answer
    return refusal


def refusal_of(answer):
    refusal = Refusal(answer.status, answer.reason, answer.why)
    refusal.answer = answer
    return refusal


def service_account(project, key, token_uri, email=None, key_id='0123456789abcdef'):
    """(the JSON text that the Firebase console would hand out)"""
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    return json.dumps({
        'type': 'service_account', 'project_id': project, 'private_key_id': key_id, 'private_key': pem,
        'client_email': email or f'firebase-adminsdk-x1@{project}.iam.gserviceaccount.com', 'client_id': '112233445566778899000',
        'auth_uri': 'https://accounts.google.com/o/oauth2/auth', 'token_uri': token_uri,
        'auth_provider_x509_cert_url': 'https://www.googleapis.com/oauth2/v1/certs',
        'client_x509_cert_url': 'https://www.googleapis.com/robot/v1/metadata/x509/x', 'universe_domain': 'googleapis.com',
    }, indent=2)


class Rules:
    """One project with one service account, given as its JSON. Requests for tokens are on record as device "token:EMAIL"."""
    alpn = ('h2',)
    first_streams = 100
    known_headers = KNOWN_HEADERS

    def __init__(self, account):
        account = json.loads(account)
        self.project = account['project_id']
        self.email = account['client_email']
        self.key_id = account['private_key_id']
        self.token_uri = account['token_uri']
        self.token_path = urllib.parse.urlsplit(self.token_uri).path
        key = serialization.load_pem_private_key(account['private_key'].encode(), None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ValueError('the key of a service account is an RSA key')
        self.public_key = key.public_key()
        self.tokens = {}  # access token -> when it ends
        self.seen = {}  # assertion -> when it came first
        self.messages = 0
        self.lasts = TOKEN_LASTS

    def revoke(self):
        """Every access token is refused from now on."""
        self.tokens.clear()

    def answer(self, how, now):
        """What an `answer` behaviour says: an errorCode of FCM or a word of the token endpoint, or a page in HTML."""
        word = how.get('reason', '')
        if word == 'html':
            found = Answer(how['status'], 'html', html=f'<!DOCTYPE html><title>Error {how["status"]}!!1</title>')
        else:
            found = oauth_error(word) if word in OAUTH_ERRORS else error_of(word)
            found.status = how.get('status', found.status)
        found.why = 'as told'
        found.retry_after = str(how.get('retry_after', ''))
        return found

    def connection_rules(self, _connection, _headers, _credential, answer, _now):
        return answer  # nothing that needs a memory of the connection

    def judge(self, headers, body, now):
        """(Answer, device or "token:EMAIL", '')."""
        device = ''
        try:
            fields = {}
            for name, value in headers:
                if name in fields:
                    raise violation(name, 'stands twice')
                fields[name] = value
            if fields.get(':method') != 'POST' or fields.get(':scheme') != 'https':
                raise refusal_of(Answer(404, 'html', 'not a POST by https', html='<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>'))
            if fields.get(':path') == self.token_path:
                device = 'token:' + self.email
                return self.judge_assertion(fields, body, now), device, ''
            match = PATH.fullmatch(fields.get(':path', ''))
            if not match:
                raise refusal_of(Answer(404, 'html', f'path is {fields.get(":path", "")[:80]!r}',
                                        html='<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>'))
            message = self.parse(fields, body)
            device = str(message.get('token', ''))
            self.judge_bearer(fields.get('authorization', ''), now)
            if match[1] != self.project:
                raise refusal_of(error_of('NO_PROJECT', f'project {match[1]!r}'))
            judge_message(message)
        except Refusal as refusal:
            return refusal.answer, device, ''
        self.messages += 1
        name = f'projects/{self.project}/messages/0:{int(now * 1000000)}%{self.messages:016x}'
        return Answer(200, content={'name': name}), device, ''

    # The token endpoint.

    def judge_assertion(self, fields, body, now):
        if 'authorization' in fields:
            return oauth_error('invalid_grant', 'an authorization header at the token endpoint')
        if fields.get('content-type') != 'application/x-www-form-urlencoded':
            return oauth_error('invalid_grant', f'content-type is {fields.get("content-type")!r}')
        try:
            form = urllib.parse.parse_qsl(body.decode('ascii'), keep_blank_values=True, strict_parsing=True)
        except ValueError as trouble:
            return oauth_error('invalid_grant', f'the form does not parse: {trouble}')
        if sorted(name for name, _ in form) != ['assertion', 'grant_type'] or dict(form)['grant_type'] != GRANT:
            return oauth_error('invalid_grant', f'the form has {[name for name, _ in form]}, or another grant_type')
        return self.judge_jwt(dict(form)['assertion'], now)

    def judge_jwt(self, jwt, now):
        parts = jwt.split('.')
        if len(parts) != 3:
            return oauth_error('invalid_grant', 'not three parts')
        try:
            header, claims = (json.loads(base64url(part), object_pairs_hook=unique_keys) for part in parts[:2])
            signature = base64url(parts[2])
        except ValueError as trouble:
            return oauth_error('invalid_grant', f'a part does not decode: {trouble}')
        if not isinstance(header, dict) or not isinstance(claims, dict):
            return oauth_error('invalid_grant', 'header or claims are no objects')
        if header.get('alg') != 'RS256' or header.get('typ', 'JWT') != 'JWT' or header.get('kid', self.key_id) != self.key_id:
            return oauth_error('invalid_grant', f'header is {header}')
        try:
            self.public_key.verify(signature, f'{parts[0]}.{parts[1]}'.encode(), padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return oauth_error('invalid_grant', 'the signature does not verify')
        if claims.keys() != CLAIMS:
            return oauth_error('invalid_grant', f'claims are {sorted(claims)}')
        if claims['iss'] != self.email or claims['aud'] != self.token_uri:
            return oauth_error('invalid_grant', f'iss is {claims["iss"]!r}, aud is {claims["aud"]!r}')
        if claims['scope'] != SCOPE:
            return oauth_error('invalid_scope', f'scope is {claims["scope"]!r}')
        issued, ends = claims['iat'], claims['exp']
        if type(issued) is not int or type(ends) is not int:
            return oauth_error('invalid_grant', 'iat or exp is not a whole number')
        if not issued < ends <= issued + ASSERTION_LASTS_MAX or ends <= now or abs(issued - now) > CLOCK_SLACK:
            return oauth_error('clock', f'iat is {issued - int(now)} s from now, exp {ends - int(now)} s')
        # RFC 7523 section 3 knows replays by their jti alone, and here is none. Two programs with one account make the same bytes
        # within a second; later they are those of somebody who keeps an assertion in place of a token.
        if now - self.seen.setdefault(jwt, now) > SAME_ASSERTION_WITHIN:
            return oauth_error('invalid_grant', 'an assertion that was used before')
        token = 'ya29.c.' + secrets.token_urlsafe(750)  # a thousand characters, as Google's
        self.tokens[token] = now + self.lasts
        return Answer(200, content={'access_token': token, 'expires_in': self.lasts, 'token_type': 'Bearer'})

    # Messages.

    def parse(self, fields, body):
        if fields.get('content-type', '').split(';')[0] != 'application/json':
            raise violation('content-type', f'{fields.get("content-type")!r}')
        try:
            content = json.loads(body.decode('utf-8'), object_pairs_hook=unique_keys)
        except ValueError as trouble:
            raise violation('body', f'not JSON: {trouble}') from None
        only('', content, {'message': dict, 'validate_only': bool})
        if 'message' not in content:
            raise violation('message', 'missing')
        return content['message']

    def judge_bearer(self, authorization, now):
        if not authorization.startswith('Bearer '):
            raise refusal_of(error_of('ACCESS_TOKEN_EXPIRED', 'authorization does not begin with "Bearer "'))
        if self.tokens.get(authorization[len('Bearer '):], 0) <= now:
            raise refusal_of(error_of('ACCESS_TOKEN_EXPIRED', 'the access token is not one of ours, or has ended'))


def only(where, value, fields):
    """An object with these fields of these types and no others."""
    if not isinstance(value, dict):
        raise violation(where or 'body', 'not an object')
    for name, member in value.items():
        path = f'{where}.{name}' if where else name
        if name not in fields:
            raise violation(path, f'Cannot find field "{name}"')
        if type(member) is not fields[name]:
            raise violation(path, f'is {type(member).__name__}')


def judge_message(message):
    only('message', message, {'token': str, 'data': dict, 'android': dict})  # data messages to Android: all that we send
    device = message.get('token', '')
    if not DEVICE.fullmatch(device):
        raise refusal_of(error_of('INVALID_ARGUMENT', f'the registration token is {device[:40]!r}'))
    android = message.get('android', {})
    only('message.android', android, {'collapse_key': str, 'priority': str, 'ttl': str})
    if android.get('priority') not in ('HIGH', 'NORMAL'):
        raise violation('message.android.priority', f'{android.get("priority")!r}')  # Google has a default; we always say it
    ttl = TTL.fullmatch(android.get('ttl', ''))
    if not ttl or int(ttl[1]) > TTL_MAX:
        raise violation('message.android.ttl', f'{android.get("ttl")!r}')
    if not android.get('collapse_key', 'x'):
        raise violation('message.android.collapse_key', 'empty')
    data = message.get('data', {})
    for key, value in data.items():
        if not isinstance(value, str):
            raise violation(f'message.data[0].value', f'{key} is {type(value).__name__}')
        if RESERVED.fullmatch(key):
            raise violation(f'message.data[0].key', f'{key} is reserved')
    size = sum(len(key.encode()) + len(value.encode()) for key, value in data.items())
    if size > DATA_MAX:
        too_big = {'@type': TYPES + 'rpc.BadRequest', 'fieldViolations': [{'field': 'message', 'description': 'Android message is too big'}]}
        own = {'@type': TYPES + 'firebase.fcm.v1.FcmError', 'errorCode': 'INVALID_ARGUMENT'}
        raise refusal_of(error(400, 'INVALID_ARGUMENT', 'Android message is too big', (own, too_big), 'INVALID_ARGUMENT', f'{size} bytes'))
