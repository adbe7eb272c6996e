import { describe, expect, it } from '@jest/globals';
import { BerbixStoreError } from 'nestjs-berbix';
import { PostgresTokenStore } from 'nestjs-berbix/postgres';
import { RedisTokenStore } from 'nestjs-berbix/redis';
import { errorOf } from '../support/errors.js';
import { everyViewOf } from '../support/sinks.js';
import { CANARIES, STEPS } from './support/steps.js';

const STORES = {
  PostgreSQL: (fail: () => Promise<never>) => new PostgresTokenStore({ query: fail }),
  Redis: (fail: () => Promise<never>) =>
    new RedisTokenStore({ evalsha: fail, eval: fail, hexists: fail, scan: fail, options: {} }),
};

/** An error like those of drivers: with the statement and its values in the message and in properties. */
function driverError(fields: object, message = ''): Error {
  const secrets = JSON.stringify(CANARIES);
  return Object.assign(new Error(`${message}${secrets}`), {
    detail: secrets,
    command: { name: 'evalsha', args: [secrets] },
    ...fields,
  });
}

const reply = (message: string): Error => driverError({ name: 'ReplyError' }, message);

describe.each(Object.entries(STORES))('the failures of %s', (description, makeStore) => {
  it.each([
    ['a closed port', driverError({ code: 'ECONNREFUSED' }), 'ECONNREFUSED', true],
    ['a name that is unknown', driverError({ code: 'ENOTFOUND' }), 'ENOTFOUND', true],
    ['a broken pipe', driverError({ code: 'EPIPE' }), 'EPIPE', true],
    ['a connection that broke', driverError({}, 'Connection terminated'), undefined, true],
    ['an invalid code', driverError({ code: 'canary-value' }), undefined, true],
    ['a number as code', driverError({ code: 57 }), undefined, true],
    ['a connection failure', driverError({ code: '08006' }), '08006', true],
    ['a deadlock', driverError({ code: '40P01' }), '40P01', true],
    ['too many connections', driverError({ code: '53300' }), '53300', true],
    ['a lock that is not available', driverError({ code: '55P03' }), '55P03', true],
    ['a statement that took too long', driverError({ code: '57014' }), '57014', true],
    ['a server that became a standby', driverError({ code: '25006' }), '25006', true],
    ['a wrong password', driverError({ code: '28P01' }), '28P01', false],
    ['a missing privilege', driverError({ code: '42501' }), '42501', false],
    ['an invalid character', driverError({ code: '22021' }), '22021', false],
    ['a full Redis', reply('OOM command not allowed'), 'OOM', true],
    [
      'a full Redis 6',
      reply('ERR Error running script (call to f_0): @user_script:9: -OOM command not allowed '),
      'OOM',
      true,
    ],
    [
      'a Redis 6 that became a replica',
      reply("ERR Error running script (call to f_0): @user_script: 9: -READONLY You can't write "),
      'READONLY',
      true,
    ],
    ['a script that is wrong', reply('ERR Error running script (call to f_0): x'), 'ERR', false],
    ['a Redis that is starting', reply('LOADING Redis is loading'), 'LOADING', true],
    ['a Redis that became a replica', reply("READONLY You can't write"), 'READONLY', true],
    ['a Cluster with a hole', reply('CLUSTERDOWN Hash slot not served'), 'CLUSTERDOWN', true],
    ['a key of another type', reply('WRONGTYPE Operation'), 'WRONGTYPE', false],
    ['no password', reply('NOAUTH Authentication required.'), 'NOAUTH', false],
    ['a mistake', reply('ERR unknown command'), 'ERR', false],
    ['a bug', Object.assign(new TypeError(CANARIES.value)), undefined, false],
    ['a message that begins like a reply', driverError({}, 'NOAUTH or so'), undefined, true],
    ['a reply in lower case', reply('Unknown command'), undefined, true],
    ['a value that is not an error', CANARIES.value, undefined, true],
    ['nothing', undefined, undefined, true],
  ])('%s', async (_, thrown, reason, retryable) => {
    const store = makeStore(() => Promise.reject(thrown));
    const error = await errorOf(store.load(CANARIES.key), BerbixStoreError);
    expect({ reason: error.reason, retryable: error.retryable }).toEqual({ reason, retryable });
    expect(error.message).toContain(description);
    expect(error.message).toContain(reason === undefined ? description : `(${reason})`);
    expect(error.cause).toBeUndefined();
    expect(await everyViewOf(error)).not.toMatch(/canary/);
  });

  it.each([
    [true, '08000 08P01 40001 40P01 53000 53400 55P03 57000 57P03 25006'],
    [false, '07001 22P02 25001 25P02 42P01 54001 55000 58030 P0853 XX000 0A000'],
  ])('are transient: %s, by the SQLSTATE', async (retryable, codes) => {
    for (const code of codes.split(' ')) {
      const store = makeStore(() => Promise.reject(driverError({ code })));
      const { reason, ...error } = await errorOf(store.load('key'), BerbixStoreError);
      expect({ reason, retryable: error.retryable }).toEqual({ reason: code, retryable });
    }
  });

  it.each([
    [
      true,
      'ASK BUSY CLUSTERDOWN LOADING MASTERDOWN MISCONF MOVED NOREPLICAS OOM READONLY TRYAGAIN',
    ],
    [false, 'ASKING BUSYGROUP BUSYKEY EXECABORT MOVE NOPERM NOSCRIPT NOTBUSY WRONGPASS'],
  ])('are transient: %s, by the first word of the reply', async (retryable, words) => {
    for (const word of words.split(' ')) {
      const store = makeStore(() => Promise.reject(reply(`${word} and why`)));
      const { reason, ...error } = await errorOf(store.load('key'), BerbixStoreError);
      expect({ reason, retryable: error.retryable }).toEqual({ reason: word, retryable });
    }
  });

  it.each(Object.entries(STEPS))('is the failure of %s', async (_, step) => {
    const store = makeStore(() => Promise.reject(driverError({ code: 'ECONNRESET' })));
    const error = await errorOf(step(store), BerbixStoreError);
    expect(error.reason).toBe('ECONNRESET');
    expect(await everyViewOf(error)).not.toMatch(/canary/);
  });

  it.each(Object.entries(STEPS))(
    'is also thrown by %s if the client throws synchronously',
    async (_, step) => {
      const store = makeStore(() => {
        throw driverError({ code: 'ECONNRESET' });
      });
      expect((await errorOf(step(store), BerbixStoreError)).reason).toBe('ECONNRESET');
    },
  );
});

it('the failure of createTable() is that of PostgreSQL, by its code', async () => {
  const thrown = driverError({ code: 'ECONNREFUSED' });
  const error = await errorOf(STORES.PostgreSQL(() => Promise.reject(thrown)).createTable());
  expect(error).toMatchObject({ code: 'BERBIX_STORE', reason: 'ECONNREFUSED', retryable: true });
  expect(error.message).toMatch(/^PostgreSQL cannot be reached, .* \(ECONNREFUSED\)\./);
});
