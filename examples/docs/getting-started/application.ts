export { Database, DatabaseModule } from '../stores/postgres.js';
export { SignedInCustomer, SignedInGuard } from '../signed-in.guard.js';
export { Statuses } from '../verification/statuses.js';
