import { describe, expect, it } from '@jest/globals';
import type { BerbixSandboxOptions } from 'nestjs-berbix/sandbox';
import { ImageLinks, SandboxAddress } from '../../lib/sandbox/auth/signed-links.js';
import { TokenSigner } from '../../lib/sandbox/auth/tokens.js';
import { databaseDirectory } from '../support/directories.js';
import { PLATFORMS } from '../support/platforms.js';
import { startSandbox, startSandboxOn } from '../support/services.js';
import { BACK, FRONT, LIVENESS, SELFIE } from './support/images.js';
import { pathOf } from './support/pages.js';
import { RawClient } from './support/raw-client.js';

const FIFTEEN_MINUTES_MS = 900_000;

type Images = Record<string, Record<string, string>>;

/** The images of a result, and its access token. */
async function complete(client: RawClient, response_payload = 'us-dl') {
  const { access_token } = (await client.create()).json;
  await client.override(access_token, { response_payload });
  const images = (await client.fetch(access_token)).json.images as Images;
  return { access_token, images };
}

function shapeOf(images: Images): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(images).map(([name, links]) => [name, Object.keys(links)]),
  );
}

describe('the images of a result', () => {
  async function start(options?: BerbixSandboxOptions): Promise<RawClient> {
    return new RawClient(await startSandbox({ images: true, ...options }));
  }

  it('are missing by default, and before there is a result', async () => {
    const without = await start({ images: undefined });
    expect((await complete(without)).images).toBeUndefined();
    const client = await start();
    const { access_token } = (await client.create()).json;
    expect((await client.fetch(access_token)).json).not.toHaveProperty('images');
  });

  it.each(PLATFORMS)('have links to pictures, which need no token, on %s', async (platform) => {
    const client = new RawClient(await startSandboxOn(platform, { images: true }));
    const { images } = await complete(client);
    expect(shapeOf(images)).toEqual({
      front: ['full_image', 'cropped_image', 'face_image'],
      back: ['cropped_image'],
      selfie: ['full_image', 'face_image'],
    });
    const links = Object.values(images).flatMap((image) => Object.values(image));
    expect(new Set(links).size).toBe(6);
    client.sandbox.requests.clear();
    for (const link of links) {
      expect(link.startsWith(`${client.sandbox.url}/images/`)).toBe(true);
      const answer = await fetch(link);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toBe('image/png');
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(answer.headers.get('cross-origin-resource-policy')).toBe('cross-origin');
      const bytes = Buffer.from(await answer.arrayBuffer());
      expect(bytes.subarray(0, 8).toString('latin1')).toBe('\u0089PNG\r\n\u001a\n');
      expect(answer.headers.get('content-length')).toBe(String(bytes.length));
    }
    // No part of the API.
    expect(client.sandbox.requests).toHaveLength(0);
  });

  it('are those of the documents that were shown', async () => {
    expect(Object.keys((await complete(await start(), 'passport')).images)).toEqual([
      'front',
      'selfie',
    ]);
    for (const [apiOnlySelfie, selfies, names] of [
      ['none', [], ['front', 'back']],
      ['basic', [SELFIE], ['front', 'back', 'selfie']],
      ['liveness', LIVENESS, ['front', 'back', 'liveness']],
    ] as const) {
      const client = await start({ apiOnlySelfie });
      const { access_token, client_token } = (await client.createApiOnly()).json;
      for (const images of [[FRONT], [BACK], selfies]) {
        if (images.length > 0) await client.uploadImages(client_token, images);
      }
      const { images } = (await client.fetch(access_token)).json;
      expect(Object.keys(images as Images)).toEqual(names);
    }
  });

  it('have links that expire, and new ones each time', async () => {
    const client = await start();
    const { access_token, images } = await complete(client);
    const old = pathOf(images.front?.full_image);
    client.sandbox.clock.advance(FIFTEEN_MINUTES_MS - 10_000);
    expect((await client.send('GET', old)).status).toBe(200);
    client.sandbox.clock.advance(10_000);
    const expired = await client.send('GET', old);
    expect(expired.json).toMatchObject({ code: 403, readable: 'not_allowed' });
    const again = (await client.fetch(access_token)).json.images as Images;
    expect((await client.send('GET', pathOf(again.front?.full_image))).status).toBe(200);
  });

  it('are gone with their transaction, and cannot be guessed', async () => {
    const client = await start();
    const { access_token, images } = await complete(client);
    const path = pathOf(images.front?.full_image);
    for (const wrong of [
      path.slice(0, -1),
      `${path}x`,
      '/images/x',
      path.replace('/images/', '/images/x'),
    ]) {
      expect((await client.send('GET', wrong)).json).toMatchObject({ code: 404 });
    }
    await client.delete(access_token);
    expect((await client.send('GET', path)).json).toMatchObject({ code: 410 });
  });
});

describe('the link to an image', () => {
  it('has expired at its time, not a moment later', () => {
    let now = 0;
    const signer = new TokenSigner(Buffer.alloc(32));
    const links = new ImageLinks(signer, { now: () => now } as never, new SandboxAddress());
    const name = links.urlOf('7', 'front-full_image').slice('/images/'.length);
    now = FIFTEEN_MINUTES_MS - 1;
    expect(links.transactionIdOf(name)).toBe('7');
    now += 1;
    expect(() => links.transactionIdOf(name)).toThrow('The link has expired.');
  });

  it('outlives the sandbox with a data directory', async () => {
    const options = { images: true, dataDir: await databaseDirectory() };
    const first = await startSandbox(options);
    const { images } = await complete(new RawClient(first));
    await first.close();
    const client = new RawClient(await startSandbox(options));
    expect((await client.send('GET', pathOf(images.front?.full_image))).status).toBe(200);
  });
});
