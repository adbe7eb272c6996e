export {
  countLookup,
  instruments,
  openMeter,
  recordStoreCall,
  type StoreOperation,
  type TokenSource,
} from './instruments.js';
export {
  CallSpan,
  RunTrace,
  inSpan,
  inTrace,
  linkExchange,
  recordExchange,
  recordLookup,
  runContext,
  traced,
  type Span,
} from './spans.js';
