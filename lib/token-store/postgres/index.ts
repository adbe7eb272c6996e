export {
  PostgresTokenStore,
  type PostgresClient,
  type PostgresTokenStoreOptions,
} from './postgres.token-store.js';
