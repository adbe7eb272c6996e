import { Redis } from 'ioredis';
import { temporaryDirectory } from '../../support/directories.js';
import { freePort, startRedis } from '../../support/servers.js';
import { until } from '../../support/until.js';

const SLOTS = 16_384;

/**
 * Starts a Redis Cluster for the tests of this file.
 *
 * @returns the ports of its servers, each with a share of the slots; empty without redis-server
 */
export async function startCluster(size: number): Promise<number[]> {
  const started: { port: number; busPort: number }[] = [];
  for (let i = 0; i < size; i += 1) {
    const busPort = await freePort();
    const flags = ['--cluster-enabled', 'yes', '--cluster-port', `${busPort}`];
    const url = await startRedis(...flags, '--dir', temporaryDirectory());
    if (url === undefined) return [];
    started.push({ port: Number(new URL(url).port), busPort });
  }
  const clients = started.map(({ port }) => new Redis(port, '127.0.0.1'));
  const [first] = started as [{ port: number; busPort: number }];
  for (const [i, client] of clients.entries()) {
    const [from, to] = [Math.ceil((i * SLOTS) / size), Math.ceil(((i + 1) * SLOTS) / size) - 1];
    await client.call('CLUSTER', 'ADDSLOTSRANGE', from, to);
    if (i > 0) await client.call('CLUSTER', 'MEET', '127.0.0.1', first.port, first.busPort);
  }
  const ready = new RegExp(`cluster_state:ok[^]*cluster_known_nodes:${size}`);
  for (const client of clients) {
    await until(async () => ready.test(String(await client.cluster('INFO'))), 20);
    client.disconnect();
  }
  return started.map(({ port }) => port);
}
