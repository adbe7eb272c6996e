import { registerAs } from '@nestjs/config';

/** `DATA_DIR`: where the embedded PostgreSQL keeps its data. */
export const databaseConfig = registerAs('database', () => ({
  directory: process.env['DATA_DIR'] || '.data/backend',
}));
