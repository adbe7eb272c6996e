export { failureOf, type BerbixEvent, type BerbixExchangeReason } from './berbix-event.js';
export { BerbixEvents } from './berbix-events.js';
export { EventBus } from './event-bus.js';
export { EventHandlers, OnBerbixEvent } from './event-handlers.js';
export { ExchangeLog } from './exchange-log.js';
