export { BerbixHealthService, type BerbixHealthStatus } from './berbix-health.service.js';
