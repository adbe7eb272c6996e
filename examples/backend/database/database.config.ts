import { join } from 'node:path';
import { registerAs } from '@nestjs/config';

/**
 * `DATABASE_URL`: the PostgreSQL server. Without it, an embedded PostgreSQL stores its data in
 * `DATA_DIR`.
 */
export const databaseConfig = registerAs('database', () => ({
  url: process.env['DATABASE_URL'] || undefined,
  directory: join(process.env['DATA_DIR'] || '.data/backend', 'database'),
}));
