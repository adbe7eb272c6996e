import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { keptSecrets, newSecrets, renewSecrets } from '../../lib/cli/sandbox.secrets.js';
import { temporaryDirectory } from '../support/directories.js';

let state: string;
let path: string;

beforeEach(() => {
  state = temporaryDirectory();
  path = join(state, 'nestjs-berbix', 'secrets.json');
});

describe('the secrets of the sandboxes of a user', () => {
  it('are created once, and replaced on request', () => {
    const first = keptSecrets(path);
    expect(first.secrets).toEqual({
      apiSecret: expect.stringMatching(/^secret_test_\w{32}$/),
      liveApiSecret: expect.stringMatching(/^secret_live_\w{32}$/),
      webhooks: {
        finished: { secret: expect.stringMatching(/^whs_test_\w{32}$/) },
        status: { secret: expect.stringMatching(/^whs_test_\w{32}$/) },
      },
    });
    expect(keptSecrets(path)).toEqual(first);
    const next = renewSecrets(path);
    expect(next).not.toEqual(first);
    expect(keptSecrets(path)).toEqual(next);
    expect(newSecrets()).not.toEqual(next.secrets);
  });

  it('are readable only for the user, and leave no temporary file', () => {
    keptSecrets(path);
    renewSecrets(path);
    expect(readdirSync(dirname(path))).toEqual(['secrets.json']);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
  });

  it.each(['{"apiSecret":"secret_li', '{"apiSecret":"secret_live_x"}', 'null'])(
    'are created anew if the file contains %s',
    (text) => {
      const first = keptSecrets(path);
      writeFileSync(path, text);
      const { secrets, problem } = keptSecrets(path);
      expect(problem).toBe(
        `${path} has no usable API secret, live API secret, finished webhook secret, status webhook secret, so the sandbox has new ones. Paste its .env again.`,
      );
      expect(secrets).not.toEqual(first.secrets);
      expect(keptSecrets(path)).toEqual({ secrets });
    },
  );

  it.each(['', null, 5, undefined])(
    'stay the same if another one of them is %p in the file',
    (unusable) => {
      const { secrets: first } = keptSecrets(path);
      const { finished } = first.webhooks;
      const edited = { ...first, webhooks: { finished, status: { secret: unusable } } };
      writeFileSync(path, JSON.stringify(edited));
      const { secrets, problem } = keptSecrets(path);
      expect(secrets).toEqual({
        ...first,
        webhooks: { finished, status: { secret: expect.stringMatching(/^whs_test_\w{32}$/) } },
      });
      expect(problem).toMatch(
        / has no usable status webhook secret, so the sandbox has new ones\./,
      );
      expect(keptSecrets(path)).toEqual({ secrets });
    },
  );

  it.each(['640', '604', '602'])('are made private if their mode is %s', (mode) => {
    const first = keptSecrets(path);
    chmodSync(path, mode);
    expect(keptSecrets(path)).toEqual(first);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('replace a link, and do not change its target', () => {
    const foreign = join(state, 'foreign');
    writeFileSync(foreign, 'not yours', { mode: 0o644 });
    mkdirSync(dirname(path));
    symlinkSync(foreign, path);
    symlinkSync(foreign, `${path}.${process.pid}`);
    const next = renewSecrets(path);
    expect(next.problem).toBeUndefined();
    expect(lstatSync(path).isFile()).toBe(true);
    expect(readFileSync(foreign, 'utf8')).toBe('not yours');
    expect(keptSecrets(path)).toEqual(next);
  });

  it('are not shown if they cannot be stored, but the path is', () => {
    const { secrets, problem } = keptSecrets('/dev/null/secrets.json');
    expect(problem).toMatch(/^The secrets cannot be kept in \/dev\/null\/secrets\.json \(\w+\);/);
    expect(problem).not.toContain(secrets.apiSecret);
  });
});
