import { expect, it } from '@jest/globals';
import { Cluster, type Redis } from 'ioredis';
import { RedisTokenStore } from 'nestjs-berbix/redis';
import { closeAfterTest } from '../support/closing.js';
import { describeWith } from '../support/requirements.js';
import { redisClient, startRedis, uniquePrefix } from '../support/servers.js';
import { cipherWith, newKey } from '../token-store/support/encryption.js';
import { startCluster } from '../token-store/support/redis-cluster.js';
import { runBuilt } from './support/run-command.js';

const PASSWORD = 'HIDDENWORD %41/@';
const keys = { new: newKey(), old: newKey() };
const old = cipherWith({ old: keys.old });
const encryptionKeys = { BERBIX_ENCRYPTION_KEYS: `new:${keys.new},old:${keys.old}` };

const ports = await startCluster(3);
const url = await startRedis();
const describeOnServers = describeWith('redis-server', url !== undefined);

// Not as a flag, since startRedis checks without a password whether the server runs.
if (url !== undefined) {
  const client = redisClient({}, url);
  await client.config('SET', 'requirepass', PASSWORD);
  client.disconnect();
}

/** A client of the server that requires a password. */
function openLocked(): Redis {
  const client = redisClient({ password: PASSWORD }, url);
  return client;
}

/** Thirty values, distributed over all servers of a Cluster. */
async function fill(store: RedisTokenStore): Promise<void> {
  for (let id = 0; id < 30; id++) {
    const key = `default/transaction/${id}`;
    await store.commit(key, 0, await old.seal(key, `value ${id}`));
  }
}

describeOnServers('nestjs-berbix re-encrypt --redis', () => {
  it('works on a whole Cluster, from one of its servers', async () => {
    const cluster = new Cluster([{ host: '127.0.0.1', port: ports[0] as number }]);
    closeAfterTest(async () => cluster.disconnect());
    const prefix = uniquePrefix();
    await fill(new RedisTokenStore(cluster, { prefix }));
    const address = `redis://127.0.0.1:${ports[1]}`;
    const args = ['re-encrypt', '--redis', address, '--prefix', prefix];
    const { code, stdout, stderr } = await runBuilt(args, encryptionKeys);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^30 values\n {2}30 re-encrypted/);
  });

  it('uses the password for all servers of a Cluster', async () => {
    for (const port of ports) {
      const server = redisClient({}, `redis://127.0.0.1:${port}`);
      await server.config('SET', 'requirepass', PASSWORD);
      closeAfterTest(() => server.config('SET', 'requirepass', ''));
    }
    const address = { host: '127.0.0.1', port: ports[0] as number };
    const cluster = new Cluster([address], { redisOptions: { password: PASSWORD } });
    closeAfterTest(async () => cluster.disconnect());
    const prefix = uniquePrefix();
    await fill(new RedisTokenStore(cluster, { prefix }));
    const args = ['re-encrypt', '--redis', `redis://127.0.0.1:${ports[1]}`, '--prefix', prefix];
    const environment = { ...encryptionKeys, REDISCLI_AUTH: PASSWORD };
    expect(await runBuilt(args, environment)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^30 values\n {2}30 re-encrypted/),
    });
  });

  it('uses a password from REDISCLI_AUTH if the URL has none', async () => {
    const client = openLocked();
    await fill(new RedisTokenStore(client));
    const args = ['re-encrypt', '--redis', url ?? ''];
    const refused = await runBuilt(args, encryptionKeys);
    expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/NOAUTH/) });
    const environment = { ...encryptionKeys, REDISCLI_AUTH: PASSWORD };
    const { code, stdout } = await runBuilt(args, environment);
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^30 values/),
    });
    // The URL takes precedence.
    const [scheme, host] = (url ?? '').split('//');
    const wrong = ['re-encrypt', '--redis', `${scheme}//:HIDDENWORD@${host}`];
    expect((await runBuilt(wrong, environment)).stderr).toMatch(/WRONGPASS/);
  });

  it('stops if it cannot find out whether there are more servers, and says what to do', async () => {
    const client = openLocked();
    await client.call('ACL', 'SETUSER', 'noinfo', 'on', '>HIDDENWORD', '~*', '+@all', '-info');
    const address = (url ?? '').replace('//', '//noinfo:HIDDENWORD@');
    const { code, stdout, stderr } = await runBuilt(
      ['re-encrypt', '--redis', address],
      encryptionKeys,
    );
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /whether it is one server of a Cluster \(NOPERM\)\. Allow the user to run INFO/,
    );
    expect(stderr).not.toContain('HIDDENWORD');
  });
});
