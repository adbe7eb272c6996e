import type { BerbixDispatcher } from '../../../lib/http/index.js';
import type { World } from '../../renewal/support/world.js';
import type { Steps } from './steps.js';

type Handler = Parameters<BerbixDispatcher['dispatch']>[1];
type Controller = Parameters<NonNullable<Handler['onRequestStart']>>[0];

const CONTROLLER = { abort: () => {} } as unknown as Controller;

/** Answers the requests of transactions, beside those of tokens, in virtual time. */
export class TransactionsApi {
  /** What the API says of the newest transaction. */
  action: string | undefined;
  /** The status of the next answers, instead of 200. */
  readonly statuses: number[] = [];
  latencyMs = 40;
  #created = 0;

  private constructor(
    private readonly world: World,
    private readonly steps: Steps,
  ) {}

  /** For the replicas that start from now on. */
  static of(world: World, steps: Steps): TransactionsApi {
    const api = new TransactionsApi(world, steps);
    api.#serve(world);
    return api;
  }

  #serve(world: World): void {
    const tokens = world.api.dispatcher.bind(world.api);
    world.api.dispatcher = (from) => ({
      dispatch: (options, handler) => {
        if (options.path === '/v0/tokens') return tokens(from).dispatch(options, handler);
        const { authorization = '' } = options.headers as Record<string, string>;
        const body = options.body === null ? [] : [String(options.body)];
        const request = [options.method, options.path, authorization.split(' ')[0], ...body];
        this.steps.note(`API: ${request.join(' ')} by ${from.name}`);
        handler.onRequestStart?.(CONTROLLER, {} as never);
        setTimeout(() => this.#answer(options.method, handler), this.latencyMs);
        return true;
      },
    });
  }

  #answer(method: string, handler: Handler): void {
    const status = this.statuses.shift() ?? 200;
    const body = status === 200 ? this.#bodyOf(method) : {};
    handler.onResponseStart?.(CONTROLLER, status, {}, '');
    handler.onResponseData?.(CONTROLLER, Buffer.from(JSON.stringify(body)));
    handler.onResponseEnd?.(CONTROLLER, {});
  }

  #bodyOf(method: string): object {
    if (method === 'GET') return { id: this.#created, customer_uid: 'ada', action: this.action };
    if (method !== 'POST') return {};
    const tokens = this.world.api.create(String(++this.#created));
    return {
      access_token: tokens.accessToken,
      client_token: tokens.clientToken,
      refresh_token: tokens.refreshToken,
      transaction_id: this.#created,
      expires_in: 3_600,
      hosted_url: `https://hosted/${this.#created}`,
      first_step: 'upload_document_front',
      // Of an upload.
      next_step: 'done',
    };
  }
}
