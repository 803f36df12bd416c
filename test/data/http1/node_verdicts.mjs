// What Node's HTTP server makes of requests: a JSON list of latin-1 strings on stdin, a list of verdicts on stdout. A
// verdict is a list of "ok METHOD TARGET BODYBYTES", and "no CODE" at its end when Node refused. Run by compare.py.
import http from 'node:http';
import net from 'node:net';

const requests = JSON.parse(await new Promise((done) => {
  let text = '';
  process.stdin.on('data', (part) => (text += part)).on('end', () => done(text));
}));

const verdicts = new Map();  // by the client's port
const note = (socket, word) => verdicts.get(socket.remotePort)?.push(word);
const server = http.createServer({ maxHeaderSize: 16384 }, (request, response) => {
  let bytes = 0;
  request.on('data', (part) => (bytes += part.length)).on('end', () => {
    note(request.socket, `ok ${request.method} ${request.url} ${bytes}`);
    response.end('x');
  });
});
server.on('clientError', (error, socket) => {
  note(socket, `no ${error.code}`);
  socket.destroy();
});

const ask = (port, text) => new Promise((done) => {
  const words = [];
  let answer = '';
  const client = net.connect(port, '127.0.0.1', () => {
    verdicts.set(client.localPort, words);
    client.write(Buffer.from(text, 'latin1'));
    setTimeout(() => {
      const refusal = answer.match(/^HTTP\/1\.1 ([45]\d\d)/m);
      const closed = client.destroyed || client.readableEnded;
      if (!words.some((w) => w.startsWith('no'))) {
        if (refusal) words.push(`no ${refusal[1]}`);
        else if (closed && words.length === 0) words.push('no closed');
      }
      verdicts.delete(client.localPort);
      client.destroy();
      done(words.sort((a, b) => a.startsWith('no') - b.startsWith('no')));  // its body's end is told later
    }, 300);
  });
  client.on('data', (part) => (answer += part.toString('latin1')));
  client.on('error', () => {});
});

await new Promise((done) => server.listen(0, '127.0.0.1', done));
const all = [];
for (let i = 0; i < requests.length; i += 20) {
  all.push(...await Promise.all(requests.slice(i, i + 20).map((text) => ask(server.address().port, text))));
}
console.log(JSON.stringify(all));
process.exit(0);
