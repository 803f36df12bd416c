// npm's web-push as an application server: one push to the subscription, seen from the other side of a reverse proxy.
//   node post.mjs FOLDER PORT CERTIFICATE SUBSCRIPTION WORDS     FOLDER has node_modules; prints {"status", "headers"} as JSON
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import tls from 'node:tls';
import { createRequire } from 'node:module';

const [folder, port, certificate, subscription, words] = process.argv.slice(2);
const webPush = createRequire(path.resolve(folder, 'package.json'))('web-push');
const { publicKey, privateKey } = webPush.generateVAPIDKeys();
const agent = new https.Agent();
agent.createConnection = options => tls.connect({ host: '127.0.0.1', port, servername: options.servername, ca: fs.readFileSync(certificate) });
let answer;
try {
  answer = await webPush.sendNotification(JSON.parse(subscription), words, {
    TTL: 60, urgency: 'high', agent, timeout: 20000, vapidDetails: { subject: 'mailto:ann@example.net', publicKey, privateKey },
  });
} catch (error) {
  if (!error.statusCode) throw error;
  answer = error;
}
process.stdout.write(JSON.stringify({ status: answer.statusCode, headers: answer.headers }));
