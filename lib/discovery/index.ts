export { findHandlers, shown, type Handler, type Wrapper } from './find-handlers.js';
export {
  handlerDecorator,
  listProperties,
  type HandlerKind,
  type HandlerRoute,
} from './handler-metadata.js';
