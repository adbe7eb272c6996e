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
  ExchangeSpans,
  RunTrace,
  inSpan,
  inTrace,
  recordLookup,
  runContext,
  traced,
  type Span,
} from './spans.js';
