// Programs of others, from npm: one JSON object a line in, one out. For compare.py; see tools/peers.sh.
//   node peer.mjs FOLDER      FOLDER has their node_modules
import crypto from 'node:crypto';
import http from 'node:http';
import readline from 'node:readline';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(path.resolve(process.argv[2], 'package.json'));
const ece = require('http_ece');
const jose = require('jose');
const webPush = require('web-push');
const { PushApiModel } = require('web-push-testing/src/PushApiModel.js');
const PushService = require('web-push-testing/src/server.js');

console.log = () => {};  // the service talks
const hex = text => Buffer.from(text, 'hex');
const curve = secret => {
  const key = crypto.createECDH('prime256v1');
  key.setPrivateKey(hex(secret));
  return key;
};

const model = new PushApiModel();
let service;

async function ask(url, headers, body) {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method: 'POST', headers: { ...headers, 'content-length': body.length } }, answer => {
      let text = '';
      answer.on('data', piece => { text += piece; });
      answer.on('end', () => resolve({ status: answer.statusCode, text }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

const deeds = {
  open: ({ body, secret, auth }) =>
    ece.decrypt(hex(body), { version: 'aes128gcm', privateKey: curve(secret), authSecret: hex(auth) }).toString('hex'),
  seal: ({ plain, own, point, auth }) =>
    ece.encrypt(hex(plain), { version: 'aes128gcm', privateKey: curve(own), dh: hex(point), authSecret: hex(auth) }).toString('hex'),
  // A JWT that is good for this key, algorithm, audience and time; its header and claims.
  jwt: async ({ jwt, spki, algorithm, audience, now }) => {
    const key = await jose.importSPKI(spki, algorithm);
    const found = await jose.jwtVerify(jwt, key, { algorithms: [algorithm], audience: audience ?? undefined, currentDate: new Date(now * 1000) });
    return { header: found.protectedHeader, claims: found.payload };
  },
  // What web-push would send.
  request: ({ subscription, plain, contact, publicKey, privateKey }) => {
    const details = webPush.generateRequestDetails(subscription, Buffer.from(plain), {
      TTL: 60, urgency: 'high', topic: 'tea', contentEncoding: 'aes128gcm', vapidDetails: { subject: contact, publicKey, privateKey },
    });
    return { headers: details.headers, body: details.body ? details.body.toString('hex') : '' };
  },
  // web-push-testing: a service that browsers could have.
  subscribe: async ({ key }) => {
    if (!service) {
      service = new PushService(model, 0);
      service.startServer();
      await new Promise(resolve => { service._server.on('listening', resolve); });
      model.notifyUrl = `http://localhost:${service._server.address().port}/notify/`;
    }
    return model.subscribe({ userVisibleOnly: 'true', applicationServerKey: key });
  },
  push: async ({ endpoint, headers, body }) => ask(endpoint, headers, hex(body)),
  received: ({ client }) => model.getNotifications({ clientHash: client }).messages,
  expire: ({ client }) => model.expireSubscription(client) ?? true,
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  let answer;
  try {
    const what = JSON.parse(line);
    answer = { answer: await deeds[what.do](what) };
  } catch (error) {
    answer = { error: `${error.name}: ${error.message}` };
  }
  process.stdout.write(JSON.stringify(answer) + '\n');
}
process.exit(0);
