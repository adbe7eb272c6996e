import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { AppModule } from '../../examples/readme/app.module.js';
import { parseSandboxFlags } from '../../lib/cli/sandbox.flags.js';
import { changeEnvironment } from '../support/environment.js';
import { listen, PLATFORMS } from '../support/platforms.js';
import { quietNest } from '../support/sinks.js';
import { installClock, startSandbox } from '../support/services.js';

quietNest();

const readme = readFileSync('README.md', 'utf8');
const blocks = [...readme.matchAll(/^```ts\n([^]*?)^```$/gm)].map((match) => match[1] as string);

afterEach(changeEnvironment({}));

describe('the README', () => {
  it('is short, and the rest is on other pages', () => {
    expect(readme.split('\n').length).toBeLessThan(150);
  });

  it('shows one example of at most 15 lines, which is run here', () => {
    expect(blocks).toEqual([readFileSync('examples/readme/app.module.ts', 'utf8')]);
    expect(blocks[0]?.trimEnd().split('\n').length).toBeLessThanOrEqual(15);
  });

  it('names commands that exist', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      scripts: Record<string, string>;
    };
    const named = [...readme.matchAll(/npm (?:run )?([a-z][\w:]+)/g)].map(
      (match) => match[1] as string,
    );
    const known = new Set([...Object.keys(scripts), 'ci', 'install', 'run']);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });
});

describe.each(PLATFORMS)('the example of the README, on %s', (platform) => {
  it('begins a verification, resumes it, and exchanges the refresh token after half a minute', async () => {
    const [, flags = ''] = /^npx nestjs-berbix sandbox exec (.*?) ?-- /m.exec(readme) ?? [];
    const parsed = parseSandboxFlags(flags.split(' '));
    if (!('options' in parsed)) throw new Error('The command of the README has invalid flags.');
    const clock = installClock();
    const sandbox = await startSandbox(parsed.options);
    Object.assign(process.env, {
      BERBIX_API_SECRET: sandbox.apiSecret,
      BERBIX_API_HOST: sandbox.url,
      BERBIX_TEMPLATE_KEY: sandbox.templateKeys.sdk,
    });
    const url = await listen(Test.createTestingModule({ imports: [AppModule] }), platform);
    const begin = async (): Promise<unknown> =>
      (await fetch(`${url}/verification`, { method: 'POST' })).json();
    const exchanges = (): number =>
      [...sandbox.requests].filter(({ path }) => path === '/v0/tokens').length;
    const clientToken = expect.any(String);
    const first = (await begin()) as { clientToken: string };
    expect(first).toMatchObject({ clientToken, isResumed: false });
    expect(await begin()).toMatchObject({ clientToken: first.clientToken, isResumed: true });
    expect(exchanges()).toBe(0);
    clock.advance(30_001);
    const later = (await begin()) as typeof first;
    expect(later).toMatchObject({ clientToken, isResumed: true });
    expect(later.clientToken).not.toBe(first.clientToken);
    expect(exchanges()).toBe(1);
  });
});
