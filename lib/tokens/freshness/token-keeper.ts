import type { SealedRecords } from '../../token-store/index.js';
import { FreshTokenSource } from './fresh-token-source.js';
import type { BerbixTokenOptions, FreshnessSettings } from './freshness.options.js';
import { TokenLoader } from './token-loader.js';
import { TokenRecords } from './token-records.js';
import { TokenRemoval } from './token-removal.js';
import { TokenRenewal, type Exchange } from './token-renewal.js';

/** The parts that a {@link TokenKeeper} is made of. */
export interface TokenKeeperParts {
  sealed: SealedRecords;
  settings: FreshnessSettings;
  exchange: Exchange;
  options: Pick<BerbixTokenOptions, 'loadTokens' | 'onRotation'>;
}

/** The tokens of one store: their records, and what keeps them fresh. */
export class TokenKeeper {
  readonly records: TokenRecords;
  readonly removal: TokenRemoval;
  readonly fresh: FreshTokenSource;

  constructor({ sealed, settings, exchange, options }: TokenKeeperParts) {
    const loader = new TokenLoader(options.loadTokens, settings.hookTimeoutMs);
    this.records = new TokenRecords(sealed, loader, settings);
    this.removal = new TokenRemoval(sealed);
    const renewal = new TokenRenewal(sealed, this.records, settings, exchange, options.onRotation);
    this.fresh = new FreshTokenSource(renewal, settings.cacheSize, settings.totalTimeoutMs);
  }
}
