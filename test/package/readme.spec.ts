import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { AppModule } from '../../examples/readme/app.module.js';
import { changeEnvironment } from '../support/environment.js';
import { listen, PLATFORMS } from '../support/platforms.js';
import { quietNest } from '../support/sinks.js';
import { startSandbox } from '../support/services.js';

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
  it('begins a verification, and resumes it', async () => {
    const sandbox = await startSandbox();
    Object.assign(process.env, {
      BERBIX_API_SECRET: sandbox.apiSecret,
      BERBIX_API_HOST: sandbox.url,
      BERBIX_TEMPLATE_KEY: sandbox.templateKeys.sdk,
    });
    const url = await listen(Test.createTestingModule({ imports: [AppModule] }), platform);
    const begin = async (): Promise<unknown> =>
      (await fetch(`${url}/verification`, { method: 'POST' })).json();
    const clientToken = expect.any(String);
    expect(await begin()).toMatchObject({ clientToken, isResumed: false });
    expect(await begin()).toMatchObject({ clientToken, isResumed: true });
  });
});
