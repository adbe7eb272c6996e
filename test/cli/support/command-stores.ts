import { RedisTokenStore } from 'nestjs-berbix/redis';
import type { BerbixTokenStore } from '../../../lib/token-store/index.js';
import {
  makeTable,
  POSTGRES_URL,
  postgresPool,
  REDIS_URL,
  redisClient,
  uniquePrefix,
} from '../../support/servers.js';

/** A store, and the flags with which a command opens it. */
export interface CommandStore {
  store: BerbixTokenStore;
  args: string[];
}

/** The servers of `describeEachOn`, each with a store for commands. */
export const COMMAND_STORES = [
  {
    name: 'PostgreSQL',
    open: async (): Promise<CommandStore> => {
      const { store, table } = await makeTable(postgresPool());
      return { store, args: ['--postgres', POSTGRES_URL ?? '', '--table', table] };
    },
  },
  {
    name: 'Redis',
    open: async (): Promise<CommandStore> => {
      const prefix = uniquePrefix();
      const args = ['--redis', REDIS_URL ?? '', '--prefix', prefix];
      return { store: new RedisTokenStore(redisClient(), { prefix }), args };
    },
  },
];
