export { Database, DatabaseModule } from '../docs/stores/postgres.js';
export { SignedInCustomer, SignedInGuard } from '../docs/signed-in.guard.js';
export { Statuses } from '../docs/verification/statuses.js';
