// One call of one Node library: `node --import redirect.mjs calls.mjs NAME`, the words of each field as JSON on standard input.
//
// The last line of standard output is JSON: what the library returned, or what it threw, as a user's program would see it.
// POSTWARD_TEST_MODULES names the folder whose node_modules holds the pinned libraries.

import { readFileSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { crc32, deflateSync } from 'node:zlib';

const require = createRequire(`${process.env.POSTWARD_TEST_MODULES}/`);
const load = (name) => import(pathToFileURL(require.resolve(name)).href);

const PNG = Buffer.from(
  '89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489' +
    '0000000b4944415478da636000020000050001e9fadcd80000000049454e44ae426082',
  'hex',
);
// A clock that stands still, for calls that are compared to the byte.
const NOW = '2026-01-02T03:04:05.678Z';
const REPLY_TO = { uri: 'at://did:plc:postwardpostwardpostward/app.bsky.feed.post/3k', cid: 'bafyreigyu3yprbzgcqcgzzrxrmtxu3j6vjuqqx5kukacvzy3zf2rjnscju' };

async function bluesky() {
  const { AtpAgent, RichText } = await load('@atproto/api');
  const agent = new AtpAgent({ service: 'https://bsky.social' });
  await agent.login({ identifier: 'clinic.test', password: 'pw' });
  // As the app does it: the text's own tags and links become facets, ranges of its bytes.
  const rich = (text) => {
    const found = new RichText({ text });
    found.detectFacetsWithoutResolution();
    return { text: found.text, facets: found.facets };
  };
  return { agent, rich };
}

async function mastodon() {
  const { createRestAPIClient } = await load('masto');
  return createRestAPIClient({ url: 'https://mastodon.example', accessToken: 'tok' });
}

async function x(...tokens) {
  const { TwitterApi } = await load('twitter-api-v2');
  return new TwitterApi(...tokens);
}

// A picture of noise, a thousand grey pixels a row: as long as it looks, the same each time, with no metadata to strip.
function noise(rows) {
  const chunk = (type, data) => {
    const typed = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const framed = Buffer.alloc(typed.length + 8);
    framed.writeUInt32BE(data.length, 0);
    typed.copy(framed, 4);
    framed.writeUInt32BE(crc32(typed), typed.length + 4);
    return framed;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(1000, 0);
  header.writeUInt32BE(rows, 4);
  header[8] = 8;
  const pixels = Buffer.alloc(rows * 1001);
  let state = 1;
  for (let at = 0; at < pixels.length; at += 1) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    pixels[at] = at % 1001 === 0 ? 0 : state >>> 24;
  }
  return Buffer.concat([PNG.subarray(0, 8), chunk('IHDR', header), chunk('IDAT', deflateSync(pixels)), chunk('IEND', Buffer.alloc(0))]);
}

const OAUTH_1 = { appKey: 'a', appSecret: 'b', accessToken: 'c', accessSecret: 'd' };

const CALLS = {
  async bluesky_post(words) {
    const { agent, rich } = await bluesky();
    return agent.post({ ...rich(`#夜勤 ${words.text} #Nursing https://example.org/ward`), langs: ['en'], createdAt: NOW });
  },

  async bluesky_writes(words) {
    const { agent, rich } = await bluesky();
    const post = (text, more) => ({
      $type: 'com.atproto.repo.applyWrites#create',
      collection: 'app.bsky.feed.post',
      rkey: more.rkey,
      value: { $type: 'app.bsky.feed.post', ...rich(text), ...more.value, createdAt: NOW },
    });
    return agent.com.atproto.repo.applyWrites({
      repo: agent.assertDid,
      validate: true,
      writes: [
        post(`#夜勤 ${words.text} #Nursing`, { rkey: '3la', value: { tags: [] } }),
        post(words['second text'], { rkey: '3lb', value: { reply: { root: REPLY_TO, parent: REPLY_TO } } }),
      ],
    });
  },

  async mastodon_status(words) {
    const client = await mastodon();
    return client.v1.statuses.create({
      status: words.text,
      spoilerText: words.warning,
      visibility: 'unlisted',
      poll: { options: [words.option, 'no'], expiresIn: 60 },
    });
  },

  async mastodon_media(words) {
    const client = await mastodon();
    return client.v2.media.create({ file: new Blob([PNG], { type: 'image/png' }), description: words['alt text'] });
  },

  async slack_post(words) {
    const { WebClient } = await load('@slack/web-api');
    const blocks = [{ type: 'section', text: { type: 'mrkdwn', text: words.block } }];
    return new WebClient('xoxb-1').chat.postMessage({ channel: 'C1', text: words.text, blocks });
  },

  async discord_message(words) {
    const { REST, Routes } = await load('discord.js');
    const rest = new REST({ version: '10' }).setToken('tok');
    const embeds = [{ title: words.title, description: words.description }];
    return rest.post(Routes.channelMessages('1'), { body: { content: words.text, embeds, allowed_mentions: { parse: [] } } });
  },

  async x_v2(words) {
    const client = await x('tok');
    return client.v2.tweet(words.text, { poll: { options: [words.option, 'no'], duration_minutes: 60 } });
  },

  async x_v1(words) {
    const client = await x(OAUTH_1);
    return client.v1.tweet(words.text);
  },

  async x_v1_media(words) {
    const client = await x(OAUTH_1);
    const picture = words.rows ? noise(words.rows) : PNG;
    const id = await client.v1.uploadMedia(picture, { mimeType: 'image/png' });
    return client.v1.createMediaMetadata(id, { alt_text: { text: words['alt text'] } });
  },
};

function causes(error) {
  const messages = [];
  for (let cause = error?.cause; cause && messages.length < 10; cause = cause.cause) messages.push(String(cause.message ?? cause));
  return messages;
}

let said;
try {
  const result = await CALLS[process.argv[2]](JSON.parse(readFileSync(0, 'utf8')));
  said = { result: result ?? null };
} catch (error) {
  said = {
    error: {
      kind: error?.constructor?.name,
      name: error?.name ?? null,
      message: error?.message ?? String(error),
      code: error?.code ?? null,
      status: error?.status ?? error?.statusCode ?? null,
      error: typeof error?.error === 'string' ? error.error : null,
      data: error?.data ?? null,
      // Of a failed connection, the error of the socket.
      causes: causes(error),
    },
  };
}
writeSync(1, `\n${JSON.stringify(said)}\n`);
// Some libraries keep connections and timers, which would keep the program.
process.exit(0);
