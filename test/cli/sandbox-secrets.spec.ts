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
import {
  keptSecrets,
  type KeptSecrets,
  newSecrets,
  renewSecrets,
  withSecrets,
} from '../../lib/cli/sandbox.secrets.js';
import { temporaryDirectory } from '../support/directories.js';
import { changeEnvironment } from '../support/environment.js';

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
        `${path} has no usable API secret, live API secret, finished webhook secret, status webhook secret, so the sandbox has new ones. Copy the lines that it prints into your .env again.`,
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

  it('leave no temporary file if they cannot be stored', () => {
    mkdirSync(path, { recursive: true });
    expect(keptSecrets(path).problem).toMatch(/^The secrets cannot be kept in .* \(E\w+\);/);
    expect(readdirSync(dirname(path))).toEqual(['secrets.json']);
  });

  it.each([
    ['the home directory', 'relative', join('.local', 'state')],
    ['the state directory', undefined, 'state'],
  ])('are in %s', (_what, stated, directory) => {
    const restore = changeEnvironment({
      HOME: state,
      XDG_STATE_HOME: stated ?? join(state, 'state'),
    });
    try {
      expect(keptSecrets().problem).toBeUndefined();
    } finally {
      restore();
    }
    expect(readdirSync(join(state, directory, 'nestjs-berbix'))).toEqual(['sandbox-secrets.json']);
  });

  it.each([
    ['the directory of programs on Windows', 'local'],
    ['no directory, if Windows names none', undefined],
  ])('are in %s', (_what, directory) => {
    const { platform } = process;
    const local = directory && join(state, directory);
    const restore = changeEnvironment({ XDG_STATE_HOME: undefined, LOCALAPPDATA: local });
    Object.defineProperty(process, 'platform', { value: 'win32' });
    let kept: KeptSecrets;
    try {
      kept = keptSecrets();
    } finally {
      Object.defineProperty(process, 'platform', { value: platform });
      restore();
    }
    if (local === undefined) {
      expect(kept.problem).toBe(
        'The secrets cannot be kept (this user has no home directory); the next start will have new ones.',
      );
    } else {
      expect(readdirSync(join(local, 'nestjs-berbix'))).toEqual(['sandbox-secrets.json']);
    }
  });

  it('are used only in the place of those that are not given', () => {
    const secrets = newSecrets();
    const { finished, status } = secrets.webhooks;
    const url = 'http://127.0.0.1:9/';
    expect(withSecrets({}, secrets)).toEqual(secrets);
    expect(
      withSecrets(
        {
          liveApiSecret: 'secret_live_x',
          webhooks: { finished: { url, secret: undefined }, status: { secret: 'whs_x' } },
        },
        secrets,
      ),
    ).toEqual({
      apiSecret: secrets.apiSecret,
      liveApiSecret: 'secret_live_x',
      webhooks: { finished: { url, ...finished }, status: { ...status, secret: 'whs_x' } },
    });
    expect(withSecrets({ apiSecret: 'secret_test_x' }, secrets)).toMatchObject({
      apiSecret: 'secret_test_x',
    });
  });

  it('are not shown if they cannot be stored, but the path is', () => {
    const { secrets, problem } = keptSecrets('/dev/null/secrets.json');
    expect(problem).toMatch(/^The secrets cannot be kept in \/dev\/null\/secrets\.json \(\w+\);/);
    expect(problem).not.toContain(secrets.apiSecret);
  });
});
