// Lets a Node client believe it talks to the platform: connections go to the listener under test, nothing else changes.
//
// Loaded with `node --import`, before any client. The client still asks for https://bsky.social, still sends that host in SNI
// and in Host, and still verifies the certificate. It is done where every TCP connection of Node passes, of `fetch`, of
// undici and of `https` alike. Needs no root, and nothing of the machine changes.
//
// POSTWARD_TEST_HOSTS="bsky.social=41273 slack.com=41273": every other name that is not loopback fails to resolve, so that a
// client which would leave (for an address in an answer, say) is seen to.

import net from 'node:net';

const ports = new Map((process.env.POSTWARD_TEST_HOSTS ?? '').split(' ').filter(Boolean).map((pair) => pair.split('=')));
const connect = net.Socket.prototype.connect;

net.Socket.prototype.connect = function (...given) {
  // Node passes its own normalised arguments on as one list: options and callback.
  const [options, callback] = Array.isArray(given[0]) ? given[0] : normalised(given);
  return connect.call(this, redirected(options), callback ?? undefined);
};

function normalised(given) {
  const callback = typeof given.at(-1) === 'function' ? given.at(-1) : undefined;
  if (typeof given[0] === 'object') return [given[0], callback];
  const [port, host] = given;
  return [{ port, host: typeof host === 'string' ? host : undefined }, callback];
}

// A copy: TLS checks the certificate against the options as they were.
function redirected(options) {
  if (options.path) return options;
  const host = options.host ?? 'localhost';
  if (ports.has(host)) return { ...options, host: '127.0.0.1', port: Number(ports.get(host)), lookup: undefined };
  if (host === 'localhost' || host === '::1' || host.startsWith('127.')) return options;
  const lookup = (name, _, done) => {
    done(Object.assign(new Error(`the test house resolves no such name: ${name}`), { code: 'ENOTFOUND', hostname: name }));
  };
  // An address is looked up nowhere, so it is given as a name that no server knows.
  return { ...options, host: net.isIP(host) ? `${host}.invalid` : host, lookup };
}
