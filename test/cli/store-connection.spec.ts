import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, it, jest } from '@jest/globals';
import type pg from 'pg';
import { openPostgres, openStore } from '../../lib/cli/store/store-connection.js';
import { closeAfterTest } from '../support/closing.js';
import {
  describeOnPostgres,
  POSTGRES_URL,
  postgresPool,
  silentServer,
} from '../support/servers.js';
import { until } from '../support/until.js';

describeOnPostgres('the connection of a command to PostgreSQL', () => {
  it('may be ended by the server between two statements', async () => {
    const { client, close } = await openPostgres(POSTGRES_URL ?? '');
    closeAfterTest(close);
    const pool = client as pg.Pool;
    const { rows } = await pool.query('SELECT pg_backend_pid() AS pid');
    await postgresPool().query('SELECT pg_terminate_backend($1)', [rows[0].pid]);
    await until(() => pool.totalCount === 0);
    await expect(pool.query('SELECT 1')).resolves.toMatchObject({ rowCount: 1 });
  });
});

describe('the connection of a command to PostgreSQL that does not answer', () => {
  it('is given up after ten seconds', async () => {
    const { client, close } = await openPostgres(`postgres://127.0.0.1:${await silentServer()}/d`);
    closeAfterTest(close);
    // Only waits end early.
    jest.useFakeTimers({ doNotFake: ['Date', 'performance', 'nextTick', 'setImmediate'] });
    closeAfterTest(() => jest.useRealTimers());
    let outcome: string | undefined;
    const asked = client.query('SELECT 1').catch((error: Error) => (outcome = error.message));
    jest.advanceTimersByTime(9_999);
    await setImmediate();
    expect(outcome).toBeUndefined();
    jest.advanceTimersByTime(1);
    // Its socket is closed a few turns later.
    for (let turn = 0; turn < 100; turn++) await setImmediate();
    const inTime = outcome;
    jest.advanceTimersByTime(60_000);
    await asked;
    expect(inTime).toMatch(/timeout/);
  });
});

describe('the connection of a command to Redis', () => {
  it('is given up after half a minute if the server accepts it and says nothing', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    closeAfterTest(() => {
      for (const socket of sockets) socket.destroy();
      silent.close();
    });
    const { port } = silent.address() as AddressInfo;
    // Only waits end early.
    jest.useFakeTimers({ doNotFake: ['Date', 'performance', 'nextTick', 'setImmediate'] });
    closeAfterTest(() => jest.useRealTimers());
    const target = { kind: 'redis', url: `redis://127.0.0.1:${port}`, prefix: undefined } as const;
    const opening = openStore(target).then(
      () => 'opened',
      (error: Error) => error.message,
    );
    await until(() => sockets.length === 1);
    let outcome: string | undefined;
    void opening.then((end) => (outcome = end));
    await until(() => {
      jest.advanceTimersByTime(30_000);
      return outcome !== undefined;
    });
    expect(outcome).toMatch(/^Redis cannot be reached/);
  });
});
