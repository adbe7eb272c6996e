import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { UseFilters, type DynamicModule, type INestApplication, type Type } from '@nestjs/common';
import { GraphQLModule, Query, Resolver, Subscription } from '@nestjs/graphql';
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import {
  ClientProxyFactory,
  MessagePattern,
  Transport,
  type MicroserviceOptions,
} from '@nestjs/microservices';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { WsAdapter } from '@nestjs/platform-ws';
import { Test, type TestingModule } from '@nestjs/testing';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { createClient } from 'graphql-ws';
import {
  BerbixExceptionFilter,
  BerbixModule,
  FreshTokens,
  RequireFreshTokens,
  type BerbixTokens,
} from 'nestjs-berbix';
import { firstValueFrom } from 'rxjs';
import { io } from 'socket.io-client';
import { WebSocket } from 'ws';
import { closeAfterTest } from '../../support/closing.js';
import { rejectionOf } from '../../support/errors.js';
import { quietNest } from '../../support/sinks.js';
import { createTransaction, servicesFor, startSandbox } from '../../support/services.js';

// The guard, its parameter and the filter in the transports of Nest, with their real packages:
// `guard-contexts.spec.ts` has the finer points, with calls that it makes itself.

quietNest();

const NOT_FOUND = { code: 'BERBIX_NOT_FOUND', message: 'There is no verification.' };

/** A module with these classes, and the transaction of Ada; nobody else has one. */
async function prepare(
  providers: Type[],
  imports: DynamicModule[] = [],
  controllers: Type[] = [],
): Promise<{ module: TestingModule; ada: string }> {
  const sandbox = await startSandbox();
  const { apiSecret, url: apiHost } = sandbox;
  const ada = await createTransaction(sandbox, await servicesFor(sandbox));
  const module = await Test.createTestingModule({
    imports: [
      BerbixModule.forRoot({
        apiSecret,
        apiHost,
        loadTokens: async (owner) =>
          'customerUid' in owner && owner.customerUid === 'ada' ? ada.refreshToken : undefined,
      }),
      ...imports,
    ],
    providers,
    controllers,
  }).compile();
  return { module, ada: ada.transactionId as string };
}

async function listen(app: INestApplication): Promise<string> {
  closeAfterTest(() => app.close());
  await app.listen(0, '127.0.0.1');
  return app.getUrl();
}

interface WithHeaders {
  headers: Record<string, string>;
}

/** What a subscription of graphql-ws has as its context. */
interface Connection {
  connectionParams: { customer: string };
}

@Resolver()
@UseFilters(BerbixExceptionFilter)
class VerificationResolver {
  @Query('transaction')
  @RequireFreshTokens(({ headers }: WithHeaders) => ({ customerUid: headers['x-customer'] ?? '' }))
  transaction(@FreshTokens() tokens: BerbixTokens): string | undefined {
    return tokens.transactionId;
  }

  @Subscription('changed')
  @RequireFreshTokens(({ connectionParams }: Connection) => ({
    customerUid: connectionParams.customer,
  }))
  async *changed(@FreshTokens() tokens: BerbixTokens): AsyncGenerator<{ changed: unknown }> {
    yield { changed: tokens.transactionId };
  }
}

const typeDefs = `
  type Query { transaction: String }
  type Subscription { changed: String }`;

const GRAPHQL: [string, () => DynamicModule, (module: TestingModule) => INestApplication][] = [
  [
    'Apollo',
    () =>
      GraphQLModule.forRoot<ApolloDriverConfig>({
        driver: ApolloDriver,
        typeDefs,
        subscriptions: { 'graphql-ws': true },
      }),
    (module) => module.createNestApplication(),
  ],
  [
    'Mercurius',
    () =>
      GraphQLModule.forRoot<MercuriusDriverConfig>({
        driver: MercuriusDriver,
        typeDefs,
        context: (req: unknown) => ({ req }),
      }),
    (module) => module.createNestApplication(new FastifyAdapter()),
  ],
];

describe.each(GRAPHQL)('GraphQL with %s', (name, graphql, createApp) => {
  async function start() {
    const { module, ada } = await prepare([VerificationResolver], [graphql()]);
    const url = `${await listen(createApp(module))}/graphql`;
    const ask = async (customer: string): Promise<unknown> => {
      const answer = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-customer': customer },
        body: JSON.stringify({ query: '{ transaction }' }),
      });
      return answer.json();
    };
    return { ada, url, ask };
  }

  it('hands a query the tokens of its customer, or an error with a code', async () => {
    const { ada, ask } = await start();
    expect(await ask('ada')).toEqual({ data: { transaction: ada } });
    expect(await ask('eve')).toMatchObject({
      errors: [{ message: NOT_FOUND.message, extensions: { code: NOT_FOUND.code } }],
    });
  });

  if (name === 'Apollo') {
    it('hands a subscription the tokens of its customer, or an error with a code', async () => {
      const { ada, url } = await start();
      const subscribe = async (customer: string): Promise<unknown> => {
        const client = createClient({
          url: url.replace('http', 'ws'),
          webSocketImpl: WebSocket,
          connectionParams: { customer },
        });
        closeAfterTest(async () => client.dispose());
        const { value } = await client.iterate({ query: 'subscription { changed }' }).next();
        return value;
      };
      expect(await subscribe('ada')).toEqual({ data: { changed: ada } });
      expect(await subscribe('eve')).toMatchObject({
        errors: [{ message: NOT_FOUND.message, extensions: { code: NOT_FOUND.code } }],
      });
    });
  }
});

interface Message {
  customerUid: string;
}

class VerificationController {
  @MessagePattern('transaction')
  @UseFilters(BerbixExceptionFilter)
  @RequireFreshTokens(({ customerUid }: Message) => ({ customerUid }))
  transaction(@FreshTokens() tokens: BerbixTokens): string | undefined {
    return tokens.transactionId;
  }
}

/** A port that was free a moment ago: a microservice does not tell which one it has. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('a microservice over TCP', () => {
  it('gets the tokens of its customer, or an error with a code', async () => {
    const { module, ada } = await prepare([], [], [VerificationController]);
    const options = { host: '127.0.0.1', port: await freePort() };
    const service = module.createNestMicroservice<MicroserviceOptions>({
      transport: Transport.TCP,
      options,
    });
    closeAfterTest(() => service.close());
    await service.listen();
    const client = ClientProxyFactory.create({ transport: Transport.TCP, options });
    closeAfterTest(async () => client.close());
    const ask = (customerUid: string) =>
      firstValueFrom(client.send('transaction', { customerUid }));
    expect(await ask('ada')).toBe(ada);
    expect(await rejectionOf(ask('eve'))).toEqual({ status: 'error', ...NOT_FOUND });
  });
});

@WebSocketGateway()
class VerificationGateway {
  @SubscribeMessage('transaction')
  @UseFilters(BerbixExceptionFilter)
  @RequireFreshTokens(({ customerUid }: Message) => ({ customerUid }))
  transaction(@FreshTokens() tokens: BerbixTokens): { event: string; data: unknown } {
    return { event: 'transaction', data: tokens.transactionId };
  }
}

/** Sends one message; resolves to the event of the answer and its data. */
type Ask = (url: string, data: Message) => Promise<[event: string, data: unknown]>;

const SOCKETS: [string, (app: INestApplication) => IoAdapter | WsAdapter, Ask][] = [
  [
    'ws',
    (app) => new WsAdapter(app),
    async (url, data) => {
      const socket = new WebSocket(url.replace('http', 'ws'));
      closeAfterTest(async () => socket.close());
      await once(socket, 'open');
      socket.send(JSON.stringify({ event: 'transaction', data }));
      const [message] = (await once(socket, 'message')) as [Buffer];
      const answer = JSON.parse(message.toString()) as { event: string; data: unknown };
      return [answer.event, answer.data];
    },
  ],
  [
    'socket.io',
    (app) => new IoAdapter(app),
    async (url, data) => {
      const socket = io(url, { transports: ['websocket'] });
      closeAfterTest(async () => void socket.close());
      socket.emit('transaction', data);
      return new Promise((resolve) => {
        socket.onAny((event: string, answer: unknown) => resolve([event, answer]));
      });
    },
  ],
];

describe.each(SOCKETS)('a WebSocket gateway over %s', (_, adapterFor, ask) => {
  it('gets the tokens of its customer, or the event exception with a code', async () => {
    const { module, ada } = await prepare([VerificationGateway]);
    const app = module.createNestApplication();
    app.useWebSocketAdapter(adapterFor(app));
    const url = await listen(app);
    expect(await ask(url, { customerUid: 'ada' })).toEqual(['transaction', ada]);
    expect(await ask(url, { customerUid: 'eve' })).toEqual([
      'exception',
      expect.objectContaining({ status: 'error', ...NOT_FOUND }),
    ]);
  });
});
